"""Your own recording: images, boxes, or both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from selfmva.core.types import View
from selfmva.datasets import check_adapter
from selfmva.datasets.folder import Folder
from selfmva.errors import DataError, DuplicateIdentityWarning, InputError

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [(64, 48), (32, 24)]


def write_boxes(path: Path, identity: int, count: int = 20) -> None:
    entries = [[1, 2, 3, 4, identity, 0], [5, 6, 7, 8, identity, 1]]
    path.write_text(json.dumps({str(t): entries for t in range(count)}))


def write_images(folder: Path, *names: str) -> None:
    for name in names:
        view = int(name.split(".")[0].split("_")[1])
        width, height = SIZES[view]
        assert cv2.imwrite(str(folder / name), np.zeros((height, width, 3), dtype=np.uint8))


def test_boxes_without_identities_are_all_for_training(tmp_path: Path) -> None:
    write_boxes(tmp_path / "boxes.json", identity=-1)
    data = Folder(tmp_path, sizes=SIZES)
    check_adapter(data)
    assert dict(data.splits) == {"train": tuple(range(20)), "validation": (), "test": ()}
    assert data.views == (View("view0", 64, 48), View("view1", 32, 24))
    assert data.identities(0)[0].tolist() == [-1]


def test_identities_give_splits_and_sizes_come_from_images(tmp_path: Path) -> None:
    write_boxes(tmp_path / "boxes.json", identity=0)
    write_images(tmp_path, "10_0.jpg", "2_1.png")
    (tmp_path / "cover.jpg").touch()
    data = Folder(tmp_path)
    check_adapter(data)
    assert data.splits["train"] == tuple(range(15))
    assert data.splits["validation"] == (15, 16, 17)
    assert data.splits["test"] == (18, 19)
    assert data.views == (View("view0", 64, 48), View("view1", 32, 24))
    assert data.identities(0)[0].tolist() == [0]
    assert data.frame(0).track_ids is None


def test_the_file_itself_and_other_formats(tmp_path: Path) -> None:
    write_boxes(tmp_path / "a.json", identity=-1)
    write_boxes(tmp_path / "b.json", identity=-1, count=3)
    assert len(Folder(tmp_path / "b.json", sizes=SIZES)) == 3
    assert len(Folder(tmp_path, boxes="b.json", sizes=SIZES)) == 3
    (tmp_path / "c.csv").write_text("frame,view,x1,y1,x2,y2\n3,0,1,2,5,9\n")
    assert Folder(tmp_path, boxes="c.csv", sizes=SIZES).frame(0).index == 3
    with pytest.raises(DataError, match=r"several files could hold the boxes \(a\.json, b\.json\); choose with boxes="):
        Folder(tmp_path, sizes=SIZES)


def test_images_alone(tmp_path: Path) -> None:
    write_images(tmp_path, "10_0.jpg", "2_1.jpg", "2_0.jpg")
    data = Folder(tmp_path)
    check_adapter(data)
    assert [data.frame(k).index for k in range(len(data))] == [2, 10]
    assert data.frame(0).counts == (0, 0)


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        (None, DataError, r"no images \{instant\}_\{view\}\.jpg in .*give the sizes"),
        (SIZES[:1], InputError, "at least two views"),
        ([*SIZES, (9, 9)], None, ""),
    ],
)
def test_sizes(tmp_path: Path, sizes: Any, error: type[Exception] | None, message: str) -> None:
    write_boxes(tmp_path / "boxes.json", identity=-1)
    if error is None:
        assert Folder(tmp_path, sizes=sizes).frame(0).counts == (1, 1, 0)
    else:
        with pytest.raises(error, match=message):
            Folder(tmp_path, sizes=sizes)


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        Folder(tmp_path / "nowhere")
    write_images(tmp_path, "0_1.jpg")
    with pytest.raises(DataError, match="numbered from 0, but there is no image of view 0"):
        Folder(tmp_path)
    (tmp_path / "b.json").write_text('{"4": [[1, 2, 3, 4, 6, 0], [5, 2, 3, 4, 6, 0]]}')
    with pytest.warns(
        DuplicateIdentityWarning, match=r"b\.json: 1 times, .* instant 4, view 0: identity 6 stands there 2"
    ):
        Folder(tmp_path, sizes=SIZES)
