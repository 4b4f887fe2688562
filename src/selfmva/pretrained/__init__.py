"""Rigs as folders: what is saved, its model card, and the places that rigs come from."""

from selfmva.pretrained.aliases import ALIASES, Alias
from selfmva.pretrained.card import Card
from selfmva.pretrained.folder import CARD, CONFIG, FORMAT_VERSION, WEIGHTS, load, save
from selfmva.pretrained.mixin import Pretrained
from selfmva.pretrained.repositories import find_folder, push_folder
from selfmva.pretrained.saved import SavedAssociator

__all__ = [
    "ALIASES",
    "CARD",
    "CONFIG",
    "FORMAT_VERSION",
    "WEIGHTS",
    "Alias",
    "Card",
    "Pretrained",
    "SavedAssociator",
    "find_folder",
    "load",
    "push_folder",
    "save",
]
