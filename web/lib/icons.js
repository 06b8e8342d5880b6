// SPDX-License-Identifier: Apache-2.0
// Our icons: strokes of 1.5 px on a 16 px square, drawn in the colour of the text around them.
import { svg } from "./view.js";

const PATHS = {
  skein: "M2.700 6c0-2.500 2-3.400 3.700-2.400S9.400 7 8 8.700 3.700 11.700 3.400 9.700 6.700 5.300 9.400 6s4 3.300 2.300 5.300-4.300 1.700-6 1M2.700 6c0 1.700 1.300 2.700 2.700 2.700",
  explore: "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9ZM10.300 10.300l3.200 3.200",
  sun: "M8 10.700a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400ZM8 1.500v1.300M8 13.200v1.300M1.500 8h1.300M13.200 8h1.300M3.400 3.400l.9.9M11.700 11.700l.9.9M12.600 3.400l-.9.9M4.300 11.700l-.9.9",
  moon: "M13.300 9.600A5.600 5.600 0 0 1 6.400 2.700a5.600 5.600 0 1 0 6.900 6.900Z",
  auto: "M8 13.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM8 2.500v11M8 5h3.800M8 8h5.300M8 11h3.800",
  globe: "M8 13.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM2.500 8h11M8 2.500c2 1.600 2.700 3.500 2.700 5.500S10 11.900 8 13.500C6 11.900 5.300 10 5.300 8S6 4.100 8 2.500Z",
  help: "M5.800 6a2.200 2.200 0 1 1 3.300 1.900c-.8.5-1.100.9-1.100 1.800M8 12.300v.1",
  info: "M8 13.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM8 7.300v3.200M8 5.300v.1",
  clock: "M8 13.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM8 5v3l2 1.500",
  copy: "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8z",
  link: "M6.700 9.300a2.500 2.500 0 0 0 3.500 0l2.300-2.300A2.500 2.500 0 0 0 9 3.500l-.8.8M9.300 6.700a2.500 2.500 0 0 0-3.500 0L3.500 9A2.500 2.500 0 0 0 7 12.500l.8-.8",
  check: "M3 8.500l3.200 3.200L13 4.700",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 4l4 4-4 4",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  back: "M10 3.500L5.500 8l4.500 4.500",
  error: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.900 5.900l4.200 4.200M10.100 5.900l-4.200 4.200",
  warning: "M8 2.500l6 11H2zM8 6.700v3M8 11.600v.1",
  filter: "M2.500 3.500h11L9.300 8.700v4L6.700 11.300V8.700z",
  exclude: "M8 13.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM4.200 4.200l7.600 7.600",
  download: "M8 2.500v8M4.800 7.500L8 10.700l3.200-3.200M2.500 13.500h11",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.500 5.500v-3h3M10.500 2.500h3v3M13.500 10.500v3h-3M5.500 13.500h-3v-3",
  wrap: "M2.500 4h11M2.500 8h8.500a2 2 0 0 1 0 4H8M9.500 10.500L8 12l1.500 1.500M2.500 12h3",
  panel: "M2.500 3h11v10h-11zM10 3v10",
  expand: "M4.500 6L8 2.500 11.500 6M4.500 10L8 13.500l3.500-3.500",
  collapse: "M4.500 2.500L8 6l3.500-3.500M4.500 13.500L8 10l3.500 3.500",
  run: "M5 3.500l7 4.500-7 4.500z",
  history: "M2.800 8a5.300 5.300 0 1 0 1.700-3.900L2.500 6M2.500 2.800V6h3.200M8 5.300V8l1.800 1.300",
  // Kinds of spans
  server: "M8 2.500v5M5.500 5L8 7.500 10.500 5M2.500 10.500h11v3h-11z",
  client: "M8 8V2.500M5.500 5L8 2.500 10.500 5M2.500 10.500h11v3h-11z",
  producer: "M2.500 8h6.500M6.500 5.500L9 8l-2.500 2.500M12 3v10",
  consumer: "M7 8h6.500M11 5.500L13.500 8 11 10.500M4 3v10",
};

/** @param {keyof typeof PATHS} name @param {string} [title] said aloud; without it the icon is decoration */
export function icon(name, title) {
  const drawing = svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": title ? null : "true", role: title ? "img" : null });
  if (title) drawing.append(svg("title", {}, title));
  drawing.append(svg("path", { d: PATHS[name] ?? "" }));
  return drawing;
}

/** The strokes of an icon on its 16 px square, for drawings that hold several. @param {string} name */
export function pathOf(name) {
  return PATHS[name] ?? "";
}
