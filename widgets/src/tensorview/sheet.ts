/** What of a tensor is on the screen: grids of cells, each an element or a block of elements. */
import { INF, NAN, ProtocolError, ZERO } from "../protocol";
import type { Elements } from "./exact";

/** Rows from, to, columns from, to. */
export type Window = [number, number, number, number];

/** `levels` are fractions of the scale, -1 to 1; a block's is that of its element farthest from zero. */
export interface Cells {
  facets: number;
  rows: number;
  columns: number;
  levels: Float32Array;
  flags: Uint8Array;
}

export interface Sheet extends Cells {
  window: Window;
  block: [number, number];
  /** Of blocks: the least and the greatest level. */
  least: Float32Array | null;
  /** The element in a cell, if a cell is one. */
  exact: { elements: Elements; at(cell: number): number } | null;
}

/** Not a cell at all. */
export const VOID = 128;

export function levelOf(value: number, scale: number): number {
  return scale > 0 && Number.isFinite(value) ? Math.max(-1, Math.min(1, value / scale)) : 0;
}

export function flagOf(value: number): number {
  return Number.isNaN(value) ? NAN : !Number.isFinite(value) ? INF : value === 0 ? ZERO : 0;
}

/** The flags and levels of numbers that are all shown. */
export function cellsOf(values: ArrayLike<number>, facets: number, rows: number, columns: number, scale: number): Cells {
  const count = facets * rows * columns;
  const levels = new Float32Array(count);
  const flags = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const value = values[i] ?? NaN;
    levels[i] = Number.isFinite(value) ? levelOf(value, scale) : Math.sign(value) || 0;
    flags[i] = flagOf(value);
  }
  return { facets, rows, columns, levels, flags };
}

/** The size of blocks so that `size` of them are at most `most`. */
export function blockSize(size: number, most: number): number {
  return Math.max(1, Math.ceil(size / Math.max(1, most)));
}

/** Grids cut from `elements`: `at(facet, row, column)` is the place of an element, `window` the region shown. */
export function cut(
  elements: Elements, at: (facet: number, row: number, column: number) => number, facets: number, window: Window,
  scale: number, most: [number, number],
): Sheet {
  const [top, bottom, left, right] = window;
  const block: [number, number] = [blockSize(bottom - top, most[0]), blockSize(right - left, most[1])];
  const [rows, columns] = [Math.ceil((bottom - top) / block[0]), Math.ceil((right - left) / block[1])];
  const count = facets * rows * columns;
  const single = block[0] === 1 && block[1] === 1;
  const levels = new Float32Array(count);
  const least = single ? null : new Float32Array(count);
  const flags = new Uint8Array(count);
  let cell = 0;
  for (let facet = 0; facet < facets; facet++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, cell++) {
        let [low, high, seen, zeros] = [Infinity, -Infinity, 0, true];
        const [endRow, endColumn] = [Math.min(bottom, top + (row + 1) * block[0]), Math.min(right, left + (column + 1) * block[1])];
        for (let r = top + row * block[0]; r < endRow; r++) {
          for (let c = left + column * block[1]; c < endColumn; c++) {
            const value = elements.number(at(facet, r, c));
            const flag = flagOf(value);
            seen |= flag & (NAN | INF);
            zeros &&= flag === ZERO;
            if (flag & (NAN | INF)) {
              if (single) high = low = value;
              continue;
            }
            if (value < low) low = value;
            if (value > high) high = value;
          }
        }
        flags[cell] = seen | (zeros ? ZERO : 0);
        const extreme = low > high ? 0 : -low > high ? low : high;
        levels[cell] = Number.isFinite(extreme) ? levelOf(extreme, scale) : Math.sign(extreme) || 0;
        if (least) least[cell] = levelOf(low > high ? 0 : extreme === low ? high : low, scale);
      }
    }
  }
  const exact = single ? {
    elements,
    at: (index: number) => {
      const inFacet = index % (rows * columns);
      return at(Math.floor(index / (rows * columns)), top + Math.floor(inFacet / columns), left + (inFacet % columns));
    },
  } : null;
  return { facets, rows, columns, levels, flags, window, block, least, exact };
}

/** Grids from an image: three bytes a block, as `pages.py` makes them. */
export function fromImage(bytes: Uint8Array, facets: number, window: Window, block: [number, number]): Sheet {
  const [top, bottom, left, right] = window;
  const [rows, columns] = [Math.ceil((bottom - top) / block[0]), Math.ceil((right - left) / block[1])];
  const count = facets * rows * columns;
  if (bytes.byteLength !== 3 * count) throw new ProtocolError(`expected ${3 * count} bytes of blocks, got ${bytes.byteLength}`);
  const [levels, least, flags] = [new Float32Array(count), new Float32Array(count), new Uint8Array(count)];
  for (let i = 0; i < count; i++) {
    const [low, high] = [bytes[i] ?? 0, bytes[count + i] ?? 0];
    flags[i] = ((bytes[2 * count + i] ?? 0) & (NAN | INF)) | (low === 128 && high === 128 ? ZERO : 0);
    const [a, b] = [low ? (low - 128) / 127 : 0, high ? (high - 128) / 127 : 0];
    levels[i] = -a > b ? a : b;
    least[i] = -a > b ? b : a;
  }
  return { facets, rows, columns, levels, flags, window, block, least, exact: null };
}
