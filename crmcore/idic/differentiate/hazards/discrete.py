"""Discrete-time hazards: any probability recipe on one row a customer and period."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between
from crmcore.errors import OutOfRange
from crmcore.idic.differentiate.hazards.curves import Curves
from crmcore.idic.differentiate.hazards.durations_in import read_lives
from crmcore.idic.differentiate.propensity.crossing import ProbabilityModel, Recipe
from crmcore.idic.differentiate.propensity.features import Features, read_features
from crmcore.idic.differentiate.propensity.logistic import Logistic
from crmcore.idic.differentiate.propensity.saving import fields_of, model_from_dict, model_to_dict
from crmcore.metrics.columns import refuse

__all__ = ["DiscreteHazard", "DiscreteHazardModel"]

Floats = NDArray[np.float64]
PERIOD = "period"


@attrs.frozen(kw_only=True)
class DiscreteHazard:
    """Recipe of a hazard by whole periods: the chance to leave in a period, given that one was still there.

    Each row becomes one row a period that it was at risk in, with the period's number as a feature; what happened is
    whether it left in that period. The likelihood of these rows is that of the lives (Allison 1982, Sociological
    Methodology 13:61), so any probability recipe can be used, curves and pairs included.

    Parameters
    ----------
    recipe : Recipe
        `Logistic` or `Booster`.
    longest : count, optional
        Periods that are looked at; what happens later is censored there.
    words, leave_out
        As for `Logistic`.

    Examples
    --------
    >>> lives = {"months": [1, 2, 3, 4] * 30, "left": [1, 1, 0, 1] * 30, "plan": ["a", "b"] * 60}
    >>> model = DiscreteHazard(recipe=Logistic(penalty=1.0)).fit(lives, duration="months", event="left")
    >>> model.hazard({"plan": ["a"]}, periods=2).shape
    (1, 2)
    """

    recipe: Recipe = attrs.field(factory=Logistic)
    longest: int | None = attrs.field(default=None, validator=attrs.validators.optional(between(1, 1e6, hint="as 36")))
    words: Collection[str] = ()
    leave_out: Collection[str] = ()

    def fit(
        self,
        frame: Any,
        *,
        duration: str | ArrayLike,
        event: str | ArrayLike,
        entry: str | ArrayLike | None = None,
        weights: str | ArrayLike | None = None,
    ) -> DiscreteHazardModel:
        """Fit on rows that were followed for whole periods; a duration of d is at risk in periods 1 to d.

        `entry` counts whole periods too: a row that entered after e periods is at risk from period e + 1. A row with a
        duration of 0 was never at risk and counts for nothing.
        """
        lives = read_lives(
            frame, duration=duration, event=event, entry=entry, weights=weights, words=self.words,
            leave_out=self.leave_out,
        )  # fmt: skip
        begin = np.where(np.isinf(lives.entry), 0.0, lives.entry)
        refuse(
            "the lives",
            "count whole periods: round durations up to the period in which they ended",
            duration=(lives.duration != np.floor(lives.duration), "not a whole number of periods"),
            entry=((begin != np.floor(begin)) | (begin < 0), "not a whole number of periods"),
        )
        end = lives.duration.astype(np.int64)
        last = end if self.longest is None else np.minimum(end, self.longest)
        often = np.maximum(last - begin.astype(np.int64), 0)
        if not often.any():
            raise OutOfRange("duration", "0 for all rows", "at least one period", "round durations up")
        row = np.repeat(np.arange(len(end)), often)
        start = np.cumsum(often) - often
        period = np.arange(len(row)) - start[row] + begin[row].astype(np.int64) + 1
        left = lives.event[row] & (period == end[row])
        base = lives.features.take(row).columns if lives.features is not None else {}
        if PERIOD in base:
            hint = "rename it: the number of the period takes that name"
            raise OutOfRange("column 'period'", "a feature", "another name", hint)
        table = Features({**base, PERIOD: period.astype(np.float64)}, len(row))
        model = self.recipe.fit(table, left, weights=lives.weight[row])
        names = tuple(base)
        words = tuple(n for n, c in base.items() if not isinstance(c, np.ndarray))
        return DiscreteHazardModel(
            model=model, names=names, words=words, n=len(end), events=int(left.sum()), longest=int(period.max())
        )


@attrs.frozen(kw_only=True)
class _Counted:
    """What a fitted hazard knows beside its model."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    n: int
    events: int
    longest: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DiscreteHazardModel:
    """Chance to leave in each period, and the curves that follow.

    Attributes
    ----------
    model : of the rows of periods; `explain` and JSON are its own
    longest : last period that was seen
    """

    model: ProbabilityModel
    names: tuple[str, ...]
    words: tuple[str, ...]
    n: int
    events: int
    longest: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the recipe must be of the house."""
        plain = {"names": list(self.names), "words": list(self.words), "n": self.n, "events": self.events}
        return {"model": model_to_dict(self.model), **plain, "longest": self.longest}

    @classmethod
    def from_dict(cls, document: object) -> DiscreteHazardModel:
        """Read what `to_dict` wrote."""
        from crmcore.documents import from_dict

        kept = ("model", "names", "words", "n", "events", "longest")
        fields = fields_of(document, "DiscreteHazardModel", kept)
        model = model_from_dict(fields.pop("model"))
        held = from_dict(_Counted, fields)
        return cls(model=model, names=held.names, words=held.words, n=held.n, events=held.events, longest=held.longest)

    def __repr__(self) -> str:
        return f"DiscreteHazardModel(n = {self.n}, {self.events} events, {self.longest} periods)"

    def hazard(self, frame: Any, /, *, periods: int, after: int = 0) -> Floats:
        """(n, periods) chance to leave in periods after + 1 ... after + periods, given that one is still there then.

        Raises
        ------
        OutOfRange
            Periods beyond the last one that was seen.
        """
        if not 1 <= after + periods <= self.longest or periods < 1 or after < 0:
            hint = "the model saw no later period: fit on a longer history, or ask for fewer"
            raise OutOfRange("after + periods", after + periods, f"1 to {self.longest}", hint)
        features = read_features(frame, words=[] if isinstance(frame, Features) else self.words)
        n = len(features)
        many = features.take(np.repeat(np.arange(n), periods))
        number = np.tile(np.arange(after + 1, after + periods + 1, dtype=np.float64), n)
        table = Features({**many.columns, PERIOD: number}, n * periods)
        return self.model.predict(table).reshape(n, periods)

    def survival(self, frame: Any, /, *, periods: int, after: int = 0) -> Floats:
        """(n, periods) share still there after each period, of those who are there after period `after`."""
        found: Floats = np.cumprod(1 - self.hazard(frame, periods=periods, after=after), axis=1, dtype=np.float64)
        return found

    def churn_within(self, frame: Any, /, *, periods: int, after: int = 0) -> Floats:
        """(n,) chance to leave within the next periods."""
        found: Floats = 1 - self.survival(frame, periods=periods, after=after)[:, -1]
        return found

    def curves(self, frame: Any, /, *, periods: int, after: int = 0) -> Curves:
        """Survival curves without intervals (low and high are the curve itself): the recipe gives none."""
        share = self.survival(frame, periods=periods, after=after)
        times = np.arange(after + 1, after + periods + 1, dtype=np.float64)
        return Curves(times=times, survival=share, low=share, high=share, level=np.nan)
