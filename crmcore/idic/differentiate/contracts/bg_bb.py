"""BG/BB: chances come in rounds, each is taken or not, and customers may leave unseen (Fader, Hardie, Shang 2010).

While alive a customer takes each chance with probability p ~ Beta(alpha, beta) and leaves at the start of a round with
probability theta ~ Beta(gamma, delta). A row is (x taken, round of the last one t_x, rounds seen n). Its likelihood is

    B(a+x, b+n-x)/B(a,b) B(g,d+n)/B(g,d) + sum_{i=0}^{n-t_x-1} B(a+x, b+t_x-x+i)/B(a,b) B(g+1, d+t_x+i)/B(g,d).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, gammaln, psi

from crmcore._base import html_table, number_text
from crmcore.errors import BadDocument, EmptyInput, OutOfRange
from crmcore.idic.differentiate.contracts.fitting import draws, fit_log
from crmcore.metrics.columns import numbers, refuse, same_length
from crmcore.metrics.estimates import Estimate, check_level, estimate_of
from crmcore.metrics.scalars import count_of

__all__ = ["BgBb", "BgBbModel"]

Floats = NDArray[np.float64]
NAMES = ("alpha", "beta", "gamma", "delta")


@attrs.frozen(kw_only=True)
class BgBb:
    """Recipe; there is nothing to choose.

    Examples
    --------
    >>> model = BgBb().fit([0, 1, 2, 2], [0, 1, 2, 3], [3, 3, 3, 3], weights=[50, 20, 15, 15])
    >>> model.n
    100
    """

    def fit(
        self, taken: ArrayLike, last: ArrayLike, rounds: ArrayLike, /, *, weights: ArrayLike | None = None
    ) -> BgBbModel:
        """Maximum likelihood from (merged) rows.

        Parameters
        ----------
        taken, last, rounds : (n,) counts
            Chances taken, round of the last one (0 where none), rounds seen.
        weights : (n,) customers, optional

        Raises
        ------
        BadRows
            Rows that contradict themselves: last after rounds, more taken than rounds until the last, no whole number.
        EmptyInput
            No rows.
        """
        x, t, n = _rows(taken, last, rounds)
        w = np.ones(len(x)) if weights is None else numbers("weights", weights)
        same_length("BgBb.fit", taken=x, weights=w)
        refuse("BgBb.fit", "weights count customers", weights=(~(np.isfinite(w) & (w >= 0)), "not a number from 0"))
        if w.sum() <= 0:
            raise EmptyInput("the rows", "pass at least one customer")
        rows, code = np.unique(np.stack([x, t, n], 1), axis=0, return_inverse=True)
        mass = np.bincount(code.ravel(), w, len(rows)).astype(np.float64)
        found = fit_log(lambda theta: _likelihood(theta, rows, mass), np.zeros(4))
        a, b, g, d = np.exp(found.theta).tolist()
        return BgBbModel(
            alpha=a,
            beta=b,
            gamma=g,
            delta=d,
            covariance=found.covariance,
            log_likelihood=found.log_likelihood,
            n=round(float(w.sum())),
        )


def _rows(taken: ArrayLike, last: ArrayLike, rounds: ArrayLike) -> tuple[Floats, Floats, Floats]:
    x, t, n = numbers("taken", taken), numbers("last", last), numbers("rounds", rounds)
    same_length("BgBb", taken=x, last=t, rounds=n)
    odd = {k: ~(np.isfinite(c) & (c >= 0) & (c == np.floor(c))) for k, c in (("taken", x), ("last", t), ("rounds", n))}
    with np.errstate(invalid="ignore"):
        wrong = (t > n) | (x > t) | ((x == 0) != (t == 0))
    refuse(
        "BgBb",
        "each row is (chances taken, round of the last one, rounds seen): 0 <= taken <= last <= rounds",
        **{k: (mask, "not a whole number from 0") for k, mask in odd.items()},
        row=(wrong & ~(odd["taken"] | odd["last"] | odd["rounds"]), "contradicts itself"),
    )
    return x, t, n


def _terms(theta: Floats, rows: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Log of every term (alive first), the rounds lived in each, and which terms exist."""
    a, b, g, d = np.exp(theta)
    x, t, n = (rows[:, i, None] for i in range(3))
    lived = t + np.arange(int((rows[:, 2] - rows[:, 1]).max(initial=0.0)))
    there = lived < n
    lived = np.concatenate([n, np.where(there, lived, t)], 1)
    there = np.concatenate([np.ones_like(n, bool), there], 1)
    left = np.zeros(lived.shape[1])
    left[1:] = 1.0
    log = betaln(a + x, b + lived - x) - betaln(a, b) + betaln(g + left, d + lived) - betaln(g, d)
    return np.where(there, log, -np.inf), lived, there


