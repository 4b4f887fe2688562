"""Who is seen when: a chart with one row for each person."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from selfmva.viz.report.charts import Axis

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import IntArray

TIMELINE_WIDTH = 940  # pixels: all of a page
ROW_HEIGHT, BAR_HEIGHT = 18, 13
NAMES_WIDTH, RIGHT_MARGIN, TOP_MARGIN, AXIS_HEIGHT = 62, 16, 6, 46
MOST_ROWS = 40
MOST_COLUMNS = 400  # instants that stand apart: more cannot be seen
FAINTEST = 0.3  # opacity of who is seen in one view alone


def timeline_chart(presence: ArrayLike, instants: ArrayLike, views: int, *, title: str) -> str:
    """Draw when each person is seen, the darker the more views see them.

    Args:
        presence: `(M, 3)` whole numbers: an instant, the id of a person and the view that sees them then.
        instants: `(T,)` numbers of all instants.
        views: V, number of views.
        title: What a reader who cannot see the chart is told.

    Returns:
        An `<svg>` element. Those who are seen at the most instants, in the order in which they come.

    Example:
        >>> timeline_chart([[0, 7, 0], [1, 7, 0], [1, 7, 1]], [0, 1], 2, title="Who").count("<rect")
        2
    """
    rows = np.asarray(presence, dtype=np.int64).reshape(-1, 3)
    times = np.unique(np.asarray(instants, dtype=np.int64))
    people, seen = seen_by(rows, times)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    x = Axis("instant", float(times[0]), float(times[-1] + step))
    across = (TIMELINE_WIDTH - NAMES_WIDTH - RIGHT_MARGIN) / max(seen.shape[1], 1)
    bottom = TOP_MARGIN + ROW_HEIGHT * len(people)
    parts = []
    for tick in x.ticks():
        u = NAMES_WIDTH + (tick - x.low) / (x.high - x.low) * (TIMELINE_WIDTH - NAMES_WIDTH - RIGHT_MARGIN)
        parts.append(f'<path class="grid" d="M{u:.1f} {TOP_MARGIN}V{bottom}"/>')
        parts.append(f'<text text-anchor="middle" x="{u:.1f}" y="{bottom + 18}">{tick:.6g}</text>')
    for row, identity in enumerate(people.tolist()):
        top = TOP_MARGIN + ROW_HEIGHT * row + (ROW_HEIGHT - BAR_HEIGHT) / 2
        parts.append(f'<text text-anchor="end" x="{NAMES_WIDTH - 8}" y="{top + BAR_HEIGHT - 2:.1f}">{identity}</text>')
        starts = np.concatenate([[0], np.flatnonzero(np.diff(seen[row])) + 1])
        ends = np.append(starts[1:], seen.shape[1])
        for start, end, count in zip(starts.tolist(), ends.tolist(), seen[row, starts].tolist(), strict=True):
            if count:
                opacity = FAINTEST + (1 - FAINTEST) * (count - 1) / max(views - 1, 1)
                parts.append(
                    f'<rect class="bar" x="{NAMES_WIDTH + start * across:.1f}" y="{top:.1f}" '
                    f'width="{(end - start) * across:.1f}" height="{BAR_HEIGHT}" fill-opacity="{opacity:.2f}"/>'
                )
    parts.append(f'<path class="axis" d="M{NAMES_WIDTH} {TOP_MARGIN}V{bottom}H{TIMELINE_WIDTH - RIGHT_MARGIN}"/>')
    middle = (TOP_MARGIN + bottom) / 2
    parts.append(f'<text text-anchor="middle" x="14" y="{middle}" transform="rotate(-90 14 {middle})">person</text>')
    parts.append(f'<text text-anchor="middle" x="{TIMELINE_WIDTH / 2}" y="{bottom + 38}">{x.label}</text>')
    name, size = escape(title), f"0 0 {TIMELINE_WIDTH} {bottom + AXIS_HEIGHT}"
    return f'<svg viewBox="{size}" role="img" aria-label="{name}"><title>{name}</title>{"".join(parts)}</svg>'


def seen_by(presence: IntArray, instants: IntArray) -> tuple[IntArray, IntArray]:
    """How many views see whom, and when.

    Args:
        presence: `(M, 3)` as in `timeline_chart`.
        instants: `(T,)` as in `timeline_chart`, increasing.

    Returns:
        `(P,)` ids in the order in which they come; `(P, C)` the most views that see each, in C stretches of time of
        equal length, which are instants where these are few.

    Example:
        >>> seen_by(np.array([[4, 9, 0], [4, 9, 1], [5, 2, 1]]), np.array([4, 5]))[1].tolist()
        [[2, 0], [0, 1]]
    """
    moments, times = np.unique(presence[:, :2], axis=0, return_counts=True)
    everybody, first, count = np.unique(moments[:, 1], return_index=True, return_counts=True)
    longest = np.argsort(-count, kind="stable")[:MOST_ROWS]
    chosen = longest[np.lexsort((everybody[longest], moments[first[longest], 0]))]
    row = np.full(len(everybody), -1)
    row[chosen] = np.arange(len(chosen))
    rows = row[np.searchsorted(everybody, moments[:, 1])]
    columns = min(len(instants), MOST_COLUMNS)
    step = float(np.median(np.diff(instants))) if len(instants) > 1 else 1.0
    place = ((moments[:, 0] - instants[0]) / (instants[-1] - instants[0] + step) * columns + 1e-9).astype(np.int64)
    seen = np.zeros((len(chosen), columns), dtype=np.int64)
    np.maximum.at(seen, (rows[rows >= 0], place[rows >= 0]), times[rows >= 0])
    return everybody[chosen], seen
