"""One record at a time: `python -m benchmarks.speed.lookup [--sizes 10000,100000,1000000]`.

A table is resolved in one go, a `Resolver` goes on from there, and records that it has not seen are first looked up,
then observed, one by one. Raw cells go in, so normalisation counts. Every size runs in its own fresh process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say
from benchmarks.common_people import make_people

SIZES = (10_000, 100_000, 1_000_000)
UNSEEN = 2_000
NOW = datetime(2026, 5, 1, tzinfo=UTC)
LOOKUP_BAR_MS = 5.0  # 95th percentile
OBSERVE_BAR = 2_000  # records a second


def run(n: int) -> Row:
    """Seconds of everything, for n records held."""
    from crmcore.idic.identify import resolve
    from crmcore.idic.identify.resolver import Resolver
    from crmcore.stores import SqliteStore

    table = make_people(n + UNSEEN).to_arrow()
    held = table.drop_columns(["person"])
    people = resolve({"people": held.slice(0, n)})
    fresh = [{k: v for k, v in row.items() if v is not None} for row in held.slice(n).to_pylist()]
    person = table["person"].to_pylist()
    folder = TemporaryDirectory()
    store = SqliteStore(Path(folder.name) / "people.db")
    with Meter() as loading:
        resolver = Resolver.of(people, now=NOW, store=store)
    resolver.lookup(fresh[0], source="people")  # what is made on first use
    looked, hits = [], 0
    with Meter() as looking:
        for record in fresh:
            begin = time.perf_counter()
            hits += bool(resolver.lookup(record, source="people"))
            looked.append(time.perf_counter() - begin)
    with Meter() as observing:
        for record in fresh:
            resolver.observe(record, source="people", now=NOW)
    store.close()
    folder.cleanup()
    known = set(person[:n])
    return {
        "wall_s": looking.cost.wall_s, "load_s": loading.cost.wall_s, "peak_mb": observing.cost.peak_mb,
        "p50": float(np.percentile(looked, 50)) * 1e3, "p95": float(np.percentile(looked, 95)) * 1e3,
        "worst": max(looked) * 1e3, "rate": UNSEEN / observing.cost.wall_s, "hits": hits / UNSEEN,
        "there": sum(p in known for p in person[n:]) / UNSEEN,
    }  # fmt: skip


def store(found: dict[int, list[Row]], folder: Path = RESULTS) -> None:
    """Keep one row a size."""
    rows = [
        {
            "records held": n, "runs": len(runs), "look-up p50 ms": middle(runs, "p50"),
            "look-up p95 ms": middle(runs, "p95"), "bar p95 ms": LOOKUP_BAR_MS,
            "bar observed per s": OBSERVE_BAR,
            "met": middle(runs, "p95") <= LOOKUP_BAR_MS and middle(runs, "rate") >= OBSERVE_BAR,
            "worst ms": middle(runs, "worst"),
            "observed per s": middle(runs, "rate"), "someone found": runs[0]["hits"], "someone there": runs[0]["there"],
            "load s": middle(runs, "load_s"), "peak GB": middle(runs, "peak_mb") / 1000,
        }
        for n, runs in found.items()
    ]  # fmt: skip
    Table(
        name="speed-identity-lookup", section="speed", order=12, title="Identity: one record at a time",
        about=f"`Resolver.lookup` and `Resolver.observe` of {UNSEEN:,} unseen raw records, one by one, into an "
        "`SqliteStore`: each is safe from a killed process when the call returns. "
        '"Someone found": share of them for which a record was proposed; "someone there": share whose person is held.',
        rows=rows, key=("records held",),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    sizes = [int(s) for s in given.sizes.split(",")]
    runs = in_turns("benchmarks.speed.lookup", {f"{n:,} held": (str(n),) for n in sizes}, repeats=given.repeats)
    found = dict(zip(sizes, runs.values(), strict=True))
    store(found, folder)
    for n, got in found.items():
        p50, p95, rate = (middle(got, f) for f in ("p50", "p95", "rate"))
        say(f"{n:,}: look-up p50 {p50:.2f} ms, p95 {p95:.2f} ms; {rate:,.0f} observed a second")


if __name__ == "__main__":
    main()
