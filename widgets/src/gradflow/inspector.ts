/** What is known of one box: below the graph, when it is chosen. */
import { Layer } from "../canvas";
import { make, setText } from "../dom";
import * as format from "../format";
import type { History } from "../history";
import { FROZEN, INF, NAN, NO_GRAD } from "../protocol";
import { logRange } from "../scale";
import type { RunStore } from "../store";
import type { Theme } from "../theme";
import { atVertex, combine, type Graph, type Item, type Value } from "./graph";
import { WORDS } from "./words";

const SPARK = { width: 240, height: 56 };
const MOST = 8; // parameters listed

/** A value in words. */
export function words(value: Value): string {
  if (value.flag & NAN) return "NaN";
  if (value.flag & INF) return "∞";
  if (value.flag & NO_GRAD) return value.flag & FROZEN ? WORDS().frozen : WORDS().none;
  return format.measure(value.norm, 4);
}

export class Inspector {
  readonly element = make("div", "nbt-gf-inspector", { role: "group", hidden: "" });
  private readonly path = make("div", "nbt-gf-path");
  private readonly facts = make("div", "nbt-gf-facts");
  private readonly toggle = make("button", "", { type: "button" });
  private readonly spark = new Layer("nbt-gf-spark");
  private readonly range = make("div", "nbt-label");
  private readonly list = make("div", "nbt-gf-list");
  private shown = "";

  constructor(private readonly store: RunStore, onToggle: () => void) {
    this.toggle.addEventListener("click", onToggle);
    this.spark.element.setAttribute("role", "img");
    this.spark.element.addEventListener("click", (event) => this.scrub(event));
    this.element.append(
      make("div", "nbt-gf-about", {}, [
        make("div", "nbt-gf-name", {}, [this.path, make("div", "nbt-choice", {}, [this.toggle])]), this.facts,
      ]),
      make("div", "nbt-gf-time", {}, [this.range, this.spark.element]),
      make("div", "nbt-gf-parameters", {}, [this.list]),
    );
  }

  private history: History | null = null;

  show(item: Item | null, open: boolean, graph: Graph, history: History, row: number, theme: Theme): void {
    this.element.hidden = item === null;
    if (!item) return;
    this.history = history;
    const text = WORDS();
    const vertex = item.kind === "group" ? null : graph.vertices[item.members[0] ?? 0];
    const value = combine(item.members.map((member) => atVertex(history, row, member)));
    const title = item.kind === "join" ? text.joinIn(item.title, item.path || "·") : item.path || item.title;
    const facts: [string, string][] = [
      [text.type, item.kind === "group" ? graph.groups.get(item.path) || text.modules
        : item.kind === "module" || item.kind === "parameter" ? vertex?.label || text[item.kind] : text[item.kind]],
    ];
    if (vertex?.shape) facts.push([text.shape, vertex.shape]);
    if ((vertex?.calls ?? 0) > 1) facts.push([text.calls, String(vertex?.calls)]);
    if (item.kind !== "input" && item.kind !== "loss") {
      facts.push([item.kind === "group" ? `${text.gradient} (${text.greatest})` : text.gradient, words(value)]);
    }
    const key = JSON.stringify([title, facts, open]);
    if (key !== this.shown) {
      this.shown = key;
      setText(this.path, title);
      this.facts.replaceChildren(...facts.map(([label, fact]) =>
        make("div", "nbt-fact", {}, [make("div", "nbt-label", {}, [label]), make("div", "", {}, [fact])])));
      setText(this.toggle, open ? text.close : text.open);
    }
    this.toggle.parentElement?.toggleAttribute("hidden", item.kind !== "group");
    this.draw(item, history, row, theme);
    this.parameters(item, graph);
  }

  /** The gradient's norm over the run, on a logarithmic scale; the step that is shown is marked. */
  private draw(item: Item, history: History, row: number, theme: Theme): void {
    const context = this.spark.reset(SPARK.width, SPARK.height);
    const logs = Float64Array.from({ length: history.length }, (_, r) => {
      const { norm, flag } = combine(item.members.map((member) => atVertex(history, r, member)));
      return flag & (NAN | INF | NO_GRAD) ? NaN : Math.log10(norm);
    });
    const range = logRange(logs);
    const step = history.steps[row] ?? 0;
    setText(this.range, `${WORDS().gradient}, ${WORDS().overTime}${range
      ? `: ${format.roundMagnitude(range.low)} – ${format.roundMagnitude(range.high)}` : ""}`);
    this.spark.element.setAttribute("aria-label", this.range.textContent ?? "");
    const last = Math.max(1, history.lastStep);
    const x = (at: number) => 1 + (at / last) * (SPARK.width - 2);
    context.fillStyle = theme.text;
    context.globalAlpha = 0.06;
    context.fillRect(0, 0, SPARK.width, SPARK.height);
    context.globalAlpha = 1;
    context.fillStyle = theme.muted;
    context.fillRect(Math.round(x(step)), 0, 1, SPARK.height);
    if (!range) return;
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.beginPath();
    let pen = false;
    logs.forEach((log, r) => {
      const at = x(history.steps[r] ?? 0);
      if (!Number.isFinite(log)) {
        if (Number.isNaN(log)) context.fillRect(at - 1, 0, 2, 4);
        pen = false;
        return;
      }
      const y = 3 + (SPARK.height - 6) * (1 - (log - range.low) / (range.high - range.low));
      if (pen) context.lineTo(at, y);
      else context.moveTo(at, y);
      pen = true;
    });
    context.stroke();
    const log = logs[row] ?? NaN;
    if (Number.isFinite(log)) {
      context.fillStyle = theme.accent;
      context.beginPath();
      context.arc(x(step), 3 + (SPARK.height - 6) * (1 - (log - range.low) / (range.high - range.low)), 3, 0, 2 * Math.PI);
      context.fill();
    }
  }

  private parameters(item: Item, graph: Graph): void {
    const { history, meta, selection } = this.store;
    const row = selection.step === null ? history.length - 1 : history.rowAt(selection.step);
    const all = item.members.flatMap((member) => graph.vertices[member]?.parameters ?? []);
    const lines = all.slice(0, MOST).map((index): [string, string] => {
      const name = meta.names[index] ?? "";
      const short = item.path && name.startsWith(`${item.path}.`) ? name.slice(item.path.length + 1) : name;
      return [short, row < 0 ? "–" : words(atVertex(history, row, index))];
    });
    if (all.length > MOST) lines.push(["…", `+${all.length - MOST}`]);
    if (this.list.childElementCount !== lines.length + 1) {
      this.list.replaceChildren(
        make("div", "nbt-label"), ...lines.map(() => make("div", "nbt-gf-row", {}, [make("span"), make("span")])),
      );
    }
    setText(this.list.firstElementChild as HTMLElement, all.length ? `${WORDS().parameters} · ${WORDS().gradient}` : WORDS().noParameters);
    lines.forEach(([name, value], k) => {
      const [a, b] = [...(this.list.children[k + 1]?.children ?? [])] as HTMLElement[];
      if (a) setText(a, name);
      if (b) setText(b, value);
    });
  }

  private scrub(event: MouseEvent): void {
    const { history } = this;
    if (!history?.length) return;
    const box = this.spark.element.getBoundingClientRect();
    const row = Math.max(0, history.rowAt(Math.round(((event.clientX - box.left) / box.width) * history.lastStep)));
    this.store.selection.choose({ step: row === history.length - 1 ? null : (history.steps[row] ?? null) });
  }
}
