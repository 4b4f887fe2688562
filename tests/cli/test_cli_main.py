"""Exit codes, errors in one line, and what is said where."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import selfmva
from selfmva.cli import associate, convert, datasets, demo, detectors, encoders, evaluate, export, fit, report, show
from selfmva.cli.main import build_parser, main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = (
    "demo",
    "fit",
    "associate",
    "show",
    "evaluate",
    "report",
    "convert",
    "export",
    "datasets",
    "detectors",
    "encoders",
)


def test_version(invoke: Callable) -> None:
    outcome = invoke("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"selfmva {selfmva.__version__}\n", "")


def test_no_command_shows_the_help(invoke: Callable) -> None:
    outcome = invoke()
    assert (outcome.code, outcome.out) == (2, "")
    assert all(command in outcome.err for command in COMMANDS)


@pytest.mark.parametrize(
    "command", [(), *((command,) for command in COMMANDS), ("datasets", "check"), ("datasets", "new")]
)
def test_help_describes_and_shows_examples(invoke: Callable, command: tuple[str, ...]) -> None:
    outcome = invoke(*command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: {' '.join(('selfmva', *command))} ")
    assert f"examples:\n  selfmva {command[0] if command else ''}" in outcome.out


@pytest.mark.parametrize(
    "command", [demo, fit, associate, show, evaluate, report, convert, export, datasets, detectors, encoders]
)
def test_examples_are_accepted(command: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the examples parses, given its videos; nothing is run."""
    monkeypatch.chdir(tmp_path)
    for name in ("door.mp4", "hall.mp4"):
        (tmp_path / name).touch()
    examples = [line.split()[1:] for line in command.EPILOG.splitlines() if line.startswith("  selfmva ")]
    assert examples
    for example in examples:
        assert callable(build_parser().parse_args(example).run)


