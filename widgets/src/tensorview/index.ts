import type { Model } from "../model";
import type { Part, Widget } from "../view";
import { Wire } from "../wire";
import { BroadcastBoard } from "./board";
import { STYLE } from "./style";
import { StrideTape } from "./tape";
import { TensorView } from "./view";
import { WORDS } from "./words";

/** A widget of one part that has no run. */
function alone(make: (wire: Wire) => Part, label: () => string): (model: Model) => Widget {
  return (model) => {
    const wire = new Wire(model);
    return { wire, parts: [make(wire)], label: label(), style: STYLE };
  };
}

export const tensorView = alone((wire) => new TensorView(wire), () => WORDS().tensor);
export const strideTape = alone((wire) => new StrideTape(wire), () => WORDS().memory);
export const broadcastBoard = alone((wire) => new BroadcastBoard(wire), () => WORDS().broadcast);
