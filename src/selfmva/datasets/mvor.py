"""MVOR: 3 views of 640 x 480 in an operating room, 732 annotated instants over 4 days.

Homepage: https://github.com/CAMMA-public/MVOR. Licence: CC BY-NC-SA 4.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from selfmva.core.types import View
from selfmva.datasets.recording import Recording, find_path, split_by_time
from selfmva.errors import DataError
from selfmva.io.boxes.any_format import read_boxes
from selfmva.io.boxes.rows import Rows, corners, frames_from_rows
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame

MVOR_VIEWS = tuple(View(f"cam{number}", 640, 480) for number in range(1, 4))
_ANNOTATIONS = ("camma_mvor_2018_v2.json", "camma_mvor_dataset/camma_mvor_2018_v2.json", "camma_mvor_2018.json")
_DETECTIONS = tuple(f"{folder}detections_train.json" for folder in ("", "output/", "sequence1/output/"))


class Mvor(Recording):
    """MVOR; an instant's number is its position in the annotation file.

    Splits: `"train"` the detector's instants; of the annotated instants in which two views or more show somebody,
    `"test"` the last 10 %, `"validation"` the last 20 % of the rest, `"annotated_train"` the rest. The published
    detections overlap the test part (no labels leak, boxes do): `"unseen"` are the annotated instants that the
    detections do not cover, for honest figures. People without an id are skipped.

    Args:
        root: Folder that holds `camma_mvor_2018_v2.json` and `detections_train.json` (or `sequence1/output/` with it).
        detections: Another file of detections for training, see `selfmva.io.read_boxes`.
        on_bad_box: What happens with boxes of the files that are none, see `selfmva.io.read_boxes`.

    Raises:
        DataError: A file is missing or damaged.

    Example:
        >>> Mvor("nowhere")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: no MVOR annotations found; looked for nowhere/camma_mvor_2018_v2.json, ...
    """

    name: ClassVar[str] = "mvor"
    similarity_threshold: ClassVar[float] = 0.1

    def __init__(
        self, root: str | Path, detections: str | Path | None = None, *, on_bad_box: OnBadBox = "drop"
    ) -> None:
        path = find_path(root, _ANNOTATIONS, "MVOR annotations")
        boxes = Path(detections) if detections else find_path(root, _DETECTIONS, "MVOR detections")
        detected = read_boxes(boxes, MVOR_VIEWS, on_bad_box=on_bad_box)
        annotated = _read_annotations(path, on_bad_box)
        parts = split_by_time(annotated)
        covered = {frame.index for frame in detected}
        super().__init__(
            MVOR_VIEWS,
            detections=detected,
            annotated=annotated,
            annotated_splits={
                "validation": parts["validation"],
                "test": parts["test"],
                "annotated_train": parts["train"],
                "unseen": set().union(*parts.values()) - covered,
            },
            source=str(path),
        )


def _read_annotations(path: Path, on_bad_box: OnBadBox) -> list[Frame]:
    """All instants; track ids are identities."""
    content: Any = read_json(path)
    try:
        place = {
            image["id"]: (instant, image["cam_id"] - 1)
            for instant, together in enumerate(content["multiview_images"])
            for image in together["images"]
        }
        people = [entry for entry in content["annotations"] if entry["person_id"] != -1]
        cells = np.array([place[person["image_id"]] for person in people], dtype=np.int64).reshape(-1, 2)
        boxes = corners([person["bbox"] for person in people])
        identities = np.array([person["person_id"] for person in people], dtype=np.int64)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not the annotation file of MVOR ({type(error).__name__}: {error})") from error
    rows = Rows(cells[:, 0], cells[:, 1], boxes, track_ids=identities)

    def where(row: int) -> str:
        return f"{path}, annotation {people[row].get('id', row)}"

    return frames_from_rows(rows, MVOR_VIEWS, where, range(len(content["multiview_images"])), on_bad_box)
