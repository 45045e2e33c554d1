"""Types of service-level clocks, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import (
    CaseClocks,
    ClockEvent,
    ClockEventTable,
    ClockHistory,
    ClockPolicy,
    ClockTable,
    ClockTerms,
    Escalation,
    LiveClocks,
    Targets,
    clock_columns,
    escalation_schedule,
    escalations_between,
    evolve,
    read_clocks,
)
from crmcore.calendars.clocks.cycles import Clock, ClockCycle, ClockState
from crmcore.calendars.clocks.escalations import DueEscalation
from crmcore.calendars.clocks.explanation import ClockExplanation, ClockSpan

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)

policy = ClockPolicy(
    BusinessCalendar.always("UTC"),
    {"urgent": Targets(first_response_minutes=15), "any": Targets(first_response_minutes=60)},
    calendars={"resolution": BusinessCalendar.always("UTC")},
    terms={"gold": ClockTerms(Targets(resolution_minutes=60))},
    pause_statuses=["pending"],
    resolution="total",
    on_reopen="new cycle",
    unanswered="cancel",
)
assert_type(ClockPolicy.from_dict(policy.to_dict()), ClockPolicy)

event = ClockEvent(AT, "agent reply", actor="automation", visibility="private")
history = ClockHistory.of([event], case="7")
assert_type(history[0], ClockEvent)
assert_type(history + history, ClockHistory)

found = read_clocks(history, policy, now=AT)
assert_type(found, CaseClocks)
assert_type(found["first response"], Clock)
assert_type(found["first response"].state, ClockState)
assert_type(found["first response"].minutes, float | None)
assert_type(found["first response"].cycles, tuple[ClockCycle, ...])
assert_type(found["first response"].cycles[0].due_at, datetime | None)
assert_type(found.explain("resolution"), ClockExplanation)
assert_type(found.explain("resolution").spans, tuple[ClockSpan, ...])

live = evolve(LiveClocks.begin(policy), event)
assert_type(live, LiveClocks)
assert_type(live.read(now=AT), CaseClocks)

table = ClockEventTable.of([history])
assert_type(table[0], ClockEvent)
assert_type(table.history("7"), ClockHistory)
read = clock_columns(table, policy, now=AT, names=["first response"])
assert_type(read, ClockTable)
assert_type(read.minutes, NDArray[np.float64])
assert_type(read.open, NDArray[np.bool_])
assert_type(read.of("first response"), ClockTable)

rule = Escalation(clock="resolution", when="before", minutes=30, counting="wall", hours="any time")
assert_type(escalations_between(table, [rule], policy, since=AT, until=AT), tuple[DueEscalation, ...])
assert_type(escalation_schedule(history, [rule], policy, until=AT), tuple[DueEscalation, ...])
