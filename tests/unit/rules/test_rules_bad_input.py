"""Wrong calls of rules, rule sets, tiers and tables of facts end in house errors that say what to do."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any

import pandas as pd
import pytest

from crmcore.errors import BadDocument, CrmError, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.rules import Event, Facts, FactTable, Rule, RuleSet, Tier, Tiers, count, field
from crmcore.tables import CustomerIndex

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD: Any = field("age") > 1
RULE: Any = Rule("old", OLD)
TIERS: Any = Tiers("club", [Tier("gold", OLD)])
TABLE = FactTable(CustomerIndex.of(["a"]), {"age": [5]})
MAKE: Any = Rule
SET: Any = RuleSet
LEVELS: Any = Tiers
LEVEL: Any = Tier
COLUMNS: Any = FactTable
FACTS: Any = Facts
HAPPENED: Any = Event

WRONG: dict[str, tuple[Callable[[], object], type[CrmError], str]] = {
    "choices of None": (lambda: OLD.left.isin(None), WrongType, "choices is a NoneType: expected a list of values"),
    "labels of None": (lambda: OLD.left.has_any(None), WrongType, "labels is a NoneType: expected a list of labels"),
    "labels as one text": (lambda: OLD.left.has_any("abc"), WrongType, "labels is a str"),
    "no labels": (lambda: OLD.left.has(), EmptyInput, "name at least one label"),
    "an unknown end": (lambda: OLD.left.between(1, 2, closed="lft"), UnknownName, "did you mean 'left'?"),
    "a weight of None": (lambda: MAKE("r", OLD, weight=None), OutOfRange, "weight = None"),
    "a schema of a dict": (lambda: MAKE("r", OLD, schema={}), WrongType, "schema is a dict: expected a Schema"),
    "no now": (lambda: RULE.decide({}, now=None), WrongType, "now is a NoneType: expected an aware datetime"),
    "a date as now": (lambda: RULE.decide({}, now=date(2026, 6, 1)), WrongType, "now is a date"),
    "no now for columns": (lambda: RULE.mask(TABLE, now=None), WrongType, "now is a NoneType"),
    "a frame as table": (lambda: RULE.mask(pd.DataFrame({"age": [1]}), now=NOW), WrongType, "FactTable.from_frame"),
    "rules of None": (lambda: SET("s", None), WrongType, "rules is a NoneType: expected a list of rules"),
    "one rule": (lambda: SET("s", RULE), WrongType, "rules is a Rule: expected a list of rules"),
    "conditions as rules": (lambda: SET("s", [OLD, 5]), WrongType, "rules is a list with a Compare, a int"),
    "tiers of None": (lambda: LEVELS("t", None), WrongType, "tiers is a NoneType"),
    "tiers as names": (lambda: LEVELS("t", ["gold"]), WrongType, "tiers is a list with a str"),
    "one entitlement": (lambda: LEVEL("gold", OLD, gives="lounge"), WrongType, "gives=['lounge']"),
    "a tier as standing": (lambda: TIERS.assign("gold", {}, now=NOW), WrongType, "previous is a str"),
    "no now for tiers": (lambda: TIERS.assign(None, {}, now=None), WrongType, "now is a NoneType"),
    "standings of a list": (lambda: TIERS.assign_all([1], TABLE, now=NOW), WrongType, "expected a StandingTable"),
    "no table": (lambda: TIERS.assign_all(None, None, now=NOW), WrongType, "table is a NoneType"),
    "ids as index": (lambda: COLUMNS(["a"]), WrongType, "customers is a list: expected a CustomerIndex"),
    "no columns": (lambda: COLUMNS(TABLE.customers, None), WrongType, "columns is a NoneType"),
    "a column of one number": (lambda: COLUMNS(TABLE.customers, {"age": 5}), WrongType, "column 'age' is a int"),
    "a column of one text": (lambda: COLUMNS(TABLE.customers, {"age": "x"}), WrongType, "column 'age' is a str"),
    "events of a number": (lambda: COLUMNS(TABLE.customers, events=5), WrongType, "a list of event tables"),
    "rows of None": (lambda: COLUMNS.of_facts(None), WrongType, "rows is a NoneType: expected a list of facts"),
    "an unknown customer": (lambda: TABLE.of(None), UnknownName, "unknown customer 'None'"),  # type: ignore[arg-type]
    "one event": (lambda: FACTS({}, events=HAPPENED(kind="a", time=NOW)), WrongType, "events is a Event"),
    "an event of None": (lambda: FACTS({}, events=[None]), WrongType, "a list with a NoneType"),
    "an event without time": (lambda: HAPPENED(kind="a", time=None), WrongType, "leave out what has no time"),
    "an event at a text": (lambda: HAPPENED(kind="a", time="2026-06-01"), WrongType, "time is a str"),
    "an event without kind": (lambda: HAPPENED(kind=None, time=NOW), WrongType, "say what happened"),
    "an event with a list": (lambda: HAPPENED(kind="a", time=NOW, attributes=[1]), WrongType, "attributes is a list"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_call_of_rules_says_what_to_do(what: str) -> None:
    call, error, says = WRONG[what]
    with pytest.raises(error) as caught:
        call()
    assert says in str(caught.value)
    assert "\n  hint: " in str(caught.value)


def test_the_missing_value_of_pandas_is_unknown() -> None:
    assert RULE.decide({"age": pd.NA}, now=NOW).truth == "unknown"
    assert FactTable(CustomerIndex.of(["a", "b"]), {"age": [5, pd.NA]}).columns["age"].known.tolist() == [True, False]


def _nested(levels: int) -> dict[str, object]:
    start: dict[str, object] = {"op": ">", "args": [{"field": "age"}, 1]}
    return reduce(lambda inner, _: {"op": "not", "args": [inner]}, range(levels), start)


def test_a_document_nested_without_end_is_a_fault_and_no_crash() -> None:
    assert Rule.from_dict({"name": "deep", "when": _nested(99)}).decide({"age": 5}, now=NOW).holds is False
    with pytest.raises(BadDocument, match="nested more than 100 operators deep"):
        Rule.from_dict({"name": "deeper", "when": _nested(5_000)})


def test_a_number_too_large_for_days_is_a_fault() -> None:
    with pytest.raises(BadDocument, match=r"\$\.when\.args\[1\]"):
        Rule.from_dict({"name": "r", "when": {"op": ">", "args": [{"field": "age"}, {"days": 1e300}]}})


def test_an_event_may_come_with_no_attributes() -> None:
    facts = Facts({}, events=[HAPPENED(kind="a", time=NOW - timedelta(days=1), attributes=None)])
    assert Rule("r", count("a") == 1).decide(facts, now=NOW).holds
