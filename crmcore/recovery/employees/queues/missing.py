"""Contacts that nobody answered in time, and what that may cost."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import Coded, read_frame, write_frame
from crmcore.calendars.calendar import BusinessCalendar
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import held, instant
from crmcore.metrics.comparing import Comparison, compare
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import above
from crmcore.recovery.employees.checks import check_kind
from crmcore.tables._door import NO_AMOUNT, Door
from crmcore.tables.columns import TextColumn
from crmcore.values import Money

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ContactState", "MissedContacts", "missed_contacts"]

HOUR_US = 3_600_000_000
STATES = ("answered in time", "answered late", "waiting", "missed")


class ContactState(enum.StrEnum):
    """What became of a contact."""

    IN_TIME = "answered in time"
    LATE = "answered late"
    WAITING = "waiting"
    """Not answered, and the target has not passed."""
    MISSED = "missed"
    """Not answered, and the target has passed."""


@attrs.frozen(eq=False, repr=False, kw_only=True)
class MissedContacts(Document):
    """How long each contact went without an answer; row i of every column is the same contact.

    Parameters
    ----------
    contact : TextColumn
        Ids of the contacts, all missing where the frame has none.
    hours, business_hours : (n,)
        From the contact to its answer, or to now: on every clock, and while the desk was open.
    state : (n,) codes
        Into `ContactState`, in its order.
    after_hours : (n,) truths
        It came while the desk was closed.
    value_minor : (n,) minor units
        What the customer was about to buy, 0 where nothing is known.
    currency : text
    bought : (n,) numbers
        1 and 0; NaN where it is not known.
    """

    contact: TextColumn
    hours: NDArray[np.float64] = attrs.field(converter=held)
    business_hours: NDArray[np.float64] = attrs.field(converter=held)
    state: NDArray[np.int64] = attrs.field(converter=held)
    after_hours: NDArray[np.bool_] = attrs.field(converter=held)
    value_minor: NDArray[np.int64] = attrs.field(converter=held)
    currency: str
    bought: NDArray[np.float64] = attrs.field(converter=held)

    def __len__(self) -> int:
        return len(self.hours)

    def is_in(self, *states: ContactState | str) -> NDArray[np.bool_]:
        """(n,) contacts in one of these states."""
        return np.isin(self.state, [list(ContactState).index(ContactState(s)) for s in states])

    @property
    def failed(self) -> NDArray[np.bool_]:
        """(n,) contacts answered late or not at all."""
        return self.is_in(ContactState.LATE, ContactState.MISSED)

    @property
    def at_risk(self) -> Money:
        """Value of the contacts that were answered late or not at all: the most that can have been lost."""
        return Money(int(self.value_minor[self.failed].sum()), self.currency)

    def counts(self) -> dict[str, int]:
        """Number of contacts in each state."""
        found = np.bincount(self.state, minlength=len(STATES))
        return {state.value: int(n) for state, n in zip(ContactState, found, strict=True)}

    def purchase_gap(self, *, level: float = 0.95, small_sample_ok: bool = False) -> Comparison:
        """Share that bought after an answer in time, minus the share after a late one or none.

        Contacts that still wait, and those of which it is not known whether they bought, are left out. Who is answered
        late may differ in more than the answer; the gap is what the log shows, not an experiment.

        Raises
        ------
        EmptyInput
            One of both groups is empty.
        """
        known = ~np.isnan(self.bought)
        groups = [self.is_in(ContactState.IN_TIME) & known, self.failed & known]
        if not all(g.any() for g in groups):
            raise EmptyInput("answered in time, or missed", "give bought=... for contacts of both kinds")
        served, missed = (Counts(int(self.bought[g].sum()), int(g.sum())) for g in groups)
        return compare(served, missed, level=level, small_sample_ok=small_sample_ok)

    def expected_loss(self, lost_share: Estimate | float) -> Estimate:
        """Value at risk times the share of it that a missed answer loses, in minor units.

        Parameters
        ----------
        lost_share : Estimate or share
            Such as `purchase_gap().difference`, or a share that you stand for; a share has no interval of its own.
        """
        risk = float(self.at_risk.amount_minor)
        n = int(self.failed.sum())
        rule = f"value at risk x share lost, minor units of {self.currency}"
        if isinstance(lost_share, Estimate):
            value, low, high = (risk * x for x in (lost_share.value, lost_share.low, lost_share.high))
            level, method = lost_share.level, lost_share.method
        else:
            share = above("lost_share", lost_share, hint="write 30 % as 0.3", allowed="a share from 0 to 1", least=0)
            if share > 1:
                raise OutOfRange("lost_share", lost_share, "a share from 0 to 1", "write 30 % as 0.3")
            value = low = high = risk * share
            level, method = 0.95, "stated share"
        return Estimate(value=value, low=low, high=high, level=level, n=n, rule=rule, method=method)

    def __repr__(self) -> str:
        return f"MissedContacts({len(self)} contacts, {int(self.failed.sum())} late or missed, {self.at_risk} at risk)"

    def __str__(self) -> str:
        lines = [f"{n} {state}" for state, n in self.counts().items() if n]
        if self.failed.any():
            hours, business = (np.median(x[self.failed]) for x in (self.hours, self.business_hours))
            lines.append(
                f"late or missed: median {number_text(hours)} h, {number_text(business)} business hours; "
                f"{self.at_risk} at risk"
            )
        return "\n".join(lines) or "no contacts"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a contact: contact, state, hours, business_hours, after_hours, value_minor, currency."""
        columns: dict[str, Any] = {
            "contact": self.contact.to_list(), "state": Coded(self.state, STATES), "hours": self.hours,
            "business_hours": self.business_hours, "after_hours": self.after_hours, "value_minor": self.value_minor,
            "currency": [self.currency] * len(self),
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"state": state, "contacts": n} for state, n in self.counts().items()]
        return html_table(rows, caption=repr(self))

    def chart(self) -> Chart:
        """Number of contacts in each state."""
        from crmcore.charts import bar

        counts = self.counts()
        return bar(list(counts), list(counts.values()), title="What became of contacts", description=str(self))


