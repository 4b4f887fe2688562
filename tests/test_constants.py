"""A constant has one name, and a name one constant: whoever reads it need not ask in which module."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
# Every command's text after its options has this name.
CONVENTIONS = frozenset({"EPILOG"})


def find_constants(source: Path) -> dict[str, list[str]]:
    """The modules that assign each name in capitals at their top, by name."""
    found = defaultdict(list)
    for path in sorted(source.rglob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            targets: list[ast.expr] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            names = {
                node.id
                for target in targets
                for node in ast.walk(target)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)  # not what has an attribute set
            }
            for name in names:
                if CONSTANT.fullmatch(name):
                    found[name].append(str(path.relative_to(source)))
    return dict(found)


def test_no_two_modules_assign_a_constant_of_one_name() -> None:
    constants = find_constants(SOURCE)
    twice = {name: modules for name, modules in constants.items() if len(modules) > 1}
    assert {name: modules for name, modules in twice.items() if name not in CONVENTIONS} == {}


def test_constants_of_all_forms_are_found(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "ONE = 1\nTWO, (_THREE, lower) = 2, (3, 4)\nFOUR: int = 4\ndef f():\n    FIVE = 5\n"
    )
    (tmp_path / "other.py").write_text("ONE = 1\n")
    assert find_constants(tmp_path) == {
        "ONE": ["one.py", "other.py"],
        "TWO": ["one.py"],
        "_THREE": ["one.py"],
        "FOUR": ["one.py"],
    }
