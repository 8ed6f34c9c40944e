import type { Theme } from "../theme";

const ORDER = [0, 5, 2, 3, 1, 4, 6]; // neighbours in a list are far apart in colour

/** The family's colour of the `index`-th optimizer or class; its shape says the same again. */
export function categoryColour(theme: Theme, index: number): string {
  const { categories } = theme.palette;
  return categories[ORDER[index % ORDER.length]!] ?? theme.text;
}

/** The outline of the `index`-th shape around a point: circle, square, triangle, diamond, cross, and so on. */
export function shapePath(context: CanvasRenderingContext2D, index: number, x: number, y: number, r: number): void {
  context.beginPath();
  const polygon = (...points: [number, number][]) => {
    points.forEach(([dx, dy], k) => (k ? context.lineTo(x + dx * r, y + dy * r) : context.moveTo(x + dx * r, y + dy * r)));
    context.closePath();
  };
  switch (index % 6) {
    case 0: context.arc(x, y, r, 0, 2 * Math.PI); break;
    case 1: context.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76); break;
    case 2: polygon([0, -1.2], [1.12, 0.85], [-1.12, 0.85]); break;
    case 3: polygon([0, -1.3], [1.15, 0], [0, 1.3], [-1.15, 0]); break;
    case 4: {
      const a = 0.42;
      polygon([-a, -1.15], [a, -1.15], [a, -a], [1.15, -a], [1.15, a], [a, a], [a, 1.15], [-a, 1.15], [-a, a], [-1.15, a], [-1.15, -a], [-a, -a]);
      break;
    }
    default: polygon([0, 1.2], [1.12, -0.85], [-1.12, -0.85]);
  }
}

/** A shape with a rim in the ground's colour. */
export function drawShape(
  context: CanvasRenderingContext2D, index: number, x: number, y: number, r: number, fill: string, rim: string,
): void {
  shapePath(context, index, x, y, r);
  context.lineJoin = "round";
  context.lineWidth = 3;
  context.strokeStyle = rim;
  context.stroke();
  context.fillStyle = fill;
  context.fill();
}

export const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [12, 4]];

export const STYLE = `
.nbt-two { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(250px, 1fr); gap: 12px 24px; align-items: start; }
.nbt-narrow .nbt-two { grid-template-columns: minmax(0, 1fr); }
.nbt-single .nbt-two { grid-template-columns: minmax(0, 1fr); }
.nbt-plane { touch-action: none; cursor: crosshair; }
.nbt-plane.nbt-reading { cursor: default; }
.nbt-play { display: flex; align-items: center; gap: 10px; margin-top: 6px; }
.nbt-play .nbt-button { flex: none; width: 30px; height: 26px; border: 1px solid var(--nbt-line); border-radius: 6px; }
.nbt-play input { flex: 1; min-width: 60px; }
.nbt-play output { flex: none; min-width: 84px; text-align: right; color: var(--nbt-muted); font-size: 12px; white-space: nowrap; }
.nbt-root input[type=range] { height: 18px; margin: 0; padding: 0; accent-color: var(--nbt-accent); background: none; border: 0; }
.nbt-root input:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 1px; border-radius: 3px; }
.nbt-racers { display: grid; grid-template-columns: auto auto minmax(0, 1fr) auto; gap: 4px 8px; align-items: center; margin: 10px 0 8px; font-size: 12px; line-height: 18px; }
.nbt-racers label { display: contents; }
.nbt-racers input[type=checkbox] { width: 13px; height: 13px; margin: 0; accent-color: var(--nbt-accent); }
.nbt-racers .nbt-name { display: flex; align-items: center; gap: 6px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 130px; }
.nbt-racers .nbt-outcome { color: var(--nbt-muted); overflow-wrap: anywhere; text-align: right; }
.nbt-racers .nbt-outcome[data-left=true] { color: var(--nbt-text); }
.nbt-rate { width: 66px; height: 20px; margin: 0; padding: 0 5px; border: 1px solid var(--nbt-line); border-radius: 4px; background: none; color: inherit; font: inherit; font-size: 12px; text-align: right; }
.nbt-rate[aria-invalid=true] { border-color: var(--nbt-bad); }
.nbt-rate:read-only { border-color: transparent; }
.nbt-sliders { display: grid; grid-template-columns: auto minmax(0, 1fr) 52px; gap: 4px 10px; align-items: center; font-size: 12px; line-height: 18px; }
.nbt-sliders label { color: var(--nbt-muted); white-space: nowrap; }
.nbt-sliders output { text-align: right; }
.nbt-caption { margin-bottom: 2px; color: var(--nbt-muted); font-size: 11px; line-height: 16px; }
.nbt-foot .nbt-source { flex: 1 1 200px; text-align: right; overflow-wrap: anywhere; }
.nbt-work { display: flex; align-items: center; gap: 8px; }
.nbt-work button { height: 20px; margin: 0; padding: 0 8px; border: 1px solid var(--nbt-line); border-radius: 5px; background: none; color: var(--nbt-text); font: inherit; font-size: 11px; line-height: 16px; cursor: pointer; }
.nbt-foot .nbt-classes { margin-left: 0; }
.nbt-plot .nbt-tip { text-align: left; }
`;
