"""Absorbing Markov chains: how long, how often, and where it ends, by the fundamental matrix (Kemeny, Snell 1960)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.errors import BadDocument, EmptyInput, OutOfRange, UnknownName
from crmcore.metrics.columns import SAME, held_floats
from crmcore.metrics.estimates import Estimate, check_level, estimate_of, frame_of

__all__ = ["AbsorbingChain", "ChainCounts", "chain_value", "posterior_intervals"]

Floats = NDArray[np.float64]


def _names(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True, hash=False, repr=False)
class ChainCounts:
    """How often each state was followed by each other, and how often it came first; counts of two logs add up.

    Attributes
    ----------
    states : names
    counts : (s, s) row = before, column = after
    starts : (s,) how often each state came first
    """

    states: tuple[str, ...] = attrs.field(converter=_names)
    counts: Floats = attrs.field(converter=held_floats, eq=SAME)
    starts: Floats = attrs.field(converter=held_floats, eq=SAME)

    def __attrs_post_init__(self) -> None:
        s = len(self.states)
        if self.counts.shape != (s, s) or self.starts.shape != (s,):
            raise OutOfRange("counts", self.counts.shape, f"({s}, {s}), with starts ({s},)", "one row a state")
        if not (np.isfinite(self.counts).all() and (self.counts >= 0).all() and (self.starts >= 0).all()):
            raise OutOfRange("counts", "negative or missing", "finite counts from 0", "count moves, not rates")

    @classmethod
    def of_paths(
        cls, start: ArrayLike, step: ArrayLike, states: Sequence[str], *, end: str | None = None,
        weights: ArrayLike | None = None,
    ) -> ChainCounts:  # fmt: skip
        """Count the moves of paths; path j is `step[start[j]:start[j + 1]]`, as codes into `states`.

        Parameters
        ----------
        start, step
            As in journeys: (m + 1,) and (n,).
        end : name, optional
            A state that follows the last step of every path that is not in it already; added where it is not a state.
        weights : (m,) numbers, optional
            How often each path was walked.

        Examples
        --------
        >>> ChainCounts.of_paths([0, 2], [0, 1], ["look", "buy"]).counts.tolist()
        [[0.0, 1.0], [0.0, 0.0]]
        """
        edges, codes = np.asarray(start, np.int64), np.asarray(step, np.int64)
        names = list(states) if end is None or end in states else [*states, end]
        s, m = len(names), len(edges) - 1
        w = np.ones(m) if weights is None else np.asarray(weights, np.float64)
        path = np.repeat(np.arange(m), np.diff(edges))
        inner = np.flatnonzero(path[1:] == path[:-1])
        counts = np.bincount(codes[inner] * s + codes[inner + 1], w[path[inner]], s * s).reshape(s, s)
        some = np.diff(edges) > 0
        if end is not None:
            last, at = codes[edges[1:][some] - 1], names.index(end)
            np.add.at(counts[:, at], last[last != at], w[some][last != at])
        return cls(states=names, counts=counts, starts=np.bincount(codes[edges[:-1][some]], w[some], s))

    def __add__(self, other: ChainCounts) -> ChainCounts:
        names = tuple(dict.fromkeys((*self.states, *other.states)))
        counts, starts = np.zeros((len(names),) * 2), np.zeros(len(names))
        for part in (self, other):
            at = np.array([names.index(n) for n in part.states])
            counts[np.ix_(at, at)] += part.counts
            starts[at] += part.starts
        return ChainCounts(states=names, counts=counts, starts=starts)

    def __repr__(self) -> str:
        return f"ChainCounts({len(self.states)} states, {self.counts.sum():g} moves)"

    def chain(self, *, absorbing: Sequence[str] | None = None) -> AbsorbingChain:
        """Chain in the shares of these counts.

        Parameters
        ----------
        absorbing : names, optional
            States that end a walk; None takes those that were never left.

        Raises
        ------
        EmptyInput, OutOfRange
            No state ends a walk; from some states no end is reached (they are named).
        """
        left = self.counts.sum(axis=1) - np.diag(self.counts)
        ends = tuple(n for n, out in zip(self.states, left, strict=True) if not out) if absorbing is None else absorbing
        odd = [n for n in ends if n not in self.states]
        if odd:
            raise UnknownName("state", odd[0], self.states)
        if not ends:
            raise EmptyInput(
                "absorbing states", "name the states that end a walk, such as absorbing=['purchase', 'gone']"
            )
        stop = np.array([n in ends for n in self.states])
        total = self.counts.sum(axis=1)
        share = np.divide(self.counts, total[:, None], out=np.zeros(self.counts.shape), where=total[:, None] > 0)
        start = self.starts / self.starts.sum() if self.starts.sum() > 0 else np.full(len(stop), 1 / len(stop))
        return AbsorbingChain(
            transient=tuple(n for n, x in zip(self.states, stop, strict=True) if not x),
            absorbing=tuple(n for n, x in zip(self.states, stop, strict=True) if x),
            inner=share[np.ix_(~stop, ~stop)], outer=share[np.ix_(~stop, stop)], start=start[~stop],
        )  # fmt: skip

    def draws(self, n: int, /, *, rng: np.random.Generator) -> Floats:
        """(n, s, s) shares drawn from their posterior.

        Rows are Dirichlet with the counts, plus 1 / s where a move was seen or the state was left; a state that was
        never left stays absorbing.
        """
        s = len(self.states)
        left = self.counts.sum(axis=1) > np.diag(self.counts)
        reached = self.counts.sum(axis=0) > 0
        weight = np.where((self.counts > 0) | (left[:, None] & reached[None, :]), self.counts + 1 / s, 0.0)
        weight[self.counts.sum(axis=1) == 0] = np.eye(s)[self.counts.sum(axis=1) == 0]
        drawn = rng.standard_gamma(np.broadcast_to(weight, (n, s, s)))
        return np.asarray(drawn / drawn.sum(axis=2, keepdims=True), np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"states": list(self.states), "counts": self.counts.tolist(), "starts": self.starts.tolist()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ChainCounts:
        """Read what `to_dict` wrote."""
        lost = tuple(f"{k}: missing" for k in ("states", "counts", "starts") if k not in document)
        if lost:
            raise BadDocument("ChainCounts", lost, "pass what to_dict wrote")
        return cls(states=document["states"], counts=document["counts"], starts=document["starts"])


@attrs.frozen(kw_only=True, eq=False, repr=False, slots=False)
class AbsorbingChain:
    """A walk over transient states that ends in an absorbing one.

    Attributes
    ----------
    transient, absorbing : names
    inner : (t, t) probabilities Q of a step between transient states
    outer : (t, a) probabilities R of an end
        Rows of both sum to 1.
    start : (t,) probabilities of the first state; what is missing to 1 began in an absorbing one

    Examples
    --------
    >>> chain = AbsorbingChain(
    ...     transient=("explore", "evaluate"), absorbing=("buy", "leave"),
    ...     inner=[[0.2, 0.4], [0.4, 0.2]], outer=[[0.1, 0.3], [0.3, 0.1]], start=[1.0, 0.0],
    ... )
    >>> chain.ends("explore")
    {'buy': 0.41666666666666663, 'leave': 0.5833333333333333}
    >>> round(chain.steps("explore"), 6), round(chain.returns("explore"), 6)
    (2.5, 0.666667)
    """

    transient: tuple[str, ...]
    absorbing: tuple[str, ...]
    inner: Floats = attrs.field(converter=held_floats)
    outer: Floats = attrs.field(converter=held_floats)
    start: Floats = attrs.field(converter=held_floats)

    def __attrs_post_init__(self) -> None:
        t, a = len(self.transient), len(self.absorbing)
        if self.inner.shape != (t, t) or self.outer.shape != (t, a) or self.start.shape != (t,):
            shapes = (self.inner.shape, self.outer.shape, self.start.shape)
            raise OutOfRange(
                "inner, outer, start", shapes, f"({t}, {t}), ({t}, {a}), ({t},)", "one row a transient state"
            )
        rows = self.inner.sum(axis=1) + self.outer.sum(axis=1)
        if t and not np.allclose(rows, 1, atol=1e-9):
            odd = [n for n, r in zip(self.transient, rows, strict=True) if abs(r - 1) > 1e-9]
            raise OutOfRange(
                f"rows of {odd[:5]}", rows.round(6).tolist()[:5], "probabilities that sum to 1", "divide by the sum"
            )
        stuck = self._stuck()
        if stuck:
            hint = "name one of them as absorbing, or add the moves that lead out"
            raise OutOfRange("states from which no end is reached", list(stuck), "none", hint)

    def _stuck(self) -> tuple[str, ...]:
        free = self.outer.sum(axis=1) > 0
        for _ in self.transient:
            more = free | ((self.inner > 0) @ free > 0)
            if (more == free).all():
                break
            free = more
        return tuple(n for n, f in zip(self.transient, free, strict=True) if not f)

    def __repr__(self) -> str:
        return f"AbsorbingChain({len(self.transient)} transient and {len(self.absorbing)} absorbing states)"

    def __str__(self) -> str:
        wide = max(map(len, self.transient), default=0)
        return "\n".join(
            f"{n:{wide}}  {self.steps(n):.4g} steps, {self.returns(n):.4g} returns" for n in self.transient
        )

    @cached_property
    def visits(self) -> Floats:
        """(t, t) fundamental matrix N = (I - Q)^-1: expected visits to a state (column) of a walk from each (row)."""
        return np.asarray(np.linalg.inv(np.eye(len(self.transient)) - self.inner), np.float64)

    @cached_property
    def end_shares(self) -> Floats:
        """(t, a) B = N R: probability of each end from each state."""
        return np.asarray(self.visits @ self.outer, np.float64)

    def _at(self, state: str) -> int:
        if state not in self.transient:
            raise UnknownName("transient state", state, self.transient)
        return self.transient.index(state)

    def steps(self, state: str) -> float:
        """Expected steps from a state to an end, the last one included."""
        return float(self.visits[self._at(state)].sum())

    def steps_variance(self, state: str) -> float:
        """Variance of these steps: ((2 N - I) N 1 - (N 1)^2)."""
        all_ = self.visits.sum(axis=1)
        return float((2 * self.visits @ all_ - all_ - all_**2)[self._at(state)])

    def returns(self, state: str) -> float:
        """Expected returns to a state of a walk that stands on it."""
        return float(self.visits[self._at(state), self._at(state)] - 1)

    def ends(self, state: str) -> dict[str, float]:
        """Probability of each end from a state."""
        return dict(zip(self.absorbing, self.end_shares[self._at(state)].tolist(), strict=True))

    def from_start(self) -> dict[str, float]:
        """Probability of each end of a walk that begins as walks do."""
        return dict(zip(self.absorbing, (self.start @ self.end_shares).tolist(), strict=True))

    def reaches(self, state: str) -> float:
        """Probability that a walk from the start ever comes to a state: visits from the start / visits from itself."""
        i = self._at(state)
        return float(self.start @ self.visits[:, i] / self.visits[i, i])

    def exit_hazard(self, state: str) -> float:
        """Probability that a walk standing on a state ends before it comes back: 1 / N_ii."""
        i = self._at(state)
        return float(1 / self.visits[i, i])

    def without(self, state: str, end: str, /) -> float:
        """Share of the walks to an end that is lost where a state may not be entered: the removal effect."""
        i, e = self._at(state), self.absorbing.index(end) if end in self.absorbing else -1
        if e < 0:
            raise UnknownName("absorbing state", end, self.absorbing)
        whole = float(self.start @ self.end_shares[:, e])
        through = self.start @ self.visits[:, i] * self.end_shares[i, e] / self.visits[i, i]
        return float(through / whole) if whole > 0 else 0.0

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a transient state: state, steps, returns, exit_hazard, reached, and a column for each end."""
        rows = [
            {
                "state": n, "steps": self.steps(n), "returns": self.returns(n), "exit_hazard": self.exit_hazard(n),
                "reached": self.reaches(n), **self.ends(n),
            }
            for n in self.transient
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"state": n, "steps": self.steps(n), "returns": self.returns(n), **self.ends(n)}
            for n in self.transient[:30]
        ]
        return html_table(rows, caption=repr(self))


