"""The project's chores, each in an environment of its own: `nox` runs the first three, `nox -l` lists them all."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")


def install(session: nox.Session, *groups: str) -> None:
    """Install the package, editable so that src/ is what is checked, and dependency groups of pyproject.toml."""
    session.install("--editable", ".", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of src/."""
    install(session, "types")
    session.run("mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and the doctests: the README's test command."""
    install(session, "test")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that take minutes."""
    install(session, "test")
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session
def lapx(session: nox.Session) -> None:
    """Test assignment with lapx, which installs itself in the place of lap."""
    install(session, "test")
    session.run("pip", "uninstall", "--yes", "lap")
    session.install("lapx>=0.11")
    session.run("python", "-m", "pytest", "tests/matching", *session.posargs)


@nox.session
def ultralytics(session: nox.Session) -> None:
    """Test the bridge from Ultralytics, whose package brings an OpenCV that would take the place of ours."""
    install(session, "test")
    session.install("ultralytics>=8.3")
    session.run("python", "-m", "pytest", "tests/io/test_ultralytics.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; a broken link or an unknown name is an error."""
    formatter = nox.project.dependency_groups(PROJECT, "lint")  # mkdocstrings formats signatures with ruff
    session.install(*PROJECT["project"]["optional-dependencies"]["docs"], *formatter)
    session.run("mkdocs", "build", "--strict", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run the notebooks of the documentation; after `-- --inplace`, their outputs are stored in them."""
    install(session, "notebooks")
    target = session.posargs or ["--output-dir", session.create_tmp()]
    session.run(
        *("jupyter", "nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.record_timing=False", *target),
        *sorted(str(path) for path in Path("docs/notebooks").glob("*.ipynb")),
        env={"PYTHONWARNINGS": "error::UserWarning"},  # those of selfmva are; Jupyter's own are of other kinds
    )


@nox.session(reuse_venv=False)
def build(session: nox.Session) -> None:
    """Build wheel and sdist into dist/, install the wheel as a user would, and start it."""
    session.install("build")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build")
    (wheel,) = (ROOT / "dist").glob("*.whl")
    session.install(str(wheel))
    session.chdir(session.create_tmp())  # away from the checkout: what starts is the wheel
    session.run("python", "-c", "import selfmva")
    session.run("selfmva", "--version")
    session.run("selfmva", "demo", "--instants", "200", "--steps", "100")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those named after `--`."""
    install(session, "test")
    for script in session.posargs or sorted(str(path) for path in Path("benchmarks").glob("[!_]*.py")):
        session.run("python", script)
