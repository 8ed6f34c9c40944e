/** GradFlow: the graph of the model's modules, and the gradients that run back through it while it trains. */
import { Layer } from "../canvas";
import { make, setText } from "../dom";
import * as format from "../format";
import { History } from "../history";
import { decodeRows, INF, NAN, NO_GRAD, ProtocolError, type Buffer } from "../protocol";
import { logRange, type LogRange } from "../scale";
import type { RunStore } from "../store";
import { prefersReducedMotion, type Theme } from "../theme";
import type { Part } from "../view";
import { atVertex, buildTree, combine, decodeGraph, logOf, onEdge, openAtFirst, type Graph, type Item } from "./graph";
import { Inspector, words } from "./inspector";
import { origins, since, smallestPath, type Origins } from "./origins";
import { Painter, short, type Camera, type Scene } from "./paint";
import { depths, place, type Box, type Picture } from "./place";
import { WORDS } from "./words";

const BOXES = { narrow: 18, wide: 40 }; // that groups are opened for at first
const NARROW = 560;
const HEIGHT = { least: 110, most: 480 };
const MARGIN = 14, SCALES = [1, 0.9, 0.8, 0.7];
const RECENT = 64; // rows that the scale of colours covers
const DECADES = 12;
const MANY = 150; // lines from which the still layer is painted less often
const PULSE_MS = 1500, PULSE_GAP_MS = 900;

interface Flow {
  graph: Graph;
  root: Item;
  history: History;
  items: Map<string, Item>;
}

function allItems(root: Item): Map<string, Item> {
  const items = new Map<string, Item>();
  const visit = (item: Item) => {
    items.set(item.id, item);
    item.children.forEach(visit);
  };
  root.children.forEach(visit);
  return items;
}

export class GradFlow implements Part {
  readonly element: HTMLElement;
  private readonly base = new Layer("nbt-base");
  private readonly over = new Layer("nbt-over");
  private readonly painter = new Painter();
  private readonly plot: HTMLElement;
  private readonly empty = make("div", "nbt-empty");
  private readonly tip = make("div", "nbt-tip", { hidden: "" });
  private readonly live = make("div", "nbt-gf-live", { "aria-live": "polite" });
  private readonly finding = make("div", "nbt-gf-finding", { role: "status", hidden: "" });
  private readonly note = make("div", "nbt-gf-finding", { "data-tone": "note", hidden: "" });
  private readonly search: HTMLInputElement;
  private readonly weakest: HTMLButtonElement;
  private readonly tableButton: HTMLButtonElement;
  private readonly newest: HTMLButtonElement;
  private readonly low = make("span");
  private readonly high = make("span");
  private readonly ramp = make("span", "nbt-ramp");
  private readonly foot: HTMLElement;
  private readonly scroll = make("div", "nbt-scroll", { hidden: "" });
  private readonly inspector: Inspector;
  private table: HTMLTableElement | null = null;

  private flow: Flow | null = null;
  private problem = "";
  private traced = true;
  private version = -1;
  private open: Set<string> | null = null;
  private picture: Picture | null = null;
  private placedFor = "";
  private camera: Camera = { x: MARGIN, y: MARGIN, zoom: 1 };
  private moved = false;
  private focus: string | null = null;
  private followed: string | null = null;
  private showPath = false;
  private scene: Scene | null = null;
  private theme: Theme | null = null;
  private paintedAt = -Infinity;
  private paintTimer = 0;
  private describedAt = -Infinity;
  private pulseFrame = 0;
  private pulseBegan = -Infinity;
  private pulsedStep = 0;
  private depth: number[] = [];
  private hover: number | null = null;
  private drag: { x: number; y: number; moved: boolean } | null = null;

