"""Rows 44, 46, 49, 50, 51, 52, 90 and 198 of what the library must do: consents, contact policies and triggers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from crmcore.calendars import CalendarCap, SlidingCap, local
from crmcore.idic.interact import (
    Audience,
    ConsentLedger,
    ConsentTable,
    Contact,
    ContactPolicy,
    HoldOut,
    Message,
    Proof,
    Send,
    SendTable,
    Sources,
    Statement,
    Template,
    decide,
    fire,
    plan,
)
from crmcore.idic.interact.contact.triggers import (
    Abandoned,
    BackInStock,
    Birthday,
    Firings,
    ItemTable,
    Maintenance,
    NearlyOut,
    PriceDrop,
    Silence,
)
from crmcore.rules import FactTable, Rule, field
from crmcore.tables import CustomerIndex, EventTable

BANGKOK = "Asia/Bangkok"
NOW = local(2026, 6, 2, 12, zone=BANGKOK)


def yes(person: str, *channels: str, at: datetime = NOW - timedelta(days=90)) -> list[Statement]:
    return [
        Statement(person, "marketing", channel, "granted", at, proof=Proof("web form", "v3")) for channel in channels
    ]


def test_contact_policy_cases_are_all_right(data_dir: Path) -> None:
    cases = json.loads((data_dir / "contact_policy_cases" / "cases.json").read_text())["cases"]
    for case in cases:
        caps = [
            SlidingCap(c["hours"], c["max"]) if c["kind"] == "sliding" else CalendarCap(c["period"], c["max"])
            for c in case["caps"]
        ]
        policy = ContactPolicy("UTC", quiet_hours=case["quiet_hours"], weekdays=case["weekdays"], caps=caps)
        at, sent = datetime.fromisoformat(case["at"]), [datetime.fromisoformat(h) for h in case["history"]]
        consents = ConsentLedger(yes("c", "email", at=at - timedelta(days=1)))
        contact, message = Contact("c", ["email"], zone=case["timezone"]), Message("m")
        found = decide(contact, message, policy=policy, consents=consents, now=at, history=map(Send, sent))
        expected, following = case["expected"], datetime.fromisoformat(case["expected"]["next_allowed"])
        assert (found.verdict == "send") == expected["allowed_now"]
        assert (found.gates[0].replace(" ", "_") if found.gates else None) == expected["first_reason"]
        assert found.at == following
        audience = Audience.of([contact])
        instants = np.array([h.astimezone(UTC).replace(tzinfo=None) for h in sent], "datetime64[us]")
        history = SendTable.of_codes(audience.customers, np.zeros(len(sent), int), instants)
        many = plan(audience, message, policy=policy, consents=consents, now=at, history=history)
        assert many.to_frame()["at"] == [following]
        assert many.gates_of("c") == found.gates


# --- 44: maintenance -------------------------------------------------------------------------------------------------


def service_of(rows: list[dict]) -> Sources:
    events = EventTable.from_frame(rows)
    return Sources(events.customers, events=events, zone=BANGKOK)


def test_row_044_maintenance_is_due_by_time_or_by_use_whichever_comes_first() -> None:
    trigger = Maintenance("oil change", months=6, usage=10_000, key="plate")
    served = local(2025, 12, 2, 15, zone=BANGKOK)
    rows = [
        {"customer": "ann", "time": served, "kind": "service", "plate": "1กก 1", "km": 20_000},
        {"customer": "ann", "time": NOW - timedelta(days=1), "kind": "reading", "plate": "1กก 1", "km": 25_000},
    ]
    today = {"since": local(2026, 6, 2, zone=BANGKOK), "until": local(2026, 6, 3, zone=BANGKOK)}
    found = fire(trigger, service_of(rows), **today)
    assert [found.when(0)] == [local(2026, 6, 2, 9, zone=BANGKOK)]  # six months later, at nine in the morning
    assert len(fire(trigger, service_of(rows), **today, fired=found)) == 0  # one notice only
    later = {"since": today["until"], "until": today["until"] + timedelta(days=200)}
    assert len(fire(trigger, service_of(rows), **later, fired=found)) == 0
    early = [*rows, {**rows[1], "time": NOW - timedelta(days=40), "km": 30_000}]
    whole = {"since": served, "until": today["until"]}
    assert fire(trigger, service_of(early), **whole).when(0) == NOW - timedelta(days=40)  # use came first
    again = [*early, {**rows[0], "time": NOW - timedelta(days=60), "km": 24_000}]
    assert len(fire(trigger, service_of(again), **whole)) == 0  # a service in between starts anew
    other = [*rows, {**rows[1], "plate": "2ขข 2", "km": 90_000}]
    assert len(fire(trigger, service_of(other), **whole)) == 1  # each car by itself
    assert len(fire(Maintenance("km only", usage=10_000, key="plate"), service_of(rows), **whole)) == 0


# --- 46: nearly out, with an offer and a cap -------------------------------------------------------------------------


def shop(stock: list[tuple[str, datetime, float]], *, prices: list[tuple[str, datetime, float]] = ()) -> Sources:
    events = EventTable.from_frame(
        [
            {"customer": "ann", "time": NOW - timedelta(days=9), "kind": "favourite", "reference": "lamp"},
            {"customer": "bob", "time": NOW - timedelta(days=9), "kind": "favourite", "reference": "sofa"},
        ]
    )
    items = [
        ItemTable.from_frame([{"item": i, "time": at, "value": v} for i, at, v in rows]) if rows else None
        for rows in (stock, prices)
    ]
    return Sources(events.customers, events=events, stock=items[0], prices=items[1], zone=BANGKOK)


DAY = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(hours=1)}


def test_row_046_nearly_out_of_stock_brings_one_message_with_the_offer() -> None:
    trigger = NearlyOut("nearly out", threshold=5, offer="10 % off", message="hurry", pause_days=7)
    earlier = NOW - timedelta(days=3)
    sources = shop([("lamp", earlier, 20), ("lamp", NOW, 3), ("sofa", earlier, 20), ("sofa", NOW, 9)])
    found = fire(trigger, sources, **DAY)
    assert found.to_frame()["customer"] == ["ann"]  # the lamp has 3, the sofa 9
    audience = Audience.from_frame({"customer": ["ann", "bob"], "channels": ["email"] * 2})
    given = {"policy": ContactPolicy(BANGKOK, caps=[SlidingCap(72, 1)]), "to": found.who("nearly out")}
    consents = ConsentLedger([*yes("ann", "email"), *yes("bob", "email")])
    sent = plan(audience, Message(trigger.message), consents=consents, now=NOW, **given)
    assert sent.counts()["send"] == 1
    assert trigger.offer == "10 % off"
    tomorrow = {name: at + timedelta(days=1) for name, at in DAY.items()}
    assert len(fire(trigger, sources, **tomorrow, fired=found)) == 0
    swinging = shop([("lamp", NOW, 3), ("lamp", NOW + timedelta(hours=9), 8), ("lamp", NOW + timedelta(days=1), 2)])
    assert len(fire(trigger, swinging, **tomorrow, fired=found)) == 0  # once a week is enough
    assert len(fire(NearlyOut("no pause"), swinging, **tomorrow)) == 1
    capped = plan(
        audience, Message("again"), consents=consents, now=NOW + timedelta(days=1), history=sent.sends(), **given
    )
    assert (capped.counts()["send"], capped.reasons()["cap"]) == (0, 1)


def test_row_046_back_in_stock_is_told_to_those_who_wait() -> None:
    sources = shop([("lamp", NOW - timedelta(days=5), 0), ("lamp", NOW, 4), ("sofa", NOW, 4)])
    assert fire(BackInStock("back"), sources, **DAY).to_frame()["customer"] == ["ann"]


# --- 49, 50: birthdays and favourites --------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "day"), [("28 Feb", (2, 28)), ("1 March", (3, 1))])
def test_row_049_a_birthday_on_29_february_is_kept_at_nine_in_bangkok(policy: str, day: tuple[int, int]) -> None:
    people = CustomerIndex.of(["ann", "bob"])
    facts = FactTable(people, {"born": np.array(["2000-02-29", "NaT"], "datetime64[D]"), "spent": [12.0, 3.0]})
    year = {"since": local(2027, 1, 1, zone=BANGKOK), "until": local(2028, 1, 1, zone=BANGKOK)}
    trigger = Birthday("birthday", leap_day=policy, message="coupon")
    found = fire(trigger, Sources(people, facts, zone=BANGKOK), **year)
    assert [found.when(i) for i in range(len(found))] == [local(2027, *day, 9, zone=BANGKOK)]
    week_before = fire(Birthday("soon", leap_day=policy, days_before=7), Sources(people, facts, zone=BANGKOK), **year)
    assert week_before.when(0) == local(2027, *day, 9, zone=BANGKOK) - timedelta(days=7)
    richer = Birthday("vip", when=Rule("vip", field("spent") > 100))
    assert len(fire(richer, Sources(people, facts, zone=BANGKOK), **year)) == 0


def test_row_050_a_price_drop_on_a_favourite_brings_a_message_on_another_item_none() -> None:
    before = NOW - timedelta(days=2)
    sources = shop([], prices=[("lamp", before, 40), ("lamp", NOW, 30), ("cup", before, 9), ("cup", NOW, 5)])
    found = fire(PriceDrop("cheaper"), sources, **DAY)
    assert (found.to_frame()["customer"], found.to_frame()["item"]) == (["ann"], ["lamp"])
    assert len(fire(PriceDrop("half", at_least=0.5), sources, **DAY)) == 0


def test_carts_are_kept_apart_by_any_attribute_and_silence_is_heard() -> None:
    at = NOW - timedelta(hours=3)
    rows = [
        {"customer": "ann", "time": at, "kind": "add to cart", "cart": "k1"},
        {"customer": "ann", "time": at + timedelta(minutes=5), "kind": "add to cart", "cart": "k2"},
        {"customer": "ann", "time": at + timedelta(minutes=50), "kind": "order", "cart": "k2"},
        {"customer": "bob", "time": NOW - timedelta(days=90), "kind": "order", "cart": None},
    ]
    sources = service_of(rows)
    found = fire(
        [Abandoned("cart", key="cart"), Silence("quiet", after_days=90)], sources, since=at, until=NOW + timedelta(1)
    )
    frame = found.to_frame()
    assert list(zip(frame["trigger"], frame["customer"], frame["item"], frame["at"], strict=True)) == [
        ("cart", "ann", "k1", at + timedelta(hours=1)),
        ("quiet", "bob", None, NOW),
    ]
    assert isinstance(found + found, Firings)
    assert len(found + found) == 2


# --- 51, 52: channels ------------------------------------------------------------------------------------------------


def test_row_051_no_consent_for_sms_is_refused_with_the_reason_and_quiet_hours_wait_until_eight() -> None:
    policy = ContactPolicy(BANGKOK, quiet_hours=("21:00", "08:00"))
    ann = Contact("ann", ["sms", "email"], zone=BANGKOK)
    consents = ConsentLedger(yes("ann", "email"))
    night = local(2026, 6, 2, 22, 30, zone=BANGKOK)
    refused = decide(ann, Message("sale", channels=["sms"]), policy=policy, consents=consents, now=NOW)
    assert refused.verdict == "refuse"
    assert str(refused.reasons[0]) == (
        "consent on sms: marketing needs a yes (never asked: nobody ever asked about marketing on sms)"
    )
    waits = decide(ann, Message("sale", channels=["email"]), policy=policy, consents=consents, now=night)
    assert (waits.verdict, waits.at) == ("defer", local(2026, 6, 3, 8, zone=BANGKOK))
    receipt = decide(ann, Message("receipt", kind="critical"), policy=policy, consents=ConsentLedger(), now=night)
    assert (receipt.verdict, receipt.channel) == ("send", "sms")
    text = Template("sale", {"*": "Dear {name}, {what} is on sale", "sms": "{what}: sale"})
    assert text.fill(waits.channel, {"name": "Ann", "what": "tea"}) == "Dear Ann, tea is on sale"


def test_row_052_line_is_preferred_and_blocked_so_it_falls_to_email_and_says_why() -> None:
    ann = Contact("ann", ["email", "line"], prefers=["line"], blocked={"line": "blocked by the user"}, zone=BANGKOK)
    given = {"policy": ContactPolicy(BANGKOK), "consents": ConsentLedger(yes("ann", "line", "email")), "now": NOW}
    found = decide(ann, Message("news"), **given)
    assert (found.verdict, found.channel) == ("send", "email")
    assert [str(reason) for reason in found.reasons] == [
        "channel on line: the contact cannot be reached there (blocked by the user)"
    ]
    many = plan(Audience.of([ann]), Message("news"), **given)
    assert (many.to_frame()["channel"], many.to_frame()["gates"]) == (["email"], ["channel"])
    open_again = Contact("ann", ["email", "line"], prefers=["line"], zone=BANGKOK)
    assert decide(open_again, Message("news"), **given).channel == "line"


# --- 90, 198: broadcasts and privacy ---------------------------------------------------------------------------------


def crowd(n: int) -> tuple[Audience, FactTable]:
    names = [f"u{i:05d}" for i in range(n)]
    audience = Audience.from_frame({"customer": names, "channels": ["email"] * n})
    likes = ["cars" if i < 0.3 * n else "tea" for i in range(n)]
    return audience, FactTable(audience.customers, {"likes": likes})


def test_row_090_of_100_users_30_are_interested_and_25_of_them_allow_it() -> None:
    audience, facts = crowd(100)
    consents = ConsentTable.from_frame(
        ConsentLedger([s for i in range(5, 100) for s in yes(f"u{i:05d}", "email")]).to_frame()
    )
    interested = Rule("interested", field("likes") == "cars")
    found = plan(
        audience,
        Message("car show"),
        policy=ContactPolicy(BANGKOK),
        consents=consents,
        now=NOW,
        to=interested,
        facts=facts,
    )
    counts = found.counts()
    assert (counts["send"], counts["refuse"], counts["not addressed"]) == (25, 5, 70)
    assert found.refused() == {"consent": 5}
    assert "25 send, 0 defer, 5 refuse" in str(found)
    assert len(found._repr_html_()) < 6000
    assert found.chart().rows[0]["label"] == "send"
    assert len(found.to_frame()["customer"]) == 100
    assert json.loads(json.dumps(found.to_dict()))["messages"][0]["counts"]["send"] == 25


def test_row_090_every_message_has_an_outcome_window_and_its_lift_over_those_held_out() -> None:
    audience, _ = crowd(20_000)
    ids = audience.customers.ids
    consents = ConsentTable.from_frame(
        {"person": ids, "purpose": ["marketing"] * len(ids), "channel": ["email"] * len(ids),
         "said": ["granted"] * len(ids), "at": [NOW - timedelta(days=9)] * len(ids)}
    )  # fmt: skip
    given = {"policy": ContactPolicy(BANGKOK), "consents": consents, "now": NOW}
    found = plan(audience, Message("sale"), hold_out=HoldOut(0.2, seed=7, name="june"), **given)
    held = found.is_("held out")
    assert abs(held.mean() - 0.2) < 0.01
    fewer = Audience.from_frame({"customer": list(ids[:500]), "channels": ["email"] * 500})
    part = plan(fewer, Message("sale"), hold_out=HoldOut(0.2, seed=7, name="june"), **given)
    assert (part.is_("held out") == held[:500]).all()  # the same people in another audience
    rng = np.random.default_rng(1)
    buys = np.flatnonzero(rng.random(len(ids)) < np.where(held, 0.10, 0.13))
    outcomes = EventTable.from_frame(
        {
            "customer": [ids[i] for i in buys],
            "time": [NOW + timedelta(days=2)] * len(buys),
            "kind": ["order"] * len(buys),
        }
    )
    lift = found.lift(outcomes, within_days=7, until=NOW + timedelta(days=30))
    assert lift.comparison.difference.low < 0.03 < lift.comparison.difference.high
    assert lift.comparison.first.n + lift.comparison.second.n == len(ids)
    assert found.lift(outcomes, within_days=1, until=NOW + timedelta(days=30)).comparison.first.value == 0
    assert found.lift(outcomes, within_days=7, until=NOW + timedelta(days=3), small_sample_ok=True).pending == len(ids)


def test_row_198_erasing_a_person_keeps_counts_and_an_audit_without_who_it_was() -> None:
    ledger = ConsentLedger([*yes("ann", "email", "sms"), *yes("bob", "email"), *yes("ann-2", "line")])
    ledger.merge("ann", "ann-2", at=NOW)
    before = ledger.counts()
    ledger.erase("ann", at=NOW, by="privacy desk", reason="asked in writing")
    assert ledger.counts() == before
    assert ledger.ask("ann", "marketing", "email", at=NOW).standing == "never asked"
    assert ledger.ask("bob", "marketing", "email", at=NOW).allowed
    kept = json.dumps(ledger.to_dict())
    assert '"ann' not in kept
    assert [(e.by, e.statements) for e in ledger.erasures] == [("privacy desk", 3)]
    assert ConsentLedger.from_dict(json.loads(kept)).counts() == before


def test_was_it_allowed_on_3_march() -> None:
    march = [local(2026, 3, day, 12, zone=BANGKOK) for day in (1, 3, 5)]
    ledger = ConsentLedger(
        [
            Statement("ann", "marketing", "sms", "granted", march[0], proof=Proof("paper", "v2", "box 7")),
            Statement("ann", "*", "*", "withdrawn", march[2]),
        ]
    )
    answer = ledger.ask("ann", "marketing", "sms", at=march[1])
    assert answer.allowed
    assert answer.because[0].proof == Proof("paper", "v2", "box 7")
    assert not ledger.ask("ann", "marketing", "sms", at=NOW).allowed
