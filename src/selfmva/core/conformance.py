"""What the conformance kits share: a rule that is broken is said with what came and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from selfmva.core.arguments import offers
from selfmva.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.images import Image

TILE = 16  # pixels
ROUNDING = 1e-3  # of the largest number (of a box: the side of its image): what the order of sums may change on a GPU
# Height and width: images of one call need not be of one size.
SIZES = ((96, 128), (80, 60), (48, 200))


def tiled_images(sizes: Sequence[tuple[int, int]] = SIZES) -> list[Image]:
    """Images of coloured tiles under noise, the same at every call.

    Args:
        sizes: Height and width of each, in pixels.

    Example:
        >>> [image.shape for image in tiled_images()]
        [(96, 128, 3), (80, 60, 3), (48, 200, 3)]
    """
    rng = np.random.default_rng(0)
    images = []
    for height, width in sizes:
        tiles = rng.integers(0, 200, (height // TILE + 1, width // TILE + 1, 3))
        coarse = tiles.repeat(TILE, axis=0).repeat(TILE, axis=1)[:height, :width]
        images.append((coarse + rng.integers(0, 50, coarse.shape)).astype(np.uint8))
    return images


class Examination:
    """One look at an object that somebody else wrote.

    Args:
        subject: The object.

    Attributes:
        subject: The object.
        owner: Its class, for messages.

    Example:
        >>> Examination({}).require("holds something", False, "nothing", "something")
        Traceback (most recent call last):
        ...
        selfmva.errors.PluginError: builtins.dict breaks the rule 'holds something': got nothing, expected something
    """

    def __init__(self, subject: Any) -> None:
        self.subject = subject
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

    def identity(self) -> str:
        """The `identity` of the subject.

        Raises:
            PluginError: It has none, or it is no text.
        """
        identity = self.call("identity", lambda: self.subject.identity)
        self.require("the identity is a text", isinstance(identity, str) and identity != "", repr(identity), "a str")
        return str(identity)

    def named_and_callable(self, protocol: type) -> None:
        """Hold the subject against a protocol of an identity and a call.

        Raises:
            PluginError: It lacks one of them.
        """
        if not offers(self.subject, protocol):
            names = ("identity", "__call__")
            missing = self.call("looking at it", lambda: [name for name in names if not hasattr(self.subject, name)])
            self.fail("has an identity and is called", f"no {', '.join(missing)}", "both")

    def call(self, what: str, function: Callable[[], Any]) -> Any:
        """Call something of the subject.

        Raises:
            PluginError: It raised something.
        """
        try:
            return function()
        except Exception as error:
            raise PluginError(f"{self.owner}: {what} raised {type(error).__name__}: {error}") from error
