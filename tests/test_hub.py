"""Checkpoints of the published code: converted when they are whole, refused when they are not, never unpickled."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_scenes import fit_quietly, quick, scene

from selfmva import Associator, View
from selfmva.errors import CheckpointError, InputError
from selfmva.hub import convert_upstream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VIEWS = [View(f"v{k}", 640, 480) for k in range(3)]
PROMPT = "prompt_encoder."


def upstream(views: int = 3, coordinates: int = 4, seed: int = 0) -> dict[str, torch.Tensor]:
    """Made-up weights under the published names."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {
        f"{PROMPT}pe_layer.positional_encoding_gaussian_matrix": (2, 128),
        **{f"{PROMPT}point_embeddings.{k}.weight": (1, 256) for k in range(4)},
        f"{PROMPT}not_a_point_embed.weight": (1, 256),
        f"{PROMPT}no_mask_embed.weight": (1, 256),
        f"{PROMPT}mask_downscaling.0.weight": (4, 1, 2, 2),
        "z_cam_token": (views, 1, 256),
        **{f"pos_encoder.layer{k}.weight": (768, 768) for k in (1, 2, 3)},
        **{f"pos_encoder.layer{k}.bias": (768,) for k in (1, 2, 3)},
        "observers.weight": (coordinates * views, 768),
        "observers.bias": (coordinates * views,),
    }
    return {name: torch.randn(shape, generator=generator) / 20 for name, shape in shapes.items()}


def write(path: Path, model: Any) -> Path:
    torch.save({"epoch": 3, "loss": 0.5, "optimizer": {"state": {}}, "model": model}, path)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("upstream") / "best.pth.tar", upstream())


def test_every_weight_finds_its_place(whole: Path) -> None:
    model, state = upstream(), convert_upstream(whole, VIEWS).encoder_.state_dict()
    corners = [model[f"{PROMPT}point_embeddings.{k}.weight"] for k in (2, 3)]
    assert torch.equal(state["gaussian"], model[f"{PROMPT}pe_layer.positional_encoding_gaussian_matrix"])
    assert torch.equal(state["token_offsets"], torch.cat(corners))
    assert torch.equal(state["view_tokens"], model["z_cam_token"][:, 0])
    assert torch.equal(state["decoder.weight"], model["observers.weight"])
    for k in range(3):
        assert torch.equal(state[f"layers.{k}.weight"], model[f"pos_encoder.layer{k + 1}.weight"])
        assert torch.equal(state[f"layers.{k}.bias"], model[f"pos_encoder.layer{k + 1}.bias"])


def test_point_prompts_are_recognized(tmp_path: Path) -> None:
    model = upstream(coordinates=2)
    associator = convert_upstream(write(tmp_path / "point.pth.tar", model), VIEWS)
    assert associator.get_params()["encoder"].prompt == "point"
    offsets = [model[f"{PROMPT}point_embeddings.1.weight"], model[f"{PROMPT}not_a_point_embed.weight"]]
    assert torch.equal(associator.encoder_.token_offsets, torch.cat(offsets))


def test_half_precision_weights_are_widened(tmp_path: Path) -> None:
    model = {name: value.half() for name, value in upstream().items()}
    state = convert_upstream(write(tmp_path / "half.pth.tar", model), VIEWS).encoder_.state_dict()
    assert {value.dtype for value in state.values()} == {torch.float32}


def test_a_converted_associator_uses_similarities_until_it_adapts(whole: Path) -> None:
    recording = scene(instants=100)
    associator = convert_upstream(whole, recording.views)
    assert associator.tables_ is None
    assert associator.get_params()["recipe"].name == "published"
    association = associator.associate(recording.frame(90))
    assert not association.calibrated
    assert "similarities instead of probabilities" in repr(association)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        probability = association.probability(i, j)
        assert probability.dtype == np.float64
        assert ((probability >= 0) & (probability <= 1)).all()
        # Boxes that share an id were matched by the optimal assignment, or joined through a third view.
    many = list(associator.associate_many([recording.frame(90)]))
    assert all(map(np.array_equal, many[0].ids, association.ids))


def test_a_converted_associator_can_be_saved(whole: Path, tmp_path: Path) -> None:
    associator = convert_upstream(whole, VIEWS)
    associator.save_pretrained(tmp_path)
    again = Associator.from_pretrained(tmp_path)
    assert again.tables_ is None
    assert not hasattr(again, "fit_report_")
    frame = [[[0, 0, 50, 90], [100, 50, 180, 200]], [[20, 0, 60, 90]], []]
    one, other = associator.associate(frame), again.associate(frame)
    np.testing.assert_array_equal(one.probability(0, 1), other.probability(0, 1))


