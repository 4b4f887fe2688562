"""The sections of a report: from what is known to text, tables, charts and pictures."""

from __future__ import annotations

import math
import platform
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva._version import __version__
from selfmva.association.fit_report import REPORT_COLUMNS
from selfmva.association.health.health import HEALTH_COLUMNS
from selfmva.metrics.association import pooled_labels, score_pairs
from selfmva.metrics.curves import precision_recall_curve, reliability_curve
from selfmva.viz.floor import draw_floor
from selfmva.viz.instant import draw_association
from selfmva.viz.report.charts import Axis, bar_chart, line_chart, thinned
from selfmva.viz.report.timeline import MOST_ROWS, timeline_chart
from selfmva.viz.video import images_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.associator import Associator
    from selfmva.core.images import Image
    from selfmva.core.types import View
    from selfmva.viz.blur import Part
    from selfmva.viz.report.findings import Findings, Remarkable
    from selfmva.viz.video import InstantImages

PICTURE_WIDTH = 1200
QUALITY = 85  # of JPEG: text stays sharp
MEANING = {
    "average_precision": "area under the curve below",
    "fpr_95": "false positives where 95 % of the true pairs are found; lower is better",
    "precision": "correct matches of all matches",
    "recall": "correct matches of all people seen in both views",
    "f1": "harmonic mean of precision and recall",
    "accuracy": "correct matches and boxes rightly left alone, of all people",
    "ipaa_100": "view pairs without any mistake",
    "ipaa_90": "view pairs with an accuracy of 0.9 or more",
    "ipaa_80": "view pairs with an accuracy of 0.8 or more",
    "calibration_error": "how far probabilities are from frequencies; lower is better",
    "pairs": "view pairs that were scored, instant by instant",
    "box_pairs": "pairs of boxes that were scored",
}


def describe_fit(associator: Associator) -> dict[str, Any] | None:
    """What fit() said; None for a converted checkpoint, of whose training nothing is known."""
    report = getattr(associator, "fit_report_", None)
    if report is None:
        return None
    return {
        "summary": report.summary(),
        "advice": report.advice(),
        "seconds": f"{report.seconds:.0f}",
        "columns": REPORT_COLUMNS,
        "rows": report.rows(),
        "clocks": list(report.clock_offsets.items()),
        "moved": [(name, _number(distance)) for name, distance in report.moved.items()],
    }


def describe_health(associator: Associator) -> dict[str, Any]:
    """Whether the cameras of the stream that was just associated still fit what was learnt."""
    health = associator.health_
    return {
        "problems": [str(problem) for problem in health.problems],
        "summary": health.summary(),
        "columns": HEALTH_COLUMNS,
        "rows": health.rows(),
    }


def describe_floor(associator: Associator, findings: Findings) -> str | None:
    """The floor with the people of the last instants, as a data URI; None where there is none."""
    if associator.floor_ is None:
        return None
    return embedded(draw_floor(associator.floor_, findings.recent, size=(800, 800)))


def describe_stream(findings: Findings) -> dict[str, Any]:
    """How many people, and how sure."""
    first, last = min(findings.instants), max(findings.instants)
    instants = Axis("instant", first, last + (first == last))
    lines = {
        name: thinned(np.stack([findings.instants, counts], axis=1))
        for name, counts in (("people", findings.people), ("in several views", findings.shared))
    }
    partners = findings.partners / max(findings.partners.sum(), 1)
    return {
        "instants": len(findings.instants),
        "boxes": int(findings.partners.sum()),
        "people": sum(findings.people),
        "shared": sum(findings.shared),
        "people_chart": line_chart(
            lines, instants, Axis("people", 0, 1.08 * max(*findings.people, 1)), title="Number of people over time"
        ),
        "partners_chart": bar_chart(
            partners,
            Axis("probability of the likeliest partner"),
            Axis.of("fraction of the boxes", partners),
            title="Distribution of the probability of each box's likeliest partner",
        ),
    }


