"""Commands: accepted, refused with reasons, idempotent, audited; cases that move to another version."""

from __future__ import annotations

import json
import pickle
import sys
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from crmcore.errors import BadDocument, EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.lifecycle import (
    Accepted,
    BadHistory,
    Case,
    Command,
    IllegalCommand,
    Late,
    Refused,
    Timer,
    Transition,
    UnmappedStates,
    Why,
    Workflow,
    as_of,
    decide,
    evolve,
    history,
    migrate,
    open_case,
    redact,
    replay,
)
from crmcore.lifecycle.examples import complaint, deal
from crmcore.rules import Event as Happened
from crmcore.rules import Facts, Rule, count, field
from crmcore.stores import Event

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFUND = Workflow(
    "refund",
    1,
    ["asked", "paid", "checked", "refused"],
    "asked",
    [
        Transition("pay", "asked", "paid", guard=Rule("small", field("amount") <= 50), actors="agent", needs="amount"),
        Transition(
            "pay", "asked", "checked", guard=Rule("vip", field("tier") == "gold"), actors="agent", needs="amount"
        ),
        Transition("refuse", "asked", "refused", needs="reason", emits="refund refused"),
        Transition("note", "*", keeps="topic", sets={"noted": True}),
    ],
    terminal=["paid", "refused"],
)


def command(
    name: str, data: dict[str, object] | None = None, *, actor: str = "agent", at: datetime = AT, **more
) -> Command:
    return Command(name, data or {}, actor=actor, at=at, id=more.pop("id", f"{name}-{at:%H%M}"), **more)


def start(flow: Workflow = REFUND, **data: object) -> Case:
    return open_case(flow, "k7", at=AT, data=data, actor="portal").case


def test_an_accepted_command_gives_the_case_after_it_and_the_event_to_keep() -> None:
    outcome = decide(REFUND, start(), command("pay", {"amount": 20, "how": "card"}))
    assert isinstance(outcome, Accepted)
    assert outcome.accepted
    assert outcome.or_raise() is outcome
    assert outcome.case.state == "paid"
    assert outcome.case.data == {"amount": 20}, "what the transition does not keep stays in the event"
    assert outcome.event.data == {
        "command": "pay", "from": "asked", "to": "paid", "set": {"amount": 20}, "note": {"how": "card"},
    }  # fmt: skip
    assert (outcome.event.id, outcome.event.type, outcome.event.actor) == ("pay-0900", "pay", "agent")
    assert [str(g.decision.truth) for g in outcome.guards] == ["true"]


def test_guards_are_tried_in_order_and_the_first_that_holds_decides() -> None:
    large = command("pay", {"amount": 900})
    assert decide(REFUND, start(), large, facts={"tier": "gold"}).case.state == "checked"
    refused = decide(REFUND, start(), large, facts={"tier": "blue"})
    assert isinstance(refused, Refused)
    assert refused.why is Why.GUARD
    assert len(refused.reasons) == 2
    assert refused.reasons[0].startswith('Rule "small" does not hold.')


def test_an_unknown_fact_does_not_hold_and_the_refusal_says_what_to_find_out() -> None:
    refused = decide(REFUND, start(), command("pay", {"amount": 900}))
    assert isinstance(refused, Refused)
    assert refused.asks == ("tier",)
    assert "tier is not known" in str(refused)
    assert refused.case == start()
    assert refused.events == ()


def test_facts_may_be_a_facts_object_with_events() -> None:
    loyal = Rule("loyal", count("order") >= 1)
    flow = Workflow("w", 1, ["a", "b"], "a", [Transition("go", "a", "b", guard=loyal)], terminal="b")
    facts = Facts({}, events=[Happened(kind="order", time=AT - HOUR)])
    assert decide(flow, start(flow), command("go"), facts=facts).accepted
    assert not decide(flow, start(flow), command("go"), facts=Facts({}, events=[])).accepted


def test_what_a_sender_adds_to_a_command_cannot_pose_as_a_fact() -> None:
    sent = command("pay", {"amount": 900, "tier": "gold"})
    assert not decide(REFUND, start(), sent).accepted
    assert not decide(REFUND, start(), sent, facts={"tier": "blue"}).accepted


def test_fields_of_the_case_are_facts_and_handed_in_facts_beat_them() -> None:
    sent = command("pay", {"amount": 900})
    assert decide(REFUND, start(tier="gold"), sent).accepted
    assert not decide(REFUND, start(tier="gold"), sent, facts={"tier": "blue"}).accepted


