import { EASE_OUT, FAST, NORMAL, SLOW } from "./motion";

/**
 * The look of all widgets: one type scale (11, 12, 13 and 15 px), one unit of space (4 px), the notebook's own colours.
 *
 * Notebook applications style plain elements (lists, headings, paragraphs), so the widgets are made of `div`s and
 * `span`s with roles, and of buttons and a table whose every visible property is set here.
 */
export const STYLE = `
.nbt-root {
  --nbt-fast: ${FAST}ms; --nbt-normal: ${NORMAL}ms; --nbt-slow: ${SLOW}ms; --nbt-ease: ${EASE_OUT};
  --nbt-text: var(--jp-ui-font-color1, var(--vscode-editor-foreground, CanvasText));
  --nbt-muted: var(--jp-ui-font-color2, var(--vscode-descriptionForeground, GrayText));
  --nbt-surface: var(--jp-layout-color1, var(--vscode-editor-background, Canvas));
  --nbt-line: var(--jp-border-color2, var(--vscode-panel-border, rgba(128, 128, 128, 0.35)));
  --nbt-fill: var(--jp-layout-color2, rgba(128, 128, 128, 0.14));
  --nbt-accent: var(--jp-brand-color1, var(--vscode-focusBorder, #1976d2));
  --nbt-good: var(--jp-success-color1, #388e3c);
  --nbt-warn: var(--jp-warn-color1, #f57c00);
  --nbt-bad: var(--jp-error-color1, #d32f2f);
  --nbt-mono: var(--jp-code-font-family, ui-monospace, monospace);
  position: relative;
  box-sizing: border-box;
  width: 100%;
  min-width: 260px;
  max-width: 1200px;
  margin: 4px 0;
  padding: 12px 16px;
  border: 1px solid var(--nbt-line);
  border-radius: 8px;
  background-color: var(--nbt-surface);
  color: var(--nbt-text);
  font: 13px/20px var(--jp-ui-font-family, system-ui, sans-serif);
  font-variant-numeric: tabular-nums;
  outline: none;
}
.nbt-root[data-theme=dark] {
  --nbt-accent: var(--jp-brand-color1, var(--vscode-focusBorder, #6cb6ff));
  --nbt-good: var(--jp-success-color1, #66bb6a);
  --nbt-warn: var(--jp-warn-color1, #ffa726);
  --nbt-bad: var(--jp-error-color1, #ff7a6b);
}
.nbt-root:focus-visible { border-color: var(--nbt-accent); box-shadow: 0 0 0 1px var(--nbt-accent); }
.nbt-root *, .nbt-root *::before { box-sizing: border-box; }
.nbt-root [hidden] { display: none !important; }
.nbt-root canvas { display: block; }

.nbt-bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
.nbt-controls { display: flex; border: 1px solid var(--nbt-line); border-radius: 6px; overflow: hidden; }
.nbt-button {
  display: grid; place-items: center; width: 34px; height: 30px; margin: 0; padding: 0; border: 0; border-radius: 0;
  background: none; color: var(--nbt-text); cursor: pointer;
}
.nbt-button + .nbt-button { border-left: 1px solid var(--nbt-line); }
.nbt-button svg { width: 16px; height: 16px; fill: currentColor; }
.nbt-button:hover { background: var(--nbt-fill); }
.nbt-button:active { background: var(--nbt-line); }
.nbt-button:focus-visible, .nbt-choice button:focus-visible, .nbt-plot:focus-visible {
  outline: 2px solid var(--nbt-accent); outline-offset: -2px;
}
.nbt-button[aria-disabled=true] { opacity: 0.35; cursor: default; background: none; }

.nbt-state { display: flex; align-items: center; gap: 8px; min-width: 84px; font-weight: 600; white-space: nowrap; }
.nbt-state::before { content: ""; flex: none; width: 8px; height: 8px; border-radius: 50%; background: var(--nbt-muted); }
[data-state=running] .nbt-state::before { background: var(--nbt-accent); animation: nbt-pulse calc(2 * var(--nbt-slow)) ease-in-out infinite; }
[data-state=paused] .nbt-state::before, [data-state=stopping] .nbt-state::before {
  background: var(--nbt-warn); border-radius: 1px;
}
[data-state=finished] .nbt-state::before { background: var(--nbt-good); }
[data-state=failed] .nbt-state::before, [data-state=interrupted] .nbt-state::before {
  background: var(--nbt-bad); border-radius: 1px; transform: rotate(45deg);
}
@keyframes nbt-pulse { 50% { opacity: 0.35; } }

.nbt-facts { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 4px 24px; margin-left: auto; }
.nbt-label { color: var(--nbt-muted); font-size: 11px; line-height: 14px; white-space: nowrap; }
.nbt-value { font-size: 15px; line-height: 20px; font-weight: 600; white-space: nowrap; }
.nbt-rest { color: var(--nbt-muted); font-size: 12px; line-height: 1; font-weight: 400; }
.nbt-facts .nbt-fact:nth-child(4) { min-width: 48px; }

.nbt-timeline { position: relative; height: 64px; margin-top: 8px; cursor: ew-resize; touch-action: pan-y; border-radius: 2px; }
.nbt-timeline:focus-within { outline: none; }
.nbt-timeline:not([data-pointer]):has(:focus-visible) { outline: 2px solid var(--nbt-accent); outline-offset: 2px; }
.nbt-timeline canvas { position: absolute; inset: 0; }
.nbt-scrub { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; pointer-events: none; }
.nbt-timeline + .nbt-progress { margin-top: 4px; }
.nbt-steering { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 8px 16px; margin-top: 10px; }
.nbt-steer { display: block; flex: 1 1 140px; max-width: 190px; margin: 0; }
.nbt-steer-head { display: flex; align-items: baseline; gap: 6px; white-space: nowrap; }
.nbt-steer-head .nbt-label { margin-right: auto; line-height: 16px; }
.nbt-steer-value { font-size: 12px; line-height: 16px; font-weight: 600; }
.nbt-steer-rest { color: var(--nbt-muted); font-size: 11px; line-height: 16px; margin-right: -2px; }
.nbt-steer-rest.nbt-alarm { color: var(--nbt-text); }
.nbt-steer-rest.nbt-alarm::before { content: "✂ "; }
.nbt-range {
  -webkit-appearance: none; appearance: none; display: block; width: 100%; height: 16px; margin: 0; padding: 0; border: 0;
  background: none; cursor: pointer; outline: none;
}
.nbt-range::-webkit-slider-runnable-track {
  height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--nbt-accent) calc(6px + (100% - 12px) * var(--nbt-at, 0)), var(--nbt-line) 0);
}
.nbt-range::-moz-range-track { height: 4px; border-radius: 2px; background: var(--nbt-line); }
.nbt-range::-moz-range-progress { height: 4px; border-radius: 2px; background: var(--nbt-accent); }
.nbt-range::-webkit-slider-thumb {
  -webkit-appearance: none; appearance: none; width: 12px; height: 12px; margin-top: -4px; border: 2px solid var(--nbt-accent);
  border-radius: 50%; background: var(--nbt-surface);
}
.nbt-range::-moz-range-thumb {
  box-sizing: border-box; width: 12px; height: 12px; border: 2px solid var(--nbt-accent); border-radius: 50%;
  background: var(--nbt-surface);
}
.nbt-range:hover::-webkit-slider-thumb { background: var(--nbt-accent); }
.nbt-range:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 1px; border-radius: 4px; }
.nbt-range:disabled { opacity: 0.4; cursor: default; }
.nbt-back {
  display: flex; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 4px 8px; min-height: 26px; margin-left: auto;
}
.nbt-where { color: var(--nbt-muted); font-size: 12px; line-height: 16px; }
.nbt-action {
  height: 26px; margin: 0; padding: 0 10px; border: 1px solid var(--nbt-line); border-radius: 6px; background: none;
  color: var(--nbt-text); font: inherit; font-size: 12px; line-height: 24px; white-space: nowrap; cursor: pointer;
}
.nbt-action:hover { background: var(--nbt-fill); }
.nbt-action:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: -1px; }

.nbt-progress { height: 4px; margin-top: 10px; border-radius: 2px; background: var(--nbt-fill); overflow: hidden; }
.nbt-progress > div {
  width: 100%; height: 100%; border-radius: 2px; background: var(--nbt-accent);
  transform: scaleX(0); transform-origin: left; transition: transform var(--nbt-fast) linear;
}
[data-state=finished] .nbt-progress > div { background: var(--nbt-good); }
[data-state=failed] .nbt-progress > div, [data-state=interrupted] .nbt-progress > div { background: var(--nbt-bad); }
[data-state=stopped] .nbt-progress > div, [data-state=left] .nbt-progress > div { background: var(--nbt-muted); }
.nbt-note { margin-top: 8px; padding-left: 10px; border-left: 3px solid var(--nbt-warn); font-size: 12px; }

.nbt-map { position: relative; }
.nbt-part + .nbt-part {
  margin-top: 14px; padding-top: 12px; border-top: 1px solid var(--nbt-line);
}
.nbt-tabs { display: flex; flex-wrap: wrap; gap: 0 20px; margin: -4px 0 12px; border-bottom: 1px solid var(--nbt-line); }
.nbt-tab {
  height: 30px; margin: 0; padding: 0; border: 0; border-radius: 0; background: none; color: var(--nbt-muted); font: inherit;
  line-height: 30px; cursor: pointer; white-space: nowrap; transition: color var(--nbt-fast);
}
.nbt-tab:hover { color: var(--nbt-text); }
.nbt-tab[aria-selected=true] { color: var(--nbt-text); font-weight: 600; box-shadow: inset 0 -2px var(--nbt-accent); }
.nbt-tab:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: -2px; }

.nbt-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; margin-bottom: 8px; }
.nbt-title { font-weight: 600; }
.nbt-subtitle { color: var(--nbt-muted); font-size: 12px; margin-left: -4px; }
.nbt-options { display: flex; flex-wrap: wrap; gap: 6px 8px; margin-left: auto; }
.nbt-choice { display: flex; border: 1px solid var(--nbt-line); border-radius: 6px; overflow: hidden; }
.nbt-choice button {
  height: 22px; margin: 0; padding: 0 10px; border: 0; border-radius: 0; background: none; color: var(--nbt-muted);
  font: inherit; font-size: 12px; line-height: 22px; cursor: pointer; white-space: nowrap;
}
.nbt-choice button + button { border-left: 1px solid var(--nbt-line); }
.nbt-choice button:hover { color: var(--nbt-text); }
.nbt-choice button[aria-pressed=true] { background: var(--nbt-fill); color: var(--nbt-text); }

.nbt-input, .nbt-select {
  height: 24px; margin: 0; padding: 0 8px; border: 1px solid var(--nbt-line); border-radius: 6px; background: none;
  color: var(--nbt-text); font: inherit; font-size: 12px; line-height: 22px; outline-offset: -1px;
}
.nbt-input { width: 116px; }
.nbt-input::placeholder { color: var(--nbt-muted); opacity: 1; }
.nbt-input:focus-visible, .nbt-select:focus-visible { outline: 2px solid var(--nbt-accent); }
.nbt-select { height: 18px; padding: 0 2px; border: 0; font-size: 11px; line-height: 16px; cursor: pointer; }
.nbt-select option { background: var(--nbt-surface); color: var(--nbt-text); }
.nbt-name {
  margin: 0; padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: left; cursor: pointer;
  overflow-wrap: anywhere;
}
.nbt-name:hover { text-decoration: underline; }
.nbt-name[aria-pressed=true] { color: var(--nbt-accent); font-weight: 600; }
.nbt-name:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 1px; }

.nbt-scroll { max-height: 420px; overflow: hidden auto; }
.nbt-plot { position: relative; border-radius: 2px; outline: none; }
.nbt-plot .nbt-over { position: absolute; inset: 0; pointer-events: none; }
.nbt-foot { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; min-height: 18px; margin-top: 6px; color: var(--nbt-muted);
  font-size: 11px; line-height: 16px; }
.nbt-legend { display: flex; align-items: center; gap: 8px; white-space: nowrap; }
/* The choice of what a scale fits, beside it. */
.nbt-fit { display: flex; align-items: center; gap: 4px; white-space: nowrap; }
.nbt-ramp { position: relative; width: 160px; height: 10px; border-radius: 2px; }
.nbt-marks { display: flex; flex-wrap: wrap; gap: 4px 14px; margin-left: auto; }
.nbt-mark { display: flex; align-items: center; gap: 6px; white-space: nowrap; }
.nbt-tip {
  position: absolute; z-index: 2; top: 0; left: 0; padding: 5px 9px; border: 1px solid var(--nbt-line); border-radius: 6px;
  background: var(--nbt-surface); color: var(--nbt-text); box-shadow: 0 2px 8px rgba(0, 0, 0, 0.22);
  font-size: 12px; line-height: 16px; white-space: nowrap; pointer-events: none; max-width: 100%;
}
.nbt-tip b { display: block; overflow: hidden; text-overflow: ellipsis; font-family: var(--nbt-mono); font-weight: 600; font-size: 12px; }
.nbt-tip span { color: var(--nbt-muted); }
.nbt-spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.nbt-empty { position: absolute; text-align: center; color: var(--nbt-muted); font-size: 12px; pointer-events: none; }

.nbt-scroll table.nbt-table { width: 100%; margin: 0; border: 0; border-collapse: collapse; font: inherit; font-size: 12px; table-layout: auto; }
.nbt-table th, .nbt-table td { padding: 3px 8px; border: 0; border-bottom: 1px solid var(--nbt-line); text-align: right; color: inherit; background: none; }
.nbt-table thead th { position: sticky; top: 0; background: var(--nbt-surface); color: var(--nbt-muted); font-size: 11px; font-weight: 400; }
.nbt-table th:first-child { text-align: left; padding-left: 0; }
.nbt-table tbody th { font-family: var(--nbt-mono); font-weight: 400; overflow-wrap: anywhere; }
.nbt-table tbody tr { background: none; }

@media (prefers-reduced-motion: reduce) {
  .nbt-root *, .nbt-root *::before { animation: none !important; transition: none !important; }
}
/* Where people ask for high contrast nothing is muted, and lines are as strong as text. */
@media (prefers-contrast: more) { .nbt-root { --nbt-muted: var(--nbt-text); --nbt-line: var(--nbt-text); } }
body[data-jp-theme-name*="High Contrast"] .nbt-root { --nbt-muted: var(--nbt-text); --nbt-line: var(--jp-border-color0, currentColor); }
body[data-jp-theme-name*="High Contrast"] .nbt-choice button[aria-pressed=true] { background: var(--nbt-text); color: var(--nbt-surface); }

/* The system's own colours: what says something by its background keeps it, in colours of the system. */
@media (forced-colors: active) {
  .nbt-range { -webkit-appearance: auto; appearance: auto; }
  .nbt-root {
    --nbt-text: CanvasText; --nbt-muted: CanvasText; --nbt-surface: Canvas; --nbt-line: CanvasText; --nbt-accent: Highlight;
  }
  .nbt-ramp, .nbt-progress, .nbt-progress > div, .nbt-state::before, .nbt-choice button[aria-pressed=true] { forced-color-adjust: none; }
  .nbt-root .nbt-progress { background: Canvas; outline: 1px solid CanvasText; }
  .nbt-root .nbt-progress > div { background: Highlight; }
  .nbt-root .nbt-state::before { background: CanvasText; }
  .nbt-root .nbt-choice button[aria-pressed=true] { background: Highlight; color: HighlightText; }
  .nbt-root .nbt-tab[aria-selected=true] { border-bottom: 3px solid Highlight; }
  .nbt-root .nbt-button[aria-disabled=true] { color: GrayText; opacity: 1; }
}
`;
