"""Journeys against pm4py: `python -m benchmarks.peers.journeys --sizes 1000000`: graph with gaps, and variants.

Both read one pandas frame with string ids and aware times, whose rows stand in the order of their times, as a log does.
pm4py (AGPL) is a peer that is run, never a dependency. It wants the frame formatted first (`format_dataframe` sorts it;
without it, its variants are wrong), so its time is given with and without that; ours always includes reading. pm4py
makes its graph and the mean gaps in two calls, ours has counts, means and quantiles in one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Table, answer, in_turns, middle, number, say, spread

BARS = {"graph": 10.0, "variants": 3.0}
ENGINES = ("crmcore", "pm4py", "pm4py formatted")


def frame(rows: int, *, seed: int = 5) -> Any:
    """A log of journeys of about 8 steps out of 20, in the order of time."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    case = rng.integers(0, max(rows // 8, 1), rows)
    popular = rng.dirichlet(np.full(20, 0.5))
    step = rng.choice(20, rows, p=popular)
    # microseconds, so that hardly any two rows tie: pm4py does not say which of two tied rows comes first
    time = np.sort(rng.integers(0, 90 * 86_400_000_000, rows)) + 1_767_225_600_000_000
    return pd.DataFrame(
        {
            "case:concept:name": pd.Series([f"case-{c:07d}" for c in case]),
            "concept:name": pd.Series([f"step {s:02d}" for s in step]),
            "time:timestamp": pd.to_datetime(time, unit="us", utc=True),
        }
    )


def _ours(log: Any, task: str) -> Callable[[], int]:
    from crmcore.touchpoints.journeys import follows, journeys, variants

    def run() -> int:
        walks = journeys(log, grain="case:concept:name", step="concept:name", time="time:timestamp")
        return int(follows(walks).count.sum()) if task == "graph" else len(variants(walks))

    return run


def _pm4py(log: Any, task: str, *, formatted: bool) -> Callable[[], int]:
    import pm4py

    ready = pm4py.format_dataframe(log.copy()) if formatted else None

    def run() -> int:
        read = pm4py.format_dataframe(log.copy()) if ready is None else ready
        if task == "variants":
            return len(pm4py.get_variants(read))
        graph, _, _ = pm4py.discover_dfg(read)
        pm4py.discover_performance_dfg(read)
        return int(sum(graph.values()))

    return run


def measure(engine: str, task: str, rows: int) -> None:
    """One run in a fresh process; the second of two calls is measured, so that imports are not."""
    import warnings

    warnings.simplefilter("ignore")

    def made(log: Any) -> Callable[[], int]:
        return _ours(log, task) if engine == "crmcore" else _pm4py(log, task, formatted=engine.endswith("formatted"))

    made(frame(2000))()
    run = made(frame(rows))
    with Meter() as meter:
        found = run()
    answer({"wall_s": meter.cost.wall_s, "peak_mb": meter.cost.peak_mb, "found": found})


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Run both in turns and store one row a task and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=3, metavar=("ENGINE", "TASK", "ROWS"))
    given = parser.parse_args(arguments)
    if given.child:
        engine, task, size = given.child
        measure(engine, task, int(size))
        return
    rows = []
    for size in given.sizes:
        for task, bar in BARS.items():
            say(f"{task}, {size:,} events")
            plan = {engine: (engine, task, str(size)) for engine in ENGINES}
            found = in_turns("benchmarks.peers.journeys", plan, repeats=given.repeats)
            same = {r["found"] for runs in found.values() for r in runs}
            ours, theirs, ready = (middle(found[e], "wall_s") for e in ENGINES)
            rows.append(
                {
                    "task": task, "events": size, "crmcore s": ours, "pm4py s": theirs, "pm4py formatted s": ready,
                    "times faster": theirs / ours, "than formatted": ready / ours,
                    "bar": f"{bar:g}x", "verdict": "met" if theirs / ours >= bar else "missed",
                    "same answer": "yes" if len(same) == 1 else "no", "range s": spread(found["crmcore"], "wall_s"),
                }
            )  # fmt: skip
            say(f"  {number(theirs / ours)}x pm4py, {number(ready / ours)}x on a formatted frame (bar {bar:g}x)")
    Table(
        name="peers-journeys", section="peers", title="Journeys: graph with gaps, and variants", order=60,
        about="From one pandas frame with string ids to the result, the time of reading included, median of the runs.",
        rows=rows, key=("task", "events"),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
