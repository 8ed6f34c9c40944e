/** Small helpers for elements. Texts go in as text nodes only: names from the user are never read as HTML. */

type Children = readonly (Node | string)[];

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, className = "", attributes: Record<string, string> = {}, children: Children = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Change an element's text only if it differs, so that nothing is laid out or announced for no reason. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const ICONS = {
  pause: "M5 3h2.5v10H5zM8.5 3H11v10H8.5z",
  resume: "M5 3l8 5-8 5z",
  step: "M3.5 3l6.5 5-6.5 5zM10.5 3h2v10h-2z",
  stop: "M4 4h8v8H4z",
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M12 3v10L4.5 8z",
  next: "M4 3l7.5 5L4 13z",
  last: "M3 3l7 5-7 5zM11 3h2v10h-2z",
} as const;

export type Icon = keyof typeof ICONS;

/** A button with an icon; its name is read by screen readers and shown as a tooltip. */
export class IconButton {
  readonly element: HTMLButtonElement;

  constructor(icon: Icon, label: string, hint: string, action: () => void) {
    this.element = make("button", `nbt-button nbt-${icon}`, { type: "button" });
    this.show(icon, label, hint);
    this.element.addEventListener("click", action);
  }

  show(icon: Icon, label: string, hint: string): void {
    const { element } = this;
    if (element.dataset["icon"] === icon) return;
    element.dataset["icon"] = icon;
    element.setAttribute("aria-label", label);
    element.title = hint ? `${label} (${hint})` : label;
    element.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
  }

  set disabled(value: boolean) {
    // A disabled button would lose the keyboard's focus; this one keeps it and does nothing.
    this.element.setAttribute("aria-disabled", String(value));
  }

  get disabled(): boolean {
    return this.element.getAttribute("aria-disabled") === "true";
  }
}
