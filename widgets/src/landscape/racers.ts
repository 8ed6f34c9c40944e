import { Layer } from "../canvas";
import { make, setText } from "../dom";
import * as format from "../format";
import type { Theme } from "../theme";
import { categoryColour, DASHES, drawShape } from "./look";
import type { LandscapeStore } from "./state";
import { WORDS } from "./words";

interface Row {
  key: string;
  label: string;
  box: HTMLInputElement;
  swatch: Layer;
  rate: HTMLInputElement;
  outcome: HTMLElement;
}

const FACTOR = 2; // the slider of all learning rates goes from 10^-FACTOR to 10^FACTOR

/** The optimizers: legend, learning rates, and what became of each; below them the settings that all share. */
export class Racers {
  readonly element: HTMLElement;
  private readonly rows: Row[];
  private readonly factor: HTMLInputElement;
  private readonly factorText = make("output");
  private readonly momentum: HTMLInputElement;
  private readonly momentumText = make("output");
  private readonly steps: HTMLInputElement;
  private readonly stepsText = make("output");
  private painted = "";
  private sentence: string[] = [];

  constructor(private readonly store: LandscapeStore) {
    const text = WORDS();
    const { meta } = store;
    this.rows = meta.racers.map(({ key, label: given, adjustable }) => {
      const label = key === "path" && meta.mode === "slice" ? text.path : given;
      const box = make("input", "", { type: "checkbox", "aria-label": text.show(label) });
      box.checked = true;
      box.addEventListener("change", () => store.schedule());
      const rate = make("input", "nbt-rate", { type: "text", inputmode: "decimal", "aria-label": text.rateOf(label) });
      rate.readOnly = !adjustable;
      rate.addEventListener("change", () => this.typed(key, rate));
      return { key, label, box, swatch: new Layer(""), rate, outcome: make("span", "nbt-outcome") };
    });
    const slider = (min: number, max: number, step: number, name: string, changed: (value: number) => void) => {
      const input = make("input", "", { type: "range", min: String(min), max: String(max), step: String(step), "aria-label": name });
      input.addEventListener("input", () => changed(Number(input.value)));
      return input;
    };
    this.factor = slider(-FACTOR, FACTOR, 0.05, text.rate, (value) => this.scale(10 ** value));
    this.factor.value = "0";
    this.momentum = slider(0, 0.99, 0.01, text.momentum, (momentum) => store.wish({ momentum }));
    const most = Math.max(300, 2 * (meta.settings?.steps ?? 0));
    this.steps = slider(1, Math.min(5000, most), 1, text.steps, (steps) => store.wish({ steps }));
    const list = make("div", "nbt-racers", { role: "group", "aria-label": text.optimizer }, this.rows.flatMap((row) => [
      row.box, make("span", "nbt-name", {}, [row.swatch.element, row.label]), row.outcome, row.rate,
    ]));
    const sliders = make("div", "nbt-sliders", {}, [
      make("label", "", {}, [text.rate]), this.factor, this.factorText,
      make("label", "", {}, [text.momentum]), this.momentum, this.momentumText,
      make("label", "", {}, [text.steps]), this.steps, this.stepsText,
    ]);
    sliders.hidden = !store.settings;
    for (const row of this.rows) row.rate.hidden = !store.settings;
    this.element = make("div", "", {}, [list, sliders]);
  }

  /** Whether the path of this optimizer is shown. */
  visible(key: string): boolean {
    return this.rows.find((row) => row.key === key)?.box.checked ?? true;
  }

  /** What became of each, for those who listen. */
  sentences(): string[] {
    return this.sentence;
  }

  update(theme: Theme): void {
    const { store } = this;
    const text = WORDS();
    const look = `${theme.surface} ${theme.palette.dark} ${window.devicePixelRatio}`;
    this.sentence = [];
    this.rows.forEach((row, index) => {
      const track = store.tracks.find(({ key }) => key === row.key);
      if (look !== this.painted) this.paintSwatch(theme, row.swatch, index);
      const rate = store.settings?.rates[row.key];
      if (rate !== undefined && document.activeElement !== row.rate) {
        row.rate.value = String(Number(rate.toPrecision(3)));
        row.rate.removeAttribute("aria-invalid");
      }
      let outcome = "";
      if (track) {
        const last = track.losses[track.losses.length - 1] ?? NaN;
        const ends = Number.isFinite(last) ? text.ends(format.measure(last)) : text.notFinite;
        outcome = track.error ? text.failed(track.error) : track.left !== null ? text.leaves(String(track.left)) : ends;
        this.sentence.push(`${row.label}: ${outcome}.`);
      }
      setText(row.outcome, outcome);
      row.outcome.dataset["left"] = String(track !== undefined && track.left !== null);
    });
    this.painted = look;
    const { settings } = store;
    if (!settings) return;
    const factor = this.currentFactor();
    if (factor !== null && document.activeElement !== this.factor) this.factor.value = String(Math.log10(factor));
    setText(this.factorText, factor === null ? "–" : `× ${Number(factor.toPrecision(2))}`);
    this.momentum.value = String(settings.momentum);
    setText(this.momentumText, settings.momentum.toFixed(2));
    this.steps.value = String(settings.steps);
    setText(this.stepsText, format.count(settings.steps));
  }

  private paintSwatch(theme: Theme, layer: Layer, index: number): void {
    const context = layer.reset(26, 14);
    const colour = categoryColour(theme, index);
    context.strokeStyle = colour;
    context.lineWidth = 1.8;
    context.setLineDash([...DASHES[index % DASHES.length]!]);
    context.beginPath();
    context.moveTo(0, 7);
    context.lineTo(26, 7);
    context.stroke();
    context.setLineDash([]);
    drawShape(context, index, 13, 7, 4.2, colour, theme.surface);
  }

  /** By what all learning rates differ from the ones given; null if they don't differ alike. */
  private currentFactor(): number | null {
    const { meta, settings } = this.store;
    const factors = meta.racers.map(({ key, rate }) => (settings?.rates[key] ?? NaN) / (rate ?? NaN));
    const first = factors[0] ?? NaN;
    return factors.every((factor) => Math.abs(factor / first - 1) < 1e-6) ? first : null;
  }

  private scale(factor: number): void {
    const rates: Record<string, number> = {};
    for (const { key, rate, adjustable } of this.store.meta.racers) {
      if (rate !== null) rates[key] = adjustable ? rate * factor : rate;
    }
    this.store.wish({ rates });
  }

  private typed(key: string, input: HTMLInputElement): void {
    const rate = Number(input.value.replace(",", "."));
    const valid = Number.isFinite(rate) && rate > 0;
    input.setAttribute("aria-invalid", String(!valid));
    if (valid && this.store.settings) this.store.wish({ rates: { ...this.store.settings.rates, [key]: rate } });
  }
}
