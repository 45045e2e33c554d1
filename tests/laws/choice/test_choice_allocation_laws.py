"""Allocation equals brute force, whatever the order of the options."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.choice import Quota, allocate
from crmcore.choice._knapsack import Problem, relax
from crmcore.errors import ConflictingConstraints

options = st.lists(
    st.tuples(st.integers(0, 12), st.integers(-3, 20), st.integers(0, 3), st.sampled_from("xy")),
    min_size=1,
    max_size=7,
)


def brute_force(rows: list[tuple[int, int, int, str]], budget: int, quotas: list[Quota]) -> int | None:
    best = None
    for picks in product((False, True), repeat=len(rows)):
        chosen = [row for row, pick in zip(rows, picks, strict=True) if pick]
        if sum(c for c, *_ in chosen) > budget or len({w for _, _, w, _ in chosen}) < len(chosen):
            continue
        sizes = {q: sum((1 if q.of == "count" else c) for c, _, _, g in chosen if g == q.group) for q in quotas}
        if all((q.at_least or 0) <= n and (q.at_most is None or n <= q.at_most) for q, n in sizes.items()):
            value = sum(v for _, v, *_ in chosen)
            best = value if best is None else max(best, value)
    return best


@settings(max_examples=40)
@given(
    options,
    st.integers(0, 40),
    st.none() | st.integers(0, 3),
    st.none() | st.integers(0, 2),
    st.sampled_from(["count", "cost"]),
)
def test_the_value_is_that_of_the_best_of_all_choices(
    rows: list[tuple[int, int, int, str]], budget: int, most: int | None, least: int | None, of: str
) -> None:
    if most is not None and least is not None:
        least, most = min(least, most), max(least, most)  # a quota the other way round is refused when it is made
    quotas = [Quota("x", at_most=most, at_least=least, of=of)] if any(g == "x" for *_, g in rows) else []
    costs, values, owners, groups = (list(column) for column in zip(*rows, strict=True))
    ids = [f"o{i}" for i in range(len(rows))]
    call = {"budget": budget, "quotas": quotas}
    best = brute_force(rows, budget, quotas)
    if best is None:
        with pytest.raises(ConflictingConstraints):
            allocate(costs, values, ids=ids, customers=map_text(owners), groups=groups, **call)
        return
    found = allocate(costs, values, ids=ids, customers=map_text(owners), groups=groups, **call)
    assert found.value == best
    assert found.bound >= best - 1e-9
    assert found.cost <= budget
    assert len({c.customer for c in found.chosen}) == len(found.chosen)
    back = list(reversed(range(len(rows))))
    again = allocate(
        [costs[i] for i in back], [values[i] for i in back], ids=[ids[i] for i in back],
        customers=[str(owners[i]) for i in back], groups=[groups[i] for i in back], **call,
    )  # fmt: skip
    assert again == found


@settings(max_examples=30)
@given(options, st.integers(0, 40), st.integers(2, 100))
def test_a_smaller_cost_unit_changes_no_choice(rows: list[tuple[int, int, int, str]], budget: int, factor: int) -> None:
    costs, values, *_ = (list(column) for column in zip(*rows, strict=True))
    whole = allocate(costs, values, budget=budget)
    fine = allocate([factor * c for c in costs], values, budget=factor * budget)
    assert [c.id for c in fine.chosen] == [c.id for c in whole.chosen]
    assert fine.cost == factor * whole.cost
    assert fine.shadow_price == pytest.approx(whole.shadow_price / factor)


def map_text(owners: list[int]) -> list[str]:
    return [str(o) for o in owners]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-5, 40)), min_size=1, max_size=12), st.integers(0, 120))
def test_the_relaxation_of_a_budget_alone_is_the_linear_program(rows: list[tuple[int, int]], budget: int) -> None:
    from scipy.optimize import linprog

    cost, value = [c for c, _ in rows], np.array([float(v) for _, v in rows])
    names = [str(i) for i in range(len(rows))]
    problem = Problem.of(cost=cost, value=value, budget=budget, owner=names, group=names, quotas=[])
    found = relax(problem)
    wanted = linprog(-value, A_ub=[cost], b_ub=[budget], bounds=(0, 1), method="highs")
    assert np.isclose(found.bound, -wanted.fun)
    assert float(np.dot(cost, found.share)) <= budget + 1e-9
    # the price is one at which nobody outside is worth more, and nobody inside less
    assert (found.lacking[found.share <= 0] >= -1e-9).all()
    assert (found.lacking[found.share >= 1] <= 1e-9).all()
