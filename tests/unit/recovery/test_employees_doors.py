"""Wrong kinds of arguments are named at the door, in the words of the house, and never pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.errors import CrmError, CurrencyMismatch, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.recovery.employees import (
    Absence,
    Agent,
    AloneLimit,
    Certificate,
    CoverNeed,
    Desk,
    Empowerment,
    SkillMatrix,
    SupportRule,
    Work,
    check_readiness,
    coverage,
    route,
)
from crmcore.recovery.employees.queues import (
    UnstableQueue,
    WaitingLine,
    agents_needed,
    erlang_c,
    expected_wait,
    linked_orders,
    missed_contacts,
    plan_day,
    simulate_backlog,
)
from crmcore.values import Money

ZONE = "Asia/Bangkok"
DAY = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "18:00")]})
NOW = local(2026, 6, 3, 10, zone=ZONE)
NAIVE = datetime(2026, 6, 3)
EMPTY = Desk(zone=ZONE, agents=[])
NEED = CoverNeed(skill="x", hours=DAY)
RULES = Empowerment(["a"], [AloneLimit(grade="a", action="b", at_most=Money(5, "THB"), per="day")])

CASES: dict[str, tuple[Callable[[], object], type[CrmError]]] = {
    "agents": (lambda: Desk(zone=ZONE, agents=None), WrongType),
    "skills": (lambda: Desk(zone=ZONE, agents=[], skills={"a": 1}), WrongType),
    "targets": (lambda: Desk(zone=ZONE, agents=[], targets=5), WrongType),
    "limits": (lambda: Desk(zone=ZONE, agents=[], limits="x"), WrongType),
    "support": (lambda: Desk(zone=ZONE, agents=[], support="x"), WrongType),
    "works": (lambda: route("x", desk=EMPTY, now=NOW), WrongType),
    "desk": (lambda: route(Work(id="1", at=NOW), desk=None, now=NOW), WrongType),
    "load": (lambda: route(Work(id="1", at=NOW), desk=EMPTY, now=NOW, load={}), WrongType),
    "id": (lambda: Work(id=1, at=NOW), WrongType),
    "at": (lambda: Work(id="1", at=None), WrongType),
    "amount": (lambda: Work(id="1", at=NOW, action="r", amount=5.0), WrongType),
    "distress": (lambda: Work(id="1", at=NOW, distress="high"), WrongType),
    "severity": (lambda: Work(id="1", at=NOW, severity=True), UnknownName),
    "start": (lambda: Absence(None, None), WrongType),
    "end": (lambda: Absence(NOW, NAIVE), NaiveDatetime),
    "hours": (lambda: Agent(id="a", hours="9-5"), WrongType),
    "level": (lambda: Certificate(agent="a", skill="b", level=math.nan), OutOfRange),
    "day": (lambda: Certificate(agent="a", skill="b", expires="31.12.2026"), WrongType),
    "at_most": (lambda: AloneLimit(grade="a", action="b", at_most=5), WrongType),
    "used": (lambda: RULES.decide("b", Money(5, "THB"), grade="a", used={"day": 5}), WrongType),
    "THB and EUR": (lambda: RULES.decide("b", grade="a", used={"day": Money(5, "EUR")}), CurrencyMismatch),
    "len": (lambda: SupportRule().assess(["a"], [NOW, NOW], now=NOW), OutOfRange),
    "now": (lambda: SupportRule().assess(["a"], [NOW], now=None), WrongType),
    "needs": (lambda: coverage(EMPTY, [1], since=NOW, until=NOW + timedelta(1)), WrongType),
    "since": (lambda: coverage(EMPTY, [NEED], since=NAIVE, until=NOW), NaiveDatetime),
    "coverage desk": (lambda: coverage("desk", [NEED], since=NOW, until=NOW), WrongType),
    "readiness skills": (lambda: check_readiness({}, [], staff=["a"], on="2026-01-01"), WrongType),
    "queue targets": (lambda: agents_needed(arrivals_per_hour=1, handling_s=1, targets="80/20"), WrongType),
    "plan targets": (lambda: plan_day([1], handling_s=1, targets=0.8), WrongType),
    "queue agents": (lambda: erlang_c(agents=None, arrivals_per_hour=1, handling_s=1), WrongType),
    "infinite": (lambda: erlang_c(agents=2, arrivals_per_hour=1, handling_s=1, within_s=math.inf), OutOfRange),
    "arrivals": (lambda: plan_day(5, handling_s=1), WrongType),
    "seed": (lambda: simulate_backlog([1], [1], handling_s=1, seed="x"), WrongType),
    "too many cases": (lambda: simulate_backlog([1e12], [1], handling_s=1, seed=1), OutOfRange),
    "too many agents": (lambda: simulate_backlog([1], [10**9], handling_s=1, seed=1), OutOfRange),
    "nobody": (lambda: expected_wait(ahead=1, agents=0, handling_s=1), UnstableQueue),
    "wait hours": (lambda: expected_wait(ahead=1, agents=1, handling_s=1, hours="9-5", now=NOW), WrongType),
    "wait now": (lambda: expected_wait(ahead=1, agents=1, handling_s=1, hours=DAY, now=NAIVE), NaiveDatetime),
    "who": (lambda: WaitingLine().join("x"), WrongType),
    "frame": (lambda: missed_contacts(5, hours=DAY, now=NOW, currency="THB"), WrongType),
    "missed hours": (lambda: missed_contacts({"at": []}, hours=0, now=NOW, currency="THB"), WrongType),
    "orders": (lambda: linked_orders(["a"], [NOW], orders=None), WrongType),
    "inbox": (lambda: Work.from_frame(5), WrongType),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_wrong_arguments_are_refused_by_name_with_a_way_out(name: str) -> None:
    call, error = CASES[name]
    with pytest.raises(error) as caught:
        call()
    assert "hint: " in str(caught.value)
    if " " not in name and name not in ("nobody", "infinite", "inbox"):
        assert name in str(caught.value)


def test_waits_at_the_ends_of_what_floats_hold() -> None:
    nearly_all_leave = expected_wait(ahead=1000, agents=1, handling_s=1e6, patience_s=1e-3).wait_s
    # the first in line waits for the agent, everybody else in front is gone at once
    assert nearly_all_leave.value == pytest.approx(1e6, rel=1e-6)
    assert nearly_all_leave.low == pytest.approx(-1e6 * math.log(0.9), rel=1e-6)
    assert nearly_all_leave.high == pytest.approx(-1e6 * math.log(0.1), rel=1e-6)
    assert expected_wait(ahead=10**6, agents=1, handling_s=1e6).wait_s.value == pytest.approx(1e12, rel=1e-5)
    assert SkillMatrix.of([]).levels("2026-01-01").shape == (0, 0)
