import { lineage } from "../branches";
import { Layer } from "../canvas";
import { make } from "../dom";
import * as format from "../format";
import type { Change } from "../protocol";
import { axisEnd } from "../scale";
import type { RunStore } from "../store";
import type { Theme } from "../theme";
import { WORDS } from "./words";

const HEIGHT = 64;
const LOW = 24; // the height where there is no curve to draw
const TOP = 14; // for the changes' words
const BOTTOM = 8; // for the snapshots' marks
const MAX_GHOSTS = 8;

type Band = [low: number, high: number];

/** The changes by hand and the snapshots on the way to the present branch. */
export function onTheWay<T extends { branch: number; step: number }>(store: RunStore, all: readonly T[]): T[] {
  const way = lineage(store.story.forks, store.header.branch);
  return all.filter(({ branch, step }) => step <= (way.get(branch) ?? -1));
}

/** The snapshot that a rewind to `step` goes to. */
export function snapshotFor(store: RunStore, step: number): number | null {
  const steps = onTheWay(store, store.story.snapshots).map((s) => s.step).filter((s) => s <= step);
  return steps.length ? Math.max(...steps) : null;
}

export function changeText({ what, old, new: now }: Change): string {
  const text = WORDS();
  const value = (x: number | null) => (x === null ? text.off : format.measure(x, 2));
  return text.changed(what === "lr" ? text.lr : text.clip, value(old), value(now));
}

/** Marks of the changes by hand over another map of the run: a dashed line each, and a pointer at its axis. */
export function markChanges(
  context: CanvasRenderingContext2D, theme: Theme, store: RunStore, x: (step: number) => number, left: number, right: number,
  bottom: number,
): void {
  context.save();
  for (const { step } of onTheWay(store, store.story.changes)) {
    const at = Math.round(x(step));
    if (at < left || at > right) continue;
    for (const [colour, dash] of [[theme.surface, []], [theme.text, [3, 3]]] as const) {
      context.strokeStyle = colour;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(at + 0.5, 0);
      context.lineTo(at + 0.5, bottom);
      context.stroke();
    }
    context.fillStyle = theme.text;
    context.beginPath();
    context.moveTo(at - 3.5, bottom + 7);
    context.lineTo(at + 4.5, bottom + 7);
    context.lineTo(at + 0.5, bottom + 1);
    context.fill();
  }
  context.restore();
}

/** The changes by hand between the sampled step `first` and the next one, in words. */
export function changesAt(store: RunStore, first: number, next: number): string[] {
  return onTheWay(store, store.story.changes).filter(({ step }) => step >= first && step < next).map(changeText);
}

/** For each pixel column of a curve the least and the greatest value in it; null where there is none. */
export function bands(
  steps: ArrayLike<number>, values: ArrayLike<number>, length: number, end: number, width: number,
): (Band | null)[] {
  const columns: (Band | null)[] = Array.from({ length: width }, () => null);
  for (let row = 0; row < length; row++) {
    const value = values[row] ?? NaN;
    if (!Number.isFinite(value)) continue;
    const x = Math.min(width - 1, Math.max(0, Math.round(((steps[row] ?? 0) / end) * (width - 1))));
    const band = columns[x];
    columns[x] = band ? [Math.min(band[0], value), Math.max(band[1], value)] : [value, value];
  }
  return columns;
}

/**
 * The loss over the whole run, older branches pale, with the changes by hand and the snapshots. Pointing and dragging,
 * or the arrow keys, choose the step that all widgets of the run show.
 */
export class Timeline {
  readonly element: HTMLElement;
  private readonly layer = new Layer("nbt-curve");
  private readonly input: HTMLInputElement;
  private end = 32;

