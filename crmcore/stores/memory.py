"""A store in memory: for tests, notebooks and short runs."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

from crmcore.errors import StoreClosed, StoreConflict
from crmcore.stores.codec import Row, check_version, decode, encode, encode_state, grouped, instant, misplaced, redacted
from crmcore.stores.contract import Event, Redact, Snapshot

__all__ = ["MemoryStore"]


class MemoryStore:
    """Events in the memory of one process; nothing survives it. May be shared by threads.

    Payloads are kept as JSON text, exactly as a store on disk keeps them, so a mutated dictionary changes no history.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> store = MemoryStore()
    >>> first = Event(id="e1", type="note", time=datetime(2026, 5, 1, tzinfo=UTC), data={"text": "a"})
    >>> store.append("customer:7", [first], expected=0)[0].version
    1
    >>> [e.data for e in store.read("customer:7", until=datetime(2026, 5, 2, tzinfo=UTC))], store.streams("customer:")
    ([{'text': 'a'}], ('customer:7',))
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._streams: dict[str, list[int]] = {}  # stream -> indices into rows; version v is the entry v - 1
        self._ids: dict[str, int] = {}
        self._snapshots: dict[str, tuple[int, str]] = {}
        self._lock = threading.RLock()
        self._closed = False

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._rows)} events, {len(self._streams)} streams)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def close(self) -> None:
        """Refuse every later call."""
        self._closed = True

    def _open(self) -> None:
        if self._closed:
            raise StoreClosed("MemoryStore")

    def append(self, stream: str, events: Iterable[Event], *, expected: int | None = None) -> tuple[Event, ...]:
        """Add events to the end of one stream; see `EventStore.append`."""
        return self._write(grouped(stream, events), {} if expected is None else {stream: expected})

    def append_many(self, events: Iterable[Event], *, expected: Mapping[str, int] | None = None) -> tuple[Event, ...]:
        """Add events to the streams that they name, all or none; see `EventStore.append_many`."""
        return self._write(grouped(None, events), expected or {})

    def _write(self, pairs: list[tuple[str, Event]], expected: Mapping[str, int]) -> tuple[Event, ...]:
        with self._lock:
            self._open()
            fresh: dict[str, Row] = {}
            heads: dict[str, int] = {}
            wrong: list[int] = []
            for i, (stream, event) in enumerate(pairs):
                known = self._ids.get(event.id)
                row = fresh.get(event.id) if known is None else self._rows[known]
                if row is None:
                    heads[stream] = heads.get(stream, self.version(stream)) + 1
                    fresh[event.id] = encode(event, stream, heads[stream], len(self._rows) + len(fresh) + 1)
                elif row[1] != stream:
                    wrong.append(i)
            if wrong:
                raise misplaced(wrong)
            if fresh or not pairs:
                for stream, version in expected.items():
                    if self.version(stream) != version:
                        raise StoreConflict(stream, version, self.version(stream))
            for id_, row in fresh.items():
                self._ids[id_] = len(self._rows)
                self._streams.setdefault(row[1], []).append(len(self._rows))
                self._rows.append(row)
            return tuple(decode(self._rows[self._ids[event.id]]) for _, event in pairs)

    def read(self, stream: str, *, after: int = 0, until: datetime | None = None) -> tuple[Event, ...]:
        """Events of a stream by version; see `EventStore.read`."""
        last = instant(until)
        with self._lock:
            self._open()
            rows = [self._rows[i] for i in self._streams.get(stream, [])[max(after, 0) :]]
        return tuple(decode(r) for r in rows if last is None or r[5] <= last)

    def read_all(self, *, after: int = 0, limit: int | None = None) -> Iterator[Event]:
        """Events of all streams by position; see `EventStore.read_all`."""
        with self._lock:
            self._open()
            first = max(after, 0)
            rows = self._rows[first : None if limit is None else first + limit]
        return map(decode, rows)

    def version(self, stream: str) -> int:
        """Version of the last event of a stream; 0 for an unknown stream."""
        self._open()
        return len(self._streams.get(stream, ()))

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of streams that start with `prefix`, sorted."""
        with self._lock:
            self._open()
            names = sorted(self._streams)
        return tuple(n for n in names[bisect_left(names, prefix) :] if n.startswith(prefix))

    def snapshot(self, stream: str, version: int, state: Mapping[str, object]) -> None:
        """Keep the state after `version` events; see `EventStore.snapshot`."""
        text = encode_state(state)
        with self._lock:
            check_version(version, self.version(stream))
            if version >= self._snapshots.get(stream, (0, ""))[0]:
                self._snapshots[stream] = (version, text)

    def latest_snapshot(self, stream: str) -> Snapshot | None:
        """The newest snapshot of a stream, or None."""
        self._open()
        found = self._snapshots.get(stream)
        return None if found is None else Snapshot(stream=stream, version=found[0], state=json.loads(found[1]))

    def erase(self, stream: str, redact: Redact) -> int:
        """Redact every payload of a stream and drop its snapshots; see `EventStore.erase`."""
        with self._lock:
            self._open()
            changed = redacted((self._rows[i] for i in self._streams.get(stream, ())), redact)
            for row in changed:
                self._rows[row[0] - 1] = row
            self._snapshots.pop(stream, None)
        return len(changed)
