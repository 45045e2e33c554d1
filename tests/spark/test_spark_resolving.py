"""From raw frames to the customers, the model and the golden records of one machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from crmcore.datasets import simulate_brand
from crmcore.errors import BadRows, DuplicateIds, MissingColumn, OutOfRange, WrongType
from crmcore.idic.identify import People, Rules, Schema
from crmcore.idic.identify import resolve as local_resolve
from crmcore.idic.identify.ids import assign_ids, stable_id

pytestmark = pytest.mark.spark
pa = pytest.importorskip("pyarrow")

IDS = {"members": "member_no", "web_orders": "order_no", "call_centre": "ticket"}


@cache
def sources() -> dict[str, Any]:
    """Three systems of a simulated brand; one telephone stands in a crowd of records."""
    tables = simulate_brand(250, seed=5).sources.to_frames("pyarrow")
    return {name: tables[name] for name in IDS if name in tables}


@cache
def schema() -> Schema:
    ids = {f"{name}.{table.schema.names[0]}": "record id" for name, table in sources().items()}
    return Schema.infer(overrides=ids)


RULES = Rules(
    one_to_one=["members"],
    max_values={"email": 2},
)


@cache
def local() -> People:
    return local_resolve(sources(), schema=schema(), rules=RULES)


def spark_sources(spark: Any, partitions: int) -> dict[str, Any]:
    return {name: spark.createDataFrame(table).repartition(partitions) for name, table in sources().items()}


def sorted_rows(table: Any, names: list[str]) -> list[tuple[Any, ...]]:
    return sorted(zip(*(table.column(n).to_pylist() for n in names), strict=True))


@pytest.mark.parametrize("partitions", [1, 7])
def test_raw_frames_become_the_customers_and_golden_records_of_one_machine(
    spark: Any, partitions: int, tmp_path: Path
) -> None:
    from crmcore.spark import resolve

    found = resolve(spark_sources(spark, partitions), schema=schema(), rules=RULES, work=str(tmp_path))
    assert found.plan == local().preparation.plan
    assert found.model.to_dict() == local().model.to_dict()
    rows = found.assignments().collect()
    assert {r["record_id"]: r["customer_id"] for r in rows} == local().profiles.assignments()
    wanted = local().profiles.to_frame(backend="pyarrow")
    golden = found.profiles(buckets=partitions).toArrow()
    names = wanted.schema.names
    assert golden.schema.names == names
    assert sorted_rows(golden, names) == sorted_rows(wanted, names)


def test_rules_of_people_hold_on_spark(spark: Any, tmp_path: Path) -> None:
    from crmcore.spark import resolve

    ids = local().table.record_id.tolist()
    labels = local().labels
    apart = next((a, b) for a, b in zip(range(len(ids)), range(1, len(ids)), strict=False) if labels[a] != labels[b])
    sizes = np.bincount(labels)
    joined = np.flatnonzero(labels == int(np.argmax(sizes >= 2)))[:2]
    rules = Rules(must_link=[(ids[apart[0]], ids[apart[1]])], must_not_link=[(ids[joined[0]], ids[joined[1]])])
    on_one = local_resolve(sources(), schema=schema(), rules=rules, model=local().model)
    frames = spark_sources(spark, 2)
    found = resolve(frames, schema=schema(), rules=rules, model=local().model, work=str(tmp_path), collect=0)
    rows = {r["record_id"]: r["customer_id"] for r in found.assignments().collect()}
    assert rows == on_one.profiles.assignments()
    assert rows[ids[apart[0]]] == rows[ids[apart[1]]]
    assert rows[ids[joined[0]]] != rows[ids[joined[1]]]


def test_customers_keep_the_ids_of_an_earlier_run(spark: Any, tmp_path: Path) -> None:
    from crmcore.spark import resolve

    frames = spark_sources(spark, 2)
    found = resolve(frames, schema=schema(), model=local().model, plan=local().preparation.plan, rules=RULES,
                    work=str(tmp_path))  # fmt: skip
    records, labels = local().table.record_id.tolist(), local().labels
    own = local().profiles.assignments()
    rng = np.random.default_rng(2)
    previous = {r: f"old-{own[r]}" for r in records if rng.random() < 0.9}  # some records are new
    for a, b in rng.permutation(sorted(set(own.values())))[:60].reshape(-1, 2).tolist():
        for r in records:  # two customers of today were one, or their records were dealt otherwise
            if own[r] in (a, b) and rng.random() < 0.8:
                previous[r] = f"old-{a}" if rng.random() < 0.7 else f"old-{b}"
    free = next(r for r in records if own[r] == stable_id(r) and r not in previous)
    previous["gone:1"] = own[free]  # the first hash of somebody new is taken by somebody who is gone
    wanted = assign_ids(labels, records, previous)
    asked = dict(zip(records, (wanted.ids[i] for i in wanted.labels.tolist()), strict=True))
    df = spark.createDataFrame(pa.table({"record_id": [*previous], "customer_id": [*previous.values()]}))
    rows = found.assignments(df).collect()
    assert {r["record_id"]: r["customer_id"] for r in rows} == asked
    assert len({*asked.values()} & {*previous.values()}) > 100
    assert asked[free] == stable_id(free, attempt=1)
    golden = found.profiles(previous=df).toArrow()
    here = attrs.evolve(local(), previous=previous).profiles.to_frame(backend="pyarrow")
    assert golden.schema.names == here.schema.names
    assert sorted_rows(golden, here.schema.names) == sorted_rows(here, here.schema.names)
    with pytest.raises(MissingColumn, match="customer_id"):
        found.assignments(df.select("record_id"))
    with pytest.raises(DuplicateIds, match="the previous assignments"):
        found.assignments(df.union(df.limit(1)))


def test_beyond_the_sample_the_model_is_fitted_on_part_and_counts_all(spark: Any, tmp_path: Path) -> None:
    from crmcore.spark import resolve

    plan = local().preparation.plan
    frames = spark_sources(spark, 2)
    found = resolve(frames, plan=plan, work=str(tmp_path), sample=len(local().table) // 2)
    whole = dict(zip(local().model.fields, local().model.shares, strict=True))
    for name, shares in zip(found.model.fields, found.model.shares, strict=True):
        assert shares.filled == whole[name].filled
        assert shares.counts.tolist() == whole[name].counts.tolist()
    assert found.model.n_records == len(local().table)
    budget = 10 * len(local().table)
    assert 0 < found.linkage.n_pairs < 3 * budget
    both = {frozenset(g) for g in _groups(found)} & {frozenset(g) for g in _groups_of(local())}
    assert len(both) > 0.6 * len(local())


def _groups(found: Any) -> list[set[str]]:
    made: dict[str, set[str]] = {}
    for r in found.assignments().collect():
        made.setdefault(r["customer_id"], set()).add(r["record_id"])
    return list(made.values())


def _groups_of(people: People) -> list[set[str]]:
    made: dict[str, set[str]] = {}
    for record, customer in people.profiles.assignments().items():
        made.setdefault(customer, set()).add(record)
    return list(made.values())


def test_records_without_id_are_named_by_source_and_place_all_at_once(spark: Any, tmp_path: Path) -> None:
    from crmcore.spark import resolve

    spoiled = {}
    for name, table in sources().items():
        ids = table.column(0).to_pylist()
        ids[3] = ids[8] = None
        spoiled[name] = spark.createDataFrame(table.set_column(0, table.schema.names[0], [ids])).coalesce(1)
    with pytest.raises(BadRows) as caught:
        resolve(spoiled, plan=local().preparation.plan, work=str(tmp_path))
    told = {(p.column, p.reason, p.positions) for p in caught.value.problems}
    assert told == {
        (f"{name}, partition 0, {table.schema.names[0]}", "no record id", (3, 8)) for name, table in sources().items()
    }


def test_what_spark_cannot_do_is_refused_with_the_way_out(spark: Any, tmp_path: Path) -> None:
    from crmcore.spark import resolve

    frames = spark_sources(spark, 1)
    with pytest.raises(OutOfRange, match="blocked_values"):
        resolve(frames, schema=schema(), rules=Rules(max_profiles={"phone": 3}), work=str(tmp_path))
    no_ids = Schema.infer(overrides={f"{n}.{t.schema.names[0]}": None for n, t in sources().items()})
    with pytest.raises(WrongType, match='"record id"'):
        resolve(frames, schema=no_ids, work=str(tmp_path))
