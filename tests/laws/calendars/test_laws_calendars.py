"""Laws of business time: equal to counting minutes, inverse, monotone, additive; one start = a column of them."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar

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
