"""Rows of the feature list at the level of the engine: rooms bring the definitions, these show that it carries them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.calendars import BusinessCalendar
from crmcore.lifecycle import Cases, Command, IllegalCommand, Timer, Transition, Workflow, due, open_case
from crmcore.rules import Rule, count, field
from crmcore.stores import MemoryStore

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def sent(name: str, hours: float, actor: str = "staff", reason: str = "", **data: object) -> Command:
    return Command(name, data, actor=actor, at=AT + hours * HOUR, id=f"{name}-{hours}", reason=reason)


def test_a_prospect_becomes_a_customer_at_the_time_of_the_first_order() -> None:
    relation = Workflow(
        "relation", 1, ["prospect", "customer"], "prospect",
        [Transition("order", "prospect", "customer", needs="order_id"), Transition("order", "customer")],
    )  # fmt: skip
    cases = Cases(MemoryStore(), [relation])
    cases.open("relation", "c7", at=AT)
    cases.handle("c7", sent("order", 5, order_id="o1"))
    cases.handle("c7", sent("order", 9, order_id="o2"))
    assert cases.read("c7", at=AT + 4 * HOUR).state == "prospect"
    customer = cases.read("c7")
    assert (customer.state, customer.since, customer.data["order_id"]) == ("customer", AT + 5 * HOUR, "o1")


def test_a_ladder_step_carries_its_date_and_its_evidence() -> None:
    ladder = Workflow(
        "ladder", 1, ["stranger", "buyer", "regular"], "stranger",
        [
            Transition("look", "stranger", "buyer", guard=Rule("bought", count("order") >= 1)),
            Transition("look", "buyer", "regular", guard=Rule("often", count("order", within_days=90) >= 3)),
        ],
    )  # fmt: skip
    from crmcore.lifecycle import decide
    from crmcore.rules import Event, Facts

    orders = [Event(kind="order", time=AT + timedelta(days=d)) for d in (0, 30, 80)]
    case = open_case(ladder, "c7", at=AT).case
    reached = []
    for day, n in ((1, 1), (31, 2), (81, 3)):
        outcome = decide(ladder, case, sent("look", 24 * day), facts=Facts({}, events=orders[:n]))
        case = outcome.case
        reached.append((case.state, outcome.accepted))
    assert reached == [("buyer", True), ("buyer", False), ("regular", True)]
    assert case.entries["regular"] == AT + timedelta(days=81)


def test_a_qualified_lead_is_accepted_or_declined_with_a_reason_in_time_and_none_is_lost() -> None:
    handover = Workflow(
        "lead", 1, ["marketing", "offered", "sales", "declined", "overdue"], "marketing",
        [
            Transition("qualify", "marketing", "offered", actors="marketing"),
            Transition("accept", ["offered", "overdue"], "sales", actors="sales"),
            Transition("decline", ["offered", "overdue"], "declined", actors="sales", needs="reason"),
            Transition("expire", "offered", "overdue", actors="clock"),
        ],
        [Timer("accept in time", "offered", "expire", after_minutes=240, calendar="sales desk")],
        ["sales", "declined"],
    )  # fmt: skip
    desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    cases = Cases(MemoryStore(), [handover], calendars={"sales desk": desk})
    for i in range(5):
        cases.open("lead", f"l{i}", at=AT)
    for i in range(4):
        cases.handle(f"l{i}", Command("qualify", actor="marketing", at=AT, id=f"q{i}"))  # 16:00 in Bangkok
    cases.handle("l0", sent("accept", 0.5, "sales"))
    with pytest.raises(IllegalCommand, match="it needs reason"):
        cases.handle("l1", sent("decline", 0.5, "sales")).or_raise()
    cases.handle("l1", sent("decline", 0.6, "sales", reason="no budget"))
    assert cases.history("l1").steps[-1].reason == "no budget"
    fired = cases.fire(AT + 48 * HOUR)
    assert {e.time for e in fired} == {datetime(2026, 5, 5, 5, tzinfo=UTC)}, "an hour on Monday, three on Tuesday"
    states = [case.state for case in cases]
    assert {s: states.count(s) for s in handover.states} == {
        "marketing": 1, "offered": 0, "sales": 1, "declined": 1, "overdue": 2,
    }  # fmt: skip
    assert len(states) == 5


def test_a_reshare_without_permission_is_refused_and_says_what_is_possible() -> None:
    allowed = Rule("permission holds", field("permission") == "granted")
    ugc = Workflow(
        "ugc", 1, ["found", "asked", "permitted", "reshared", "credited"], "found",
        [
            Transition("ask", "found", "asked"),
            Transition("permit", "asked", "permitted", actors="customer", sets={"permission": "granted"}),
            Transition("revoke", ["permitted", "reshared"], actors="customer", sets={"permission": "revoked"}),
            Transition("reshare", "permitted", "reshared", guard=allowed),
            Transition("credit", "reshared", "credited"),
        ],
        terminal="credited",
    )  # fmt: skip
    cases = Cases(MemoryStore(), [ugc])
    cases.open("ugc", "post 1", at=AT)
    with pytest.raises(IllegalCommand) as caught:
        cases.handle("post 1", sent("reshare", 1)).or_raise()
    assert caught.value.allowed == ("ask",)
    cases.handle("post 1", sent("ask", 2))
    cases.handle("post 1", sent("permit", 3, "customer"))
    cases.handle("post 1", sent("revoke", 4, "customer"))
    refused = cases.handle("post 1", sent("reshare", 5))
    assert not refused.accepted
    assert "permission holds" in str(refused)


def test_a_review_is_moderated_published_or_refused_with_a_reason_that_is_kept() -> None:
    review = Workflow(
        "review", 1, ["draft", "moderation", "published", "refused"], "draft",
        [
            Transition("submit", "draft", "moderation"),
            Transition("publish", "moderation", "published", actors="moderator"),
            Transition("refuse", "moderation", "refused", actors="moderator", needs="reason"),
            Transition("appeal", "refused", "moderation", needs="reason"),
        ],
    )  # fmt: skip
    cases = Cases(MemoryStore(), [review])
    cases.open("review", "r1", at=AT)
    assert not cases.handle("r1", sent("publish", 1, "moderator")).accepted
    cases.handle("r1", sent("submit", 2, "author"))
    cases.handle("r1", sent("refuse", 3, "moderator", reason="names an employee"))
    assert [s.reason for s in cases.history("r1").steps] == ["", "", "names an employee"]
    cases.handle("r1", sent("appeal", 4, "author", reason="the name is gone"))
    assert cases.handle("r1", sent("publish", 5, "moderator")).case.state == "published"


def test_a_promise_falls_due_at_its_date_and_a_broken_one_alerts_once() -> None:
    promise = Workflow(
        "promise", 1, ["given", "kept", "broken"], "given",
        [Transition("keep", "given", "kept"), Transition("break", "given", "broken", actors="clock", emits="broken")],
        [Timer("date", "given", "break", start="due_at")],
        ["kept", "broken"],
    )  # fmt: skip
    cases = Cases(MemoryStore(), [promise])
    for name in ("call", "parcel"):
        cases.open("promise", name, at=AT, data={"text": "we call you tomorrow", "due_at": "2026-05-05T17:00:00+07:00"})
    cases.handle("call", sent("keep", 20))
    assert [d.case_id for d in cases.due(AT + 25 * HOUR)] == ["parcel"]
    assert [(e.type, e.time) for e in cases.fire(AT + 90 * HOUR)] == [("broken", datetime(2026, 5, 5, 10, tzinfo=UTC))]
    assert cases.fire(AT + 99 * HOUR) == ()


def test_a_case_that_nobody_confirms_is_closed_after_days_and_marked_unconfirmed() -> None:
    from crmcore.lifecycle.examples import complaint

    cases = Cases(MemoryStore(), [complaint()])
    for name in ("k1", "k2"):
        cases.open("complaint", name, at=AT)
        cases.handle(name, Command("resolve", {"cause": "box"}, actor="agent", at=AT + HOUR, id=f"r{name}"))
    cases.handle("k1", sent("confirm", 30, "customer"))
    cases.fire(AT + timedelta(days=30))
    assert [(c.state, c.data["confirmed"]) for c in cases] == [("closed", True), ("closed", False)]
    assert cases.read("k2").since == AT + HOUR + timedelta(days=3)


def test_one_incident_opens_many_cases_and_each_entitlement_falls_due_once() -> None:
    delay = Workflow(
        "delayed passenger", 1, ["waiting", "rebooked"], "waiting",
        [
            Transition("meal", "waiting", emits="meal voucher"),
            Transition("lounge", "waiting", emits="lounge voucher"),
            Transition("rebook", "waiting", "rebooked"),
        ],
        [
            Timer("meal", "waiting", "meal", after_minutes=120),
            Timer("lounge", "waiting", "lounge", after_minutes=240),
        ],
        ["rebooked"],
    )  # fmt: skip
    passengers = [open_case(delay, f"p{i:03}", at=AT).case for i in range(180)]
    assert len(due(passengers, AT + 5 * HOUR, workflows=[delay])) == 360
    cases = Cases(MemoryStore(), [delay])
    for case in passengers:
        cases.open("delayed passenger", case.id, at=AT)
    for hours in (2, 3, 5, 5):
        cases.fire(AT + hours * HOUR)
    kinds = [e.type for e in cases.store.read_all() if e.type != "opened"]
    assert {k: kinds.count(k) for k in set(kinds)} == {"meal voucher": 180, "lounge voucher": 180}
