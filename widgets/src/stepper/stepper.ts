import { IconButton, make, setText } from "../dom";
import type { Keys } from "../keyboard";
import type { Model } from "../model";
import type { Theme } from "../theme";
import type { Part, Widget } from "../view";
import { Wire } from "../wire";
import { Card, badge, questionOf, type Answer } from "./card";
import { Graph, brief } from "./graph";
import { parseGuess } from "./guess";
import { formulaText } from "./latex";
import { STYLE } from "./style";
import { indices, knownAfter, readTape, say, scalar, stepsOf, type Pass, type Step, type Tape, type Variant } from "./tape";
import { WORDS } from "./words";

const PLAY_MS = 1500;
const PATIENCE_MS = 4000; // until a kernel that doesn't answer is told of
const CHOICES = 256; // elements of a leaf that can be chosen from

function view(value: unknown): DataView {
  if (value instanceof DataView) return value;
  if (value instanceof ArrayBuffer) return new DataView(value);
  if (ArrayBuffer.isView(value)) return new DataView(value.buffer, value.byteOffset, value.byteLength);
  return new DataView(new ArrayBuffer(0));
}

/** The walk: graph and card side by side, controls above, leaves below. */
class Stepper implements Part {
  readonly element: HTMLElement;
  private tape: Tape | null = null;
  private steps: Step[] = [];
  private position = 0;
  private unordered = false;
  private assign = false;
  private guessing = false;
  private asTable = false;
  private timer = 0;
  private patience = 0;
  private asked = 0;
  private note = "";
  private theme: Theme | null = null;
  private leavesOf: Tape | null = null;
  private secret = false;
  private readonly elements = new Map<number, number>();
  private readonly answers = new Map<string, Answer>();
  private readonly graph = new Graph((node) => this.goto(node));
  private readonly card = new Card();
  private readonly play: IconButton;
  private readonly ends: Record<"first" | "back" | "next" | "last", IconButton>;
  private readonly scrub = make("input", "", { type: "range", min: "0", value: "0", "aria-label": WORDS().scrub });
  private readonly where = make("output");
  private readonly live = make("div", "nbt-st-live", { role: "status", "aria-live": "polite" });
  private readonly score = make("span", "nbt-subtitle");
  private readonly subtitle = make("span", "nbt-subtitle");
  private readonly mistakes = make("div", "nbt-note", { role: "note", hidden: "" });
  private readonly trouble = make("div", "nbt-note", { role: "status", hidden: "" });
  private readonly leaves = make("div", "nbt-st-leaves");
  private readonly table = make("div", "nbt-st-steps", { tabindex: "0", hidden: "" });
  private readonly body: HTMLElement;
  private readonly buttons: Record<"guess" | "order" | "assign" | "table", HTMLButtonElement>;

