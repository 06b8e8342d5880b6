// SPDX-License-Identifier: Apache-2.0
// Colours of agents: the one that a name has everywhere, unless another agent of the same orchestration has it already. Pure.

const PALETTE = 12;

/** @param {string[]} names in the order of their coming @param {(name: string) => number} usual @returns {Map<string, number>} */
export function agentColors(names, usual) {
  const found = new Map();
  const taken = new Set();
  for (const name of names) {
    if (found.has(name)) continue;
    let color = usual(name);
    for (let tries = 0; taken.has(color) && tries < PALETTE; tries++) color = (color + 5) % PALETTE;
    taken.add(color);
    if (taken.size === PALETTE) taken.clear();
    found.set(name, color);
  }
  return found;
}
