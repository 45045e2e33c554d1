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
from crmcore.linkage.labels import Calibration
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
    calibration: Calibration | None = None

    def evidence(self, lo: Rows, hi: Rows) -> tuple[NDArray[np.int8], Floats]:
        """(m, f) levels and (m, 5) rarity by class of a moderate number of pairs."""
        levels, terms, learned = self.parts(lo, hi)
        return levels, self.by_class(terms, learned)

    def parts(self, lo: Rows, hi: Rows) -> tuple[NDArray[np.int8], Floats, Floats]:
        """(m, f) levels, (m, f) nats of rarity by field, (m,) nats of learned given names."""
        levels = self.comparer.levels(lo, hi)
        terms = self.rarity.terms(self.comparer, lo, hi, levels)
        if self.nicknames is None:
            return levels, terms, np.zeros(len(lo))
        return levels, terms, self.nicknames.terms(self.comparer, lo, hi, levels)

    def by_class(self, terms: Floats, learned: Floats) -> Floats:
        """(m, 5) evidence of values by class: rarity where a class feels it, learned names for one person."""
        rarity = self.rarity.by_class(terms)
        rarity[:, SAME_PERSON] += learned[:, None]
        return rarity

    def features(self, levels: NDArray[np.int8], terms: Floats, learned: Floats) -> Floats:
        """(m, f) nats that each field says for one person against chance, 0 where a side is missing."""
        says = np.take_along_axis(self.weights.log_ratio[0].T, levels.astype(np.int64), axis=0) + terms
        if self.nicknames is not None:
            says[:, self.nicknames.field] += learned
        return np.asarray(says)

    def log_odds(self, lo: Rows, hi: Rows) -> Floats:
        """(m,) log-odds that the two records of each pair are one person, computed in chunks."""
        parts = [slice(at, at + CHUNK) for at in range(0, len(lo), CHUNK)]
        found = spread(lambda s: self._odds(lo[s], hi[s]), parts)
        return np.concatenate(list(found)) if parts else np.empty(0)

    def odds_at_least(self, lo: Rows, hi: Rows, least: float) -> Floats:
        """(m,) log-odds of one chunk of pairs; pairs that a bound proves to be below `least` may read -inf."""
        return self._odds(lo, hi)

    def measured(self, lo: Rows, hi: Rows) -> tuple[NDArray[np.int8], Floats]:
        """(m, f) levels and (m,) log-odds of one chunk of pairs."""
        levels, terms, learned = self.parts(lo, hi)
        odds = log_odds(self.weights, levels, self.by_class(terms, learned))
        if self.calibration is None:
            return levels, odds
        says = self.features(levels, terms, learned)[:, : len(self.calibration.fields)]
        return levels, self.calibration.apply(odds, says)

    def _odds(self, lo: Rows, hi: Rows) -> Floats:
        return self.measured(lo, hi)[1]
