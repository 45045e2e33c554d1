"""What happened to a case, as service-level clocks read it: events, their order, and histories of one case."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore.errors import BadDocument, BadRow, BadRows, DuplicateIds, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.values.words import word

__all__ = ["Actor", "ClockEvent", "ClockHistory", "EventKind", "Meaning", "Visibility"]


class EventKind(enum.StrEnum):
    """What can happen to a case. Events of one instant take effect in this order, whatever order they arrive in."""

    CREATED = "created"
    POLICY = "policy"  # other terms apply from now on: `to` names them
    PRIORITY = "priority"
    ASSIGNED = "assigned"  # or handed over
    CUSTOMER_MESSAGE = "customer message"
    RECEIPT = "receipt"  # "we have received your message": no answer
    AGENT_REPLY = "agent reply"
    STATUS = "status"
    REOPENED = "reopened"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"  # into another case, whose clocks run on


class Actor(enum.StrEnum):
    """Who did it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    AUTOMATION = "automation"  # a bot, a macro, an out-of-office note


class Visibility(enum.StrEnum):
    """Whether the customer can read it."""

    PUBLIC = "public"
    PRIVATE = "private"


KINDS = tuple(EventKind)
ACTORS = tuple(Actor)
VISIBILITIES = tuple(Visibility)
_ACTOR_RANK: Mapping[Actor, int] = {actor: i for i, actor in enumerate(ACTORS)}
RANK: Mapping[EventKind, int] = {kind: i for i, kind in enumerate(KINDS)}
USUAL_ACTOR: Mapping[EventKind, Actor] = {
    **dict.fromkeys(KINDS, Actor.AGENT),
    EventKind.CREATED: Actor.CUSTOMER,
    EventKind.CUSTOMER_MESSAGE: Actor.CUSTOMER,
    EventKind.RECEIPT: Actor.AUTOMATION,
}
"""Who does it where an event does not say."""
NAMING = (EventKind.POLICY, EventKind.PRIORITY, EventKind.STATUS)
"""Kinds that change something to what `to` names, and mean nothing without it."""


def _kind(value: EventKind | str) -> EventKind:
    return word(EventKind, value, "event kind")


def _actor(value: Actor | str | None) -> Actor | None:
    return None if value is None else word(Actor, value, "actor")


def _visibility(value: Visibility | str) -> Visibility:
    return word(Visibility, value, "visibility")


def _utc(value: datetime) -> datetime:
    if not isinstance(value, datetime):
        raise WrongType("at", f"a {type(value).__name__}", "an aware datetime", "datetime.fromisoformat reads text")
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise NaiveDatetime("at")
    return value.astimezone(UTC)


