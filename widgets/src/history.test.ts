import { describe, expect, it } from "vitest";
import { History } from "./history";
import type { Rows } from "./protocol";

function rows(steps: number[], parameters = 2): Rows {
  return {
    steps: Uint32Array.from(steps),
    loss: Float32Array.from(steps),
    norms: Float32Array.from(steps.flatMap((step) => Array<number>(parameters).fill(step))),
    flags: Uint8Array.from(steps.flatMap((step) => Array<number>(parameters).fill(step % 7))),
    branches: new Uint32Array(steps.length),
  };
}

describe("history", () => {
  it("keeps rows and their logarithms", () => {
    const history = new History(2);
    history.append(rows([1, 10, 100]));
    expect(history.length).toBe(3);
    expect(history.lastStep).toBe(100);
    expect([...history.logs.subarray(0, 6)]).toEqual([0, 0, 1, 1, 2, 2]);
  });
  it("takes a row once", () => {
    const history = new History(2);
    history.append(rows([1, 2, 3]));
    history.append(rows([2, 3, 4]));
    expect([...history.steps.subarray(0, history.length)]).toEqual([1, 2, 3, 4]);
  });
  it("stays bounded, with the beginning and all of the end", () => {
    const history = new History(3, 64);
    for (let step = 1; step <= 5000; step++) history.append(rows([step], 3));
    expect(history.length).toBeLessThanOrEqual(64);
    const steps = [...history.steps.subarray(0, history.length)];
    expect(steps[0]).toBe(1);
    expect(steps.at(-1)).toBe(5000);
    expect(steps.slice(-16)).toEqual(Array.from({ length: 16 }, (_, i) => 4985 + i));
    expect([...steps].sort((a, b) => a - b)).toEqual(steps);
    steps.forEach((step, row) => {
      expect(history.loss[row]).toBe(step);
      expect([...history.norms.subarray(row * 3, row * 3 + 3)]).toEqual([step, step, step]);
      expect(history.flags[row * 3]).toBe(step % 7);
    });
  });
  it("knows the range and the marks of each row", () => {
    const history = new History(4, 16);
    const row: Rows = {
      steps: Uint32Array.of(1), loss: Float32Array.of(0), norms: Float32Array.of(10, 0.1, 0, NaN), flags: Uint8Array.of(0, 0, 4, 1),
      branches: Uint32Array.of(0),
    };
    history.append(row);
    for (let step = 2; step < 40; step++) history.append({ ...row, steps: Uint32Array.of(step), flags: Uint8Array.of(8, 8, 8, 8) });
    expect([history.low[0], history.high[0], history.marks[0]]).toEqual([-1, 1, 5]);
    expect([history.low[history.length - 1], history.marks[history.length - 1]]).toEqual([NaN, 8]);
  });
  it("finds the row of a step", () => {
    const history = new History(1);
    expect(history.rowAt(5)).toBe(-1);
    history.append(rows([2, 4, 8], 1));
    expect([1, 2, 3, 4, 7, 8, 100].map((step) => history.rowAt(step))).toEqual([-1, 0, 0, 1, 1, 2, 2]);
  });
  it("can be cut after a step", () => {
    const history = new History(1);
    history.append(rows([2, 4, 8], 1));
    expect([...history.cut(5).steps]).toEqual([8]);
    history.append(rows([6], 1));
    expect([...history.steps.subarray(0, history.length)]).toEqual([2, 4, 6]);
    expect(history.cut(100).steps).toHaveLength(0);
  });
  it("can be cleared", () => {
    const history = new History(1);
    history.append(rows([2], 1));
    history.clear();
    expect([history.length, history.lastStep]).toEqual([0, 0]);
  });
});
