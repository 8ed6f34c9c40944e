import { hatch, Layer } from "../canvas";
import { make, setText } from "../dom";
import * as format from "../format";
import { FROZEN, INF, NAN, NO_GRAD, ZERO } from "../protocol";
import { axisEnd, decades, logRange, ticks, type LogRange } from "../scale";
import { changesAt, markChanges } from "../runbar/timeline";
import type { RunStore } from "../store";
import type { Theme } from "../theme";
import { UpdateHistory } from "../updates";
import type { Part } from "../view";
import { Cells } from "./cells";
import { Controls } from "./controls";
import { matching } from "./filter";
import { AXIS, ends, GAP, LABEL, NARROW, RECENT, rowHeight, span, stepAt, type Geometry, type Window } from "./geometry";
import { NormGrid, type Grid, type Quantity } from "./grid";
import { Labels } from "./labels";
import { drawMark, special } from "./marks";
import { NormTable } from "./table";
import { WORDS } from "./words";

const ALARM = NAN | INF;
const FEED = "updates";

/** Norms, one row a parameter and one column a sampled step, coloured on a logarithmic scale. */
export class Seismograph implements Part {
  readonly element: HTMLElement;
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
  private readonly cells = new Cells();
  private readonly plot: HTMLElement;
  private readonly scroll: HTMLElement;
  private readonly tip = make("div", "nbt-tip", { role: "status", hidden: "" });
  private readonly empty = make("div", "nbt-empty");
  private readonly low = make("span");
  private readonly high = make("span");
  private readonly ramp = make("span", "nbt-ramp");
  private readonly legend: HTMLElement;
  private readonly foot: HTMLElement;
  private readonly marks = make("div", "nbt-marks");
  private readonly controls: Controls;
  private readonly updates: UpdateHistory;
  private readonly grids: Record<Quantity, Grid>;
  private readonly table: NormTable;
  private readonly labels: Labels;
  private shownRows: Int32Array;
  private tabular = false;
  private quantity: Quantity = "gradient";
  private window: Window = "all";
  private scale: Window = "all";
  private cursor: { row: number; step: number } | null = null;
  private dragging = false;
  private revealed: string | null = null;
  private geometry: Geometry | null = null;
  private theme: Theme | null = null;
  private visible = false;
  private wanting = false;
  private shownMarks = "";
  private described = -Infinity;
  private timer = 0;

