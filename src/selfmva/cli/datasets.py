"""`selfmva datasets`: which data sets there are, and whether one keeps the contract."""

from __future__ import annotations

import argparse

from selfmva.cli.arguments import add_dataset_options, read_dataset
from selfmva.cli.common import Parser, add_output_options, print_json, print_table

EPILOG = """\
examples:
  selfmva datasets
  selfmva datasets --json
  selfmva datasets check mvor --root data/mvor
  selfmva datasets check simulated --option people=5
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command and its own one, `check`."""
    parser = subparsers.add_parser(
        "datasets",
        help="list data sets, or check one",
        description="List the data sets that are installed, built in or from plug-ins; none is loaded for that.",
        epilog=EPILOG,
    )
    add_output_options(parser, progress=False)
    parser.set_defaults(run=list_all, parser=parser)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="read a data set and hold it against the contract",
        description="Read everything that a data set offers, twice, hold it against the contract of an adapter, and "
        "print its cameras and splits.",
        epilog="examples:\n  selfmva datasets check wildtrack --root data/wildtrack\n",
    )
    check.add_argument("name", metavar="NAME", help="a data set that `selfmva datasets` lists")
    add_dataset_options(check)
    add_output_options(check, progress=False, default=argparse.SUPPRESS)
    check.set_defaults(run=check_one, parser=check)


def list_all(args: argparse.Namespace) -> int:
    """Print which data sets there are."""
    from dataclasses import asdict

    from selfmva.datasets import list_datasets

    entries = list_datasets()
    if args.json:
        print_json({"datasets": [asdict(entry) for entry in entries]})
    else:
        print_table([(e.name, e.distribution, e.error or "ok") for e in entries], ("name", "distribution", "state"))
    return 0


def check_one(args: argparse.Namespace) -> int:
    """Check an adapter and print what it holds."""
    from selfmva.datasets import LabelledDataset, check_adapter

    dataset = read_dataset(args.name, args)
    check_adapter(dataset)
    labelled = isinstance(dataset, LabelledDataset)
    splits = {
        name: {"instants": len(indices), "boxes": sum(sum(dataset.frame(index).counts) for index in indices)}
        for name, indices in dataset.splits.items()
    }
    if args.json:
        views = [{"name": view.name, "width": view.width, "height": view.height} for view in dataset.views]
        print_json({"name": args.name, "labelled": labelled, "views": views, "splits": splits})
    else:
        sizes = ", ".join(f"{view.name} {view.width} x {view.height}" for view in dataset.views)
        print(f"{args.name} keeps the contract; {'with' if labelled else 'without'} identities\n{sizes}\n")
        print_table([(name, *split.values()) for name, split in splits.items()], ("split", "instants", "boxes"))
    return 0
