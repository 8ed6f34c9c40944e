/** The module that all widgets of nbtorch share: the trait `kind` of a widget's model says which of them it is. */
import { FindingsList, STYLE as FINDINGS_STYLE } from "./findings/findings";
import { GradFlow } from "./gradflow/gradflow";
import { FLOW_STYLE } from "./gradflow/style";
import { Boundary } from "./landscape/boundary";
import { landscape } from "./landscape/landscape";
import { STYLE as LANDSCAPE_STYLE } from "./landscape/look";
import { fitAndBowl } from "./fitandbowl/fitandbowl";
import { matmulFlow } from "./matmulflow/matmulflow";
import { nudge } from "./nudge/nudge";
import type { Model } from "./model";
import { Ridgelines, STYLE as RIDGES_STYLE } from "./ridgelines/ridgelines";
import { RunBar } from "./runbar";
import { Seismograph } from "./seismograph";
import { RunStore } from "./store";
import { stepper } from "./stepper/stepper";
import { Tabs, type Tab } from "./tabs";
import { UpdateRatio, STYLE as RATIO_STYLE } from "./updateratio/updateratio";
import { broadcastBoard, strideTape, tensorView } from "./tensorview";
import { View, type Part, type Widget } from "./view";
import { setLanguage, words } from "./words";

const WORDS = words(
  {
    run: "Training run", parts: "Views of the run", gradients: "Gradients", flow: "Flow", updates: "Updates", histograms: "Histograms",
    unknown: (kind: string) => `This version of nbtorch's widgets has no view of kind ${kind}.`,
  },
  {
    run: "학습", parts: "학습 보기", gradients: "그래디언트", flow: "흐름", updates: "갱신", histograms: "히스토그램",
    unknown: (kind: string) => `이 버전의 nbtorch 위젯에는 ${kind} 보기가 없습니다.`,
  },
);

/** A widget that shows a run: made of parts that share the run's store. */
function ofRun(...parts: ((store: RunStore) => Part)[]): (model: Model) => Widget {
  return (model) => {
    const store = new RunStore(model);
    return {
      wire: store,
      parts: parts.map((part) => part(store)),
      label: WORDS().run,
      keys: { " ": () => store.toggle(), ArrowRight: () => store.command("step") },
    };
  };
}

const runBar = (store: RunStore) => new RunBar(store);
const ridgelines = (store: RunStore) => new Ridgelines(store);
const updateRatio = (store: RunStore) => new UpdateRatio(store);
const seismograph = (store: RunStore) => new Seismograph(store);

const findings = (store: RunStore) => new FindingsList(store);
const gradFlow = (store: RunStore) => new GradFlow(store);

/** What stands below the run bar: one line for each part that shows the whole run. */
const monitorTabs = (store: RunStore): Tab[] => [
  { name: "gradients", label: WORDS().gradients, make: () => seismograph(store) },
  { name: "flow", label: WORDS().flow, make: () => gradFlow(store) },
  { name: "updates", label: WORDS().updates, make: () => updateRatio(store) },
  { name: "histograms", label: WORDS().histograms, make: () => ridgelines(store) },
];
const tabs = (store: RunStore) => new Tabs(monitorTabs(store), WORDS().parts, store.meta.key, () => store.schedule());

const styled = (make: (model: Model) => Widget, style: string) => (model: Model): Widget => ({ ...make(model), style });

const KINDS: Record<string, (model: Model) => Widget> = {
  stepper,
  runbar: ofRun(runBar),
  seismograph: ofRun(seismograph),
  monitor: styled(ofRun(runBar, findings, tabs), FINDINGS_STYLE + RATIO_STYLE + FLOW_STYLE + RIDGES_STYLE),
  ridgelines: styled(ofRun(ridgelines), RIDGES_STYLE),
  updateratio: styled(ofRun(updateRatio), RATIO_STYLE),
  landscape,
  gradflow: styled(ofRun(gradFlow), FLOW_STYLE),
  tensorview: tensorView,
  stridetape: strideTape,
  broadcastboard: broadcastBoard,
  matmulflow: matmulFlow,
  fitandbowl: fitAndBowl,
  nudge,
  boundary: styled(ofRun((store: RunStore) => new Boundary(store)), LANDSCAPE_STYLE),
};

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  setLanguage(model.get("language"));
  const kind = String(model.get("kind"));
  const make = KINDS[kind];
  if (!make) {
    el.textContent = WORDS().unknown(kind);
    return () => {};
  }
  const view = new View(kind, make(model), el);
  return () => view.dispose();
}

export default { render };
