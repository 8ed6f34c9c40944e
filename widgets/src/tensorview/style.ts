export const STYLE = `
.nbt-tensor + .nbt-tensor { margin-top: 14px; padding-top: 12px; border-top: 1px solid var(--nbt-line); }
.nbt-name { font-family: var(--nbt-mono); font-size: 12px; font-weight: 600; overflow-wrap: anywhere; }
.nbt-fact-line { color: var(--nbt-muted); font-size: 12px; }
.nbt-tensor-head { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 12px; margin-bottom: 6px; min-height: 24px; }
.nbt-tensor-head .nbt-options { margin-left: auto; }
.nbt-panels { display: flex; flex-wrap: wrap; gap: 12px 28px; align-items: flex-start; }
.nbt-panel { min-width: 0; max-width: 100%; }
.nbt-panel > .nbt-label { margin-bottom: 4px; }
.nbt-grid { overflow: hidden; max-width: 100%; touch-action: pan-y; }
.nbt-panel-foot { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 12px; margin-top: 5px; color: var(--nbt-muted); font-size: 11px; line-height: 16px; }
.nbt-panel-foot .nbt-ramp { width: 88px; height: 8px; }
.nbt-sliders { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 8px; }
.nbt-slider { display: flex; align-items: center; gap: 8px; font-size: 12px; color: var(--nbt-muted); }
.nbt-slider input { width: 120px; margin: 0; accent-color: var(--nbt-accent); }
.nbt-slider output { min-width: 44px; color: var(--nbt-text); font-family: var(--nbt-mono); font-size: 12px; }
.nbt-readout { display: flex; flex-wrap: wrap; gap: 2px 18px; min-height: 26px; margin-top: 12px; padding-top: 8px;
  border-top: 1px solid var(--nbt-line); font-size: 12px; line-height: 18px; color: var(--nbt-muted); }
.nbt-readout b { color: var(--nbt-text); font-family: var(--nbt-mono); font-weight: 600; overflow-wrap: anywhere; }
.nbt-badge { display: inline-block; padding: 0 7px; border: 1px solid var(--nbt-line); border-radius: 9px; color: var(--nbt-muted); font-size: 11px; line-height: 16px; white-space: nowrap; }
.nbt-pick { margin: 0; padding: 0; border: 0; background: none; color: inherit; cursor: pointer; text-align: left; }
.nbt-pick:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 2px; border-radius: 2px; }
.nbt-tensor[data-active=true] .nbt-name { color: var(--nbt-accent); }
.nbt-tensor[data-active=true] .nbt-name::before { content: "▸ "; }
.nbt-views { display: flex; flex-wrap: wrap; gap: 14px 36px; align-items: flex-start; margin-top: 12px; }
.nbt-views .nbt-tensor { margin: 0; padding: 0; border: 0; min-width: 0; max-width: 100%; }
.nbt-views .nbt-tensor-head { flex-direction: column; align-items: flex-start; gap: 0; margin-bottom: 6px; }
.nbt-shapes { display: grid; width: max-content; max-width: 100%; margin-bottom: 8px; overflow-x: auto; font-size: 12px; }
.nbt-shapes > div { display: contents; }
.nbt-shapes span { padding: 2px 14px; text-align: center; line-height: 20px; border-left: 1px solid var(--nbt-line); }
.nbt-shapes span:first-child { padding-left: 0; text-align: left; border: 0; }
.nbt-shapes .nbt-size { font-family: var(--nbt-mono); font-weight: 600; }
.nbt-shapes .nbt-virtual { color: var(--nbt-muted); font-weight: 400; }
.nbt-shapes .nbt-clash { color: var(--nbt-bad); }
.nbt-shapes .nbt-why { color: var(--nbt-muted); font-size: 11px; }
.nbt-term { display: flex; gap: 18px; min-width: 0; max-width: 100%; }
.nbt-operator { align-self: center; padding-top: 18px; font-size: 18px; color: var(--nbt-muted); }
.nbt-panels.nbt-equation { gap: 12px 18px; }
.nbt-verdict { margin: 0 0 12px; font-size: 12px; color: var(--nbt-muted); }
.nbt-verdict[data-fits=false] { color: var(--nbt-text); padding-left: 10px; border-left: 3px solid var(--nbt-bad); }
.nbt-zoom button { min-width: 26px; }
`;
