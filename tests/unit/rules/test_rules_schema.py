"""A wrong rule fails when it is made, against a schema."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmcore.errors import WrongType
from crmcore.rules import Amount, Date, Facts, Flag, Number, Rule, Schema, Text, Vocabulary, count, field, total
from crmcore.rules.making import average, call, choose, days_until, latest, years_since
from crmcore.rules.nodes import Condition
from crmcore.rules.schema import BadRule, Duration, EventKind, Instant, Labels
from crmcore.values import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SCHEMA = Schema(
    {
        "profit_12m": Amount("THB"), "tier": Text(["basic", "gold", "VIP"]), "born": Date, "name": Text, "vip": Flag,
        "km": Number("km"), "months": Number(unit="months"), "visits": Number, "seen": Instant, "wait": Duration,
        "skills": Labels(["thai", "refunds"]), "income": Amount("THB", personal=True),
    },
    events={"order": EventKind(Amount("THB"), {"rating": Number(), "size": Text(["S", "M"])}), "view": EventKind()},
)  # fmt: skip
GOOD = [
    field("profit_12m") >= Money.of("10000", "THB"),
    field("profit_12m") / field("visits") > Money.of("1", "THB"),
    field("km") + 5 > field("km") * 2,
    field("tier").isin(["gold", "VIP"]) & (years_since("born") >= 18) & field("vip"),
    (count("order", within_days=30, where=(field("channel") == "web") & (field("rating") > 3)) >= 1),
    total("order") >= Money.of("1", "THB"),
    (average("order", of="rating") > 3) & (latest("order", of="size") == "S"),
    (days_until("born") < 3) & (field("seen") - field("born") > timedelta(days=3)),
    field("skills").has("thai") & field("wait").exists() & field("name").startswith("a"),
    field("visits").default(0) < choose(field("vip").is_true(), 3, 5),
]
BAD: list[tuple[Condition, str]] = [
    (field("profit") > 3, "`profit`: no such fact; did you mean 'profit_12m'?"),
    (field("zzzzzz") > 3, "`zzzzzz`: no such fact; known are born, income, km"),
    (field("profit_12m") > 3, "money (THB) does not compare with a number; write amounts as Money.of('100', 'THB')"),
    (field("profit_12m") > Money.of("3", "USD"), "THB and USD are two currencies"),
    (field("km") > field("months"), "km are not months"),
    (field("km") + field("months") > 3, "km + months has no meaning"),
    (field("tier") == "Gold", "`tier`: 'Gold' is not allowed; did you mean 'gold'?"),
    (field("tier").isin(["gold", "silver"]), "`tier`: 'silver' is not allowed"),
    (field("tier") > "gold", "text has no order"),
    (field("born") > 3, "count days: days_until(field)"),
    (field("visits").contains("a"), "asked of number, expected text"),
    (field("name").is_true(), "asked of text, expected flag"),
    (field("skills").has("german"), "`german`" if False else "'german' is not allowed"),
    (field("name").has("german"), "asked of text, expected tags"),
    (count("orders") > 3, "no events of kind 'orders'; did you mean 'order'?"),
    (count("order", where=field("ratng") > 3) > 1, "no such part of 'order' events; did you mean 'rating'?"),
    (total("view") > 3, "no such part of 'view' events"),
    (total("order", of="size") > 3, "total of text, expected number, money or duration"),
    (call("twice", field("km")) > 3, "no function 'twice' in the vocabulary"),
    (years_since("tier") > 3, "asked of text, expected time"),
    (field("visits").default("x") > 3, "a number does not compare with text"),
]


@pytest.mark.parametrize("condition", GOOD, ids=str)
def test_good_rules_pass(condition: Condition) -> None:
    assert SCHEMA.problems(condition) == ()
    assert Rule("good", condition, schema=SCHEMA).schema is SCHEMA


@pytest.mark.parametrize(("condition", "sentence"), BAD, ids=lambda v: str(v)[:40])
def test_wrong_rules_say_what_is_wrong(condition: Condition, sentence: str) -> None:
    with pytest.raises(BadRule) as caught:
        Rule("bad", condition, schema=SCHEMA)
    assert sentence in str(caught.value)
    assert "hint: repair these parts" in str(caught.value)


def test_all_faults_come_at_once() -> None:
    both = BAD[0][0] & BAD[3][0] & BAD[5][0]
    assert len(SCHEMA.problems(both)) == 3


def test_a_schema_refuses_what_is_no_type() -> None:
    with pytest.raises(WrongType, match=r"schema\['a'\] is int"):
        Schema({"a": int})  # type: ignore[dict-item]
    with pytest.raises(WrongType, match="allowed=\\['gold'\\]"):
        Text("gold")


def test_functions_of_a_vocabulary_are_known_and_answer() -> None:
    words = Vocabulary({"twice": lambda x: 2 * x})
    rule = Rule("called", call("twice", field("km")) > 10, schema=SCHEMA, vocabulary=words)
    assert rule.decide({"km": 6}, now=NOW).holds
    assert not rule.decide({}, now=NOW).truth.known
    with pytest.raises(LookupError, match="did you mean 'twice'"):
        Rule("typo", call("twce", field("km")) > 10, vocabulary=words).decide({"km": 6}, now=NOW)


def test_closed_lists_are_shown_and_personal_facts_are_not() -> None:
    rule = Rule(
        "offer",
        (field("tier") == "VIP") & (field("income") > Money.of("100", "THB")) & (field("name") == "Anna"),
        schema=SCHEMA,
    )
    decision = rule.decide(Facts({"tier": "gold", "income": Money.of("7.5", "THB"), "name": "Bert"}), now=NOW)
    text = f"{decision} {decision.to_dict()} {decision._repr_html_()}"
    assert '"gold"' in text
    assert "7.5" not in text
    assert "92.5" not in text  # the way from 7.50 to 100 would show it as well
    assert "Bert" not in text
    assert "income must rise to more than 100.00 THB" in text


def test_a_date_is_its_midnight_in_utc() -> None:
    rule = Rule("due", field("born") <= date(2026, 6, 1), schema=SCHEMA)
    assert rule.decide({"born": NOW}, now=NOW).holds
    assert not rule.decide({"born": NOW + timedelta(hours=1)}, now=NOW).holds
