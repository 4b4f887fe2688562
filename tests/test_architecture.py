"""The page about the architecture is true: its rooms, its walk, its cues."""

from __future__ import annotations

import re
from pathlib import Path

from test_layers import ROOMS

from selfmva.association.cues import CUES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "selfmva"
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
MOST_FILES_OF_THE_WALK = 7


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_room_is_on_the_picture_and_in_the_table() -> None:
    rooms = {room for room in ROOMS if (PACKAGE / room).is_dir()}
    picture, table = PAGE.split("```mermaid")[1].split("```")
    assert set(re.findall(r"<b>(\w+)</b>", picture)) == rooms | {"hub"}
    first_cells = re.findall(r"^\| (`[^|]*) \|", table.split("## ")[0], re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(first_cells))) == rooms


def test_arrows_lead_along_the_road() -> None:
    picture = PAGE.split("```mermaid")[1].split("```")[0]
    names = {node: re.findall(r"<b>(\w+)</b>", label) for node, label in re.findall(r'(\w+)\["([^"]*)"\]', picture)}
    for start, end in re.findall(r"^  (\w+)(?:\[[^]]*\])? --> (\w+)", picture, re.MULTILINE):
        assert max(map(ROOMS.index, names[start])) < min(map(ROOMS.index, names[end])), (start, end)


def test_the_walk_is_short_and_enters_no_room_twice() -> None:
    files = re.findall(r"^\| `([\w/]+\.py)` \|", section("A walk: from `associate(frame)` to the ids"), re.MULTILINE)
    assert 1 < len(files) <= MOST_FILES_OF_THE_WALK
    assert all((PACKAGE / file).is_file() for file in files)
    rooms = [file.split("/")[0] for file in files]
    assert rooms == sorted(rooms, key=rooms.index)  # no room is come back to


def test_each_file_of_the_walk_defines_what_it_is_visited_for() -> None:
    walk = section("A walk: from `associate(frame)` to the ids")
    for file, name in re.findall(r"^\| `([\w/]+\.py)` \| `(\w+)`", walk, re.MULTILINE):
        assert re.search(rf"^\s*(def|class) {name}\b", (PACKAGE / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_cues_are_these() -> None:
    assert re.findall(r"^\| `(\w+)` \|", section("A sixth cue"), re.MULTILINE) == [cue.name for cue in CUES]
