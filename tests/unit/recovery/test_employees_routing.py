"""Handing out work: every reason, every preference, texts, results, and bad input."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.errors import BadRows, DuplicateIds, EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.recovery.employees import (
    Absence,
    Agent,
    AloneLimit,
    Assigned,
    Certificate,
    Desk,
    DeskLoad,
    Empowerment,
    Prefer,
    ResponseTargets,
    SkillMatrix,
    SupportRule,
    Task,
    Unassigned,
    Work,
    route,
    route_all,
)
from crmcore.recovery.employees.people import duty_us
from crmcore.values import Money, Severity

ZONE = "Asia/Bangkok"
HOURS = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "17:00")]})
NOW = local(2026, 6, 3, 10, zone=ZONE)


def desk(*agents: Agent, **options) -> Desk:
    return Desk(zone=ZONE, agents=agents or [Agent(id="ann"), Agent(id="bob"), Agent(id="dao")], **options)


def work(id: str = "c1", **fields) -> Work:
    return Work(id=id, at=fields.pop("at", NOW), **fields)


def refused(found) -> dict[str, tuple[str, ...]]:
    assert isinstance(found, Unassigned)
    return {r.id: r.reasons for r in found.refused}


def test_every_reason_is_told_and_all_of_one_agent_together() -> None:
    team = desk(
        Agent(id="away", away=[Absence(NOW - timedelta(hours=1), NOW + timedelta(hours=2))]),
        Agent(id="closed", hours=BusinessCalendar(ZONE, {"mon-fri": [("13:00", "17:00")]})),
        Agent(id="full", capacity=2, grade="agent"),
        Agent(id="hard", grade="boss"),
        Agent(id="rests", grade="boss"),
        limits=Empowerment(["agent", "boss"], [AloneLimit(grade="agent", action="refund", at_most=Money(100, "THB")),
                                               AloneLimit(grade="boss", action="refund")]),
        support=SupportRule(most_hard=1),
    )  # fmt: skip
    needs = SupportRule(most_hard=1).assess(
        ["rests", "hard"], [NOW - timedelta(minutes=5), NOW - timedelta(hours=3)], now=NOW
    )
    load = team.load(open_units={"full": 1.5}, support=needs)
    asked = work(action="refund", amount=Money(200, "THB"), severity="critical", not_to=["away"])
    found = route(asked, desk=team, now=NOW, load=load)
    back = NOW + timedelta(hours=2)
    assert refused(found) == {
        "away": (
            f"away until {back}",
            "grade '' has no limits of its own",
            "must not get this work",
        ),
        "closed": ("not on duty", "grade '' has no limits of its own"),
        "full": ("refund of 2.00 THB is above 1.00 THB a case", "full: 1.5 of 2 units, 1 more asked"),
        "hard": ("1 hard cases lately: no further one",),
        "rests": ("rests until 2026-06-03 10:10:00+07:00", "1 hard cases lately: no further one"),
    }
    assert str(found).splitlines()[0] == "c1 to nobody"
    assert "rests" not in str(found).replace("rests until", "")
    assert "away:" not in repr(found)


def test_the_earliest_instant_looks_through_hours_absence_and_rest() -> None:
    away = Absence(NOW, local(2026, 6, 4, 11, zone=ZONE))
    team = desk(
        Agent(id="ann", hours=HOURS, away=[away]),
        Agent(id="bob", hours=BusinessCalendar(ZONE, {"mon": [("09:00", "10:00")]})),
        Agent(id="cho", hours=BusinessCalendar(ZONE, {})),
    )
    found = route(work(), desk=team, now=NOW)
    assert isinstance(found, Unassigned)
    assert found.earliest == local(2026, 6, 4, 11, zone=ZONE)
    assert "earliest 2026-06-04 11:00:00+07:00" in str(found)
    night = local(2026, 6, 4, 20, zone=ZONE)
    second = desk(Agent(id="ann", hours=HOURS, away=[Absence(NOW, night), Absence(night, night + timedelta(days=1))]))
    assert route(work(), desk=second, now=NOW).earliest == local(2026, 6, 8, 9, zone=ZONE)
    helpless = route(work(needs={"x": 1}), desk=team, now=NOW)
    assert helpless.earliest is None


def test_a_desk_without_agents_is_an_outcome() -> None:
    found = route(work(), desk=Desk(zone=ZONE, agents=[]), now=NOW)
    assert str(found) == "c1 to nobody: the desk has no agents"
    assert len(route_all([], desk=desk(), now=NOW)) == 0
    assert str(route_all([], desk=desk(), now=NOW)) == "nothing to hand out"


@pytest.mark.parametrize(
    ("load", "prefer", "agent", "by"),
    [
        ({"open_units": {"ann": 1, "bob": 1}}, None, "dao", "least loaded"),
        ({"taken": {"ann": 1, "dao": 1}}, None, "bob", "fewest lately"),
        ({"last_taken": {"ann": NOW, "bob": NOW - timedelta(hours=1), "dao": NOW}}, None, "bob", "longest idle"),
        ({}, None, "ann", "id"),
        ({"open_units": {"ann": 1}, "taken": {"bob": 3, "dao": 5}}, [Prefer.FEWEST_LATELY], "ann", "fewest lately"),
        ({"open_units": {"ann": 1}}, [], "ann", "id"),
    ],
)
def test_preferences_decide_in_their_order(load, prefer, agent: str, by: str) -> None:
    team = desk()
    options = {} if prefer is None else {"prefer": prefer}
    found = route(work(), desk=team, now=NOW, load=team.load(**load), **options)
    assert isinstance(found, Assigned)
    assert (found.agent, found.decided_by) == (agent, by)


def test_who_knows_the_customer_goes_first_where_eligible() -> None:
    team = desk()
    load = team.load(open_units={"dao": 4})
    found = route(work(prefers="dao"), desk=team, now=NOW, load=load)
    assert (found.agent, found.decided_by) == ("dao", "knows the customer")
    full = team.load(open_units={"dao": 5})
    assert route(work(prefers="dao"), desk=team, now=NOW, load=full).agent == "ann"


def test_experts_can_be_kept_for_what_only_they_can_do() -> None:
    skills = SkillMatrix.of(
        [Certificate(agent="ann", skill="refund", level=3), Certificate(agent="bob", skill="refund", level=1)]
    )
    team = desk(skills=skills)
    asked = work(needs={"refund": 1})
    assert route(asked, desk=team, now=NOW, prefer=["least surplus skill"]).agent == "bob"
    assert route(asked, desk=team, now=NOW).agent == "ann"


def test_tasks_and_own_needs_add_up_to_the_higher_level() -> None:
    team = desk(tasks=[Task("refund", {"refund": 2, "thai": 1})])
    assert dict(team.needs(work(task="refund", needs={"refund": 1, "vip": 1}))) == {"refund": 2, "thai": 1, "vip": 1}
    with pytest.raises(UnknownName, match="did you mean 'refund'"):
        route(work(task="refnd"), desk=team, now=NOW)


def test_a_certificate_ends_by_the_date_of_the_desk_and_not_of_utc() -> None:
    skills = SkillMatrix.of([Certificate(agent="ann", skill="x", expires="2026-06-03")])
    team = desk(Agent(id="ann"), skills=skills)
    late = local(2026, 6, 3, 23, 59, zone=ZONE)
    assert isinstance(route(work(needs={"x": 1}), desk=team, now=late), Assigned)
    after = datetime(2026, 6, 3, 17, 0, tzinfo=UTC)  # still the third in UTC, the fourth in Bangkok
    assert isinstance(route(work(needs={"x": 1}), desk=team, now=after), Unassigned)


def test_hard_cases_stop_at_the_limit_within_one_sweep() -> None:
    team = desk(Agent(id="ann", capacity=9), support=SupportRule(most_hard=2))
    found = route_all([work(f"c{i}", severity=1) for i in range(3)] + [work("d")], desk=team, now=NOW)
    assert [r.work for r in found.unassigned] == ["c2"]
    assert found.load.hard_lately.tolist() == [2]


def test_due_times_come_from_the_targets_unless_work_has_its_own() -> None:
    team = desk(targets=ResponseTargets(HOURS, {"critical": 60, "normal": 480}))
    own = NOW + timedelta(minutes=30)
    found = route_all(
        [work("mild", severity="low"), work("plain"), work("bad", severity="critical"), work("own", due=own)],
        desk=team, now=NOW,
    )  # fmt: skip
    assert [r.work for r in found.routes] == ["own", "bad", "plain", "mild"]
    assert [r.due for r in found.routes][1] == local(2026, 6, 3, 11, zone=ZONE)
    assert found.routes[3].due is None


def test_results_leave_masked_for_eyes_and_whole_for_work() -> None:
    found = route_all([work("c1"), work("c2", needs={"x": 1})], desk=desk(), now=NOW)
    assert repr(found) == "Routing(1 assigned, 1 unassigned)"
    for text in (repr(found), str(found), found._repr_html_(), repr(found.routes), repr(found.load)):
        assert "ann" not in text.replace("handed", "")
    frame = found.to_frame()
    assert frame["agent"] == ["ann", None]
    assert frame["reasons"][1].startswith("ann: needs x level 1")
    assert len(found.to_frame(backend="polars")) == 2
    assert Assigned.from_dict(found.assigned[0].to_dict()) == found.assigned[0]
    assert Unassigned.from_dict(found.unassigned[0].to_dict()) == found.unassigned[0]
    assert found.chart().rows[0]["value"] == pytest.approx(0.2)
    assert {row["label"] for row in found.chart().rows} == {"agent 1", "agent 2", "agent 3"}


def test_closing_work_frees_the_agent() -> None:
    team = desk()
    load = route_all([work("c1", units=2)], desk=team, now=NOW).load
    assert load.done("ann", units=2).open_units.tolist() == [0, 0, 0]
    with pytest.raises(OutOfRange, match="close what was taken"):
        load.done("bob")
    with pytest.raises(UnknownName) as caught:
        load.done("zoe")
    assert "zoe" not in str(caught.value)


def test_gini_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        x = rng.integers(0, 5, 6).astype(float)
        zeros = np.zeros(6, np.int64)
        load = DeskLoad(tuple("abcdef"), x, zeros, zeros, zeros, zeros, zeros.astype(bool))
        wanted = np.abs(x[:, None] - x).sum() / (2 * 6 * x.sum()) if x.sum() else 0
        assert load.gini() == pytest.approx(wanted)
    assert DeskLoad(("a", "b"), [2, 4], *[np.zeros(2, np.int64)] * 4, [False, False]).gini([1, 2]) == 0


def test_bad_input_is_refused_with_the_way_out() -> None:
    team = desk()
    with pytest.raises(DuplicateIds):
        route_all([work("c1"), work("c1")], desk=team, now=NOW)
    with pytest.raises(NaiveDatetime):
        route(work(), desk=team, now=datetime(2026, 6, 3))
    with pytest.raises(BadRows) as caught:
        team.load(open_units={"zoe": 1, "ann": -1})
    assert "not on this desk" in str(caught.value)
    assert "no number from 0" in str(caught.value)
    assert "zoe" not in str(caught.value)
    with pytest.raises(BadRows, match="not one of the 3 agents"):
        team.load(last_taken={"zoe": NOW})
    with pytest.raises(DuplicateIds):
        desk(Agent(id="ann"), Agent(id="ann"))
    with pytest.raises(DuplicateIds):
        desk(tasks=[Task("x"), Task("x")])
    with pytest.raises(UnknownName, match="did you mean 'Asia/Bangkok'"):
        Desk(zone="Asia/Bankok", agents=[])
    with pytest.raises(UnknownName):
        route(work(), desk=team, now=NOW, prefer=["tallest"])
    with pytest.raises(WrongType):
        route_all("c1", desk=team, now=NOW)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"units": 0}, OutOfRange), ({"units": "one"}, WrongType), ({"distress": 2}, OutOfRange),
        ({"severity": "awful"}, UnknownName), ({"severity": 9}, UnknownName), ({"amount": Money(1, "THB")}, OutOfRange),
        ({"at": datetime(2026, 6, 1)}, NaiveDatetime), ({"not_to": "dao"}, WrongType),
        ({"needs": {"x": -1}}, OutOfRange),
    ],
)  # fmt: skip
def test_work_that_makes_no_sense_is_refused(fields, error: type[Exception]) -> None:
    with pytest.raises(error):
        work(**fields)


def test_work_and_agents_go_through_json() -> None:
    item = work(needs={"x": 2}, severity="high", action="refund", amount=Money(5, "THB"), due=NOW, not_to=["dao"])
    assert Work.from_dict(item.to_dict()) == item
    agent = Agent(id="dao", hours=HOURS, away=[Absence(NOW, NOW + timedelta(hours=1))], grade="agent")
    assert Agent.from_dict(agent.to_dict()) == agent
    targets = ResponseTargets(HOURS, {"critical": 60})
    assert ResponseTargets.from_dict(targets.to_dict()) == targets
    assert targets.to_frame() == {"severity": ["critical"], "minutes": [60.0]}
    assert "60" in targets._repr_html_()


def test_a_severity_without_target_takes_that_of_the_next_milder() -> None:
    targets = ResponseTargets(HOURS, {"high": 120, "low": 960})
    assert [targets.target_minutes(s) for s in Severity] == [120, 120, 960, 960]
    assert ResponseTargets(HOURS, {"critical": 60}).due(NOW, severity="low") is None
    with pytest.raises(UnknownName, match="did you mean 'critical'"):
        ResponseTargets(HOURS, {"criticl": 60})
    with pytest.raises(WrongType):
        ResponseTargets("nine to five", {"critical": 60})
    with pytest.raises(OutOfRange):
        ResponseTargets(HOURS, {"critical": 0})


def test_agents_that_make_no_sense_are_refused() -> None:
    with pytest.raises(WrongType, match="BusinessCalendar"):
        Agent(id="dao", hours="9-5")
    with pytest.raises(OutOfRange):
        Agent(id="dao", capacity=0)
    with pytest.raises(OutOfRange, match="the first instant back at work"):
        Absence(NOW, NOW)
    assert repr(Agent(id="dao")).startswith("Agent(id='d•••'")


def test_rest_and_offers_count_only_hard_cases_in_the_window() -> None:
    rule = SupportRule(rest_minutes=15, within_hours=8, offer_after=2, most_hard=3)
    ended = [NOW - timedelta(minutes=m) for m in (10, 60, 9 * 60, 14, 20)] + [NOW + timedelta(minutes=1)]
    found = rule.assess(
        ["ann", "ann", "ann", "bob", "bob", "bob"], ended, severity=[1, 1, 1, 3, 4, 1],
        distress=[None, 0.1, None, 0.9, 0.2, 1], now=NOW,
    )  # fmt: skip
    assert found.hard_count.tolist() == [2, 1]
    assert found.offer.tolist() == [True, False]
    assert found.no_more_hard.tolist() == [False, False]
    assert found.resting_until.tolist() == [datetime(2026, 6, 3, 3, 5), datetime(2026, 6, 3, 3, 1)]
    assert repr(found) == "SupportNeeds(of 2: 2 resting, 1 to be offered support)"
    assert "ann" not in found._repr_html_()
    assert found.to_frame()["agent"] == ["ann", "bob"]


def test_without_severity_every_case_is_hard_and_nothing_is_no_error() -> None:
    assert SupportRule().assess(["a"], [NOW], now=NOW).hard_count.tolist() == [1]
    assert len(SupportRule().assess([], np.array([], "datetime64[us]"), now=NOW)) == 0
    late = SupportRule(rest_minutes=15).assess(["a"], [NOW - timedelta(minutes=15)], now=NOW)
    assert np.isnat(late.resting_until[0])  # the rest has just ended
    with pytest.raises(BadRows):
        SupportRule().assess([None], [NOW], now=NOW)
    with pytest.raises(BadRows, match="no share"):
        SupportRule().assess(["a"], [NOW], distress=[1.5], now=NOW)
    with pytest.raises(OutOfRange):
        SupportRule(offer_after=0)
    assert SupportRule.from_dict(SupportRule().to_dict()) == SupportRule()


def test_an_inbox_comes_from_a_frame() -> None:
    frame = {
        "id": ["m1", "m2", 3], "at": [NOW, NOW, NOW], "severity": ["high", 1, None], "task": ["refund", None, None],
        "units": [2, None, 0.5], "action": ["refund", None, None], "amount": ["12.50", None, None],
        "due": [None, NOW + timedelta(hours=1), None], "distress": [0.9, None, 0], "prefers": [None, "dao", None],
    }  # fmt: skip
    first, second, third = Work.from_frame(frame, currency="THB")
    assert first == Work(id="m1", at=NOW, severity=2, task="refund", units=2, action="refund",
                         amount=Money(1250, "THB"), distress=0.9)  # fmt: skip
    assert second == Work(id="m2", at=NOW, severity="critical", due=NOW + timedelta(hours=1), prefers="dao")
    assert third == Work(id="3", at=NOW, units=0.5, distress=0.0)
    polars = pytest.importorskip("polars")
    assert Work.from_frame(polars.DataFrame({"id": ["m1"], "at": [NOW]})) == (Work(id="m1", at=NOW),)
    assert Work.from_frame({"id": [], "at": []}) == ()


def test_all_bad_rows_of_an_inbox_are_named_at_once() -> None:
    frame = {
        "id": [None, "m2", "m3"], "at": [NOW, None, NOW], "severity": ["awful", 7, 1.5], "units": [0, -1, 1],
        "distress": [2, 0, 0], "amount": [1, None, None],
    }  # fmt: skip
    with pytest.raises(BadRows) as caught:
        Work.from_frame(frame, currency="THB")
    for part in ("id: missing", "at: missing", "severity: no severity in 3 rows", "units: not above 0 in 2 rows",
                 "distress: no share", "amount: without an action"):  # fmt: skip
        assert part in str(caught.value)
    with pytest.raises(NaiveDatetime):
        Work.from_frame({"id": ["m1"], "at": ["2026-06-01 09:00"]})


def test_progress_of_handing_out_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    route_all([work("c1")], desk=desk(), now=NOW, progress=lambda *p: told.append(p))
    assert told == [("handed out", 0, 1), ("handed out", 1, 1)]


def test_many_unassigned_share_what_did_not_change_and_differ_where_it_did() -> None:
    team = desk(Agent(id="ann", capacity=1), Agent(id="bob", capacity=1))
    items = [work("a", units=2), work("b", units=1), work("c", units=2), work("d", units=1), work("e", units=2)]
    found = {r.work: r for r in route_all(items, desk=team, now=NOW).routes}
    assert refused(found["a"])["ann"] == ("full: 0 of 1 units, 2 more asked",)
    assert refused(found["c"]) == {
        "ann": ("full: 1 of 1 units, 2 more asked",), "bob": ("full: 0 of 1 units, 2 more asked",)
    }  # fmt: skip
    assert refused(found["e"])["bob"] == ("full: 1 of 1 units, 2 more asked",)


def test_what_rests_is_drawn_and_written() -> None:
    found = SupportRule().assess(["a", "a", "b"], [NOW, NOW, NOW], now=NOW, severity=[1, 1, 4])
    assert [row["value"] for row in found.chart().rows] == [1, 0, 1]
    assert str(found) == repr(found)


def test_a_desk_goes_through_json() -> None:
    team = desk(
        Agent(id="ann", hours=HOURS),
        skills=SkillMatrix.of([Certificate(agent="ann", skill="x", expires="2026-07-01")], skills=["y"]),
        tasks=[Task("t", {"x": 1})], limits=Empowerment(["a"], [AloneLimit(grade="a", action="refund")]),
        targets=ResponseTargets(HOURS, {"critical": 60}), support=SupportRule(),
    )  # fmt: skip
    for one in (team, desk()):
        again = Desk.from_dict(json.loads(json.dumps(one.to_dict())))
        assert again.to_dict() == one.to_dict()
        assert route(work(), desk=again, now=NOW) == route(work(), desk=one, now=NOW)
    assert "ann" not in team._repr_html_()


def test_the_load_of_another_desk_is_refused() -> None:
    with pytest.raises(OutOfRange, match="of the 3 agents of the desk"):
        route(work(), desk=desk(), now=NOW, load=desk(Agent(id="zoe")).load())
    with pytest.raises(WrongType, match="prefer"):
        route(work(), desk=desk(), now=NOW, prefer="least loaded")


def test_severities_of_past_cases_may_be_words() -> None:
    rule = SupportRule(hard_severity="high")
    found = rule.assess(["a", "a", "b"], [NOW] * 3, severity=["high", None, "normal"], now=NOW)
    assert found.hard_count.tolist() == [1, 0]
    with pytest.raises(UnknownName):
        rule.assess(["a"], [NOW], severity=["awful"], now=NOW)
    never = SupportRule(most_hard=None).assess(["a"] * 9, [NOW] * 9, now=NOW)
    assert not never.no_more_hard.any()
    with pytest.raises(OutOfRange):
        SupportRule(hard_distress=2)


def test_a_load_as_a_picture_of_nobody_is_refused() -> None:
    with pytest.raises(EmptyInput):
        route_all([], desk=Desk(zone=ZONE, agents=[]), now=NOW).chart()
    load = desk().load(open_units={"ann": 2})
    assert "2" in load._repr_html_()
    assert load.to_frame(backend="polars")["last_taken"].to_list() == [None] * 3


def test_absences_that_overlap_count_once() -> None:
    hours = [NOW + timedelta(hours=h) for h in range(4)]
    agent = Agent(id="ann", away=[Absence(hours[0], hours[2]), Absence(hours[1], hours[3])])
    starts, ends = (np.array([t.astimezone(UTC).replace(tzinfo=None)], "datetime64[us]") for t in (hours[0], hours[3]))
    assert duty_us(agent, starts, ends).tolist() == [0]
    assert duty_us(agent, starts[:0], ends[:0]).tolist() == []
