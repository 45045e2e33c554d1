"""A service desk in bulk: `python -m benchmarks.speed.service [--cases 10000,100000]`.

A made log of ten events a case goes through triage by rules, promises, clocks, routing and closing, as columns; then
the report is made. Peers are state machines that step the same events one by one, where they are installed: they do the
stepping alone, without minutes, calendars, promises or routing. Every size runs in its own fresh process.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

CASES = (10_000, 100_000)
EVENTS_A_CASE = 10
PEER_EVENTS = 20_000
NOW = datetime(2026, 1, 10, tzinfo=UTC)
BAR = 200_000  # events a second, overall
WORDS = ("created", "customer message", "agent reply", "status", "priority", "receipt", "resolved")


def make_log(cases: int, *, seed: int = 0) -> Any:
    """Arrow table of shuffled events: two years, a fifth of the cases never resolved."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    n = cases * EVENTS_A_CASE
    place = np.tile(np.arange(EVENTS_A_CASE), cases)
    gap_s = rng.exponential(4 * 3600, (cases, EVENTS_A_CASE)).astype(np.int64)
    gap_s[:, 0] = rng.integers(0, 2 * 365 * 86_400, cases)
    at = np.datetime64("2024-01-01", "s") + np.cumsum(gap_s, axis=1).ravel()
    word = rng.choice([1, 2, 2, 3, 4, 5], n)
    word[place == 0] = 0
    word[(place == EVENTS_A_CASE - 1) & (rng.random(n) < 0.8)] = 6
    to = np.array([None, None, None, "pending", "urgent", None, None], object)[word]
    order = rng.permutation(n)
    return pa.table(
        {
            "case": pa.array(np.char.zfill(np.repeat(np.arange(cases), EVENTS_A_CASE)[order].astype(str), 8)),
            "time": pa.array(at[order].astype("datetime64[us]")).cast(pa.timestamp("us", "UTC")),
            "activity": pa.array(np.array(WORDS, object)[word[order]]),
            "to": pa.array(to[order], pa.string()),
        }
    )


def make_desk() -> tuple[Any, Any, Any]:
    """Policy of three promises in two calendars, rules of triage, and a desk of sixty."""
    from crmcore.calendars import BusinessCalendar
    from crmcore.calendars.clocks import Targets
    from crmcore.recovery.employees import Agent, Desk
    from crmcore.recovery.service import Promise, Scope, ServicePolicy
    from crmcore.rules import Rule, RuleSet, field

    office = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
    always = BusinessCalendar.always("Europe/Berlin")
    usual = Targets(
        acknowledgement_minutes=10, first_response_minutes=120, next_response_minutes=60, resolution_minutes=960
    )
    fast = Targets(first_response_minutes=15, resolution_minutes=120)
    policy = ServicePolicy(
        office,
        [
            Promise("urgent", Scope(priorities=["urgent"]), fast, calendar=always),
            Promise("vip", Scope(segments=["vip"]), Targets(first_response_minutes=60, resolution_minutes=480)),
            Promise("all", Scope.everything(), usual),
        ],
    )
    dear = (field("value") > 300) & (field("repeat") >= 2)
    rules = RuleSet(
        "triage",
        [Rule("harm", field("severity") > 0.97, then="urgent"), Rule("dear", dear, then="high")],
        default="normal",
    )
    hours = BusinessCalendar("Europe/Berlin", {"mon-fri": [("08:00", "18:00")]})
    desk = Desk(zone="Europe/Berlin", agents=[Agent(id=f"agent {i:02d}", hours=hours, capacity=800) for i in range(60)])
    return policy, rules, desk


