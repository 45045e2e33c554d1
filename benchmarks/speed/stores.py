"""Append and read rates of the built-in stores: `python benchmarks/speed/stores.py`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np

from crmcore.stores import Event, EventStore, MemoryStore, SqliteStore

SINGLE, BATCHED, BATCH, STREAMS = 20_000, 200_000, 10_000, 5_000
WHEN = datetime(2026, 5, 1, tzinfo=UTC)


def events(n: int, seed: int) -> list[Event]:
    """Events with random ids (the hard case for an index) and a payload of four fields."""
    rng = np.random.default_rng(seed)
    ids = [str(UUID(bytes=rng.bytes(16))) for _ in range(n)]
    to = rng.integers(0, STREAMS, n)
    return [
        Event(
            id=id_,
            type="order placed",
            time=WHEN,
            stream=f"customer:{k}",
            data={"order": i, "amount_minor": 12900, "channel": "web", "items": 3},
        )
        for i, (id_, k) in enumerate(zip(ids, to, strict=True))
    ]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def singles(store: EventStore, rows: list[Event]) -> None:
    for row in rows:
        store.append(row.stream, [row])


def batches(store: EventStore, rows: list[Event]) -> None:
    for i in range(0, len(rows), BATCH):
        store.append_many(rows[i : i + BATCH])


def main() -> None:
    print(f"events with 4 fields and random ids over {STREAMS:,} streams; batches of {BATCH:,}; median of 3\n")
    print(f"{'store':28} {'single /s':>12} {'batched /s':>12} {'read_all /s':>12}")
    makers: dict[str, Callable[[Path], EventStore]] = {
        "MemoryStore": lambda _p: MemoryStore(),
        "SqliteStore": lambda p: SqliteStore(p / "a.db"),
        "SqliteStore, power": lambda p: SqliteStore(p / "a.db", durability="power"),
    }
    for name, make in makers.items():
        rates: list[tuple[float, float, float]] = []
        for run in range(3):
            one, many = events(SINGLE, run), events(BATCHED, run + 100)
            one = one if "power" not in name else one[:1000]
            with tempfile.TemporaryDirectory() as folder, make(Path(folder)) as store:
                many_s = seconds(lambda s=store, m=many: batches(s, m))
                one_s = seconds(lambda s=store, o=one: singles(s, o))
                read_s = seconds(lambda s=store: sum(1 for _ in s.read_all()))
            rates.append((len(one) / one_s, len(many) / many_s, (len(one) + len(many)) / read_s))
        single, batched, read = np.median(rates, axis=0)
        print(f"{name:28} {single:12,.0f} {batched:12,.0f} {read:12,.0f}")


if __name__ == "__main__":
    main()
