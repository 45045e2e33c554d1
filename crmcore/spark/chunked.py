"""The same kernels over Parquet larger than memory, on one machine and without Spark; needs pyarrow alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, MissingColumn
from crmcore.linkage.encode import value_hashes
from crmcore.spark import faults
from crmcore.spark.columns import Columns, coded, columns_of, table_of
from crmcore.spark.faults import AT, ROW_BITS

__all__ = ["aggregate", "per_customer"]

Total = TypeVar("Total")
ROWS = 100_000  # rows in memory at a time, per column
BUCKET_ROWS = 500_000


def aggregate(
    counts: Callable[[Columns], Total], paths: Any, *, columns: Sequence[str] | None = None, rows: int = ROWS
) -> Total:
    """Count Parquet files batch by batch and add the parts: memory does not grow with the files.

    Parameters
    ----------
    counts : columns -> what can be added
    paths : Parquet file, folder, or several
    columns : what the kernel needs; all by default
    rows : in a batch

    Raises
    ------
    BadRows
        Rows that the kernel refused, all of them, by file, row and column.
    """
    files = _files(paths, columns or ())
    found: list[faults.Fault] = []
    name = getattr(counts, "__name__", "the kernel")

    total: Any = None
    for table in _batches(files, columns, rows):
        value, bad = faults.attempt(lambda t: counts(columns_of(t)), table, np.arange(table.num_rows), name=name)
        found += bad
        if not bad:
            total = value if total is None else total + value
    _raise(found, files)
    return counts(columns_of(_schema(files, columns).empty_table())) if total is None else total


def per_customer(
    kernel: Callable[[Columns], Mapping[str, Any]],
    paths: Any,
    into: str | Path,
    *,
    by: str = "customer",
    order: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    buckets: int | None = None,
    rows: int = ROWS,
) -> Path:
    """Run a kernel over the customers of Parquet files, a part of the customers at a time.

    Rows are first dealt to buckets on disk by a hash of the customer, then each bucket is one call of the kernel:
    memory is that of one bucket.

    Parameters
    ----------
    kernel : columns -> columns
        Gets all rows of each customer that it sees, ordered by `by` and `order`.
    paths : Parquet file, folder, or several
    into : folder for the result, one Parquet file a bucket
    by, order, columns : as on Spark
    buckets : by default so many that each has some 500,000 rows
    rows : in a batch

    Raises
    ------
    BadRows
        Rows that the kernel refused, all of them, by file, row and column.
    """
    import pyarrow.parquet as pq

    wanted = None if columns is None else list(dict.fromkeys([by, *order, *columns]))
    files = _files(paths, wanted or (by, *order))
    n = buckets or max(1, -(-sum(pq.ParquetFile(f).metadata.num_rows for f in files) // BUCKET_ROWS))
    out = Path(into)
    out.mkdir(parents=True, exist_ok=True)
    found: list[faults.Fault] = []
    name = getattr(kernel, "__name__", "the kernel")
    with tempfile.TemporaryDirectory(dir=out) as folder:
        for number, bucket in enumerate(_dealt(_batches(files, wanted, rows), by, n, Path(folder))):
            table = pq.read_table(bucket).sort_by([(c, "ascending") for c in (by, *order)])
            group = faults.groups(table.column(by))
            made, bad = faults.attempt(lambda t: kernel(columns_of(t)), table, group, name=name)
            found += bad
            if not bad:
                pq.write_table(table_of(made, kernel=name), out / f"part-{number:05d}.parquet")
            bucket.unlink()
    _raise(found, files)
    return out


def _dealt(batches: Iterable[Any], by: str, n: int, folder: Path) -> list[Path]:
    """Files of the buckets that have rows."""
    import pyarrow.parquet as pq

    writers: dict[int, Any] = {}
    try:
        for table in batches:
            bucket = _bucket(table.column(by), n)
            for b in np.unique(bucket).tolist():
                part = table.filter(bucket == b)
                if b not in writers:
                    writers[b] = pq.ParquetWriter(folder / f"{b}.parquet", part.schema)
                writers[b].write_table(part)
    finally:
        for writer in writers.values():
            writer.close()
    return [folder / f"{b}.parquet" for b in sorted(writers)]


def _bucket(column: Any, n: int) -> NDArray[np.int64]:
    """(rows,) bucket of each customer: a hash of how the id is written."""
    codes, values = coded(column)
    words = ["" if v is None else str(v) for v in values]
    hashes = np.append((value_hashes(words) % np.uint64(n)).astype(np.int64), 0)
    return np.asarray(hashes[codes])


def _files(paths: Any, needed: Sequence[str]) -> list[Path]:
    listed = [Path(p) for p in ([paths] if isinstance(paths, str | Path) else paths)]
    files = sorted(f for p in listed for f in (p.rglob("*.parquet") if p.is_dir() else [p]) if f.exists())
    if not files:
        raise EmptyInput("paths", "name at least one Parquet file, or a folder that has some")
    there = tuple(_schema(files, None).names)
    for name in needed:
        if name not in there:
            raise MissingColumn(name, there, files[0].name)
    return files


def _schema(files: Sequence[Path], columns: Sequence[str] | None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(files[0])
    return schema if columns is None else pa.schema([schema.field(c) for c in columns])


def _batches(files: Sequence[Path], columns: Sequence[str] | None, rows: int) -> Iterator[Any]:
    """Tables with the place of each row: file << 33 | row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for number, path in enumerate(files):
        at = number << ROW_BITS
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(rows, columns=None if columns is None else list(columns)):
                place = pa.array(np.arange(at, at + batch.num_rows))
                at += batch.num_rows
                yield pa.Table.from_batches([batch]).append_column(AT, place)


def _raise(found: Sequence[faults.Fault], files: Sequence[Path]) -> None:
    def place(at: int) -> tuple[str, int]:
        return files[at >> ROW_BITS].name, at & ((1 << ROW_BITS) - 1)

    if found:
        raise faults.bad_rows("the Parquet files", sorted(found, key=lambda f: (f.at, f.column)), place)
