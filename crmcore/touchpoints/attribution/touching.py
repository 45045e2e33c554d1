"""Rules that share each conversion among the touches before it: first, last, linear, position, decay, and others.

A rule gives every touch a weight; the weights of a path sum to 1, so credit adds up over paths, customers and segments.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.touchpoints.attribution.chain import ORDERS, Walks
from crmcore.touchpoints.attribution.paths import PathCounts

__all__ = [
    "Counterfactual",
    "Decay",
    "Edge",
    "JourneyMarkov",
    "LastNonDirect",
    "Linear",
    "Position",
    "ShapleyShared",
    "normed",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def check_halving(_: object, field: attrs.Attribute[float], value: float) -> None:
    """Refuse half-lives that halve nothing."""
    if not 0 < value < np.inf:
        raise OutOfRange(field.name, value, "above 0", "7 halves the weight each week")


@attrs.frozen(kw_only=True)
class Edge:
    """All credit to the first or to the last touch."""

    end: str = attrs.field(default="last", validator=attrs.validators.in_(("first", "last")))

    @property
    def assumption(self) -> str:
        """What the rule takes for granted."""
        return f"only the {self.end} touch counts"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        made = np.zeros(len(paths.touch))
        made[paths.start[:-1] if self.end == "first" else paths.start[1:] - 1] = 1.0
        return made


@attrs.frozen(kw_only=True)
class LastNonDirect:
    """All credit to the last touch that is not direct traffic; to the last one where all are."""

    direct: str = "direct"
    assumption = "direct visits are caused by earlier touches"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        code = paths.channels.index(self.direct) if self.direct in paths.channels else -1
        place = np.where(paths.touch == code, -1, np.arange(len(paths.touch)))
        found = np.maximum.reduceat(place, paths.start[:-1])
        made = np.zeros(len(paths.touch))
        made[np.where(found >= 0, found, paths.start[1:] - 1)] = 1.0
        return made


@attrs.frozen(kw_only=True)
class Linear:
    """Equal credit to every touch."""

    assumption = "every touch counts alike"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        return np.repeat(1.0 / paths.lengths, paths.lengths)


@attrs.frozen(kw_only=True)
class Position:
    """A share to the first touch, one to the last, the rest equally to those between; two touches share by both."""

    first: float = 0.4
    last: float = 0.4

    def __attrs_post_init__(self) -> None:
        for name in ("first", "last"):
            if not 0 <= getattr(self, name) <= 1:
                raise OutOfRange(name, getattr(self, name), "0 to 1", "0.4 is usual")
        if not 0 < self.first + self.last <= 1:
            raise OutOfRange("first + last", self.first + self.last, "above 0, up to 1", "0.4 and 0.4 leave 0.2")

    @property
    def assumption(self) -> str:
        """What the rule takes for granted."""
        return f"the first touch earns {self.first:.0%} and the last {self.last:.0%} of a conversion"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        length, ends = paths.lengths, self.first + self.last
        inner = np.where(length > 2, (1 - ends) / np.maximum(length - 2, 1), 0.0)
        made = np.repeat(inner, length)
        short = length <= 2
        made[paths.start[:-1]] = np.where(short, self.first / ends, self.first)
        made[paths.start[1:] - 1] = np.where(short, self.last / ends, self.last)
        made[paths.start[:-1][length == 1]] = 1.0
        return normed(made, paths)


@attrs.frozen(kw_only=True)
class Decay:
    """Credit halves with every `half_life_days` before the end of the path, or with every touch where that is None."""

    half_life_days: float | None = attrs.field(default=None, validator=attrs.validators.optional(check_halving))

    @property
    def assumption(self) -> str:
        """What the rule takes for granted."""
        step = "touch" if self.half_life_days is None else f"{self.half_life_days:g} days"
        return f"the weight of a touch halves with every {step} before the end of its path"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        if self.half_life_days is None:
            ago = np.repeat(paths.start[1:] - 1, paths.lengths) - np.arange(len(paths.touch), dtype=np.float64)
        else:
            if paths.days_before is None or np.isnan(paths.days_before).any():
                hint = "read the paths with the time of every touch, or let the weight halve by touch: Decay()"
                raise EmptyInput("days_before", hint)
            ago = paths.days_before / self.half_life_days
        nearest = np.minimum.reduceat(ago, paths.start[:-1])
        return normed(np.exp2(np.repeat(nearest, paths.lengths) - ago), paths)


@attrs.frozen(kw_only=True)
class ShapleyShared:
    """Shapley value of the game "conversions of the paths whose channels are all there".

    Its closed form: every conversion is shared equally by the distinct channels of its path.
    """

    assumption = "a conversion needs every channel of its path, and its channels share it equally"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch; repeated touches of one channel share its part."""
        key = paths.path_of * len(paths.channels) + paths.touch
        _, group, count = np.unique(key, return_inverse=True, return_counts=True)
        return normed(1.0 / count[group], paths)


@attrs.frozen(kw_only=True)
class JourneyMarkov:
    """Removal effects of a Markov chain, shared within each path: every touch earns in proportion to its channel's."""

    order: int = attrs.field(default=1, validator=attrs.validators.in_(ORDERS))

    @property
    def assumption(self) -> str:
        """What the rule takes for granted."""
        return f"the next touch depends on the last {self.order}, and a path pays its own channels by removal effect"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        walks = Walks.of(paths, order=self.order)
        effect = walks.chain(paths.conversions, paths.nulls).removal_effects()
        return normed(effect[paths.touch], paths)


@attrs.frozen(kw_only=True)
class Counterfactual:
    """What each touch adds: conversion rate of the path minus that of the same path without it, as it was seen.

    A path that was never seen converts at rate 0; losses count as 0; where no touch adds, the last one gets all.
    """

    assumption = "a path without one of its touches would have converted as such paths did"

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        return self.weights_beside(paths, *alternatives(paths))

    def weights_beside(self, paths: PathCounts, group: Ints, other: Ints, /) -> Floats:
        """(n,) weight of each touch, where `alternatives` of the paths are known already."""
        n = int(group.max()) + 1
        won = np.bincount(group, paths.conversions, n)
        both = won + np.bincount(group, paths.nulls, n)
        rate = np.append(np.divide(won, both, out=np.zeros(n), where=both > 0), 0.0)  # the last one: never seen
        return normed(np.maximum(rate[group][paths.path_of] - rate[other], 0.0), paths)


def alternatives(paths: PathCounts, /) -> tuple[Ints, Ints]:
    """(m,) distinct path of each row, and (n,) distinct path that is left without each touch; -1 was never seen."""
    group = paths.groups()
    seen = {
        paths.touch[a:b].tobytes(): g
        for a, b, g in zip(paths.start[:-1].tolist(), paths.start[1:].tolist(), group.tolist(), strict=True)
    }
    size = paths.touch.itemsize
    other = []
    for a, b in zip(paths.start[:-1].tolist(), paths.start[1:].tolist(), strict=True):
        text = paths.touch[a:b].tobytes()
        other += [seen.get(text[: i * size] + text[(i + 1) * size :], -1) for i in range(b - a)]
    return group, np.array(other, np.int64)


def normed(weights: Floats, paths: PathCounts) -> Floats:
    """Weights that sum to 1 in each path; all to the last touch where they are 0."""
    total = np.add.reduceat(weights, paths.start[:-1])
    none = total <= 0
    made: Floats = weights / np.repeat(np.where(none, 1.0, total), paths.lengths)
    made[paths.start[1:][none] - 1] = 1.0
    return made
