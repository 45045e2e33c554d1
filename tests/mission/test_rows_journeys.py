"""Rows of the mission that journeys answer: 10, 59, 62, 114, 115, 116, 122."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.rules import Event, Facts
from crmcore.touchpoints.journeys import (
    IdentityMap,
    Journeys,
    funnel,
    hesitation_rule,
    hesitations,
    in_states,
    journeys,
    loop_backs,
    merged,
    phases,
    redundancies,
    simplify,
    state_loops,
    stitch,
)

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def _at(*hours: float) -> list[str]:
    return [(DAY + timedelta(hours=h)).isoformat() for h in hours]


def test_row_010_a_member_is_one_profile_from_booking_to_lounge() -> None:
    events = {
        "visitor": ["lounge-4", "web-9", "kiosk-2"],
        "step": ["lounge", "booking", "check-in"],
        "time": _at(30, 0, 28),
    }
    links = IdentityMap.from_frame(
        {"visitor": ["web-9", "kiosk-2", "lounge-4"], "customer": ["M123"] * 3, "time": _at(0, 28, 30)}
    )
    apart = journeys(events, grain="visitor")
    assert len(apart) == 3
    whole = journeys(events, grain=stitch(events, links))
    assert len(whole) == 1
    assert whole[0].steps == ("booking", "check-in", "lounge")
    assert "M123" not in repr(whole[0])
    assert len(journeys(events, grain="visitor")) == 3  # reversible
    before = journeys(events, grain=stitch(events, links, as_of=DAY + timedelta(hours=29)))
    assert [w.steps for w in before] == [("booking", "check-in"), ("lounge",)]


def test_row_059_leads_that_are_handed_over_sum_to_all_leads() -> None:
    leads = {
        "lead": ["l1", "l1", "l1", "l2", "l2", "l3", "l4"],
        "step": ["qualified", "accepted", "served", "qualified", "declined", "qualified", "qualified"],
        "time": _at(0, 5, 50, 0, 3, 0, 99),
    }
    walks = journeys(leads, grain="lead")
    hand_over = funnel(
        walks, ["qualified", ("accepted", "declined")], window_s=24 * 3600, observed_until=DAY + timedelta(hours=100)
    )
    first = hand_over["qualified"]
    answered = hand_over["accepted or declined"].reached
    assert (first.reached, answered, first.dropped, first.pending) == (4, 2, 1, 1)
    assert first.reached == answered + first.dropped + first.pending


def test_row_062_a_step_done_twice_is_found_with_its_minutes() -> None:
    log = {"case": ["k1"] * 4, "step": ["A", "B", "B", "C"], "time": _at(0, 1, 1.25, 2)}
    found = redundancies(journeys(log, grain="case"))
    assert [(s.step, s.count, s.minutes) for s in found.steps] == [("B", 1, 15.0)]
    begun = redundancies(journeys(log, grain="case"), times="start")
    assert begun["B"].minutes == 45.0


STATES = {
    "facebook ad": "trigger",
    "tiktok reviews": "explore",
    "shopee compare": "evaluate",
    "line friend": "explore",
    "purchase": "purchase",
}


def test_row_114_a_journey_loops_back_and_begins_where_it_likes() -> None:
    walk = list(STATES)
    found = in_states(Journeys.of([walk]), STATES)
    assert found.length.tolist() == [5]
    assert loop_backs(found).tolist() == [1]
    assert phases(found) == ("trigger", "explore", "evaluate", "re-evaluate", "purchase")
    named = in_states(Journeys.of([walk]), {**STATES, "line friend": "re-evaluate"})
    assert loop_backs(named).tolist() == [1]
    for begin in range(5):  # no begin is enforced
        part = in_states(Journeys.of([walk[begin:]]), STATES)
        assert part.length.tolist() == [5 - begin]


def test_row_115_back_and_forth_is_counted_with_its_dwell() -> None:
    walk = Journeys.of([["explore", "evaluate", "explore", "evaluate", "purchase"]], times_s=[[0, 60, 120, 300, 600]])
    found = state_loops(walk)
    assert found.switches.tolist() == [3]
    assert found.dwell["explore"].time.tolist() == [60, 180]
    assert found.dwell["evaluate"].time.tolist() == [60, 300]
    assert found.expected_returns.tolist() == pytest.approx([1, 1])


def test_row_116_three_switches_in_two_days_are_one_trigger() -> None:
    hours, states = [0, 8, 20, 30, 40], ["explore", "evaluate"] * 2 + ["explore"]
    walk = Journeys.of([states], times_s=[[DAY.timestamp() + 3600 * h for h in hours]])
    found = hesitations(walk, next_action="a comparison of both models")
    assert len(found) == 1
    assert found.to_frame()["next_action"] == ["a comparison of both models"]
    events = [Event(kind=s, time=DAY + timedelta(hours=h)) for s, h in zip(states, hours, strict=True)]
    rule = hesitation_rule()
    decisions = [rule.decide(Facts({}, events=events), now=DAY + timedelta(hours=h)) for h in (20, 30, 40, 90)]
    assert [str(d.truth) for d in decisions] == ["false", "true", "true", "false"]
    assert len(hesitations(walk, within_hours=29)) == 0


def test_row_122_nine_steps_become_six() -> None:
    form, papers, phone = ["fill in", "confirm"], ["scan", "upload"], ["call", "note"]
    walks = Journeys.of(
        [
            [*form, "ask", *papers, "pay", *phone, "wait"],
            [*papers, "ask", *form, "wait", *phone, "pay"],
            [*phone, "pay", *papers, "ask", *form, "wait"],
        ]
    )
    found = simplify(walks)
    assert (found.before.mean_steps, found.after.mean_steps) == (9, 6)
    assert sorted([m.first, m.second] for m in found.merges) == sorted([form, papers, phone])
    assert found.minutes > 0
    assert merged(walks, found.merges).length.tolist() == [6, 6, 6]
