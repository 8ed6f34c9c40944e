import { make } from "../dom";
import type { Model } from "../model";
import { ProtocolError } from "../protocol";
import { draw } from "../stepper/graph";
import { around, BELOW, HIGH, LEFT, Plot, short, STYLE as PLOTS, WIDE } from "../plot";
import { Readout } from "../tensorview/option";
import { STYLE as FAMILY } from "../tensorview/style";
import type { Part, Widget } from "../view";
import { Wire } from "../wire";
import { words } from "../words";
import { bowl, contour, descend, gradient, loss, type Pair, type Points } from "./line";

const WORDS = words(
  {
    title: "Fit and bowl", data: "data and line", bowl: "the loss over w and b", step: "step", mine: "Your own run", line: "line", loss: "loss", gradient: "gradient",
    point: (i: number) => `point ${i + 1}`, again: (lr: string) => `run again here with lr = ${lr}`,
  },
  {
    title: "직선과 그릇", data: "데이터와 직선", bowl: "w와 b에 따른 손실", step: "스텝", mine: "내가 돌린 학습", line: "직선", loss: "손실", gradient: "그래디언트",
    point: (i: number) => `점 ${i + 1}`, again: (lr: string) => `lr = ${lr}로 여기서 다시 돌린 결과`,
  },
);

const LEVELS = 9;

const STYLE = `${FAMILY}${PLOTS}
.nbt-fb .ring { fill: var(--nbt-accent); fill-opacity: .05; stroke: var(--nbt-line); }
.nbt-fb .line, .nbt-fb .path { fill: none; stroke: var(--nbt-accent); stroke-width: 2; } .nbt-fb .path { stroke-width: 1.25; opacity: .75; }
.nbt-fb .miss { stroke: var(--nbt-muted); stroke-dasharray: 3 3; } .nbt-fb .point { fill: var(--nbt-text); stroke: var(--nbt-surface); stroke-width: 2; cursor: ns-resize; }
.nbt-fb .point:focus-visible { outline: none; stroke: var(--nbt-accent); stroke-width: 3; } .nbt-fb .here { fill: var(--nbt-accent); stroke: var(--nbt-surface); stroke-width: 2; }
.nbt-fb .arrow { stroke: var(--nbt-bad); stroke-width: 2.5; } .nbt-fb .cross { stroke: var(--nbt-text); stroke-width: 1.5; }
.nbt-fb-steps { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; margin-top: 10px; font-size: 12px; color: var(--nbt-muted); }
.nbt-fb-steps input { flex: 1 1 160px; max-width: 420px; margin: 0; accent-color: var(--nbt-accent); }
`;

interface Fit extends Points { path: Pair[]; lr: number | null }

function read(raw: unknown): Fit {
  const fit = raw as Fit;
  const number = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v);
  const sound = [fit?.x, fit?.y].every((list) => Array.isArray(list) && list.length > 0 && list.every(number))
    && fit.x.length === fit.y.length && Array.isArray(fit.path) && fit.path.length > 0 && fit.path.every((p) => Array.isArray(p) && p.every(number));
  if (!sound) throw new ProtocolError("expected points and a path");
  return fit;
}

let clips = 0;

class FitAndBowl implements Part {
  readonly element: HTMLElement;
  private readonly plots = make("div", "nbt-plots nbt-fb");
  private readonly slider = make("input", "", { type: "range", min: "0", "aria-label": WORDS().step });
  private readonly mine = make("button", "nbt-toggle", { type: "button" }, [WORDS().mine]);
  private readonly note = make("span");
  private readonly readout = new Readout();
  private readonly clip = `nbt-fb-${++clips}`;
  private fit: Fit | null = null;
  private y: number[] = [];
  private path: Pair[] = [];
  private data: Plot | null = null;
  private valley: Plot | null = null;
  private marks: SVGElement[] = [];

