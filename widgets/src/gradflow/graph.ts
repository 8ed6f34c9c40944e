/** The graph as `nbtorch_widgets/flow/graph.py` sends it, and what of it is shown while groups of modules are open or closed. */
import { History } from "../history";
import { INF, NAN, NO_GRAD, ProtocolError, ZERO } from "../protocol";

export type Kind = "module" | "join" | "parameter" | "input" | "loss";
const KINDS: readonly string[] = ["module", "join", "parameter", "input", "loss"];

export const FORWARD_NAN = 32;
export const FORWARD_INF = 64;

export interface Vertex {
  kind: Kind;
  /** The module's path; a join's is that of the module it lies in. */
  path: string;
  /** The module's class, or a join's sign. */
  label: string;
  shape: string;
  calls: number;
  /** Which call of a module that its container calls several times. */
  ordinal: number;
  /** Positions of its parameters among the run's. */
  parameters: number[];
}

export interface Graph {
  vertices: Vertex[];
  /** From the forward pass's earlier vertex to its later one. */
  edges: [number, number][];
  /** So many of the edges, the first, have a column in the history. */
  measured: number;
  /** Class names of modules that are drawn around others, by path. */
  groups: Map<string, string>;
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new ProtocolError(`expected ${name} to be a list`);
  return value;
}

export function decodeGraph(value: unknown): Graph {
  const raw = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const vertices = list(raw["vertices"], "vertices").map((each): Vertex => {
    const v = (each ?? {}) as Record<string, unknown>;
    const kind = String(v["k"]);
    if (!KINDS.includes(kind)) throw new ProtocolError(`unknown kind of vertex ${kind}`);
    return {
      kind: kind as Kind, path: String(v["p"] ?? ""), label: String(v["t"] ?? ""), shape: String(v["s"] ?? ""),
      calls: Number(v["n"]) || 0, ordinal: Number(v["i"]) || 1,
      parameters: list(v["w"] ?? [], "parameters").map(Number),
    };
  });
  const ends = list(raw["edges"], "edges").map(Number);
  if (ends.length % 2 || ends.some((e) => !Number.isInteger(e) || e < 0 || e >= vertices.length)) {
    throw new ProtocolError("an edge leads to no vertex");
  }
  const edges: [number, number][] = [];
  for (let i = 0; i < ends.length; i += 2) edges.push([ends[i] ?? 0, ends[i + 1] ?? 0]);
  const measured = Number(raw["measured"]);
  if (!Number.isInteger(measured) || measured < 0 || measured > edges.length) throw new ProtocolError("expected a count of edges");
  const groups = new Map(Object.entries((raw["groups"] ?? {}) as Record<string, unknown>).map(([k, v]) => [k, String(v)]));
  return { vertices, edges, measured, groups };
}

/** A box, or the frame around open ones. */
export interface Item {
  /** "v7" for vertex 7, "g:layer1" for a group. */
  id: string;
  kind: Kind | "group";
  path: string;
  /** What stands in large letters, and below it. */
  title: string;
  detail: string;
  /** The vertices in it. */
  members: number[];
  children: Item[];
  parent: Item | null;
}

/** All items: the root (never shown itself), with the groups in it. */
export function buildTree(graph: Graph): Item {
  const root: Item = { id: "g:", kind: "group", path: "", title: "", detail: "", members: [], children: [], parent: null };
  const groups = new Map<string, Item>([["", root]]);
  const groupAt = (path: string): Item => {
    const known = groups.get(path);
    if (known) return known;
    const cut = path.lastIndexOf(".");
    const parent = groupAt(cut < 0 ? "" : path.slice(0, cut));
    const group: Item = {
      id: `g:${path}`, kind: "group", path, title: path.slice(cut + 1), detail: graph.groups.get(path) ?? "",
      members: [], children: [], parent,
    };
    groups.set(path, group);
    parent.children.push(group);
    return group;
  };
  graph.vertices.forEach((vertex, v) => {
    const { kind, path, label } = vertex;
    const cut = path.lastIndexOf(".");
    const parent = groupAt(kind === "join" ? path : cut < 0 ? "" : path.slice(0, cut));
    const last = path.slice(cut + 1);
    const plain = kind !== "module" && kind !== "parameter";
    const numbered = /^\d+$/.test(last) && label !== "";
    const again = vertex.ordinal > 1 ? ` (${vertex.ordinal})` : "";
    const item: Item = {
      id: `v${v}`, kind, path, title: (plain || numbered ? label : last || label) + again,
      detail: plain ? "" : numbered ? last : last ? label : "", members: [v], children: [], parent,
    };
    parent.children.push(item);
    for (let at: Item | null = parent; at; at = at.parent) at.members.push(v);
  });
  return root;
}

/** The groups that are open at first: level by level, as long as at most `most` boxes show. */
export function openAtFirst(root: Item, most: number): Set<string> {
  const open = new Set<string>();
  let level = root.children;
  let shown = level.length;
  for (;;) {
    const groups = level.filter((item) => item.kind === "group");
    const inside = groups.flatMap((group) => group.children);
    shown += inside.length - groups.length;
    if (!groups.length || shown > most) return open;
    for (const group of groups) open.add(group.id);
    level = inside;
  }
}

/** What is known of a box or a line at one step. */
export interface Value {
  norm: number;
  flag: number;
}

const NOTHING: Value = { norm: 0, flag: NO_GRAD };

/** Several values as one: broken if one is; else the greatest. */
export function combine(values: readonly Value[]): Value {
  let norm = -1;
  let broken = 0;
  let forward = 0;
  for (const { norm: each, flag } of values) {
    forward |= flag & (FORWARD_NAN | FORWARD_INF);
    broken |= flag & (NAN | INF);
    if (!(flag & (NAN | INF | NO_GRAD))) norm = Math.max(norm, each);
  }
  if (broken) return { norm: broken & NAN ? NaN : Infinity, flag: broken | forward };
  if (norm < 0) return { norm: 0, flag: (values[0]?.flag ?? NO_GRAD) | forward };
  return { norm, flag: (norm === 0 ? ZERO : 0) | forward };
}

/** The value of a vertex in a row of the history. */
export function atVertex(history: History, row: number, vertex: number): Value {
  if (row < 0) return NOTHING;
  const at = row * history.parameters + vertex;
  return { norm: history.norms[at] ?? 0, flag: history.flags[at] ?? NO_GRAD };
}

/** The value of an edge; those from the input and to the loss have that of their start. */
export function onEdge(graph: Graph, history: History, row: number, edge: number): Value {
  const source = graph.edges[edge]?.[0] ?? 0;
  return atVertex(history, row, edge < graph.measured ? graph.vertices.length + edge : source);
}

/** log10 of a value that has one, else null. */
export function logOf({ norm, flag }: Value): number | null {
  return flag & (NAN | INF | NO_GRAD | ZERO) || !(norm > 0) ? null : Math.log10(norm);
}
