// SPDX-License-Identifier: Apache-2.0
// Server-Sent Events out of text as it comes, in pieces cut anywhere (WHATWG HTML §9.2.6). Pure.

/** An event longer than this is given up: it is none of ours. */
const LENGTH_MAX = 4_000_000;

export class EventStream {
  /** @param {(name: string, data: string) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.name = "";
    this.data = [];
  }

  /** @param {string} text */
  push(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    if (this.rest.length > LENGTH_MAX) throw new Error("The stream holds an event that does not end.");
    for (const line of lines) this.line(line);
  }

  line(line) {
    if (line === "") {
      if (this.data.length) this.onEvent(this.name || "message", this.data.join("\n"));
      this.name = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "data") this.data.push(value);
  }
}
