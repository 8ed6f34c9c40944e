import type { Model } from "./model";
import type { Buffer } from "./protocol";
import { prefersReducedMotion } from "./theme";

const CALM_MS = 500; // between paints, for people who asked for less motion

type Listener = () => void;
type Handler = (content: Record<string, unknown>, buffers: Buffer[]) => void;

/**
 * One widget's line to its kernel: messages in, messages out, and a paint a frame for whoever listens. A message that
 * can't be understood changes nothing but `problem`. Widgets of a run use `RunStore`, which is a wire that knows runs.
 */
export class Wire {
  /** Messages taken, for tests and the curious. */
  messages = 0;
  /** The last message that could not be understood. */
  problem = "";
  protected painted = 0;

  private readonly listeners = new Set<Listener>();
  private readonly handlers = new Map<string, Handler[]>();
  private readonly watched: [string, Listener][] = [];
  private frame = 0;
  private calm = 0;
  private lastPaint = -Infinity;

  constructor(protected readonly model: Model) {
    model.on("msg:custom", this.receive);
  }

  /** A trait of the widget. */
  get(name: string): unknown {
    return this.model.get(name);
  }

  /** Set a trait, here and in the kernel; the saved notebook keeps it. */
  set(name: string, value: unknown): void {
    this.model.set?.(name, value);
    this.model.save_changes?.();
    this.schedule();
  }

  /** Do this when a trait changes; what it throws becomes `problem`. */
  watch(trait: string, changed: () => void): void {
    const listener = () => this.attempt(changed);
    this.watched.push([`change:${trait}`, listener]);
    this.model.on(`change:${trait}`, listener);
  }

  /** Do this too with messages of the operation `op`; what it throws becomes `problem`. */
  on(op: string, handler: Handler): void {
    this.handlers.set(op, [...(this.handlers.get(op) ?? []), handler]);
  }

  /** Send a message to the kernel, if there is one. */
  post(message: Record<string, unknown>): void {
    try {
      this.model.send(message);
    } catch {
      // No kernel: a saved notebook. What was restored stays.
    }
  }

  /** Call `listener` before the next frame is painted whenever something has changed. */
  subscribe(listener: Listener): void {
    this.listeners.add(listener);
    this.schedule();
  }

  /** What the widget's root shows of itself as `data-` attributes. */
  facts(): Record<string, string> {
    return { messages: String(this.messages) };
  }

  /** Whether paints may be spaced out for people who asked for less motion: while things move by themselves. */
  protected get moving(): boolean {
    return false;
  }

  /** Have everything painted soon; however often this is called, once a frame. */
  schedule(): void {
    if (this.frame || this.calm) return;
    const wait = prefersReducedMotion() ? this.lastPaint + CALM_MS - performance.now() : 0;
    if (wait > 0 && this.moving) {
      this.calm = window.setTimeout(() => {
        this.calm = 0;
        this.frame = window.requestAnimationFrame(this.paint);
      }, wait);
    } else {
      this.frame = window.requestAnimationFrame(this.paint);
    }
  }

  dispose(): void {
    this.model.off("msg:custom", this.receive);
    for (const [event, listener] of this.watched) this.model.off(event, listener);
    window.clearTimeout(this.calm);
    window.cancelAnimationFrame(this.frame);
    this.listeners.clear();
  }

  private readonly paint = (): void => {
    this.frame = 0;
    this.lastPaint = performance.now();
    this.painted++;
    for (const listener of this.listeners) listener();
  };

  private readonly receive = (message: unknown, buffers?: Buffer[]): void => {
    this.attempt(() => {
      const content = (message ?? {}) as Record<string, unknown>;
      const handlers = this.handlers.get(String(content["op"]));
      if (!handlers) return;
      for (const handler of handlers) handler(content, buffers ?? []);
      this.messages++;
      this.problem = "";
    });
  };

  /** Do it; what it throws is a problem to show, never an error in the page. */
  protected attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.schedule();
  }
}
