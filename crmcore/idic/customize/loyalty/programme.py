"""A programme as data: what earns, what it is worth, what points buy, how long things live."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore._base import html_table, listed, named
from crmcore.documents import Document
from crmcore.errors import BadDocument, CurrencyMismatch, EmptyInput, OutOfRange
from crmcore.idic.customize.loyalty.coupons import Coupon
from crmcore.idic.customize.loyalty.earning import Bonus, Earn, Earned, asked, points_for
from crmcore.idic.customize.loyalty.purchases import Purchase
from crmcore.idic.customize.loyalty.validity import FOREVER, Validity
from crmcore.ledger import IfSpent, Limit
from crmcore.rules import Rule
from crmcore.values import Money
from crmcore.values.words import word
from crmcore.zones import zone_of

__all__ = ["Programme", "Reward", "stamp_card"]


def _account_name(_instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not isinstance(value, str) or not value.strip() or ":" in value:
        raise EmptyInput(attribute.name, "a name without a colon: accounts are called by it")


def _count(_instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and (type(value) is not int or value < 1):
        raise OutOfRange(attribute.name, value, "a whole number above 0", "100 points, 30 days")


@attrs.frozen(kw_only=True)
class Reward(Document):
    """What points buy: pieces of a coupon.

    Parameters
    ----------
    name : text
    points : count
        Price, or the milestone where points are kept.
    coupon : text
        Name of the coupon of which a piece is issued.
    automatic : truth
        Issued as soon as the points are there, not when somebody asks.
    keeps_points : truth
        Points are not spent: a piece for each so many points ever earned. Only with `automatic`.
    when : condition, optional
        Who may ask for it, over facts of the customer; unknown is no. Only without `automatic`.
    """

    name: str = attrs.field(validator=_account_name)
    points: int = attrs.field(validator=_count)
    coupon: str
    automatic: bool = False
    keeps_points: bool = False
    when: Rule | None = attrs.field(default=None, converter=asked)

    def __attrs_post_init__(self) -> None:
        if self.automatic and self.when is not None:
            raise OutOfRange("when", str(self.when), "nothing with automatic", "nobody asks, so nothing is asked")
        if self.keeps_points and not self.automatic:
            raise OutOfRange("keeps_points", True, "only with automatic", "a milestone is reached, not bought")

    def __str__(self) -> str:
        price = f"at each {self.points} points ever earned" if self.keeps_points else f"for {self.points} points"
        return f"{self.name}: {self.coupon} {price}{', at once' if self.automatic else ''}"


def _zone(zone: ZoneInfo | str) -> str:
    return str(zone_of(zone))


def _if_spent(value: IfSpent | str) -> IfSpent:
    return word(IfSpent, value, "policy for spent lots")


def _earns(value: Iterable[Earn]) -> tuple[Earn, ...]:
    return listed(value, "earns", Earn, what="rules", hint='earns=[Earn(name="visit", points=1)]')


def _bonuses(value: Iterable[Bonus]) -> tuple[Bonus, ...]:
    return listed(value, "bonuses", Bonus, what="bonuses", hint='bonuses=[Bonus(name="double", times=2)]')


def _rewards(value: Iterable[Reward]) -> tuple[Reward, ...]:
    return listed(value, "rewards", Reward, what="rewards", hint="rewards=[Reward(...)]")


def _coupons(value: Iterable[Coupon]) -> tuple[Coupon, ...]:
    return listed(value, "coupons", Coupon, what="coupons", hint="coupons=[Coupon(...)]")


@attrs.frozen(kw_only=True, repr=False)
class Programme(Document):
    """Terms of a programme. Keep each version: a refund goes by the terms of its purchase.

    Parameters
    ----------
    name : text
    currency : ISO 4217
    zone : IANA name
        Whose calendar and clock count; never guessed.
    earns : rules
        All that hold add up.
    bonuses : bonuses
    rewards, coupons : what points buy
    unit : text
        What is counted: `"point"`, `"stamp"`.
    validity : Validity
        Life of points from their purchase.
    pending_days : days
        Points open only then: the time in which goods may come back.
    at_most : points, optional
        Most that one purchase earns.
    worth : Money, optional
        What one point pays at the till. None: points buy rewards only.
    if_spent : IfSpent
        When goods come back whose points are gone: `"debt"` (the next points repay), `"write off"`, `"refuse"`.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from crmcore.rules import field
    >>> club = Programme(
    ...     name="club", currency="THB", zone="Asia/Bangkok",
    ...     earns=[Earn(name="base", points=1, per=Money.of("25", "THB"))],
    ...     bonuses=[Bonus(name="double weekend", times=2, when=field("weekday").isin(["sat", "sun"]))],
    ...     validity=Validity(months=12, to_end_of="month"),
    ... )
    >>> saturday = local(2026, 6, 6, 12, zone="Asia/Bangkok")
    >>> print(club.points(Purchase.of("till-1", "7", Money.of("510", "THB"), at=saturday)))
    40 point
      20 by base: 1 for each 25.00 THB of 510.00 THB
      20 by double weekend: 2 times base on 1 for each 25.00 THB of 510.00 THB
      until 2027-07-01
    """

    name: str = attrs.field(validator=_account_name)
    currency: str
    zone: str = attrs.field(converter=_zone)
    earns: tuple[Earn, ...] = attrs.field(converter=_earns)
    bonuses: tuple[Bonus, ...] = attrs.field(default=(), converter=_bonuses)
    rewards: tuple[Reward, ...] = attrs.field(default=(), converter=_rewards)
    coupons: tuple[Coupon, ...] = attrs.field(default=(), converter=_coupons)
    unit: str = "point"
    validity: Validity = FOREVER
    pending_days: int = 0
    at_most: int | None = attrs.field(default=None, validator=_count)
    worth: Money | None = None
    if_spent: IfSpent = attrs.field(default=IfSpent.DEBT, converter=_if_spent)

    def __attrs_post_init__(self) -> None:
        faults = [*self._foreign(), *self._again(), *self._missing()]
        if type(self.pending_days) is not int or not 0 <= self.pending_days <= 3650:
            faults.append(f"pending_days: {self.pending_days!r} is no number of days from 0 to 3,650")
        if not self.earns:
            faults.append("earns: no rule, so nothing would ever be earned")
        if faults:
            raise BadDocument(f"programme {self.name!r}", tuple(faults), "repair these terms")

    def _foreign(self) -> Iterable[str]:
        _ = Money(0, self.currency)
        for what, money in (*((e.name, e.per) for e in self.earns), ("worth", self.worth)):
            if money is not None and money.currency != self.currency:
                yield str(CurrencyMismatch(self.currency, money.currency)).partition("\n")[0] + f" in {what}"
        for coupon in self.coupons:
            for currency in coupon.currencies:
                if currency != self.currency:
                    yield f"coupon {coupon.name}: its terms are in {currency}, the programme in {self.currency}"

    def _again(self) -> Iterable[str]:
        rules = [e.name for e in self.earns] + [b.name for b in self.bonuses]
        for kind, names in (
            ("rule", rules),
            ("reward", [r.name for r in self.rewards]),
            ("coupon", [c.name for c in self.coupons]),
        ):
            yield from (f"{kind} {n!r}: named twice" for i, n in enumerate(names) if n in names[:i])

    def _missing(self) -> Iterable[str]:
        known = {c.name for c in self.coupons}
        for reward in self.rewards:
            if reward.coupon not in known:
                yield f"reward {reward.name}: no coupon {reward.coupon!r} among {sorted(known)}"

    def __repr__(self) -> str:
        return f"Programme({self.name!r}, {len(self.earns)} rules, {len(self.rewards)} rewards, {self.currency})"

    def __str__(self) -> str:
        parts = [*self.earns, *self.bonuses, *self.rewards, *self.coupons]
        life = f"{self.unit}s live {self.validity}"
        wait = f", open after {self.pending_days} days" if self.pending_days else ""
        return "\n".join(
            [f"{self.name} ({self.currency}, {self.zone}):", *(f"- {p}" for p in parts), f"- {life}{wait}"]
        )

    def _repr_html_(self) -> str:
        kinds = (("earn", self.earns), ("bonus", self.bonuses), ("reward", self.rewards), ("coupon", self.coupons))
        rows = [{"what": kind, "terms": str(part)} for kind, parts in kinds for part in parts]
        return html_table(rows, caption=f"{self.name}, {self.currency}", limit=40)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Limits per customer as the ledger keeps them."""
        return tuple(
            Limit(
                kind="earn",
                at_most=c.per_customer,
                per="total",
                unit="coupon",
                accounts=f"{self.name}:coupon:{c.name}:",
            )
            for c in self.coupons
            if c.per_customer is not None
        )

    def coupon(self, name: str) -> Coupon:
        """Coupon of a name; `UnknownName` proposes the nearest."""
        return named(self.coupons, "name", name, what="coupon")

    def reward(self, name: str) -> Reward:
        """Reward of a name; `UnknownName` proposes the nearest."""
        return named(self.rewards, "name", name, what="reward")

    def points(self, purchase: Purchase) -> Earned:
        """What a purchase earns, and why; nothing is written.

        Raises
        ------
        CurrencyMismatch
            The purchase is in another currency.
        """
        purchase.in_currency(self.currency)
        zone = zone_of(self.zone)
        parts, unknown = points_for(purchase, self.earns, self.bonuses, zone=zone)
        whole = sum(part.points for part in parts)
        total = whole if self.at_most is None else min(whole, self.at_most)
        opens = purchase.at + timedelta(days=self.pending_days) if self.pending_days else None
        return Earned(
            purchase=purchase.id, parts=tuple(parts), total=total, unit=self.unit, available_at=opens,
            expires_at=self.validity.ends(purchase.at, zone=zone), unknown=tuple(unknown), capped=whole - total,
        )  # fmt: skip


def stamp_card(
    name: str, *, stamps: int, gives: Coupon, currency: str, zone: str, validity: Validity = FOREVER
) -> Programme:
    """A card with so many stamps, one a visit: a full card is exchanged for a piece of a coupon at once.

    Examples
    --------
    >>> from crmcore.idic.customize.loyalty import FreeItem
    >>> print(stamp_card("coffee", stamps=8, gives=Coupon(name="cup", gives=FreeItem()), currency="THB",
    ...                  zone="Asia/Bangkok", validity=Validity(months=12)))
    coffee (THB, Asia/Bangkok):
    - visit: 1 for each purchase
    - full card: cup for 8 points, at once
    - cup: one piece free, for ever
    - stamps live 12 months
    """
    return Programme(
        name=name, currency=currency, zone=zone, unit="stamp", validity=validity, coupons=[gives],
        earns=[Earn(name="visit", points=1)],
        rewards=[Reward(name="full card", points=stamps, coupon=gives.name, automatic=True)],
    )  # fmt: skip
