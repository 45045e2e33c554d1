"""What the brand remembers about a customer: notes that are never overwritten, readable as of any time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from crmcore.errors import UnknownName
from crmcore.stores import Event, EventStore

__all__ = ["CustomerMemory", "Note", "recall"]

WRITTEN = "note written"
REMOVED = "note removed"


@attrs.frozen
class Note:
    """One remembered thing; the text stays out of the repr."""

    topic: str
    text: str = attrs.field(repr=lambda t: f"<{len(t)} characters>")
    time: datetime
    actor: str


def recall(events: Iterable[Event], /) -> dict[str, Note]:
    """Fold note events into what is remembered: per topic the note that was true last.

    The order in which events arrive does not matter: per topic the latest time wins, of one time the larger event id.

    Examples
    --------
    >>> from datetime import UTC
    >>> day = [datetime(2026, 5, d, tzinfo=UTC) for d in (1, 3)]
    >>> said = [Event(id=f"n{i}", type=WRITTEN, time=t, data={"topic": "milk", "text": w})
    ...         for i, (t, w) in enumerate(zip(day, ["oat", "soy"]))]
    >>> recall(said[::-1])["milk"].text
    'soy'
    """
    last: dict[str, Event] = {}
    for event in events:
        if event.type not in (WRITTEN, REMOVED) or "topic" not in event.data:  # a redacted note has no topic
            continue
        topic = str(event.data["topic"])
        if topic not in last or (event.time, event.id) > (last[topic].time, last[topic].id):
            last[topic] = event
    return {
        t: Note(t, str(last[t].data["text"]), last[t].time, last[t].actor)
        for t in sorted(last)
        if last[t].type == WRITTEN
    }


@attrs.frozen
class CustomerMemory:
    """Notes about customers in an event store, one stream per customer.

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.stores import MemoryStore
    >>> memory = CustomerMemory(MemoryStore())
    >>> _ = memory.remember("c7", "seat", "aisle", at=datetime(2026, 5, 1, tzinfo=UTC), actor="desk")
    >>> _ = memory.remember("c7", "seat", "window", at=datetime(2026, 5, 3, tzinfo=UTC), actor="desk")
    >>> memory.as_of("c7", datetime(2026, 5, 2, tzinfo=UTC))["seat"].text, memory.recall("c7")["seat"].text
    ('aisle', 'window')
    """

    store: EventStore

    def remember(self, customer: str, topic: str, text: str, *, at: datetime, actor: str) -> Note:
        """Write a note; an earlier note of the topic stays in the history."""
        self._write(customer, WRITTEN, {"topic": topic, "text": text}, at, actor)
        return Note(topic, text, at, actor)

    def forget(self, customer: str, topic: str, *, at: datetime, actor: str) -> None:
        """End a note: from `at` on it is no longer remembered, before that it still was. For erasure see `privacy`."""
        known = recall(self.store.read(stream(customer)))
        if topic not in known:
            raise UnknownName("topic", topic, tuple(known))
        self._write(customer, REMOVED, {"topic": topic}, at, actor)

    def _write(self, customer: str, kind: str, data: dict[str, object], at: datetime, actor: str) -> None:
        version = self.store.version(stream(customer))
        event = Event(id=f"{stream(customer)}:{version + 1}", type=kind, time=at, data=data, actor=actor)
        self.store.append(stream(customer), [event], expected=version)

    def recall(self, customer: str) -> dict[str, Note]:
        """Return the notes as they stand, by topic."""
        return recall(self.store.read(stream(customer)))

    def as_of(self, customer: str, time: datetime) -> dict[str, Note]:
        """Return the notes as they stood at `time` (inclusive)."""
        return recall(self.store.read(stream(customer), until=time))

    def history(self, customer: str, topic: str) -> tuple[Note, ...]:
        """Every text that a topic has had, in order of time."""
        events = [e for e in self.store.read(stream(customer)) if e.type == WRITTEN and e.data.get("topic") == topic]
        events.sort(key=lambda e: (e.time, e.id))
        return tuple(Note(topic, str(e.data["text"]), e.time, e.actor) for e in events)


def stream(customer: str) -> str:
    """Name of the stream that holds a customer's notes."""
    return f"memory:{customer}"
