"""The chapter of talking with customers: who may be written to, when and why not, and how the forum is doing."""

# ruff: noqa: E501  (sentences of the page stay whole)

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars import SlidingCap
from crmcore.charts.chart import written
from crmcore.datasets.people import FIRST_DAY
from crmcore.flows.page import Block, Figure, Heading, KeyFigure, Table, Text
from crmcore.flows.sections.chapter import TODAY, ZONE, Chapter, Check, Part, customers_of, said
from crmcore.idic.interact import (
    Audience,
    ConsentLedger,
    ConsentTable,
    ContactPolicy,
    HoldOut,
    Message,
    Send,
    SendTable,
    Statement,
    decide,
    plan,
)
from crmcore.idic.interact.communities import Community, health
from crmcore.tables import CustomerIndex

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People
    from crmcore.idic.interact.contact.plans import ContactPlan

__all__ = ["talk"]

# Three days after the autumn sale, at noon in Bangkok: midnight in America, early morning in Europe.
NOW = (FIRST_DAY + np.timedelta64(1003, "D")).astype("datetime64[s]").item().replace(tzinfo=UTC, hour=5)
ZONES = {
    "TH": ZONE, "GB": "Europe/London", "DE": "Europe/Berlin", "FR": "Europe/Paris", "ES": "Europe/Madrid",
    "IN": "Asia/Kolkata", "CN": "Asia/Shanghai", "US": "America/Chicago",
}  # fmt: skip
SHOWN = ("send", "defer", "refuse")
WITHIN = 24.0  # hours in which a question should be answered


def talk(brand: Brand, people: People) -> Chapter:
    """Say who may be written to, when and why not, and measure the brand's forum.

    Parameters
    ----------
    brand : Brand
        Consents, campaigns and the forum, and what is true of them.
    people : People
        Who is who in its records, as `identify.resolve` found it.

    Examples
    --------
    >>> from crmcore.datasets import simulate_brand
    >>> from crmcore.idic import identify
    >>> brand = simulate_brand(300, seed=1)
    >>> found = talk(brand, identify.resolve(dict(brand.sources)))
    >>> [figure.label for figure in found.section().key]
    ['May be written to', 'Answered in a day']
    """
    lead = (
        "Nobody is written to without a yes, at night, or more often than they want: of everybody who is not, the plan says which rule "
        "closed the door, on what evidence, and when it opens by itself. In the forum, what counts is whether people are answered, and by whom."
    )
    return Chapter("How we talk with them", lead, (_contact(brand, people), _forum(brand, people)))


def _contact(brand: Brand, people: People) -> Part:
    index = CustomerIndex.of([f"c{i}" for i in range(len(people))])
    audience = _audience(brand, people, index)
    spoken, sent = _statements(brand, people, index), _sends(brand, people, index)
    policy = ContactPolicy(ZONE, quiet_hours=("21:00", "08:00"), caps=[SlidingCap(hours=168, max_sends=1)])
    messages = [Message("members' evening", priority=1), Message("coupon")]
    planned = plan(
        audience, messages, policy=policy, consents=ConsentTable.from_frame(spoken, customers=index), now=NOW,
        to=audience.reach.any(axis=1), history=SendTable.from_frame(sent, customers=index), hold_out=HoldOut(0.1, seed=7, name="evening"),
    )  # fmt: skip
    rows = []
    for message in planned.messages:
        counts, closed = planned.counts(message=message.id), planned.reasons(message=message.id)
        why = ", ".join(f"{n:,} {gate}" for gate, n in closed.items())
        rows.append((message.id, *(f"{counts[verdict]:,}" for verdict in counts if verdict != "not addressed"), why))
    first = planned.messages[0].id
    goes = sum(n for verdict, n in planned.counts(message=first).items() if verdict in ("send", "defer"))
    reachable = int(audience.reach.any(axis=1).sum())
    against, known = _against_a_no(brand, people, planned)
    blocks: list[Block] = [
        Heading("Who may be written to?"),
        Text(
            f"Three days after the autumn sale, at noon in Bangkok, two messages wait: an invitation and a coupon. {reachable:,} of {len(people):,} "
            f"customers left an address. Nobody gets more than one message in seven days, so the coupon, of lower priority, waits until the week "
            f"after the invitation. Consent is a person's, not a record's: {against:,} of the {known:,} invitations go to somebody whose last word was not yes, "
            "said under a record that was not recognised as theirs."
        ),
        Table(("message", "send now", "send later", "refused", "held out", "closed doors"), rows, "What becomes of two messages; a contact with two reasons counts in both."),
        Figure(planned.chart(message=first), "What becomes of the invitation.", "Each customer counts once; refusals by the first door that was closed."),
        Table(("verdict", "closed door", "rule and evidence", "opens"), _examples(planned, policy, spoken, sent), "The invitation and three customers, on their own clocks."),
    ]  # fmt: skip
    share = f"{goes / max(reachable, 1):.0%}"
    return Part(
        blocks, KeyFigure("May be written to", share, f"of {reachable:,} customers with an address, now or later")
    )


