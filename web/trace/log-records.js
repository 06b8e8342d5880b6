// SPDX-License-Identifier: Apache-2.0
// Log records of the API, and events of spans, as entries of one list in time. Pure.
import { nanos } from "../lib/format.js";
import { plainValue, valueText } from "./values.js";

export const SEVERITIES = ["trace", "debug", "info", "warn", "error", "fatal"];

/** The place in `SEVERITIES` of OTLP's number; -1 where it says none. @param {number} [number] @param {string} [text] */
export function severityOf(number = 0, text = "") {
  if (number > 0) return Math.min(5, Math.floor((number - 1) / 4));
  const word = text.toLowerCase();
  return SEVERITIES.findIndex((name) => word.startsWith(name));
}

/**
 * `at` is nanoseconds after the start of the trace.
 * @typedef {{ kind: "log" | "event", at: number, time: bigint, spanId: string, severity: number, text: string, body?: any, attributes: any[], service: string }} Entry
 */

/** @param {any} answer of the API @param {bigint} traceStart @returns {Entry[]} */
export function logEntries({ logs, resources }, traceStart) {
  return logs.map(({ logRecord, resource }) => {
    const time = nanos(logRecord.timeUnixNano) || nanos(logRecord.observedTimeUnixNano);
    const body = valueText(logRecord.body);
    return {
      kind: "log", at: Number(time - traceStart), time, spanId: logRecord.spanId ?? "", severity: severityOf(logRecord.severityNumber, logRecord.severityText),
      text: body || logRecord.eventName || "", body: body ? logRecord.body : null, attributes: logRecord.attributes ?? [], service: serviceOf(resources[resource]),
    };
  });
}

/** @param {any} span OTLP JSON @param {string} service @param {bigint} traceStart @returns {Entry[]} */
export function eventEntries(span, service, traceStart) {
  return (span.events ?? []).map(({ name, timeUnixNano, attributes = [] }) => {
    const time = nanos(timeUnixNano);
    const isException = name === "exception";
    const found = (key) => plainValue(attributes.find((attribute) => attribute.key === key)?.value);
    const message = isException ? [found("exception.type"), found("exception.message")].filter(Boolean).join(": ") : found("message") ?? found("log.message");
    return {
      kind: "event", at: Number(time - traceStart), time, spanId: span.spanId, severity: isException ? 4 : severityOf(0, String(found("log.severity") ?? found("level") ?? "")),
      text: [name || "event", message == null ? "" : String(message)].filter(Boolean).join(" · "), attributes, service,
    };
  });
}

/** The service a resource names. @param {any} resource */
export function serviceOf(resource) {
  return String(plainValue(resource?.attributes?.find(({ key }) => key === "service.name")?.value) ?? "");
}

/** By time; of one time in the order they came. @param {Entry[]} entries */
export function byTime(entries) {
  return entries.sort((a, b) => a.at - b.at);
}
