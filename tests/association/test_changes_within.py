"""Views that change while fit() is looking: named with their instant, and what fits is what is learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from changed_rigs import of_view, reordered, rig

from selfmva import Associator, Frame
from selfmva.association.fit_report import FitReport
from selfmva.association.good_part import GOOD_PART, good_part
from selfmva.association.health.health import RigChange
from selfmva.core.view_pairs import view_pairs
from selfmva.errors import RigChangedWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.types import FloatArray

INSTANTS, WIDTH = 240, 1280


def recording(change: Callable[[list[Frame], int], Sequence[FloatArray]], wrong: range) -> list[Frame]:
    frames = [Frame(rig()[1].frame(t).boxes, index=t) for t in range(INSTANTS)]
    return [Frame(change(frames, t), index=t) if t in wrong else frame for t, frame in enumerate(frames)]


def recall(associator: Associator, instants: range) -> float:
    """Of pairs of boxes of one person in two views."""
    scene = rig()[1]
    found = wanted = 0
    for t in instants:
        association, who = associator.associate(scene.frame(t)), scene.identities(t)
        for i, j in view_pairs(len(scene.views)):
            wanted += len((set(who[i].tolist()) & set(who[j].tolist())) - {-1})
            found += sum(who[i][a] == who[j][b] >= 0 for a, b in association.matches(i, j))
    return found / wanted


def mirror(boxes: FloatArray) -> FloatArray:
    return np.column_stack([WIDTH - boxes[:, 2], boxes[:, 1], WIDTH - boxes[:, 0], boxes[:, 3]])


@pytest.mark.parametrize(
    ("change", "wrong", "views", "kind"),
    [
        (reordered(0, 3, 2, 1), range(120, INSTANTS), {"camera1", "camera3"}, "swapped"),
        (of_view(0, mirror), range(150, INSTANTS), {"camera0"}, "mirrored"),
        (of_view(2, lambda boxes: boxes / 2), range(80), {"camera2"}, "scaled"),
    ],
    ids=["swapped half-way", "mirrored late", "small in the beginning"],
)
def test_a_change_is_named_and_what_fits_is_learnt_from(
    change: Callable[[list[Frame], int], Sequence[FloatArray]], wrong: range, views: set[str], kind: str
) -> None:
    with pytest.warns(RigChangedWarning, match=f"changed at instant .* \\({kind}\\)"):
        associator = Associator(recipe="geometry").fit(rig()[1].views, recording(change, wrong))
    report = associator.fit_report_
    assert {found.view for found in report.changes} == views
    assert {found.kind for found in report.changes} == {kind}
    boundary = wrong.stop if wrong.start == 0 else wrong.start
    assert all(abs(found.instant - boundary) <= GOOD_PART.margin for found in report.changes)
    assert report.learnt_from is not None
    assert not set(range(*report.learnt_from)) & set(wrong)
    assert recall(associator, range(INSTANTS, INSTANTS + 40)) > 0.9  # the cameras as they should be
    assert f"learnt from instants {report.learnt_from[0]} to" in report.summary()
    assert FitReport.from_dict(report.to_dict()) == report
    assert next(iter(views)) in report.advice()


def test_a_right_recording_is_left_in_peace() -> None:
    assert rig()[0].fit_report_.changes == ()
    assert rig()[0].fit_report_.learnt_from is None


def test_several_changes_leave_what_is_between_them() -> None:
    early = RigChange("door", "swapped", 30, fits_before=False)
    late = RigChange("hall", "knocked", 200, fits_before=True)
    assert good_part([early, late], 240) == slice(30 + GOOD_PART.margin, 200 - GOOD_PART.margin)
    assert good_part([RigChange("door", "knocked", 150, fits_before=False), late], 240) is None


def test_a_recording_too_short_to_be_halved_names_no_change_but_that_something_moved() -> None:
    frames = recording(reordered(0, 3, 2, 1), range(50, 100))[:100]
    with pytest.warns(RigChangedWarning, match="moved during the recording"):
        report = Associator(recipe="geometry").fit(rig()[1].views, frames).fit_report_
    assert report.changes == ()
