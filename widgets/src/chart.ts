/** What charts over the steps of a run have in common: where a step stands, the axis below, the rows behind pixels. */
import * as format from "./format";
import { ticks } from "./scale";
import type { Theme } from "./theme";

/** Pixels below a chart for its axis of steps. */
export const AXIS = 22;

/** A stretch of steps between two positions in CSS pixels. `first` is the step before the first one shown. */
export interface StepScale {
  left: number;
  right: number;
  first: number;
  last: number;
}

/** Where the middle of a step's place is. */
export function stepX({ left, right, first, last }: StepScale, step: number): number {
  return left + ((step - first - 0.5) / Math.max(1, last - first)) * (right - left);
}

/** The step whose place is at `x`. */
export function stepAt({ left, right, first, last }: StepScale, x: number): number {
  return first + Math.floor(((x - left) / (right - left)) * (last - first)) + 1;
}

/** For each pixel column the row it shows, or -1: the row of the step it stands for, or the last one before it. */
export function pixelRows(scale: StepScale, steps: Uint32Array, length: number): Int32Array {
  const columns = new Int32Array(Math.max(1, Math.floor(scale.right - scale.left))).fill(-1);
  const newest = length > 0 ? (steps[length - 1] ?? 0) : 0;
  let row = 0;
  for (let x = 0; x < columns.length; x++) {
    const step = stepAt(scale, scale.left + x);
    if (step > newest) break;
    while (row + 1 < length && (steps[row + 1] ?? 0) <= step) row++;
    if ((steps[row] ?? Infinity) <= step) columns[x] = row;
  }
  return columns;
}

/** The axis of steps below a chart that ends at `bottom`. */
export function drawStepAxis(
  context: CanvasRenderingContext2D, theme: Theme, scale: StepScale, bottom: number, title: string,
): void {
  const { left, right, first, last } = scale;
  context.font = `11px ${theme.font}`;
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  context.fillStyle = theme.muted;
  for (const mark of ticks(Math.max(1, first), last, Math.max(3, Math.floor((right - left) / 80)))) {
    if (mark === 0) continue;
    const x = stepX(scale, mark);
    const text = format.count(mark);
    const { width } = context.measureText(text);
    context.fillRect(Math.round(x), bottom + 2, 1, 4);
    context.fillText(text, Math.min(Math.max(left, x - width / 2), right - width), bottom + 17);
  }
  context.textAlign = left > 40 ? "right" : "left";
  context.fillText(title, left > 40 ? left - 10 : right + 14, bottom + 17);
}

/** Move wished positions apart until neighbours are `gap` apart, within [low, high] as far as there is room. */
export function spread(wishes: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wishes.map((_, i) => i).sort((a, b) => (wishes[a] ?? 0) - (wishes[b] ?? 0) || a - b);
  const places = [...wishes];
  let least = low;
  for (const i of order) {
    places[i] = Math.max(least, places[i] ?? 0);
    least = places[i] + gap;
  }
  let most = high;
  for (const i of order.reverse()) {
    places[i] = Math.min(most, places[i] ?? 0);
    most = places[i] - gap;
  }
  return places;
}
