"""Tables of a SQLite store, and how a file of an older version is lifted to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from crmcore.errors import OutOfRange

__all__ = ["APPLICATION_ID", "MIGRATIONS", "migrate"]

APPLICATION_ID = 0x63726D63  # "crmc": tells our files from other SQLite files


def _first_schema(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE streams (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
    db.execute(
        "CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES streams,"
        " version INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, time INTEGER NOT NULL,"
        " data TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL)"
    )
    db.execute("CREATE UNIQUE INDEX events_by_stream ON events (stream, version)")
    db.execute("CREATE UNIQUE INDEX events_by_id ON events (id)")
    db.execute(
        "CREATE TABLE snapshots (stream INTEGER PRIMARY KEY REFERENCES streams,"
        " version INTEGER NOT NULL, state TEXT NOT NULL)"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_schema,)
"""Step i lifts a file from schema version i to i + 1; a released step is never edited, a new one is added."""


def migrate(db: sqlite3.Connection, steps: Sequence[Callable[[sqlite3.Connection], None]], /) -> int:
    """Lift a file to the newest schema in one transaction; returns the version it had.

    Raises
    ------
    OutOfRange
        The file was written by a newer crmcore, or is a SQLite file of something else.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        had = int(db.execute("PRAGMA user_version").fetchone()[0])
        owner = int(db.execute("PRAGMA application_id").fetchone()[0])
        foreign = owner == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if foreign or owner not in (0, APPLICATION_ID):
            raise OutOfRange("path", "a file of another application", "a new file or a crmcore store", "name another")
        if had > len(steps):
            raise OutOfRange("schema version", had, f"0 to {len(steps)}", "install the newer crmcore that wrote it")
        for step in steps[had:]:
            step(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(steps)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return had
