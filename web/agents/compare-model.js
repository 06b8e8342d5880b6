// SPDX-License-Identifier: Apache-2.0
// Two orchestrations side by side, as the server aligned them: numbers out of its texts, and what differs in words. Pure.
import { compactCount, count, duration, nanos, plural, shortened } from "../lib/format.js";
import { CLASS_NAMES, dollars, isFailure } from "./words.js";

/** A step that takes this much longer or shorter, and this share, is marked. */
const NOTABLE_NANOS = 1e6;
const NOTABLE_SHARE = 0.25;
/** Of a name in a sentence. */
const NAME_MAX = 60;

/** @typedef {{ a: any | null, b: any | null, mark: "A" | "B" | "≠" | "~" | "", isFirst: boolean }} Pair of steps: only in A, only in B, another outcome, another length */

export class OrchestrationPair {
  /** @param {any} answer of `sessions/{a}/compare/{b}` */
  constructor(answer) {
    this.answer = answer;
    const length = (step) => (step ? { ...step, length: Number(nanos(step.durationNanos)) } : null);
    /** Sides that have more than was compared: "A and B", "". */
    this.cut = ["a", "b"].filter((side) => answer.isCut?.[side]).map((side) => side.toUpperCase()).join(" and ");
    const first = answer.firstDivergence;
    const isFirst = (pair) => first !== null && (same(pair.a, first.a) || same(pair.b, first.b));
    let isFound = false;
    /** @type {Pair[]} */
    this.steps = answer.steps.map((each) => {
      const pair = { a: length(each.a), b: length(each.b) };
      const isHere = !isFound && isFirst(pair);
      isFound ||= isHere;
      return { ...pair, mark: markOf(pair), isFirst: isHere };
    });
    this.differing = this.steps.filter(({ mark }) => mark !== "");
  }

  /** @param {boolean} onlyDiffering @returns {Pair[]} */
  shown(onlyDiffering) {
    return onlyDiffering ? this.differing : this.steps;
  }

  /** How the two compare, in a sentence or two. */
  sentence() {
    const { durationNanos, firstDivergence, errorCount } = this.answer;
    const [a, b] = sides(durationNanos).map((text) => Number(nanos(text)));
    const longer = b - a;
    const said = [Math.abs(longer) < 0.01 * Math.max(a, b) ? `Both take ${duration(b)}.` : `B takes ${duration(Math.abs(longer))} ${longer > 0 ? "longer" : "less"}: ${duration(b)} in place of ${duration(a)}.`];
    const cause = this.differences("timeClasses").sort((x, y) => (longer > 0 ? y.change - x.change : x.change - y.change))[0];
    if (cause && cause.change * longer > 0 && Math.abs(longer) >= 0.01 * Math.max(a, b)) said.push(`Most of it: ${(CLASS_NAMES[cause.name] ?? cause.name).toLowerCase()}, ${signed(cause.change, duration)}.`);
    if (!firstDivergence) said.push("They take the same steps.");
    else {
      // Isolated: a name that is written the other way turns nothing but itself.
      const [x, y] = sides(firstDivergence).map((step) => (step ? `\u2068${shortened(nameOf(step), NAME_MAX)}\u2069` : null));
      const common = firstDivergence.index ? `After ${plural(firstDivergence.index, "common step")}` : "From the start";
      said.push(x && y ? `${common} A goes on with ${x}, B with ${y}.` : `${common} ${x ? `only A goes on, with ${x}` : `only B goes on, with ${y}`}.`);
    }
    if (errorCount.a !== errorCount.b) said.push(`${plural(errorCount.b, "error")} in place of ${count(errorCount.a)}.`);
    return said.join(" ");
  }

  /** Sessions, tools or classes of time that either has. @param {"sessions" | "tools" | "timeClasses"} kind */
  differences(kind) {
    return (this.answer[kind] ?? []).map((each) => {
      const [a, b] = sides(each.durationNanos).map((text) => Number(nanos(text)));
      return { ...each, a, b, change: b - a };
    });
  }

  /** The whole in figures. @returns {{ name: string, a: string, b: string, change: string, isWorse: boolean }[]} */
  totals() {
    const { durationNanos, errorCount, usage } = this.answer;
    const figure = (name, a, b, format) => ({ name, a: a === null ? "–" : format(a), b: b === null ? "–" : format(b), change: a === null || b === null || a === b ? "" : signed(b - a, format), isWorse: a !== null && b !== null && b > a });
    const used = (key) => sides(usage).map((side) => side?.[key] ?? null);
    return [
      figure("Duration", ...sides(durationNanos).map((text) => Number(nanos(text))), duration), figure("Errors", ...sides(errorCount), count),
      figure("Tokens in", ...used("inputTokens"), compactCount), figure("Tokens out", ...used("outputTokens"), compactCount), figure("Cost", ...used("usd"), dollars),
    ];
  }
}

function sides({ a, b }) {
  return [a, b];
}

function same(step, other) {
  return Boolean(step && other && step.spanId === other.spanId && step.traceId === other.traceId);
}

function markOf({ a, b }) {
  if (!b) return "A";
  if (!a) return "B";
  if (isFailure(a.outcome) !== isFailure(b.outcome)) return "≠";
  const change = Math.abs(b.length - a.length);
  return change >= NOTABLE_NANOS && change >= NOTABLE_SHARE * Math.max(a.length, b.length) ? "~" : "";
}

/** The last name of a step's signature: "web.search" of "planner › researcher › `web.search`". */
export function nameOf({ signature }) {
  return signature.slice(signature.lastIndexOf(" › ") + 1 ? signature.lastIndexOf(" › ") + 3 : 0).replaceAll("`", "").slice(0, 200) || "a step without a name";
}

/** The names above it. */
export function aboveOf({ signature }) {
  const end = signature.lastIndexOf(" › ");
  return end < 0 ? "" : signature.slice(0, end).slice(-200);
}

export function isTool({ signature }) {
  return signature.endsWith("`");
}

/** "+1.20 s", "−3". @param {number} value @param {(value: number) => string} format */
export function signed(value, format) {
  return `${value < 0 ? "−" : "+"}${format(Math.abs(value))}`;
}
