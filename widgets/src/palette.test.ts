import { describe, expect, it } from "vitest";
import { contrast, DARK, interpolate, LIGHT, luminance, parseHex, type Rgb } from "./palette";

// The surfaces that JupyterLab's two themes give to an output.
const SURFACES: Record<string, Rgb> = { light: [255, 255, 255], dark: [33, 33, 33] };

describe.each([["light", LIGHT], ["dark", DARK]] as const)("the %s palette", (name, palette) => {
  const surface = SURFACES[name] as Rgb;
  const colours = Array.from({ length: 256 }, (_, i) => interpolate(palette.stops, i / 255));

  it("gets ever further from its background", () => {
    const distances = colours.map((colour) => contrast(colour, surface));
    for (let i = 1; i < distances.length; i++) expect(distances[i]).toBeGreaterThan((distances[i - 1] ?? 0) - 0.01);
  });
  it("ends far from its background", () => {
    expect(contrast(colours[255] as Rgb, surface)).toBeGreaterThan(7);
    expect(contrast(colours[128] as Rgb, surface)).toBeGreaterThan(3);
  });
  it("differs in lightness from one end to the other, for eyes that don't tell the hues apart", () => {
    expect(contrast(colours[0] as Rgb, colours[255] as Rgb)).toBeGreaterThan(7);
  });
  it("has an alarm that can be read on the background", () => {
    expect(contrast(parseHex(palette.alarm), surface)).toBeGreaterThan(4.5);
  });
  it("has a table that is the same colours as pixels", () => {
    const word = palette.table[200] ?? 0;
    expect([word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24]).toEqual([...(colours[200] as Rgb), 255]);
  });
});

describe("colour", () => {
  it("measures contrast as WCAG does", () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(luminance([255, 255, 255])).toBeCloseTo(1);
    expect(contrast([118, 118, 118], [255, 255, 255])).toBeCloseTo(4.54, 2);
  });
  it("interpolates between stops and stays within them", () => {
    expect(interpolate(["#000000", "#ffffff"], 0.5)).toEqual([128, 128, 128]);
    expect(interpolate(["#000000", "#ffffff"], 2)).toEqual([255, 255, 255]);
    expect(interpolate(["#000000", "#ffffff"], -1)).toEqual([0, 0, 0]);
  });
});
