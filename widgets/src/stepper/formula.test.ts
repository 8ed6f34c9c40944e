import { describe, expect, it } from "vitest";
import { formulaText } from "./latex";
import { close, judge, parseGuess, type Question } from "./guess";
import { indices, say } from "./tape";

describe("formulas as text", () => {
  const text = (source: string) => formulaText(source, ["a", "<b>", "c"]);
  it("knows fractions, powers, roots and signs", () => {
    expect(text("\\frac{\\partial \\name{2}}{\\partial \\name{0}} = 1 - \\name{2}^{2}")).toBe("∂c/∂a = 1 − c^2");
    expect(text("2 \\cdot (-3) = -6")).toBe("2 · (−3) = −6");
    expect(text("\\sqrt{x+1}")).toBe("√(x + 1)");
  });
  it("never reads a name as a formula", () => {
    expect(text("\\name{1}")).toBe("<b>");
    expect(formulaText("\\name{0}", ["\\frac{1}{2}"])).toBe("\\frac{1}{2}");
  });
  it("survives what is no formula", () => {
    for (const source of ["\\frac{", "}}}", "{{{{", "^", "_", "\\", "\\unknown{x}", "{".repeat(500)]) expect(typeof text(source)).toBe("string");
  });
});

describe("guesses", () => {
  const question: Question = { answer: -4, before: 0.5, incoming: 1.5, local: -3, product: -4.5 };
  const verdict = (guess: string) => judge(parseGuess(guess) ?? NaN, question, guess);
  it("reads what people type", () => {
    expect(parseGuess("−1,5")).toBe(-1.5);
    expect(parseGuess(" 1 / 4 ")).toBe(0.25);
    expect(parseGuess("2e-3")).toBe(0.002);
    for (const bad of ["", "x", "1/0", "1 2", "--1", "Infinity", "0x10"]) expect(parseGuess(bad)).toBeNull();
  });
  it("knows the usual mistakes by name", () => {
    expect(verdict("-4")).toBe("right");
    expect(verdict("-4.02")).toBe("right");
    expect(verdict("-4.5")).toBe("overwritten");
    expect(verdict("0.5")).toBe("notAdded");
    expect(verdict("2")).toBe("forgotLocal");
    expect(verdict("-2.5")).toBe("forgotIncoming");
    expect(verdict("1.5")).toBe("onlyIncoming");
    expect(verdict("-3")).toBe("onlyLocal");
    expect(verdict("4")).toBe("sign");
    expect(verdict("17")).toBe("wrong");
  });
  it("takes a rounded answer, but not a rough one", () => {
    expect(close(0.43, 0.4286, "0.43")).toBe(true);
    expect(close(0.4, 0.4286, "0.4")).toBe(false);
    expect(close(0, 0.0004, "0")).toBe(false);
    expect(close(0, 0, "0")).toBe(true);
  });
  it("calls a mistake right where it changes nothing", () => {
    expect(judge(2, { answer: 2, before: null, incoming: 2, local: 1, product: 2 })).toBe("right");
  });
});

it("numbers have no zeros that say nothing", () => {
  expect([1, -6, 0.5, 1e-7, NaN].map((v) => say(v))).toEqual(["1", "−6", "0.5", "1e−7", "NaN"]);
  expect(indices([2, 3], 4)).toEqual([1, 1]);
});
