"""Brands with known opinions and a classifier with known faults, to see whether corrections keep their promise."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between

__all__ = ["SimulatedBrands", "simulated_brands"]

Floats = NDArray[np.float64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SimulatedBrands:
    """Posts of several brands: score, true polarity and brand of each."""

    score: Floats  # (n,) in [-1, 1]
    truth: Floats  # (n,) -1, 0, 1
    brand: tuple[str, ...]

    def __repr__(self) -> str:
        return f"SimulatedBrands({len(self.brand)} posts, {len(set(self.brand))} brands)"


@attrs.frozen
class _Faults:
    error: float = attrs.field(validator=between(0, 1, hint="an error is in net sentiment"))
    transfer: float = attrs.field(validator=between(0, 1, hint="0: scores calibrated; 1: by opinion alone"))


def simulated_brands(
    *,
    brands: int | None = None,
    posts: int = 8000,
    error: float = 0.1,
    transfer: float = 1.0,
    offset: float = 0.2,
    seed: int | np.random.Generator,
) -> SimulatedBrands:
    """Draw brands that differ in size and opinions, and scores of a classifier that errs.

    Parameters
    ----------
    brands : count, optional
        None draws 3 to 12.
    posts : count
    error : number
        Standard deviation between brands of an error of the mean score that no opinion explains.
    transfer : share
        Part of the posts whose score depends on the opinion alone (brands differ in opinions); of the others the
        opinion is drawn given the score, the same way in every brand (brands differ in how their authors write).
    offset : number
        Error of the mean score that all brands share.
    seed : int or generator

    Examples
    --------
    >>> simulated_brands(brands=3, posts=500, seed=1)
    SimulatedBrands(500 posts, 3 brands)
    """
    faults = _Faults(error, transfer)
    rng = np.random.default_rng(seed)
    k = int(rng.integers(3, 13)) if brands is None else brands
    sizes = rng.dirichlet(np.full(k, 3.0)) + 0.02
    code = rng.choice(k, posts, p=sizes / sizes.sum())
    code[:k] = np.arange(k)  # no brand without posts
    shares = rng.dirichlet([3.0, 2.0, 1.5], k)
    off = offset + rng.normal(0.0, faults.error, k)[code]
    truth = _drawn(rng, shares[code])
    # by opinion: what authors write depends on what they think
    score = np.tanh(0.5 * (truth + rng.normal(0.0, 1.0, posts)))
    # by score: what they think depends on what they write, which differs between brands
    written = np.clip(rng.normal(0.0, 0.4, posts) + 0.5 * (shares @ [-1.0, 0.0, 1.0])[code], -0.9, 0.9)
    turned = rng.random(posts) >= faults.transfer
    extreme = np.maximum(np.abs(written), 0.5)
    chances = np.stack([(extreme - written) / 2, 1 - extreme, (extreme + written) / 2], axis=1)
    truth = np.where(turned, _drawn(rng, chances), truth)
    score = np.clip(np.where(turned, written, score) + off, -1.0, 1.0)
    return SimulatedBrands(score=score, truth=truth, brand=tuple(f"brand {c:02d}" for c in code))


def _drawn(rng: np.random.Generator, chances: Floats) -> Floats:
    """(n,) polarities -1, 0, 1 drawn from (n, 3) probabilities."""
    u = rng.random(len(chances))[:, None]
    drawn: Floats = (u > chances.cumsum(axis=1)[:, :2]).sum(axis=1) - 1.0
    return drawn
