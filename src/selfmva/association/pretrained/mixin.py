"""`save_pretrained`, `push_to_hub` and `from_pretrained`, with the names and manners of the model hub's own mixin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from selfmva.association.fitted import Fitted
from selfmva.association.parameters import read_parameters
from selfmva.association.pretrained.card import Card
from selfmva.association.pretrained.folder import PRECISIONS, Precision, load, save
from selfmva.association.pretrained.repositories import find_folder, push_folder
from selfmva.core.arguments import is_one_of
from selfmva.core.config import AppearanceConfig, build
from selfmva.core.devices import check_device
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.plugins import rename_file
from selfmva.core.scalars import flag
from selfmva.errors import CheckpointError, ConfigError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from selfmva.association.model import FittedModel


class Pretrained(Fitted, ABC):
    """What can be saved to a folder or a repository of the model hub, and loaded from there."""

    @classmethod
    @abstractmethod
    def from_model(cls, model: FittedModel, *, device: str = "cpu") -> Self:
        """A fitted one.

        Args:
            model: Everything that was learnt.
            device: `"cpu"`, `"cuda"`, `"cuda:1"`, or `"auto"`.
        """

    def save_pretrained(
        self,
        folder: str | Path,
        *,
        card: Card | dict[str, Any] | None = None,
        precision: Precision = "float32",
    ) -> None:
        """Save everything that was learnt as `config.json` and `model.safetensors`, with a model card (`README.md`).

        Args:
            folder: Made where it is missing. A `README.md` that selfmva did not write stays as it is.
            card: What the card says of training data, licence and metrics, a `selfmva.hub.Card` or a dictionary
                of its fields. None: what it said when it was loaded.
            precision: Of the embedding; `"float16"` halves the file.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            InputError: `folder` is no path.
            ConfigError: The card has an unknown field or a figure that is not finite, or there is no such precision.
            DataError: The disk is full or refuses; what was there before is unchanged.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> from selfmva import Associator
            >>> associator = Associator.from_pretrained("wildtrack")
            >>> with TemporaryDirectory() as folder:
            ...     associator.save_pretrained(folder, card={"title": "The square", "license": "CC-BY-NC-SA-4.0"})
            ...     Associator.from_pretrained(folder).card_.title
            'The square'
        """
        self._save(folder, card, precision, "")

    def _save(self, folder: str | Path, card: Card | dict[str, Any] | None, precision: Precision, name: str) -> None:
        model = self._require_model("save_pretrained() needs a fitted associator")
        folder = as_path(folder, "folder")
        if not is_one_of(precision, PRECISIONS):
            raise ConfigError(f"precision must be one of {', '.join(PRECISIONS)}, got {shown(precision)}")
        if card is not None:
            if not isinstance(card, Card | dict):
                raise ConfigError(f"card must be a selfmva.hub.Card or a dictionary of its fields, got {shown(card)}")
            model = replace(model, card=build(Card, card if isinstance(card, dict) else card.model_dump()))
        # On this machine the encoder is found again from any folder; elsewhere its path says nothing but who made it.
        renamed = _with_encoder_file(model, lambda path: path.name if name else str(path.resolve()))
        save(folder, renamed, precision, name)
        self._keep(model)

    def push_to_hub(
        self,
        repository: str,
        *,
        card: Card | dict[str, Any] | None = None,
        precision: Precision = "float32",
        private: bool | None = None,
        token: str | bool | None = None,
        branch: str | None = None,
        create_pr: bool = False,
        commit_message: str = "Push a model of selfmva",
    ) -> str:
        """Save to a repository of the model hub, in a single commit.

        Args:
            repository: `"organization/name"`; made where it is missing.
            card: See `save_pretrained`.
            precision: See `save_pretrained`.
            private: Whether a new repository is private; None: as the organization has it.
            token: Of the hub; None: the one that `hf auth login` stored.
            branch: Of the repository; None: the main one.
            create_pr: Open a pull request instead of changing the branch.
            commit_message: Says why.

        Returns:
            Address of the commit.

        Raises:
            NotFittedError: Before `fit` or `from_pretrained`.
            DataError: The hub cannot be reached or refuses.
        """
        with TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            self._save(folder, card, precision, repository)
            options = {"token": token, "revision": branch, "create_pr": create_pr, "commit_message": commit_message}
            return push_folder(folder, repository, private=private, **options)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        device: str = "cpu",
        appearance: str | AppearanceConfig | dict[str, Any] | None = None,
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> Self:
        """Load what `save_pretrained` saved.

        Args:
            name: A folder; `"wildtrack"` or `"mvor"`, which come with the package; or a repository of the model hub
                (`"organization/name"`).
            device: As for `Associator`.
            appearance: For a model that learnt with an encoder of appearance: where that is on this machine, as for
                `Associator`. None: where it was when the model was saved.
            revision: Branch, tag or commit of the repository.
            token: Of the hub, for private repositories.
            cache_dir: Where downloads are kept.
            local_files_only: Never ask the network.
            force_download: Download again what is in the cache.

        Returns:
            A fitted associator.

        Raises:
            InputError: `name` is neither a text nor a path, or empty; or another argument is none.
            CheckpointError: A file is missing, damaged, of another architecture or of a newer format, or is a pickle.
            DataError: The hub cannot be reached or has no such repository or revision.

        Example:
            >>> from selfmva import Associator
            >>> associator = Associator.from_pretrained("wildtrack")
            >>> len(associator.views_), len(associator.floor_.views_on_floor)
            (7, 7)
        """
        as_path(name, "the name of a model")
        check_device(device)
        given: object = revision
        if given is not None and not isinstance(given, str):
            raise InputError(f"revision must be the name of a branch, a tag or a commit, or None, got {shown(given)}")
        folder = find_folder(
            name,
            revision=revision,
            token=token,
            cache_dir=None if cache_dir is None else as_path(cache_dir, "cache_dir"),
            local_files_only=flag(local_files_only, "local_files_only"),
            force_download=flag(force_download, "force_download"),
        )
        model = load(folder)
        if appearance is not None:
            model = _with_appearance(model, read_parameters({"appearance": appearance}).appearance)
        elif folder != Path(name):
            _refuse_files_elsewhere(model, str(name))
        return cls.from_model(model, device=device)


def _with_appearance(model: FittedModel, appearance: AppearanceConfig) -> FittedModel:
    return replace(model, config=model.config.model_copy(update={"appearance": appearance}))


def _with_encoder_file(model: FittedModel, rename: Callable[[Path], str]) -> FittedModel:
    """The same with another name for the file of its encoder of appearance, if it has one."""
    appearance = model.config.appearance
    if appearance.encoder is None:
        return model
    renamed = rename_file(appearance.encoder, rename)
    return _with_appearance(model, appearance.model_copy(update={"encoder": renamed}))


def _refuse_files_elsewhere(model: FittedModel, name: str) -> None:
    """A model of somebody else does not choose which files of this machine are opened."""
    encoder = model.config.appearance.encoder or ""
    kind, _, what = encoder.partition(":")
    if what and kind != "torchvision":
        raise CheckpointError(
            f"{name} learnt with the encoder of appearance {encoder!r}, a file of its maker's machine: give "
            f"appearance='{kind}:...' with yours, or appearance={{'encoder': None}} to do without"
        )
