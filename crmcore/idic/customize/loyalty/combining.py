"""Which coupons of a hand to use together: the exact best under their terms, with the reason against every other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, OutOfRange
from crmcore.idic.customize.loyalty.coupons import AmountOff, Coupon, FreeItem, PercentOff
from crmcore.idic.customize.loyalty.purchases import Purchase
from crmcore.rules.truth import Truth
from crmcore.values import Money
from crmcore.zones import zone_of

__all__ = ["Discounts", "NotUsed", "best_coupons", "discounts_of"]

MOST = 2**16  # hands to look at: beyond, the search could take seconds


@attrs.frozen
class NotUsed(Document):
    """A coupon that is left in the hand, and why."""

    coupon: str
    because: str


@attrs.frozen(kw_only=True)
class Discounts(Document):
    """What coupons take off a purchase.

    Parameters
    ----------
    used : names, in the order in which they apply
    off_minor : minor units by coupon and line
        Row i belongs to `used[i]`; columns are the lines of the purchase.
    not_used : tuple of NotUsed
    currency : ISO 4217
    """

    used: tuple[str, ...]
    off_minor: tuple[tuple[int, ...], ...]
    not_used: tuple[NotUsed, ...]
    currency: str

    @property
    def total(self) -> Money:
        """All that is taken off."""
        return Money(sum(map(sum, self.off_minor)), self.currency)

    @property
    def by_line(self) -> tuple[int, ...]:
        """Minor units taken off each line."""
        return tuple(map(sum, zip(*self.off_minor, strict=True)))

    def __str__(self) -> str:
        lines = [f"{self.total} off"]
        each = zip(self.used, self.off_minor, strict=True)
        lines += [f"  {Money(sum(off), self.currency)} by {name}" for name, off in each]
        lines += [f"  not {x.coupon}: {x.because}" for x in self.not_used]
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        rows = [
            {"coupon": name, "off_minor": sum(off), "because": "used"}
            for name, off in zip(self.used, self.off_minor, strict=True)
        ]
        return rows + [{"coupon": x.coupon, "off_minor": 0, "because": x.because} for x in self.not_used]

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a coupon: coupon, off_minor, because."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in ("coupon", "off_minor", "because")}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{self.total} off")


def best_coupons(purchase: Purchase, coupons: Iterable[Coupon], *, zone: ZoneInfo | str = "UTC") -> Discounts:
    """Find the coupons that together take most off a purchase.

    Free pieces come first, then percents, then amounts; each works on what those before it left; within a kind by
    name. At most one coupon of a group, and none beside one that stands alone. Of several best hands the one with the
    fewest coupons is taken, then the first by name. The search is exact: branch and bound, where the bound of a coupon
    is what it takes off alone, for beside others it never takes more.

    Parameters
    ----------
    purchase : Purchase
    coupons : coupons
        What the customer holds, each name once. Those that hold here may make 65,536 hands at most: 16 coupons without
        a group, or many more in groups.
    zone : zone
        In which weekday and hour are read.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from crmcore.idic.customize.loyalty import AmountOff, PercentOff
    >>> basket = Purchase.of("b", "7", Money.of("400", "THB"), at=local(2026, 6, 6, 12, zone="Asia/Bangkok"))
    >>> hand = [
    ...     Coupon(name="a tenth", gives=PercentOff(10), group="season"),
    ...     Coupon(name="a fifth", gives=PercentOff(20), group="season"),
    ...     Coupon(name="fifty", gives=AmountOff(Money.of("50", "THB"))),
    ... ]
    >>> print(best_coupons(basket, hand))
    130.00 THB off
      80.00 THB by a fifth
      50.00 THB by fifty
      not a tenth: one of season is used: a fifth
    """
    hand = listed(coupons, "coupons", Coupon, what="coupons", hint="the coupons that the customer holds")
    again = tuple(i for i, c in enumerate(hand) if c.name in {x.name for x in hand[:i]})
    if again:
        raise DuplicateIds("coupons", len(again), again, "name each once: a purchase uses one piece of a kind")
    covered, refused = _terms(purchase, hand, zone_of(zone))
    able = sorted((c for c in hand if c.name not in refused), key=_order)
    if (hands := _hands(able)) > MOST:
        hint = "put coupons that are not meant to be used together in one group"
        raise OutOfRange("coupons", f"{len(able)} with {hands:,} hands", f"at most {MOST:,} hands", hint)
    best = _search(purchase, able, covered)
    made = discounts_of(purchase, best, zone=zone)
    for coupon in able:
        if coupon not in best:
            refused[coupon.name] = _beaten(coupon, best)
    rest = tuple(NotUsed(name, refused[name]) for name in sorted(refused))
    return attrs.evolve(made, not_used=rest)


def discounts_of(purchase: Purchase, coupons: Iterable[Coupon], *, zone: ZoneInfo | str = "UTC") -> Discounts:
    """What these very coupons take off, in the order of `best_coupons`; terms that do not hold are errors.

    Raises
    ------
    OutOfRange
        A coupon cannot be used here, or not beside another one: which, and why.
    """
    hand = sorted(listed(coupons, "coupons", Coupon, what="coupons", hint="coupons to use together"), key=_order)
    covered, refused = _terms(purchase, hand, zone_of(zone))
    for coupon in hand:
        why = refused.get(coupon.name) or next((w for o in hand if o is not coupon and (w := _clash(coupon, o))), "")
        if why:
            raise OutOfRange("coupon", coupon.name, "one that holds here", f"leave it out: {why}")
    return Discounts(
        used=tuple(c.name for c in hand),
        off_minor=tuple(map(tuple, _applied(purchase, hand, covered))),
        not_used=(),
        currency=purchase.currency,
    )


def _order(coupon: Coupon) -> tuple[int, str]:
    return _STEPS[type(coupon.gives)], coupon.name


_STEPS = {FreeItem: 0, PercentOff: 1, AmountOff: 2}


def _hands(able: Sequence[Coupon]) -> int:
    """How many sets of coupons keep to their groups."""
    together = [c for c in able if not c.alone]
    groups = Counter(c.group for c in together if c.group)
    free = sum(not c.group for c in together)
    return len(able) - len(together) + prod((2**free, *(n + 1 for n in groups.values())))


def _terms(purchase: Purchase, hand: Sequence[Coupon], zone: ZoneInfo) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Lines that each coupon is for, and why some are of no use here."""
    facts = [purchase.line_facts(i, zone) for i in range(len(purchase.lines))]
    covered: dict[str, list[int]] = {}
    refused: dict[str, str] = {}
    for coupon in hand:
        foreign = [c for c in coupon.currencies if c != purchase.currency]
        truths = [
            Truth.TRUE if coupon.when is None else coupon.when.decide(f, now=purchase.at).truth for f in facts
        ] if not foreign else []  # fmt: skip
        places = [i for i, truth in enumerate(truths) if truth is Truth.TRUE and purchase.lines[i].amount_minor]
        covered[coupon.name] = places
        amount = sum(purchase.lines[i].amount_minor for i in places)
        if foreign:
            refused[coupon.name] = f"its terms are in {foreign[0]}, the purchase is in {purchase.currency}"
        elif not places:
            doubt = Truth.UNKNOWN in truths
            refused[coupon.name] = "whether it holds is unknown" if doubt else "no line for which it holds"
        elif coupon.minimum is not None and amount < coupon.minimum.amount_minor:
            refused[coupon.name] = f"{Money(amount, purchase.currency)} of at least {coupon.minimum}"
    return covered, refused


