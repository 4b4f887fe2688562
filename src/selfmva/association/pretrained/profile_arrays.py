"""What fit() saw, a `Profile`, as named arrays, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.health.profile import Profile
from selfmva.association.health.tally import IMAGE_CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

PREFIX = "profile."
MAY_BE_UNKNOWN = frozenset({"apart", "height"})  # NaN without a floor
LARGEST_RATE = 1.5  # partners of a box in one view: at most 1, but for rounding and rivals
LARGEST = 1e6  # of all other numbers


def profile_to_arrays(profile: Profile | None) -> Arrays:
    """By name; nothing for nothing."""
    if profile is None:
        return {}
    return {f"{PREFIX}{column.name}": np.array(getattr(profile, column.name)) for column in fields(Profile)}


def is_of_profile(name: str) -> bool:
    """Whether an array of this name belongs to a profile."""
    return name.startswith(PREFIX)


def profile_from_arrays(arrays: Arrays, views: int) -> Profile | None:
    """The inverse of `profile_to_arrays`.

    Args:
        arrays: Those of a profile, by name; none where there is no profile.
        views: Number of views.

    Returns:
        The profile; None where there is none.

    Raises:
        ValueError: An array is unknown, missing, of a wrong shape, or holds what no profile does; names it.
    """
    if not arrays:
        return None
    own = {name.removeprefix(PREFIX): array for name, array in arrays.items()}
    shapes: dict[str, tuple[int, ...]] = {
        "rates": (views, IMAGE_CELLS, views),
        "clearness": (views, views),
        "spread": (),
        **dict.fromkeys(("drift", "crowd", "apart", "height"), (views,)),
    }
    if odd := sorted(set(own) ^ set(shapes)):
        raise ValueError(f"unknown or missing {', '.join(PREFIX + name for name in odd)}")
    values: dict[str, Any] = {}
    for name, shape in shapes.items():
        array = own[name].astype(np.float64)
        if array.shape != shape:
            raise ValueError(f"{PREFIX}{name} of shape {array.shape}, expected {shape}")
        known = array[~np.isnan(array)] if name in MAY_BE_UNKNOWN else array
        largest = LARGEST_RATE if name == "rates" else LARGEST
        if not ((known >= 0) & (known <= largest)).all():
            raise ValueError(f"{PREFIX}{name} is not between 0 and {largest:g}")
        values[name] = array if shape else float(array)
    if not (values["spread"] > 0 and (values["drift"] > 0).all()):
        raise ValueError(f"{PREFIX}spread and {PREFIX}drift are not positive")
    return Profile(**values)
