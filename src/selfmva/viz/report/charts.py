"""Small charts as inline SVG: they take the colours of their page, light or dark, and need no script."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray

CHART_WIDTH, CHART_HEIGHT = 460, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 14, 52  # pixels around the plot
MOST_POINTS = 400  # of a line: more cannot be seen
DOT = 2  # pixels, radius of the dot of one; ten times as many are one pixel more


@dataclass(frozen=True)
class Axis:
    """An axis of a chart.

    Attributes:
        label: What it counts.
        low: Where it begins.
        high: Where it ends.
    """

    label: str
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def of(cls, label: str, values: ArrayLike) -> Axis:
        """An axis from 0, or from the least value where they begin far from it, that holds all values."""
        numbers = np.asarray(values, dtype=np.float64)
        least, most = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
        low = 0.0 if least <= most / 2 else least
        return cls(label, low, most if most > low else low + 1)

    def ticks(self) -> list[float]:
        """Round numbers, about five."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
        return [k * step for k in range(ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9) + 1)]


def line_chart(
    lines: Mapping[str, ArrayLike], x: Axis, y: Axis, *, title: str, counts: ArrayLike = (), diagonal: bool = False
) -> str:
    """Draw lines.

    Args:
        lines: `(N, 2)` points of each, by what it shows; the second one is dashed.
        x: The axis to the right.
        y: The axis upward.
        title: What a reader who cannot see the chart is told.
        counts: How much the points of the first line stand for, `(N,)` at least 1: the larger, the larger their dots.
            No dots by default.
        diagonal: Whether to draw where both axes are the same.

    Returns:
        An `<svg>` element.

    Example:
        >>> line_chart({"people": [[0, 1], [1, 3]]}, Axis("instant"), Axis("people", 0, 3), title="People")[:4]
        '<svg'
    """
    parts = [_line(_placed([[x.low, y.low], [x.high, y.high]], x, y), "ideal")] if diagonal else []
    places = [_placed(points, x, y) for points in lines.values()]
    parts += [_line(line, f"line-{number}") for number, line in enumerate(places)]
    radii = DOT + np.log10(np.asarray(counts, dtype=np.float64))
    for (u, v), radius in zip(places[0][: len(radii)].tolist(), radii.tolist(), strict=True):
        parts.append(f'<circle class="dot" cx="{u:.1f}" cy="{v:.1f}" r="{radius:.1f}"/>')
    if len(lines) > 1:
        parts += _legend(list(lines))
    return _chart(parts, x, y, title)


def bar_chart(heights: ArrayLike, x: Axis, y: Axis, *, title: str) -> str:
    """Draw bars of equal width from the low to the high end of `x`.

    Args:
        heights: `(N,)` of each bar.
        x: The axis to the right.
        y: The axis upward.
        title: What a reader who cannot see the chart is told.

    Returns:
        An `<svg>` element.
    """
    values = np.asarray(heights, dtype=np.float64)
    edges = np.linspace(x.low, x.high, len(values) + 1)
    feet, tops = (_placed(np.stack([edges[:-1], level], axis=1), x, y) for level in (0 * values + y.low, values))
    across = (CHART_WIDTH - LEFT - RIGHT) / max(len(values), 1)
    bars = [
        f'<rect class="bar" x="{u + 1:.1f}" y="{v:.1f}" width="{across - 2:.1f}" height="{foot - v:.1f}"/>'
        for (u, v), foot in zip(tops.tolist(), feet[:, 1].tolist(), strict=True)
    ]
    return _chart(bars, x, y, title)


def thinned(points: FloatArray) -> FloatArray:
    """The points of a line `(N, 2)`, or a few of them, evenly chosen, with both ends."""
    return points[evenly_spaced(len(points), MOST_POINTS, to_nearest=True)]


def _placed(points: ArrayLike, x: Axis, y: Axis) -> FloatArray:
    """From the units of the axes to pixels: `(N, 2)`."""
    values = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    fraction = (values - (x.low, y.low)) / (x.high - x.low, y.high - y.low)
    return np.asarray(
        (LEFT, CHART_HEIGHT - BOTTOM) + fraction * (CHART_WIDTH - LEFT - RIGHT, TOP + BOTTOM - CHART_HEIGHT)
    )


def _line(places: FloatArray, name: str) -> str:
    return f'<polyline class="{name}" points="{" ".join(f"{u:.1f},{v:.1f}" for u, v in places.tolist())}"/>'


def _legend(names: list[str]) -> list[str]:
    """Names of lines in the lower right corner of the plot, each after a piece of its line."""
    parts = []
    for number, name in enumerate(names):
        v = CHART_HEIGHT - BOTTOM - 14 - 18 * (len(names) - 1 - number)
        u = CHART_WIDTH - RIGHT - 150
        parts.append(_line(np.array([[u, v - 4], [u + 26, v - 4]]), f"line-{number}"))
        parts.append(f'<text x="{u + 32}" y="{v}">{escape(name)}</text>')
    return parts


def _chart(parts: list[str], x: Axis, y: Axis, title: str) -> str:
    bottom, right = CHART_HEIGHT - BOTTOM, CHART_WIDTH - RIGHT
    grid, labels = [], []
    for tick in x.ticks():
        u = _placed([[tick, y.low]], x, y)[0, 0]
        grid.append(f'<path class="grid" d="M{u:.1f} {TOP}V{bottom}"/>')
        labels.append(f'<text text-anchor="middle" x="{u:.1f}" y="{bottom + 18}">{tick:.6g}</text>')
    for tick in y.ticks():
        v = _placed([[x.low, tick]], x, y)[0, 1]
        grid.append(f'<path class="grid" d="M{LEFT} {v:.1f}H{right}"/>')
        labels.append(f'<text text-anchor="end" x="{LEFT - 8}" y="{v + 4:.1f}">{tick:.6g}</text>')
    middle_x, middle_y = (LEFT + right) / 2, (TOP + bottom) / 2
    labels.append(f'<text text-anchor="middle" x="{middle_x}" y="{CHART_HEIGHT - 10}">{escape(x.label)}</text>')
    turned = f'transform="rotate(-90 14 {middle_y})"'
    labels.append(f'<text text-anchor="middle" x="14" y="{middle_y}" {turned}>{escape(y.label)}</text>')
    content = "".join([*grid, f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>', *parts, *labels])
    name = escape(title)
    size = f"0 0 {CHART_WIDTH} {CHART_HEIGHT}"
    return f'<svg viewBox="{size}" role="img" aria-label="{name}"><title>{name}</title>{content}</svg>'
