"""Every term of the loss against numpy, a plain loop or torch's own cross-entropy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from selfmva.losses.edge import edge_distance, unordered_pairs, virtual_boxes
from selfmva.losses.pseudo_labels import consensus_loss
from selfmva.losses.reprojection import reprojection_loss
from selfmva.losses.synchronization import contrastive_loss, matched_distance, triplet_loss
from selfmva.matching.distances import pairwise_distances


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_matched_distance_against_numpy() -> None:
    one, other = draw(6, 9), draw(6, 9, seed=1)
    wanted = np.mean([np.linalg.norm(a - b) for a, b in zip(one.numpy(), other.numpy(), strict=True)])
    assert matched_distance(one, other).item() == pytest.approx(wanted)


def test_matched_distance_has_a_gradient_where_embeddings_coincide() -> None:
    same = draw(3, 4).requires_grad_()
    matched_distance(same, same.detach().clone()).backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()


@pytest.mark.parametrize(
    ("positive", "negative", "margin", "wanted"),
    [(1.0, 5.0, 1.0, 0.0), (1.0, 2.0, 1.0, 0.0), (1.0, 1.5, 1.0, 0.5), (3.0, 1.0, 1.0, 3.0), (3.0, 1.0, 0.0, 2.0)],
)
def test_triplet_loss(positive: float, negative: float, margin: float, wanted: float) -> None:
    near, far = torch.tensor(positive, requires_grad=True), torch.tensor(negative, requires_grad=True)
    loss = triplet_loss(near, far, margin)
    loss.backward()
    assert near.grad is not None
    assert far.grad is not None
    active = float(wanted > 0)
    assert (loss.item(), near.grad.item(), far.grad.item()) == (wanted, active, -active)


def contrastive_by_hand(distances: torch.Tensor, valid: torch.Tensor, temperature: float) -> float:
    """The mean of torch's cross-entropy over all usable rows and columns."""
    terms = []
    for matrix, mask in zip(distances, valid, strict=True):
        for logits, allowed in ((-matrix / temperature, mask), (-matrix.T / temperature, mask.T)):
            for target in range(len(logits)):
                if allowed[target, target] and allowed[target].sum() > 1:
                    row = logits[target].masked_fill(~allowed[target], -torch.inf)
                    terms.append(functional.cross_entropy(row[None], torch.tensor([target])).item())
    return float(np.mean(terms)) if terms else 0.0


def test_contrastive_loss_is_cross_entropy_of_rows_and_columns() -> None:
    distances = draw(3, 5, 5).abs() * 4
    everything = torch.ones(3, 5, 5, dtype=torch.bool)
    logits = torch.cat((-distances / 2, -distances.mT / 2)).flatten(0, 1)
    wanted = functional.cross_entropy(logits, torch.arange(5).repeat(6))
    assert contrastive_loss(distances, everything, 2.0).item() == pytest.approx(wanted.item(), rel=1e-12)


@given(
    pairs=st.integers(1, 3),
    size=st.integers(1, 5),
    temperature=st.sampled_from([0.1, 1.0, 2.0, 10.0]),
    fraction=st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
    seed=st.integers(0, 1000),
)
def test_contrastive_loss_with_anything_masked(
    pairs: int, size: int, temperature: float, fraction: float, seed: int
) -> None:
    distances = (draw(pairs, size, size, seed=seed).abs() * 5).requires_grad_()
    valid = torch.rand(pairs, size, size, generator=torch.Generator().manual_seed(seed)) < fraction
    loss = contrastive_loss(distances, valid, temperature)
    assert loss.item() == pytest.approx(
        contrastive_by_hand(distances.detach(), valid, temperature), rel=1e-9, abs=1e-12
    )
    loss.backward()
    assert distances.grad is not None
    assert torch.isfinite(distances.grad).all()
    assert (distances.grad[~valid] == 0).all()  # what is not compared is not pushed


