import { make } from "../dom";
import type { Model } from "../model";
import { ProtocolError } from "../protocol";
import { Readout } from "../tensorview/option";
import { STYLE as FAMILY } from "../tensorview/style";
import type { Part, Widget } from "../view";
import { Wire } from "../wire";
import { words } from "../words";

const WORDS = words(
  {
    title: "Matrix product", product: "product", gradient: "gradient of the product", forward: "forward", back: "back",
    reaches: (line: string) => `reaches ${line}`, row: (i: number, of: string) => `row ${i} of ${of}`, column: (i: number, of: string) => `column ${i} of ${of}`,
  },
  {
    title: "행렬곱", product: "곱", gradient: "곱의 그래디언트", forward: "순전파", back: "역전파",
    reaches: (line: string) => `닿는 곳: ${line}`, row: (i: number, of: string) => `${of}의 ${i}행`, column: (i: number, of: string) => `${of}의 ${i}열`,
  },
);

const STYLE = `${FAMILY}
.nbt-mm { display: grid; gap: 2px; overflow-x: auto; padding: 3px; }
.nbt-mm button { min-width: 44px; height: 28px; margin: 0; padding: 0 6px; border: 1px solid var(--nbt-line); border-radius: 3px; background: none;
  color: var(--nbt-text); font: 12px var(--nbt-mono); }
.nbt-mm button[data-lit] { border: 2px solid var(--nbt-accent); background: var(--nbt-fill); font-weight: 700; }
.nbt-mm button[aria-selected=true] { outline: 3px solid var(--nbt-accent); outline-offset: -1px; font-weight: 700; }
.nbt-mm button:focus-visible { outline: 3px double var(--nbt-text); }
`;

/** The four grids: the factors, their product and its gradient. */
export type Key = "a" | "b" | "c" | "g";
export type Cells = readonly (readonly string[])[];
export type Flow = Record<Key, Cells> & Record<"da" | "db", Cells> & { ga: Cells | null; gb: Cells | null; names: string[] };
export interface Place { key: Key; i: number; j: number }

const KEYS: readonly Key[] = ["a", "b", "c", "g"];

/** Whether a cell takes part in what the chosen one is about. */
export function lit(chosen: Place, { key, i, j }: Place): boolean {
  const result = key === "c" || key === "g";
  if (chosen.key === "a") return result ? i === chosen.i : key === "b" && i === chosen.j;
  if (chosen.key === "b") return result ? j === chosen.j : key === "a" && j === chosen.i;
  return key === "a" ? i === chosen.i : key === "b" && j === chosen.j;
}

/** The sum for a cell, written out: the product's cell from the factors, a factor's gradient from what comes back. */
export function sum(flow: Flow, { key, i, j }: Place): string {
  const { a, b, g } = flow;
  const at = (cells: Cells, row: number, column: number) => cells[row]?.[column] ?? "";
  const product = (x: string, y: string) => [x, y].map((n) => (n[0] === "-" ? `(${n})` : n)).join("·");
  const terms = key === "a" ? (g[0] ?? []).map((_, k) => product(at(g, i, k), at(b, j, k)))
    : key === "b" ? g.map((_, k) => product(at(a, k, i), at(g, k, j))) : b.map((_, k) => product(at(a, i, k), at(b, k, j)));
  return `${terms.join(" + ")} = ${at(key === "a" ? flow.da : key === "b" ? flow.db : flow.c, i, j)}`;
}

function read(raw: unknown): Flow {
  const flow = raw as Flow;
  if (!KEYS.every((key) => Array.isArray(flow?.[key])) || !Array.isArray(flow.names)) throw new ProtocolError("expected a product");
  return flow;
}

class MatmulFlow implements Part {
  readonly element: HTMLElement;
  private readonly panels = make("div", "nbt-panels");
  private readonly readout = new Readout();
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private flow: Flow | null = null;
  private chosen: Place = { key: "c", i: 0, j: 0 };

