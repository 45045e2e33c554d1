from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.datasets import organisations, simulate_brand, simulate_records
from crmcore.datasets.columns import draw, kept, opaque_ids, texts
from crmcore.datasets.noise import drop, mistype, recase

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 40), seed=seeds, duplicates=st.floats(0, 3), noise=st.floats(0, 5))
def test_truth_holds_for_any_size_and_seed(n, seed, duplicates, noise):
    records = simulate_records(n, seed=seed, duplicates=duplicates, noise=noise)
    truth = records.truth
    assert set(truth.person.tolist()) == set(range(n))
    assert len(set(truth.record_id.tolist())) == len(truth)
    assert sum(len(c["record_id"]) for c in records.sources.values()) == len(truth)
    assert duplicates > 0 or len(truth) == n
    for columns in records.sources.values():
        for name, column in columns.items():
            if column.dtype == object:
                assert all(c is None or isinstance(c, str) for c in column.tolist()), name


@settings(max_examples=10, deadline=None)
@given(n=st.integers(1, 30), seed=seeds)
def test_any_small_brand_is_coherent(n, seed):
    brand = simulate_brand(n, seed=seed)
    known = set(brand.truth.records.record_id.tolist())
    for columns in brand.tables.values():
        assert len({len(c) for c in columns.values()}) == 1
    assert set(brand.orders["record_id"].tolist()) <= known
    assert len(brand.truth.ladder) == n


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 40), seed=seeds)
def test_every_firm_has_a_record_and_one_group(n, seed):
    firms = organisations(n, seed=seed)
    assert set(firms.organisation.tolist()) == set(range(n))
    pairs = set(zip(firms.organisation.tolist(), firms.group.tolist(), strict=True))
    assert len(pairs) == n


@given(weights=st.lists(st.floats(0, 10), min_size=1, max_size=8).filter(lambda w: sum(w) > 1e-6), seed=seeds)
def test_what_weighs_nothing_is_never_drawn(weights, seed):
    codes = draw(np.random.default_rng(seed), weights, 50)
    assert all(weights[c] > 0 for c in codes.tolist())


@given(cells=st.lists(st.none() | st.text(max_size=12), max_size=20), seed=seeds, rate=st.floats(0, 1))
def test_noise_keeps_the_number_of_rows_and_what_is_missing(cells, seed, rate):
    rng = np.random.default_rng(seed)
    missing = [c is None for c in cells]
    slipped = mistype(rng, texts(cells), rate)
    assert [c is None for c in slipped.tolist()] == missing
    cased = recase(rng, texts(cells), lower=0.5, upper=0.5)
    assert [c is None for c in cased.tolist()] == missing
    assert drop(rng, texts(cells), 1.0).tolist() == [None] * len(cells)
    assert kept(texts(cells), np.ones(len(cells), bool)).tolist() == cells


@given(n=st.integers(0, 300), seed=seeds)
def test_ids_are_distinct(n, seed):
    assert len(set(opaque_ids(np.random.default_rng(seed), n).tolist())) == n
