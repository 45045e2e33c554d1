"""Cumulative sums: small shifts that last, found sooner than by limits, with the time they began."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.estimates import frame_of
from crmcore.recovery.process.control.limits import EXACT, moving_ranges, xmr_lines
from crmcore.recovery.process.control.points import points_of
from crmcore.recovery.process.control.run_lengths import cusum_run_length

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Cusum", "Drift", "cusum"]

Floats = NDArray[np.float64]
Label = str | date | datetime | float


@attrs.frozen
class Drift(Document):
    """A sum passed its threshold.

    Parameters
    ----------
    position, began : counts
        Point of the signal, and the first point since the sum was last 0: where the shift most likely began.
    label, began_label : text
    side : text
        `above` or `below` the target.
    level : number
        Mean since then, by the sum: target +/- (slack + sum / points).
    """

    position: int
    began: int
    label: str
    began_label: str
    side: str
    level: float

    def __str__(self) -> str:
        return f"{self.label}: {self.side} target since {self.began_label}, at about {number_text(self.level)}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cusum(Document):
    """Sums of what exceeds the target by more than a slack, above and below.

    Parameters
    ----------
    labels : (n,) text
    values, above, below : (n,)
        Values, and the sums in units of sigma; a value that is missing leaves them as they are.
    target, sigma : numbers
        In the unit of the values.
    slack, threshold : numbers
        In units of sigma.
    drifts : tuple of Drift
        First point of each time that a sum is beyond the threshold.
    run_length : points
        Between false alarms on average, for independent normal values.
    """

    labels: tuple[str, ...]
    values: Floats
    above: Floats
    below: Floats
    target: float
    sigma: float
    slack: float
    threshold: float
    drifts: tuple[Drift, ...]
    run_length: float

    def __repr__(self) -> str:
        return f"Cusum({len(self.values)} points, {len(self.drifts)} drifts)"

    def __str__(self) -> str:
        told = f"target {number_text(self.target)}, sigma {number_text(self.sigma)}"
        alarm = f"a false alarm in {number_text(self.run_length)} points"
        how = f"slack {self.slack:g}, threshold {self.threshold:g}; {alarm}"
        lines = [f"cumulative sums of {len(self.values)} points: {told}, {how}"]
        return "\n".join([*lines, *(map(str, self.drifts) if self.drifts else ["no drift"])])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a point: label, value, above, below, drift (truth)."""
        at = {d.position for d in self.drifts}
        rows = [
            {
                "label": self.labels[i],
                "value": float(self.values[i]),
                "above": float(self.above[i]),
                "below": float(self.below[i]),
                "drift": i in at,
            }
            for i in range(len(self.values))
        ]
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Both sums with their thresholds; the lower one is drawn downwards."""
        from crmcore.recovery.process.charts import cusum_picture

        return cusum_picture(self)

    def _repr_html_(self) -> str:
        if not self.drifts:
            return f"<figure>{escape(str(self))}</figure>"
        rows = [
            {"point": d.label, "began": d.began_label, "side": d.side, "level": number_text(d.level)}
            for d in self.drifts
        ]
        return html_table(rows, caption=f"Drifts in {len(self.values)} points")


def cusum(
    values: ArrayLike,
    /,
    *,
    target: float | None = None,
    sigma: float | None = None,
    slack: float = 0.5,
    threshold: float = 5.0,
    head_start: float = 0.0,
    baseline: int | Sequence[bool] | None = None,
    labels: Sequence[Label] | None = None,
    small_sample_ok: bool = False,
) -> Cusum:
    """Watch for small shifts that last.

    Parameters
    ----------
    values : (n,) numbers
        In order of time; NaN is a point without a value.
    target, sigma : numbers, optional
        Of the steady process. By default the mean of the baseline, and its mean moving range / 1.128.
    slack, threshold : numbers
        In units of sigma: half the shift to be found, and how much must add up. 0.5 and 5 run 465 points between
        false alarms, and find a shift of one sigma in ten.
    head_start : number
        Where both sums begin, in units of sigma.
    baseline : count or (n,) truth, optional
        Points that target and sigma are computed from; by default all.
    labels : (n,), optional
    small_sample_ok : truth

    Returns
    -------
    Cusum

    Raises
    ------
    EmptyInput, BadRows, OutOfRange

    Notes
    -----
    S+ = max(0, S+ + z - k), S- = max(0, S- - z - k): Page (1954), Biometrika 41:100. After a signal the sums run on, so
    that a drift is told once for as long as it lasts.

    Examples
    --------
    >>> print(cusum([0, 1, 0, -1, 0, 2, 2, 3, 2, 3], target=0, sigma=1, small_sample_ok=True))
    cumulative sums of 10 points: target 0, sigma 1, slack 0.5, threshold 5; a false alarm in 465 points
    8: above target since 6, at about 2.33
    """
    known = small_sample_ok or (target is not None and sigma is not None)
    points = points_of(values, labels=labels, phases=None, baseline=baseline, small_sample_ok=known)
    run_length = cusum_run_length(slack=slack, threshold=threshold, head_start=head_start)
    ranges = moving_ranges(points.values, points.phase)
    lines, _ = xmr_lines(points.values, ranges, points.phase, points.baseline, EXACT)
    middle = float(lines.centre[0]) if target is None else float(target)
    spread = float(lines.sigma[0]) if sigma is None else float(sigma)
    if not np.isfinite(middle):
        raise OutOfRange("target", target, "a finite number", "leave it out to use the mean of the baseline")
    if sigma is None and np.isnan(spread):
        raise EmptyInput("the list of moving ranges", "give two points in a row, or state sigma")
    if not (spread > 0 and np.isfinite(spread)):
        raise OutOfRange("sigma", spread, "above 0", "values that never vary have none: state sigma")
    z = (points.values - middle) / spread
    above, began_up = _sums(z, slack, head_start)
    below, began_down = _sums(-z, slack, head_start)
    drifts = [
        *_drifts(above, began_up, points.labels, "above", middle, spread, slack, threshold),
        *_drifts(below, began_down, points.labels, "below", middle, -spread, slack, threshold),
    ]
    return Cusum(
        labels=points.labels,
        values=points.values,
        above=above,
        below=below,
        target=middle,
        sigma=spread,
        slack=slack,
        threshold=threshold,
        drifts=tuple(sorted(drifts, key=lambda d: (d.position, d.side))),
        run_length=run_length,
    )


def _sums(z: Floats, slack: float, head_start: float) -> tuple[Floats, NDArray[np.int64]]:
    """Upper sum, and the first point since it was 0; S is the walk less its lowest point so far."""
    walk = head_start + np.cumsum(np.where(np.isnan(z), 0.0, z - slack))
    lowest = np.minimum(np.minimum.accumulate(walk), 0.0)
    s = walk - lowest
    zero = np.where(s <= 0, np.arange(len(s)), -1)
    return s, np.maximum.accumulate(zero) + 1


def _drifts(
    s: Floats,
    began: NDArray[np.int64],
    labels: tuple[str, ...],
    side: str,
    target: float,
    spread: float,
    slack: float,
    threshold: float,
) -> list[Drift]:
    out = s > threshold
    first = np.flatnonzero(out & ~np.concatenate([[False], out[:-1]]))
    return [
        Drift(
            int(i), int(began[i]), labels[i], labels[began[i]], side,
            target + spread * (slack + float(s[i]) / int(i - began[i] + 1)),
        )
        for i in first
    ]  # fmt: skip
