// SPDX-License-Identifier: Apache-2.0
// Time ranges: as people type them, as the address keeps them, as the API wants them. Pure.
import { absoluteTime, zoneOffsetMinutes } from "./format.js";

const UNIT_MILLIS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** What the picker offers, shortest first; "all" has no start. */
export const PRESETS = ["-5m", "-15m", "-1h", "-3h", "-12h", "-1d", "-7d", "-30d", "all"];

/** The milliseconds of "-15m", or null. @param {string} text */
export function relativeMillis(text) {
  const match = /^-\s*(\d{1,6})\s*([smhdw])$/.exec(text.trim());
  return match ? Number(match[1]) * UNIT_MILLIS[match[2]] : null;
}

/**
 * One end of a range: relative ("-1h", "now"), RFC 3339, a wall-clock time in `zone` ("2026-11-22 14:05"), or a Unix
 * time in seconds, milliseconds, microseconds or nanoseconds by its length.
 * @param {string} text @param {number} nowMillis @param {string} zone @returns {bigint | null} Unix nanoseconds
 */
export function momentNanos(text, nowMillis, zone) {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "now") return BigInt(nowMillis) * 1_000_000n;
  const back = relativeMillis(trimmed);
  if (back !== null) return BigInt(Math.max(0, nowMillis - back)) * 1_000_000n;
  if (/^\d{9,20}$/.test(trimmed)) {
    const scale = trimmed.length <= 11 ? 9 : trimmed.length <= 14 ? 6 : trimmed.length <= 17 ? 3 : 0;
    return BigInt(trimmed) * 10n ** BigInt(scale);
  }
  const wall = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i.exec(trimmed);
  if (!wall) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "", offset] = wall;
  const utc = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(utc)) return null;
  const millis = utc - 60_000 * (offset ? offsetMinutes(offset) : wallOffset(utc, zone));
  return millis < 0 ? null : BigInt(millis) * 1_000_000n + BigInt(fraction.padEnd(9, "0") || "0");
}

function offsetMinutes(offset) {
  if (offset.toUpperCase() === "Z") return 0;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2));
  return offset[0] === "-" ? -minutes : minutes;
}

/** The offset in force when the zone's clocks show `wallMillis`; asked twice, because it may change in between. */
function wallOffset(wallMillis, zone) {
  const guess = zoneOffsetMinutes(wallMillis, zone);
  return zoneOffsetMinutes(wallMillis - guess * 60_000, zone);
}

/**
 * The half-open range of a view. `start` and `end` are null where it is open.
 * @param {string} from @param {string} to @param {number} nowMillis @param {string} zone
 * @returns {{ start: bigint | null, end: bigint | null } | null} null when either end makes no sense, or they cross
 */
export function resolveRange(from, to, nowMillis, zone) {
  const start = from === "all" ? null : momentNanos(from || "-1h", nowMillis, zone);
  const end = to === "" || to === "now" ? null : momentNanos(to, nowMillis, zone);
  if (start === null && from !== "all") return null;
  if (end === null && to !== "" && to !== "now") return null;
  if (start !== null && start >= (end ?? BigInt(nowMillis) * 1_000_000n)) return null;
  return { start, end };
}

/** What the button says. @param {string} from @param {string} to @param {string} zone */
export function rangeLabel(from, to, nowMillis, zone) {
  if (from === "all" && (to === "" || to === "now")) return "All time";
  const back = relativeMillis(from);
  if (back !== null && (to === "" || to === "now")) return `Last ${spelled(from).replace(/^1 /, "")}`;
  const show = (text) => {
    const moment = momentNanos(text, nowMillis, zone);
    return moment === null ? text : absoluteTime(moment, zone, 0).replace(/:00$/, "");
  };
  const left = from === "all" ? "the beginning" : relativeMillis(from) !== null ? `${spelled(from)} ago` : show(from);
  const right = to === "" || to === "now" ? "now" : relativeMillis(to) !== null ? `${spelled(to)} ago` : show(to);
  const sameDay = left.slice(0, 11) === right.slice(0, 11) && /^\d{4}-/.test(right);
  return `${left} – ${sameDay ? right.slice(11) : right}`;
}

/** "-1h" → "1 hour" @param {string} text */
export function spelled(text) {
  const match = /^-\s*(\d{1,6})\s*([smhdw])$/.exec(text.trim());
  if (!match) return text;
  const name = { s: "second", m: "minute", h: "hour", d: "day", w: "week" }[match[2]];
  const n = Number(match[1]);
  return n === 1 ? `1 ${name}` : `${n} ${name}s`;
}

/** A moment as the address keeps it when it must not move: RFC 3339 in UTC, to the millisecond. @param {bigint} unixNanos */
export function fixedMoment(unixNanos) {
  return new Date(Number(unixNanos / 1_000_000n)).toISOString();
}
