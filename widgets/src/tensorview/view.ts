import { make, setText } from "../dom";
import * as format from "../format";
import { INF, NAN } from "../protocol";
import type { Theme } from "../theme";
import type { Part } from "../view";
import type { Wire } from "../wire";
import { indexOf, readPage, readTensors, sheetOf, type Panel, type TensorData } from "./data";
import { floatText } from "./exact";
import { asBytes, list, record } from "./file";
import { Grid, longest, type Colours, type Drawing } from "./grid";
import { choice, Readout } from "./option";
import type { Sheet, Window } from "./sheet";
import { roleName, WORDS } from "./words";

const ASK_MS = 120; // after the last change of a slider or the zoom
const ANSWER_MS = 2500; // after which a kernel counts as absent
const ZOOM = 4;
const TABLE_ROWS = 400;
const WIDE = 560; // px from which panels stand beside each other

/** What tensors of one shape share: where their sliders stand, what region is shown, and the cursor. */
interface Focus {
  lead: number[];
  window: Window;
  /** Facet, row and column of an element. */
  cursor: [number, number, number] | null;
}

interface PanelView {
  panel: Panel;
  grid: Grid;
  sheet: Sheet | null;
  drawing: Drawing | null;
  made: string;
  label: HTMLElement;
  ramp: HTMLElement;
  low: HTMLElement;
  high: HTMLElement;
  facts: HTMLElement;
}

interface Block {
  index: number;
  tensor: TensorData;
  element: HTMLElement;
  facts: HTMLElement;
  note: HTMLElement;
  zoom: HTMLElement;
  sliders: { input: HTMLInputElement; output: HTMLOutputElement }[];
  panels: PanelView[];
  /** The request that waits for its answer. */
  asked: number;
  wanted: string;
}

/** Tensors, each value beside its gradient, with one cursor for all of the same shape. */
export class TensorView implements Part {
  readonly element: HTMLElement;
  private readonly body = make("div");
  private readonly readout = new Readout();
  private readonly tableButton: HTMLButtonElement;
  private readonly table = make("div", "nbt-scroll", { hidden: "" });
  private blocks: Block[] = [];
  private readonly focus = new Map<string, Focus>();
  private active: Block | null = null;
  private theme: Theme | null = null;
  private requests = 0;
  private askTimer = 0;
  private silenceTimer = 0;
  private colours: Colours = "sign";
  private tableShown = false;
  private readonly colourChoice: { element: HTMLElement; update(): void };

