"""Sentences of contact policies: reasons, errors, reprs; caps of zero, missing zones, expiry."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crmcore.calendars import CalendarCap, ContactTimes, SlidingCap, local
from crmcore.errors import (
    BadDocument,
    BadRows,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.idic.interact import Audience, ConsentLedger, HoldOut, SendTable, Statement, Template, decide, plan
from crmcore.idic.interact.contact import (
    Cap,
    Contact,
    ContactPolicy,
    Decision,
    Lift,
    Message,
    Send,
    hold_out,
)
from crmcore.rules import Rule, field
from crmcore.tables import EventTable

ZONE = "Asia/Bangkok"
NOON = local(2026, 6, 2, 12, zone=ZONE)
ANN = Contact("ann@example.org", ["email", "sms"], zone=ZONE)


def yes(*channels: str, until: datetime | None = None) -> ConsentLedger:
    at = NOON - timedelta(days=30)
    return ConsentLedger([Statement(ANN.id, "marketing", c, "granted", at, expires_at=until) for c in channels])


def ask(policy: ContactPolicy, message: Message, *, contact: Contact = ANN, **more: object) -> Decision:
    return decide(contact, message, policy=policy, **{"consents": yes("email", "sms"), "now": NOON, **more})


def test_every_reason_is_told_with_rule_evidence_and_instant() -> None:
    policy = ContactPolicy(ZONE, quiet_hours=("11:00", "13:00"), weekdays=["wed"], holidays=["2026-06-02"],
                           caps=[SlidingCap(48, 1)])  # fmt: skip
    found = ask(policy, Message("m", channels=["email"]), history=[Send(NOON - timedelta(hours=3))])
    assert str(found) == (
        "defer on email at Wed 2026-06-10 00:00 (Asia/Bangkok)\n"
        "  quiet hours on email: 11:00 to 13:00 (12:00 Asia/Bangkok); passes at Tue 2026-06-02 13:00\n"
        "  weekday on email: only wed (Tuesday); passes at Wed 2026-06-03 00:00\n"
        "  holiday on email: no messages on holidays (2026-06-02); passes at Wed 2026-06-03 00:00\n"
        "  cap on email: at most 1 in any 48 h (sent 2026-06-02 09:00); passes at Thu 2026-06-04 09:00"
    )
    assert [str(gate) for gate in found.gates] == ["quiet hours", "weekday", "holiday", "cap"]
    assert len(found.to_frame()["gate"]) == 4
    assert "ann@" not in repr(found) + found._repr_html_()
    assert len(found._repr_html_()) < 6000
    assert Decision.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_a_cap_of_zero_and_a_whole_day_of_quiet_refuse_for_ever() -> None:
    found = ask(ContactPolicy(ZONE, caps=[CalendarCap("day", 0)]), Message("m"))
    assert (found.verdict, found.reasons[0].next_at) == ("refuse", None)
    assert str(found.reasons[0]) == "cap on email: at most 0 a day (it has no room)"
    quiet = ask(ContactPolicy(ZONE, quiet_hours=("00:00", "24:00")), Message("m"))
    assert (quiet.verdict, quiet.gates, quiet.reasons[0].next_at) == ("refuse", ("quiet hours",), None)
    kept = ask(ContactPolicy(ZONE, caps=[Cap(SlidingCap(24, 1), keep_free=1)]), Message("m"))
    assert kept.verdict == "refuse"  # its one slot is kept for others
    assert (
        ask(ContactPolicy(ZONE, caps=[Cap(SlidingCap(24, 1), keep_free=1)]), Message("m", priority=1)).verdict == "send"
    )


def test_a_wait_past_the_expiry_or_past_the_consent_is_a_refusal() -> None:
    night = local(2026, 6, 2, 22, zone=ZONE)
    policy = ContactPolicy(ZONE, quiet_hours=("21:00", "08:00"))
    late = ask(policy, Message("m", expires_at=night + timedelta(hours=9)), now=night)
    assert (late.verdict, late.gates) == ("refuse", ("expiry", "quiet hours"))
    assert "it could go at 2026-06-03 08:00 only (expires 2026-06-03 07:00)" in str(late)
    lapses = ask(policy, Message("m"), now=night, consents=yes("email", until=night + timedelta(hours=9)))
    assert lapses.verdict == "refuse"
    assert "the yes ends before 2026-06-03 08:00" in str(lapses)
    over = ask(policy, Message("m", expires_at=NOON))
    assert "expiry on email: the message has expired" in str(over)


def test_a_contact_without_a_zone_has_the_policys_or_is_refused() -> None:
    nobody = Contact(ANN.id, ["email"])
    for rule, verdict in (("assume the policy's", "defer"), ("refuse", "refuse")):
        policy = ContactPolicy(ZONE, quiet_hours=("11:00", "13:00"), no_zone=rule)
        found = ask(policy, Message("m"), contact=nobody)
        assert found.verdict == verdict
    assert str(found.reasons[0]) == "no zone on email: the contact's zone must be known"
    assert (
        ask(ContactPolicy(ZONE, no_zone="refuse"), Message("m"), contact=nobody).verdict == "send"
    )  # no clock is read


def test_the_soonest_channel_or_the_preferred_one() -> None:
    rules = {"quiet_by_channel": {"email": ("11:00", "13:00")}}
    assert ask(ContactPolicy(ZONE, **rules), Message("m")).channel == "email"
    assert ask(ContactPolicy(ZONE, **rules, fallback="soonest"), Message("m")).channel == "sms"
    nowhere = ask(ContactPolicy(ZONE), Message("m"), contact=Contact("x"))
    assert str(nowhere) == "refuse\n  channel: the contact has no channel"
    other = ask(ContactPolicy(ZONE), Message("m", channels=["line"]))
    assert str(other.reasons[0]) == "channel on line: the contact has no address there"


def test_wrong_calls_say_what_and_how() -> None:
    with pytest.raises(UnknownName, match="did you mean 'sms'"):
        ask(ContactPolicy(ZONE), Message("m", channels=["smss"]))
    with pytest.raises(UnknownName, match="did you mean 'email'"):
        ContactPolicy(ZONE, caps=[Cap(SlidingCap(1, 1), channels=["emial"])])
    with pytest.raises(UnknownName, match="message class"):
        ContactPolicy(ZONE, gates={"promo": []})
    with pytest.raises(WrongType, match="ConsentLedger"):
        ask(ContactPolicy(ZONE), Message("m"), consents={})
    with pytest.raises(EmptyInput, match="silence is no yes"):
        ask(ContactPolicy(ZONE), Message("m"), consents=None)
    with pytest.raises(WrongType, match="Send\\(at, channel\\)"):
        ask(ContactPolicy(ZONE), Message("m"), history=[NOON])
    with pytest.raises(OutOfRange, match="later than not_before"):
        Message("m", not_before=NOON, expires_at=NOON)
    with pytest.raises(WrongType, match="whole number"):
        Message("m", priority=1.5)
    with pytest.raises(EmptyInput):
        Contact(" ")
    with pytest.raises(OutOfRange, match="keep_free"):
        Cap(SlidingCap(1, 1), keep_free=-1)
    with pytest.raises(WrongType, match="quiet_by_channel"):
        ContactPolicy(ZONE, quiet_by_channel=[("sms", None)])
    with pytest.raises(WrongType, match="a list of caps"):
        ContactPolicy(ZONE, caps=[24])


def test_a_policy_with_everything_survives_json() -> None:
    policy = ContactPolicy(
        ZONE, quiet_hours=("21:00", "08:00"), quiet_by_channel={"email": None, "sms": ("20:00", "09:00")},
        weekdays=["mon-fri"], holidays={"": ["2026-12-25"], "TH": {"2026-04-13": "Songkran"}},
        caps=[SlidingCap(24, 1), Cap(CalendarCap("week", 2), channels=["sms"], keep_free=1)],
        gates={"transactional": ["consent"]}, no_zone="refuse", fallback="soonest",
    )  # fmt: skip
    assert ContactPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    for value in (ANN, Message("m", expires_at=NOON), Send(NOON), HoldOut(0.1, seed=1)):
        assert type(value).from_dict(json.loads(json.dumps(value.to_dict()))) == value
    assert str(policy.caps[1]) == "at most 2 a week over sms, 1 kept for priority 1 and above"
    assert "ann@" not in repr(ANN)


def test_contact_times_know_holidays_one_by_one_and_in_columns() -> None:
    times = ContactTimes(ZONE, holidays={"2026-06-02": "a day", "2026-06-03": "another"})
    found = times.decide(NOON, [])
    assert (found.reason, found.next_allowed_at) == ("holiday", local(2026, 6, 4, zone=ZONE))
    rows = times.decide_all(np.array([NOON.astimezone(UTC).replace(tzinfo=None)], "datetime64[us]"))
    assert (rows.reasons(), rows.next_allowed[0].item().replace(tzinfo=UTC)) == (["holiday"], found.next_allowed_at)
    assert ContactTimes.from_dict(times.to_dict()) == times


# --- plans -----------------------------------------------------------------------------------------------------------


def test_a_plan_refuses_wrong_calls_and_explains_itself() -> None:
    audience = Audience.of([ANN, Contact("bob", ["sms"])])
    given = {"policy": ContactPolicy(ZONE), "consents": yes("email"), "now": NOON}
    found = plan(audience, Message("m"), **given)
    assert repr(found) == "ContactPlan(2 contacts, 1 messages)"
    assert found.gates_of("bob") == ("consent",)
    assert found.counts() == {"send": 1, "defer": 0, "refuse": 1, "held out": 0, "not addressed": 0}
    assert audience[0] == ANN
    assert repr(audience) == "Audience(2 contacts on email, sms)"
    assert len(plan(Audience.of([]), Message("m"), **given)) == 0
    with pytest.raises(OutOfRange, match="a contact of the audience"):
        found.gates_of("zoe")
    with pytest.raises(EmptyInput, match="HoldOut"):
        found.lift(EventTable.from_frame({"customer": ["bob"], "time": [NOON]}), within_days=1, until=NOON)
    with pytest.raises(DuplicateIds):
        plan(audience, [Message("m"), Message("m")], **given)
    with pytest.raises(EmptyInput, match="messages"):
        plan(audience, [], **given)
    with pytest.raises(OutOfRange, match="one truth a contact"):
        plan(audience, Message("m"), to=[True], **given)
    with pytest.raises(WrongType, match="truths or a Rule"):
        plan(audience, Message("m"), to=["yes", "no"], **given)
    with pytest.raises(EmptyInput, match="facts"):
        plan(audience, Message("m"), to=Rule("r", field("x") > 1), **given)
    with pytest.raises(WrongType, match="ConsentTable"):
        plan(audience, Message("m"), policy=ContactPolicy(ZONE), consents=[], now=NOON)
    two = plan(audience, [Message("a"), Message("b")], **given)
    with pytest.raises(OutOfRange, match="say which message"):
        two.counts()


def test_frames_of_audiences_and_sends_tell_all_bad_rows() -> None:
    with pytest.raises(BadRows) as caught:
        Audience.from_frame(
            {"customer": ["a", "a", None], "channels": ["sms"] * 3, "zone": ["Asia/Bangkok", "Mars", None]}
        )
    assert {p.column for p in caught.value.problems} == {"customer", "zone"}
    audience = Audience.from_frame(
        {"customer": ["a", "b"], "channels": ["line; email", None], "blocked": ["line", None]}
    )
    assert audience[0].blocked == {"line": "blocked"}
    assert audience[1].channels == ()
    with pytest.raises(BadRows):
        SendTable.from_frame({"customer": ["a", None], "time": [NOON, None]})
    sends = SendTable.from_frame(
        {"customer": ["a"], "time": [NOON], "kind": ["critical"]}, customers=audience.customers
    )
    assert [s.kind for s in sends.of(0)] == ["critical"]
    events = EventTable.from_frame(
        {
            "customer": ["a", "b"],
            "time": [NOON, NOON],
            "kind": ["message", "view"],
            "direction": ["outbound", "inbound"],
        }
    )
    assert repr(SendTable.from_events(events)) == "SendTable(1 sends to 2 customers)"


def test_the_hold_out_is_a_share_that_stays() -> None:
    ids = [f"c{i}" for i in range(5000)]
    held = hold_out(ids, HoldOut(0.2, seed=3))
    assert 0.18 < held.mean() < 0.22
    assert (hold_out(ids[::-1], HoldOut(0.2, seed=3))[::-1] == held).all()
    assert (held <= hold_out(ids, HoldOut(0.5, seed=3))).all()  # a larger share holds out the same and more
    assert 0.02 < (held & hold_out(ids, HoldOut(0.2, seed=3, name="june"))).mean() < 0.06
    audience = Audience.from_frame({"customer": ids, "channels": ["email"] * 5000})
    message = Message("recall", kind="critical")
    found = plan(audience, message, policy=ContactPolicy(ZONE), consents=ConsentLedger(), now=NOON,
                 hold_out=HoldOut(0.2, seed=3))  # fmt: skip
    orders = EventTable.from_frame({"customer": ids[:900], "time": [NOON + timedelta(hours=1)] * 900})
    lift = found.lift(orders, within_days=1, until=NOON + timedelta(days=2))
    assert Lift.from_dict(json.loads(json.dumps(lift.to_dict()))) == lift
    assert str(lift).startswith("recall, 1 days: difference ")
    assert lift.chart().title == "recall"
    assert len(lift.to_frame()["part"]) == 3


def test_a_template_has_no_holes_and_no_code() -> None:
    text = Template("t", {"*": "Dear {name}, {{sic}}", "sms": "{code}"})
    assert text.fields == ("name", "code")
    assert text.fill("email", {"name": "Ann"}) == "Dear Ann, {sic}"
    assert text.preview("email", {"name": "Annabel"}) == "Dear A\u2022\u2022\u2022, {sic}"
    assert Template.from_dict(text.to_dict()) == text
    with pytest.raises(MissingColumn, match="code"):
        text.fill("sms", {"name": "Ann", "code": None})
    with pytest.raises(UnknownName):
        Template("t", {"sms": "x"}).fill("email", {})
    with pytest.raises(BadDocument, match="no plain name"):
        Template("t", {"sms": "{name.__class__}", "email": "{0}"})
    with pytest.raises(BadDocument):
        Template("t", {"sms": "{name"})
