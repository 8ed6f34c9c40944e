import { make } from "../dom";
import { ProtocolError } from "../protocol";
import type { Theme } from "../theme";
import type { Part } from "../view";
import type { Wire } from "../wire";
import { decode, floatText, type Elements } from "./exact";
import { integers, list, record, slice, text, unpack } from "./file";
import { Grid, type Drawing } from "./grid";
import { choice, Readout } from "./option";
import { cellsOf } from "./sheet";
import { tuple } from "./tape";
import { plain, shortText } from "./view";
import { WORDS } from "./words";

const TERMS = 6; // of a sum that is written out

interface Axis {
  a: number | null;
  b: number | null;
  out: number | null;
  kind: string;
}

interface Board {
  op: string;
  names: [string, string];
  shapes: [number[], number[]];
  axes: Axis[];
  /** The shape of what is shown of the result; null if the operands don't fit. */
  shown: number[] | null;
  arrays: Map<string, Elements>;
}

/** One grid: `shape` is its own, and `stretched` says whether it is drawn in the result's with its repetitions pale. */
interface Panel {
  array: string;
  title: string;
  stretched: boolean;
  grid: Grid;
  drawing: Drawing | null;
}

/** The cell of an operand of shape `own` that the cell `index` of the result comes from. */
export function source(index: readonly number[], own: readonly number[]): number {
  const lacking = index.length - own.length;
  return own.reduce((at, size, axis) => at * size + (size === 1 ? 0 : index[lacking + axis] ?? 0), 0);
}

/** The index of a cell of an array. */
export function unravel(cell: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    index.unshift(cell % size);
    cell = Math.floor(cell / size);
  }
  return index;
}

/** How two shapes meet: what is repeated on the way forward, and what is summed on the way back. */
export class BroadcastBoard implements Part {
  readonly element: HTMLElement;
  private readonly shapes = make("div", "nbt-shapes", { role: "table" });
  private readonly verdict = make("div", "nbt-verdict");
  private readonly equation = make("div", "nbt-panels nbt-equation");
  private readonly readout = new Readout();
  private readonly direction: { element: HTMLElement; update(): void };
  private board: Board | null = null;
  private panels: Panel[] = [];
  private backward = false;
  private cursor: { panel: Panel; cell: number } | null = null;
  private theme: Theme | null = null;

