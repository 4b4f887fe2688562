"""Cameras on the command line belong to the views of their names, in whatever order they are given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from selfmva.cli.common import say
from selfmva.core.view_names import both_sets, find_views, order_by_name
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.cli.arguments import CameraSpec
    from selfmva.core.types import View

    Spec = TypeVar("Spec", bound=CameraSpec)


def in_order_of(specs: Sequence[Spec], views: Sequence[View], model: str) -> list[Spec]:
    """Put cameras in the order of the views of a model.

    A file is called as without its ending, a folder of images as itself; where no file is called like a view, but all
    are in folders that are, those count: `door/monday.mp4`. Where nothing is called like a view, cameras are taken in
    the order in which they are given, and which is taken for which is said on stderr.

    Args:
        specs: The cameras.
        views: Of the model.
        model: Its name, for messages.

    Raises:
        InputError: Some are called like views and others are not, two are called the same, or there are more or fewer
            cameras than views.
    """
    known = [view.name for view in views]
    names = [_name(spec) for spec in specs]
    if len(specs) != len(known):
        raise InputError(
            f"{len(specs)} cameras for the {len(known)} views of {model}: "
            f"{both_sets(names, known, 'cameras')}; give one for each view"
        )
    order = order_by_name(names, known, "cameras")
    if order is None:
        folders = [spec.resolve().parent.name if isinstance(spec, Path) else None for spec in specs]
        if sorted(place for place in find_views(folders, known) if place is not None) == list(range(len(known))):
            order = order_by_name(folders, known, "folders")
    if order is not None:
        return [specs[number] for number in order]
    if any(name is not None for name in names):
        say_order([name or str(spec) for name, spec in zip(names, specs, strict=True)], known, f"a view of {model}")
    return list(specs)


def say_order(cameras: Sequence[str], names: Sequence[str], what: str) -> None:
    """Say which camera is taken for which, where names don't tell."""
    taken = ", ".join(f"{camera} for {name}" for camera, name in zip(cameras, names, strict=False))
    say("note", f"no camera is called like {what}, so they are taken in the order given: {taken}")


def _name(spec: CameraSpec) -> str | None:
    if not isinstance(spec, Path):
        return spec[0]
    return spec.resolve().name if spec.is_dir() else spec.stem
