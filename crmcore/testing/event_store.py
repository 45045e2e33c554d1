"""What every event store must do, as checks that any implementation can be put through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone

from crmcore.errors import CrmError, DuplicateIds, NaiveDatetime, OutOfRange, StoreClosed, StoreConflict, WrongType
from crmcore.stores.contract import Event, EventStore
from crmcore.testing.checks import check_named, expect

__all__ = ["check_event_store"]

DAY_1 = datetime(2026, 5, 1, 9, tzinfo=UTC)
Make = Callable[[], EventStore]
Reopen = Callable[[EventStore], EventStore]


def check_event_store(make: Make, *, reopen: Reopen | None = None) -> list[Callable[[], None]]:
    """Checks that an event store keeps the contract of `crmcore.stores.EventStore`.

    Parameters
    ----------
    make : callable
        Makes a new, empty store at each call.
    reopen : callable, optional
        For stores that outlive their process: gets a closed store, returns a new one over the same events.

    Returns
    -------
    list of callables
        Each takes no argument, has a name that says its claim, and raises AssertionError where the claim is false.

    Examples
    --------
    >>> from crmcore.stores import MemoryStore
    >>> for check in check_event_store(MemoryStore):
    ...     check()
    """
    checks = [_bind(claim, make) for claim in CLAIMS]
    if reopen is not None:
        checks += [_bind_reopen(claim, make, reopen) for claim in LASTING_CLAIMS]
    return checks


def _bind(claim: Callable[[EventStore], None], make: Make) -> Callable[[], None]:
    def check() -> None:
        with make() as store:
            claim(store)

    return check_named(check, claim.__name__.lstrip("_"))


def _bind_reopen(claim: Callable[[EventStore, Reopen], None], make: Make, reopen: Reopen) -> Callable[[], None]:
    def check() -> None:
        claim(make(), reopen)

    return check_named(check, claim.__name__.lstrip("_"))


def _same(got: object, wanted: object, claim: str) -> None:
    expect(got == wanted, f"{claim}: got {got!r}, expected {wanted!r}")


def _refused(call: Callable[[], object], error: type[CrmError], claim: str) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"{claim}: expected {error.__name__}")


def _note(id_: str, *, day: int = 1, stream: str = "", **data: object) -> Event:
    time = DAY_1 + timedelta(days=day - 1)
    return Event(id=id_, type="note", time=time, stream=stream, data=data, actor="clerk 4", reason="asked")


def _add_then_read_is_the_same(store: EventStore) -> None:
    added = store.append("a", [_note("1", text="x"), _note("2", text="y")])
    _same([e.version for e in added], [1, 2], "versions start at 1 and have no gaps")
    _same(store.read("a"), added, "what append returned is what read returns")
    _same((added[0].stream, added[0].actor, added[0].reason), ("a", "clerk 4", "asked"), "who and why are kept")
    _same(store.version("a"), 2, "version is that of the last event")
    _same(store.append("a", []), (), "nothing to add is fine")


def _unknown_stream_is_empty(store: EventStore) -> None:
    _same((store.read("nobody"), store.version("nobody"), store.streams()), ((), 0, ()), "an unknown stream is empty")
    _same(store.latest_snapshot("nobody"), None, "an unknown stream has no snapshot")
    _same(store.erase("nobody", lambda data: {}), 0, "erasing nothing is fine")


def _order_is_the_order_of_writing(store: EventStore) -> None:
    store.append("b", [_note("1", day=9)])
    store.append_many([_note("2", day=1, stream="a"), _note("3", day=5, stream="b")])
    got = list(store.read_all())
    _same([e.id for e in got], ["1", "2", "3"], "read_all follows the order of writing, not of event time")
    expect(got[0].position < got[1].position < got[2].position, "positions rise")
    _same([e.id for e in store.read_all(after=got[0].position, limit=1)], ["2"], "after and limit page through")
    _same([e.id for e in store.read("b", after=1)], ["3"], "read goes on after a version")
    _same(list(store.read_all(after=got[2].position)), [], "nothing after the end")


def _stale_writer_is_refused(store: EventStore) -> None:
    store.append("a", [_note("1")], expected=0)
    _refused(lambda: store.append("a", [_note("2")], expected=0), StoreConflict, "a writer who has not seen event 1")
    _refused(lambda: store.append("b", [_note("3")], expected=4), StoreConflict, "a stream shorter than expected")
    _same((store.version("a"), store.streams()), (1, ("a",)), "a refused call leaves no trace")
    _same(store.append("a", [_note("2")], expected=1)[0].version, 2, "a writer who has seen event 1 may write")


def _call_is_whole_or_nothing(store: EventStore) -> None:
    store.append("a", [_note("1")])
    mixed = [_note("2", stream="a"), _note("3", stream="b")]
    _refused(lambda: store.append_many(mixed, expected={"b": 7}), StoreConflict, "one stale stream refuses the call")
    bad = [_note("4", stream="b"), _note("5", stream="b", value=object())]
    _refused(lambda: store.append_many(bad), WrongType, "a payload that is not JSON refuses the call")
    _same([e.id for e in store.read_all()], ["1"], "nothing of a refused call is kept")
    store.append_many(mixed, expected={"a": 1, "b": 0})
    _same((store.version("a"), store.version("b")), (2, 1), "the same call with true versions is kept whole")


def _same_id_again_changes_nothing(store: EventStore) -> None:
    first = store.append("a", [_note("1", text="x")], expected=0)
    again = store.append("a", [_note("1", text="other")], expected=0)
    _same(again, first, "a repeated call returns what is stored, although the stream has moved on")
    both = store.append("a", [_note("1"), _note("2"), _note("2")])
    _same([e.version for e in both], [1, 2, 2], "new events among repeated ones are stored once, in the order given")
    _same(store.version("a"), 2, "repeated ids add nothing")
    _refused(lambda: store.append("b", [_note("1")]), DuplicateIds, "an id of another stream")
    _refused(lambda: store.append("a", [_note("2"), _note("3")], expected=1), StoreConflict, "new events need expected")


def _as_of_reads_what_had_happened(store: EventStore) -> None:
    store.append("a", [_note("1", day=1, text="first"), _note("2", day=3, text="second")])
    bangkok = timezone(timedelta(hours=7))
    until = (DAY_1 + timedelta(days=1)).astimezone(bangkok)
    _same([e.data for e in store.read("a", until=until)], [{"text": "first"}], "as of day 2")
    _same(len(store.read("a", until=DAY_1 + timedelta(days=2))), 2, "until is inclusive")
    _same(store.read("a", until=DAY_1 - timedelta(microseconds=1)), (), "before the first event")
    _refused(lambda: store.read("a", until=datetime(2026, 5, 1)), NaiveDatetime, "naive until")  # noqa: DTZ001


def _time_keeps_its_microsecond(store: EventStore) -> None:
    times = [datetime(1957, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 5, 1, 23, 59, 59, 999_999, tzinfo=UTC)]
    store.append("a", [Event(id=str(t), type="x", time=t) for t in times])
    _same([e.time for e in store.read("a")], times, "times, also before 1970")
    expect(all(e.time.tzinfo is UTC for e in store.read("a")), "times come back in UTC")


def _any_text_survives(store: EventStore) -> None:
    words = [
        "ลูกค้าคนสำคัญ",
        "naïve café",
        "😀👩‍👩‍👧",
        "a\x00b",
        "line\nbreak",
        "'; DROP TABLE events; --",
        "%_*",
        "\u202etxt",
    ]
    data: dict[str, object] = {w: [w, {"deep": [w, None, True, 1.5, -(10**15)]}] for w in words}
    store.append("ลูกค้า:7'%", [Event(id="นี่", type="x", time=DAY_1, data=data)])
    _same(store.read("ลูกค้า:7'%")[0].data, data, "payload")
    _same(store.streams("ลูกค้า"), ("ลูกค้า:7'%",), "stream name")
    _refused(lambda: store.append("a", [_note("x", text="\ud800")]), OutOfRange, "half a character")
    _refused(lambda: store.append("\udfff", [_note("z")]), OutOfRange, "half a character in a name")
    _refused(lambda: store.append("a", [_note("\udfff")]), OutOfRange, "half a character in an id")
    _refused(lambda: store.append("a", [_note("y", score=float("nan"))]), OutOfRange, "NaN")


def _large_payload_survives(store: EventStore) -> None:
    data: dict[str, object] = {"text": "ก" * 1_000_000, "list": list(range(20_000))}
    store.append("a", [Event(id="1", type="x", time=DAY_1, data=data)])
    _same(store.read("a")[0].data == data, True, "a payload of 3 MB")


def _long_history_survives(store: EventStore) -> None:
    store.append_many([_note(str(i), stream=f"s{i % 7}", n=i) for i in range(10_000)])
    _same([e.data["n"] for e in store.read_all()], list(range(10_000)), "10,000 events in order")
    _same([e.version for e in store.read("s3")], list(range(1, store.version("s3") + 1)), "versions have no gaps")


def _history_cannot_be_changed_from_outside(store: EventStore) -> None:
    data: dict[str, object] = {"tags": ["vip"]}
    store.append("a", [Event(id="1", type="x", time=DAY_1, data=data)])
    data["tags"] = "gone"
    read = store.read("a")[0].data
    if isinstance(read, dict):
        read.clear()
    _same(store.read("a")[0].data, {"tags": ["vip"]}, "changing what was written or read changes no history")


def _prefix_finds_streams(store: EventStore) -> None:
    names = ["case:1", "case:10", "case;", "Case:1", "customer:1", "case:%"]
    store.append_many([_note(name, stream=name) for name in names])
    _same(store.streams("case:"), ("case:%", "case:1", "case:10"), "streams of a prefix, sorted")
    _same(store.streams(), tuple(sorted(names)), "all streams, sorted")


def _newest_snapshot_wins(store: EventStore) -> None:
    store.append("a", [_note(str(i)) for i in range(5)])
    store.snapshot("a", 4, {"points": 40})
    store.snapshot("a", 2, {"points": 20})
    kept = store.latest_snapshot("a")
    expect(kept is not None and (kept.version, kept.state) == (4, {"points": 40}), "the newest snapshot is kept")
    _refused(lambda: store.snapshot("a", 6, {}), OutOfRange, "a snapshot of events that do not exist")


def _erase_keeps_only_the_skeleton(store: EventStore) -> None:
    before = store.append("a", [_note("1", name="Anna", amount=3), _note("2", amount=4)])
    store.append("b", [_note("3", name="Bo")])
    store.snapshot("a", 2, {"name": "Anna"})

    def redact(data: Mapping[str, object]) -> Mapping[str, object]:
        return {k: v for k, v in data.items() if k != "name"}

    _same(store.erase("a", redact), 1, "only payloads that change are counted")
    after = store.read("a")
    _same([e.data for e in after], [{"amount": 3}, {"amount": 4}], "payloads are redacted")
    skeleton = [(e.id, e.type, e.time, e.version, e.position, e.actor, e.reason) for e in after]
    _same(skeleton, [(e.id, e.type, e.time, e.version, e.position, e.actor, e.reason) for e in before], "the skeleton")
    _same(store.latest_snapshot("a"), None, "snapshots of the stream are dropped")
    _same(store.read("b")[0].data, {"name": "Bo"}, "other streams are left alone")
    _same(store.append("a", [_note("1", name="Anna")])[0].data, {"amount": 3}, "a late copy does not bring data back")
    _same(store.erase("a", redact), 0, "erasing again is harmless")


def _failed_erase_changes_nothing(store: EventStore) -> None:
    store.append("a", [_note("1", n=1), _note("2", n=2)])
    _refused(lambda: store.erase("a", lambda d: {"n": object()} if d["n"] == 2 else {}), WrongType, "bad redaction")
    _same([e.data for e in store.read("a")], [{"n": 1}, {"n": 2}], "a failed erasure changes nothing")


def _threads_do_not_lose_events(store: EventStore) -> None:
    failed: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            for i in range(50):
                store.append("shared", [_note(f"{worker}-{i}")])
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the check
            failed.append(error)

    threads = [threading.Thread(target=write, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _same(failed, [], "threads may share a store")
    _same([e.version for e in store.read("shared")], list(range(1, 201)), "200 events of 4 threads")


def _closed_store_refuses(store: EventStore) -> None:
    store.append("a", [_note("1")])
    store.close()
    store.close()
    for call in (lambda: store.append("a", [_note("2")]), lambda: store.read("a"), lambda: store.version("a")):
        _refused(call, StoreClosed, "a closed store")


CLAIMS: tuple[Callable[[EventStore], None], ...] = (
    _add_then_read_is_the_same,
    _unknown_stream_is_empty,
    _order_is_the_order_of_writing,
    _stale_writer_is_refused,
    _call_is_whole_or_nothing,
    _same_id_again_changes_nothing,
    _as_of_reads_what_had_happened,
    _time_keeps_its_microsecond,
    _any_text_survives,
    _large_payload_survives,
    _long_history_survives,
    _history_cannot_be_changed_from_outside,
    _prefix_finds_streams,
    _newest_snapshot_wins,
    _erase_keeps_only_the_skeleton,
    _failed_erase_changes_nothing,
    _threads_do_not_lose_events,
    _closed_store_refuses,
)


def _events_outlive_the_store(store: EventStore, reopen: Reopen) -> None:
    with store:
        kept = store.append_many([_note("1", stream="a", text="ก"), _note("2", stream="b")])
        store.snapshot("a", 1, {"n": 1})
    with reopen(store) as again:
        _same(tuple(again.read_all()), kept, "events are there after reopening")
        expect(again.latest_snapshot("a") is not None, "snapshots are there after reopening")
        _same(again.append("a", [_note("1")])[0], kept[0], "ids are known after reopening")
        more = again.append("a", [_note("3")], expected=1)
        expect(more[0].position > kept[-1].position, "positions go on rising after reopening")


def _erasure_outlives_the_store(store: EventStore, reopen: Reopen) -> None:
    with store:
        store.append("a", [_note("1", name="Anna")])
        store.erase("a", lambda _data: {})
    with reopen(store) as again:
        _same(again.read("a")[0].data, {}, "redacted payloads stay redacted")


LASTING_CLAIMS: tuple[Callable[[EventStore, Reopen], None], ...] = (
    _events_outlive_the_store,
    _erasure_outlives_the_store,
)
