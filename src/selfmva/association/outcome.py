"""What a fit comes to: its report made complete, and doubts said."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from selfmva.errors import GeometryMissingWarning, LearntNothingWarning, RigChangedWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.association.model import FittedModel

logger: logging.Logger = logging.getLogger(__name__)


def with_report(
    model: FittedModel,
    seconds: float,
    dropped: int,
    doubled: int,
    moved: Mapping[str, float] | None = None,
    other_floors: Sequence[Sequence[str]] = (),
) -> FittedModel:
    """A model whose report says how it came about.

    Args:
        model: With the report that `learn` wrote.
        seconds: That the work took.
        dropped: Number of boxes that were left out.
        doubled: Number of boxes that show a person once more.
        moved: By name of a view, how far its picture of the floor moved.
        other_floors: Names of the views that hold each other on a floor of their own, group by group.
    """
    assert model.report is not None  # noqa: S101  # `learn` writes one
    clocks = {}
    if model.config.geometry.clock_bound:
        clocks = {view.name: int(k) for view, k in zip(model.views, model.clock_offsets, strict=True)}
    report = replace(
        model.report,
        seconds=seconds,
        moved=dict(moved or {}),
        clock_offsets=clocks,
        dropped_boxes=dropped,
        other_floors=tuple(tuple(group) for group in other_floors),
        doubled_boxes=doubled,
    )
    return replace(model, report=report.reordered([view.name for view in model.views]))


def warn_of_doubts(model: FittedModel) -> None:
    """Say what a fit did not find; called by `fit` itself, whose caller is named.

    Warns:
        RigChangedWarning: Views changed, or cameras moved all the time, during the recording.
        GeometryMissingWarning: No geometry is trusted; people are told apart by what they look like alone.
        LearntNothingWarning: Nothing could be told from chance.
    """
    report = model.report
    assert report is not None  # noqa: S101  # `learn` writes one
    if report.mirrored:
        logger.warning("%s", report.mirror_advice())
    warn_of_changes(model, stacklevel=4)
    if model.appearance and not report.geometry_found:
        warnings.warn(
            f"fit() found no geometry, people are told apart by what they look like alone: {report.advice()}.",
            GeometryMissingWarning,
            stacklevel=3,
        )
    if not report.better_than_chance:
        warnings.warn(
            f"fit() learnt nothing that could be told from chance: {report.summary()}. Film longer, make "
            "sure that the cameras are fixed and synchronized and see the same people, or train for more steps.",
            LearntNothingWarning,
            stacklevel=3,
        )


def warn_of_changes(model: FittedModel, stacklevel: int = 3) -> None:
    """Say what changed while the recording was filmed that was learnt from.

    Args:
        model: With a report.
        stacklevel: Of the caller who is named: 3 where `fit` or `adapt` calls this itself.

    Warns:
        RigChangedWarning: Views changed, or cameras moved all the time.
    """
    report = model.report
    assert report is not None  # noqa: S101  # `learn` writes one
    if report.changes:
        said = f"the rig changed during the recording: {report.change_advice()}."
        warnings.warn(said, RigChangedWarning, stacklevel=stacklevel)
    if report.moving_advice():
        warnings.warn(f"{report.moving_advice()}.", RigChangedWarning, stacklevel=stacklevel)
