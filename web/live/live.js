// SPDX-License-Identifier: Apache-2.0
import { fill, h } from "../lib/view.js";

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  document.title = "Live · Skein";
  fill(app.shell.barStart, h("h1", {}, "Live"));
  return { show() {}, close() {} };
}
