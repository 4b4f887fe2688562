"""How long `import selfmva` takes: fresh interpreters that import it, in turn with bare ones that import nothing.

Run `python benchmarks/import_time.py [repeats]`; 20 repeats by default.
"""

import statistics
import subprocess
import sys
import time

from _machine import describe

STATEMENTS = {"bare interpreter": "pass", "import selfmva": "import selfmva"}


def seconds(statement: str) -> float:
    """Wall time of one fresh interpreter that runs a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def main(repeats: int) -> None:
    """Measure in turn, so that a load that comes and goes meets both, and print the medians."""
    for statement in STATEMENTS.values():
        seconds(statement)  # the first run reads the files from the disk
    times = {name: [] for name in STATEMENTS}
    for _ in range(repeats):
        for name, statement in STATEMENTS.items():
            times[name].append(seconds(statement))
    print(describe())
    print(f"repeats    {repeats}")
    for name, values in times.items():
        low, _, high = statistics.quantiles(values, n=4)
        print(f"{name:<18} median {statistics.median(values):.3f} s, quartiles {low:.3f} to {high:.3f} s")
    bare, loaded = (statistics.median(values) for values in times.values())
    print(f"{'difference':<18}        {loaded - bare:.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
