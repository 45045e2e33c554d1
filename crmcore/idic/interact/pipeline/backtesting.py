"""Back-test of a pipeline's probabilities: learned from what was known at a date, judged by what came after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, html_table, listed
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, UnknownName
from crmcore.idic.interact.pipeline.deals import Pipeline
from crmcore.idic.interact.pipeline.learning import PastDeal, learn_chances
from crmcore.lifecycle import Case
from crmcore.metrics.calibration import reliability_groups
from crmcore.metrics.columns import numbers, refuse, same_length
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.means import Moments
from crmcore.metrics.proportions import proportion

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["DealHistory", "JudgedChances", "PipelineBacktest", "ReliabilityRow", "StageMove", "backtest_chances"]

Floats = NDArray[np.float64]
OURS = ("learned", "by stage", "prior", "overall rate")
DAY = timedelta(days=1)
SURE = 1e-6  # log scores take no probability nearer to 0 or 1


@attrs.frozen
class StageMove(Document):
    """A deal enters a stage, is won or is lost."""

    stage: str
    at: datetime

    def __attrs_post_init__(self) -> None:
        check_aware(self.at, "at")


def _moves(value: Mapping[str, datetime] | Iterable[StageMove]) -> tuple[StageMove, ...]:
    given = [StageMove(str(stage), at) for stage, at in value.items()] if isinstance(value, Mapping) else value
    hint = "write {'lead': at, 'won': at}, or [StageMove('lead', at)]"
    return tuple(sorted(listed(given, "moves", StageMove, what="StageMove", hint=hint), key=lambda move: move.at))


@attrs.frozen
class DealHistory(Document):
    """When a deal entered its stages, and when it was won or lost.

    Parameters
    ----------
    id : text
    moves : mapping of stage to aware datetime, or sequence of StageMove
        Kept in order of time; of one instant as they came.

    Examples
    --------
    >>> from datetime import UTC
    >>> deal = DealHistory("d1", {"lead": datetime(2026, 1, 1, tzinfo=UTC), "won": datetime(2026, 3, 1, tzinfo=UTC)})
    >>> deal.known_at(datetime(2026, 2, 1, tzinfo=UTC)).stage
    'lead'
    """

    id: str
    moves: tuple[StageMove, ...] = attrs.field(converter=_moves)

    @classmethod
    def of_case(cls, case: Case, pipeline: Pipeline, /) -> DealHistory:
        """Read a lifecycle case of the pipeline's workflow: the first entry into each stage."""
        return cls(case.id, {stage: at for stage, at in case.entries.items() if stage in pipeline.names})

    @property
    def stage(self) -> str | None:
        """Where it is after its last move."""
        return self.moves[-1].stage if self.moves else None

    def known_at(self, at: datetime, /) -> DealHistory:
        """What was known at an instant (inclusive)."""
        check_aware(at, "at")
        return attrs.evolve(self, moves=[move for move in self.moves if move.at <= at])

    def past(self, pipeline: Pipeline, /, *, now: datetime) -> PastDeal:
        """Tell what `learn_chances` learns from: stages, how long it sat in each until now, and how it ended."""
        check_aware(now, "now")
        moves = [move for move in self.moves if move.at <= now]
        days = [(end - move.at) / DAY for move, end in zip(moves, [*(m.at for m in moves[1:]), now], strict=False)]
        won = pipeline.outcome(moves[-1].stage) if moves else None
        return PastDeal([move.stage for move in moves], won, days=days)


Chances = Callable[[Sequence[DealHistory], Sequence[DealHistory]], ArrayLike]
"""Probabilities of open deals, from all that was known by then: (every deal, the open ones) -> one of each open one."""


@attrs.frozen(kw_only=True)
class ReliabilityRow(Document):
    """Deals of similar probability: what was said of them, and what share was won."""

    predicted: float
    won: Estimate


@attrs.frozen(kw_only=True)
class JudgedChances(Document):
    """One way to say probabilities.

    Attributes
    ----------
    brier : mean squared error, 0 is perfect
    log_score : mean negative log of the probability of what came, 0 is perfect
    brier_over_learned : its Brier score less that of the learned chances, deal by deal; above 0 the learned are better
    reliability : by rising probability
    """

    name: str
    brier: Estimate
    log_score: Estimate
    brier_over_learned: Estimate
    reliability: tuple[ReliabilityRow, ...]


