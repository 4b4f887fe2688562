"""`selfmva datasets`: which data sets there are, whether one keeps the contract, and the package of a new one."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import asdict

from selfmva.cli.arguments import add_dataset_options, read_dataset
from selfmva.cli.common import Parser, add_output_options, print_json, print_plugins, print_table

EPILOG = """\
examples:
  selfmva datasets
  selfmva datasets --json
  selfmva datasets check mvor --root data/mvor
  selfmva datasets check simulated --option people=5
  selfmva datasets new parking-garage
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command and its own ones, `check` and `new`."""
    parser = subparsers.add_parser(
        "datasets",
        help="list data sets, check one, or begin a new one",
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
    new = actions.add_parser(
        "new",
        help="write the package of a data set of your own",
        description="Write a package that makes a data set of your own known to selfmva: an adapter that reads a "
        "folder with two tables of cameras and boxes, and its tests. It works as it is; its README says what the "
        "tables hold and what to change for data that look otherwise.",
        epilog="examples:\n  selfmva datasets new parking-garage\n  selfmva datasets new yard --folder plugins/yard\n",
    )
    new.add_argument("name", metavar="NAME", help="of the data set: lower-case letters, digits and hyphens")
    new.add_argument("--folder", metavar="DIR", help="a new or an empty folder (default: selfmva-NAME)")
    add_output_options(new, progress=False, default=argparse.SUPPRESS)
    new.set_defaults(run=write_new, parser=new)


def list_all(args: argparse.Namespace) -> int:
    """Print which data sets there are."""
    from selfmva.datasets import list_datasets

    print_plugins("datasets", list_datasets(), as_json=args.json)
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
        views = [asdict(view) for view in dataset.views]
        print_json({"name": args.name, "labelled": labelled, "views": views, "splits": splits})
    else:
        sizes = ", ".join(f"{view.name} {view.width} x {view.height}" for view in dataset.views)
        print(f"{args.name} keeps the contract; {'with' if labelled else 'without'} identities\n{sizes}\n")
        print_table([(name, *split.values()) for name, split in splits.items()], ("split", "instants", "boxes"))
    return 0


def write_new(args: argparse.Namespace) -> int:
    """Write the package of a plug-in and print what to do with it."""
    from selfmva.cli.plugin_package import write_plugin_package

    paths = write_plugin_package(args.name, args.folder)
    folder = str(paths[0].parent)
    if args.json:
        print_json({"name": args.name, "folder": folder, "files": [str(path) for path in paths]})
    else:
        print("\n".join(["Wrote", *(f"  {path}" for path in paths), "", "Next"]))
        print(f"  cd {shlex.quote(folder)}\n  pip install -e '.[test]'\n  pytest")
    return 0