  constructor(private readonly wire: Wire) {
    const words = WORDS();
    this.ends = {
      first: new IconButton("first", words.first, "Home", () => this.move(0)),
      back: new IconButton("back", words.back, "←", () => this.move(this.position - 1)),
      next: new IconButton("next", words.next, "→", () => this.advance()),
      last: new IconButton("last", words.last, "End", () => this.move(Infinity)),
    };
    this.play = new IconButton("resume", words.play, "Space", () => this.toggle());
    const option = (text: string, action: () => void) => {
      const button = make("button", "", { type: "button", "aria-pressed": "false" }, [text]);
      button.addEventListener("click", () => {
        action();
        this.changed();
      });
      return button;
    };
    this.buttons = {
      guess: option(words.guess, () => this.toggleGuess()),
      order: option(words.noOrder, () => this.choose(!this.unordered, this.assign)),
      assign: option(words.assign, () => this.choose(this.unordered, !this.assign)),
      table: option(words.table, () => void (this.asTable = !this.asTable)),
    };
    this.scrub.addEventListener("input", () => this.move(Number(this.scrub.value)));
    const { first, back, next, last } = this.ends;
    this.body = make("div", "nbt-st-body", {}, [this.graph.element, this.table, this.card.element]);
    this.element = make("section", "nbt-part nbt-st-part", { "aria-label": words.label }, [
      make("div", "nbt-head", {}, [
        make("div", "nbt-title", { role: "heading", "aria-level": "4" }, [words.label]), this.subtitle, this.score,
        make("div", "nbt-options", {}, [
          make("div", "nbt-choice", {}, [this.buttons.guess]),
          make("div", "nbt-choice", { role: "group", "aria-label": words.mistakes }, [this.buttons.order, this.buttons.assign]),
          make("div", "nbt-choice", {}, [this.buttons.table]),
        ]),
      ]),
      make("div", "nbt-st-bar", {}, [
        make("div", "nbt-controls", { role: "toolbar", "aria-label": words.step }, [
          first.element, back.element, this.play.element, next.element, last.element,
        ]),
        this.scrub, this.where,
      ]),
      this.body, this.mistakes, this.trouble, this.leaves, this.live,
    ]);
    this.position = Number(wire.get("position")) || 0;
    wire.watch("tape", () => this.read());
    wire.watch("numbers", () => this.read());
    wire.on("edited", () => this.answered(""));
    wire.on("refused", (content) => this.answered(`${words.refused} ${String(content["reason"] ?? "").slice(0, 300)}`));
    try {
      this.read();
    } catch (error) {
      this.wire.problem = error instanceof Error ? error.message : String(error);
    }
  }

  dispose(): void {
    window.clearInterval(this.timer);
    window.clearTimeout(this.patience);
  }

  readonly keys: Keys = {
    ArrowRight: () => this.advance(),
    ArrowLeft: () => this.move(this.position - 1),
    Home: () => this.move(0),
    End: () => this.move(Infinity),
    " ": () => this.toggle(),
  };

  get facts(): Record<string, string> {
    return { step: String(this.position), steps: String(this.steps.length), variant: this.variant };
  }

  // ---- what is shown ----

  private get variant(): Variant {
    return this.unordered ? (this.assign ? "both" : "order") : this.assign ? "assign" : "right";
  }

  private read(): void {
    const tape = readTape(this.wire.get("tape"), view(this.wire.get("numbers")));
    this.tape = tape;
    this.answers.clear();
    this.rewind();
  }

  private rewind(): void {
    this.steps = this.tape ? stepsOf(this.tape, this.variant) : [];
    this.position = Math.max(0, Math.min(this.position, this.steps.length - 1));
    this.wire.schedule();
  }

  private choose(unordered: boolean, assign: boolean): void {
    this.unordered = unordered;
    this.assign = assign;
    if (unordered || assign) this.guessing = false;
    this.rewind();
  }

  private toggleGuess(): void {
    this.guessing = !this.guessing;
    this.leavesOf = null;
    if (this.guessing) {
      this.stop();
      this.choose(false, false);
      const first = this.steps.findIndex((step) => step.phase === "seed");
      if (this.position > first) this.position = first; // what has been seen can't be guessed
    }
  }

  private changed(): void {
    this.wire.schedule();
  }

  private move(to: number): void {
    const last = this.steps.length - 1;
    const position = Math.max(0, Math.min(last, to));
    if (position === this.position) return;
    this.position = position;
    this.wire.set("position", position);
  }

  /** To the next step; a question that is still open is shown first. */
  private advance(): void {
    const open = this.questions().filter((answer) => !answer.open);
    if (open.length) {
      for (const answer of open) answer.open = true;
      this.changed();
    } else this.move(this.position + 1);
  }

  private toggle(): void {
    if (this.timer) this.stop();
    else if (this.tape) {
      if (this.position >= this.steps.length - 1) this.move(0);
      this.timer = window.setInterval(() => {
        if (this.questions().some((answer) => !answer.open)) return;
        this.move(this.position + 1);
        if (this.position >= this.steps.length - 1) this.stop();
      }, PLAY_MS);
    }
    this.changed();
  }

