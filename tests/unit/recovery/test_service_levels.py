"""Service levels: sentences of errors, reprs, findings, and the bulk run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import ClockEventTable, ClockPolicy, ClockTerms, Targets
from crmcore.errors import (
    BadDocument,
    BadRows,
    ConflictingConstraints,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.recovery.employees import Agent, Desk, SkillMatrix, Task
from crmcore.recovery.service import (
    Alerts,
    LogFinding,
    LogSummary,
    Promise,
    Scope,
    ServiceLog,
    ServicePolicy,
    ServiceReport,
    SuspectLog,
    alerts_between,
    read_dates,
    read_events,
    run_bulk,
    service_clocks,
    service_report,
    share_within,
    stages,
)
from crmcore.recovery.service.bulk import triage
from crmcore.rules import FactTable, Rule, RuleSet, field
from crmcore.tables import CustomerIndex

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
ALWAYS = BusinessCalendar.always("UTC")
OFFICE = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "17:00")]})
ALL = Promise("all", Scope.everything(), Targets(first_response_minutes=60, resolution_minutes=240))


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def small_log(n: int = 4, **facts: list[str | None]) -> ServiceLog:
    """Cases created at nine; the first half is answered and resolved after 30 minutes each more."""
    made = [(f"c{i}", at(0), "created") for i in range(n)]
    made += [(f"c{i}", at(30 * (i + 1)), kind) for i in range(n // 2) for kind in ("agent reply", "resolved")]
    frame = dict(zip(("case", "time", "activity"), map(list, zip(*made, strict=True)), strict=True))
    return read_events(frame, zone="UTC").with_facts(**facts)


# --- policies --------------------------------------------------------------------------------------------------------


def test_a_policy_without_calendar_is_a_clear_error() -> None:
    with pytest.raises(EmptyInput, match=r"ClockPolicy.calendar is empty.*\n.*BusinessCalendar"):
        ServicePolicy(None, [ALL])  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="calendar"):
        ServicePolicy("UTC", [ALL])  # type: ignore[arg-type]
    with pytest.raises(EmptyInput, match=r"calendars\['acknowledgement'\]"):
        Promise("x", Scope.everything(), {}, calendars={"acknowledgement": None})  # type: ignore[dict-item]


def test_scopes_are_said_not_left_out() -> None:
    with pytest.raises(WrongType, match=r"Scope.everything\(\)"):
        Promise("x", None, {})  # type: ignore[arg-type]
    with pytest.raises(WrongType, match=r"write \['vip'\]"):
        Scope(segments="vip")
    with pytest.raises(OutOfRange, match="no promise"):
        Promise("no promise", Scope.everything(), {})
    with pytest.raises(EmptyInput, match="promise something"):
        ServicePolicy(OFFICE, [])
    with pytest.raises(DuplicateIds, match="a name of its own"):
        ServicePolicy(OFFICE, [ALL, ALL])
    with pytest.raises(ConflictingConstraints, match=r"Scope.everything\(\)"):
        ServicePolicy(ClockPolicy(OFFICE, Targets(resolution_minutes=1)), [ALL])


def test_lint_names_gaps_and_what_never_gets_its_turn() -> None:
    made = [
        Promise("high", Scope(priorities=["high"]), {}),
        Promise("vip", Scope(segments=["vip"]), {}),
        Promise("low vip", Scope(priorities=["high", "low"], segments=["vip"]), {}),
    ]
    policy = ServicePolicy(OFFICE, made)
    assert [str(f) for f in policy.lint()] == [
        "shadowed: 'low vip' never gets its turn: 'high', 'vip' before it",
        "gap: no promise for priority low or any other and segment any other",
    ]
    assert [str(f) for f in policy.lint({"priority": ["high"]})] == [
        "shadowed: 'vip' never gets its turn: 'high' before it",
        "shadowed: 'low vip' never gets its turn: 'high' before it",
    ]
    with pytest.raises(OutOfRange, match="one of"):
        policy.lint({"colour": ["red"]})


def test_a_policy_prints_and_goes_to_json_and_frame() -> None:
    policy = ServicePolicy(OFFICE, [Promise("vip", Scope(segments=["vip"]), ALL.targets, calendar=ALWAYS), ALL])
    assert repr(policy) == "ServicePolicy(2 promises: vip, all)"
    assert str(policy).splitlines()[0] == "1. vip: segment vip; first response 60 min, resolution 240 min"
    frame = policy.to_frame()
    assert frame["zone"] == ["UTC", "UTC", "Europe/Berlin", "Europe/Berlin"]
    assert ServicePolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    with pytest.raises(BadDocument, match="'clocks' and 'scopes'"):
        ServicePolicy.from_dict({})
    document = policy.to_dict()
    document["scopes"].pop()
    with pytest.raises(BadDocument, match="one scope"):
        ServicePolicy.from_dict(document)
    assert policy.why(segment="vip").outcome == "vip"
    with pytest.raises(UnknownName, match="promise"):
        policy["vipp"]


def test_terms_have_calendars_by_clock_in_json() -> None:
    terms = ClockTerms(Targets(resolution_minutes=5), OFFICE, calendars={"acknowledgement": ALWAYS})
    policy = ClockPolicy(OFFICE, terms={"x": terms})
    assert policy.calendar_of("acknowledgement", "x") is ALWAYS  # type: ignore[arg-type]
    assert ClockPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy


def test_a_stated_promise_stays_whatever_priority_follows() -> None:
    gold = Promise("gold", Scope(priorities=["p1"]), Targets(resolution_minutes=10))
    frame = {
        "case": ["7"] * 3, "time": [at(0), at(5), at(20)], "activity": ["created", "policy", "priority"],
        "to": [None, "all", "p1"],
    }  # fmt: skip
    log = read_events(frame, zone="UTC")
    read = service_clocks(log, ServicePolicy(ALWAYS, [gold, ALL]), now=at(60)).of("resolution")
    assert (read.promise.to_list(), read.table.target_minutes.tolist()) == (["all"], [240.0])
    frame["to"] = [None, "golden", "p1"]
    with pytest.raises(UnknownName, match="promise 'golden'"):
        service_clocks(read_events(frame, zone="UTC"), ServicePolicy(ALWAYS, [gold, ALL]), now=at(60))


def test_a_new_priority_moves_the_target_and_the_hours_but_no_minute() -> None:
    urgent = Promise("urgent", Scope(priorities=["urgent"]), Targets(resolution_minutes=90), calendar=ALWAYS)
    night = NINE.replace(hour=14)  # 16:00 in Berlin
    log = read_events(
        {"case": ["7"] * 4, "time": [night, night.replace(hour=15), night.replace(hour=20), night.replace(hour=21)],
         "activity": ["created", "status", "priority", "customer message"], "to": [None, "pending", "urgent", None]},
        zone="UTC",
    )  # fmt: skip
    read = service_clocks(log, ServicePolicy(OFFICE, [urgent, ALL]), now=night.replace(hour=22))
    clock = read.case("7")["resolution"]
    assert (clock.minutes, clock.target_minutes, clock.breached) == (60 + 60, 90, True)
    assert read.case("7").minutes_by_status == {"open": 120, "pending": 60}  # an hour of office, an hour of urgency


# --- importers -------------------------------------------------------------------------------------------------------


def test_importers_demand_a_zone() -> None:
    frame = {"case": ["7"], "time": ["2026-06-01 09:00"], "activity": ["created"]}
    with pytest.raises(TypeError, match="zone"):
        read_events(frame)  # type: ignore[call-arg]
    with pytest.raises(NaiveDatetime, match="state the zone"):
        read_events(frame, zone=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="zone"):
        read_dates({"in": ["2026-06-01"]}, dates={"in": "created"})  # type: ignore[call-arg]
    with pytest.raises(UnknownName, match="Europe/Berlin"):
        read_events(frame, zone="Europe/Berlinn")


def test_bad_rows_are_named_all_at_once() -> None:
    frame = {"case": ["7", None, "8"], "time": ["soon", "2026-06-01 09:00", "2026-06-01"], "activity": ["created"] * 3}
    with pytest.raises(BadRows) as error:
        read_events(frame, zone="UTC")
    assert {p.column for p in error.value.problems} == {"case", "time"}
    table = {"in": ["7/29/2013", "29.7.2013", None], "out": ["8/1/2013", "13/13/2013", None]}
    with pytest.raises(BadRows) as error:
        read_dates(table, zone="UTC", dates={"in": "created", "out": "resolved"}, date_format="%m/%d/%Y")
    assert [(p.column, p.positions) for p in error.value.problems] == [("in", (1,)), ("out", (1,)), ("in", (2,))]
    with pytest.raises(MissingColumn, match="did you mean 'out'"):
        read_dates(table, zone="UTC", dates={"oute": "created"})
    with pytest.raises(DuplicateIds, match="read_events"):
        read_dates({"id": ["1", "1"], "in": ["2026-06-01"] * 2}, zone="UTC", dates={"in": "created"}, case="id")
    with pytest.raises(EmptyInput, match="name the columns"):
        read_dates(table, zone="UTC", dates={})


def test_a_table_of_dates_keeps_cases_and_facts_together() -> None:
    table = {"id": ["b", "a"], "in": ["2026-06-01", "2026-06-02"], "out": [None, "2026-06-04"], "via": ["web", "mail"]}
    log = read_dates(table, zone="UTC", dates={"in": "created", "out": "resolved"}, case="id", facts={"channel": "via"},
                     odd_ok=True)  # fmt: skip
    assert (log.cases, log.facts["channel"].to_list()) == (("a", "b"), ["mail", "web"])
    read = service_clocks(log, ServicePolicy(ALWAYS, [ALL]), now=datetime(2026, 6, 5, tzinfo=UTC))
    assert read.of("resolution").table.minutes.tolist() == [2880, 5760]


def office_log(n: int, *, shift_hours: int = 0, shift_days: int = 0) -> dict:
    rng = np.random.default_rng(1)
    day = rng.integers(0, 5, n) + 7 * rng.integers(0, 20, n) + shift_days
    minute = rng.integers(9 * 60, 17 * 60, n) + 60 * shift_hours
    time = np.datetime64("2026-01-05", "m") + day * 1440 + minute
    return {"case": [f"{i:04d}" for i in range(n)], "time": time.astype("datetime64[us]"), "activity": ["created"] * n}


def test_a_log_whose_week_or_day_does_not_fit_its_zone_is_told() -> None:
    assert read_events(office_log(500), zone="Europe/Berlin").findings == ()
    with pytest.warns(SuspectLog, match=r"activity of the day lies around 0\d:\d\d in Europe/Berlin"):
        read_events(office_log(500, shift_hours=13), zone="Europe/Berlin")
    with pytest.warns(SuspectLog, match="Tuesday and Wednesday are the quietest days"):
        read_events(office_log(500, shift_days=3), zone="Europe/Berlin")
    found = read_events(office_log(500, shift_days=3), zone="Europe/Berlin", odd_ok=True).findings
    assert [f.fault for f in found] == ["quiet days"]


def test_swapped_days_and_months_are_told() -> None:
    right = ["2026-03-30", "2026-04-02", "2026-04-05", "2026-04-20", "2026-05-03"]
    wrong = [*right[:2], "2026-05-04", *right[3:]]
    frame = {"case": ["7"] * 5, "time": [f"{d} 10:00" for d in wrong], "activity": ["created", *["assigned"] * 4]}
    with pytest.warns(SuspectLog, match="swapping day and month"):
        read_events(frame, zone="Europe/Rome")
    frame["time"] = [f"{d} 10:00" for d in right]
    assert read_events(frame, zone="Europe/Rome").findings == ()


def test_repeats_changing_facts_and_shuffled_rows_are_told() -> None:
    frame = {
        "case": ["7", "7", "7"], "time": [at(0), at(0), at(9)], "activity": ["created", "created", "assigned"],
        "via": ["mail", "mail", "chat"],
    }  # fmt: skip
    log = read_events(frame, zone="UTC", facts={"channel": "via"}, odd_ok=True)
    assert [f.fault.value for f in log.findings] == ["repeated rows", "changing fact"]
    assert log.facts["channel"].to_list() == ["mail"]
    assert LogFinding.from_dict(log.findings[0].to_dict()) == log.findings[0]
    shuffled = {"case": ["7"] * 4, "time": [at(m) for m in (9, 0, 5, 2)], "activity": ["created", *["assigned"] * 3]}
    found = read_events(shuffled, zone="UTC", odd_ok=True).findings
    assert "do not stand in the order of time" in str(found[0])


def test_a_log_sums_itself_up() -> None:
    log = small_log(4, channel=["mail", None, "mail", "chat"])
    found = log.summary(ClockPolicy(OFFICE), now=at(600))
    assert str(found) == (
        "8 events of 4 cases, 2026-06-01 to 2026-06-01: 2 resolved, 0 reopened, 0 ever waiting; 2 variants, most often "
        "created"
    )
    assert LogSummary.from_dict(found.to_dict()) == found
    assert "<table" in found._repr_html_()
    assert log.to_frame()["channel"] == ["mail", None, "mail", "chat"]
    bare = ServiceLog(log.events)
    assert bare.variants == log.variants
    assert len(log.take(np.array([True, False, False, False])).events) == 3
    with pytest.raises(OutOfRange, match=r"in the order of events\.cases"):
        log.with_facts(team=["a"])
    with pytest.raises(WrongType, match="read_events"):
        ServiceLog({"case": []})  # type: ignore[arg-type]
    empty = ServiceLog(ClockEventTable.of([]))
    assert empty.summary(ClockPolicy(OFFICE), now=at(0)).cases == 0
    assert len(service_clocks(empty, ServicePolicy(ALWAYS, [ALL]), now=at(0))) == 0


# --- reports and alerts ----------------------------------------------------------------------------------------------


def report_of(n: int = 40) -> ServiceReport:
    log = small_log(n, agent=[f"agent {i % 2}" for i in range(n)], team=["a <b>"] * n)
    read = service_clocks(log, ServicePolicy(ALWAYS, [ALL]), now=at(700))
    return service_report(read, by=["team", "agent", "month"], goal=0.5)


def test_a_report_prints_draws_and_goes_to_json() -> None:
    report = report_of()
    assert "open cases censored" in str(report)
    assert "goal 50 %: missed" in str(report.of("first response"))
    assert report.of("first response", by="agent", group="agent 0").n == 20
    assert "SMALL" in str(report.of("first response", by="agent", group="agent 0"))
    html = report._repr_html_()
    assert "a &lt;b&gt;" in html
    assert "<b>" not in html
    assert len(html) < 6000
    assert ServiceReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    frame = report.to_frame()
    assert frame["clock"][0] == "acknowledgement"
    wanted = {"share", "share_low", "share_high", "median", "small", "verdict", "closed_share"}
    assert wanted <= set(frame.columns)
    chart = report.chart("first response", by="agent")
    assert [r["label"] for r in chart.rows] == ["agent 0 (small n)", "agent 1 (small n)"]
    with pytest.raises(UnknownName, match="did you mean 'first response by team'"):
        report.of("first response", by="teams")
    with pytest.raises(UnknownName, match="group"):
        report.of("first response", by="agent", group="agent 7")
    with pytest.raises(EmptyInput, match="has targets"):
        report.chart("next response")


def test_reports_refuse_what_cannot_be_counted() -> None:
    log = small_log()
    read = service_clocks(log, ServicePolicy(ALWAYS, [ALL]), now=at(700))
    with pytest.raises(UnknownName, match="group 'teem'"):
        service_report(read.of("resolution"), by=["teem"])
    with pytest.raises(EmptyInput, match="no clock has started"):
        service_report(service_clocks(log, ServicePolicy(ALWAYS, [ALL]), now=at(-700)))
    with pytest.raises(EmptyInput, match="'next response'"):
        share_within(read, "next response", minutes=5)
    with pytest.raises(OutOfRange, match="goal"):
        service_report(read, goal=90)
    with pytest.raises(UnknownName, match="case"):
        read.case("c9")


def test_the_owner_when_the_clock_stopped_is_the_agent_of_the_case() -> None:
    frame = {
        "case": ["7"] * 5, "time": [at(0), at(1), at(10), at(20), at(90)],
        "activity": ["created", "assigned", "agent reply", "assigned", "resolved"],
        "to": [None, "ann", None, "dao", None],
    }  # fmt: skip
    read = service_clocks(read_events(frame, zone="UTC"), ServicePolicy(ALWAYS, [ALL]), now=at(100))
    told = dict(zip(read.to_frame()["clock"], read.owner.to_list(), strict=True))
    assert told == {"acknowledgement": "ann", "first response": "ann", "update": "dao", "active resolution": "dao"}
    rows = service_report(read, by=["agent"])
    assert rows.of("active resolution", by="agent", group="dao").kept == 1


def test_alerts_print_and_go_to_json() -> None:
    log = small_log(2)
    found = alerts_between(
        log, stages("first response", after=[5]), ServicePolicy(ALWAYS, [ALL]), since=NINE, until=at(900)
    )
    assert repr(found) == "Alerts(2 escalations, 0 hand-backs)"
    assert Alerts.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.to_frame()["level"] == [1, 2]
    assert "<table" in found._repr_html_()
    assert found[0].key == "c1|escalate|first response: at the breach, level 1|1"
    with pytest.raises(OutOfRange, match="swap them"):
        alerts_between(log, stages("resolution"), ServicePolicy(ALWAYS, [ALL]), since=at(9), until=at(0))


def test_a_reminder_at_night_waits_for_the_morning() -> None:
    evening = NINE.replace(hour=14, minute=30)  # 16:30 in Berlin
    log = read_events({"case": ["7"], "time": [evening], "activity": ["created"]}, zone="UTC")
    policy = ServicePolicy(OFFICE, [Promise("all", Scope.everything(), Targets(first_response_minutes=30))])
    found = alerts_between(log, stages("first response"), policy, since=evening, until=evening + timedelta(days=1))
    assert [f"{a.at:%d %H:%M}" for a in found] == ["02 07:00"]


# --- bulk ------------------------------------------------------------------------------------------------------------


def desk(**more: object) -> Desk:
    hours = BusinessCalendar("UTC", {"mon-fri": [("10:00", "18:00")]})
    return Desk(zone="UTC", agents=[Agent(id=i, hours=hours, capacity=2) for i in ("ann", "dao")], **more)


def test_a_desk_in_bulk_triages_routes_and_closes() -> None:
    log = small_log(10)
    facts = FactTable(CustomerIndex(log.cases), {"harm": [i == 9 for i in range(10)]})
    rules = RuleSet("triage", [Rule("harm", field("harm").is_true(), then="urgent")], default="normal")
    urgent = Promise("urgent", Scope(priorities=["urgent"]), Targets(first_response_minutes=5))
    run = run_bulk(log, ServicePolicy(ALWAYS, [urgent, ALL]), now=at(180), facts=facts, rules=rules, desk=desk(),
                   tick_minutes=60)  # fmt: skip
    assert run.log.facts["priority"].to_list() == ["normal"] * 9 + ["urgent"]
    got = run.agent.to_list()
    assert got[9] is not None  # due first, so handed out first
    assert run.counts == {"cases": 10, "routed": 7, "closed": 5, "closed unrouted": 2, "waiting": 1}
    assert str(run.routed_at[9]) == "2026-06-01T10:00:00.000000"
    for name in ("ann", "dao"):  # never more than two at a time
        mine = [i for i, a in enumerate(got) if a == name]
        for i in mine:
            when = run.routed_at[i]
            held = [j for j in mine if run.routed_at[j] <= when and not run.closed_at[j] <= when]
            assert len(held) <= 2
    assert repr(run) == "BulkRun(10 cases, 7 routed, 5 closed, 2 closed unrouted, 1 waiting)"
    assert run.report(by=["agent"]).of("first response", by="agent", group="ann").n == got.count("ann")
    assert run.to_frame()["agent"] == got
    assert "<table" in run._repr_html_()


def test_bulk_gives_work_only_to_the_skilled_and_says_who_waits() -> None:
    log = small_log(4, task=["refund", "refund", None, None])
    skilled = desk(tasks=[Task("refund", {"refunds": 1})], skills=SkillMatrix.of([]))
    run = run_bulk(log, ServicePolicy(ALWAYS, [ALL]), now=at(600), desk=skilled, tick_minutes=30)
    assert [a is not None for a in run.agent.to_list()] == [False, False, True, True]
    idle = run_bulk(log, ServicePolicy(ALWAYS, [ALL]), now=at(600))
    assert idle.agent.to_list() == [None] * 4
    assert idle.counts["closed"] == 2


def test_bulk_refuses_facts_of_other_cases_and_rules_without_words() -> None:
    log = small_log()
    rules = RuleSet("t", [Rule("x", field("x") > 1, then=5)])
    facts = FactTable(CustomerIndex(log.cases), {"x": [2.0] * 4})
    with pytest.raises(WrongType, match="give a priority"):
        triage(facts, rules, now=NINE)
    with pytest.raises(OutOfRange, match=r"in the order of log\.cases"):
        run_bulk(log, ServicePolicy(ALWAYS, [ALL]), now=NINE, rules=rules)
    with pytest.raises(OutOfRange, match="tick_minutes"):
        run_bulk(log, ServicePolicy(ALWAYS, [ALL]), now=at(9), desk=desk(), tick_minutes=0)
