"""What simulated people look like, as the features of a re-ID model would have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import IntArray

FEATURE_LENGTH = 32  # numbers of a feature
COLOUR_SHIFT = 0.3  # standard deviation of what a camera does to colours, in those of two looks at one person


def looks(identities: IntArray, view: IntArray, clothes: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Features of boxes.

    Every box looks like people in general, plus its person's clothes, plus its camera's colours, plus noise of
    standard deviation 1: pose, light, and who stands in the way.

    Args:
        identities: `(N,)` person of each box; -1 for a false box, which looks like nobody else.
        view: `(N,)` its view.
        clothes: Standard deviation of what people wear; 0: all wear the same.
        rng: Source of everything.

    Returns:
        `(N, 32)` float32.
    """
    strangers = identities < 0
    person = np.where(strangers, identities.max(initial=-1) + np.cumsum(strangers), identities)
    worn = clothes * rng.standard_normal((int(person.max(initial=0)) + 1, FEATURE_LENGTH))
    colours = COLOUR_SHIFT * rng.standard_normal((int(view.max(initial=0)) + 1, FEATURE_LENGTH))
    noise = rng.standard_normal((len(person), FEATURE_LENGTH))
    return (1.0 + worn[person] + colours[view] + noise).astype(np.float32)
