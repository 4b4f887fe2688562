"""One box that is none does not stop a day: it is left out, counted, warned of once, and keeps its place."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_scenes import fit_quietly, flat, scene, short

from selfmva import Associator, Frame, Tracker, View, evaluate
from selfmva.errors import BadBoxWarning, InputError
from selfmva.viz import draw_association

if TYPE_CHECKING:
    from selfmva.datasets.simulated import Simulated

BAD = {
    "outside": [-50.0, 100.0, -5.0, 200.0],
    "without area": [5.0, 5.0, 5.0, 90.0],
    "turned": [50.0, 60.0, 20.0, 90.0],
    "NaN": [np.nan, 1.0, 20.0, 90.0],
    "infinite": [0.0, 1.0, np.inf, 90.0],
}


@cache
def wildtrack() -> Associator:
    return Associator.from_pretrained("wildtrack")


@cache
def crowd() -> tuple[Any, ...]:
    """Boxes of seven views of which people stand in several, from the model's own floor."""
    views, rng = wildtrack().views_, np.random.default_rng(0)
    return tuple(
        np.concatenate([low := rng.uniform(0, 700, (9, 2)), low + rng.uniform((30, 90), (60, 200), (9, 2))], axis=1)
        for _ in views
    )


def with_bad(boxes: Any, row: int, bad: list[float], view: int = 1) -> list[Any]:
    return [np.insert(own, row, bad, axis=0) if number == view else own for number, own in enumerate(boxes)]


@pytest.mark.parametrize("row", [0, 4, 9])
@pytest.mark.parametrize("kind", BAD)
def test_the_answer_is_that_of_the_others_and_rows_stay(kind: str, row: int) -> None:
    with pytest.warns(BadBoxWarning, match=rf"instant 0, view 1 \('C2'\), row {row}: .*on_bad_box='raise'"):
        found = wildtrack().associate(with_bad(crowd(), row, BAD[kind]))
    clean = wildtrack().associate(list(crowd()))
    assert found.dropped_boxes == 1
    assert clean.dropped_boxes == 0
    assert found.ids[1][row] == -1
    np.testing.assert_array_equal(found.frame.boxes[1][row], BAD[kind])
    for view in range(7):
        kept = np.arange(len(found.ids[view])) != row if view == 1 else slice(None)
        np.testing.assert_array_equal(found.ids[view][kept], clean.ids[view])
        np.testing.assert_array_equal(found.confidences()[view][kept], clean.confidences()[view])
        probability = found.probability(1, view)
        assert not probability[row].any()
        rows = np.arange(len(found.ids[1])) != row
        np.testing.assert_array_equal(probability[rows][:, kept], clean.probability(1, view))
        pairs = found.matches(1, view)
        assert row not in pairs[:, 0]
        assert len(pairs) == len(clean.matches(1, view))
    assert found.confidences()[1][row] == 0
    assert sum(map(len, found.groups())) == sum(map(len, clean.groups()))
    np.testing.assert_array_equal(found.floor_positions(), clean.floor_positions())
    assert len(found.to_dataframe()) == len(clean.to_dataframe())
    assert "1 box left out" in repr(found)
    assert draw_association(found.frame, found.ids, found.views, width=300).shape[1] == 300
    assert Tracker(wildtrack()).follow(found).ids[1][row] == -1


