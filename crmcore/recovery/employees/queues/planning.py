"""Agents for every interval of a day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.metrics.columns import held, not_negative, numbers, whole
from crmcore.metrics.scalars import above, count_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.queues.calls import DayProfile
from crmcore.recovery.employees.queues.erlang import QueueColumns, queue_columns
from crmcore.recovery.employees.queues.errors import UnstableQueue
from crmcore.recovery.employees.queues.measuring import HANDLING, PATIENCE
from crmcore.recovery.employees.queues.needing import QueueTargets, check_shrinkage, least_agents, rostered

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["DayPlan", "check_plan", "plan_day"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class DayPlan(Document):
    """Agents of each interval and what they achieve; row i of every column is the same interval.

    Each interval is measured as if it went on for ever (stationary, independent period by period), which is near enough
    where calls are short beside the interval. Where work is carried over, use `simulate_backlog`.

    Parameters
    ----------
    labels : texts
    arrivals : (n,) expected contacts of the interval
    load : (n,) erlangs
    agents, scheduled : (n,) counts
        Who must take customers, and who must be on the roster for that.
    service_level, mean_wait_s, abandoned, occupancy : (n,)
        NaN where nobody comes.
    targets : QueueTargets
    interval_minutes, handling_s, patience_s, shrinkage : numbers
        What was asked.
    """

    labels: tuple[str, ...]
    arrivals: Floats = attrs.field(converter=held)
    load: Floats = attrs.field(converter=held)
    agents: Ints = attrs.field(converter=held)
    scheduled: Ints = attrs.field(converter=held)
    service_level: Floats = attrs.field(converter=held)
    mean_wait_s: Floats = attrs.field(converter=held)
    abandoned: Floats = attrs.field(converter=held)
    occupancy: Floats = attrs.field(converter=held)
    targets: QueueTargets
    interval_minutes: float
    handling_s: float
    patience_s: float | None
    shrinkage: float

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def hours(self) -> float:
        """Hours on the roster over the day."""
        return float(self.scheduled.sum()) * self.interval_minutes / 60

    @property
    def day_service_level(self) -> float:
        """Share of all who come in the day that get an agent in time; NaN where nobody comes."""
        return self._weighted(self.service_level)

    @property
    def day_mean_wait_s(self) -> float:
        """Mean wait of all who come in the day; NaN where nobody comes."""
        return self._weighted(self.mean_wait_s)

    def _weighted(self, column: Floats) -> float:
        some = self.arrivals > 0
        return float(np.average(column[some], weights=self.arrivals[some])) if some.any() else float("nan")

    def __repr__(self) -> str:
        peak = f"at most {int(self.scheduled.max(initial=0))} scheduled"
        return f"DayPlan({len(self)} intervals, {number_text(self.hours)} hours, {peak})"

    def __str__(self) -> str:
        level = f"{100 * self.day_service_level:.1f} % within {self.targets.within_s:g} s"
        lines = [f"{number_text(self.arrivals.sum())} contacts, {number_text(self.hours)} hours on the roster, {level}"]
        lines += [
            f"  {label}  {number_text(a):>6} contacts  {k:>3} agents  {s:>3} scheduled"
            for label, a, k, s in zip(self.labels, self.arrivals, self.agents, self.scheduled, strict=True)
            if a or s
        ]
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an interval; columns as the attributes."""
        names = ("arrivals", "load", "agents", "scheduled", "service_level", "mean_wait_s", "abandoned", "occupancy")
        columns: dict[str, Any] = {"interval": list(self.labels), **{n: getattr(self, n) for n in names}}
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"from": label, "contacts": float(a), "agents": int(k), "scheduled": int(s), "in time": float(x)}
            for label, a, k, s, x in zip(
                self.labels, self.arrivals, self.agents, self.scheduled, self.service_level, strict=True
            )
            if a or s
        ]
        return html_table(rows, caption=repr(self), limit=30)

    def chart(self) -> Chart:
        """Agents and erlangs over the day."""
        from crmcore.recovery.employees.queues.charts import plan_chart

        return plan_chart(self)


def plan_day(
    arrivals: ArrayLike | DayProfile,
    *,
    handling_s: float,
    interval_minutes: float = 30,
    patience_s: float | None = None,
    targets: QueueTargets | None = None,
    shrinkage: float = 0.0,
    at_least: int = 0,
    labels: Sequence[str] | None = None,
) -> DayPlan:
    """Fewest agents of every interval that meet every target.

    Parameters
    ----------
    arrivals : (n,) expected contacts of each interval, or DayProfile
        A profile brings its interval and labels, and counts with its means.
    handling_s, patience_s, targets, shrinkage
        As for `agents_needed`.
    interval_minutes : minutes
    at_least : count
        Agents also of an interval in which nobody is expected.
    labels : (n,) texts, optional

    Examples
    --------
    >>> print(plan_day([40, 100, 0], handling_s=180, labels=["09:00", "09:30", "10:00"], shrinkage=0.3))
    140 contacts, 15 hours on the roster, 89.3 % within 20 s
      09:00      40 contacts    7 agents   10 scheduled
      09:30     100 contacts   14 agents   20 scheduled
    """
    expected, minutes, names = _arrivals(arrivals, interval_minutes, labels)
    check_kind("targets", targets, QueueTargets, hint="QueueTargets(service_level=0.8, within_s=20)", optional=True)
    wanted = QueueTargets() if targets is None else targets
    lost = check_shrinkage(shrinkage)
    least = count_of("at_least", at_least, hint="agents of a quiet interval")
    handling, leaving = _times(handling_s, patience_s)
    rates = expected / (minutes * 60)
    agents = np.maximum(
        least_agents(rates, np.full(len(rates), handling), np.full(len(rates), leaving), targets=wanted), least
    )
    return _plan(names, expected, agents, minutes, handling, patience_s, wanted, lost)


