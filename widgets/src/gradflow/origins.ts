/** Where trouble begins, as in `nbtorch_widgets/flow/origins.py`, and the way back along the weakest gradients. */
import type { History } from "../history";
import { INF, NAN, NO_GRAD, ZERO } from "../protocol";
import { atVertex, FORWARD_INF, FORWARD_NAN, type Graph, type Value } from "./graph";

/** A gradient this much smaller than the one at the loss has vanished. */
const VANISHED = 1e-5;

export interface Origins {
  /** Vertices whose output isn't finite though what they were given is. */
  forward: number[];
  /** Vertices whose gradient isn't finite though those nearer to the loss are. */
  backward: number[];
  /** The vertices nearest to the loss whose gradient has vanished. */
  vanished: number[];
}

export function origins(graph: Graph, history: History, row: number): Origins {
  const count = graph.vertices.length;
  const sources: number[][] = graph.vertices.map(() => []);
  const targets: number[][] = graph.vertices.map(() => []);
  const values = graph.vertices.map((_, v) => atVertex(history, row, v));
  let strongest = 0;
  graph.edges.forEach(([source, target], edge) => {
    const value = values[source];
    if (edge < graph.measured) {
      sources[target]?.push(source);
      targets[source]?.push(target);
    } else if (graph.vertices[target]?.kind === "loss" && value && !(value.flag & (NAN | INF | NO_GRAD))) {
      strongest = Math.max(strongest, value.norm);
    }
  });
  const flag = (v: number) => values[v]?.flag ?? NO_GRAD;
  const output = values.map((value) => (value.flag & (FORWARD_NAN | FORWARD_INF)) !== 0);
  for (let v = 0; v < count; v++) {
    if (graph.vertices[v]?.kind === "join") output[v] = sources[v]?.some((s) => output[s]) ?? false;
  }
  const broken = values.map((value) => (value.flag & (NAN | INF)) !== 0);
  const ordinary = values.map((value) => (value.flag & (NAN | INF | NO_GRAD)) === 0);
  const faint = values.map((value, v) => ordinary[v] && ((flag(v) & ZERO) !== 0 || value.norm < VANISHED * strongest));
  const first = (marked: (boolean | undefined)[], before: number[][], stop = (_: number) => false) =>
    marked.flatMap((is, v) => (is && !(before[v] ?? []).some((b) => marked[b] || stop(b)) ? [v] : []));
  return {
    forward: first(output, sources),
    backward: first(broken, targets),
    vanished: first(faint, targets, (t) => !ordinary[t]),
  };
}

/** A line of the picture, as far as following gradients goes. */
export interface Step {
  from: string;
  to: string;
  value: Value;
}

/** The first of the rows up to `row` that are not finite without a break; `row` if it is finite itself. */
export function since(graph: Graph, history: History, row: number): number {
  const marks = NAN | INF | FORWARD_NAN | FORWARD_INF;
  const broken = (r: number) => graph.vertices.some((_, v) => atVertex(history, r, v).flag & marks);
  let first = row;
  if (row < 0 || !broken(row)) return row;
  while (first > 0 && broken(first - 1)) first--;
  return first;
}

/**
 * The way from `start` back that leads along the weakest gradients: of all ways to an input the one whose gradients'
 * logarithms, each taken below the strongest one's, have the least sum. Gives positions of lines, from `start` on.
 */
export function smallestPath(lines: readonly Step[], start: string): number[] {
  const arriving = new Map<string, number[]>();
  const leaving = new Map<string, number[]>();
  const names = new Set<string>([start]);
  lines.forEach(({ from, to }, index) => {
    arriving.set(to, [...(arriving.get(to) ?? []), index]);
    leaving.set(from, [...(leaving.get(from) ?? []), index]);
    names.add(from).add(to);
  });
  const logs = lines.map(({ value: { norm, flag } }) => (flag & (NAN | INF | NO_GRAD) ? null : flag & ZERO ? -50 : Math.log10(norm)));
  const strongest = Math.max(...logs.map((log) => log ?? -Infinity), -50);
  const cost = (index: number) => (logs[index] ?? strongest) - strongest;
  const best = new Map<string, { sum: number; line: number }>();
  const waiting = new Map([...names].map((name) => [name, arriving.get(name)?.length ?? 0]));
  const visit = (name: string) => {
    let [sum, line] = [0, -1];
    for (const index of arriving.get(name) ?? []) {
      const before = best.get(lines[index]?.from ?? "");
      if (before && (line < 0 || before.sum + cost(index) < sum)) [sum, line] = [before.sum + cost(index), index];
    }
    best.set(name, { sum, line });
  };
  const ready = [...names].filter((name) => waiting.get(name) === 0);
  for (;;) {
    // Where a loop over the same modules keeps all waiting, one of them has to begin.
    const name = ready.pop() ?? [...names].find((each) => !best.has(each));
    if (name === undefined) break;
    if (best.has(name)) continue;
    visit(name);
    for (const index of leaving.get(name) ?? []) {
      const to = lines[index]?.to ?? "";
      waiting.set(to, (waiting.get(to) ?? 1) - 1);
      if (waiting.get(to) === 0) ready.push(to);
    }
  }
  const path: number[] = [];
  const seen = new Set<string>();
  for (let at = start; !seen.has(at); ) {
    seen.add(at);
    const line = best.get(at)?.line ?? -1;
    if (line < 0) break;
    path.push(line);
    at = lines[line]?.from ?? at;
  }
  return path;
}
