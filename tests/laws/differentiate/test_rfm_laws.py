"""Laws of RFM: the ten rules, on random logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.idic.differentiate import rfm
from crmcore.tables import CustomerIndex, OrderTable

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=40)
LINES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 50), st.integers(-3, 6)), min_size=1, max_size=60)
TIES = st.sampled_from(["upper", "lower", "mid"])
VALUES = st.lists(st.integers(-4, 9), min_size=1, max_size=50)


def table(lines: list[tuple[int, int, int]]) -> OrderTable:
    return OrderTable.from_frame(
        {
            "customer": [f"c{c}" for c, _, _ in lines],
            "time": [START + timedelta(days=d) for _, d, _ in lines],
            "amount": [a for _, _, a in lines],
        },
        currency="EUR",
        customers=CustomerIndex.of([f"c{i}" for i in range(8)]),
    )


def slow_score(values: list[int], bins: int, ties: str) -> list[int]:
    made = []
    for v in values:
        low, high = sum(x < v for x in values), sum(x <= v for x in values) - 1
        twice = {"lower": 2 * low, "upper": 2 * high, "mid": low + high}[ties]
        made.append(1 + bins * twice // (2 * len(values)))
    return made


@given(VALUES, st.integers(2, 7), TIES)
def test_scores_equal_the_slow_reference_and_equal_values_are_equal(values: list[int], bins: int, ties: str) -> None:
    found = rfm.score_values(values, rfm.cut_points(values, bins=bins, ties=ties)).tolist()
    assert found == slow_score(values, bins, ties)
    for (v, s), (w, t) in product(zip(values, found, strict=True), repeat=2):
        assert (v == w) <= (s == t)
        assert (v > w) <= (s >= t)


@given(LINES)
def test_facts_equal_a_loop_over_the_lines(lines: list[tuple[int, int, int]]) -> None:
    facts = rfm.rfm_facts(table(lines), now=NOW)
    for c in range(8):
        mine = [(d, a) for who, d, a in lines if who == c and d <= 40]
        sums = {d: sum(a for e, a in mine if e == d) for d, _ in mine}
        bought = [d for d, total in sums.items() if total > 0]
        assert facts.frequency[c] == len(bought)
        assert facts.monetary_minor[c] == 100 * sum(a for _, a in mine)
        assert np.isnan(facts.recency_days[c]) if not bought else facts.recency_days[c] == 40 - max(bought)


@settings(max_examples=50)
@given(LINES, TIES, st.sampled_from(["independent", "nested"]), st.randoms())
def test_equal_customers_are_equal_and_order_of_lines_does_not_matter(
    lines: list[tuple[int, int, int]], ties: str, binning: str, rng: object
) -> None:
    orders = table(lines)
    if not rfm.rfm_facts(orders, now=NOW).buyers.any():
        return
    found = rfm.score(orders, now=NOW, ties=ties, binning=binning)
    facts = zip(found.facts.recency_days, found.facts.frequency, found.facts.monetary_minor, strict=True)
    scores: dict[tuple[float, ...], tuple[int, ...]] = {}
    for fact, got in zip(facts, zip(found.r, found.f, found.m, strict=True), strict=True):
        assert scores.setdefault(fact, got) == got
    mixed = lines.copy()
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    again = rfm.score(table(mixed), now=NOW, model=rfm.RfmModel.from_dict(found.model.to_dict()))
    assert np.array_equal(found.r, again.r)
    assert np.array_equal(found.f, again.f)
    assert np.array_equal(found.m, again.m)
    bought = found.r > 0
    assert ((found.codes >= 0) == bought).all()
    order = np.argsort(found.facts.recency_days[bought])
    assert (np.diff(found.r[bought][order]) <= 0).all()


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 2)), max_size=30), st.integers(0, 30))
def test_migrations_of_shards_add_up(pairs: list[tuple[int, int]], cut: int) -> None:
    def of(part: list[tuple[int, int]]) -> rfm.Migration:
        both = np.array(part, np.int64).reshape(-1, 2)
        return rfm.migration(both[:, 0], both[:, 1], names=["a", "b", "c"])

    assert of(pairs[:cut]) + of(pairs[cut:]) == of(pairs)


def test_the_ten_segments_cover_every_score_once() -> None:
    for cell in product(range(1, 6), repeat=3):
        assert sum(s.holds(*cell) for s in rfm.SEGMENTS.segments) == 1


@pytest.mark.parametrize("n", [1, 2, 3])
def test_tiny_populations_have_scores(n: int) -> None:
    found = rfm.score(table([(i, i, 5) for i in range(n)]), now=NOW)
    assert (found.r[:n] > 0).all()
    assert (found.r[n:] == 0).all()
