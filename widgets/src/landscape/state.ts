import type { Model } from "../model";
import type { Buffer } from "../protocol";
import { Wire } from "../wire";
import { decodeMeta, decodeTracks, decodeSettings, floats, unpack, type Meta } from "./data";
import { Shade, type Field } from "./field";
import { isKnown, walk, type Settings, type Track } from "./walk";

const ASK_MS = 33; // between two wishes while a point is dragged
const SILENT_MS = 1500; // after which a kernel that hasn't answered counts as gone

type Json = Record<string, unknown>;

/** What a landscape's widget knows: the field, the paths, the wish that the paths answer. */
export class LandscapeStore extends Wire {
  readonly meta: Meta;
  field: Field | null = null;
  shade: Shade | null = null;
  tracks: Track[] = [];
  settings: Settings | null;
  log: boolean;
  /** How much of the field is known, from 0 to 1. */
  progress = 0;
  stopped = false;
  /** A wish was sent and nobody answered. */
  silent = false;
  failure = "";
  /** Counts changes of the field, so that it is painted only then. */
  version = 0;

  private chosenLog: boolean | null = null;
  private sequence = 0;
  private asked = -Infinity;
  private askTimer = 0;
  private silentTimer = 0;

  constructor(model: Model) {
    super(model);
    this.meta = decodeMeta(this.get("meta"));
    this.settings = this.meta.settings;
    this.log = this.meta.log ?? false;
    const restore = (trait: string, take: (header: Json, buffer: Buffer) => void) => {
      const read = () => {
        const saved = unpack(this.get(trait));
        if (saved) take(saved.header, saved.payload);
      };
      this.watch(trait, read);
      this.attempt(read);
    };
    const field = (header: Json, buffer: Buffer | undefined) => this.takeField(header, buffer);
    const paths = (header: Json, buffer: Buffer | undefined) => this.takePaths(header, buffer);
    restore("field", field);
    restore("tracks", paths);
    this.on("field", (header, buffers) => field(header, buffers[0]));
    this.on("paths", (header, buffers) => paths(header, buffers[0]));
    this.on("failed", (content) => {
      this.heard();
      this.failure = String(content["message"] ?? "");
    });
    this.post({ op: "hello" });
  }

  /** Whether paths can be computed in the page too. */
  get local(): boolean {
    return isKnown(this.meta.builtin, this.meta.racers.map((racer) => racer.key));
  }

  /** The longest path's steps. */
  get steps(): number {
    return Math.max(1, ...this.tracks.map((track) => track.xs.length - 1));
  }

  chooseLog(log: boolean): void {
    this.chosenLog = this.log = log;
    if (this.field) this.shade = new Shade(this.field.values, log);
    this.version++;
    this.schedule();
  }

  /** Walk with other settings: at once here if the function is known, and by the real optimizers in the kernel. */
  wish(change: Partial<Settings>): void {
    if (!this.settings) return;
    this.settings = { ...this.settings, ...change };
    this.failure = "";
    if (this.local) this.tracks = this.meta.racers.map(({ key }) => walk(this.meta.builtin!, key, this.settings!, this.meta));
    this.schedule();
    if (this.askTimer) return;
    this.askTimer = window.setTimeout(this.ask, Math.max(0, this.asked + ASK_MS - performance.now()));
  }

  override facts(): Record<string, string> {
    return { ...super.facts(), progress: this.progress.toFixed(3), paths: String(this.tracks.length), sequence: String(this.sequence) };
  }

  override dispose(): void {
    super.dispose();
    window.clearTimeout(this.askTimer);
    window.clearTimeout(this.silentTimer);
  }

  private readonly ask = (): void => {
    this.askTimer = 0;
    this.asked = performance.now();
    if (!this.settings) return;
    this.post({ op: "walk", seq: ++this.sequence, ...this.settings });
    if (!this.silentTimer && !this.silent) {
      this.silentTimer = window.setTimeout(() => {
        this.silentTimer = 0;
        this.silent = true;
        this.schedule();
      }, SILENT_MS);
    }
  };

  private heard(): void {
    window.clearTimeout(this.silentTimer);
    this.silentTimer = 0;
    this.silent = false;
  }

  private takeField(header: Json, buffer: Buffer | undefined): void {
    const size = this.meta.resolution;
    const values = floats(buffer, size * size);
    this.field = { size, values };
    this.progress = Number(header["progress"]) || 0;
    this.stopped = header["stopped"] === true;
    if (this.chosenLog === null && this.meta.log === null) this.log = header["log"] === true;
    this.shade = new Shade(values, this.log);
    this.version++;
  }

  private takePaths(header: Json, buffer: Buffer | undefined): void {
    const sequence = Number(header["seq"]) || 0;
    this.heard();
    const waiting = this.askTimer !== 0 || (sequence !== 0 && sequence < this.sequence);
    // An answer to an older wish, or half an answer where the whole is known already, would only make the picture jump.
    if (waiting || (header["done"] !== true && this.local && this.tracks.length > 0)) return;
    this.tracks = decodeTracks(header, buffer);
    this.sequence = Math.max(this.sequence, sequence);
    const settings = decodeSettings(header["settings"]);
    if (settings) this.settings = settings;
  }
}
