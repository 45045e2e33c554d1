"""Fact tables: columns of any sort, windows, frames, events of several tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from crmcore.errors import (
    BadRows,
    CurrencyMismatch,
    DuplicateIds,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.rules import Event, Facts, FactTable, Rule, RuleSet, Tier, Tiers, Truth, Vocabulary, count, field, total
from crmcore.rules.columnar import TruthColumn, years_column
from crmcore.rules.fact_table import MoneyColumn, cells_of
from crmcore.rules.fitting import years_between
from crmcore.rules.making import average, call, largest, latest
from crmcore.rules.nodes import Condition
from crmcore.rules.vocabulary import Function
from crmcore.tables import CustomerIndex, EventTable, TextColumn
from crmcore.values import Interaction, Money

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NO_AMOUNT = int(np.iinfo(np.int64).min)
AB = CustomerIndex.of(["a", "b"])


def answers(condition: Condition, table: FactTable, vocabulary: Vocabulary | None = None) -> list[str]:
    rule = Rule("asked", condition, vocabulary=vocabulary or Vocabulary())
    alone = [str(rule.decide(table[i], now=NOW).truth) for i in range(len(table))]
    together = [str(t) for t in rule.mask(table, now=NOW).to_list()]
    assert alone == together
    return together


def test_every_sort_of_column_is_read_and_comes_back_as_it_was() -> None:
    table = FactTable(
        AB,
        {
            "int": np.array([1, 2], np.int32), "bool": np.array([True, False]), "text": np.array(["x", ""], object),
            "time": np.array(["2026-01-01", "NaT"], "datetime64[D]"), "lasts": np.array([3, 4], "timedelta64[h]"),
            "money": MoneyColumn(np.array([1250, NO_AMOUNT]), "THB"), "days": [date(2026, 1, 1), None],
            "tags": [{"x"}, None], "nothing": [None, None], "coded": TextColumn(np.array([0, 1], np.int32), ("x", "")),
        },
    )  # fmt: skip
    assert dict(table[0].fields) == {
        "int": 1.0, "bool": True, "text": "x", "time": datetime(2026, 1, 1, tzinfo=UTC), "lasts": timedelta(hours=3),
        "money": Money(1250, "THB"), "days": datetime(2026, 1, 1, tzinfo=UTC), "tags": frozenset({"x"}), "coded": "x",
    }  # fmt: skip
    assert dict(table[1].fields) == {"int": 2.0, "bool": False, "lasts": timedelta(hours=4)}
    assert table[-1].subject == "b"
    assert table.with_columns(int=[5, 6])[0].fields["int"] == 5.0


def test_columns_that_cannot_be_are_refused() -> None:
    with pytest.raises(OutOfRange, match=r"expected \(2,\)"):
        FactTable(AB, {"x": [1]})
    with pytest.raises(WrongType, match="number and text"):
        FactTable(AB, {"x": [1, "a"]})
    with pytest.raises(CurrencyMismatch):
        FactTable(AB, {"x": [Money(1, "THB"), Money(1, "USD")]})
    with pytest.raises(WrongType, match="complex128"):
        cells_of(np.array([1j]), "x")
    with pytest.raises(OutOfRange, match="0 to 1"):
        FactTable(AB)[2]
    with pytest.raises(NaiveDatetime):
        Rule("r", field("x") > 1).mask(FactTable(AB), now=NOW.replace(tzinfo=None))


def events(currency: str, *rows: tuple[str, float, int]) -> EventTable:
    return EventTable.of(
        [
            Interaction(customer=c, time=NOW - timedelta(days=d), kind="order", amount=Money(a, currency))
            for c, d, a in rows
        ]
    )


def test_events_of_several_tables_add_up_whatever_their_index() -> None:
    table = FactTable(AB, events=[events("THB", ("b", 1, 100), ("z", 1, 9)), events("THB", ("a", 2, 50), ("b", 0, 25))])
    assert answers(total("order") == Money(125, "THB"), table) == ["false", "true"]
    assert answers(count("order") == 1, table) == ["true", "false"]
    assert answers(largest("order") - average("order") > Money(37, "THB"), table) == ["false", "true"]
    with pytest.raises(CurrencyMismatch):
        FactTable(AB, events=[events("THB", ("a", 1, 1)), events("USD", ("a", 1, 1))])


def test_no_events_at_all_are_unknown_and_an_empty_table_is_none() -> None:
    assert answers(count("order") == 0, FactTable(AB)) == ["unknown", "unknown"]
    assert answers(count("order") == 0, FactTable(AB, events=[])) == ["true", "true"]
    assert answers(total("order") < Money(1, "THB"), FactTable(AB, events=[])) == ["true", "true"]


def test_wrong_kinds_are_errors_for_a_table_too() -> None:
    table = FactTable(AB, {"text": ["a", "b"], "number": [1, 2], "money": MoneyColumn(np.array([1, 2]), "THB")})
    for wrong in (
        field("text") > 1, field("text") + 1 > 3, field("number").contains("a"), field("number").is_true(),
        field("text").has("a"), field("money") > 3, field("number").isin(["a"]), field("text") > "a",
    ):  # fmt: skip
        with pytest.raises(WrongType):
            Rule("wrong", wrong).mask(table, now=NOW)
    with pytest.raises(CurrencyMismatch):
        Rule("wrong", field("money") > Money(1, "USD")).mask(table, now=NOW)


def test_functions_work_on_columns_and_one_by_one() -> None:
    table = FactTable(CustomerIndex.of(["a", "b", "c"]), {"x": [1, -4, None], "s": ["abc", None, "x"]})
    words = Vocabulary({
        "root": lambda x: x**0.5 if x >= 0 else None,
        "double": Function(lambda x: 2 * x, columns=lambda x: 2 * x),
        "length": lambda text: float(len(text)),
        "four": lambda: 4.0,
    })  # fmt: skip
    assert answers(call("root", field("x")) == 1, table, words) == ["true", "unknown", "unknown"]
    assert answers(call("double", field("x")) == 2, table, words) == ["true", "false", "unknown"]
    assert answers(call("length", field("s")) == 3, table, words) == ["true", "unknown", "false"]
    assert answers(call("four") == 4, table, words) == ["true", "true", "true"]


def test_years_are_counted_by_the_calendar_alone_and_in_columns() -> None:
    def micros(at: datetime) -> float:
        return (at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)

    born = [datetime(2000, 2, 29, tzinfo=UTC), datetime(1999, 3, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)]
    for now in (datetime(2027, 2, 28, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)):
        expected = [years_between(micros(b), micros(now)) for b in born]
        assert years_column(np.array([micros(b) for b in born]), micros(now)).tolist() == expected
    assert years_between(micros(born[0]), micros(datetime(2027, 2, 28, tzinfo=UTC))) == 26
    assert years_between(micros(born[0]), micros(datetime(2027, 3, 1, tzinfo=UTC))) == 27
    assert np.isnan(years_column(np.array([np.nan, 1e300]), 0.0)).all()
    assert years_between(1e300, 0.0) is None


def test_a_frame_has_one_row_per_customer() -> None:
    frame = {
        "customer": ["b", "a"], "age": [40, None], "tier": ["gold", ""], "vip": [True, None], "spent": ["12.5", "7"],
        "born": [date(1990, 1, 1), None], "seen": ["2026-01-01T00:00Z", None], "optin": ["yes", "no"],
    }  # fmt: skip
    plain = FactTable.from_frame(frame)
    assert plain[1].fields["age"] == 40.0
    assert plain[1].fields["spent"] == "12.5"
    assert plain[1].fields["vip"] is True
    assert plain[1].fields["born"] == datetime(1990, 1, 1, tzinfo=UTC)
    said = {"spent": "money", "seen": "time", "optin": "flag", "age": "number", "tier": "text"}
    told = FactTable.from_frame(frame, columns=said, currency="THB")
    assert told[1].fields["spent"] == Money(1250, "THB")
    assert told[1].fields["seen"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert told[0].fields["optin"] is False
    assert "tier" not in told[0].fields


def test_a_frame_that_cannot_be_read_says_why() -> None:
    with pytest.raises(DuplicateIds, match="one row per customer"):
        FactTable.from_frame({"customer": ["a", "a"], "x": [1, 2]})
    with pytest.raises(BadRows, match="neither yes nor no"):
        FactTable.from_frame({"customer": ["a"], "x": ["maybe"]}, columns={"x": "flag"})
    with pytest.raises(BadRows, match="a row without a customer"):
        FactTable.from_frame({"customer": ["a", None], "x": [1, 2]})
    with pytest.raises(UnknownName, match="did you mean 'number'"):
        FactTable.from_frame({"customer": ["a"], "x": [1]}, columns={"x": "numbr"})
    with pytest.raises(OutOfRange, match="currency='THB'"):
        FactTable.from_frame({"customer": ["a"], "x": [1]}, columns={"x": "money"})
    with pytest.raises(MissingColumn):
        FactTable.from_frame({"customer": ["a"], "x": [1]}, columns={"y": "number"})


def test_facts_held_one_by_one_become_a_table_with_the_same_answers() -> None:
    ordered = Event(kind="order", time=NOW, amount=Money(5, "THB"), attributes={"n": 3})
    rows = [
        Facts({"x": 1}, events=[ordered], subject="b"),
        Facts({"x": None, "y": "t"}, events=[], subject="a"),
    ]  # fmt: skip
    table = FactTable.of_facts(rows)
    for asked in (field("x") == 1, field("y") == "t", total("order", of="n") >= 3, total("order") >= Money(5, "THB")):
        rule = Rule("asked", asked)
        assert rule.mask(table, now=NOW).to_list() == [rule.decide(f, now=NOW).truth for f in rows]
    with pytest.raises(WrongType, match="keep other numbers in an attribute"):
        FactTable.of_facts([Facts(events=[Event(kind="order", time=NOW, amount=5.0)])])


def test_facts_join_and_change_without_touching_the_others() -> None:
    one = Facts({"x": 1, "y": 1}, events=[], subject="a")
    two = one + Facts({"y": 2}, events=[Event(kind="order", time=NOW)])
    assert (dict(two.fields), len(two.events or ()), two.subject) == ({"x": 1, "y": 2}, 1, "a")
    assert one.with_fields(x=5).fields["x"] == 5
    assert one.fields["x"] == 1
    assert (Facts() + Facts()).events is None
    with pytest.raises(WrongType, match="Facts or a mapping"):
        Rule("r", field("x") > 1).decide([("x", 1)], now=NOW)  # type: ignore[arg-type]


def test_a_decision_does_not_change_when_the_callers_dict_does() -> None:
    facts: dict[str, object] = {"x": 5}
    decision = Rule("r", field("x") > 1).decide(facts, now=NOW)
    facts["x"] = 0
    assert "(5)" in str(decision)


def test_no_repr_shows_what_a_customer_said() -> None:
    table = FactTable(AB, {"name": ["Somchai", "Malee"]})
    facts = Facts({"name": "Somchai"}, events=[Event(kind="chat", time=NOW, attributes={"text": "call me"})])
    shown = f"{table!r} {table.columns!r} {facts!r} {facts.events!r} {Rule('r', field('name') == 'x')!r}"
    decision = Rule("r", field("name") == "Malee").decide(facts, now=NOW)
    assert "Somchai" not in f"{shown} {decision!r} {decision} {decision.reasons!r} {decision.needed!r}"
    assert "call me" not in shown
    assert repr(field("age") >= 18) == "<age is at least 18>"


def test_a_population_of_nobody_is_no_special_case() -> None:
    nobody = FactTable(CustomerIndex(()), {"x": np.zeros(0)}, events=[])
    asked = (field("x") > 1) & (count("order", within_days=3) >= 1) & (latest("order", of="channel") == "web")
    assert Rule("r", asked).mask(nobody, now=NOW).to_list() == []
    assert RuleSet("s", [Rule("r", asked, then="a")]).decide_all(nobody, now=NOW).outcomes() == []
    assert len(Tiers("t", [Tier("a", asked)]).assign_all(None, nobody, now=NOW)) == 0


def test_truth_columns_count_and_join() -> None:
    column = TruthColumn(np.array([True, False, False]), np.array([False, True, False]))
    assert column.counts() == {Truth.TRUE: 1, Truth.FALSE: 1, Truth.UNKNOWN: 1}
    assert (column & ~column).to_list() == [Truth.FALSE, Truth.FALSE, Truth.UNKNOWN]
    assert (column | ~column).to_list() == [Truth.TRUE, Truth.TRUE, Truth.UNKNOWN]
    assert column.known.tolist() == [True, True, False]
