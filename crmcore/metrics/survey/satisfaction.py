"""Satisfaction and effort: CSAT and CES as top-box shares or means, overall and by touchpoint."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.metrics.estimate_tables import EstimateTable
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.proportions import Counts
from crmcore.metrics.scalars import real
from crmcore.metrics.survey.answers import check_scale, on_scale, rescale
from crmcore.tables.responses import ResponseTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["EffortResult", "ces", "csat", "csat_by", "rescale", "top_box"]

Floats = NDArray[np.float64]
Scale = tuple[float, float]
FORMS = ("top-box", "mean")
BY = ("touchpoint", "survey", "question")
UNITS = ("answer", "customer")


def top_box(scores: ArrayLike, /, *, scale: Scale = (1, 5), top: int = 2) -> Counts:
    """Count answers in the highest points of a scale: addable, and comparable with `compare` and `compare_many`.

    Parameters
    ----------
    scores : (n,) whole numbers on the scale
        None and NaN are not answered.
    scale : (lowest, highest)
        The scale that was asked, highest is best.
    top : count
        How many of its points count as satisfied.

    Raises
    ------
    BadRows
        Scores off the scale or not whole, all of them at once.
    OutOfRange
        `top` leaves no point below it.

    Examples
    --------
    >>> top_box([5, 4, 3, None, 1])
    Counts(k=2, n=4)
    """
    happy = _satisfied(scores, scale=scale, top=top)
    return Counts(int(np.nansum(happy)), int((~np.isnan(happy)).sum()))


def _satisfied(scores: ArrayLike, *, scale: Scale, top: int) -> Floats:
    """1 satisfied, 0 not, NaN not answered."""
    check_scale(scale)
    column = on_scale(scores, scale, whole=True, hint=_hint(scale))
    points = round(scale[1] - scale[0]) + 1
    hint = "top=2 of a scale of five counts 4 and 5"
    if not (1 <= real("top", top, hint=hint) < points and top == int(top)):
        raise OutOfRange("top", top, f"1 to {points - 1} points of {scale[0]:g} to {scale[1]:g}", hint)
    return np.where(np.isnan(column), np.nan, column > scale[1] - top)


def _hint(scale: Scale) -> str:
    return f"say the scale that was asked, scale=({scale[0]:g}, {scale[1]:g}) now; whole points only"


def _rule(scale: Scale, top: int, form: str) -> str:
    low, high = scale
    if form == "mean":
        return f"mean of answers {low:g}-{high:g}"
    box = f"{high:g}" if top == 1 else f"{high - top + 1:g}-{high:g}"
    return f"answers {box} of {low:g}-{high:g} / answers"


def csat(
    scores: ArrayLike,
    *,
    scale: Scale = (1, 5),
    top: int = 2,
    as_: str = "top-box",
    level: float = 0.95,
    method: str = "wilson",
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    population: int | None = None,
    rule: str = "",
    small_sample_ok: bool = False,
) -> Estimate:
    """Customer satisfaction: share of answers in the top boxes, or the mean answer.

    Parameters
    ----------
    scores : (n,) numbers on the scale
        None and NaN are not answered. Top-box shares take whole points only.
    scale : (lowest, highest)
        The scale that was asked, highest is best; it stands in the rule of the result.
    top : count
        Points that count as satisfied, of a top-box share.
    as_ : text
        `"top-box"` (default) or `"mean"`.
    level : share
        Coverage aimed at.
    method : text
        Interval of a top-box share, see `proportion`; the mean has Student's.
    weights, clusters, population
        See `nps`; several answers of one customer are a cluster.
    rule : text
        Replaces the rule that is made from scale and boxes.
    small_sample_ok : truth
        Silences `SmallSample`, which warns below 30 answers.

    Returns
    -------
    Estimate
        A share in [0, 1], or a mean in points of the scale.

    Raises
    ------
    BadRows, OutOfRange, UnknownName
        Scores off the scale; boxes that leave no point below; no such form or method.

    Examples
    --------
    >>> print(csat([5] * 25 + [4] * 15 + [2] * 10))
    0.8 [0.67, 0.888] (95 %, n = 50, wilson)
    >>> print(csat([5] * 25 + [4] * 15 + [2] * 10, as_="mean"))
    4.1 [3.77, 4.43] (95 %, n = 50, t)
    """
    from crmcore.metrics.design import proportion_of
    from crmcore.metrics.means import mean

    if as_ not in FORMS:
        raise UnknownName("form of satisfaction", as_, FORMS)
    check_level(level)
    check_scale(scale)
    real("top", top)
    design: dict[str, Any] = {"weights": weights, "clusters": clusters, "population": population}
    known: dict[str, Any] = {"level": level, "rule": rule or _rule(scale, top, as_)}
    column = on_scale(scores, scale, whole=as_ == "top-box", hint=_hint(scale))
    warn_if_small(int((~np.isnan(column)).sum()), "the satisfaction score", ok=small_sample_ok)
    if as_ == "mean":
        return mean(column, **design, **known, small_sample_ok=True)
    happy = _satisfied(column, scale=scale, top=top)
    return proportion_of(happy, **design, **known, method=method, small_sample_ok=True)


def csat_by(
    table: ResponseTable,
    /,
    *,
    by: str = "touchpoint",
    question: str | None = None,
    scale: Scale = (1, 5),
    top: int = 2,
    as_: str = "top-box",
    unit: str = "answer",
    level: float = 0.95,
    method: str = "wilson",
) -> EstimateTable:
    """Customer satisfaction of every touchpoint (survey, question) of a table of answers.

    Parameters
    ----------
    table : ResponseTable
        Rows without a score, or without the column of `by`, stay out.
    by : text
        `"touchpoint"` (default), `"survey"` or `"question"`.
    question : text, optional
        Only answers to this question; needed where the table holds questions on other scales.
    scale, top, as_, level, method
        As in `csat`.
    unit : text
        `"answer"` (default), or `"customer"`: several answers of one customer at one touchpoint then count as the
        cluster that they are; anonymous answers each stand alone.

    Returns
    -------
    EstimateTable
        In the order of names; small touchpoints are flagged, not warned about. To call two touchpoints different, pass
        their `top_box` counts to `compare_many`.

    Raises
    ------
    BadRows, OutOfRange, UnknownName, EmptyInput
        Scores off the scale; no such column, form, unit or question; no answers.

    Examples
    --------
    >>> asked = {"customer": ["a", "b", "c"], "question": ["csat"] * 3, "score": [5, 4, 1]}
    >>> table = ResponseTable.from_frame({**asked, "touchpoint": ["call", "call", "shop"]})
    >>> print(csat_by(table))
    CSAT by touchpoint, answers 4-5 of 1-5 / answers, 95 % each
    call  1 [0.342, 1] (95 %, n = 2, wilson)  few answers
    shop  0 [0, 0.793] (95 %, n = 1, wilson)  few answers
    """
    given: object = table
    if not isinstance(given, ResponseTable):
        hint = "ResponseTable.from_frame(answers); for one column of scores, csat(scores)"
        raise WrongType("table", type(given).__name__, "a ResponseTable", hint)
    for name, value, allowed in (
        ("column to count by", by, BY),
        ("form of satisfaction", as_, FORMS),
        ("unit", unit, UNITS),
    ):
        if value not in allowed:
            raise UnknownName(name, value, allowed)
    column = getattr(table, by)
    there = (column.codes >= 0) & ~np.isnan(table.score)
    if question is not None:
        if question not in table.question.values:
            raise UnknownName("question", question, table.question.values)
        there &= table.question.equals(question)
    if not there.any():
        raise EmptyInput(f"answers with a score and a {by}", "choose another column, or another question")
    on_scale(table.score[there], scale, whole=as_ == "top-box", hint=f"{_hint(scale)}; or name one question=")
    who = np.where(table.customer >= 0, table.customer, -1 - np.arange(len(table)))
    made: dict[str, Estimate] = {}
    for code, rows in _groups(column.codes, np.flatnonzero(there)):
        clusters = who[rows] if unit == "customer" else None
        known: dict[str, Any] = {"scale": scale, "top": top, "as_": as_, "level": level, "method": method}
        made[column.values[code]] = csat(table.score[rows], clusters=clusters, **known, small_sample_ok=True)
    labels = sorted(made)
    estimates = tuple(made[label] for label in labels)
    about = f"CSAT by {by}, {_rule(scale, top, as_)}, {100 * level:g} % each"
    return EstimateTable(labels=tuple(labels), estimates=estimates, what=by, about=about, percent=as_ == "top-box")


def _groups(codes: NDArray[np.int32], rows: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each code among the rows, with its rows: one sort instead of one mask a code."""
    ordered = rows[np.argsort(codes[rows], kind="stable")]
    found, starts = np.unique(codes[ordered], return_index=True)
    yield from zip(found.tolist(), np.split(ordered, starts[1:]), strict=True)


