"""Random frames for grouping: who is who is known, and log-odds are noisy."""

from dataclasses import dataclass

import numpy as np

MISSED, CLUTTER = 0.15, 0.1  # shares of people that a view does not show, and of boxes of nobody
EVIDENCE = 2.0  # mean log-odds, for and against


@dataclass(frozen=True, eq=False)
class Crowd:
    """One frame: `(M, M)` log-odds of M boxes, the view of each, and its person."""

    log_odds: np.ndarray
    view: np.ndarray
    person: np.ndarray


def draw_crowd(views: int, people: int, noise: float, rng: np.random.Generator) -> Crowd:
    """People of whom each view misses some, boxes of nobody, log-odds with normal noise."""
    persons = []
    for view in range(views):
        seen = np.flatnonzero(rng.random(people) > MISSED)
        nobody = -1 - 1000 * view - np.arange(rng.binomial(people, CLUTTER))
        persons.append(rng.permutation(np.append(seen, nobody)))
    person = np.concatenate(persons)
    view = np.repeat(np.arange(views), [len(part) for part in persons])
    upper = np.triu(rng.normal(np.where(person[:, None] == person, EVIDENCE, -EVIDENCE), noise), 1)
    return Crowd(np.where(view[:, None] == view, 0.0, upper + upper.T), view, person)


def worth(crowd: Crowd, ids: np.ndarray) -> float:
    """What is maximised: the summed log-odds inside groups."""
    inside = np.triu((ids[:, None] == ids) & (crowd.view[:, None] != crowd.view), 1)
    return float(crowd.log_odds[inside].sum())


def pair_f1(crowd: Crowd, ids: np.ndarray) -> float:
    """F1 of pairs of boxes of different views."""
    apart = crowd.view[:, None] != crowd.view
    joined, true = (ids[:, None] == ids)[apart], (crowd.person[:, None] == crowd.person)[apart]
    return float(2 * (joined & true).sum() / max(joined.sum() + true.sum(), 1))


def padded(crowds: list[Crowd]) -> tuple[np.ndarray, np.ndarray]:
    """`(F, V, K, V, K)` log-odds and `(F, V)` counts of frames whose boxes come view after view."""
    views = max(int(crowd.view.max(initial=0)) for crowd in crowds) + 1
    count = np.array([np.bincount(crowd.view, minlength=views) for crowd in crowds])
    log_odds = np.zeros((len(crowds), views, count.max(), views, count.max()))
    for frame, crowd in enumerate(crowds):
        box = np.concatenate([np.arange(number) for number in count[frame]])
        log_odds[frame, crowd.view[:, None], box[:, None], crowd.view, box] = crowd.log_odds
    return log_odds, count
