"""Choose while learning: what is believed of each arm becomes a chance, and the draw of a customer decides.

Beliefs (`BetaArms`, `LinearArms`) add up what came of each arm. An explorer (`Thompson`, `UpperBound`, `Uniform`) makes
chances of them, and `drawn` chooses by these chances: they are the exact propensities of what was done, to be logged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, Self, runtime_checkable

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, DuplicateIds, OutOfRange, UnknownName

__all__ = ["BetaArms", "Explorer", "LinearArms", "Thompson", "Uniform", "UpperBound", "best_chances", "drawn"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
REACH, POINTS, BLOCK = 5.5, 61, 256  # of the grid, in standard deviations and points an arm; rows at a time
TINY = 1e-12

_same = attrs.cmp_using(eq=np.array_equal)


# --- what is believed ------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BetaArms(Document):
    """What share each arm brings: a Beta posterior from counts, so the order of the answers does not matter.

    Attributes
    ----------
    arms : names
    won, lost : (arms,) sums of the rewards, and of what they lack to 1
    prior : two numbers above 0
        Answers won and lost that each arm starts with; (1, 1) holds every share for equally likely.

    Examples
    --------
    >>> beliefs = BetaArms.of(["mail", "call"]).learn(["mail", "mail", "call"], [0, 1, 1])
    >>> beliefs.won, beliefs.lost
    ((1.0, 1.0), (1.0, 0.0))
    >>> Thompson(beliefs=beliefs).chances(["mail", "call"], [[True, True], [True, False]]).round(3).tolist()
    [[0.3, 0.7], [1.0, 0.0]]
    """

    arms: tuple[str, ...]
    won: tuple[float, ...]
    lost: tuple[float, ...]
    prior: tuple[float, float] = (1.0, 1.0)

    def __attrs_post_init__(self) -> None:
        _check_arms(self.arms)
        for name in ("won", "lost"):
            if len(getattr(self, name)) != len(self.arms) or not all(0 <= x < np.inf for x in getattr(self, name)):
                raise OutOfRange(f"BetaArms.{name}", getattr(self, name), "a count from 0 for each arm", "see learn")
        if not all(0 < x < np.inf for x in self.prior):
            raise OutOfRange("BetaArms.prior", self.prior, "two numbers above 0", "(1, 1) is usual")

    @classmethod
    def of(cls, arms: Sequence[str], *, prior: tuple[float, float] = (1.0, 1.0)) -> Self:
        """Arms of which nothing is known yet."""
        return cls(arms=tuple(arms), won=(0.0,) * len(arms), lost=(0.0,) * len(arms), prior=prior)

    def learn(self, arm: Sequence[str], reward: ArrayLike, /) -> Self:
        """Beliefs after answers: (n,) names of arms and (n,) rewards from 0 to 1."""
        code, gain = _answers(self.arms, arm, reward)
        odd = np.flatnonzero(~((gain >= 0) & (gain <= 1)))
        if len(odd):
            problem = BadRow("reward", "not from 0 to 1", tuple(odd.tolist()))
            raise BadRows("the answers", (problem,), "divide rewards by the largest there can be, or use LinearArms")
        won, lost = (np.bincount(code, weights=w, minlength=len(self.arms)).tolist() for w in (gain, 1 - gain))
        return self + attrs.evolve(self, won=tuple(won), lost=tuple(lost))

    def __add__(self, other: Self) -> Self:
        """Answers of both; arms and prior are those of either."""
        _check_alike(self, other, "arms", "prior")
        won, lost = (
            tuple(a + b for a, b in zip(mine, more, strict=True))
            for mine, more in ((self.won, other.won), (self.lost, other.lost))
        )
        return attrs.evolve(self, won=won, lost=lost)

    def for_arms(self, arms: Sequence[str], /) -> Self:
        """The same of other arms or in another order; of new ones nothing is known."""
        at = [self.arms.index(a) if a in self.arms else -1 for a in arms]
        won, lost = ((*column, 0.0) for column in (self.won, self.lost))
        return attrs.evolve(self, arms=tuple(arms), won=tuple(won[i] for i in at), lost=tuple(lost[i] for i in at))

    def moments(self, context: ArrayLike | None = None, /) -> tuple[Floats, Floats]:
        """(1, arms) means and standard deviations of the posteriors."""
        a, b = self._shapes()
        mean = a / (a + b)
        return mean[None], np.sqrt(mean * (1 - mean) / (a + b + 1))[None]

    def _shapes(self) -> tuple[Floats, Floats]:
        return np.array(self.won) + self.prior[0], np.array(self.lost) + self.prior[1]

    def _points(self, z: Floats, _moments: tuple[Floats, Floats]) -> Floats:
        from scipy.special import betaincinv, ndtr

        return np.asarray(betaincinv(*self._shapes(), ndtr(z)[:, None])[None], np.float64)

    def _below(self, t: Floats, _moments: tuple[Floats, Floats]) -> Floats:
        from scipy.special import betainc

        return np.asarray(betainc(*self._shapes(), np.clip(t, 0, 1)), np.float64)


def _arrays(of: object) -> Floats:
    return np.asarray(of, np.float64)


@attrs.frozen(kw_only=True)
class LinearArms(Document):
    """What each arm brings to whom: linear in the context, with a Gaussian posterior from sums that add up.

    Attributes
    ----------
    arms, features : names
        Of the columns of a context; a constant is added in front of them.
    gram, moment : (arms, 1 + features, 1 + features) and (arms, 1 + features) sums of x x' and of x times reward
    noise_sd : above 0
        Spread of a reward around its mean, in its unit; 0.5 is the most that a reward from 0 to 1 can have.
    prior_sd : above 0
        Of each coefficient around 0, before the first answer.

    Examples
    --------
    >>> beliefs = LinearArms.of(["mail", "call"], ["young"])
    >>> beliefs = beliefs.learn(["mail", "call"] * 50, [1, 0, 0, 1] * 25, [[1], [1], [0], [0]] * 25)
    >>> Thompson(beliefs=beliefs).chances(["mail", "call"], [[True, True]] * 2, context=[[1], [0]]).round(3).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    arms: tuple[str, ...]
    features: tuple[str, ...]
    gram: Floats = attrs.field(converter=_arrays, eq=_same, repr=False)
    moment: Floats = attrs.field(converter=_arrays, eq=_same, repr=False)
    noise_sd: float = 0.5
    prior_sd: float = 1.0

    def __attrs_post_init__(self) -> None:
        _check_arms(self.arms)
        k, d = len(self.arms), 1 + len(self.features)
        for name, shape in (("gram", (k, d, d)), ("moment", (k, d))):
            found = getattr(self, name)
            if found.shape != shape or not np.isfinite(found).all():
                raise OutOfRange(f"LinearArms.{name}", found.shape, f"{shape} finite numbers", "see learn")
        for name in ("noise_sd", "prior_sd"):
            if not 0 < getattr(self, name) < np.inf:
                raise OutOfRange(f"LinearArms.{name}", getattr(self, name), "a number above 0", "in units of a reward")

    @classmethod
    def of(
        cls, arms: Sequence[str], features: Sequence[str] = (), *, noise_sd: float = 0.5, prior_sd: float = 1.0
    ) -> Self:
        """Arms of which nothing is known yet."""
        k, d = len(arms), 1 + len(features)
        return cls(arms=tuple(arms), features=tuple(features), gram=np.zeros((k, d, d)), moment=np.zeros((k, d)),
                   noise_sd=noise_sd, prior_sd=prior_sd)  # fmt: skip

    def learn(self, arm: Sequence[str], reward: ArrayLike, context: ArrayLike | None = None, /) -> Self:
        """Beliefs after answers: (n,) names of arms, (n,) rewards and (n, features) contexts."""
        code, gain = _answers(self.arms, arm, reward)
        x = self._context(context, len(code))
        own = np.eye(len(self.arms))[code]
        gram = np.einsum("nk,ni,nj->kij", own, x, x, optimize=True)
        return self + attrs.evolve(self, gram=gram, moment=np.einsum("nk,ni->ki", own, x * gain[:, None]))

    def __add__(self, other: Self) -> Self:
        """Answers of both; arms, features and spreads are those of either."""
        _check_alike(self, other, "arms", "features", "noise_sd", "prior_sd")
        return attrs.evolve(self, gram=self.gram + other.gram, moment=self.moment + other.moment)

    def for_arms(self, arms: Sequence[str], /) -> Self:
        """The same of other arms or in another order; of new ones nothing is known."""
        at = [self.arms.index(a) if a in self.arms else -1 for a in arms]
        gram, moment = (np.concatenate([x, np.zeros_like(x[:1])]) for x in (self.gram, self.moment))
        return attrs.evolve(self, arms=tuple(arms), gram=gram[at], moment=moment[at])

    def moments(self, context: ArrayLike | None = None, /) -> tuple[Floats, Floats]:
        """(n, arms) means and standard deviations of what each arm brings in each context."""
        x = self._context(context, 1)
        ridge = (self.noise_sd / self.prior_sd) ** 2 * np.eye(x.shape[1])
        cover = np.linalg.inv(self.gram + ridge)
        mean = x @ (cover @ self.moment[:, :, None])[:, :, 0].T
        variance = np.einsum("ni,kij,nj->nk", x, cover, x, optimize=True)
        return mean, self.noise_sd * np.sqrt(np.maximum(variance, 0.0))

    def _context(self, context: ArrayLike | None, n: int) -> Floats:
        """(n, 1 + features) with the constant."""
        given = np.zeros((n, 0)) if context is None else np.asarray(context, np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.features) or not np.isfinite(given).all():
            allowed = f"(n, {len(self.features)}) finite numbers: {', '.join(self.features) or 'no features'}"
            raise OutOfRange("shape of the context", given.shape, allowed, "give each row every feature")
        return np.column_stack([np.ones(len(given)), given])

    def _points(self, z: Floats, moments: tuple[Floats, Floats]) -> Floats:
        mean, sd = moments
        return mean[:, None] + sd[:, None] * z[:, None]

    def _below(self, t: Floats, moments: tuple[Floats, Floats]) -> Floats:
        from scipy.special import ndtr

        mean, sd = moments
        return np.asarray(ndtr((t - mean[:, None]) / np.maximum(sd[:, None], TINY)), np.float64)


