"""Consumption: how fast something is used up, and when it will have run out, from purchases or meter readings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import (
    codes_of,
    columns_frame,
    held_floats,
    instant,
    instants,
    numbers,
    refuse,
    same_length,
)
from crmcore.metrics.estimates import check_level

__all__ = ["ConsumptionForecast", "forecast_consumption"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Instants = NDArray[np.datetime64]
DAY_US = 86_400_000_000
FAR_DAYS = 100_000.0  # what would last longer is not told
NEVER = np.datetime64("NaT", "us")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ConsumptionForecast(Document):
    """Rate and date of running out of every supply, row i of each column the same one.

    Attributes
    ----------
    names : sorted
    unit : of the rates: so much a day
    n : (k,) intervals that were seen to their end; without one, the rate is that of the others
    rate, rate_low, rate_high : (k,) posterior median and interval
    runs_out, runs_out_low, runs_out_high : (k,) predictive median and interval, UTC; NaT where nothing is due
    usual_rate : of all supplies
    zeros : purchases of nothing that were left out
    """

    names: tuple[str, ...]
    unit: str
    level: float
    n: Ints
    rate: Floats = attrs.field(converter=held_floats)
    rate_low: Floats = attrs.field(converter=held_floats)
    rate_high: Floats = attrs.field(converter=held_floats)
    runs_out: Instants
    runs_out_low: Instants
    runs_out_high: Instants
    usual_rate: float
    zeros: int

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"ConsumptionForecast({len(self)} supplies, {self.unit})"

    def __str__(self) -> str:
        due = self.runs_out[~np.isnat(self.runs_out)]
        when = (
            f", half of {len(due)} run out by {np.sort(due)[(len(due) - 1) // 2].astype('M8[D]')}" if len(due) else ""
        )
        return f"{len(self)} supplies, usually {number_text(self.usual_rate)} {self.unit} a day{when}"

    def dates(self, names: Sequence[str], /, *, low: bool = False) -> Instants:
        """(m,) when each of some names runs out, NaT where it is not known; a column for `rules.FactTable`.

        Parameters
        ----------
        low : truth
            The lower end of the interval instead of the median: seldom too late, often early.
        """
        place = {name: i for i, name in enumerate(self.names)}
        column = np.append(self.runs_out_low if low else self.runs_out, NEVER)
        return np.asarray(column[[place.get(name, -1) for name in names]], "datetime64[us]")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a supply: name, n, rate, rate_low, rate_high, runs_out, runs_out_low, runs_out_high."""
        named = ("n", "rate", "rate_low", "rate_high", "runs_out", "runs_out_low", "runs_out_high")
        return columns_frame({"name": list(self.names), **{c: getattr(self, c) for c in named}}, backend=backend)

    def _repr_html_(self) -> str:
        first = np.argsort(self.runs_out, kind="stable")[:10]  # NaT is last
        rows = [
            {"intervals": int(self.n[i]), f"{self.unit} a day": self.rate[i], "low": self.rate_low[i],
             "high": self.rate_high[i], "runs out": str(self.runs_out[i].astype("M8[D]")),
             "from": str(self.runs_out_low[i].astype("M8[D]")), "to": str(self.runs_out_high[i].astype("M8[D]"))}
            for i in first.tolist()
        ]  # fmt: skip
        return html_table(rows, caption=str(self))


