"""Other cameras than expected: whoever notices says what came, what was expected and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.association.association import Association
from selfmva.core.types import Frame, View, clip_to_views
from selfmva.core.view_checks import check_same_sizes
from selfmva.errors import InputError
from selfmva.io import SynchronizedReader, frame_to_supervision
from selfmva.perception import observe
from selfmva.viz.video import images_of

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, VIEWS = Frame([[]], index=4), (View("door", 6, 4), View("hall", 6, 4))


def reader(width: int = 6) -> SynchronizedReader:
    return SynchronizedReader([np.zeros((9, 4, width, 3), np.uint8)] * 2, rate=1)


@pytest.mark.parametrize(
    ("call", "having"),
    [
        (lambda: clip_to_views(ONE, VIEWS), r"there are 2 \(door, hall\)"),
        (lambda: frame_to_supervision(ONE, VIEWS), "there are 2"),
        (lambda: observe(reader(), frames=[ONE]), "the reader has 2"),
    ],
)
def test_another_number_of_views(call: Callable[[], Any], having: str) -> None:
    with pytest.raises(InputError, match=f"instant 4 has 1 views, but {having}; give one entry per view, empty where"):
        call()


def test_cameras_of_other_sizes() -> None:
    check_same_sizes(VIEWS, "these are of", reader().views, "those of")  # names may differ
    association = Association(Frame([[], []]), VIEWS, tuple(np.zeros((2, 0), np.int64)), {})
    message = (
        r"of cameras of sizes \[\(6, 4\), \(6, 4\)\], the images of cameras of sizes \[\(5, 4\), .* in the same order"
    )
    with pytest.raises(InputError, match=message):
        images_of(association, reader(width=5))
    with pytest.raises(InputError, match=r"sizes \[\(6, 4\), \(6, 4\)\], those of sizes \[\(6, 4\)\]"):
        check_same_sizes(VIEWS, "these are of", VIEWS[:1], "those of")