# --- how it becomes chances ------------------------------------------------------------------------------------------


@runtime_checkable
class Explorer(Protocol):
    """Chances of arms: a pure function of what it knows.

    (n, arms) numbers from 0, 0 where an arm may not be (`able`), each row summing to 1, or to 0 where no arm may be.
    What an arm brings is gain times its reward, less its cost: (arms,) numbers, 1 and 0 unless given.
    """

    def chances(
        self, arms: Sequence[str], able: ArrayLike, /, *, context: ArrayLike | None = None,
        gain: ArrayLike | None = None, cost: ArrayLike | None = None,
    ) -> Floats: ...  # fmt: skip


@attrs.frozen
class Uniform(Document):
    """Every arm that may be, with the same chance."""

    def chances(
        self, arms: Sequence[str], able: ArrayLike, /, *, context: ArrayLike | None = None,
        gain: ArrayLike | None = None, cost: ArrayLike | None = None,
    ) -> Floats:  # fmt: skip
        """See `Explorer`."""
        open_ = _able(able, len(arms))
        return np.asarray(open_ / np.maximum(open_.sum(1, keepdims=True), 1), np.float64)


@attrs.frozen(kw_only=True)
class _Learner(Document, ABC):
    """An explorer with beliefs, and a share of the choices that is left to equal chances."""

    beliefs: BetaArms | LinearArms
    floor: float = attrs.field(default=0.0, validator=between(0, 1, hint="0.05 gives one choice in 20 equal chances"))

    def chances(
        self, arms: Sequence[str], able: ArrayLike, /, *, context: ArrayLike | None = None,
        gain: ArrayLike | None = None, cost: ArrayLike | None = None,
    ) -> Floats:  # fmt: skip
        """See `Explorer`."""
        open_ = _able(able, len(arms))
        k = len(arms)
        scale = np.ones(k) if gain is None else np.maximum(np.asarray(gain, np.float64), TINY)
        less = np.zeros(k) if cost is None else np.asarray(cost, np.float64)
        believed = self.beliefs.for_arms(arms)
        mean, sd = believed.moments(context)
        if len(mean) not in (1, len(open_)):
            raise OutOfRange("context", f"{len(mean)} rows", f"{len(open_)} rows, as able", "one context a row")
        row: NDArray[np.intp] = np.arange(len(open_))
        if len(mean) == 1:  # what is the same for everybody is found once for each set of arms that may be
            open_, row = np.unique(open_, axis=0, return_inverse=True)
        found = self._best(believed, (mean, sd), open_, scale, less)
        made: Floats = (1 - self.floor) * found + self.floor * Uniform().chances(arms, open_)
        return made[row.ravel()]

    @abstractmethod
    def _best(
        self, believed: BetaArms | LinearArms, moments: tuple[Floats, Floats], able: Bools, gain: Floats, cost: Floats
    ) -> Floats:
        """(rows, arms) chances before the floor."""


