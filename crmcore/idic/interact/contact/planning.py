"""Plans: what becomes of one or several messages for a whole audience, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import listed
from crmcore.calendars.contact_columns import CapColumn
from crmcore.choice import HoldOut, hold_out
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, WrongType
from crmcore.idic.interact.consents.ledger import ConsentLedger
from crmcore.idic.interact.consents.statements import NEVER_US
from crmcore.idic.interact.consents.table import ConsentColumn, ConsentTable
from crmcore.idic.interact.contact.audiences import Audience, SendTable
from crmcore.idic.interact.contact.deciding import Verdict
from crmcore.idic.interact.contact.gates_columns import Clocks, GateColumns, bit
from crmcore.idic.interact.contact.messages import Message
from crmcore.idic.interact.contact.policy import ContactPolicy, Fallback, Gate
from crmcore.rules import FactTable, Rule
from crmcore.zones import NAT, to_us

if TYPE_CHECKING:
    from crmcore.idic.interact.contact.plans import ContactPlan

__all__ = ["plan"]

Micros = NDArray[np.int64]
VERDICTS = tuple(Verdict)
_CODE = {verdict: i for i, verdict in enumerate(VERDICTS)}


def plan(
    audience: Audience,
    messages: Message | Iterable[Message],
    *,
    policy: ContactPolicy,
    consents: ConsentTable | ConsentLedger,
    now: datetime,
    history: SendTable | None = None,
    to: Rule | ArrayLike | None = None,
    facts: FactTable | None = None,
    hold_out: HoldOut | None = None,
) -> ContactPlan:
    """Decide about everybody at once: for one message the answers of `decide`, contact by contact.

    Several messages are taken by priority, then by id. Each counts what those before it send, also what they send
    later: a message of lower priority never takes the slot that one of higher priority waits for.

    Parameters
    ----------
    audience : Audience
    messages : one or several
    policy : ContactPolicy
    consents : ConsentTable or ConsentLedger
        Of any population: customers are found by id.
    now : aware datetime
    history : SendTable, optional
        Earlier sends; None is none.
    to : Rule or (n,) truths, optional
        Who is addressed: a rule over `facts` (unknown is no), or one truth a contact.
    facts : FactTable, optional
        Of the same customers.
    hold_out : HoldOut, optional

    Raises
    ------
    UnknownName, DuplicateIds, EmptyInput, OutOfRange
        Unknown channels, repeated or no messages, columns of another population.

    Examples
    --------
    >>> from datetime import UTC
    >>> audience = Audience.from_frame({"customer": ["a", "b", "c"], "channels": ["email"] * 3})
    >>> consents = ConsentTable.from_frame({
    ...     "person": ["a", "b"], "purpose": ["marketing"] * 2, "channel": ["email"] * 2, "said": ["granted"] * 2,
    ...     "at": ["2026-01-05T10:00Z"] * 2})
    >>> print(plan(audience, Message("news"), policy=ContactPolicy("UTC"), consents=consents, to=[True, False, True],
    ...            now=datetime(2026, 6, 2, tzinfo=UTC)))
    3 contacts, 1 message
    news: 1 send, 0 defer, 1 refuse, 0 held out, 1 not addressed
      closed gates: 1 consent
    """
    from crmcore.idic.interact.contact.plans import ContactPlan

    listed_ = _messages(messages, policy)
    for name in audience.channels:
        if name not in policy.channels:
            policy.check_channel(name)
    held = None if hold_out is None else _held(audience, hold_out)
    addressed = _addressed(audience, to, facts, now)
    past = None if history is None else _aligned(history, audience)
    us = to_us(now, "now")
    gates = GateColumns(policy, audience, Clocks.of(audience, policy), past, us)
    asked = _Consents(consents, audience, now)
    columns = [_one(message, gates, asked, addressed, held) for message in listed_]
    shape = (len(listed_), len(audience))
    verdict, channel, at, bits = (np.array(column).reshape(shape) for column in zip(*columns, strict=True))
    return ContactPlan(audience, listed_, now, verdict, channel, at.view("datetime64[us]"), bits, hold_out)


def _messages(messages: Message | Iterable[Message], policy: ContactPolicy) -> tuple[Message, ...]:
    given = [messages] if isinstance(messages, Message) else messages
    found = listed(given, "messages", Message, what="messages", hint="Message('sale')")
    if not found:
        raise EmptyInput("messages", "pass Message('sale'), or several")
    ids = [message.id for message in found]
    again = tuple(i for i, name in enumerate(ids) if name in ids[:i])
    if again:
        raise DuplicateIds("messages", len(again), again, "give each message its own id")
    for message in found:
        policy.check(message)
    return tuple(sorted(found, key=lambda m: (-m.priority, m.id)))


def _held(audience: Audience, group: HoldOut) -> NDArray[np.bool_]:
    return hold_out(audience.customers.ids, group)


def _addressed(
    audience: Audience, to: Rule | ArrayLike | None, facts: FactTable | None, now: datetime
) -> NDArray[np.bool_]:
    n = len(audience)
    if to is None:
        return np.ones(n, np.bool_)
    if isinstance(to, Rule):
        if facts is None:
            raise EmptyInput("facts", "a rule asks for facts: pass facts=FactTable.from_frame(frame)")
        truths = to.mask(facts, now=now).true
        if facts.customers.ids == audience.customers.ids:
            return np.asarray(truths, np.bool_)
        return np.asarray(np.append(truths, False)[facts.customers.codes(audience.customers.ids)], np.bool_)
    column = np.asarray(to)
    if column.shape != (n,):
        raise OutOfRange("to", f"shape {column.shape}", f"({n},), one truth a contact", "order it as the audience")
    if column.dtype.kind != "b":
        raise WrongType(
            "to", f"a column of {column.dtype}", "truths or a Rule", "Rule('fans', field('likes') == 'tea')"
        )
    return column


def _aligned(history: SendTable, audience: Audience) -> SendTable:
    if history.customers is audience.customers or history.customers.ids == audience.customers.ids:
        return history
    codes = audience.customers.codes(history.customers.ids)
    owner = np.repeat(codes, np.diff(history.offsets))
    return SendTable.of_codes(
        audience.customers, owner, history.us.view("datetime64[us]"), channel=history.channel, kind=history.kind
    )


@attrs.define(eq=False)
class _Consents:
    """Where the audience stands, asked once for each purpose, channel and scope."""

    given: ConsentTable | ConsentLedger
    audience: Audience
    now: datetime
    asked: dict[tuple[str, str, str], tuple[NDArray[np.bool_], Micros]] = attrs.field(factory=dict)

    def of(self, message: Message, channel: str) -> tuple[NDArray[np.bool_], Micros]:
        """Whether each contact said yes, and until when."""
        key = (message.purpose, channel, message.scope)
        if key not in self.asked:
            found = self._ask(message, channel)
            until = found.until.astype(np.int64)
            self.asked[key] = found.allowed, np.where(until == NAT, NEVER_US, until)
        return self.asked[key]

    def _ask(self, message: Message, channel: str) -> ConsentColumn:
        given: object = self.given
        index = self.audience.customers
        if isinstance(given, ConsentLedger):
            given = self.given = ConsentTable.of(given, customers=index)
        if not isinstance(given, ConsentTable):
            hint = "ConsentTable.from_frame(frame); silence is no yes"
            raise WrongType("consents", f"a {type(given).__name__}", "a ConsentTable or a ConsentLedger", hint)
        found = given.ask(message.purpose, channel, at=self.now, scope=message.scope)
        if given.customers is index or given.customers.ids == index.ids:
            return found
        codes = given.customers.codes(index.ids)
        never = np.int8(len(found.counts()) - 1)
        standing = np.append(found.standing_code, never)[codes]
        return ConsentColumn(standing, np.append(found.until, np.datetime64("NaT"))[codes], index)


Columns = tuple[NDArray[np.int8], NDArray[np.int8], Micros, NDArray[np.int32]]


def _one(
    message: Message,
    gates: GateColumns,
    consents: _Consents,
    addressed: NDArray[np.bool_],
    held: NDArray[np.bool_] | None,
) -> Columns:
    """Verdict, channel, instant and closed gates of one message for everybody."""
    audience, n = gates.audience, len(gates.audience)
    ready, chosen, bits = np.full(n, NAT), np.full(n, -1, np.int8), np.zeros(n, np.int32)
    names = audience.channels if not message.channels else tuple(dict.fromkeys((*audience.channels, *message.channels)))
    order = _tries(audience, message, names)
    caps = {name: gates.caps(message, name) for name in names}
    soonest = gates.policy.fallback is Fallback.SOONEST
    for rank in range(order.shape[1]):
        settled = ready == gates.now if soonest else ready != NAT
        trying = addressed & ~settled & (order[:, rank] >= 0)
        for c in np.unique(order[trying, rank]).tolist():
            rows = np.flatnonzero(trying & (order[:, rank] == c))
            found, closed = _on(message, names[c], gates, consents, caps[names[c]], rows)
            bits[rows] |= closed
            better = (found != NAT) & ((ready[rows] == NAT) | (found < ready[rows]))
            ready[rows[better]], chosen[rows[better]] = found[better], c
    bits[addressed & (ready == NAT) & (bits == 0)] |= bit(Gate.CHANNEL)
    goes = ready != NAT
    verdict = np.where(
        goes, np.where(ready == gates.now, _CODE[Verdict.SEND], _CODE[Verdict.DEFER]), _CODE[Verdict.REFUSE]
    )
    verdict[~addressed] = _CODE[Verdict.NOT_ADDRESSED]
    if held is not None:
        verdict[held & goes] = _CODE[Verdict.HELD_OUT]
        goes &= ~held
    for c in np.unique(chosen[goes]).tolist():
        rows = np.flatnonzero(goes & (chosen == c))
        gates.plan(rows, ready[rows], names[c], message.kind)
    place = np.array([audience.channels.index(x) if x in audience.channels else -1 for x in names] + [-1], np.int8)
    return verdict.astype(np.int8), place[chosen], ready, bits


def _tries(audience: Audience, message: Message, names: tuple[str, ...]) -> NDArray[np.int8]:
    """(n, k) channels in the order in which each contact's are tried."""
    if not message.channels:
        return audience.order
    allowed = np.array([name in message.channels for name in names] + [False])
    own = np.where(allowed[audience.order], audience.order, -1).astype(np.int8)
    columns = [own]
    for name in message.channels:
        c = names.index(name)
        columns.append(np.where((own == c).any(axis=1), -1, c).astype(np.int8)[:, None])
    return np.concatenate(columns, axis=1)