def test_a_guard_may_ask_for_state_actor_and_role() -> None:
    own = Rule("own", field("owner") == "anna")
    flow = Workflow(
        "w", 1, ["a", "b"], "a",
        [Transition("go", "*", "b", guard=Rule("by anna", (field("actor") == "anna") & (field("state") == "a")))],
        terminal="b",
    )  # fmt: skip
    assert decide(flow, start(flow), command("go", actor="anna", role="agent")).accepted
    assert not decide(flow, start(flow), command("go", actor="ben", role="agent")).accepted
    assert own.name == "own"


def test_an_incomplete_command_is_refused_and_does_not_fall_through_to_another_way() -> None:
    large = Rule("large", field("amount") > 100)
    flow = Workflow(
        "w", 1, ["a", "b", "c"], "a",
        [
            Transition("pay", "a", "b", guard=large, needs=["amount", "approval"]),
            Transition("pay", "a", "c", needs="amount"),
        ],
    )  # fmt: skip
    refused = decide(flow, start(flow), command("pay", {"amount": 500}))
    assert isinstance(refused, Refused)
    assert (refused.why, refused.reasons) == (Why.NEEDS, ("it needs approval",))
    assert decide(flow, start(flow), command("pay", {"amount": 5})).case.state == "c"
    missing = decide(REFUND, start(), command("refuse", actor="x"))
    assert isinstance(missing, Refused)
    assert missing.reasons == ("it needs reason",)
    done = decide(REFUND, start(), command("refuse", actor="x", reason="used for a year"))
    assert done.accepted
    assert done.events[-1].reason == "used for a year"
    assert "reason" not in done.case.data


def test_a_role_that_may_not_is_told_who_may() -> None:
    refused = decide(REFUND, start(), command("pay", {"amount": 20}, actor="c7", role="customer"))
    assert isinstance(refused, Refused)
    assert (refused.why, refused.reasons) == (Why.ACTOR, ("role 'customer' may not, agent may",))
    assert refused.allowed == ("refuse", "note")


def test_an_illegal_command_names_those_that_are_allowed_in_this_state_for_this_actor() -> None:
    paid = decide(REFUND, start(), command("note")).case
    with pytest.raises(IllegalCommand) as caught:
        decide(complaint(), open_case(complaint(), "k1", at=AT).case, command("confirm", actor="customer")).or_raise()
    error = caught.value
    assert isinstance(error, ValueError)
    assert (error.command, error.state, error.allowed) == ("confirm", "open", ("note",))
    assert str(error) == (
        "command 'confirm' was refused for 'customer' on 'k1', which is 'open': it is not possible in state 'open'.\n"
        "  allowed here: ['note']\n  hint: send one that is allowed, or what is missing with this one"
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert paid.data == {"noted": True}


def test_a_command_that_the_workflow_does_not_have_at_all_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UnknownName, match="did you mean 'refuse'"):
        decide(REFUND, start(), command("refuze"))


def test_a_command_that_was_decided_on_an_older_view_is_refused() -> None:
    case = decide(REFUND, start(), command("note")).case
    refused = decide(REFUND, case, command("pay", {"amount": 20}, expected=1))
    assert isinstance(refused, Refused)
    assert refused.why is Why.STALE
    assert refused.reasons == ("it is at version 2, the sender saw 1",)
    assert decide(REFUND, case, command("pay", {"amount": 20}, expected=2)).accepted


def test_a_command_dated_before_the_last_event_is_refused() -> None:
    refused = decide(REFUND, start(), command("note", at=AT - HOUR))
    assert isinstance(refused, Refused)
    assert refused.why is Why.TIME
    assert decide(REFUND, start(), command("note", at=AT)).accepted


def test_a_late_command_may_follow_the_last_event_instead() -> None:
    flow = Workflow("w", 1, ["a", "b"], "a", [Transition("go", "a", "b"), Transition("tell", "a")],
                    [Timer("t", "a", "go", after_minutes=30)], "b")  # fmt: skip
    told = decide(flow, start(flow), command("tell", at=AT + HOUR / 4)).case
    late = decide(flow, told, command("go", at=AT, id="x"), late=Late.FOLLOW)
    assert isinstance(late, Accepted)
    assert [(e.type, e.time) for e in late.events] == [("go", AT + HOUR / 4)], "no timer was due by then"
    assert late.event.data["dated"] == AT.isoformat()
    in_time = decide(flow, told, command("go", at=AT + HOUR / 4, id="x"), late=Late.FOLLOW)
    assert in_time.case == late.case
    assert "dated" not in in_time.events[-1].data


