"""The rows of employee recovery, through the public names."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.recovery.employees import (
    Agent,
    AloneLimit,
    Assigned,
    Certificate,
    CoverNeed,
    Desk,
    Empowerment,
    ReadinessNeed,
    ResponseTargets,
    SkillMatrix,
    SupportRule,
    Task,
    Unassigned,
    Work,
    check_readiness,
    coverage,
    route,
    route_all,
)
from crmcore.recovery.employees.queues import (
    CallLog,
    QueueTargets,
    Waiting,
    WaitingLine,
    agents_needed,
    erlang_c,
    expected_wait,
    linked_orders,
    missed_contacts,
    plan_day,
)
from crmcore.tables import OrderTable
from crmcore.values import Money

ZONE = "Asia/Bangkok"
DAY = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "18:00")]}, name="help desk")
NOW = local(2026, 6, 3, 10, zone=ZONE)


def test_row_061_a_hundred_calls_in_half_an_hour_need_fourteen_agents() -> None:
    needed = agents_needed(arrivals_per_hour=200, handling_s=180, targets=QueueTargets(service_level=0.8, within_s=20))
    assert needed.agents == 14
    assert needed.best.service_level == pytest.approx(0.88835, abs=1e-6)


def test_row_061_from_the_call_log_to_a_roster() -> None:
    rng = np.random.default_rng(7)
    at, waited, handled = [], [], []
    for day in range(1, 6):
        for half_hour in range(18):
            for _ in range(int(rng.poisson(20 if half_hour < 6 else 8))):
                at.append(
                    local(2026, 6, day, 9, zone=ZONE) + timedelta(minutes=30 * half_hour + float(rng.uniform(0, 30)))
                )
                patience, wait = rng.exponential(120), rng.exponential(30)
                waited.append(min(patience, wait))
                handled.append(None if patience < wait else rng.exponential(180))
    log = CallLog.from_frame({"at": at, "waited_s": waited, "handled_s": handled})
    handling, patience = log.handling_s(), log.patience_s()
    assert handling.low < 180 < handling.high
    assert patience.low < 120 < patience.high
    plan = plan_day(log.arrivals(zone=ZONE), handling_s=handling.value, patience_s=patience.value, shrinkage=0.3)
    assert plan.agents[18] > plan.agents[35] > 0 == plan.agents[3]
    assert np.nanmin(plan.service_level) >= 0.8
    assert (plan.scheduled >= plan.agents).all()


def test_row_061_a_call_goes_to_the_skill_it_needs() -> None:
    skills = SkillMatrix.of([Certificate(agent="dao", skill="thai"), Certificate(agent="ann", skill="english")])
    desk = Desk(zone=ZONE, agents=[Agent(id="ann"), Agent(id="dao")], skills=skills)
    assert route(Work(id="call", at=NOW, needs={"thai": 1}), desk=desk, now=NOW).agent == "dao"


def test_row_063_twenty_messages_by_due_time_and_severity_and_nobody_above_capacity() -> None:
    rng = np.random.default_rng(63)
    targets = ResponseTargets(DAY, {"critical": 30, "high": 120, "normal": 480, "low": 960})
    desk = Desk(zone=ZONE, agents=[Agent(id=f"a{i}", capacity=4, hours=DAY) for i in range(4)], targets=targets)
    messages = [
        Work(id=f"m{i:02d}", at=NOW - timedelta(minutes=int(rng.integers(0, 3000))), severity=int(rng.integers(1, 5)))
        for i in range(20)
    ]
    found = route_all(messages, desk=desk, now=NOW)
    by_id = {m.id: m for m in messages}
    keys = [(r.due, r.severity, by_id[r.work].at, r.work) for r in found.routes]
    assert keys == sorted(keys)
    assert all(r.due == targets.due(by_id[r.work].at, severity=by_id[r.work].severity) for r in found.routes)
    assert (len(found.assigned), len(found.unassigned)) == (16, 4)
    assert found.load.open_units.tolist() == [4, 4, 4, 4]
    assert [r.work for r in found.unassigned] == [k[3] for k in keys[16:]]
    assert all("full: 4 of 4 units" in reason for r in found.unassigned[0].refused for reason in r.reasons)


def test_row_094_the_wait_is_shown_before_entering_and_moves_with_the_line() -> None:
    line = WaitingLine()
    for i in range(4):
        line = line.join(Waiting(id=f"c{i}", at=NOW + timedelta(seconds=i), name="Somchai", issue="parcel is late"))
    before = expected_wait(ahead=len(line), agents=3, handling_s=240)
    assert (before.position, before.wait_s.value) == (5, 5 * 80)
    assert before.wait_s.low < before.wait_s.value < before.wait_s.high
    given, line = line.take("dao", now=NOW + timedelta(seconds=90))
    assert (given.waited_s, given.waiting.issue, given.waiting.name) == (90, "parcel is late", "Somchai")
    assert line.wait("c3", agents=3, handling_s=240).position == 3


def test_row_094_the_waits_shown_in_an_m_m_n_queue_average_to_that_of_erlang() -> None:
    # somebody finds n + j in the system with probability pi; the mean of what they are shown is Erlang's mean wait
    weights = [1.0]
    for k in range(1, 2000):
        weights.append(weights[-1] * (40 / 3600) / (min(k, 3) / 240))
    total = sum(weights)
    shown = [expected_wait(ahead=j, agents=3, handling_s=240).wait_s.value for j in range(len(weights) - 3)]
    mean = sum(w * s for w, s in zip(weights[3:], shown, strict=True)) / total
    assert mean == pytest.approx(erlang_c(agents=3, arrivals_per_hour=40, handling_s=240).mean_wait_s, rel=1e-9)


def test_row_094_a_resolved_chat_is_linked_to_the_purchase() -> None:
    orders = OrderTable.from_frame(
        {"customer": ["ann", "bob"], "time": [NOW + timedelta(hours=2), NOW - timedelta(hours=2)], "amount": [990, 10]},
        currency="THB",
    )
    found = linked_orders(["ann", "bob"], [NOW, NOW], orders=orders, within_days=1)
    assert found.order.tolist() == [0, -1]
    assert found.amount_minor.tolist() == [99_000, 0]


def test_row_095_a_voice_message_on_friday_evening_is_65_hours_and_2_business_hours() -> None:
    frame = {
        "at": [local(2026, 6, 5, 18, zone=ZONE)], "answered_at": [local(2026, 6, 8, 11, zone=ZONE)],
        "value_minor": [250_000],
    }  # fmt: skip
    found = missed_contacts(frame, hours=DAY, now=local(2026, 6, 8, 12, zone=ZONE), currency="THB", within_hours=1)
    assert (found.hours.tolist(), found.business_hours.tolist()) == ([65], [2])
    assert found.counts()["answered late"] == 1
    assert found.after_hours.tolist() == [True]
    assert found.at_risk == Money.of(2500, "THB")
    assert found.expected_loss(0.3).value == 75_000


def test_row_095_not_answered_at_all_counts_until_now() -> None:
    frame = {"at": [local(2026, 6, 5, 18, zone=ZONE)], "answered_at": [None]}
    found = missed_contacts(frame, hours=DAY, now=local(2026, 6, 8, 12, zone=ZONE), currency="THB")
    assert (found.business_hours.tolist(), found.counts()["missed"]) == ([3], 1)


@pytest.fixture
def desk() -> Desk:
    return Desk(
        zone=ZONE,
        agents=[
            Agent(id="ann", hours=DAY, grade="agent"),
            Agent(id="bob", hours=DAY, grade="supervisor"),
            Agent(id="dao", hours=BusinessCalendar(ZONE, {"mon-fri": [("13:00", "18:00")]}), grade="agent"),
        ],
        skills=SkillMatrix.of(
            [
                Certificate(agent="ann", skill="refund", level=1),
                Certificate(agent="bob", skill="refund", level=2),
                Certificate(agent="dao", skill="refund", level=2, expires="2026-06-03"),
            ]
        ),
        tasks=[Task("refund", {"refund": 2})],
        limits=Empowerment(
            ["agent", "supervisor"],
            [
                AloneLimit(grade="agent", action="refund", at_most=Money.of(500, "THB")),
                AloneLimit(grade="supervisor", action="refund", at_most=Money.of(5000, "THB")),
            ],
        ),
        support=SupportRule(rest_minutes=15, most_hard=3),
    )


def test_row_178_an_agent_without_refund_level_2_cannot_get_that_case(desk: Desk) -> None:
    case = Work(id="c1", at=NOW, task="refund")
    assert route(case, desk=desk, now=NOW).agent == "bob"
    found = route(Work(id="c1", at=NOW, task="refund", not_to=["bob"]), desk=desk, now=NOW)
    assert isinstance(found, Unassigned)
    assert {r.id: r.reasons for r in found.refused} == {
        "ann": ("needs refund level 2, has 1",),
        "bob": ("must not get this work",),
        "dao": ("not on duty",),
    }
    assert found.earliest == local(2026, 6, 3, 13, zone=ZONE)
    full = desk.load(open_units={"ann": 0, "bob": 5})
    assert isinstance(route(case, desk=desk, now=NOW, load=full), Unassigned)


def test_row_178_coverage_gaps_are_listed(desk: Desk) -> None:
    need = CoverNeed(skill="refund", level=2, agents=2, hours=DAY)
    found = coverage(desk, [need], since=local(2026, 6, 3, zone=ZONE), until=local(2026, 6, 5, zone=ZONE))
    gaps = found.gaps.to_frame()
    assert len(found.gaps) == 4 + 9  # the morning of the third; all of the fourth, when a certificate has ended
    assert gaps["start"][4] == local(2026, 6, 4, 9, zone=ZONE)
    assert set(gaps["missing"]) == {1}


def test_row_178_what_may_be_decided_alone_comes_from_data(desk: Desk) -> None:
    case = Work(id="c1", at=NOW, task="refund", action="refund", amount=Money.of(4000, "THB"))
    assert route(case, desk=desk, now=local(2026, 6, 3, 14, zone=ZONE)).agent == "bob"
    too_much = Work(id="c2", at=NOW, task="refund", action="refund", amount=Money.of(9000, "THB"))
    assert isinstance(route(too_much, desk=desk, now=NOW), Unassigned)


def test_row_178_after_a_hard_case_there_is_a_rest(desk: Desk) -> None:
    needs = desk.support.assess(["bob"], [NOW - timedelta(minutes=5)], now=NOW)
    case = Work(id="c1", at=NOW, task="refund")
    resting = route(case, desk=desk, now=NOW, load=desk.load(support=needs))
    assert isinstance(resting, Unassigned)
    assert resting.earliest == NOW + timedelta(minutes=10)
    later = NOW + timedelta(minutes=10)
    rested = desk.support.assess(["bob"], [NOW - timedelta(minutes=5)], now=later)
    assert isinstance(route(case, desk=desk, now=later, load=desk.load(support=rested)), Assigned)


def test_row_197_four_of_six_trained_is_not_ready_and_the_two_are_named() -> None:
    staff = ["ann", "bob", "cho", "dao", "eve", "fay"]
    matrix = SkillMatrix.of([Certificate(agent=name, skill="new system") for name in staff[:4]])
    found = check_readiness(matrix, [ReadinessNeed(skill="new system")], staff=staff, on="2026-07-01")
    assert not found.ready
    assert found.lacking == ("eve", "fay")
    assert found.to_frame()["agent"] == ["eve", "fay"]
    assert (found.parts[0].have, found.parts[0].staff) == (4, 6)


def test_row_197_context_and_support_count_beside_training() -> None:
    matrix = SkillMatrix.of(
        [Certificate(agent="ann", skill="new system"), Certificate(agent="ann", skill="why we do it")]
    )
    needs = [
        ReadinessNeed(skill="new system"),
        ReadinessNeed(skill="why we do it", why="context"),
        ReadinessNeed(skill="somebody to ask", why="support"),
    ]
    found = check_readiness(matrix, needs, staff=["ann"], on="2026-07-01")
    assert [part.met for part in found.parts] == [True, True, False]
