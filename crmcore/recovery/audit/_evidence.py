"""Columns of an audit, and what counts in them: each check returns who fulfils, and who is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.metrics.columns import instants, numbers, truths
from crmcore.recovery.audit.targets import AuditTargets

__all__ = [
    "COLUMNS",
    "AuditCases",
    "Bools",
    "Counted",
    "filled",
    "filled_of_closed",
    "in_order",
    "number",
    "other_channels",
    "received",
    "said",
    "said_of_closed",
]

Bools = NDArray[np.bool_]
Counted = tuple[Bools, Bools]  # fulfilled, looked at

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "case": "id of the case",
        "opened_at": "when the complaint arrived",
        "acknowledged_at": "when the customer was told that it arrived",
        "responded_at": "when the customer got an answer that says something",
        "closed_at": "when it was closed; missing while open",
        "channel": "where it came in",
        "owner": "who answers for it",
        "severity": "how bad it was judged to be",
        "cause": "what the investigation found",
        "decision": "what was decided, a remedy or none",
        "explained": "whether the customer was told why",
        "fee": "what complaining cost the customer",
        "leaked": "whether personal data reached somebody whom they do not concern",
        "trained": "whether whoever handled it is trained for it",
        "updates": "how often the customer was told how it stands",
        "accepted": "whether the customer agreed to closing, or was told where else to turn",
        "satisfaction": "what the customer said of the handling",
    }
)
"""Columns that evidence is taken from; each may be missing, and then its clauses are for a person to judge."""

TIMES = ("opened_at", "acknowledged_at", "responded_at", "closed_at")


class AuditCases:
    """Columns of the audit; what a clause asks for and nobody brought is None."""

    def __init__(self, columns: Mapping[str, list[Any]], n: int, now: np.datetime64, targets: AuditTargets) -> None:
        self.n, self.now, self.targets = n, now, targets
        self.times = {k: instants(k, np.array(columns[k], object), missing_ok=True) for k in TIMES if k in columns}
        self.cells = columns

    def there(self, name: str) -> Bools:
        """Where a column is filled."""
        if name in self.times:
            return ~np.isnat(self.times[name])
        return np.array([c is not None for c in self.cells[name]], np.bool_)

    def flag(self, name: str) -> Counted:
        """Where a flag is set, and where it is known."""
        known = self.there(name)
        yes = np.zeros(self.n, np.bool_)
        yes[known] = truths(name, [c for c in self.cells[name] if c is not None])
        return yes, known

    @property
    def closed(self) -> Bools:
        """Cases with a closing."""
        return self.there("closed_at")

    def within(self, name: str, hours: float) -> Counted:
        """In time; cases whose time is not up yet and that wait are not looked at."""
        opened, done = self.times["opened_at"], self.times[name]
        due = opened + np.timedelta64(round(hours * 3_600_000_000), "us")
        waits = np.isnat(done) & (due >= self.now)
        return done <= due, ~np.isnat(opened) & ~waits


def of_all(cases: AuditCases, fulfilled: Bools) -> Counted:
    """All cases are looked at."""
    return fulfilled, np.ones(cases.n, np.bool_)


def filled_of_closed(name: str) -> Callable[[AuditCases], Counted]:
    """Closed cases in which a column is filled."""
    return lambda cases: (cases.there(name), cases.closed)


def filled(name: str) -> Callable[[AuditCases], Counted]:
    """Cases in which a column is filled."""
    return lambda cases: of_all(cases, cases.there(name))


def said(name: str, *, wanted: bool = True) -> Callable[[AuditCases], Counted]:
    """Cases in which a flag is as wanted, among those in which it is known."""

    def check(cases: AuditCases) -> Counted:
        yes, known = cases.flag(name)
        return (yes if wanted else ~yes), known

    return check


def said_of_closed(name: str) -> Callable[[AuditCases], Counted]:
    """Closed cases in which a flag is set."""
    return lambda cases: (cases.flag(name)[0], cases.closed)


def number(name: str, test: Callable[[NDArray[np.float64]], Bools]) -> Callable[[AuditCases], Counted]:
    """Cases in which a number passes, among those in which it is known."""

    def check(cases: AuditCases) -> Counted:
        values = numbers(name, cases.cells[name])
        return test(values), ~np.isnan(values)

    return check


def other_channels(cases: AuditCases) -> Counted:
    """Cases that did not come in by the most used channel: one way in alone shuts others out."""
    names = cases.cells["channel"]
    often: dict[Any, int] = {}
    for c in names:
        often[c] = often.get(c, 0) + (c is not None)
    main = min(often, key=lambda c: (-often[c], str(c)), default=None)
    return np.array([c is not None and c != main for c in names], np.bool_), cases.there("channel")


def in_order(cases: AuditCases) -> Counted:
    """Cases with one id, an opening, and no step before it or after the closing."""
    ids = cases.cells["case"]
    often: dict[Any, int] = {}
    for c in ids:
        often[c] = often.get(c, 0) + 1
    fine = np.array([c is not None and often[c] == 1 for c in ids], np.bool_) & cases.there("opened_at")
    for name in TIMES[1:]:
        if name in cases.times:
            t = cases.times[name]
            fine &= np.isnat(t) | (t >= cases.times["opened_at"])
            fine &= np.isnat(t) | (t <= cases.now)
    return of_all(cases, fine)


def received(cases: AuditCases) -> Counted:
    """Cases that are recorded with an id and an instant."""
    return of_all(cases, cases.there("case") & cases.there("opened_at"))
