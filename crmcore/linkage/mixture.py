"""The model of pairs: why two records agree, as structured latent classes, fitted by EM without labels.

A pair of records belongs to one class: the same person (M1), the same person who moved (M2), members of one household
(H_house), people of one place (H_place), namesakes (H_name), or unrelated (U). Levels are independent given the class,
and each class may explain only the fields that its reason touches: all other fields are pinned to u, the distribution
among unrelated pairs. This is what keeps a family with one telephone, street and surname apart.

With L_c = prod_f theta_c[f, level_f] / u[f, level_f] (1 where a side is missing),

    log-odds = log sum_{c in M} pi_c L_c  -  log(sum_{c in H} pi_c L_c + pi_U)

After Fellegi & Sunter (1969), Winkler (1988, EM), with latent classes as in Larsen & Rubin (2001).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.compare import SWAPPED
from crmcore.linkage.fields import DEFINITIONS, Kind

__all__ = ["PairClass", "Weights", "fit_em", "start"]

Floats = NDArray[np.float64]
Levels = NDArray[np.int8]

WIDTH = 8  # levels 0..7
PSEUDO_PAIRS = 50.0
# Pseudo-pairs of each class, and of unrelated people: they speak where a handful of records does not.
FEW_PAIRS = np.array([0.5, 0.15, 0.3, 0.2, 0.3])
UNRELATED_PAIRS = 6.0
FEW_RECORDS = 2_000.0  # up to here families keep to what is typical of them, or one person drifts to explain them
RATES = np.array([0.15, 0.05, 0.5 / 3, 0.5 / 3, 0.5 / 3])  # pairs a record of each class, before any is seen


class PairClass(enum.StrEnum):
    """Why two records are alike."""

    SAME = "same person"
    MOVED = "same person, moved"
    HOUSEHOLD = "household"
    PLACE = "same place"
    NAMESAKE = "namesakes"


CLASSES = tuple(PairClass)
SAME_PERSON = np.array([True, True, False, False, False])
# Classes that a random pair (one that no block brought together) may belong to.
BACKGROUND = np.array([False, False, False, True, True])


@attrs.frozen(eq=False)
class Weights:
    """Parameters of the mixture: distributions of levels in each class and among unrelated pairs, and class shares.

    Attributes
    ----------
    kinds : (f,) kind of each field
    n_levels : (f,) levels of each field
    u : (f, 8) share of each level among unrelated pairs; column 0 (missing) is 1
    theta : (5, f, 8) the same within each class; column 0 is 1
    pi : (5,) share of each class among all pairs of records
    """

    kinds: tuple[Kind, ...]
    n_levels: tuple[int, ...]
    u: Floats
    theta: Floats
    pi: Floats

    @property
    def log_ratio(self) -> Floats:
        """(5, f, 8) log(theta / u): what a level says for a class against chance."""
        return np.log(self.theta) - np.log(self.u)


def free_fields(kinds: Sequence[Kind]) -> NDArray[np.bool_]:
    """(5, f) whether a class has its own distribution of a field (else it is pinned to u)."""
    house = [DEFINITIONS[k].household for k in kinds]
    place = [DEFINITIONS[k].place for k in kinds]
    name = [DEFINITIONS[k].namesake for k in kinds]
    every = [True] * len(kinds)
    return np.array([every, every, house, place, name])


def start(kinds: Sequence[Kind], n_levels: Sequence[int], u: Floats, *, n_records: int) -> Weights:
    """Parameters before any pair is seen."""
    n_fields = len(kinds)
    typical = np.ones((n_fields, WIDTH))
    for f, (kind, k) in enumerate(zip(kinds, n_levels, strict=True)):
        typical[f, 1:] = 1e-9
        typical[f, 1 : k + 1] = DEFINITIONS[kind].typical(k)
    theta = np.empty((len(CLASSES), n_fields, WIDTH))
    contact = np.array([DEFINITIONS[k].contact for k in kinds])
    theta[0] = typical
    theta[1] = np.where(contact[:, None], 0.3 * typical + 0.7 * u, typical)
    free = free_fields(kinds)
    for c, share in ((2, 0.6), (3, 0.2), (4, 0.6)):
        theta[c] = np.where(free[c][:, None], share * typical + (1 - share) * u, u)
    for f, kind in enumerate(kinds):
        if kind is Kind.EMAIL:  # local parts repeat names: alike, rarely the same
            theta[4, f, 1:6] = np.array([0.001, 0.01, 0.09, 0.4, 0.5]) / 1.001
    all_pairs = n_records * (n_records - 1) / 2
    pi = RATES * n_records / max(all_pairs, 1.0)
    return Weights(tuple(kinds), tuple(n_levels), u, theta, np.minimum(pi, 0.1))


def names_agree(kinds: Sequence[Kind], levels: Levels) -> NDArray[np.bool_]:
    """(m,) whether given name and surname are alike, in either order (False where one is unknown)."""
    if Kind.GIVEN_NAME not in kinds or Kind.SURNAME not in kinds:
        return np.zeros(len(levels), np.bool_)
    given, surname = levels[:, kinds.index(Kind.GIVEN_NAME)], levels[:, kinds.index(Kind.SURNAME)]
    return np.asarray(((given > 0) & (given <= 4) & (surname > 0) & (surname <= 4)) | (given == SWAPPED))


def class_scores(weights: Weights, levels: Levels, rarity: Floats) -> Floats:
    """(m, 5) log pi_c L_c of each pair; `rarity` (m, 5) is the evidence of rare or common values.

    An e-mail address made from the name says the name again: between people who bear one name, whatever else they
    share, its levels follow the distribution of namesakes.
    """
    ratio = weights.log_ratio
    out = np.log(weights.pi)[None, :] + rarity
    named = names_agree(weights.kinds, levels)[:, None]
    for f, kind in enumerate(weights.kinds):
        says = ratio[:, f, :].T[levels[:, f]]
        if kind is Kind.EMAIL:
            says[:, 2:4] = np.where(named, says[:, 4:5], says[:, 2:4])
        out += says
    return out


def log_odds(weights: Weights, levels: Levels, rarity: Floats) -> Floats:
    """(m,) log-odds that the two records are one person."""
    scores = class_scores(weights, levels, rarity)
    unrelated = np.log1p(-weights.pi.sum())
    same = np.logaddexp(scores[:, 0], scores[:, 1])
    other = np.logaddexp(np.logaddexp(scores[:, 2], scores[:, 3]), np.logaddexp(scores[:, 4], unrelated))
    return np.asarray(same - other)


def fit_em(
    begin: Weights,
    levels: Levels,
    rarity: Floats,
    weight: Floats,
    background: NDArray[np.bool_],
    *,
    n_records: int,
    iterations: int = 40,
    tolerance: float = 1e-4,
) -> tuple[Weights, int]:
    """Fit class shares and level distributions by EM, u fixed.

    Parameters
    ----------
    begin : parameters to start from
    levels, rarity : (m, f) and (m, 5), the pairs
    weight : (m,) how many pairs of records each stands for
    background : (m,) pairs drawn at random: they may be of one place or namesakes, never the same person or a household
    n_records : records in all; shares are among all their pairs

    Returns
    -------
    parameters, steps taken
    """
    if not len(levels):  # a single record has no pairs
        return begin, 0
    all_pairs = n_records * (n_records - 1) / 2
    pattern, group, size = _group(levels, rarity, weight, background)
    free = free_fields(begin.kinds)
    tied = np.array([not DEFINITIONS[k].contact for k in begin.kinds])
    prior = PSEUDO_PAIRS * begin.theta[0]
    typical = FEW_RECORDS / (FEW_RECORDS + n_records)  # how much the other reasons rest on what is typical of them
    weights = begin
    named = names_agree(begin.kinds, pattern)
    blocked = np.where(group.background[:, None] & ~BACKGROUND[None, :], -np.inf, 0.0)
    step = 0
    while step < iterations:
        step += 1
        scores = class_scores(weights, pattern, group.rarity) + blocked
        top = np.maximum(scores.max(axis=1), 0.0)
        share = np.exp(scores - top[:, None])
        share *= (size / (share.sum(axis=1) + (1 - weights.pi.sum()) * np.exp(-top)))[:, None]
        pi = np.clip((share.sum(axis=0) + FEW_PAIRS) / (all_pairs + FEW_PAIRS.sum() + UNRELATED_PAIRS), 1e-15, 0.2)
        theta = weights.theta.copy()
        counts = np.stack(
            [
                np.stack(
                    [np.bincount(pattern[:, f], weights=share[:, c], minlength=WIDTH) for f in range(pattern.shape[1])]
                )
                for c in range(len(CLASSES))
            ]
        )
        for f, k in enumerate(weights.n_levels):
            if weights.kinds[f] is Kind.EMAIL:
                said_again = [np.bincount(pattern[:, f], weights=share[:, c] * named, minlength=WIDTH) for c in (2, 3)]
                counts[2, f] -= said_again[0]
                counts[3, f] -= said_again[1]
                counts[4, f] += said_again[0] + said_again[1]
            span = slice(1, k + 1)
            m1, m2 = counts[0, f, span], counts[1, f, span]
            if tied[f]:
                m1 = m2 = m1 + m2
            moved_prior = prior[f, span] if tied[f] else PSEUDO_PAIRS * begin.theta[1, f, span]
            theta[0, f, span] = (m1 + prior[f, span]) / (m1.sum() + PSEUDO_PAIRS)
            theta[1, f, span] = (m2 + moved_prior) / (m2.sum() + PSEUDO_PAIRS)
            for c in (2, 3, 4):
                if free[c, f]:
                    held = counts[c, f, span] + PSEUDO_PAIRS * (
                        (1 - typical) * weights.u[f, span] + typical * begin.theta[c, f, span]
                    )
                    theta[c, f, span] = held / held.sum()
        change = float(np.abs(np.log(pi / weights.pi)).max())
        weights = attrs.evolve(weights, theta=theta, pi=pi)
        if change < tolerance:
            break
    return weights, step


@attrs.frozen(eq=False)
class _Groups:
    rarity: Floats
    background: NDArray[np.bool_]


def _group(
    levels: Levels, rarity: Floats, weight: Floats, background: NDArray[np.bool_]
) -> tuple[Levels, _Groups, Floats]:
    """Pairs alike in levels and (to a quarter of a nat) in rarity, as one: EM then costs patterns, not pairs."""
    key = background.astype(np.int64)
    for f in range(levels.shape[1]):
        key = key * WIDTH + levels[:, f]
    steps = np.rint(rarity[:, [0, 2, 3]] * 4).astype(np.int64)
    mixed = (key.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (
        (steps[:, 0] * 1_000_003 + steps[:, 1] * 10_007 + steps[:, 2]).astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    )
    order = np.argsort(mixed)
    ranked = mixed[order]
    begin = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    first = order[begin]
    total = np.add.reduceat(weight[order], begin)
    mean = np.add.reduceat(rarity[order] * weight[order][:, None], begin, axis=0) / total[:, None]
    return levels[first], _Groups(mean, background[first]), total