@attrs.frozen(order=False)
class ClockEvent:
    """One thing that happened to a case.

    Parameters
    ----------
    at : aware datetime
        When it happened, not when it arrived; kept in UTC.
    kind : EventKind
        What happened.
    to : text, optional
        What it changed to: the status, the priority, the name of the terms, the new owner, the case merged into.
    actor : Actor, optional
        Who did it. None: the customer for a creation and a customer message, automation for a receipt, else an agent.
    visibility : Visibility
        "private" for an internal note.
    id : text, optional
        Of the event in its source: the same id twice is one event.

    Raises
    ------
    NaiveDatetime, UnknownName, OutOfRange
        A time without zone, a word outside its closed list, a change that does not say to what.

    Examples
    --------
    >>> ClockEvent(datetime(2026, 6, 1, 9, tzinfo=UTC), "status", "pending")
    ClockEvent(at=2026-06-01T09:00:00+00:00, kind='status', to='pending', actor='agent')
    """

    at: datetime = attrs.field(converter=_utc)
    kind: EventKind = attrs.field(converter=_kind)
    to: str | None = None
    actor: Actor | None = attrs.field(default=None, converter=_actor, kw_only=True)
    visibility: Visibility = attrs.field(default=Visibility.PUBLIC, converter=_visibility, kw_only=True)
    id: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.actor is None:
            object.__setattr__(self, "actor", USUAL_ACTOR[self.kind])
        if self.kind in NAMING and not self.to:
            raise OutOfRange("to", self.to, f"the new {self.kind}", f"ClockEvent(at, {self.kind.value!r}, 'its name')")

    def __repr__(self) -> str:
        parts = [f"at={self.at.isoformat()}", f"kind={self.kind.value!r}"]
        parts += [f"to={self.to!r}"] if self.to is not None else []
        parts += [f"actor={str(self.actor)!r}"]
        parts += ["visibility='private'"] if self.visibility is Visibility.PRIVATE else []
        parts += [f"id={self.id!r}"] if self.id is not None else []
        return f"ClockEvent({', '.join(parts)})"

    def __str__(self) -> str:
        to = f" {self.to}" if self.to is not None else ""
        remarks = [str(self.actor)] if self.actor is not USUAL_ACTOR[self.kind] else []
        remarks += ["private"] if self.visibility is Visibility.PRIVATE else []
        by = f" ({', '.join(remarks)})" if remarks else ""
        return f"{self.kind}{to}{by}"

    @property
    def answers(self) -> bool:
        """Whether it is an answer that the customer can read, written by a human."""
        public = self.kind is EventKind.AGENT_REPLY and self.visibility is Visibility.PUBLIC
        return public and self.actor is not Actor.AUTOMATION

    @property
    def asks(self) -> bool:
        """Whether it is a message that somebody wrote for the customer; an out-of-office note is not."""
        return self.kind is EventKind.CUSTOMER_MESSAGE and self.actor is not Actor.AUTOMATION

    @property
    def acknowledges(self) -> bool:
        """Whether it tells the customer that the message has come in: a receipt or any public reply, also of a bot."""
        reply = self.kind is EventKind.AGENT_REPLY and self.visibility is Visibility.PUBLIC
        return reply or self.kind is EventKind.RECEIPT


def event_order(event: ClockEvent) -> tuple[datetime, int, str, int, int, str]:
    """Key of the one order in which events take effect: time, then kind, then what tells them apart."""
    return (
        event.at,
        RANK[event.kind],
        event.to or "",
        _ACTOR_RANK[event.actor or Actor.AGENT],
        VISIBILITIES.index(event.visibility),
        event.id or "",
    )


