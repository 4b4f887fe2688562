"""Encoders of appearance: what they give is what their networks give for the crops, whatever else is in the batch."""

from __future__ import annotations

import hashlib
import json
import os
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import average_precision_score
from torchvision import models

from selfmva.encoders import (
    AppearanceEncoder,
    OnnxAppearance,
    OsnetAin,
    TorchvisionAppearance,
    cut_crops,
    open_appearance,
)
from selfmva.encoders.appearance.onnx import normalized
from selfmva.encoders.appearance.osnet import SHA256
from selfmva.errors import CheckpointError, ConfigError, DataError, InputError, PluginError
from selfmva.io import read_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, shape, dtype=np.uint8) for shape in ((60, 50, 3), (90, 40), (70, 70, 4), (20, 20, 3))]
BOXES = [[[4, 5, 30, 55], [-3, 2, 20, 70]], [[0, 0, 40, 90]], [], np.tile([2.5, 1.5, 11.0, 19.0], (70, 1))]


def write_network(path: Path, weights: np.ndarray, size: tuple[Any, Any] = (8, 4), tail: str = "") -> Path:
    """The mean of each plane, times `weights`: [N, 3] in effect, [N, D] out."""
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["product"]),
        helper.make_node(tail or "Identity", ["product"], ["output"], **({"axis": 0} if tail == "Flatten" else {})),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, *size])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


WEIGHTS = RNG.standard_normal((3, 5))


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "means.onnx", WEIGHTS)


def check(
    encoder: AppearanceEncoder, size: tuple[int, int], expected: Callable[[np.ndarray], np.ndarray], most: int = 70
) -> None:
    """The features of all images at once are those of the network, crop by crop; of `most` crops of the last image."""
    assert isinstance(encoder, AppearanceEncoder)
    all_boxes = [boxes[:most] for boxes in BOXES]
    found = encoder(IMAGES, all_boxes)
    assert [len(rows) for rows in found] == [2, 1, 0, most]  # 70 fill more than one batch
    width = found[0].shape[1]
    for image, boxes, rows in zip(IMAGES, all_boxes, found, strict=True):
        assert (rows.dtype, rows.shape[1]) == (np.float32, width)
        for box, row in list(zip(boxes, rows, strict=True))[:3]:
            np.testing.assert_allclose(row, expected(cut_crops(image, [box], size))[0], rtol=1e-4, atol=1e-5)
    assert encoder([], []) == []
    assert encoder(IMAGES[:1], [[]])[0].shape == (0, width)
    with pytest.raises(InputError, match="one .* array of boxes per image, got 1 for 4 images"):
        encoder(IMAGES, BOXES[:1])
    with pytest.raises(InputError, match="view 1, row 0: box .* needs x2 > x1"):
        encoder(IMAGES[:2], [BOXES[0], [[5, 5, 2, 9]]])
    with pytest.raises(InputError, match="must be uint8"):
        encoder([IMAGES[0] / 255], BOXES[:1])


def test_onnx(network: Path) -> None:
    encoder = OnnxAppearance(network)
    assert (encoder.size, encoder.width) == ((8, 4), 5)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet, in RGB
    check(encoder, (8, 4), lambda crops: ((crops / 255).mean(axis=(1, 2)) - mean) / std @ WEIGHTS)


