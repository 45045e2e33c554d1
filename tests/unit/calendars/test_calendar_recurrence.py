"""Recurrence: the 29th of February, the 31st, the fifth Friday, and hours that a clock skips."""

from __future__ import annotations

from datetime import date
from itertools import islice

import numpy as np
import pytest

from crmcore.calendars import (
    BadWindows,
    EveryNDays,
    Monthly,
    NoOccurrence,
    NthWeekday,
    Recurrence,
    Weekly,
    Yearly,
    due_between,
    local,
)
from crmcore.errors import BadRows, OutOfRange, UnknownName, WrongType


def first(rule: object, since: str, n: int = 4) -> list[str]:
    return [str(day) for day in islice(rule.dates(date.fromisoformat(since)), n)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("28 Feb", ["2027-02-28", "2028-02-29", "2029-02-28"]),
        ("1 March", ["2027-03-01", "2028-02-29", "2029-03-01"]),
        ("leap years only", ["2028-02-29", "2032-02-29", "2036-02-29"]),
    ],
)
def test_a_leap_day_comes_round_as_named(policy: str, expected: list[str]) -> None:
    assert first(Yearly("2000-02-29", leap_day=policy), "2026-06-01", 3) == expected


def test_a_yearly_date_begins_with_itself() -> None:
    assert first(Yearly("2025-07-01", leap_day="28 Feb"), "2020-01-01", 2) == ["2025-07-01", "2026-07-01"]
    assert first(Yearly("2025-07-01", leap_day="28 Feb"), "2026-07-01", 1) == ["2026-07-01"]


def test_a_policy_has_no_default_and_proposes_the_nearest_name() -> None:
    with pytest.raises(TypeError):
        Yearly("2000-02-29")
    with pytest.raises(UnknownName, match="did you mean '28 Feb'"):
        Yearly("2000-02-29", leap_day="28 feb.")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("last day", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        ("first of the next month", ["2026-01-31", "2026-03-01", "2026-03-31", "2026-05-01"]),
        ("skip", ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"]),
    ],
)
def test_the_31st_of_a_short_month_goes_where_it_is_told(policy: str, expected: list[str]) -> None:
    assert first(Monthly(31, short_months=policy), "2026-01-02") == expected


def test_days_of_a_month_count_from_its_end_too_and_may_leave_months_out() -> None:
    assert first(Monthly(-1, short_months="skip"), "2026-01-31", 2) == ["2026-01-31", "2026-02-28"]
    quarterly = Monthly(15, short_months="skip", every=3, start="2026-02-20")
    assert first(quarterly, "2020-01-01", 3) == ["2026-05-15", "2026-08-15", "2026-11-15"]


def test_weeks_count_from_the_monday_of_their_start() -> None:
    fortnight = Weekly(["sun", "mon"], every=2, start="2026-06-03")
    assert first(fortnight, "2026-01-01") == ["2026-06-07", "2026-06-15", "2026-06-21", "2026-06-29"]
    assert first(Weekly([]), "2026-01-01") == []


def test_every_n_days_keeps_its_beat() -> None:
    assert first(EveryNDays(10, start="2026-01-01"), "2026-02-01", 2) == ["2026-02-10", "2026-02-20"]
    assert first(EveryNDays(10, start="2026-01-01"), "2020-02-01", 1) == ["2026-01-01"]


def test_the_nth_weekday_skips_months_that_have_none() -> None:
    assert first(NthWeekday(5, "fri"), "2026-01-01", 3) == ["2026-01-30", "2026-05-29", "2026-07-31"]
    assert first(NthWeekday(2, "Tuesday", months=[11]), "2026-01-01", 2) == ["2026-11-10", "2027-11-09"]
    assert first(NthWeekday(-1, 5), "2026-02-01", 1) == ["2026-02-27"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Monthly(0, short_months="skip"),
        lambda: Monthly(32, short_months="skip"),
        lambda: EveryNDays(0, start="2026-01-01"),
        lambda: NthWeekday(6, "fri"),
        lambda: NthWeekday(1, "mon-fri"),
        lambda: NthWeekday(1, "fri", months=[13]),
        lambda: Weekly("mon", every=0),
    ],
)
def test_numbers_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(OutOfRange, match="expected"):
        make()


