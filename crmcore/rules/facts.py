"""Facts of one subject: fields by name, and what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from crmcore._base import aware, listed
from crmcore.errors import WrongType
from crmcore.values import Interaction, Money

__all__ = ["Event", "Facts"]


def _known_time(_instance: object, attribute: attrs.Attribute[datetime], value: object) -> None:
    if value is None:
        raise WrongType(attribute.name, "None", "an aware datetime", "leave out what has no time")


def _kind(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str):
        raise WrongType(attribute.name, f"a {type(value).__name__}", "text", "say what happened, such as 'order'")


def _parts(value: Mapping[str, object] | None) -> Mapping[str, object]:
    given: object = value
    if given is not None and not isinstance(given, Mapping):
        raise WrongType("attributes", f"a {type(given).__name__}", "a mapping of names", "write {'channel': 'web'}")
    return {} if value is None else value


@attrs.frozen(kw_only=True)
class Event:
    """One thing that happened to a subject.

    Attributes
    ----------
    kind : what happened, such as "order"
    time : when; aware
    amount : money or a number, None = none
    attributes : further parts by name, such as channel
    """

    kind: str = attrs.field(validator=_kind)
    time: datetime = attrs.field(validator=[_known_time, aware])
    amount: Money | float | None = None
    attributes: Mapping[str, object] = attrs.field(factory=dict, converter=_parts, repr=lambda a: f"{sorted(a)}")

    @classmethod
    def of(cls, interaction: Interaction) -> Event:
        """Event of an interaction; channel, touchpoint, direction and reference become attributes."""
        parts = {
            "channel": interaction.channel,
            "touchpoint": interaction.touchpoint,
            "direction": interaction.direction,
            "reference": interaction.reference,
        }
        given = {name: value for name, value in parts.items() if value is not None}
        return cls(
            kind=interaction.kind or "",
            time=interaction.time,
            amount=interaction.amount,
            attributes={**given, **interaction.attributes},
        )


def _fields(value: Mapping[str, object]) -> dict[str, object]:
    given: object = value
    if not isinstance(given, Mapping):
        hint = "pass Facts({'name': value}, events=[...]), or a plain dict of fields"
        raise WrongType("facts", f"a {type(value).__name__}", "Facts or a mapping of fields", hint)
    return dict(value)


def _events(value: Iterable[Event | Interaction] | None) -> tuple[Event, ...] | None:
    if value is None:
        return None
    hint = "events=[Event(kind='order', time=...)]; [] where nothing happened, None where nobody looked"
    found = listed(value, "events", (Event, Interaction), what="events", hint=hint)
    return tuple(Event.of(e) if isinstance(e, Interaction) else e for e in found)


@attrs.frozen(repr=False)
class Facts:
    """What is known about one subject: a window on a row of a `FactTable`, or what an application holds.

    Attributes
    ----------
    fields : values by name; None, NaN, NaT, empty text and absent names are unknown
    events : what happened; None = nobody looked (unknown), an empty list = nothing happened
    subject : id of the subject
    currency : of totals over no event; None goes with any

    Examples
    --------
    >>> facts = Facts({"profit_12m": 12_000, "tier": "gold"}, events=[])
    >>> facts
    Facts(2 fields, 0 events)
    """

    fields: Mapping[str, object] = attrs.field(converter=_fields, factory=dict)
    events: tuple[Event, ...] | None = attrs.field(converter=_events, default=None, kw_only=True)
    subject: str | None = attrs.field(default=None, kw_only=True)
    currency: str | None = attrs.field(default=None, kw_only=True)

    def __repr__(self) -> str:
        happened = "no events known" if self.events is None else f"{len(self.events)} events"
        return f"Facts({len(self.fields)} fields, {happened})"

    def __add__(self, other: Facts) -> Facts:
        """Facts of both about the same subject; on one name the later wins, events join."""
        if not isinstance(other, Facts):
            return NotImplemented
        events = None
        if self.events is not None or other.events is not None:
            events = (*(self.events or ()), *(other.events or ()))
        return Facts(
            {**self.fields, **other.fields},
            events=events,
            subject=self.subject or other.subject,
            currency=self.currency or other.currency,
        )

    def with_fields(self, **fields: object) -> Facts:
        """The same subject with some fields set."""
        return attrs.evolve(self, fields={**self.fields, **fields})
