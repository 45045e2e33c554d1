"""Predictors: what may be fitted on the past alone, and one that turns any recipe into such a predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.idic.differentiate.propensity.crossing import ProbabilityModel, Recipe
from crmcore.idic.differentiate.propensity.features import Features, read_features
from crmcore.idic.differentiate.propensity.logistic import Logistic
from crmcore.idic.differentiate.propensity.past import Past
from crmcore.idic.differentiate.propensity.targets import Acts, Target, check_horizon, labels
from crmcore.metrics.columns import moment
from crmcore.tables import EventTable, OrderTable, TextColumn

__all__ = ["ActivityFacts", "FactsPredictor", "FittedPredictor", "Predictor"]

Floats = NDArray[np.float64]
T = TypeVar("T", OrderTable, EventTable)


class FittedPredictor(Protocol[T]):
    """What a predictor is fitted into."""

    def predict(self, past: Past[T], /) -> Floats:
        """(n,) probabilities in [0, 1], one a customer of `past.customers`, for the horizon it was fitted for."""
        ...


class Predictor(Protocol[T]):
    """A way to learn from what was known at an instant.

    `fit` sees one `Past` and nothing else; outcomes of the horizon are learnt from earlier pasts, `past.before(...)`.
    It is deterministic: the same past gives the same predictor.
    """

    def fit(self, past: Past[T], /, *, horizon_days: float) -> FittedPredictor[T]:
        """Learn to predict the `horizon_days` after `past.at`."""
        ...


@attrs.frozen(kw_only=True)
class ActivityFacts:
    """Facts about every customer of a past: how long known, how recently active, how often, how much.

    Parameters
    ----------
    windows_days : days
        Windows in which rows and money are counted.
    kinds : texts
        Kinds of events that are counted on their own.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.idic.differentiate.propensity.past import cut
    >>> orders = OrderTable.from_frame(
    ...     {"customer": ["a", "a"], "time": ["2026-01-01", "2026-01-11"], "amount": [5, 7]}, currency="EUR", zone="UTC"
    ... )
    >>> facts = ActivityFacts(windows_days=(30,))(cut(orders, at=datetime(2026, 1, 31, tzinfo=UTC)))
    >>> {name: column.tolist() for name, column in facts.items()}
    {'known_days': [30.0], 'silent_days': [20.0], 'rows': [2.0], 'rows 30 d': [1.0], 'money 30 d': [700.0]}
    """

    windows_days: tuple[float, ...] = (30, 90, 365)
    kinds: tuple[str, ...] = ()

    def __call__(self, past: Past[T], /) -> dict[str, Floats]:
        """(n,) columns by name; money in minor units."""
        table, n = past.table, len(past.customers)
        use = table.customer >= 0
        who, ago = table.customer[use], past.days_since(table.time[use])
        money = table.amount_minor[use].astype(np.float64)
        if isinstance(table, EventTable):
            money = np.where(table.has_amount[use], money, 0.0)
        first, last = np.full(n, -np.inf), np.full(n, np.inf)
        np.maximum.at(first, who, ago)
        np.minimum.at(last, who, ago)
        made = {"known_days": first, "silent_days": last, "rows": np.bincount(who, minlength=n).astype(np.float64)}
        for days in self.windows_days:
            near = ago < days
            made[f"rows {days:g} d"] = np.bincount(who[near], minlength=n).astype(np.float64)
            made[f"money {days:g} d"] = np.bincount(who[near], weights=money[near], minlength=n)
        if not isinstance(table, EventTable):
            return made
        for kind in self.kinds:
            this = table.kind.equals(kind)[use]
            made[f"rows {kind}"] = np.bincount(who[this], minlength=n).astype(np.float64)
        return made


@attrs.frozen(kw_only=True)
class FactsPredictor(Generic[T]):
    """A predictor made of facts, a target and a recipe.

    It learns from several earlier instants: the last one lies one horizon before the past's own, so that its outcome
    is known by then; the others lie `every_days` apart before that.

    Parameters
    ----------
    facts
        Facts about the customers of a past, one column a fact, one row a customer of `past.customers`.
    target : Target
        What is predicted.
    recipe : Recipe
        How; `Logistic` or `Booster`.
    looks : count
        Most instants to learn from.
    every_days : days, optional
        Between them; None is the horizon, so that outcomes do not overlap.
    """

    facts: Callable[[Past[T]], Any] = ActivityFacts()
    target: Target = attrs.field(factory=Acts)
    recipe: Recipe = attrs.field(factory=Logistic)
    looks: int = 4
    every_days: float | None = None

    def fit(self, past: Past[T], /, *, horizon_days: float) -> FactsModel[T]:
        """Learn to predict the `horizon_days` after `past.at`.

        Raises
        ------
        EmptyInput
            The past is shorter than one horizon, or nobody was eligible.
        OutOfRange
            All outcomes were the same.
        """
        check_horizon(horizon_days)
        parts: list[Features] = []
        happened: list[NDArray[np.bool_]] = []
        for at in self._instants(past, horizon_days):
            earlier = past.before(at)
            asked = self.target.eligible(earlier)
            if asked.any():
                parts.append(read_facts(self.facts, earlier).take(asked))
                happened.append(labels(self.target, past.table, earlier, horizon_days=horizon_days)[asked])
        if not parts:
            hint = f"fit on a past that begins more than {horizon_days:g} days before it, or take a shorter horizon"
            raise EmptyInput("the past to learn from", hint)
        model = self.recipe.fit(stacked(parts), np.concatenate(happened))
        return FactsModel(facts=self.facts, model=model)

    def _instants(self, past: Past[T], horizon_days: float) -> list[datetime]:
        every = horizon_days if self.every_days is None else self.every_days
        if self.looks < 1 or not every > 0:
            raise OutOfRange("looks, every_days", (self.looks, every), "1 or more, above 0", "such as 4 and None")
        if not len(past):
            return []
        first = moment(past.table.time.min())
        found = [past.at - timedelta(days=horizon_days + i * every) for i in range(self.looks)]
        return [at for at in reversed(found) if at > first]


@attrs.frozen(kw_only=True, eq=False)
class FactsModel(Generic[T]):
    """A fitted `FactsPredictor`: facts of a past, then the model."""

    facts: Callable[[Past[T]], Any]
    model: ProbabilityModel

    def predict(self, past: Past[T], /) -> Floats:
        """(n,) probabilities of the customers of a past."""
        return self.model.predict(read_facts(self.facts, past))


def read_facts(facts: Callable[[Past[T]], Any], past: Past[T], /) -> Features:
    """Facts of a past as features, one row a customer."""
    found = read_features(facts(past))
    if len(found) != len(past.customers):
        hint = "return one row a customer of past.customers, in that order"
        raise OutOfRange("rows of facts", len(found), f"{len(past.customers)}, the customers of the past", hint)
    return found


def stacked(parts: list[Features], /) -> Features:
    """Rows of several pasts below each other; a fact that one of them lacks is missing there."""
    names = list(dict.fromkeys(name for part in parts for name in part.columns))
    columns: dict[str, Floats | TextColumn] = {}
    for name in names:
        words = any(isinstance(part.columns.get(name), TextColumn) for part in parts)
        columns[name] = _stack_words(parts, name) if words else _stack_numbers(parts, name)
    return Features(columns, sum(map(len, parts)))


def _stack_words(parts: list[Features], name: str) -> TextColumn:
    cells = [part.word(name).to_list() if name in part.columns else [None] * len(part) for part in parts]
    return TextColumn.of([c for part in cells for c in part])


def _stack_numbers(parts: list[Features], name: str) -> Floats:
    return np.concatenate([p.number(name) if name in p.columns else np.full(len(p), np.nan) for p in parts])


def columns_of(features: Features, /) -> Mapping[str, Any]:
    """Columns as plain lists, to compare and to show."""
    return {n: c.to_list() if isinstance(c, TextColumn) else c.tolist() for n, c in features.columns.items()}
