import { hatch, Layer } from "./canvas";
import { make, setText } from "./dom";
import * as format from "./format";
import { SPECIAL } from "./history";
import { FROZEN, INF, NAN, NO_GRAD, ZERO } from "./protocol";
import { axisEnd, decades, logRange, ticks, type LogRange } from "./scale";
import type { RunStore } from "./store";
import type { Theme } from "./theme";
import type { Part } from "./view";

const AXIS = 22;
const GAP = 10; // between labels, map and values
const RECENT = 96; // columns in the recent window
const NARROW = 440; // px, below which the map gets all the width
const LABEL = 12; // px, also the least height of a row with a label
const ALARM = NAN | INF;

type Window = "all" | "recent";

/** Where things are, in CSS pixels of the plot. */
interface Geometry {
  left: number;
  right: number;
  row: number;
  bottom: number;
  firstStep: number;
  lastStep: number;
  firstRow: number;
}

function rowHeight(rows: number): number {
  if (rows <= 8) return 24;
  if (rows <= 16) return 19;
  if (rows <= 26) return 15;
  return Math.max(2, Math.floor(400 / rows));
}

/** A word for a cell that has no ordinary number. */
function special(flag: number): string | null {
  if (flag & NAN) return "NaN";
  if (flag & INF) return "∞";
  if (flag & NO_GRAD) return flag & FROZEN ? "frozen" : "none";
  if (flag & ZERO) return "0";
  return null;
}

/** Gradient norms, one row a parameter and one column a sampled step, coloured on a logarithmic scale. */
export class Seismograph implements Part {
  readonly element: HTMLElement;
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
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
  private readonly windowButtons: Record<Window, HTMLButtonElement>;
  private readonly tableButton: HTMLButtonElement;
  private readonly image = document.createElement("canvas");
  private table: HTMLTableElement | null = null;
  private window: Window = "all";
  private cursor: { row: number; step: number } | null = null;
  private geometry: Geometry | null = null;
  private theme: Theme | null = null;
  private shownMarks = -1;
  private described = -Infinity;
  private describeTimer = 0;

