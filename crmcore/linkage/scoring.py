"""From pairs of records to log-odds, in chunks over the machine's cores, under fitted weights."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.compare import Comparer
from crmcore.linkage.mixture import SAME_PERSON, Weights, log_odds
from crmcore.linkage.nicknames import BoundNicknames
from crmcore.linkage.rarity import Rarity

__all__ = ["Scorer", "spread"]

Rows = NDArray[np.integer]
Floats = NDArray[np.float64]
CHUNK = 100_000  # pairs compared at a time: bounds memory, never changes a result


_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Callable[[_Part], _Result], parts: Iterable[_Part]) -> Iterator[_Result]:
    """Run `work` over parts on the cores that this process may use, results in order; few parts are held at a time."""
    workers = cores()
    if workers < 2:
        yield from map(work, parts)
        return
    waiting: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@attrs.frozen(eq=False, repr=False)
class Scorer:
    """Everything that turns a pair of rows into log-odds."""

    comparer: Comparer
    weights: Weights
    rarity: Rarity
    nicknames: BoundNicknames | None = None

    def evidence(self, lo: Rows, hi: Rows) -> tuple[NDArray[np.int8], Floats]:
        """(m, f) levels and (m, 5) rarity by class of a moderate number of pairs."""
        levels = self.comparer.levels(lo, hi)
        rarity = self.rarity.by_class(self.rarity.terms(self.comparer, lo, hi, levels))
        if self.nicknames is not None:
            rarity[:, SAME_PERSON] += self.nicknames.terms(self.comparer, lo, hi, levels)[:, None]
        return levels, rarity

    def log_odds(self, lo: Rows, hi: Rows) -> Floats:
        """(m,) log-odds that the two records of each pair are one person, computed in chunks."""
        parts = [slice(at, at + CHUNK) for at in range(0, len(lo), CHUNK)]
        found = spread(lambda s: log_odds(self.weights, *self.evidence(lo[s], hi[s])), parts)
        return np.concatenate(list(found)) if parts else np.empty(0)

    def odds_at_least(self, lo: Rows, hi: Rows, least: float) -> Floats:
        """(m,) log-odds of one chunk of pairs; pairs that a bound proves to be below `least` may read -inf."""
        return log_odds(self.weights, *self.evidence(lo, hi))
