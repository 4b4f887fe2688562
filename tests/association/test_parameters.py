"""Hyper-parameters before and after a fit: what was learnt goes with those that it was learnt with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import clone
from small_scenes import fit_quietly, fitted_on_a_floor, flat, quick, scene

from selfmva import Associator
from selfmva.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "change", [{"encoder": {"prompt": "point"}}, {"recipe": "geometry"}, {"recipe": {"steps": 3}}, {"seed": 5}]
)
def test_a_model_is_saved_with_what_it_was_learnt_with(
    change: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    associator = fit_quietly(flat(), scene())
    learnt = associator.get_params()
    with caplog.at_level(logging.WARNING, logger="selfmva"):
        associator.set_params(**change)
    (name,) = change
    assert f"{name} will hold from the next fit() on" in caplog.text
    assert f"{name} set for the next fit" in repr(associator)
    associator.save_pretrained(tmp_path)
    again = Associator.from_pretrained(tmp_path)
    assert again.get_params() == learnt
    frame = scene().frame(59)
    for pair, block in associator.associate(frame).probabilities.items():
        np.testing.assert_array_equal(again.associate(frame).probabilities[pair], block)


def test_the_next_fit_takes_what_waited(tmp_path: Path) -> None:
    associator = fit_quietly(flat(), scene()).set_params(recipe="geometry")
    assert associator.encoder_ is not None
    fit_quietly(associator, scene())
    assert associator.encoder_ is None
    assert "next fit" not in repr(associator)
    associator.save_pretrained(tmp_path)
    assert Associator.from_pretrained(tmp_path).get_params()["recipe"].name == "geometry"


def test_the_threshold_holds_at_once_and_is_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    associator = Associator.from_pretrained("mvor").set_params(association={"threshold": 0.8}, threads=2)
    assert "next fit" not in repr(associator) + caplog.text
    associator.save_pretrained(tmp_path)
    assert Associator.from_pretrained(tmp_path).model_.config.association.threshold == 0.8


def test_part_of_a_stage_keeps_the_rest() -> None:
    associator = quick(geometry={"clock_bound": 4})
    before = associator.get_params()
    associator.set_params(recipe={"steps": 99}, geometry={"floor": False})
    after = associator.get_params()
    assert after["recipe"] == before["recipe"].model_copy(update={"steps": 99})
    assert after["geometry"] == before["geometry"].model_copy(update={"floor": False})


def test_another_recipe_is_a_new_one() -> None:
    recipe = quick().set_params(recipe={"name": "published", "epochs": 3}).get_params()["recipe"]
    assert recipe == Associator(recipe={"name": "published", "epochs": 3}).get_params()["recipe"]


def test_a_part_may_come_by_the_name_that_it_once_had() -> None:
    associator = Associator(recipe={"name": "batch", "held_out_share": 0.2}).set_params(recipe={"held_out_share": 0.3})
    assert associator.get_params() == Associator(recipe={"name": "batch", "held_out_fraction": 0.3}).get_params()


def test_a_wrong_part_changes_nothing() -> None:
    associator = quick()
    before = associator.get_params()
    with pytest.raises(ConfigError, match="epochs is unknown"):
        associator.set_params(seed=4, recipe={"epochs": 3})
    assert associator.get_params() == before


@pytest.mark.parametrize("deep", [True, False])
def test_clones_are_equal_and_unfitted(deep: bool) -> None:
    fitted, _ = fitted_on_a_floor()
    copy = clone(fitted)
    assert copy.get_params(deep=deep) == fitted.get_params(deep=deep)
    assert not hasattr(copy, "views_")
    assert hasattr(fitted, "views_")
