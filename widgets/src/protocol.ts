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
  /** How often the run was rewound; the branch that it is on. */
  branch: number;
  /** The learning rate; the least and the greatest where groups have several. */
  lr: number | null;
  lrRange: [number, number] | null;
  /** The norm to which gradients are clipped, and what it was before at the last sampled step. */
  clip: number | null;
  clipNorm: number | null;
}

/** Something that was changed by hand after `step`. */
export interface Change {
  step: number;
  branch: number;
  what: "lr" | "clip";
  old: number | null;
  new: number | null;
}

/** What of a run changes seldom. */
export interface Story {
  /** For each branch but the first: its parent and the step where it left it. */
  forks: Map<number, { parent: number; step: number }>;
  changes: Change[];
  snapshots: { branch: number; step: number }[];
  /** How far the run can go back: with its data, without, not at all. */
  rewind: "full" | "model" | "no";
  /** Why gradients can't be clipped. */
  clipProblem: string;
  /** What was last done or went wrong: a word and its values. */
  note: unknown[];
}

export const NO_STORY: Story = {
  forks: new Map(), changes: [], snapshots: [], rewind: "no", clipProblem: "", note: [],
};

/** Rows of samples: `norms` and `flags` hold `parameters` numbers for each row. */
export interface Rows {
  steps: Uint32Array;
  loss: Float32Array;
  norms: Float32Array;
  flags: Uint8Array;
  branches: Uint32Array;
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
    branch: value["branch"] === undefined ? 0 : count(value["branch"], "branch"),
    lr: number(value["lr"]),
    lrRange: range(value["lr_range"]),
    clip: number(value["clip"]),
    clipNorm: number(value["clip_norm"]),
  };
}

function range(value: unknown): [number, number] | null {
  const [low, high] = Array.isArray(value) ? value.map(number) : [];
  return low != null && high != null ? [low, high] : null;
}

/** The story of a message; null if it has none, so that nothing has changed. */
export function decodeStory(value: unknown): Story | null {
  if (value === undefined) return null;
  if (!isRecord(value)) throw new ProtocolError("expected a story");
  const rows = (name: string) => {
    const all = value[name];
    return Array.isArray(all) ? all.filter((row): row is unknown[] => Array.isArray(row)) : [];
  };
  const rewind = value["rewind"];
  return {
    forks: new Map(rows("forks").map(([branch, parent, step]) => [
      count(branch, "branch"), { parent: count(parent, "parent"), step: count(step, "step") },
    ])),
    changes: rows("changes").map(([step, branch, what, old, now]) => ({
      step: count(step, "step"), branch: count(branch, "branch"), what: what === "clip" ? "clip" : "lr",
      old: number(old), new: number(now),
    })),
    snapshots: rows("snapshots").map(([branch, step]) => ({ branch: count(branch, "branch"), step: count(step, "step") })),
    rewind: rewind === "full" || rewind === "model" ? rewind : "no",
    clipProblem: typeof value["clip_problem"] === "string" ? value["clip_problem"] : "",
    note: Array.isArray(value["note"]) ? value["note"] : [],
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
  const expected = rows * 12 + cells * 5;
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
    branches: new Uint32Array(next(rows * 4)),
  };
}

/** The rows for which `keep` says so. */
export function filterRows(rows: Rows, parameters: number, keep: (row: number) => boolean): Rows {
  const chosen = Array.from(rows.steps.keys()).filter(keep);
  if (chosen.length === rows.steps.length) return rows;
  const out: Rows = {
    steps: new Uint32Array(chosen.length), loss: new Float32Array(chosen.length),
    norms: new Float32Array(chosen.length * parameters), flags: new Uint8Array(chosen.length * parameters),
    branches: new Uint32Array(chosen.length),
  };
  chosen.forEach((from, to) => {
    for (const column of ["steps", "loss", "branches"] as const) out[column][to] = rows[column][from] ?? 0;
    for (const column of ["norms", "flags"] as const) {
      out[column].set(rows[column].subarray(from * parameters, (from + 1) * parameters), to * parameters);
    }
  });
  return out;
}

/** Header and rows from the value that is saved with a notebook; null if there is none. */
export function decodeFile(
  value: unknown, parameters: number,
): { header: Header; story: Story | null; rows: Rows } | null {
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
  return {
    header: decodeHeader(header),
    story: decodeStory(isRecord(header) ? header["story"] : undefined),
    rows: decodeRows(bytes.subarray(4 + length), rows, parameters),
  };
}
