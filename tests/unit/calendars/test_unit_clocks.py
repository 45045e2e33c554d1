"""Service-level clocks by example; each defect that helpdesk users report is a test here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import (
    CaseClocks,
    ClockEvent,
    ClockHistory,
    ClockPolicy,
    ClockTerms,
    LiveClocks,
    Targets,
    evolve,
    read_clocks,
)
from crmcore.errors import (
    BadDocument,
    ConflictingConstraints,
    DuplicateIds,
    EmptyInput,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)

ALWAYS = BusinessCalendar.always("UTC")
OFFICE = BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]})
BOOK = {
    "normal": Targets(first_response_minutes=60, next_response_minutes=120, resolution_minutes=480),
    "urgent": Targets(first_response_minutes=15, next_response_minutes=30, resolution_minutes=120),
}
POLICY = ClockPolicy(ALWAYS, BOOK)


def at(text: str) -> datetime:
    """Time of the first days of June 2026 (Monday the first): "09:30", or "2 09:30" on the second."""
    day, _, clock = text.rpartition(" ")
    return datetime.fromisoformat(f"2026-06-{int(day or 1):02d}T{clock}").replace(tzinfo=UTC)


def story(*lines: str) -> list[ClockEvent]:
    """Events of lines such as "09:00 created", "09:10 status: pending", "09:20 agent reply (automation)"."""
    made = []
    for line in lines:
        when, _, what = line.partition(" ")
        if when.isdigit():
            clock, _, what = what.partition(" ")
            when = f"{when} {clock}"
        what, _, by = what.rstrip(")").partition(" (")
        kind, _, to = what.partition(": ")
        private = by == "private"
        made.append(
            ClockEvent(
                at(when), kind, to or None, actor=None if private else by or None,
                visibility="private" if private else "public",
            )
        )  # fmt: skip
    return made


def read(*lines: str, now: str = "10 00:00", policy: ClockPolicy = POLICY) -> CaseClocks:
    return read_clocks(story(*lines), policy, now=at(now))


# --- what helpdesks get wrong ---


def test_nothing_is_due_after_the_agent_answered_last() -> None:
    found = read("09:00 created", "09:10 agent reply", "10:00 customer message", "10:30 agent reply", now="2 09:00")
    clock = found["next response"]
    assert (clock.state, clock.open, [c.minutes for c in clock.cycles]) == ("met", False, [30])
    assert clock.due_at == at("12:00")


def test_the_next_response_never_overrules_the_first() -> None:
    found = read("09:00 created", "09:30 customer message", "09:50 agent reply", "10:00 customer message", now="10:15")
    assert (found["first response"].state, found["first response"].minutes) == ("met", 50)
    assert [(c.started_at, c.minutes) for c in found["next response"].cycles] == [(at("10:00"), 15)]


def test_minutes_are_known_before_any_reopening() -> None:
    found = read("09:00 created", "09:30 agent reply", "11:00 resolved")
    assert found["first response"].minutes == 30
    assert [found[f"{r} resolution"].minutes for r in ("first", "total", "active")] == [120, 120, 120]


def test_a_note_of_the_customer_starts_the_clock_as_a_message_does() -> None:
    found = read("09:00 created", "09:10 agent reply", "10:00 customer message (private)", now="10:20")
    assert found["next response"].minutes == 20


def test_an_assignment_is_no_answer_and_a_hand_over_resets_nothing() -> None:
    found = read("09:00 created", "09:05 assigned: ann", "09:30 assigned: bob", now="09:50")
    assert (found["first response"].state, found["first response"].minutes) == ("running", 50)
    assert found.owner == "bob"
    assert found.explain("first response").by_owner() == {"": 5, "ann": 25, "bob": 20}


def test_all_clocks_are_shown_with_the_resolution_that_bears_the_target() -> None:
    text = str(read("09:00 created", now="09:30"))
    assert "(target: active resolution)" in text
    for line in ("first response: running, 30 of 60 min, due 2026-06-01 10:00", "next response: not started"):
        assert line in text


def test_late_replies_are_shown_as_breached() -> None:
    found = read("09:00 created", "10:01 agent reply")
    assert found["first response"].breached
    assert "first response: breached, 61 of 60 min, since 2026-06-01 10:00" in str(found)


def test_a_resolution_by_a_bot_and_a_reopening_keep_the_first_response_waiting() -> None:
    found = read(
        "09:00 created", "09:01 agent reply (automation)", "09:02 resolved (automation)", "09:30 customer message",
        "09:50 agent reply", now="12:00",
    )  # fmt: skip
    first = found["first response"]
    assert (first.minutes, first.state, found.reopened) == (50, "met", 1)


def test_a_reply_a_month_later_stretches_only_the_total_resolution() -> None:
    lines = ("09:00 created", "10:00 agent reply", "11:00 resolved", "30 11:00 customer message", "30 11:30 resolved")
    found = read_clocks(story(*lines), POLICY, now=at("30 12:00"))
    assert found["first resolution"].minutes == 120
    assert found["active resolution"].minutes == 150
    assert found["total resolution"].minutes == 29 * 24 * 60 + 150
    assert [(c.started_at, c.stopped_at, c.minutes) for c in found["active resolution"].cycles] == [
        (at("09:00"), at("11:00"), 120),
        (at("30 11:00"), at("30 11:30"), 30),
    ]


def test_business_hours_lunch_and_holidays_count_for_clocks_too() -> None:
    closed = BusinessCalendar("UTC", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]}, holidays=["2026-06-02"])
    found = read("11:30 created", "3 09:30 agent reply", policy=ClockPolicy(closed, BOOK))
    assert found["first response"].minutes == 30 + 240 + 30
    assert found["first response"].due_at == at("13:30")


@pytest.mark.parametrize("status", ["pending", "on_hold"])
def test_the_resolution_clock_honours_pauses(status: str) -> None:
    found = read("09:00 created", f"09:30 status: {status}", now="15:00")
    assert (found["resolution"].state, found["resolution"].minutes) == ("paused", 30)
    assert found["resolution"].due_at is None
    assert found["resolution"].remaining_minutes == 450


def test_one_reply_fulfils_one_clock() -> None:
    found = read("09:00 created", "09:20 customer message", "09:30 agent reply", now="10:00")
    assert found["first response"].state == "met"
    assert not found["next response"].cycles
    assert found["resolution"].state == "running"


@pytest.mark.parametrize(
    ("rule", "state", "open_", "minutes"),
    [("run on", "breached", True, 120), ("fulfil", "met", False, 30), ("cancel", "cancelled", False, 30)],
)
def test_a_resolved_case_owes_no_first_response_where_the_policy_says_so(
    rule: str, state: str, open_: bool, minutes: float
) -> None:
    found = read("09:00 created", "09:30 resolved", now="11:00", policy=ClockPolicy(ALWAYS, BOOK, unanswered=rule))
    first = found["first response"]
    assert (first.state, first.open, first.minutes) == (state, open_, minutes)


def test_after_a_cancelled_first_response_a_message_starts_the_next_one() -> None:
    policy = ClockPolicy(ALWAYS, BOOK, unanswered="cancel")
    found = read("09:00 created", "09:30 resolved", "10:00 customer message", now="10:10", policy=policy)
    assert (found["next response"].state, found["next response"].minutes) == ("running", 10)


def test_no_pause_outlives_its_status() -> None:
    found = read("09:00 created", "09:30 status: pending", "10:00 status: in progress", now="10:30")
    assert (found["resolution"].state, found["resolution"].minutes) == ("running", 60)
    assert found.minutes_by_status == {"open": 30, "pending": 30, "in progress": 30}


def test_a_case_does_not_fail_right_after_its_creation_in_another_zone() -> None:
    bangkok = ZoneInfo("Asia/Bangkok")
    created = ClockEvent(datetime(2026, 6, 1, 9, tzinfo=bangkok), "created")
    policy = ClockPolicy(BusinessCalendar("Europe/Berlin", {"mon-fri": [("00:00", "24:00")]}), BOOK)
    first = read_clocks([created], policy, now=datetime(2026, 6, 1, 9, 5, tzinfo=bangkok))["first response"]
    assert (first.state, first.minutes) == ("running", 5)
    assert first.due_at == datetime(2026, 6, 1, 10, tzinfo=bangkok)


def test_new_terms_keep_the_start_the_minutes_and_the_pauses() -> None:
    gold = ClockTerms({"normal": Targets(first_response_minutes=30, resolution_minutes=100)})
    policy = ClockPolicy(ALWAYS, BOOK, terms={"gold": gold})
    lines = ("09:00 created", "09:20 status: pending", "10:00 policy: gold", "10:10 status: open")
    found = read(*lines, now="10:40", policy=policy)
    assert found["resolution"].minutes == 50
    assert (found["resolution"].target_minutes, found["resolution"].due_at) == (100, at("11:30"))
    assert found["first response"].state == "breached"
    assert found["first response"].breaches_at == at("10:00")


def test_new_terms_with_a_calendar_move_no_past_minute() -> None:
    night = BusinessCalendar("UTC", {"mon-sun": [("20:00", "24:00")]})
    policy = ClockPolicy(ALWAYS, BOOK, terms={"night": ClockTerms(BOOK, night)})
    found = read("09:00 created", "10:00 policy: night", now="20:30", policy=policy)
    assert found["resolution"].minutes == 60 + 30
    assert found["resolution"].due_at == at("2 23:00")


def test_resolved_time_is_not_pending_time_after_a_reopening() -> None:
    lines = ("09:00 created", "09:10 status: pending", "10:00 resolved", "2 10:00 reopened", "2 10:30 resolved")
    found = read(*lines)
    assert found.minutes_by_status["pending"] == 50
    assert found["resolution"].minutes == 40


def test_business_minutes_follow_the_change_of_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    early = BusinessCalendar("Europe/Berlin", {"sun": [("01:00", "05:00")]})
    created = ClockEvent(datetime(2026, 3, 29, 0, tzinfo=berlin), "created")
    first = read_clocks([created], ClockPolicy(early, BOOK), now=datetime(2026, 3, 29, 6, tzinfo=berlin))[
        "first response"
    ]
    assert first.minutes == 180
    assert first.due_at == datetime(2026, 3, 29, 3, tzinfo=berlin)


def test_the_exact_instant_of_a_breach_is_told() -> None:
    policy = ClockPolicy(OFFICE, Targets(resolution_minutes=420))
    found = read("07:00 created", now="1 20:00", policy=policy)["resolution"]
    assert (found.state, found.minutes, found.due_at) == ("running", 420, at("15:00"))
    assert found.breaches_at == at("2 07:00")  # until the next opening nothing exceeds it


def test_a_case_that_an_agent_opened_in_private_has_no_false_breach() -> None:
    found = read("09:00 created (agent)", "2 09:00 agent reply", "3 09:00 customer message", now="3 09:30")
    assert found["first response"].state == "not started"
    assert found["acknowledgement"].state == "not started"
    assert found["next response"].minutes == 30


def test_only_humans_answer() -> None:
    found = read(
        "09:00 created (automation)", "09:01 receipt", "09:02 agent reply (automation)", "09:03 agent reply (private)",
        "09:40 agent reply",
    )  # fmt: skip
    assert found["acknowledgement"].minutes == 1
    assert found["first response"].minutes == 40
    assert any("an automatic reply: no answer" in r for r in found.remarks)


def test_every_reopening_is_a_cycle_of_its_own() -> None:
    lines = ("09:00 created", "11:00 resolved", "12:00 reopened", "13:30 resolved", "14:00 customer message")
    for rule, total in (("resume", 240), ("new cycle", 30)):
        clock = read(*lines, now="14:30", policy=ClockPolicy(ALWAYS, BOOK["urgent"], on_reopen=rule))["resolution"]
        assert [c.minutes for c in clock.cycles] == [120, 90, 30]
        assert clock.minutes == total
        assert [c.state for c in clock.cycles] == (
            ["met", "breached", "breached"] if rule == "resume" else ["met", "met", "running"]
        )


def test_a_clock_stops_by_events_of_other_kinds_than_a_status_too() -> None:
    for line in ("10:00 resolved", "10:00 closed", "10:00 status: resolved", "10:00 status: closed"):
        assert read("09:00 created", line)["resolution"].cycles[0].stopped_at == at("10:00")


# --- the rest of the specification ---


def test_equal_is_met_and_a_running_clock_breaches_when_it_exceeds() -> None:
    for now, state in (("10:00", "running"), ("10:01", "breached")):
        clock = read("09:00 created", now=now)["first response"]
        assert (clock.state, clock.open, clock.due_at, clock.breaches_at) == (state, True, at("10:00"), at("10:00"))


def test_a_priority_replaces_targets_only_and_a_stopped_clock_keeps_its_own() -> None:
    found = read("09:00 created", "09:20 agent reply", "09:30 priority: urgent", now="11:30")
    assert (found["first response"].state, found["first response"].target_minutes) == ("met", 60)
    assert (found["resolution"].state, found["resolution"].minutes) == ("breached", 150)
    assert found["resolution"].breaches_at == at("11:00")


def test_a_relaxed_target_is_not_breached_any_more() -> None:
    lines = ("09:00 created", "09:01 priority: urgent", "09:40 priority: normal")
    assert read(*lines[:2], now="09:39")["first response"].state == "breached"
    assert read(*lines, now="09:40")["first response"].state == "running"
    late = read(*lines, now="10:30")["first response"]
    assert (late.state, late.breaches_at) == ("breached", at("10:00"))


def test_a_stricter_target_of_a_resolved_case_is_exceeded_from_the_reopening_on() -> None:
    lines = ("09:00 created", "11:10 resolved", "12:00 priority: urgent", "14:00 customer message")
    resolved = read(*lines, now="13:00")["resolution"]
    assert (resolved.state, resolved.target_minutes, resolved.breaches_at) == ("met", 480, None)
    reopened = read(*lines, now="15:00")["resolution"]
    assert (reopened.state, reopened.target_minutes, reopened.breaches_at) == ("breached", 120, at("14:00"))


def test_a_target_of_the_very_instant_of_the_resolution_judges_it() -> None:
    lines = ("09:00 created", "11:10 priority: urgent", "11:10 resolved", "14:00 customer message")
    for now in ("13:00", "15:00"):
        found = read(*lines, now=now)["resolution"]
        assert (found.state, found.breaches_at) == ("breached", at("11:10"))


def test_a_breach_under_two_targets_counts_from_the_first() -> None:
    found = read("09:00 created", "09:01 priority: urgent", "10:30 priority: normal", now="11:00")["first response"]
    assert (found.state, found.breaches_at) == ("breached", at("09:15"))


def test_messages_of_a_bundle_count_once_and_a_pause_moves_on() -> None:
    found = read(
        "09:00 created", "09:10 agent reply", "09:20 status: pending", "09:40 status: on_hold",
        "10:00 customer message", "10:05 customer message", "10:30 agent reply", now="11:00",
    )  # fmt: skip
    assert [c.minutes for c in found["next response"].cycles] == [30]
    assert found.status == "open"
    assert found["resolution"].minutes == 20 + 60


def test_whose_turn_it_is_decides_who_waits() -> None:
    found = read(
        "09:00 created", "09:30 agent reply", "10:00 customer message", "10:10 status: on_hold",
        "10:40 status: pending", now="11:00",
    )  # fmt: skip
    assert found["customer waiting"].minutes == 30 + 10 + 30  # on hold for somebody else the customer waits
    assert found["agent work"].minutes == 40


def test_updates_are_promised_while_the_case_is_active() -> None:
    policy = ClockPolicy(ALWAYS, Targets(update_minutes=60))
    lines = ("09:00 created", "09:10 agent reply", "10:20 agent reply", "10:30 status: pending", "12:00 resolved")
    update = read(*lines, policy=policy)["update"]
    assert [(c.minutes, c.state) for c in update.cycles] == [(70, "breached"), (10, "met")]


def test_a_merge_cancels_what_runs_and_what_follows_is_told() -> None:
    found = read("09:00 created", "09:30 merged: 8", "10:00 customer message", now="12:00")
    assert {c.state.value for c in found if c.cycles} == {"cancelled"}
    assert found.remarks == ("customer message at 2026-06-01T10:00+00:00: after the merge: kept, without effect",)
    assert read("09:00 created", "11:30 merged: 8", now="12:00")["first response"].state == "breached"


def test_events_before_the_creation_are_kept_and_explained() -> None:
    found = read("08:00 agent reply", "08:30 status: pending", "08:40 priority: urgent", "09:00 created", now="09:10")
    assert (found["first response"].minutes, found["first response"].target_minutes) == (10, 15)
    assert found["resolution"].state == "paused"
    assert len(found.history) == 4
    assert found.remarks[0].endswith("before the creation: kept, without effect on the clocks")


def test_a_history_without_creation_has_no_clocks() -> None:
    for lines in ((), ("09:00 customer message",)):
        found = read(*lines)
        assert all(c.state == "not started" for c in found)
        assert found["resolution"].minutes is None
    assert read("09:00 created", now="08:00").standing == "not created"


def test_an_unknown_priority_is_measured_and_told() -> None:
    found = read("09:00 created", "09:00 priority: urgnt", now="2 09:00")
    assert (found["first response"].state, found["first response"].target_minutes) == ("running", None)
    assert "no targets for priority 'urgnt' (did you mean 'urgent'?)" in found.remarks[0]
    slip = read("09:00 created", policy=ClockPolicy(ALWAYS, {"Normal": BOOK["normal"]}))
    assert "no targets for priority 'normal' (did you mean 'Normal'?)" in slip.remarks[0]
    assert read("09:00 created", policy=ClockPolicy(ALWAYS)).remarks == ()


def test_an_automatic_message_of_the_customer_reopens_nothing() -> None:
    found = read("09:00 created", "10:00 resolved", "10:01 customer message (automation)")
    assert (found.status, found.reopened) == ("resolved", 0)
    assert "an automatic message" in found.remarks[0]


def test_a_calendar_of_its_own_counts_a_clock() -> None:
    policy = ClockPolicy(OFFICE, Targets(acknowledgement_minutes=10), calendars={"acknowledgement": ALWAYS})
    found = read("20:00 created", now="20:30", policy=policy)
    assert (found["acknowledgement"].minutes, found["first response"].minutes) == (30, 0)


def test_a_calendar_that_never_opens_again_has_no_due_instant() -> None:
    once = BusinessCalendar("UTC", {}, special_days={"2026-06-01": [("09:00", "09:30")]})
    first = read("09:00 created", now="2 09:00", policy=ClockPolicy(once, BOOK))["first response"]
    assert (first.state, first.minutes, first.due_at, first.breaches_at) == ("running", 30, None, None)


# --- events, histories, policies ---


def test_an_event_refuses_what_it_cannot_mean() -> None:
    with pytest.raises(NaiveDatetime, match="at is a naive datetime"):
        ClockEvent(datetime(2026, 6, 1), "created")
    with pytest.raises(UnknownName, match="did you mean 'agent reply'"):
        ClockEvent(at("09:00"), "agent_reply")
    with pytest.raises(OutOfRange, match="expected the new status"):
        ClockEvent(at("09:00"), "status")
    with pytest.raises(WrongType, match="fromisoformat"):
        ClockEvent("2026-06-01T09:00Z", "created")  # type: ignore[arg-type]


def test_one_id_on_two_events_is_refused_wherever_it_arrives() -> None:
    first, other = ClockEvent(at("09:00"), "created", id="e1"), ClockEvent(at("09:01"), "created", id="e1")
    with pytest.raises(DuplicateIds, match="give a corrected event an id of its own"):
        ClockHistory.of([first, other])
    live = evolve(LiveClocks.begin(POLICY), first)
    with pytest.raises(DuplicateIds, match="give a corrected event an id of its own"):
        live.evolve(other)
    assert evolve(live, first) is live


def test_histories_add_up() -> None:
    made = story("09:00 created", "09:10 agent reply", "11:00 resolved")
    assert ClockHistory.of(made[:2]) + ClockHistory.of(made[1:], case="7") == ClockHistory.of(made, case="7")
    with pytest.raises(WrongType, match="expected ClockEvent values"):
        ClockHistory.of([{"kind": "created"}])  # type: ignore[list-item]
    with pytest.raises(BadDocument, match="expected the fields case and events"):
        ClockHistory.from_dict({"events": []})


def test_a_policy_without_calendar_is_refused() -> None:
    for missing in (lambda: ClockPolicy(None), lambda: ClockPolicy(ALWAYS, calendars={"resolution": None})):
        with pytest.raises(EmptyInput, match="pass a BusinessCalendar"):
            missing()
    with pytest.raises(WrongType, match="expected a BusinessCalendar"):
        ClockPolicy("Europe/Berlin")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"pause_statuses": ["resolved"]}, ConflictingConstraints, "let each do one thing"),
        ({"pause_statuses": "pending"}, WrongType, "expected a list of texts"),
        ({"waiting_statuses": ["asleep"]}, UnknownName, "unknown waiting status 'asleep'"),
        ({"open_status": "closed"}, ConflictingConstraints, "neither paused nor resolved"),
        ({"resolution": "last"}, UnknownName, "unknown resolution 'last'"),
        ({"on_reopen": "restart"}, UnknownName, "unknown reopen rule"),
        ({"unanswered": "cancl"}, UnknownName, "did you mean 'cancel'"),
        ({"calendars": {"first respons": ALWAYS}}, UnknownName, "did you mean 'first response'"),
        ({"targets": {"urgent": 15}}, WrongType, "by priority"),
        ({"terms": {"gold": BOOK}}, WrongType, "expected ClockTerms"),
    ],
)
def test_a_policy_refuses_contradictions(change: dict, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        ClockPolicy(ALWAYS, **change)


def test_targets_are_minutes_from_zero() -> None:
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(OutOfRange, match="business minutes from 0, or None"):
            Targets(resolution_minutes=wrong)
    with pytest.raises(WrongType, match="a number of minutes"):
        Targets(resolution_minutes="4h")  # type: ignore[arg-type]


def test_a_policy_survives_json_with_all_it_has() -> None:
    policy = ClockPolicy(
        OFFICE.from_date("2026-07-01", ALWAYS), BOOK, calendars={"acknowledgement": ALWAYS},
        terms={"gold": ClockTerms(Targets(update_minutes=30), OFFICE), "silver": ClockTerms(BOOK)},
        pause_statuses=["waiting"], waiting_statuses=["waiting"], resolved_statuses=["solved"], resolution="total",
        on_reopen="new cycle", unanswered="fulfil", open_status="new", priority="low",
    )  # fmt: skip
    assert ClockPolicy.from_dict(policy.to_dict()) == policy
    assert ClockPolicy.from_dict({"calendar": ALWAYS.to_dict()}) == ClockPolicy(ALWAYS)
    for broken in ({}, {**policy.to_dict(), "pauses": []}):
        with pytest.raises(BadDocument, match=r"no calendar|unknown fields"):
            ClockPolicy.from_dict(broken)
    with pytest.raises(UnknownName, match="did you mean 'update_minutes'"):
        ClockPolicy.from_dict({"calendar": ALWAYS.to_dict(), "targets": {"any": {"updat_minutes": 1}}})


# --- how they read ---


def test_what_was_found_reads_in_every_form() -> None:
    found = read_clocks(ClockHistory.of(story("09:00 created", "10:01 agent reply"), case="7"), POLICY, now=at("11:00"))
    assert repr(found) == "CaseClocks('7', open, normal, breached: first response)"
    frame = found.to_frame(backend="polars")
    assert frame.filter(frame["clock"] == "first response")["total_minutes"].to_list() == [61]
    assert "<caption>7 open, normal</caption>" in found._repr_html_()
    assert found.to_dict()["clocks"][1]["cycles"][0]["state"] == "breached"
    assert found.chart().rows[1] == {"label": "first response", "value": 61.0, "text": "61"}
    with pytest.raises(UnknownName, match="did you mean 'first response'"):
        found["first respons"]
    with pytest.raises(NaiveDatetime, match="now is a naive datetime"):
        read_clocks(found.history, POLICY, now=datetime(2026, 6, 1))
    with pytest.raises(NaiveDatetime, match="now is a naive datetime"):
        LiveClocks.begin(POLICY).read(now=datetime(2026, 6, 1))


def test_an_explanation_names_every_span() -> None:
    policy = ClockPolicy(OFFICE, BOOK)
    lines = ("08:00 created", "09:00 assigned: ann", "10:30 status: pending", "12:00 customer message")
    told = read(*lines, now="13:00", policy=policy).explain("resolution")
    assert [(s.reason, s.minutes, s.owner) for s in told.spans] == [
        ("agent's turn", 60, ""),
        ("agent's turn", 60, "ann"),
        ("break between windows", 0, "ann"),
        ("paused in status pending", 0, "ann"),
        ("agent's turn", 60, "ann"),
    ]
    assert str(told).splitlines()[1].strip() == "Mon 2026-06-01 10:00 to Mon 2026-06-01 11:00        60  agent's turn"
    assert told.minutes == 180
    assert repr(told) == "ClockExplanation(active resolution: 3 of 5 spans counted, 180 minutes)"
    assert told.to_frame(backend="polars")["minutes"].sum() == 180
    assert told.chart().rows[0]["value"] == 180
    assert "paused in status pending" in told._repr_html_()
    with pytest.raises(OutOfRange, match="cycle = 2: expected 1 to 1"):
        read(*lines).explain("resolution", cycle=2)
    nothing = read("09:00 created").explain("next response")
    assert nothing.spans == ()
    assert len(nothing.to_frame(backend="polars")) == 0


def test_long_explanations_are_cut_for_terminals_only() -> None:
    told = read("09:00 created", now="29 09:00", policy=ClockPolicy(OFFICE, BOOK)).explain("resolution")
    assert len(told.spans) > 40
    assert f"... {len(told.spans) - 40} more" in str(told)


def test_ties_take_effect_in_the_stated_order() -> None:
    found = read("09:00 resolved", "09:00 customer message", "09:00 agent reply", "09:00 created")
    assert (found["first response"].minutes, found.status) == (0, "resolved")
    later = ClockEvent(at("09:00") + timedelta(microseconds=1), "customer message")
    assert read_clocks([*found.history, later], POLICY, now=at("10:00")).reopened == 1


def test_events_read_as_they_were_told() -> None:
    note = ClockEvent(at("09:00"), "agent reply", actor="automation", visibility="private", id="e1")
    assert str(note) == "agent reply (automation, private)"
    fields = "at=2026-06-01T09:00:00+00:00, kind='agent reply', actor='automation', visibility='private', id='e1'"
    assert repr(note) == f"ClockEvent({fields})"
    live = evolve(LiveClocks.begin(POLICY, case="7"), note)
    assert repr(live) == "LiveClocks('7', 1 event)"
    assert repr(live.history) == "ClockHistory('7', 1 events, from 2026-06-01T09:00:00+00:00)"


def test_what_a_resolution_leaves_open_is_explained() -> None:
    told = read("09:00 created", "09:30 resolved", now="10:00").explain("first response")
    assert [(s.reason, s.minutes) for s in told.spans] == [
        ("agent's turn", 30),
        ("no answer yet, although resolved", 30),
    ]
    total = read("09:00 created", "10:00 resolved", "11:00 reopened", now="11:30").explain("total resolution")
    assert [s.reason for s in total.spans] == ["agent's turn", "resolved, and reopened later", "agent's turn"]
    assert total.minutes == 150


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_frames_hold_one_kind_of_time_over_a_change_of_the_clock(backend: str) -> None:
    import narwhals.stable.v2 as nw

    friday, tuesday = datetime(2026, 3, 27, 9, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    found = read_clocks([ClockEvent(friday, "created")], ClockPolicy(OFFICE, BOOK), now=tuesday)
    for native in (found.to_frame(backend=backend), found.explain("resolution").to_frame(backend=backend)):
        frame = nw.from_native(native)
        times = [c for c in frame.columns if c.endswith("_at") or c in ("start", "end")]
        assert times
        assert all(frame.schema[c] == nw.Datetime("us", "UTC") for c in times)
    assert found.to_frame()["due_at"][1] == datetime(2026, 3, 27, 10, tzinfo=UTC)
