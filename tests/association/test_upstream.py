"""Checkpoints of the published code: converted when they are what they say, refused by name when they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from published_files import PROMPT, published_weights
from published_files import write_published as write
from small_scenes import learnt_embedding, scene

import selfmva.association.pretrained.upstream
import selfmva.hub
from selfmva import Associator, View
from selfmva.errors import CheckpointError, InputError
from selfmva.hub import convert_upstream

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = [View(f"v{k}", 640, 480) for k in range(3)]


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
    trained, recording = learnt_embedding()
    converted = convert_upstream(write(tmp_path / "own.pth.tar", published_weights(trained.encoder_)), recording.views)
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


ARCHITECTURE = "x.pth.tar is of another architecture: "
NOT_FINITE = torch.zeros(3, 1, 256).index_fill_(2, torch.tensor([7]), torch.nan)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"z_cam_token": torch.zeros(3, 2, 256)}, ARCHITECTURE + r"z_cam_token has shape \(3, 2, 256\)"),
        ({"z_cam_token": torch.tensor(0.0)}, ARCHITECTURE + r"z_cam_token has shape \(\), expected \(3, 1, 256\)"),
        ({"pos_encoder.layer2.weight": torch.zeros(768, 512)}, r"layer2\.weight has shape \(768, 512\), expected"),
        ({"observers.bias": torch.zeros(5)}, r"observers\.bias has shape \(5,\), expected \(12,\)"),
        ({"observers.weight": torch.zeros(9, 768)}, r"has shape \(9, 768\), expected \(12, 768\) or \(6, 768\) for 3"),
        ({"observers.weight": torch.zeros(12, 5)}, r"has shape \(12, 5\), expected \(12, 768\)"),
        ({"observers.weight": torch.tensor(1.0)}, r"has shape \(\), expected \(12, 768\)"),
        ({"z_cam_token": [1.0, 2.0]}, "lacks z_cam_token"),
        ({"z_cam_token": NOT_FINITE}, "x.pth.tar is damaged: z_cam_token holds values that are not finite"),
        ({"observers.bias": torch.full((12,), 1e300, dtype=torch.float64)}, "observers.bias holds values that are not"),
        ({"observers.bias": torch.zeros(12, dtype=torch.int64)}, "refused: observers.bias is a tensor of torch.int64"),
        ({"observers.bias": torch.zeros(12, dtype=torch.complex64)}, "a tensor of torch.complex64"),
        ({"observers.bias": torch.zeros(12).to_sparse()}, "a tensor of torch.float32, torch.sparse_coo, on cpu"),
        ({"observers.bias": torch.zeros(12, device="meta")}, "a tensor of torch.float32, torch.strided, on meta"),
    ],
)
def test_wrong_tensors(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "x.pth.tar", upstream() | change)
    with pytest.raises(CheckpointError, match=message):
        convert_upstream(path, VIEWS)


def test_a_tensor_that_claims_terabytes(tmp_path: Path) -> None:
    """One number, repeated by a stride of zero: it must be refused before anything is computed from it."""
    huge = torch.zeros(1).expand(10**6, 10**6)
    path = write(tmp_path / "x.pth.tar", upstream() | {"pos_encoder.layer1.weight": huge})
    assert path.stat().st_size < 20e6
    with pytest.raises(CheckpointError, match=r"has shape \(1000000, 1000000\), expected \(768, 768\)"):
        convert_upstream(path, VIEWS)


@pytest.mark.parametrize(("count", "words"), [(2, "3 views, got 2 cameras"), (7, "3 views, got 7 cameras")])
@pytest.mark.parametrize("coordinates", [4, 2])
def test_another_number_of_views(tmp_path: Path, coordinates: int, count: int, words: str) -> None:
    """Also where the decoder would fit: two views of boxes and four of points give as many numbers."""
    path = write(tmp_path / "x.pth.tar", upstream(coordinates=coordinates))
    with pytest.raises(CheckpointError, match=f"x.pth.tar was trained on {words}: give one for each view"):
        convert_upstream(path, [View(f"v{k}", 640, 480) for k in range(count)])


def test_one_view(whole: Path) -> None:
    with pytest.raises(InputError, match="at least two views"):
        convert_upstream(whole, VIEWS[:1])


def test_the_card_names_the_licence(whole: Path, tmp_path: Path) -> None:
    associator = convert_upstream(whole, VIEWS)
    assert associator.card_.license == "CC-BY-NC-SA-4.0"
    associator.save_pretrained(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "license: cc-by-nc-sa-4.0" in text
    assert "Converted from best.pth.tar, a checkpoint of the published Self-MVA code." in text


def test_the_old_place_still_works() -> None:
    """`selfmva.hub.convert_upstream` is the public name."""
    assert selfmva.hub.convert_upstream is selfmva.association.pretrained.upstream.convert_upstream is convert_upstream


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {}}, {"model": [1]}, torch.zeros(3)])
def test_a_torch_file_of_something_else(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="no checkpoint of the published code"):
        convert_upstream(tmp_path / "x.pth", VIEWS)