def _log_sum(log: Floats) -> Floats:
    return np.asarray(np.logaddexp.reduce(log, axis=1), np.float64)


def _likelihood(theta: Floats, rows: Floats, mass: Floats) -> tuple[float, Floats]:
    a, b, g, d = np.exp(theta)
    log, lived, _ = _terms(theta, rows)
    x = rows[:, :1]
    total = _log_sum(log)
    share = np.exp(log - total[:, None]) * mass[:, None]
    left = np.zeros(lived.shape[1])
    left[1:] = 1.0
    ab, gd = psi(a + b) - psi(a + b + lived), psi(g + d) - psi(g + d + lived + left)
    slope = np.array(
        [
            np.sum(share * (psi(a + x) - psi(a) + ab)) * a,
            np.sum(share * (psi(b + lived - x) - psi(b) + ab)) * b,
            np.sum(share * (psi(g + left) - psi(g) + gd)) * g,
            np.sum(share * (psi(d + lived) - psi(d) + gd)) * d,
        ]
    )
    return float(mass @ total), slope


@attrs.frozen(kw_only=True, repr=False)
class BgBbModel:
    """Fitted BG/BB: plain numbers; covariance is of the log parameters, None at a boundary."""

    alpha: float
    beta: float
    gamma: float
    delta: float
    covariance: tuple[tuple[float, ...], ...] | None
    log_likelihood: float
    n: int

    def __repr__(self) -> str:
        told = ", ".join(f"{k} = {number_text(getattr(self, k))}" for k in NAMES)
        return f"BgBbModel({told}, n = {self.n})"

    def __str__(self) -> str:
        return f"{self!r}, log-likelihood {self.log_likelihood:.2f}"

    @property
    def _theta(self) -> Floats:
        return np.log([self.alpha, self.beta, self.gamma, self.delta])

    def p_alive(self, taken: ArrayLike, last: ArrayLike, rounds: ArrayLike, /, *, ahead: int = 1) -> Floats:
        """Probability of being alive in round `rounds + ahead` (0: at the last round seen).

        Examples
        --------
        >>> model = BgBbModel(alpha=1.204, beta=0.75, gamma=0.657, delta=2.783, covariance=None,
        ...                   log_likelihood=0.0, n=11104)
        >>> model.p_alive([0, 2, 6], [0, 4, 6], [6, 6, 6]).round(2)
        array([0.11, 0.59, 0.93])
        """
        if not ahead >= 0:
            raise OutOfRange("ahead", ahead, "0 or more rounds", "1 is the next round")
        x, t, n = _rows(taken, last, rounds)
        log, _, _ = _terms(self._theta, np.stack([x, t, n], 1))
        later = betaln(self.gamma, self.delta + n + ahead) - betaln(self.gamma, self.delta + n)
        return np.asarray(np.exp(log[:, 0] - _log_sum(log) + later))

    def expected(
        self, taken: ArrayLike, last: ArrayLike, rounds: ArrayLike, /, *, ahead: int, discount: float = 0.0
    ) -> Floats:
        """Expected chances taken in the next `ahead` rounds, each discounted by (1 + discount)^round.

        Examples
        --------
        >>> model = BgBbModel(alpha=1.203528, beta=0.749726, gamma=0.6567808, delta=2.783796, covariance=None,
        ...                   log_likelihood=0.0, n=11104)
        >>> model.expected([0, 4], [0, 5], [6, 6], ahead=10).round(4)
        array([0.1302, 3.6279])
        """
        _check_ahead(ahead, discount)
        x, t, n = _rows(taken, last, rounds)
        log, _, _ = _terms(self._theta, np.stack([x, t, n], 1))
        k = np.arange(1, ahead + 1, dtype=np.float64)
        stays = betaln(self.gamma, self.delta + n[:, None] + k) - betaln(self.gamma, self.delta + n)[:, None]
        rate = (self.alpha + x) / (self.alpha + self.beta + n)
        sure = np.exp(log[:, 0] - _log_sum(log)) * rate
        return np.asarray(sure * np.exp(stays - k * math.log1p(discount)).sum(1))

    def expected_new(self, rounds: int, /) -> float:
        """Expected chances taken by a new customer in the first `rounds` rounds."""
        _check_ahead(rounds, 0.0)
        zero = np.zeros(1)
        return float(self.expected(zero, zero, zero, ahead=rounds)[0])

    def count_probability(self, counts: ArrayLike, /, *, rounds: int) -> Floats:
        """(n,) probability that a new customer takes so many of the first `rounds` chances.

        Those who stay for all rounds, and those who leave before a round and took the chances until then (Fader,
        Hardie and Shang 2010, equation 8).

        Examples
        --------
        >>> model = BgBbModel(alpha=1.204, beta=0.75, gamma=0.657, delta=2.783, covariance=None,
        ...                   log_likelihood=0.0, n=11104)
        >>> float(model.count_probability(range(7), rounds=6).sum().round(9))
        1.0
        """
        count_of("rounds", rounds, least=1, hint="how many chances there are")
        x = numbers("counts", counts)
        if not (np.isfinite(x) & (x >= 0) & (x == np.floor(x))).all():
            raise OutOfRange("counts", x.tolist()[:5], "whole numbers from 0", "0 is no chance taken")
        a, b, g, d = np.exp(self._theta)
        lived, c = np.arange(rounds + 1.0), x[:, None]
        left = np.where(lived < rounds, 1.0, 0.0)
        there = c <= lived
        missed = np.where(there, lived - c, 0.0)
        ways = gammaln(lived + 1) - gammaln(c + 1) - gammaln(missed + 1)
        log = ways + betaln(a + c, b + missed) - betaln(a, b) + betaln(g + left, d + lived) - betaln(g, d)
        return np.asarray(np.where(there, np.exp(log), 0.0).sum(axis=1))

    def total(
        self,
        taken: ArrayLike,
        last: ArrayLike,
        rounds: ArrayLike,
        /,
        *,
        ahead: int,
        weights: ArrayLike | None = None,
        level: float = 0.9,
        seed: int = 0,
    ) -> Estimate:
        """Expected chances taken by all customers, with the interval of the expectation (Laplace posterior)."""
        check_level(level)
        x, t, n = _rows(taken, last, rounds)
        w = np.ones(len(x)) if weights is None else numbers("weights", weights)
        same_length("total", taken=x, weights=w)
        value, low, high, method = float(w @ self.expected(x, t, n, ahead=ahead)), math.nan, math.nan, "none: boundary"
        drawn = draws(self._theta, self.covariance, n=400, rng=np.random.default_rng(seed))
        if drawn is not None:
            many = [
                float(w @ attrs.evolve(self, **dict(zip(NAMES, row, strict=True))).expected(x, t, n, ahead=ahead))
                for row in np.exp(drawn).tolist()
            ]
            low, high = np.quantile(many, [(1 - level) / 2, (1 + level) / 2])
            method = "laplace"
        rule = f"chances taken in the next {ahead} rounds"
        return estimate_of(value, low, high, level=level, n=float(w.sum()), rule=rule, method=method)

    def _repr_html_(self) -> str:
        return html_table([{"parameter": k, "value": float(getattr(self, k))} for k in NAMES], caption=str(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        from crmcore.documents import to_dict

        return {"model": "bg-bb", **to_dict(self)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> BgBbModel:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        if document.get("model") != "bg-bb":
            raise BadDocument("BgBbModel", ("model: expected 'bg-bb'",), "pass what to_dict wrote")
        return from_dict(cls, {k: v for k, v in document.items() if k != "model"})


def _check_ahead(ahead: int, discount: float) -> None:
    if not ahead >= 1:
        raise OutOfRange("ahead", ahead, "1 or more rounds", "count rounds, not days")
    if not discount >= 0:
        raise OutOfRange("discount", discount, "a rate per round from 0", "write 10 % as 0.10")
