/** The tensors of a `TensorView` as the kernel sends them, and the pages of those that are too large to be sent whole. */
import { number, ProtocolError } from "../protocol";
import { decode, type Elements } from "./exact";
import { integer, integers, list, record, slice, text, unpack, type Json } from "./file";
import { cut, fromImage, type Sheet, type Window } from "./sheet";

export interface Stats {
  min: number;
  mean: number;
  max: number;
  nan: number;
  inf: number;
  /** Where the colours end. */
  scale: number;
}

export interface Panel {
  role: string;
  code: string;
  stats: Stats;
  /** All elements, if they are few. */
  whole: Elements | null;
  page: Page | null;
}

/** A region of a panel at one position of the sliders. */
export interface Page {
  lead: number[];
  sheet: Sheet;
}

export interface TensorData {
  name: string;
  type: string;
  dtype: string;
  shape: number[];
  strides: number[] | null;
  offset: number;
  note: string;
  facets: number;
  rows: number;
  columns: number;
  sliders: number[];
  panels: Panel[];
}

export function readTensors(value: unknown): TensorData[] {
  const file = unpack(value);
  return file ? list(file.header["tensors"]).map((tensor) => readTensor(record(tensor), file.bytes)) : [];
}

function readTensor(raw: Json, bytes: Uint8Array): TensorData {
  const [facets, rows, columns] = integers(raw["grid"], 3) as [number, number, number];
  const shape = integers(raw["shape"]);
  const tensor: TensorData = {
    name: text(raw["name"]), type: text(raw["type"]), dtype: text(raw["dtype"]), shape,
    strides: raw["strides"] == null ? null : integers(raw["strides"], shape.length, -Infinity),
    offset: integer(raw["offset"]), note: text(raw["note"]), facets, rows, columns,
    sliders: integers(raw["sliders"]), panels: [],
  };
  if (tensor.sliders.some((axis) => axis >= shape.length)) throw new ProtocolError("a slider of no axis");
  tensor.panels = list(raw["panels"]).map((panel) => readPanel(record(panel), tensor, bytes));
  return tensor;
}

function readPanel(raw: Json, tensor: TensorData, bytes: Uint8Array): Panel {
  const facts = record(raw["stats"]);
  const [min, mean, max] = ["min", "mean", "max"].map((name) => number(facts[name]) ?? NaN) as [number, number, number];
  const scale = Number.isNaN(min) ? 0 : Math.max(Math.abs(min), Math.abs(max));
  const panel: Panel = {
    role: text(raw["role"]), code: text(raw["code"]), whole: null, page: null,
    stats: { min, mean, max, nan: integer(facts["nan"]), inf: integer(facts["inf"]), scale },
  };
  const page = record(raw["page"]);
  if (page["whole"] === true) {
    panel.whole = decode(panel.code, tensor.dtype, slice(bytes, page["at"], page["bytes"]));
    const expected = tensor.shape.reduce((a, b) => a * b, 1);
    if (panel.whole.length !== expected) throw new ProtocolError(`expected ${expected} elements, got ${panel.whole.length}`);
  } else {
    panel.page = readPage(page, panel, tensor, bytes);
  }
  return panel;
}

export function readPage(raw: Json, panel: Panel, tensor: TensorData, bytes: Uint8Array): Page {
  const region = integers(raw["window"], 4) as Window;
  const [top, bottom, left, right] = region;
  if (top >= bottom || left >= right || bottom > tensor.rows || right > tensor.columns) throw new ProtocolError("a page outside");
  const block = integers(raw["block"], 2, 1) as [number, number];
  const piece = slice(bytes, raw["at"], raw["bytes"]);
  const lead = integers(raw["lead"], tensor.sliders.length);
  if (raw["image"] === true) return { lead, sheet: fromImage(piece, tensor.facets, region, block) };
  const elements = decode(panel.code, tensor.dtype, piece);
  const [rows, columns] = [bottom - top, right - left];
  if (elements.length !== tensor.facets * rows * columns) throw new ProtocolError("a page of another size");
  const at = (facet: number, row: number, column: number) => (facet * rows + row - top) * columns + column - left;
  return { lead, sheet: cut(elements, at, tensor.facets, region, panel.stats.scale, [Infinity, Infinity]) };
}

/** The part of a whole tensor at a position of its sliders. */
export function sheetOf(panel: Panel, tensor: TensorData, lead: readonly number[], region: Window, most: [number, number]): Sheet {
  if (!panel.whole) throw new ProtocolError("not whole");
  const size = tensor.rows * tensor.columns;
  let start = 0;
  tensor.sliders.forEach((axis, i) => {
    start = start * (tensor.shape[axis] ?? 1) + (lead[i] ?? 0);
  });
  const at = (facet: number, row: number, column: number) =>
    (start * tensor.facets + facet) * size + row * tensor.columns + column;
  return cut(panel.whole, at, tensor.facets, region, panel.stats.scale, most);
}

/** The full index of an element, as the user would write it. */
export function indexOf(tensor: TensorData, lead: readonly number[], facet: number, row: number, column: number): number[] {
  const { shape, sliders } = tensor;
  if (shape.length === 0) return [];
  if (shape.length === 1) return [column];
  return sliders.length === shape.length - 2 ? [...lead, row, column] : [...lead, facet, row, column];
}
