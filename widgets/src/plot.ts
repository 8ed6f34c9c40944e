import { make } from "./dom";
import { draw } from "./stepper/graph";

/** Small plots in SVG, beside each other where there is room: a frame, its ends in numbers, and the names of its axes. */
export const WIDE = 330, HIGH = 250, LEFT = 34, BELOW = 22;

export const STYLE = `
.nbt-plots { display: flex; flex-wrap: wrap; gap: 10px 20px; }
.nbt-plots svg { width: 100%; max-width: ${WIDE}px; height: auto; touch-action: none; overflow: visible; font: 11px var(--nbt-mono); fill: var(--nbt-muted); }
.nbt-plots figure { flex: 1 1 280px; min-width: 0; max-width: ${WIDE}px; margin: 0; }
.nbt-plots .frame { fill: none; stroke: var(--nbt-line); }
`;

export type Range = readonly [number, number];

/** The ends of these numbers with some air around them. */
export function around(values: readonly number[], air = 0.12): Range {
  const low = Math.min(...values), high = Math.max(...values), room = (high - low || 1) * air;
  return [low - room, high + room];
}

export const short = (value: number): string => String(Number(value.toPrecision(3)));

export class Plot {
  readonly figure: HTMLElement;
  readonly svg: SVGElement;
  constructor(label: string, readonly across: Range, readonly up: Range, names: readonly [string, string], say = short) {
    this.svg = draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "group", "aria-label": label });
    const text = (x: number, y: number, content: string, anchor: string) => {
      const element = draw("text", { x, y, "text-anchor": anchor });
      element.textContent = content;
      this.svg.append(element);
    };
    this.svg.append(draw("rect", { class: "frame", x: LEFT, y: 2, width: WIDE - LEFT - 2, height: HIGH - BELOW - 2 }));
    text(LEFT, HIGH - 6, say(across[0]), "start"); text(WIDE - 2, HIGH - 6, say(across[1]), "end"); text((LEFT + WIDE) / 2, HIGH - 6, names[0], "middle");
    text(LEFT - 5, HIGH - BELOW, say(up[0]), "end"); text(LEFT - 5, 12, say(up[1]), "end"); text(LEFT - 5, (HIGH - BELOW) / 2, names[1], "end");
    this.figure = make("figure", "", {}, [make("div", "nbt-label", {}, [label])]);
    this.figure.append(this.svg);
  }
  x(value: number): number { return LEFT + ((value - this.across[0]) / (this.across[1] - this.across[0])) * (WIDE - LEFT - 2); }
  y(value: number): number { return 2 + (1 - (value - this.up[0]) / (this.up[1] - this.up[0])) * (HIGH - BELOW - 2); }
  at([a, b]: Range): string { return `${this.x(a).toFixed(1)},${this.y(b).toFixed(1)}`; }
}
