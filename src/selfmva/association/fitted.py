"""An object that learns: it holds one model, and shows its parts under names that end in `_`."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from selfmva.core.messages import shown
from selfmva.errors import InputError, NotFittedError, UnknownAttributeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.association.fit_report import FitReport
    from selfmva.association.model import FittedModel
    from selfmva.association.pretrained.card import Card
    from selfmva.core.types import FloatArray, IntArray, View
    from selfmva.core.view_pairs import ViewPair
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.floor import Floor
    from selfmva.matching.posterior.fusion import FusedTable

PARTS = {  # by their names here, those of `FittedModel`
    "views_": "views",
    "encoder_": "encoder",
    "clock_offsets_": "clock_offsets",
    "floor_": "floor",
    "lines_": "lines",
    "tables_": "tables",
    "appearance_": "appearance",
    "fit_report_": "report",
    "card_": "card",
}


class Fitted:
    """Holds what was learnt.

    Attributes:
        model_: Everything that was learnt, as one value; the other attributes are its parts (see `FittedModel`).
    """

    model_: FittedModel
    views_: tuple[View, ...]
    encoder_: BoxEncoder | None
    clock_offsets_: IntArray
    floor_: Floor | None
    lines_: Mapping[ViewPair, FloatArray]
    tables_: Mapping[ViewPair, FusedTable] | None
    appearance_: str | None
    fit_report_: FitReport
    card_: Card | None

    _model: FittedModel | None = None

    def _require_model(self, needed: str) -> FittedModel:
        """What was learnt.

        Args:
            needed: What needs it, for the message.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
        """
        if self._model is None:
            raise NotFittedError(f"{needed}: call fit() or Associator.from_pretrained() first")
        return self._model

    def _keep(self, model: FittedModel) -> None:
        """Take over what was learnt."""
        self._model = model

    def __getattr__(self, name: str) -> Any:
        """Called for what is no attribute: the model and its parts."""
        if name not in PARTS and name != "model_":
            close = [] if name.startswith("_") else get_close_matches(name, [*PARTS, *dir(type(self))], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise UnknownAttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")
        model = self._require_model(f"{name} is learnt")
        part = model if name == "model_" else getattr(model, PARTS[name])
        if part is None and name == "fit_report_":
            raise NotFittedError("there is no fit_report_ of a converted checkpoint: call adapt(boxes) first")
        return part

    def __setattr__(self, name: str, value: Any) -> None:
        if name in PARTS:
            self._keep(replace(self._require_model(f"{name} is learnt"), **{PARTS[name]: value}))
        else:
            super().__setattr__(name, value)


def check_fitted(associator: object, needed_by: str) -> None:
    """Find out whether somebody gave an associator that has learnt.

    Args:
        associator: What was given.
        needed_by: What needs it, for the message.

    Raises:
        InputError: It is no associator.
        NotFittedError: It has learnt nothing yet.

    Example:
        >>> check_fitted(None, "export_onnx()")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: export_onnx() needs a fitted Associator, got None
    """
    if not isinstance(associator, Fitted):
        raise InputError(f"{needed_by} needs a fitted Associator, got {shown(associator)}")
    associator._require_model(f"{needed_by} needs a fitted associator")
