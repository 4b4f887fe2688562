"""What is no number is refused by name where it comes in; what is one comes through as it is."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.arguments import entries, is_one_of, offers, stream
from selfmva.core.frame_columns import validate_boxes
from selfmva.core.messages import shown
from selfmva.core.paths import LONGEST_NAME, as_path
from selfmva.core.scalars import flag, integer, real
from selfmva.core.types import LARGEST_INDEX, Frame, View
from selfmva.core.values import integer_array, real_array
from selfmva.datasets.base import MultiViewDataset
from selfmva.errors import InputError

BOX = [[10.0, 20.0, 30.0, 80.0]]
HUGE = 10**400
MASKED = np.ma.array(BOX, mask=[[0, 0, 1, 0]])


def each(*values: Any) -> list[Any]:
    """Parameters by number: some of them have no text."""
    return [pytest.param(value, id=f"{number}-{type(value).__name__}") for number, value in enumerate(values)]


class Wayward:
    """An object of somebody's library."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("not today")

    def __index__(self) -> int:
        raise TypeError("not today")

    def __repr__(self) -> str:
        raise RuntimeError("not today")


NO_NUMBERS = {
    "huge": [[0, 0, HUGE, 10]],
    "more digits than Python shows": [[0, 0, 10**5000, 10]],
    "complex": np.array([[10 + 1j, 20, 30, 80]]),
    "complex in a list": [[10 + 0j, 20, 30, 80]],
    "durations": np.array([[1, 2, 3, 4]], dtype="m8[s]"),
    "dates": np.array([[1, 2, 3, 4]], dtype="M8[s]"),
    "a date among numbers": [[np.datetime64(0, "s"), 2, 3, 4]],
    "masked": MASKED,
    "masked rows": [MASKED[0]],
    "a masked value": [[np.ma.masked, 1, 2, 3]],
    "text": [["10", "20", "30", "80"]],
    "one text": [[10, "20", 30, 80]],
    "bytes": np.array([[b"1", b"2", b"3", b"4"]]),
    "truth values": np.ones((1, 4), bool),
    "a truth value among objects": np.array([[True, 2, 30, 80]], dtype=object),
    "nothing": [[10, None, 30, 80]],
    "pandas' missing": pd.DataFrame([[10, pd.NA, 30, 80]], dtype="Int64"),
    "ragged": [[1, 2, 3, 4], [1, 2, 3]],
    "a dictionary": {0: [1, 2, 3, 4]},
    "a set": {1.0, 2.0},
    "a generator": (row for row in BOX),
    "an object": object(),
    "a wayward object": Wayward(),
    "records": np.zeros(1, dtype=[("x1", float), ("y1", float)]),
    "a class": int,
    "a Decimal that is none": np.array([[Decimal("sNaN"), 1, 2, 3]], dtype=object),
    "a tensor of complex numbers": torch.ones((1, 4), dtype=torch.complex64),
    "a tensor without values": torch.ones((1, 4), device="meta"),
}
NUMBERS = {
    "list": BOX,
    "whole": [[10, 20, 30, 80]],
    "array": np.array(BOX, np.float32),
    "small": np.array(BOX, np.uint8),
    "Fortran": np.asfortranarray(np.array(BOX)),
    "not masked": np.ma.array(BOX, mask=False),
    "with a gradient": torch.tensor(BOX, requires_grad=True),
    "rows with a gradient": [torch.tensor(BOX[0], requires_grad=True)],
    "half": torch.tensor(BOX, dtype=torch.bfloat16),
    "scalars": [[torch.tensor(10.0), torch.tensor(20.0), torch.tensor(30.0), torch.tensor(80.0)]],
    "fractions": [[Fraction(10), Fraction(20), Decimal(30), 80]],
    "objects": np.array(BOX, dtype=object),
    "table": pd.DataFrame(BOX),
    "whole table": pd.DataFrame(BOX).astype("Int64"),
}


