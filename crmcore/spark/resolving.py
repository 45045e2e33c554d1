"""From raw frames to customers on Spark: what `crmcore.idic.identify.resolve` says, on many machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Any

import attrs
import numpy as np

from crmcore.errors import BadRows, OutOfRange, WrongType
from crmcore.idic.identify.linkage_rules import Rules
from crmcore.idic.identify.normalize import COMMON, COMMON_AT_LEAST, OWN, prepare
from crmcore.idic.identify.people import normal_forms, roles_of
from crmcore.idic.identify.plan import PreparationPlan
from crmcore.idic.identify.profiles import ProfileTable
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.idic.identify.survivorship import SurvivorshipPlan
from crmcore.linkage.care import Care
from crmcore.linkage.fields import Kind
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.scoring import CHUNK
from crmcore.spark import faults
from crmcore.spark import functions as sf
from crmcore.spark.columns import gathered
from crmcore.spark.faults import AT
from crmcore.spark.fitting import SAMPLE, fit
from crmcore.spark.ids import customer_ids
from crmcore.spark.linking import COLLECT, SparkLinkage, link_ranked
from crmcore.spark.records import Ranked, arrow_of, hashes_of, ranked, text_of
from crmcore.spark.running import FAULT, error_of
from crmcore.spark.stages import Stages, key_of
from crmcore.tables import RecordTable, TextColumn

__all__ = ["SparkPeople", "resolve"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SparkPeople:
    """Customers found in records, and what led to them.

    Attributes
    ----------
    sources : the frames as given
    records : all normalised fields, by rank
    linkage : pairs, evidence, entities
    plan : how records were normalised; with `model` it makes a `Resolver`
    rules : decisions that were obeyed
    stages : where the run wrote what it made
    """

    sources: Mapping[str, Any]
    records: Ranked
    linkage: SparkLinkage
    plan: PreparationPlan
    rules: Rules
    stages: Stages

    @property
    def model(self) -> LinkageModel:
        """The model: the same JSON as on one machine."""
        return self.linkage.model

    def __repr__(self) -> str:
        return f"SparkPeople({self.linkage.records.n} records of {len(self.sources)} sources)"

    def assignments(self, previous: Any = None) -> Any:
        """Data frame of record_id, source and customer_id, the ids that one machine would give.

        Parameters
        ----------
        previous : data frame of record_id and customer_id, optional
            What this said of an earlier run: customers keep their ids.
        """
        entities = self.linkage.entities
        named = entities.join(
            customer_ids(self.stages, self.linkage, previous).select("entity", "customer_id"), "entity"
        )
        names = sf.array(*map(sf.lit, self.sources))
        source = sf.element_at(names, sf.col("source") + 1).alias("source")
        return named.select(sf.col("id").alias("record_id"), source, "customer_id")

    def profiles(
        self, *, survivorship: SurvivorshipPlan | None = None, buckets: int | None = None, previous: Any = None
    ) -> Any:
        """Data frame of the golden record of each customer, as `People.profiles.to_frame()` has it.

        Parameters
        ----------
        survivorship : how golden values are chosen
        buckets : groups of customers made at once; so that each has some 50,000 records by default
        previous : as for `assignments`
        """
        columns = tuple(dict.fromkeys(c for df in self.sources.values() for c in df.columns))
        n = buckets or max(int(self._conf("spark.sql.shuffle.partitions")), -(-self.linkage.records.n // 50_000))
        raw = _union(self._raw(name, columns) for name in self.sources)
        entities = self.linkage.entities.select("id", "entity")
        bucketed = raw.join(entities, "id").withColumn("bucket", sf.pmod(sf.xxhash64("entity"), sf.lit(n)).cast("int"))
        plan, names, several = self.plan, tuple(self.sources), self._several()

        def golden(table: Any) -> Any:
            return _golden(table, columns, names, plan, several, survivorship)

        fields = golden(bucketed.limit(100).toArrow()).schema
        schema = ", ".join(f"`{f.name}` {'long' if f.name == 'records' else 'string'}" for f in fields)
        made = bucketed.groupBy("bucket").applyInArrow(golden, schema)
        if previous is None:
            return made
        fresh, kept = (customer_ids(self.stages, self.linkage, p) for p in (None, previous))
        both = fresh.select("entity", "customer_id").join(kept.selectExpr("entity", "customer_id as stays"), "entity")
        return made.join(both.drop("entity"), "customer_id").withColumn("customer_id", sf.col("stays")).drop("stays")

    def _conf(self, name: str) -> str:
        return str(self.linkage.entities.sparkSession.conf.get(name))

    def _several(self) -> frozenset[int]:
        """Codes of the sources that have records with two telephone numbers."""
        names = list(self.records.fields)
        second = f"{Kind.PHONE.value} 2"
        if second not in names:
            return frozenset()
        rows = self.records.frame.where(f"f{names.index(second)} is not null").select("source").distinct().collect()
        return frozenset(int(r[0]) for r in rows)

    def _raw(self, source: str, columns: tuple[str, ...]) -> Any:
        schema, code = self.plan.schema, list(self.sources).index(source)

        def text(batches: Iterable[Any]) -> Iterator[Any]:
            import pyarrow as pa

            for table in gathered(batches, CHUNK):
                got = read({source: table}, schema)
                none = TextColumn.empty(len(got))
                made = {
                    "id": pa.array(got.record_id.tolist(), pa.string()),
                    "source": pa.array(np.full(len(got), code, np.int32)),
                    "time": pa.array(got.time.astype("datetime64[us]").astype(np.int64)),
                }
                made |= {f"c{i}": arrow_of(got.columns.get(name, none)) for i, name in enumerate(columns)}
                yield from pa.table(made).to_batches()

        kinds = ", ".join(f"c{i} string" for i in range(len(columns)))
        return self.sources[source].mapInArrow(text, f"id string, source int, time long, {kinds}")


def resolve(
    sources: Mapping[str, Any],
    *,
    work: str,
    schema: Schema | None = None,
    model: LinkageModel | None = None,
    plan: PreparationPlan | None = None,
    rules: Rules | None = None,
    care: Care | str = Care.BALANCED,
    default_region: str | None = None,
    seed: int = 0,
    sample: int = SAMPLE,
    collect: int = COLLECT,
) -> SparkPeople:
    """Find out which records of which Spark data frames are one customer.

    Parameters
    ----------
    sources : name -> data frame
    work : folder that driver and workers see; a run that failed goes on from its last written stage
    schema : what each column means; every source needs a record id
    model : use this one; fitted where None, see `fitting.fit`
    plan : how records are normalised, `Preparation.plan` of an earlier run; decided from the records where None
    rules : decisions and limits of one customer; `max_profiles` is not known on Spark
    care : how much evidence a merge needs
    default_region : region of local telephone numbers
    seed : of the samples that fitting draws
    sample : up to so many records the driver decides and fits as one machine does; beyond, from a sample of as many
    collect : up to so many links the driver finds the components

    Returns
    -------
    SparkPeople

    Raises
    ------
    BadRows, DuplicateIds
        Rows that cannot be read, all of them, with partition, file and row; repeated ids.
    WrongType
        A source without a record id.
    """
    held = rules or Rules()
    if held.max_profiles:
        hint = "block the values that many share: Rules(blocked_values={'phone': [...]})"
        raise OutOfRange("rules.max_profiles", dict(held.max_profiles), "none on Spark", hint)
    spark = next(iter(sources.values())).sparkSession
    stages = Stages(spark, work)
    decided = plan is not None
    if plan is None:
        plan = _planned(sources, schema, held, default_region, sample)
    for name in sources:
        if plan.schema.id_column(name) is None:
            hint = f'name it: schema=Schema.infer(overrides={{"{name}.<column>": "record id"}})'
            raise WrongType(f"source {name!r}", "a frame without record id", "a column that names each record", hint)
    records, plan = _records(stages, sources, plan, common=not decided)
    used = model or fit(records, care=care, seed=seed, sample=sample, bind=held.bind)
    missing = [name for name in used.fields if name not in records.fields]
    if missing:
        hint = "pass the plan that goes with the model, or fit again"
        raise WrongType("model", f"a model with field {missing[0]!r}", f"fields {list(records.fields)}", hint)
    about = attrs.asdict(attrs.evolve(held, blocked_values={}))
    found = link_ranked(
        stages, _chosen(records, used), used, bind=held.bind, decided=about, must=held.must_link, collect=collect
    )
    return SparkPeople(sources=dict(sources), records=records, linkage=found, plan=plan, rules=held, stages=stages)


def _planned(
    sources: Mapping[str, Any], schema: Schema | None, rules: Rules, region: str | None, sample: int
) -> PreparationPlan:
    """What one machine would decide about normalisation, from all records or a sample by the hash of their content."""
    n = sum(df.count() for df in sources.values())
    share = int(min(sample / max(n, 1), 1.0) * 2**32)

    def some(df: Any) -> Any:
        if n <= sample:
            return df
        each = sf.xxhash64(*[sf.col(f"`{c}`").cast("string") for c in df.columns])
        return df.where(sf.pmod(each, sf.lit(2**32)) < share)

    table = read({name: some(df).toArrow() for name, df in sources.items()}, schema)
    bound = (schema or Schema.infer()).bind(table)
    blocked = rules.blocked_values or None
    return prepare(table, bound, default_region=region, blocked_values=blocked)[1].plan


def _normalised_frames(sources: Mapping[str, Any], plan: PreparationPlan) -> Any:
    made = (
        df.withColumn(AT, sf.monotonically_increasing_id()).mapInArrow(
            _normaliser(name, code, plan), _schema_of(len(plan.fields))
        )
        for code, (name, df) in enumerate(sources.items())
    )
    return _union(made)


def _schema_of(fields: int) -> str:
    text = "".join(f", f{i} string" for i in range(fields))
    return f"id string, source int, hash long{text}, {FAULT} string"


def _normaliser(name: str, code: int, plan: PreparationPlan) -> Callable[[Iterable[Any]], Iterator[Any]]:
    def normalised(table: Any) -> Any:
        import pyarrow as pa

        records, _ = prepare(read({name: table}, plan.schema), plan.schema, plan=plan)
        ids = records.ids.tolist()
        made = {"id": pa.array(ids, pa.string()), "source": pa.array(np.full(len(ids), code, np.int32))}
        made |= {"hash": pa.array(hashes_of(ids))}
        made |= {f"f{i}": arrow_of(c.text) for i, c in enumerate(records.columns)}
        return pa.table({**made, FAULT: pa.nulls(len(ids), pa.string())})

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        for table in gathered(batches, CHUNK):
            made, bad = faults.attempt(normalised, table, np.arange(table.num_rows), name="normalisation")
            if bad:
                kinds = [("id", pa.string()), ("source", pa.int32()), ("hash", pa.int64())]
                kinds += [(f"f{i}", pa.string()) for i in range(len(plan.fields))]
                told = {**{n: pa.nulls(1, k) for n, k in kinds}, "source": pa.array([code], pa.int32())}
                made = pa.table({**told, FAULT: pa.array([faults.written(bad)])})
            yield from made.to_batches()

    return run


def _records(
    stages: Stages, sources: Mapping[str, Any], plan: PreparationPlan, *, common: bool
) -> tuple[Ranked, PreparationPlan]:
    """Normalised records of all sources, and the plan; where the plan is new, too common values are blocked."""
    # what the driver saw too often, perhaps in a sample, is counted among all records
    free = attrs.evolve(plan, blocked={}) if common else plan
    given, about = [key_of(df) for df in sources.values()], [list(sources), free.to_dict()]
    normal = stages.run("normal", given, about, lambda: _normalised_frames(sources, free))
    _no_faults(normal.frame, sources)
    df = normal.frame.drop(FAULT)
    if common:
        df, plan = _without_common(df, free)
    return ranked(stages, [normal.key, str(common)], lambda: df, tuple(sources), plan.fields), plan


def _no_faults(normal: Any, sources: Mapping[str, Any]) -> None:
    """Raise one error for the rows of all sources that could not be read."""
    told: dict[str, list[str]] = {}
    for code, fault in normal.where(f"{FAULT} is not null").select("source", FAULT).collect():
        told.setdefault(list(sources)[code], []).append(fault)
    problems, hint = [], ""
    for name, texts in sorted(told.items()):
        error = error_of(name, texts, sources[name])
        problems += [attrs.evolve(p, column=f"{name}, {p.column}") for p in error.problems]
        hint = error.hint
    if problems:
        raise BadRows("the sources", tuple(problems), hint)


def _without_common(df: Any, plan: PreparationPlan) -> tuple[Any, PreparationPlan]:
    """Make values missing that too many records share to be one person's."""
    most = max(COMMON_AT_LEAST, COMMON * df.count())
    for i, (name, kind) in enumerate(plan.fields.items()):
        if kind in OWN:
            counts = df.where(f"f{i} is not null").groupBy(f"f{i}").count().where(f"count > {most}")
            values = [str(r[0]) for r in counts.collect()]
            if values:
                df = df.withColumn(f"f{i}", sf.when(~sf.col(f"f{i}").isin(values), sf.col(f"f{i}")))
                plan = plan.with_values_blocked(name, values)
    return df, plan


