/** A rectangle of the plane, and where it lies in a canvas. */

export interface Box {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** Maps a box of numbers (y upwards) to a box of pixels. */
export class Plane {
  constructor(readonly box: Box, readonly left: number, readonly top: number, readonly width: number, readonly height: number) {}

  px(x: number): number {
    return this.left + ((x - this.box.x0) / (this.box.x1 - this.box.x0)) * this.width;
  }

  py(y: number): number {
    return this.top + ((this.box.y1 - y) / (this.box.y1 - this.box.y0)) * this.height;
  }

  x(px: number): number {
    return this.box.x0 + ((px - this.left) / this.width) * (this.box.x1 - this.box.x0);
  }

  y(py: number): number {
    return this.box.y1 - ((py - this.top) / this.height) * (this.box.y1 - this.box.y0);
  }

  inside(px: number, py: number): boolean {
    return px >= this.left && px <= this.left + this.width && py >= this.top && py <= this.top + this.height;
  }
}

/** Round numbers in [low, high], at most about `most` of them. */
export function realTicks(low: number, high: number, most: number): number[] {
  const rough = (high - low) / Math.max(1, most);
  if (!(rough > 0) || !Number.isFinite(rough)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = ([1, 2, 5, 10].find((m) => m * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const marks: number[] = [];
  for (let k = Math.ceil(low / every - 1e-9); k * every <= high + every * 1e-9; k++) {
    marks.push(Number((k * every).toPrecision(12)));
  }
  return marks;
}

/** A tick's number, short. */
export function tickText(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(0).replace("e+", "e") : String(Number(value.toPrecision(6)));
  return text.replaceAll("-", "−");
}

/** A coordinate as it is said: at most four significant digits. */
export function coordinate(value: number): string {
  return String(Number(value.toPrecision(4))).replaceAll("-", "−");
}
