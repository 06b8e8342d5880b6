// SPDX-License-Identifier: Apache-2.0
// Where the frames of a flame graph lie: by path (spans of one path are one frame, as wide as their time) or by time (a
// span is a frame, as wide and where it ran, beside what ran at once). Pure, iterative.

/** What ran at once in more lanes than these shares the last one. */
const LANES_MAX = 2000;

/**
 * Frames: `parent` (-1 of a root), `depth` (the line), `row` that is shown for it, and `count`, `total`, `self`, `errors`.
 * `place(focus)` says from where to where each lies when `focus` takes the whole width.
 */
export class PathFrames {
  /** @param {import("./paths.js").Paths} paths @param {"total" | "self"} measure what a frame is as wide as */
  constructor(paths, measure) {
    this.paths = paths;
    this.measure = measure;
    this.size = paths.size;
    this.parent = paths.parent;
    this.depth = paths.depth;
    this.row = paths.longest;
    this.lines = paths.depth.reduce((most, depth) => Math.max(most, depth + 1), 0);
  }

  count(frame) { return this.paths.count[frame]; }
  total(frame) { return this.paths.total[frame]; }
  self(frame) { return this.paths.self[frame]; }
  errors(frame) { return this.paths.errors[frame]; }
  /** How much of all self time lies in the branch. */
  part(frame) { return this.paths.wholeAll > 0 ? this.paths.whole[frame] / this.paths.wholeAll : 0; }
  below(frame) { return this.paths.below(frame); }

  /** What a frame is as wide as, before it has to make room. */
  weight(frame) {
    return this.measure === "self" ? this.paths.whole[frame] : this.paths.total[frame];
  }

  /**
   * Left and right edges, 0 to 1, of all frames: the ancestors of `focus` are as wide as it, what is beside them has no
   * width. Children that ran side by side add up to more than their parent: they share its width.
   * @param {number} focus a frame, or -1 for all
   */
  place(focus) {
    const { size, parent, paths } = this;
    const left = new Float64Array(size);
    const right = new Float64Array(size);
    const inside = new Uint8Array(size);
    const spread = (children, from, to, whole) => {
      let sum = 0;
      for (const child of children) sum += this.weight(child);
      if (sum <= 0) return;
      const scale = (to - from) / Math.max(sum, whole);
      let at = from;
      for (const child of children) {
        left[child] = at;
        at += this.weight(child) * scale;
        right[child] = at;
      }
    };
    for (let at = focus; at >= 0; at = parent[at]) right[at] = 1;
    if (focus < 0) spread(paths.roots, 0, 1, 0);
    else inside[focus] = 1;
    for (let frame = 0; frame < size; frame++) {
      if (focus >= 0 && frame !== focus) inside[frame] = parent[frame] >= 0 ? inside[parent[frame]] : 0;
      if ((focus < 0 || inside[frame]) && paths.first[frame] >= 0) spread([...paths.below(frame)], left[frame], right[frame], this.weight(frame));
    }
    return { left, right };
  }

  /** The frame of each row of the trace. */
  frameOf(row) { return this.paths.node[row]; }
}

export class TimeFrames {
  /** @param {import("./model.js").TraceModel} model @param {Float64Array} self time of each row */
  constructor(model, self) {
    this.model = model;
    this.selves = self;
    this.size = model.count;
    this.parent = model.parent;
    this.row = Int32Array.from({ length: model.count }, (_, row) => row);
    this.depth = lanesOf(model);
    this.lines = this.depth.reduce((most, depth) => Math.max(most, depth + 1), 0);
  }

  count(frame) { return this.model.isPlaceholder(frame) ? 0 : 1; }
  total(frame) { return this.model.duration[frame]; }
  self(frame) { return this.selves[frame]; }
  errors(frame) { return this.model.status[frame] === 2 ? 1 : 0; }
  /** How much of the trace's time it takes. */
  part(frame) { return this.model.duration[frame] / (this.model.to - this.model.from); }
  frameOf(row) { return row; }

  *below(frame) {
    const { model } = this;
    const stop = frame < 0 ? model.count : model.end[frame];
    for (let row = frame + 1; row < stop; row = model.end[row]) yield row;
  }

  place(focus) {
    const { model, size } = this;
    const [from, to] = focus < 0 ? [model.from, model.to] : [model.start[focus], model.start[focus] + Math.max(1, model.duration[focus])];
    const left = new Float64Array(size);
    const right = new Float64Array(size);
    const [first, last] = focus < 0 ? [0, size] : [focus, model.end[focus]];
    for (let row = first; row < last; row++) {
      left[row] = (model.start[row] - from) / (to - from);
      right[row] = (model.start[row] + model.duration[row] - from) / (to - from);
    }
    for (let at = focus < 0 ? -1 : model.parent[focus]; at >= 0; at = model.parent[at]) right[at] = 1;
    return { left, right };
  }
}

/** A line for each row: below its parent's, the first in which nothing is running when it starts. @param {import("./model.js").TraceModel} model */
function lanesOf(model) {
  const { count, parent, start } = model;
  const begins = new Float64Array(count);
  for (let row = 0; row < count; row++) begins[row] = parent[row] < 0 ? start[row] : Math.max(start[row], begins[parent[row]]);
  // Rows are depth first, so of one moment parents come before their children.
  const order = Uint32Array.from({ length: count }, (_, row) => row).sort((a, b) => begins[a] - begins[b] || a - b);
  const lanes = new Int32Array(count);
  const busy = [];
  for (const row of order) {
    let lane = parent[row] < 0 ? 0 : lanes[parent[row]] + 1;
    const ownLimit = lane + LANES_MAX;
    while (lane < ownLimit && (busy[lane] ?? -Infinity) > begins[row]) lane++;
    lanes[row] = lane;
    busy[lane] = Math.max(busy[lane] ?? -Infinity, start[row] + model.duration[row]);
  }
  return lanes;
}
