"""One call from paths to credit, and several models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore import documents
from crmcore._base import Progress, html_table
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.columns import cells_of, codes_of
from crmcore.metrics.estimates import check_level, frame_of
from crmcore.metrics.scalars import count_of
from crmcore.touchpoints.attribution.models import Model, ShareModel, TouchRule, model_of
from crmcore.touchpoints.attribution.paths import PathCounts
from crmcore.touchpoints.attribution.resampling import credit, redrawn, touch_weights
from crmcore.touchpoints.attribution.result import Attribution, intervals, names_of

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["CreditTable", "ModelComparison", "attribute", "compare_models", "credit_by"]

Floats = NDArray[np.float64]
COMPARED = ("first", "last", "linear", "position", "decay", "shapley", "markov")


def attribute(
    paths: PathCounts, /, *, model: str | Model = "markov", credibility: Mapping[str, float] | None = None,
    draws: int = 200, level: float = 0.95, seed: int | np.random.Generator = 0, progress: Progress | bool = False,
) -> Attribution:  # fmt: skip
    """Share the conversions of paths among channels.

    Parameters
    ----------
    paths : PathCounts
    model : name or model
        A name of `MODELS` or of a plug-in, or an object such as `Markov(order=2)` or `Decay(half_life_days=7)`.
    credibility : channel -> factor, optional
        How much more (2) or less (0.5) a touch of the channel counts than the model says; 1 where not named. The total
        stays what it is. This is a belief, not a measurement: it stands among the assumptions.
    draws : count
        Redraws of the journeys for the intervals; 0 gives none.
    level, seed
        Of the intervals.
    progress : callable or bool

    Returns
    -------
    Attribution
        Credits that sum to the conversions that were read.

    Raises
    ------
    EmptyInput
        No path converted.
    UnknownName, WrongType, OutOfRange
        Models, channels and factors that are not there.

    Examples
    --------
    >>> paths = PathCounts.of(["search > e-mail", "search"], conversions=[3, 1], nulls=[5, 9])
    >>> found = attribute(paths, model="linear", draws=0)
    >>> {c: e.value for c, e in zip(found.channels, found.credit)}
    {'search': 2.5, 'e-mail': 1.5}
    """
    _check(paths)
    check_level(level)
    count_of("draws", draws, hint="200 is usual; 0 leaves the intervals out")
    name, found = model_of(model)
    lift = None if credibility is None else _factors(credibility, paths.channels)
    values = credit(found, paths, (paths.conversions, paths.value), lift=lift)
    none = np.empty((0, len(paths.channels)))
    rng = np.random.default_rng(seed)
    drawn = redrawn(found, paths, n=draws, rng=rng, lift=lift, progress=progress) if draws else (none, none)
    rules = ("credited conversions", "credited value")
    made = [
        intervals(v, d, level=level, n=paths.total, rule=rule) for v, d, rule in zip(values, drawn, rules, strict=True)
    ]
    return Attribution(
        model=name, channels=paths.channels, credit=made[0], value=made[1], total=paths.total,
        total_value=float(paths.value.sum()), assumptions=_assumed(found, paths, credibility), draws=drawn,
    )  # fmt: skip


def _check(paths: object) -> None:
    if not isinstance(paths, PathCounts):
        hint = 'read paths first: PathCounts.of(["search > e-mail"], conversions=[3], nulls=[5])'
        raise WrongType("paths", f"a {type(paths).__name__}", "PathCounts", hint)
    if not paths.total > 0:
        raise EmptyInput("conversions", "no path converted: there is nothing to share")


def _factors(credibility: Mapping[str, float], channels: tuple[str, ...]) -> Floats:
    odd = [c for c in credibility if c not in channels]
    if odd:
        raise UnknownName("channel", odd[0], channels)
    made = np.array([float(credibility.get(c, 1.0)) for c in channels])
    if not (np.isfinite(made) & (made >= 0)).all() or not made.any():
        raise OutOfRange("credibility", dict(credibility), "factors from 0, not all 0", "1 leaves a channel as it is")
    return made


def _assumed(model: Model, paths: PathCounts, credibility: Mapping[str, float] | None) -> tuple[str, ...]:
    told = model.assumptions(paths) if isinstance(model, ShareModel) else (model.assumption,)
    if credibility:
        factors = ", ".join(f"{c} x {f:g}" for c, f in credibility.items())
        told = (*told, f"credibility, a belief that no data here support: a touch counts {factors}")
    everywhere = _in_all(paths)
    if everywhere and len(paths.channels) > 1:
        named = ", ".join(paths.channels[c] for c in everywhere)
        told = (*told, f"{named} is in every path: no data here say what happens without it")
    return told


def _in_all(paths: PathCounts) -> list[int]:
    """Channels that are in every path."""
    candidates = np.unique(paths.touch[: paths.start[1]]).tolist()
    return [c for c in candidates if np.logical_or.reduceat(paths.touch == c, paths.start[:-1]).all()]


def credit_by(
    paths: PathCounts, by: ArrayLike, /, *, model: str | TouchRule = "linear",
    credibility: Mapping[str, float] | None = None,
) -> CreditTable:  # fmt: skip
    """Credit of channels within customers or segments; it adds up to the credit of all.

    Parameters
    ----------
    paths : PathCounts
        Read with `merge=False`, so that row j is journey j.
    by : (m,) labels
        Customer or segment of each path.
    model : name or TouchRule
        One that shares each path by itself. Models that share the sum of all, such as "markov", have no credit of a
        customer: take "markov per journey".

    Examples
    --------
    >>> paths = PathCounts.of(["search > e-mail", "search"], merge=False)
    >>> credit_by(paths, ["new", "known"]).credit.tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    _check(paths)
    name, found = model_of(model)
    if not isinstance(found, TouchRule):
        hint = "take one that shares each path by itself: 'markov per journey', 'shapley', 'linear'"
        raise WrongType("model", f"{name!r}, which shares the sum of all", "a TouchRule", hint)
    lift = None if credibility is None else _factors(credibility, paths.channels)
    code, groups = codes_of(cells_of("by", by), len(paths), "by")
    weights = touch_weights(found, paths, lift)
    c = len(paths.channels)
    key = code[paths.path_of] * c + paths.touch
    made = [
        np.asarray(np.bincount(key, weights * a[paths.path_of], c * len(groups)), np.float64).reshape(-1, c)
        for a in (paths.conversions, paths.value)
    ]
    return CreditTable(groups=groups, channels=paths.channels, model=name, credit=made[0], value=made[1])


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CreditTable:
    """Credited conversions and value, (groups, channels) each; columns sum to the credit of all.

    Attributes
    ----------
    groups : labels, sorted
        May be customers: only `to_frame` shows them.
    """

    groups: tuple[str, ...]
    channels: tuple[str, ...]
    model: str
    credit: Floats
    value: Floats

    def __len__(self) -> int:
        return len(self.groups)

    def __repr__(self) -> str:
        return f"CreditTable({len(self.groups)} groups, {len(self.channels)} channels, {self.model})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a group and channel with credit: group, channel, conversions, value."""
        g, c = np.nonzero((self.credit != 0) | (self.value != 0))
        rows = [
            {
                "group": self.groups[i], "channel": self.channels[j],
                "conversions": float(self.credit[i, j]), "value": float(self.value[i, j]),
            }
            for i, j in zip(g.tolist(), c.tolist(), strict=True)
        ]  # fmt: skip
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"channel": c, "conversions": float(v)} for c, v in zip(self.channels, self.credit.sum(0), strict=True)]
        return html_table(rows, caption=repr(self))


