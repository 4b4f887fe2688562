"""TrackEval's scores of two tables; as a program, it writes those that the tests hold.

`pip install --no-deps trackeval==1.3.0`, since its dependencies bring another OpenCV, then
`python tests/trackeval_oracle.py --update`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from made_tracks import CORNERS, made_tracks

STORED = Path(__file__).parent / "metrics" / "tracking" / "trackeval_scores.json"
CASES = [
    {"seed": seed, "views": views, "people": people, "spread": spread}
    for seed, (views, people, spread) in enumerate(
        [(1, 3, 400), (1, 5, 120), (1, 8, 60), (1, 12, 40), (2, 4, 120), (3, 6, 80), (4, 3, 200), (1, 1, 50)] * 3
    )
]
# Our name -> TrackEval's metric and name; arrays over the thresholds are averaged.
NAMES = {
    "mota": ("CLEAR", "MOTA"),
    "motp": ("CLEAR", "MOTP"),
    "recall": ("CLEAR", "CLR_Re"),
    "precision": ("CLEAR", "CLR_Pr"),
    "true_positives": ("CLEAR", "CLR_TP"),
    "false_positives": ("CLEAR", "CLR_FP"),
    "false_negatives": ("CLEAR", "CLR_FN"),
    "id_switches": ("CLEAR", "IDSW"),
    "fragmentations": ("CLEAR", "Frag"),
    "mostly_tracked": ("CLEAR", "MT"),
    "partly_tracked": ("CLEAR", "PT"),
    "mostly_lost": ("CLEAR", "ML"),
    "idf1": ("Identity", "IDF1"),
    "idp": ("Identity", "IDP"),
    "idr": ("Identity", "IDR"),
    "id_true_positives": ("Identity", "IDTP"),
    "hota": ("HOTA", "HOTA"),
    "deta": ("HOTA", "DetA"),
    "assa": ("HOTA", "AssA"),
    "detre": ("HOTA", "DetRe"),
    "detpr": ("HOTA", "DetPr"),
    "assre": ("HOTA", "AssRe"),
    "asspr": ("HOTA", "AssPr"),
    "loca": ("HOTA", "LocA"),
}


def oracle(truth: pd.DataFrame, found: pd.DataFrame, floor_distance: float | None = None) -> dict[str, float]:
    """TrackEval's scores, by our names: of all views one after another, or of the floor, one point a person."""
    from trackeval.datasets._base_dataset import _BaseDataset
    from trackeval.metrics import CLEAR, HOTA, Identity

    if floor_distance is not None:
        truth, found = (
            t.groupby(["frame", "id"], as_index=False)[["floor_x", "floor_y"]].mean() for t in (truth, found)
        )
        truth["view"] = found["view"] = 0
    numbers = [{number: k for k, number in enumerate(sorted(t["id"].unique()))} for t in (truth, found)]
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for view in sorted({*truth["view"], *found["view"]}):
        for instant in sorted({*truth["frame"], *found["frame"]}):
            here = [t[(t["view"] == view) & (t["frame"] == instant)] for t in (truth, found)]
            for name, part, number in zip(("gt_ids", "tracker_ids"), here, numbers, strict=True):
                data[name].append(part["id"].map(number).to_numpy(dtype=int))
            if floor_distance is None:
                boxes = [part[CORNERS].to_numpy(dtype=float) for part in here]
                similarity = _BaseDataset._calculate_box_ious(*boxes, box_format="x0y0x1y1")
            else:
                points = [part[["floor_x", "floor_y"]].to_numpy(dtype=float) for part in here]
                similarity = _BaseDataset._calculate_euclidean_similarity(*points, zero_distance=2 * floor_distance)
            data["similarity_scores"].append(np.asarray(similarity).reshape(len(here[0]), len(here[1])))
    data |= {"num_timesteps": len(data["gt_ids"]), "num_gt_ids": len(numbers[0]), "num_tracker_ids": len(numbers[1])}
    data |= {"num_gt_dets": len(truth), "num_tracker_dets": len(found)}
    metrics = {"CLEAR": CLEAR({"PRINT_CONFIG": False}), "Identity": Identity({"PRINT_CONFIG": False}), "HOTA": HOTA()}
    results = {name: metric.eval_sequence(data) for name, metric in metrics.items()}
    return {ours: float(np.mean(results[metric][theirs])) for ours, (metric, theirs) in NAMES.items()}


def scored_by_oracle() -> list[dict[str, Any]]:
    """Every case with TrackEval's scores of its boxes and of its floor."""
    tracks = [(case, made_tracks(**case)) for case in CASES]
    return [
        {"case": case, "union": oracle(truth, found), "floor": oracle(truth, found, 0.3)}
        for case, (truth, found) in tracks
    ]


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    STORED.write_text(json.dumps(scored_by_oracle(), indent=1) + "\n", encoding="utf-8")
