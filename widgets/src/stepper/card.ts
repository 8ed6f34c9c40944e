import { make } from "../dom";
import type { Theme } from "../theme";
import { judge, parseGuess, type Question, type Verdict } from "./guess";
import { brief } from "./graph";
import { picture } from "./heat";
import { formula } from "./latex";
import { indices, isFull, say, scalar, type Check, type Pass, type Step, type Tape, type Values, type Variant, type Visit } from "./tape";
import { WORDS } from "./words";

/** What a reader has answered to one question. */
export interface Answer {
  text: string;
  verdict: Verdict | "notNumber" | null;
  /** Whether the numbers may be seen. */
  open: boolean;
  tries: number;
}

/** What the card shows and whom it tells. */
export interface CardState {
  tape: Tape;
  variant: Variant;
  step: Step;
  guessing: boolean;
  answer(pass: Pass): Answer;
  changed(): void;
}

/** A badge: the measured slope beside the computed gradient. */
export function badge(check: Check | undefined, long: boolean, shape: readonly number[] = []): HTMLElement {
  const words = WORDS();
  if (!check) return make("span", "nbt-st-muted", {}, [words.notMeasured]);
  const sign = { agrees: "✓", differs: "✗", kink: "∠" }[check.state];
  const state = words[check.state];
  const slope = say(check.slope);
  const gradient = say(check.gradient);
  const place = shape.length && shape.some((n) => n > 1) ? `[${indices(shape, check.element).join(", ")}] ` : "";
  const text = place + (long || check.state !== "agrees" ? `${sign} ${slope} ${check.state === "agrees" ? "=" : "≠"} ${gradient}` : `${sign} ${slope}`);
  const title = place + words.checkTitle(state, slope, gradient);
  return make("span", `nbt-st-badge nbt-st-${check.state}`, { title, "aria-label": title, role: "img" }, [text]);
}

/** The question that belongs to a pass: a number, or the largest element of a tensor that is here in full. */
export function questionOf(pass: Pass, visit: Visit): { question: Question; element: string } | null {
  const { product, before, after, local } = pass;
  if (!isFull(after) || !isFull(product) || after.data.length === 0) return null;
  let at = 0;
  after.data.forEach((value, i) => {
    if (Math.abs(value) > Math.abs(after.data[at] ?? 0)) at = i;
  });
  const pick = (values: Values | null) => {
    if (!values || !isFull(values)) return null;
    if (values.data.length === 1) return values.data[0] ?? null;
    return values.data.length === after.data.length ? (values.data[at] ?? null) : null;
  };
  const answer = after.data[at] ?? NaN;
  if (!Number.isFinite(answer)) return null;
  return {
    question: { answer, before: pick(before), incoming: pick(visit.incoming), local: pick(local), product: pick(product) ?? NaN },
    element: scalar(after) === null ? `[${indices(after.shape, at).join(", ")}]` : "",
  };
}

/** The card of the current step. */
export class Card {
  readonly element = make("div", "nbt-st-card");

  update(state: CardState, theme: Theme): void {
    const { tape, step, variant } = state;
    const names = tape.nodes.map((node) => node.name);
    const kept = document.activeElement instanceof HTMLInputElement && this.element.contains(document.activeElement);
    if (kept) return; // the reader is typing
    const children =
      step.phase === "forward" ? this.forward(tape, step.node, names, theme)
      : step.phase === "backward" ? this.backward(state, tape.walks[variant].visits[step.visit], names, theme)
      : this.between(state, names);
    this.element.replaceChildren(...children);
  }

  private heading(title: string): HTMLElement {
    return make("div", "nbt-st-heading", { role: "heading", "aria-level": "5" }, [title]);
  }

  private line(label: string, ...content: (Node | string)[]): HTMLElement {
    return make("div", "nbt-st-row", {}, [make("div", "nbt-label", {}, [label]), make("div", "nbt-st-content", {}, content)]);
  }

  private forward(tape: Tape, index: number, names: readonly string[], theme: Theme): HTMLElement[] {
    const words = WORDS();
    const node = tape.nodes[index];
    if (!node) return [];
    const result = [this.heading(words.forwardTitle(node.name))];
    const equation = make("div", "nbt-st-formula", {}, [formula(node.formula, names)]);
    if (node.numbers) equation.append(make("div", "nbt-st-numbers", {}, [formula(`= ${node.numbers}`, names)]));
    result.push(equation);
    if (scalar(node.value) === null || !node.numbers) {
      for (const input of new Set(node.inputs.filter((i) => i >= 0))) {
        result.push(this.line(names[input] ?? "", picture(tape.nodes[input]?.value ?? null, theme)));
      }
      for (const constant of node.constants) {
        if (constant && scalar(constant) === null) result.push(this.line(words.data, picture(constant, theme)));
      }
      result.push(this.line(`→ ${node.name}`, picture(node.value, theme)));
    }
    return result;
  }

