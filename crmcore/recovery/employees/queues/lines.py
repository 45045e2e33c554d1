"""A line of people who wait: the place and wait they see, giving up, the hand-over to an agent, the sale after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, mask
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import instants, same_length
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import above, text_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.queues.waits import ExpectedWait, expected_wait
from crmcore.tables.orders import OrderTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["HandOver", "LinkedOrders", "Waiting", "WaitingLine", "linked_orders"]


@attrs.frozen(kw_only=True)
class Waiting(Document):
    """Somebody in line.

    Parameters
    ----------
    id : text
        Of the conversation.
    at : aware datetime
        When they joined.
    issue, name : texts
        As typed in; masked in every repr.
    """

    id: str
    at: datetime
    issue: str = attrs.field(default="", repr=mask)
    name: str = attrs.field(default="", repr=mask)

    def __attrs_post_init__(self) -> None:
        text_of("id", self.id, hint="of the conversation")
        check_aware(self.at, "at")


@attrs.frozen(kw_only=True)
class HandOver(Document):
    """What an agent gets with the customer: nothing has to be asked twice.

    Parameters
    ----------
    waiting : Waiting
        With name and issue.
    agent : text, masked in every repr
    at : aware datetime
    waited_s : seconds
    """

    waiting: Waiting
    agent: str = attrs.field(repr=mask)
    at: datetime
    waited_s: float


@attrs.frozen(repr=False)
class WaitingLine(Document):
    """People in line, first come first; every step gives a new line.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> nine = datetime(2026, 6, 1, 9, tzinfo=UTC)
    >>> line = WaitingLine().join(Waiting(id="c1", at=nine)).join(Waiting(id="c2", at=nine))
    >>> print(line, line.position("c2"), line.wait("c2", agents=1, handling_s=300), sep="; ")
    2 waiting; 2; number 2 in line, about 10 min (3 min to 19 min)
    """

    waiting: tuple[Waiting, ...] = ()

    def __repr__(self) -> str:
        return f"WaitingLine({len(self.waiting)} waiting)"

    def __str__(self) -> str:
        return f"{len(self.waiting)} waiting"

    def __len__(self) -> int:
        return len(self.waiting)

    def join(self, who: Waiting) -> WaitingLine:
        """Line with somebody more, behind all who came before; those of one instant go by id."""
        check_kind("who", who, Waiting, hint='Waiting(id="c1", at=now)')
        ids = [w.id for w in self.waiting]
        if who.id in ids:
            raise DuplicateIds("the line", 1, (ids.index(who.id),), "one conversation waits once")
        return WaitingLine(tuple(sorted((*self.waiting, who), key=lambda w: (w.at, w.id))))

    def position(self, id: str) -> int:
        """Place of a conversation, 1 is next.

        Raises
        ------
        UnknownName
            It does not wait.
        """
        ids = [w.id for w in self.waiting]
        if id not in ids:
            raise UnknownName("conversation in line", id, tuple(ids[:5]))
        return ids.index(id) + 1

    def leave(self, id: str) -> WaitingLine:
        """Line without somebody who gave up."""
        self.position(id)
        return WaitingLine(tuple(w for w in self.waiting if w.id != id))

    def wait(
        self,
        id: str,
        *,
        agents: int,
        handling_s: float,
        patience_s: float | None = None,
        handled: int | None = None,
        level: float = 0.8,
    ) -> ExpectedWait:
        """Place and wait of somebody in line while all agents are busy; arguments are those of `expected_wait`."""
        return expected_wait(
            ahead=self.position(id) - 1, agents=agents, handling_s=handling_s, patience_s=patience_s,
            handled=handled, level=level,
        )  # fmt: skip

    def take(self, agent: str, *, now: datetime) -> tuple[HandOver, WaitingLine]:
        """Hand the first in line to an agent.

        Raises
        ------
        EmptyInput
            Nobody waits.
        OutOfRange
            `now` is before the first joined.
        """
        if not self.waiting:
            raise EmptyInput("the line", "there is nobody to take")
        check_aware(now, "now")
        first = self.waiting[0]
        waited = now.timestamp() - first.at.timestamp()
        if waited < 0:
            raise OutOfRange("now", str(now), f"an instant from {first.at} on", "pass the present")
        text_of("agent", agent, hint="who takes the customer")
        return HandOver(waiting=first, agent=agent, at=now, waited_s=waited), WaitingLine(self.waiting[1:])


@attrs.frozen(eq=False, repr=False)
class LinkedOrders(Document):
    """First order after each conversation; row i of every column is the same conversation.

    Parameters
    ----------
    order : (n,) rows of the orders
        -1 where nothing was bought in time.
    days : (n,) days from the conversation to the order
        NaN where nothing was bought in time.
    amount_minor : (n,) minor units of that order
        All its lines; 0 where nothing was bought.
    currency : text
    share : Estimate
        Conversations that were followed by an order, of those whose window has passed by the last order.
    """

    order: NDArray[np.int64]
    days: NDArray[np.float64]
    amount_minor: NDArray[np.int64]
    currency: str
    share: Estimate

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        return f"LinkedOrders({int((self.order >= 0).sum())} of {len(self)} followed by an order)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a conversation: order, days, amount_minor."""
        columns: dict[str, Any] = {"order": self.order, "days": self.days, "amount_minor": self.amount_minor}
        return write_frame(columns, backend=backend)

    def __str__(self) -> str:
        return f"followed by an order: {self.share}"

    def _repr_html_(self) -> str:
        return self.share._repr_html_()

    def chart(self) -> Chart:
        """The share that was followed by an order."""
        return self.share.chart()


