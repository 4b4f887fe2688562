"""Where models come from and go to: folders, models that ship with the package, and the model hub."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from selfmva.association.pretrained.aliases import ALIASES, shipped_folder
from selfmva.association.pretrained.files import CARD, CONFIG, WEIGHTS
from selfmva.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from typing import Any

BY_HAND = "fetch its files by hand (config.json and model.safetensors), and load the folder"


def find_folder(
    name: str | Path,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Path:
    """The folder of a saved associator: a local one, one that ships with the package, or one of the model hub.

    A folder that holds a `config.json` goes before an alias of the same name, and an alias before the hub. What comes
    from the hub is downloaded once, all files of one commit, and cut downloads are resumed.

    Args:
        name: A folder, an alias (see `ALIASES`), or `"organization/name"` on the hub.
        revision: Branch, tag or commit of the repository; an alias has its own, and with another one the hub is
            asked.
        token: Of the hub, for private repositories; True: the one that `hf auth login` stored.
        cache_dir: Where downloads are kept; the hub's own default where None.
        local_files_only: Never ask the network.
        force_download: Download again what is in the cache.

    Returns:
        A local folder.

    Raises:
        CheckpointError: No such folder, and not the form of a repository's name; or a file, which is no model.
        DataError: The hub cannot be reached, has no such repository or revision, or it holds no model.

    Example:
        >>> find_folder("wildtrack").name
        'wildtrack'
    """
    folder = Path(name)
    if (folder / CONFIG).is_file():
        return folder
    alias = ALIASES.get(str(name))
    if alias is not None:
        shipped = shipped_folder(str(name))
        if shipped is not None and revision is None and not force_download:
            return shipped
        name, revision = alias.repository, revision or alias.revision
    elif folder.is_dir():
        return folder
    elif folder.is_file():
        raise CheckpointError(
            f"{name} is a file, a model is a folder of {CONFIG} and {WEIGHTS}; archives and pickles are refused. If it "
            f"is a checkpoint of the published code: `selfmva convert {name} --views ...`"
        )
    parts = str(name).split("/")
    if isinstance(name, Path) or len(parts) != 2 or not all(parts) or set(parts) & {".", ".."}:
        raise CheckpointError(
            f"{name} is neither a folder, nor the name of a hub repository ('organization/name'), nor one of "
            f"{', '.join(ALIASES)}"
        )
    options = {"token": token, "cache_dir": cache_dir, "local_files_only": local_files_only}
    return _download(str(name), revision, {**options, "force_download": force_download})


def push_folder(folder: str | Path, repository: str, *, private: bool | None, **options: Any) -> str:
    """Upload a model in a single commit; the repository is made where it is missing.

    Args:
        folder: What `save` wrote.
        repository: `"organization/name"`.
        private: Whether a new repository is private; None: what the organization has as default.
        **options: `token`, `commit_message`, `revision` (a branch) and `create_pr` as for `huggingface_hub.HfApi`.

    Returns:
        Address of the commit.

    Raises:
        DataError: The hub cannot be reached or refuses.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi(token=options.pop("token", None))
        full_name = api.create_repo(repo_id=repository, private=private, exist_ok=True).repo_id
        commit = api.upload_folder(
            repo_id=full_name, folder_path=folder, allow_patterns=[CONFIG, WEIGHTS, CARD], **options
        )
    except Exception as error:
        raise DataError(f"cannot push to {repository}: {_reason(error)}; is the token allowed to write?") from error
    return str(commit.commit_url)


def _download(repository: str, revision: str | None, options: dict[str, Any]) -> Path:
    """The folder of the cache that holds all files of one commit."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    def fetch(file: str, revision: str | None) -> Path:
        return Path(hf_hub_download(repository, file, revision=revision, library_name="selfmva", **options))

    try:
        folder = fetch(CONFIG, revision).parent
        commit = folder.name  # the cache names the folders of snapshots by their commits
        fetch(WEIGHTS, commit)
        with suppress(EntryNotFoundError):  # a model works without its card
            fetch(CARD, commit)
    except LocalEntryNotFoundError as error:
        where = "local_files_only" if options["local_files_only"] else "the model hub cannot be reached"
        raise DataError(
            f"cannot get {_named(repository, revision)}: {where}, and it is not in the cache; {BY_HAND}"
        ) from error
    except Exception as error:  # the hub's client fails in the ways of whatever HTTP library it uses
        why = _reason(error.__cause__ if type(error) is ValueError and error.__cause__ else error)
        raise DataError(f"cannot get {_named(repository, revision)} from the model hub: {why}") from error
    return folder


def _named(repository: str, revision: str | None) -> str:
    return repository if revision is None else f"{repository} at {revision!r}"


def _reason(error: BaseException) -> str:
    """What went wrong, and what to do about it, in a sentence."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return "its owner has to grant access first, at its page on the hub; then give token="
    if isinstance(error, RepositoryNotFoundError):
        return "there is no such repository, or it is private: check the name, or give token="
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such branch, tag or commit"
    if isinstance(error, EntryNotFoundError):
        return f"it lacks {CONFIG} or {WEIGHTS}: it holds no model"
    if isinstance(error, HFValidationError):
        return str(error)
    return f"{type(error).__name__}: {error}"
