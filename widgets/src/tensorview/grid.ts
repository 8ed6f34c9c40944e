/** Grids of cells on a canvas: the colours, marks and numbers of tensors, with a layer on top for the cursor. */
import { hatch, Layer } from "../canvas";
import { make } from "../dom";
import { contrast, interpolate, type Rgb } from "../palette";
import { INF, NAN, ZERO } from "../protocol";
import type { Theme } from "../theme";
import { VOID, type Cells } from "./sheet";

const GAP = 14; // between facets
const TOP = 15; // of a facet, for the labels of its columns
const FOOT = 9; // below each strip of a tape
const HIGH = 380; // px that grids without numbers fill at most
const NUMBERS = 640; // cells up to which they may carry numbers
const CHARACTER = 6.7; // px, of 11 px figures
const SIDES = [24, 20, 18, 16, 14, 12, 10, 8, 7, 6, 5];
const SMALL = 5; // px, below which cells need not be square nor whole pixels

export type Colours = "sign" | "magnitude";

export interface Drawing extends Cells {
  /** Numbers to print where they fit. */
  text?: (cell: number) => string;
  /** Cells that are there in thought only: dashed, without colour. */
  pale?: Uint8Array;
  rowLabel?: (facet: number, row: number) => string;
  columnLabel?: (facet: number, column: number) => string;
  facetLabel?: (facet: number) => string;
  /** Facets below each other. */
  stacked?: boolean;
  /** Of the longest number, where several grids are to have cells of one size. */
  characters?: number;
}

export interface Geometry {
  left: number;
  top: number;
  cellWidth: number;
  cellHeight: number;
  perRow: number;
  stepX: number;
  stepY: number;
  width: number;
  height: number;
  numbered: boolean;
}

/** Where the cells go in `room` pixels; `characters` of the longest number, 0 for none. */
export function arrange(
  { facets, rows, columns }: Cells, room: number, characters: number, left: number, top: number, stacked = false,
): Geometry {
  const inner = Math.max(20, room - left - 1);
  const gap = stacked ? FOOT : GAP;
  const made = (cellWidth: number, cellHeight: number, numbered: boolean): Geometry => {
    const stepX = columns * cellWidth + GAP;
    const perRow = stacked ? 1 : Math.max(1, Math.min(facets, Math.floor((inner + GAP) / stepX)));
    const stepY = top + rows * cellHeight + gap;
    const lines = Math.ceil(facets / perRow);
    return {
      left, top, cellWidth, cellHeight, perRow, stepX: stepX + (perRow > 1 ? left : 0), stepY, numbered,
      width: left + perRow * (stepX + (perRow > 1 ? left : 0)) - GAP + 1, height: lines * stepY - (stacked ? 0 : gap) + 1,
    };
  };
  const wanted = Math.min(72, Math.max(26, Math.ceil(characters * CHARACTER) + 10));
  if (characters && facets * rows * columns <= NUMBERS && columns * wanted <= inner) {
    const numbered = made(wanted, 22, true);
    if (numbered.width <= room + 1 && (numbered.height <= 560 || facets * rows <= 12)) return numbered;
  }
  const strip = rows === 1 ? 22 : 0;
  for (const side of SIDES) {
    if (columns * side > inner) continue;
    const geometry = made(side, Math.max(side, strip), false);
    if (geometry.width <= room + 1 && geometry.height <= HIGH) return geometry;
  }
  const height = Math.max(strip, Math.min(SMALL, HIGH / rows));
  return made(Math.min(2 * Math.max(height, 1), inner / columns), height, false);
}

/** The colour of a level in [-1, 1]. Only exact zeros have that of zero. */
function colourIndex(level: number, colours: Colours): number {
  if (colours === "magnitude") return Math.round(Math.abs(level) * 255);
  const steps = Math.round(level * 127);
  return 128 + (steps || Math.sign(level) * 4);
}

export class Grid {
  readonly element: HTMLElement;
  readonly base = new Layer("nbt-base");
  readonly over = new Layer("nbt-over");
  geometry: Geometry | null = null;
  drawing: Drawing | null = null;
  private readonly image = document.createElement("canvas");
  private shownFor: unknown[] = [];

