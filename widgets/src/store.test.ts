import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model } from "./model";
import { RunStore } from "./store";

const HEADER = { state: "running", step: 1, total: 9, epoch: 1, epochs: 1, loss: 1, metrics: {}, rate: 1, seconds: 1, rows: 0 };

/** A model and the little of a browser that the store asks for. */
function setUp(): { store: RunStore; sent: string[]; emit: (message: unknown) => void; paints: () => number } {
  vi.useFakeTimers();
  const frames: (() => void)[] = [];
  vi.stubGlobal("window", {
    setTimeout, clearTimeout, setInterval, clearInterval,
    requestAnimationFrame: (callback: () => void) => frames.push(callback),
    cancelAnimationFrame: () => {},
    matchMedia: () => ({ matches: false }),
  });
  vi.stubGlobal("document", { visibilityState: "visible", addEventListener() {}, removeEventListener() {} });
  const listeners: Record<string, ((message: unknown) => void)[]> = {};
  const sent: string[] = [];
  const model: Model = {
    get: (key) => (key === "meta" ? { names: ["w"] } : undefined),
    send: (message) => void sent.push((message as { op: string }).op),
    on: (event, listener) => void (listeners[event] ??= []).push(listener),
    off: () => {},
  };
  const store = new RunStore(model);
  let painted = 0;
  store.subscribe(() => painted++);
  const paints = () => {
    for (const frame of frames.splice(0)) frame();
    return painted;
  };
  return { store, sent, emit: (message) => listeners["msg:custom"]?.forEach((l) => l(message)), paints };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the store", () => {
  it("says hello once and beats while the run is active", () => {
    const { sent, emit } = setUp();
    emit({ op: "state", ...HEADER });
    vi.advanceTimersByTime(2100);
    expect(sent).toEqual(["hello", "beat", "beat"]);
    emit({ op: "state", ...HEADER, state: "finished" });
    vi.advanceTimersByTime(5000);
    expect(sent).toHaveLength(3);
  });
  it("paints once for many messages", () => {
    const { emit, paints } = setUp();
    for (let step = 1; step < 20; step++) emit({ op: "state", ...HEADER, step });
    expect(paints()).toBe(1);
    expect(paints()).toBe(1);
  });
  it("notices a kernel that doesn't answer a command, and when it does", () => {
    const { store, emit } = setUp();
    emit({ op: "state", ...HEADER });
    store.toggle();
    vi.advanceTimersByTime(1400);
    expect(store.busy).toBe(false);
    vi.advanceTimersByTime(200);
    expect(store.busy).toBe(true);
    emit({ op: "state", ...HEADER, state: "paused" });
    expect(store.busy).toBe(false);
  });
  it("resumes a paused run and sends nothing to an ended one", () => {
    const { store, sent, emit } = setUp();
    emit({ op: "state", ...HEADER, state: "paused" });
    store.toggle();
    emit({ op: "state", ...HEADER, state: "stopped" });
    store.toggle();
    store.command("step");
    expect(sent).toEqual(["hello", "resume"]);
  });
  it("reports what it can't understand and goes on", () => {
    const { store, emit } = setUp();
    emit({ op: "frame", ...HEADER, rows: 2 });
    expect(store.problem).toContain("expected 34 bytes");
    emit({ op: "state", ...HEADER, step: 4 });
    expect([store.problem, store.header.step]).toEqual(["", 4]);
  });
});
