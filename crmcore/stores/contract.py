"""The contract of an event store and the values that cross it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

import attrs

from crmcore.errors import NaiveDatetime, WrongType

__all__ = ["Event", "EventStore", "Redact", "Snapshot"]

Redact = Callable[[Mapping[str, object]], Mapping[str, object]]


def _utc(time: datetime) -> datetime:
    if not isinstance(time, datetime):
        raise WrongType("time", type(time).__name__, "an aware datetime", "datetime.fromisoformat reads text")
    if time.utcoffset() is None:
        raise NaiveDatetime("time")
    return time if time.tzinfo is UTC else time.astimezone(UTC)


def _keys_only(data: Mapping[str, object]) -> str:
    return "{" + ", ".join(map(str, data)) + "}"


@attrs.frozen(kw_only=True)
class Event:
    """One thing that happened, as it is kept: never changed, never removed, only redacted by `EventStore.erase`.

    A new event carries `id`, `type`, `time` and `data`; `stream` is filled in by `append`, `version` and `position` by
    the store (0 means not stored yet). The payload and the reason stay out of the repr because they may name a person.

    Parameters
    ----------
    id : text
        Unique in the whole store and chosen by the writer: writing the same id again changes nothing.
    type : text
        What happened, in the past tense of the domain: `"case opened"`.
    time : aware datetime
        When it happened (not when it was stored); kept in UTC to the microsecond.
    data : JSON object
        Text keys; values are text, whole or finite numbers, truth values, None, lists and objects of these.
    stream : text
        The history that the event belongs to: `"customer:7"`.
    version : count
        1, 2, 3 ... within the stream.
    position : count
        Rising over the whole store in the order in which events were written.
    actor, reason : text
        Who did it (a role or a member of staff) and why. `erase` keeps both, so name no customer in them.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> Event(id="e1", type="note written", time=datetime(2026, 5, 1, tzinfo=UTC), data={"text": "likes oat milk"})
    Event(id='e1', type='note written', time=2026-05-01T00:00:00+00:00, data={text}, stream='', version=0, position=0, \
actor='')
    """

    id: str
    type: str
    time: datetime = attrs.field(converter=_utc, repr=datetime.isoformat)
    data: Mapping[str, object] = attrs.field(factory=dict, repr=_keys_only)
    stream: str = ""
    version: int = 0
    position: int = 0
    actor: str = ""
    reason: str = attrs.field(default="", repr=False)


@attrs.frozen(kw_only=True)
class Snapshot:
    """The state of one stream after `version` events, kept so that reading need not start at the first.

    Examples
    --------
    >>> Snapshot(stream="customer:7", version=12, state={"points": 90})
    Snapshot(stream='customer:7', version=12, state={points})
    """

    stream: str
    version: int
    state: Mapping[str, object] = attrs.field(repr=_keys_only)


@runtime_checkable
class EventStore(Protocol):
    """Histories of events, written once, read in order.

    Rules that `crmcore.testing.check_event_store` proves:

    - A call of `append` or `append_many` is stored wholly or not at all.
    - Within a stream versions are 1, 2, 3 ... without gaps; over the store positions rise in the order of writing.
    - The same event id again is no error and no second event: the stored event is returned. The same id in another
      stream is `DuplicateIds`.
    - `expected` is the version that the writer has seen (0: the stream does not exist). If the stream has moved on the
      call is a `StoreConflict`, unless all its events are stored already (a repeated call after a lost answer).
    - What was returned by `append` is equal to what is read later.
    """

    def append(self, stream: str, events: Iterable[Event], *, expected: int | None = None) -> tuple[Event, ...]:
        """Add events to the end of one stream; returns them as stored, in the order given."""
        ...

    def append_many(self, events: Iterable[Event], *, expected: Mapping[str, int] | None = None) -> tuple[Event, ...]:
        """Add events to the streams that they name, all or none; `expected` holds versions of streams that matter."""
        ...

    def read(self, stream: str, *, after: int = 0, until: datetime | None = None) -> tuple[Event, ...]:
        """Events of a stream by version, those past version `after`, those that had happened by `until` (inclusive).

        An unknown stream is empty. `until` compares `Event.time`: the stream as of that instant.
        """
        ...

    def read_all(self, *, after: int = 0, limit: int | None = None) -> Iterator[Event]:
        """Events of all streams by position, those past position `after`, at most `limit`, up to the present end."""
        ...

    def version(self, stream: str) -> int:
        """Version of the last event of a stream; 0 for an unknown stream."""
        ...

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of streams that start with `prefix`, sorted."""
        ...

    def snapshot(self, stream: str, version: int, state: Mapping[str, object]) -> None:
        """Keep the state after `version` events; an older snapshot never replaces a newer one."""
        ...

    def latest_snapshot(self, stream: str) -> Snapshot | None:
        """The newest snapshot of a stream, or None."""
        ...

    def erase(self, stream: str, redact: Redact) -> int:
        """Replace every payload of a stream by `redact(payload)` and drop its snapshots; returns how many changed.

        The audit skeleton stays: id, type, time, version, position, actor, reason. All or nothing; again is harmless.
        """
        ...

    def close(self) -> None:
        """Release what the store holds; every later call is `StoreClosed`, closing again is harmless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