  constructor(private readonly store: RunStore) {
    const text = WORDS();
    const { names } = store.meta;
    this.shownRows = matching(names, "");
    this.updates = new UpdateHistory(names.length);
    store.feed(FEED, (header, buffers) => this.updates.take(header, buffers));
    const { history } = store;
    const isFrozen = (parameter: number) =>
      Boolean((history.flags[Math.max(0, history.length - 1) * names.length + parameter] ?? 0) & FROZEN);
    this.grids = {
      gradient: history,
      weight: new NormGrid(this.updates, "weight", isFrozen),
      update: new NormGrid(this.updates, "update", isFrozen),
    };
    this.labels = new Labels(names);
    this.table = new NormTable(names, (parameter) => this.pick(parameter));
    this.table.element.hidden = true;
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", "nbt-plot", { tabindex: "0", role: "application" }, [
      this.base.element, this.over.element, this.empty, this.tip,
    ]);
    const changed = <T>(set: (value: T) => void) => (value: T) => {
      set(value);
      this.store.schedule();
    };
    this.controls = new Controls({
      quantity: changed((quantity) => {
        this.quantity = quantity;
        this.want();
      }),
      window: changed((window) => (this.window = this.scale = window)),
      scale: changed((scale) => (this.scale = scale)),
      filter: changed((filter) => {
        this.shownRows = matching(names, filter);
        this.setCursor(null);
      }),
      table: () => {
        this.tabular = !this.tabular;
        this.store.schedule();
      },
      newest: () => store.selection.choose({ step: null }),
    });
    this.legend = make("div", "nbt-legend", {}, [this.low, this.ramp, this.high]);
    this.foot = make("div", "nbt-foot", {}, [this.legend, this.controls.scale, this.marks]);
    this.scroll = make("div", "nbt-scroll", {}, [this.plot, this.table.element]);
    this.element = make("section", "nbt-part nbt-map", { "aria-label": text.part }, [
      this.controls.head, this.scroll, this.foot,
    ]);
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerdown", (event) => this.press(event));
    for (const end of ["pointerup", "pointercancel"]) this.plot.addEventListener(end, () => (this.dragging = false));
    this.plot.addEventListener("pointerleave", () => this.setCursor(null));
    this.plot.addEventListener("blur", () => this.setCursor(null));
    this.plot.addEventListener("keydown", (event) => this.move(event));
    this.element.addEventListener("keydown", (event) => this.escape(event));
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.want();
  }

  dispose(): void {
    this.shown(false);
    window.clearTimeout(this.timer);
  }

  update(theme: Theme): void {
    const { store, tabular } = this;
    this.theme = theme;
    if (this.grid instanceof NormGrid) this.grid.sync();
    const text = WORDS();
    const old = store.selection.step !== null;
    const all = store.meta.names.length;
    const sample = this.sample();
    const at = text.at(format.count(this.grid.steps[Math.max(0, sample)] ?? 0));
    const parts = [
      this.shownRows.length < all ? text.matching(this.shownRows.length, all) : "", old && this.grid.length > 0 ? at : "",
    ].filter(Boolean);
    const title = text.title[this.quantity];
    this.controls.show(this.quantity, this.window, this.scale, tabular, title, parts.join(", ") || text.scaled, old);
    this.plot.setAttribute("aria-label", `${title}; ${text.hint}`);
    this.plot.hidden = this.foot.hidden = tabular;
    this.table.element.hidden = !tabular;
    if (!tabular) this.draw(theme, sample);
    else if (!this.table.fill(this.grid, this.shownRows, sample, old ? at : text.columns[1] ?? "", this.isChosen, store.active)) {
      this.later(250);
    }
  }

  // ---- what is shown ----

  private get grid(): Grid {
    return this.grids[this.quantity];
  }

  private readonly isChosen = (name: string): boolean => this.store.selection.has(name);

  /** The row of the grid that the chosen step stands for, or the newest; -1 if there is none. */
  private sample(): number {
    const { step } = this.store.selection;
    return step === null ? this.grid.length - 1 : Math.min(this.grid.length - 1, Math.max(0, this.grid.rowAt(step)));
  }

  /** Say whether the feed of updates is needed. */
  private want(): void {
    const wanting = this.visible && this.quantity !== "gradient";
    if (wanting === this.wanting) return;
    this.wanting = wanting;
    this.store.want(FEED, wanting);
  }

  private later(milliseconds: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.store.schedule(), milliseconds);
  }

  /** The step that column positions are counted from and the first row of the grid shown. */
  private extent(): Pick<Geometry, "firstStep" | "lastStep" | "firstRow"> {
    const { grid } = this;
    const { header } = this.store;
    const last = Math.max(grid.lastStep, 1);
    if (this.window === "all") return { firstStep: 0, lastStep: axisEnd(Math.max(last, header.step), header.total), firstRow: 0 };
    const firstRow = Math.max(0, grid.length - RECENT);
    return { firstStep: Math.max(0, (grid.steps[firstRow] ?? 1) - 1), lastStep: last, firstRow };
  }

  // ---- the base layer: everything but the cursor ----

  private draw(theme: Theme, sample: number): void {
    const { grid, shownRows } = this;
    const { meta, selection } = this.store;
    const rows = shownRows.length;
    const parameters = meta.names.length;
    const width = this.scroll.clientWidth;
    const row = rowHeight(rows);
    const bottom = Math.max(48, rows * row);
    const context = this.base.reset(width, bottom + AXIS);
    const size = row >= 15 ? LABEL : 11;
    const font = (bold: boolean) => `${bold ? "600 " : ""}${size}px ${theme.mono}`;
    context.font = font(true);
    const textWidth = (text: string) => context.measureText(text).width;
    // The place of the labels doesn't change with the filter.
    const widest = this.labels.widest(context.font, width, textWidth);
    const values = width >= NARROW && row >= LABEL ? Math.ceil(textWidth("0.00e−00")) + GAP : 0;
    const geometry: Geometry = {
      left: Math.ceil(widest) + GAP, right: width - values, row, bottom, ...this.extent(),
    };
    this.geometry = geometry;

    const first = this.scale === "recent" ? Math.max(0, grid.length - RECENT) : 0;
    const range = logRange(ends(grid, parameters, shownRows, first));
    this.cells.draw(context, theme, geometry, grid, parameters, shownRows, range);
    this.drawAxis(context, theme, geometry);

    context.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(LABEL / row));
    const chosen = [...shownRows].findIndex((parameter) => this.isChosen(meta.names[parameter] ?? ""));
    shownRows.forEach((parameter, i) => {
      const name = meta.names[parameter] ?? "";
      const isChosen = selection.name !== null && this.isChosen(name);
      if (isChosen) {
        context.fillStyle = theme.accent;
        context.fillRect(geometry.left - 6, i * row + Math.min(1, row / 4), 3, Math.max(1.5, row - 2));
      }
      // The first and the last label stay inside the plot where rows are lower than letters.
      const y = Math.min(Math.max((i + 0.5) * row + 0.5, LABEL / 2), bottom + AXIS - LABEL);
      const crowded = every > 1 && chosen >= 0 && i !== chosen && Math.abs(i - chosen) < every;
      if ((i % every === 0 && !crowded) || i === chosen) {
        context.font = font(isChosen);
        context.textAlign = "right";
        context.fillStyle = isChosen ? theme.accent : theme.text;
        context.fillText(this.labels.fit(parameter, widest, textWidth), geometry.left - GAP, y);
      }
      if (values && sample >= 0) {
        const at = sample * parameters + parameter;
        const flag = grid.flags[at] ?? 0;
        context.font = font(false);
        context.textAlign = "right";
        context.fillStyle = flag & ALARM ? theme.palette.alarm : theme.muted;
        context.fillText(special(flag) ?? format.measure(grid.norms[at] ?? NaN), width, y);
      }
    });
    this.foot.style.paddingLeft = width < NARROW ? "0" : `${geometry.left}px`;
    this.showLegend(theme, range);
    this.describe(range);
    const text = WORDS();
    this.empty.hidden = grid.length > 0 && rows > 0;
    setText(this.empty, rows === 0 ? text.nothing
      : this.quantity === "gradient" || this.store.active ? text.waiting[this.quantity] : text.unmeasured);
    this.empty.style.left = `${geometry.left}px`;
    this.empty.style.width = `${geometry.right - geometry.left}px`;
    this.empty.style.top = `${Math.max(0, bottom / 2 - 10)}px`;
    this.reveal(chosen, row);
    this.drawOver();
  }

  /** Bring a row that was chosen elsewhere into sight, once. */
  private reveal(chosen: number, row: number): void {
    const { name } = this.store.selection;
    if (name === this.revealed) return;
    this.revealed = name;
    if (name === null || chosen < 0) return;
    const y = chosen * row;
    const { scrollTop, clientHeight } = this.scroll;
    if (y < scrollTop || y + row > scrollTop + clientHeight) this.scroll.scrollTop = y - clientHeight / 2;
  }

  private drawAxis(context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry): void {
    const { left, right, bottom, firstStep, lastStep } = geometry;
    context.font = `11px ${theme.font}`;
    context.textBaseline = "alphabetic";
    context.fillStyle = theme.muted;
    const scale = (right - left) / Math.max(1, lastStep - firstStep);
    const most = Math.max(4, Math.floor((right - left) / 80));
    const { step } = this.store.selection;
    const taken = step === null ? -Infinity : left + (step - firstStep - 0.5) * scale; // the chosen step's number stands there
    for (const mark of ticks(Math.max(1, firstStep), lastStep, most)) {
      if (mark === 0) continue;
      const x = left + (mark - firstStep - 0.5) * scale;
      const text = format.count(mark);
      const half = context.measureText(text).width / 2;
      context.fillRect(Math.round(x), bottom + 2, 1, 4);
      if (Math.abs(x - taken) < 2 * half + 14) continue;
      context.textAlign = "left";
      context.fillText(text, Math.min(Math.max(left, x - half), right - 2 * half), bottom + 17);
    }
    context.textAlign = "right";
    if (left > 40) context.fillText(WORDS().step, left - GAP, bottom + 17);
    markChanges(context, theme, this.store, (step) => left + (step - firstStep) * scale, left, right, bottom);
  }

  // ---- legend and words ----

  private showLegend(theme: Theme, range: LogRange | null): void {
    this.legend.style.visibility = this.controls.scale.style.visibility = range ? "visible" : "hidden";
    if (range) {
      setText(this.low, format.roundMagnitude(range.low));
      setText(this.high, format.roundMagnitude(range.high));
      const marks = decades(range, 6).filter((d) => d > range.low + 0.05 && d < range.high - 0.05);
      const lines = marks.map((d) => {
        const at = ((d - range.low) / (range.high - range.low)) * 100;
        return `linear-gradient(${theme.surface}, ${theme.surface}) ${at}% 0 / 1px 100% no-repeat`;
      });
      const background = [...lines, `linear-gradient(to right, ${theme.palette.stops.join(",")})`].join(",");
      if (this.ramp.dataset["background"] !== background) {
        this.ramp.dataset["background"] = background;
        this.ramp.style.background = background;
      }
    }
    const { marks, length } = this.grid;
    let seen = 0;
    for (let row = 0; row < length; row++) seen |= marks[row] ?? 0;
    const key = `${this.quantity} ${seen} ${theme.surface}`; // the swatches are drawn again when the theme changes
    if (key === this.shownMarks) return;
    this.shownMarks = key;
    const swatch = (flag: number, text: string) => {
      const layer = new Layer("");
      const context = layer.reset(18, 10);
      drawMark(context, theme, flag, hatch(context, theme.palette.alarm, theme.surface), 0, 0, 18, 10);
      return make("span", "nbt-mark", {}, [layer.element, text]);
    };
    const text = WORDS();
    const none = this.quantity === "gradient" ? text.none : text.unchanged;
    const known: [number, string][] = [[NAN, text.nan], [INF, text.infinite], [ZERO, text.zero], [NO_GRAD, none]];
    this.marks.replaceChildren(...known.filter(([flag]) => seen & flag).map(([flag, word]) => swatch(flag, word)));
  }

  /** Words for those who don't see the picture, once a second at most. */
  private describe(range: LogRange | null): void {
    const now = performance.now();
    const wait = this.described + 1000 - now;
    window.clearTimeout(this.timer);
    if (wait > 0 && this.store.active) {
      this.later(wait);
      return;
    }
    this.described = now;
    const { grid } = this;
    const { meta, selection } = this.store;
    const text = WORDS();
    const title = text.title[this.quantity];
    const newest = (grid.length - 1) * meta.names.length;
    const broken = [...this.shownRows].filter((i) => (grid.flags[newest + i] ?? 0) & ALARM).map((i) => meta.names[i] ?? "");
    const words = range
      ? text.mapOf(title, this.shownRows.length, grid.length, format.roundMagnitude(range.low), format.roundMagnitude(range.high)) +
        (broken.length ? text.broken(broken.join(", ")) : "") + (selection.name === null ? "" : text.chosen(selection.name))
      : text.still(title);
    this.base.element.setAttribute("aria-label", words);
  }

  // ---- choosing ----

  private press(event: PointerEvent): void {
    const { geometry } = this;
    if (!geometry || event.button !== 0) return;
    const { x, y } = this.place(event);
    const parameter = this.shownRows[Math.floor(y / geometry.row)];
    if (y < geometry.bottom && parameter !== undefined) this.pick(parameter, x >= geometry.left);
    if (x < geometry.left || x >= geometry.right || this.grid.length === 0) return;
    this.dragging = true;
    this.plot.setPointerCapture(event.pointerId);
    this.scrub(x);
  }

  /** Choose a parameter; once more, and it isn't chosen any more. */
  private pick(parameter: number, keep = false): void {
    const { selection, meta } = this.store;
    const name = meta.names[parameter] ?? null;
    this.revealed = name;
    selection.choose({ name: !keep && name === selection.name ? null : name });
  }

  /** Choose the sampled step at `x`; the newest isn't chosen but followed. */
  private scrub(x: number): void {
    const { geometry, grid } = this;
    if (!geometry || grid.length === 0) return;
    this.chooseSample(grid.rowAt(stepAt(geometry, Math.min(x, geometry.right - 1))));
  }

  private chooseSample(row: number): void {
    const { grid } = this;
    const to = Math.min(grid.length - 1, Math.max(0, row));
    this.store.selection.choose({ step: to === grid.length - 1 ? null : (grid.steps[to] ?? null) });
  }

  private escape(event: KeyboardEvent): void {
    const { selection } = this.store;
    if (event.key !== "Escape" || (selection.step === null && selection.name === null)) return;
    event.stopPropagation();
    if (selection.step !== null) selection.choose({ step: null });
    else selection.choose({ name: null });
  }

  // ---- the cursor ----

  private place(event: PointerEvent): { x: number; y: number } {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private point(event: PointerEvent): void {
    const { geometry } = this;
    if (!geometry) return;
    const { x, y } = this.place(event);
    if (this.dragging) this.scrub(x);
    const row = Math.floor(y / geometry.row);
    const inside = x >= geometry.left && x < geometry.right && y >= 0 && row < this.shownRows.length;
    this.setCursor(inside ? { row, step: stepAt(geometry, x) } : null);
    this.plot.style.cursor = inside || (y >= geometry.bottom && x >= geometry.left) ? "crosshair" : x < geometry.left ? "pointer" : "";
  }

  private move(event: KeyboardEvent): void {
    const { grid, shownRows } = this;
    const { selection, meta } = this.store;
    if (event.ctrlKey || event.metaKey || event.altKey || grid.length === 0 || shownRows.length === 0) return;
    const at = this.cursor ?? {
      row: Math.max(0, shownRows.findIndex((i) => this.isChosen(meta.names[i] ?? ""))),
      step: selection.step ?? grid.lastStep,
    };
    const sample = grid.rowAt(at.step);
    const first = this.geometry?.firstRow ?? 0;
    const to = (index: number) => grid.steps[Math.min(grid.length - 1, Math.max(first, index))] ?? at.step;
    switch (event.key) {
      case "ArrowLeft": at.step = to(sample - 1); break;
      case "ArrowRight": at.step = to(sample + 1); break;
      case "ArrowUp": at.row = Math.max(0, at.row - 1); break;
      case "ArrowDown": at.row = Math.min(shownRows.length - 1, at.row + 1); break;
      case "Home": at.step = to(first); break;
      case "End": at.step = to(grid.length - 1); break;
      case "Enter": break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.setCursor({ ...at });
    // Once a step is chosen, the cursor takes the choice along.
    if (event.key === "Enter") this.pick(shownRows[at.row] ?? 0, true);
    if (event.key === "Enter" || selection.step !== null) this.chooseSample(grid.rowAt(at.step));
  }

  private setCursor(cursor: { row: number; step: number } | null): void {
    this.cursor = cursor;
    if (this.geometry && !this.tabular) this.drawOver();
  }

  /** The overlay: the chosen step, a frame around the cell under the cursor, and its exact value beside it. */
  private drawOver(): void {
    const { cursor, geometry, theme, grid, shownRows } = this;
    const { meta, selection } = this.store;
    const context = this.over.reset(this.base.width, this.base.height);
    if (geometry && theme && selection.step !== null && grid.length > 0) this.drawChosen(context, theme, geometry);
    const sample = cursor ? grid.rowAt(cursor.step) : -1;
    const parameter = cursor ? shownRows[cursor.row] : undefined;
    if (!cursor || !geometry || !theme || parameter === undefined || sample < geometry.firstRow || cursor.step > geometry.lastStep) {
      this.tip.hidden = true;
      return;
    }
    const { left, right, row, bottom, firstStep, lastStep } = geometry;
    const [x0, x1] = span(grid, geometry, sample);
    const y = cursor.row * row;
    const end = Math.min(right, left + ((grid.lastStep - firstStep) * (right - left)) / Math.max(1, lastStep - firstStep));
    for (const [colour, thickness] of [[theme.surface, 2], [theme.text, 1]] as const) {
      context.fillStyle = colour;
      context.globalAlpha = 0.7;
      for (const edge of [y, y + row]) context.fillRect(left, edge - thickness / 2, end - left, thickness);
      context.fillRect((x0 + x1 - thickness) / 2, 0, thickness, bottom);
    }
    context.globalAlpha = 1;
    for (const [colour, thickness] of [[theme.surface, 3], [theme.text, 1.5]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.strokeRect(x0, y, x1 - x0, row);
    }

    const text = WORDS();
    const at = sample * meta.names.length + parameter;
    const flag = grid.flags[at] ?? 0;
    const none = this.quantity === "gradient" ? text.none : text.unchanged;
    const value = flag & NO_GRAD ? (flag & FROZEN ? text.frozenLong : none)
      : special(flag) ?? format.measure(grid.norms[at] ?? NaN, 6);
    const { history } = this.store;
    const step = grid.steps[sample] ?? 0;
    const loss = history.loss[Math.max(0, history.rowAt(step))] ?? NaN;
    this.tip.replaceChildren(
      make("b", "", {}, [meta.names[parameter] ?? ""]),
      make("span", "", {}, [`${text.step} ${format.count(step)} · `]), value, make("br"),
      make("span", "", {}, [Number.isNaN(loss) ? "" : `${meta.lossName} ${format.measure(loss, 4)}`]),
      ...changesAt(this.store, step, grid.steps[sample + 1] ?? Infinity).map((change) => make("div", "", {}, [change])),
    );
    this.tip.hidden = false;
    const width = this.tip.offsetWidth;
    const height = this.tip.offsetHeight;
    const tipX = x1 + 10 + width <= this.base.width ? x1 + 10 : Math.max(0, x0 - 10 - width);
    const tipY = Math.max(0, Math.min(y + row / 2 - height / 2, this.base.height - height));
    this.tip.style.transform = `translate(${Math.round(tipX)}px, ${Math.round(tipY)}px)`;
  }

  /** The chosen step: a line through all rows, and its number on the axis. */
  private drawChosen(context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry): void {
    const { grid } = this;
    const { bottom, left, right } = geometry;
    const sample = this.sample();
    if (sample < geometry.firstRow) return; // before the window
    const [x0, x1] = span(grid, geometry, sample);
    const x = Math.round((x0 + x1) / 2);
    for (const [colour, thickness] of [[theme.surface, 5], [theme.accent, 2]] as const) {
      context.fillStyle = colour;
      context.fillRect(x - thickness / 2, 0, thickness, bottom + 4);
    }
    const text = format.count(grid.steps[sample] ?? 0);
    context.font = `600 11px ${theme.font}`;
    const width = context.measureText(text).width + 10;
    const from = Math.min(Math.max(left, x - width / 2), right - width);
    context.fillStyle = theme.accent;
    context.beginPath();
    context.roundRect(from, bottom + 4, width, 17, 4);
    context.fill();
    context.fillStyle = theme.surface;
    context.textBaseline = "alphabetic";
    context.textAlign = "center";
    context.fillText(text, from + width / 2, bottom + 16.5);
  }
}
