"""When one share of failures changed: the time as a set, with the shares before and after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from html import escape

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.metrics.comparing import p_text
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.proportions import proportion
from crmcore.recovery.process.causes.fitting import Patterns, fit_patterns
from crmcore.recovery.process.causes.scanning import bridges, change_log_p, profile_of
from crmcore.recovery.process.control.points import counted

__all__ = ["StepChange", "step_change"]

Floats = NDArray[np.float64]
Label = str | date | datetime | float


@attrs.frozen(kw_only=True)
class StepChange(Document):
    """The strongest step in a series of shares, whether or not it is more than chance.

    Parameters
    ----------
    position, first, last : counts
        First point after the change, and the set that holds it with probability `level`.
    label, first_label, last_label : text
    before, after : Estimate
        Share of failures on both sides of `position`.
    p_value : share
        Chance of a step so strong anywhere in a series that never changed.
    level : share
    """

    position: int
    first: int
    last: int
    label: str
    first_label: str
    last_label: str
    before: Estimate
    after: Estimate
    p_value: float
    level: float

    def __str__(self) -> str:
        span = f"{self.first_label} to {self.last_label}" if self.first != self.last else self.label
        return (
            f"from {self.label} on ({100 * self.level:g} %: {span}), {p_text(self.p_value)}\n"
            f"  before {self.before}\n  after  {self.after}"
        )

    def _repr_html_(self) -> str:
        return f"<figure>{escape(str(self))}</figure>"


def step_change(
    failures: ArrayLike,
    trials: ArrayLike,
    /,
    *,
    labels: Sequence[Label] | None = None,
    level: float = 0.95,
    min_cases: int = 10,
) -> StepChange:
    """Date the strongest step in a share of failures.

    Parameters
    ----------
    failures, trials : (n,) counts
        A period each, in order of time; periods without cases are passed over.
    labels : (n,), optional
    level : share
        Of the set of periods and of the intervals of the shares.
    min_cases : count
        Fewest cases on each side.

    Returns
    -------
    StepChange
        Read its `p_value` before its date: every series has a strongest step.

    Raises
    ------
    BadRows, OutOfRange, EmptyInput

    Notes
    -----
    As for dated causes: the largest bridge with the p-value of Miller & Siegmund (1982), and the likelihood over
    periods, whose median is told. The set is what to read: the single best period misses the truth often.

    Examples
    --------
    >>> print(step_change([3, 5, 4, 12, 11, 13], [100] * 6))
    from 4 on (95 %: 3 to 4), p = 0.00729
      before 0.04 [0.023, 0.0686] (95 %, n = 300, wilson)
      after  0.12 [0.088, 0.162] (95 %, n = 300, wilson)
    """
    check_level(level)
    points, size = counted(failures, trials, labels, None, None, True, whole=True)
    kept = np.flatnonzero(size > 0)
    k, n = points.counts[kept], size[kept]
    fit = fit_patterns(Patterns.of([], n, k))
    z = bridges(fit.p[0] * n[None], fit.weight[0] * n[None], k[None])[0]
    before = np.cumsum(n) - n
    allowed = (before >= min_cases) & (n.sum() - before >= min_cases) & ~np.isnan(z)
    places = np.flatnonzero(allowed)
    if not len(places):
        raise EmptyInput("the list of possible steps", f"give two periods with {min_cases} cases on either side")
    share = before / n.sum()
    ends = np.array([share[places].min()]), np.array([share[places].max()])
    p = float(np.exp(change_log_p(np.array([np.abs(z[places]).max()]), *ends)[0]))
    profile = profile_of(fit, n[None], k, places)
    at, (first, last) = profile.centre, profile.ends(level)
    told = [points.labels[kept[i]] for i in (at, first, last)]
    return StepChange(
        position=int(kept[at]), first=int(kept[first]), last=int(kept[last]),
        label=told[0], first_label=told[1], last_label=told[2],
        before=proportion(int(k[:at].sum()), int(n[:at].sum()), level=level, small_sample_ok=True),
        after=proportion(int(k[at:].sum()), int(n[at:].sum()), level=level, small_sample_ok=True),
        p_value=p, level=level,
    )  # fmt: skip
