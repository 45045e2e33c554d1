"""Screens: what they send, faults by their place on the screen, and surfaces that somebody else adds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.errors import BadDocument, MissingColumn, UnknownName
from crmcore.idic.interact.presentation import (
    CRM,
    PORTAL,
    SERVICE_CASE,
    CaseDesk,
    Screen,
    conversation,
    crm_command,
    crm_view,
    portal_command,
    portal_view,
)
from crmcore.lifecycle import BadWorkflow, Workflow
from crmcore.stores import MemoryStore

GOOD = {"ticket": "k", "action": "create", "sent_at": "2026-05-01T16:00+07:00", "request": "r", "message": "Ann is ill"}


def test_a_form_becomes_a_command_and_its_repr_shows_no_value() -> None:
    sent = portal_command({**GOOD, "me": "c7", "csrf": "x"})
    command = sent.command
    assert (sent.case_id, command.name, command.id, command.actor, command.role) == (
        "k", "open", "r", "customer", "customer",
    )  # fmt: skip
    assert command.at == datetime(2026, 5, 1, 9, tzinfo=UTC)
    assert command.data == {"message": "Ann is ill", "customer": "c7"}
    assert "Ann" not in repr(sent) + repr(CaseDesk(MemoryStore()).handle(sent))


def test_what_opens_a_case_alone_names_the_customer_and_the_subject() -> None:
    sent = crm_command(
        {
            "Case": {"Id": "k", "ContactId": "c7", "Subject": "Lamp"},
            "Activity": {"Type": "private_note", "Body": "x", "At": GOOD["sent_at"], "Id": "a", "By": "rep-4"},
        }
    )
    assert sent.command.data == {"note": "x"}
    assert (sent.command.actor, sent.command.role) == ("rep-4", "staff")


def test_all_faults_of_what_a_screen_sent_are_named_at_once_by_their_place() -> None:
    with pytest.raises(BadDocument) as caught:
        crm_command({"Case": {"Id": 7}, "Activity": {"Type": "coment", "At": "yesterday", "By": ""}})
    assert str(caught.value) == (
        "the document is no command of the CRM screen:\n"
        "  expected text, not int @ $.Case.Id\n"
        "  required field is missing @ $.Activity.Id\n"
        "  required field is missing @ $.Activity.By\n"
        "  expected an ISO 8601 instant with offset, such as 2026-05-04T17:00:00+07:00 @ $.Activity.At\n"
        "  UnknownName: unknown action 'coment': expected one of ['new', 'comment', 'private_note', 'resolve', "
        "'reopen', 'close']. @ $.Activity.Type\n"
        "    hint: did you mean 'comment'?\n"
        "  hint: repair these fields and send it again"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"request": None}, "required field is missing @ $.request"),
        ({"sent_at": "2026-05-01T09:00"}, "with offset, such as 2026-05-04T17:00:00+07:00 @ $.sent_at"),
        ({"message": ["a"]}, "expected text, not list @ $.message"),
        ({"action": "creat"}, "did you mean 'create'?"),
    ],
)
def test_one_fault_is_enough(change: dict[str, object], told: str) -> None:
    with pytest.raises(BadDocument) as caught:
        portal_command({**GOOD, **change})
    assert told in str(caught.value)
    assert len(caught.value.problems) == 1


def test_sections_that_are_missing_or_no_sections_are_missing_fields() -> None:
    for sent in ({"Case": {"Id": "k"}}, {"Case": {"Id": "k"}, "Activity": "new"}):
        with pytest.raises(BadDocument) as caught:
            crm_command(sent)
        assert [p.split("$.")[1] for p in caught.value.problems] == [
            "Activity.Type", "Activity.At", "Activity.Id", "Activity.By",
        ]  # fmt: skip


def test_a_surface_that_somebody_adds_drives_the_same_case() -> None:
    chat = Screen("chat", {"case": "thread", "action": "intent", "at": "ts", "id": "mid", "text": "body.text"},
                  {"say": "message", "bye": "close"})  # fmt: skip
    desk = CaseDesk(MemoryStore())
    desk.handle(portal_command(GOOD))
    said = {"thread": "k", "intent": "say", "ts": "2026-05-01T09:30+00:00", "mid": "m1", "body": {"text": "Hello?"}}
    history = desk.handle(chat.command(said))
    assert [(line.role, line.text) for line in conversation(history)] == [
        ("customer", "Ann is ill"), ("customer", "Hello?"),
    ]  # fmt: skip
    assert chat.offers(history.case.state, "customer") == ["say", "bye"]
    history = desk.handle(chat.command({**said, "intent": "bye", "mid": "m2", "body": {}}))
    assert (history.case.state, chat.offers("closed", "customer")) == ("closed", [])


def test_a_screen_that_names_what_is_not_there_is_refused_when_it_is_made() -> None:
    with pytest.raises(UnknownName, match=r"unknown command 'mesage'[\s\S]*did you mean 'message'"):
        Screen("chat", PORTAL.fields, {"say": "mesage"})
    with pytest.raises(UnknownName, match="unknown field of a screen 'ticket'"):
        Screen("chat", {**CRM.fields, "ticket": "x"}, CRM.actions)
    with pytest.raises(MissingColumn, match="no column 'at' in the fields of the chat"):
        Screen("chat", {"case": "c", "action": "a", "id": "i"}, {})


def test_every_command_of_the_workflow_has_a_button_for_staff() -> None:
    assert set(CRM.actions.values()) == {"open", *SERVICE_CASE.known_commands}
    for state in SERVICE_CASE.states:
        assert CRM.offers(state, "staff")
        assert {PORTAL.actions[word] for word in PORTAL.offers(state, "customer")} <= set(
            SERVICE_CASE.commands(state, role="customer")
        )


def test_the_workflow_travels_as_json_and_reads_as_text() -> None:
    assert Workflow.from_dict(SERVICE_CASE.to_dict()) == SERVICE_CASE
    assert "note: * -> same, by staff, needs note" in str(SERVICE_CASE)
    with pytest.raises(BadWorkflow):
        Workflow.from_dict({**SERVICE_CASE.to_dict(), "initial": "opn"})


def test_an_unknown_case_is_told_with_the_nearest() -> None:
    desk = CaseDesk(MemoryStore())
    desk.handle(portal_command({**GOOD, "ticket": "lamp-17"}))
    with pytest.raises(UnknownName, match="did you mean 'lamp-17'"):
        desk.read("lamp17")


def test_times_are_shown_as_instants_in_utc() -> None:
    history = CaseDesk(MemoryStore()).handle(portal_command(GOOD))
    when = (datetime(2026, 5, 1, 16) - timedelta(hours=7)).isoformat() + "+00:00"
    assert portal_view(history)["conversation"] == [{"from": "you", "at": when, "message": "Ann is ill"}]
    assert crm_view(history)["Case"] == {
        "Id": "k", "ContactId": None, "Subject": None, "Status": "Open", "Opened": when,
    }  # fmt: skip