  private stop(): void {
    window.clearInterval(this.timer);
    this.timer = 0;
    this.changed();
  }

  /** To the step of a node, in the direction that the walk is in. */
  private goto(node: number): void {
    const seed = this.steps.findIndex((step) => step.phase === "seed");
    const walk = this.tape?.walks[this.variant];
    const at = this.steps.findIndex((step) => this.position >= seed
      ? step.phase === "backward" && walk?.visits[step.visit]?.node === node
      : step.phase === "forward" && step.node === node);
    if (at >= 0) this.move(at);
    else this.leaves.querySelector<HTMLInputElement>(`[data-node="${node}"]`)?.focus();
  }

  // ---- guessing ----

  private answer(pass: Pass): Answer {
    const key = `${this.position} ${pass.target}`;
    let answer = this.answers.get(key);
    if (!answer) this.answers.set(key, (answer = { text: "", verdict: null, open: false, tries: 0 }));
    return answer;
  }

  /** The questions of this step. */
  private questions(): Answer[] {
    const step = this.steps[this.position];
    if (!this.guessing || step?.phase !== "backward") return [];
    const visit = this.tape?.walks[this.variant].visits[step.visit];
    return visit?.passes.filter((pass) => questionOf(pass, visit)).map((pass) => this.answer(pass)) ?? [];
  }

  private hidden(): Set<number> {
    const step = this.steps[this.position];
    const visit = this.guessing && step?.phase === "backward" ? this.tape?.walks[this.variant].visits[step.visit] : undefined;
    return new Set(visit?.passes.filter((pass) => questionOf(pass, visit) && !this.answer(pass).open).map((pass) => pass.target) ?? []);
  }

  // ---- editing ----

  private edit(node: number, element: number, text: string): void {
    const value = parseGuess(text);
    if (value === null) {
      this.note = `${WORDS().refused} ${WORDS().notNumber}`;
      this.changed();
      return;
    }
    this.note = "";
    this.wire.post({ op: "edit", id: ++this.asked, node, element, value });
    window.clearTimeout(this.patience);
    this.patience = window.setTimeout(() => {
      this.note = WORDS().noKernel;
      this.changed();
    }, PATIENCE_MS);
  }

  private answered(note: string): void {
    window.clearTimeout(this.patience);
    this.note = note;
    this.leavesOf = null; // a refused value is taken back
    this.changed();
  }

  // ---- painting ----

  update(theme: Theme): void {
    const words = WORDS();
    const themeChanged = this.theme?.palette.dark !== theme.palette.dark;
    this.theme = theme;
    const { tape } = this;
    const step = this.steps[this.position];
    this.body.hidden = this.leaves.hidden = !tape;
    if (!tape || !step) {
      this.trouble.hidden = false;
      setText(this.trouble, words.problem);
      return;
    }
    const variant = this.variant;
    const loss = tape.nodes.at(-1);
    setText(this.subtitle, `${loss?.name ?? ""} = ${brief(loss?.value)}`);
    const answers = [...this.answers.values()].filter((answer) => answer.tries > 0);
    const right = answers.filter((answer) => answer.tries === 1 && answer.verdict === "right").length;
    setText(this.score, this.guessing && answers.length ? words.score(right, answers.length) : "");
    const pressed = { guess: this.guessing, order: this.unordered, assign: this.assign, table: this.asTable };
    for (const [name, on] of Object.entries(pressed)) this.buttons[name as keyof typeof pressed].setAttribute("aria-pressed", String(on));
    this.play.show(this.timer ? "pause" : "resume", this.timer ? words.pause : words.play, "Space");
    const last = this.steps.length - 1;
    this.ends.first.disabled = this.ends.back.disabled = this.position === 0;
    this.ends.next.disabled = this.ends.last.disabled = this.position === last;
    this.scrub.max = String(last);
    this.scrub.value = String(this.position);
    const phase = step.phase === "start" || step.phase === "forward" ? words.forward : words.backward;
    setText(this.where, `${words.of(this.position, last)} · ${phase}`);
    this.graph.element.hidden = this.asTable;
    this.table.hidden = !this.asTable;
    if (this.asTable) this.fillTable(tape);
    else {
      const known = knownAfter(tape, variant, this.steps, this.position);
      this.graph.update({ tape, variant, step, known, hidden: this.hidden() });
    }
    this.card.update({
      tape, variant, step, guessing: this.guessing, answer: (pass) => this.answer(pass), changed: () => this.changed(),
    }, theme);
    this.showMistakes(tape, variant);
    const trouble = this.note || (tape.overwrites ? words.overwrites : "");
    this.trouble.hidden = !trouble;
    setText(this.trouble, trouble);
    const secret = this.guessing && step.phase !== "end";
    if (this.leavesOf !== tape || themeChanged || secret !== this.secret) this.fillLeaves(tape, secret);
    setText(this.live, `${words.of(this.position, last)}. ${this.describe(tape, step)}`);
  }