def run(cases: int) -> Row:
    """Seconds of everything, for so many cases."""
    from crmcore.recovery.service import read_events, run_bulk
    from crmcore.rules import FactTable
    from crmcore.tables import CustomerIndex

    policy, rules, desk = make_desk()
    rng = np.random.default_rng(1)

    def facts_of(names: tuple[str, ...]) -> Any:
        n = len(names)
        repeat = rng.integers(0, 4, n).astype(float)
        columns = {"severity": rng.random(n), "value": rng.exponential(100, n), "repeat": repeat}
        return FactTable(CustomerIndex(names), columns)

    small = read_events(make_log(200), zone="UTC", odd_ok=True)
    run_bulk(small, policy, now=NOW, facts=facts_of(small.cases), rules=rules, desk=desk).report()  # imports
    frame = make_log(cases)
    with Meter() as reading:
        log = read_events(frame, zone="UTC", odd_ok=True)
    log = log.with_facts(segment=rng.choice(np.array(["vip", "standard"], object), cases).tolist())
    facts = facts_of(log.cases)
    with Meter() as bulk:
        made = run_bulk(log, policy, now=NOW, facts=facts, rules=rules, desk=desk)
    with Meter() as reporting:
        made.report(by=["priority", "agent", "month"])
    events = cases * EVENTS_A_CASE
    return {
        "wall_s": bulk.cost.wall_s, "read_s": reading.cost.wall_s, "report_s": reporting.cost.wall_s,
        "peak_mb": bulk.cost.peak_mb, "rate": events / bulk.cost.wall_s, "routed": made.counts["routed"],
        **{name: peer() for name, peer in PEERS.items()},
    }  # fmt: skip


# --- peers -----------------------------------------------------------------------------------------------------------

STATES = ("new", "open", "pending", "resolved")
STEPS = (("ask", "open"), ("answer", "open"), ("wait", "pending"), ("resolve", "resolved"))


def _stepped(make: Callable[[], Any]) -> float:
    """Events a second that a state machine steps, cases of ten."""
    words = [STEPS[i % 4][0] for i in range(EVENTS_A_CASE)]
    begin = time.perf_counter()
    for _ in range(PEER_EVENTS // EVENTS_A_CASE):
        case = make()
        for name in words:
            getattr(case, name)()
    return PEER_EVENTS / (time.perf_counter() - begin)


def _transitions() -> float | None:
    if importlib.util.find_spec("transitions") is None:
        return None
    import transitions

    steps = [{"trigger": name, "source": "*", "dest": to} for name, to in STEPS]

    class Case:
        """What the machine moves."""

    def make() -> Any:
        case = Case()
        transitions.Machine(case, states=list(STATES), transitions=steps, initial="new")
        return case

    return _stepped(make)


def _statemachine() -> float | None:
    if importlib.util.find_spec("statemachine") is None:
        return None
    from statemachine import State, StateMachine

    class Case(StateMachine):  # type: ignore[misc]
        """The same states and steps."""

        new = State(initial=True)
        open = State()
        pending = State()
        resolved = State()
        ask = open.from_(new, open, pending, resolved)
        answer = open.from_(new, open, pending, resolved)
        wait = pending.from_(new, open, pending, resolved)
        resolve = resolved.from_(new, open, pending, resolved)

    return _stepped(Case)


PEERS: dict[str, Callable[[], float | None]] = {"transitions": _transitions, "python-statemachine": _statemachine}


def store(found: dict[int, list[Row]], folder: Path = RESULTS) -> None:
    """Keep one row a size."""
    rows = [
        {
            "cases": n, "events": n * EVENTS_A_CASE, "runs": len(runs), "read s": middle(runs, "read_s"),
            "desk s": middle(runs, "wall_s"), "events per s": middle(runs, "rate"), "bar per s": BAR,
            "met": middle(runs, "rate") >= BAR, "report s": middle(runs, "report_s"), "routed": runs[0]["routed"],
            "peak GB": middle(runs, "peak_mb") / 1000,
            **{f"{name} per s": middle(runs, name) if runs[0][name] else None for name in PEERS},
        }
        for n, runs in found.items()
    ]  # fmt: skip
    Table(
        name="speed-recovery-service", section="speed", order=62, title="Recovery: a service desk in bulk",
        about="Triage by rules, promises, five clocks in two calendars, hourly routing to sixty agents, and closing, of "  # noqa: E501
        "a log of ten events a case that `read_events` has read from Arrow; then the report by priority, agent "
        "and month. State machines, where installed, step events only: no minutes, no routing. The bar holds for 100,000 "  # noqa: E501
        "cases.",
        rows=rows, key=("cases",),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default=",".join(map(str, CASES)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    sizes = [int(s) for s in given.cases.split(",")]
    runs = in_turns("benchmarks.speed.service", {f"{n:,} cases": (str(n),) for n in sizes}, repeats=given.repeats)
    found = dict(zip(sizes, runs.values(), strict=True))
    store(found, folder)
    for n, got in found.items():
        say(f"{n:,} cases: {middle(got, 'wall_s'):.2f} s, {middle(got, 'rate'):,.0f} events a second")


if __name__ == "__main__":
    main()
