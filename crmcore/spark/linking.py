"""Records to entities on Spark under a given model: candidates, comparison, components, clusters, each a written stage.

The answer is that of `crmcore.linkage.link(records, model=model)`: the same keys and caps make the same pairs, the same
scorer weighs them, and the same clustering refines each component.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, MissingColumn
from crmcore.linkage.blocking import BlockingKey, KeySpace, expand, pack, row_bits, union, unpack
from crmcore.linkage.cluster import cluster
from crmcore.linkage.constraints import Constraints
from crmcore.linkage.fields import Kind
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records
from crmcore.linkage.scoring import CHUNK
from crmcore.spark import components
from crmcore.spark import functions as sf
from crmcore.spark.columns import gathered
from crmcore.spark.records import Ranked, hashes_of, ranked, records_of
from crmcore.spark.stages import Stage, Stages, key_of

__all__ = ["SparkLinkage", "link"]

COLLECT = 20_000_000  # links that the driver joins itself: about 1 GB
KEY_ROWS = 4_000_000  # keys of records in one partition: what a worker sorts at once
PAIR_ROWS = 1_000_000  # pairs with the text of both records in one partition: some 300 MB in Java
CLUSTER_ROWS = 50_000  # records of components clustered in one call
HOT = -1  # in place of a record: its block is too large already

Bind = Callable[[Records], Constraints | None]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SparkLinkage:
    """Which records are one entity.

    Attributes
    ----------
    entities : data frame of rank, id, source and entity; an entity is the rank of its first record
    links : data frame of lo, hi, log_odds: pairs at or above the model's floor, by rank
    patterns : levels of the fields, one sign each ("1204") -> candidate pairs
    records : the normalised records, by rank
    model : what decided
    key : of the stage that holds the entities
    """

    entities: Any
    links: Any
    patterns: Mapping[str, int]
    records: Ranked
    model: LinkageModel
    key: str

    @property
    def n_pairs(self) -> int:
        """Candidate pairs compared."""
        return sum(self.patterns.values())

    def __repr__(self) -> str:
        return f"SparkLinkage({self.records.n} records, {self.n_pairs} pairs compared)"


def link(
    df: Any, *, model: LinkageModel, work: str, id: str = "id", source: str | None = None, collect: int = COLLECT
) -> SparkLinkage:
    """Find which records of a data frame of normalised text are one entity, under a model that is given.

    Parameters
    ----------
    df : Spark data frame with one column of normalised text per field of the model, by its name
    model : fitted by `crmcore.linkage.link` or `spark.fit`
    work : folder that driver and workers see; a run that failed goes on from its last written stage
    id, source : columns of the unique record id and of its source
    collect : up to so many links the driver finds the components; beyond, the workers do

    Raises
    ------
    MissingColumn
        A field of the model, or the id, is not in the frame.
    DuplicateIds
        An id stands on several rows.
    """
    for name in (id, *model.fields, *([source] if source else [])):
        if name not in df.columns:
            raise MissingColumn(name, tuple(df.columns), "the Spark frame")
    stages = Stages(df.sparkSession, work)
    names = [] if source is None else sorted(str(r[0]) for r in df.select(source).distinct().collect())
    sources = tuple(names) or ("records",)
    code = sf.lit(0) if source is None else sf.array_position(sf.array(*map(sf.lit, sources)), sf.col(source)) - 1
    fields = [sf.col(f"`{f}`").cast("string") for f in model.fields]
    text = [sf.when(f != "", f).alias(f"f{i}") for i, f in enumerate(fields)]
    schema = "id string, source int, " + ", ".join(f"f{i} string" for i in range(len(text))) + ", hash long"
    picked = df.select(sf.col(id).cast("string").alias("id"), code.cast("int").alias("source"), *text)
    given = key_of(df.select(id, *model.fields, *([source] if source else [])))
    held = ranked(stages, [given], lambda: picked.mapInArrow(_hashed, schema), sources, model.fields)
    return link_ranked(stages, held, model, collect=collect)


def _hashed(batches: Iterable[Any]) -> Iterator[Any]:
    import pyarrow as pa

    for batch in batches:
        yield batch.append_column("hash", pa.array(hashes_of(batch.column("id").to_pylist())))


def link_ranked(
    stages: Stages,
    records: Ranked,
    model: LinkageModel,
    *,
    bind: Bind = lambda _: None,
    decided: object = None,
    must: Sequence[tuple[str, str]] = (),
    collect: int = COLLECT,
) -> SparkLinkage:
    """Link ranked records under a model and what `bind` says of any part of them; `decided` names that for restarts."""
    if not records.n:
        raise EmptyInput("the records", "give at least one record")
    spark, settings = stages.spark, model.to_dict()
    pairs = stages.run("pairs", [records.key], settings["keys"] + [model.cap], lambda: _pairs(records, model))
    scored = stages.run("scored", [records.key, pairs.key], settings, lambda: _scored(records, pairs.frame, model))
    links = scored.frame.where("lo is not null").select("lo", "hi", "log_odds")
    joins = links.select("lo", "hi").unionByName(_must(spark, records, must)) if must else links.select("lo", "hi")

    def rounds() -> Any:
        if joins.count() <= collect:
            return components.collected(spark, joins)
        return components.stars(joins, lambda name, df: stages.run(name, [scored.key], decided, lambda: df).frame)

    parts = stages.run("components", [scored.key], decided, rounds)
    made = stages.run(
        "entities", [parts.key], [decided, settings["cuts"]], lambda: _entities(records, links, parts, model, bind)
    )
    counted = scored.frame.where("pattern is not null").groupBy("pattern").sum("pairs").collect()
    entities = records.frame.select("rank", "id", "source").join(made.frame, "rank", "left")
    entities = entities.selectExpr("rank", "id", "source", "coalesce(entity, rank) as entity")
    patterns = {str(r[0]): int(r[1]) for r in sorted(counted)}
    return SparkLinkage(
        entities=entities, links=links, patterns=patterns, records=records, model=model, key=made.key
    )  # fmt: skip


def _must(spark: Any, records: Ranked, must: Sequence[tuple[str, str]]) -> Any:
    """Decided pairs by rank; those with a record that is not here wait for it."""
    pairs = spark.createDataFrame([(str(a), str(b)) for a, b in must], "a string, b string")
    ranks = records.frame.select("rank", "id")
    a, b = ranks.selectExpr("rank as ra", "id as a"), ranks.selectExpr("rank as rb", "id as b")
    both = pairs.join(a, "a").join(b, "b")
    return both.select(sf.least("ra", "rb").alias("lo"), sf.greatest("ra", "rb").alias("hi"))


def blocks(records: Ranked, model: LinkageModel) -> Any:
    """Rows (key, block, rank): the blocks of each record; the rank `HOT` says that a block is too large."""
    bits, cap, keys, fields = row_bits(records.n), model.cap, model.keys, records.fields

    def blocked(batches: Iterable[Any]) -> Iterator[Any]:
        for table in gathered(batches, CHUNK):
            yield from _keyed(table, fields, keys, bits, cap)

    return records.text("rank").mapInArrow(blocked, "key short, block long, rank long")


def _pairs(records: Ranked, model: LinkageModel) -> Any:
    """Distinct candidate pairs (lo, hi) of all keys, blocks above the cap refused."""
    bits, cap = row_bits(records.n), model.cap

    def expanded(batches: Iterable[Any]) -> Iterator[Any]:
        yield from _expanded(batches, bits, cap)

    n = _parts(records, records.n * len(model.keys), KEY_ROWS)
    made = blocks(records, model).repartition(n, "key", "block").mapInArrow(expanded, "lo long, hi long")
    return made.repartition(n, "lo").dropDuplicates(["lo", "hi"])


def _parts(records: Ranked, rows: int, most: int) -> int:
    """How many partitions hold so many rows: those of every shuffle, or more where they would be too large."""
    return max(-(-rows // most), int(records.frame.sparkSession.conf.get("spark.sql.shuffle.partitions")))


def _keyed(table: Any, fields: Mapping[str, Kind], keys: Sequence[BlockingKey], bits: int, cap: int) -> Iterator[Any]:
    """Key values of the records of a batch; a block that is too large within it is one row that says so."""
    import pyarrow as pa

    rank = np.asarray(table.column("rank").to_numpy())
    space = KeySpace.of(records_of(table, fields))
    for k, key in enumerate(keys):
        values = space.values(key)
        rows = np.flatnonzero(values)
        block = values[rows] >> np.uint64(bits)
        order = np.argsort(block, kind="stable")
        block, member = block[order], rank[rows[order]]
        cut = np.flatnonzero(np.concatenate([[True], block[1:] != block[:-1]])) if len(block) else np.zeros(0, int)
        size = np.diff(np.append(cut, len(block)))
        hot = np.repeat(size > cap, size)
        first = np.zeros(len(block), np.bool_)
        first[cut] = True
        member = np.where(hot, HOT, member)[first | ~hot]
        block = block[first | ~hot].view(np.int64)
        yield pa.RecordBatch.from_pydict({"key": np.full(len(block), k, np.int16), "block": block, "rank": member})


def _expanded(batches: Iterable[Any], bits: int, cap: int) -> Iterator[Any]:
    """Distinct pairs of all blocks of a partition."""
    import pyarrow as pa

    held = list(batches)
    if not held:
        return
    key, block, rank = (np.concatenate([b.column(i).to_numpy() for b in held]) for i in range(3))
    del held
    order = np.lexsort((rank, block, key))
    key, block, rank = key[order], block[order], rank[order]
    fresh = np.concatenate([[True], (block[1:] != block[:-1]) | (key[1:] != key[:-1])])
    starts = np.flatnonzero(fresh)
    sizes = np.diff(np.append(starts, len(rank)))
    keep = (sizes >= 2) & (sizes <= cap) & (rank[starts] != HOT)
    packed = union([pack(a, b, bits) for a, b in expand(rank, starts[keep], sizes[keep])])
    for at in range(0, len(packed), CHUNK):
        lo, hi = unpack(packed[at : at + CHUNK], bits)
        yield pa.RecordBatch.from_pydict({"lo": lo, "hi": hi})


def _scored(records: Ranked, pairs: Any, model: LinkageModel) -> Any:
    """Rows (lo, hi, log_odds) of the pairs at or above the floor, and rows (pattern, pairs) that count all."""
    fields = records.fields

    def score(batches: Iterable[Any]) -> Iterator[Any]:
        for table in gathered(batches, CHUNK):
            yield _compared(table, fields, model)

    n = _parts(records, pairs.count(), PAIR_ROWS)
    both = pairs.repartition(n, "lo").join(records.text("lo", "l").repartition(n, "lo"), "lo")
    both = both.repartition(n, "hi").join(records.text("hi", "r").repartition(n, "hi"), "hi")
    return both.mapInArrow(score, "lo long, hi long, log_odds double, pattern string, pairs long")


def _compared(table: Any, fields: Mapping[str, Kind], model: LinkageModel) -> Any:
    import pyarrow as pa

    m, k = table.num_rows, len(fields)
    sides = [
        pa.chunked_array([*table.column(f"l{i}").chunks, *table.column(f"r{i}").chunks], pa.string()) for i in range(k)
    ]
    stacked = pa.table(sides, names=[f"f{i}" for i in range(k)])
    rows = np.arange(m)
    levels, odds = model.bind_records(records_of(stacked, fields)).measured(rows, rows + m)
    seen, count = _patterns(levels)
    keep = np.flatnonzero(odds >= model.floor)
    none, other = pa.nulls(len(seen)), pa.nulls(len(keep))
    lo, hi = (pa.array(table.column(c).to_numpy()[keep]) for c in ("lo", "hi"))
    patterns = pa.array(["".join(map(str, row)) for row in seen.tolist()], pa.string())
    parts = {
        "lo": [lo, none.cast(pa.int64())],
        "hi": [hi, none.cast(pa.int64())],
        "log_odds": [pa.array(odds[keep]), none.cast(pa.float64())],
        "pattern": [other.cast(pa.string()), patterns],
        "pairs": [other.cast(pa.int64()), pa.array(count, pa.int64())],
    }
    return pa.RecordBatch.from_pydict({name: pa.concat_arrays(both) for name, both in parts.items()})


def _patterns(levels: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Distinct rows and how often each occurs; eight levels are one number, as sorting whole rows would take long."""
    code = np.zeros(len(levels), np.int64)
    for at in range(0, levels.shape[1], 8):
        eight = np.zeros((len(levels), 8), np.int8)
        eight[:, : levels.shape[1] - at] = levels[:, at : at + 8]
        word = np.unique(eight.view(np.int64)[:, 0], return_inverse=True)[1]
        code = np.unique(code * (int(word.max(initial=0)) + 1) + word, return_inverse=True)[1]
    _, first, count = np.unique(code, return_index=True, return_counts=True)
    return levels[first], count


