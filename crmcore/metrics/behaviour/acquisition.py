"""What a new customer costs, paid and blended, with an interval because the number won is random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs

from crmcore.errors import CurrencyMismatch, EmptyInput
from crmcore.metrics.estimates import Estimate, estimate_of, frame_of
from crmcore.metrics.rates import exact_rate_interval
from crmcore.metrics.scalars import above, entries, hold_counts, hold_reals

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Cac", "cac", "cac_by_channel"]


@attrs.frozen(kw_only=True)
class Cac:
    """Cost of winning customers, and how many were won for it; addable over channels and months.

    Attributes
    ----------
    spend : amount
        In any one unit (minor units keep cents whole).
    paid, referred : counts
        Customers won by what was spent, and by other customers for nothing.
    currency : text
        Of the spend, where it is stated; two currencies do not add up.

    Examples
    --------
    >>> print(Cac(spend=1000, paid=20, referred=5))
    paid     50 [32.4, 81.9] (95 %, n = 20, exact poisson)
    blended  40 [27.1, 61.8] (95 %, n = 25, exact poisson)
    """

    spend: float
    paid: int
    referred: int = 0
    currency: str = ""

    def __attrs_post_init__(self) -> None:
        hint = "refunds of one month belong to the month that was paid"
        hold_reals(self, "spend", hint=hint)
        above("spend", self.spend, least=0, allowed="0 or more", hint=hint)
        hold_counts(self, "paid", "referred", hint="count customers who bought for the first time")

    def __add__(self, other: Cac) -> Cac:
        """Spend and customers of both."""
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency or "(none)", other.currency or "(none)")
        return attrs.evolve(
            self, spend=self.spend + other.spend, paid=self.paid + other.paid, referred=self.referred + other.referred
        )

    def paid_cost(self, *, level: float = 0.95) -> Estimate:
        """Spend per customer won by it; see `cac`."""
        return self._cost(self.paid, "spend / paid customers", level=level)

    def blended_cost(self, *, level: float = 0.95) -> Estimate:
        """Spend per customer won in any way; see `cac`."""
        return self._cost(self.paid + self.referred, "spend / paid and referred customers", level=level)

    def _cost(self, won: int, rule: str, *, level: float) -> Estimate:
        fewest, most = (float(end) for end in exact_rate_interval(won, 1, level=level))
        unit = f" in {self.currency}" if self.currency else ""
        return estimate_of(
            self.spend / won if won else math.nan,
            self.spend / most,
            self.spend / fewest if fewest else math.inf,
            level=level,
            n=won,
            rule=rule + unit,
            method="exact poisson",
        )

    def __str__(self) -> str:
        return f"paid     {self.paid_cost()}\nblended  {self.blended_cost()}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return attrs.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Cac:
        """Read what `to_dict` wrote."""
        return cls(**fields)

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """Two rows: paid, blended."""
        parts = {"paid": self.paid_cost(level=level), "blended": self.blended_cost(level=level)}
        return frame_of([{"cost": name, **attrs.asdict(e)} for name, e in parts.items()], backend=backend)

    def chart(self, *, level: float = 0.95) -> Chart:
        """Both costs with their intervals."""
        from crmcore.charts import dot_interval

        parts = [self.paid_cost(level=level), self.blended_cost(level=level)]
        return dot_interval(["paid", "blended"], parts, title="Cost of a new customer", axis=self.currency)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def cac(spend: float, *, paid: int, referred: int = 0, currency: str = "") -> Cac:
    """Customer acquisition cost, paid and blended.

    Parameters
    ----------
    spend : amount
        Marketing and sales cost of the period, fixed by decision.
    paid, referred : counts
        New customers that the spend won, and those whom other customers brought. Both are random, so the costs have
        intervals: spend over the exact Poisson limits of the count (Garwood 1936, Biometrika 28:437). With no customer
        won the value is NaN and the cost has no upper end.
    currency : text
        Of the spend.

    Examples
    --------
    >>> cac(1000, paid=20, referred=5).paid_cost().value, cac(1000, paid=20, referred=5).blended_cost().value
    (50.0, 40.0)
    """
    return Cac(spend=spend, paid=paid, referred=referred, currency=currency)


def cac_by_channel(
    spend: Mapping[str, float],
    *,
    paid: Mapping[str, int],
    referred: Mapping[str, int] | None = None,
    currency: str = "",
) -> dict[str, Cac]:
    """Acquisition cost of every channel, in sorted order; their sum is the cost of all.

    Parameters
    ----------
    spend, paid, referred : mappings of channel
        A channel that is missing in one of them has 0 there: customers of a channel nobody paid for cost 0, spend that
        won nobody has no upper end.

    Examples
    --------
    >>> by = cac_by_channel({"ads": 900, "fair": 100}, paid={"ads": 18, "fair": 2}, referred={"ads": 5})
    >>> by["fair"].paid_cost().value, sum(by.values(), Cac(spend=0, paid=0)).blended_cost().value
    (50.0, 40.0)
    """
    hint = "name each channel: {'ads': 20}"
    spend, paid = entries("spend", spend, hint=hint), entries("paid", paid, hint=hint)
    brought = {} if referred is None else entries("referred", referred, hint=hint)
    channels = sorted({*spend, *paid, *brought})
    if not channels:
        raise EmptyInput("spend", "name at least one channel: {'ads': 900}")
    return {
        name: Cac(spend=spend.get(name, 0), paid=paid.get(name, 0), referred=brought.get(name, 0), currency=currency)
        for name in channels
    }
