"""Walks over expressions: their parts, the facts that they ask for, their atoms."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from crmcore.rules.nodes import AllOf, AnyOf, Assumed, Condition, EventMeasure, Field, Literal, Node, Not
from crmcore.rules.sequences import Follows, Switches

__all__ = ["atoms", "event_kinds", "events_conditions", "fields_of", "parts_of"]


def parts_of(node: Node) -> Iterator[Node]:
    """Direct parts of a node, in reading order; the `where` of events is not one: it asks for parts of the event."""
    for attribute in attrs.fields(type(node)):  # type: ignore[arg-type]  # every node is an attrs class
        value = getattr(node, attribute.name)
        if isinstance(value, Node) and attribute.name != "where":
            yield value
        elif isinstance(value, tuple):
            yield from (v for v in value if isinstance(v, Node))


def _all(node: Node) -> Iterator[Node]:
    yield node
    for part in parts_of(node):
        yield from _all(part)


def fields_of(node: Node) -> tuple[str, ...]:
    """Names of the facts that an expression asks for, in reading order.

    Examples
    --------
    >>> fields_of((Field("age") >= 18) & (Field("age") < Field("limit")))
    ('age', 'limit')
    """
    return tuple(dict.fromkeys(n.name for n in _all(node) if isinstance(n, Field)))


def event_kinds(node: Node) -> tuple[str, ...]:
    """Kinds of the events that an expression counts, in reading order."""
    return tuple(dict.fromkeys(_event_kinds(node)))


def _event_kinds(node: Node) -> Iterator[str]:
    for part in _all(node):
        if isinstance(part, EventMeasure | Follows):
            yield part.event
        elif isinstance(part, Switches):
            yield from part.events
        where = getattr(part, "where", None)
        if where is not None:
            yield from _event_kinds(where)


def events_conditions(node: Node) -> tuple[Follows, ...]:
    """Conditions on an event that stand outside a `where`, where they have no event."""
    return tuple(n for n in _all(node) if isinstance(n, Follows))


def atoms(node: Condition) -> tuple[Condition, ...]:
    """Conditions without parts, each once, in reading order; constants are left out.

    A negation of an atom is one atom, so that it reads as its opposite.
    """
    found: dict[object, Condition] = {}
    for atom in _atoms(node):
        found.setdefault(atom.key(), atom)
    return tuple(found.values())


def _atoms(node: Condition) -> Iterator[Condition]:
    if isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from _atoms(part)
    elif isinstance(node, Not | Assumed) and isinstance(node.part, AllOf | AnyOf | Not | Assumed):
        yield from _atoms(node.part)
    elif not all(isinstance(p, Literal) for p in parts_of(node)):
        yield node
