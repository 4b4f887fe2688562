"""The exported encoder, run by onnxruntime, gives what `associator.embed` gives."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

import selfmva
from selfmva import Associator, View
from selfmva.association.model import FittedModel, no_offsets
from selfmva.association.pretrained.onnx_export import export_onnx
from selfmva.core.config import AssociatorConfig, EncoderConfig, GeometryRecipe
from selfmva.datasets.mvor import MVOR_VIEWS
from selfmva.encoders.box import BoxEncoder
from selfmva.errors import DataError, MissingDependencyError, NotFittedError
from selfmva.hub import convert_upstream

if TYPE_CHECKING:
    from pathlib import Path

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}  # of single precision: what sums in another order round otherwise
# Sizes whose scales differ, in number and by the rounding of the shorter side.
VIEWS = [View("door", 1920, 1080), View("hall", 361, 288), View("Küche", 480, 640)]


def model(prompt: Literal["box", "point"]) -> Associator:
    """With the weights that a training starts from."""
    encoder = BoxEncoder(VIEWS, prompt=prompt, generator=torch.Generator().manual_seed(3))
    config = AssociatorConfig(encoder=EncoderConfig(prompt=prompt))
    return Associator.from_model(FittedModel(tuple(VIEWS), config, no_offsets(VIEWS), encoder))


def open_model(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def embed(session: onnxruntime.InferenceSession, boxes: np.ndarray, view: Any) -> np.ndarray:
    numbers = np.broadcast_to(np.asarray(view, dtype=np.int64), len(boxes))
    (embeddings,) = session.run(None, {"boxes": boxes.astype(np.float32), "view": numbers})
    return embeddings


def random_boxes(count: int, view: View, seed: int = 0) -> np.ndarray:
    """Boxes of every size, some of which stick out of the image."""
    rng = np.random.default_rng([seed, count])
    corner = rng.uniform(-0.3, 1.0, (count, 2)) * (view.width, view.height)
    return np.hstack([corner, corner + rng.uniform(1, 0.6 * view.height, (count, 2))]).astype(np.float32)


@pytest.fixture(scope="module", params=["box", "point"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Associator, Path]:
    associator, path = model(request.param), tmp_path_factory.mktemp("export") / "encoder.onnx"
    export_onnx(associator, path)
    return associator, path


def test_inputs_and_output(exported: tuple[Associator, Path]) -> None:
    session = open_model(exported[1])
    sides = [(side.name, side.type, side.shape) for side in (*session.get_inputs(), *session.get_outputs())]
    assert sides == [
        ("boxes", "tensor(float)", ["N", 4]),
        ("view", "tensor(int64)", ["N"]),
        ("embeddings", "tensor(float)", ["N", 768]),
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 500])
@pytest.mark.parametrize("view", range(3))
def test_embeddings_of_a_view(exported: tuple[Associator, Path], view: int, count: int) -> None:
    associator, path = exported
    boxes = random_boxes(count, VIEWS[view])
    found = embed(open_model(path), boxes, view)
    assert (found.shape, found.dtype) == ((count, 768), np.float32)
    np.testing.assert_allclose(found, associator.embed(view, boxes), **TOLERANCE)


def test_embeddings_tell_boxes_and_views_apart(exported: tuple[Associator, Path]) -> None:
    """Else any two files of zeros would agree."""
    session, boxes = open_model(exported[1]), random_boxes(2, VIEWS[1])
    one, other = embed(session, boxes, 0), embed(session, boxes, 1)
    assert np.abs(one[0] - one[1]).max() > 0.1
    assert np.abs(one - other).max(axis=1).min() > 0.1


def test_views_may_be_mixed(exported: tuple[Associator, Path]) -> None:
    associator, path = exported
    views = np.array([2, 0, 1, 1, 0, 2, 2])
    boxes = np.concatenate([random_boxes(1, VIEWS[view], seed) for seed, view in enumerate(views)])
    wanted = np.concatenate([associator.embed(view, box[None]) for view, box in zip(views, boxes, strict=True)])
    np.testing.assert_allclose(embed(open_model(path), boxes, views), wanted, **TOLERANCE)


BOXES = st.lists(st.tuples(*[st.floats(-400, 800, width=32)] * 4), max_size=5)


@given(BOXES, st.integers(0, 2))
@settings(max_examples=40)
def test_any_boxes(exported: tuple[Associator, Path], corners: list[tuple[float, ...]], view: int) -> None:
    """Against the encoder itself: `embed` refuses boxes that are none."""
    associator, path = exported
    boxes = np.array(corners, dtype=np.float32).reshape(-1, 4)
    with torch.inference_mode():
        wanted = associator.encoder_(torch.from_numpy(boxes), torch.full((len(boxes),), view)).numpy()
    np.testing.assert_allclose(embed(open_model(path), boxes, view), wanted, **TOLERANCE)


def test_a_view_that_is_not_there(exported: tuple[Associator, Path]) -> None:
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="out of data bounds"):
        embed(open_model(exported[1]), random_boxes(1, VIEWS[0]), 3)


def test_the_file_says_what_it_is(exported: tuple[Associator, Path]) -> None:
    associator, path = exported
    meta = open_model(path).get_modelmeta()
    values = dict(meta.custom_metadata_map)
    assert json.loads(values.pop("views")) == [
        {"name": "door", "width": 1920, "height": 1080},
        {"name": "hall", "width": 361, "height": 288},
        {"name": "Küche", "width": 480, "height": 640},
    ]
    prompt = associator.get_params()["encoder"].prompt
    assert values == {"format": "1", "prompt": prompt, "selfmva_version": selfmva.__version__}
    assert (meta.producer_name, meta.graph_name) == ("selfmva", "encoder")
    assert "boxes: (N, 4) float32, x1 y1 x2 y2 in pixels" in meta.description


def test_the_file_holds_the_weights_once(exported: tuple[Associator, Path]) -> None:
    """No decoder, which only training needs, and nothing twice."""
    associator, path = exported
    model = onnx.load(path)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    used = {name for node in model.graph.node for name in node.input}
    assert set(tensors) <= used
    layers = sum(parameter.numel() for parameter in associator.encoder_.layers.parameters())
    assert layers < sum(tensor.size for tensor in tensors.values()) < 1.01 * layers
    assert path.stat().st_size < 4 * 1.01 * layers + 20_000


def test_the_same_model_gives_the_same_file(exported: tuple[Associator, Path], tmp_path: Path) -> None:
    associator, path = exported
    associator.save_pretrained(tmp_path / "rig")
    export_onnx(Associator.from_pretrained(tmp_path / "rig"), str(tmp_path / "again.onnx"))
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()


def test_exporting_changes_nothing(exported: tuple[Associator, Path], tmp_path: Path) -> None:
    associator, _ = exported
    before, boxes = associator.encoder_.training, random_boxes(5, VIEWS[0])
    wanted = associator.embed(0, boxes)
    export_onnx(associator, tmp_path / "x.onnx")
    np.testing.assert_array_equal(associator.embed(0, boxes), wanted)
    assert associator.encoder_.training == before


def test_a_failure_leaves_the_old_file(exported: tuple[Associator, Path], tmp_path: Path) -> None:
    associator, _ = exported
    with pytest.raises(DataError, match="cannot write .*nowhere"):
        export_onnx(associator, tmp_path / "nowhere" / "x.onnx")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(DataError, match=r"cannot write .*it is a folder"):
        export_onnx(associator, tmp_path / "folder.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.onnx"]


def test_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError, match=r"call fit\(\) or Associator.from_pretrained\(\) first"):
        export_onnx(Associator(), tmp_path / "x.onnx")
    nothing = FittedModel(tuple(VIEWS), AssociatorConfig(recipe=GeometryRecipe()), no_offsets(VIEWS))
    without = Associator.from_model(nothing)
    with pytest.raises(NotFittedError, match="fitted without one .recipe 'geometry'.: fit with recipe='batch'"):
        export_onnx(without, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "onnx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"'onnx'.*pip install 'selfmva\[export\]'"):
        export_onnx(Associator(), tmp_path / "x.onnx")


@pytest.mark.realdata
@pytest.mark.parametrize("which", ["hand", "frame"])
def test_a_converted_checkpoint(data_root: Path, tmp_path: Path, which: str) -> None:
    """From the published weights through ONNX to the golden outputs of the published code."""
    golden = np.load(data_root / "golden" / "mvor_s1_best_forward.npz")
    associator = convert_upstream(data_root / "golden" / "mvor_s1_best.pth.tar", MVOR_VIEWS)
    export_onnx(associator, tmp_path / "encoder.onnx")
    session = open_model(tmp_path / "encoder.onnx")
    for view in range(3):
        boxes = golden["hand_boxes" if which == "hand" else f"frame_v{view}_boxes"] * np.float32([640, 480, 640, 480])
        found = embed(session, boxes, view)
        np.testing.assert_allclose(found, golden[f"{which}_v{view}_emb"], **TOLERANCE)
        np.testing.assert_allclose(found, associator.embed(view, boxes), **TOLERANCE)
