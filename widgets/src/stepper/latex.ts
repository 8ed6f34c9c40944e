/**
 * Formulas without a library: a small part of LaTeX (fractions, powers, indices, roots, bars, common names) drawn as
 * MathML, or as a line of text where a browser has none. `\name{3}` stands for a name given by the caller, which goes
 * in as text and is never read as a formula.
 */

type Tree =
  | { kind: "mi" | "mn" | "mo" | "mtext"; text: string }
  | { kind: "mrow"; parts: Tree[] }
  | { kind: "mfrac" | "msup" | "msub"; parts: [Tree, Tree] }
  | { kind: "msqrt" | "bar"; parts: [Tree] };

/** The namespace of an element as the browser's own parser gives it, so that no address stands in the code. */
export function namespaceOf(tag: "math" | "svg"): string {
  const template = document.createElement("template");
  template.innerHTML = `<${tag}></${tag}>`;
  return template.content.firstElementChild?.namespaceURI ?? "";
}

let mathml = "";
const DEEPEST = 40;

const OPERATORS: Record<string, string> = {
  cdot: "·", times: "×", sum: "∑", prod: "∏", partial: "∂", infty: "∞", odot: "⊙", le: "≤", ge: "≥", leq: "≤", geq: "≥",
  neq: "≠", ne: "≠", approx: "≈", to: "→", pm: "±", in: "∈", top: "⊤", mid: "|", ldots: "…", dots: "…", cdots: "⋯",
  lfloor: "⌊", rfloor: "⌋", lceil: "⌈", rceil: "⌉", langle: "⟨", rangle: "⟩", Vert: "‖", vert: "|", "{": "{", "}": "}", "|": "‖",
  prime: "′", star: "⋆", ast: "∗", otimes: "⊗", nabla: "∇", int: "∫", colon: ":", wedge: "∧", vee: "∨", neg: "¬",
};
const LETTERS: Record<string, string> = {
  alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", varepsilon: "ε", theta: "θ", lambda: "λ", mu: "μ", nu: "ν",
  pi: "π", rho: "ρ", sigma: "σ", tau: "τ", phi: "φ", varphi: "φ", Phi: "Φ", psi: "ψ", omega: "ω", eta: "η", Gamma: "Γ",
  Delta: "Δ", Sigma: "Σ", ell: "ℓ", kappa: "κ", xi: "ξ", zeta: "ζ",
};
const SPACES = new Set([",", ";", ":", "!", " ", "quad", "qquad"]);
const IGNORED = new Set(["left", "right", "big", "Big", "bigl", "bigr", "displaystyle", "limits"]);

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly source: string, private readonly names: readonly string[]) {}

  row(until = ""): Tree {
    const parts: Tree[] = [];
    if (++this.depth > DEEPEST) throw new Error("a formula is nested too deeply");
    while (this.at < this.source.length && this.source[this.at] !== until) {
      if (this.source[this.at] === "}") {
        this.at++;
        continue;
      }
      const part = this.part();
      if (part) parts.push(this.scripts(part));
    }
    this.at++;
    this.depth--;
    return parts.length === 1 && parts[0] ? parts[0] : { kind: "mrow", parts };
  }

  private scripts(base: Tree): Tree {
    const sign = this.source[this.at];
    if (sign !== "^" && sign !== "_") return base;
    this.at++;
    return this.scripts({ kind: sign === "^" ? "msup" : "msub", parts: [base, this.argument()] });
  }

  /** What is in braces, or the next sign. */
  private argument(): Tree {
    while (this.source[this.at] === " ") this.at++;
    if (this.source[this.at] === "{") {
      this.at++;
      return this.row("}");
    }
    return this.part() ?? { kind: "mrow", parts: [] };
  }

  private raw(): string {
    if (this.source[this.at] !== "{") return "";
    const end = this.source.indexOf("}", this.at);
    const text = this.source.slice(this.at + 1, end < 0 ? undefined : end);
    this.at = end < 0 ? this.source.length : end + 1;
    return text;
  }

  private part(): Tree | null {
    const rest = this.source.slice(this.at);
    const space = /^[\s~&]+/.exec(rest);
    if (space) {
      this.at += space[0].length;
      return null;
    }
    const number = /^\d+(\.\d+)?|^\.\d+/.exec(rest);
    if (number) {
      this.at += number[0].length;
      return { kind: "mn", text: number[0] };
    }
    const command = /^\\([a-zA-Z]+|.)/.exec(rest);
    if (command) {
      this.at += command[0].length;
      return this.command(command[1] ?? "");
    }
    this.at++;
    const sign = rest[0] ?? "";
    if (sign === "{") return this.row("}");
    if (/[a-zA-Z]/.test(sign)) return { kind: "mi", text: sign };
    return { kind: "mo", text: sign === "-" ? "−" : sign === "*" ? "∗" : sign };
  }

  private command(name: string): Tree | null {
    if (SPACES.has(name)) return { kind: "mtext", text: name.endsWith("quad") ? "\u2003" : "\u2009" };
    if (IGNORED.has(name)) return null;
    switch (name) {
      case "frac": return { kind: "mfrac", parts: [this.argument(), this.argument()] };
      case "sqrt": return { kind: "msqrt", parts: [this.argument()] };
      case "bar": case "overline": return { kind: "bar", parts: [this.argument()] };
      case "text": return { kind: "mtext", text: this.raw() };
      case "operatorname": case "mathrm": case "mathbf": return { kind: "mi", text: this.raw() };
      case "name": return { kind: "mi", text: this.names[Number(this.raw())] ?? "?" };
    }
    const letter = LETTERS[name];
    if (letter) return { kind: "mi", text: letter };
    const operator = OPERATORS[name];
    return operator ? { kind: "mo", text: operator } : { kind: "mi", text: name };
  }
}

