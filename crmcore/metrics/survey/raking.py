"""Raking: weights that meet the known shares of several traits at once, trimmed where they grow too large."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import NotConverged, OutOfRange
from crmcore.metrics.columns import cells_of
from crmcore.metrics.scalars import above, entries
from crmcore.metrics.survey.weighting import Cells, Margin, SurveyWeights, margin_of, positive_weights

__all__ = ["rake"]

Floats = NDArray[np.float64]


def rake(
    traits: Mapping[str, Cells],
    population: Mapping[str, Mapping[str, float]],
    /,
    *,
    start: ArrayLike | None = None,
    largest: float | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 500,
) -> SurveyWeights:
    """Weights that give every cell of several traits its known share, when their crossing is not known.

    Parameters
    ----------
    traits : mapping of name to (n,) words or codes
        Cell of each respondent in each trait.
    population : mapping of name to mapping
        For each trait, cell to its share or its number of people, above 0.
    start : (n,) numbers, optional
        Weights to begin with, above 0, such as those of the sampling; None begins with equal ones.
    largest : number, optional
        No weight may pass this many times the mean, at least 1: weights are cut and raked again. Cutting costs
        exactness: `off` tells how far the shares then are from their targets.
    tolerance : share
        Largest distance of a weighted share from its target that counts as reached.
    max_iterations : count
        Rounds over all traits.

    Returns
    -------
    SurveyWeights
        Iterative proportional fitting: Deming & Stephan (1940), Annals of Mathematical Statistics 11:427.

    Raises
    ------
    BadRows, EmptyInput, OutOfRange
        As `post_stratify`; traits that the population does not name, or the other way round.
    NotConverged
        The margins contradict each other in this sample; the hint names the trait that is farthest off.

    Examples
    --------
    >>> sex = ["woman"] * 70 + ["man"] * 30
    >>> age = (["young"] * 50 + ["old"] * 20) + (["young"] * 10 + ["old"] * 20)
    >>> half = {"sex": {"woman": 0.5, "man": 0.5}, "age": {"young": 0.5, "old": 0.5}}
    >>> print(rake({"sex": sex, "age": age}, half))
    raked on sex, age: weights 0.691 to 1.73, design effect 1.19, worth 83.8 of 100 respondents
    """
    hint = "name each trait: {'age': ...}"
    traits, population = entries("traits", traits, hint=hint), entries("population", population, hint=hint)
    if set(traits) != set(population) or not traits:
        hint = "name each trait once among the respondents and once in the population"
        raise OutOfRange("traits", tuple(traits), f"those of the population {tuple(population)}", hint)
    if largest is not None:
        largest = above(
            "largest", largest, least=1, allowed="1 or more times the mean weight", hint="5 is a usual bound"
        )
    sizes = {name: len(cells_of(name, c)) for name, c in traits.items()}
    n = next(iter(sizes.values()))
    if n == 0 or len(set(sizes.values())) > 1:
        raise OutOfRange("len of traits", sizes, "one length above 0", "pass every trait of every respondent")
    margins = [margin_of(name, cells, population[name], n=n) for name, cells in traits.items()]
    weights = np.ones(n) if start is None else positive_weights(start)
    if len(weights) != n:
        raise OutOfRange("len(start)", len(weights), f"{n}, one a respondent", "pass one weight a respondent")
    weights, rounds = _raked(weights / weights.mean(), margins, tolerance=tolerance, rounds=max_iterations)
    cut = 0
    if largest is not None:
        weights, cut = _trimmed(weights, margins, largest=largest, rounds=max_iterations)
    off = max(_off(weights, m) for m in margins)
    method = f"raked on {', '.join(traits)}"
    return SurveyWeights(weights=weights, method=method, iterations=rounds, off=off if cut else 0.0, trimmed=cut)


def _off(weights: Floats, margin: Margin) -> float:
    return float(np.abs(margin.shares(weights) - margin.target).max())


def _round(weights: Floats, margins: list[Margin]) -> Floats:
    for margin in margins:
        weights = weights * (margin.target / margin.shares(weights))[margin.codes]
    level: Floats = weights / weights.mean()
    return level


def _raked(weights: Floats, margins: list[Margin], *, tolerance: float, rounds: int) -> tuple[Floats, int]:
    off = np.inf
    for done in range(1, rounds + 1):
        weights = _round(weights, margins)
        off = max(_off(weights, m) for m in margins)
        if off <= tolerance and np.isfinite(weights).all():
            return weights, done
    worst = max(margins, key=lambda m: _off(weights, m))
    at = int(np.abs(worst.shares(weights) - worst.target).argmax())
    hint = (
        f"{worst.names[at]!r} of {worst.trait!r} is {100 * _off(weights, worst):.2g} points off its share: the traits "
        "allow no such weights in this sample; merge small cells, or drop a trait"
    )
    raise NotConverged("raking", rounds, off, hint)


def _trimmed(weights: Floats, margins: list[Margin], *, largest: float, rounds: int) -> tuple[Floats, int]:
    """Cut, rake, cut again until the weights rest; the cut comes last, so the bound holds exactly."""
    for _ in range(rounds):
        before = weights
        weights = _cut(_round(weights, margins), largest)
        if np.abs(weights - before).max() < 1e-9:
            break
    return weights, int((weights >= largest * (1 - 1e-9)).sum())


def _cut(weights: Floats, largest: float) -> Floats:
    """Weights with mean 1, none above `largest`; what is cut off is shared out among the others in proportion."""
    weights = weights / weights.mean()
    over = np.zeros(len(weights), bool)
    while (weights > largest * (1 + 1e-12)).any():
        over |= weights > largest
        left = len(weights) - largest * over.sum()
        weights = np.where(over, largest, weights * (left / weights[~over].sum()))
    return weights