def test_a_refusal_is_an_event_where_refusals_are_recorded() -> None:
    refused = decide(REFUND, start(), command("pay", {"amount": 900}, reason="angry"), record_refusals=True)
    assert isinstance(refused, Refused)
    event = refused.events[-1]
    assert (event.type, event.id, event.reason) == ("command refused", "pay-0900", "angry")
    assert event.data["why"] == "GUARD"
    assert event.data["refused"] == list(refused.reasons)
    assert (refused.case.state, refused.case.version) == ("asked", 2)
    early = decide(REFUND, start(), command("note", at=AT - HOUR), record_refusals=True)
    assert early.events[-1].time == AT, "a refusal does not turn the clock back"


def test_commands_are_checked_at_the_door() -> None:
    with pytest.raises(EmptyInput, match=r"Command.id is empty"):
        Command("pay", at=AT, id="")
    with pytest.raises(NaiveDatetime, match=r"Command.at is a naive datetime"):
        Command("pay", at=datetime(2026, 5, 4), id="x")
    with pytest.raises(OutOfRange, match="expected = -1"):
        Command("pay", at=AT, id="x", expected=-1)
    with pytest.raises(WrongType, match="data is list"):
        Command("pay", ["amount"], at=AT, id="x")
    with pytest.raises(EmptyInput, match="case_id is empty"):
        open_case(REFUND, "", at=AT)
    with pytest.raises(OutOfRange, match="workflow = 'deal 1': expected refund 1"):
        decide(deal(), start(), command("win"))


def test_the_repr_of_commands_and_cases_shows_names_of_fields_and_no_value() -> None:
    sent = command("note", {"text": "call Anna on 0812345678"}, reason="Anna asked")
    assert "Anna" not in repr(sent)
    assert "Anna" not in repr(start(name="Anna"))
    assert "data={name}" in repr(start(name="Anna"))


def test_a_case_cannot_be_changed_and_equals_its_twin() -> None:
    case = decide(REFUND, start(), command("note")).case
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        case.state = "paid"
    assert type(case) is Case
    assert case == Case(**attrs.asdict(case, recurse=False))
    assert pickle.loads(pickle.dumps(case)) == case
    assert attrs.evolve(case, state="paid").state == "paid"
    assert case != attrs.evolve(case, version=9)


def test_a_case_travels_as_json() -> None:
    case = decide(REFUND, start(topic="late", tags=["a", {"b": None}]), command("note", {"topic": "x"})).case
    assert Case.from_dict(json.loads(json.dumps(case.to_dict()))) == case
    with pytest.raises(BadDocument, match=r"not valid here, expected Mapping @ \$\.data"):
        Case.from_dict({**case.to_dict(), "data": 3})
    with pytest.raises(BadDocument, match=r"version"):
        Case.from_dict({**case.to_dict(), "version": "3"})
    with pytest.raises(BadDocument, match=r"the value is datetime: expected a JSON value. @ \$\.data\['when'\]"):
        Case.from_dict({**case.to_dict(), "data": {"when": AT}})
    held = case.to_dict()
    held["data"]["tags"].append("c")
    assert case.data["tags"] == ["a", {"b": None}], "what is done to the document is not done to the case"


def test_a_case_stays_below_one_kibibyte_beside_its_events() -> None:
    case = start(owner="anna", topic="late", amount=900)
    for i in range(20):
        case = decide(REFUND, case, command("note", {"topic": "x"}, id=str(i))).case
    parts = [case, case.id, case.since, case.at, case.data, case.entries, *case.entries.values()]
    assert sum({id(p): sys.getsizeof(p) for p in parts}.values()) < 1024


def test_replay_of_events_is_the_case_and_as_of_is_the_case_at_an_instant() -> None:
    opened = open_case(complaint(), "k7", at=AT, actor="portal")
    asked = decide(complaint(), opened.case, command("ask", at=AT + HOUR))
    solved = decide(complaint(), asked.case, command("resolve", {"cause": "box"}, at=AT + 2 * HOUR))
    events = [*opened.events, *asked.events, *solved.events]
    assert replay(events) == solved.case
    assert replay(events, workflows=[complaint()]) == solved.case
    assert as_of(events, AT + HOUR) == asked.case
    assert as_of(events, AT + HOUR - timedelta(microseconds=1)) == opened.case
    assert as_of(events, AT - HOUR) is None
    with pytest.raises(NaiveDatetime, match="at is a naive datetime"):
        as_of(events, datetime(2026, 5, 4))


