/** Axes: ranges of magnitudes on a logarithmic scale, and round tick marks. */

export interface LogRange {
  /** log10 of the ends. */
  low: number;
  high: number;
}

const STEPS = [0, Math.log10(2), Math.log10(5), 1];

/** Down (or up) to the next 1, 2 or 5 times a power of ten. */
function snap(log: number, up: boolean): number {
  const decade = Math.floor(log);
  const rest = log - decade;
  const slack = 1e-6;
  return decade + (up ? (STEPS.find((s) => s >= rest - slack) ?? 1) : (STEPS.findLast((s) => s <= rest + slack) ?? 0));
}

/** A range with round ends around all finite values, at least one decade wide; null if there are none. */
export function logRange(logs: Iterable<number>): LogRange | null {
  let low = Infinity;
  let high = -Infinity;
  for (const log of logs) {
    if (!Number.isFinite(log)) continue;
    if (log < low) low = log;
    if (log > high) high = log;
  }
  if (low > high) return null;
  low = snap(low, false);
  high = snap(high, true);
  if (high - low < 1) {
    const middle = (low + high) / 2;
    low = snap(middle - 0.5, false);
    high = snap(middle + 0.5, true);
  }
  return { low, high };
}

/** The whole powers of ten in a range, at most `most` of them. */
export function decades({ low, high }: LogRange, most: number): number[] {
  const first = Math.ceil(low - 1e-6);
  const last = Math.floor(high + 1e-6);
  const every = Math.max(1, Math.ceil((last - first + 1) / most));
  const marks: number[] = [];
  for (let decade = first; decade <= last; decade += every) marks.push(decade);
  return marks;
}

/** Round steps in [first, last], at most about `most` of them. */
export function ticks(first: number, last: number, most: number): number[] {
  const rough = Math.max(1, (last - first) / Math.max(1, most));
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((m) => m >= rough - 1e-9) ?? rough);
  const marks: number[] = [];
  for (let mark = Math.ceil(first / every) * every; mark <= last; mark += every) marks.push(mark);
  return marks;
}

/**
 * The last step on the axis of a run that has come to `step`: the axis doubles as the run grows, so that it is always
 * at least half full, and ends at `total` where that is known.
 */
export function axisEnd(step: number, total: number | null): number {
  let end = 32;
  while (end < step) end *= 2;
  return total !== null && total >= step && end > total ? total : end;
}
