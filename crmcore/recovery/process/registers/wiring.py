"""Names of a fault tree: what feeds what, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from crmcore.errors import UnknownName

if TYPE_CHECKING:
    from crmcore.recovery.process.registers.fault_trees import FaultTree, Gate

__all__ = ["below", "wiring_faults"]


def wiring_faults(tree: FaultTree) -> Iterable[str]:
    """What is wrong with the names of a tree."""
    gates, events = [g.name for g in tree.gates], [e.name for e in tree.events]
    names = [*gates, *events]
    known = set(names)
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"the name {name!r} stands {names.count(name)} times"
    if tree.top not in known:
        yield str(UnknownName("top event", tree.top, tuple(names))).partition("\n")[0]
        return
    for gate in tree.gates:
        for fed in gate.inputs:
            if fed not in known:
                told = str(UnknownName("input", fed, tuple(names)))
                yield f"gate {gate.name!r}: {told}"
    by_name = {g.name: g for g in tree.gates}
    circle = _circle(by_name)
    if circle:
        yield f"gates feed themselves: {' <- '.join(circle)}"
        return
    met = set(below(tree.top, by_name))
    for name in names:
        if name not in met:
            yield f"{name!r} does not lead to {tree.top!r}"


def below(top: str, gates: Mapping[str, Gate]) -> list[str]:
    """Names under one, each after all that feed it."""
    out: dict[str, None] = {}
    stack = [(top, False)]
    while stack:
        name, done = stack.pop()
        if name in out:
            continue
        if done or name not in gates:
            out[name] = None
        else:
            stack.append((name, True))
            stack += [(fed, False) for fed in reversed(gates[name].inputs)]
    return list(out)


def _circle(gates: Mapping[str, Gate]) -> list[str]:
    """Names of a way from a gate back to itself, or nothing."""
    state: dict[str, int] = {}
    for start in gates:
        path: list[str] = []
        stack = [(start, False)]
        while stack:
            name, done = stack.pop()
            if done:
                state[name] = 2
                path.pop()
            elif state.get(name) == 1:
                return [*path[path.index(name) :], name]
            elif name in gates and name not in state:
                state[name] = 1
                path.append(name)
                stack.append((name, True))
                stack += [(fed, False) for fed in gates[name].inputs]
    return []
