"""Value records back from JSON, explained, looked up; accounts of a group rolled up."""

from __future__ import annotations

import json

import numpy as np
import pytest

from crmcore.errors import BadDocument, OutOfRange, UnknownName
from crmcore.idic.differentiate import worth
from crmcore.metrics.intervals import fisher_interval

CONTRACTS = {
    "contract": ["1", "2", "3", "4"], "seats": [1, 2, 3, 4], "margin_minor": [100] * 4, "renewal": [1, 0.5, 0.5, 0.8],
    "currency": "EUR",
}  # fmt: skip


def test_a_whole_table_comes_back_from_json() -> None:
    table = worth.customer_values(
        ["anna", "bob"], rfm=["555", None], p_alive=[0.5, None], clv=([90, None], [50, None], [140, None]),
        drivers={"anna": ["buys weekly"]},
    )  # fmt: skip
    again = worth.CustomerValues.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again.to_dict() == table.to_dict()
    assert np.isnan(again.clv[1])
    with pytest.raises(BadDocument, match="records"):
        worth.CustomerValues.from_dict({})
    with pytest.raises(BadDocument, match="p_alive"):
        worth.CustomerValues.from_dict({"records": [{**table[0].to_dict(), "p_alive": "high"}]})


def test_a_sentence_says_what_is_known_and_nothing_else() -> None:
    table = worth.customer_values(
        ["anna", "bob", "carl"], rung=["buyer", None, None], clv=([90, 10, None], [50, 5, None], [140, 20, None]),
        drivers={"anna": ["buys weekly"]},
    )  # fmt: skip
    said = table.explain("anna")
    assert said == (
        "Customer a••• is worth 90 (50 to 140), more than 50 % of customers, "
        'stands on the rung "buyer" because buys weekly.'
    )
    assert "is not known yet" in table.explain(2)
    with pytest.raises(UnknownName) as caught:
        table.explain("dorothea")
    assert "dorothea" not in str(caught.value)


def test_every_owner_counts_what_lies_below_and_the_total_counts_once() -> None:
    alone = worth.account_values(["lab", "lab", "shop", "holding"], **CONTRACTS)
    found = worth.account_values(
        ["lab", "lab", "shop", "holding"], **CONTRACTS, parent={"lab": "holding", "shop": "holding", "holding": "fund"}
    )
    value = dict(zip(found.accounts, found.values, strict=True))
    assert {a: e.value for a, e in value.items()} == {"fund": 670, "holding": 670, "lab": 200, "shop": 150}
    assert {a: e.n for a, e in value.items()} == {"fund": 4, "holding": 4, "lab": 2, "shop": 1}
    assert found.total == alone.total
    assert (value["fund"].low, value["fund"].high) == (found.total.low, found.total.high)
    assert value["lab"] == alone.values[alone.accounts.index("lab")]
    assert found.to_frame()["parent"] == [None, "fund", "holding", "holding"]
    assert "parent" not in alone.to_frame()


def test_an_account_that_owns_itself_is_refused() -> None:
    for circle in ({"lab": "lab"}, {"lab": "shop", "shop": "holding", "holding": "lab"}):
        with pytest.raises(OutOfRange, match="cut the circle"):
            worth.account_values(["lab", "lab", "shop", "holding"], **CONTRACTS, parent=circle)


def test_the_interval_of_a_correlation_is_inside_its_range_and_shrinks() -> None:
    wide, narrow = fisher_interval(0.9, 10), fisher_interval(0.9, 1000)
    assert -1 < wide[0] < narrow[0] < 0.9 < narrow[1] < wide[1] < 1
    assert fisher_interval(1.0, 10) == (1.0, 1.0)
    assert all(np.isnan(fisher_interval(0.5, 3)))
    assert fisher_interval(-0.9, 10) == pytest.approx((-wide[1], -wide[0]))
