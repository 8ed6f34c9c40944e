import { make, setText } from "../dom";

const SEND_MS = 180; // after the last movement, so that a drag is one change
const PENDING_MS = 2500; // how long a value that was sent stands, if the run doesn't confirm it

/** What a slider shows. */
export interface Shown<T> {
  value: T;
  text: string;
  rest: string;
  hint: string;
  enabled: boolean;
  alarm?: boolean;
}

/** A scale of whole positions, each of which stands for a value. */
export interface Scale<T> {
  last: number;
  value(position: number): T;
  position(value: T): number;
}

/** A range input with its name and value above it. What is chosen is sent when the movement has come to rest. */
export class Slider<T> {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly value = make("span", "nbt-steer-value");
  private readonly rest = make("span", "nbt-steer-rest");
  private timer = 0;
  private pending: { value: T; until: number } | null = null;

  constructor(
    label: string, private scale: Scale<T>, private readonly text: (value: T) => string,
    private readonly send: (value: T) => void, private readonly repaint: () => void,
  ) {
    this.input = make("input", "nbt-range", { type: "range", min: "0", step: "1", "aria-label": label });
    this.element = make("label", "nbt-steer", {}, [
      make("span", "nbt-steer-head", {}, [make("span", "nbt-label", {}, [label]), this.rest, this.value]), this.input,
    ]);
    this.input.addEventListener("input", () => this.moved());
  }

  show({ value, text, rest, hint, enabled, alarm }: Shown<T>, scale: Scale<T>): void {
    this.scale = scale;
    this.input.max = String(scale.last);
    this.input.disabled = !enabled;
    this.element.title = hint;
    this.rest.classList.toggle("nbt-alarm", alarm === true);
    setText(this.rest, rest);
    if (this.pending && (performance.now() > this.pending.until || this.text(this.pending.value) === this.text(value))) {
      this.pending = null;
    }
    if (this.pending) return;
    this.set(scale.position(value), text, rest);
  }

  dispose(): void {
    window.clearTimeout(this.timer);
  }

  private set(position: number, text: string, rest = ""): void {
    if (this.input.value !== String(position)) this.input.value = String(position);
    this.input.style.setProperty("--nbt-at", String(position / Math.max(1, this.scale.last)));
    this.input.setAttribute("aria-valuetext", rest ? `${rest} ${text}` : text);
    setText(this.value, text);
  }

  private moved(): void {
    const position = Number(this.input.value);
    const value = this.scale.value(position);
    this.pending = { value, until: performance.now() + SEND_MS + PENDING_MS - 50 };
    this.set(position, this.text(value));
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.send(value);
      this.timer = window.setTimeout(this.repaint, PENDING_MS);
    }, SEND_MS);
  }
}

const round = (value: number) => Number(value.toPrecision(2));

/** Learning rates around `first`: three decades below to two above, twenty positions a decade. */
export function rateScale(first: number): Scale<number> {
  const low = Math.log10(first) - 3;
  return {
    last: 100,
    value: (position) => (position === 60 ? first : round(10 ** (low + position / 20))),
    position: (rate) => Math.min(100, Math.max(0, Math.round((Math.log10(rate) - low) * 20) || 0)),
  };
}

/** Norms to clip to: off, then from 100 down to 0.01, ten positions a decade. */
export const CLIP_SCALE: Scale<number | null> = {
  last: 41,
  value: (position) => (position === 0 ? null : round(10 ** (2 - (position - 1) / 10))),
  position: (norm) => (norm === null ? 0 : Math.min(41, Math.max(1, Math.round((2 - Math.log10(norm)) * 10) + 1))),
};
