"""Alarms of a watch: hours of one term that belong together, and what their strongest hour showed."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.listening.trends.stepping import Hour
from crmcore.listening.trends.tails import GAP_HOURS

__all__ = ["Alarms", "Raised"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WHOLE = ("alarm_at", "last_at", "peak_at", "began_at", "window")
PARTS = ("posts", "expected", "beyond", "score", "a_day")


@attrs.frozen
class Raised:
    """One alarm; hours since 1970."""

    term: int
    alarm_at: int
    last_at: int
    peak_at: int
    began_at: int
    window: int
    posts: float
    expected: float
    beyond: float
    score: float
    a_day: float
    ongoing: bool


@attrs.define(eq=False)
class Alarms(Document):
    """Alarms that are open, by term; `alarm_at` is -1 where none is.

    Attributes
    ----------
    alarm_at, last_at, peak_at, began_at, window : (n,) hours
        First, last and strongest hour of the alarm, begin of the window that raised it, length of the strongest window.
    posts, expected, beyond, score, a_day : (n,) numbers
        What the strongest hour showed.
    """

    alarm_at: NDArray[np.int64]
    last_at: NDArray[np.int64]
    peak_at: NDArray[np.int64]
    began_at: NDArray[np.int64]
    window: NDArray[np.int64]
    posts: NDArray[np.float64]
    expected: NDArray[np.float64]
    beyond: NDArray[np.float64]
    score: NDArray[np.float64]
    a_day: NDArray[np.float64]

    @classmethod
    def new(cls) -> Alarms:
        """No terms."""
        whole, part = np.zeros(0, np.int64), np.zeros(0)
        return cls(whole, whole, whole, whole, whole, part, part, part, part, part)

    def keep(self, terms: Bools, /) -> None:
        """Drop all other terms."""
        for name in WHOLE + PARTS:
            setattr(self, name, getattr(self, name)[terms])

    def grow(self, n: int, /) -> None:
        """Add n terms."""
        for name in WHOLE:
            setattr(self, name, np.append(getattr(self, name), np.full(n, -1)))
        for name in PARTS:
            setattr(self, name, np.append(getattr(self, name), np.zeros(n)))

    def take(self, at: int, hit: Bools, found: Hour, a_day: Floats, /) -> list[Raised]:
        """Open, lengthen and close alarms by one hour; returns those that closed."""
        over = (self.alarm_at >= 0) & (at - self.last_at > GAP_HOURS)
        closed = self._listed(over, ongoing=False)
        self.alarm_at[over] = -1
        new = hit & (self.alarm_at < 0)
        self.alarm_at[new] = at
        self.began_at[new] = at - found.window[new] + 1
        self.score[new] = 0.0
        self.last_at[hit] = at
        top = hit & (found.score > self.score)
        self.peak_at[top] = at
        self.window[top] = found.window[top]
        for name in ("posts", "expected", "beyond", "score"):
            getattr(self, name)[top] = getattr(found, name)[top]
        self.a_day[top] = a_day[top]
        return closed

    def open(self) -> list[Raised]:
        """Alarms that are still open."""
        return self._listed(self.alarm_at >= 0, ongoing=True)

    def _listed(self, which: Bools, *, ongoing: bool) -> list[Raised]:
        return [
            Raised(
                term=i, alarm_at=int(self.alarm_at[i]), last_at=int(self.last_at[i]), peak_at=int(self.peak_at[i]),
                began_at=int(self.began_at[i]), window=int(self.window[i]), posts=float(self.posts[i]),
                expected=float(self.expected[i]), beyond=float(self.beyond[i]), score=float(self.score[i]),
                a_day=float(self.a_day[i]), ongoing=ongoing,
            )
            for i in np.flatnonzero(which).tolist()
        ]  # fmt: skip