  constructor(private readonly wire: Wire) {
    const { title } = WORDS();
    this.element = make("section", "nbt-part", { "aria-label": title }, [
      make("div", "nbt-head", {}, [make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [title])]), this.plots,
      make("div", "nbt-fb-steps", {}, [make("label", "", {}, [WORDS().step]), this.slider, this.mine, this.note]), ...this.readout.elements,
    ]);
    this.slider.addEventListener("input", () => { wire.set("step", Number(this.slider.value)); });
    this.mine.addEventListener("click", () => this.load());
    wire.watch("fit", () => this.load());
    wire.watch("step", () => wire.schedule());
    try {
      this.load();
    } catch (error) {
      wire.problem = String(error);
    }
  }

  /** The learner's own run. */
  private load(): void {
    const fit = read(this.wire.get("fit"));
    this.fit = fit;
    this.y = [...fit.y];
    this.path = fit.path;
    const { bottom } = bowl(fit);
    const start = fit.path[0] ?? bottom;
    // A path that runs away would shrink everything else to a dot: the start and the bottom say what is in view.
    const reach = 1.5 * Math.max(1, Math.abs(start[0] - bottom[0]), Math.abs(start[1] - bottom[1]));
    const near = fit.path.filter((p) => Math.hypot(p[0] - bottom[0], p[1] - bottom[1]) < 2 * reach);
    this.data = new Plot(WORDS().data, around(fit.x), around([...fit.y, 0], 0.25), ["x", "y"]);
    this.valley = new Plot(WORDS().bowl, around([...near.map((p) => p[0]), bottom[0] - reach / 3, bottom[0] + reach / 3]), around([...near.map((p) => p[1]), bottom[1] - reach / 3, bottom[1] + reach / 3]), ["w", "b"]);
    const clip = draw("clipPath", { id: this.clip });
    clip.append(draw("rect", { x: LEFT, y: 2, width: WIDE - LEFT - 2, height: HIGH - BELOW - 2 }));
    this.valley.svg.append(clip);
    this.marks = fit.x.map((_, i) => this.mark(i));
    this.plots.replaceChildren(this.data.figure, this.valley.figure);
    this.wire.schedule();
  }

  private mark(index: number): SVGElement {
    const mark = draw("circle", { class: "point", r: 7, tabindex: 0, role: "slider", "aria-label": WORDS().point(index) });
    mark.addEventListener("keydown", (event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way || !this.data || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(index, (this.y[index] ?? 0) + (way * (this.data.up[1] - this.data.up[0])) / (event.shiftKey ? 10 : 40));
    });
    mark.addEventListener("pointerdown", (event) => { mark.setPointerCapture(event.pointerId); mark.focus(); });
    mark.addEventListener("pointermove", (event) => {
      if (!mark.hasPointerCapture(event.pointerId) || !this.data) return;
      const box = this.data.svg.getBoundingClientRect();
      const inside = ((event.clientY - box.top) / box.height) * HIGH;
      this.move(index, this.data.up[0] + (1 - (inside - 2) / (HIGH - BELOW - 2)) * (this.data.up[1] - this.data.up[0]));
    });
    return mark;
  }

  private move(index: number, value: number): void {
    const { fit, data } = this;
    if (!fit || !data) return;
    this.y[index] = Math.min(data.up[1], Math.max(data.up[0], value));
    // Only plain descent can be run again here; without a learning rate the path stays as it was.
    if (fit.lr !== null) this.path = descend({ x: fit.x, y: this.y }, fit.path[0] ?? [0, 0], fit.lr, fit.path.length - 1);
    this.wire.schedule();
  }

  update(): void {
    const { fit, data, valley } = this;
    if (!fit || !data || !valley) return;
    const points = { x: fit.x, y: this.y };
    const last = this.path.length - 1;
    const asked = Number(this.wire.get("step"));
    const step = Math.min(last, Math.max(0, Number.isFinite(asked) && asked >= 0 ? Math.round(asked) : last));
    this.slider.max = String(last);
    this.slider.value = String(step);
    const here = this.path[step] ?? [0, 0];
    const [w, b] = here;
    const slope = gradient(points, here);
    const [x0, x1] = data.across;
    for (const old of this.plots.querySelectorAll(".now")) old.remove();
    const now = (plot: Plot, tag: string, attributes: Record<string, string | number>) => {
      const element = draw(tag, attributes);
      element.classList.add("now");
      plot.svg.append(element);
    };
    const within = { "clip-path": `url(#${this.clip})` };
    now(data, "polyline", { class: "line", points: `${data.at([x0, w * x0 + b])} ${data.at([x1, w * x1 + b])}`, ...within });
    fit.x.forEach((x, i) => {
      const y = this.y[i] ?? 0;
      now(data, "line", { class: "miss", x1: data.x(x), x2: data.x(x), y1: data.y(y), y2: data.y(w * x + b), ...within });
    });
    this.marks.forEach((mark, i) => {
      const y = this.y[i] ?? 0;
      mark.setAttribute("cx", data.x(fit.x[i] ?? 0).toFixed(1));
      mark.setAttribute("cy", data.y(y).toFixed(1));
      for (const [name, value] of [["aria-valuenow", y], ["aria-valuemin", data.up[0]], ["aria-valuemax", data.up[1]]] as const) mark.setAttribute(name, short(value));
      data.svg.append(mark);
    });
    const found = bowl(points);
    const top = Math.max(loss(points, this.path[0] ?? here) - found.depth, 1e-6);
    for (let k = LEVELS; k > 0; k--) {
      now(valley, "polygon", { class: "ring", points: contour(found, top * 1.6 * (k / LEVELS) ** 2).map((p) => valley.at(p)).join(" "), ...within });
    }
    const [cx, cy] = [valley.x(found.bottom[0]), valley.y(found.bottom[1])];
    now(valley, "path", { class: "cross", d: `M${cx - 5} ${cy}h10M${cx} ${cy - 5}v10`, ...within });
    const seen = this.path.slice(0, step + 1).filter((p) => p.every((v) => Math.abs(v) < 1e6));
    now(valley, "polyline", { class: "path", points: seen.map((p) => valley.at(p)).join(" "), ...within });
    // The arrow points against the gradient; its length is the step's, or a fixed one where no learning rate is known.
    const size = fit.lr ?? 0.15 * (valley.across[1] - valley.across[0]) / (Math.hypot(...slope) || 1);
    now(valley, "line", { class: "arrow", x1: valley.x(w), y1: valley.y(b), x2: valley.x(w - size * slope[0]), y2: valley.y(b - size * slope[1]), ...within });
    now(valley, "circle", { class: "here", r: 5, cx: valley.x(w).toFixed(1), cy: valley.y(b).toFixed(1), ...within });
    const changed = this.y.some((y, i) => y !== fit.y[i]);
    this.mine.hidden = !changed;
    this.note.textContent = changed && fit.lr !== null ? WORDS().again(short(fit.lr)) : "";
    const say = WORDS();
    this.readout.show([[say.step, `${step} / ${last}`], [say.line, `y = ${short(w)} x ${b < 0 ? "−" : "+"} ${short(Math.abs(b))}`],
      [say.loss, short(loss(points, here))], [say.gradient, `(${short(slope[0])}, ${short(slope[1])})`]]);
  }

  dispose(): void {
    this.readout.dispose();
  }
}

export function fitAndBowl(model: Model): Widget {
  const wire = new Wire(model);
  return { wire, parts: [new FitAndBowl(wire)], label: WORDS().title, style: STYLE };
}
