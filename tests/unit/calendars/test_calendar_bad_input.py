"""Wrong calls of calendars and contact times end in house errors that say what to do."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from crmcore.calendars import (
    BadWindows,
    BusinessCalendar,
    CalendarCap,
    ContactTimes,
    NthWeekday,
    Recurrence,
    SlidingCap,
)
from crmcore.errors import CrmError, OutOfRange, WrongType

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
DESK: Any = BusinessCalendar("UTC", {"mon-fri": [("09:00", "17:00")]})
TIMES: Any = ContactTimes
SLIDING: Any = SlidingCap
REPEATED: Any = Recurrence
NTH: Any = NthWeekday
CAPPED: Any = TIMES("UTC", caps=[SlidingCap(24, 1)])


def _calendar(schedule: Any = None, **more: Any) -> BusinessCalendar:
    return BusinessCalendar("UTC", {"mon": [("09:00", "17:00")]} if schedule is None else schedule, **more)


WRONG: dict[str, tuple[Callable[[], object], type[CrmError], str]] = {
    "a schedule that is a list": (
        lambda: _calendar([("09:00", "17:00")]),
        BadWindows,
        "list is no mapping",
    ),
    "a day without a list": (
        lambda: _calendar({"mon": None, "tue": 5, "wed": "09:00"}),
        BadWindows,
        "mon: None is not a list of windows: [] is closed; tue: 5 is not a list of windows: [] is closed; wed: '09:00'",
    ),
    "a window that is none": (lambda: _calendar({"mon": [None]}), BadWindows, "mon: None is not a pair"),
    "no holidays": (lambda: _calendar(holidays=None), WrongType, "holidays is None: expected a list of dates"),
    "one holiday": (lambda: _calendar(holidays="2026-12-25"), WrongType, "holidays is '2026-12-25': expected a list"),
    "special days as a list": (lambda: _calendar(special_days=["2026-12-24"]), WrongType, "special_days is list"),
    "a special day of None": (lambda: _calendar(special_days={"2026-12-24": None}), BadWindows, "2026-12-24: None is"),
    "no minutes": (lambda: DESK.deadline(AT, minutes=None), WrongType, "minutes is a NoneType"),
    "minutes as text": (lambda: DESK.deadline(AT, minutes="60"), WrongType, "minutes is a str"),
    "minutes as texts": (lambda: DESK.deadlines([AT], ["sixty"]), WrongType, "minutes is not numbers"),
    "no start": (lambda: DESK.deadline(None, minutes=5), WrongType, "start is a NoneType: expected an aware"),
    "a date as start": (lambda: DESK.deadline(date(2026, 6, 1), minutes=5), WrongType, "start is a date"),
    "two starts, three minutes": (
        lambda: DESK.deadlines([AT, AT], [1, 2, 3]),
        OutOfRange,
        "1, or 2 as in starts",
    ),
    "two starts, three ends": (lambda: DESK.elapsed_us([AT, AT], [AT] * 3), OutOfRange, "ends = '3 values'"),
    "starts as text": (lambda: DESK.deadlines(np.array(["2026-06-01"]), 5), WrongType, "expected datetime64 in UTC"),
    "starts as numbers": (lambda: DESK.deadlines([1, 2], 5), WrongType, "starts is int64"),
    "starts as mixed": (lambda: DESK.deadlines([AT, "x"], 5), WrongType, "starts is a column with a str"),
    "quiet hours of a number": (lambda: TIMES("UTC", quiet_hours=5), BadWindows, "5: expected two times"),
    "yes as a weekday": (lambda: TIMES("UTC", weekdays=[True]), BadWindows, "True is no weekday"),
    "no caps": (lambda: TIMES("UTC", caps=None), WrongType, "expected SlidingCap or CalendarCap"),
    "a cap as a dict": (lambda: TIMES("UTC", caps=[{"max": 1}]), WrongType, "caps is dict"),
    "a cap of no hours": (lambda: SLIDING(None, 1), OutOfRange, "hours = None: expected more than 0 hours"),
    "a cap of texts": (lambda: SLIDING("day", 1), OutOfRange, "hours = 'day'"),
    "no history": (lambda: CAPPED.decide(AT, None), WrongType, "expected a list of earlier sends"),
    "numbers as history": (lambda: CAPPED.decide(AT, np.array([1, 2])), WrongType, "history is int64"),
    "no rule of dates": (lambda: REPEATED(None, zone="UTC"), WrongType, "rule is a NoneType: expected Yearly, Monthly"),
    "months of a number": (lambda: NTH(1, "mon", months=5), OutOfRange, "months = 5: expected numbers from 1 to 12"),
    "zones without codes": (
        lambda: CAPPED.decide_all([AT, AT], zones=["UTC", "Asia/Bangkok"]),
        OutOfRange,
        "say which zone each contact lives in: zone_codes=",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_call_says_what_to_do(what: str) -> None:
    call, error, says = WRONG[what]
    with pytest.raises(error) as caught:
        call()
    assert says in str(caught.value)
    assert "\n  hint: " in str(caught.value)


def test_what_is_not_ambiguous_is_taken() -> None:
    assert TIMES("UTC", caps=CalendarCap("day", 1)).caps == (CalendarCap("day", 1),)
    assert TIMES("UTC", weekdays=np.array([1, 7])).weekdays == ("mon", "sun")
    assert TIMES("UTC", weekdays=5).weekdays == ("fri",)
    noon = np.array(["2026-06-01T12:00"], "datetime64[us]")
    night = TIMES("UTC", quiet_hours=("18:00", "20:00"))
    assert night.decide_all(noon, zones="Asia/Bangkok").reasons() == ["quiet_hours"]
    assert np.isnat(DESK.deadlines([np.nan, None], 5)).all()
