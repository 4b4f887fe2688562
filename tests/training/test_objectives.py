"""What a step minimizes, by plain loops over its definition; and what makes it learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from small_scenes import frames_of, scene
from true_floors import true_floor

from selfmva.core.config import BatchRecipe, PublishedRecipe
from selfmva.core.packed_boxes import PackedBoxes, gather, pack
from selfmva.core.types import Frame, View
from selfmva.encoders.box import BoxEncoder
from selfmva.errors import InputError
from selfmva.losses.pseudo_labels import consensus_loss
from selfmva.losses.reprojection import reprojection_loss
from selfmva.losses.synchronization import contrastive_loss
from selfmva.matching.distances import pairwise_distances
from selfmva.pretext.sampler import sample_instants
from selfmva.training.pseudo_labels import Consensus, find_consensus
from selfmva.training.recipes.batch import BatchObjective
from selfmva.training.recipes.published import PublishedObjective, match_images, triplet_terms

VIEWS = [View(f"v{k}", 1280, 720) for k in range(3)]


def make(seed: int = 0) -> BoxEncoder:
    return BoxEncoder(VIEWS, generator=torch.Generator().manual_seed(seed))


def recording(instants: int = 40) -> PackedBoxes:
    return pack(frames_of(scene(instants=instants), "train"), 3)


def some_boxes(count: int, seed: int) -> torch.Tensor:
    corner = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) * 500
    return torch.cat((corner, corner + 60 + 10 * seed), dim=1)


def halfway(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one + other) / 2


@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 2, 4), (2, 5, 1)])
def test_triplet_terms_by_plain_loops(sizes: tuple[int, int, int]) -> None:
    encoder, recipe = make(), PublishedRecipe()
    images = [some_boxes(size, seed) for seed, size in enumerate(sizes)]
    terms = triplet_terms(encoder, *images, (2, 0), recipe)

    def embed(box: torch.Tensor, view: int) -> torch.Tensor:
        return encoder(box[None], torch.tensor([view]))[0]

    def image_and_edge_distance(other: int) -> tuple[float, float, list[list[int]]]:
        rows, columns = ([embed(b, view) for b in images[k]] for k, view in ((0, 2), (other, 0)))
        costs = np.array([[torch.dist(a, b).item() for b in columns] for a in rows])
        match = list(zip(*linear_sum_assignment(costs), strict=True))
        node = np.mean([costs[a, b] for a, b in match])
        edge = np.mean(
            [
                torch.dist(
                    embed(halfway(images[0][a], images[0][c]), 2), embed(halfway(images[other][b], images[other][d]), 0)
                ).item()
                for a, b in match
                for c, d in match
            ]
        )
        return float(node), float(edge), [[int(a), int(b)] for a, b in match]

    def reprojection(number: int, view: int) -> float:
        size = torch.tensor([1280.0, 720.0, 1280.0, 720.0])
        return float(
            np.mean(
                [(encoder.decode(embed(b, view)[None])[0, view] - b / size).abs().sum().item() for b in images[number]]
            )
        )

    with torch.no_grad():
        node_positive, edge_positive, match_positive = image_and_edge_distance(1)
        node_negative, edge_negative, match_negative = image_and_edge_distance(2)
        wanted_reprojection = [reprojection(0, 2), reprojection(1, 0)]
    assert terms.match_positive.tolist() == match_positive
    assert terms.match_negative.tolist() == match_negative
    assert terms.edge_positive is not None
    assert terms.edge_negative is not None
    assert terms.node_positive.item() == pytest.approx(node_positive, rel=1e-4)
    assert terms.node_negative.item() == pytest.approx(node_negative, rel=1e-4)
    assert terms.edge_positive.item() == pytest.approx(edge_positive, rel=1e-4)
    assert terms.edge_negative.item() == pytest.approx(edge_negative, rel=1e-4)
    assert [term.item() for term in terms.reprojection] == pytest.approx(wanted_reprojection, rel=1e-4)
    for margin in (0.0, 1.0, 5.0):
        total = max(node_positive - node_negative + margin, 0) + max(edge_positive - edge_negative + margin, 0)
        assert terms.loss(margin).item() == pytest.approx(total + sum(wanted_reprojection), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(("edges", "reprojection"), [(False, True), (True, False), (False, False)])
def test_terms_can_be_left_out(edges: bool, reprojection: bool) -> None:
    images = [some_boxes(3, seed) for seed in range(3)]
    full = triplet_terms(make(), *images, (0, 1), PublishedRecipe())
    terms = triplet_terms(make(), *images, (0, 1), PublishedRecipe(edges=edges, reprojection=reprojection))
    assert (terms.edge_positive is None) == (not edges)
    assert len(terms.reprojection) == (2 if reprojection else 0)
    assert terms.node_positive.item() == pytest.approx(full.node_positive.item(), rel=1e-5)


def test_matches_below_the_threshold_are_left_out() -> None:
    rows = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    columns = torch.tensor([[0.0, 1.0], [10.0, 6.0], [0.0, 11.0]])
    largest = torch.cdist(rows, columns).max().item()
    assert match_images(rows, columns).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert match_images(rows, columns, 1 - 3 / largest).tolist() == [[0, 0], [2, 2]]
    assert match_images(rows, columns + 20, 1.0).shape == (1, 2)  # the best one stays


def test_the_published_step_size_falls_at_three_quarters() -> None:
    objective = PublishedObjective(recording(), PublishedRecipe(epochs=4), seed=0)
    instants = len(recording())
    assert objective.steps == 4 * instants
    rates = [objective.learning_rate(step) for step in range(objective.steps)]
    assert set(rates[: 3 * instants]) == {1e-4}
    assert rates[3 * instants :] == [pytest.approx(1e-5)] * instants


def test_the_batch_step_size_warms_up_and_falls_to_nothing() -> None:
    objective = BatchObjective(recording(), BatchRecipe(steps=400), seed=0)
    rates = np.array([objective.learning_rate(step) for step in range(400)])
    assert rates[0] == pytest.approx(1e-3 / 50)
    assert rates.argmax() == 49
    assert (np.diff(rates[49:]) < 0).all()
    assert rates[200] == pytest.approx(0.5e-3)
    assert rates[-1] < 1e-7


@pytest.mark.parametrize("name", ["batch", "published"])
def test_a_loss_depends_on_seed_and_step_alone(name: str) -> None:
    """That is what makes a training resumable: no state is kept between steps."""

    def loss(seed: int, steps: list[int]) -> float:
        data = recording()
        objective = (
            BatchObjective(data, BatchRecipe(), seed)
            if name == "batch"
            else PublishedObjective(data, PublishedRecipe(), seed)
        )
        values = [objective.loss(make(), step) for step in steps]
        return math.nan if values[-1] is None else values[-1].item()

    step = next(step for step in range(30, 60) if not math.isnan(loss(0, [step])))
    assert loss(0, [0, 7, step]) == loss(0, [step])
    assert loss(0, [step]) != loss(1, [step])
    assert loss(0, [step]) != loss(0, [step + 1])


def test_a_triplet_with_an_empty_image_is_skipped() -> None:
    frames = [Frame([[[0, 0, 10, 10]], [[0, 0, 10, 10]] if t % 2 else []], t) for t in range(20)]
    objective = PublishedObjective(pack(frames, 2), PublishedRecipe(), seed=0)
    encoder = BoxEncoder(VIEWS[:2], generator=torch.Generator())
    losses = [objective.loss(encoder, step) for step in range(40)]
    assert 0 < sum(loss is None for loss in losses) < 40


def test_a_batch_loss_by_its_definition() -> None:
    """Without jitter: cross-entropy of the image distances, pairs nearer than the minimum shift left out."""
    frames = frames_of(scene(instants=40), "train")
    recipe = BatchRecipe(instants=8, jitter=0.0, minimum_shift=3, temperature=1.5)
    encoder = make()
    found = BatchObjective(pack(frames, 3), recipe, seed=0).loss(encoder, 5)
    assert found is not None
    rng = np.random.default_rng([0, 5])
    instants = np.sort(rng.choice(len(frames), 8, replace=False))
    with torch.no_grad():
        embeddings = [
            [encoder(torch.tensor(b, dtype=torch.float32), torch.full((len(b),), v)) for v, b in enumerate(f.boxes)]
            for f in (frames[t] for t in instants)
        ]
    distances, valid = torch.zeros(3, 8, 8), torch.zeros(3, 8, 8, dtype=torch.bool)
    for number, (i, j) in enumerate([(0, 1), (0, 2), (1, 2)]):
        for s in range(8):
            for t in range(8):
                if not (len(embeddings[s][i]) and len(embeddings[t][j])):
                    continue
                costs = torch.cdist(embeddings[s][i], embeddings[t][j]).numpy()
                distances[number, s, t] = float(costs[linear_sum_assignment(costs)].mean())
                gap = abs(instants[s] - instants[t])
                valid[number, s, t] = bool(gap == 0 or gap >= 3)
    wanted = contrastive_loss(distances, valid, 1.5)
    boxes = torch.cat([torch.tensor(b, dtype=torch.float32) for t in instants for b in frames[t].boxes])
    view = torch.cat([torch.full((len(b),), v) for t in instants for v, b in enumerate(frames[t].boxes)])
    wanted = wanted + reprojection_loss(encoder.decode(encoder(boxes, view)), view, encoder.targets(boxes, view))
    assert found.item() == pytest.approx(wanted.item(), rel=1e-4)


def true_consensus(data: PackedBoxes) -> Consensus:
    return find_consensus(true_floor(scene(instants=40)), data)


def consensus_of(encoder: BoxEncoder, data: PackedBoxes, consensus: Consensus, instants: np.ndarray) -> float:
    """The loss of the matches of some instants."""
    batch = gather(data, instants)
    image = torch.from_numpy(np.repeat(np.arange(batch.count.size), batch.count.flatten()))
    with torch.no_grad():
        distances = pairwise_distances(encoder.embed(batch.boxes, batch.view))
    return consensus_loss(distances, image, consensus.rows(instants, batch), BatchRecipe().temperature).item()


def test_matches_that_geometry_is_sure_of_are_added() -> None:
    data, encoder, recipe = recording(), make(), BatchRecipe(instants=8, jitter=0.0)
    consensus = true_consensus(data)
    instants = sample_instants(np.random.default_rng([3, 5]), len(data), 8)
    alone, told = (BatchObjective(data, recipe, 3, found).loss(encoder, 5) for found in (None, consensus))
    assert alone is not None
    assert told is not None
    added = consensus_of(encoder, data, consensus, instants)
    assert added > 0.1
    assert (told - alone).item() == pytest.approx(added, rel=1e-3)


def test_only_instants_at_which_geometry_was_asked_are_drawn() -> None:
    data = recording()
    full = true_consensus(data)
    known = np.arange(0, len(data), 3)
    some = np.isin(full.instant, known)
    told = Consensus(full.instant[some], full.image[some], full.place[some], known)
    objective = BatchObjective(data, BatchRecipe(instants=1000, jitter=0.0), 0, told)
    loss = objective.loss(make(), 0)
    part = gather(data, known)
    assert loss is not None
    alone = BatchObjective(part, BatchRecipe(instants=1000, jitter=0.0, minimum_shift=2), 0).loss(make(), 0)
    assert alone is not None  # the same images, three instants being one
    assert (loss - alone).item() == pytest.approx(consensus_of(make(), data, told, known), rel=1e-3)


def test_training_learns_the_consensus() -> None:
    data, encoder = recording(), make()
    consensus = true_consensus(data)
    everything = np.arange(len(data))
    objective = BatchObjective(data, BatchRecipe(steps=60), 0, consensus)
    before = consensus_of(encoder, data, consensus, everything)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    for step in range(20):
        loss = objective.loss(encoder, step)
        assert loss is not None
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert consensus_of(encoder, data, consensus, everything) < 0.7 * before


def test_a_fixed_anchor_takes_part_in_every_pair() -> None:
    objective = BatchObjective(recording(), BatchRecipe(anchor_view=1), seed=0)
    assert objective.pairs == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("per_view", "wanted"), [(1, 32), (5, 13), (50, 4)], ids=["few people", "some", "a crowd: never under 4"]
)
def test_crowded_recordings_take_fewer_instants(per_view: int, wanted: int) -> None:
    frames = [Frame([[[k, 0, k + 5, 9] for k in range(per_view)]] * 3, t) for t in range(40)]
    assert BatchObjective(pack(frames, 3), BatchRecipe(instants=32, boxes=200), seed=0).instants == wanted


def test_a_batch_where_nobody_is_seen() -> None:
    nobody = pack([Frame([[], [], []], t) for t in range(20)], 3)
    assert BatchObjective(nobody, BatchRecipe(), seed=0).loss(make(), 0) is None


def test_a_batch_where_one_view_sees_somebody() -> None:
    """Nothing to compare, but still boxes to reproduce; the gradient is finite."""
    lonely = pack([Frame([[[0, 0, 10, 10]], [], []], t) for t in range(20)], 3)
    encoder = make()
    loss = BatchObjective(lonely, BatchRecipe(), seed=0).loss(encoder, 0)
    assert loss is not None
    loss.backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in encoder.parameters())


@pytest.mark.parametrize("objective", [BatchObjective, PublishedObjective])
def test_errors(objective: type) -> None:
    recipe = BatchRecipe if objective is BatchObjective else PublishedRecipe
    with pytest.raises(InputError, match="at least 5 apart, but only 5 instants came"):
        objective(recording(7), recipe(), 0)
    with pytest.raises(InputError, match=r"anchor_view must be in 0\.\.2, got 3"):
        objective(recording(), recipe(anchor_view=3), 0)
