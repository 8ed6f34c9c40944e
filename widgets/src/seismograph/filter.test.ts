import { expect, it } from "vitest";
import { matching } from "./filter";

const NAMES = ["encoder.0.weight", "encoder.0.bias", "Decoder.weight", "head[x].bias", ""];
const shown = (filter: string) => [...matching(NAMES, filter)];

it("shows everything without a filter", () => {
  expect(shown("")).toEqual([0, 1, 2, 3, 4]);
  expect(shown(" , !")).toEqual([0, 1, 2, 3, 4]);
});
it("finds a pattern across modules", () => {
  expect(shown("*.weight")).toEqual([0, 2]);
  expect(shown("encoder.?.bias")).toEqual([1]);
  expect(shown("*")).toEqual([0, 1, 2, 3, 4]);
});
it("finds words anywhere, whatever the case", () => expect(shown("CODER")).toEqual([0, 1, 2]));
it("leaves out what follows an exclamation mark", () => {
  expect(shown("!*.bias")).toEqual([0, 2, 4]);
  expect(shown("*coder*, !bias")).toEqual([0, 2]);
});
it("takes characters of regular expressions as they are", () => {
  expect(shown("head[x].*")).toEqual([3]);
  expect(shown("(a+)+$")).toEqual([]);
});
it("is quick on patterns made to be slow", () => {
  const began = performance.now();
  expect([...matching(["a".repeat(5000)], `${"*a".repeat(200)}b`)]).toEqual([]);
  expect(performance.now() - began).toBeLessThan(500);
});
