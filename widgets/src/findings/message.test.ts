import { describe, expect, it } from "vitest";
import { decodeFindings } from "./message";

const texts = ["title", "evidence", "remedy"];
const finding = { code: "vanishing", severity: "error", step: 3, layer: "0.weight", en: texts, ko: texts };

describe("findings", () => {
  it("are read", () => {
    expect(decodeFindings({ findings: [finding], examined: 12 })).toEqual({ findings: [finding], examined: 12 });
  });
  it("may lack a step and a layer", () => {
    const [read] = decodeFindings({ findings: [{ ...finding, step: null, layer: "" }] }).findings;
    expect([read?.step, read?.layer]).toEqual([null, null]);
  });
  it.each([{}, { findings: 3 }, { findings: [3] }, { findings: [{ ...finding, severity: "x" }] },
    { findings: [{ ...finding, en: ["a"] }] }, { findings: [{ ...finding, ko: null }] }])("refuse %j", (message) => {
    expect(() => decodeFindings(message)).toThrow();
  });
});
