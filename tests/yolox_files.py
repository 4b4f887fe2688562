"""ONNX files of the form of YOLOX, whose boxes a test chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (64, 64)  # width and height of the input
CELLS = 64 + 16 + 4
NOBODY = np.tile(np.array([0, 0, 0, 0, 0, 1, 1], np.float32), (CELLS, 1))  # objectness is 0, two classes


def people(*rows: tuple[int, tuple[float, ...]]) -> np.ndarray:
    """What the network says: by cell, x, y, log width, log height, objectness, person, other class."""
    raw = NOBODY.copy()
    for cell, values in rows:
        raw[cell] = values
    return raw


def write_yolox(path: Path, raw: np.ndarray, batch: int | str = "batch") -> Path:
    """A network that says `raw`, with the objectness times how blue the image is (0 to 1), which comes first in BGR."""
    objectness = np.zeros_like(raw)
    if raw.shape[1] > 4:
        objectness[:, 4] = raw[:, 4]
    constants = {
        "fixed": (raw - objectness)[None],
        "objectness": objectness[None],
        "white": np.array(255, np.float32),
        "start": np.array([0]),
        "end": np.array([1]),
        "channel": np.array([1]),
        "shape": np.array([-1, 1, 1]),
    }
    nodes = [
        helper.make_node("Slice", ["images", "start", "end", "channel"], ["blue"]),
        helper.make_node("ReduceMean", ["blue"], ["mean"], axes=[1, 2, 3]),
        helper.make_node("Div", ["mean", "white"], ["brightness"]),
        helper.make_node("Reshape", ["brightness", "shape"], ["fraction"]),
        helper.make_node("Mul", ["objectness", "fraction"], ["seen"]),
        helper.make_node("Add", ["fixed", "seen"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "yolox",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, SIZE[1], SIZE[0]])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, *raw.shape])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path
