"""Words of recovery and compliments: edges, sentences of errors, reprs without anybody's words."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.documents import dumps, loads
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.lifecycle import Cases, IllegalCommand, Permissions
from crmcore.recovery.compliments import ThankYou, amplify, compliment, draft_thanks, praised_in, unanswered
from crmcore.recovery.words import (
    Cause,
    Distress,
    Fault,
    Gate,
    PrivateKind,
    ReplyCheck,
    ReplyScore,
    Truth,
    check_reply,
    check_truth,
    find_private,
    gate_automation,
    rank_replies,
    read_distress,
    review_reply,
    score_reply,
)
from crmcore.stores import MemoryStore

DAY = datetime(2026, 6, 1, 9, tzinfo=UTC)


def one_kind(text: str, **options: object) -> str:
    (find,) = find_private(text, **options).finds
    return find.kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("4111 1111 1111 1111", PrivateKind.CARD),
        ("DE89 3704 0044 0532 0130 00", PrivateKind.IBAN),
        ("078-05-1120", PrivateKind.NATIONAL_ID),
        ("anna at example dot com", PrivateKind.EMAIL),
        ("12 Baker Street", PrivateKind.ADDRESS),
        ("booking code X7KQ2P", PrivateKind.BOOKING),
        ("order #A-10293", PrivateKind.REFERENCE),
        ("the code is: PIN 4321", PrivateKind.SECRET),
        ("\u0e50\u0e58\u0e51-\u0e52\u0e53\u0e54-\u0e55\u0e56\u0e57\u0e58", PrivateKind.PHONE),
        ("zero eight one two three four five six", PrivateKind.PHONE),
        ("&#48;&#56;&#49;2345678", PrivateKind.PHONE),
        ("0\u200b8\u200b1\u200b2345678", PrivateKind.PHONE),
        ("born 3 May 1988", PrivateKind.BIRTH_DATE),
    ],
)
def test_each_writing_has_its_kind(text, kind):
    assert one_kind(text) is kind


@pytest.mark.parametrize(
    "text", ["", "9:00-18:00", "1,250,000 THB", "12.03.2026 - 15.03.2026", "#Sale2026", "ISO 9001:2015"]
)
def test_the_ordinary_passes(text):
    found = find_private(text)
    assert found.may_be_public
    assert found.safe_text == text
    assert str(found) == "nothing private found"


def test_private_data_is_shown_masked_only():
    found = find_private("call 081 234 5678 or anna@example.org")
    for shown in (str(found), repr(found), found._repr_html_()):
        assert "234" not in shown
        assert "anna" not in shown
    rows = found.to_frame(backend="polars")
    assert rows["kind"].to_list() == ["telephone number", "e-mail address"]
    assert bool(found)


def test_what_is_known_of_a_customer_is_found_in_any_spacing():
    assert one_kind("see m 12-34, ok", known=["M-1234"]) is PrivateKind.KNOWN
    assert find_private("Ann", known=["An"]).may_be_public  # two letters would block half a language


def test_wrong_calls_name_the_way_out():
    with pytest.raises(WrongType, match="pass the words as they would be sent"):
        find_private(None)
    with pytest.raises(WrongType, match="a list of texts"):
        find_private("x", allowed="123")
    with pytest.raises(UnknownName, match="did you mean 'apology'"):
        check_reply("Sorry!", required=["appology"])
    with pytest.raises(UnknownName, match="did you mean 'partner'"):
        Cause("a strike", "partnr")
    with pytest.raises(EmptyInput, match="a confirmed cause says what it was"):
        Cause("", "ours", DAY)
    with pytest.raises(OutOfRange, match="a confirmed cause has one"):
        Cause("a strike", confirmed_at=DAY)
    with pytest.raises(WrongType, match="seed=7"):
        draft_thanks(["Nice!"], seed=1.5)
    with pytest.raises(OutOfRange, match="50 is plenty"):
        draft_thanks(["Nice!"], seed=1, window=0)
    with pytest.raises(OutOfRange, match="one a compliment"):
        draft_thanks(["Nice!"], seed=1, praised=[])
    with pytest.raises(OutOfRange, match="24 hours are 1440"):
        compliment(answer_within_minutes=0)


@pytest.mark.parametrize(
    "draft",
    [
        "We are sorry, your order was late because of the snow. We have refunded you today.",
        "I apologise for the wrong size. A new one ships tomorrow.",
        "Please accept our apologies.",
        "Sorry about that!",
        "We sincerely apologize.",
    ],
)
def test_apologies_that_are_ones(draft):
    assert check_reply(draft).of("apology").found


def test_a_check_prints_shows_and_travels():
    check = check_reply("We are sorry. We refund you today.")
    assert loads(ReplyCheck, dumps(check)) == check
    assert pickle.loads(pickle.dumps(check)) == check
    assert "sorry" not in repr(check)
    assert check.to_frame(backend="polars")["item"].to_list()[0] == "apology"
    assert len(check._repr_html_()) < 6000
    unread = check_reply("Lo sentimos mucho, ya lo hemos cambiado para usted.")
    assert "not understood" in str(unread)
    assert not unread.passes


def test_an_unconfirmed_cause_asks_for_checking_instead():
    draft = "We are sorry. We are checking what happened and will call you tomorrow."
    assert check_reply(draft, cause_confirmed=False).of("cause").found
    assert not check_reply(draft, cause_confirmed=True).of("cause").found


def test_scores_travel_and_what_is_not_understood_is_last():
    score = score_reply("I'm sorry, I refund you today.", complaint="I want my money back")
    assert loads(ReplyScore, dumps(score)) == score
    assert 0 < score.empathy_of_100 < 100
    assert "<" in score._repr_html_()
    assert score.to_frame(backend="polars").height == len(score.reasons)
    order = [
        i for i, _ in rank_replies(["Es tut uns sehr leid, wir melden uns.", "We regret any inconvenience.", "Sorry!"])
    ]
    assert order[-1] == 0
    assert math.isnan(score_reply("Es tut uns sehr leid, wir melden uns bald.").total)


def test_saying_it_again_adds_little():
    once, often = (score_reply(" ".join(["I'm so sorry."] * k)).empathy for k in (1, 20))
    assert once < often < 2 * once


def test_truth_travels_and_lists_every_block():
    truth = check_truth("It was our fault because of the snow.", None)
    assert loads(Truth, dumps(truth)) == truth
    assert len(truth.blocks) == 2
    assert "fault" not in repr(truth.words) or "places" in repr(truth)
    assert not check_truth("Es tut uns leid, das war unser Fehler.", None).holds


class Sour:
    def probabilities(self, texts, /):
        return np.array([[0.95, 0.05, 0.0]] * len(texts))


def test_distress_travels_and_takes_an_analyser():
    message = "The delivery was late"
    plain, sour = read_distress(message), read_distress(message, sentiment=Sour())
    assert sour.points == pytest.approx(plain.points + 0.5)
    assert any("analyser" in e.sign for e in sour.evidence)
    assert loads(Distress, dumps(sour)) == sour
    gate = gate_automation("I am desperate", owners={"b": 1.0, "a": 1.0})
    assert gate.owner == "a"
    assert loads(Gate, dumps(gate)) == gate
    assert "desperate" not in repr(gate.distress)
    assert read_distress("THE PARCEL IS LATE AGAIN!!!").level > read_distress("the parcel is late again").level
    assert gate_automation("Auxilio por favor", owners={}).unowned


def test_a_review_lets_a_full_answer_go():
    draft = (
        "We are sorry that your parcel came late. It was our mistake: two labels were mixed up. "
        "We have sent a replacement today and you will have it by Friday."
    )
    cause = Cause("two labels were mixed up at our depot", Fault.OURS, DAY)
    review = review_reply(draft, complaint="My parcel is late", cause=cause)
    assert review.may_be_sent, str(review)
    assert str(review).startswith("may be sent")
    assert "blocked" in str(review_reply("Lo sentimos mucho, ya lo hemos cambiado para usted."))


def test_thanks_are_proportionate_and_tell_what_they_mention():
    short, long = draft_thanks(["Great coffee!", "We loved the garden. " * 12], seed=2)
    assert (short.size, long.size) == ("short", "warm")
    assert len(long.text.split()) > len(short.text.split())
    assert "the coffee" in short.text
    assert "coffee" not in repr(short)
    assert isinstance(short, ThankYou)
    assert draft_thanks(["Nice!"], seed=1, praised=["the terrace"])[0].text.count("terrace") == 1
    assert praised_in("Call me on 081 234 5678, great service") is None


def test_when_every_draft_was_used_a_person_writes():
    drafts = draft_thanks(["Nice!"] * 40, seed=1, window=100)
    assert drafts[-1].text is None
    assert "within the window" in str(drafts[-1])


def test_permissions_refuse_what_makes_no_sense():
    ledger = Permissions(MemoryStore())
    with pytest.raises(EmptyInput, match="whose it is"):
        ledger.ask("p", content="c", author="", at=DAY)
    ledger.ask("p", content="c", author="customer-7", at=DAY)
    with pytest.raises(EmptyInput, match="nothing is permitted by silence"):
        ledger.grant("p", scope=[], channels=["web"], purposes=["x"], at=DAY)
    with pytest.raises(OutOfRange, match="swap them"):
        ledger.grant("p", scope=["words"], channels=["web"], purposes=["x"], at=DAY, expires_at=DAY)
    ledger.decline("p", at=DAY)
    with pytest.raises(IllegalCommand):
        ledger.grant("p", scope=["words"], channels=["web"], purposes=["x"], at=DAY + timedelta(days=1))
    assert "customer-7" not in repr(ledger.at("p", DAY))
    assert len(ledger.reusable(DAY)) == 0
    assert str(ledger.reusable(DAY)) == "0 may be reused"


def test_a_narrower_grant_replaces_a_wider_one_and_the_same_use_counts_once():
    ledger = Permissions(MemoryStore())
    ledger.ask("p", content="c", author="customer-7", at=DAY)
    ledger.grant("p", scope=["words", "picture"], channels=["web", "tv"], purposes=["x"], at=DAY)
    wish = {"channel": "web", "purpose": "x", "parts": ["picture"], "place": "page", "actor": "ann"}
    for _ in range(2):
        assert ledger.use("p", **wish, at=DAY, id="u1").accepted
    assert len(ledger.uses("p")) == 1
    ledger.grant("p", scope=["words"], channels=["web"], purposes=["x"], at=DAY + timedelta(days=1))
    assert not ledger.use("p", **wish, at=DAY + timedelta(days=2), id="u2").accepted
    assert ledger.may_use("p", channel="tv", purpose="x", parts=["words"], at=DAY) == ()
    shown = ledger.reusable(DAY + timedelta(days=2))
    assert shown.to_frame(backend="polars")["scope"].to_list() == ["words"]
    assert "c: words on web" in str(shown)
    with pytest.raises(EmptyInput, match="name what is shown"):
        ledger.use("p", **{**wish, "parts": []}, at=DAY, id="u3")


def test_a_closed_compliment_is_amplified_no_more_and_nothing_is_used():
    cases, ledger = Cases(MemoryStore(), [compliment()]), Permissions(MemoryStore())
    cases.open("compliment", "c1", at=DAY)
    ledger.ask("p", content="c1", author="customer-7", at=DAY)
    ledger.grant("p", scope=["words"], channels=["web"], purposes=["x"], at=DAY)
    from crmcore.lifecycle import Command

    cases.handle("c1", Command("no thanks", actor="ann", at=DAY, id="n", reason="spam"))
    done = amplify(
        cases,
        ledger,
        "c1",
        permission="p",
        channel="web",
        purpose="x",
        parts=["words"],
        place="page",
        at=DAY,
        actor="a",
        id="u",
    )
    assert not done.accepted
    assert ledger.uses("p") == ()
    assert len(unanswered(cases, now=DAY + timedelta(days=3))) == 0


def test_languages_lie_one_floor_down_and_cleaning_still_has_them():
    from crmcore.listening import cleaning
    from crmcore.text import languages

    assert cleaning.detect_languages is languages.detect_languages
