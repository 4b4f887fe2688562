"""WILDTRACK, MVOR, SOLDIERS and MvMHAT in every layout, made small here and, where present, in full."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from selfmva.core.types import View
from selfmva.datasets import LabelledDataset, check_adapter, load_dataset
from selfmva.datasets.mvmhat import MvMHAT
from selfmva.datasets.mvor import Mvor
from selfmva.datasets.soldiers import Soldiers
from selfmva.datasets.wildtrack import Wildtrack
from selfmva.errors import DataError, DuplicateIdentityWarning, InputError

if TYPE_CHECKING:
    from pathlib import Path


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def person(identity: int, boxes: dict[int, list[int]]) -> dict[str, Any]:
    nowhere = [-1, -1, -1, -1]
    corners = [dict(zip(("xmin", "ymin", "xmax", "ymax"), boxes.get(v, nowhere), strict=True)) for v in range(7)]
    return {"personID": identity, "positionID": 0, "views": [{"viewNum": v, **c} for v, c in enumerate(corners)]}


class TestWildtrack:
    PEOPLE = (
        person(8, {0: [10, 20, 30, 80], 6: [-20, 1000, 40, 1200]}),
        person(3, {0: [1, 2, 3, 4], 2: [5, 5, 5, 9], 3: [1920, 5, 1950, 9], 4: [-9, 0, 0, 5]}),
    )

    def build(self, annotations: Path, detections: Path | None = None) -> None:
        for instant in (0, 287, 288, 359, 360, 399):
            write_json(annotations / f"{5 * instant:08d}.json", self.PEOPLE)
        if detections is not None:
            write_json(detections, {"0": [[1, 2, 3, 4, -1, 6]], "10": [], "2": [[1, 2, 3, 4, 9, 0]]})

    @pytest.mark.parametrize(
        ("annotations", "detections"),
        [
            ("annotations_positions", "detections_train.json"),
            ("Wildtrack_dataset/annotations_positions", None),
            ("src/annotations_positions", "output/detections_train.json"),
            ("sequence1/src/annotations_positions", "sequence1/output/detections_train.json"),
            ("Wildtrack/sequence1/src/annotations_positions", "Wildtrack/sequence1/output/detections_train.json"),
        ],
    )
    def test_layouts(self, tmp_path: Path, annotations: str, detections: str | None) -> None:
        self.build(tmp_path / annotations, tmp_path / detections if detections else None)
        data = Wildtrack(tmp_path)
        check_adapter(data)
        sizes = {name: len(indices) for name, indices in data.splits.items()}
        assert sizes == {"train": 3 if detections else 0, "annotated_train": 2, "validation": 2, "test": 2}
        assert [data.frame(k).index for k in data.splits["test"]] == [360, 399]
        assert [data.frame(k).index for k in data.splits["train"]] == ([0, 2, 10] if detections else [])

    def test_values(self, tmp_path: Path) -> None:
        self.build(tmp_path / "annotations_positions")
        data = Wildtrack(tmp_path)
        frame, identities = data.frame(0), data.identities(0)
        assert frame.counts == (2, 0, 0, 0, 0, 0, 1)  # without area, outside, not seen: dropped
        assert frame.boxes[0].tolist() == [[10, 20, 30, 80], [1, 2, 3, 4]]
        assert frame.boxes[6].tolist() == [[-20, 1000, 40, 1200]]  # as the file has it
        assert [ids.tolist() for ids in identities] == [[8, 3], [], [], [], [], [], [8]]
        assert data.views[6] == View("C7", 1920, 1080)

    def test_a_missing_test_part_leaves_the_split_as_it_is(self, tmp_path: Path) -> None:
        self.build(tmp_path / "annotations_positions")
        for instant in (360, 399):
            (tmp_path / "annotations_positions" / f"{5 * instant:08d}.json").unlink()
        data = Wildtrack(tmp_path)
        assert data.splits["test"] == ()
        assert [data.frame(k).index for k in data.splits["validation"]] == [288, 359]

    def test_own_detections(self, tmp_path: Path) -> None:
        self.build(tmp_path / "annotations_positions", tmp_path / "detections_train.json")
        write_json(tmp_path / "mine.json", {"7": [[1, 2, 3, 4, -1, 0]]})
        data = Wildtrack(tmp_path, detections=tmp_path / "mine.json")
        assert [data.frame(k).index for k in data.splits["train"]] == [7]
        with pytest.raises(DataError, match=r"other\.json does not exist"):
            Wildtrack(tmp_path, detections=tmp_path / "other.json")

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("00000005.json", [{"personID": 3}], r"00000005\.json: not an annotation file of WILDTRACK .*'views'"),
            ("00000005.json", 3, r"00000005\.json: not an annotation file of WILDTRACK"),
            ("00000005.json", [{"personID": None, "views": [person(1, {})["views"][0]]}], "expected views 0 to 6"),
            (
                "00000005.json",
                [{"personID": 1, "views": [{**person(1, {})["views"][0], "viewNum": 7}]}],
                "views 0 to 6",
            ),
            ("00000004.json", [], "named by its image, a multiple of 5"),
            ("notes.json", [], "named by its image, a multiple of 5"),
        ],
    )
    def test_damage_is_named(self, tmp_path: Path, name: str, content: Any, message: str) -> None:
        write_json(tmp_path / "annotations_positions" / name, content)
        with pytest.raises(DataError, match=message):
            Wildtrack(tmp_path)

    def test_a_person_twice_in_a_view(self, tmp_path: Path) -> None:
        write_json(tmp_path / "annotations_positions" / "00000005.json", [person(3, {1: [1, 1, 2, 2]})] * 2)
        with pytest.warns(DuplicateIdentityWarning, match="instant 1, view 1: identity 3 stands there 2 times"):
            assert Wildtrack(tmp_path).identities(0)[1].tolist() == [3, 3]

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"looked for .*/annotations_positions, .*/sequence1/src/annotations_pos"):
            Wildtrack(tmp_path)
        (tmp_path / "annotations_positions").mkdir()
        with pytest.raises(DataError, match="no annotations in"):
            Wildtrack(tmp_path)

    @pytest.mark.realdata
    def test_in_full(self, data_root: Path) -> None:
        data = load_dataset("wildtrack", data_root / "wildtrack")
        check_adapter(data)
        assert isinstance(data, LabelledDataset)
        assert len(data.splits["train"]) == len(data.splits["annotated_train"]) == 288
        assert len(data.splits["validation"]) == 72
        assert data.frame(data.splits["validation"][0]).index == 288
        boxes = sum(sum(data.frame(k).counts) for name in ("annotated_train", "validation") for k in data.splits[name])
        assert boxes == 37548  # entries of the 360 files that are not -1


class TestMvor:
    def build(self, root: Path, output: str = "") -> None:
        """20 instants; person 1 in all views, one without an id, instant 3 seen in one view only."""
        images = [
            {"images": [{"id": 100 * t + c, "cam_id": c, "file_name": f"{t}{c}.png"} for c in (1, 2, 3)]}
            for t in range(20)
        ]
        annotations = [
            {"id": 9, "image_id": 100 * t + c, "bbox": [t, c, 10, 20], "person_id": p}
            for t in range(20)
            for c, p in ((1, 1), (2, 1), (3, -1))
            if t != 3 or c != 2
        ]
        write_json(root / "camma_mvor_2018_v2.json", {"multiview_images": images, "annotations": annotations})
        write_json(
            root / output / "detections_train.json", {str(t): [[1, 2, 3, 4, -1, 1]] for t in (0, 1, 10, 2, 18, 3)}
        )

    @pytest.mark.parametrize("output", ["", "output", "sequence1/output"])
    def test_layouts_and_splits(self, tmp_path: Path, output: str) -> None:
        self.build(tmp_path, output)
        data = Mvor(tmp_path)
        check_adapter(data)
        instants = {name: [data.frame(k).index for k in indices] for name, indices in data.splits.items()}
        usable = [t for t in range(20) if t != 3]  # 19: 1 test, 3 of the other 18 validation
        assert instants == {
            "train": [0, 1, 2, 3, 10, 18],
            "annotated_train": usable[:15],
            "validation": usable[15:18],
            "test": usable[18:],
            "unseen": [t for t in usable if t not in {0, 1, 2, 10, 18}],
        }

    def test_values(self, tmp_path: Path) -> None:
        self.build(tmp_path)
        data = Mvor(tmp_path)
        index = data.splits["test"][0]
        assert data.frame(index).boxes[1].tolist() == [[19, 2, 29, 22]]
        assert data.frame(index).counts == (1, 1, 0)  # who has no id is skipped
        assert [ids.tolist() for ids in data.identities(index)] == [[1], [1], []]

    def test_missing(self, tmp_path: Path) -> None:
        self.build(tmp_path)
        (tmp_path / "detections_train.json").unlink()
        with pytest.raises(DataError, match=r"no MVOR detections found; looked for .*sequence1/output/detections_tr"):
            Mvor(tmp_path)

    @pytest.mark.parametrize("change", [{"annotations": [{"person_id": 1}]}, {"multiview_images": 3}])
    def test_damage_is_named(self, tmp_path: Path, change: dict[str, Any]) -> None:
        self.build(tmp_path)
        path = tmp_path / "camma_mvor_2018_v2.json"
        write_json(path, json.loads(path.read_text()) | change)
        with pytest.raises(DataError, match=r"camma_mvor_2018_v2\.json: not the annotation file of MVOR"):
            Mvor(tmp_path)
        box = {"id": 77, "image_id": 1, "bbox": [1, 1, 0, 5], "person_id": 0}
        self.build(tmp_path)
        write_json(path, json.loads(path.read_text()) | {"annotations": [box]})
        with pytest.raises(DataError, match="annotation 77: the box has size 0 x 5"):
            Mvor(tmp_path, on_bad_box="raise")

    @pytest.mark.realdata
    def test_in_full(self, data_root: Path) -> None:
        data = load_dataset("mvor", data_root / "mvor")
        check_adapter(data)
        sizes = {name: len(indices) for name, indices in data.splits.items()}
        assert sizes == {"train": 512, "annotated_train": 513, "validation": 128, "test": 71, "unseen": 200}

    @pytest.mark.realdata
    def test_the_boxes_of_the_golden_instant(self, data_root: Path) -> None:
        golden = np.load(data_root / "golden" / "mvor_s1_best_forward.npz")
        data = Mvor(data_root / "mvor")
        index = data.splits["test"][0]
        assert data.frame(index).index == int(golden["frame_id"])
        for view in range(3):
            identities, boxes = data.identities(index)[view], data.frame(index).boxes[view]
            order = np.argsort(identities)
            expected = golden[f"frame_v{view}_boxes"] * [640, 480, 640, 480]
            theirs = np.argsort(golden[f"frame_v{view}_person_id"])
            assert identities[order].tolist() == golden[f"frame_v{view}_person_id"][theirs].tolist()
            # The published protocol cuts corners to whole pixels; the adapter gives the boxes of the file.
            assert np.allclose(np.trunc(boxes[order]), expected[theirs], atol=1e-3)


class TestSoldiers:
    def build(self, root: Path, frames: bool = True) -> None:
        entries = [[1, 2, 3, 4, 5, 0], [1, 2, 3, 4, 5, 5]]
        write_json(root / "annotated_box_test.json", {"20": entries, "3": entries, "30": entries[:1]})
        write_json(root / "detections_train.json", {"0": [[1, 2, 3, 4, -1, 5]]})
        if frames:
            (root / "frames").mkdir()
            for view in range(6):
                cv2.imwrite(str(root / "frames" / f"0_{view}.jpg"), np.zeros((20 + view, 40, 3), dtype=np.uint8))

    @pytest.mark.parametrize("folder", ["output", "", "sequence1/output"])
    def test_layouts(self, tmp_path: Path, folder: str) -> None:
        self.build(tmp_path / folder)
        data = Soldiers(tmp_path)
        check_adapter(data)
        assert dict(data.splits) == {"train": (0,), "validation": (), "test": (1, 2)}
        assert data.views[5] == View("view5", 40, 25)
        assert [ids.tolist() for ids in data.identities(1)] == [[5], [], [], [], [], [5]]

    def test_sizes(self, tmp_path: Path) -> None:
        self.build(tmp_path / "output", frames=False)
        with pytest.raises(DataError, match=r"give size=\(width, height\)"):
            Soldiers(tmp_path)
        assert Soldiers(tmp_path, size=(64, 48)).views[0] == View("view0", 64, 48)

    def test_missing(self, tmp_path: Path) -> None:
        self.build(tmp_path / "output")
        (tmp_path / "output" / "frames" / "0_5.jpg").unlink()
        with pytest.raises(DataError, match=r"expected images of 6 views, .*got 5"):
            Soldiers(tmp_path)
        (tmp_path / "output" / "detections_train.json").unlink()
        with pytest.raises(DataError, match=r"no SOLDIERS detections found; looked for .*output/detections_train"):
            Soldiers(tmp_path, size=(64, 48))


class TestMvMHAT:
    def test_values(self, tmp_path: Path) -> None:
        lines = "".join(f"{t},0,1,2,3,4,0,0,1,0\n" for t in reversed(range(100)))
        for name in ("7_1.txt", "7_2.txt", "17_1.txt", "71_1.txt"):
            (tmp_path / name).write_text(lines)
        data = MvMHAT(tmp_path, "7")
        check_adapter(data)
        assert dict(data.splits) == {"train": tuple(range(7)), "validation": (7,), "test": (8, 9)}
        assert [data.frame(k).index for k in range(10)] == list(range(0, 100, 10))
        assert data.frame(0).scores is None  # the seventh column is a flag
        assert data.identities(0)[1].tolist() == [0]  # 0 is a person
        assert data.views == (View("1", 360, 288), View("2", 360, 288))
        shifted = MvMHAT(tmp_path, 7, stride=30, start=5)
        assert [shifted.frame(k).index for k in range(4)] == [5, 35, 65, 95]

    def test_errors(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="stride must be 1 or more"):
            MvMHAT(tmp_path, "7", stride=0)
        (tmp_path / "7_1.txt").write_text("1,2,3\n")
        with pytest.raises(DataError, match=r"7_1\.txt:1: expected 6 columns"):
            MvMHAT(tmp_path, "7")

    @pytest.mark.realdata
    @pytest.mark.parametrize(("scene", "views", "sizes"), [("11", 3, (345, 49, 99)), ("13", 4, (175, 25, 50))])
    def test_in_full(self, data_root: Path, scene: str, views: int, sizes: tuple[int, ...]) -> None:
        data = load_dataset("mvmhat", data_root / "epfl", scene=scene)
        check_adapter(data)
        assert len(data.views) == views
        assert tuple(len(data.splits[name]) for name in ("train", "validation", "test")) == sizes
        lines = np.loadtxt(data_root / "epfl" / f"{scene}_1.txt", delimiter=",")
        for index in data.splits["test"][:20]:
            rows = lines[lines[:, 0] == data.frame(index).index]
            expected = {int(who): [x, y, x + w, y + h] for _, who, x, y, w, h, *_ in rows}
            ids, boxes = data.identities(index)[0].tolist(), data.frame(index).boxes[0].tolist()
            assert dict(zip(ids, boxes, strict=True)) == expected


@pytest.mark.realdata
def test_the_layout_of_the_published_code(data_root: Path, tmp_path: Path) -> None:
    """The same instants whichever way the real files lie."""
    (tmp_path / "sequence1" / "output").mkdir(parents=True)
    shutil.copy(data_root / "mvor" / "camma_mvor_2018_v2.json", tmp_path)
    shutil.copy(data_root / "mvor" / "detections_train.json", tmp_path / "sequence1" / "output")
    assert dict(Mvor(tmp_path).splits) == dict(Mvor(data_root / "mvor").splits)
