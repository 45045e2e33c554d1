"""Laws of simulated queues, waits and cover: slow twins agree."""

from __future__ import annotations

import heapq
import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar
from crmcore.recovery.employees import Absence, Agent, Certificate, CoverNeed, Desk, SkillMatrix, coverage
from crmcore.recovery.employees.queues import (
    check_plan,
    erlang_a,
    erlang_c,
    expected_wait,
    linked_orders,
    simulate_backlog,
)
from crmcore.recovery.employees.queues.simulating import serve
from crmcore.tables import OrderTable

SINCE = datetime(2026, 6, 1, tzinfo=UTC)


def one_run(arrivals: list[float], handling: list[float], patience: list[float], agents: list[int]) -> list[float]:
    """First come, first served, by walking from event to event; width of an interval is 1."""
    end = float(len(agents))
    on = [[i < a for a in agents] for i in range(max(agents, default=0))]
    starts = [math.inf] * len(arrivals)
    events = [(t, 1, i) for i, t in enumerate(arrivals)] + [(float(k), 2, k) for k in range(len(agents))]
    heapq.heapify(events)
    line: list[int] = []
    busy_until = [0.0] * len(on)
    while events:
        now, kind, i = heapq.heappop(events)
        if kind == 1:
            line.append(i)
        if now >= end:
            break
        line = [j for j in line if now - arrivals[j] <= patience[j]]
        for place in range(len(on)):
            if line and on[place][min(int(now), len(agents) - 1)] and busy_until[place] <= now:
                first = line.pop(0)
                starts[first] = now
                busy_until[place] = now + handling[first]
                heapq.heappush(events, (busy_until[place], 0, place))
    return starts


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=5),
    st.integers(0, 25),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_all_runs_in_step_equal_one_run_after_the_other(agents: list[int], n: int, leave: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrivals = np.sort(rng.uniform(0, len(agents), (3, n)), axis=1)
    handling = rng.exponential(0.4, (3, n))
    patience = rng.exponential(0.5, (3, n)) if leave else np.full((3, n), np.inf)
    found = serve(arrivals, handling, patience if leave else None, agents=np.array(agents), width=1.0)
    for i in range(3):
        slow = one_run(arrivals[i].tolist(), handling[i].tolist(), patience[i].tolist(), agents)
        assert found[i] == pytest.approx(slow)


def test_long_simulated_days_agree_with_the_formulas() -> None:
    hours = 250
    runs = simulate_backlog([100] * hours, [6] * hours, handling_s=180, seed=5, within_minutes=1, runs=20)
    exact = erlang_c(agents=6, arrivals_per_hour=100, handling_s=180, within_s=60)
    assert runs.share_in_time.value == pytest.approx(exact.service_level, abs=0.01)
    assert 60 * runs.wait_minutes.value == pytest.approx(exact.mean_wait_s, rel=0.08)
    assert runs.share_busy.value == pytest.approx(exact.occupancy, abs=0.01)
    leaving = simulate_backlog(
        [100] * hours, [4] * hours, handling_s=180, patience_s=120, seed=6, within_minutes=1, runs=20
    )
    known = erlang_a(agents=4, arrivals_per_hour=100, handling_s=180, patience_s=120, within_s=60)
    assert leaving.share_abandoned.value == pytest.approx(known.abandoned, abs=0.006)
    assert leaving.share_in_time.value == pytest.approx(known.service_level, abs=0.01)
    assert 60 * leaving.wait_minutes.value == pytest.approx(known.mean_wait_answered_s, rel=0.05)
    assert leaving.share_busy.value == pytest.approx(known.occupancy, abs=0.01)


@pytest.mark.parametrize(("patience", "handled"), [(None, None), (120.0, None), (None, 12)])
def test_spans_shown_to_the_waiting_hold_as_often_as_they_say(patience: float | None, handled: int | None) -> None:
    rng = np.random.default_rng(9)
    ahead, agents, mean, n = 4, 3, 200.0, 40_000
    leaving = 0.0 if patience is None else 1 / patience
    rates = agents / mean + leaving * np.arange(ahead + 1)
    truth = (rng.exponential(size=(n, ahead + 1)) / rates).sum(axis=1)
    if handled is None:
        found = expected_wait(ahead=ahead, agents=agents, handling_s=mean, patience_s=patience).wait_s
        inside = (truth >= found.low) & (truth <= found.high)
        assert found.value == pytest.approx(truth.mean(), rel=0.02)
        assert (truth < found.low).mean() == pytest.approx(0.1, abs=0.01)
    else:
        seen = rng.exponential(mean, (n, handled)).mean(axis=1)
        found = expected_wait(ahead=ahead, agents=agents, handling_s=1.0, handled=handled).wait_s
        inside = (truth >= found.low * seen) & (truth <= found.high * seen)
    assert inside.mean() == pytest.approx(0.8, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(1, 30), st.floats(1, 1000), st.floats(1, 5000))
def test_waits_grow_with_the_line_and_shrink_with_agents(ahead: int, agents: int, mean: float, patience: float) -> None:
    for option in (None, patience):
        here = expected_wait(ahead=ahead, agents=agents, handling_s=mean, patience_s=option).wait_s
        behind = expected_wait(ahead=ahead + 1, agents=agents, handling_s=mean, patience_s=option).wait_s
        helped = expected_wait(ahead=ahead, agents=agents + 1, handling_s=mean, patience_s=option).wait_s
        assert here.low <= here.value <= here.high
        assert (helped.value, helped.high) <= (here.value, here.high)
        assert (here.value, here.high) <= (behind.value, behind.high)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 200), min_size=1, max_size=6))
