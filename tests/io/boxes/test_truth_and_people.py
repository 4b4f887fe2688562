"""Ground truth and annotations hold more than people: cars, crowds, reflections, rows that don't count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.errors import DataError
from selfmva.io import read_mot
from selfmva.io.boxes.coco import parse_coco

if TYPE_CHECKING:
    from pathlib import Path


def mot(path: Path, *ends: str) -> list[int]:
    """The ids that are read of rows that end as given; row k has id k, from 1."""
    path.write_text("".join(f"3,{k},{10 * k},20,5,9{end}\n" for k, end in enumerate(ends, start=1)))
    frames = read_mot(path)
    return [] if not frames else frames[0].track_ids[0].tolist()


class TestMot:
    def test_pedestrians_that_count(self, tmp_path: Path) -> None:
        path = tmp_path / "gt.txt"
        assert mot(path, ",1,1,1", ",0,1,0.5", ",1,7,1", ",1,3,0.25", ",1,1,0", ",0,12,0.3") == [1, 5]
        assert mot(path, ", 1, 1, 1.0", ", 1, 2, 1.0") == [1]
        assert read_mot(path)[0].scores is None  # a flag is no score
        assert mot(path, ",0,1,1", ",0,1,1") == []

    def test_visdrone(self, tmp_path: Path) -> None:
        assert mot(tmp_path / "gt.txt", ",1,1,0,0", ",0,0,0,0", ",1,2,0,1", ",1,4,1,2", ",0,11,0,0") == [1, 3]

    @pytest.mark.parametrize(
        "ends",
        [
            (",0,0,0,0", ",0,0,1,0"),  # tracks of MvMHAT: flags of nothing
            (",0,-1,-1,-1", ",1,-1,-1,-1"),
            (",1,0,0", ",0,0,1"),
            (",-1,-1,-1", ",-1,-1,-1"),
            (",0.9,1,1", ",0.8,3,1"),  # a confidence is no flag
            (",1,4.4852,5.5016,0", ",1,4.4091,4.4283,0"),  # places on the ground
            (",1,4,5,0", ",1,3,4,0"),
            (",1,1", ",1,3"),
            (",1", ",0"),
        ],
    )
    def test_what_has_no_classes(self, tmp_path: Path, ends: tuple[str, str]) -> None:
        assert mot(tmp_path / "a.txt", *ends) == [1, 2]

    def test_each_file_for_itself(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("3,1,0,0,5,9,1,1,1\n3,2,0,0,5,9,1,3,1\n")
        (tmp_path / "b.txt").write_text("3,1,0,0,5,9,0.5,-1,-1,-1\n3,2,0,0,5,-9,0.5,-1,-1,-1\n")
        with pytest.raises(DataError, match=r"b\.txt:2: the box has size 5 x -9"):  # rows left out are counted
            read_mot(tmp_path, on_bad_box="raise")
        (tmp_path / "b.txt").write_text("3,1,0,0,5,9,0.5,-1,-1,-1\n3,2,0,0,5,9,0.5,-1,-1,-1\n")
        (frame,) = read_mot(tmp_path)
        assert (frame.counts, frame.scores) == ((1, 2), None)

    @pytest.mark.realdata
    def test_sequences(self, data_root: Path) -> None:
        for path in sorted((data_root / "mot").glob("*/gt*.txt")):
            rows = np.loadtxt(path, delimiter=",")
            wanted = rows[(rows[:, 6] == 1) & (rows[:, 7] == 1)] if rows.shape[1] == 9 else rows
            assert sum(sum(frame.counts) for frame in read_mot(path)) == len(wanted), path


def coco(annotations: list[dict[str, Any]], *categories: Any) -> Any:
    images = [{"id": 1, "view": 0, "frame": 0}]
    boxes = [{"image_id": 1, "bbox": [0, 0, k + 1, 9], **entry} for k, entry in enumerate(annotations)]
    return parse_coco({"images": images, "annotations": boxes, "categories": list(categories)})[0]


def category(identifier: Any, name: Any, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "name": name, **more}


class TestCoco:
    @pytest.mark.parametrize("name", ["person", "Person", " PEOPLE", "pedestrian", "Pedestrians", "human"])
    def test_names(self, name: str) -> None:
        found = coco([{"category_id": 1}, {"category_id": 2}], category(2, name), category(1, "car"))
        assert found.boxes[0][:, 2].tolist() == [2.0]

    def test_several_names_of_people(self) -> None:
        found = coco(
            [{"category_id": k} for k in (1, 2, 3)],
            category(1, "pedestrian"),
            category(2, "people"),
            category(3, "van"),
        )
        assert found.counts == (2,)

    def test_kinds_of_people(self) -> None:
        players = category("a", "player", supercategory="person"), category("b", "ball", supercategory="thing")
        assert coco([{"category_id": "b"}, {"category_id": "a"}], *players).boxes[0][:, 2].tolist() == [2.0]

    def test_one_category_is_what_the_file_is_about(self) -> None:
        assert coco([{"category_id": 5}, {}], category(5, "player")).counts == (2,)
        assert coco([{}, {"category_id": 9}]).counts == (2,)

    @pytest.mark.parametrize("mark", [{"iscrowd": 1}, {"iscrowd": True}, {"ignore": 1}])
    def test_what_is_no_single_person(self, mark: dict[str, Any]) -> None:
        unmarked = dict.fromkeys(mark, 0)
        assert coco([mark, unmarked, {}]).boxes[0][:, 2].tolist() == [2.0, 3.0]

    @pytest.mark.parametrize(
        "entry",
        [
            {"track_id": 7},
            {"instance_id": 7},
            {"attributes": {"occluded": False, "track_id": 7}},
            {"attributes": {"instance_id": 7.0}},
            {"track_id": None, "instance_id": 7},
            {"track_id": 7, "attributes": {"track_id": 9}},
        ],
    )
    def test_tracks(self, entry: dict[str, Any]) -> None:
        assert coco([entry, {"attributes": None}]).track_ids[0].tolist() == [7, -1]

    @pytest.mark.parametrize(
        ("annotation", "categories", "message"),
        [
            (
                {"category_id": 1},
                [category(1, "car"), category(2, "dog")],
                r"none of the categories \(car, dog\) is call",
            ),
            ({}, [category(1, "person"), category(2, "car")], r"annotations\[0\]: category_id None is not the id"),
            ({"category_id": 3}, [category(1, "person")], r"annotations\[0\]: category_id 3 is not the id"),
            ({"category_id": "1"}, [category(1, "person")], r"annotations\[0\]: category_id '1' is not"),
            ({"category_id": [1]}, [category(1, "person")], r"annotations\[0\]: category_id \[1\] is not"),
            ({"category_id": 1}, [category([1], "person")], r"categories\[0\]: expected an object with an id"),
            ({"category_id": 1}, [3], r"categories\[0\]: expected an object with an id"),
            ({"iscrowd": "yes"}, [], r"annotations\[0\]: iscrowd must be 0 or 1, got 'yes'"),
            ({"iscrowd": 2}, [], r"annotations\[0\]: iscrowd must be 0 or 1"),
            ({"attributes": {"track_id": "a"}}, [], r"annotations\[0\]: track_id must be a number"),
            ({"track_id": True}, [], r"annotations\[0\]: track_id must be a number"),
            ({"instance_id": 10**400}, [], r"annotations\[0\]: instance_id must be a number"),
            ({"track_id": 1.5}, [], r"annotations\[0\]: track id 1.5 is not a whole number"),
            ({"score": 10**400}, [], r"annotations\[0\]: score must be a number"),
            ({"score": "0.5"}, [], r"annotations\[0\]: score must be a number"),
            ({"score": float("nan")}, [], r"annotations\[0\]: score nan is not a finite number"),
            ({"score": float("inf")}, [], r"annotations\[0\]: score must be a number, got inf"),
            ({"bbox": [0, 0, 10**400, 1]}, [], r"annotations\[0\]: each number of bbox"),
            ({"bbox": [0, 0, True, 1]}, [], r"annotations\[0\]: each number of bbox"),
            ({"bbox": ["0", 0, 1, 1]}, [], r"annotations\[0\]: each number of bbox"),
            ({"image_id": [1]}, [], r"annotations\[0\]: image_id \[1\] is not the id of any image"),
            ({"image_id": True}, [], r"annotations\[0\]: image_id True is not the id of any image"),
        ],
    )
    def test_damage_is_named(self, annotation: dict[str, Any], categories: list[Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            coco([annotation], *categories)

    @pytest.mark.parametrize("categories", [5, {"1": "person"}, "person"])
    def test_categories_that_are_no_list(self, categories: Any) -> None:
        with pytest.raises(DataError, match="categories must be a list"):
            parse_coco({"images": [], "annotations": [], "categories": categories})

    @pytest.mark.parametrize(
        ("image", "message"),
        [
            ({"view": True}, r"images\[0\]: a view is a name or a whole number from 0, got True"),
            ({"view": [0]}, r"images\[0\]: a view is a name or a whole number from 0, got \[0\]"),
            ({"view": None}, r"images\[0\]: a view is a name or a whole number"),
            ({"view": ""}, r"images\[0\]: a view is a name or a whole number"),
            ({"view": 0.5}, r"images\[0\]: view 0.5 is not a whole number"),
            ({"view": 10**8}, r"images\[0\]: view 100000000; views are numbered from 0, or have names"),
            ({"view": 10**17}, r"images\[0\]: view 100000000000000000; views are numbered"),
            ({"view": 10**40}, r"images\[0\]: view 1000.* is too large to be the number of a view"),
            ({"frame": True}, r"images\[0\]: frame must be a whole number, got True"),
            ({"frame": 2**63}, r"images\[0\]: frame must be a whole number"),
            ({"frame": 1.0}, r"images\[0\]: frame must be a whole number"),
            ({"id": [1]}, r"images\[0\]: expected an object with an id"),
            ({"id": 1.5}, r"images\[0\]: expected an object with an id"),
        ],
    )
    def test_images_that_are_none(self, image: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            parse_coco({"images": [{"id": 1, "view": 0, "frame": 0, **image}], "annotations": []})
