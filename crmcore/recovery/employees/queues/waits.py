"""What somebody who waits is told: the place in line, and how long it will take, as a span."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from crmcore._base import check_aware
from crmcore.calendars.calendar import BusinessCalendar
from crmcore.documents import Document
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.scalars import above, count_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.queues.errors import UnstableQueue
from crmcore.recovery.employees.queues.measuring import HANDLING, PATIENCE

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ExpectedWait", "expected_wait"]


@attrs.frozen(kw_only=True)
class ExpectedWait(Document):
    """A place in line and the wait until an agent comes.

    Parameters
    ----------
    position : count from 1
        1 is next; 0 where an agent is free and nobody waits.
    wait_s : Estimate
        Seconds from now: mean and the span that holds with probability `level`.
    opens : aware datetime, optional
        Where the desk is closed: when it opens, from which instant on the line moves.
    """

    position: int
    wait_s: Estimate
    opens: datetime | None = None

    def __str__(self) -> str:
        if self.position == 0 and self.opens is None:
            return "an agent is free"
        low, high = self.wait_s.low, self.wait_s.high
        span = f"about {minutes_of(self.wait_s.value)} ({minutes_of(low)} to {minutes_of(high)})"
        place = f"number {max(self.position, 1)} in line"
        if self.opens is not None:
            return f"{place} when we open on {self.opens:%A at %H:%M}; {span} from now"
        return f"{place}, {span}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p>"

    def chart(self) -> Chart:
        """The wait and its span."""
        return self.wait_s.chart()


def minutes_of(seconds: float, /) -> str:
    """Seconds as people say them: under a minute in seconds rounded to 5, else whole minutes, hours from 90 minutes.

    Examples
    --------
    >>> minutes_of(12), minutes_of(200), minutes_of(7200)
    ('10 s', '3 min', '2.0 h')
    """
    if seconds < 57.5:
        return f"{5 * round(seconds / 5)} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def expected_wait(
    *,
    ahead: int,
    agents: int,
    handling_s: float,
    free: int = 0,
    patience_s: float | None = None,
    handled: int | None = None,
    level: float = 0.8,
    hours: BusinessCalendar | None = None,
    now: datetime | None = None,
) -> ExpectedWait:
    """How long somebody who joins the line now will wait, shown before entering.

    Parameters
    ----------
    ahead : count
        People who wait in front.
    agents : count from 1
        Who serve this line.
    handling_s : seconds
        Mean handling time.
    free : count
        Agents who are idle now; nobody waits while one is.
    patience_s : seconds, optional
        Mean patience of those in front: some give up, and the line moves faster.
    handled : count, optional
        Handled contacts behind `handling_s`, where it is estimated: the span widens for what the mean may miss. None
        takes the mean as known. With `patience_s` it is taken as known too.
    level : share
        Probability that the wait is within the span; half of the rest on either side.
    hours, now : BusinessCalendar and aware datetime, optional
        While the desk is closed the line stands still; the wait runs from now and holds the time until it opens.

    Returns
    -------
    ExpectedWait

    Notes
    -----
    With all n agents busy a place is left every 1/(nμ + iθ) on average while i wait in front: the wait is a sum of
    `ahead` + 1 exponentials. Without giving up it is a gamma variable (with `handled` m, wait / mean is F distributed
    with 2(ahead + 1) and 2m degrees of freedom, which is exact for exponential handling). With giving up
    e^(−θ wait) is Beta(nμ/θ, ahead + 1), by Rényi's representation of order statistics.

    Raises
    ------
    UnstableQueue
        No agent at all.

    Examples
    --------
    >>> print(expected_wait(ahead=2, agents=3, handling_s=240))
    number 3 in line, about 4 min (1 min to 7 min)
    """
    waiting = count_of("ahead", ahead, hint="people who wait in front")
    idle = count_of("free", free, hint="idle agents")
    n = count_of("agents", agents, hint="agents who serve this line")
    mean = above("handling_s", handling_s, hint=HANDLING)
    check_level(level)
    if n == 0:
        raise UnstableQueue(0, 0.0, "the line")
    check_kind("hours", hours, BusinessCalendar, hint="leave it out where the desk is open", optional=True)
    opens, closed_s = _closed(hours, now)
    if idle > waiting:
        span, position, method = (0.0, 0.0, 0.0), 0, "an agent is free"
    else:
        position = waiting - idle + 1
        patience = None if patience_s is None else above("patience_s", patience_s, hint=PATIENCE)
        m = None if handled is None else count_of("handled", handled, least=1, hint="handled contacts behind the mean")
        span, method = _span(position, mean / n, patience, m, level)
    value, low, high = (x + closed_s for x in span)
    estimate = Estimate(
        value=value, low=low, high=high, level=level, n=handled or 0, rule="seconds until an agent", method=method
    )
    return ExpectedWait(position=position, wait_s=estimate, opens=opens)


def _span(
    steps: int, step_s: float, patience: float | None, handled: int | None, level: float
) -> tuple[tuple[float, float, float], str]:
    """Mean, low and high of the time in which a line of `steps` places is gone."""
    from scipy.special import digamma, fdtri, gammaincinv

    tail = (1 - level) / 2
    if patience is not None:
        s = patience / step_s
        mean = patience * float(digamma(s + steps) - digamma(s))  # Σ 1/(nμ + iθ)
        low, high = (-patience * _log_beta(s, steps, 1 - q) for q in (tail, 1 - tail))
        return (mean, low, high), "beta, with giving up"
    if handled is not None:
        low, high = (steps * step_s * float(fdtri(2 * steps, 2 * handled, q)) for q in (tail, 1 - tail))
        return (steps * step_s, low, high), "F, handling estimated"
    low, high = (step_s * float(gammaincinv(steps, q)) for q in (tail, 1 - tail))
    return (steps * step_s, low, high), "gamma"


def _log_beta(s: float, steps: int, p: float) -> float:
    """Logarithm of the p-quantile b of Beta(s, steps); of one too small for a float, from P(b) ≈ bˢ/(s B(s, steps))."""
    from scipy.special import betaincinv, betaln

    small = (math.log(p) + math.log(s) + float(betaln(s, steps))) / s
    return small if small < -600 else math.log(float(betaincinv(s, steps, p)))


def _closed(hours: BusinessCalendar | None, now: datetime | None) -> tuple[datetime | None, float]:
    """When the desk opens, and in how many seconds; nothing while it is open."""
    if hours is None:
        return None, 0.0
    check_aware(now, "now")
    assert now is not None  # check_aware refuses None
    opens = hours.next_opening(now)
    wait = opens.timestamp() - now.timestamp()
    return (opens, wait) if wait > 0 else (None, 0.0)
