import { make } from "../dom";
import { contrast, interpolate, parseHex, signedIndex, type Rgb } from "../palette";
import type { Theme } from "../theme";
import { isFull, say, scalar, type Values } from "./tape";
import { WORDS } from "./words";

const CELLS = 36; // elements up to which each has its number
const COLUMNS = 8;
const INK: readonly Rgb[] = [[20, 20, 20], [255, 255, 255]];

/** A value or gradient: a number as a number, a small tensor as coloured numbers, a large one as an image. */
export function picture(values: Values | null, theme: Theme): HTMLElement {
  if (!values) return make("span", "nbt-st-none", { title: WORDS().unknown }, ["–"]);
  const single = scalar(values);
  if (single !== null) return make("span", "nbt-st-number", {}, [say(single)]);
  const rows = values.shown.slice(0, -1).reduce((a, b) => a * b, 1);
  const columns = values.shown.at(-1) ?? 1;
  const most = Math.max(Math.abs(values.min), Math.abs(values.max));
  const words = `${WORDS().tensor(values.shape.join(" × "))}: ${WORDS().stats(say(values.min), say(values.max), say(values.mean))}`;
  // The means of a thumbnail are smaller than what they are means of: they get a scale of their own.
  const shown = isFull(values) ? most : values.data.reduce((m, v) => Math.max(m, Math.abs(v) || 0), 0);
  const small = isFull(values) && values.data.length <= CELLS && columns <= COLUMNS;
  const body = small ? cells(values, rows, columns, most, theme) : image(values, rows, columns, shown, theme);
  return make("div", "nbt-st-tensor", { role: "img", "aria-label": words, title: words }, [
    body, make("div", "nbt-label", {}, [small ? values.shape.join(" × ") : words]),
  ]);
}

function cells(values: Values, rows: number, columns: number, most: number, theme: Theme): HTMLElement {
  const grid = make("div", "nbt-st-cells");
  grid.style.gridTemplateColumns = `repeat(${columns}, minmax(38px, auto))`;
  for (let i = 0; i < rows * columns; i++) {
    const value = values.data[i] ?? NaN;
    const cell = make("span", Number.isNaN(value) ? "nbt-st-nan" : "", {}, [
      Number.isFinite(value) || Number.isNaN(value) ? say(value, 2) : `▲ ${say(value)}`,
    ]);
    if (!Number.isNaN(value)) {
      const ground = interpolate(theme.palette.diverging.stops, signedIndex(value, most) / 255);
      const ink = [...INK].sort((a, b) => contrast(b, ground) - contrast(a, ground))[0] ?? [0, 0, 0];
      cell.style.background = `rgb(${ground.join(",")})`;
      cell.style.color = `rgb(${ink.join(",")})`;
    }
    grid.append(cell);
  }
  return grid;
}

function image(values: Values, rows: number, columns: number, most: number, theme: Theme): HTMLElement {
  const canvas = make("canvas", "nbt-st-image");
  canvas.width = columns;
  canvas.height = rows;
  const pixels = new ImageData(columns, rows);
  const words = new Uint32Array(pixels.data.buffer);
  const [r, g, b] = parseHex(theme.palette.alarm);
  const alarm = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  values.data.forEach((value, i) => {
    words[i] = Number.isNaN(value) ? ((i + Math.floor(i / columns)) % 2 ? alarm : 0) : (theme.palette.diverging.table[signedIndex(value, most)] ?? 0);
  });
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  const scale = Math.max(1, Math.min(14, 150 / columns, 110 / rows));
  canvas.style.width = `${Math.max(12, Math.round(columns * scale))}px`;
  canvas.style.height = `${Math.max(8, Math.round(rows * scale))}px`;
  return canvas;
}
