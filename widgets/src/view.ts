import { make } from "./dom";
import { handleKeys, type Keys } from "./keyboard";
import type { RunStore } from "./store";
import { observeTheme, readTheme, type Theme } from "./theme";
import { STYLE } from "./style";

const THEME_MS = 1000;

/** A part of a widget: it has an element and paints what the store holds. */
export interface Part {
  readonly element: HTMLElement;
  /** Paint; called at most once a frame, with the theme of now. */
  update(theme: Theme): void;
  dispose(): void;
}

/** A widget's frame: parts below each other, one keyboard, one theme, the size of the output area. */
export class View {
  private readonly root: HTMLElement;
  private readonly stopObserving: () => void;
  private readonly resize: ResizeObserver;
  private theme: Theme;
  private themeRead = -Infinity;
  private painted = 0;

  constructor(kind: string, private readonly store: RunStore, private readonly parts: readonly Part[], parent: HTMLElement) {
    this.root = make("div", "nbt-root", {
      tabindex: "0", role: "group", "aria-label": "Training run", "data-kind": kind,
    });
    this.root.append(make("style", "", {}, [STYLE]), ...parts.map((part) => part.element));
    parent.append(this.root);
    const keys: Keys = {
      " ": () => store.toggle(),
      ArrowRight: () => store.command("step"),
    };
    handleKeys(this.root, keys);
    this.theme = readTheme(this.root);
    const repaint = () => {
      this.themeRead = -Infinity;
      store.schedule();
    };
    this.stopObserving = observeTheme(repaint);
    this.resize = new ResizeObserver(repaint);
    this.resize.observe(this.root);
    store.subscribe(() => this.update());
  }

  dispose(): void {
    this.resize.disconnect();
    this.stopObserving();
    for (const part of this.parts) part.dispose();
    this.root.remove();
  }

  private update(): void {
    const { header, history, messages, problem } = this.store;
    const { dataset } = this.root;
    dataset["state"] = header.state;
    if (this.root.clientWidth === 0) return; // not laid out yet; the observer calls again
    // Style sheets may arrive after the change that the observer sees, so the theme is read again now and then.
    if (performance.now() - this.themeRead > THEME_MS) {
      this.theme = readTheme(this.root);
      this.themeRead = performance.now();
    }
    for (const part of this.parts) part.update(this.theme);
    dataset["step"] = String(header.step);
    dataset["columns"] = String(history.length);
    dataset["messages"] = String(messages);
    dataset["painted"] = String(++this.painted);
    if (problem) dataset["problem"] = problem;
    else delete dataset["problem"];
    if (this.store.busy) dataset["busy"] = "";
    else delete dataset["busy"];
  }
}
