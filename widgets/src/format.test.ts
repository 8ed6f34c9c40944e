import { describe, expect, it } from "vitest";
import * as format from "./format";

describe("measurements", () => {
  it.each([
    [0.0342, "0.0342"], [1, "1.00"], [123.456, "123"], [12345, "12345"], [0.00012345, "1.23e−4"], [1.5e7, "1.50e7"],
    [-0.5, "−0.500"], [0, "0"], [NaN, "NaN"], [Infinity, "∞"], [-Infinity, "−∞"], [0.9996, "1.00"], [99999, "99999"],
  ])("%d is %s", (value, text) => expect(format.measure(value)).toBe(text));
  it("have as many digits as asked for", () => expect(format.measure(0.123456789, 6)).toBe("0.123457"));
});

describe("scale ends", () => {
  it.each([[-3.30103, "5·10⁻⁴"], [-4, "10⁻⁴"], [0, "1"], [0.30103, "2"], [-2, "0.01"], [-1.30103, "0.05"], [12, "10¹²"], [2.69897, "500"]])(
    "10^%d is %s", (log, text) => expect(format.roundMagnitude(log)).toBe(text),
  );
});

describe("words", () => {
  it("counts with spaces", () => expect([0, 999, 1000, 1234567].map(format.count)).toEqual(["0", "999", "1\u2009000", "1\u2009234\u2009567"]));
  it("has rates", () => expect([0.123, 9.87, 45.678, 812.4, 12345].map(format.rate)).toEqual(["0.12", "9.9", "45.7", "812", "12\u2009345"]));
  it("has durations", () => expect([3.2, 75, 3725].map(format.duration)).toEqual(["3 s", "1 min 15 s", "1 h 2 min"]));
  it("has headings", () => expect(["loss", "val_acc", ""].map(format.title)).toEqual(["Loss", "Val acc", ""]));
});

describe("names that must fit", () => {
  const width = (text: string) => text.length;
  it("stay as they are if they do", () => expect(format.fit("0.weight", 8, width)).toBe("0.weight"));
  it("lose their middle if they don't", () => {
    expect(format.fit("transformer.h.11.weight", 12, width)).toBe("tra…1.weight");
    expect(format.fit("abcdef", 1, width)).toBe("…");
  });
});
