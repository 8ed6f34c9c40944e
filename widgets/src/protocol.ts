/** The wire, as `nbtorch_widgets/protocol.py` describes it: headers are JSON, rows of samples are columns in a buffer. */

export const NAN = 1;
export const INF = 2;
export const ZERO = 4;
export const NO_GRAD = 8;
export const FROZEN = 16;

export type State =
  | "ready" | "running" | "paused" | "stopping"
  | "finished" | "stopped" | "left" | "interrupted" | "failed";

const STATES: readonly string[] = [
  "ready", "running", "paused", "stopping", "finished", "stopped", "left", "interrupted", "failed",
];

/** Counters of a run. */
export interface Header {
  state: State;
  step: number;
  total: number | null;
  epoch: number;
  epochs: number | null;
  loss: number | null;
  metrics: Record<string, number>;
  rate: number | null;
  seconds: number;
}

/** Rows of samples: `norms` and `flags` hold `parameters` numbers for each row. */
export interface Rows {
  steps: Uint32Array;
  loss: Float32Array;
  norms: Float32Array;
  flags: Uint8Array;
}

export interface Meta {
  names: string[];
  lossName: string;
  /** What tells this run from every other one in the page. */
  key: string;
}

export type Buffer = DataView | ArrayBuffer | Uint8Array;

export class ProtocolError extends Error {}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A number as the wire carries it: JSON's own, or one of the three that JSON lacks as a string. */
export function number(value: unknown): number | null {
  if (typeof value === "number") return value;
  if (value === "NaN") return NaN;
  if (value === "Infinity") return Infinity;
  if (value === "-Infinity") return -Infinity;
  return null;
}

function count(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw new ProtocolError(`expected ${name} to be a count, got ${String(value)}`);
}

export function decodeMeta(value: unknown): Meta {
  const meta = isRecord(value) ? value : {};
  return {
    names: Array.isArray(meta["names"]) ? meta["names"].map(String) : [],
    lossName: typeof meta["loss"] === "string" ? meta["loss"] : "loss",
    key: typeof meta["key"] === "string" ? meta["key"] : "",
  };
}

export function decodeHeader(value: unknown): Header {
  if (!isRecord(value)) throw new ProtocolError("expected a header");
  const state = String(value["state"]);
  if (!STATES.includes(state)) throw new ProtocolError(`unknown state ${state}`);
  const metrics: Record<string, number> = {};
  if (isRecord(value["metrics"])) {
    for (const [name, raw] of Object.entries(value["metrics"])) {
      const measured = number(raw);
      if (measured !== null) metrics[name] = measured;
    }
  }
  return {
    state: state as State,
    step: count(value["step"], "step"),
    total: value["total"] == null ? null : count(value["total"], "total"),
    epoch: count(value["epoch"], "epoch"),
    epochs: value["epochs"] == null ? null : count(value["epochs"], "epochs"),
    loss: number(value["loss"]),
    metrics,
    rate: number(value["rate"]),
    seconds: number(value["seconds"]) ?? 0,
  };
}

export function bytesOf(buffer: Buffer): Uint8Array {
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}

/** The rows in a buffer. The buffer may start at any address, so the columns are copied to aligned ones. */
export function decodeRows(buffer: Buffer | undefined, rows: number, parameters: number): Rows {
  const cells = rows * parameters;
  const expected = rows * 8 + cells * 5;
  const bytes = buffer === undefined ? new Uint8Array(0) : bytesOf(buffer);
  if (bytes.byteLength !== expected) {
    throw new ProtocolError(`expected ${expected} bytes for ${rows} rows, got ${bytes.byteLength}`);
  }
  let at = 0;
  const next = (length: number) => bytes.slice(at, (at += length)).buffer;
  return {
    steps: new Uint32Array(next(rows * 4)),
    loss: new Float32Array(next(rows * 4)),
    norms: new Float32Array(next(cells * 4)),
    flags: new Uint8Array(next(cells)),
  };
}

/** Header and rows from the value that is saved with a notebook; null if there is none. */
export function decodeFile(value: unknown, parameters: number): { header: Header; rows: Rows } | null {
  if (!(value instanceof DataView || value instanceof ArrayBuffer || value instanceof Uint8Array)) return null;
  const bytes = bytesOf(value);
  if (bytes.byteLength < 4) return null;
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new ProtocolError("the saved run's header is not JSON");
  }
  const rows = isRecord(header) ? count(header["rows"], "rows") : 0;
  return { header: decodeHeader(header), rows: decodeRows(bytes.subarray(4 + length), rows, parameters) };
}