  constructor(private readonly store: RunStore) {
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", "nbt-plot", {
      tabindex: "0", role: "application", "aria-label": "Gradient norms; arrow keys move a cursor",
    }, [this.base.element, this.over.element, this.empty, this.tip]);
    const choose = (chosen: Window) => () => this.choose(chosen);
    const option = (text: string, action: () => void) => {
      const button = make("button", "", { type: "button" }, [text]);
      button.addEventListener("click", action);
      return button;
    };
    this.windowButtons = { all: option("Whole run", choose("all")), recent: option("Recent", choose("recent")) };
    this.tableButton = option("Table", () => this.toggleTable());
    this.tableButton.setAttribute("aria-pressed", "false");
    this.legend = make("div", "nbt-legend", {}, [this.low, this.ramp, this.high]);
    this.foot = make("div", "nbt-foot", {}, [this.legend, this.marks]);
    this.scroll = make("div", "nbt-scroll", {}, [this.plot]);
    this.element = make("section", "nbt-part nbt-map", { "aria-label": "Gradient norms" }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, ["Gradient norm"]),
        make("div", "nbt-subtitle", {}, ["by parameter, log scale"]),
        make("div", "nbt-options", {}, [
          make("div", "nbt-choice", { role: "group", "aria-label": "Steps shown" }, [
            this.windowButtons.all, this.windowButtons.recent,
          ]),
          make("div", "nbt-choice", {}, [this.tableButton]),
        ]),
      ]),
      this.scroll,
      this.foot,
    ]);
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.setCursor(null));
    this.plot.addEventListener("blur", () => this.setCursor(null));
    this.plot.addEventListener("keydown", (event) => this.move(event));
    this.choose("all");
  }

  dispose(): void {
    window.clearTimeout(this.describeTimer);
  }

  update(theme: Theme): void {
    this.theme = theme;
    if (this.table) this.fillTable(this.table);
    else this.draw(theme);
  }

  // ---- what is shown ----

  private choose(chosen: Window): void {
    this.window = chosen;
    for (const [name, button] of Object.entries(this.windowButtons)) {
      button.setAttribute("aria-pressed", String(name === chosen));
    }
    this.store.schedule();
  }

  private toggleTable(): void {
    if (this.table) {
      this.table.remove();
      this.table = null;
    } else {
      this.table = make("table", "nbt-table");
      this.scroll.append(this.table);
    }
    this.plot.hidden = this.foot.hidden = this.table !== null;
    this.tableButton.setAttribute("aria-pressed", String(this.table !== null));
    this.store.schedule();
  }

  /** The step that column positions are counted from and the first history row shown. */
  private extent(): Pick<Geometry, "firstStep" | "lastStep" | "firstRow"> {
    const { history, header } = this.store;
    const last = Math.max(history.lastStep, 1);
    if (this.window === "all") return { firstStep: 0, lastStep: axisEnd(Math.max(last, header.step), header.total), firstRow: 0 };
    const firstRow = Math.max(0, history.length - RECENT);
    return { firstStep: Math.max(0, (history.steps[firstRow] ?? 1) - 1), lastStep: last, firstRow };
  }

  // ---- the base layer: everything but the cursor ----

  private draw(theme: Theme): void {
    const { history, meta } = this.store;
    const rows = meta.names.length;
    const width = this.scroll.clientWidth;
    const row = rowHeight(rows);
    const bottom = rows * row;
    const context = this.base.reset(width, bottom + AXIS);
    const labelFont = `${row >= 15 ? LABEL : 11}px ${theme.mono}`;
    context.font = labelFont;
    const textWidth = (text: string) => context.measureText(text).width;
    const widest = Math.min(width * 0.36, Math.max(24, ...meta.names.map(textWidth)));
    const values = width >= NARROW && row >= LABEL ? Math.ceil(textWidth("0.00e−00")) + GAP : 0;
    const geometry: Geometry = {
      left: Math.ceil(widest) + GAP, right: width - values, row, bottom, ...this.extent(),
    };
    this.geometry = geometry;

    const ends = [history.low, history.high].flatMap((c) => [...c.subarray(geometry.firstRow, history.length)]);
    const range = logRange(ends);
    this.drawCells(context, theme, geometry, range);
    this.drawAxis(context, theme, geometry);

    context.font = labelFont;
    context.textBaseline = "middle";
    const every = Math.max(1, Math.ceil(LABEL / row));
    const latest = history.length - 1;
    for (let i = 0; i < rows; i++) {
      // The first and the last label stay inside the plot where rows are lower than letters.
      const y = Math.min(Math.max((i + 0.5) * row + 0.5, LABEL / 2), bottom + AXIS - LABEL);
      if (i % every === 0) {
        context.textAlign = "right";
        context.fillStyle = theme.text;
        context.fillText(format.fit(meta.names[i] ?? "", widest, textWidth), geometry.left - GAP, y);
      }
      if (values && latest >= 0) {
        const at = latest * rows + i;
        const flag = history.flags[at] ?? 0;
        context.fillStyle = flag & ALARM ? theme.palette.alarm : theme.muted;
        context.fillText(special(flag) ?? format.measure(history.norms[at] ?? NaN), width, y);
      }
    }
    this.foot.style.paddingLeft = width < NARROW ? "0" : `${geometry.left}px`;
    this.showLegend(theme, range);
    this.describe(range);
    this.empty.hidden = history.length > 0;
    setText(this.empty, "The first step’s gradients will appear here");
    this.empty.style.left = `${geometry.left}px`;
    this.empty.style.width = `${geometry.right - geometry.left}px`;
    this.empty.style.top = `${Math.max(0, bottom / 2 - 10)}px`;
    this.drawCursor();
  }

  /** Columns of the map in CSS pixels: for each, the history row it shows or -1. The work is bounded by pixels. */
  private columns({ left, right, firstStep, lastStep, firstRow }: Geometry): Int32Array {
    const { history } = this.store;
    const width = Math.max(1, Math.floor(right - left));
    const columns = new Int32Array(width).fill(-1);
    const span = lastStep - firstStep;
    let row = firstRow;
    for (let x = 0; x < width; x++) {
      // A pixel shows the sample of the step it stands for, or the last one before it.
      const step = firstStep + Math.floor((x / width) * span) + 1;
      if (step > history.lastStep) break;
      while (row + 1 < history.length && (history.steps[row + 1] ?? 0) <= step) row++;
      if ((history.steps[row] ?? Infinity) <= step) columns[x] = row;
    }
    return columns;
  }

  private drawCells(
    context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry, range: LogRange | null,
  ): void {
    const { history, meta } = this.store;
    const rows = meta.names.length;
    const { left, row, bottom } = geometry;
    const columns = this.columns(geometry);
    const width = columns.length;
    context.save();
    context.beginPath();
    context.roundRect(left, 0, width, bottom, 3);
    context.clip();
    context.fillStyle = theme.line;
    context.globalAlpha = 0.28;
    context.fillRect(left, 0, width, bottom);
    context.globalAlpha = 1;
    if (range && rows > 0) {
      const image = new ImageData(width, rows);
      const pixels = new Uint32Array(image.data.buffer);
      const { table } = theme.palette;
      const factor = 255 / (range.high - range.low);
      for (let x = 0; x < width; x++) {
        const sample = columns[x] ?? -1;
        if (sample < 0) continue;
        for (let i = 0; i < rows; i++) {
          const at = sample * rows + i;
          if ((history.flags[at] ?? 0) & SPECIAL) continue;
          const level = ((history.logs[at] ?? 0) - range.low) * factor;
          pixels[i * width + x] = table[level <= 0 ? 0 : level >= 255 ? 255 : Math.round(level)] ?? 0;
        }
      }
      this.image.width = width;
      this.image.height = rows;
      this.image.getContext("2d")?.putImageData(image, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(this.image, left, 0, width, bottom);
    }
    this.drawMarks(context, theme, geometry, columns);
    if (row >= 6 && history.length > 0) {
      context.fillStyle = theme.surface;
      for (let i = 1; i < rows; i++) context.fillRect(left, i * row - 0.5, width, 1);
      const cell = width / Math.max(1, geometry.lastStep - geometry.firstStep);
      for (let x = 1; x < width && cell >= 8; x++) {
        if (columns[x] !== columns[x - 1]) context.fillRect(left + x - 0.5, 0, 1, bottom);
      }
    }
    context.restore();
  }

  /** Cells without an ordinary number, neighbours joined: NaN and infinity hatched, zero hollow, no gradient a line. */
  private drawMarks(
    context: CanvasRenderingContext2D, theme: Theme, { left, row }: Geometry, columns: Int32Array,
  ): void {
    const { history, meta } = this.store;
    const rows = meta.names.length;
    if (!columns.some((sample) => (history.marks[sample] ?? 0) & SPECIAL)) return;
    const pattern = hatch(context, theme.palette.alarm, theme.surface);
    const flagAt = (x: number, i: number) => {
      const sample = columns[x] ?? -1;
      return sample < 0 ? 0 : (history.flags[sample * rows + i] ?? 0) & SPECIAL;
    };
    for (let i = 0; i < rows; i++) {
      for (let x = 0; x < columns.length; ) {
        const flag = flagAt(x, i);
        let end = x + 1;
        while (end < columns.length && flagAt(end, i) === flag) end++;
        if (flag) this.drawMark(context, theme, flag, pattern, left + x, i * row, end - x, row);
        x = end;
      }
    }
  }

  private drawMark(
    context: CanvasRenderingContext2D, theme: Theme, flag: number, pattern: CanvasPattern | string,
    x: number, y: number, width: number, height: number,
  ): void {
    if (flag & NAN) {
      context.fillStyle = pattern;
      context.fillRect(x, y, width, height);
    } else if (flag & INF) {
      context.fillStyle = theme.palette.alarm;
      context.fillRect(x, y, width, height);
      if (height < 10) return;
      context.fillStyle = theme.surface;
      for (let at = x + 7; at < x + width - 4 || at === x + 7; at += 16) {
        const middle = width < 14 ? x + width / 2 : at;
        context.beginPath();
        context.moveTo(middle, y + height / 2 - 4);
        context.lineTo(middle + 4.5, y + height / 2 + 3.5);
        context.lineTo(middle - 4.5, y + height / 2 + 3.5);
        context.fill();
      }
    } else if (flag & ZERO) {
      context.fillStyle = theme.surface;
      context.fillRect(x, y, width, height);
      context.strokeStyle = theme.muted;
      context.lineWidth = 1;
      const inset = height >= 8 ? 2 : 0.5;
      context.strokeRect(x + 0.5, y + inset + 0.5, Math.max(0, width - 1), Math.max(0, height - 2 * inset - 1));
    } else {
      context.fillStyle = theme.muted;
      context.fillRect(x, y + Math.floor(height / 2), width, 1);
    }
  }

  private drawAxis(context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry): void {
    const { left, right, bottom, firstStep, lastStep } = geometry;
    context.font = `11px ${theme.font}`;
    context.textBaseline = "alphabetic";
    context.fillStyle = theme.muted;
    const scale = (right - left) / Math.max(1, lastStep - firstStep);
    const most = Math.max(4, Math.floor((right - left) / 80));
    for (const mark of ticks(Math.max(1, firstStep), lastStep, most)) {
      if (mark === 0) continue;
      const x = left + (mark - firstStep - 0.5) * scale;
      const text = format.count(mark);
      const half = context.measureText(text).width / 2;
      context.fillRect(Math.round(x), bottom + 2, 1, 4);
      context.textAlign = "left";
      context.fillText(text, Math.min(Math.max(left, x - half), right - 2 * half), bottom + 17);
    }
    context.textAlign = "right";
    if (left > 40) context.fillText("step", left - GAP, bottom + 17);
  }

  // ---- legend and words ----

  private showLegend(theme: Theme, range: LogRange | null): void {
    this.legend.style.visibility = range ? "visible" : "hidden";
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
    const { marks, length } = this.store.history;
    let seen = theme.palette.dark ? 1 << 8 : 0; // the swatches are drawn again when the theme changes
    for (let row = 0; row < length; row++) seen |= marks[row] ?? 0;
    if (seen === this.shownMarks) return;
    this.shownMarks = seen;
    const swatch = (flag: number, text: string) => {
      const layer = new Layer("");
      const context = layer.reset(18, 10);
      this.drawMark(context, theme, flag, hatch(context, theme.palette.alarm, theme.surface), 0, 0, 18, 10);
      return make("span", "nbt-mark", {}, [layer.element, text]);
    };
    const known: [number, string][] = [[NAN, "NaN"], [INF, "infinite"], [ZERO, "zero"], [NO_GRAD, "no gradient"]];
    this.marks.replaceChildren(...known.filter(([flag]) => seen & flag).map(([flag, text]) => swatch(flag, text)));
  }

  /** Words for those who don't see the picture, once a second at most. */
  private describe(range: LogRange | null): void {
    const now = performance.now();
    const wait = this.described + 1000 - now;
    window.clearTimeout(this.describeTimer);
    if (wait > 0 && this.store.active) {
      this.describeTimer = window.setTimeout(() => this.store.schedule(), wait);
      return;
    }
    this.described = now;
    const { history, meta } = this.store;
    const broken = meta.names.filter((_, i) => (history.flags[(history.length - 1) * meta.names.length + i] ?? 0) & ALARM);
    const words = range
      ? `Heat map of the gradient norms of ${meta.names.length} parameters over ${history.length} sampled steps, ` +
        `from ${format.roundMagnitude(range.low)} to ${format.roundMagnitude(range.high)}.` +
        (broken.length ? ` Not finite now: ${broken.join(", ")}.` : "")
      : "Heat map of gradient norms, still empty.";
    this.base.element.setAttribute("aria-label", words);
  }

  private fillTable(table: HTMLTableElement): void {
    const { history, meta } = this.store;
    const rows = meta.names.length;
    if (!table.tHead) {
      table.createTHead().append(make("tr", "", {}, ["Parameter", "Latest", "Least", "Greatest"].map((text) =>
        make("th", "", { scope: "col" }, [text]))));
      const body = table.createTBody();
      for (const name of meta.names) {
        body.append(make("tr", "", {}, [make("th", "", { scope: "row" }, [name]), make("td"), make("td"), make("td")]));
      }
    }
    meta.names.forEach((_, i) => {
      let least = Infinity;
      let greatest = -Infinity;
      for (let at = i; at < history.length * rows; at += rows) {
        if ((history.flags[at] ?? 0) & (NAN | NO_GRAD)) continue;
        least = Math.min(least, history.norms[at] ?? NaN);
        greatest = Math.max(greatest, history.norms[at] ?? NaN);
      }
      const last = (history.length - 1) * rows + i;
      const cells = table.tBodies[0]?.rows[i]?.cells;
      const latest = history.length ? special(history.flags[last] ?? 0) ?? format.measure(history.norms[last] ?? NaN) : "–";
      [latest, least > greatest ? "–" : format.measure(least), least > greatest ? "–" : format.measure(greatest)].forEach((text, k) => {
        const cell = cells?.[k + 1];
        if (cell) setText(cell, text);
      });
    });
  }

  // ---- the cursor ----

  private point(event: PointerEvent): void {
    const { geometry } = this;
    if (!geometry) return;
    const box = this.plot.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    const inside = x >= geometry.left && x < geometry.right && y >= 0 && y < geometry.bottom;
    const steps = geometry.lastStep - geometry.firstStep;
    const fraction = (x - geometry.left) / (geometry.right - geometry.left);
    this.setCursor(inside
      ? { row: Math.floor(y / geometry.row), step: geometry.firstStep + Math.floor(fraction * steps) + 1 }
      : null);
  }

  private move(event: KeyboardEvent): void {
    const { history, meta } = this.store;
    if (event.ctrlKey || event.metaKey || event.altKey || history.length === 0) return;
    const at = this.cursor ?? { row: 0, step: history.lastStep };
    const sample = history.rowAt(at.step);
    const first = this.geometry?.firstRow ?? 0;
    const to = (index: number) => history.steps[Math.min(history.length - 1, Math.max(first, index))] ?? at.step;
    switch (event.key) {
      case "ArrowLeft": at.step = to(sample - 1); break;
      case "ArrowRight": at.step = to(sample + 1); break;
      case "ArrowUp": at.row = Math.max(0, at.row - 1); break;
      case "ArrowDown": at.row = Math.min(meta.names.length - 1, at.row + 1); break;
      case "Home": at.step = to(first); break;
      case "End": at.step = to(history.length - 1); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.setCursor({ ...at });
  }

  private setCursor(cursor: { row: number; step: number } | null): void {
    this.cursor = cursor;
    if (this.geometry && !this.table) this.drawCursor();
  }

  /** The overlay: a frame around the cell under the cursor, and its exact value beside it. */
  private drawCursor(): void {
    const { cursor, geometry, theme } = this;
    const { history, meta } = this.store;
    const rows = meta.names.length;
    const context = this.over.reset(this.base.width, this.base.height);
    const sample = cursor ? history.rowAt(cursor.step) : -1;
    if (!cursor || !geometry || !theme || sample < 0 || cursor.step > geometry.lastStep || sample < geometry.firstRow) {
      this.tip.hidden = true;
      return;
    }
    const { left, right, row, bottom, firstStep, lastStep } = geometry;
    const scale = (right - left) / Math.max(1, lastStep - firstStep);
    const step = history.steps[sample] ?? 0;
    const next = sample + 1 < history.length ? (history.steps[sample + 1] ?? step + 1) : Math.max(step + 1, 0);
    const x0 = Math.max(left, left + (step - 1 - firstStep) * scale);
    const x1 = Math.max(x0 + 2, Math.min(right, left + (next - 1 - firstStep) * scale));
    const y = cursor.row * row;
    const end = Math.min(right, left + (history.lastStep - firstStep) * scale);
    for (const [colour, thickness] of [[theme.surface, 2], [theme.text, 1]] as const) {
      context.fillStyle = colour;
      context.globalAlpha = 0.7;
      for (const edge of [y, y + row]) context.fillRect(left, edge - thickness / 2, end - left, thickness);
      context.fillRect((x0 + x1 - thickness) / 2, 0, thickness, bottom);
    }
    context.globalAlpha = 1;
    context.strokeStyle = theme.surface;
    context.lineWidth = 3;
    context.strokeRect(x0, y, x1 - x0, row);
    context.strokeStyle = theme.text;
    context.lineWidth = 1.5;
    context.strokeRect(x0, y, x1 - x0, row);

    const at = sample * rows + cursor.row;
    const flag = history.flags[at] ?? 0;
    const value = flag & NO_GRAD ? (flag & FROZEN ? "frozen: requires no gradient" : "no gradient")
      : special(flag) ?? format.measure(history.norms[at] ?? NaN, 6);
    const loss = history.loss[sample] ?? NaN;
    this.tip.replaceChildren(
      make("b", "", {}, [meta.names[cursor.row] ?? ""]),
      make("span", "", {}, [`step ${format.count(step)} · `]), value, make("br"),
      make("span", "", {}, [Number.isNaN(loss) ? "" : `${meta.lossName} ${format.measure(loss, 4)}`]),
    );
    this.tip.hidden = false;
    const width = this.tip.offsetWidth;
    const height = this.tip.offsetHeight;
    const tipX = x1 + 10 + width <= this.base.width ? x1 + 10 : Math.max(0, x0 - 10 - width);
    const tipY = Math.max(0, Math.min(y + row / 2 - height / 2, this.base.height - height));
    this.tip.style.transform = `translate(${Math.round(tipX)}px, ${Math.round(tipY)}px)`;
  }
}