def forecast_consumption(
    names: ArrayLike,
    at: ArrayLike,
    amounts: ArrayLike,
    /,
    *,
    unit: str | Iterable[str],
    now: datetime,
    due: Mapping[str, float] | None = None,
    level: float = 0.8,
) -> ConsumptionForecast:
    r"""Forecast when supplies run out, each by its own history and, where that is short, by that of the others.

    The days in which a bought amount q is used up are gamma distributed with shape :math:`\kappa q` and a rate
    :math:`\beta` of each supply, itself gamma distributed over supplies: a gamma process with random effects (Lawless
    and Crowder 2004). Of a meter it is the amount within d days that is so, with shape :math:`\kappa d`.
    :math:`\kappa` and the two parameters of the cohort are fitted by penalised likelihood, open intervals counted as
    censored; intervals are quantiles of the posterior (gamma) and of the predictive law (beta prime).

    Parameters
    ----------
    names : (n,) text
        Of the supply: a customer, or a customer and a product. Rows may stand in any order.
    at : (n,) instants, UTC
    amounts : (n,) numbers
        What was bought, each lasting until the next purchase; with `due`, what a meter showed. Purchases of one
        instant are one; purchases of 0 say nothing and are counted in `zeros`.
    unit : text, or (n,) texts
        One for all rows: convert first.
    now : aware datetime
        Later rows do not exist yet. A supply that was not bought again by now has lasted until now: its date lies
        later. Whoever stopped buying looks like somebody who uses little.
    due : mapping of names to what the meter shows when it is due, optional
        Above the reading of the last service, for instance. Names without one get a rate and no date.
    level : share
        Of all intervals.

    Raises
    ------
    BadRows
        Missing times or names; amounts that are missing, infinite or below 0; meters that run backwards.
    OutOfRange, EmptyInput
        Several units; not one interval between two rows of one name.

    Examples
    --------
    >>> from datetime import UTC
    >>> bought = np.array(["2026-01-01", "2026-01-31", "2026-03-02", "2026-02-01"], "datetime64[us]")
    >>> found = forecast_consumption(["ann", "ann", "ann", "ben"], bought, [1.0, 1.0, 2.0, 1.0], unit="kg",
    ...                              now=datetime(2026, 3, 5, tzinfo=UTC))
    >>> found.n.tolist(), found.runs_out.astype("datetime64[M]").astype(str).tolist()
    ([2, 0], ['2026-05', '2026-03'])
    """
    check_level(level)
    when, amount = instants("at", at, missing_ok=True), numbers("amounts", amounts)
    n = same_length("supplies", at=when, amounts=amount)
    code, known = codes_of(names, n, "names")
    one = _unit(unit)
    odd = ~(np.isfinite(amount) & (amount >= 0))
    refuse("supplies", "repair these rows, or leave them out", at=(np.isnat(when), "no time"), amounts=(odd, "not a finite number from 0"))  # noqa: E501  # fmt: skip
    end = instant("now", now)
    seen = when <= end
    zeros = int((seen & (amount == 0)).sum()) if due is None else 0
    keep = np.flatnonzero(seen if due is not None else seen & (amount > 0))
    keep = keep[np.lexsort((amount[keep], when[keep], code[keep]))]
    rows = _Rows.of(code[keep], when[keep], amount[keep], keep, metered=due is not None)
    if not len(rows.used):
        raise EmptyInput("intervals", "no supply has two rows by now: a rate needs one that was bought or read twice")
    k = len(known)
    last = np.full(k, NEVER)
    last[rows.code] = rows.at  # of several rows of one supply the last
    left = np.full(k, np.nan)
    left[rows.code] = rows.amount
    if due is not None:
        left = np.maximum(np.array([due.get(name, np.nan) for name in known]) - left, 0.0)
    since = np.where(np.isnat(last), 0.0, (end - last).astype(np.int64) / DAY_US) if due is None else np.zeros(k)
    fit = _Cohort.fitted(rows, k, left, since, metered=due is not None)
    tails = ((1 - level) / 2, 0.5, (1 + level) / 2)
    early, middle, late = (_later(last, fit.days(left, since, p)) for p in tails)
    rate, low, high = fit.rates(tails[0])
    return ConsumptionForecast(
        names=known, unit=one, level=level, n=np.bincount(rows.who, minlength=k).astype(np.int64), rate=rate,
        rate_low=low, rate_high=high, runs_out=middle, runs_out_low=early, runs_out_high=late,
        usual_rate=fit.usual, zeros=zeros,
    )  # fmt: skip


def _unit(unit: str | Iterable[str]) -> str:
    found = sorted({unit} if isinstance(unit, str) else set(unit))
    if len(found) != 1:
        raise OutOfRange("unit", ", ".join(map(str, found)), "one unit", "convert first: 1 pack = 0.5 kg")
    return found[0]


def _later(last: Instants, days: Floats) -> Instants:
    told = np.isfinite(days) & (days < FAR_DAYS) & ~np.isnat(last)
    step = np.where(told, days, 0.0) * DAY_US
    return np.where(told, last + step.astype("timedelta64[us]"), NEVER)


@attrs.frozen(eq=False)
class _Rows:
    """Rows in the order of name and time, and the intervals between them: who, what was used, in how many days."""

    code: Ints
    at: Instants
    amount: Floats
    who: Ints
    used: Floats
    days: Floats

    @classmethod
    def of(cls, code: Ints, at: Instants, amount: Floats, row: NDArray[np.intp], *, metered: bool) -> _Rows:
        same = (code[1:] == code[:-1]) & (at[1:] == at[:-1])
        first = np.append(True, ~same)[: len(code)]
        if metered:  # of several readings of one instant the highest
            stays = np.append(first[1:], True)[: len(code)]
            code, at, amount, row = code[stays], at[stays], amount[stays], row[stays]
        elif len(code):
            amount = np.add.reduceat(amount, np.flatnonzero(first))
            code, at = code[first], at[first]
        if not metered:
            pairs = np.flatnonzero(code[1:] == code[:-1])
            return cls(code, at, amount, code[pairs], amount[pairs], _days(at[pairs], at[pairs + 1]))
        back = np.zeros(int(row.max(initial=-1)) + 1, np.bool_)
        back[row[1:][(code[1:] == code[:-1]) & (amount[1:] < amount[:-1])]] = True
        refuse("readings", "a meter was replaced? give the new one another name", amounts=(back, "below an earlier reading"))  # noqa: E501  # fmt: skip
        moved = np.append(True, (code[1:] != code[:-1]) | (amount[1:] > amount[:-1]))[: len(code)]  # idle: one interval
        c, t, m = code[moved], at[moved], amount[moved]
        pairs = np.flatnonzero(c[1:] == c[:-1])
        return cls(code, at, amount, c[pairs], m[pairs + 1] - m[pairs], _days(t[pairs], t[pairs + 1]))


