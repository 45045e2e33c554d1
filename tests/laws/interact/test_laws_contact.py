"""Laws of contact policies: equal to stepping through minutes; one contact = an audience; slots go by priority."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pytest

from crmcore.calendars import CalendarCap, SlidingCap
from crmcore.idic.interact.consents import ConsentLedger
from crmcore.idic.interact.contact import Audience, Cap, Contact, ContactPolicy, Message, Send, SendTable, decide, plan
from crmcore.tables import CustomerIndex, TextColumn

sys.path.insert(0, str(Path(__file__).parent))
import contact_oracle as slow


@pytest.mark.parametrize("block", range(8))
def test_a_decision_equals_stepping_through_minutes(block: int) -> None:
    compared = 0
    for seed in range(block * 40, block * 40 + 40):
        rng, now = slow.case(seed)
        policy, rules = slow.random_policy(rng), slow.random_rules(rng)
        contact, message = slow.random_contact(rng, "c"), slow.random_message(rng, now)
        statements, history = slow.random_statements(rng, "c", now), slow.random_history(rng, now)
        got = decide(
            contact, message, policy=policy, consents=ConsentLedger(statements, rules=rules), now=now, history=history
        )
        expected = slow.decide(policy, contact, message, statements, rules, history, now)
        if expected is None:  # nothing within the days that were stepped through
            assert got.at is None or got.at - now >= timedelta(days=slow.DAYS)
            continue
        compared += 1
        assert (got.verdict, got.channel, got.at, {str(g) for g in got.gates}) == expected, seed
    assert compared > 25


def sends_of(histories: dict[str, list[Send]], index: CustomerIndex) -> SendTable:
    from crmcore.idic.interact.contact.audiences import KINDS

    flat = [(index.code(name), s) for name, sends in histories.items() for s in sends]
    return SendTable.of_codes(
        index,
        [code for code, _ in flat],
        np.array([s.us for _, s in flat], np.int64).view("datetime64[us]"),
        channel=TextColumn.of([s.channel for _, s in flat]),
        kind=[KINDS.index(s.kind) for _, s in flat],
    )


@pytest.mark.parametrize("seed", range(25))
def test_a_plan_is_the_decisions_of_its_contacts(seed: int) -> None:
    rng, now = slow.case(seed)
    policy, rules, message = slow.random_policy(rng), slow.random_rules(rng), slow.random_message(rng, now)
    names = [f"c{i:02d}" for i in range(40)]
    contacts = [slow.random_contact(rng, name) for name in names]
    ledger = ConsentLedger([s for n in names for s in slow.random_statements(rng, n, now)], rules=rules)
    ledger.merge(
        names[0], names[1], at=now - timedelta(days=rng.randrange(9)), rule=rng.choice(("strictest", "latest"))
    )
    histories = {name: slow.random_history(rng, now) for name in names}
    audience = Audience.of(rng.sample(contacts, len(contacts)))
    got = plan(
        audience, message, policy=policy, consents=ledger, now=now, history=sends_of(histories, audience.customers)
    )
    frame = got.to_frame()
    for i, contact in enumerate(contacts):
        one = decide(contact, message, policy=policy, consents=ledger, now=now, history=histories[contact.id])
        row = (frame["verdict"][i], frame["channel"][i], frame["at"][i], got.gates_of(contact.id))
        assert row == (one.verdict, one.channel, one.at, one.gates), contact


@pytest.mark.parametrize("seed", range(30))
def test_messages_of_one_plan_keep_every_cap_and_the_higher_priority_never_loses_its_slot(seed: int) -> None:
    rng, now = slow.case(seed)
    caps = [SlidingCap(rng.choice((24, 48)), rng.choice((1, 2))), CalendarCap(rng.choice(("day", "week", "month")), 2)]
    policy = ContactPolicy(rng.choice(slow.ZONES), quiet_hours=rng.choice((None, ("20:00", "09:00"))), caps=caps)
    names = [f"c{i:02d}" for i in range(25)]
    contacts = [Contact(n, ["email"], zone=rng.choice(slow.ZONES)) for n in names]
    histories = {name: [s for s in slow.random_history(rng, now) if s.at <= now] for name in names}
    audience = Audience.of(contacts)
    messages = [
        Message(f"m{i}", kind="promotional", priority=rng.randrange(3),
                not_before=rng.choice((None, now + timedelta(hours=rng.randrange(60)))))
        for i in range(4)
    ]  # fmt: skip
    policy = ContactPolicy.from_dict({**policy.to_dict(), "gates": {"promotional": ["quiet hours", "cap"]}})
    given = {
        "policy": policy,
        "consents": ConsentLedger(),
        "now": now,
        "history": sends_of(histories, audience.customers),
    }
    got = plan(audience, messages, **given)
    first = got.messages[0]
    alone = plan(audience, first, **given)
    assert (got.at[0] == alone.at[0]).all()
    frame = got.to_frame()
    for name, contact in zip(names, contacts, strict=True):
        mine = [
            (frame["at"][i], frame["message"][i]) for i in range(len(frame["customer"])) if frame["customer"][i] == name
        ]
        sent = [at for at, _ in mine if at is not None]
        for at in sent:  # each send, with all others of the plan as its history, passes
            others = [Send(other) for other in sent if other is not at]
            assert not slow.closed(policy, contact, first, "email", histories[name] + others, at), seed


def closed_by_caps(policy: ContactPolicy, zone: str, history: list[Send], planned: list[Send], at: datetime) -> bool:
    """Whether a cap is full at an instant, what is planned for later holding its slot until then."""
    for cap in policy.caps:
        before = [s.at for s in history if s.kind in cap.kinds and s.at <= at]
        ahead = [s.at for s in planned if s.kind in cap.kinds]
        if isinstance(cap.limit, SlidingCap):
            reach = timedelta(hours=cap.limit.hours)
            n = sum(at - reach < s for s in before) + sum(at - reach < s <= at + reach for s in ahead)
        else:
            mine = slow._period(at.astimezone(ZoneInfo(zone)), cap.limit.period)
            n = sum(slow._period(s.astimezone(ZoneInfo(zone)), cap.limit.period) == mine for s in (*before, *ahead))
        if n >= cap.limit.max_sends:
            return True
    return False


@pytest.mark.parametrize("seed", range(12))
def test_a_plan_of_several_messages_equals_placing_them_one_after_the_other_minute_by_minute(seed: int) -> None:
    rng, now = slow.case(seed)
    caps = [SlidingCap(rng.choice((5, 24)), 1), Cap(SlidingCap(72, 2), kinds=["promotional", "transactional"]),
            CalendarCap(rng.choice(("day", "week")), 2)]  # fmt: skip
    policy = ContactPolicy("UTC", caps=caps, gates={"promotional": ["cap"], "transactional": ["cap"]})
    contacts = [Contact(f"c{i}", ["email"], zone=rng.choice(slow.ZONES)) for i in range(6)]
    histories = {c.id: slow.random_history(rng, now) for c in contacts}
    messages = [
        Message(f"m{i}", kind=rng.choice(("promotional", "transactional")), priority=rng.randrange(3),
                not_before=rng.choice((None, now + timedelta(hours=rng.randrange(60)))))
        for i in range(4)
    ]  # fmt: skip
    audience = Audience.of(contacts)
    got = plan(audience, messages, policy=policy, consents=ConsentLedger(), now=now,
               history=sends_of(histories, audience.customers))  # fmt: skip
    for contact in contacts:
        planned: list[Send] = []
        for k, message in enumerate(got.messages):
            at = max(now, message.not_before or now)
            bound = attrs.evolve(policy, caps=[cap for cap in policy.caps if cap.binds(message.kind, "email")])
            while closed_by_caps(bound, contact.zone, histories[contact.id], planned, at):
                at += timedelta(minutes=1)
            told = got.at[k, audience.customers.code(contact.id)].item().replace(tzinfo=UTC)
            assert told == at, (contact, message)
            planned.append(Send(at, "email", message.kind))
