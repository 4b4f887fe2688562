"""One instant as a user gives it, read for a model: clipped, described, its bad boxes marked, and doubts said."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from selfmva.association.left_out import with_features_of
from selfmva.association.recording import check_feature_length, check_joints
from selfmva.core.bad_box_frames import without_bad_boxes
from selfmva.core.box_units import UnitsWatch
from selfmva.core.types import clip_to_views
from selfmva.errors import UnalignedWarning
from selfmva.io.boxes.argument import as_frame

if TYPE_CHECKING:
    from selfmva.association.model import FittedModel
    from selfmva.core.bad_box_frames import BadBoxWatch
    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame
    from selfmva.io.boxes.argument import FrameLike
    from selfmva.perception.features import FeatureExtractor


class FrameReader:
    """Reads frames of the cameras of a model; what is odd of all of them is said once.

    Args:
        model: What was learnt.
        extractor: Describes what people look like, where the model knows appearance.
    """

    def __init__(self, model: FittedModel, extractor: FeatureExtractor) -> None:
        self._model = model
        self._extractor = extractor
        self._units = UnitsWatch(model.views)
        self._warned_of_clocks = False

    def read(self, entry: FrameLike, number: int, on_bad_box: OnBadBox, watch: BadBoxWatch | None = None) -> Frame:
        """The frame as it is worked on.

        Args:
            entry: See `selfmva.io.boxes.argument.as_frame`.
            number: Of the instant, where the entry has none.
            on_bad_box: See `selfmva.Frame`.
            watch: Counts bad boxes of a stream; None for a frame that was looked at.

        Raises:
            InputError: It is no frame of these cameras, see `Associator.associate`.

        Warns:
            UnalignedWarning: The clocks of the cameras are apart, and the views were not brought in line.
            BadBoxWarning: See `BadBoxWatch`.
            BoxUnitsWarning: See `UnitsWatch`.
        """
        model = self._model
        frame = as_frame(entry, model.views, number, on_bad_box)
        if model.aligned and frame.clock_offsets is None and not self._warned_of_clocks:
            self._warned_of_clocks = True
            warnings.warn(
                f"instant {frame.index} comes as the cameras gave it, whose clocks are apart (clock_offsets_ "
                f"{model.clock_offsets.tolist()} instants), but what was learnt is of views in line: bring frames in "
                "line first, selfmva.geometry.align_frames.align_frames(frames, associator.clock_offsets_)",
                UnalignedWarning,
                stacklevel=3,
            )
        clipped = clip_to_views(frame, model.views, on_bad_box)
        if watch is not None:
            self._units.look(frame)
            watch.look(clipped)
        frame = with_features_of(clipped, self._extractor.describe(without_bad_boxes(clipped)))
        check_feature_length(frame, model.feature_length)
        check_joints(frame, model.joints)
        return frame
