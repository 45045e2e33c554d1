"""Support after hard cases: a rest that is really given, an offer to talk, and a limit on the next hard one.

Only counts and times are kept: what a case was about, and whose it was, stays where it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import cells_of, instant, instants, is_missing, numbers, refuse, same_length
from crmcore.metrics.scalars import above, count_of
from crmcore.recovery.employees.work import severity_of
from crmcore.tables.columns import TextColumn
from crmcore.values import Severity

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["SupportNeeds", "SupportRule"]

MINUTE_US = 60_000_000


@attrs.frozen(eq=False, repr=False)
class SupportNeeds(Document):
    """What each agent needs now; row i of every column is the same agent.

    Parameters
    ----------
    agents : texts
        In sorted order.
    hard_count : (n,) counts
        Hard cases that ended within the window.
    resting_until : (n,) datetime64[us] in UTC
        NaT where the agent does not rest.
    offer : (n,) truths
        A supervisor should offer to talk.
    no_more_hard : (n,) truths
        The next hard case goes to somebody else.
    """

    agents: tuple[str, ...]
    hard_count: NDArray[np.int64]
    resting_until: NDArray[np.datetime64]
    offer: NDArray[np.bool_]
    no_more_hard: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.agents)

    def __repr__(self) -> str:
        resting = int((~np.isnat(self.resting_until)).sum())
        return f"SupportNeeds(of {len(self)}: {resting} resting, {int(self.offer.sum())} to be offered support)"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row an agent: agent, hard_count, resting_until, offer, no_more_hard."""
        columns: dict[str, Any] = {
            "agent": list(self.agents), "hard_count": self.hard_count, "resting_until": self.resting_until,
            "offer": self.offer, "no_more_hard": self.no_more_hard,
        }  # fmt: skip
        return write_frame(columns, backend=backend)

    def __str__(self) -> str:
        return repr(self)

    def chart(self) -> Chart:
        """How many agents had how many hard cases."""
        from crmcore.charts import bar

        counts = np.bincount(self.hard_count, minlength=1)
        labels = [f"{i} hard cases" for i in range(len(counts))]
        return bar(labels, counts.tolist(), title="Agents by hard cases lately", description=repr(self), axis="agents")

    def _repr_html_(self) -> str:
        counts = np.bincount(self.hard_count) if len(self) else np.zeros(0, np.int64)
        rows = [{"hard cases": i, "agents": int(n)} for i, n in enumerate(counts) if n]
        return html_table(rows, caption=repr(self))


