"""Back-tests that cannot see the future: a predictor gets a past, and is judged by what came after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, check_aware, html_table, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.propensity.past import Past, arrivals, check_table, cut
from crmcore.idic.differentiate.propensity.predictors import FittedPredictor, Predictor
from crmcore.idic.differentiate.propensity.scores import Scores, evaluate
from crmcore.idic.differentiate.propensity.targets import Acts, Target, check_horizon, labels
from crmcore.metrics.columns import instant, moment, refuse
from crmcore.metrics.estimates import frame_of
from crmcore.tables import EventTable, OrderTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BacktestReport", "CutoffScores", "backtest", "predictions_of"]

Floats = NDArray[np.float64]
T = TypeVar("T", OrderTable, EventTable)


@attrs.frozen(kw_only=True)
class CutoffScores:
    """What a predictor was worth at one instant: how many customers it was asked about, and how it did."""

    at: datetime
    known: int  # rows it could see
    scores: Scores


@attrs.frozen(kw_only=True, repr=False)
class BacktestReport(Document):
    """A predictor at several instants of the past, each judged by the horizon that followed.

    Attributes
    ----------
    cutoffs : each instant alone
    scores : all instants together. The same customer may be asked about at several instants: the intervals of the
        whole are a little too narrow, those of each cutoff are not.
    horizon_days : days
    """

    cutoffs: tuple[CutoffScores, ...]
    scores: Scores
    horizon_days: float

    def __repr__(self) -> str:
        return f"BacktestReport({len(self.cutoffs)} cutoffs, {self.scores!r})"

    def __str__(self) -> str:
        lines = [f"{c.at:%Y-%m-%d}  n = {c.scores.n}  AUC {c.scores.auc}" for c in self.cutoffs]
        head = f"Back-test at {len(self.cutoffs)} cutoffs, horizon {self.horizon_days:g} days"
        return "\n".join([head, *lines, str(self.scores)])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a cutoff: at, rows_known, n, happened, then value and interval of AUC, Brier, slope and lift."""
        rows = []
        for c in self.cutoffs:
            s = c.scores
            row: dict[str, object] = {"at": c.at, "rows_known": c.known, "n": s.n, "rate": s.rate.value}
            for name, e in (("auc", s.auc), ("brier", s.brier), ("slope", s.slope), ("lift", s.lift)):
                row |= {name: e.value, f"{name}_low": e.low, f"{name}_high": e.high}
            rows.append(row)
        return frame_of(rows, backend=backend)

    def chart(self, which: str = "auc") -> Chart:
        """`"auc"` by cutoff, or a chart of all together: see `Scores.chart`."""
        if which != "auc":
            return self.scores.chart(which)
        from crmcore.charts import dot_interval

        return dot_interval(
            [f"{c.at:%Y-%m-%d}" for c in self.cutoffs], [c.scores.auc for c in self.cutoffs], reference=0.5,
            title="AUC by cutoff", description="Each dot is learnt from before its date and judged by what came after.",
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {"cutoff": f"{c.at:%Y-%m-%d}", "n": c.scores.n, "AUC": str(c.scores.auc), "Brier": c.scores.brier.value}
            for c in self.cutoffs
        ]
        return html_table(rows, caption=f"Back-test, horizon {self.horizon_days:g} days; together {self.scores.auc}")


def backtest(
    predictor: Predictor[T],
    table: T,
    *,
    cutoffs: Sequence[datetime],
    horizon_days: float,
    target: Target | None = None,
    arrived: str | None = None,
    until: datetime | None = None,
    top: float = 0.1,
    level: float = 0.95,
    progress: Progress | bool = False,
) -> BacktestReport:
    """Fit at each cutoff on what was known by then, predict the horizon, and judge by what came.

    Parameters
    ----------
    predictor : Predictor
        Gets a `Past` and nothing else. `check_leaks` proves that it does not know more from elsewhere.
    table : OrderTable or EventTable
        The whole log.
    cutoffs : aware datetimes
        Instants at which a prediction would have been made.
    horizon_days : days
        What is predicted lies in (cutoff, cutoff + horizon].
    target : Target, optional
        What is judged; None is `Acts()`, or the target of a `FactsPredictor`.
    arrived : name of an attribute, optional
        Where the instant of arrival stands: a row that arrived later is unknown at the cutoff.
    until : aware datetime, optional
        Until when the log is complete; None is its last arrival.

    Raises
    ------
    OutOfRange
        A horizon that ends after `until`: its outcome is not known yet. Predictions outside 0 to 1 or of another
        number of customers.
    EmptyInput
        No cutoffs; nobody eligible at one of them.
    """
    check_table(table)
    check_horizon(horizon_days)
    asked = getattr(predictor, "target", None) if target is None else target
    goal: Target = Acts() if asked is None else asked
    instants = _cutoffs(cutoffs, horizon_days, _complete(table, arrived, until))
    report = reporter(progress)
    made: list[CutoffScores] = []
    happened: list[Floats] = []
    predicted: list[Floats] = []
    for i, at in enumerate(instants):
        past = cut(table, at=at, arrived=arrived)
        probability = predictions_of(predictor.fit(past, horizon_days=horizon_days), past)
        who = goal.eligible(past)
        if not who.any():
            raise EmptyInput(f"the customers to ask about at {at:%Y-%m-%d}", "choose a later cutoff or a wider target")
        y = labels(goal, table, past, horizon_days=horizon_days)[who].astype(np.float64)
        scores = evaluate(y, probability[who], top=top, level=level, small_sample_ok=True)
        made.append(CutoffScores(at=at, known=len(past), scores=scores))
        happened.append(y)
        predicted.append(probability[who])
        report("cutoffs", i + 1, len(instants))
    whole = evaluate(np.concatenate(happened), np.concatenate(predicted), top=top, level=level, small_sample_ok=True)
    return BacktestReport(cutoffs=tuple(made), scores=whole, horizon_days=float(horizon_days))


def predictions_of(fitted: FittedPredictor[T], past: Past[T], /) -> Floats:
    """Predictions of a fitted predictor, checked: one probability a customer of the past."""
    found = np.asarray(fitted.predict(past), np.float64)
    if found.shape != (len(past.customers),):
        hint = "return one probability a customer of past.customers, in that order"
        raise OutOfRange("shape of predictions", found.shape, f"({len(past.customers)},)", hint)
    refuse("predictions", "return probabilities", prediction=(~((found >= 0) & (found <= 1)), "not from 0 to 1"))
    return found


def _complete(table: T, arrived: str | None, until: datetime | None) -> datetime:
    if not len(table):
        raise EmptyInput("the table", "pass at least one row")
    if until is not None:
        check_aware(until, "until")
        return until
    return moment(arrivals(table, arrived).max())


def _cutoffs(cutoffs: Sequence[datetime], horizon_days: float, until: datetime) -> list[datetime]:
    for at in cutoffs:
        check_aware(at, "cutoffs")
    if not len(cutoffs):
        raise EmptyInput("cutoffs", "name at least one instant")
    found = sorted(set(cutoffs))
    late = [at for at in found if instant("cutoff", at + timedelta(days=horizon_days)) > instant("until", until)]
    if late:
        hint = "choose earlier cutoffs or a shorter horizon, or pass until= where the log is complete for longer"
        got = ", ".join(f"{at:%Y-%m-%d}" for at in late[:5])
        raise OutOfRange("cutoffs", got, f"{horizon_days:g} days or more before {until:%Y-%m-%d %H:%M}", hint)
    return found
