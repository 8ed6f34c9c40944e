import { Layer } from "../canvas";
import { AXIS, drawStepAxis, pixelRows, spread, stepAt, stepX, type StepScale } from "../chart";
import { make, setText } from "../dom";
import * as format from "../format";
import { axisEnd } from "../scale";
import type { RunStore } from "../store";
import type { Theme } from "../theme";
import { UpdateHistory } from "../updates";
import type { Part } from "../view";
import { BAND, GUIDE, logarithm, WORDS } from "./words";

const GAP = 10;
const NARROW = 440; // px, below which values give way to the chart
const LABEL = 12; // px
const LINES = 240; // px, the height of the lines' chart
const MOST_LINES = 10; // parameters up to which lines can be told apart
const REACH = 2; // decades from the guide to the ends of the colours
const NEAR = 28; // px from a line within which the pointer means it
const DASHES: readonly number[][] = [[], [7, 3], [2, 3]];

type Look = "lines" | "strips";

interface Geometry extends StepScale {
  /** Height of a strip; 0 for lines. */
  row: number;
  bottom: number;
  /** log10 of the ratio at the bottom and at the top of the lines' chart. */
  low: number;
  high: number;
}

/** How far each step moves each parameter, beside the rule of thumb, with a sentence of advice. */
export class UpdateRatio implements Part {
  readonly element: HTMLElement;
  private readonly updates: UpdateHistory;
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
  private readonly image = document.createElement("canvas");
  private readonly plot: HTMLElement;
  private readonly scroll: HTMLElement;
  private readonly foot: HTMLElement;
  private readonly ramp = make("span", "nbt-ramp");
  private readonly legend: HTMLElement;
  private readonly guides: HTMLElement;
  private readonly advice = make("div", "nbt-advice", { role: "status", "aria-live": "polite" });
  private readonly tip = make("div", "nbt-tip", { hidden: "" });
  private readonly empty = make("div", "nbt-empty");
  private readonly buttons: Record<Look | "table", HTMLButtonElement>;
  private table: HTMLTableElement | null = null;
  private look: Look;
  private cursor: { row: number; step: number } | null = null;
  private geometry: Geometry | null = null;
  private theme: Theme | null = null;
  private said = -Infinity;
  private sayTimer = 0;

