import { measure } from "../format";
import type { Advice } from "../updates";
import { words } from "../words";

/** log10 of the ratio that the rule of thumb asks for, and the band around it; as in `updates.py`. */
export const GUIDE = -3;
export const BAND = [-4, -2] as const;

/** A logarithm with one decimal. */
export function logarithm(value: number): string {
  return value.toFixed(1).replace("-", "−").replace(/^−0\.0$/, "0.0");
}

/** A learning rate in two digits. */
function rate(value: number): string {
  return measure(Number(value.toPrecision(2)), value >= 1e-3 ? 2 : 1).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** How many times, in one digit or two. */
function times(distance: number): string {
  const factor = 10 ** Math.abs(distance);
  return factor < 10 ? factor.toPrecision(1) : factor < 1e5 ? String(Number(factor.toPrecision(2))) : measure(factor, 1);
}

function list(names: readonly string[], and: (rest: number) => string): string {
  const shown = names.slice(0, 3).map((name) => (name.length > 40 ? `${name.slice(0, 13)}…${name.slice(-26)}` : name));
  return shown.join(", ") + (names.length > 3 ? and(names.length - 3) : "");
}

type Names = { fast: readonly string[]; slow: readonly string[] };

export const WORDS = words(
  {
    title: "Update ratio",
    subtitle: "log₁₀(std Δw / std w)",
    region: "Update ratio of each parameter",
    keys: "Update ratios; arrow keys move a cursor, Enter selects",
    lines: "Lines",
    strips: "Strips",
    table: "Table",
    looks: "Look",
    step: "step",
    empty: "The first measured update will appear here",
    guide: "rule of thumb −3",
    band: "within a factor of 10",
    slower: "too slow",
    faster: "too fast",
    unchanged: "unchanged",
    unknown: "unknown: frozen, a single number, or all weights equal",
    weight: "‖w‖",
    update: "‖Δw‖",
    ratio: "ratio",
    parameter: "Parameter",
    columns: ["log₁₀ ratio", "Ratio", "Weight norm", "Update norm"] as readonly string[],
    waiting: "Nothing is known about the updates yet.",
    summary: (count: number, rows: number) => `Update ratios of ${count} parameters over ${rows} measured steps.`,
    advice({ median, rate: now, wanted }: Advice, { fast, slow }: Names): string {
      const distance = median - GUIDE;
      const near = Math.abs(distance) <= 0.3;
      const more = (rest: number) => ` and ${rest} more`;
      const head = near
        ? `Median ${logarithm(median)}: the weights move about as fast as the rule of thumb asks`
        : `Median ${logarithm(median)}: the weights move about ${times(distance)}× ${distance > 0 ? "faster" : "more slowly"} than the rule of thumb asks`;
      const cure = near || wanted === null || now === null ? "" : `; a learning rate near ${rate(wanted)} (now ${rate(now)}) would bring the median to −3`;
      const fastest = fast.length ? `; too fast: ${list(fast, more)}` : "";
      const slowest = slow.length ? `; too slow: ${list(slow, more)}` : "";
      return `${head}${cure}${fastest}${slowest}.`;
    },
  },
  {
    title: "갱신 비율",
    subtitle: "log₁₀(std Δw / std w)",
    region: "파라미터별 갱신 비율",
    keys: "갱신 비율. 화살표 키로 커서를 옮기고 Enter로 선택합니다",
    lines: "선",
    strips: "띠",
    table: "표",
    looks: "모양",
    step: "스텝",
    empty: "첫 갱신을 재면 여기에 나타납니다",
    guide: "경험칙 −3",
    band: "10배 이내",
    slower: "너무 느림",
    faster: "너무 빠름",
    unchanged: "변화 없음",
    unknown: "알 수 없음: 고정되었거나, 값이 하나뿐이거나, 가중치가 모두 같음",
    weight: "‖w‖",
    update: "‖Δw‖",
    ratio: "비율",
    parameter: "파라미터",
    columns: ["log₁₀ 비율", "비율", "가중치 노름", "갱신 노름"],
    waiting: "아직 갱신에 대해 알려진 것이 없습니다.",
    summary: (count, rows) => `파라미터 ${count}개의 갱신 비율, 측정한 스텝 ${rows}개.`,
    advice({ median, rate: now, wanted }, { fast, slow }) {
      const distance = median - GUIDE;
      const near = Math.abs(distance) <= 0.3;
      const more = (rest: number) => ` 외 ${rest}개`;
      const head = near
        ? `중앙값 ${logarithm(median)}: 가중치가 경험칙만큼 움직이고 있습니다`
        : `중앙값 ${logarithm(median)}: 가중치가 경험칙보다 약 ${times(distance)}배 ${distance > 0 ? "빠르게" : "느리게"} 움직입니다`;
      const cure = near || wanted === null || now === null ? "" : `. 학습률을 ${rate(now)}에서 ${rate(wanted)} 정도로 바꾸면 중앙값이 −3에 가까워집니다`;
      const fastest = fast.length ? `. 너무 빠름: ${list(fast, more)}` : "";
      const slowest = slow.length ? `. 너무 느림: ${list(slow, more)}` : "";
      return `${head}${cure}${fastest}${slowest}.`;
    },
  },
);
