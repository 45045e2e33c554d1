"""Time and memory of the simulated data: one process, one thread, each size in a fresh interpreter.

Run from the repository root: ``python -m benchmarks.speed.datasets``
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

CASES = (
    ("simulate_records", 100_000, "< 10 s"),
    ("simulate_records", 700_000, "about 1 M records, < 60 s"),
    ("simulate_brand", 100_000, "< 60 s, < 1.5 GB"),
    ("organisations", 100_000, "-"),
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measure(name: str, n: int) -> str:
    """Wall seconds, CPU seconds and peak memory of one call, as a table row without its goal."""
    from crmcore import datasets

    begin, cpu = time.perf_counter(), time.process_time()
    made = getattr(datasets, name)(n, seed=1)
    wall, used = time.perf_counter() - begin, time.process_time() - cpu
    unit = 1e9 if sys.platform == "darwin" else 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    truth = getattr(made, "truth", made)
    rows = len(truth.records if name == "simulate_brand" else truth)
    return f"| {name} | {n:,} | {rows:,} | {wall:.1f} | {used:.1f} | {peak:.2f} |"


def main() -> None:
    """Print the table."""
    print(
        "| call | customers | records | wall s | CPU s | peak GB | goal |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name, n, goal in CASES:
        command = [sys.executable, "-m", "benchmarks.speed.datasets", name, str(n)]
        row = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
        print(f"{row.stdout.strip()} {goal} |")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
