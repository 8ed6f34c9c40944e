import { describe, expect, it } from "vitest";
import { CLIP_SCALE, rateScale } from "./slider";
import { bands } from "./timeline";

describe("learning rates on a slider", () => {
  const scale = rateScale(0.1);
  it("go from a thousandth to a hundredfold of the first", () => {
    expect([0, 60, 100].map((at) => scale.value(at))).toEqual([0.0001, 0.1, 10]);
  });
  it("rise with the position, in numbers of two digits", () => {
    const values = Array.from({ length: 101 }, (_, at) => scale.value(at));
    values.forEach((value, at) => {
      if (at > 0) expect(value).toBeGreaterThan(values[at - 1] ?? 0);
      expect(Math.abs(scale.position(value) - at)).toBeLessThanOrEqual(1);
    });
  });
  it("stay on the slider wherever a scheduler brings them", () => {
    expect([1e-12, 1e12, 0, NaN, Infinity].map((rate) => scale.position(rate))).toEqual([0, 100, 0, 0, 100]);
  });
  it("give the first one back exactly", () => expect(rateScale(0.012345).value(60)).toBe(0.012345));
});

describe("norms on a slider", () => {
  it("are off at first, then ever tighter", () => {
    expect([0, 1, 21, 41].map((at) => CLIP_SCALE.value(at))).toEqual([null, 100, 1, 0.01]);
    expect([null, 100, 1, 0.01, 1e9, 1e-9].map((norm) => CLIP_SCALE.position(norm))).toEqual([0, 1, 21, 41, 1, 41]);
  });
});

describe("a curve", () => {
  it("has the least and the greatest value of each pixel column", () => {
    expect(bands([0, 1, 5, 10], [3, 9, NaN, 4], 4, 10, 3)).toEqual([[3, 9], null, [4, 4]]);
  });
  it("doesn't take more than its width", () => {
    const steps = Array.from({ length: 1000 }, (_, i) => i);
    expect(bands(steps, steps, 1000, 999, 10)).toHaveLength(10);
  });
});