def test_a_history_that_its_workflow_does_not_allow_is_told_by_position() -> None:
    opened = open_case(complaint(), "k7", at=AT).event
    wrong = [
        opened,
        Event(id="1", type="x", time=AT, data={"command": "confirm", "from": "open", "to": "closed"}),
        Event(id="2", type="x", time=AT - HOUR, data={"command": "note", "from": "closed"}),
        Event(id="3", type="x", time=AT, data={"command": "note", "to": "shelf"}),
    ]
    assert replay(wrong).state == "shelf"
    with pytest.raises(BadHistory) as caught:
        replay(wrong, workflows=[complaint()])
    assert caught.value.problems == (
        "1: 'confirm' leads from 'open' to 'closed', which complaint 1 does not have",
        "2: 'x' happened before the event that precedes it",
        "2: 'note' leads from 'closed' to 'closed', which complaint 1 does not have",
        "3: 'x' leads to 'shelf', which complaint 1 does not have",
    )
    with pytest.raises(BadHistory, match="no workflow 'complaint' version 1 among those given"):
        replay([opened], workflows=[deal()])
    with pytest.raises(BadHistory, match="it opens in 'won' instead of 'lead'"):
        replay(
            [
                Event(
                    id="1", type="opened", time=AT, stream="case:d", data={"workflow": "deal", "pinned": 1, "to": "won"}
                )
            ],
            workflows=[deal()],
        )
    with pytest.raises(BadHistory, match="0: 'x' opens no case"):
        evolve(None, wrong[1])


def test_events_that_an_application_wrote_into_the_stream_count_and_change_nothing() -> None:
    case = start()
    after = evolve(case, Event(id="z", type="mail sent", time=AT + HOUR, data={"to_address": "x"}))
    assert after == attrs.evolve(case, at=AT + HOUR, version=2)


def test_the_same_target_is_a_new_entry_and_no_target_is_none() -> None:
    flow = Workflow("w", 1, ["a"], "a", [Transition("again", "a", "a"), Transition("touch", "a")])
    again = decide(flow, start(flow), command("again", at=AT + HOUR)).case
    touched = decide(flow, start(flow), command("touch", at=AT + HOUR)).case
    assert (again.since, touched.since) == (AT + HOUR, AT)
    assert again.entries == touched.entries == {"a": AT}
    assert again.opened_at == AT


def test_migration_keeps_fields_clock_and_history_and_says_who_and_why() -> None:
    old = deal()
    new = Workflow(
        "deal", 2, ["new", "talking", "won", "lost"], "new",
        [Transition("talk", "new", "talking"), Transition("win", "talking", "won"), Transition("lose", "*", "lost")],
        terminal=["won", "lost"],
    )  # fmt: skip
    opened = open_case(old, "k7", at=AT, data={"source": "fair"})
    moved = migrate(
        opened.case, to=new, mapping={"lead": "new", "qualified": "talking"}, at=AT + HOUR, actor="ops", reason="2026"
    )
    case = moved.case
    assert (case.workflow, case.pinned, case.state, case.since) == ("deal", 2, "new", AT)
    assert case.data == {"source": "fair"}
    assert case.entries == {"lead": AT, "new": AT}
    won = decide(new, case, command("talk", at=AT + 2 * HOUR))
    events = [*opened.events, *moved.events, *won.events]
    assert replay(events, workflows=[old, new]) == won.case
    assert str(history(events)).splitlines()[2] == "  2026-05-04 10:00 migrated by ops (2026)"


def test_migration_of_a_state_that_is_gone_must_say_where_it_goes() -> None:
    new = Workflow("deal", 2, ["leads", "won"], "leads", [Transition("win", "leads", "won")])
    case = start(deal())
    with pytest.raises(UnmappedStates) as caught:
        migrate(case, to=new, at=AT, actor="ops", reason="x")
    assert str(caught.value) == (
        "deal 2 has no states ['lead'] any more: expected one of ['leads', 'won'].\n"
        "  hint: say where they go: mapping={'lead': 'leads', ...}"
    )
    with pytest.raises(UnmappedStates, match="no states \\['wonn'\\]"):
        migrate(case, to=new, mapping={"lead": "leads", "qualified": "wonn"}, at=AT, actor="ops", reason="x")
    with pytest.raises(OutOfRange, match="at = "):
        migrate(case, to=new, mapping={"lead": "leads"}, at=AT - HOUR, actor="ops", reason="x")
    with pytest.raises(NaiveDatetime, match="at is"):
        migrate(case, to=new, mapping={"lead": "leads"}, at=datetime(2026, 5, 4), actor="ops", reason="x")