def test_help_is_light() -> None:
    """Nobody waits for torch to read a help text."""
    script = "import json, sys; from selfmva.cli.main import main; main(['fit', '--help'])"
    script += "; print(json.dumps([*sys.modules]))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    modules = set(json.loads(result.stdout.splitlines()[-1]))
    assert "selfmva.cli.fit" in modules
    assert modules & {"torch", "numpy", "scipy", "pandas", "pydantic", "cv2", "tqdm", "tabulate"} == set()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nope"], 2, "invalid choice: 'nope'"),
        (["fit"], 2, "either --dataset, or --views and --boxes or --keypoints, or videos and"),
        (["fit", "--out", "x"], 2, "either --dataset, or --views and --boxes"),
        (["fit", "--out", "x", "--views", "1x1", "2x2"], 2, "either --dataset, or --views and --boxes"),
        (["fit", "--out", "x", "--dataset", "simulated", "--boxes", "b.json"], 2, "either --dataset, or"),
        (["fit", "--out", "x", "--views", "a:10x", "--boxes", "f"], 2, "NAME:WIDTHxHEIGHT (such as door:1920x1080)"),
        (
            ["fit", "--out", "x", "--views", "a:0x9", "b:9x9", "--boxes", "f"],
            1,
            "must be a whole number from 1 to 100000",
        ),
        (["fit", "--out", "x", "--views", "9x9", "--boxes", "f"], 1, "at least two views"),
        (["fit", "--out", "x", "--views", "9x9", "8x8", "--boxes", "nofile.csv"], 1, "nofile.csv does not exist"),
        (["fit", "--out", "x", "--dataset", "nope"], 1, "no dataset is called 'nope'"),
        (["fit", "--out", "x", "--dataset", "mvor"], 1, "missing a required argument: 'root'"),
        (["fit", "--out", "x", "--dataset", "mvor", "--root", "nowhere"], 1, "no MVOR annotations found"),
        (["fit", "--out", "x", "--dataset", "simulated", "--option", "people"], 2, "expected KEY=VALUE"),
        (["fit", "--out", "x", "--dataset", "simulated", "--option", "folk=3"], 1, "folk is unknown"),
        (["fit", "--out", "x", "--dataset", "simulated", "--set", "recipe.stpes=3"], 1, "did you mean 'recipe.steps'"),
        (["fit", "--out", "x", "--dataset", "simulated", "--set", "recipe.steps=0"], 1, "greater than or equal to 1"),
        (["fit", "--out", "x", "--dataset", "simulated", "--recipe", "cake"], 1, "batch, geometry, got 'cake'"),
        (["fit", "--out", "x", "--dataset", "simulated", "--device", "toaster"], 1, "'toaster'"),
        (["fit", "--out", "x", "--dataset", "simulated", "--precision", "int8"], 1, "'float32' or 'bfloat16'"),
        (["associate", "m", "--out", "o.csv"], 2, "either --boxes or --dataset"),
        (["associate", "m", "--boxes", "b", "--out", "o.xml"], 2, ".csv, .parquet, .json, or a folder, got 'o.xml'"),
        (["associate", "m", "--boxes", "b", "--out", "o.csv", "--split", "test"], 2, "--split goes with --dataset"),
        (["associate", "m", "--boxes", "b", "--out", "o.csv", "--every", "2"], 2, "--every goes with --picture"),
        (["associate", "m", "--boxes", "b", "--out", "o.csv", "--picture", "p", "--every", "0"], 2, "above 0, got '0'"),
        (["associate", "nomodel", "--boxes", "b.csv", "--out", "o.csv"], 1, "nomodel is neither a folder, nor"),
        (["associate", "m.pth.tar", "--boxes", "b.csv", "--out", "o.csv"], 1, "does not know its cameras"),
        (["evaluate", "m"], 2, "required: --dataset"),
        (["evaluate", "nomodel", "--dataset", "simulated"], 1, "nomodel is neither a folder, nor"),
        (["evaluate", "m.pth.tar", "--dataset", "simulated"], 1, "m.pth.tar does not exist"),
        (["evaluate", "m", "--dataset", "simulated", "--protocol", "hearsay"], 2, "invalid choice: 'hearsay'"),
        (["evaluate", "m", "--dataset", "simulated", "--similarity-threshold", "0.3"], 2, "goes with --protocol"),
        (["show", "r.csv", "--out", "o.mp4"], 2, "required: --views"),
        (["show", "r.csv", "--out", "o.mp4", "--views", "9x9"], 1, "r.csv"),
        (["report", "m"], 2, "required: --out"),
        (["report", "nomodel", "--out", "o.html"], 1, "nomodel is neither a folder, nor"),
        (["datasets", "check", "nope"], 1, "no dataset is called 'nope'"),
        (["datasets", "check"], 2, "required: NAME"),
        (["datasets", "new"], 2, "required: NAME"),
        (["datasets", "new", "My Yard"], 1, "made of lower-case letters a-z"),
        (["datasets", "new", "mvor"], 1, "'mvor' is registered already, by selfmva"),
        (["demo", "--people", "few"], 2, "above 0, got 'few'"),
        (["demo", "--seed=-1"], 1, "greater than or equal to 0, got -1"),
    ],
)
def test_errors_are_one_clear_line(
    invoke: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = invoke(*arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("selfmva: error: " if code == 1 else "selfmva ") or arguments == ["nope"]
    assert (f"see `selfmva {arguments[0]}" in outcome.err) == (code == 2 and arguments != ["nope"])


def test_other_warnings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only our own warning is rewritten; here, where warnings are errors, any other one is raised."""
    import warnings

    monkeypatch.setattr("selfmva.cli.common.print_table", lambda *_: warnings.warn("other", UserWarning, stacklevel=1))
    with pytest.raises(UserWarning, match="other"):
        main(["datasets"])


def test_bugs_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("selfmva.cli.common.print_table", fail)
    with pytest.raises(ZeroDivisionError):
        main(["datasets"])


def test_broken_pipe_is_silent() -> None:
    command = [sys.executable, "-m", "selfmva", "datasets", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 141


# A job in the background of a shell starts with SIGINT ignored, and so do the processes that it starts.
LISTENING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from selfmva.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_interruption_is_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    command = [sys.executable, "-c", LISTENING, "fit", "--dataset", "simulated", "--set", "recipe.steps=100000"]
    with subprocess.Popen([*command, "--out", folder], stdout=-1, stderr=-1, text=True) as process:
        try:
            for _ in range(600):
                if folder.exists():
                    break
                time.sleep(0.1)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()  # no training of hours outlives a test that failed
    assert (process.returncode, out, err) == (130, "", "selfmva: interrupted\n")
