/** Judging a guessed gradient: right, or wrong in a way that has a name. */

export interface Question {
  /** The gradient after this step. */
  answer: number;
  /** What was there before; null: nothing. */
  before: number | null;
  incoming: number | null;
  local: number | null;
  product: number;
}

export type Verdict =
  | "right" | "overwritten" | "forgotLocal" | "forgotIncoming" | "onlyIncoming" | "onlyLocal" | "sign" | "notAdded" | "wrong";

/** The number that a reader has typed: a decimal with point or comma, or a fraction; null: not a number. */
export function parseGuess(text: string): number | null {
  const plain = text.trim().replaceAll("−", "-").replace(/(\d),(\d)/, "$1.$2").replace(/\s*([/·*e])\s*/g, "$1");
  const pattern = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:\/([+-]?(?:\d+\.?\d*|\.\d+)))?$/i;
  const found = pattern.exec(plain);
  if (!found) return null;
  const value = Number(found[1]) / (found[2] === undefined ? 1 : Number(found[2]));
  return Number.isFinite(value) ? value : null;
}

/** Within one percent, or what rounding to the digits typed explains, up to five percent. */
export function close(guess: number, value: number, text = ""): boolean {
  const decimals = /[.,](\d+)\s*$/.exec(text)?.[1]?.length ?? null;
  const rounding = decimals === null ? 0 : 0.5 * 10 ** -decimals;
  const size = Math.abs(value);
  return Math.abs(guess - value) <= Math.max(0.01 * size, Math.min(rounding, 0.05 * size), 1e-9);
}

/** The first verdict that fits; where a mistake gives the right number, the guess is right. */
export function judge(guess: number, question: Question, text = ""): Verdict {
  const { answer, before, incoming, local, product } = question;
  const is = (value: number | null) => value !== null && Number.isFinite(value) && close(guess, value, text);
  const start = before ?? 0;
  if (is(answer)) return "right";
  if (before !== null && is(product)) return "overwritten";
  if (before !== null && is(before)) return "notAdded";
  if (incoming !== null && is(start + incoming)) return "forgotLocal";
  if (local !== null && is(start + local)) return "forgotIncoming";
  if (before !== null && is(incoming)) return "onlyIncoming";
  if (before !== null && is(local)) return "onlyLocal";
  if (is(-answer) || is(start - product)) return "sign";
  return "wrong";
}