@attrs.frozen(kw_only=True, repr=False)
class PipelineBacktest(Document):
    """How good probabilities were: the learned ones first, then the others.

    Attributes
    ----------
    cutoffs : instants at which was learned and predicted; a deal that was open at several counts at each, so that
        intervals over several cutoffs are a little too narrow
    until : what came by then is known
    n, pending : predictions that were decided by then, and those that were not: these are judged by nobody
    rate : share that was won
    """

    cutoffs: tuple[datetime, ...]
    until: datetime
    n: int
    pending: int
    rate: Estimate
    judged: tuple[JudgedChances, ...]

    def __repr__(self) -> str:
        return f"PipelineBacktest({self.n} predictions, {len(self.judged)} ways)"

    def __getitem__(self, name: str) -> JudgedChances:
        known = {j.name: j for j in self.judged}
        if name not in known:
            raise UnknownName("prediction", name, tuple(known))
        return known[name]

    def __str__(self) -> str:
        lines = [f"{self.n} predictions, {self.pending} still open, won {self.rate}"]
        for j in self.judged:
            over = f", {j.brier_over_learned.value:+.3g} over learned" if j.name != "learned" else ""
            lines.append(f"  {j.name}: Brier {j.brier}{over}; log score {j.log_score.value:.3g}")
        return "\n".join(lines)

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"prediction": j.name, "brier": j.brier.value, "brier_low": j.brier.low, "brier_high": j.brier.high,
             "log_score": j.log_score.value, "brier_over_learned": j.brier_over_learned.value,
             "over_low": j.brier_over_learned.low, "over_high": j.brier_over_learned.high}
            for j in self.judged
        ]  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a way to predict: prediction, brier with interval, log_score, brier_over_learned with interval."""
        rows = self._rows()
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def reliability_table(self, *, backend: Any = None) -> Any:
        """One row a way and group of similar probability: prediction, predicted, won, low, high, n."""
        rows = [
            {"prediction": j.name, "predicted": r.predicted, "won": r.won.value, "low": r.won.low, "high": r.won.high,
             "n": r.won.n}
            for j in self.judged for r in j.reliability
        ]  # fmt: skip
        return write_frame({n: [row[n] for row in rows] for n in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=str(self).partition("\n")[0])

    def chart(self) -> Chart:
        """Brier score of each way with its interval."""
        from crmcore.charts import dot_interval

        names = [j.name for j in self.judged]
        return dot_interval(names, [j.brier for j in self.judged], title="Brier score", description=str(self))


def backtest_chances(
    deals: Iterable[DealHistory],
    pipeline: Pipeline,
    *,
    at: datetime | Iterable[datetime],
    until: datetime,
    prior_deals: float = 10,
    others: Mapping[str, Chances] | None = None,
    groups: int = 5,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> PipelineBacktest:
    """Learn chances until a date, predict the deals open at it, and compare with what came.

    Nothing that happened after a cutoff reaches a prediction: histories are cut before they are handed on. The chances
    learned by stage and age are judged beside those learned by stage alone, those that the pipeline assumes ("prior"),
    and the rate of all deals decided by then ("overall rate", with half a deal won and half a deal lost added).

    Parameters
    ----------
    deals : iterable of DealHistory
    pipeline : Pipeline
    at : aware datetime, or several
        Cutoffs.
    until : aware datetime
        Outcomes up to it count. Choose it late: deals that take long are pending, and often other deals.
    prior_deals : count
        Of `learn_chances`.
    others : mapping of name to function, optional
        Lead scores or any other model: `(deals, open deals) -> probabilities`, both as they were known at the cutoff.
    groups : count
        Of similar probability, for reliability.
    level : share
    small_sample_ok : truth
        Silences the warning below 30 predictions.

    Raises
    ------
    DuplicateIds, UnknownName, EmptyInput, OutOfRange, BadRows
        Repeated deals, stages that are not there, no open deal that was decided, a cutoff not before `until`, names of
        `others` that are taken, probabilities outside of 0 to 1.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> from crmcore.idic.interact.pipeline.deals import Stage
    >>> day = lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)
    >>> ends = ["lost", "won", "won", "won", "won"]
    >>> deals = [DealHistory(f"d{i}", {"offer": day(i), ends[i % 5]: day(i + 30)}) for i in range(200)]
    >>> sales = Pipeline("sales", [Stage("offer", 0.3)])
    >>> found = backtest_chances(deals, sales, at=[day(100), day(150)], until=day(300))
    >>> found.n, found["prior"].brier_over_learned.low > 0
    (60, True)
    """
    check_level(level)
    if groups < 1:
        raise OutOfRange("groups", groups, "1 or more", "5 suit most pipelines")
    given = listed(deals, "deals", DealHistory, what="DealHistory", hint="DealHistory('d1', {'lead': at, 'won': at})")
    _check(given, pipeline)
    cutoffs = (at,) if isinstance(at, datetime) else listed(at, "at", datetime, what="datetimes", hint="at=[one, two]")
    for moment in (*cutoffs, until):
        check_aware(moment, "at and until")
    cutoffs = tuple(sorted(set(cutoffs)))
    if not cutoffs or not cutoffs[-1] < until:
        raise OutOfRange("at", cutoffs[-1:] and cutoffs[-1], "before until", "leave time for deals to be decided")
    taken = sorted({*OURS} & {*(others or {})})
    if taken:
        raise OutOfRange("others", taken, "other names", f"{', '.join(OURS)} are always judged")
    ended, outcome = (pipeline.won, pipeline.lost), {d.id: d.known_at(until).stage for d in given}
    said: dict[str, list[Floats]] = {}
    came: list[bool] = []
    pending = 0
    for cutoff in cutoffs:
        known = [d for d in (deal.known_at(cutoff) for deal in given) if d.moves]
        open_ = [d for d in known if d.stage not in ended]
        ripe = np.array([outcome[d.id] in ended for d in open_], np.bool_)
        pending += int((~ripe).sum())
        came += [outcome[d.id] == pipeline.won for d, yes in zip(open_, ripe.tolist(), strict=True) if yes]
        for name, p in _predictions(known, open_, pipeline, cutoff, prior_deals, others or {}).items():
            said.setdefault(name, []).append(p[ripe])
    if not came:
        raise EmptyInput("open deals", "no deal was open at a cutoff and decided by `until`: move them apart")
    warn_if_small(len(came), "the back-test of chances", ok=small_sample_ok)
    y, joined = np.array(came, np.float64), {name: np.concatenate(parts) for name, parts in said.items()}
    return PipelineBacktest(
        cutoffs=cutoffs, until=until, n=len(y), pending=pending,
        rate=proportion(int(y.sum()), len(y), level=level, rule="won / decided", small_sample_ok=True),
        judged=tuple(_judge(name, p, joined["learned"], y, groups, level) for name, p in joined.items()),
    )  # fmt: skip


def _check(deals: Sequence[DealHistory], pipeline: Pipeline) -> None:
    first: dict[str, int] = {}
    again = tuple(i for i, deal in enumerate(deals) if first.setdefault(deal.id, i) != i)
    if again:
        raise DuplicateIds("deals", len(again), again, "pass each deal once, with all its moves")
    for deal in deals:
        for move in deal.moves:
            if move.stage not in pipeline.names:
                raise UnknownName("stage", move.stage, pipeline.names)


def _predictions(
    known: Sequence[DealHistory],
    open_: Sequence[DealHistory],
    pipeline: Pipeline,
    now: datetime,
    prior_deals: float,
    others: Mapping[str, Chances],
) -> dict[str, Floats]:
    """Probabilities of the open deals by every way, from what was known."""
    past = [d.past(pipeline, now=now) for d in known]
    chances = learn_chances(past, pipeline, prior_deals=prior_deals)
    won, decided = sum(p.won is True for p in past), sum(p.won is not None for p in past)
    sits = [(d.moves[-1].stage, (now - d.moves[-1].at) / DAY) for d in open_]
    columns = (
        [chances.of(stage, days).estimate.value for stage, days in sits],
        [chances[stage].estimate.value for stage, _ in sits],
        [pipeline.probability(stage) for stage, _ in sits],
        [(won + 0.5) / (decided + 1.0)] * len(sits),
    )
    made = {name: np.array(column, np.float64) for name, column in zip(OURS, columns, strict=True)}
    for name, say in others.items():
        p = numbers(name, say(known, open_))
        same_length("the open deals", **{"open": made["learned"], name: p})
        refuse(name, "say probabilities of being won", **{name: (~((p >= 0) & (p <= 1)), "not from 0 to 1")})
        made[name] = p
    return made


def _judge(name: str, p: Floats, learned: Floats, y: Floats, groups: int, level: float) -> JudgedChances:
    def mean(x: Floats, rule: str) -> Estimate:
        return Moments.of(x).estimate(level=level, rule=rule, small_sample_ok=True)

    group = reliability_groups(p, bins=groups)
    rows = []
    for g in np.unique(group):
        mine = group == g
        won = proportion(int(y[mine].sum()), int(mine.sum()), level=level, rule="won / decided", small_sample_ok=True)
        rows.append(ReliabilityRow(predicted=float(p[mine].mean()), won=won))
    sure = np.clip(p, SURE, 1 - SURE)
    return JudgedChances(
        name=name,
        brier=mean((p - y) ** 2, "mean squared error"),
        log_score=mean(-np.log(np.where(y > 0, sure, 1 - sure)), "mean negative log probability"),
        brier_over_learned=mean((p - y) ** 2 - (learned - y) ** 2, "mean difference of squared errors"),
        reliability=tuple(rows),
    )
