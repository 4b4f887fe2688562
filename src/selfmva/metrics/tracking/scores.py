"""What scoring tracks returns: scores of each view, of all views as one sequence, and of the floor."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from selfmva.metrics.tracking.hota import HotaCurves
    from selfmva.metrics.tracking.mvmhat import MvmhatScore
    from selfmva.metrics.tracking.pairs import PairScore

_SHOWN = ("mota", "motp", "idf1", "idp", "idr", "hota", "deta", "assa", "id_switches", "fragmentations")


@dataclass(frozen=True)
class TrackingScore:
    """Scores of one sequence: CLEAR MOT, identity and HOTA; NaN where nothing defines them.

    Attributes:
        mota: 1 - (false negatives + false positives + switches) / boxes of the truth; may be negative.
        motp: Mean similarity of what is matched: overlap (IoU), or nearness on the floor.
        recall: Boxes of the truth that are matched.
        precision: Found boxes that are matched.
        idf1: Harmonic mean of `idp` and `idr`.
        idp: Found boxes whose id is right.
        idr: Boxes of the truth that are found with the right id.
        hota: Higher order tracking accuracy, as all of these the mean over the 19 thresholds 0.05 to 0.95.
        deta: Detection accuracy.
        assa: Association accuracy.
        detre: Detection recall.
        detpr: Detection precision.
        assre: Association recall.
        asspr: Association precision.
        loca: Localization accuracy.
        id_switches: How often a person's match has another id than their match before.
        fragmentations: How often a person's track is taken up again after a frame without a match.
        true_positives: Number of matches.
        false_positives: Found boxes without a match.
        false_negatives: Boxes of the truth without a match.
        id_true_positives: Found boxes whose id is right.
        mostly_tracked: People matched in more than 80 % of their boxes.
        partly_tracked: People in between.
        mostly_lost: People matched in less than 20 % of their boxes.
        boxes: Boxes of the truth.
        found_boxes: Boxes that were found.
        people: People of the truth.
        ids: Ids that were found.
        curves: HOTA and its parts at each threshold.
    """

    mota: float
    motp: float
    recall: float
    precision: float
    idf1: float
    idp: float
    idr: float
    hota: float
    deta: float
    assa: float
    detre: float
    detpr: float
    assre: float
    asspr: float
    loca: float
    id_switches: int
    fragmentations: int
    true_positives: int
    false_positives: int
    false_negatives: int
    id_true_positives: int
    mostly_tracked: int
    partly_tracked: int
    mostly_lost: int
    boxes: int
    found_boxes: int
    people: int
    ids: int
    curves: HotaCurves = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, float | int]:
        """The scores by name, without the curves."""
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != "curves"}


@dataclass(frozen=True, repr=False)
class TrackingScores:
    """Scores of tracks over a recording.

    Attributes:
        views: One for each view, in their order; none where there are no boxes.
        view_names: What the views are called.
        union: All views as one sequence, their frames one after another: an id must be right in every view. None where
            there are no boxes.
        floor: On the floor; None where truth or tracks have no positions.
        pairs: Pairs of boxes of different views; None where there are fewer than two views.
        mvmhat: MvMHAT's own metric, where it was asked for.
    """

    views: tuple[TrackingScore, ...]
    view_names: tuple[str, ...]
    union: TrackingScore | None
    floor: TrackingScore | None
    pairs: PairScore | None
    mvmhat: MvmhatScore | None = None

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each view, the union and the floor, by these names; one column for each score."""
        import pandas as pd

        return pd.DataFrame.from_dict({name: score.to_dict() for name, score in self._rows()}, orient="index")

    def summary(self) -> str:
        """The scores that are usually reported, as a table of text."""
        from tabulate import tabulate

        rows = [[name, *(_text(getattr(score, column)) for column in _SHOWN)] for name, score in self._rows()]
        text = tabulate(rows, ["", *_SHOWN], disable_numparse=True, stralign="right", colalign=("left",))
        if self.pairs is not None:
            said = (f"{name} {_text(getattr(self.pairs, name))}" for name in ("f1", "precision", "recall"))
            text += f"\n\npairs of views: {', '.join(said)}"
        if self.mvmhat is not None:
            said = (f"{part.name} {_text(getattr(self.mvmhat, part.name))}" for part in fields(self.mvmhat))
            text += f"\nMvMHAT's metric: {', '.join(said)}"
        return text

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"

    def _rows(self) -> list[tuple[str, TrackingScore]]:
        parts: list[tuple[str, Any]] = [*zip(self.view_names, self.views, strict=True)]
        parts += [("union", self.union), ("floor", self.floor)]
        return [(name, score) for name, score in parts if score is not None]


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
