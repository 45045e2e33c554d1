"""Grouping inside one component, one component at a time: what `refine` does, cheap where records are few."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.agglomerate import QUANTUM, Cuts, agglomerate, probability
from crmcore.linkage.constraints import Constraints

__all__ = ["Grouped", "Orders", "group"]

FEW = 10  # records up to which plain numbers beat arrays


@attrs.frozen
class Grouped:
    """Groups of one component by position, the weakest merge of each (by first member), and what was stopped."""

    groups: tuple[tuple[int, ...], ...]
    weakest: Mapping[int, float]
    blocked: tuple[tuple[int, int, str], ...]


@attrs.frozen
class Orders:
    """Decisions about pairs of positions, and what sources and values forbid."""

    must: tuple[tuple[int, int], ...]
    must_not: tuple[tuple[int, int], ...]
    sources: Sequence[str]
    one_to_one: tuple[str, ...]
    max_values: Mapping[str, tuple[Sequence[str | None], int]]

    def constraints(self) -> Constraints:
        """The same as `Constraints` of as many records."""
        names = sorted({*self.sources, *self.one_to_one})
        return Constraints(
            must_link=np.array(self.must, np.int64).reshape(-1, 2),
            must_not_link=np.array(self.must_not, np.int64).reshape(-1, 2),
            source=np.array([names.index(s) for s in self.sources], np.int32),
            one_to_one=tuple([names.index(s) for s in self.one_to_one]),
            max_values={name: (_codes(cells), most) for name, (cells, most) in self.max_values.items()},
        )


def _codes(cells: Sequence[str | None]) -> NDArray[np.int32]:
    seen: dict[str | None, int] = {None: -1}
    return np.array([seen.setdefault(c, len(seen) - 1) for c in cells], np.int32)


def group(k: int, odds: Mapping[tuple[int, int], float], cuts: Cuts, orders: Orders | None) -> Grouped:
    """Group k records in canonical order.

    Parameters
    ----------
    k : records
    odds : (i, j) with i < j -> log-odds, of every pair
    cuts : evidence that a merge needs
    orders : None where nothing was decided and no rule holds

    Examples
    --------
    >>> group(3, {(0, 1): 3.0, (0, 2): -4.0, (1, 2): -3.0}, Cuts(), None).groups
    ((0, 1), (2,))
    """
    if orders is None and k <= FEW:
        return _few(k, odds, cuts.values)
    p = np.zeros((k, k))
    pairs = np.array(list(odds), np.int64)
    found = probability(np.fromiter(odds.values(), np.float64, len(odds)))
    p[pairs[:, 0], pairs[:, 1]] = found
    p[pairs[:, 1], pairs[:, 0]] = found
    if orders is None:
        result = agglomerate(p[None], cuts)
        reasons: tuple[str, ...] = ()
    else:
        rules = orders.constraints()
        among = rules.among(np.arange(k))
        result = agglomerate(
            p[None],
            cuts,
            start=among.start[None],
            barred=among.bars[None] if among.bars.any() else None,
            limits=[(held[None], most, bit) for held, most, bit in among.limits],
        )
        reasons = tuple(rules.reason(int(bar)) for bar in result.blocked_bar.tolist())
    first = result.group[0].tolist()
    groups: dict[int, list[int]] = {}
    for i, name in enumerate(first):
        groups.setdefault(name, []).append(i)
    weak = result.weakest[0].tolist()
    weakest = {name: weak[name] for name, members in groups.items() if len(members) > 2 and math.isfinite(weak[name])}
    left, right = (result.blocked[i].tolist() for i in (1, 2))
    return Grouped(tuple(map(tuple, groups.values())), weakest, tuple(zip(left, right, reasons, strict=True)))


def _probability(log_odds: float) -> float:
    p = 1.0 / (1.0 + math.exp(-min(max(log_odds, -60.0), 60.0)))
    return round(p / QUANTUM) * QUANTUM


def _few(k: int, odds: Mapping[tuple[int, int], float], cuts: tuple[float, ...]) -> Grouped:
    """`agglomerate` of one small component without orders, in plain numbers; sums of quanta are exact in any order."""
    last = len(cuts) - 1
    if k == 2:
        p = _probability(odds[0, 1])
        return Grouped(((0, 1),) if p >= cuts[min(2, last)] else ((0,), (1,)), {}, ())
    sums = [[0.0] * k for _ in range(k)]
    for (i, j), x in odds.items():
        sums[i][j] = sums[j][i] = _probability(x)
    members = {i: [i] for i in range(k)}
    weakest: dict[int, float] = {}
    while True:
        best, at = -1.0, (0, 0)
        live = list(members)
        for x, a in enumerate(live):
            of_a, size = sums[a], len(members[a])
            for b in live[x + 1 :]:
                other = len(members[b])
                mean = of_a[b] / (size * other)
                if mean > best and mean >= cuts[min(size + other, last)]:
                    best, at = mean, (a, b)
        if best < 0.0:
            break
        a, b = at
        joined = members.pop(b)
        for c in members:
            if c != a:
                sums[a][c] = sums[c][a] = sums[a][c] + sums[b][c]
        members[a] += joined
        weakest[a] = min(best, weakest.get(a, math.inf), weakest.pop(b, math.inf))
    groups = tuple(tuple(sorted(m)) for m in members.values())
    return Grouped(groups, {a: w for a, w in weakest.items() if len(members[a]) > 2}, ())
