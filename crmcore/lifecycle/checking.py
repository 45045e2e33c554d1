"""What is wrong with a definition, and what merely looks wrong."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from crmcore.errors import nearest
from crmcore.lifecycle.errors import BadWorkflow
from crmcore.lifecycle.workflow import ANY, CLOCK, ENTRY, FIRST_ENTRY, OPENED, odd_instants

if TYPE_CHECKING:
    from crmcore.lifecycle.workflow import Timer, Transition, Workflow

__all__ = ["Remark", "check", "lint", "paths"]

RESERVED = ("state", "actor", "role")  # facts that every guard can ask for


@attrs.frozen
class Remark:
    """One thing about a workflow that is legal and yet looks like an oversight."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def check(flow: Workflow) -> None:
    """Refuse a workflow that contradicts itself.

    Raises
    ------
    BadWorkflow
        Every fault at once.
    """
    faults = [*_of_names(flow), *(f for t in flow.transitions for f in _of_transition(flow, t))]
    faults += [f for t in flow.timers for f in _of_timer(flow, t)]
    if not faults:  # what follows would repeat wrong names as consequences
        faults = [*_of_order(flow), *_of_reach(flow)]
    if faults:
        raise BadWorkflow(flow.title, tuple(dict.fromkeys(faults)))


def _unknown(where: str, state: str, known: tuple[str, ...]) -> str:
    near = nearest(state, known)
    return f"{where}: unknown state {state!r}, " + (f"did you mean {near!r}?" if near else f"expected {list(known)}")


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _of_names(flow: Workflow) -> Iterator[str]:
    if not flow.states:
        yield "states: there are none"
    if not flow.transitions and len(flow.states) > 1:
        yield "transitions: there are none"
    for state in flow.states:
        if not isinstance(state, str) or not state or state == ANY:
            yield f"states: {state!r} is no name of a state"
    yield from (f"states: {state!r} stands there twice" for state in _repeated(flow.states))
    yield from (f"timers: {name!r} stands there twice" for name in _repeated(t.name for t in flow.timers))
    for where, named in (("initial", (flow.initial,)), ("terminal", flow.terminal)):
        yield from (_unknown(where, s, flow.states) for s in named if s not in flow.states)


def _of_transition(flow: Workflow, t: Transition) -> Iterator[str]:
    where = f"transition {t.command!r}"
    if not t.source:
        yield f"{where}: no source, expected a state or {ANY!r}"
    if ANY in t.source and len(t.source) > 1:
        yield f"{where}: {ANY!r} stands beside other sources"
    yield from (_unknown(where, s, flow.states) for s in t.source if s not in flow.states and s != ANY)
    if t.target is not None and t.target not in flow.states:
        yield _unknown(where, t.target, flow.states)
    yield from (f"{where}: leads out of {s!r}, which is terminal" for s in t.source if s in flow.terminal)
    if t.actors == ():
        yield f"{where}: actors is empty, expected roles, or None for everybody"
    yield from (f"{where}: sets {name!r} to no instant with offset" for name in odd_instants(flow, t.sets))
    yield from (f"{where}: {name!r} is what guards call the case's own" for name in t.fields if name in RESERVED)
    try:
        json.dumps(dict(t.sets), allow_nan=False)
    except (TypeError, ValueError):
        yield f"{where}: sets holds what is no JSON value"


def _of_timer(flow: Workflow, t: Timer) -> Iterator[str]:
    where = f"timer {t.name!r}"
    if "@" in t.name:
        yield f"{where}: its name holds an '@'"
    if not t.states:
        yield f"{where}: no state in which it runs"
    commands = flow.known_commands
    if t.command not in commands:
        near = nearest(t.command, commands)
        yield f"{where}: unknown command {t.command!r}" + (f", did you mean {near!r}?" if near else "")
    for state in t.states:
        if state not in flow.states:
            yield _unknown(where, state, flow.states)
        elif t.command in commands:
            ways = [w for w in flow.transitions_of(state, t.command) if w.permits(CLOCK)]
            if not ways:
                yield f"{where}: {t.command!r} does nothing in {state!r} for the role {CLOCK!r}"
            elif all(w.needs for w in ways):
                yield f"{where}: {t.command!r} needs {', '.join(ways[0].needs)}, and a timer carries nothing"
    if t.repeats < 0:
        yield f"{where}: repeats = {t.repeats}, expected 0 or more"
    field = t.start not in (ENTRY, FIRST_ENTRY, OPENED)
    if t.calendar is not None and t.after_days:
        yield f"{where}: a day of {t.calendar!r} has no fixed length, expected after_minutes of business time"
    if t.minutes == 0 and (t.repeats or not field):
        yield f"{where}: due after 0 minutes, expected at least 1"
    if t.minutes < 0 and (not field or t.calendar is not None or t.repeats):
        yield f"{where}: before its start, expected that only of a field, without calendar and repeats"


