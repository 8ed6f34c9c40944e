import { make } from "../dom";

/** A choice of one: buttons in a row, of which one is pressed. */
export function choice(
  label: string, options: readonly (readonly [string, string])[], chosen: () => string, choose: (name: string) => void,
): { element: HTMLElement; update(): void } {
  const buttons = options.map(([name, text]) => {
    const button = make("button", "", { type: "button" }, [text]);
    button.addEventListener("click", () => {
      choose(name);
      update();
    });
    return [name, button] as const;
  });
  const update = () => {
    for (const [name, button] of buttons) button.setAttribute("aria-pressed", String(name === chosen()));
  };
  update();
  return {
    element: make("div", "nbt-choice", { role: "group", "aria-label": label }, buttons.map(([, button]) => button)),
    update,
  };
}

/** Words that a screen reader hears once a second at most. */
export class Readout {
  readonly element = make("div", "nbt-readout");
  private readonly spoken = make("div", "", {
    "aria-live": "polite", style: "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)",
  });
  private timer = 0;
  private key = "";

  get elements(): HTMLElement[] {
    return [this.element, this.spoken];
  }

  /** Pairs of a word and what stands beside it in bold. */
  show(pairs: readonly (readonly [string, string])[]): void {
    const key = JSON.stringify(pairs);
    if (key === this.key) return;
    this.key = key;
    this.element.hidden = pairs.length === 0;
    this.element.replaceChildren(...pairs.map(([word, value]) =>
      make("span", "", {}, value ? [word ? `${word} ` : "", make("b", "", {}, [value])] : [word])));
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.spoken.textContent = pairs.map((pair) => pair.join(" ")).join(", ");
    }, 1000);
  }

  dispose(): void {
    window.clearTimeout(this.timer);
  }
}
