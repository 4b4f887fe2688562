"""The geometric encoder: against its definition, and what must not change its numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch

from selfmva.core.types import View
from selfmva.encoders.box import BoxEncoder, foot_points, fourier_features, prompt_scale, standardize

PROMPTS: list[Literal["box", "point"]] = ["box", "point"]
VIEWS = [View("a", 640, 480), View("b", 1920, 1080), View("c", 100, 333)]


def make(views: list[View] = VIEWS, prompt: Literal["box", "point"] = "box", seed: int = 0) -> BoxEncoder:
    return BoxEncoder(views, prompt=prompt, generator=torch.Generator().manual_seed(seed))


def some_boxes(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes in pixels of VIEWS, and their views; a few stick out."""
    rng = np.random.default_rng(seed)
    view = rng.integers(0, len(VIEWS), count)
    size = np.array([[v.width, v.height] for v in VIEWS])[view]
    corner = rng.uniform(-0.1, 0.9, (count, 2)) * size
    boxes = np.concatenate((corner, corner + rng.uniform(0.01, 0.3, (count, 2)) * size), axis=1)
    return torch.from_numpy(boxes.astype(np.float32)), torch.from_numpy(view)


@pytest.mark.parametrize(
    ("width", "height", "resized"),
    [
        (640, 480, (1024, 768)),
        (480, 640, (768, 1024)),
        (1920, 1080, (1024, 576)),
        (1000, 333, (1024, 341)),  # 340.99
        (2048, 3, (1024, 2)),  # 1.5 is rounded up
        (100, 100, (1024, 1024)),
    ],
)
def test_prompt_scale(width: int, height: int, resized: tuple[int, int]) -> None:
    scale = prompt_scale([View("a", width, height)])
    corner = scale * torch.tensor([[float(width), float(height)]])
    torch.testing.assert_close(corner * 1024, torch.tensor([[float(n) for n in resized]]))


def test_fourier_features_against_numpy() -> None:
    rng = np.random.default_rng(0)
    points, gaussian = rng.uniform(0, 1, (7, 3, 2)), rng.standard_normal((2, 5))
    phases = 2 * np.pi * (2 * points - 1) @ gaussian
    found = fourier_features(torch.from_numpy(points), torch.from_numpy(gaussian))
    np.testing.assert_allclose(found, np.concatenate((np.sin(phases), np.cos(phases)), axis=-1), atol=1e-12)