def test_a_trained_encoder_adapts_after_conversion(tmp_path: Path) -> None:
    """Our own weights under the published names: adapting gives what fitting gave."""
    recording = scene(views=2, instants=200)
    trained = fit_quietly(quick(recipe_options={"steps": 150, "instants": 8}), recording)
    state, model = trained.encoder_.state_dict(), upstream(views=2)
    model[f"{PROMPT}pe_layer.positional_encoding_gaussian_matrix"] = state["gaussian"]
    model[f"{PROMPT}point_embeddings.2.weight"] = state["token_offsets"][:1]
    model[f"{PROMPT}point_embeddings.3.weight"] = state["token_offsets"][1:]
    model["z_cam_token"] = state["view_tokens"][:, None]
    for kind in ("weight", "bias"):
        model[f"observers.{kind}"] = state[f"decoder.{kind}"]
        model |= {f"pos_encoder.layer{k + 1}.{kind}": state[f"layers.{k}.{kind}"] for k in range(3)}
    converted = convert_upstream(write(tmp_path / "own.pth.tar", model), recording.views)
    box = [[100.0, 100.0, 160.0, 300.0]]
    np.testing.assert_array_equal(converted.embed(1, box), trained.embed(1, box))
    converted.adapt([recording.frame(t) for t in range(200)])
    assert converted.tables_ is not None
    assert converted.associate(recording.frame(199)).calibrated
    assert converted.fit_report_.better_than_chance


@pytest.mark.parametrize("name", sorted(set(upstream()) - {f"{PROMPT}no_mask_embed.weight"}))
def test_a_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    needed = "mask_downscaling" not in name and not name.endswith(
        ("point_embeddings.0.weight", "point_embeddings.1.weight", "not_a_point_embed.weight")
    )
    path = write(tmp_path / "x.pth.tar", {key: value for key, value in upstream().items() if key != name})
    if not needed:
        convert_upstream(path, VIEWS)
        return
    with pytest.raises(CheckpointError, match=f"lacks {name}"):
        convert_upstream(path, VIEWS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z_cam_token": torch.zeros(4, 1, 256)}, r"view_tokens has shape \(4, 256\), expected \(3, 256\)"),
        ({"pos_encoder.layer2.weight": torch.zeros(768, 512)}, r"layers\.1\.weight has shape"),
        ({"observers.bias": torch.zeros(5)}, r"decoder\.bias has shape \(5,\)"),
        ({"z_cam_token": [1.0, 2.0]}, "lacks z_cam_token"),
    ],
)
def test_another_architecture(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "x.pth.tar", upstream() | change)
    with pytest.raises(CheckpointError, match=message):
        convert_upstream(path, VIEWS)


def test_another_number_of_views(whole: Path) -> None:
    with pytest.raises(CheckpointError, match="do the number of views and the prompt agree"):
        convert_upstream(whole, VIEWS[:2])
    with pytest.raises(InputError, match="at least two views"):
        convert_upstream(whole, VIEWS[:1])


@given(st.floats(0, 1, exclude_max=True))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_is_cut_short(whole: Path, tmp_path: Path, share: float) -> None:
    data = whole.read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(share * len(data))])
    with pytest.raises(CheckpointError, match="cut short, or does it hold more than tensors"):
        convert_upstream(tmp_path / "cut", VIEWS)


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"PK\x03\x04", b"(lp0\n"]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_of_anything(tmp_path: Path, data: bytes, start: bytes) -> None:
    (tmp_path / "junk").write_bytes(start + data)
    with pytest.raises(CheckpointError):
        convert_upstream(tmp_path / "junk", VIEWS)


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {}}, {"model": [1]}, torch.zeros(3)])
def test_a_torch_file_of_something_else(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="no checkpoint of the published code"):
        convert_upstream(tmp_path / "x.pth", VIEWS)


class Attack:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_code_in_a_checkpoint_never_runs(tmp_path: Path, how: str) -> None:
    attack = {"model": upstream(), "epoch": Attack(str(tmp_path / "was-run"))}
    path = tmp_path / "evil.pth.tar"
    if how == "torch":
        torch.save(attack, path)
    else:
        path.write_bytes(pickle.dumps(attack))
    with pytest.raises(CheckpointError, match="more than tensors"):
        convert_upstream(path, VIEWS)
    assert not (tmp_path / "was-run").exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        convert_upstream(tmp_path / "nowhere", VIEWS)
