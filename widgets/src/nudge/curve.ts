/** What stands on a sampled curve, and the lines through it. */

export type Numbers = readonly (number | null)[];
export interface Curve { readonly x: readonly number[]; readonly y: Numbers; readonly ruled: boolean }
export type Method = "one" | "both" | "both32";
export interface Measured {
  readonly x: number; readonly h: number; readonly method: Method; readonly slope: number | null; readonly expected: number | null;
  readonly steps: readonly number[]; readonly errors: Readonly<Record<Method, Numbers>>;
}

/** The curve at x, straight between its samples; NaN beyond its ends and where it has no value. */
export function at({ x: xs, y: ys }: Curve, x: number): number {
  const first = xs[0] ?? NaN, last = xs[xs.length - 1] ?? NaN;
  if (!(x >= first && x <= last)) return NaN;
  const place = ((x - first) / (last - first || 1)) * (xs.length - 1);
  const i = Math.min(xs.length - 2, Math.floor(place));
  const a = ys[i] ?? NaN, b = ys[i + 1] ?? NaN;
  return a + (b - a) * (place - i);
}

/** The runs of samples that have values, as pairs. */
export function pieces({ x, y }: Curve): (readonly [number, number])[][] {
  const found: (readonly [number, number])[][] = [[]];
  x.forEach((value, i) => {
    const height = y[i];
    if (typeof height === "number") found[found.length - 1]?.push([value, height]);
    else if (found[found.length - 1]?.length) found.push([]);
  });
  return found.filter((piece) => piece.length > 1);
}

/** The h of a slider's position: half a power of ten each. */
export const stepAt = (position: number): number => 10 ** (position / 2);
export const positionOf = (h: number): number => Math.round(2 * Math.log10(h));
