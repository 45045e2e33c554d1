"""How a backlog grows and shrinks: many simulated days at once, with the span over them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress, html_table, number_text, reporter
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import held, not_negative, numbers, whole
from crmcore.metrics.estimates import Estimate, check_level
from crmcore.metrics.scalars import above, count_of, seeded
from crmcore.recovery.employees.queues.measuring import HANDLING, PATIENCE

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["BacklogRuns", "serve", "simulate_backlog"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CELLS = 200_000_000


def serve(
    arrivals: Floats,
    handling: Floats,
    patience: Floats | None,
    /,
    *,
    agents: Ints,
    width: float,
    tick: Callable[[int], None] | None = None,
) -> Floats:
    """When each case is begun: first come, first served, by whoever is free first; all runs in step.

    Parameters
    ----------
    arrivals : (runs, n) times
        Rising in each row; infinite where a run has no further case.
    handling : (runs, n) times
    patience : (runs, n) times, optional
        A case that would wait longer leaves and takes no agent.
    agents : (k,) counts
        On duty in each interval. Nobody begins after the last one; what was begun is finished also past a shift.
    width : time
        Length of an interval.
    tick : callable, optional
        Told the number of cases done, now and then.

    Returns
    -------
    (runs, n) times
        Infinite where it is never begun.

    Notes
    -----
    The workload recursion of Kiefer & Wolfowitz (1955) with one row of free times a run. Of places, those with the
    lowest number stay longest, and an equal choice takes the lowest.
    """
    runs, n = arrivals.shape
    places, k = int(agents.max(initial=0)), len(agents)
    starts = np.full((runs, n), np.inf)
    if not places or not n:
        return starts
    begins = _begins(agents, places, width)
    flat = begins.ravel()
    row, base = np.arange(runs), np.arange(places) * (k + 1)
    free = np.zeros((runs, places))
    with np.errstate(invalid="ignore"):  # a run without a further case arrives and begins at infinity
        for i in range(n):
            if tick is not None and i % 512 == 0:
                tick(i)
            at = arrivals[:, i]
            ready = np.maximum(free, at[:, None])
            index = np.minimum(ready / width, k).astype(np.int64)
            ready = np.maximum(ready, flat[index + base])
            best = ready.argmin(axis=1)
            start = ready[row, best]
            stays = np.isfinite(start) if patience is None else start - at <= patience[:, i]
            stays &= np.isfinite(start)
            starts[stays, i] = start[stays]
            free[row[stays], best[stays]] = start[stays] + handling[stays, i]
    return starts


def _begins(agents: Ints, places: int, width: float) -> Floats:
    """(places, k + 1) earliest instant at which a place that is free in an interval may begin; infinite is never."""
    k = len(agents)
    out = np.full((places, k + 1), np.inf)
    for i in range(k - 1, -1, -1):
        on = np.arange(places) < agents[i]
        out[:, i] = np.where(on, i * width, out[:, i + 1])
    return out


@attrs.frozen(eq=False, repr=False, kw_only=True)
class BacklogRuns(Document):
    """Simulated courses of a backlog; row i of every column is the same run.

    Parameters
    ----------
    open : (runs, k) counts
        Cases that have arrived and are neither finished nor given up, at the end of each interval.
    mean_wait_s : (runs,) seconds
        Of the cases that were begun; NaN where none was.
    in_time : (runs,) shares
        Begun within the target, of the cases that arrived early enough to tell; NaN where none did.
    abandoned : (runs,) shares
        Gave up, of all that arrived.
    busy : (runs,) shares
        Time at work within the span over time on duty; work past a shift counts, so it may pass 1.
    interval_minutes, within_minutes : minutes
    level : share
        Of the runs that intervals hold.
    """

    open: Ints = attrs.field(converter=held)
    mean_wait_s: Floats = attrs.field(converter=held)
    in_time: Floats = attrs.field(converter=held)
    abandoned: Floats = attrs.field(converter=held)
    busy: Floats = attrs.field(converter=held)
    interval_minutes: float
    within_minutes: float
    level: float

    def __len__(self) -> int:
        return len(self.mean_wait_s)

    def __repr__(self) -> str:
        return f"BacklogRuns({len(self)} runs of {self.open.shape[1]} intervals, {self.final_open} open at the end)"

    def __str__(self) -> str:
        return "\n".join(
            [
                f"open at the end: {self.final_open}",
                f"begun within {number_text(self.within_minutes)} min: {self.share_in_time}",
                f"mean wait in minutes: {self.wait_minutes}",
                f"gave up: {self.share_abandoned}",
            ]
        )

    def _over(self, column: Floats, rule: str, scale: float = 1.0) -> Estimate:
        """Mean over runs, and the span that holds `level` of them."""
        known = column[~np.isnan(column)] * scale
        if not len(known):
            value = low = high = math.nan
        else:
            value = float(known.mean())
            low, high = (float(q) for q in np.quantile(known, [(1 - self.level) / 2, (1 + self.level) / 2]))
        return Estimate(
            value=value, low=low, high=high, level=self.level, n=len(known), rule=rule, method="span of runs"
        )

    @property
    def final_open(self) -> Estimate:
        """Cases open at the end."""
        return self._over(self.open[:, -1].astype(np.float64), "open cases at the end")

    @property
    def share_in_time(self) -> Estimate:
        """Share that is begun within the target."""
        return self._over(self.in_time, "begun in time / arrived early enough to tell")

    @property
    def share_abandoned(self) -> Estimate:
        """Share that gives up."""
        return self._over(self.abandoned, "gave up / arrived")

    @property
    def wait_minutes(self) -> Estimate:
        """Mean wait of cases that were begun, in minutes."""
        return self._over(self.mean_wait_s, "minutes from arrival to begin", 1 / 60)

    @property
    def share_busy(self) -> Estimate:
        """Share of the time on duty that is work."""
        return self._over(self.busy, "time at work / time on duty")

    def cleared(self, most: int = 0, /) -> Estimate:
        """Minutes until at most so many cases are open for the first time, over the runs in which that happens; `n` is
        the number of those runs.
        """
        below = self.open <= count_of("most", most, hint="open cases that count as cleared")
        first = np.where(below.any(axis=1), (below.argmax(axis=1) + 1) * self.interval_minutes, np.nan)
        return self._over(first, f"minutes until at most {most} are open")

    def over_time(self) -> tuple[Estimate, ...]:
        """Open cases at the end of each interval."""
        return tuple(self._over(column.astype(np.float64), "open cases") for column in self.open.T)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an interval: minutes (at its end), open, low, high."""
        found = self.over_time()
        columns: dict[str, Any] = {
            "minutes": [(i + 1) * self.interval_minutes for i in range(len(found))], "open": [e.value for e in found],
            "low": [e.low for e in found], "high": [e.high for e in found],
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        said = (line.partition(": ") for line in str(self).splitlines())
        return html_table(({"": what, "over runs": value} for what, _, value in said), caption=f"{len(self)} runs")

    def chart(self) -> Chart:
        """Open cases over time, with the span over runs."""
        from crmcore.recovery.employees.queues.charts import backlog_chart

        return backlog_chart(self)


def simulate_backlog(
    arrivals: ArrayLike,
    agents: ArrayLike,
    *,
    handling_s: float,
    seed: int | np.random.Generator,
    interval_minutes: float = 60,
    backlog: int = 0,
    variation: float = 1.0,
    patience_s: float | None = None,
    within_minutes: float = 60,
    runs: int = 200,
    level: float = 0.95,
    progress: Progress | bool = False,
) -> BacklogRuns:
    """Let a backlog run through a roster many times.

    Time here is consecutive: give the intervals in which the desk is open and leave closed hours out, and all waits are
    business time.

    Parameters
    ----------
    arrivals : (k,) expected cases of each interval
        They come by a Poisson process.
    agents : (k,) counts
        On duty in each interval; 0 is legal.
    handling_s : seconds
        Mean, with `variation` = standard deviation / mean: gamma distributed, 1 is exponential, 0 is constant.
    seed : whole number or numpy Generator
    interval_minutes : minutes
    backlog : count
        Cases that wait at the start; their wait counts from then.
    patience_s : seconds, optional
        Mean of an exponential patience after which a case is given up; None: never.
    within_minutes : minutes
        Target until a case is begun.
    runs : count
    level : share
        Of the runs that intervals hold: what may happen on a day, not what the mean may be.
    progress : callable or truth

    Raises
    ------
    OutOfRange, BadRows, WrongType
        Columns of two lengths, negative or infinite numbers, a simulation that would not fit into memory.

    Examples
    --------
    >>> runs = simulate_backlog([10] * 8, [2] * 8, handling_s=600, backlog=30, seed=1)
    >>> runs.final_open.value < 30, len(runs)
    (True, 200)
    """
    expected, there = numbers("arrivals", arrivals), whole("agents", agents)
    if len(there) != len(expected) or not len(expected):
        hint = "give one number an interval, at least one"
        raise OutOfRange("len(agents)", len(there), f"{len(expected)}, as arrivals, at least 1", hint)
    not_negative("the roster", arrivals=expected, agents=there.astype(np.float64))
    mean = above("handling_s", handling_s, hint=HANDLING)
    width = above("interval_minutes", interval_minutes, hint="60 is an hour") * 60
    waiting = count_of("backlog", backlog, hint="cases that wait at the start")
    spread = above("variation", variation, hint="1 is exponential", allowed="a number from 0", least=0)
    target = above("within_minutes", within_minutes, hint="minutes", allowed="a number from 0", least=0) * 60
    many = count_of("runs", runs, least=1, hint="200 give a fair span")
    check_level(level)
    rng_at, rng_work, rng_patience = seeded(seed).spawn(3)
    at = _arrivals(expected, waiting, many, width, rng_at, places=int(there.max()))
    work = _handling(at.shape, mean, spread, rng_work)
    patience = None
    if patience_s is not None:
        patience = rng_patience.exponential(above("patience_s", patience_s, hint=PATIENCE), at.shape)
    report = reporter(progress)
    chunk = max(1, min(many, 4_000_000 // max(at.shape[1], 1)))
    starts = np.empty_like(at)
    total = math.ceil(many / chunk) * at.shape[1]
    for low in range(0, many, chunk):
        part = slice(low, min(low + chunk, many))
        given = None if patience is None else patience[part]
        done = (low // chunk) * at.shape[1]
        starts[part] = serve(
            at[part], work[part], given, agents=there, width=width,
            tick=lambda i, done=done: report("cases in step", done + i, total),  # type: ignore[misc]
        )  # fmt: skip
    report("cases in step", total, total)
    return _measured(at, starts, work, patience, agents=there, width=width, target=target, level=level)


def _arrivals(
    expected: Floats, backlog: int, runs: int, width: float, rng: np.random.Generator, *, places: int
) -> Floats:
    """(runs, n) times of arrival in order, the backlog at 0, infinite behind the last."""
    most = backlog + float(expected.sum()) + 8 * math.sqrt(float(expected.sum()))
    if runs * (most + places) > MOST_CELLS:
        fit = int(MOST_CELLS / (most + places))
        if not fit:
            raise OutOfRange(
                "arrivals, agents", f"{most + places:.3g}", f"at most {MOST_CELLS:,} in all", "check the unit"
            )
        raise OutOfRange("runs", runs, f"at most {fit:,} runs of so many cases and agents", "ask for fewer runs")
    counts = rng.poisson(expected, (runs, len(expected)))
    totals = counts.sum(axis=1)
    out = np.full((runs, backlog + int(totals.max(initial=0))), np.inf)
    out[:, :backlog] = 0.0
    interval = np.repeat(np.tile(np.arange(len(expected)), runs), counts.ravel())
    times = (interval + rng.random(len(interval))) * width
    row = np.repeat(np.arange(runs), totals)
    column = np.arange(len(row)) - np.repeat(np.cumsum(totals) - totals, totals)
    out[row, backlog + column] = times
    out[:, backlog:].sort(axis=1)
    return out


def _handling(shape: tuple[int, ...], mean: float, spread: float, rng: np.random.Generator) -> Floats:
    if spread == 0:
        return np.full(shape, mean)
    form = 1 / spread**2
    return rng.gamma(form, mean / form, shape)


def _measured(
    at: Floats, starts: Floats, work: Floats, patience: Floats | None, *, agents: Ints, width: float, target: float,
    level: float,
) -> BacklogRuns:  # fmt: skip
    """Measures of each run from its times."""
    runs, k = at.shape[0], len(agents)
    end = k * width
    here, begun = np.isfinite(at), np.isfinite(starts)
    done = starts + np.where(begun, work, 0.0)
    gone = np.full(at.shape, np.inf) if patience is None else np.where(here & ~begun, at + patience, np.inf)
    change = _binned(at, width, k) - _binned(done, width, k, end=True) - _binned(gone, width, k, end=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        waits = np.where(begun, starts - np.where(here, at, 0.0), 0.0)
        told = here & (at <= end - target)
        good = told & begun & (waits <= target)
        busy = np.where(begun, np.minimum(done, end) - np.minimum(starts, end), 0.0).sum(axis=1)
        left = gone <= end
        return BacklogRuns(
            open=np.cumsum(change, axis=1), mean_wait_s=waits.sum(axis=1) / begun.sum(axis=1),
            in_time=good.sum(axis=1) / told.sum(axis=1), abandoned=left.sum(axis=1) / here.sum(axis=1),
            busy=busy / (float(agents.sum()) * width) if agents.any() else np.full(runs, np.nan),
            interval_minutes=width / 60, within_minutes=target / 60, level=level,
        )  # fmt: skip


def _binned(times: Floats, width: float, k: int, *, end: bool = False) -> Ints:
    """(runs, k) how many times lie in each interval; one on a boundary in the next, or with `end` in the one before."""
    scaled = np.maximum(np.ceil(times / width) - 1, 0) if end else times / width
    index = np.minimum(scaled, k).astype(np.int64) + np.arange(len(times))[:, None] * (k + 1)
    return np.bincount(index.ravel(), minlength=len(times) * (k + 1)).reshape(-1, k + 1)[:, :k]
