"""Strong three-valued tables of S. C. Kleene, Introduction to Metamathematics (1952), section 64."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmcore.rules import FactTable, Rule, Truth, field
from crmcore.rules.nodes import Condition
from crmcore.tables import CustomerIndex

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
FACT = {T: True, F: False, U: None}
NOW = datetime(2026, 6, 1, tzinfo=UTC)
AND = {(T, T): T, (T, F): F, (T, U): U, (F, T): F, (F, F): F, (F, U): F, (U, T): U, (U, F): F, (U, U): U}
OR = {(T, T): T, (T, F): T, (T, U): T, (F, T): T, (F, F): F, (F, U): U, (U, T): T, (U, F): U, (U, U): U}
NOT = {T: F, F: T, U: U}


@pytest.mark.parametrize(("table", "joined"), [(AND, field("a") & field("b")), (OR, field("a") | field("b"))])
def test_two_parts_follow_the_table(table: dict[tuple[Truth, Truth], Truth], joined: Condition) -> None:
    rule = Rule("kleene", joined)
    facts = FactTable(
        CustomerIndex.of([str(i) for i in range(9)]),
        {"a": [FACT[a] for a, _ in table], "b": [FACT[b] for _, b in table]},
    )
    assert rule.mask(facts, now=NOW).to_list() == list(table.values())
    assert [rule.decide(facts[i], now=NOW).truth for i in range(9)] == list(table.values())
    for (a, b), expected in table.items():
        assert (a & b if table is AND else a | b) is expected


def test_negation_keeps_unknown() -> None:
    for a, expected in NOT.items():
        assert Rule("not", ~field("a")).decide({"a": FACT[a]}, now=NOW).truth is expected
        assert ~a is expected
