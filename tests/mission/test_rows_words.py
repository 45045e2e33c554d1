"""The rows of words, compliments and permissions of recovery, through the public names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crmcore.calendars import BusinessCalendar, local
from crmcore.lifecycle import Cases, Command, Permissions
from crmcore.recovery.compliments import amplify, compliment, draft_thanks, unanswered
from crmcore.recovery.words import (
    Cause,
    DistressLevel,
    Fault,
    ReplyItem,
    check_reply,
    check_truth,
    explain_cause,
    find_private,
    gate_automation,
    rank_replies,
    read_distress,
    redact,
    review_reply,
    score_reply,
)
from crmcore.stores import MemoryStore, SqliteStore

DAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
WALL = {"channel": "web", "purpose": "praise wall", "parts": ["words"]}
FULL = (
    "We are sorry that your parcel came late. It was our mistake: two labels were mixed up because a scanner failed. "
    "We have sent a replacement today, it will arrive by Friday 5 June, and your delivery fee is refunded."
)


def granted(store=None):
    ledger = Permissions(store or MemoryStore())
    ledger.ask("p1", content="c1", author="customer-7", at=DAY)
    ledger.grant("p1", scope=["words"], channels=["web"], purposes=["praise wall"], at=DAY)
    return ledger


def test_row_075_after_revocation_a_use_is_refused_and_earlier_uses_are_listed(tmp_path) -> None:
    ledger = granted(SqliteStore(tmp_path / "p.db"))
    assert ledger.use("p1", **WALL, place="home page", at=DAY + timedelta(days=1), actor="ann", id="u1").accepted
    revoked = ledger.revoke("p1", at=DAY + timedelta(days=5))
    again = ledger.use("p1", **WALL, place="footer", at=DAY + timedelta(days=6), actor="ann", id="u2")
    assert not again.accepted
    assert "revoked" in str(again)
    assert [u.place for u in revoked.uses] == ["home page"] == [u.place for u in ledger.uses("p1")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"channel": "tv"}, "channel 'tv' is not among web"),
        ({"purpose": "advertising"}, "purpose 'advertising' is not among praise wall"),
        ({"parts": ["words", "picture"]}, "'picture' is not in its scope: words"),
    ],
)
def test_row_075_scope_channel_and_purpose_each_refuse(change, reason) -> None:
    ledger = granted()
    wish = {**WALL, **change}
    assert ledger.may_use("p1", **wish, at=DAY) == (reason,)
    used = ledger.use("p1", **wish, place="x", at=DAY, actor="ann", id="u1")
    assert not used.accepted
    assert reason in str(used)
    assert not ledger.uses("p1")


def test_row_075_expiry_and_the_question_how_it_stood() -> None:
    ledger = Permissions(MemoryStore())
    ledger.ask("p1", content="c1", author="customer-7", at=DAY)
    assert ledger.may_use("p1", **WALL, at=DAY) == ("the permission is asked",)
    end = DAY + timedelta(days=30)
    ledger.grant("p1", scope=["words"], channels=["web"], purposes=["praise wall"], at=DAY, expires_at=end)
    assert ledger.may_use("p1", **WALL, at=end - timedelta(seconds=1)) == ()
    assert ledger.may_use("p1", **WALL, at=end) == ("the permission is expired",)
    assert not ledger.use("p1", **WALL, place="x", at=end, actor="ann", id="u").accepted
    assert [p.id for p in ledger.reusable(DAY, channel="web").permissions] == ["p1"]
    assert not ledger.reusable(end)
    assert not ledger.reusable(DAY, channel="tv")
    ledger.ask_again("p1", at=end + timedelta(days=1), reason="a new page")
    assert ledger.at("p1", end + timedelta(days=1)).state == "asked"
    assert ledger.at("p1", DAY).state == "granted"


def test_row_167_a_telephone_number_in_a_public_draft_blocks_it_and_redact_makes_it_safe() -> None:
    draft = "Hi Ann, we tried to reach you on +66 81 234 5678, please check."
    review = review_reply(draft, required=["step"], public=True)
    assert not review.may_be_sent
    assert any("telephone number" in block for block in review.blocks)
    assert "5678" not in str(review) + repr(review) + review._repr_html_()
    assert find_private(redact(draft)).may_be_public
    private = review_reply(draft, required=[], public=False)
    assert not any("private data" in block for block in private.blocks)


def test_row_167_what_the_house_publishes_itself_may_stand() -> None:
    text = "Call our hotline 02 123 4567 or write to help@shop.example"
    found = find_private(text, allowed=["+66 2 123 4567", "help@shop.example"], region="TH")
    assert found.may_be_public
    assert not find_private("Dear Anna Berg, sorry!", known=["Anna Berg"]).may_be_public


def test_row_168_we_are_sorry_fails_four_of_five_and_the_full_text_passes() -> None:
    short = check_reply("We are sorry.")
    assert len(short.missing) == 4
    assert short.of("apology").found
    assert str(short).startswith("fails 4 of 5")
    full = check_reply(FULL)
    assert full.passes, str(full)
    assert all(i.found for i in full.items if i.item is not ReplyItem.EMPATHY)
    for item in full.items:
        assert all(full.text[a:b].strip() in item.words for a, b in item.spans)


@pytest.mark.parametrize(
    "draft",
    [
        "We regret any inconvenience.",
        "We are sorry if you feel upset.",
        "We apologise for any trouble this may have caused.",
        "We are not sorry.",
        "I'm sorry that you feel that way.",
        'You wrote "we are sorry".',
        "We are sorry to hear about your experience.",
        "Are we sorry?",
    ],
)
def test_row_168_what_is_no_apology(draft) -> None:
    assert not check_reply(draft).of("apology").found


@pytest.mark.parametrize(
    "draft",
    [
        "Refunds are subject to our policy and are processed within 14 days.",
        "If you send the receipt, we could refund you by Friday.",
        "We would have sent a replacement yesterday.",
        "Did we refund you on Monday?",
        "We cannot refund you today.",
        "We never said we would refund you by Monday.",
    ],
)
def test_row_168_rules_conditions_and_questions_are_no_step_no_date_and_no_remedy(draft) -> None:
    check = check_reply(draft)
    assert not any(check.of(item).found for item in ("step", "date", "remedy")), str(check)


def test_row_168_another_language_is_not_understood_and_does_not_pass() -> None:
    check = check_reply("Es tut uns leid, wir haben den Betrag heute wegen des Fehlers erstattet.", required=[])
    assert check.language == "not understood"
    assert not check.passes
    thai = "ขออภัยค่ะ ของช้าเนื่องจากคลังติดฉลากผิด เราจะส่งชิ้นใหม่ให้ภายใน 2 วัน"
    assert check_reply(thai).passes
    assert not check_reply("ขออภัยในความไม่สะดวก").of("apology").found


def test_row_170_a_compliment_unanswered_for_24_hours_is_flagged() -> None:
    cases = Cases(MemoryStore(), [compliment()])
    for name in ("c1", "c2"):
        cases.open("compliment", name, at=DAY, data={"channel": "web"})
    thanks = Command("thank", {"text": "Thank you!"}, actor="ann", role="agent", at=DAY + timedelta(hours=2), id="t")
    assert cases.handle("c2", thanks).accepted
    assert unanswered(cases, now=DAY + timedelta(hours=23, minutes=59)).ids == ()
    late = unanswered(cases, now=DAY + timedelta(hours=25))
    assert late.ids == ("c1",)
    assert late.due_at == (DAY + timedelta(hours=24),)
    fired = cases.fire(DAY + timedelta(hours=25))
    assert [e.type for e in fired] == ["flagged unanswered"]
    assert unanswered(cases, now=DAY + timedelta(hours=25)).ids == ("c1",)


def test_row_170_business_minutes_count_where_a_calendar_is_named() -> None:
    desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "17:00")]})
    flow = compliment(answer_within_minutes=8 * 60, calendar="desk")
    cases = Cases(MemoryStore(), [flow], calendars={"desk": desk})
    cases.open("compliment", "c1", at=local(2026, 6, 5, 16, zone="Asia/Bangkok"))  # a Friday
    assert not unanswered(cases, now=local(2026, 6, 8, 15, 59, zone="Asia/Bangkok"))
    assert unanswered(cases, now=local(2026, 6, 8, 16, 1, zone="Asia/Bangkok")).ids == ("c1",)


def test_row_170_amplified_only_under_a_permission_for_this_compliment() -> None:
    cases, ledger = Cases(MemoryStore(), [compliment()]), granted()
    cases.open("compliment", "c1", at=DAY)
    cases.open("compliment", "c2", at=DAY)
    wish = {**WALL, "place": "home page", "at": DAY + timedelta(hours=1), "actor": "ann", "permission": "p1"}
    assert not amplify(cases, ledger, "c2", **wish, id="a0").accepted
    assert amplify(cases, ledger, "c1", **wish, id="a1").accepted
    ledger.revoke("p1", at=DAY + timedelta(hours=2))
    wish["at"] = DAY + timedelta(hours=3)
    assert not amplify(cases, ledger, "c1", **wish, id="a2").accepted
    assert len(ledger.uses("p1")) == 1


def test_row_171_twenty_compliments_get_twenty_different_short_thanks() -> None:
    from tests.quality.test_replies_quality import COMPLIMENTS

    drafts = draft_thanks(COMPLIMENTS, seed=7)
    texts = [d.text for d in drafts]
    assert len(texts) == 20 == len(set(texts))
    assert None not in texts
    assert all(len(t.split()) <= 16 for t in texts)
    assert all(find_private(t).may_be_public for t in texts)
    assert not any(w in t.lower() for t in texts for w in ("discount", "voucher", "code", "http", "#", "offer"))
    named = [d for d in drafts if d.praised is not None]
    assert len(named) >= 12
    assert all(d.praised.lower() in d.text.lower() for d in named)
    assert draft_thanks(COMPLIMENTS, seed=7) == drafts != draft_thanks(COMPLIMENTS, seed=8)


def test_row_171_nothing_is_repeated_within_the_window_and_mixed_praise_gets_no_template() -> None:
    sent = [d.text for d in draft_thanks(["Nice!"] * 20, seed=3)]
    assert len(set(sent)) == 20
    more = [d.text for d in draft_thanks(["Nice!"] * 4, seed=3, used=sent)]
    assert not set(more) & set(sent)
    for text in ("Lovely food but we waited an hour", "Thanks for nothing", "Vielen Dank, alles war sehr gut bei euch"):
        (draft,) = draft_thanks([text], seed=1)
        assert draft.text is None
        assert draft.why_not


def test_row_172_a_distressed_message_meets_a_person_with_a_reason() -> None:
    gate = gate_automation("I am desperate, my child has no medicine", owners={"ann": 3.0, "bo": 1.0})
    assert not gate.automation
    assert gate.owner == "bo"
    assert "health at stake" in gate.reason
    assert gate_automation("I am not angry at all, when do you open?", owners={}).automation
    nobody = gate_automation("My husband died and you bill him", owners={"ann": 1.0}, unfit={"ann": True})
    assert nobody.unowned
    assert not nobody.automation
    assert read_distress("I want to die").level is DistressLevel.IN_DANGER
    assert not gate_automation("Hilfe, es brennt bei uns und wir kommen nicht raus", owners={"ann": 1.0}).automation


def test_row_172_no_template_for_the_distressed_in_the_review() -> None:
    review = review_reply(FULL, complaint="I can't stop crying, you ruined my wedding", automated=True, required=[])
    assert any(block.startswith("no automation") for block in review.blocks)


def test_row_173_the_better_draft_ranks_higher_with_reasons() -> None:
    complaint = "My parcel is five days late and I took two days off work"
    better = "Five days late and two days off work, I'm sorry. I called the depot, it comes today before 6."
    worse = "Thank you for contacting us. Delivery times may vary. We appreciate your patience."
    (best, score), (_, low) = rank_replies([worse, better], complaint=complaint)
    assert best == 1
    assert score.total > low.total
    assert sum(r.empathy for r in score.reasons) == pytest.approx(score.empathy)
    assert sum(r.urgency for r in score.reasons) == pytest.approx(score.urgency)
    assert str(score_reply("Wir melden uns bald bei Ihnen, vielen Dank.")).startswith("not understood")


def test_row_183_an_unconfirmed_cause_is_never_told() -> None:
    suspected = Cause("our depot mixed up two labels", Fault.OURS)
    assert "checking" in explain_cause(suspected, by="Friday")
    assert "labels" not in explain_cause(suspected)
    assert "checking" in explain_cause(None)
    assert not check_truth("It was late because our depot mixed up two labels.", suspected).holds
    assert check_truth("We are checking why it was late and tell you on Friday.", suspected).holds
    confirmed = Cause("our depot mixed up two labels", Fault.OURS, DAY)
    assert "labels" in explain_cause(confirmed)
    assert check_truth(explain_cause(confirmed), confirmed).holds
    assert not check_truth("Our mistake. It was late because of the snow.", confirmed).holds


def test_row_189_admits_with_company_fault_and_not_with_a_third_party_cause() -> None:
    ours = Cause("our depot mixed up two labels", Fault.OURS, DAY)
    theirs = Cause("a strike closed the port", Fault.NOBODY, DAY)
    admits, sorry = "We are sorry, this was our mistake.", "We are sorry that your parcel is late."
    assert check_truth(admits, ours).holds
    assert not check_truth(sorry, ours).holds
    assert not check_truth("This was not our fault.", ours).holds
    assert not check_truth(admits, theirs).holds
    assert check_truth(sorry, theirs).holds
    assert check_truth("We are sorry. It is late because a strike closed the port.", theirs).holds
    assert not check_truth(admits, None).holds
