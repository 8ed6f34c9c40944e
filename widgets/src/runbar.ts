import { IconButton, make, setText } from "./dom";
import * as format from "./format";
import { CLIP_SCALE, rateScale, Slider } from "./runbar/slider";
import { snapshotFor, Timeline } from "./runbar/timeline";
import { WORDS } from "./runbar/words";
import type { RunStore } from "./store";
import type { Theme } from "./theme";
import type { Part } from "./view";

const ANNOUNCE_MS = 1000;

/** A number with its name above it. */
class Fact {
  readonly element: HTMLElement;
  private readonly label = make("div", "nbt-label");
  private readonly value = make("span");
  private readonly rest = make("span", "nbt-rest");

  constructor() {
    this.element = make("div", "nbt-fact", {}, [
      this.label, make("div", "nbt-value", {}, [this.value, this.rest]),
    ]);
  }

  show(label: string, value: string | null, rest = ""): void {
    this.element.hidden = value === null;
    setText(this.label, label);
    setText(this.value, value ?? "");
    setText(this.rest, rest);
  }
}

/** Progress, loss and speed, and the buttons that steer the run. */
export class RunBar implements Part {
  readonly element: HTMLElement;
  private readonly toggle: IconButton;
  private readonly stepOnce: IconButton;
  private readonly stop: IconButton;
  private readonly state = make("output", "nbt-state", { "aria-live": "polite" });
  private readonly step = new Fact();
  private readonly epoch = new Fact();
  private readonly speed = new Fact();
  private readonly loss = new Fact();
  private readonly metrics = new Map<string, Fact>();
  private readonly facts: HTMLElement;
  private readonly timeline: Timeline;
  private readonly rate: Slider<number>;
  private readonly clipping: Slider<number | null>;
  private firstRate: number | null = null;
  private readonly steering: HTMLElement;
  private readonly where = make("span", "nbt-where");
  private readonly rewind: HTMLButtonElement;
  private readonly newest: HTMLButtonElement;
  private readonly fill = make("div");
  private readonly progress: HTMLElement;
  private readonly note = make("div", "nbt-note", { role: "status" });
  private announced = 0;

  constructor(private readonly store: RunStore) {
    const text = WORDS();
    this.toggle = new IconButton("pause", text.pause, text.space, () => store.toggle());
    this.stepOnce = new IconButton("step", text.step, "→", () => store.command("step"));
    this.stop = new IconButton("stop", text.stop, "", () => store.command("stop"));
    const controls = make("div", "nbt-controls", { role: "toolbar", "aria-label": text.run }, [
      this.toggle.element, this.stepOnce.element, this.stop.element,
    ]);
    this.facts = make("div", "nbt-facts", {}, [
      this.step.element, this.epoch.element, this.speed.element, this.loss.element,
    ]);
    this.progress = make("div", "nbt-progress", { role: "progressbar", "aria-label": text.progress, "aria-valuemin": "0" }, [
      this.fill,
    ]);
    this.timeline = new Timeline(store);
    this.rate = new Slider<number>(
      text.rate, rateScale(1), (value) => format.measure(value, 2), (value) => store.request({ op: "lr", value }),
      () => store.schedule(),
    );
    this.clipping = new Slider<number | null>(
      text.clipping, CLIP_SCALE, (value) => (value === null ? text.off : format.measure(value, 2)),
      (value) => store.request({ op: "clip", value }), () => store.schedule(),
    );
    const button = (label: string, action: () => void, title: string) => {
      const element = make("button", "nbt-action", { type: "button", title }, [label]);
      element.addEventListener("click", action);
      return element;
    };
    this.rewind = button("", () => this.goBack(), "");
    this.newest = button(text.newest, () => store.selection.choose({ step: null }), text.newestHint);
    this.steering = make("div", "nbt-steering", {}, [
      this.rate.element, this.clipping.element,
      make("div", "nbt-back", { role: "group", "aria-label": text.steps }, [this.where, this.rewind, this.newest]),
    ]);
    this.element = make("section", "nbt-part", { "aria-label": text.part }, [
      make("div", "nbt-bar", {}, [controls, this.state, this.facts]), this.timeline.element, this.progress, this.steering,
      this.note,
    ]);
  }

