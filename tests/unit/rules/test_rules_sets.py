"""Rule sets: policies, unknown answers, lint, documents, tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crmcore.errors import BadDocument, EmptyInput, UnknownName, WrongType
from crmcore.rules import Facts, FactTable, Number, Rule, RuleSet, Schema, Truth, count, field
from crmcore.rules.schema import BadRule

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VIP = Rule("vip", field("profit") >= 10_000, then="VIP", weight=50)
LOYAL = Rule("loyal", field("orders") >= 3, then="regular", weight=30)
AWAY = Rule("away", field("days_away") > 90, then="win back", weight=-20)


def made(**options: Any) -> RuleSet:
    return RuleSet("levels", [VIP, LOYAL, AWAY], **options)


def test_first_match_takes_the_first_that_holds() -> None:
    assert made().decide({"profit": 20_000, "orders": 5}, now=NOW).outcome == "VIP"
    assert made(default="guest").decide({"profit": 1, "orders": 1, "days_away": 1}, now=NOW).outcome == "guest"


def test_unknown_is_no_ask_or_yes_as_configured() -> None:
    facts = {"orders": 5}
    assert made().decide(facts, now=NOW).outcome == "regular"
    asked = made(unknown="ask").decide(facts, now=NOW)
    assert (asked.outcome, asked.settled, asked.asks) == (None, False, ("profit",))
    assert "Find out first: profit." in str(asked)
    assert made(unknown="yes").decide(facts, now=NOW).outcome == "VIP"


def test_asking_stops_at_the_first_rule_that_holds() -> None:
    assert made(unknown="ask").decide({"profit": 20_000}, now=NOW).asks == ()


def test_all_matches_lists_every_outcome() -> None:
    verdict = made(policy="all matches", default="none").decide({"profit": 20_000, "orders": 5}, now=NOW)
    assert verdict.outcome == ["VIP", "regular"]
    assert made(policy="all matches", default="none").decide({"profit": 0, "orders": 0}, now=NOW).outcome == ["none"]


def test_scores_add_up_with_the_range_that_unknown_facts_leave() -> None:
    scored = made(policy="scored", bands={80: "hot", 50: "warm"}, default="cold")
    verdict = scored.decide({"profit": 20_000}, now=NOW)
    assert (verdict.score, verdict.score_range, verdict.outcome) == (50, (30, 80), "warm")
    assert "Score 50 (between 30 and 80)." in str(verdict)
    assert scored.decide({"profit": 0, "orders": 0, "days_away": 100}, now=NOW).outcome == "cold"
    assert made(policy="scored").decide({"profit": 20_000, "orders": 3}, now=NOW).outcome == 80


def test_a_verdict_explains_every_rule() -> None:
    verdict = made().decide({"profit": 9_000, "orders": 2, "days_away": 100}, now=NOW)
    document = verdict.to_dict()
    assert document["fired"] == ["away"]
    assert len(document["decisions"]) == 3
    assert json.loads(json.dumps(document)) == document
    assert "profit must rise by 1,000" in str(verdict)
    assert "<table>" in verdict._repr_html_()


def test_lint_finds_what_never_holds_or_never_gets_its_turn() -> None:
    rules = [
        Rule("adult", field("age") >= 18),
        Rule("senior", field("age") >= 65),
        Rule("nobody", (field("age") > 5) & (field("age") < 3)),
        Rule("gold", field("tier").isin(["gold", "VIP"])),
        Rule("gold", field("tier") == "VIP"),
        Rule("other", field("tier") == "basic"),
    ]
    found = [(f.kind, f.rule, f.other) for f in RuleSet("r", rules).lint()]
    assert found == [
        ("duplicate name", "gold", "gold"), ("contradiction", "nobody", None),
        ("shadowed", "senior", "adult"), ("shadowed", "gold", "gold"),
    ]  # fmt: skip
    assert "'senior' never gets its turn" in str(RuleSet("r", rules).lint()[2])


def test_lint_of_all_matches_finds_conflicts_instead() -> None:
    same = [Rule("a", field("x") > 1, then="yes"), Rule("b", ~(field("x") <= 1), then="no"), Rule("c", field("x") > 2)]
    assert [str(f) for f in RuleSet("r", same, policy="all matches").lint()] == [
        "conflict: 'a' and 'b' ask the same and give different outcomes"
    ]


def test_documents_round_trip_and_name_every_fault() -> None:
    scored = made(policy="scored", bands={80: "hot"}, default="cold", unknown="ask")
    text = json.dumps(scored.to_dict())
    again = RuleSet.from_dict(json.loads(text))
    assert again == scored
    assert json.dumps(again.to_dict()) == text
    torn = scored.to_dict()
    torn |= {"policy": "frist match", "bands": [{"at_least": "x"}]}
    torn["rules"][1]["when"] = {"op": "=>", "args": []}
    with pytest.raises(BadDocument) as caught:
        RuleSet.from_dict(torn)
    for part in ("unknown policy 'frist match'", "did you mean 'first match'", "$.bands[0]", "$.rules[1].when"):
        assert part in str(caught.value)


def test_a_set_checks_all_its_rules_at_once() -> None:
    with pytest.raises(BadRule) as caught:
        made().check(Schema({"profits": Number(), "orders": Number()}))
    assert "vip: `profit`" in str(caught.value)
    assert "away: `days_away`" in str(caught.value)


def test_a_set_refuses_what_it_cannot_be() -> None:
    with pytest.raises(EmptyInput):
        RuleSet("r", [])
    with pytest.raises(UnknownName, match="first match"):
        made(policy="first")
    with pytest.raises(WrongType, match="bands"):
        made(bands={1: "a"})
    with pytest.raises(WrongType, match=r"Rule\('name', condition\)"):
        RuleSet("r", [field("a") > 1])  # type: ignore[list-item]
    with pytest.raises(WrongType, match="then"):
        Rule("r", field("a") > 1, then=object())
    with pytest.raises(UnknownName, match="did you mean 'loyal'"):
        made()["loyl"]


@pytest.mark.parametrize("policy", ["first match", "all matches", "scored"])
@pytest.mark.parametrize("unknown", ["no", "ask", "yes"])
def test_a_table_gives_the_outcomes_of_its_subjects(policy: str, unknown: str) -> None:
    values = [None, 0, 20_000]
    rows = [Facts({"profit": p, "orders": o, "days_away": d}) for p in values for o in (None, 1, 5) for d in (None, 99)]
    table = FactTable.of_facts(rows)
    bands = {80: "hot", 30: "warm"} if policy == "scored" else {}
    rules = made(policy=policy, unknown=unknown, default="none", bands=bands)
    decided = rules.decide_all(table, now=NOW)
    verdicts = [rules.decide(f, now=NOW) for f in rows]
    assert decided.outcomes() == [v.outcome for v in verdicts]
    assert decided.settled.tolist() == [v.settled for v in verdicts]
    assert decided[3].outcome == verdicts[3].outcome
    frame = decided.to_frame()
    assert frame["rule: vip"][0] == Truth.UNKNOWN
    assert len(frame["customer"]) == len(rows)
    assert sum(decided.counts().values()) == len(rows) or policy != "first match"
    assert decided.chart().rows
    assert "18 subjects" in str(decided)
    assert "<table>" in decided._repr_html_()


def test_a_subject_of_a_table_is_explained_by_its_id() -> None:
    table = FactTable.of_facts([Facts({"profit": 3}, subject="c1", events=[])])
    rules = RuleSet("r", [Rule("new", count("order") == 0, then="welcome")])
    assert rules.decide_all(table, now=NOW).explain("c1").outcome == "welcome"
    with pytest.raises(UnknownName, match="did you mean 'c1'"):
        table.of("c2")
