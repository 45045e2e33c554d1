"""Laws of worth: brute-force twins on random input."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.idic.differentiate import worth

VALUES = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(VALUES, st.integers(1, 99), st.randoms())
def test_an_audience_is_exact_and_does_not_see_the_order_of_rows(values: list[int], percent: int, rng: object) -> None:
    rows = [(f"c{i:02}", v) for i, v in enumerate(values)]
    found = worth.priority_audience([c for c, _ in rows], values, share=percent / 100)
    assert len(found) == percent * len(values) // 100
    assert found.members == tuple(c for c, _ in sorted(rows, key=lambda r: (-r[1], r[0]))[: len(found)])
    rng.shuffle(rows)  # type: ignore[attr-defined]
    assert worth.priority_audience([c for c, _ in rows], [v for _, v in rows], share=percent / 100) == found


@given(st.lists(st.tuples(st.integers(-1, 30), st.integers(0, 9)), min_size=1, max_size=30))
def test_credit_equals_a_walk_up_from_every_customer(rows: list[tuple[int, int]]) -> None:
    parent = [p if p < i else -1 for i, (p, _) in enumerate(rows)]
    own = [v for _, v in rows]
    expected = [0.0] * len(rows)
    for i, v in enumerate(own):
        at, share = parent[i], 0.5
        while at >= 0:
            expected[at] += share * v
            at, share = parent[at], share / 2
    assert worth.referral_value(parent, own).credited.tolist() == pytest.approx(expected)


@given(VALUES, st.integers(1, 1000))
def test_concentration_does_not_see_the_unit_and_deciles_sum_to_one(values: list[int], factor: int) -> None:
    found, other = worth.concentration(values), worth.concentration([factor * v for v in values])
    if sum(values) == 0:
        assert math.isnan(found.gini.value)
        return
    assert found.gini.value == pytest.approx(other.gini.value)
    assert found.deciles().sum() == pytest.approx(1)
    assert sum(found.abc().values()) == len(values)
