"""Sentences of errors, crashes, clocks that go back, and what cases never show."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.calendars.clocks import ClockPolicy, Targets
from crmcore.errors import (
    BadDocument,
    BadRows,
    CrmError,
    NaiveDatetime,
    OutOfRange,
    StoreConflict,
    UnknownName,
    WrongType,
)
from crmcore.lifecycle import Command
from crmcore.recovery.cases import (
    CaseDesk,
    Complaint,
    PlanBook,
    PlanStep,
    RecoveryPlan,
    RecoveryPolicy,
    Triage,
    case_workflows,
    from_mail,
    hearing,
    read_promise,
)
from crmcore.recovery.employees import Agent, Desk
from crmcore.stores import MemoryStore, SqliteStore

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLOCKS = ClockPolicy(BusinessCalendar.always("UTC"), Targets(acknowledgement_minutes=30, first_response_minutes=240))
POLICY = RecoveryPolicy(CLOCKS)


def said(id: str = "m1", **more: Any) -> Complaint:
    return Complaint(**{"id": id, "channel": "mail", "at": NINE, "customer": "c7", "failure": "late", **more})


def sent(name: str, at: datetime = NINE, *, id: str = "", role: str = "agent", **data: Any) -> Command:
    return Command(name, data, actor=role, role=role, at=at, id=id or f"{name}/{at.isoformat()}")


def test_an_unknown_case_proposes_the_nearest() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    case = desk.take(said(), now=NINE).case.id
    with pytest.raises(UnknownName, match=case):
        desk.file(case[:-1])
    with pytest.raises(UnknownName, match=case):
        desk.handle(case[:-1], sent("reply"))


def test_an_agent_whom_the_desk_does_not_know_is_refused_and_masked() -> None:
    policy = RecoveryPolicy(CLOCKS, desk=Desk(zone="UTC", agents=[Agent(id="ann"), Agent(id="dao")]))
    desk = CaseDesk(MemoryStore(), policy)
    case = desk.take(said(), now=NINE).case.id
    wrong = Command("reply", actor="zoe.miller", role="agent", at=NINE, id="r1")
    with pytest.raises(UnknownName) as caught:
        desk.handle(case, wrong)
    assert "zoe.miller" not in str(caught.value)
    with pytest.raises(UnknownName):
        desk.handle(case, Command("assign", {"owner": "bob"}, actor="ann", role="agent", at=NINE, id="a1"))
    with pytest.raises(UnknownName):
        desk.promise(case, "we call you tomorrow", at=NINE, id="p", actor="bob")
    assert len(desk.file(case).events) == 1
    assert desk.handle(case, Command("assign", {"owner": "dao"}, actor="ann", role="agent", at=NINE, id="a2")).accepted


def test_a_misspelt_command_proposes_the_right_one() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    case = desk.take(said(), now=NINE).case.id
    with pytest.raises(UnknownName, match="resolve"):
        desk.handle(case, sent("resolv"))
    with pytest.raises(OutOfRange, match=r"CaseDesk\.merge writes both sides"):
        desk.handle(case, sent("merge", merged_into="x"))


def test_a_clock_that_goes_back_loses_nothing() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    case = desk.take(said(), now=NINE).case.id
    desk.handle(case, sent("reply", NINE + 2 * HOUR)).or_raise()
    desk.handle(case, sent("acknowledge", NINE + timedelta(minutes=6))).or_raise()
    file = desk.file(case)
    assert [e.time for e in file.events] == sorted(e.time for e in file.events)
    assert file.clocks(CLOCKS, now=NINE + 3 * HOUR)["acknowledgement"].minutes == 6


def test_a_message_from_the_future_counts_as_said_now_and_says_so() -> None:
    case, todo = CaseDesk(MemoryStore(), POLICY).take(said(at=NINE + 5 * HOUR), now=NINE)
    assert case.case.opened_at == NINE
    assert any("after now: counts as said now" in note for note in todo.notes)


class Crashing(SqliteStore):
    """A store whose disk fails in the middle of a transaction."""

    after = -1

    def _insert(self, *args: Any, **kwargs: Any) -> Any:
        found = super()._insert(*args, **kwargs)
        if self.after >= 0:
            raise sqlite3.OperationalError("disk I/O error")
        return found


@pytest.mark.parametrize("step", ["take", "merge", "promise", "incident"])
def test_a_crash_in_the_middle_leaves_all_events_or_none(tmp_path: Path, step: str) -> None:
    path = tmp_path / "cases.db"
    with Crashing(path) as store:
        desk = CaseDesk(store, POLICY)
        one = desk.take(said("1"), now=NINE).case.id
        two = desk.take(said("2", failure="rude"), now=NINE).case.id
        before = [(e.stream, e.id) for e in store.read_all()]
        steps = {
            "take": lambda d: d.take(said("3", failure="lost"), now=NINE),
            "merge": lambda d: d.merge(two, one, at=NINE, id="g", actor="ann"),
            "promise": lambda d: d.promise(one, "we call you tomorrow", at=NINE, id="p", actor="ann"),
            "incident": lambda d: d.open_incident("i1", failure="delay", customers=["a", "b"], at=NINE, now=NINE,
                                                  actor="ann", statement="Sorry"),
        }  # fmt: skip
        store.after = 0
        with pytest.raises(sqlite3.OperationalError):
            steps[step](desk)
    with SqliteStore(path) as store:
        assert [(e.stream, e.id) for e in store.read_all()] == before
        steps[step](CaseDesk(store, POLICY))
        assert len(list(store.read_all())) > len(before)
        written = len(list(store.read_all()))
        steps[step](CaseDesk(store, POLICY))  # the answer was lost: once more
        assert len(list(store.read_all())) == written


def test_two_processes_open_one_matter_once(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db") as first, SqliteStore(tmp_path / "a.db") as second:
        mine, theirs = CaseDesk(first, POLICY), CaseDesk(second, POLICY)
        write = first.append_many

        def late(*args: Any, **kwargs: Any) -> Any:
            first.append_many = write  # type: ignore[method-assign]
            theirs.take(said("2", channel="call"), now=NINE)
            return write(*args, **kwargs)

        first.append_many = late  # type: ignore[method-assign]
        opened = mine.take(said("1"), now=NINE)
        assert opened.todo.how == "same case"
        assert len(list(mine.files())) == 1


def test_a_store_that_always_conflicts_says_so() -> None:
    class Busy(MemoryStore):
        def append_many(self, *_: Any, **__: Any) -> Any:
            raise StoreConflict("case:x", 0, 1)

    with pytest.raises(StoreConflict):
        CaseDesk(Busy(), POLICY).take(said(), now=NINE)


def test_a_mail_thread_is_one_case_without_a_known_customer() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    at = NINE.isoformat()
    first = from_mail({"message_id": "a1", "sent_at": at, "body": "It is broken."})
    reply = from_mail({"message_id": "a2", "sent_at": at, "in_reply_to": "a1", "body": "Hello?"})
    third = from_mail({"message_id": "a3", "sent_at": at, "references": "a1 a2", "in_reply_to": "a2", "body": "??"})
    assert len({desk.take(m, now=NINE).case.id for m in (first, reply, third)}) == 1


def test_doors_refuse_what_they_cannot_read() -> None:
    with pytest.raises(BadDocument, match="no sent_at"):
        from_mail({"message_id": "a1"})
    with pytest.raises(CrmError, match="ISO 8601"):
        from_mail({"message_id": "a1", "sent_at": "yesterday"})
    with pytest.raises(NaiveDatetime):
        from_mail({"message_id": "a1", "sent_at": "2026-05-04T09:00:00"})
    for wrong in ({"distress": 2}, {"reach": -1}, {"kind": "incident"}, {"severity": 9}, {"id": ""}):
        with pytest.raises(CrmError):
            said(**wrong)
    with pytest.raises(CrmError, match="a Complaint"):
        CaseDesk(MemoryStore(), POLICY).take("It is late", now=NINE)  # type: ignore[arg-type]
    with pytest.raises(CrmError):
        RecoveryPolicy(CLOCKS, plans=["call"])  # type: ignore[arg-type]
    with pytest.raises(CrmError):
        case_workflows(confirm_days=0)


def test_triage_names_all_bad_rows_at_once() -> None:
    with pytest.raises(BadRows, match=r"(?s)severity.*reach.*value"):
        Triage().table([1, 5, 3], reach=[0, -1, 2], value=[0.5, 0.5, 7])
    with pytest.raises(OutOfRange, match="one for each severity"):
        Triage().table([1, 2], reach=[1])
    with pytest.raises(OutOfRange, match="three falling scores"):
        Triage(bands=(1, 2, 3))
    assert repr(Triage().table([1, 3])) == "TriageTable(2 cases: 1 critical, 0 high, 1 normal, 0 low)"
    assert Triage().table([3, 1, 2]).order().tolist() == [1, 2, 0]
    assert "earlier" in str(Triage().priority(1, earlier=2))


def test_plans_refuse_contradictions() -> None:
    step = PlanStep("call", within_minutes=60)
    with pytest.raises(CrmError, match="at least what is done first"):
        RecoveryPlan("late", [], owner="x")
    with pytest.raises(CrmError, match="one plan for each"):
        PlanBook([RecoveryPlan("late", [step], owner="x")] * 2)
    with pytest.raises(CrmError, match="a name of its own"):
        RecoveryPlan("late", [step, step], owner="x")
    book = PlanBook([RecoveryPlan("late", [step], owner="x")])
    assert book.to_frame()["step"] == ["call"]
    assert "late" in book._repr_html_()


@pytest.mark.parametrize(
    ("text", "day", "hour"),
    [
        ("We call you tomorrow.", 5, 18), ("I'll reply today", 4, 18), ("We will fix it by Friday.", 8, 18),
        ("We will call you within 2 hours.", 4, 14), ("You will hear from us by 5 pm", 4, 17),
        ("We will call you tomorrow by noon.", 5, 12),
        ("We will write tomorrow by 10:30", 5, 10.5), ("We'll do it in two working days.", 6, 18),
        ("We will refund it this week.", 8, 18), ("Don't worry, we will call tomorrow.", 5, 18),
        ("We call you today or tomorrow.", 5, 18), ("We will send it on 13 May", 13, 18),
        ("We will call on Saturday.", 11, 18), ("We will be done by end of day.", 4, 18),
    ],
)  # fmt: skip
def test_promises_in_english(text: str, day: int, hour: float) -> None:
    office = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "18:00")]})
    found = read_promise(text, at=local(2026, 5, 4, 12, zone="Asia/Bangkok"), calendar=office)
    assert found.due == local(2026, 5, day, int(hour), round(60 * (hour % 1)), zone="Asia/Bangkok"), str(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Can you call tomorrow?", "a question promises nothing"), ("We cannot call you tomorrow.", "denies it"),
        ("We will look into it as soon as possible.", "as soon as possible"),
        ("We will call by 31 February", "31 february"),
        ("The parcel left on Monday.", "nobody says"), ("We will call in a few days", "in a few days"),
    ],
)  # fmt: skip
def test_what_is_no_promise_says_why(text: str, told: str) -> None:
    found = read_promise(text, at=NINE, calendar=BusinessCalendar.always("UTC"))
    assert not found.understood
    assert told in str(found)


def test_results_have_all_their_doors() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    case, todo = desk.take(said(), now=NINE)
    ticked = desk.tick(NINE + 10 * HOUR)
    rate = hearing.complaint_rate(40, 8000, prior=hearing.SMALL_LOSS)
    for result in (case, todo, ticked, rate, hearing.public_split([said()], small_sample_ok=True)):
        assert len(result._repr_html_()) < 6000
        assert "<script" not in result._repr_html_()
        assert str(result)
        assert result.to_frame() is not None
    assert rate.chart().spec
    assert todo.to_frame()["step"][0] in ("acknowledge", "answer")
    assert str(ticked.alerts[0]).startswith("2026-05-04T09:30")


def test_compliments_are_thanked_and_questions_answered() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    case, todo = desk.take(said(kind="compliment", failure=""), now=NINE)
    assert [s.name for s in todo.steps] == ["thank the customer"]
    assert desk.handle(case.id, sent("thank", NINE + HOUR, text="Thank you!")).or_raise().case.state == "thanked"
    case, todo = desk.take(said("q", kind="question", failure=""), now=NINE)
    assert "answer" in [s.name for s in todo.steps]
    assert not [g for g in todo.gaps if "plan for" in g]


def test_a_severity_that_is_graded_anew_moves_the_clock() -> None:
    policy = RecoveryPolicy(
        ClockPolicy(BusinessCalendar.always("UTC"), {"high": Targets(first_response_minutes=60),
                                                     "any": Targets(first_response_minutes=240)})
    )  # fmt: skip
    desk = CaseDesk(MemoryStore(), policy)
    case = desk.take(said(), now=NINE).case.id
    graded = Command("grade", {"severity": "high", "priority": "high"}, actor="ann", role="agent", at=NINE + HOUR / 2,
                     id="g", reason="a child travels alone")  # fmt: skip
    desk.handle(case, graded).or_raise()
    assert desk.tick(NINE + 2 * HOUR).alerts[0].at == NINE + HOUR


def test_what_a_command_carries_must_make_sense() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    case = desk.take(said(), now=NINE).case.id
    for wrong in (7, -2):
        assert not desk.handle(case, sent("feel", id=f"f{wrong}", sentiment=wrong)).accepted
    with pytest.raises(WrongType, match="text does not compare with a number"):
        desk.handle(case, sent("feel", sentiment="sad"))
    bad = Command("grade", {"severity": "high", "priority": "urgent"}, actor="agent", at=NINE, id="g", reason="x")
    assert "critical, high, normal or low" in str(desk.handle(case, bad))
    assert desk.file(case).priority == 3


def test_the_desk_reads_confidence_from_what_it_keeps() -> None:
    desk = CaseDesk(MemoryStore(), POLICY)
    one = desk.take(said("1"), now=NINE).case.id
    assert desk.confidence(one, now=NINE).outcome == "maintain"
    two = desk.take(said("2", failure="rude", at=NINE + HOUR), now=NINE + HOUR).case.id
    assert (desk.earlier_failures(one), desk.earlier_failures(two)) == (0, 1)
    assert desk.confidence(two, now=NINE + HOUR).outcome == "rebuild"
    desk.merge(one, two, at=NINE + 2 * HOUR, id="m", actor="ann")
    assert desk.earlier_failures(two) == 0
    nobody = desk.take(said("3", customer=None), now=NINE).case.id
    assert desk.earlier_failures(nobody) == 0
