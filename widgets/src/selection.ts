/**
 * What the user has chosen in a run: a step, a layer or parameter. All widgets of the run in this page share it, however
 * far apart they stand, so the selections lie on the page itself and are found by the run's key.
 */
const PAGE = Symbol.for("nbtorch.selections");

type Listener = () => void;

export class Selection {
  /** The chosen step; null: the newest. */
  step: number | null = null;
  /** The chosen parameter ("0.weight") or module ("0"); null: none. */
  name: string | null = null;
  private readonly listeners = new Set<Listener>();

  /** The selection of the run with this key. */
  static of(key: string): Selection {
    const page = globalThis as unknown as Record<symbol, Map<string, Selection> | undefined>;
    const all = (page[PAGE] ??= new Map<string, Selection>());
    let selection = all.get(key);
    if (!selection) all.set(key, (selection = new Selection()));
    return selection;
  }

  /** Choose; what is left out stays as it is. */
  choose(choice: { step?: number | null; name?: string | null }): void {
    const step = choice.step === undefined ? this.step : choice.step;
    const name = choice.name === undefined ? this.name : choice.name;
    if (step === this.step && name === this.name) return;
    this.step = step;
    this.name = name;
    for (const listener of [...this.listeners]) listener();
  }

  /** Whether `name` is the chosen parameter or module, or belongs to the chosen module. */
  has(name: string): boolean {
    return this.name !== null && (name === this.name || name.startsWith(`${this.name}.`));
  }

  /** Call `listener` after every change; the returned function ends that. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}
