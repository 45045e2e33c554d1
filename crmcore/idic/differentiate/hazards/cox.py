"""Cox regression: how features multiply the hazard, with Efron's ties, strata, weights and delayed entry."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between, html_table, number_text
from crmcore.errors import BadDocument, OutOfRange, UnknownName
from crmcore.idic.differentiate.hazards.concordance import concordance_of
from crmcore.idic.differentiate.hazards.curves import Curves
from crmcore.idic.differentiate.hazards.durations_in import Lives, read_lives
from crmcore.idic.differentiate.hazards.partial import Cohort, fit_cox, risk_sums
from crmcore.idic.differentiate.hazards.proportionality import Proportionality, proportionality_of
from crmcore.idic.differentiate.propensity.encoding import Encoding, Numbers, learn_encoding
from crmcore.idic.differentiate.propensity.features import Features, read_features
from crmcore.idic.differentiate.propensity.logistic import word_columns
from crmcore.idic.differentiate.propensity.scoring import logit_interval
from crmcore.metrics.columns import SAME, columns_frame, held_floats, held_whole
from crmcore.metrics.estimates import Estimate, check_level, frame_of
from crmcore.metrics.intervals import normal_quantile

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Cox", "CoxModel"]

Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Cox:
    """Recipe of a Cox regression: hazard = baseline(t) · exp(Σ β x).

    Parameters
    ----------
    penalty : number
        Ridge on standardised columns, in events: 0 is maximum partial likelihood.
    knots : count
        Inner knots of the curve of each number; 0 draws straight lines in log hazard.
    words, leave_out, least
        As for `Logistic`.

    Examples
    --------
    >>> lives = {"months": [1, 2, 3, 4, 5, 6] * 20, "left": [1, 1, 0, 1, 0, 1] * 20, "plan": ["a", "b", "a"] * 40}
    >>> print(Cox().fit(lives, duration="months", event="left").hazard_ratios()["plan = b"])
    0.864 [0.504, 1.48] (95 %, n = 120, wald)
    """

    penalty: float = attrs.field(default=0.0, validator=between(0, 1e12, hint="0 is maximum likelihood"))
    knots: int = attrs.field(default=0, validator=between(0, 100, hint="0 is a straight line, 3 or 4 a curve"))
    words: Collection[str] = ()
    leave_out: Collection[str] = ()
    least: int = attrs.field(default=1, validator=between(1, 1e9, hint="1 keeps every level"))

    def fit(
        self,
        frame: Any,
        *,
        duration: str | ArrayLike,
        event: str | ArrayLike,
        entry: str | ArrayLike | None = None,
        weights: str | ArrayLike | None = None,
        strata: str | ArrayLike | None = None,
    ) -> CoxModel:
        """Fit on rows that were followed; a text names a column of the frame.

        Parameters
        ----------
        frame
            Any frame of features.
        duration : (n,) numbers
            From each customer's own start to the event or to when it was last seen; 0 or more.
        event : (n,) truths
            Whether the event ended it.
        entry : (n,) numbers, optional
            When it came under observation, before `duration`: nobody is known to have stayed before.
        weights : (n,) numbers, optional
            How many customers each row stands for.
        strata : (n,) labels, optional
            Each has a baseline of its own.
        """
        lives = read_lives(
            frame, duration=duration, event=event, entry=entry, weights=weights, strata=strata, words=self.words,
            leave_out=self.leave_out,
        )  # fmt: skip
        if lives.features is None:
            encoding, x = Encoding(columns=()), np.zeros((len(lives.duration), 0))
        else:
            encoding = learn_encoding(lives.features, knots=self.knots, least=self.least, weight=lives.weight)
            x = encoding.matrix(lives.features)
        cohort = Cohort.of(x, lives.duration, lives.event, lives.entry, lives.weight, lives.stratum)
        beta, covariance, value, steps = fit_cox(cohort, penalty=self.penalty)
        return _model(self, lives, encoding, cohort, beta, covariance, value, steps)


def _model(
    recipe: Cox, lives: Lives, encoding: Encoding, cohort: Cohort, beta: Floats, covariance: Floats, value: float,
    steps: int,
) -> CoxModel:  # fmt: skip
    logit = cohort.x @ beta
    m = risk_sums(cohort, np.exp(logit))
    k = len(cohort.time)
    rate = m.weight / m.denominator
    good = [concordance_of(lives.duration[s], lives.event[s], logit[s]) for s in _strata(lives)]
    pairs = sum(g[2] for g in good)
    c = sum(g[0] * g[2] for g in good if g[2]) / pairs if pairs else np.nan
    error = np.sqrt(sum((g[1] * g[2]) ** 2 for g in good if g[2])) / pairs if pairs else np.nan
    lean = np.zeros((k, cohort.x.shape[1]))
    np.add.at(lean, m.place, m.mean * rate[:, None])
    null = fit_cox(attrs.evolve(cohort, x=np.zeros((len(logit), 0))), penalty=0.0)[2]
    tested = proportionality_of(cohort, m, covariance, encoding.labels, lives) if len(beta) and k > 2 else ()
    return CoxModel(
        encoding=encoding, coefficients=beta, covariance=covariance, penalty=recipe.penalty, n=len(logit),
        events=float(lives.weight[lives.event].sum()), log_likelihood=value, null_log_likelihood=null, steps=steps,
        strata=lives.strata, group=cohort.group, time=cohort.time, hazard=np.bincount(m.place, rate, k),
        hazard_variance=np.bincount(m.place, rate / m.denominator, k), lean=lean.ravel(), concordance_value=float(c),
        concordance_error=float(error), tested=tested,
        last_seen=np.array([float(lives.duration[s].max()) for s in _strata(lives)]),
    )  # fmt: skip


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


def _strata(lives: Lives) -> list[NDArray[np.bool_]]:
    return [lives.stratum == g for g in range(len(lives.strata))]


@attrs.frozen(kw_only=True, repr=False, hash=False)
class CoxModel:
    """A fitted Cox regression: hazard ratios, curves of customers, and whether its assumption holds.

    Attributes
    ----------
    coefficients, covariance : (p,), (p, p)
        Of standardised columns; `effects` gives them by unit.
    strata, group, time, hazard, hazard_variance, lean
        The baseline of the average customer: stratum and time (k,) of each step, its hazard, the sums that its
        variance needs.
    last_seen : (strata,) longest duration of each stratum
    log_likelihood, null_log_likelihood : with and without features
    tested : the test of proportional hazards, by column
    """

    encoding: Encoding
    coefficients: Floats = attrs.field(converter=held_floats, eq=SAME)
    covariance: Floats = attrs.field(converter=held_floats, eq=SAME)
    penalty: float
    n: int
    events: float
    log_likelihood: float
    null_log_likelihood: float
    steps: int
    strata: tuple[str, ...]
    group: NDArray[np.int64] = attrs.field(converter=held_whole, eq=SAME)
    time: Floats = attrs.field(converter=held_floats, eq=SAME)
    hazard: Floats = attrs.field(converter=held_floats, eq=SAME)
    hazard_variance: Floats = attrs.field(converter=held_floats, eq=SAME)
    lean: Floats = attrs.field(converter=held_floats, eq=SAME)
    last_seen: Floats = attrs.field(converter=held_floats, eq=SAME)
    concordance_value: float = attrs.field(eq=lambda v: None if v != v else v)
    concordance_error: float = attrs.field(eq=lambda v: None if v != v else v)
    tested: tuple[Proportionality, ...] = ()

    def __repr__(self) -> str:
        return f"CoxModel({len(self.encoding.names)} features, n = {self.n}, {number_text(self.events)} events)"

    def __str__(self) -> str:
        head = f"Cox regression: n = {self.n}, {number_text(self.events)} events, concordance {self.concordance()}"
        named = [f"{label}: {value}" for label, value in self.hazard_ratios().items()]
        broken = [t.label for t in self.tested if t.p_value < 0.05]
        doubt = [f"hazards are not proportional (p < .05): {', '.join(broken[:6])}"] if broken else []
        return "\n  ".join([head, *named[:12], *([f"... {len(named) - 12} more"] if len(named) > 12 else []), *doubt])

    @property
    def _scales(self) -> Floats:
        """(p,) units of each column of the matrix: numbers are divided by their standard deviation."""
        parts = [
            (*c.scales, *([1.0] if c.missing else [])) if isinstance(c, Numbers) else (1.0,) * len(c.labels)
            for c in self.encoding.columns
        ]
        return np.array([s for part in parts for s in part], np.float64)

    def effects(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """Coefficients by label: log hazard ratios, a unit of a number or a level against the most frequent one."""
        check_level(level)
        beta, error = self.coefficients / self._scales, np.sqrt(np.diag(self.covariance)) / self._scales
        z, method = normal_quantile(level), "normal, ridge" if self.penalty else "wald"
        return {
            label: Estimate(value=float(b), low=float(b - z * s), high=float(b + z * s), level=level, n=self.n,
                            rule=f"log hazard ratio, {label}", method=method)
            for label, b, s in zip(self.encoding.labels, beta, error, strict=True)
        }  # fmt: skip

    def hazard_ratios(self, *, level: float = 0.95) -> dict[str, Estimate]:
        """`effects` as ratios: 2 is twice the hazard."""
        return {
            label: Estimate(value=_exp(e.value), low=_exp(e.low), high=_exp(e.high),
                            level=level, n=e.n, rule=f"hazard ratio, {label}", method=e.method)
            for label, e in self.effects(level=level).items()
        }  # fmt: skip

    def concordance(self, *, level: float = 0.95) -> Estimate:
        """Chance that who leaves first had the higher risk, on the rows that were fitted: .5 is guessing.

        Harrell's c within strata; the interval is normal on the log odds with a jackknife error.
        """
        check_level(level)
        c, error = self.concordance_value, self.concordance_error
        known = not math.isnan(c)
        low, high = logit_interval(c, error, n=self.events, level=level) if known else (math.nan, math.nan)
        return Estimate(
            value=c, low=low, high=high, level=level, n=self.n, rule="ranks right / pairs", method="jackknife, logit"
        )

    def risk(self, frame: Any, /) -> Floats:
        """(n,) log hazard against the average customer."""
        found: Floats = self._matrix(frame) @ self.coefficients
        return found

    def curves(
        self, frame: Any, times: ArrayLike, *, strata: ArrayLike | str | None = None, level: float = 0.95
    ) -> Curves:
        """Share of customers like each row who are still there after each time, with intervals.

        The variance of the cumulative hazard counts the baseline and the coefficients (Tsiatis 1981, Annals of
        Statistics 9:93); the interval is normal on its logarithm. Past the last customer seen nothing is known: NaN.

        Parameters
        ----------
        times : (m,) durations
        strata : label, or (n,) labels
            Needed where the model has strata.
        """
        check_level(level)
        x, at = self._matrix(frame), np.atleast_1d(np.asarray(times, np.float64))
        if at.ndim != 1 or not (np.isfinite(at) & (at >= 0)).all():
            raise OutOfRange("times", "a time below 0 or not finite", "finite durations from 0", "as in the fit")
        n, p = x.shape
        group = self._groups(strata, n)
        lean = self.lean.reshape(len(self.time), p)
        cumulative, variance = np.full((n, len(at)), np.nan), np.full((n, len(at)), np.nan)
        factor = np.exp(np.minimum(x @ self.coefficients, 300.0))
        for g in np.unique(group):
            rows, steps = np.flatnonzero(group == g), np.flatnonzero(self.group == g)
            if not len(steps):
                continue
            reach = np.searchsorted(self.time[steps], at, side="right")
            base = np.r_[0.0, self.hazard[steps].cumsum()][reach]
            spread = np.r_[0.0, self.hazard_variance[steps].cumsum()][reach]
            leaned = np.concatenate([np.zeros((1, p)), lean[steps].cumsum(axis=0)])[reach]
            gap = x[rows][:, None, :] * base[None, :, None] - leaned[None]
            tilt = np.einsum("nmp,pq,nmq->nm", gap, self.covariance, gap)
            cumulative[rows] = factor[rows][:, None] * base
            variance[rows] = factor[rows][:, None] ** 2 * (spread + tilt)
            cumulative[np.ix_(rows, np.flatnonzero(at > self.last_seen[g]))] = np.nan
        return Curves.of(at, cumulative, variance, level=level)

    def baseline(self, *, backend: Any = None) -> Any:
        """One row an event time, of the average customer: stratum, time, hazard, cumulative_hazard, survival."""
        group = self.group
        cumulative = np.zeros(len(group))
        for g in np.unique(group):
            cumulative[group == g] = np.cumsum(self.hazard[group == g])
        survival = np.exp(-cumulative)
        steps = {"time": self.time, "hazard": self.hazard, "cumulative_hazard": cumulative, "survival": survival}
        return columns_frame({"stratum": [self.strata[g] for g in group.tolist()], **steps}, backend=backend)

    def proportionality(self) -> tuple[Proportionality, ...]:
        """Whether each column multiplies the hazard by the same number at all times; see `Proportionality`."""
        return self.tested

    def to_frame(self, *, level: float = 0.95, backend: Any = None) -> Any:
        """One row a column: term, log_hazard_ratio, low, high, hazard_ratio."""
        rows: list[dict[str, object]] = [
            {"term": n, "log_hazard_ratio": e.value, "low": e.low, "high": e.high,
             "hazard_ratio": _exp(e.value)}
            for n, e in self.effects(level=level).items()
        ]  # fmt: skip
        empty = {"term": "(none)", "log_hazard_ratio": 0.0, "low": 0.0, "high": 0.0, "hazard_ratio": 1.0}
        return frame_of(rows or [empty], backend=backend)

    def chart(self, *, top: int = 15, level: float = 0.95) -> Chart:
        """Hazard ratios with their intervals."""
        from crmcore.idic.differentiate.hazards.charts import ratios_chart

        return ratios_chart(self, top=top, level=level)

    def _repr_html_(self) -> str:
        rows = [{"term": n, "hazard ratio": str(e)} for n, e in self.hazard_ratios().items()]
        return html_table(rows, caption=str(self).partition("\n")[0], limit=12)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        return dict(to_dict(self))

    @classmethod
    def from_dict(cls, document: object) -> CoxModel:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        made = from_dict(cls, dict(document) if isinstance(document, Mapping) else document)
        k, p = len(made.time), len(made.coefficients)
        wrong = p != len(made.encoding.labels) or made.covariance.size != p * p or made.lean.size != k * p
        if wrong or any(len(c) != k for c in (made.group, made.hazard, made.hazard_variance)):
            raise BadDocument("CoxModel", ("columns of different lengths",), "write it with to_dict of this version")
        return attrs.evolve(made, covariance=made.covariance.reshape(p, p))  # of no feature: [] has lost its shape

    def _matrix(self, frame: Any) -> Floats:
        if isinstance(frame, Features):
            return self.encoding.matrix(frame)
        words = [c.name for c in self.encoding.columns if not isinstance(c, Numbers)]
        return self.encoding.matrix(read_features(frame, words=word_columns(frame, words), empty_ok=True))

    def _groups(self, strata: ArrayLike | str | None, n: int) -> NDArray[np.int64]:
        if strata is None:
            if len(self.strata) > 1:
                raise OutOfRange("strata", None, f"labels among {list(self.strata)}", "say whose baseline applies")
            return np.zeros(n, np.int64)
        named = [strata] * n if isinstance(strata, str) else [str(s) for s in np.asarray(strata).tolist()]
        for label in named:
            if label not in self.strata:
                raise UnknownName("stratum", label, self.strata)
        if len(named) != n:
            raise OutOfRange("len(strata)", len(named), f"{n}, as the rows", "one label a row, or one text for all")
        return np.array([self.strata.index(label) for label in named], np.int64)