def _chosen(records: Ranked, model: LinkageModel) -> Ranked:
    """The model's fields of the records, in the model's order."""
    names = list(records.fields)
    if names == list(model.fields):
        return records
    fields = [sf.col(f"f{names.index(name)}").alias(f"f{i}") for i, name in enumerate(model.fields)]
    frame = records.frame.select("rank", "id", "source", *fields)
    return attrs.evolve(records, frame=frame, fields=dict(model.fields))


def _golden(
    table: Any,
    columns: tuple[str, ...],
    names: tuple[str, ...],
    plan: PreparationPlan,
    several: frozenset[int],
    survivorship: SurvivorshipPlan | None,
) -> Any:
    import pyarrow as pa

    time = np.asarray(table.column("time").to_numpy()).astype("datetime64[us]")
    ids = np.array(table.column("id").to_pylist(), object)
    source = np.asarray(table.column("source").to_numpy(), np.int32)
    text = {name: text_of(table.column(f"c{i}")) for i, name in enumerate(columns)}
    raw = RecordTable(ids, source, names, time, text)
    records, _ = prepare(raw, plan.schema, plan=plan)
    made = ProfileTable.build(
        raw,
        np.asarray(table.column("entity").to_numpy()),
        roles=roles_of(plan.schema, raw),
        plan=survivorship,
        normal=normal_forms(raw, plan.schema, records, several=several),
    )
    out = made.to_frame(backend="pyarrow")
    kinds = {name: pa.int64() if name == "records" else pa.string() for name in out.schema.names}
    return out.cast(pa.schema(kinds.items()))


def _union(frames: Iterable[Any]) -> Any:
    return reduce(lambda a, b: a.unionByName(b), frames)
