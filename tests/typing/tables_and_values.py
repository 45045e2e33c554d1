"""Types of tables, values and JSON, as users see them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

from crmcore.documents import loads
from crmcore.protocols import Survivorship
from crmcore.tables import CustomerIndex, EventTable, OrderTable, RecordTable, TextColumn
from crmcore.values import Consent, ConsentRecord, ContactPoint, Interaction, Money, Order, Record

AT = datetime(2026, 3, 1, tzinfo=UTC)

orders = OrderTable.from_frame({"customer": ["a"], "time": [AT], "amount": [1]}, currency="THB")
assert_type(orders, OrderTable)
assert_type(orders[0], Order)
assert_type(orders[0].amount, Money)
assert_type(orders.customer, NDArray[np.int32])
assert_type(orders.amount_minor, NDArray[np.int64])
assert_type(orders.customers, CustomerIndex)
assert_type(orders.take(np.array([0])), OrderTable)

events = EventTable.of([Interaction("c", AT, direction="inbound")])
assert_type(events[0], Interaction)
assert_type(events[0].amount, Money | None)
assert_type(events.has_amount, NDArray[np.bool_])
assert_type(events.channel, TextColumn)
assert_type(events.channel[0], str | None)

records = RecordTable.stack([RecordTable.from_frame([{"a": 1}])])
assert_type(records[0], Record)

assert_type(Money(1, "THB") + Money(2, "THB"), Money)
assert_type(3 * Money(1, "THB"), Money)
assert_type(ConsentRecord("c", "m", "sms", "granted", AT).consent, Consent)
assert_type(loads(Money, "{}"), Money)
ContactPoint("email", "a@b.c")

Money(1, "THB") + 1  # type: ignore[operator]
Money(1, "THB") * 1.5  # type: ignore[operator]
Money("1", "THB")  # type: ignore[arg-type]


class First:
    """A rule that a type checker accepts as Survivorship."""

    def choose(self, values: object, sources: object, times: object, /) -> int:
        return 0


rule: Survivorship = First()
