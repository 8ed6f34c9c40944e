"""Colours for signed numbers: a diverging palette, blue below zero, orange above, readable without telling hues apart.

The steps are few on purpose. A cell's colour changes only where a value crosses a step, so that the last digits of a
float, which differ between machines, almost never change the text of an output.
"""

from __future__ import annotations

STEPS = 10
"""Steps on either side of zero."""

_NEGATIVE = ((222, 235, 247), (107, 174, 214), (8, 64, 129))
_ZERO = (240, 240, 240)
_POSITIVE = ((254, 230, 206), (253, 141, 60), (140, 45, 4))

Color = tuple[int, int, int]


def _between(anchors: tuple[Color, Color, Color], share: float) -> Color:
    lower, upper = (anchors[0], anchors[1]) if share < 0.5 else (anchors[1], anchors[2])
    t = share * 2 if share < 0.5 else share * 2 - 1
    red, green, blue = (round(a + (b - a) * t) for a, b in zip(lower, upper, strict=True))
    return red, green, blue


def color(level: int) -> Color:
    """The colour (red, green, blue in 0..255) of a level in ``-STEPS..STEPS``; 0 is a neutral grey."""
    if not level:
        return _ZERO
    return _between(_NEGATIVE if level < 0 else _POSITIVE, (abs(level) - 1) / (STEPS - 1))


def hex_color(level: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color(level))


def ink(level: int) -> str:
    """Black or white, whichever is easier to read on the colour of a level."""
    return "#fff" if contrast(color(level), (255, 255, 255)) > contrast(color(level), (17, 17, 17)) else "#111"


def contrast(a: Color, b: Color) -> float:
    """The contrast ratio of two colours after WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: Color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
