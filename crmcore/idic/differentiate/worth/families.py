"""Three families of scores side by side: what customers buy, what they think, how they interact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, html_table, number_text, one_of
from crmcore._frames import write_frame
from crmcore.errors import OutOfRange, WrongType
from crmcore.metrics.columns import SAME, held_floats, instant, numbers
from crmcore.metrics.scalars import above
from crmcore.tables import EventTable

__all__ = ["SIGNALS", "FamilyScores", "Signal", "family_scores"]

Floats = NDArray[np.float64]
FAMILY = ("buy", "think", "interact")


@attrs.frozen
class Signal:
    """What one kind of event says.

    Attributes
    ----------
    kind : of the event
    family : "buy" and "interact" add weights up; "think" averages opinions
    weight : above 0
    scale : lowest and highest opinion, for "think"
    """

    kind: str
    family: str = attrs.field(validator=one_of(FAMILY, what="family of scores"))
    weight: float = 1.0
    scale: tuple[float, float] = (0.0, 10.0)

    def __attrs_post_init__(self) -> None:
        above("weight", self.weight, hint="leave a signal out instead")
        if not self.scale[0] < self.scale[1]:
            raise OutOfRange("scale", self.scale, "lowest and highest", "(0, 10) is that of NPS")


SIGNALS = (
    Signal("purchase", "buy"),
    Signal("nps", "think", 1.0, (0, 10)),
    Signal("csat", "think", 1.0, (1, 5)),
    Signal("sentiment", "think", 0.5, (-1, 1)),
    Signal("visit", "interact", 0.2),
    Signal("reply", "interact"),
    Signal("post", "interact"),
)
"""Kinds of events that say something, and how much; pass your own to `family_scores`."""


@attrs.frozen(eq=False, kw_only=True, repr=False)
class FamilyScores:
    """Scores of every customer of an index, from 0 to 1; NaN where no event of the family is known.

    Attributes
    ----------
    buy, think, interact : (n,) scores
    """

    table: EventTable
    now: datetime
    buy: Floats = attrs.field(converter=held_floats, eq=SAME)
    think: Floats = attrs.field(converter=held_floats, eq=SAME)
    interact: Floats = attrs.field(converter=held_floats, eq=SAME)
    family: NDArray[np.int8]  # (m,) of every event, -1 = says nothing
    weight: Floats  # (m,) weight of every event today
    opinion: Floats  # (m,) 0 to 1, NaN = none

    def __len__(self) -> int:
        return len(self.buy)

    def explain(self, customer: str, /, *, backend: Any = None) -> Any:
        """One row an event of one customer that counts: family, kind, time, weight, opinion; newest first."""
        t = self.table
        rows = np.flatnonzero((t.customer == t.customers.code(customer)) & (self.family >= 0))
        rows = rows[np.argsort(t.time[rows], kind="stable")[::-1]]
        return write_frame(
            {
                "family": [FAMILY[f] for f in self.family[rows].tolist()],
                "kind": t.kind.take(rows).to_list(),
                "time": t.time[rows],
                "weight": self.weight[rows],
                "opinion": self.opinion[rows],
            },
            backend=backend,
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a customer: customer, buy, think, interact."""
        columns = {name: getattr(self, name) for name in FAMILY}
        return write_frame({"customer": list(self.table.customers.ids), **columns}, backend=backend)

    def _rows(self) -> list[dict[str, object]]:
        made: list[dict[str, object]] = []
        for name in FAMILY:
            known = getattr(self, name)[~np.isnan(getattr(self, name))]
            mean = float(known.mean()) if len(known) else math.nan
            made.append({"family": name, "known": len(known), "mean": number_text(mean)})
        return made

    def __str__(self) -> str:
        parts = "; ".join(f"{r['family']} known of {r['known']}, mean {r['mean']}" for r in self._rows())
        return f"{len(self)} customers: {parts}"

    def __repr__(self) -> str:
        return f"FamilyScores({self})"

    def _repr_html_(self) -> str:
        return html_table(self._rows(), caption=f"{len(self)} customers at {self.now:%Y-%m-%d}")


def family_scores(
    events: EventTable, *, now: datetime, opinion: ArrayLike | None = None, signals: Sequence[Signal] = SIGNALS,
    half_life_days: float = 90, half: float = 1.0,
) -> FamilyScores:  # fmt: skip
    """Score what customers buy, think and how they interact, each explained by its events.

    An event weighs `weight * 2 ** (-age / half_life_days)`. "buy" and "interact" are w / (w + half) of the summed
    weights w; "think" is the weighted mean of the opinions on 0 ... 1. A family without events is missing, never 0.

    Parameters
    ----------
    events : EventTable
        Events after `now` take no part.
    now : aware datetime
    opinion : (m,) numbers, optional
        Opinion of every event on the scale of its signal; NaN where it has none.
    signals : sequence of Signal
    half_life_days : days
    half : weight at which buy and interact are 0.5
    """
    given: object = events
    if not isinstance(given, EventTable):
        hint = "read it first: EventTable.from_frame(frame)"
        raise WrongType("events", f"a {type(given).__name__}", "an EventTable", hint)
    check_aware(now, "now")
    above("half_life_days", half_life_days, hint="90 halves the weight in a quarter")
    above("half", half, hint="the weight that gives 0.5")
    m, n = len(events), len(events.customers)
    said = np.full(m, np.nan) if opinion is None else numbers("opinion", opinion, infinite_ok=False)
    if len(said) != m:
        raise OutOfRange("opinion", f"{len(said)} entries", f"{m}, as events", "one an event, NaN for none")
    family, weight, scaled = np.full(m, -1, np.int8), np.zeros(m), np.full(m, np.nan)
    kinds = events.kind.values
    for signal in signals:
        rows = np.flatnonzero(np.isin(events.kind.codes, [i for i, k in enumerate(kinds) if k == signal.kind]))
        family[rows], weight[rows] = FAMILY.index(signal.family), signal.weight
        if signal.family == "think":
            low, high = signal.scale
            scaled[rows] = (said[rows] - low) / (high - low)
    age = (instant("now", now).astype("datetime64[us]") - events.time).astype(np.int64) / 86_400e6
    use = (age >= 0) & (events.customer >= 0) & ~((family == 1) & np.isnan(scaled))
    off = np.flatnonzero(use & (family == 1) & ((scaled < 0) | (scaled > 1)))
    if len(off):
        raise OutOfRange("opinion", f"{len(off)} off their scale", "opinions on the scale of their signal", "set scale")
    family[~use] = -1
    weight = np.where(family >= 0, weight * 2.0 ** (-np.maximum(age, 0) / half_life_days), 0.0)

    def total(f: int, values: Floats) -> Floats:
        rows = family == f
        return np.bincount(events.customer[rows], weights=values[rows], minlength=n).astype(np.float64)

    made: dict[str, Floats] = {}
    for f, name in enumerate(FAMILY):
        summed = total(f, weight)
        top = total(f, weight * np.nan_to_num(scaled)) if name == "think" else summed
        below = summed if name == "think" else summed + half
        made[name] = np.divide(top, below, out=np.full(n, np.nan), where=summed > 0)
    return FamilyScores(table=events, now=now, family=family, weight=weight, opinion=scaled, **made)
