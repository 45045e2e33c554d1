"""Expressions evaluated over columns: the same answers as for one subject, a million at a time."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import singledispatchmethod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.rules.event_columns import EventRows, followed, measured, switched
from crmcore.rules.fact_table import Cells, FactTable
from crmcore.rules.fitting import combined_kind, misfit, number_in, text_test, wrong_part
from crmcore.rules.kinds import FLAG, NUMBER, TAGS, TEXT, TIME, Kind, Scalar, Sort, comparable, instant_us
from crmcore.rules.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    AsNumber,
    Assumed,
    Between,
    Call,
    Choose,
    Compare,
    Condition,
    Default,
    EventMeasure,
    Field,
    Has,
    IsIn,
    IsKnown,
    IsTrue,
    Literal,
    Node,
    Not,
    Now,
    Term,
    TextMatch,
    YearsSince,
)
from crmcore.rules.sequences import Follows, Switches, misplaced
from crmcore.rules.truth import Truth
from crmcore.rules.vocabulary import Vocabulary

__all__ = ["Evaluation", "TruthColumn", "years_column"]

Bools = NDArray[np.bool_]
UNKNOWN = Cells(np.array(np.nan), None)


@attrs.frozen(eq=False, repr=False)
class TruthColumn:
    """Truth of n subjects: what is neither true nor false is unknown.

    Examples
    --------
    >>> column = TruthColumn(np.array([True, False, False]), np.array([False, True, False]))
    >>> column, column[2], (~column)[0]
    (TruthColumn(1 true, 1 false, 1 unknown), <Truth.UNKNOWN: 'unknown'>, <Truth.FALSE: 'false'>)
    """

    true: Bools
    false: Bools

    @property
    def known(self) -> Bools:
        """(n,) whether it is true or false."""
        return self.true | self.false

    @property
    def unknown(self) -> Bools:
        """(n,) whether it is neither."""
        return ~self.known

    def __len__(self) -> int:
        return len(self.true)

    def __getitem__(self, row: int) -> Truth:
        return Truth.TRUE if self.true[row] else Truth.FALSE if self.false[row] else Truth.UNKNOWN

    def __and__(self, other: TruthColumn) -> TruthColumn:
        return TruthColumn(self.true & other.true, self.false | other.false)

    def __or__(self, other: TruthColumn) -> TruthColumn:
        return TruthColumn(self.true | other.true, self.false & other.false)

    def __invert__(self) -> TruthColumn:
        return TruthColumn(self.false, self.true)

    def counts(self) -> Mapping[Truth, int]:
        """How many are true, false and unknown."""
        yes, no = int(self.true.sum()), int(self.false.sum())
        return {Truth.TRUE: yes, Truth.FALSE: no, Truth.UNKNOWN: len(self) - yes - no}

    def to_list(self) -> list[Truth]:
        """Truth of every subject."""
        words = np.array([Truth.UNKNOWN, Truth.TRUE, Truth.FALSE], object)
        return list(words[self.true.astype(np.int8) + 2 * self.false.astype(np.int8)])

    def __repr__(self) -> str:
        shown = ", ".join(f"{n} {truth}" for truth, n in self.counts().items())
        return f"TruthColumn({shown})"


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul,
}  # fmt: skip


class Evaluation:
    """One reading of one table at one instant; what several conditions ask for is computed once."""

    def __init__(self, rows: FactTable | EventRows, now: datetime | float, vocabulary: Vocabulary) -> None:
        self.rows = rows
        self.now = float(now) if isinstance(now, int | float) else instant_us(now, "now")
        self.vocabulary = vocabulary
        self._terms: dict[object, Cells] = {}
        self._truths: dict[object, TruthColumn] = {}

    def truth(self, node: Condition) -> TruthColumn:
        """(n,) truth of a condition."""
        found = self._answer(node)
        n = len(self.rows)
        if found.true.shape == (n,):
            return found
        return TruthColumn(np.broadcast_to(found.true, (n,)), np.broadcast_to(found.false, (n,)))

    def cells(self, node: Term) -> Cells:
        """Values of a term, kept for whoever asks again."""
        if isinstance(node, Literal):
            return _constant(node)
        key = node.key()
        if key not in self._terms:
            with np.errstate(all="ignore"):
                self._terms[key] = self._read(node)
        return self._terms[key]

    def _answer(self, node: Condition) -> TruthColumn:
        if isinstance(node, AllOf | AnyOf | Not | Assumed | Between):  # cheap; their parts are kept
            return self._ask(node)
        key = node.key()
        if key not in self._truths:
            self._truths[key] = self._ask(node)
        return self._truths[key]

    # --- terms ---

    @singledispatchmethod
    def _read(self, node: Term) -> Cells:
        raise TypeError(type(node).__name__)  # pragma: no cover - every term has its column

    @_read.register
    def _(self, node: Field) -> Cells:
        return self.rows.columns.get(node.name, UNKNOWN)

    @_read.register
    def _(self, _node: Now) -> Cells:
        return Cells(np.array(self.now), TIME)

    @_read.register
    def _(self, node: Arithmetic) -> Cells:
        left, right = self.cells(node.left), self.cells(node.right)
        kind: Kind | None = None
        if left.kind is not None and right.kind is not None:
            kind = combined_kind(node, left.kind, right.kind)
        elif left.words is not None or right.words is not None:
            return UNKNOWN
        if node.op == "/":
            made = left.data / np.where(right.data == 0, np.nan, right.data)
        else:
            made = _OPERATORS[node.op](left.data, right.data)
        return Cells(np.asarray(made), kind)

    @_read.register
    def _(self, node: EventMeasure) -> Cells:
        return measured(node, self.rows, self.now, lambda rows: self._where(node, rows))

    @_read.register
    def _(self, node: Switches) -> Cells:
        where = None if node.where is None else lambda rows: self._where(node, rows)
        return switched(node, self.rows, self.now, where)

    def _where(self, node: EventMeasure | Switches | Follows, rows: EventRows) -> Bools:
        assert node.where is not None
        return Evaluation(rows, self.now, self.vocabulary).truth(node.where).true

    @_read.register
    def _(self, node: YearsSince) -> Cells:
        part = self.cells(node.part)
        if part.kind is not None and part.kind.sort is not Sort.TIME:
            wrong_part(node, part.kind, "a date or an instant")
        return Cells(years_column(part.data, self.now), NUMBER)

    @_read.register
    def _(self, node: Default) -> Cells:
        part, fallback = self._same(node, self.cells(node.part), self.cells(node.fallback))
        return Cells(np.where(part.known, part.data, fallback.data), part.kind, part.words)

    @_read.register
    def _(self, node: Choose) -> Cells:
        when = self._answer(node.when)
        then, otherwise = self._same(node, self.cells(node.then), self.cells(node.otherwise))
        missing = np.nan if then.words is None else np.int32(-1)
        chosen = np.where(when.true, then.data, np.where(when.false, otherwise.data, missing))
        return Cells(chosen, then.kind, then.words)

    def _same(self, node: Node, left: Cells, right: Cells) -> tuple[Cells, Cells]:
        """Both in one kind, and texts with one dictionary."""
        _check_kinds(node, "==", left, right)
        kind = left.kind or right.kind
        if left.words is None and right.words is None:
            return Cells(left.data, kind), Cells(right.data, kind)
        a, b = _as_codes(left), _as_codes(right)
        words = tuple(dict.fromkeys((*a.words, *b.words)))  # type: ignore[misc]
        return Cells(_recoded(a, words), kind, words), Cells(_recoded(b, words), kind, words)

    @_read.register
    def _(self, node: AsNumber) -> Cells:
        part = self.cells(node.part)
        if part.kind is not None and part.kind.sort not in (Sort.TEXT, Sort.NUMBER):
            wrong_part(node, part.kind, "text or a number")
        if part.words is None:
            return part if part.kind is not None else UNKNOWN
        spelled = [number_in(str(w)) for w in part.words]
        return Cells(np.array([np.nan if v is None else v for v in spelled] + [np.nan])[part.data], NUMBER)

    @_read.register
    def _(self, node: Call) -> Cells:
        function = self.vocabulary[node.name]
        parts = [self.cells(a) for a in node.args]
        shape = np.broadcast_shapes(*(p.data.shape for p in parts)) if parts else (len(self.rows),)
        known = np.ones(shape, np.bool_)
        for part in parts:
            known &= part.known
        arrays = [np.atleast_1d(np.broadcast_to(_decoded(p), shape)) for p in parts]
        return Cells(function.column(arrays, np.atleast_1d(known)).reshape(shape), function.kind)

    # --- conditions ---

    @singledispatchmethod
    def _ask(self, node: Condition) -> TruthColumn:
        raise TypeError(type(node).__name__)  # pragma: no cover - every condition has its column

    @_ask.register
    def _(self, node: Compare) -> TruthColumn:
        left, right = self.cells(node.left), self.cells(node.right)
        _check_kinds(node, node.op, left, right)
        if left.words is not None or right.words is not None:
            left, right = _paired(left, right)
        return _compared(_OPERATORS[node.op], left, right)

    @_ask.register
    def _(self, node: Between) -> TruthColumn:
        low, high = node.halves()
        return self._answer(low) & self._answer(high)

    @_ask.register
    def _(self, node: IsIn) -> TruthColumn:
        part = self.cells(node.part)
        for choice in node.choices:
            _check_kinds(node, "==", part, _constant(choice))
        held = frozenset(c.held for c in node.choices)
        if part.words is not None:
            return _looked_up(part, lambda word: word in held)
        numbers = np.array([v for v in held if isinstance(v, float)])
        return _split(np.isin(part.data, numbers), part.known)

    @_ask.register
    def _(self, node: TextMatch) -> TruthColumn:
        part, test = self.cells(node.part), text_test(node)
        if part.kind is not None and part.kind is not TEXT:
            wrong_part(node, part.kind, "text")
        return _looked_up(_as_codes(part), lambda word: test(str(word)))

    @_ask.register
    def _(self, node: Has) -> TruthColumn:
        part = self.cells(node.part)
        if part.kind is not None and part.kind is not TAGS:
            wrong_part(node, part.kind, "a set of labels")
        return _looked_up(_as_codes(part), lambda word: isinstance(word, frozenset) and node.label in word)

    @_ask.register
    def _(self, node: IsKnown) -> TruthColumn:
        known = self.cells(node.part).known
        return TruthColumn(known, ~known)

    @_ask.register
    def _(self, node: IsTrue) -> TruthColumn:
        part = self.cells(node.part)
        if part.kind is not None and part.kind is not FLAG:
            wrong_part(node, part.kind, "a flag")
        return _split(part.data == 1, part.known)

    @_ask.register
    def _(self, node: Follows) -> TruthColumn:
        if not isinstance(self.rows, EventRows):
            misplaced(node)
        where = None if node.where is None else lambda rows: self._where(node, rows)
        found = followed(node, self.rows, self.now, where)
        return TruthColumn(found, ~found)

    @_ask.register
    def _(self, node: AllOf) -> TruthColumn:
        found = TruthColumn(np.array(True), np.array(False))
        for part in node.parts:
            found = found & self._answer(part)
        return found

    @_ask.register
    def _(self, node: AnyOf) -> TruthColumn:
        found = TruthColumn(np.array(False), np.array(True))
        for part in node.parts:
            found = found | self._answer(part)
        return found

    @_ask.register
    def _(self, node: Not) -> TruthColumn:
        return ~self._answer(node.part)

    @_ask.register
    def _(self, node: Assumed) -> TruthColumn:
        part = self._answer(node.part)
        return TruthColumn(~part.false, part.false) if node.answer else TruthColumn(part.true, ~part.true)


# --- kernels over cells ----------------------------------------------------------------------------------------------


def _constant(node: Literal) -> Cells:
    if isinstance(node.held, float):
        return Cells(np.array(node.held), node.kind)
    return Cells(np.array(0, np.int32), node.kind, (node.held,))


def _check_kinds(node: Node, op: str, left: Cells, right: Cells) -> None:
    if left.kind is not None and right.kind is not None:
        reason = comparable(op, left.kind, right.kind)
        if reason is not None:
            misfit(node, reason, left.kind, right.kind)


def _compared(test: Callable[[Any, Any], Any], left: Cells, right: Cells) -> TruthColumn:
    true = np.asarray(test(left.data, right.data))
    known: Bools = left.known & right.known
    return _split(true, known)


def _split(true: NDArray[Any], known: Bools) -> TruthColumn:
    yes = np.asarray(true & known)
    return TruthColumn(yes, np.asarray(known & ~yes))


def _as_codes(cells: Cells) -> Cells:
    """Text of a column that holds nothing known."""
    return cells if cells.words is not None else Cells(np.full(cells.data.shape, -1, np.int32), cells.kind, ())


def _paired(left: Cells, right: Cells) -> tuple[Cells, Cells]:
    """Texts of two columns in the codes of one dictionary: that of the left, extended."""
    a, b = _as_codes(left), _as_codes(right)
    known = {word: i for i, word in enumerate(a.words or ())}
    to = [known.setdefault(word, len(known)) for word in b.words or ()]
    return a, Cells(np.array([*to, -1], np.int32)[b.data], b.kind, tuple(known))


def _recoded(cells: Cells, words: tuple[Scalar, ...]) -> NDArray[np.int32]:
    position = {word: i for i, word in enumerate(words)}
    codes: NDArray[np.int32] = np.array([*(position[w] for w in cells.words or ()), -1], np.int32)[cells.data]
    return codes


def _looked_up(cells: Cells, test: Callable[[Scalar], bool]) -> TruthColumn:
    """Ask a predicate once per distinct word."""
    answers = np.array([*(test(word) for word in cells.words or ()), False], np.bool_)
    return _split(np.asarray(answers[cells.data]), cells.known)


def _decoded(cells: Cells) -> NDArray[Any]:
    if cells.words is None:
        return cells.data
    words = np.empty(len(cells.words) + 1, object)
    words[: len(cells.words)] = cells.words
    return np.asarray(words[cells.data], object)


def years_column(start_us: NDArray[np.float64], now_us: float, /) -> NDArray[np.float64]:
    """(n,) whole calendar years (UTC) from instants to `now`; NaN where unknown or outside the years 1 to 9999.

    Parameters
    ----------
    start_us : (n,) microseconds since 1970 UTC
    now_us : the same of now
    """
    low, high = -62_135_596_800e6, 253_402_300_800e6
    good = (start_us >= low) & (start_us < high)
    at = np.where(good, start_us, 0).astype(np.int64).astype("M8[us]")
    here = np.array(int(now_us)).astype("M8[us]")
    years = here.astype("M8[Y]").astype(np.int64) - at.astype("M8[Y]").astype(np.int64)
    early = _in_year(here) < _in_year(at)
    return np.asarray(np.where(good, (years - early).astype(np.float64), np.nan))


def _in_year(at: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Place within a year of 12 months of 32 days, so that 29 February lies between 28 February and 1 March."""
    month, day = at.astype("M8[M]"), at.astype("M8[D]")
    months = (month - at.astype("M8[Y]").astype("M8[M]")).astype(np.int64)
    days = (day - month.astype("M8[D]")).astype(np.int64)
    clock = (at - day.astype("M8[us]")).astype(np.int64)
    return np.asarray((months * 32 + days) * 86_400_000_000 + clock)