def test_standardize_against_numpy() -> None:
    x = np.random.default_rng(0).normal(3, 10, (6, 50))
    wanted = (x - x.mean(axis=1, keepdims=True)) / (x.std(axis=1, ddof=1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(standardize(torch.from_numpy(x)), wanted, atol=1e-12)


def test_standardize_survives_a_constant_row() -> None:
    assert standardize(torch.full((2, 5), 3.0)).tolist() == [[0.0] * 5] * 2


def test_foot_points() -> None:
    assert foot_points(torch.tensor([[10.0, 20.0, 30.0, 90.0]])).tolist() == [[20.0, 90.0]]


def test_box_tokens_against_their_definition() -> None:
    encoder = make()
    boxes, view = some_boxes(20)
    found = encoder.tokens(boxes, view).view(-1, 2, 256)
    for row in range(len(boxes)):
        camera = VIEWS[int(view[row])]
        longest = max(camera.width, camera.height)
        sides = [np.floor(side * 1024 / longest + 0.5) for side in (camera.width, camera.height)]
        for corner in (0, 1):
            x, y = boxes[row, 2 * corner : 2 * corner + 2].double().tolist()
            point = np.array([x / camera.width * sides[0] + 0.5, y / camera.height * sides[1] + 0.5]) / 1024
            phases = 2 * np.pi * (2 * point - 1) @ encoder.gaussian.double().numpy()
            wanted = np.concatenate((np.sin(phases), np.cos(phases))) + encoder.token_offsets[corner].numpy()
            np.testing.assert_allclose(found[row, corner], wanted, atol=2e-4)


def test_a_point_prompt_knows_the_foot_alone() -> None:
    encoder = make(prompt="point")
    boxes = torch.tensor([[10.0, 20.0, 30.0, 90.0], [5.0, 80.0, 35.0, 90.0], [10.0, 20.0, 30.0, 91.0]])
    embeddings = encoder(boxes, torch.zeros(3, dtype=torch.long))
    torch.testing.assert_close(embeddings[0], embeddings[1], rtol=0, atol=1e-5)
    assert (embeddings[0] - embeddings[2]).abs().max() > 1e-3
    point, nothing = encoder.tokens(boxes, torch.zeros(3, dtype=torch.long)).view(-1, 2, 256).unbind(dim=1)
    torch.testing.assert_close(nothing, encoder.token_offsets[1].expand(3, -1))
    middle = torch.cat((foot_points(boxes), foot_points(boxes)), dim=1)  # a box that is its own foot
    torch.testing.assert_close(encoder.tokens(middle, torch.zeros(3, dtype=torch.long))[:, :256], point)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("count", [0, 1, 17])
def test_shapes(prompt: Literal["box", "point"], count: int) -> None:
    encoder = make(prompt=prompt)
    boxes, view = some_boxes(count)
    embeddings = encoder(boxes, view)
    numbers = 4 if prompt == "box" else 2
    assert encoder.tokens(boxes, view).shape == (count, 512)
    assert embeddings.shape == (count, 768)
    assert embeddings.dtype == torch.float32
    assert encoder.decode(embeddings).shape == (count, 3, numbers)
    assert encoder.targets(boxes, view).shape == (count, numbers)


def test_an_embedding_has_no_negative_number_and_depends_on_the_view() -> None:
    encoder = make()
    box = torch.tensor([[10.0, 20.0, 30.0, 90.0]]).repeat(3, 1)
    embeddings = encoder(box, torch.arange(3))
    assert embeddings.min() >= 0
    assert torch.pdist(embeddings).min() > 1


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_box_is_embedded_alike_in_any_company(prompt: Literal["box", "point"]) -> None:
    encoder = make(prompt=prompt)
    boxes, view = some_boxes(40)
    together = encoder(boxes, view)
    alone = torch.cat([encoder(boxes[k : k + 1], view[k : k + 1]) for k in range(40)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(encoder(boxes[order], view[order]), together[order], rtol=0, atol=1e-4)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_twice_the_image_and_twice_the_boxes_change_nothing(prompt: Literal["box", "point"]) -> None:
    one = make(prompt=prompt)
    twice = make([View(v.name, 2 * v.width, 2 * v.height) for v in VIEWS], prompt=prompt)
    boxes, view = some_boxes(20)
    torch.testing.assert_close(one(boxes, view), twice(2 * boxes, view), rtol=0, atol=1e-4)
    torch.testing.assert_close(one.targets(boxes, view), twice.targets(2 * boxes, view))


def test_targets_are_fractions_of_the_image() -> None:
    boxes = torch.tensor([[64.0, 48.0, 320.0, 480.0], [192.0, 108.0, 960.0, 1080.0]])
    view = torch.tensor([0, 1])
    assert make().targets(boxes, view).tolist() == [pytest.approx([0.1, 0.1, 0.5, 1.0])] * 2
    assert make(prompt="point").targets(boxes, view).tolist() == [pytest.approx([0.3, 1.0])] * 2


def test_decoded_boxes_are_centre_and_sigmoid_sides() -> None:
    encoder = make()
    embeddings = torch.randn(5, 768, generator=torch.Generator().manual_seed(0)) * 20
    raw = embeddings @ encoder.decoder.weight.T + encoder.decoder.bias
    x, y, width, height = raw.view(5, 3, 4).unbind(dim=-1)
    width, height = width.sigmoid(), height.sigmoid()
    wanted = torch.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), dim=-1)
    decoded = encoder.decode(embeddings)
    torch.testing.assert_close(decoded, wanted)
    sides = decoded[..., 2:] - decoded[..., :2]
    assert (sides.min() >= 0, sides.max() <= 1 + 1e-5) == (True, True)
    assert raw.abs().max() > 5  # the test would not see a sigmoid that is missing among small numbers


def test_a_decoded_point_is_the_raw_output() -> None:
    encoder = make(prompt="point")
    embeddings = torch.randn(5, 768, generator=torch.Generator().manual_seed(0))
    wanted = (embeddings @ encoder.decoder.weight.T + encoder.decoder.bias).view(5, 3, 2)
    torch.testing.assert_close(encoder.decode(embeddings), wanted)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 0, 2]])
