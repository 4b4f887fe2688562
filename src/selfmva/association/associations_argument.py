"""A stream of instants in which people have ids, as a user gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selfmva.association.association import Association
    from selfmva.association.tracks import TrackedFrame

    Identified = Association | TrackedFrame  # an instant that says who is in its boxes


def each_association(associations: Any) -> Iterator[Identified]:
    """Go through a stream of associations, or through tracks.

    Args:
        associations: An iterable of associations, such as `map(tracker.update, frames)`, or `selfmva.Tracks`.

    Raises:
        InputError: It is none, or one of them is something else.

    Example:
        >>> list(each_association(3))
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: associations must be an iterable of Association, got 3
    """
    from selfmva.association.association import Association  # with SciPy, which drawing alone does without
    from selfmva.association.tracks import TrackedFrame

    for number, entry in enumerate(stream(associations, "associations", "Association")):
        if not isinstance(entry, Association | TrackedFrame):
            raise InputError(f"associations[{number}] must be an Association, as associate() gives, got {shown(entry)}")
        yield entry
