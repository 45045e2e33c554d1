"""Rules of a product and of its price, each with a name: what goes together, what does not, what it costs then."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import combinations

import attrs

from crmcore._base import listed
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.rules.nodes import AllOf, AnyOf, Condition, Not, condition
from crmcore.values import Money

__all__ = [
    "Kind",
    "PriceRule",
    "ProductRule",
    "Table",
    "bundle",
    "excludes",
    "implies",
    "must",
    "requires",
    "surcharge",
    "table",
]

Cell = str | bool | int | float | Decimal


class Kind(enum.StrEnum):
    """What a rule says about its conditions."""

    REQUIRES = "requires"
    IMPLIES = "implies"
    EXCLUDES = "excludes"
    MUST = "must"


_PARTS = {Kind.REQUIRES: 2, Kind.IMPLIES: 2, Kind.MUST: 1}


def _named(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise WrongType("name of a rule", repr(value), "a text", "explanations quote it: 'leather needs sport or lux'")


def _conditions(value: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(condition(part) for part in value)


@attrs.frozen
class ProductRule:
    """What must hold in every product that can be made.

    Attributes
    ----------
    name : what explanations call it
    kind : requires and implies (the first condition brings the second), excludes (no two of them together), must
    parts : its conditions, written with `crmcore.rules.field`
    because : why, for whoever reads the explanation
    """

    name: str = attrs.field(validator=_named)
    kind: Kind = attrs.field(converter=Kind)
    parts: tuple[Condition, ...] = attrs.field(converter=_conditions)
    because: str = ""

    def __attrs_post_init__(self) -> None:
        need = _PARTS.get(self.kind)
        if (need is None and len(self.parts) < 2) or (need is not None and len(self.parts) != need):
            allowed = "2 or more conditions" if need is None else f"{need} condition{'s' * (need > 1)}"
            raise OutOfRange(f"conditions of {self.name!r}", len(self.parts), allowed, f"see {self.kind}()")

    @property
    def condition(self) -> Condition:
        """The rule as one condition that every product fulfils."""
        if self.kind is Kind.MUST:
            return self.parts[0]
        if self.kind is Kind.EXCLUDES:
            return AllOf(tuple(AnyOf((Not(a), Not(b))) for a, b in combinations(self.parts, 2)))
        return AnyOf((Not(self.parts[0]), self.parts[1]))

    def __str__(self) -> str:
        if self.kind is Kind.MUST:
            said = f"{self.parts[0]}"
        elif self.kind is Kind.EXCLUDES:
            said = f"never together: {'; '.join(map(str, self.parts))}"
        else:
            said = f"{self.parts[0]} {self.kind} {self.parts[1]}"
        return f"{self.name}: {said}" + (f" ({self.because})" if self.because else "")


def _rows(value: Iterable[Sequence[Cell]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        tuple(row) for row in listed(value, "rows", (list, tuple), what="rows", hint="write [['a', 'b'], ...]")
    )


def _columns(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(listed(value, "attributes", str, what="names of attributes", hint="write ['engine', 'gearbox']"))


@attrs.frozen
class Table:
    """Combinations that can be made (or, with `allowed=False`, that cannot); a cell "*" stands for any value."""

    name: str = attrs.field(validator=_named)
    attributes: tuple[str, ...] = attrs.field(converter=_columns)
    rows: tuple[tuple[Cell, ...], ...] = attrs.field(converter=_rows)
    allowed: bool = True
    because: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.attributes or not self.rows:
            raise EmptyInput(f"table {self.name!r}", "give its attributes and at least one row")
        if len(set(self.attributes)) != len(self.attributes):
            raise OutOfRange(
                f"attributes of {self.name!r}", list(self.attributes), "each once", "drop the repeated one"
            )
        odd = [i for i, row in enumerate(self.rows) if len(row) != len(self.attributes)]
        if odd:
            hint = f"one cell for each of {list(self.attributes)}; '*' stands for any value"
            raise OutOfRange(f"rows {odd[:5]} of table {self.name!r}", "short or long", "one cell a column", hint)

    def __str__(self) -> str:
        verb = "one of" if self.allowed else "none of"
        what = f"{self.name}: {' / '.join(self.attributes)} is {verb} {len(self.rows)} combinations"
        return what + (f" ({self.because})" if self.because else "")


@attrs.frozen
class PriceRule:
    """An amount that is added where a condition holds; a negative one is a discount."""

    name: str = attrs.field(validator=_named)
    when: Condition = attrs.field(converter=condition)
    price: Money = attrs.field(validator=attrs.validators.instance_of(Money))

    def __str__(self) -> str:
        return f"{self.name}: {self.price} when {self.when}"


def requires(name: str, when: Condition, /, *, then: Condition, because: str = "") -> ProductRule:
    """Where one condition holds, the other must.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> print(requires("no bare lux", field("trim") == "lux", then=field("seat") == "leather"))
    no bare lux: trim is "lux" requires seat is "leather"
    """
    return ProductRule(name, Kind.REQUIRES, (when, then), because)


def implies(name: str, when: Condition, /, *, then: Condition, because: str = "") -> ProductRule:
    """Where one condition holds, the other follows: the same rule as `requires`, in the words of a consequence."""
    return ProductRule(name, Kind.IMPLIES, (when, then), because)


def excludes(name: str, /, *conditions: Condition, because: str = "") -> ProductRule:
    """No two of the conditions hold together.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> print(excludes("one roof", field("rack") == "yes", field("roof") == "glass", because="glass bears no load"))
    one roof: never together: rack is "yes"; roof is "glass" (glass bears no load)
    """
    return ProductRule(name, Kind.EXCLUDES, conditions, because)


def must(name: str, condition: Condition, /, *, because: str = "") -> ProductRule:
    """A condition that every product fulfils, arithmetic included: `field("left") + field("right") <= 3`."""
    return ProductRule(name, Kind.MUST, (condition,), because)


def table(
    name: str, columns: Mapping[str, Sequence[Cell]] | Sequence[str], /, *, rows: Iterable[Sequence[Cell]] = (),
    allowed: bool = True, because: str = "",
) -> Table:  # fmt: skip
    """Combinations that can be made, as column names and rows, or as a mapping of columns.

    Examples
    --------
    >>> print(table("drive lines", ["engine", "gearbox"], rows=[["petrol", "manual"], ["electric", "*"]]))
    drive lines: engine / gearbox is one of 2 combinations
    """
    if isinstance(columns, Mapping):
        sizes = {len(c) for c in columns.values()}
        if len(sizes) > 1:
            raise OutOfRange(f"columns of table {name!r}", sorted(sizes), "one length", "give each column a cell a row")
        return Table(name, tuple(columns), tuple(zip(*columns.values(), strict=True)), allowed, because)
    return Table(name, columns, rows, allowed, because)


def surcharge(name: str, when: Condition, /, *, price: Money) -> PriceRule:
    """An amount that is added where a condition holds."""
    return PriceRule(name, when, price)


def bundle(name: str, /, *parts: Condition, saves: Money) -> PriceRule:
    """What is taken off where all the parts are chosen together.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> from crmcore.values import Money
    >>> print(bundle("winter", field("tyres") == "winter", field("heating") == "yes", saves=Money.of(100, "EUR")))
    winter: -100.00 EUR when tyres is "winter" and heating is "yes"
    """
    if len(parts) < 2:
        raise OutOfRange(f"parts of bundle {name!r}", len(parts), "2 or more", "use surcharge() for one condition")
    return PriceRule(name, AllOf(parts), -saves)
