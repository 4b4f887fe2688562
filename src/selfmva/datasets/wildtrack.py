"""WILDTRACK: 7 views of 1920 x 1080 over a square in Zurich, 400 annotated instants, two a second.

Homepage: https://www.epfl.ch/labs/cvlab/data/data-wildtrack/. Licence: free for research, see there; the published
detections are under CC BY-NC-SA 4.0.
"""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from selfmva.core.types import View
from selfmva.datasets.recording import Recording, find_path
from selfmva.errors import DataError
from selfmva.io.boxes.any_format import read_boxes
from selfmva.io.boxes.rows import Rows, frames_from_rows
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame

WILDTRACK_VIEWS = tuple(View(f"C{number}", 1920, 1080) for number in range(1, 8))
_IMAGES_PER_INSTANT = 5  # every fifth image is annotated, and files are numbered by image
_CORNER_KEYS = ("xmin", "ymin", "xmax", "ymax")
# The published split of the 400 instants, all of which are seen in two views or more: the last 10 % test, the last
# 20 % of the rest validation. By number, so that it stays the same where a part of the files is absent.
_SPLITS = {"annotated_train": range(288), "validation": range(288, 360), "test": range(360, 400)}
_WILDTRACK_FOLDERS = ("", "Wildtrack_dataset/", "src/", "sequence1/src/", "Wildtrack/sequence1/src/")
_OUTPUTS = ("", "output/", "sequence1/output/", "Wildtrack/sequence1/output/", "Wildtrack_dataset/")


class Wildtrack(Recording):
    """WILDTRACK as its owners ship it, as the published code lays it out, or flat.

    Splits: `"train"` the detector's instants, `"validation"` (288 to 359) and `"test"` (360 to 399) annotated
    instants, `"annotated_train"` the annotated instants 0 to 287. A split is empty where its files are absent: the
    owners ship no detections, and a copy may lack the test part. Boxes are as the files have them and may stick out
    of the image; those without area or wholly outside of it (-1, -1, -1, -1 = not seen) are dropped.

    Args:
        root: Folder that holds `annotations_positions/` and `detections_train.json`, or `Wildtrack_dataset/`, or
            `sequence1/`.
        detections: Another file of detections for training, see `selfmva.io.read_boxes`.
        on_bad_box: What happens with boxes of the files that are none, see `selfmva.io.read_boxes`.

    Raises:
        DataError: No annotations, no such detections, or a damaged file.

    Example:
        >>> Wildtrack("nowhere")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: no WILDTRACK annotations found; looked for nowhere/annotations_positions, ...
    """

    name: ClassVar[str] = "wildtrack"
    similarity_threshold: ClassVar[float] = 0.4

    def __init__(
        self, root: str | Path, detections: str | Path | None = None, *, on_bad_box: OnBadBox = "drop"
    ) -> None:
        folder = find_path(root, [f"{f}annotations_positions" for f in _WILDTRACK_FOLDERS], "WILDTRACK annotations")
        published = (Path(root) / f"{output}detections_train.json" for output in _OUTPUTS)
        boxes = Path(detections) if detections else next((path for path in published if path.exists()), None)
        super().__init__(
            WILDTRACK_VIEWS,
            detections=read_boxes(boxes, WILDTRACK_VIEWS, on_bad_box=on_bad_box) if boxes else [],
            annotated=_read_annotations(folder),
            annotated_splits=_SPLITS,
            source=str(folder),
        )


def _read_annotations(folder: Path) -> list[Frame]:
    """All instants that have a file; track ids are identities."""
    files = {_instant(path): path for path in sorted(folder.glob("*.json"))}
    if not files:
        raise DataError(f"no annotations in {folder}; expected files such as 00000005.json")
    parts = [_read_instant(path) for path in files.values()]
    table = np.array(list(chain.from_iterable(parts)), dtype=np.float64).reshape(-1, 6)
    instants = np.repeat(list(files), [len(part) for part in parts])

    boxes, views = table[:, 2:], table[:, 1]
    size = np.array([[view.width, view.height] for view in WILDTRACK_VIEWS])[views.astype(np.int64)]
    inside = np.clip(boxes, 0, np.hstack([size, size]))
    seen = (inside[:, 2:] > inside[:, :2]).all(axis=1)
    rows = Rows(instants[seen], views[seen], boxes[seen], track_ids=table[seen, 0])
    return frames_from_rows(rows, WILDTRACK_VIEWS, lambda row: f"{folder}, instant {instants[seen][row]}", files)


def _read_instant(path: Path) -> list[tuple[float, ...]]:
    """Rows of identity, view and corners."""
    people: Any = read_json(path)
    try:
        rows = [
            (person["personID"], box["viewNum"], *(box[corner] for corner in _CORNER_KEYS))
            for person in people
            for box in person["views"]
        ]
        if all(view in range(len(WILDTRACK_VIEWS)) for _, view, *_ in rows) and all(
            isinstance(value, int | float) for row in rows for value in row
        ):
            return rows
    except (KeyError, TypeError) as error:
        raise DataError(f"{path}: not an annotation file of WILDTRACK ({type(error).__name__}: {error})") from error
    raise DataError(f"{path}: expected views 0 to 6 and numbers for corners and identities")


def _instant(path: Path) -> int:
    if not re.fullmatch(r"\d{1,18}", path.stem) or int(path.stem) % _IMAGES_PER_INSTANT:
        raise DataError(f"{path}: an annotation file of WILDTRACK is named by its image, a multiple of 5")
    return int(path.stem) // _IMAGES_PER_INSTANT
