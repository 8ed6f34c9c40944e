import scales from "../nbtorch_widgets/palette.json";

export type Rgb = readonly [number, number, number];

/** A continuous scale: evenly spaced stops, and the same as 256 little-endian RGBA words for an image. */
export interface Scale {
  stops: readonly string[];
  table: Uint32Array;
}

/** The colours of one theme; `stops` and `table` are those of magnitudes, weakest first. Text, lines and surfaces come from the notebook's theme; these are ours. */
export interface Palette extends Scale {
  dark: boolean;
  /** Colours of signed values, most negative first, zero in the middle. */
  diverging: Scale;
  /** Colours of things of different kinds; each stands out from the background. Use shape or words beside them. */
  categories: readonly string[];
  /** Marks what is broken: NaN and infinity. */
  alarm: string;
}

export function parseHex(colour: string): Rgb {
  const value = parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** Relative luminance and contrast ratio as WCAG 2 defines them. */
export function luminance([r, g, b]: Rgb): number {
  const linear = (c: number) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

export function contrast(a: Rgb, b: Rgb): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** The colour at `t` in [0, 1] of evenly spaced stops. */
export function interpolate(stops: readonly string[], t: number): Rgb {
  const x = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(x));
  const a = parseHex(stops[i] ?? "#000000");
  const b = parseHex(stops[i + 1] ?? "#000000");
  const mix = (k: 0 | 1 | 2) => Math.round(a[k] + (b[k] - a[k]) * (x - i));
  return [mix(0), mix(1), mix(2)];
}

function scale(stops: readonly string[]): Scale {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const [r, g, b] = interpolate(stops, i / 255);
    table[i] = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  }
  return { stops, table };
}

/** Blue for negative, orange for positive, the neutral ground for zero. */
export const DIVERGING: { light: Scale; dark: Scale } = {
  light: scale(scales.diverging.light), dark: scale(scales.diverging.dark),
};

/** Okabe and Ito's colours, fitted to each theme. */
export const CATEGORIES: { light: readonly string[]; dark: readonly string[] } = scales.categories;

/** Where a signed value lies in a table of 256 colours, if those with magnitude `most` lie at its ends. */
export function signedIndex(value: number, most: number): number {
  if (!(most > 0)) return 128;
  return Math.round(127.5 + 127.5 * Math.min(1, Math.max(-1, value / most)));
}

export const LIGHT: Palette = {
  dark: false, ...scale(scales.light), diverging: DIVERGING.light, categories: CATEGORIES.light, alarm: "#c62828",
};
export const DARK: Palette = {
  dark: true, ...scale(scales.dark), diverging: DIVERGING.dark, categories: CATEGORIES.dark, alarm: "#ff7a6b",
};
