"""The project's chores, each in an environment of its own: `nox` runs the first three, `nox -l` lists them all."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
LOWEST_PYTHON = PROJECT["project"]["requires-python"].removeprefix(">=")
MOST_BYTES_OF_A_WHEEL = 12_000_000


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
    session.run("python", "-m", "pytest", "tests/io/boxes/test_ultralytics.py", *session.posargs)


@nox.session
def trackeval(session: nox.Session) -> None:
    """Compare scores of tracks with TrackEval's, whose needs bring an OpenCV that would take the place of ours."""
    install(session, "test")
    session.install("--no-deps", "trackeval==1.3.0")
    session.run("python", "-m", "pytest", "tests/metrics/tracking", *session.posargs, env={"TRACKEVAL_EXAMPLES": "500"})


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
    run = ("jupyter", "nbconvert", "--to", "notebook", "--execute", "--ExecutePreprocessor.record_timing=False")
    session.run(
        *run,
        *(session.posargs or ["--output-dir", session.create_tmp()]),
        *sorted(str(path) for path in Path("docs/notebooks").glob("*.ipynb")),
        env={"PYTHONWARNINGS": "error::UserWarning"},  # those of selfmva are; Jupyter's own are of other kinds
    )


@nox.session(reuse_venv=False)
def build(session: nox.Session) -> None:
    """Build wheel and sdist into dist/, check them, and try each in a fresh environment (sessions `smoke`)."""
    session.install("build", "twine")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("twine", "check", "--strict", "dist/*")
    size = sum(wheel.stat().st_size for wheel in DIST.glob("*.whl"))
    session.log(f"the wheel has {size / 1e6:.1f} MB")
    if size > MOST_BYTES_OF_A_WHEEL:
        session.error(f"a wheel has at most {MOST_BYTES_OF_A_WHEEL / 1e6:.0f} MB: what came in?")
    session.notify("smoke(wheel)")
    session.notify("smoke(sdist)")


@nox.session(reuse_venv=False, venv_backend="uv|virtualenv")
@nox.parametrize("pattern", [nox.param("*.whl", id="wheel"), nox.param("*.tar.gz", id="sdist")])
def smoke(session: nox.Session, pattern: str) -> None:
    """Install what is in dist/ with the newest versions of the dependencies, and see whether it works by itself."""
    (package,) = DIST.glob(pattern)
    session.install(str(package))
    session.run("python", "-I", "tests/smoke.py")


@nox.session(python=LOWEST_PYTHON, reuse_venv=False, venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """Smoke test and tests with the lowest versions of Python and of the dependencies that pyproject.toml allows."""
    # supervision brought opencv-python before its version 0.30: of two OpenCVs in one place, the last installed runs.
    opencv = next(line for line in PROJECT["project"]["dependencies"] if line.startswith("opencv"))
    others = [*nox.project.dependency_groups(PROJECT, "test"), opencv.replace("-headless", ""), "pip>=25.1"]
    session.install("--resolution", "lowest-direct", "--requirements", "pyproject.toml", *others)
    session.install("--no-deps", ".")
    session.run("python", "-I", "tests/smoke.py")
    session.run("python", "-m", "pytest", *(session.posargs or ["tests"]))


@nox.session(venv_backend="uv|virtualenv")
def typing(session: nox.Session) -> None:
    """Check the types of the installed package from outside, as projects that use it do."""
    session.install(".", "mypy>=1.13", "pyright[nodejs]")
    consumer = str(ROOT / "tests" / "consumer.py")
    session.chdir(session.create_tmp())  # away from src/
    session.run("mypy", "--strict", "--config-file=", consumer)
    session.run("pyright", consumer)
    session.run("pyright", "--verifytypes", "selfmva", "--ignoreexternal")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those named after `--`."""
    install(session, "test")
    for script in session.posargs or sorted(str(path) for path in Path("benchmarks").glob("[!_]*.py")):
        session.run("python", script)
