"""One record at a time equals all at once: hashes, evidence, entities, in any order, with decisions and rules."""

from __future__ import annotations

import functools
import random

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.datasets import simulate_records
from crmcore.errors import ConflictingConstraints
from crmcore.idic.identify.normalize import prepare
from crmcore.idic.identify.readers import read
from crmcore.idic.identify.schema import Schema
from crmcore.linkage.agglomerate import Cuts
from crmcore.linkage.blocking import KeySpace
from crmcore.linkage.cluster import refine
from crmcore.linkage.compare import Comparer
from crmcore.linkage.constraints import Constraints
from crmcore.linkage.encode import atom_hashes, value_hashes
from crmcore.linkage.few import group
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.incremental import EntityGraph, Limits
from crmcore.linkage.index import LinkageIndex
from crmcore.linkage.linking import link
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records
from crmcore.linkage.scalar import KeyHasher, PairScorer, atom_hash, value_hash

FIELDS = {
    "given name": "given name",
    "surname": "surname",
    "phone": "phone",
    "email": "email",
    "birth date": "birth date",
}
ATOMS = sorted({a for d in DEFINITIONS.values() for a in d.atoms} | {"area"})
TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x0E7F, exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80
)
PERSON = st.tuples(
    st.sampled_from([None, "ann", "anna", "bob", "bobby", "robert"]),
    st.sampled_from([None, "lee", "li", "smith", "ann"]),
    st.sampled_from([None, "+66811111111", "+66811111112", "+66899999999"]),
    st.sampled_from([None, "ann@x.org", "ann.lee@x.org", "bob@y.org"]),
    st.sampled_from([None, "19800403", "19800404", "19910101"]),
)


@given(st.lists(TEXT, min_size=1, max_size=20))
def test_scalar_hashes_equal_the_vectorised_ones(values):
    assert [value_hash(v) for v in values] == value_hashes(values).tolist()
    for name, hashes in atom_hashes(values, ATOMS).items():
        assert [atom_hash(name, v) for v in values] == hashes.tolist(), name


def model_of(cap: int = 3, n_records: int = 30) -> LinkageModel:
    return LinkageModel.default(FIELDS, cap=cap, n_records=n_records)


def records_of(
    rows: list[tuple[str | None, ...]], ids: list[str] | None = None, source: list[str] | None = None
) -> Records:
    columns = {name: [r[f] for r in rows] for f, name in enumerate(FIELDS)}
    return Records.from_columns(columns, FIELDS, ids=ids or [f"r{i}" for i in range(len(rows))], source=source)


def groups(records: Records, labels: np.ndarray) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for name, label in zip(records.ids.tolist(), labels.tolist(), strict=True):
        found.setdefault(label, set()).add(name)
    return {frozenset(g) for g in found.values()}


def edges(graph: EntityGraph) -> dict[frozenset[str], float]:
    return {frozenset((graph.ids[r], graph.ids[o])): x for r in graph.rows() for o, x in graph.near(r).items()}


@given(st.lists(PERSON, min_size=2, max_size=12))
def test_scalar_evidence_and_keys_equal_the_vectorised_ones(rows):
    model, records = model_of(), records_of(rows)
    scorer, one = model.scorer(records), PairScorer(model)
    lo, hi = np.triu_indices(len(rows), 1)
    batch = scorer.log_odds(lo, hi)
    single = [one.log_odds(rows[i], rows[j]) for i, j in zip(lo, hi, strict=True)]
    assert np.abs(batch - single).max() <= 1e-9
    space, hasher = KeySpace.of(model.select(records)), KeyHasher(model)
    expected = np.column_stack([space.values(k) for k in model.keys])
    assert np.array_equal(np.array([hasher(r) for r in rows], np.uint64), expected)


@given(st.lists(PERSON, min_size=2, max_size=12), st.floats(-10, 10))
def test_a_pair_given_up_early_is_below_the_least(rows, least):
    one = PairScorer(model_of())
    for other in rows[1:]:
        found, full = one.probe(rows[0], least=least).with_(other), one.log_odds(rows[0], other)
        assert found == full or (found == -np.inf and full < least)


