"""Columns of mixed tables as models read them: numbers with NaN where missing, words with a code of -1."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._frames import Frame, read_frame
from crmcore.errors import BadRow, BadRows, EmptyInput, MissingColumn, OutOfRange, UnknownName, WrongType
from crmcore.metrics.columns import truths
from crmcore.tables.columns import TextColumn

__all__ = ["Features", "check_signs", "names_of", "read_features", "read_outcome", "read_weights"]

Floats = NDArray[np.float64]
_HINT = "turn dates into days since and lists into columns of their own; None is missing"


@attrs.frozen(eq=False, repr=False)
class Features:
    """Columns of one table by name; row i of every column is the same customer.

    Attributes
    ----------
    columns : by name
        (n,) floats with NaN where missing, or `TextColumn` of words.
    n : count
        Rows.
    """

    columns: Mapping[str, Floats | TextColumn]
    n: int

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        words = sum(isinstance(c, TextColumn) for c in self.columns.values())
        return f"Features({self.n} rows, {len(self.columns) - words} numbers, {words} words)"

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Features:
        """Select rows by position or mask."""
        kept = {n: c.take(rows) if isinstance(c, TextColumn) else c[rows] for n, c in self.columns.items()}
        return Features(kept, len(np.arange(self.n)[rows]))

    def number(self, name: str) -> Floats:
        """(n,) numbers of a column; words are refused."""
        column = self._known(name)
        if isinstance(column, TextColumn):
            raise WrongType(f"column {name!r}", "a column of words", "numbers, as when the model was made", _HINT)
        return column

    def word(self, name: str) -> TextColumn:
        """Words of a column; numbers are written as words, whole ones without ".0"."""
        column = self._known(name)
        return column if isinstance(column, TextColumn) else _as_words(column)

    def _known(self, name: str) -> Floats | TextColumn:
        if name not in self.columns:
            raise MissingColumn(name, tuple(self.columns), "the features")
        return self.columns[name]


def read_features(
    frame: Any, /, *, words: Collection[str] = (), leave_out: Collection[str] = (), empty_ok: bool = False
) -> Features:
    """Read any frame: text is words, numbers and truths are numbers.

    Parameters
    ----------
    frame
        Any frame, a dict of columns, or a list of dicts.
    words : names
        Columns of numbers that are names of things, such as a postal code.
    leave_out : names
        Columns that say nothing about a customer, such as the id.
    empty_ok : truth
        Let a table without rows pass.

    Raises
    ------
    BadRows
        Infinite numbers, dates, mixtures of text and numbers: every row of every column at once.
    EmptyInput, MissingColumn
        No rows or no columns; names that the frame does not have.

    Examples
    --------
    >>> read_features({"plan": ["basic", None], "months": [3, 14]})
    Features(2 rows, 1 numbers, 1 words)
    """
    if isinstance(frame, Features):
        return _again(frame, names_of(words), names_of(leave_out))
    words, leave_out = names_of(words), names_of(leave_out)
    read = read_frame(frame)
    for name in (*words, *leave_out):
        if name not in read.columns:
            raise MissingColumn(name, read.columns)
    names = [name for name in read.columns if name not in leave_out]
    if not (len(read) or empty_ok) or not names:
        raise EmptyInput("features", "pass at least one row and one column that says something about it")
    problems: list[BadRow] = []
    columns: dict[str, Floats | TextColumn] = {}
    for name in names:
        columns[name] = _column(read, name, name in words, problems)
    if problems:
        raise BadRows("features", tuple(problems), _HINT)
    return Features(columns, len(read))


def names_of(names: Collection[str], /) -> Collection[str]:
    """Names of columns; one name alone is a list of one.

    Examples
    --------
    >>> names_of("customer"), names_of(["customer"])
    (('customer',), ['customer'])
    """
    return (names,) if isinstance(names, str) else names


def _again(features: Features, words: Collection[str], leave_out: Collection[str]) -> Features:
    """Features that were read before, with other columns as words or left out."""
    if not words and not leave_out:
        return features
    kept = {name: column for name, column in features.columns.items() if name not in leave_out}
    if not kept:
        raise EmptyInput("features", "leave at least one column in")
    return Features({**kept, **{name: features.word(name) for name in words if name not in leave_out}}, features.n)


def _column(read: Frame, name: str, as_word: bool, problems: list[BadRow]) -> Floats | TextColumn:
    if as_word:
        codes, values = read.text(name)
        return TextColumn(codes, values)
    cells = read.column(name)
    kinds = {type(c) for c in cells} - {type(None)}
    if kinds and all(issubclass(k, str) for k in kinds):
        return TextColumn.of([None if c is None else str(c) for c in cells])
    if not all(issubclass(k, int | float | Decimal) for k in kinds):
        odd = [i for i, c in enumerate(cells) if not (c is None or isinstance(c, int | float | Decimal))]
        reason = f"{type(cells[odd[0]]).__name__} where a number is expected"
        problems.append(BadRow(name, reason, tuple(odd)))
        return np.zeros(len(cells))
    column = np.array([_float(c) for c in cells])
    if np.isinf(column).any():
        problems.append(BadRow(name, "infinite or too large", tuple(np.flatnonzero(np.isinf(column)).tolist())))
    return column


def _float(cell: Any) -> float:
    try:
        return np.nan if cell is None else float(cell)
    except OverflowError:
        return np.inf


def _as_words(column: Floats) -> TextColumn:
    def word(x: float) -> str | None:
        return None if x != x else str(int(x)) if x.is_integer() and abs(x) < 1e15 else repr(x)

    return TextColumn.of([word(x) for x in column.tolist()])


def read_outcome(
    frame: Any,
    outcome: str | ArrayLike,
    /,
    *,
    weights: ArrayLike | None = None,
    words: Collection[str] = (),
    leave_out: Collection[str] = (),
) -> tuple[Features, Floats, Floats]:
    """Read features, what happened (0 or 1) and weights of the same rows.

    `outcome` is a column of truths, or the name of one in the frame: there it is no feature.

    Raises
    ------
    OutOfRange
        Another number of rows, an outcome that is the same everywhere, a feature that is the outcome.

    Examples
    --------
    >>> features, happened, _ = read_outcome({"months": [3, 14], "left": [True, False]}, "left")
    >>> features, happened
    (Features(2 rows, 1 numbers, 0 words), array([1., 0.]))
    """
    if isinstance(outcome, str):
        if isinstance(frame, Features):
            raise WrongType("outcome", "a name", "a column of truths", "pass the column beside features that were read")
        read = read_frame(frame)
        if outcome not in read.columns:
            raise MissingColumn(outcome, read.columns)
        named, leave_out = outcome, (*names_of(leave_out), outcome)
        frame, outcome = read, np.array(read.column(outcome), object)
    else:
        named = "outcome"
    features = read_features(frame, words=words, leave_out=leave_out)
    happened = truths(named, outcome).astype(np.float64)
    if len(happened) != len(features):
        raise OutOfRange(f"len({named})", len(happened), f"{len(features)}, as the features", "one truth a row")
    weight = read_weights(weights, happened)
    if len(happened) >= 10:  # of fewer rows a column may equal the outcome by chance
        for name, column in features.columns.items():
            if not isinstance(column, TextColumn) and np.array_equal(column, happened):
                hint = "name it as the outcome, or leave it out: it is what shall be predicted"
                raise OutOfRange(f"column {name!r}", "the outcome itself", "what was known before it", hint)
    return features, happened, weight


def read_weights(weights: ArrayLike | None, happened: Floats, /) -> Floats:
    """(n,) weights of rows, 1 where none are given; both outcomes must carry weight."""
    from crmcore.metrics.columns import not_negative, numbers

    weight = np.ones(len(happened)) if weights is None else numbers("weights", weights)
    if len(weight) != len(happened):
        raise OutOfRange("len(weights)", len(weight), f"{len(happened)}, as the outcome", "one weight a row")
    not_negative("weights", weights=weight)
    for value, word in ((1.0, "happened"), (0.0, "did not happen")):
        if not weight[happened == value].sum() > 0:
            hint = f"no row where it {word}: pass rows of both kinds, or no model can tell them apart"
            raise OutOfRange("outcome", "the same for all rows", "rows of both kinds", hint)
    return weight


def check_signs(signs: Mapping[str, int], features: Features, /) -> None:
    """Refuse signs of columns that are not there or are words, and what is neither +1 nor -1."""
    for name, sign in signs.items():
        one_name(name, features.columns, "column with a sign")
        if sign not in (-1, 1):
            raise OutOfRange(f"sign of {name!r}", sign, "+1 or -1", "leave the column out of `signs` where it is free")
        if isinstance(features.columns[name], TextColumn):
            hint = "give the levels numbers in their order"
            raise OutOfRange(f"column {name!r}", "words", "numbers, for a sign means an order", hint)


def one_name(name: str, known: Collection[str], what: str) -> None:
    """Refuse a name of a column that the features do not have."""
    if name not in known:
        raise UnknownName(what, name, tuple(known))
