"""How good probabilities are: ranking, sharpness, calibration and lift, each with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.idic.differentiate.propensity import scoring
from crmcore.metrics.calibration import reliability_groups
from crmcore.metrics.columns import SAME, held_floats, numbers, refuse, same_length, some, truths
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.means import Moments
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import share_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ReliabilityBin", "Scores", "evaluate"]

Floats = NDArray[np.float64]
DRAWN = ("reliability", "gain", "lift", "precision")


@attrs.frozen(kw_only=True)
class ReliabilityBin:
    """Rows of similar probability: what was predicted and what happened."""

    low: float
    high: float
    predicted: float
    happened: Estimate


@attrs.frozen(kw_only=True, repr=False, hash=False)
class Scores(Document):
    """Quality of the probabilities of n rows.

    Attributes
    ----------
    auc : chance that a row where it happened ranks above one where it did not; .5 is guessing
    brier, log_loss : mean squared and mean logarithmic error; the smaller the better
    intercept, slope : calibration in the large (0 is right) and its slope (1 is right)
    lift : rate of the most probable `top` of rows over the rate of all
    average_precision : area under precision over recall; the rate of all is guessing
    rate : what happened, over n
    skill : 1 − Brier / Brier of the overall rate; 0 is guessing
    reliability : bins of about equal size, ascending
    shares, captured : the gain curve
    """

    n: int
    rate: Estimate
    auc: Estimate
    brier: Estimate
    log_loss: Estimate
    intercept: Estimate
    slope: Estimate
    lift: Estimate
    average_precision: Estimate
    skill: float
    top: float
    reliability: tuple[ReliabilityBin, ...]
    shares: Floats = attrs.field(converter=held_floats, eq=SAME)
    captured: Floats = attrs.field(converter=held_floats, eq=SAME)

    def __repr__(self) -> str:
        return f"Scores(n = {self.n}, auc {self.auc.value:.3f}, brier {self.brier.value:.4f})"

    def __str__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.estimates().items())

    @property
    def calibrated(self) -> bool:
        """Whether 0 is inside the interval of the intercept and 1 inside that of the slope."""
        return not (self.intercept.excludes(0.0) or self.slope.excludes(1.0))

    @property
    def calibration_error(self) -> float:
        """Mean distance between predicted and happened over the bins of `reliability`, weighted by rows."""
        rows = np.array([b.happened.n for b in self.reliability])
        gaps = np.array([abs(b.predicted - b.happened.value) for b in self.reliability])
        return float(rows @ gaps / rows.sum())

    def estimates(self) -> dict[str, Estimate]:
        """All numbers with an interval, by name."""
        return {
            "rate": self.rate, "AUC": self.auc, "Brier": self.brier, "log-loss": self.log_loss,
            "calibration intercept": self.intercept, "calibration slope": self.slope,
            f"lift of the top {100 * self.top:g} %": self.lift, "average precision": self.average_precision,
        }  # fmt: skip

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a number: score, value, low, high, level, n, method."""
        rows = [
            {"score": name, "value": e.value, "low": e.low, "high": e.high, "level": e.level, "n": e.n,
             "method": e.method} for name, e in self.estimates().items()
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def reliability_table(self, *, backend: Any = None) -> Any:
        """One row a bin: low, high, predicted, happened, happened_low, happened_high, n."""
        rows = [
            {"low": b.low, "high": b.high, "predicted": b.predicted, "happened": b.happened.value,
             "happened_low": b.happened.low, "happened_high": b.happened.high, "n": b.happened.n}
            for b in self.reliability
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self, which: str = "reliability") -> Chart:
        """`"reliability"`: predicted against happened; `"gain"`, `"lift"`: by share contacted; `"precision"`."""
        from crmcore.idic.differentiate.propensity import charts

        if which not in DRAWN:
            raise UnknownName("chart", which, DRAWN)
        if which == "reliability":
            return charts.reliability_chart(self.reliability)
        if which == "precision":
            return charts.precision_chart(self.shares, self.captured, rate=self.rate.value)
        return charts.gain_chart(self.shares, self.captured, lift=which == "lift")

    def _repr_html_(self) -> str:
        rows = [{"score": name, "value": str(value)} for name, value in self.estimates().items()]
        return html_table(rows, caption=f"Quality of probabilities, n = {self.n}")


def evaluate(
    happened: ArrayLike,
    probability: ArrayLike,
    *,
    top: float = 0.1,
    bins: int = 10,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Scores:
    """Judge probabilities by what happened, on rows that the model did not see.

    Parameters
    ----------
    happened : (n,) truths
        Both kinds must be there.
    probability : (n,) shares
        0 to 1.
    top : share
        Of rows that `lift` looks at.
    bins : count
        Of `reliability`; rows of equal probability stay together, so there may be fewer.

    Raises
    ------
    BadRows, OutOfRange, EmptyInput
        Probabilities outside 0 to 1 or missing, columns of two lengths, one kind of outcome only.

    Notes
    -----
    AUC: DeLong's error, normal on the log odds (a perfect ranking: Wilson of the rarer outcome). Brier, log-loss: t on
    the mean. Average precision: infinitesimal jackknife, normal on the log odds. Reliability: Wilson.

    Examples
    --------
    >>> scores = evaluate([0, 0, 1, 1] * 10, [0.1, 0.4, 0.35, 0.8] * 10)
    >>> print(scores.auc)
    0.75 [0.562, 0.875] (95 %, n = 40, delong, logit)
    """
    check_level(level)
    share_of("top", top, hint="write the top tenth as top=0.1")
    if bins < 1:
        raise OutOfRange("bins", bins, "1 or more", "10 suit most samples")
    y, p = truths("happened", happened).astype(np.float64), numbers("probability", probability)
    some("happened", len(y), "pass at least one row of each kind")
    n = same_length("evaluate", happened=y, probability=p)
    refuse("probability", "pass shares between 0 and 1", probability=(~((p >= 0) & (p <= 1)), "not from 0 to 1"))
    if not 0 < y.sum() < n:
        hint = "take more rows or a longer horizon: neither ranking nor lift has a meaning here"
        raise OutOfRange("happened", "the same for all rows", "rows of both kinds", hint)
    warn_if_small(n, "the quality of probabilities", ok=small_sample_ok)

    def number(value: float, low: float, high: float, rule: str, method: str) -> Estimate:
        return Estimate(value=value, low=low, high=high, level=level, n=n, rule=rule, method=method)

    z = normal_quantile(level)
    area, error = scoring.auc_of(y, p)
    area_ends = scoring.logit_interval(area, error, n=float(min(y.sum(), n - y.sum())), level=level)
    precision, precision_error = scoring.average_precision_of(y, p)
    precision_ends = scoring.logit_interval(precision, precision_error, n=float(y.sum()), level=level)
    (a, a_error), (b, b_error) = scoring.recalibration_of(y, p)
    logit = scoring.logits_of(p)
    square, loss = (p - y) ** 2, np.logaddexp(0.0, logit) - y * logit
    base = float(y.mean())
    rows, captured = scoring.gain_of(y, p)
    return Scores(
        n=n, top=top, shares=rows, captured=captured, skill=1 - float(square.mean()) / (base * (1 - base)),
        rate=proportion(int(y.sum()), n, level=level, small_sample_ok=True),
        auc=number(area, *area_ends, "ranks right / pairs", "delong, logit"),
        brier=Moments.of(square).estimate(level=level, rule="mean squared error", small_sample_ok=True),
        log_loss=Moments.of(loss).estimate(level=level, rule="mean log-loss", small_sample_ok=True),
        intercept=number(a, a - z * a_error, a + z * a_error, "log odds happened over predicted", "wald"),
        slope=number(b, b - z * b_error, b + z * b_error, "slope on predicted log odds", "wald"),
        lift=number(*scoring.lift_of(y, p, share=top, level=level), f"rate of the top {100 * top:g} % / rate", "log"),
        average_precision=number(
            precision, *precision_ends, "mean precision",
            "jackknife, logit",
        ),
        reliability=_reliability(y, p, bins, level),
    )  # fmt: skip


def _reliability(y: Floats, p: Floats, bins: int, level: float) -> tuple[ReliabilityBin, ...]:
    group = reliability_groups(p, bins=bins)
    made = []
    for g in np.unique(group):
        held = p[group == g]
        hits = int(y[group == g].sum())
        rate = proportion(hits, len(held), level=level, small_sample_ok=True)
        made.append(
            ReliabilityBin(low=float(held.min()), high=float(held.max()), predicted=float(held.mean()), happened=rate)
        )
    return tuple(made)
