"""Read from a dataset that somebody else wrote: what breaks its contract is said by name, before it is learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.types import Frame
from selfmva.datasets.base import MultiViewDataset
from selfmva.errors import InputError, PluginError, SelfMVAError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.types import IntArray, View
    from selfmva.datasets.base import LabelledDataset

Answer = TypeVar("Answer")


def is_dataset(value: object) -> TypeGuard[MultiViewDataset]:
    """Whether something offers what a dataset does.

    Raises:
        PluginError: Looking at it fails.
    """
    return _ask(value, "looking at it", lambda: isinstance(value, MultiViewDataset))


def views_of(dataset: MultiViewDataset) -> Sequence[View]:
    """The cameras of a dataset.

    Raises:
        PluginError: Asking for them fails.
    """
    return _ask(dataset, "views", lambda: dataset.views)


def splits_of(dataset: MultiViewDataset) -> dict[str, list[int]]:
    """The indices of every split of a dataset, checked.

    Raises:
        PluginError: Asking for them fails, they are no indices of its frames, or one stands twice in a split.

    Example:
        >>> from selfmva.datasets.simulated import Simulated
        >>> {name: len(indices) for name, indices in splits_of(Simulated(instants=20)).items()}
        {'train': 14, 'validation': 2, 'test': 4}
    """
    length = length_of(dataset)
    splits: object = _ask(dataset, "splits", lambda: dataset.splits)
    if not isinstance(splits, Mapping):
        raise _breach(dataset, "splits", splits, "a mapping from names to indices")
    checked = {}
    for name, indices in splits.items():
        what = f"splits[{name!r}]"
        if isinstance(indices, str) or not isinstance(indices, Iterable):
            raise _breach(dataset, what, indices, "indices of frames")
        try:
            checked[name] = [integer(index, "an index", least=0, most=length - 1) for index in indices]
        except InputError as error:
            raise _breach(dataset, what, error, f"whole numbers from 0 to {length - 1}") from error
        if len(set(checked[name])) < len(checked[name]):
            twice = next(index for index in checked[name] if checked[name].count(index) > 1)
            raise _breach(dataset, what, f"index {twice} twice", "each index once")
    return checked


def length_of(dataset: MultiViewDataset) -> int:
    """How many frames a dataset has.

    Raises:
        PluginError: It does not say.
    """
    return _ask(dataset, "len()", lambda: len(dataset))


def frame_of(dataset: MultiViewDataset, index: int) -> Frame:
    """A frame of a dataset.

    Raises:
        PluginError: Asking for it fails, or it is none.
    """
    frame: object = _ask(dataset, f"frame({index})", lambda: dataset.frame(index))
    if not isinstance(frame, Frame):
        raise _breach(dataset, f"frame({index})", frame, "a selfmva.Frame")
    return frame


def identities_of(dataset: LabelledDataset, index: int) -> Sequence[IntArray]:
    """Who is in a frame of a dataset, as it says.

    Raises:
        PluginError: Asking for it fails.
    """
    return _ask(dataset, f"identities({index})", lambda: dataset.identities(index))


def _ask(dataset: object, what: str, question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    except SelfMVAError:
        raise
    except Exception as error:
        raise PluginError(f"{_name(dataset)}: {what} raised {type(error).__name__}: {error}") from error


def _breach(dataset: object, what: str, got: Any, expected: str) -> PluginError:
    found = got if isinstance(got, str | Exception) else shown(got)
    return PluginError(
        f"{_name(dataset)} is no dataset as the contract has it: {what} gave {found}, expected {expected}; "
        "selfmva.datasets.check_adapter(dataset) looks at all of it"
    )


def _name(dataset: object) -> str:
    return f"{type(dataset).__module__}.{type(dataset).__qualname__}"
