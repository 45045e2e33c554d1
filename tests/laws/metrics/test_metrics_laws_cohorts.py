"""Laws of days, cohorts, churn and roll-ups: slow twins, shards = whole, every change of the clock."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmcore.errors import EmptyInput
from crmcore.metrics.behaviour.rollups import RollUp, roll_up
from crmcore.metrics.days import local_clock, local_periods, period_ends, period_starts
from crmcore.metrics.durations.churn import churn_by_period
from crmcore.metrics.durations.cohorts import RetentionTable, retention
from crmcore.metrics.series import RateSeries
from crmcore.tables import TextColumn

ZONES = st.sampled_from(
    "UTC Asia/Bangkok Europe/Berlin America/New_York Australia/Lord_Howe America/Sao_Paulo Asia/Kathmandu "
    "Pacific/Apia Africa/Casablanca Asia/Tehran America/St_Johns America/Havana".split()
)
PERIODS = st.sampled_from(["day", "week", "month", "quarter", "year"])
INSTANTS = st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
YEAR = st.datetimes(datetime(2025, 9, 1), datetime(2026, 4, 30), timezones=st.just(UTC))
EVENTS = st.lists(st.tuples(st.integers(-1, 5), YEAR), min_size=1, max_size=30)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNTIL = datetime(2026, 3, 17, 12, tzinfo=UTC)


def column(moments: list[datetime]) -> np.ndarray:
    return np.array([m.replace(tzinfo=None) for m in moments], "datetime64[us]")


def slow_start(moment: datetime, zone: str, period: str) -> date:
    """First local day of the period of an instant, by the standard library."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period in MONTHS:
        return day.replace(day=1, month=(day.month - 1) // MONTHS[period] * MONTHS[period] + 1)
    return day


def following(day: date, period: str) -> date:
    if period in MONTHS:
        for _ in range(MONTHS[period]):
            day = (day + timedelta(days=32)).replace(day=1)
        return day
    return day + timedelta(days=7 if period == "week" else 1)


@given(st.lists(INSTANTS, min_size=1, max_size=20), ZONES, PERIODS)
def test_local_periods_equal_those_of_the_standard_library(moments: list[datetime], zone: str, period: Any) -> None:
    number = local_periods(column(moments), zone, period=period)
    assert period_starts(number, period=period) == [slow_start(m, zone, period) for m in moments]
    walls = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in moments]
    assert local_clock(column(moments), zone).tolist() == walls


@given(INSTANTS, ZONES, PERIODS)
def test_a_period_is_over_at_its_end_and_not_a_moment_before(moment: datetime, zone: str, period: Any) -> None:
    number = local_periods(column([moment]), zone, period=period)
    end = period_ends(number, zone, period=period)
    around = end + np.array([-1, 0, 3_600_000_000, 86_400_000_000]).astype("timedelta64[us]")
    seen = local_periods(around, zone, period=period)
    assert seen[0] <= number[0]
    assert (seen[1:] > number[0]).all()
    assert column([moment])[0] < end[0]


def slow_cells(events: list[tuple[int, datetime]], zone: str, period: str, rule: str) -> dict[tuple[date, int], int]:
    """Customers by (cohort, age), one after the other."""
    seen: dict[int, set[date]] = {}
    for who, when in events:
        if who >= 0 and when < UNTIL:
            seen.setdefault(who, set()).add(slow_start(when, zone, period))
    cells: dict[tuple[date, int], int] = {}
    for days in seen.values():
        began, ages, day, age = min(days), set(), min(days), 0
        while day <= max(days):
            if day in days:
                ages.add(age)
            day, age = following(day, period), age + 1
        held = range(max(ages) + 1) if rule == "unbounded" else ages
        for a in held:
            cells[began, a] = cells.get((began, a), 0) + 1
    return cells


def table_of(events: list[tuple[int, datetime]], zone: str, period: Any, rule: Any = "active") -> RetentionTable:
    code, when = [who for who, _ in events], column([at for _, at in events])
    return retention(code, when, until=UNTIL, zone=zone, period=period, rule=rule)


def known(events: list[tuple[int, datetime]]) -> bool:
    return any(who >= 0 and at < UNTIL for who, at in events)


@given(EVENTS, ZONES, PERIODS, st.sampled_from(["active", "unbounded"]))
def test_retention_equals_its_slow_twin(events: list[tuple[int, datetime]], zone: str, period: str, rule: str) -> None:
    assume(known(events))
    table = table_of(events, zone, period, rule)
    found = {
        (day, age): int(n)
        for day, row in zip(table.starts, table.active, strict=True)
        for age, n in enumerate(row)
        if n
    }
    assert found == slow_cells(events, zone, period, rule)
    assert (table.active <= table.size[:, None]).all()
    assert table.active[:, 0].tolist() == table.size.tolist()


