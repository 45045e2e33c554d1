"""How many agents a queue needs to meet what it promises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.scalars import above, share_of
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.queues.erlang import QueueColumns, queue_columns
from crmcore.recovery.employees.queues.measuring import (
    HANDLING,
    HOUR_S,
    MOST_AGENTS,
    PATIENCE,
    QueueMeasures,
    measures_at,
)

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["QueueTargets", "StaffNeeded", "agents_needed", "check_shrinkage", "least_agents", "rostered"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class QueueTargets(Document):
    """What a desk promises itself; targets that are None bind nobody.

    Parameters
    ----------
    service_level : share, optional
        Least share of all who come that gets an agent within `within_s`.
    within_s : seconds
    most_wait_s : seconds, optional
        Largest mean wait of all who come.
    most_abandoned : share, optional
        Largest share that gives up.
    most_occupancy : share, optional
        Largest share of the agents' time with customers: above about 0.85 to 0.9 people burn out.
    """

    service_level: float | None = 0.8
    within_s: float = 20.0
    most_wait_s: float | None = None
    most_abandoned: float | None = None
    most_occupancy: float | None = None

    def __attrs_post_init__(self) -> None:
        for name in ("service_level", "most_abandoned", "most_occupancy"):
            if getattr(self, name) is not None:
                share_of(name, getattr(self, name), hint=f"write 80 % as {name}=0.8; leave it None for no target")
        above("within_s", self.within_s, hint="seconds from 0", allowed="a number from 0", least=0)
        if self.most_wait_s is not None:
            above("most_wait_s", self.most_wait_s, hint="seconds; None for no target")
        if all(getattr(self, n) is None for n in ("service_level", "most_wait_s", "most_abandoned", "most_occupancy")):
            raise OutOfRange(
                "QueueTargets", None, "at least one target", "QueueTargets(service_level=0.8, within_s=20)"
            )

    def met(self, columns: QueueColumns, unit_s: float, /) -> NDArray[np.bool_]:
        """Which rows meet every target; `unit_s` is the time unit of the columns in seconds."""
        ok = np.ones(len(columns.waiting), np.bool_)
        limits = (
            (self.service_level, -columns.in_time, -1.0),
            (self.most_wait_s, columns.mean_wait * unit_s, 1.0),
            (self.most_abandoned, columns.abandoned, 1.0),
            (self.most_occupancy, columns.occupancy, 1.0),
        )
        for limit, values, sign in limits:
            if limit is not None:
                ok &= values <= sign * limit
        return ok


def least_agents(
    rate: Floats, handling: Floats, leaving: Floats, /, *, targets: QueueTargets, unit_s: float = 1.0
) -> Ints:
    """Fewest agents of many queues that meet every target; 0 where nobody comes.

    Parameters
    ----------
    rate, handling, leaving : (m,)
        Arrivals a time unit, mean time units of handling, 1 / mean patience (0: nobody leaves).
    unit_s : seconds
        Length of the time unit.

    Notes
    -----
    Every measure is monotone in the agents, so a doubling search and then bisection finds the least.
    """
    rate, handling, leaving = (np.array(x, np.float64) for x in np.broadcast_arrays(rate, handling, leaving))
    out = np.zeros(len(rate), np.int64)
    busy = np.flatnonzero(rate * handling > 0)
    load = (rate * handling)[busy]
    stable = np.where(leaving[busy] == 0, np.floor(load).astype(np.int64) + 1, 1)

    def met(where: NDArray[np.intp], n: Ints) -> NDArray[np.bool_]:
        at = busy[where]
        reach = np.full(len(at), targets.within_s / unit_s)
        return targets.met(queue_columns(n, rate[at], handling[at], leaving[at], reach), unit_s)

    low = stable - 1  # not enough
    high = np.maximum(stable, np.ceil(load).astype(np.int64))
    step = np.maximum(np.ceil(np.sqrt(load) / 2).astype(np.int64), 1)
    open_ = np.arange(len(busy))
    while len(open_):
        good = met(open_, high[open_])
        low[open_[~good]] = high[open_[~good]]
        open_ = open_[~good]
        high[open_] += step[open_]
        step[open_] *= 2
        if len(open_) and high[open_].max() > MOST_AGENTS:
            raise OutOfRange("targets", str(targets), "targets that some number of agents meets", "ease the targets")
    step = np.maximum(np.ceil(np.sqrt(load) / 2).astype(np.int64), 1)
    open_ = np.flatnonzero(high - low > step)
    while len(open_):  # where people give up, fewer agents than erlangs may do
        tried = np.maximum(high[open_] - step[open_], low[open_] + 1)
        good = met(open_, tried)
        high[open_[good]] = tried[good]
        low[open_[~good]] = tried[~good]
        step[open_] *= 2
        open_ = open_[good & (high[open_] - low[open_] > 1)]
    while (high - low > 1).any():
        open_ = np.flatnonzero(high - low > 1)
        middle = (low[open_] + high[open_]) // 2
        good = met(open_, middle)
        high[open_[good]] = middle[good]
        low[open_[~good]] = middle[~good]
    out[busy] = high
    return out


@attrs.frozen(kw_only=True, repr=False)
class StaffNeeded(Document):
    """How many agents a queue needs, and what one fewer would mean.

    Parameters
    ----------
    agents : count
        Who must take customers all the time.
    scheduled : count
        Who must be on the roster, so that `agents` remain after shrinkage.
    shrinkage : share
        Paid time away from customers: breaks, training, illness.
    targets : QueueTargets
    measures : tuple of QueueMeasures
        By agents, a few around the answer; those that cannot be stable are left out.
    """

    agents: int
    scheduled: int
    shrinkage: float
    targets: QueueTargets
    measures: tuple[QueueMeasures, ...]

    @property
    def best(self) -> QueueMeasures:
        """The queue with the agents needed."""
        return next(m for m in self.measures if m.agents == self.agents)

    def __repr__(self) -> str:
        return f"StaffNeeded({self.agents} agents, {self.scheduled} scheduled)"

    def __str__(self) -> str:
        less = next((m for m in self.measures if m.agents == self.agents - 1), None)
        lines = [f"{self.scheduled} scheduled at {100 * self.shrinkage:g} % shrinkage", str(self.best)]
        lines.append(f"one fewer: {less}" if less else "one fewer: the queue grows without end")
        return "\n".join(lines)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a number of agents around the answer; see `QueueMeasures` for the columns."""
        rows = [attrs.asdict(m) for m in self.measures]
        return write_frame({name: [row[name] for row in rows] for name in rows[0]}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {
                "agents": m.agents, "service level": m.service_level, "mean wait (s)": m.mean_wait_s,
                "give up": m.abandoned, "busy": m.occupancy, "": "needed" if m.agents == self.agents else "",
            }
            for m in self.measures
        ]  # fmt: skip
        return html_table(rows, caption=f"{self.agents} agents, {self.scheduled} scheduled")

    def chart(self) -> Chart:
        """Service level by number of agents."""
        from crmcore.recovery.employees.queues.charts import needed_chart

        return needed_chart(self)


