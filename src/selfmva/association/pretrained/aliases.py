"""Models that have a name of their own: where each comes from, at which revision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True)
class Alias:
    """A model of this project.

    Attributes:
        repository: Where it is on the model hub.
        revision: The tag that this version of selfmva was released with; it does not move.
        cameras: What it was learnt on.
    """

    repository: str
    revision: str
    cameras: str


ALIASES = {
    "wildtrack": Alias("selfmva/wildtrack", "v1", "WILDTRACK: 7 cameras of 1920 x 1080 over a square"),
    "mvor": Alias("selfmva/mvor", "v1", "MVOR: 3 cameras of 640 x 480 in an operating room"),
    "soldiers": Alias("selfmva/soldiers", "v1", "SOLDIERS: 6 cameras over an exercise ground"),
}


def shipped_folder(name: str) -> Path | None:
    """The folder of a model that comes with the package, for use without a network; None for another.

    Example:
        >>> shipped_folder("wildtrack").name, shipped_folder("soldiers")
        ('wildtrack', None)
    """
    folder = SHIPPED / name
    return folder if name in ALIASES and folder.is_dir() else None
