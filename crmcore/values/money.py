"""Money: integer minor units of one currency."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import attrs

from crmcore.errors import CurrencyMismatch, OutOfRange, WrongType

__all__ = ["Money", "minor_digits"]

# ISO 4217 (2024) currencies whose minor unit is not 1/100
_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def minor_digits(currency: str) -> int:
    """Decimal digits between the major and the minor unit of a currency (ISO 4217).

    Examples
    --------
    >>> minor_digits("THB"), minor_digits("JPY"), minor_digits("KWD")
    (2, 0, 3)
    """
    return _DIGITS.get(currency, 2)


def _currency(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        hint = "write the ISO 4217 code, such as 'THB'"
        raise OutOfRange(attribute.name, value, "three capital letters", hint)


def _whole(_instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        hint = "amounts are integer minor units: Money.of('12.50', 'THB') converts"
        raise WrongType(attribute.name, f"a {type(value).__name__}", "an int", hint)


@attrs.frozen(order=False)
class Money:
    """An amount of one currency in integer minor units; adding two currencies is an error, not a number.

    Examples
    --------
    >>> fare = Money.of("39.00", "USD")
    >>> print(fare + Money(250, "USD"), -fare, 2 * fare, fare > Money(0, "USD"))
    41.50 USD -39.00 USD 78.00 USD True
    >>> fare + Money(100, "THB")
    Traceback (most recent call last):
        ...
    crmcore.errors.CurrencyMismatch: cannot combine USD and THB: expected one currency.
      hint: convert one side first
    """

    amount_minor: int = attrs.field(validator=_whole)
    currency: str = attrs.field(validator=_currency)

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Money:
        """Read an amount in major units; more digits than the currency has are an `OutOfRange`, never rounded away.

        Examples
        --------
        >>> Money.of("12.5", "THB")
        Money(amount_minor=1250, currency='THB')
        """
        try:
            minor = Decimal(amount).scaleb(minor_digits(currency))
        except ArithmeticError:
            raise OutOfRange(
                "amount", amount, "a decimal number", "write it as '1234.50', without separators"
            ) from None
        if minor != minor.to_integral_value():
            raise OutOfRange(
                "amount",
                amount,
                f"at most {minor_digits(currency)} decimals in {currency}",
                "round it the way your books do",
            )
        return cls(int(minor), currency)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.amount_minor).scaleb(-minor_digits(self.currency))

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount_minor

    def __str__(self) -> str:
        return f"{self.amount:.{minor_digits(self.currency)}f} {self.currency}"

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def __add__(self, other: Money) -> Money:
        return (
            Money(self.amount_minor + self._same(other), self.currency) if isinstance(other, Money) else NotImplemented
        )

    def __radd__(self, other: int) -> Money:
        # so that sum() works: it starts from 0
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __sub__(self, other: Money) -> Money:
        return (
            Money(self.amount_minor - self._same(other), self.currency) if isinstance(other, Money) else NotImplemented
        )

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __mul__(self, factor: int) -> Money:
        if not isinstance(factor, int) or isinstance(factor, bool):
            return NotImplemented
        return Money(self.amount_minor * factor, self.currency)

    __rmul__ = __mul__

    def share(self, fraction: Decimal) -> Money:
        """Part of an amount, rounded half to even to the minor unit.

        Examples
        --------
        >>> print(Money(1005, "THB").share(Decimal("0.1")))
        1.00 THB
        """
        return Money(int((self.amount_minor * fraction).to_integral_value(ROUND_HALF_EVEN)), self.currency)

    def split(self, n: int) -> tuple[Money, ...]:
        """Cut into `n` parts that sum to the whole; earlier parts take the odd minor units.

        Examples
        --------
        >>> [part.amount_minor for part in Money(100, "THB").split(3)]
        [34, 33, 33]
        """
        if n < 1:
            raise OutOfRange("n", n, "1 or more", "count the parts")
        each, odd = divmod(self.amount_minor, n)
        return tuple(Money(each + (i < odd), self.currency) for i in range(n))

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= self._same(other)
