"""Cases in a store: the same tests in memory and on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, StoreConflict, UnknownName
from crmcore.lifecycle import (
    Accepted,
    Cases,
    Command,
    IllegalCommand,
    Refused,
    Timer,
    Transition,
    UnmappedStates,
    Why,
    Workflow,
    redact,
    replay,
)
from crmcore.lifecycle.examples import complaint, deal
from crmcore.rules import Facts, Rule, field
from crmcore.stores import Event, EventStore, MemoryStore, SqliteStore

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    with MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "cases.db") as made:
        yield made


def sent(name: str, hours: float = 1, id: str = "", role: str = "agent", **data: object) -> Command:
    return Command(name, data, actor="anna", role=role, at=AT + hours * HOUR, id=id or f"{name}-{hours}")


def test_a_case_is_opened_handled_read_and_told(store: EventStore) -> None:
    cases = Cases(store, [complaint(), deal()])
    cases.open("complaint", "k7", at=AT, data={"topic": "late"}, actor="portal")
    solved = cases.handle("k7", sent("resolve", 2, cause="courier"))
    assert isinstance(solved, Accepted)
    assert solved.event.position == 2
    assert cases.read("k7") == solved.case == replay(store.read("case:k7"), workflows=[complaint()])
    assert cases.read("k7", at=AT + HOUR).state == "open"
    assert "resolved: open -> resolved after 2 h by anna as agent" in str(cases.history("k7"))
    assert cases.ids() == ("k7",)
    assert [c.id for c in cases] == ["k7"]


def test_a_command_sent_again_gives_the_answer_of_the_first_time_and_keeps_nothing(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    cases.open("complaint", "k7", at=AT)
    first = cases.handle("k7", sent("ask", 1, "m1"))
    cases.handle("k7", sent("answer", 2, "m2", role="customer"))
    again = cases.handle("k7", sent("ask", 1, "m1"))
    assert again == first
    assert again.case.state == "waiting"
    later = cases.handle("k7", attrs.evolve(sent("ask", 1, "m1"), at=AT + 3 * HOUR))
    assert later == first, "the id tells, not what else it carries"
    assert [e.id for e in store.read("case:k7")] == ["case:k7/opened", "m1", "m2"]
    note = cases.handle("k7", sent("note", 4, "m3"))
    assert cases.handle("k7", sent("note", 4, "m3")) == note
    assert store.version("case:k7") == 4


def test_a_recorded_refusal_is_repeated_as_a_refusal(store: EventStore) -> None:
    cases = Cases(store, [complaint()], record_refusals=True)
    cases.open("complaint", "k7", at=AT)
    first = cases.handle("k7", sent("confirm", 1, "m1", role="customer"))
    assert isinstance(first, Refused)
    again = cases.handle("k7", sent("confirm", 1, "m1", role="customer"))
    assert isinstance(again, Refused)
    assert (again.why, again.reasons, again.allowed, again.case) == (
        Why.STATE,
        first.reasons,
        first.allowed,
        first.case,
    )
    assert store.version("case:k7") == 2
    assert cases.history("k7").steps[-1].refused == first.reasons


def test_an_unrecorded_refusal_keeps_nothing(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    cases.open("complaint", "k7", at=AT)
    assert not cases.handle("k7", sent("confirm", role="customer")).accepted
    assert store.version("case:k7") == 1


def test_opening_again_changes_nothing_and_another_workflow_is_an_error(store: EventStore) -> None:
    cases = Cases(store, [complaint(), deal()])
    first = cases.open("complaint", "k7", at=AT, data={"topic": "late"})
    cases.handle("k7", sent("ask"))
    assert cases.open("complaint", "k7", at=AT + HOUR, data={"topic": "other"}) == first
    with pytest.raises(DuplicateIds, match="it runs on 'complaint': choose another id"):
        cases.open("deal", "k7", at=AT)


def test_an_opening_with_an_id_of_its_own_is_told_from_that_of_somebody_else(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    first = cases.open("complaint", "k7", at=AT, data={"topic": "late"}, actor="portal", id="click-1")
    assert first.event.id == "click-1"
    cases.handle("k7", sent("resolve", 1, cause="courier"))
    assert cases.open("complaint", "k7", at=AT, actor="portal", id="click-1") == first
    assert cases.open("complaint", "k7", at=AT + HOUR) == first, "who names no id asks for a case that is open"
    with pytest.raises(IllegalCommand) as caught:
        cases.open("complaint", "k7", at=AT + HOUR, actor="c7", role="customer", id="click-9")
    assert str(caught.value) == (
        "command 'open' was refused for 'customer' on 'k7', which is 'resolved': it was opened before.\n"
        "  allowed here: ['reopen', 'confirm', 'note']\n"
        "  hint: did you mean 'reopen'?"
    )
    assert store.version("case:k7") == 2
    with pytest.raises(DuplicateIds):
        cases.open("complaint", "k8", at=AT, id="click-1")
    assert cases.ids() == ("k7",)


class Faster:
    """A store in which somebody else opens the case between the reading and the writing."""

    def __init__(self, inner: EventStore, other: str) -> None:
        self.inner, self.other = inner, other

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def append(self, stream: str, events: Iterable[Event], *, expected: int | None = None) -> tuple[Event, ...]:
        Cases(self.inner, [complaint()]).open("complaint", "k7", at=AT, actor="other", id=self.other)
        return self.inner.append(stream, events, expected=expected)


@pytest.mark.parametrize(("own", "other"), [("", ""), ("a", "a"), ("", "b")])
def test_of_two_who_open_a_case_at_once_one_opens_it(store: EventStore, own: str, other: str) -> None:
    made = Cases(Faster(store, other), [complaint()]).open("complaint", "k7", at=AT, actor="me", id=own)
    assert (made.event.actor, store.version("case:k7")) == ("other", 1)


def test_of_two_who_open_a_case_at_once_by_other_clicks_the_later_is_refused(store: EventStore) -> None:
    with pytest.raises(IllegalCommand, match="it was opened before"):
        Cases(Faster(store, "b"), [complaint()]).open("complaint", "k7", at=AT, actor="me", id="a")
    assert store.version("case:k7") == 1


def test_late_commands_follow_where_clocks_of_senders_differ(store: EventStore) -> None:
    strict, lenient = Cases(store, [complaint()]), Cases(store, [complaint()], late="follow")
    strict.open("complaint", "k7", at=AT)
    strict.handle("k7", sent("ask", 2))
    late = sent("answer", 1, "m1", role="customer")
    refused = strict.handle("k7", late)
    assert isinstance(refused, Refused)
    assert refused.why is Why.TIME
    done = lenient.handle("k7", late)
    assert (done.case.state, done.case.at) == ("open", AT + 2 * HOUR)
    assert done.events[-1].data["dated"] == (AT + HOUR).isoformat()
    assert lenient.handle("k7", late) == done, "again is once"
    assert lenient.read("k7") == replay(store.read("case:k7"), workflows=[complaint()])
    assert "dated" not in lenient.handle("k7", sent("note", 2)).events[-1].data
    assert not lenient.handle("k7", sent("confirm", 1)).accepted, "what is not possible stays so"
    with pytest.raises(UnknownName, match=r"unknown late 'folow'[\s\S]*did you mean 'follow'"):
        Cases(store, [complaint()], late="folow")


def test_unknown_names_are_told_with_the_nearest(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    cases.open("complaint", "case-17", at=AT)
    with pytest.raises(UnknownName, match="did you mean 'complaint'"):
        cases.open("complant", "k8", at=AT)
    with pytest.raises(UnknownName, match="unknown case 'case-71': expected one of \\['case-17'\\]"):
        cases.read("case-71")
    with pytest.raises(UnknownName, match="unknown case by 2026-05-04T08:00"):
        cases.read("case-17", at=AT - HOUR)
    with pytest.raises(EmptyInput, match="workflows is empty"):
        Cases(store, [])
    with pytest.raises(OutOfRange, match="two that say 'deal 1'"):
        Cases(store, [deal(), attrs.evolve(deal(), terminal=["won"])])


def test_fire_keeps_what_fell_due_once_whoever_asks(store: EventStore) -> None:
    one, two = Cases(store, [complaint()]), Cases(store, [complaint()])
    for i in range(3):
        one.open("complaint", f"k{i}", at=AT + i * HOUR)
    assert [d.case_id for d in one.due(AT + 25 * HOUR)] == ["k0", "k1"]
    told: list[tuple[str, int, int]] = []
    fired = one.fire(AT + 25 * HOUR, progress=lambda *what: told.append(what))
    assert told == [("fire timers", 1, 2), ("fire timers", 2, 2)]
    assert [(e.stream, e.time) for e in fired] == [("case:k0", AT + 24 * HOUR), ("case:k1", AT + 25 * HOUR)]
    assert two.fire(AT + 25 * HOUR) == ()
    assert len(two.fire(AT + 99 * HOUR)) == 1
    assert one.due(AT + 99 * HOUR) == ()


def test_a_command_keeps_the_timers_before_it_in_the_same_call(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    cases.open("complaint", "k7", at=AT)
    done = cases.handle("k7", sent("ask", 30))
    assert [e.type for e in done.events] == ["escalated", "customer asked"]
    assert [e.version for e in done.events] == [2, 3]
    refused = cases.handle("k7", sent("confirm", 31))
    assert not refused.accepted


def test_cases_held_in_memory_are_looked_at_again_when_somebody_else_wrote(store: EventStore) -> None:
    quick, other = Cases(store, [complaint()], recent=2), Cases(store, [complaint()])
    for i in range(4):
        quick.open("complaint", f"k{i}", at=AT)
        quick.handle(f"k{i}", sent("ask", 1, f"a{i}"))
    other.handle("k3", sent("answer", 2, "m2", role="customer"))
    late = quick.handle("k3", sent("answer", 3, "m3", role="customer"))
    assert not late.accepted
    assert late.case.state == "open"
    assert quick.handle("k3", sent("answer", 2, "m2", role="customer")) == other.handle(
        "k3", sent("answer", 2, "m2", role="customer")
    )
    other.handle("k3", sent("note", 3, "m4", text="x"))
    assert quick.handle("k3", sent("note", 3, "m4", text="x")).case.version == 4, "the same command by another desk"
    assert quick.handle("k3", sent("ask", 4, "m5")).case.version == 5
    quick.forget()
    assert quick.handle("k3", sent("note", 5, "m6")).case == quick.read("k3")
    with pytest.raises(OutOfRange, match="recent = -1"):
        Cases(store, [complaint()], recent=-1)


class Busy:
    """A store to which somebody else writes between the reading and the writing of a command."""

    def __init__(self, inner: EventStore, times: int) -> None:
        self.inner, self.times = inner, times

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def _disturb(self) -> None:
        if self.times:
            self.times -= 1
            event = Event(id=f"other-{self.times}", type="mail sent", time=AT)
            self.inner.append("case:k7", [event])

    def append(self, stream: str, events: Iterable[Event], *, expected: int | None = None) -> tuple[Event, ...]:
        if expected:
            self._disturb()
        return self.inner.append(stream, events, expected=expected)

    def append_many(self, events: Iterable[Event], *, expected: dict[str, int] | None = None) -> tuple[Event, ...]:
        self._disturb()
        return self.inner.append_many(events, expected=expected)


def test_when_somebody_was_faster_the_command_is_decided_anew_and_after_five_times_it_surfaces(
    store: EventStore,
) -> None:
    cases = Cases(Busy(store, 4), [complaint()])
    cases.open("complaint", "k7", at=AT)
    done = cases.handle("k7", sent("ask"))
    assert done.case.version == 6
    busy = Cases(Busy(store, 50), [complaint()])
    with pytest.raises(StoreConflict, match="is at version"):
        busy.handle("k7", sent("answer", 2, role="customer"))
    with pytest.raises(StoreConflict, match="is at version"):
        busy.fire(AT + 99 * HOUR)


def test_two_threads_that_handle_one_case_lose_nothing(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    cases.open("complaint", "k7", at=AT)
    failed: list[BaseException] = []

    def work(who: str) -> None:
        try:
            for i in range(15):
                while True:
                    try:
                        cases.handle("k7", sent("note", 1, f"{who}-{i}"))
                        break
                    except StoreConflict:
                        continue
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert store.version("case:k7") == 31
    assert len({e.id for e in store.read("case:k7")}) == 31


def test_states_of_cases_beside_are_facts_and_guard_against_a_stale_view(store: EventStore) -> None:
    problem, feelings = complaint(), Workflow(
        "feelings", 1, ["hurt", "calm"], "hurt",
        [Transition("calm", "hurt", "calm"), Transition("hurt", "calm", "hurt")],
    )  # fmt: skip
    whole = Workflow(
        "recovery", 1, ["open", "recovered"], "open",
        [
            Transition(
                "close", "open", "recovered",
                guard=Rule("both", field("problem").isin(["resolved", "closed"]) & (field("feelings") == "calm")),
            )
        ],
        terminal="recovered",
    )  # fmt: skip
    cases = Cases(store, [problem, feelings, whole])
    for name, flow in (("k7", "recovery"), ("k7-problem", "complaint"), ("k7-feelings", "feelings")):
        cases.open(flow, name, at=AT)
    beside = {"problem": "k7-problem", "feelings": "k7-feelings"}
    cases.handle("k7-problem", sent("resolve", 1, cause="box"))
    refused = cases.handle("k7", sent("close", 2), beside=beside)
    assert not refused.accepted, "solved, and still hurt"
    cases.handle("k7-feelings", sent("calm", 3))
    assert cases.handle("k7", sent("close", 4), beside=beside, facts=Facts({"x": 1})).case.state == "recovered"


def test_facts_may_be_made_for_each_case(store: EventStore) -> None:
    flow = Workflow("w", 1, ["a", "b"], "a", [Transition("go", "a", "b", guard=Rule("own", field("mine").is_true()))],
                    [Timer("t", "a", "go", after_minutes=5)], "b")  # fmt: skip
    cases = Cases(store, [flow])
    for name in "xy":
        cases.open("w", name, at=AT)
    fired = cases.fire(AT + HOUR, facts=lambda case: {"mine": case.id == "x"})
    assert [(e.stream, e.type) for e in fired] == [("case:x", "go"), ("case:y", "timer lapsed")]


def test_a_snapshot_changes_nothing_that_is_read(store: EventStore) -> None:
    cases = Cases(store, [complaint()])
    cases.open("complaint", "k7", at=AT, data={"tags": ["a"]})
    first = cases.handle("k7", sent("ask", 1, "m1"))
    kept = cases.snapshot("k7")
    assert store.latest_snapshot("case:k7").version == 2
    assert cases.read("k7") == kept == replay(store.read("case:k7"))
    cases.handle("k7", sent("answer", 2, "m2", role="customer"))
    assert cases.read("k7") == replay(store.read("case:k7"))
    assert cases.handle("k7", sent("ask", 1, "m1")) == first, "also from before the snapshot"
    assert cases.read("k7", at=AT).version == 1


def test_a_person_can_be_forgotten_and_the_history_stays(store: EventStore) -> None:
    cases = Cases(store, [complaint()], recent=10)
    cases.open("complaint", "k7", at=AT, data={"name": "Anna", "topic": "late"})
    cases.handle("k7", sent("note", 1, text="Anna called"))
    cases.snapshot("k7")
    assert store.erase("case:k7", redact("name", "text")) == 2
    cases.forget()
    assert cases.read("k7").data == {"name": None, "topic": "late"}
    assert "Anna" not in str([e.data for e in store.read("case:k7")])
    assert len(cases.history("k7")) == 2
    store.erase("case:k7", redact())
    assert cases.read("k7").data == {"name": None, "topic": None}


def versions() -> tuple[Workflow, Workflow]:
    old = deal()
    new = Workflow(
        "deal", 2, ["lead", "talking", "won", "lost"], "lead",
        [Transition("talk", "lead", "talking"), Transition("win", "talking", "won"), Transition("lose", "*", "lost")],
        terminal=["won", "lost"],
    )  # fmt: skip
    return old, new


def test_cases_stay_on_their_version_until_they_are_migrated(store: EventStore) -> None:
    old, new = versions()
    before = Cases(store, [old])
    for i in range(3):
        before.open("deal", f"d{i}", at=AT)
    before.handle("d1", sent("qualify", 1, owner="anna"))
    before.open("deal", "gone", at=AT)
    before.handle("gone", attrs.evolve(sent("lose", 1), reason="price"))
    cases = Cases(store, [old, new])
    cases.open("deal", "d3", at=AT)
    assert [c.pinned for c in cases] == [1, 1, 1, 2, 1]
    assert cases.handle("d0", sent("qualify", 2, "q0", owner="anna")).accepted
    with pytest.raises(UnmappedStates) as caught:
        cases.migrate("deal", to=2, at=AT + 3 * HOUR, actor="ops", reason="new stages")
    assert caught.value.states == ("qualified",)
    assert store.version("case:d2") == 1, "all or none"
    moved = cases.migrate(
        "deal", to=2, mapping={"qualified": "talking"}, at=AT + 3 * HOUR, actor="ops", reason="new stages"
    )
    assert [e.stream for e in moved] == ["case:d0", "case:d1", "case:d2"]
    assert [(c.pinned, c.state) for c in cases] == [
        (2, "talking"), (2, "talking"), (2, "lead"), (2, "lead"), (1, "lost"),
    ]  # fmt: skip
    assert cases.migrate("deal", to=2, at=AT + 4 * HOUR, actor="ops", reason="again") == ()
    assert replay(store.read("case:d1"), workflows=[old, new]) == cases.read("d1")
    with pytest.raises(UnknownName, match="unknown workflow 'deal 3'"):
        cases.migrate("deal", to=3, at=AT, actor="ops", reason="x")


def test_timers_due_before_a_migration_fire_on_the_old_version_first(store: EventStore) -> None:
    cases = Cases(store, [complaint(), attrs.evolve(complaint(), version=2, timers=())])
    store.append("case:k1", [Event(id="o", type="opened", time=AT, data={"workflow": "complaint", "pinned": 1,
                                                                       "to": "open"})])  # fmt: skip
    moved = cases.migrate("complaint", to=2, at=AT + 30 * HOUR, actor="ops", reason="x")
    assert [(e.type, e.time) for e in moved] == [("escalated", AT + 24 * HOUR), ("migrated", AT + 30 * HOUR)]


WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from crmcore.lifecycle import Cases, Command, Timer, Transition, Workflow
from crmcore.stores import SqliteStore
flow = Workflow("w", 1, ["a", "b"], "a", [Transition("go", "a", "b"), Transition("back", "b", "a"),
                                         Transition("ping", "*")],
                [Timer("t", "a", "ping", after_minutes=1, repeats=4)])
cases = Cases(SqliteStore(sys.argv[1]), [flow])
at = datetime(2026, 5, 4, tzinfo=UTC)
cases.open("w", "k", at=at)
n = 0
while True:
    at += timedelta(minutes=30)
    cases.handle("k", Command(("go", "back")[n % 2], at=at, id=f"c{n}", actor="x"))
    print(n, flush=True)
    n += 1
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("acks", [4, 31, 90])
def test_a_process_killed_in_mid_command_leaves_all_events_of_it_or_none(tmp_path: Path, acks: int) -> None:
    root = Path(__file__).parents[3]
    path = tmp_path / "cases.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(acks)]
        time.sleep(0.0006 * (acks % 7))
        process.send_signal(signal.SIGKILL)
        seen += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert process.returncode == -signal.SIGKILL
    with SqliteStore(path) as store:
        events = store.read("case:k")
        commands = [e.id for e in events if e.id.startswith("c") and ":" not in e.id]
        assert commands == [f"c{i}" for i in range(len(commands))]
        assert len(commands) >= len(seen) >= acks, "an acknowledged command is lost"
        # Every "go" leaves a state in which five timers fell due: they stand before it, all five, or it is not there.
        kinds = [e.type for e in events[1:]]
        assert kinds == (["ping"] * 5 + ["go", "back"]) * (len(commands) // 2) + (["ping"] * 5 + ["go"]) * (
            len(commands) % 2
        )
        assert replay(events).version == len(events)


def test_a_command_sent_again_brings_no_timer_with_it() -> None:
    flow = Workflow(
        "task",
        1,
        ["new", "taken", "done"],
        "new",
        [
            Transition("next", "new", "taken"),
            Transition("next", "taken", "done"),
            Transition("remind", "taken", actors="clock"),
        ],
        [Timer("soon", "taken", "remind", after_minutes=1, start="opened")],
    )
    desk = Cases(MemoryStore(), [flow])
    at = datetime(2026, 5, 4, 9, tzinfo=UTC)
    desk.open("task", "t1", at=at)
    sent = Command("next", actor="anna", at=at + timedelta(minutes=1), id="click-1")
    first = desk.handle("t1", sent)
    before = desk.read("t1").version
    again = desk.handle("t1", sent)
    assert desk.read("t1").version == before
    assert again.accepted
    assert (again.case, again.events[-1]) == (first.case, first.events[-1])
