"""What fit() learnt, in numbers and in a sentence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

from selfmva.association.appearance import NOTHING_SEEN
from selfmva.association.health.health import RigChange
from selfmva.association.synchrony import CHANCE, SYNCHRONY, pooled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.association.appearance import Verdict
    from selfmva.association.synchrony import PairSynchrony
    from selfmva.core.types import View
    from selfmva.geometry.epipolar_search import EpipolarGeometry
    from selfmva.geometry.floor import Floor


FLOOR, IMPLIED, HEAD_LINES, NOT_FOUND, REFUTED = "floor", "implied", "head lines", "not found", "refuted"
MOVING = "moving"


@dataclass(frozen=True)
class PairReport:
    """What was learnt of one view pair.

    Attributes:
        view_i: Name of the first view.
        view_j: Name of the second view.
        partner_fraction: Fraction of the boxes that have a partner in the other view, as the posteriors expect it, in
            [0, 1].
        synchronization_accuracy: How often the synchronous image is nearer than a shifted one; 0.5 is chance; NaN
            where nothing could be compared.
        calibration: `"floor"`: both views are on the common floor, and their boxes speak for it; `"implied"`: both are
            on it, held by other views; `"head lines"`: no floor, but heads meet each other's epipolar lines;
            `"not found"`; `"refuted"`: found, but those whom it brings together look no more alike than strangers;
            `"moving"`: both are on the floor, but parts of the recording contradict each other, as if a camera moved.
        support: Boxes that geometry brings together at synchronous instants, over chance; weighted by motion on a
            floor. NaN where nothing was found.
        residual: Their median error in body heights; NaN where nothing was found.
    """

    view_i: str
    view_j: str
    partner_fraction: float
    synchronization_accuracy: float
    calibration: str = NOT_FOUND
    support: float = math.nan
    residual: float = math.nan

    @property
    def trusted(self) -> bool:
        """True where the boxes of these two views speak for their geometry beyond chance."""
        return self.calibration in (FLOOR, HEAD_LINES)


@dataclass(frozen=True)
class FitReport:
    """What fit() learnt.

    Attributes:
        pairs: One entry per view pair.
        synchronization_accuracy: Mean over instants and view pairs; NaN where nothing could be compared, or no
            embedding was trained.
        synchronization_margin: Standard errors by which it exceeds chance, where it does so least (see
            `selfmva.association.synchrony.PairSynchrony.margin`).
        chance: What guessing reaches.
        instants: Number of instants that were measured on.
        held_out: True where these instants were kept from training.
        seconds: Wall-clock time of the fit.
        views_on_floor: Names of the views on the common floor.
        clock_offsets: Where they were looked for, instants by which each view's clock differs, by name: it shows at
            instant t what the first view shows at t + offset.
        moved: After `adapt`, how far each view's picture of the floor moved, in body heights, by name.
        appearance: How much more alike one person looks in two views than two people do, in standard deviations (d');
            NaN where nothing is known of what people look like, or where it tells nothing.
        embedding: False where none was trained.
        decision: What the recipe `"auto"` decided, and why; empty with other recipes.
        calibrated_instants: Number of instants that geometry and probabilities were learnt from. Those that the report
            speaks of are among them, held out from the training of the embedding or not.
        views_upside_down: Names of the views on the floor whose cameras hang upside down.
        mirrored: Names of the views that would join the floor if their images were flipped; where no floor was found,
            of the two views of which one shows a mirror image.
        other_floors: Names of the views that are not on the floor, but hold each other on one of their own, by group.
        changes: Views that changed during the recording.
        learnt_from: Where they did, the instants that it was learnt from, first and one past the last: those that fit;
            None where these are too few, and for a recording without changes.
        dropped_boxes: Number of boxes that were left out, because they are not finite, without area or outside their
            image.
        doubled_boxes: Number of boxes that were left out, because they show a person of whom their view has another
            box.
    """

    pairs: tuple[PairReport, ...]
    synchronization_accuracy: float
    synchronization_margin: float
    chance: float
    instants: int
    held_out: bool
    seconds: float
    views_on_floor: tuple[str, ...] = ()
    clock_offsets: Mapping[str, int] = field(default_factory=dict)
    moved: Mapping[str, float] = field(default_factory=dict)
    appearance: float = math.nan
    embedding: bool = True
    decision: str = ""
    calibrated_instants: int = 0
    views_upside_down: tuple[str, ...] = ()
    mirrored: tuple[str, ...] = ()
    other_floors: tuple[tuple[str, ...], ...] = ()
    changes: tuple[RigChange, ...] = ()
    learnt_from: tuple[int, int] | None = None
    dropped_boxes: int = 0
    doubled_boxes: int = 0

    @property
    def better_than_chance(self) -> bool:
        """True where anything was learnt: a trusted geometry, an embedding that beats chance, or appearance."""
        return self.geometry_found or self.embedding_better_than_chance or not math.isnan(self.appearance)

    @property
    def geometry_found(self) -> bool:
        """True where the geometry of a view pair is trusted."""
        return any(pair.trusted for pair in self.pairs)

    @property
    def embedding_better_than_chance(self) -> bool:
        """True where the synchronization accuracy exceeds chance by three standard errors at every distance."""
        return self.synchronization_margin > SYNCHRONY.standard_errors

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, NaN as None, for JSON."""
        return {
            **plain(asdict(self)),
            "moved": plain(dict(self.moved)),
            "pairs": [plain(asdict(pair)) for pair in self.pairs],
            "better_than_chance": self.better_than_chance,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FitReport:
        """The inverse of `to_dict`; reads reports of older versions, too."""
        own = {k: v for k, v in values.items() if k not in ("pairs", "better_than_chance")}
        for names in ("views_on_floor", "views_upside_down", "mirrored"):
            own[names] = tuple(own.get(names, ()))
        own["other_floors"] = tuple(map(tuple, own.get("other_floors", ())))
        own["moved"] = with_nan(own.get("moved", {}))
        own["changes"] = tuple(RigChange(**change) for change in own.get("changes", ()))
        own["learnt_from"] = own.get("learnt_from") and tuple(own["learnt_from"])
        return cls(pairs=tuple(_pair_from_dict(pair) for pair in values["pairs"]), **with_nan(own))

    def reordered(self, views: Sequence[str]) -> FitReport:
        """The same with the views, and their pairs, in the order of these names."""
        place = {name: number for number, name in enumerate(views)}
        pairs = [
            pair if place[pair.view_i] < place[pair.view_j] else replace(pair, view_i=pair.view_j, view_j=pair.view_i)
            for pair in self.pairs
        ]
        return replace(
            self,
            pairs=tuple(sorted(pairs, key=lambda pair: (place[pair.view_i], place[pair.view_j]))),
            views_on_floor=tuple(sorted(self.views_on_floor, key=place.__getitem__)),
            views_upside_down=tuple(sorted(self.views_upside_down, key=place.__getitem__)),
            mirrored=tuple(sorted(self.mirrored, key=place.__getitem__)),
            other_floors=tuple(tuple(sorted(group, key=place.__getitem__)) for group in self.other_floors),
        )

    def rows(self) -> list[tuple[str, ...]]:
        """The view pairs as a table for people: one row of text per pair, in the order of `REPORT_COLUMNS`."""
        return [_row(pair) for pair in self.pairs]

    def summary(self) -> str:
        """What was found, in a few sentences."""
        said = (
            *(self._geometry(), *map(_on_their_own, self.other_floors)),
            *(self._changes(), self._moving(), self._upside_down(), self._mirrored()),
            *(self.decision, self._embedding(), self._appearance()),
            f"{self.dropped_boxes} bad boxes were left out" if self.dropped_boxes else "",
            f"{self.doubled_boxes} boxes show a person of whom their view has another box"
            if self.doubled_boxes
            else "",
        )
        return "; ".join(filter(None, said))

    def advice(self) -> str:
        """What to do about what was not found; empty where everything was."""
        apart = [f"{_on_their_own(group)}: fit() these views by themselves" for group in self.other_floors]
        said = (self.mirror_advice(), self.change_advice(), self.moving_advice(), *apart, self._advice_for_unjoined())
        return "; ".join(filter(None, said))

    def change_advice(self) -> str:
        """What to do about views that changed during the recording; empty where none did."""
        if not self.changes:
            return ""
        return f"{self._changes()}: fit() the instants before and after a change each by themselves"

    def moving_advice(self) -> str:
        """What to do about cameras that move; empty where none do."""
        if not self._moving_pairs():
            return ""
        return f"{self._moving()}: fix the cameras, film again and fit again"

    def mirror_advice(self) -> str:
        """What to do about mirror images; empty where none were found."""
        if not self.mirrored:
            return ""
        if not self.views_on_floor:
            return f"{self._mirrored()}: flip the images of one (x -> width - x) and fit again"
        whose = "its" if len(self.mirrored) == 1 else "their"
        return f"{self._mirrored()}: flip {whose} images (x -> width - x) and fit again"

    def _advice_for_unjoined(self) -> str:
        views = {name for pair in self.pairs for name in (pair.view_i, pair.view_j)}
        alone = sorted(views.difference(self._joined(), self.mirrored, *self.other_floors))
        if not alone:
            return ""
        who = "any view" if views == set(alone) else ", ".join(alone)
        return (
            f"no geometry was found for {who}: film longer and with more people who walk through what several cameras "
            "see, and check that the cameras are fixed and synchronized"
        )

    def _joined(self) -> set[str]:
        return {name for pair in self.pairs if pair.trusted for name in (pair.view_i, pair.view_j)}

    def _geometry(self) -> str:
        trusted = sum(pair.trusted for pair in self.pairs)
        lines = sum(pair.calibration == HEAD_LINES for pair in self.pairs)
        views = len({name for pair in self.pairs for name in (pair.view_i, pair.view_j)})
        if not trusted:
            return "no geometry was found"
        floor = f"{len(self.views_on_floor)} of {views} views are on one floor" if self.views_on_floor else "no floor"
        return f"{floor}, {trusted} of {len(self.pairs)} view pairs are trusted" + (
            f" ({lines} by head lines)" if lines else ""
        )

    def _changes(self) -> str:
        if not self.changes:
            return ""
        told = "; ".join(map(str, self.changes))
        if self.learnt_from is None:
            return f"{told}; no part was learnt from alone"
        return f"{told}; learnt from instants {self.learnt_from[0]} to {self.learnt_from[1] - 1} alone"

    def _moving_pairs(self) -> list[PairReport]:
        return [pair for pair in self.pairs if pair.calibration == MOVING]

    def _moving(self) -> str:
        pairs = self._moving_pairs()
        if not pairs:
            return ""
        views = [name for pair in pairs for name in (pair.view_i, pair.view_j) if name not in self._joined()]
        moved = _listed(list(dict.fromkeys(views or [pairs[0].view_i, pairs[0].view_j])))
        return f"{moved} moved during the recording, so {_counted(len(pairs), 'view pair')} can't be trusted"

    def _upside_down(self) -> str:
        views = self.views_upside_down
        if not views:
            return ""
        hang, whose = ("hangs", "its") if len(views) == 1 else ("hang", "their")
        return f"{_listed(views)} {hang} upside down: {whose} boxes are read with feet at the top"

    def _mirrored(self) -> str:
        if not self.mirrored:
            return ""
        if not self.views_on_floor:
            return f"one of {_listed(self.mirrored)} shows a mirror image, and two views don't tell which"
        return f"{_listed(self.mirrored)} " + (
            "shows a mirror image" if len(self.mirrored) == 1 else "show mirror images"
        )

    def _appearance(self) -> str:
        if math.isnan(self.appearance):
            return ""
        return f"one person looks more alike in two views than two people do, by {self.appearance:.1f} deviations"

    def _embedding(self) -> str:
        if not self.embedding:
            return ""
        where = "held-out" if self.held_out else "training"
        also = ""
        if self.held_out and self.calibrated_instants:
            also = f"; geometry and probabilities were learnt from all {self.calibrated_instants} instants, these too"
        if math.isnan(self.synchronization_accuracy):
            return "nothing could be compared: no two views show people at the same instant"
        verdict = "better than" if self.embedding_better_than_chance else "not better than"
        return (
            f"for the embedding, the synchronous image is nearer than a shifted one in "
            f"{self.synchronization_accuracy:.1%} of the comparisons on {self.instants} {where} instants, {verdict} "
            f"chance ({self.chance:.0%}){also}"
        )

    def __repr__(self) -> str:
        lines = [f"FitReport: {self.summary()}"]
        lines += [f"  {' | '.join(row)}" for row in (REPORT_COLUMNS, *self.rows())]
        lines += [f"  the clock of {name} is off by {k} instants" for name, k in self.clock_offsets.items() if k]
        lines += [f"  {name} moved by {distance:.2f} body heights" for name, distance in self.moved.items()]
        return "\n".join(lines + [f"  {self.advice()}"] * bool(self.advice()))

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows())
        head = "".join(f"<th>{name}</th>" for name in REPORT_COLUMNS)
        advice = f"<p>{escape(self.advice())}</p>" if self.advice() else ""
        return f"<p>{escape(self.summary())}</p><table><tr>{head}</tr>{rows}</table>{advice}"


REPORT_COLUMNS = (
    "view",
    "view",
    "calibration",
    "trusted",
    "support",
    "residual (bodies)",
    "with partner",
    "synchronization accuracy",
)


def _on_their_own(group: Sequence[str]) -> str:
    return f"{_listed(group)} are on a floor of their own, which nothing joins to that of the others"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _pair_from_dict(values: dict[str, Any]) -> PairReport:
    own = with_nan(values)
    if "partner_fraction" not in own and "partner_share" in own:  # as saved models of formats up to 4 have it
        own["partner_fraction"] = own.pop("partner_share")
    return PairReport(**own)


def _row(pair: PairReport) -> tuple[str, ...]:
    """The cells of a table, in the order of REPORT_COLUMNS."""
    numbers = (
        "-" if math.isnan(value) else text.format(value)
        for value, text in (
            (pair.support, "{:.0f}"),
            (pair.residual, "{:.2f}"),
            (pair.partner_fraction, "{:.0%}"),
            (pair.synchronization_accuracy, "{:.1%}"),
        )
    )
    return (pair.view_i, pair.view_j, pair.calibration, "yes" if pair.trusted else "no", *numbers)


def build_report(
    views: Sequence[View],
    measured: Mapping[tuple[int, int], PairSynchrony],
    partners: Mapping[tuple[int, int], float],
    floor: Floor | None,
    lines: Mapping[tuple[int, int], EpipolarGeometry],
    *,
    instants: int,
    held_out: bool,
    seen: Verdict = NOTHING_SEEN,
) -> FitReport:
    """Put a report together from what was measured.

    Args:
        views: The cameras.
        measured: Of every view pair, by the embedding.
        partners: Of every view pair, the fraction of the boxes that have a partner, as the posteriors expect it.
        floor: The common floor, None where none was found.
        lines: Epipolar geometry of the view pairs without a floor.
        instants: Number of instants that were measured on.
        held_out: True where these were kept from training.
        seen: What appearance is worth.

    Returns:
        The report, its time still to be filled in.
    """
    pairs = []
    for (i, j), synchrony in measured.items():
        calibration, support, residual = _geometry_of((i, j), floor, lines)
        if (i, j) in seen.refuted and calibration != NOT_FOUND:
            calibration = REFUTED
        pairs.append(
            PairReport(
                view_i=views[i].name,
                view_j=views[j].name,
                partner_fraction=partners[i, j],
                synchronization_accuracy=synchrony.accuracy,
                calibration=calibration,
                support=support,
                residual=residual,
            )
        )
    everything = pooled(measured.values())

    def names(numbers: Sequence[int]) -> tuple[str, ...]:
        return tuple(views[number].name for number in numbers)

    return FitReport(
        tuple(pairs),
        everything.accuracy,
        everything.margin,
        CHANCE,
        instants,
        held_out,
        seconds=0.0,
        views_on_floor=() if floor is None else names(floor.views_on_floor),
        views_upside_down=() if floor is None else names(floor.views_upside_down),
        appearance=math.nan if seen.model is None else seen.model.separation,
    )


def _geometry_of(
    pair: tuple[int, int], floor: Floor | None, lines: Mapping[tuple[int, int], EpipolarGeometry]
) -> tuple[str, float, float]:
    """Verdict, support and residual of one view pair."""
    if floor is not None and pair in floor.supports:
        support = floor.supports[pair]
        verdict = FLOOR if support.trusted else MOVING if support.moving else IMPLIED
        return verdict, support.excess, support.residual
    line = lines.get(pair)
    if line is not None and line.trusted:
        return HEAD_LINES, float(line.support), line.residual
    return NOT_FOUND, math.nan, math.nan


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values for JSON: NaN as None."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}


def with_nan(values: dict[str, Any]) -> dict[str, Any]:
    """The inverse of `plain`."""
    return {k: math.nan if v is None else v for k, v in values.items()}