@pytest.mark.filterwarnings("ignore:Warning. converting a masked element:UserWarning")
class TestArrays:
    @pytest.mark.parametrize("values", NO_NUMBERS.values(), ids=NO_NUMBERS.keys())
    def test_no_numbers(self, values: Any) -> None:
        for read in (real_array, integer_array):
            if values is NO_NUMBERS["a masked value"] and read is real_array:
                continue  # NumPy makes it NaN, which is refused where a number has to be finite
            with pytest.raises(InputError, match="^the boxes "):
                read(values, "the boxes")
        with pytest.raises(InputError, match="^instant 3, view 1"):
            validate_boxes(values, instant=3, view=1)

    @pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS.keys())
    def test_numbers(self, values: Any) -> None:
        for read, dtype in ((real_array, np.float64), (integer_array, np.int64), (validate_boxes, np.float64)):
            array = read(values) if read is validate_boxes else read(values, "boxes")
            assert array.dtype == dtype
            assert array.tolist() == BOX

    @given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1)))
    def test_whole_numbers_come_through_to_the_last_digit(self, numbers: list[int]) -> None:
        assert integer_array(numbers, "ids").tolist() == numbers

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
    def test_a_float_is_whole_or_refused(self, numbers: list[float]) -> None:
        if all(number.is_integer() and abs(number) <= 2**53 for number in numbers):
            assert integer_array(numbers, "ids").tolist() == numbers
        else:
            with pytest.raises(InputError, match="ids must be whole numbers, got"):
                integer_array(numbers, "ids")

    @pytest.mark.parametrize(
        "wrong", [[np.nan], [np.inf], [1.5], [2**63], [2**64], [-(2**64)], np.array([2**63], "u8")]
    )
    def test_no_whole_numbers(self, wrong: Any) -> None:
        with pytest.raises(InputError, match="^ids must be whole numbers"):
            integer_array(wrong, "ids")

    def test_the_result_is_a_copy(self) -> None:
        given = np.array(BOX)
        real_array(given, "boxes")[0, 0] = 7
        assert given.tolist() == BOX

    @pytest.mark.parametrize("nothing", [[], [[]], np.zeros((0, 4), complex), np.zeros(0, "U3")])
    def test_where_there_is_nothing_its_kind_is_none(self, nothing: Any) -> None:
        assert real_array(nothing, "boxes").size == integer_array(nothing, "ids").size == 0


NO_INTEGER = [None, "3", b"3", 3.0, np.float64(3), np.nan, True, np.True_, [3], np.array([3, 4]), {}, 1j, Wayward()]


class TestScalars:
    @pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3), np.array(3), torch.tensor(3)])
    def test_an_integer(self, value: Any) -> None:
        assert integer(value, "width", least=3, most=3) == 3
        assert type(integer(value, "width")) is int

    @pytest.mark.parametrize("value", each(*NO_INTEGER, 0, 101, HUGE, -HUGE, 10**5000))
    def test_no_integer(self, value: Any) -> None:
        with pytest.raises(InputError, match="^width must be a whole number from 1 to 100, got "):
            integer(value, "width", least=1, most=100)

    @pytest.mark.parametrize("value", [2, 2.5, np.float32(2.5), Fraction(5, 2)])
    def test_a_number(self, value: Any) -> None:
        assert real(value, "length", above=0) == float(value)

    @pytest.mark.parametrize("value", each(None, "2", True, np.nan, np.inf, -np.inf, 0, -1, 1j, [2.0], HUGE, Wayward()))
    def test_no_number(self, value: Any) -> None:
        with pytest.raises(InputError, match="^length must be a finite number above 0, got "):
            real(value, "length", above=0)

    @pytest.mark.parametrize("value", [None, "no", 0, 1, [], 0.0])
    def test_no_truth_value(self, value: Any) -> None:
        assert flag(np.True_, "resume") is True
        with pytest.raises(InputError, match="^resume must be True or False, got "):
            flag(value, "resume")

    def test_messages_stay_short(self) -> None:
        assert len(shown("x" * 10**6)) < 200
        assert shown(Wayward()) == "a Wayward that cannot be shown"


class TestPaths:
    @pytest.mark.parametrize(
        "value",
        [None, 3, 2.5, b"x", "", "a\0b", "\ud800", "x" * 5000, "a/" + "x" * 256, "ä" * 200, ["x"], "a/" * 3000, True],
    )
    def test_no_path(self, value: Any) -> None:
        with pytest.raises(InputError, match="^folder must be a path"):
            as_path(value, "folder")

    @pytest.mark.parametrize("value", ["x", "a/b.json", "x" * LONGEST_NAME, ".", "~", " ", "ü" * 100])
    def test_a_path(self, value: str) -> None:
        assert str(as_path(value, "folder")) == value
        assert as_path(as_path(value, "folder"), "folder") == as_path(value, "folder")

    def test_longer_names_than_any_file_has(self) -> None:
        with pytest.raises(InputError, match="too long"):
            as_path("x" * (LONGEST_NAME + 1), "folder")


