"""crmcore beside `transitions` and `python-statemachine`: `python -m benchmarks.peers.lifecycle [--steps 100000]`.

The same four states, the same commands in the same order, each engine in its own fresh process, in turns:

- transitions: `Machine`, one model, `model.trigger(name)`; queued and logging as they come.
- python-statemachine: a `StateMachine` class, `machine.send(name)`.
- crmcore, evolve: a history is read; the new state is a value, the old one stays.
- crmcore, decide: a command is decided; there is an event to keep, and a value.
- crmcore, columns: the same steps spread over cases of 10, as `replay_log` reads them.

The peers change one object and keep nothing: no event, no history, no old state. Making machines is outside the time.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say, spread
from benchmarks.speed.lifecycle import AT, ROUND, commands, ring

STEPS = 100_000
STATES = ("open", "waiting", "resolved", "closed")
WAYS = (("ask", "open", "waiting"), ("answer", "waiting", "open"), ("resolve", "open", "resolved"),
        ("reopen", "resolved", "open"), ("close", "resolved", "closed"))  # fmt: skip
PEERS = {"transitions": "transitions", "python-statemachine": "statemachine"}


def with_transitions(n: int) -> Row:
    from transitions import Machine

    class Model:
        pass

    model = Model()
    ways = [{"trigger": name, "source": a, "dest": b} for name, a, b in WAYS]
    Machine(model=model, states=list(STATES), transitions=ways, initial="open", auto_transitions=False)
    names = [ROUND[i % 4] for i in range(n)]
    trigger: Callable[[str], Any] = model.trigger  # type: ignore[attr-defined]
    with Meter() as meter:
        for name in names:
            trigger(name)
    assert model.state == ("open", "waiting", "open", "resolved")[n % 4]  # type: ignore[attr-defined]
    return {"wall_s": meter.cost.wall_s}


def with_statemachine(n: int) -> Row:
    from statemachine import State, StateMachine

    warnings.simplefilter("ignore")

    class Ring(StateMachine):
        open = State(initial=True)
        waiting = State()
        resolved = State()
        closed = State(final=True)
        ask = open.to(waiting)
        answer = waiting.to(open)
        resolve = open.to(resolved)
        reopen = resolved.to(open)
        close = resolved.to(closed)

    machine = Ring()
    names = [ROUND[i % 4] for i in range(n)]
    send = machine.send
    with Meter() as meter:
        for name in names:
            send(name)
    return {"wall_s": meter.cost.wall_s}


def with_decide(n: int) -> Row:
    from crmcore.lifecycle import decide, open_case

    flow, sent = ring(), commands(n)
    case = open_case(flow, "k", at=AT).case
    with Meter() as meter:
        for command in sent:
            case = decide(flow, case, command).case
    return {"wall_s": meter.cost.wall_s}


def with_evolve(n: int) -> Row:
    from crmcore.lifecycle import decide, evolve, open_case

    flow, sent = ring(), commands(n)
    first = case = open_case(flow, "k", at=AT).case
    events = []
    for command in sent:
        outcome = decide(flow, case, command)
        case = outcome.case
        events.append(outcome.events[-1])
    case = first
    with Meter() as meter:
        for event in events:
            case = evolve(case, event)
    return {"wall_s": meter.cost.wall_s}


def with_columns(n: int) -> Row:
    from crmcore.lifecycle import replay_log
    from crmcore.tables import TextColumn

    names = tuple(sorted(ROUND))
    step = np.arange(n) % 10
    case = TextColumn((np.arange(n) // 10).astype(np.int32), tuple(f"k{i}" for i in range(-(-n // 10))))
    activity = TextColumn(np.array([names.index(r) for r in ROUND], np.int32)[step % 4], names)
    time = np.datetime64("2026-05-04T09:00", "us") + np.arange(n).astype("timedelta64[s]")
    with Meter() as meter:
        replayed = replay_log(ring(), case, activity, time)
    assert replayed.legal.all()
    return {"wall_s": meter.cost.wall_s}


ENGINES: dict[str, Callable[[int], Row]] = {
    "transitions": with_transitions,
    "python-statemachine": with_statemachine,
    "crmcore, decide": with_decide,
    "crmcore, evolve": with_evolve,
    "crmcore, columns": with_columns,
}


def store(found: dict[str, list[Row]], n: int, folder: Path = RESULTS) -> None:
    """Keep a row an engine, with its speed as a multiple of each peer's."""
    rate = {name: n / middle(runs, "wall_s") for name, runs in found.items()}
    rows = []
    for name, runs in found.items():
        package = name.partition(",")[0]
        version = importlib.metadata.version(package) if package in PEERS else "-"
        times = {f"times {peer}": rate[name] / rate[peer] for peer in PEERS if peer in rate}
        rows.append({
            "engine": name, "version": version, "transitions": n, "per s": rate[name],
            "s lowest-highest": spread(runs, "wall_s"), **times, "runs": len(runs),
        })  # fmt: skip
    missing = [f"{peer} is not installed here and was left out." for peer in PEERS if peer not in found]
    Table(
        name="peers-lifecycle", section="peers", order=30, title="Lifecycle beside other state machines",
        about="The same four states and commands, each engine in a fresh process, in turns. The peers change one "
        "object and keep nothing; `decide` makes an event and a new value, `evolve` reads such events, columns "
        "read a log.",
        rows=rows, key=("engine",), notes=missing, arrange=tuple(ENGINES),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure all engines that are installed and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        engine, n = given.child
        answer(ENGINES[engine](int(n)))
        return
    engines = [name for name in ENGINES if name not in PEERS or find_spec(PEERS[name])]
    for name in sorted(set(ENGINES).difference(engines)):
        say(f"{name} is not installed: python -m pip install --group bench")
    runs = in_turns(
        "benchmarks.peers.lifecycle", {name: (name, str(given.steps)) for name in engines}, repeats=given.repeats
    )
    store(runs, given.steps, folder)
    for name, rows in runs.items():
        say(f"{name}: {given.steps / middle(rows, 'wall_s'):,.0f} transitions a second")


if __name__ == "__main__":
    main()
