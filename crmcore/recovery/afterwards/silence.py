"""What good handling keeps and what silence costs, with the uncertainty of the prior that says so."""

from __future__ import annotations

from html import escape
from typing import Any

import attrs
import numpy as np

from crmcore._base import number_text
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.comparing import mover
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of
from crmcore.metrics.intervals import wilson_interval
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import count_of
from crmcore.recovery.remedies.staying import TARP, StayPrior
from crmcore.values import Money, Severity

__all__ = ["SilenceCost", "cost_of_silence", "value_of_handling"]

ENDINGS = ("silent", "not_satisfied", "satisfied", "satisfied_quickly")
DRAWS = 20_000


def _share(prior: StayPrior, severity: Severity | str | int, ending: str, level: float) -> Estimate:
    if ending not in ENDINGS:
        raise UnknownName("ending", ending, ENDINGS)
    p, n = float(getattr(prior.at(severity), ending)), prior.worth_of
    low, high = wilson_interval(p * n, n, level=level)
    return estimate_of(p, low, high, level=level, n=n, rule=f"stays, {ending}", method="wilson of prior")


def _worth(customer_value: Money) -> int:
    if not isinstance(customer_value, Money) or customer_value.amount_minor < 0:
        hint = "Money.of('400', 'USD'): what a customer who stays will be worth, net of service"
        raise OutOfRange("customer_value", str(customer_value), "Money of 0 or more", hint)
    return customer_value.amount_minor


def value_of_handling(
    complaints: int,
    customer_value: Money,
    *,
    severity: Severity | str | int = "normal",
    better: str = "satisfied_quickly",
    worse: str = "not_satisfied",
    prior: StayPrior = TARP,
    level: float = 0.95,
) -> Estimate:
    """Customer value that complaints keep when they end better rather than worse, in minor units.

    Parameters
    ----------
    complaints : count
    customer_value : Money
        What one customer who stays will be worth.
    severity : Severity
    better, worse : text
        `"silent"`, `"not_satisfied"`, `"satisfied"`, `"satisfied_quickly"`.
    prior : StayPrior
        Its evidence makes the interval; that customers differ and the times have changed stands in no interval.

    Returns
    -------
    Estimate
        complaints × value × (stay better − stay worse); n is the prior's.

    Examples
    --------
    >>> print(value_of_handling(100, Money.of(400, "USD"), severity="low"))
    1,960,000 [1,498,864, 2,354,352] (95 %, n = 200, prior TARP 1986)
    """
    check_level(level)
    count_of("complaints", complaints)
    scale = complaints * _worth(customer_value)
    gain = mover(_share(prior, severity, better, level), _share(prior, severity, worse, level), method="")
    return attrs.evolve(
        gain, value=gain.value * scale, low=gain.low * scale, high=gain.high * scale,
        rule=f"value kept, {better} rather than {worse}, minor units of {customer_value.currency}",
        method=f"prior {prior.name} {prior.year}",
    )  # fmt: skip


@attrs.frozen(kw_only=True)
class SilenceCost(Document):
    """Customers who said nothing, and what their leaving costs.

    Parameters
    ----------
    silent : Estimate
        Customers with the problem who did not complain.
    cost : Estimate
        Minor units: value that would have been kept, had they complained and been satisfied.
    currency, prior : text
    """

    silent: Estimate
    cost: Estimate
    currency: str
    prior: str

    def __str__(self) -> str:
        return f"silent  {self.silent}\ncost    {self.cost}, minor units of {self.currency}, by {self.prior}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows: silent customers, cost."""
        rows = {"silent customers": self.silent, "cost": self.cost}
        return frame_of([{"part": name, **attrs.asdict(e)} for name, e in rows.items()], backend=backend)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre><p>{escape(number_text(self.silent.value))} said nothing</p>"


def cost_of_silence(
    complaints: int,
    customer_value: Money,
    *,
    seed: int | np.random.Generator,
    silent: Counts | None = None,
    severity: Severity | str | int = "normal",
    ending: str = "satisfied",
    prior: StayPrior = TARP,
    level: float = 0.95,
) -> SilenceCost:
    """What those cost who never complained, from how many did.

    Parameters
    ----------
    complaints : count
        Heard of in a period.
    customer_value : Money
    silent : Counts, optional
        Of customers with a problem, those who did not complain, as an own survey counted them. None takes TARP's 31 %
        of customers with a problem of 142 $ as if of 100 asked (Goodman & Newman): far more where little is lost.
    seed : int or Generator
        Of the draws behind the intervals.
    ending : text
        How their complaints would have ended.

    Returns
    -------
    SilenceCost
        silent = complaints × s/(1 − s), cost = silent × value × (stay `ending` − stay silent). Intervals are quantiles
        of 20,000 draws, each share from its Beta distribution with Jeffreys' prior.

    Examples
    --------
    >>> told = cost_of_silence(690, Money.of(400, "USD"), silent=Counts(310, 1000), severity="critical", seed=1)
    >>> round(told.silent.value), round(told.cost.value)
    (310, 5580000)
    """
    check_level(level)
    count_of("complaints", complaints)
    worth = _worth(customer_value)
    asked = silent if silent is not None else Counts(31, 100)
    if asked.k >= asked.n:
        raise OutOfRange("silent", (asked.k, asked.n), "fewer silent than asked", "where nobody complains, ask them")
    better, quiet = (_share(prior, severity, e, level) for e in (ending, "silent"))
    rng = np.random.default_rng(seed)
    s = rng.beta(asked.k + 0.5, asked.n - asked.k + 0.5, DRAWS)
    a, b = (
        rng.beta(p.value * prior.worth_of + 0.5, (1 - p.value) * prior.worth_of + 0.5, DRAWS) for p in (better, quiet)
    )
    many = complaints * s / (1 - s)
    tails = [(1 - level) / 2, (1 + level) / 2]
    count = complaints * asked.k / (asked.n - asked.k)

    def told(value: float, draws: Any, rule: str, n: int) -> Estimate:
        low, high = np.quantile(draws, tails)
        return estimate_of(value, low, high, level=level, n=n, rule=rule, method="draws of prior")

    cost = count * worth * (better.value - quiet.value)
    return SilenceCost(
        silent=told(count, many, "customers who did not complain", asked.n),
        cost=told(cost, many * worth * (a - b), "value lost, minor units", prior.worth_of),
        currency=customer_value.currency, prior=f"{prior.name} {prior.year}",
    )  # fmt: skip
