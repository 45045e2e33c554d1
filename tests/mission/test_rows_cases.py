"""The rows of cases, through the public names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmcore import recovery
from crmcore.calendars import BusinessCalendar, local
from crmcore.calendars.clocks import ClockPolicy, Targets
from crmcore.lifecycle import Command, IllegalCommand
from crmcore.recovery.cases import (
    CaseDesk,
    Complaint,
    Feelings,
    Outcome,
    PlanBook,
    PlanStep,
    RecoveryPlan,
    RecoveryPolicy,
    Triage,
    case_workflows,
    from_call,
    from_counter,
    from_mail,
    from_mention,
    from_message,
    from_portal,
    hearing,
    read_promise,
)
from crmcore.recovery.cases.confidence import CONFIDENCE, Confidence, confidence_facts
from crmcore.recovery.employees import Agent, Desk
from crmcore.stores import MemoryStore
from crmcore.values import Interaction, Mention, Money

ZONE = "Asia/Bangkok"
OFFICE = BusinessCalendar(ZONE, {"mon-fri": [("09:00", "18:00")]})
ALWAYS = BusinessCalendar.always("UTC")
NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLANS = PlanBook(
    [
        RecoveryPlan(
            "late parcel",
            [PlanStep("call the customer", within_minutes=120), PlanStep("send again", within_minutes=1440)],
            owner="parcels",
            limit=Money.of(500, "THB"),
        )
    ]
)
TARGETS = Targets(acknowledgement_minutes=30, first_response_minutes=240, resolution_minutes=2880)
POLICY = RecoveryPolicy(ClockPolicy(ALWAYS, TARGETS), plans=PLANS)


def new_desk(policy: RecoveryPolicy = POLICY) -> CaseDesk:
    return CaseDesk(MemoryStore(), policy)


def said(id: str = "m1", *, at: datetime = NINE, customer: str | None = "c7", **more: Any) -> Complaint:
    return Complaint(**{"id": id, "channel": "mail", "at": at, "customer": customer, "failure": "late parcel", **more})


def do(
    desk: CaseDesk, case_id: str, name: str, at: datetime, *, role: str = "agent", reason: str = "", **data: Any
) -> Any:
    sent = Command(name, data, actor=role, role=role, at=at, id=f"{case_id}/{name}/{at.isoformat()}", reason=reason)
    return desk.handle(case_id, sent)


def test_row_054_a_tweet_at_nine_breaches_at_one_and_is_ten_hours_old_at_seven() -> None:
    tweet = Mention(
        "t1", "Not one person has bothered calling", author="anna_t", time=NINE, channel="x",
        link="https://x.example/t1", reach=4000,
    )  # fmt: skip
    desk = new_desk()
    complaint = from_mention(tweet, customer_of={"anna_t": "c7"}.get, failure="late parcel")
    case, todo = desk.take(complaint, now=NINE + timedelta(minutes=5))
    assert (case.customer, case.public) == ("c7", True)
    assert next(s.due for s in todo.steps if s.name == "answer") == NINE + 4 * HOUR
    assert not [a for a in desk.tick(NINE + 3 * HOUR).alerts if "first response" in a.text]
    alerts = [a for a in desk.tick(NINE + 10 * HOUR).alerts if "first response" in a.text]
    assert [(a.at, a.kind) for a in alerts] == [(NINE + 4 * HOUR, "escalated")]
    assert not desk.tick(NINE + 10 * HOUR).events
    seven = NINE + 10 * HOUR
    case = desk.file(case.id)
    assert case.age_minutes(seven) == 600
    clock = case.clocks(POLICY.clocks, now=seven)["first response"]
    assert clock.breached
    assert clock.minutes == 600
    told = case.clocks(POLICY.clocks, now=seven).explain("first response")
    assert "13:00" in str(told)
    assert case.case.data["escalated"] is True


def test_row_054_an_answer_at_the_due_instant_meets_the_target() -> None:
    desk = new_desk()
    case, _ = desk.take(said(), now=NINE)
    do(desk, case.id, "reply", NINE + 4 * HOUR, text="We are on it.").or_raise()
    assert not [a for a in desk.tick(NINE + 10 * HOUR).alerts if "first response" in a.text]


def test_row_054_an_escalation_that_is_noticed_late_keeps_its_own_instant() -> None:
    desk = new_desk()
    case, _ = desk.take(said(), now=NINE)
    do(desk, case.id, "reply", NINE + 6 * HOUR).or_raise()
    alert = next(a for a in desk.tick(NINE + 7 * HOUR).alerts if "first response" in a.text)
    assert alert.at == NINE + 4 * HOUR


def public_case(desk: CaseDesk) -> str:
    post = Mention("p1", "Ten hours!", author="anna_t", time=NINE, channel="facebook", link="https://f.example/p1")
    return desk.take(from_mention(post, customer_of=lambda _: "c7", failure="late parcel"), now=NINE).case.id


def test_row_096_a_case_keeps_public_permalink_private_thread_and_closing_note() -> None:
    desk = new_desk()
    case = public_case(desk)
    do(desk, case, "invite", NINE + HOUR, invited_to="inbox", invitation="https://f.example/p1#2").or_raise()
    do(desk, case, "move", NINE + 2 * HOUR, private_channel="inbox", thread="t-5").or_raise()
    do(desk, case, "resolve", NINE + 3 * HOUR, solution="sent again").or_raise()
    assert not desk.file(case).loop.closed
    do(desk, case, "note publicly", NINE + 4 * HOUR, public_note="https://f.example/p1#3", private_data=0).or_raise()
    loop = desk.file(case).loop
    assert loop.closed
    assert (loop.permalink, loop.thread, loop.public_note) == ("https://f.example/p1", "t-5", "https://f.example/p1#3")
    assert [what for _, what, _ in loop.steps] == [
        "opened", "invited to private", "moved to private", "closed in public",
    ]  # fmt: skip


def test_row_096_without_invitation_or_consent_nothing_moves_and_that_is_logged() -> None:
    desk = new_desk()
    case = public_case(desk)
    refused = do(desk, case, "move", NINE + HOUR, private_channel="inbox", thread="t-5")
    assert not refused.accepted
    assert "agreed to this channel" in str(refused)
    do(desk, case, "consent", NINE + 2 * HOUR, role="customer", consented_to="mail").or_raise()
    assert not do(desk, case, "move", NINE + 3 * HOUR, private_channel="inbox", thread="t-5").accepted
    do(desk, case, "move", NINE + 4 * HOUR, private_channel="mail", thread="m-1").or_raise()
    loop = desk.file(case).loop
    assert loop.basis == "agreed"
    assert sum(what.startswith("refused: move") for _, what, _ in loop.steps) == 2


def test_row_096_who_refuses_private_is_not_moved() -> None:
    desk = new_desk()
    case = public_case(desk)
    do(desk, case, "consent", NINE + HOUR, role="customer", consented_to="inbox").or_raise()
    do(desk, case, "refuse private", NINE + 2 * HOUR, role="customer").or_raise()
    assert not do(desk, case, "move", NINE + 3 * HOUR, private_channel="inbox", thread="t-5").accepted


def test_row_167_a_public_reply_with_private_data_is_refused_and_logged() -> None:
    desk = new_desk()
    case = public_case(desk)
    refused = do(desk, case, "reply publicly", NINE + HOUR, text="Call 081 234 5678", private_data=1)
    assert not refused.accepted
    unchecked = do(desk, case, "reply publicly", NINE + 2 * HOUR, text="Call us")
    assert not unchecked.accepted
    do(desk, case, "reply publicly", NINE + 3 * HOUR, text="Please write to us", private_data=0).or_raise()
    steps = [what for _, what, _ in desk.file(case).loop.steps]
    assert steps[1].startswith("refused: reply publicly")
    assert steps[-1] == "replied in public"
    assert "081" not in str(desk.file(case).loop) + repr(refused) + str(desk.file(case).history())


def test_row_174_solved_but_still_unhappy_is_not_recovered() -> None:
    desk = new_desk()
    case, _ = desk.take(said(), now=NINE)
    assert case.outcome is Outcome.OPEN
    do(desk, case.id, "feel", NINE + HOUR, role="customer", sentiment=-0.8).or_raise()
    do(desk, case.id, "resolve", NINE + 2 * HOUR, solution="sent again").or_raise()
    assert desk.file(case.id).outcome is Outcome.SOLVED_UNHAPPY
    do(desk, case.id, "feel", NINE + 3 * HOUR, role="customer", sentiment=0.4).or_raise()
    file = desk.file(case.id)
    assert (file.outcome, file.feelings) == (Outcome.RECOVERED, Feelings.POSITIVE)


def test_row_174_unheard_feelings_are_not_recovered_and_a_reopened_problem_is_open() -> None:
    desk = new_desk()
    case, _ = desk.take(said(), now=NINE)
    do(desk, case.id, "feel", NINE + HOUR, role="customer", sentiment=0.5).or_raise()
    do(desk, case.id, "resolve", NINE + 2 * HOUR, solution="sent again").or_raise()
    assert desk.file(case.id).outcome is Outcome.SOLVED_UNHEARD
    do(desk, case.id, "reopen", NINE + 3 * HOUR, role="customer", reason="still nothing").or_raise()
    assert desk.file(case.id).outcome is Outcome.OPEN


def test_row_175_a_failure_has_steps_limit_and_owner_and_a_missing_plan_is_reported() -> None:
    _, todo = new_desk().take(said(), now=NINE)
    planned = [s for s in todo.steps if "plan for late parcel" in s.reason]
    assert [(s.name, s.owner, s.due) for s in planned] == [
        ("call the customer", "parcels", NINE + 2 * HOUR), ("send again", "parcels", NINE + DAY),
    ]  # fmt: skip
    assert PLANS.find("late parcel").limit == Money.of(500, "THB")
    _, todo = new_desk().take(said(failure="lost parcel"), now=NINE)
    assert any("no recovery plan for 'lost parcel'" in gap for gap in todo.gaps)
    missing = PLANS.missing(["lost parcel", "late parcel", "rude", "lost parcel", ""])
    assert [(m.failure, m.cases) for m in missing] == [("lost parcel", 2), ("", 1), ("rude", 1)]


def five_channels() -> list[Complaint]:
    text = "My parcel of Monday is still missing, nobody answers the phone"
    contacts = {"anna_t": "c7", "anna@example.org": "c7", "+66812345678": "c7", "M-7": "c7"}.get
    at = [(NINE + i * HOUR).isoformat() for i in range(6)]
    return [
        from_mention(Mention("p1", text, author="anna_t", time=NINE, channel="x", reach=900), customer_of=contacts),
        from_message(Interaction("c7", NINE + HOUR, channel="line"), id="l1", text=text, thread="t1"),
        from_mail({"message_id": "a1", "sent_at": at[2], "from": "anna@example.org", "body": text},
                  customer_of=contacts),
        from_call({"call_id": "1", "started_at": at[3], "caller": "+66812345678",
                   "summary": "parcel of Monday still missing, phone not answered"}, customer_of=contacts),
        from_counter({"slip": "9", "at": at[4], "member": "M-7", "words": text}, customer_of=contacts),
        from_portal({"request": "r1", "sent_at": at[5], "me": "c7", "message": text}),
    ]  # fmt: skip


def test_row_181_the_same_complaint_through_every_adapter_is_one_case() -> None:
    for first in range(6):
        desk = new_desk()
        channels = five_channels()
        opened = [desk.take(c, now=NINE + DAY) for c in channels[first:] + channels[:first]]
        assert len({o.case.id for o in opened}) == 1
        assert opened[0].todo.how == "new case"
        assert {o.todo.how for o in opened[1:]} == {"same case"}
        file = desk.file(opened[0].case.id)
        assert (file.public, file.reach) == (True, 900)
        assert desk.take(channels[2], now=NINE + 2 * DAY).todo.how == "repeat of a message"
        assert len(desk.file(file.id).events) == 6


def test_row_181_another_order_another_failure_or_another_person_is_another_case() -> None:
    desk = new_desk()
    first = desk.take(said("1", reference="o-1", failure=""), now=NINE).case.id
    assert desk.take(said("2", reference="o-1", failure="", channel="call"), now=NINE).case.id == first
    others = [
        said("3", reference="o-2", failure=""), said("4", failure="rude staff"), said("5", customer="c8", failure=""),
        said("6", customer=None, reference="o-1"), said("7", reference="o-1", failure="", kind="compliment"),
        said("8", reference="o-1", failure="", at=NINE + 40 * DAY),
    ]  # fmt: skip
    ids = [desk.take(c, now=NINE + 40 * DAY).case.id for c in others]
    assert len({first, *ids}) == 7


def test_row_181_who_is_recognised_later_is_found_from_then_on() -> None:
    desk = new_desk()
    case = desk.take(said("1", customer=None, channel="x", public=True), now=NINE).case.id
    desk.recognise(case, "c7", at=NINE + HOUR, id="r1")
    again = desk.take(said("2", at=NINE + 2 * HOUR), now=NINE + 2 * HOUR)
    assert (again.case.id, again.todo.how) == (case, "same case")


def test_row_181_complaints_per_thousand_orders_with_interval_and_silence() -> None:
    found = hearing.complaint_rate(40, 8000, prior=hearing.LARGE_LOSS)
    assert found.heard.value == 5
    assert (round(found.heard.low, 2), round(found.heard.high, 2)) == (3.57, 6.81)
    assert found.silent.value == pytest.approx(5 * 0.31 / 0.69)
    assert found.silent.low < found.silent.value < found.silent.high
    own = hearing.SilencePrior("survey of May", 0.5, 0.4, 0.6)
    assert hearing.complaint_rate(40, 8000, prior=own).silent.value == 5
    assert hearing.complaint_rate(0, 8000, prior=own, small_sample_ok=True).silent.high > 0


def test_row_181_effort_counts_what_the_customer_had_to_do() -> None:
    desk = new_desk()
    for complaint in five_channels():
        case = desk.take(complaint, now=NINE + DAY).case.id
    do(desk, case, "wait", NINE + DAY, text="Which order?").or_raise()
    effort = hearing.complaint_effort(desk.file(case))
    assert effort.parts == {"message": 5, "channel_change": 5, "handover": 0, "question": 1, "reopening": 0}
    assert (effort.score, effort.hard) == (11, True)


def test_row_182_severity_one_has_owner_and_step_within_the_clock() -> None:
    people = Desk(zone=ZONE, agents=[Agent(id="ann"), Agent(id="dao")])
    policy = RecoveryPolicy(POLICY.clocks, plans=PLANS, desk=people)
    case, todo = recovery.open_case(said(severity="critical"), policy=policy, now=NINE + timedelta(minutes=2))
    assert case.owner in ("ann", "dao")
    assert case.priority == 1
    limit = NINE + timedelta(minutes=30)
    first = next(s for s in todo.steps if s.name == "call the customer")
    assert first.due == limit
    assert first.owner == case.owner
    assert not todo.gaps
    away = RecoveryPolicy(POLICY.clocks, desk=Desk(zone=ZONE, agents=[Agent(id="ann", hours=OFFICE)]))
    _, todo = recovery.open_case(said(severity=1, at=NINE + 9 * HOUR), policy=away, now=NINE + 9 * HOUR)
    assert any("after the acknowledgement is due" in gap for gap in todo.gaps)


def test_row_184_a_promise_has_a_due_date_and_a_broken_one_is_an_alert() -> None:
    policy = RecoveryPolicy(ClockPolicy(OFFICE, Targets()), plans=PLANS)
    desk = new_desk(policy)
    monday = local(2026, 5, 4, 10, zone=ZONE)
    case = desk.take(said(at=monday), now=monday).case.id
    made = desk.promise(case, "we call you tomorrow", at=monday, id="p1", actor="ann")
    due = local(2026, 5, 5, 18, zone=ZONE)
    assert made.reading.due == due
    assert desk.promise(case, "we call you tomorrow", at=monday, id="p1", actor="ann").promise == made.promise
    assert not [a for a in desk.tick(due).alerts if a.kind == "promise broken"]
    alerts = [a for a in desk.tick(due + HOUR).alerts if a.kind == "promise broken"]
    assert [a.case for a in alerts] == [case]
    late = do(desk, made.promise.id, "keep", due + 2 * HOUR).or_raise()
    assert late.case.state == "kept late"
    kept = desk.promise(case, "We will call you today.", at=due + 20 * HOUR, id="p2", actor="ann")
    assert do(desk, kept.promise.id, "keep", kept.reading.due).or_raise().case.state == "kept"
    assert [p.state for p in desk.promises(case)].count("kept") == 1


def test_row_184_no_date_no_promise() -> None:
    desk = new_desk()
    case = desk.take(said(), now=NINE).case.id
    for vague in ("We will call you soon.", "We are sorry."):
        with pytest.raises(ValueError, match="every promise has a due date"):
            desk.promise(case, vague, at=NINE, id="p1", actor="ann")
    assert not desk.promises(case)
    made = desk.promise(case, "We will call you soon.", at=NINE, id="p1", actor="ann", due=NINE + DAY)
    assert made.promise.data["due_at"] == (NINE + DAY).isoformat()
    assert "soon" in read_promise("We will call you soon.", at=NINE, calendar=ALWAYS).not_understood


def test_row_188_a_failure_of_180_passengers_is_180_cases_under_one_incident() -> None:
    desk = new_desk()
    people = [f"p{i:03d}" for i in range(180)]
    tweet = desk.take(said("t1", customer="p007", failure="delay", channel="x"), now=NINE).case.id
    args: dict[str, Any] = {
        "failure": "delay", "at": NINE, "now": NINE + HOUR, "actor": "ann", "statement": "We are sorry."
    }  # fmt: skip
    first = desk.open_incident("flight 81", customers=people, **args)
    assert (len(first.cases), len(set(first.cases)), len(first.opened)) == (180, 180, 179)
    assert first.joined == (tweet,)
    again = desk.open_incident("flight 81", customers=people[::-1], **args)
    assert (again.opened, again.joined, sorted(again.cases)) == ((), (), sorted(first.cases))
    assert [e.type for e in again.incident.events].count("statement made") == 1
    more = desk.open_incident("flight 81", customers=[*people, "p999"], **args)
    assert len(more.opened) == 1
    assert more.incident.case.data["cases"] == 181
    assert all(desk.file(c).case.data["incident"] == "flight 81" for c in more.cases)
    # who complains about it afterwards is in it already
    after = desk.take(said("t9", customer="p008", failure="delay", at=NINE + 2 * HOUR), now=NINE + 2 * HOUR)
    assert after.case.id in first.cases


def test_row_191_no_confirmation_closes_after_n_days_marked_unconfirmed() -> None:
    policy = RecoveryPolicy(POLICY.clocks, workflows=case_workflows(confirm_days=5, grace_days=10))
    desk = new_desk(policy)
    case = desk.take(said(), now=NINE).case.id
    do(desk, case, "resolve", NINE + HOUR, solution="sent again").or_raise()
    do(desk, case, "ask", NINE + 2 * HOUR).or_raise()
    assert desk.tick(NINE + 5 * DAY).alerts is not None
    assert desk.file(case).state == "asked"
    alerts = desk.tick(NINE + 5 * DAY + 2 * HOUR).alerts
    assert [a.kind for a in alerts] == ["unconfirmed"]
    file = desk.file(case)
    assert (file.state, file.confirmed) == ("closed", False)
    back = desk.take(said("m2", at=NINE + 6 * DAY), now=NINE + 6 * DAY)
    assert (back.case.id, back.todo.how, back.case.state) == (case, "reopened", "open")


def test_row_191_confirmed_is_closed_and_closing_twice_names_what_is_allowed() -> None:
    desk = new_desk()
    case = desk.take(said(), now=NINE).case.id
    do(desk, case, "resolve", NINE + HOUR, solution="sent again").or_raise()
    do(desk, case, "ask", NINE + 2 * HOUR).or_raise()
    assert not do(desk, case, "confirm", NINE + 2 * HOUR, role="agent").accepted  # only the customer can
    do(desk, case, "confirm", NINE + 3 * HOUR, role="customer").or_raise()
    assert desk.file(case).confirmed is True
    with pytest.raises(IllegalCommand, match=r"(?s)not possible in state 'closed'.*allowed here:.*'reopen'"):
        do(desk, case, "close", NINE + 4 * HOUR, reason="done").or_raise()


def test_row_191_after_the_grace_a_second_message_is_a_new_linked_case() -> None:
    policy = RecoveryPolicy(POLICY.clocks, workflows=case_workflows(confirm_days=1, grace_days=2), same_within_days=90)
    desk = new_desk(policy)
    case = desk.take(said(), now=NINE).case.id
    do(desk, case, "resolve", NINE + HOUR, solution="sent again").or_raise()
    desk.tick(NINE + 30 * DAY)
    assert desk.file(case).state == "archived"
    back = desk.take(said("m2", at=NINE + 31 * DAY), now=NINE + 31 * DAY)
    assert back.todo.how == "new case, linked"
    assert back.case.case.data["linked_to"] == case
    without_tick = new_desk(policy)
    case = without_tick.take(said(), now=NINE).case.id
    do(without_tick, case, "resolve", NINE + HOUR, solution="sent again").or_raise()
    assert without_tick.take(said("m2", at=NINE + 31 * DAY), now=NINE + 31 * DAY).todo.how == "new case, linked"


def test_row_191_merge_and_split_are_told_in_both_histories() -> None:
    desk = new_desk()
    one = desk.take(said("1", reference="o-1", failure=""), now=NINE).case.id
    two = desk.take(said("2", reference="o-2", failure="", public=True, reach=50, at=NINE - HOUR), now=NINE).case.id
    stays = desk.merge(two, one, at=NINE + HOUR, id="g1", actor="ann")
    assert (stays.events[-1].type, stays.public, stays.reach) == ("took over another case", True, 50)
    assert desk.file(two).state == "merged"
    assert stays.began_at == NINE - HOUR  # the clocks count from the first word of both
    assert desk.merge(two, one, at=NINE + HOUR, id="g1", actor="ann") == stays
    assert desk.take(said("3", reference="o-2", failure="", at=NINE + 2 * HOUR), now=NINE + 2 * HOUR).case.id == one
    part = desk.split(one, said("4", failure="rude staff"), now=NINE + 3 * HOUR, id="s1", actor="ann")
    assert part.case.case.data["split_from"] == one
    assert desk.file(one).events[-1].type == "split"
    with pytest.raises(IllegalCommand):
        desk.merge(two, part.case.id, at=NINE + 4 * HOUR, id="g2", actor="ann")
    assert desk.file(part.case.id).state == "open"


def test_row_193_three_histories_three_states() -> None:
    def state(feeling: float | None, earlier: int, broken: bool = False) -> Confidence:
        desk = new_desk()
        case = desk.take(said(), now=NINE).case.id
        do(desk, case, "acknowledge", NINE + timedelta(minutes=10)).or_raise()
        do(desk, case, "reply", NINE + HOUR).or_raise()
        if broken:
            desk.promise(case, "we call you today", at=NINE + HOUR, id="p", actor="ann")
        if feeling is not None:
            do(desk, case, "feel", NINE + 2 * HOUR, role="customer", sentiment=feeling).or_raise()
        do(desk, case, "resolve", NINE + 3 * HOUR, solution="sent again").or_raise()
        desk.tick(NINE + 2 * DAY)
        now = NINE + 2 * DAY
        facts = confidence_facts(
            desk.file(case), clocks=POLICY.clocks, now=now, earlier_failures=earlier, promises=desk.promises()
        )
        found = CONFIDENCE.decide(facts, now=now)
        assert found.decisions
        return Confidence(found.outcome)

    assert state(0.3, 0) is Confidence.MAINTAIN
    assert state(-0.7, 0) is Confidence.REGAIN
    assert state(-0.7, 1) is Confidence.REBUILD
    assert state(None, 0, broken=True) is Confidence.REBUILD


def test_row_194_share_that_is_public_with_its_reach() -> None:
    heard = [said(str(i), public=i < 12, reach=100.0 * i if 0 < i < 12 else None, channel="x" if i < 12 else "mail")
             for i in range(40)]  # fmt: skip
    split = hearing.public_split(heard)
    assert (split.share.value, split.share.n) == (0.3, 40)
    assert (split.reach, split.reach_unknown) == (6600, 1)
    assert split.channels == (("x", 12, 0, 6600.0), ("mail", 0, 28, 0.0))
    assert split.chart().spec
    desk = new_desk()
    for complaint in heard[:3]:
        desk.take(attrs_customer(complaint), now=NINE)
    assert hearing.public_split(desk.files(), small_sample_ok=True).share.value == 1


def attrs_customer(complaint: Complaint) -> Complaint:
    import attrs

    return attrs.evolve(complaint, customer=f"c{complaint.id}")


def test_row_196_a_second_failure_in_twelve_months_counts_one_step_more() -> None:
    desk = new_desk()
    first = desk.take(said("1"), now=NINE).case
    second = desk.take(said("2", failure="rude staff", at=NINE + 200 * DAY), now=NINE + 200 * DAY).case
    assert (first.severity, second.severity) == (3, 2)
    assert any("1 earlier in 365 days: severity normal + one more" in r for r in second.reasons)
    third = desk.take(said("3", failure="lost", at=NINE + 600 * DAY), now=NINE + 600 * DAY).case
    assert third.severity == 3  # more than twelve months later
    other = desk.take(said("4", customer="c8", at=NINE + 201 * DAY), now=NINE + 201 * DAY).case
    assert other.severity == 3
    thanks = desk.take(said("5", customer="c8", kind="compliment", at=NINE + 202 * DAY), now=NINE + 202 * DAY).case
    assert thanks.severity == 3
    assert Triage(repeat_steps=0).priority("normal", earlier=3).severity == 3