  constructor(private readonly wire: Wire) {
    const say = WORDS();
    this.backward = wire.get("backward") === true;
    this.direction = choice(say.direction, [["forward", say.forward], ["backward", say.backward]],
      () => (this.backward ? "backward" : "forward"), (name) => {
        this.backward = name === "backward";
        this.wire.set("backward", this.backward);
        this.arrange();
      });
    this.element = make("section", "nbt-part", { "aria-label": say.broadcast }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [say.broadcast]),
        make("div", "nbt-options", {}, [this.direction.element]),
      ]),
      this.shapes, this.verdict, this.equation, ...this.readout.elements,
    ]);
    wire.watch("shown", () => this.load());
    wire.watch("backward", () => {
      if ((wire.get("backward") === true) === this.backward) return;
      this.backward = wire.get("backward") === true;
      this.direction.update();
      this.arrange();
    });
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
    const { header, bytes } = file;
    const size = (value: unknown) => (value == null ? null : integers([value])[0] ?? null);
    const arrays = new Map<string, Elements>();
    let at = 0;
    for (const [name, length] of Object.entries(record(header["arrays"]))) {
      const piece = slice(bytes, at, length);
      at += piece.byteLength;
      arrays.set(name, decode("f8", "float64", piece));
    }
    const shapes = list(header["shapes"]).map((shape) => integers(shape));
    if (shapes.length !== 2) throw new ProtocolError("expected two shapes");
    this.board = {
      op: text(header["op"]), names: list(header["names"]).map(text) as [string, string],
      shapes: shapes as [number[], number[]], arrays, shown: header["shown"] == null ? null : integers(header["shown"]),
      axes: list(header["axes"]).map((raw) => {
        const axis = record(raw);
        return { a: size(axis["a"]), b: size(axis["b"]), out: size(axis["out"]), kind: text(axis["kind"]) };
      }),
    };
    this.align(this.board);
    this.arrange();
  }

  /** The shapes above each other, aligned from the right. */
  private align(board: Board): void {
    const say = WORDS();
    const cell = (className: string, value: string) => make("span", className, { role: "cell" }, [value]);
    const operand = (which: "a" | "b", row: number) => make("div", "", { role: "row" }, [
      make("span", "nbt-name", { role: "rowheader" }, [board.names[row] ?? ""]),
      ...board.axes.map((axis) => {
        const size = axis[which];
        if (size === null) return cell("nbt-size nbt-virtual", `→ ${axis.out}`);
        if (axis.kind === `stretch ${which}`) return cell("nbt-size nbt-virtual", `1 → ${axis.out}`);
        return cell(axis.kind === "clash" ? "nbt-size nbt-clash" : "nbt-size", String(size));
      }),
    ]);
    const why = (axis: Axis): string => {
      if (axis.kind === "clash") return say.clash(axis.a ?? 0, axis.b ?? 0);
      if (axis.kind === "same") return say.same;
      return axis.kind.startsWith("new") ? say.added(axis.out ?? 0) : say.stretched(axis.out ?? 0);
    };
    this.shapes.style.gridTemplateColumns = `auto repeat(${board.axes.length}, auto)`;
    this.shapes.replaceChildren(
      make("div", "", { role: "row" }, [
        make("span", "nbt-why", { role: "columnheader" }, [say.axis]),
        ...board.axes.map((_, i) => make("span", "nbt-why", { role: "columnheader" }, [`−${board.axes.length - i}`])),
      ]),
      operand("a", 0), operand("b", 1),
      make("div", "", { role: "row" }, [
        make("span", "", { role: "rowheader" }, [say.result]),
        ...board.axes.map((axis) => axis.out === null ? cell("nbt-size nbt-clash", "✕") : cell("nbt-size", String(axis.out))),
      ]),
      make("div", "", { role: "row" }, [make("span", "nbt-why"), ...board.axes.map((axis) => cell("nbt-why", why(axis)))]),
    );
    const clash = board.axes.findLastIndex((axis) => axis.kind === "clash");
    const { a, b } = board.axes[clash] ?? { a: 0, b: 0 };
    this.verdict.dataset["fits"] = String(clash < 0);
    this.verdict.textContent = clash < 0 ? say.fits : say.clashLong(clash - board.axes.length, a ?? 0, b ?? 0);
    this.direction.element.hidden = clash >= 0;
  }

  private arrange(): void {
    const { board } = this;
    if (!board) return;
    const say = WORDS();
    const [a, b] = board.names;
    this.cursor = null;
    const panel = (array: string, title: string, stretched = false): Panel => {
      const made: Panel = {
        array, title, stretched, drawing: null,
        grid: new Grid(say.grid(title), (cell) => this.point(made, cell), (event) => {
          const to = made.grid.step(this.cursor?.panel === made ? this.cursor.cell : -1, event.key);
          if (to >= 0) this.point(made, to);
          return to >= 0;
        }),
      };
      return made;
    };
    if (!board.shown) this.panels = [];
    else if (this.backward) {
      this.panels = [
        panel("grad", `${say.gradResult} ${tuple(board.shown)}`),
        panel("grad_a", `${say.gradOf(a)} ${tuple(board.shapes[0])}`), panel("grad_b", `${say.gradOf(b)} ${tuple(board.shapes[1])}`),
      ];
    } else this.panels = [panel("a", a, true), panel("b", b, true), panel("out", `${a} ${board.op} ${b}`)];
    const signs = this.backward ? ["", "→", ""] : ["", board.op.replace("*", "×").replace("/", "÷").replace("-", "−"), "="];
    this.equation.replaceChildren(...this.panels.flatMap((one, i) => [
      make("div", "nbt-term", {}, [
        ...(signs[i] ? [make("div", "nbt-operator", { "aria-hidden": "true" }, [signs[i] ?? ""])] : []),
        make("div", "nbt-panel", {}, [make("div", "nbt-label", {}, [one.title]), one.grid.element]),
      ]),
    ]));
    this.wire.schedule();
  }

  private shapeOf(panel: Panel): number[] {
    const { board } = this;
    if (!board?.shown) return [];
    if (panel.stretched || panel.array === "out" || panel.array === "grad") return board.shown;
    return this.ownShape(panel.array.endsWith("b") ? 1 : 0);
  }

  /** The shape of what is shown of an operand. */
  private ownShape(which: 0 | 1): number[] {
    const { board } = this;
    const shape = board?.shapes[which] ?? [];
    const lacking = (board?.shown?.length ?? 0) - shape.length;
    return shape.map((size, axis) => Math.min(size, board?.shown?.[lacking + axis] ?? size));
  }

  update(theme: Theme): void {
    this.theme = theme;
    const room = this.equation.clientWidth;
    // One scale for all where they are of one kind; a product is on another scale than its factors.
    const own = !this.backward && /[*/]/.test(this.board?.op ?? "");
    const common = Math.max(...this.panels.map((panel) => this.scaleOf(panel)));
    for (const panel of this.panels) {
      panel.drawing ??= this.drawingOf(panel, own ? this.scaleOf(panel) : common);
      panel.grid.element.hidden = panel.drawing.levels.length === 0;
      panel.grid.draw(theme, panel.drawing, room, "sign");
      panel.grid.base.element.setAttribute("aria-label", `${panel.title}, ${WORDS().shape} ${tuple(this.shapeOf(panel))}`);
    }
    this.paintCursor();
  }

  private scaleOf(panel: Panel): number {
    const array = this.board?.arrays.get(panel.array);
    let scale = 0;
    for (let i = 0; array && i < array.length; i++) {
      const size = Math.abs(array.number(i));
      if (Number.isFinite(size)) scale = Math.max(scale, size);
    }
    return scale;
  }

  private drawingOf(panel: Panel, scale: number): Drawing {
    const shape = this.shapeOf(panel);
    const own = panel.stretched ? this.ownShape(panel.array === "b" ? 1 : 0) : shape;
    const array = this.board?.arrays.get(panel.array);
    const rank = shape.length;
    const [rows, columns] = [rank > 1 ? shape[rank - 2] ?? 1 : 1, rank > 0 ? shape[rank - 1] ?? 1 : 1];
    const count = shape.reduce((a, b) => a * b, 1);
    const facets = count ? count / (rows * columns) : 0;
    const from = (cell: number) => (panel.stretched ? source(unravel(cell, shape), own) : cell);
    const number = (cell: number) => array?.number(from(cell)) ?? NaN;
    const pale = new Uint8Array(count);
    if (panel.stretched) {
      const seen = new Set<number>();
      for (let cell = 0; cell < count; cell++) {
        if (seen.has(from(cell))) pale[cell] = 1;
        seen.add(from(cell));
      }
    }
    const drawing: Drawing = {
      ...cellsOf(Array.from({ length: count }, (_, cell) => number(cell)), facets, rows, columns, scale), pale,
      text: (cell) => shortText(number(cell), floatText(number(cell), "float64")),
    };
    if (rank > 2) drawing.facetLabel = (facet) => `[${unravel(facet, shape.slice(0, -2)).join(", ")}]`;
    return drawing;
  }

  // ---- the cursor ----

  private point(panel: Panel, cell: number): void {
    this.cursor = cell < 0 ? null : { panel, cell };
    this.paintCursor();
  }

  private paintCursor(): void {
    const { theme, board, cursor } = this;
    if (!theme || !board) return;
    const say = WORDS();
    for (const panel of this.panels) panel.grid.clear();
    if (!cursor || !board.shown) {
      this.readout.show(board.shown ? [[this.backward ? say.backHint : say.boardHint, ""]] : []);
      return;
    }
    if (this.backward) this.paintBackward(theme, board, board.shown, cursor);
    else this.paintForward(theme, board, board.shown, cursor.cell);
  }

  private value(array: string, cell: number): string {
    const number = this.board?.arrays.get(array)?.number(cell) ?? NaN;
    return plain(number, 6);
  }

  /** One cell of the result, and in each operand all the cells that are the same element. */
  private paintForward(theme: Theme, board: Board, shown: readonly number[], cell: number): void {
    const index = unravel(cell, shown);
    const sources: [number, number] = [source(index, this.ownShape(0)), source(index, this.ownShape(1))];
    this.panels.forEach((panel, i) => {
      const own = i < 2 ? sources[i as 0 | 1] : -1;
      if (panel.stretched) {
        const shape = this.ownShape(i as 0 | 1);
        const first = Array.from(panel.drawing?.levels.keys() ?? []).find((c) => source(unravel(c, shown), shape) === own) ?? -1;
        panel.grid.frame(theme, [first], false);
      }
      panel.grid.frame(theme, [cell], true);
    });
    const place = (which: 0 | 1) => `${board.names[which]}[${unravel(sources[which], this.ownShape(which)).join(", ")}]`;
    this.readout.show([
      ["", `(${board.names[0]} ${board.op} ${board.names[1]})[${index.join(", ")}] = ${place(0)} ${board.op} ${place(1)}`],
      ["=", `${this.value("a", sources[0])} ${board.op} ${this.value("b", sources[1])} = ${this.value("out", cell)}`],
    ]);
  }

  /** One cell of an operand's gradient, and all cells of the result whose shares are summed in it. */
  private paintBackward(theme: Theme, board: Board, shown: readonly number[], { panel, cell }: { panel: Panel; cell: number }): void {
    const say = WORDS();
    const count = shown.reduce((a, b) => a * b, 1);
    const [result, ...operands] = this.panels;
    if (panel === result) {
      const index = unravel(cell, shown);
      panel.grid.frame(theme, [cell], true);
      const targets = operands.map((operand, i) => {
        const to = source(index, this.ownShape(i as 0 | 1));
        operand.grid.frame(theme, [to], false);
        return `${say.gradOf(board.names[i as 0 | 1])}[${unravel(to, this.ownShape(i as 0 | 1)).join(", ")}]`;
      });
      this.readout.show([["", `${say.gradResult}[${index.join(", ")}] = ${this.value("grad", cell)}`], [say.flows, targets.join(", ")]]);
      return;
    }
    const which = operands.indexOf(panel) === 1 ? 1 : 0;
    const own = this.ownShape(which);
    const summed = Array.from({ length: count }, (_, i) => i).filter((i) => source(unravel(i, shown), own) === cell);
    panel.grid.frame(theme, [cell], true);
    result?.grid.frame(theme, summed, false);
    const share = which === 0 ? "share_a" : "share_b";
    const terms = summed.slice(0, TERMS).map((i) => this.value(share, i)).join(" + ") + (summed.length > TERMS ? " + …" : "");
    this.readout.show([
      ["", `${say.gradOf(board.names[which])}[${unravel(cell, own).join(", ")}]`],
      [`= ${say.summed(summed.length)}:`, `${terms.replaceAll("+ −", "− ")} = ${this.value(panel.array, cell)}`],
    ]);
  }
}
