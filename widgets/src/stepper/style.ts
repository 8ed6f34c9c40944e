/** The look of the stepper, beside the family's. */
export const STYLE = `
.nbt-st-part {
  container-type: inline-size;
  /* Text needs more contrast than a line: the notebook's colours, drawn towards its text. */
  --st-accent: color-mix(in srgb, var(--nbt-accent) 68%, var(--nbt-text));
  --st-good: color-mix(in srgb, var(--nbt-good) 68%, var(--nbt-text));
  --st-bad: color-mix(in srgb, var(--nbt-bad) 72%, var(--nbt-text));
}
.nbt-st-part .nbt-options { flex-wrap: wrap; }
.nbt-st-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; margin-bottom: 10px; }
.nbt-st-bar input[type=range] { flex: 1 1 140px; min-width: 90px; max-width: 420px; height: 20px; margin: 0; accent-color: var(--nbt-accent); }
.nbt-st-bar output { color: var(--nbt-muted); font-size: 12px; white-space: nowrap; }
.nbt-st-body { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0 20px; align-items: start; }
@container (max-width: 640px) { .nbt-st-body { grid-template-columns: minmax(0, 1fr); gap: 12px; } }
.nbt-st-graph { max-height: 520px; overflow: auto; text-align: center; border-radius: 6px; scrollbar-width: thin; }
@container (max-width: 640px) { .nbt-st-graph { max-height: 440px; } }
.nbt-st-graph svg { display: inline-block; vertical-align: top; }
.nbt-st-graph text { font: 12px var(--jp-ui-font-family, system-ui, sans-serif); fill: var(--nbt-text); }
.nbt-st-node { cursor: pointer; }
.nbt-st-node > rect { fill: var(--nbt-surface); stroke: var(--nbt-line); transition: stroke var(--nbt-fast), fill var(--nbt-fast); }
.nbt-st-node.nbt-st-known > rect { stroke: var(--nbt-muted); }
.nbt-st-leaf > rect { fill: var(--nbt-fill); }
.nbt-st-cut > rect { stroke-dasharray: 4 3; }
.nbt-st-node > .nbt-st-tab { fill: var(--nbt-muted); stroke: none; }
.nbt-st-node.nbt-st-active > rect:first-child { stroke: var(--nbt-accent); stroke-width: 2.5; fill: color-mix(in srgb, var(--nbt-accent) 12%, var(--nbt-surface)); }
.nbt-st-node.nbt-st-wrong > rect:first-child { stroke: var(--nbt-bad); stroke-width: 2; stroke-dasharray: 5 3; }
.nbt-st-graph .nbt-st-name { font-weight: 600; font-family: var(--nbt-mono); }
.nbt-st-node:not(.nbt-st-known) .nbt-st-name { fill: var(--nbt-muted); font-weight: 400; }
.nbt-st-graph .nbt-st-label { text-anchor: end; fill: var(--nbt-muted); font-size: 11px; }
.nbt-st-graph .nbt-st-value { font-size: 12px; }
.nbt-st-graph .nbt-st-grad { text-anchor: end; fill: var(--st-accent); font-weight: 600; }
.nbt-st-wrong .nbt-st-grad { fill: var(--st-bad); }
.nbt-st-wrong .nbt-st-label { fill: var(--st-good); font-weight: 600; font-size: 12px; }
.nbt-st-line { fill: none; stroke: var(--nbt-line); stroke-width: 1.25; }
.nbt-st-carried { stroke: var(--st-accent); stroke-width: 1.5; opacity: 0.6; }
.nbt-st-line.nbt-st-now { stroke-width: 2.5; opacity: 1; }
.nbt-st-pill { fill: var(--nbt-surface); stroke: var(--nbt-line); }
.nbt-st-pill.nbt-st-now { fill: var(--nbt-accent); stroke: var(--nbt-accent); }
.nbt-st-graph .nbt-st-flow { text-anchor: middle; font-size: 11px; }
.nbt-st-graph .nbt-st-flow.nbt-st-now { fill: var(--nbt-surface); font-weight: 600; }

.nbt-st-card { min-height: 220px; padding: 12px 14px; border-radius: 8px; background: color-mix(in srgb, var(--nbt-fill) 55%, transparent); }
.nbt-st-heading { margin-bottom: 6px; font-size: 15px; font-weight: 600; overflow-wrap: anywhere; }
.nbt-st-text { max-width: 52ch; color: var(--nbt-muted); }
.nbt-st-formula { margin: 4px 0 8px; font-size: 16px; line-height: 1.6; overflow-x: auto; overflow-y: hidden; }
.nbt-root math { font-size: 1.05em; }
.nbt-root .nbt-st-formula math, .nbt-root .nbt-st-content math { font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math, serif; }
.nbt-st-numbers { color: var(--nbt-muted); }
.nbt-st-row { display: grid; grid-template-columns: 112px minmax(0, 1fr); gap: 4px 10px; align-items: center; min-height: 26px; }
@container (max-width: 420px) { .nbt-st-row { grid-template-columns: minmax(0, 1fr); gap: 0; } .nbt-st-row .nbt-label { padding-top: 5px; } }
.nbt-st-row .nbt-label { white-space: normal; overflow-wrap: anywhere; }
.nbt-st-content { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; overflow-x: auto; overflow-y: hidden; padding: 2px 0; }
.nbt-st-derivation { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; font-size: 15px; }
.nbt-st-pass { margin-top: 8px; padding-top: 6px; border-top: 1px solid var(--nbt-line); }
.nbt-st-target { font-weight: 600; font-family: var(--nbt-mono); font-size: 12px; }
.nbt-st-number { font-weight: 600; }
.nbt-st-mono { font-family: var(--nbt-mono); font-size: 12px; }
.nbt-st-muted { color: var(--nbt-muted); font-size: 12px; }
.nbt-st-none { color: var(--nbt-muted); }
.nbt-st-hidden { padding: 0 8px; border: 1px dashed var(--nbt-muted); border-radius: 4px; color: var(--nbt-muted); font-size: 12px; }
.nbt-st-bad { color: var(--st-bad); font-weight: 600; font-size: 12px; }
.nbt-st-good { color: var(--st-good); font-weight: 600; font-size: 12px; }
.nbt-st-hint { color: var(--nbt-text); }
.nbt-st-badge { padding: 0 7px; border: 1px solid currentColor; border-radius: 9px; font-size: 11px; line-height: 17px; white-space: nowrap; color: var(--st-good); }
.nbt-st-badge.nbt-st-differs { color: var(--st-bad); }
.nbt-st-badge.nbt-st-kink { color: var(--nbt-muted); }
.nbt-st-tensor { display: inline-flex; flex-direction: column; gap: 2px; max-width: 100%; }
.nbt-st-cells { display: grid; gap: 1px; border-radius: 3px; overflow: hidden; font-size: 11px; line-height: 20px; text-align: center; }
.nbt-st-cells span { padding: 0 4px; }
.nbt-st-cells .nbt-st-nan { background: repeating-linear-gradient(135deg, var(--nbt-bad) 0 1.5px, transparent 1.5px 5px); }
.nbt-st-image { border: 1px solid var(--nbt-line); border-radius: 2px; image-rendering: pixelated; }
.nbt-st-quiz { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; margin-top: 6px; padding: 8px 10px; border: 1px solid var(--nbt-accent); border-radius: 6px; }
.nbt-st-quiz > span { flex-basis: 100%; }
.nbt-st-verdict { flex-basis: 100%; font-size: 12px; }
.nbt-root .nbt-st-input {
  width: 84px; height: 24px; margin: 0; padding: 0 6px; border: 1px solid var(--nbt-muted); border-radius: 4px; background: var(--nbt-surface);
  color: var(--nbt-text); font: inherit; font-size: 12px; box-shadow: none;
}
.nbt-root .nbt-st-input:focus-visible, .nbt-st-button:focus-visible, .nbt-st-select:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 0; }
.nbt-root .nbt-st-input:disabled { opacity: 0.6; }
.nbt-root .nbt-st-select { height: 24px; margin: 0 6px 0 0; padding: 0 2px; border: 1px solid var(--nbt-muted); border-radius: 4px; background: var(--nbt-surface); color: var(--nbt-text); font: inherit; font-size: 12px; }
.nbt-st-button { height: 24px; margin: 0; padding: 0 10px; border: 1px solid var(--nbt-line); border-radius: 4px; background: var(--nbt-surface); color: var(--nbt-text); font: inherit; font-size: 12px; white-space: nowrap; cursor: pointer; }
.nbt-st-button:hover { background: var(--nbt-fill); }
.nbt-st-leaves { max-height: 220px; margin-top: 14px; overflow: auto; }
.nbt-st-part table.nbt-table { width: 100%; margin: 0; border: 0; border-collapse: collapse; color: inherit; font: inherit; font-size: 12px; table-layout: auto; }
.nbt-st-part .nbt-table th, .nbt-st-part .nbt-table td { text-align: left; }
.nbt-st-part .nbt-table thead th:first-child, .nbt-st-part .nbt-table tbody th { padding-left: 0; }
@container (max-width: 420px) {
  .nbt-st-leaves .nbt-table th, .nbt-st-leaves .nbt-table td { padding: 3px 4px; white-space: normal; }
  .nbt-st-leaves .nbt-st-input { width: 58px; }
  .nbt-st-leaves .nbt-st-badge { border: 0; padding: 0; }
}
.nbt-st-steps { max-height: 520px; overflow: auto; }
.nbt-st-steps tr[aria-current=step] > * { background: color-mix(in srgb, var(--nbt-accent) 14%, transparent); }
.nbt-st-steps tbody tr { cursor: pointer; }
.nbt-st-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { .nbt-st-active > rect { stroke: Highlight !important; } .nbt-st-pill.nbt-st-now { fill: Canvas; } .nbt-st-flow.nbt-st-now { fill: CanvasText !important; } }
`;
