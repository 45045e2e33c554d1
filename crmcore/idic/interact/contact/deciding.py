"""One decision: send now, wait until an exact instant, or not at all, with every reason."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore._base import html_table, mask
from crmcore._frames import write_frame
from crmcore.calendars.contact_walk import Plan, blocked_until, cap_block, evidence_of, in_quiet, next_us
from crmcore.documents import Document
from crmcore.errors import WrongType
from crmcore.idic.interact.consents.answers import Standing, State, standing_at
from crmcore.idic.interact.consents.ledger import ConsentLedger, check_ledger
from crmcore.idic.interact.contact.messages import Contact, Message, Send
from crmcore.idic.interact.contact.policy import Cap, ContactPolicy, Fallback, Gate, NoZone, Passage
from crmcore.zones import DAY, MINUTE, from_us, stretch_at, to_us

__all__ = ["Decision", "Reason", "Verdict", "decide"]


class Verdict(enum.StrEnum):
    """What becomes of a message to a contact."""

    SEND = "send"
    DEFER = "defer"
    REFUSE = "refuse"
    HELD_OUT = "held out"  # would have been sent: the comparison group of a plan
    NOT_ADDRESSED = "not addressed"  # a plan that is for others


@attrs.frozen(kw_only=True)
class Reason(Document):
    """One gate that did not let a message pass.

    Attributes
    ----------
    gate : Gate
    channel : text, on which it was tried; "" where there is none
    rule : text, the rule in words
    evidence : text, what the rule was held against: which sends, which statement
    next_at : aware datetime, when this gate alone lets the message pass; None where waiting does not help
    """

    gate: Gate
    channel: str
    rule: str
    evidence: str
    next_at: datetime | None

    def __str__(self) -> str:
        on = f" on {self.channel}" if self.channel else ""
        shown = f" ({self.evidence})" if self.evidence else ""
        until = f"; passes at {self.next_at:%a %Y-%m-%d %H:%M}" if self.next_at else ""
        return f"{self.gate}{on}: {self.rule}{shown}{until}"


@attrs.frozen(kw_only=True)
class Decision(Document):
    """What becomes of one message to one contact.

    Attributes
    ----------
    verdict : Verdict
    channel : text, on which it goes; None where it is refused
    at : aware datetime, when it goes: now, or later on the contact's clock; None where it is refused
    reasons : every gate that did not let it pass, of all channels that were tried
    zone : IANA name, the clock that was read
    """

    contact: str = attrs.field(repr=mask)
    message: str
    now: datetime
    verdict: Verdict
    channel: str | None
    at: datetime | None
    reasons: tuple[Reason, ...]
    zone: str | None

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Gates that did not let it pass, each once, in the order of `Gate`."""
        found = {reason.gate for reason in self.reasons}
        return tuple(gate for gate in Gate if gate in found)

    def __str__(self) -> str:
        head = str(self.verdict)
        if self.at is not None:
            until = f" at {self.at:%a %Y-%m-%d %H:%M} ({self.zone})" if self.verdict is Verdict.DEFER else ""
            head = f"{head} on {self.channel}{until}"
        return "\n".join([head, *(f"  {reason}" for reason in self.reasons)])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {n: getattr(reason, n) or None for n in ("gate", "channel", "rule", "evidence", "next_at")}
            for reason in self.reasons
        ]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a reason: gate, channel, rule, evidence, next_at."""
        names = ("gate", "channel", "rule", "evidence", "next_at")
        return write_frame({name: [row[name] for row in self._rows()] for name in names}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition("\n")[0])


def decide(
    contact: Contact,
    message: Message,
    *,
    policy: ContactPolicy,
    consents: ConsentLedger,
    now: datetime,
    history: Iterable[Send] = (),
) -> Decision:
    """Decide whether, when and on which channel one message goes to one contact.

    The channels are tried in the contact's order of preference. A channel that refuses (no address, blocked, no
    consent, past the expiry) is left for the next one; a wait is waited for, unless the policy's fallback is "soonest".

    Parameters
    ----------
    contact, message, policy
        Plain values.
    consents : ConsentLedger
        Silence is no yes: an empty ledger refuses what needs consent.
    now : aware datetime
    history : sends
        Earlier ones in any order; later ones than an instant do not count at it.

    Returns
    -------
    Decision
        The instant is the first at now + k whole minutes at which all gates are open, if nothing else is sent until
        then; exact also over clock changes. A yes that ends before that instant refuses.

    Raises
    ------
    UnknownName
        The message names a channel that the policy does not know.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from crmcore.idic.interact.consents import ConsentLedger, Statement
    >>> zone = "Asia/Bangkok"
    >>> asked = local(2026, 1, 5, zone=zone)
    >>> yes = [Statement("c7", "marketing", name, "granted", asked) for name in ("line", "email")]
    >>> ann = Contact("c7", ["line", "email"], zone=zone, blocked={"line": "blocked by the user"})
    >>> policy = ContactPolicy(zone, quiet_hours=("21:00", "08:00"))
    >>> print(decide(ann, Message("sale"), policy=policy, consents=ConsentLedger(yes),
    ...              now=local(2026, 6, 2, 22, 15, zone=zone)))
    defer on email at Wed 2026-06-03 08:00 (Asia/Bangkok)
      channel on line: the contact cannot be reached there (blocked by the user)
      quiet hours on line: 21:00 to 08:00 (22:15 Asia/Bangkok); passes at Wed 2026-06-03 08:00
      quiet hours on email: 21:00 to 08:00 (22:15 Asia/Bangkok); passes at Wed 2026-06-03 08:00
    """
    if message.channels:
        policy.check(message)
    check_ledger(consents)
    us = to_us(now, "now")
    sends = list(history)
    if odd := set(map(type, sends)) - {Send}:
        raise WrongType("history", f"a list with a {odd.pop().__name__}", "sends", "Send(at, channel)")
    zone = contact.zone or policy.zone
    reasons: list[Reason] = []
    trial = _Trial(contact, message, policy, consents, us, sends, zone, reasons, {})
    ready: int | None = None
    channel: str | None = None
    for name in channels_of(contact, message) if message.channels else contact.order:
        found = trial.on(name)
        if found is not None and (ready is None or found < ready):
            ready, channel = found, name
        if ready == us or (ready is not None and policy.fallback is Fallback.WHEN_REFUSED):
            break
    if ready is None and not reasons:
        rule = "the contact has no channel" if not message.channels else "no channel of the message"
        reasons.append(Reason(gate=Gate.CHANNEL, channel="", rule=rule, evidence="", next_at=None))
    verdict = Verdict.REFUSE if ready is None else Verdict.SEND if ready == us else Verdict.DEFER
    return Decision(
        contact=contact.id,
        message=message.id,
        now=now,
        verdict=verdict,
        channel=channel,
        at=None if ready is None else now if ready == us else trial.at(ready),
        reasons=tuple(reasons),
        zone=zone if contact.zone or policy.no_zone is NoZone.ASSUME else None,
    )


def channels_of(contact: Contact, message: Message) -> tuple[str, ...]:
    """Channels in the order in which they are tried."""
    preferred = [name for name in contact.order if name in message.channels]
    return tuple(dict.fromkeys((*preferred, *message.channels)))


@attrs.define
class _Trial:
    """One message to one contact, channel by channel; reasons are collected."""

    contact: Contact
    message: Message
    policy: ContactPolicy
    consents: ConsentLedger
    now: int
    sends: list[Send]
    zone: str
    reasons: list[Reason]
    shown: dict[int, datetime]

    def on(self, channel: str) -> int | None:
        """First instant at which the message may go on a channel, None where it may not."""
        message, contact = self.message, self.contact
        passage = self.policy.passage(message.kind, message.priority, channel, contact.region)
        refused = channel in contact.blocked or channel not in contact.channels
        if refused:
            self._unreachable(channel)
        state: State | None = None
        if passage.consent:
            state = self.consents.state(contact.id, message.purpose, channel, self.now, scope=message.scope)
            if state.standing is not Standing.ALLOWED or state.until <= self.now:
                refused = True
                self._consent(channel, "needs a yes")
        begins, ends = message.span
        if ends <= self.now:
            refused = True
            self._add(Gate.EXPIRY, channel, "the message has expired", self._clock(ends), None)
        if passage.needs_zone and contact.zone is None and self.policy.no_zone is NoZone.REFUSE:
            self._add(Gate.NO_ZONE, channel, "the contact's zone must be known", "", None)
            return None
        start = self.now
        if begins > start:
            start = begins
            self._add(Gate.NOT_YET, channel, "not before", self._clock(begins), begins)
        sends = [
            sorted([s.us for s in self.sends if s.kind in kinds and (not over or s.channel in over)])
            for over, kinds in passage.counted
        ]
        ready = start
        if self._blocked(passage, start, sends):
            joint = None if passage.never else _walk(passage, start, sends, self.zone)
            self._waits(channel, passage, start, sends)
            if joint is None:
                return None
            ready = joint
        if refused:
            return None
        if ready >= ends:
            self._add(
                Gate.EXPIRY, channel, f"it could go at {self._clock(ready)} only", f"expires {self._clock(ends)}", None
            )
            return None
        if ready > self.now and state is not None and standing_at(state, ready) is not Standing.ALLOWED:
            self._consent(channel, f"the yes ends before {self._clock(ready)}")
            return None
        return ready

    def _blocked(self, passage: Passage, us: int, sends: list[list[int]]) -> bool:
        stretch = stretch_at(self.zone, us)
        day, clock = divmod(us + stretch[2], DAY)
        plan = passage.clock
        if plan.quiet is not None and in_quiet(plan.quiet, clock):
            return True
        if (plan.ahead and plan.ahead[(day + 3) % 7]) or (plan.closed and day in plan.closed):
            return True
        for _, (length, period, most), counts in passage.caps:
            own = sends[counts]
            if len(own) < most:
                continue
            if most and own[-most] + length <= us and period is None:  # what most calls come to, without a search
                continue
            if cap_block(length, period, most, us, own, self.zone, stretch) is not None:
                return True
        return False

    def _waits(self, channel: str, passage: Passage, us: int, sends: list[list[int]]) -> None:
        """Reasons of the gates that open again, each with its own instant."""
        stretch = stretch_at(self.zone, us)
        day, clock = divmod(us + stretch[2], DAY)
        for gate, plan, rule in passage.clock_gates:
            if gate is Gate.QUIET_HOURS:
                closed = plan.quiet is not None and in_quiet(plan.quiet, clock)
            else:
                closed = bool(plan.ahead[(day + 3) % 7]) if gate is Gate.WEEKDAY else day in plan.closed
            if closed:
                stuck = passage.never and blocked_for_ever(plan)
                until = None if stuck else next_us(plan, us, [], self.zone)
                self._add(gate, channel, rule, self._wall(gate, us, clock), until)
        for cap, numbers, counts in passage.caps:
            if cap_block(*numbers, us, sends[counts], self.zone, stretch) is not None:
                self._cap(channel, cap, numbers, us, sends[counts], day)

    def _cap(self, channel: str, cap: Cap, numbers: Any, us: int, own: list[int], day: int) -> None:
        length, period, most = numbers
        held = [s for s in own if s <= us]
        found = evidence_of(held, length, period, us, day, self.zone) if most else []
        told = f"sent {', '.join(map(self._clock, found[-5:]))}" if found else "it has no room"
        until = next_us(Plan(None, (), (numbers,)), us, own, self.zone) if most else None
        self._add(Gate.CAP, channel, str(cap), told, until)

    def _unreachable(self, channel: str) -> None:
        why = self.contact.blocked.get(channel)
        rule = "the contact has no address there" if why is None else "the contact cannot be reached there"
        self._add(Gate.CHANNEL, channel, rule, why or "", None)

    def _consent(self, channel: str, rule: str) -> None:
        message = self.message
        answer = self.consents.ask(
            self.contact.id, message.purpose, channel, at=from_us(self.now, "UTC"), scope=message.scope
        )
        self._add(Gate.CONSENT, channel, f"{message.purpose} {rule}", f"{answer.standing}: {answer.why}", None)

    def _add(self, gate: Gate, channel: str, rule: str, evidence: str, until: int | None) -> None:
        at = None if until is None else self.at(until)
        self.reasons.append(Reason(gate=gate, channel=channel, rule=rule, evidence=evidence, next_at=at))

    def _wall(self, gate: Gate, us: int, clock: int) -> str:
        if gate is Gate.QUIET_HOURS:
            hour, minute = divmod(clock // MINUTE, 60)
            return f"{hour:02d}:{minute:02d} {self.zone}"
        wall = from_us(us, self.zone)
        return f"{wall:%A}" if gate is Gate.WEEKDAY else f"{wall:%Y-%m-%d}"

    def at(self, us: int) -> datetime:
        """Instant on the contact's clock; reasons of one wait often share it."""
        found = self.shown.get(us)
        if found is None:
            found = self.shown[us] = from_us(us, self.zone)
        return found

    def _clock(self, us: int) -> str:
        return f"{from_us(us, self.zone):%Y-%m-%d %H:%M}"


def blocked_for_ever(plan: Any) -> bool:
    """Whether quiet hours cover the whole day, or no weekday is allowed."""
    return (plan.quiet is not None and plan.quiet[1] - plan.quiet[0] >= DAY) or bool(plan.ahead and min(plan.ahead) > 0)


def _walk(passage: Passage, at: int, sends: list[list[int]], zone: str) -> int:
    """First at + k minutes at which the clock and every cap, each with its own sends, are open."""
    us = at
    while True:
        stretch = stretch_at(zone, us)
        until = blocked_until(passage.clock, us, [], zone, stretch=stretch)
        for _, numbers, counts in passage.caps:
            block = cap_block(*numbers, us, sends[counts], zone, stretch)
            if block is not None and block[1] > until:
                until = block[1]
        if until <= us:
            return us
        us = at + -(-(until - at) // MINUTE) * MINUTE
