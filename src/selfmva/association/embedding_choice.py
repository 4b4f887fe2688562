"""The recipe "auto": whether an embedding is trained, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from selfmva.core.config import AutoRecipe, GeometryRecipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.config import Recipe
    from selfmva.core.types import Frame, View
    from selfmva.geometry.floor import Floor


class EmbeddingChoice(NamedTuple):
    """Whether an embedding is trained.

    Attributes:
        train: True where one is.
        reason: Why, or why not, for the report; empty where the recipe leaves no choice.
    """

    train: bool
    reason: str = ""


def choose_embedding(
    views: Sequence[View], frames: Sequence[Frame], floor: Floor | None, recipe: Recipe
) -> EmbeddingChoice:
    if not isinstance(recipe, AutoRecipe):
        return EmbeddingChoice(not isinstance(recipe, GeometryRecipe))
    return EmbeddingChoice(train=floor is None or len(floor.views_on_floor) < len(views))
