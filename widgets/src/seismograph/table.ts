import { make, setText } from "../dom";
import * as format from "../format";
import { NAN, NO_GRAD } from "../protocol";
import type { Grid } from "./grid";
import { special } from "./marks";
import { WORDS } from "./words";

const SLOW_MS = 250; // between fillings while a run goes on: nobody reads faster

/** The map's numbers as a table: at the chosen step, the least and the greatest of each parameter. */
export class NormTable {
  readonly element = make("table", "nbt-table");
  private shown: Int32Array | null = null;
  private filled = -Infinity;
  private key = "";

  constructor(private readonly names: readonly string[], private readonly pick: (parameter: number) => void) {}

  /** Fill it with the rows `shown`; `hasty` if it will be filled again soon. False if it waits for that. */
  fill(grid: Grid, shown: Int32Array, sample: number, head: string, isChosen: (name: string) => boolean, hasty: boolean): boolean {
    const now = performance.now();
    const key = `${sample} ${head} ${shown.map((i) => Number(isChosen(this.names[i] ?? ""))).join("")}`;
    if (hasty && key === this.key && shown === this.shown && now - this.filled < SLOW_MS) return false;
    this.filled = now;
    this.key = key;
    if (shown !== this.shown) this.build(shown);
    const [, latest] = this.element.tHead?.rows[0]?.cells ?? [];
    if (latest) setText(latest, head);
    const width = this.names.length;
    shown.forEach((parameter, row) => {
      let least = Infinity;
      let greatest = -Infinity;
      for (let at = parameter; at < grid.length * width; at += width) {
        if ((grid.flags[at] ?? 0) & (NAN | NO_GRAD)) continue;
        least = Math.min(least, grid.norms[at] ?? NaN);
        greatest = Math.max(greatest, grid.norms[at] ?? NaN);
      }
      const element = this.element.tBodies[0]?.rows[row];
      const at = sample * width + parameter;
      const texts = [
        sample < 0 ? "–" : special(grid.flags[at] ?? 0) ?? format.measure(grid.norms[at] ?? NaN),
        least > greatest ? "–" : format.measure(least), least > greatest ? "–" : format.measure(greatest),
      ];
      texts.forEach((text, k) => {
        const cell = element?.cells[k + 1];
        if (cell) setText(cell, text);
      });
      const button = element?.querySelector("button");
      button?.setAttribute("aria-pressed", String(isChosen(this.names[parameter] ?? "")));
    });
    return true;
  }

  private build(shown: Int32Array): void {
    this.shown = shown;
    const head = make("thead", "", {}, [
      make("tr", "", {}, WORDS().columns.map((text) => make("th", "", { scope: "col" }, [text]))),
    ]);
    const rows = [...shown].map((parameter) => {
      const button = make("button", "nbt-name", { type: "button" }, [this.names[parameter] ?? ""]);
      button.addEventListener("click", () => this.pick(parameter));
      return make("tr", "", {}, [make("th", "", { scope: "row" }, [button]), make("td"), make("td"), make("td")]);
    });
    this.element.replaceChildren(head, make("tbody", "", {}, rows));
  }
}
