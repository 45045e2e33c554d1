"""What a programme rewards: purchases and visits, line by line, with the facts that its rules ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import aware, listed
from crmcore.documents import Document
from crmcore.errors import CurrencyMismatch, EmptyInput, OutOfRange, WrongType
from crmcore.values import Money

__all__ = ["WEEKDAYS", "Line", "Purchase"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _facts(value: Mapping[str, object]) -> Mapping[str, object]:
    given: object = value
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise WrongType("facts", f"a {type(value).__name__}", "a mapping of names", "facts={'channel': 'store'}")
    return MappingProxyType(dict(given))


def _named(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value:
        raise EmptyInput(attribute.name, "give it a name: texts, not empty")


def _count(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    least = 1 if attribute.name == "quantity" else 0
    if type(value) is not int or value < least:
        hint = "whole numbers; what is given back is a refund, not a negative line"
        raise OutOfRange(attribute.name, value, f"a whole number from {least}", hint)


@attrs.frozen
class Line(Document):
    """One line of a purchase.

    Parameters
    ----------
    product : text
    amount_minor : minor units
        Of the whole line, after discounts of the shop and before coupons and points. 0 or more.
    quantity : pieces
    facts : mapping, optional
        What rules may ask of a line: `{"category": "shoes"}`. JSON values.

    Examples
    --------
    >>> Line("shirt", 900_00, 2).each_minor
    45000
    """

    product: str = attrs.field(validator=_named)
    amount_minor: int = attrs.field(validator=_count)
    quantity: int = attrs.field(default=1, validator=_count)
    facts: Mapping[str, object] = attrs.field(factory=dict, converter=_facts, kw_only=True)

    @property
    def each_minor(self) -> int:
        """Price of one piece, rounded down."""
        return self.amount_minor // self.quantity


def _lines(value: Iterable[Line]) -> tuple[Line, ...]:
    return listed(value, "lines", Line, what="lines", hint='lines=[Line("shirt", 450_00)]')


@attrs.frozen(kw_only=True, repr=False)
class Purchase(Document):
    """A purchase, or a visit that bought nothing (no lines).

    Parameters
    ----------
    id : text
        Idempotency key: what a purchase earns is earned once, however often it is told.
    customer : text
        Never shown in a repr.
    at : aware datetime
    currency : ISO 4217
    lines : lines
    facts : mapping, optional
        What rules may ask of the whole purchase: `{"channel": "store"}`. JSON values.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> noon = local(2026, 6, 6, 12, zone="Asia/Bangkok")
    >>> visit = Purchase.of("till-1", "7", Money.of("250", "THB"), at=noon, facts={"channel": "store"})
    >>> visit, visit.total
    (Purchase('till-1', 1 line, 250.00 THB), Money(amount_minor=25000, currency='THB'))
    """

    id: str = attrs.field(validator=_named)
    customer: str = attrs.field(validator=_named)
    at: datetime = attrs.field(validator=aware)
    currency: str
    lines: tuple[Line, ...] = attrs.field(default=(), converter=_lines)
    facts: Mapping[str, object] = attrs.field(factory=dict, converter=_facts)

    def __attrs_post_init__(self) -> None:
        _ = Money(0, self.currency)  # refuses what is no currency

    @classmethod
    def of(
        cls, id: str, customer: str, amount: Money, *, at: datetime, facts: Mapping[str, object] | None = None
    ) -> Purchase:
        """A purchase of which only the amount is known: one line."""
        line = Line("purchase", amount.amount_minor)
        return cls(id=id, customer=customer, at=at, currency=amount.currency, lines=[line], facts=facts or {})

    def __repr__(self) -> str:
        n = len(self.lines)
        return f"Purchase({self.id!r}, {n} line{'s' if n != 1 else ''}, {self.total})"

    @property
    def total(self) -> Money:
        """Sum of the lines."""
        return Money(sum(line.amount_minor for line in self.lines), self.currency)

    def line_facts(self, place: int | None, zone: ZoneInfo) -> dict[str, Any]:
        """Facts that a rule is asked with: of a line, or of the purchase alone.

        Added to the facts given, which win: `amount` (money, of the whole purchase), `weekday` (`"mon"` to `"sun"`) and
        `hour` in the programme's zone, and of a line `product`, `quantity`, `line_amount`.
        """
        here = self.at.astimezone(zone)
        found: dict[str, Any] = {"amount": self.total, "weekday": WEEKDAYS[here.weekday()], "hour": here.hour}
        found |= self.facts
        if place is not None:
            line = self.lines[place]
            amount = Money(line.amount_minor, self.currency)
            found |= {"product": line.product, "quantity": line.quantity, "line_amount": amount, **line.facts}
        return found

    def in_currency(self, currency: str) -> Purchase:
        """The purchase itself, if it is in this currency.

        Raises
        ------
        CurrencyMismatch
            It is in another one: what it is worth there is not for a programme to guess.
        """
        if self.currency != currency:
            raise CurrencyMismatch(currency, self.currency)
        return self

    def with_lines(self, lines: Iterable[Line]) -> Purchase:
        """The same purchase with other lines."""
        return attrs.evolve(self, lines=tuple(lines))
