"""Markov chains of order k over paths, and what is lost when channels are removed: exact, by propagation.

A state is the window of the last k touches; a path shorter than k is one state. From the start, mass flows through the
windows of a path to "conversion" or "null", in the shares in which journeys went. Removing a channel sends every state
that holds it to "null" (Anderl and others 2016). Self-transitions are kept; at order 1 they change nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, NotConverged, OutOfRange
from crmcore.touchpoints.attribution.paths import PathCounts

__all__ = ["ORDERS", "Chain", "Walks"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.signedinteger[Any]]

ORDERS = (1, 2, 3, 4)
DENSE = 300  # states up to which one inverse is faster than pushing mass through the chain
TABLE = 20_000_000  # cells of a lookup table instead of a sort
LEFT = 1e-17  # mass that still walks when the walk is over
STEPS = 100_000
LOOK = 8  # steps between two looks at what is left


@attrs.frozen(kw_only=True, eq=False, slots=False)
class Walks:
    """The states that paths go through, whatever the counts: made once, weighted many times.

    Attributes
    ----------
    channels : count
    order : k
    windows : (s, k) codes of the touches in each state, the last one last; -1 where a path is shorter
    first, last : (m,) state in which each path begins and ends
    source, target : (e,) states of each distinct step
    step : (t,) position in `source` of every step taken, and `step_path` its path
    """

    channels: int
    order: int
    windows: NDArray[np.int32]
    first: Codes
    last: Codes
    source: Codes
    target: Codes
    step: Codes
    step_path: Codes

    @classmethod
    def of(cls, paths: PathCounts, /, *, order: int) -> Walks:
        """States and steps of paths at an order."""
        if order not in ORDERS:
            raise OutOfRange("order", order, f"one of {list(ORDERS)}", "order 1 remembers one touch")
        base = len(paths.channels) + 1
        if base**order >= 2**62:
            raise OutOfRange("channels", len(paths.channels), f"fewer at order {order}", "merge rare channels, or lower the order")  # noqa: E501  # fmt: skip
        size = np.maximum(paths.lengths - order + 1, 1)  # windows of each path
        end = np.cumsum(size) - 1
        code = _windows(paths, order)
        if base**order <= TABLE:
            there = np.zeros(base**order, np.bool_)
            there[code] = True
            found = np.flatnonzero(there)
            number = np.zeros(len(there), np.int32)
            number[found] = np.arange(len(found))
            state = number[code]
        else:
            found, inverse = np.unique(code, return_inverse=True)
            state = inverse.astype(np.int32)
        goes_on = np.ones(len(code), np.bool_)
        goes_on[end] = False
        on = goes_on[:-1]
        windows = np.stack([found // base**back % base - 1 for back in reversed(range(order))], axis=1)
        source, target, step = _distinct_steps(state[:-1][on], state[1:][on], windows[:, -1], base - 1)
        owner = np.repeat(np.arange(len(paths), dtype=np.int32), size - 1)
        return cls(
            channels=base - 1, order=order, windows=windows.astype(np.int32), first=state[end + 1 - size],
            last=state[end],
            source=source, target=target, step=step, step_path=owner,
        )  # fmt: skip

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.windows)

    def chain(self, conversions: Floats, nulls: Floats, /) -> Chain:
        """Chain of journeys that went along the paths so often."""
        both, s = conversions + nulls, self.states
        flow = np.asarray(np.bincount(self.step, both[self.step_path], len(self.source)), np.float64)
        won = np.asarray(np.bincount(self.last, conversions, s), np.float64)
        out = np.bincount(self.source, flow, s) + won + np.bincount(self.last, nulls, s)
        total = float(both.sum())
        if not total > 0:
            raise EmptyInput("journeys", "every count is 0: pass conversions or nulls above 0")
        share = np.divide(1.0, out, out=np.zeros(s), where=out > 0)
        return Chain(
            walks=self,
            conversion=float(conversions.sum()) / total,
            start=np.bincount(self.first, both, s) / total,
            flow=flow * share[self.source],
            win=won * share,
        )

    @cached_property
    def holds(self) -> NDArray[np.bool_]:
        """(s, channels) whether a state holds a channel."""
        found = np.zeros((self.states, self.channels + 1), np.bool_)
        for column in self.windows.T:
            found[np.arange(self.states), column] = True
        held: NDArray[np.bool_] = found[:, : self.channels]
        return held


def _windows(paths: PathCounts, order: int) -> Codes:
    """Code of every window, path after path; letters are 1 to C, 0 stands where a path is shorter than the order."""
    base = len(paths.channels) + 1
    letter: Codes = paths.touch + np.int32(1) if base**order < 2**31 else paths.touch.astype(np.int64) + 1
    if order == 1:
        return letter
    code, whole, begin, length = letter.copy(), np.ones(len(letter), np.bool_), paths.start[:-1], paths.lengths
    for back in range(1, order):
        code[back:] += letter[:-back] * base**back
        whole[(begin + back - 1)[length >= back]] = False  # too near to the beginning for a full window
    for n in range(1, order):
        short = begin[length == n]  # their only window ends with the path
        code[short + n - 1] = sum(letter[short + i] * base ** (n - 1 - i) for i in range(n))
        whole[short + n - 1] = True
    return code[whole]


def _distinct_steps(a: Codes, b: Codes, channel: Codes, channels: int) -> tuple[Codes, Codes, Codes]:
    """Distinct pairs (a, b) and which of them each step is; b follows from a and the channel that comes next."""
    small = len(channel) * channels < 2**31
    wide: Codes = channel if small else channel.astype(np.int64)
    key = a * (np.int32(channels) if small else np.int64(channels)) + wide[b]
    if len(channel) * channels <= TABLE:
        target = np.full(len(channel) * channels, -1, np.int32)
        target[key] = b
        found = np.flatnonzero(target >= 0)
        number = np.zeros(len(target), np.int32)
        number[found] = np.arange(len(found))
        return found // channels, target[found], number[key]
    found, first, step = np.unique(key, return_index=True, return_inverse=True)
    return found // channels, b[first], step


@attrs.frozen(kw_only=True, eq=False, slots=False)
class Chain:
    """Probabilities over the states of `walks`: of the first state, of each step, and of a conversion next.

    `conversion` is the probability that a journey ends in one: conversions / (conversions + nulls), at every order.
    """

    walks: Walks
    conversion: float
    start: Floats  # (s,)
    flow: Floats  # (e,)
    win: Floats  # (s,)

    def removal_effects(self) -> Floats:
        """(channels,) share of conversions that is lost when a channel is removed; 0 where nothing converts."""
        base = self.conversion
        if not base > 0:
            return np.zeros(self.walks.channels)
        kept = (
            self._one_inverse()
            if self.walks.order == 1 and self.walks.states <= DENSE
            else self.reached(~self.walks.holds)
        )
        return np.clip(1.0 - kept / base, 0.0, 1.0)

    def _one_inverse(self) -> Floats:
        """(channels,) probability of conversion without each channel: one inverse serves all of them."""
        w = self.walks
        inverse = np.linalg.inv(np.eye(w.states) - self._matrix())
        seen, x = self.start @ inverse, inverse @ self.win
        kept = np.full(w.channels, self.conversion)
        kept[w.windows[:, 0]] -= seen * x / np.diag(inverse)
        return np.asarray(np.maximum(kept, 0.0), np.float64)

    def _matrix(self) -> Floats:
        s = self.walks.states
        made = np.zeros((s, s))
        made[self.walks.source, self.walks.target] = self.flow
        return made

    def reached(self, allowed: NDArray[np.bool_], /) -> Floats:
        """(c,) probability of a conversion where only some states may be entered, one column of `allowed` a case."""
        if self.walks.states <= DENSE and allowed.shape[1] == 1:
            return np.array([self._solved(allowed[:, 0])])
        return self._pushed(allowed)

    def _solved(self, allowed: NDArray[np.bool_]) -> float:
        keep = np.flatnonzero(allowed)
        if not len(keep):
            return 0.0
        inner = np.eye(len(keep)) - self._matrix()[np.ix_(keep, keep)]
        return float(self.start[keep] @ np.linalg.solve(inner, self.win[keep]))

    def _pushed(self, allowed: NDArray[np.bool_]) -> Floats:
        from scipy.sparse import csr_array

        w = self.walks
        forward: Any = csr_array((self.flow, (w.target, w.source)), shape=(w.states, w.states))
        mass = self.start[:, None] * allowed
        done = self.win @ mass
        for step in range(1, STEPS):
            mass = forward @ mass
            mass *= allowed
            done += self.win @ mass
            if not step % LOOK and mass.sum(axis=0).max(initial=0.0) < LEFT:
                return np.asarray(done, np.float64)
        raise NotConverged("the walk through the chain", STEPS, float(mass.sum(axis=0).max()), "some journeys hardly ever end: look at paths with very many touches")  # noqa: E501  # fmt: skip