  /** `point` gets the cell under the pointer, or -1; `move` a key, true if it was of use. */
  constructor(label: string, point: (cell: number, pressed: boolean) => void, move: (event: KeyboardEvent) => boolean) {
    this.base.element.setAttribute("role", "img");
    this.element = make("div", "nbt-plot nbt-grid", { tabindex: "0", role: "application", "aria-label": label }, [
      this.base.element, this.over.element,
    ]);
    this.element.addEventListener("pointermove", (event) => point(this.hit(event), false));
    this.element.addEventListener("pointerleave", () => point(-1, false));
    this.element.addEventListener("dblclick", (event) => point(this.hit(event), true));
    this.element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !move(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  private hit(event: MouseEvent): number {
    const { geometry: g, drawing: d } = this;
    if (!g || !d) return -1;
    const box = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const [facetColumn, facetRow] = [Math.floor(x / g.stepX), Math.floor(y / g.stepY)];
    const facet = facetRow * g.perRow + (g.perRow === 1 ? 0 : facetColumn);
    const column = Math.floor((x - (g.perRow === 1 ? 0 : facetColumn * g.stepX) - g.left) / g.cellWidth);
    const row = Math.floor((y - facetRow * g.stepY - g.top) / g.cellHeight);
    if (facet < 0 || facet >= d.facets || row < 0 || row >= d.rows || column < 0 || column >= d.columns) return -1;
    const cell = (facet * d.rows + row) * d.columns + column;
    return (d.flags[cell] ?? 0) & VOID ? -1 : cell;
  }

  /** Left, top, width and height of a cell. */
  place(cell: number): [number, number, number, number] {
    const { geometry: g, drawing: d } = this;
    if (!g || !d) return [0, 0, 0, 0];
    const [facet, inner] = [Math.floor(cell / (d.rows * d.columns)), cell % (d.rows * d.columns)];
    return [
      (facet % g.perRow) * g.stepX + g.left + (inner % d.columns) * g.cellWidth,
      Math.floor(facet / g.perRow) * g.stepY + g.top + Math.floor(inner / d.columns) * g.cellHeight,
      g.cellWidth, g.cellHeight,
    ];
  }

  /** The cell that a key leads to from `cell`, or -1 for other keys. */
  step(cell: number, key: string): number {
    const { drawing: d } = this;
    if (!d || d.facets * d.rows * d.columns === 0) return -1;
    if (cell < 0) return key.startsWith("Arrow") || key === "Home" || key === "End" ? 0 : -1;
    const size = d.rows * d.columns;
    const [facet, inner] = [Math.floor(cell / size), cell % size];
    const [row, column] = [Math.floor(inner / d.columns), inner % d.columns];
    const to = (f: number, r: number, c: number) => {
      // Facets below each other are one strip; elsewhere an edge is an edge.
      if (d.stacked && (c < 0 || c >= d.columns)) [f, c] = c < 0 ? [f - 1, d.columns - 1] : [f + 1, 0];
      if (d.stacked && (r < 0 || r >= d.rows)) [f, r] = r < 0 ? [f - 1, d.rows - 1] : [f + 1, 0];
      const found = f * size + r * d.columns + c;
      const inside = f >= 0 && f < d.facets && r >= 0 && r < d.rows && c >= 0 && c < d.columns;
      return inside && !((d.flags[found] ?? 0) & VOID) ? found : cell;
    };
    switch (key) {
      case "ArrowLeft": return to(facet, row, column - 1);
      case "ArrowRight": return to(facet, row, column + 1);
      case "ArrowUp": return to(facet, row - 1, column);
      case "ArrowDown": return to(facet, row + 1, column);
      case "Home": return to(facet, row, 0);
      case "End": return to(facet, row, d.columns - 1);
      case "PageUp": return to(facet - 1, row, column);
      case "PageDown": return to(facet + 1, row, column);
      default: return -1;
    }
  }

  /** Draw everything but the cursor; nothing happens if neither the cells nor the room nor the theme changed. */
  draw(theme: Theme, drawing: Drawing, room: number, colours: Colours): void {
    const key = [theme.palette, theme.surface, theme.text, drawing, room, colours, window.devicePixelRatio];
    if (key.every((part, i) => part === this.shownFor[i])) return;
    this.shownFor = key;
    this.drawing = drawing;
    const count = drawing.facets * drawing.rows * drawing.columns;
    const { context } = this.base;
    context.font = `11px ${theme.mono}`;
    const characters = drawing.characters ?? longest(drawing);
    const { rowLabel, columnLabel, facetLabel } = drawing;
    const widest = rowLabel ? Math.max(...[0, drawing.rows - 1].map((r) => rowLabel(0, r).length)) : 0;
    const left = rowLabel && drawing.rows > 1 ? Math.ceil(widest * 6.2) + 7 : 0;
    const g = arrange(drawing, room, characters, left, columnLabel || facetLabel ? TOP : 0, drawing.stacked);
    this.geometry = g;
    this.element.style.width = `${Math.ceil(g.width)}px`;
    this.base.reset(Math.ceil(g.width), Math.ceil(g.height));
    this.over.reset(Math.ceil(g.width), Math.ceil(g.height));
    if (!count) return;
    this.colour(context, theme, drawing, g, colours);
    if (g.cellWidth >= 5 && g.cellHeight >= 5) this.decorate(context, theme, drawing, g, colours);
    else this.alarm(context, theme, drawing);
    this.label(context, theme, drawing, g);
  }

  private colour(context: CanvasRenderingContext2D, theme: Theme, d: Drawing, g: Geometry, colours: Colours): void {
    const table = colours === "sign" ? theme.palette.diverging.table : theme.palette.table;
    const image = new ImageData(d.columns, d.rows);
    const pixels = new Uint32Array(image.data.buffer);
    this.image.width = d.columns;
    this.image.height = d.rows;
    const brush = this.image.getContext("2d");
    context.imageSmoothingEnabled = false;
    for (let facet = 0; facet < d.facets; facet++) {
      for (let i = 0; i < pixels.length; i++) {
        const cell = facet * pixels.length + i;
        const hidden = (d.flags[cell] ?? 0) & VOID || d.pale?.[cell];
        pixels[i] = hidden ? 0 : table[colourIndex(d.levels[cell] ?? 0, colours)] ?? 0;
      }
      brush?.putImageData(image, 0, 0);
      const [x, y] = this.place(facet * pixels.length);
      context.drawImage(this.image, x, y, d.columns * g.cellWidth, d.rows * g.cellHeight);
    }
  }

  /** Lines between cells, marks and numbers. */
  private decorate(context: CanvasRenderingContext2D, theme: Theme, d: Drawing, g: Geometry, colours: Colours): void {
    const count = d.facets * d.rows * d.columns;
    const pattern = d.flags.some((flag) => flag & NAN) ? hatch(context, theme.palette.alarm, theme.surface) : "";
    const stops = colours === "sign" ? theme.palette.diverging.stops : theme.palette.stops;
    const black: Rgb = [17, 17, 17];
    const ink = (level: number) => {
      const colour = interpolate(stops, colours === "sign" ? 0.5 + level / 2 : Math.abs(level));
      return contrast(colour, [255, 255, 255]) > contrast(colour, black) ? "#fff" : "#111";
    };
    context.textAlign = "center";
    context.textBaseline = "middle";
    const gutter = g.cellWidth >= 12 ? 1 : 0.5;
    for (let cell = 0; cell < count; cell++) {
      const flag = d.flags[cell] ?? 0;
      if (flag & VOID) continue;
      const [x, y, w, h] = this.place(cell);
      const pale = d.pale?.[cell];
      const level = d.levels[cell] ?? 0;
      let colour = theme.muted;
      if (pale) {
        context.strokeStyle = theme.muted;
        context.globalAlpha = 0.6;
        context.lineWidth = 1;
        context.setLineDash([3, 2]);
        context.strokeRect(x + 1.5, y + 1.5, w - 3, h - 3);
        context.setLineDash([]);
        context.globalAlpha = 1;
      } else if (flag & NAN) {
        context.fillStyle = pattern;
        context.fillRect(x, y, w, h);
        if (g.numbered) {
          context.fillStyle = theme.surface;
          context.fillRect(x + w / 2 - 14, y + 4, 28, h - 8);
        }
        colour = theme.palette.alarm;
      } else if (flag & INF) {
        context.fillStyle = theme.palette.alarm;
        context.fillRect(x, y, w, h);
        colour = theme.surface;
        if (!g.numbered) triangle(context, theme.surface, x + w / 2, y + h / 2, Math.min(w, h) / 3, level >= 0);
      } else if (flag & ZERO) {
        context.fillStyle = theme.surface;
        context.fillRect(x, y, w, h);
        context.strokeStyle = theme.muted;
        context.globalAlpha = 0.7;
        context.lineWidth = 1;
        const inset = w >= 12 ? 2.5 : 1.5;
        context.strokeRect(x + inset, y + inset, w - 2 * inset, h - 2 * inset);
        context.globalAlpha = 1;
        colour = theme.text;
      } else {
        colour = ink(level);
      }
      if (!pale) {
        context.fillStyle = theme.surface;
        context.fillRect(x + w - gutter, y, gutter, h);
        context.fillRect(x, y + h - gutter, w, gutter);
      }
      if (g.numbered && d.text) {
        context.font = `11px ${theme.mono}`;
        context.fillStyle = colour;
        context.fillText(d.text(cell), x + (w - 1) / 2, y + h / 2 + 0.5);
      }
    }
  }

  /** Where cells are too small for a mark, a spot that can't be overlooked. */
  private alarm(context: CanvasRenderingContext2D, theme: Theme, d: Drawing): void {
    context.lineWidth = 1.5;
    for (let cell = 0, drawn = 0; cell < d.flags.length && drawn < 400; cell++) {
      const flag = d.flags[cell] ?? 0;
      if (!(flag & (NAN | INF)) || flag & VOID) continue;
      drawn++;
      const [x, y, w, h] = this.place(cell);
      const [cx, cy] = [x + w / 2, y + h / 2];
      if (flag & NAN) {
        for (const [colour, width] of [[theme.surface, 3.5], [theme.palette.alarm, 1.5]] as const) {
          context.strokeStyle = colour;
          context.lineWidth = width;
          context.beginPath();
          context.moveTo(cx - 3, cy - 3);
          context.lineTo(cx + 3, cy + 3);
          context.moveTo(cx - 3, cy + 3);
          context.lineTo(cx + 3, cy - 3);
          context.stroke();
        }
      } else {
        triangle(context, theme.surface, cx, cy, 5, (d.levels[cell] ?? 0) >= 0);
        triangle(context, theme.palette.alarm, cx, cy, 3.5, (d.levels[cell] ?? 0) >= 0);
      }
    }
  }

  private label(context: CanvasRenderingContext2D, theme: Theme, d: Drawing, g: Geometry): void {
    context.font = `10px ${theme.font}`;
    context.fillStyle = theme.muted;
    context.textBaseline = "middle";
    for (let facet = 0; facet < d.facets; facet++) {
      const [x, y] = this.place(facet * d.rows * d.columns);
      if (d.facetLabel) {
        context.textAlign = "left";
        context.fillText(d.facetLabel(facet), x, y - TOP / 2);
      } else if (d.columnLabel) {
        context.textAlign = "center";
        const last = d.columnLabel(facet, d.columns - 1).length * 6 + 8;
        const every = g.cellWidth >= last ? 1 : Math.ceil(Math.max(last, 44) / g.cellWidth);
        let free = -Infinity;
        for (let c = 0; c < d.columns; c += every) {
          if ((d.flags[facet * d.rows * d.columns + c] ?? 0) & VOID) continue;
          const text = d.columnLabel(facet, c);
          const half = context.measureText(text).width / 2;
          const middle = Math.min(g.width - half, Math.max(half, x + (c + 0.5) * g.cellWidth));
          if (middle - half < free) continue;
          free = middle + half + 6;
          context.fillText(text, middle, y - TOP / 2);
        }
      }
      if (d.rowLabel && g.left) {
        context.textAlign = "right";
        const every = Math.max(1, Math.ceil(13 / g.cellHeight));
        for (let r = 0; r < d.rows; r += every) context.fillText(d.rowLabel(facet, r), x - 5, y + (r + 0.5) * g.cellHeight);
      }
    }
  }

  /** The layer on top, empty. */
  clear(): CanvasRenderingContext2D {
    return this.over.reset(this.base.width, this.base.height);
  }

  /** Frame cells: the cursor's own strongly, others in the accent colour. */
  frame(theme: Theme, cells: Iterable<number>, strong: boolean, colour = theme.accent): void {
    const { context } = this.over;
    for (const cell of cells) {
      if (cell < 0) continue;
      const [x, y, w, h] = this.place(cell);
      const [width, height] = [Math.max(4, w - 1), Math.max(4, h - 1)];
      for (const [stroke, line] of [[theme.surface, strong ? 4 : 3.5], [strong ? theme.text : colour, strong ? 2 : 1.75]] as const) {
        context.strokeStyle = stroke;
        context.lineWidth = line;
        context.strokeRect(x, y, width, height);
      }
    }
  }
}

/** Characters of the longest number in a drawing, 0 if they are too many to be printed. */
export function longest(drawing: Drawing): number {
  const count = drawing.facets * drawing.rows * drawing.columns;
  let characters = 0;
  for (let i = 0; drawing.text && i < count && count <= NUMBERS; i++) {
    if (!((drawing.flags[i] ?? 0) & VOID)) characters = Math.max(characters, drawing.text(i).length);
  }
  return characters;
}

function triangle(context: CanvasRenderingContext2D, colour: string, x: number, y: number, size: number, up: boolean): void {
  const sign = up ? 1 : -1;
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x, y - sign * size);
  context.lineTo(x + size, y + sign * size * 0.8);
  context.lineTo(x - size, y + sign * size * 0.8);
  context.fill();
}
