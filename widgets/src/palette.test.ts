import { describe, expect, it } from "vitest";
import { CATEGORIES, contrast, DARK, DIVERGING, interpolate, LIGHT, luminance, parseHex, signedIndex, type Rgb } from "./palette";

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

// How eyes see a colour: ordinary ones, and those that lack a cone (Machado, Oliveira and Fernandes 2009, severity 1).
const EYES: Record<string, number[][]> = {
  ordinary: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const times = (matrix: number[][], v: number[]) => matrix.map((row) => row.reduce((sum, x, k) => sum + x * (v[k] ?? 0), 0));

/** CIE L*a*b* of a colour as an eye sees it. */
function lab(colour: string, eye: number[][]): number[] {
  const linear = parseHex(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const seen = times(eye, linear).map((c) => Math.min(1, Math.max(0, c)));
  const xyz = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], seen);
  const [x, y, z] = [xyz[0]! / 0.9505, xyz[1]!, xyz[2]! / 1.089].map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116));
  return [116 * y! - 16, 500 * (x! - y!), 200 * (y! - z!)];
}

describe.each(["light", "dark"] as const)("colours of the %s theme", (name) => {
  const surface = SURFACES[name] as Rgb;

  it.each(CATEGORIES[name])("%s stands out from the background", (colour) => {
    expect(contrast(parseHex(colour), surface)).toBeGreaterThan(3);
  });
  it.each(Object.keys(EYES))("categories differ for %s eyes", (eye) => {
    const seen = CATEGORIES[name].map((colour) => lab(colour, EYES[eye]!));
    seen.forEach((a, i) => seen.slice(0, i).forEach((b) => {
      expect(Math.hypot(...a.map((x, k) => x - b[k]!))).toBeGreaterThan(10);
    }));
  });
  it("signed values go from the ground to colours that stand out, equally far on both sides", () => {
    const { stops } = DIVERGING[name];
    const away = Array.from({ length: 256 }, (_, i) => contrast(interpolate(stops, i / 255), surface));
    for (let i = 129; i < 256; i++) expect(away[i]).toBeGreaterThan(away[i - 1]! - 0.01);
    for (let i = 126; i >= 0; i--) expect(away[i]).toBeGreaterThan(away[i + 1]! - 0.01);
    expect(Math.min(away[0]!, away[255]!)).toBeGreaterThan(7);
    expect(Math.max(away[127]!, away[128]!)).toBeLessThan(1.6);
  });
  it("negative and positive differ for every eye", () => {
    const { stops } = DIVERGING[name];
    for (const eye of Object.values(EYES).slice(0, 3)) {
      const [a, b] = [lab(stops[2]!, eye), lab(stops[6]!, eye)];
      expect(Math.hypot(...a.map((x, k) => x - b[k]!))).toBeGreaterThan(40);
    }
  });
});

it("finds the colour of a signed value", () => {
  expect([-2, -1, 1, 5].map((v) => signedIndex(v, 1))).toEqual([0, 0, 255, 255]);
  expect(signedIndex(0, 0)).toBe(128);
  expect(Math.abs(signedIndex(0, 3) - 127.5)).toBeLessThan(1);
});
