"""Findings and the report that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, TypeAlias

from nbtorch_widgets.doctor.picture import Entry, report_svg
from nbtorch_widgets.doctor.texts import HEADINGS, TEXTS

Evidence: TypeAlias = dict[str, "float | str"]
Severity: TypeAlias = Literal["error", "warning", "note"]
PARTS: tuple[Literal["title", "evidence", "remedy"], ...] = ("title", "evidence", "remedy")
_RANK = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, since when, how it shows, and what helps."""

    code: str
    """Which rule found it: "vanishing", "zero-grad", ..."""
    severity: Severity
    step: int | None = None
    """The sampled step at which it showed first."""
    layer: str | None = None
    """The layer or parameter it shows at most; None: the whole model."""
    numbers: Mapping[str, float | str] = field(default_factory=dict)
    """The evidence."""

    def text(self, part: Literal["title", "evidence", "remedy"], language: str = "en") -> str:
        """A part of its text in English or Korean ("ko")."""
        korean = language.startswith("ko")
        text = TEXTS[self.code]["ko" if korean else "en"]
        shown = {name: _shown(value) for name, value in self.numbers.items()}
        if korean:  # words among the evidence
            shown.update({name.removesuffix("_ko"): value for name, value in shown.items() if name.endswith("_ko")})
        return str(text[("title", "evidence", "remedy").index(part)].format(**shown))

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return self.text("title")

    @property
    def evidence(self) -> str:
        """The numbers behind it."""
        return self.text("evidence")

    @property
    def remedy(self) -> str:
        """What helps."""
        return self.text("remedy")

    @property
    def where(self) -> str:
        """Step and layer in words."""
        parts = [f"step {self.step}" if self.step is not None else "", self.layer or ""]
        return " · ".join(part for part in parts if part)

    def __repr__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.severity}: {self.title}{where}\n    {self.evidence}\n    {self.remedy}"

    def message(self) -> dict[str, Any]:
        """As JSON for the front end, in both languages."""
        return {
            "code": self.code,
            "severity": self.severity,
            "step": self.step,
            "layer": self.layer,
            **{
                language: [self.text(part, language) for part in ("title", "evidence", "remedy")]
                for language in ("en", "ko")
            },
        }


class Report(Sequence[Finding]):
    """All findings of a training, the root cause first. Empty: nothing was found."""

    def __init__(self, findings: Sequence[Finding], summary: str = "", language: str = "en") -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: _RANK[finding.severity]))
        self.summary = summary
        self.language = language

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, index: Any) -> Any:
        return self.findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def codes(self) -> list[str]:
        """The rules that found something, in order."""
        return [finding.code for finding in self.findings]

    def __repr__(self) -> str:
        if not self.findings:
            return f"no findings ({self.summary})" if self.summary else "no findings"
        return "\n".join(map(repr, self.findings))

    def _repr_html_(self) -> str:
        words = HEADINGS["ko" if self.language.startswith("ko") else "en"]
        if not self.findings:
            return f'<div style="font:13px system-ui,sans-serif">✓ {words["none"]} · {escape(self.summary)}</div>'
        return "".join(self._row(finding, words) for finding in self.findings)

    def _row(self, finding: Finding, words: Mapping[str, str]) -> str:
        colour = {"error": "#c62828", "warning": "#b26a00", "note": "#59636e"}[finding.severity]
        title, evidence, remedy = (
            escape(finding.text(part, self.language)) for part in ("title", "evidence", "remedy")
        )
        where = " · ".join(
            part
            for part in (
                f"{words['step']} {finding.step}" if finding.step is not None else "",
                f"<code>{escape(finding.layer)}</code>" if finding.layer else "",
            )
            if part
        )
        return (
            f'<div style="font:13px/1.5 system-ui,sans-serif;margin:0 0 10px;padding-left:10px;max-width:72em;'
            f'border-left:3px solid {colour}"><b>{title}</b> '
            f'<span style="opacity:.7">{words[finding.severity]}{" · " if where else ""}{where}</span>'
            f"<br>{evidence}<br><i>{remedy}</i></div>"
        )

    def to_svg(self) -> str:
        """The report as a still picture; the same for the same findings."""
        entries = [
            Entry(f.severity, f.step, f.layer, *(f.text(part, self.language) for part in PARTS)) for f in self.findings
        ]
        return report_svg(entries, self.summary, self.language)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_(), "image/svg+xml": self.to_svg()}


def _shown(value: float | str) -> str:
    """A number with two digits, as people write it."""
    if isinstance(value, str):
        return value
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "-∞"
    if float(value).is_integer() and abs(value) < 1e5:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{value:.1e}"
