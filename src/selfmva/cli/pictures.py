"""Pictures that sub-commands leave beside a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from selfmva.association.associator import Associator
    from selfmva.core.types import Frame

FLOOR_PICTURE = "floor.png"


def save_floor(folder: Path, associator: Associator, frames: Iterable[Frame]) -> Path | None:
    """Draw the floor that an associator found, with the people of some instants.

    Args:
        folder: Where `floor.png` is written; one that an earlier fit left there is removed where none was found.
        associator: A fitted one.
        frames: Successive instants.

    Returns:
        The picture; None where there is no floor.

    Raises:
        DataError: The disk refuses.
    """
    from selfmva.association.tracker import with_ids_that_last
    from selfmva.viz import draw_floor, save_image

    path = folder / FLOOR_PICTURE
    if associator.floor_ is None:
        path.unlink(missing_ok=True)
        return None
    save_image(path, draw_floor(associator.floor_, with_ids_that_last(associator, associator.associate_many(frames))))
    return path
