"""Learning from a few judgements: which pairs to ask about, and how much to move the model for the answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table
from crmcore.errors import BadRow, BadRows, EmptyInput, NotConverged, OutOfRange, WrongType
from crmcore.linkage.review import review_sample

__all__ = ["Calibration", "Proposal", "propose", "recalibrate"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CUT = math.log(0.25 / 0.75)  # natural log-odds of the usual cut of clustering
TRUST = 0.75  # prior probability that the unlabelled model needs no change
STRENGTHS = (1.0, 4.0, 16.0)  # otherwise: how firmly it is held; the labels themselves weigh these
SPREAD_SHIFT, SPREAD_SLOPE, SPREAD_FIELD = 1.5, 0.4, 0.4  # prior standard deviations at strength 1


@attrs.frozen(eq=False, repr=False)
class Proposal:
    """Pairs to be judged next.

    Attributes
    ----------
    pairs : (s,) positions
        In the arrays that were offered; ascending.
    sampled : (s,) answers
        Drawn at random within score bands: use these, with their weights and strata, for estimates. The others were
        chosen because their answer teaches most; an estimate from them would be biased.
    weights : (s,) counts
        Pairs that a sampled pair stands for; 0 for chosen ones.
    stratum : (s,) codes
        Score band of a sampled pair; -1 for chosen ones.
    """

    pairs: Ints
    sampled: Bools
    weights: Floats
    stratum: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        drawn = int(self.sampled.sum())
        return f"Proposal({len(self)} pairs: {len(self) - drawn} chosen, {drawn} drawn at random)"


def propose(
    log_odds: Floats,
    patterns: NDArray[np.integer],
    size: int,
    /,
    *,
    seed: int | np.random.Generator,
    cut: float = CUT,
    random_share: float = 0.25,
    judged: Bools | None = None,
) -> Proposal:
    """Choose the pairs whose judgement is worth most, and draw some at random so that estimates stay honest.

    Parameters
    ----------
    log_odds : (m,) natural log-odds
        Of all scored pairs, in an order that does not depend on the input (by ids).
    patterns : (m,) codes
        Agreement pattern of each pair: pairs with one pattern are alike to the model, so one answer speaks for all.
    size : count
        Pairs to judge.
    seed : int or Generator
    cut : natural log-odds
        Where the decision changes.
    random_share : share
        Of `size`, rounded up: drawn by `review_sample` from all pairs, judged or not (a known answer is used again).
    judged : (m,) answers, optional
        Pairs that have been judged already: never chosen again.

    Returns
    -------
    Proposal

    Notes
    -----
    The r-th further question about a pattern of N open pairs is worth ``4 p (1 - p) N / (r (r + 1))``, p taken relative
    to the cut: most where the decision is open and many pairs hang on it, with quickly falling returns, which spreads
    the questions over patterns. Pairs within a pattern are drawn at random.

    Examples
    --------
    >>> odds = np.repeat([-6.0, -1.0, 0.5, 7.0], [500, 40, 40, 100])
    >>> proposal = propose(odds, np.repeat([0, 1, 2, 3], [500, 40, 40, 100]), 20, seed=1)
    >>> proposal
    Proposal(20 pairs: 15 chosen, 5 drawn at random)
    """
    if not 0 <= random_share <= 1:
        raise OutOfRange("random_share", random_share, "0 to 1", "a quarter serves estimates and learning")
    log_odds, patterns = np.asarray(log_odds, np.float64), np.asarray(patterns)
    if log_odds.shape != patterns.shape:
        raise WrongType("patterns", f"shape {patterns.shape}", f"shape {log_odds.shape}", "give one pattern per pair")
    by_sample, by_choice = np.random.default_rng(seed).spawn(2)
    size = min(size, len(log_odds))
    n_drawn = math.ceil(random_share * size)
    drawn = review_sample(log_odds, n_drawn, seed=by_sample) if n_drawn else None
    open_ = np.ones(len(log_odds), bool) if judged is None else ~np.asarray(judged, bool)
    weights, stratum = np.zeros(len(log_odds)), np.full(len(log_odds), -1, np.int32)
    sampled = np.zeros(len(log_odds), bool)
    if drawn is not None:
        sampled[drawn.pairs] = True
        weights[drawn.pairs], stratum[drawn.pairs] = drawn.weights, drawn.stratum
        open_ &= ~sampled
    chosen = _chosen(log_odds, patterns, np.flatnonzero(open_), size - n_drawn, cut, by_choice)
    pairs = np.sort(np.concatenate([np.flatnonzero(sampled), chosen]))
    return Proposal(pairs, sampled[pairs], weights[pairs], stratum[pairs])


def _chosen(
    log_odds: Floats, patterns: NDArray[np.integer], open_: Ints, size: int, cut: float, rng: np.random.Generator
) -> Ints:
    """Positions of the `size` most instructive open pairs."""
    if not size or not len(open_):
        return np.zeros(0, np.int64)
    _, code = np.unique(patterns[open_], return_inverse=True)
    count = np.bincount(code)
    p = 1 / (1 + np.exp(-np.clip(np.bincount(code, log_odds[open_]) / count - cut, -60, 60)))
    worth = 4 * p * (1 - p) * count
    best = np.argsort(-worth, kind="stable")[:size]
    turn = np.arange(1, size + 1)
    gain = np.where(turn <= count[best][:, None], worth[best][:, None] / (turn * (turn + 1)), -1.0)
    top = np.argsort(-gain, axis=None, kind="stable")[: min(size, len(open_))]
    top = top[gain.ravel()[top] >= 0]
    asked = np.zeros(len(count), np.int64)
    asked[best] = np.bincount(top // size, minlength=len(best))
    order = np.lexsort((rng.random(len(open_)), code))
    place = np.arange(len(order)) - (np.cumsum(count) - count)[code[order]]
    return np.asarray(open_[order[place < asked[code[order]]]])


@attrs.frozen(kw_only=True)
class Calibration:
    """How far judgements moved the model: ``(1 + slope) * log_odds + shift + sum of fields * evidence``.

    Attributes
    ----------
    shift, slope : numbers
        0 leaves the model as it is.
    fields : name -> number
        Extra weight of each field's evidence; -0.3 trusts the field 30 % less.
    errors : name -> number
        Posterior standard deviation of "shift", "slope" and each field.
    labels, matches : counts
        Judgements, and how many of them were matches.
    unchanged : probability
        That the unlabelled model needs no change, after the judgements.
    loss_before, loss_after : natural log units per judgement
        Log loss without and with this calibration, on the same judgements.
    """

    shift: float = 0.0
    slope: float = 0.0
    fields: Mapping[str, float] = attrs.field(factory=dict)
    errors: Mapping[str, float] = attrs.field(factory=dict)
    labels: int = 0
    matches: int = 0
    unchanged: float = 1.0
    loss_before: float = math.nan
    loss_after: float = math.nan

    def apply(self, log_odds: Floats, features: Floats, /) -> Floats:
        """Log-odds of pairs after calibration.

        Parameters
        ----------
        log_odds : (m,) natural log-odds
        features : (m, f) natural log units
            Evidence of each field, columns in the order of `fields`.
        """
        coefficients = np.array(list(self.fields.values()), np.float64)
        evidence = np.asarray(features, np.float64).reshape(len(log_odds), -1)
        if evidence.shape[1] != len(coefficients):
            raise WrongType("features", f"{evidence.shape[1]} columns", f"{list(self.fields)}", "give one per field")
        return np.asarray((1 + self.slope) * np.asarray(log_odds, np.float64) + self.shift + evidence @ coefficients)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; unknown numbers become None."""
        plain = attrs.asdict(self)
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in plain.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], /) -> Calibration:
        """Read what `to_dict` wrote.

        Examples
        --------
        >>> Calibration.from_dict(Calibration(shift=0.5, labels=9).to_dict()).shift
        0.5
        """
        known: dict[str, Any] = {k: math.nan if v is None else v for k, v in plain.items()}
        return cls(**known)

    def __str__(self) -> str:
        return (
            f"{self.labels} judgements ({self.matches} matches): shift {self.shift:+.2f}, slope {1 + self.slope:.2f}, "
            f"log loss {self.loss_before:.4f} -> {self.loss_after:.4f}, unchanged with probability {self.unchanged:.2f}"
        )

    def _repr_html_(self) -> str:
        moved = {"shift": self.shift, "slope": self.slope, **self.fields}
        rows = [{"what": k, "moved by": v, "standard error": self.errors.get(k)} for k, v in moved.items()]
        return html_table(rows, caption=str(self))


