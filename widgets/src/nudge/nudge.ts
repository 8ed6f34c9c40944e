import { make } from "../dom";
import type { Model } from "../model";
import { around, HIGH, LEFT, Plot, short, STYLE as PLOTS, WIDE, BELOW } from "../plot";
import { ProtocolError } from "../protocol";
import { draw } from "../stepper/graph";
import { choice, Readout } from "../tensorview/option";
import { STYLE as FAMILY } from "../tensorview/style";
import type { Part, Widget } from "../view";
import { Wire } from "../wire";
import { words } from "../words";
import { at, type Curve, type Measured, type Method, pieces, positionOf, stepAt } from "./curve";

const WORDS = words(
  {
    title: "Nudge", curve: "the curve and the line through the nudged points", error: "error of the slope for each h", point: "x", size: "size of the nudge, h",
    one: "one side", both: "both sides", both32: "both sides, 32 bits", slope: "slope", rule: "rule", extrapolated: "extrapolated", off: "error",
  },
  {
    title: "살짝 밀어 보기", curve: "곡선과, 민 점을 지나는 직선", error: "h에 따른 기울기의 오차", point: "x", size: "미는 크기 h",
    one: "한쪽", both: "양쪽", both32: "양쪽, 32비트", slope: "기울기", rule: "규칙", extrapolated: "외삽", off: "오차",
  },
);

const METHODS: readonly Method[] = ["one", "both", "both32"];
const SMALLEST = -32, FLOOR = -13;

const STYLE = `${FAMILY}${PLOTS}
.nbt-nudge .curve { fill: none; stroke: var(--nbt-muted); stroke-width: 1.5; } .nbt-nudge .line, .nbt-nudge .both { fill: none; stroke: var(--nbt-accent); stroke-width: 2; }
.nbt-nudge .tangent, .nbt-nudge .one { fill: none; stroke: var(--nbt-bad); stroke-width: 1.5; stroke-dasharray: 6 3; }
.nbt-nudge .both32 { fill: none; stroke: var(--nbt-text); stroke-width: 1.5; stroke-dasharray: 2 3; } .nbt-nudge .pale { opacity: .4; }
.nbt-nudge .here { fill: var(--nbt-text); stroke: var(--nbt-surface); stroke-width: 2; cursor: ew-resize; } .nbt-nudge .here:focus-visible { outline: none; stroke: var(--nbt-accent); stroke-width: 3; }
.nbt-nudge .pushed { fill: var(--nbt-accent); stroke: var(--nbt-surface); stroke-width: 1.5; }
.nbt-nudge-key { display: flex; flex-wrap: wrap; gap: 0 14px; font-size: 11px; color: var(--nbt-muted); } .nbt-nudge-key svg { width: 26px; height: 8px; margin-right: 5px; flex: none; }
.nbt-nudge-key span { display: flex; align-items: center; }
.nbt-nudge-set { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 16px; margin-top: 10px; font-size: 12px; color: var(--nbt-muted); }
.nbt-nudge-set input { flex: 1 1 160px; max-width: 340px; margin: 0; accent-color: var(--nbt-accent); }
.nbt-nudge-set output { min-width: 56px; color: var(--nbt-text); font-family: var(--nbt-mono); }
`;

interface Wish { x: number; h: number; method: Method }

const finite = (v: unknown): v is number => typeof v === "number" && Number.isFinite(v);
const size = (h: number) => (h >= 0.001 ? short(h) : h.toExponential(0));

function read(curve: Curve, measured: Measured): void {
  if (!Array.isArray(curve?.x) || curve.x.length < 2 || !curve.x.every(finite) || !Array.isArray(curve.y) || !Array.isArray(measured?.steps) || !measured.errors) {
    throw new ProtocolError("expected a curve and what was measured");
  }
}

let clips = 0;

class Nudge implements Part {
  readonly element: HTMLElement;
  private readonly plots = make("div", "nbt-plots nbt-nudge");
  private readonly slider = make("input", "", { type: "range", min: String(SMALLEST), max: "0", step: "1", "aria-label": WORDS().size });
  private readonly chosen = make("output");
  private readonly readout = new Readout();
  private readonly clip = `nbt-nudge-${++clips}`;
  private readonly methods: { element: HTMLElement; update(): void };
  private readonly here = draw("circle", { class: "here", r: 7, tabindex: 0, role: "slider", "aria-label": WORDS().point });
  private curve: Curve | null = null;
  private left: Plot | null = null;

