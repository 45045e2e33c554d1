"""Rows 53, 104 and 106 through the public names, and what a user tries next."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.choice import BetaArms, LinearArms, Thompson, UpperBound
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


@given(seed=st.integers(0, 200), gap=st.sampled_from([0.001, 0.05, 0.3]))
@settings(max_examples=30)
def test_row_104_a_plan_within_a_gap_keeps_the_limits_and_the_promise(seed: int, gap: float) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    offers = [Proposal(offer_id=o, margin_minor=1000, cost_minor=c, stock=s) for o, c, s in (("a", 3, 5), ("b", 5, 20))]
    lift = {o.offer_id: rng.random(n).round(3) for o in offers}
    own: dict[str, Any] = {"now": NOW, "seed": 1, "hold_out": 0, "budget_minor": 47}
    best, near = propose(people(n), offers, lift, **own), propose(people(n), offers, lift, gap=gap, **own)
    assert (1 - gap) * best.total - 1e-6 <= near.total <= best.total + 1e-6 <= near.bound + 2e-6
    assert (near.offer == 0).sum() <= 5
    assert 3 * (near.offer == 0).sum() + 5 * (near.offer == 1).sum() <= 47
    with pytest.raises(OutOfRange, match="gap"):
        propose(people(n), offers, lift, gap=1.0, **own)


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


def test_row_104_an_explorer_that_learns_sends_what_it_believes_and_tells_the_chances() -> None:
    n = 2000
    offers = [Proposal(offer_id=o, margin_minor=m, cost_minor=5) for o, m in (("a", 100), ("b", 100), ("c", 400))]
    adult = Proposal(offer_id="b", margin_minor=100, cost_minor=5, when=Rule("adult", field("age") >= 18))
    flat = {o: np.full(n, 0.1) for o in "abc"}
    past = DecisionLog.of(["a"] * 200 + ["b"] * 200, [0.5] * 400, ([1] * 20 + [0] * 180) + ([1] * 34 + [0] * 166))
    learnt = Thompson(beliefs=past.beliefs(prior=(1, 19)), floor=0.06)  # c is cold, and worth four times as much
    facts = people(n, age=[17, 40] * (n // 2))
    plan = propose(facts, [offers[0], adult, offers[2]], flat, now=NOW, seed=3, explore=0.5, explorer=learnt)
    drawn = ~np.isnan(plan.propensity)
    assert not (plan.offer[drawn & (np.arange(n) % 2 == 0)] == 1).any()
    assert (plan.propensity[drawn] >= 0.02 - 1e-12).all()
    assert (plan.propensity[drawn] == plan.chances[drawn, plan.offer[drawn]]).all()
    assert np.isnan(plan.chances[~drawn]).all()
    for k in range(3):  # offers come as often as their chances say
        expected = plan.chances[drawn, k]
        sd = np.sqrt((expected * (1 - expected)).sum())
        assert abs((plan.offer[drawn] == k).sum() - expected.sum()) < 4 * sd + 1e-9
    r = int(np.flatnonzero(drawn & (plan.offer == 2))[0])
    assert plan[plan.customers[r]].trace[2] == f"c: expected +35, drawn with chance {plan.chances[r, 2]:.1%}"


def test_row_104_what_is_drawn_for_a_customer_does_not_depend_on_the_others() -> None:
    n, offers = 400, [Proposal(offer_id=o, margin_minor=100) for o in "abc"]
    x = np.random.default_rng(1).normal(size=(n, 1))
    beliefs = LinearArms.of("abc", ["x"]).learn(["a", "b", "c"] * 20, [1, 0, 0.5] * 20, x[:60])
    for explorer in (Thompson(beliefs=beliefs), UpperBound(beliefs=beliefs, floor=0.3)):
        own: dict[str, Any] = {"now": NOW, "seed": 3, "explore": 0.5, "explorer": explorer}
        whole = propose(people(n), offers, {o: np.full(n, 0.1) for o in "abc"}, context=x, **own)
        part = FactTable(CustomerIndex.of([f"c{i:04d}" for i in range(100, 150)]), {})
        some = propose(part, offers, {o: np.full(50, 0.1) for o in "abc"}, context=x[100:150], **own)
        assert (some.offer == whole.offer[100:150]).all()
        assert np.allclose(some.chances, whole.chances[100:150], equal_nan=True)


def test_row_104_chances_are_found_again_when_an_offer_runs_out() -> None:
    n, offers = 300, [Proposal(offer_id=o, margin_minor=100, stock=s) for o, s in (("a", 10), ("b", None), ("c", 20))]
    beliefs = BetaArms.of("abc").learn(["a", "b", "c"] * 30, [1, 0, 1] * 30)
    own: dict[str, Any] = {"now": NOW, "seed": 3, "explore": 0.9, "explorer": Thompson(beliefs=beliefs, floor=0.1)}
    plan = propose(people(n), offers, {o: np.zeros(n) for o in "abc"}, **own)
    assert [(plan.offer == k).sum() for k in (0, 2)] == [10, 20]
    drawn = ~np.isnan(plan.propensity)
    assert plan.chances[drawn].sum(1) == pytest.approx(np.ones(drawn.sum()))
    assert (plan.propensity[drawn & (plan.offer == 1)] == 1).sum() > 100  # when only b was left


def test_row_104_explorers_that_cannot_be_are_refused() -> None:
    class Odd:
        def chances(self, arms: Any, able: Any, /, **_: Any) -> Any:
            return np.ones(able.shape)

    offers = [Proposal(offer_id="a", margin_minor=100, when=Rule("adult", field("age") >= 18)),
              Proposal(offer_id="b", margin_minor=90)]  # fmt: skip
    own: dict[str, Any] = {"now": NOW, "seed": 1, "explore": 0.9}
    lift = {"a": np.zeros(50), "b": np.zeros(50)}
    facts = people(50, age=[10] * 50)
    with pytest.raises(UnknownName, match="uniform"):
        propose(facts, offers, lift, explorer="unifrom", **own)
    with pytest.raises(WrongType, match="Thompson"):
        propose(facts, offers, lift, explorer=3, **own)  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="0 where an offer may not be"):
        propose(facts, offers, lift, explorer=Odd(), **own)
    with pytest.raises(OutOfRange, match="as the facts"):
        propose(facts, offers, lift, context=[[1.0]], **own)


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
