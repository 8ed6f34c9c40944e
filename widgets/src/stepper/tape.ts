/** The tape as the kernel sends it (`encode.py`): read once, checked, and turned into steps. */
import { measure } from "../format";

/** An array; of a large one `data` is a thumbnail, whose shape is `shown`. */
export interface Values {
  data: Float64Array;
  shape: readonly number[];
  shown: readonly number[];
  min: number;
  max: number;
  mean: number;
}

export interface TapeNode {
  name: string;
  op: string;
  kind: "leaf" | "op" | "cut";
  x: number;
  y: number;
  value: Values | null;
  formula: string;
  numbers: string;
  edit: boolean;
  inputs: readonly number[];
  constants: readonly (Values | null)[];
}

export interface Pass {
  target: number;
  local: Values | null;
  symbols: string;
  numbers: string;
  product: Values;
  before: Values | null;
  after: Values;
  note: string;
}

export interface Visit {
  node: number;
  incoming: Values | null;
  passes: readonly Pass[];
}

export interface Walk {
  visits: readonly Visit[];
  totals: readonly (Values | null)[];
  wrong: ReadonlySet<number>;
}

export interface Check {
  element: number;
  state: "agrees" | "differs" | "kink";
  slope: number;
  gradient: number;
}

export type Variant = "right" | "order" | "assign" | "both";

export interface Edge {
  source: number;
  node: number;
  points: readonly number[];
}

export interface Tape {
  editable: boolean;
  reason: string;
  /** Whether visiting in no topological order goes wrong on this graph. */
  unordered: boolean;
  /** Whether a learner's class writes `=` where it should add. */
  overwrites: boolean;
  width: number;
  height: number;
  box: readonly [number, number];
  nodes: readonly TapeNode[];
  edges: readonly Edge[];
  walks: Readonly<Record<Variant, Walk>>;
  checks: ReadonlyMap<number, Check>;
  forward: readonly number[];
}

export type Step =
  | { phase: "start" }
  | { phase: "forward"; node: number }
  | { phase: "seed" }
  | { phase: "backward"; visit: number }
  | { phase: "end" };

type Json = Record<string, unknown>;

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error("a list is missing from the tape");
  return value;
}

function finite(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error("a number is missing from the tape");
  return value;
}

const text = (value: unknown) => (typeof value === "string" ? value : "");

function readArrays(table: unknown, buffer: DataView): Values[] {
  return list(table).map((entry) => {
    const [at, count, size, shape, shown] = list(entry);
    const start = finite(at);
    const length = finite(count);
    const bytes = size === 4 ? 4 : 8;
    if (start < 0 || length < 0 || start + 24 + length * bytes > buffer.byteLength) throw new Error("the tape's numbers are cut off");
    const data = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const place = start + 24 + i * bytes;
      data[i] = bytes === 4 ? buffer.getFloat32(place, true) : buffer.getFloat64(place, true);
    }
    return {
      data, shape: list(shape).map(finite), shown: list(shown).map(finite),
      min: buffer.getFloat64(start, true), max: buffer.getFloat64(start + 8, true), mean: buffer.getFloat64(start + 16, true),
    };
  });
}

