import { INF, NAN, NO_GRAD, FROZEN, ZERO } from "../protocol";
import type { Theme } from "../theme";
import { WORDS } from "./words";

/** A word for a cell that has no ordinary number. */
export function special(flag: number): string | null {
  if (flag & NAN) return "NaN";
  if (flag & INF) return "∞";
  if (flag & NO_GRAD) return flag & FROZEN ? WORDS().frozen : WORDS().noneShort;
  if (flag & ZERO) return "0";
  return null;
}

/** A run of cells without an ordinary number: NaN hatched, infinity with a triangle, zero hollow, no gradient a line. */
export function drawMark(
  context: CanvasRenderingContext2D, theme: Theme, flag: number, pattern: CanvasPattern | string,
  x: number, y: number, width: number, height: number,
): void {
  if (flag & NAN) {
    context.fillStyle = pattern;
    context.fillRect(x, y, width, height);
  } else if (flag & INF) {
    context.fillStyle = theme.palette.alarm;
    context.fillRect(x, y, width, height);
    if (height < 10) return;
    context.fillStyle = theme.surface;
    for (let at = x + 7; at < x + width - 4 || at === x + 7; at += 16) {
      const middle = width < 14 ? x + width / 2 : at;
      context.beginPath();
      context.moveTo(middle, y + height / 2 - 4);
      context.lineTo(middle + 4.5, y + height / 2 + 3.5);
      context.lineTo(middle - 4.5, y + height / 2 + 3.5);
      context.fill();
    }
  } else if (flag & ZERO) {
    context.fillStyle = theme.surface;
    context.fillRect(x, y, width, height);
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    const inset = height >= 8 ? 2 : 0.5;
    context.strokeRect(x + 0.5, y + inset + 0.5, Math.max(0, width - 1), Math.max(0, height - 2 * inset - 1));
  } else {
    context.fillStyle = theme.muted;
    context.fillRect(x, y + Math.floor(height / 2), width, 1);
  }
}
