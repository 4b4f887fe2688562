"""COCO: where view and instant come from, whose boxes are read, and where damage is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from selfmva.core.types import View
from selfmva.errors import DataError
from selfmva.io.boxes.coco import parse_coco, read_coco

if TYPE_CHECKING:
    from pathlib import Path

BOX = {"image_id": 1, "bbox": [1, 2, 3, 4]}


def coco(*images: dict[str, Any], annotations: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "images": [{"id": number, **image} for number, image in enumerate(images)],
        "annotations": [BOX] if annotations is None else annotations,
        **more,
    }


@pytest.mark.parametrize("instant", ["instant", "frame", "frame_id"])
@pytest.mark.parametrize("view", ["view", "cam_id", "camera"])
def test_keys(instant: str, view: str) -> None:
    (frame,) = parse_coco(coco({instant: 5, view: 0}, {instant: 5, view: 1}))
    assert (frame.index, frame.counts) == (5, (0, 1))
    assert frame.boxes[1].tolist() == [[1, 2, 4, 6]]


def test_file_names() -> None:
    frames = parse_coco(coco({"file_name": "frames/10_1.png"}, {"file_name": "frames/9_0.png"}))
    assert [(frame.index, frame.counts) for frame in frames] == [(9, (1, 0)), (10, (0, 0))]


def test_the_own_numbers_of_cameras_are_put_in_order() -> None:
    data = coco({"frame": 0, "cam_id": 3}, {"frame": 0, "cam_id": 1}, {"frame": 0, "cam_id": 2})
    assert parse_coco(data)[0].counts == (1, 0, 0)
    data = coco({"frame": 0, "view": 2}, {"frame": 0, "view": 1})
    assert parse_coco(data)[0].counts == (0, 1, 0)  # a view's number is its number


def test_names_of_views() -> None:
    data = coco({"frame": 0, "camera": "window"}, {"frame": 0, "camera": "door"})
    assert parse_coco(data)[0].counts == (0, 1)  # in the order of appearance
    assert parse_coco(data, [View("door", 9, 9), View("window", 9, 9)])[0].counts == (1, 0)
    with pytest.raises(DataError, match=r"images\[0\]: there is no view 'window'; the views are door, gate"):
        parse_coco(data, [View("door", 9, 9), View("gate", 9, 9)])


def test_people_only_where_categories_have_names() -> None:
    annotations = [{**BOX, "category_id": 3}, {**BOX, "bbox": [9, 9, 9, 9], "category_id": 1}]
    images = ({"frame": 0, "view": 0}, {"frame": 0, "view": 1})
    categories = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
    (frame,) = parse_coco(coco(*images, annotations=annotations, categories=categories))
    assert frame.boxes[1].tolist() == [[9, 9, 18, 18]]
    (frame,) = parse_coco(coco(*images, annotations=annotations, categories=categories[1:]))
    assert frame.counts == (0, 2)


def test_no_boxes() -> None:
    (frame,) = parse_coco(coco({"frame": 4, "view": 0}, {"frame": 4, "view": 1}, annotations=[]))
    assert frame.counts == (0, 0)
    assert parse_coco({"images": [], "annotations": []}) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "`images` and `annotations`"),
        ({"images": []}, "'annotations' is missing"),
        ({"images": [{}], "annotations": []}, r"images\[0\]: expected an object with an id"),
        (coco({"frame": 0, "view": 0}, annotations=[3]), r"annotations\[0\]: expected an object"),
        (coco({"frame": 0, "view": 0}), r"annotations\[0\]: image_id 1 is not the id of any image"),
        (coco({"view": 0}), r"images\[0\]: the instant is not known: .*file_name like 12_0.jpg"),
        (coco({"frame": 0, "file_name": "day1/cam1/000000.png"}), r"images\[0\]: the view is not known"),
        (
            coco({"frame": 3, "view": 0}, {"frame": 3, "view": 0}),
            r"images\[1\]: its instant and view \(\(3, 0\)\) is also that of .*images\[0\]",
        ),
        (coco({"frame": 3, "view": 0}, {"frame": 4, "view": 0, "id": 0}), r"images\[1\]: its id \(0\) is also that"),
        (coco({"frame": "a", "view": 0}), r"images\[0\]: frame must be a whole number, got 'a'"),
        (
            coco({"frame": 0, "view": 0}, annotations=[{"image_id": 0, "bbox": [1, 2, 3]}]),
            r"annotations\[0\]: bbox must be \[left",
        ),
        (
            coco({"frame": 0, "view": 0}, annotations=[{"image_id": 0, "bbox": [1, 2, 3, -4]}]),
            r"annotations\[0\]: the box has size 3 x -4",
        ),
        (
            coco({"frame": 0, "view": 0}, annotations=[{"image_id": 0, "bbox": [1, 2, 3, 4], "track_id": "a"}]),
            r"annotations\[0\]: track_id must be a number",
        ),
    ],
)
def test_damage_is_named(tmp_path: Path, data: Any, message: str) -> None:
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(data))
    with pytest.raises(DataError, match=r"coco\.json.*" + message):
        read_coco(path, on_bad_box="raise")


def test_more_views_than_there_are() -> None:
    with pytest.raises(DataError, match=r"annotations\[0\]: view 1 is not one of the 1 views"):
        parse_coco(coco({"frame": 0, "view": 0}, {"frame": 0, "view": 1}), views=1)
