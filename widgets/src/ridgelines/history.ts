import { bytesOf, isRecord, ProtocolError, type Buffer } from "../protocol";

export const BINS = 64;
export const KINDS = ["gradients", "weights", "activations"] as const;
export type Kind = (typeof KINDS)[number];

/** The histograms of all T tensors at one step. */
export interface Row {
  step: number;
  /** [T * 64] */
  counts: Uint32Array;
  /** [T * 2] the least and the greatest finite value; NaN if there is none, or the tensor wasn't measured. */
  ranges: Float32Array;
  /** [T] how many values aren't finite. */
  odd: Uint32Array;
}

/** The units of a layer. */
export interface Units {
  kind: "dead" | "saturated";
  bad: number;
  total: number;
  /** Of all outputs. */
  share: number;
  /** For each unit shown the share of its outputs that are zero or saturated; 255 for all. */
  map: Uint8Array;
}

/** What the feed "histograms" brings, bounded: `HistogramsFeed` in `histograms.py` describes the messages. */
export class HistogramHistory {
  show: Kind = "gradients";
  names: readonly string[] = [];
  /** The class of each layer there is to pick from, by its name. */
  layers: ReadonlyMap<string, string> = new Map();
  rows: Row[] = [];
  /** By position of the tensor. */
  units = new Map<number, Units>();

  constructor(readonly capacity = 128) {}

  /** Take a message; throws, and changes nothing, if it can't be understood. */
  take(header: Record<string, unknown>, buffers: Buffer[]): void {
    const show = KINDS.find((kind) => kind === header["show"]);
    const { names, rows: count, layers, units } = header;
    if (!show || !Array.isArray(names) || !names.every((name) => typeof name === "string")) {
      throw new ProtocolError("expected the names of the histograms");
    }
    const all = header["all"] === true;
    if (!all && (show !== this.show || names.join("\n") !== this.names.join("\n"))) {
      throw new ProtocolError("these histograms are of other tensors");
    }
    const tensors = names.length;
    const rows = Number(count);
    const counted = (Array.isArray(units) ? units : []).filter(isRecord);
    const bytes = buffers[0] === undefined ? new Uint8Array(0) : bytesOf(buffers[0]);
    const maps = counted.reduce((sum, unit) => sum + Number(unit["shown"]), 0);
    const expected = rows * (4 + tensors * (BINS * 4 + 12)) + maps;
    if (!Number.isInteger(rows) || rows < 0 || bytes.byteLength !== expected) {
      throw new ProtocolError(`expected ${expected} bytes of histograms, got ${bytes.byteLength}`);
    }
    let at = 0;
    const next = (length: number) => bytes.slice(at, (at += length)).buffer;
    const steps = new Uint32Array(next(rows * 4));
    const counts = new Uint32Array(next(rows * tensors * BINS * 4));
    const ranges = new Float32Array(next(rows * tensors * 8));
    const odd = new Uint32Array(next(rows * tensors * 4));
    if (all) {
      this.rows = [];
      this.show = show;
      this.names = names as string[];
      if (Array.isArray(layers)) {
        this.layers = new Map(layers.filter(Array.isArray).map(([name, type]) => [String(name), String(type)]));
      }
    }
    for (let row = 0; row < rows; row++) {
      const step = steps[row] ?? 0;
      if (step <= (this.rows.at(-1)?.step ?? 0)) continue;
      if (this.rows.length >= this.capacity) {
        const older = Math.floor((this.capacity * 3) / 4);
        this.rows = this.rows.filter((_, i) => i >= older || i % 2 === 0);
      }
      this.rows.push({
        step,
        counts: counts.slice(row * tensors * BINS, (row + 1) * tensors * BINS),
        ranges: ranges.slice(row * tensors * 2, (row + 1) * tensors * 2),
        odd: odd.slice(row * tensors, (row + 1) * tensors),
      });
    }
    this.units = new Map(counted.map((unit) => [Number(unit["of"]), {
      kind: unit["kind"] === "dead" ? "dead" as const : "saturated" as const,
      bad: Number(unit["bad"]), total: Number(unit["total"]), share: Number(unit["share"]),
      map: new Uint8Array(next(Number(unit["shown"]))),
    }]));
  }

  /** The rows in which tensor `index` has finite values, at most `most` of them, evenly chosen, the newest among them. */
  ridges(index: number, most: number): Row[] {
    const known = this.rows.filter((row) => !Number.isNaN(row.ranges[index * 2] ?? NaN));
    if (known.length <= most) return known;
    return Array.from({ length: most }, (_, i) => known[Math.round((i * (known.length - 1)) / (most - 1))] as Row);
  }

  /** The newest row at or before `step` in which the tensor has finite values. */
  at(index: number, step: number): Row | null {
    return this.rows.findLast((row) => row.step <= step && !Number.isNaN(row.ranges[index * 2] ?? NaN)) ?? null;
  }
}

/** A facet's axis: where values lie between 0 and 1. */
export class ValueScale {
  private readonly from: number;
  private readonly to: number;

  /** With `symlog`, logarithmic away from zero: linear within a thousandth of the greatest magnitude. */
  constructor(readonly low: number, readonly high: number, private readonly symlog: boolean) {
    this.linear = Math.max(Math.abs(low), Math.abs(high)) / 1000;
    this.from = this.bend(low);
    this.to = this.bend(high);
  }

  private readonly linear: number;

  private bend(value: number): number {
    if (!this.symlog || this.linear === 0) return value;
    return Math.sign(value) * Math.log1p(Math.abs(value) / this.linear);
  }

  place(value: number): number {
    return this.to > this.from ? (this.bend(value) - this.from) / (this.to - this.from) : 0.5;
  }
}
