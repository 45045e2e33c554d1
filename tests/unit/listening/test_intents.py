"""Intents: cues and their evidence, learning, the case feed."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.intents import (
    STARTING_CUES,
    CaseFeed,
    Cue,
    Cues,
    Intent,
    IntentClassifier,
    IntentClassifierModel,
    Severity,
    case_feed,
    detect_intents,
)
from crmcore.listening.intents.feed import under_own_posts
from crmcore.tables import MentionTable


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


TEXTS = ["my bag is lost", "they lost the bags", "flight is late", "two hours late again", None] * 4
LABELS = ["luggage", "luggage", "delay", "delay", "delay"] * 4


def test_a_classifier_learns_any_classes_and_shows_its_evidence():
    model = IntentClassifier().fit(TEXTS, LABELS)
    assert model.predict(["lost bag", "so late"]) == ("luggage", "delay")
    logits = np.array([model.logit("my lost bags", c) for c in model.classes])
    powers = np.exp(logits - logits.max())
    assert model.probabilities(["my lost bags"])[0] == pytest.approx(powers / powers.sum())
    assert model.evidence("lost bag", "luggage", k=1)[0][1] > 0
    assert repr(model) == "IntentClassifierModel(2 classes, 20 labels)"
    frame = model.to_frame(["late"], backend="polars")
    assert frame["predicted"].to_list() == ["delay"]
    again = IntentClassifierModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert np.allclose(again.probabilities(["late bag"]), model.probabilities(["late bag"]))


def test_every_text_alone_decides_its_class_and_names_do_not_count():
    model = IntentClassifier().fit(TEXTS, LABELS)
    together = model.probabilities(["lost bag", "late", ""])
    alone = np.concatenate([model.probabilities([t]) for t in ("lost bag", "late", "")])
    assert np.allclose(together, alone)
    assert np.allclose(model.probabilities(["@lost late"]), model.probabilities(["late"]))


def test_labels_of_a_fit_are_checked():
    fit = IntentClassifier().fit
    with pytest.raises(OutOfRange, match="labels of 'b' = 1: expected 2 or more"):
        fit(["x", "y", "z"], ["a", "a", "b"])
    with pytest.raises(OutOfRange, match="classes among labels = 1"):
        fit(["x", "y"], ["a", "a"])
    with pytest.raises(EmptyInput, match="label some posts"):
        fit(["x"], [None])
    with pytest.raises(OutOfRange, match="one label a post"):
        fit(["x"], ["a", "b"])
    model = fit(TEXTS, LABELS)
    with pytest.raises(UnknownName, match="did you mean 'delay'"):
        model.evidence("x", "delays")
    with pytest.raises(UnknownName):
        model.logit("x", "delays")


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
    found = case_feed(thread(), own_authors=["@shop"])
    assert [e.mention_id for e in found.entries] == ["c3", "c2"]
    assert [e.under for e in found.entries] == ["c4" if e.mention_id == "c4" else "p" for e in found.entries]
    assert found.entries[0].severity is Severity.CRITICAL
    assert found.entries[0].why == ("risk word 'child'", "risk word 'injured'")
    assert found.comments == 3
    assert "critical  unacceptable  c3 under p" in str(found)


def test_own_posts_may_be_named_even_outside_the_table():
    found = case_feed(thread(), own_posts=["old"])
    assert [(e.mention_id, e.under) for e in found.entries] == [("z", "old")]


def test_circles_of_replies_end():
    posts = MentionTable.from_frame(
        [{"mention_id": "a", "text": "x", "reply_to": "b"}, {"mention_id": "b", "text": "y", "reply_to": "a"}]
    )
    assert under_own_posts(posts, own_posts=["c"]).tolist() == [-1, -1]
    assert under_own_posts(posts, own_posts=["a"]).tolist() == [-1, 0]


def test_a_feed_masks_people_and_goes_through_json_pickle_and_frames():
    found = case_feed(thread(), own_authors=["@shop"])
    assert "@bob" not in repr(found.entries[1])
    assert "@bob" not in str(found) + repr(found) + found._repr_html_()
    assert CaseFeed.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.to_frame(backend="polars")["severity"].to_list() == ["critical", "low"]
    assert repr(found) == "CaseFeed(2 complaints among 3 comments)"


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
    found = case_feed(MentionTable.from_frame(rows), own_authors=["@shop"])
    assert [(e.mention_id, str(e.severity)) for e in found.entries] == [("b", "high"), ("c", "medium"), ("a", "medium")]


def test_a_trained_classifier_takes_the_place_of_cues_and_names_reasons():
    model = IntentClassifier().fit(["lost bag", "bag gone", "waiting", "late"] * 3, ["bag", "bag", "late", "late"] * 3)
    posts = thread()
    chances = [0.0, 0.9, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]
    found = case_feed(posts, own_authors=["@shop"], complaint=chances, reasons=model)
    assert [(e.mention_id, e.reason) for e in found.entries] == [("c1", model.predict(["Lovely, thanks"])[0])]
    with pytest.raises(OutOfRange):
        case_feed(posts, own_authors=["@shop"], complaint=[0.5])
    with pytest.raises(EmptyInput, match="name your accounts"):
        case_feed(posts)
    with pytest.raises(WrongType):
        case_feed(posts, own_authors="@shop")
