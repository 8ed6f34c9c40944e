import { Layer } from "../canvas";
import { make, setText } from "../dom";
import * as format from "../format";
import { interpolate } from "../palette";
import type { RunStore } from "../store";
import type { Theme } from "../theme";
import type { Part } from "../view";
import { BINS, HistogramHistory, KINDS, ValueScale, type Kind, type Row, type Units } from "./history";
import { WORDS } from "./words";

const FACET = 210; // px, the least width of a facet
const GAP = 20;
const HEAD = 34; // px for a facet's name and numbers
const PLOT = 100; // px for its ridges
const FOOT = 26; // px for its axis and the space below
const RIDGES = 20;
const RISE = 3.2; // how many ridges' distances the highest one is high
const CELL = 14; // px, the greatest size of a unit in a map

type Look = "ridges" | "map";
type Axis = "linear" | "symlog";

interface Grid {
  columns: number;
  width: number;
  height: number;
}

/** Histograms over time, a facet a tensor; or a map of each layer's dead and saturated units. */
export class Ridgelines implements Part {
  readonly element: HTMLElement;
  private readonly history = new HistogramHistory();
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
  private readonly plot: HTMLElement;
  private readonly scroll: HTMLElement;
  private readonly foot: HTMLElement;
  private readonly ramp = make("span", "nbt-ramp");
  private readonly from = make("span");
  private readonly to = make("span");
  private readonly marks = make("div", "nbt-marks");
  private readonly tip = make("div", "nbt-tip", { hidden: "" });
  private readonly empty = make("div", "nbt-empty");
  private readonly picker = make("div", "nbt-picker", { role: "group", hidden: "" });
  private readonly buttons: Record<Kind | Look | Axis | "pick" | "table", HTMLButtonElement>;
  private readonly axes: HTMLElement;
  private readonly looks: HTMLElement;
  private table: HTMLTableElement | null = null;
  private look: Look = "ridges";
  private axis: Axis = "linear";
  private cursor: { facet: number; x: number | null } | null = null;
  private grid: Grid | null = null;
  private theme: Theme | null = null;
  private pickable = "";
  private described = -Infinity;

