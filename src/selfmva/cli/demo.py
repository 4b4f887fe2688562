"""`selfmva demo`: learn from a simulated scene and show what that was worth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from selfmva.cli.arguments import positive
from selfmva.cli.common import Parser, add_output_options, make_folder, print_json, print_table
from selfmva.cli.pictures import save_floor
from selfmva.cli.progress import progress_of

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from selfmva.association.associator import Associator
    from selfmva.datasets.simulated import Simulated
    from selfmva.metrics import AssociationScores

PICTURE = "association.png"
SCORES = ("average_precision", "precision", "recall", "f1", "accuracy", "calibration_error")
# 300 steps leave some scenes half learnt; 500 reach an average precision of 0.97 to 0.99 on those of seeds 0 to 4.
STEPS = 500

EPILOG = """\
examples:
  selfmva demo
  selfmva demo --views 3 --people 10 --seed 7 --out my-demo
  selfmva demo --json --quiet
"""


def add_parser(subparsers: argparse._SubParsersAction[Parser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "demo",
        help="see it work on a simulated scene",
        description="Simulate people and cameras, learn from the boxes alone, associate instants that were never "
        "seen, and compare with chance and with cameras whose calibration is known. Takes about half a minute.",
        epilog=EPILOG,
    )
    for name, default, what in (
        ("views", 4, "number of cameras"),
        ("people", 6, "people present on average"),
        ("instants", 600, "length of the recording"),
        ("steps", STEPS, "steps of the training"),
    ):
        parser.add_argument(f"--{name}", type=positive, default=default, help=f"{what} (default: {default})")
    parser.add_argument("--seed", type=int, default=0, help="source of every random choice (default: 0)")
    parser.add_argument(
        "--out", metavar="FOLDER", default="selfmva-demo", help="for model and picture (default: selfmva-demo)"
    )
    add_output_options(parser)
    parser.set_defaults(run=run, parser=parser)


def run(args: argparse.Namespace) -> int:
    """Simulate, fit, associate, score, draw."""
    from selfmva.association.associator import Associator
    from selfmva.cli.baselines import score_chance, score_known_calibration
    from selfmva.datasets.simulated import Simulated
    from selfmva.metrics import evaluate

    started = time.monotonic()
    scene = Simulated(views=args.views, people=args.people, instants=args.instants, seed=args.seed)
    associator = Associator(seed=args.seed, recipe={"name": "batch", "steps": args.steps})
    folder = make_folder(args.out)
    if not args.json:
        print(_introduction(args, scene), flush=True)
    with progress_of(args) as progress:
        associator.fit(scene, progress=progress)
    scores = {
        "chance": score_chance(associator, scene, seed=args.seed),
        "selfmva": evaluate(associator, scene),
        "known calibration": score_known_calibration(scene),
    }
    associator.save_pretrained(folder)
    picture = folder / PICTURE
    _draw(picture, associator, scene)
    floor = save_floor(folder, associator, [scene.frame(index) for index in scene.splits["test"]])
    seconds = time.monotonic() - started
    if args.json:
        values = {name.replace(" ", "_"): _chosen(score) for name, score in scores.items()}
        print_json(
            {
                "scores": values,
                "report": associator.fit_report_.to_dict(),
                "model": str(folder),
                "picture": str(picture),
                "floor_picture": None if floor is None else str(floor),
                "seconds": seconds,
            }
        )
    else:
        _print_scores(scores)
        on_floor = len(associator.fit_report_.views_on_floor)
        found = "none was found" if floor is None else f"{floor} ({on_floor} of {args.views} views are on it)"
        print(f"\npicture: {picture}\nfloor:   {found}\nmodel:   {folder}\ntime:    {seconds:.0f} s")
    return 0


def _introduction(args: argparse.Namespace, scene: Simulated) -> str:
    train, test = (len(scene.splits[name]) for name in ("train", "test"))
    return (
        f"A simulated scene: {args.views} cameras, {args.people} people, {args.instants} instants. Learning from the "
        f"boxes of {train}\ninstants, without labels and without calibration; scored on {test} later instants.\n"
    )


def _print_scores(scores: dict[str, AssociationScores]) -> None:
    columns = [_chosen(score) for score in scores.values()]
    print_table([(name.replace("_", " "), *(column[name] for column in columns)) for name in SCORES], ("", *scores))
    print(
        "\nchance: the same answers, given for boxes in shuffled order."
        "\nknown calibration: feet put on the floor by the true homographies of the cameras, matched within 1 m."
    )


def _chosen(scores: AssociationScores) -> dict[str, float]:
    return {name: scores.to_dict()[name] for name in SCORES}


def _draw(path: Path, associator: Associator, scene: Simulated) -> None:
    """Draw the test instant in which most boxes have a partner."""
    from selfmva.viz import draw_association, save_image

    associations = associator.associate_many(scene.frame(index) for index in scene.splits["test"])
    best = max(associations, key=lambda found: sum(len(person) for person in found.groups() if len(person) > 1))
    save_image(path, draw_association(best.frame, best.ids, best.views))
