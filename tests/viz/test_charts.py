"""Charts: points are where their values say, text is escaped, and XML is whole."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.viz.report.charts import (
    BOTTOM,
    CHART_HEIGHT,
    CHART_WIDTH,
    LEFT,
    MOST_POINTS,
    RIGHT,
    TOP,
    Axis,
    bar_chart,
    line_chart,
    thinned,
)


def points_of(svg: str, name: str) -> np.ndarray:
    (line,) = [part for part in ET.fromstring(svg).iter("polyline") if part.get("class") == name]  # noqa: S314
    return np.array([[float(number) for number in pair.split(",")] for pair in str(line.get("points")).split()])


def test_lines_are_in_place() -> None:
    svg = line_chart({"people": [[0, 0], [10, 5], [5, 2.5]]}, Axis("instant", 0, 10), Axis("people", 0, 5), title="P")
    corners = points_of(svg, "line-0")
    np.testing.assert_allclose(corners[0], [LEFT, CHART_HEIGHT - BOTTOM])
    np.testing.assert_allclose(corners[1], [CHART_WIDTH - RIGHT, TOP])
    np.testing.assert_allclose(corners[2], corners[:2].mean(axis=0))


def test_dots_grow_with_what_they_stand_for() -> None:
    svg = line_chart({"a": [[0, 0], [1, 1]]}, Axis("x"), Axis("y"), title="t", counts=[1, 1000], diagonal=True)
    radii = [float(str(dot.get("r"))) for dot in ET.fromstring(svg).iter("circle")]  # noqa: S314
    assert radii[1] == radii[0] + 3
    np.testing.assert_allclose(points_of(svg, "ideal"), points_of(svg, "line-0"))


def test_bars_stand_on_the_axis() -> None:
    root = ET.fromstring(bar_chart([0.0, 0.5, 1.0], Axis("x"), Axis("y"), title="t"))  # noqa: S314
    bars = [{k: float(bar.attrib[k]) for k in ("x", "y", "width", "height")} for bar in root.iter("rect")]
    heights = [bar["height"] for bar in bars]
    assert heights == [0, pytest.approx(heights[2] / 2), CHART_HEIGHT - BOTTOM - TOP]
    assert all(bar["y"] + bar["height"] == pytest.approx(CHART_HEIGHT - BOTTOM) for bar in bars)
    assert all(a["x"] + a["width"] < b["x"] for a, b in itertools.pairwise(bars))


def test_text_is_escaped_and_told_to_who_cannot_see() -> None:
    lines = {"<b>": [[0, 0]], "&": [[1, 1]]}
    root = ET.fromstring(line_chart(lines, Axis('"x"'), Axis("<y>"), title="<one> & 'two'"))  # noqa: S314
    assert root.get("role") == "img"
    assert root.get("aria-label") == "<one> & 'two'"
    texts = [text.text for text in root.iter("text")]
    assert {"<b>", "&", '"x"', "<y>"} <= set(texts)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_round_and_inside(low: float, length: float) -> None:
    axis = Axis("x", low, low + length)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-6 * length <= tick <= low + length * (1 + 1e-6) for tick in ticks)


def test_axis_of_values() -> None:
    assert (Axis.of("x", [3, 10]).low, Axis.of("x", [3, 10]).high) == (0, 10)
    assert Axis.of("x", [2400, 2900]).low == 2400
    for nothing in ([], [0, 0], [5]):
        axis = Axis.of("x", nothing)
        assert axis.high > axis.low


def test_thinned_keeps_both_ends() -> None:
    points = np.stack([np.arange(100_000), np.arange(100_000)], axis=1).astype(float)
    few = thinned(points)
    assert len(few) == MOST_POINTS
    assert (few[0, 0], few[-1, 0]) == (0, 99_999)
    np.testing.assert_array_equal(thinned(points[:7]), points[:7])
    assert thinned(np.zeros((0, 2))).shape == (0, 2)
