import { isRecord, ProtocolError } from "../protocol";

export type Severity = "error" | "warning" | "note";

/** One thing that the doctor found; texts are title, evidence and remedy. */
export interface Finding {
  code: string;
  severity: Severity;
  step: number | null;
  layer: string | null;
  en: readonly [string, string, string];
  ko: readonly [string, string, string];
}

export interface Findings {
  findings: Finding[];
  /** How many steps were looked at. */
  examined: number;
}

const MOST = 32;

function texts(value: unknown): [string, string, string] {
  if (!Array.isArray(value) || value.length !== 3 || !value.every((text) => typeof text === "string")) {
    throw new ProtocolError("a finding has three texts in each language");
  }
  return value as [string, string, string];
}

/** The findings of a message; throws what is wrong with it. */
export function decodeFindings(content: Record<string, unknown>): Findings {
  const list = content["findings"];
  if (!Array.isArray(list)) throw new ProtocolError("findings: expected a list");
  const findings = list.slice(0, MOST).map((entry: unknown): Finding => {
    if (!isRecord(entry)) throw new ProtocolError("a finding: expected an object");
    const { code, severity, step, layer, en, ko } = entry;
    if (severity !== "error" && severity !== "warning" && severity !== "note") {
      throw new ProtocolError("a finding: unknown severity");
    }
    return {
      code: String(code), severity,
      step: typeof step === "number" && Number.isInteger(step) && step > 0 ? step : null,
      layer: typeof layer === "string" && layer ? layer : null,
      en: texts(en), ko: texts(ko),
    };
  });
  const examined = Number(content["examined"]);
  return { findings, examined: Number.isFinite(examined) && examined > 0 ? Math.floor(examined) : 0 };
}
