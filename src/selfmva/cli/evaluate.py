"""`selfmva evaluate`: score an associator against who was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.cli.arguments import add_dataset_options, load_model, read_dataset
from selfmva.cli.common import Parser, UsageError, add_output_options, print_json, print_table, say
from selfmva.cli.evaluate_tracks import are_tracks, score_tracks

if TYPE_CHECKING:
    import argparse

    from selfmva.metrics.evaluate import Protocol

EPILOG = """\
examples:
  selfmva evaluate my-rig --dataset folder --root data/my-rig --split test
  selfmva evaluate mvor-model --dataset mvor --root data/mvor --split unseen --protocol both
  selfmva evaluate tracks.csv --truth labels.csv
  selfmva evaluate published.pth.tar --dataset wildtrack --root data/wildtrack --protocol self-mva

Figures of different protocols must not be compared with each other. Tracks, of `selfmva track` or `associate`, get
CLEAR MOT, identity and HOTA scores; --truth is a table, a .json of boxes with track ids, or MOT text, whose ids are
the people.
"""
PROTOCOLS: tuple[Protocol, ...] = ("calibrated", "self-mva")


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score on labelled instants",
        description="Score an associator on the labelled instants of a data set: precision, recall and more, under "
        "the calibrated protocol or the published one. Or score tracks: ids over time against who was there.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "model",
        metavar="MODEL or TRACKS",
        help="of `selfmva fit`, wildtrack, mvor, a hub repository, or a published .pth.tar checkpoint; or a file of "
        "`selfmva track`",
    )
    labels = parser.add_mutually_exclusive_group(required=True)
    labels.add_argument("--dataset", metavar="NAME", help="a data set that `selfmva datasets` lists")
    labels.add_argument("--truth", metavar="FILE", help="who was there, for tracks")
    add_dataset_options(parser)
    parser.add_argument("--split", default="test", help="split of the data set (default: test)")
    parser.add_argument(
        "--protocol", choices=(*PROTOCOLS, "both"), default="calibrated", help="how to score (default: calibrated)"
    )
    parser.add_argument(
        "--similarity-threshold",
        metavar="S",
        type=float,
        help="least similarity of a match under self-mva (default: the data set's published one)",
    )
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1, or auto")
    add_output_options(parser, progress=False)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Score and print."""
    if are_tracks(args.model):
        return score_tracks(args)
    if args.truth is not None:
        raise UsageError(f"--truth goes with tracks, and {args.model!r} is a model: give --dataset")
    if args.similarity_threshold is not None and args.protocol == "calibrated":
        raise UsageError("--similarity-threshold goes with --protocol self-mva or both")
    from selfmva.metrics import evaluate

    dataset = read_dataset(args.dataset, args)
    associator = load_model(args.model, dataset, args.device)
    protocols = [protocol for protocol in PROTOCOLS if args.protocol in (protocol, "both")]
    if "calibrated" in protocols and associator.tables_ is None:
        say("warning", f"{args.model} holds no probabilities, so the calibrated protocol scores similarities instead")
    scores = {
        protocol: evaluate(
            associator,
            dataset,
            split=args.split,
            protocol=protocol,
            similarity_threshold=args.similarity_threshold,
        ).to_dict()
        for protocol in protocols
    }
    if args.json:
        print_json({"model": args.model, "dataset": args.dataset, "split": args.split, "scores": scores})
    else:
        print(f"{args.model} on {args.dataset}, split {args.split}\n")
        names = next(iter(scores.values()))
        rows = [(name.replace("_", " "), *(scores[protocol][name] for protocol in protocols)) for name in names]
        print_table(rows, ("", *protocols))
    return 0