def linked_orders(
    customers: Sequence[str],
    ended: ArrayLike | Sequence[datetime],
    orders: OrderTable,
    *,
    within_days: float = 7.0,
    level: float = 0.95,
) -> LinkedOrders:
    """Link each resolved conversation to the first order of the same customer that follows it in time.

    What follows is not what was caused: to know what help sells, compare with those who were not helped.

    Parameters
    ----------
    customers : (n,) ids
        Of each conversation, as in the orders; ids that the orders do not know have bought nothing.
    ended : (n,) datetime64 in UTC, or aware datetimes
    orders : OrderTable
        Lines of one order id count as one order. An order in the instant of the end counts.
    within_days : days
    """
    check_kind("orders", orders, OrderTable, hint="OrderTable.from_frame(frame, currency='THB')")
    given: Any = ended
    at = instants("ended", given).astype(np.int64)
    who = np.asarray(orders.customers.codes([str(c) for c in customers]), np.int64)
    same_length("linked_orders", customers=who, ended=at)
    window = int(above("within_days", within_days, hint="such as 7") * 86_400_000_000)
    times = orders.time.astype(np.int64)
    dated = np.flatnonzero((times != np.iinfo(np.int64).min) & (orders.customer >= 0))
    by = dated[np.lexsort((dated, times[dated], orders.customer[dated]))]
    ranks = np.unique(np.concatenate([times[by], at]), return_inverse=True)[1]
    many = int(ranks.max(initial=0)) + 1
    keys = orders.customer[by].astype(np.int64) * many + ranks[: len(by)]
    place = np.searchsorted(keys, who * many + ranks[len(by) :], side="left")
    inside = (who >= 0) & (place < len(by))
    row = np.full(len(at), -1, np.int64)
    row[inside] = by[place[inside]]
    good = (row >= 0) & (orders.customer[row] == who) & (times[row] - at <= window)
    row = np.where(good, row, -1)
    days = np.where(good, (times[row] - at) / 86_400_000_000, np.nan)
    last = int(times[dated].max()) if len(dated) else np.iinfo(np.int64).min
    closed = good | (at + window <= last)
    share = proportion(
        int(good.sum()), int(closed.sum()), level=level, rule="followed by an order / told by now", small_sample_ok=True
    )
    return LinkedOrders(row, days, _totals(orders, row, good), orders.currency, share)


def _totals(orders: OrderTable, row: NDArray[np.int64], good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Amount of the whole order of each row; a row without order id is an order of its own."""
    amount = np.where(orders.amount_minor == np.iinfo(np.int64).min, 0, orders.amount_minor)
    codes = orders.order_id.codes.astype(np.int64)
    known = codes >= 0
    sums = np.zeros(len(orders.order_id.values) + 1, np.int64)
    np.add.at(sums, codes[known], amount[known])
    whole = np.where(known, sums[codes], amount) if len(codes) else np.zeros(0, np.int64)
    out = np.zeros(len(row), np.int64)
    out[good] = whole[row[good]]
    return out
