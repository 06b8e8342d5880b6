// SPDX-License-Identifier: Apache-2.0
// Numbers and times as people read them. Pure; the zone is an argument.

const NBSP = "\u00a0";
const grouped = new Intl.NumberFormat("en-US");

/** 1284 → "1,284" @param {number | bigint} n */
export function count(n) {
  return grouped.format(n);
}

/** 98412 → "98.4k", for places where every pixel counts. @param {number} n */
export function compactCount(n) {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (n >= size * 0.99995) return `${significant(n / size)}${unit}`;
  }
  return String(n);
}

/** The beginning of a name that may be of any length: one line shows no more, and the browser would measure all of it. @param {string} text */
export function shortened(text, most = 300) {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

/** 1 span, 2 spans @param {number} n @param {string} one @param {string} [many] */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)}${NBSP}${n === 1 ? one : many}`;
}

/** Three significant digits, never an exponent. @param {number} x */
function significant(x) {
  if (x >= 99.95) return x.toFixed(0);
  if (x >= 9.995) return x.toFixed(1);
  return x.toFixed(2);
}

/**
 * Three significant digits with unit: "842 µs", "1.28 s", "2 m 14 s", "3 h 05 m", "2 d 04 h".
 * @param {number} nanos
 */
export function duration(nanos) {
  if (!(nanos > 0)) return `0${NBSP}ns`;
  if (nanos < 1000) return `${Math.round(nanos)}${NBSP}ns`;
  if (nanos < 999.5e3) return `${significant(nanos / 1e3)}${NBSP}µs`;
  if (nanos < 999.5e6) return `${significant(nanos / 1e6)}${NBSP}ms`;
  if (nanos < 59.95e9) return `${significant(nanos / 1e9)}${NBSP}s`;
  const seconds = Math.round(nanos / 1e9);
  if (seconds < 3600) return pair(seconds, 60, "m", "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(minutes, 60, "h", "m");
  return pair(Math.round(minutes / 60), 24, "d", "h");
}

/** How long spans are kept: "30 d", "1 d 12 h" @param {number} seconds */
export function age(seconds) {
  return duration(seconds * 1e9).replace(/\u00a000\u00a0\w$/, "");
}

function pair(n, base, high, low) {
  return `${Math.floor(n / base)}${NBSP}${high}${NBSP}${String(n % base).padStart(2, "0")}${NBSP}${low}`;
}

/** To the nanosecond: "1,284,000,001 ns" @param {number | bigint} nanos */
export function exactDuration(nanos) {
  return `${count(typeof nanos === "bigint" ? nanos : Math.round(nanos))}${NBSP}ns`;
}

/**
 * For the ticks of an axis: as few digits as tell `nanos` from its neighbour `step` away.
 * @param {number} nanos @param {number} step
 */
export function axisDuration(nanos, step) {
  if (nanos === 0) return "0";
  const [unit, size] =
    nanos >= 60e9 && step >= 1e9 ? ["s", 1e9]
    : nanos >= 1e9 ? ["s", 1e9]
    : nanos >= 1e6 ? ["ms", 1e6]
    : nanos >= 1e3 ? ["µs", 1e3]
    : ["ns", 1];
  if (nanos >= 60e9 && step >= 1e9) return duration(nanos);
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / size) - 1e-9)));
  return `${(nanos / size).toFixed(digits)}${NBSP}${unit}`;
}

/** Ticks for an axis from `from` to `to`, about `wanted` of them, at round numbers. @returns {{ step: number, at: number[] }} */
export function axisTicks(from, to, wanted) {
  const span = to - from;
  if (!(span > 0)) return { step: 1, at: [from] };
  const rough = span / Math.max(1, wanted);
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const steps = rough >= 60e9 ? [60e9, 120e9, 300e9, 600e9, 1800e9, 3600e9, 7200e9, 21600e9, 43200e9, 86400e9] : [];
  const step =
    steps.find((s) => s >= rough) ?? [1, 2, 5, 10].map((m) => m * magnitude).find((s) => s >= rough * 0.999) ?? rough;
  const at = [];
  for (let tick = Math.ceil(from / step); tick * step <= to && at.length < 100; tick++) at.push(tick * step);
  return { step, at };
}

/** 0.314 → "31 %", 0.0041 → "0.4 %", 0.00001 → "<0.1 %" @param {number} part */
export function share(part) {
  const percent = part * 100;
  if (!(percent > 0)) return `0${NBSP}%`;
  if (percent < 0.1) return `<0.1${NBSP}%`;
  return `${percent < 9.95 ? percent.toFixed(1).replace(/\.0$/, "") : percent.toFixed(0)}${NBSP}%`;
}

/** 1536 → "1.50 KiB" @param {number} n */
export function bytes(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (n >= size) return `${significant(n / size)}${NBSP}${unit}`;
  }
  return `${n}${NBSP}B`;
}

/** Nanoseconds since 1970, as the API writes them. @param {string | null | undefined} text @returns {bigint} */
export function nanos(text) {
  return /^\d{1,20}$/.test(text ?? "") ? BigInt(text) : 0n;
}

const calendars = new Map();

function calendar(zone) {
  let found = calendars.get(zone);
  if (!found) {
    const wanted = {
      calendar: "iso8601", hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", ...(zone ? { timeZone: zone } : {}),
    };
    found = new Intl.DateTimeFormat("en-CA", wanted);
    calendars.set(zone, found);
  }
  return found;
}

/** The parts of a moment in a zone ("" is the browser's). @returns {{ date: string, time: string }} */
export function clock(milliseconds, zone) {
  const parts = {};
  for (const { type, value } of calendar(zone).formatToParts(new Date(milliseconds))) parts[type] = value;
  return { date: `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}`, time: `${parts.hour}:${parts.minute}:${parts.second}` };
}

/**
 * "2026-11-22 12:31:04.218" in the zone; `digits` of the second's fraction, truncated.
 * @param {bigint} unixNanos @param {string} zone @param {number} [digits]
 */
export function absoluteTime(unixNanos, zone, digits = 3) {
  const { date, time } = clock(Number(unixNanos / 1_000_000n), zone);
  return `${date} ${time}${fraction(unixNanos, digits)}`;
}

/** "12:31:04.218", with the date before it unless it is today's. */
export function listTime(unixNanos, zone, nowMillis) {
  const { date, time } = clock(Number(unixNanos / 1_000_000n), zone);
  const text = `${time}${fraction(unixNanos, 3)}`;
  return date === clock(nowMillis, zone).date ? text : `${date} ${text}`;
}

function fraction(unixNanos, digits) {
  return digits > 0 ? `.${String(unixNanos % 1_000_000_000n).padStart(9, "0").slice(0, digits)}` : "";
}

/** "12 s ago", "3 m ago", "in 4 s" for clocks ahead of ours. @param {bigint} unixNanos @param {number} nowMillis */
export function relativeTime(unixNanos, nowMillis) {
  const seconds = Math.round(nowMillis / 1000 - Number(unixNanos / 1_000_000n) / 1000);
  const size = Math.abs(seconds);
  const [n, unit] =
    size < 60 ? [size, "s"]
    : size < 3600 ? [Math.floor(size / 60), "m"]
    : size < 86400 ? [Math.floor(size / 3600), "h"]
    : [Math.floor(size / 86400), "d"];
  if (size < 1) return "now";
  return seconds > 0 ? `${n}${NBSP}${unit} ago` : `in ${n}${NBSP}${unit}`;
}

/** "UTC", "UTC+2" or "Europe/Oslo (UTC+1)": what to print beside absolute times. */
export function zoneLabel(zone, atMillis) {
  const name = zone || Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const minutes = zoneOffsetMinutes(atMillis, zone);
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const offset = `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${size % 60 ? `:${String(size % 60).padStart(2, "0")}` : ""}`;
  return name === "UTC" ? offset : `${name} (${offset})`;
}

/** How far the zone's wall clock is ahead of UTC at a moment. @param {number} atMillis @param {string} zone */
export function zoneOffsetMinutes(atMillis, zone) {
  const whole = Math.floor(atMillis / 1000) * 1000;
  const { date, time } = clock(whole, zone);
  return Math.round((Date.parse(`${date}T${time}Z`) - whole) / 60000);
}

/** Whether the name is one that times can be shown in. @param {string} zone */
export function isZone(zone) {
  try {
    new Intl.DateTimeFormat("en-CA", { timeZone: zone });
    return zone !== "";
  } catch {
    return false;
  }
}
