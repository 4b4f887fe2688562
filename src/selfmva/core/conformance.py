"""What the conformance kits share: a rule that is broken is said with what came and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from selfmva.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable


class Examination:
    """One look at an object that somebody else wrote.

    Args:
        subject: The object.

    Attributes:
        owner: Its class, for messages.

    Example:
        >>> Examination({}).require("holds something", False, "nothing", "something")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: builtins.dict breaks the rule 'holds something': got nothing, expected something
    """

    def __init__(self, subject: Any) -> None:
        self.owner: str = f"{type(subject).__module__}.{type(subject).__qualname__}"

    def fail(self, rule: str, got: object, expected: object) -> NoReturn:
        """Say that a rule is broken.

        Raises:
            PluginError: Always.
        """
        raise PluginError(f"{self.owner} breaks the rule {rule!r}: got {got}, expected {expected}")

    def require(self, rule: str, holds: bool, got: object, expected: object) -> None:
        """Say that a rule is broken, unless it holds.

        Raises:
            PluginError: It does not hold.
        """
        if not holds:
            self.fail(rule, got, expected)

    def call(self, what: str, function: Callable[[], Any]) -> Any:
        """Call something of the subject.

        Raises:
            PluginError: It raised something.
        """
        try:
            return function()
        except Exception as error:
            raise PluginError(f"{self.owner}: {what} raised {type(error).__name__}: {error}") from error
