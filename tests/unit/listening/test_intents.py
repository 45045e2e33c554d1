"""Intents: cues and their evidence, learning, the case feed."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.intents import (
    STARTING_CUES,
    ComplaintFeed,
    Cue,
    Cues,
    Intent,
    complaint_feed,
    detect_intents,
)
from crmcore.listening.intents.feed import under_own_posts
from crmcore.tables import MentionTable
from crmcore.text import TextClassifier
from crmcore.values import Severity


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        ("Still waiting for my refund", {"complaint"}),
        ("Website is not working!", {"complaint"}),
        ("Thank you so much, great service", {"compliment"}),
        ("How do I change my address?", {"question"}),
        ("You should add a dark mode", {"idea"}),
        ("Where can I buy the red one?", {"question", "purchase"}),
        ("@shop what time do you open?", {"question"}),
        ("Not helpful, not great", {"complaint"}),
        ("thanks for nothing", set()),
        ("It would be nice if the app was faster", {"idea"}),
        ("I bought two of these", set()),
        ("\U0001f600\U0001f600", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_plain_cases(text, intents):
    assert {str(i) for i in detect_intents([text]).of(0)} == intents


def test_evidence_adds_up_to_the_weight_of_each_intent():
    texts = ["Worst airline, rude crew, thanks", "not great, why?", "great", "never again, never again"]
    found = detect_intents(texts, tone=[-0.9, 0.0, 0.5, float("nan")])
    for i in range(len(texts)):
        for k, intent in enumerate(Intent):
            told = sum(e.weight for e in found.evidence(i) if e.intent is intent)
            assert told == pytest.approx(found.weight[i, k])
    assert [e.phrase for e in found.evidence(0)][-1] == "(tone)"


def test_a_negation_turns_praise_and_stops_at_a_mark():
    assert detect_intents(["not great"]).evidence(0)[0].negated
    assert not detect_intents(["no, great"]).evidence(0)[0].negated
    assert Intent.COMPLIMENT not in detect_intents(["it was not at all helpful"]).of(0)


def test_cues_are_data_that_a_user_extends_or_replaces():
    more = STARTING_CUES.with_cues(Cue("gate closed", "complaint", 1.0))
    assert detect_intents(["Gate closed again"], cues=more).of(0) == (Intent.COMPLAINT,)
    louder = STARTING_CUES.with_cues(Cue("worst", "complaint", 3.0))
    assert len(louder) == len(STARTING_CUES)
    assert Cues.from_dict(json.loads(json.dumps(louder.to_dict()))) == louder
    thai = Cues((Cue("\u0e41\u0e22\u0e48", "complaint"),))
    assert detect_intents(["\u0e41\u0e22\u0e48\u0e21\u0e32\u0e01"], cues=thai).of(0) == (Intent.COMPLAINT,)
    assert not detect_intents(["x"], cues=Cues(())).weight.any()
    assert len(more._repr_html_()) < 6000


def test_bad_cues_and_tones_are_named():
    with pytest.raises(EmptyInput, match="name at least one word"):
        Cue(" ", "complaint")
    with pytest.raises(WrongType):
        Cue(3, "complaint")  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="weight"):
        Cue("x", "complaint", 99)
    with pytest.raises(UnknownName, match="did you mean 'complaint'"):
        Cue("x", "complain")
    with pytest.raises(OutOfRange, match="net scores"):
        detect_intents(["x"], tone=[2.0])
    with pytest.raises(UnknownName, match="did you mean 'idea'"):
        detect_intents(["x"]).has("ideas")


def test_finds_say_what_they_hold():
    found = detect_intents(["Still waiting", "Where can I buy it?"])
    assert repr(found) == "IntentFinds(2 posts: 1 complaint, 0 compliment, 1 question, 0 idea, 1 purchase)"
    assert found.share("complaint").value == 0.5
    frame = found.to_frame(backend="polars")
    assert frame["intents"].to_list() == ["complaint", "question, purchase"]
    assert len(found.chart().rows) == 5
    assert len(found._repr_html_()) < 6000
    assert len(detect_intents([])) == 0


def thread():
    return MentionTable.from_frame(
        [
            {"mention_id": "p", "text": "New menu!", "author": "@Shop"},
            {"mention_id": "c1", "text": "Lovely, thanks", "author": "@ann", "reply_to": "p"},
            {"mention_id": "c2", "text": "Still waiting for my refund", "author": "@bob", "reply_to": "p"},
            {"mention_id": "c3", "text": "My child is injured, unacceptable", "author": "@cyd", "reply_to": "c2"},
            {"mention_id": "c4", "text": "Sorry about the terrible delay", "author": "@shop", "reply_to": "c2"},
            {"mention_id": "x", "text": "Worst shop ever", "author": "@dee"},
            {"mention_id": "y", "text": "Rude and awful", "author": "@eve", "reply_to": "x"},
            {"mention_id": "z", "text": "terrible", "author": "@fay", "reply_to": "old"},
        ]
    )


def test_only_complaints_of_others_under_own_posts_come_to_the_feed():
    found = complaint_feed(thread(), own_authors=["@shop"])
    assert [e.mention_id for e in found.entries] == ["c3", "c2"]
    assert [e.under for e in found.entries] == ["c4" if e.mention_id == "c4" else "p" for e in found.entries]
    assert found.entries[0].severity is Severity.CRITICAL
    assert found.entries[0].why == ("risk word 'child'", "risk word 'injured'")
    assert found.comments == 3
    assert "critical  unacceptable  c3 under p" in str(found)


def test_own_posts_may_be_named_even_outside_the_table():
    found = complaint_feed(thread(), own_posts=["old"])
    assert [(e.mention_id, e.under) for e in found.entries] == [("z", "old")]


def test_posts_that_answer_each_other_in_a_circle_are_named() -> None:
    posts = MentionTable.from_frame(
        [{"mention_id": "a", "text": "x", "reply_to": "b"}, {"mention_id": "b", "text": "y", "reply_to": "a"}]
    )
    with pytest.raises(BadRows, match="reply_to"):
        under_own_posts(posts, own_posts=["c"])
    assert under_own_posts(posts, own_posts=["a"]).tolist() == [-1, 0]


def test_an_own_post_outside_the_table_is_found_through_deeper_replies() -> None:
    posts = MentionTable.from_frame(
        [{"mention_id": "a", "text": "x", "reply_to": "old"}, {"mention_id": "b", "text": "y", "reply_to": "a"}]
    )
    assert under_own_posts(posts, own_posts=["old"]).tolist() == [-2, -2]


def test_a_feed_masks_people_and_goes_through_json_pickle_and_frames():
    found = complaint_feed(thread(), own_authors=["@shop"])
    assert "@bob" not in repr(found.entries[1])
    assert "@bob" not in str(found) + repr(found) + found._repr_html_()
    assert ComplaintFeed.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.to_frame(backend="polars")["severity"].to_list() == ["critical", "low"]
    assert repr(found) == "ComplaintFeed(2 complaints among 3 comments)"


def test_reach_and_strong_words_raise_severity_and_the_earlier_comes_first():
    rows = [
        {"mention_id": "p", "text": "Hi", "author": "@shop"},
        {
            "mention_id": "a",
            "text": "not working",
            "reply_to": "p",
            "reach": 50_000,
            "time": datetime(2026, 1, 2, tzinfo=UTC),
        },
        {"mention_id": "b", "text": "worst, rude, useless", "reply_to": "p", "reach": 50_000},
        {
            "mention_id": "c",
            "text": "not working",
            "reply_to": "p",
            "reach": 20_000,
            "time": datetime(2026, 1, 1, tzinfo=UTC),
        },
    ]
    found = complaint_feed(MentionTable.from_frame(rows), own_authors=["@shop"])
    assert [(e.mention_id, e.severity.name) for e in found.entries] == [("b", "HIGH"), ("c", "NORMAL"), ("a", "NORMAL")]


def test_a_trained_classifier_takes_the_place_of_cues_and_names_reasons():
    texts = ["lost bag", "bag gone", "waiting", "late"] * 3
    model = TextClassifier(folds=0).fit(texts, ["bag", "bag", "late", "late"] * 3)
    posts = thread()
    chances = [0.0, 0.9, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]
    found = complaint_feed(posts, own_authors=["@shop"], complaint=chances, reasons=model)
    assert [(e.mention_id, e.reason) for e in found.entries] == [("c1", model.predict(["Lovely, thanks"])[0])]
    with pytest.raises(OutOfRange):
        complaint_feed(posts, own_authors=["@shop"], complaint=[0.5])
    with pytest.raises(EmptyInput, match="name your accounts"):
        complaint_feed(posts)
    with pytest.raises(WrongType):
        complaint_feed(posts, own_authors="@shop")
