export const FLOW_STYLE = `
.nbt-gf-plot { position: relative; overflow: hidden; border-radius: 4px; outline: none; cursor: grab; touch-action: pan-y; }
.nbt-gf-plot[data-drag] { cursor: grabbing; }
.nbt-gf-plot[data-over=box] { cursor: pointer; }
.nbt-gf-plot:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 2px; }
.nbt-gf-plot canvas + canvas { position: absolute; inset: 0; pointer-events: none; }
.nbt-gf-plot .nbt-empty { inset: 0; display: grid; place-items: center; }
.nbt-head .nbt-gf-search {
  width: 108px; height: 24px; margin: 0; padding: 0 8px; border: 1px solid var(--nbt-line); border-radius: 6px;
  background: none; color: var(--nbt-text); font: inherit; font-size: 12px; outline: none;
}
.nbt-gf-search::placeholder { color: var(--nbt-muted); opacity: 1; }
.nbt-gf-search:focus-visible { border-color: var(--nbt-accent); }
.nbt-gf .nbt-options { flex-wrap: wrap; }
.nbt-gf-finding { display: flex; align-items: center; gap: 8px; margin: 0 0 8px; padding: 4px 10px; border-left: 3px solid var(--nbt-bad); font-size: 12px; }
.nbt-gf .nbt-subtitle { margin-left: 0; }
.nbt-gf-finding[data-tone=warn] { border-color: var(--nbt-warn); }
.nbt-gf-finding[data-tone=note] { border-color: var(--nbt-line); color: var(--nbt-muted); }
.nbt-gf-finding[data-tone=path] { border-color: var(--nbt-accent); }
.nbt-gf-inspector { display: flex; flex-wrap: wrap; gap: 8px 28px; margin-top: 10px; padding-top: 10px; border-top: 1px solid var(--nbt-line); font-size: 12px; line-height: 16px; }
.nbt-gf-about { flex: 1 1 220px; min-width: 0; }
.nbt-gf-name { display: flex; align-items: center; gap: 12px; margin-bottom: 8px; }
.nbt-gf-path { font-family: var(--nbt-mono); font-weight: 600; overflow-wrap: anywhere; }
.nbt-gf-facts { display: flex; flex-wrap: wrap; gap: 6px 20px; }
.nbt-gf-time { flex: none; max-width: 100%; }
.nbt-gf-time canvas { margin-top: 4px; border-radius: 3px; cursor: pointer; }
.nbt-gf-parameters { flex: 1 1 180px; min-width: 0; }
.nbt-gf-row { display: flex; justify-content: space-between; gap: 12px; }
.nbt-gf-row span:first-child { font-family: var(--nbt-mono); font-size: 11px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.nbt-gf-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`;