def recalibrate(
    log_odds: Floats,
    features: Floats,
    labels: Bools,
    /,
    *,
    weights: Floats | None = None,
    names: Sequence[str] | None = None,
    label_error: float = 0.02,
) -> Calibration:
    """Move the scores towards judgements, as far as the judgements carry.

    Parameters
    ----------
    log_odds : (s,) natural log-odds
        Of the judged pairs, from the unlabelled model.
    features : (s, f) natural log units
        Evidence of each field (the bars of an explanation); (s, 0) moves level and slope only.
    labels : (s,) answers
        Whether each pair is a match.
    weights : (s,) numbers, optional
        Relative weight of each judgement; equal by default. Chosen pairs need none: what was chosen by score and
        pattern does not bias a fit on score and evidence.
    names : (f,) texts, optional
        Of the fields.
    label_error : share
        Judgements that are expected to be wrong, below 0.5; it limits what one surprising answer can do.

    Returns
    -------
    Calibration

    Raises
    ------
    NotConverged
        The fit did not settle.

    Notes
    -----
    Logistic regression with a normal prior centred on "the model is right", fitted by maximum a posteriori, averaged
    over three firmnesses of the prior and over leaving the model alone (prior probability 3/4), each weighted by its
    marginal likelihood (Laplace approximation; Hoeting et al. 1999). A few labels, or many that agree with the model,
    therefore hardly move it.

    Examples
    --------
    >>> odds = np.linspace(-6, 6, 200)
    >>> too_low = recalibrate(odds, np.zeros((200, 0)), odds > -3.0)
    >>> too_low.shift > 1, too_low.unchanged < 0.01
    (True, True)
    >>> few = recalibrate(odds[:3], np.zeros((3, 0)), odds[:3] > 0)
    >>> abs(few.shift) < 0.01, few.unchanged > 0.7
    (True, True)
    """
    x, y = np.asarray(log_odds, np.float64), np.asarray(labels, bool)
    bars = np.asarray(features, np.float64)
    if not len(x):
        raise EmptyInput("labels", "judge at least one pair")
    if y.shape != x.shape or bars.ndim != 2 or len(bars) != len(x):
        got = f"shapes {x.shape}, {bars.shape}, {y.shape}"
        raise WrongType("log_odds, features, labels", got, "(s,), (s, f), (s,)", "give one row per judged pair")
    if not 0 <= label_error < 0.5:
        raise OutOfRange("label_error", label_error, "0 to below 0.5", "0.02 suits careful people")
    fields = [f"field {i}" for i in range(bars.shape[1])] if names is None else list(names)
    if len(fields) != bars.shape[1]:
        raise WrongType("names", f"{len(fields)} names", f"{bars.shape[1]}", "name every column of features")
    w = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    bad = ~np.isfinite(x) | ~np.isfinite(bars).all(axis=1) | ~np.isfinite(w) | (w < 0)
    if bad.any() or not w.sum() > 0:
        rows = tuple(int(i) for i in np.flatnonzero(bad))
        problem = BadRow("log_odds, features, weights", "not a usable number", rows)
        raise BadRows("judged pairs", (problem,), "drop these pairs, and give weights of 0 and more")
    order = np.lexsort((w, y, *bars.T, x))  # sums in one order, so that shuffled judgements give the same bits
    design = np.column_stack([np.ones(len(x)), x, bars])
    return _Fit(x[order], design[order], y[order], (w / w.mean())[order], label_error).averaged(fields)