  constructor(private readonly store: RunStore) {
    const text = WORDS();
    const button = (label: string, action: () => void, name = label) => {
      const element = make("button", "", { type: "button", "aria-label": name, title: name }, [label]);
      element.addEventListener("click", action);
      return element;
    };
    this.search = make("input", "nbt-gf-search", { type: "search", placeholder: text.search, "aria-label": text.search });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.find(this.search.value, true);
    });
    this.search.addEventListener("input", () => this.find(this.search.value, false));
    this.weakest = button(text.weakest, () => this.togglePath());
    this.weakest.title = text.weakestHint;
    this.tableButton = button(text.table, () => this.toggleTable());
    for (const toggle of [this.weakest, this.tableButton]) toggle.setAttribute("aria-pressed", "false");
    this.newest = button("", () => store.selection.choose({ step: null }));
    this.base.element.setAttribute("role", "img");
    this.plot = make("div", "nbt-gf-plot", { tabindex: "0", role: "application", "aria-label": text.plot }, [
      this.base.element, this.over.element, this.empty, this.tip,
    ]);
    this.foot = make("div", "nbt-foot", {}, [
      make("div", "nbt-legend", {}, [this.low, this.ramp, this.high]),
      make("div", "nbt-choice", {}, [
        button("−", () => this.zoom(1 / 1.25), text.zoomOut), button(text.fit, () => this.fitAll()),
        button("+", () => this.zoom(1.25), text.zoomIn),
      ]),
      make("div", "nbt-choice", {}, [
        button(text.openAll, () => this.setOpen("all")), button(text.closeAll, () => this.setOpen("none")),
      ]),
    ]);
    this.inspector = new Inspector(store, () => this.toggleFocused());
    this.element = make("section", "nbt-part nbt-gf", { "aria-label": text.region }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [text.title]),
        make("div", "nbt-subtitle", {}, [text.subtitle]),
        make("div", "nbt-options", {}, [
          make("div", "nbt-choice", { hidden: "" }, [this.newest]), this.search,
          make("div", "nbt-choice", {}, [this.weakest]), make("div", "nbt-choice", {}, [this.tableButton]),
        ]),
      ]),
      this.note, this.finding, this.plot, this.scroll, this.foot, this.inspector.element, this.live,
    ]);
    this.listen();
    store.feed("flow", (header, buffers) => this.take(header, buffers));
  }

  shown(visible: boolean): void {
    this.store.want("flow", visible);
  }

  dispose(): void {
    window.clearTimeout(this.paintTimer);
    window.cancelAnimationFrame(this.pulseFrame);
  }

  // ---- data ----

  private take(header: Record<string, unknown>, buffers: Buffer[]): void {
    const version = Number(header["version"]) + (header["traced"] === false ? 0 : 0.5);
    const columns = Number(header["columns"]);
    const rows = decodeRows(buffers[0], Number(header["rows"]), columns);
    if (header["graph"] !== undefined) {
      const graph = decodeGraph(header["graph"]);
      if (columns !== graph.vertices.length + graph.measured) throw new ProtocolError("the graph doesn't fit its numbers");
      const root = buildTree(graph);
      this.flow = { graph, root, history: new History(columns, 512), items: allItems(root) };
      this.version = version;
      this.traced = header["traced"] !== false;
      this.problem = String(header["problem"] ?? "");
      this.placedFor = "";
      if (this.focus && !this.flow.items.has(this.focus)) this.focus = null;
    }
    const { flow } = this;
    if (!flow || version !== this.version || columns !== flow.history.parameters) return; // a graph that is on its way
    flow.history.append(rows);
  }

  private get row(): number {
    const { history } = this.flow ?? {};
    const { step } = this.store.selection;
    if (!history) return -1;
    return step === null ? history.length - 1 : Math.max(history.rowAt(step), history.length ? 0 : -1);
  }

  // ---- painting ----

  update(theme: Theme): void {
    this.theme = theme;
    const { flow, store } = this;
    this.followSelection();
    this.empty.hidden = flow !== null;
    setText(this.empty, WORDS().waiting);
    const chosen = store.selection.step;
    this.newest.parentElement?.toggleAttribute("hidden", chosen === null);
    setText(this.newest, chosen === null ? "" : `${WORDS().step(format.count(chosen))} ×`);
    if (!flow) {
      this.base.reset(Math.max(1, this.plot.clientWidth), HEIGHT.least);
      this.over.reset(this.base.width, this.base.height);
      this.base.element.setAttribute("aria-label", WORDS().emptySummary);
      return;
    }
    const note = this.problem === "trace" ? WORDS().broken : !this.traced && store.history.length ? WORDS().untraced : "";
    setText(this.note, note);
    this.note.hidden = note === "";
    if (this.table) {
      this.fillTable(this.table);
      return;
    }
    const wait = this.paintedAt + ((this.picture?.lines.length ?? 0) > MANY ? 400 : 60) - performance.now();
    window.clearTimeout(this.paintTimer);
    if (wait > 0 && store.header.state === "running" && !this.drag) {
      this.paintTimer = window.setTimeout(() => this.paint(), wait);
    } else this.paint();
  }

  private paint(): void {
    const { flow, theme } = this;
    if (!flow || !theme || this.plot.clientWidth === 0) return;
    this.paintedAt = performance.now();
    const picture = this.layOut(flow);
    const { graph, history } = flow;
    const { row } = this;
    const boxValues = picture.boxes.map((box) => combine(box.item.members.map((v) => atVertex(history, row, v))));
    const lineValues = picture.lines.map((line) => combine(line.edges.map((edge) => onEdge(graph, history, row, edge))));
    const range = this.range(history, row);
    const first = since(graph, history, row);
    const found = row < 0 ? { forward: [], backward: [], vanished: [] } : origins(graph, history, first);
    const trouble = found.forward.length ? found.forward : found.backward.length ? found.backward : found.vanished;
    const marked = new Set(trouble.map((vertex) => picture.boxes.findIndex((box) => box.item.members.includes(vertex))));
    let path: Scene["path"] = null;
    const steps = picture.lines.map((line, k) => ({
      from: String(line.from), to: String(line.to), value: lineValues[k] ?? { norm: 0, flag: NO_GRAD },
    }));
    const loss = picture.boxes.findIndex((box) => box.item.kind === "loss");
    if (this.showPath && loss >= 0) {
      const lines = smallestPath(steps, String(loss));
      path = { lines: new Set(lines), boxes: new Set([loss, ...lines.map((k) => picture.lines[k]?.from ?? 0)]) };
    }
    const selected = new Set(picture.boxes.flatMap((box, k) => (this.isChosen(box.item) ? [k] : [])));
    this.scene = { picture, boxValues, lineValues, range, marked, path, selected };
    const context = this.base.reset(this.base.width, this.base.height);
    this.painter.static(context, [this.base.width, this.base.height], this.camera, this.scene, theme);
    this.showFinding(found, flow, path, first < row ? (history.steps[first] ?? 0) : null);
    this.showLegend(theme, range);
    this.describe(flow, range);
    const item = this.focus === null ? null : (flow.items.get(this.focus) ?? null);
    this.inspector.show(item, item !== null && (this.open?.has(item.id) ?? false), graph, history, row, theme);
    const step = history.steps[row] ?? 0;
    if (step !== this.pulsedStep) this.startPulse(step);
    else if (!this.pulseFrame) this.drawOver();
  }

  /** Where everything stands; worked out again when the graph, the open groups or the width have changed. */
  private layOut(flow: Flow): Picture {
    const width = this.plot.clientWidth;
    this.open ??= openAtFirst(flow.root, width < NARROW ? BOXES.narrow : BOXES.wide);
    const key = `${this.version}/${width}/${[...this.open].join()}`;
    if (this.picture && key === this.placedFor) return this.picture;
    this.placedFor = key;
    const room = width - 2 * MARGIN;
    let zoom = 1;
    let picture = place(flow.graph, flow.root, this.open, room);
    for (const scale of SCALES) {
      zoom = scale;
      picture = place(flow.graph, flow.root, this.open, room / scale);
      if (picture.height * scale + 2 * MARGIN <= HEIGHT.most) break;
    }
    zoom = Math.max(0.3, Math.min(zoom, room / Math.max(1, picture.width)));
    const height = Math.min(HEIGHT.most, Math.max(HEIGHT.least, Math.ceil(picture.height * zoom) + 2 * MARGIN));
    this.picture = picture;
    this.depth = depths(picture);
    this.base.reset(width, height);
    this.over.reset(width, height);
    if (!this.moved) this.camera = this.home(picture, zoom);
    this.keepInside();
    return picture;
  }

  private home(picture: Picture, zoom: number): Camera {
    const [w, h] = [picture.width * zoom, picture.height * zoom];
    return {
      x: Math.max(MARGIN, (this.base.width - w) / 2), y: Math.max(MARGIN, (this.base.height - h) / 2), zoom,
    };
  }

  private range(history: History, row: number): LogRange | null {
    if (row < 0) return null;
    const ends: number[] = [];
    for (let r = Math.max(0, row - RECENT); r <= row; r++) ends.push(history.low[r] ?? NaN, history.high[r] ?? NaN);
    const range = logRange(ends);
    return range && { low: Math.max(range.low, range.high - DECADES), high: range.high };
  }

  // ---- the pulse ----

  private startPulse(step: number): void {
    const now = performance.now();
    const due = this.pulseBegan + PULSE_MS + PULSE_GAP_MS <= now;
    if (prefersReducedMotion() || !due || document.visibilityState !== "visible") {
      if (!this.pulseFrame) this.drawOver();
      return;
    }
    this.pulsedStep = step;
    this.pulseBegan = now;
    if (!this.pulseFrame) this.pulseFrame = window.requestAnimationFrame(this.animate);
  }

  private readonly animate = (): void => {
    this.pulseFrame = 0;
    const { scene, theme } = this;
    if (!scene || !theme || this.table) return;
    const longest = Math.max(1, ...this.depth);
    const time = ((performance.now() - this.pulseBegan) / PULSE_MS) * (longest + 1);
    this.drawOver();
    if (time > longest + 1) return;
    this.painter.pulse(this.over.context, this.camera, scene, theme, this.depth, time);
    this.pulseFrame = window.requestAnimationFrame(this.animate);
  };

  /** The upper layer without the pulse: what the pointer is on, and what has the keyboard. */
  private drawOver(): void {
    const { scene, theme, camera } = this;
    const context = this.over.reset(this.base.width, this.base.height);
    if (!scene || !theme || this.hover === null) return;
    const box = scene.picture.boxes[this.hover];
    if (!box) return;
    context.strokeStyle = theme.text;
    context.lineWidth = 1.5;
    context.strokeRect(
      camera.x + (box.x - 1.5) * camera.zoom, camera.y + (box.y - 1.5) * camera.zoom,
      (box.width + 3) * camera.zoom, (box.height + 3) * camera.zoom,
    );
  }

  // ---- words ----

  private nameOf(flow: Flow, vertices: readonly number[]): string {
    const vertex = flow.graph.vertices[vertices[0] ?? 0];
    if (!vertex) return "";
    const numbered = /(^|\.)\d+$/.test(vertex.path) && vertex.label;
    const name = vertex.kind === "join" && vertex.path ? WORDS().joinIn(vertex.label, vertex.path)
      : numbered ? `${vertex.path} ${vertex.label}` : vertex.path || vertex.label;
    return vertices.length > 1 ? WORDS().more(name, vertices.length - 1) : name;
  }

  private showFinding(found: Origins, flow: Flow, path: Scene["path"], since: number | null): void {
    const text = WORDS();
    let words = "";
    let tone = "bad";
    if (found.forward.length) words = text.forward(this.nameOf(flow, found.forward));
    else if (found.backward.length) words = text.backward(this.nameOf(flow, found.backward));
    else if (found.vanished.length) [words, tone] = [text.vanished(this.nameOf(flow, found.vanished)), "warn"];
    if (words && since !== null) words += ` ${text.since(format.count(since))}`;
    const { scene } = this;
    if (path && scene) {
      const known = [...path.lines].flatMap((k) => {
        const [line, value] = [scene.picture.lines[k], scene.lineValues[k]];
        return line && value && logOf(value) !== null ? [{ line, value }] : [];
      });
      const [first] = known;
      if (first) {
        const least = known.reduce((a, b) => (b.value.norm < a.value.norm ? b : a), first);
        const { item } = scene.picture.boxes[least.line.from] ?? {};
        const name = item?.kind === "join" ? text.joinIn(item.title, item.path || "·") : item?.path || item?.title || "";
        tone = "path";
        words = text.path(path.boxes.size, short(first.value), short(least.value), name);
      }
    }
    setText(this.finding, words);
    this.finding.dataset["tone"] = tone;
    this.finding.hidden = words === "";
  }

  private showLegend(theme: Theme, range: LogRange | null): void {
    setText(this.low, range ? format.roundMagnitude(range.low) : "");
    setText(this.high, range ? format.roundMagnitude(range.high) : "");
    this.ramp.parentElement?.toggleAttribute("hidden", range === null);
    const background = `linear-gradient(to right, ${theme.palette.stops.join(",")})`;
    if (this.ramp.dataset["background"] !== background) {
      this.ramp.dataset["background"] = background;
      this.ramp.style.background = background;
      // The scale is a wedge: weak is thin, as on the lines.
      this.ramp.style.clipPath = "polygon(0 40%, 100% 0, 100% 100%, 0 60%)";
    }
  }

  private describe(flow: Flow, range: LogRange | null): void {
    const now = performance.now();
    if (now - this.describedAt < 1000 && this.store.active) return;
    this.describedAt = now;
    const modules = flow.graph.vertices.filter((v) => v.kind === "module").length;
    const words = range
      ? WORDS().summary(modules, format.roundMagnitude(range.low), format.roundMagnitude(range.high))
      : WORDS().emptySummary;
    const trouble = this.finding.hidden ? "" : ` ${this.finding.textContent ?? ""}`;
    this.base.element.setAttribute("aria-label", words + trouble);
    this.element.dataset["boxes"] = String(this.picture?.boxes.length ?? 0);
  }

  private fillTable(table: HTMLTableElement): void {
    const { flow } = this;
    if (!flow) return;
    const { graph, history } = flow;
    const shown = graph.vertices.flatMap((v, k) => (v.kind === "input" || v.kind === "loss" ? [] : [k]));
    if (table.dataset["version"] !== String(this.version)) {
      table.dataset["version"] = String(this.version);
      const text = WORDS();
      const head = make("thead", "", {}, [make("tr", "", {}, [text.module, text.type, text.latest, text.least, text.most].map((word) =>
        make("th", "", { scope: "col" }, [word])))]);
      const body = make("tbody", "", {}, shown.map((k) => {
        const vertex = graph.vertices[k];
        const name = vertex?.kind === "join" ? text.joinIn(vertex.label, vertex.path || "·") : vertex?.path || vertex?.label || "";
        return make("tr", "", {}, [
          make("th", "", { scope: "row" }, [name]),
          make("td", "", {}, [vertex?.kind === "join" ? text.join : (vertex?.label ?? "")]), make("td"), make("td"), make("td"),
        ]);
      }));
      table.replaceChildren(head, body);
    }
    shown.forEach((vertex, k) => {
      let [least, most] = [Infinity, -Infinity];
      for (let r = 0; r < history.length; r++) {
        const { norm, flag } = atVertex(history, r, vertex);
        if (flag & (NAN | INF | NO_GRAD)) continue;
        least = Math.min(least, norm);
        most = Math.max(most, norm);
      }
      const texts = [words(atVertex(history, this.row, vertex)), ...[least, most].map((n) => (Number.isFinite(n) ? format.measure(n) : "–"))];
      texts.forEach((text, c) => {
        const cell = table.tBodies[0]?.rows[k]?.cells[c + 2];
        if (cell) setText(cell, text);
      });
    });
  }

  // ---- choosing ----

  private isChosen(item: Item): boolean {
    if (item.id === this.focus) return true;
    const { name } = this.store.selection;
    if (name === null || item.kind === "join" || !item.path) return false;
    return name === item.path || name.startsWith(`${item.path}.`);
  }

  /** Something was chosen in another widget: go to the innermost box that shows it. */
  private followSelection(): void {
    const { name } = this.store.selection;
    const { flow } = this;
    if (!flow || name === this.followed) return;
    this.followed = name;
    const current = this.focus === null ? null : flow.items.get(this.focus);
    if (name === null || (current && current.path === name)) return;
    let best: Item | null = null;
    for (const item of flow.items.values()) {
      if (item.kind === "join" || !item.path || !(name === item.path || name.startsWith(`${item.path}.`))) continue;
      if (!best || item.path.length > best.path.length) best = item;
    }
    if (best) this.focus = best.id;
  }

  private choose(item: Item | null): void {
    this.focus = item?.id ?? null;
    const name = item && item.kind !== "join" && item.path ? item.path : null;
    this.followed = name;
    this.store.selection.choose({ name });
    if (item) {
      const { history } = this.flow ?? {};
      const value = history ? combine(item.members.map((v) => atVertex(history, this.row, v))) : null;
      setText(this.live, value ? WORDS().value(item.path || item.title, words(value)) : "");
    }
    this.reveal();
    this.store.schedule();
  }

  private setOpen(which: "all" | "none" | Set<string>): void {
    const { flow } = this;
    if (!flow) return;
    const groups = [...flow.items.values()].filter((item) => item.kind === "group").map((item) => item.id);
    this.open = which === "all" ? new Set(groups) : which === "none" ? new Set() : which;
    this.moved = false;
    this.hover = null;
    this.store.schedule();
  }

  private toggle(item: Item): void {
    if (item.kind !== "group" || !this.open) return;
    const open = new Set(this.open);
    if (!open.delete(item.id)) open.add(item.id);
    this.setOpen(open);
  }

  private toggleFocused(): void {
    const item = this.focus === null ? null : this.flow?.items.get(this.focus);
    if (item) this.toggle(item);
  }

  private togglePath(): void {
    this.showPath = !this.showPath;
    this.weakest.setAttribute("aria-pressed", String(this.showPath));
    this.store.schedule();
  }

  private toggleTable(): void {
    this.table = this.table ? null : make("table", "nbt-table");
    this.scroll.replaceChildren(...(this.table ? [this.table] : []));
    this.scroll.hidden = this.table === null;
    this.plot.hidden = this.foot.hidden = this.finding.hidden = this.inspector.element.hidden = this.table !== null;
    this.tableButton.setAttribute("aria-pressed", String(this.table !== null));
    this.store.schedule();
  }

  /** Choose the first module whose path has `text` in it; `next`: the one after the chosen. */
  private find(text: string, next: boolean): void {
    const { flow } = this;
    const wish = text.trim().toLowerCase();
    if (!flow || !wish) return;
    const items = [...flow.items.values()].filter((item) => item.kind !== "join" && item.path);
    const hits = items.filter((item) => item.path.toLowerCase().includes(wish) || item.detail.toLowerCase().includes(wish));
    const at = hits.findIndex((item) => item.id === this.focus);
    const hit = hits[next ? (at + 1) % Math.max(1, hits.length) : 0];
    if (!hit) return;
    const open = new Set(this.open);
    const size = open.size;
    for (let group = hit.parent; group; group = group.parent) if (group.parent) open.add(group.id);
    if (open.size !== size) this.setOpen(open);
    this.choose(hit);
  }

  // ---- moving about ----

  private zoom(factor: number, at: readonly [number, number] = [this.base.width / 2, this.base.height / 2]): void {
    const zoom = Math.min(2.5, Math.max(0.2, this.camera.zoom * factor));
    const real = zoom / this.camera.zoom;
    this.camera = { x: at[0] - (at[0] - this.camera.x) * real, y: at[1] - (at[1] - this.camera.y) * real, zoom };
    this.moved = true;
    this.keepInside();
    this.paint();
  }

  private fitAll(): void {
    const { picture } = this;
    if (!picture) return;
    const zoom = Math.min(1, (this.base.width - 2 * MARGIN) / picture.width, (this.base.height - 2 * MARGIN) / picture.height);
    this.camera = this.home(picture, Math.max(0.1, zoom));
    this.moved = true;
    this.paint();
  }

  /** The picture can't be pushed out of sight. */
  private keepInside(): void {
    const { camera, picture } = this;
    if (!picture) return;
    const clamp = (value: number, size: number, room: number) =>
      size <= room - 2 * MARGIN ? Math.min(Math.max(value, 0), room - size) : Math.min(MARGIN, Math.max(value, room - size - MARGIN));
    camera.x = clamp(camera.x, picture.width * camera.zoom, this.base.width);
    camera.y = clamp(camera.y, picture.height * camera.zoom, this.base.height);
  }

  /** Bring the chosen box into sight. */
  private reveal(): void {
    const { picture, camera } = this;
    const box = picture?.boxes.find(({ item }) => item.id === this.focus);
    if (!box) return;
    const shift = (start: number, size: number, room: number) =>
      start < 8 ? 8 - start : start + size > room - 8 ? room - 8 - start - size : 0;
    const dx = shift(camera.x + box.x * camera.zoom, box.width * camera.zoom, this.base.width);
    const dy = shift(camera.y + box.y * camera.zoom, box.height * camera.zoom, this.base.height);
    if (!dx && !dy) return;
    camera.x += dx;
    camera.y += dy;
    this.moved = true;
  }

  private listen(): void {
    const { plot } = this;
    const at = (event: MouseEvent): [number, number] => {
      const box = plot.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    plot.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // plain scrolling is the notebook's
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.004), at(event));
    }, { passive: false });
    plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.drag = { x: event.clientX, y: event.clientY, moved: false };
    });
    plot.addEventListener("pointermove", (event) => {
      const { drag } = this;
      if (drag && event.buttons & 1) {
        const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
        if (!drag.moved && Math.hypot(dx, dy) < 4) return;
        if (!drag.moved) plot.setPointerCapture(event.pointerId);
        this.drag = { x: event.clientX, y: event.clientY, moved: true };
        plot.dataset["drag"] = "";
        this.moved = true;
        this.camera.x += dx;
        this.camera.y += dy;
        this.keepInside();
        this.point(null);
        this.paint();
      } else this.point(at(event));
    });
    plot.addEventListener("pointerup", (event) => {
      const { drag } = this;
      this.drag = null;
      delete plot.dataset["drag"];
      if (drag && !drag.moved) this.press(at(event));
    });
    plot.addEventListener("pointercancel", () => (this.drag = null));
    plot.addEventListener("pointerleave", () => this.point(null));
    plot.addEventListener("keydown", (event) => this.key(event));
  }

  private hit(boxes: readonly Box[], [px, py]: readonly [number, number], header = Infinity): number {
    const { x: cx, y: cy, zoom } = this.camera;
    const [x, y] = [(px - cx) / zoom, (py - cy) / zoom];
    return boxes.findLastIndex((b) => x >= b.x && x <= b.x + b.width && y >= b.y && y <= b.y + Math.min(b.height, header));
  }

  private press(at: readonly [number, number]): void {
    const { picture } = this;
    if (!picture) return;
    const box = picture.boxes[this.hit(picture.boxes, at)] ?? picture.frames[this.hit(picture.frames, at, 24)];
    if (box?.item.kind === "group") this.toggle(box.item);
    this.choose(box?.item ?? null);
  }

  private point(at: readonly [number, number] | null): void {
    const { picture, flow } = this;
    const index = picture && at ? this.hit(picture.boxes, at) : -1;
    const header = picture && at && index < 0 ? this.hit(picture.frames, at, 24) : -1;
    if (index >= 0 || header >= 0) this.plot.dataset["over"] = "box";
    else delete this.plot.dataset["over"];
    const hover = index < 0 ? null : index;
    if (hover === this.hover) return;
    this.hover = hover;
    if (!this.pulseFrame) this.drawOver();
    const box = hover === null ? undefined : picture?.boxes[hover];
    this.tip.hidden = !box;
    if (!box || !flow) return;
    const { item } = box;
    const value = this.scene?.boxValues[hover ?? 0];
    const vertex = item.kind === "group" ? null : flow.graph.vertices[item.members[0] ?? 0];
    this.tip.replaceChildren(
      make("b", "", {}, [item.path || item.title]),
      make("span", "", {}, [item.kind === "group" ? WORDS().group(item.members.length) : [vertex?.label, vertex?.shape].filter(Boolean).join(" · ")]),
      make("br"), item.kind === "input" || item.kind === "loss" || !value ? "" : `${WORDS().gradient} ${words(value)}`,
    );
    const { x, y, zoom } = this.camera;
    const [width, height] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const below = y + (box.y + box.height) * zoom + 8;
    const top = below + height <= this.base.height ? below : Math.max(0, y + box.y * zoom - height - 8);
    const left = Math.max(0, Math.min(x + box.x * zoom, this.base.width - width));
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { picture, flow } = this;
    if (!picture || !flow) return;
    const current = this.focus === null ? undefined : flow.items.get(this.focus);
    switch (event.key) {
      case "ArrowRight": case "ArrowLeft": case "ArrowUp": case "ArrowDown": this.step(event.key); break;
      case "Home": this.choose(picture.boxes[0]?.item ?? null); break;
      case "End": this.choose(picture.boxes.find((box) => box.item.kind === "loss")?.item ?? null); break;
      case "Enter": if (current) this.toggle(current); break;
      case "Backspace":
        if (current?.parent?.parent) {
          this.toggle(current.parent);
          this.choose(current.parent);
        }
        break;
      case "+": case "=": this.zoom(1.25); break;
      case "-": this.zoom(1 / 1.25); break;
      case "0": this.fitAll(); break;
      case "p": this.togglePath(); break;
      case "/": this.search.focus(); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Go along a line, or to the nearest box above or below. */
  private step(key: string): void {
    const { picture } = this;
    if (!picture) return;
    const { boxes, lines } = picture;
    const index = boxes.findIndex(({ item }) => item.id === this.focus);
    const here = boxes[index];
    if (!here) return this.choose(boxes[0]?.item ?? null);
    let next = -1;
    if (key === "ArrowRight") next = lines.find((line) => line.from === index)?.to ?? -1;
    else if (key === "ArrowLeft") next = lines.find((line) => line.to === index)?.from ?? -1;
    else {
      const sign = key === "ArrowDown" ? 1 : -1;
      let least = Infinity;
      boxes.forEach((box, k) => {
        const dy = sign * (box.y + box.height / 2 - here.y - here.height / 2);
        const distance = dy * 2 + Math.abs(box.x + box.width / 2 - here.x - here.width / 2);
        if (dy > 8 && distance < least) [least, next] = [distance, k];
      });
    }
    const box = boxes[next];
    if (box) this.choose(box.item);
  }
}