def chain_value(step: Floats, reward: Floats, /, *, discount: float, periods: int | None = None) -> Floats:
    """Discounted value of starting in every state: (I - P / (1 + d))^-1 r, or its first `periods` + 1 terms.

    Parameters
    ----------
    step : (..., k, k) probabilities
        Rows sum to at most 1; what is missing leaves for good with reward 0.
    reward : (k,) money a period in the state, already net of cost; the first is received at once
    discount : share a period
    periods : count
        None = without end.

    Returns
    -------
    (..., k) money

    Examples
    --------
    >>> chain_value(np.array([[0.5]]), np.array([10.0]), discount=0.25).tolist()
    [16.666666666666668]
    """
    kept = step / (1 + discount)
    if periods is None:
        right = np.broadcast_to(reward[:, None], (*kept.shape[:-1], 1))
        return np.asarray(np.linalg.solve(np.eye(len(reward)) - kept, right)[..., 0], np.float64)
    value = np.broadcast_to(reward, kept.shape[:-1]).astype(np.float64)
    for _ in range(periods):
        value = reward + (kept @ value[..., None])[..., 0]
    return value


def posterior_intervals(
    values: Floats, drawn: Floats, /, *, level: float, n: Floats, rule: str
) -> tuple[Estimate, ...]:
    """Estimates of k numbers with the middle of their posterior draws (d, k)."""
    check_level(level)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(
        estimate_of(v, a, b, level=level, n=c, rule=rule, method="dirichlet")
        for v, a, b, c in zip(values, low, high, n, strict=True)
    )
