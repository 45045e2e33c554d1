"""What a queue is like with so many agents: service level, waits, abandonment, occupancy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import html_table, number_text
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.scalars import above, count_of, nan_alike
from crmcore.recovery.employees.queues.erlang import QueueColumns, queue_columns

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["HANDLING", "HOUR_S", "MOST_AGENTS", "PATIENCE", "QueueMeasures", "erlang_a", "erlang_c", "measures_at"]

HOUR_S = 3600.0
MOST_AGENTS = 10_000_000
HANDLING = "the mean seconds that an agent is busy with one customer, work after the call included"
PATIENCE = "the mean seconds that people wait before they give up: CallLog.patience_s estimates it"


@attrs.frozen(kw_only=True, repr=False)
class QueueMeasures(Document):
    """A waiting line in the long run.

    Parameters
    ----------
    agents : count
    arrivals_per_hour, handling_s, patience_s, within_s : numbers
        What was asked; `patience_s` None is Erlang C, where nobody gives up.
    load : erlangs
        Arrivals times handling time: the agents that would be busy if nobody left.
    waiting : share
        Who does not get an agent at once.
    service_level : share
        Who gets an agent within `within_s`, of all who come; those who leave count as not answered.
    abandoned : share
        Who leaves before getting an agent.
    mean_wait_s : seconds
        Of all who come, until an agent takes them or they leave.
    mean_wait_answered_s : seconds
        Of those who get an agent: the average speed of answer (ASA).
    occupancy : share
        Of the agents' time spent with customers.
    queue_length : number
        Mean number of people who wait.
    """

    agents: int
    arrivals_per_hour: float
    handling_s: float
    patience_s: float | None
    within_s: float
    load: float
    waiting: float
    service_level: float
    abandoned: float
    mean_wait_s: float
    mean_wait_answered_s: float = attrs.field(eq=nan_alike)
    occupancy: float
    queue_length: float

    def __repr__(self) -> str:
        model = "Erlang C" if self.patience_s is None else "Erlang A"
        level = f"{100 * self.service_level:.1f} % within {self.within_s:g} s"
        return f"QueueMeasures({model}, {self.agents} agents, {number_text(self.load)} erlangs, {level})"

    def __str__(self) -> str:
        gone = "" if self.patience_s is None else f"{100 * self.abandoned:.1f} % give up, "
        return (
            f"{self.agents} agents, {number_text(self.load)} erlangs: "
            f"{100 * self.service_level:.1f} % within {self.within_s:g} s, "
            f"mean wait {number_text(self.mean_wait_s)} s, {gone}busy {100 * self.occupancy:.1f} %"
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row, one column a measure."""
        return write_frame({name: [value] for name, value in attrs.asdict(self).items()}, backend=backend)

    def chart(self) -> Chart:
        """Shares: who waits, who is answered in time, who gives up, how busy agents are."""
        from crmcore.charts import bar

        parts = {
            "wait": self.waiting, f"answered within {self.within_s:g} s": self.service_level,
            "give up": self.abandoned, "busy time of agents": self.occupancy,
        }  # fmt: skip
        title = f"{self.agents} agents, {number_text(self.load)} erlangs"
        return bar(list(parts), list(parts.values()), title=title, description=str(self), percent=True)

    def _repr_html_(self) -> str:
        rows = [{"measure": name.replace("_", " "), "value": value} for name, value in attrs.asdict(self).items()]
        return html_table(rows, caption=str(self))


def erlang_c(*, agents: int, arrivals_per_hour: float, handling_s: float, within_s: float = 20.0) -> QueueMeasures:
    """Waiting line where everybody waits until served (M/M/n).

    Parameters
    ----------
    agents : count from 1
        Agents who take customers all the time; `agents_needed` adds shrinkage.
    arrivals_per_hour, handling_s : numbers above 0
        Handling time is the mean, with the work after the call.
    within_s : seconds
        What the service level counts.

    Raises
    ------
    UnstableQueue
        The load reaches the agents: the line would grow for ever.
    OutOfRange, WrongType
        Numbers that mean nothing.

    Notes
    -----
    P(wait) = C(n, a); P(wait > t) = C e^(−(nμ−λ)t); mean wait C/(nμ − λ); occupancy a/n (Erlang 1917).
    It overstates waits where people give up: see `erlang_a`.

    Examples
    --------
    >>> print(erlang_c(agents=14, arrivals_per_hour=200, handling_s=180))
    14 agents, 10 erlangs: 88.8 % within 20 s, mean wait 7.84 s, busy 71.4 %
    """
    return _measures(agents, arrivals_per_hour, handling_s, None, within_s)


def erlang_a(
    *, agents: int, arrivals_per_hour: float, handling_s: float, patience_s: float, within_s: float = 20.0
) -> QueueMeasures:
    """Waiting line where people give up after an exponential patience (M/M/n+M); every load is stable.

    Parameters
    ----------
    agents, arrivals_per_hour, handling_s, within_s
        As for `erlang_c`.
    patience_s : seconds above 0
        Mean time people are willing to wait: total waiting time / number who gave up.

    Notes
    -----
    Palm (1957); Garnett, Mandelbaum & Reiman (2002), Manufacturing & Service Operations Management 4:208. The service
    level counts who gets an agent in time over all who come.

    Examples
    --------
    >>> busy = erlang_a(agents=50, arrivals_per_hour=48 * 60, handling_s=60, patience_s=120)
    >>> round(busy.abandoned, 3), round(busy.mean_wait_s, 1), round(busy.occupancy, 2)
    (0.031, 3.7, 0.93)
    """
    return _measures(agents, arrivals_per_hour, handling_s, above("patience_s", patience_s, hint=PATIENCE), within_s)


def _measures(
    agents: int, arrivals: float, handling_s: float, patience_s: float | None, within: float
) -> QueueMeasures:
    n = count_of("agents", agents, least=1, hint="count the agents on duty")
    if n > MOST_AGENTS:
        raise OutOfRange("agents", n, f"at most {MOST_AGENTS:,}", "check the unit")
    rate = above("arrivals_per_hour", arrivals, hint="customers an hour") / HOUR_S
    handling = above("handling_s", handling_s, hint=HANDLING)
    reach = above("within_s", within, hint="seconds from 0", allowed="a number from 0", least=0)
    leaving = 0.0 if patience_s is None else 1 / patience_s
    c = queue_columns(np.array([n]), np.array([rate]), np.array([handling]), np.array([leaving]), np.array([reach]))
    return measures_at(c, 0, agents=n, rate=rate, handling_s=handling, patience_s=patience_s, within_s=reach)


def measures_at(
    c: QueueColumns, i: int, *, agents: int, rate: float, handling_s: float, patience_s: float | None, within_s: float
) -> QueueMeasures:
    """One row of columns in seconds."""
    return QueueMeasures(
        agents=agents, arrivals_per_hour=rate * HOUR_S, handling_s=handling_s,
        patience_s=None if patience_s is None else float(patience_s),
        within_s=within_s, load=rate * handling_s, waiting=float(c.waiting[i]), service_level=float(c.in_time[i]),
        abandoned=float(c.abandoned[i]), mean_wait_s=float(c.mean_wait[i]),
        mean_wait_answered_s=float(c.mean_wait_answered[i]), occupancy=float(c.occupancy[i]),
        queue_length=float(c.mean_wait[i] * rate),
    )  # fmt: skip
