"""The ledger: `python -m benchmarks.speed.ledger [--sizes 100000,1000000]`.

Postings of a points programme (seven credits to three debits, lots that live a year, ten postings an account) are
replayed as columns, and posted in batches into the built-in stores. Every run has its own fresh process.
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
from crmcore.ledger import Kind, Ledger, PostingTable
from crmcore.stores import EventStore, MemoryStore, SqliteStore
from crmcore.tables import CustomerIndex

SIZES = (100_000, 1_000_000)
PER_ACCOUNT, BATCH = 10, 20_000
BAR_S = 5.0  # for a million postings as columns
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = tuple(Kind)
WAYS = ("columns", "MemoryStore", "SqliteStore")


def postings(n: int, seed: int = 1) -> PostingTable:
    """Postings that every account can bear: a debit takes at most what its account still holds."""
    rng = np.random.default_rng(seed)
    accounts = max(n // PER_ACCOUNT, 1)
    account = rng.integers(0, accounts, n).astype(np.int32)
    at = np.datetime64("2025-01-01", "us") + rng.integers(0, 360 * 86_400_000_000, n).astype("timedelta64[us]")
    amount, debit = rng.integers(1, 100, n), rng.random(n) < 0.3
    left: dict[int, int] = {}
    for i in np.lexsort((at, account)).tolist():
        held = left.get(int(account[i]), 0)
        debit[i] &= held > 0
        if debit[i]:
            amount[i] = min(amount[i], held)
        left[int(account[i])] = held - int(amount[i]) if debit[i] else held + int(amount[i])
    return PostingTable(
        account=account, kind=np.where(debit, KINDS.index(Kind.SPEND), KINDS.index(Kind.EARN)), at=at, amount=amount,
        id=[f"posting:{i}" for i in range(n)], unit="point", accounts=CustomerIndex(tuple(map(str, range(accounts)))),
        expires_at=np.where(debit, np.datetime64("NaT"), at + np.timedelta64(366, "D")),
    )  # fmt: skip


def run(way: str, n: int) -> Row:
    """Seconds and memory of one way to take n postings."""
    table = postings(n)
    if way == "columns":
        with Meter() as meter:
            found = table.balances(as_of=NOW)
        found.check()
        return {"wall_s": meter.cost.wall_s, "cpu_s": meter.cost.cpu_s, "read_s": meter.cost.wall_s,
                "peak_mb": meter.cost.peak_mb, "active": int(found.active.sum())}  # fmt: skip
    listed = sorted(table, key=lambda p: p.at)
    with TemporaryDirectory() as folder:
        store: EventStore = MemoryStore() if way == "MemoryStore" else SqliteStore(Path(folder) / "books.db")
        with store:
            ledger = Ledger(store)
            with Meter() as meter:
                for i in range(0, n, BATCH):
                    ledger.post_many(listed[i : i + BATCH])
            begin = time.perf_counter()
            found = Ledger(store).balances(as_of=NOW)
            read_s = time.perf_counter() - begin
    return {"wall_s": meter.cost.wall_s, "cpu_s": meter.cost.cpu_s, "read_s": read_s, "peak_mb": meter.cost.peak_mb,
            "active": int(found.check().active.sum())}  # fmt: skip


def store_rows(found: dict[tuple[str, int], list[Row]], folder: Path = RESULTS) -> None:
    """Keep one row a way and size."""
    barred = ("columns", 1_000_000)
    rows = [
        {
            "way": way, "postings": n, "runs": len(runs), "wall s": middle(runs, "wall_s"),
            "cpu s": middle(runs, "cpu_s"),
            "postings per s": n / middle(runs, "wall_s"), "bar s": BAR_S if (way, n) == barred else None,
            "met": middle(runs, "wall_s") <= BAR_S if (way, n) == barred else None,
            "all balances from events s": middle(runs, "read_s"), "peak GB": middle(runs, "peak_mb") / 1000,
        }
        for (way, n), runs in found.items()
    ]  # fmt: skip
    Table(
        name="speed-ledger", section="speed", order=30, title="Ledger: postings and balances",
        about=f"Points with lots that expire, {PER_ACCOUNT} postings an account, 7 credits to 3 debits. Columns: "
        f"`PostingTable.balances` of all accounts at an instant. Stores: `Ledger.post_many` in batches of {BATCH:,}, "
        "every posting checked against its account; then the balances of all accounts read back from the events.",
        rows=rows, key=("way", "postings"), arrange=WAYS,
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WAY", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], int(given.child[1])))
        return
    cases = {f"{way}, {int(n):,}": (way, n) for n in given.sizes.split(",") for way in given.ways.split(",")}
    runs = in_turns("benchmarks.speed.ledger", cases, repeats=given.repeats)
    found = {(way, int(n)): got for (way, n), got in zip(cases.values(), runs.values(), strict=True)}
    sums = {n: {row["active"] for (_, m), got in found.items() if m == n for row in got} for _, n in found}
    if any(len(s) > 1 for s in sums.values()):
        raise RuntimeError(f"the ways disagree: {sums}")
    store_rows(found, folder)
    for (way, n), got in found.items():
        say(f"{way}, {n:,}: {n / middle(got, 'wall_s'):,.0f} postings a second")


if __name__ == "__main__":
    main()
