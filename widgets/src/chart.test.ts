import { describe, expect, it } from "vitest";
import { pixelRows, spread, stepAt, stepX } from "./chart";

describe("charts over steps", () => {
  const scale = { left: 10, right: 110, first: 0, last: 100 };
  it("have a place for each step", () => {
    for (const step of [1, 37, 100]) expect(stepAt(scale, stepX(scale, step))).toBe(step);
  });
  it("show in each pixel the last row at or before it", () => {
    const rows = pixelRows({ ...scale, last: 10 }, Uint32Array.from([2, 5, 9, 0]), 3);
    expect(rows).toHaveLength(100);
    expect([rows[0], rows[10], rows[39], rows[40], rows[89], rows[90]]).toEqual([-1, 0, 0, 1, 2, -1]);
    expect([...new Set(pixelRows(scale, new Uint32Array(0), 0))]).toEqual([-1]);
  });
  it("have labels that don't overlap", () => {
    expect(spread([50, 50, 50], 10, 0, 100)).toEqual([50, 60, 70]);
    expect(spread([95, 99, 5], 10, 0, 100)).toEqual([90, 100, 5]);
    expect(spread([], 10, 0, 100)).toEqual([]);
  });
});
