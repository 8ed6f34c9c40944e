import { Layer } from "../canvas";
import { IconButton, make, setText } from "../dom";
import * as format from "../format";
import type { Model } from "../model";
import { prefersReducedMotion, type Theme } from "../theme";
import type { Part, Widget } from "../view";
import { Chart } from "./chart";
import { categoryColour, DASHES, drawShape, shapePath, STYLE } from "./look";
import { paintField, wash } from "./field";
import { coordinate, Plane, realTicks, tickText } from "./plane";
import { Racers } from "./racers";
import { LandscapeStore } from "./state";
import { WORDS } from "./words";

const NARROW = 640;
const LOWER = 34; // px below the plot for the axis
const PLAY_MS = 4000; // a whole path

/** A map of a loss, the paths on it, and what steers them. */
export class Landscape implements Part {
  readonly element: HTMLElement;
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
  private readonly plot: HTMLElement;
  private readonly tip = make("div", "nbt-tip", { hidden: "" });
  private readonly low = make("span");
  private readonly high = make("span");
  private readonly ramp = make("span", "nbt-ramp");
  private readonly work = make("div", "nbt-work", { role: "status" });
  private readonly workText = make("span");
  private readonly workButton = make("button", "", { type: "button" });
  private readonly note = make("div", "nbt-note", { role: "status" });
  private readonly spoken = make("div", "nbt-spoken", { "aria-live": "polite" });
  private readonly linear: HTMLButtonElement;
  private readonly logarithmic: HTMLButtonElement;
  private readonly tableButton: HTMLButtonElement;
  private readonly body: HTMLElement;
  private readonly side: HTMLElement;
  private readonly left: HTMLElement;
  private readonly chart = new Chart();
  private readonly play: IconButton;
  private readonly scrub = make("input", "", { type: "range", min: "0", max: "1", value: "1" });
  private readonly stepText = make("output");
  private readonly racers: Racers;
  private table: HTMLTableElement | null = null;
  private plane: Plane | null = null;
  private theme: Theme | null = null;
  private painted = "";
  /** The step up to which paths are shown; null: to the end. */
  private until: number | null = null;
  private playing = 0;
  private dragging = false;
  private hover: { x: number; y: number } | null = null;
  private cursor: { i: number; j: number } | null = null;
  private sayTimer = 0;