@attrs.frozen(kw_only=True)
class EffortResult(Document):
    """Customer effort of one group of answers: the mean, and the share of the top boxes.

    Examples
    --------
    >>> print(ces([7] * 20 + [6] * 10 + [3] * 10))
    mean 5.75 [5.22, 6.28] (95 %, n = 40, t); answers 6-7 of 1-7 / answers: 0.75 [0.598, 0.858] (95 %, n = 40, wilson)
    """

    mean: Estimate
    top_box: Estimate

    def __str__(self) -> str:
        return f"mean {self.mean}; {self.top_box.rule}: {self.top_box}"

    def _parts(self) -> dict[str, Estimate]:
        return {"mean": self.mean, "top box": self.top_box}

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows: the mean and the top box, each with its interval."""
        return frame_of([{"part": name, **attrs.asdict(part)} for name, part in self._parts().items()], backend=backend)

    def chart(self) -> Chart:
        """The mean with its interval."""
        return self.mean.chart()

    def _repr_html_(self) -> str:
        few = " <em>few answers</em>" if self.mean.small else ""
        return f"<figure><b>{escape(str(self))}</b>{few}<figcaption>{escape(self.mean.rule)}</figcaption></figure>"


def ces(
    scores: ArrayLike,
    *,
    scale: Scale = (1, 7),
    top: int = 2,
    level: float = 0.95,
    weights: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    population: int | None = None,
    rule: str = "",
    small_sample_ok: bool = False,
) -> EffortResult:
    """Customer effort score: agreement with "they made it easy for me", as mean and as top-box share.

    Parameters
    ----------
    scores : (n,) whole numbers on the scale
        Highest is easiest; where the question was "how much effort did it take?", reverse first:
        ``low + high - scores``. None and NaN are not answered.
    scale : (lowest, highest)
        1 to 7 in the second version of the question (Dixon, Toman & DeLisi 2013).
    top, level, weights, clusters, population, rule, small_sample_ok
        As in `csat`.

    Returns
    -------
    EffortResult
        The mean with Student's interval, the share of the top boxes with Wilson's.

    Examples
    --------
    >>> print(ces([7] * 20 + [6] * 10 + [3] * 10).mean)
    5.75 [5.22, 6.28] (95 %, n = 40, t)
    """
    known: dict[str, Any] = {"scale": scale, "top": top, "level": level, "small_sample_ok": True}
    design: dict[str, Any] = {"weights": weights, "clusters": clusters, "population": population}
    share = csat(scores, **known, **design)
    middle = csat(scores, as_="mean", rule=rule, **known, **design)
    warn_if_small(middle.n, "the effort score", ok=small_sample_ok)
    return EffortResult(mean=middle, top_box=share)
