// SPDX-License-Identifier: Apache-2.0
// A row of the waterfall in words. Pure.
import { count, duration, plural, share, shortened } from "../lib/format.js";

const UNITS = { ns: "nanoseconds", µs: "microseconds", ms: "milliseconds", s: "seconds", m: "minutes", h: "hours", d: "days" };

/** "1.28 seconds", "2 minutes 14 seconds". @param {number} nanos */
export function spokenDuration(nanos) {
  return duration(nanos).replace(/(\d)\s*(ns|µs|ms|s|m|h|d)(?!\p{L})/gu, (_, digit, unit) => `${digit} ${UNITS[unit]}`);
}

/**
 * "checkout, POST /pay, 1.28 seconds, 41 % of trace, error, on critical path, 3 children".
 * @param {import("./outline.js").Outline} outline @param {number} row @param {import("./critical-path.js").CriticalPath | null} path
 */
export function spokenRow(outline, row, path) {
  const { model, folds } = outline;
  const fold = outline.closedAt(row);
  const names = [model.serviceName(row), model.operationName(row)].map((name) => shortened(name));
  const part = (nanos) => `${share(nanos / (model.to - model.from))} of trace`;
  if (fold >= 0) {
    const errors = folds.errors[fold] ? [plural(folds.errors[fold], "error")] : [];
    return [...names, `${count(folds.size(fold))} times`, `${spokenDuration(folds.total[fold])} in all`,
      `${spokenDuration(folds.longest[fold])} at most`, ...errors, ...(folds.isLoop(fold) ? ["one after another"] : []), "folded"].filter(Boolean).join(", ");
  }
  const words = model.isPlaceholder(row) ? names.slice(1) : names;
  words.push(spokenDuration(model.duration[row]), part(model.duration[row]));
  if (model.running[row]) words.push("still running");
  if (model.status[row] === 2) words.push("error");
  const hidden = outline.errors(row) - (model.status[row] === 2 ? 1 : 0);
  if (hidden) words.push(`${plural(hidden, "error")} below`);
  if (path?.has(row)) words.push("on critical path");
  if (model.children[row]) words.push(plural(model.children[row], "child", "children"));
  return words.filter(Boolean).join(", ");
}
