"""Coupons: what they take off, of what, on which terms, and with which others."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import attrs

from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.customize.loyalty.earning import asked, exact
from crmcore.idic.customize.loyalty.validity import FOREVER, Validity
from crmcore.rules import Rule
from crmcore.values import Money

__all__ = ["AmountOff", "Coupon", "FreeItem", "PercentOff"]


def _percent(_instance: object, attribute: attrs.Attribute[Decimal], value: Decimal) -> None:
    if not 0 < value <= 100:
        raise OutOfRange(attribute.name, value, "above 0 and at most 100", "PercentOff(20) is a fifth off")


def _positive(_instance: object, attribute: attrs.Attribute[Money], value: Money) -> None:
    if not isinstance(value, Money) or value.amount_minor <= 0:
        raise OutOfRange(attribute.name, value, "money above 0", "Money.of('50', 'THB')")


@attrs.frozen
class PercentOff(Document):
    """So many percent of the price of each line, as other coupons left it, rounded down to the minor unit."""

    percent: Decimal = attrs.field(converter=exact, validator=_percent)

    def __str__(self) -> str:
        return f"{self.percent} % off"


@attrs.frozen
class AmountOff(Document):
    """An amount off the lines together, at most what they cost."""

    amount: Money = attrs.field(validator=_positive)

    def __str__(self) -> str:
        return f"{self.amount} off"


@attrs.frozen
class FreeItem(Document):
    """The price of one piece: the dearest of the lines for which the coupon holds."""

    def __str__(self) -> str:
        return "one piece free"


def _name(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.strip() or ":" in value:
        raise EmptyInput(attribute.name, "give the coupon a name without a colon: its accounts are called by it")


def _limit(_instance: object, attribute: attrs.Attribute[int | None], value: int | None) -> None:
    if value is not None and (type(value) is not int or value < 0):
        raise OutOfRange(attribute.name, value, "a whole number from 0, or None", "None means no limit")


@attrs.frozen(kw_only=True)
class Coupon(Document):
    """A definition; pieces of it are held on accounts, one unit a use.

    Parameters
    ----------
    name : text
    gives : PercentOff, AmountOff or FreeItem
    when : condition, optional
        Lines that it is for, asked as in `Earn`; unknown is no.
    minimum : Money, optional
        Least amount of these lines, before any coupon.
    group : text
        At most one coupon of a group in one purchase; "" is no group.
    alone : truth
        Not with any other coupon.
    at_most : Money, optional
        Most that it takes off.
    validity : Validity
        Life of each piece from its issue.
    per_customer : count, optional
        Pieces that one customer may ever get.
    in_all : count, optional
        Pieces that there are: the budget.

    Examples
    --------
    >>> fifth = Coupon(name="welcome", gives=PercentOff(20), at_most=Money.of("100", "THB"), validity=Validity(days=30))
    >>> print(fifth)
    welcome: 20 % off, at most 100.00 THB, for 30 days
    """

    name: str = attrs.field(validator=_name)
    gives: PercentOff | AmountOff | FreeItem
    when: Rule | None = attrs.field(default=None, converter=asked)
    minimum: Money | None = None
    group: str = ""
    alone: bool = False
    at_most: Money | None = None
    validity: Validity = FOREVER
    per_customer: int | None = attrs.field(default=None, validator=_limit)
    in_all: int | None = attrs.field(default=None, validator=_limit)

    def __str__(self) -> str:
        terms = [str(self.gives)]
        if self.when is not None:
            terms.append(str(self.when).partition(": ")[2].removesuffix("."))
        if self.minimum is not None:
            terms.append(f"from {self.minimum}")
        if self.at_most is not None:
            terms.append(f"at most {self.at_most}")
        if self.alone:
            terms.append("not with others")
        elif self.group:
            terms.append(f"one of {self.group}")
        return f"{self.name}: {', '.join(terms)}, {_life(self.validity)}"

    @property
    def currencies(self) -> tuple[str, ...]:
        """Currencies that its terms name."""
        given = (self.minimum, self.at_most, self.gives.amount if isinstance(self.gives, AmountOff) else None)
        return tuple(sorted({m.currency for m in given if m is not None}))

    def off(self, left: list[int], each: list[int], covered: Iterable[int]) -> list[int]:
        """Minor units that it takes off each line, given what is left to pay of each.

        Parameters
        ----------
        left : minor units of each line
        each : price of one piece of each line
        covered : places of the lines for which it holds
        """
        places = [i for i in covered if left[i] > 0]
        found = [0] * len(left)
        if isinstance(self.gives, PercentOff):
            for i in places:
                found[i] = int(left[i] * Fraction(self.gives.percent) / 100)
        elif isinstance(self.gives, AmountOff):
            found = spread(min(self.gives.amount.amount_minor, sum(left[i] for i in places)), left, places)
        elif places:
            dearest = min(places, key=lambda i: (-min(each[i], left[i]), i))
            found[dearest] = min(each[dearest], left[dearest])
        if self.at_most is not None and sum(found) > self.at_most.amount_minor:
            found = spread(self.at_most.amount_minor, found, [i for i in places if found[i]])
        return found


def _life(validity: Validity) -> str:
    return str(validity) if validity.endless else f"for {validity}"


def spread(amount: int, weights: list[int], places: Iterable[int]) -> list[int]:
    """Cut an amount over places in proportion to their weights, to the last unit; never more than a weight.

    The odd units go to the largest remainders, then to the first places.

    Examples
    --------
    >>> spread(10, [100, 100, 100], [0, 1, 2])
    [4, 3, 3]
    """
    those = list(places)
    total = sum(weights[i] for i in those)
    found = [0] * len(weights)
    if not total:
        return found
    for i in those:
        found[i] = amount * weights[i] // total
    odd = amount - sum(found)
    by_remainder = sorted(those, key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[:odd]:
        found[i] += 1
    return found
