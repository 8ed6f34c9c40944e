import { describe, expect, it } from "vitest";
import { axisEnd, decades, logRange, ticks } from "./scale";

const ends = (values: number[]) => {
  const range = logRange(values.map(Math.log10));
  return range && [10 ** range.low, 10 ** range.high].map((v) => Number(v.toPrecision(1)));
};

describe("ranges of magnitudes", () => {
  it("have round ends around all values", () => {
    expect(ends([0.0031, 0.42])).toEqual([0.002, 0.5]);
    expect(ends([1, 100])).toEqual([1, 100]);
  });
  it("are at least a decade wide, so that noise looks like noise", () => {
    const [low, high] = ends([0.3, 0.31]) as [number, number];
    expect(high / low).toBeGreaterThanOrEqual(10);
    expect(low).toBeLessThan(0.3);
    expect(high).toBeGreaterThan(0.31);
  });
  it("leave out zero, NaN and infinity", () => {
    expect(ends([0, 0.001, NaN, Infinity, 1])).toEqual([0.001, 1]);
    expect(ends([0, NaN])).toBeNull();
    expect(ends([])).toBeNull();
  });
  it("don't change when a value equals an end", () => {
    for (const value of [1e-7, 2e-3, 5e-2, 1, 2e8]) expect(ends([value, value * 1000])?.[0]).toBe(Number(value.toPrecision(1)));
  });
});

describe("marks", () => {
  it("are whole powers of ten", () => {
    expect(decades({ low: -3.3, high: 0.3 }, 6)).toEqual([-3, -2, -1, 0]);
    expect(decades({ low: -30, high: 0 }, 4)).toHaveLength(4);
  });
  it("are round steps", () => {
    expect(ticks(1, 100, 5)).toEqual([20, 40, 60, 80, 100]);
    expect(ticks(1, 7, 20)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(ticks(937, 1032, 4)).toEqual([950, 1000]);
    expect(ticks(5, 5, 3)).toEqual([5]);
  });
});

describe("the end of the axis", () => {
  it("doubles as the run grows", () => expect([1, 32, 33, 500].map((s) => axisEnd(s, null))).toEqual([32, 32, 64, 512]));
  it("is at most the run's length", () => {
    expect(axisEnd(20, 25)).toBe(25);
    expect(axisEnd(20, 1000)).toBe(32);
    expect(axisEnd(900, 1000)).toBe(1000);
  });
  it("is never before the step, whatever length was announced", () => expect(axisEnd(40, 10)).toBe(64));
});