def test_a_history_tells_who_when_what_why_and_how_long() -> None:
    opened = open_case(complaint(), "k7", at=AT, actor="portal")
    asked = decide(complaint(), opened.case, command("ask", at=AT + HOUR))
    answered = decide(
        complaint(), asked.case, command("answer", actor="c7", role="customer", at=AT + 4 * HOUR), record_refusals=True
    )
    refused = decide(complaint(), answered.case, command("ask", actor="bot", at=AT + 5 * HOUR), record_refusals=True)
    trail = history([*opened.events, *asked.events, *answered.events, *refused.events])
    assert str(trail) == (
        "k7 on complaint 1: open since 2026-05-04 13:00\n"
        "  2026-05-04 09:00 opened: * -> open by portal\n"
        "  2026-05-04 10:00 customer asked: open -> waiting after 1 h by agent\n"
        "  2026-05-04 13:00 customer answered: waiting -> open after 3 h by c7 as customer\n"
        "  2026-05-04 14:00 command refused by bot [refused: role 'bot' may not, agent may]"
    )
    assert trail.minutes(now=AT + 6 * HOUR) == {"open": 180.0, "waiting": 180.0}
    assert trail.minutes() == {"open": 120.0, "waiting": 180.0}
    frame = trail.to_frame()
    assert frame["actor"] == ["portal", "agent", "c7", "bot"]
    assert frame["minutes_before"] == [None, 60.0, 180.0, None]
    assert frame["refused"][3] == "role 'bot' may not, agent may"
    assert trail.to_frame(backend="polars").shape == (4, 11)
    assert [r["label"] for r in trail.chart().rows] == ["open", "waiting"]
    assert "<table>" in trail._repr_html_()
    assert (len(trail), repr(trail)) == (4, "History('k7', 4 steps)")
    assert [step.brought for step in trail.steps] == [{}] * 4
    with pytest.raises(BadHistory, match="there are none"):
        history([])
    with pytest.raises(NaiveDatetime, match="now is"):
        trail.minutes(now=datetime(2026, 5, 4))


def test_a_step_holds_what_its_event_brought_and_shows_only_its_names() -> None:
    opened = open_case(REFUND, "k7", at=AT, data={"order": "o-81"})
    noted = decide(REFUND, opened.case, command("note", {"topic": "late", "text": "Anna called"}))
    trail = history([*opened.events, *noted.events])
    assert [step.brought for step in trail.steps] == [
        {"order": "o-81"},
        {"topic": "late", "text": "Anna called", "noted": True},
    ]
    assert "Anna" not in repr(trail.steps) + str(trail) + repr(trail.to_frame())
    assert "text" in repr(trail.steps[1])
    gone = [attrs.evolve(e, data=redact("text")(e.data)) for e in (*opened.events, *noted.events)]
    assert history(gone).steps[1].brought["text"] is None


def test_commands_and_outcomes_travel_as_json() -> None:
    sent = command("pay", {"amount": 900}, role="agent", reason="angry", expected=1)
    assert Command.from_dict(json.loads(json.dumps(sent.to_dict()))) == sent
    short = Command.from_dict({"name": "pay", "actor": "anna", "at": AT.isoformat(), "id": "1"})
    assert (short.role, short.data, short.expected) == ("anna", {}, None)
    with pytest.raises(BadDocument) as caught:
        Command.from_dict({"name": 3, "at": AT.isoformat(), "idd": "1"})
    assert len(caught.value.problems) == 3
    with pytest.raises(BadDocument, match=r"OutOfRange: expected = -1: [\s\S]*hint: pass case.version as you saw it"):
        Command.from_dict({"name": "pay", "at": AT.isoformat(), "id": "1", "expected": -1})
    refused = json.loads(json.dumps(decide(REFUND, start(), sent).to_dict()))
    assert (refused["accepted"], refused["why"], refused["asks"]) == (False, "a condition does not hold", ["tier"])
    assert refused["guards"][0]["truth"] == "false"
    paid = json.loads(json.dumps(decide(REFUND, start(), command("pay", {"amount": 1})).to_dict()))
    assert (paid["accepted"], paid["events"][0]["type"]) == (True, "pay")
    assert Case.from_dict(paid["case"]).state == "paid"


def test_outcomes_read_as_sentences() -> None:
    assert str(decide(REFUND, start(), command("note"))) == "accepted: note, k7 is 'asked'"
    assert str(decide(REFUND, start(), command("refuse"))) == (
        "refused: refuse on k7, something is missing from the command: it needs reason"
    )
