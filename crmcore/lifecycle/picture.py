"""Workflows as pictures: Mermaid text for pages, a chart for notebooks and reports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.lifecycle.workflow import Transition, Workflow

__all__ = ["mermaid", "state_chart"]


def mermaid(flow: Workflow) -> str:
    """Mermaid `stateDiagram-v2` text of a workflow.

    Guards stand in brackets behind their command, timers on their own arrows with their span. A transition from
    anywhere is drawn from every state that it leaves.

    Examples
    --------
    >>> from crmcore.lifecycle import Timer, Transition, Workflow
    >>> flow = Workflow("task", 1, ["to do", "done"], "to do", [Transition("finish", "to do", "done")],
    ...                 [Timer("gone stale", "to do", "finish", after_days=30)], ["done"])
    >>> print(flow.diagram())
    stateDiagram-v2
        state "to do" as to_do
        [*] --> to_do
        to_do --> done: finish
        to_do --> done: finish after 30 d
        done --> [*]
    """
    ids = _ids(flow)
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{_plain(s)}" as {i}' for s, i in ids.items() if s != i]
    lines.append(f"    [*] --> {ids[flow.initial]}")
    for t in flow.transitions:
        lines += [f"    {ids[s]} --> {ids[t.target or s]}: {_plain(_label(t))}" for s in flow.sources(t)]
    for timer in flow.timers:
        for state in timer.states:
            targets = dict.fromkeys(t.target or state for t in flow.transitions_of(state, timer.command))
            lines += [f"    {ids[state]} --> {ids[s]}: {_plain(f'{timer.command} {timer.span}')}" for s in targets]
    lines += [f"    {ids[s]} --> [*]" for s in flow.terminal]
    return "\n".join(lines)


def _label(t: Transition) -> str:
    return t.command if t.guard is None else f"{t.command} [{t.guard.name}]"


def _plain(text: str) -> str:
    """Text without what ends a line or a label in Mermaid."""
    return re.sub(r'[":;#\n]+', " ", text)


def _ids(flow: Workflow) -> dict[str, str]:
    """Identifier of each state: its name where Mermaid can read it, else letters of it, made distinct."""
    found: dict[str, str] = {}
    for state in flow.states:
        made = re.sub(r"\W+", "_", state, flags=re.ASCII).strip("_")
        made = made if made and made != "state" and made[0].isalpha() and made != "end" else f"s_{made}".rstrip("_")
        while made in found.values():
            made += "_"
        found[state] = made
    return found


def state_chart(flow: Workflow) -> Chart:
    """States as points, from left to right in the order in which they can be reached, linked where one leads on.

    A state stands right of all that lead to it, ways back left out, and off the links between others.

    Examples
    --------
    >>> from crmcore.lifecycle.examples import complaint
    >>> complaint().chart()
    Chart('complaint 1', 4 rows)
    """
    from crmcore.charts import network

    links = dict.fromkeys(
        (s, t.target) for t in flow.transitions for s in flow.sources(t) if t.target is not None and t.target != s
    )
    once = dict.fromkeys((min(a, b), max(a, b)) for a, b in links)
    places = _places(flow, list(links))
    nodes = []
    for state, (x, y) in places.items():
        kind = "first" if state == flow.initial else "last" if state in flow.terminal else "between"
        nodes.append({"id": state, "x": x, "y": y, "group": kind})
    ways = f"{len(flow.transitions)} transitions, {len(flow.timers)} timers"
    return network(nodes, list(once), title=flow.title, description=f"States of {flow.title}: {ways}.")


def _columns(flow: Workflow, links: list[tuple[str, str]]) -> dict[str, int]:
    """Longest way to each state from the first, without the links that lead back on the way there."""
    onward: dict[str, list[str]] = {state: [b for a, b in links if a == state] for state in flow.states}
    order: list[str] = []  # states after all that they lead to
    back: set[tuple[str, str]] = set()
    path = [(flow.initial, iter(onward[flow.initial]))]
    open_, seen = {flow.initial}, {flow.initial}
    while path:
        state, following = path[-1]
        other = next(following, None)
        if other is None:
            path.pop()
            open_.discard(state)
            order.append(state)
        elif other in open_:
            back.add((state, other))
        elif other not in seen:
            seen.add(other)
            open_.add(other)
            path.append((other, iter(onward[other])))
    column = dict.fromkeys(flow.states, 0)
    for state in reversed(order):
        for other in onward[state]:
            if (state, other) not in back:
                column[other] = max(column[other], column[state] + 1)
    return column


_DROPS = (0.0, 0.5, 0.25, 0.75, 1, 1.25, 1.5)


def _places(flow: Workflow, links: list[tuple[str, str]]) -> dict[str, tuple[int, float]]:
    """Column and height of each state; a column hangs as much lower as keeps its states off the links of others."""
    column = _columns(flow, links)
    members = {x: [s for s in flow.states if column[s] == x] for x in sorted(set(column.values()))}
    drop: dict[int, float] = {x: 0.5 * (x % 2) for x in members}

    def places() -> dict[str, tuple[int, float]]:
        return {s: (x, -i - drop[x]) for x, states in members.items() for i, s in enumerate(states)}

    def crossed() -> int:
        at = places()
        return sum(_runs_through(at[a], at[b], at[s]) for a, b in links for s in at if s not in (a, b))

    for x in (*members, *members):  # twice: a later column may have moved
        tried: list[tuple[int, int, float]] = []
        for choice in (drop[x], *_DROPS):
            drop[x] = choice
            tried.append((crossed(), len(tried), choice))
        drop[x] = min(tried)[2]
    return places()


def _runs_through(start: tuple[int, float], end: tuple[int, float], state: tuple[int, float]) -> bool:
    """Whether a link touches a state or its name, which stands above it."""
    (x0, y0), (x1, y1) = sorted((start, end))
    if not x0 < state[0] < x1:
        return False
    height = y0 + (y1 - y0) * (state[0] - x0) / (x1 - x0)
    return -0.12 < height - state[1] < 0.24
