import { describe, expect, it } from "vitest";
import { decodeFile, decodeHeader, decodeMeta, decodeRows, decodeStory, number, ProtocolError } from "./protocol";

const HEADER = { state: "running", step: 3, total: null, epoch: 1, epochs: 2, loss: "NaN", metrics: { a: 1, b: "x" }, rate: 2, seconds: 1 };

/** Rows as Python packs them: steps, losses, norms, flags. */
function packed(steps: number[], parameters: number, offset = 0): DataView {
  const rows = steps.length;
  const buffer = new ArrayBuffer(offset + rows * 12 + rows * parameters * 5);
  const view = new DataView(buffer, offset);
  steps.forEach((step, i) => view.setUint32(i * 4, step, true));
  for (let i = 0; i < rows; i++) view.setFloat32(rows * 4 + i * 4, i / 2, true);
  for (let i = 0; i < rows * parameters; i++) view.setFloat32(rows * 8 + i * 4, 10 ** -i, true);
  for (let i = 0; i < rows * parameters; i++) view.setUint8(rows * 8 + rows * parameters * 4 + i, i);
  const end = rows * 8 + rows * parameters * 5;
  for (let i = 0; i < rows; i++) view.setUint32(end + i * 4, 7 + i, true);
  return view;
}

describe("numbers", () => {
  it("has the three that JSON lacks", () => {
    expect(["NaN", "Infinity", "-Infinity", 1.5, null, "1"].map(number)).toEqual([NaN, Infinity, -Infinity, 1.5, null, null]);
  });
});

describe("headers", () => {
  it("are read, with metrics that are numbers", () => {
    const header = decodeHeader(HEADER);
    expect(header).toMatchObject({ state: "running", step: 3, total: null, epochs: 2, metrics: { a: 1 } });
    expect(header.loss).toBeNaN();
    expect(Object.keys(header.metrics)).toEqual(["a"]);
  });
  it.each([null, 3, [], { ...HEADER, state: "dancing" }, { ...HEADER, step: -1 }, { ...HEADER, step: "3" }, { ...HEADER, total: 1.5 }])(
    "refuse %j", (value) => expect(() => decodeHeader(value)).toThrow(ProtocolError),
  );
  it("have a meta with names", () => {
    expect(decodeMeta({ names: ["w", 7], loss: "cost", key: "a-1" })).toEqual({ names: ["w", "7"], lossName: "cost", key: "a-1" });
    expect(decodeMeta(null)).toEqual({ names: [], lossName: "loss", key: "" });
  });
});

describe("rows", () => {
  it.each([0, 1, 3])("are read at offset %i", (offset) => {
    const rows = decodeRows(packed([5, 9], 2, offset), 2, 2);
    expect([...rows.steps]).toEqual([5, 9]);
    expect([...rows.loss]).toEqual([0, 0.5]);
    expect([...rows.norms].map((v) => Math.log10(v)).map(Math.round)).toEqual([0, -1, -2, -3]);
    expect([...rows.flags]).toEqual([0, 1, 2, 3]);
    expect([...rows.branches]).toEqual([7, 8]);
  });
  it("may be none", () => expect(decodeRows(undefined, 0, 5).steps).toHaveLength(0));
  it("must have the size that was announced", () => {
    expect(() => decodeRows(packed([1], 2), 2, 2)).toThrow("expected 44 bytes for 2 rows, got 22");
    expect(() => decodeRows(undefined, 1, 1)).toThrow(ProtocolError);
  });
});

describe("stories", () => {
  it("are read, and may be missing", () => {
    expect(decodeStory(undefined)).toBeNull();
    const story = decodeStory({
      forks: [[1, 0, 30]], changes: [[3, 0, "lr", 0.1, 0.2], [4, 0, "clip", 1, null], 5], snapshots: [[0, 10]], rewind: "full",
    });
    expect(story?.forks.get(1)).toEqual({ parent: 0, step: 30 });
    expect(story?.changes.map((change) => [change.what, change.old, change.new])).toEqual([["lr", 0.1, 0.2], ["clip", 1, null]]);
    expect(story).toMatchObject({ snapshots: [{ branch: 0, step: 10 }], rewind: "full", note: [] });
  });
  it.each([3, null, { forks: [["a", 0, 0]] }, { snapshots: [[0, -1]] }, { changes: [[1.5, 0]] }])(
    "refuse %j", (value) => expect(() => decodeStory(value)).toThrow(ProtocolError),
  );
});

describe("saved runs", () => {
  function file(header: string, rows: DataView): DataView {
    const text = new TextEncoder().encode(header);
    const bytes = new Uint8Array(4 + text.length + rows.byteLength);
    new DataView(bytes.buffer).setUint32(0, text.length, true);
    bytes.set(text, 4);
    bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength), 4 + text.length);
    return new DataView(bytes.buffer);
  }
  it("are header and rows", () => {
    const saved = decodeFile(file(JSON.stringify({ ...HEADER, rows: 2 }), packed([1, 2], 3)), 3);
    expect(saved?.header.step).toBe(3);
    expect([...(saved?.rows.steps ?? [])]).toEqual([1, 2]);
  });
  it("may be missing", () => {
    expect(decodeFile(undefined, 3)).toBeNull();
    expect(decodeFile(new DataView(new ArrayBuffer(0)), 3)).toBeNull();
  });
  it("may be broken", () => expect(() => decodeFile(file("{", packed([1], 1)), 1)).toThrow(ProtocolError));
});
