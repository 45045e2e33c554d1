"""What a plan says: counts by verdict and by reason, rows, a picture, and the lift over who was held out."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, mask, named
from crmcore._frames import Coded, write_frame
from crmcore.documents import to_dict
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.interact.contact.audiences import Audience, SendTable
from crmcore.idic.interact.contact.deciding import Verdict
from crmcore.idic.interact.contact.messages import Message
from crmcore.idic.interact.contact.policy import Gate
from crmcore.metrics.comparing import Comparison, compare
from crmcore.metrics.proportions import Counts
from crmcore.values.words import word
from crmcore.zones import DAY, to_us

if TYPE_CHECKING:
    from crmcore.charts import Chart
    from crmcore.choice import HoldOut
    from crmcore.tables import EventTable

__all__ = ["ContactPlan", "Lift"]

VERDICTS, GATES = tuple(Verdict), tuple(Gate)


@attrs.frozen(eq=False, repr=False)
class ContactPlan:
    """What becomes of every message for every contact.

    Attributes
    ----------
    messages : in the order in which they took their slots
    verdict_code : (m, n) position in `Verdict`
    channel_code : (m, n) position in `audience.channels`, -1 where it goes nowhere
    at : (m, n) instant in UTC at which it goes, or would have gone; NaT where it is refused
    gate_bits : (m, n) bit i is set where gate i of `Gate` was closed on a channel that was tried
    """

    audience: Audience
    messages: tuple[Message, ...]
    now: datetime
    verdict_code: NDArray[np.int8]
    channel_code: NDArray[np.int8]
    at: NDArray[np.datetime64]
    gate_bits: NDArray[np.int32]
    hold_out: HoldOut | None = None

    def __len__(self) -> int:
        return int(self.verdict_code.size)

    def _row(self, message: str | None) -> int:
        if message is None and len(self.messages) == 1:
            return 0
        if message is None:
            raise OutOfRange("message", None, f"one of {[m.id for m in self.messages]}", "say which message")
        return self.messages.index(named(self.messages, "id", message, what="message"))

    def is_(self, verdict: Verdict | str, *, message: str | None = None) -> NDArray[np.bool_]:
        """(n,) whether this became of a message; a plan of one message need not name it."""
        mask: NDArray[np.bool_] = self.verdict_code[self._row(message)] == VERDICTS.index(
            word(Verdict, verdict, "verdict")
        )
        return mask

    def gates_of(self, customer: str, *, message: str | None = None) -> tuple[Gate, ...]:
        """Gates that were closed for one contact; `decide` tells the rules and the evidence."""
        code = self.audience.customers.code(customer)
        if code < 0:
            raise OutOfRange("customer", mask(customer), "a contact of the audience", "ask about somebody in the plan")
        bits = int(self.gate_bits[self._row(message), code])
        return tuple(gate for i, gate in enumerate(GATES) if bits >> i & 1)

    def counts(self, *, message: str | None = None) -> dict[Verdict, int]:
        """How many contacts got which verdict on one message."""
        found = np.bincount(self.verdict_code[self._row(message)], minlength=len(VERDICTS)).tolist()
        return dict(zip(VERDICTS, found, strict=True))

    def reasons(self, *, message: str | None = None) -> dict[Gate, int]:
        """For how many contacts each gate was closed; somebody with two reasons counts in both."""
        bits = self.gate_bits[self._row(message)]
        return {gate: n for i, gate in enumerate(GATES) if (n := int((bits >> i & 1).sum()))}

    def refused(self, *, message: str | None = None) -> dict[Gate, int]:
        """How many contacts were refused, by the first gate that was closed: each counts once."""
        bits = self.gate_bits[self._row(message)][self.is_(Verdict.REFUSE, message=message)]
        first = bits & -bits
        return {gate: n for i, gate in enumerate(GATES) if (n := int((first == 1 << i).sum()))}

    def __repr__(self) -> str:
        return f"ContactPlan({len(self.audience):,} contacts, {len(self.messages)} messages)"

    def __str__(self) -> str:
        s = "" if len(self.messages) == 1 else "s"
        lines = [f"{len(self.audience):,} contacts, {len(self.messages)} message{s}"]
        for message in self.messages:
            counts = self.counts(message=message.id)
            lines.append(f"{message.id}: {', '.join(f'{n:,} {verdict}' for verdict, n in counts.items())}")
            closed = self.reasons(message=message.id)
            if closed:
                lines.append(f"  closed gates: {', '.join(f'{n:,} {gate}' for gate, n in closed.items())}")
        return "\n".join(lines)

    def _table(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for message in self.messages:
            why = ", ".join(f"{n:,} {gate}" for gate, n in self.reasons(message=message.id).items())
            counts = {str(verdict): n for verdict, n in self.counts(message=message.id).items()}
            rows.append({"message": message.id, **counts, "closed gates": why or None})
        return rows

    def _repr_html_(self) -> str:
        return html_table(
            self._table(), caption=f"plan for {len(self.audience):,} contacts at {self.now:%Y-%m-%d %H:%M}"
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a message and contact: message, customer, verdict, channel, at, gates (text, joined by "; ")."""
        m, n = self.verdict_code.shape
        seen, place = np.unique(self.gate_bits.ravel(), return_inverse=True)
        told = tuple("; ".join(g.value for i, g in enumerate(GATES) if b >> i & 1) for b in seen.tolist())
        rows = np.where(seen[place] == 0, -1, place)
        columns: dict[str, Any] = {
            "message": Coded(np.repeat(np.arange(m), n), [x.id for x in self.messages]),
            "customer": Coded(np.tile(np.arange(n), m), self.audience.customers.ids),
            "verdict": Coded(self.verdict_code.ravel(), [v.value for v in VERDICTS]),
            "channel": Coded(self.channel_code.ravel(), self.audience.channels),
            "at": self.at.ravel(),
            "gates": Coded(rows, told),
        }
        return write_frame(columns, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: counts of each message, without who is in them."""
        return {
            "now": self.now.isoformat(),
            "contacts": len(self.audience),
            "hold_out": None if self.hold_out is None else self.hold_out.to_dict(),
            "messages": [
                {
                    "message": to_dict(message),
                    "counts": {v.value: n for v, n in self.counts(message=message.id).items()},
                    "closed": {g.value: n for g, n in self.reasons(message=message.id).items()},
                    "refused": {g.value: n for g, n in self.refused(message=message.id).items()},
                }
                for message in self.messages
            ],
        }

    def chart(self, *, message: str | None = None) -> Chart:
        """Bars: what became of a message, refusals by their first reason."""
        from crmcore.charts import bar

        counts = self.counts(message=message)
        labels = {str(v): n for v, n in counts.items() if n and v is not Verdict.REFUSE}
        labels |= {f"refused: {gate}": n for gate, n in self.refused(message=message).items()}
        title = f"{self.messages[self._row(message)].id}: what becomes of it"
        said = f"{len(self.audience):,} contacts: " + ", ".join(f"{n:,} {k}" for k, n in labels.items())
        return bar(list(labels), list(map(float, labels.values())), title=title, description=said, axis="contacts")

    def sends(self) -> SendTable:
        """What is sent, now and later, as history of the next plan."""
        from crmcore.idic.interact.contact.audiences import KINDS
        from crmcore.tables import TextColumn

        goes = np.isin(self.verdict_code, [VERDICTS.index(v) for v in (Verdict.SEND, Verdict.DEFER)])
        which, who = np.nonzero(goes)
        kinds = np.array([KINDS.index(m.kind) for m in self.messages], np.int8)
        channel = TextColumn(self.channel_code[which, who].astype(np.int32), self.audience.channels)
        return SendTable.of_codes(self.audience.customers, who, self.at[which, who], channel=channel, kind=kinds[which])

    def lift(
        self,
        outcomes: EventTable,
        *,
        within_days: float,
        until: datetime,
        message: str | None = None,
        level: float = 0.95,
        small_sample_ok: bool = False,
    ) -> Lift:
        """What a message brought: who did something within a window after it, against those who were held out.

        Parameters
        ----------
        outcomes : EventTable
            What counts as an outcome, such as purchases; of any population.
        within_days : days
            Window of each contact, from the instant at which the message went, or would have gone.
        until : aware datetime
            Up to when outcomes are known: whose window is still open is left out of both groups.
        message : id, optional
        level : share
        small_sample_ok : truth
            Silences the warning below 30 contacts a group.

        Raises
        ------
        EmptyInput
            The plan held nobody out.
        """
        row = self._row(message)
        held = self.is_(Verdict.HELD_OUT, message=message)
        if not held.any():
            raise EmptyInput("the group that was held out", "plan(..., hold_out=HoldOut(0.1, seed=7))")
        if not within_days > 0:
            raise OutOfRange("within_days", within_days, "more than 0 days", "7 days are usual")
        at, window = self.at[row].astype(np.int64), round(within_days * DAY)
        seen = np.where(self.verdict_code[row] == VERDICTS.index(Verdict.REFUSE), False, at != np.iinfo(np.int64).min)
        seen &= at + window <= to_us(until, "until")
        codes = self.audience.customers.codes(outcomes.customers.ids)
        owner = np.append(codes, -1)[outcomes.customer]
        mine = np.flatnonzero(owner >= 0)
        after = outcomes.time[mine].astype(np.int64) - at[owner[mine]]
        did = np.zeros(len(self.audience), np.bool_)
        did[owner[mine][(after >= 0) & (after < window) & seen[owner[mine]]]] = True
        sent = np.isin(self.verdict_code[row], [VERDICTS.index(v) for v in (Verdict.SEND, Verdict.DEFER)]) & seen
        groups = [Counts(int(did[g].sum()), int(g.sum())) for g in (sent, held & seen)]
        pending = int((~seen & (self.verdict_code[row] != VERDICTS.index(Verdict.REFUSE))
                       & (self.verdict_code[row] != VERDICTS.index(Verdict.NOT_ADDRESSED))).sum())  # fmt: skip
        found = compare(*groups, level=level, small_sample_ok=small_sample_ok)
        return Lift(message=self.messages[row].id, within_days=float(within_days), comparison=found, pending=pending)


@attrs.frozen(kw_only=True)
class Lift:
    """Share with an outcome among those written to (first) and those held out (second), and the difference."""

    message: str
    within_days: float
    comparison: Comparison
    pending: int
    """Contacts whose window is still open."""

    def __str__(self) -> str:
        waits = f"; {self.pending:,} windows still open" if self.pending else ""
        return f"{self.message}, {self.within_days:g} days: {self.comparison}{waits}"

    def _repr_html_(self) -> str:
        return f"<figure><b>{escape(str(self))}</b></figure>"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Three rows: written to, held out, difference."""
        return self.comparison.to_frame(backend=backend)

    def chart(self) -> Chart:
        """The two groups with their intervals."""
        from crmcore.charts import dot_interval

        parts = [self.comparison.first, self.comparison.second]
        return dot_interval(["written to", "held out"], parts, title=self.message, description=str(self), percent=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        kept = {"message": self.message, "within_days": self.within_days, "pending": self.pending}
        return {**kept, "comparison": self.comparison.to_dict()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any], /) -> Lift:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "comparison": Comparison.from_dict(fields["comparison"])})
