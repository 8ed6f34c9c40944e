/** The two layers of GradFlow's canvas: what stands still until numbers change, and what moves above it. */
import { hatch } from "../canvas";
import { interpolate } from "../palette";
import { fit, measure } from "../format";
import { INF, NAN, NO_GRAD, ZERO } from "../protocol";
import type { LogRange } from "../scale";
import type { Theme } from "../theme";
import { logOf, type Value } from "./graph";
import type { Box, Line, Picture, Point } from "./place";

/** From the picture's coordinates to the canvas's. */
export interface Camera {
  x: number;
  y: number;
  zoom: number;
}

export interface Scene {
  picture: Picture;
  boxValues: Value[];
  lineValues: Value[];
  range: LogRange | null;
  /** Boxes at which trouble begins. */
  marked: ReadonlySet<number>;
  /** Lines of the highlighted path and their boxes; null: none is asked for. */
  path: { lines: ReadonlySet<number>; boxes: ReadonlySet<number> } | null;
  /** Boxes that are selected in some widget of the run. */
  selected: ReadonlySet<number>;
}

const LEVELS = 24;
const READABLE = 0.55; // zoom below which text would only be noise

function levelOf(value: Value, range: LogRange | null): number | null {
  const log = logOf(value);
  if (log === null || !range) return null;
  return Math.min(1, Math.max(0, (log - range.low) / (range.high - range.low)));
}

/** A value in as few characters as a box has room for. */
export function short(value: Value): string {
  if (value.flag & NAN) return "NaN";
  if (value.flag & INF) return "∞";
  if (value.flag & NO_GRAD) return "–";
  return measure(value.norm, 2);
}

export class Painter {
  private colours: string[] = [];
  private palette: unknown = null;

  /** The colour of a level in [0, 1]. */
  colour(theme: Theme, level: number): string {
    if (this.palette !== theme.palette) {
      this.palette = theme.palette;
      this.colours = Array.from({ length: LEVELS }, (_, i) => `rgb(${interpolate(theme.palette.stops, i / (LEVELS - 1)).join()})`);
    }
    return this.colours[Math.round(level * (LEVELS - 1))] ?? theme.muted;
  }

  static(context: CanvasRenderingContext2D, size: readonly [number, number], camera: Camera, scene: Scene, theme: Theme): void {
    context.save();
    context.translate(camera.x, camera.y);
    context.scale(camera.zoom, camera.zoom);
    const [x0, y0] = [-camera.x / camera.zoom, -camera.y / camera.zoom];
    const [x1, y1] = [x0 + size[0] / camera.zoom, y0 + size[1] / camera.zoom];
    const shown = (box: Box) => box.x < x1 && box.x + box.width > x0 && box.y < y1 && box.y + box.height > y0;
    const readable = camera.zoom >= READABLE;
    for (const frame of scene.picture.frames) if (shown(frame)) this.frame(context, frame, theme, readable);
    scene.picture.boxes.forEach((box, index) => {
      if (box.item.kind !== "group" || !shown(box)) return;
      context.globalAlpha = scene.path !== null && !scene.path.boxes.has(index) ? 0.35 : 1;
      this.stack(context, box, theme);
    });
    context.globalAlpha = 1;
    this.lines(context, scene, theme);
    scene.picture.boxes.forEach((box, index) => {
      if (shown(box)) this.box(context, box, index, scene, theme, readable);
    });
    context.restore();
  }

  private frame(context: CanvasRenderingContext2D, frame: Box, theme: Theme, readable: boolean): void {
    context.beginPath();
    context.roundRect(frame.x, frame.y, frame.width, frame.height, 8);
    context.globalAlpha = 0.07;
    context.fillStyle = theme.text;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = theme.line;
    context.lineWidth = 1;
    context.stroke();
    if (!readable) return;
    context.textBaseline = "middle";
    context.textAlign = "left";
    const y = frame.y + 13;
    context.fillStyle = theme.muted;
    context.beginPath();
    context.moveTo(frame.x + 9, y - 3);
    context.lineTo(frame.x + 17, y - 3);
    context.lineTo(frame.x + 13, y + 3);
    context.fill();
    context.font = `600 11px ${theme.mono}`;
    context.fillStyle = theme.text;
    const width = (text: string) => context.measureText(text).width;
    const name = fit(frame.item.title, frame.width - 32, width);
    context.fillText(name, frame.x + 21, y);
    const after = frame.x + 27 + width(name);
    context.font = `10px ${theme.font}`;
    context.fillStyle = theme.muted;
    const room = frame.x + frame.width - 8 - after;
    if (room > 24) context.fillText(fit(frame.item.detail, room, width), after, y);
  }

