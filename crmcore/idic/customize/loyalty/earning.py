"""Rules that earn: points for an amount, a piece or a purchase, times a bonus, each with its reason."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.idic.customize.loyalty.purchases import Purchase
from crmcore.rules import Rule
from crmcore.rules.nodes import Node, condition
from crmcore.rules.truth import Truth
from crmcore.values import Money
from crmcore.values.words import word

__all__ = ["Bonus", "Earn", "Earned", "EarnedPart", "Steps", "asked", "exact", "points_for"]


class Steps(enum.StrEnum):
    """How the part of an amount that fills no step counts; points are whole in the end, rounded down."""

    FULL = "full steps"
    PROPORTIONAL = "proportional"


def asked(value: Rule | Node | None) -> Rule | None:
    """A condition as a rule, so that it is written, read and explained like any other."""
    return value if value is None or isinstance(value, Rule) else Rule("when", condition(value))


def exact(value: Decimal | int | str) -> Decimal:
    """A factor without binary dust."""
    if isinstance(value, bool | float):
        raise WrongType("a factor", f"a {type(value).__name__}", "an int or a Decimal", "Decimal('1.5'), not 1.5")
    found = Decimal(value)
    if not found.is_finite():
        raise OutOfRange("a factor", value, "a finite number", "Decimal('1.5')")
    return found


def _name(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise EmptyInput(attribute.name, "give each rule a name that its reader knows")


def _points(_instance: object, attribute: attrs.Attribute[Decimal], value: Decimal) -> None:
    if value <= 0:
        raise OutOfRange(attribute.name, value, "above 0", "leave the rule out where nothing is earned")


def _steps(value: Steps | str) -> Steps:
    return word(Steps, value, "way to count steps")


@attrs.frozen(kw_only=True)
class Earn(Document):
    """Points for what is bought, or for coming at all.

    Parameters
    ----------
    name : text
    points : whole number or Decimal
        For each step of `per`, each piece, or each purchase.
    per : Money, optional
        Step of the amount of the lines for which `when` holds. None: once a purchase in which it holds.
    pieces : truth
        Points for each piece instead; only without `per`.
    when : condition, optional
        Asked of each line, with the facts of the purchase; of a purchase without lines once. Unknown earns nothing, and
        is named in `Earned.unknown`.
    steps : Steps
        `"full steps"` (1 point for each full 25 THB) or `"proportional"`.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> Earn(name="base", points=1, per=Money.of("25", "THB")).steps
    <Steps.FULL: 'full steps'>
    >>> Earn(name="bring a cup", points=5, when=field("own_cup")).when
    Rule('when', own_cup is yes)
    """

    name: str = attrs.field(validator=_name)
    points: Decimal = attrs.field(converter=exact, validator=_points)
    per: Money | None = None
    pieces: bool = False
    when: Rule | None = attrs.field(default=None, converter=asked)
    steps: Steps = attrs.field(default=Steps.FULL, converter=_steps)

    def __attrs_post_init__(self) -> None:
        if self.per is not None and (self.pieces or self.per.amount_minor <= 0):
            raise OutOfRange("per", str(self.per), "an amount above 0, without pieces", "per=Money.of('25', 'THB')")

    def exactly(self, amount_minor: int, quantity: int) -> Fraction:
        """Points of lines with this amount and these pieces, before rounding."""
        points = Fraction(self.points)
        if self.per is None:
            return points * (quantity if self.pieces else 1)
        if self.steps is Steps.FULL:
            return points * (amount_minor // self.per.amount_minor)
        return points * amount_minor / self.per.amount_minor

    def __str__(self) -> str:
        unit = "purchase" if self.per is None else str(self.per)
        return f"{self.name}: {self.points} for each {'piece' if self.pieces else unit}"


@attrs.frozen(kw_only=True)
class Bonus(Document):
    """Times the points of all earning rules, on the lines for which it holds; of several the greatest, never a product.

    Examples
    --------
    >>> from crmcore.rules import field
    >>> print(Bonus(name="double weekend", times=2, when=field("weekday").isin(["sat", "sun"])))
    double weekend: 2 times when weekday is one of "sat", "sun"
    """

    name: str = attrs.field(validator=_name)
    times: Decimal = attrs.field(converter=exact)
    when: Rule | None = attrs.field(default=None, converter=asked)

    def __attrs_post_init__(self) -> None:
        if self.times <= 1:
            raise OutOfRange("times", self.times, "above 1", "a bonus never takes points away")

    def __str__(self) -> str:
        when = "" if self.when is None else str(self.when).partition(": ")[2].removesuffix(".")
        return f"{self.name}: {self.times} times {when}".rstrip()


@attrs.frozen
class EarnedPart(Document):
    """Points of one rule, with the amount that they are for."""

    rule: str
    points: int
    because: str


@attrs.frozen(kw_only=True)
class Earned(Document):
    """What a purchase earns, and why.

    Parameters
    ----------
    purchase : id
    parts : tuple of EarnedPart
    total : points
        Sum of the parts, at most the programme's limit.
    available_at, expires_at : aware datetimes, optional
    unknown : names
        Rules whose facts do not say whether they hold.
    capped : points
        What a limit took.
    """

    purchase: str
    parts: tuple[EarnedPart, ...]
    total: int
    unit: str = "point"
    available_at: datetime | None = None
    expires_at: datetime | None = None
    unknown: tuple[str, ...] = ()
    capped: int = 0

    def __str__(self) -> str:
        lines = [f"{self.total} {self.unit}"]
        lines += [f"  {part.points} by {part.rule}: {part.because}" for part in self.parts]
        lines += [f"  0 by {name}: unknown facts earn nothing" for name in self.unknown]
        if self.capped:
            lines.append(f"  {-self.capped} above the limit")
        if self.available_at is not None:
            lines.append(f"  available from {self.available_at:%Y-%m-%d}")
        if self.expires_at is not None:
            lines.append(f"  until {self.expires_at:%Y-%m-%d}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [{"rule": p.rule, "points": p.points, "because": p.because} for p in self.parts]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a part: rule, points, because."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in ("rule", "points", "because")}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{self.total} {self.unit}")


def points_for(
    purchase: Purchase, earns: Sequence[Earn], bonuses: Sequence[Bonus], *, zone: ZoneInfo
) -> tuple[list[EarnedPart], list[str]]:
    """Parts of a purchase's points, and the rules whose facts are missing."""
    places: list[int | None] = [*range(len(purchase.lines))] or [None]
    facts = [purchase.line_facts(place, zone) for place in places]
    unknown: dict[str, None] = {}

    def holds(rule: Earn | Bonus, place: int) -> bool:
        if rule.when is None:
            return True
        truth = rule.when.decide(facts[place], now=purchase.at).truth
        if truth is Truth.UNKNOWN:
            unknown[rule.name] = None
        return truth is Truth.TRUE

    best = [_best([b for b in bonuses if holds(b, i)]) for i in range(len(places))]
    parts: list[EarnedPart] = []
    for earn in earns:
        held = [i for i in range(len(places)) if holds(earn, i)]
        if held:
            parts += _parts(purchase, earn, held, best)
    return parts, list(unknown)