  private between({ tape, step, variant }: CardState, names: readonly string[]): HTMLElement[] {
    const words = WORDS();
    if (step.phase === "start") return [this.heading(words.start), make("div", "nbt-st-text", {}, [words.startText])];
    const last = tape.nodes.length - 1;
    if (step.phase === "seed") {
      const loss = `\\name{${last}}`;
      return [
        this.heading(words.seed), make("div", "nbt-st-text", {}, [words.seedText]),
        make("div", "nbt-st-formula", {}, [formula(`\\frac{\\partial ${loss}}{\\partial ${loss}} = 1`, names)]),
      ];
    }
    const walk = tape.walks[variant];
    const result = [this.heading(words.end), make("div", "nbt-st-text", {}, [words.endText])];
    tape.nodes.forEach((node, index) => {
      if (node.kind !== "leaf") return;
      const bad = walk.wrong.has(index);
      const row = this.line(node.name, make("span", bad ? "nbt-st-bad" : "nbt-st-number", {}, [`${bad ? "✗ " : ""}${brief(walk.totals[index])}`]));
      row.lastElementChild?.append(bad ? make("span", "nbt-st-good", {}, [`✓ ${brief(tape.walks.right.totals[index])}`]) : badge(tape.checks.get(index), true, node.value?.shape));
      result.push(row);
    });
    if (variant !== "right" && walk.wrong.size === 0) result.push(make("div", "nbt-st-text", {}, [words.allRight]));
    return result;
  }

  private backward(state: CardState, visit: Visit | undefined, names: readonly string[], theme: Theme): HTMLElement[] {
    const { tape, variant, guessing } = state;
    const words = WORDS();
    const node = visit && tape.nodes[visit.node];
    if (!visit || !node) return [];
    const result = [this.heading(words.backwardTitle(node.name))];
    if (node.formula) result.push(make("div", "nbt-st-formula", {}, [formula(node.formula, names)]));
    const incoming = this.line(words.incoming, partial(tape, visit.node), picture(visit.incoming, theme));
    const right = tape.walks.right.visits.find((other) => other.node === visit.node)?.incoming ?? null;
    if (variant === "right") incoming.lastElementChild?.append(badge(tape.checks.get(visit.node), false, node.value?.shape));
    else if (brief(right) !== brief(visit.incoming)) {
      incoming.lastElementChild?.append(make("span", "nbt-st-bad", {}, [`✗ ${words.early(brief(right))}`]));
    }
    result.push(incoming);
    for (const pass of visit.passes) {
      const question = guessing ? questionOf(pass, visit) : null;
      const answer = question ? state.answer(pass) : null;
      result.push(this.pass(state, visit, pass, names, theme, answer?.open ?? true, question && answer ? { ...question, answer } : null));
    }
    return result;
  }

  private pass(
    { tape, variant, changed }: CardState, visit: Visit, pass: Pass, names: readonly string[], theme: Theme, open: boolean,
    asked: { question: Question; element: string; answer: Answer } | null,
  ): HTMLElement {
    const words = WORDS();
    const target = names[pass.target] ?? "";
    const block = make("div", "nbt-st-pass", {}, [make("div", "nbt-st-target", {}, [`${words.to} ${target}`])]);
    const isRule = pass.local === null;
    const derivation = make("div", "nbt-st-derivation");
    if (pass.symbols) derivation.append(formula(pass.symbols, names));
    if (pass.note) derivation.append(formula(pass.note, names));
    if (!pass.symbols && !pass.note) derivation.append(make("span", "nbt-st-muted", {}, [words.vjp]));
    if (pass.numbers && open) derivation.append(make("span", "nbt-st-numbers", {}, [formula(`= ${pass.numbers}`, names)]));
    block.append(this.line(isRule ? words.rule : words.local, derivation));
    if (pass.local && scalar(pass.local) === null && open) block.append(this.line("", picture(pass.local, theme)));
    const product = scalar(pass.product);
    const [g, l] = [scalar(visit.incoming), scalar(pass.local)];
    if (open) {
      const shown = product !== null && g !== null && l !== null
        ? formula(`${bracket(g)} \\cdot ${bracket(l)} = ${plain(product)}`, names)
        : picture(pass.product, theme);
      const outgoing = this.line(isRule ? words.gradient : words.outgoing, shown);
      if (pass.local && scalar(pass.local) === null && pass.local.data.length > pass.product.data.length) {
        outgoing.lastElementChild?.append(make("span", "nbt-st-muted", {}, [words.summed]));
      }
      block.append(outgoing, this.accumulation(tape, variant, pass, target, theme));
    } else {
      block.append(this.line(words.outgoing, make("span", "nbt-st-hidden", {}, [words.hidden])));
    }
    if (asked) block.append(this.quiz(asked, target, changed));
    return block;
  }

