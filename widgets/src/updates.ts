import { isRecord, ProtocolError, bytesOf, type Buffer } from "./protocol";

/** What the newest ratios say; `Advice` in `updates.py`. */
export interface Advice {
  /** log10 of the ratio, the median over the parameters. */
  median: number;
  rate: number | null;
  /** The learning rate that would bring the median to the guide. */
  wanted: number | null;
  fast: number[];
  slow: number[];
}

type Column = "weight" | "update" | "ratio";

const COLUMNS: readonly Column[] = ["weight", "update", "ratio"];

/**
 * Norms of the weights and of their changes, by step: what the feed "updates" brings. Bounded as `History` is: the
 * recent past in full, the older past ever more sparsely. NaN where a number isn't known.
 *
 *     const updates = new UpdateHistory(store.meta.names.length);
 *     store.feed("updates", (header, buffers) => updates.take(header, buffers));
 *     store.want("updates", true);
 */
export class UpdateHistory {
  readonly steps: Uint32Array;
  /** The L2 norm of each parameter after the step: row times `parameters` plus parameter. */
  readonly weight: Float32Array;
  /** The L2 norm of what the step changed. */
  readonly update: Float32Array;
  /** The standard deviation of the change over that of the weights before it. */
  readonly ratio: Float32Array;
  /** Dimensions of each parameter; empty while unknown. */
  dimensions: readonly number[] = [];
  advice: Advice | null = null;
  private count = 0;

  constructor(readonly parameters: number, readonly capacity = 1024) {
    this.steps = new Uint32Array(capacity);
    this.weight = new Float32Array(capacity * parameters);
    this.update = new Float32Array(capacity * parameters);
    this.ratio = new Float32Array(capacity * parameters);
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

  /** Take a message of the feed; throws, and changes nothing, if it can't be understood. */
  take(header: Record<string, unknown>, buffers: Buffer[]): void {
    const rows = Number(header["rows"]);
    const bytes = buffers[0] === undefined ? new Uint8Array(0) : bytesOf(buffers[0]);
    const expected = rows * (4 + 12 * this.parameters);
    if (!Number.isInteger(rows) || rows < 0 || bytes.byteLength !== expected) {
      throw new ProtocolError(`expected ${expected} bytes for ${rows} rows of updates, got ${bytes.byteLength}`);
    }
    // The buffer may start at any address, so the columns are copied to aligned ones.
    let at = 0;
    const next = (length: number) => bytes.slice(at, (at += length)).buffer;
    const steps = new Uint32Array(next(rows * 4));
    const columns = COLUMNS.map((name) => [this[name], new Float32Array(next(rows * this.parameters * 4))] as const);
    if (header["all"] === true) this.clear();
    for (let row = 0; row < rows; row++) {
      const step = steps[row] ?? 0;
      if (step <= this.lastStep) continue;
      if (this.count === this.capacity) this.thin();
      const to = this.count++;
      this.steps[to] = step;
      for (const [column, cells] of columns) {
        column.set(cells.subarray(row * this.parameters, (row + 1) * this.parameters), to * this.parameters);
      }
    }
    const { dimensions, advice } = header;
    if (Array.isArray(dimensions) && dimensions.length === this.parameters) this.dimensions = dimensions.map(Number);
    this.advice = decodeAdvice(advice, this.parameters);
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
      this.steps.copyWithin(to, from, from + 1);
      for (const name of COLUMNS) this[name].copyWithin(to * width, from * width, (from + 1) * width);
      to++;
    }
    this.count = to;
  }
}

function decodeAdvice(value: unknown, parameters: number): Advice | null {
  if (!isRecord(value)) return null;
  const { median, rate, wanted } = value;
  if (typeof median !== "number" || !Number.isFinite(median)) return null;
  const positive = (x: unknown) => (typeof x === "number" && Number.isFinite(x) && x > 0 ? x : null);
  const indices = (list: unknown) => (Array.isArray(list) ? list : []).filter(
    (index): index is number => Number.isInteger(index) && index >= 0 && index < parameters,
  );
  return {
    median, rate: positive(rate), wanted: positive(wanted), fast: indices(value["fast"]), slow: indices(value["slow"]),
  };
}
