"""Rows 53, 104 and 106 through the public names, and what a user tries next."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import BadRows, DuplicateIds, MissingColumn, OutOfRange, UnknownName, WrongType
from crmcore.idic.customize.offers import DecisionLog, Proposal, Why, policy_value, propose
from crmcore.rules import FactTable, Rule, field
from crmcore.tables import CustomerIndex

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FARE = Proposal(
    offer_id="fares from $39", margin_minor=900,
    items={to: Rule(f"lives near {to}", field("home") == to) for to in ("MCO", "JFK")},
)  # fmt: skip


def people(n: int, **columns: Any) -> FactTable:
    return FactTable(CustomerIndex.of([f"c{i:04d}" for i in range(n)]), columns)


# 53 ---------------------------------------------------------------------------------------------------------------


def test_row_053_a_fare_that_cannot_be_flown_from_home_is_not_sent() -> None:
    plan = propose(
        people(3, home=["TPA", "JFK", None]), [FARE], {FARE.offer_id: [0.1] * 3}, now=NOW, seed=1, hold_out=0
    )
    tampa, york, unknown = (plan[f"c000{i}"] for i in range(3))
    assert (tampa.offer, tampa.why, tampa.trace) == (None, Why.NOT_ELIGIBLE, ("fares from $39: no eligible item",))
    assert (york.offer, york.item, york.why) == ("fares from $39", "JFK", Why.BEST)
    assert unknown.offer is None  # an unknown home opens nothing
    assert "c0001" not in repr(york) + str(york) + repr(plan) + str(plan) + plan._repr_html_()


def test_row_053_a_rule_that_cannot_tell_says_so() -> None:
    adult = Proposal(offer_id="wine", margin_minor=500, when=Rule("adult", field("age") >= 18))
    plan = propose(people(3, age=[17, None, 40]), [adult], {"wine": [0.1] * 3}, now=NOW, seed=1, hold_out=0)
    assert [plan[f"c000{i}"].trace[0] for i in range(3)] == [
        "wine: not adult", "wine: unknown whether adult", "wine: expected +50"
    ]  # fmt: skip


# 104 --------------------------------------------------------------------------------------------------------------


def test_row_104_the_extra_margin_decides_not_the_chance_to_buy() -> None:
    offers = [Proposal(offer_id="a", margin_minor=1000, cost_minor=20), Proposal(offer_id="b", margin_minor=300)]
    lift = {"a": [0.05, 0.01, 0.0], "b": [0.05, 0.05, -0.01]}
    plan = propose(people(3), offers, lift, now=NOW, seed=1, hold_out=0)
    assert [plan[f"c000{i}"].offer for i in range(3)] == ["a", "b", None]
    assert plan["c0002"].why is Why.DOES_NOT_PAY
    assert plan["c0000"].trace == ("a: expected +30", "b: expected +15")
    assert str(plan) == "OfferPlan(2 sent to 3 customers, value 45): 2 best value, 1 does not pay"
    assert type(plan["c0000"]).from_dict(plan["c0000"].to_dict()) == plan["c0000"]
    assert plan.to_frame(backend="polars").columns == ["customer", "offer", "item", "why", "value_minor", "propensity"]
    assert plan.chart().spec


CASES = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.integers(-20, 100), min_size=2, max_size=2), min_size=n, max_size=n),
        st.lists(st.integers(0, 3), min_size=2, max_size=2), st.integers(0, 12),
    )
)  # fmt: skip


@given(case=CASES)
@settings(max_examples=40)
def test_row_104_plans_within_stock_and_budget_equal_brute_force(case: Any) -> None:
    lifts, stock, budget = case
    n, costs = len(lifts), (3, 5)
    offers = [Proposal(offer_id=f"o{k}", margin_minor=1000, cost_minor=costs[k], stock=stock[k]) for k in (0, 1)]
    lift = {f"o{k}": [row[k] / 1000 for row in lifts] for k in (0, 1)}
    plan = propose(people(n), offers, lift, now=NOW, seed=1, hold_out=0, budget_minor=budget)
    best = 0.0
    for choice in product((-1, 0, 1), repeat=n):
        sent = [k for k in choice if k >= 0]
        if sum(costs[k] for k in sent) <= budget and all(sent.count(k) <= stock[k] for k in (0, 1)):
            best = max(best, sum(lifts[r][k] - costs[k] for r, k in enumerate(choice) if k >= 0))
    assert plan.total == pytest.approx(best, abs=1e-6)
    assert plan.bound >= best - 1e-6


@given(seed=st.integers(0, 50), explore=st.sampled_from([0.0, 0.3, 0.9]), stock=st.integers(0, 30))
@settings(max_examples=25)
def test_row_104_limits_hold_whoever_explores(seed: int, explore: float, stock: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    offers = [
        Proposal(offer_id="a", margin_minor=100, cost_minor=2, stock=stock),
        Proposal(offer_id="b", margin_minor=90),
    ]
    capped = rng.random(n) < 0.2
    lift = {"a": rng.random(n), "b": rng.random(n)}
    plan = propose(people(n), offers, lift, now=NOW, seed=seed, explore=explore, capped=capped, budget_minor=40)
    sent = plan.offer >= 0
    assert (plan.offer == 0).sum() <= min(stock, 20)
    assert not (sent & (capped | plan.held_out)).any()
    drawn = ~np.isnan(plan.propensity)
    assert set(plan.propensity[drawn].tolist()) <= {0.5, 1.0}
    assert all(plan.why[r] is Why.EXPLORED for r in np.flatnonzero(drawn))


def test_row_104_explored_offers_value_another_policy_from_the_log() -> None:
    rng = np.random.default_rng(7)
    n = 4000
    offers = [Proposal(offer_id=o, margin_minor=100) for o in "abc"]
    flat = {o: np.full(n, 0.1) for o in "abc"}
    plan = propose(people(n), offers, flat, now=NOW, seed=3, explore=0.95)
    drawn = np.flatnonzero(~np.isnan(plan.propensity))
    true = np.array([0.05, 0.10, 0.30])
    reward = (rng.random(len(drawn)) < true[plan.offer[drawn]]).astype(float)
    log = DecisionLog.of(np.array(plan.offers)[plan.offer[drawn]], plan.propensity[drawn], reward)
    found = policy_value(log, {"c": 1.0})
    assert found.dr.low < 0.30 < found.dr.high
    assert found.logged.value < 0.2
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("change", "error"),
    [({"hold_out": 1.0}, OutOfRange), ({"explore": -0.1}, OutOfRange), ({"lift": {}}, MissingColumn),
     ({"lift": {"a": [0.1]}}, OutOfRange), ({"lift": {"a": [0.1, float("nan")]}}, BadRows),
     ({"twice": 2}, DuplicateIds)],
)  # fmt: skip
def test_row_104_calls_that_cannot_be_meant_are_refused(change: dict[str, Any], error: type[Exception]) -> None:
    offers = [Proposal(offer_id="a", margin_minor=100)] * change.pop("twice", 1)
    lift = change.pop("lift", {"a": [0.1, 0.2]})
    with pytest.raises(error):
        propose(people(2), offers, lift, now=NOW, seed=1, **change)
    with pytest.raises(OutOfRange):
        Proposal(offer_id="a", margin_minor=1, cost_minor=-1)
    with pytest.raises(WrongType):
        Proposal(offer_id="a", margin_minor=1.5)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="masked"):
        propose(people(2), [Proposal(offer_id="a", margin_minor=100)], {"a": [0.1, 0.2]}, now=NOW, seed=1)["somebody"]


# 106 --------------------------------------------------------------------------------------------------------------


def test_row_106_five_percent_are_held_out_and_the_effect_has_an_interval() -> None:
    n = 20_000
    variants = [Proposal(offer_id=f"message {v}", margin_minor=1000) for v in ("price", "service")]
    rng = np.random.default_rng(12)
    likes = rng.integers(0, 2, n)
    lift = {f"message {v}": np.where(likes == k, 0.04, 0.01) for k, v in enumerate(("price", "service"))}
    plan = propose(people(n), variants, lift, now=NOW, seed=5)
    assert 0.04 < plan.held_out.mean() < 0.06
    assert (plan.offer[~plan.held_out] == likes[~plan.held_out]).all()  # each person gets the variant that moves most
    assert (plan.offer[plan.held_out] == -1).all()
    bought = (rng.random(n) < 0.10 + 0.04 * (plan.offer >= 0)).astype(float)
    effect = plan.measure(bought)
    assert effect.difference.low < 0.04 < effect.difference.high
    assert effect.difference.low > 0
    again = propose(people(n), variants, lift, now=NOW, seed=5)
    assert (again.held_out == plan.held_out).all()
    with pytest.raises(OutOfRange, match="outcome"):
        plan.measure([1.0])
