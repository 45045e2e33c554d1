"""Kernels on Spark: whatever is per customer, and whatever can be added.

A kernel is a plain function of columns (name -> numpy array, see `columns.columns_of`) that knows nothing of Spark. It
must give the same rows whichever other customers stand in the same batch, and need no order of rows beyond `order`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from importlib import import_module
from operator import add
from typing import Any, TypeVar

import numpy as np

from crmcore.errors import BadRows, MissingColumn
from crmcore.spark import faults
from crmcore.spark import functions as sf
from crmcore.spark.columns import Columns, columns_of, gathered, table_of
from crmcore.spark.faults import AT, ROW_BITS

__all__ = ["aggregate", "per_customer"]

Total = TypeVar("Total")
FAULT = "_fault"
BATCH = 100_000  # rows that a counting kernel sees at once
FEW_PARTS = 32  # parts of a sum that the driver adds itself
SEEN = 1000  # rows from which the columns of a result are learned


def per_customer(
    kernel: Callable[[Columns], Mapping[str, Any]],
    df: Any,
    *,
    by: str = "customer",
    order: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    returns: Any = None,
    buckets: int | None = None,
    source: str = "the frame",
) -> Any:
    """Run a kernel over the rows of customers, many customers at a time.

    Parameters
    ----------
    kernel : columns -> columns
        Gets all rows of each customer that it sees, ordered by `by` and `order`.
    df : Spark data frame
    by : column that names the customer
    order : further columns that order the rows of a customer
    columns : what the kernel needs; all by default
    returns : schema of the result, as Spark takes it; by default what the kernel makes of the first thousand rows
    buckets : groups of customers, one call of the kernel each; as many as shuffle partitions by default
    source : what errors call the frame

    Returns
    -------
    Spark data frame of what the kernel returned; it is held by Spark until `unpersist()`

    Raises
    ------
    BadRows
        Rows that the kernel refused, all of them, by partition, row in it and column.
    MissingColumn
        `by`, `order` or `columns` names a column that the frame lacks.
    """
    rows = _picked(df, [by, *order], columns)
    name = getattr(kernel, "__name__", "the kernel")
    schema = _schema(kernel, rows, by, order, returns)
    n = buckets or int(df.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    names = [*schema.names]

    def run(table: Any) -> Any:
        import pyarrow as pa

        table = table.drop_columns(["_bucket"]).sort_by([(c, "ascending") for c in (by, *order)])
        group = faults.groups(table.column(by))
        made, found = faults.attempt(lambda t: kernel(columns_of(t)), table, group, name=name)
        if found:
            none = {f.name: pa.nulls(1, f.type) for f in schema}
            return pa.table({**none, FAULT: pa.array([faults.written(found)], pa.string())})
        out = table_of(made, schema, kernel=name)
        return out.append_column(FAULT, pa.nulls(out.num_rows, pa.string()))

    numbered = rows.withColumn(AT, sf.monotonically_increasing_id())
    bucketed = numbered.withColumn("_bucket", sf.pmod(sf.xxhash64(sf.col(by)), sf.lit(n)).cast("int"))
    found = bucketed.groupBy("_bucket").applyInArrow(run, _with_fault(schema))
    found = found.persist(import_module("pyspark").StorageLevel.MEMORY_AND_DISK)
    told = [r[0] for r in found.where(sf.col(FAULT).isNotNull()).select(FAULT).collect()]
    if told:
        found.unpersist()
        raise error_of(source, told, rows)
    return found.select(*names)


def aggregate(
    counts: Callable[[Columns], Total], df: Any, *, columns: Sequence[str] | None = None, source: str = "the frame"
) -> Total:
    """Count a frame in parts and add the parts: `counts(a) + counts(b)` must be `counts` of both together.

    Parameters
    ----------
    counts : columns -> what can be added and pickled
        A house result such as `NpsCounts`, an array, a `Counter`, a sparse matrix.
    df : Spark data frame
    columns : what the kernel needs; all by default
    source : what errors call the frame

    Returns
    -------
    The sum, added in the order of the partitions; of a frame without rows `counts` of empty columns.

    Raises
    ------
    BadRows
        Rows that the kernel refused, all of them, by partition, row in it and column.
    """
    rows = _picked(df, (), columns)
    name = getattr(counts, "__name__", "the kernel")
    schema = "part int, value binary, _fault string"

    def count(batches: Iterable[Any]) -> Iterator[Any]:
        total, found, part = None, [], 0
        for table in gathered(batches, BATCH):
            part = table.column(AT)[0].as_py() >> ROW_BITS
            value, bad = faults.attempt(lambda t: counts(columns_of(t)), table, np.arange(table.num_rows), name=name)
            found += bad
            if not bad:
                total = value if total is None else total + value
        if total is not None or found:
            yield _part(part, None if total is None else pickle.dumps(total), faults.written(found) if found else None)

    def merge(table: Any) -> Any:
        by_part = table.sort_by("part")
        values = [pickle.loads(v) for v in by_part.column("value").to_pylist() if v is not None]
        bad = [f for text in by_part.column(FAULT).to_pylist() if text for f in faults.read([text])]
        total = pickle.dumps(reduce(add, values)) if values else None
        return _part(by_part.column("part")[0].as_py(), total, faults.written(bad) if bad else None)

    parts = rows.withColumn(AT, sf.monotonically_increasing_id()).mapInArrow(count, schema)
    n = rows.rdd.getNumPartitions()
    if n > FEW_PARTS:
        width = int(np.ceil(np.sqrt(n)))
        parts = parts.groupBy(sf.floor(sf.col("part") / width)).applyInArrow(lambda t: _whole(merge(t)), schema)
    done = sorted(parts.collect(), key=lambda r: r["part"])
    told = [r[FAULT] for r in done if r[FAULT]]
    if told:
        raise error_of(source, told, rows)
    values = [pickle.loads(r["value"]) for r in done]
    return reduce(add, values) if values else counts(columns_of(rows.limit(0).toArrow()))


def _part(part: int, value: bytes | None, fault: str | None) -> Any:
    import pyarrow as pa

    kinds = pa.schema([("part", pa.int32()), ("value", pa.binary()), (FAULT, pa.string())])
    return pa.RecordBatch.from_pydict({"part": [part], "value": [value], FAULT: [fault]}, schema=kinds)


def _whole(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _picked(df: Any, needed: Sequence[str], columns: Sequence[str] | None) -> Any:
    for name in (*needed, *(columns or ())):
        if name not in df.columns:
            raise MissingColumn(name, tuple(df.columns), "the Spark frame")
    return df if columns is None else df.select(*dict.fromkeys([*needed, *columns]))


def _schema(kernel: Callable[[Columns], Any], rows: Any, by: str, order: Sequence[str], given: Any) -> Any:
    """Arrow schema of what a kernel returns."""
    if given is not None:
        wanted = import_module("pyspark.sql.types").StructType.fromDDL(given) if isinstance(given, str) else given
        return import_module("pyspark.sql.pandas.types").to_arrow_schema(wanted)
    first = rows.limit(SEEN).toArrow().sort_by([(c, "ascending") for c in (by, *order)])
    return table_of(kernel(columns_of(first)), kernel=getattr(kernel, "__name__", "the kernel")).schema


def _with_fault(schema: Any) -> Any:
    import pyarrow as pa

    return import_module("pyspark.sql.pandas.types").from_arrow_schema(schema.append(pa.field(FAULT, pa.string())))


def error_of(source: str, told: Sequence[str], rows: Any) -> BadRows:
    """The error of all faults; rows that came from files are named by their file and counted from its first row."""
    found = faults.read(told)
    files: dict[int, list[tuple[int, str]]] = {}
    if rows.inputFiles():
        at = rows.select(sf.monotonically_increasing_id().alias("at"), sf.input_file_name().alias("file"))
        part = sf.shiftright("at", ROW_BITS)
        begins = at.where(part.isin({f.at >> ROW_BITS for f in found})).groupBy("file", part.alias("part"))
        for r in sorted(begins.agg(sf.min("at").alias("at")).collect(), key=lambda r: r["at"]):
            files.setdefault(r["part"], []).append((r["at"], r["file"].rsplit("/", 1)[-1]))

    def place(at: int) -> tuple[str, int]:
        part = at >> ROW_BITS
        begin, name = max((f for f in files.get(part, ()) if f[0] <= at), default=(part << ROW_BITS, ""))
        return f"partition {part}, {name}" if name else f"partition {part}", at - begin

    return faults.bad_rows(source, found, place)
