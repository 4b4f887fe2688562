"""What a user gives for an object of somebody's code: its name, its name with what it is made of, or the object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.core.arguments import offers
from selfmva.errors import InputError, PluginError

if TYPE_CHECKING:
    from selfmva.core.plugins import PluginGroup


@dataclass(frozen=True, slots=True)
class PluginArgument:
    """An argument such as `appearance=` or `detector=`.

    Args:
        group: The plug-ins that make such objects.
        protocol: What such an object is, checked by `isinstance`; has an `identity`.
        what: Its name with an article, for messages.
        contract: What the protocol asks for, in words.
        names: Names that can be given, in words.
        example: A name with what it is made of.

    Example:
        >>> from typing import Protocol, runtime_checkable
        >>> from selfmva.core.plugins import PluginGroup
        >>> @runtime_checkable
        ... class Toy(Protocol):
        ...     identity: str
        >>> group = PluginGroup("selfmva.toys", "toy")
        >>> toys = PluginArgument(group, Toy, "a toy", "a Toy with an identity", names="'x'", example="x:y")
        >>> toys.resolve(3)
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: expected a toy, 'x', or a Toy with an identity, got int
    """

    group: PluginGroup
    protocol: type
    what: str
    contract: str
    names: str
    example: str

    def resolve(self, given: Any, **settings: Any) -> Any:
        """The object that was given, or the one that the plug-in of a name makes.

        Args:
            given: The object, `"name"` or `"name:what it is made of"`.
            **settings: What the plug-in is called with besides; nothing to an object.

        Raises:
            InputError: Neither, or the plug-in takes other arguments.
            PluginError: No or more than one plug-in has this name, or it fails or gives something else.
        """
        if not isinstance(given, str):
            if offers(given, self.protocol):
                return given
            raise InputError(f"expected {self.what}, {self.names}, or {self.contract}, got {type(given).__name__}")
        name, colon, made_of = given.partition(":")
        try:
            plugin = self.group.find(name)
        except PluginError as error:
            if not Path(name).suffix:
                raise
            raise PluginError(f"{error}; a file comes behind its kind, such as {self.example!r}") from None
        if colon and not made_of:
            raise InputError(f"expected something after the colon, such as {self.example!r}, got {given!r}")
        opened = plugin.open(*([made_of] if made_of else []), **settings)
        if not (isinstance(opened, self.protocol) and isinstance(getattr(opened, "identity", None), str)):
            raise PluginError(
                f"{plugin} gave {type(opened).__name__}, expected {self.contract}; update that distribution or "
                "uninstall it"
            )
        return opened
