"""JsonLogic documents become conditions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmcore.errors import BadDocument
from crmcore.rules import Rule, Schema, Truth
from crmcore.rules.json_logic import from_json_logic
from crmcore.rules.schema import Labels

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "facts", "expected"),
    [
        ({"==": [{"var": "a"}, 1]}, {"a": 1}, "true"),
        ({"===": [{"var": "a"}, "x"]}, {"a": "y"}, "false"),
        ({"!=": [{"var": "a"}, 1]}, {}, "unknown"),
        ({"and": [{">": [{"var": "temp"}, 0]}, {"<": [{"var": "temp"}, 110]}]}, {"temp": 100}, "true"),
        ({"<": [0, {"var": "temp"}, 100]}, {"temp": 100}, "false"),
        ({"<=": [0, {"var": "temp"}, 100]}, {"temp": 100}, "true"),
        ({"or": [{"var": "vip"}, {"!": {"var": "blocked"}}]}, {"vip": False, "blocked": False}, "true"),
        ({"!!": [{"var": "vip"}]}, {"vip": True}, "true"),
        ({"in": [{"var": "city"}, ["Bath", "Hull"]]}, {"city": "Hull"}, "true"),
        ({"in": ["Spring", {"var": "name"}]}, {"name": "Springfield"}, "true"),
        ({"in": ["spring", {"var": "name"}]}, {"name": "Springfield"}, "false"),
        ({">": [{"+": [{"var": "a"}, 1, 2]}, {"*": [2, 3]}]}, {"a": 4}, "true"),
        ({"==": [{"/": [{"var": "a"}, 0]}, 1]}, {"a": 4}, "unknown"),
        ({"==": [{"-": [{"var": "a"}]}, -4]}, {"a": 4}, "true"),
        ({"==": [{"+": ["3.5"]}, 3.5]}, {}, "true"),
        ({"missing": ["a", "b"]}, {"a": 1}, "true"),
        ({"missing": ["a"]}, {"a": 1}, "false"),
        ({"missing_some": [1, ["a", "b"]]}, {"b": 1}, "false"),
        ({"missing_some": [2, ["a", "b"]]}, {"b": 1}, "true"),
        ({"==": [{"var": ["a", 7]}, 7]}, {}, "true"),
        ({"==": [{"var": "a"}, None]}, {}, "true"),
        ({"!=": [None, {"var": "a"}]}, {}, "false"),
        ({"if": [{"var": "vip"}, {">": [{"var": "a"}, 1]}, {">": [{"var": "a"}, 5]}]}, {"vip": False, "a": 3}, "false"),
        ({"<": [{"if": [{"var": "vip"}, 1, 5]}, {"var": "a"}]}, {"vip": True, "a": 3}, "true"),
        (True, {}, "true"),
    ],
)
def test_documents_mean_what_they_say(document: object, facts: dict[str, object], expected: str) -> None:
    assert Rule("imported", from_json_logic(document)).decide(facts, now=NOW).truth == expected


def test_labels_of_the_schema_are_asked_for_a_label() -> None:
    made = from_json_logic({"in": ["thai", {"var": "skills"}]}, schema=Schema({"skills": Labels()}))
    assert Rule("skilled", made).decide({"skills": {"thai", "refunds"}}, now=NOW).truth is Truth.TRUE


def test_one_error_names_all_that_has_no_counterpart() -> None:
    document = {
        "and": [
            {"map": [{"var": "a"}, {"%": [{"var": ""}, 2]}]},
            {"==": [{"cat": ["a", "b"]}, "ab"]},
            {"<": [1]},
            {">": [{"var": "a"}, {"and": [True]}]},
            {"+": [1, 2]},
            {"in": [1, 2]},
            5,
        ]
    }
    with pytest.raises(BadDocument) as caught:
        from_json_logic(document)
    text = str(caught.value)
    for part in (
        "unknown operator 'map'", "unknown operator '%'", "unknown operator 'cat'",
        "$.and[2].<: takes 2 or 3 arguments",
        "'and' gives a condition where a value is expected", "'+' gives a value where a condition is expected",
        "a fact in a list of constants", "$.and[6]: expected a condition, not int", "hint: known operators: == ===",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({}, "$: expected one operator, not []"),
        ({"==": [{"var": ""}, 1]}, "expected the name of a fact"),
        ({"==": [{"var": ["a", 1, 2]}, 1]}, "takes 1 or 2 arguments, not 3"),
        ({">": [{"var": "a"}, None]}, "expected a value, not null"),
        ({"==": [{"var": "a"}, float("nan")]}, "a constant of a rule"),
        ({"==": [{"if": [True, 1]}, 1]}, "expected condition, value, ..., otherwise"),
        ({"if": [True, True]}, "expected condition, result, ..., otherwise"),
        ({"if": [{"what": 1}, True, False]}, "unknown operator 'what'"),
        ({"in": [{"var": "a"}, [None]]}, "expected a list of constants"),
        ({"in": ["a"]}, "takes 2 arguments, not 1"),
        ({"missing": [1]}, "expected names of facts"),
        ({"missing_some": [["a"], 1]}, "expected [number, [names]]"),
        ({"==": [{"/": [1, 2, 3]}, 1]}, "takes 2 arguments, not 3"),
        ({"!": [True, False]}, "takes 1 arguments, not 2"),
        ({"==": [[1], 1]}, "expected a value, not list"),
    ],
)
def test_faults_say_where_they_stand(document: object, fault: str) -> None:
    with pytest.raises(BadDocument) as caught:
        from_json_logic(document)
    assert fault in str(caught.value)


def test_chains_of_if_and_null_keep_their_meaning() -> None:
    grade = {"if": [{">": [{"var": "a"}, 9]}, 3, {">": [{"var": "a"}, 5]}, 2, 1]}
    for value, expected in ((10, 3), (6, 2), (1, 1)):
        made = from_json_logic({"==": [grade, expected]})
        assert Rule("grade", made).decide({"a": value}, now=NOW).holds
    chosen = from_json_logic({"if": [{"var": "x"}, {"var": "y"}, {"var": "z"}, True, False]})
    assert not Rule("if", chosen).decide({"x": False, "z": False}, now=NOW).holds
    assert Rule("if", chosen).decide({"x": False, "z": True}, now=NOW).holds
    assert Rule("nothing", from_json_logic({"==": [None, None]})).decide({}, now=NOW).holds
