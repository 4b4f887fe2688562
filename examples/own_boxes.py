"""From arrays of boxes to ids: what a user with cameras and a detector writes.

Here a simulated scene plays the cameras and the detector; put your own boxes in its place. Nothing is downloaded.

    python examples/own_boxes.py [steps]
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from selfmva import Associator, View
from selfmva.datasets.simulated import Simulated


def main(steps: int = 400) -> None:
    scene = Simulated(views=3, people=4, instants=500, seed=0)

    # One view per camera, and boxes[t][v]: an (N, 4) array of x1, y1, x2, y2 in pixels.
    views = [View(name, 1280, 720) for name in ("door", "window", "hall")]
    boxes = [list(scene.frame(t).boxes) for t in range(400)]

    associator = Associator(seed=0, recipe={"name": "batch", "steps": steps})
    associator.fit(views, boxes)
    print(associator.fit_report_)

    association = associator.associate(scene.frame(450).boxes)
    print(association)
    print("ids of the boxes in each view:", [ids.tolist() for ids in association.ids])
    print("boxes of door and window that are one person:", association.matches(0, 1).tolist())
    print("how sure:", association.probability(0, 1).round(2).tolist())

    with TemporaryDirectory() as folder:
        associator.save_pretrained(Path(folder) / "my-rig")
        again = Associator.from_pretrained(Path(folder) / "my-rig")
        print("saved, loaded, the same:", again.associate(scene.frame(450).boxes).groups() == association.groups())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
