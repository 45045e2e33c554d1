"""Laws of escalations: brute force over every minute; windows of any partition list the same, each once."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_laws_clocks import MINUTE, STARTS, events, is_open, policy_of, reopened_cases, rules

from crmcore.calendars.clocks import (
    CaseClocks,
    ClockEvent,
    ClockEventTable,
    ClockHistory,
    ClockPolicy,
    Escalation,
    escalations_between,
    read_clocks,
)

CLOCKS = ("acknowledgement", "first response", "next response", "resolution")


@st.composite
def escalations(draw: st.DrawFn) -> Escalation:
    when = draw(st.sampled_from(["before", "at", "after"]))
    return Escalation(
        clock=draw(st.sampled_from(CLOCKS)),
        when=when,
        minutes=0 if when == "at" else draw(st.sampled_from([5, 30, 90])),
        counting=draw(st.sampled_from(["business", "wall"])),
        hours=draw(st.sampled_from(["opening hours", "any time"])),
    )


def brute_force(made: list[ClockEvent], rule: Escalation, policy: ClockPolicy, book: dict, until: datetime) -> list:
    """Walk through every minute, ask the clocks as of it, and note the first at which the condition holds."""
    start = min((e.at for e in made), default=until)
    carried = rule.clock == "resolution" and book["on_reopen"] == "resume"
    pending: dict[int, bool] = {}  # run -> fired already; one that waits for the opening is False
    fired = []
    at = start
    while at <= until:
        read = read_clocks(made, policy, now=at)
        clock = read[rule.clock]
        opened = is_open(at, book["hours"])
        if clock.open:
            cycle = clock.cycles[-1]
            run = 1 if carried else cycle.number
            if run not in pending and holds(read, rule, at, opened):
                pending[run] = False
            if pending.get(run) is False and (opened or rule.hours == "any time"):
                pending[run] = True
                fired.append((at, cycle.number))
        else:  # what waited for the opening when the clock stopped is not sent, ever
            pending = dict.fromkeys(pending, True)
        at += MINUTE
    return fired


def holds(read: CaseClocks, rule: Escalation, at: datetime, opened: bool) -> bool:
    cycle = read[rule.clock].cycles[-1]
    if cycle.target_minutes is None:
        return False
    minutes, target, gap = cycle.total_minutes, cycle.target_minutes, rule.minutes
    counts = opened and (rule.clock != "resolution" or read.standing == "active")
    if rule.when == "before" and rule.counting == "business":
        return minutes >= target - gap
    if rule.when == "before":
        return minutes >= target or (cycle.due_at is not None and cycle.due_at - gap * MINUTE <= at)
    if rule.when == "at" or rule.counting == "business":
        return minutes > target + gap or (minutes == target + gap and counts)
    since = cycle.breaches_at if cycle.state in ("breached", "running") else None
    late = minutes > target or (minutes == target and counts)
    return late and since is not None and since + gap * MINUTE <= at


@st.composite
def desks(draw: st.DrawFn) -> tuple[list[ClockEvent], dict, datetime]:
    start = draw(st.sampled_from(STARTS)) + timedelta(hours=draw(st.integers(0, 24)))
    made = draw(events(start, max_size=6, minutes=240))
    return made, draw(rules()), start + MINUTE * draw(st.integers(100, 400))


def check_brute_force(case: tuple, rule: Escalation) -> None:
    made, book, until = case
    policy = policy_of(book)
    start = min((e.at for e in made), default=until) - MINUTE
    found = escalations_between(ClockHistory.of(made), [rule], policy, since=min(start, until), until=until)
    assert [(d.fires_at, d.cycle) for d in found] == brute_force(made, rule, policy, book, until)


@settings(max_examples=15)
@given(desks(), escalations())
def test_escalations_fire_when_a_walk_through_every_minute_says(case: tuple, rule: Escalation) -> None:
    check_brute_force(case, rule)


@settings(max_examples=15)
@given(reopened_cases(), escalations())
def test_escalations_of_reopened_cases_fire_when_a_walk_says(case: tuple, rule: Escalation) -> None:
    check_brute_force(case, rule)


@pytest.mark.slow
@settings(max_examples=400)
@given(desks(), escalations())
def test_hundreds_of_escalations_fire_when_a_walk_through_every_minute_says(case: tuple, rule: Escalation) -> None:
    check_brute_force(case, rule)


@given(desks(), st.lists(escalations(), min_size=1, max_size=4, unique_by=lambda e: e.name), st.data())
def test_windows_of_any_partition_list_the_same_each_once(case: tuple, listed: list, data: st.DataObject) -> None:
    made, book, until = case
    policy = policy_of(book)
    start = min((e.at for e in made), default=until) - MINUTE
    start = min(start, until)
    length = int((until - start) / MINUTE)
    cuts = sorted(data.draw(st.lists(st.integers(0, length), max_size=5)))
    bounds = [start, *(start + MINUTE * c for c in cuts), until]
    whole = escalations_between(ClockHistory.of(made), listed, policy, since=start, until=until)
    parts = []
    for since, end in itertools.pairwise(bounds):
        known = ClockHistory.of(e for e in made if e.at <= end)  # all that a desk can know at the end of the window
        parts += escalations_between(known, listed, policy, since=since, until=end)
    assert sorted(d.key for d in parts) == sorted(d.key for d in whole)
    assert [d.fires_at for d in parts] == [d.fires_at for d in whole]
    assert len({d.key for d in whole}) == len(whole)


@given(desks(), st.lists(escalations(), min_size=1, max_size=3, unique_by=lambda e: e.name), st.data())
def test_a_table_of_cases_fires_what_its_histories_fire(case: tuple, listed: list, data: st.DataObject) -> None:
    made, book, until = case
    policy = policy_of(book)
    since = until - MINUTE * data.draw(st.integers(0, 400))
    histories = [ClockHistory.of(made, case="a"), ClockHistory.of(data.draw(events(since, max_size=5)), case="b")]
    one_by_one = escalations_between(histories, listed, policy, since=since, until=until)
    assert escalations_between(ClockEventTable.of(histories), listed, policy, since=since, until=until) == one_by_one
