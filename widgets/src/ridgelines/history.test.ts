import { describe, expect, it } from "vitest";
import { BINS, HistogramHistory, ValueScale } from "./history";

/** A message of rows in which bin 0 of every tensor counts the step. */
function message(steps: number[], names: string[], rest: Record<string, unknown> = {}, maps: number[] = []): [Record<string, unknown>, DataView[]] {
  const tensors = names.length;
  const counts = steps.flatMap((step) => names.flatMap(() => [step, ...Array<number>(BINS - 1).fill(0)]));
  const ranges = steps.flatMap((step) => names.flatMap((_, i) => (i === 1 ? [NaN, NaN] : [-step, step])));
  const parts = [Uint32Array.from(steps), Uint32Array.from(counts), Float32Array.from(ranges), new Uint32Array(steps.length * tensors), Uint8Array.from(maps)];
  const bytes = parts.flatMap((part) => [...new Uint8Array(part.buffer)]);
  return [{ show: "weights", names, rows: steps.length, all: true, units: [], ...rest }, [new DataView(Uint8Array.from([0, ...bytes]).buffer, 1)]];
}

describe("the history of histograms", () => {
  it("takes all, then what is new", () => {
    const history = new HistogramHistory();
    history.take(...message([1, 4], ["a", "b"], { layers: [["0", "Tanh"], 3] }));
    history.take(...message([4, 9], ["a", "b"], { all: false }));
    expect(history.rows.map((row) => row.step)).toEqual([1, 4, 9]);
    expect(history.rows[2]?.counts[BINS]).toBe(9);
    expect([...history.layers]).toEqual([["0", "Tanh"]]);
    expect(history.at(0, 8)?.step).toBe(4);
    expect(history.at(1, 8)).toBeNull();
    expect(history.ridges(0, 2).map((row) => row.step)).toEqual([1, 9]);
  });
  it("reads the maps of units behind the rows", () => {
    const history = new HistogramHistory();
    const units = [{ of: 0, kind: "dead", bad: 1, total: 2, share: 0.5, shown: 2 }, { of: 1, kind: "saturated", bad: 0, total: 1, share: 0, shown: 1 }];
    history.take(...message([1], ["a", "b"], { show: "activations", units }, [255, 0, 7]));
    expect(history.units.get(0)).toEqual({ kind: "dead", bad: 1, total: 2, share: 0.5, map: Uint8Array.from([255, 0]) });
    expect([...history.units.get(1)?.map ?? []]).toEqual([7]);
  });
  it("is unchanged by what it can't understand", () => {
    const history = new HistogramHistory();
    history.take(...message([1], ["a"]));
    const [header, buffers] = message([2], ["a"], { all: false });
    for (const wrong of [{ show: "x" }, { names: "a" }, { names: ["b"] }, { rows: 2 }, { rows: -1 }, { units: [{ shown: 5 }] }]) {
      expect(() => history.take({ ...header, ...wrong }, buffers)).toThrow();
    }
    expect(() => history.take(header, [])).toThrow();
    expect(history.rows).toHaveLength(1);
  });
  it("stays bounded", () => {
    const history = new HistogramHistory(16);
    for (let step = 1; step < 100; step++) history.take(...message([step], ["a"], { all: step === 1 }));
    expect(history.rows.length).toBeLessThanOrEqual(16);
    expect([history.rows[0]?.step, history.rows.at(-1)?.step]).toEqual([1, 99]);
  });
});

describe("a facet's axis", () => {
  it("goes from end to end, linear or bent", () => {
    for (const symlog of [false, true]) {
      const scale = new ValueScale(-1, 3, symlog);
      expect([scale.place(-1), scale.place(3)]).toEqual([0, 1]);
      expect(scale.place(0.01)).toBeGreaterThan(scale.place(0));
    }
    expect(new ValueScale(-1, 1, true).place(0)).toBe(0.5);
    expect(new ValueScale(0, 1, true).place(0.03)).toBeGreaterThan(0.4);
    expect(new ValueScale(0, 0, true).place(0)).toBe(0.5);
  });
});
