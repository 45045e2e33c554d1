"""One change of a fact that a decision asks for, in words and as data."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs

from crmcore.rules.kinds import DURATION, Kind, Scalar, Sort, written
from crmcore.rules.needed import Demand
from crmcore.rules.nodes import Term
from crmcore.rules.wording import value_text, words

__all__ = ["Change", "change_of"]


_SAYS = ("at least", "more than", "at most", "below")
_TIMELY = ("at or after", "after", "at or before", "before")


@attrs.frozen(eq=False, repr=False)
class Change:
    """What one term must become.

    Attributes
    ----------
    term : a field, a count, arithmetic
    now : its value as shown (masked where personal), None = unknown
    by : how far it must move up (or down, negative); None where that has no meaning or would show personal data
    at_least, above, at_most, below : ends of the interval in which it must lie
    one_of, none_of : lists of what it must be, must not be
    known : whether it must be known
    further : conditions on it that are no interval and no list, as sentences
    """

    term: Term
    now: str | None
    by: object = None
    at_least: object = None
    above: object = None
    at_most: object = None
    below: object = None
    one_of: tuple[object, ...] = ()
    none_of: tuple[object, ...] = ()
    known: bool = True
    further: tuple[str, ...] = ()
    rises: bool | None = None

    def __repr__(self) -> str:
        return f"Change({self})"

    def __str__(self) -> str:
        must = f"{words(self.term)} must "
        if not self.known:
            return must + "no longer be known"
        goals, so_that = self._goals(), "".join(f", so that {text}" for text in self.further)
        if self.now is None:
            return must + " and be ".join(["become known", *([" and ".join(goals)] if goals else [])]) + so_that
        if self.rises is not None:
            amount = "" if self.by is None else f" by {value_text(_size(self.by))}"
            return f"{must}{self._way()}{amount} to {' and '.join(goals)}{so_that}"
        if self.one_of:
            return must + "become " + goals[0] + so_that
        return must + "change" + (f" to {' and '.join(goals)}" if goals else "") + so_that

    def _limits(self) -> tuple[object, ...]:
        return (self.at_least, self.above, self.at_most, self.below, *self.one_of)

    def _timely(self) -> bool:
        return any(isinstance(limit, date) for limit in self._limits())

    def _way(self) -> str:
        if self._timely():
            return "move later" if self.rises else "move earlier"
        return "rise" if self.rises else "fall"

    def _goals(self) -> list[str]:
        if self.one_of:
            listed = " or ".join(value_text(v) for v in self.one_of[:5])
            return [listed + (" or another of the list" if len(self.one_of) > 5 else "")]
        says = _TIMELY if self._timely() else _SAYS
        limits = zip(says, (self.at_least, self.above, self.at_most, self.below), strict=True)
        found = [f"{word} {value_text(limit)}" for word, limit in limits if limit is not None]
        return [*found, *(f"not {value_text(v)}" for v in self.none_of)]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; what does not apply is left out."""
        from crmcore.rules.codec import node_to_dict
        from crmcore.rules.nodes import Literal

        def plain(value: Any) -> Any:
            return node_to_dict(Literal(value))

        made: dict[str, Any] = {"term": node_to_dict(self.term), "now": self.now, "text": str(self)}
        for name in ("by", "at_least", "above", "at_most", "below"):
            value = getattr(self, name)
            if value is not None:
                made[name] = plain(value)
        for name in ("one_of", "none_of"):
            if getattr(self, name):
                made[name] = [plain(v) for v in getattr(self, name)]
        if self.further:
            made["further"] = list(self.further)
        return made if self.known else {**made, "known": False}


def _size(by: Any) -> Any:
    zero = by - by
    return -by if by < zero else by


def change_of(demand: Demand, now: tuple[Scalar | None, Kind | None], *, shown: str | None, personal: bool) -> Change:
    """Change that meets a demand, from the value now."""
    asked, (held, its) = demand.limits, now
    kind = its or asked.kind
    if asked.known is False:
        return Change(demand.term, shown, known=False)
    lows: dict[str, object] = {}
    if asked.allowed is not None:
        lows["one_of"] = tuple(written(v, kind) for v in sorted(filter(asked.inside, asked.allowed), key=_order))
    else:
        if asked.low != float("-inf"):
            lows["above" if asked.low_open else "at_least"] = written(asked.low, kind)
        if asked.high != float("inf"):
            lows["below" if asked.high_open else "at_most"] = written(asked.high, kind)
        lows["none_of"] = tuple(written(v, kind) for v in sorted(asked.forbidden, key=_order))
    made = Change(demand.term, shown, further=tuple(words(a.written()) for a in asked.other), **lows)  # type: ignore[arg-type]
    step = _step(demand, held)
    if step is None:
        return made
    return attrs.evolve(made, rises=step > 0, by=None if personal or step == 0 else _moved(step, kind))


def _order(value: Scalar) -> tuple[str, object]:
    return (type(value).__name__, sorted(value) if isinstance(value, frozenset) else value)


def _step(demand: Demand, held: Scalar | None) -> float | None:
    """Way to the nearest allowed number."""
    asked = demand.limits
    if not isinstance(held, float) or (asked.kind is not None and asked.kind.sort is Sort.FLAG):
        return None
    if asked.allowed is not None:
        goals = [v for v in asked.allowed if isinstance(v, float) and asked.inside(v)]
        return min((g - held for g in goals), key=abs) if len(goals) == 1 else None
    if held < asked.low or (held == asked.low and asked.low_open):
        return (asked.low - held) or 5e-324
    if held > asked.high or (held == asked.high and asked.high_open):
        return (asked.high - held) or -5e-324
    return None


def _moved(step: float, kind: Kind | None) -> object:
    """Size of a step; 0 up to an open end has none."""
    if abs(step) < 1e-300:
        return None
    return written(step, DURATION if kind is not None and kind.sort is Sort.TIME else kind)
