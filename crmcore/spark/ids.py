"""Customer ids on Spark: those of one machine, kept through re-runs (see `crmcore.idic.identify.ids`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from crmcore.errors import MissingColumn
from crmcore.idic.identify.ids import keepers, stable_id
from crmcore.spark import functions as sf

__all__ = ["customer_ids"]

NAMES = ["entity", "anchor", "customer_id"]
SCHEMA = "entity long, anchor string, customer_id string"


def customer_ids(entities: Any, previous: Any = None) -> Any:
    """Customer id of each entity: columns entity, anchor (its smallest record id) and customer_id.

    An entity keeps the previous id with which it shares most records. Where each side has no other candidate, a join
    says so; all others are matched by the driver as one machine matches them. Whoever keeps none gets the hash of its
    anchor, hashed again where that id is taken.

    Parameters
    ----------
    entities : data frame of id and entity
    previous : data frame of record_id and customer_id, optional
        What `SparkPeople.assignments` said in an earlier run.

    Raises
    ------
    MissingColumn
        `previous` lacks a column.
    """
    least = entities.groupBy("entity").agg(sf.min("id").alias("anchor"))
    if previous is None:
        return least.mapInArrow(_proposed(0), SCHEMA)
    for name in ("record_id", "customer_id"):
        if name not in previous.columns:
            raise MissingColumn(name, tuple(previous.columns), "the previous assignments")
    old = previous.select("record_id", "customer_id").where("customer_id is not null")
    shared = entities.join(old, entities["id"] == old["record_id"]).groupBy("entity", "customer_id").count()
    candidates = shared.withColumn("olds", _among("entity")).withColumn("news", _among("customer_id"))
    sure = candidates.where("olds = 1 and news = 1")
    kept = sure.unionByName(_matched(candidates.where("olds > 1 or news > 1"), least), allowMissingColumns=True)
    done = least.join(kept.select("entity", "customer_id"), "entity")
    taken, left = old.select("customer_id").distinct(), least.join(done, "entity", "left_anti")
    one = import_module("pyspark.sql").Window.partitionBy("customer_id").orderBy("anchor")
    attempt, made = 0, left.mapInArrow(_proposed(0), SCHEMA).persist()
    while not made.isEmpty():
        first = made.withColumn("turn", sf.row_number().over(one)).where("turn = 1").drop("turn")
        good = first.join(taken, "customer_id", "left_anti").select(*made.columns)
        done, taken = done.unionByName(good), taken.unionByName(good.select("customer_id"))
        left = made.select("entity", "anchor").join(good.select("entity"), "entity", "left_anti")
        attempt += 1
        made = left.mapInArrow(_proposed(attempt), SCHEMA).persist()
    return done


def _among(name: str) -> Any:
    return sf.count("*").over(import_module("pyspark.sql").Window.partitionBy(name))


def _matched(candidates: Any, least: Any) -> Any:
    """Match entities and previous ids that have several candidates: most records first, on the driver."""
    import pyarrow as pa

    table = candidates.join(least, "entity").toArrow()
    entity, was, anchor = (np.array(table.column(c).to_pylist(), object) for c in ("entity", "customer_id", "anchor"))
    ids, old = np.unique(was, return_inverse=True)
    named, new = np.unique(anchor, return_inverse=True)  # in the order of the anchors, as ties are broken
    order = np.lexsort((new, old, -np.asarray(table.column("count").to_numpy())))
    keeper = keepers(new[order], old[order], len(named), len(ids))
    of = dict(zip(new.tolist(), entity.tolist(), strict=True))
    stays = np.flatnonzero(keeper >= 0).tolist()
    made = {
        "entity": pa.array([of[i] for i in stays], pa.int64()),
        "customer_id": pa.array([ids[keeper[i]] for i in stays], pa.string()),
    }
    return candidates.sparkSession.createDataFrame(pa.table(made))


def _proposed(attempt: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def propose(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        for batch in batches:
            ids = [stable_id(a, attempt=attempt) for a in batch.column("anchor").to_pylist()]
            yield pa.record_batch(
                [*batch.select(["entity", "anchor"]).columns, pa.array(ids, pa.string())], names=NAMES
            )

    return propose
