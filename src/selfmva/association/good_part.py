"""Where views changed during a recording, it is learnt anew from the part that fits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from selfmva.association.learning import learn
from selfmva.geometry.calibration import calibrate_floor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.health.health import RigChange
    from selfmva.association.model import FittedModel
    from selfmva.core.types import Frame, IntArray


@dataclass(frozen=True)
class GoodPartSettings:
    """What may be learnt from."""

    least: float = 1 / 3  # of the recording
    # Of a recording, whose halves are looked at where views are missing on the floor of all; of more views, that would
    # take minutes.
    instants: int = 150
    views: int = 12
    margin: int = 16  # instants about a change that are left out: it is known as finely as that


GOOD_PART = GoodPartSettings()


def learn_good_part(
    model: FittedModel, frames: Sequence[Frame], appearance: str | None, *, held_out: IntArray | None
) -> FittedModel:
    """Find the floor, and learn what distances mean, on those instants alone that fit.

    Args:
        model: What was learnt from all of them; its report names the changes.
        frames: Clipped frames in the order of time.
        appearance: See `learn`.
        held_out: See `learn`.

    Returns:
        The model as it was where nothing changed, where too little fits, or where that finds less; its report says so.
    """
    report = model.report
    if report is not None and not report.changes:
        halved = _with_floor_of_a_half(model, frames)
        if halved is not None:
            learnt = learn(halved, frames, appearance, trained_on=True, held_out=held_out, decision=report.decision)
            if learnt.report is not None and learnt.report.changes:
                model, report = learnt, learnt.report
    if report is None or not report.changes:
        return model
    part = good_part(report.changes, len(frames))
    if part is None:
        return model
    kept = frames[part]
    floor = None if model.floor is None else calibrate_floor(model.views, kept)
    if model.floor is not None and (floor is None or len(floor.views_on_floor) < len(model.floor.views_on_floor)):
        return model
    if held_out is not None:
        held_out = held_out[(held_out >= part.start) & (held_out < part.stop)] - part.start
    learnt = learn(
        replace(model, floor=floor),
        kept,
        appearance,
        trained_on=True,
        held_out=held_out,
        decision=report.decision,
        seek_changes=False,
    )
    assert learnt.report is not None  # noqa: S101
    said = replace(learnt.report, changes=report.changes, learnt_from=(part.start, part.stop))
    return replace(learnt, report=said)


def _with_floor_of_a_half(model: FittedModel, frames: Sequence[Frame]) -> FittedModel | None:
    """The model with the floor of that half of a recording which has most views on it; None where that is no more."""
    on_floor = 0 if model.floor is None else len(model.floor.views_on_floor)
    if not model.config.geometry.floor or on_floor == len(model.views):
        return None
    if len(frames) < GOOD_PART.instants or len(model.views) > GOOD_PART.views:
        return None
    middle = len(frames) // 2
    floors = [calibrate_floor(model.views, part) for part in (frames[:middle], frames[middle:])]
    best = max(floors, key=lambda floor: 0 if floor is None else len(floor.views_on_floor))
    return None if best is None or len(best.views_on_floor) <= on_floor else replace(model, floor=best)


def good_part(changes: Sequence[RigChange], instants: int) -> slice | None:
    """The instants that what was learnt fits, of so many; None where they are too few to learn from them alone.

    Example:
        >>> from selfmva.association.health.health import RigChange
        >>> good_part([RigChange("door", "knocked", 120, fits_before=True)], 200)
        slice(0, 104, None)
        >>> good_part([RigChange("door", "knocked", 20, fits_before=True)], 200) is None
        True
    """
    first = max((change.instant + GOOD_PART.margin for change in changes if not change.fits_before), default=0)
    last = min((change.instant - GOOD_PART.margin for change in changes if change.fits_before), default=instants)
    return slice(first, last) if last - first >= GOOD_PART.least * instants else None
