import { lineage, split, type Ghost } from "./branches";
import { History } from "./history";
import type { Model } from "./model";
import {
  decodeFile, decodeHeader, decodeMeta, decodeRows, decodeStory, NO_STORY, type Buffer, type Header, type Meta, type Rows,
  type State, type Story,
} from "./protocol";
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

const offline = (globalThis as unknown as Record<symbol, unknown>)[Symbol.for("nbtorch.offline")] === true;

const NOTHING: Header = {
  state: "ready", step: 0, total: null, epoch: 0, epochs: null, loss: null, metrics: {}, rate: null, seconds: 0,
  branch: 0, lr: null, lrRange: null, clip: null, clipNorm: null,
};

/** One run as the front end knows it: takes the kernel's messages, sends commands, and tells its listeners to paint. */
export class RunStore extends Wire {
  readonly meta: Meta;
  readonly history: History;
  /** What the user has chosen in this run, in whichever widget. */
  readonly selection: Selection;
  header: Header = NOTHING;
  /** Branches, changes by hand, snapshots. */
  story: Story = NO_STORY;
  /** What the run did before it was rewound; `history` has the way to the present branch only. */
  ghosts: Ghost[] = [];
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
      const header = decodeHeader(content);
      this.story = decodeStory(content["story"]) ?? this.story;
      this.turn(header);
      this.header = header;
      this.answered();
    });
    this.on("frame", (content, buffers) => this.takeRows(content, buffers));
    this.on("snapshot", (content, buffers) => this.takeRows(content, buffers));
    this.beatTimer = window.setInterval(this.beat, BEAT_MS);
    document.addEventListener("visibilitychange", this.beat);
    this.post({ op: "hello" });
  }

  /** Whether it listens to commands: not if it has ended, nor in a page without a kernel. */
  get active(): boolean {
    return !offline && ACTIVE.includes(this.header.state);
  }

  command(op: Command): void {
    this.request({ op });
  }

  /** Ask the run for something that it does at its next checkpoint. */
  request(message: Record<string, unknown>): void {
    if (!this.active) return;
    this.post(message);
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
    this.story = decodeStory(content["story"]) ?? this.story;
    if (content["op"] === "snapshot") this.replace(rows, header);
    else {
      this.turn(header);
      this.history.append(rows);
    }
    this.header = header;
    if (!this.active) this.answered();
  }

  /** Take all rows of the run, of all branches. */
  private replace(rows: Rows, header: Header): void {
    const { own, ghosts } = split(rows, this.meta.names.length, lineage(this.story.forks, header.branch));
    this.ghosts = ghosts;
    this.history.clear();
    this.history.append(own);
    if (header.branch !== this.header.branch) this.selection.choose({ step: null });
  }

  /** The run was rewound, and its rows haven't come yet: what is after the fork belongs to the branch that it left. */
  private turn(header: Header): void {
    const fork = this.story.forks.get(header.branch);
    if (header.branch === this.header.branch || !fork) return;
    const tail = this.history.cut(fork.step);
    if (tail.steps.length) this.ghosts = [...this.ghosts, { branch: this.header.branch, ...tail }];
    this.selection.choose({ step: null });
  }

  private answered(): void {
    window.clearTimeout(this.busyTimer);
    this.busy = false;
  }

  /** Take the state that was saved with the notebook, or that the kernel left when the run ended. */
  private readonly restore = (): void => {
    const saved = decodeFile(this.model.get("snapshot"), this.meta.names.length);
    if (!saved) return;
    const { header, rows } = saved;
    const old = this.header;
    if (header.branch < old.branch || (header.branch === old.branch && header.step < old.step)) return;
    this.story = saved.story ?? this.story;
    if (header.branch !== old.branch || this.history.length < rows.steps.length) this.replace(rows, header);
    this.header = header;
    this.answered();
  };

  private readonly beat = (): void => {
    if (document.visibilityState === "visible" && this.active) {
      this.post({ op: "beat", step: this.header.step, painted: this.painted });
      this.painted = 0;
    }
  };
}
