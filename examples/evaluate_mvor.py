"""Learn from MVOR's detections and score on its annotated boxes, by both protocols.

python examples/evaluate_mvor.py FOLDER   # holds camma_mvor_2018_v2.json and detections_train.json
"""

import sys

from selfmva import Associator, evaluate, load_dataset


def main(root: str) -> None:
    dataset = load_dataset("mvor", root=root)
    associator = Associator(seed=0).fit(dataset)
    print(associator.fit_report_)
    for split in ("test", "unseen"):
        for protocol in ("self-mva", "calibrated"):
            scores = evaluate(associator, dataset, split=split, protocol=protocol)
            print(f"{split:8s} {protocol:10s} AP {scores.average_precision:.3f}, F1 {scores.f1:.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
