"""The rule about boxes at the border of an image."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.errors import InputError
from selfmva.tracking.borders import cut_by_border


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ([100, 100, 150, 200], False),
        ([100, 2, 150, 102], True),  # touches the top, whatever its shape
        ([100, 2.1, 150, 102], False),
        ([2, 100, 52, 200], False),  # the left: .5 is the shape of a person
        ([2, 100, 30, 200], True),  # .28
        ([2.5, 100, 30, 200], False),  # does not touch
        ([618, 100, 639, 200], True),  # the right: .21
        ([580, 100, 639, 200], False),
        ([100, 400, 150, 479], False),  # the bottom
        ([100, 440, 170, 479], True),  # 1.79: hardly a head is seen
        ([-40, 100, 20, 200], True),  # .6 outside, .2 of what is seen
        ([600, 100, 900, 200], False),  # 3, but .4 of what is seen
        ([-50, 100, -10, 200], True),  # wholly outside
        ([100, 100, 200, 120], False),  # of no person's shape, but whole
    ],
)
def test_rule(box: list[float], cut: bool) -> None:
    assert cut_by_border([box], 640, 480).tolist() == [cut]


def test_nothing_and_what_is_wrong() -> None:
    assert cut_by_border(np.zeros((0, 4)), 640, 480).shape == (0,)
    with pytest.raises(InputError, match="aspects must be"):
        cut_by_border([[0, 0, 5, 5]], 640, 480, aspects=(2, 1))
    with pytest.raises(InputError, match="boxes must have shape"):
        cut_by_border([0, 0, 5, 5], 640, 480)
