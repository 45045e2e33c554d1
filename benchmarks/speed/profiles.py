"""Golden records of a million records with 8 columns: `python benchmarks/speed/profiles.py [records]`.

The hard case: two records in three share a customer, cells of one customer hardly ever agree, three in ten lack a time.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from crmcore.idic.identify.profiles import ProfileTable
from crmcore.tables import RecordTable, TextColumn

SPREAD = {
    "given name": 5_000,
    "surname": 50_000,
    "birth date": 20_000,
    "phone": 10**8,
    "email": 10**7,
    "street": 10**6,
    "city": 1_000,
    "job": 1_000,
}


def table(n: int, rng: np.random.Generator) -> RecordTable:
    columns = {}
    for name, distinct in SPREAD.items():
        cells = np.array([f"{name} {v}" for v in rng.integers(0, distinct, n)], object)
        cells[rng.random(n) < 0.1] = None
        columns[name] = TextColumn.of(cells.tolist())
    when = np.datetime64("2024-01-01", "us") + rng.integers(0, 300, n) * np.timedelta64(1, "D")
    when[rng.random(n) < 0.3] = np.datetime64("NaT")
    ids = np.array([f"crm:{i}" for i in rng.permutation(n)], object)
    return RecordTable(ids, rng.integers(0, 3, n).astype(np.int32), ("a", "b", "c"), when, columns)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = np.random.default_rng(1)
    records, owner = table(n, rng), rng.integers(0, n * 2 // 5, n)
    start = time.process_time()
    profiles = ProfileTable.build(records, owner)
    first = time.process_time() - start
    before = profiles.assignments()
    moved = np.where(rng.random(n) < 0.01, rng.integers(0, n * 2 // 5, n), owner)
    start = time.process_time()
    again = ProfileTable.build(records, moved, previous=before)
    print(f"{n:,} records, {len(profiles):,} customers, {len(SPREAD)} columns")
    print(f"first run   {first:6.2f} CPU s")
    print(f"with ids of the run before {time.process_time() - start:6.2f} CPU s: {again.events!r}")


if __name__ == "__main__":
    main()
