"""Durations with open ends: Kaplan-Meier and Nelson-Aalen from counts that add up over shards.

A case that is still open, a customer who has not come back, a lead that waits: none of them is a failure and none is a
success. They are censored: known to have lasted at least as long as was seen.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import OutOfRange, UnknownName
from crmcore.metrics.columns import (
    SAME,
    columns_frame,
    held_floats,
    not_negative,
    numbers,
    refuse,
    same_length,
    some,
    truths,
)
from crmcore.metrics.durations import lifetables as kernels
from crmcore.metrics.estimates import Estimate, check_level, warn_if_small
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.scalars import real

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["SurvivalTable", "kaplan_meier"]

Floats = NDArray[np.float64]
_COUNTS = ("events", "censored", "entered", "left_squares", "entered_squares")


@attrs.frozen(kw_only=True, repr=False, hash=False, slots=False)
class SurvivalTable(Document):
    """Who left when: the counts behind a survival curve, addable, and what is read off them.

    Attributes
    ----------
    time : (m,) durations
        Distinct, ascending, in `unit`.
    events, censored, entered : (m,) weight
        Who left by the event, who was seen last, and who came under observation late, at each time.
    left_squares, entered_squares : (m,) squared weight
        Of who left (event or not) and who came late; equal to the counts where nothing is weighted.
    n : count
        Rows behind it.
    unit : text
        Of durations; only tables in one unit add up.

    Examples
    --------
    >>> table = kaplan_meier([1, 2, 3, 4, 5], [True, True, False, True, False], unit="months")
    >>> print(table.survival_at(3, small_sample_ok=True))
    0.6 [0.126, 0.882] (95 %, n = 5, kaplan-meier, log-log)
    >>> table
    SurvivalTable(n = 5, 3 events, 5 times, months)
    """

    time: Floats = attrs.field(converter=held_floats, eq=SAME)
    events: Floats = attrs.field(converter=held_floats, eq=SAME)
    censored: Floats = attrs.field(converter=held_floats, eq=SAME)
    entered: Floats = attrs.field(converter=held_floats, eq=SAME)
    left_squares: Floats = attrs.field(converter=held_floats, eq=SAME)
    entered_squares: Floats = attrs.field(converter=held_floats, eq=SAME)
    n: int
    unit: str = ""

    def __attrs_post_init__(self) -> None:
        for name in _COUNTS:
            column: Floats = getattr(self, name)
            if column.shape != self.time.shape:
                raise OutOfRange(f"shape of {name}", column.shape, f"{self.time.shape}, as time", "one entry a time")
            if not (column >= 0).all():
                raise OutOfRange(name, float(column.min()), "0 or more", "counts and weights are never negative")
        if self.time.ndim != 1 or len(self.time) == 0 or not (np.diff(self.time) > 0).all():
            raise OutOfRange("time", "no rising column", "ascending distinct times", "make it with kaplan_meier")

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        return f"SurvivalTable({self._counted})"

    def __str__(self) -> str:
        return f"{self._counted}; median {self.median(small_sample_ok=True)}"

    @property
    def _counted(self) -> str:
        unit = f", {self.unit}" if self.unit else ""
        return f"n = {self.n}, {number_text(float(self.events.sum()))} events, {len(self)} times{unit}"

    def __add__(self, other: SurvivalTable) -> SurvivalTable:
        """The rows of both, as if they had been counted at once."""
        if self.unit != other.unit:
            raise OutOfRange("unit", other.unit, f"{self.unit!r}, as in the first table", "count both in one unit")
        time = np.union1d(self.time, other.time)
        here, there = np.searchsorted(time, self.time), np.searchsorted(time, other.time)
        sums = np.zeros((len(_COUNTS), len(time)))
        for row, name in zip(sums, _COUNTS, strict=True):
            row[here] += getattr(self, name)
            row[there] += getattr(other, name)
        return SurvivalTable(time=time, n=self.n + other.n, unit=self.unit, **dict(zip(_COUNTS, sums, strict=True)))

    @cached_property
    def at_risk(self) -> Floats:
        """(m,) weight of those who could have left at each time."""
        return kernels.at_risk(self.events + self.censored, self.entered)

    @cached_property
    def effective(self) -> Floats:
        """(m,) effective number at risk, (Σ w)²/Σ w²; without weights the number itself."""
        if not self.weighted:
            return self.at_risk
        squares = kernels.at_risk(self.left_squares, self.entered_squares)
        return np.divide(self.at_risk**2, squares, out=np.zeros_like(squares), where=squares > 0)

    @property
    def weighted(self) -> bool:
        """Whether rows count unequally."""
        return not np.array_equal(self.left_squares, self.events + self.censored)

    @cached_property
    def survival(self) -> Floats:
        """(m,) Kaplan-Meier share that is left after each time."""
        return kernels.product_limit(self.events, self.at_risk)

    @cached_property
    def log_variance(self) -> Floats:
        """(m,) Greenwood's variance of log S after each time; infinite once S is 0."""
        return kernels.greenwood(self.events, self.at_risk, self.effective)

    @property
    def standard_error(self) -> Floats:
        """(m,) Greenwood's standard error of S after each time; NaN once S is 0."""
        some_left = self.survival > 0
        return self.survival * np.sqrt(np.where(some_left, self.log_variance, np.nan))

    @cached_property
    def cumulative_hazard(self) -> Floats:
        """(m,) Nelson-Aalen Σ dⱼ/nⱼ after each time: Aalen (1978), Annals of Statistics 6:701."""
        return np.cumsum(np.divide(self.events, self.at_risk, out=np.zeros_like(self.events), where=self.events > 0))

    def band(self, *, level: float = 0.95, band: str = "log-log") -> tuple[Floats, Floats]:
        """Low and high (m,) of the curve at each time alone; see `lifetables.survival_band`.

        Examples
        --------
        >>> low, high = kaplan_meier([1, 2, 3, 4], [1, 1, 0, 1]).band(band="plain")
        >>> low.round(3), high.round(3)
        (array([0.326, 0.01 , 0.01 , 0.   ]), array([1.  , 0.99, 0.99, 0.99]))
        """
        if band not in kernels.BANDS:
            raise UnknownName("band", band, tuple(kernels.BANDS))
        return kernels.survival_band(self.survival, self.log_variance, self.effective, level=level, band=band)

    def survival_at(
        self, duration: float, *, level: float = 0.95, band: str = "log-log", small_sample_ok: bool = False
    ) -> Estimate:
        """Share that lasts longer than `duration` (in the table's unit).

        Past the last duration seen, where that case was censored, nothing is known: the value is NaN and the interval
        reaches from 0 to the last upper limit. Warns `SmallSample` below n = 30 unless `small_sample_ok`.

        Examples
        --------
        >>> print(kaplan_meier([2, 4, 4, 9] * 10, [1, 1, 0, 1] * 10).survival_at(4))
        0.5 [0.338, 0.642] (95 %, n = 40, kaplan-meier, log-log)
        """
        warn_if_small(self.n, "the share that lasts", ok=small_sample_ok)
        value, low, high = self._at(duration, level=level, band=band)
        rule = f"lasts longer than {self._long(duration)}, open cases censored"
        return self._estimate(value, low, high, level=level, rule=rule, method=f"kaplan-meier, {band}")

    def ended_by(
        self, duration: float, *, level: float = 0.95, band: str = "log-log", small_sample_ok: bool = False
    ) -> Estimate:
        """Share that ends within `duration`: 1 minus `survival_at`.

        Examples
        --------
        >>> print(kaplan_meier([2, 4, 4, 9] * 10, [1, 1, 0, 1] * 10, unit="hours").ended_by(4))
        0.5 [0.358, 0.662] (95 %, n = 40, kaplan-meier, log-log)
        """
        warn_if_small(self.n, "the share that ends", ok=small_sample_ok)
        value, low, high = self._at(duration, level=level, band=band)
        rule = f"ends within {self._long(duration)}, open cases censored"
        return self._estimate(1 - value, 1 - high, 1 - low, level=level, rule=rule, method=f"kaplan-meier, {band}")

    def quantile(
        self, share: float, *, level: float = 0.95, band: str = "log-log", small_sample_ok: bool = False
    ) -> Estimate:
        """Duration by which `share` of all have ended: the first time at which S(t) is at most 1 − share.

        The interval holds every t at which the curve's band holds 1 − share: Brookmeyer & Crowley (1982), Biometrics
        38:29. The value is NaN where the curve never falls so far; an end that is never reached is infinite.

        Examples
        --------
        >>> print(kaplan_meier([2, 4, 4, 9] * 10, [1, 1, 0, 1] * 10, unit="hours").quantile(0.25))
        2 [2, 4] (95 %, n = 40, brookmeyer-crowley, log-log)
        """
        if not 0 < share < 1:
            raise OutOfRange("share", share, "a share between 0 and 1", "write the median as 0.5")
        warn_if_small(self.n, "the quantile", ok=small_sample_ok)
        curves = (self.survival, *self.band(level=level, band=band))
        value, low, high = (kernels.first_at_or_below(self.time, curve, 1 - share) for curve in curves)
        rule = f"duration{self._in} by which {number_text(100 * share)} % have ended"
        value = value if math.isfinite(value) else math.nan
        return self._estimate(value, low, high, level=level, rule=rule, method=f"brookmeyer-crowley, {band}")

    def median(self, *, level: float = 0.95, band: str = "log-log", small_sample_ok: bool = False) -> Estimate:
        """Duration by which half have ended; see `quantile`."""
        return self.quantile(0.5, level=level, band=band, small_sample_ok=small_sample_ok)

    def restricted_mean(
        self, horizon: float | None = None, *, level: float = 0.95, small_sample_ok: bool = False
    ) -> Estimate:
        """Mean duration, counting at most `horizon` of each: the area under the curve up to there.

        `horizon` is at most the longest duration seen, unless the curve has reached 0 there; None takes that longest
        one. The interval is normal with Greenwood's variance (see `lifetables.restricted_mean`), cut to [0, horizon].

        Examples
        --------
        >>> print(kaplan_meier([2, 4, 4, 9] * 10, [1, 1, 0, 1] * 10).restricted_mean(8))
        5.5 [4.69, 6.31] (95 %, n = 40, normal, greenwood)
        """
        check_level(level)
        last = float(self.time[-1])
        until = last if horizon is None else real("horizon", horizon)
        if not 0 < until < math.inf or (until > last and self.survival[-1] > 0):
            raise OutOfRange("horizon", horizon, f"above 0, at most {number_text(last)}", "nothing was seen past that")
        warn_if_small(self.n, "the restricted mean", ok=small_sample_ok)
        mean, variance = kernels.restricted_mean(
            self.time, self.survival, self.events, self.at_risk, self.effective, horizon=until
        )
        half = normal_quantile(level) * math.sqrt(variance)
        rule = f"mean duration{self._in}, at most {number_text(until)} of each"
        low, high = max(mean - half, 0.0), min(mean + half, until)
        return self._estimate(mean, low, high, level=level, rule=rule, method="normal, greenwood")

    def cumulative_hazard_at(self, duration: float, *, level: float = 0.95, small_sample_ok: bool = False) -> Estimate:
        """Nelson-Aalen cumulative hazard up to `duration`, its interval normal on the logarithm.

        H exp(±z √V / H) with V = Σ dⱼ/nⱼ²: Klein & Moeschberger (2003), sections 4.2 and 4.3. Before the first event
        the upper end is −log of the lower limit of S.

        Examples
        --------
        >>> print(kaplan_meier([2, 4, 4, 9] * 10, [1, 1, 0, 1] * 10).cumulative_hazard_at(4))
        0.583 [0.375, 0.908] (95 %, n = 40, nelson-aalen, log)
        """
        warn_if_small(self.n, "the cumulative hazard", ok=small_sample_ok)
        known, lowest, _ = self._at(duration, level=level, band="log-log")
        happened = (self.time <= duration) & (self.events > 0)
        share = self.events[happened] / self.at_risk[happened]
        hazard, variance = float(share.sum()), float((share / self.effective[happened]).sum())
        low, high = 0.0, -math.log(lowest) if lowest > 0 else math.inf
        if hazard > 0:
            factor = math.exp(normal_quantile(level) * math.sqrt(variance) / hazard)
            low, high = hazard / factor, hazard * factor
        if math.isnan(known):
            hazard, high = math.nan, math.inf
        rule = f"cumulative hazard up to {self._long(duration)}"
        return self._estimate(hazard, low, high, level=level, rule=rule, method="nelson-aalen, log")

    def _at(self, duration: float, *, level: float, band: str) -> tuple[float, float, float]:
        """Curve and band at one duration."""
        duration = real("duration", duration)
        if not duration >= 0:
            raise OutOfRange("duration", duration, "0 or more", "durations count from the start of each case")
        low, high = self.band(level=level, band=band)
        place = int(np.searchsorted(self.time, duration, side="right")) - 1
        if place < 0:
            start = kernels.survival_band(np.ones(1), np.zeros(1), self.effective[:1], level=level, band=band)
            return 1.0, float(start[0][0]), 1.0
        if duration > self.time[-1] and self.survival[-1] > 0:
            return math.nan, 0.0, float(high[-1])
        return float(self.survival[place]), float(low[place]), float(high[place])

    def _estimate(self, value: float, low: float, high: float, *, level: float, rule: str, method: str) -> Estimate:
        return Estimate(value=value, low=low, high=high, level=level, n=self.n, rule=rule, method=method)

    def _long(self, duration: float) -> str:
        return f"{number_text(duration)} {self.unit}".rstrip()

    @property
    def _in(self) -> str:
        return f" in {self.unit}" if self.unit else ""

    def columns(self, *, level: float = 0.95, band: str = "log-log") -> dict[str, Floats]:
        """(m,) time, at_risk, events, censored, survival, low, high, cumulative_hazard."""
        low, high = self.band(level=level, band=band)
        counts = {"time": self.time, "at_risk": self.at_risk, "events": self.events, "censored": self.censored}
        curve = {"survival": self.survival, "low": low, "high": high, "cumulative_hazard": self.cumulative_hazard}
        return counts | curve

    def to_frame(self, *, level: float = 0.95, band: str = "log-log", backend: Any = None) -> Any:
        """One row a time, with the names of `columns`."""
        return columns_frame(self.columns(level=level, band=band), backend=backend)

    def chart(
        self,
        *,
        level: float = 0.95,
        band: str = "log-log",
        title: str = "Share that lasts",
        until: float | None = None,
    ) -> Chart:
        """The curve as steps with its band, from 1 at the start to `until` (None: to the last time seen)."""
        from crmcore.metrics.durations.charts import survival_chart

        return survival_chart({"": self}, level=level, band=band, title=title, until=until)

    def _repr_html_(self) -> str:
        pick = np.unique(np.linspace(0, len(self) - 1, min(len(self), 10)).astype(int))
        shown = self.columns()
        rows = [{name: number_text(float(column[i])) for name, column in shown.items()} for i in pick]
        return html_table(rows, caption=str(self))