def _audience(brand: Brand, people: People, index: CustomerIndex) -> Audience:
    """Channels and clocks of the customers that were found: members have a mailbox, friends on LINE an account."""
    channels: dict[int, list[str]] = {}
    zone: dict[int, str | None] = {}
    members = brand.sources["members"]
    reached = members["record_id"][np.array([m is not None for m in members["email"].tolist()], bool)]
    for name, records in (("email", reached), ("line", brand.sources["line_oa"]["record_id"])):
        for customer in np.unique(customers_of(people, records)).tolist():
            channels.setdefault(customer, []).append(name)
    for customer, country in zip(customers_of(people, members["record_id"]).tolist(), members["country"], strict=True):
        zone[customer] = ZONES.get(country)
    known = sorted(set(channels) - {-1})
    frame = {
        "customer": _ids(index, np.array(known, np.int64)),
        "channels": ["; ".join(channels[c]) for c in known],
        "zone": [zone.get(c) for c in known],
    }
    return Audience.from_frame(frame, customers=index)


def _ids(index: CustomerIndex, customers: NDArray[np.int64]) -> list[str | None]:
    """Code i of the index is customer i that was found."""
    return [index.ids[c] if c >= 0 else None for c in customers.tolist()]


def _utc(times: NDArray[np.datetime64]) -> list[datetime]:
    return [t.replace(tzinfo=UTC) for t in times.astype("datetime64[us]").tolist()]


def _channel(name: str) -> str:
    """Channel of the policy that a table of the brand means."""
    return "email" if name == "e-mail" else name


def _statements(brand: Brand, people: People, index: CustomerIndex) -> dict[str, Any]:
    """What was said about marketing, by customer; "never asked" is no statement."""
    told = brand.consents
    rows = np.flatnonzero((told["purpose"] == "marketing") & ~np.isnat(told["time"]))
    return {
        "person": _ids(index, customers_of(people, told["record_id"][rows])),
        "purpose": ["marketing"] * len(rows),
        "channel": [_channel(c) for c in told["channel"][rows].tolist()],
        "said": told["status"][rows].tolist(),
        "at": _utc(told["time"][rows]),
    }


def _sends(brand: Brand, people: People, index: CustomerIndex) -> dict[str, Any]:
    """Campaign messages of the past, by customer."""
    sent = brand.campaigns
    rows = np.flatnonzero(sent["group"] == "contacted")
    return {
        "customer": _ids(index, customers_of(people, sent["record_id"][rows])),
        "channel": [_channel(c) for c in sent["channel"][rows].tolist()],
        "time": _utc(sent["sent_at"][rows]),
    }


def _examples(
    planned: ContactPlan, policy: ContactPolicy, spoken: dict[str, Any], sent: dict[str, Any]
) -> list[tuple[str, ...]]:
    """For each verdict on the first message the customer with most doors closed, and a row for each of them."""
    message = planned.messages[0]
    rows: list[tuple[str, ...]] = []
    doors = np.array([bin(bits).count("1") for bits in planned.gate_bits[0].tolist()])
    for verdict in SHOWN:
        there = np.flatnonzero(planned.is_(verdict, message=message.id))
        if not len(there):
            continue
        contact = planned.audience[int(there[np.argmax(doors[there])])]
        statements = [Statement(*cells) for cells in _of(spoken, "person", contact.id)]
        history = [Send(at, channel) for _, channel, at in _of(sent, "customer", contact.id)]
        found = decide(contact, message, policy=policy, consents=ConsentLedger(statements), now=NOW, history=history)
        head = str(found).partition("\n")[0]
        for reason in found.reasons:
            opens = f"{reason.next_at:%a %H:%M, %d %b}" if reason.next_at else "not by waiting"
            rows.append((head, f"{reason.gate} on {reason.channel}", f"{reason.rule} ({reason.evidence})", opens))
            head = ""
        if head:
            rows.append((head, "", "every door is open", ""))
    return rows


