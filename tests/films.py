"""Films of painted people, a network that finds them by their white heads, and one that knows them by their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from plain_films import write_plain_film

from selfmva.core.types import Frame
from selfmva.io import write_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH, HEIGHT, CELL = 160, 120, 8
INPUT = (160, 128)  # of the detector: the images fit in as they are
COLOURS = np.array([[200, 30, 30], [30, 190, 40], [40, 40, 210]])  # of the people's clothes
PEOPLE, LANE = len(COLOURS), 6  # a lane is as many cells wide: nobody hides anybody


class Film(NamedTuple):
    """Two cameras that saw the same three people, each from wherever it hangs: no geometry joins them.

    Attributes:
        images: `(T, H, W, 3)` uint8 for each view.
        frames: Their boxes.
        people: `(T, V, 3)` int64, who is in each box.
    """

    images: list[NDArray[np.uint8]]
    frames: list[Frame]
    people: NDArray[np.int64]

    def rates(self, ids: list[tuple[NDArray[np.int64], ...]]) -> float:
        """Fraction of the people who have one id in both views."""
        same = [
            (first[np.argsort(who[0])] == second[np.argsort(who[1])]).mean()
            for (first, second), who in zip(ids, self.people, strict=True)
        ]
        return float(np.mean(same))


def film(instants: int, seed: int = 0) -> Film:
    """People who wander in lanes of their own, in another order in each view; what they wear flickers a little."""
    rng = np.random.default_rng(seed)
    images = [np.full((instants, HEIGHT, WIDTH, 3), 60, np.uint8) for _ in range(2)]
    boxes, people = np.zeros((instants, 2, PEOPLE, 4)), np.zeros((instants, 2, PEOPLE), np.int64)
    for view in range(2):
        lane = rng.permutation(PEOPLE)
        column, row = rng.integers(1, LANE, PEOPLE), rng.integers(0, 10, PEOPLE)
        for t in range(instants):
            column = np.clip(column + rng.choice([-1, 0, 0, 0, 0, 1], PEOPLE), 1, LANE - 1)
            row = np.clip(row + rng.choice([-1, 0, 1], PEOPLE), 0, 9)
            x, y = CELL * (column + LANE * lane), CELL * row
            worn = np.clip(COLOURS + rng.normal(0, 9, (PEOPLE, 3)), 0, 255)
            for person in range(PEOPLE):
                left, top = x[person], y[person]
                images[view][t, top : top + 40, left - 4 : left + 12] = worn[person]
                images[view][t, top : top + CELL, left : left + CELL] = 255
            order = rng.permutation(PEOPLE)
            boxes[t, view] = np.stack([x - 4, y, x + 12, y + 40], axis=1)[order]
            people[t, view] = order
    return Film(images, [Frame(list(found), index=t) for t, found in enumerate(boxes)], people)


def write_videos(folder: Path, images: list[NDArray[np.uint8]], rate: float = 10) -> list[Path]:
    """One video a view."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"cam{view}.mp4" for view in range(len(images))]
    for path, film in zip(paths, images, strict=True):
        write_plain_film(path, rate, (film.shape[2], film.shape[1]), film)
    return paths


def lose_end(path: Path, fraction: float) -> None:
    """Put the index of an MP4 file first, as for streaming, and keep a fraction of the images that it promises."""
    data = path.read_bytes()
    images, start = data.index(b"mdat") - 4, data.index(b"moov") - 4
    index = bytearray(data[start:])
    at = index.index(b"stco") + 12
    places = np.frombuffer(index, ">u4", int.from_bytes(index[at - 4 : at]), at) + len(index)
    index[at : at + 4 * len(places)] = places.astype(">u4").tobytes()
    path.write_bytes(data[:images] + bytes(index) + data[images : images + int(fraction * (start - images))])


def write_folders(folder: Path, images: list[NDArray[np.uint8]]) -> list[Path]:
    """One folder of images a view."""
    paths = [folder / f"cam{view}" for view in range(len(images))]
    for path, film in zip(paths, images, strict=True):
        path.mkdir(parents=True)
        for number, image in enumerate(film):
            write_image(path / f"{number}.png", image)
    return paths


def write_colour_network(path: Path, weights: NDArray[np.float64] | None = None) -> Path:
    """A re-ID network `[N, 3, 16, 8]` that gives the mean of each plane, times `weights` (3, D)."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["output"]),
    ]
    weights = np.eye(3) if weights is None else weights
    return _save(path, nodes, ["batch", 3, 16, 8], {"weights": weights.astype(np.float32)})


def write_head_finder(path: Path) -> Path:
    """A network of the form of YOLOX: a cell that is white is the head of a person."""
    width, height = INPUT
    counts = [(width // stride) * (height // stride) for stride in (8, 16, 32)]
    body = np.array([0.5, 2.5, np.log(2), np.log(5), 0, 1, 0], np.float32)  # in cells, from the corner of the head
    finest = np.arange(sum(counts))[None, :, None] < counts[0]
    constants = {
        "body": np.tile(body, (1, sum(counts), 1)),
        "finest": (2 / 255 * finest).astype(np.float32),
        "one": np.array(1, np.float32),
        "zero": np.array(0, np.float32),
        "shape": np.array([0, -1, 1]),
        "objectness": np.eye(7, dtype=np.float32)[4],
    }
    nodes = [helper.make_node("ReduceMin", ["images"], ["white"], axes=[1])]
    for stride in (8, 16, 32):
        sides = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
        nodes.append(helper.make_node("AveragePool", ["white"], [f"mean{stride}"], **sides))
        nodes.append(helper.make_node("Reshape", [f"mean{stride}", "shape"], [f"cells{stride}"]))
    nodes += [
        helper.make_node("Concat", ["cells8", "cells16", "cells32"], ["cells"], axis=1),
        helper.make_node("Mul", ["cells", "finest"], ["doubled"]),
        helper.make_node("Sub", ["doubled", "one"], ["above"]),
        helper.make_node("Clip", ["above", "zero", "one"], ["fraction"]),
        helper.make_node("Mul", ["fraction", "objectness"], ["seen"]),
        helper.make_node("Add", ["body", "seen"], ["output"]),
    ]
    return _save(path, nodes, ["batch", 3, height, width], constants)


def _save(path: Path, nodes: list[onnx.NodeProto], shape: list[int | str], constants: dict[str, np.ndarray]) -> Path:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path
