"""Row 164 of what the library must do, and the calendar part of its neighbours, through the public API."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from crmcore.calendars import (
    BusinessCalendar,
    CalendarCap,
    ContactTimes,
    Recurrence,
    SlidingCap,
    Yearly,
    due_between,
    local,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "laws" / "calendars"))
import minute_counter


def calendar_of(case: dict) -> BusinessCalendar:
    return BusinessCalendar(
        case["tz"],
        case["schedule"],
        holidays=case["holidays"],
        special_days=case["special_days"],
        name=case.get("id", ""),
    )


def utc(text: str) -> np.datetime64:
    return np.datetime64(datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None), "us")


def test_row_164_service_promises_are_kept_in_any_zone(data_dir: Path) -> None:
    examples = json.loads((data_dir / "sla_examples" / "calendar_examples.json").read_text())
    for case in examples["cases"]:
        calendar, start = calendar_of(case), datetime.fromisoformat(case["start_utc"])
        due = calendar.deadline(start, minutes=case["business_minutes"])
        assert due.isoformat() == case["due"], case["id"]
        assert calendar.deadlines([utc(case["start_utc"])], case["business_minutes"])[0] == utc(case["due_utc"])
        assert calendar.explain(start, minutes=case["business_minutes"]).counted_minutes == case["business_minutes"]
        naive = datetime.fromisoformat(case["start_local"])
        wall = (naive.year, naive.month, naive.day, naive.hour, naive.minute, naive.second)
        assert local(*wall, zone=case["tz"], fold=case["fold"]) == start
    for case in examples["between"]:
        ends = (datetime.fromisoformat(case[name]) for name in ("start_utc", "end_utc"))
        assert calendar_of(case).elapsed_minutes(*ends) == case["business_minutes"], case["id"]


@pytest.mark.parametrize("zone", sorted(minute_counter.ZONES))
def test_row_164_equals_a_minute_counter_in_every_zone(zone: str) -> None:
    seen = 0
    for seed in range(200_000, 200_200):
        case = minute_counter.random_case(seed)
        due = minute_counter.deadline(case["start"], case["minutes"], case) if case["zone"] == zone else None
        if due is None:
            continue
        seen += 1
        calendar = calendar_of({**case, "tz": zone})
        assert calendar.deadline(case["start"], minutes=case["minutes"]) == due, case
        assert calendar.elapsed_minutes(case["start"], due) == case["minutes"], case
    assert seen > 3


def test_row_164_a_24_hour_centre_counts_23_and_25_hour_days() -> None:
    centre = BusinessCalendar.always("Europe/Berlin")
    days = [local(2026, m, d, zone="Europe/Berlin") for m, d in ((3, 29), (3, 30), (10, 25), (10, 26))]
    assert [centre.elapsed_minutes(*days[i : i + 2]) / 60 for i in (0, 2)] == [23, 25]
    assert centre.deadline(days[0], minutes=1440) - days[0] == timedelta(days=1)


def test_birthday_messages_leave_at_nine_in_bangkok_also_for_the_29th_of_february() -> None:
    for policy, day in (("28 Feb", "2027-02-28"), ("1 March", "2027-03-01")):
        born = Recurrence(Yearly("2000-02-29", leap_day=policy), at="09:00", zone="Asia/Bangkok")
        sent = born.next_after(local(2027, 1, 1, zone="Asia/Bangkok"))
        assert sent.isoformat() == f"{day}T09:00:00+07:00"
        year = [local(y, 1, 1, zone="Asia/Bangkok") for y in (2027, 2028)]
        all_of_us = due_between(["2000-02-29", "1999-05-05"], *year, zone="Asia/Bangkok", leap_day=policy)
        assert all_of_us.at[0] == utc(sent.isoformat())
        assert all_of_us.row.tolist() == [0, 1]


def test_contact_times_of_all_cases_are_right(data_dir: Path) -> None:
    cases = json.loads((data_dir / "contact_policy_cases" / "cases.json").read_text())["cases"]
    for case in cases:
        caps = [
            SlidingCap(cap["hours"], cap["max"]) if cap["kind"] == "sliding" else CalendarCap(cap["period"], cap["max"])
            for cap in case["caps"]
        ]
        rules = ContactTimes(case["timezone"], case["quiet_hours"], case["weekdays"], caps)
        wanted = case["expected"]
        history = [datetime.fromisoformat(send) for send in case["history"]]
        decision = rules.decide(datetime.fromisoformat(case["at"]), history)
        assert decision.allowed == wanted["allowed_now"], case
        assert decision.reason == wanted["first_reason"], case
        assert decision.next_allowed_at == datetime.fromisoformat(wanted["next_allowed"]), case
        rows = rules.decide_all([utc(case["at"])], [utc(send) for send in case["history"]], [0, len(history)])
        assert rows.reasons() == [wanted["first_reason"]], case
        assert rows.next_allowed[0] == utc(wanted["next_allowed"]), case