@given(
    st.integers(2, 10),
    st.randoms(use_true_random=False),
    st.sampled_from([Cuts(), Cuts((0.25, 0.25, 0.25, 0.2, 0.1)), Cuts.constant(0.6)]),
)
def test_grouping_a_few_records_in_plain_numbers_equals_refine(k, rng, cuts):
    odds = {(i, j): rng.choice([-3.0, -1.0, 0.0, 0.0, 1.0, 4.0]) for i in range(k) for j in range(i + 1, k)}
    p = np.zeros((k, k))
    for (i, j), x in odds.items():
        p[i, j] = p[j, i] = 1 / (1 + np.exp(-x))
    found = group(k, odds, cuts, None)
    labels = np.empty(k, int)
    for label, members in enumerate(found.groups):
        labels[list(members)] = label
    want = refine(p, cuts)
    assert (
        len(set(zip(labels.tolist(), want.tolist(), strict=True)))
        == len(set(labels.tolist()))
        == len(set(want.tolist()))
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(PERSON, min_size=2, max_size=18), st.randoms(use_true_random=False), st.sampled_from([2, 3, 30]))
def test_entities_do_not_depend_on_how_records_came_and_went(rows, rng, cap):
    model = model_of(cap)
    ids = [f"r{i}" for i in range(len(rows))]
    order = list(range(len(rows)))
    rng.shuffle(order)
    graph = EntityGraph(model)
    for place, i in enumerate(order):
        if place % 3:
            graph.add(ids[i], rows[i])
        else:
            graph.add_many([(ids[i], rows[i], "records")])
    batch = link(records_of(rows, ids), model=model)
    assert graph.partition() == groups(batch.records, batch.labels)
    kept = {frozenset((ids[i], ids[j])): x for i, j, x in zip(batch.lo, batch.hi, batch.log_odds, strict=True)}
    assert edges(graph).keys() == kept.keys()
    gone = set(order[: len(order) // 2])
    for i in gone:
        graph.remove(ids[i])
    rest = [i for i in range(len(rows)) if i not in gone]
    again = link(records_of([rows[i] for i in rest], [ids[i] for i in rest]), model=model)
    assert graph.partition() == groups(again.records, again.labels)
    graph.add_many([(ids[i], rows[i], "records") for i in gone])
    assert graph.partition() == groups(batch.records, batch.labels)


@settings(max_examples=60, deadline=None)
@given(st.lists(PERSON, min_size=4, max_size=14), st.randoms(use_true_random=False))
def test_decisions_and_rules_hold_as_in_the_batch(rows, rng):
    model, n = model_of(30), len(rows)
    ids, sources = [f"r{i}" for i in range(n)], [rng.choice(["shop", "web"]) for _ in range(n)]
    pairs = [tuple(rng.sample(range(n), 2)) for _ in range(4)]
    must, must_not = pairs[:2], pairs[2:]
    limits = Limits(one_to_one=("web",), max_values={"phone": rng.choice([1, 2])})
    records = records_of(rows, ids, sources)
    code = {c.name: c.codes for c in records.columns}
    orders = Constraints(
        must_link=must, must_not_link=must_not, source=records.source,
        one_to_one=tuple(records.sources.index(s) for s in ("web",) if s in records.sources),
        max_values={name: (code[name], most) for name, most in limits.max_values.items()},
    )  # fmt: skip
    graph = EntityGraph(model, limits=limits)
    for i in rng.sample(range(n), n):
        graph.add(ids[i], rows[i], source=sources[i])
    rows_of = [[(graph.row(ids[i]), graph.row(ids[j])) for i, j in p] for p in (must, must_not)]
    before = graph.partition()
    try:
        batch = link(records, model=model, constraints=orders)
    except ConflictingConstraints:
        with pytest.raises(ConflictingConstraints):
            graph.decide(must_link=rows_of[0], must_not_link=rows_of[1])
        assert graph.partition() == before
        return
    graph.decide(must_link=rows_of[0], must_not_link=rows_of[1])
    assert graph.partition() == groups(records, batch.labels)
    linked = EntityGraph.linked(
        model, records, limits=limits,
        must_link=[(ids[i], ids[j]) for i, j in must], must_not_link=[(ids[i], ids[j]) for i, j in must_not],
    )  # fmt: skip
    assert linked.partition() == graph.partition()
    graph.decide(withdrawn_must_link=rows_of[0], withdrawn_must_not_link=rows_of[1])
    assert graph.partition() == before


@functools.cache
def simulated(customers: int = 500) -> tuple[Records, LinkageModel]:
    records, _ = prepare(read(simulate_records(customers, seed=11).sources), Schema.infer())
    model = link(records).model
    return model.select(records), model


@pytest.mark.parametrize("cap", [30, 5])
def test_simulated_records_one_by_one_equal_the_batch(cap):
    records, fitted = simulated()
    model = attrs.evolve(fitted, cap=cap)
    rows = list(zip(*(c.text.to_list() for c in records.columns), strict=True))
    graph = EntityGraph(model)
    for i in random.Random(1).sample(range(len(rows)), len(rows)):
        graph.add(str(records.ids[i]), rows[i])
    batch = link(records, model=model)
    assert graph.partition() == groups(records, batch.labels)
    assert len(batch.lo) == sum(len(graph.near(r)) for r in graph.rows()) / 2
    again = EntityGraph.of(batch)
    for i in range(0, len(rows), 3):
        again.remove(str(records.ids[i]))
        graph.remove(str(records.ids[i]))
    keep = np.array([i for i in range(len(rows)) if i % 3])
    rest = link(records.take(keep), model=model)
    assert graph.partition() == again.partition() == groups(rest.records, rest.labels)
    held, pairs, labels = again.state()
    restored = EntityGraph.restore(model, held, pairs, labels)
    assert restored.partition() == again.partition()
    assert edges(restored) == edges(again)


def test_scalar_evidence_equals_the_vectorised_one_on_simulated_records():
    records, model = simulated()
    scorer, one = model.bind(Comparer.of(records)), PairScorer(model)
    rows = list(zip(*(c.text.to_list() for c in records.columns), strict=True))
    batch = link(records, model=model)
    rng = np.random.default_rng(2)
    a, b = (np.concatenate([x, rng.integers(0, len(rows), 3_000)]) for x in (batch.lo, batch.hi))
    single = [one.log_odds(rows[i], rows[j]) for i, j in zip(a, b, strict=True)]
    assert np.abs(scorer.log_odds(a, b) - single).max() <= 1e-9


def test_components_above_the_limit_are_taken_apart_as_in_the_batch():
    rng = random.Random(5)
    rows = [
        (
            rng.choice(["ann", "anna", "hanna", "joan", "joanna"]),
            rng.choice(["lee", "leeds", "smith"]),
            None,
            None,
            f"19{rng.randint(50, 99)}0{rng.randint(1, 9)}1{rng.randint(0, 9)}",
        )
        for _ in range(270)
    ]
    model = LinkageModel.default(FIELDS, cap=400, n_records=30)
    records = records_of(rows)
    batch = link(records, model=model)
    assert batch.clustering.raised, "the case needs a component of more than 200 records"
    graph = EntityGraph(model)
    for i in rng.sample(range(len(rows)), len(rows)):
        graph.add(f"r{i}", rows[i])
    assert graph.partition() == groups(records, batch.labels)
    for i in range(0, len(rows), 3):
        graph.remove(f"r{i}")
    keep = np.array([i for i in range(len(rows)) if i % 3])
    rest = link(records.take(keep), model=model)
    assert graph.partition() == groups(rest.records, rest.labels)


@settings(max_examples=30, deadline=None)
@given(st.lists(PERSON, min_size=3, max_size=30), st.integers(1, 20), st.sampled_from([2, 5]))
def test_an_index_filled_at_once_finds_what_one_filled_by_and_by_finds(rows, early, cap):
    model = model_of(cap)
    held, last = rows[:-1], rows[-1]
    whole, slow = LinkageIndex.of(records_of(held), model), LinkageIndex(model)
    part = LinkageIndex.of(records_of(held[:early]), model)
    for r in held:
        slow.add(r)
    for r in held[early:]:
        part.add(r)
    part._fold()
    assert whole.match(last) == slow.match(last) == part.match(last)
    assert whole.candidates(last) == part.candidates(last)


def test_kinds_have_a_typical_share_of_chance_agreement():
    for kind in Kind:
        for levels in (len(DEFINITIONS[kind].levels), 7 if kind is Kind.GIVEN_NAME else len(DEFINITIONS[kind].levels)):
            shares = DEFINITIONS[kind].by_chance(levels)
            assert len(shares) == levels
            assert sum(shares) == pytest.approx(1.0)
            assert min(shares) > 0
