import { Layer } from "./canvas";
import { IconButton, make, setText } from "./dom";
import * as format from "./format";
import type { State } from "./protocol";
import type { RunStore } from "./store";
import type { Theme } from "./theme";
import type { Part } from "./view";
import { words } from "./words";

const WORDS = words(
  {
    states: {
      ready: "Ready", running: "Running", paused: "Paused", stopping: "Stopping…", finished: "Finished", stopped: "Stopped",
      left: "Left early", interrupted: "Interrupted", failed: "Failed",
    } as Record<State, string>,
    busy: "The kernel is busy and hasn’t heard this yet. It takes effect when the cell ends, or press ■ in the toolbar.",
    part: "Run control", run: "Run", progress: "Progress",
    pause: "Pause", resume: "Resume", step: "Step", stop: "Stop", space: "Space",
    steps: "Step", epoch: "Epoch", speed: "Steps per second",
    name: (variable: string) => format.title(variable),
  },
  {
    states: {
      ready: "준비", running: "실행 중", paused: "일시 정지", stopping: "중지하는 중…", finished: "완료", stopped: "중지됨",
      left: "중간에 나감", interrupted: "인터럽트됨", failed: "오류로 끝남",
    } as Record<State, string>,
    busy: "커널이 바빠서 아직 이 명령을 받지 못했습니다. 셀이 끝나면 적용됩니다. 기다리지 않으려면 도구 모음의 ■를 누르세요.",
    part: "학습 제어", run: "학습", progress: "진행률",
    pause: "일시 정지", resume: "계속", step: "한 스텝", stop: "중지", space: "스페이스",
    steps: "스텝", epoch: "에포크", speed: "초당 스텝",
    name: (variable: string) => (variable === "loss" ? "손실" : format.title(variable)),
  },
);

const SPARK = { width: 132, height: 30 };
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
  private readonly lossGroup: HTMLElement;
  private readonly spark = new Layer("nbt-spark");
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
    this.spark.element.setAttribute("aria-hidden", "true");
    this.lossGroup = make("div", "nbt-loss", {}, [this.loss.element, this.spark.element]);
    this.facts = make("div", "nbt-facts", {}, [
      this.step.element, this.epoch.element, this.speed.element, this.lossGroup,
    ]);
    this.progress = make("div", "nbt-progress", { role: "progressbar", "aria-label": text.progress, "aria-valuemin": "0" }, [
      this.fill,
    ]);
    this.element = make("section", "nbt-part", { "aria-label": text.part }, [
      make("div", "nbt-bar", {}, [controls, this.state, this.facts]), this.progress, this.note,
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
    this.lossGroup.hidden = header.loss === null;
    if (header.loss !== null) this.drawSpark(theme);

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
    setText(this.note, text.busy);
    this.note.hidden = !store.busy;
  }

  private metric(name: string): Fact {
    let fact = this.metrics.get(name);
    if (!fact) {
      fact = new Fact();
      this.metrics.set(name, fact);
      this.facts.insertBefore(fact.element, this.lossGroup);
    }
    return fact;
  }

  /** The loss of the whole run: in each pixel column the band between its least and greatest value. */
  private drawSpark(theme: Theme): void {
    const { width, height } = SPARK;
    const context = this.spark.reset(width, height);
    const { steps, loss, length, lastStep } = this.store.history;
    const columns = Array.from({ length: width }, () => [Infinity, -Infinity] as [number, number]);
    let low = Infinity;
    let high = -Infinity;
    const first = steps[0] ?? 0;
    const span = Math.max(1, lastStep - first);
    for (let row = 0; row < length; row++) {
      const value = loss[row] ?? NaN;
      if (!Number.isFinite(value)) continue;
      const column = columns[Math.round((((steps[row] ?? 0) - first) / span) * (width - 1))];
      if (!column) continue;
      column[0] = Math.min(column[0], value);
      column[1] = Math.max(column[1], value);
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (low > high) return;
    const y = (value: number) => 3 + (height - 6) * (1 - (high > low ? (value - low) / (high - low) : 0.5));
    context.strokeStyle = theme.accent;
    context.lineWidth = 1.5;
    context.lineJoin = context.lineCap = "round";
    context.beginPath();
    let last: [number, number] | null = null;
    columns.forEach(([least, greatest], x) => {
      if (least > greatest) return;
      const from = last ? Math.min(Math.max(last[1], y(greatest)), y(least)) : y(greatest);
      if (last) context.lineTo(x, from);
      else context.moveTo(x, from);
      if (greatest > least) {
        context.lineTo(x, y(greatest));
        context.lineTo(x, y(least));
      }
      last = [x, greatest > least ? y(least) : y(greatest)];
    });
    context.stroke();
    if (last) {
      const [x, at] = last as [number, number];
      context.fillStyle = theme.accent;
      context.beginPath();
      context.arc(Math.min(x, width - 2.5), at, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  dispose(): void {}
}