def test_identity_is_that_of_the_content(network: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(network.read_bytes())
    other = write_network(tmp_path / "other.onnx", 2 * WEIGHTS)
    identity = OnnxAppearance(network).identity
    assert OnnxAppearance(copy, threads=2).identity == identity != OnnxAppearance(other).identity
    with pytest.raises(CheckpointError, match="another file than expected"):
        OnnxAppearance(network, sha256="0" * 64)


@pytest.mark.parametrize(
    ("size", "tail", "message"),
    [
        (("height", 4), "", r"expected an input \[N, 3, H, W\].* with H and W fixed, got \['any', 3, 'any', 4\]"),
        ((8, 4), "Flatten", r"expected an output \[N, D\], a vector for each crop, got \[1, 10\] for 2 crops"),
    ],
)
def test_another_network_than_re_id(tmp_path: Path, size: Any, tail: str, message: str) -> None:
    path = write_network(tmp_path / "other.onnx", WEIGHTS, size, tail)
    with pytest.raises(CheckpointError, match=f"other.onnx is no re-ID network: {message}"):
        OnnxAppearance(path)


@pytest.mark.realdata
def test_a_detector_is_no_re_id_network(data_root: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no re-ID network: expected an output \[N, D\].* got \[2|fails on"):
        OnnxAppearance(data_root / "weights" / "yolox_nano.onnx")


@pytest.mark.parametrize(
    ("name", "layer", "width", "size"),
    [("resnet18", "fc", 512, (64, 32)), ("mobilenet_v3_small", "classifier.3", 1024, (48, 48))],
)
def test_torchvision(name: str, layer: str, width: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    encoder = TorchvisionAppearance(name, weights=None, size=size)
    torch.manual_seed(0)
    model = models.get_model(name, weights=None).eval()
    parent, _, last = layer.rpartition(".")
    setattr(model.get_submodule(parent), last, torch.nn.Identity())

    def expected(crops: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(normalized(crops))).numpy()

    assert encoder.width == width
    check(encoder, size, expected)
    assert TorchvisionAppearance(name, weights=None, size=size).identity != encoder.identity  # other random weights


def test_what_torchvision_does_not_have() -> None:
    with pytest.raises(InputError, match="no classification model 'resnet17'; it has .*resnet18"):
        TorchvisionAppearance("resnet17")
    with pytest.raises(InputError, match="resnet18 has no weights 'BEST'; it has DEFAULT, IMAGENET1K_V1"):
        TorchvisionAppearance("resnet18", weights="BEST")
    with pytest.raises(InputError, match="squeezenet1_1 has no linear layer"):
        TorchvisionAppearance("squeezenet1_1", weights=None)
    with pytest.raises(InputError, match=r"cannot take crops of \(256, 128\)"):
        TorchvisionAppearance("vit_b_32", weights=None)
    with pytest.raises(ConfigError, match="device"):
        TorchvisionAppearance("resnet18", weights=None, device="abacus")


def test_torchvision_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens
    file = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    with pytest.raises(DataError, match=f"fetch https://.*resnet18-f37072fd.pth .*place it as {file}"):
        TorchvisionAppearance("resnet18")


@pytest.fixture(scope="module")
def osnet() -> torch.nn.Module:
    """Random weights under the names of a training run: seven people."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchreid.reid.models.osnet_ain import osnet_ain_x1_0
    torch.manual_seed(0)
    return osnet_ain_x1_0(num_classes=7, pretrained=False).eval()


@pytest.fixture(scope="module")
def weights(osnet: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("osnet") / "weights.pt"
    torch.save({"state_dict": {f"module.{k}": v for k, v in osnet.state_dict().items()}, "epoch": 3}, path)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_osnet(osnet: torch.nn.Module, weights: Path, tmp_path: Path) -> None:
    def expected(crops: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return osnet(torch.from_numpy(normalized(crops))).numpy()

    encoder = OsnetAin(weights, sha256=sha256(weights).upper())
    assert (encoder.size, encoder.width) == ((256, 128), 512)
    check(encoder, (256, 128), expected, most=3)  # it takes a while, and batches are those of all encoders of torch
    plain = tmp_path / "plain.pt"
    torch.save({k: v for k, v in osnet.state_dict().items() if not k.startswith("classifier")}, plain)
    bare = OsnetAin(plain, sha256=None)
    np.testing.assert_array_equal(bare(IMAGES[:1], BOXES[:1])[0], encoder(IMAGES[:1], BOXES[:1])[0])
    assert sha256(weights) in encoder.identity
    assert bare.identity != encoder.identity


def test_osnet_of_another_hash(weights: Path) -> None:
    for open_it in (OsnetAin, lambda path: open_appearance(f"osnet-ain:{path}")):
        with pytest.raises(
            CheckpointError, match=f"weights.pt is another .*{sha256(weights)}, expected {SHA256}; download"
        ):
            open_it(weights)


def test_weights_that_are_not_those_of_osnet(osnet: torch.nn.Module, tmp_path: Path) -> None:
    state = osnet.state_dict()
    cases: dict[str, tuple[Any, str]] = {
        "short": (
            {k: v for k, v in state.items() if k != "fc.0.bias"},
            r"1 differ, .*fc.0.bias, expected \[512\], got nothing",
        ),
        "wide": (state | {"fc.0.bias": torch.zeros(9)}, r"fc.0.bias, expected \[512\], got \[9\]"),
        "more": (state | {"head.weight": torch.zeros(9)}, r"head.weight, expected nothing, got \[9\]"),
        "list": ([1, 2], "differ"),
        "code": (Fraction(1, 2), "is refused: it holds more than tensors, fractions.Fraction, which could run code"),
    }
    for name, (content, message) in cases.items():
        torch.save(content, tmp_path / f"{name}.pt")
        with pytest.raises(CheckpointError, match=f"{name}.pt .*{message}"):
            OsnetAin(tmp_path / f"{name}.pt", sha256=None)
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(CheckpointError, match="text.pt is text .'no weights'"):
        OsnetAin(tmp_path / "text.pt", sha256=None)
    with pytest.raises(CheckpointError, match="nowhere.pt cannot be read: No such file"):
        OsnetAin(tmp_path / "nowhere.pt")


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.path,)


def test_any_weights_of_osnet_are_still_no_pickle_of_anything(osnet: torch.nn.Module, tmp_path: Path) -> None:
    """Formats before torch 1.6 lead around the restricted loader of some releases; only a known hash excuses them."""
    path = tmp_path / "old.pt"
    torch.save(osnet.state_dict(), path, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="old.pt is no archive as torch.save writes it since 1.6"):
        OsnetAin(path, sha256=None)
    assert sha256(path) in OsnetAin(path, sha256=sha256(path)).identity
    torch.save(Attack(tmp_path / "harm"), path)
    for known in (None, sha256(path)):
        with pytest.raises(CheckpointError, match="old.pt is refused: it holds more than tensors, .*mkdir"):
            OsnetAin(path, sha256=known)
    assert not (tmp_path / "harm").exists()


def test_a_file_in_the_cache_of_torchvision_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    file.parent.mkdir(parents=True)
    torch.save(Attack(tmp_path / "harm"), file)
    with pytest.raises(DataError, match=f"{file}, the weights of resnet18, is refused: .*mkdir.*; delete it"):
        TorchvisionAppearance("resnet18")
    assert not (tmp_path / "harm").exists()
    state = models.get_model("resnet18", weights=None).state_dict()
    torch.save(state, file)
    assert TorchvisionAppearance("resnet18").width == 512


def test_osnet_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DataError,
        match="cannot be downloaded .*fetch osnet_ain_x1_0.pt of https://huggingface.co/LibreYOLO/LibreReID-osnet .*"
        rf"'osnet-ain:path/to/osnet_ain_x1_0.pt'.* {tmp_path}",
    ):
        open_appearance("osnet-ain")


def test_open_appearance(network: Path) -> None:
    encoder = open_appearance(f"onnx:{network}")
    assert isinstance(encoder, OnnxAppearance)
    assert open_appearance(encoder) is encoder
    for wrong in (3, lambda images: images):
        with pytest.raises(InputError, match="expected an encoder of appearance, 'osnet-ain', .*got"):
            open_appearance(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"encoder 'onnx' takes \(path.*missing a required argument: 'path'"):
        open_appearance("onnx")
    for wrong in ("onnx:", "osnet-ain:"):
        with pytest.raises(InputError, match=f"something after the colon, .*, got '{wrong}'"):
            open_appearance(wrong)
    for wrong in ("resnet50", "colour:hsv", "", "re-id.onnx"):
        with pytest.raises(PluginError, match=f"no encoder is called '{wrong.partition(':')[0]}'.* Known: onnx, osnet"):
            open_appearance(wrong)


@pytest.mark.realdata
def test_the_same_person_looks_alike_in_other_views(data_root: Path) -> None:
    """Average precision over pairs of boxes of different views, two instants of MultiviewX; measured: 0.27."""
    encoder = OnnxAppearance(data_root / "weights" / "osnet_x0_25_msmt17.onnx")
    truth, likeness = [], []
    for instant in (0, 5):
        people = json.loads((data_root / f"multiviewx/annotations_positions/{instant + 1:05d}.json").read_text())
        images, boxes, identities = [], [], []
        for view in range(6):
            images.append(read_image(data_root / f"multiviewx/Image_subsets/C{view + 1}/{instant:04d}.jpg"))
            seen = [(p["personID"], p["views"][view]) for p in people if p["views"][view]["xmin"] != -1]
            boxes.append(np.array([[box[side] for side in ("xmin", "ymin", "xmax", "ymax")] for _, box in seen], float))
            identities.append(np.array([identity for identity, _ in seen]))
        features = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in encoder(images, boxes)]
        for i, j in combinations(range(6), 2):
            truth.append((identities[i][:, None] == identities[j]).ravel())
            likeness.append((features[i] @ features[j].T).ravel())
    chance = np.concatenate(truth).mean()
    assert chance < 0.06
    assert average_precision_score(np.concatenate(truth), np.concatenate(likeness)) > 4 * chance
