"""How many topics? As many as two halves of the texts agree on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crmcore.listening.topics.modelling import TopicModel, find_topics
from crmcore.metrics.estimates import Estimate, check_level

__all__ = ["topic_stability"]


def topic_stability(
    texts: Sequence[str | None],
    /,
    *,
    n_topics: Sequence[int] = (5, 10, 15, 20),
    halves: int = 4,
    seed: int | np.random.Generator,
    level: float = 0.95,
) -> dict[int, Estimate]:
    """Agreement of topics found in random halves of the texts, for several numbers of topics.

    Topics of two halves are paired so that their profiles agree most (Hungarian method); agreement is the mean cosine
    of the pairs over the terms that both halves know, 1 = the same topics. Take the largest number before it falls.

    Parameters
    ----------
    texts : (n,) texts
    n_topics : counts
    halves : count
        Of random splits, at least 2.

    Returns
    -------
    Agreement by number of topics, with a t interval over the splits.

    Examples
    --------
    >>> pets = ["cat purrs", "dog barks", "cat and dog", "cat purrs at dog", "dog barks at cat", "cat purrs"]
    >>> cars = ["car brakes", "tyre flat", "car tyre flat", "car brakes", "tyre and car", "flat tyre"]
    >>> found = topic_stability((pets + cars) * 20, n_topics=[2], seed=1)
    >>> 0 < found[2].value <= 1
    True
    """
    from crmcore.metrics.means import mean

    check_level(level)
    rng = np.random.default_rng(seed)
    splits = [np.array_split(rng.permutation(len(texts)), 2) for _ in range(halves)]
    found = dict[int, Estimate]()
    for k in n_topics:
        agreed = [
            _agreement(*(find_topics([texts[i] for i in half.tolist()], n_topics=k) for half in split))
            for split in splits
        ]
        found[k] = mean(agreed, level=level, small_sample_ok=True)
    return found


def _agreement(one: TopicModel, two: TopicModel) -> float:
    from scipy.optimize import linear_sum_assignment

    _, a, b = np.intersect1d(one.terms, two.terms, assume_unique=True, return_indices=True)
    left, right = one.profiles[:, a], two.profiles[:, b]
    length = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)[None, :]
    cosine = left @ right.T / np.maximum(length, 1e-12)
    return float(cosine[linear_sum_assignment(cosine, maximize=True)].mean())
