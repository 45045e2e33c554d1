"""How many of the recovered come back to speak for the brand."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike

from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import instant, instants, same_length, same_people
from crmcore.metrics.design import proportion_of
from crmcore.metrics.estimates import Estimate, frame_of, warn_if_small
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import above
from crmcore.tables import TextColumn

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AllyRate", "ally_rate"]


@attrs.frozen(kw_only=True)
class AllyRate(Document):
    """Share of recovered cases whose customer then spoke for the brand.

    Parameters
    ----------
    rate : Estimate
        Over cases whose window is over; where customers have several cases, the interval knows.
    allies : count
        Cases with an act.
    open : count
        Cases whose window is not over yet: left out, whatever happened so far.
    within_days : days, optional
    """

    rate: Estimate
    allies: int
    open: int
    within_days: float | None = None

    def __str__(self) -> str:
        window = f" within {self.within_days:g} days" if self.within_days is not None else ""
        waits = f"; {self.open} still open" if self.open else ""
        return f"recovered to ally{window}: {self.rate}{waits}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: the estimate, allies, open."""
        return frame_of([{**attrs.asdict(self.rate), "allies": self.allies, "open": self.open}], backend=backend)

    def _repr_html_(self) -> str:
        return f"<figure>{escape(str(self))}</figure>"

    def chart(self) -> Chart:
        """The share with its interval."""
        return self.rate.chart()


def ally_rate(
    customer: TextColumn | ArrayLike,
    closed_at: ArrayLike,
    act_customer: TextColumn | ArrayLike,
    act_at: ArrayLike,
    *,
    within_days: float | None = None,
    now: datetime | None = None,
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> AllyRate:
    """Share of recovered cases after which the customer recommended, defended or referred.

    Parameters
    ----------
    customer, closed_at : (n,) ids and instants
        Recovered cases.
    act_customer, act_at : (m,) ids and instants
        Acts of advocacy, of any customers; those before the closing do not count.
    within_days : days, optional
        Window after closing; then only cases whose window is over count, because later ones had less time.
    now : aware datetime
        Needed with `within_days`.

    Returns
    -------
    AllyRate
        No effect of the recovery by itself: compare with customers whom nothing went wrong for.

    Examples
    --------
    >>> day = np.datetime64("2026-06-01")
    >>> told = ally_rate(list("abcdefghij"), [day] * 10, ["a", "d", "j"], [day + 5] * 3, small_sample_ok=True)
    >>> print(told)
    recovered to ally: 0.3 [0.108, 0.603] (95 %, n = 10, wilson)
    """
    who, speaker = same_people(customer=customer, act_customer=act_customer)
    closed, acted = instants("closed_at", closed_at), instants("act_at", act_at)
    n = same_length("ally_rate", customer=who, closed_at=closed)
    same_length("acts", act_customer=speaker, act_at=acted)
    if not n:
        raise EmptyInput("cases", "pass the cases that were recovered")
    first = _first_act(who, closed, speaker, acted)
    allied = ~np.isnat(first)
    counted = np.ones(n, np.bool_)
    if within_days is not None:
        above("within_days", within_days, hint="such as 90")
        if now is None:
            hint = "cases whose window is not over must be left out: pass now"
            raise OutOfRange("now", None, "an aware datetime with within_days", hint)
        window = np.timedelta64(round(within_days * 86_400_000_000), "us")
        allied &= first <= closed + window
        counted = closed + window <= instant("now", now)
    rule = "cases with a later act of advocacy / recovered cases"
    k, m = int((allied & counted).sum()), int(counted.sum())
    warn_if_small(m, "the ally rate", ok=small_sample_ok)
    if len(np.unique(who[counted])) < m:
        kept = allied[counted].astype(np.float64)
        rate = proportion_of(kept, clusters=who[counted], level=level, rule=rule, small_sample_ok=True)
    else:
        rate = proportion(k, m, level=level, rule=rule, small_sample_ok=True)
    return AllyRate(rate=rate, allies=k, open=n - m, within_days=within_days)


def _first_act(who: Any, closed: Any, speaker: Any, acted: Any) -> Any:
    """(n,) first act of the same customer after each closing, NaT where there is none or nobody is known."""
    order = np.lexsort((acted, speaker))
    people, times = speaker[order], acted[order]
    both = np.concatenate([closed, times])
    rank = np.unique(both, return_inverse=True)[1].astype(np.int64)
    width = int(rank.max(initial=0)) + 1
    keys = people.astype(np.int64) * width + rank[len(closed) :]
    at = np.searchsorted(keys, who.astype(np.int64) * width + rank[: len(closed)], side="right")
    found = np.full(len(closed), np.datetime64("NaT", "us"), "datetime64[us]")
    inside = np.flatnonzero((at < len(keys)) & (who >= 0))
    same = inside[people[at[inside]] == who[inside]]
    found[same] = times[at[same]]
    return found
