"""What tracks consist of: what tables, files and gaps are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import BoolArray
    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.floor import Floor


class TracksParts(Protocol):
    """The parts of `selfmva.Tracks`; see there."""

    @property
    def views(self) -> tuple[View, ...]:
        """The cameras."""
        ...

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The instants."""
        ...

    @property
    def ids(self) -> tuple[tuple[IntArray, ...], ...]:
        """For each instant one array per view."""
        ...

    @property
    def confidences(self) -> tuple[tuple[FloatArray, ...], ...]:
        """For each instant one array per view."""
        ...

    @property
    def floor(self) -> Floor | None:
        """The common floor."""
        ...

    @property
    def filled_boxes(self) -> tuple[tuple[BoolArray, ...], ...] | None:
        """Which boxes nobody saw."""
        ...
