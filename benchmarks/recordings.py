"""Without a floor, on recordings of few people: accuracy on unseen instants, honesty of the probabilities, CPU time.

python benchmarks/recordings.py [--seeds 0 1 2]
"""

import argparse
import time

import numpy as np
from _machine import DATA, describe
from tabulate import tabulate

from selfmva import Associator, evaluate, load_dataset

RECORDINGS = {
    "EPFL Campus (11)": ("mvmhat", {"root": DATA / "epfl", "scene": "11"}),
    "EPFL Laboratory (12)": ("mvmhat", {"root": DATA / "epfl", "scene": "12"}),
    "EPFL Passageway (13)": ("mvmhat", {"root": DATA / "epfl", "scene": "13"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    print(describe())
    rows = []
    for title, (name, options) in RECORDINGS.items():
        dataset = load_dataset(name, **options)
        found, seconds = [], []
        for seed in arguments.seeds:
            start = time.process_time()
            associator = Associator(seed=seed, geometry={"floor": False}).fit(dataset)
            seconds.append(time.process_time() - start)
            published = evaluate(associator, dataset, protocol="self-mva")
            own = evaluate(associator, dataset)
            found.append([published.average_precision, own.average_precision, own.f1, own.calibration_error])
        middle, low, high = np.median(found, axis=0), np.min(found, axis=0), np.max(found, axis=0)
        cells = [f"{m:.3f} ({a:.3f} to {b:.3f})" for m, a, b in zip(middle, low, high, strict=True)]
        rows.append([title, *cells, f"{np.median(seconds):.0f}"])
        print(title, *cells, flush=True)
    columns = ("AP self-mva", "AP calibrated", "F1 at 0.5", "ECE", "CPU s a fit")
    print(f"\ntest split, median (least to largest) of {len(arguments.seeds)} seeds")
    print(tabulate(rows, headers=["recording", *columns], tablefmt="github"))


if __name__ == "__main__":
    main()
