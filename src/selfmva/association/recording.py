"""What `fit` is given, as views and frames; and the one order in which all is learnt."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfmva.core.packed_boxes import canonical_view_order, feature_length, joint_count
from selfmva.core.types import Frame, View, reorder_views
from selfmva.datasets.reading import frame_of, is_dataset, length_of, splits_of, views_of
from selfmva.errors import InputError, TrackIdsWarning
from selfmva.geometry.track_ids import find_useless_ids, without_ids_of
from selfmva.io.boxes.argument import resolve_boxes
from selfmva.io.video.view_argument import resolve_views
from selfmva.pretext.sampler import check_anchor_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.config import AssociatorConfig
    from selfmva.datasets.base import MultiViewDataset
    from selfmva.io.boxes.argument import BoxesLike
    from selfmva.io.video.view_argument import ViewLike


@dataclass(frozen=True, eq=False)
class CanonicalRecording:
    """A recording with its views in an order that what they saw decides, not the user.

    All that is learnt is learnt in this order, so that listing the cameras differently changes nothing but their
    numbers. It is left at the end, by `FittedModel.reordered(places)`; nothing in between knows of it.

    Attributes:
        views: The cameras.
        frames: Clipped frames in the order of time.
        config: The hyper-parameters, in the numbers of these views.
        order: The user's number of each view.
    """

    views: tuple[View, ...]
    frames: list[Frame]
    config: AssociatorConfig
    order: list[int]

    @classmethod
    def of(cls, views: Sequence[View], frames: Sequence[Frame], config: AssociatorConfig) -> CanonicalRecording:
        """Bring views, frames and config into that order."""
        order = canonical_view_order(frames, len(views))
        anchor = getattr(config.recipe, "anchor_view", None)
        if anchor is not None:
            check_anchor_view(anchor, len(views))
            recipe = config.recipe.model_copy(update={"anchor_view": order.index(anchor)})
            config = config.model_copy(update={"recipe": recipe})
        turned = [reorder_views(frame, order) for frame in frames]
        return cls(tuple(views[view] for view in order), turned, config, order)

    @property
    def places(self) -> list[int]:
        """Where each of the user's views is: the order that leads back."""
        return [self.order.index(view) for view in range(len(self.order))]


def with_usable_tracks(frames: list[Frame], views: Sequence[View]) -> list[Frame]:
    """Frames without the track ids of views in which these are no tracks, see `selfmva.geometry.track_ids`.

    Warns:
        TrackIdsWarning: Ids are ignored, and why.
    """
    if any(frame.track_ids is None for frame in frames):
        return frames
    useless = find_useless_ids(frames, len(views))
    if not useless:
        return frames
    names: dict[str, list[str]] = {}
    for view, reason in sorted(useless.items()):
        names.setdefault(reason, []).append(repr(views[view].name))
    reasons = "; ".join(f"in {', '.join(where)}, {reason}" for reason, where in names.items())
    warnings.warn(
        f"track ids are no tracks and are ignored, people are followed by where they stand: {reasons}",
        TrackIdsWarning,
        stacklevel=3,
    )
    return without_ids_of(frames, useless)


def check_feature_length(frame: Frame, length: int | None) -> None:
    """Refuse features that are not those of which appearance was learnt.

    Args:
        frame: With features or without.
        length: How many numbers the learnt ones have; None where that is not known.

    Raises:
        InputError: Features of another length.
    """
    if length is None:
        return
    found = feature_length([frame])
    if found not in {None, length}:
        raise InputError(
            f"instant {frame.index}: features have {found} numbers, but appearance was learnt from features of "
            f"{length}: give those of the same encoder, or fit() anew"
        )


def check_joints(frame: Frame, joints: int | None) -> None:
    """Refuse frames without the keypoints by which a model tells people apart.

    Args:
        frame: With keypoints or without.
        joints: How many joints a body has; None where people are told apart by boxes.

    Raises:
        InputError: None, or of another number of joints.
    """
    if joints is None or not sum(frame.counts):
        return
    found = joint_count([frame])
    if found != joints:
        given = "no keypoints" if found is None else f"keypoints of {found} joints"
        raise InputError(
            f"instant {frame.index} has {given}, but people are told apart by bodies of {joints} joints here: give "
            "Frame(keypoints=[...]) of the same skeleton, or fit() anew"
        )


def read_recording(
    views: Sequence[ViewLike] | MultiViewDataset, boxes: BoxesLike | None, on_bad_box: OnBadBox = "drop"
) -> tuple[tuple[View, ...], list[Frame]]:
    """Views and frames to learn from, clipped to the images.

    Args:
        views: One entry per camera, or a dataset, whose training split is read (everything, where it has none).
        boxes: See `selfmva.io.boxes.argument.resolve_boxes`; None with a dataset.
        on_bad_box: See `selfmva.io.boxes.argument.clipped_frames`.

    Returns:
        At least two views, and frames that hold at least one box.

    Raises:
        InputError: Views or boxes are wrong, missing, or there is no box at all or a single instant.
        PluginError: The dataset breaks its contract.
        DataError: A file is missing or damaged.
    """
    if is_dataset(views):
        if boxes is not None:
            raise InputError("fit(dataset) takes the boxes of the dataset: leave boxes out, or give views and boxes")
        cameras = resolve_views(views_of(views))
        indices = splits_of(views).get("train", range(length_of(views)))
        frames = resolve_boxes([frame_of(views, index) for index in indices], cameras, on_bad_box)
    else:
        if boxes is None:
            raise InputError("fit(views, boxes) needs boxes; or give a dataset alone: fit(dataset)")
        cameras = resolve_views(views)  # type: ignore[arg-type]  # which says what it is otherwise
        frames = resolve_boxes(boxes, cameras, on_bad_box)
    if not any(sum(frame.counts) for frame in frames):
        raise InputError(f"there is no box in any of the {len(frames)} instants: nothing to learn from")
    if len(frames) < 2:
        raise InputError(
            "there is a single instant, and nothing to compare it with: nothing to learn from; film longer"
        )
    return cameras, frames