def describe_timeline(findings: Findings, views: Sequence[View]) -> dict[str, Any] | None:
    """Who is seen when, and by how many views; None where nobody is."""
    presence = np.concatenate([np.zeros((0, 3), np.int64), *findings.presence])
    people = len(np.unique(presence[:, 1]))
    if not people:
        return None
    return {
        "people": people,
        "shown": min(people, MOST_ROWS),
        "chart": timeline_chart(presence, findings.instants, len(views), title="Who is seen when"),
    }


def describe_scores(findings: Findings, views: Sequence[View]) -> dict[str, Any]:
    """Scores and curves of all view pairs together, and scores of each."""
    everything = score_pairs(findings.all_pairs())
    labels, scores = pooled_labels(findings.all_pairs())
    reliability = reliability_curve(labels, scores)
    filled = reliability.counts > 0
    of_pairs = {pair: score_pairs(results) for pair, results in sorted(findings.pairs.items())}
    return {
        "rows": [(name.replace("_", " "), _number(everything.to_dict()[name]), text) for name, text in MEANING.items()],
        "precision_recall_chart": line_chart(
            {"precision": thinned(precision_recall_curve(labels, scores))},
            Axis("recall"),
            Axis("precision"),
            title="Precision over recall",
        ),
        "reliability_chart": line_chart(
            {"observed": np.stack([reliability.expected, reliability.observed], axis=1)[filled]},
            Axis("expected: mean probability"),
            Axis("observed: fraction of the same person"),
            title="Observed fraction over expected probability",
            counts=reliability.counts[filled],
            diagonal=True,
        ),
        "bins": [
            (f"{k / 10:.1f} to {(k + 1) / 10:.1f}", f"{count:,}", _number(expected), _number(observed))
            for k, (expected, observed, count) in enumerate(zip(*(c.tolist() for c in reliability), strict=True))
        ],
        "pairs": [
            (
                views[i].name,
                views[j].name,
                *map(_number, (of.average_precision, of.f1, of.precision, of.recall, of.calibration_error, of.pairs)),
            )
            for (i, j), of in of_pairs.items()
        ],
    }


def describe_instant(entry: Remarkable, images: InstantImages | None, blur: Part | None) -> dict[str, str]:
    """A picture with what is to be said of it."""
    found = entry.association
    shown = images_of(found, images)
    picture = draw_association(
        found.frame, found.ids, found.views, shown, width=PICTURE_WIDTH, blur=blur, crossed=entry.wrong
    )
    if entry.scores is None:
        text = f"Instant {found.index}: boxes are {entry.confidence:.0%} sure of their person on average"
    else:
        wrong = sum(int(part.sum()) for part in entry.wrong)
        text = (
            f"Instant {found.index}: F1 {_number(entry.scores.f1)}, precision {_number(entry.scores.precision)}, "
            f"recall {_number(entry.scores.recall)}; {wrong} {'box' if wrong == 1 else 'boxes'} with a wrong match"
        )
    return {"text": text, "picture": embedded(picture)}


def embedded(picture: Image) -> str:
    """A picture as a data URI."""
    import cv2

    jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return f"data:image/jpeg;base64,{b64encode(jpeg.tobytes()).decode()}"


def _number(value: float) -> str:
    """Three digits after the point, whole numbers as they are, a dash where there is none.

    Example:
        >>> _number(0.12345), _number(12000), _number(math.nan)
        ('0.123', '12,000', '-')
    """
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if math.isnan(value) else f"{value:.3f}"


def flat_settings(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Hyper-parameters by the names that `selfmva fit --set` takes."""
    rows = []
    for name, value in params.items():
        inner = value.model_dump() if hasattr(value, "model_dump") else None
        rows += [(name, str(value))] if inner is None else [(f"{name}.{key}", str(v)) for key, v in inner.items()]
    return rows


def versions() -> list[tuple[str, str]]:
    """What the numbers depend on."""
    import cv2
    import scipy
    import torch

    modules = (("PyTorch", torch), ("NumPy", np), ("SciPy", scipy), ("OpenCV", cv2))
    return [
        ("selfmva", __version__),
        ("Python", platform.python_version()),
        *((name, str(module.__version__)) for name, module in modules),
    ]
