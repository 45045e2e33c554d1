"""A desk in bulk gives every case to whom a desk gives it that is looked at anew at every tick."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import Targets
from crmcore.recovery.employees import Agent, Certificate, Desk, SkillMatrix, Task
from crmcore.recovery.employees.eligibility import Sweep
from crmcore.recovery.employees.routing import ORDER
from crmcore.recovery.employees.work import Work
from crmcore.recovery.service import Promise, Scope, ServiceLog, ServicePolicy, read_events, run_bulk
from crmcore.zones import from_us, to_us

BEGIN, HOURS = datetime(2026, 6, 1, tzinfo=UTC), 96
HOUR_US = 3_600_000_000
ALWAYS = BusinessCalendar.always("UTC")
SHIFTS = (ALWAYS, BusinessCalendar("UTC", {"mon-sun": [("06:00", "14:00")]}))
POLICY = ServicePolicy(ALWAYS, [Promise("all", Scope.everything(), Targets(resolution_minutes=600))])


def desk_of(rng: np.random.Generator) -> Desk:
    """One to four agents in shifts; certificates begin and end within the days of the log."""
    agents = [
        Agent(id=f"a{i}", hours=SHIFTS[int(rng.integers(2))], capacity=float(rng.choice([1, 2.5, 9])))
        for i in range(int(rng.integers(1, 5)))
    ]
    held = [
        Certificate(
            agent=agent.id, skill=f"s{k}", level=int(rng.integers(1, 3)),
            since=date(2026, 6, 1) + timedelta(days=int(rng.integers(0, 3))),
            expires=date(2026, 6, 3) + timedelta(days=int(rng.integers(0, 3))),
        )
        for agent in agents for k in range(2) if rng.random() < 0.7
    ]  # fmt: skip
    tasks = [Task(f"t{k}", {f"s{k}": int(rng.integers(1, 3))}) for k in range(2)]
    return Desk(zone="UTC", agents=agents, skills=SkillMatrix.of(held), tasks=tasks)


def log_of(rng: np.random.Generator) -> ServiceLog:
    """Cases that begin within three days; two thirds are resolved a while later."""
    rows: list[tuple[str, datetime, str]] = []
    n = int(rng.integers(1, 40))
    for i in range(n):
        begun = BEGIN + timedelta(minutes=int(rng.integers(0, 72 * 60)))
        rows.append((f"c{i:02d}", begun, "created"))
        if rng.random() < 0.67:
            rows.append((f"c{i:02d}", begun + timedelta(minutes=int(rng.integers(1, 1500))), "resolved"))
    frame = dict(zip(("case", "time", "activity"), map(list, zip(*rows, strict=True)), strict=True))
    return read_events(frame, zone="UTC").with_facts(task=rng.choice(["t0", "t1"], n).tolist())


def slow(log: ServiceLog, desk: Desk, closed: list[int | None], now: datetime) -> list[tuple[str, int] | None]:
    """At every hour a sweep made anew, over waiting cases in the order of what is due, born and named."""
    table = run_bulk(log, POLICY, now=now).clocks.table.of("resolution")
    due = {int(c): int(d) for c, d in zip(table.case, table.due_at.astype(np.int64), strict=True)}
    minutes = 600 * 60_000_000
    found: list[tuple[str, int] | None] = [None] * len(log)
    for tick in range(to_us(BEGIN), to_us(now) + 1, HOUR_US):
        units: dict[str, float] = {}
        taken: dict[str, int] = {}
        last: dict[str, datetime] = {}
        for i, got in enumerate(found):
            if got is not None:
                end = closed[i]
                units[got[0]] = units.get(got[0], 0.0) + float(end is None or end > tick)
                taken[got[0]] = taken.get(got[0], 0) + 1
                last[got[0]] = max(last.get(got[0], BEGIN), from_us(got[1], "UTC"))
        load = desk.load(open_units=units, taken=taken, last_taken=last)
        sweep = Sweep(desk, from_us(tick, "UTC"), load, ORDER)
        for i in sorted(range(len(log)), key=lambda i: (due[i], i)):
            end, gone = closed[i], found[i] is not None
            if gone or due[i] - minutes > tick or (end is not None and end <= tick):
                continue
            work = Work(id="any", at=from_us(tick, "UTC"), task=str(log.facts["task"].to_list()[i]))
            place = sweep.booker(work)()
            if place is not None:
                found[i] = (desk.ids[place], tick)
    return found


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_bulk_gives_cases_to_whom_a_desk_gives_them_that_is_made_anew_every_hour(seed: int) -> None:
    rng = np.random.default_rng(seed)
    desk, log, now = desk_of(rng), log_of(rng), BEGIN + timedelta(hours=HOURS)
    run = run_bulk(log, POLICY, now=now, desk=desk)
    closed = [None if np.isnat(t) else int(t.astype(np.int64)) for t in run.closed_at]
    got = [
        None if name is None else (name, int(at.astype(np.int64)))
        for name, at in zip(run.agent.to_list(), run.routed_at, strict=True)
    ]
    assert got == slow(log, desk, closed, now)
