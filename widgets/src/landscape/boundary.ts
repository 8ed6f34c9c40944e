import { Layer } from "../canvas";
import { make, setText } from "../dom";
import * as format from "../format";
import { parseHex, type Rgb } from "../palette";
import { ProtocolError, type Buffer } from "../protocol";
import type { RunStore } from "../store";
import type { Theme } from "../theme";
import type { Part } from "../view";
import { words } from "../words";
import { floats } from "./data";
import { contour, groundOf, paintNodes, strokeSegments } from "./field";
import { categoryColour, drawShape, shapePath } from "./look";
import { coordinate, Plane, realTicks, tickText } from "./plane";

const WORDS = words(
  {
    title: "Decision boundary", accuracy: (share: string, count: string) => `${share} of ${count} points right`,
    step: (step: string) => `step ${step}`, table: "Table", waiting: "The first answer of the model will appear here",
    plot: "Map of the model’s classes; arrow keys move a cursor", wrong: "wrong class",
    probability: "probability", className: "Class", points: "Points", right: "Right", area: "Share of the plane",
    summary: (names: string, right: string) => `Map of the classes ${names}, with the data on it. ${right}.`,
  },
  {
    title: "결정 경계", accuracy: (share, count) => `점 ${count}개 중 ${share} 정답`,
    step: (step) => `스텝 ${step}`, table: "표", waiting: "모델의 첫 번째 답이 여기에 나타납니다",
    plot: "모델이 고른 클래스의 지도. 화살표 키로 커서를 옮깁니다", wrong: "틀린 클래스",
    probability: "확률", className: "클래스", points: "점", right: "정답", area: "평면에서 차지하는 비율",
    summary: (names, right) => `클래스 ${names}의 지도와 데이터. ${right}.`,
  },
);

const LOWER = 34;
const MOST = 440; // px, the greatest height of the map

interface Meta {
  x: [number, number];
  y: [number, number];
  classes: string[];
  features: [string, string];
  count: number;
  still: boolean;
}

function decodeMeta(value: unknown): Meta {
  const raw = (value ?? {}) as Record<string, unknown>;
  const pair = (name: string): [number, number] => {
    const [a, b] = Array.isArray(raw[name]) ? (raw[name] as unknown[]) : [];
    return typeof a === "number" && typeof b === "number" && a < b ? [a, b] : [0, 1];
  };
  const strings = (name: string) => (Array.isArray(raw[name]) ? (raw[name] as unknown[]).map(String) : []);
  const [one = "x1", two = "x2"] = strings("features");
  return {
    x: pair("x"), y: pair("y"), classes: strings("classes"), features: [one, two],
    count: Number(raw["count"]) || 0, still: raw["still"] === true,
  };
}

/** The class that a model gives to each point of a plane, and the data. */
export class Boundary implements Part {
  readonly element: HTMLElement;
  private readonly meta: Meta;
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
  private readonly plot: HTMLElement;
  private readonly tip = make("div", "nbt-tip", { hidden: "" });
  private readonly subtitle = make("div", "nbt-subtitle");
  private readonly legend = make("div", "nbt-marks nbt-classes");
  private readonly tableButton: HTMLButtonElement;
  private points: Float32Array = new Float32Array(0);
  private labels: Uint8Array = new Uint8Array(0);
  private size = 0;
  private confidence: Float32Array = new Float32Array(0);
  private classes: Uint8Array = new Uint8Array(0);
  private accuracy = NaN;
  private step = 0;
  private version = 0;
  private painted = "";
  private plane: Plane | null = null;
  private cursor: { i: number; j: number } | null = null;
  private table: HTMLTableElement | null = null;
  private visible = false;