  constructor(private readonly store: RunStore) {
    this.input = make("input", "nbt-scrub", { type: "range", min: "0", step: "1", "aria-label": WORDS().timeline });
    this.layer.element.setAttribute("aria-hidden", "true");
    this.element = make("div", "nbt-timeline", {}, [this.layer.element, this.input]);
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || store.history.length === 0) return;
      this.element.dataset["pointer"] = ""; // no ring around what the pointer chose
      this.element.setPointerCapture(event.pointerId);
      this.point(event);
      this.input.focus({ preventScroll: true });
      event.preventDefault();
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) this.point(event);
    });
    this.input.addEventListener("keydown", (event) => {
      delete this.element.dataset["pointer"];
      this.key(event);
    });
    this.input.addEventListener("blur", () => void delete this.element.dataset["pointer"]);
    // An assistive technology may set the value itself.
    this.input.addEventListener("input", () => this.choose(store.history.rowAt(Number(this.input.value))));
  }

  update(theme: Theme): void {
    const { store } = this;
    const { history, header } = store;
    this.end = axisEnd(Math.max(1, header.step, history.lastStep, ...this.ghosts().map((g) => g.steps.at(-1) ?? 0)), header.total);
    this.input.max = String(Math.max(1, history.lastStep));
    const step = store.selection.step ?? history.lastStep;
    this.input.value = String(step);
    this.input.setAttribute("aria-valuetext", this.describe(step));
    this.draw(theme);
  }

  private ghosts(): RunStore["ghosts"] {
    return this.store.ghosts.slice(-MAX_GHOSTS);
  }

  private describe(step: number): string {
    const { history, meta, ghosts } = this.store;
    const text = WORDS();
    const row = history.rowAt(step);
    const loss = history.loss[row] ?? NaN;
    const next = history.steps[row + 1] ?? Infinity;
    const changes = changesAt(this.store, step, next);
    const known = row >= 0 && !Number.isNaN(loss) ? [`${text.name(meta.lossName)} ${format.measure(loss)}`] : [];
    const branches = ghosts.length ? [text.branches(new Set(ghosts.map((g) => g.branch)).size)] : [];
    return [text.at(format.count(step)), ...known, ...changes, ...branches].join(", ");
  }

  // ---- choosing ----

  private point(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    const step = Math.round(((event.clientX - box.left) / Math.max(1, box.width)) * this.end);
    this.choose(Math.max(0, this.store.history.rowAt(step)));
  }

  private key(event: KeyboardEvent): void {
    const { history, selection } = this.store;
    if (event.ctrlKey || event.metaKey || event.altKey || history.length === 0) return;
    const row = selection.step === null ? history.length - 1 : history.rowAt(selection.step);
    const page = Math.max(1, Math.round(history.length / 10));
    const moves: Record<string, number> = {
      ArrowLeft: row - 1, ArrowDown: row - 1, ArrowRight: row + 1, ArrowUp: row + 1, PageDown: row - page, PageUp: row + page,
      Home: 0, End: history.length - 1,
    };
    if (event.key === "Escape" && selection.step !== null) selection.choose({ step: null });
    else if (event.key in moves) this.choose(moves[event.key] ?? row);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private choose(row: number): void {
    const { history, selection } = this.store;
    const to = Math.min(history.length - 1, Math.max(0, row));
    selection.choose({ step: to === history.length - 1 ? null : (history.steps[to] ?? null) });
  }

  // ---- painting; the work is bounded by pixels ----

  private draw(theme: Theme): void {
    const { store, end } = this;
    const { history, selection, story } = store;
    const width = Math.max(1, this.element.clientWidth);
    const x = (step: number) => (step / end) * (width - 1);
    const own = bands(history.steps, history.loss, history.length, end, width);
    const ghosts = this.ghosts().map((g) => bands(g.steps, g.loss, g.steps.length, end, width));
    let low = Infinity;
    let high = -Infinity;
    for (const band of [own, ...ghosts].flat()) {
      if (!band) continue;
      low = Math.min(low, band[0]);
      high = Math.max(high, band[1]);
    }
    const height = low <= high || history.length === 0 ? HEIGHT : LOW;
    this.element.style.height = `${height}px`;
    const context = this.layer.reset(width, height);
    const floor = height - BOTTOM - 2;
    const y = (value: number) => floor - (floor - TOP) * (high > low ? (value - low) / (high - low) : 0.5);
    context.lineJoin = context.lineCap = "round";
    context.strokeStyle = theme.muted;
    context.globalAlpha = 0.75;
    context.lineWidth = 1;
    for (const ghost of ghosts) stroke(context, ghost, y);
    context.globalAlpha = 1;
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    const last = stroke(context, own, y);
    this.drawBroken(context, theme, x);

    // Where the run can go back to: small marks on the axis.
    context.fillStyle = theme.muted;
    for (const { step } of onTheWay(store, story.snapshots)) {
      context.fillRect(Math.min(width - 2, Math.max(0, Math.round(x(step)) - 1)), height - BOTTOM + 2, 2, 5);
    }
    this.drawChanges(context, theme, x, width, height);
    if (last) {
      context.fillStyle = theme.accent;
      context.beginPath();
      context.arc(Math.min(Math.max(last[0], 3), width - 3), last[1], 3, 0, 2 * Math.PI);
      context.fill();
    }
    if (selection.step !== null) this.drawCursor(context, theme, x(selection.step), y, height);
  }

  /** Samples whose loss is no number: bars at the top, where no curve is. */
  private drawBroken(context: CanvasRenderingContext2D, theme: Theme, x: (step: number) => number): void {
    const { steps, loss, length } = this.store.history;
    if (this.store.header.loss === null) return;
    context.fillStyle = theme.palette.alarm;
    for (let row = 0; row < length; row++) {
      if (!Number.isFinite(loss[row] ?? 0)) context.fillRect(Math.round(x(steps[row] ?? 0)) - 1, TOP, 2, 6);
    }
  }

  private drawChanges(
    context: CanvasRenderingContext2D, theme: Theme, x: (step: number) => number, width: number, height: number,
  ): void {
    context.font = `11px ${theme.font}`;
    context.textBaseline = "top";
    context.textAlign = "left";
    let free = 0;
    const changes = onTheWay(this.store, this.store.story.changes);
    const places = changes.map(({ step }) => Math.min(width - 1, Math.round(x(step))));
    changes.forEach((change, i) => {
      const at = places[i] ?? 0;
      context.fillStyle = theme.muted;
      context.fillRect(at, 3, 1, height - BOTTOM - 3);
      context.beginPath();
      context.moveTo(at - 3, 1);
      context.lineTo(at + 4, 1);
      context.lineTo(at + 0.5, 6);
      context.fill();
      const text = changeText(change);
      const size = context.measureText(text).width;
      // Words stand to the right of their mark where the next one leaves room, else to the left, else nowhere.
      const fitsRight = at + 7 + size <= Math.min(width, (places[i + 1] ?? Infinity) - 8);
      const left = fitsRight ? at + 7 : at - 6 - size;
      if (left < free) free = at + 8;
      else {
        context.fillStyle = theme.text;
        context.fillText(text, left, 0);
        free = Math.max(left + size, at) + 8;
      }
    });
  }

  private drawCursor(
    context: CanvasRenderingContext2D, theme: Theme, at: number, y: (value: number) => number, height: number,
  ): void {
    const { history, selection } = this.store;
    const loss = history.loss[history.rowAt(selection.step ?? 0)] ?? NaN;
    context.fillStyle = theme.text;
    context.fillRect(Math.round(at), TOP - 2, 1, height - TOP + 2);
    if (!Number.isFinite(loss)) return;
    context.beginPath();
    context.arc(at + 0.5, y(loss), 3.5, 0, 2 * Math.PI);
    context.fillStyle = theme.surface;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = theme.text;
    context.stroke();
  }
}

/** Draw a curve of bands; the place of its last point. */
function stroke(
  context: CanvasRenderingContext2D, columns: readonly (Band | null)[], y: (value: number) => number,
): [x: number, y: number] | null {
  let last: [number, number] | null = null;
  context.beginPath();
  columns.forEach((band, x) => {
    if (!band) return;
    const [least, greatest] = band;
    const from = last ? Math.min(Math.max(last[1], y(greatest)), y(least)) : y(greatest);
    if (last) context.lineTo(x, from);
    else context.moveTo(x, from);
    if (greatest > least) {
      context.lineTo(x, y(greatest));
      context.lineTo(x, y(least));
    }
    last = [x, greatest > least ? y(least) : y(greatest)];
  });
  context.stroke();
  return last;
}
