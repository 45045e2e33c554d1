"""What fired: one row each, addable, each once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import Coded, read_frame, write_frame
from crmcore.errors import OutOfRange
from crmcore.tables import CustomerIndex, TextColumn
from crmcore.tables._door import Door
from crmcore.zones import from_us

__all__ = ["Firings"]

Micros = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Firings:
    """What fired for whom, in order of time, then trigger, customer and item.

    `origin` is what it goes back to: the date, the service, the change of price, the cart. A trigger fires once for
    each customer, item and origin.
    """

    trigger: TextColumn
    customer: NDArray[np.int32]
    us: Micros
    origin: Micros
    item: TextColumn  # item or key; missing where there is none
    customers: CustomerIndex

    def __len__(self) -> int:
        return len(self.us)

    @property
    def at(self) -> NDArray[np.datetime64]:
        """(k,) instants in UTC."""
        return self.us.view("datetime64[us]")

    def when(self, row: int) -> datetime:
        """Instant of one row."""
        return from_us(int(self.us[row]), "UTC")

    def counts(self) -> dict[str, int]:
        """How often each trigger fired."""
        found = np.bincount(self.trigger.codes, minlength=len(self.trigger.values)).tolist()
        return dict(sorted(zip(self.trigger.values, found, strict=True)))

    def __repr__(self) -> str:
        return f"Firings({len(self):,}: {', '.join(f'{n:,} {name}' for name, n in self.counts().items())})"

    def _repr_html_(self) -> str:
        return html_table([{"trigger": name, "fired": n} for name, n in self.counts().items()], caption="fired")

    def chart(self) -> Any:
        """Bars: how often each trigger fired."""
        from crmcore.charts import bar

        counts = self.counts()
        return bar(list(counts), list(map(float, counts.values())), title="What fired", axis="messages")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row each: trigger, customer, at, origin, item; `Firings.from_frame` reads it."""
        columns: dict[str, Any] = {
            "trigger": Coded(self.trigger.codes, self.trigger.values),
            "customer": Coded(self.customer, self.customers.ids),
            "at": self.at,
            "origin": self.origin.view("datetime64[us]"),
            "item": Coded(self.item.codes, self.item.values),
        }
        return write_frame(columns, backend=backend)

    @classmethod
    def from_frame(cls, frame: Any, *, customers: CustomerIndex) -> Self:
        """Read what `to_frame` wrote, so that nothing fires twice after a restart."""
        door = Door(read_frame(frame), "the firings")
        names, item = door.text("trigger"), door.text("item")
        code, _ = door.customers("customer", customers)
        us, origin = (door.times(name, required=True).astype(np.int64) for name in ("at", "origin"))
        door.close()
        return cls(names, code, us, origin, item, customers)

    @classmethod
    def none(cls, customers: CustomerIndex) -> Self:
        """No firings yet."""
        nothing = np.empty(0, np.int64)
        return cls(TextColumn.empty(0), nothing.astype(np.int32), nothing, nothing, TextColumn.empty(0), customers)

    def __add__(self, other: Firings) -> Firings:
        """Both, each firing once."""
        if not isinstance(other, Firings):
            return NotImplemented
        if other.customers is not self.customers and other.customers.ids != self.customers.ids:
            raise OutOfRange("customers", "two populations", "one", "fire both with the same index")
        joined = Firings(
            joined_text(self.trigger, other.trigger),
            np.concatenate([self.customer, other.customer]),
            np.concatenate([self.us, other.us]),
            np.concatenate([self.origin, other.origin]),
            joined_text(self.item, other.item),
            self.customers,
        )
        return joined.take(~joined.repeated()).in_order()

    def take(self, rows: NDArray[Any]) -> Firings:
        """Some of them."""
        return Firings(
            self.trigger.take(rows), self.customer[rows], self.us[rows], self.origin[rows], self.item.take(rows),
            self.customers,
        )  # fmt: skip

    def of(self, trigger: str) -> Firings:
        """Those of one trigger."""
        return self.take(self.trigger.equals(trigger))

    def who(self, trigger: str) -> NDArray[np.bool_]:
        """(n,) for whom a trigger fired: whom a plan addresses, `plan(..., to=found.who("scarce"))`."""
        out = np.zeros(len(self.customers), np.bool_)
        out[self.of(trigger).customer] = True
        return out

    def in_order(self) -> Firings:
        """By time, then by the names of trigger, customer and item."""
        keys = (ranks(self.item), self.customer, ranks(self.trigger), self.us)
        return self.take(np.lexsort(keys))

    def repeated(self) -> NDArray[np.bool_]:
        """(k,) whether the same trigger, customer, item and origin stand in an earlier row."""
        columns = (self.trigger.codes, self.customer, self.item.codes, self.origin)
        order = np.lexsort((np.arange(len(self)), *columns))
        same = np.ones(max(len(self) - 1, 0), np.bool_)
        for column in columns:
            same &= column[order][1:] == column[order][:-1]
        out = np.zeros(len(self), np.bool_)
        out[order[1:][same]] = True
        return out


def ranks(column: TextColumn) -> NDArray[np.int64]:
    """Rank of each row's word in the order of the words; -1 is missing."""
    place = np.full(len(column.values) + 1, -1)
    place[sorted(range(len(column.values)), key=column.values.__getitem__)] = np.arange(len(column.values))
    return place[column.codes]


def joined_text(first: TextColumn, second: TextColumn) -> TextColumn:
    """Rows of both over one dictionary."""
    if first.values is second.values or first.values == second.values:
        return TextColumn(np.concatenate([first.codes, second.codes]), first.values)
    values = tuple(dict.fromkeys((*first.values, *second.values)))
    place = {word: i for i, word in enumerate(values)}
    to = np.array([*(place[word] for word in second.values), -1], np.int32)
    return TextColumn(np.concatenate([first.codes, to[second.codes]]), values)
