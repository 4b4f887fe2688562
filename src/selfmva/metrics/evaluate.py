"""Evaluate an associator on labelled instants, as published or on its calibrated probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch

from selfmva.association.fitted import check_fitted
from selfmva.core.arguments import is_one_of, stream
from selfmva.core.bad_box_frames import without_bad_boxes
from selfmva.core.config import PublishedRecipe
from selfmva.core.messages import shown
from selfmva.core.packed_boxes import unit_length
from selfmva.core.scalars import real
from selfmva.core.types import Frame
from selfmva.core.values import integer_array
from selfmva.core.view_checks import check_same_sizes, check_view_count
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.base import LabelledDataset, MultiViewDataset
from selfmva.datasets.reading import frame_of, identities_of, is_dataset, splits_of, views_of
from selfmva.errors import InputError
from selfmva.io.video.view_argument import resolve_views
from selfmva.matching.published import blended
from selfmva.metrics.association import AssociationScores, PairResult, score_pairs
from selfmva.metrics.published import published_boxes, published_matches, published_similarity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

    from selfmva.association.association import Association
    from selfmva.association.associator import Associator
    from selfmva.core.types import IntArray

Protocol = Literal["self-mva", "calibrated"]
Labelled = tuple[Frame, "Sequence[IntArray]"]


def evaluate(
    associator: Associator,
    dataset: MultiViewDataset | Sequence[Labelled],
    *,
    split: str = "test",
    protocol: Protocol = "calibrated",
    similarity_threshold: float | None = None,
) -> AssociationScores:
    """Score an associator against who was there.

    Args:
        associator: A fitted one.
        dataset: A labelled dataset, or a sequence of `(frame, identities)`; identities are one `(N,)` int64 array per
            view, -1 where a person is not known.
        split: Which split of a dataset.
        protocol: `"calibrated"` takes probabilities as scores and groups as matches. `"self-mva"` is the published
            protocol with its quirks: boxes truncated to whole pixels, distances divided by each view pair's
            maximum, an optimal assignment, and a similarity threshold per data set; under the published recipe, frames
            with features are compared by the published blend of both.
        similarity_threshold: Of `"self-mva"`; None: the dataset's published one, 0 where it has none.

    Returns:
        The pooled scores of all view pairs in which both views show somebody.

    Raises:
        InputError: Unknown protocol or split, no labels, identities that do not fit the boxes, or cameras of other
            sizes than those of the associator.
        PluginError: The dataset breaks its contract.
        NotFittedError: The associator is not fitted.

    Example:
        >>> from selfmva import Associator
        >>> from selfmva.datasets.simulated import Simulated
        >>> scene = Simulated(views=2, people=3, instants=200, seed=0)
        >>> associator = Associator(recipe="geometry").fit(scene)
        >>> 0.0 <= evaluate(associator, scene).average_precision <= 1.0
        True
    """
    check_fitted(associator, "evaluate()")
    if not is_one_of(protocol, get_args(Protocol)):
        raise InputError(f"protocol must be 'self-mva' or 'calibrated', got {shown(protocol)}")
    if similarity_threshold is not None:
        similarity_threshold = real(similarity_threshold, "similarity_threshold", least=0, most=1)
    if is_dataset(dataset):
        cameras = resolve_views(views_of(dataset))
        check_same_sizes(cameras, "the dataset has images of", associator.views_, "the associator was fitted on")
    labelled = list(_labelled(dataset, split))
    if protocol == "calibrated":
        return score_pairs(_calibrated_pairs(associator, labelled))
    if similarity_threshold is None:
        similarity_threshold = float(getattr(dataset, "similarity_threshold", 0.0))
    return score_pairs(_published_pairs(associator, labelled, similarity_threshold))


def checked_identities(frame: Frame, identities: Sequence[ArrayLike]) -> list[IntArray]:
    """Who is in the boxes of a frame: one `(N,)` int64 array per view.

    Raises:
        InputError: They are no whole numbers, or there is not one entry per box.
    """
    what = f"instant {frame.index}: identities"
    arrays = [integer_array(identity, what).reshape(-1) for identity in stream(identities, what, "one array per view")]
    if tuple(map(len, arrays)) != frame.counts:
        raise InputError(
            f"instant {frame.index}: identities must have one entry per box, got {[len(a) for a in arrays]} "
            f"for {list(frame.counts)} boxes"
        )
    return arrays


def calibrated_pairs(association: Association, identities: Sequence[IntArray]) -> dict[tuple[int, int], PairResult]:
    """What the calibrated protocol scores of one instant.

    A person whom a view is said to show in several boxes counts once, by the box that stands for the person, where
    labels do not contradict: they know the same person in the boxes, or know one of them alone, as labels by overlap
    do. A box of which labels say that it shows somebody else counts as one that was left alone.

    Args:
        association: Whose probabilities are the scores and whose groups the matches.
        identities: One `(N,)` int64 array per view, -1 = not known.

    Returns:
        By view pair, where both views show somebody.
    """
    if association.frame.bad is not None:
        bad = association.frame.bad
        identities = [np.where(none, -1, who) for none, who in zip(bad, identities, strict=True)]
    if association.doubles:
        identities = [_counted_once(*view) for view in zip(association.doubles, identities, strict=True)]
    return {
        (i, j): PairResult(association.probability(i, j), association.matches(i, j), identities[i], identities[j])
        for i, j in view_pairs(len(identities))
        if len(identities[i]) and len(identities[j])
    }


def _counted_once(doubles: IntArray, identities: IntArray) -> IntArray:
    """Identities of a view, not known for boxes that are rightly said to double another one."""
    double = np.flatnonzero((doubles >= 0) & (identities >= 0))
    counted, stands = identities.copy(), doubles[double]
    unknown = identities[stands] < 0
    counted[stands[unknown]] = identities[double[unknown]]
    counted[double[counted[stands] == identities[double]]] = -1
    return counted


def _labelled(dataset: MultiViewDataset | Sequence[Labelled], split: str) -> Iterator[Labelled]:
    pairs: object = _of_split(dataset, split) if is_dataset(dataset) else dataset
    for pair in stream(pairs, "what evaluate() needs", "pairs of a frame and its identities, or a dataset"):
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], Frame):
            raise InputError(f"evaluate() needs pairs of a Frame and its identities, got {shown(pair)}")
        yield pair[0], checked_identities(*pair)


def _of_split(dataset: MultiViewDataset, split: str) -> Iterator[Labelled]:
    if not isinstance(dataset, LabelledDataset):
        raise InputError(f"{type(dataset).__name__} has no identities(index): there is nothing to evaluate against")
    splits = splits_of(dataset)
    if not is_one_of(split, splits):
        raise InputError(f"there is no split {shown(split)}; known are {', '.join(sorted(splits)) or 'none'}")
    if not splits[split]:
        raise InputError(f"the split {split!r} is empty: its instants are not among the files that were found")
    for index in splits[split]:
        yield frame_of(dataset, index), identities_of(dataset, index)


def _calibrated_pairs(associator: Associator, labelled: Sequence[Labelled]) -> Iterator[PairResult]:
    associations = associator.associate_many(frame for frame, _ in labelled)
    for association, (_, identities) in zip(associations, labelled, strict=True):
        yield from calibrated_pairs(association, identities).values()


def _published_pairs(associator: Associator, labelled: Sequence[Labelled], threshold: float) -> Iterator[PairResult]:
    encoder, cameras = associator.encoder_, associator.views_
    if encoder is None:
        raise InputError(
            "the protocol 'self-mva' scores the embedding, and this associator was fitted without one (recipe "
            "'geometry'): use protocol='calibrated', or fit with recipe='batch'"
        )
    recipe = associator.model_.config.recipe
    weight = recipe.appearance_fraction if isinstance(recipe, PublishedRecipe) else 0.0
    for given, labels in labelled:
        check_view_count(given.index, len(given), len(cameras), "the associator has")
        frame, identities = without_bad_boxes(given), labels
        if given.bad is not None:
            identities = [who[~none] for who, none in zip(labels, given.bad, strict=True)]
        # Straight to the encoder: a thin box may have no width left once its corners are truncated.
        embeddings = [encoder.embed(boxes, view).cpu() for view, boxes in enumerate(published_boxes(frame))]
        features = [torch.from_numpy(unit_length(part)) for part in frame.features] if frame.features else None
        for i, j in view_pairs(len(identities)):
            if len(identities[i]) and len(identities[j]):
                distances = torch.cdist(embeddings[i], embeddings[j]).numpy()
                if features is not None:
                    distances = blended(distances, torch.cdist(features[i], features[j]).numpy(), weight)
                matches = published_matches(distances, threshold)
                yield PairResult(published_similarity(distances), matches, identities[i], identities[j])