def test_a_stream_goes_on_and_is_warned_of_once() -> None:
    good = [list(crowd())] * 3
    bad = [with_bad(crowd(), 2, box) for box in BAD.values()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = list(wildtrack().associate_many([*good, *bad, *good]))
    assert [one.dropped_boxes for one in found] == [0] * 3 + [1] * len(BAD) + [0] * 3
    assert [type(warning.message) for warning in caught] == [BadBoxWarning]
    assert "instant 3" in str(caught[0].message)


def test_raise_where_it_is_asked_for() -> None:
    strict = Associator.from_pretrained("wildtrack").set_params(on_bad_box="raise")
    stream = strict.associate_many([list(crowd()), with_bad(crowd(), 2, BAD["outside"])])
    with pytest.raises(InputError, match="instant 1, view 1 .*, row 2: .*outside the image"):
        list(stream)
    with pytest.raises(InputError, match="on_bad_box: .*'drop' or 'raise'"):
        Associator(on_bad_box="keep")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must be one of 'drop', 'raise'"):
        Frame([[]], on_bad_box="keep")  # type: ignore[arg-type]


def test_scores_tracks_and_features_stay_with_their_boxes() -> None:
    boxes = with_bad(crowd(), 3, BAD["NaN"])
    columns = {
        "scores": [np.linspace(0, 1, len(own)) for own in boxes],
        "track_ids": [np.arange(len(own)) for own in boxes],
        "features": [np.ones((len(own), 2)) for own in boxes],
    }
    frame = Frame(boxes, on_bad_box="drop", **columns)
    with pytest.warns(BadBoxWarning):
        found = wildtrack().associate(frame)
    table = found.to_dataframe()
    own = table[table["view"] == 1]
    assert own["box"].tolist() == [0, 1, 2, *range(4, 10)]
    assert own["track_id"].tolist() == own["box"].tolist()
    with pytest.raises(InputError, match="instant 0, view 1, row 3"):
        Frame(boxes, **columns)


def test_a_model_without_tables_leaves_them_out_too() -> None:
    learnt = fit_quietly(flat(), short())
    similar = Associator.from_model(replace(learnt.model_, tables=None))
    good = [own[:4] * 0.5 for own in crowd()[:3]]
    clean = similar.associate(good)
    assert not clean.calibrated
    with pytest.warns(BadBoxWarning):
        found = similar.associate(with_bad(good, 2, BAD["NaN"]))
    assert found.ids[1].tolist() == np.insert(clean.ids[1], 2, -1).tolist()
    np.testing.assert_array_equal(np.delete(found.probability(0, 1), 2, axis=1), clean.probability(0, 1))
    assert not found.probability(1, 2)[2].any()


@pytest.mark.parametrize("kind", ["outside", "turned"])
def test_most_boxes_bad_is_an_error_with_its_reason(kind: str) -> None:
    frame = [np.array([BAD[kind]] * 8)] * 7
    with pytest.raises(
        InputError, match=r"56 of 56 boxes so far are none, " + ("100%" if kind == "turned" else "check")
    ):
        wildtrack().associate(frame)


def test_placeholders_for_nobody_are_no_mistake() -> None:
    nobody = [np.concatenate([own[:1], np.full((9, 4), -1.0)]) for own in crowd()]
    with pytest.warns(BadBoxWarning):
        found = wildtrack().associate(nobody)
    assert found.dropped_boxes == 63


@cache
def recording() -> Simulated:
    return scene(views=2, people=4, instants=240)


def test_fit_leaves_them_out_and_counts_them() -> None:
    frames = [list(recording().frame(t).boxes) for t in range(240)]
    plain = fit_quietly(Associator(recipe="geometry"), recording().views, frames)
    worse = [list(boxes) for boxes in frames]
    for number, box in enumerate(BAD.values()):
        worse[20 + number][0] = np.concatenate([worse[20 + number][0], [box]])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = Associator(recipe="geometry").fit(recording().views, worse)
    assert [type(warning.message) for warning in caught if issubclass(warning.category, BadBoxWarning)] == [
        BadBoxWarning
    ]
    report = fitted.fit_report_
    assert report.dropped_boxes == len(BAD)
    assert "5 bad boxes were left out" in report.summary()
    assert replace(report, dropped_boxes=0, seconds=0.0) == replace(plain.fit_report_, seconds=0.0)
    assert type(report).from_dict(report.to_dict()).dropped_boxes == len(BAD)


def test_a_labelled_box_that_is_none_is_nobody_known() -> None:
    frame = wildtrack().associate(list(crowd()))
    labels = [ids + 1 for ids in frame.ids]
    wanted = evaluate(wildtrack(), [(Frame(list(crowd())), labels)])
    worse = Frame(with_bad(crowd(), 0, BAD["NaN"]), on_bad_box="drop")
    with pytest.warns(BadBoxWarning):
        found = evaluate(
            wildtrack(), [(worse, [np.insert(own, 0, 999) if v == 1 else own for v, own in enumerate(labels)])]
        )
    assert found == wanted


def test_views_of_a_frame_are_marked_by_the_image_they_are_of() -> None:
    with pytest.raises(InputError, match="bad has 1 views, boxes have 2"):
        Frame([[], []], bad=[[]])
    frame = Frame([[[0, 0, 5, 5], [9, 9, 9, 9]]], bad=[[False, True]])
    assert frame.bad is not None
    assert replace(frame, index=3).bad is not None
    with pytest.raises(InputError, match="needs x2 > x1"):
        Frame([[[0, 0, 5, 5], [9, 9, 9, 9]]], bad=[[True, False]])
    assert View("a", 9, 9)