  private showMistakes(tape: Tape, variant: Variant): void {
    const words = WORDS();
    const notes = [];
    if (this.unordered) notes.push(tape.unordered ? words.orderNote : words.orderLucky);
    if (this.assign) notes.push(words.assignNote);
    const walk = tape.walks[variant];
    const wrong = [...walk.wrong].filter((index) => tape.nodes[index]?.kind === "leaf");
    if (notes.length && !wrong.length && !walk.wrong.size) notes.push(words.allRight);
    for (const index of wrong.slice(0, 6)) {
      notes.push(words.wrongNow(tape.nodes[index]?.name ?? "", `✗ ${brief(walk.totals[index])}`, `✓ ${brief(tape.walks.right.totals[index])}`));
    }
    this.mistakes.hidden = notes.length === 0;
    const texts = notes.map((text) => make("div", "", {}, [text]));
    if (this.mistakes.textContent !== notes.join("")) this.mistakes.replaceChildren(...texts);
  }

  /** The step in words, for the table and for screen readers. */
  private describe(tape: Tape, step: Step): string {
    const words = WORDS();
    const names = tape.nodes.map((node) => node.name);
    if (step.phase === "start") return words.start;
    if (step.phase === "end") return words.end;
    if (step.phase === "seed") return `${words.seed}: 1`;
    if (step.phase === "forward") {
      const node = tape.nodes[step.node];
      return `${formulaText(node?.formula ?? "", names)}${node?.numbers ? ` = ${formulaText(node.numbers, names)}` : ` → ${brief(node?.value)}`}`;
    }
    const visit = tape.walks[this.variant].visits[step.visit];
    const hidden = this.hidden();
    const passes = visit?.passes.map((pass) => hidden.has(pass.target)
      ? `${names[pass.target]}: ?`
      : `${names[pass.target]}: ${pass.before && !this.assign ? `${brief(pass.before)} += ${brief(pass.product)} → ` : ""}${brief(pass.after)}`) ?? [];
    return `${words.backwardTitle(names[visit?.node ?? -1] ?? "")}, ${words.incoming} ${brief(visit?.incoming)}. ${passes.join("; ")}`;
  }

