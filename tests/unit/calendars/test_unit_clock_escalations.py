"""Escalations by example."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import (
    ClockEvent,
    ClockEventTable,
    ClockHistory,
    ClockPolicy,
    Escalation,
    Targets,
    escalation_schedule,
    escalations_between,
)
from crmcore.documents import from_dict, to_dict
from crmcore.errors import DuplicateIds, NaiveDatetime, OutOfRange, UnknownName

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)  # a Monday
ALWAYS = BusinessCalendar.always("UTC")
OFFICE = BusinessCalendar("UTC", {"mon-fri": [("09:00", "17:00")]})
HOURS = timedelta(hours=1)


def fired(*events: tuple[float, str], rule: Escalation, policy: ClockPolicy, hours: float = 240) -> list[datetime]:
    made = [ClockEvent(NINE + h * HOURS, *kind.split(": ")) for h, kind in ((0, "created"), *events)]
    return [d.fires_at for d in escalation_schedule(made, [rule], policy, until=NINE + hours * HOURS)]


def test_nobody_is_reminded_at_midnight() -> None:
    policy = ClockPolicy(OFFICE, Targets(resolution_minutes=480 + 60))  # due on Tuesday at 10
    ten_hours = {"clock": "resolution", "when": "before", "minutes": 600, "counting": "wall"}
    assert fired(rule=Escalation(**ten_hours, hours="any time"), policy=policy) == [NINE + 15 * HOURS]  # at midnight
    assert fired(rule=Escalation(**ten_hours), policy=policy) == [NINE + 24 * HOURS]


def test_business_minutes_before_and_after_a_breach_skip_the_night() -> None:
    policy = ClockPolicy(OFFICE, Targets(resolution_minutes=480 + 60))
    for when, minutes, hours in (("before", 120, 7), ("at", 0, 25), ("after", 480, 49)):
        rule = Escalation(clock="resolution", when=when, minutes=minutes)
        assert fired(rule=rule, policy=policy) == [NINE + hours * HOURS]


def test_an_event_of_the_very_instant_comes_first() -> None:
    policy = ClockPolicy(ALWAYS, Targets(first_response_minutes=60))
    rule = Escalation(clock="first response")
    assert fired((1, "agent reply"), rule=rule, policy=policy) == []
    assert fired((1.01, "agent reply"), rule=rule, policy=policy) == [NINE + HOURS]


def test_a_pause_moves_the_escalation_and_a_stop_ends_it() -> None:
    policy = ClockPolicy(ALWAYS, Targets(resolution_minutes=120))
    rule = Escalation(clock="resolution")
    assert fired((1, "status: pending"), rule=rule, policy=policy) == []
    assert fired((1, "status: pending"), (5, "status: open"), rule=rule, policy=policy) == [NINE + 6 * HOURS]
    assert fired((1, "resolved"), rule=rule, policy=policy) == []


def test_a_reopened_case_that_resumes_is_not_escalated_twice() -> None:
    events = ((3, "resolved"), (4, "reopened"), (9, "resolved"))
    targets, rule = Targets(resolution_minutes=120), Escalation(clock="resolution")
    assert fired(*events, rule=rule, policy=ClockPolicy(ALWAYS, targets)) == [NINE + 2 * HOURS]
    anew = ClockPolicy(ALWAYS, targets, on_reopen="new cycle")
    assert fired(*events, rule=rule, policy=anew) == [NINE + 2 * HOURS, NINE + 6 * HOURS]


def test_a_stricter_priority_fires_at_once() -> None:
    policy = ClockPolicy(ALWAYS, {"any": Targets(resolution_minutes=600), "urgent": Targets(resolution_minutes=60)})
    assert fired((3, "priority: urgent"), rule=Escalation(clock="resolution"), policy=policy) == [NINE + 3 * HOURS]
    assert fired(rule=Escalation(clock="total resolution"), policy=policy) == []  # it bears no target here


def test_wall_minutes_after_a_breach_pass_in_pauses_too() -> None:
    policy = ClockPolicy(ALWAYS, Targets(resolution_minutes=60))
    rule = Escalation(clock="resolution", when="after", minutes=120, counting="wall")
    assert fired((2, "status: pending"), rule=rule, policy=policy) == [NINE + 3 * HOURS]
    assert fired((2, "resolved"), rule=rule, policy=policy) == []


def test_a_breach_that_never_came_is_forgotten() -> None:
    policy = ClockPolicy(ALWAYS, {"any": Targets(resolution_minutes=600), "urgent": Targets(resolution_minutes=30)})
    rule = Escalation(clock="resolution", when="after", minutes=120, counting="wall")
    events = ((1, "status: pending"), (2, "priority: urgent"))  # breached from the change on, two hours after it fires
    assert fired(*events, rule=rule, policy=policy) == [NINE + 4 * HOURS]


def test_a_breach_of_the_very_instant_of_the_resolution_counts_after_a_reopening() -> None:
    policy = ClockPolicy(ALWAYS, {"any": Targets(resolution_minutes=600), "urgent": Targets(resolution_minutes=60)})
    rule = Escalation(clock="resolution", when="after", minutes=120, counting="wall")
    events = ((3, "priority: urgent"), (3, "resolved"), (9, "reopened"))  # late when it was resolved
    assert fired(*events, rule=rule, policy=policy) == [NINE + 9 * HOURS]
    events = ((3, "resolved"), (4, "priority: urgent"), (9, "reopened"))  # late from the reopening on
    assert fired(*events, rule=rule, policy=policy) == [NINE + 11 * HOURS]


def test_targets_that_hold_for_no_time_change_nothing() -> None:
    policy = ClockPolicy(ALWAYS, {"any": Targets(resolution_minutes=600), "urgent": Targets(resolution_minutes=60)})
    rule = Escalation(clock="resolution", when="after", minutes=120, counting="wall")
    events = ((0, "priority: urgent"), (2, "priority: low"), (2, "priority: urgent"))
    assert fired(*events, rule=rule, policy=policy) == [NINE + 3 * HOURS]


def test_what_waits_for_the_opening_is_dropped_when_the_clock_stops() -> None:
    around = ClockPolicy(OFFICE, Targets(first_response_minutes=480))
    rule = Escalation(clock="first response", when="before", minutes=120, counting="wall")
    assert fired(rule=rule, policy=around) == [NINE + 6 * HOURS]
    weekend = BusinessCalendar("UTC", {"mon": [("09:00", "10:00")], "tue": [("09:00", "10:00")]})
    late = ClockPolicy(weekend, Targets(first_response_minutes=90))
    wall = Escalation(clock="first response", when="before", minutes=600, counting="wall")
    assert fired(rule=wall, policy=late) == [NINE + 24 * HOURS]
    assert fired((20, "agent reply"), rule=wall, policy=late) == []


def test_a_window_over_the_hour_that_comes_twice_is_judged_by_real_time() -> None:
    berlin, night = ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, 2)
    since = night.replace(minute=50, tzinfo=berlin)
    until = night.replace(minute=10, fold=1, tzinfo=berlin)  # twenty minutes later, though the wall says earlier
    case = ClockHistory.of([ClockEvent(datetime(2026, 10, 25, 0, tzinfo=UTC), "created")])
    policy = ClockPolicy(ALWAYS, Targets(first_response_minutes=60))
    found = escalations_between(case, [Escalation(clock="first response")], policy, since=since, until=until)
    assert [d.fires_at for d in found] == [datetime(2026, 10, 25, 1, tzinfo=UTC)]
    with pytest.raises(OutOfRange, match="not before since"):
        escalations_between(case, [], policy, since=until, until=since)


def test_many_cases_are_listed_in_order_with_keys_of_their_own() -> None:
    policy = ClockPolicy(ALWAYS, Targets(first_response_minutes=60))
    histories = [ClockHistory.of([ClockEvent(NINE + i * HOURS, "created")], case=str(i)) for i in (2, 1)]
    rules = [Escalation(clock="first response", level=2), Escalation(clock="first response", when="before", minutes=30)]
    until = NINE + 9 * HOURS
    seen: list[tuple[str, int, int]] = []
    found = escalations_between(
        ClockEventTable.of(histories), rules, policy, since=NINE, until=until, progress=lambda *a: seen.append(a)
    )
    assert str(found[0]) == (
        "2026-06-01T10:30+00:00  case 1, first response: 30 business minutes before the breach, level 1"
    )
    assert [d.case for d in found] == ["1", "1", "2", "2"]
    assert len({d.key for d in found}) == 4
    assert found[0].row()["clock"] == "first response"
    assert found == escalations_between(histories, rules, policy, since=NINE, until=until)
    assert seen[-1] == ("escalations", 2, 2)


def test_a_calendar_that_never_opens_again_fires_nothing() -> None:
    once = BusinessCalendar("UTC", {}, special_days={"2026-06-01": [("09:00", "09:30")]})
    policy = ClockPolicy(once, Targets(first_response_minutes=60))
    assert fired(rule=Escalation(clock="first response"), policy=policy) == []
    short = ClockPolicy(once, Targets(first_response_minutes=30))
    assert fired(rule=Escalation(clock="first response", when="before", minutes=10), policy=short) == [NINE + HOURS / 3]


@pytest.mark.parametrize(
    ("fields", "error", "sentence"),
    [
        ({"clock": "first respons"}, UnknownName, "did you mean 'first response'"),
        ({"clock": "agent work"}, OutOfRange, "a clock that has targets"),
        ({"clock": "resolution", "minutes": 5}, OutOfRange, "expected 0 for when='at'"),
        ({"clock": "resolution", "when": "before"}, OutOfRange, "minutes above 0"),
        ({"clock": "resolution", "when": "during"}, UnknownName, "unknown side of the breach"),
        ({"clock": "resolution", "counting": "walls"}, UnknownName, "did you mean 'wall'"),
        ({"clock": "resolution", "hours": "night"}, UnknownName, "unknown hours"),
    ],
)
def test_an_escalation_refuses_what_cannot_fire(fields: dict, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        Escalation(**fields)


def test_a_calendar_in_another_zone_escalates_in_its_own_hours() -> None:
    bangkok = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})  # at 09:00 UTC it is 16:00 there
    policy = ClockPolicy(bangkok, Targets(first_response_minutes=90))
    assert fired(rule=Escalation(clock="first response"), policy=policy) == [NINE + 17.5 * HOURS]
    wall = Escalation(clock="first response", when="before", minutes=600, counting="wall")
    assert fired(rule=wall, policy=policy) == [NINE + 17 * HOURS]


def test_an_escalation_survives_json() -> None:
    rule = Escalation(clock="first response", when="before", minutes=15, counting="wall", level=2, hours="any time")
    assert from_dict(Escalation, to_dict(rule)) == rule


def test_a_window_needs_its_ends_and_distinct_names() -> None:
    policy, case = ClockPolicy(ALWAYS), ClockHistory.of([ClockEvent(NINE, "created")])
    rule = Escalation(clock="resolution")
    with pytest.raises(NaiveDatetime, match="since is a naive datetime"):
        escalations_between(case, [rule], policy, since=datetime(2026, 6, 1), until=NINE)
    with pytest.raises(OutOfRange, match="not before since"):
        escalations_between(case, [rule], policy, since=NINE, until=NINE - HOURS)
    with pytest.raises(DuplicateIds, match="a name of its own"):
        escalations_between(case, [rule, rule], policy, since=NINE, until=NINE)
    assert escalation_schedule([], [rule], policy, until=NINE) == ()
