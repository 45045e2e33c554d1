"""The two parts of every table: dictionary-encoded text, and the index of customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import DuplicateIds

__all__ = ["CustomerIndex", "TextColumn"]


@attrs.frozen(eq=False, repr=False)
class TextColumn:
    """Text of n rows, dictionary-encoded: `values[codes[i]]` is row i, code -1 means missing."""

    codes: NDArray[np.int32]  # (n,)
    values: tuple[str, ...]  # distinct, in order of first appearance

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str | None:
        code = self.codes[row]
        return None if code < 0 else self.values[code]

    def __repr__(self) -> str:
        return f"TextColumn({len(self.codes)} rows, {len(self.values)} values)"

    @classmethod
    def of(cls, cells: Sequence[str | None]) -> TextColumn:
        """Encode cells; None and empty text are missing.

        Examples
        --------
        >>> TextColumn.of(["bath", None, "bath"]).codes.tolist()
        [0, -1, 0]
        """
        values = tuple(v for v in dict.fromkeys(cells) if v)
        code: dict[str | None, int] = {None: -1, "": -1, **{v: i for i, v in enumerate(values)}}
        codes = np.fromiter(map(code.__getitem__, cells), np.int32, len(cells))
        codes.flags.writeable = False
        return cls(codes, values)

    @classmethod
    def empty(cls, n: int) -> TextColumn:
        """Encode n missing cells."""
        return cls(np.full(n, -1, np.int32), ())

    def to_list(self) -> list[str | None]:
        """Decode all rows."""
        words = np.array([*self.values, None], dtype=object)
        return list(words[self.codes])

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> TextColumn:
        """Select rows by position or mask; the dictionary is shared."""
        return TextColumn(self.codes[rows], self.values)

    def equals(self, word: str) -> NDArray[np.bool_]:
        """(n,) whether each row is exactly `word`; a missing row is not.

        Examples
        --------
        >>> TextColumn.of(["line", None, "sms"]).equals("line").tolist()
        [True, False, False]
        """
        known = self.values.index(word) if word in self.values else -2
        mask: NDArray[np.bool_] = self.codes == known
        return mask

    def numbers(self) -> NDArray[np.float64]:
        """(n,) numbers that the text spells; NaN where it is missing or spells none.

        Examples
        --------
        >>> TextColumn.of(["2.5", None, "two"]).numbers().tolist()
        [2.5, nan, nan]
        """
        spelled = np.full(len(self.values) + 1, np.nan)
        for i, value in enumerate(self.values):
            try:
                spelled[i] = float(value)
            except ValueError:
                continue
        return spelled[self.codes]

    def compact(self) -> TextColumn:
        """Drop words that no row uses and order the rest by first appearance."""
        used, first = np.unique(self.codes, return_index=True)
        used, first = used[used >= 0], first[used >= 0]
        order = used[np.argsort(first, kind="stable")]
        to = np.full(len(self.values) + 1, -1, np.int32)
        to[order] = np.arange(len(order), dtype=np.int32)
        return TextColumn(to[self.codes], tuple(self.values[i] for i in order))


@attrs.frozen(eq=False, repr=False)
class CustomerIndex:
    """The customers of one population: code -> id, shared by every table of a run.

    Examples
    --------
    >>> index = CustomerIndex.of(["c2", "c1", "c2"])
    >>> index, index.ids, index.codes(["c1", "c9", None]).tolist()
    (CustomerIndex(2 customers), ('c1', 'c2'), [0, -1, -1])
    """

    ids: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        if len(self._position) != len(self.ids):
            again = tuple(i for i, name in enumerate(self.ids) if self._position[name] != i)
            raise DuplicateIds("customers", len(again), again, "name each customer once, or use CustomerIndex.of(ids)")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"CustomerIndex({len(self.ids)} customers)"

    def __contains__(self, customer: object) -> bool:
        return customer in self._position

    def __getitem__(self, code: int) -> str:
        return self.ids[code]

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: i for i, name in reversed(list(enumerate(self.ids)))}

    @classmethod
    def of(cls, ids: Iterable[str | None]) -> CustomerIndex:
        """Index distinct ids in their sorted order, so that shuffled rows give the same codes; None is left out."""
        return cls(tuple(sorted({i for i in ids if i is not None})))

    def code(self, customer: str) -> int:
        """Code of one customer, -1 where the index does not know the id."""
        return self._position.get(customer, -1)

    def codes(self, ids: Sequence[str | None]) -> NDArray[np.int32]:
        """(n,) code of each id; -1 where it is None or unknown."""
        known = self._position
        return np.fromiter((known.get(i, -1) if i is not None else -1 for i in ids), np.int32, len(ids))

    def extended(self, ids: Iterable[str | None]) -> CustomerIndex:
        """Index that also knows `ids`: old codes stay valid, new ids follow in sorted order."""
        new = sorted({i for i in ids if i is not None and i not in self._position})
        return CustomerIndex((*self.ids, *new)) if new else self
