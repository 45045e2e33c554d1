"""Business measures: speed of the pipeline, what automation changes, quality beside quantity of interactions.

The cost of winning a customer is in `acquisition`, the use of a system by its staff in `adoption`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import numbers, people, refuse, same_length, some, truths
from crmcore.metrics.comparing import Comparison, compare
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of, warn_if_small
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.means import Moments, mean
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import count_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = [
    "AutomationEffect",
    "DealVelocity",
    "Interactions",
    "automation_effect",
    "deal_velocity",
    "interactions",
]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class DealVelocity:
    """How much the pipeline wins a day: deals x win rate x value / cycle, with each factor beside it.

    Attributes
    ----------
    velocity : Estimate
        Value a day, in the unit of the values.
    deals : count
        Of the period.
    win_rate, value, cycle_days : Estimate
        Won over closed deals; mean value of won deals; mean days from opening to closing of won deals.
    """

    velocity: Estimate
    deals: int
    win_rate: Estimate
    value: Estimate
    cycle_days: Estimate

    def _parts(self) -> dict[str, Estimate]:
        factors = {"win rate": self.win_rate, "value": self.value, "cycle in days": self.cycle_days}
        return {"velocity a day": self.velocity, **factors}

    def __str__(self) -> str:
        lines = [f"{name:14}  {e}" for name, e in self._parts().items()]
        return "\n".join([*lines, f"{'deals':14}  {self.deals}"])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        names = ("velocity", "win_rate", "value", "cycle_days")
        return {**{name: getattr(self, name).to_dict() for name in names}, "deals": self.deals}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> DealVelocity:
        """Read what `to_dict` wrote."""
        names = ("velocity", "win_rate", "value", "cycle_days")
        return cls(**{name: Estimate.from_dict(fields[name]) for name in names}, deals=fields["deals"])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a part: velocity, win rate, value, cycle."""
        return frame_of([{"part": name, **attrs.asdict(e)} for name, e in self._parts().items()], backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"part": name, "estimate": str(e)} for name, e in self._parts().items()]
        return html_table(rows, caption=f"{self.deals} deals")


def deal_velocity(
    won: ArrayLike, value: ArrayLike, cycle_days: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False
) -> DealVelocity:
    """Pipeline velocity of the deals that closed in a period.

    Parameters
    ----------
    won : (n,) truths
        Whether a closed deal was won.
    value : (n,) numbers
        Of each deal; only those of won deals count.
    cycle_days : (n,) days
        From opening to closing, above 0 in total; only those of won deals count.
    level : share
        Coverage aimed at.
    small_sample_ok : truth
        Silences `SmallSample`.

    Returns
    -------
    DealVelocity
        n x win rate x mean value / mean cycle = n Σ value / n · w/Σ cycle, over won deals w. Its interval is normal on
        the logarithm, with the delta method over deals, n fixed: Casella & Berger (2002), section 5.5.4. With no deal
        won it is 0 with an open end.

    Examples
    --------
    >>> got = deal_velocity([True, True, False, False], [100, 300, 500, 200], [10, 30, 5, 5], small_sample_ok=True)
    >>> got.velocity.value, got.win_rate.value, got.value.value, got.cycle_days.value
    (20.0, 0.5, 200.0, 20.0)
    """
    check_level(level)
    yes, worth, days = truths("won", won), numbers("value", value), numbers("cycle_days", cycle_days)
    n = same_length("deal_velocity", won=yes, value=worth, cycle_days=days)
    some("deals", n, "pass at least one closed deal")
    bad = {name: yes & ~(np.isfinite(c) & (c >= 0)) for name, c in (("value", worth), ("cycle_days", days))}
    hint = "won deals need a value and a cycle"
    refuse("deal_velocity", hint, **{name: (mask, "not a number from 0") for name, mask in bad.items()})
    warn_if_small(n, "the deal velocity", ok=small_sample_ok)
    wins = int(yes.sum())
    amount, length = np.where(yes, worth, 0.0), np.where(yes, days, 0.0)
    if wins and not length.sum() > 0:
        raise OutOfRange("cycle_days", 0.0, "above 0 for some won deal", "count the days from opening to closing")
    rate = proportion(wins, n, level=level, rule="won / closed deals", small_sample_ok=True)
    parts = {
        "value": Moments.of(worth[yes]).estimate(level=level, rule="value of won deals", small_sample_ok=True),
        "cycle_days": Moments.of(days[yes]).estimate(level=level, rule="days of won deals", small_sample_ok=True),
    }
    rule = "deals x win rate x mean value / mean cycle, a day"
    if not wins:
        speed = estimate_of(0.0, 0.0, math.inf, level=level, n=n, rule=rule, method="delta, log")
        return DealVelocity(velocity=speed, deals=n, win_rate=rate, **parts)
    velocity = wins * amount.sum() / length.sum()
    # log v = log Σ won + log Σ amount − log Σ length: each deal moves the three sums at once
    moved = yes / wins + (amount / amount.sum() if amount.sum() else 0.0) - length / length.sum()
    error = math.sqrt(n / (n - 1) * float(((moved - moved.mean()) ** 2).sum())) if n > 1 else math.nan
    factor = math.exp(normal_quantile(level) * error)
    speed = estimate_of(
        velocity, velocity / factor, velocity * factor, level=level, n=n, rule=rule, method="delta, log"
    )
    return DealVelocity(velocity=speed, deals=n, win_rate=rate, **parts)