def _on(
    message: Message,
    channel: str,
    gates: GateColumns,
    consents: _Consents,
    caps: tuple[CapColumn, ...],
    rows: NDArray[np.intp],
) -> tuple[Micros, NDArray[np.int32]]:
    """First instant at which rows may be written to on a channel (NaT: never), and the gates that are closed."""
    policy, audience, now = gates.policy, gates.audience, gates.now
    bits = np.zeros(len(rows), np.int32)
    has = channel in audience.channels
    reached = audience.reach[rows, audience.channels.index(channel)] if has else np.zeros(len(rows), np.bool_)
    bits[~reached] |= bit(Gate.CHANNEL)
    needs, until = Gate.CONSENT in policy.gates[message.kind], np.full(len(rows), NEVER_US)
    if needs:
        yes, until = (column[rows] for column in consents.of(message, channel))
        bits[~yes] |= bit(Gate.CONSENT)
    begins, ends = message.span
    if ends <= now:
        bits |= bit(Gate.EXPIRY)
    nowhere = gates.without_zone(message, channel, rows)
    bits[nowhere] |= bit(Gate.NO_ZONE)
    refused = bits > 0
    start = np.full(len(rows), max(now, begins))
    waits = np.full(len(rows), bit(Gate.NOT_YET) if begins > now else 0, np.int32)
    waits |= gates.closed(message, channel, rows, start)
    waits[gates.full(caps, rows, start)] |= bit(Gate.CAP)
    bits |= np.where(nowhere, 0, waits)
    ready = np.where(refused, NAT, start)
    walks = np.flatnonzero(~refused & (waits & ~bit(Gate.NOT_YET) > 0))
    if len(walks):
        ready[walks] = gates.open_from(message, channel, caps, rows[walks], start[walks])
    late = (ready != NAT) & (ready >= ends)
    bits[late] |= bit(Gate.EXPIRY)
    ready[late] = NAT
    if needs:
        lapsed = (ready != NAT) & (until <= ready)
        bits[lapsed] |= bit(Gate.CONSENT)
        ready[lapsed] = NAT
    return ready, bits
