import { hatch } from "../canvas";
import { SPECIAL } from "../history";
import type { LogRange } from "../scale";
import type { Theme } from "../theme";
import { columns, type Geometry } from "./geometry";
import type { Grid } from "./grid";
import { drawMark } from "./marks";

/** The cells of a map, kept as an image: only columns that show something else than before are coloured again. */
export class Cells {
  private readonly canvas = document.createElement("canvas");
  private image: ImageData | null = null;
  private grid: Grid | null = null;
  private shown: Int32Array | null = null;
  private look = "";
  private data = "";
  private columns: Int32Array = new Int32Array(0);
  /** For each column the step it is coloured for; 0: none. */
  private coloured = new Uint32Array(0);

  draw(
    context: CanvasRenderingContext2D, theme: Theme, geometry: Geometry, grid: Grid, parameters: number, shown: Int32Array,
    range: LogRange | null,
  ): void {
    const { left, row, bottom, firstStep, lastStep, right } = geometry;
    const look = [grid.revision, right - left, range?.low, range?.high, theme.palette.dark].join(" ");
    const data = [left, firstStep, lastStep, geometry.firstRow, grid.length, grid.lastStep, grid.steps[0]].join(" ");
    const other = look !== this.look || grid !== this.grid || shown !== this.shown;
    if (other || data !== this.data) {
      this.look = look;
      this.data = data;
      this.grid = grid;
      this.shown = shown;
      this.columns = columns(grid, geometry);
      if (range && shown.length > 0) this.colour(theme, grid, parameters, shown, range, other);
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
      context.drawImage(this.canvas, left, 0, width, bottom);
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

  /** Colour the columns whose sample is another one than before, or all if the rest of the picture changed. */
  private colour(
    theme: Theme, grid: Grid, parameters: number, shown: Int32Array, range: LogRange, afresh: boolean,
  ): void {
    const width = this.columns.length;
    const rows = shown.length;
    if (afresh || !this.image || this.image.width !== width || this.image.height !== rows) {
      this.image = new ImageData(width, rows);
      this.coloured = new Uint32Array(width);
      this.canvas.width = width;
      this.canvas.height = rows;
    }
    const pixels = new Uint32Array(this.image.data.buffer);
    const { table } = theme.palette;
    const { flags, logs, steps } = grid;
    const factor = 255 / (range.high - range.low);
    let first = width;
    let last = 0;
    for (let x = 0; x < width; ) {
      const sample = this.columns[x] ?? -1;
      const step = sample < 0 ? 0 : (steps[sample] ?? 0);
      let end = x;
      let same = true;
      while (end < width && this.columns[end] === sample) same = this.coloured[end++] === step && same;
      if (!same) {
        for (let i = 0; i < rows; i++) {
          const at = sample * parameters + (shown[i] ?? 0);
          let colour = 0;
          if (sample >= 0 && !((flags[at] ?? 0) & SPECIAL)) {
            const level = ((logs[at] ?? 0) - range.low) * factor;
            colour = table[level <= 0 ? 0 : level >= 255 ? 255 : Math.round(level)] ?? 0;
          }
          const line = i * width;
          if (end - x === 1) pixels[line + x] = colour;
          else pixels.fill(colour, line + x, line + end);
        }
        this.coloured.fill(step, x, end);
        first = Math.min(first, x);
        last = end;
      }
      x = end;
    }
    if (last > first) this.canvas.getContext("2d")?.putImageData(this.image, 0, 0, first, 0, last - first, rows);
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
