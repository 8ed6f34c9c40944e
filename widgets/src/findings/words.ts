import { words } from "../words";

export const WORDS = words(
  {
    language: "en", title: "Findings", none: "No findings", waiting: "Nothing examined yet", details: "Evidence and remedy",
    examined: (count: number) => `${count} step${count === 1 ? "" : "s"} examined`,
    dismiss: (title: string) => `Dismiss: ${title}`, dismissed: (count: number) => `Show ${count} dismissed`,
    step: (step: string) => `step ${step}`,
    error: "error", warning: "warning", note: "note",
    spoken: (titles: string) => `Findings: ${titles}`,
  },
  {
    language: "ko", title: "진단", none: "발견된 문제 없음", waiting: "아직 살펴본 스텝이 없음", details: "근거와 해결 방법",
    examined: (count: number) => `스텝 ${count}개를 살펴봄`,
    dismiss: (title: string) => `숨기기: ${title}`, dismissed: (count: number) => `숨긴 항목 ${count}개 보기`,
    step: (step: string) => `${step}번째 스텝`,
    error: "오류", warning: "주의", note: "참고",
    spoken: (titles: string) => `진단: ${titles}`,
  },
);