def missed_contacts(
    frame: Any,
    *,
    hours: BusinessCalendar,
    now: datetime,
    within_hours: float = 1.0,
    currency: str,
    at: str = "at",
    answered_at: str = "answered_at",
    contact: str = "contact",
    value_minor: str = "value_minor",
    bought: str = "bought",
    zone: str | None = None,
) -> MissedContacts:
    """Find contacts that nobody answered in time: voice messages after hours, chats given up, mails without a reply.

    Parameters
    ----------
    frame
        One row a contact: when it came, when it was answered (missing: not yet), and, where known, its id, the value at
        risk (a cart, an offer) in minor units, and whether the customer bought.
    hours : BusinessCalendar
        In which business hours count.
    now : aware datetime
        Answers after it have not happened yet.
    within_hours : business hours
        A contact answered in exactly this time is in time.
    currency : ISO code
    zone : IANA name, optional
        Needed where times are written without one.

    Raises
    ------
    BadRows, MissingColumn
        Rows without a time, answered before they came, or that come after `now`.

    Examples
    --------
    >>> from crmcore.calendars import BusinessCalendar, local
    >>> desk = BusinessCalendar("Asia/Bangkok", {"mon-fri": [("09:00", "18:00")]})
    >>> found = missed_contacts(
    ...     {"at": ["2026-06-05 18:00"], "answered_at": ["2026-06-08 11:00"], "value_minor": [250_000]},
    ...     hours=desk, now=local(2026, 6, 8, 12, zone="Asia/Bangkok"), currency="THB", zone="Asia/Bangkok",
    ... )
    >>> print(found)
    1 answered late
    late or missed: median 65 h, 2 business hours; 2500.00 THB at risk
    """  # fmt: skip
    check_kind("hours", hours, BusinessCalendar, hint="BusinessCalendar.always('UTC') never closes")
    target = above("within_hours", within_hours, hint="business hours", allowed="a number from 0", least=0)
    until = int(instant("now", now).astype(np.int64))
    door = Door(read_frame(frame), "the contacts", zone=zone)
    came = door.times(at, required=True).astype(np.int64)
    answered = door.times(answered_at, required=False).astype(np.int64)
    names = door.optional_text(contact, "contact")
    value = door.whole(value_minor) if door.has(value_minor, "value_minor") else np.zeros(len(door), np.int64)
    value = np.where(value == NO_AMOUNT, 0, value)
    cells = door.frame.column(bought) if door.has(bought, "bought") else [None] * len(door)
    sold = np.array([np.nan if c is None else float(c) if c in (0, 1) else -1.0 for c in cells], np.float64)
    no = np.iinfo(np.int64).min
    door.problem(answered_at, "before the contact", np.flatnonzero((answered != no) & (answered < came)), "swap them")
    door.problem(at, "after now", np.flatnonzero(came > until), "pass a later now, or drop what is to come")
    door.problem(value_minor, "negative", np.flatnonzero(value < 0), "what the customer was about to buy, from 0")
    door.problem(bought, "neither true nor false", np.flatnonzero(sold < 0), "write true, false, or nothing")
    door.close()
    replied = (answered != no) & (answered <= until)
    end = np.where(replied, answered, until)
    starts, ends = came.astype("datetime64[us]"), end.astype("datetime64[us]")
    business = hours.elapsed_us(starts, ends) / HOUR_US if len(door) else np.zeros(0)
    over = business > target
    state = np.where(replied, over.astype(np.int64), 2 + over)
    tick = starts + np.timedelta64(1, "us")
    closed = hours.elapsed_us(starts, tick) == 0 if len(door) else np.zeros(0, np.bool_)
    return MissedContacts(
        contact=names, hours=(end - came) / HOUR_US, business_hours=business, state=state, after_hours=closed,
        value_minor=value, currency=Money(0, currency).currency, bought=sold,
    )  # fmt: skip
