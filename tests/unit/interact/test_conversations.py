"""Sentences of errors and texts of reprs of conversations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.errors import (
    ConflictingConstraints,
    DuplicateIds,
    EmptyInput,
    NaiveDatetime,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.idic.interact.conversations import (
    AskedField,
    Message,
    OnFile,
    Statement,
    Subject,
    Threader,
    ThreadRules,
    attach,
    continuity,
    dialogue_ratio,
    hand_over,
    next_question,
    references_in,
    thread,
)

AT = datetime(2026, 6, 1, 9, tzinfo=UTC)


def message(id: str = "m1", text: str = "Secret words about order A-17?", **more: object) -> Message:
    given: dict[str, object] = {"contact": "somchai", "at": AT, "channel": "chat", "direction": "inbound", **more}
    return Message(id=id, text=text, **given)  # type: ignore[arg-type]


def test_a_repr_shows_no_words_and_no_person() -> None:
    shown = repr(message()) + repr(thread([message()])["m1"]) + repr(hand_over(thread([message()])["m1"], now=AT))
    assert "Secret" not in shown
    assert "somchai" not in shown
    assert "somchai" not in str(thread([message()]))
    assert "anna" not in repr(OnFile("anna@example.org"))


def test_a_message_refuses_what_it_cannot_place() -> None:
    with pytest.raises(NaiveDatetime, match="at is a naive datetime"):
        message(at=datetime(2026, 6, 1))
    with pytest.raises(WrongType, match="a message without a time has no place"):
        message(at=None)
    with pytest.raises(EmptyInput, match="give each message an id"):
        message(id=" ")
    with pytest.raises(UnknownName, match="did you mean 'inbound'"):
        message(direction="inbond")


def test_two_messages_of_one_id_are_refused_and_a_repeat_is_not() -> None:
    with pytest.raises(DuplicateIds, match="1 repeated ids"):
        thread([message(), message(text="else")])
    threads = Threader()
    assert threads.observe(message()) == threads.observe(message())
    with pytest.raises(DuplicateIds, match="a message does not change"):
        threads.observe(message(text="else"))


def test_unknown_messages_and_conversations_propose_the_nearest() -> None:
    found = thread([message("m10")])
    with pytest.raises(UnknownName, match="did you mean 'm10'"):
        found["m11"]
    with pytest.raises(UnknownName, match="did you mean 'm10'"):
        found.of_message("m11")


def test_rules_outside_their_range_are_refused() -> None:
    with pytest.raises(OutOfRange, match="similarity = 2"):
        ThreadRules(similarity=2)
    with pytest.raises(OutOfRange, match="answer_days"):
        dialogue_ratio([], answer_days=0)


def test_a_reference_too_long_ago_opens_a_new_conversation() -> None:
    late = message("m2", "order A-17", at=AT + timedelta(days=200))
    assert len(thread([message(), late])) == 2
    assert len(thread([message(), late], rules=ThreadRules(reference_days=365))) == 1


def test_references_are_read_with_their_kind() -> None:
    assert references_in("Order number: ab-12, Booking 99 and ticket #77; order of the day; in order to") == (
        "order:AB-12", "booking:99", "ticket:77",
    )  # fmt: skip
    assert references_in(None) == ()


def test_frames_and_html_of_conversations() -> None:
    found = thread([message(), message("m2", "<b>order A-17</b>", at=AT + timedelta(hours=1), channel="store")])
    assert found.to_frame()["reason"] == ["opened", "same reference"]
    assert "<b>" not in found._repr_html_()
    moved = continuity(found, small_sample_ok=True)
    assert (moved.switches, moved.never) == (1, 1)
    assert moved.to_frame()["n"] == [1, 0]


def test_other_values_refuse_what_says_nothing() -> None:
    with pytest.raises(EmptyInput, match="only a withdrawal has none"):
        Statement(customer="c7", topic="milk", at=AT, source="chat")
    with pytest.raises(EmptyInput, match="shoe size"):
        AskedField("shoe size", [])
    with pytest.raises(UnknownName, match="subject 'nowhere'"):
        attach([], [Subject(id="a", kind="leg", part_of="nowhere")])
    with pytest.raises(ConflictingConstraints, match="a part cannot hold its whole"):
        attach([], [Subject(id="a", kind="leg", part_of="b"), Subject(id="b", kind="leg", part_of="a")])
    with pytest.raises(UnknownName, match="column 'segmnt'"):
        next_question({}, {"segment": ["a"]}, target="segmnt")
    with pytest.raises(OutOfRange, match="one row a customer"):
        next_question({}, {"segment": ["a"], "pet": []}, target="segment")
