"""Association of frames of WILDTRACK load: 7 views, 239 boxes, all 21 view pairs; and of a hall with 100 cameras.

OPENBLAS_NUM_THREADS=1 python benchmarks/association.py [repeats]

Without the setting, NumPy's own threads take part, and mostly wait. With `NUMBA_DISABLE_JIT=1`, NumPy does what numba
compiles where it is installed.

One frame and its parts on one thread, then a stream on one thread and on two, and where its time goes: with the
embedding, and on the floor alone. Then frames of a hundred cameras that overlap with few others.
"""

import cProfile
import pstats
import sys
import time

import numpy as np
import torch
from _machine import DATA, describe
from _wide_hall import WideHall, true_model

from selfmva import Frame, load_dataset
from selfmva.association.associator import Associator
from selfmva.core.compiled import is_available
from selfmva.core.view_pairs import view_pairs
from selfmva.encoders.box import EMBEDDING_DIM
from selfmva.matching.assignment import solve
from selfmva.matching.distances import pairwise_distances

BOXES = 239
STREAM = 200  # frames
PARTS = {  # functions of the profile, from the outside in
    "associate_frames": "everything",
    "find_edges": "  pairs that may be one person, and their log-odds",
    "embed": "    embeddings",
    "read_boxes_on_floor": "    readings on the floor",
    "pairs_on_floor": "    distances on the floor",
    "posteriors_of_edges": "  posteriors",
    "marginals_of_edges": "    matching marginals",
    "group_edges": "  groups",
    "largest_sum": "    of these, assignment problems",
}


def load_frames() -> tuple[tuple, list[Frame], list[Frame]]:
    """Views, all instants of the detections to train on, and those with 239 boxes."""
    dataset = load_dataset("wildtrack", root=DATA / "wildtrack")
    frames = [dataset.frame(index) for index in dataset.splits["train"]]
    busy = [frame for frame in frames if sum(frame.counts) >= BOXES]
    return dataset.views, frames, [cut(frame) for frame in busy]


def cut(frame: Frame) -> Frame:
    """The frame without the last boxes of its fullest views, 239 boxes in all."""
    boxes = list(frame.boxes)
    while sum(map(len, boxes)) > BOXES:
        fullest = max(range(len(boxes)), key=lambda view: len(boxes[view]))
        boxes[fullest] = boxes[fullest][:-1]
    return Frame(boxes, index=frame.index)


