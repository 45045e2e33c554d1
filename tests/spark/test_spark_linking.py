"""Records become the same entities on Spark as on one machine: pairs, levels, evidence and clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from benchmarks.common_people import KINDS, make_people
from crmcore.errors import DuplicateIds, MissingColumn
from crmcore.linkage.blocking import KeySpace, block_pairs, row_bits, union, unpack
from crmcore.linkage.linking import Linkage, canonical_order, link
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records

pytestmark = pytest.mark.spark
pa = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def records() -> Records:
    """Made people, one field of whom a crowd shares: its blocks are above every cap."""
    made = make_people(1500)
    columns = {
        name: [None if m else str(v) for v, m in zip(cells, made.missing[name], strict=True)]
        for name, cells in made.columns.items()
    }
    columns["city"] = ["bath"] * 900 + columns["city"][900:]
    return Records.from_columns(columns, KINDS, ids=[f"r{i}" for i in range(len(made))])


@pytest.fixture(scope="module")
def local(records: Records) -> Linkage:
    model = link(records).model  # through JSON, as it is saved
    return link(records, model=LinkageModel.from_dict(model.to_dict()))


def frame_of(spark: Any, records: Records, partitions: int) -> Any:
    columns = {c.name: pa.array(c.text.to_list(), pa.string()) for c in records.columns}
    return spark.createDataFrame(pa.table({"id": pa.array(records.ids.tolist()), **columns})).repartition(partitions)


def groups(ids: Iterable[str], labels: Iterable[int]) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for i, label in zip(ids, labels, strict=True):
        found.setdefault(int(label), set()).add(i)
    return {frozenset(g) for g in found.values()}


def local_patterns(records: Records, model: LinkageModel) -> Counter[str]:
    """The slow twin: every candidate pair on one machine, and its levels."""
    ranked = model.select(records).take(canonical_order(records.ids))
    space = KeySpace.of(ranked)
    packed = union([p for k in model.keys for p in block_pairs(space.values(k), n=len(ranked), cap=model.cap)])
    lo, hi = unpack(packed, row_bits(len(ranked)))
    return Counter("".join(map(str, row)) for row in model.scorer(ranked).comparer.levels(lo, hi).tolist())


def links_of(linkage: Linkage) -> dict[frozenset[str], float]:
    ids = linkage.records.ids
    return {
        frozenset((ids[a], ids[b])): odds
        for a, b, odds in zip(linkage.lo, linkage.hi, linkage.log_odds.tolist(), strict=True)
    }


def entities_of(found: Any) -> set[frozenset[str]]:
    rows = found.entities.select("id", "entity").collect()
    return groups([r[0] for r in rows], [r[1] for r in rows])


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_spark_links_as_one_machine_does(
    spark: Any, records: Records, local: Linkage, partitions: int, tmp_path: Path
) -> None:
    from crmcore.spark import link as spark_link

    # seven: components by stars on the workers, as where links are too many for the driver
    found = spark_link(
        frame_of(spark, records, partitions),
        model=local.model,
        work=str(tmp_path),
        collect=0 if partitions == 7 else 10**6,
    )
    assert found.patterns == local_patterns(records, local.model)
    assert found.n_pairs == local.n_pairs
    ids = {r["rank"]: r["id"] for r in found.entities.collect()}
    links = {frozenset((ids[r["lo"]], ids[r["hi"]])): r["log_odds"] for r in found.links.collect()}
    wanted = links_of(local)
    assert links.keys() == wanted.keys()
    assert max(abs(links[k] - wanted[k]) for k in wanted) < 1e-9
    assert entities_of(found) == groups(records.ids, local.labels)
    first = {r["entity"] for r in found.entities.collect()}
    assert first == {min(r for r in ids if ids[r] in g) for g in entities_of(found)}


def test_components_of_chains_and_stars_are_those_of_one_machine(spark: Any) -> None:
    from crmcore.graphs import connected_parts
    from crmcore.spark.components import stars

    rng = np.random.default_rng(1)
    n = 200
    a, b = rng.integers(0, n, 120), rng.integers(0, n, 120)
    lo, hi = np.minimum(a, b)[a != b], np.maximum(a, b)[a != b]
    lo, hi = np.concatenate([lo, np.arange(300, 330)]), np.concatenate([hi, np.arange(301, 331)])  # and a long chain
    links = spark.createDataFrame(pa.table({"lo": lo, "hi": hi}))
    found = {r["rank"]: r["component"] for r in stars(links, lambda _, df: df.localCheckpoint()).collect()}
    label = connected_parts(331, lo, hi)
    least = np.unique(label, return_index=True)[1][label]
    assert found == {int(i): int(least[i]) for i in np.unique(np.concatenate([lo, hi]))}


def written(folder: Path) -> dict[str, int]:
    """Finished stages, and when."""
    return {mark.parent.name: mark.stat().st_mtime_ns for mark in folder.glob("*/_SUCCESS")}


def test_a_failed_run_goes_on_from_its_last_written_stage(
    spark: Any, records: Records, local: Linkage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crmcore.spark import linking

    df = frame_of(spark, records, 2)

    def broken(*_: Any) -> Any:
        raise ConnectionError("the cluster went away")

    with monkeypatch.context() as patched:
        patched.setattr(linking, "_entities", broken)
        with pytest.raises(ConnectionError):
            linking.link(df, model=local.model, work=str(tmp_path))
    before = written(tmp_path)
    assert {name.partition("-")[0] for name in before} == {"records", "pairs", "scored", "components"}
    found = linking.link(df, model=local.model, work=str(tmp_path))
    after = written(tmp_path)
    assert before.items() < after.items()
    assert entities_of(found) == groups(records.ids, local.labels)
    other = linking.link(df, model=attrs.evolve(local.model, floor=3.0), work=str(tmp_path))  # pairs are the same
    kinds = [name.partition("-")[0] for name in written(tmp_path)]
    assert (kinds.count("pairs"), kinds.count("scored")) == (1, 2)
    assert other.patterns == found.patterns


def test_the_key_of_a_frame_is_its_content_in_any_order(spark: Any) -> None:
    from crmcore.spark.stages import key_of

    rows = [(1, "a", None), (2, None, "b")]
    schema = "n int, left string, right string"
    key = key_of(spark.createDataFrame(rows, schema))
    assert key == key_of(spark.createDataFrame(rows[::-1], schema).repartition(3).select("right", "n", "left"))
    moved = [(1, None, "a"), (2, None, "b")]
    assert key != key_of(spark.createDataFrame(moved, schema))
    assert key != key_of(spark.createDataFrame([*rows, rows[0]], schema))


def test_repeated_ids_and_missing_fields_are_refused(
    spark: Any, records: Records, local: Linkage, tmp_path: Path
) -> None:
    from crmcore.spark import link as spark_link

    df = frame_of(spark, records, 2)
    with pytest.raises(DuplicateIds, match="3 repeated ids"):
        spark_link(df.union(df.where("id in ('r1', 'r2', 'r3')")), model=local.model, work=str(tmp_path))
    with pytest.raises(MissingColumn, match="'surname'"):
        spark_link(df.drop("surname"), model=local.model, work=str(tmp_path))
