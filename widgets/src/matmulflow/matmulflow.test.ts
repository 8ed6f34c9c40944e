import { expect, it } from "vitest";
import { lit, sum, type Flow } from "./matmulflow";

const flow: Flow = {
  a: [["1", "2"]], b: [["3", "-4"], ["5", "6"]], c: [["13", "8"]], g: [["1", "10"]],
  da: [["-37", "65"]], db: [["1", "10"], ["2", "20"]], ga: null, gb: null, names: ["A", "B"],
};

it("writes the sums out, forward and back", () => {
  expect(sum(flow, { key: "c", i: 0, j: 1 })).toBe("1·(-4) + 2·6 = 8");
  expect(sum(flow, { key: "a", i: 0, j: 0 })).toBe("1·3 + 10·(-4) = -37");
  expect(sum(flow, { key: "b", i: 1, j: 1 })).toBe("2·10 = 20");
});

it("lights the row and the column of a result, and what a factor reaches", () => {
  const result = { key: "c", i: 0, j: 1 } as const;
  expect(lit(result, { key: "a", i: 0, j: 1 })).toBe(true);
  expect(lit(result, { key: "b", i: 1, j: 0 })).toBe(false);
  expect(lit({ key: "b", i: 1, j: 1 }, { key: "g", i: 0, j: 1 })).toBe(true);
  expect(lit({ key: "b", i: 1, j: 1 }, { key: "c", i: 0, j: 0 })).toBe(false);
});
