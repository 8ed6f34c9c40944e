import { describe, expect, it } from "vitest";
import { bowl, contour, descend, gradient, loss, type Pair } from "./line";

const POINTS = { x: [1, 2, 3, 4], y: [2, 4, 6, 8.5] };

describe("the bowl of a line", () => {
  it("has its bottom where the gradient vanishes", () => {
    const { bottom, depth } = bowl(POINTS);
    const [dw, db] = gradient(POINTS, bottom);
    expect(Math.hypot(dw, db)).toBeLessThan(1e-9);
    expect(depth).toBeCloseTo(loss(POINTS, bottom), 12);
  });

  it("has contours on which the loss is the same", () => {
    const found = bowl(POINTS);
    for (const corner of contour(found, 3, 12)) expect(loss(POINTS, corner)).toBeCloseTo(found.depth + 3, 9);
  });

  it("has the gradient of finite differences", () => {
    const at: Pair = [0.5, -1], h = 1e-5;
    expect(gradient(POINTS, at)[0]).toBeCloseTo((loss(POINTS, [0.5 + h, -1]) - loss(POINTS, [0.5 - h, -1])) / (2 * h), 5);
    expect(gradient(POINTS, at)[1]).toBeCloseTo((loss(POINTS, [0.5, -1 + h]) - loss(POINTS, [0.5, -1 - h])) / (2 * h), 5);
  });

  it("is walked down by gradient descent", () => {
    const path = descend(POINTS, [0, 0], 0.05, 200);
    const { bottom } = bowl(POINTS);
    expect(path[200]?.[0]).toBeCloseTo(bottom[0], 1);
    expect(path).toHaveLength(201);
  });

  it("is a trough where all x are equal", () => {
    expect(bowl({ x: [2, 2], y: [1, 3] }).bottom).toEqual([0, 2]);
  });
});
