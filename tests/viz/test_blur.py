"""Blurring: what is gone, what stays, and at the border."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.types import Frame, View
from selfmva.errors import InputError
from selfmva.viz import blur_people, draw_association
from selfmva.viz.blur import CELLS

NOISE = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
BODY = [100, 40, 150, 190]  # 50 x 150 pixels


def changed(part: Any, boxes: Any, image: np.ndarray = NOISE) -> np.ndarray:
    before = image.copy()
    blurred = blur_people(image, boxes, part)
    np.testing.assert_array_equal(image, before)
    assert blurred.shape == image.shape
    assert blurred.dtype == np.uint8
    return (blurred != image).any(axis=2)


def test_people_are_blurred_whole_and_nothing_else() -> None:
    mask = np.zeros((240, 320), bool)
    mask[40:190, 100:150] = True
    touched = changed("people", [BODY])
    assert not touched[~mask].any()
    assert touched[mask].mean() > 0.99


def test_faces_are_the_upper_fifth_and_some_room() -> None:
    rows, columns = np.nonzero(changed("faces", [BODY]))
    assert (columns.min(), columns.max()) == (100, 149)
    assert 30 <= rows.min() < 40  # hair
    assert 40 + 150 / 5 - 2 <= rows.max() <= 40 + 150 / 4


def test_a_wide_box_is_blurred_lower() -> None:
    """Who sits or is cut off below has a head that is larger against the box."""
    rows, _ = np.nonzero(changed("faces", [[100, 40, 180, 120]]))
    assert rows.max() == 79
    rows, _ = np.nonzero(changed("faces", [[100, 40, 300, 120]]))
    assert rows.max() == 119


@pytest.mark.parametrize("part", ["faces", "people"])
def test_no_more_than_a_few_values_are_left(part: Any) -> None:
    """A pattern of cells that average to grey is gone, however large the box is."""
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[::2] = 255
    blurred = blur_people(stripes, [[200, 100, 600, 900]], part)
    inside = blurred[110:250, 210:590].astype(int)
    assert inside.max() - inside.min() <= 2
    fine = blur_people(NOISE, [BODY], part)[40:70, 100:150].astype(int)
    steps = np.abs(np.diff(fine, axis=1)).max()
    assert steps < 60  # neighbours of the noise differ by up to 255


def test_image_can_be_rebuilt_from_its_cells_alone() -> None:
    """Two images with the same averages over the cells are blurred to the same image."""
    size = 10
    box = [0, 0, CELLS * size, CELLS * size]
    one = NOISE[: CELLS * size, : CELLS * size].copy()
    cells = one.reshape(CELLS, size, CELLS, size, 3)
    other = cells[:, ::-1, :, ::-1].reshape(one.shape)  # turned inside each cell
    assert (one != other).any()
    np.testing.assert_array_equal(blur_people(one, [box], "people"), blur_people(other, [box], "people"))


@given(
    st.lists(
        st.tuples(*(st.floats(-100, 400) for _ in range(2)), *(st.floats(0.5, 500) for _ in range(2))), max_size=4
    ),
    st.sampled_from(["faces", "people"]),
)
def test_boxes_may_stick_out(corners: list[tuple[float, ...]], part: Any) -> None:
    boxes = [[x, y, x + w, y + h] for x, y, w, h in corners]
    touched = changed(part, boxes)
    near = np.zeros((240, 320), bool)
    for x1, y1, x2, y2 in boxes:
        top = y1 - 0.07 * (y2 - y1)
        low = np.floor([max(x1, 0), max(top, 0)]).astype(int)
        near[low[1] : max(int(np.ceil(y2)), 0), low[0] : max(int(np.ceil(x2)), 0)] = True
    assert not touched[~near].any()


def test_wrong_input() -> None:
    with pytest.raises(InputError, match="'faces', 'people', got 'feet'"):
        blur_people(NOISE, [], "feet")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="uint8"):
        blur_people(NOISE.astype(float), [])
    with pytest.raises(InputError, match="x2 > x1"):
        blur_people(NOISE, [[9, 9, 0, 0]])


def test_association_with_blurred_people() -> None:
    frame = Frame([[BODY], []], images=[NOISE, NOISE])
    views = [View("left", 320, 240), View("right", 320, 240)]
    sharp = draw_association(frame, [[0], []], views, width=664)
    blurred = draw_association(frame, [[0], []], views, width=664, blur="people")
    rows, columns = np.nonzero((sharp != blurred).any(axis=2))
    assert (columns.min(), columns.max()) >= (108, 150)
    assert columns.max() < 8 + 150
    assert rows.max() < 8 + 190
    assert sharp[8 + 60 : 8 + 180, 8 + 105 : 8 + 145].std() > 2 * blurred[8 + 60 : 8 + 180, 8 + 105 : 8 + 145].std()
    with pytest.raises(InputError, match="what to blur"):
        draw_association(frame, [[0], []], views, blur="feet")  # type: ignore[arg-type]
