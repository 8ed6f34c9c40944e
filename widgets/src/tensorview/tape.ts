import { make } from "../dom";
import type { Theme } from "../theme";
import { ProtocolError, ZERO } from "../protocol";
import type { Part } from "../view";
import type { Wire } from "../wire";
import { decode, type Elements } from "./exact";
import { integer, integers, list, record, slice, text, unpack } from "./file";
import { Grid, type Drawing } from "./grid";
import { Readout } from "./option";
import { cellsOf, VOID } from "./sheet";
import { shortText } from "./view";
import { WORDS } from "./words";

const SHOWN = 160; // cells of a tape at once
const CELL = 46; // px
const FACETS = 12;
const SIDE = 24; // rows and columns of a view's grid at most


interface Tape {
  dtype: string;
  size: number;
  first: number;
  cells: Elements;
  /** The first cell on the screen. */
  from: number;
  grid: Grid;
  label: HTMLElement;
  drawing: Drawing | null;
  made: string;
  perRow: number;
}

interface Placed {
  name: string;
  tape: number;
  shape: number[];
  strides: number[];
  offset: number;
  contiguous: boolean;
  /** Of the grids shown: their size, and the cell of each element. */
  size: [number, number, number];
  offsets: Int32Array;
  indices: number[][];
  grid: Grid;
  element: HTMLElement;
  drawing: Drawing | null;
}