@attrs.frozen(eq=False)
class _Fit:
    """Penalised likelihood of one set of judgements."""

    x: Floats
    design: Floats  # (s, 2 + f): constant, log-odds, evidence
    y: Bools
    w: Floats
    error: float

    def loss(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Minus log likelihood, its gradient, and the expected curvature."""
        z = np.clip(self.x + self.design @ theta, -60.0, 60.0)
        s = 1 / (1 + np.exp(-z))
        scale = 1 - 2 * self.error
        q = np.clip(self.error + scale * s, 1e-15, 1 - 1e-15)
        slope = scale * s * (1 - s)
        value = -float(np.sum(self.w * np.where(self.y, np.log(q), np.log1p(-q))))
        gradient = -self.design.T @ (self.w * np.where(self.y, slope / q, -slope / (1 - q)))
        curvature = (self.design * (self.w * slope**2 / (q * (1 - q)))[:, None]).T @ self.design
        return value, gradient, curvature

    def averaged(self, fields: Sequence[str]) -> Calibration:
        """Mean over firmnesses of the prior, each weighted by its posterior probability."""
        size = self.design.shape[1]
        spread = np.array([SPREAD_SHIFT, SPREAD_SLOPE] + [SPREAD_FIELD] * (size - 2))
        before = self.loss(np.zeros(size))[0]
        thetas: list[Floats] = [np.zeros(size)]
        variances: list[Floats] = [np.zeros(size)]
        evidence = [math.log(TRUST) - before]
        for strength in STRENGTHS:
            unit = spread / math.sqrt(strength)
            theta = self._held(unit)
            after, _, curvature = self.loss(theta)
            curvature = curvature + np.diag(unit**-2)
            occam = 0.5 * float(np.sum((theta / unit) ** 2) + np.linalg.slogdet(curvature * np.outer(unit, unit))[1])
            thetas.append(theta)
            variances.append(np.asarray(np.diag(np.linalg.inv(curvature)), np.float64))
            evidence.append(math.log((1 - TRUST) / len(STRENGTHS)) - after - occam)
        share = np.exp(np.array(evidence) - max(evidence))
        share /= share.sum()
        theta = share @ np.array(thetas)
        error = np.sqrt(share @ (np.array(variances) + (np.array(thetas) - theta) ** 2))
        per = float(self.w.sum())
        return Calibration(
            shift=float(theta[0]),
            slope=float(theta[1]),
            fields={name: float(v) for name, v in zip(fields, theta[2:], strict=True)},
            errors={name: float(v) for name, v in zip(["shift", "slope", *fields], error, strict=True)},
            labels=len(self.y),
            matches=int(self.y.sum()),
            unchanged=float(share[0]),
            loss_before=before / per,
            loss_after=self.loss(theta)[0] / per,
        )

    def _held(self, unit: Floats) -> Floats:
        """Maximum a posteriori under a prior with standard deviations `unit`."""
        from scipy.optimize import minimize

        def objective(u: Floats) -> tuple[float, Floats]:
            # in units of the prior's spread all directions are alike, whatever the scale of the evidence
            value, gradient, _ = self.loss(u * unit)
            return value + 0.5 * float(u @ u), gradient * unit + u

        allowed = 1e-6 * max(1.0, float(self.w.sum()))
        result = minimize(
            objective, np.zeros(len(unit)), jac=True, method="BFGS", options={"gtol": allowed, "maxiter": 500}
        )
        rest = float(np.abs(objective(result.x)[1]).max())
        if rest > 1000 * allowed:  # far from flat; a line search that ends at rounding error is not a failure
            hint = "look at judgements that contradict strong evidence, or raise label_error"
            raise NotConverged("recalibrate", int(result.nit), rest, hint)
        return np.asarray(result.x * unit)
