"""What `check` and the watch of a stream say: which views no longer fit, how, since when, and what to do."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Problem:
    """One view that no longer fits.

    Attributes:
        view: Its name.
        kind: `"swapped"`, `"scaled"`, `"normalized"`, `"mirrored"`, `"upside down"`, `"knocked"`, `"clock"`, `"dark"`,
            `"another place"` or `"another detector"`.
        since: Index of the first frame that is wrong, as far as it was seen.
        advice: What it shows, and what to do.
    """

    view: str
    kind: str
    since: int
    advice: str

    def __str__(self) -> str:
        return f"{self.view}: {self.kind} since instant {self.since}: {self.advice}"


@dataclass(frozen=True)
class RigChange:
    """One view that changed while it was filmed.

    Attributes:
        view: Its name.
        kind: As of `Problem`.
        instant: Number of the first instant after it, among those that `fit` was given.
        fits_before: True where what was learnt fits the instants before, False where it fits those after.
    """

    view: str
    kind: str
    instant: int
    fits_before: bool

    def __str__(self) -> str:
        side = "before" if self.fits_before else "from then on"
        return f"{self.view} changed at instant {self.instant} ({self.kind}): what was learnt fits it {side}"


@dataclass(frozen=True)
class ViewHealth:
    """What one view shows, and what it showed in fit().

    Attributes:
        view: Its name.
        boxes: Boxes an instant, and
        usual_boxes: in fit().
        partners: Fraction of the boxes that have a partner, of the mean other view, and
        usual_partners: as many as boxes at these places had in fit().
        clearness: Mean log-odds of partners, and
        usual_clearness: in fit().
        fit: What all of this is, as a fraction of what is expected; about 1 where the view fits; NaN where nobody is
            expected in two views.
        apart: Median distance of partners on the floor in body heights, and
        usual_apart: in fit(); NaN where there is no floor, or in a stream, which is not measured so closely.
        height: Median height of the boxes as a fraction of what their feet ask for, and
        usual_height: in fit(); NaN as above.
    """

    view: str
    boxes: float
    usual_boxes: float
    partners: float
    usual_partners: float
    clearness: float
    usual_clearness: float
    fit: float
    apart: float = math.nan
    usual_apart: float = math.nan
    height: float = math.nan
    usual_height: float = math.nan


@dataclass(frozen=True)
class Health:
    """Whether a model still fits what it sees.

    Attributes:
        problems: What is wrong, in the order in which it was noticed; one entry a view.
        views: What every view shows, against what it showed in fit().
        instants: How many were looked at.
        unknown: Names of the views of which nothing can be said: too few people whom two views should see, or nothing
            is known of what fit() saw.
        note: Why nothing can be said at all; empty where something can.
    """

    problems: tuple[Problem, ...] = ()
    views: tuple[ViewHealth, ...] = ()
    instants: int = 0
    unknown: tuple[str, ...] = ()
    note: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing was found wrong, and something is known of some view."""
        return not self.problems and not self.note and len(self.unknown) < len(self.views)

    def rows(self) -> list[tuple[str, ...]]:
        """The views as a table for people: one row of text per view, in the order of `HEALTH_COLUMNS`."""
        return [self._row(view) for view in self.views]

    def summary(self) -> str:
        """In one sentence."""
        if self.problems:
            return "; ".join(map(str, self.problems))
        if self.note:
            return self.note
        if len(self.unknown) == len(self.views):
            return f"too few people are seen by two views to tell, on {self.instants} instants"
        unknown = f"; too little is seen of {', '.join(self.unknown)} to tell" if self.unknown else ""
        return f"all fits, on {self.instants} instants{unknown}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, NaN as None, for JSON."""
        values = asdict(self) | {"ok": self.ok}
        values["views"] = [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in view.items()}
            for view in values["views"]
        ]
        return values

    def _row(self, view: ViewHealth) -> tuple[str, ...]:
        wrong = [problem for problem in self.problems if problem.view == view.view]
        verdict = ", ".join(f"{p.kind} since {p.since}" for p in wrong)
        return (
            view.view,
            "-" if math.isnan(view.fit) else f"{view.fit:.0%}",
            _beside(view.boxes, view.usual_boxes, "{:.1f}"),
            _beside(view.partners, view.usual_partners, "{:.0%}"),
            _beside(view.clearness, view.usual_clearness, "{:.1f}"),
            _beside(view.apart, view.usual_apart, "{:.2f}"),
            _beside(view.height, view.usual_height, "{:.2f}"),
            verdict or ("not known" if view.view in self.unknown or self.note else "ok"),
        )

    def __repr__(self) -> str:
        lines = [f"Health: {self.summary()}"]
        if self.views:
            lines += [f"  {' | '.join(row)}" for row in (HEALTH_COLUMNS, *self.rows())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows())
        head = "".join(f"<th>{name}</th>" for name in HEALTH_COLUMNS)
        return f"<p>{escape(self.summary())}</p><table><tr>{head}</tr>{rows}</table>"


HEALTH_COLUMNS = (
    "view",
    "of what is expected",
    "boxes an instant",
    "with partner",
    "log-odds",
    "apart (bodies)",
    "height (bodies)",
    "verdict",
)


def _beside(now: float, usual: float, text: str) -> str:
    """A value, and in brackets what it was in fit()."""
    known = ["-" if math.isnan(value) else text.format(value) for value in (now, usual)]
    return known[0] if known == ["-", "-"] else f"{known[0]} ({known[1]})"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them.

    Example:
        >>> listed(["a", "b", "c"])
        'a, b and c'
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
