"""Parquet by batches on one machine: the answer of all rows at once, in flat memory, and rows named by their file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, MissingColumn
from crmcore.spark import chunked
from crmcore.spark.columns import columns_of, table_of

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
SPARK = str(Path(__file__).parent.parent / "spark")
sys.path.insert(0, SPARK)
import spark_kernels as kernels  # noqa: E402

EVENTS = kernels.simulated(3000, 300, seed=7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "events", EVENTS)


def written(folder: Path, columns: dict[str, Any]) -> Path:
    folder.mkdir()
    table = table_of(columns)
    for i in range(3):
        pq.write_table(table.slice(1000 * i, 1000), folder / f"day{i}.parquet")
    return folder


def rows_of(columns: dict[str, Any]) -> list[tuple[Any, ...]]:
    cells = [[c.item() if hasattr(c, "item") else c for c in columns[k]] for k in columns]
    return sorted(zip(*cells, strict=True), key=lambda r: tuple(map(str, r[:2])))


@pytest.mark.parametrize("buckets", [1, 2, 7])
@pytest.mark.parametrize("kernel", kernels.PER_CUSTOMER, ids=lambda k: k.__name__)
def test_a_kernel_per_customer_says_the_same_in_parts(
    kernel: Callable[..., Any], buckets: int, folder: Path, tmp_path: Path
) -> None:
    out = chunked.per_customer(kernel, folder, tmp_path / "out", order=["time"], buckets=buckets, rows=123)
    found = rows_of(columns_of(pq.read_table(out)))
    wanted = rows_of(columns_of(table_of(kernel(EVENTS))))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        for x, y in zip(a, b, strict=True):
            assert x == pytest.approx(y, rel=1e-9, nan_ok=True) if isinstance(y, float) else x == y
    assert {p.name for p in out.iterdir()} == {f"part-{i:05d}.parquet" for i in range(buckets)}


@pytest.mark.parametrize("rows", [1, 97, 10**6])
def test_what_adds_up_says_the_same_in_batches(rows: int, folder: Path) -> None:
    few = written(folder.parent / "few", {k: v[:200] for k, v in EVENTS.items()}) if rows == 1 else folder
    columns = {k: v[:200] for k, v in EVENTS.items()} if rows == 1 else EVENTS
    assert chunked.aggregate(kernels.nps, few, columns=["score"], rows=rows) == kernels.nps(columns)
    np.testing.assert_allclose(chunked.aggregate(kernels.revenue, few, rows=rows), kernels.revenue(columns), rtol=1e-9)


def test_no_rows_count_as_nothing(tmp_path: Path) -> None:
    pq.write_table(table_of(EVENTS).slice(0, 0), tmp_path / "none.parquet")
    assert chunked.aggregate(kernels.revenue, tmp_path).sum() == 0


def test_every_poisoned_row_is_named_by_file_and_row(tmp_path: Path) -> None:
    amount = EVENTS["amount"].copy()
    amount[[5, 1600, 2999]] = -1.0
    folder = written(tmp_path / "events", {**EVENTS, "amount": amount})
    with pytest.raises(BadRows) as caught:
        chunked.aggregate(kernels.strict_count, folder, rows=700)
    assert {(p.column, p.reason, p.positions) for p in caught.value.problems} == {
        ("day0.parquet, amount", "below 0", (5,)),
        ("day1.parquet, amount", "below 0", (600,)),
        ("day2.parquet, amount", "below 0", (999,)),
    }
    with pytest.raises(BadRows) as ran:
        chunked.per_customer(kernels.touchy, folder, tmp_path / "out", buckets=2)
    assert {p.reason for p in ran.value.problems} == {"touchy raised ArithmeticError"}
    assert sum(len(p.positions) for p in ran.value.problems) == 3


def test_what_is_not_there_is_said_before_anything_runs(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingColumn, match="did you mean 'customer'"):
        chunked.per_customer(kernels.sessions, folder, tmp_path / "out", by="custommer")
    with pytest.raises(EmptyInput, match="at least one Parquet file"):
        chunked.aggregate(kernels.revenue, tmp_path / "out")


@pytest.mark.slow
def test_memory_stays_flat_as_files_grow(tmp_path: Path) -> None:
    import subprocess

    peaks = []
    for name, times in (("small", 20), ("large", 200)):
        table = table_of({k: EVENTS[k] for k in ("customer", "time", "amount", "item")})
        with pq.ParquetWriter(tmp_path / f"{name}.parquet", table.schema) as writer:
            for i in range(times):
                shifted = table.set_column(0, "customer", pa.array([f"{i}-{c}" for c in EVENTS["customer"]]))
                for _ in range(5):
                    writer.write_table(shifted)
        code = (
            "import sys, resource; sys.path.insert(0, sys.argv[2]); import spark_kernels as k;"
            "from crmcore.spark import chunked; p = sys.argv[1];"
            "chunked.aggregate(k.revenue, p); chunked.per_customer(k.silences, p, p + '-out', buckets=40);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", code, str(tmp_path / f"{name}.parquet"), SPARK]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] < peaks[0] + 120, peaks  # ten times the rows, 3 million: some 100 bytes each would be 300 MB
