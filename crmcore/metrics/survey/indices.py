"""Indices of trust, loyalty and the like: several items and behaviours of each respondent on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text, one_of
from crmcore.documents import Document
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange
from crmcore.metrics.columns import SAME, held
from crmcore.metrics.estimates import Estimate, frame_of, warn_if_small
from crmcore.metrics.scalars import above, entries, real
from crmcore.metrics.survey.answers import check_scale, on_scale, rescale, score_column
from crmcore.metrics.survey.scales import ScaleReliability, cronbach_alpha

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["IndexItem", "IndexResult", "SurveyIndex", "weighted_means"]

Floats = NDArray[np.float64]


def _ends(_instance: object, _attribute: object, value: tuple[float, float]) -> None:
    check_scale(value)


@attrs.frozen
class IndexItem:
    """One column of an index: an answer on its scale, or a behaviour between two bounds.

    Parameters
    ----------
    column : text
    scale : (lowest, highest)
    good : text
        Which end speaks for the customer: `"high"`, or `"low"` for an item that is worded the other way round.
    beyond : text
        What happens to numbers off the scale: `"refuse"` (answers), or `"clip"` (behaviours: ten visits and more).
    weight : number
        Above 0, relative to the other items.
    """

    column: str
    scale: tuple[float, float] = attrs.field(default=(1, 5), validator=_ends)
    good: str = attrs.field(default="high", validator=one_of(("high", "low"), what="good end"))
    beyond: str = attrs.field(default="refuse", validator=one_of(("refuse", "clip"), what="way with the rest"))
    weight: float = 1.0

    def __attrs_post_init__(self) -> None:
        above("weight", self.weight, allowed="a number above 0", hint="leave an item out instead of weighing it 0")

    def ready(self, cells: ArrayLike, /) -> Floats:
        """(n,) the item from 0 (worst) to 1 (best), NaN where it is missing."""
        low, high = self.scale
        column = score_column(cells, what=self.column)
        if self.beyond == "clip":
            column = np.clip(column, low, high)
        hint = f"correct these rows, or the scale of item {self.column!r}; behaviours may say beyond='clip'"
        column = on_scale(column, self.scale, hint=hint, what=self.column)
        return rescale(column if self.good == "high" else low + high - column, self.scale, (0, 1))


@attrs.frozen(kw_only=True)
class SurveyIndex(Document):
    """Definition of an index: data that saves as JSON, applied to columns of answers.

    Parameters
    ----------
    name : text
    items : tuple of IndexItem
        Each is first carried to 0 ... 1, so scales and behaviours of different width can be mixed.
    at_least : share
        Of the items, by weight, that must be there; below it the index is missing, never 0.
    to : (lowest, highest)
        Scale of the index.

    Examples
    --------
    >>> loyalty = SurveyIndex(
    ...     name="loyalty",
    ...     items=(IndexItem("stay"), IndexItem("switch", good="low"), IndexItem("repeat share", scale=(0, 1))),
    ... )
    >>> loyalty.scores({"stay": [5, 4, None], "switch": [1, None, None], "repeat share": [1, 0.75, 0.2]})
    array([100.,  75.,  nan])
    >>> SurveyIndex.from_dict(loyalty.to_dict()) == loyalty
    True
    """

    name: str
    items: tuple[IndexItem, ...]
    at_least: float = 0.5
    to: tuple[float, float] = attrs.field(default=(0, 100), validator=_ends)

    def __attrs_post_init__(self) -> None:
        if not self.items:
            raise EmptyInput(f"items of the index {self.name!r}", "name at least one column")
        columns = [item.column for item in self.items]
        again = sorted({c for c in columns if columns.count(c) > 1})
        if again:
            raise OutOfRange("items", again, "each column once", "an item that is named twice counts twice")
        if not 0 < real("at_least", self.at_least) <= 1:
            raise OutOfRange("at_least", self.at_least, "a share above 0", "0.5 asks for half of the items")

    def matrix(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """(n, k) items, 0 worst and 1 best, NaN where missing."""
        ready = []
        columns = entries("columns", columns, hint="a frame, or {'honest': column, 'reliable': column}")
        for item in self.items:
            if item.column not in columns:
                raise MissingColumn(item.column, tuple(columns), "the answers")
            ready.append(item.ready(columns[item.column]))
        if len({len(c) for c in ready}) > 1:
            sizes = {item.column: len(c) for item, c in zip(self.items, ready, strict=True)}
            raise OutOfRange("columns", sizes, "one length", "row i of every column is one respondent")
        return np.stack(ready, axis=1)

    def _means(self, matrix: Floats) -> Floats:
        shares = weighted_means(matrix, [item.weight for item in self.items], at_least=self.at_least)
        return self.to[0] + shares * (self.to[1] - self.to[0])

    def scores(self, columns: Mapping[str, ArrayLike], /) -> Floats:
        """(n,) index of each respondent: mean of the answered items; NaN where too few were answered.

        Raises
        ------
        MissingColumn, BadRows, OutOfRange
            A column is not there; answers off their scale; columns of different lengths.
        """
        return self._means(self.matrix(columns))

    def evaluate(
        self, columns: Mapping[str, ArrayLike], /, *, level: float = 0.95, small_sample_ok: bool = False
    ) -> IndexResult:
        """Index of all respondents together with its reliability.

        Parameters
        ----------
        columns : mapping of name to (n,) numbers
            Others than the items may be there.
        level : share
            Coverage aimed at, of both intervals.
        small_sample_ok : truth
            Silences `SmallSample`, which warns below 30 respondents with an index.

        Examples
        --------
        >>> trust = SurveyIndex(name="trust", items=(IndexItem("honest"), IndexItem("reliable")))
        >>> print(trust.evaluate({"honest": [5, 4, 2, 1, 4] * 8, "reliable": [5, 3, 2, 2, 4] * 8}))
        trust 55 [44.6, 65.4] (95 %, n = 40, t); alpha 0.94 [0.886, 0.968] (95 %, n = 40, feldt)
        """
        from crmcore.metrics.means import mean

        matrix = self.matrix(columns)
        scores = self._means(matrix)
        there = int((~np.isnan(scores)).sum())
        if not there:
            raise EmptyInput(f"respondents with an index of {self.name}", "lower at_least, or ask more people")
        low, high = self.to
        rule = (
            f"mean {self.name} index, {low:g}-{high:g}, {len(self.items)} items, at least {self.at_least:.0%} answered"
        )
        warn_if_small(there, f"the index of {self.name}", ok=small_sample_ok)
        estimate = mean(scores, level=level, rule=rule, small_sample_ok=True)
        whole = (~np.isnan(matrix).any(axis=1)).sum() >= 2 and len(self.items) > 1
        names = [item.column for item in self.items]
        reliability = cronbach_alpha(matrix, names=names, level=level, small_sample_ok=True) if whole else None
        return IndexResult(
            name=self.name, mean=estimate, reliability=reliability, scores=scores, missing=len(scores) - there
        )


def weighted_means(matrix: Floats, weights: ArrayLike, /, *, at_least: float) -> Floats:
    """Mean of what is there in each row; NaN where less than `at_least` of the weight is there.

    Parameters
    ----------
    matrix : (n, k) numbers
        NaN is missing.
    weights : (k,) numbers
        Above 0.
    at_least : share
        In (0, 1].

    Examples
    --------
    >>> weighted_means(np.array([[1.0, 0.0], [1.0, np.nan]]), [3, 1], at_least=0.75)
    array([0.75, 1.  ])
    """
    w = np.asarray(weights, np.float64)
    there = ~np.isnan(matrix)
    weight = there @ w
    # 0.6 of 5 items is 3: a product of rounding must not ask for a fourth.
    enough = (weight > 0) & (weight >= at_least * w.sum() * (1 - 1e-9))
    sums = np.where(there, matrix, 0.0) @ w
    return np.where(enough, sums / np.where(weight > 0, weight, 1.0), np.nan)


@attrs.frozen(hash=False, repr=False, kw_only=True)
class IndexResult(Document):
    """An index of a group: its mean, its reliability, and the index of each respondent.

    `reliability` is None where there are not two items or two complete respondents; `missing` counts respondents who
    answered too little.
    """

    name: str
    mean: Estimate
    reliability: ScaleReliability | None
    scores: Floats = attrs.field(converter=held, eq=SAME)  # (n,) NaN = answered too little
    missing: int

    def __repr__(self) -> str:
        return f"IndexResult({self.name}, {self.mean})"

    def __str__(self) -> str:
        alpha = "" if self.reliability is None else f"; alpha {self.reliability.alpha}"
        out = f"; {self.missing} answered too little" if self.missing else ""
        return f"{self.name} {self.mean}{alpha}{out}"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Rows for the mean and, where known, alpha, each with its interval."""
        parts = {"mean": self.mean}
        if self.reliability is not None:
            parts["alpha"] = self.reliability.alpha
        return frame_of([{"part": name, **attrs.asdict(part)} for name, part in parts.items()], backend=backend)

    def chart(self) -> Chart:
        """How the respondents spread over the index."""
        from crmcore.charts import histogram

        return histogram(self.scores, title=f"Index of {self.name}", description=str(self), axis="respondents' index")

    def _repr_html_(self) -> str:
        few = " <em>few respondents</em>" if self.mean.small else ""
        alpha = math.nan if self.reliability is None else self.reliability.alpha.value
        caption = f"{self.mean.rule}; alpha {number_text(alpha)}"
        head = escape(f"{self.name} {self.mean}")
        return f"<figure><b>{head}</b>{few}<figcaption>{escape(caption)}</figcaption></figure>"
