"""Appearance: crops a second, features a second, and what the cache saves.

python benchmarks/appearance.py [repeats]

Crops: 100 boxes of MultiviewX's size cut out of one of its images, on one thread and on two, beside roi_align and a
loop of cv2.resize. Features: the re-ID network of the tests. Cache: all images of MultiviewX with their labelled boxes.
"""

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from _machine import DATA, describe
from tabulate import tabulate
from torchvision.ops import roi_align

from selfmva import Frame
from selfmva.encoders import OnnxAppearance, cut_crops
from selfmva.io import ArrayCache, SynchronizedReader, read_image
from selfmva.io.video.fingerprints import _content_of
from selfmva.perception import observe

SIZE = (256, 128)
CROPS = 100
ROOT = DATA / "multiviewx"
NETWORK = DATA / "weights" / "osnet_x0_25_msmt17.onnx"


def labelled_frames() -> list[Frame]:
    """The boxes of all people, occluded ones too."""
    frames = []
    for instant in range(10):
        people = json.loads((ROOT / f"annotations_positions/{instant + 1:05d}.json").read_text())
        seen = [[p["views"][view] for p in people if p["views"][view]["xmin"] != -1] for view in range(6)]
        boxes = [[[box[side] for side in ("xmin", "ymin", "xmax", "ymax")] for box in view] for view in seen]
        frames.append(Frame(boxes, index=instant))
    return frames


def resized_in_a_loop(image, boxes):
    """What most people write; whole pixels only, and boxes inside the image."""
    whole = boxes.round().astype(int)
    return np.stack([cv2.resize(image[y1:y2, x1:x2], SIZE[::-1]) for x1, y1, x2, y2 in whole])


def roi_aligned(image, boxes):
    """The peer for exact crops."""
    planes = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    return roi_align(planes, [torch.from_numpy(boxes).float()], SIZE, 1.0, 1, True)


def seconds(function) -> tuple[float, float]:
    """By the clock, and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def crop_rows(image, repeats: int) -> list[dict[str, object]]:
    """All ways in turn, again and again, so that what else runs on the machine hits all alike."""
    rng = np.random.default_rng(0)
    height = rng.uniform(150, 500, CROPS)
    width = height * rng.uniform(0.3, 0.5, CROPS)
    corner = rng.uniform(0, 1, (CROPS, 2)) * (np.array([1920, 1080]) - np.stack([width, height], axis=1))
    boxes = np.concatenate([corner, corner + np.stack([width, height], axis=1)], axis=1)
    ways = {"cut_crops": cut_crops, "roi_align": roi_aligned, "loop of cv2.resize": resized_in_a_loop}
    rows = []
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        torch.set_num_threads(threads)
        taken = {name: [] for name in ways}
        for _ in range(repeats + 2):
            for name, way in ways.items():
                taken[name].append(seconds(lambda way=way: way(image, boxes)))
        for name, times in taken.items():
            wall, cpu = CROPS / np.array(times[2:]).T
            low, middle, high = np.percentile(wall, [25, 50, 75])
            spread = f"{low:.0f} to {high:.0f}"
            rows.append(
                {"crops": name, "threads": threads, "a second": middle, "quartiles": spread, "a CPU s": np.median(cpu)}
            )
    return rows


def feature_rows(frames: list[Frame], images: list, repeats: int) -> list[dict[str, object]]:
    """Crops, network and all, for the six images of an instant."""
    rows = []
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        encoder = OnnxAppearance(NETWORK, threads=threads)
        times = np.array(
            [seconds(lambda encoder=encoder: encoder(images, frames[0].boxes)) for _ in range(repeats + 1)]
        )
        wall, cpu = np.median(sum(frames[0].counts) / times[1:], axis=0)
        rows.append({"features": "osnet_x0_25, ONNX", "threads": threads, "a second": wall, "a CPU s": cpu})
    return rows


def cache_rows(frames: list[Frame]) -> list[dict[str, object]]:
    """The first pass fills the cache, each in a file of its own; the second one finds all in it."""
    rows = []
    encoder = OnnxAppearance(NETWORK)
    for number in range(3):
        with TemporaryDirectory() as folder, open_reader() as reader:
            passes = []
            for _ in range(2):
                _content_of.cache_clear()  # as in a new process, the files are hashed anew
                with ArrayCache(Path(folder)) as cache:
                    frames_seen = observe(reader, frames=frames, appearance=encoder, cache=cache)
                    passes.append(seconds(lambda frames_seen=frames_seen: list(frames_seen)))
            plain, _ = seconds(lambda reader=reader: list(observe(reader, frames=frames, appearance=encoder)))
        (first, _), (second, _) = passes
        rows.append({"run": number, "no cache s": plain, "first s": first, "second s": second, "ratio": first / second})
    return rows


def open_reader() -> SynchronizedReader:
    return SynchronizedReader([ROOT / f"Image_subsets/C{view + 1}" for view in range(6)], rate=2)


def show(rows: list[dict[str, object]], digits: str) -> None:
    print("\n" + tabulate(rows, headers="keys", tablefmt="github", floatfmt=digits), flush=True)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(describe())
    print("load       " + " ".join(f"{load:.1f}" for load in os.getloadavg()) + " (1, 5, 15 minutes)")
    frames = labelled_frames()
    images = [read_image(ROOT / f"Image_subsets/C{view + 1}/0000.jpg") for view in range(6)]
    show(crop_rows(images[0], repeats), ".0f")
    show(feature_rows(frames, images, 5), ".0f")
    show(cache_rows(frames), ".3f")


if __name__ == "__main__":
    main()
