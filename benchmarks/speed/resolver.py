"""Milliseconds of a lookup, records a second of a resolver: python benchmarks/speed/resolver.py [10000 100000 ...]."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from crmcore.datasets import simulate_records
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.resolver import Resolver
from crmcore.idic.identify.resolving import resolve
from crmcore.linkage.index import LinkageIndex
from crmcore.stores import SqliteStore

NOW = datetime(2026, 5, 1, tzinfo=UTC)
RECORDS_PER_PERSON = 1.45


def lookups(index: LinkageIndex, times: int = 2_000) -> str:
    """Median and 95th percentile of a lookup of a record like those that are held."""
    rng = np.random.default_rng(0)
    values = [index.values(int(i)) for i in rng.integers(0, index.end, times)]
    took = []
    for record in values:
        begin = time.perf_counter()
        index.match(record)
        took.append(time.perf_counter() - begin)
    return f"p50 {np.percentile(took, 50) * 1e3:.2f} ms, p95 {np.percentile(took, 95) * 1e3:.2f} ms"


def dicts(sources: dict[str, dict[str, np.ndarray]]) -> list[tuple[str, dict[str, object]]]:
    return [
        (name, {k: v for k, v in zip(columns, row, strict=True) if v is not None and k != "record_id"})
        for name, columns in sources.items()
        for row in zip(*columns.values(), strict=True)
    ]


def resolver_at(n: int, extra: int = 4_000) -> None:
    """One resolver that holds n records: lookups, observations, reopening."""
    people = resolve(simulate_records(round(n / RECORDS_PER_PERSON), seed=5).sources)
    new = dicts(simulate_records(round(extra * 1.2), seed=6).sources)
    np.random.default_rng(1).shuffle(new)
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "people.db") as store:
        begin = time.perf_counter()
        resolver = Resolver.of(people, store=store, now=NOW)
        print(f"{n:,} records: loaded in {time.perf_counter() - begin:.1f} s, {len(resolver.model.keys)} keys")
        print(f"  lookup {lookups(resolver._graph.index)}")
        begin = time.perf_counter()
        for i, (source, record) in enumerate(new[: extra // 2]):
            resolver.observe(record, source=source, record_id=f"a{i}", now=NOW)
        print(f"  observe {extra / 2 / (time.perf_counter() - begin):,.0f} records/s one by one")
        begin = time.perf_counter()
        several = {s: [r for t, r in new[extra // 2 : extra] if t == s] for s in resolver.schema.roles}
        for source, records in several.items():
            resolver.observe_many(records, source=source, record_ids=[f"b{i}" for i in range(len(records))], now=NOW)
        print(f"  observe {extra / 2 / (time.perf_counter() - begin):,.0f} records/s in batches of {extra // 10:,}")
        begin = time.perf_counter()
        resolver.snapshot()
        print(f"  snapshot {time.perf_counter() - begin:.1f} s", end="")
        begin = time.perf_counter()
        again = Resolver.open(store)
        print(f", open {time.perf_counter() - begin:.1f} s, same: {again.assignments() == resolver.assignments()}")


def index_at(n: int, fitted: int = 100_000) -> None:
    """Index of n records under a model that was fitted on fewer."""
    people = resolve(simulate_records(round(fitted / RECORDS_PER_PERSON), seed=5).sources)
    table = read(simulate_records(round(n / RECORDS_PER_PERSON), seed=7).sources)
    records, _ = prepare(table, people.schema, plan=people.preparation.plan)
    begin = time.perf_counter()
    index = LinkageIndex.of(records, people.model)
    took = time.perf_counter() - begin
    size = index._packed.nbytes + index._codes.nbytes
    print(f"index of {len(records):,} records: built in {took:.1f} s, arrays {size / 2**20:,.0f} MB, ", end="")
    print(f"lookup {lookups(index)}")


def main() -> None:
    for n in [int(a) for a in sys.argv[1:]] or [10_000, 100_000, 1_000_000]:
        index_at(n) if n > 200_000 else resolver_at(n)


if __name__ == "__main__":
    main()
