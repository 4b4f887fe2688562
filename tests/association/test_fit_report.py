"""What fit() says it found: numbers that come back, a verdict that is earned, a sentence that helps."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from selfmva.association.fit_report import REPORT_COLUMNS, FitReport, PairReport, build_report
from selfmva.association.synchrony import PairSynchrony
from selfmva.core.types import View

VIEWS = tuple(View(name, 640, 480) for name in ("door", "<hall>", "stairs"))
PAIRS = (
    PairReport("door", "<hall>", 0.5, 0.75, "floor", 120.0, 0.06),
    PairReport("door", "stairs", 0.25, 0.5, "implied", 3.0, 0.2),
    PairReport("<hall>", "stairs", 0.0, math.nan),
)
REPORT = FitReport(PAIRS, 0.6, 9.5, 0.5, 40, True, 3.5, ("door", "<hall>"))


def support(*, trusted: bool) -> Any:
    return SimpleNamespace(trusted=trusted, moving=False, excess=31.5, residual=0.07)


def line(*, trusted: bool) -> Any:
    return SimpleNamespace(trusted=trusted, support=12, residual=0.11)


def build(floor: Any = None, lines: Any = None, accuracy: tuple[float, ...] = (1.0, 0.0, 1.0, 1.0)) -> FitReport:
    pairs = [(0, 1), (0, 2), (1, 2)]
    grid = np.zeros((2, 8, 4))
    grid[:, : len(accuracy)] = np.stack([accuracy, np.ones(len(accuracy))])[:, :, None]
    measured = {pair: PairSynchrony(*grid) for pair in pairs}
    partners = dict.fromkeys(pairs, 0.4)
    return build_report(VIEWS, measured, partners, floor, lines or {}, instants=4, held_out=True)


def only(report: FitReport, calibration: str) -> FitReport:
    return replace(report, pairs=tuple(replace(pair, calibration=calibration) for pair in report.pairs))


def test_geometry_of_a_pair_is_a_floor_then_lines_then_nothing() -> None:
    floor = SimpleNamespace(
        views_on_floor=(0, 1, 2),
        views_upside_down=(2,),
        supports={(0, 1): support(trusted=True), (0, 2): support(trusted=False)},
    )
    report = build(floor, {(1, 2): line(trusted=True), (0, 1): line(trusted=True)})
    assert [pair.calibration for pair in report.pairs] == ["floor", "implied", "head lines"]
    assert [pair.trusted for pair in report.pairs] == [True, False, True]
    assert [pair.support for pair in report.pairs] == [31.5, 31.5, 12.0]
    assert [pair.residual for pair in report.pairs] == [0.07, 0.07, 0.11]
    assert report.views_on_floor == ("door", "<hall>", "stairs")
    assert report.views_upside_down == ("stairs",)


def test_lines_that_are_not_trusted_are_none() -> None:
    report = build(None, {(0, 1): line(trusted=False)})
    assert {pair.calibration for pair in report.pairs} == {"not found"}
    assert all(math.isnan(pair.support) and math.isnan(pair.residual) for pair in report.pairs)
    assert report.views_on_floor == ()


def test_numbers_are_those_that_were_measured() -> None:
    report = build(accuracy=(1.0, 0.0, 1.0, 1.0))
    assert report.synchronization_accuracy == 0.75
    error = np.std([1, 0, 1, 1], ddof=1) / 2  # of 4 blocks of the recording, not 12 comparisons
    assert report.synchronization_margin == pytest.approx((0.75 - 0.5) / error)
    assert [pair.partner_fraction for pair in report.pairs] == [0.4] * 3
    nothing = build(accuracy=())
    assert math.isnan(nothing.synchronization_accuracy)
    assert not nothing.better_than_chance


@pytest.mark.parametrize(
    ("report", "geometry", "embedding"),
    [
        (REPORT, True, True),
        (replace(REPORT, synchronization_margin=2.9), True, False),
        (only(REPORT, "head lines"), True, True),
        (only(replace(REPORT, synchronization_margin=2.9), "implied"), False, False),
        (only(replace(REPORT, synchronization_margin=3.1), "not found"), False, True),
        (
            only(replace(REPORT, synchronization_accuracy=math.nan, synchronization_margin=0.0), "not found"),
            False,
            False,
        ),
    ],
)
def test_anything_learnt_is_better_than_chance(report: FitReport, geometry: bool, embedding: bool) -> None:
    """Three standard errors above chance, or a geometry that is trusted."""
    assert report.embedding_better_than_chance is embedding
    assert report.better_than_chance is (geometry or embedding)


def test_everything_comes_back_as_json() -> None:
    report = replace(REPORT, moved={"door": 0.25, "<hall>": math.nan}, synchronization_accuracy=math.nan)
    report = replace(report, views_upside_down=("door",), mirrored=("stairs",), other_floors=(("door", "stairs"),))
    text = json.dumps(report.to_dict(), allow_nan=False)
    again = FitReport.from_dict(json.loads(text))
    assert repr(again) == repr(report)
    assert again.pairs[:2] == report.pairs[:2]
    assert math.isnan(again.moved["<hall>"])
    assert math.isnan(again.pairs[2].residual)
    assert again.views_on_floor == report.views_on_floor
    assert (again.views_upside_down, again.mirrored) == (("door",), ("stairs",))
    assert json.loads(text)["better_than_chance"] is True


def test_reports_of_older_versions_are_read() -> None:
    values = REPORT.to_dict()
    for pair in values["pairs"]:
        pair["partner_share"] = pair.pop("partner_fraction")
    del values["views_upside_down"], values["mirrored"], values["other_floors"]
    assert repr(FitReport.from_dict(values)) == repr(REPORT)
    with pytest.raises(TypeError, match="partner_share"):  # one of the two is wrong
        FitReport.from_dict({**values, "pairs": [pair | {"partner_fraction": 0.5} for pair in values["pairs"]]})


def test_rows_have_a_cell_for_every_column() -> None:
    rows = REPORT.rows()
    assert [dict(zip(REPORT_COLUMNS, row, strict=True))["trusted"] for row in rows] == ["yes", "no", "no"]
    assert rows[0] == ("door", "<hall>", "floor", "yes", "120", "0.06", "50%", "75.0%")
    assert rows[2] == ("<hall>", "stairs", "not found", "no", "-", "-", "0%", "-")


def test_summary_counts_views_and_pairs() -> None:
    assert REPORT.summary().startswith(
        "2 of 3 views are on one floor, 1 of 3 view pairs are trusted; for the embedding"
    )
    assert "60.0% of the comparisons on 40 held-out instants, better than chance (50%)" in REPORT.summary()
    lines = only(replace(REPORT, views_on_floor=()), "head lines")
    assert lines.summary().startswith("no floor, 3 of 3 view pairs are trusted (3 by head lines); ")
    nothing = only(replace(REPORT, synchronization_accuracy=math.nan), "not found").summary()
    assert nothing.startswith("no geometry was found; nothing could be compared")


def test_advice_names_the_views_that_it_is_about() -> None:
    assert REPORT.advice().startswith("no geometry was found for stairs: film longer and with more people")
    assert only(REPORT, "not found").advice().startswith("no geometry was found for any view: film longer")
    assert only(REPORT, "floor").advice() == ""
    assert only(REPORT, "head lines").advice() == ""


def test_upside_down_cameras_are_told() -> None:
    one = replace(REPORT, views_upside_down=("door",))
    assert "; door hangs upside down: its boxes are read with feet at the top; " in one.summary()
    assert one.advice() == REPORT.advice()
    two = replace(REPORT, views_upside_down=("door", "<hall>"))
    assert "; door and <hall> hang upside down: their boxes are read with feet at the top; " in two.summary()
    assert "&lt;hall&gt; hang upside down" in two._repr_html_()


def test_mirror_images_are_told_with_what_to_do() -> None:
    one = replace(REPORT, mirrored=("stairs",))
    assert "; stairs shows a mirror image; " in one.summary()
    assert one.advice() == "stairs shows a mirror image: flip its images (x -> width - x) and fit again"
    assert one.advice() in repr(one)
    assert "stairs shows a mirror image: flip its images" in one._repr_html_()
    two = only(replace(REPORT, mirrored=("<hall>", "stairs"), views_on_floor=("door", "roof")), "not found")
    assert two.advice().startswith(
        "<hall> and stairs show mirror images: flip their images (x -> width - x) and fit again; no geometry was found "
        "for door: film longer"
    )
    assert two.reordered(["stairs", "roof", "<hall>", "door"]).mirrored == ("stairs", "<hall>")


def test_views_on_a_floor_of_their_own_are_told_with_what_to_do() -> None:
    two = replace(REPORT, other_floors=(("stairs", "roof"),))
    told = "stairs and roof are on a floor of their own, which nothing joins to that of the others"
    assert f"; {told}; " in two.summary()
    assert two.advice() == f"{told}: fit() these views by themselves"
    assert two.reordered(["roof", "stairs", "<hall>", "door"]).other_floors == (("roof", "stairs"),)


def test_of_two_views_without_a_floor_one_is_mirrored() -> None:
    pair = (replace(PAIRS[0], calibration="not found"),)
    two = replace(REPORT, pairs=pair, views_on_floor=(), mirrored=("door", "<hall>"))
    assert "; one of door and <hall> shows a mirror image, and two views don't tell which; " in two.summary()
    assert two.advice() == (
        "one of door and <hall> shows a mirror image, and two views don't tell which: flip the images of one "
        "(x -> width - x) and fit again"
    )


def test_repr_shows_the_table_and_what_moved() -> None:
    text = repr(replace(REPORT, moved={"door": 0.25}))
    assert text.startswith(f"FitReport: {REPORT.summary()}\n")
    assert "  door | <hall> | floor | yes | 120 | 0.06 | 50% | 75.0%\n" in text
    assert "  door moved by 0.25 body heights\n" in text
    assert text.endswith(REPORT.advice())
    assert REPORT.advice() not in repr(only(REPORT, "floor"))


def test_the_notebook_table_is_escaped() -> None:
    html = REPORT._repr_html_()
    assert html.count("<tr>") == 1 + 3
    assert html.count("<th>") == len(REPORT_COLUMNS)
    assert "&lt;hall&gt;" in html
    assert "<hall>" not in html
    assert "film longer" in html
