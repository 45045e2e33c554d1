"""A linkage model for records on Spark: fitted by the driver, with what only all records can tell counted by Spark.

Up to `sample` records the driver fits on all of them, and the model is that of one machine. Beyond, it fits on records
drawn by the hash of their ids: shares of levels and classes among all pairs are the same in a sample of records; how
often each value occurs is counted among all records; blocking keys are chosen at a cap that is scaled down with the
sample, then their true numbers of pairs are counted, and keys are taken in order until the budget is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import numpy as np

from crmcore.linkage.blocking import CAP, BlockingKey
from crmcore.linkage.care import Care, cuts_for
from crmcore.linkage.constraints import Constraints
from crmcore.linkage.encode import value_hashes
from crmcore.linkage.linking import BUDGET, link
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.rarity import Shares
from crmcore.linkage.records import Records
from crmcore.spark import functions as sf
from crmcore.spark.linking import HOT, blocks
from crmcore.spark.records import Ranked, records_of

__all__ = ["SAMPLE", "fit"]

SAMPLE = 1_000_000
LEAST_CAP = 4


def fit(
    records: Ranked,
    *,
    care: Care | str = Care.BALANCED,
    seed: int = 0,
    sample: int = SAMPLE,
    bind: Callable[[Records], Constraints | None] = lambda _: None,
) -> LinkageModel:
    """Fit a model to ranked records; see the module for what is estimated where they are many.

    Parameters
    ----------
    records : from `resolve` or `link`
    care : how much evidence a merge needs
    seed : of the samples
    sample : records that the driver takes
    bind : rules of people, as constraints on the records that the driver took
    """
    n = records.n
    frame = records.frame
    if n > sample:  # ranks follow a hash of the id: the first of them are a sample
        frame = frame.where(f"rank < {sample}")
    table = frame.toArrow().sort_by("rank")
    taken = records_of(table, records.fields, sources=records.sources)
    share = len(taken) / n
    cap = CAP if share == 1 else max(LEAST_CAP, round(CAP * share))
    fitted = link(taken, constraints=bind(taken), care=care, seed=seed, cap=cap)
    return fitted.model if share == 1 else _scaled(fitted.model, records, Care(care))


def _scaled(model: LinkageModel, records: Ranked, care: Care) -> LinkageModel:
    """The model for all records."""
    matches = float(model.weights.pi[:2].sum()) * (records.n - 1) / 2
    names = list(records.fields)
    shares = tuple(_shares(records.frame, f"f{names.index(name)}") for name in model.fields)
    made = attrs.evolve(model, shares=shares, cap=CAP, n_records=records.n, cuts=cuts_for(care, matches))
    cost = _pairs_of(records, made)
    budget, spent, keys = max(BUDGET, 1.5 * matches) * records.n, 0.0, []
    for key in model.keys:
        if spent + cost[key] <= 1.1 * budget:
            keys.append(key)
            spent += cost[key]
    return attrs.evolve(made, keys=tuple(keys) or model.keys[:1])


def _shares(frame: Any, column: str) -> Shares:
    """How often each value occurs among all records; what occurs once is left out."""
    counts = frame.where(f"{column} is not null").groupBy(column).count()
    filled = counts.groupBy().sum("count").collect()[0][0] or 0
    table = counts.where("count > 1").toArrow()
    hashes = value_hashes(table.column(column).to_pylist())
    order = np.argsort(hashes)
    return Shares(hashes[order], np.asarray(table.column("count").to_numpy(), np.int64)[order], int(filled))


def _pairs_of(records: Ranked, model: LinkageModel) -> Mapping[BlockingKey, float]:
    """Pairs that each key makes among all records, blocks above the cap refused."""
    sizes = (
        blocks(records, model).groupBy("key", "block").agg(sf.count("rank").alias("n"), sf.min("rank").alias("least"))
    )
    good = sizes.where(f"n <= {model.cap} and least != {HOT}").selectExpr("key", "n * (n - 1) / 2 as pairs")
    good = good.groupBy("key").sum("pairs")
    made = {int(r[0]): float(r[1]) for r in good.collect()}
    return {key: made.get(k, 0.0) for k, key in enumerate(model.keys)}
