"""Average linkage on match probabilities: one kernel for many components at once and for one alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange

__all__ = ["Agglomeration", "Cuts", "agglomerate", "probability", "quantised"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# p is kept in multiples of 2^-32. Sums of up to two million such numbers are exact in a double, so the mean between two
# groups is the same whatever the order of addition, and equal evidence is a true tie that the ids can break.
QUANTUM = 2.0**-32
NEVER = -1.0  # in the matrix of wanted merges: this one is not


def _as_cuts(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _are_probabilities(_instance: object, _attribute: object, values: tuple[float, ...]) -> None:
    if not values or not all(0.0 <= v <= 1.0 for v in values):
        hint = "a cut is a mean probability, such as 0.25"
        raise OutOfRange("cuts", values, "at least one number, each from 0 to 1", hint)


@attrs.frozen
class Cuts:
    """How much evidence a merge needs: the lowest mean probability between two groups, by the size they would reach.

    Attributes
    ----------
    values : probabilities
        The cut for a merged size of s records is ``values[min(s, len(values) - 1)]``; positions 0 and 1 are never read
        unless they are the last.

    Examples
    --------
    >>> Cuts.constant(0.25).at(7)
    0.25
    >>> careful = Cuts.steps({2: 0.4, 5: 0.25})
    >>> careful.at(2), careful.at(4), careful.at(9)
    (0.4, 0.4, 0.25)
    """

    values: tuple[float, ...] = attrs.field(default=(0.25,), converter=_as_cuts, validator=_are_probabilities)

    @classmethod
    def constant(cls, cut: float) -> Cuts:
        """One cut for every size."""
        return cls((cut,))

    @classmethod
    def steps(cls, from_size: Mapping[int, float]) -> Cuts:
        """Cuts that hold from a merged size on; below the smallest size named, the first one holds."""
        starts = sorted(from_size)
        if not starts or starts[0] < 0:
            raise OutOfRange("from_size", dict(from_size), "sizes of 2 and more", "write {2: 0.4, 5: 0.25}")
        here = np.searchsorted(starts, np.arange(starts[-1] + 1), side="right") - 1
        return cls(tuple(from_size[starts[max(i, 0)]] for i in here))

    def at(self, size: int) -> float:
        """Cut for one merged size."""
        return self.values[min(size, len(self.values) - 1)]


@attrs.frozen(eq=False)
class Agglomeration:
    """What happened to B components of k members each; members are positions 0..k-1 in id order.

    Attributes
    ----------
    group : (B, k) positions
        Smallest member of each member's group.
    weakest : (B, k) probabilities
        At each group's smallest member: the lowest mean at which two of its parts joined on evidence; infinite if none.
    left, right, left_size, right_size : (B, k)
        The two parts of that merge (smallest members) and their sizes.
    blocked : (5, q) integers
        Pairs of groups that reached their cut and were barred: component, smallest members of both, sizes of both; each
        when it first got so far.
    blocked_mean, blocked_bar : (q,)
        Their mean p, and the bits that stopped them.
    """

    group: Ints
    weakest: Floats
    left: Ints
    right: Ints
    left_size: Ints
    right_size: Ints
    blocked: Ints
    blocked_mean: Floats
    blocked_bar: NDArray[np.uint32]


def probability(log_odds: Floats, /) -> Floats:
    """Match probability of natural log-odds, in multiples of 2^-32.

    Examples
    --------
    >>> probability(np.array([-50.0, 0.0, 50.0]))
    array([0. , 0.5, 1. ])
    """
    p = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -60.0, 60.0)))
    return quantised(p)


def quantised(p: Floats, /) -> Floats:
    """Nearest multiples of 2^-32."""
    return np.asarray(np.rint(p / QUANTUM) * QUANTUM)


def agglomerate(
    p: Floats,
    cuts: Cuts,
    /,
    *,
    start: Ints | None = None,
    barred: NDArray[np.uint32] | None = None,
    limits: Sequence[tuple[Ints, int, int]] = (),
) -> Agglomeration:
    """Merge the two groups with the largest mean p between them, again and again, while some merge reaches its cut.

    Ties go to the pair with the smallest first member, then the smallest second.

    Parameters
    ----------
    p : (B, k, k) probabilities
        Symmetric, from `probability`; the diagonal is not read. Members of each component in id order.
    cuts : Cuts
        A pair of groups is a candidate when its mean p reaches the cut of the merged size.
    start : (B, k) positions
        Groups to begin with, each named by its smallest member; default: every member alone.
    barred : (B, k, k) bit masks
        Not 0: these two may never share a group. Symmetric.
    limits : (values (B, k), most, bit)
        Two groups that both hold values (not -1) may not reach more than `most` distinct ones together.

    Returns
    -------
    Agglomeration

    Notes
    -----
    Unweighted pair-group average (Sokal and Michener 1958) on sums instead of means. Time per merge is O(k^2) for the
    search and O(k) for the update; all components step together.
    """
    B, k, _ = p.shape
    bars = barred.copy() if barred is not None else (np.zeros((B, k, k), np.uint32) if limits else None)
    steps = Joined(p, cuts, bars, limits)
    if start is not None:
        for b in range(1, k):
            rows = np.flatnonzero(start[:, b] != b)
            steps.join(rows, start[rows, b], np.full(len(rows), b), None)
    steps.stop_all()
    live = np.arange(B)
    while live.size:
        flat = steps.wanted.reshape(B, -1)[live] if live.size < B else steps.wanted.reshape(B, -1)
        best = flat.argmax(axis=1)
        mean = flat[np.arange(live.size), best]
        go = mean > NEVER
        live, best, mean = live[go], best[go], mean[go]
        a, b = np.divmod(best, k)
        steps.join(live, a, b, mean)
        steps.stop(live, a)
    return Agglomeration(
        group=steps.group,
        weakest=steps.weakest,
        left=steps.bridge[0],
        right=steps.bridge[1],
        left_size=steps.bridge[2],
        right_size=steps.bridge[3],
        blocked=np.concatenate([where for where, _, _ in steps.log], axis=1),
        blocked_mean=np.concatenate([m for _, m, _ in steps.log]),
        blocked_bar=np.concatenate([bar for _, _, bar in steps.log]),
    )


class Joined:
    """The state between two merges: sums, sizes, wanted merges and bars of all components."""

    def __init__(
        self, p: Floats, cuts: Cuts, bars: NDArray[np.uint32] | None, limits: Sequence[tuple[Ints, int, int]]
    ) -> None:
        B, k, _ = p.shape
        self.cuts = np.array(cuts.values)
        self.sums = p.copy()
        here = np.arange(k)
        self.sums[:, here, here] = -np.inf  # a group with itself, and later every group that was absorbed
        self.wanted = np.where(self.sums >= cuts.at(2), self.sums, NEVER)
        self.size = np.ones((B, k), np.int64)
        self.group: Ints = np.broadcast_to(here, (B, k)).copy()
        self.weakest = np.full((B, k), np.inf)
        self.bridge = np.zeros((4, B, k), np.int64)
        self.bars = bars
        self.log = [(np.zeros((5, 0), np.int64), np.zeros(0), np.zeros(0, np.uint32))]
        self.limits: list[tuple[NDArray[np.bool_], int, int]] = []
        for values, most, bit in limits:
            # the first member that holds a value stands for it: k columns are always enough
            first = (values[:, :, None] == values[:, None, :]).argmax(axis=2)
            holds = (first[:, :, None] == here) & (values >= 0)[:, :, None]
            self.limits.append((holds, most, bit))
            for a in range(k if most < 2 else 0):  # two values are within any larger limit
                self._bar(np.arange(B), np.full(B, a))

    def join(self, rows: Ints, a: Ints, b: Ints, mean: Floats | None) -> None:
        """Group b of each component in `rows` joins group a; `mean` None: by order, not on evidence."""
        if mean is not None:
            self._remember(rows, a, b, mean)
        absorbed = self.group[rows] == b[:, None]
        self.group[rows] = np.where(absorbed, a[:, None], self.group[rows])
        sums = self.sums[rows, a] + self.sums[rows, b]
        self.sums[rows, a] = sums
        self.sums[rows, :, a] = sums
        self.sums[rows, b] = -np.inf
        self.sums[rows, :, b] = -np.inf
        grown = self.size[rows, a] + self.size[rows, b]
        self.size[rows, a] = grown
        sizes = self.size[rows]
        mean_row = sums / (grown[:, None] * sizes)
        cut = self.cuts[np.minimum(grown[:, None] + sizes, len(self.cuts) - 1)]
        wanted = np.where(mean_row >= cut, mean_row, NEVER)
        self.wanted[rows, a] = wanted
        self.wanted[rows, :, a] = wanted
        self.wanted[rows, b] = NEVER
        self.wanted[rows, :, b] = NEVER
        if self.bars is not None:
            bars = self.bars[rows, a] | self.bars[rows, b]
            self.bars[rows, a] = bars
            self.bars[rows, :, a] = bars
            for holds, _, _ in self.limits:
                holds[rows, a] |= holds[rows, b]
            self._bar(rows, a)

    def stop_all(self) -> None:
        """Take every barred merge off the list of wanted ones."""
        if self.bars is not None:
            rows, a, b = np.nonzero((self.wanted > NEVER) & (self.bars != 0))
            self._forget(rows, a, b)

    def stop(self, rows: Ints, a: Ints) -> None:
        """The same after group `a` of each component in `rows` has grown."""
        if self.bars is not None:
            at, b = np.nonzero((self.wanted[rows, a] > NEVER) & (self.bars[rows, a] != 0))
            self._forget(rows[at], np.minimum(a[at], b), np.maximum(a[at], b))

    def _forget(self, rows: Ints, a: Ints, b: Ints) -> None:
        """Log barred merges, and never want them again, nor what they grow into: a bar is never lifted."""
        if self.bars is None:
            return
        once = a < b
        rows, a, b = rows[once], a[once], b[once]
        where = np.stack([rows, a, b, self.size[rows, a], self.size[rows, b]])
        self.log.append((where, self.wanted[rows, a, b], self.bars[rows, a, b]))
        for left, right in ((a, b), (b, a)):
            self.wanted[rows, left, right] = NEVER
            self.sums[rows, left, right] = -np.inf

    def _bar(self, rows: Ints, a: Ints) -> None:
        if self.bars is None:
            return
        for holds, most, bit in self.limits:
            mine, theirs = holds[rows, a], holds[rows]
            both = np.any(mine, axis=1, keepdims=True) & np.any(theirs, axis=2)
            over = both & (np.count_nonzero(mine[:, None, :] | theirs, axis=2) > most)
            bars = self.bars[rows, a] | np.where(over, np.uint32(1 << bit), np.uint32(0))
            self.bars[rows, a] = bars
            self.bars[rows, :, a] = bars

    def _remember(self, rows: Ints, a: Ints, b: Ints, mean: Floats) -> None:
        """Keep, for the merged group, the weakest of its merges so far; of equals the last, which is the largest."""
        of_a, of_b = self.weakest[rows, a], self.weakest[rows, b]
        take_b = of_b < of_a
        self.weakest[rows[take_b], a[take_b]] = of_b[take_b]
        self.bridge[:, rows[take_b], a[take_b]] = self.bridge[:, rows[take_b], b[take_b]]
        new = mean <= np.minimum(of_a, of_b)
        rows, a, b = rows[new], a[new], b[new]
        self.bridge[:, rows, a] = np.stack([a, b, self.size[rows, a], self.size[rows, b]])
        self.weakest[rows, a] = mean[new]
