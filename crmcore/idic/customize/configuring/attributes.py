"""What a customer can choose about a product: options, yes or no, quantities and sizes in steps.

Every attribute ends as a short list of values; a set of values is a bit mask over that list, lowest bit first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import attrs

from crmcore._base import between, listed
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.values import Money

__all__ = ["NONE", "Attribute", "Choice", "Flag", "NotOnOffer", "Option", "Range", "decimal_of"]

NONE = "none"
"""Value of an optional attribute that is left out."""
MOST_VALUES = 2_000
Written = str | bool | int | float | Decimal
"""How a caller may write a value."""


@attrs.define(eq=False)
class NotOnOffer(OutOfRange):
    """A number is not one of the steps of its range; the nearest that is on offer travels with the error."""

    nearest: str


def _name(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        hint = "names are what rules and people say, such as 'seat' or 'leather'"
        raise WrongType(attribute.name, repr(value), "a text without blanks at its ends", hint)


def _money(_instance: object, attribute: attrs.Attribute[Money | None], value: object) -> None:
    if value is not None and not isinstance(value, Money):
        hint = "write Money.of('250.00', 'THB'); leave it out where it costs nothing more"
        raise WrongType(attribute.name, f"a {type(value).__name__}", "Money or None", hint)


_days = between(0, 36_500, hint="days until this is there; 0 where it is in stock")


def _allergens(value: Iterable[str] | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(sorted(set(listed(value, "contains", str, what="allergens", hint="write ['nuts'], or [] for none"))))


def _tastes(value: Mapping[str, float]) -> dict[str, float]:
    given: object = value
    if not isinstance(given, Mapping):
        raise WrongType("tastes", f"a {type(value).__name__}", "a mapping of tastes", "write {'sweet': 0.8}")
    odd = [k for k, v in value.items() if isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v)]
    if odd:
        raise OutOfRange("tastes", odd[:5], "finite numbers", "how much of each taste this brings, such as 0 to 1")
    return {str(k): float(v) for k, v in value.items()}


@attrs.frozen
class Option:
    """One option of a choice.

    Attributes
    ----------
    name : what rules and people call it
    price : what it adds; None adds nothing
    lead_days : days until it is there
    contains : allergens; `[]` declares that there are none, None that nobody declared
    tastes : how much of each taste it brings
    """

    name: str = attrs.field(validator=_name)
    price: Money | None = attrs.field(default=None, validator=_money)
    lead_days: float = attrs.field(default=0.0, validator=_days, kw_only=True)
    contains: tuple[str, ...] | None = attrs.field(default=None, converter=_allergens, kw_only=True)
    tastes: Mapping[str, float] = attrs.field(factory=dict, converter=_tastes, kw_only=True, hash=False)


def _options(value: Iterable[Option | str]) -> tuple[Option, ...]:
    hint = "write ['cloth', Option('leather', price=...)]"
    items = listed(value, "options", (Option, str), what="options or their names", hint=hint)
    return tuple(Option(item) if isinstance(item, str) else item for item in items)


@attrs.frozen
class Choice:
    """One of several options; an optional choice may be left out, which is the value "none".

    Examples
    --------
    >>> Choice("seat", ["cloth", "leather"], optional=True).values
    ('none', 'cloth', 'leather')
    """

    name: str = attrs.field(validator=_name)
    options: tuple[Option, ...] = attrs.field(converter=_options)
    optional: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.options:
            raise EmptyInput(f"the list of options of {self.name!r}", "name at least one option")
        names = [*([NONE] if self.optional else []), *(o.name for o in self.options)]
        again = sorted({n for n in names if names.count(n) > 1})
        if again:
            hint = "'none' is there where the choice is optional; give each option a name of its own"
            raise OutOfRange(f"options of {self.name}", again, "each name once", hint)

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the options, "none" first where the choice is optional."""
        return ((NONE,) if self.optional else ()) + tuple(o.name for o in self.options)

    @property
    def labels(self) -> tuple[str, ...]:
        """Values as people read them."""
        return self.values

    @property
    def parts(self) -> tuple[Option, ...]:
        """Option behind each value."""
        return ((Option(NONE, contains=()),) if self.optional else ()) + self.options

    def position(self, value: Written) -> int:
        """Place of a value in `values`."""
        if value not in self.values:
            raise UnknownName(f"option of {self.name}", str(value), self.values)
        return self.values.index(str(value))


