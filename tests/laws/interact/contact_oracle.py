"""Slow twins of consents and contact policies: lists read in order, minutes stepped through one by one."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from crmcore.calendars import CalendarCap, SlidingCap
from crmcore.idic.interact.consents import ConsentLedger, ConsentRules, Statement
from crmcore.idic.interact.contact import Cap, Contact, ContactPolicy, Message, Send

ZONES = (
    "Asia/Bangkok", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana",
    "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu",
)  # fmt: skip
AROUND = [  # clock changes, year's end, leap day
    datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 3, 8, 5, tzinfo=UTC),
]  # fmt: skip
CHANNELS = ("email", "line", "sms")
WORDS = ("requested", "granted", "confirmed", "withdrawn")
DAYS = 12


def random_statements(rng: random.Random, person: str, now: datetime) -> list[Statement]:
    made = []
    for _ in range(rng.randrange(6)):
        at = now - timedelta(hours=12 * rng.randrange(-2, 40))
        expires = at + timedelta(hours=12 * rng.randrange(1, 60)) if rng.random() < 0.4 else None
        made.append(
            Statement(
                person, rng.choice(("marketing", "*", "research")), rng.choice((*CHANNELS, "*")), rng.choice(WORDS), at,
                scope=rng.choice(("*", "*", "shop")), expires_at=expires,
                recorded_at=rng.choice((None, at + timedelta(days=rng.randrange(30)))),
            )
        )  # fmt: skip
    return made


def random_rules(rng: random.Random) -> ConsentRules:
    return ConsentRules(
        double_opt_in=rng.choice(((), ("marketing",), ("*",))),
        valid_days=rng.choice(({}, {"marketing": 5}, {"*": 10})),
        confirm_within_days=rng.choice((None, 2)),
    )


def standing(
    statements: list[Statement],
    rules: ConsentRules,
    question: tuple[str, str, str],
    at: datetime,
    known: datetime | None,
) -> str:
    """Read statements one by one."""
    purpose, channel, scope = question
    mine = [
        s
        for s in statements
        if s.at <= at
        and s.purpose in (purpose, "*")
        and s.channel in (channel, "*")
        and s.scope in (scope, "*")
        and (known is None or (s.recorded_at or s.at) <= known)
    ]
    far = datetime(9000, 1, 1, tzinfo=UTC)
    mine.sort(key=lambda s: (s.at, WORDS.index(s.said), -((s.expires_at or far).timestamp())))
    now, until, asked = "never asked", far, None
    double = purpose in rules.double_opt_in or "*" in rules.double_opt_in
    days = rules.valid_days.get(purpose, rules.valid_days.get("*"))
    for s in mine:
        valid = now == "allowed" and until > s.at
        said = "requested" if s.said == "granted" and double else str(s.said)
        if said == "withdrawn":
            now, asked = "withdrawn", None
        elif said == "requested":
            if not valid:
                now, asked = "waits for confirmation", s.at
        else:
            too_late = (
                asked is not None
                and rules.confirm_within_days is not None
                and s.at - asked > timedelta(days=rules.confirm_within_days)
            )
            if said == "confirmed" and (now == "withdrawn" or too_late):
                continue
            now, asked = "allowed", None
            until = s.expires_at or (far if days is None else s.at + timedelta(days=days))
    return "expired" if now == "allowed" and until <= at else now


def random_policy(rng: random.Random) -> ContactPolicy:
    def clock() -> str:
        return f"{rng.randrange(24):02d}:{rng.choice((0, 0, 15, 30)):02d}"

    caps = []
    for _ in range(rng.choice((0, 1, 2, 3))):
        limit = (
            SlidingCap(rng.choice((0.5, 24, 36, 72, 168)), rng.choice((0, 1, 1, 2, 3)) if rng.random() < 0.3 else 2)
            if rng.random() < 0.5
            else CalendarCap(rng.choice(("day", "week", "month")), rng.choice((1, 1, 2, 3)))
        )
        caps.append(
            Cap(
                limit, channels=rng.choice(((), (), ("email",), ("line", "sms"))), keep_free=rng.choice((0, 0, 1)),
                kinds=rng.choice((("promotional",), ("promotional", "transactional"))),
            )
        )  # fmt: skip
    return ContactPolicy(
        rng.choice(ZONES),
        quiet_hours=rng.choice((None, (clock(), clock()))),
        quiet_by_channel=rng.choice(({}, {"sms": (clock(), clock())}, {"email": None})),
        weekdays=rng.choice((None, None, [1, 2, 3, 4, 5], [6], [2, 4], [])) if rng.random() < 0.9 else [],
        holidays=rng.choice(({}, {"": [date(2026, 3, 30)], "TH": [date(2026, 10, 26), date(2026, 10, 27)]})),
        caps=caps,
        no_zone=rng.choice(("refuse", "assume the policy's")),
        fallback=rng.choice(("when refused", "soonest")),
    )


def random_contact(rng: random.Random, name: str) -> Contact:
    channels = rng.sample(CHANNELS, rng.randrange(4))
    return Contact(
        name, channels, zone=rng.choice((None, *ZONES)), prefers=rng.sample(CHANNELS, rng.randrange(3)),
        blocked=rng.sample(CHANNELS, rng.choice((0, 0, 1))), region=rng.choice(("", "TH")),
    )  # fmt: skip


def random_message(rng: random.Random, now: datetime, name: str = "m") -> Message:
    return Message(
        name, rng.choice(("marketing", "research")), channels=rng.choice(((), (), ("email",), ("sms", "line"))),
        kind=rng.choice(("promotional", "promotional", "transactional", "critical")), priority=rng.randrange(2),
        scope=rng.choice(("*", "shop")),
        not_before=rng.choice((None, None, now + timedelta(hours=7, minutes=20, seconds=5), now - timedelta(days=1))),
        expires_at=rng.choice((None, None, now + timedelta(hours=30), now + timedelta(days=4))),
    )  # fmt: skip


def random_history(rng: random.Random, now: datetime) -> list[Send]:
    return [
        Send(now - timedelta(minutes=rng.randrange(-300, 14_400)), rng.choice(CHANNELS),
             rng.choice(("promotional", "promotional", "transactional")))
        for _ in range(rng.randrange(6))
    ]  # fmt: skip


GATES = {
    "promotional": ("consent", "quiet hours", "weekday", "holiday", "cap"),
    "transactional": ("quiet hours",),
    "critical": (),
}


def _in_quiet(hours: tuple[str, str], wall: datetime) -> bool:
    start, end = (int(t[:2]) * 60 + int(t[3:]) for t in hours)
    minute = wall.hour * 60 + wall.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def closed(
    policy: ContactPolicy, contact: Contact, message: Message, channel: str, history: list[Send], at: datetime
) -> set[str]:
    """Gates of clock and caps that are closed at one instant."""
    zone = ZoneInfo(contact.zone or policy.zone)
    wall, gates, found = at.astimezone(zone), GATES[message.kind], set()
    hours = policy.quiet_by_channel.get(channel, policy.quiet_hours)
    if "quiet hours" in gates and hours and _in_quiet(hours, wall):
        found.add("quiet hours")
    days = (
        None
        if policy.weekdays is None
        else [("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(d) for d in policy.weekdays]
    )
    if "weekday" in gates and days is not None and wall.weekday() not in days:
        found.add("weekday")
    off = {*policy.holidays.get("", ()), *policy.holidays.get(contact.region, ())}
    if "holiday" in gates and wall.date() in off:
        found.add("holiday")
    for cap in policy.caps if "cap" in gates else ():
        if message.kind not in cap.kinds or (cap.channels and channel not in cap.channels):
            continue
        sends = [s.at for s in history if s.kind in cap.kinds and (not cap.channels or s.channel in cap.channels)]
        sends = [s for s in sends if s <= at]
        if isinstance(cap.limit, SlidingCap):
            n = sum(at - timedelta(hours=cap.limit.hours) < s for s in sends)
        else:
            n = sum(_period(s.astimezone(zone), cap.limit.period) == _period(wall, cap.limit.period) for s in sends)
        kept = cap.keep_free if message.priority < cap.for_priority else 0
        if n >= max(cap.limit.max_sends - kept, 0):
            found.add("cap")
    return found


def _period(wall: datetime, period: str) -> tuple[int, ...]:
    if period == "day":
        return (wall.toordinal(),)
    return tuple(wall.isocalendar()[:2]) if period == "week" else (wall.year, wall.month)


def needs_zone(policy: ContactPolicy, contact: Contact, message: Message, channel: str) -> bool:
    gates = GATES[message.kind]
    hours = policy.quiet_by_channel.get(channel, policy.quiet_hours)
    rules = [
        "quiet hours" in gates and hours is not None,
        "weekday" in gates and policy.weekdays is not None and len(policy.weekdays) < 7,
        "holiday" in gates and bool({*policy.holidays.get("", ()), *policy.holidays.get(contact.region, ())}),
        "cap" in gates
        and any(
            isinstance(c.limit, CalendarCap) and message.kind in c.kinds and (not c.channels or channel in c.channels)
            for c in policy.caps
        ),
    ]
    return any(rules)


def never(policy: ContactPolicy, message: Message, channel: str) -> bool:
    """Whether no instant can ever pass."""
    gates = GATES[message.kind]
    if "weekday" in gates and policy.weekdays == ():
        return True
    return "cap" in gates and any(
        c.limit.max_sends <= (c.keep_free if message.priority < c.for_priority else 0)
        for c in policy.caps
        if message.kind in c.kinds and (not c.channels or channel in c.channels)
    )


def try_channel(
    policy: ContactPolicy, contact: Contact, message: Message, channel: str, statements: list[Statement],
    rules: ConsentRules, history: list[Send], now: datetime,
) -> tuple[datetime | None, set[str], bool]:  # fmt: skip
    """Instant, closed gates, and whether stepping gave up before it found one."""
    why: set[str] = set()
    question = (message.purpose, channel, message.scope)
    consent = "consent" in GATES[message.kind]
    if channel not in contact.channels or channel in contact.blocked:
        why.add("channel")
    if consent and standing(statements, rules, question, now, None) != "allowed":
        why.add("consent")
    if message.expires_at is not None and message.expires_at <= now:
        why.add("expiry")
    if contact.zone is None and policy.no_zone == "refuse" and needs_zone(policy, contact, message, channel):
        return None, why | {"no zone"}, False
    refused = bool(why)
    start = now
    if message.not_before is not None and message.not_before > now:
        start = message.not_before
        why.add("not yet")
    why |= closed(policy, contact, message, channel, history, start)
    if refused:
        return None, why, False
    if never(policy, message, channel):
        return None, why, False
    at = start
    known = [s for s in statements if s.at <= now]
    for _ in range(DAYS * 1440):
        if message.expires_at is not None and at >= message.expires_at:
            return None, why | {"expiry"}, False
        if not closed(policy, contact, message, channel, history, at):
            if consent and standing(known, rules, question, at, None) != "allowed":
                return None, why | {"consent"}, False
            return at, why, False
        at += timedelta(minutes=1)
    return None, why, True


def decide(
    policy: ContactPolicy, contact: Contact, message: Message, statements: list[Statement], rules: ConsentRules,
    history: list[Send], now: datetime,
) -> tuple[str, str | None, datetime | None, set[str]] | None:  # fmt: skip
    """Verdict, channel, instant and gates; None where stepping gave up."""
    own = list(dict.fromkeys((*contact.prefers, *contact.channels)))
    order = own
    if message.channels:
        order = list(dict.fromkeys([*(c for c in own if c in message.channels), *message.channels]))
    best: tuple[datetime, str] | None = None
    gates: set[str] = set()
    for channel in order:
        at, why, gave_up = try_channel(policy, contact, message, channel, statements, rules, history, now)
        if gave_up:
            return None
        gates |= why
        if at is not None and (best is None or at < best[0]):
            best = (at, channel)
        if best is not None and (policy.fallback == "when refused" or best[0] == now):
            break
    if best is None:
        return "refuse", None, None, gates or {"channel"}
    return ("send" if best[0] == now else "defer"), best[1], best[0], gates


def case(seed: int) -> tuple[random.Random, datetime]:
    rng = random.Random(seed)
    return rng, rng.choice(AROUND) + timedelta(minutes=rng.randrange(-2880, 2880))


def ledger_of(statements: list[Statement], rules: ConsentRules) -> ConsentLedger:
    return ConsentLedger(statements, rules=rules)
