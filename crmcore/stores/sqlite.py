"""A store in one SQLite file: crash-safe, standard library only."""

from __future__ import annotations

import enum
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from crmcore.errors import OutOfRange, StoreClosed, StoreConflict
from crmcore.stores.codec import (
    Row,
    check_version,
    decode,
    encode_state,
    grouped,
    instant,
    micros,
    misplaced,
    payload,
    redacted,
)
from crmcore.stores.contract import Event, Redact, Snapshot
from crmcore.stores.schema import MIGRATIONS, migrate

__all__ = ["MIGRATIONS", "Durability", "SqliteStore", "migrate"]

PAGE = 4096  # events fetched at a time by read_all
CHUNK = 500  # names in one IN (...)
NAMES_KEPT = 200_000  # streams whose heads are remembered

COLUMNS = "e.position, s.name, e.version, e.id, e.type, e.time, e.data, e.actor, e.reason"
FROM = "FROM events e JOIN streams s ON s.code = e.stream"
HEAD = "SELECT ifnull(max(version), 0) FROM events WHERE stream = s.code"
INSERT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Durability(enum.StrEnum):
    """What an acknowledged write survives."""

    PROCESS = "process"  # a killed process; the last writes may be lost when the machine loses power
    POWER = "power"  # a power cut too, at the price of waiting for the disk at every call


