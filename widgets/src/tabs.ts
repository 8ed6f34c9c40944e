import { make } from "./dom";
import type { Theme } from "./theme";
import type { Part } from "./view";

/** A part behind a tab, made when the tab is first chosen. */
export interface Tab {
  /** What the page remembers the choice by. */
  name: string;
  label: string;
  make: () => Part;
}

/** The tabs chosen in this page, by what they belong to; "" holds the one chosen last, whatever it belonged to. */
const PAGE = Symbol.for("nbtorch.tabs");

function remembered(): Map<string, string> {
  const page = globalThis as unknown as Record<symbol, Map<string, string> | undefined>;
  return (page[PAGE] ??= new Map<string, string>());
}

let made = 0;

/**
 * Parts of which one is visible at a time. The others aren't made before they are chosen, want no feeds and paint
 * nothing while they are hidden. Left, right, Home and End move between the tabs.
 */
export class Tabs implements Part {
  readonly element: HTMLElement;
  private readonly buttons: HTMLButtonElement[];
  private readonly panels: HTMLElement[];
  private readonly parts: (Part | null)[];
  private readonly id = `nbt-tabs-${++made}`;
  private chosen = -1;
  private visible = false;

  /** `key` says what the choice is remembered for; `changed` is called when something new has to be painted. */
  constructor(
    private readonly tabs: readonly Tab[], label: string, private readonly key: string, private readonly changed: () => void,
  ) {
    this.parts = tabs.map(() => null);
    this.buttons = tabs.map(({ label: text }, index) => {
      const button = make("button", "nbt-tab", {
        type: "button", role: "tab", id: `${this.id}-${index}`, "aria-controls": `${this.id}-panel-${index}`,
      }, [text]);
      button.addEventListener("click", () => this.choose(index));
      return button;
    });
    this.panels = tabs.map((_, index) => make("div", "nbt-panel", {
      role: "tabpanel", id: `${this.id}-panel-${index}`, "aria-labelledby": `${this.id}-${index}`, hidden: "",
    }));
    const list = make("div", "nbt-tabs", { role: "tablist", "aria-label": label }, this.buttons);
    list.hidden = tabs.length < 2;
    list.addEventListener("keydown", (event) => this.move(event));
    this.element = make("div", "nbt-part nbt-tabbed", {}, [list, ...this.panels]);
    const names = tabs.map((tab) => tab.name);
    const before = [remembered().get(key), remembered().get("")].map((name) => names.indexOf(name ?? ""));
    this.choose(before.find((index) => index >= 0) ?? 0, false);
  }

  update(theme: Theme): void {
    this.parts[this.chosen]?.update(theme);
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.parts[this.chosen]?.shown?.(visible);
  }

  dispose(): void {
    for (const part of this.parts) part?.dispose();
  }

  private choose(index: number, remember = true): void {
    const tab = this.tabs[index];
    const panel = this.panels[index];
    if (!tab || !panel || index === this.chosen) return;
    if (remember) for (const key of [this.key, ""]) remembered().set(key, tab.name);
    if (this.visible) this.parts[this.chosen]?.shown?.(false);
    this.chosen = index;
    let part = this.parts[index];
    if (!part) {
      this.parts[index] = part = tab.make();
      panel.append(part.element);
    }
    this.buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", String(i === index));
      button.tabIndex = i === index ? 0 : -1;
    });
    this.panels.forEach((each, i) => (each.hidden = i !== index));
    if (this.visible) part.shown?.(true);
    this.changed();
  }

  private move(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.tabs.length - 1;
    const to = {
      ArrowLeft: this.chosen === 0 ? last : this.chosen - 1, ArrowRight: this.chosen === last ? 0 : this.chosen + 1,
      Home: 0, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the widget itself has other uses for the arrows
    this.choose(to);
    this.buttons[to]?.focus();
  }
}
