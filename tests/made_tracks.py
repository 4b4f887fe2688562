"""Tracks that are made up: people who walk past each other, and what a tracker that errs would say of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

CORNERS = ["x1", "y1", "x2", "y2"]


def made_tracks(
    seed: int, *, views: int = 1, people: int = 5, instants: int = 20, spread: float = 120.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Truth, and tracks with misses, false boxes, shaken boxes and ids that switch; some instants are empty.

    People stand close together where `spread`, the side of the image in pixels, is small.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    ids = rng.permutation(40)[:people]
    place, step = rng.uniform(0, spread, (people, views, 2)), rng.normal(0, 4, (people, views, 2))
    for instant in range(instants):
        place = place + step + rng.normal(0, 1.5, place.shape)
        ids = rng.permutation(ids) if rng.random() < 0.15 else ids
        empty = rng.random(2) < 0.1
        for view in range(views):
            for person in range(people):
                x, y = place[person, view]
                box = np.array([x, y, x + 30, y + 70]) + rng.normal(0, 1, 4)  # of one size, overlaps would be equal
                if rng.random() < 0.85 and not empty[0]:
                    floor = place[person].mean(axis=0) / 100
                    rows.append(_row(instant, view, person + 3, box, floor))
                if rng.random() < 0.75 and not empty[1]:
                    shaken = box + rng.uniform(-9, 9, 4)
                    floor = place[person].mean(axis=0) / 100 + rng.normal(0, 0.15, 2)
                    found.append(_row(instant, view, int(ids[person]), shaken, floor))
            if rng.random() < 0.3 and not empty[1]:
                x, y = rng.uniform(0, spread, 2)
                found.append(
                    _row(instant, view, 50 + instant % 3, np.array([x, y, x + 30, y + 70]), [x / 100, y / 100])
                )
    return pd.DataFrame(rows), pd.DataFrame(found)


def _row(instant: int, view: int, number: int, box: np.ndarray, floor: Any) -> dict[str, Any]:
    corners = dict(zip(CORNERS, box.tolist(), strict=True))
    return {"frame": instant, "view": view, "id": number, **corners, "floor_x": floor[0], "floor_y": floor[1]}
