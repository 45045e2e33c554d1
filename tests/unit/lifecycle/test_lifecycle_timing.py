"""Time: computed instants, nothing twice, late is as good as early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.errors import NaiveDatetime, UnknownName, WrongType
from crmcore.lifecycle import (
    BadWorkflow,
    Case,
    Command,
    Refused,
    Timer,
    Transition,
    Why,
    Workflow,
    advance,
    decide,
    due,
    migrate,
    open_case,
    open_timers,
    replay,
)
from crmcore.lifecycle.examples import complaint
from crmcore.lifecycle.workflow import CLOCK
from crmcore.rules import Rule, field

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DESK = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})


def flow(*timers: Timer, **guards: Rule) -> Workflow:
    return Workflow(
        "w",
        1,
        ["open", "waiting", "late", "closed"],
        "open",
        [
            Transition("ask", "open", "waiting"),
            Transition("answer", "waiting", "open"),
            Transition("escalate", ["open", "waiting"], "late", guard=guards.get("escalate")),
            Transition("remind", ["open", "waiting"], emits="reminded"),
            Transition("promise", "*", needs="promised_at"),
            Transition("close", "*", "closed"),
        ],
        timers,
        ["closed"],
    )


def start(w: Workflow, **data: object) -> Case:
    return open_case(w, "k7", at=AT, data=data).case


def command(name: str, at: datetime, **data: object) -> Command:
    return Command(name, data, actor="anna", at=at, id=f"{name}-{at.isoformat()}")


def fired(w: Workflow, case: Case, until: datetime, **more: object) -> list[tuple[str, str]]:
    events = advance(w, case, until, **more).events
    return [(e.type, f"{e.time:%d %H:%M}") for e in events]


def test_a_timer_fires_at_the_instant_it_falls_due_however_late_somebody_looks() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    done = advance(w, start(w), AT + timedelta(days=40))
    (event,) = done.events
    assert (event.type, event.time, event.actor, event.reason) == ("escalate", AT + 1.5 * HOUR, CLOCK, "timer late")
    assert event.id == "case:k7/late@2026-05-04T09:00:00+00:00#1"
    assert (done.case.state, done.case.since) == ("late", AT + 1.5 * HOUR)
    assert advance(w, done.case, AT + timedelta(days=80)).events == ()


def test_the_instant_itself_is_due_and_the_microsecond_before_is_not() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    instant = AT + 1.5 * HOUR
    assert fired(w, start(w), instant - timedelta(microseconds=1)) == []
    assert fired(w, start(w), instant) == [("escalate", "04 10:30")]


def test_time_passes_before_a_command_is_decided() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    outcome = decide(w, start(w), command("ask", AT + 2 * HOUR))
    assert not outcome.accepted
    assert str(outcome.reasons[0]) == "it is not possible in state 'late'"
    assert [e.type for e in outcome.events] == ["escalate"]
    assert outcome.case.state == "late"
    both = decide(w, start(w), command("close", AT + 2 * HOUR))
    assert [e.type for e in both.events] == ["escalate", "close"]
    assert str(both) == "accepted: close, k7 is 'closed' (before it: escalate)"


def test_leaving_the_state_cancels_and_entering_again_starts_anew() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    case = decide(w, start(w), command("ask", AT + HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == []
    case = decide(w, case, command("answer", AT + 10 * HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [("escalate", "04 20:30")]


def test_a_timer_that_fired_fires_again_on_the_next_entry() -> None:
    w = flow(Timer("nudge", "open", "remind", after_minutes=60))
    case = advance(w, start(w), AT + 2 * HOUR).case
    for name, hour in (("ask", 3), ("answer", 4)):
        case = decide(w, case, command(name, AT + hour * HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [("reminded", "04 14:00")]


def test_a_command_that_stays_in_the_state_does_not_move_the_timer() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    case = decide(w, start(w), command("remind", AT + HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [("escalate", "04 10:30")]


def test_repeats_come_after_the_same_span_again_and_end() -> None:
    w = flow(Timer("nudge", "open", "remind", after_minutes=60, repeats=2))
    case = start(w)
    assert fired(w, case, AT + 50 * HOUR) == [("reminded", f"04 {h}:00") for h in (10, 11, 12)]
    ids = [e.id for e in advance(w, case, AT + 50 * HOUR).events]
    assert len(set(ids)) == 3
    assert [i[-1] for i in ids] == ["1", "2", "3"]


def test_two_timers_at_one_instant_fire_by_name() -> None:
    w = flow(
        Timer("b", "open", "remind", after_minutes=60),
        Timer("c", "open", "escalate", after_minutes=60),
        Timer("a", "open", "remind", after_minutes=60),
    )
    done = advance(w, start(w), AT + HOUR)
    assert [e.reason for e in done.events] == ["timer a", "timer b", "timer c"]


def test_business_minutes_of_a_calendar_decide_when() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=120, calendar="desk"))
    friday = open_case(w, "k7", at=datetime(2026, 5, 8, 9, 30, tzinfo=UTC)).case  # 16:30 in Bangkok
    (first,) = open_timers(w, friday, calendars={"desk": DESK})
    assert first.due_at == datetime(2026, 5, 11, 3, 30, tzinfo=UTC)
    assert first.due_at.tzinfo is UTC
    with pytest.raises(UnknownName, match="unknown calendar 'desk': expected one of \\['dask'\\]"):
        open_timers(w, friday, calendars={"dask": DESK})
    with pytest.raises(UnknownName, match="calendar"):
        decide(w, friday, command("ask", datetime(2026, 5, 9, tzinfo=UTC)))


def test_a_timer_from_the_opening_runs_on_through_other_states() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=120, start="opened"))
    case = decide(w, start(w), command("ask", AT + HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [], "it runs in no other state"
    case = decide(w, case, command("answer", AT + 1.5 * HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [("escalate", "04 11:00")]


def test_what_fell_due_elsewhere_fires_on_entry_once_for_all_times_missed() -> None:
    w = flow(Timer("nudge", "open", "remind", after_minutes=60, start="opened", repeats=5))
    case = decide(w, start(w), command("ask", AT + HOUR / 2)).case
    case = decide(w, case, command("answer", AT + 3.5 * HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [
        ("reminded", "04 12:30"), ("reminded", "04 13:00"), ("reminded", "04 14:00"), ("reminded", "04 15:00"),
    ]  # fmt: skip


def test_a_timer_from_the_first_entry_does_not_start_anew() -> None:
    w = flow(Timer("late", "waiting", "escalate", after_minutes=120, start="first entry"))
    case = start(w)
    for name, hour in (("ask", 1), ("answer", 2), ("ask", 2.5)):
        case = decide(w, case, command(name, AT + hour * HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == [("escalate", "04 12:00")]


def test_a_persistent_timer_that_fired_does_not_fire_again_on_a_later_entry() -> None:
    w = flow(Timer("nudge", "open", "remind", after_minutes=60, start="opened"))
    case = advance(w, start(w), AT + 2 * HOUR).case
    for name, hour in (("ask", 3), ("answer", 4)):
        case = decide(w, case, command(name, AT + hour * HOUR)).case
    assert fired(w, case, AT + 50 * HOUR) == []


def test_a_field_can_start_a_timer_before_or_after_its_instant() -> None:
    w = flow(
        Timer("broken", "open", "escalate", start="promised_at", after_minutes=0),
        Timer("soon", "open", "remind", start="promised_at", after_minutes=-30),
    )
    case = start(w)
    assert open_timers(w, case) == ()
    promised = decide(w, case, command("promise", AT, promised_at="2026-05-04T19:00:00+07:00")).case
    assert fired(w, promised, AT + 50 * HOUR) == [("reminded", "04 11:30"), ("escalate", "04 12:00")]
    moved = decide(w, promised, command("promise", AT + HOUR, promised_at="2026-05-05T09:00:00+00:00")).case
    assert fired(w, moved, AT + 50 * HOUR) == [("reminded", "05 08:30"), ("escalate", "05 09:00")]
    past = decide(w, case, command("promise", AT + HOUR, promised_at="2026-05-01T09:00:00+00:00")).case
    assert fired(w, past, AT + 50 * HOUR) == [("escalate", "04 10:00")], "due at once, not in the past"


@pytest.mark.parametrize("odd", ["tomorrow", "2026-05-04T19:00:00", 7, "?"])
def test_a_start_that_is_no_instant_is_refused_before_a_timer_is_lost(odd: object) -> None:
    w = flow(Timer("broken", "open", "escalate", start="promised_at", after_minutes=5))
    refused = decide(w, start(w), command("promise", AT, promised_at=odd))
    assert isinstance(refused, Refused)
    assert refused.why is Why.NEEDS
    assert refused.reasons == (
        "promised_at must be an ISO 8601 instant with offset, such as 2026-05-04T17:00:00+07:00",
    )
    with pytest.raises(WrongType, match=r"data\['promised_at'\] is something else: expected an ISO 8601 instant"):
        start(w, promised_at=odd)
    with pytest.raises(BadWorkflow, match="sets 'promised_at' to no instant with offset"):
        Workflow("w", 1, ["a"], "a", [Transition("x", "a", sets={"promised_at": odd})],
                 [Timer("t", "a", "x", start="promised_at")])  # fmt: skip


def test_a_start_that_is_not_known_yet_starts_nothing() -> None:
    w = flow(Timer("broken", "open", "escalate", start="promised_at", after_minutes=5))
    assert open_timers(w, start(w, promised_at=None)) == open_timers(w, start(w)) == ()


def test_moving_a_promise_back_and_forth_fires_each_promise_once() -> None:
    w = flow(Timer("soon", "open", "remind", start="promised_at", after_minutes=-30))
    first, second = "2026-05-04T12:00:00+00:00", "2026-05-04T14:00:00+00:00"
    case = decide(w, start(w), command("promise", AT, promised_at=first)).case
    case = advance(w, case, AT + 3 * HOUR).case
    for i, instant in enumerate((second, first, second)):
        case = decide(w, case, command("promise", AT + 3 * HOUR + i * HOUR / 60, promised_at=instant)).case
    done = advance(w, case, AT + 50 * HOUR)
    assert [e.time for e in done.events] == [AT + 4.5 * HOUR]


def test_a_timer_whose_guard_does_not_hold_lapses_with_its_reasons_and_is_not_tried_again() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=60), escalate=Rule("vip", field("tier") == "gold"))
    lapsed = advance(w, start(w), AT + 50 * HOUR)
    (event,) = lapsed.events
    assert (event.type, event.time) == ("timer lapsed", AT + HOUR)
    assert "tier is not known" in event.data["refused"][0]
    assert lapsed.case.state == "open"
    assert advance(w, lapsed.case, AT + 90 * HOUR, facts={"tier": "gold"}).events == ()
    assert fired(w, start(w), AT + 50 * HOUR, facts={"tier": "gold"}) == [("escalate", "04 10:00")]
    assert replay([*open_case(w, "k7", at=AT).events, event], workflows=[w]) == lapsed.case


def test_a_chain_of_timers_unrolls_in_one_call() -> None:
    w = Workflow(
        "w", 1, ["a", "b", "c"], "a", [Transition("go", "a", "b"), Transition("on", "b", "c")],
        [Timer("t", "a", "go", after_minutes=10), Timer("u", "b", "on", after_minutes=5)], "c",
    )  # fmt: skip
    assert fired(w, start(w), AT + HOUR) == [("go", "04 09:10"), ("on", "04 09:15")]


def test_two_states_that_hand_over_to_each_other_end_with_the_time_asked_for() -> None:
    w = Workflow(
        "w", 1, ["a", "b"], "a", [Transition("go", "a", "b"), Transition("back", "b", "a")],
        [Timer("t", "a", "go", after_minutes=10), Timer("u", "b", "back", after_minutes=10)],
    )  # fmt: skip
    done = advance(w, start(w), AT + HOUR)
    assert [e.type for e in done.events] == ["go", "back"] * 3
    assert len({e.id for e in done.events}) == 6


def test_due_lists_cases_by_instant_then_id_with_the_exact_instant() -> None:
    w = complaint()
    cases = [open_case(w, name, at=AT + i * HOUR).case for i, name in enumerate(["b", "a", "c"])]
    cases.append(open_case(w, "0", at=AT + HOUR).case)
    found = due(cases, AT + 25 * HOUR, workflows=[w])
    assert [(d.case_id, d.due_at) for d in found] == [
        ("b", AT + 24 * HOUR), ("0", AT + 25 * HOUR), ("a", AT + 25 * HOUR),
    ]  # fmt: skip
    assert due(cases[::-1], AT + 25 * HOUR, workflows=[w]) == found
    assert str(found[0]) == "2026-05-05T09:00:00+00:00 b: overdue sends escalate"
    with pytest.raises(UnknownName, match="unknown workflow 'complaint 1'"):
        due(cases, AT, workflows=[flow()])
    with pytest.raises(NaiveDatetime, match="now is"):
        due(cases, datetime(2026, 5, 4), workflows=[w])
    with pytest.raises(NaiveDatetime, match="until is"):
        advance(w, cases[0], datetime(2026, 5, 4))


def test_a_closed_case_has_no_timers() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    closed = decide(w, start(w), command("close", AT)).case
    assert open_timers(w, closed) == ()
    assert due([closed], AT + 90 * HOUR, workflows=[w]) == ()


def test_a_running_clock_goes_on_through_a_migration_that_renames_the_state() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90))
    new = Workflow(
        "w", 2, ["new", "late"], "new", [Transition("escalate", "new", "late")],
        [Timer("late", "new", "escalate", after_minutes=180)],
    )  # fmt: skip
    case = migrate(start(w), to=new, mapping={"open": "new"}, at=AT + HOUR, actor="ops", reason="slower").case
    assert fired(new, case, AT + 50 * HOUR) == [("escalate", "04 12:00")]


def test_open_timers_of_a_case_tell_what_comes_next() -> None:
    w = flow(Timer("late", "open", "escalate", after_minutes=90), Timer("nudge", "open", "remind", after_minutes=30))
    assert [(d.timer, d.count) for d in open_timers(w, start(w))] == [("nudge", 1), ("late", 1)]
    again = advance(w, start(w), AT + HOUR).case
    assert [d.timer for d in open_timers(w, again)] == ["late"]
