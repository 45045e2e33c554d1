"""Measures of the events of one subject."""

from __future__ import annotations

from crmcore.rules.facts import Event
from crmcore.rules.fitting import number_in, same_kind, wrong_part
from crmcore.rules.kinds import DAY_US, NUMBER, Kind, Scalar, Sort, money_kind, read_value
from crmcore.rules.nodes import EventMeasure, Measure

__all__ = ["Found", "folded", "part_of", "unknown_kind"]

Value = tuple[Scalar | None, Kind | None]
Found = list[tuple[float, Event]]

_UNTIMED = {Measure.COUNT: NUMBER, Measure.DAYS_SINCE_LAST: NUMBER, Measure.DAYS_SINCE_FIRST: NUMBER}


def unknown_kind(measure: Measure) -> Kind | None:
    """Kind of a measure of events that nobody knows."""
    return _UNTIMED.get(measure)


def folded(node: EventMeasure, found: Found, *, now: float, currency: str | None) -> Value:
    """Measure of the chosen events, each with its instant in microseconds."""
    if node.measure is Measure.COUNT:
        return float(len(found)), NUMBER
    if node.measure is Measure.DAYS_SINCE_LAST:
        return ((now - max(at for at, _ in found)) / DAY_US if found else None), NUMBER
    if node.measure is Measure.DAYS_SINCE_FIRST:
        return ((now - min(at for at, _ in found)) / DAY_US if found else None), NUMBER
    if node.measure is Measure.LATEST:
        return _latest(node, found, currency)
    values, kind = _parts(node, found, currency)
    if any(v is None for v in values) or (not values and node.measure is not Measure.TOTAL):
        return None, kind
    known = [v for v in values if v is not None]
    if node.measure is Measure.TOTAL:
        return float(sum(known)), kind
    if node.measure is Measure.AVERAGE:
        return sum(known) / len(known), kind
    return (max(known) if node.measure is Measure.LARGEST else min(known)), kind


def _latest(node: EventMeasure, found: Found, currency: str | None) -> Value:
    """Part of the last event; of several at one instant the largest."""
    read = [(at, *read_value(part_of(event, node.of), node.of)) for at, event in found]
    kind = money_kind(currency) if currency and node.of == "amount" else None
    if not read:
        return None, kind
    _, value, its = max(read, key=lambda r: (r[0], r[1] is not None, _order(r[1])))
    return value, kind if its is None else its


def _order(value: Scalar | None) -> tuple[float, str]:
    if isinstance(value, float):
        return value, ""
    return float("-inf"), "" if value is None else str(value)


def part_of(event: Event, name: str) -> object:
    """Part of an event by name, as `where` sees it."""
    own = {"kind": event.kind, "time": event.time, "amount": event.amount}
    return own[name] if name in own else event.attributes.get(name)


def _parts(node: EventMeasure, found: Found, currency: str | None) -> tuple[list[float | None], Kind | None]:
    """One part of each event, with the kind that all share."""
    kind = money_kind(currency) if currency and node.of == "amount" else None
    values: list[float | None] = []
    for _, event in found:
        value, its = read_value(event.amount if node.of == "amount" else event.attributes.get(node.of), node.of)
        if isinstance(value, str) or (its is not None and its.sort is Sort.TEXT):
            value, its = number_in(str(value or "")), NUMBER  # events of frames carry attributes as text
        if its is not None and its.sort not in (Sort.NUMBER, Sort.MONEY, Sort.DURATION):
            wrong_part(node, its, "numbers, money or durations")
        same_kind(node, kind, its)
        kind = its if kind is None else kind
        values.append(value if isinstance(value, float) else None)
    return values, kind
