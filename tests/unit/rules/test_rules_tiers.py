"""Tiers: two lines, shortest stay, grace, changes only."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from crmcore.errors import BadDocument, ConflictingConstraints, EmptyInput, NaiveDatetime, OutOfRange, UnknownName
from crmcore.rules import Event, Facts, FactTable, Number, Schema, Tier, Tiers, Vocabulary, count, field
from crmcore.rules.making import call
from crmcore.rules.schema import BadRule
from crmcore.rules.standings import MoveKind, Standing

START = datetime(2026, 1, 1, tzinfo=UTC)
BANK = Tiers(
    "bank",
    [
        Tier("gold", field("profit") >= 5_000, leave=field("profit") < 4_000, gives=["priority line"]),
        Tier("VIP", field("profit") >= 10_000, leave=field("profit") < 9_000, grace_days=90, min_stay_days=30,
             gives=["lounge"]),
    ],
)  # fmt: skip


def walk(tiers: Tiers, *steps: tuple[int, object]) -> list[tuple[str, str | None]]:
    """Tier and move after each (day, profit)."""
    standing, found = None, []
    for day, profit in steps:
        made = tiers.assign(standing, {"profit": profit}, now=START + timedelta(days=day))
        standing = made.standing
        found.append((standing.tier, None if made.move is None else str(made.move.kind)))
    return found


def test_between_the_two_lines_nothing_moves() -> None:
    assert walk(BANK, (0, 5_000), (1, 4_500), (2, 4_999), (3, 4_000), (4, 3_999), (5, 4_500)) == [
        ("gold", "up"), ("gold", None), ("gold", None), ("gold", None), ("none", "down"), ("none", None),
    ]  # fmt: skip


def test_grace_starts_once_and_ends_in_the_fall() -> None:
    assert walk(BANK, (0, 12_000), (60, 8_000), (61, 8_000), (149, 8_000), (150, 8_000)) == [
        ("VIP", "up"), ("VIP", "grace started"), ("VIP", None), ("VIP", None), ("gold", "down"),
    ]  # fmt: skip


def test_who_recovers_in_grace_keeps_the_tier() -> None:
    assert walk(BANK, (0, 12_000), (60, 8_000), (70, 9_500), (71, 8_000)) == [
        ("VIP", "up"), ("VIP", "grace started"), ("VIP", "grace ended"), ("VIP", "grace started"),
    ]  # fmt: skip


def test_the_shortest_stay_comes_before_grace() -> None:
    made = BANK.assign(Standing("VIP", START), {"profit": 1}, now=START + timedelta(days=29))
    assert (made.move, made.reason) == (None, "keeps VIP at least until 2026-01-31, though profit is below 9,000 (1)")


def test_unknown_facts_move_nobody() -> None:
    made = BANK.assign(Standing("VIP", START), {}, now=START + timedelta(days=400))
    assert (made.standing.tier, made.move) == ("VIP", None)
    assert made.reason == "keeps VIP (unknown facts move nobody)"
    assert BANK.assign(None, {}, now=START).standing.tier == "none"


def test_a_fall_may_pass_several_tiers_and_a_rise_may_too() -> None:
    plain = Tiers("plain", [Tier("gold", field("profit") >= 5), Tier("VIP", field("profit") >= 10)])
    assert walk(plain, (0, 12), (1, 1), (2, 6), (3, 12), (4, 6)) == [
        ("VIP", "up"), ("none", "down"), ("gold", "up"), ("VIP", "up"), ("gold", "down"),
    ]  # fmt: skip


def test_reasons_and_entitlements_are_told() -> None:
    made = BANK.assign(None, {"profit": 12_000}, now=START)
    assert made.gives == ("priority line", "lounge")
    assert str(made) == "VIP since 2026-01-01: enters VIP: profit is at least 10,000 (12,000)"
    assert made.move is not None
    assert str(made.move) == "2026-01-01 up: enters VIP: profit is at least 10,000 (12,000)"
    later = BANK.assign(made.standing, {"profit": 8_000}, now=START + timedelta(days=60))
    assert later.reason == "keeps VIP in grace until 2026-05-31, then falls: profit is below 9,000 (8,000)"
    last = BANK.assign(later.standing, {"profit": 8_000}, now=START + timedelta(days=200))
    assert last.reason == "falls from VIP to gold after its grace: profit is below 9,000 (8,000)"
    assert "- VIP: enter when profit is at least 10,000; leave when profit is below 9,000; 90 days of grace" in str(
        BANK
    )
    assert "<table>" in BANK._repr_html_()


def test_history_dates_every_move_by_its_evidence() -> None:
    rungs = [Tier("visitor", count("visit") >= 1), Tier("buyer", count("order") >= 1)]
    ladder = Tiers("ladder", rungs, base="stranger")
    facts = Facts(events=[Event(kind=k, time=START + timedelta(days=d)) for k, d in (("order", 9), ("visit", 2))])
    moves = ladder.history(facts, until=START + timedelta(days=30))
    assert [(m.at.day, m.before, m.after) for m in moves] == [(3, "stranger", "visitor"), (10, "visitor", "buyer")]


def test_all_subjects_step_together_and_only_changes_are_events() -> None:
    profits = [12_000, 6_000, 1, None]
    table = FactTable.of_facts([Facts({"profit": p}, subject=f"c{i}") for i, p in enumerate(profits)])
    first = BANK.assign_all(None, table, now=START)
    assert first.standings.counts() == {"none": 2, "gold": 1, "VIP": 1}
    assert first.to_frame()["customer"] == ["c0", "c1"]
    again = BANK.assign_all(first.standings, table, now=START + timedelta(days=1))
    assert not again.changed.any()
    worse = FactTable.of_facts([Facts({"profit": 1}, subject=f"c{i}") for i in range(5)])
    last = BANK.assign_all(again.standings, worse, now=START + timedelta(days=40))
    assert last.moves() == {
        MoveKind.UP: 0, MoveKind.DOWN: 1, MoveKind.GRACE_STARTED: 1, MoveKind.GRACE_ENDED: 0
    }  # fmt: skip
    assert last[0].standing == last.standings[0]
    assert str(last) == "5 subjects: up 0, down 1, grace started 1, grace ended 0"
    assert last.chart().rows[0]["value"] == 4
    assert last.standings.to_frame()["tier"] == ["VIP", "none", "none", "none", "none"]
    assert "<table>" in last._repr_html_()
    assert "VIP 1" in repr(last.standings)


def test_documents_round_trip_and_name_their_faults() -> None:
    text = json.dumps(BANK.to_dict())
    assert Tiers.from_dict(json.loads(text)) == BANK
    torn = BANK.to_dict()
    torn["tiers"][0]["grace"] = 3
    torn["tiers"][1]["grace_days"] = -3
    with pytest.raises(BadDocument) as caught:
        Tiers.from_dict(torn)
    assert "did you mean 'grace_days'" in str(caught.value)
    assert "$.tiers[1]: grace_days = -3" in str(caught.value)


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(EmptyInput):
        Tiers("none", [])
    with pytest.raises(ConflictingConstraints, match="tiers of one name"):
        Tiers("two", [Tier("a", field("x") > 1), Tier("a", field("x") > 2)])
    with pytest.raises(ConflictingConstraints, match="leave below the line"):
        Tiers("flaps", [Tier("a", field("x") > 5, leave=field("x") > 1)])
    with pytest.raises(OutOfRange, match="grace_days"):
        Tier("a", field("x") > 5, grace_days=-1)
    with pytest.raises(OutOfRange, match="tiers move forward"):
        BANK.assign(Standing("VIP", START), {}, now=START - timedelta(days=1))
    with pytest.raises(UnknownName, match="did you mean 'gold'"):
        BANK.assign(Standing("Gold", START), {}, now=START)
    with pytest.raises(NaiveDatetime):
        BANK.assign(None, {}, now=START.replace(tzinfo=None))
    with pytest.raises(NaiveDatetime):
        BANK.assign_all(None, FactTable.of_facts([{"profit": 1}]), now=START.replace(tzinfo=None))
    with pytest.raises(BadRule, match="VIP: `profit`: no such fact"):
        BANK.check(Schema({"profits": Number()}))
    with pytest.raises(BadRule):
        Tiers.from_dict(BANK.to_dict(), schema=Schema({"profits": Number()}))


def test_functions_of_a_vocabulary_reach_tiers() -> None:
    words = Vocabulary({"thousands": lambda x: x / 1000})
    tiers = Tiers("called", [Tier("big", call("thousands", field("profit")) >= 10)], vocabulary=words)
    assert tiers.assign(None, {"profit": 10_000}, now=START).standing.tier == "big"
    assert tiers.assign_all(None, FactTable.of_facts([{"profit": 10_000}]), now=START).standings[0].tier == "big"
