"""Models as folders: what is saved, its model card, and the places that models come from."""

from selfmva.association.pretrained.aliases import ALIASES, Alias
from selfmva.association.pretrained.card import Card
from selfmva.association.pretrained.files import CARD, CONFIG, WEIGHTS
from selfmva.association.pretrained.folder import FORMAT_VERSION, load, save
from selfmva.association.pretrained.mixin import Pretrained
from selfmva.association.pretrained.repositories import find_folder, push_folder

__all__ = [
    "ALIASES",
    "CARD",
    "CONFIG",
    "FORMAT_VERSION",
    "WEIGHTS",
    "Alias",
    "Card",
    "Pretrained",
    "find_folder",
    "load",
    "push_folder",
    "save",
]
