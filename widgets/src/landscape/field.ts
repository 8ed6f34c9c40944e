import { hatch } from "../canvas";
import { parseHex, interpolate, type Rgb } from "../palette";
import type { Theme } from "../theme";
import type { Plane } from "./plane";

/** Numbers at the nodes of a grid: row by row, y and x ascending; the outer nodes lie on the edges of the plane. */
export interface Field {
  size: number;
  values: Float32Array;
}

const DEPTH = 1000; // how much finer the logarithmic scale is at the bottom than a linear one

/** How values become shades: 0 for the lowest, 1 for the highest. */
export class Shade {
  readonly low: number;
  readonly high: number;

  constructor(values: Float32Array, readonly log: boolean) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.low = low <= high ? low : 0;
    this.high = low <= high ? high : 0;
  }

  /** In [0, 1]; NaN for what isn't finite. The logarithmic scale counts from the lowest value, so any sign is fine. */
  at(value: number): number {
    if (!Number.isFinite(value)) return NaN;
    const span = this.high - this.low;
    if (!(span > 0)) return 0;
    const t = Math.min(1, Math.max(0, (value - this.low) / span));
    return this.log ? Math.log1p(DEPTH * t) / Math.log1p(DEPTH) : t;
  }

  /** The value with this shade. */
  value(t: number): number {
    const u = this.log ? Math.expm1(t * Math.log1p(DEPTH)) / DEPTH : t;
    return this.low + u * (this.high - this.low);
  }
}

/**
 * The line where the grid has the value `level` (marching squares), as segments x0, y0, x1, y1 in units of the grid.
 * Cells with a number that isn't finite have none.
 */
export function contour({ size, values }: Field, level: number): number[] {
  const segments: number[] = [];
  const part = (a: number, b: number) => (level - a) / (b - a);
  for (let i = 0; i + 1 < size; i++) {
    for (let j = 0; j + 1 < size; j++) {
      const at = i * size + j;
      const a = values[at] ?? NaN;
      const b = values[at + 1] ?? NaN;
      const c = values[at + size + 1] ?? NaN;
      const d = values[at + size] ?? NaN;
      const kind = (a > level ? 1 : 0) | (b > level ? 2 : 0) | (c > level ? 4 : 0) | (d > level ? 8 : 0);
      if (kind === 0 || kind === 15 || !Number.isFinite(a + b + c + d)) continue;
      // Crossings of the four sides: below, right, above, left.
      const below: [number, number] = [j + part(a, b), i];
      const right: [number, number] = [j + 1, i + part(b, c)];
      const above: [number, number] = [j + part(d, c), i + 1];
      const left: [number, number] = [j, i + part(a, d)];
      const line = (p: [number, number], q: [number, number]) => segments.push(p[0], p[1], q[0], q[1]);
      const high = a + b + c + d > 4 * level; // whether the middle of a saddle is above
      switch (kind) {
        case 1: case 14: line(left, below); break;
        case 2: case 13: line(below, right); break;
        case 3: case 12: line(left, right); break;
        case 4: case 11: line(right, above); break;
        case 6: case 9: line(below, above); break;
        case 7: case 8: line(left, above); break;
        case 5: if (high) { line(left, above); line(below, right); } else { line(left, below); line(right, above); } break;
        case 10: if (high) { line(left, below); line(right, above); } else { line(left, above); line(below, right); } break;
      }
    }
  }
  return segments;
}

/** Colours of a field: the family's magnitudes, thinned with the page's ground so that paths stand out. */
export function wash(theme: Theme): (t: number) => Rgb {
  const ground = groundOf(theme);
  const share = theme.palette.dark ? 0.5 : 0.45;
  const mix = (colour: Rgb): Rgb => [0, 1, 2].map((k) => Math.round(ground[k]! + (colour[k]! - ground[k]!) * share)) as unknown as Rgb;
  return (t) => mix(interpolate(theme.palette.stops, 0.06 + 0.78 * t));
}

export function groundOf(theme: Theme): Rgb {
  if (theme.surface.startsWith("#")) return parseHex(theme.surface);
  const parts = theme.surface.match(/[\d.]+/g)?.map(Number) ?? [];
  return parts.length >= 3 ? [parts[0]!, parts[1]!, parts[2]!] : theme.palette.dark ? [28, 31, 35] : [255, 255, 255];
}

/** Paint an image of grid nodes, each in the middle of its pixel, smoothly over the plane. */
export function paintNodes(context: CanvasRenderingContext2D, plane: Plane, size: number, colour: (at: number) => Rgb | null): void {
  const image = document.createElement("canvas");
  image.width = image.height = size;
  const brush = image.getContext("2d");
  if (!brush) return;
  const data = brush.createImageData(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const rgb = colour(i * size + j);
      if (!rgb) continue;
      data.data.set([...rgb, 255], ((size - 1 - i) * size + j) * 4);
    }
  }
  brush.putImageData(data, 0, 0);
  const half = { x: plane.width / (size - 1) / 2, y: plane.height / (size - 1) / 2 };
  context.save();
  context.beginPath();
  context.roundRect(plane.left, plane.top, plane.width, plane.height, 3);
  context.clip();
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(image, plane.left - half.x, plane.top - half.y, plane.width + 2 * half.x, plane.height + 2 * half.y);
  context.restore();
}

/** Stroke segments of `contour`. */
export function strokeSegments(context: CanvasRenderingContext2D, plane: Plane, size: number, segments: readonly number[]): void {
  const x = plane.width / (size - 1);
  const y = plane.height / (size - 1);
  const bottom = plane.top + plane.height;
  context.beginPath();
  for (let k = 0; k + 3 < segments.length; k += 4) {
    context.moveTo(plane.left + segments[k]! * x, bottom - segments[k + 1]! * y);
    context.lineTo(plane.left + segments[k + 2]! * x, bottom - segments[k + 3]! * y);
  }
  context.stroke();
}

const LEVELS = 14;

/** The field with its contours; what isn't finite is hatched. */
export function paintField(context: CanvasRenderingContext2D, plane: Plane, field: Field, shade: Shade, theme: Theme): void {
  const { size, values } = field;
  context.fillStyle = hatch(context, theme.palette.alarm, theme.surface);
  context.beginPath();
  context.roundRect(plane.left, plane.top, plane.width, plane.height, 3);
  context.fill();
  const colour = wash(theme);
  paintNodes(context, plane, size, (at) => {
    const t = shade.at(values[at] ?? NaN);
    return Number.isNaN(t) ? null : colour(t);
  });
  context.save();
  context.lineWidth = 1;
  context.strokeStyle = theme.text;
  for (let k = 1; k < LEVELS; k++) {
    context.globalAlpha = k % 4 === 0 ? 0.34 : 0.17;
    strokeSegments(context, plane, size, contour(field, shade.value(k / LEVELS)));
  }
  context.restore();
}
