"""Boxes in other units are named for what they are; right recordings are not, wherever their people stand."""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva import Associator, Frame, View
from selfmva.core.box_units import UnitsWatch, likely_mistake
from selfmva.datasets import load_dataset
from selfmva.datasets.simulated import Simulated
from selfmva.errors import BadBoxWarning, BoxUnitsWarning, InputError, LearntNothingWarning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selfmva.core.types import FloatArray

    Change = Callable[[FloatArray, FloatArray], FloatArray]

CHANGES: dict[str, tuple[Change, str]] = {
    "normalized": (lambda b, size: b / np.tile(size, 2), "look normalized.*multiply x by 1280 and y by 720"),
    "sizes for corners": (
        lambda b, _: np.concatenate([b[:, :2], b[:, 2:] - b[:, :2]], axis=1),
        r"look like \(x, y, width, height\)",
    ),
    "centres and sizes": (
        lambda b, _: np.concatenate([(b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]], axis=1),
        r"look like \(x, y, width, height\)",
    ),
    "corners read as sizes": (
        lambda b, _: np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1),
        "widths and heights of the boxes grow with x and y",
    ),
    "normalized centres and sizes": (
        lambda b, size: np.concatenate([(b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]], axis=1) / np.tile(size, 2),
        "look normalized",
    ),
    "half the resolution": (lambda b, _: b / 2, "another resolution, 640 x 360 or so.*1280 x 720"),
    "twice the resolution": (lambda b, _: b * 2, "another resolution, 2[3-6].. x 1[34].. or so.*1280 x 720"),
}


@cache
def recording(seed: int = 9) -> tuple[tuple[View, ...], tuple[Frame, ...]]:
    scene = Simulated(views=2, people=5, instants=200, seed=seed)
    return scene.views, tuple(scene.frame(t) for t in range(200))


def changed(change: Change) -> list[list[FloatArray]]:
    size = np.array([1280.0, 720.0])
    return [[change(boxes, size) for boxes in frame.boxes] for frame in recording()[1]]


def by_view(frames: Any) -> list[FloatArray]:
    return [np.concatenate([np.zeros((0, 4)), *(frame[v] for frame in frames)]) for v in range(len(frames[0]))]


@pytest.mark.parametrize("name", CHANGES)
def test_each_is_named(name: str) -> None:
    change, text = CHANGES[name]
    found = likely_mistake(by_view(changed(change)), recording()[0])
    assert found is not None
    with pytest.raises(InputError, match=text):
        raise InputError(found.text)


@pytest.mark.parametrize("name", CHANGES)
def test_fit_says_it_at_the_door(name: str) -> None:
    change, text = CHANGES[name]
    associator = Associator(recipe="geometry")
    if "half" in name:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LearntNothingWarning)
            with pytest.warns(BoxUnitsWarning, match=text):
                associator.fit(recording()[0], changed(change))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BadBoxWarning)
        warnings.simplefilter("ignore", BoxUnitsWarning)  # twice the resolution: a warning, then most boxes are outside
        with pytest.raises(InputError, match=text):
            associator.fit(recording()[0], changed(change))


@pytest.mark.parametrize("scale", [(1 / 1920, 1 / 1080), (0.5, 0.5)])
def test_a_stream_says_it_once(scale: tuple[float, float]) -> None:
    rig = Associator.from_pretrained("wildtrack")
    rng = np.random.default_rng(0)
    low = rng.uniform((0, 0), (1850, 900), (60, 7, 5, 2))
    boxes = np.minimum(np.concatenate([low, low + np.array([70, 180])], axis=-1), (1920, 1080, 1920, 1080)) * np.tile(
        scale, 2
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(list(rig.associate_many(boxes))) == 60
        rig.associate(boxes[0])
    assert [warning.category for warning in caught] == [BoxUnitsWarning]
    assert ("multiply x by 1920" if scale[0] < 0.1 else "another resolution, 957 x 539") in str(caught[0].message)


def test_one_view_that_is_normalized_is_named() -> None:
    watch = UnitsWatch([View("door", 640, 480), View("hall", 640, 480)])
    with pytest.warns(BoxUnitsWarning, match=r"view 1 \('hall'\) look normalized.*multiply x by 640 and y by 480"):
        watch.look(Frame([[[10, 20, 30, 90]], [[0.1, 0.2, 0.3, 0.9]]]))


@pytest.mark.parametrize("corner", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("size", [0.2, 0.45, 0.7])
@pytest.mark.parametrize("views", [2, 3, 5])
def test_people_in_a_corner_are_right(corner: tuple[int, int], size: float, views: int) -> None:
    """Few people in each view within one part of the image, of which they don't use the same part to a percent."""
    rng = np.random.default_rng(views)
    image = np.array([1280.0, 720.0])
    boxes = []
    for _ in range(views):
        room = image * size * rng.uniform(0.7, 1.0, 2)
        low = rng.uniform(0, 0.7, (200, 2)) * room + np.array(corner) * (image - room)
        boxes.append(np.concatenate([low, low + rng.uniform(0.1, 0.3, (200, 2)) * room], axis=1))
    assert likely_mistake(boxes, [View(f"v{k}", 1280, 720) for k in range(views)]) is None


def test_a_sliver_at_the_corner_of_the_image_is_right() -> None:
    UnitsWatch([View("door", 640, 480)]).look(Frame([[[0, 0, 1.2, 1.4]]]))


@pytest.mark.parametrize("seed", range(6))
def test_simulated_recordings_are_right(seed: int) -> None:
    scene = Simulated(views=2 + seed % 3, people=1 + seed, instants=120, seed=seed)
    frames = [scene.frame(t).boxes for t in range(120)]
    for length in (10, 40, 120):
        assert likely_mistake(by_view(frames[:length]), scene.views) is None


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "folder", "options"),
    [
        ("wildtrack", "wildtrack", {}),
        ("mvor", "mvor", {}),
        *(("mvmhat", "epfl", {"scene": scene}) for scene in ("10", "11", "12", "13")),
    ],
)
def test_real_recordings_are_right(name: str, folder: str, options: dict[str, str], data_root: Path) -> None:
    data = load_dataset(name, data_root / folder, **options)
    frames = [data.frame(index).boxes for index in range(len(data))]
    assert likely_mistake(by_view(frames), data.views) is None
    for start in range(0, len(frames), 50):
        assert likely_mistake(by_view(frames[start : start + 12]), data.views) is None