def check_plan(
    arrivals: ArrayLike | DayProfile,
    agents: ArrayLike,
    *,
    handling_s: float,
    interval_minutes: float = 30,
    patience_s: float | None = None,
    targets: QueueTargets | None = None,
    labels: Sequence[str] | None = None,
) -> DayPlan:
    """What a roster that stands already would achieve.

    Parameters
    ----------
    agents : (n,) counts
        Who takes customers in each interval (after shrinkage).

    Other arguments are those of `plan_day`.

    Raises
    ------
    UnstableQueue
        The first interval with contacts and too few agents where nobody gives up; with `patience_s` (Erlang A) only
        one that has contacts and no agent at all.

    Examples
    --------
    >>> check_plan([100], [13], handling_s=180).service_level.round(4)
    array([0.7956])
    """
    expected, minutes, names = _arrivals(arrivals, interval_minutes, labels)
    there = whole("agents", agents)
    if len(there) != len(expected):
        raise OutOfRange("len(agents)", len(there), f"{len(expected)}, as arrivals", "give one number an interval")
    not_negative("agents", agents=there.astype(np.float64))
    handling, leaving = _times(handling_s, patience_s)
    for i in np.flatnonzero(expected > 0):
        load = float(expected[i] / (minutes * 60) * handling)
        if there[i] == 0 or (leaving == 0 and load >= there[i]):
            raise UnstableQueue(int(there[i]), load, f"interval {names[i]}")
    check_kind("targets", targets, QueueTargets, hint="QueueTargets(service_level=0.8, within_s=20)", optional=True)
    wanted = QueueTargets() if targets is None else targets
    return _plan(names, expected, there, minutes, handling, patience_s, wanted, 0.0)


def _times(handling_s: float, patience_s: float | None) -> tuple[float, float]:
    handling = above("handling_s", handling_s, hint=HANDLING)
    return handling, 0.0 if patience_s is None else 1 / above("patience_s", patience_s, hint=PATIENCE)


def _arrivals(
    arrivals: ArrayLike | DayProfile, interval_minutes: float, labels: Sequence[str] | None
) -> tuple[Floats, float, tuple[str, ...]]:
    if isinstance(arrivals, DayProfile):
        return arrivals.mean(), float(arrivals.interval_minutes), arrivals.labels
    expected = numbers("arrivals", arrivals)
    bad = np.flatnonzero(~(np.isfinite(expected) & (expected >= 0)))
    if len(bad):
        problem = BadRow("arrivals", "not a finite number from 0", tuple(bad.tolist()))
        raise BadRows("the day", (problem,), "write 0 where nobody is expected")
    minutes = above("interval_minutes", interval_minutes, hint="15, 30 or 60 are common")
    if labels is None:
        return expected, minutes, tuple(str(i) for i in range(len(expected)))
    names = tuple(map(str, labels))
    if isinstance(labels, str) or len(names) != len(expected):
        raise WrongType("labels", f"{len(names)} texts", f"{len(expected)} texts", "give one text an interval")
    return expected, minutes, names


def _plan(
    names: tuple[str, ...], expected: Floats, agents: Ints, minutes: float, handling: float,
    patience_s: float | None, targets: QueueTargets, shrinkage: float,
) -> DayPlan:  # fmt: skip
    rates = expected / (minutes * 60)
    some = np.flatnonzero(expected > 0)
    leaving = 0.0 if patience_s is None else 1 / patience_s
    columns: dict[str, Floats] = {}
    c: QueueColumns | None = None
    if len(some):
        k = len(some)
        c = queue_columns(
            agents[some], rates[some], np.full(k, handling), np.full(k, leaving), np.full(k, float(targets.within_s))
        )
    where = {
        "service_level": "in_time", "mean_wait_s": "mean_wait", "abandoned": "abandoned", "occupancy": "occupancy"
    }  # fmt: skip
    for name, field in where.items():
        columns[name] = np.full(len(names), np.nan)
        if c is not None:
            columns[name][some] = getattr(c, field)
    return DayPlan(
        labels=names, arrivals=expected, load=rates * handling, agents=agents,
        scheduled=np.array([rostered(int(n), shrinkage) for n in agents], np.int64), targets=targets,
        interval_minutes=minutes, handling_s=handling, patience_s=patience_s, shrinkage=shrinkage, **columns,
    )  # fmt: skip
