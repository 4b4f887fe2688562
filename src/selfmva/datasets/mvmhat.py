"""Tracks in the layout of the MvMHAT benchmark: `<scene>_<view>.txt`, above all its EPFL sequences.

EPFL: 10 Basketball, 12 Laboratory, 13 Passageway (4 views each), 11 Campus (3 views); 360 x 288, 25 instants a second.
Homepage: https://github.com/realgump/MvMHAT; recordings: https://www.epfl.ch/labs/cvlab/data/data-pom-index-php/.
Licence: research use.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from selfmva.core.types import Frame, View
from selfmva.datasets.recording import Recording
from selfmva.errors import DataError, InputError
from selfmva.io.boxes.mot import natural_order, read_mot

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import OnBadBox


class MvMHAT(Recording):
    """One scene: labelled boxes of all views; identities are shared by the views, and 0 is a person.

    Splits: the first 70 % of the instants `"train"`, the next 10 % `"validation"`, the last 20 % `"test"`. There
    are no detections: `"train"` holds annotated boxes too, whose identities `fit` does not read.

    Args:
        root: Folder of the files: lines of instant, identity, left, top, width, height and flags.
        scene: Name of the scene, the part of the file's name before the view.
        stride: Keep every `stride`-th instant; 10 leaves 2.5 a second.
        start: The first instant that is kept.
        size: Width and height of the images in pixels.
        on_bad_box: What happens with boxes of the files that are none, see `selfmva.io.read_boxes`.

    Raises:
        DataError: The scene has no file, or one is damaged.
        InputError: The stride is not positive.

    Example:
        >>> MvMHAT("nowhere", "11")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: no tracks of scene '11' found; looked for nowhere/11_<view>.txt
    """

    name: ClassVar[str] = "mvmhat"
    similarity_threshold: ClassVar[float] = 0.0

    def __init__(
        self,
        root: str | Path,
        scene: str | int,
        stride: int = 10,
        start: int = 0,
        size: tuple[int, int] = (360, 288),
        *,
        on_bad_box: OnBadBox = "drop",
    ) -> None:
        if stride < 1:
            raise InputError(f"stride must be 1 or more, got {stride}")
        prefix = f"{scene}_"
        files = sorted((p for p in Path(root).glob("*.txt") if p.name.startswith(prefix)), key=natural_order)
        if not files:
            raise DataError(f"no tracks of scene {str(scene)!r} found; looked for {root}/{prefix}<view>.txt")
        kept = (
            f for f in read_mot(files, on_bad_box=on_bad_box) if f.index >= start and (f.index - start) % stride == 0
        )
        frames = [Frame(f.boxes, f.index, track_ids=f.track_ids) for f in kept]  # the seventh column is a flag here
        instants = [frame.index for frame in frames]
        validation, test = len(instants) * 7 // 10, len(instants) * 8 // 10
        super().__init__(
            [View(path.stem.removeprefix(prefix), *size) for path in files],
            annotated=frames,
            annotated_splits={
                "train": instants[:validation],
                "validation": instants[validation:test],
                "test": instants[test:],
            },
            source=f"{root}/{prefix}<view>.txt",
        )
