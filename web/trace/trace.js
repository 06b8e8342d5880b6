// SPDX-License-Identifier: Apache-2.0
import { h } from "../lib/view.js";

export function open(app) {
  app.shell.main.append(h("h1", {}, "Trace"));
  return { show() {}, close() {} };
}
