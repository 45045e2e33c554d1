"""Business calendars: what they take, refuse, show, and the edges of local time."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time, timedelta

import attrs
import numpy as np
import pytest

from crmcore.calendars import BadWindows, BusinessCalendar, CalendarHistory, NoClosing, NoOpening, holidays_of, local
from crmcore.errors import BadRows, MissingExtra, NaiveDatetime, OutOfRange, UnknownName, WrongType

BERLIN = "Europe/Berlin"
OFFICE = {"mon-fri": [("09:00", "17:00")]}


def berlin(*parts: int, fold: int = 0) -> datetime:
    return local(*parts, zone=BERLIN, fold=fold)


def test_a_schedule_is_kept_in_one_form_however_it_is_written() -> None:
    written = [
        BusinessCalendar(BERLIN, {"Monday": [(time(9), time(17))]}),
        BusinessCalendar(BERLIN, {"MON": [["09:00", "12:30"], ["12:00", "17:00"], ["09:00:00", "10:00"]]}),
        BusinessCalendar(BERLIN, {"mon-mon": [("9:00", "17:00")], "tue": []}),
    ]
    assert len(set(written)) == 1
    assert written[0].schedule == {"mon": (("09:00", "17:00"),)}


def test_a_night_shift_runs_into_the_next_weekday() -> None:
    night = BusinessCalendar(BERLIN, {"sun": [("22:00", "06:00")]})
    assert night.schedule == {"mon": (("00:00", "06:00"),), "sun": (("22:00", "24:00"),)}
    start = berlin(2026, 6, 7, 23)
    assert night.deadline(start, minutes=120) == berlin(2026, 6, 8, 1)
    assert night.next_closing(start) == berlin(2026, 6, 8, 6)
    assert BusinessCalendar(BERLIN, {"sun": [("22:00", "00:00")]}).schedule == {"sun": (("22:00", "24:00"),)}


def test_a_range_of_weekdays_may_pass_the_end_of_the_week() -> None:
    assert list(BusinessCalendar(BERLIN, {"sat-mon": [("10:00", "12:00")]}).schedule) == ["mon", "sat", "sun"]


def test_windows_that_cannot_be_are_named_all_at_once() -> None:
    with pytest.raises(BadWindows) as caught:
        BusinessCalendar(
            BERLIN,
            {"mo": OFFICE["mon-fri"], "tue": [("09:00", "25:00"), ("10:00", "10:00"), ("24:00", "08:00"), "09:00"]},
        )
    said = str(caught.value)
    assert said.startswith("the weekly schedule cannot be: 'mo' is no weekday")
    assert "did you mean 'mon'?" in said
    assert "tue: 25:00: expected a time from 00:00 to 24:00" in said
    assert 'tue: 10:00 to 10:00 has no length: a whole day is ("00:00", "24:00")' in said
    assert "tue: 24:00 to 08:00 has no length" in said
    assert "tue: '09:00' is not a pair of open and close" in said
    assert (
        said.endswith(
            'hint: write ("09:00", "17:00"); midnight at the end is "24:00"; ("22:00", "06:00") runs over midnight'
        )
        or "hint: write" in said
    )


def test_a_special_day_ends_at_its_own_midnight() -> None:
    with pytest.raises(BadWindows, match="2026-12-24: 22:00 to 02:00 runs into the next date"):
        BusinessCalendar(BERLIN, OFFICE, special_days={"2026-12-24": [("22:00", "02:00")], "2026-12-31": [("9", "10")]})


def test_a_special_day_opens_a_holiday_and_a_weekend_and_may_close_a_day() -> None:
    shop = BusinessCalendar(
        BERLIN,
        OFFICE,
        holidays=[date(2026, 12, 25)],
        special_days={date(2026, 12, 25): [("10:00", "11:00")], "2026-12-27": [("12:00", "13:00")], "2026-12-28": []},
    )
    assert [shop.elapsed_minutes(berlin(2026, 12, d), berlin(2026, 12, d + 1)) for d in range(24, 30)] == [
        480, 60, 0, 60, 0, 480,
    ]  # fmt: skip


def test_a_holiday_closes_the_morning_that_a_night_window_reaches_into() -> None:
    night = BusinessCalendar(BERLIN, {"thu": [("22:00", "06:00")]}, holidays=["2026-05-01"])
    assert night.elapsed_minutes(berlin(2026, 4, 30), berlin(2026, 5, 2)) == 120


def test_an_unknown_zone_proposes_the_nearest() -> None:
    for written, meant in (
        ("Asia/Bankok", "Asia/Bangkok"),
        ("bangkok", "Asia/Bangkok"),
        ("New York", "America/New_York"),
    ):
        with pytest.raises(UnknownName) as caught:
            BusinessCalendar(written, OFFICE)
        assert f"did you mean '{meant}'?" in str(caught.value)
        assert len(str(caught.value)) < 300
    for written in ("", "Europe", "../etc/passwd", "Mars/Olympus"):
        with pytest.raises(UnknownName, match="unknown time zone"):
            BusinessCalendar(written, OFFICE)


def test_dates_that_are_none_are_refused() -> None:
    with pytest.raises(WrongType, match=r"holidays is '13\.04\.2026', 7: expected dates, or ISO text"):
        BusinessCalendar(BERLIN, OFFICE, holidays=["13.04.2026", 7])
    with pytest.raises(WrongType, match="special_days is 'Xmas'"):
        BusinessCalendar(BERLIN, OFFICE, special_days={"Xmas": []})


def test_naive_datetimes_are_refused_by_the_name_of_the_argument() -> None:
    desk, naive, aware = BusinessCalendar(BERLIN, OFFICE), datetime(2026, 6, 2, 9), berlin(2026, 6, 2, 9)
    for name, ask in {
        "start": lambda: desk.deadline(naive, minutes=5),
        "end": lambda: desk.elapsed_minutes(aware, naive),
        "at": lambda: desk.is_open(naive),
    }.items():
        with pytest.raises(NaiveDatetime, match=f"{name} is a naive datetime: expected an aware one"):
            ask()


@pytest.mark.parametrize("minutes", [-1, float("nan"), float("inf"), -1e-9])
def test_minutes_that_are_none_are_refused(minutes: float) -> None:
    desk = BusinessCalendar(BERLIN, OFFICE)
    with pytest.raises(OutOfRange, match="expected a number from 0"):
        desk.deadline(berlin(2026, 6, 2), minutes=minutes)


def test_bad_minutes_of_a_column_are_named_all_at_once() -> None:
    desk = BusinessCalendar(BERLIN, OFFICE)
    with pytest.raises(BadRows, match=r"minutes: negative or without end in 2 rows \[1, 3\] \(such as -5, inf\)"):
        desk.deadlines(np.full(4, "2026-06-02", "datetime64[us]"), [1, -5, np.nan, np.inf])


def test_missing_cells_stay_missing() -> None:
    desk = BusinessCalendar(BERLIN, OFFICE)
    starts = np.array(["2026-06-02", "NaT", "2026-06-02"], "datetime64[us]")
    assert np.isnat(desk.deadlines(starts, [60, 60, np.nan])).tolist() == [False, True, True]
    assert np.isnan(desk.elapsed_minutes_of(starts, starts[::-1])).tolist() == [False, True, False]
    assert desk.elapsed_us(starts, starts).tolist() == [0, np.iinfo(np.int64).min, 0]
    assert np.isnat(desk.deadlines(np.array(["NaT"], "datetime64[us]"), 5)).all()
    assert desk.deadlines(np.array([], "datetime64[us]"), 5).shape == (0,)
    assert desk.elapsed_us(np.array([], "datetime64[us]"), starts[:0]).shape == (0,)


def test_a_calendar_that_never_opens_says_so_at_once() -> None:
    closed = BusinessCalendar(BERLIN, {}, special_days={"2026-06-03": [("10:00", "11:00")]}, name="pop-up")
    start = berlin(2026, 6, 2)
    assert closed.deadline(start, minutes=60) == berlin(2026, 6, 3, 11)
    with pytest.raises(NoOpening) as caught:
        closed.deadline(start, minutes=61)
    assert "calendar 'pop-up' has 60 open minutes after 2026-06-02 00:00:00+02:00: expected 61 open minutes." in str(
        caught.value
    )
    with pytest.raises(NoOpening, match="expected an opening"):
        closed.next_opening(berlin(2026, 6, 4))
    with pytest.raises(NoOpening):
        closed.deadlines(np.array(["2026-06-02", "2027-06-02"], "datetime64[us]"), 1)
    with pytest.raises(NoOpening):
        BusinessCalendar(BERLIN, {}).deadline(start, minutes=1)
    assert BusinessCalendar(BERLIN, {}).deadline(start, minutes=0) == start
    assert BusinessCalendar(BERLIN, {}).elapsed_minutes(start, berlin(2027, 1, 1)) == 0


def test_years_of_holidays_are_passed_without_a_loop() -> None:
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(3000)]
    desk = BusinessCalendar(BERLIN, OFFICE, holidays=days)
    assert desk.deadline(berlin(2026, 1, 1), minutes=1) == berlin(2034, 3, 20, 9, 1)
    assert desk.next_opening(berlin(2026, 1, 1)) == berlin(2034, 3, 20, 9)


def test_a_calendar_that_never_closes_says_so() -> None:
    always = BusinessCalendar.always("America/New_York")
    at = local(2026, 3, 7, 12, zone="America/New_York")
    assert always.next_opening(at) == at
    with pytest.raises(
        NoClosing, match="the calendar in America/New_York never closes after 2026-03-07 12:00:00-05:00"
    ):
        always.next_closing(at)
    shut_once = BusinessCalendar("UTC", always.schedule, special_days={"2040-01-01": []})
    assert shut_once.next_closing(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2040, 1, 1, tzinfo=UTC)


def test_instants_beyond_what_datetimes_hold_are_refused() -> None:
    desk = BusinessCalendar(BERLIN, OFFICE)
    with pytest.raises(OutOfRange, match="expected the years 2 to 9997"):
        desk.is_open(datetime(9999, 1, 1, tzinfo=UTC))
    with pytest.raises(OutOfRange, match="expected the years 2 to 9997"):
        desk.elapsed_us(np.array(["2262-01-01", "+12000-01-01"], "datetime64[us]"), np.datetime64("2026-01-01"))
    assert desk.elapsed_minutes(datetime(3, 1, 1, tzinfo=UTC), datetime(4, 1, 1, tzinfo=UTC)) > 100_000


def test_results_carry_a_fixed_offset_so_that_their_arithmetic_is_real_time() -> None:
    desk = BusinessCalendar.always(BERLIN)
    due = desk.deadline(berlin(2026, 10, 25, 1), minutes=120)
    assert due == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert due - berlin(2026, 10, 25, 1) == timedelta(hours=2)
    assert due.isoformat() == "2026-10-25T02:00:00+01:00"


def test_an_hour_that_the_clock_skips_counts_nothing_and_one_shown_twice_counts_twice() -> None:
    spring = BusinessCalendar(BERLIN, {"sun": [("01:00", "05:00")]})
    minutes = [
        spring.elapsed_minutes(berlin(2026, m, d), berlin(2026, m, d + 1)) for m, d in ((3, 29), (10, 25), (6, 7))
    ]
    assert minutes == [180, 300, 240]
    skipped = BusinessCalendar(BERLIN, {"sun": [("02:00", "03:00")]})
    assert skipped.next_opening(berlin(2026, 3, 29)) == berlin(2026, 4, 5, 2)
    half = BusinessCalendar("Australia/Lord_Howe", {"sun": [("01:30", "02:30")]})
    lord_howe = [local(2026, 10, d, zone="Australia/Lord_Howe") for d in (4, 5)]
    assert half.elapsed_minutes(*lord_howe) == 30


def test_a_date_that_a_zone_skipped_has_no_minutes() -> None:
    desk = BusinessCalendar.always("Pacific/Apia")
    days = [local(2011, 12, d, zone="Pacific/Apia") for d in (29, 31)]
    assert desk.elapsed_minutes(*days) == 1440


def test_fractions_of_minutes_are_exact_to_the_microsecond() -> None:
    desk = BusinessCalendar(BERLIN, {"mon-fri": [("09:00:00.000001", "17:00")]})
    start = berlin(2026, 6, 2, 8)
    assert desk.deadline(start, minutes=0.25).isoformat() == "2026-06-02T09:00:15.000001+02:00"
    assert desk.elapsed_minutes(start, start + timedelta(hours=1, microseconds=31)) == 30 / 60_000_000
    assert desk.schedule["mon"] == (("09:00:00.000001", "17:00"),)


def test_negative_spans_have_negative_minutes() -> None:
    desk = BusinessCalendar(BERLIN, OFFICE)
    assert desk.elapsed_minutes(berlin(2026, 6, 2, 12), berlin(2026, 6, 2, 11)) == -60


def test_a_calendar_is_a_value() -> None:
    desk = BusinessCalendar(BERLIN, OFFICE, holidays={"2026-12-25": "Christmas"}, name="office")
    desk.deadline(berlin(2026, 6, 2), minutes=999)
    again = pickle.loads(pickle.dumps(desk))
    assert again == desk
    assert {desk: 1}[again] == 1
    assert desk != attrs.evolve(desk, name="other")
    assert attrs.evolve(desk, holidays={}) == BusinessCalendar(BERLIN, OFFICE, name="office")
    with pytest.raises(TypeError):
        desk.schedule["sun"] = ()  # type: ignore[index]
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        desk.zone = "UTC"  # type: ignore[misc]


def test_a_calendar_shows_its_hours() -> None:
    desk = BusinessCalendar(
        BERLIN, OFFICE, holidays={"2026-12-25": "<Christmas>"}, special_days={"2026-12-24": []}, name="desk"
    )
    assert repr(desk) == "BusinessCalendar('desk', Europe/Berlin, 40 h a week, 1 holiday, 1 special day)"
    assert str(desk).splitlines()[-3:] == [
        "  sun          closed", "  2026-12-24   closed", "  2026-12-25   closed: <Christmas>",
    ]  # fmt: skip
    assert "closed: &lt;Christmas&gt;" in desk._repr_html_()
    assert desk.to_frame()["hours"][:2] == ["09:00-17:00", "09:00-17:00"]


def test_versions_hold_from_their_local_date_in_any_order_of_writing() -> None:
    old, new, third = (BusinessCalendar(BERLIN, {"mon-fri": [(a, "17:00")]}) for a in ("09:00", "10:00", "11:00"))
    desk = old.from_date("2026-07-01", new).from_date(date(2027, 1, 1), third)
    assert desk == CalendarHistory(old, [desk.changes[1], desk.changes[0]])
    assert repr(desk) == "CalendarHistory(3 versions, the last from 2027-01-01)"
    assert [desk.version_at(d) for d in (date(2026, 6, 30), date(2026, 7, 1), date(2030, 1, 1))] == [old, new, third]
    assert desk.next_opening(berlin(2026, 6, 30)) == berlin(2026, 6, 30, 9)
    assert desk.next_opening(berlin(2026, 7, 1)) == berlin(2026, 7, 1, 10)
    assert CalendarHistory(old).deadline(berlin(2026, 6, 2), minutes=5) == old.deadline(berlin(2026, 6, 2), minutes=5)
    with pytest.raises(WrongType, match="day is 'soon'"):
        old.from_date("soon", new)


def test_versions_may_move_to_another_zone() -> None:
    desk = BusinessCalendar.always("Asia/Bangkok").from_date("2026-07-01", BusinessCalendar.always("America/New_York"))
    start = datetime(2026, 6, 30, tzinfo=UTC)
    assert desk.elapsed_minutes(start, start + timedelta(days=3)) == 3 * 1440
    assert desk.zone == "America/New_York"


def test_a_history_that_ends_closed_says_so() -> None:
    closing = BusinessCalendar(BERLIN, OFFICE).from_date("2026-07-01", BusinessCalendar(BERLIN, {}))
    assert closing.deadline(berlin(2026, 6, 30, 16), minutes=60) == berlin(2026, 6, 30, 17)
    with pytest.raises(NoOpening):
        closing.deadline(berlin(2026, 6, 30, 16), minutes=61)


def test_public_holidays_come_with_their_names() -> None:
    pytest.importorskip("holidays", reason="public holidays need crmcore[holidays]")
    found = holidays_of("TH", 2026, language="en_US")
    assert found[date(2026, 4, 13)] == "Songkran Festival"
    assert list(found) == sorted(found)
    assert set(holidays_of("DE", [2026, 2027], subdivision="BY")) > set(holidays_of("DE", range(2026, 2028)))
    with pytest.raises(UnknownName, match="unknown country 'THX'"):
        holidays_of("THX", 2026)
    with pytest.raises(UnknownName, match="unknown subdivision of DE 'XX'"):
        holidays_of("DE", 2026, subdivision="XX")


def test_without_the_extra_public_holidays_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "holidays", None)
    with pytest.raises(MissingExtra, match=r"pip install 'crmcore\[holidays\]'"):
        holidays_of("TH", 2026)
