"""Rows of the feature list that service-level clocks own, and what they give to rows of the rooms above."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import (
    ClockEvent,
    ClockEventTable,
    ClockHistory,
    ClockPolicy,
    Escalation,
    Targets,
    clock_columns,
    escalations_between,
    read_clocks,
)

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)  # a Monday
ALWAYS = BusinessCalendar.always("UTC")


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def test_row_166_an_auto_receipt_is_a_receipt_and_no_first_response() -> None:
    policy = ClockPolicy(ALWAYS, Targets(acknowledgement_minutes=5, first_response_minutes=60))
    events = [
        ClockEvent(NINE, "created"),
        ClockEvent(at(2), "agent reply", actor="automation"),
        ClockEvent(at(3), "receipt"),
        ClockEvent(at(10), "agent reply", visibility="private"),
        ClockEvent(at(70), "agent reply"),
    ]
    found = read_clocks(events, policy, now=at(80))
    assert (found["acknowledgement"].state, found["acknowledgement"].minutes) == (
        "met",
        2,
    )  # the bot's words came first
    assert (found["first response"].state, found["first response"].minutes) == ("breached", 70)
    receipt_alone = read_clocks([events[0], events[2]], policy, now=at(30))
    assert (receipt_alone["acknowledgement"].state, receipt_alone["acknowledgement"].minutes) == ("met", 3)
    assert (receipt_alone["first response"].state, receipt_alone["first response"].minutes) == ("running", 30)
    note_alone = read_clocks([events[0], events[3]], policy, now=at(30))
    assert [note_alone[c].state for c in ("acknowledgement", "first response")] == ["breached", "running"]
    columns = clock_columns(ClockEventTable.of([ClockHistory.of(events, case="7")]), policy, now=at(80))
    assert columns.of("acknowledgement").minutes.tolist() == [2]
    assert columns.of("first response").breached.tolist() == [True]


def test_a_complaint_at_nine_with_four_hours_is_breached_at_one_and_escalated() -> None:
    policy = ClockPolicy(ALWAYS, Targets(first_response_minutes=240))
    mention = ClockHistory.of([ClockEvent(NINE, "created")], case="tweet")
    found = read_clocks(mention, policy, now=at(600))["first response"]
    assert (found.state, found.minutes, found.breaches_at) == ("breached", 600, NINE.replace(hour=13))
    late = Escalation(clock="first response", level=2)
    fired = escalations_between(mention, [late], policy, since=NINE, until=at(600))
    assert [(d.fires_at, d.escalation.level) for d in fired] == [(NINE.replace(hour=13), 2)]
    answered = mention + ClockHistory.of([ClockEvent(at(240), "agent reply")])
    assert escalations_between(answered, [late], policy, since=NINE, until=at(600)) == ()


def test_a_voicemail_on_friday_evening_waits_65_hours_of_which_2_are_business() -> None:
    desk = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "18:00")]})
    friday = datetime(2026, 6, 5, 16, tzinfo=UTC)  # 18:00 in Berlin
    events = [ClockEvent(friday, "created"), ClockEvent(datetime(2026, 6, 8, 9, tzinfo=UTC), "agent reply")]
    now = datetime(2026, 6, 8, 10, tzinfo=UTC)
    assert read_clocks(events, ClockPolicy(desk), now=now)["first response"].minutes == 2 * 60
    assert read_clocks(events, ClockPolicy(ALWAYS), now=now)["first response"].minutes == 65 * 60
