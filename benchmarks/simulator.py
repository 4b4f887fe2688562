"""How long the simulator takes: 10,000 instants of 4 views with 10 people on average, one core.

Run: python benchmarks/simulator.py
"""

from __future__ import annotations

import os
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

from _machine import describe

from selfmva.datasets.simulated import Simulated

REPEATS = 5


def main() -> None:
    print(describe())
    seconds, reading = [], []
    for repeat in range(REPEATS):
        start = time.perf_counter()
        recording = Simulated(views=4, people=10, instants=10_000, seed=repeat)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        boxes = sum(sum(recording.frame(index).counts) for index in range(len(recording)))
        reading.append(time.perf_counter() - start)
    print(f"repeats   {REPEATS}, the last of {boxes} boxes")
    for what, values in (("simulate", seconds), ("read all", reading)):
        print(f"{what}  median {statistics.median(values):.2f} s, {min(values):.2f} to {max(values):.2f} s")


if __name__ == "__main__":
    main()
