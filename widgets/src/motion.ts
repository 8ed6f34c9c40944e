/**
 * How things move, for all widgets. Colour and opacity answer at once (`FAST`), things that appear or change place take
 * `NORMAL`, a pulse that is to be followed with the eye takes `SLOW`. What arrives slows down (`EASE_OUT`); what runs
 * through keeps its speed. Nobody waits for a movement, and with reduced motion there is none.
 */
import { prefersReducedMotion } from "./theme";

/** Milliseconds. */
export const FAST = 120;
export const NORMAL = 220;
export const SLOW = 900;

/** CSS easing of what arrives. */
export const EASE_OUT = "cubic-bezier(0.2, 0, 0, 1)";

/** The same for a canvas, near enough: `t` and the result in [0, 1]. */
export function easeOut(t: number): number {
  return 1 - (1 - Math.min(1, Math.max(0, t))) ** 3;
}

/** A duration in milliseconds for this reader: nothing for those who asked for less motion. */
export function duration(milliseconds: number): number {
  return prefersReducedMotion() ? 0 : milliseconds;
}
