import type { Rows } from "./protocol";

/**
 * The samples of a run: the recent past in full, the older past ever more sparsely, in at most `capacity` rows.
 * Logarithms are taken once, when a row arrives.
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
  private count = 0;

  constructor(parameters: number, capacity = 1024) {
    this.parameters = parameters;
    this.capacity = capacity;
    this.steps = new Uint32Array(capacity);
    this.loss = new Float32Array(capacity);
    this.norms = new Float32Array(capacity * parameters);
    this.logs = new Float32Array(capacity * parameters);
    this.flags = new Uint8Array(capacity * parameters);
  }

  get length(): number {
    return this.count;
  }

  /** The step of the last row, 0 if there is none. */
  get lastStep(): number {
    return this.count === 0 ? 0 : (this.steps[this.count - 1] ?? 0);
  }

  clear(): void {
    this.count = 0;
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
    }
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
      this.steps[to] = this.steps[from] ?? 0;
      this.loss[to] = this.loss[from] ?? NaN;
      for (const column of [this.norms, this.logs, this.flags]) {
        column.copyWithin(to * width, from * width, (from + 1) * width);
      }
      to++;
    }
    this.count = to;
  }
}
