import { History } from "./history";
import type { Model } from "./model";
import { decodeFile, decodeHeader, decodeMeta, decodeRows, type Buffer, type Header, type Meta, type State } from "./protocol";
import { Selection } from "./selection";
import { Wire } from "./wire";

export type Command = "pause" | "step" | "resume" | "stop";

interface SavedFeed {
  header: Record<string, unknown>;
  buffers: Buffer[];
}

const BEAT_MS = 1000;
const BUSY_MS = 1500;

const ACTIVE: readonly State[] = ["ready", "running", "paused", "stopping"];

const NOTHING: Header = {
  state: "ready", step: 0, total: null, epoch: 0, epochs: null, loss: null, metrics: {}, rate: null, seconds: 0,
};

/** One run as the front end knows it: takes the kernel's messages, sends commands, and tells its listeners to paint. */
export class RunStore extends Wire {
  readonly meta: Meta;
  readonly history: History;
  /** What the user has chosen in this run, in whichever widget. */
  readonly selection: Selection;
  header: Header = NOTHING;
  /** A command was sent and the kernel hasn't answered for a while. */
  busy = false;

  private readonly feeds = new Map<string, number>();
  private wantTimer = 0;
  private busyTimer = 0;
  private readonly beatTimer: number;
  private readonly deselect: () => void;

  constructor(model: Model) {
    super(model);
    this.meta = decodeMeta(model.get("meta"));
    this.history = new History(this.meta.names.length);
    this.selection = Selection.of(this.meta.key);
    this.deselect = this.selection.subscribe(() => this.schedule());
    this.attempt(this.restore);
    this.watch("snapshot", this.restore);
    this.on("state", (content) => {
      this.header = decodeHeader(content);
      this.answered();
    });
    this.on("frame", (content, buffers) => this.takeRows(content, buffers));
    this.on("snapshot", (content, buffers) => this.takeRows(content, buffers));
    this.beatTimer = window.setInterval(this.beat, BEAT_MS);
    document.addEventListener("visibilitychange", this.beat);
    this.post({ op: "hello" });
  }

  get active(): boolean {
    return ACTIVE.includes(this.header.state);
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

  /**
   * Take the messages of a feed, also the one that was saved with the notebook. Nothing is measured or sent before a
   * part that is visible wants it.
   */
  feed(name: string, take: (header: Record<string, unknown>, buffers: Buffer[]) => void): void {
    this.on(name, take);
    const restore = () => {
      const saved = (this.get("saved") as Record<string, SavedFeed> | undefined)?.[name];
      if (saved) take(saved.header, saved.buffers);
    };
    this.watch("saved", restore);
    this.attempt(restore);
  }

  /** A part that shows the feed `name` is visible now, or isn't any more. */
  want(name: string, visible: boolean): void {
    const count = Math.max(0, (this.feeds.get(name) ?? 0) + (visible ? 1 : -1));
    this.feeds.set(name, count);
    window.clearTimeout(this.wantTimer);
    this.wantTimer = window.setTimeout(() => {
      this.post({ op: "want", feeds: [...this.feeds].filter(([, n]) => n > 0).map(([feed]) => feed) });
    });
  }

  override facts(): Record<string, string> {
    return {
      ...super.facts(), state: this.header.state, step: String(this.header.step), columns: String(this.history.length),
    };
  }

  override dispose(): void {
    super.dispose();
    this.deselect();
    document.removeEventListener("visibilitychange", this.beat);
    window.clearInterval(this.beatTimer);
    window.clearTimeout(this.busyTimer);
    window.clearTimeout(this.wantTimer);
  }

  protected override get moving(): boolean {
    return this.header.state === "running";
  }

  private takeRows(content: Record<string, unknown>, buffers: Buffer[]): void {
    const header = decodeHeader(content);
    const rows = decodeRows(buffers[0], Number(content["rows"]), this.meta.names.length);
    if (content["op"] === "snapshot") this.history.clear();
    this.history.append(rows);
    this.header = header;
    if (!this.active) this.answered();
  }

  private answered(): void {
    window.clearTimeout(this.busyTimer);
    this.busy = false;
  }

  /** Take the state that was saved with the notebook, or that the kernel left when the run ended. */
  private readonly restore = (): void => {
    const saved = decodeFile(this.model.get("snapshot"), this.meta.names.length);
    if (!saved || saved.header.step < this.header.step) return;
    this.header = saved.header;
    if (this.history.length < saved.rows.steps.length) {
      this.history.clear();
      this.history.append(saved.rows);
    }
    this.answered();
  };

  private readonly beat = (): void => {
    if (document.visibilityState === "visible" && this.active) {
      this.post({ op: "beat", step: this.header.step, painted: this.painted });
      this.painted = 0;
    }
  };
}
