import { describe, expect, it } from "vitest";
import { at, pieces, positionOf, stepAt } from "./curve";

const CURVE = { x: [0, 1, 2, 3], y: [0, 1, null, 9], ruled: false };

describe("a sampled curve", () => {
  it("is straight between its samples", () => {
    expect(at(CURVE, 0.25)).toBeCloseTo(0.25);
    expect(at(CURVE, 1)).toBeNaN();
    expect(at(CURVE, -0.1)).toBeNaN();
  });
  it("falls into pieces where it has no value", () => {
    expect(pieces(CURVE)).toEqual([[[0, 0], [1, 1]]]);
  });
  it("has a slider of half powers of ten", () => {
    for (let position = -32; position <= 0; position++) expect(positionOf(stepAt(position))).toBe(position);
  });
});
