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
    """States as points, from left to right by the fewest transitions that lead there, linked where one leads on.

    Examples
    --------
    >>> from crmcore.lifecycle.examples import complaint
    >>> complaint().chart()
    Chart('complaint 1', 4 rows)
    """
    from crmcore.charts import network
    from crmcore.lifecycle.checking import steps

    column = steps(flow)
    row: dict[int, int] = {}
    nodes = []
    for state in flow.states:
        x = column[state]
        y = row.get(x, 0)
        row[x] = y + 1
        kind = "first" if state == flow.initial else "last" if state in flow.terminal else "between"
        # every other column hangs half a row lower, so that links along a row do not run through names
        nodes.append({"id": state, "x": x, "y": -y - 0.5 * (x % 2), "group": kind})
    links = dict.fromkeys(
        (min(s, t.target), max(s, t.target))
        for t in flow.transitions
        for s in flow.sources(t)
        if t.target is not None and t.target != s
    )
    ways = f"{len(flow.transitions)} transitions, {len(flow.timers)} timers"
    return network(nodes, list(links), title=flow.title, description=f"States of {flow.title}: {ways}.")
