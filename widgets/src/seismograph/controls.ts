import { make, setText } from "../dom";
import type { Window } from "./geometry";
import type { Quantity } from "./grid";
import { WORDS } from "./words";

const QUANTITIES: readonly Quantity[] = ["gradient", "weight", "update"];

/** One of several, as a row of buttons. */
class Choice<T extends string> {
  readonly element: HTMLElement;
  private readonly buttons: [T, HTMLButtonElement][];

  constructor(label: string, texts: readonly (readonly [T, string])[], choose: (value: T) => void) {
    this.buttons = texts.map(([value, text]) => {
      const button = make("button", "", { type: "button" }, [text]);
      button.addEventListener("click", () => choose(value));
      return [value, button];
    });
    this.element = make("div", "nbt-choice", { role: "group", "aria-label": label }, this.buttons.map(([, button]) => button));
  }

  show(value: T): void {
    for (const [each, button] of this.buttons) button.setAttribute("aria-pressed", String(each === value));
  }
}

/** What a reader may do beside pointing at the map. */
export interface Actions {
  quantity(value: Quantity): void;
  window(value: Window): void;
  scale(value: Window): void;
  filter(text: string): void;
  table(): void;
  newest(): void;
}

/** The head of a map with its options, and the choice of what the colours fit, which stands beside their scale. */
export class Controls {
  readonly head: HTMLElement;
  readonly scale: HTMLElement;
  private readonly title = make("div", "nbt-title", { role: "heading", "aria-level": "4" });
  private readonly subtitle = make("div", "nbt-subtitle");
  private readonly newest: HTMLElement;
  private readonly quantities: Choice<Quantity>;
  private readonly windows: Choice<Window>;
  private readonly scales: HTMLSelectElement;
  private readonly table: HTMLButtonElement;

  constructor(actions: Actions) {
    const text = WORDS();
    const button = (label: string, action: () => void, title = "") => {
      const element = make("button", "", { type: "button", ...(title && { title }) }, [label]);
      element.addEventListener("click", action);
      return element;
    };
    this.quantities = new Choice(text.measured, QUANTITIES.map((q) => [q, text.quantity[q]] as const), actions.quantity);
    this.windows = new Choice<Window>(text.steps, [["all", text.all], ["recent", text.recent]], actions.window);
    this.table = button(text.table, actions.table);
    this.newest = make("div", "nbt-choice", { hidden: "" }, [button(text.newest, actions.newest, text.newestHint)]);
    const filter = make("input", "nbt-input", {
      type: "search", placeholder: text.filter, "aria-label": `${text.filter}. ${text.filterHint}`, title: text.filterHint,
      spellcheck: "false", autocomplete: "off",
    });
    filter.addEventListener("input", () => actions.filter(filter.value));
    this.head = make("div", "nbt-head", {}, [
      this.title, this.subtitle, this.newest,
      make("div", "nbt-options", {}, [
        filter, this.quantities.element, this.windows.element, make("div", "nbt-choice", {}, [this.table]),
      ]),
    ]);
    const options = ([["all", text.wholeScale], ["recent", text.recentScale]] as const).map(([value, label]) =>
      make("option", "", { value }, [label]));
    this.scales = make("select", "nbt-select", { "aria-label": text.colours, title: text.coloursHint }, options);
    this.scales.addEventListener("change", () => actions.scale(this.scales.value === "recent" ? "recent" : "all"));
    this.scale = make("label", "nbt-fit", {}, [make("span", "", {}, [text.colours]), this.scales]);
  }

  show(quantity: Quantity, window: Window, scale: Window, table: boolean, title: string, subtitle: string, old: boolean): void {
    setText(this.title, title);
    setText(this.subtitle, subtitle);
    this.newest.hidden = !old;
    this.quantities.show(quantity);
    this.windows.show(window);
    if (this.scales.value !== scale) this.scales.value = scale;
    this.table.setAttribute("aria-pressed", String(table));
  }
}
