"""Cases over SQLite: `python -m benchmarks.speed.cases [--cases 2000]`.

Live: every message becomes a case (looked up by message and customer, graded, planned, written with its marks), then
seven commands bring it to an end; each call is safe in one SQLite file when it returns. Events are what was written.
Beside it runs `lifecycle.Cases.handle` on the same commands and the same machine: the ratio tells what the desk adds.
CPU seconds are those of this process: on a machine that others use they say more than seconds on the wall.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, measure, middle, say

CASES, BAR = 2_000, 5_000
AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
STEPS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("acknowledge", "agent", {}), ("reply", "agent", {"text": "We are on it."}), ("write", "customer", {}),
    ("feel", "customer", {"sentiment": -0.4}), ("resolve", "agent", {"solution": "sent again"}), ("ask", "agent", {}),
    ("confirm", "customer", {}),
)  # fmt: skip


def policy() -> Any:
    """Three clocks, one plan."""
    from crmcore.calendars import BusinessCalendar
    from crmcore.calendars.clocks import ClockPolicy, Targets
    from crmcore.recovery.cases import PlanBook, PlanStep, RecoveryPlan, RecoveryPolicy

    targets = Targets(acknowledgement_minutes=30, first_response_minutes=240, resolution_minutes=2880)
    plans = PlanBook([RecoveryPlan("late", [PlanStep("call", within_minutes=60)], owner="parcels")])
    return RecoveryPolicy(ClockPolicy(BusinessCalendar.always("UTC"), targets), plans=plans)


def commands(i: int) -> list[Any]:
    """What brings case i to an end."""
    from crmcore.lifecycle import Command

    return [
        Command(name, data, actor=role, at=AT + timedelta(minutes=k), id=f"{i}/{k}")
        for k, (name, role, data) in enumerate(STEPS)
    ]


def run_desk(n: int) -> Row:
    """Messages in, commands, and a tick, through the desk."""
    from crmcore.recovery.cases import CaseDesk, Complaint
    from crmcore.stores import SqliteStore

    sent = [commands(i) for i in range(n)]
    said = [Complaint(id=str(i), channel="mail", at=AT, customer=f"c{i}", failure="late") for i in range(n)]
    with TemporaryDirectory() as folder, SqliteStore(Path(folder) / "cases.db") as store:
        desk = CaseDesk(store, policy(), recent=1_000)
        desk.take(Complaint(id="warm", channel="mail", at=AT, customer="w", failure="late"), now=AT)
        wall, cpu = time.perf_counter(), time.process_time()
        ids = [desk.take(complaint, now=AT).case.id for complaint in said]
        took, took_cpu = time.perf_counter() - wall, time.process_time() - cpu
        begun, begun_cpu = time.perf_counter(), time.process_time()
        for case_id, steps in zip(ids, sent, strict=True):
            for step in steps:
                desk.handle(case_id, step).or_raise()
        done, done_cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        events = sum(1 for _ in store.read_all()) - 3
        wall, cpu = time.perf_counter(), time.process_time()
        desk.tick(AT + timedelta(days=1))
        ticked = time.process_time() - cpu
    steps_n = n * len(STEPS)
    return {
        "wall_s": took + done, "take": n / took, "take_cpu": n / took_cpu, "handle": steps_n / done,
        "handle_cpu": steps_n / done_cpu, "events": events / (took + done),
        "events_cpu": events / (took_cpu + done_cpu), "tick_cpu": n / ticked,
    }  # fmt: skip


def run_engine(n: int) -> Row:
    """Let the lifecycle engine do the same commands on the same workflow alone."""
    from crmcore.lifecycle import Cases, Late
    from crmcore.recovery.cases import case_workflows
    from crmcore.stores import SqliteStore

    sent = [commands(i) for i in range(n)]
    with TemporaryDirectory() as folder, SqliteStore(Path(folder) / "cases.db") as store:
        cases = Cases(store, case_workflows(), recent=1_000, late=Late.FOLLOW)
        for i in range(n):
            cases.open("complaint", f"k{i}", at=AT)
        wall, cpu = time.perf_counter(), time.process_time()
        for i, steps in enumerate(sent):
            for step in steps:
                cases.handle(f"k{i}", step).or_raise()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_s": wall, "handle": n * len(STEPS) / wall, "handle_cpu": n * len(STEPS) / cpu}


def run_triage(n: int) -> Row:
    """Grade a population in columns."""
    from crmcore.recovery.cases import Triage

    rng = np.random.default_rng(7)
    rows = n * 500
    severity, earlier = rng.integers(1, 5, rows), rng.integers(0, 3, rows)
    reach, value, distress = rng.lognormal(5, 2, rows), rng.random(rows), rng.random(rows)
    begin = time.perf_counter()
    Triage().table(severity, reach=reach, value=value, distress=distress, earlier=earlier)
    wall = time.perf_counter() - begin
    return {"wall_s": wall, "rate": rows / wall}


RUNS = {"desk": run_desk, "engine": run_engine, "triage": run_triage}


def store(found: dict[str, list[Row]], n: int, folder: Path = RESULTS) -> None:
    """Keep a row a measure."""
    desk, engine, triage = (found[k] for k in ("desk", "engine", "triage"))

    steps = n * len(STEPS)
    rows = [
        measure("live: messages and commands, wall", "events/s", desk, "events", n, BAR),
        measure("live: messages and commands, CPU", "events/CPU s", desk, "events_cpu", n),
        measure("CaseDesk.take, wall", "messages/s", desk, "take", n),
        measure("CaseDesk.take, CPU", "messages/CPU s", desk, "take_cpu", n),
        measure("CaseDesk.handle, wall", "commands/s", desk, "handle", steps),
        measure("CaseDesk.handle, CPU", "commands/CPU s", desk, "handle_cpu", steps),
        measure("lifecycle alone on the same commands, wall", "commands/s", engine, "handle", steps),
        measure("lifecycle alone on the same commands, CPU", "commands/CPU s", engine, "handle_cpu", steps),
        measure("CaseDesk.tick, CPU", "cases/CPU s", desk, "tick_cpu", n),
        measure("Triage.table", "cases/s", triage, "rate", n * 500),
    ]
    Table(
        name="speed-cases", section="speed", order=75, title="Recovery: cases",
        about="Every message becomes a case and seven commands bring it to an end; each call is in one SQLite "
        "file before it returns. `take` writes three events in one transaction: the case, the mark of the message and "
        "that of the customer. The lifecycle engine alone does the same commands beside it.",
        rows=rows, key=("measure", "unit"),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        what, n = given.child
        answer(RUNS[what](int(n)))
        return
    runs = {k: (k, str(given.cases)) for k in RUNS}
    found = in_turns("benchmarks.speed.cases", runs, repeats=given.repeats)
    store(found, given.cases, folder)
    say(f"live {middle(found['desk'], 'events'):,.0f} events/s, {middle(found['desk'], 'events_cpu'):,.0f} a CPU s; "
        f"take {middle(found['desk'], 'take_cpu'):,.0f}, handle {middle(found['desk'], 'handle_cpu'):,.0f}, the engine "
        f"alone {middle(found['engine'], 'handle_cpu'):,.0f} a CPU second")  # fmt: skip


if __name__ == "__main__":
    main()
