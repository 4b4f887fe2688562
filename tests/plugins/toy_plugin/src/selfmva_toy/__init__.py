"""Two people walk past two cameras."""

import numpy as np

from selfmva.core.types import Frame, View


class Toy:
    """A labelled dataset that needs no file."""

    def __init__(self, length: int = 10) -> None:
        if length < 1:
            raise RuntimeError("a walk takes at least one step")
        self._length = length

    @property
    def views(self) -> tuple[View, ...]:
        return (View("left", 640, 480), View("right", 640, 480))

    @property
    def splits(self) -> dict[str, range]:
        return {"train": range(self._length // 2), "test": range(self._length // 2, self._length)}

    def __len__(self) -> int:
        return self._length

    def frame(self, index: int) -> Frame:
        if not 0 <= index < self._length:
            raise IndexError(index)
        boxes = np.array([[10, 20, 50, 120], [300, 40, 350, 180]]) + np.array([index, 0, index, 0])
        return Frame([boxes, boxes[::-1]], index=index)

    def identities(self, index: int) -> tuple[np.ndarray, ...]:
        return (np.array([0, 1]), np.array([1, 0]))
