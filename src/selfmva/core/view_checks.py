"""Whether two things are of the same cameras: as many views, and images of the same sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.view_names import order_by_name
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


class HasSize(Protocol):
    """What has a size in pixels, such as a `View`."""

    @property
    def width(self) -> int:
        """Of its images."""
        ...

    @property
    def height(self) -> int:
        """Of its images."""
        ...


class NamedImage(HasSize, Protocol):
    """What has a name as well."""

    @property
    def name(self) -> str:
        """Of the camera."""
        ...


def view_number(value: Any, count: int) -> int:
    """Read the number of a view.

    Args:
        value: A whole number.
        count: How many views there are.

    Raises:
        InputError: There is no such view.

    Example:
        >>> view_number("door", 2)
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: there is no view 'door'; views are 0 to 1
    """
    try:
        return integer(value, "a view", least=0, most=count - 1)
    except InputError:
        raise InputError(f"there is no view {shown(value)}; views are 0 to {count - 1}") from None


def check_view_count(
    instant: int, count: int, expected: int, having: str = "there are", names: Sequence[str] = ()
) -> None:
    """Find out whether there is one entry per view at an instant.

    Args:
        instant: Its number.
        count: How many entries there are.
        expected: How many views there are.
        having: What stands before that number in the message, such as `"the reader has"`.
        names: Of the views, where they are known.

    Raises:
        InputError: There is not one entry per view.

    Example:
        >>> check_view_count(7, 1, 2, names=("door", "hall"))
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: instant 7 has 1 views, but there are 2 (door, hall); give one entry per view, ...
    """
    if count != expected:
        known = f" ({', '.join(names)})" if names else ""
        raise InputError(
            f"instant {instant} has {count} views, but {having} {expected}{known}; give one entry per view, empty "
            "where nobody is seen"
        )


def check_view_names(instant: int, found: Sequence[str], expected: Sequence[str]) -> None:
    """Find out whether the cameras of a frame, as it calls them, are the views, in their order.

    Args:
        instant: Number of the instant.
        found: What the frame calls its cameras, as many as there are views.
        expected: The names of the views.

    Raises:
        InputError: Some are called like views and others are not, or they are in another order. Where none is, names
            tell nothing.

    Example:
        >>> check_view_names(7, ["hall", "door"], ["door", "hall"])
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: instant 7 shows the cameras hall, door, but the views are door, hall: give them ...
    """
    try:
        order = order_by_name(found, expected, "cameras")
    except InputError as error:
        raise InputError(f"instant {instant}: {error}") from error
    if order is not None and order != list(range(len(expected))):
        raise InputError(
            f"instant {instant} shows the cameras {', '.join(found)}, but the views are {', '.join(expected)}: give "
            "them in this order, as SynchronizedReader(videos, views=associator.views_) does"
        )


def check_same_sizes(
    cameras: Sequence[HasSize], said_of_them: str, others: Sequence[HasSize], said_of_others: str
) -> None:
    """Find out whether two lists of cameras have as many of the same sizes, and, where names tell, in the same order.

    Args:
        cameras: Some cameras.
        said_of_them: What stands before their sizes in the message.
        others: The cameras to compare them with.
        said_of_others: What stands before their sizes.

    Raises:
        InputError: They have not; or some of their names are the same, but not all, or in another order.

    Example:
        >>> from selfmva.core.types import View
        >>> check_same_sizes([View("a", 9, 9)], "the videos are of", [View("b", 9, 8)], "the model was fitted on")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: the videos are of sizes [(9, 9)], the model was fitted on sizes [(9, 8)]; give ...
    """
    sizes, other_sizes = ([(camera.width, camera.height) for camera in each] for each in (cameras, others))
    if sizes != other_sizes:
        raise InputError(
            f"{said_of_them} sizes {sizes}, {said_of_others} sizes {other_sizes}; give those of the same cameras, in "
            "the same order"
        )
    names, other_names = ([getattr(camera, "name", None) for camera in each] for each in (cameras, others))
    known = [name for name in other_names if name is not None]
    order = order_by_name(names, known, "cameras") if len(known) == len(others) else None
    if order is not None and order != list(range(len(others))):
        raise InputError(
            f"{said_of_them} names {', '.join(map(str, names))}, {said_of_others} names {', '.join(known)}: the same "
            "cameras in another order; give them in the same one"
        )