  constructor(private readonly store: LandscapeStore) {
    const { meta } = store;
    const text = WORDS();
    const button = (label: string, action: () => void) => {
      const element = make("button", "", { type: "button" }, [label]);
      element.addEventListener("click", action);
      return element;
    };
    this.linear = button(text.linear, () => store.chooseLog(false));
    this.logarithmic = button(text.log, () => store.chooseLog(true));
    this.tableButton = button(text.table, () => this.toggleTable());
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", `nbt-plot nbt-plane${this.walks ? "" : " nbt-reading"}`, {
      tabindex: "0", role: "application", "aria-label": this.walks ? text.plot : text.plotSlice,
    }, [this.base.element, this.over.element, this.tip]);
    this.play = new IconButton("resume", text.play, "Space", () => this.toggle());
    this.scrub.setAttribute("aria-label", text.scrub);
    this.scrub.addEventListener("input", () => this.show(Number(this.scrub.value)));
    const player = make("div", "nbt-play", {}, [this.play.element, this.scrub, this.stepText]);
    player.hidden = meta.racers.length === 0;
    this.racers = new Racers(store);
    const hasLosses = meta.racers.length > 0;
    this.left = make("div", "nbt-left", {}, [this.plot, player]);
    this.side = make("div", "nbt-side", {}, [
      make("div", "nbt-caption", {}, [text.lossPlot]), this.chart.layer.element, this.racers.element,
    ]);
    this.side.hidden = !hasLosses;
    this.body = make("div", "nbt-two", {}, [this.left, this.side]);
    this.workButton.addEventListener("click", () => store.post({ op: store.stopped ? "go" : "stop" }));
    this.work.append(this.workText, this.workButton);
    const subtitle = meta.mode === "slice"
      ? (meta.directions === "path" ? text.along : text.random)(format.count(meta.weights))
      : meta.gradient === "differences" ? text.byDifferences : text.byAutograd;
    this.element = make("section", "nbt-part nbt-landscape", { "aria-label": text.title }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [`${text.title} · ${meta.title}`]),
        make("div", "nbt-subtitle", {}, [subtitle]),
        make("div", "nbt-options", {}, [
          make("div", "nbt-choice", { role: "group", "aria-label": text.scale }, [this.linear, this.logarithmic]),
          make("div", "nbt-choice", {}, [this.tableButton]),
        ]),
      ]),
      this.body,
      make("div", "nbt-foot", {}, [
        make("div", "nbt-legend", {}, [this.low, this.ramp, this.high]), this.work, make("span", "nbt-source", {}, [meta.source]),
      ]),
      this.note, this.spoken,
    ]);
    if (!hasLosses) this.element.classList.add("nbt-single");
    this.plot.addEventListener("pointerdown", (event) => this.grab(event));
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerup", () => (this.dragging = false));
    this.plot.addEventListener("pointercancel", () => (this.dragging = false));
    this.plot.addEventListener("pointerleave", () => this.setHover(null));
    this.plot.addEventListener("blur", () => this.setCursor(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
  }

  dispose(): void {
    window.cancelAnimationFrame(this.playing);
    window.clearTimeout(this.sayTimer);
  }

  /** Whether optimizers walk here, from a start that can be moved. */
  private get walks(): boolean {
    return this.store.settings !== null;
  }

  update(theme: Theme): void {
    const { store } = this;
    const text = WORDS();
    this.theme = theme;
    this.linear.setAttribute("aria-pressed", String(!store.log));
    this.logarithmic.setAttribute("aria-pressed", String(store.log));
    this.tableButton.setAttribute("aria-pressed", String(this.table !== null));
    const percent = Math.floor(store.progress * 100);
    this.work.hidden = store.progress >= 1 || !store.field;
    setText(this.workText, store.stopped ? text.stopped(percent) : text.computing(percent));
    setText(this.workButton, store.stopped ? text.goOn : text.stop);
    const note = store.failure ? text.failed(store.failure) : store.silent && !store.local ? text.noKernel : "";
    setText(this.note, note);
    this.note.hidden = note === "";
    const narrow = this.element.clientWidth < NARROW;
    this.element.classList.toggle("nbt-narrow", narrow);
    if (this.table) {
      this.fillTable();
      return;
    }
    this.paintBase(theme);
    this.racers.update(theme);
    const steps = store.steps;
    const step = Math.min(this.until ?? steps, steps);
    this.scrub.max = String(steps);
    this.scrub.value = String(step);
    const label = `${text.step} ${format.count(step)} / ${format.count(steps)}`;
    setText(this.stepText, label);
    this.scrub.setAttribute("aria-valuetext", label);
    if (this.playing) this.play.show("pause", text.pause, "Space");
    else this.play.show("resume", text.play, "Space");
    if (!this.side.hidden) {
      const width = this.side.clientWidth;
      const lines = store.tracks.map((track, index) => ({ track, index })).filter(({ track }) => this.racers.visible(track.key));
      this.chart.draw(theme, width, narrow ? 132 : 190, lines.map(({ track, index }) => ({
        values: track.losses, colour: categoryColour(theme, index), dash: DASHES[index % DASHES.length]!,
        mark: (context, x, y) => drawShape(context, index, x, y, 4, categoryColour(theme, index), theme.surface),
      })), steps, step);
      this.chart.layer.element.setAttribute("aria-label", `${text.lossPlot}. ${this.racers.sentences().join(" ")}`);
    }
    this.paintOver();
  }

  // ---- the map ----

  private paintBase(theme: Theme): void {
    const { store } = this;
    const { meta, field, shade } = store;
    const width = this.left.clientWidth;
    const key = `${width} ${store.version} ${theme.surface} ${theme.text} ${window.devicePixelRatio}`;
    if (key === this.painted || width === 0) return;
    this.painted = key;
    const measure = this.base.context;
    measure.font = `11px ${theme.font}`;
    const yMarks = realTicks(meta.y[0], meta.y[1], 6);
    const gutter = Math.ceil(Math.max(...yMarks.map((mark) => measure.measureText(tickText(mark)).width), 8)) + 24;
    const across = width - gutter - 2;
    const height = Math.round(Math.min(across * (this.store.meta.racers.length ? 0.82 : 0.62), 470));
    const plane = new Plane({ x0: meta.x[0], x1: meta.x[1], y0: meta.y[0], y1: meta.y[1] }, gutter, 2, across, height);
    this.plane = plane;
    const context = this.base.reset(width, height + LOWER + 2);
    if (field && shade) paintField(context, plane, field, shade, theme);
    else {
      context.fillStyle = theme.line;
      context.globalAlpha = 0.28;
      context.fillRect(plane.left, plane.top, plane.width, plane.height);
      context.globalAlpha = 1;
    }
    context.font = `11px ${theme.font}`;
    context.fillStyle = theme.muted;
    context.textBaseline = "alphabetic";
    const floor = plane.top + plane.height;
    for (const mark of realTicks(meta.x[0], meta.x[1], Math.max(3, Math.floor(across / 70)))) {
      const half = context.measureText(tickText(mark)).width / 2;
      context.fillRect(Math.round(plane.px(mark)), floor + 2, 1, 4);
      context.fillText(tickText(mark), Math.min(Math.max(0, plane.px(mark) - half), width - 2 * half), floor + 17);
    }
    context.textAlign = "center";
    context.fillText(meta.labels[0], plane.left + plane.width / 2, floor + 31);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const mark of yMarks) {
      const y = plane.py(mark);
      context.fillRect(plane.left - 6, Math.round(y), 4, 1);
      context.fillText(tickText(mark), plane.left - 9, Math.min(Math.max(y, 7), floor - 5));
    }
    context.save();
    context.translate(7, plane.top + plane.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(meta.labels[1], 0, 0);
    context.restore();
    context.textAlign = "left";
    if (field) this.paintMinima(context, theme, plane);
    if (shade) {
      setText(this.low, format.measure(shade.low));
      setText(this.high, format.measure(shade.high));
      const colour = wash(theme);
      const stops = Array.from({ length: 9 }, (_, k) => `rgb(${colour(k / 8).join(",")})`);
      this.ramp.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    }
    this.describe();
  }

  /** Where the loss is lowest: the function's own minima, else the grid's lowest node; and a model's weights. */
  private paintMinima(context: CanvasRenderingContext2D, theme: Theme, plane: Plane): void {
    const { meta } = this.store;
    const cross = (x: number, y: number) => {
      for (const [colour, thickness] of [[theme.surface, 4], [theme.text, 1.6]] as const) {
        context.strokeStyle = colour;
        context.lineWidth = thickness;
        context.lineCap = "round";
        context.beginPath();
        for (const [dx, dy] of [[1, 1], [1, -1]] as const) {
          context.moveTo(x - 4.5 * dx, y - 4.5 * dy);
          context.lineTo(x + 4.5 * dx, y + 4.5 * dy);
        }
        context.stroke();
      }
    };
    const label = (words: string, x: number, y: number) => {
      context.font = `11px ${theme.font}`;
      const width = context.measureText(words).width;
      const at = x + 9 + width > plane.left + plane.width ? x - 9 - width : x + 9;
      context.textBaseline = "middle";
      context.lineWidth = 3;
      context.lineJoin = "round";
      context.strokeStyle = theme.surface;
      context.fillStyle = theme.text;
      const level = Math.min(Math.max(y, plane.top + 9), plane.top + plane.height - 9);
      context.strokeText(words, at, level);
      context.fillText(words, at, level);
    };
    if (meta.minima.length > 0) {
      const marks = meta.minima.filter(([x, y]) => plane.inside(plane.px(x), plane.py(y)));
      marks.forEach(([x, y]) => cross(plane.px(x), plane.py(y)));
      if (marks[0] && marks.length === 1) label(WORDS().minimum, plane.px(marks[0][0]), plane.py(marks[0][1]));
      return;
    }
    const lowest = this.lowest();
    const sure = lowest !== null && this.store.progress >= 1;
    if (meta.mode === "slice") {
      const [x, y] = [plane.px(0), plane.py(0)];
      // The grid's nodes lie beside the weights themselves, which may be lower than all of them.
      const best = sure && meta.centre !== null && meta.centre <= lowest.value;
      const close = sure && !best && Math.hypot(plane.px(lowest.x) - x, plane.py(lowest.y) - y) < 40;
      if (sure && !best) cross(plane.px(lowest.x), plane.py(lowest.y));
      if (sure && !best && !close) label(WORDS().lowest(format.measure(lowest.value)), plane.px(lowest.x), plane.py(lowest.y));
      shapePath(context, 0, x, y, 5);
      context.lineWidth = 4;
      context.strokeStyle = theme.surface;
      context.stroke();
      context.lineWidth = 2;
      context.strokeStyle = theme.text;
      context.stroke();
      label(WORDS().weightsNow, x, best || close ? y - 14 : y);
      if (best || close) label(WORDS().lowest(format.measure(best ? meta.centre! : lowest!.value)), x, y + 14);
    } else if (sure) {
      const [x, y] = [plane.px(lowest.x), plane.py(lowest.y)];
      cross(x, y);
      label(WORDS().lowest(format.measure(lowest.value)), x, y);
    }
  }

  private lowest(): { x: number; y: number; value: number } | null {
    const { field } = this.store;
    let best = -1;
    field?.values.forEach((value, at) => {
      if (Number.isFinite(value) && (best < 0 || value < field.values[best]!)) best = at;
    });
    if (!field || best < 0) return null;
    return { ...this.node(Math.floor(best / field.size), best % field.size), value: field.values[best]! };
  }

  /** The coordinates of the grid's node in row i and column j. */
  private node(i: number, j: number): { x: number; y: number } {
    const { x, y, resolution } = this.store.meta;
    return { x: x[0] + ((x[1] - x[0]) * j) / (resolution - 1), y: y[0] + ((y[1] - y[0]) * i) / (resolution - 1) };
  }

  // ---- paths, start and cursor ----

  private paintOver(): void {
    const { plane, theme, store } = this;
    if (!plane || !theme) return;
    const context = this.over.reset(this.base.width, this.base.height);
    context.save();
    context.beginPath();
    context.rect(plane.left, plane.top, plane.width, plane.height);
    context.clip();
    const shown = this.until ?? Infinity;
    store.tracks.forEach((track, index) => {
      if (!this.racers.visible(track.key)) return;
      const count = Math.min(track.xs.length, shown + 1);
      const colour = categoryColour(theme, index);
      const points: [number, number][] = [];
      let skipped: [number, number] | null = null;
      for (let k = 0; k < count; k++) {
        // Far outside the canvas, coordinates are too large for it; the line still leaves in the right direction.
        const at: [number, number] = [clampPx(plane.px(track.xs[k]!)), clampPx(plane.py(track.ys[k]!))];
        const last = points.at(-1);
        skipped = last && Math.hypot(at[0] - last[0], at[1] - last[1]) < 0.7 ? at : null;
        if (!skipped) points.push(at);
      }
      if (skipped) points.push(skipped);
      const trace = () => {
        context.beginPath();
        points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
        context.stroke();
      };
      context.lineJoin = context.lineCap = "round";
      context.strokeStyle = theme.surface;
      context.globalAlpha = 0.75;
      context.lineWidth = 4;
      trace();
      context.globalAlpha = 1;
      context.strokeStyle = colour;
      context.lineWidth = 1.8;
      trace();
      context.fillStyle = colour;
      let before: [number, number] = [-99, -99];
      for (const [x, y] of points) {
        if (Math.hypot(x - before[0], y - before[1]) < 7) continue;
        before = [x, y];
        context.beginPath();
        context.arc(x, y, 2.4, 0, 2 * Math.PI);
        context.fill();
      }
    });
    store.tracks.forEach((track, index) => {
      if (!this.racers.visible(track.key)) return;
      const at = Math.min(track.xs.length - 1, shown);
      const [x, y] = [plane.px(track.xs[at]!), plane.py(track.ys[at]!)];
      if (plane.inside(x, y)) drawShape(context, index, x, y, 5, categoryColour(theme, index), theme.surface);
    });
    if (store.settings) {
      const [x, y] = [plane.px(store.settings.start[0]), plane.py(store.settings.start[1])];
      for (const [radius, colour, thickness] of [[7, theme.surface, 4.5], [7, theme.text, 2]] as const) {
        shapePath(context, 0, x, y, radius);
        context.lineWidth = thickness;
        context.strokeStyle = colour;
        context.stroke();
      }
    }
    context.restore();
    this.paintTip(context, plane, theme);
  }

  /** The exact value under the pointer: of a path's point if one is near, else of the grid's nearest node. */
  private paintTip(context: CanvasRenderingContext2D, plane: Plane, theme: Theme): void {
    const { field, meta, tracks } = this.store;
    const text = WORDS();
    let target: { x: number; y: number; title: string; value: number; note: string } | null = null;
    if (this.hover && !this.dragging) {
      let near = 9;
      for (const track of tracks) {
        if (!this.racers.visible(track.key)) continue;
        const last = Math.min(track.xs.length - 1, this.until ?? Infinity);
        for (let k = 0; k <= last; k++) {
          const distance = Math.hypot(plane.px(track.xs[k]!) - this.hover.x, plane.py(track.ys[k]!) - this.hover.y);
          if (distance >= near) continue;
          near = distance;
          const name = meta.racers.find((racer) => racer.key === track.key)?.label ?? track.key;
          target = { x: track.xs[k]!, y: track.ys[k]!, title: name, value: track.losses[k]!, note: `${text.step} ${k}` };
        }
      }
    }
    const at = this.cursor ?? (this.hover && !this.dragging && field ? {
      i: Math.round(((plane.y(this.hover.y) - meta.y[0]) / (meta.y[1] - meta.y[0])) * (meta.resolution - 1)),
      j: Math.round(((plane.x(this.hover.x) - meta.x[0]) / (meta.x[1] - meta.x[0])) * (meta.resolution - 1)),
    } : null);
    if (!target && at && field) {
      const value = field.values[at.i * field.size + at.j] ?? NaN;
      target = { ...this.node(at.i, at.j), title: "", value, note: this.store.progress < 1 ? text.about : "" };
    }
    this.tip.hidden = !target;
    if (!target) return;
    const [x, y] = [plane.px(target.x), plane.py(target.y)];
    context.strokeStyle = theme.text;
    context.lineWidth = 1.5;
    shapePath(context, 1, x, y, 5);
    context.stroke();
    const value = Number.isFinite(target.value) ? format.measure(target.value, 6) : text.notFinite;
    this.tip.replaceChildren(
      ...(target.title ? [make("b", "", {}, [target.title])] : []),
      make("span", "", {}, [`${text.loss} `]), value, make("br"),
      make("span", "", {}, [[target.note, `(${coordinate(target.x)}, ${coordinate(target.y)})`].filter(Boolean).join(" · ")]),
    );
    const [w, h] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const left = x + 12 + w <= this.base.width ? x + 12 : Math.max(0, x - 12 - w);
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(0, Math.min(y - h / 2, this.base.height - h)))}px)`;
    if (this.cursor) this.say(`${text.loss} ${value}, ${coordinate(target.x)}, ${coordinate(target.y)}`);
  }

  private grab(event: PointerEvent): void {
    const at = this.pixel(event);
    if (!this.walks || !this.plane?.inside(at.x, at.y) || event.button !== 0) return;
    this.dragging = true;
    this.stopPlaying();
    this.until = null;
    this.plot.setPointerCapture(event.pointerId);
    this.moveStart(this.plane.x(at.x), this.plane.y(at.y));
  }

  private point(event: PointerEvent): void {
    const at = this.pixel(event);
    if (this.dragging && this.plane) this.moveStart(this.plane.x(at.x), this.plane.y(at.y));
    this.cursor = null;
    this.setHover(this.plane?.inside(at.x, at.y) ? at : null);
  }

  private pixel(event: PointerEvent): { x: number; y: number } {
    const box = this.plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private moveStart(x: number, y: number): void {
    const { meta } = this.store;
    const inside = (value: number, [low, high]: [number, number]) => Math.min(high, Math.max(low, Number(value.toPrecision(5))));
    this.store.wish({ start: [inside(x, meta.x), inside(y, meta.y)] });
    this.say(this.racers.sentences().join(" "));
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { meta, settings } = this.store;
    const directions: Record<string, [number, number]> = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
    };
    const direction = directions[event.key];
    const far = event.shiftKey ? 8 : 1;
    if (direction && settings) {
      const step = (range: [number, number]) => ((range[1] - range[0]) / 100) * far;
      this.until = null;
      this.stopPlaying();
      this.moveStart(settings.start[0] + direction[0] * step(meta.x), settings.start[1] + direction[1] * step(meta.y));
    } else if (event.key === "Home" && settings && meta.settings) {
      this.moveStart(...meta.settings.start);
    } else if (direction) {
      const last = meta.resolution - 1;
      const at = this.cursor ?? { i: Math.round(last / 2), j: Math.round(last / 2) };
      const inside = (k: number) => Math.min(last, Math.max(0, k));
      this.setCursor({ i: inside(at.i + direction[1] * far), j: inside(at.j + direction[0] * far) });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private setHover(at: { x: number; y: number } | null): void {
    this.hover = at;
    this.store.schedule();
  }

  private setCursor(at: { i: number; j: number } | null): void {
    this.cursor = at;
    this.store.schedule();
  }

  // ---- playing ----

  toggle(): void {
    if (this.playing) {
      this.stopPlaying();
      return;
    }
    const { steps } = this.store;
    if (this.store.tracks.length === 0) return;
    if (prefersReducedMotion()) {
      this.show(steps);
      return;
    }
    const first = this.until === null || this.until >= steps ? 0 : this.until;
    const began = performance.now();
    const frame = () => {
      const at = first + ((performance.now() - began) / PLAY_MS) * steps;
      this.until = Math.min(steps, Math.floor(at));
      this.playing = at < steps ? window.requestAnimationFrame(frame) : 0;
      this.store.schedule();
    };
    this.playing = window.requestAnimationFrame(frame);
    this.store.schedule();
  }

  private stopPlaying(): void {
    window.cancelAnimationFrame(this.playing);
    this.playing = 0;
    this.store.schedule();
  }

  private show(step: number): void {
    this.stopPlaying();
    this.until = step;
    this.store.schedule();
  }

  // ---- words ----

  private describe(): void {
    const { meta, shade, settings } = this.store;
    const text = WORDS();
    const range = ([low, high]: [number, number]) => `${coordinate(low)}…${coordinate(high)}`;
    const words = shade
      ? text.summary(meta.title, range(meta.x), range(meta.y), format.measure(shade.low), format.measure(shade.high)) +
        (settings ? text.from(coordinate(settings.start[0]), coordinate(settings.start[1])) : "")
      : text.empty;
    this.base.element.setAttribute("aria-label", words);
  }

  /** Have something said, once a second at most. */
  private say(words: string): void {
    window.clearTimeout(this.sayTimer);
    this.sayTimer = window.setTimeout(() => setText(this.spoken, words), 1000);
  }

  private toggleTable(): void {
    if (this.table) {
      this.table.remove();
      this.table = null;
    } else {
      this.table = make("table", "nbt-table");
      this.body.before(make("div", "nbt-scroll", {}, [this.table]));
    }
    this.body.hidden = this.table !== null;
    this.painted = "";
    this.store.schedule();
  }

  private fillTable(): void {
    const { store, table } = this;
    const { meta } = store;
    const text = WORDS();
    if (!table) return;
    const row = (kind: "td" | "th", cells: readonly string[]) => make("tr", "", {}, cells.map((cell, k) =>
      make(k === 0 ? "th" : kind, "", k === 0 && kind === "td" ? { scope: "row" } : kind === "th" ? { scope: "col" } : {}, [cell])));
    const rows: HTMLElement[] = [];
    for (const [label, at] of [[text.lowest("").trim(), this.lowest()]] as const) {
      if (at) rows.push(row("td", [label, "", format.measure(at.value, 6), "", `(${coordinate(at.x)}, ${coordinate(at.y)})`, ""]));
    }
    if (meta.centre !== null) rows.push(row("td", [text.weightsNow, "", format.measure(meta.centre, 6), "", "(0, 0)", ""]));
    for (const track of store.tracks) {
      const racer = meta.racers.find(({ key }) => key === track.key);
      const rate = store.settings?.rates[track.key];
      const last = track.xs.length - 1;
      let best = 0;
      track.losses.forEach((loss, k) => { if (loss < (track.losses[best] ?? Infinity)) best = k; });
      rows.push(row("td", [
        racer?.label ?? track.key, rate === undefined ? "–" : String(rate), format.measure(track.losses[last] ?? NaN, 6),
        `${format.measure(track.losses[best] ?? NaN, 6)} (${best})`,
        `(${coordinate(track.xs[last] ?? NaN)}, ${coordinate(track.ys[last] ?? NaN)})`,
        track.error || (track.left === null ? text.stays : text.leaves(String(track.left))),
      ]));
    }
    table.replaceChildren(
      make("thead", "", {}, [row("th", [text.optimizer, text.learningRate, text.last, text.best, text.end, text.outcome])]),
      make("tbody", "", {}, rows),
    );
  }
}

/** Canvas coordinates that a path far outside may have. */
function clampPx(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(1e5, Math.max(-1e5, value));
}

/** The widget of kind "landscape". */
export function landscape(model: Model): Widget {
  const store = new LandscapeStore(model);
  const part = new Landscape(store);
  return { wire: store, parts: [part], label: WORDS().title, keys: { " ": () => part.toggle() }, style: STYLE };
}
