"""Sessions: `python -m benchmarks.speed.sessions [--sizes 10000000] [--repeats 3]`.

Integer-coded events, every engine with a rule of half an hour, in its own fresh process, in turns. Each gives start,
end, count and duration of every session. "ordered" is a log in time order; "any order" is the same log shuffled, where
the order of rows by visitor and time is part of the answer; "end to end" begins at a polars frame with ids of text.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

GAP_US = 1_800_000_000
BARS = {
    ("ordered", "polars"): 8.0,
    ("ordered", "pandas"): 12.0,
    ("any order", "polars"): 3.0,
    ("end to end", "pandas"): 2.0,
}
ALL = ("polars", "duckdb", "pandas")
PEERS = {"ordered": ALL, "any order": ALL, "end to end": ("pandas", "polars")}


def simulate(n: int, *, shuffled: bool) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Visitors and microseconds of n events of n / 50 visitors over a month."""
    rng = np.random.default_rng(3)
    visitor = rng.integers(0, max(n // 50, 1), n).astype(np.int32)
    burst = rng.integers(0, 8, n)  # eight visits each, some minutes long
    at = ((visitor.astype(np.int64) * 7919 + burst * 104_729) % 2_592_000) * 1_000_000 + rng.integers(
        0, 1_500_000_000, n
    )
    order = rng.permutation(n) if shuffled else np.argsort(at, kind="stable")
    return visitor[order], at[order]


def with_crmcore(visitor: NDArray[np.int32], at: NDArray[np.int64]) -> int:
    from crmcore.touchpoints.sessions import session_codes

    found = session_codes(visitor, at, timeout_s=1800)
    assert len(found.duration_us) == len(found.events)
    return len(found)


def with_polars(visitor: NDArray[np.int32], at: NDArray[np.int64]) -> int:
    import polars as pl

    frame = pl.DataFrame({"u": visitor, "t": at}).sort("u", "t", maintain_order=True)
    fresh = (pl.col("u") != pl.col("u").shift(1)).fill_null(True) | (pl.col("t") - pl.col("t").shift(1) > GAP_US)
    frame = frame.with_columns(s=fresh.cast(pl.UInt32).cum_sum())
    got = frame.group_by("s").agg(a=pl.col("t").first(), b=pl.col("t").last(), n=pl.len())
    return len(got.with_columns(d=pl.col("b") - pl.col("a")))


def with_pandas(visitor: NDArray[np.int32], at: NDArray[np.int64]) -> int:
    import pandas as pd

    frame = pd.DataFrame({"u": visitor, "t": at}).sort_values(["u", "t"], kind="stable")
    fresh = (frame["u"] != frame["u"].shift()) | (frame["t"].diff() > GAP_US)
    got = frame.groupby(fresh.cumsum(), sort=False)["t"].agg(["min", "max", "size"])
    return len(got.assign(d=got["max"] - got["min"]))


def with_duckdb(visitor: NDArray[np.int32], at: NDArray[np.int64]) -> int:
    import duckdb
    import pyarrow as pa

    log = pa.table({"u": visitor, "t": at})  # noqa: F841  (duckdb finds it by name)
    session = duckdb.connect()
    session.execute("set threads = 1")
    got = session.execute(
        f"""with cut as (select u, t, coalesce(t - lag(t) over w > {GAP_US}, true) as fresh from log window w as (partition by u order by t)),
        numbered as (select u, t, sum(fresh::int) over (partition by u order by t rows unbounded preceding) as s from cut)
        select u, s, min(t) as a, max(t) as b, count(*) as n, max(t) - min(t) as d from numbered group by u, s"""  # noqa: E501
    ).fetchnumpy()
    return len(got["n"])


def end_to_end(engine: str, n: int) -> Row:
    """Seconds from a polars frame of texts and times to a frame of sessions."""
    import polars as pl

    visitor, at = simulate(n, shuffled=False)
    frame = pl.DataFrame({"customer": [f"customer-{v:07d}" for v in visitor.tolist()], "time": at.astype("M8[us]")})
    frame = frame.with_columns(pl.col("time").dt.replace_time_zone("UTC"), kind=pl.lit("view"))
    if engine == "pandas":
        own = frame.to_pandas()
        with Meter() as meter:
            own = own.sort_values(["customer", "time"], kind="stable")
            fresh = (own["customer"] != own["customer"].shift()) | (own["time"].diff().dt.total_seconds() > 1800)
            got = own.groupby(fresh.cumsum(), sort=False).agg(
                customer=("customer", "first"), start=("time", "min"), end=("time", "max"), events=("time", "size")
            )
            got["duration_s"] = (got["end"] - got["start"]).dt.total_seconds()
        return {"wall_s": meter.cost.wall_s, "sessions": len(got)}
    if engine == "polars":
        with Meter() as meter:
            own = frame.sort("customer", "time", maintain_order=True)
            fresh = (pl.col("customer") != pl.col("customer").shift(1)).fill_null(True)
            fresh = fresh | (pl.col("time").diff().dt.total_seconds() > 1800)
            own = own.with_columns(s=fresh.cast(pl.UInt32).cum_sum())
            got = own.group_by("s").agg(
                pl.col("customer").first(), start=pl.col("time").first(), end=pl.col("time").last(), events=pl.len()
            )
            got = got.with_columns(duration_s=(pl.col("end") - pl.col("start")).dt.total_seconds())
        return {"wall_s": meter.cost.wall_s, "sessions": len(got)}
    from crmcore.tables import EventTable
    from crmcore.touchpoints.sessions import sessionize

    sessionize(EventTable.from_frame(frame.head(100)), "plain").to_frame()  # what is imported late
    with Meter() as meter:
        done = sessionize(EventTable.from_frame(frame), "plain").to_frame()
    return {"wall_s": meter.cost.wall_s, "sessions": len(done)}


ENGINES: dict[str, Callable[[NDArray[np.int32], NDArray[np.int64]], int]] = {
    "crmcore": with_crmcore, "polars": with_polars, "duckdb": with_duckdb, "pandas": with_pandas,
}  # fmt: skip


def run(task: str, engine: str, n: int) -> Row:
    """Seconds of one engine for one task."""
    if task == "end to end":
        return end_to_end(engine, n)
    visitor, at = simulate(n, shuffled=task == "any order")
    ENGINES[engine](visitor[:100], at[:100])  # what is imported late
    with Meter() as meter:
        sessions = ENGINES[engine](visitor, at)
    return {"wall_s": meter.cost.wall_s, "cpu_s": meter.cost.cpu_s, "sessions": sessions}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the tasks and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000000", help="of the coded tasks; end to end takes a tenth")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="TASK,ENGINE,N")
    given = parser.parse_args(arguments)
    if given.child:
        task, engine, n = given.child.split(",")
        answer(run(task, engine, int(n)))
        return
    rows = []
    for size in (int(s) for s in given.sizes.split(",")):
        for task, peers in PEERS.items():
            n = size // 10 if task == "end to end" else size
            there = [e for e in ("crmcore", *peers) if e == "crmcore" or find_spec(e)]
            runs = in_turns(
                "benchmarks.speed.sessions", {e: (f"{task},{e},{n}",) for e in there}, repeats=given.repeats
            )
            found = {e: {r["sessions"] for r in got} for e, got in runs.items()}
            assert len(set.union(*found.values())) == 1, found
            own = middle(runs["crmcore"], "wall_s")
            row: dict[str, Any] = {"task": task, "events": n, "crmcore s": own, "million events/s": n / own / 1e6}
            for peer in there[1:]:
                ratio = middle(runs[peer], "wall_s") / own
                row |= {f"{peer} s": middle(runs[peer], "wall_s"), f"x {peer}": ratio}
                if (task, peer) in BARS:
                    row |= {f"bar {peer}": BARS[task, peer], f"met {peer}": ratio >= BARS[task, peer]}
            rows.append(row)
    Table(
        name="speed-sessions", section="speed", title="Sessions", order=60,
        about="Half an hour of silence ends a session; start, end, count and duration of each. Threads pinned to one.",
        rows=rows, key=("task", "events"),
    ).save(folder)  # fmt: skip
    for r in rows:
        say(f"{r['task']}: " + ", ".join(f"{r[k]:.1f} {k}" for k in r if k.startswith("x ")))


if __name__ == "__main__":
    main()
