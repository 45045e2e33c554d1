"""Blocking plans: greedy as it should be, within budget, honest about what they will find."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from crmcore.linkage import plan as plan_module
from crmcore.linkage import plan_blocking
from crmcore.linkage.blocking import BlockingKey, KeySpace, block_pairs, row_bits, unpack
from crmcore.linkage.compare import Comparer
from crmcore.linkage.plan import Sample, choose_keys, draw_sample, fit_weights


def a_sample(rng: np.random.Generator, n_pairs: int, n_keys: int) -> tuple[Sample, np.ndarray]:
    """Pairs and keys at random: some pairs likely matches, keys of all sizes that overlap."""
    odds = rng.normal(-1, 4, n_pairs)
    weight = rng.uniform(0.5, 2, n_pairs)
    background = rng.random(n_pairs) < 0.1
    members = []
    for _ in range(n_keys):
        size = rng.integers(1, n_pairs)
        candidates = np.flatnonzero(~background)
        members.append(np.sort(rng.choice(candidates, min(size, len(candidates)), replace=False)).astype(np.int32))
    keys = tuple(BlockingKey(((f"k{i}", "whole"),)) for i in range(n_keys))
    lo = np.zeros(n_pairs, np.int64)
    pairs = np.array([float(weight[m].sum()) for m in members])
    return Sample(lo, lo + 1, weight, background, keys, tuple(members), pairs, 30), odds


def plain_greedy(sample: Sample, odds: np.ndarray, budget: float) -> list[BlockingKey]:
    """Every rate computed anew in every step."""
    p = np.where(odds < -2, 0, sample.weight / (1 + np.exp(-odds)))
    total, covered, chosen, spent = p[~sample.background].sum(), set(), [], 0.0
    left = set(range(len(sample.members)))
    while left and spent < budget:
        rates = {}
        for k in left:
            fresh = [m for m in sample.members[k].tolist() if m not in covered]
            rates[k] = (p[fresh].sum() / max(sample.weight[fresh].sum(), 1e-9), p[fresh].sum(), fresh)
        best = max(left, key=lambda k: (rates[k][0], -k))
        left.remove(best)
        _, gain, fresh = rates[best]
        cost = sample.weight[fresh].sum()
        if gain < plan_module.LEAST_GAIN * total or (spent + cost > budget * 1.1 and chosen):
            continue
        covered |= set(fresh)
        spent += cost
        chosen.append(sample.keys[best])
    return chosen


def apart(sample: Sample, rng: np.random.Generator) -> Sample:
    """The same pairs, each made by one key only."""
    key = rng.integers(0, len(sample.keys), len(sample.lo))
    members = tuple(np.flatnonzero((key == k) & ~sample.background).astype(np.int32) for k in range(len(sample.keys)))
    return attrs.evolve(sample, members=members, key_pairs=np.array([float(sample.weight[m].sum()) for m in members]))


BUDGETS = [15.0, 60.0, np.inf]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("budget", BUDGETS)
def test_where_keys_do_not_overlap_the_lazy_cover_is_the_plain_greedy_cover(seed, budget):
    rng = np.random.default_rng(seed)
    sample, odds = a_sample(rng, 60, 9)
    sample = apart(sample, rng)
    assert [k.key for k in choose_keys(sample, odds, budget_pairs=budget).keys] == plain_greedy(sample, odds, budget)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("budget", BUDGETS)
def test_where_keys_overlap_the_lazy_cover_finds_nearly_what_the_plain_one_finds(seed, budget):
    # A key's rate may rise when its poor pairs are covered: then the lazy queue meets it late, and its order differs.
    sample, odds = a_sample(np.random.default_rng(seed), 60, 9)
    plan, plain = choose_keys(sample, odds, budget_pairs=budget), plain_greedy(sample, odds, budget)
    assert [k.key for k in plan.keys][:1] == plain[:1]
    taken = np.unique(np.concatenate([sample.members[sample.keys.index(k)] for k in plain]))
    p = np.where(odds < -2, 0, sample.weight / (1 + np.exp(-odds)))
    assert plan.recall >= 0.9 * p[taken].sum() / p[~sample.background].sum()


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_keeps_to_its_budget_and_counts_what_it_takes(seed):
    sample, odds = a_sample(np.random.default_rng(100 + seed), 200, 12)
    largest = max(sample.key_pairs)
    plan = choose_keys(sample, odds, budget_pairs=80.0)
    assert plan.pairs <= max(80 * 1.1, largest)
    taken = np.unique(np.concatenate([sample.members[sample.keys.index(k.key)] for k in plan.keys]))
    assert plan.pairs == pytest.approx(sample.weight[taken].sum())
    p = np.where(odds < -2, 0, sample.weight / (1 + np.exp(-odds)))
    assert plan.recall == pytest.approx(p[taken].sum() / p[~sample.background].sum())
    assert sum(k.matches for k in plan.keys) == pytest.approx(p[taken].sum())


def test_more_budget_never_finds_less():
    sample, odds = a_sample(np.random.default_rng(7), 300, 15)
    recalls = [choose_keys(sample, odds, budget_pairs=b).recall for b in (20, 60, 150, 1e9)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == pytest.approx(1, abs=0.05)


def test_nothing_to_choose_is_an_empty_plan_that_misses_nothing():
    none = np.empty(0, np.int64)
    empty = Sample(none, none, np.empty(0), np.empty(0, bool), (), (), np.empty(0), 30)
    plan = choose_keys(empty, np.empty(0), budget_pairs=10)
    assert (plan.keys, plan.recall, plan.pairs) == ((), 1.0, 0.0)


def test_the_plan_tells_counts_before_the_run(world, linked):
    plan = plan_blocking(world.records)
    assert [k.key for k in plan.keys] == [k.key for k in linked.plan.keys] == list(linked.model.keys)
    assert plan.pairs == pytest.approx(linked.n_pairs)  # every record is a probe: nothing is estimated
    text = str(plan)
    assert f"{len(plan.keys)} of {plan.tried} keys" in text
    assert str(plan.keys[0].key) in text
    for planned in plan.keys:
        space = KeySpace.of(world.records)
        made = sum(len(p) for p in block_pairs(space.values(planned.key), n=len(world.records), cap=plan.cap))
        assert planned.pairs == made


def test_planned_keys_reach_nearly_all_true_pairs(world):
    plan, space, n = plan_blocking(world.records), KeySpace.of(world.records), len(world.records)
    found: set[tuple[int, int]] = set()
    for planned in plan.keys:
        for part in block_pairs(space.values(planned.key), n=n, cap=plan.cap):
            lo, hi = unpack(part, row_bits(n))
            found |= set(zip(lo.tolist(), hi.tolist(), strict=True))
    true = len(found & world.true_pairs) / len(world.true_pairs)
    assert true > 0.9
    assert plan.recall - true < 0.1  # without labels the estimate is optimistic, but not by more than this


def test_a_sample_of_probes_estimates_what_all_records_would_say(world, monkeypatch):
    everything = plan_blocking(world.records)
    monkeypatch.setattr(plan_module, "ALL_PROBES", 50)
    monkeypatch.setattr(plan_module, "PROBES", 200)
    monkeypatch.setattr(plan_module, "_WIDE_BLOCK", 6)  # blocks of both ways to make probe pairs
    sampled = plan_blocking(world.records)
    assert sampled.pairs == pytest.approx(everything.pairs, rel=0.5)
    assert sampled.recall == pytest.approx(everything.recall, abs=0.1)
    assert 0 < len(sampled.keys) < sampled.tried


def test_probe_pairs_are_the_pairs_that_touch_a_probe(world, monkeypatch):
    space, n = KeySpace.of(world.records), len(world.records)
    probes = np.arange(0, n, 3)
    key = BlockingKey.parse("surname/first 3")
    wanted = set()
    for part in block_pairs(space.values(key), n=n, cap=30):
        lo, hi = unpack(part, row_bits(n))
        wanted |= {(a, b) for a, b in zip(lo.tolist(), hi.tolist(), strict=True) if a % 3 == 0 or b % 3 == 0}
    for wide in (0, 4, 64):
        monkeypatch.setattr(plan_module, "_WIDE_BLOCK", wide)
        found = plan_module._probe_pairs(space, key, probes, 30, everything=False)
        pairs = list(zip(*(x.tolist() for x in unpack(found, row_bits(n))), strict=True))
        assert len(pairs) == len(set(pairs))
        assert set(pairs) == wanted
    nothing = plan_module._probe_pairs(space, key, probes[:0], 30, everything=False)
    assert len(nothing) == 0


def test_a_stratified_sample_stands_for_all_pairs(world, monkeypatch):
    monkeypatch.setattr(plan_module, "KEPT", 100)
    space, comparer, rng = KeySpace.of(world.records), Comparer.of(world.records), np.random.default_rng(0)
    sample = draw_sample(space, comparer, cap=30, rng=rng, progress=lambda *_: None)
    n = len(world.records)
    assert sample.weight.sum() == pytest.approx(n * (n - 1) / 2)
    assert (~sample.background).sum() == 200
    for key, members, pairs in zip(sample.keys, sample.members, sample.key_pairs, strict=True):
        if len(members) > 30:
            assert sample.weight[members].sum() == pytest.approx(pairs, rel=1.0), key


def test_random_pairs_of_many_records_are_drawn_and_of_few_all_there(monkeypatch):
    monkeypatch.setattr(plan_module, "RANDOM_PAIRS", 500)
    rng = np.random.default_rng(0)
    lo, hi = plan_module._random_pairs(20, rng)
    assert len(lo) == 190
    lo, hi = plan_module._random_pairs(10_000, rng)
    assert 450 <= len(lo) <= 500
    assert (lo < hi).all()


def test_only_the_keys_asked_for_are_drawn(world):
    space, comparer, rng = KeySpace.of(world.records), Comparer.of(world.records), np.random.default_rng(0)
    own = [BlockingKey.parse("email/whole"), BlockingKey.parse("phone/whole")]
    sample = draw_sample(space, comparer, cap=30, rng=rng, progress=lambda *_: None, only=own)
    assert set(sample.keys) <= set(own)
    weights, _, odds = fit_weights(comparer, sample, n_records=space.n, rng=rng)
    assert len(odds) == len(sample.lo)
    assert np.isfinite(odds).all()
    assert weights.pi[:2].sum() > 0
