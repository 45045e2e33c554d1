"""Needs, behaviour and baskets, as the mission states them."""

from __future__ import annotations

import pytest

from crmcore.idic.differentiate.baskets import basket_rules


def test_row_037_five_baskets_by_hand() -> None:
    baskets = {"1": "bread milk", "2": "bread butter milk", "3": "bread butter", "4": "milk", "5": "beer"}
    lines = [(b, i) for b, items in baskets.items() for i in items.split()]
    found = basket_rules([b for b, _ in lines], [i for _, i in lines], alpha=1.0)
    rule = next(r for r in found.rules if r.given == ("bread",) and r.then == "milk")
    assert rule.support.value == pytest.approx(2 / 5)
    assert rule.confidence.value == pytest.approx(2 / 3)
    assert rule.lift == pytest.approx((2 / 3) / (3 / 5))
    assert rule.leverage == pytest.approx(2 / 5 - 9 / 25)
    assert rule.conviction == pytest.approx((2 / 5) / (1 / 3))