  constructor(private readonly store: RunStore) {
    const text = WORDS();
    this.meta = decodeMeta(store.get("meta"));
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", "nbt-plot nbt-plane nbt-reading", { tabindex: "0", role: "application", "aria-label": text.plot }, [
      this.base.element, this.over.element, this.tip,
    ]);
    this.tableButton = make("button", "", { type: "button", "aria-pressed": "false" }, [text.table]);
    this.tableButton.addEventListener("click", () => this.toggleTable());
    this.element = make("section", "nbt-part nbt-boundary", { "aria-label": text.title }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [text.title]),
        this.subtitle,
        make("div", "nbt-options", {}, [make("div", "nbt-choice", {}, [this.tableButton])]),
      ]),
      this.plot,
      make("div", "nbt-foot", {}, [this.legend]),
    ]);
    this.plot.addEventListener("pointermove", (event) => {
      const box = this.plot.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const { plane, size } = this;
      this.setCursor(plane && size && plane.inside(x, y) ? {
        i: Math.round(((plane.y(y) - this.meta.y[0]) / (this.meta.y[1] - this.meta.y[0])) * (size - 1)),
        j: Math.round(((plane.x(x) - this.meta.x[0]) / (this.meta.x[1] - this.meta.x[0])) * (size - 1)),
      } : null);
    });
    this.plot.addEventListener("pointerleave", () => this.setCursor(null));
    this.plot.addEventListener("blur", () => this.setCursor(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    this.readPoints();
    store.watch("points", () => this.readPoints());
    store.feed("boundary", (header, buffers) => this.take(header, buffers[0]));
    this.shown(true);
  }

  /** Nothing is measured for a part that isn't visible. */
  shown(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    this.store.want("boundary", visible);
  }

  dispose(): void {
    this.shown(false);
  }

  private readPoints(): void {
    const value = this.store.get("points");
    if (!(value instanceof DataView)) return;
    const { count } = this.meta;
    if (value.byteLength !== count * 9) throw new ProtocolError(`expected ${count} points, got ${value.byteLength} bytes`);
    const bytes = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
    this.points = floats(bytes.subarray(0, count * 8), count * 2);
    this.labels = bytes.slice(count * 8);
    this.version++;
  }

  private take(header: Record<string, unknown>, buffer: Buffer | undefined): void {
    const size = Number(header["size"]);
    if (!Number.isInteger(size) || size < 2 || size > 512 || buffer === undefined) throw new ProtocolError("expected regions");
    const bytes = buffer instanceof ArrayBuffer ? new Uint8Array(buffer)
      : new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
    const cells = size * size;
    if (bytes.byteLength !== cells * 5) throw new ProtocolError(`expected ${cells * 5} bytes, got ${bytes.byteLength}`);
    this.confidence = floats(bytes.subarray(0, cells * 4), cells);
    this.classes = bytes.slice(cells * 4);
    this.size = size;
    this.accuracy = typeof header["accuracy"] === "number" ? header["accuracy"] : NaN;
    this.step = Number(header["step"]) || 0;
    this.version++;
  }

  update(theme: Theme): void {
    const text = WORDS();
    const right = Number.isNaN(this.accuracy) ? text.waiting
      : text.accuracy(`${(this.accuracy * 100).toFixed(1)} %`, format.count(this.meta.count));
    setText(this.subtitle, this.meta.still || !this.size ? right : `${right} · ${text.step(format.count(this.step))}`);
    if (this.table) {
      this.fillTable();
      return;
    }
    const width = this.plot.clientWidth;
    const key = `${width} ${this.version} ${theme.surface} ${theme.text} ${window.devicePixelRatio}`;
    if (key !== this.painted && width > 0) {
      this.painted = key;
      this.paint(theme, width);
      this.base.element.setAttribute("aria-label", text.summary(this.meta.classes.join(", "), right));
    }
    this.paintCursor(theme);
  }

  private paint(theme: Theme, width: number): void {
    const { meta, size } = this;
    const yMarks = realTicks(meta.y[0], meta.y[1], 6);
    this.base.context.font = `11px ${theme.font}`;
    const gutter = Math.ceil(Math.max(8, ...yMarks.map((mark) => this.base.context.measureText(tickText(mark)).width))) + 24;
    const across = width - gutter - 2;
    const height = Math.round(Math.min(across * 0.75, MOST));
    const plane = new Plane({ x0: meta.x[0], x1: meta.x[1], y0: meta.y[0], y1: meta.y[1] }, gutter, 2, across, height);
    this.plane = plane;
    const context = this.base.reset(width, height + LOWER);
    const ground = groundOf(theme);
    const colours = meta.classes.map((_, k) => parseHex(categoryColour(theme, k)));
    if (size) {
      const depth = theme.palette.dark ? 0.6 : 0.45;
      paintNodes(context, plane, size, (at) => {
        const colour = colours[this.classes[at] ?? 0];
        const confidence = this.confidence[at] ?? NaN;
        if (!colour) return ground;
        // Fainter where the model is less sure, down to the least that a winner among these classes can have.
        const least = 1 / Math.max(2, colours.length);
        const sure = Number.isFinite(confidence) ? Math.max(0, (confidence - least) / (1 - least)) : 0;
        return [0, 1, 2].map((c) => Math.round(ground[c]! + (colour[c]! - ground[c]!) * depth * (0.22 + 0.78 * sure))) as unknown as Rgb;
      });
      context.strokeStyle = theme.text;
      context.lineWidth = 1.6;
      context.lineCap = "round";
      for (let k = 0; k < colours.length - (colours.length === 2 ? 1 : 0); k++) {
        strokeSegments(context, plane, size, contour({ size, values: this.margin(k) }, 0));
      }
    } else {
      context.fillStyle = theme.line;
      context.globalAlpha = 0.28;
      context.fillRect(plane.left, plane.top, plane.width, plane.height);
      context.globalAlpha = 1;
    }
    for (let k = 0; k < this.labels.length; k++) {
      const [x, y] = [plane.px(this.points[2 * k]!), plane.py(this.points[2 * k + 1]!)];
      const label = this.labels[k]!;
      drawShape(context, label, x, y, this.labels.length > 400 ? 2.6 : 3.8, categoryColour(theme, label), theme.surface);
      if (size && this.classAt(this.points[2 * k]!, this.points[2 * k + 1]!) !== label) {
        context.strokeStyle = theme.text;
        context.lineWidth = 1.4;
        shapePath(context, 0, x, y, 6.6);
        context.stroke();
      }
    }
    this.paintAxes(context, theme, plane, yMarks, width);
    this.paintLegend(theme);
  }

  /** How far class `k` is ahead of the others at each node: its line is where that is 0. */
  private margin(k: number): Float32Array {
    // The winner's probability says by how much it wins only against one other; between nodes the line is straight.
    const least = 1 / Math.max(2, this.meta.classes.length);
    return this.confidence.map((confidence, at) => {
      const ahead = Math.max(1e-3, Number.isFinite(confidence) ? confidence - least : 1e-3);
      return this.classes[at] === k ? ahead : -ahead;
    });
  }

  private classAt(x: number, y: number): number {
    const { meta, size } = this;
    const i = Math.round(((y - meta.y[0]) / (meta.y[1] - meta.y[0])) * (size - 1));
    const j = Math.round(((x - meta.x[0]) / (meta.x[1] - meta.x[0])) * (size - 1));
    return this.classes[i * size + j] ?? 0;
  }

  private paintAxes(context: CanvasRenderingContext2D, theme: Theme, plane: Plane, yMarks: readonly number[], width: number): void {
    const { meta } = this;
    const floor = plane.top + plane.height;
    context.font = `11px ${theme.font}`;
    context.fillStyle = theme.muted;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    for (const mark of realTicks(meta.x[0], meta.x[1], Math.max(3, Math.floor(plane.width / 70)))) {
      const half = context.measureText(tickText(mark)).width / 2;
      context.fillRect(Math.round(plane.px(mark)), floor + 2, 1, 4);
      context.fillText(tickText(mark), Math.min(plane.px(mark) - half, width - 2 * half), floor + 17);
    }
    const fitted = (name: string, room: number) => format.fit(name, room, (words) => context.measureText(words).width);
    context.textAlign = "center";
    context.fillText(fitted(meta.features[0], plane.width), plane.left + plane.width / 2, floor + 31);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const mark of yMarks) {
      context.fillRect(plane.left - 6, Math.round(plane.py(mark)), 4, 1);
      context.fillText(tickText(mark), plane.left - 9, Math.min(Math.max(plane.py(mark), 7), floor - 5));
    }
    context.save();
    context.translate(7, plane.top + plane.height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(fitted(meta.features[1], plane.height), 0, 0);
    context.restore();
  }

  private paintLegend(theme: Theme): void {
    const swatch = (paint: (context: CanvasRenderingContext2D) => void, name: string) => {
      const layer = new Layer("");
      paint(layer.reset(16, 16));
      return make("span", "nbt-mark", {}, [layer.element, name]);
    };
    this.legend.replaceChildren(
      ...this.meta.classes.map((name, k) => swatch((context) =>
        drawShape(context, k, 8, 8, 4.4, categoryColour(theme, k), theme.surface), name)),
      swatch((context) => {
        context.strokeStyle = theme.text;
        context.lineWidth = 1.4;
        shapePath(context, 0, 8, 8, 6);
        context.stroke();
      }, WORDS().wrong),
    );
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.size) return;
    const moves: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
    const move = moves[event.key];
    if (!move) return;
    const far = event.shiftKey ? 8 : 1;
    const at = this.cursor ?? { i: this.size >> 1, j: this.size >> 1 };
    const inside = (k: number) => Math.min(this.size - 1, Math.max(0, k));
    this.setCursor({ i: inside(at.i + move[0] * far), j: inside(at.j + move[1] * far) });
    event.preventDefault();
    event.stopPropagation();
  }

  private setCursor(at: { i: number; j: number } | null): void {
    this.cursor = at;
    this.store.schedule();
  }

  private paintCursor(theme: Theme): void {
    const { cursor, plane, meta, size } = this;
    if (!plane) return;
    const context = this.over.reset(this.base.width, this.base.height);
    this.tip.hidden = !cursor || !size;
    if (!cursor || !size) return;
    const x = meta.x[0] + ((meta.x[1] - meta.x[0]) * cursor.j) / (size - 1);
    const y = meta.y[0] + ((meta.y[1] - meta.y[0]) * cursor.i) / (size - 1);
    const [px, py] = [plane.px(x), plane.py(y)];
    context.strokeStyle = theme.text;
    context.lineWidth = 1.5;
    shapePath(context, 1, px, py, 5);
    context.stroke();
    const at = cursor.i * size + cursor.j;
    this.tip.replaceChildren(
      make("b", "", {}, [meta.classes[this.classes[at] ?? 0] ?? ""]),
      make("span", "", {}, [`${WORDS().probability} `]), format.measure(this.confidence[at] ?? NaN, 6), make("br"),
      make("span", "", {}, [`(${coordinate(x)}, ${coordinate(y)})`]),
    );
    const [w, h] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const left = px + 12 + w <= this.base.width ? px + 12 : Math.max(0, px - 12 - w);
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(0, Math.min(py - h / 2, this.base.height - h)))}px)`;
  }

  private toggleTable(): void {
    if (this.table) {
      this.table.remove();
      this.table = null;
    } else {
      this.table = make("table", "nbt-table");
      this.plot.before(make("div", "nbt-scroll", {}, [this.table]));
    }
    this.plot.hidden = this.table !== null;
    this.tableButton.setAttribute("aria-pressed", String(this.table !== null));
    this.painted = "";
    this.store.schedule();
  }

  private fillTable(): void {
    const text = WORDS();
    const row = (cells: readonly string[], head: boolean) => make("tr", "", {}, cells.map((cell, k) =>
      make(head || k === 0 ? "th" : "td", "", head ? { scope: "col" } : k === 0 ? { scope: "row" } : {}, [cell])));
    const rows = this.meta.classes.map((name, k) => {
      let [count, right, area] = [0, 0, 0];
      this.labels.forEach((label, at) => {
        if (label !== k) return;
        count++;
        if (this.size && this.classAt(this.points[2 * at]!, this.points[2 * at + 1]!) === k) right++;
      });
      for (const each of this.classes) if (each === k) area++;
      return row([name, format.count(count), format.count(right), `${((100 * area) / Math.max(1, this.classes.length)).toFixed(1)} %`], false);
    });
    this.table?.replaceChildren(
      make("thead", "", {}, [row([text.className, text.points, text.right, text.area], true)]), make("tbody", "", {}, rows),
    );
  }
}
