"""What an account counts: a unit with a fixed number of decimals, kept as whole minor units."""

from __future__ import annotations

from decimal import Decimal

import attrs

from crmcore.errors import CurrencyMismatch, OutOfRange, WrongType
from crmcore.values import Money
from crmcore.values.money import minor_digits

__all__ = ["Unit", "unit_of"]

MOST_DIGITS = 9


def _word(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise OutOfRange(f"Unit.{attribute.name}", value, "a word", "such as 'point', 'stamp' or 'THB'")


def _digits(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if type(value) is not int or not 0 <= value <= MOST_DIGITS:
        hint = "digits=2 keeps hundredths, digits=0 whole pieces"
        raise OutOfRange(f"Unit.{attribute.name}", value, f"a whole number from 0 to {MOST_DIGITS}", hint)


@attrs.frozen(repr=False)
class Unit:
    """A unit of account: its name and how many decimals it has; amounts are whole multiples of the smallest part.

    Parameters
    ----------
    name : text
        `"point"`, `"stamp"`, `"coupon"`, an ISO 4217 code.
    digits : count
        Decimals between the unit and its smallest part: 0 for points, 2 for baht.

    Examples
    --------
    >>> from decimal import Decimal
    >>> half_points = Unit("point", digits=1)
    >>> half_points.minor(Decimal("2.5")), half_points.text(25), unit_of("THB")
    (25, '2.5 point', Unit('THB', digits=2))
    """

    name: str = attrs.field(validator=_word)
    digits: int = attrs.field(default=0, validator=_digits)

    def __repr__(self) -> str:
        return f"Unit({self.name!r}, digits={self.digits})"

    def minor(self, amount: int | Decimal | Money, *, name: str = "amount") -> int:
        """Whole minor units of an amount: a whole number is taken as it is, a Decimal is in units, money must match.

        Raises
        ------
        WrongType
            A float (0.1 has no exact value), a truth value, anything else.
        OutOfRange
            A Decimal with more decimals than the unit has, or one that is not finite.
        CurrencyMismatch
            Money of another currency.

        Examples
        --------
        >>> from decimal import Decimal
        >>> Unit("THB", digits=2).minor(1250), Unit("THB", digits=2).minor(Decimal("12.5"))
        (1250, 1250)
        """
        if type(amount) is int:
            return amount
        if isinstance(amount, Money):
            if amount.currency != self.name or self.digits != minor_digits(amount.currency):
                raise CurrencyMismatch(self.name, amount.currency)
            return amount.amount_minor
        if not isinstance(amount, Decimal):
            hint = f"whole minor units (int), or Decimal('12.50') with at most {self.digits} decimals"
            raise WrongType(name, f"a {type(amount).__name__}", "an int, a Decimal or Money", hint)
        scaled = amount.scaleb(self.digits) if amount.is_finite() else amount
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            hint = "round it the way your books do, or give the unit more digits"
            raise OutOfRange(name, amount, f"at most {self.digits} decimals in {self.name}", hint)
        return int(scaled)

    def number(self, minor: int) -> str:
        """The amount without the name: thousands apart, all decimals shown.

        Examples
        --------
        >>> unit_of("THB").number(123450)
        '1,234.50'
        """
        return f"{Decimal(minor).scaleb(-self.digits):,.{self.digits}f}"

    def text(self, minor: int) -> str:
        """The amount for eyes."""
        return f"{self.number(minor)} {self.name}"


def unit_of(unit: Unit | str) -> Unit:
    """Turn a word into a unit: a currency code has its ISO 4217 decimals, any other word none.

    Examples
    --------
    >>> unit_of("point"), unit_of("JPY")
    (Unit('point', digits=0), Unit('JPY', digits=0))
    """
    if isinstance(unit, Unit):
        return unit
    if not isinstance(unit, str):
        raise WrongType("unit", f"a {type(unit).__name__}", "a Unit or its name", "unit='point', unit=Unit('km', 1)")
    code = len(unit) == 3 and unit.isascii() and unit.isalpha() and unit.isupper()
    return Unit(unit, minor_digits(unit) if code else 0)
