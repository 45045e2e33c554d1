"""Coalition games over channels, and their Shapley values by transforms over all subsets."""

from __future__ import annotations

import math
from typing import TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.touchpoints.attribution.paths import PathCounts

__all__ = ["Coalitions", "ShapleyRate"]

Floats = NDArray[np.float64]
T = TypeVar("T", np.float64, np.int64)
MOST = 20  # channels: 2 ** 20 subsets


@attrs.frozen(kw_only=True, eq=False)
class Coalitions:
    """Worth of every subset of channels; bit c of the position says whether channel c is in.

    Examples
    --------
    >>> game = Coalitions(worth=np.array([0.0, 1.0, 2.0, 4.0]))
    >>> game.shapley().tolist(), game.monotone
    ([1.5, 2.5], True)
    """

    worth: Floats

    @classmethod
    def of_rates(cls, paths: PathCounts, /) -> Coalitions:
        """Worth of a subset: conversion rate of the journeys whose channels all lie in it; 0 where there are none."""
        c = len(paths.channels)
        if c > MOST:
            hint = "merge rare channels, or take the model 'shapley': its closed form has no such limit"
            raise OutOfRange("channels", c, f"at most {MOST}", hint)
        mask = np.bitwise_or.reduceat(1 << paths.touch.astype(np.int64), paths.start[:-1])
        won = subset_sums(np.bincount(mask, paths.conversions, 1 << c).astype(np.float64))
        all_ = subset_sums(np.bincount(mask, paths.conversions + paths.nulls, 1 << c).astype(np.float64))
        return cls(worth=np.divide(won, all_, out=np.zeros(1 << c), where=all_ > 0))

    @property
    def channels(self) -> int:
        """Number of players."""
        return len(self.worth).bit_length() - 1

    @property
    def monotone(self) -> bool:
        """Whether nobody's joining ever lowers the worth; if not, a Shapley value may be negative."""
        c = self.channels
        return all(bool((v[:, 1] >= v[:, 0] - 1e-12).all()) for v in (_split(self.worth, p) for p in range(c)))

    def shapley(self) -> Floats:
        """(channels,) mean gain of each player's joining, over all orders of joining (Shapley 1953)."""
        c = self.channels
        size = np.array([0], np.int64)
        for _ in range(c):
            size = np.concatenate([size, size + 1])
        weight = np.array([1.0 / (c * math.comb(c - 1, k)) for k in range(c)])
        made = np.empty(c)
        for player in range(c):
            gain = _split(self.worth, player)
            before = _split(size, player)[:, 0]
            made[player] = float((weight[before] * (gain[:, 1] - gain[:, 0])).sum())
        return made


def subset_sums(values: Floats, /) -> Floats:
    """Sum over all subsets of each subset (zeta transform), in C 2^C additions."""
    made = values.copy()
    for player in range(len(made).bit_length() - 1):
        view = _split(made, player)
        view[:, 1] += view[:, 0]
    return made


def _split(values: NDArray[T], player: int) -> NDArray[T]:
    """View (high, 2, low): without and with a player."""
    return values.reshape(-1, 2, 1 << player)


@attrs.frozen(kw_only=True)
class ShapleyRate:
    """Shapley value of the game "conversion rate of the journeys whose channels are all there", at most 20 channels."""

    def shares(self, paths: PathCounts, /) -> Floats:
        """(C,) shares of all conversions; they sum to 1 and may be negative, see `assumptions`."""
        value = Coalitions.of_rates(paths).shapley()
        total = value.sum()
        return value / total if total > 0 else np.full(len(value), 1.0 / len(value))

    def assumptions(self, paths: PathCounts, /) -> tuple[str, ...]:
        """What the model takes for granted on these paths."""
        told = ("a set of channels is worth the conversion rate of journeys that touched no other",)
        if Coalitions.of_rates(paths).monotone:
            return told
        return (*told, "the game is not monotone: some channels lower the rate of others, so credit may be negative")
