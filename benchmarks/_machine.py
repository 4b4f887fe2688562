"""What every benchmark prints first: when, where and with what."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DATA = Path(os.environ.get("SELFMVA_DATA", Path(__file__).parents[2] / "shared" / "data"))
PACKAGES = ("selfmva", "numpy", "scipy", "torch", "lap", "lapx", "torch-linear-assignment", "pygmtools")


def describe() -> str:
    """Date, commit, processor, Python and versions of the packages that matter, one a line."""
    lines = [f"date       {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", f"commit     {_commit()}"]
    lines.append(f"machine    {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}")
    lines.append(f"python     {platform.python_version()}")
    lines.append("packages   " + ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name))))
    return "\n".join(lines)


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