class _Open:
    """The connection under the lock of its store; a class, since a generator costs as much as a statement."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def __enter__(self) -> sqlite3.Connection:
        store = self._store
        store._lock.acquire()
        if store._db is None:
            store._lock.release()
            raise StoreClosed(repr(store))
        return store._db

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._store._lock.release()


class _Transaction(_Open):
    """The same, and all or nothing."""

    __slots__ = ()

    def __enter__(self) -> sqlite3.Connection:
        db = super().__enter__()
        try:
            db.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._store._lock.release()
            raise
        return db

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        store = self._store
        db = store._db
        try:
            if db is not None and kind is None:
                db.execute("COMMIT")
                return
        except BaseException:
            self._back(db)
            raise
        else:
            self._back(db)
        finally:
            store._lock.release()

    def _back(self, db: sqlite3.Connection | None) -> None:
        if db is not None and db.in_transaction:
            db.execute("ROLLBACK")
        self._store._forget()


class SqliteStore:
    """Events in one SQLite file (write-ahead log), safe for threads of one process and for several processes.

    One connection, one lock: threads may share a store, calls queue. Several processes may open one file; writers
    wait up to `timeout_s` for each other. A forked child opens its own store. The file lies on a local disk
    (write-ahead logs do not work over network file systems).

    Parameters
    ----------
    path : path
        Made if absent; its folder must exist.
    durability : Durability
        `"process"` (default): acknowledged writes survive a killed process. `"power"`: and a power cut.
    timeout_s : seconds
        How long to wait for another writer before `sqlite3.OperationalError`.

    Raises
    ------
    OutOfRange
        The file belongs to something else or to a newer crmcore.

    Notes
    -----
    `erase` overwrites freed bytes with zeros (`secure_delete`) and empties the log, so redacted payloads leave the
    file; while another process reads, the log is emptied by its last reader on closing. Copies and backups are yours.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import datetime, UTC
    >>> folder = tempfile.TemporaryDirectory()
    >>> note = Event(id="e1", type="note", time=datetime(2026, 5, 1, tzinfo=UTC), data={"text": "a"})
    >>> with SqliteStore(f"{folder.name}/people.db") as store:
    ...     _ = store.append("customer:7", [note])
    >>> with SqliteStore(f"{folder.name}/people.db") as store:
    ...     store.read("customer:7")[0].data, store.append("customer:7", [note])[0].version
    ({'text': 'a'}, 1)
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability | str = Durability.PROCESS,
        timeout_s: float = 30.0,
    ) -> None:
        if str(path) in ("", ":memory:"):
            raise OutOfRange("path", str(path), "a file", "use MemoryStore() for a store without a file")
        self.path = Path(path)
        self.durability = Durability(durability)
        self._lock = threading.RLock()
        self._heads: dict[str, tuple[int, int]] = {}  # stream -> its code and version, as of `_stamp`
        self._end: int | None = None  # position of the last event, as of `_stamp`
        self._stamp = -1  # SQLite's data_version: changes when another connection commits
        self._db: sqlite3.Connection | None = sqlite3.connect(
            self.path, timeout=timeout_s, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            full = self.durability is Durability.POWER
            self._db.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA wal_autocheckpoint = 16000")  # 64 MB: pages hit by many calls reach the file once
            self._db.execute("PRAGMA cache_size = -64000")  # 64 MB: the index of ids stays in memory for millions
            migrate(self._db, MIGRATIONS)
        except BaseException:
            self._db.close()
            raise

    def __repr__(self) -> str:
        return f"SqliteStore({self.path.name!r}, durability={self.durability.value!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def close(self) -> None:
        """Empty the log into the file and release it."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _open(self) -> _Open:
        return _Open(self)

    def _transaction(self) -> _Transaction:
        return _Transaction(self)

    def append(self, stream: str, events: Iterable[Event], *, expected: int | None = None) -> tuple[Event, ...]:
        """Add events to the end of one stream; see `EventStore.append`."""
        return self._write(grouped(stream, events), {} if expected is None else {stream: expected})

    def append_many(self, events: Iterable[Event], *, expected: Mapping[str, int] | None = None) -> tuple[Event, ...]:
        """Add events to the streams that they name in one transaction; see `EventStore.append_many`."""
        return self._write(grouped(None, events), expected or {})

    def _write(self, pairs: list[tuple[str, Event]], expected: Mapping[str, int]) -> tuple[Event, ...]:
        with self._open():
            if len({event.id for _, event in pairs}) == len(pairs):
                try:  # nearly every call brings new ids only: let the unique index find the rare exception
                    with self._transaction() as db:
                        stored = self._insert(db, pairs, expected)
                    return tuple(stored)
                except sqlite3.IntegrityError:
                    pass
                except StoreConflict:
                    if not pairs or not self._known(pairs):
                        raise
            with self._transaction() as db:
                return self._write_known(db, pairs, expected)

    def _write_known(
        self, db: sqlite3.Connection, pairs: list[tuple[str, Event]], expected: Mapping[str, int]
    ) -> tuple[Event, ...]:
        """Write what is new among events of which some are stored already."""
        found = self._known(pairs)
        fresh: dict[str, tuple[str, Event]] = {}
        wrong: list[int] = []
        for i, (stream, event) in enumerate(pairs):
            other = found[event.id][1] if event.id in found else fresh.setdefault(event.id, (stream, event))[0]
            if other != stream:
                wrong.append(i)
        if wrong:
            raise misplaced(wrong)
        new = list(fresh.values())
        stored = {e.id: e for e in self._insert(db, new, expected)} if new else {}
        return tuple(stored[e.id] if e.id in stored else decode(found[e.id]) for _, e in pairs)

    def _known(self, pairs: list[tuple[str, Event]]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        with self._open() as db:
            for i in range(0, len(pairs), CHUNK):
                ids = [event.id for _, event in pairs[i : i + CHUNK]]
                marks = ", ".join("?" * len(ids))
                rows = db.execute(f"SELECT {COLUMNS} {FROM} WHERE e.id IN ({marks})", ids)
                found.update((row[3], row) for row in rows)
        return found

    def _insert(
        self, db: sqlite3.Connection, pairs: list[tuple[str, Event]], expected: Mapping[str, int]
    ) -> list[Event]:
        self._forget_if_stale(db)
        heads = self._heads
        self._learn(db, [stream for stream in {stream for stream, _ in pairs} if stream not in heads])
        for stream, version in expected.items():
            head = heads[stream][1] if stream in heads else self._head(db, stream)
            if head != version:
                raise StoreConflict(stream, version, head)
        end = self._end
        if end is None:
            end = int(db.execute("SELECT ifnull(max(position), 0) FROM events").fetchone()[0])
        stored: list[Event] = []
        rows: list[tuple[object, ...]] = []
        for position, (stream, event) in enumerate(pairs, end + 1):
            code, version = heads[stream]
            version += 1
            heads[stream] = (code, version)
            id_, type_, time, actor, reason = event.id, event.type, event.time, event.actor, event.reason
            rows.append((position, code, version, id_, type_, micros(time), payload(event), actor, reason))
            stored.append(
                Event(  # attrs.evolve says the same three times slower, and this runs once an event
                    id=id_,
                    type=type_,
                    time=time,
                    data=event.data,
                    stream=stream,
                    version=version,
                    position=position,
                    actor=actor,
                    reason=reason,
                )
            )
        db.executemany(INSERT, rows)
        self._end = end + len(stored)
        return stored

    def _forget_if_stale(self, db: sqlite3.Connection) -> None:
        """Drop what is remembered of heads when another connection has written to the file."""
        stamp = db.execute("PRAGMA data_version").fetchone()[0]
        if stamp != self._stamp or len(self._heads) > NAMES_KEPT:
            self._forget()
            self._stamp = stamp

    def _forget(self) -> None:
        self._heads.clear()
        self._end = None

    def _learn(self, db: sqlite3.Connection, names: Sequence[str]) -> None:
        """Remember code and version of streams, making those that are new (inside a transaction)."""
        for i in range(0, len(names), CHUNK):
            chunk = names[i : i + CHUNK]
            marks = ", ".join("?" * len(chunk))
            sql = f"SELECT s.name, s.code, ({HEAD}) FROM streams s WHERE s.name IN ({marks})"
            self._heads.update((name, (code, version)) for name, code, version in db.execute(sql, chunk))
            for name in sorted(set(chunk).difference(self._heads)):
                made = db.execute("INSERT INTO streams (name) VALUES (?)", (name,))
                self._heads[name] = (made.lastrowid or 0, 0)

    def _head(self, db: sqlite3.Connection, stream: str) -> int:
        found = db.execute(f"SELECT ({HEAD}) FROM streams s WHERE s.name = ?", (stream,)).fetchone()
        return 0 if found is None else int(found[0])

    def read(self, stream: str, *, after: int = 0, until: datetime | None = None) -> tuple[Event, ...]:
        """Events of a stream by version; see `EventStore.read`."""
        last = instant(until)
        with self._open() as db:
            rows = db.execute(
                f"SELECT {COLUMNS} {FROM} WHERE s.name = ? AND e.version > ? AND (? IS NULL OR e.time <= ?)"
                " ORDER BY e.version",
                (stream, after, last, last),
            ).fetchall()
        return tuple(map(decode, rows))

    def read_all(self, *, after: int = 0, limit: int | None = None) -> Iterator[Event]:
        """Events of all streams by position, fetched in pages; see `EventStore.read_all`."""
        with self._open() as db:
            end = db.execute("SELECT ifnull(max(position), 0) FROM events").fetchone()[0]
        return self._pages(max(after, 0), end if limit is None else min(end, max(after, 0) + limit))

    def _pages(self, after: int, end: int) -> Iterator[Event]:
        sql = f"SELECT {COLUMNS} {FROM} WHERE e.position > ? AND e.position <= ? ORDER BY e.position"
        for first in range(after, end, PAGE):
            with self._open() as db:
                rows = db.execute(sql, (first, min(first + PAGE, end))).fetchall()
            yield from map(decode, rows)

    def version(self, stream: str) -> int:
        """Version of the last event of a stream; 0 for an unknown stream."""
        with self._open() as db:
            return self._head(db, stream)

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of streams that start with `prefix`, sorted."""
        with self._open() as db:
            # Bytes of UTF-8 sort as code points do, so the names with a prefix are one range of the unique index.
            rows = db.execute(
                "SELECT name FROM streams WHERE name >= ?1 AND (?1 = '' OR name < ?1 || char(0x10FFFF)) ORDER BY name",
                (prefix,),
            ).fetchall()
        return tuple(name for (name,) in rows if name.startswith(prefix))

    def snapshot(self, stream: str, version: int, state: Mapping[str, object]) -> None:
        """Keep the state after `version` events; see `EventStore.snapshot`."""
        text = encode_state(state)
        with self._transaction() as db:
            check_version(version, self._head(db, stream))
            code = db.execute("SELECT code FROM streams WHERE name = ?", (stream,)).fetchone()[0]
            db.execute(
                "INSERT INTO snapshots VALUES (?, ?, ?) ON CONFLICT (stream) DO UPDATE"
                " SET version = excluded.version, state = excluded.state WHERE excluded.version >= version",
                (code, version, text),
            )

    def latest_snapshot(self, stream: str) -> Snapshot | None:
        """The newest snapshot of a stream, or None."""
        with self._open() as db:
            found = db.execute(
                "SELECT n.version, n.state FROM snapshots n JOIN streams s ON s.code = n.stream WHERE s.name = ?",
                (stream,),
            ).fetchone()
        return None if found is None else Snapshot(stream=stream, version=found[0], state=json.loads(found[1]))

    def erase(self, stream: str, redact: Redact) -> int:
        """Redact every payload of a stream and drop its snapshots; see `EventStore.erase` and the notes above."""
        with self._transaction() as db:
            rows: list[Row] = db.execute(f"SELECT {COLUMNS} {FROM} WHERE s.name = ?", (stream,)).fetchall()
            changed = redacted(rows, redact)
            db.executemany("UPDATE events SET data = ? WHERE position = ?", [(row[6], row[0]) for row in changed])
            db.execute("DELETE FROM snapshots WHERE stream = (SELECT code FROM streams WHERE name = ?)", (stream,))
        with self._open() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(changed)
