"""Profiles that grow event by event: a fold in which order does not matter, and repositories that keep it.

Each field is a register that the last writer wins, by (time, trust in the source, event id); each multi-valued field is
a set of values, every one a register of "is in" or "is out". Taking the larger of two stamps is associative,
commutative and idempotent, so one by one, in batches, in shards, in any order and with repeats give equal profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

import attrs

from crmcore._base import mask
from crmcore.errors import WrongType
from crmcore.stores import Event, EventStore

__all__ = ["Cell", "MemoryProfiles", "ProfileRepository", "ProfileState", "StoredProfiles", "changed", "evolve"]

CHANGED = "profile changed"


@attrs.frozen
class Cell:
    """One value with where it comes from; None says that the source took the value back."""

    value: str | None = attrs.field(repr=mask)
    time: datetime
    source: str
    event: str

    def _stamp(self, trust: Mapping[str, int]) -> tuple[datetime, int, str, str]:
        # the source's name stands between trust and id so that two sources without a rank still have one order
        return self.time, trust.get(self.source, -1), self.source, self.event


@attrs.frozen(repr=False)
class ProfileState:
    """What is known about one customer so far."""

    customer: str
    single: Mapping[str, Cell] = attrs.field(factory=dict)  # field -> cell
    several: Mapping[str, Mapping[str, Cell]] = attrs.field(factory=dict)  # field -> value -> cell

    def __repr__(self) -> str:
        return f"ProfileState({self.customer}, {sorted({*self.single, *self.several})})"

    def values(self) -> dict[str, str | tuple[str, ...]]:
        """Values in clear: a text, or the values of a multi-valued field in their order."""
        out: dict[str, str | tuple[str, ...]] = {
            f: c.value for f, c in sorted(self.single.items()) if c.value is not None
        }
        for field, cells in sorted(self.several.items()):
            present = tuple(sorted(v for v, c in cells.items() if c.value is not None))
            if present:
                out[field] = present
        return out

    def merged(self, other: ProfileState, *, trust: Mapping[str, int] | None = None) -> ProfileState:
        """Both histories in one state, under this customer's id."""
        ranks = trust or {}
        several = {
            f: _newer(self.several.get(f, {}), other.several.get(f, {}), ranks) for f in {*self.several, *other.several}
        }
        return ProfileState(self.customer, _newer(self.single, other.single, ranks), several)


def _newer(one: Mapping[str, Cell], other: Mapping[str, Cell], trust: Mapping[str, int]) -> dict[str, Cell]:
    out = dict(one)
    for key, cell in other.items():
        if key not in out or out[key]._stamp(trust) < cell._stamp(trust):
            out[key] = cell
    return out


def changed(
    customer: str,
    *,
    id: str,  # the word that `Event` uses
    time: datetime,
    source: str,
    fields: Mapping[str, str | None] | None = None,
    add: Mapping[str, Iterable[str]] | None = None,
    remove: Mapping[str, Iterable[str]] | None = None,
) -> Event:
    """Event that says what one source told about one customer.

    Parameters
    ----------
    id : text
        Unique; the same id again changes nothing.
    fields : field -> value
        Fields of one value; None takes the value back.
    add, remove : field -> values
        Fields of several values, such as phones.
    """
    data: dict[str, object] = {"source": source, "fields": dict(fields or {})}
    for name, given in (("add", add), ("remove", remove)):
        for field, values in (given or {}).items():
            if isinstance(values, str):
                raise WrongType(f"{name}[{field!r}]", "one text", "several values", "write a list: ['...']")
        data[name] = {field: sorted(set(values)) for field, values in (given or {}).items()}
    return Event(id=id, type=CHANGED, time=time, data=data, stream=stream(customer))


def stream(customer: str) -> str:
    """Name of the stream that holds a customer's profile events."""
    return f"profile:{customer}"


def _customer(event: Event) -> str:
    return event.stream.removeprefix("profile:")


def evolve(state: ProfileState, event: Event, *, trust: Mapping[str, int] | None = None) -> ProfileState:
    """State after one more event; older news never replaces newer, and the same event twice is the same as once.

    Examples
    --------
    >>> from datetime import UTC
    >>> old = changed("c7", id="1", time=datetime(2026, 1, 1, tzinfo=UTC), source="web", fields={"city": "Bath"})
    >>> new = changed("c7", id="2", time=datetime(2026, 2, 1, tzinfo=UTC), source="web", fields={"city": "York"})
    >>> evolve(evolve(ProfileState("c7"), new), old).values()
    {'city': 'York'}
    """
    return state.merged(_told(event), trust=trust)


