"""Stage probabilities learned from decided deals, pulled towards what was assumed before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

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


def _texts(value: Iterable[str]) -> tuple[str, ...]:
    return listed(value, "stages", str, what="texts", hint="write ['lead', 'offer']")


@attrs.frozen
class PastDeal(Document):
    """Stages that one deal has been in, and how it ended; `won` None is not decided yet."""

    stages: tuple[str, ...] = attrs.field(converter=_texts)
    won: bool | None = None

    @classmethod
    def of_case(cls, case: Case, pipeline: Pipeline, /) -> PastDeal:
        """Read a lifecycle case of the pipeline's workflow."""
        won = {pipeline.won: True, pipeline.lost: False}.get(case.state)
        return cls([s.name for s in pipeline.stages if s.name in case.entries], won)


@attrs.frozen(kw_only=True)
class StageChance(Document):
    """One stage: what was assumed, what was seen, and the probability with its interval."""

    stage: str
    prior: float
    won: int
    lost: int
    pending: int
    estimate: Estimate
    a: float
    b: float

    def __str__(self) -> str:
        return f"{self.stage}: {self.estimate}, assumed {self.prior:g}, {self.won} won, {self.lost} lost"


@attrs.frozen(repr=False)
class StageChances(Document):
    """Learned probabilities by stage, in the order of the pipeline."""

    stages: tuple[StageChance, ...]

    def __repr__(self) -> str:
        return f"StageChances({len(self.stages)} stages)"

    def __str__(self) -> str:
        return "\n".join(map(str, self.stages))

    def __getitem__(self, stage: str) -> StageChance:
        return named(self.stages, "stage", stage, what="stage")

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"stage": s.stage, "prior": s.prior, "probability": s.estimate.value, "low": s.estimate.low,
             "high": s.estimate.high, "won": s.won, "lost": s.lost, "pending": s.pending}
            for s in self.stages
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a stage: stage, prior, probability, low, high, won, lost, pending."""
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
    """Probability that a deal that reached a stage is won.

    Beta posterior: the assumed probability counts as so many deals, so stages that few deals have reached stay near it:
    (prior_deals x prior + won) / (prior_deals + decided). Open deals are pending: neither won nor lost.

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
    from scipy.special import betaincinv

    check_level(level)
    if not 1e-3 <= prior_deals <= 1e9:
        raise OutOfRange("prior_deals", prior_deals, "0.001 to 1e9", "0.001 lets the deals speak alone")
    open_ = tuple(s.name for s in pipeline.stages)
    seen: dict[str, list[int]] = {name: [0, 0, 0] for name in open_}
    for deal in listed(past, "past", PastDeal, what="PastDeal", hint="PastDeal(['lead', 'offer'], won=True)"):
        for stage in dict.fromkeys(deal.stages):
            if stage in (pipeline.won, pipeline.lost):
                continue
            if stage not in seen:
                raise UnknownName("stage", stage, open_)
            seen[stage][2 if deal.won is None else 1 - deal.won] += 1
    made = []
    for s in pipeline.stages:
        won, lost, pending = seen[s.name]
        a, b = prior_deals * s.probability + won, prior_deals * (1 - s.probability) + lost
        tail = (1 - level) / 2
        low, high = (float(betaincinv(a, b, q)) if a > 0 < b else float(a > 0) for q in (tail, 1 - tail))
        method = f"beta posterior, prior of {prior_deals:g} deals"
        estimate = estimate_of(
            a / (a + b), low, high, level=level, n=won + lost, rule=f"won / decided from {s.name}", method=method
        )
        made.append(
            StageChance(
                stage=s.name, prior=s.probability, won=won, lost=lost, pending=pending, estimate=estimate, a=a, b=b
            )
        )
    return StageChances(tuple(made))
