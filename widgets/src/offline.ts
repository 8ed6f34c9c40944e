/**
 * Shows the widgets that are saved in a page: one made by `save_html`, or an exported notebook. Nothing is fetched, and
 * there is no kernel: what a widget sends goes nowhere, what it sets stays in the page.
 */
import type { Model } from "./model";

interface SavedModel {
  model_module: string;
  state: Record<string, unknown>;
  buffers?: { path: (string | number)[]; data: string }[];
}

type Listener = (...values: unknown[]) => void;

const TYPE = "application/vnd.jupyter.widget-";

class OfflineModel implements Model {
  private readonly listeners = new Map<string, Set<Listener>>();

  constructor(private readonly state: Record<string, unknown>, readonly widget_manager: { get_model(id: string): Promise<Model> }) {}

  get(key: string): unknown {
    return this.state[key];
  }

  set(key: string, value: unknown): void {
    this.state[key] = value;
    for (const event of [`change:${key}`, "change"]) for (const listener of this.listeners.get(event) ?? []) listener(this, value);
  }

  save_changes(): void {}

  send(): void {}

  on(event: string, listener: Listener): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set<Listener>()).add(listener));
  }

  off(event: string, listener: Listener): void {
    this.listeners.get(event)?.delete(listener);
  }
}

/** The models of the page; buffers are put where they belong. */
function models(): Map<string, OfflineModel> {
  const found = new Map<string, OfflineModel>();
  const manager = {
    get_model: (id: string) => {
      const model = found.get(id);
      return model ? Promise.resolve(model) : Promise.reject(new Error(`no model ${id}`));
    },
  };
  for (const script of document.querySelectorAll(`script[type="${TYPE}state+json"]`)) {
    const saved = (JSON.parse(script.textContent ?? "") as { state: Record<string, SavedModel> }).state;
    for (const [id, { state, buffers }] of Object.entries(saved)) {
      for (const { path, data } of buffers ?? []) {
        let place = state as Record<string | number, unknown>;
        for (const key of path.slice(0, -1)) place = place[key] as Record<string | number, unknown>;
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        place[path.at(-1) ?? ""] = new DataView(bytes.buffer);
      }
      found.set(id, new OfflineModel(state, manager));
    }
  }
  return found;
}

async function show(model: OfflineModel, el: HTMLElement): Promise<void> {
  const url = URL.createObjectURL(new Blob([String(model.get("_esm"))], { type: "text/javascript" }));
  const { default: widget } = (await import(url)) as { default: { render(context: { model: Model; el: HTMLElement }): unknown } };
  await widget.render({ model, el });
}

// Runs see by this that nobody hears their commands.
(globalThis as unknown as Record<symbol, boolean>)[Symbol.for("nbtorch.offline")] = true;
const all = models();
for (const script of document.querySelectorAll(`script[type="${TYPE}view+json"]`)) {
  const { model_id } = JSON.parse(script.textContent ?? "") as { model_id: string };
  const model = all.get(model_id);
  if (!model?.get("_esm")) continue; // not one of ours
  const el = document.createElement("div");
  script.after(el);
  show(model, el).catch((error: unknown) => (el.textContent = String(error)));
}
