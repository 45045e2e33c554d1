"""Rules about one subject: conditions, three values, reasons, JSON."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from crmcore.errors import BadDocument, CurrencyMismatch, EmptyInput, NaiveDatetime, OutOfRange, WrongType
from crmcore.rules import (
    Event,
    Facts,
    Rule,
    Truth,
    all_of,
    any_of,
    count,
    days_between,
    days_since,
    days_until,
    field,
    not_,
    now,
    total,
)
from crmcore.rules.making import latest
from crmcore.rules.nodes import Condition
from crmcore.values import Interaction, Money

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def truth(condition: Condition, facts: Facts | Mapping[str, object]) -> Truth:
    return Rule("asked", condition).decide(facts, now=NOW).truth


def ordered(*days_ago: float, amount: Money | None = None, **attributes: object) -> list[Event]:
    return [Event(kind="order", time=NOW - timedelta(days=d), amount=amount, attributes=attributes) for d in days_ago]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(10_000, Truth.TRUE), (9_999.5, Truth.FALSE), (None, Truth.UNKNOWN), (math.nan, Truth.UNKNOWN),
     (Decimal("10000.5"), Truth.TRUE), (np.float64(12_000), Truth.TRUE), (np.int64(5), Truth.FALSE),
     (math.inf, Truth.TRUE)],
)  # fmt: skip
def test_a_number_is_compared_and_a_missing_one_is_unknown(value: object, expected: Truth) -> None:
    assert truth(field("profit") >= 10_000, {"profit": value}) is expected


def test_absent_empty_and_not_a_time_are_unknown() -> None:
    assert truth(field("profit") >= 1, {}) is Truth.UNKNOWN
    assert truth(field("tier") == "gold", {"tier": ""}) is Truth.UNKNOWN
    assert truth(field("born") < now(), {"born": np.datetime64("NaT")}) is Truth.UNKNOWN


def test_unknown_is_not_false_and_its_negation_is_unknown() -> None:
    asked = field("age") >= 18
    assert truth(~asked, {}) is Truth.UNKNOWN
    assert truth(asked & (field("a") == 1), {"a": 2}) is Truth.FALSE
    assert truth(asked | (field("a") == 1), {"a": 1}) is Truth.TRUE
    assert truth(asked | (field("a") == 1), {"a": 2}) is Truth.UNKNOWN


def test_arithmetic_of_money_times_and_durations() -> None:
    facts = {
        "spent": Money.of("100", "THB"), "cost": Money.of("40", "THB"), "visits": 4,
        "start": datetime(2026, 5, 1, tzinfo=UTC), "end": date(2026, 5, 11), "limit": timedelta(days=9),
    }  # fmt: skip
    assert truth(field("spent") - field("cost") == Money.of("60", "THB"), facts) is Truth.TRUE
    assert truth(field("spent") / field("visits") >= Money.of("25", "THB"), facts) is Truth.TRUE
    assert truth(field("spent") / field("cost") == 2.5, facts) is Truth.TRUE
    assert truth(2 * field("cost") < field("spent"), facts) is Truth.TRUE
    assert truth(days_between(field("start"), field("end")) == 10, facts) is Truth.TRUE
    assert truth(field("end") - field("start") > field("limit"), facts) is Truth.TRUE
    assert truth(field("start") + timedelta(days=10) == field("end"), facts) is Truth.TRUE
    assert truth(days_until("end") == -21.5, facts) is Truth.TRUE
    assert truth(-field("visits") + 10 == 6, facts) is Truth.TRUE
    assert truth(100 / field("visits") == 25, facts) is Truth.TRUE


def test_division_by_zero_is_unknown_with_its_reason() -> None:
    decision = Rule("share", field("a") / field("b") > 0.5).decide({"a": 1, "b": 0}, now=NOW)
    assert decision.truth is Truth.UNKNOWN
    assert decision.unknown[0].why_unknown == ("a / b divides by zero",)


def test_two_currencies_are_an_error_when_asked() -> None:
    with pytest.raises(CurrencyMismatch):
        truth(field("spent") > Money.of("1", "THB"), {"spent": Money.of("1", "USD")})
    with pytest.raises(CurrencyMismatch):
        truth(field("a") + field("b") > Money.of("1", "THB"), {"a": Money(1, "USD"), "b": Money(1, "THB")})


@pytest.mark.parametrize(
    ("condition", "facts", "sentence"),
    [
        (field("x") > 3, {"x": "three"}, "text does not compare with a number"),
        (field("x") > "a", {"x": "b"}, "text has no order"),
        (field("x") + 1 > 3, {"x": "b"}, "text + number has no meaning"),
        (field("x").contains("a"), {"x": 3}, "asked of number"),
        (field("x").is_true(), {"x": 3}, "asked of number"),
        (field("x").has("a"), {"x": "a"}, "asked of text"),
        (field("x") > 3, {"x": Money(1, "THB")}, "write amounts as Money.of('100', 'THB')"),
        (field("x") > 3, {"x": date(2026, 1, 1)}, "days_until"),
        (field("x") > 3, {"x": object()}, "is a object: expected a number, text"),
        (field("x").isin(["a"]), {"x": 3}, "a number does not compare with text"),
    ],
)
def test_unlike_kinds_say_what_to_do(condition: Condition, facts: dict[str, object], sentence: str) -> None:
    with pytest.raises(WrongType, match=r"hint:") as caught:
        truth(condition, facts)
    assert sentence in str(caught.value)


def test_event_windows_are_open_at_their_far_end_and_closed_at_now() -> None:
    facts = Facts(events=ordered(0, 89.999, 90, -1))
    assert truth(count("order", within_days=90) == 2, facts) is Truth.TRUE
    assert truth(count("order") == 3, facts) is Truth.TRUE
    assert truth(count("order", within_days=100, before_days=90) == 1, facts) is Truth.TRUE
    assert truth(count("visit") == 0, facts) is Truth.TRUE


def test_events_that_nobody_looked_for_are_unknown_not_zero() -> None:
    decision = Rule("none", count("order") == 0).decide({}, now=NOW)
    assert decision.truth is Truth.UNKNOWN
    assert decision.asks == ("events: order",)
    assert truth(count("order") == 0, Facts(events=[])) is Truth.TRUE


def test_totals_add_amounts_and_a_missing_amount_makes_them_unknown() -> None:
    paid = ordered(1, 2, amount=Money.of("50", "THB"))
    asked = total("order", within_days=365) >= Money.of("100", "THB")
    assert truth(asked, Facts(events=paid)) is Truth.TRUE
    assert truth(asked, Facts(events=[])) is Truth.FALSE
    decision = Rule("spent", asked).decide(Facts(events=[*paid, *ordered(3)]), now=NOW)
    assert decision.unknown[0].why_unknown == ("a order event lacks its amount",)


def test_days_since_the_last_event_are_unknown_where_there_is_none() -> None:
    asked = days_since("order") > 5
    assert truth(asked, Facts(events=ordered(10, 6))) is Truth.TRUE
    assert truth(asked, Facts(events=[])) is Truth.UNKNOWN
    assert truth(~days_since("order").exists(), Facts(events=[])) is Truth.TRUE


def test_where_chooses_events_by_their_parts() -> None:
    events = [*ordered(1, channel="web", rating="5"), *ordered(2, channel="store"), *ordered(3)]
    facts = Facts(events=events)
    assert truth(count("order", where=field("channel") == "web") == 1, facts) is Truth.TRUE
    assert truth(count("order", where=field("channel").is_unknown()) == 1, facts) is Truth.TRUE
    assert truth(count("order", where=field("rating").as_number() >= 4) == 1, facts) is Truth.TRUE
    assert truth(total("order", of="rating", where=field("rating").exists()) == 5, facts) is Truth.TRUE


def test_the_last_event_gives_its_parts() -> None:
    events = [*ordered(9, channel="web", score=3), *ordered(2, channel="line", score=9), *ordered(2, channel="app")]
    facts = Facts(events=events)
    assert truth(latest("order", of="channel") == "line", facts) is Truth.TRUE  # "line" comes after "app"
    assert truth(latest("order", of="channel", before_days=5) == "web", facts) is Truth.TRUE
    assert truth(latest("order", of="score", where=field("score").exists()) >= 9, facts) is Truth.TRUE
    assert truth(latest("order", of="time") < now() - timedelta(days=1), facts) is Truth.TRUE
    assert truth(latest("survey", of="score") >= 9, facts) is Truth.UNKNOWN
    assert truth(latest("order", of="colour") == "red", facts) is Truth.UNKNOWN


def test_interactions_are_events() -> None:
    one = Interaction(customer="c", time=NOW, kind="view", channel="web", attributes={"page": "/sale"})
    facts = Facts(events=[one])
    assert (
        truth(count("view", where=(field("page") == "/sale") & (field("channel") == "web")) == 1, facts) is Truth.TRUE
    )


def test_text_ignores_case_unless_asked() -> None:
    facts = {"note": "Brake NOISE", "home": "TPA"}
    assert truth(field("note").contains("brake"), facts) is Truth.TRUE
    assert truth(field("note").contains("brake", case_sensitive=True), facts) is Truth.FALSE
    assert truth(field("note").startswith("BRAKE") & field("note").endswith("noise"), facts) is Truth.TRUE
    assert truth(field("note").matches(r"\bnoise\b"), facts) is Truth.TRUE
    assert truth(field("home").isin(["MCO", "JFK"]), facts) is Truth.FALSE
    assert truth(field("home") == "tpa", facts) is Truth.FALSE


def test_labels_flags_intervals_and_fallbacks() -> None:
    facts: dict[str, object] = {"skills": {"refund L2", "thai"}, "vip": True, "age": 18}
    assert truth(field("skills").has("thai", "refund L2") & field("vip"), facts) is Truth.TRUE
    assert truth(field("skills").has_any(["german", "thai"]), facts) is Truth.TRUE
    assert truth(field("age").between(18, 65) & ~field("age").between(18, 65, closed="neither"), facts) is Truth.TRUE
    assert truth(field("visits").default(0) == 0, facts) is Truth.TRUE
    assert truth((field("visits") > 0).if_unknown(True), facts) is Truth.TRUE
    assert truth(field("vip") == True, facts) is Truth.TRUE  # noqa: E712
    assert truth(~field("vip"), facts) is Truth.FALSE


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: field("a") > 1 and field("b") > 2,
        lambda: not field("a"),
        lambda: 1 < field("a") < 5,
        lambda: bool(all_of(field("a") == 1)),
        lambda: field("a") in [field("b")],
    ],
)
def test_plain_and_or_not_and_chains_fail_with_the_way_out(wrong: object) -> None:
    with pytest.raises(WrongType, match=r"expected `&`, `\|`, `~`, all_of.*between") as caught:
        wrong()  # type: ignore[operator]
    assert "hint: bracket each comparison" in str(caught.value)


def test_a_forgotten_bracket_says_so() -> None:
    with pytest.raises(WrongType, match="bracket each comparison"):
        field("a") > 1 & field("b")  # noqa: B015
    with pytest.raises(WrongType, match="between"):
        (field("a") > 1) < 5  # noqa: B015


def test_constants_and_windows_are_checked_when_they_are_written() -> None:
    with pytest.raises(OutOfRange, match="is_unknown"):
        field("a") == None  # noqa: B015, E711
    with pytest.raises(OutOfRange):
        field("a") > math.nan  # noqa: B015
    with pytest.raises(OutOfRange, match="within_days"):
        count("order", within_days=-1)
    with pytest.raises(OutOfRange, match="more than before_days"):
        count("order", within_days=30, before_days=30)
    with pytest.raises(OutOfRange, match="regular expression"):
        field("a").matches("(")
    with pytest.raises(EmptyInput):
        field("")
    with pytest.raises(EmptyInput):
        all_of()
    with pytest.raises(WrongType, match=r"isin\(\['gold'\]\)"):
        field("a").isin("gold")
    with pytest.raises(NaiveDatetime):
        field("a") > datetime(2026, 1, 1)  # noqa: B015


def test_now_must_be_aware() -> None:
    with pytest.raises(NaiveDatetime):
        Rule("r", field("a") > 1).decide({}, now=datetime(2026, 1, 1))


def test_a_rule_reads_as_a_sentence() -> None:
    rule = Rule(
        "regular",
        (count("order", within_days=90) >= 3) & any_of(field("tier").isin(["gold", "VIP"]), not_(field("blocked"))),
        then="thank you card",
        because="regulars stay",
    )
    assert str(rule) == (
        'Rule "regular": when number of order events within 90 days is at least 3 and (tier is one of "gold", "VIP" '
        "or blocked is no), then thank you card (regulars stay)."
    )
    assert rule.fields == ("tier", "blocked")
    assert rule.event_kinds == ("order",)


def test_a_decision_says_what_held_what_failed_and_what_is_needed() -> None:
    rule = Rule("vip", (field("profit_12m") >= 10_000) & (field("tier") == "gold"), then="lounge")
    decision = rule.decide({"profit_12m": 8_000, "tier": "silver"}, now=NOW)
    assert [r.truth for r in decision.reasons] == [Truth.FALSE, Truth.FALSE]
    needed = decision.needed
    assert needed is not None
    assert [str(c) for c in needed] == [
        "profit_12m must rise by 2,000 to at least 10,000",
        'tier must become "gold"',
    ]
    assert "silver" not in str(decision)
    assert "s•••" in str(decision)
    document = decision.to_dict()
    assert document["needed"][0]["by"] == 2_000
    assert json.loads(json.dumps(document)) == document
    assert "<table>" in decision._repr_html_()


def test_the_smallest_way_is_taken() -> None:
    rule = Rule("either", ((field("a") > 5) & (field("b") > 5)) | (field("c") == 1))
    needed = rule.decide({"a": 1, "b": 1, "c": 0}, now=NOW).needed
    assert needed is not None
    assert [str(c) for c in needed] == ["c must rise by 1 to 1"]


def test_long_rules_are_explained_without_deep_recursion() -> None:
    many = all_of(*(field(f"f{i}") >= i for i in range(1_500)))
    decision = Rule("long", many).decide({f"f{i}": i for i in range(1_499)}, now=NOW)
    assert [str(c) for c in decision.needed or ()] == ["f1499 must become known and be at least 1,499"]
    assert Rule.from_dict(Rule("long", many).to_dict()) == Rule("long", many)
    either = any_of(*(field(f"f{i}") >= i for i in range(1_500)))
    assert len(Rule("long", either).decide({}, now=NOW).needed or ()) == 1


def test_contradictions_have_no_way() -> None:
    decision = Rule("never", (field("a") > 5) & (field("a") < 3)).decide({"a": 4}, now=NOW)
    assert decision.needed is None
    assert "No change of facts would make it hold." in str(decision)


def test_round_trip_keeps_every_form() -> None:
    everything = all_of(
        field("a") + 1 >= 2.5, field("m") < Money.of("3", "THB"), field("t") < datetime(2026, 1, 1, tzinfo=UTC),
        field("d") == date(2026, 1, 1), field("l") != timedelta(days=1.5), days_since("service") > 3,
        days_until("t") <= 30, count("order", within_days=90, before_days=3, where=field("channel") == "web") >= 3,
        total("order", of="points") > 1, field("x").between(1, 3, closed="left"), field("x").isin([1, "a", True]),
        field("s").contains("a", case_sensitive=True), field("s").matches("a+"), field("g").has("x", "y"),
        field("x").exists(), field("x").is_unknown(), field("f").is_true(), (field("x") > 1).if_unknown(True),
        field("x").default(3) > 2, field("s").as_number() < 3, any_of(field("x") > math.inf, ~(field("y") == "é")),
    )  # fmt: skip
    rule = Rule("all", everything, then={"card": ["a", 1]}, weight=2.5, because="test")
    text = json.dumps(rule.to_dict())
    again = Rule.from_dict(json.loads(text))
    assert again == rule
    assert hash(again) == hash(rule)
    assert json.dumps(again.to_dict()) == text
    assert pickle.loads(pickle.dumps(rule)) == rule


def test_a_torn_document_names_every_fault_by_its_path() -> None:
    document = {
        "format": "crmcore.rule", "version": 2, "name": "x", "whn": 1,
        "when": {"op": "all", "args": [
            {"op": "contians", "args": [{"field": "a"}], "text": "b"},
            {"op": ">=", "args": [{"field": "a"}]},
            {"op": "in", "args": [{"field": "a"}], "choices": [{"field": "b"}]},
            {"op": "count", "within_days": -3, "event": "order"},
        ]},
    }  # fmt: skip
    with pytest.raises(BadDocument) as caught:
        Rule.from_dict(document)
    text = str(caught.value)
    for part in (
        "did you mean 'when'?", "$.version: this release reads version 1, not 2", "did you mean 'contains'?",
        "$.when.args[1].args: '>=' takes 2, not 1", "$.when.args[2].choices[0]: expected a constant",
        "$.when.args[3]: within_days = -3",
    ):  # fmt: skip
        assert part in text
