"""A state machine attacks the state machines: cases in two stores against a plain model."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crmcore.lifecycle import Accepted, Case, Cases, Command, Late, Refused, Timer, Transition, Workflow, replay
from crmcore.rules import Rule, field
from crmcore.stores import MemoryStore, SqliteStore

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
COMMANDS = ("alpha", "beta", "gamma", "delta")
ROLES = ("agent", "customer")


@st.composite
def flows(draw: st.DrawFn) -> Workflow:
    """A random workflow with roles, guards, needs and timers over a chain that reaches every state."""
    n = draw(st.integers(2, 5))
    states = [f"s{i}" for i in range(n)]
    ways = {(i, "next"): i + 1 for i in range(n - 1)}
    for _ in range(draw(st.integers(2, 10))):
        ways.setdefault(
            (draw(st.integers(0, n - 1)), draw(st.sampled_from(COMMANDS))), draw(st.none() | st.integers(0, n - 1))
        )
    transitions = []
    for (s, name), t in sorted(ways.items()):
        transitions.append(
            Transition(
                name,
                states[s],
                None if t is None else states[t],
                guard=Rule("small", field("x") <= 2) if draw(st.integers(0, 3)) == 0 else None,
                actors=draw(st.sampled_from([None, None, "agent", ("agent", "clock")])),
                needs="x" if draw(st.integers(0, 4)) == 0 else (),
                keeps="x",
            )
        )
    able = [t for t in transitions if not t.needs and t.permits("clock")]
    timers = []
    for k in range(draw(st.integers(0, 3)) if able else 0):
        t = draw(st.sampled_from(able))
        start = draw(st.sampled_from(["entry", "opened", "first entry"]))
        span, repeats = draw(st.integers(1, 120)), draw(st.integers(0, 2))
        timers.append(Timer(f"t{k}", t.source, t.command, after_minutes=span, start=start, repeats=repeats))
    return Workflow("random", 1, states, "s0", transitions, timers)


class CasesMachine(RuleBasedStateMachine):
    """What two stores keep of the same calls, and what the calls answered the first time."""

    @initialize(flow=flows(), record=st.booleans(), late=st.sampled_from(Late))
    def begin(self, flow: Workflow, record: bool, late: Late) -> None:
        self.folder = tempfile.TemporaryDirectory()
        stores = [MemoryStore(), SqliteStore(Path(self.folder.name) / "a.db")]
        self.flow = flow
        self.desks = [
            Cases(store, [flow], record_refusals=record, late=late, recent=held)
            for store, held in zip(stores, (0, 1), strict=True)
        ]
        self.record = record
        self.now = AT
        self.sent: list[tuple[str, Command, tuple[Accepted | Refused, ...]]] = []
        self.past: list[tuple[datetime, Case]] = []
        for name in ("k1", "k2"):
            for desk in self.desks:
                desk.open("random", name, at=AT, data={"x": 1})

    def teardown(self) -> None:
        if hasattr(self, "desks"):
            for desk in self.desks:
                desk.store.close()
            self.folder.cleanup()

    @rule(
        case=st.sampled_from(["k1", "k2"]),
        name=st.sampled_from(("next", *COMMANDS)),
        role=st.sampled_from(ROLES),
        x=st.none() | st.integers(0, 4),
        minutes=st.integers(0, 90),
        back=st.just(0) | st.integers(0, 90),
    )
    def command(self, case: str, name: str, role: str, x: int | None, minutes: int, back: int) -> None:
        if name not in self.flow.known_commands:
            return
        self.now += timedelta(minutes=minutes)
        data: dict[str, object] = {} if x is None else {"x": x}
        sent = Command(
            name, data, actor="someone", role=role, at=self.now - timedelta(minutes=back), id=f"c{len(self.sent)}"
        )
        before = [desk.read(case) for desk in self.desks]
        answers = tuple(desk.handle(case, sent) for desk in self.desks)
        assert str(answers[0]) == str(answers[1])
        assert answers[0].case == answers[1].case
        if not answers[0].accepted and not self.record:
            own = [e for e in answers[0].events if e.id == sent.id]
            assert not own
            assert answers[0].case.version == before[0].version + len(answers[0].events)
        self.sent.append((case, sent, answers))

    @precondition(lambda self: bool(getattr(self, "sent", ())))
    @rule(data=st.data())
    def command_again(self, data: st.DataObject) -> None:
        case, sent, answers = data.draw(st.sampled_from(self.sent))
        if not answers[0].accepted and not self.record:
            return  # nothing was kept, so it is a new question
        for desk, first in zip(self.desks, answers, strict=True):
            before = desk.read(case).version
            again = desk.handle(case, sent)
            assert desk.read(case).version == before
            assert again.accepted == first.accepted
            assert again.case == first.case
            assert again.events[-1] == first.events[-1]

    @rule(minutes=st.integers(0, 300))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        listed = [desk.due(self.now) for desk in self.desks]
        assert listed[0] == listed[1]
        fired = [desk.fire(self.now) for desk in self.desks]
        assert [(e.id, e.time) for e in fired[0]] == [(e.id, e.time) for e in fired[1]]
        soonest = {d.case_id: d.occurrence for d in reversed(listed[0])}  # a later one may be cancelled by it
        assert set(soonest.values()) <= {e.id for e in fired[0]}
        assert all(desk.fire(self.now) == () for desk in self.desks)

    @rule(case=st.sampled_from(["k1", "k2"]))
    def snapshot(self, case: str) -> None:
        self.desks[1].snapshot(case)

    @rule(case=st.sampled_from(["k1", "k2"]))
    def remember(self, case: str) -> None:
        found = self.desks[0].read(case)
        self.past = [(at, old) for at, old in self.past if not (old.id == case and at == found.at)]
        self.past.append((found.at, found))

    @invariant()
    def histories_are_whole(self) -> None:
        for case in ("k1", "k2") if hasattr(self, "desks") else ():
            streams = [desk.store.read(f"case:{case}") for desk in self.desks]
            assert [e.id for e in streams[0]] == [e.id for e in streams[1]]
            events = streams[0]
            assert len({e.id for e in events}) == len(events)
            assert [e.version for e in events] == list(range(1, len(events) + 1))
            times = [e.time for e in events]
            assert times == sorted(times)
            whole = replay(events, workflows=[self.flow])
            assert all(desk.read(case) == whole for desk in self.desks)

    @invariant()
    def the_past_does_not_change(self) -> None:
        for at, old in getattr(self, "past", ()):
            now = self.desks[0].read(old.id, at=at)
            assert now.version >= old.version
            assert now.at == at
            if now.version == old.version:
                assert now == old


CasesMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCases = CasesMachine.TestCase


@pytest.mark.slow
def test_the_machine_holds_for_a_long_time() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        CasesMachine,
        settings=settings(
            max_examples=300, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