def _clash(one: Coupon, other: Coupon) -> str:
    """Why one coupon cannot stand beside another; empty where it can."""
    if one.alone:
        return f"it stands alone, not beside {other.name}"
    if other.alone:
        return f"{other.name} stands alone"
    return f"one of {one.group} is used: {other.name}" if one.group and one.group == other.group else ""


def _beaten(coupon: Coupon, best: Sequence[Coupon]) -> str:
    return next((why for other in best if (why := _clash(coupon, other))), "nothing is left for it to take off")


def _applied(purchase: Purchase, hand: Sequence[Coupon], covered: dict[str, list[int]]) -> list[list[int]]:
    left = [line.amount_minor for line in purchase.lines]
    each = [line.each_minor for line in purchase.lines]
    made = []
    for coupon in hand:
        off = coupon.off(left, each, covered[coupon.name])
        left = [a - b for a, b in zip(left, off, strict=True)]
        made.append(off)
    return made


def _search(purchase: Purchase, able: Sequence[Coupon], covered: dict[str, list[int]]) -> list[Coupon]:
    alone = {c.name: sum(map(sum, _applied(purchase, [c], covered))) for c in able}
    best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    chosen: list[Coupon] = []

    def visit(place: int, bound: int) -> None:
        nonlocal best, chosen
        if place == len(able):
            value = sum(map(sum, _applied(purchase, taken, covered)))
            key = (-value, len(taken), tuple(sorted(c.name for c in taken)))
            if key < best:
                best, chosen = key, list(taken)
            return
        if bound < -best[0]:
            return
        coupon = able[place]
        if not any(_clash(coupon, other) for other in taken):
            taken.append(coupon)
            visit(place + 1, bound)
            taken.pop()
        visit(place + 1, bound - alone[coupon.name])

    taken: list[Coupon] = []
    visit(0, sum(alone.values()))
    return chosen