/** Read a tape. Throws where it isn't one. */
export function readTape(raw: unknown, buffer: DataView): Tape {
  const tree = (raw ?? {}) as Json;
  if (tree["v"] !== 1) throw new Error("not a tape of this version");
  const arrays = readArrays(tree["arrays"], buffer);
  const array = (at: unknown) => (typeof at === "number" && at >= 0 ? (arrays[at] ?? null) : null);
  const needed = (at: unknown) => {
    const found = array(at);
    if (!found) throw new Error("numbers are missing from the tape");
    return found;
  };
  const count = list(tree["nodes"]).length;
  const place = (value: unknown) => {
    const index = finite(value);
    if (!Number.isInteger(index) || index < 0 || index >= count) throw new Error("the tape names a node that isn't there");
    return index;
  };
  const nodes = list(tree["nodes"]).map((entry): TapeNode => {
    const node = entry as Json;
    const kind = node["kind"];
    return {
      name: text(node["name"]), op: text(node["op"]), kind: kind === "leaf" || kind === "cut" ? kind : "op",
      x: finite(node["x"]), y: finite(node["y"]), value: array(node["value"]),
      formula: text(node["formula"]), numbers: text(node["numbers"]), edit: node["edit"] === true,
      inputs: list(node["inputs"]).map(finite), constants: list(node["constants"]).map(array),
    };
  });
  const walk = (entry: unknown): Walk => {
    const { visits, totals, wrong } = (entry ?? {}) as Json;
    return {
      visits: list(visits).map((v): Visit => {
        const visit = v as Json;
        return {
          node: place(visit["node"]), incoming: array(visit["incoming"]),
          passes: list(visit["passes"]).map((p): Pass => {
            const pass = p as Json;
            return {
              target: place(pass["target"]), local: array(pass["local"]), symbols: text(pass["symbols"]),
              numbers: text(pass["numbers"]), product: needed(pass["product"]), before: array(pass["before"]),
              after: needed(pass["after"]), note: text(pass["note"]),
            };
          }),
        };
      }),
      totals: list(totals).map(array), wrong: new Set(list(wrong).map(place)),
    };
  };
  const walks = (tree["walks"] ?? {}) as Json;
  const size = list(tree["size"]).map(finite);
  const checks = new Map(list(tree["checks"]).map((entry): [number, Check] => {
    const check = entry as Json;
    const state = check["state"];
    return [place(check["node"]), {
      element: finite(check["element"]), state: state === "agrees" || state === "kink" ? state : "differs",
      slope: needed(check["slope"]).data[0] ?? NaN, gradient: needed(check["gradient"]).data[0] ?? NaN,
    }];
  }));
  return {
    editable: tree["editable"] === true, reason: text(tree["reason"]), unordered: tree["unordered"] === true,
    overwrites: tree["overwrites"] === true, width: size[0] ?? 1, height: size[1] ?? 1, box: [size[2] ?? 116, size[3] ?? 44],
    nodes,
    edges: list(tree["edges"]).map((entry): Edge => {
      const [source, node, points] = list(entry);
      return { source: place(source), node: place(node), points: list(points).map(finite) };
    }),
    walks: { right: walk(walks["right"]), order: walk(walks["order"]), assign: walk(walks["assign"]), both: walk(walks["both"]) },
    checks,
    forward: nodes.flatMap((node, index) => (node.kind === "op" ? [index] : [])),
  };
}

/** The steps of the walk: the leaves, each operation forward, the 1 at the loss, each operation backward, the end. */
export function stepsOf(tape: Tape, variant: Variant): Step[] {
  return [
    { phase: "start" },
    ...tape.forward.map((node): Step => ({ phase: "forward", node })),
    { phase: "seed" },
    ...tape.walks[variant].visits.map((_, visit): Step => ({ phase: "backward", visit })),
    { phase: "end" },
  ];
}

/** What is known after a step: which values, and the gradients so far. */
export interface Known {
  values: ReadonlySet<number>;
  totals: ReadonlyMap<number, Values>;
  /** For lines (input and node) what went over them. */
  products: ReadonlyMap<string, Values>;
}

export const edgeKey = (source: number, node: number) => `${source} ${node}`;

export function knownAfter(tape: Tape, variant: Variant, steps: readonly Step[], position: number): Known {
  const values = new Set(tape.nodes.flatMap((node, index) => (node.kind === "op" ? [] : [index])));
  const totals = new Map<number, Values>();
  const products = new Map<string, Values>();
  const walk = tape.walks[variant];
  for (const step of steps.slice(0, position + 1)) {
    if (step.phase === "forward") values.add(step.node);
    const last = tape.nodes.length - 1;
    const one = walk.totals[last];
    if (step.phase === "seed" && one) totals.set(last, one);
    const visit = step.phase === "backward" ? walk.visits[step.visit] : undefined;
    for (const pass of visit?.passes ?? []) {
      totals.set(pass.target, pass.after);
      products.set(edgeKey(pass.target, visit?.node ?? -1), pass.product);
    }
  }
  return { values, totals, products };
}

/** The number of an array of one element, else null. */
export function scalar(values: Values | null | undefined): number | null {
  return values && values.data.length === 1 && values.shape.every((n) => n === 1) ? (values.data[0] ?? null) : null;
}

/** Whether the array is here in full, not as a thumbnail. */
export function isFull(values: Values): boolean {
  return values.data.length === values.shape.reduce((a, b) => a * b, 1);
}

/** The Euclidean norm, of a thumbnail an estimate. */
export function norm(values: Values): number {
  const count = values.shape.reduce((a, b) => a * b, 1);
  let sum = 0;
  for (const v of values.data) sum += v * v;
  return Math.sqrt((sum * count) / Math.max(1, values.data.length));
}

/** The place of an element, counted through the flattened array, as indices. */
export function indices(shape: readonly number[], element: number): number[] {
  const result: number[] = [];
  let rest = element;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis] || 1;
    result.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return result;
}

/** A number without zeros that say nothing: 4 significant digits, or `digits`. */
export function say(value: number, digits = 4): string {
  return measure(value, digits).replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "");
}