def compare_models(
    paths: PathCounts, /, *, models: Sequence[str | Model] = COMPARED, draws: int = 200, level: float = 0.95,
    seed: int = 0, progress: Progress | bool = False,
) -> ModelComparison:  # fmt: skip
    """Credit of the same paths by several models, side by side.

    Examples
    --------
    >>> paths = PathCounts.of(["search > e-mail", "search"], conversions=[3, 1], nulls=[5, 9])
    >>> print(compare_models(paths, models=["first", "last"], draws=0))
    channel  first  last  spread
    search       4     1       3
    e-mail       0     3       3
    """
    if not models:
        raise EmptyInput("models", f"name at least one of {list(COMPARED)}")
    found = [attribute(paths, model=m, draws=draws, level=level, seed=seed, progress=progress) for m in models]
    return ModelComparison(results=tuple(found))


@attrs.frozen(kw_only=True)
class ModelComparison:
    """Results of several models on the same paths; where they agree, the choice of the model does not matter."""

    results: tuple[Attribution, ...]

    def __attrs_post_init__(self) -> None:
        names_of(self.results)

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels, the most credited on average first."""
        mean = {c: np.mean([r[c].value for r in self.results]) for c in names_of(self.results)}
        return tuple(sorted(mean, key=lambda c: -mean[c]))

    def spread(self) -> dict[str, float]:
        """Largest minus smallest credit of each channel, in conversions."""
        return {c: max(v) - min(v) for c in self.channels if (v := [r[c].value for r in self.results])}

    def __str__(self) -> str:
        rows = [("channel", *(r.model for r in self.results), "spread")]
        spread = self.spread()
        rows += [(c, *(f"{r[c].value:,.4g}" for r in self.results), f"{spread[c]:,.4g}") for c in self.channels]
        wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(
            "  ".join([row[0].ljust(wide[0]), *(t.rjust(w) for t, w in zip(row[1:], wide[1:], strict=True))])
            for row in rows
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a channel and model: channel, model, conversions, low, high."""
        rows = [
            {"channel": c, "model": r.model, "conversions": r[c].value, "low": r[c].low, "high": r[c].high}
            for c in self.channels
            for r in self.results
        ]
        return frame_of(rows, backend=backend)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"results": [r.to_dict() for r in self.results]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ModelComparison:
        """Read what `to_dict` wrote."""
        return cls(results=tuple(documents.from_dict(Attribution, r) for r in document["results"]))

    def chart(self) -> Chart:
        """Dots with intervals, the models of a channel side by side."""
        from crmcore.touchpoints.attribution.charts import comparison_chart

        return comparison_chart(self)

    def _repr_html_(self) -> str:
        rows = [{"channel": c, **{r.model: round(r[c].value, 1) for r in self.results}} for c in self.channels[:30]]
        return html_table(rows, caption="credited conversions by model")
