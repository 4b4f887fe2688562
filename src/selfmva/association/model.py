"""Everything that an associator has learnt, as one value."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.view_pairs import renumber_pairs
from selfmva.matching.posterior.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.association.doubles.learning import Doubles
    from selfmva.association.fit_report import FitReport
    from selfmva.association.health.profile import Profile
    from selfmva.association.pretrained.card import Card
    from selfmva.core.config import AssociatorConfig
    from selfmva.core.types import FloatArray, IntArray, View
    from selfmva.core.view_pairs import ViewPair
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.cameras import Camera
    from selfmva.geometry.floor import Floor
    from selfmva.matching.posterior.fusion import FusedTable


def no_offsets(views: Sequence[View]) -> IntArray:
    """Clocks that agree."""
    return np.zeros(len(views), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """What `fit` makes, `adapt` renews, `save_pretrained` writes, `from_pretrained` reads and `associate` uses.

    Attributes:
        views: The V cameras.
        config: The hyper-parameters it was learnt with.
        clock_offsets: `(V,)` instants: view v shows at instant t what view 0 shows at t + offset.
        encoder: A trained encoder; None where no embedding was trained.
        floor: The common floor; None where none was found.
        lines: Fundamental matrices `(3, 3)` of head points by view pair (i, j), i < j, where they are trusted.
        tables: What distances mean, by view pair; None where nothing was calibrated.
        appearance: Identity of the encoder by whose features appearance was learnt, `"frames"` for features that frames
            brought along; None where appearance tells nothing.
        feature_length: How many numbers these features have; None where appearance tells nothing, or was learnt
            before this was kept.
        report: What fit() reported; None where there was no fit.
        card: What the model cannot tell by itself: training data, licence, metrics.
        mirrored: Numbers of the views that show mirror images; where there is no floor, of two views of which one does.
        doubles: Which boxes of one view are one person; None where no view of the recording showed anybody twice.
        cameras: What people's joints told of the cameras, or a calibration that was given, one a view, None where it is
            not known: the same as those of the floor, with the distortion of their lenses. None where there is no such.
        joints: How many joints the keypoints have by which people are told apart; None where it is done by boxes.
        profile: What the recording showed, for the watch over what comes; None of models of before there was one.
    """

    views: tuple[View, ...]
    config: AssociatorConfig
    clock_offsets: IntArray
    encoder: BoxEncoder | None = None
    floor: Floor | None = None
    lines: Mapping[ViewPair, FloatArray] = field(default_factory=dict)
    tables: Mapping[ViewPair, FusedTable] | None = None
    appearance: str | None = None
    feature_length: int | None = None
    report: FitReport | None = None
    card: Card | None = None
    mirrored: tuple[int, ...] = ()
    doubles: Doubles | None = None
    cameras: tuple[Camera | None, ...] | None = None
    joints: int | None = None
    profile: Profile | None = None

    @property
    def unit(self) -> str:
        """What the floor is measured in."""
        return "body heights" if self.floor is None or self.floor.unit == 1.0 else "metres"

    @property
    def aligned(self) -> bool:
        """True where it was learnt from views brought in line by the clocks that were found."""
        return self.config.geometry.correct_clock and bool(np.any(self.clock_offsets))

    @property
    def minimum_shift(self) -> int:
        """Instants nearer than this look alike."""
        return self.config.recipe.minimum_shift

    @cached_property
    def evidence(self) -> Evidence:
        """The tables as arrays, for frames."""
        return Evidence.of(self.tables or {}, len(self.views))

    def reordered(self, order: Sequence[int]) -> FittedModel:
        """The same with its views in another order: view k is the old view `order[k]`.

        `config` and `card` are in the words of the user, who knows one order of the views alone: they stay.
        """
        numbers = np.argsort(order)
        encoder = deepcopy(self.encoder)
        if encoder is not None:
            encoder.reorder_views(order)
        views = tuple(self.views[view] for view in order)
        offsets = self.clock_offsets[list(order)]
        return replace(
            self,
            views=views,
            encoder=encoder,
            floor=None if self.floor is None else self.floor.reordered(order),
            mirrored=tuple(sorted(int(numbers[view]) for view in self.mirrored)),
            lines=renumber_pairs(self.lines, numbers, turn=np.transpose),
            tables=None if self.tables is None else renumber_pairs(self.tables, numbers),
            clock_offsets=offsets - offsets[0],
            doubles=None if self.doubles is None else self.doubles.reordered(order),
            cameras=None if self.cameras is None else tuple(self.cameras[view] for view in order),
            profile=None if self.profile is None else self.profile.reordered(order),
            report=None if self.report is None else self.report.reordered([view.name for view in views]),
        )