@attrs.frozen
class Flag:
    """Yes or no, such as a sunroof.

    Examples
    --------
    >>> Flag("sunroof").labels
    ('no', 'yes')
    """

    name: str = attrs.field(validator=_name)
    price: Money | None = attrs.field(default=None, validator=_money)
    lead_days: float = attrs.field(default=0.0, validator=_days, kw_only=True)
    contains: tuple[str, ...] | None = attrs.field(default=None, converter=_allergens, kw_only=True)
    tastes: Mapping[str, float] = attrs.field(factory=dict, converter=_tastes, kw_only=True, hash=False)

    @property
    def values(self) -> tuple[bool, ...]:
        """False, True."""
        return (False, True)

    @property
    def labels(self) -> tuple[str, ...]:
        """Values as people read them."""
        return ("no", "yes")

    @property
    def parts(self) -> tuple[Option, ...]:
        """Option behind each value."""
        more = Option("yes", self.price, lead_days=self.lead_days, contains=self.contains, tastes=self.tastes)
        return (Option("no", contains=()), more)

    def position(self, value: Written) -> int:
        """Place of a value in `values`; the words yes and no are understood."""
        for i in (0, 1):
            if value is self.values[i] or value == self.labels[i]:
                return i
        raise UnknownName(f"answer for {self.name}", str(value), self.labels)


def decimal_of(value: str | int | float | Decimal, name: str = "a number of a range") -> Decimal:
    """Exact number of what a caller wrote."""
    given: object = value
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        raise WrongType(name, f"a {type(value).__name__}", "a number", "write 205, '2.05' or 2.05")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise WrongType(name, repr(value), "a number", "write 205, '2.05' or 2.05") from None
    if not number.is_finite():
        raise OutOfRange(name, value, "a finite number", "give the real limit")
    return number


@attrs.frozen
class Range:
    """A quantity or a size from `low` to `high` in steps; exact, because numbers are kept as decimals.

    Attributes
    ----------
    price_per_unit : price of one unit (not of one step); a value's price is rounded half to even to the minor unit
    contains : allergens of every value above 0; `[]` declares that there are none, None that nobody declared

    Examples
    --------
    >>> width = Range("width", "0.80", "2.40", step="0.05", unit="m")
    >>> len(width.values), width.labels[-1]
    (33, '2.40 m')
    >>> width.values[width.position("2.05")]
    Decimal('2.05')
    """

    name: str = attrs.field(validator=_name)
    low: Decimal = attrs.field(converter=decimal_of)
    high: Decimal = attrs.field(converter=decimal_of)
    step: Decimal = attrs.field(default=Decimal(1), converter=decimal_of, kw_only=True)
    unit: str = attrs.field(default="", kw_only=True)
    price_per_unit: Money | None = attrs.field(default=None, validator=_money, kw_only=True)
    lead_days: float = attrs.field(default=0.0, validator=_days, kw_only=True)
    contains: tuple[str, ...] | None = attrs.field(default=None, converter=_allergens, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.step <= 0:
            raise OutOfRange("step", str(self.step), "above 0", "the smallest difference that you can make")
        if self.high < self.low:
            raise OutOfRange("high", str(self.high), f"{self.low} or more", "name the smaller end first")
        count = (self.high - self.low) / self.step
        if count > MOST_VALUES:
            hint = "take a coarser step, or cut the range into a choice of sizes and a smaller range"
            raise OutOfRange(f"steps of {self.name}", int(count), f"at most {MOST_VALUES}", hint)

    @property
    def values(self) -> tuple[Decimal, ...]:
        """All numbers on offer, ascending."""
        return tuple(self.low + i * self.step for i in range(int((self.high - self.low) / self.step) + 1))

    @property
    def labels(self) -> tuple[str, ...]:
        """Values as people read them."""
        unit = f" {self.unit}" if self.unit else ""
        return tuple(f"{v}{unit}" for v in self.values)

    @property
    def parts(self) -> tuple[Option, ...]:
        """Option behind each value: its price."""
        made = []
        for label, value in zip(self.labels, self.values, strict=True):
            lead, inside = (self.lead_days, self.contains) if value else (0.0, ())
            made.append(Option(label, self._price(value), lead_days=lead, contains=inside))
        return tuple(made)

    def _price(self, value: Decimal) -> Money | None:
        each = self.price_per_unit
        if each is None:
            return None
        minor = int((each.amount_minor * value).to_integral_value(ROUND_HALF_EVEN))
        return Money(minor, each.currency)

    def position(self, value: Written) -> int:
        """Place of a number in `values`; one between the steps is refused with the nearest."""
        if isinstance(value, str) and self.unit and value.endswith(f" {self.unit}"):
            value = value.removesuffix(f" {self.unit}")
        number = decimal_of(value)
        place = (number - self.low) / self.step
        last = len(self.values) - 1
        if place == int(place) and 0 <= place <= last:
            return int(place)
        near = self.values[min(max(int(place.to_integral_value()), 0), last)]
        unit = f" {self.unit}" if self.unit else ""
        allowed = f"{self.low} to {self.high}{unit} in steps of {self.step}"
        raise NotOnOffer(self.name, str(value), allowed, f"the nearest on offer is {near}", str(near))


Attribute = Choice | Flag | Range
"""One thing to choose."""
