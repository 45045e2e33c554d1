"""Value records, accounts and the three families of scores."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmcore.errors import BadRows, CurrencyMismatch, DuplicateIds, OutOfRange
from crmcore.idic.differentiate import worth

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_record_keeps_missing_missing_and_masks_its_customer() -> None:
    table = worth.customer_values(["anna", "bob"], p_alive=[0.5, None], drivers={"anna": ["buys weekly"]})
    assert table["bob"].p_alive is None
    assert "anna" not in repr(table["anna"]) + str(table["anna"]) + table["anna"]._repr_html_() + str(table)
    assert worth.CustomerValue.from_dict(table[0].to_dict()) == table[0]
    assert table.to_frame()["drivers"] == ["buys weekly", None]
    assert "known: rfm 0" in str(table)
    with pytest.raises(BadRows, match="no share"):
        worth.customer_values(["a"], p_alive=[2])
    with pytest.raises(DuplicateIds):
        worth.customer_values(["a", "a"])
    with pytest.raises(OutOfRange):
        worth.customer_values(["a"], rung=["buyer", "buyer"])


def test_accounts_roll_up_and_parts_are_the_total() -> None:
    found = worth.account_values(
        ["b", "a", "a"], contract=["1", "2", "3"], seats=[1, 2, 3], margin_minor=[100, 100, 100],
        renewal=[1, 0.5, 0.5], currency="EUR",
    )  # fmt: skip
    assert found.accounts == ("a", "b")
    assert [e.value for e in found.values] == [250, 100]
    assert found.total.value == 350
    assert found.values[1].low == found.values[1].high == 100
    assert 0 <= found.values[0].low < 250 < found.values[0].high <= 500


def test_accounts_refuse_two_currencies_and_contracts_that_would_count_twice() -> None:
    row = {"seats": [1, 1], "margin_minor": [1, 1], "renewal": [1, 1]}
    with pytest.raises(CurrencyMismatch):
        worth.account_values(["a", "b"], contract=["1", "2"], currency=["EUR", "USD"], **row)
    with pytest.raises(DuplicateIds, match="one account"):
        worth.account_values(["a", "b"], contract=["1", "1"], currency="EUR", **row)
    with pytest.raises(BadRows, match="renewal: missing or out of range in 1 row"):
        worth.account_values(["a", "b"], contract=["1", "2"], currency="EUR", **{**row, "renewal": [2, 1]})