  /** "0.5 += 1.5 → 2.0": what was there, what comes, what is there then. */
  private accumulation(tape: Tape, variant: Variant, pass: Pass, target: string, theme: Theme): HTMLElement {
    const words = WORDS();
    const assigns = variant === "assign" || variant === "both";
    const content: (Node | string)[] = [make("span", "nbt-st-mono", {}, [`${target}.grad`])];
    const strong = (values: Values) => make("b", "nbt-st-number", {}, [brief(values)]);
    if (!pass.before) content.push("=", strong(pass.after), make("span", "nbt-st-muted", {}, [words.first_]));
    else if (assigns) content.push("=", strong(pass.after), make("span", "nbt-st-bad", {}, [`✗ ${words.overwritten(brief(pass.before))}`]));
    else content.push(brief(pass.before), "+=", brief(pass.product), "→", strong(pass.after));
    const row = this.line(words.added, ...content);
    const final = tape.walks[variant].totals[pass.target];
    if (final === pass.after && tape.walks[variant].wrong.has(pass.target)) {
      row.lastElementChild?.append(make("span", "nbt-st-good", {}, [`✓ ${brief(tape.walks.right.totals[pass.target])}`]));
    } else if (variant === "right" && final === pass.after) {
      row.lastElementChild?.append(badge(tape.checks.get(pass.target), false, pass.after.shape));
    }
    if (scalar(pass.after) === null && pass.before) row.lastElementChild?.append(picture(pass.after, theme));
    return row;
  }

  private quiz(asked: { question: Question; element: string; answer: Answer }, target: string, changed: () => void): HTMLElement {
    const { question, element, answer } = asked;
    const words = WORDS();
    const ask = words.ask(target, element);
    const input = make("input", "nbt-st-input", { type: "text", inputmode: "decimal", "aria-label": ask, autocomplete: "off", spellcheck: "false" });
    input.value = answer.text;
    const submit = () => {
      answer.text = input.value;
      const guess = parseGuess(input.value);
      if (guess !== null && !answer.open) answer.tries++;
      answer.verdict = guess === null ? "notNumber" : judge(guess, question, input.value);
      if (answer.verdict === "right") answer.open = true;
      input.blur();
      changed();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") submit();
    });
    const button = (text: string, action: () => void) => {
      const element = make("button", "nbt-st-button", { type: "button" }, [text]);
      element.addEventListener("click", action);
      return element;
    };
    const parts: Node[] = [make("span", "", {}, [ask])];
    if (!answer.open) {
      parts.push(input, button(words.tell, submit), button(words.show, () => {
        answer.open = true;
        changed();
      }));
    }
    const verdict = answer.verdict;
    if (verdict) {
      const text = verdict === "notNumber" ? words.notNumber
        : verdict === "right" ? words.rightIs(say(question.answer))
        : words.verdict[verdict];
      parts.push(make("div", `nbt-st-verdict ${verdict === "right" ? "nbt-st-good" : "nbt-st-hint"}`, { role: "status" }, [
        `${verdict === "right" ? "✓" : "→"} ${text}`,
      ]));
    }
    return make("div", "nbt-st-quiz", {}, parts);
  }
}

/** ∂L/∂x for a node, as the left side of an equation. */
function partial(tape: Tape, index: number): HTMLElement {
  const names = tape.nodes.map((node) => node.name);
  const last = tape.nodes.length - 1;
  return make("span", "", {}, [formula(`\\frac{\\partial \\name{${last}}}{\\partial \\name{${index}}} =`, names)]);
}

function plain(value: number): string {
  const text = say(value);
  const power = /^(.*)e(.*)$/.exec(text);
  return power ? `${power[1]} \\times 10^{${power[2]}}` : text;
}

const bracket = (value: number) => (value < 0 ? `(${plain(value)})` : plain(value));
