"""Answers within a promised time, when some cases are still open: open is neither kept nor missed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from html import escape
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.errors import UnknownName
from crmcore.metrics.columns import cells_of, instant, instants, numbers, refuse, same_length, truths
from crmcore.metrics.durations.survival import kaplan_meier
from crmcore.metrics.estimates import Estimate, frame_of, warn_if_small
from crmcore.metrics.scalars import real, share_of

__all__ = ["SECONDS", "InTime", "Verdict", "answered_within", "in_time", "waits"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SECONDS: Mapping[str, float] = MappingProxyType(
    {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0}
)
"""Units in which waits can be counted, in seconds of elapsed (not business) time."""


class Verdict(enum.StrEnum):
    """What the interval of a share says about its target."""

    KEPT = "kept"  # the whole interval is at or above the target
    MISSED = "missed"  # the whole interval is below it
    UNDECIDED = "undecided"


def waits(
    opened: ArrayLike, answered: ArrayLike, *, now: datetime | np.datetime64, unit: str = "hours"
) -> tuple[Floats, Bools]:
    """How long each case waited for its answer, and whether that answer had come by `now`.

    Parameters
    ----------
    opened, answered : (n,) instants
        `datetime64` in UTC or aware datetimes; a case without answer has None or NaT. An answer after `now` has not
        come yet.
    now : instant
        Of the look; cases opened after it are bad rows.
    unit : text
        "seconds", "minutes", "hours", "days" or "weeks", of elapsed time. For business hours count the waits with
        `crmcore.calendars` and pass them on.

    Returns
    -------
    durations : (n,) in `unit`
        Of open cases until `now`.
    observed : (n,) truths

    Raises
    ------
    BadRows
        Answered before opened, or opened after `now`.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> nine, ten = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC)
    >>> waits([nine, nine], [ten, None], now=datetime(2026, 3, 2, 12, tzinfo=UTC))
    (array([1., 3.]), array([ True, False]))
    """
    if unit not in SECONDS:
        raise UnknownName("unit", unit, tuple(SECONDS))
    begin, end, look = instants("opened", opened), instants("answered", answered, missing_ok=True), instant("now", now)
    same_length("waits", opened=begin, answered=end)
    refuse("waits", "drop cases of the future from a look back", opened=(begin > look, "after now"))
    refuse("waits", "look for swapped columns or wrong zones", answered=(end < begin, "before opened"))
    seen = ~np.isnat(end) & (end <= look)
    until = np.where(seen, end, look)
    return (until - begin).astype(np.float64) / 1e6 / SECONDS[unit], seen


def answered_within(
    durations: ArrayLike,
    answered: ArrayLike,
    limit: float,
    *,
    unit: str = "hours",
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> Estimate:
    """Share of cases answered within a limit; open cases are censored (Kaplan-Meier).

    Leaving open cases out flatters (the slow ones are those still open), counting them as missed punishes cases that
    are just young. The estimate assumes that open cases will go on like answered ones of the same age.

    Parameters
    ----------
    durations : (n,) numbers
        Wait of each case in `unit`, so far for open ones; see `waits`.
    answered : (n,) truths
        False is open.
    limit : number
        In `unit`; an answer at just the limit is in time.

    Examples
    --------
    >>> hours = [0.5, 1, 1.5, 2, 3, 3.5, 6, 8, 1, 5]
    >>> got = answered_within(hours, [True] * 8 + [False] * 2, 4, small_sample_ok=True)
    >>> print(got)
    0.657 [0.367, 0.918] (95 %, n = 10, kaplan-meier, log-log)
    """
    limit = real("limit", limit)
    warn_if_small(len(cells_of("durations", durations)), "the share in time", ok=small_sample_ok)
    table = kaplan_meier(durations, answered, unit=unit)
    made = table.ended_by(limit, level=level, small_sample_ok=True)
    return attrs.evolve(made, rule=f"answered within {number_text(limit)} {unit}, open cases censored")


@attrs.frozen(kw_only=True)
class InTime:
    """A promise (a share of cases within a limit) beside what happened.

    Attributes
    ----------
    share : Estimate
        Answered within the limit, open cases censored.
    target : share
    limit : number in `unit`
    kept, late : counts
        Answered within the limit, and after it.
    overdue, pending : counts
        Open beyond the limit (missed already), and open within it (nobody knows yet).
    """

    share: Estimate
    target: float
    limit: float
    unit: str
    kept: int
    late: int
    overdue: int
    pending: int

    @property
    def verdict(self) -> Verdict:
        """Whether the interval lies at or above the target, below it, or around it."""
        if self.share.low >= self.target:
            return Verdict.KEPT
        return Verdict.MISSED if self.share.high < self.target else Verdict.UNDECIDED

    def __str__(self) -> str:
        cases = f"{self.kept} kept, {self.late} late, {self.overdue} overdue, {self.pending} pending"
        aim = f"{100 * self.target:g} % within {number_text(self.limit)} {self.unit}"
        return f"{aim}: {self.verdict}, {self.share}; {cases}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields = {f.name: getattr(self, f.name) for f in attrs.fields(InTime)}
        return {**fields, "share": self.share.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> InTime:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "share": Estimate.from_dict(fields["share"])})

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: target, limit, unit, verdict, the four counts, and the columns of the share."""
        counts = {"kept": self.kept, "late": self.late, "overdue": self.overdue, "pending": self.pending}
        aim = {"target": self.target, "limit": self.limit, "unit": self.unit, "verdict": str(self.verdict)}
        return frame_of([{**aim, **counts, **attrs.asdict(self.share)}], backend=backend)

    def _repr_html_(self) -> str:
        return f"<figure><b>{escape(self.verdict)}</b> {escape(str(self))}</figure>"


def in_time(
    durations: ArrayLike,
    answered: ArrayLike,
    limit: float,
    *,
    target: float,
    unit: str = "hours",
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> InTime:
    """Whether a target such as "70 % within 2 hours" is kept; open cases are never counted as kept or missed.

    Parameters
    ----------
    durations, answered, limit, unit
        As for `answered_within`.
    target : share
        In (0, 1): the share of cases that should be answered within the limit.

    Examples
    --------
    >>> got = in_time([1, 2, 3] * 20, [True, True, False] * 20, 2, target=0.5)
    >>> print(got.verdict, got.share, got.kept, got.late, got.overdue, got.pending)
    kept 0.667 [0.548, 0.782] (95 %, n = 60, kaplan-meier, log-log) 40 0 20 0
    """
    share_of("target", target, hint="write 70 % as target=0.7")
    limit = real("limit", limit)
    share = answered_within(durations, answered, limit, unit=unit, level=level, small_sample_ok=small_sample_ok)
    wait, done = numbers("durations", durations), truths("answered", answered)
    within = wait <= limit
    return InTime(
        share=share,
        target=target,
        limit=float(limit),
        unit=unit,
        kept=int((done & within).sum()),
        late=int((done & ~within).sum()),
        overdue=int((~done & ~within).sum()),
        pending=int((~done & within).sum()),
    )
