"""The built-in stores keep the contract; SqliteStore also survives SIGKILL, other writers and foreign files."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import attrs
import pytest

from crmcore.errors import EmptyInput, NaiveDatetime, OutOfRange, StoreClosed, StoreConflict, WrongType
from crmcore.stores import Event, EventStore, MemoryStore, SqliteStore
from crmcore.stores.sqlite import MIGRATIONS, migrate
from crmcore.testing import check_event_store

WHEN = datetime(2026, 5, 1, tzinfo=UTC)
FOLDER = tempfile.TemporaryDirectory()
NUMBERS = count()


def fresh() -> SqliteStore:
    return SqliteStore(Path(FOLDER.name) / f"{next(NUMBERS)}.db")


def reopened(store: EventStore) -> SqliteStore:
    assert isinstance(store, SqliteStore)
    return SqliteStore(store.path)


def event(id_: str, **data: object) -> Event:
    return Event(id=id_, type="x", time=WHEN, data=data)


@pytest.mark.parametrize("check", check_event_store(MemoryStore), ids=lambda c: c.__name__)
def test_memory_store_keeps_the_contract(check: Callable[[], None]) -> None:
    check()


@pytest.mark.parametrize("check", check_event_store(fresh, reopen=reopened), ids=lambda c: c.__name__)
def test_sqlite_store_keeps_the_contract(check: Callable[[], None]) -> None:
    check()


def test_the_checks_find_a_store_that_is_not_idempotent() -> None:
    class Forgetful(MemoryStore):
        def append(self, stream, events, *, expected=None):  # type: ignore[no-untyped-def]
            return super().append(
                stream, [attrs.evolve(e, id=f"{e.id}/{next(NUMBERS)}") for e in events], expected=expected
            )

    checks = {check.__name__: check for check in check_event_store(Forgetful)}
    with pytest.raises(AssertionError):
        checks["erase_keeps_only_the_skeleton"]()
    with pytest.raises(StoreConflict):
        checks["same_id_again_changes_nothing"]()


def test_both_stores_fulfil_the_protocol() -> None:
    with fresh() as store:
        assert isinstance(store, EventStore)
    assert isinstance(MemoryStore(), EventStore)


WRITER = """
import sys
from datetime import UTC, datetime
from crmcore.stores import Event, SqliteStore
when = datetime(2026, 5, 1, tzinfo=UTC)
store = SqliteStore(sys.argv[1])
call = 0
while True:
    events = [Event(id=f"{call}-{i}", type="x", time=when, data={"call": call, "i": i, "pad": "p" * 200},
                    stream=f"s{i % 5}") for i in range(37)]
    store.append_many(events)
    print(call, flush=True)
    call += 1
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("acks", [3, 40, 150])
def test_acknowledged_events_survive_sigkill_and_no_half_call_does(tmp_path: Path, acks: int) -> None:
    path = tmp_path / "a.db"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(acks)]
        time.sleep(0.0007 * (acks % 7))
        process.send_signal(signal.SIGKILL)  # in the middle of some write: the loop does nothing else
        seen += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL
    assert seen == list(range(len(seen)))
    with SqliteStore(path) as store:
        kept = [(e.data["call"], e.data["i"]) for e in store.read_all()]
        whole = len(kept) // 37
        assert whole >= len(seen) >= acks, "an acknowledged call is lost"
        assert kept == [(c, i) for c in range(whole) for i in range(37)], "a half call, or a wrong order"
        for stream in store.streams():
            assert [e.version for e in store.read(stream)] == list(range(1, store.version(stream) + 1))
        store.append("s0", [event("after")])
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_two_connections_share_one_file_and_see_each_other(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db") as one, SqliteStore(tmp_path / "a.db") as two:
        for i in range(20):
            (one, two)[i % 2].append("s", [event(f"e{i}")], expected=i)
            (two, one)[i % 2].append(f"own {i}", [event(f"f{i}")])
        assert [e.id for e in one.read("s")] == [f"e{i}" for i in range(20)]
        assert [e.position for e in two.read_all()] == list(range(1, 41))
        with pytest.raises(StoreConflict, match="is at version 20: expected 19"):
            two.append("s", [event("late")], expected=19)


def test_redacted_bytes_leave_the_file(tmp_path: Path) -> None:
    secret = "Annabelle-Quicksilver"
    with SqliteStore(tmp_path / "a.db") as store:
        store.append("a", [event(str(i), name=secret, n=i) for i in range(50)])
        store.snapshot("a", 50, {"name": secret})
        assert secret.encode() in b"".join(p.read_bytes() for p in tmp_path.iterdir())
        store.erase("a", lambda data: {"n": data["n"]})
        assert secret.encode() not in b"".join(p.read_bytes() for p in tmp_path.iterdir())


def test_a_new_schema_lifts_an_old_file_once(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db") as store:
        store.append("a", [event("1")])
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    steps = (*MIGRATIONS, lambda c: c.execute("ALTER TABLE events ADD COLUMN note TEXT"))
    assert migrate(db, steps) == 1
    assert migrate(db, steps) == 2
    assert db.execute("SELECT note FROM events").fetchall() == [(None,)]
    db.close()
    with pytest.raises(OutOfRange, match="schema version = 2: expected 0 to 1"):
        SqliteStore(tmp_path / "a.db")


def test_a_failed_migration_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "a.db").close()
    db = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    steps = (*MIGRATIONS, lambda c: c.execute("DROP TABLE snapshots"), lambda c: c.execute("nonsense"))
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, steps)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert db.execute("SELECT count(*) FROM snapshots").fetchone() == (0,)
    db.close()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "other.db")
    db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(OutOfRange, match="another application"):
        SqliteStore(tmp_path / "other.db")
    with pytest.raises(OutOfRange, match="MemoryStore"):
        SqliteStore(":memory:")


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_durability_sets_how_long_a_write_waits(tmp_path: Path, durability: str, level: int) -> None:
    with SqliteStore(tmp_path / "a.db", durability=durability) as store, store._open() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (level,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_reprs_hold_no_personal_data(tmp_path: Path) -> None:
    note = Event(id="1", type="note", time=WHEN, data={"name": "Anna"}, reason="Anna called")
    assert "Anna" not in repr(note)
    assert "{name}" in repr(note)
    with SqliteStore(tmp_path / "a.db") as store:
        store.append("a", [note])
        assert repr(store) == "SqliteStore('a.db', durability='process')"
        store.snapshot("a", 1, {"name": "Anna"})
        assert "Anna" not in repr(store.latest_snapshot("a"))


def test_bad_events_say_what_is_wrong() -> None:
    store = MemoryStore()
    with pytest.raises(NaiveDatetime, match="time is a naive"):
        Event(id="1", type="x", time=datetime(2026, 5, 1))
    with pytest.raises(WrongType, match=r"data\['a'\]\[0\] is tuple: expected a JSON value"):
        store.append("a", [event("1", a=[()])])
    with pytest.raises(WrongType, match="a key of data is int"):
        store.append("a", [Event(id="1", type="x", time=WHEN, data={1: 2})])  # type: ignore[dict-item]
    with pytest.raises(EmptyInput, match=r"Event\.id is empty"):
        store.append("a", [event("")])
    with pytest.raises(EmptyInput, match="stream is empty"):
        store.append_many([event("1")])
    with pytest.raises(OutOfRange, match=r"Event\.stream"):
        store.append("a", [Event(id="1", type="x", time=WHEN, stream="b")])
    store.close()
    with pytest.raises(StoreClosed, match="MemoryStore is closed"):
        store.read("a")


def test_events_pickle() -> None:
    note = event("1", a=1)
    assert pickle.loads(pickle.dumps(note)) == note


def test_importing_stores_loads_no_numpy() -> None:
    code = "import json, sys, crmcore.stores; print(json.dumps([m in sys.modules for m in ('numpy', 'sqlite3')]))"
    root = Path(__file__).parents[3]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(out.stdout) == [False, False]