class TestFrame:
    @pytest.mark.parametrize("index", each(*NO_INTEGER, 1.9, np.inf, LARGEST_INDEX + 1, 10**30, HUGE, 10**5000))
    def test_an_index_that_is_none(self, index: Any) -> None:
        with pytest.raises(InputError, match="^the index of a frame must be a whole number"):
            Frame([BOX], index=index)

    def test_differences_of_any_two_indices_fit_into_int64(self) -> None:
        frames = [Frame([BOX], index=sign * LARGEST_INDEX) for sign in (-1, 1)]
        index = np.array([frame.index for frame in frames])
        assert np.diff(index).tolist() == [2 * LARGEST_INDEX]

    @pytest.mark.parametrize("name", ["scores", "track_ids", "images", "features", "clock_offsets"])
    @pytest.mark.parametrize(
        "values", [3, "a", b"a", {0: [1.0]}, {1.0}, object(), pd.DataFrame(BOX), [[1.0], [1.0]], []]
    )
    def test_what_is_not_one_entry_per_view(self, name: str, values: Any) -> None:
        with pytest.raises(InputError, match=f"^instant 7: {name}"):
            Frame([BOX], index=7, **{name: values})

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("scores", (["a"], [np.nan], [np.inf], [1j], 0.5, [[0.5]], [True], [None], [0.5, 0.5])),
            ("track_ids", ([np.nan], ["a"], [2**63], [None], [1.5], [[3]], 3, [True], [1j], [1, 2])),
            ("features", (["a"], [[1, 2], [3]], [[1j]], 1, [[np.inf]], [[1e39]], [[None]], [[True]])),
            ("images", (3, "a.png", np.zeros((4, 4, 3)), np.zeros((4, 4, 2), np.uint8), [[0]])),
            ("clock_offsets", (1.5, "1", None, np.nan, 2**63, [1])),
        ],
    )
    def test_what_does_not_fit_one_box(self, name: str, values: Any) -> None:
        for value in values:
            with pytest.raises(InputError, match=f"^instant 7.*{'image' if name == 'images' else name}"):
                Frame([BOX], index=7, **{name: [value]})

    def test_what_fits(self) -> None:
        nothing_known = [[[np.nan, np.nan]]]
        frame = Frame([BOX], 7, np.array([[1]]), [[3.0]], features=nothing_known, clock_offsets=np.array([2]))
        assert (frame.scores, frame.track_ids, frame.clock_offsets) == ((1.0,), (3,), (2,))
        with_gradient = Frame([BOX], scores=[torch.ones(1, requires_grad=True)], features=[torch.ones((1, 2))])
        assert with_gradient.scores == (1.0,)


SIDES = [0, -1, 1.5, np.nan, np.inf, "1", None, True, 10**9, HUGE, 10**5000, [1]]


@pytest.mark.parametrize("side", each(*SIDES))
def test_a_view_of_no_size(side: Any) -> None:
    for arguments in (("door", side, 720), ("door", 1280, side)):
        with pytest.raises(InputError, match="^view 'door': (width|height) in pixels must be a whole number from 1 to"):
            View(*arguments)


@pytest.mark.parametrize(
    "name", each(None, "", 3, b"door", ["door"], Wayward(), "x" * 10**6, "ä" * 101, "\ud800", "a\0")
)
def test_a_view_of_no_name(name: Any) -> None:
    with pytest.raises(InputError, match="^a view needs a name"):
        View(name, 1280, 720)


ONE_THING = [None, 3, "door", b"door", Path("door"), np.array(3), torch.tensor(3), int, Wayward()]
NO_STREAM = [*ONE_THING, {}, {1}, pd.DataFrame(BOX)]


class TestSequences:
    @pytest.mark.parametrize("values", each(*NO_STREAM))
    def test_what_cannot_be_gone_through(self, values: Any) -> None:
        with pytest.raises(InputError, match="^frames must be an iterable of Frame, got "):
            stream(values, "frames", "Frame")

    @pytest.mark.parametrize("values", each(*NO_STREAM, iter([1]), bytearray(b"a"), torch.ones(2)))
    def test_what_is_no_sequence(self, values: Any) -> None:
        with pytest.raises(InputError, match="^views must be a sequence with one camera each, got "):
            entries(values, "views", "one camera each")

    def test_what_is_one(self) -> None:
        assert list(stream((k for k in "ab"), "letters", "letter")) == ["a", "b"]
        for values in ([1, 2], (1, 2), range(1, 3), np.array([1, 2]), deque([1, 2])):
            assert list(entries(values, "numbers", "number")) == list(stream(values, "numbers", "number")) == [1, 2]

    @pytest.mark.parametrize("value", each(*NO_STREAM, np.zeros(3), pd.NA, ["lap"]))
    def test_what_is_no_name(self, value: Any) -> None:
        assert not is_one_of(value, ("lap", "scipy"))
        assert is_one_of("lap", ("lap", "scipy"))

    def test_what_offers_nothing(self) -> None:
        class Closed:
            def __getattribute__(self, name: str) -> Any:
                raise RuntimeError("not today")

        assert offers(3, int)
        assert not offers(3, MultiViewDataset)
        assert not offers(Closed(), MultiViewDataset)
