"""Staff and queues at scale: `python -m benchmarks.speed.staffing [--size 100000]`.

One fresh process a repeat measures everything: agents needed for single queues and for a year of half hours, a backlog
simulated many times, work handed out, cover counted. The peer is pyworkforce (Erlang C only), where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, measures, middle, say

SIZE = 100_000
SINGLE = 200
AGENTS = 100
NOW = datetime(2026, 6, 3, 5, tzinfo=UTC)
BARS = {"work handed out": 20_000, "simulated cases": 200_000, "half hours planned (Erlang C)": 5_000}  # a second


def run(n: int) -> Row:
    """Rates of everything; n pieces of work, n / 2 simulated cases, n / 6 half hours."""
    with Meter() as whole:
        row: Row = {**_queues(n), **_simulated(n), **_handed_out(n), **_cover()}
    return {**row, **_peer(), "wall_s": whole.cost.wall_s, "peak_mb": whole.cost.peak_mb}


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _best(work: Callable[[], object]) -> float:
    work()
    return min(_seconds(work) for _ in range(2))


def _loads() -> list[float]:
    return np.random.default_rng(1).uniform(20, 2000, SINGLE).tolist()


def _queues(n: int) -> Row:
    from crmcore.recovery.employees.queues import agents_needed, plan_day

    def needed(patience_s: float | None) -> None:
        for rate in _loads():
            agents_needed(arrivals_per_hour=rate, handling_s=180, patience_s=patience_s)

    arrivals = np.random.default_rng(2).uniform(0, 400, max(n // 6, 48))
    return {
        "c": SINGLE / _best(lambda: needed(None)),
        "a": SINGLE / _best(lambda: needed(90.0)),
        "plan c": len(arrivals) / _best(lambda: plan_day(arrivals, handling_s=180)),
        "plan a": len(arrivals[:2000]) / _best(lambda: plan_day(arrivals[:2000], handling_s=180, patience_s=90)),
    }


def _simulated(n: int) -> Row:
    from crmcore.recovery.employees.queues import simulate_backlog

    runs = 200
    each = max(n // 2 // runs, 20)

    def simulate() -> None:
        simulate_backlog([each / 10] * 10, [10] * 10, handling_s=3600 * 80 / each, runs=runs, seed=1)

    return {"simulated": runs * each / _best(simulate)}


def _handed_out(n: int) -> Row:
    from crmcore.calendars import BusinessCalendar
    from crmcore.recovery.employees import (
        Agent,
        Certificate,
        Desk,
        ResponseTargets,
        SkillMatrix,
        SupportRule,
        Work,
        route_all,
    )

    rng = np.random.default_rng(3)
    day = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "18:00")]})
    held = [
        Certificate(agent=f"a{i}", skill=skill, level=int(rng.integers(1, 4)))
        for i in range(AGENTS)
        for skill in ("refund", "thai", "vip")
        if rng.random() < 0.6
    ]
    desk = Desk(
        zone="Asia/Bangkok",
        agents=[Agent(id=f"a{i}", capacity=1.1 * n / AGENTS, hours=day) for i in range(AGENTS)],
        skills=SkillMatrix.of(held),
        targets=ResponseTargets(day, {"critical": 30, "high": 120, "normal": 480, "low": 960}),
        support=SupportRule(),
    )
    needs: list[dict[str, int]] = [{}, {"refund": 1}, {"refund": 2}, {"thai": 1, "vip": 1}]
    works = [
        Work(
            id=f"w{i}", at=NOW - timedelta(minutes=int(rng.integers(0, 3000))), severity=int(rng.integers(1, 5)),
            needs=needs[i % 4],
        )
        for i in range(n)
    ]  # fmt: skip
    once = works[: n // 10 or 1]
    return {
        "routed": n / _seconds(lambda: route_all(works, desk=desk, now=NOW)),
        "known": len(once) / _seconds(lambda: route_all(once, desk=desk, now=NOW, prefer=["least surplus skill"])),
    }


def _cover() -> Row:
    from crmcore.calendars import BusinessCalendar
    from crmcore.recovery.employees import Agent, Certificate, CoverNeed, Desk, SkillMatrix, coverage

    day = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "12:00"), ("13:00", "18:00")]})
    team = [Agent(id=f"a{i}", hours=day) for i in range(AGENTS)]
    skills = SkillMatrix.of([Certificate(agent=a.id, skill="refund") for a in team])
    desk = Desk(zone="Asia/Bangkok", agents=team, skills=skills)
    need, until = CoverNeed(skill="refund", agents=2, hours=day), NOW + timedelta(days=365)
    slots = len(coverage(desk, [need], since=NOW, until=until)) * AGENTS
    return {"covered": slots / _best(lambda: coverage(desk, [need], since=NOW, until=until))}


def _peer() -> Row:
    """Queues a second of pyworkforce, and on how many of them it takes as many agents as we do."""
    if importlib.util.find_spec("pyworkforce") is None:
        return {}
    from crmcore.recovery.employees.queues import agents_needed

    found: dict[float, Any] = {}

    def needed() -> None:
        from pyworkforce.queuing import ErlangC

        for rate in _loads():
            queue = ErlangC(transactions=rate / 2, aht=3, interval=30, asa=20 / 60, shrinkage=0)
            found[rate] = queue.required_positions(service_level=0.8, max_occupancy=1.0)["raw_positions"]

    speed = SINGLE / _best(needed)
    same = [agents_needed(arrivals_per_hour=r, handling_s=180).agents == n for r, n in found.items()]
    return {"peer c": speed, "peer same": float(np.mean(same))}


def store(runs: list[Row], n: int, folder: Path = RESULTS) -> None:
    """Keep one row a measure."""
    many = {
        "single queues (Erlang C)": ("c", "queues"),
        "single queues, pyworkforce": ("peer c", "queues"),
        "single queues (Erlang A)": ("a", "queues"),
        "half hours planned (Erlang C)": ("plan c", "intervals"),
        "half hours planned (Erlang A)": ("plan a", "intervals"),
        "simulated cases": ("simulated", f"cases, 200 runs of {max(n // 400, 20)}, 10 agents"),
        "work handed out": ("routed", f"pieces, {n:,} to {AGENTS} agents"),
        "the same, experts kept": ("known", "pieces"),
        "cover of a year by hour": ("covered", f"agents x hours, {AGENTS} agents"),
    }
    rows = measures(many, runs, BARS, value="a second")
    Table(
        name="speed-staffing", section="speed", order=46, title="Staff, queues and routing",
        about="Agents needed for 80 % in 20 seconds at loads of 1 to 100 erlangs; a simulated day of ten agents; work "
        "of four kinds of skill with due times, handed out one by one with what decided each; a quarter of it is hard "
        "and meets the limit of hard cases, so that nobody may take it. Medians over fresh processes.",
        rows=rows, key=("what",), arrange=tuple(many),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    runs = in_turns("benchmarks.speed.staffing", {"staffing": (str(given.size),)}, repeats=given.repeats)["staffing"]
    store(runs, given.size, folder)
    for field in runs[0]:
        say(f"{field}: {middle(runs, field):.4g}")


if __name__ == "__main__":
    main()
