"""What findings mean in words, and what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.health.changes import (
    CLOCK_OFF,
    DARK,
    KNOCKED,
    MIRRORED,
    NORMALIZED,
    OTHER_DETECTOR,
    OTHER_PLACE,
    SCALED,
    SWAPPED,
    UPSIDE_DOWN,
)
from selfmva.association.health.health import Problem, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.health.changes import Change
    from selfmva.association.health.diagnosis import Finding
    from selfmva.core.types import View


def problems_of(findings: Sequence[Finding], views: Sequence[View], indices: Sequence[int]) -> list[Problem]:
    """One problem for each view of each finding.

    Args:
        findings: What happened.
        views: The cameras.
        indices: Indices of the frames in which it was found.
    """
    return [
        Problem(views[view].name, finding.change.kind, int(indices[finding.since]), _advice(finding, view, views))
        for finding in findings
        for view in sorted(finding.change.views)
    ]


def _advice(finding: Finding, view: int, views: Sequence[View]) -> str:
    """What one view shows, and what to do about it."""
    change = finding.change
    shown = views[_shown(change, view, len(views))].name
    factor, instants = f"{change.amount:.3g}", abs(int(change.amount))
    text = {
        SWAPPED: f"it shows what {shown} should: connect the cameras, or order the boxes, as they were",
        SCALED: f"its boxes are {factor} times as large as they should be, of images of another size: divide them by "
        f"{factor}",
        NORMALIZED: "its boxes look normalized, from 0 to 1: multiply them by "
        f"{views[view].width} x {views[view].height}",
        MIRRORED: "its image is mirrored: flip it (x -> width - x)",
        UPSIDE_DOWN: "its image is upside down: turn it by 180 degrees",
        KNOCKED: f"the camera was turned by about {change.amount:.0f} degrees: turn it back, or adapt() to a minute of "
        "boxes since then",
        CLOCK_OFF: f"it shows what the others show {instants} {'instant' if instants == 1 else 'instants'} "
        f"{'later' if change.amount > 0 else 'earlier'}: synchronize the cameras",
        DARK: "it shows nobody where other views see people whom it should see: look at the camera and its cable",
        OTHER_DETECTOR: "boxes are drawn otherwise than in fit(), in all views: adapt() to a minute of them",
        OTHER_PLACE: f"it fits by {finding.before:.0%} of what is expected, and nothing that is known explains it: "
        "if it films another place, or stands elsewhere, fit() anew",
    }[change.kind]
    return text + (_one_of_two(change.views, views) if change.kind in (KNOCKED, CLOCK_OFF) else "")


def _shown(change: Change, view: int, count: int) -> int:
    """Which view's boxes one of so many shows, where views were swapped."""
    if change.kind != SWAPPED:
        return view
    undone = change.undo([[np.full((1, 4), v, dtype=np.float64) for v in range(count)]], 0)
    return next((v for v, rows in enumerate(undone or ()) if len(rows) and rows[0, 0] == view), view)


def _one_of_two(changed: Sequence[int], views: Sequence[View]) -> str:
    """Two cameras cannot tell which of them it was."""
    if len(views) > 2 or len(changed) != 1:
        return ""
    return f" (or it was {views[1 - changed[0]].name}: two views don't tell which)"


def sentence(problems: Sequence[Problem]) -> str:
    """One warning of what was noticed at once."""
    names = listed([problem.view for problem in problems])
    does = "no longer fits" if len(problems) == 1 else "no longer fit"
    advice = [f"{problem.view}: {problem.advice}" for problem in problems]
    kinds = listed(list(dict.fromkeys(problem.kind for problem in problems)))
    since = min(problem.since for problem in problems)
    return f"{names} {does} what was learnt since instant {since} ({kinds}): {'; '.join(advice)}"
