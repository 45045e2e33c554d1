"""Indices of trust, loyalty and the like: several items and behaviours of each respondent on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore import _json
from crmcore._base import number_text
from crmcore.errors import EmptyInput, MissingColumn, OutOfRange
from crmcore.metrics.answers import check_scale, on_scale, rescale
from crmcore.metrics.estimates import Estimate, frame_of
from crmcore.metrics.scales import ScaleReliability, cronbach_alpha

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["IndexItem", "IndexResult", "SurveyIndex"]

Floats = NDArray[np.float64]


def _ends(_instance: object, _attribute: object, value: tuple[float, float]) -> None:
    check_scale(value)


@attrs.frozen
class IndexItem:
    """One column of an index: an answer on its scale, or a behaviour between two bounds.

    `good` says which end speaks for the customer: `"high"`, or `"low"` for an item that is worded the other way round.
    """

    column: str
    scale: tuple[float, float] = attrs.field(default=(1, 5), validator=_ends)
    good: str = "high"

    def __attrs_post_init__(self) -> None:
        if self.good not in ("high", "low"):
            raise OutOfRange("good", self.good, "'high' or 'low'", "'low' reverses an item that is worded negatively")


@attrs.frozen(kw_only=True)
class SurveyIndex:
    """Definition of an index: data that saves as JSON, applied to columns of answers.

    Parameters
    ----------
    name : text
    items : tuple of IndexItem
        Weighed alike; each is first carried to 0 ... 1, so scales and behaviours of different width can be mixed.
    at_least : share
        Of the items that a respondent must have answered; below it the index is missing, never 0.
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
        if not 0 < self.at_least <= 1:
            raise OutOfRange("at_least", self.at_least, "a share above 0", "0.5 asks for half of the items")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields: dict[str, Any] = _json.to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SurveyIndex:
        """Read what `to_dict` wrote."""
        return _json.from_dict(cls, fields)

    def _matrix(self, columns: Mapping[str, ArrayLike]) -> Floats:
        """(n, k) items, 0 worst and 1 best, NaN not answered."""
        ready = []
        for item in self.items:
            if item.column not in columns:
                raise MissingColumn(item.column, tuple(columns), "the answers")
            hint = f"correct these rows, or the scale of item {item.column!r}"
            column = on_scale(columns[item.column], item.scale, hint=hint, what=item.column)
            low, high = item.scale
            ready.append(rescale(column if item.good == "high" else low + high - column, item.scale, (0, 1)))
        if len({len(c) for c in ready}) > 1:
            sizes = {item.column: len(c) for item, c in zip(self.items, ready, strict=True)}
            raise OutOfRange("columns", sizes, "one length", "row i of every column is one respondent")
        return np.stack(ready, axis=1)

    def scores(self, columns: Mapping[str, ArrayLike], /) -> Floats:
        """(n,) index of each respondent: mean of the answered items; NaN where too few were answered.

        Raises
        ------
        MissingColumn, BadRows, OutOfRange
            A column is not there; answers off their scale; columns of different lengths.
        """
        return _means(self._matrix(columns), self.at_least, self.to)

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

        matrix = self._matrix(columns)
        scores = _means(matrix, self.at_least, self.to)
        there = int((~np.isnan(scores)).sum())
        if not there:
            raise EmptyInput(f"respondents with an index of {self.name}", "lower at_least, or ask more people")
        low, high = self.to
        rule = (
            f"mean {self.name} index, {low:g}-{high:g}, {len(self.items)} items, at least {self.at_least:.0%} answered"
        )
        estimate = mean(scores, level=level, rule=rule, small_sample_ok=small_sample_ok)
        whole = (~np.isnan(matrix).any(axis=1)).sum() >= 2 and len(self.items) > 1
        names = [item.column for item in self.items]
        reliability = cronbach_alpha(matrix, names=names, level=level, small_sample_ok=True) if whole else None
        return IndexResult(
            name=self.name, mean=estimate, reliability=reliability, scores=scores, missing=len(scores) - there
        )


def _means(matrix: Floats, at_least: float, to: tuple[float, float]) -> Floats:
    answered = ~np.isnan(matrix)
    n = answered.sum(axis=1)
    # 0.6 of 5 items is 3: a product of rounding must not ask for a fourth.
    enough = (n > 0) & (n >= at_least * matrix.shape[1] - 1e-9)
    shares = np.where(answered, matrix, 0.0).sum(axis=1) / np.maximum(n, 1)
    return np.where(enough, to[0] + shares * (to[1] - to[0]), np.nan)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class IndexResult:
    """An index of a group: its mean, its reliability, and the index of each respondent.

    `reliability` is None where there are not two items or two complete respondents; `missing` counts respondents who
    answered too little.
    """

    name: str
    mean: Estimate
    reliability: ScaleReliability | None
    scores: Floats  # (n,) NaN = answered too little
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

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        fields: dict[str, Any] = _json.to_dict(self)
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> IndexResult:
        """Read what `to_dict` wrote."""
        return _json.from_dict(cls, fields)

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
