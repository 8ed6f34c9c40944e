import { History, SPECIAL } from "../history";
import { FROZEN, INF, NAN, NO_GRAD, ZERO } from "../protocol";
import type { UpdateHistory } from "../updates";

/** What a map can show of a parameter at a step. */
export type Quantity = "gradient" | "weight" | "update";

/** Norms by step and parameter, as `History` keeps those of gradients. */
export type Grid = Pick<
  History, "length" | "lastStep" | "steps" | "norms" | "logs" | "flags" | "low" | "high" | "marks" | "rowAt" | "revision"
>;

/** The norms of weights or of their updates in the form of `Grid`; brought up to date by `sync`. */
export class NormGrid implements Grid {
  readonly logs: Float32Array;
  readonly flags: Uint8Array;
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly marks: Uint8Array;
  revision = 0;
  private ready = 0;

  /** `isFrozen` says which parameters aren't trained: that nothing is known of their update is in order. */
  constructor(
    private readonly source: UpdateHistory,
    private readonly quantity: "weight" | "update",
    private readonly isFrozen: (parameter: number) => boolean,
  ) {
    const { capacity, parameters } = source;
    this.logs = new Float32Array(capacity * parameters);
    this.flags = new Uint8Array(capacity * parameters);
    this.low = new Float32Array(capacity);
    this.high = new Float32Array(capacity);
    this.marks = new Uint8Array(capacity);
  }

  get length(): number {
    return this.source.length;
  }

  get lastStep(): number {
    return this.source.lastStep;
  }

  get steps(): Uint32Array {
    return this.source.steps;
  }

  get norms(): Float32Array {
    return this.source[this.quantity];
  }

  rowAt(step: number): number {
    return this.source.rowAt(step);
  }

  private knownLast = 0;
  private knownFirst = 0;

  /** Work out what isn't yet: the new rows, or all of them if older ones have moved. */
  sync(): void {
    const { length, steps, parameters } = this.source;
    const same = this.ready > 0 && this.ready <= length && steps[this.ready - 1] === this.knownLast && steps[0] === this.knownFirst;
    if (!same) this.revision++;
    for (let row = same ? this.ready : 0; row < length; row++) this.summarise(row, parameters);
    this.ready = length;
    this.knownLast = this.lastStep;
    this.knownFirst = steps[0] ?? 0;
  }

  private summarise(row: number, parameters: number): void {
    let low = Infinity;
    let high = -Infinity;
    let marks = 0;
    for (let i = 0; i < parameters; i++) {
      const at = row * parameters + i;
      const norm = this.norms[at] ?? NaN;
      let flag = norm !== norm ? NAN : norm === 0 ? ZERO : Number.isFinite(norm) ? 0 : INF;
      if (this.quantity === "update" && flag & (NAN | ZERO) && this.isFrozen(i)) flag = NO_GRAD | FROZEN;
      const log = Math.log10(norm);
      this.flags[at] = flag;
      this.logs[at] = log;
      marks |= flag;
      if (flag & SPECIAL) continue;
      low = Math.min(low, log);
      high = Math.max(high, log);
    }
    this.low[row] = low <= high ? low : NaN;
    this.high[row] = low <= high ? high : NaN;
    this.marks[row] = marks;
  }
}
