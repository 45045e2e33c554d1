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
