// SPDX-License-Identifier: Apache-2.0
// When the events of the rows in view happened: the skeleton only counts them, so they are asked for when scrolling rests.
import { nanos } from "../lib/format.js";
import { debounce } from "../lib/view.js";

const REST_MILLIS = 250;
/** Rows asked for at once; a screen holds about forty. */
const ROWS_MAX = 60;

export class Moments {
  /** @param {import("./span-store.js").SpanStore} spans @param {import("./waterfall.js").Waterfall} waterfall */
  constructor(spans, waterfall) {
    this.spans = spans;
    this.waterfall = waterfall;
    this.look = debounce(() => this.ask(), REST_MILLIS);
  }

  async ask() {
    const { spans, waterfall } = this;
    const { model, outline, moments, element } = waterfall;
    if (!model || !element.isConnected) return;
    const rows = [...waterfall.rowsInView].filter((row) => model.events[row] > 0 && outline.closedAt(row) < 0 && !moments.has(row)).slice(0, ROWS_MAX);
    if (!rows.length) return;
    // Ticks are no more than an addition: a failure is told where the span's details are asked for.
    await spans.want(rows).catch(() => {});
    if (waterfall.model !== model) return;
    for (const row of rows) this.keep(row, spans.known(row)?.span);
  }

  /** @param {number} row @param {any} span OTLP JSON */
  keep(row, span) {
    const at = (span?.events ?? []).map((event) => Number(nanos(event.timeUnixNano) - this.spans.traceStart));
    this.waterfall.setMoments(row, at);
  }

  close() {
    this.look.cancel();
  }
}
