import { describe, expect, it } from "vitest";
import { decode, floatText, fromHalf } from "./exact";

describe("floats as NumPy prints them", () => {
  it("has the digits of the dtype, and no more", () => {
    expect(floatText(Math.fround(0.1), "float32")).toBe("0.1");
    expect(floatText(Math.fround(0.1), "float64")).toBe("0.10000000149011612");
    expect(floatText(Math.fround(16777216), "float32")).toBe("16777216.0");
    expect(floatText(0.0999755859375, "float16")).toBe("0.1");
    expect(floatText(0.10009765625, "bfloat16")).toBe("0.1");
    expect(floatText(1.401298464324817e-45, "float32")).toBe("1e-45");
  });
  it("tells the special ones apart", () => {
    expect([NaN, Infinity, -Infinity, -0, 0, -2].map((x) => floatText(x, "float32"))).toEqual(["nan", "inf", "-inf", "-0.0", "0.0", "-2.0"]);
  });
  it("reads halves: subnormal, greatest, infinite", () => {
    expect([0x0001, 0x7bff, 0x7c00, 0xfc00, 0x3c00, 0x8000].map(fromHalf)).toEqual([2 ** -24, 65504, Infinity, -Infinity, 1, -0]);
    expect(fromHalf(0x7e00)).toBeNaN();
  });
});

describe("elements", () => {
  it("are exact beyond what a double holds", () => {
    const bytes = new Uint8Array(new BigInt64Array([9007199254740993n, -1n]).buffer);
    expect(decode("i8", "int64", bytes).text(0)).toBe("9007199254740993");
    expect(decode("u8", "uint64", bytes).text(1)).toBe("18446744073709551615");
  });
  it("may start at any address", () => {
    const padded = new Uint8Array([7, ...new Uint8Array(new Float32Array([1.5, -2]).buffer)]);
    const found = decode("f4", "float32", padded.subarray(1));
    expect([found.text(0), found.text(1)]).toEqual(["1.5", "-2.0"]);
  });
  it("are refused where the bytes are not theirs", () => {
    expect(() => decode("f4", "float32", new Uint8Array(3))).toThrow("3 bytes");
    expect(() => decode("x9", "", new Uint8Array(3))).toThrow("unknown dtype");
  });
  it("are booleans in words", () => {
    const found = decode("b1", "bool", new Uint8Array([0, 1]));
    expect([found.text(0), found.text(1)]).toEqual(["False", "True"]);
  });
});
