import { describe, expect, it } from "vitest";
import { UpdateHistory } from "./updates";

function message(steps: number[], parameters: number, offset = 0): DataView {
  const rows = steps.length;
  const floats = ["weight", "update", "ratio"].flatMap((_, column) =>
    steps.flatMap((step) => Array.from({ length: parameters }, (_, i) => step * (column + 1) + i)));
  const bytes = new Uint8Array(offset + rows * (4 + 12 * parameters));
  bytes.set(new Uint8Array(Uint32Array.from(steps).buffer), offset);
  bytes.set(new Uint8Array(Float32Array.from(floats).buffer), offset + rows * 4);
  return new DataView(bytes.buffer, offset);
}

const take = (history: UpdateHistory, steps: number[], rest: Record<string, unknown> = {}, offset = 0) =>
  history.take({ rows: steps.length, all: false, ...rest }, [message(steps, history.parameters, offset)]);

describe("the history of updates", () => {
  it("takes rows from any address, each once", () => {
    const history = new UpdateHistory(2);
    take(history, [1, 5], {}, 3);
    take(history, [5, 9]);
    expect([...history.steps.subarray(0, history.length)]).toEqual([1, 5, 9]);
    expect([...history.weight.subarray(0, 6)]).toEqual([1, 2, 5, 6, 9, 10]);
    expect([...history.ratio.subarray(0, 6)]).toEqual([3, 4, 15, 16, 27, 28]);
    expect([history.rowAt(0), history.rowAt(1), history.rowAt(8), history.rowAt(99)]).toEqual([-1, 0, 1, 2]);
  });
  it("begins anew with a message that holds all", () => {
    const history = new UpdateHistory(1);
    take(history, [4, 5, 6]);
    take(history, [1, 3, 5], { all: true, dimensions: [2] });
    expect([...history.steps.subarray(0, history.length)]).toEqual([1, 3, 5]);
    expect(history.dimensions).toEqual([2]);
  });
  it("stays bounded, with the beginning and all of the end", () => {
    const history = new UpdateHistory(3, 64);
    for (let step = 1; step <= 3000; step++) take(history, [step]);
    expect(history.length).toBeLessThanOrEqual(64);
    const steps = [...history.steps.subarray(0, history.length)];
    expect(steps[0]).toBe(1);
    expect(steps.slice(-16)).toEqual(Array.from({ length: 16 }, (_, i) => 2985 + i));
    steps.forEach((step, row) => expect([...history.update.subarray(row * 3, row * 3 + 3)]).toEqual([step * 2, step * 2 + 1, step * 2 + 2]));
  });
  it("is unchanged by what it can't understand", () => {
    const history = new UpdateHistory(2);
    take(history, [1]);
    for (const [header, buffers] of [
      [{ rows: 2, all: true }, [message([1], 2)]], [{ rows: -1 }, []], [{ rows: 0.5 }, []], [{}, []], [{ rows: 1 }, []],
    ] as const) {
      expect(() => history.take(header, [...buffers])).toThrow();
    }
    expect(history.length).toBe(1);
  });
  it("takes advice that makes sense", () => {
    const history = new UpdateHistory(2);
    take(history, [1], { advice: { median: -2, rate: 0.1, wanted: 0.01, fast: [0, 7, "1"], slow: null } });
    expect(history.advice).toEqual({ median: -2, rate: 0.1, wanted: 0.01, fast: [0], slow: [] });
    take(history, [2], { advice: { median: "-2" } });
    expect(history.advice).toBeNull();
  });
});