def test_contrastive_loss_of_alike_images_is_that_of_guessing() -> None:
    equal = torch.full((2, 7, 7), 3.0)
    assert contrastive_loss(equal, torch.ones_like(equal, dtype=torch.bool), 1.0).item() == pytest.approx(math.log(7))


def test_contrastive_loss_survives_huge_distances() -> None:
    distances = torch.tensor([[[0.0, 1e6], [1e6, 0.0]]], requires_grad=True)
    loss = contrastive_loss(1e6 - distances, torch.ones_like(distances, dtype=torch.bool), 0.01)
    assert loss.item() == pytest.approx(1e8)
    loss.backward()
    assert distances.grad is not None
    assert torch.isfinite(distances.grad).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_unordered_pairs(count: int) -> None:
    pairs, row_of = unordered_pairs(count)
    assert pairs.tolist() == [[a, b] for a in range(count) for b in range(a + 1, count)]
    assert row_of.shape == (count, count)
    for a in range(count):
        for b in range(count):
            if a == b:
                assert row_of[a, b] == a
            else:
                assert pairs[row_of[a, b] - count].tolist() == sorted((a, b))


def test_virtual_boxes_by_feet_widths_and_heights() -> None:
    """The definition of the method; the code averages corners."""
    rng = np.random.default_rng(0)
    boxes = rng.uniform(0, 100, (5, 4))
    boxes[:, 2:] += boxes[:, :2]
    pairs, _ = unordered_pairs(5)
    found = virtual_boxes(torch.from_numpy(boxes), pairs).numpy()
    for (a, b), box in zip(pairs.tolist(), found, strict=True):
        two = boxes[[a, b]]
        foot = np.mean([[(x1 + x2) / 2, y2] for x1, _, x2, y2 in two], axis=0)
        width, height = np.mean(two[:, 2] - two[:, 0]), np.mean(two[:, 3] - two[:, 1])
        wanted = [foot[0] - width / 2, foot[1] - height, foot[0] + width / 2, foot[1]]
        np.testing.assert_allclose(box, wanted, atol=1e-12)


def test_edge_distance_against_a_double_loop() -> None:
    """Rows of ordered pairs are looked up, the diagonal is the people themselves."""
    (pairs_n, row_of), (pairs_m, column_of) = unordered_pairs(4), unordered_pairs(3)
    rows, columns = draw(4 + len(pairs_n), 6), draw(3 + len(pairs_m), 6, seed=1)
    match = [(0, 2), (1, 0), (3, 1)]
    lookup = {frozenset(pair): 4 + k for k, pair in enumerate(pairs_n.tolist())} | {frozenset([k]): k for k in range(4)}
    other = {frozenset(pair): 3 + k for k, pair in enumerate(pairs_m.tolist())} | {frozenset([k]): k for k in range(3)}
    total = [
        np.linalg.norm(rows[lookup[frozenset((a, b))]] - columns[other[frozenset((c, d))]])
        for a, c in match
        for b, d in match
    ]
    found = edge_distance(rows, columns, row_of, column_of, torch.tensor(match))
    assert found.item() == pytest.approx(np.mean(total))


def test_edge_distance_of_one_match_is_the_distance_of_the_people() -> None:
    _, itself = unordered_pairs(2)
    rows, columns = draw(3, 4), draw(3, 4, seed=1)
    found = edge_distance(rows, columns, itself, itself, torch.tensor([[1, 0]]))
    assert found.item() == pytest.approx(torch.dist(rows[1], columns[0]).item())


@pytest.mark.parametrize("numbers", [2, 4])
def test_reprojection_loss_against_numpy(numbers: int) -> None:
    decoded, targets = draw(6, 3, numbers), draw(6, numbers, seed=1)
    view = torch.tensor([0, 2, 1, 1, 0, 2])
    own = decoded.numpy()[np.arange(6), view.numpy()]
    wanted = np.abs(own - targets.numpy()).sum(axis=1).mean()
    assert reprojection_loss(decoded, view, targets).item() == pytest.approx(wanted)


