"""Text and numbers for SVG and HTML."""

from __future__ import annotations

import html
import re


def escape(text: str) -> str:
    """Text for XML and HTML: markup escaped, control characters and lone surrogates (invalid in XML) replaced."""
    return html.escape(re.sub(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\N{REPLACEMENT CHARACTER}", text))


def coordinate(value: float) -> str:
    """A number with at most one decimal, in as few characters as that needs."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def number_text(value: float, digits: int = 4) -> str:
    """A number with at most ``digits`` significant digits and a true minus sign; never ``-0``."""
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text.replace("-", "−")
