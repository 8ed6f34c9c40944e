import { describe, expect, it } from "vitest";
import { contour, Shade } from "./field";
import { realTicks, tickText } from "./plane";
import { FUNCTIONS, leaves, walk } from "./walk";

const ENDS = { x: [-2, 2] as [number, number], y: [-1, 3] as [number, number] };

describe("functions", () => {
  it("have the slopes that are measured", () => {
    for (const { value, slope } of Object.values(FUNCTIONS)) {
      for (const [x, y] of [[0.3, -0.7], [-1.2, 1.1], [2, 0.5]] as const) {
        const h = 1e-5;
        const [gx, gy] = slope(x, y);
        expect(gx).toBeCloseTo((value(x + h, y) - value(x - h, y)) / (2 * h), 3);
        expect(gy).toBeCloseTo((value(x, y + h) - value(x, y - h)) / (2 * h), 3);
      }
    }
  });
});

describe("optimizers", () => {
  // Where torch.optim 2.13 stands on Rosenbrock's function after 20 steps from (-1.2, 1) in float64.
  const settings = { start: [-1.2, 1] as [number, number], momentum: 0.9, steps: 20, rates: {} };
  const TORCH: [string, number, number, number][] = [
    ["sgd", 0.0015, -0.995803070728, 0.999624696161],
    ["momentum", 0.0006, -0.748748569390, 0.721578980412],
    ["nesterov", 0.0006, -0.921011187863, 0.856184596995],
    ["rmsprop", 0.01, -1.051583265320, 1.112108219746],
    ["adam", 0.05, -1.059539571418, 1.066005166999],
  ];
  for (const [key, rate, x, y] of TORCH) {
    it(`${key} goes where torch.optim goes`, () => {
      const track = walk("rosenbrock", key, { ...settings, rates: { [key]: rate } }, ENDS);
      expect(track.xs.length).toBe(21);
      expect(track.xs[20]).toBeCloseTo(x, 9);
      expect(track.ys[20]).toBeCloseTo(y, 9);
    });
  }

  it("say when they leave the picture", () => {
    const track = walk("quadratic", "sgd", { start: [0, 1], rates: { sgd: 0.2 }, momentum: 0, steps: 500 }, { x: [-4, 4], y: [-2, 2] });
    expect(track.left).toBe(1);
    expect(track.xs.length).toBeLessThan(100); // it ends where numbers end
    expect(leaves(Float64Array.of(0, 5, 0), Float64Array.of(0, 0, 0), ENDS, false)).toBeNull();
  });
});

describe("field", () => {
  it("finds the line of a level between the nodes", () => {
    const field = { size: 2, values: Float32Array.of(0, 1, 0, 1) };
    expect(contour(field, 0.25)).toEqual([0.25, 0, 0.25, 1]);
    expect(contour({ size: 2, values: Float32Array.of(0, 1, NaN, 1) }, 0.25)).toEqual([]);
  });

  it("shades from the lowest to the highest, and back", () => {
    for (const log of [false, true]) {
      const shade = new Shade(Float32Array.of(-3, NaN, 5, Infinity), log);
      expect([shade.at(-3), shade.at(5), shade.at(NaN)]).toEqual([0, 1, NaN]);
      expect(shade.value(shade.at(1))).toBeCloseTo(1, 6);
    }
    expect(new Shade(Float32Array.of(2, 2), true).at(2)).toBe(0);
  });

  it("has round ticks", () => {
    expect(realTicks(-0.31, 0.32, 6)).toEqual([-0.2, 0, 0.2]);
    expect(realTicks(1, 1, 5)).toEqual([]);
    expect([tickText(-0.5), tickText(2e-7), tickText(0)]).toEqual(["−0.5", "2e−7", "0"]);
  });
});
