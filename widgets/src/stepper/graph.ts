import { make } from "../dom";
import { fit } from "../format";
import { namespaceOf } from "./latex";
import { edgeKey, norm, say, scalar, type Known, type Step, type Tape, type Values, type Variant } from "./tape";
import { WORDS } from "./words";

const MARGIN = 10;
const SMALLEST = 0.62; // scale below which the graph scrolls instead

let svg = "";
export function draw(tag: string, attributes: Record<string, string | number> = {}, text?: string): SVGElement {
  const element = document.createElementNS((svg ||= namespaceOf("svg")), tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A gradient in few signs: of a tensor its norm. */
export function brief(values: Values | null | undefined): string {
  if (!values) return "–";
  const single = scalar(values);
  return single === null ? `‖${say(norm(values), 2)}‖` : say(single, 3);
}

/** What the graph shows. */
export interface Shown {
  tape: Tape;
  variant: Variant;
  step: Step;
  known: Known;
  /** Gradients that are not to be seen yet, because the reader guesses them. */
  hidden: ReadonlySet<number>;
}

/** The operations from the leaves at the top to the loss at the bottom; lines carry gradients back up. */
export class Graph {
  readonly element = make("div", "nbt-st-graph");
  private centred = "";

  constructor(private readonly pick: (node: number) => void) {}

  update(shown: Shown): void {
    const { tape, step } = shown;
    const width = tape.width + 2 * MARGIN;
    const height = tape.height + 2 * MARGIN;
    const available = Math.max(120, this.element.clientWidth);
    const scale = Math.max(SMALLEST, Math.min(1, available / width));
    const loss = tape.nodes.at(-1);
    const root = draw("svg", {
      viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, width: width * scale, height: height * scale, role: "img",
      "aria-label": WORDS().summary(loss?.name ?? "", brief(loss?.value), tape.forward.length, tape.nodes.length - tape.forward.length),
    });
    const now = this.active(shown);
    const lines = draw("g");
    const labels = draw("g");
    const placed: [number, number, number, number][] = [];
    for (const edge of tape.edges) {
      const product = shown.known.products.get(edgeKey(edge.source, edge.node));
      const active = edge.node === now && step.phase === "backward";
      const look = `nbt-st-line${product ? " nbt-st-carried" : ""}${active ? " nbt-st-now" : ""}`;
      lines.append(draw("path", { d: curve(edge.points), class: look }));
      if (!product) continue;
      const label = shown.hidden.has(edge.source) && active ? "?" : brief(product);
      labels.append(...this.label(edge.points, label, active, placed));
    }
    root.append(lines, ...tape.nodes.map((_, index) => this.node(shown, index, index === now)), labels);
    const { scrollTop, scrollLeft } = this.element;
    this.element.replaceChildren(root);
    this.element.scrollTop = scrollTop;
    this.element.scrollLeft = scrollLeft;
    this.follow(tape, now, scale);
  }

  private active({ tape, step, variant }: Shown): number {
    if (step.phase === "forward") return step.node;
    if (step.phase === "backward") return tape.walks[variant].visits[step.visit]?.node ?? -1;
    return step.phase === "seed" ? tape.nodes.length - 1 : -1;
  }

  private node({ tape, known, hidden, variant }: Shown, index: number, active: boolean): SVGElement {
    const node = tape.nodes[index];
    const [w, h] = tape.box;
    const group = draw("g");
    if (!node) return group;
    const total = known.totals.get(index);
    const right = tape.walks.right.totals[index];
    const done = tape.walks[variant].totals[index];
    const wrong = variant !== "right" && total !== undefined && total === done && tape.walks[variant].wrong.has(index);
    const classes = ["nbt-st-node", `nbt-st-${node.kind}`];
    if (known.values.has(index)) classes.push("nbt-st-known");
    if (total) classes.push("nbt-st-reached");
    if (active) classes.push("nbt-st-active");
    if (wrong) classes.push("nbt-st-wrong");
    group.setAttribute("class", classes.join(" "));
    group.setAttribute("transform", `translate(${node.x} ${node.y})`);
    group.append(draw("rect", { width: w, height: h, rx: 6 }));
    if (node.kind === "leaf") group.append(draw("rect", { width: 4, height: h - 12, x: 0, y: 6, class: "nbt-st-tab" }));
    const measureName = (text: string) => text.length * 7.2;
    const measureOp = (text: string) => text.length * 6;
    const op = wrong ? `✓ ${brief(right)}` : node.kind === "leaf" ? "" : fit(node.op.replaceAll("_", " "), 58, measureOp);
    group.append(
      draw("text", { x: 10, y: 18, class: "nbt-st-name" }, fit(node.name, op ? w - 26 - measureOp(op) : w - 20, measureName)),
      draw("text", { x: w - 9, y: 18, class: "nbt-st-label" }, op),
    );
    const value = known.values.has(index) ? (node.value && scalar(node.value) === null ? fit(node.value.shape.join("×"), total ? 50 : 92, measureOp) : brief(node.value)) : "";
    group.append(draw("text", { x: 10, y: 36, class: "nbt-st-value" }, value));
    if (total) {
      const gradient = hidden.has(index) ? "?" : brief(total);
      group.append(draw("text", { x: w - 9, y: 36, class: "nbt-st-grad" }, `${wrong ? "✗" : "∇"} ${gradient}`));
    }
    group.append(draw("title", {}, `${node.name}${node.op ? ` (${node.op})` : ""}`));
    group.addEventListener("click", () => this.pick(index));
    return group;
  }

  /** A number on a line, where no other number lies. */
  private label(points: readonly number[], text: string, active: boolean, placed: [number, number, number, number][]): SVGElement[] {
    const width = text.length * 6.4 + 8;
    const [x0, y0] = [points[0] ?? 0, points[1] ?? 0];
    const [x1, y1] = [points[2] ?? 0, points[3] ?? 0];
    let box: [number, number, number, number] = [0, 0, 0, 0];
    for (const t of [0.5, 0.34, 0.66, 0.22, 0.78]) {
      const x = x0 + (x1 - x0) * t;
      const y = y0 + (y1 - y0) * t;
      box = [x - width / 2, y - 7.5, x + width / 2, y + 7.5];
      if (!placed.some((p) => p[0] < box[2] && box[0] < p[2] && p[1] < box[3] && box[1] < p[3])) break;
    }
    placed.push(box);
    return [
      draw("rect", { x: box[0], y: box[1], width, height: 15, rx: 7.5, class: `nbt-st-pill${active ? " nbt-st-now" : ""}` }),
      draw("text", { x: (box[0] + box[2]) / 2, y: box[3] - 3.8, class: `nbt-st-flow${active ? " nbt-st-now" : ""}` }, text),
    ];
  }

  /** Scroll so that the active node is in sight, when it changes. */
  private follow(tape: Tape, now: number, scale: number): void {
    const node = tape.nodes[now];
    const key = `${now} ${scale}`;
    if (!node || key === this.centred) return;
    this.centred = key;
    this.element.scrollTo({
      top: (node.y + MARGIN + tape.box[1] / 2) * scale - this.element.clientHeight / 2,
      left: (node.x + MARGIN + tape.box[0] / 2) * scale - this.element.clientWidth / 2,
    });
  }
}

/** A line through points that leaves and arrives vertically. */
function curve(points: readonly number[]): string {
  let path = `M${points[0]} ${points[1]}`;
  for (let i = 2; i + 1 < points.length; i += 2) {
    const [x0, y0, x1, y1] = [points[i - 2] ?? 0, points[i - 1] ?? 0, points[i] ?? 0, points[i + 1] ?? 0];
    const middle = (y0 + y1) / 2;
    path += x0 === x1 ? `L${x1} ${y1}` : `C${x0} ${middle} ${x1} ${middle} ${x1} ${y1}`;
  }
  return path;
}