def test_reprojection_teaches_the_own_view_alone() -> None:
    decoded = draw(2, 3, 4).requires_grad_()
    reprojection_loss(decoded, torch.tensor([0, 2]), draw(2, 4, seed=1)).backward()
    assert decoded.grad is not None
    taught = decoded.grad.abs().sum(dim=-1) > 0
    assert taught.tolist() == [[True, False, False], [False, False, True]]


def test_gradients_through_coinciding_embeddings_are_finite() -> None:
    """Two people may stand at the same place; the square root has no slope at 0."""
    embeddings = torch.ones(4, 8, requires_grad=True)
    distances = pairwise_distances(embeddings)
    contrastive_loss(distances[None], torch.ones(1, 4, 4, dtype=torch.bool), 0.5).backward()
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


def consensus_by_hand(distances: np.ndarray, image: np.ndarray, matches: np.ndarray, temperature: float) -> float:
    """How surprising each box's partner is among the boxes of the partner's image."""
    terms = []
    for one, other in matches.tolist():
        for box, partner in ((one, other), (other, one)):
            odds = np.exp(-distances[box] / temperature)
            terms.append(-np.log(odds[partner] / odds[image == image[partner]].sum()))
    return float(np.mean(terms)) if terms else 0.0


def crowd(sizes: list[int], seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Distances, images, and matches of the images 0 and 1, 2 and 3, and so on: as many as there can be."""
    image = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    rng, start = np.random.default_rng(seed), np.cumsum([0, *sizes])
    matches = [
        np.column_stack(
            [start[k + side] + rng.permutation(sizes[k + side])[: min(sizes[k : k + 2])] for side in (0, 1)]
        )
        for k in range(0, len(sizes) - 1, 2)
    ]
    half = draw(len(image), len(image), seed=seed).abs() * 3
    return half + half.T, image, torch.from_numpy(np.concatenate(matches))


@given(
    sizes=st.lists(st.integers(0, 4), min_size=2, max_size=6),
    temperature=st.sampled_from([0.1, 1.0, 10.0]),
    seed=st.integers(0, 1000),
)
def test_consensus_loss_by_plain_loops(sizes: list[int], temperature: float, seed: int) -> None:
    distances, image, matches = crowd(sizes, seed)
    found = consensus_loss(distances.requires_grad_(), image, matches, temperature)
    wanted = consensus_by_hand(distances.detach().numpy(), image.numpy(), matches.numpy(), temperature)
    assert found.item() == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert consensus_loss(distances, image, matches.flip(1), temperature).item() == pytest.approx(found.item())
    if len(matches):
        found.backward()
        assert distances.grad is not None
        assert torch.isfinite(distances.grad).all()


def test_consensus_loss_without_matches_is_nothing() -> None:
    distances, image, _ = crowd([3, 2], 0)
    assert consensus_loss(distances, image, torch.zeros((0, 2), dtype=torch.int64), 1.0).item() == 0.0


def test_consensus_pushes_the_others_of_the_partner_s_image_alone() -> None:
    """Boxes of the own image and of other instants may be as near as they like."""
    distances = draw(6, 6).abs().requires_grad_()
    image = torch.tensor([0, 0, 1, 1, 2, 2])
    consensus_loss(distances, image, torch.tensor([[0, 2]]), 1.0).backward()
    assert distances.grad is not None
    assert distances.grad.nonzero().tolist() == [[0, 2], [0, 3], [2, 0], [2, 1]]
    assert (distances.grad[[0, 2], [2, 0]] > 0).all()  # nearer
    assert (distances.grad[[0, 2], [3, 1]] < 0).all()  # further away


def test_consensus_through_coinciding_embeddings_has_a_finite_gradient() -> None:
    embeddings = torch.ones(4, 8, requires_grad=True)
    matches = torch.tensor([[0, 2], [1, 3]])
    loss = consensus_loss(pairwise_distances(embeddings), torch.tensor([0, 0, 1, 1]), matches, 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()
