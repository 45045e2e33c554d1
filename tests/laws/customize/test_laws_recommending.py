"""Recommendations: parts add up, masks never leak, batch equals online, fast kernels equal slow twins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.customize.recommending import (
    Ease,
    ImplicitAls,
    ItemNeighbours,
    Scope,
    explain_history,
    recommend,
    top_of_history,
)
from crmcore.idic.customize.recommending.choosing import _Trial, hidden
from crmcore.idic.customize.recommending.histories import Histories
from crmcore.idic.customize.recommending.measures import average_precision, hits_of, ndcg, recall, reciprocal_rank
from crmcore.idic.customize.recommending.ranking import best_of
from crmcore.idic.customize.recommending.recipes import ease_weights, gram_of
from crmcore.idic.customize.recommending.saving import model_from_dict, model_to_dict
from crmcore.idic.customize.recommending.scorers import WeightScorer, item_parts, solve_factors
from crmcore.tables import OrderTable

RECIPES = (
    Ease(ridge=2.0), Ease(ridge=5.0, basket_weight=1.0, length_power=0.5, memory_days=20.0),
    ItemNeighbours(neighbours=3, shrink=1.0), ItemNeighbours(kind="bm25", neighbours=4),
    ImplicitAls(factors=3, rounds=2),
)  # fmt: skip
LINES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 8), st.integers(0, 90), st.sampled_from([1, 1, 2, 3, -1])),
    min_size=6, max_size=60,
)  # fmt: skip


def orders_of(lines: list[tuple[int, int, int, int]]) -> OrderTable:
    start = np.datetime64("2026-01-01T12:00", "us")
    return OrderTable.from_frame(
        {
            "customer": [f"c{c}" for c, *_ in lines],
            "product": [f"i{i}" for _, i, *_ in lines],
            "time": [str(start + np.timedelta64(day, "D")) + "Z" for _, _, day, _ in lines],
            "quantity": [q for *_, q in lines],
            "amount": [q for *_, q in lines],
        },
        currency="EUR",
    )


def found_of(lines: list[tuple[int, int, int, int]], recipe: Any) -> Any:
    lines = [*lines, (0, 0, 0, 1000), (1, 0, 1, 1000), (1, 1, 1, 1000), (2, 1, 5, 1000)]  # something is always bought
    return recommend(orders_of(lines), recipe=recipe, min_buyers=1)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@given(lines=LINES)
@settings(max_examples=25)
def test_parts_add_up_to_the_score_exactly_in_any_order(recipe: Any, lines: Any) -> None:
    found = found_of(lines, recipe)
    for customer, suggestions in found.top(5):
        for s in suggestions:
            if s.source == "history":
                told = found.explain(customer, s.item)
                assert told.score == s.score
                assert sum(p.adds for p in told.parts) == s.score
                assert sum(p.adds for p in told.parts[::-1]) == s.score
                assert math.fsum(p.adds for p in told.parts) == s.score


@pytest.mark.parametrize("recipe", RECIPES[::2], ids=str)
@given(
    lines=LINES,
    barred=st.sets(st.integers(0, 8)),
    scope=st.sampled_from(list(Scope)),
    variety=st.sampled_from([0, 0.5]),
)
@settings(max_examples=25)
def test_no_masked_item_is_ever_shown(recipe: Any, lines: Any, barred: set[int], scope: Scope, variety: float) -> None:
    found = found_of(lines, recipe)
    no = {f"i{b}" for b in barred}
    lists = found.top(9, scope=scope).where(lambda item: item not in no).diverse(variety)
    for customer, suggestions in lists:
        items = [s.item for s in suggestions]
        assert not no & set(items)
        assert len(set(items)) == len(items)
        bought = {found.model.items[i] for i in found.asked([customer]).item.tolist()}
        if scope is Scope.NEW:
            assert not bought & set(items)
            assert len(items) == len(set(found.model.items) - bought - no)  # everything else is offered
        if scope is Scope.AGAIN:
            assert set(items) <= bought


@given(lines=LINES, k=st.integers(1, 6))
@settings(max_examples=25)
def test_one_folded_in_gets_what_the_batch_gives(lines: Any, k: int) -> None:
    for recipe in (RECIPES[1], RECIPES[4]):
        found = found_of(lines, recipe)
        for customer, suggestions in found.top(k):
            asked = found.asked([customer])
            ages = dict(zip((found.model.items[i] for i in asked.item.tolist()), asked.age_days.tolist(), strict=True))
            alone = top_of_history(found.model, ages, k)
            ((_, online),) = tuple(alone)
            assert [(s.item, s.score) for s in online] == [(s.item, s.score) for s in suggestions]
            for s in online:
                if s.source == "history":
                    assert explain_history(found.model, ages, s.item).score == s.score


@given(lines=LINES, seed=st.integers(0, 99))
@settings(max_examples=25)
def test_the_order_of_rows_changes_nothing(lines: Any, seed: int) -> None:
    shuffled = [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))]
    one, two = (found_of(rows, Ease(ridge=3.0)).top(4, scope="both") for rows in (lines, shuffled))
    assert np.array_equal(one.codes, two.codes)
    assert np.array_equal(one.scores, two.scores)


@given(lines=LINES)
@settings(max_examples=30)
def test_weights_equal_ridge_regressions_item_by_item(lines: Any) -> None:
    histories = Histories.of(orders_of([*lines, (0, 0, 0, 1000)]), min_buyers=1)
    x = histories.matrix().toarray().astype(float)
    gram, ridge = gram_of(histories, Ease(ridge=2.0))
    weights = ease_weights(gram, ridge)
    for j in range(x.shape[1]):  # the slow twin: predict item j from all others
        rest = [i for i in range(x.shape[1]) if i != j]
        a = x[:, rest]
        twin = np.linalg.solve(a.T @ a + 2.0 * np.eye(len(rest)), a.T @ x[:, j])
        assert np.allclose(weights[rest, j], twin, atol=1e-4)
        assert weights[j, j] == 0


@given(lines=LINES)
@settings(max_examples=20)
def test_factors_of_a_history_solve_the_weighted_regression(lines: Any) -> None:
    histories = Histories.of(orders_of([*lines, (0, 0, 0, 1000)]), min_buyers=1)
    n = len(histories.items)
    y = np.random.default_rng(0).normal(size=(n, 3))
    got = solve_factors(y, histories.starts, histories.item, np.ones(len(histories)), alpha=4.0, ridge=0.5)
    for row, x in enumerate(histories.matrix().toarray().astype(float)):
        c = np.diag(1 + 4.0 * x)
        assert np.allclose(got[row], np.linalg.solve(y.T @ c @ y + 0.5 * np.eye(3), y.T @ c @ x), atol=1e-8)


@given(st.lists(st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.0, 2.0, 3.5]), min_size=6, max_size=6), min_size=1),
       st.integers(1, 8))  # fmt: skip
def test_best_of_equals_a_full_sort(rows: list[list[float]], k: int) -> None:
    got = best_of(np.array(rows), k)
    for row, found in zip(rows, got.tolist(), strict=True):
        twin = [i for i in sorted(range(6), key=lambda i: (-row[i], i)) if row[i] > -np.inf][:k]
        assert [i for i in found if i >= 0] == twin


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8, unique=True), st.sets(st.integers(0, 9), min_size=1),
       st.integers(1, 8))  # fmt: skip
def test_measures_equal_their_definitions(ranked: list[int], relevant: set[int], k: int) -> None:
    padded = np.array([ranked + [-1] * (8 - len(ranked))])
    hits = hits_of(padded, np.array(sorted(relevant)), n_items=10)
    n = np.array([len(relevant)])
    hit = [i in relevant for i in ranked[:k]]
    gain = sum(1 / math.log2(i + 2) for i, h in enumerate(hit) if h)
    best = sum(1 / math.log2(i + 2) for i in range(min(k, len(relevant))))
    assert ndcg(hits, n, k=k)[0] == pytest.approx(gain / best)
    assert recall(hits, n, k=k)[0] == pytest.approx(sum(hit) / min(k, len(relevant)))
    precision = sum(sum(hit[: i + 1]) / (i + 1) for i, h in enumerate(hit) if h)
    assert average_precision(hits, n, k=k)[0] == pytest.approx(precision / min(k, len(relevant)))
    assert reciprocal_rank(hits, k=k)[0] == pytest.approx(1 / (hit.index(True) + 1) if True in hit else 0.0)


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
@given(lines=LINES)
@settings(max_examples=10)
def test_a_model_comes_back_from_json(recipe: Any, lines: Any) -> None:
    import json

    model = found_of(lines, recipe).model
    again = model_from_dict(json.loads(json.dumps(model_to_dict(model))))
    one, two = (top_of_history(m, ["i0", "i1"], 5) for m in (model, again))
    assert np.array_equal(one.codes, two.codes)
    assert np.allclose(one.scores, two.scores, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 255, 256, 257, 600])
def test_weights_of_large_catalogues_equal_the_inverse_in_double_precision(n: int) -> None:
    rng = np.random.default_rng(n)
    held = (rng.random((2 * n, n)) < 0.1).astype(np.float32)
    gram = held.T @ held
    inverse = np.linalg.inv(gram.astype(np.float64) + 20.0 * np.eye(n))
    slow = inverse / -np.diag(inverse)
    np.fill_diagonal(slow, 0.0)
    assert ease_weights(gram, 20.0) == pytest.approx(slow, abs=2e-5)


@given(seed=st.integers(0, 999), n=st.integers(0, 150))
@settings(max_examples=30, deadline=None)
def test_scores_of_many_histories_are_the_sums_of_their_parts(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scorer = WeightScorer(rng.normal(size=(9, 9)).astype(np.float32))
    sizes = rng.integers(0, 5, n) * (rng.random(n) < 0.7)
    starts = np.append(0, sizes.cumsum()).astype(np.intp)
    item, weight = rng.integers(0, 9, starts[-1]), rng.random(starts[-1])
    target = rng.integers(-1, 9, (n, 4))
    fast = item_parts(scorer, starts, item, weight, target)
    for r in range(n):  # the slow twin
        here = slice(starts[r], starts[r + 1])
        slow = scorer.parts(item[here], weight[here], target[r]).sum(0)
        assert fast[r].tolist() == np.where(target[r] >= 0, slow, 0.0).tolist()


@given(lines=LINES, barred=st.sets(st.integers(0, 8), max_size=6), k=st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_lists_of_many_are_the_lists_of_each_filled_up_alike(lines: Any, barred: set[int], k: int) -> None:
    lines = [*lines, (0, 0, 0, 1000), (1, 1, 1, 1000), (2, 2, 5, 1000), (8, 1, 3, -1), (9, 2, 3, -1)]
    segments = {"c0": "old", "c8": "new", "c1": "new"}
    found = recommend(orders_of(lines), recipe=Ease(ridge=2.0), min_buyers=1, segments=segments)
    k = min(k, len(found.model.items))
    kept = {item: int(item[1:]) not in barred for item in found.model.items}
    names = found.histories.customers.ids
    together = found.top(k, customers=names).where(kept)
    for r, name in enumerate(names):
        alone = found.top(k, customers=[name]).where(kept)
        assert together.codes[r].tolist() == alone.codes[0].tolist()
        assert together.scores[r].tolist() == alone.scores[0].tolist()
        shown = together.codes[r][together.codes[r] >= 0]
        assert len(set(shown.tolist())) == len(shown)
        assert not {found.model.items[i] for i in shown} & {f"i{i}" for i in barred}


@given(lines=LINES, seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_what_a_trial_keeps_changes_no_score(lines: Any, seed: int) -> None:
    lines = [*lines, (0, 0, 0, 1), (1, 0, 80, 1), (1, 1, 1, 1), (2, 1, 5, 1), (0, 1, 85, 1)]
    train, test = hidden(Histories.of(orders_of(lines), min_buyers=1), aim="next", seed=1)
    rng = np.random.default_rng(seed)
    kept = _Trial(train, test, repeats=False)
    for _ in range(8):
        recipe: Any = Ease(
            ridge=float(rng.choice([1.0, 3.0])), basket_weight=float(rng.integers(2)),
            trend_days=7.0 * rng.integers(1, 3), trend_power=float(rng.integers(2)),
            memory_days=[None, 30.0][rng.integers(2)],
        ) if rng.random() < 0.8 else ItemNeighbours(trend_power=0.3)  # fmt: skip
        fresh = _Trial(train, test, repeats=False)
        assert (kept.raw(recipe) == fresh.raw(recipe)).all()
        if len(kept.people):  # `choose` keeps its defaults where few can be asked
            assert kept.ndcg(kept.raw(recipe)) == fresh.ndcg(fresh.raw(recipe))
        model = recipe.fit(train)
        rows = train.matrix(model.weights_of(train.age_days))[kept.people]
        slow = model.scores(rows.indptr, rows.indices, rows.data)
        assert fresh.raw(recipe) == pytest.approx(slow, rel=1e-4, abs=1e-5)