@given(EVENTS, PERIODS, st.sampled_from(["active", "unbounded"]), st.randoms(use_true_random=False))
def test_retention_of_shards_of_customers_adds_up_in_any_order(
    events: list[tuple[int, datetime]], period: str, rule: str, random: Any
) -> None:
    odd, even = ([(w, at) for w, at in events if w % 2 == side] for side in (1, 0))
    assume(known(odd))
    assume(known(even))
    shuffled = list(events)
    random.shuffle(shuffled)
    sharded = table_of(odd, "Asia/Bangkok", period, rule) + table_of(even, "Asia/Bangkok", period, rule)
    assert sharded == table_of(shuffled, "Asia/Bangkok", period, rule)
    assert RetentionTable.from_dict(json.loads(json.dumps(sharded.to_dict()))) == sharded


@given(EVENTS, ZONES)
def test_brackets_of_one_age_equal_the_active_rule(events: list[tuple[int, datetime]], zone: str) -> None:
    assume(known(events))
    plain = table_of(events, zone, "month")
    code, when = [who for who, _ in events], column([at for _, at in events])
    width = plain.active.shape[1]
    one = retention(code, when, until=UNTIL, zone=zone, rule="bracket", brackets=[(a, a) for a in range(width)])
    assert np.array_equal(one.active, plain.active)
    wide = retention(code, when, until=UNTIL, zone=zone, rule="bracket", brackets=[(0, 0), (1, width + 5)])
    assert (wide.active[:, 1] >= plain.active[:, 1:].max(axis=1, initial=0)).all()
    assert not wide.complete[:, 1].any()  # such a bracket reaches into the future for every cohort


@given(EVENTS, ZONES, PERIODS)
def test_churn_equals_its_slow_twin(events: list[tuple[int, datetime]], zone: str, period: Any) -> None:
    code, when = [who for who, _ in events], column([at for _, at in events])
    if not known(events):
        with pytest.raises(EmptyInput):
            churn_by_period(code, when, until=UNTIL, zone=zone, period=period)
        return
    got = churn_by_period(code, when, until=UNTIL, zone=zone, period=period)
    active: dict[date, set[int]] = {}
    for who, at in events:
        if who >= 0 and at < UNTIL:
            active.setdefault(slow_start(at, zone, period), set()).add(who)
    day, running = min(active), slow_start(UNTIL, zone, period)
    slow = []
    while (after := following(day, period)) < running:
        before = active.get(day, set())
        slow.append((after, len(before - active.get(after, set())), len(before)))
        day = after
    assert list(zip(got.starts, got.k.tolist(), got.n.tolist(), strict=True)) == slow
    assert got + RateSeries(number=[], k=[], n=[], rule=got.rule, period=got.period, zone=got.zone) == got


ROWS = st.lists(
    st.tuples(YEAR, st.integers(-500, 2**53), st.sampled_from(["line", "web", ""])), min_size=0, max_size=25
)


def rolled(rows: list[tuple[datetime, int, str]], zone: str, period: Any = "day") -> RollUp:
    labels = np.array([label for _, _, label in rows], np.str_)
    return roll_up(column([at for at, _, _ in rows]), [v for _, v, _ in rows], zone=zone, labels=labels, period=period)


@given(ROWS, ROWS, ZONES, PERIODS)
def test_a_stream_of_batches_equals_one_batch(
    first: list[tuple[datetime, int, str]], second: list[tuple[datetime, int, str]], zone: str, period: str
) -> None:
    assume(first)
    assume(second)
    streamed, whole = rolled(first, zone, period) + rolled(second, zone, period), rolled(first + second, zone, period)
    assert streamed == whole
    assert rolled((first + second)[::-1], zone, period) == whole
    assert RollUp.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    slow: dict[tuple[date, str], tuple[int, int]] = {}
    for at, value, label in first + second:
        n, total = slow.get((slow_start(at, zone, period), label), (0, 0))
        slow[slow_start(at, zone, period), label] = n + 1, total + value
    cells = zip(whole.starts, whole.label.tolist(), whole.count.tolist(), whole.total.tolist(), strict=True)
    assert {(day, label): (n, total) for day, label, n, total in cells} == slow  # exact beyond 2**53


@given(ROWS.filter(len), st.tuples(YEAR, st.integers(1, 9), st.just("web")), ZONES)
def test_a_late_event_corrects_its_own_day_and_label_alone(
    rows: list[tuple[datetime, int, str]], late: tuple[datetime, int, str], zone: str
) -> None:
    before = rolled(rows, zone)
    after = before + rolled([late], zone)
    assert after.changed_since(before) == [(slow_start(late[0], zone, "day"), "web")]


@given(ROWS.filter(len), ZONES)
def test_encoded_text_rolls_up_like_text(rows: list[tuple[datetime, int, str]], zone: str) -> None:
    encoded = TextColumn.of([label for _, _, label in rows])
    values = [v for _, v, _ in rows]
    assert roll_up(column([at for at, _, _ in rows]), values, zone=zone, labels=encoded) == rolled(rows, zone)


@given(ROWS.filter(len), YEAR, ZONES)
def test_a_row_is_final_when_its_day_ended_before_the_watermark(
    rows: list[tuple[datetime, int, str]], mark: datetime, zone: str
) -> None:
    made = roll_up(column([at for at, _, _ in rows]), zone=zone, watermark=mark)
    last_day = slow_start(mark, zone, "day")
    assert [(day < last_day) == ok for day, ok in zip(made.starts, made.final.tolist(), strict=True)] == [True] * len(
        made
    )
