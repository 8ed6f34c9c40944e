export type Keys = Record<string, (event: KeyboardEvent) => boolean | void>;

/**
 * Keys of a widget: `keys` maps `event.key` to what to do (return false to decline). Keys without Ctrl, Alt or Meta
 * never leave the widget, since a notebook in command mode deletes and inserts cells on single letters; with them they
 * do, so that saving still works. Escape gives the keyboard back to the notebook.
 */
export function handleKeys(root: HTMLElement, keys: Keys): void {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation();
    if (event.key === "Escape") {
      (document.activeElement as HTMLElement | null)?.blur();
      return;
    }
    // A focused control keeps the keys it knows itself.
    if (event.key === " " && event.target instanceof HTMLButtonElement) return;
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
    const handler = keys[event.key];
    if (handler && handler(event) !== false) event.preventDefault();
  });
}
