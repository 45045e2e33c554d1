"""Rows of the feature list that choices own."""

from __future__ import annotations

from itertools import combinations

from crmcore.choice import Quota, allocate
from crmcore.values import Money

COSTS = [30, 55, 20, 45, 60, 25]
VALUES = [80.0, 120.0, 35.0, 110.0, 150.0, 40.0]
IDS = ["ann", "bob", "cho", "dao", "eve", "fon"]


def test_row_033_a_budget_goes_to_the_customers_who_bring_most() -> None:
    for budget in (0, 19, 60, 100, 135, 500):
        found = allocate(COSTS, VALUES, budget=budget, ids=IDS)
        best = max(
            sum(VALUES[i] for i in some)
            for k in range(7)
            for some in combinations(range(6), k)
            if sum(COSTS[i] for i in some) <= budget
        )
        assert found.value == best
        assert found.cost == sum(c.cost for c in found.chosen) <= budget
        assert {c.id for c in found.chosen} | {x.id for x in found.left_out} == set(IDS)


def test_row_033_a_protected_group_gets_its_part_and_the_loss_is_visible() -> None:
    free = allocate(COSTS, VALUES, budget=105, ids=IDS)
    groups = ["city", "city", "village", "city", "city", "village"]
    fair = allocate(COSTS, VALUES, budget=105, ids=IDS, groups=groups, quotas=[Quota("village", at_least=1)])
    assert not {"cho", "fon"} & {c.id for c in free.chosen}
    assert {"cho", "fon"} & {c.id for c in fair.chosen}
    assert fair.value < free.value


def test_row_033_money_works_as_cost() -> None:
    costs = [Money.of(c, "THB") for c in COSTS]
    found = allocate(costs, VALUES, budget=Money.of(105, "THB"), ids=IDS)
    assert [c.id for c in found.chosen] == [c.id for c in allocate(COSTS, VALUES, budget=105, ids=IDS).chosen]