@attrs.frozen(kw_only=True)
class Thompson(_Learner):
    """Each arm with the probability that it is the best under the posterior.

    Attributes
    ----------
    beliefs : BetaArms or LinearArms
    floor : share
        Of choices with equal chances: it keeps the weights of `policy_value` small. The default is none.

    Notes
    -----
    The probability is the integral of F'_k times the product of F_j of all others (Thompson 1933, Biometrika), by the
    trapezoid rule on the quantiles of all arms; posteriors of arms are independent. It is within 0.001 of the integral.
    Choices are drawn by the very numbers, so a logged propensity has no error at all.

    Examples
    --------
    >>> cold = Thompson(beliefs=BetaArms.of(["a", "b"]))
    >>> cold.chances(["a", "b", "new"], [[True, True, True]]).round(3).tolist()
    [[0.333, 0.333, 0.333]]
    """

    def _best(
        self, believed: BetaArms | LinearArms, moments: tuple[Floats, Floats], able: Bools, gain: Floats, cost: Floats
    ) -> Floats:
        z = np.linspace(-REACH, REACH, POINTS)
        out = np.zeros(able.shape)
        for at in range(0, len(able), BLOCK):
            here = slice(at, at + BLOCK)
            mean, sd = (m if len(m) == 1 else m[here] for m in moments)
            own = mean, sd
            values: Floats = believed._points(z, own) * gain - cost
            grid = np.sort(values.reshape(len(values), -1), axis=1)[:, :, None]
            out[here] = best_chances(believed._below((grid + cost) / gain, own), able[here])
        return out


