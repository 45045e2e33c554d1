"""What facts there are: kinds, units and closed lists, so that a wrong rule fails when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from crmcore.errors import CrmError, WrongType
from crmcore.rules.kinds import DURATION, FLAG, TAGS, TEXT, TIME, Kind, Sort, money_kind
from crmcore.rules.nodes import Condition

__all__ = [
    "Amount",
    "BadRule",
    "Date",
    "Duration",
    "EventKind",
    "Flag",
    "Instant",
    "Labels",
    "Number",
    "Schema",
    "Text",
    "Type",
]


@attrs.define(eq=False)
class BadRule(CrmError, ValueError):
    """A rule does not fit its schema; every fault is named at once."""

    rule: str
    problems: tuple[str, ...]
    hint: str = "repair these parts, or describe the missing facts in the schema"

    def __str__(self) -> str:
        lines = "\n  ".join(self.problems)
        return f"rule {self.rule!r} does not fit the schema:\n  {lines}\n  hint: {self.hint}"


@attrs.frozen
class Number:
    """A number with its unit, such as "km"; None goes with any."""

    unit: str | None = None
    personal: bool = False

    @property
    def kind(self) -> Kind:
        """Kind of its values."""
        return Kind(Sort.NUMBER, self.unit)


@attrs.frozen
class Amount:
    """Money of one currency."""

    currency: str
    personal: bool = False

    @property
    def kind(self) -> Kind:
        """Kind of its values."""
        return money_kind(self.currency)


def _words(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(value, str):
        raise WrongType("allowed", "one text", "a list of texts", f"write allowed=[{value!r}]")
    return None if value is None else tuple(value)


def _open(of: Text | Labels) -> bool:
    return of.allowed is None


@attrs.frozen
class Text:
    """Text; personal, and so masked in reasons, unless `allowed` closes its list."""

    allowed: tuple[str, ...] | None = attrs.field(default=None, converter=_words)
    personal: bool = attrs.field(default=attrs.Factory(_open, takes_self=True))

    kind = TEXT


@attrs.frozen
class Labels:
    """A set of labels, masked as `Text` is."""

    allowed: tuple[str, ...] | None = attrs.field(default=None, converter=_words)
    personal: bool = attrs.field(default=attrs.Factory(_open, takes_self=True))

    kind = TAGS


@attrs.frozen
class Flag:
    """Yes or no."""

    personal: bool = False
    kind = FLAG


@attrs.frozen
class Date:
    """A calendar day, taken as its midnight in UTC."""

    personal: bool = False
    kind = TIME


@attrs.frozen
class Instant:
    """A moment."""

    personal: bool = False
    kind = TIME


@attrs.frozen
class Duration:
    """A length of time."""

    personal: bool = False
    kind = DURATION


Type = Number | Amount | Text | Labels | Flag | Date | Instant | Duration


_EVENT_PARTS: dict[str, Type] = {
    "kind": Text(personal=False),
    "time": Instant(),
    "channel": Text(personal=False),
    "touchpoint": Text(personal=False),
    "direction": Text(personal=False),
    "reference": Text(),
}


def _types(value: Mapping[str, Type | type]) -> dict[str, Type]:
    """Types by name; a class stands for its plain instance."""
    made: dict[str, Type] = {}
    for name, given in value.items():
        what = given() if isinstance(given, type) and given is not Amount else given
        if not isinstance(what, Type):
            shown = given.__name__ if isinstance(given, type) else type(given).__name__
            hint = "write Number(), Amount('THB'), Text(), Labels(), Flag(), Date(), Instant() or Duration()"
            raise WrongType(f"schema[{name!r}]", shown, "a type of facts", hint)
        made[name] = what
    return made


@attrs.frozen
class EventKind:
    """Events of one kind: what their amount is, and which further attributes they carry.

    Attributes of an `EventTable` are text whatever they spell: compare numbers with `.as_number()`, which takes both.
    """

    amount: Number | Amount | None = None
    attributes: Mapping[str, Type] = attrs.field(factory=dict, converter=_types)


def _event_kinds(value: Mapping[str, EventKind] | Iterable[str]) -> dict[str, EventKind]:
    return dict(value) if isinstance(value, Mapping) else {name: EventKind() for name in value}


@attrs.frozen
class Schema:
    """The facts that rules may ask for.

    Attributes
    ----------
    fields : type of each fact; a class such as `Date` stands for `Date()`
    events : kinds of events, or just their names

    Examples
    --------
    >>> from crmcore.rules import field
    >>> schema = Schema({"profit_12m": Amount("THB"), "tier": Text(["basic", "gold"]), "born": Date}, events=["order"])
    >>> schema.problems((field("profit") >= 3) & (field("tier") == "glod"))
    ("`profit`: no such fact; did you mean 'profit_12m'?", "`tier`: 'glod' is not allowed; did you mean 'gold'?")
    """

    fields: Mapping[str, Type] = attrs.field(converter=_types)
    events: Mapping[str, EventKind] = attrs.field(factory=dict, converter=_event_kinds)

    def problems(self, node: Condition, *, functions: Mapping[str, Kind] | None = None) -> tuple[str, ...]:
        """Every fault of a condition, in the order in which it reads; empty where it fits."""
        from crmcore.rules.checking import faults

        return faults(node, self, functions or {})

    def personal(self, name: str) -> bool | None:
        """Whether a field is personal; None where the schema does not know it."""
        return self.fields[name].personal if name in self.fields else None

    def event_schema(self, event: str) -> Schema:
        """Schema of one kind of events, for `where` and totals."""
        its = self.events.get(event, EventKind())
        amount = {} if its.amount is None else {"amount": its.amount}
        return Schema({**_EVENT_PARTS, **amount, **its.attributes}, events=self.events)
