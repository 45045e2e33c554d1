"""Types of desks, routes and queues, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars import BusinessCalendar
from crmcore.charts import Chart
from crmcore.choice import Pick, pick
from crmcore.metrics import Estimate
from crmcore.recovery.employees import (
    Agent,
    Assigned,
    Desk,
    DeskLoad,
    ReadinessNeed,
    Routing,
    SkillMatrix,
    SupportNeeds,
    SupportRule,
    Unassigned,
    Work,
    check_readiness,
    route,
    route_all,
)
from crmcore.recovery.employees.queues import (
    BacklogRuns,
    QueueMeasures,
    agents_needed,
    erlang_c,
    expected_wait,
    plan_day,
    simulate_backlog,
)
from crmcore.values import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)
desk = Desk(zone="UTC", agents=[Agent(id="dao", hours=BusinessCalendar.always("UTC"))])
work = Work(id="c1", at=NOW, severity="high", needs={"refund": 2}, amount=Money(1, "THB"), action="refund")

found = route(work, desk=desk, now=NOW)
assert_type(found, Assigned | Unassigned)
if isinstance(found, Assigned):
    assert_type(found.agent, str)
else:
    assert_type(found.earliest, datetime | None)
assert_type(route_all([work], desk=desk, now=NOW), Routing)
assert_type(route_all([work], desk=desk, now=NOW).load, DeskLoad)
assert_type(route_all([work], desk=desk, now=NOW).chart(), Chart)
assert_type(SupportRule().assess(["dao"], [NOW], now=NOW), SupportNeeds)
assert_type(SkillMatrix.of([]).levels("2026-06-01"), NDArray[np.int64])
assert_type(check_readiness(SkillMatrix.of([]), [ReadinessNeed(skill="x")], staff=["dao"], on=NOW.date()).ready, bool)
assert_type(pick(["a"]), Pick)
assert_type(erlang_c(agents=2, arrivals_per_hour=1, handling_s=60), QueueMeasures)
assert_type(agents_needed(arrivals_per_hour=1, handling_s=60).agents, int)
assert_type(plan_day([1.0], handling_s=60).agents, NDArray[np.int64])
assert_type(simulate_backlog([1], [1], handling_s=60, seed=1), BacklogRuns)
assert_type(expected_wait(ahead=1, agents=1, handling_s=60).wait_s, Estimate)
