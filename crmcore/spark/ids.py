"""Customer ids on Spark: those of one machine, kept through re-runs (see `crmcore.idic.identify.ids`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from crmcore.errors import DuplicateIds, MissingColumn
from crmcore.idic.identify.ids import keepers, stable_id
from crmcore.spark import functions as sf
from crmcore.spark.linking import SparkLinkage
from crmcore.spark.stages import Stages, key_of

__all__ = ["customer_ids"]

NAMES = ["entity", "anchor", "customer_id"]
SCHEMA = "entity long, anchor string, customer_id string"


def customer_ids(stages: Stages, linkage: SparkLinkage, previous: Any = None) -> Any:
    """Customer id of each entity: columns entity, anchor (its smallest record id) and customer_id.

    An entity keeps the previous id with which it shares most records. Where each side has no other candidate, a join
    says so; all others are matched by the driver as one machine matches them. Whoever keeps none gets the hash of its
    anchor, hashed again where that id is taken.

    Parameters
    ----------
    stages : where to write what was matched
    linkage : entities
    previous : data frame of record_id and customer_id, optional
        What `SparkPeople.assignments` said in an earlier run.

    Raises
    ------
    MissingColumn
        `previous` lacks a column.
    DuplicateIds
        `previous` says two things of one record.
    """
    entities = linkage.entities
    least = entities.groupBy("entity").agg(sf.min("id").alias("anchor"))
    if previous is None:
        return least.mapInArrow(_proposed(0), SCHEMA)
    for name in ("record_id", "customer_id"):
        if name not in previous.columns:
            raise MissingColumn(name, tuple(previous.columns), "the previous assignments")
    old = previous.select("record_id", "customer_id").where("customer_id is not null")
    again = old.groupBy("record_id").count().where("count > 1").select(sf.sum(sf.col("count") - 1)).collect()[0][0]
    if again:
        raise DuplicateIds("the previous assignments", int(again), ())
    made_of = [linkage.key, key_of(old)]

    def kept(name: str, df: Any) -> Any:
        return stages.run(name, made_of, None, lambda: df).frame

    shared = entities.join(old, entities["id"] == old["record_id"]).groupBy("entity", "customer_id").count()
    counted = shared.withColumn("olds", _among("entity")).withColumn("news", _among("customer_id"))
    candidates = kept("candidates", counted.join(least, "entity"))
    sure = candidates.where("olds = 1 and news = 1").select(*NAMES)
    done = sure.unionByName(_matched(candidates.where("olds > 1 or news > 1")))
    taken, left = old.select("customer_id").distinct(), least.join(done.select("entity"), "entity", "left_anti")
    turn = sf.row_number().over(import_module("pyspark.sql").Window.partitionBy("customer_id").orderBy("anchor"))
    attempt = 0
    while not left.isEmpty():
        first = left.mapInArrow(_proposed(attempt), SCHEMA).withColumn("turn", turn)
        judged = first.join(taken.withColumn("held", sf.lit(1)), "customer_id", "left")
        named = kept(f"named{attempt}", judged.selectExpr(*NAMES, "turn = 1 and held is null as free"))
        good = named.where("free").select(*NAMES)
        done, taken = done.unionByName(good), taken.unionByName(good.select("customer_id"))
        left, attempt = named.where("not free").select("entity", "anchor"), attempt + 1
    return done


def _among(name: str) -> Any:
    return sf.count("*").over(import_module("pyspark.sql").Window.partitionBy(name))


def _matched(candidates: Any) -> Any:
    """Match entities and previous ids that have several candidates: most records first, on the driver."""
    import pyarrow as pa

    table = candidates.toArrow()
    entity, anchor, was = (np.array(table.column(c).to_pylist(), object) for c in NAMES)
    ids, old = np.unique(was, return_inverse=True)
    anchors, row, new = np.unique(anchor, return_index=True, return_inverse=True)  # ties go to the smaller anchor
    order = np.lexsort((new, old, -np.asarray(table.column("count").to_numpy())))
    keeper = keepers(new[order], old[order], len(anchors), len(ids))
    stays = np.flatnonzero(keeper >= 0)
    columns = (entity[row[stays]], anchors[stays], ids[keeper[stays]])
    made = [pa.array(c.tolist(), kind) for c, kind in zip(columns, (pa.int64(), pa.string(), pa.string()), strict=True)]
    return candidates.sparkSession.createDataFrame(pa.table(made, names=NAMES))


def _proposed(attempt: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def propose(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        for batch in batches:
            ids = [stable_id(a, attempt=attempt) for a in batch.column("anchor").to_pylist()]
            held = [batch.column(name) for name in NAMES[:2]]
            yield pa.record_batch([*held, pa.array(ids, pa.string())], names=NAMES)

    return propose
