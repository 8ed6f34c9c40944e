import { hatch } from "../canvas";
import { SPECIAL } from "../history";
import type { LogRange } from "../scale";
import type { Theme } from "../theme";
import { columns, type Geometry } from "./geometry";
import type { Grid } from "./grid";
import { drawMark } from "./marks";

/** The cells of a map. What was painted for the same data, place and colours is painted again as an image. */
export class Cells {
  private readonly image = document.createElement("canvas");
  private grid: Grid | null = null;
  private shown: Int32Array | null = null;
  private key = "";
  private columns: Int32Array = new Int32Array(0);

  draw(
    context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry, grid: Grid, parameters: number, shown: Int32Array,
    range: LogRange | null,
  ): void {
    const { left, row, bottom, firstStep, lastStep, firstRow, right } = geometry;
    const key = [
      left, right, firstStep, lastStep, firstRow, grid.length, grid.lastStep, grid.steps[0], range?.low, range?.high,
      theme.palette.dark,
    ].join(" ");
    if (key !== this.key || grid !== this.grid || shown !== this.shown) {
      this.key = key;
      this.grid = grid;
      this.shown = shown;
      this.columns = columns(grid, geometry);
      if (range) this.colour(theme, grid, parameters, shown, range);
    }
    const width = this.columns.length;
    context.save();
    context.beginPath();
    context.roundRect(left, 0, width, bottom, 3);
    context.clip();
    context.fillStyle = theme.line;
    context.globalAlpha = 0.28;
    context.fillRect(left, 0, width, bottom);
    context.globalAlpha = 1;
    if (range && shown.length > 0) {
      context.imageSmoothingEnabled = false;
      context.drawImage(this.image, left, 0, width, bottom);
    }
    this.drawMarks(context, theme, geometry, grid, parameters, shown);
    if (row >= 6 && grid.length > 0) {
      context.fillStyle = theme.surface;
      for (let i = 1; i < shown.length; i++) context.fillRect(left, i * row - 0.5, width, 1);
      const cell = width / Math.max(1, lastStep - firstStep);
      for (let x = 1; x < width && cell >= 8; x++) {
        if (this.columns[x] !== this.columns[x - 1]) context.fillRect(left + x - 0.5, 0, 1, bottom);
      }
    }
    context.restore();
  }

  private colour(theme: Theme, grid: Grid, parameters: number, shown: Int32Array, range: LogRange): void {
    const width = this.columns.length;
    const rows = shown.length;
    if (rows === 0) return;
    const image = new ImageData(width, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const { table } = theme.palette;
    const { flags, logs } = grid;
    const factor = 255 / (range.high - range.low);
    for (let x = 0; x < width; x++) {
      const sample = this.columns[x] ?? -1;
      if (sample < 0) continue;
      for (let i = 0; i < rows; i++) {
        const at = sample * parameters + (shown[i] ?? 0);
        if ((flags[at] ?? 0) & SPECIAL) continue;
        const level = ((logs[at] ?? 0) - range.low) * factor;
        pixels[i * width + x] = table[level <= 0 ? 0 : level >= 255 ? 255 : Math.round(level)] ?? 0;
      }
    }
    this.image.width = width;
    this.image.height = rows;
    this.image.getContext("2d")?.putImageData(image, 0, 0);
  }

  /** Cells without an ordinary number, neighbours joined. */
  private drawMarks(
    context: CanvasRenderingContext2D, theme: Theme, { left, row }: Geometry, grid: Grid, parameters: number,
    shown: Int32Array,
  ): void {
    const { columns: samples } = this;
    if (!samples.some((sample) => (grid.marks[sample] ?? 0) & SPECIAL)) return;
    const pattern = hatch(context, theme.palette.alarm, theme.surface);
    const flagAt = (x: number, parameter: number) => {
      const sample = samples[x] ?? -1;
      return sample < 0 ? 0 : (grid.flags[sample * parameters + parameter] ?? 0) & SPECIAL;
    };
    shown.forEach((parameter, i) => {
      for (let x = 0; x < samples.length; ) {
        const flag = flagAt(x, parameter);
        let end = x + 1;
        while (end < samples.length && flagAt(end, parameter) === flag) end++;
        if (flag) drawMark(context, theme, flag, pattern, left + x, i * row, end - x, row);
        x = end;
      }
    });
  }
}
