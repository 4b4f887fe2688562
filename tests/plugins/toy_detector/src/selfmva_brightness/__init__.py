"""People in white coats, in front of anything darker."""

from collections.abc import Sequence

import cv2
import numpy as np

from selfmva.detectors import Detections


class Brightness:
    """Bright spots that stand upright.

    Args:
        level: From which grey value on a pixel is bright, 0 to 255, as text.
        least_score: Spots that fill less of their box are dropped.
        device: Not used: there is no network.
    """

    def __init__(self, level: str = "200", *, least_score: float = 0.5, device: str = "cpu") -> None:
        self._level, self._least_score = int(level), least_score
        self.identity = f"brightness 1 level={self._level} least_score={least_score}"  # changes whenever boxes may

    def __call__(self, images: Sequence[np.ndarray]) -> list[Detections]:
        return [self._find(image) for image in images]

    def _find(self, image: np.ndarray) -> Detections:
        bright = (image.min(axis=2) >= self._level).astype(np.uint8)
        _, _, spots, _ = cv2.connectedComponentsWithStats(bright)
        x, y, width, height, area = spots[1:].T.astype(np.float64)  # the first is the background
        scores = area / (width * height)
        kept = (height > width) & (scores >= self._least_score)
        return Detections(np.stack([x, y, x + width, y + height], axis=1)[kept], scores[kept])
