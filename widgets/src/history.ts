import { FROZEN, INF, NAN, NO_GRAD, ZERO, type Rows } from "./protocol";

/** Marks of cells that have no ordinary number. */
export const SPECIAL = NAN | INF | ZERO | NO_GRAD;

/**
 * The samples of a run: the recent past in full, the older past ever more sparsely, in at most `capacity` rows.
 * What painting needs of a row (logarithms, their range, its marks) is worked out once, when the row arrives.
 */
export class History {
  readonly parameters: number;
  readonly capacity: number;
  readonly steps: Uint32Array;
  readonly loss: Float32Array;
  readonly norms: Float32Array;
  /** log10 of the norms; -Infinity for zero, NaN for NaN. */
  readonly logs: Float32Array;
  readonly flags: Uint8Array;
  /** For each row the least and the greatest logarithm of its ordinary numbers; NaN if it has none. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  /** For each row the marks that any of its cells has. */
  readonly marks: Uint8Array;
  /** Grows whenever rows go that others of the same steps may take the place of. */
  revision = 0;
  private count = 0;

  constructor(parameters: number, capacity = 1024) {
    this.parameters = parameters;
    this.capacity = capacity;
    this.steps = new Uint32Array(capacity);
    this.loss = new Float32Array(capacity);
    this.norms = new Float32Array(capacity * parameters);
    this.logs = new Float32Array(capacity * parameters);
    this.flags = new Uint8Array(capacity * parameters);
    this.low = new Float32Array(capacity);
    this.high = new Float32Array(capacity);
    this.marks = new Uint8Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** The step of the last row, 0 if there is none. */
  get lastStep(): number {
    return this.count === 0 ? 0 : (this.steps[this.count - 1] ?? 0);
  }

  clear(): void {
    this.revision++;
    this.count = 0;
  }

  /** Take away the rows after `step`; their steps and losses. */
  cut(step: number): { steps: Uint32Array; loss: Float32Array } {
    const from = this.rowAt(step) + 1;
    const tail = { steps: this.steps.slice(from, this.count), loss: this.loss.slice(from, this.count) };
    this.revision++;
    this.count = from;
    return tail;
  }

  /** Add the rows that are newer than the last one; messages may repeat rows. */
  append(rows: Rows): void {
    const width = this.parameters;
    for (let row = 0; row < rows.steps.length; row++) {
      const step = rows.steps[row] ?? 0;
      if (step <= this.lastStep) continue;
      if (this.count === this.capacity) this.thin();
      const at = this.count++;
      this.steps[at] = step;
      this.loss[at] = rows.loss[row] ?? NaN;
      const cells = rows.norms.subarray(row * width, (row + 1) * width);
      this.norms.set(cells, at * width);
      this.flags.set(rows.flags.subarray(row * width, (row + 1) * width), at * width);
      for (let i = 0; i < width; i++) this.logs[at * width + i] = Math.log10(cells[i] ?? NaN);
      this.summarise(at);
    }
  }

  private summarise(row: number): void {
    let low = Infinity;
    let high = -Infinity;
    let marks = 0;
    for (let at = row * this.parameters; at < (row + 1) * this.parameters; at++) {
      const flag = this.flags[at] ?? 0;
      const log = this.logs[at] ?? NaN;
      marks |= flag;
      if (flag & (SPECIAL | FROZEN) || !Number.isFinite(log)) continue;
      low = Math.min(low, log);
      high = Math.max(high, log);
    }
    this.low[row] = low <= high ? low : NaN;
    this.high[row] = low <= high ? high : NaN;
    this.marks[row] = marks;
  }

  /** The row that stands for `step`: the last one taken at or before it; -1 if `step` is before the first. */
  rowAt(step: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.steps[middle] ?? 0) <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Every other row of the older three quarters goes. */
  private thin(): void {
    const older = Math.floor((this.capacity * 3) / 4);
    const width = this.parameters;
    let to = 0;
    for (let from = 0; from < this.count; from++) {
      if (from < older && from % 2 === 1) continue;
      for (const column of [this.steps, this.loss, this.low, this.high, this.marks]) column.copyWithin(to, from, from + 1);
      for (const column of [this.norms, this.logs, this.flags]) {
        column.copyWithin(to * width, from * width, (from + 1) * width);
      }
      to++;
    }
    this.count = to;
  }
}
