"""Agents of one kind of work, the best of them found without looking at all."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from crmcore.choice.picking import Refused
from crmcore.recovery.employees.routing import Prefer

if TYPE_CHECKING:
    from crmcore.recovery.employees.eligibility import Sweep

__all__ = ["FINE", "ROOM", "Pool"]

ROOM = 1e-9  # capacity is a sum of units, and floats round
FINE = 1e9  # loads that differ by less are equal
MOST_KEYS = 4  # keys an agent on the heap of a pool, before those that count no more are thrown away


class Pool:
    """Agents who may take one kind of work, the first of them on top of a heap.

    While work is handed out loads only grow, so a key on the heap may be too small, never too large: the top is right
    as soon as it is of somebody who has got nothing since, and whoever is full for this kind stays so. Who came free
    gets a key of its own; of the keys of one agent the one in `_held` counts.
    """

    __slots__ = (
        "_able",
        "_hard",
        "_heap",
        "_held",
        "_inside",
        "_names",
        "_parts",
        "_stale",
        "_surplus",
        "_sweep",
        "_units",
        "back",
        "dirty",
        "refused",
    )

    def __init__(self, sweep: Sweep, agents: list[int], units: float, hard: bool, surplus: list[float]) -> None:
        self._sweep, self._units, self._hard, self._surplus = sweep, units, hard, surplus
        self._names = [p for p in sweep.prefer if p is not Prefer.KNOWN]
        self._parts = [self._part(name) for name in self._names]
        room = sweep.room(units)
        inside = [i for i in agents if room[i] and not (hard and sweep.stop[i])]
        self._able, self._inside = frozenset(agents), set(inside)
        self._heap: list[tuple[float, ...]] = list(zip(*(map(p, inside) for p in self._parts), inside, strict=True))
        self._held = dict(zip(inside, self._heap, strict=True))
        heapq.heapify(self._heap)
        self._stale: set[int] = set()
        self.dirty = set(range(len(room)))
        self.refused: list[Refused] = []
        self.back: dict[int, datetime] = {}

    def _fits(self, i: int) -> bool:
        sweep = self._sweep
        room = sweep.open[i] + self._units <= sweep.capacities[i] + ROOM
        return room and not (self._hard and sweep.stop[i])

    def _part(self, name: Prefer) -> Callable[[int], float]:
        """What an agent has of one preference; less goes first."""
        sweep, units = self._sweep, self._units
        if name is Prefer.LEAST_LOADED:
            open_, most = sweep.open, sweep.capacities
            return lambda i: math.floor((open_[i] + units) / most[i] * FINE + 0.5)
        if name is Prefer.LEAST_SURPLUS:
            return self._surplus.__getitem__
        held = sweep.taken if name is Prefer.FEWEST_LATELY else sweep.last
        return held.__getitem__

    def _key(self, i: int) -> tuple[float, ...]:
        return (*[part(i) for part in self._parts], i)

    def moved(self, i: int) -> None:
        """Take note that an agent has got work, of whatever kind."""
        self.dirty.add(i)
        self._stale.add(i)
        if i in self._inside and not self._fits(i):
            self._inside.discard(i)

    def freed(self, agents: Iterable[int]) -> None:
        """Take note that agents have less on their hands."""
        for i in agents:
            self.dirty.add(i)
            if i in self._able and self._fits(i):
                self._inside.add(i)
                self._stale.discard(i)
                self._held[i] = key = self._key(i)
                heapq.heappush(self._heap, key)
        if len(self._heap) > MOST_KEYS * (1 + len(self._able)):
            self._heap = [self._held[i] for i in self._inside]
            heapq.heapify(self._heap)

    def _top(self) -> tuple[float, ...] | None:
        """The best key, fresh and of somebody who still fits; it stays on the heap."""
        heap, inside, stale, held = self._heap, self._inside, self._stale, self._held
        while heap:
            top = heap[0]
            i: int = top[-1]  # type: ignore[assignment]
            if i not in inside or held[i] is not top:
                heapq.heappop(heap)
                continue
            if i not in stale:
                return top
            stale.discard(i)
            held[i] = key = self._key(i)
            heapq.heapreplace(heap, key)
        return None

    def best(self) -> int | None:
        """The best alone."""
        held = self._top()
        return None if held is None else int(held[-1])

    def first(self) -> tuple[int, str, int] | None:
        """The best, what put them before the next, and how many could take it."""
        best = self._top()
        if best is None:
            return None
        heapq.heappop(self._heap)
        second = self._top()
        heapq.heappush(self._heap, best)
        why = "only one"
        if second is not None:
            pairs = zip(self._names, best, second, strict=False)
            why = next((name.value for name, a, b in pairs if a != b), "id")
        return int(best[-1]), why, len(self._inside)
