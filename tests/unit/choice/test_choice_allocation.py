"""Who gets the budget: examples, reasons, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crmcore import choice
from crmcore.choice import Allocation, Quota, allocate
from crmcore.errors import (
    BadRows,
    ConflictingConstraints,
    CurrencyMismatch,
    DuplicateIds,
    EmptyInput,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.metrics import Estimate
from crmcore.values import Money


def estimate(value: float, low: float) -> Estimate:
    return Estimate(value=value, low=low, high=2 * value - low, level=0.95, n=50, method="test")


def test_the_greedy_choice_by_value_per_cost_is_not_the_best_one() -> None:
    found = allocate([10, 20, 30], [60, 100, 120], budget=50, ids=["ann", "bob", "cho"])
    assert [c.id for c in found.chosen] == ["bob", "cho"]  # greedy takes ann and bob: 160
    assert (found.value, found.cost, found.unspent, found.gap) == (220.0, 50, 0, 0.0)


def test_of_one_customer_at_most_one_option_is_chosen() -> None:
    found = allocate([10, 25], [30, 40], budget=100, ids=["small", "large"], customers=["ann", "ann"])
    assert [c.id for c in found.chosen] == ["large"]
    assert found.left_out[0].extra_budget == 0


def test_what_was_left_out_says_how_much_it_missed() -> None:
    found = allocate([10, 10, 10], [50, 40, 15], budget=20, ids=["a", "b", "c"])
    assert found.left_out[0].id == "c"
    assert found.left_out[0].extra_budget == 10
    assert found.left_out[0].missed_by == pytest.approx(10 * found.shadow_price - 15, abs=1e-9) or (
        found.shadow_price == pytest.approx(1.5)
    )
    assert "nearest left out: c" in str(found)
    loose = allocate([10], [5], budget=100)
    assert (loose.shadow_price, loose.left_out) == (0.0, ())


def test_ties_go_to_the_lower_id_and_to_the_cheaper_option() -> None:
    assert [c.id for c in allocate([5, 5, 5], [1, 1, 1], budget=10, ids=["c", "a", "b"]).chosen] == ["a", "b"]
    assert [c.id for c in allocate([9, 5], [1, 1], budget=9, ids=["a", "b"]).chosen] == ["b"]


def test_worthless_options_cost_nothing_unless_a_group_must_get_something() -> None:
    assert allocate([5, 5], [0, -1], budget=10).chosen == ()
    quota = [Quota("north", at_least=1)]
    found = allocate([5, 5], [3, -1], budget=10, groups=["south", "north"], quotas=quota)
    assert [c.id for c in found.chosen] == ["0", "1"]


def test_quotas_cap_the_cost_of_a_group() -> None:
    quotas = [Quota("vip", at_most=20, of="cost")]
    found = allocate([10, 15, 10], [9, 20, 1], budget=35, groups=["vip", "vip", "new"], quotas=quotas)
    assert [c.id for c in found.chosen] == ["1", "2"]


def test_the_low_end_of_an_interval_prefers_what_is_known_to_pay() -> None:
    values = [estimate(100, -20), estimate(60, 50)]
    assert [c.id for c in allocate([10, 10], values, budget=10).chosen] == ["0"]
    careful = allocate([10, 10], values, budget=10, by="low")
    assert [c.id for c in careful.chosen] == ["1"]
    assert careful.value == 50


def test_money_is_read_in_minor_units_of_one_currency() -> None:
    found = allocate([Money.of("12.50", "THB")], [3], budget=Money.of("20", "THB"))
    assert (found.cost, found.budget) == (1250, 2000)
    with pytest.raises(CurrencyMismatch):
        allocate([Money(1, "USD")], [3], budget=Money(1, "THB"))
    with pytest.raises(WrongType, match="all Money, or all whole minor units"):
        allocate([Money(1, "THB")], [3], budget=5)


def test_a_budget_of_nothing_buys_what_is_free() -> None:
    found = allocate([0, 5], [1, 100], budget=0)
    assert [c.id for c in found.chosen] == ["0"]
    assert allocate([5], [1], budget=0).chosen == ()


def test_bad_input_is_named_whole() -> None:
    with pytest.raises(BadRows, match="costs are whole cost units"):
        allocate([1.5, 2, -3], [1, 1, 1], budget=5)
    with pytest.raises(BadRows, match="not finite in 1 row"):
        allocate([1, 2], [1, float("nan")], budget=5)
    with pytest.raises(EmptyInput):
        allocate([], [], budget=5)
    with pytest.raises(DuplicateIds):
        allocate([1, 2], [1, 1], budget=5, ids=["a", "a"])
    with pytest.raises(OutOfRange, match="0 or more"):
        allocate([1], [1], budget=-5)
    with pytest.raises(WrongType, match="expected an int"):
        allocate([1], [1], budget=1.5)
    with pytest.raises(OutOfRange, match="pass one an option"):
        allocate([1, 2], [1], budget=5)
    with pytest.raises(UnknownName, match="did you mean 'north'"):
        allocate([1], [1], budget=5, groups=["north"], quotas=[Quota("nort", at_least=1)])
    with pytest.raises(UnknownName, match="measure of a quota"):
        Quota("north", of="price")
    with pytest.raises(OutOfRange, match="leave it out for no limit"):
        Quota("north", at_most=-1)
    with pytest.raises(UnknownName, match="value of an estimate"):
        allocate([1], [1], budget=5, by="high")
    with pytest.raises(OutOfRange, match="0 proves the optimum"):
        allocate([1], [1], budget=5, gap=-1)
    with pytest.raises(ConflictingConstraints, match="raise the budget"):
        allocate([9], [1], budget=5, groups=["n"], quotas=[Quota("n", at_least=1)])


def test_the_result_is_text_frame_html_and_json() -> None:
    found = allocate(np.array([30, 40, 50]), np.array([60.0, 70.0, 75.0]), budget=90, ids=["<a>", "b", "c"])
    frame = found.to_frame()
    assert frame["chosen"] == [True, True, False]
    assert "&lt;a&gt;" in found._repr_html_()
    assert Allocation.from_dict(found.to_dict()) == found
    assert repr(found) == "Allocation(2 chosen, 1 left out, value 145)"
    assert choice.allocate is allocate


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"costs": None}, WrongType, "costs is a NoneType: expected a list or a column"),
        ({"costs": "ab"}, WrongType, "costs is a str"),
        ({"values": None}, WrongType, "values is a NoneType"),
        ({"values": ["x", 1.0]}, BadRows, "values: not a number in 1 row [0] (such as str)"),
        ({"quotas": None}, WrongType, "quotas is a NoneType: expected a list of quotas"),
        ({"quotas": Quota("a", at_most=1)}, WrongType, "quotas is a Quota"),
        ({"gap": None}, OutOfRange, "gap = None"),
    ],
)
def test_a_wrong_call_of_allocate_says_what_to_do(more: dict[str, object], error: type[Exception], says: str) -> None:
    parts: dict[str, Any] = {"costs": [1, 2], "values": [1.0, 2.0], **more}
    with pytest.raises(error) as caught:
        allocate(parts.pop("costs"), parts.pop("values"), budget=3, **parts)
    assert says in str(caught.value)
    assert "\n  hint: " in str(caught.value)


def test_a_quota_that_contradicts_itself_is_refused_when_it_is_made() -> None:
    with pytest.raises(OutOfRange, match="at_least = 5: expected at most at_most = 1"):
        Quota("a", at_most=1, at_least=5)
