"""MVOR, geometry only: the published recipe against the batch recipe, accuracy and CPU time in one run.

python benchmarks/mvor.py [--seeds 0 1 2] [--epochs 80] [--recipes published batch]
"""

import argparse
import time

import numpy as np
from _machine import DATA, describe
from tabulate import tabulate

from selfmva import Associator, evaluate, load_dataset

SPLITS = ("validation", "test", "unseen")
COLUMNS = ("average_precision", "fpr_95", "precision", "recall", "accuracy", "ipaa_100")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--recipes", nargs="+", default=["published", "batch"])
    arguments = parser.parse_args()
    print(describe())
    dataset = load_dataset("mvor", root=DATA / "mvor")
    # The first optimizer of a process imports for over a second; that is not the cost of either recipe.
    Associator(recipe={"name": "published", "epochs": 1}).fit(dataset)
    rows = []
    for name in arguments.recipes:
        recipe = {"name": name} | ({"epochs": arguments.epochs} if name == "published" else {})
        scores, seconds, samples = {split: [] for split in SPLITS}, [], []
        calibrated = {split: [] for split in SPLITS}
        for seed in arguments.seeds:
            steps = []
            start = time.process_time()
            associator = Associator(seed=seed, recipe=recipe).fit(dataset, callbacks=[steps.append])
            seconds.append(time.process_time() - start)
            taken = sum(state.loss is not None for state in steps)
            samples.append(seconds[-1] / taken * 1e3)
            for split in SPLITS:
                published = evaluate(associator, dataset, split=split, protocol="self-mva", similarity_threshold=0.0)
                scores[split].append([getattr(published, column) for column in COLUMNS])
                own = evaluate(associator, dataset, split=split, protocol="calibrated")
                calibrated[split].append([own.average_precision, own.f1, own.calibration_error])
            ranking = ", ".join(f"{split} {scores[split][-1][0]:.3f}" for split in SPLITS)
            print(
                f"{name}, seed {seed}: {seconds[-1]:.0f} CPU s, {samples[-1]:.2f} CPU ms a step taken, AP {ranking}",
                flush=True,
            )
        for split in SPLITS:
            mean, spread = np.mean(scores[split], axis=0), np.std(scores[split], axis=0)
            own = np.mean(calibrated[split], axis=0)
            cells = [f"{m:.3f} +- {s:.3f}" for m, s in zip(mean, spread, strict=True)]
            rows.append([name, split, *cells, *(f"{value:.3f}" for value in own)])
        print(
            f"{name}: {np.mean(seconds):.1f} CPU s a fit ({min(seconds):.1f} to {max(seconds):.1f}), "
            f"{np.mean(samples):.2f} CPU ms a step taken"
        )
    own_columns = ("calibrated AP", "calibrated F1", "ECE")
    print(tabulate(rows, headers=["recipe", "split", *COLUMNS, *own_columns], tablefmt="github"))


if __name__ == "__main__":
    main()
