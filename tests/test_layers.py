"""Imports point one way along the road of the package: never upward, never in a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = "selfmva"
# The road: every room, a folder or a file at the top of the package, imports only from itself and from rooms before it,
# for the type checker, too. `selfmva/__init__.py` stands outside: it re-exports the public names, and nothing imports
# from it.
ROOMS = (
    "_version",
    "errors",
    "core",
    "losses",
    "pretext",
    "io",
    "datasets",
    "detectors",
    "encoders",
    "perception",
    "matching",
    "geometry",
    "pose",
    "tracking",
    "training",
    "association",
    "metrics",
    "viz",
    "hub",
    "cli",
    "__main__",
)
MOST_ROOMS = 21
LOOSE_FILES = {"__init__.py", "__main__.py", "_version.py", "errors.py", "hub.py", "py.typed"}


def find_modules(source: Path) -> dict[str, Path]:
    """The file of every module of the package, by dotted name; a folder's name stands for its `__init__.py`."""
    names = {}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def dependencies(name: str, modules: dict[str, Path]) -> set[str]:
    """The modules of the package that one module imports.

    `from package import name` counts as the module `package.name` where there is one, else as `package`.
    """
    path = modules[name]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        if not isinstance(statement, ast.ImportFrom):
            continue
        base = package[: len(package) - statement.level + 1] if statement.level else []
        origin = ".".join([*base, *([statement.module] if statement.module else [])])
        inner = {f"{origin}.{alias.name}" for alias in statement.names}
        found |= {target if target in modules else origin for target in inner}
    return {target for target in found if target.split(".")[0] == PACKAGE}


def room(name: str) -> str:
    """The part of a module's name that says where on the road it stands."""
    return name.split(".")[1]


def violations(source: Path) -> list[str]:
    """One sentence for each import that turns back on the road, and for each module that is not on it."""
    modules = find_modules(source)
    graph = {name: dependencies(name, modules) for name in modules if name != PACKAGE}
    problems = [
        f"{name} is in no room: add {room(name)!r} to ROOMS in tests/test_layers.py"
        for name in graph
        if room(name) not in ROOMS
    ]
    for name, targets in graph.items():
        for target in sorted(targets):
            if target == PACKAGE:
                problems.append(f"{name} imports from {PACKAGE} itself: import from the module that defines the name")
            elif target not in modules:
                problems.append(f"{name} imports {target}, which does not exist")
            elif {room(name), room(target)} <= set(ROOMS) and ROOMS.index(room(target)) > ROOMS.index(room(name)):
                problems.append(f"{name} imports {target}, which lies above it on the road")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        problems.append(f"imports run in a circle: {' <- '.join(error.args[1])}")
    return problems


