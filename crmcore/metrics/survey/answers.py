"""Answers on a scale: what may stand in a column of scores, other scales, and the segments that answers fall into."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import number_text
from crmcore.errors import BadRow, BadRows, OutOfRange, WrongType
from crmcore.metrics.columns import cells_of, is_missing, numbers
from crmcore.metrics.scalars import real
from crmcore.tables.columns import TextColumn

__all__ = ["check_scale", "on_scale", "rescale", "segment_codes", "score_column"]

Floats = NDArray[np.float64]


def check_scale(scale: tuple[float, float]) -> None:
    """Refuse a scale whose ends are not two finite numbers in ascending order."""
    hint = "write a scale of one to five as scale=(1, 5)"
    if not isinstance(scale, tuple | list):
        raise WrongType("scale", type(scale).__name__, "(lowest, highest)", hint)
    ends = [real("end of scale", end, hint=hint) for end in scale]
    if not (len(ends) == 2 and -np.inf < ends[0] < ends[1] < np.inf):
        raise OutOfRange("scale", scale, "(lowest, highest)", hint)


def score_column(scores: ArrayLike, /, *, what: str = "scores") -> Floats:
    """Column of numbers from what a caller passed; None and NaN are "not answered".

    Raises
    ------
    WrongType
        Cells are no numbers, or there is more than one column.

    Examples
    --------
    >>> score_column([9, None, 3])
    array([ 9., nan,  3.])
    """
    return numbers(what, scores)


def on_scale(
    scores: ArrayLike, scale: tuple[float, float], /, *, whole: bool = False, hint: str, what: str = "scores"
) -> Floats:
    """Column of scores that all lie on a scale; NaN is "not answered" and passes.

    Parameters
    ----------
    scores : (n,) numbers
        None and NaN are missing.
    scale : (lowest, highest)
        Both ends may be answered.
    whole : truth
        Whether only whole numbers may be answered.
    hint, what : text
        The way out that an error names, and the name of the column.

    Raises
    ------
    BadRows
        Scores that are off the scale, or not whole, all of them at once.

    Examples
    --------
    >>> on_scale([1, None, 5], (1, 5), hint="rescale first")
    array([ 1., nan,  5.])
    """
    check_scale(scale)
    low, high = scale
    cells = cells_of(what, scores)
    if cells.dtype.kind == "b" and (low, high) != (0, 1):
        hint = "pass the scores themselves, not whether they are high"
        raise WrongType(what, "truths", f"scores from {low:g} to {high:g}", hint)
    column = score_column(cells, what=what)
    answered = ~np.isnan(column)
    off = answered & ~((column >= low) & (column <= high))
    broken = answered & ~off & (column != np.floor(column)) if whole else np.zeros_like(off)
    reasons = (f"not on the scale {low:g} to {high:g}", off), ("not a whole number", broken)
    problems = tuple(
        BadRow(what, reason, tuple(rows.tolist()), tuple(number_text(v) for v in column[rows[:5]]))
        for reason, bad in reasons
        if (rows := np.flatnonzero(bad)).size
    )
    if problems:
        raise BadRows(what, problems, hint)
    return column


def rescale(scores: ArrayLike, old: tuple[float, float], new: tuple[float, float], /) -> Floats:
    """Carry answers from one scale to another by the straight line through both ends.

    Parameters
    ----------
    scores : (n,) numbers
        On `old`; None and NaN stay "not answered".
    old, new : (lowest, highest)
        A `new` scale in descending order is refused: reverse an item with ``low + high - scores``.

    Returns
    -------
    (n,) numbers
        ``new_low + (score - old_low) * (new_high - new_low) / (old_high - old_low)``; seldom whole, and not the answer
        that people would have given on the other scale: scores of two questionnaires stay hard to compare.

    Raises
    ------
    BadRows
        Scores that are not on `old`.

    Examples
    --------
    >>> rescale([1, 3, None, 5], (1, 5), (0, 10))
    array([ 0.,  5., nan, 10.])
    """
    check_scale(new)
    column = on_scale(scores, old, hint=f"pass the scale that was asked; {old} was said")
    return new[0] + (column - old[0]) * ((new[1] - new[0]) / (old[1] - old[0]))


def segment_codes(
    segments: TextColumn | ArrayLike, /, *, n: int, labels: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Code of each row's segment and the labels, in an order that shuffled rows do not change.

    Parameters
    ----------
    segments : text column, (n,) whole numbers or (n,) words
        Negative codes and missing words are "in no segment". Words are labelled by themselves, in sorted order;
        codes by `labels`.
    n : count
        Rows there must be.
    labels : sequence of text, optional
        Name of each code from 0, in the order of the result; None names codes by their number.

    Returns
    -------
    codes : (n,) codes
        −1 in no segment, else position in the labels.
    labels : tuple of text
        Segments that occur, or all that were named.

    Examples
    --------
    >>> segment_codes(["web", None, "shop"], n=3)
    (array([ 1, -1,  0]), ('shop', 'web'))
    """
    if isinstance(segments, TextColumn):
        codes, words = segments.codes.astype(np.int64), segments.values
    else:
        cells = cells_of("segments", segments)
        if cells.dtype.kind in "iu":
            return _whole_codes(cells.astype(np.int64), labels, n)
        column = TextColumn.of([None if is_missing(c) or c == "" else str(c) for c in cells.tolist()])
        codes, words = column.codes.astype(np.int64), column.values
    _same_length(codes, n)
    names = sorted(words) if labels is None else list(labels)
    known = set(names)
    unknown = tuple(np.flatnonzero(np.isin(codes, [i for i, w in enumerate(words) if w not in known])).tolist())
    if unknown:
        raise BadRows("segments", (BadRow("segment", "not among the labels", unknown),), "name every segment in labels")
    counts_of = np.bincount(codes[codes >= 0], minlength=len(words))
    there = {w for w, count in zip(words, counts_of, strict=True) if count}
    kept = names if labels is not None else [w for w in names if w in there]
    to = np.full(len(words) + 1, -1, np.int64)
    place = {w: i for i, w in enumerate(kept)}
    to[:-1] = [place.get(w, -1) for w in words]
    return to[codes], tuple(kept)


def _same_length(codes: NDArray[np.int64], n: int) -> None:
    if codes.shape != (n,):
        raise OutOfRange("len(segments)", codes.shape, f"{n}, one an answer", "pass the segment of every answer")


def _whole_codes(
    codes: NDArray[np.int64], labels: Sequence[str] | None, n: int
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    _same_length(codes, n)
    top = int(codes.max(initial=-1)) + 1
    if labels is not None:
        if top > len(labels):
            rows = tuple(np.flatnonzero(codes >= len(labels)).tolist())
            reason = f"a code above the last label {len(labels) - 1}"
            raise BadRows("segments", (BadRow("segment", reason, rows),), "name every code in labels")
        return np.maximum(codes, -1), tuple(labels)
    # A table over the codes is far faster than sorting them, unless they are customer numbers or the like.
    if top <= 4 * n + 1000:
        there = np.bincount(codes[codes >= 0], minlength=top) > 0
        to = np.append(np.where(there, np.cumsum(there) - 1, -1), -1)
        return to[np.maximum(codes, -1)], tuple(map(str, np.flatnonzero(there).tolist()))
    values, inverse = np.unique(np.maximum(codes, -1), return_inverse=True)
    shift = int(values[0] == -1)
    return inverse - shift, tuple(map(str, values[shift:].tolist()))