def test_words_that_are_no_dates_times_or_weekdays_are_refused() -> None:
    with pytest.raises(WrongType, match="expected a date, or ISO text"):
        Yearly("29 Feb", leap_day="28 Feb")
    with pytest.raises(BadWindows, match="'24:00': expected a time from 00:00 to 23:59"):
        Recurrence(Weekly("mon"), at="24:00", zone="UTC")
    with pytest.raises(BadWindows, match="did you mean 'friday'"):
        Weekly("fridy")


def test_a_local_time_that_is_skipped_or_repeated_follows_its_policy() -> None:
    spring, autumn = (local(2026, m, d, zone="Europe/Berlin") for m, d in ((3, 29), (10, 25)))
    clocks = {}
    for gap in ("shift", "first instant", "skip"):
        clocks[gap] = Recurrence(
            EveryNDays(1, start="2026-03-01"), at="02:30", zone="Europe/Berlin", gap=gap
        ).next_after(spring)
    assert [str(at) for at in clocks.values()] == [
        "2026-03-29 03:30:00+02:00", "2026-03-29 03:00:00+02:00", "2026-03-30 02:30:00+02:00",
    ]  # fmt: skip
    offsets = [
        str(Recurrence(Weekly("sun"), at="02:30", zone="Europe/Berlin", fold=fold).next_after(autumn))[-6:]
        for fold in ("first", "second")
    ]
    assert offsets == ["+02:00", "+01:00"]


def test_a_date_that_a_zone_skipped_does_not_fire_twice_on_the_next() -> None:
    daily = Recurrence(EveryNDays(1, start="2011-12-01"), at="09:00", zone="Pacific/Apia")
    span = (local(2011, 12, 29, zone="Pacific/Apia"), local(2012, 1, 2, zone="Pacific/Apia"))
    assert [f"{at:%d %H:%M}" for at in daily.occurrences(*span)] == ["29 09:00", "31 09:00", "01 09:00"]


def test_a_rule_that_yields_nothing_says_so() -> None:
    never = Recurrence(Weekly([]), zone="UTC")
    with pytest.raises(
        NoOccurrence, match=r"Weekly\(weekdays=\(\), .* has no occurrence after 2026-01-03 00:00:00\+00:00"
    ):
        never.next_after(local(2026, 1, 3, zone="UTC"))
    assert never.occurrences(local(2026, 1, 3, zone="UTC"), local(2027, 1, 3, zone="UTC")) == ()


def test_occurrences_hold_their_start_and_leave_out_their_end() -> None:
    noon = Recurrence(EveryNDays(1, start="2026-01-01"), at="12:00", zone="UTC")
    a, b = (local(2026, 1, d, 12, zone="UTC") for d in (3, 5))
    assert [at.day for at in noon.occurrences(a, b)] == [3, 4]
    assert noon.next_after(a).day == 4
    assert Recurrence.from_dict(noon.to_dict()) == noon


def test_the_birthdays_of_a_population_fall_in_their_own_zones() -> None:
    born = np.array(["2000-02-29", "1990-12-31", "NaT", "2027-03-01", "1985-03-01"], "datetime64[D]")
    since, until = local(2027, 2, 28, zone="UTC"), local(2027, 3, 2, zone="UTC")
    zones = ["Asia/Bangkok", "Pacific/Kiritimati", "America/Los_Angeles"]
    due = due_between(born, since, until, zone=zones, zone_codes=[0, 0, 0, 1, 2], leap_day="1 March")
    assert due.row.tolist() == [3, 0, 4]
    assert due.years.tolist() == [0, 27, 42]
    assert due.at.astype("datetime64[m]").astype(str).tolist() == [
        "2027-02-28T19:00", "2027-03-01T02:00", "2027-03-01T17:00",
    ]  # fmt: skip
    assert due.to_frame()["date"] == [date(2027, 3, 1)] * 3
    assert "3 due" in due._repr_html_()


def test_codes_that_name_no_zone_are_refused() -> None:
    span = (local(2027, 2, 28, zone="UTC"), local(2027, 3, 2, zone="UTC"))
    with pytest.raises(BadRows, match=r"zone_codes: not from 0 to 0 in 1 row \[1\]"):
        due_between([date(2000, 1, 1)] * 2, *span, zone="UTC", zone_codes=[0, 1], leap_day="28 Feb")
    with pytest.raises(OutOfRange, match="give every date one code"):
        due_between([date(2000, 1, 1)], *span, zone="UTC", zone_codes=[0, 1], leap_day="28 Feb")
