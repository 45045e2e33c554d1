"""SqliteStore and MemoryStore are one function of the calls made, however calls are cut and repeated."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import DuplicateIds, StoreConflict
from crmcore.stores import Event, EventStore, MemoryStore, SqliteStore

START = datetime(2026, 1, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.builds(
    lambda i, stream, hours, value: Event(
        id=f"{stream}-{i}" if i < 28 else f"shared-{i}",
        type="x",
        stream=stream,
        time=START + timedelta(hours=hours),
        data={"v": value},
    ),
    st.integers(0, 30),
    st.sampled_from(["a", "b", "ค"]),
    st.integers(-50, 50),
    JSON,
)
CALLS = st.lists(
    st.tuples(
        st.lists(EVENTS, max_size=6), st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 4), max_size=1)
    ),
    max_size=8,
)


def outcome(store: EventStore, events: list[Event], expected: dict[str, int]) -> object:
    try:
        return store.append_many(events, expected=expected)
    except (StoreConflict, DuplicateIds) as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(CALLS)
def test_sqlite_and_memory_answer_every_sequence_of_calls_alike(
    calls: list[tuple[list[Event], dict[str, int]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "a.db") as disk, MemoryStore() as memory:
        for events, expected in calls:
            assert outcome(disk, events, expected) == outcome(memory, events, expected)
        assert list(disk.read_all()) == list(memory.read_all())
        assert disk.streams() == memory.streams()
        for stream in disk.streams():
            assert disk.read(stream, until=START) == memory.read(stream, until=START)
            assert disk.version(stream) == memory.version(stream) == len(disk.read(stream))


@settings(max_examples=40, deadline=None)
@given(st.lists(EVENTS.filter(lambda e: not e.id.startswith("shared")), max_size=20), st.integers(0, 20))
def test_one_call_two_calls_and_repeated_calls_store_the_same(events: list[Event], cut: int) -> None:
    once, cut_up = MemoryStore(), MemoryStore()
    once.append_many(events)
    cut_up.append_many(events[:cut])
    cut_up.append_many(events[cut:])
    cut_up.append_many(events)
    assert list(once.read_all()) == list(cut_up.read_all())