def agents_needed(
    *,
    arrivals_per_hour: float,
    handling_s: float,
    patience_s: float | None = None,
    targets: QueueTargets | None = None,
    shrinkage: float = 0.0,
) -> StaffNeeded:
    """Fewest agents that meet every target, by Erlang C, or by Erlang A where patience is given.

    Parameters
    ----------
    arrivals_per_hour, handling_s, patience_s
        As for `erlang_c` and `erlang_a`.
    targets : QueueTargets, optional
        None is 80 % within 20 seconds.
    shrinkage : share in [0, 1)
        scheduled = agents / (1 − shrinkage), rounded up.

    Examples
    --------
    >>> print(agents_needed(arrivals_per_hour=200, handling_s=180, shrinkage=0.3))
    20 scheduled at 30 % shrinkage
    14 agents, 10 erlangs: 88.8 % within 20 s, mean wait 7.84 s, busy 71.4 %
    one fewer: 13 agents, 10 erlangs: 79.6 % within 20 s, mean wait 17.1 s, busy 76.9 %
    """
    check_kind("targets", targets, QueueTargets, hint="QueueTargets(service_level=0.8, within_s=20)", optional=True)
    wanted = QueueTargets() if targets is None else targets
    rate = above("arrivals_per_hour", arrivals_per_hour, hint="customers an hour") / HOUR_S
    handling = above("handling_s", handling_s, hint=HANDLING)
    leaving = 0.0 if patience_s is None else 1 / above("patience_s", patience_s, hint=PATIENCE)
    lost = check_shrinkage(shrinkage)
    row = np.array([rate]), np.array([handling]), np.array([leaving])
    n = int(least_agents(*row, targets=wanted)[0])
    least = 1 if leaving else int(rate * handling) + 1
    numbers = np.arange(max(n - 3, least), n + 4)
    c = queue_columns(numbers, row[0], row[1], row[2], np.array([float(wanted.within_s)]))
    found = tuple(
        measures_at(
            c, i, agents=int(k), rate=rate, handling_s=handling, patience_s=patience_s, within_s=float(wanted.within_s)
        )
        for i, k in enumerate(numbers)
    )
    return StaffNeeded(agents=n, scheduled=rostered(n, lost), shrinkage=lost, targets=wanted, measures=found)


def check_shrinkage(shrinkage: float, /) -> float:
    """Shrinkage as a share from 0 up to 1."""
    hint = "write 30 % as shrinkage=0.3"
    lost = above("shrinkage", shrinkage, hint=hint, allowed="a share from 0 up to 1", least=0)
    if lost >= 1:
        raise OutOfRange("shrinkage", shrinkage, "a share from 0 up to 1", hint)
    return lost


def rostered(agents: int, shrinkage: float, /) -> int:
    """Agents on the roster so that `agents` remain; what rounding adds to a whole number is no further agent.

    Examples
    --------
    >>> rostered(14, 0.3), rostered(9, 0.1)
    (20, 10)
    """
    return math.ceil(agents / (1 - shrinkage) - 1e-9)