  constructor(private readonly wire: Wire) {
    const { title } = WORDS();
    this.element = make("section", "nbt-part", { "aria-label": title }, [
      make("div", "nbt-head", {}, [make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [title])]),
      this.panels, ...this.readout.elements,
    ]);
    wire.watch("shown", () => this.load());
    wire.watch("cell", () => this.choose(wire.get("cell")));
    try {
      this.load();
    } catch (error) {
      wire.problem = String(error);
    }
  }

  private load(): void {
    const flow = read(this.wire.get("shown"));
    this.flow = flow;
    const [a = "A", b = "B"] = flow.names;
    const say = WORDS();
    const titles = { a, b, c: `${say.product} ${a} @ ${b}`, g: say.gradient };
    this.buttons.clear();
    this.panels.replaceChildren(...KEYS.map((key) => {
      const cells = flow[key].map((row, i) => make("div", "", { role: "row", style: "display:contents" }, row.map((text, j) => {
        const button = make("button", "", { type: "button", role: "gridcell", "aria-label": `${titles[key]} [${i}, ${j}]: ${text}` }, [text]);
        button.addEventListener("click", () => this.move(key, i, j));
        button.addEventListener("keydown", (event) => {
          const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
          if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          this.move(key, i + (way[0] ?? 0), j + (way[1] ?? 0));
        });
        this.buttons.set(`${key},${i},${j}`, button);
        return button;
      })));
      const grid = make("div", "nbt-mm", { role: "grid", "aria-label": titles[key], style: `grid-template-columns:repeat(${flow[key][0]?.length ?? 1},auto)` }, cells);
      return make("div", "nbt-panel", {}, [make("div", "nbt-label", {}, [titles[key]]), grid]);
    }));
    this.choose(this.wire.get("cell"));
  }

  private move(key: Key, i: number, j: number): void {
    const name = `${key},${i},${j}`;
    const button = this.buttons.get(name);
    if (!button) return;
    this.choose(name);
    this.wire.set("cell", name);
    button.focus();
  }

  private choose(name: unknown): void {
    if (!this.buttons.has(String(name))) return;
    const [key, i, j] = String(name).split(",");
    this.chosen = { key: key as Key, i: Number(i), j: Number(j) };
    this.wire.schedule();
  }

  update(): void {
    const { flow, chosen: { key, i, j } } = this;
    if (!flow) return;
    const say = WORDS();
    for (const [name, button] of this.buttons) {
      const [k, row, column] = name.split(",");
      const here = k === key && Number(row) === i && Number(column) === j;
      button.toggleAttribute("data-lit", lit(this.chosen, { key: k as Key, i: Number(row), j: Number(column) }));
      button.setAttribute("aria-selected", String(here));
      // One cell of each grid is reached by Tab: the chosen one, or the first.
      button.tabIndex = here || (k !== key && row === "0" && column === "0") ? 0 : -1;
    }
    const [a = "A", b = "B"] = flow.names;
    const product = `${a} @ ${b}`;
    const factor = key === "a" || key === "b";
    const own = (key === "a" ? flow.ga : flow.gb)?.[i]?.[j];
    const name = factor ? (key === "a" ? a : b) : `(${product})`;
    this.readout.show(factor ? [
      [`${name}[${i}, ${j}]`, say.reaches(key === "a" ? say.row(i, product) : say.column(j, product))],
      [say.back, sum(flow, this.chosen)], ...(own === undefined ? [] : [[`${name}.grad[${i}, ${j}]`, own] as const]),
    ] : [[say.forward, `${name}[${i}, ${j}] = ${sum(flow, this.chosen)}`]]);
  }

  dispose(): void {
    this.readout.dispose();
  }
}

export function matmulFlow(model: Model): Widget {
  const wire = new Wire(model);
  return { wire, parts: [new MatmulFlow(wire)], label: WORDS().title, style: STYLE };
}
