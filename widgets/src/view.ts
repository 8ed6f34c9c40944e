import { make } from "./dom";
import { handleKeys, type Keys } from "./keyboard";
import { observeTheme, readTheme, type Theme } from "./theme";
import { STYLE } from "./style";
import type { Wire } from "./wire";

const THEME_MS = 1000;

/** A part of a widget: it has an element and paints what its wire or store holds. */
export interface Part {
  readonly element: HTMLElement;
  /** Paint; called at most once a frame, with the theme of now. */
  update(theme: Theme): void;
  /**
   * Told when it becomes visible and when it no longer is, which it is at first: the place to say which feeds it wants
   * (`store.want`), since what nobody sees isn't measured.
   */
  shown?(visible: boolean): void;
  dispose(): void;
}

/** What a widget is made of. */
export interface Widget {
  /** Where its data comes from; disposed with the widget. */
  wire: Wire;
  /** Below each other. */
  parts: readonly Part[];
  /** The name that a screen reader says. */
  label: string;
  /** Keys of the whole widget, beside those of a focused control. */
  keys?: Keys;
  /** CSS of this widget alone, beside the family's. */
  style?: string;
}

/** A widget's frame: parts below each other, one keyboard, one theme, the size of the output area. */
export class View {
  private readonly root: HTMLElement;
  private readonly stopObserving: () => void;
  private readonly resize: ResizeObserver;
  private theme: Theme;
  private themeRead = -Infinity;
  private painted = 0;

  constructor(kind: string, private readonly widget: Widget, parent: HTMLElement) {
    const { wire, parts, label, keys, style } = widget;
    this.root = make("div", "nbt-root", { tabindex: "0", role: "group", "aria-label": label, "data-kind": kind });
    this.root.append(make("style", "", {}, [STYLE + (style ?? "")]), ...parts.map((part) => part.element));
    parent.append(this.root);
    handleKeys(this.root, keys ?? {});
    this.theme = readTheme(this.root);
    const repaint = () => {
      this.themeRead = -Infinity;
      wire.schedule();
    };
    this.stopObserving = observeTheme(repaint);
    this.resize = new ResizeObserver(repaint);
    this.resize.observe(this.root);
    for (const part of parts) part.shown?.(true);
    wire.subscribe(() => this.update());
  }

  dispose(): void {
    this.resize.disconnect();
    this.stopObserving();
    for (const part of this.widget.parts) {
      part.shown?.(false);
      part.dispose();
    }
    this.widget.wire.dispose();
    this.root.remove();
  }

  private update(): void {
    const { wire, parts } = this.widget;
    const { dataset } = this.root;
    // The look may depend on the state (a running dot), so this comes before the parts.
    const facts = wire.facts();
    if (facts["state"] !== undefined) dataset["state"] = facts["state"];
    if (this.root.clientWidth === 0) return; // not laid out yet; the observer calls again
    // Style sheets may arrive after the change that the observer sees, so the theme is read again now and then.
    if (performance.now() - this.themeRead > THEME_MS) {
      this.theme = readTheme(this.root);
      this.themeRead = performance.now();
    }
    for (const part of parts) part.update(this.theme);
    for (const [name, value] of Object.entries(facts)) dataset[name] = value;
    dataset["painted"] = String(++this.painted);
    if (wire.problem) dataset["problem"] = wire.problem;
    else delete dataset["problem"];
  }
}
