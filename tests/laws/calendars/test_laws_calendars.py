"""Laws of business time: equal to counting minutes, inverse, monotone, additive; one start = a column of them."""

from __future__ import annotations

import json
import pickle
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import documents
from crmcore.calendars import BusinessCalendar, CalendarHistory

sys.path.insert(0, str(Path(__file__).parent))
import minute_counter as slow

SEEDS = st.integers(0, 10**9)


def calendar_of(case: dict) -> BusinessCalendar:
    return BusinessCalendar(
        case["zone"], case["schedule"], holidays=case["holidays"], special_days=case["special_days"]
    )


def check_against_counter(seed: int) -> None:
    case = slow.random_case(seed)
    calendar, start, minutes = calendar_of(case), case["start"], case["minutes"]
    expected = slow.deadline(start, minutes, case)
    if expected is None:
        end = start + timedelta(days=4)
        assert calendar.elapsed_minutes(start, end) == slow.elapsed(start, end, case), case
        return
    assert calendar.deadline(start, minutes=minutes) == expected, case
    assert calendar.elapsed_minutes(start, expected) == minutes, case
    assert calendar.is_open(start) == slow.is_open(start, case), case


@pytest.mark.parametrize("block", range(6))
def test_business_time_equals_counting_minutes(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        check_against_counter(seed)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_business_time_equals_counting_minutes_on_ten_thousand_schedules(block: int) -> None:
    for seed in range(1000 + block * 500, 1500 + block * 500):
        check_against_counter(seed)


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    """Calendars that open at least on Mondays."""
    case = slow.random_case(draw(SEEDS))
    return calendar_of({**case, "schedule": {"mon": [("09:00", "17:00")], **case["schedule"]}})


INSTANTS = st.datetimes(datetime(2011, 6, 1), datetime(2027, 6, 1), timezones=st.just(UTC))
DATES = st.dates(date(2012, 1, 1), date(2026, 12, 31))
MINUTES = st.one_of(st.integers(0, 20_000), st.floats(0, 20_000), st.just(0))


@given(calendars(), INSTANTS, MINUTES)
def test_deadline_and_elapsed_are_inverse(calendar: BusinessCalendar, start: datetime, minutes: float) -> None:
    due = calendar.deadline(start, minutes=minutes)
    assert due >= start
    passed = calendar.elapsed_us(np_instants(start), np_instants(due))[0]
    assert passed == round(minutes * 60_000_000)
    if passed and calendar.elapsed_us(np_instants(due - timedelta(microseconds=1)), np_instants(due))[0] == 0:
        pytest.fail("an earlier instant would do")


@given(calendars(), INSTANTS, MINUTES, st.floats(0, 5000), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_a_later_start_or_a_longer_promise_is_never_due_earlier(
    calendar: BusinessCalendar, start: datetime, minutes: float, more: float, later: timedelta
) -> None:
    due = calendar.deadline(start, minutes=minutes)
    assert calendar.deadline(start, minutes=minutes + more) >= due
    assert calendar.deadline(start + later, minutes=minutes) >= due


@given(calendars(), st.lists(INSTANTS, min_size=3, max_size=3))
def test_elapsed_time_adds_up_and_changes_its_sign(calendar: BusinessCalendar, instants: list[datetime]) -> None:
    a, b, c = (np_instants(at) for at in instants)
    assert calendar.elapsed_us(a, b) + calendar.elapsed_us(b, c) == calendar.elapsed_us(a, c)
    assert calendar.elapsed_us(b, a) == -calendar.elapsed_us(a, b)


@given(calendars(), st.lists(st.tuples(INSTANTS, MINUTES), min_size=1, max_size=12))
def test_a_column_is_its_rows(calendar: BusinessCalendar, rows: list[tuple[datetime, float]]) -> None:
    starts = np.concatenate([np_instants(at) for at, _ in rows])
    column = calendar.deadlines(starts, [minutes for _, minutes in rows])
    single = [calendar_again(calendar).deadline(at, minutes=minutes) for at, minutes in rows]
    assert column.tolist() == [due.astimezone(UTC).replace(tzinfo=None) for due in single]
    elapsed = calendar.elapsed_minutes_of(starts, starts[::-1]).tolist()
    assert elapsed == [calendar.elapsed_minutes(a, b) for (a, _), (b, _) in zip(rows, rows[::-1], strict=True)]
    back = calendar.deadlines(starts[::-1], [minutes for _, minutes in rows][::-1])
    assert (back[::-1] == column).all()


@given(calendars(), INSTANTS)
def test_openings_and_closings_bound_open_time(calendar: BusinessCalendar, at: datetime) -> None:
    opening, closing = calendar.next_opening(at), calendar.next_closing(at)
    assert at <= opening < closing
    assert calendar.is_open(opening)
    assert not calendar.is_open(closing)
    assert calendar.elapsed_minutes(at, opening) == 0
    assert calendar.elapsed_minutes(opening, closing) == (closing - opening) / timedelta(minutes=1)
    assert (opening == at) == calendar.is_open(at)


@given(calendars(), INSTANTS, st.integers(0, 3000))
def test_an_explanation_adds_up_without_holes(calendar: BusinessCalendar, start: datetime, minutes: int) -> None:
    due = calendar.deadline(start, minutes=minutes)
    why = calendar.explain(start, minutes=minutes)
    assert (why.start, why.due) == (start, due)
    assert why.counted_minutes == minutes
    assert why.counted_minutes + why.skipped_minutes == pytest.approx((due - start).total_seconds() / 60, abs=1e-6)
    ends = [start, *(span.end for span in why.spans)]
    assert [span.start for span in why.spans] == ends[:-1]
    assert ends[-1] == due
    for span in why.spans:
        if span.start < span.end:
            assert calendar.is_open(span.start) == span.counted
            assert calendar.elapsed_minutes(span.start, span.end) == (span.minutes if span.counted else 0)


@given(calendars(), calendars(), DATES, st.lists(INSTANTS, min_size=2, max_size=2))
def test_a_new_version_moves_no_minute_before_it(
    old: BusinessCalendar, new: BusinessCalendar, day: date, instants: list[datetime]
) -> None:
    history = old.from_date(day, new)
    change = first_instant(day, new.zone)
    a, b = sorted(instants)
    expected = old.elapsed_minutes(min(a, change), min(b, change)) + new.elapsed_minutes(max(a, change), max(b, change))
    assert history.elapsed_minutes(a, b) == pytest.approx(expected, abs=1e-6)
    if b <= change:
        assert history.elapsed_minutes(a, b) == old.elapsed_minutes(a, b)


@given(calendars(), calendars(), DATES)
def test_json_and_pickle_round_trips_keep_calendars(old: BusinessCalendar, new: BusinessCalendar, day: date) -> None:
    history = old.from_date(day, new)
    for kind, value in ((BusinessCalendar, old), (CalendarHistory, history)):
        assert documents.loads(kind, documents.dumps(value)) == value
        assert kind.from_dict(json.loads(json.dumps(value.to_dict()))) == value
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert hash(again) == hash(value)


def test_what_was_asked_before_changes_no_answer() -> None:
    for seed in range(40):
        case = slow.random_case(seed)
        used, start = calendar_of(case), case["start"]
        for years in (0, -3, 4):
            used.elapsed_minutes(start, start + timedelta(days=365 * years))
        end = start + timedelta(days=20)
        assert used == calendar_of(case)
        assert hash(used) == hash(calendar_of(case))
        assert used.elapsed_minutes(start, end) == calendar_of(case).elapsed_minutes(start, end)


def np_instants(at: datetime) -> np.ndarray:
    return np.array([at.astimezone(UTC).replace(tzinfo=None)], "datetime64[us]")


def calendar_again(calendar: BusinessCalendar) -> BusinessCalendar:
    """Copy that has no table yet."""
    return pickle.loads(pickle.dumps(calendar))


def first_instant(day: date, zone: str) -> datetime:
    """First minute whose wall clock shows a date or a later one."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1, hours=3)
    while at.astimezone(ZoneInfo(zone)).date() < day:
        at += timedelta(minutes=1)
    return at
