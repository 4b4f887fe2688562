"""Datasets of others that break their contract: said by name, before anything is learnt from them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from plugin_files import plugins_in, write_plugin
from small_scenes import fit_quietly, flat, short

from selfmva import Associator, Frame, View, evaluate, load_dataset
from selfmva.datasets.reading import frame_of, identities_of, splits_of, views_of
from selfmva.errors import BoxUnitsWarning, DataError, InputError, PluginError, SelfMVAError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


VIEWS = short().views
BOXES = [short().frame(t).boxes for t in range(len(short()))]


class Others:
    """A dataset that keeps the contract, but for what it is told."""

    def __init__(self, frame: Callable[[int], Any], splits: Any = None, length: Any = 30) -> None:
        self.views: Any = VIEWS
        self.splits: Any = {} if splits is None else splits
        self._frame, self._length = frame, length

    def __len__(self) -> int:
        return self._length

    def frame(self, index: int) -> Any:
        return self._frame(index)

    def identities(self, index: int) -> Any:
        raise RuntimeError(f"nobody knows of {index}")


def good(index: int) -> Frame:
    return Frame(BOXES[index], index=index)


def broken(error: BaseException) -> Callable[[int], Any]:
    def fail(index: int) -> Any:
        raise error

    return fail


def fit(dataset: Any) -> Associator:
    return fit_quietly(flat(), dataset)


@pytest.mark.parametrize(
    "frame",
    [
        lambda index: None,
        lambda index: BOXES[index],
        lambda index: "frame",
        broken(ZeroDivisionError("mine")),
        broken(IndexError("mine")),
        broken(KeyError("mine")),
    ],
)
def test_frames_that_are_none(frame: Callable[[int], Any]) -> None:
    with pytest.raises(PluginError, match=r"test_bad_datasets\.Others.* frame\(0\) (gave|raised)"):
        fit(Others(frame))


def test_a_dataset_that_cannot_be_looked_at() -> None:
    class Failing(Others):
        @property
        def splits(self) -> Any:
            raise ZeroDivisionError("mine")

        @splits.setter
        def splits(self, value: Any) -> None:
            pass

    with pytest.raises(PluginError, match="Failing: .* raised ZeroDivisionError: mine"):
        fit(Failing(good))


def test_what_the_library_raises_of_a_file_is_raised() -> None:
    with pytest.raises(DataError, match="cut short"):
        fit(Others(broken(DataError("cut short"))))


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ([], r"splits gave \[\]"),
        ("train", "splits gave train"),
        (3, "splits gave 3"),
        ({"train": 3}, r"splits\['train'\] gave 3"),
        ({"train": "0123"}, r"splits\['train'\] gave 0123"),
        ({"train": None}, r"splits\['train'\] gave None"),
        ({"train": [999_999]}, "whole number from 0 to 29, got 999999"),
        ({"train": [-1]}, "whole number from 0 to 29, got -1"),
        ({"train": [0.5]}, r"whole number from 0 to 29, got 0\.5"),
        ({"train": ["a"]}, "whole number from 0 to 29, got 'a'"),
        ({"train": [True]}, "whole number from 0 to 29, got True"),
        ({"train": [*range(20), 3]}, "index 3 twice"),
        ({"test": [4, 4], "train": range(20)}, "index 4 twice"),
    ],
)
def test_splits_that_are_none(splits: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        fit(Others(good, splits))


@pytest.mark.parametrize("length", [-1, "3", None, 2.0])
def test_a_length_that_is_none(length: Any) -> None:
    with pytest.raises(PluginError, match=r"Others: len\(\) raised"):
        fit(Others(good, length=length))


@pytest.mark.parametrize("views", [None, 3, [], "door", [VIEWS[0]], [VIEWS[0]] * 3, [*VIEWS[:2], None], VIEWS[:2]])
def test_views_that_are_none(views: Any) -> None:
    dataset = Others(good)
    dataset.views = views
    with pytest.raises(InputError):
        fit(dataset)


@pytest.mark.parametrize("number", [lambda index: index // 2, lambda index: 50 - index, lambda index: 7])
def test_instants_that_do_not_increase(number: Callable[[int], int]) -> None:
    with pytest.raises(InputError, match="in the order of time, each instant once"):
        fit(Others(lambda index: Frame(BOXES[index], index=number(index))))


def test_instants_without_numbers_are_numbered_as_those_of_a_list_are() -> None:
    found = fit(Others(lambda index: Frame(BOXES[index])))
    expected = fit_quietly(flat(), VIEWS, BOXES)
    assert found.fit_report_.rows() == expected.fit_report_.rows()


@pytest.mark.parametrize("split", ["test", "train"])
def test_identities_that_fail(split: str) -> None:
    dataset = Others(good, {split: range(20)})
    with pytest.raises(PluginError, match=r"identities\(0\) raised RuntimeError: nobody knows of 0"):
        evaluate(fit(Others(good)), dataset, split=split)
    with pytest.raises(PluginError, match=r"identities\(3\) raised"):
        identities_of(dataset, 3)


def test_what_keeps_the_contract_is_read_as_it_is() -> None:
    dataset = Others(good, {"train": range(5), "test": (7, 9)})
    assert splits_of(dataset) == {"train": [0, 1, 2, 3, 4], "test": [7, 9]}
    assert frame_of(dataset, 7).index == 7
    assert views_of(dataset) == VIEWS


RAISING = {
    "KeyboardInterrupt": "KeyboardInterrupt()",
    "SystemExit": "SystemExit(3)",
    "GeneratorExit": "GeneratorExit()",
    "Odd": "Odd('x')",
    "ZeroDivisionError": "ZeroDivisionError('x')",
}


class TestPlugins:
    @pytest.mark.parametrize("error", RAISING)
    @pytest.mark.parametrize("when", ["import", "call"])
    def test_whatever_a_plugin_raises_is_reported(self, error: str, when: str, tmp_path: Path) -> None:
        lines = ["class Odd(BaseException): pass"]
        lines += [f"raise {RAISING[error]}"] if when == "import" else ["def Toy():", f"    raise {RAISING[error]}"]
        write_plugin(tmp_path, f"odd-{when}-{error.lower()}", "\n".join(lines), toy=f"odd_{when}_{error.lower()}:Toy")
        before = signal.getsignal(signal.SIGINT)
        with plugins_in(tmp_path), pytest.raises(PluginError, match=f"odd-{when}-{error.lower()} 0.3 failed: {error}"):
            load_dataset("toy")
        assert signal.getsignal(signal.SIGINT) is before

    def test_an_interrupt_of_the_user_is_none_of_the_plugin(self, tmp_path: Path) -> None:
        write_plugin(
            tmp_path, "slow", "import signal\ndef Toy():\n    signal.raise_signal(signal.SIGINT)", toy="slow:Toy"
        )
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore interrupts
        try:
            with plugins_in(tmp_path), pytest.raises(KeyboardInterrupt):
                load_dataset("toy")
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        finally:
            signal.signal(signal.SIGINT, before)

    @pytest.mark.parametrize("gives", ["None", "3", "[]", "object()", "type('D', (), {'views': ()})()"])
    def test_what_is_no_dataset(self, gives: str, tmp_path: Path) -> None:
        write_plugin(tmp_path, "giving", f"print('hello')\ndef Toy():\n    return {gives}", toy="giving:Toy")
        with plugins_in(tmp_path), pytest.raises(PluginError, match=r"of giving 0\.3 gave .*, expected views, splits"):
            load_dataset("toy")

    @pytest.mark.parametrize("name", [None, 3, b"mvor", ["mvor"], "", "\ud800", "a\0"])
    def test_names_that_are_none(self, name: Any) -> None:
        with pytest.raises(PluginError, match="^no dataset is called"):
            load_dataset(name)

    @pytest.mark.parametrize("root", [3, "", b"x", "a\0", "x" * 5000, ["x"]])
    def test_folders_that_are_none(self, root: Any) -> None:
        with pytest.raises(InputError, match="^root must be a path"):
            load_dataset("mvor", root)

    @pytest.mark.parametrize("options", [{"nosuch": 3}, {"views": "3"}, {"views": [3]}])
    def test_options_that_are_none(self, options: dict[str, Any]) -> None:
        with pytest.raises(SelfMVAError):
            load_dataset("simulated", **options)


def test_a_view_is_named_where_a_dataset_has_others() -> None:
    dataset = Others(good)
    dataset.views = [View(view.name, 64, 64) for view in VIEWS]
    with (
        pytest.warns(BoxUnitsWarning, match="where view 'camera0' has 64 x 64 pixels"),
        pytest.raises(InputError, match=r"view 0 \('camera0'\).*outside the image of 64 x 64"),
    ):
        Associator(recipe="geometry").fit(dataset)
