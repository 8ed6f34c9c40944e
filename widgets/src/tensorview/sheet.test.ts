import { describe, expect, it } from "vitest";
import { INF, NAN, ZERO } from "../protocol";
import { source, unravel } from "./board";
import { decode } from "./exact";
import { arrange } from "./grid";
import { cellsOf, cut, fromImage } from "./sheet";
import { elementsOf } from "./tape";
import { plain, shortText } from "./view";

const elements = (values: number[]) => decode("f8", "float64", new Uint8Array(new Float64Array(values).buffer));

describe("blocks", () => {
  it("show the element farthest from zero, and what is broken in them", () => {
    const sheet = cut(elements([1, -4, 0, 0, 2, NaN, 0, Infinity]), (_, r, c) => r * 4 + c, 1, [0, 2, 0, 4], 4, [1, 2]);
    expect(sheet.block).toEqual([2, 2]);
    expect([...sheet.levels]).toEqual([-1, 0]);
    expect([...sheet.flags]).toEqual([NAN, INF]);
    expect(sheet.exact).toBeNull();
  });
  it("are elements where there is room, each with its place", () => {
    const sheet = cut(elements([0, 1, 2, 3, 4, 5]), (_, r, c) => r * 3 + c, 1, [1, 2, 1, 3], 5, [9, 9]);
    expect([sheet.exact?.at(0), sheet.exact?.at(1)]).toEqual([4, 5]);
  });
  it("come from an image of three bytes each", () => {
    const sheet = fromImage(new Uint8Array([1, 128, 255, 128, 0, INF]), 1, [0, 10, 0, 20], [10, 10]);
    expect([...sheet.levels].map((level) => Number(level.toFixed(2)))).toEqual([1, 0]);
    expect([...sheet.flags]).toEqual([0, INF | ZERO]);
    expect(() => fromImage(new Uint8Array(5), 1, [0, 10, 0, 20], [10, 10])).toThrow("expected 6 bytes");
  });
});

describe("a layout", () => {
  const cells = (facets: number, rows: number, columns: number) => cellsOf([], facets, rows, columns, 1);
  it.each([[1, 5, 8, 280], [3, 5, 5, 280], [16, 16, 16, 1000], [1, 1, 900, 260], [1, 400, 3, 400], [12, 1, 20, 500]])(
    "of %i grids of %i × %i stays within %i px", (facets, rows, columns, room) => {
      const geometry = arrange(cells(facets, rows, columns), room, 5, 20, 15);
      expect(geometry.width).toBeLessThanOrEqual(room + 1);
      expect(geometry.height).toBeLessThan(1200);
    });
});

describe("memory", () => {
  it("gives each element its cell", () => {
    expect([...elementsOf([4, 3], [1, 4], 0).offsets]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect([...elementsOf([2, 2], [0, 1], 3).offsets]).toEqual([3, 4, 3, 4]);
    expect([...elementsOf([3], [-2], 9).offsets]).toEqual([9, 7, 5]);
    expect(elementsOf([], [], 7)).toEqual({ size: [1, 1, 1], offsets: new Int32Array([7]), indices: [[]] });
  });
  it("finds the operand's cell of a cell of the result", () => {
    expect(source([1, 2, 3], [3, 1])).toBe(2);
    expect(source([1, 2], [])).toBe(0);
    expect(unravel(23, [2, 3, 4])).toEqual([1, 2, 3]);
  });
});

it("prints numbers that fit a cell", () => {
  expect([0.0691, -2.125, 12.345, 1e-7, 123456.7].map((x) => shortText(x, String(x)))).toEqual(["0.069", "−2.13", "12.3", "1e−7", "1.2e5"]);
  expect([3, 0.5, 1.2e-9].map((x) => plain(x))).toEqual(["3", "0.5", "1.2e−9"]);
});