def _told(event: Event) -> ProfileState:
    if event.type != CHANGED or "source" not in event.data:  # a redacted event says nothing any more
        return ProfileState(_customer(event))
    source = str(event.data["source"])
    said = _part(event, "fields").items()
    single = {f: Cell(None if v is None else str(v), event.time, source, event.id) for f, v in said}
    several: dict[str, dict[str, Cell]] = {}
    for name in ("remove", "add"):  # an event that does both to one value adds it
        for field, values in _part(event, name).items():
            for value in values if isinstance(values, list) else ():
                several.setdefault(field, {})[value] = Cell(
                    value if name == "add" else None, event.time, source, event.id
                )
    return ProfileState(_customer(event), single, several)


def _part(event: Event, name: str) -> Mapping[str, object]:
    part = event.data.get(name, {})
    return part if isinstance(part, Mapping) else {}


@runtime_checkable
class ProfileRepository(Protocol):
    """Where profiles are kept: events go in, states come out; the order of events never matters."""

    def upsert(self, events: Iterable[Event], /) -> None:
        """Take in events from `changed`; those known already change nothing."""
        ...

    def get(self, customer: str, /, *, as_of: datetime | None = None) -> ProfileState | None:
        """State of one customer, now or from events that had happened by `as_of`; None for an unknown customer."""
        ...

    def customers(self) -> tuple[str, ...]:
        """Every customer, sorted."""
        ...

    def remove(self, customer: str, /) -> bool:
        """Drop a customer's values; whether there were any."""
        ...


def trust_of(sources: Iterable[str]) -> dict[str, int]:
    """Rank of sources given best first; sources that are not listed rank below all."""
    listed = list(sources)
    return {source: len(listed) - i for i, source in enumerate(listed)}


class MemoryProfiles:
    """A repository in memory.

    Examples
    --------
    >>> from datetime import UTC
    >>> people = MemoryProfiles()
    >>> may = datetime(2026, 5, 1, tzinfo=UTC)
    >>> people.upsert([changed("c7", id="1", time=may, source="web", add={"phone": ["0811"]})])
    >>> people.get("c7").values(), people.customers()
    ({'phone': ('0811',)}, ('c7',))
    """

    def __init__(self, *, source_priority: Iterable[str] = ()) -> None:
        self._trust = trust_of(source_priority)
        self._events: dict[str, dict[str, Event]] = {}
        self._states: dict[str, ProfileState] = {}

    def __repr__(self) -> str:
        return f"MemoryProfiles({len(self._states)} customers)"

    def upsert(self, events: Iterable[Event], /) -> None:
        """Take in events; see `ProfileRepository.upsert`."""
        for event in events:
            customer = _customer(event)
            known = self._events.setdefault(customer, {})
            if event.id not in known:
                known[event.id] = event
                before = self._states.get(customer, ProfileState(customer))
                self._states[customer] = evolve(before, event, trust=self._trust)

    def get(self, customer: str, /, *, as_of: datetime | None = None) -> ProfileState | None:
        """State of one customer; see `ProfileRepository.get`."""
        if as_of is None:
            return self._states.get(customer)
        return _fold(customer, (e for e in self._events.get(customer, {}).values() if e.time <= as_of), self._trust)

    def customers(self) -> tuple[str, ...]:
        """Every customer, sorted."""
        return tuple(sorted(self._states))

    def remove(self, customer: str, /) -> bool:
        """Drop a customer's values; see `ProfileRepository.remove`."""
        self._events.pop(customer, None)
        return self._states.pop(customer, None) is not None


class StoredProfiles:
    """A repository on any event store, one stream per customer: `StoredProfiles(SqliteStore("people.db"))`."""

    def __init__(self, store: EventStore, *, source_priority: Iterable[str] = ()) -> None:
        self._store = store
        self._trust = trust_of(source_priority)

    def __repr__(self) -> str:
        return f"StoredProfiles({self._store!r})"

    def upsert(self, events: Iterable[Event], /) -> None:
        """Take in events, all or none; see `ProfileRepository.upsert`."""
        self._store.append_many(events)

    def get(self, customer: str, /, *, as_of: datetime | None = None) -> ProfileState | None:
        """State of one customer; see `ProfileRepository.get`."""
        return _fold(customer, self._store.read(stream(customer), until=as_of), self._trust)

    def customers(self) -> tuple[str, ...]:
        """Every customer, sorted; one whose events were all redacted is none."""
        names = (name.removeprefix("profile:") for name in self._store.streams("profile:"))
        return tuple(name for name in names if self.get(name) is not None)

    def remove(self, customer: str, /) -> bool:
        """Redact a customer's events; see `ProfileRepository.remove`."""
        return self._store.erase(stream(customer), lambda _: {}) > 0


def _fold(customer: str, events: Iterable[Event], trust: Mapping[str, int]) -> ProfileState | None:
    state: ProfileState | None = None
    for event in events:
        if event.type == CHANGED and "source" in event.data:
            state = evolve(state or ProfileState(customer), event, trust=trust)
    return state
