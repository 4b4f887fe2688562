"""`selfmva associate`: give every box of a recording the id of its person."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.cli.arguments import (
    add_dataset_options,
    file_ending_in,
    frames_of_split,
    load_model,
    positive,
    read_dataset,
)
from selfmva.cli.common import Parser, UsageError, add_output_options, make_folder, print_json
from selfmva.cli.progress import progress_of
from selfmva.errors import DataError, require

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from selfmva.association import Association
    from selfmva.types import Frame

EPILOG = """\
examples:
  selfmva associate my-rig --boxes today.csv --out people.csv
  selfmva associate my-rig --boxes today.json --out people.json --picture pictures --every 50
  selfmva associate wildtrack-model --dataset wildtrack --root data/wildtrack --split test --out people.parquet

The table has one row per box: frame, view, view_name, box, id, x1, y1, x2, y2 and, where known, score and track_id.
The .json is the detection format of Self-MVA, with ids as track ids. An id holds for its instant alone.
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "associate",
        help="say who is who in a recording",
        description="Say which boxes of different cameras are the same person, instant by instant.",
        epilog=EPILOG,
    )
    parser.add_argument("model", metavar="MODEL", help="a folder made by `selfmva fit`, or a hub repository")
    parser.add_argument("--boxes", metavar="FILE", help="boxes of all cameras: .json, .csv, .parquet, or MOT")
    parser.add_argument("--dataset", metavar="NAME", help="a data set that `selfmva datasets` lists, instead of boxes")
    add_dataset_options(parser)
    parser.add_argument("--split", help="split of the data set (default: test)")
    parser.add_argument(
        "--out",
        metavar="FILE",
        required=True,
        type=file_ending_in(".csv", ".parquet", ".json"),
        help="the result: a .csv or .parquet table, or a .json file",
    )
    parser.add_argument("--picture", metavar="DIR", help="also draw instants there")
    parser.add_argument("--every", metavar="N", type=positive, help="draw every N-th instant (default: 1)")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Associate and write."""
    _check(args)
    pack, write = _FORMATS[args.out.suffix.lower()]
    parts: list[Any] = []  # probabilities are let go instant by instant, so that a long recording fits into memory
    counts: Counter[str] = Counter()
    for association in _stream(args):
        parts.append(pack(association))
        counts.update(_count(association))
    write(args.out, parts)
    if args.json:
        print_json({"out": str(args.out), **counts, "pictures": args.picture})
    else:
        print(
            "{boxes} boxes in {instants} instants: {shared} of {people} people are seen in several views".format(
                **counts
            )
        )
        print(f"saved to {args.out}" + ("" if args.picture is None else f", pictures to {args.picture}"))
    return 0


def _check(args: argparse.Namespace) -> None:
    """Find out before the work what would stop it at its end."""
    if (args.boxes is None) == (args.dataset is None):
        raise UsageError("give either --boxes or --dataset")
    if args.split is not None and args.dataset is None:
        raise UsageError("--split goes with --dataset")
    if args.every is not None and args.picture is None:
        raise UsageError("--every goes with --picture")
    if args.out.suffix.lower() == ".parquet":
        require("pyarrow", "parquet")
    make_folder(args.out.parent)
    if args.picture is not None:
        make_folder(args.picture)


def _stream(args: argparse.Namespace) -> Iterator[Association]:
    """One association after the other; pictures are drawn on the way."""
    dataset = None if args.dataset is None else read_dataset(args.dataset, args)
    associator = load_model(args.model, dataset, args.device)
    if dataset is None:
        from selfmva.io import resolve_boxes

        read = resolve_boxes(args.boxes, associator.views_)
        if not read:
            raise DataError(f"there is no instant in {args.boxes}: nothing to associate")
        total, frames = len(read), iter(read)
    else:
        total, frames = frames_of_split(dataset, args.split or "test")
    with progress_of(args) as progress:
        for number, association in enumerate(associator.associate_many(frames)):
            if args.picture is not None and number % (args.every or 1) == 0:
                _draw(Path(args.picture) / f"{association.index:06d}.png", association)
            yield association
            progress("associate", number + 1, total)


def _draw(path: Path, association: Association) -> None:
    from selfmva.viz import draw_association, save_image

    save_image(path, draw_association(association.frame, association.ids, association.views))


def _count(association: Association) -> dict[str, int]:
    """Instants, boxes, people, and people seen in several views."""
    import numpy as np

    ids = np.concatenate(association.ids)
    seen_in = np.unique(ids, return_counts=True)[1]
    return {"instants": 1, "boxes": len(ids), "people": len(seen_in), "shared": int((seen_in > 1).sum())}


def _pack_frame(association: Association) -> Frame:
    return replace(association.frame, track_ids=association.ids)


def _write_frames(path: Path, frames: Sequence[Frame]) -> None:
    from selfmva.io import write_selfmva

    write_selfmva(path, frames)


def _pack_table(association: Association) -> pd.DataFrame:
    return association.to_dataframe()


def _write_table(path: Path, tables: Sequence[pd.DataFrame]) -> None:
    import pandas as pd

    from selfmva.io import atomic_write

    table = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    with atomic_write(path) as temporary:
        if path.suffix.lower() == ".parquet":
            table.to_parquet(temporary, engine="pyarrow", index=False)
        else:
            table.to_csv(temporary, index=False)


_FORMATS: dict[str, tuple[Callable[[Any], Any], Callable[[Path, Any], None]]] = {
    ".csv": (_pack_table, _write_table),
    ".parquet": (_pack_table, _write_table),
    ".json": (_pack_frame, _write_frames),
}