def write_package(source: Path, files: dict[str, str]) -> Path:
    """A made-up package; every folder gets an `__init__.py`."""
    for name, text in {"__init__.py": "", **files}.items():
        path = source / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent != source / PACKAGE:
            (path.parent / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")
    return source


def test_package_keeps_the_road() -> None:
    assert violations(SOURCE) == []


def test_the_top_holds_rooms_and_no_loose_files() -> None:
    top = [path for path in (SOURCE / PACKAGE).iterdir() if path.name != "__pycache__"]
    assert {path.name for path in top if path.is_file()} == LOOSE_FILES
    assert {path.name.removesuffix(".py") for path in top} - {"__init__", "py.typed"} == set(ROOMS)
    assert len(ROOMS) <= MOST_ROOMS


def test_the_package_reads_and_writes_with_the_modules_that_define_the_names() -> None:
    """What `selfmva.io` offers is for users: a name there comes or goes without the package noticing."""
    modules = find_modules(SOURCE)
    using = [name for name in modules if name != PACKAGE and f"{PACKAGE}.io" in dependencies(name, modules)]
    assert using == []


@pytest.mark.parametrize(
    ("call", "home"), [("ThreadPoolExecutor(", "core/threads.py"), ("torch.load(", "core/runtime/torch_archive.py")]
)
def test_what_is_delicate_is_written_once(call: str, home: str) -> None:
    texts = {
        path.relative_to(SOURCE / PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")
    }
    assert [name for name, text in texts.items() if call in text] == [home]


def test_walk_finds_the_package() -> None:
    """An empty walk would pass every rule."""
    modules = find_modules(SOURCE)
    assert {"selfmva", "selfmva.core.types", "selfmva.errors", "selfmva.datasets.base"} <= set(modules)
    assert dependencies("selfmva.core.types", modules) == {
        "selfmva.errors",
        "selfmva.core.arguments",
        "selfmva.core.bad_boxes",
        "selfmva.core.frame_columns",
        "selfmva.core.images",
        "selfmva.core.keypoints",
        "selfmva.core.messages",
        "selfmva.core.scalars",
        "selfmva.core.view_checks",
    }


def test_downward_imports_pass(tmp_path: Path) -> None:
    files = {
        "_version.py": "",
        "errors.py": "import sys",
        "io/table.py": "from selfmva.errors import A\nfrom ..errors import B\nfrom selfmva import _version",
        "io/video.py": "from . import table\nfrom selfmva.io import table",
        "cli/main.py": "import selfmva.io.video\nfrom selfmvatools import thing",
        "__main__.py": "from selfmva.cli.main import main",
        "__init__.py": "def __getattr__(name):\n    from selfmva.cli.main import main",
    }
    assert violations(write_package(tmp_path, files)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "from selfmva.io.table import read",
        "from selfmva.io import table",
        "from .io import table",
        "from .io.table import read",
        "import selfmva.io.table",
        "def read():\n    from selfmva.io.table import read",
        "class Reader:\n    def read(self):\n        if True:\n            import selfmva.io.table",
        "try:\n    import selfmva.io.table\nexcept ImportError:\n    pass",
        "if TYPE_CHECKING:\n    import selfmva.io.table",
    ],
)
def test_upward_import_fails(tmp_path: Path, statement: str) -> None:
    problems = violations(write_package(tmp_path, {"errors.py": statement, "io/table.py": ""}))
    assert problems == ["selfmva.errors imports selfmva.io.table, which lies above it on the road"]


@pytest.mark.parametrize("statement", ["import selfmva", "from selfmva import Associator", "from . import Associator"])
def test_import_from_the_top_fails(tmp_path: Path, statement: str) -> None:
    (problem,) = violations(write_package(tmp_path, {"hub.py": statement}))
    assert problem.startswith("selfmva.hub imports from selfmva itself")


def test_module_outside_the_road_fails(tmp_path: Path) -> None:
    (problem,) = violations(write_package(tmp_path, {"helpers.py": "from selfmva.errors import E", "errors.py": ""}))
    assert problem == "selfmva.helpers is in no room: add 'helpers' to ROOMS in tests/test_layers.py"


def test_import_of_nothing_fails(tmp_path: Path) -> None:
    (problem,) = violations(write_package(tmp_path, {"hub.py": "from selfmva.erorrs import InputError"}))
    assert problem == "selfmva.hub imports selfmva.erorrs, which does not exist"


@pytest.mark.parametrize(
    "files",
    [
        {"io/a.py": "from selfmva.io import b", "io/b.py": "import selfmva.io.a"},
        {"io/a.py": "from .b import f", "io/b.py": "from .c import f", "io/c.py": "def f():\n    from .a import g"},
        {"io/__init__.py": "from selfmva.io.a import read", "io/a.py": "from selfmva.io import read"},
    ],
)
def test_circle_inside_a_folder_fails(tmp_path: Path, files: dict[str, str]) -> None:
    (problem,) = violations(write_package(tmp_path, files))
    assert problem.startswith("imports run in a circle: ")
    assert "selfmva.io.a" in problem
