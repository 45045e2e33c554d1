"""Windows of days in which something was different: a scan over many daily shares with one rate of false alarms.

For every series and every window of days the share within is compared with the share in the days around it (binomial
likelihood ratio, Kulldorff 1997). How large the ratio becomes by chance, anywhere in the whole family, is found by
drawing clean days with the same counts; the threshold follows from the false alarms that one is ready to accept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import numbers, refuse
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import count_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Incident", "Incidents", "find_incidents"]

Floats = NDArray[np.float64]
Window = tuple[float, int, int, int, int, int, int, int]
YEAR = 365.2425


@attrs.frozen(kw_only=True)
class Incident:
    """One window in which one or several series were different.

    Attributes
    ----------
    series : name of the surest, and `also` those of the others that overlap it
    start, end : first and last day
    within, around : share in the window, and in the days around it
    strength : log-likelihood ratio of the surest
    """

    series: str
    start: date
    end: date
    within: Estimate
    around: Estimate
    strength: float
    also: tuple[str, ...] = ()

    @property
    def direction(self) -> str:
        """Whether there was more or less than around."""
        return "more" if self.within.value > self.around.value else "less"

    def __str__(self) -> str:
        shares = f"{self.within.value:.1%} for {self.around.value:.1%}"
        told = f"{self.start} to {self.end}: {self.direction} {self.series}, {shares}"
        return told + (
            f"; also {', '.join(self.also[:4])}" + (" ..." if len(self.also) > 4 else "") if self.also else ""
        )


@attrs.frozen(kw_only=True)
class Incidents(Document):
    """Windows found, the surest first.

    Attributes
    ----------
    threshold : log-likelihood ratio that clean days pass as often as `alarms_a_year` says, over all series together
    series, days : how many were looked at
    """

    rows: tuple[Incident, ...]
    threshold: float
    alarms_a_year: float
    series: int
    days: int

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: int) -> Incident:
        return self.rows[i]

    def __str__(self) -> str:
        looked = f"{len(self.rows)} incidents in {self.days} days of {self.series} series"
        head = f"{looked}; clean days give {self.alarms_a_year:g} a year"
        return "\n".join([head, *(f"  {r}" for r in self.rows)])

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an incident: series, start, end, direction, within, low, high, around, strength, also."""
        rows = [
            {
                "series": r.series, "start": r.start, "end": r.end, "direction": r.direction, "within": r.within.value,
                "low": r.within.low, "high": r.within.high, "around": r.around.value, "strength": r.strength,
                "also": "; ".join(r.also),
            }
            for r in self.rows
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """Shares within the windows, with intervals, the surest first."""
        from crmcore.charts import dot_interval

        if not self.rows:
            raise EmptyInput("incidents", "nothing was different from the days around it")
        rows = self.rows[:15]
        return dot_interval(
            [f"{r.series}, {r.start} to {r.end}" for r in rows], [r.within for r in rows], percent=True,
            title="What was different, and when", description=str(self),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        rows = [
            {
                "what": f"{r.direction} {r.series}", "from": str(r.start), "to": str(r.end), "within": r.within.value,
                "around": r.around.value,
            }
            for r in self.rows[:20]
        ]  # fmt: skip
        return html_table(rows, caption=str(self).split("\n")[0])


def find_incidents(
    series: Mapping[str, tuple[ArrayLike, ArrayLike]], /, *, start: date, shortest: int = 3, longest: int = 60,
    around: int = 45, alarms_a_year: float = 0.5, draws: int = 100, seed: int = 0, progress: Progress | bool = False,
) -> Incidents:  # fmt: skip
    """Find windows of days in which shares differ from the days around them.

    Parameters
    ----------
    series : name -> (successes, trials), each (days,)
        Counts of each day, all of the same days.
    start : date
        Of the first day.
    shortest, longest : days
        Of a window.
    around : days
        On each side, with which a window is compared; slow change is then no incident.
    alarms_a_year : number
        Windows that clean days may give, over all series together; 0.5 is one in two years.
    draws, seed
        Of clean days, for the threshold.
    progress : callable or bool

    Returns
    -------
    Incidents
        Overlapping windows of several series are one incident, told by the surest; a series may have several.

    Raises
    ------
    EmptyInput, OutOfRange
        No series, series of other days, windows longer than the days.
    BadRows
        Successes above trials, negative or missing counts.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> clean, broken = rng.binomial(200, 0.3, 120), rng.binomial(200, 0.3, 120)
    >>> broken[60:70] = rng.binomial(200, 0.15, 10)
    >>> print(find_incidents({"paid": (broken, [200] * 120), "seen": (clean, [200] * 120)}, start=date(2026, 1, 1)))
    1 incidents in 120 days of 2 series; clean days give 0.5 a year
      2026-03-02 to 2026-03-11: less paid, 15.3% for 30.0%
    """
    names = list(series)
    won, tried = _columns(series)
    days = won.shape[1]
    count_of("shortest", shortest, least=1, hint="3 leaves single odd days alone")
    if not shortest <= longest < days:
        raise OutOfRange(
            "longest", longest, f"{shortest} to {days - 1}, of {days} days", "a window needs days around it"
        )
    if not 0 < alarms_a_year < 50:
        raise OutOfRange("alarms_a_year", alarms_a_year, "above 0", "0.5 is one in two years")
    lengths = range(shortest, longest + 1)
    tell, rng = reporter(progress), np.random.default_rng(seed)
    chance = np.divide(won.sum(1), tried.sum(1), out=np.zeros(len(won)), where=tried.sum(1) > 0)
    highest = np.empty(count_of("draws", draws, least=20, hint="100 is enough"))
    for i in range(draws):
        clean = rng.binomial(tried.astype(np.int64), chance[:, None]).astype(np.float64)
        highest[i] = _scan(clean, tried, lengths, around)[0].max()
        tell("incidents", i + 1, draws)
    # a family of d days gives so many alarms on average where the largest ratio passes with probability 1 - exp(-mean)
    share = 1 - np.exp(-alarms_a_year * days / YEAR)
    threshold = float(np.quantile(highest, 1 - share, method="weibull"))
    found = _all_windows(won, tried, lengths, around, threshold)
    rows = _joined(found, names, start)
    return Incidents(rows=tuple(rows), threshold=threshold, alarms_a_year=alarms_a_year, series=len(names), days=days)


def _columns(series: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> tuple[Floats, Floats]:
    if not series:
        raise EmptyInput("series", "pass at least one: {'paid': (successes, trials)}")
    won, tried = [], []
    days = None
    for name, (k, n) in series.items():
        a, b = numbers(f"successes of {name}", k), numbers(f"trials of {name}", n)
        days = len(a) if days is None else days
        if not len(a) == len(b) == days:
            raise OutOfRange(
                f"days of {name}", (len(a), len(b)), f"{days}, as the first series", "write 0 of 0 for a day"
            )
        sound = np.isfinite(a) & np.isfinite(b) & (a >= 0)
        hint = "whole counts of each day; 0 of 0 is a day without trials"
        refuse(name, hint, successes=(~sound | (a > b), "missing, negative, or above the trials"), trials=(np.isfinite(b) & (b != np.floor(b)), "no whole count"))  # noqa: E501  # fmt: skip
        won.append(a)
        tried.append(b)
    if not days:
        raise EmptyInput("days", "pass at least a few weeks")
    return np.array(won), np.array(tried)


def _likelihood(k: Floats, n: Floats) -> Floats:
    """Binomial log-likelihood at the share itself."""
    p = np.divide(k, n, out=np.zeros_like(k), where=n > 0)
    q = 1.0 - p
    return np.asarray(k * np.log(np.where(k > 0, p, 1.0)) + (n - k) * np.log(np.where(n > k, q, 1.0)))


def _scan(won: Floats, tried: Floats, lengths: Sequence[int] | range, around: int) -> tuple[Floats, NDArray[np.int64]]:
    """(s,) largest ratio of each series, and (s, 2) its window."""
    s, days = won.shape
    zero = np.zeros((s, 1))
    k, n = (np.concatenate([zero, c.cumsum(1)], axis=1) for c in (won, tried))
    best, where = np.full(s, -1.0), np.zeros((s, 2), np.int64)
    for length in lengths:
        a = np.arange(days - length + 1)
        b = a + length
        low, high = np.maximum(a - around, 0), np.minimum(b + around, days)
        inside, all_ = (k[:, b] - k[:, a], n[:, b] - n[:, a]), (k[:, high] - k[:, low], n[:, high] - n[:, low])
        ratio = _likelihood(*inside) + _likelihood(all_[0] - inside[0], all_[1] - inside[1]) - _likelihood(*all_)
        at = ratio.argmax(axis=1)
        top = ratio[np.arange(s), at]
        more = top > best
        best[more] = top[more]
        where[more] = np.stack([at, at + length], axis=1)[more]
    return best, where


def _all_windows(won: Floats, tried: Floats, lengths: range, around: int, threshold: float) -> list[Window]:
    """Ratio, series, first day, day after the last, and counts within and around, of every window above the threshold.

    What was found is taken out before the series is looked at again.
    """
    won, tried, found = won.copy(), tried.copy(), []
    days = won.shape[1]
    live = np.arange(len(won))
    while len(live):
        best, where = _scan(won[live], tried[live], lengths, around)
        keep = best > threshold
        for ratio, i, (a, b) in zip(best[keep].tolist(), live[keep].tolist(), where[keep].tolist(), strict=True):
            low, high = max(a - around, 0), min(b + around, days)
            inside = (won[i, a:b].sum(), tried[i, a:b].sum())
            beside = (won[i, low:high].sum() - inside[0], tried[i, low:high].sum() - inside[1])
            found.append((ratio, i, a, b, *(int(c) for c in (*inside, *beside))))
            won[i, a:b] = tried[i, a:b] = 0.0
        live = live[keep]
    return sorted(found, reverse=True)


def _joined(found: list[Window], names: list[str], start: date) -> list[Incident]:
    """Incidents of windows, the surest first; windows that overlap it are part of it."""
    rows: list[Incident] = []
    while found:
        ratio, i, a, b, *counts = found[0]
        also = dict.fromkeys(names[w[1]] for w in found[1:] if w[2] < b and w[3] > a and w[1] != i)
        rows.append(
            Incident(
                series=names[i],
                start=start + timedelta(days=a),
                end=start + timedelta(days=b - 1),
                strength=ratio,
                within=proportion(counts[0], counts[1], rule=f"{names[i]}, within", small_sample_ok=True),
                around=proportion(counts[2], counts[3], rule=f"{names[i]}, around", small_sample_ok=True),
                also=tuple(also),
            )
        )
        found = [w for w in found[1:] if w[2] >= b or w[3] <= a]
    return rows