  update(theme: Theme): void {
    const { store } = this;
    const { header } = store;
    const text = WORDS();
    if (header.state === "paused") this.toggle.show("resume", text.resume, text.space);
    else this.toggle.show("pause", text.pause, text.space);
    for (const button of [this.toggle, this.stepOnce, this.stop]) {
      button.disabled = !store.active || header.state === "stopping";
    }
    const ended = !store.active && header.seconds >= 1 ? ` · ${format.duration(header.seconds)}` : "";
    setText(this.state, text.states[header.state] + ended);

    const { step, total, epoch, epochs } = header;
    this.step.show(text.steps, format.count(step), total === null ? "" : ` / ${format.count(total)}`);
    this.epoch.show(text.epoch, epoch > 0 ? String(epoch) : null, epochs !== null ? ` / ${epochs}` : "");
    this.speed.show(text.speed, header.rate === null ? "–" : format.rate(header.rate));
    for (const [name, value] of Object.entries(header.metrics)) this.metric(name).show(text.name(name), format.measure(value));
    this.loss.show(text.name(store.meta.lossName), header.loss === null ? null : format.measure(header.loss));
    this.loss.element.style.color = header.loss === null || Number.isFinite(header.loss) ? "" : theme.palette.alarm;
    this.timeline.update(theme);
    this.steer();

    this.progress.hidden = total === null;
    if (total !== null) {
      this.fill.style.transform = `scaleX(${total === 0 ? 0 : Math.min(1, step / total)})`;
      const now = performance.now();
      if (now - this.announced > ANNOUNCE_MS || !store.active) {
        this.announced = now;
        this.progress.setAttribute("aria-valuemax", String(total));
        this.progress.setAttribute("aria-valuenow", String(step));
      }
    }
    const note = store.busy ? text.busy : this.told();
    setText(this.note, note);
    this.note.hidden = note === "";
  }

  private told(): string {
    const text = WORDS();
    const [word, ...values] = this.store.story.note.map(String);
    const [first = "", second = ""] = values;
    if (word === "rewinding" && this.store.active) return text.rewinding(first, second);
    if (word === "not rewound") return text.notRewound(first === "interrupted" ? text.states.interrupted : first);
    if (word === "not changed") return text.notChanged(first);
    return word === "no snapshots" ? text.noSnapshots(first) : "";
  }

  /** Learning rate, clipping, and the way back. */
  private steer(): void {
    const { header, story, selection, history, active } = this.store;
    const text = WORDS();
    const enabled = active && header.state !== "stopping";
    this.rate.element.hidden = header.lr === null;
    if (header.lr !== null) {
      if (this.firstRate === null && header.lr > 0) this.firstRate = header.lr;
      const [low, high] = header.lrRange ?? [header.lr, header.lr];
      const groups = low < high ? ` ${text.groups(format.measure(low, 2), format.measure(high, 2))}` : "";
      this.rate.show({
        value: header.lr, text: format.measure(header.lr), rest: "", hint: text.rateHint + groups, enabled,
      }, rateScale(this.firstRate ?? 1));
    }
    const problem = { hooks: text.noHooks, closure: text.closure }[story.clipProblem];
    const { clip, clipNorm } = header;
    const bites = clip !== null && clipNorm !== null && !(clipNorm <= clip);
    this.clipping.show({
      value: clip, text: problem ? text.noClip : clip === null ? text.off : format.measure(clip, 2),
      rest: bites ? text.clips(format.measure(clipNorm, 2)) : "", alarm: bites, hint: problem ?? text.clipHint,
      enabled: enabled && !problem,
    }, CLIP_SCALE);

    const { step } = selection;
    const loss = history.loss[history.rowAt(step ?? history.lastStep)] ?? NaN;
    const target = step === null ? null : snapshotFor(this.store, step);
    const goes = step !== null && story.rewind !== "no" && target !== null;
    const says = step === null || story.snapshots.length === 0 ? "" : target === null ? ` · ${text.noSnapshot}`
      : active ? "" : ` · ${text.atRest(step)}`;
    setText(this.where, step === null ? (history.length > 1 ? text.look : "")
      : `${text.at(format.count(step))}${Number.isNaN(loss) ? "" : ` · ${text.name(this.store.meta.lossName)} ${format.measure(loss)}`}${says}`);
    this.rewind.hidden = !goes || !active;
    if (goes) {
      setText(this.rewind, text.rewind(format.count(target)));
      this.rewind.title = story.rewind === "full" ? text.rewindHint : text.rewindModel;
    }
    this.newest.hidden = step === null;
  }

  private goBack(): void {
    const { step } = this.store.selection;
    if (step !== null) this.store.request({ op: "rewind", step });
  }

  private metric(name: string): Fact {
    let fact = this.metrics.get(name);
    if (!fact) {
      fact = new Fact();
      this.metrics.set(name, fact);
      this.facts.append(fact.element);
    }
    return fact;
  }

  dispose(): void {
    this.rate.dispose();
    this.clipping.dispose();
  }
}
