"""A chapter about a simulated brand: parts that answer one question each, and estimates held against the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.charts.chart import written
from crmcore.datasets.people import LAST_DAY
from crmcore.flows.page import Block, Heading, KeyFigure, Section, Table
from crmcore.metrics import Estimate
from crmcore.tables import CustomerIndex, OrderTable

if TYPE_CHECKING:
    from crmcore.datasets.brand import Brand
    from crmcore.idic.identify.people import People

__all__ = ["TODAY", "ZONE", "Chapter", "Check", "Part", "customers_of", "lines_of", "orders_of", "said"]

ZONE = "Asia/Bangkok"  # of the simulated brand
TODAY = LAST_DAY + np.timedelta64(1, "D")


@attrs.frozen
class Check:
    """An estimate beside the truth that a simulation knows; `why` says what can make its interval miss."""

    name: str
    estimate: Estimate
    truth: float
    percent: bool = True
    why: str = "chance"

    @property
    def covered(self) -> bool:
        """Whether the interval holds the truth."""
        return self.estimate.low <= self.truth <= self.estimate.high

    def texts(self) -> tuple[str, str, str]:
        """Estimate with its interval, the truth, and whether the one holds the other."""
        return said(self.estimate, percent=self.percent), written(self.truth, percent=self.percent), self._held()

    def _held(self) -> str:
        return "yes" if self.covered else f"no: {self.why}"


def said(estimate: Estimate, *, percent: bool = True) -> str:
    """Estimate and interval as the page writes them.

    Examples
    --------
    >>> from crmcore.metrics import proportion
    >>> said(proportion(30, 1000))
    '3% [2.11%, 4.25%]'
    """
    value, low, high = (written(v, percent=percent) for v in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


@attrs.frozen
class Part:
    """What one question contributes to a chapter."""

    blocks: Sequence[Block]
    key: KeyFigure
    checks: Sequence[Check] = ()


def _parts(given: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(given)


@attrs.frozen(repr=False)
class Chapter:
    """What a room finds out about a simulated brand, each number with its interval, and beside the truth."""

    title: str
    lead: str
    parts: tuple[Part, ...] = attrs.field(converter=_parts)

    def __repr__(self) -> str:
        return f"Chapter({self.title!r}, {len(self.checks)} checked against the truth)"

    @property
    def checks(self) -> tuple[Check, ...]:
        """Every estimate whose truth the simulation knows."""
        return tuple(c for part in self.parts for c in part.checks)

    def section(self) -> Section:
        """Chapter of a report: counts, shares and durations only, no personal data."""
        checks, blocks = self.checks, [b for part in self.parts for b in part.blocks]
        lead = self.lead
        if checks:
            held = sum(c.covered for c in checks)
            lead += f" {held} of the {len(checks)} intervals that can be checked here hold the truth."
            rows = [(c.name, *c.texts()) for c in checks]
            caption = "Estimates, with their intervals, against what the simulation knows to be true."
            blocks += [
                Heading("Against the truth"),
                Table(("measure", "estimate", "truth", "held"), rows, caption),
            ]
        return Section(self.title, lead, key=[p.key for p in self.parts], blocks=blocks)


def customers_of(people: People, record_id: NDArray[np.object_]) -> NDArray[np.int64]:
    """(n,) customer found behind each record id of a table of the brand; -1 = unknown."""
    plain = [r.partition(":")[2] for r in people.table.record_id.tolist()]
    label = dict(zip(plain, people.labels.tolist(), strict=True))
    return np.array([label.get(r, -1) for r in record_id.tolist()], np.int64)


def orders_of(brand: Brand, people: People, rows: NDArray[np.int64] | None = None, **columns: object) -> OrderTable:
    """Orders of the customers that were found, `"c0"` and so on, errors of recognition included.

    Parameters
    ----------
    rows : (n,) rows of the brand's orders, optional
        In which order, each as often as there are lines of it; None takes every order once.
    columns : cells of each row
        More than customer, time, amount, currency and order id, or others.
    """
    orders = brand.orders
    at = np.arange(len(orders["order_id"])) if rows is None else rows
    index = CustomerIndex.of([f"c{i}" for i in range(len(people))])
    customer = customers_of(people, orders["record_id"])[at]
    taken = {name: orders[name][at] for name in ("amount_minor", "currency", "order_id")}
    cells = {
        "customer": [index.ids[c] if c >= 0 else None for c in customer.tolist()],
        "time": orders["time"][at].astype("datetime64[us]"), **taken, **columns,
    }  # fmt: skip
    return OrderTable.from_frame(cells, customers=index, zone="UTC")


def lines_of(brand: Brand, people: People) -> OrderTable:
    """Order lines with their products; see `orders_of`."""
    lines = brand.order_lines
    place = {name: i for i, name in enumerate(brand.orders["order_id"].tolist())}
    rows = np.array([place[name] for name in lines["order_id"].tolist()], np.int64)
    more = {"amount_minor": lines["amount_minor"], "product": lines["sku"], "quantity": lines["quantity"]}
    return orders_of(brand, people, rows, **more)
