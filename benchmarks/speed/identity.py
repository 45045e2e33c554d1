"""Where the time of the default flow goes, and how it grows: `python -m benchmarks.speed.identity [--sizes 10000,...]`.

`identify.resolve` on the generated table of the peer benchmark (8 columns, nothing told, no labels), every run in its
own fresh process on two cores. Stages are seen through `progress=`.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, Meter, Row, Stages, Table, answer, in_turns, middle, say, spread
from benchmarks.common_people import make_people

SIZES = (10_000, 100_000, 1_000_000)


def run(table: Any) -> Row:
    """One run, from an Arrow table in memory to profiles."""
    from crmcore.idic.identify import resolve
    from crmcore.linkage import evaluate

    true = dict(zip(("people:" + r for r in table["unique_id"].to_pylist()), table["person"].to_pylist(), strict=True))
    held = table.drop_columns(["person"])
    stages = Stages()
    with Meter() as meter:
        people = resolve({"people": held}, progress=stages)
        seconds = stages.done()
    with Meter() as golden:
        customers = len(people.profiles)
    import numpy as np

    q = evaluate(people.labels, np.array([true[r] for r in people.table.record_id.tolist()], np.int64))
    cost = meter.cost
    return {
        "wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "peak_mb": cost.peak_mb, "base_mb": cost.base_mb, "stages": seconds,
        "pairs": int(people.linkage.n_pairs), "f1": q.pair_f1.value, "b3": q.bcubed_f1.value,
        "profiles_s": golden.cost.wall_s,
        "customers": customers,
    }  # fmt: skip


def measure(sizes: tuple[int, ...], *, repeats: int) -> dict[int, list[Row]]:
    """Runs by size, sizes in turns."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        engines = {}
        for n in sizes:
            place = Path(folder) / f"{n}.parquet"
            pq.write_table(make_people(n).to_arrow(), place)
            engines[f"{n:,} records"] = (str(place),)
        found = in_turns("benchmarks.speed.identity", engines, repeats=repeats)
    return dict(zip(sizes, found.values(), strict=True))


def store(found: dict[int, list[Row]], folder: Path = RESULTS) -> None:
    """Keep two tables: stages by size, and growth."""
    stages = []
    for n, runs in found.items():
        names = dict.fromkeys(k for r in runs for k in r["stages"])
        middles = {k: middle([{"s": r["stages"].get(k, 0.0)} for r in runs], "s") for k in names}
        stages += [
            {"records": n, "stage": k, "wall s": v, "share": v / max(sum(middles.values()), 1e-9)}
            for k, v in middles.items()
        ]
    Table(
        name="speed-identity-stages", section="speed", order=10, title="Identity: stages of the default flow",
        about="`identify.resolve` on the generated table; seconds between the first reports of stages, medians.",
        rows=stages, key=("records", "stage"),
    ).save(folder)  # fmt: skip
    rows: list[Row] = []
    for n, runs in sorted(found.items()):
        row: Row = {
            "records": n, "runs": len(runs), "wall s": middle(runs, "wall_s"), "wall range s": spread(runs, "wall_s"),
            "CPU s": middle(runs, "cpu_s"), "peak GB": middle(runs, "peak_mb") / 1000,
            "before the run GB": middle(runs, "base_mb") / 1000, "pairs per record": runs[0]["pairs"] / n,
            "pair F1": runs[0]["f1"], "B3": runs[0]["b3"], "profiles s": middle(runs, "profiles_s"),
        }  # fmt: skip
        if rows:
            last = rows[-1]
            row["growth: CPU ~ n^"] = f"{math.log(row['CPU s'] / last['CPU s']) / math.log(n / last['records']):.2f}"
        row["_runs"] = runs
        rows.append(row)
    Table(
        name="scale-identity", section="scale", order=10, title="Identity: the default flow by size",
        about="The same runs. Peak memory is of the process; what stood before the run (interpreter, input table) is "
        "in it. Golden records are built when they are asked for: their seconds stand apart.",
        rows=rows, key=("records",),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the tables in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="TABLE")
    given = parser.parse_args(arguments)
    if given.child:
        import pyarrow.parquet as pq

        answer(run(pq.read_table(given.child)))
        return
    store(found := measure(tuple(int(s) for s in given.sizes.split(",")), repeats=given.repeats), folder)
    for n, runs in found.items():
        wall, cpu, peak = (middle(runs, f) for f in ("wall_s", "cpu_s", "peak_mb"))
        say(f"{n:,}: {wall:.2f} s, {cpu:.2f} CPU s, {peak:.0f} MB")


if __name__ == "__main__":
    main()
