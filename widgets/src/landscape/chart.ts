import { Layer } from "../canvas";
import * as format from "../format";
import type { Theme } from "../theme";
import { realTicks, tickText } from "./plane";

export interface Line {
  values: ArrayLike<number>;
  colour: string;
  dash: readonly number[];
  /** Draws the mark at the step shown. */
  mark(context: CanvasRenderingContext2D, x: number, y: number): void;
}

const PAD = { left: 44, right: 8, top: 6, bottom: 20 };

/** Lines over steps, on a logarithmic axis where all numbers are positive and far apart. */
export class Chart {
  readonly layer = new Layer("nbt-chart");

  constructor() {
    this.layer.element.setAttribute("role", "img");
  }

  draw(theme: Theme, width: number, height: number, lines: readonly Line[], last: number, step: number): void {
    const context = this.layer.reset(width, height);
    let low = Infinity;
    let high = -Infinity;
    // A diverging path must not flatten the others: what is far above all starts doesn't count.
    const starts = lines.map((line) => line.values[0] ?? NaN).filter(Number.isFinite);
    const roof = starts.length ? Math.max(...starts.map(Math.abs)) * 4 : Infinity;
    for (const { values } of lines) {
      for (let k = 0; k < values.length; k++) {
        const value = values[k]!;
        if (!Number.isFinite(value) || Math.abs(value) > roof) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (!(low <= high)) return;
    const log = low > 0 && high / low > 50;
    if (log) low = Math.max(low, high * 1e-8);
    const [from, to] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
    const span = to - from || 1;
    const [bottom, top] = [from - span * 0.04, to + span * 0.06];
    const right = width - PAD.right;
    const floor = height - PAD.bottom;
    const px = (k: number) => PAD.left + (k / Math.max(1, last)) * (right - PAD.left);
    const py = (value: number) => {
      const at = log ? Math.log10(value) : value;
      return floor - ((at - bottom) / (top - bottom)) * (floor - PAD.top);
    };
    context.font = `11px ${theme.font}`;
    context.fillStyle = theme.muted;
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const marks = log ? realTicks(Math.ceil(bottom), Math.floor(top), 4).filter(Number.isInteger) : realTicks(bottom, top, 4);
    for (const mark of marks) {
      const y = Math.round(py(log ? 10 ** mark : mark)) + 0.5;
      context.beginPath();
      context.moveTo(PAD.left, y);
      context.lineTo(right, y);
      context.stroke();
      context.fillText(log ? format.power(mark) : tickText(mark), PAD.left - 6, y);
    }
    context.textBaseline = "alphabetic";
    for (const mark of realTicks(0, last, 5)) {
      const text = tickText(mark);
      const half = context.measureText(text).width / 2;
      context.textAlign = "left";
      context.fillText(text, Math.min(px(mark) - half, right - 2 * half), height - 4);
    }
    context.save();
    context.beginPath();
    context.rect(PAD.left, 0, right - PAD.left + 4, floor);
    context.clip();
    const shown = Math.min(step, last);
    if (step < last) {
      context.fillStyle = theme.muted;
      context.fillRect(Math.round(px(shown)), PAD.top, 1, floor - PAD.top);
    }
    for (const { values, colour, dash } of lines) {
      context.strokeStyle = colour;
      context.lineWidth = 1.6;
      context.lineJoin = "round";
      context.setLineDash([...dash]);
      context.beginPath();
      let drawn = -Infinity;
      for (let k = 0; k < values.length; k++) {
        const value = values[k]!;
        if (!Number.isFinite(value) || (log && value <= 0)) continue;
        const x = px(k);
        if (x - drawn < 0.5 && k + 1 < values.length) continue;
        context.lineTo(x, py(value));
        drawn = x;
      }
      context.stroke();
    }
    context.setLineDash([]);
    for (const { values, mark } of lines) {
      const k = Math.min(shown, values.length - 1);
      const value = values[k] ?? NaN;
      if (Number.isFinite(value) && (!log || value > 0)) mark(context, px(k), py(value));
    }
    context.restore();
  }
}
