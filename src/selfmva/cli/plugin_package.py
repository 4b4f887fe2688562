"""Write the package of a new dataset plug-in: an adapter that works, its tests, and where to change it."""

from __future__ import annotations

import re
import shutil
from importlib.resources import files
from pathlib import Path
from string import Template

from selfmva.datasets.registry import list_datasets
from selfmva.errors import DataError, InputError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 40  # characters; it becomes part of the names of files
# Where a file goes, and the template that it is made of.
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "src/$package/__init__.py": "__init__.py",
    "src/$package/adapter.py": "adapter.py",
    "src/$package/py.typed": None,
    "tests/test_$package.py": "test_adapter.py",
}


def write_plugin_package(name: str, folder: str | Path | None = None) -> list[Path]:
    """Write the package of a dataset plug-in, ready to be installed and tested.

    Its adapter reads a folder with the tables `cameras.csv` and `boxes.csv`, which the package's README describes.

    Args:
        name: Of the data set, as `load_dataset` will be called with it: lower-case letters, digits and single hyphens
            in between, such as `"parking-garage"`; at most 40 characters.
        folder: Where the package goes, a new folder or an empty one; None: `selfmva-{name}`, here.

    Returns:
        The files that were written: all of them, or none where one cannot be.

    Raises:
        InputError: The name is of another form or is registered, or the folder is not empty.
        DataError: A file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for path in write_plugin_package("parking-garage", folder):
        ...         print(path.relative_to(folder).as_posix())
        pyproject.toml
        README.md
        src/selfmva_parking_garage/__init__.py
        src/selfmva_parking_garage/adapter.py
        src/selfmva_parking_garage/py.typed
        tests/test_selfmva_parking_garage.py
    """
    _check_name(name)
    target = Path(f"selfmva-{name}" if folder is None else folder)
    _check_folder(target)
    contents = _render(name)
    _write_all(target, contents)
    return [target / path for path in contents]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InputError(
            "the name of a data set is made of lower-case letters a-z, digits and single hyphens in between, starts "
            f"with a letter and has at most {_LONGEST_NAME} characters, such as 'parking-garage'; got {name!r}"
        )
    owners = [entry.distribution for entry in list_datasets() if entry.name == name]
    if owners:
        raise InputError(f"the data set {name!r} is registered already, by {owners[0]}; choose another name")


def _check_folder(folder: Path) -> None:
    try:
        filled = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot look into {folder}: {error.strerror or error}; choose another folder") from error
    if filled:
        raise InputError(f"the folder {folder} is not empty; choose a new one, or empty it")


def _render(name: str) -> dict[str, str]:
    """The text of each file, by its path in the package."""
    words = {
        "name": name,
        "distribution": f"selfmva-{name}",
        "package": f"selfmva_{name.replace('-', '_')}",
        "adapter": "".join(part.capitalize() for part in name.split("-")) + "Dataset",
    }
    templates = files("selfmva.cli") / "plugin_template"

    def text(source: str | None) -> str:
        return "" if source is None else (templates / f"{source}.template").read_text(encoding="utf-8")

    return {
        Template(path).substitute(words): Template(text(source)).substitute(words) for path, source in _FILES.items()
    }


def _write_all(folder: Path, contents: dict[str, str]) -> None:
    existed = folder.exists()
    try:
        for path, text in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except BaseException as error:
        _remove_all(folder, existed)
        if isinstance(error, OSError):
            raise DataError(f"cannot write {folder}: {error}; nothing was left there") from error
        raise


def _remove_all(folder: Path, existed: bool) -> None:
    """What was written into a folder, and the folder itself where it is new."""
    if not existed:
        shutil.rmtree(folder, ignore_errors=True)
    elif folder.is_dir():
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
