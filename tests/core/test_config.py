"""Hyper-parameters: one home of defaults, and mistakes are named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from selfmva.core.config import (
    RECIPES,
    AssociationConfig,
    AssociatorConfig,
    BatchRecipe,
    EncoderConfig,
    PublishedRecipe,
    Stage,
    build,
)
from selfmva.errors import ConfigError

STAGES = [AssociationConfig, AssociatorConfig, BatchRecipe, EncoderConfig, PublishedRecipe]


def test_published_defaults_are_the_published_ones() -> None:
    recipe = PublishedRecipe()
    assert (recipe.minimum_shift, recipe.maximum_shift, recipe.margin) == (5, 19, 1.0)
    assert (recipe.learning_rate, recipe.epochs, recipe.similarity_threshold) == (1e-4, 80, 0.0)
    assert recipe.edges
    assert recipe.reprojection
    assert recipe.held_out_fraction == 0.0


@pytest.mark.parametrize("stage", STAGES)
def test_every_field_says_what_it_is(stage: type[Stage]) -> None:
    for name, field in stage.model_fields.items():
        if name != "name":
            assert field.description, name


@pytest.mark.parametrize("stage", STAGES)
def test_stages_are_frozen_and_come_back_from_json(stage: type[Stage]) -> None:
    config = stage()
    assert stage.model_validate_json(config.model_dump_json()) == config
    name = next(iter(stage.model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, name, getattr(config, name))


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_told_apart_by_name(name: str) -> None:
    config = build(AssociatorConfig, {"recipe": {"name": name}})
    assert type(config.recipe) is RECIPES[name]
    assert build(AssociatorConfig, config.model_dump()) == config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"treshold": 0.5}, "treshold is unknown; known are threshold"),
        ({"threshold": 1.5}, "threshold: .*less than 1, got 1.5"),
        ({"threshold": "high"}, "threshold: .*got 'high'"),
        ({"threshold": -1, "other": 1}, "threshold: .*; other is unknown"),
    ],
)
def test_mistakes_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(AssociationConfig, values)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("batch", "held_out_share", "held_out_fraction"),
        ("published", "held_out_share", "held_out_fraction"),
        ("published", "appearance_share", "appearance_fraction"),
    ],
)
def test_fields_come_by_the_names_that_they_once_had(name: str, old: str, new: str) -> None:
    config = build(AssociatorConfig, {"recipe": {"name": name, old: 0.25}})
    assert config == build(AssociatorConfig, {"recipe": {"name": name, new: 0.25}})
    assert getattr(config.recipe, new) == 0.25
    assert old not in config.model_dump_json()
    assert RECIPES[name].model_validate_json(json.dumps({old: 0.25})) == config.recipe


def test_mistakes_in_old_names_speak_of_the_new_ones() -> None:
    with pytest.raises(ConfigError, match=r"held_out_fraction: .*less than or equal to 0.5, got 0.7"):
        build(BatchRecipe, {"held_out_share": 0.7})
    with pytest.raises(ConfigError, match=r"held_out_share is unknown; known are .*held_out_fraction, "):
        build(BatchRecipe, {"held_out_share": 0.1, "held_out_fraction": 0.2})
    with pytest.raises(ConfigError, match=r"appearance_share is unknown"):
        build(BatchRecipe, {"appearance_share": 0.1})