  constructor(private readonly store: RunStore) {
    const text = WORDS();
    const count = store.meta.names.length;
    this.updates = new UpdateHistory(count);
    store.feed("updates", (header, buffers) => this.updates.take(header, buffers));
    this.look = count <= MOST_LINES ? "lines" : "strips";
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", "nbt-plot", { tabindex: "0", role: "application", "aria-label": text.keys }, [
      this.base.element, this.over.element, this.empty, this.tip,
    ]);
    const option = (label: string, action: () => void) => {
      const button = make("button", "", { type: "button" }, [label]);
      button.addEventListener("click", action);
      return button;
    };
    this.buttons = {
      lines: option(text.lines, () => this.choose("lines")),
      strips: option(text.strips, () => this.choose("strips")),
      table: option(text.table, () => this.toggleTable()),
    };
    const looks = make("div", "nbt-choice", { role: "group", "aria-label": text.looks }, [this.buttons.lines, this.buttons.strips]);
    looks.hidden = count > MOST_LINES;
    this.legend = make("div", "nbt-legend", {}, [
      make("span", "", {}, [`${logarithm(GUIDE - REACH)} ${text.slower}`]), this.ramp,
      make("span", "", {}, [`${logarithm(GUIDE + REACH)} ${text.faster}`]),
    ]);
    this.guides = make("div", "nbt-legend nbt-guides", {}, [
      make("span", "nbt-guide-line"), text.guide, make("span", "nbt-guide-band"), text.band,
    ]);
    this.foot = make("div", "nbt-foot", {}, [this.legend, this.guides]);
    this.scroll = make("div", "nbt-scroll", {}, [this.plot]);
    this.element = make("section", "nbt-part nbt-map nbt-ratio", { "aria-label": text.region }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [text.title]),
        make("div", "nbt-subtitle", {}, [text.subtitle]),
        make("div", "nbt-options", {}, [looks, make("div", "nbt-choice", {}, [this.buttons.table])]),
      ]),
      this.advice, this.scroll, this.foot,
    ]);
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.setCursor(null));
    this.plot.addEventListener("click", (event) => this.click(event));
    this.plot.addEventListener("blur", () => this.setCursor(null));
    this.plot.addEventListener("keydown", (event) => this.move(event));
    this.choose(this.look);
  }

  shown(visible: boolean): void {
    this.store.want("updates", visible);
  }

  dispose(): void {
    window.clearTimeout(this.sayTimer);
  }

  update(theme: Theme): void {
    this.theme = theme;
    this.say();
    if (this.table) this.fillTable(this.table);
    else this.draw(theme);
  }

  private choose(look: Look): void {
    this.look = look;
    this.buttons.lines.setAttribute("aria-pressed", String(look === "lines"));
    this.buttons.strips.setAttribute("aria-pressed", String(look === "strips"));
    this.legend.hidden = look === "lines";
    this.guides.hidden = look === "strips";
    this.store.schedule();
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

  /** The row of the chosen step, or the newest; -1 if there is none. */
  private get shownRow(): number {
    const { step } = this.store.selection;
    return step === null ? this.updates.length - 1 : this.updates.rowAt(step);
  }

  private log(row: number, index: number): number {
    return row < 0 ? NaN : Math.log10(this.updates.ratio[row * this.updates.parameters + index] ?? NaN);
  }

  /** The advice, once a second at most. */
  private say(): void {
    const wait = this.said + 1000 - performance.now();
    window.clearTimeout(this.sayTimer);
    if (wait > 0 && this.store.active) {
      this.sayTimer = window.setTimeout(() => this.store.schedule(), wait);
      return;
    }
    this.said = performance.now();
    const { names } = this.store.meta;
    const { advice } = this.updates;
    const of = (indices: readonly number[]) => indices.map((index) => names[index] ?? "");
    const text = WORDS();
    setText(this.advice, advice ? text.advice(advice, { fast: of(advice.fast), slow: of(advice.slow) }) : text.waiting);
    const fine = advice && advice.median >= BAND[0] && advice.median <= BAND[1] && !advice.fast.length && !advice.slow.length;
    this.advice.dataset["tone"] = advice ? (fine ? "good" : "warn") : "none";
    this.base.element.setAttribute("aria-label", text.summary(names.length, this.updates.length));
  }

  // ---- the base layer ----

  private draw(theme: Theme): void {
    const { meta, header } = this.store;
    const { updates } = this;
    const names = meta.names;
    const width = this.scroll.clientWidth;
    const lines = this.look === "lines";
    const count = names.length;
    const row = lines ? 0 : count <= 8 ? 24 : count <= 16 ? 19 : count <= 26 ? 15 : Math.max(2, Math.floor(400 / count));
    const bottom = lines ? LINES : count * row;
    const context = this.base.reset(width, bottom + AXIS);
    const font = `${lines || row >= 15 ? LABEL : 11}px ${theme.mono}`;
    context.font = font;
    const textWidth = (text: string) => context.measureText(text).width;
    const widest = Math.min(width * (width < NARROW ? 0.3 : 0.36), Math.max(24, ...names.map(textWidth)));
    const value = Math.ceil(textWidth("▲ −0.0"));
    const { low, high } = this.range();
    const geometry: Geometry = {
      left: lines ? 30 : Math.ceil(widest) + GAP,
      right: width - (lines ? Math.ceil(widest) + (width >= NARROW ? value + 8 : 0) + GAP + 6 : width >= NARROW ? value + GAP : 0),
      first: 0, last: axisEnd(Math.max(updates.lastStep, header.step, 1), header.total), row, bottom, low, high,
    };
    this.geometry = geometry;
    if (lines) this.drawLines(context, theme, geometry, font, widest, width);
    else this.drawStrips(context, theme, geometry, font, widest, width);
    drawStepAxis(context, theme, geometry, bottom, WORDS().step);
    this.foot.style.paddingLeft = width < NARROW ? "0" : `${geometry.left}px`;
    const { stops } = theme.palette.diverging;
    const background = `linear-gradient(to right, ${stops.join(",")})`;
    if (this.ramp.dataset["background"] !== background) {
      this.ramp.dataset["background"] = background;
      this.ramp.style.background = background;
    }
    this.empty.hidden = updates.length > 0;
    setText(this.empty, WORDS().empty);
    this.empty.style.left = `${geometry.left}px`;
    this.empty.style.width = `${geometry.right - geometry.left}px`;
    this.empty.style.top = `${Math.max(0, bottom / 4 - 10)}px`;
    this.drawCursor();
  }

  /** Whole decades around the band and everything known. */
  private range(): { low: number; high: number } {
    let low = GUIDE - REACH;
    let high = GUIDE + REACH;
    if (this.look === "lines") {
      const { ratio, length, parameters } = this.updates;
      for (let at = 0; at < length * parameters; at++) {
        const log = Math.log10(ratio[at] ?? NaN);
        if (!Number.isFinite(log)) continue;
        low = Math.min(low, log);
        high = Math.max(high, log);
      }
    }
    return { low: Math.max(-12, Math.floor(low)), high: Math.min(4, Math.ceil(high)) };
  }

  private y({ low, high, bottom }: Geometry, log: number): number {
    return 4 + (1 - (Math.min(high, Math.max(low, log)) - low) / (high - low)) * (bottom - 8);
  }

  private style(theme: Theme, index: number): { colour: string; dash: readonly number[] } {
    const { categories } = theme.palette;
    return { colour: categories[index % categories.length] ?? theme.text, dash: DASHES[Math.floor(index / categories.length)] ?? [] };
  }

  private drawLines(
    context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry, font: string, widest: number, width: number,
  ): void {
    const { left, right, bottom } = geometry;
    const { updates, store } = this;
    const { names } = store.meta;
    const y = (log: number) => this.y(geometry, log);
    context.fillStyle = theme.line;
    context.globalAlpha = 0.3;
    context.fillRect(left, y(BAND[1]), right - left, y(BAND[0]) - y(BAND[1]));
    context.globalAlpha = 1;
    context.font = `11px ${theme.font}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const every = Math.ceil((geometry.high - geometry.low) / 8);
    for (let decade = geometry.low; decade <= geometry.high; decade += every) {
      context.fillStyle = theme.line;
      context.fillRect(left, Math.round(y(decade)), right - left, 1);
      context.fillStyle = theme.muted;
      context.fillText(String(decade).replace("-", "−"), left - 7, Math.min(bottom - 5, Math.max(6, y(decade))));
    }
    context.strokeStyle = theme.text;
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(left, y(GUIDE));
    context.lineTo(right, y(GUIDE));
    context.stroke();
    context.setLineDash([]);

    const rows = pixelRows(geometry, updates.steps, updates.length);
    const anySelected = names.some((name) => store.selection.has(name));
    const row = this.shownRow;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, bottom);
    context.clip();
    names.forEach((name, index) => {
      const { colour, dash } = this.style(theme, index);
      const chosen = store.selection.has(name);
      context.globalAlpha = anySelected && !chosen ? 0.28 : 1;
      context.strokeStyle = context.fillStyle = colour;
      context.lineWidth = chosen ? 2.5 : 1.5;
      context.lineJoin = "round";
      context.setLineDash([...dash]);
      context.beginPath();
      let open = false;
      let points = 0;
      let at = { x: 0, y: 0 };
      for (let x = 0, before = -1; x < rows.length; x++) {
        const sample = rows[x] ?? -1;
        if (sample === before) continue;
        before = sample;
        const log = this.log(sample, index);
        if (!Number.isFinite(log)) open = false;
        else {
          at = { x: stepX(geometry, updates.steps[sample] ?? 0), y: y(log) };
          if (open) context.lineTo(at.x, at.y);
          else context.moveTo(at.x, at.y);
          open = true;
          points++;
        }
      }
      context.stroke();
      context.setLineDash([]);
      if (points === 1) {
        context.beginPath();
        context.arc(at.x, at.y, 2.5, 0, 2 * Math.PI);
        context.fill();
      }
    });
    context.restore();

    // Each line's name beside its end, moved apart where they would overlap.
    const known = names.map((_, index) => index).filter((index) => Number.isFinite(this.log(row, index)));
    const wishes = known.map((index) => y(this.log(row, index)));
    const places = spread(wishes, LABEL + 2, 7, bottom - 7);
    context.font = font;
    const textWidth = (text: string) => context.measureText(text).width;
    const end = stepX(geometry, updates.steps[Math.max(0, updates.length - 1)] ?? 0);
    known.forEach((index, k) => {
      const name = names[index] ?? "";
      const place = places[k] ?? 0;
      const log = this.log(row, index);
      const { colour } = this.style(theme, index);
      context.globalAlpha = anySelected && !store.selection.has(name) ? 0.5 : 1;
      context.strokeStyle = colour;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(Math.min(right, end) + 3, wishes[k] ?? 0);
      if (end < right - 4) {
        context.globalAlpha *= 0.5;
        context.setLineDash([1, 3]);
        context.lineTo(right, wishes[k] ?? 0);
      }
      context.lineTo(right + 10, place);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = anySelected && !store.selection.has(name) ? 0.5 : 1;
      context.fillStyle = theme.text;
      context.textAlign = "left";
      context.fillText(format.fit(name, widest, textWidth), right + GAP + 4, place + 0.5);
      if (width >= NARROW) {
        context.textAlign = "right";
        context.fillStyle = theme.muted;
        context.fillText(this.mark(log), width, place + 0.5);
      }
    });
    context.globalAlpha = 1;
  }

  private mark(log: number): string {
    if (log === -Infinity) return "0";
    if (!Number.isFinite(log)) return "–";
    return `${log > BAND[1] ? "▲ " : log < BAND[0] ? "▼ " : ""}${logarithm(log)}`;
  }

  private drawStrips(
    context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry, font: string, widest: number, width: number,
  ): void {
    const { left, row, bottom } = geometry;
    const { updates, store } = this;
    const { names } = store.meta;
    const rows = pixelRows(geometry, updates.steps, updates.length);
    context.save();
    context.beginPath();
    context.roundRect(left, 0, rows.length, bottom, 3);
    context.clip();
    context.fillStyle = theme.line;
    context.globalAlpha = 0.2;
    context.fillRect(left, 0, rows.length, bottom);
    context.globalAlpha = 1;
    if (updates.length > 0 && names.length > 0) {
      const image = new ImageData(rows.length, names.length);
      const pixels = new Uint32Array(image.data.buffer);
      const { table } = theme.palette.diverging;
      for (let x = 0; x < rows.length; x++) {
        const sample = rows[x] ?? -1;
        if (sample < 0) continue;
        for (let index = 0; index < names.length; index++) {
          const log = this.log(sample, index);
          if (!Number.isFinite(log)) continue;
          const level = Math.round(127.5 + (127.5 * (log - GUIDE)) / REACH);
          pixels[index * rows.length + x] = table[Math.min(255, Math.max(0, level))] ?? 0;
        }
      }
      this.image.width = rows.length;
      this.image.height = names.length;
      this.image.getContext("2d")?.putImageData(image, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(this.image, left, 0, rows.length, bottom);
    }
    if (row >= 6) {
      context.fillStyle = theme.surface;
      for (let index = 1; index < names.length; index++) context.fillRect(left, index * row - 0.5, rows.length, 1);
    }
    context.restore();

    context.font = font;
    context.textBaseline = "middle";
    const textWidth = (text: string) => context.measureText(text).width;
    const every = Math.max(1, Math.ceil(LABEL / row));
    const shown = this.shownRow;
    names.forEach((name, index) => {
      const y = Math.min(Math.max((index + 0.5) * row + 0.5, LABEL / 2), bottom + AXIS - LABEL);
      const chosen = store.selection.has(name);
      if (chosen) {
        context.fillStyle = theme.accent;
        context.fillRect(left - 5, index * row + 1, 3, Math.max(1, row - 2));
      }
      if (index % every === 0 || chosen) {
        context.textAlign = "right";
        context.fillStyle = chosen ? theme.accent : theme.text;
        if (index % every === 0) context.fillText(format.fit(name, widest, textWidth), left - GAP, y);
      }
      if (width >= NARROW && row >= LABEL) {
        const log = this.log(shown, index);
        context.textAlign = "right";
        context.fillStyle = log > BAND[1] || (log < BAND[0] && Number.isFinite(log)) ? theme.text : theme.muted;
        context.fillText(this.mark(log), width, y);
      }
    });
  }

  // ---- the cursor ----

  private place(event: MouseEvent): { row: number; step: number; label: boolean } | null {
    const { geometry, updates } = this;
    if (!geometry) return null;
    const box = this.plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const names = this.store.meta.names;
    if (y < 0 || y >= geometry.bottom || names.length === 0) return null;
    const label = x < geometry.left || x >= geometry.right;
    const step = label ? updates.lastStep : stepAt(geometry, x);
    if (geometry.row > 0) return { row: Math.min(names.length - 1, Math.floor(y / geometry.row)), step, label };
    const sample = updates.rowAt(Math.min(step, updates.lastStep));
    let nearest = -1;
    let least = label ? Infinity : NEAR;
    const logs = names.map((_, index) => this.log(sample, index));
    const ys = logs.map((log) => (Number.isFinite(log) ? this.y(geometry, log) : NaN));
    const known = ys.map((_, index) => index).filter((index) => !Number.isNaN(ys[index] ?? NaN));
    const places = label ? spread(known.map((index) => ys[index] ?? 0), LABEL + 2, 7, geometry.bottom - 7) : known.map((index) => ys[index] ?? 0);
    known.forEach((index, k) => {
      const distance = Math.abs((places[k] ?? 0) - y);
      if (distance < least) [nearest, least] = [index, distance];
    });
    return nearest < 0 ? null : { row: nearest, step, label };
  }

  private point(event: PointerEvent): void {
    this.setCursor(this.place(event));
  }

  private click(event: MouseEvent): void {
    const place = this.place(event);
    if (!place) return;
    const name = this.store.meta.names[place.row] ?? null;
    const { selection } = this.store;
    // A second click on what is chosen lets it go; a click on a name leaves the step as it is.
    if (place.label) selection.choose({ name: selection.name === name ? null : name });
    else this.select(name, place.step);
  }

  private select(name: string | null, step: number): void {
    const { selection } = this.store;
    const sample = this.updates.rowAt(step);
    const exact = sample < 0 || sample === this.updates.length - 1 ? null : (this.updates.steps[sample] ?? null);
    if (selection.name === name && selection.step === exact) selection.choose({ name: null, step: null });
    else selection.choose({ name, step: exact });
  }

  private move(event: KeyboardEvent): void {
    const { updates } = this;
    const { names } = this.store.meta;
    if (event.ctrlKey || event.metaKey || event.altKey || updates.length === 0 || this.table) return;
    const at = this.cursor ?? { row: 0, step: updates.lastStep };
    const sample = updates.rowAt(at.step);
    const to = (index: number) => updates.steps[Math.min(updates.length - 1, Math.max(0, index))] ?? at.step;
    switch (event.key) {
      case "ArrowLeft": at.step = to(sample - 1); break;
      case "ArrowRight": at.step = to(sample + 1); break;
      case "ArrowUp": at.row = Math.max(0, at.row - 1); break;
      case "ArrowDown": at.row = Math.min(names.length - 1, at.row + 1); break;
      case "Home": at.step = to(0); break;
      case "End": at.step = to(updates.length - 1); break;
      case "Enter": this.select(names[at.row] ?? null, at.step); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.setCursor({ row: at.row, step: at.step });
  }

  private setCursor(cursor: { row: number; step: number } | null): void {
    this.cursor = cursor;
    if (this.geometry && !this.table) this.drawCursor();
  }

  /** The overlay: the chosen step, and the value under the cursor with its numbers beside it. */
  private drawCursor(): void {
    const { cursor, geometry, theme, updates } = this;
    const context = this.over.reset(this.base.width, this.base.height);
    this.tip.hidden = true;
    if (!geometry || !theme) return;
    const { left, right, bottom, row } = geometry;
    const chosen = this.store.selection.step;
    if (chosen !== null && chosen <= geometry.last) {
      const x = stepX(geometry, chosen);
      context.fillStyle = theme.accent;
      context.fillRect(Math.round(x) - 1, 0, 2, bottom);
      context.beginPath();
      context.moveTo(x, bottom + 1);
      context.lineTo(x + 4, bottom + 7);
      context.lineTo(x - 4, bottom + 7);
      context.fill();
    }
    const sample = cursor ? updates.rowAt(cursor.step) : -1;
    if (!cursor || sample < 0) return;
    const step = updates.steps[sample] ?? 0;
    const x = Math.min(right, Math.max(left, stepX(geometry, step)));
    const log = this.log(sample, cursor.row);
    const y = row > 0 ? (cursor.row + 0.5) * row : Number.isFinite(log) ? this.y(geometry, log) : bottom / 2;
    for (const [colour, thickness] of [[theme.surface, 3], [theme.text, 1]] as const) {
      context.fillStyle = colour;
      context.globalAlpha = 0.6;
      context.fillRect(Math.round(x) - thickness / 2, 0, thickness, bottom);
      context.globalAlpha = 1;
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.beginPath();
      if (row > 0) context.strokeRect(left, cursor.row * row, right - left, row);
      else context.arc(x, y, 4, 0, 2 * Math.PI);
      context.stroke();
    }
    const at = sample * updates.parameters + cursor.row;
    const text = WORDS();
    const value = log === -Infinity ? text.unchanged : Number.isFinite(log)
      ? `${logarithm(log)}, ${text.ratio} ${format.measure(updates.ratio[at] ?? NaN)}` : text.unknown;
    this.tip.replaceChildren(
      make("b", "", {}, [this.store.meta.names[cursor.row] ?? ""]),
      make("span", "", {}, [`${text.step} ${format.count(step)} · `]), value, make("br"),
      make("span", "", {}, [
        `${text.weight} ${format.measure(updates.weight[at] ?? NaN)} · ${text.update} ${format.measure(updates.update[at] ?? NaN)}`,
      ]),
    );
    this.tip.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const tipX = x + 12 + width <= this.base.width ? x + 12 : Math.max(0, x - 12 - width);
    const tipY = Math.max(0, Math.min(y - height / 2, this.base.height - height));
    this.tip.style.transform = `translate(${Math.round(tipX)}px, ${Math.round(tipY)}px)`;
  }

  private fillTable(table: HTMLTableElement): void {
    const { names } = this.store.meta;
    const { updates } = this;
    if (!table.tHead) {
      const text = WORDS();
      table.createTHead().append(make("tr", "", {}, [text.parameter, ...text.columns].map((title) => make("th", "", { scope: "col" }, [title]))));
      const body = table.createTBody();
      for (const name of names) {
        body.append(make("tr", "", {}, [make("th", "", { scope: "row" }, [name]), ...text.columns.map(() => make("td"))]));
      }
    }
    const row = this.shownRow;
    names.forEach((_, index) => {
      const at = row * updates.parameters + index;
      const number = (column: Float32Array) => {
        const value = row < 0 ? NaN : (column[at] ?? NaN);
        return Number.isNaN(value) ? "–" : format.measure(value);
      };
      const texts = [this.mark(this.log(row, index)), number(updates.ratio), number(updates.weight), number(updates.update)];
      texts.forEach((text, k) => {
        const cell = table.tBodies[0]?.rows[index]?.cells[k + 1];
        if (cell) setText(cell, text);
      });
    });
  }
}

export const STYLE = `
.nbt-advice { margin: -2px 0 10px; padding-left: 10px; border-left: 3px solid var(--nbt-muted); line-height: 18px; overflow-wrap: anywhere; word-break: keep-all; }
.nbt-advice[data-tone=good] { border-color: var(--nbt-good); }
.nbt-advice[data-tone=warn] { border-color: var(--nbt-warn); border-left-style: double; border-left-width: 5px; padding-left: 8px; }
.nbt-advice[data-tone=none] { color: var(--nbt-muted); }
.nbt-guide-line { width: 22px; border-top: 1.5px dashed var(--nbt-text); }
.nbt-guide-band { width: 22px; height: 10px; margin-left: 8px; background: var(--nbt-line); opacity: 0.5; }
`;
