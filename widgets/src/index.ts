/** The module that every widget of nbtorch carries: its model's trait `kind` says which view this one is. */
import type { Model } from "./model";
import { RunBar } from "./runbar";
import { Seismograph } from "./seismograph";
import { RunStore } from "./store";
import { View, type Part } from "./view";

const KINDS: Record<string, (store: RunStore) => Part[]> = {
  runbar: (store) => [new RunBar(store)],
  seismograph: (store) => [new Seismograph(store)],
  monitor: (store) => [new RunBar(store), new Seismograph(store)],
};

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const kind = String(model.get("kind"));
  const parts = KINDS[kind];
  if (!parts) {
    el.textContent = `This version of nbtorch's widgets has no view of kind ${kind}.`;
    return () => {};
  }
  const store = new RunStore(model);
  const view = new View(kind, store, parts(store), el);
  return () => {
    view.dispose();
    store.dispose();
  };
}

export default { render };