@attrs.frozen(kw_only=True)
class AutomationEffect:
    """How much of the service is automated, and how content people are with it beside service by people.

    Attributes
    ----------
    share : Estimate
        Automated over all cases.
    scores : Comparison
        Mean score of automated cases minus that of cases that people handled.
    answered : pair of Estimate
        Share of automated and of other cases with a score: where they differ, so may those who answered.
    """

    share: Estimate
    scores: Comparison
    answered: tuple[Estimate, Estimate]

    def __str__(self) -> str:
        automated, human = self.answered
        rates = f"scored: automated {number_text(100 * automated.value)} %, human {number_text(100 * human.value)} %"
        return f"automated  {self.share}\nscore      {self.scores}\n{rates}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        answered = [e.to_dict() for e in self.answered]
        return {"share": self.share.to_dict(), "scores": self.scores.to_dict(), "answered": answered}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> AutomationEffect:
        """Read what `to_dict` wrote."""
        first, second = (Estimate.from_dict(e) for e in fields["answered"])
        share, scores = Estimate.from_dict(fields["share"]), Comparison.from_dict(fields["scores"])
        return cls(share=share, scores=scores, answered=(first, second))

    def to_frame(self, *, backend: Any = None) -> Any:
        """Rows: share, automated, human, difference."""
        parts = {"share automated": self.share, "score automated": self.scores.first, "score human": self.scores.second}
        rows = {**parts, "difference": self.scores.difference}
        return frame_of([{"part": name, **attrs.asdict(e)} for name, e in rows.items()], backend=backend)

    def chart(self) -> Chart:
        """Mean scores of both with their intervals."""
        from crmcore.charts import dot_interval

        both = [self.scores.first, self.scores.second]
        return dot_interval(["automated", "human"], both, title="Score by who answered", description=str(self.scores))

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def automation_effect(
    automated: ArrayLike, score: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False
) -> AutomationEffect:
    """Share of automated cases, and the difference of their satisfaction.

    Parameters
    ----------
    automated : (n,) truths
        Whether a case was answered without a person.
    score : (n,) numbers
        Satisfaction with each case, on one scale; NaN was not answered.
    level : share
        Coverage aimed at.

    Returns
    -------
    AutomationEffect
        Welch's interval and test. Easy cases are automated first, so the difference is no effect of automation until
        cases were assigned by chance or compared within one kind.

    Examples
    --------
    >>> got = automation_effect([True] * 40 + [False] * 60, [3, 4] * 20 + [4, 5] * 30)
    >>> print(got.scores.difference)
    -1 [-1.21, -0.795] (95 %, n = 100, welch)
    """
    machine, given = truths("automated", automated), numbers("score", score)
    n = same_length("automation_effect", automated=machine, score=given)
    some("cases", n, "pass at least one case")
    there = ~np.isnan(given)
    groups = [Moments.of(given[machine]), Moments.of(given[~machine])]
    share = proportion(int(machine.sum()), n, level=level, rule="automated / cases", small_sample_ok=True)
    sides = [
        proportion(int((there & side).sum()), int(side.sum()), level=level, rule="scored / cases", small_sample_ok=True)
        for side in (machine, ~machine)
    ]
    scores = compare(groups[0], groups[1], level=level, small_sample_ok=small_sample_ok)
    return AutomationEffect(share=share, scores=scores, answered=(sides[0], sides[1]))


@attrs.frozen(kw_only=True)
class Interactions:
    """Quantity and quality of interactions side by side; their product hides which of them moved.

    Attributes
    ----------
    per_customer : Estimate
        Interactions per customer, customers without one counted.
    quality : Estimate
        Mean quality of an interaction; customers with several are taken together.
    """

    per_customer: Estimate
    quality: Estimate

    def __str__(self) -> str:
        return f"interactions per customer  {self.per_customer}\nquality of an interaction  {self.quality}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"per_customer": self.per_customer.to_dict(), "quality": self.quality.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Interactions:
        """Read what `to_dict` wrote."""
        return cls(**{name: Estimate.from_dict(e) for name, e in fields.items()})

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows: quantity, quality."""
        parts = {"quantity": self.per_customer, "quality": self.quality}
        return frame_of([{"part": name, **attrs.asdict(e)} for name, e in parts.items()], backend=backend)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def interactions(
    customer: ArrayLike,
    quality: ArrayLike,
    *,
    n_customers: int,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Interactions:
    """How often customers interacted, and how well.

    Parameters
    ----------
    customer : (n,) codes or names
        Of each interaction, in ``[0, n_customers)``.
    quality : (n,) numbers
        Of each interaction, on one scale (score, share solved, sentiment); NaN is not known.
    n_customers : count
        Of the population; customers without an interaction count in the quantity.

    Returns
    -------
    Interactions
        Both by name and never only their product: "more and better" and "more but worse" can have one product.

    Examples
    --------
    >>> print(interactions([0, 0, 1, 2], [4, 5, 3, float("nan")], n_customers=40))
    interactions per customer  0.1 [-0.0212, 0.221] (95 %, n = 40, t)
    quality of an interaction  4 [-4.47, 12.5] (95 %, n = 3, t, 2 units, design effect 1.33)
    """
    n_customers = count_of("n_customers", n_customers, least=1, hint="count everybody, also who never came")
    code, good = people("customer", customer), numbers("quality", quality)
    same_length("interactions", customer=code, quality=good)
    refuse("interactions", "raise n_customers or drop them", customer=((code < 0) | (code >= n_customers), "no code"))
    warn_if_small(n_customers, "interactions per customer", ok=small_sample_ok)
    often = np.bincount(code, minlength=n_customers)
    quantity = Moments.of(often).estimate(level=level, rule="interactions / customers", small_sample_ok=True)
    rule = "quality / interactions"
    made = mean(good, clusters=code, level=level, rule=rule, small_sample_ok=True)
    return Interactions(per_customer=quantity, quality=made)
