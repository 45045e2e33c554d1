"""Records on Spark: normalised by the code that normalises them on one machine, and ranked as it ranks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import attrs
import numpy as np

from crmcore.errors import DuplicateIds
from crmcore.linkage.encode import value_hashes
from crmcore.linkage.fields import Kind
from crmcore.linkage.records import Column, Records
from crmcore.spark import functions as sf
from crmcore.spark.columns import coded
from crmcore.spark.stages import Stage, Stages
from crmcore.tables import TextColumn

__all__ = ["Ranked", "arrow_of", "ranked", "records_of", "text_of"]

_TOP = np.uint64(1 << 63)
BITS = 10  # of a hash that name its bucket


@attrs.frozen(eq=False)
class Ranked:
    """Records in canonical order: columns rank, id, source and one of text per field.

    Attributes
    ----------
    frame : Spark data frame, one row a record
    key : of the stage that holds it
    n : records
    sources : names; `source` is a code into them
    fields : name -> kind of each field
    """

    frame: Any
    key: str
    n: int
    sources: tuple[str, ...]
    fields: Mapping[str, Kind]

    def text(self, rank: str, prefix: str = "f") -> Any:
        """The rank as `rank` and the fields as `<prefix>0`, `<prefix>1`, ..."""
        fields = [sf.col(f"f{i}").alias(f"{prefix}{i}") for i in range(len(self.fields))]
        return self.frame.select(sf.col("rank").alias(rank), *fields)


def text_of(column: Any) -> TextColumn:
    """Arrow text, dictionary-encoded; null is missing."""
    codes, values = coded(column)
    return TextColumn(codes.astype(np.int32), tuple(values))


def arrow_of(text: TextColumn) -> Any:
    """Arrow text of a dictionary-encoded column."""
    import pyarrow as pa

    codes = pa.array(text.codes, pa.int32(), mask=text.codes < 0)
    return pa.DictionaryArray.from_arrays(codes, pa.array(text.values, pa.string())).cast(pa.string())


def records_of(
    table: Any, fields: Mapping[str, Kind], *, columns: Sequence[str] = (), sources: tuple[str, ...] = ("records",)
) -> Records:
    """Records of an Arrow table with columns f0, f1, ... (or `columns`), and id and source where it has them."""
    names = columns or [f"f{i}" for i in range(len(fields))]
    made = [Column(n, k, text_of(table.column(c))) for (n, k), c in zip(fields.items(), names, strict=True)]
    held = set(table.schema.names)
    ids = np.empty(table.num_rows, object)
    ids[:] = table.column("id").to_pylist() if "id" in held else np.arange(table.num_rows).astype(str)
    source = (
        np.asarray(table.column("source").to_numpy(), np.int32) if "source" in held else np.zeros(len(ids), np.int32)
    )
    return Records(ids, source, sources, tuple(made))


def hashes_of(ids: Sequence[str]) -> Any:
    """Hashes of ids as signed numbers in the order of the unsigned ones."""
    return (value_hashes(ids) ^ _TOP).view(np.int64)


def ranked(
    stages: Stages, made_of: list[str], normal: Callable[[], Any], sources: tuple[str, ...], fields: Mapping[str, Kind]
) -> Ranked:
    """Write records sorted by hash, then id, and number them: the order in which one machine takes them.

    Parameters
    ----------
    stages, made_of : where to write, and the keys of what the records are made from
    normal : gives a frame of id, hash (see `hashes_of`), source and f0, f1, ...
    sources, fields : what the codes and columns mean

    Raises
    ------
    DuplicateIds
        A record id stands on several rows.
    """

    def ordered() -> Any:
        # hashes are spread evenly, so their first bits cut the order into buckets; a global sort would make the records
        # twice, once to draw a sample of them
        bucketed = normal().withColumn("bucket", (sf.shiftright("hash", 64 - BITS) + (1 << BITS - 1)).cast("int"))
        within = import_module("pyspark.sql").Window.partitionBy("bucket").orderBy("hash", "id")
        return bucketed.withColumn("at", sf.row_number().over(within) - 1)

    stage: Stage = stages.run("records", made_of, [list(fields), [k.value for k in fields.values()]], ordered)
    df = stage.frame
    twice = df.groupBy("hash").count().where("count > 1").select("hash")
    again = df.join(twice, "hash").groupBy("id").count().where("count > 1")
    repeated = again.select(sf.sum(sf.col("count") - 1)).collect()[0][0]
    if repeated:
        raise DuplicateIds("the Spark frames", int(repeated), ())
    sizes = {int(r[0]): int(r[1]) for r in df.groupBy("bucket").count().collect()}
    begins = np.concatenate([[0], np.cumsum([sizes.get(b, 0) for b in range(1 << BITS)])]).tolist()
    begin = sf.element_at(sf.array(*map(sf.lit, begins)), sf.col("bucket") + 1)
    rank = (begin + sf.col("at")).cast("long")
    numbered = df.withColumn("rank", rank).drop("bucket", "at", "hash")
    return Ranked(numbered, stage.key, int(begins[-1]), sources, dict(fields))
