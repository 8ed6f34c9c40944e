import { describe, expect, it } from "vitest";
import { History } from "../history";
import { NAN, NO_GRAD } from "../protocol";
import { buildTree, combine, decodeGraph, FORWARD_NAN, openAtFirst, type Graph, type Kind } from "./graph";
import { origins, since, smallestPath, type Step } from "./origins";
import { pointAt } from "./paint";
import { depths, place, rounded, type Box } from "./place";

type Spec = [kind: Kind, path: string, label: string];

function graphOf(vertices: Spec[], edges: [number, number][], ends: [number, number][] = []): Graph {
  return decodeGraph({
    vertices: vertices.map(([k, p, t]) => ({ k, p, t, s: "", n: 1, i: 1, w: [] })),
    edges: [...edges, ...ends].flat(), measured: edges.length, groups: { block: "Block" },
  });
}

/** Input, stem, a block of two layers with a connection around them, head, loss. */
function residual(): Graph {
  return graphOf(
    [["input", "", "input"], ["loss", "", "loss"], ["module", "stem", "Linear"], ["module", "block.0", "Linear"],
      ["module", "block.1", "ReLU"], ["join", "block", "+"], ["module", "head", "Linear"]],
    [[2, 3], [3, 4], [4, 5], [2, 5], [5, 6]], [[0, 2], [6, 1]],
  );
}

function history(graph: Graph, norms: number[][], flags: number[][] = []): History {
  const width = graph.vertices.length + graph.measured;
  const all = new History(width);
  const fill = (rows: number[][]) => rows.flatMap((row) => Array.from({ length: width }, (_, k) => row[k] ?? 0));
  all.append({
    steps: Uint32Array.from(norms, (_, k) => k + 1), loss: new Float32Array(norms.length),
    norms: Float32Array.from(fill(norms)), flags: Uint8Array.from(fill(norms.map((_, k) => flags[k] ?? []))),
    branches: new Uint32Array(norms.length),
  });
  return all;
}

const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe("the graph", () => {
  it("refuses what isn't one", () => {
    const good = { vertices: [{ k: "input" }, { k: "loss" }], edges: [0, 1], measured: 0, groups: {} };
    expect(decodeGraph(good).edges).toEqual([[0, 1]]);
    for (const bad of [null, {}, { ...good, edges: [0, 7] }, { ...good, edges: [0] }, { ...good, measured: 5 }, { ...good, vertices: [{ k: "?" }] }]) {
      expect(() => decodeGraph(bad)).toThrow();
    }
  });

  it("opens groups as long as few boxes show", () => {
    const root = buildTree(residual());
    expect(root.children.map((item) => item.id)).toEqual(["v0", "v1", "v2", "g:block", "v6"]);
    expect([...openAtFirst(root, 10)]).toEqual(["g:block"]);
    expect([...openAtFirst(root, 6)]).toEqual([]);
  });

  it("takes several values as one", () => {
    expect(combine([{ norm: 1, flag: 0 }, { norm: 3, flag: 0 }, { norm: 9, flag: NO_GRAD }])).toEqual({ norm: 3, flag: 0 });
    expect(combine([{ norm: 1, flag: 0 }, { norm: 0, flag: NAN }]).flag).toBe(NAN);
    expect(combine([]).flag).toBe(NO_GRAD);
  });
});