def _best(held: Sequence[Bonus]) -> Bonus | None:
    return min(held, key=lambda b: (-b.times, b.name)) if held else None


def _parts(purchase: Purchase, earn: Earn, held: Sequence[int], best: Sequence[Bonus | None]) -> list[EarnedPart]:
    base = _sum(purchase, held)
    made = [EarnedPart(earn.name, int(earn.exactly(*base)), _because(purchase, earn, base))]
    for bonus in sorted({b.name: b for i in held if (b := best[i]) is not None}.values(), key=lambda b: b.name):
        those = [i for i in held if best[i] is bonus]
        if earn.per is None and not earn.pieces and len(those) < len(held):
            continue  # points for the purchase as a whole: only a bonus on the whole of it counts
        part = _sum(purchase, those)
        more = int(earn.exactly(*part) * (Fraction(bonus.times) - 1))
        because = f"{bonus.times} times {earn.name} on {_because(purchase, earn, part)}"
        made.append(EarnedPart(bonus.name, more, because))
    return [part for part in made if part.points]


def _sum(purchase: Purchase, places: Sequence[int]) -> tuple[int, int]:
    lines = [purchase.lines[i] for i in places] if purchase.lines else []
    return sum(x.amount_minor for x in lines), sum(x.quantity for x in lines)


def _because(purchase: Purchase, earn: Earn, base: tuple[int, int]) -> str:
    if earn.per is not None:
        return f"{earn.points} for each {earn.per} of {Money(base[0], purchase.currency)}"
    return f"{earn.points} for each of {base[1]} pieces" if earn.pieces else f"{earn.points} for the purchase"