function draw(tree: Tree): Element {
  const make = (tag: string, ...children: (Element | string)[]) => {
    const element = document.createElementNS((mathml ||= namespaceOf("math")), tag);
    element.append(...children);
    return element;
  };
  switch (tree.kind) {
    case "mi": case "mn": case "mo": case "mtext": return make(tree.kind, tree.text);
    case "bar": {
      const over = make("mover", draw(tree.parts[0]), make("mo", "‾"));
      over.setAttribute("accent", "true");
      return over;
    }
    default: return make(tree.kind, ...tree.parts.map(draw));
  }
}

const isMinus = (tree: Tree) => tree.kind === "mo" && tree.text === "−";

/** Whether a minus after this is a sign, not a subtraction. */
const opens = (before: Tree | undefined) => !before || (before.kind === "mo" && !/[)\]|]/.test(before.text));

function write(tree: Tree): string {
  switch (tree.kind) {
    case "mi": case "mn": case "mtext": return tree.text;
    case "mo": return "=+−·×<>≤≥→".includes(tree.text) ? ` ${tree.text} ` : tree.text;
    case "mrow": return tree.parts.map((part, i) => (isMinus(part) && opens(tree.parts[i - 1]) ? "−" : write(part))).join("");
    case "mfrac": return tree.parts.map((part) => (part.kind === "mrow" && part.parts.length > 2 ? `(${write(part)})` : write(part))).join("/");
    case "msup": return `${write(tree.parts[0])}^${write(tree.parts[1])}`;
    case "msub": return `${write(tree.parts[0])}_${write(tree.parts[1])}`;
    case "msqrt": return `√(${write(tree.parts[0])})`;
    case "bar": return `∇${write(tree.parts[0])}`;
  }
}

function parse(source: string, names: readonly string[]): Tree {
  try {
    return new Parser(source, names).row();
  } catch {
    return { kind: "mtext", text: source };
  }
}

/** The formula as a line of text, for screen readers and tables. */
export function formulaText(source: string, names: readonly string[]): string {
  return write(parse(source, names)).replace(/\s+/g, " ").trim();
}

/** The formula as an element. */
export function formula(source: string, names: readonly string[]): Element {
  const tree = parse(source, names);
  if (typeof (globalThis as Record<string, unknown>)["MathMLElement"] === "undefined") {
    const plain = document.createElement("span");
    plain.textContent = formulaText(source, names);
    return plain;
  }
  const math = document.createElementNS((mathml ||= namespaceOf("math")), "math");
  math.append(draw(tree));
  return math;
}