describe("places", () => {
  it.each([1000, 300, 120])("keeps boxes apart and in reading order at %i pixels", (width) => {
    const graph = residual();
    const picture = place(graph, buildTree(graph), new Set(["g:block"]), width);
    expect(picture.boxes.length).toBe(7);
    picture.boxes.forEach((a, i) => picture.boxes.slice(i + 1).forEach((b) => expect(overlap(a, b)).toBe(false)));
    const [frame] = picture.frames;
    for (const box of picture.boxes.filter((each) => each.item.id === "v3" || each.item.kind === "join")) {
      expect(frame && overlap(frame, box)).toBe(true);
    }
    for (const line of picture.lines) for (const [x, y] of line.points) expect(Number.isFinite(x + y)).toBe(true);
  });

  it("draws one line between closed groups", () => {
    const graph = residual();
    const picture = place(graph, buildTree(graph), new Set(), 1000);
    expect(picture.boxes.map((box) => box.item.id)).toEqual(["v0", "v1", "v2", "g:block", "v6"]);
    const line = picture.lines.find(({ to }) => picture.boxes[to]?.item.kind === "group");
    expect(line?.edges).toEqual([0, 3]);
    expect(depths(picture)).toEqual([4, 0, 3, 2, 1]);
  });

  it("survives loops, one vertex and none", () => {
    const loop = graphOf([["input", "", "in"], ["loss", "", "l"], ["module", "a", "A"], ["module", "b", "B"]], [[2, 3], [3, 2]], [[0, 2], [3, 1]]);
    const picture = place(loop, buildTree(loop), new Set(), 500);
    expect(picture.lines.length).toBe(4);
    expect(depths(picture).length).toBe(4);
    expect(place(graphOf([], []), buildTree(graphOf([], [])), new Set(), 500).boxes).toEqual([]);
  });

  it("places 500 vertices quickly", () => {
    const vertices: Spec[] = [["input", "", "input"], ["loss", "", "loss"]];
    const edges: [number, number][] = [];
    for (let k = 2; k < 502; k++) {
      vertices.push(["module", `stage${k >> 6}.block${k >> 3}.layer${k}`, "Linear"]);
      if (k > 2) edges.push([k - 1, k]);
      if (k > 10 && k % 8 < 5) edges.push([k - 8, k]);
    }
    const graph = graphOf(vertices, edges);
    const root = buildTree(graph);
    const began = performance.now();
    const picture = place(graph, root, openAtFirst(root, 1000), 1000);
    expect(performance.now() - began).toBeLessThan(500);
    expect(picture.boxes.length).toBe(502);
  });

  it("rounds corners and finds points along lines", () => {
    const line = rounded([[0, 0], [10, 0], [20, 0], [20, 20], [20, 20]]);
    expect(line[0]).toEqual([0, 0]);
    expect(line[line.length - 1]).toEqual([20, 20]);
    expect(pointAt([[0, 0], [10, 0], [10, 10]], 0.75)).toEqual([10, 5]);
  });
});

describe("trouble", () => {
  it("begins where the forward or the backward pass first has it", () => {
    const graph = residual();
    const ones = Array(12).fill(1) as number[];
    const forward = history(graph, [ones], [[0, 0, 0, 0, FORWARD_NAN | NAN, 0, FORWARD_NAN | NAN]]);
    expect(origins(graph, forward, 0).forward).toEqual([4]);
    const backward = history(graph, [ones], [[0, 0, NAN, NAN, 0, 0, 0]]);
    expect(origins(graph, backward, 0)).toMatchObject({ forward: [], backward: [3] });
    const vanished = history(graph, [[0, 0, 1e-9, 1e-8, 1, 1, 1]], [[NO_GRAD, NO_GRAD]]);
    expect(origins(graph, vanished, 0).vanished).toEqual([3]);
  });

  it("is dated to its first step", () => {
    const graph = residual();
    const ones = Array(12).fill(1) as number[];
    const all = history(graph, [ones, ones, ones], [[], [0, 0, 0, NAN], [0, 0, NAN, NAN]]);
    expect([0, 1, 2].map((row) => since(graph, all, row))).toEqual([0, 1, 1]);
  });
});

it("the weakest path goes through what is weak, not around it", () => {
  const step = (from: string, to: string, norm: number): Step => ({ from, to, value: { norm, flag: 0 } });
  const lines = [step("in", "stem", 1), step("stem", "f", 1e-3), step("f", "+", 1), step("stem", "+", 1), step("+", "loss", 1)];
  expect(smallestPath(lines, "loss")).toEqual([4, 2, 1, 0]);
  expect(smallestPath([step("a", "b", 1), step("b", "a", 1)], "b").length).toBeLessThan(3);
  expect(smallestPath([], "loss")).toEqual([]);
});
