"""Row 200, and what other rows ask of the rules engine: rooms own those rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crmcore.rules import (
    Amount,
    Event,
    Facts,
    FactTable,
    Number,
    Rule,
    RuleSet,
    Schema,
    Text,
    Tier,
    Tiers,
    Truth,
    count,
    days_since,
    field,
    total,
)
from crmcore.rules.making import followed_by, switches
from crmcore.rules.schema import EventKind, Labels
from crmcore.values import Money

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
SCHEMA = Schema(
    {"profit_12m": Amount("THB"), "complaint_open": Text(["yes", "no"]), "years": Number()},
    events={"order": EventKind(Amount("THB"))},
)
BANK = RuleSet(
    "bank",
    [
        Rule("careful", field("complaint_open") == "yes", then="no offer", because="an open case comes first"),
        Rule("rich", field("profit_12m") >= Money.of("10000", "THB"), then="lounge"),
    ],
    unknown="ask",
    default="standard",
)
SHOP = RuleSet(
    "shop",
    [
        Rule("often", count("order", within_days=90) >= 3, then="lounge", weight=60),
        Rule("spender", total("order", within_days=365) >= Money.of("500", "THB"), weight=30),
        Rule("upset", field("complaint_open") == "yes", weight=-50),
    ],
    policy="scored",
    bands={80: "lounge", 30: "coupon"},
    default="standard",
)


def happened(kind: str, *days_ago: float, amount: Money | None = None, **attributes: object) -> list[Event]:
    return [Event(kind=kind, time=NOW - timedelta(days=d), amount=amount, attributes=attributes) for d in days_ago]


def test_row_200_two_organisations_are_two_documents_and_two_behaviours(tmp_path: Path) -> None:
    people = [
        Facts(
            {"profit_12m": Money.of("12000", "THB"), "complaint_open": "no"},
            events=happened("order", 200, amount=Money.of("100", "THB")), subject="anna",
        ),
        Facts(
            {"profit_12m": Money.of("800", "THB"), "complaint_open": "no"},
            events=happened("order", 1, 20, 60, amount=Money.of("200", "THB")), subject="bert",
        ),
        Facts(
            {"complaint_open": "yes"},
            events=happened("order", 1, 20, 60, amount=Money.of("200", "THB")), subject="carl",
        ),
        Facts({"complaint_open": "no"}, events=[], subject="dora"),
    ]  # fmt: skip
    expected = {
        "bank": ["lounge", "standard", "no offer", None],  # the bank asks for dora's profit first
        "shop": ["standard", "lounge", "coupon", "standard"],
    }
    table = FactTable.of_facts(people)
    for configured in (BANK, SHOP):
        file = tmp_path / f"{configured.name}.json"
        file.write_text(json.dumps(configured.to_dict(), indent=2))
        rules = RuleSet.from_dict(json.loads(file.read_text()), schema=SCHEMA)  # the organisation is a file
        verdicts = [rules.decide(facts, now=NOW) for facts in people]
        assert [v.outcome for v in verdicts] == expected[rules.name]
        assert rules.decide_all(table, now=NOW).outcomes() == expected[rules.name]
        assert rules.lint() == ()
        for verdict in verdicts:  # both explained, in words and as data
            assert all(d.rule.name in str(verdict) for d in verdict.decisions)
            assert json.loads(json.dumps(verdict.to_dict())) == verdict.to_dict()
        assert "because" in json.dumps(rules.to_dict()) or rules.name == "shop"
    asked = BANK.decide(people[3], now=NOW)
    assert (asked.settled, asked.asks) == (False, ("profit_12m",))
    assert SHOP.decide(people[2], now=NOW).score == 60 + 30 - 50


def test_a_document_of_one_organisation_fails_on_the_facts_of_another() -> None:
    with pytest.raises(ValueError, match=r"profit_12m.*no such fact; did you mean 'profit'"):
        RuleSet.from_dict(BANK.to_dict(), schema=Schema({"profit": Amount("THB"), "complaint_open": Text}))


def test_news_goes_to_those_with_high_accumulated_purchases() -> None:  # beside row 23
    rule = Rule("priority", total("order") >= Money.of("700", "THB"))
    rows = [Facts(events=happened("order", *[i] * i, amount=Money.of("100", "THB"))) for i in range(10)]
    assert rule.mask(FactTable.of_facts(rows), now=NOW).true.sum() == 3
    nearly = rule.decide(rows[6], now=NOW)
    assert "must rise by 100.00 THB to at least 700.00 THB" in str(nearly)


def test_vip_by_profit_has_grace_before_it_falls() -> None:  # beside row 26
    line = Money.of("10000", "THB")
    tiers = Tiers("banking", [Tier("VIP", field("profit_12m") >= line, grace_days=90, gives=["lounge"])])
    first = tiers.assign(None, {"profit_12m": Money.of("12000", "THB")}, now=NOW)
    assert (first.standing.tier, first.gives) == ("VIP", ("lounge",))
    less = {"profit_12m": Money.of("8000", "THB")}
    grace = tiers.assign(first.standing, less, now=NOW + timedelta(days=365))
    assert (grace.standing.tier, str(grace.move and grace.move.kind)) == ("VIP", "grace started")
    assert tiers.assign(grace.standing, less, now=NOW + timedelta(days=454)).move is None
    assert tiers.assign(grace.standing, less, now=NOW + timedelta(days=455)).standing.tier == "none"
    back = {"profit_12m": line}  # exactly on the line
    assert tiers.assign(grace.standing, back, now=NOW + timedelta(days=400)).standing.grace_until is None


LADDER = Tiers(
    "ladder",
    [
        Tier("prospect", count("visit") >= 1),
        Tier("buyer", count("order") >= 1),
        Tier("regular", count("order", within_days=90) >= 3, leave=count("order") < 3),
        Tier("advocate", (count("referral") >= 2) | ((count("defence") >= 3) & (count("referral") >= 1))),
    ],
    base="stranger",
)


def test_the_ladder_has_four_dated_transitions() -> None:  # beside row 29
    events = [*happened("visit", 100), *happened("order", 90, 60, 30), *happened("referral", 20, 10)]
    moves = LADDER.history(Facts(events=events), until=NOW)
    assert [(m.after, (NOW - m.at).days) for m in moves] == [
        ("prospect", 100), ("buyer", 90), ("regular", 30), ("advocate", 10)
    ]  # fmt: skip
    slow = [*happened("visit", 400), *happened("order", 300, 200, 100)]
    assert LADDER.history(Facts(events=slow), until=NOW)[-1].after == "buyer"


def test_advocates_defend_and_refer_and_purchases_alone_do_not_make_one() -> None:  # beside row 30
    defends = Facts(events=[*happened("defence", 9, 8, 7), *happened("referral", 3)])
    buys = Facts(events=happened("order", *range(50)))
    assert LADDER.assign(None, defends, now=NOW).standing.tier == "advocate"
    assert LADDER.assign(None, buys, now=NOW).standing.tier == "regular"


def test_maintenance_is_due_by_distance_or_time_whichever_comes_first() -> None:  # beside row 44
    due = Rule("due", (field("km") - field("km_at_service") >= 10_000) | (days_since("service") >= 182))
    serviced = happened("service", 182)
    assert due.decide(Facts({"km": 25_000, "km_at_service": 20_000}, events=serviced), now=NOW).holds
    assert due.decide(Facts({"km": 30_000, "km_at_service": 20_000}, events=happened("service", 3)), now=NOW).holds
    never = due.decide(Facts({"km": 25_000, "km_at_service": 20_000}, events=[]), now=NOW)
    assert never.truth is Truth.UNKNOWN


def test_an_offer_goes_only_to_who_can_use_it_and_the_reason_is_told() -> None:  # beside row 53
    eligible = Rule(
        "eligible", field("home").isin(["MCO", "JFK"]), schema=Schema({"home": Text(["MCO", "JFK", "TPA"])})
    )
    refused = eligible.decide({"home": "TPA"}, now=NOW)
    assert not refused.holds
    assert 'Failed: home is one of "MCO", "JFK" ("TPA")' in str(refused)
    assert 'home must become "JFK" or "MCO"' in str(refused)
    assert eligible.decide({"home": "JFK"}, now=NOW).holds
    assert eligible.decide({}, now=NOW).truth is Truth.UNKNOWN


def test_an_open_serious_case_suppresses_cross_selling() -> None:  # beside row 60
    sell = Rule("cross-sell", ~(field("open_severity") <= 1).if_unknown(False))
    assert not sell.decide({"open_severity": 1}, now=NOW).holds
    assert sell.decide({"open_severity": 3}, now=NOW).holds
    assert sell.decide({}, now=NOW).holds  # no case is open


def test_an_allergy_rules_out_whatever_else_holds() -> None:  # beside row 102
    safe = Rule("safe", ~field("contains").has("nuts"), schema=Schema({"contains": Labels(["nuts", "milk"])}))
    assert not safe.decide({"contains": {"nuts", "milk"}}, now=NOW).holds
    assert safe.decide({"contains": {"milk"}}, now=NOW).holds
    assert not safe.decide({}, now=NOW).holds  # unknown ingredients are not safe


def test_three_switches_in_48_hours_are_one_alert() -> None:  # beside row 116
    alert = Tiers("hesitation", [Tier("hesitating", count("switch", within_days=2) >= 3)])
    switches = happened("switch", 1.9, 1.5, 1.0, 0.5, 0.1)
    moves = alert.history(Facts(events=switches), until=NOW, also_at=[NOW - timedelta(hours=h) for h in range(40)])
    assert [(str(m.kind), m.at) for m in moves] == [("up", NOW - timedelta(days=1))]
    apart = alert.history(Facts(events=happened("switch", 4, 2, 1)), until=NOW)
    assert apart == ()


def test_a_second_failure_within_a_year_counts_more() -> None:  # beside row 196
    repeat = Rule("repeat", count("failure", within_days=365) >= 2, then={"severity": -1}, because="burned before")
    assert repeat.decide(Facts(events=happened("failure", 300, 0)), now=NOW).outcome == {"severity": -1}
    assert not repeat.decide(Facts(events=happened("failure", 365, 0)), now=NOW).holds


def _steps(*what: tuple[float, str]) -> Facts:
    return Facts({}, events=[Event(kind=kind, time=NOW - timedelta(hours=hours)) for hours, kind in what])


def test_row_116_three_switches_in_48_hours_are_one_trigger() -> None:
    waiting = count("help offered", within_days=2) == 0
    hesitates = Rule("hesitates", (switches("explore", "evaluate", within_days=2) >= 3) & waiting, then="offer help")
    torn = [(40, "explore"), (30, "evaluate"), (20, "explore"), (1, "evaluate")]
    assert hesitates.decide(_steps(*torn), now=NOW).outcome == "offer help"
    assert not hesitates.decide(_steps(*torn, (0, "help offered")), now=NOW).holds  # one trigger only
    assert not hesitates.decide(_steps((49, "explore"), *torn[1:]), now=NOW).holds  # the first has left the window
    assert not hesitates.decide(_steps((9, "explore"), (8, "evaluate"), (7, "evaluate"), (6, "explore")), now=NOW).holds
    everybody = FactTable.of_facts([_steps(*torn), _steps(*torn[1:])])
    assert hesitates.mask(everybody, now=NOW).true.tolist() == [True, False]


def test_row_060_an_open_case_holds_back_the_offer_until_it_is_resolved() -> None:
    grave = (field("severity") == 1) & ~followed_by("case resolved")
    quiet = Rule("may sell", count("case opened", where=grave) == 0)
    opened = Event(kind="case opened", time=NOW - timedelta(days=1), attributes={"severity": 1})
    slight = Event(kind="case opened", time=NOW, attributes={"severity": 3})
    resolved = Event(kind="case resolved", time=NOW)
    assert not quiet.decide(Facts({}, events=[opened]), now=NOW).holds
    assert quiet.decide(Facts({}, events=[slight]), now=NOW).holds
    assert quiet.decide(Facts({}, events=[opened, resolved]), now=NOW).holds
