/**
 * The module that each widget carries: a few lines that fetch the code all widgets share from the one model that holds
 * it, and run it. A notebook saves a widget's module with the widget, every time; so the large one is saved once.
 */
import type { Model } from "./model";

interface Managed extends Model {
  widget_manager: { get_model(id: string): Promise<{ get(name: string): unknown }> };
}

interface Code {
  default: { render(context: { model: Model; el: HTMLElement }): () => void };
}

const PREFIX = "IPY_MODEL_";
const PAGE = Symbol.for("nbtorch.code");

/** The shared code, imported once in a page for each version of it. */
async function load(model: Managed): Promise<Code> {
  const holder = await model.widget_manager.get_model(String(model.get("code")).slice(PREFIX.length));
  const page = globalThis as unknown as Record<symbol, Map<string, Promise<Code>> | undefined>;
  const loaded = (page[PAGE] ??= new Map<string, Promise<Code>>());
  const source = String(holder.get("source"));
  let code = loaded.get(source);
  if (!code) {
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    code = import(url) as Promise<Code>;
    loaded.set(source, code);
  }
  return code;
}

async function render(context: { model: Managed; el: HTMLElement }): Promise<() => void> {
  let code: Code;
  try {
    code = await load(context.model);
  } catch {
    context.el.textContent = "The code of nbtorch's widgets isn't in this notebook any more. Run the cell again.";
    return () => {};
  }
  return code.default.render(context);
}

export default { render };
