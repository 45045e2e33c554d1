"""Orders: who bought what, when, for how much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.errors import EmptyInput, MissingColumn
from crmcore.tables._cells import attribute_columns, cell_map, ids_out, micros, one_currency, when
from crmcore.tables._door import NO_AMOUNT, Door, codes, instants, integers, same_length, text_map
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.values import Money, Order

__all__ = ["OrderTable"]


@attrs.frozen(eq=False, repr=False)
class OrderTable:
    """Order lines in one currency; row i of every column is the same line. An order without detail is one line.

    A refund has a negative amount. A customer code of -1 is a buyer whom nobody knows. `amount_minor` is the amount of
    the whole line, not of one piece.

    Examples
    --------
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["b", "a"], "time": ["2026-03-01", "2026-03-05"], "amount": [12.5, "99"]},
    ...     currency="THB", zone="Asia/Bangkok",
    ... )
    >>> orders, orders.customer.tolist(), orders.amount_minor.tolist(), str(orders[0].time)
    (OrderTable(2 lines, 2 customers, THB), [1, 0], [1250, 9900], '2026-02-28 17:00:00+00:00')
    """

    customer: NDArray[np.int32] = attrs.field(converter=codes)  # (n,) code into customers, -1 = unknown
    time: NDArray[np.datetime64] = attrs.field(converter=instants)  # (n,) datetime64[us], UTC
    amount_minor: NDArray[np.int64] = attrs.field(converter=integers)  # (n,) minor units of the line
    currency: str
    order_id: TextColumn
    product: TextColumn
    quantity: NDArray[np.int64] = attrs.field(converter=integers)  # (n,) pieces; 1 where the frame says nothing
    attributes: Mapping[str, TextColumn] = attrs.field(converter=text_map)
    customers: CustomerIndex
    backend: str | None = None  # flavour of the frame that was read

    def __attrs_post_init__(self) -> None:
        columns = {
            "customer": self.customer,
            "amount_minor": self.amount_minor,
            "order_id": self.order_id,
            "product": self.product,
            "quantity": self.quantity,
        }
        same_length("OrderTable", len(self), {**columns, **self.attributes})

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        return f"OrderTable({len(self)} lines, {len(self.customers)} customers, {self.currency})"

    def __getitem__(self, row: int) -> Order:
        code = self.customer[row]
        time = when(self.time, row)
        assert time is not None  # the door refuses orders without time
        return Order(
            customer=self.customers[code] if code >= 0 else None,
            time=time,
            amount=Money(int(self.amount_minor[row]), self.currency),
            order_id=self.order_id[row],
            product=self.product[row],
            quantity=int(self.quantity[row]),
            attributes=cell_map(self.attributes, row),
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        customer: str = "customer",
        time: str = "time",
        amount: str = "amount",
        amount_minor: str = "amount_minor",
        currency: str | None = None,
        currency_column: str = "currency",
        order_id: str = "order_id",
        product: str = "product",
        quantity: str = "quantity",
        attributes: Sequence[str] | None = None,
        customers: CustomerIndex | None = None,
        zone: str | ZoneInfo | None = None,
        missing: Iterable[str] = MISSING_WORDS,
    ) -> OrderTable:
        """Read order lines; arguments that are not explained below are names of columns.

        `customer`, `time` and one amount must be there; the others may be absent under their default name. A missing
        customer is kept as unknown (-1); a missing time or amount is a bad row.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        amount, amount_minor
            Columns in major units (12.5) or minor units (1250) of the whole line; `amount_minor` first.
        currency
            Currency of all amounts, such as "THB"; None reads `currency_column`, which must hold one.
        attributes
            Further columns to keep as text; None keeps all the rest.
        customers
            Index to share; None makes one from this frame.
        zone
            Zone in which times without offset were written, and dates without time began; without it they are refused.
        missing
            Text that means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn, NaiveDatetime, CurrencyMismatch, BadRows
            What cannot be read, all bad rows at once.
        """
        door = Door(read_frame(frame, missing=missing), "OrderTable", zone=zone)
        code, index = door.customers(customer, customers)
        unit = door.currency(currency, currency_column)
        amounts = door.amounts(amount, amount_minor, unit)
        paid = next((c for c in (amount_minor, amount) if c in door.used), None)
        if paid is None or unit is None:
            raise MissingColumn(amount, door.frame.columns)
        door.required(paid, amounts == NO_AMOUNT, "drop the rows, or write 0 where nothing was paid")
        pieces = door.whole(quantity) if door.has(quantity, "quantity") else np.ones(len(door), np.int64)
        made = cls(
            customer=code,
            time=door.times(time, required=True),
            amount_minor=amounts,
            currency=unit,
            order_id=door.optional_text(order_id, "order_id"),
            product=door.optional_text(product, "product"),
            quantity=np.where(pieces == NO_AMOUNT, 1, pieces),
            attributes=door.rest(attributes),  # after the others: what they did not use
            customers=index,
            backend=door.frame.backend,
        )
        door.close()
        return made

    @classmethod
    def of(cls, values: Iterable[Order], *, customers: CustomerIndex | None = None) -> OrderTable:
        """Build a table from orders of one currency."""
        rows = list(values)
        ids = [row.customer for row in rows]
        index = CustomerIndex.of(ids) if customers is None else customers.extended(ids)
        unit = one_currency(row.amount for row in rows)
        if unit is None:
            raise EmptyInput(
                "the list of orders", "an OrderTable takes its currency from its orders: pass one at least"
            )
        return cls(
            customer=index.codes(ids),
            time=micros(row.time for row in rows),
            amount_minor=np.array([row.amount.amount_minor for row in rows], np.int64),
            currency=unit,
            order_id=TextColumn.of([row.order_id for row in rows]),
            product=TextColumn.of([row.product for row in rows]),
            quantity=np.array([row.quantity for row in rows], np.int64),
            attributes=attribute_columns([row.attributes for row in rows]),
            customers=index,
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> OrderTable:
        """Select rows by position or mask; index and dictionaries are shared."""
        return OrderTable(
            customer=self.customer[rows],
            time=self.time[rows],
            amount_minor=self.amount_minor[rows],
            currency=self.currency,
            order_id=self.order_id.take(rows),
            product=self.product.take(rows),
            quantity=self.quantity[rows],
            attributes={name: c.take(rows) for name, c in self.attributes.items()},
            customers=self.customers,
            backend=self.backend,
        )

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per order line, in the flavour that was read unless `backend` names another."""
        return write_frame(
            {
                "customer": ids_out(self.customer, self.customers),
                "time": self.time,
                "amount_minor": self.amount_minor,
                "currency": [self.currency] * len(self),
                "order_id": self.order_id.to_list(),
                "product": self.product.to_list(),
                "quantity": self.quantity,
                **{name: c.to_list() for name, c in self.attributes.items()},
            },
            backend=backend or self.backend,
        )