  constructor(private readonly wire: Wire) {
    const say = WORDS();
    this.methods = choice(say.slope, METHODS.map((m) => [m, say[m]] as const), () => this.wish().method, (name) => this.ask({ method: name as Method }));
    this.element = make("section", "nbt-part", { "aria-label": say.title }, [
      make("div", "nbt-head", {}, [make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [say.title])]), this.plots,
      make("div", "nbt-nudge-set", {}, [make("label", "", {}, ["h"]), this.slider, this.chosen, this.methods.element]), ...this.readout.elements,
    ]);
    this.slider.addEventListener("input", () => this.ask({ h: stepAt(Number(this.slider.value)) }));
    this.here.addEventListener("keydown", (event) => {
      const way = { ArrowRight: 1, ArrowLeft: -1, ArrowUp: 1, ArrowDown: -1 }[event.key];
      const [low, high] = this.left?.across ?? [0, 0];
      if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.move(this.wish().x + (way * (high - low)) / (event.shiftKey ? 10 : 40));
    });
    this.here.addEventListener("pointerdown", (event) => { this.here.setPointerCapture(event.pointerId); (this.here as SVGElement).focus(); });
    this.here.addEventListener("pointermove", (event) => {
      if (!this.here.hasPointerCapture(event.pointerId) || !this.left) return;
      const box = this.left.svg.getBoundingClientRect();
      const inside = ((event.clientX - box.left) / box.width) * WIDE;
      this.move(this.left.across[0] + ((inside - LEFT) / (WIDE - LEFT - 2)) * (this.left.across[1] - this.left.across[0]));
    });
    wire.watch("curve", () => this.load());
    for (const trait of ["wish", "measured"]) wire.watch(trait, () => wire.schedule());
    try {
      this.load();
    } catch (error) {
      wire.problem = String(error);
    }
  }

  /** What the reader has chosen; where the trait makes no sense, what was measured. */
  private wish(): Wish {
    const wish = this.wire.get("wish") as Partial<Wish> | undefined, measured = this.wire.get("measured") as Measured;
    return finite(wish?.x) && finite(wish?.h) && METHODS.includes(wish?.method as Method) ? (wish as Wish) : measured;
  }

  private ask(change: Partial<Wish>): void {
    const { x, h, method } = this.wish();
    this.wire.set("wish", { x, h, method, ...change });
  }

  /** To the nearest hundredth of what is shown, so that round numbers can be hit. */
  private move(x: number): void {
    const [low, high] = this.left?.across ?? [0, 0];
    const grain = 10 ** Math.floor(Math.log10((high - low) / 40));
    this.ask({ x: Math.min(high, Math.max(low, Number((Math.round(x / grain) * grain).toFixed(12)))) });
  }

  private load(): void {
    const curve = this.wire.get("curve") as Curve;
    read(curve, this.wire.get("measured") as Measured);
    this.curve = curve;
    this.wire.schedule();
    const heights = curve.y.filter(finite);
    this.left = new Plot(WORDS().curve, [curve.x[0] ?? 0, curve.x[curve.x.length - 1] ?? 1], around(heights), ["x", "f"]);
    const clip = draw("clipPath", { id: this.clip });
    clip.append(draw("rect", { x: LEFT, y: 2, width: WIDE - LEFT - 2, height: HIGH - BELOW - 2 }));
    this.left.svg.append(clip, ...pieces(curve).map((piece) => draw("polyline", { class: "curve", points: piece.map((p) => this.left?.at(p)).join(" ") })));
  }

  update(): void {
    const { curve, left } = this;
    if (!curve || !left) return;
    const say = WORDS(), wish = this.wish(), measured = this.wire.get("measured") as Measured;
    const answered = measured.x === wish.x && measured.h === wish.h && measured.method === wish.method;
    const { x, h, method } = wish;
    this.slider.value = String(positionOf(h));
    this.slider.setAttribute("aria-valuetext", size(h));
    this.chosen.textContent = size(h);
    this.methods.update();
    for (const old of left.svg.querySelectorAll(".now")) old.remove();
    const now = (tag: string, attributes: Record<string, string | number>) => {
      const element = draw(tag, { ...attributes, "clip-path": `url(#${this.clip})` });
      element.classList.add("now");
      left.svg.append(element);
    };
    const [low, high] = left.across;
    const through = (kind: string, px: number, py: number, slope: number) => {
      if ([px, py, slope].every(Number.isFinite)) now("polyline", { class: kind, points: `${left.at([low, py + slope * (low - px)])} ${left.at([high, py + slope * (high - px)])}` });
    };
    const height = at(curve, x), first = method === "one" ? x : x - h;
    const known = answered ? measured.slope : null;
    const slope = known ?? (at(curve, x + h) - at(curve, first)) / (x + h - first);
    if (curve.ruled && measured.x === x && measured.expected !== null) through("tangent", x, height, measured.expected);
    const base = at(curve, first);
    through("line", Number.isFinite(base) ? first : x, Number.isFinite(base) ? base : height, slope);
    for (const place of method === "one" ? [x + h] : [x - h, x + h]) {
      const y = at(curve, place);
      if (Number.isFinite(y)) now("circle", { class: "pushed", r: 4.5, cx: left.x(place).toFixed(1), cy: left.y(y).toFixed(1) });
    }
    if (Number.isFinite(height)) {
      this.here.setAttribute("cx", left.x(x).toFixed(1));
      this.here.setAttribute("cy", left.y(height).toFixed(1));
    }
    for (const [name, value] of [["aria-valuenow", x], ["aria-valuemin", low], ["aria-valuemax", high]] as const) this.here.setAttribute(name, short(value));
    const focused = this.here.getRootNode() instanceof Document ? document.activeElement === this.here : (this.here.getRootNode() as ShadowRoot).activeElement === this.here;
    if (this.here.nextSibling || !this.here.parentNode) left.svg.append(this.here);
    if (focused) (this.here as SVGElement).focus();
    const right = this.errors(measured, wish);
    const key = make("div", "nbt-nudge-key", {}, METHODS.map((m) => {
      const sample = draw("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
      sample.append(draw("line", { class: m, x1: 0, x2: 26, y1: 4, y2: 4 }));
      const item = make("span", "", {}, []);
      item.append(sample, say[m]);
      return item;
    }));
    right.figure.append(key);
    this.plots.replaceChildren(left.figure, right.figure);
    if (focused) (this.here as SVGElement).focus();
    const error = known !== null && measured.expected !== null ? Math.abs(known - measured.expected) : null;
    this.readout.show([[say.point, short(x)], ["h", size(h)], [say.slope, known !== null ? String(Number(known.toPrecision(8))) : Number.isFinite(slope) ? `≈ ${short(slope)}` : "–"],
      [curve.ruled ? say.rule : say.extrapolated, measured.x === x && measured.expected !== null ? String(Number(measured.expected.toPrecision(8))) : "…"],
      [say.off, error === null ? "…" : error === 0 ? "0" : error >= 0.001 ? short(error) : error.toExponential(1)]]);
  }

  /** The errors of all methods over h, the chosen one in front. */
  private errors(measured: Measured, wish: Wish): Plot {
    const log = (error: number | null | undefined) => (finite(error) ? Math.min(6, Math.max(FLOOR, Math.log10(error || 10 ** FLOOR))) : null);
    const series = METHODS.map((m) => measured.steps.map((h, i) => [Math.log10(h), log(measured.errors[m][i])] as const).filter((p): p is readonly [number, number] => p[1] !== null));
    const top = Math.max(1, ...series.flat().map((p) => p[1] + 0.4));
    const plot = new Plot(WORDS().error, [-16.3, 0.3], [FLOOR - 0.4, top], ["h", ""], (v) => `1e${Math.round(v)}`);
    METHODS.forEach((m, i) => plot.svg.append(draw("polyline", { class: m === wish.method ? m : `${m} pale`, points: (series[i] ?? []).map((p) => plot.at(p)).join(" ") })));
    const place = measured.x === wish.x ? series[METHODS.indexOf(wish.method)]?.find(([h]) => Math.abs(h - Math.log10(wish.h)) < 0.26) : undefined;
    if (place) plot.svg.append(draw("circle", { class: "pushed", r: 5.5, cx: plot.x(place[0]).toFixed(1), cy: plot.y(place[1]).toFixed(1) }));
    return plot;
  }

  dispose(): void {
    this.readout.dispose();
  }
}

export function nudge(model: Model): Widget {
  const wire = new Wire(model);
  return { wire, parts: [new Nudge(wire)], label: WORDS().title, style: STYLE };
}
