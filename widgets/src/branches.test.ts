import { describe, expect, it } from "vitest";
import { lineage, split } from "./branches";
import type { Rows } from "./protocol";

const forks = new Map([[1, { parent: 0, step: 4 }], [2, { parent: 1, step: 6 }], [3, { parent: 0, step: 2 }]]);

function rows(pairs: [number, number][]): Rows {
  return {
    branches: Uint32Array.from(pairs.map(([branch]) => branch)), steps: Uint32Array.from(pairs.map(([, step]) => step)),
    loss: Float32Array.from(pairs.map(([branch, step]) => branch * 100 + step)),
    norms: new Float32Array(pairs.length), flags: new Uint8Array(pairs.length),
  };
}

describe("branches", () => {
  it("have a way that leads to them", () => {
    expect([...lineage(forks, 2)]).toEqual([[2, Infinity], [1, 6], [0, 4]]);
    expect([...lineage(forks, 3)]).toEqual([[3, Infinity], [0, 2]]);
    expect([...lineage(forks, 9)]).toEqual([[9, Infinity]]);
  });
  it("end even if they go round in a circle", () => {
    const circle = new Map([[1, { parent: 2, step: 1 }], [2, { parent: 1, step: 1 }]]);
    expect(lineage(circle, 1).size).toBe(2);
  });
  it("are told apart", () => {
    const { own, ghosts } = split(rows([[0, 2], [0, 4], [0, 6], [1, 5], [1, 8], [2, 7]]), 1, lineage(forks, 2));
    expect([...own.steps]).toEqual([2, 4, 5, 7]);
    expect([...own.loss]).toEqual([2, 4, 105, 207]);
    expect(ghosts.map(({ branch, steps, loss }) => [branch, [...steps], [...loss]])).toEqual([[0, [6], [6]], [1, [8], [108]]]);
  });
});
