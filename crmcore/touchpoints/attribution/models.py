"""Attribution models by name, what a model must be able to do, and the classic Markov model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, UnknownName, WrongType
from crmcore.touchpoints.attribution.chain import ORDERS, Chain, Walks
from crmcore.touchpoints.attribution.games import ShapleyRate
from crmcore.touchpoints.attribution.paths import PathCounts
from crmcore.touchpoints.attribution.touching import (
    Counterfactual,
    Decay,
    Edge,
    JourneyMarkov,
    LastNonDirect,
    Linear,
    Position,
    ShapleyShared,
)

__all__ = ["MODELS", "Markov", "Model", "ShareModel", "TouchRule", "model_of"]

Floats = NDArray[np.float64]


@runtime_checkable
class TouchRule(Protocol):
    """Shares each path among its touches: credit adds up over paths, customers and segments.

    `weights` returns (n,) numbers that sum to 1 within each path; `assumption` says what they take for granted.
    """

    @property
    def assumption(self) -> str:
        """What the rule takes for granted."""
        ...

    def weights(self, paths: PathCounts, /) -> Floats:
        """(n,) weight of each touch."""
        ...


@runtime_checkable
class ShareModel(Protocol):
    """Shares the sum of all conversions among channels; there is no credit of a single path.

    `shares` returns (C,) numbers that sum to 1; `assumptions` says what they take for granted.
    """

    def shares(self, paths: PathCounts, /) -> Floats:
        """(C,) share of each channel."""
        ...

    def assumptions(self, paths: PathCounts, /) -> tuple[str, ...]:
        """What the model takes for granted on these paths."""
        ...


Model = TouchRule | ShareModel


@attrs.frozen(kw_only=True)
class Markov:
    """Removal effects of a Markov chain of order k, exact; credit of all conversions goes by their shares.

    Examples
    --------
    >>> paths = PathCounts.of(["search > e-mail", "search"], conversions=[3, 1], nulls=[5, 9])
    >>> {c: round(float(s), 3) for c, s in zip(paths.channels, Markov().shares(paths))}
    {'search': 0.571, 'e-mail': 0.429}
    """

    order: int = attrs.field(default=1, validator=attrs.validators.in_(ORDERS))

    def shares(self, paths: PathCounts, /) -> Floats:
        """(C,) share of each channel."""
        return to_shares(self.effects(paths))

    def effects(self, paths: PathCounts, /) -> Floats:
        """(C,) share of conversions lost without each channel; they do not sum to 1."""
        return Walks.of(paths, order=self.order).chain(paths.conversions, paths.nulls).removal_effects()

    def assumptions(self, paths: PathCounts, /) -> tuple[str, ...]:
        """What the model takes for granted on these paths."""
        told = [f"the next touch depends on the last {self.order} only, and journeys without a channel end without it"]
        if not paths.nulls.any():
            told.append("no journey without conversion was read: the chain cannot see what fails")
        return tuple(told)

    def lost(self, paths: PathCounts, /, *, without: Sequence[str]) -> float:
        """Share of conversions lost when several channels are removed together.

        At most the sum of their single effects, and often less: journeys that use both are lost once.

        Examples
        --------
        >>> paths = PathCounts.of(["search > e-mail", "search"], conversions=[3, 1], nulls=[5, 9])
        >>> Markov().lost(paths, without=["search", "e-mail"])
        1.0
        """
        if not without:
            raise EmptyInput("without", "name at least one channel")
        odd = [c for c in without if c not in paths.channels]
        if odd:
            raise UnknownName("channel", odd[0], paths.channels)
        walks = Walks.of(paths, order=self.order)
        chain = walks.chain(paths.conversions, paths.nulls)
        gone = walks.holds[:, [paths.channels.index(c) for c in without]].sum(axis=1) > 0
        return _lost(chain, gone)

    def lost_in_turn(self, paths: PathCounts, /, *, first: str, then: str) -> float:
        """Share of conversions lost when `then` may not follow `first` any more: the effect of a sequence.

        At order 1 only the step from one to the other is closed; at order k also with up to k - 2 touches between.
        """
        for name in (first, then):
            if name not in paths.channels:
                raise UnknownName("channel", name, paths.channels)
        a, b = paths.channels.index(first), paths.channels.index(then)
        walks = Walks.of(paths, order=max(self.order, 2))
        chain = walks.chain(paths.conversions, paths.nulls)
        seen = np.zeros(walks.states, np.bool_)
        turn = np.zeros(walks.states, np.bool_)
        for column in walks.windows.T:
            turn |= seen & (column == b)
            seen |= column == a
        return _lost(chain, turn)


def _lost(chain: Chain, closed: NDArray[np.bool_]) -> float:
    """Share of conversions lost when some states may not be entered."""
    return float(1.0 - chain.reached(~closed[:, None])[0] / chain.conversion) if chain.conversion > 0 else 0.0


def to_shares(effects: Floats, /) -> Floats:
    """Numbers that sum to 1 along the last axis; equal ones where all are 0."""
    total = effects.sum(axis=-1, keepdims=True)
    even = np.full(effects.shape, 1.0 / effects.shape[-1])
    return np.asarray(np.divide(effects, total, out=even, where=total > 0))


MODELS: Mapping[str, Callable[[], Model]] = MappingProxyType(
    {
        "first": lambda: Edge(end="first"),
        "last": Edge,
        "last non-direct": LastNonDirect,
        "linear": Linear,
        "position": Position,
        "decay": Decay,
        "shapley": ShapleyShared,
        "shapley rate": ShapleyRate,
        "markov": Markov,
        "markov 2": lambda: Markov(order=2),
        "markov 3": lambda: Markov(order=3),
        "markov 4": lambda: Markov(order=4),
        "markov per journey": JourneyMarkov,
        "counterfactual": Counterfactual,
    }
)
"""Models by name, each with its usual settings."""


def model_of(model: str | Model, /) -> tuple[str, Model]:
    """Name and object of a model: a name of `MODELS`, of an installed plug-in (`crmcore.attribution`), or an object."""
    if isinstance(model, str):
        if model in MODELS:
            return model, MODELS[model]()
        from crmcore.plugins import PluginKind, names, resolve

        if model not in names(PluginKind.ATTRIBUTION):
            raise UnknownName("attribution model", model, (*MODELS, *names(PluginKind.ATTRIBUTION)))
        return model, _checked(resolve(PluginKind.ATTRIBUTION, model))
    return _called(model), _checked(model)


def _checked(model: object) -> Model:
    if isinstance(model, type) or not isinstance(model, TouchRule | ShareModel):
        hint = "implement TouchRule (weights of touches) or ShareModel (shares of channels)"
        raise WrongType("model", f"a {type(model).__name__}", f"a name of {list(MODELS)}, or a model", hint)
    return model


def _called(model: object) -> str:
    for name, make in MODELS.items():
        if make() == model:
            return name
    return repr(model) if attrs.has(type(model)) else type(model).__name__