def _days(since: Instants, until: Instants) -> Floats:
    return (until - since).astype(np.int64) / DAY_US


@attrs.frozen(eq=False)
class _Cohort:
    """Parameters of all supplies, and the posterior of each one's beta: gamma with shape `a` and rate `b`."""

    metered: bool
    kappa: float
    a: Floats
    b: Floats
    usual: float

    @classmethod
    def fitted(cls, rows: _Rows, k: int, left: Floats, since: Floats, *, metered: bool) -> _Cohort:
        """Fit; of purchases `left` is what was open for `since` days."""
        from scipy.optimize import minimize
        from scipy.special import betainc, gammaln, xlogy

        given, came = (rows.days, rows.used) if metered else (rows.used, rows.days)
        unit, span = float(given.mean()), float(came.mean())
        q, log_came = given / unit, np.log(came / span)
        sizes, where, often = np.unique(q, return_inverse=True, return_counts=True)
        by_size = np.bincount(where, log_came)
        used, days = np.bincount(rows.who, q, k), np.bincount(rows.who, came / span, k)
        opened = np.flatnonzero(left > 0) if not metered else np.empty(0, np.intp)
        seen = np.flatnonzero(used > 0)

        def loss(x: Floats) -> float:
            kappa, a, b = np.exp(x)
            total = kappa * (sizes * by_size).sum() - log_came.sum() - (often * gammaln(kappa * sizes)).sum()
            full = a + kappa * used[seen]
            total += (gammaln(full) - gammaln(a) + a * np.log(b) - full * np.log(b + days[seen])).sum()
            shape, rate = a + kappa * used[opened], b + days[opened]
            stays = betainc(shape, kappa * left[opened] / unit, rate / (rate + since[opened] / span))
            total += xlogy(1.0, np.maximum(stays, 1e-300)).sum()
            return float(-total + ((x - _CENTRE) ** 2 / (2 * _SPREAD**2)).sum())

        found = minimize(loss, _CENTRE, method="L-BFGS-B", bounds=[(-5, 9)] * 3)
        kappa, a, b = np.exp(found.x)
        usual = kappa * b / a * span / unit if metered else a / b / kappa * unit / span
        return cls(metered, kappa / unit, a + kappa * used, (b + days) * span, float(usual))

    def rates(self, tail: float) -> tuple[Floats, Floats, Floats]:
        """Median and interval of what each uses in a day."""
        from scipy.special import gammaincinv

        beta = [gammaincinv(self.a, p) / self.b for p in (0.5, tail, 1 - tail)]
        if self.metered:
            return self.kappa / beta[0], self.kappa / beta[2], self.kappa / beta[1]
        return beta[0] / self.kappa, beta[1] / self.kappa, beta[2] / self.kappa

    def days(self, left: Floats, since: Floats, p: float) -> Floats:
        """Quantile of the days in which an amount is used up, given that it lasted for `since`."""
        from scipy.special import betainc, betaincinv

        some = np.where(left > 0, left, 1.0)
        if self.metered:
            days = self._metered(some / (some + self.b), p)
        else:
            stays = betainc(self.a, self.kappa * some, self.b / (self.b + since)) * (1 - p)
            y = betaincinv(self.a, self.kappa * some, stays)
            with np.errstate(divide="ignore"):
                days = self.b * (1 - y) / y
        return np.asarray(np.where(left > 0, days, np.where(left == 0, 0.0, np.nan)), np.float64)

    def _metered(self, share: Floats, p: float) -> Floats:
        """Days by which a meter has gone on so far with probability p, by bisection of their logs."""
        from scipy.special import betainc

        low, high = np.full(len(share), np.log(1e-6)), np.full(len(share), np.log(FAR_DAYS))
        for _ in range(50):
            middle = (low + high) / 2
            reached = betainc(self.kappa * np.exp(middle), self.a, share) <= 1 - p
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
        return np.asarray(np.exp(high), np.float64)


_CENTRE, _SPREAD = np.log([5.0, 5.0, 25.0]), np.array([2.0, 1.5, 2.0])
"""Penalty on the logs of kappa, a and b (in mean amounts and mean intervals): what few supplies cannot tell."""
