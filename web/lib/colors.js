// SPDX-License-Identifier: Apache-2.0
// The colours of services: places in the palette of twelve that the store gives out, the same on every page.
import * as api from "../api.js";

const PALETTE = 12;

export class ServiceColors {
  constructor() {
    /** @type {Map<string, number>} */
    this.known = new Map();
  }

  /** Asks the store; services it has not told of keep a colour by their name. */
  async learn() {
    try {
      const { services } = await api.services();
      for (const { name, color } of services) this.known.set(name, color);
    } catch {
      // The names alone tell services apart.
    }
  }

  /** @param {string} service @returns {number} for `data-s`, 0 to 11 */
  of(service) {
    return this.known.get(service) ?? [...service].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % PALETTE, 0);
  }
}
