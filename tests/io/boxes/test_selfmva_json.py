"""The detection JSON: keys in the order of numbers, and each kind of damage is named with its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from selfmva.core.types import Frame
from selfmva.errors import DataError, InputError
from selfmva.io import read_selfmva, write_selfmva

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_are_sorted_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text('{"0": [], "10": [], "9": [[1, 2, 3, 4, 7, 2]]}')
    frames = read_selfmva(path)
    assert [frame.index for frame in frames] == [0, 9, 10]
    assert [frame.counts for frame in frames] == [(0, 0, 0), (0, 0, 1), (0, 0, 0)]
    assert frames[1].boxes[2].tolist() == [[1, 2, 4, 6]]
    assert frames[1].track_ids[2].tolist() == [7]


def test_nothing(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text("{}")
    assert read_selfmva(path, views=2) == []
    path.write_text('{"3": []}')
    assert read_selfmva(path, views=2)[0].counts == (0, 0)
    assert read_selfmva(path)[0].counts == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"0": [[1, 2, 3, 4, -1, 0]],\n "1": [[1, 2', r"line 2, column 13: .*cut short"),
        ("", r"line 1, column 1"),
        ('{"0": [}', r"line 1, column 8"),
        ('{"0": [], "0": []}', r"the key '0' stands twice"),
        ('{"1": [], "01": []}', r"instant 1 stands there twice"),
        ("[]", r"expected an object .* got list"),
        ('{"first": []}', r"key 'first': expected the number of an instant"),
        ('{"0": 3}', r"instant 0: expected a list of .* got int"),
        ('{"4": [[1, 2, 3, 4, -1, 0], [1, 2, 3, 4, -1]]}', r"instant 4, entry 1: expected \[x, y"),
        ('{"4": [[1, 2, 3, 4, -1, 0, 0.9]]}', r"instant 4, entry 0: expected \[x, y"),
        ('{"3": [], "4": [[1, 2, 3, [4], -1, 0]]}', r"instant 4, entry 0: expected six numbers"),
        ('{"4": [[1, 2, 3, "four", -1, 0]]}', r"instant 4, entry 0: expected six numbers"),
        ('{"0": [[1, 2, 3, 4, -1, 0]], "4": [[1, 2, -3, 4, -1, 0]]}', r"instant 4, entry 0: the box has size -3 x 4"),
        ('{"4": [[1, 2, 3, 0, -1, 0]]}', r"instant 4, entry 0: the box has size 3 x 0"),
        ('{"4": [[1, 2, NaN, 4, -1, 0]]}', r"instant 4, entry 0: box .* is not finite"),
        ('{"4": [[1e308, 2, 1e308, 4, -1, 0]]}', r"instant 4, entry 0: box .* is not finite"),
        ('{"4": [[1, 2, 3, 4, -1, 2]]}', r"instant 4, entry 0: view 2 is not one of the 2 views 0 to 1"),
        ('{"4": [[1, 2, 3, 4, -1, -1]]}', r"instant 4, entry 0: view -1 is not one of"),
        ('{"4": [[1, 2, 3, 4, -1, 0.5]]}', r"instant 4, entry 0: view 0.5 is not a whole number"),
        ('{"4": [[1, 2, 3, 4, 1e300, 0]]}', r"instant 4, entry 0: track id 1e\+300 is not a whole number"),
    ],
)
def test_damage_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "damaged.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"damaged\.json.*" + message):
        read_selfmva(path, views=2, on_bad_box="raise")


def test_every_cut_of_a_file_is_an_error(tmp_path: Path) -> None:
    whole = json.dumps({"0": [[1, 2, 3, 4, -1, 0]], "12": [[1, 2, 3, 4, -1, 1]]})
    path = tmp_path / "cut.json"
    for length in range(len(whole)):
        path.write_text(whole[:length])
        with pytest.raises(DataError, match=r"cut\.json"):
            read_selfmva(path)


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xff\xfe{}", "not a UTF-8 text file"), (b"[" * 100_000, "nested too deeply|line 1")]
)
def test_not_text(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_selfmva(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([Frame([[]], index=1), Frame([[]], index=1)], "two frames carry the instant 1"),
        ([Frame([[]], index=1), Frame([[], []], index=2)], "instant 1 has 1 views, instant 2 has 2"),
    ],
)
def test_frames_that_cannot_be_one_recording(tmp_path: Path, frames: list[Frame], message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_selfmva(tmp_path / "x.json", frames)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("views", [0, -1, []])
def test_a_number_of_views_that_is_none(tmp_path: Path, views: object) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(InputError, match="views must be a positive number"):
        read_selfmva(tmp_path / "x.json", views)


@pytest.mark.realdata
@pytest.mark.parametrize(("name", "instants", "boxes", "last"), [("mvor", 512, 6, 729), ("wildtrack", 288, 247, 287)])
def test_published_detections(data_root: Path, name: str, instants: int, boxes: int, last: int) -> None:
    path = data_root / name / "detections_train.json"
    raw = json.loads(path.read_text())
    frames = read_selfmva(path)
    assert len(frames) == instants
    assert frames[-1].index == last
    assert sum(sum(frame.counts) for frame in frames) == sum(map(len, raw.values()))
    assert round(sum(sum(frame.counts) for frame in frames) / instants) == boxes
    middle = frames[100]
    for view, array in enumerate(middle.boxes):
        entries = [entry for entry in raw[str(middle.index)] if entry[5] == view]
        assert array.tolist() == [[x, y, x + w, y + h] for x, y, w, h, *_ in entries]
