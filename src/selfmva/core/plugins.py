"""Plug-ins by name: entry points are listed without importing them, and what fails in one names its distribution."""

from __future__ import annotations

import inspect
import re
import signal
import threading
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.core.messages import shown
from selfmva.errors import InputError, PluginError, SelfMVAError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_TARGET = re.compile(r"[\w.]+:[\w.]+")


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """A plug-in that is registered, not necessarily one that works.

    Args:
        name: What it is opened with.
        distribution: The installed distribution that registers it.
        target: Where it is, `module:attribute`.
        error: Why it cannot be loaded, as far as can be told without importing it; None: no reason seen.
    """

    name: str
    distribution: str
    target: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in that was found; as text, a name for messages.

    Args:
        kind: What its group holds, such as `"dataset"`.
        point: The entry point that registers it.
    """

    kind: str
    point: EntryPoint

    def __str__(self) -> str:
        return f"{self.kind} {self.point.name!r} ({self.point.value}) of {_distribution(self.point)}"

    def open(self, /, *args: Any, **kwargs: Any) -> Any:
        """Import what is registered and call it.

        Args:
            *args: Its arguments.
            **kwargs: Its arguments by name.

        Returns:
            Whatever it gives.

        Raises:
            PluginError: The plug-in fails; our own errors, which say already what to do, are raised as they are.
            InputError: It does not take these arguments.
        """
        target = self._guarded(self.point.load)
        self._require_arguments(target, args, kwargs)
        return self._guarded(lambda: target(*args, **kwargs))

    def _guarded(self, call: Callable[[], Any]) -> Any:
        interrupted: list[int] = []
        try:
            with _noted_interrupts(interrupted):
                return call()
        except SelfMVAError:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and interrupted:
                raise  # by the user, not by the plug-in
            raise PluginError(
                f"{self} failed: {type(error).__name__}: {error}; update that distribution or uninstall it"
            ) from error

    def _require_arguments(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            signature = inspect.signature(target)
        except (TypeError, ValueError):  # not a callable that can be looked into: calling it will tell
            return
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InputError(f"{self.kind} {self.point.name!r} takes {signature}: {error}") from error


@dataclass(frozen=True, slots=True)
class PluginGroup:
    """The plug-ins of one entry-point group, ours and those of others.

    Args:
        name: Of the group, such as `"selfmva.datasets"`.
        kind: What it holds, for messages, such as `"dataset"`.

    Example:
        >>> PluginGroup("selfmva.nothing", "toy").find("ball")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: no toy is called 'ball'; Known: none; those of plug-ins have to be installed
    """

    name: str
    kind: str

    def entries(self) -> list[PluginEntry]:
        """All plug-ins by name, one entry per name and distribution; none is imported."""
        return [
            PluginEntry(name, _distribution(point), point.value, _problem(points, point))
            for name, points in sorted(self._registered().items())
            for point in points
        ]

    def find(self, name: Any) -> Plugin:
        """The one plug-in of a name; it is not imported yet.

        Raises:
            PluginError: None or more than one has this name, or its entry point is none.
        """
        registered = self._registered()
        points = registered.get(name) if isinstance(name, str) else None
        if points is None:
            close = get_close_matches(name, registered, n=1) if isinstance(name, str) else []
            hint = f", did you mean {close[0]!r}?" if close else ";"
            known = ", ".join(sorted(registered)) or "none"
            raise PluginError(
                f"no {self.kind} is called {shown(name)}{hint} Known: {known}; those of plug-ins have to be installed"
            )
        plugin = Plugin(self.kind, points[0])
        problem = _problem(points, points[0])
        if problem is not None:
            raise PluginError(f"{plugin} cannot be loaded: {problem}")
        return plugin

    def _registered(self) -> dict[str, list[EntryPoint]]:
        found: defaultdict[str, list[EntryPoint]] = defaultdict(list)
        for point in entry_points(group=self.name):
            found[point.name].append(point)
        return dict(found)


def rename_file(name: str, rename: Callable[[Path], str]) -> str:
    """A name such as `onnx:path/to/file`, of an encoder or a detector, with another path of its file, if it has one.

    Args:
        name: The kind, by itself or with a colon and what it is made of.
        rename: Gives the new path.

    Example:
        >>> rename_file("torchvision:resnet50", str)
        'torchvision:resnet50'
    """
    kind, colon, what = name.partition(":")
    path = Path(what)
    return f"{kind}{colon}{rename(path)}" if path.is_file() else name


@contextmanager
def _noted_interrupts(noted: list[int]) -> Iterator[None]:
    """Note when the user interrupts, which a plug-in that raises KeyboardInterrupt by itself looks like."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # the user's interrupts arrive elsewhere
        return

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is note:  # else the plug-in has set one of its own
            signal.signal(signal.SIGINT, before)


def _distribution(point: EntryPoint) -> str:
    return "an unnamed distribution" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _problem(points: list[EntryPoint], point: EntryPoint) -> str | None:
    if len(points) > 1:
        owners = " and ".join(sorted(_distribution(each) for each in points))
        return f"the name {point.name!r} is registered by {owners}; uninstall one of them"
    if not _TARGET.fullmatch(point.value):
        return f"the entry point {point.value!r} is not of the form module:attribute"
    return None