/** A shape or strides as Python writes them. */
export function tuple(numbers: readonly number[]): string {
  return numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(", ")})`;
}

/** The grids that show a view: its size, and index and storage offset of each cell. */
export function elementsOf(shape: readonly number[], strides: readonly number[], offset: number): {
  size: [number, number, number]; offsets: Int32Array; indices: number[][];
} {
  const rank = shape.length;
  const rows = Math.min(SIDE, rank > 1 ? shape[rank - 2] ?? 1 : 1);
  const columns = Math.min(SIDE, rank > 0 ? shape[rank - 1] ?? 1 : 1);
  const lead = shape.slice(0, Math.max(0, rank - 2));
  const facets = Math.min(FACETS, lead.reduce((a, b) => a * b, 1));
  const count = facets * rows * columns;
  const offsets = new Int32Array(count);
  const indices: number[][] = [];
  for (let cell = 0; cell < count; cell++) {
    let facet = Math.floor(cell / (rows * columns));
    const index: number[] = [];
    for (let axis = lead.length - 1; axis >= 0; axis--) {
      index.unshift(facet % (lead[axis] ?? 1));
      facet = Math.floor(facet / (lead[axis] ?? 1));
    }
    if (rank > 1) index.push(Math.floor(cell / columns) % rows);
    if (rank > 0) index.push(cell % columns);
    indices.push(index);
    offsets[cell] = index.reduce((sum, i, axis) => sum + i * (strides[axis] ?? 0), offset);
  }
  return { size: [facets, rows, columns], offsets, indices };
}

/** Memory as a tape of cells, and below it the tensors whose elements lie on it. */
export class StrideTape implements Part {
  readonly element: HTMLElement;
  private readonly body = make("div");
  private readonly readout = new Readout();
  private tapes: Tape[] = [];
  private placed: Placed[] = [];
  private active = 0;
  /** The element or, alone, the cell that the cursor is on. */
  private cursor: { tape: number; cell: number; element: number } | null = null;
  private theme: Theme | null = null;

  constructor(private readonly wire: Wire) {
    const say = WORDS();
    this.element = make("section", "nbt-part", { "aria-label": say.memory }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [say.memory]),
        make("div", "nbt-subtitle", {}, [say.tapeSubtitle]),
      ]),
      this.body, ...this.readout.elements,
    ]);
    wire.watch("shown", () => this.load());
    try {
      this.load();
    } catch (error) {
      wire.problem = error instanceof Error ? error.message : String(error);
    }
  }

  dispose(): void {
    this.readout.dispose();
  }

  private load(): void {
    const file = unpack(this.wire.get("shown"));
    if (!file) return;
    let at = 0;
    const tapes = list(file.header["tapes"]).map((raw) => {
      const tape = record(raw);
      const bytes = slice(file.bytes, at, tape["bytes"]);
      at += bytes.byteLength;
      return {
        dtype: text(tape["dtype"]), size: integer(tape["size"]), first: integer(tape["first"]),
        cells: decode(text(tape["code"]), text(tape["dtype"]), bytes),
      };
    });
    const placed = list(file.header["tensors"]).map((raw) => {
      const tensor = record(raw);
      const shape = integers(tensor["shape"]);
      const found = {
        name: text(tensor["name"]), tape: integer(tensor["tape"]), shape, offset: integer(tensor["offset"]),
        strides: integers(tensor["strides"], shape.length, -Infinity), contiguous: tensor["contiguous"] === true,
      };
      if (found.tape >= tapes.length) throw new ProtocolError("a tensor on no tape");
      return found;
    });
    this.tapes = tapes.map((tape, index): Tape => ({
      ...tape, from: tape.first, drawing: null, made: "", perRow: 1, label: make("div", "nbt-tensor-head"),
      grid: new Grid(WORDS().grid(WORDS().storage), (cell) => this.pointTape(index, cell), (event) => this.keyTape(index, event)),
    }));
    this.placed = placed.map((tensor, index) => this.build(tensor, index));
    this.active = Math.min(this.active, Math.max(0, this.placed.length - 1));
    this.cursor = null;
    this.body.replaceChildren(...this.tapes.map((tape, index) => make("div", "nbt-tensor", {}, [
      tape.label, tape.grid.element,
      make("div", "nbt-views", {}, this.placed.filter((tensor) => tensor.tape === index).map((tensor) => tensor.element)),
    ])));
    this.wire.schedule();
  }

  private build(tensor: Omit<Placed, "size" | "offsets" | "indices" | "grid" | "element" | "drawing">, index: number): Placed {
    const say = WORDS();
    const grid = new Grid(say.grid(tensor.name), (cell) => this.pointView(index, cell), (event) => {
      const here = this.cursor?.element ?? -1;
      const to = grid.step(this.active === index ? here : -1, event.key);
      if (to >= 0) this.pointView(index, to);
      return to >= 0;
    });
    const pick = make("button", "nbt-pick nbt-name", { type: "button" }, [tensor.name]);
    pick.addEventListener("click", () => this.activate(index));
    const facts = make("div", "nbt-fact-line", {}, [
      `${say.shape} ${tuple(tensor.shape)} · ${say.strides} ${tuple(tensor.strides)} · ${say.offsetWord} ${tensor.offset} `,
      make("span", "nbt-badge", {}, [tensor.contiguous ? say.contiguous : say.notContiguous]),
    ]);
    const made = elementsOf(tensor.shape, tensor.strides, tensor.offset);
    const [facets, rows, columns] = made.size;
    const total = tensor.shape.reduce((a, b) => a * b, 1);
    const note = facets * rows * columns < total ? [make("div", "nbt-fact-line", {}, [say.cropped(`${facets * rows * columns}`, `${total}`)])] : [];
    const element = make("div", "nbt-tensor", {}, [
      make("div", "nbt-tensor-head", {}, [pick, facts]), total === 0 ? say.noElements : grid.element, ...note,
    ]);
    return { ...tensor, ...made, grid, element, drawing: null };
  }

  private activate(index: number): void {
    if (index === this.active) return;
    this.active = index;
    this.wire.schedule();
  }

  // ---- painting ----

  update(theme: Theme): void {
    this.theme = theme;
    const room = this.body.clientWidth;
    const active = this.placed[this.active];
    this.tapes.forEach((tape, index) => {
      this.follow(tape, index);
      this.paintTape(tape, index, theme, room);
    });
    for (const tensor of this.placed) {
      const tape = this.tapes[tensor.tape];
      tensor.element.dataset["active"] = String(tensor === active && this.placed.length > 1);
      if (!tape || !tensor.offsets.length) continue;
      tensor.drawing ??= this.drawingOf(tensor, tape);
      tensor.grid.draw(theme, tensor.drawing, room, "sign");
      tensor.grid.base.element.setAttribute("aria-label",
        `${tensor.name}: ${WORDS().shape} ${tuple(tensor.shape)}, ${WORDS().strides} ${tuple(tensor.strides)}`);
    }
    this.paintCursor();
  }

  /** Keep the cell under the cursor, or the beginning of the active view, on the screen. */
  private follow(tape: Tape, index: number): void {
    const active = this.placed[this.active];
    const wanted = this.cursor?.tape === index ? this.cursor.cell : active?.tape === index ? Math.min(...active.offsets) : tape.from;
    const end = tape.first + tape.cells.length;
    if (!Number.isFinite(wanted) || (wanted >= tape.from && wanted < tape.from + SHOWN)) return;
    tape.from = Math.max(tape.first, Math.min(Math.floor(wanted / SHOWN) * SHOWN, end - 1));
  }

  private scaleOf(tape: Tape): number {
    let scale = 0;
    for (let i = 0; i < tape.cells.length; i++) {
      const size = Math.abs(tape.cells.number(i));
      if (Number.isFinite(size) && size > scale) scale = size;
    }
    return scale;
  }

  private paintTape(tape: Tape, index: number, theme: Theme, room: number): void {
    const say = WORDS();
    const end = Math.min(tape.first + tape.cells.length, tape.from + SHOWN);
    const count = end - tape.from;
    const title = this.tapes.length > 1 ? `${say.storage} ${index + 1}` : say.storage;
    const facts = count < tape.size ? say.shownCells(tape.from, end - 1, tape.size) : say.cells(tape.size);
    tape.label.replaceChildren(make("span", "nbt-title", {}, [title]), make("span", "nbt-fact-line", {}, [`${tape.dtype} · ${facts}`]));
    tape.grid.element.hidden = count <= 0;
    if (count <= 0) return;
    const active = this.placed[this.active];
    const key = `${tape.from} ${room} ${this.active}`;
    if (tape.made !== key || !tape.drawing) {
      tape.made = key;
      tape.perRow = Math.max(1, Math.min(count, Math.floor((room - 2) / CELL)));
      const rows = Math.ceil(count / tape.perRow);
      const values = Array.from({ length: rows * tape.perRow }, (_, i) =>
        i < count ? tape.cells.number(tape.from + i - tape.first) : 0);
      const cells = cellsOf(values, rows, 1, tape.perRow, this.scaleOf(tape));
      for (let i = count; i < cells.flags.length; i++) cells.flags[i] = VOID;
      const pale = new Uint8Array(cells.flags.length);
      if (active && active.tape === index) {
        const inside = new Set(active.offsets);
        for (let i = 0; i < count; i++) pale[i] = inside.has(tape.from + i) ? 0 : 1;
      }
      const from = tape.from;
      tape.drawing = {
        ...cells, pale, stacked: true,
        text: (cell) => shortText(tape.cells.number(from + cell - tape.first), tape.cells.text(from + cell - tape.first)).padEnd(5).slice(0, 8).trim(),
        columnLabel: (row, column) => String(from + row * tape.perRow + column),
      };
    }
    tape.grid.draw(theme, tape.drawing, room, "sign");
    tape.grid.base.element.setAttribute("aria-label", `${title}, ${facts}`);
  }

  private drawingOf(tensor: Placed, tape: Tape): Drawing {
    const [facets, rows, columns] = tensor.size;
    const known = (offset: number) => offset >= tape.first && offset < tape.first + tape.cells.length;
    const number = (offset: number) => (known(offset) ? tape.cells.number(offset - tape.first) : 0);
    const cells = cellsOf(Array.from(tensor.offsets, number), facets, rows, columns, this.scaleOf(tape));
    const pale = new Uint8Array(tensor.offsets.length);
    const seen = new Set<number>();
    tensor.offsets.forEach((offset, i) => {
      if (!known(offset)) cells.flags[i] = ZERO;
      if (seen.has(offset)) pale[i] = 1;
      seen.add(offset);
    });
    const drawing: Drawing = {
      ...cells, pale,
      text: (cell) => {
        const offset = tensor.offsets[cell] ?? 0;
        return known(offset) ? shortText(number(offset), tape.cells.text(offset - tape.first)) : `@${offset}`;
      },
    };
    if (tensor.shape.length > 1) drawing.rowLabel = (_, row) => String(row);
    if (facets > 1) drawing.facetLabel = (facet) => `[${(tensor.indices[facet * rows * columns] ?? []).slice(0, -2).join(", ")}]`;
    else if (tensor.shape.length > 0) drawing.columnLabel = (_, column) => String(column);
    return drawing;
  }

  // ---- the cursor ----

  private pointView(index: number, element: number): void {
    const tensor = this.placed[index];
    if (!tensor) return;
    if (element < 0) {
      this.setCursor(null);
      return;
    }
    this.activate(index);
    this.setCursor({ tape: tensor.tape, cell: tensor.offsets[element] ?? 0, element });
  }

  private pointTape(index: number, cell: number): void {
    const tape = this.tapes[index];
    if (!tape || cell < 0) {
      this.setCursor(null);
      return;
    }
    const at = tape.from + cell;
    if (this.placed[this.active]?.tape !== index) this.activate(this.placed.findIndex((tensor) => tensor.tape === index));
    this.setCursor({ tape: index, cell: at, element: this.placed[this.active]?.offsets.indexOf(at) ?? -1 });
  }

  private keyTape(index: number, event: KeyboardEvent): boolean {
    const tape = this.tapes[index];
    if (!tape) return false;
    const here = this.cursor?.tape === index ? this.cursor.cell : -1;
    const end = tape.first + tape.cells.length - 1;
    // The ends of what is shown are not those of the tape.
    if (event.key === "ArrowRight" && here >= 0 && here < end) return this.pointTape(index, here + 1 - tape.from), true;
    if (event.key === "ArrowLeft" && here > tape.first) return this.pointTape(index, here - 1 - tape.from), true;
    const to = tape.grid.step(here < 0 ? -1 : here - tape.from, event.key);
    if (to >= 0) this.pointTape(index, to);
    return to >= 0;
  }

  private setCursor(cursor: { tape: number; cell: number; element: number } | null): void {
    this.cursor = cursor;
    const tape = cursor ? this.tapes[cursor.tape] : undefined;
    if (cursor && tape && (cursor.cell < tape.from || cursor.cell >= tape.from + SHOWN)) this.wire.schedule();
    this.paintCursor();
  }

  private paintCursor(): void {
    const { theme, cursor } = this;
    if (!theme) return;
    const say = WORDS();
    for (const view of [...this.tapes, ...this.placed]) if (view.drawing) view.grid.clear();
    if (!cursor) {
      this.readout.show([[say.tapeHint, ""]]);
      return;
    }
    const tape = this.tapes[cursor.tape];
    const active = this.placed[this.active];
    if (!tape || !active) return;
    for (const tensor of this.placed) {
      if (tensor.tape !== cursor.tape || !tensor.drawing) continue;
      const here = [...tensor.offsets.keys()].filter((i) => tensor.offsets[i] === cursor.cell);
      tensor.grid.frame(theme, here, false);
      if (tensor === active && cursor.element >= 0) tensor.grid.frame(theme, [cursor.element], true);
    }
    const pairs: [string, string][] = [];
    const index = cursor.element >= 0 ? active.indices[cursor.element] : undefined;
    if (index) {
      pairs.push(["", `${active.name}[${index.join(", ")}]`]);
      if (index.length) {
        const sum = index.map((i, axis) => `${i}·${active.strides[axis]}`).join(" + ");
        pairs.push([say.cell(""), `${active.offset} + ${sum} = ${cursor.cell}`]);
      } else {
        pairs.push([say.cell(""), String(cursor.cell)]);
      }
    } else {
      pairs.push([say.cell(""), String(cursor.cell)]);
    }
    if (cursor.cell >= tape.first && cursor.cell < tape.first + tape.cells.length) {
      pairs.push([say.value, tape.cells.text(cursor.cell - tape.first)]);
    }
    const count = active.offsets.reduce((sum, offset) => sum + Number(offset === cursor.cell), 0);
    if (count !== 1) pairs.push([`${active.name}: ${say.elementsHere(count)}`, ""]);
    if (index) this.paintSteps(tape, active, index, theme, pairs);
    if (cursor.cell >= tape.from && cursor.cell < tape.from + SHOWN) tape.grid.frame(theme, [cursor.cell - tape.from], true);
    this.readout.show(pairs);
  }

  /** Where the next element along each axis lies: as many cells on as the stride says. */
  private paintSteps(tape: Tape, active: Placed, index: readonly number[], theme: Theme, pairs: [string, string][]): void {
    const say = WORDS();
    const colours = theme.palette.categories;
    const { context } = tape.grid.over;
    index.forEach((i, axis) => {
      const stride = active.strides[axis] ?? 0;
      pairs.push([say.next(axis, ""), stride === 0 ? say.stays : `${stride > 0 ? "+" : "−"}${Math.abs(stride)}`]);
      const to = (this.cursor?.cell ?? 0) + stride;
      if (i + 1 >= (active.shape[axis] ?? 0) || stride === 0 || to < tape.from || to >= tape.from + SHOWN) return;
      const cell = to - tape.from;
      const colour = colours[axis % colours.length] ?? theme.accent;
      tape.grid.frame(theme, [cell], false, colour);
      const [x, y, w, h] = tape.grid.place(cell);
      const label = `${say.axis} ${axis}`;
      context.font = `600 9px ${theme.font}`;
      const width = context.measureText(label).width + 6;
      context.fillStyle = colour;
      context.fillRect(x + (w - width) / 2, y + h - 4, width, 11);
      context.fillStyle = theme.palette.dark ? "#111" : "#fff";
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(label, x + w / 2, y + h + 2);
    });
  }
}
