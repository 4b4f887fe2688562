"""Your own recording: a folder of images `{instant}_{view}.jpg` and a file of boxes.

Licence and homepage: yours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from selfmva.core.types import Frame
from selfmva.datasets.images import recorded_instants, recorded_views
from selfmva.datasets.recording import Recording, split_by_time
from selfmva.errors import DataError
from selfmva.io.boxes.any_format import read_boxes
from selfmva.io.video.view_argument import resolve_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.bad_boxes import OnBadBox


class Folder(Recording):
    """A recording in a folder: boxes as a Self-MVA JSON, images `{instant}_{view}.jpg` or `.png`, or both.

    Track ids of the file are the identities, shared by all views (-1 = not known). Splits: without identities,
    everything is `"train"`; with them, the last 10 % of the instants in which two views or more show somebody are
    `"test"`, the last 20 % of the rest `"validation"`, the rest `"train"`.

    Args:
        root: The folder, or the file of boxes itself.
        boxes: The file of boxes, relative to `root`, in any format of `selfmva.io.read_boxes`; None: the one `.json`
            file of the folder. Without any, all instants that have images are empty frames.
        sizes: `(width, height)` per view; None: the sizes of the images.
        on_bad_box: What happens with boxes of the files that are none, see `selfmva.io.read_boxes`.

    Raises:
        DataError: Files are missing, damaged or more than one could be meant, or the sizes are not known.
        InputError: Fewer than two views.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "boxes.json").write_text('{"0": [[5, 5, 20, 40, -1, 0], [9, 5, 20, 40, -1, 1]]}')
        ...     Folder(folder, sizes=[(640, 480), (640, 480)])
        Folder(2 views; train: 1, validation: 0, test: 0)
    """

    name: ClassVar[str] = "folder"
    similarity_threshold: ClassVar[float] = 0.0

    def __init__(
        self,
        root: str | Path,
        boxes: str | Path | None = None,
        sizes: Sequence[tuple[int, int]] | None = None,
        *,
        on_bad_box: OnBadBox = "drop",
    ) -> None:
        folder, path = _locate(Path(root), boxes)
        views = resolve_views(recorded_views(folder) if sizes is None else sizes)
        if path is None:
            frames = [Frame([[]] * len(views), index=instant) for instant in recorded_instants(folder)]
        else:
            frames = read_boxes(path, views, on_bad_box=on_bad_box)
        labelled = any(frame.track_ids is not None for frame in frames)
        everything = {"train": [frame.index for frame in frames], "validation": [], "test": []}
        super().__init__(
            views,
            annotated=frames,
            annotated_splits=split_by_time(frames) if labelled else everything,
            source=str(path),
        )


def _locate(root: Path, boxes: str | Path | None) -> tuple[Path, Path | None]:
    """The folder of images and the file of boxes."""
    if root.is_file():
        return root.parent, root
    if not root.is_dir():
        raise DataError(f"{root} does not exist; expected a folder of images or a file of boxes")
    if boxes is not None:
        return root, root / boxes
    found = sorted(root.glob("*.json"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise DataError(f"{root}: several files could hold the boxes ({names}); choose with boxes=")
    return root, found[0] if found else None
