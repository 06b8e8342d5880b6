// SPDX-License-Identifier: Apache-2.0
// The whole orchestration in a strip: a line of pixels for each session, with a window over it as on the page of a trace.
import { duration } from "../lib/format.js";
import { attribute } from "../lib/view.js";
import { Minimap } from "../trace/minimap.js";
import { isFailure } from "./words.js";

const BAR_MAX = 6;

export class Overview extends Minimap {
  /** @param {(from: number, to: number) => void} zoom places, 0 to 1 @param {(index: number) => number} colorOf a session */
  constructor(zoom, colorOf) {
    super(zoom);
    this.colorOf = colorOf;
    this.element.classList.add("lanes-overview");
    attribute(this.element, "aria-label", "Overview of the orchestration");
  }

  /** @param {import("./orchestration.js").Orchestration} orchestration */
  show(orchestration) {
    this.orchestration = orchestration;
    this.model = { from: 0, to: orchestration.axis.length };
    this.draw();
  }

  placeWindow() {
    super.placeWindow();
    if (!this.orchestration) return;
    for (const [handle, place] of [[this.start, this.from], [this.stop, this.to]]) attribute(handle, "aria-valuetext", duration(this.orchestration.axis.time(place)));
  }

  paint() {
    const { orchestration, canvas } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!orchestration || width === 0 || height === 0) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    const token = (name) => style.getPropertyValue(name).trim();
    const colors = Array.from({ length: 12 }, (_, i) => token(`--s${i}`));
    const { answer, axis, lanes, sessions, callsOf, pathOf } = orchestration;
    const x = (time) => axis.place(time) * width;
    const pitch = height / Math.max(1, lanes.length);
    const thick = Math.max(1, Math.min(BAR_MAX, pitch * 0.7));
    context.fillStyle = token("--raised");
    for (const { from, to } of axis.breaks) context.fillRect(x(from), 0, x(to) - x(from), height);
    const error = token("--error");
    lanes.forEach((index, row) => {
      const session = sessions[index];
      const y = row * pitch + (pitch - thick) / 2;
      const color = colors[this.colorOf(index)];
      context.globalAlpha = 0.35;
      context.fillStyle = color;
      context.fillRect(x(session.from), y, Math.max(1, x(session.to) - x(session.from)), thick);
      context.globalAlpha = 1;
      let painted = -1;
      const bar = ({ from, to }, isFailed) => {
        const [left, right] = [x(from), Math.max(x(to), x(from) + 1)];
        if (right <= painted && !isFailed) return;
        painted = Math.max(painted, right);
        context.fillStyle = isFailed ? error : color;
        context.fillRect(left, y, right - left, thick);
      };
      for (const call of callsOf.get(session.sessionId) ?? []) if (!call.childSessionIds.length) bar(call, isFailure(call.outcome));
      // Of very many calls only the first are told; the path tells of some of the others.
      if (answer.truncated) for (const part of pathOf.get(session.sessionId) ?? []) if (part.class === "tool") bar(part, false);
    });
    this.placeWindow();
  }
}
