// SPDX-License-Identifier: Apache-2.0
import { fill, h } from "../lib/view.js";

/** @param {any} app @param {import("../lib/url.js").View} view */
export function open(app, view) {
  document.title = "Compare · Skein";
  fill(app.shell.barStart, h("h1", {}, "Compare"));
  return { show() {}, close() {} };
}
