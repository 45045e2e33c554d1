"""A whole population on the ladder, date by date."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from crmcore._base import Progress, check_aware, html_table, reporter
from crmcore._frames import write_frame
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.idic.differentiate.rfm.migrating import Migration, migration
from crmcore.rules import FactTable, Tiers
from crmcore.rules.standings import MoveKind, StandingTable

__all__ = ["Climb", "climb"]


@attrs.frozen(eq=False, kw_only=True, repr=False)
class Climb:
    """Where everybody stood at each of several dates; row i of every table is customer i.

    Attributes
    ----------
    dates : instants, ascending
    standings : one table a date
    kinds : one column a date: 0 = no move, else 1 + position in `MoveKind`
    """

    dates: tuple[datetime, ...]
    standings: tuple[StandingTable, ...]
    kinds: tuple[Any, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Rungs, the lowest first."""
        return self.standings[-1].names

    def at(self, date: datetime) -> StandingTable:
        """Where everybody stood at one of the dates."""
        if date not in self.dates:
            raise UnknownName("date of the climb", date.isoformat(), tuple(d.isoformat() for d in self.dates))
        return self.standings[self.dates.index(date)]

    def moves(self, first: datetime, last: datetime, /) -> Migration:
        """Moves between rungs from one of the dates to another."""
        return migration(self.at(first).code, self.at(last).code, names=self.names)

    def step_counts(self) -> Migration:
        """Moves of all steps from date to date, added up: what a Markov chain is fitted to."""
        if len(self.dates) < 2:
            raise EmptyInput("steps", "climb over two dates at least")
        steps = zip(self.standings, self.standings[1:], strict=False)
        made = [migration(a.code, b.code, names=self.names) for a, b in steps]
        total = made[0]
        for step in made[1:]:
            total = total + step
        return total

    def __str__(self) -> str:
        now = ", ".join(f"{name} {n}" for name, n in self.standings[-1].counts().items())
        return f"{len(self.dates)} dates to {self.dates[-1]:%Y-%m-%d}: {now}"

    def __repr__(self) -> str:
        return f"Climb({self})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a move: date, customer, move, rung."""
        rows: dict[str, list[Any]] = {"date": [], "customer": [], "move": [], "rung": []}
        words = list(MoveKind)
        for date, table, kinds in zip(self.dates, self.standings, self.kinds, strict=True):
            for i in np.flatnonzero(kinds).tolist():
                rows["date"].append(date)
                rows["customer"].append(table.customers[i])
                rows["move"].append(str(words[kinds[i] - 1]))
                rows["rung"].append(table.names[table.code[i]])
        return write_frame(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"date": f"{d:%Y-%m-%d}", **t.counts()} for d, t in zip(self.dates, self.standings, strict=True)]
        return html_table(rows[-20:], caption="customers on each rung")


def climb(tiers: Tiers, table: FactTable, *, dates: Iterable[datetime], progress: Progress | bool = False) -> Climb:
    """Walk a population through dates: at each one only what happened by then counts.

    Equal to `tiers.assign` of each customer at the same dates, one by one. A rung that is reached and lost between two
    dates is not seen: choose dates as close as your criteria need.

    Parameters
    ----------
    tiers : Tiers
        Of `ladder`, or your own.
    table : FactTable
        With events.
    dates : aware datetimes
        Ascending.
    progress
        Called after each date.
    """
    when = tuple(dates)
    if not when:
        raise EmptyInput("dates", "pass at least one")
    for date in when:
        check_aware(date, "dates")
    if any(b <= a for a, b in itertools.pairwise(when)):
        raise OutOfRange("dates", [d.isoformat() for d in when[:5]], "ascending instants", "sort them, each once")
    report = reporter(progress)
    standing: StandingTable | None = None
    tables, kinds = [], []
    for i, date in enumerate(when):
        step = tiers.assign_all(standing, table, now=date)
        standing = step.standings
        tables.append(standing)
        kinds.append(step.kinds)
        report("climb", i + 1, len(when))
    return Climb(dates=when, standings=tuple(tables), kinds=tuple(kinds))