def test_each_interval_of_a_plan_stands_alone(arrivals: list[float]) -> None:
    agents = [int(a / 5) + 3 for a in arrivals]
    plan = check_plan(arrivals, agents, handling_s=240, interval_minutes=30)
    for i, (a, n) in enumerate(zip(arrivals, agents, strict=True)):
        if a > 1e-6:
            alone = erlang_c(agents=n, arrivals_per_hour=2 * a, handling_s=240)
            assert plan.service_level[i] == pytest.approx(alone.service_level)
        elif a == 0:
            assert math.isnan(plan.service_level[i])


NIGHTS = [("Asia/Bangkok", 0), ("Europe/Berlin", -65), ("Europe/Berlin", 146), ("Australia/Lord_Howe", -57)]
"""Zones, and days from the start after which their clocks change."""
windows = st.sampled_from(
    [[("09:00", "12:00"), ("13:00", "17:00")], [("08:30", "10:45")], [("22:00", "06:00")], [("00:00", "24:00")], []]
)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(windows, st.booleans(), st.sampled_from([1, 2]), st.booleans()), max_size=4),
    windows,
    st.sampled_from([30, 60, 90]),
    st.integers(0, 59),
    st.sampled_from(
        [("Asia/Bangkok", 0), ("Europe/Berlin", -65), ("Europe/Berlin", 146), ("Australia/Lord_Howe", -57)]
    ),
)
def test_cover_equals_a_count_minute_by_minute(people, needed, step: int, offset: int, where: tuple[str, int]) -> None:
    zone, ahead = where  # the nights on which clocks change, too
    since = SINCE + timedelta(days=ahead, minutes=offset)
    until = since + timedelta(hours=40)
    away = (Absence(since + timedelta(hours=3, minutes=20), since + timedelta(hours=15)),)
    team = [
        Agent(id=f"a{i}", hours=BusinessCalendar(zone, {"mon-sun": w}), away=away if gone else ())
        for i, (w, gone, _, _) in enumerate(people)
    ]
    skills = SkillMatrix.of(
        [
            Certificate(agent=f"a{i}", skill="x", level=level, expires=str(since.date()) if ends else None)
            for i, (_, _, level, ends) in enumerate(people)
        ]
    )
    desk = Desk(zone=zone, agents=team, skills=skills)
    need = CoverNeed(skill="x", level=2, hours=BusinessCalendar(zone, {"mon-sun": needed}))
    found = coverage(desk, [need], since=since, until=until, step_minutes=step)
    slots: dict[datetime, int] = {}
    at = since
    while at < until:
        minutes = [at + timedelta(minutes=m) for m in range(step) if at + timedelta(minutes=m) < until]
        open_ = [m for m in minutes if need.hours.is_open(m)]
        if open_:
            days = {m: m.astimezone(ZoneInfo(zone)).date() for m in open_}
            slots[at] = sum(
                all(a.on_duty(m) and skills.level_of(a.id, "x", on=days[m]) >= 2 for m in open_) for a in team
            )
        at += timedelta(minutes=step)
    assert [t.replace(tzinfo=UTC) for t in found.start.tolist()] == list(slots)
    assert found.there.tolist() == list(slots.values())


who = st.sampled_from(["ann", "bob", "cho", "zoe"])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(who, st.integers(0, 20), st.sampled_from(["o1", "o2", None]), st.integers(1, 9)), max_size=8),
    st.lists(st.tuples(who, st.integers(0, 20)), max_size=6),
    st.integers(1, 6),
)
def test_the_linked_order_is_the_first_that_a_search_finds(bought, talked, window: int) -> None:
    bought = [row for row in bought if row[0] != "zoe"] or [("ann", 0, None, 1)]
    orders = OrderTable.from_frame(
        {
            "customer": [c for c, *_ in bought],
            "time": [SINCE + timedelta(days=d) for _, d, *_ in bought],
            "amount_minor": [a for *_, a in bought],
            "order_id": [o and f"{c}{d}{o}" for c, d, o, _ in bought],
        },
        currency="THB",
    )
    ended = np.array([np.datetime64("2026-06-01", "us") + np.timedelta64(d, "D") for _, d in talked], "datetime64[us]")
    found = linked_orders([c for c, _ in talked], ended, orders=orders, within_days=window)
    for i, (customer, day) in enumerate(talked):
        after = [(d, k) for k, (c, d, *_) in enumerate(bought) if c == customer and day <= d <= day + window]
        if not after:
            assert (found.order[i], found.amount_minor[i]) == (-1, 0)
            continue
        first = min(after)[1]
        assert found.order[i] == first
        assert found.days[i] == bought[first][1] - day
        c, d, o, amount = bought[first]
        same = [a for c2, d2, o2, a in bought if o and (c2, d2, o2) == (c, d, o)] or [amount]
        assert found.amount_minor[i] == sum(same)
