import { make, setText } from "../dom";
import * as format from "../format";
import type { RunStore } from "../store";
import type { Part } from "../view";
import { decodeFindings, type Finding, type Findings } from "./message";
import { WORDS } from "./words";

export const STYLE = `
.nbt-findings { font-size: 12px; line-height: 16px; }
.nbt-findings-quiet { display: flex; flex-wrap: wrap; gap: 0 8px; color: var(--nbt-muted); }
.nbt-findings-list { display: flex; flex-direction: column; gap: 8px; }
.nbt-finding {
  display: flex; align-items: flex-start; gap: 8px; padding-left: 10px; border-left: 3px solid var(--nbt-muted);
}
.nbt-finding[data-severity=error] { border-left-color: var(--nbt-bad); }
.nbt-finding[data-severity=warning] { border-left: 3px dashed var(--nbt-warn); }
.nbt-finding-body { flex: 1; min-width: 0; }
.nbt-finding button.nbt-finding-head {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 8px; width: 100%; margin: 0; padding: 0; border: 0;
  background: none; color: inherit; font: inherit; text-align: left; cursor: pointer;
}
.nbt-finding-title { font-weight: 600; font-size: 13px; line-height: 20px; }
.nbt-finding-head:hover .nbt-finding-title { text-decoration: underline; }
.nbt-finding-head[aria-pressed=true] .nbt-finding-title { color: var(--nbt-accent); }
.nbt-finding-where { color: var(--nbt-muted); font-size: 11px; overflow-wrap: anywhere; }
.nbt-finding-where code { font-family: var(--nbt-mono); font-size: 11px; background: none; color: inherit; padding: 0; }
.nbt-finding-evidence { max-width: 92ch; overflow-wrap: anywhere; }
.nbt-finding-remedy { max-width: 92ch; color: var(--nbt-muted); overflow-wrap: anywhere; }
.nbt-finding button.nbt-dismiss, .nbt-findings button.nbt-recall {
  flex: none; margin: 0; padding: 0 6px; border: 0; border-radius: 4px; background: none; color: var(--nbt-muted);
  font: inherit; font-size: 12px; line-height: 20px; cursor: pointer;
}
.nbt-finding .nbt-dismiss:hover, .nbt-findings .nbt-recall:hover { background: var(--nbt-fill); color: var(--nbt-text); }
.nbt-findings button:focus-visible { outline: 2px solid var(--nbt-accent); outline-offset: 1px; border-radius: 4px; }
@media (forced-colors: active) { .nbt-finding { border-left-color: CanvasText; } }
`;

/** What the doctor found: where, since when, the numbers, and what helps; a quiet mark where there is nothing. */
export class FindingsList implements Part {
  readonly element: HTMLElement;
  private readonly quiet = make("div", "nbt-findings-quiet");
  private readonly list = make("div", "nbt-findings-list", { role: "list" });
  private readonly recall = make("button", "nbt-recall", { type: "button" });
  private readonly spoken = make("div", "nbt-findings-spoken", { role: "status", "aria-live": "polite" });
  private readonly dismissed = new Set<string>();
  private found: Findings | null = null;
  private changed = true;
  private selected = "";

  constructor(private readonly store: RunStore) {
    this.spoken.style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
    this.recall.addEventListener("click", () => {
      this.dismissed.clear();
      this.refresh();
    });
    this.element = make("section", "nbt-part nbt-findings", { "aria-label": WORDS().title }, [
      this.quiet, this.list, this.recall, this.spoken,
    ]);
    store.feed("findings", (header) => {
      this.found = decodeFindings(header);
      this.refresh();
    });
    store.want("findings", true);
  }

  update(): void {
    const selected = `${this.store.selection.step}/${this.store.selection.name}`;
    if (!this.changed && selected === this.selected) return;
    this.changed = false;
    this.selected = selected;
    const findings = this.found?.findings ?? [];
    const open = findings.filter((finding) => !this.dismissed.has(key(finding)));
    const hidden = findings.length - open.length;
    this.quiet.hidden = open.length > 0;
    const examined = this.found?.examined ?? 0;
    this.quiet.replaceChildren(
      make("span", "", {}, [examined ? `✓ ${WORDS().none}` : WORDS().waiting]),
      make("span", "", {}, [examined ? WORDS().examined(examined) : ""]),
    );
    this.quiet.dataset["examined"] = String(examined);
    this.recall.hidden = hidden === 0;
    setText(this.recall, WORDS().dismissed(hidden));
    const focused = this.list.querySelector<HTMLElement>(":focus")?.dataset["key"];
    this.list.hidden = open.length === 0;
    this.list.replaceChildren(...open.map((finding) => this.row(finding)));
    if (focused) {
      [...this.list.querySelectorAll<HTMLElement>("[data-key]")].find((item) => item.dataset["key"] === focused)?.focus();
    }
    setText(this.spoken, open.length ? WORDS().spoken(open.map((finding) => this.texts(finding)[0]).join("; ")) : "");
  }

  dispose(): void {
    this.store.want("findings", false);
  }

  private refresh(): void {
    this.changed = true;
    this.store.schedule();
  }

  private texts(finding: Finding): readonly [string, string, string] {
    return WORDS().language === "ko" ? finding.ko : finding.en;
  }

  private row(finding: Finding): HTMLElement {
    const [title, evidence, remedy] = this.texts(finding);
    const { selection } = this.store;
    const chosen = (finding.step === null || selection.step === finding.step)
      && (finding.layer === null || selection.name === finding.layer)
      && (finding.step !== null || finding.layer !== null);
    const where = make("span", "nbt-finding-where", {}, [WORDS()[finding.severity]]);
    if (finding.step !== null) where.append(` · ${WORDS().step(format.count(finding.step))}`);
    if (finding.layer !== null) where.append(" · ", make("code", "", {}, [finding.layer]));
    const head = make("button", "nbt-finding-head", {
      type: "button", "aria-pressed": String(chosen), "data-key": `${key(finding)} head`,
    }, [make("span", "nbt-finding-title", {}, [title]), where]);
    head.addEventListener("click", () => {
      const none = finding.step === null && finding.layer === null;
      if (!none) selection.choose(chosen ? { step: null, name: null } : { step: finding.step, name: finding.layer });
    });
    const dismiss = make("button", "nbt-dismiss", {
      type: "button", "aria-label": WORDS().dismiss(title), title: WORDS().dismiss(title), "data-key": `${key(finding)} x`,
    }, ["✕"]);
    dismiss.addEventListener("click", () => {
      this.dismissed.add(key(finding));
      this.refresh();
    });
    return make("div", "nbt-finding", { role: "listitem", "data-severity": finding.severity, "data-code": finding.code }, [
      make("div", "nbt-finding-body", {}, [
        head,
        make("div", "nbt-finding-evidence", {}, [evidence]),
        make("div", "nbt-finding-remedy", {}, [`→ ${remedy}`]),
      ]),
      dismiss,
    ]);
  }
}

function key(finding: Finding): string {
  return `${finding.code} ${finding.layer ?? ""}`;
}