def kaplan_meier(
    durations: ArrayLike,
    observed: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    unit: str = "",
) -> SurvivalTable:
    """Count durations, some of which were still running when they were seen last.

    Parameters
    ----------
    durations : (n,) numbers
        How long each case lasted, or has lasted so far, from 0; ties are fine. At equal times events come before
        censorings: who was seen last at t was still at risk at t.
    observed : (n,) truths
        Whether the end was seen; False is an open (censored) case.
    weights : (n,) numbers, optional
        What each row stands for, above 0 (sampling weights). Intervals then use the effective number at risk.
    entry : (n,) numbers, optional
        Duration at which each case came under observation (left truncation), below its duration; 0 is the start. A
        customer of two years whom the data know for one enters at 1. With few at risk at the beginning the curve may
        fall to 0 there and stay: look at `at_risk`.
    unit : text
        Of the durations, for words and for adding up.

    Returns
    -------
    SurvivalTable
        Kaplan-Meier curve, Nelson-Aalen hazard, quantiles, restricted mean. For groups see `logrank.survival_by`.

    Raises
    ------
    EmptyInput, OutOfRange, BadRows
        No rows; columns of two lengths; negative, NaN or infinite cells, an entry that is not before the end.

    Examples
    --------
    >>> table = kaplan_meier([5, 8, 8, 12], [True, True, False, True], unit="days")
    >>> table.survival
    array([0.75, 0.5 , 0.  ])
    >>> (table + table).at_risk
    array([8., 6., 2.])
    """
    time, seen = numbers("durations", durations), truths("observed", observed)
    weight = None if weights is None else numbers("weights", weights)
    begin = None if entry is None else numbers("entry", entry)
    n = same_length("kaplan_meier", durations=time, observed=seen, weights=weight, entry=begin)
    some("durations", n, "pass at least one case")
    given = {"durations": time, "weights": weight, "entry": begin}
    not_negative("durations", **{name: column for name, column in given.items() if column is not None})
    if weight is not None:
        refuse("durations", "drop the rows that stand for nothing", weights=(weight == 0, "0"))
    if begin is not None:
        hint = "a case that ended before it came under observation was never at risk: drop it"
        refuse("durations", hint, entry=((begin >= time) & (begin > 0), "not before the end"))
    if weight is None and begin is None:
        return SurvivalTable(n=n, unit=unit, **_plain(time, seen))
    heavy, start = np.ones(n) if weight is None else weight, np.zeros(n) if begin is None else begin
    return SurvivalTable(n=n, unit=unit, **_weighted(time, seen, heavy, start))


def _plain(time: Floats, seen: NDArray[np.bool_]) -> dict[str, Floats]:
    """Columns of a table of cases that count alike and were there from the start."""
    place, events, censored = kernels.count_ends(time, seen)
    nobody, left = np.zeros(len(place)), events + censored
    return dict(zip(("time", *_COUNTS), (place, events, censored, nobody, left, nobody), strict=True))


def _weighted(time: Floats, seen: NDArray[np.bool_], weight: Floats, begin: Floats) -> dict[str, Floats]:
    """Columns of a table of cases with weights, some of which came late."""
    late = begin > 0
    place = np.unique(np.concatenate([time, begin[late]]))
    parts = {
        "events": (time[seen], weight[seen]),
        "censored": (time[~seen], weight[~seen]),
        "entered": (begin[late], weight[late]),
        "left_squares": (time, weight**2),
        "entered_squares": (begin[late], weight[late] ** 2),
    }
    return {"time": place} | {name: kernels.totals_at(place, *columns) for name, columns in parts.items()}