@attrs.frozen(kw_only=True)
class UpperBound(_Learner):
    """The arm whose mean plus some standard deviations is the highest: LinUCB (Li, Chu, Langford, Schapire 2010).

    Attributes
    ----------
    beliefs : BetaArms or LinearArms
    width : standard deviations
        0 is greedy: what looks best now.
    floor : share
        Of choices with equal chances; without any, a log of this explorer cannot value another policy.

    Notes
    -----
    Arms that are equally high share the chance.

    Examples
    --------
    >>> seen = BetaArms.of(["a", "b"]).learn(["a"] * 10, [1, 0] * 5)
    >>> UpperBound(beliefs=seen).chances(["a", "b"], [[True, True]]).tolist()
    [[0.025, 0.975]]
    """

    width: float = attrs.field(default=2.0, validator=between(0, 100, hint="2 is usual, 0 is greedy"))
    floor: float = attrs.field(default=0.05, validator=between(0, 1, hint="0.05 gives one choice in 20 equal chances"))

    def _best(
        self, believed: BetaArms | LinearArms, moments: tuple[Floats, Floats], able: Bools, gain: Floats, cost: Floats
    ) -> Floats:
        mean, sd = moments
        bound = np.where(able, gain * (mean + self.width * sd) - cost, -np.inf)
        best = able & (bound == bound.max(1, keepdims=True, initial=-np.inf))
        return np.asarray(best / np.maximum(best.sum(1, keepdims=True), 1), np.float64)