def _of(table: dict[str, Any], key: str, value: str) -> list[tuple[Any, ...]]:
    rows = [i for i, cell in enumerate(table[key]) if cell == value]
    return [tuple(column[i] for column in table.values()) for i in rows]


def _against_a_no(brand: Brand, people: People, planned: ContactPlan) -> tuple[int, int]:
    """Messages that go to nobody who truly said yes on that channel, and all that go."""
    records = brand.truth.records
    person = dict(zip(records.record_id.tolist(), records.person.tolist(), strict=True))
    told = brand.consents
    latest: dict[tuple[int, str], str] = {}
    before = np.datetime64(NOW.replace(tzinfo=None), "us")
    rows = np.flatnonzero((told["purpose"] == "marketing") & (told["time"] <= before))
    for i in rows[np.argsort(told["time"][rows], kind="stable")].tolist():
        latest[person[told["record_id"][i]], _channel(str(told["channel"][i]))] = str(told["status"][i])
    behind: dict[int, set[int]] = {}
    for record, customer in zip(people.table.record_id.tolist(), people.labels.tolist(), strict=True):
        behind.setdefault(customer, set()).add(person[record.partition(":")[2]])
    first = planned.messages[0].id
    goes = np.flatnonzero(planned.is_("send", message=first) | planned.is_("defer", message=first))
    wrong = 0
    for customer in goes.tolist():
        channel = planned.audience.channels[planned.channel_code[0, customer]]
        said_ = [latest.get((p, channel)) for p in behind[customer]]
        wrong += "granted" not in said_
    return wrong, len(goes)


def _forum(brand: Brand, people: People) -> Part:
    """Health of the forum, beside what was planted."""
    posts, planted = brand.forum, brand.truth.planted
    staff = sorted(set(posts["author"][posts["staff"]].tolist()))
    index = CustomerIndex.of([f"c{i}" for i in range(len(people))])
    customers = _ids(index, customers_of(people, posts["author"]))
    author = [name if by_us else c for name, by_us, c in zip(posts["author"], posts["staff"], customers, strict=True)]
    able = np.concatenate([brand.sources[name]["record_id"] for name in ("members", "page_inbox", "line_oa")])
    members = [c for c in _ids(index, np.unique(customers_of(people, able))) if c is not None]
    frame = {"id": posts["post_id"], "author": author, "at": _utc(posts["time"]), "reply_to": posts["reply_to"]}
    now = TODAY.astype("datetime64[s]").item().replace(tzinfo=UTC)
    found = health(Community.from_frame(frame, members=members, staff=staff), now=now, within_hours=WITHIN)
    share, hours = planted.answered_share, planted.reply_hours
    median = -hours * np.log(1 - 0.5 / share) if share > 0.5 else np.inf
    answers = posts["kind"] == "answer"
    checks = [
        Check("questions answered in a day", found.answered, share * -np.expm1(-WITHIN / hours)),
        Check("median hours to the first answer", found.first_reply_hours, float(median), percent=False),
    ]
    rows = [
        ("members who ever wrote", said(found.participation)),
        (f"questions answered in {WITHIN:g} hours", said(found.answered)),
        ("median hours to the first answer", said(found.first_reply_hours, percent=False)),
        ("posts of the brand", f"{said(found.brand.share)}: {found.brand.role}"),
        ("pairs that answered each other back", written(found.reciprocity, percent=True)),
        ("posts of the busiest tenth of writers", written(found.concentration, percent=True)),
    ]
    blocks: list[Block] = [
        Heading("How is the forum doing?"),
        Text(
            f"{found.writers:,} people wrote {found.posts:,} posts in a year, {int(answers.sum()):,} of them answers. Questions that nobody has "
            f"answered yet count as waiting, not as missing, so the median is not flattered. Of the posts {said(found.brand.share)} are the brand's own, "
            f"which makes it the {found.brand.role} of this talk; above half it would be its controller."
        ),
        Table(("measure", "value"), rows, "Health of the forum."),
    ]  # fmt: skip
    if found.posts:
        caption, reading = (
            "Shares of the forum with their intervals.",
            "The brand's share decides whether it leads the talk or serves it.",
        )
        blocks.append(Figure(found.chart(), caption, reading))
    value, span = said(found.answered).split(" ", 1)
    return Part(blocks, KeyFigure("Answered in a day", value, f"{span}; the brand is {found.brand.role}"), checks)