  constructor(private readonly store: RunStore) {
    const text = WORDS();
    store.feed("histograms", (header, buffers) => this.history.take(header, buffers));
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", "nbt-plot", { tabindex: "0", role: "application", "aria-label": text.keys }, [
      this.base.element, this.over.element, this.empty, this.tip,
    ]);
    const option = (label: string, action: () => void) => {
      const button = make("button", "", { type: "button", "aria-pressed": "false" }, [label]);
      button.addEventListener("click", action);
      return button;
    };
    const change = (action: () => void) => () => {
      action();
      this.store.schedule();
    };
    this.buttons = {
      gradients: option(text.gradients, () => this.ask("gradients", null)),
      weights: option(text.weights, () => this.ask("weights", null)),
      activations: option(text.activations, () => this.ask("activations", null)),
      ridges: option(text.ridges, change(() => (this.look = "ridges"))),
      map: option(text.map, change(() => (this.look = "map"))),
      linear: option(text.linear, change(() => (this.axis = "linear"))),
      symlog: option(text.symlog, change(() => (this.axis = "symlog"))),
      pick: option(text.pick, change(() => (this.picker.hidden = !this.picker.hidden))),
      table: option(text.table, () => this.toggleTable()),
    };
    const { buttons } = this;
    const group = (label: string, members: HTMLButtonElement[]) => make("div", "nbt-choice", { role: "group", "aria-label": label }, members);
    this.looks = group(text.looks, [buttons.ridges, buttons.map]);
    this.axes = group(text.axes, [buttons.linear, buttons.symlog]);
    this.foot = make("div", "nbt-foot", {}, [make("div", "nbt-legend", {}, [this.from, this.ramp, this.to]), this.marks]);
    this.scroll = make("div", "nbt-scroll", {}, [this.plot]);
    this.element = make("section", "nbt-part nbt-map nbt-ridges", { "aria-label": text.region }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [text.title]),
        make("div", "nbt-subtitle", {}, [text.subtitle]),
        make("div", "nbt-options", {}, [
          group(text.kinds, KINDS.map((kind) => buttons[kind])), this.looks, this.axes,
          make("div", "nbt-choice", {}, [buttons.pick]), make("div", "nbt-choice", {}, [buttons.table]),
        ]),
      ]),
      this.picker, this.scroll, this.foot,
    ]);
    this.picker.addEventListener("keydown", (event) => {
      if (event.key === " ") event.stopPropagation(); // ticks a box; elsewhere in the widget it pauses the run
    });
    this.plot.addEventListener("pointermove", (event) => this.setCursor(this.place(event)));
    this.plot.addEventListener("pointerleave", () => this.setCursor(null));
    this.plot.addEventListener("blur", () => this.setCursor(null));
    this.plot.addEventListener("click", (event) => this.select(this.place(event)?.facet));
    this.plot.addEventListener("keydown", (event) => this.move(event));
  }

  shown(visible: boolean): void {
    this.store.want("histograms", visible);
  }

  dispose(): void {}

  update(theme: Theme): void {
    this.theme = theme;
    const { buttons, history } = this;
    for (const kind of KINDS) buttons[kind].setAttribute("aria-pressed", String(kind === history.show));
    const map = this.look === "map" && history.show === "activations";
    for (const look of ["ridges", "map"] as const) buttons[look].setAttribute("aria-pressed", String((look === "map") === map));
    for (const axis of ["linear", "symlog"] as const) buttons[axis].setAttribute("aria-pressed", String(axis === this.axis));
    buttons.pick.setAttribute("aria-pressed", String(!this.picker.hidden));
    buttons.pick.setAttribute("aria-expanded", String(!this.picker.hidden));
    this.looks.hidden = history.show !== "activations";
    this.axes.hidden = map;
    this.fillPicker();
    if (this.table) this.fillTable(this.table);
    else this.draw(theme, map);
  }

  // ---- what is shown ----

  private ask(show: Kind, names: string[] | null): void {
    this.store.post({ op: "histograms", show, names });
  }

  private toggleTable(): void {
    if (this.table) {
      this.table.remove();
      this.table = null;
    } else {
      this.scroll.append((this.table = make("table", "nbt-table")));
    }
    this.plot.hidden = this.foot.hidden = this.table !== null;
    this.buttons.table.setAttribute("aria-pressed", String(this.table !== null));
    this.store.schedule();
  }

  /** The names to pick from, as boxes to tick; made anew when they change. */
  private fillPicker(): void {
    if (this.picker.hidden) return;
    const { history } = this;
    const names = history.show === "activations" ? [...history.layers.keys()] : this.store.meta.names;
    const key = [history.show, ...names, "", ...history.names].join("\n");
    if (key === this.pickable) return;
    const focused = this.picker.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["name"] : undefined;
    this.pickable = key;
    const boxes = names.map((name) => {
      const box = make("input", "", { type: "checkbox", "data-name": name });
      box.checked = history.names.includes(name);
      box.addEventListener("change", () => this.ask(history.show, boxes.filter((each) => each.checked).map((each) => each.dataset["name"] ?? "")));
      return box;
    });
    const usual = make("button", "nbt-usual", { type: "button" }, [WORDS().usual]);
    usual.addEventListener("click", () => this.ask(history.show, null));
    this.picker.setAttribute("aria-label", WORDS().pick);
    this.picker.replaceChildren(usual, ...boxes.map((box, i) => make("label", "", {}, [box, names[i] ?? ""])));
    boxes.find((box) => box.dataset["name"] === focused)?.focus();
  }

  // ---- the base layer ----

  private draw(theme: Theme, map: boolean): void {
    const { history } = this;
    const text = WORDS();
    const width = this.scroll.clientWidth;
    const count = history.names.length;
    const columns = Math.max(1, Math.min(count, Math.floor((width + GAP) / (FACET + GAP))));
    const facet = (width - (columns - 1) * GAP) / columns;
    const maps = map ? [...history.units.values()].map(({ map: units }) => mapSize(units.length, facet).height) : [];
    const grid: Grid = { columns, width: facet, height: HEAD + (maps.length ? Math.max(...maps) + 16 : PLOT + FOOT) };
    this.grid = grid;
    const lines = Math.max(1, Math.ceil(count / columns));
    const context = this.base.reset(width, lines * grid.height);
    history.names.forEach((name, index) => {
      const [x, y] = this.corner(index, grid);
      const chosen = this.store.selection.has(name);
      if (chosen) {
        context.fillStyle = theme.accent;
        context.fillRect(x, y + 1, 3, 28);
      }
      const inset = chosen ? 8 : 0;
      context.textAlign = "left";
      context.textBaseline = "alphabetic";
      context.font = `12px ${theme.mono}`;
      context.fillStyle = chosen ? theme.accent : theme.text;
      const label = format.fit(name, grid.width - inset, (t) => context.measureText(t).width);
      const after = x + inset + context.measureText(label).width + 8;
      context.fillText(label, x + inset, y + 12);
      context.font = `11px ${theme.font}`;
      const type = history.show === "activations" ? history.layers.get(name) ?? "" : "";
      context.fillStyle = theme.muted;
      if (type && type !== name && after + context.measureText(type).width <= x + grid.width) context.fillText(type, after, y + 12);
      const { words, alarming } = this.numbers(index, true);
      context.fillStyle = alarming ? theme.text : theme.muted;
      context.fillText(format.fit(words, grid.width - inset, (t) => context.measureText(t).width), x + inset, y + 27);
      if (map) this.drawMap(context, theme, history.units.get(index), x, y + HEAD, grid.width);
      else this.drawFacet(context, theme, index, x, y + HEAD, grid.width);
    });
    this.showLegend(theme, map);
    this.describe();
    this.empty.hidden = history.rows.length > 0;
    setText(this.empty, this.store.active ? text.waiting : text.missing);
    this.empty.style.left = "0";
    this.empty.style.width = "100%";
    this.empty.style.top = `${HEAD + PLOT / 2 - 10}px`;
    this.drawCursor();
  }

  private corner(index: number, { columns, width, height }: Grid): [number, number] {
    return [(index % columns) * (width + GAP), Math.floor(index / columns) * height];
  }

  /** The line below a facet's name. */
  private numbers(index: number, short = false): { words: string; alarming: boolean } {
    const text = WORDS();
    const units = this.history.units.get(index);
    const row = this.history.rows.at(-1);
    const odd = row?.odd[index] ?? 0;
    const parts = odd > 0 ? [text.odd(format.count(odd))] : [];
    if (units) {
      const [bad, all, percent] = [format.count(units.bad), format.count(units.total), `${Math.round(units.share * 100)} %`];
      parts.push(...(short ? [text.short(units.kind, bad, all, percent)] : [text.units(units.kind, bad, all), text.share(units.kind, percent)]));
    } else if (row && !odd) {
      parts.push(text.values(format.count(total(row, index))));
    }
    return { words: parts.join(" · "), alarming: odd > 0 || (units?.bad ?? 0) > 0 };
  }

  private scale(index: number, rows: readonly Row[]): ValueScale {
    let low = Infinity;
    let high = -Infinity;
    for (const row of rows) {
      low = Math.min(low, row.ranges[index * 2] ?? NaN);
      high = Math.max(high, row.ranges[index * 2 + 1] ?? NaN);
    }
    if (!(high > low)) [low, high] = [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
    return new ValueScale(low, high, this.axis === "symlog");
  }

  /** The rows of a facet from the oldest to the newest, and where they stand. */
  private ridges(index: number): { rows: Row[]; ghost: Row | null; scale: ValueScale } | null {
    const rows = this.history.ridges(index, RIDGES);
    if (rows.length === 0) return null;
    const { step } = this.store.selection;
    const ghost = step === null ? null : this.history.at(index, step);
    return { rows, ghost, scale: this.scale(index, ghost ? [...rows, ghost] : rows) };
  }

  private drawFacet(context: CanvasRenderingContext2D, theme: Theme, index: number, x: number, y: number, width: number): void {
    const found = this.ridges(index);
    context.fillStyle = theme.muted;
    if (!found) {
      const measured = this.history.rows.some((row) => (row.odd[index] ?? 0) > 0);
      if (this.history.rows.length > 0) context.fillText(measured ? WORDS().nothing : WORDS().absent, x, y + PLOT / 2);
      return;
    }
    const { rows, ghost, scale } = found;
    const distance = PLOT / (rows.length + RISE);
    const { stops } = theme.palette;
    rows.forEach((row, depth) => {
      const base = y + (depth + 1 + RISE) * distance;
      const newest = depth === rows.length - 1;
      const age = rows.length > 1 ? depth / (rows.length - 1) : 1;
      const [r, g, b] = interpolate(stops, 0.15 + 0.7 * age);
      this.outline(context, row, index, scale, x, base, width, RISE * distance);
      context.fillStyle = `rgb(${r}, ${g}, ${b})`;
      context.globalAlpha = newest ? 1 : 0.85;
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = newest ? theme.text : theme.surface;
      context.lineWidth = newest ? 1.25 : 0.75;
      context.stroke();
    });
    if (ghost) {
      this.outline(context, ghost, index, scale, x, y + PLOT, width, RISE * distance);
      context.strokeStyle = theme.surface;
      context.lineWidth = 3;
      context.stroke();
      context.setLineDash([4, 3]);
      context.strokeStyle = theme.accent;
      context.lineWidth = 1.75;
      context.stroke();
      context.setLineDash([]);
    }
    context.fillStyle = theme.line;
    context.fillRect(x, y + PLOT, width, 1);
    context.fillStyle = theme.muted;
    context.font = `11px ${theme.font}`;
    const zero = scale.place(0);
    if (zero >= 0 && zero <= 1) {
      context.fillRect(Math.round(x + zero * width), y + PLOT, 1, 5);
      if (zero > 0.22 && zero < 0.78) {
        context.textAlign = "center";
        context.fillText("0", x + zero * width, y + PLOT + 15);
      }
    }
    context.textAlign = "left";
    context.fillText(format.measure(scale.low, 2), x, y + PLOT + 15);
    context.textAlign = "right";
    context.fillText(format.measure(scale.high, 2), x + width, y + PLOT + 15);
    context.textAlign = "left";
  }

  /** The path of one ridge, whose highest bin is `rise` high. */
  private outline(
    context: CanvasRenderingContext2D, row: Row, index: number, scale: ValueScale, x: number, base: number, width: number, rise: number,
  ): void {
    const low = row.ranges[index * 2] ?? NaN;
    const high = row.ranges[index * 2 + 1] ?? NaN;
    let most = 1;
    for (let bin = 0; bin < BINS; bin++) most = Math.max(most, row.counts[index * BINS + bin] ?? 0);
    const at = (value: number) => x + scale.place(value) * width;
    context.beginPath();
    if (at(high) - at(low) < 3) {
      // All values as good as equal: a spike that can be seen.
      const middle = (at(low) + at(high)) / 2;
      for (const [dx, dy] of [[-1.5, 0], [-1.5, rise], [1.5, rise], [1.5, 0]] as const) context.lineTo(middle + dx, base - dy);
    } else {
      context.moveTo(at(low), base);
      for (let bin = 0; bin < BINS; bin++) {
        const count = row.counts[index * BINS + bin] ?? 0;
        context.lineTo(at(low + ((bin + 0.5) / BINS) * (high - low)), base - Math.sqrt(count / most) * rise);
      }
      context.lineTo(at(high), base);
    }
    context.closePath();
  }

  /** A square a unit: the darker the more of its outputs are zero or saturated; what counts as bad has a cross. */
  private drawMap(context: CanvasRenderingContext2D, theme: Theme, units: Units | undefined, x: number, y: number, width: number): void {
    if (!units || units.map.length === 0) {
      context.fillStyle = theme.muted;
      if (this.history.rows.length > 0) context.fillText(WORDS().uncounted, x, y + PLOT / 2);
      return;
    }
    const { map } = units;
    const { cell, columns, height } = mapSize(map.length, width);
    const { stops, alarm } = theme.palette;
    const gap = cell >= 5 ? 1 : 0;
    map.forEach((share, unit) => {
      const left = x + (unit % columns) * cell;
      const top = y + Math.floor(unit / columns) * cell;
      if (top + cell > y + height) return;
      const bad = units.kind === "dead" ? share === 255 : share > 127;
      const [r, g, b] = interpolate(stops, share / 255);
      context.fillStyle = bad && cell < 6 ? alarm : `rgb(${r}, ${g}, ${b})`;
      context.globalAlpha = share === 0 ? 0.45 : 1;
      context.fillRect(left, top, cell - gap, cell - gap);
      context.globalAlpha = 1;
      if (bad && cell >= 6) cross(context, theme, left, top, cell - gap);
    });
  }

  private showLegend(theme: Theme, map: boolean): void {
    const text = WORDS();
    const { step } = this.store.selection;
    setText(this.from, map ? text.never : text.old);
    setText(this.to, map ? text.always : text.recent);
    const stops = Array.from({ length: 9 }, (_, i) => `rgb(${interpolate(theme.palette.stops, map ? i / 8 : 0.15 + (0.7 * i) / 8).join(",")})`);
    const key = `${map}${theme.palette.dark}${step}`;
    if (this.ramp.dataset["key"] === key) return;
    this.ramp.dataset["key"] = key;
    this.ramp.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    const mark = (draw: (context: CanvasRenderingContext2D) => void, words: string) => {
      const layer = new Layer("");
      draw(layer.reset(18, 11));
      return make("span", "nbt-mark", {}, [layer.element, words]);
    };
    const marks: HTMLElement[] = [];
    if (map) {
      marks.push(mark((context) => {
        context.fillStyle = theme.palette.stops.at(-1) ?? theme.text;
        context.fillRect(4, 0, 11, 11);
        cross(context, theme, 4, 0, 11);
      }, text.marked));
    } else if (step !== null) {
      marks.push(mark((context) => {
        context.strokeStyle = theme.accent;
        context.lineWidth = 1.75;
        context.setLineDash([4, 3]);
        context.beginPath();
        context.moveTo(0, 6);
        context.lineTo(18, 6);
        context.stroke();
      }, text.ghost(format.count(step))));
    }
    this.marks.replaceChildren(...marks);
  }

  /** Words for those who don't see the picture, once a second at most. */
  private describe(): void {
    const now = performance.now();
    if (now < this.described + 1000 && this.store.active) return;
    this.described = now;
    const { history } = this;
    const bad = [...history.units].filter(([, units]) => units.bad > 0)
      .map(([index, units]) => `${history.names[index] ?? ""}: ${WORDS().units(units.kind, String(units.bad), String(units.total))}`);
    this.base.element.setAttribute("aria-label", WORDS().summary(
      WORDS()[history.show], history.names.length, history.rows.at(-1)?.step ?? 0, bad.join(", ")));
  }

  // ---- the cursor ----

  private place(event: MouseEvent): { facet: number; x: number } | null {
    const { grid } = this;
    if (!grid) return null;
    const box = this.plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const column = Math.floor(x / (grid.width + GAP));
    const facet = Math.floor(y / grid.height) * grid.columns + column;
    const inside = (x - column * (grid.width + GAP)) / grid.width;
    return inside < 0 || inside > 1 || column >= grid.columns || facet >= this.history.names.length ? null : { facet, x: inside };
  }

  private select(facet: number | undefined): void {
    const name = facet === undefined ? undefined : this.history.names[facet];
    if (name === undefined) return;
    const { selection } = this.store;
    selection.choose({ name: selection.name === name ? null : name });
  }

  private move(event: KeyboardEvent): void {
    const { grid } = this;
    const last = this.history.names.length - 1;
    if (!grid || last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = this.cursor?.facet ?? -1;
    const to = {
      ArrowLeft: now - 1, ArrowRight: now + 1, ArrowUp: now - grid.columns, ArrowDown: now + (now < 0 ? 1 : grid.columns),
      Home: 0, End: last, Enter: now,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") this.select(now);
    else this.setCursor({ facet: Math.min(last, Math.max(0, to)), x: null });
  }

  private setCursor(cursor: { facet: number; x: number | null } | null): void {
    this.cursor = cursor;
    if (this.grid && !this.table) this.drawCursor();
  }

  private drawCursor(): void {
    const { cursor, grid, theme, history } = this;
    const context = this.over.reset(this.base.width, this.base.height);
    const found = cursor && this.ridges(cursor.facet);
    this.tip.hidden = true;
    if (!cursor || !grid || !theme || !found || cursor.facet >= history.names.length) return;
    const [x, y] = this.corner(cursor.facet, grid);
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + HEAD - 3.5, grid.width - 1, grid.height - HEAD - (this.axes.hidden ? 10 : FOOT) + 3);
    const row = found.ghost ?? found.rows.at(-1);
    if (!row) return;
    const [low, high] = [row.ranges[cursor.facet * 2] ?? NaN, row.ranges[cursor.facet * 2 + 1] ?? NaN];
    const text = WORDS();
    let bin = text.bin(format.measure(low), format.measure(high), format.count(total(row, cursor.facet)));
    if (cursor.x !== null && high > low && this.look === "ridges") {
      // The bin under the pointer: the last one that begins left of it.
      const edge = (i: number) => low + (i / BINS) * (high - low);
      let under = -1;
      for (let i = 0; i < BINS; i++) if (found.scale.place(edge(i)) <= cursor.x && cursor.x <= found.scale.place(edge(i + 1))) under = i;
      if (under >= 0) {
        bin = text.bin(format.measure(edge(under)), format.measure(edge(under + 1)), format.count(row.counts[cursor.facet * BINS + under] ?? 0));
        context.fillStyle = theme.text;
        context.globalAlpha = 0.5;
        context.fillRect(Math.round(x + cursor.x * grid.width), y + HEAD, 1, PLOT);
        context.globalAlpha = 1;
      }
    }
    this.tip.replaceChildren(
      make("b", "", {}, [history.names[cursor.facet] ?? ""]),
      make("span", "", {}, [`${text.step} ${format.count(row.step)} · `]), bin, make("br"),
      make("span", "", {}, [this.numbers(cursor.facet).words]),
    );
    this.tip.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const tipX = x + grid.width + 8 + width <= this.base.width ? x + grid.width + 8 : x - 8 - width >= 0 ? x - 8 - width : 0;
    const tipY = tipX === 0 && x < width ? y + grid.height - FOOT + 18 : y + HEAD;
    this.tip.style.transform = `translate(${Math.round(tipX)}px, ${Math.round(Math.max(0, Math.min(tipY, this.base.height - height)))}px)`;
  }

  private fillTable(table: HTMLTableElement): void {
    const { history } = this;
    const text = WORDS();
    const row = (cells: string[], tag: "th" | "td") => make("tr", "", {}, cells.map((cell, i) =>
      make(i === 0 ? "th" : tag, "", i === 0 || tag === "th" ? { scope: tag === "th" ? "col" : "row" } : {}, [cell])));
    if (!table.tHead) table.createTHead().append(row([text.tensor, ...text.columns], "th"));
    const body = table.tBodies[0] ?? table.createTBody();
    body.replaceChildren(...history.names.map((name, index) => {
      const { step } = this.store.selection;
      const at = history.at(index, step ?? Infinity);
      const units = history.units.get(index);
      const numbers = at
        ? [format.count(at.step), format.measure(at.ranges[index * 2] ?? NaN), format.measure(at.ranges[index * 2 + 1] ?? NaN),
          format.count(total(at, index)), format.count(at.odd[index] ?? 0)]
        : ["–", "–", "–", "–", "–"];
      return row([name, ...numbers, units ? text.units(units.kind, String(units.bad), String(units.total)) : "–"], "td");
    }));
  }
}

/** Squares as large as the room allows. */
function mapSize(units: number, width: number): { cell: number; columns: number; height: number } {
  const lines = (cell: number) => Math.ceil(units / Math.max(1, Math.floor(width / cell)));
  let cell = CELL;
  while (cell > 3 && lines(cell) * cell > PLOT + FOOT) cell--;
  return { cell, columns: Math.max(1, Math.floor(width / cell)), height: lines(cell) * cell };
}

function total(row: Row, index: number): number {
  return row.counts.subarray(index * BINS, (index + 1) * BINS).reduce((sum, count) => sum + count, 0);
}

/** A cross that stands out from any colour. */
function cross(context: CanvasRenderingContext2D, theme: Theme, x: number, y: number, size: number): void {
  for (const [colour, width] of [[theme.surface, 3], [theme.palette.alarm, 1.5]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x + 2, y + 2);
    context.lineTo(x + size - 2, y + size - 2);
    context.moveTo(x + size - 2, y + 2);
    context.lineTo(x + 2, y + size - 2);
    context.stroke();
  }
}

export const STYLE = `
.nbt-ridges .nbt-options { flex-wrap: wrap; justify-content: flex-end; }
.nbt-ridges .nbt-scroll { max-height: 560px; }
.nbt-picker { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 2px 12px; max-height: 132px;
  margin-bottom: 10px; padding: 8px 10px; overflow: hidden auto; border: 1px solid var(--nbt-line); border-radius: 6px; }
.nbt-picker label { display: flex; align-items: center; gap: 6px; overflow: hidden; font-family: var(--nbt-mono); font-size: 12px; white-space: nowrap; }
.nbt-picker input { flex: none; margin: 0; accent-color: var(--nbt-accent); }
.nbt-usual { grid-column: 1 / -1; justify-self: start; padding: 0; border: 0; background: none; color: var(--nbt-accent); font: inherit;
  font-size: 12px; cursor: pointer; text-decoration: underline; }
`;