  private fillTable(tape: Tape): void {
    const words = WORDS();
    const body = make("tbody");
    this.steps.forEach((step, index) => {
      // What is to be guessed isn't told by the table either.
      const secret = this.guessing && index > this.position;
      const phase = step.phase === "start" || step.phase === "forward" ? words.forward : words.backward;
      const jump = make("button", "nbt-st-button", { type: "button" }, [String(index)]);
      jump.addEventListener("click", () => this.move(index));
      const row = make("tr", "", index === this.position ? { "aria-current": "step" } : {}, [
        make("th", "", { scope: "row" }, [jump]), make("td", "", {}, [phase]), make("td", "", {}, [secret ? "…" : this.describe(tape, step)]),
      ]);
      body.append(row);
    });
    const head = make("thead", "", {}, [make("tr", "", {}, [words.step, words.phase, words.what].map((text) => make("th", "", { scope: "col" }, [text])))]);
    const focused = this.table.contains(document.activeElement);
    this.table.replaceChildren(make("table", "nbt-table", {}, [head, body]));
    const current = this.table.querySelector<HTMLElement>("[aria-current] button");
    if (focused) current?.focus();
    if (current) this.table.scrollTop = Math.max(0, current.offsetTop - 120);
  }

  private fillLeaves(tape: Tape, secret: boolean): void {
    const words = WORDS();
    this.leavesOf = tape;
    this.secret = secret;
    const body = make("tbody");
    tape.nodes.forEach((node, index) => {
      if (node.kind !== "leaf") return;
      const gradient = tape.walks.right.totals[index];
      body.append(make("tr", "", {}, [
        make("th", "", { scope: "row" }, [node.name]),
        make("td", "", {}, this.valueCell(tape, index)),
        make("td", "", {}, [secret ? "…" : brief(gradient)]),
        make("td", "", {}, [secret ? "…" : badge(tape.checks.get(index), false, node.value?.shape)]),
      ]));
    });
    const why = tape.editable ? "" : `${words.notEditable}: ${tape.reason === "again" ? words.again : tape.reason}`;
    const head = make("thead", "", {}, [make("tr", "", {}, [words.leaf, words.value, words.gradient, words.check].map((text) =>
      make("th", "", { scope: "col" }, [text])))]);
    this.leaves.replaceChildren(
      make("table", "nbt-table", { "aria-label": words.leaves }, [head, body]),
      ...(why ? [make("div", "nbt-st-muted", {}, [why])] : []),
    );
  }

  /** A leaf's value: an input, of a tensor for one element at a time. */
  private valueCell(tape: Tape, index: number): (Node | string)[] {
    const words = WORDS();
    const node = tape.nodes[index];
    const values = node?.value;
    if (!node || !values) return [];
    const single = scalar(values) !== null;
    if (!node.edit || (!single && values.data.length > CHOICES)) return [single ? brief(values) : words.tensor(values.shape.join(" × "))];
    const input = make("input", "nbt-st-input", {
      type: "text", inputmode: "decimal", "aria-label": `${words.value} ${node.name}`, "data-node": String(index), autocomplete: "off", spellcheck: "false",
    });
    const element = () => (single ? 0 : (this.elements.get(index) ?? 0));
    const fill = () => void (input.value = say(values.data[element()] ?? NaN, 6));
    fill();
    const commit = () => {
      if (parseGuess(input.value) !== parseGuess(say(values.data[element()] ?? NaN, 6))) this.edit(index, element(), input.value);
    };
    input.addEventListener("change", commit);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") input.blur();
    });
    if (single) return [input];
    const select = make("select", "nbt-st-select", { "aria-label": `${words.element} ${node.name}` }, Array.from(values.data, (_, i) =>
      make("option", "", { value: String(i) }, [`[${indices(values.shape, i).join(", ")}]`])));
    if (element() >= values.data.length) this.elements.set(index, 0);
    select.value = String(element());
    select.addEventListener("change", () => {
      this.elements.set(index, Number(select.value));
      fill();
    });
    return [select, input];
  }
}

class StepperWire extends Wire {
  stepper: Stepper | null = null;

  override facts(): Record<string, string> {
    return { ...super.facts(), ...this.stepper?.facts };
  }
}

/** The widget of kind "stepper". */
export function stepper(model: Model): Widget {
  const wire = new StepperWire(model);
  const part = new Stepper(wire);
  wire.stepper = part;
  return { wire, parts: [part], label: WORDS().label, keys: part.keys, style: STYLE };
}