def cpu_milliseconds(function, inputs) -> tuple[float, float, float]:
    """Median and quartiles of the CPU time of one call."""
    taken = []
    for value in inputs:
        start = time.process_time()
        function(value)
        taken.append((time.process_time() - start) * 1e3)
    return tuple(np.percentile(taken, [50, 25, 75]))


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    torch.set_num_threads(1)
    print(describe(), "numba" if is_available() else "NumPy alone", sep="; ")
    views, recording, frames = load_frames()
    # The floor and the tables are learnt as always. Speed does not depend on the weights of the encoder.
    associator = Associator(recipe={"name": "batch", "steps": 1}).fit(views, recording)
    encoder = associator.encoder_
    frames = (frames * (repeats // len(frames) + 1))[: repeats + 3]
    numbers = np.repeat(np.arange(7), frames[0].counts)
    inputs = [(torch.from_numpy(np.concatenate(f.boxes)).float(), np.array(f.counts)) for f in frames]

    def embed(item):
        boxes, counts = item
        with torch.inference_mode():
            return encoder(boxes, torch.from_numpy(np.repeat(np.arange(7), counts)))

    def distances(item):
        with torch.inference_mode():
            return pairwise_distances(item).numpy()

    def assignment(item):
        matrix, counts = item
        ends = np.cumsum(counts)
        width = counts.max()
        costs = np.zeros((21, width, width), dtype=np.float32)
        pairs = view_pairs(7)
        for number, (i, j) in enumerate(pairs):
            block = matrix[ends[i] - counts[i] : ends[i], ends[j] - counts[j] : ends[j]]
            costs[number, : counts[i], : counts[j]] = block
        return solve(costs, [counts[i] for i, _ in pairs], [counts[j] for _, j in pairs])

    def core(item):
        return assignment((distances(embed(item)), item[1]))

    layers = [torch.randn(EMBEDDING_DIM, EMBEDDING_DIM) for _ in range(3)]

    start = torch.randn(BOXES, EMBEDDING_DIM)

    def floor(_):
        x = start
        for layer in layers:
            x = torch.nn.functional.linear(x, layer)

    embedded = [embed(item) for item in inputs]
    matrices = [(distances(item), counts) for item, (_, counts) in zip(embedded, inputs, strict=True)]
    assert len(numbers) == BOXES
    rows = [
        ("floor: the three 768-wide layers alone", floor, inputs),
        ("forward", embed, inputs),
        ("distances, all boxes", distances, embedded),
        ("assignment, 21 view pairs", assignment, matrices),
        ("forward, distances and assignment", core, inputs),
        ("associate(): the same with posteriors, groups and checks", associator.associate, frames),
    ]
    print(f"\nCPU ms a frame, {repeats} frames: median (quartiles)")
    for name, function, values in rows:
        for value in values[:3]:  # warm up
            function(value)
        middle, low, high = cpu_milliseconds(function, values[3:])
        print(f"{name:60s} {middle:6.2f} ({low:.2f} to {high:.2f})")
    stream = [frames[number % len(frames)] for number in range(STREAM)]
    print_rates(associator, stream)
    print_profile(associator, stream)
    print_floor_alone(views, recording, frames)


def print_floor_alone(views: tuple, recording: list[Frame], frames: list[Frame]) -> None:
    """Frames of rigs that know a floor and nothing else: where most pairs of views overlap, and where few do."""
    hall = WideHall(views=100, people=34, instants=40)
    rigs = {
        "WILDTRACK, the floor alone": (Associator(recipe="geometry").fit(views, recording), frames),
        "100 cameras, the floor alone": (Associator.from_model(true_model(hall)), [hall.frame(t) for t in range(40)]),
    }
    for name, (rig, busy) in rigs.items():
        boxes = np.mean([sum(frame.counts) for frame in busy])
        for frame in busy[:3]:  # warm up
            rig.associate(frame)
        middle, low, high = cpu_milliseconds(rig.associate, busy)
        print(f"\n{name}, {boxes:.0f} boxes: CPU ms of associate() {middle:.2f} ({low:.2f} to {high:.2f})")
        stream = [busy[number % len(busy)] for number in range(STREAM)]
        print_rates(rig, stream)
        print_profile(rig, stream)


def print_rates(associator: Associator, stream: list[Frame]) -> None:
    """Frames a second of a stream, on one thread and on two."""
    print(f"\nassociate_many(), {STREAM} frames: frames a second by the clock, median (quartiles) of 5; CPU ms a frame")
    for threads in (1, 2):
        rates, used = [], []
        for _ in range(5):
            start, cpu = time.perf_counter(), time.process_time()
            for _association in associator.associate_many(stream, threads=threads):
                pass
            rates.append(STREAM / (time.perf_counter() - start))
            used.append(1e3 * (time.process_time() - cpu) / STREAM)
        low, middle, high = np.percentile(rates, [25, 50, 75])
        print(f"{threads} threads {middle:29.1f} ({low:.1f} to {high:.1f}) {np.median(used):20.1f}")


def print_profile(associator: Associator, stream: list[Frame]) -> None:
    """Shares of the time of a stream on one thread, by part."""
    profile = cProfile.Profile()
    profile.runcall(list, associator.associate_many(stream))
    times: dict[str, float] = {}
    for (_, _, name), (_, _, _, cumulative, _) in pstats.Stats(profile).stats.items():
        if name in PARTS:
            times[name] = times.get(name, 0.0) + cumulative
    print("\nWhere the time goes (under a profiler)")
    for name, title in PARTS.items():
        print(f"{title:40s} {times.get(name, 0.0) / times['associate_frames']:6.1%}")


if __name__ == "__main__":
    main()
