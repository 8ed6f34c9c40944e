import { SPECIAL } from "../history";
import { FROZEN } from "../protocol";
import type { Grid } from "./grid";

export const AXIS = 22;
export const GAP = 10; // between labels, map and values
export const RECENT = 96; // columns in the recent window
export const NARROW = 440; // px, below which the map gets all the width
export const LABEL = 12; // px, also the least height of a row with a label
const TALLEST = 7500; // px, what any browser can hold in a canvas, on a screen of double resolution too

export type Window = "all" | "recent";

/** Where things are, in CSS pixels of the plot. */
export interface Geometry {
  left: number;
  right: number;
  row: number;
  bottom: number;
  firstStep: number;
  lastStep: number;
  firstRow: number;
}

export function rowHeight(rows: number): number {
  if (rows <= 8) return 24;
  if (rows <= 16) return 19;
  if (rows <= 26) return 15;
  return Math.min(Math.max(2, Math.floor(400 / rows)), TALLEST / rows);
}

/** The columns of a map, one a CSS pixel: for each the row of the grid it shows, or -1. Bounded by pixels. */
export function columns(grid: Grid, { left, right, firstStep, lastStep, firstRow }: Geometry): Int32Array {
  const width = Math.max(1, Math.floor(right - left));
  const found = new Int32Array(width).fill(-1);
  const span = lastStep - firstStep;
  let row = firstRow;
  for (let x = 0; x < width; x++) {
    // A pixel shows the sample of the step it stands for, or the last one before it.
    const step = firstStep + Math.floor((x / width) * span) + 1;
    if (step > grid.lastStep) break;
    while (row + 1 < grid.length && (grid.steps[row + 1] ?? 0) <= step) row++;
    if ((grid.steps[row] ?? Infinity) <= step) found[x] = row;
  }
  return found;
}

/** The pixels that the sample at `row` of the grid takes up. */
export function span(grid: Grid, { left, right, firstStep, lastStep }: Geometry, row: number): [number, number] {
  const scale = (right - left) / Math.max(1, lastStep - firstStep);
  const step = grid.steps[row] ?? 0;
  const next = row + 1 < grid.length ? (grid.steps[row + 1] ?? step + 1) : step + 1;
  const x0 = Math.max(left, left + (step - 1 - firstStep) * scale);
  return [x0, Math.max(x0 + 2, Math.min(right, left + (next - 1 - firstStep) * scale))];
}

/** The step at `x`, held within the axis. */
export function stepAt({ left, right, firstStep, lastStep }: Geometry, x: number): number {
  const steps = lastStep - firstStep;
  return firstStep + Math.min(steps - 1, Math.max(0, Math.floor(((x - left) / (right - left)) * steps))) + 1;
}

/** The least and greatest logarithm among the shown parameters, from row `first` on. */
export function ends(grid: Grid, parameters: number, shown: Int32Array, first: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let row = first; row < grid.length; row++) {
    if (shown.length === parameters) {
      // What a row spans as a whole is known.
      if ((grid.low[row] ?? NaN) < low) low = grid.low[row] ?? NaN;
      if ((grid.high[row] ?? NaN) > high) high = grid.high[row] ?? NaN;
      continue;
    }
    for (const index of shown) {
      const at = row * parameters + index;
      const log = grid.logs[at] ?? NaN;
      if ((grid.flags[at] ?? 0) & (SPECIAL | FROZEN)) continue;
      if (log < low) low = log;
      if (log > high) high = log;
    }
  }
  return [low, high];
}
