"""SOLDIERS: 6 views of a training exercise, with boxes of a detector and annotated boxes for the test.

Homepage: https://github.com/CAMMA-public/Self-MVA. Licence: CC BY-NC-SA 4.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from selfmva.core.types import View
from selfmva.datasets.images import recorded_views
from selfmva.datasets.recording import Recording, find_path
from selfmva.errors import DataError
from selfmva.io.boxes.any_format import read_boxes

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import OnBadBox

_VIEW_COUNT = 6
_SOLDIERS_FOLDERS = ("output/", "", "sequence1/output/")


class Soldiers(Recording):
    """SOLDIERS.

    Splits: `"train"` the detector's instants, `"test"` the annotated instants in which two views or more show
    somebody. `"validation"` is empty: the annotations are all for the test.

    Args:
        root: Folder that holds `output/{annotated_box_test.json, detections_train.json, frames/}`, or `output/` itself.
        detections: Another file of detections for training, see `selfmva.io.read_boxes`.
        size: Width and height of the images in pixels; needed only where `frames/` is absent.
        on_bad_box: What happens with boxes of the files that are none, see `selfmva.io.read_boxes`.

    Raises:
        DataError: A file is missing or damaged, or the size of the images is not known.

    Example:
        >>> Soldiers("nowhere")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: no SOLDIERS annotations found; looked for nowhere/output/annotated_box_test.json, ...
    """

    name: ClassVar[str] = "soldiers"
    similarity_threshold: ClassVar[float] = 0.0

    def __init__(
        self,
        root: str | Path,
        detections: str | Path | None = None,
        size: tuple[int, int] | None = None,
        *,
        on_bad_box: OnBadBox = "drop",
    ) -> None:
        path = find_path(
            root, [f"{folder}annotated_box_test.json" for folder in _SOLDIERS_FOLDERS], "SOLDIERS annotations"
        )
        published = [f"{folder}detections_train.json" for folder in _SOLDIERS_FOLDERS]
        boxes = Path(detections) if detections else find_path(root, published, "SOLDIERS detections")
        views = _views(path.parent / "frames", size)
        annotated = read_boxes(path, views, on_bad_box=on_bad_box)
        super().__init__(
            views,
            detections=read_boxes(boxes, views, on_bad_box=on_bad_box),
            annotated=annotated,
            annotated_splits={
                "validation": (),
                "test": [frame.index for frame in annotated if sum(count > 0 for count in frame.counts) >= 2],
            },
            source=str(path),
        )


def _views(frames: Path, size: tuple[int, int] | None) -> tuple[View, ...]:
    if size is not None:
        return tuple(View(f"view{number}", *size) for number in range(_VIEW_COUNT))
    if not frames.is_dir():
        raise DataError(f"the size of the images is not known: {frames} is absent; give size=(width, height)")
    views = recorded_views(frames)
    if len(views) != _VIEW_COUNT:
        raise DataError(f"{frames}: expected images of {_VIEW_COUNT} views, named instant_view.jpg, got {len(views)}")
    return views
