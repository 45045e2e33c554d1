"""Laws of recurrence: dates in order, none left out, spans join, a population = its members one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crmcore.calendars import (
    EveryNDays,
    LeapDay,
    MonthEnd,
    Monthly,
    NthWeekday,
    Recurrence,
    Weekly,
    Yearly,
    due_between,
)

DATES = st.dates(date(1900, 1, 1), date(2090, 1, 1))
WEEKDAYS = st.sampled_from(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
RULES = st.one_of(
    st.builds(Yearly, DATES, leap_day=st.sampled_from(LeapDay)),
    st.builds(lambda policy: Yearly("2000-02-29", leap_day=policy), st.sampled_from(LeapDay)),
    st.builds(
        Monthly,
        st.integers(-31, 31).filter(bool),
        short_months=st.sampled_from(MonthEnd),
        every=st.integers(1, 14),
        start=DATES,
    ),
    st.builds(Weekly, st.sets(WEEKDAYS, min_size=1), every=st.integers(1, 5), start=DATES),
    st.builds(EveryNDays, st.integers(1, 400), start=DATES),
    st.builds(NthWeekday, st.sampled_from((-5, -2, -1, 1, 2, 4, 5)), WEEKDAYS),
)
ZONES = ("Asia/Bangkok", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia")
RECURRENCES = st.builds(
    Recurrence,
    RULES,
    at=st.sampled_from(("00:00", "02:15", "09:00", "23:59")),
    zone=st.sampled_from(ZONES),
    gap=st.sampled_from(("shift", "first instant", "skip")),
    fold=st.sampled_from(("first", "second")),
)
INSTANTS = st.datetimes(datetime(2008, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


@given(RULES, DATES, st.integers(0, 900))
def test_dates_rise_and_do_not_depend_on_where_one_begins(rule: Weekly, since: date, later: int) -> None:
    found = list(islice(rule.dates(since), 12))
    assert all(a < b for a, b in pairwise(found))
    assert all(day >= since for day in found)
    again = since + timedelta(days=later)
    if found:
        rest = [day for day in found if day >= again]
        assert list(islice(rule.dates(again), len(rest))) == rest


@given(RECURRENCES, st.lists(INSTANTS, min_size=3, max_size=3))
def test_spans_of_occurrences_join(recurrence: Recurrence, instants: list[datetime]) -> None:
    a, b, c = sorted(min(at, min(instants) + timedelta(days=2000)) for at in instants)
    whole = recurrence.occurrences(a, c)
    assert recurrence.occurrences(a, b) + recurrence.occurrences(b, c) == whole
    assert all(x < y for x, y in pairwise(whole))
    later = [at for at in whole if at > a]
    if later:
        assert recurrence.next_after(a) == later[0]
    assert Recurrence.from_dict(recurrence.to_dict()) == recurrence


@given(
    st.lists(st.tuples(st.one_of(DATES, st.just(date(2000, 2, 29)), st.none()), st.integers(0, 3)), max_size=8),
    INSTANTS,
    st.integers(0, 900),
    st.sampled_from(LeapDay),
    st.sampled_from(("00:00", "02:15", "09:00")),
    st.sampled_from(("shift", "first instant", "skip")),
)
def test_a_population_is_its_members(
    rows: list[tuple[date | None, int]], since: datetime, days: int, policy: LeapDay, at: str, gap: str
) -> None:
    until = since + timedelta(days=days)
    born, codes = [day for day, _ in rows], [code for _, code in rows]
    due = due_between(born, since, until, zone=ZONES, zone_codes=codes, leap_day=policy, at=at, gap=gap)
    expected = []
    for row, (day, code) in enumerate(rows):
        if day is not None:
            own = Recurrence(Yearly(day, leap_day=policy), at=at, zone=ZONES[code], gap=gap)
            expected += [(at.astimezone(UTC).replace(tzinfo=None), row) for at in own.occurrences(since, until)]
    assert list(zip(due.at.tolist(), due.row.tolist(), strict=True)) == sorted(expected)
    assert (np.diff(due.at.astype(np.int64)) >= 0).all()