  /** What shows of the boxes under a closed group's. */
  private stack(context: CanvasRenderingContext2D, { x, y, width, height }: Box, theme: Theme): void {
    context.beginPath();
    context.roundRect(x + 3, y + 3, width, height, 6);
    context.fillStyle = theme.surface;
    context.fill();
    context.strokeStyle = theme.muted;
    context.lineWidth = 1;
    context.stroke();
  }

  private lines(context: CanvasRenderingContext2D, scene: Scene, theme: Theme): void {
    context.lineJoin = "round";
    context.lineCap = "butt";
    // Lines of one look are stroked together: that is what costs.
    const looks = new Map<string, { colour: string; width: number; dash: number[]; alpha: number; lines: Line[] }>();
    scene.picture.lines.forEach((line, index) => {
      const value = scene.lineValues[index];
      if (!value) return;
      const level = levelOf(value, scene.range);
      const broken = (value.flag & (NAN | INF)) !== 0;
      const faded = scene.path !== null && !scene.path.lines.has(index);
      const colour = broken ? theme.palette.alarm : level === null ? theme.muted : this.colour(theme, level);
      const width = broken ? 2.5 : level === null ? 1 : 1.5 + Math.round(level * 10) / 10 * 5;
      const key = `${colour}/${width}/${broken}/${faded}`;
      let look = looks.get(key);
      if (!look) {
        look = { colour, width, dash: broken ? [3, 3] : level === null ? [2, 3] : [], alpha: faded ? 0.18 : 1, lines: [] };
        looks.set(key, look);
      }
      look.lines.push(line);
    });
    // Where lines run together the strongest is seen.
    for (const look of [...looks.values()].sort((a, b) => a.alpha - b.alpha || a.width - b.width)) {
      context.globalAlpha = look.alpha;
      context.strokeStyle = look.colour;
      context.lineWidth = look.width;
      context.setLineDash(look.dash);
      context.beginPath();
      for (const { points } of look.lines) trace(context, points);
      context.stroke();
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  private box(
    context: CanvasRenderingContext2D, box: Box, index: number, scene: Scene, theme: Theme, readable: boolean,
  ): void {
    const { x, y, width, height, item } = box;
    const value = scene.boxValues[index] ?? { norm: 0, flag: NO_GRAD };
    const level = levelOf(value, scene.range);
    const round = item.kind === "join" || item.kind === "input" || item.kind === "loss";
    const faded = scene.path !== null && !scene.path.boxes.has(index);
    context.globalAlpha = faded ? 0.35 : 1;
    const outline = () => {
      context.beginPath();
      context.roundRect(x, y, width, height, round ? height / 2 : 6);
    };
    context.lineWidth = 1;
    outline();
    context.fillStyle = theme.surface;
    context.fill();
    const broken = (value.flag & (NAN | INF)) !== 0;
    const marked = scene.marked.has(index);
    context.strokeStyle = broken || marked ? theme.palette.alarm : item.kind === "join" && level !== null ? this.colour(theme, level) : theme.muted;
    context.lineWidth = marked ? 2.5 : item.kind === "join" ? 2 : 1;
    context.stroke();
    if (scene.selected.has(index)) {
      context.beginPath();
      context.roundRect(x - 3.5, y - 3.5, width + 7, height + 7, round ? height / 2 + 3 : 8);
      context.strokeStyle = theme.accent;
      context.lineWidth = 2;
      context.stroke();
    }
    if (!round) this.meter(context, box, value, level, theme);
    if (readable) {
      if (round) {
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillStyle = theme.text;
        context.font = item.kind === "join" && item.title.length < 2 ? `600 14px ${theme.font}` : `11px ${theme.mono}`;
        context.fillText(fit(item.title, width - 6, (text) => context.measureText(text).width), x + width / 2, y + height / 2 + 0.5);
      } else this.label(context, box, value, theme);
    }
    if (marked) this.origin(context, box, theme);
    context.globalAlpha = 1;
  }

  private label(context: CanvasRenderingContext2D, { x, y, width, item }: Box, value: Value, theme: Theme): void {
    const size = (text: string) => context.measureText(text).width;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.font = `600 11px ${theme.mono}`;
    context.fillStyle = theme.text;
    const more = item.kind === "group" ? 14 : 0;
    context.fillText(fit(item.title, width - 18 - more, size), x + 9, y + 15);
    if (more) {
      context.fillStyle = theme.muted;
      context.beginPath();
      context.moveTo(x + width - 14, y + 7);
      context.lineTo(x + width - 8, y + 11);
      context.lineTo(x + width - 14, y + 15);
      context.fill();
    }
    context.font = `10px ${theme.font}`;
    context.textAlign = "right";
    context.fillStyle = value.flag & (NAN | INF) ? theme.palette.alarm : theme.text;
    const text = short(value);
    context.fillText(text, x + width - 8, y + 28);
    const room = width - 24 - size(text);
    context.textAlign = "left";
    context.fillStyle = theme.muted;
    if (room > 14) context.fillText(fit(item.detail, room, size), x + 9, y + 28);
  }

  /** The magnitude as a bar: filled as far as the gradient reaches on the scale. */
  private meter(
    context: CanvasRenderingContext2D, { x, y, width, height }: Box, value: Value, level: number | null, theme: Theme,
  ): void {
    const [left, top, full, tall] = [x + 8, y + height - 9, width - 16, 4];
    if (value.flag & (NAN | INF)) {
      context.fillStyle = hatch(context, theme.palette.alarm, theme.surface);
      context.fillRect(left, top, full, tall);
    } else if (value.flag & ZERO) {
      context.strokeStyle = theme.muted;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, top + 0.5, full - 1, tall - 1);
    } else if (level === null) {
      context.fillStyle = theme.muted;
      context.fillRect(left, top + 2, full, 1);
    } else {
      const alpha = context.globalAlpha;
      context.globalAlpha = alpha * 0.14;
      context.fillStyle = theme.text;
      context.fillRect(left, top, full, tall);
      context.globalAlpha = alpha;
      context.fillStyle = this.colour(theme, level);
      context.fillRect(left, top, Math.max(3, full * level), tall);
    }
  }

  /** A warning sign at the corner of a box. */
  private origin(context: CanvasRenderingContext2D, { x, y, width }: Box, theme: Theme): void {
    const [cx, cy] = [x + width - 4, y - 1];
    context.fillStyle = theme.palette.alarm;
    context.beginPath();
    context.moveTo(cx, cy - 9);
    context.lineTo(cx + 9, cy + 7);
    context.lineTo(cx - 9, cy + 7);
    context.closePath();
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = theme.surface;
    context.stroke();
    context.fill();
    context.fillStyle = theme.surface;
    context.fillRect(cx - 1, cy - 3.5, 2, 5.5);
    context.fillRect(cx - 1, cy + 3.5, 2, 2);
  }

  /** The pulse: on each line a small comet that runs from its end to its start; as big as the gradient is strong. */
  pulse(
    context: CanvasRenderingContext2D, camera: Camera, scene: Scene, theme: Theme, depth: readonly number[], time: number,
  ): void {
    context.save();
    context.translate(camera.x, camera.y);
    context.scale(camera.zoom, camera.zoom);
    scene.picture.lines.forEach((line, index) => {
      const [late, early] = [depth[line.to] ?? 0, depth[line.from] ?? 0];
      if (early <= late || time < late || time > early + 0.35) return;
      const value = scene.lineValues[index];
      if (!value || value.flag & NO_GRAD) return;
      const level = levelOf(value, scene.range);
      const broken = (value.flag & (NAN | INF)) !== 0;
      const size = broken ? 9 : level === null ? 2 : 3 + 7 * level;
      context.fillStyle = broken ? theme.palette.alarm : theme.text;
      for (let tail = 0; tail < 4; tail++) {
        const at = 1 - (time - tail * 0.09 - late) / (early - late);
        if (at < 0 || at > 1) continue;
        const [x, y] = pointAt(line.points, at);
        const side = size * (1 - 0.2 * tail);
        context.globalAlpha = [0.95, 0.5, 0.28, 0.14][tail] ?? 0;
        context.fillRect(x - side / 2, y - side / 2, side, side);
      }
    });
    // The box that the wave has just reached answers.
    scene.picture.boxes.forEach((box, index) => {
      const since = time - (depth[index] ?? 0);
      if (since < 0 || since > 0.8 || (scene.boxValues[index]?.flag ?? NO_GRAD) & NO_GRAD) return;
      context.globalAlpha = 0.8 * (1 - since / 0.8);
      context.strokeStyle = theme.text;
      context.lineWidth = 1.5;
      context.strokeRect(box.x - 1.5, box.y - 1.5, box.width + 3, box.height + 3);
    });
    context.restore();
  }
}

function trace(context: CanvasRenderingContext2D, points: readonly Point[]): void {
  points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
}

const lengths = new WeakMap<readonly Point[], number[]>();

/** The point at the fraction `t` of a line's length. */
export function pointAt(points: readonly Point[], t: number): Point {
  let sums = lengths.get(points);
  if (!sums) {
    let sum = 0;
    sums = points.map(([x, y], k) => {
      const before = points[k - 1];
      return before ? (sum += Math.hypot(x - before[0], y - before[1])) : 0;
    });
    lengths.set(points, sums);
  }
  const goal = t * (sums[sums.length - 1] ?? 0);
  let k = 1;
  while (k < points.length - 1 && (sums[k] ?? 0) < goal) k++;
  const [a, b] = [points[k - 1], points[k]];
  if (!a || !b) return points[0] ?? [0, 0];
  const [from, to] = [sums[k - 1] ?? 0, sums[k] ?? 0];
  const part = to > from ? (goal - from) / (to - from) : 0;
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part];
}
