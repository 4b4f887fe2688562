"""Does a rig still fit? What happened to it is named: view, kind and instant; and a right stream is left in peace."""

from __future__ import annotations

import copy
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from changed_rigs import (
    EVERYONE,
    RIGHT,
    changed,
    elsewhere,
    late,
    of_all,
    of_view,
    reordered,
    rig,
    right_stream,
    turned,
)

from selfmva import Associator, Frame, Health
from selfmva.association.pretrained.files import config_digest
from selfmva.errors import CheckpointError, NotFittedError, RigChangedWarning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WIDTH, HEIGHT = 1280, 720


def mirror(boxes: np.ndarray) -> np.ndarray:
    return np.column_stack([WIDTH - boxes[:, 2], boxes[:, 1], WIDTH - boxes[:, 0], boxes[:, 3]])


def turn_over(boxes: np.ndarray) -> np.ndarray:
    return np.column_stack([WIDTH - boxes[:, 2], HEIGHT - boxes[:, 3], WIDTH - boxes[:, 0], HEIGHT - boxes[:, 1]])


def cut_feet(boxes: np.ndarray) -> np.ndarray:
    """As a detector of upper bodies does."""
    return boxes - (boxes[:, 3] - boxes[:, 1])[:, None] * [0, 0, 0, 0.2]


CHANGES: list[tuple[str, set[str], Callable[[], Any], str]] = [
    ("swapped", {"camera1", "camera3"}, lambda: reordered(0, 3, 2, 1), "it shows what camera3 should"),
    ("swapped", {"camera0", "camera1", "camera2"}, lambda: reordered(1, 2, 0, 3), "it shows what camera1 should"),
    ("scaled", {"camera2"}, lambda: of_view(2, lambda b: b / 2), "0.5 times as large as they should be"),
    ("scaled", EVERYONE, lambda: of_all(lambda b: b * 2 / 3), "divide them by 0.667"),
    ("normalized", EVERYONE, lambda: of_all(lambda b: b / [WIDTH, HEIGHT, WIDTH, HEIGHT]), "by 1280 x 720"),
    ("mirrored", {"camera0"}, lambda: of_view(0, mirror), "flip it"),
    ("upside down", {"camera3"}, lambda: of_view(3, turn_over), "turn it by 180 degrees"),
    ("knocked", {"camera1"}, lambda: turned(1, 8.0), "the camera was turned by about"),
    ("knocked", {"camera2"}, lambda: turned(2, -5.0, axis=0), "the camera was turned by about"),
    ("clock", {"camera3"}, lambda: late(3, 3), "it shows what the others show 3 instants later"),
    ("dark", {"camera1"}, lambda: of_view(1, lambda b: b[:0]), "it shows nobody"),
    ("another place", {"camera2"}, lambda: elsewhere(2), "fit() anew"),
    ("another detector", EVERYONE, lambda: of_all(cut_feet), "adapt()"),
]