  constructor(private readonly wire: Wire) {
    const say = WORDS();
    const chooseColours = (name: string) => {
      this.colours = name as Colours;
      this.wire.set("colours", name);
    };
    const chosen = choice(say.colours, [["sign", say.sign], ["magnitude", say.magnitude]], () => this.colours, chooseColours);
    this.colourChoice = chosen;
    this.tableButton = make("button", "", { type: "button", "aria-pressed": "false" }, [say.table]);
    this.tableButton.addEventListener("click", () => {
      this.tableShown = !this.tableShown;
      this.tableButton.setAttribute("aria-pressed", String(this.tableShown));
      this.wire.schedule();
    });
    this.element = make("section", "nbt-part nbt-tensors", { "aria-label": say.tensor }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [say.tensor]),
        make("div", "nbt-subtitle", {}, [say.subtitle]),
        make("div", "nbt-options", {}, [chosen.element, make("div", "nbt-choice", {}, [this.tableButton])]),
      ]),
      this.body, this.table, ...this.readout.elements,
    ]);
    wire.watch("shown", () => this.load());
    wire.watch("colours", () => this.readColours());
    wire.on("page", (content, buffers) => this.answer(content, buffers[0]));
    this.readColours();
    try {
      this.load();
    } catch (error) {
      wire.problem = error instanceof Error ? error.message : String(error);
    }
  }

  dispose(): void {
    window.clearTimeout(this.askTimer);
    window.clearTimeout(this.silenceTimer);
    this.readout.dispose();
  }

  private readColours(): void {
    this.colours = this.wire.get("colours") === "magnitude" ? "magnitude" : "sign";
    this.colourChoice.update();
  }

  // ---- what there is ----

  private load(): void {
    const tensors = readTensors(this.wire.get("shown"));
    const layout = (all: readonly TensorData[]) =>
      JSON.stringify(all.map((t) => [t.name, t.shape, t.dtype, t.panels.map((p) => p.role)]));
    if (layout(tensors) === layout(this.blocks.map((block) => block.tensor))) {
      this.blocks.forEach((block, i) => this.replace(block, tensors[i] as TensorData));
    } else {
      this.focus.clear();
      this.active = null;
      this.blocks = tensors.map((tensor, index) => this.build(tensor, index));
      this.body.replaceChildren(...this.blocks.map((block) => block.element));
    }
    this.wire.schedule();
  }

  /** New numbers in the same tensors. */
  private replace(block: Block, tensor: TensorData): void {
    block.tensor = tensor;
    block.wanted = "";
    setText(block.note, tensor.note);
    block.panels.forEach((view, i) => {
      view.panel = tensor.panels[i] as Panel;
      view.made = "";
    });
  }

  private focusOf(tensor: TensorData): Focus {
    const key = tensor.shape.join();
    let focus = this.focus.get(key);
    if (!focus) {
      focus = { lead: tensor.sliders.map(() => 0), window: [0, tensor.rows, 0, tensor.columns], cursor: null };
      this.focus.set(key, focus);
    }
    return focus;
  }

  private build(tensor: TensorData, index: number): Block {
    const say = WORDS();
    const zoomButton = (text: string, label: string, factor: number) => {
      const button = make("button", "", { type: "button", "aria-label": label, title: label }, [text]);
      button.addEventListener("click", () => this.zoom(block, factor));
      return button;
    };
    const sliders = tensor.sliders.map((axis, i) => {
      const input = make("input", "", { type: "range", min: "0", max: String((tensor.shape[axis] ?? 1) - 1), value: "0" });
      input.setAttribute("aria-label", `${tensor.name}, ${say.axis} ${axis}`);
      const output = make("output");
      input.addEventListener("input", () => {
        this.focusOf(block.tensor).lead[i] = Number(input.value);
        this.wire.schedule();
      });
      return { input, output, element: make("label", "nbt-slider", {}, [`${say.axis} ${axis}`, input, output]) };
    });
    const facts = make("span", "nbt-fact-line");
    const note = make("div", "nbt-fact-line", {}, [tensor.note]);
    const zoom = make("div", "nbt-choice nbt-zoom", { role: "group" }, [
      zoomButton("−", say.zoomOut, 1 / ZOOM), zoomButton("+", say.zoomIn, ZOOM),
    ]);
    const panels = tensor.panels.map((panel) => this.buildPanel(panel, () => block));
    const block: Block = {
      index, tensor, facts, note, zoom, sliders, panels, asked: 0, wanted: "",
      element: make("div", "nbt-tensor", {}, [
        make("div", "nbt-tensor-head", {}, [
          make("span", "nbt-name", {}, [tensor.name]), facts, make("div", "nbt-options", {}, [zoom]),
        ]),
        ...(sliders.length ? [make("div", "nbt-sliders", {}, sliders.map((slider) => slider.element))] : []),
        make("div", "nbt-panels", {}, panels.map(({ grid, label, low, ramp, high, facts: line }) =>
          make("div", "nbt-panel", {}, [
            label, grid.element,
            make("div", "nbt-panel-foot", {}, [make("span", "nbt-legend", {}, [low, ramp, high]), line]),
          ]))),
        note,
      ]),
    };
    return block;
  }

  private buildPanel(panel: Panel, owner: () => Block): PanelView {
    const grid = new Grid(WORDS().grid(roleName(panel.role)), (cell, pressed) => {
      const block = owner();
      this.point(block, view, cell);
      if (pressed && cell >= 0) this.zoom(block, ZOOM);
    }, (event) => this.key(owner(), view, event));
    const view: PanelView = {
      panel, grid, sheet: null, drawing: null, made: "", label: make("div", "nbt-label", {}, [roleName(panel.role)]),
      ramp: make("span", "nbt-ramp"), low: make("span"), high: make("span"), facts: make("span"),
    };
    return view;
  }

  // ---- painting ----

  update(theme: Theme): void {
    this.theme = theme;
    const room = this.body.clientWidth;
    for (const block of this.blocks) this.paint(block, theme, room);
    this.table.hidden = !this.tableShown;
    if (this.tableShown) this.fillTable();
    this.paintCursor();
  }

  private paint(block: Block, theme: Theme, room: number): void {
    const say = WORDS();
    const { tensor } = block;
    const focus = this.focusOf(tensor);
    const [top, bottom, left, right] = focus.window;
    const full = bottom - top === tensor.rows && right - left === tensor.columns;
    block.sliders.forEach(({ input, output }, i) => {
      if (input.value !== String(focus.lead[i])) input.value = String(focus.lead[i]);
      setText(output, `${focus.lead[i]} / ${(tensor.shape[tensor.sliders[i] ?? 0] ?? 1) - 1}`);
    });
    const beside = room >= WIDE && block.panels.length > 1 ? Math.min(2, block.panels.length) : 1;
    const space = Math.floor((room - 28 * (beside - 1)) / beside);
    const drawings: [PanelView, Drawing][] = [];
    let blocked = false;
    let missing = false;
    for (const view of block.panels) {
      const sheet = this.sheetFor(block, view, focus, space);
      if (sheet !== null) {
        blocked ||= sheet.block[0] * sheet.block[1] > 1;
        drawings.push([view, this.drawingOf(view, sheet, tensor)]);
      }
      missing ||= !this.current(view, focus);
      this.legend(view, theme, tensor);
    }
    // Value and gradient have the same layout.
    const characters = Math.max(0, ...drawings.map(([, drawing]) => longest(drawing)));
    for (const [view, drawing] of drawings) {
      drawing.characters = characters;
      view.grid.draw(theme, drawing, space, this.colours);
    }
    block.zoom.hidden = full && !blocked;
    const shape = tensor.shape.length === 1 ? `(${tensor.shape[0]},)` : `(${tensor.shape.join(", ")})`;
    const { sheet } = block.panels[0] ?? {};
    const parts = [`${tensor.dtype} ${shape}`];
    if (!full) parts.push(say.region(top, bottom - 1, left, right - 1));
    if (sheet && blocked) parts.push(say.blocks(sheet.block[0], sheet.block[1]));
    setText(block.facts, parts.join(" · "));
    if (missing) this.ask(block, focus);
    else if (block.asked) block.asked = 0;
  }

  private current(view: PanelView, focus: Focus): boolean {
    const { page, whole } = view.panel;
    return whole !== null || !page || (page.lead.join() === focus.lead.join() && page.sheet.window.join() === focus.window.join());
  }

  private sheetFor(block: Block, view: PanelView, focus: Focus, space: number): Sheet | null {
    const { tensor } = block;
    if (tensor.shape.includes(0)) return null;
    if (!view.panel.whole) {
      view.sheet = view.panel.page?.sheet ?? null;
      return view.sheet;
    }
    const most: [number, number] = [380, Math.max(40, space - 40)];
    const key = `${focus.lead.join()} ${focus.window.join()} ${most.join()}`;
    if (view.made !== key || !view.sheet) {
      view.sheet = sheetOf(view.panel, tensor, focus.lead, focus.window, most);
      view.made = key;
    }
    return view.sheet;
  }

  private drawingOf(view: PanelView, sheet: Sheet, tensor: TensorData): Drawing {
    if (view.drawing && (view.drawing as { of?: Sheet }).of === sheet) return view.drawing;
    const { window: region, block, exact } = sheet;
    const drawing: Drawing & { of: Sheet } = {
      ...sheet, of: sheet,
      rowLabel: (_, r) => (tensor.rows > 1 ? String(region[0] + r * block[0]) : ""),
    };
    if (tensor.shape.length) drawing.columnLabel = (_, c) => String(region[2] + c * block[1]);
    if (tensor.facets > 1) drawing.facetLabel = (facet) => `[${facet}]`;
    if (exact) drawing.text = (cell) => shortText(exact.elements.number(exact.at(cell)), exact.elements.text(exact.at(cell)));
    view.drawing = drawing;
    return drawing;
  }

  private legend(view: PanelView, theme: Theme, tensor: TensorData): void {
    const say = WORDS();
    const { stats } = view.panel;
    const count = tensor.shape.reduce((a, b) => a * b, 1);
    const known = stats.scale > 0;
    const sign = this.colours === "sign";
    const [negative, positive] = [stats.min < 0, stats.max > 0];
    view.low.parentElement?.toggleAttribute("hidden", !known);
    if (known) {
      const end = plain(stats.scale);
      setText(view.low, sign && negative ? `−${end}` : "0");
      setText(view.high, sign && !positive ? "0" : end);
      const stops = sign ? theme.palette.diverging.stops : theme.palette.stops;
      const shown = !sign || (negative && positive) ? stops : negative ? stops.slice(0, stops.length / 2 + 1) : stops.slice(stops.length / 2);
      view.ramp.style.background = `linear-gradient(to right, ${shown.join(",")})`;
    }
    const parts: string[] = [];
    if (count === 0) parts.push(say.noElements);
    else if (Number.isNaN(stats.min)) parts.push(say.notFinite);
    else if (stats.min === stats.max) parts.push(say.all(plain(stats.min, 4)));
    else parts.push(say.range(plain(stats.min), plain(stats.max)), say.mean(plain(stats.mean)));
    if (stats.nan) parts.push(`✕ ${format.count(stats.nan)} ${say.nan}`);
    if (stats.inf) parts.push(`▲ ${format.count(stats.inf)} ${say.infinite}`);
    setText(view.facts, parts.join(" · "));
    view.grid.element.hidden = count === 0;
    view.grid.base.element.setAttribute("aria-label",
      say.map(tensor.name, roleName(view.panel.role), `(${tensor.shape.join(", ")})`, parts.join(", ")));
  }

  // ---- regions that the kernel has ----

  private ask(block: Block, focus: Focus): void {
    const wanted = JSON.stringify([focus.lead, focus.window]);
    if (wanted === block.wanted) return;
    block.wanted = wanted;
    setText(block.note, WORDS().wait);
    window.clearTimeout(this.askTimer);
    this.askTimer = window.setTimeout(() => {
      for (const waiting of this.blocks) {
        if (!waiting.wanted) continue;
        waiting.asked = ++this.requests;
        const [lead, region] = JSON.parse(waiting.wanted) as [number[], Window];
        this.wire.post({ op: "page", id: waiting.asked, tensor: waiting.index, lead, window: region });
      }
      window.clearTimeout(this.silenceTimer);
      this.silenceTimer = window.setTimeout(() => {
        for (const waiting of this.blocks) if (waiting.asked) setText(waiting.note, WORDS().saved);
      }, ANSWER_MS);
    }, ASK_MS);
  }

  private answer(content: Record<string, unknown>, buffer: unknown): void {
    const block = this.blocks.find((one) => one.asked > 0 && one.asked === content["id"]);
    const bytes = asBytes(buffer);
    if (!block || !bytes) return;
    const pages = list(content["panels"]).map((raw, i) => {
      const panel = block.panels[i]?.panel;
      return panel ? readPage(record(raw), panel, block.tensor, bytes) : null;
    });
    block.asked = 0;
    block.wanted = "";
    setText(block.note, block.tensor.note);
    block.panels.forEach((view, i) => {
      if (!view.panel.whole) view.panel.page = pages[i] ?? view.panel.page;
    });
    // A cursor that was set while the answer was on its way stood in the region shown before.
    const focus = this.focusOf(block.tensor);
    if (focus.cursor) {
      const [top, bottom, left, right] = focus.window;
      const inside = (at: number, from: number, to: number) => Math.min(Math.max(at, from), to - 1);
      focus.cursor = [focus.cursor[0], inside(focus.cursor[1], top, bottom), inside(focus.cursor[2], left, right)];
    }
    this.wire.schedule();
  }

  private zoom(block: Block, factor: number): void {
    const { tensor } = block;
    const focus = this.focusOf(tensor);
    const [top, bottom, left, right] = focus.window;
    const at = focus.cursor ?? [0, (top + bottom) / 2, (left + right) / 2];
    const span = (from: number, to: number, size: number, middle: number): [number, number] => {
      const length = Math.min(size, Math.max(Math.min(size, 8), Math.ceil((to - from) / factor)));
      const start = Math.round(Math.min(size - length, Math.max(0, middle - length / 2)));
      return [start, start + length];
    };
    focus.window = [...span(top, bottom, tensor.rows, at[1]), ...span(left, right, tensor.columns, at[2])];
    this.wire.schedule();
  }

  // ---- the cursor ----

  private point(block: Block, view: PanelView, cell: number): void {
    const focus = this.focusOf(block.tensor);
    const { sheet } = view;
    if (cell < 0 || !sheet) {
      focus.cursor = null;
    } else {
      const size = sheet.rows * sheet.columns;
      const inner = cell % size;
      focus.cursor = [
        Math.floor(cell / size),
        sheet.window[0] + Math.floor(inner / sheet.columns) * sheet.block[0],
        sheet.window[2] + (inner % sheet.columns) * sheet.block[1],
      ];
      this.active = block;
    }
    this.paintCursor();
  }

  private cellAt(sheet: Sheet, cursor: [number, number, number]): number {
    const [facet, row, column] = cursor;
    const r = Math.floor((row - sheet.window[0]) / sheet.block[0]);
    const c = Math.floor((column - sheet.window[2]) / sheet.block[1]);
    if (r < 0 || c < 0 || r >= sheet.rows || c >= sheet.columns) return -1;
    return (facet * sheet.rows + r) * sheet.columns + c;
  }

  private key(block: Block, view: PanelView, event: KeyboardEvent): boolean {
    if (event.key === "+" || event.key === "=" || event.key === "Enter") return this.zoom(block, ZOOM), true;
    if (event.key === "-" || event.key === "Backspace") return this.zoom(block, 1 / ZOOM), true;
    const { cursor } = this.focusOf(block.tensor);
    const to = view.grid.step(cursor && view.sheet ? this.cellAt(view.sheet, cursor) : -1, event.key);
    if (to < 0) return false;
    this.point(block, view, to);
    return true;
  }

  private paintCursor(): void {
    const { theme, active } = this;
    if (!theme) return;
    const say = WORDS();
    for (const block of this.blocks) {
      const { cursor } = this.focusOf(block.tensor);
      for (const view of block.panels) {
        view.grid.clear();
        if (cursor && view.sheet) view.grid.frame(theme, [this.cellAt(view.sheet, cursor)], true);
      }
    }
    const cursor = active ? this.focusOf(active.tensor).cursor : null;
    if (!active || !cursor) {
      const zoomable = this.blocks.some((block) => !block.zoom.hidden);
      this.readout.show([[say.hint, ""], ...(zoomable ? [[say.zoomHint, ""] as const] : [])]);
      return;
    }
    const { tensor } = active;
    const focus = this.focusOf(tensor);
    const single = active.panels.every((view) => !view.sheet || view.sheet.block.join() === "1,1");
    const pairs: [string, string][] = [["", this.place(tensor, focus, cursor, active.panels[0]?.sheet)]];
    // All tensors of this shape have this cursor.
    for (const block of this.blocks.filter((one) => one.tensor.shape.join() === tensor.shape.join())) {
      for (const view of block.panels) {
        const name = this.blocks.length > 1 ? `${block.tensor.name} ${roleName(view.panel.role)}` : roleName(view.panel.role);
        pairs.push(...this.valueAt(view, cursor, name));
      }
    }
    const index = indexOf(tensor, focus.lead, ...cursor);
    if (single && tensor.strides && index.length) {
      const offset = index.reduce((sum, i, axis) => sum + i * (tensor.strides?.[axis] ?? 0), tensor.offset);
      pairs.push([say.offsetWord, String(offset)]);
    }
    this.readout.show(pairs);
  }

  private place(tensor: TensorData, focus: Focus, cursor: [number, number, number], sheet?: Sheet | null): string {
    const [tall, wide] = sheet?.block ?? [1, 1];
    const index: (number | string)[] = indexOf(tensor, focus.lead, ...cursor);
    const range = (from: number, length: number, end: number) => (length > 1 ? `${from}:${Math.min(end, from + length)}` : from);
    if (index.length > 0) index[index.length - 1] = range(cursor[2], wide, focus.window[3]);
    if (index.length > 1) index[index.length - 2] = range(cursor[1], tall, focus.window[1]);
    return `${tensor.name}[${index.join(", ")}]`;
  }

  private valueAt(view: PanelView, cursor: [number, number, number], name: string): [string, string][] {
    const say = WORDS();
    const { sheet, panel } = view;
    const cell = sheet ? this.cellAt(sheet, cursor) : -1;
    if (!sheet || cell < 0) return [];
    if (sheet.exact) {
      const at = sheet.exact.at(cell);
      const text = sheet.exact.elements.text(at);
      const double = floatText(sheet.exact.elements.number(at), "float64");
      const more = /^f[24]$/.test(panel.code) && double !== text;
      return [[name, text], ...(more ? [[say.asDouble(double), ""] as [string, string]] : [])];
    }
    const ends = [sheet.levels[cell] ?? 0, sheet.least?.[cell] ?? 0].map((level) => level * panel.stats.scale);
    const flag = sheet.flags[cell] ?? 0;
    const marks = `${flag & NAN ? ` · ${say.nan}` : ""}${flag & INF ? ` · ${say.infinite}` : ""}`;
    const [low, high] = [Math.min(...ends), Math.max(...ends)];
    return [[name, say.around(format.measure(low, 2), format.measure(high, 2)) + marks]];
  }

  // ---- the same as a table ----

  private fillTable(): void {
    const say = WORDS();
    const rows: HTMLElement[] = [];
    let left = 0;
    for (const block of this.blocks) {
      const { tensor } = block;
      const focus = this.focusOf(tensor);
      const first = block.panels[0]?.sheet;
      if (!first) continue;
      const count = first.facets * first.rows * first.columns;
      left += Math.max(0, count - TABLE_ROWS);
      for (let cell = 0; cell < Math.min(count, TABLE_ROWS); cell++) {
        const inner = cell % (first.rows * first.columns);
        const cursor: [number, number, number] = [
          Math.floor(cell / (first.rows * first.columns)),
          first.window[0] + Math.floor(inner / first.columns) * first.block[0],
          first.window[2] + (inner % first.columns) * first.block[1],
        ];
        rows.push(make("tr", "", {}, [
          make("th", "", { scope: "row" }, [this.place(tensor, focus, cursor, first)]),
          ...["value", "gradient"].map((role) => make("td", "", {}, [
            block.panels.filter((view) => view.panel.role.startsWith(role))
              .map((view) => this.valueAt(view, cursor, "")[0]?.[1] ?? "").join(" , ") || "–",
          ])),
        ]));
      }
    }
    if (left) rows.push(make("tr", "", {}, [make("th", "", { scope: "row" }, [say.more(left)])]));
    const key = rows.map((row) => row.textContent).join();
    if (this.table.dataset["key"] === key) return;
    this.table.dataset["key"] = key;
    this.table.replaceChildren(make("table", "nbt-table", {}, [
      make("thead", "", {}, [make("tr", "", {}, [say.index, say.value, say.gradient].map((text) => make("th", "", { scope: "col" }, [text])))]),
      make("tbody", "", {}, rows),
    ]));
  }
}

/** A number for a cell of 40 pixels. */
export function shortText(value: number, exact: string): string {
  if (exact === "True" || exact === "False") return exact;
  if (/^-?\d+$/.test(exact) && exact.length <= 6) return exact.replace("-", "−");
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "▲∞" : "▼−∞";
  if (/^-?\d+\.0$/.test(exact) && exact.length <= 6) return exact.slice(0, -2).replace("-", "−");
  if (exact.length <= 5) return exact.replace("-", "−");
  const size = Math.abs(value);
  if (size < 1e-3) return format.measure(value, 1);
  if (size >= 1e5) return format.measure(value, 2);
  return value.toFixed(size < 1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0).replace("-", "−");
}

/** A measurement without zeros at its end. */
export function plain(value: number, digits = 3): string {
  return format.measure(value, digits).replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "");
}
