"""Credit under resampled counts: journeys are drawn again, with their path and their end, as often as there were."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.touchpoints.attribution.chain import Walks
from crmcore.touchpoints.attribution.models import Markov, Model, ShareModel, TouchRule, to_shares
from crmcore.touchpoints.attribution.paths import PathCounts
from crmcore.touchpoints.attribution.touching import Counterfactual, JourneyMarkov, alternatives, normed

__all__ = ["credit", "redrawn", "touch_weights"]

Floats = NDArray[np.float64]


def credit(
    model: Model, paths: PathCounts, amounts: Sequence[Floats], /, *, lift: Floats | None = None
) -> list[Floats]:
    """(C,) amounts of paths as they fall to channels; `lift` multiplies what a touch or channel counts."""
    if isinstance(model, ShareModel):
        shares = model.shares(paths)
        shares = shares if lift is None else to_shares(shares * lift)
        return [shares * a.sum() for a in amounts]
    weights, path, c = touch_weights(model, paths, lift), paths.path_of, len(paths.channels)
    return [np.asarray(np.bincount(paths.touch, weights * a[path], c), np.float64) for a in amounts]


def touch_weights(model: TouchRule, paths: PathCounts, lift: Floats | None, /) -> Floats:
    """(n,) weights of a rule, each multiplied by what its channel counts, that sum to 1 in each path."""
    weights = model.weights(paths)
    return weights if lift is None else normed(weights * lift[paths.touch], paths)


def redrawn(
    model: Model, paths: PathCounts, /, *, n: int, rng: np.random.Generator, lift: Floats | None = None,
    progress: Progress | bool = False,
) -> tuple[Floats, Floats]:  # fmt: skip
    """(n, C) conversions and (n, C) value of each channel under n multinomial redraws of the journeys."""
    tell, m = reporter(progress), len(paths)
    cells = np.concatenate([paths.conversions, paths.nulls])
    size = round(cells.sum())
    each = np.divide(paths.value, paths.conversions, out=np.zeros(m), where=paths.conversions > 0)
    at = _by_counts(model, paths, lift)
    made = np.zeros((2, n, len(paths.channels)))
    for i in range(n):
        drawn = rng.multinomial(size, cells / cells.sum()).astype(np.float64)
        won, lost = drawn[:m], drawn[m:]
        if won.any():
            made[:, i] = at(won, lost, each * won)
        tell("intervals", i + 1, n)
    return made[0], made[1]


def _by_counts(
    model: Model, paths: PathCounts, lift: Floats | None
) -> Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]:
    """Credit as a function of the counts; what does not depend on them is computed once."""
    from scipy.sparse import csr_array

    if isinstance(model, Markov):
        walks = Walks.of(paths, order=model.order)

        def by_chain(won: Floats, lost: Floats, value: Floats) -> tuple[Floats, Floats]:
            shares = to_shares(walks.chain(won, lost).removal_effects() * (1.0 if lift is None else lift))
            return shares * won.sum(), shares * value.sum()

        return by_chain
    if isinstance(model, Counterfactual):
        beside, counterfactual = alternatives(paths), model

        def by_rates(won: Floats, lost: Floats, value: Floats) -> tuple[Floats, Floats]:
            again = attrs.evolve(paths, conversions=won, nulls=lost, value=value)
            weights = counterfactual.weights_beside(again, *beside)
            if lift is not None:
                weights = normed(weights * lift[paths.touch], paths)
            share = csr_array((weights, (paths.touch, paths.path_of)), shape=(len(paths.channels), len(paths)))
            return np.asarray(share @ won), np.asarray(share @ value)

        return by_rates
    if isinstance(model, ShareModel | JourneyMarkov) or not _fixed(model):

        def anew(won: Floats, lost: Floats, value: Floats) -> tuple[Floats, Floats]:
            again = attrs.evolve(paths, conversions=won, nulls=lost, value=value)
            made = credit(model, again, (won, value), lift=lift)
            return made[0], made[1]

        return anew
    weights = touch_weights(model, paths, lift)
    share = csr_array((weights, (paths.touch, paths.path_of)), shape=(len(paths.channels), len(paths)))

    def by_share(won: Floats, lost: Floats, value: Floats) -> tuple[Floats, Floats]:
        return np.asarray(share @ won), np.asarray(share @ value)

    return by_share


def _fixed(model: Model) -> bool:
    """Whether the weights of a rule depend on the paths alone: true of the house's own."""
    return type(model).__module__.startswith("crmcore.")