def best_chances(below: Floats, able: Bools, /) -> Floats:
    """Probability of each arm to be the best of those that may be.

    Parameters
    ----------
    below : (1 or n, points, arms) probability that an arm brings less than each point, the points ascending
    able : (n, arms) truths

    Returns
    -------
    (n, arms) shares
        0 where an arm may not be; rows sum to 1, or to 0 where none may.
    """
    held = np.where(able[:, None], below, 1.0)
    one = np.ones((*held.shape[:2], 1))
    before = np.cumprod(np.concatenate([one, held[:, :, :-1]], 2), axis=2)
    after = np.cumprod(np.concatenate([one, held[:, :, :0:-1]], 2), axis=2)[:, :, ::-1]
    others = before * after
    found = ((others[:, 1:] + others[:, :-1]) / 2 * np.diff(held, axis=1)).sum(1)
    total = found.sum(1, keepdims=True)
    return np.asarray(found / np.where(total > 0, total, 1.0), np.float64)


def drawn(chances: Floats, draws: Floats, /) -> NDArray[np.intp]:
    """(n,) arms, each by the draw of its customer (`draws_of`); -1 where no arm may be.

    Examples
    --------
    >>> drawn(np.array([[0.25, 0.0, 0.75], [0.0, 0.0, 0.0]]), np.array([0.25, 0.5])).tolist()
    [2, -1]
    """
    up = chances.cumsum(1)
    some = chances > 0
    last = chances.shape[1] - 1 - some[:, ::-1].argmax(1)
    found = np.minimum((up <= draws[:, None] * up[:, -1:]).sum(1), last)
    return np.asarray(np.where(some.any(1), found, -1), np.intp)


# --- the door --------------------------------------------------------------------------------------------------------


def _check_arms(arms: tuple[str, ...]) -> None:
    again = tuple(i for i, name in enumerate(arms) if name in arms[:i])
    if again:
        raise DuplicateIds("arms", len(again), again, "give each arm its own name")


def _check_alike(one: Any, other: Any, *names: str) -> None:
    for name in names:
        if getattr(one, name) != getattr(other, name):
            raise OutOfRange(name, getattr(other, name), f"{getattr(one, name)!r}, as the first", "see for_arms")


def _answers(arms: tuple[str, ...], arm: Sequence[str], reward: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
    gain = np.asarray(reward, np.float64)
    if gain.shape != (len(arm),):
        raise OutOfRange("reward", gain.shape, f"({len(arm)},), as arm", "one reward an answer")
    known = {name: k for k, name in enumerate(arms)}
    for name in arm:
        if name not in known:
            raise UnknownName("arm", str(name), arms)
    odd = np.flatnonzero(~np.isfinite(gain))
    if len(odd):
        problem = BadRow("reward", "not a finite number", tuple(odd.tolist()))
        raise BadRows("the answers", (problem,), "0 where nothing came of it; leave out what is not known yet")
    return np.array([known[name] for name in arm], np.intp), gain


def _able(able: ArrayLike, k: int) -> Bools:
    found = np.asarray(able)
    if found.ndim != 2 or found.shape[1] != k or found.dtype != np.bool_:
        raise OutOfRange("able", f"{found.shape} of {found.dtype}", f"(n, {k}) truths", "a column an arm")
    return found
