// SPDX-License-Identifier: Apache-2.0
// Where a duration stands among others: a histogram of bands a quarter of a doubling wide, and what it says. Pure.

const BARS_MAX = 56;

/**
 * The bands of a heatmap, over all its moments, shortest first.
 * @param {{ durationFloorsNanos: string[], cells: number[][] }} heatmap
 * @returns {{ floor: number, ceiling: number, spans: number, errors: number }[]}
 */
export function bandsOf({ durationFloorsNanos, cells }) {
  const bands = durationFloorsNanos.map((text) => ({ floor: Number(text), ceiling: ceilingOf(Number(text)), spans: 0, errors: 0 }));
  for (const [, band, spans, errors] of cells) {
    if (!bands[band]) continue;
    bands[band].spans += spans;
    bands[band].errors += errors;
  }
  return bands.filter(({ spans }) => spans > 0).sort((a, b) => a.floor - b.floor);
}

function ceilingOf(floor) {
  return floor < 4 ? floor + 1 : floor + 2 ** Math.floor(Math.log2(floor)) / 4;
}

/** How many spans the bands hold. */
export function sizeOf(bands) {
  return bands.reduce((sum, { spans }) => sum + spans, 0);
}

/** The part of all spans that is shorter, as far as bands can tell: 0 to 1. @param {number} duration nanoseconds */
export function rankOf(bands, duration) {
  let below = 0;
  for (const { floor, ceiling, spans } of bands) {
    if (ceiling <= duration) below += spans;
    else if (floor < duration) below += (spans * (duration - floor)) / (ceiling - floor);
  }
  return below / Math.max(1, sizeOf(bands));
}

/** The duration that a part of the spans stays below. @param {number} part 0 to 1 */
export function quantileOf(bands, part) {
  let wanted = part * sizeOf(bands);
  for (const { floor, ceiling, spans } of bands) {
    if (wanted <= spans) return floor + ((ceiling - floor) * wanted) / spans;
    wanted -= spans;
  }
  return bands.at(-1)?.ceiling ?? 0;
}

/** "p98", "p99.7"; never p0 nor p100: a span is one of those it is compared with. @param {number} rank 0 to 1 */
export function percentileName(rank) {
  const percent = rank * 100;
  if (percent >= 99) return `p${Math.min(99.9, Math.floor(percent * 10 + 1e-9) / 10)}`;
  return `p${Math.max(1, Math.floor(percent + 1e-9))}`;
}

/**
 * Bars of equal width on a logarithmic scale, at most some fifty of them, that hold all bands and the duration.
 * @returns {{ from: number, to: number, bars: { floor: number, ceiling: number, spans: number, errors: number }[], place: (duration: number) => number }}
 *   `place` is where a duration stands from left (0) to right (1)
 */
export function histogramOf(bands, duration) {
  const step = (nanos) => Math.log2(Math.max(1, nanos)) * 4;
  let low = Math.floor(Math.min(step(duration), step(bands[0]?.floor ?? duration)) + 1e-9);
  let high = Math.ceil(Math.max(step(duration), step(bands.at(-1)?.ceiling ?? duration)) - 1e-9);
  // A lone band would be a wall: give it room.
  low -= Math.max(1, Math.floor((16 - (high - low)) / 2));
  low = Math.max(0, low);
  high = Math.max(high + 1, low + 16);
  const width = Math.max(1, Math.ceil((high - low) / BARS_MAX));
  const size = Math.ceil((high - low) / width);
  const bars = Array.from({ length: size }, (_, i) => ({ floor: 2 ** ((low + i * width) / 4), ceiling: 2 ** ((low + (i + 1) * width) / 4), spans: 0, errors: 0 }));
  for (const band of bands) {
    const bar = bars[Math.max(0, Math.min(size - 1, Math.floor((step(Math.sqrt(Math.max(1, band.floor) * band.ceiling)) - low) / width)))];
    bar.spans += band.spans;
    bar.errors += band.errors;
  }
  const whole = size * width;
  return { from: bars[0].floor, to: bars[size - 1].ceiling, bars, place: (nanos) => Math.max(0, Math.min(1, (step(nanos) - low) / whole)) };
}
