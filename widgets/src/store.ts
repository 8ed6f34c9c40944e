import { History } from "./history";
import type { Model } from "./model";
import { prefersReducedMotion } from "./theme";
import {
  decodeFile, decodeHeader, decodeMeta, decodeRows, type Buffer, type Header, type Meta, type State,
} from "./protocol";

export type Command = "pause" | "step" | "resume" | "stop";

const BEAT_MS = 1000;
const BUSY_MS = 1500;
const CALM_MS = 500; // between paints, for people who asked for less motion

const ACTIVE: readonly State[] = ["ready", "running", "paused", "stopping"];

const NOTHING: Header = {
  state: "ready", step: 0, total: null, epoch: 0, epochs: null, loss: null, metrics: {}, rate: null, seconds: 0,
};

/** One run as the front end knows it: takes the kernel's messages, sends commands, and tells its listeners to paint. */
export class RunStore {
  readonly meta: Meta;
  readonly history: History;
  header: Header = NOTHING;
  /** A command was sent and the kernel hasn't answered for a while. */
  busy = false;
  /** Messages taken, for tests and the curious. */
  messages = 0;
  /** The last message that could not be understood. */
  problem = "";

  private readonly listeners = new Set<() => void>();
  private frame = 0;
  private calm = 0;
  private lastPaint = -Infinity;
  private painted = 0;
  private busyTimer = 0;
  private readonly beatTimer: number;

  constructor(private readonly model: Model) {
    this.meta = decodeMeta(model.get("meta"));
    this.history = new History(this.meta.names.length);
    this.restore();
    model.on("msg:custom", this.receive);
    model.on("change:snapshot", this.restore);
    this.beatTimer = window.setInterval(this.beat, BEAT_MS);
    document.addEventListener("visibilitychange", this.beat);
    this.post({ op: "hello" });
  }

  get active(): boolean {
    return ACTIVE.includes(this.header.state);
  }

  /** Call `listener` before the next frame is painted whenever something has changed. */
  subscribe(listener: () => void): void {
    this.listeners.add(listener);
    this.schedule();
  }

  command(op: Command): void {
    if (!this.active) return;
    this.post({ op });
    window.clearTimeout(this.busyTimer);
    this.busyTimer = window.setTimeout(() => {
      this.busy = true;
      this.schedule();
    }, BUSY_MS);
  }

  /** Pause if running, resume if paused. */
  toggle(): void {
    this.command(this.header.state === "paused" ? "resume" : "pause");
  }

  dispose(): void {
    this.model.off("msg:custom", this.receive);
    this.model.off("change:snapshot", this.restore);
    document.removeEventListener("visibilitychange", this.beat);
    window.clearInterval(this.beatTimer);
    window.clearTimeout(this.busyTimer);
    window.clearTimeout(this.calm);
    window.cancelAnimationFrame(this.frame);
    this.listeners.clear();
  }

  /** Have everything painted soon; however often this is called, once a frame. */
  schedule(): void {
    if (this.frame || this.calm) return;
    const wait = prefersReducedMotion() ? this.lastPaint + CALM_MS - performance.now() : 0;
    if (wait > 0 && this.header.state === "running") {
      this.calm = window.setTimeout(() => {
        this.calm = 0;
        this.frame = window.requestAnimationFrame(this.paint);
      }, wait);
    } else {
      this.frame = window.requestAnimationFrame(this.paint);
    }
  }

  private readonly paint = (): void => {
    this.frame = 0;
    this.lastPaint = performance.now();
    this.painted++;
    for (const listener of this.listeners) listener();
  };

  private readonly receive = (message: unknown, buffers?: Buffer[]): void => {
    try {
      this.take(message, buffers ?? []);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.schedule();
  };

  private take(message: unknown, buffers: Buffer[]): void {
    const content = (message ?? {}) as Record<string, unknown>;
    const op = content["op"];
    if (op !== "frame" && op !== "snapshot" && op !== "state") return;
    const header = decodeHeader(content);
    if (op !== "state") {
      const rows = decodeRows(buffers[0], Number(content["rows"]), this.meta.names.length);
      if (op === "snapshot") this.history.clear();
      this.history.append(rows);
    }
    this.header = header;
    this.messages++;
    this.problem = "";
    if (op === "state" || !this.active) this.answered();
  }

  private answered(): void {
    window.clearTimeout(this.busyTimer);
    this.busy = false;
  }

  /** Take the state that was saved with the notebook, or that the kernel left when the run ended. */
  private readonly restore = (): void => {
    try {
      const saved = decodeFile(this.model.get("snapshot"), this.meta.names.length);
      if (saved && saved.header.step >= this.header.step) {
        this.header = saved.header;
        if (this.history.length < saved.rows.steps.length) {
          this.history.clear();
          this.history.append(saved.rows);
        }
        this.answered();
      }
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.schedule();
  };

  private readonly beat = (): void => {
    if (document.visibilityState === "visible" && this.active) {
      this.post({ op: "beat", step: this.header.step, painted: this.painted });
      this.painted = 0;
    }
  };

  private post(message: Record<string, unknown>): void {
    try {
      this.model.send(message);
    } catch {
      // No kernel: a saved notebook. What was restored stays.
    }
  }
}
