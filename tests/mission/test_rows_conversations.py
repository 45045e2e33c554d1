"""Rows 38-43 and 92 of the features: conversations over channels, asked, remembered and attached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.idic.interact.conversations import (
    FIELDS,
    AskedField,
    Conversations,
    HandOver,
    Message,
    NextQuestion,
    OnFile,
    Preferences,
    Statement,
    Subject,
    Threader,
    attach,
    continuity,
    dialogue_ratio,
    hand_over,
    hear_preferences,
    next_question,
    redundant_questions,
    thread,
)
from crmcore.idic.interact.conversations.asking import asked_fields

MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC)


def said(
    id: str, hours: float, channel: str, text: str, direction: str = "inbound", contact: str | None = "c7"
) -> Message:
    at = MONDAY + timedelta(hours=hours)
    return Message(id=id, contact=contact, at=at, channel=channel, direction=direction, text=text)


def story() -> list[Message]:
    return [
        said("q1", 0, "inbox", "Hello, where is my order A-17? It should have come on Friday."),
        said("v1", 26, "store", "Customer came in about order A-17, wants to know when it arrives."),
    ]


def test_row_038_ten_outbound_four_answered_threads_are_a_ratio_of_two_fifths() -> None:
    messages = [said(f"o{i}", i, "email", f"News about order N-{i}00", "outbound", f"c{i}") for i in range(10)]
    messages += [said(f"a{i}", i + 1, "email", f"About order N-{i}00: yes!", contact=f"c{i}") for i in range(4)]
    ratio = dialogue_ratio(thread(messages), small_sample_ok=True)
    assert (ratio.value, ratio.n) == (0.4, 10)
    assert ratio.low == pytest.approx(0.1682, abs=1e-4)
    assert ratio.high == pytest.approx(0.6873, abs=1e-4)


def test_row_038_an_answer_that_comes_too_late_and_a_thread_too_young_do_not_count() -> None:
    messages = [said(f"o{i}", 100 * i, "email", f"News about order N-{i}00", "outbound", f"c{i}") for i in range(3)]
    messages.append(said("a0", 90, "email", "order N-000: thanks", contact="c0"))
    found = dialogue_ratio(thread(messages), answer_days=1, now=MONDAY + timedelta(hours=201), small_sample_ok=True)
    assert (found.value, found.n) == (0.0, 2)


def test_row_039_a_question_online_and_a_visit_are_one_conversation_with_a_brief() -> None:
    found = thread(story())
    assert found.of_message("q1").id == found.of_message("v1").id == "q1"
    brief = hand_over(found["q1"], now=MONDAY + timedelta(hours=27))
    assert brief.references == ("order:A-17",)
    assert [q.message for q in brief.open_questions] == ["q1", "v1"]
    assert len(brief.repeated_questions) == 0
    assert brief.waiting_minutes == 27 * 60
    assert HandOver.from_dict(brief.to_dict()) == brief
    assert "asked again although known: 0" in str(brief)


def test_row_039_an_answer_closes_the_question_and_a_repeated_question_is_counted() -> None:
    told = [
        *story(),
        said("r1", 26.1, "store", "Your order number?", "outbound"),
        said("r2", 26.2, "store", "It comes today.", "outbound"),
    ]
    found = thread(told)
    brief = hand_over(found["q1"], now=MONDAY + timedelta(days=3))
    assert (len(brief.open_questions), len(brief.repeated_questions)) == (0, 1)
    earlier = hand_over(found["q1"], now=MONDAY + timedelta(hours=1))
    assert (len(earlier.open_questions), earlier.messages) == (1, 1)
    going = continuity(found, small_sample_ok=True)
    assert (going.switches, going.repeated, going.without_repeating.value) == (1, 1, 0.0)
    assert going.minutes_to_context.value == pytest.approx(12.0)


def test_row_040_a_question_for_a_known_order_number_is_flagged_with_the_value() -> None:
    asked = said("m2", 1, "chat", "your order number?", "outbound")
    (flag,) = redundant_questions([asked], on_file={"order number": OnFile("A-17", source="web shop")})
    assert (flag.field, flag.value, flag.source) == ("order number", "A-17", "web shop")


def test_row_040_personal_values_are_masked_and_what_is_not_on_file_may_be_asked() -> None:
    asked = said("m2", 1, "chat", "May I have your e-mail address, your phone number and your name?", "outbound")
    flags = redundant_questions([asked], on_file={"email": "anna@example.org", "name": OnFile("Anna", "profile")})
    assert {f.field: f.value for f in flags} == {"email": "a•••@example.org", "name": "A•••"}
    later = OnFile("anna@example.org", at=MONDAY + timedelta(days=2))
    assert redundant_questions([asked], on_file={"email": later}) == ()


@pytest.mark.parametrize(
    "text",
    ["What's your order number?", "Could you please tell me your order number?", "Order no., please",
     "I need your order number to go on.", "Which order is this about?", "We'll need the order id.",
     "Would you mind giving me your order number?", "May I have your name and order number?",
     "Hi, order number?", "Please send us your order number."],
)  # fmt: skip
def test_row_040_several_ways_to_ask(text: str) -> None:
    assert "order number" in asked_fields(text)


@pytest.mark.parametrize(
    "text",
    ["No need to send your order number.", "You don't need to give me your order number.",
     "I already have your order number, thanks.", "Your order number is A-17.", "Thanks for your order number!",
     "Shall we send it to your e-mail address?", "Please never share your date of birth.",
     "What is the name of the product?", "Your order will arrive tomorrow."],
)  # fmt: skip
def test_row_040_what_is_negated_or_stated_is_not_asked(text: str) -> None:
    assert asked_fields(text) == ()


def test_row_040_the_vocabulary_can_be_extended_and_a_check_back_is_no_question() -> None:
    shoe = AskedField("shoe size", ["shoe size"], ["how big are your feet"], personal=False)
    asked = [
        said("m1", 1, "chat", "How big are your feet?", "outbound"),
        said("m2", 2, "chat", "What is your shoe size?", "outbound"),
    ]
    found = redundant_questions(asked, on_file={"shoe size": "43"}, fields=(*FIELDS, shoe))
    assert [f.message for f in found] == ["m1", "m2"]
    check = said("m3", 1, "chat", "Could you confirm your order number A-17?", "outbound")
    assert redundant_questions([check], on_file={"order number": "A-17"}) == ()


def test_row_041_email_call_and_counter_note_are_one_time_line() -> None:
    messages = [
        said("mail", 0, "email", "My blender makes a terrible grinding noise"),
        said("call", 20, "phone", "Called again because of the grinding noise of the blender"),
        said("note", 44, "counter", "Brought the blender in, grinding noise heard"),
        said("other", 45, "email", "Do you sell gift wrapping paper?"),
    ]
    found = thread(reversed(messages))
    assert [m.id for m in found["mail"].messages] == ["mail", "call", "note"]
    assert found["mail"].channels == ("email", "phone", "counter")
    assert [m.id for m in found.time_line("c7")] == ["mail", "call", "note", "other"]
    assert "same topic (blender" in str(found["mail"])
    assert Conversations.from_dict(found.to_dict()) == found


def test_row_041_others_orders_and_others_people_stay_apart_and_thanks_joins() -> None:
    messages = [
        said("a", 0, "email", "Where is order A-17, the blue lamp?"),
        said("b", 1, "email", "Where is order B-18, the blue lamp?"),
        said("c", 2, "phone", "Thank you!"),
        said("d", 3, "phone", "order A-17", contact="c8"),
        said("e", 4, "counter", "Somebody asked about order A-17", contact=None),
    ]
    found = thread(messages)
    assert sorted(len(c) for c in found) == [1, 1, 1, 2]
    assert found.of_message("c").id == "b"
    assert found.of_message("e").contact is None
    owned = thread(messages, owners={"A-17": "c7"})
    assert owned.of_message("e").id == "a"


def test_row_041_our_reply_and_the_answer_to_our_question_are_turns_of_the_same_talk() -> None:
    messages = [
        said("a", 0, "chat", "My kettle leaks"),
        said("b", 0.1, "chat", "Which colour has it?", "outbound"),
        said("c", 0.2, "chat", "Dark green"),
        said("d", 0.3, "chat", "We send you another one.", "outbound"),
        said("e", 9, "chat", "Do you sell umbrellas?"),
    ]
    assert [len(c) for c in thread(messages)] == [4, 1]


def test_row_041_the_stream_is_the_batch_in_any_order() -> None:
    late_first = Threader()
    for m in reversed(story()):
        late_first.observe(m)
    assert late_first.conversations() == thread(story())


def test_row_042_a_declared_preference_beats_the_inferred_one() -> None:
    heard = hear_preferences("I prefer oat milk", customer="c7", at=MONDAY, source="chat m7")
    guess = Statement(
        customer="c7",
        topic="milk",
        value="whole milk",
        at=MONDAY + timedelta(days=9),
        source="orders",
        origin="inferred",
    )
    book = Preferences([*heard.statements, guess])
    best = book.of("c7", "milk", now=MONDAY + timedelta(days=10))
    assert (best.value, best.others) == ("oat milk", (guess,))
    assert "declared beats inferred" in str(best)
    assert best.statement is not None
    assert best.statement.source == "chat m7"


def test_row_042_newer_beats_older_withdrawal_falls_back_and_every_day_can_be_asked() -> None:
    def day(d: int) -> datetime:
        return MONDAY + timedelta(days=d)

    book = Preferences([
        Statement(customer="c7", topic="milk", value="whole milk", at=day(0), source="orders", origin="inferred"),
        Statement(customer="c7", topic="milk", value="oat milk", at=day(1), source="chat"),
        Statement(customer="c7", topic="milk", value="soy milk", at=day(5), source="call"),
        Statement(customer="c7", topic="milk", at=day(8), source="call", origin="withdrawn"),
    ])  # fmt: skip
    assert [book.of("c7", "milk", now=day(d)).value for d in (-1, 0, 2, 6, 9)] == [
        None, "whole milk", "oat milk", "soy milk", "whole milk",
    ]  # fmt: skip
    assert Preferences.from_dict(book.to_dict()) == book
    assert book.current(now=day(6))["c7", "milk"] == book.of("c7", "milk", now=day(6))


@pytest.mark.parametrize(
    ("text", "value", "likes"),
    [("I'd rather have tea than coffee.", "tea", True), ("I really like window seats", "window seats", True),
     ("I don't like loud music.", "loud music", False), ("I'm allergic to nuts.", "nuts", False),
     ("Actually I prefer oat milk in my latte, please.", "oat milk", True),
     ("I prefer a quiet room to a large one", "quiet room", True)],
)  # fmt: skip
def test_row_042_ways_to_say_it(text: str, value: str, likes: bool) -> None:
    (found,) = hear_preferences(text, customer="c7", at=MONDAY, source="chat").statements
    assert (found.value, found.likes) == (value, likes)


def test_row_042_what_is_not_understood_is_said() -> None:
    heard = hear_preferences("Please never before nine. See you!", customer="c7", at=MONDAY, source="chat")
    assert (heard.statements, heard.not_understood) == ((), ("Please never before nine.",))


def test_row_042_a_clause_is_no_thing_that_is_liked() -> None:
    heard = hear_preferences("I like it when you call first.", customer="c7", at=MONDAY, source="chat")
    assert (heard.statements, len(heard.not_understood)) == ((), 1)


def test_row_043_three_of_five_known_asks_the_field_that_tells_most_and_never_twice() -> None:
    rng = np.random.default_rng(7)
    segment = rng.choice(["gold", "blue"], 400)
    columns: dict[str, list[str]] = {
        "age": rng.choice(["young", "old"], 400).tolist(), "city": rng.choice(["x", "y", "z"], 400).tolist(),
        "job": ["a"] * 400, "segment": segment.tolist(),
        "pet": np.where(rng.random(400) < 0.95, segment, "none").tolist(),
        "car": np.where(rng.random(400) < 0.5, segment, "none").tolist(),
    }  # fmt: skip
    known = {"age": "young", "city": "x", "job": "a", "pet": None, "car": None}
    first = next_question(known, columns, target="segment")
    assert first.field == "pet"
    assert first.ranked[0].gain.value > first.ranked[1].gain.value
    assert set(first.never_again) == {"age", "city", "job"}
    second = next_question(known, columns, target="segment", asked=["pet"])
    assert second.field != "pet"
    assert next_question(known, columns, target="segment", asked=["pet", "car"]).field is None
    assert next_question(known, columns, target="segment", cost_bits={"pet": 5, "car": 5}).field is None
    assert NextQuestion.from_dict(first.to_dict()) == first


def test_row_092_an_itinerary_is_linked_to_its_booking_and_a_comment_to_its_leg() -> None:
    trip = [
        Subject(id="summer", kind="trip", contact="c7"),
        Subject(id="B-7781", kind="booking", part_of="summer", references=["7781"]),
        Subject(id="out", kind="leg", part_of="B-7781", references=["WN 1380"]),
        Subject(id="back", kind="leg", part_of="B-7781", references=["WN 1381"]),
    ]
    posts = [
        said("itinerary", 0, "community", "My plan for booking 7781: beach, museum, rest"),
        said("comment", 1, "community", "Lovely crew on wn1380"),
        said("both", 2, "community", "WN 1380 was fine, WN 1381 was late"),
        said("stranger", 3, "community", "WN1380 was fun", contact="c9"),
        said("loose", 4, "community", "Travelling is great"),
    ]
    found = attach(posts, trip)
    assert [(p.subject, str(p.outcome)) for p in found.posts] == [
        ("B-7781", "attached"), ("out", "attached"), ("B-7781", "names several"),
        (None, "belongs to somebody else"), (None, "names nothing known"),
    ]  # fmt: skip
    assert [p.message for p in found.of("summer")] == ["itinerary", "comment", "both"]
    assert [p.message for p in found.of("out")] == ["comment"]
