"""Basket rules say what a count by hand says, and chance makes none."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, WrongType
from crmcore.idic.differentiate.baskets import basket_rules
from crmcore.idic.differentiate.baskets.itemsets import frequent_sets


@pytest.mark.parametrize("seed", range(5))
def test_frequent_sets_equal_a_count_of_every_combination(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = rng.random((37, 6)) < 0.4
    basket, item = np.nonzero(held)
    slow = {s: int(held[:, s].all(1).sum()) for k in (1, 2, 3) for s in combinations(range(6), k)}
    fast = frequent_sets(basket, item, n_baskets=37, n_items=6, least=4, longest=3)
    assert fast == {s: n for s, n in slow.items() if n >= 4}


def test_p_values_are_those_of_fisher() -> None:
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(1)
    basket, item = np.nonzero(rng.random((60, 4)) < 0.5)
    found = basket_rules([str(b) for b in basket], [f"i{i}" for i in item], alpha=1.0, max_items=2)
    held = np.zeros((60, 4), bool)
    held[basket, item] = True
    held = held[held.any(1)]
    for rule in found.rules:
        a, b = held[:, int(rule.given[0][1:])], held[:, int(rule.then[1:])]
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        assert rule.p_value == pytest.approx(fisher_exact(table, alternative="greater").pvalue, rel=1e-9)


def test_chance_makes_hardly_any_rule() -> None:
    false = 0
    for seed in range(40):
        basket, item = np.nonzero(np.random.default_rng(seed).random((200, 12)) < 0.3)
        false += len(basket_rules([str(b) for b in basket], [str(i) for i in item], max_items=2)) > 0
    assert false <= 6


def test_row_order_and_repeats_change_nothing() -> None:
    basket, item = ["1", "1", "2", "2", "3"], ["a", "b", "a", "b", "c"]
    plain = basket_rules(basket, item, alpha=1.0)
    assert basket_rules([*basket[::-1], "1"], [*item[::-1], "a"], alpha=1.0) == plain
    assert "2 rules from 3 baskets" in str(plain)
    assert len(plain.to_frame(backend="pandas")) == 2


def test_bad_baskets_are_refused_with_the_way_out() -> None:
    with pytest.raises(EmptyInput):
        basket_rules([], [])
    with pytest.raises(BadRows, match="missing or no text in 1 row"):
        basket_rules(["1", ""], ["a", "b"])
    with pytest.raises(WrongType):
        basket_rules("12", ["a", "b"])
    with pytest.raises(OutOfRange, match="max_items"):
        basket_rules(["1"], ["a"], max_items=1)
    with pytest.raises(OutOfRange, match="2 entries"):
        basket_rules(["1"], ["a", "b"])
