"""Types of the lifecycle engine, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from crmcore.charts import Chart
from crmcore.lifecycle import (
    Accepted,
    Case,
    Cases,
    Command,
    History,
    Refused,
    Timer,
    Transition,
    Why,
    Workflow,
    advance,
    as_of,
    decide,
    due,
    evolve,
    history,
    open_case,
    replay,
    replay_frame,
)
from crmcore.lifecycle.replayed import LogCounts, LogReplay
from crmcore.lifecycle.timing import Due
from crmcore.metrics import Estimate
from crmcore.rules import Rule, field
from crmcore.stores import Event, MemoryStore

AT = datetime(2026, 5, 4, tzinfo=UTC)
flow = Workflow(
    "w",
    1,
    ["a", "b"],
    "a",
    [Transition("go", "a", "b", guard=Rule("small", field("x") < 3), actors="agent", needs=["x"])],
    [Timer("t", "a", "go", after_days=1)],
    terminal="b",
)
assert_type(flow.states, tuple[str, ...])
assert_type(flow.transitions, tuple[Transition, ...])
assert_type(flow.chart(), Chart)
assert_type(Workflow.from_dict(flow.to_dict()), Workflow)

opened = open_case(flow, "k", at=AT, data={"x": 1})
assert_type(opened, Accepted)
assert_type(opened.events, tuple[Event, ...])
outcome = decide(flow, opened.case, Command("go", at=AT, id="1"))
assert_type(outcome, Accepted | Refused)
assert_type(outcome.case, Case)
assert_type(outcome.or_raise(), Accepted)
if isinstance(outcome, Refused):
    assert_type(outcome.why, Why)
    assert_type(outcome.allowed, tuple[str, ...])
assert_type(evolve(None, opened.event), Case)
assert_type(replay(opened.events), Case)
assert_type(as_of(opened.events, AT), Case | None)
assert_type(history(opened.events), History)
assert_type(due([opened.case], AT, workflows=[flow]), tuple[Due, ...])
assert_type(advance(flow, opened.case, AT).events, tuple[Event, ...])

cases = Cases(MemoryStore(), [flow])
assert_type(cases.handle("k", Command("go", at=AT, id="1")), Accepted | Refused)
assert_type(cases.read("k", at=AT), Case)

log = replay_frame(flow, {"case": ["k"], "activity": ["go"], "time": [AT]})
assert_type(log, LogReplay)
assert_type(log.counts + log.counts, LogCounts)
assert_type(log.conforming(), Estimate)
