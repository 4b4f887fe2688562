"""The images of one camera with their times: what every source of images has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from selfmva.core.scalars import integer

if TYPE_CHECKING:
    from types import TracebackType

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray


@runtime_checkable
class ImageSource(Protocol):
    """The images of one camera, each with its time.

    Attributes:
        name: Of the camera.
        width: Of the images, in pixels.
        height: Of the images, in pixels.
        rate: Images a second, apart from gaps.
        times: `(T,)` float64, when each image was taken, in seconds, ascending.
    """

    name: str
    width: int
    height: int
    rate: float
    times: FloatArray

    def __len__(self) -> int: ...

    def read(self, index: int) -> Image:
        """Image number `index`, `(H, W, 3)` uint8 RGB; the one after the last that was read comes fastest."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Closing:
    """What lets go of its files at the end of its block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files."""


class Source(Closing):
    """What all sources share: they end with their block, and check what is asked of them."""

    def __init__(self, name: str, size: tuple[int, int], times: FloatArray, rate: float) -> None:
        self.name = name
        self.width: int = size[0]
        self.height: int = size[1]
        self.times = times
        self.rate = rate

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        size = f"{self.width} x {self.height}"
        return f"{type(self).__name__}({self.name!r}, {len(self)} images of {size} at {self.rate:g} a second)"

    def checked(self, index: Any) -> int:
        """The number of an image.

        Raises:
            InputError: There is no such image.
        """
        return integer(index, f"{self.name}: the number of an image", least=0, most=len(self) - 1)
