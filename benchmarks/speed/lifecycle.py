"""The lifecycle engine: `python -m benchmarks.speed.lifecycle [--cases 100000] [--steps 200000]`.

One at a time: a complaint goes round open, waiting, open, resolved, open ... Timed are `evolve` on events that are
there (reading a history), and `decide`, which makes the command's event and the case after it. In columns: a log of a
whole population is sorted, stepped and counted. Memory: what a running case holds beside its events.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, measure, middle, say

CASES, EVENTS_PER_CASE, STEPS = 100_000, 10, 200_000
AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
ROUND = ("ask", "answer", "resolve", "reopen")
ONE_BAR, COLUMN_BAR, REPLAY_BAR_S, MEMORY_BAR = 300_000, 1_000_000, 2.0, 1024


def ring(*, timers: bool = False) -> Any:
    """The workflow that every engine runs."""
    from crmcore.lifecycle import Timer, Transition, Workflow

    return Workflow(
        "ring",
        1,
        ["open", "waiting", "resolved", "closed"],
        "open",
        [
            Transition("ask", "open", "waiting"),
            Transition("answer", "waiting", "open"),
            Transition("resolve", "open", "resolved"),
            Transition("reopen", "resolved", "open"),
            Transition("close", "resolved", "closed"),
        ],
        [Timer("unconfirmed", "resolved", "close", after_days=3)] if timers else [],
        ["closed"],
    )


def commands(n: int) -> list[Any]:
    """One command a second, round and round."""
    from crmcore.lifecycle import Command

    return [
        Command(ROUND[i % 4], {"text": "..."}, actor="anna", at=AT + timedelta(seconds=i), id=str(i)) for i in range(n)
    ]


def run_one(n: int) -> Row:
    """Transitions a second, one at a time."""
    from crmcore.lifecycle import decide, evolve, open_case

    found: Row = {}
    sent = commands(n)
    for name, flow in (("decide", ring()), ("decide, a timer running", ring(timers=True))):
        case = open_case(flow, "k", at=AT).case
        events = []
        gc.disable()
        with Meter() as meter:
            for command in sent:
                outcome = decide(flow, case, command)
                case = outcome.case
                events.append(outcome.events[-1])
        gc.enable()
        found[name] = n / meter.cost.wall_s
    case = open_case(ring(), "k", at=AT).case
    gc.disable()
    with Meter() as meter:
        for event in events:
            case = evolve(case, event)
    gc.enable()
    assert case.version == n + 1
    return {"wall_s": meter.cost.wall_s, "evolve": n / meter.cost.wall_s, **found}


def run_store(n: int) -> Row:
    """Commands a second through `Cases` over SQLite, each safe when the call returns."""
    from crmcore.lifecycle import Cases
    from crmcore.stores import SqliteStore

    sent, size = commands(n), 8  # a case has a handful of events, as cases do
    with TemporaryDirectory() as folder, SqliteStore(Path(folder) / "cases.db") as store:
        cases = Cases(store, [ring()], recent=1_000)
        for i in range(-(-n // size)):
            cases.open("ring", f"k{i}", at=AT)
        with Meter() as meter:
            for i, command in enumerate(sent):
                cases.handle(f"k{i // size}", command)
    return {"wall_s": meter.cost.wall_s, "handle": n / meter.cost.wall_s}


def run_columns(cases: int) -> Row:
    """Seconds of a replay of a whole log, in the order in which a system wrote it."""
    from crmcore.lifecycle import replay_log
    from crmcore.tables import TextColumn

    flow, n = ring(), cases * EVENTS_PER_CASE
    rng = np.random.default_rng(7)
    names = ("answer", "ask", "reopen", "resolve")
    case = np.tile(np.arange(cases, dtype=np.int32), EVENTS_PER_CASE)
    step = np.repeat(np.arange(EVENTS_PER_CASE), cases)
    wanted = np.array([names.index(r) for r in ROUND], np.int32)[step % 4]
    wrong = rng.random(n) < 0.02
    activity = np.where(wrong, rng.integers(0, 4, n), wanted).astype(np.int32)
    micros = step * 86_400_000_000 + rng.integers(0, 86_400_000_000, n)
    at = np.datetime64("2026-01-01", "us") + micros.astype("timedelta64[us]")
    columns = TextColumn(case, tuple(f"case {i}" for i in range(cases))), TextColumn(activity, names), at
    with Meter() as meter:
        replayed = replay_log(flow, *columns)
        counts = replayed.counts
    cost = meter.cost
    return {
        "wall_s": cost.wall_s, "rate": n / cost.wall_s, "illegal": counts.illegal / n,
        "mb": cost.peak_mb - cost.base_mb,
    }  # fmt: skip


def run_memory(cases: int) -> Row:
    """Bytes that a case holds: with an owner, a topic and an amount, after four transitions."""
    from crmcore.lifecycle import evolve, open_case
    from crmcore.stores import Event

    begin = time.perf_counter()
    flow = ring()
    tracemalloc.start()
    held = []
    before = tracemalloc.get_traced_memory()[0]
    for i in range(cases):
        data = {"owner": "anna", "topic": "late", "amount_minor": 1000 + i}
        case = open_case(flow, f"case {i}", at=AT + timedelta(seconds=i), data=data).case
        for k, (command, to) in enumerate(zip(ROUND, ("waiting", "open", "resolved", "open"), strict=True)):
            time_ = AT + timedelta(seconds=i, minutes=k + 1)
            case = evolve(case, Event(id="x", type=command, time=time_, data={"to": to, "command": command}))
        held.append(case)
    after = tracemalloc.get_traced_memory()[0]
    return {
        "wall_s": time.perf_counter() - begin,
        "bytes": (after - before) / cases,
        "list": sys.getsizeof(held) / cases,
    }


RUNS = {"one": run_one, "store": run_store, "columns": run_columns, "memory": run_memory}


def store(found: dict[str, list[Row]], sizes: dict[str, int], folder: Path = RESULTS) -> None:
    """Keep a row a measure."""
    one, kept, columns, memory = (found[k] for k in ("one", "store", "columns", "memory"))

    rows = [
        measure("evolve: read a history", "transitions/s", one, "evolve", sizes["one"], ONE_BAR),
        measure("decide and evolve", "commands/s", one, "decide", sizes["one"], None),
        measure("decide and evolve, a timer running", "commands/s", one, "decide, a timer running", sizes["one"], None),
        measure("Cases.handle over SQLite", "commands/s", kept, "handle", sizes["store"], 5_000),
        measure("replay_log", "transitions/s", columns, "rate", sizes["columns"] * EVENTS_PER_CASE, COLUMN_BAR),
        measure("replay_log", "s", columns, "wall_s", sizes["columns"], REPLAY_BAR_S, low=True),
        measure("a running case", "bytes", memory, "bytes", sizes["memory"], MEMORY_BAR, low=True),
    ]
    Table(
        name="speed-lifecycle", section="speed", order=30, title="Lifecycle: state machines",
        about="One case goes round four states, one event at a time; a log of a population with "
        f"{EVENTS_PER_CASE} events a case, 2 % of them at random, is sorted, stepped and counted in columns. "
        "`Cases.handle` decides and commits to one SQLite file before it returns, with 1,000 recent cases held. "
        "Bytes are those of a case with three fields after four transitions, beside its events.",
        rows=rows, key=("measure", "unit"),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        what, n = given.child
        answer(RUNS[what](int(n)))
        return
    sizes = {
        "one": given.steps, "store": max(given.steps // 10, 10), "columns": given.cases,
        "memory": max(given.cases // 10, 10),
    }  # fmt: skip
    found = in_turns("benchmarks.speed.lifecycle", {k: (k, str(n)) for k, n in sizes.items()}, repeats=given.repeats)
    store(found, sizes, folder)
    say(f"evolve {middle(found['one'], 'evolve'):,.0f}/s, decide {middle(found['one'], 'decide'):,.0f}/s, "
        f"with a timer {middle(found['one'], 'decide, a timer running'):,.0f}/s; "
        f"handle {middle(found['store'], 'handle'):,.0f}/s")  # fmt: skip
    say(f"replay_log {middle(found['columns'], 'wall_s'):.2f} s, {middle(found['columns'], 'rate'):,.0f}/s; "
        f"{middle(found['memory'], 'bytes'):,.0f} bytes a case")  # fmt: skip


if __name__ == "__main__":
    main()
