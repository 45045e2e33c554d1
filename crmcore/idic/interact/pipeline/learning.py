"""Stage probabilities learned from decided deals, pulled towards what was assumed before, and by age in the stage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table, listed, named
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.interact.pipeline.deals import Pipeline
from crmcore.lifecycle import Case
from crmcore.metrics.estimates import Estimate, check_level, estimate_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["PastDeal", "StageChance", "StageChances", "learn_chances"]

AGES = (0.25, 0.5, 0.75, 0.9)  # quantiles of the days that decided deals sat in a stage: where a new age begins


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "stages", str, what="texts", hint="write ['lead', 'offer']")


def _days(value: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(x) for x in value)


@attrs.frozen
class PastDeal(Document):
    """Stages that one deal has been in, and how it ended.

    Parameters
    ----------
    stages : names
    won : truth, optional
        None is not decided yet.
    days : numbers, optional
        How long it sat in each of `stages`; () where nobody knows.
    """

    stages: tuple[str, ...] = attrs.field(converter=_texts)
    won: bool | None = None
    days: tuple[float, ...] = attrs.field(default=(), kw_only=True, converter=_days)

    def __attrs_post_init__(self) -> None:
        if self.days and len(self.days) != len(self.stages):
            hint = "one number a stage, or none at all"
            raise OutOfRange("days", f"{len(self.days)} numbers", f"{len(self.stages)}, as stages", hint)
        if not all(0 <= d < math.inf for d in self.days):
            raise OutOfRange("days", min(self.days), "finite numbers from 0", "days between entering and leaving")

    @classmethod
    def of_case(cls, case: Case, pipeline: Pipeline, /) -> PastDeal:
        """Read a lifecycle case of the pipeline's workflow."""
        return cls([s.name for s in pipeline.stages if s.name in case.entries], pipeline.outcome(case.state))


@attrs.frozen(kw_only=True)
class StageChance(Document):
    """One stage: what was assumed, what was seen, and the probability with its interval.

    Attributes
    ----------
    days : number
        Of deals that still sit in the stage after so many days; 0 is all that reached it.
    prior : probability
        What was assumed; of an age what was learned of the one before.
    """

    stage: str
    prior: float
    won: int
    lost: int
    pending: int
    estimate: Estimate
    a: float
    b: float
    days: float = 0.0

    def __str__(self) -> str:
        after = f" after {self.days:.3g} days" if self.days else ""
        return f"{self.stage}{after}: {self.estimate}, assumed {self.prior:.3g}, {self.won} won, {self.lost} lost"


@attrs.frozen(repr=False)
class StageChances(Document):
    """Learned probabilities by stage, in the order of the pipeline.

    Attributes
    ----------
    stages : of deals that reach a stage
    aged : of deals that still sit in a stage after some days; () where nobody told how long deals sat
    """

    stages: tuple[StageChance, ...]
    aged: tuple[StageChance, ...] = ()

    def __repr__(self) -> str:
        return f"StageChances({len(self.stages)} stages)"

    def __str__(self) -> str:
        return "\n".join(map(str, self._ordered()))

    def _ordered(self) -> list[StageChance]:
        return [row for s in self.stages for row in (s, *(r for r in self.aged if r.stage == s.stage))]

    def __getitem__(self, stage: str) -> StageChance:
        return named(self.stages, "stage", stage, what="stage")

    def of(self, stage: str, days: float | None = None, /) -> StageChance:
        """Look up a deal that has sat in a stage for so many days; None is one that reached it, whenever."""
        rows = [row for row in self.aged if row.stage == stage and days is not None and row.days <= days]
        return max(rows, key=lambda row: row.days, default=self[stage])

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"stage": s.stage, "days": s.days, "prior": s.prior, "probability": s.estimate.value, "low": s.estimate.low,
             "high": s.estimate.high, "won": s.won, "lost": s.lost, "pending": s.pending}
            for s in self._ordered()
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a stage and age: stage, days, prior, probability, low, high, won, lost, pending."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=repr(self))

    def chart(self) -> Chart:
        """Probability of each stage with its interval."""
        from crmcore.charts import dot_interval

        names, found = [s.stage for s in self.stages], [s.estimate for s in self.stages]
        return dot_interval(names, found, title="Won from here", description=str(self), percent=True)


