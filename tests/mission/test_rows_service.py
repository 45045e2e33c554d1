"""Rows of the feature list that service levels own: clock side of 54, and 164, 165, 166 from policy to report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import Targets
from crmcore.recovery.employees.queues import QueueTargets, agents_needed
from crmcore.recovery.service import (
    Promise,
    Scope,
    ServicePolicy,
    alerts_between,
    read_events,
    service_clocks,
    service_report,
    share_within,
    stages,
)

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)  # a Monday
ALWAYS = BusinessCalendar.always("UTC")


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def everybody(calendar: BusinessCalendar = ALWAYS, **targets: float) -> ServicePolicy:
    return ServicePolicy(calendar, [Promise("all", Scope.everything(), Targets(**targets))])


def rows(*events: tuple[str, float, str], **more: list[str | None]) -> dict:
    return {
        "case": [c for c, *_ in events],
        "time": [at(m) for _, m, _ in events],
        "activity": [a for *_, a in events],
        **more,
    }


def test_row_054_a_complaint_by_handle_is_breached_after_4_hours_escalated_and_600_minutes_old_at_seven() -> None:
    log = read_events(
        rows(
            ("tweet", 0, "created"),
            ("mail", 30, "created"),
            ("mail", 60, "agent reply"),
            via=["social", "mail", "mail"],
        ),
        zone="UTC",
        facts={"channel": "via"},
        odd_ok=True,
    )
    policy = ServicePolicy(
        ALWAYS,
        [
            Promise("public", Scope(channels=["social"]), Targets(first_response_minutes=240)),
            Promise("rest", Scope.everything(), Targets(first_response_minutes=1440)),
        ],
    )
    fired = alerts_between(log, stages("first response", before=[60]), policy, since=NINE, until=at(600))
    assert [(a.case, a.at.hour, a.level) for a in fired] == [("tweet", 12, 1), ("tweet", 13, 2)]
    clock = service_clocks(log, policy, now=at(600)).case("tweet")["first response"]
    assert (clock.state, clock.minutes, clock.breaches_at) == ("breached", 600, NINE.replace(hour=13))
    later = alerts_between(log, stages("first response"), policy, since=at(600), until=at(1000))
    assert len(later) == 0  # nothing fires twice


def test_row_164_each_account_has_its_hours_in_its_zone() -> None:
    bangkok = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    new_york = BusinessCalendar("America/New_York", {"mon-fri": [("09:00", "17:00")]})
    policy = ServicePolicy(
        ALWAYS,
        [
            Promise("siam", Scope(accounts=["siam"]), Targets(resolution_minutes=60), calendar=bangkok),
            Promise("apple", Scope(accounts=["apple"]), Targets(resolution_minutes=60), calendar=new_york),
            Promise("24x7", Scope.everything(), Targets(resolution_minutes=60)),
        ],
    )
    evening = datetime(2026, 3, 6, 21, 30, tzinfo=UTC)  # Friday 16:30 in New York, whose clock changes on Sunday
    log = read_events(
        {"case": ["a", "b", "c"], "time": [evening] * 3, "activity": ["created"] * 3, "who": ["siam", "apple", None]},
        zone="UTC",
        facts={"account": "who"},
    )
    read = service_clocks(log, policy, now=evening + timedelta(days=4)).of("resolution")
    due = dict(zip("abc", read.table.due_at.astype("datetime64[m]").astype(str).tolist(), strict=True))
    assert due == {"a": "2026-03-09T03:00", "b": "2026-03-09T13:30", "c": "2026-03-06T22:30"}
    assert "Sunday" in str(read.explain("b", "resolution")) or "closed" in str(read.explain("b", "resolution"))


def test_row_164_a_clock_of_a_promise_may_have_its_own_hours() -> None:
    office = BusinessCalendar("UTC", {"mon-fri": [("10:00", "16:00")]})
    promise = Promise(
        "all", Scope.everything(), Targets(acknowledgement_minutes=5, first_response_minutes=5),
        calendar=office, calendars={"acknowledgement": ALWAYS},
    )  # fmt: skip
    log = read_events(rows(("7", 0, "created")), zone="UTC")
    case = service_clocks(log, ServicePolicy(ALWAYS, [promise]), now=at(30)).case("7")
    assert [case[c].minutes for c in ("acknowledgement", "first response", "next response")] == [30, 0, None]
    assert case["acknowledgement"].breached
    assert not case["first response"].breached


def test_row_165_ten_replies_two_open_and_the_agents_to_reach_the_target() -> None:
    minutes = [30, 60, 90, 120, 180, 210, 360, 480]
    made = [(f"{i}", 0.0, "created") for i in range(8)] + [(f"{i}", m, "agent reply") for i, m in enumerate(minutes)]
    made += [("8", 420.0, "created"), ("9", 180.0, "created")]
    log = read_events(rows(*made), zone="UTC")
    read = service_clocks(log, everybody(first_response_minutes=240), now=at(480))
    # 10 cases end at .5, 1, 1.5, 2, 3, 3.5 h; one is open since 1 h, one since 5 h: the product-limit value by hand
    expected = 1 - (9 / 10) * (8 / 9) * (6 / 7) * (5 / 6) * (4 / 5) * (3 / 4)
    got = share_within(read, "first response", minutes=240, small_sample_ok=True)
    assert got.value == pytest.approx(expected)
    row = service_report(read, goal=0.7).of("first response")
    assert row.share is not None
    assert row.share.value == pytest.approx(expected)
    assert (row.kept, row.late, row.overdue, row.pending, row.small) == (6, 2, 1, 1, True)
    assert row.closed_share == 6 / 8 > row.share.value > 6 / 10
    assert row.verdict == "undecided"
    staff = agents_needed(arrivals_per_hour=10, handling_s=900, targets=QueueTargets(service_level=0.7, within_s=7200))
    assert staff.agents == 3  # a load of 2.5 erlangs: three agents keep the queue stable, and 2 hours are long


def test_row_166_a_receipt_acknowledges_and_only_a_human_public_reply_answers() -> None:
    means = {
        "opened": "created",
        "autoreply": "receipt",
        "bot": "agent reply",
        "note": "agent reply",
        "answer": "agent reply",
    }
    log = read_events(
        rows(
            ("7", 0, "opened"), ("7", 1, "bot"), ("7", 2, "autoreply"), ("7", 10, "note"), ("7", 70, "answer"),
            who=["customer", "automation", "automation", "agent", "agent"],
            seen=["public", "public", "public", "private", "public"],
        ),
        zone="UTC", activities=means, actor="who", visibility="seen",
    )  # fmt: skip
    read = service_clocks(log, everybody(acknowledgement_minutes=5, first_response_minutes=60), now=at(80))
    report = service_report(read)
    assert (report.of("acknowledgement").kept, report.of("first response").late) == (1, 1)
    case = read.case("7")
    assert (case["acknowledgement"].minutes, case["first response"].minutes) == (1, 70)
