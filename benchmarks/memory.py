"""Memory and speed of associate_many over a long stream: must stay flat.

python benchmarks/memory.py [instants]
"""

import gc
import resource
import sys
import time
from pathlib import Path

import torch
from _machine import describe

from selfmva import Associator
from selfmva.datasets.simulated import Simulated


def resident_megabytes() -> float:
    """Memory of this process now, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    instants = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    torch.set_num_threads(1)
    print(describe())
    scene = Simulated(views=4, people=5, instants=instants, seed=0)
    associator = Associator(recipe={"name": "batch", "steps": 300})
    associator.fit(scene.views, [scene.frame(index) for index in range(600)])
    gc.collect()
    start, before = time.process_time(), None
    people = boxes = 0
    for number, association in enumerate(associator.associate_many(map(scene.frame, range(instants))), 1):
        people += len(association.groups())
        boxes += sum(association.frame.counts)
        if number in (instants // 100, *range(instants // 10, instants + 1, instants // 10)):
            now = resident_megabytes()
            before = before or now
            seconds = time.process_time() - start
            print(
                f"{number:7d} instants  {now:7.1f} MB ({now - before:+.1f})  {seconds / number * 1e3:.2f} CPU ms each"
            )
    print(f"{boxes} boxes, {people} people-instants")


if __name__ == "__main__":
    main()