def learn_chances(
    past: Iterable[PastDeal], pipeline: Pipeline, *, prior_deals: float = 10, level: float = 0.95
) -> StageChances:
    """Probability that a deal that reached a stage is won, and one that still sits there after some days.

    Beta posterior: the assumed probability counts as so many deals, so stages that few deals have reached stay near it:
    (prior_deals x prior + won) / (prior_deals + decided). Open deals are pending: neither won nor lost.

    Deals that sit in a stage are not all that reached it: the good ones have gone on. So where `PastDeal.days` are
    known, the same is learned of the decided deals that sat longer than each of four ages (quantiles of the days that
    decided deals sat there), with what was learned of the age before as the assumption.

    Parameters
    ----------
    past : iterable of PastDeal
        A deal counts for every stage that it has been in.
    pipeline : Pipeline
    prior_deals : count
        Weight of what was assumed, above 0.
    level : share

    Raises
    ------
    UnknownName
        A stage that the pipeline does not have.

    Examples
    --------
    >>> from crmcore.idic.interact.pipeline.deals import Stage
    >>> sales = Pipeline("sales", [Stage("lead", 0.1), Stage("offer", 0.5)])
    >>> print(learn_chances([PastDeal(["lead", "offer"], True)] * 30, sales)["offer"])
    offer: 0.875 [0.758, 0.957] (95 %, n = 30, beta posterior, prior of 10 deals), assumed 0.5, 30 won, 0 lost
    """
    check_level(level)
    if not 1e-3 <= prior_deals <= 1e9:
        raise OutOfRange("prior_deals", prior_deals, "0.001 to 1e9", "0.001 lets the deals speak alone")
    open_ = tuple(s.name for s in pipeline.stages)
    sat: dict[str, list[tuple[bool | None, float]]] = {name: [] for name in open_}
    for deal in listed(past, "past", PastDeal, what="PastDeal", hint="PastDeal(['lead', 'offer'], won=True)"):
        held: dict[str, float] = {}
        for i, stage in enumerate(deal.stages):
            if pipeline.outcome(stage) is not None:
                continue
            if stage not in sat:
                raise UnknownName("stage", stage, open_)
            # of several visits the longest: it has been at least so old
            held[stage] = max(held.get(stage, 0.0), deal.days[i]) if deal.days else math.nan
        for stage, days in held.items():
            sat[stage].append((deal.won, days))
    made, aged = [], []
    for s in pipeline.stages:
        row = _chance(s.name, s.probability, sat[s.name], prior_deals, level)
        made.append(row)
        known = [days for won, days in sat[s.name] if won is not None and not math.isnan(days)]
        for age in np.unique(np.quantile(known, AGES)).tolist() if known else ():
            older = [(won, days) for won, days in sat[s.name] if days > age]
            if age > 0 and any(won is not None for won, _ in older):
                row = _chance(s.name, row.estimate.value, older, prior_deals, level, days=age)
                aged.append(row)
    return StageChances(tuple(made), tuple(aged))


def _chance(
    stage: str,
    prior: float,
    sat: Sequence[tuple[bool | None, float]],
    prior_deals: float,
    level: float,
    *,
    days: float = 0.0,
) -> StageChance:
    """Beta posterior of deals of one stage and age."""
    from scipy.special import betaincinv

    won, lost, pending = (sum(end is kind for end, _ in sat) for kind in (True, False, None))
    a, b = prior_deals * prior + won, prior_deals * (1 - prior) + lost
    tail = (1 - level) / 2
    low, high = (float(betaincinv(a, b, q)) if a > 0 < b else float(a > 0) for q in (tail, 1 - tail))
    estimate = estimate_of(
        a / (a + b), low, high, level=level, n=won + lost, rule=f"won / decided from {stage}",
        method=f"beta posterior, prior of {prior_deals:g} deals",
    )  # fmt: skip
    return StageChance(
        stage=stage, prior=prior, won=won, lost=lost, pending=pending, estimate=estimate, a=a, b=b, days=days
    )