def _of_order(flow: Workflow) -> Iterator[str]:
    """Transitions that can never be taken, since one without a guard stands before them."""
    pairs = dict.fromkeys((s, t.command) for t in flow.transitions for s in flow.sources(t))
    for state, command in pairs:
        ways = flow.transitions_of(state, command)
        for i, first in enumerate(ways):
            later = ways[i + 1 :] if first.guard is None else ()
            for second in later:
                if _overlap(first, second):
                    two = "two unguarded transitions" if second.guard is None else "the unguarded one stands first"
                    yield f"{command!r} in {state!r}: {two}, to {first.target!r} and to {second.target!r}"


def _overlap(first: Transition, second: Transition) -> bool:
    return first.actors is None or second.actors is None or not set(first.actors).isdisjoint(second.actors)


def _next(flow: Workflow) -> dict[str, tuple[str, ...]]:
    """States that follow each state, in the order of the transitions."""
    found: dict[str, dict[str, None]] = {s: {} for s in flow.states}
    for t in flow.transitions:
        for s in flow.sources(t):
            if t.target is not None and t.target != s:
                found[s][t.target] = None
    return {s: tuple(after) for s, after in found.items()}


def _reached(starts: Iterable[str], after: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Steps to each state that can be reached."""
    steps = dict.fromkeys(starts, 0)
    queue = deque(steps)
    while queue:
        state = queue.popleft()
        for following in after[state]:
            if following not in steps:
                steps[following] = steps[state] + 1
                queue.append(following)
    return steps


def _of_reach(flow: Workflow) -> Iterator[str]:
    reached = _reached([flow.initial], _next(flow))
    yield from (f"states: nothing reaches {s!r} from {flow.initial!r}" for s in flow.states if s not in reached)


def lint(flow: Workflow) -> tuple[Remark, ...]:
    """Remarks on what is legal and yet looks like an oversight.

    States that nothing leads out of and that are not terminal; states from which no terminal state can be reached;
    states that can only be left through guards, or only by a timer; a workflow without a terminal state.

    Examples
    --------
    >>> from crmcore.lifecycle import Transition, Workflow
    >>> flow = Workflow("task", 1, ["new", "done"], "new", [Transition("finish", "new", "done")])
    >>> [str(remark) for remark in flow.lint()]
    ['task 1: has no terminal state: its cases never end', 'done: a dead end that is not terminal']
    """
    after = _next(flow)
    found: list[Remark] = []
    if not flow.terminal:
        found.append(Remark(flow.title, "has no terminal state: its cases never end"))
    before: dict[str, tuple[str, ...]] = {s: tuple(p for p in flow.states if s in after[p]) for s in flow.states}
    ending = _reached(flow.terminal, before)
    for state in flow.states:
        if state in flow.terminal:
            continue
        ways = [t for t in flow.transitions if state in flow.sources(t) and t.target not in (None, state)]
        if not ways:
            found.append(Remark(state, "a dead end that is not terminal"))
        elif flow.terminal and state not in ending:
            found.append(Remark(state, "no terminal state can be reached from here"))
        elif all(t.guard is not None for t in ways):
            found.append(Remark(state, "every way out has a guard: a case stays where none holds"))
        elif all(t.actors == (CLOCK,) for t in ways):
            found.append(Remark(state, "only a timer leads out"))
    return tuple(found)


def paths(flow: Workflow, *, limit: int = 1000) -> tuple[tuple[str, ...], ...]:
    """Ways from the first state to a last one that visit no state twice, shortest first.

    Parameters
    ----------
    flow : Workflow
        A state without a way out counts as a last one.
    limit : count
        At most so many; a dense workflow has more ways than anybody reads.

    Examples
    --------
    >>> from crmcore.lifecycle.examples import complaint
    >>> complaint().paths()[0]
    ('open', 'resolved', 'closed')
    """
    after = _next(flow)
    found: list[tuple[str, ...]] = []
    queue: deque[tuple[str, ...]] = deque([(flow.initial,)])
    looked = 0
    while queue and len(found) < limit and looked < 100 * limit:  # without an end in reach ways would only grow
        looked += 1
        way = queue.popleft()
        following = [s for s in after[way[-1]] if s not in way]
        if way[-1] in flow.terminal or not after[way[-1]]:
            found.append(way)
        queue.extend((*way, s) for s in following)
    return tuple(found)
