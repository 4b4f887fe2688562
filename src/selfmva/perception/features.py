"""What the boxes of frames look like: features that they bring along, or those of an encoder."""

from __future__ import annotations

import os
import warnings
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.view_checks import check_same_sizes
from selfmva.datasets.base import MultiViewDataset
from selfmva.encoders.appearance.registry import open_appearance
from selfmva.errors import AppearanceMissingWarning, CheckpointError, InputError, PluginError
from selfmva.io.storage.array_cache import ArrayCache
from selfmva.io.video.synchronized import SynchronizedReader
from selfmva.perception import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.config import AppearanceConfig
    from selfmva.core.types import Frame, View
    from selfmva.encoders.appearance.base import AppearanceEncoder
    from selfmva.io.video.view_argument import ViewLike


class FeatureExtractor:
    """Gives frames their features.

    Args:
        config: Which encoder.
        device: Where it runs.
        learnt_by: Identity of the encoder by whose features an associator has learnt; None before.
    """

    def __init__(self, config: AppearanceConfig, device: str, learnt_by: str | None = None) -> None:
        self._config, self._device = config, device
        self.learnt_by = learnt_by
        self._opened: AppearanceEncoder | None = None
        self._warned = False

    def describe_recording(
        self,
        frames: list[Frame],
        views: Sequence[ViewLike] | MultiViewDataset,
        cameras: Sequence[View],
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Frame]:
        """Features of a recording, as far as there is an encoder.

        Args:
            frames: Clipped frames; their `index` says which images they belong to.
            views: What `fit` was given: where the images are, unless frames bring images or features along.
            cameras: The same, as views.
            progress: Called with the number of instants that are done, and of all.

        Returns:
            The frames with features and without images.

        Raises:
            InputError: There are no images, or they are of other sizes or instants.
            DataError, CheckpointError: Images or the encoder cannot be read.
        """
        if self._config.encoder is None or all(frame.features is not None for frame in frames):
            return frames
        encoder = self._encoder()
        if all(frame.images is not None for frame in frames):
            return [replace(self._described(frame), images=None) for frame in frames]
        with ExitStack() as stack:
            reader = stack.enter_context(_open_images(views))
            check_same_sizes(reader.views, "the images are of", cameras, "the boxes belong to cameras of")
            cache = stack.enter_context(ArrayCache()) if self._config.cache else None
            return list(observe(reader, frames=frames, appearance=encoder, cache=cache, progress=progress))

    def describe(self, frame: Frame) -> Frame:
        """Features of one frame, where appearance was learnt and they can be had.

        Raises:
            CheckpointError: The encoder cannot be read, or is another than the one that was learnt by.
            PluginError: The plug-in of the encoder is not installed, or fails.

        Warns:
            AppearanceMissingWarning: They cannot be had; once.
        """
        if self.learnt_by is None or frame.features is not None:
            return frame
        seen = frame if self._config.encoder is None else self._described(frame)
        if seen.features is None and any(frame.counts) and not self._warned:
            self._warned = True
            needed = "features" if self._config.encoder is None else "images or features"
            warnings.warn(
                f"instant {frame.index} comes without {needed}, although appearance was learnt: its boxes, and others "
                f"like them, are told apart by geometry alone; give Frame(boxes, {needed.split(maxsplit=1)[0]}=...)",
                AppearanceMissingWarning,
                stacklevel=2,
            )
        return seen

    def identity(self) -> str:
        """Of the encoder that was used, or of features that frames bring along."""
        return self.learnt_by or ("frames" if self._config.encoder is None else self._encoder().identity)

    def _described(self, frame: Frame) -> Frame:
        """The frame with features, unknown ones in views without an image; without any where no view has one."""
        images = frame.images or ()
        if all(image is None for image in images):
            return frame
        shown = [view for view, image in enumerate(images) if image is not None]
        pictures = [image for image in images if image is not None]
        found = dict(zip(shown, self._encoder()(pictures, [frame.boxes[view] for view in shown]), strict=True))
        width = max((part.shape[1] for part in found.values()), default=0)
        unknown = (np.full((count, width), np.nan, np.float32) for count in frame.counts)
        return replace(frame, features=tuple(found.get(view, blank) for view, blank in enumerate(unknown)))

    def _encoder(self) -> AppearanceEncoder:
        if self._opened is None:
            self._opened = open_learnt(self._config.encoder or "", self.learnt_by, self._device)
        return self._opened


def open_learnt(name: str, learnt_by: str | None, device: str) -> AppearanceEncoder:
    """The encoder by whose features appearance was learnt.

    Args:
        name: See `open_appearance`.
        learnt_by: Its identity; None where nothing was learnt yet.
        device: Where it runs.

    Raises:
        CheckpointError: By that name there is another now.
        PluginError: The plug-in that it comes from is not installed, or fails.
    """
    try:
        encoder = open_appearance(name, device=device)
    except PluginError as error:
        if learnt_by is None:
            raise
        raise PluginError(
            f"appearance was learnt with the features of {learnt_by}, and its encoder {name!r} cannot be opened: "
            f"{error}; boxes that come without images are told apart by geometry alone"
        ) from error
    if learnt_by not in {None, encoder.identity}:
        raise CheckpointError(
            f"appearance was learnt with the features of {learnt_by}, but {name} is now {encoder.identity}: give the "
            "encoder of that time, or fit() anew"
        )
    return encoder


def _open_images(views: Sequence[ViewLike] | MultiViewDataset) -> SynchronizedReader:
    """The images that `fit` was given."""
    entries = [] if isinstance(views, MultiViewDataset) else list(views)
    if not entries or not all(isinstance(entry, str | os.PathLike | np.ndarray) for entry in entries):
        raise InputError(
            "appearance needs images: give every view as a video file, a folder of images or a (T, H, W, 3) array, or "
            "boxes as Frame(boxes, images=...) or Frame(boxes, features=...)"
        )
    videos = [isinstance(entry, str | os.PathLike) and Path(entry).is_file() for entry in entries]
    if any(videos) and not all(videos):
        raise InputError(
            "some views are videos, others folders or arrays, whose images have no times: give fit() the frames of "
            "selfmva.perception.observe(SynchronizedReader(views, rate=...), frames=frames, appearance=...)"
        )
    return SynchronizedReader(entries, rate=None if all(videos) else 1.0)  # type: ignore[arg-type]  # checked above