@attrs.frozen
class Meaning:
    """What an activity of a foreign log means to the clocks.

    Examples
    --------
    >>> Meaning("status", "pending"), Meaning.of("resolved").kind.value, Meaning.of("status: on hold").to
    (Meaning(kind='status', to='pending'), 'resolved', 'on hold')
    """

    kind: EventKind = attrs.field(converter=_kind, repr=lambda k: repr(k.value))
    to: str | None = None
    actor: Actor | None = attrs.field(default=None, converter=_actor, repr=False)
    visibility: Visibility = attrs.field(default=Visibility.PUBLIC, converter=_visibility, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.kind in NAMING and not self.to:
            raise OutOfRange("to", self.to, f"the new {self.kind}", f"write '{self.kind}: its name'")

    @classmethod
    def of(cls, value: Meaning | str) -> Meaning:
        """Read `"resolved"` or `"status: pending"`."""
        if isinstance(value, Meaning):
            return value
        kind, _, to = value.partition(":")
        return cls(EventKind(_kind(kind.strip())), to.strip() or None)


Activities = Mapping[str, Meaning | str | None]


def meanings(activities: Activities, found: Iterable[str]) -> dict[str, Meaning | None]:
    """Meaning of every activity of a log; all that the mapping does not name are refused at once."""
    known = {name: None if value is None else Meaning.of(value) for name, value in activities.items()}
    unknown = sorted(set(found) - set(known))
    if len(unknown) == 1:
        raise UnknownName("activity", unknown[0], tuple(known))
    if unknown:
        problem = BadRow("activity", f"unknown {', '.join(map(repr, unknown[:20]))}", tuple(range(len(unknown))))
        raise BadRows("the log", (problem,), "say what each activity means; None leaves one out: {'Note': None}")
    return known


def without_repeats(events: Iterable[ClockEvent]) -> list[ClockEvent]:
    """Events in the order in which they take effect, each once: by id, or by all that it says where it has no id."""
    by_id: dict[str, ClockEvent] = {}
    kept: set[ClockEvent] = set()
    clash: list[int] = []
    for i, event in enumerate(events):
        if not isinstance(event, ClockEvent):
            raise WrongType(
                "events", f"a {type(event).__name__}", "ClockEvent values", "ClockHistory.from_events reads logs"
            )
        if event.id is not None and by_id.setdefault(event.id, event) != event:
            clash.append(i)
        kept.add(event)
    if clash:
        raise DuplicateIds("the history", len(clash), tuple(clash), CLASH)
    return sorted(kept, key=event_order)


def _in_order(events: Iterable[ClockEvent]) -> tuple[ClockEvent, ...]:
    return tuple(without_repeats(events))


CLASH = "one id stands on two different events: give a corrected event an id of its own, or drop the old one"


@attrs.frozen(eq=True, repr=False)
class ClockHistory:
    """All events of one case, in the order in which they take effect; arrival does not matter, repeats count once.

    Examples
    --------
    >>> nine = datetime(2026, 6, 1, 9, tzinfo=UTC)
    >>> history = ClockHistory.of([ClockEvent(nine.replace(hour=10), "agent reply"), ClockEvent(nine, "created")])
    >>> history, history[0].kind.value, history == ClockHistory.of(reversed(history.events))
    (ClockHistory(2 events, from 2026-06-01T09:00:00+00:00), 'created', True)
    """

    events: tuple[ClockEvent, ...] = attrs.field(converter=_in_order)
    case: str = ""

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[ClockEvent]:
        return iter(self.events)

    def __getitem__(self, i: int) -> ClockEvent:
        return self.events[i]

    def __repr__(self) -> str:
        of = f"{self.case!r}, " if self.case else ""
        since = f", from {self.events[0].at.isoformat()}" if self.events else ""
        return f"ClockHistory({of}{len(self.events)} events{since})"

    def __add__(self, other: ClockHistory) -> ClockHistory:
        """Events of both, each once."""
        return ClockHistory((*self.events, *other.events), self.case or other.case)

    @classmethod
    def of(cls, events: Iterable[ClockEvent], *, case: str = "") -> ClockHistory:
        """History of events in any order."""
        return cls(tuple(events), case)

    @classmethod
    def from_events(
        cls,
        events: Iterable[Mapping[str, Any]],
        *,
        zone: str | ZoneInfo | None,
        time: str = "time",
        activity: str = "activity",
        activities: Activities | None = None,
        case: str = "",
    ) -> ClockHistory:
        """Read the log of one case.

        Parameters
        ----------
        events : mappings
            One a row: the time (datetime or ISO 8601 text), the activity, and where they are there `to`, `actor`,
            `visibility` and `id`.
        zone : zone, name or None
            In which times without offset were written; None refuses such times. A zone is never guessed.
        time, activity : text
            Keys of the log.
        activities : mapping, optional
            What each activity means: `{"Wait": "status: pending", "Note": None}`. None leaves an activity out; one that
            is not named is refused. Without a mapping activities must be the words of `EventKind`.
        case : text
            Name of the case.

        Examples
        --------
        >>> log = [{"time": "2026-06-01T09:00", "activity": "Open"}, {"time": "2026-06-01T10:00", "activity": "Wait"}]
        >>> means = {"Open": "created", "Wait": "status: pending"}
        >>> ClockHistory.from_events(log, zone="Asia/Bangkok", activities=means)
        ClockHistory(2 events, from 2026-06-01T02:00:00+00:00)
        """
        from crmcore.calendars.clocks.event_table import ClockEventTable

        rows = [dict(row, **{_CASE: case or "case"}) for row in events]
        if not rows:
            return cls((), case)
        table = ClockEventTable.from_frame(
            rows, case=_CASE, time=time, activity=activity, activities=activities, zone=zone
        )
        return cls(table.history(0).events, case)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        return {"case": self.case, "events": [to_dict(e) for e in self.events]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ClockHistory:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> history = ClockHistory.of([ClockEvent(datetime(2026, 6, 1, tzinfo=UTC), "created", id="e1")], case="7")
        >>> ClockHistory.from_dict(history.to_dict()) == history
        True
        """
        from crmcore.documents import from_dict

        if not isinstance(document, Mapping) or set(document) != {"case", "events"}:
            raise BadDocument("ClockHistory", ("expected the fields case and events",), "write it with to_dict")
        return cls(from_dict(tuple[ClockEvent, ...], document["events"]), str(document["case"]))


_CASE = "\x00case"  # a key that no log has
