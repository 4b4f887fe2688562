"""The geometric encoder as an ONNX file, for programs without Python or torch."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva._version import __version__
from selfmva.association.fitted import check_fitted
from selfmva.core.paths import as_path
from selfmva.encoders.box import EPSILON, LONGEST_SIDE, TOKEN_DIM
from selfmva.errors import NotFittedError, require
from selfmva.io.storage.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from selfmva.association.associator import Associator
    from selfmva.core.types import View
    from selfmva.encoders.box import BoxEncoder

ONNX_FORMAT = "1"  # of the inputs, the output and the metadata
DESCRIPTION = """\
Embeds boxes of people; near embeddings mean that two boxes of different views may be the same person.
boxes: (N, 4) float32, x1 y1 x2 y2 in pixels of each box's own view. view: (N,) int64, the view of each box, from 0.
embeddings: (N, 768) float32. N may be 0. Views and their sizes are in the metadata.
"""

# Written out, not traced: torch's tracing exporter is deprecated; its successor takes 15 s and another package, and
# knows no dynamic shapes in torch 2.4; both fixed the number of boxes somewhere. Tests hold this against the encoder.
GRAPH = """\
<ir_version: 8, opset_import: ["": 18]>
encoder (float[N, 4] boxes, int64[N] view) => (float[N, 768] embeddings) {
  numbers = MatMul (boxes, prompt)
  scale = Gather <axis = 0> (scales, view)
  scaled = Mul (numbers, scale)
  centred = Add (scaled, half_pixel)
  points = Reshape (centred, points_shape)
  doubled = Mul (points, two)
  signed = Sub (doubled, one)
  projected = MatMul (signed, gaussian)
  phases = Mul (projected, two_pi)
  sines = Sin (phases)
  cosines = Cos (phases)
  features = Concat <axis = -1> (sines, cosines)
  shifted = Add (features, offsets)
  tokens = Reshape (shifted, tokens_shape)
  constant = Gather <axis = 0> (constants, view)
  x0 = Concat <axis = 1> (tokens, constant)
LAYERS
  embeddings = Identity (x3)
}
"""
LAYER = """\
  linear{0} = Gemm <transB = 1> (x{0}, weight{0}, bias{0})
  sum{0} = Add (linear{0}, x{0})
  mean{0} = ReduceMean (sum{0}, last_axis)
  difference{0} = Sub (sum{0}, mean{0})
  squares{0} = ReduceSumSquare (difference{0}, last_axis)
  variance{0} = Div (squares{0}, degrees_of_freedom)
  deviation{0} = Sqrt (variance{0})
  divisor{0} = Add (deviation{0}, epsilon)
  standard{0} = Div (difference{0}, divisor{0})
  x{1} = Relu (standard{0})"""


def export_onnx(associator: Associator, path: str | Path) -> None:
    """Write the geometric encoder as an ONNX model that embeds any number of boxes, of any views at once.

    Inputs are `boxes` `(N, 4)` float32, xyxy in pixels, and `view` `(N,)` int64, the number of each box's view; the
    output is `embeddings` `(N, 768)` float32. They are those of `associator.embed`, to about 1e-5. The metadata hold
    `views` (JSON: name, width and height of each), `prompt`, `format` and `selfmva_version`. Floor, lines, matching and
    probabilities are not part of it.

    Args:
        associator: Fitted, loaded or converted, with an embedding.
        path: The file to be written, about 7 MB; its folder must exist.

    Raises:
        InputError: No associator, or no path.
        MissingDependencyError: The package onnx is not installed.
        NotFittedError: Before `fit` or `from_pretrained`, or fitted without an embedding.
        DataError: The file cannot be written; what was there before is unchanged.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import onnx
        >>> from selfmva import Associator
        >>> associator = Associator.from_pretrained("mvor")
        >>> with TemporaryDirectory() as folder:
        ...     export_onnx(associator, f"{folder}/encoder.onnx")
        ...     [node.name for node in onnx.load(f"{folder}/encoder.onnx").graph.input]
        ['boxes', 'view']
    """
    require("onnx", "export")
    check_fitted(associator, "export_onnx()")
    target = as_path(path, "the path of the ONNX file")
    from onnx import checker, helper, numpy_helper, parser

    encoder, views = associator.encoder_, associator.views_
    if encoder is None:
        raise NotFittedError(
            "export needs an embedding, and this associator was fitted without one (recipe 'geometry'): fit with "
            "recipe='batch'"
        )
    layers = "\n".join(LAYER.format(k, k + 1) for k in range(len(encoder.layers)))
    model = parser.parse_model(GRAPH.replace("LAYERS", layers))
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in _constants(encoder).items())
    model.producer_name, model.producer_version, model.doc_string = "selfmva", __version__, DESCRIPTION
    helper.set_model_props(model, _metadata(views, encoder.prompt))
    checker.check_model(model, full_check=True)
    with atomic_write(target) as temporary:
        temporary.write_bytes(model.SerializeToString())


def _metadata(views: tuple[View, ...], prompt: str) -> dict[str, str]:
    sizes = json.dumps([asdict(view) for view in views])
    return {"format": ONNX_FORMAT, "prompt": prompt, "selfmva_version": __version__, "views": sizes}


def _constants(encoder: BoxEncoder) -> Mapping[str, NDArray[np.float32 | np.int64]]:
    """The constants of the graph, by their names in it.

    The k points that are encoded, both corners or the foot, are had from a box by a matrix, `(4, 2 k)`; a token that
    encodes no point joins what is the same for all boxes of a view.
    """
    state = {name: tensor.detach().cpu().numpy() for name, tensor in encoder.state_dict().items()}
    offsets, constants = state["token_offsets"], state["view_tokens"]
    prompt = np.eye(4)
    if encoder.prompt == "point":
        prompt = np.array([[0.5, 0], [0, 0], [0.5, 0], [0, 1]])
        constants = np.concatenate([np.tile(offsets[1:], (len(constants), 1)), constants], axis=1)
        offsets = offsets[:1]
    numbers: dict[str, Any] = {
        "scales": np.tile(encoder.scale.cpu().numpy(), len(offsets)),
        "prompt": prompt,
        "half_pixel": 0.5 / LONGEST_SIDE,
        "one": 1.0,
        "two": 2.0,
        "two_pi": 2.0 * math.pi,
        "gaussian": state["gaussian"],
        "offsets": offsets,
        "constants": constants,
        "epsilon": EPSILON,
        "degrees_of_freedom": state["layers.0.bias"].size - 1,
    }
    for k in range(len(encoder.layers)):
        numbers |= {f"weight{k}": state[f"layers.{k}.weight"], f"bias{k}": state[f"layers.{k}.bias"]}
    shapes = {  # a 0 keeps the number of boxes
        "points_shape": [0, len(offsets), 2],
        "tokens_shape": [0, len(offsets) * TOKEN_DIM],
        "last_axis": [-1],
    }
    return {name: np.asarray(value, dtype=np.float32) for name, value in numbers.items()} | {
        name: np.array(value, dtype=np.int64) for name, value in shapes.items()
    }