def test_reordered_views(prompt: Literal["box", "point"], order: list[int]) -> None:
    """The new view k is the old view order[k], in every number that the encoder gives."""
    encoder, reordered = make(prompt=prompt), make(prompt=prompt)
    reordered.reorder_views(order)
    boxes, view = some_boxes(20)
    new_number = torch.as_tensor(np.argsort(order))[view]
    old, new = encoder(boxes, view), reordered(boxes, new_number)
    assert torch.equal(old, new)
    torch.testing.assert_close(encoder.decode(old)[:, order], reordered.decode(new), rtol=0, atol=1e-5)
    assert torch.equal(encoder.targets(boxes, view), reordered.targets(boxes, new_number))


@pytest.mark.parametrize("order", [[1, 2, 0], [2, 1, 0]])
def test_reordering_is_building_in_the_other_order(order: list[int]) -> None:
    """An encoder whose views were listed otherwise and that then gets the same weights."""
    encoder = make()
    encoder.reorder_views(order)
    built = make([VIEWS[k] for k in order], seed=5)
    built.load_state_dict(encoder.state_dict())
    boxes, view = some_boxes(20)
    new_number = torch.as_tensor(np.argsort(order))[view]
    assert torch.equal(encoder(boxes, new_number), built(boxes, new_number))
    assert torch.equal(encoder.targets(boxes, new_number), built.targets(boxes, new_number))


def test_the_generator_is_the_only_source_of_weights() -> None:
    torch.manual_seed(1)
    one = make(seed=3).state_dict()
    torch.manual_seed(2)
    same, other = make(seed=3).state_dict(), make(seed=4).state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


def test_building_an_encoder_leaves_the_callers_randomness_alone() -> None:
    """A library that draws from the global generator changes what its user draws next."""
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    make()
    assert torch.equal(torch.rand(3), wanted)


def test_initial_weights_are_spread_as_stated() -> None:
    encoder = make()
    bound = 1 / np.sqrt(768)
    assert encoder.gaussian.std().item() == pytest.approx(1.0, abs=0.15)
    assert encoder.view_tokens.std().item() == pytest.approx(0.88, abs=0.05)  # a normal, cut at two deviations
    assert 1.9 < encoder.view_tokens.abs().max() <= 2
    for layer in (*encoder.layers, encoder.decoder):
        assert bound * 0.99 < layer.weight.abs().max() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / np.sqrt(3), rel=0.05)


def test_the_frozen_part_is_not_trained() -> None:
    encoder = make()
    assert {name for name, _ in encoder.named_parameters()} == {
        "view_tokens",
        "decoder.weight",
        "decoder.bias",
        *(f"layers.{k}.{kind}" for k in range(3) for kind in ("weight", "bias")),
    }
    assert {"gaussian", "token_offsets"} <= set(encoder.state_dict())


def test_tokens_keep_their_precision_under_mixed_precision() -> None:
    """Phases reach 40 radians: in bfloat16 they would be off by a tenth of a radian, which is several pixels."""
    encoder = make()
    boxes, view = some_boxes(30)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = encoder.tokens(boxes, view)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, encoder.tokens(boxes, view))


def test_embed_is_the_forward_pass_without_a_gradient() -> None:
    encoder = make()
    boxes, view = some_boxes(7)
    wanted = encoder(boxes, view).detach()
    for pixels in (boxes, boxes.double().numpy(), boxes.tolist()):
        found = encoder.embed(pixels, view.numpy())
        torch.testing.assert_close(found, wanted)
        assert not found.requires_grad
    torch.testing.assert_close(encoder.embed(boxes, 1), encoder(boxes, torch.ones_like(view)).detach())
    assert encoder.embed(np.zeros((0, 4)), 0).shape == (0, 768)
