// SPDX-License-Identifier: Apache-2.0

/** @param {any} app */
export function openPalette(app) {
  app.shell.confirm("Not yet");
}
