"""Is there a season, and which? Estimated from the window of calibration alone, and taken only where it pays.

Repeat purchases of week w of the year, a_w, are held against those that a model without season expects of the same
customers at the same ages, e_w:

a_w ~ Poisson(e_w exp(c + f_w)),    f ~ Gaussian process on the circle of the year,
cov(f_v, f_w) = s^2 exp(-2 sin^2(pi (v - w) / 52) / l^2)

s and l have the largest marginal likelihood (Laplace; MacKay 1998 for the kernel; Rasmussen and Williams 2006, ch. 3):
where weeks scatter no more than chance does, s is 0 and the index 1. Weeks without purchases lean on their neighbours.
The model is then fitted again in seasonal time, and the two once more in turn.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore.documents import Document
from crmcore.idic.differentiate.buying.choosing import ALIKE, choose_model
from crmcore.idic.differentiate.buying.days import SeenDays, seen_days
from crmcore.idic.differentiate.buying.model import BuyingModel
from crmcore.idic.differentiate.buying.purchases import UNITS, Purchases
from crmcore.idic.differentiate.buying.season import YEAR, SeasonIndex, week_of
from crmcore.metrics.estimates import frame_of
from crmcore.tables import OrderTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CalendarChoice", "choose_calendar"]

Floats = NDArray[np.float64]
STRENGTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.8)  # standard deviation of the log index
LENGTHS = (0.15, 0.3, 0.6, 1.2)  # 0.15: about a week and a half; 1.2: half a year
TURNS = 2
STEPS = 2048  # of the curve of expected purchases


@attrs.frozen(kw_only=True, repr=False)
class CalendarChoice(Document):
    """A season, whether to use it, and why.

    Attributes
    ----------
    calendar : SeasonIndex or None
        What to hand to `Purchases.of_orders`; None says that plain time is better.
    index : SeasonIndex
        As estimated, taken or not.
    whole_years : of the window
    strength : standard deviation of the log index before seeing the weeks; 0 is no season
    freedom : parameters that the index spends, as an effective number
    with_season, without : best models in both times
    reasons : in words
    """

    calendar: SeasonIndex | None
    index: SeasonIndex
    whole_years: int
    strength: float
    freedom: float
    with_season: BuyingModel
    without: BuyingModel
    reasons: tuple[str, ...]

    @property
    def gain(self) -> float:
        """AIC of plain time - AIC of seasonal time, the freedom of the index counted; above 0 speaks for it."""
        return self.without.aic - self.with_season.aic - 2 * self.freedom

    def __str__(self) -> str:
        head = "no calendar" if self.calendar is None else f"calendar: {self.calendar}"
        return "; ".join((head, *self.reasons))

    def __repr__(self) -> str:
        return f"CalendarChoice({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a way to measure time: time, model, log_likelihood, parameters, aic."""
        rows = [
            {
                "time": time, "model": m.title, "log_likelihood": m.log_likelihood,
                "parameters": len(m.theta) + free, "aic": m.aic + 2 * free,
            }
            for time, m, free in (("plain", self.without, 0.0), ("seasonal", self.with_season, self.freedom))
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def chart(self) -> Chart:
        """The index over the year."""
        return self.index.chart()

    def _repr_html_(self) -> str:
        rows = [
            {"time": "plain", "model": self.without.title, "AIC": self.without.aic},
            {"time": "seasonal", "model": self.with_season.title, "AIC": self.with_season.aic + 2 * self.freedom},
        ]
        return html_table(rows, caption=str(self))


def choose_calendar(
    orders: OrderTable, /, *, until: datetime | None = None, unit: str = "week",
    born: tuple[datetime, datetime] | None = None, short_ok: bool = False, progress: Progress | bool = False,
) -> CalendarChoice:  # fmt: skip
    """Estimate the season from orders before `until`, and say whether purchases should be read with it.

    Taken where both hold: the window has a whole year (within less, season cannot be told from growth or from the age
    of customers), and the AIC of the best model is lower by 2 in seasonal time, with the freedom of the index counted.

    Parameters
    ----------
    orders : OrderTable
    until, unit, born
        As for `Purchases.of_orders`; orders from `until` on are never read.
    short_ok : truth
        Drop the first condition: "I know that what this window shows comes back every year".
    progress : callable or bool

    Examples
    --------
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "a", "b"], "time": ["2026-01-01", "2026-01-15", "2026-01-08"], "amount": [5, 7, 9]},
    ...     currency="EUR", zone="UTC",
    ... )
    >>> print(choose_calendar(orders))
    no calendar; the window has no whole year: season cannot be told from growth
    """
    plain = timed = Purchases.of_orders(orders, until=until, unit=unit, born=born)
    seen, tell = seen_days(orders, until=until).born(born), reporter(progress)
    whole = int((seen.last + 1 - int(seen.day.min())) / YEAR)
    index, strength, freedom, model = SeasonIndex.of(np.ones(52)), 0.0, 0.0, choose_model(plain, regular=False).model
    tell("calendar", 1, TURNS + 2)
    for turn in range(TURNS):
        here, grown = _weeks(seen, model, index, unit)
        index, strength, freedom = _season(here, grown / np.array(index.weeks))
        if strength == 0.0:
            break
        timed = Purchases.of_orders(orders, until=until, unit=unit, born=born, calendar=index)
        model = choose_model(timed, regular=False).model
        tell("calendar", turn + 2, TURNS + 2)
    without = choose_model(plain).model
    with_season = without if strength == 0.0 else choose_model(timed).model
    tell("calendar", TURNS + 2, TURNS + 2)
    found = CalendarChoice(
        calendar=index, index=index, whole_years=whole, strength=strength, freedom=freedom, with_season=with_season,
        without=without, reasons=(),
    )  # fmt: skip
    why, taken = _reasons(found, short_ok=short_ok)
    return attrs.evolve(found, calendar=index if taken else None, reasons=why)


def _reasons(found: CalendarChoice, *, short_ok: bool) -> tuple[tuple[str, ...], bool]:
    if found.whole_years < 1 and not short_ok:
        return ("the window has no whole year: season cannot be told from growth",), False
    if found.strength == 0.0:
        return ("weeks of the year differ no more than chance makes them",), False
    taken, gain = found.gain > ALIKE, found.gain
    told = [f"{abs(gain):,.1f} {'better' if gain > 0 else 'worse'} by AIC than plain time"]
    if 0 < gain <= ALIKE:
        told[0] += ", too little for what it adds"
    told.append(f"the index spends {found.freedom:.1f} parameters")
    if found.whole_years < 1:
        told.append("of less than a year: the caller vouches that it comes back")
    return tuple(told), taken


def _weeks(seen: SeenDays, model: BuyingModel, index: SeasonIndex, unit: str) -> tuple[Floats, Floats]:
    """(52,) repeat purchases of each week of the year, and those expected of the same customers in seasonal time."""
    begin = int(seen.day.min())
    days = np.arange(begin, seen.last + 1)
    clock, first = index.clock(days) / UNITS[unit], seen.first
    grid = np.linspace(0.0, float(clock[-1] - clock[0]) or 1.0, STEPS)
    curve, grown = model.expected_new(grid), np.zeros(len(days))
    born = np.bincount(seen.day[first] - begin, minlength=len(days))
    for b in np.flatnonzero(born).tolist():
        grown[b + 1 :] += born[b] * np.diff(np.interp(clock[b:] - clock[b], grid, curve))
    again = np.ones(len(seen.day), np.bool_)
    again[first] = False
    came = np.bincount(week_of(seen.day[again]), minlength=52).astype(np.float64)
    return came, np.bincount(week_of(days), grown, 52).astype(np.float64)


def _season(came: Floats, grown: Floats) -> tuple[SeasonIndex, float, float]:
    """Index, strength, and effective parameters (those of the curve, and s and l)."""
    turn = np.pi * np.subtract.outer(np.arange(52), np.arange(52)) / 52
    level = np.ones((52, 52))  # of c: known to a factor of e or so, and scaled away after
    best, strength = _posterior(came, grown, level), 0.0
    base = best[2]
    for s in STRENGTHS:
        for length in LENGTHS:
            found = _posterior(came, grown, level + s**2 * np.exp(-2 * np.sin(turn) ** 2 / length**2))
            if found[0] > best[0]:
                best, strength = found, s
    if strength == 0.0:
        return SeasonIndex.of(np.ones(52)), 0.0, 0.0
    return SeasonIndex.of(np.exp(best[1])), strength, best[2] - base + 2.0


def _posterior(came: Floats, grown: Floats, cov: Floats) -> tuple[float, Floats, float]:
    """Log marginal likelihood (Laplace), mode of c + f, and trace of the smoother."""
    f, eye = np.zeros(52), np.eye(52)
    pull = f
    for _ in range(60):
        mean = grown * np.exp(f)
        root = np.sqrt(mean)
        inner = eye + root[:, None] * cov * root
        push = mean * f + came - mean
        pull = push - root * np.linalg.solve(inner, root * (cov @ push))
        step = cov @ pull - f
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        f = f + step
        if np.abs(step).max() < 1e-9:
            break
    root = np.sqrt(grown * np.exp(f))
    inner = eye + root[:, None] * cov * root
    value = came @ f - float((root**2).sum()) - f @ pull / 2 - np.linalg.slogdet(inner)[1] / 2
    return float(value), f, 52.0 - float(np.trace(np.linalg.inv(inner)))