def _entities(records: Ranked, links: Any, parts: Stage, model: LinkageModel, bind: Bind) -> Any:
    """Entity of each record that has a link: many whole components in each call of the clustering."""
    found, fields, sources = parts.frame, records.fields, records.sources
    n = _parts(records, int(found.count()), CLUSTER_ROWS)
    bucket = sf.pmod(sf.xxhash64("component"), sf.lit(n)).cast("int")
    whole = found.withColumn("bucket", bucket).drop("component")
    nodes = records.frame.join(whole, "rank")
    edges = links.join(whole.select(sf.col("rank").alias("lo"), sf.col("bucket").alias("of")), "lo")

    def refine(members: Any, between: Any) -> Any:
        return _refined(members, between, fields, sources, model, bind)

    both = nodes.groupBy("bucket").cogroup(edges.groupBy("of"))
    return both.applyInArrow(refine, "rank long, entity long")


def _refined(
    members: Any, between: Any, fields: Mapping[str, Kind], sources: tuple[str, ...], model: LinkageModel, bind: Bind
) -> Any:
    import pyarrow as pa

    members = members.sort_by("rank").combine_chunks()
    rank = np.asarray(members.column("rank").to_numpy())
    records = records_of(members, fields, sources=sources)
    lo, hi = (np.searchsorted(rank, between.column(c).to_numpy()) for c in ("lo", "hi"))
    found = cluster(
        len(rank),
        lo,
        hi,
        np.asarray(between.column("log_odds").to_numpy()),
        rank=np.arange(len(rank)),
        score=model.bind_records(records).log_odds,
        cuts=model.cuts,
        floor=model.floor,
        constraints=bind(records),
    )
    first = np.unique(found.labels, return_index=True)[1]
    return pa.table({"rank": rank, "entity": rank[first][found.labels]})
