// SPDX-License-Identifier: Apache-2.0
// The pictures above the results: heatmap and strip of services. Told of every question, they ask when its results are here.
import { Heatmap } from "./heatmap.js";
import { RedStrip } from "./red-strip.js";

export class Pictures {
  /**
   * @param {any} app @param {Element} heatmapPlace @param {Element} stripPlace
   * @param {ConstructorParameters<typeof Heatmap>[1]} page
   */
  constructor(app, heatmapPlace, stripPlace, page) {
    this.heatmap = new Heatmap(app, page);
    this.strip = new RedStrip(app, page.ask);
    heatmapPlace.replaceChildren(this.heatmap.element);
    stripPlace.replaceChildren(this.strip.element);
  }

  /** Another question: what was asked for the one before is not wanted any more. */
  show(question) {
    this.heatmap.show(question);
    this.strip.show(question);
  }

  draw() {
    this.heatmap.load();
    this.strip.load();
  }

  focus() {
    this.heatmap.focus();
  }

  zoneChanged() {
    this.heatmap.zoneChanged();
  }

  close() {
    this.heatmap.close();
    this.strip.close();
  }
}
