"""Plans, call logs, simulated backlogs, waits, lines, missed contacts: examples, texts, results, bad input."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.errors import (
    BadRows,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.metrics import Estimate
from crmcore.recovery.employees.queues import (
    CallLog,
    ExpectedWait,
    HandOver,
    QueueTargets,
    UnstableQueue,
    Waiting,
    WaitingLine,
    agents_needed,
    check_plan,
    erlang_b,
    expected_wait,
    linked_orders,
    missed_contacts,
    plan_day,
    simulate_backlog,
)
from crmcore.tables import OrderTable
from crmcore.values import Money

ZONE = "Asia/Bangkok"
HOURS = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "18:00")]})
NOW = local(2026, 6, 3, 10, zone=ZONE)


def test_a_plan_takes_what_each_interval_needs() -> None:
    plan = plan_day([0, 100, 40], handling_s=180, at_least=2, shrinkage=0.3)
    alone = [agents_needed(arrivals_per_hour=2 * a, handling_s=180).agents for a in (100, 40)]
    assert plan.agents.tolist() == [2, *alone]
    assert plan.scheduled.tolist() == [3, 20, 10]
    assert plan.hours == 16.5
    assert plan.day_service_level == pytest.approx((100 * plan.service_level[1] + 40 * plan.service_level[2]) / 140)
    assert math.isnan(plan.service_level[0])
    assert repr(plan) == "DayPlan(3 intervals, 16.5 hours, at most 20 scheduled)"
    assert len(plan.to_frame(backend="polars")) == 3
    assert {row["series"] for row in plan.chart().rows} == {"agents", "scheduled", "load (erlangs)"}
    assert len(plan._repr_html_()) < 6000


def test_a_day_without_anybody_is_a_plan_too() -> None:
    plan = plan_day([0, 0], handling_s=180)
    assert plan.agents.tolist() == [0, 0]
    assert math.isnan(plan.day_service_level)
    assert math.isnan(plan.day_mean_wait_s)
    assert len(plan_day([], handling_s=180)) == 0


def test_a_roster_that_cannot_carry_an_interval_is_named() -> None:
    with pytest.raises(UnstableQueue, match="interval 09:30: 9 agents cannot carry 10 erlangs"):
        check_plan([40, 100], [7, 9], handling_s=180, labels=["09:00", "09:30"])
    leaving = check_plan([40, 100], [7, 9], handling_s=180, patience_s=60)
    assert leaving.abandoned[1] > 0.1
    with pytest.raises(UnstableQueue):
        check_plan([40], [0], handling_s=180, patience_s=60)
    assert check_plan([0], [0], handling_s=180).agents.tolist() == [0]


def test_bad_plans_are_refused() -> None:
    with pytest.raises(BadRows, match="not a finite number from 0 in 2 rows"):
        plan_day([1, -1, math.nan], handling_s=180)
    with pytest.raises(OutOfRange, match="as arrivals"):
        check_plan([1, 2], [1], handling_s=180)
    with pytest.raises(WrongType):
        plan_day([1, 2], handling_s=180, labels=["09:00"])
    with pytest.raises(OutOfRange):
        plan_day([1], handling_s=0)
    with pytest.raises(OutOfRange, match="shrinkage"):
        plan_day([1], handling_s=1, shrinkage=-0.1)


@pytest.fixture
def log() -> CallLog:
    rng = np.random.default_rng(1)
    at = [local(2026, 6, 1 + d, 9, int(m), zone=ZONE) for d in range(4) for m in (0, 10, 20, 40)]
    waited = rng.integers(1, 60, 16).tolist()
    handled = [None if i % 4 == 3 else 180 for i in range(16)]
    return CallLog.from_frame({"at": at, "waited_s": waited, "handled_s": handled})


def test_a_log_says_what_a_plan_needs(log: CallLog) -> None:
    assert repr(log) == "CallLog(16 contacts, 12 answered)"
    assert log.handling_s().value == 180
    assert log.abandoned().value == 0.25
    total = float(log.waited_s.sum())
    patience = log.patience_s()
    assert patience.value == pytest.approx(total / 4)
    assert patience.low < patience.value < patience.high
    within = log.service_level(within_s=30)
    assert within.value == pytest.approx((log.answered & (log.waited_s <= 30)).mean())


def test_arrivals_are_counted_on_the_wall_clock(log: CallLog) -> None:
    profile = log.arrivals(zone=ZONE)
    assert repr(profile) == "DayProfile(4 days of 48 intervals, 16 arrivals)"
    assert profile.mean()[18:20].tolist() == [3, 1]
    assert profile.labels[18] == "09:00"
    assert profile.dispersion() == 0
    longer = log.arrivals(zone=ZONE, since=local(2026, 6, 1, zone=ZONE), until=local(2026, 6, 9, zone=ZONE))
    assert longer.counts.shape == (8, 48)
    assert longer.mean()[18] == 1.5
    assert log.arrivals(zone="UTC", interval_minutes=60).mean()[2] == 4
    plan = plan_day(profile, handling_s=180)
    assert plan.labels[18] == "09:00"
    assert plan.agents.nonzero()[0].tolist() == [18, 19]
    assert profile.chart().rows[18]["y"] == 3
    assert profile.to_frame()["mean"][18] == 3


def test_logs_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(BadRows) as caught:
        CallLog.from_frame({"at": [None, NOW], "waited_s": [1, -1], "handled_s": [None, "long"]})
    for part in ("at: missing", "waited_s: no number of seconds from 0", "handled_s"):
        assert part in str(caught.value)
    with pytest.raises(NaiveDatetime):
        CallLog.from_frame({"at": ["2026-06-01 09:00"], "waited_s": [1], "handled_s": [1]})
    with pytest.raises(MissingColumn):
        CallLog.from_frame({"at": [NOW], "waited_s": [1]})
    empty = CallLog.from_frame({"at": [], "waited_s": [], "handled_s": []})
    for measure in (empty.handling_s, empty.patience_s, empty.service_level, empty.abandoned):
        with pytest.raises(EmptyInput):
            measure()
    with pytest.raises(OutOfRange, match="divide a day"):
        CallLog.from_frame({"at": [NOW], "waited_s": [1], "handled_s": [1]}).arrivals(zone=ZONE, interval_minutes=7)


def test_a_backlog_shrinks_with_more_agents_and_the_seed_settles_it() -> None:
    few, many = (simulate_backlog([10] * 6, [n] * 6, handling_s=900, backlog=20, seed=1, runs=60) for n in (3, 5))
    again = simulate_backlog([10] * 6, [3] * 6, handling_s=900, backlog=20, seed=1, runs=60)
    assert (few.open == again.open).all()
    assert few.final_open.value > many.final_open.high
    assert few.share_in_time.value < many.share_in_time.value
    assert few.open.shape == (60, 6)
    assert many.cleared(5).n > few.cleared(5).n
    assert few.final_open.method == "span of runs"
    assert "open at the end: " in str(few)
    assert few.to_frame()["minutes"] == [60, 120, 180, 240, 300, 360]
    assert few.chart().rows[0]["low"] <= few.chart().rows[0]["y"]
    assert len(few._repr_html_()) < 6000


def test_constant_work_can_be_counted_by_hand() -> None:
    runs = simulate_backlog([0, 0], [2, 0], handling_s=1200, variation=0, backlog=8, seed=1, runs=2, within_minutes=20)
    # two agents, twenty minutes each, one hour: six are done; nobody is there in the second
    assert runs.open.tolist() == [[2, 2], [2, 2]]
    assert runs.in_time.tolist() == [0.5, 0.5]  # two at once, two after twenty minutes
    assert runs.mean_wait_s.tolist() == [1200, 1200]
    assert runs.busy.tolist() == [1, 1]
    assert runs.cleared(2).value == 60
    assert math.isnan(runs.cleared().value)
    patient = simulate_backlog([0], [0], handling_s=60, backlog=3, patience_s=1, seed=1, runs=2)
    assert patient.abandoned.tolist() == [1, 1]
    assert math.isnan(patient.share_busy.value)


def test_progress_is_told_and_bad_backlogs_are_refused() -> None:
    told: list[tuple[str, int, int]] = []
    simulate_backlog([1], [1], handling_s=60, seed=1, runs=3, progress=lambda *p: told.append(p))
    assert told[0][:2] == ("cases in step", 0)
    assert told[-1][1] == told[-1][2] > 0
    good = {"arrivals": [1.0], "agents": [1], "handling_s": 60, "seed": 1}
    for field, value, error in (
        ("agents", [1, 1], OutOfRange), ("arrivals", [], OutOfRange), ("arrivals", [-1], BadRows),
        ("agents", [-1], BadRows), ("agents", [1.5], BadRows), ("seed", None, OutOfRange), ("runs", 0, OutOfRange),
        ("level", 1, OutOfRange), ("variation", -1, OutOfRange), ("backlog", 10**9, OutOfRange),
    ):  # fmt: skip
        with pytest.raises(error):
            simulate_backlog(**{**good, field: value})


def test_somebody_who_waits_is_told_a_place_and_a_span() -> None:
    free = expected_wait(ahead=0, free=1, agents=3, handling_s=240)
    assert (free.position, free.wait_s.value, str(free)) == (0, 0.0, "an agent is free")
    next_ = expected_wait(ahead=0, agents=3, handling_s=240)
    assert (next_.position, next_.wait_s.value) == (1, 80)
    assert expected_wait(ahead=2, free=2, agents=3, handling_s=240).position == 1
    assert str(next_) == "number 1 in line, about 1 min (10 s to 3 min)"
    assert str(expected_wait(ahead=60, agents=1, handling_s=240)).startswith("number 61 in line, about 4.1 h")
    assert ExpectedWait.from_dict(next_.to_dict()) == next_
    assert next_._repr_html_() == f"<p>{next_}</p>"
    assert next_.chart().rows[0]["value"] == 80


def test_a_closed_desk_says_when_it_opens() -> None:
    night = local(2026, 6, 5, 20, zone=ZONE)
    found = expected_wait(ahead=0, agents=3, handling_s=240, hours=HOURS, now=night)
    assert found.opens == local(2026, 6, 8, 9, zone=ZONE)
    assert found.wait_s.value == 61 * 3600 + 80
    assert str(found).startswith("number 1 in line when we open on Monday at 09:00; about 61.0 h")
    assert expected_wait(ahead=0, agents=3, handling_s=240, hours=HOURS, now=NOW).opens is None
    early = expected_wait(ahead=0, free=2, agents=2, handling_s=240, hours=HOURS, now=night)
    assert early.wait_s.value == 61 * 3600
    with pytest.raises(WrongType, match="now"):
        expected_wait(ahead=0, agents=3, handling_s=240, hours=HOURS)


def test_giving_up_shortens_and_doubt_widens() -> None:
    plain = expected_wait(ahead=5, agents=2, handling_s=300).wait_s
    leaving = expected_wait(ahead=5, agents=2, handling_s=300, patience_s=600).wait_s
    doubtful = expected_wait(ahead=5, agents=2, handling_s=300, handled=10).wait_s
    steps = sum(1 / (2 / 300 + i / 600) for i in range(6))
    assert leaving.value == pytest.approx(steps)
    assert leaving.high < plain.high < doubtful.high
    assert (doubtful.n, doubtful.value) == (10, plain.value)
    nearly = expected_wait(ahead=5, agents=2, handling_s=300, handled=10**7).wait_s
    assert nearly.high == pytest.approx(plain.high, rel=1e-3)
    patient = expected_wait(ahead=5, agents=2, handling_s=300, patience_s=1e7).wait_s
    assert patient.low == pytest.approx(plain.low, rel=1e-3)


def test_waits_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UnstableQueue, match="0 agents"):
        expected_wait(ahead=0, agents=0, handling_s=240)
    for field, value in (
        ("ahead", -1),
        ("handling_s", 0),
        ("level", 1),
        ("patience_s", 0),
        ("handled", 0),
        ("free", -1),
    ):
        with pytest.raises(OutOfRange, match=field):
            expected_wait(**{"ahead": 1, "agents": 1, "handling_s": 1, field: value})


def test_a_line_is_first_come_first_served() -> None:
    line = WaitingLine()
    for i, minute in enumerate((5, 1, 5)):
        line = line.join(Waiting(id=f"c{i}", at=NOW + timedelta(minutes=minute), name="Somchai", issue="refund"))
    assert [w.id for w in line.waiting] == ["c1", "c0", "c2"]
    given, rest = line.take("dao", now=NOW + timedelta(minutes=6))
    assert (given.waiting.id, given.waited_s, len(rest)) == ("c1", 300, 2)
    assert rest.position("c0") == 1
    assert len(rest.leave("c2")) == 1
    for text in (repr(line), repr(line.waiting), repr(given), str(line)):
        assert "Somchai" not in text
        assert "refund" not in text
        assert "dao" not in text
    assert WaitingLine.from_dict(line.to_dict()) == line
    assert HandOver.from_dict(given.to_dict()) == given
    with pytest.raises(DuplicateIds):
        line.join(Waiting(id="c0", at=NOW))
    with pytest.raises(UnknownName, match="did you mean"):
        line.position("c9")
    with pytest.raises(EmptyInput):
        WaitingLine().take("dao", now=NOW)
    with pytest.raises(OutOfRange, match="now"):
        line.take("dao", now=NOW)
    with pytest.raises(NaiveDatetime):
        Waiting(id="c1", at=datetime(2026, 6, 1))


def test_the_first_order_in_the_window_is_linked() -> None:
    day = [local(2026, 6, d, 12, zone=ZONE) for d in range(1, 30)]
    orders = OrderTable.from_frame(
        {
            "customer": ["ann", "ann", "ann", "bob", "cho"],
            "time": [day[0], day[3], day[3], day[20], day[25]],
            "amount": [10, 20, 5, 30, 1],
            "order_id": ["o1", "o2", "o2", "o3", "o4"],
        },
        currency="THB",
    )
    found = linked_orders(["ann", "bob", "zoe", "ann", "cho"], [day[1], day[2], day[2], day[3], day[24]], orders=orders)
    assert found.order.tolist() == [1, -1, -1, 1, 4]
    assert found.amount_minor.tolist() == [2500, 0, 0, 2500, 100]
    assert found.days.tolist()[:1] == [2.0]
    assert repr(found) == "LinkedOrders(3 of 5 followed by an order)"
    assert (found.share.n, found.share.value) == (5, 0.6)
    assert found.to_frame()["order"] == [1, -1, -1, 1, 4]
    open_ = linked_orders(["bob"], [day[24]], orders=orders)
    assert open_.share.n == 0  # its week is not over
    with pytest.raises(OutOfRange):
        linked_orders(["bob"], [day[1], day[2]], orders=orders)
    assert len(linked_orders([], np.array([], "datetime64[us]"), orders=orders)) == 0


def contacts(**columns) -> dict:
    return {
        "contact": ["a", "b", "c", "d"],
        "at": [local(2026, 6, 2, 9, zone=ZONE), local(2026, 6, 2, 9, zone=ZONE), local(2026, 6, 2, 20, zone=ZONE),
               local(2026, 6, 3, 9, 30, zone=ZONE)],
        "answered_at": [local(2026, 6, 2, 10, zone=ZONE), local(2026, 6, 2, 10, 1, zone=ZONE), None, None],
        "value_minor": [100, 200, None, 800],
        **columns,
    }  # fmt: skip


def test_every_contact_has_one_state() -> None:
    found = missed_contacts(contacts(), hours=HOURS, now=NOW, currency="THB", within_hours=1)
    assert found.counts() == {"answered in time": 1, "answered late": 1, "waiting": 2, "missed": 0}
    later = missed_contacts(contacts(), hours=HOURS, now=NOW + timedelta(hours=1), currency="THB")
    assert later.counts() == {"answered in time": 1, "answered late": 1, "waiting": 0, "missed": 2}
    assert later.at_risk == Money(1000, "THB")
    assert later.after_hours.tolist() == [False, False, True, False]
    assert later.business_hours.tolist() == pytest.approx([1, 61 / 60, 2, 1.5])
    assert repr(later) == "MissedContacts(4 contacts, 3 late or missed, 10.00 THB at risk)"
    assert later.to_frame()["state"] == ["answered in time", "answered late", "missed", "missed"]
    assert later.chart().rows[3]["value"] == 2
    assert len(later._repr_html_()) < 6000
    before = missed_contacts(contacts(), hours=HOURS, now=local(2026, 6, 3, 9, 30, zone=ZONE), currency="THB")
    assert before.hours[3] == 0


def test_the_loss_carries_the_interval_of_the_gap() -> None:
    n = 60
    came = [local(2026, 6, 1, 9, zone=ZONE) + timedelta(minutes=i) for i in range(n)]
    answered = [t + timedelta(minutes=5 if i < 40 else 180) for i, t in enumerate(came)]
    bought = [i % 2 == 0 if i < 40 else i % 10 == 0 for i in range(n)]
    found = missed_contacts(
        {"at": came, "answered_at": answered, "value_minor": [1000] * n, "bought": bought},
        hours=HOURS, now=NOW, currency="THB",
    )  # fmt: skip
    gap = found.purchase_gap(small_sample_ok=True)
    assert gap.difference.value == pytest.approx(0.4)
    loss = found.expected_loss(gap.difference)
    assert loss.value == pytest.approx(8000)
    assert (loss.low, loss.high) == pytest.approx((20_000 * gap.difference.low, 20_000 * gap.difference.high))
    assert found.expected_loss(0.3).value == pytest.approx(6000)
    with pytest.raises(OutOfRange):
        found.expected_loss(30)
    with pytest.raises(EmptyInput):
        missed_contacts(contacts(), hours=HOURS, now=NOW, currency="THB").purchase_gap()
    assert isinstance(loss, Estimate)


def test_contacts_that_cannot_be_are_refused_together() -> None:
    bad = contacts(answered_at=[local(2026, 6, 2, 8, zone=ZONE), None, None, None], value_minor=[-1, 0, 0, 0])
    bad["at"][1] = NOW + timedelta(days=1)
    bad["bought"] = [2, None, None, None]
    with pytest.raises(BadRows) as caught:
        missed_contacts(bad, hours=HOURS, now=NOW, currency="THB")
    for part in ("answered_at: before the contact", "at: after now", "value_minor: negative", "bought: neither"):
        assert part in str(caught.value)
    nothing = missed_contacts({"at": [], "answered_at": []}, hours=HOURS, now=NOW, currency="THB")
    assert (len(nothing), str(nothing), nothing.at_risk) == (0, "no contacts", Money(0, "THB"))
    with pytest.raises(OutOfRange):
        missed_contacts(contacts(), hours=HOURS, now=NOW, currency="baht")
    with pytest.raises(NaiveDatetime):
        missed_contacts(contacts(), hours=HOURS, now=datetime(2026, 6, 3), currency="THB")


def test_an_answer_after_now_has_not_happened_yet() -> None:
    early = local(2026, 6, 2, 9, 30, zone=ZONE)
    frame = {"at": [local(2026, 6, 2, 9, zone=ZONE)], "answered_at": [NOW]}
    found = missed_contacts(frame, hours=HOURS, now=early, currency="THB")
    assert found.counts()["waiting"] == 1
    assert found.hours.tolist() == [0.5]


def test_targets_can_be_eased_until_one_agent_is_enough() -> None:
    lax = QueueTargets(service_level=0.01, within_s=3600)
    assert plan_day([1], handling_s=60, targets=lax).agents.tolist() == [1]
    assert datetime(2026, 1, 1, tzinfo=UTC) < NOW


def test_every_result_goes_through_json(log: CallLog) -> None:
    orders = OrderTable.from_frame({"customer": ["ann"], "time": [NOW], "amount": [1]}, currency="THB")
    results = (
        log,
        log.arrivals(zone=ZONE),
        plan_day([1, 2, 0], handling_s=100),
        simulate_backlog([1, 2], [1, 1], handling_s=60, seed=1, runs=3),
        missed_contacts(contacts(), hours=HOURS, now=NOW, currency="THB"),
        linked_orders(["ann"], [NOW], orders=orders),
    )
    for result in results:
        written = json.loads(json.dumps(result.to_dict()))
        assert type(result).from_dict(written).to_dict() == result.to_dict()


def test_a_busy_day_asks_for_more_than_the_mean_one(log: CallLog) -> None:
    profile = log.arrivals(zone=ZONE, since=local(2026, 6, 1, zone=ZONE), until=local(2026, 6, 9, zone=ZONE))
    assert profile.busy(0.9)[18] == 3 > profile.mean()[18] == 1.5
    with pytest.raises(OutOfRange, match="write 90 %"):
        profile.busy(90)


def test_measures_and_links_are_drawn() -> None:
    measures = agents_needed(arrivals_per_hour=200, handling_s=180).best
    assert [row["text"] for row in measures.chart().rows] == ["17.4%", "88.8%", "0%", "71.4%"]
    orders = OrderTable.from_frame({"customer": ["ann"], "time": [NOW], "amount": [1]}, currency="THB")
    found = linked_orders(["ann"], [NOW], orders=orders)
    assert found.chart().rows[0]["value"] == 1
    assert str(found).startswith("followed by an order: 1 [")
    assert "figure" in found._repr_html_()


def test_pictures_of_one_day_and_of_nothing() -> None:
    one = CallLog.from_frame({"at": [NOW], "waited_s": [1], "handled_s": [60]})
    profile = one.arrivals(zone=ZONE)
    assert "low" not in profile.chart().rows[0]
    assert math.isnan(profile.dispersion())
    assert "09" not in profile._repr_html_()
    assert {row["series"] for row in plan_day([5], handling_s=60).chart().rows} == {"agents", "load (erlangs)"}
    with pytest.raises(EmptyInput):
        plan_day([], handling_s=60).chart()
    assert one.to_frame()["waited_s"] == [1]
    assert "call log" in one._repr_html_()
    with pytest.raises(OutOfRange, match="until"):
        one.arrivals(zone=ZONE, since=NOW, until=NOW - timedelta(days=3))


def test_erlang_b_reads_counts_and_erlangs() -> None:
    assert erlang_b(0, 3.0) == pytest.approx(1)
    with pytest.raises(OutOfRange, match="agents"):
        erlang_b(-1, 3.0)
    with pytest.raises(OutOfRange, match="load"):
        erlang_b(1, 0.0)
