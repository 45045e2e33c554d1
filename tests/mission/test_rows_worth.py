"""Worth of customers: what the library promises, in the words of the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pytest

from crmcore.datasets import simulate_brand
from crmcore.errors import BadRows, DuplicateIds, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.differentiate import worth
from crmcore.metrics.survey import IndexItem
from crmcore.tables import EventTable, OrderTable

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def orders_on(days: list[int], amount: int = 100) -> OrderTable:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    frame = {"customer": ["a"] * len(days), "time": [start + timedelta(days=d) for d in days], "amount": amount}
    return OrderTable.from_frame({**frame, "amount": [amount] * len(days)}, currency="THB")


def test_row_018_accumulated_amount_order_cycle_and_next_due_day() -> None:
    found = worth.order_cycles(orders_on([0, 30, 60]), now=NOW)
    assert (found.total_minor.tolist(), found.cycle_days.tolist()) == ([30000], [30.0])
    assert found.due[0] == np.datetime64("2026-01-01", "us") + np.timedelta64(90, "D")
    assert abs(found.due_high[0] - found.due[0]) < np.timedelta64(1, "s")
    assert not found.overdue[0]


def test_row_018_one_long_holiday_moves_the_cycle_little_and_widens_the_interval() -> None:
    found = worth.order_cycles(orders_on([0, 10, 20, 30, 100, 110]), now=datetime(2026, 6, 1, tzinfo=UTC))
    assert found.cycle_days.tolist() == [10.0]
    assert found.due_low[0] < found.due[0] < found.due_high[0]


def test_row_018_one_order_has_no_cycle() -> None:
    found = worth.order_cycles(orders_on([0, 0]), now=NOW)
    assert np.isnan(found.cycle_days[0])
    assert np.isnat(found.due[0])
    assert "none with a cycle" in str(found)


def test_row_021_most_profitable_after_cost_to_serve() -> None:
    found = worth.profitability(
        ["a", "b", "c", "d", "e"], revenue=[900, 400, 300, 200, 100],
        costs={"goods": [300, 100, 100, 50, 40], "calls": [100, 100, 50, 50, 10]},
    )  # fmt: skip
    assert found.customers == ("a", "b", "c", "d", "e")
    assert found.profit.tolist() == [500, 200, 150, 100, 50]
    assert found.top(2) == ("a", "b")
    spread = found.concentration()
    assert spread.top_share.value == pytest.approx(0.5)
    assert spread.gini.value == pytest.approx(0.4)
    assert found.chart().rows


@pytest.mark.parametrize("values", [[3.0, 1, 4, 1, 5], [1.0], [2.0, 2, 2], [0.0, 0, 7]])
def test_row_021_gini_is_half_the_mean_difference(values: list[float]) -> None:
    pairs = sum(abs(a - b) for a, b in product(values, repeat=2))
    expected = pairs / (2 * len(values) ** 2 * np.mean(values))
    assert worth.concentration(values).gini.value == pytest.approx(expected, abs=1e-12)


def test_row_021_a_missing_cost_makes_profit_missing_not_larger() -> None:
    found = worth.profitability(["a", "b"], revenue=[9, 9], costs={"calls": [None, 1]})
    assert found.customers == ("b", "a")
    assert np.isnan(found.profit[1])
    with pytest.raises(OutOfRange, match="costs of 0 or more"):
        worth.profitability(["a"], revenue=[1], costs={"x": [-1]})


def test_row_023_top_thirty_percent_of_ten_are_exactly_three() -> None:
    ids, values = list("abcdefghij"), [10, 9, 8, 8, 8, 5, 4, 3, 2, 1]
    found = worth.priority_audience(ids, values, share=0.3)
    assert found.members == ("a", "b", "c")
    assert found.tied == 3
    assert worth.priority_audience(ids[::-1], values[::-1], share=0.3).members == found.members
    assert worth.priority_audience(ids, values, ties="include").members == ("a", "b", "c", "d", "e")
    assert worth.priority_audience(ids, values, ties="exclude").members == ("a", "b")
    then = [0, 0, 1, 2, 3, 0, 0, 0, 0, 0]
    assert worth.priority_audience(ids, values, then_by=[then]).members == ("a", "b", "e")
    with pytest.raises(DuplicateIds):
        worth.priority_audience(["a", "a"], [1, 2])
    with pytest.raises(UnknownName, match="did you mean 'include'"):
        worth.priority_audience(ids, values, ties="inclde")


def test_row_026_vip_with_lounge_then_grace_then_down() -> None:
    tiers = worth.value_tiers({"VIP": 10_000}, gives={"VIP": ["lounge"]}, grace_days=90)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    first = tiers.assign(None, {"profit_12m": 12_000}, now=start)
    assert (first.standing.tier, first.gives) == ("VIP", ("lounge",))
    year = start + timedelta(days=365)
    later = tiers.assign(first.standing, {"profit_12m": 8_000}, now=year)
    assert later.standing.tier == "VIP"
    assert later.standing.grace_until == year + timedelta(days=90)
    last = tiers.assign(later.standing, {"profit_12m": 8_000}, now=year + timedelta(days=91))
    assert (last.standing.tier, last.gives) == ("none", ())
    with pytest.raises(OutOfRange, match="ascending"):
        worth.value_tiers({"gold": 5, "silver": 3})


def test_row_027_superfans_of_a_simulated_brand_are_found() -> None:
    brand = simulate_brand(3000, seed=5)
    truth = brand.truth
    n = len(truth.traits)
    posts = np.bincount(truth.posts.person[truth.posts.person >= 0], minlength=n)
    sessions = np.bincount(truth.session_person[truth.session_person >= 0], minlength=n)
    orders = np.bincount(truth.orders.person, minlength=n)
    found = worth.superfans(
        engagement=posts + sessions, advocacy=truth.referrals, value=orders, halves=(1, 2, 1), bar=0.5
    )
    chosen = found.chosen
    assert chosen.sum() >= 5
    assert truth.traits.superfan[chosen].mean() >= 0.9


def test_row_027_much_of_one_side_does_not_make_up_for_none_of_another() -> None:
    rng = np.random.default_rng(1)
    planted = np.arange(500) < 20
    sides = [np.where(planted, 8.0, 0) + rng.gamma(1, 1, 500) for _ in range(3)]
    found = worth.superfans(engagement=sides[0], advocacy=sides[1], value=sides[2], halves=(4, 4, 4))
    assert found.chosen.sum() >= 18
    assert planted[found.chosen].mean() >= 0.9
    lopsided = worth.superfans(engagement=[1e9], advocacy=[0], value=[1e9])
    assert lopsided.score.tolist() == [0]
    assert not worth.superfans(engagement=[np.nan], advocacy=[1], value=[1]).chosen.any()


def test_row_031_missing_input_stays_missing() -> None:
    sides = ("individual care", "long-term commitment", "mutual benefits", "interaction")
    card = worth.relationship_health({side: [IndexItem(side, (0, 10))] for side in sides})
    found = card.score({"individual care": 8, "long-term commitment": 5, "mutual benefits": 2, "interaction": None})
    assert found.scores == {sides[0]: 0.8, sides[1]: 0.5, sides[2]: 0.2, sides[3]: None}
    assert found.missing == ("interaction: interaction",)


@pytest.mark.parametrize("budget", [0, 7, 12, 30])
def test_row_033_budget_equals_brute_force(budget: int) -> None:
    value, response, cost = [50, 60, 20, 90, 10, 40], [0.1, 0.2, 0.5, 0.05, 0.9, 0.3], [4, 5, 3, 6, 2, 4]
    found = worth.allocate_budget(list("abcdef"), value=value, response=response, cost=cost, budget=budget)
    gain = np.array(value) * response
    best = max(
        sum(gain[i] for i in range(6) if pick[i])
        for pick in product([0, 1], repeat=6)
        if sum(c for c, p in zip(cost, pick, strict=True) if p) <= budget
    )
    assert found.value == pytest.approx(best)


def test_row_078_referral_tree_of_depth_two_by_hand() -> None:
    found = worth.referral_value([-1, 0, 0, 1], [100, 60, 20, 40], decay=0.5)
    assert found.credited.tolist() == [0.5 * (60 + 20) + 0.25 * 40, 20, 0, 0]
    assert found.brought.tolist() == [2, 1, 0, 0]
    assert found.overlap == 70
    assert "do not add it again" in str(found)
    with pytest.raises(BadRows, match="circle"):
        worth.referral_value([1, 0, -1], [1, 1, 1])
    with pytest.raises(BadRows, match="no such row"):
        worth.referral_value([9], [1])


def test_empty_input_is_told() -> None:
    with pytest.raises(EmptyInput):
        worth.concentration([])
    with pytest.raises(EmptyInput):
        worth.profitability([], revenue=[], costs={})


def events() -> EventTable:
    return EventTable.from_frame(
        {
            "customer": ["a", "a", "a", "b", "a"],
            "time": ["2026-04-01", "2026-01-01", "2026-04-01", "2026-04-01", "2026-05-01"],
            "kind": ["purchase", "purchase", "nps", "visit", "purchase"],
            "channel": ["web"] * 5,
        },
        zone="UTC",
    )


def test_row_019_three_families_each_explained_by_its_events() -> None:
    found = worth.family_scores(events(), now=datetime(2026, 4, 1, tzinfo=UTC), opinion=[None, None, 8, None, None])
    assert found.buy[0] == pytest.approx(1.5 / 2.5)
    assert found.think[0] == pytest.approx(0.8)
    assert np.isnan(found.interact[0])
    assert np.isnan(found.buy[1])
    assert found.interact[1] == pytest.approx(0.2 / 1.2)
    why = found.explain("a")
    assert sorted(why["family"]) == ["buy", "buy", "think"]
    assert sum(w for f, w in zip(why["family"], why["weight"], strict=True) if f == "buy") == pytest.approx(1.5)
    with pytest.raises(OutOfRange, match="off their scale"):
        worth.family_scores(events(), now=datetime(2026, 4, 1, tzinfo=UTC), opinion=[None, None, 80, None, None])
    with pytest.raises(UnknownName):
        worth.Signal("x", "bye")