@pytest.mark.parametrize(
    ("kind", "views", "change", "advice"), CHANGES, ids=[f"{kind}-{len(views)}" for kind, views, *_ in CHANGES]
)
@pytest.mark.filterwarnings("ignore::selfmva.errors.BoxUnitsWarning")  # normalized boxes are known without a model, too
def test_what_happened_is_named(
    kind: str, views: set[str], change: Callable[[], Any], advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    associator = copy.copy(rig()[0])
    found = list(associator.associate_many(changed(change())))
    health = associator.health_
    assert {problem.kind for problem in health.problems} == {kind}
    assert {problem.view for problem in health.problems} == views
    assert all(abs(problem.since - RIGHT) <= 4 for problem in health.problems)
    assert advice in health.problems[0].advice
    assert found[0].problems == ()
    assert not health.ok
    (record,) = caplog.records  # once
    assert record.levelno == logging.WARNING
    assert all(view in record.getMessage() for view in views)
    rows = {row[0]: row[-1] for row in health.rows()}
    assert {view for view, verdict in rows.items() if kind in verdict} == views


def test_a_right_stream_is_left_in_peace(caplog: pytest.LogCaptureFixture) -> None:
    associator = copy.copy(rig()[0])
    stream = right_stream()
    assert all(association.problems == () for association in associator.associate_many(stream))
    health = associator.health_
    assert health.ok
    assert health.instants == len(stream)
    assert all(abs(view.fit - 1) < 0.1 for view in health.views)
    assert not caplog.records


def test_associations_say_it_from_then_on() -> None:
    """Within 100 instants, and to the end of the stream."""
    stream = changed(of_view(0, mirror))
    stream += [Frame(frame.boxes, index=len(stream) + t) for t, frame in enumerate(stream[-40:])]
    known = [bool(association.problems) for association in copy.copy(rig()[0]).associate_many(stream)]
    assert True in known[: RIGHT + 100]
    assert known == sorted(known)


def test_who_goes_wrong_again_is_told_again() -> None:
    stream = changed(of_view(0, mirror), back_after=64)
    stream += [Frame(frame.boxes, index=len(stream) + t) for t, frame in enumerate(right_stream()[: 2 * RIGHT])]
    wrong = changed(of_view(0, mirror))[RIGHT:]
    stream += [Frame(frame.boxes, index=len(stream) + t) for t, frame in enumerate(wrong)]
    associator = copy.copy(rig()[0])
    for _ in associator.associate_many(stream):
        pass
    first, second = associator.health_.problems
    assert (first.view, first.kind, second.view, second.kind) == ("camera0", "mirrored") * 2
    assert abs(first.since - RIGHT) <= 4
    assert abs(second.since - (len(stream) - len(wrong))) <= 4


def test_check_says_the_same_and_measures_bodies() -> None:
    associator = rig()[0]
    health = associator.check(changed(of_view(2, lambda b: b / 2))[RIGHT:])
    assert {(problem.view, problem.kind) for problem in health.problems} == {("camera2", "scaled")}
    assert "camera2" in health.summary()
    right = associator.check(right_stream())
    assert right.ok
    for view in right.views:
        assert view.apart == pytest.approx(view.usual_apart, abs=0.1)
        assert view.height == pytest.approx(view.usual_height, abs=0.15)
        assert view.height == pytest.approx(1, abs=0.2)
    assert "ok" in right._repr_html_()
    assert repr(right).count("\n") == 1 + len(right.views)


def test_an_order_of_the_views_changes_nothing_but_their_numbers() -> None:
    order = [2, 0, 3, 1]
    associator = Associator.from_model(rig()[0].model_.reordered(order))
    stream = changed(of_view(2, mirror))
    turned_round = [Frame([frame.boxes[v] for v in order], index=frame.index) for frame in stream]
    problems = [each.check(frames).problems for each, frames in ((rig()[0], stream), (associator, turned_round))]
    assert problems[0] == problems[1] != ()


def test_nobody_tells_nothing() -> None:
    """An empty hall is no alarm, and no approval of any view."""
    empty = [Frame([[]] * 4, index=t) for t in range(200)]
    health = rig()[0].check(empty)
    assert health.problems == ()
    assert set(health.unknown) == EVERYONE
    assert not health.ok
    assert "too few people" in health.summary()
    assert rig()[0].check([]).problems == ()


def test_what_was_seen_is_saved(tmp_path: Path) -> None:
    associator = rig()[0]
    associator.save_pretrained(tmp_path)
    stream = changed(reordered(0, 3, 2, 1))
    assert repr(Associator.from_pretrained(tmp_path).check(stream)) == repr(associator.check(stream))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rates", np.zeros((2, 3, 4)), "profile.rates of shape"),
        ("spread", np.array(0.0), "not positive"),
        ("clearness", np.full((4, 4), np.nan), "profile.clearness is not between"),
        ("drift", np.full(4, -1.0), "profile.drift is not between"),
        ("crowd", None, "unknown or missing profile.crowd"),
        ("odd", np.zeros(4), "unknown or missing profile.odd"),
    ],
)
def test_a_forged_profile_is_refused(name: str, value: np.ndarray | None, message: str, tmp_path: Path) -> None:
    import hashlib
    import json

    from safetensors.numpy import load, save_file

    rig()[0].save_pretrained(tmp_path)
    arrays = load((tmp_path / "model.safetensors").read_bytes())
    arrays.pop(f"profile.{name}", None)
    save_file(arrays | ({} if value is None else {f"profile.{name}": value}), tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    config["weights_sha256"] = hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    config["config_sha256"] = config_digest(config)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=message):
        Associator.from_pretrained(tmp_path)


def test_models_that_do_not_know_what_fit_saw_say_so() -> None:
    from dataclasses import replace

    old = Associator.from_model(replace(rig()[0].model_, profile=None))
    for health in (old.check(right_stream()), old.health_):
        assert not health.ok
        assert health.problems == ()
        assert "fit() anew" in health.note
    assert all(association.problems == () for association in old.associate_many(right_stream()[:5]))
    with pytest.raises(NotFittedError, match="check"):
        Associator().check(right_stream())


def test_adapt_refuses_what_contradicts_it() -> None:
    associator = copy.deepcopy(rig()[0])
    before = associator.model_
    with pytest.warns(RigChangedWarning, match=r"changed nothing.*camera1 and camera3 .*swapped"):
        associator.adapt(changed(reordered(0, 3, 2, 1))[RIGHT:])
    assert associator.model_ is before


def test_adapt_puts_a_turned_camera_right() -> None:
    """Its floor then brings people together where it did before it was turned."""
    associator = copy.deepcopy(rig()[0])
    stream = changed(turned(1, 20.0))[RIGHT:]
    with pytest.warns(RigChangedWarning, match=r"puts right.*camera1 .*knocked"):
        associator.adapt(stream)
    assert associator.fit_report_.moved["camera1"] > 0.5
    assert all(associator.fit_report_.moved[view] < 0.2 for view in EVERYONE - {"camera1"})
    assert associator.check(stream).ok
    found, usual = (each.check(frames) for each, frames in ((associator, stream), (rig()[0], right_stream())))
    assert found.views[1].apart < usual.views[1].apart + 0.05


def test_adapt_keeps_a_view_that_nobody_walks_through() -> None:
    associator = copy.deepcopy(rig()[0])
    associator.adapt(changed(of_view(1, lambda b: b[:0]))[RIGHT:])  # a warning would be an error
    np.testing.assert_allclose(associator.floor_.camera_places[1], rig()[0].floor_.camera_places[1], atol=0.2)
    assert "camera1" not in associator.fit_report_.moved


def test_health_is_public() -> None:
    assert isinstance(rig()[0].check([]), Health)
