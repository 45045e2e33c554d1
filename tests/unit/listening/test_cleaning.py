"""Cleaning: languages, signals of spam, learned spam, suspicious reviews, off topic, and that nothing is lost."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.listening.cleaning import (
    Cleaner,
    Langid,
    SpamModel,
    SpamWeights,
    clean,
    detect_languages,
    fit_spam,
    spam_signals,
    suspicious_reviews,
    topic_gate,
)
from crmcore.protocols import LanguageDetector, SpamFilter
from crmcore.tables import MentionTable

HAM = [
    "my parcel came three weeks late", "lovely staff at the counter today", "does anyone know the opening hours",
    "the app crashes when i pay", "great colours on the new shoes", "why is nobody answering the phone",
]  # fmt: skip
JUNK = [
    "win free followers click here now", "claim your cash prize today winner", "subscribe to my channel please guys",
    "make money from home act now", "free gift card click the link", "urgent you have won a bonus cash",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\u0e2a\u0e34\u0e19\u0e04\u0e49\u0e32\u0e14\u0e35\u0e21\u0e32\u0e01", "th"),
        ("\uc548\ub155\ud558\uc138\uc694 \ubc30\uc1a1\uc774 \ub290\ub824\uc694", "ko"),
        ("\u3053\u306e\u5546\u54c1\u306f\u6700\u9ad8\u3067\u3059", "ja"),
        ("\u8fd9\u4e2a\u4ea7\u54c1\u5f88\u597d", "zh"),
        ("\u0395\u03c5\u03c7\u03b1\u03c1\u03b9\u03c3\u03c4\u03ce \u03c0\u03bf\u03bb\u03cd", "el"),
        ("my parcel is not here and i have been waiting for you", "en"),
        ("el paquete no ha llegado y nadie me responde por la tarde", "es"),
        ("le colis n'est pas arriv\u00e9 et je ne suis pas content", "fr"),
        ("das Paket ist nicht da und ich warte auf eine Antwort", "de"),
        ("il pacco non \u00e8 arrivato e nessuno mi risponde", "it"),
        ("het pakket is niet aangekomen en ik wacht al een week", "nl"),
        ("o pacote n\u00e3o chegou e ningu\u00e9m me responde, j\u00e1 reclamei com eles", "pt"),
        ("ok", "und"),
        ("lol xd", "und"),
        ("\U0001f600 http://a.co @x", "und"),
        ("", "und"),
        (None, "und"),
        ("\u043f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c \u0434\u0440\u0443\u0437\u044c\u044f", "und"),
    ],
)  # fmt: skip
def test_a_language_is_told_or_left_open(text: str | None, code: str) -> None:
    assert detect_languages([text]).codes == (code,)


def test_every_text_alone_decides_its_language() -> None:
    texts = [*HAM, "ok", None, "\u0e2a\u0e1a\u0e32\u0e22\u0e14\u0e35", "das ist nicht gut und ich warte"]
    whole = detect_languages(texts)
    assert whole.codes == tuple(detect_languages([t]).codes[0] for t in texts)
    assert detect_languages([]).codes == ()
    assert (whole.shares[np.array(whole.codes) == "und"] == 0).all()


class Guesser:
    def languages(self, texts):
        return ["ru"] * len(texts), np.full(len(texts), 0.9)


def test_a_detector_is_asked_only_for_what_is_open() -> None:
    russian = "\u043f\u0440\u0438\u0432\u0435\u0442 \u0432\u0441\u0435\u043c \u0434\u0440\u0443\u0437\u044c\u044f"
    assert isinstance(Guesser(), LanguageDetector)
    found = detect_languages([russian, HAM[5], "ok"], detector=Guesser())
    assert found.codes == ("ru", "en", "und")
    assert found.counts() == {"en": 1, "ru": 1, "und": 1}
    with pytest.raises(UnknownName, match="language"):
        detect_languages([russian], detector="nobody-offers-this")
    with pytest.raises(WrongType, match="language plug-in"):
        detect_languages([russian], detector=object())  # type: ignore[arg-type]


def test_py3langid_knows_more() -> None:
    pytest.importorskip("py3langid")
    russian = "\u043f\u043e\u0441\u044b\u043b\u043a\u0430 \u043d\u0435 \u043f\u0440\u0438\u0448\u043b\u0430"
    assert detect_languages([russian], detector=Langid()).codes == ("ru",)


def table(texts, **columns):
    return MentionTable.from_frame({"text": texts, **columns})


def test_offers_and_links_are_spam_and_complaints_are_not() -> None:
    found = spam_signals([*HAM, *JUNK])
    assert not found.spam[: len(HAM)].any()
    assert found.spam[len(HAM) :].sum() >= 4
    for post in np.flatnonzero(found.spam).tolist():
        assert sum(w for _, w in found.why(post)) == pytest.approx(found.score[post])


def test_one_text_by_three_authors_and_one_author_thrice_speak() -> None:
    text = "this brand changed my whole life for good"
    many = spam_signals(table([text] * 3 + HAM, author=["@a", "@b", "@c", *"defghi"]))
    assert many.has("copies").tolist() == [True] * 3 + [False] * 6
    one = spam_signals(table([text] * 3 + HAM, author=["@a"] * 3 + list("defghi")))
    assert one.has("repeats").tolist() == [True] * 3 + [False] * 6
    assert not one.has("copies").any()
    nobody = spam_signals(table([text] * 3, author=[None] * 3))
    assert not nobody.has("repeats").any()


def test_a_flood_and_a_clock_are_heard() -> None:
    start = np.datetime64("2026-03-01T00:00:00")
    rng = np.random.default_rng(0)
    flood = [str(start + np.timedelta64(int(s), "s")) + "Z" for s in np.sort(rng.integers(0, 3000, 25))]
    clock = [str(start + np.timedelta64(7200 * i, "s")) + "Z" for i in range(12)]
    person = [str(start + np.timedelta64(int(s), "h")) + "Z" for s in np.cumsum(rng.integers(1, 60, 12))]
    posts = table(
        [f"text {i} of many" for i in range(49)], author=["@f"] * 25 + ["@c"] * 12 + ["@p"] * 12,
        time=flood + clock + person,
    )  # fmt: skip
    found = spam_signals(posts)
    assert found.has("flood").tolist() == [True] * 25 + [False] * 24
    assert found.has("clockwork").tolist() == [False] * 25 + [True] * 12 + [False] * 12


def test_weights_go_through_json_and_may_be_replaced() -> None:
    own = SpamWeights(offers={"promo ekstra": 2.0})
    assert SpamWeights.from_dict(json.loads(json.dumps(own.to_dict()))) == own
    assert spam_signals(["PROMO ekstra!!", "click here"], weights=own).spam.tolist() == [True, False]
    with pytest.raises(EmptyInput):
        spam_signals(["x"], weights=SpamWeights(offers={"": 1.0}))


def test_learned_spam_explains_itself_and_names_the_foreign() -> None:
    rng = np.random.default_rng(0)
    texts = [t + " " + str(rng.choice(["today", "now", "please", "again"])) for t in (HAM + JUNK) * 8]
    model = fit_spam(texts, ([0] * 6 + [1] * 6) * 8)
    assert isinstance(model, SpamFilter)
    chance = model.spam(["free cash click here", "the parcel is late", None])
    assert chance[0] > 0.5 > chance[1]
    assert np.isnan(chance[2])
    said = model.explain("free cash click here")
    assert said.label == "spam"
    assert said.start + sum(w for _, w in said.evidence) == pytest.approx(said.score)
    assert not model.familiarity(texts).foreign
    strange = model.familiarity(["quarterly dividend yields rose sharply amid bond turmoil"] * 30)
    assert strange.foreign
    assert "label some of them" in str(strange)
    again = SpamModel.from_dict(json.loads(json.dumps(model.to_dict())))
    assert again.spam(["free cash"]) == pytest.approx(model.spam(["free cash"]))


def test_too_few_labels_or_of_one_kind_are_refused() -> None:
    with pytest.raises(OutOfRange, match="10 or more"):
        fit_spam(["a", "b"], [0, 1])
    with pytest.raises(OutOfRange, match="len"):
        fit_spam(HAM * 3, [0, 1])
    with pytest.raises(OutOfRange, match="different labels"):
        fit_spam(HAM * 3, [0] * 18)


def test_reviewers_that_come_together_are_flagged() -> None:
    rows = []
    for day, product in enumerate(["kettle", "toaster", "lamp", "chair"]):
        rows += [
            {"text": f"{author} likes this {product} very much", "author": author, "rating": 5, "product": product,
             "time": f"2026-03-{day + 1:02d}T10:00:00Z"}
            for author in ("@a", "@b")
        ]  # fmt: skip
        rows.append(
            {"text": f"the {product} is fine but the lid wobbles", "author": f"@n{day}", "rating": 4,
             "product": product, "time": f"2026-03-{day + 1:02d}T12:00:00Z"}
        )  # fmt: skip
    found = suspicious_reviews(MentionTable.from_frame(rows), subject="product")
    together = found.has("together")
    assert together.tolist() == [True, True, False] * 4
    assert not found.has("extreme").any()  # four reviews are few


def test_reviews_without_author_time_or_rating_are_left_alone() -> None:
    reviews = table(["fine", "broke at once", "ok"], rating=[5, None, 1])
    found = suspicious_reviews(reviews)
    assert found.score.tolist() == [0, 0, 0]
    with pytest.raises(UnknownName, match="attribute"):
        suspicious_reviews(reviews, rating="stars")
    with pytest.raises(UnknownName, match="attribute"):
        suspicious_reviews(reviews, subject="product")
    with pytest.raises(OutOfRange, match="rating"):
        suspicious_reviews(reviews, rating=[1, 2])


def test_a_gate_keeps_what_is_near_its_examples() -> None:
    rng = np.random.default_rng(1)
    about = ["flight", "delay", "gate", "crew", "bag", "seat", "boarding", "pilot", "airport", "cancelled"]
    other = ["united", "goal", "match", "striker", "league", "penalty", "keeper", "derby", "fans", "coach"]
    glue = ["the", "was", "and", "my", "so", "a", "again"]
    make = lambda words: [" ".join([*rng.choice(words, 4), *rng.choice(glue, 3)]) for _ in range(60)]  # noqa: E731
    gate = topic_gate(make(about))
    assert gate.off_topic(make(other)).mean() > 0.9
    assert gate.off_topic(make(about)).mean() < 0.2
    assert not gate.off_topic(["", None]).any()
    with pytest.raises(OutOfRange, match="20 or more"):
        topic_gate(about)


def test_nothing_is_lost_and_every_rule_can_be_taken_back() -> None:
    texts = [*HAM, *JUNK, "RT " + HAM[0], "", None, "das ist nicht mein Paket und ich warte"]
    found = clean(table(texts), Cleaner(languages=["en"], duplicates=True))
    assert len(found.kept) + len(found.removed) == len(texts)
    assert found.why(12) == ("says what post 0 says",)
    assert found.why(13) == ("empty",)
    assert found.why(15) == ("language de",)
    assert found.why(0) == ()
    assert found.why(6)[0].startswith("spam (offer")
    every = found.restore(*found.active)
    assert len(every.kept) == len(texts)
    assert found.counts()["duplicate"] == (1, 1)
    assert len(found.restore("spam").kept) == len(found.kept) + found.counts()["spam"][1]
    frame = found.to_frame(backend="pandas")
    assert frame["kept"].sum() == len(found.kept)
    assert "posts kept" in found._repr_html_()
    assert "HAM" not in repr(found)
    with pytest.raises(UnknownName, match="rule"):
        found.restore("bots")


def test_precision_is_measured_on_a_judged_sample() -> None:
    found = clean(table([*HAM, *JUNK]))
    rows = np.flatnonzero(found.masks["spam"]).tolist()
    right = found.precision("spam", rows, [True] * len(rows))
    assert right.value == 1
    assert right.low < 1
    with pytest.raises(OutOfRange, match="rule 'spam' removes"):
        found.precision("spam", [0], [True])


words = st.lists(st.sampled_from([*"abc", "free", "win", "http://a.co", "#x", "the", "and", "!"]), max_size=8)
texts_of = st.lists(st.one_of(st.none(), words.map(" ".join)), max_size=20)


@given(texts_of)
@settings(max_examples=60, deadline=None)
def test_kept_is_what_no_rule_removes(texts: list[str | None]) -> None:
    if not texts:
        return
    found = clean(table(texts), Cleaner(duplicates=True))
    union = np.zeros(len(texts), bool)
    for rule in found.active:
        union |= found.masks[rule]
    assert (found.stays == ~union).all()
    assert all(bool(found.why(i)) == bool(union[i]) for i in range(len(texts)))


def test_a_gate_goes_through_json() -> None:
    gate = topic_gate([f"cold coffee number {i} and cake" for i in range(30)])
    again = type(gate).from_dict(json.loads(json.dumps(gate.to_dict())))
    assert again.nearness(["cold cake"]) == pytest.approx(gate.nearness(["cold cake"]))
    assert pickle.loads(pickle.dumps(gate)).threshold == gate.threshold
