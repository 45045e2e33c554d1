"""Types of calendars, recurrences and contact times, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars import (
    BusinessCalendar,
    CalendarHistory,
    ContactDecision,
    ContactTimes,
    DeadlineExplanation,
    Recurrence,
    SlidingCap,
    Weekly,
    due_between,
    local,
)
from crmcore.calendars.contact_columns import ContactDecisions
from crmcore.calendars.explanation import ElapsedExplanation
from crmcore.calendars.recurrence import DueDates
from crmcore.charts import Chart

AT = datetime(2026, 6, 2, tzinfo=UTC)
COLUMN = np.array(["2026-06-02"], "datetime64[us]")

desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]}, holidays=["2026-12-31"])
assert_type(desk.deadline(AT, minutes=60), datetime)
assert_type(desk.elapsed_minutes(AT, AT), float)
assert_type(desk.deadlines(COLUMN, 60), NDArray[np.datetime64])
assert_type(desk.elapsed_us(COLUMN, COLUMN), NDArray[np.int64])
assert_type(desk.elapsed_minutes_of(COLUMN, COLUMN), NDArray[np.float64])
assert_type(desk.explain(AT, minutes=60), DeadlineExplanation)
assert_type(desk.explain(AT, minutes=60).chart(), Chart)
assert_type(desk.explain_elapsed(AT, AT), ElapsedExplanation)
assert_type(desk.from_date("2027-01-01", desk), CalendarHistory)
assert_type(desk.from_date("2027-01-01", desk).deadline(AT, minutes=60), datetime)
assert_type(BusinessCalendar.from_dict({}), BusinessCalendar)
assert_type(local(2026, 6, 2, zone="UTC"), datetime)

times = ContactTimes("Asia/Bangkok", quiet_hours=("21:00", "08:00"), caps=[SlidingCap(24, 1)])
assert_type(times.decide(AT, [AT]), ContactDecision)
assert_type(times.decide(AT, []).next_allowed_at, datetime | None)
assert_type(times.decide_all(COLUMN), ContactDecisions)

assert_type(Recurrence(Weekly("mon"), zone="UTC").next_after(AT), datetime)
assert_type(due_between(COLUMN, AT, AT, zone="UTC", leap_day="28 Feb"), DueDates)
