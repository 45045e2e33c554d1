"""Rules and changes as sentences."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmcore.errors import BadDocument
from crmcore.rules import (
    Event,
    Facts,
    Rule,
    RuleSet,
    Tier,
    Tiers,
    count,
    days_between,
    days_since,
    days_until,
    field,
    now,
    total,
)
from crmcore.rules.codec import condition_from_dict
from crmcore.rules.making import average, call, choose, days_since_first, largest, smallest, years_since
from crmcore.rules.nodes import Condition
from crmcore.values import Money

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (field("t") < datetime(2026, 1, 1, tzinfo=UTC), "t is before 2026-01-01"),
        (field("t") >= now(), "t is at or after now"),
        (field("w") != timedelta(days=1.5), "w is not 1.5 days"),
        (days_since_first("order") <= 3, "days since the first order event are at most 3"),
        (days_until("t") <= 30, "days until t are at most 30"),
        (days_between(field("a"), field("b")) > 5, "days from a to b are more than 5"),
        (
            count("order", within_days=90, before_days=3, where=field("channel") == "web") >= 3,
            'number of order events from 90 to 3 days ago (where channel is "web") is at least 3',
        ),
        (count("order", before_days=1) > 1, "number of order events more than 1 day ago is more than 1"),
        (total("order", of="points") > 1, "total points of order events is more than 1"),
        (
            average("order", within_days=2.5) > Money.of("2", "THB"),
            "average amount of order events within 2.5 days is more than 2.00 THB",
        ),
        (
            largest("order") > smallest("order"),
            "largest amount of order events is more than smallest amount of order events",
        ),
        (field("x").between(1, 3, closed="neither"), "x is from above 1 to below 3"),
        (~field("x").between(1, 2), "x is not from 1 to 2"),
        (~field("x").isin([1, "a", True]), 'x is not one of 1, "a", yes'),
        (field("x").isin([]), "x is one of (nothing)"),
        (~field("s").contains("a", case_sensitive=True), 's does not contain "a" (in this case)'),
        (~field("s").matches("a"), 's does not match "a"'),
        (~field("g").has("x"), 'g does not have "x"'),
        (field("x").is_unknown(), "x is unknown"),
        (~field("f"), "f is no"),
        (
            (field("a") > 1) & ((field("b") > 1) | (field("c") > 1)),
            "a is more than 1 and (b is more than 1 or c is more than 1)",
        ),
        (~((field("a") > 1) & (field("b") > 1)), "not (a is more than 1 and b is more than 1)"),
        ((field("x").default(3) + 1) * 2 > 2, "((x, or 3 where unknown) + 1) * 2 is more than 2"),
        (call("f", field("x"), 3) > 1234.5, "f(x, 3) is more than 1,234.50"),
        (choose(field("f"), 1, 2) == 1, "(1 if f is yes, else 2) is 1"),  # type: ignore[arg-type]
        (years_since("born") >= 18, "years since born are at least 18"),
        (field("n") > 0.123456789, "n is more than 0.123457"),
        (field("t") > datetime(2026, 1, 1, 9, 30, tzinfo=UTC), "t is after 2026-01-01 09:30:00+00:00"),
    ],
    ids=str,
)
def test_conditions_read_as_sentences(condition: Condition, sentence: str) -> None:
    assert str(condition) == sentence


@pytest.mark.parametrize(
    ("condition", "facts", "sentence"),
    [
        (
            field("t") < datetime(2026, 1, 1, tzinfo=UTC),
            {"t": NOW},
            "t must move earlier by 151.5 days to before 2026-01-01",
        ),
        (field("t") > now(), {"t": NOW}, "t must move later to after 2026-06-01 12:00:00+00:00"),
        (
            field("born") == date(2000, 1, 1),
            {"born": date(2000, 1, 2)},
            "born must move earlier by 1 day to 2000-01-01",
        ),
        (field("a") > field("b"), {"a": 1, "b": 3}, "a must rise by 2 to more than 3"),
        (
            field("a") > field("b"),
            {"a": 1},
            "a must change, so that a is more than b; b must become known",
        ),
        (field("a").isin([1, 2, 3]), {"a": 7}, "a must become 1 or 2 or 3"),
        (field("a").isin(range(9)), {"a": 17}, "a must become 0 or 1 or 2 or 3 or 4 or another of the list"),
        (~field("tier").isin(["x", "y"]), {"tier": "x"}, 'tier must change to not "x" and not "y"'),
        (field("s").contains("abc"), {"s": "zzz"}, 's must change, so that s contains "abc"'),
        (field("s").contains("abc"), {}, 's must become known, so that s contains "abc"'),
        (~field("f"), {"f": True}, "f must become no"),
        (
            field("m") >= Money.of("100", "THB"),
            {"m": Money.of("7.5", "THB")},
            "m must rise by 92.50 THB to at least 100.00 THB",
        ),
        (
            (field("a") > 1) & (field("a") < 5) & (field("a") != 3),
            {"a": 7},
            "a must fall by 2 to more than 1 and below 5 and not 3",
        ),
        (~field("a").exists(), {"a": 7}, "a must no longer be known"),
        (field("a").exists(), {}, "a must become known"),
        (field("a") + field("b") >= 10, {"a": 7, "b": 1}, "a + b must rise by 2 to at least 10"),
        (field("a") == 5, {}, "a must become known and be 5"),
        (
            days_since("service") <= 30,
            Facts(events=[]),
            "days since the last service event must become known and be at most 30",
        ),
        (
            days_since("service") <= 30,
            Facts(events=[Event(kind="service", time=NOW - timedelta(days=40))]),
            "days since the last service event must fall by 10 to at most 30",
        ),
        (
            field("wait") < timedelta(hours=12),
            {"wait": timedelta(hours=36)},
            "wait must fall by 1 day to below 0.5 days",
        ),
        ((field("a") / field("b")) > 1, {"a": 1, "b": 0}, "a / b must become known and be more than 1"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_changes_read_as_sentences(condition: Condition, facts: Facts, sentence: str) -> None:
    decision = Rule("asked", condition).decide(facts, now=NOW)
    assert decision.needed is not None
    assert "; ".join(map(str, decision.needed)) == sentence
    assert [c.to_dict()["text"] for c in decision.needed] == [str(c) for c in decision.needed]
    assert str(decision.needed[0]) in repr(decision.needed[0])


def test_sets_and_tiers_read_as_lists() -> None:
    rules = RuleSet(
        "score",
        [Rule("a", field("x") > 1, weight=2.5, because="why not")],
        policy="scored",
        bands={2: "hot"},
        default="cold",
    )
    assert str(rules) == (
        'Rule set "score" (scored; unknown counts as no):\n1. Rule "a": when x is more than 1 (why not). [+2.5]\n'
        "From 2 points: hot.\nOtherwise: cold."
    )
    assert repr(rules) == "RuleSet('score', 1 rules, scored)"
    assert repr(Tiers("t", [Tier("gold", field("x") > 1)])) == "Tiers('t', none < gold)"
    assert str(Tiers("t", [Tier("gold", field("x") > 1)])) == (
        'Tiers "t", lowest first, below them none:\n- gold: enter when x is more than 1'
    )


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (None, "$: expected a number, text, true, false or an object, not NoneType"),
        (5, "$: expected a condition, not a value (literal)"),
        ({"fild": "a"}, "no known form has the keys ['fild']"),
        ({"op": "==", "args": [{"op": "not", "args": [True]}, 1]}, "$.args[0]: expected a value, not a condition"),
        ({"op": "==", "args": {"a": 1}}, "$.args: expected a list"),
        ({"op": "in", "args": [1]}, "'in' needs 'choices'"),
        ({"op": "in", "args": [1], "choices": 3}, "$.choices: expected list, not int"),
        ({"op": "contains", "args": ["a"], "text": 3}, "$.text: expected str, not int"),
        ({"op": "matches", "args": ["a"], "text": "("}, "expected a regular expression"),
        ({"op": "==", "args": [{"date": "2026-13-01"}, 1]}, "$.args[0]: month must be in 1..12"),
        ({"op": "==", "args": [{"amount_minor": 1.5, "currency": "THB"}, 1]}, "amount_minor is a float"),
        ({"op": "==", "args": [1, 2], "note": "x"}, "unknown key 'note'"),
        ({"op": "between", "args": [1, 2, 3], "closed": "sideways"}, "unknown closed 'sideways'"),
        ({"op": "count"}, "'count' needs 'event'"),
        ({"op": ["=="]}, "unknown operator"),
    ],
)
def test_documents_that_are_no_condition_say_where(document: object, fault: str) -> None:
    with pytest.raises(BadDocument) as caught:
        condition_from_dict(document)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    "document", [None, [], {"name": 3, "when": True, "weight": "heavy", "because": 1}, {"when": True}]
)
def test_documents_that_are_no_rule_say_so(document: object) -> None:
    with pytest.raises(BadDocument, match="the document is no rule"):
        Rule.from_dict(document)
    with pytest.raises(BadDocument, match="the document is no rule set"):
        RuleSet.from_dict(document)
    with pytest.raises(BadDocument, match="the document is no tiers"):
        Tiers.from_dict(document)