@attrs.frozen(kw_only=True)
class SupportRule(Document):
    """What follows a hard case.

    Parameters
    ----------
    hard_severity : Severity
        A case at least as severe is hard (1 is worst).
    hard_distress : share
        A customer at least as distressed makes it hard too.
    rest_minutes : minutes
        Time without new work after each hard case, by the clock on the wall.
    within_hours : hours
        Window over which hard cases are counted.
    offer_after : count
        So many in the window: a supervisor offers to talk.
    most_hard : count, optional
        So many in the window: no further hard case; None never.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> ended = [datetime(2026, 6, 1, h, tzinfo=UTC) for h in (8, 9, 10)]
    >>> now = datetime(2026, 6, 1, 10, 5, tzinfo=UTC)
    >>> SupportRule().assess(["dao", "dao", "ann"], ended, severity=[1, 1, 4], now=now)
    SupportNeeds(of 2: 0 resting, 0 to be offered support)
    >>> SupportRule(offer_after=2, rest_minutes=90).assess(["dao", "dao", "ann"], ended, severity=[1, 1, 4], now=now)
    SupportNeeds(of 2: 1 resting, 1 to be offered support)
    """

    hard_severity: Severity = attrs.field(default=Severity.CRITICAL, converter=severity_of)
    hard_distress: float = 0.8
    rest_minutes: float = 15.0
    within_hours: float = 24.0
    offer_after: int = 3
    most_hard: int | None = 5

    def __attrs_post_init__(self) -> None:
        above("rest_minutes", self.rest_minutes, hint="0 is no rest", allowed="a number from 0", least=0)
        above("within_hours", self.within_hours, hint="such as 24")
        count_of("offer_after", self.offer_after, least=1, hint="hard cases in the window")
        if self.most_hard is not None:
            count_of("most_hard", self.most_hard, least=1, hint="hard cases in the window; None never stops them")
        if not 0 <= self.hard_distress <= 1:
            raise OutOfRange("hard_distress", self.hard_distress, "a share from 0 to 1", "1 is the most distressed")

    def is_hard(self, severity: int | None = None, distress: float | None = None) -> bool:
        """Whether one case is hard; what is not known does not make it so.

        Examples
        --------
        >>> SupportRule().is_hard(severity=1), SupportRule().is_hard(severity=3, distress=0.9)
        (True, True)
        """
        severe = severity is not None and severity <= self.hard_severity
        return severe or (distress is not None and distress >= self.hard_distress)

    def assess(
        self,
        agents: TextColumn | ArrayLike,
        ended: ArrayLike | Sequence[datetime],
        *,
        now: datetime,
        severity: ArrayLike | None = None,
        distress: ArrayLike | None = None,
    ) -> SupportNeeds:
        """Count hard cases of each agent and say who rests, who is offered support, and who gets no further one.

        Parameters
        ----------
        agents : (n,) texts
            Who handled each case; agents without hard cases belong in it too, if they are to be listed.
        ended : (n,) datetime64 in UTC, or aware datetimes
            When the last contact ended; NaT and times after `now` do not count.
        now : aware datetime
        severity : (n,) words, or numbers 1 to 4, optional
        distress : (n,) shares, optional
            None of both: every case is hard. NaN is not known.
        """
        names, who = _agents(agents)
        given: Any = ended
        times = instants("ended", given, missing_ok=True).astype(np.int64)
        severe = None if severity is None else _severities(severity)
        upset = None if distress is None else numbers("distress", distress)
        same_length("assess", agents=who, ended=times, severity=severe, distress=upset)
        hard = np.full(len(who), severe is None and upset is None)
        if severe is not None:
            hard |= severe <= self.hard_severity
        if upset is not None:
            refuse("distress", "shares from 0 to 1", distress=((upset < 0) | (upset > 1), "no share"))
            hard |= upset >= self.hard_distress
        at = int(instant("now", now).astype(np.int64))
        window = int(self.within_hours * 60 * MINUTE_US)
        known = hard & (times != np.iinfo(np.int64).min) & (times <= at)
        counted = known & (times > at - window)
        counts = np.bincount(who[counted], minlength=len(names))
        last = np.full(len(names), np.iinfo(np.int64).min)
        np.maximum.at(last, who[known], times[known])
        rest = math.ceil(self.rest_minutes * MINUTE_US)
        resting = (last != np.iinfo(np.int64).min) & (last > at - rest)
        until = np.where(resting, last + np.where(resting, rest, 0), np.iinfo(np.int64).min).astype("datetime64[us]")
        stop = np.zeros(len(names), np.bool_) if self.most_hard is None else counts >= self.most_hard
        return SupportNeeds(names, counts, until, counts >= self.offer_after, stop)


def _severities(column: ArrayLike) -> NDArray[np.float64]:
    """Severities as numbers, NaN where not known; each distinct cell is read once."""
    cells = cells_of("severity", column).tolist()
    known = {cell: float(severity_of(cell)) for cell in dict.fromkeys(cells) if not is_missing(cell)}
    return np.array([np.nan if is_missing(cell) else known[cell] for cell in cells], np.float64)


def _agents(agents: TextColumn | ArrayLike) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    cells = cells_of("agents", agents).tolist()
    refuse("agents", "say who handled each case", agents=(np.array([is_missing(c) for c in cells], bool), "missing"))
    names = sorted({str(c) for c in cells})
    to = {name: i for i, name in enumerate(names)}
    return tuple(names), np.array([to[str(c)] for c in cells], np.int64)
