"""Columnar tables: frozen classes over read-only numpy columns that share one index of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["CustomerIndex", "RecordTable", "TextColumn"]


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
        seen: dict[str | None, int] = {None: -1, "": -1}
        codes = np.fromiter((seen.setdefault(c, len(seen) - 2) for c in cells), np.int32, len(cells))
        codes.flags.writeable = False
        return cls(codes, tuple(v for v in seen if v))

    def to_list(self) -> list[str | None]:
        """Decode all rows."""
        words = np.array([*self.values, None], dtype=object)
        return list(words[self.codes])


@attrs.frozen(eq=False, repr=False)
class CustomerIndex:
    """The customers of one population: code -> id, shared by every table of a run."""

    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"CustomerIndex({len(self.ids)} customers)"


@attrs.frozen(eq=False, repr=False)
class RecordTable:
    """Records of one or more sources as they were read: row i of every column is the same record.

    `record_id` is unique over all sources, written `source:id`; `time` is when the record was made or last changed
    (UTC, NaT where unknown). Columns keep the raw text; several sources' columns of one name are one column.
    """

    record_id: NDArray[np.object_]  # (n,)
    source: NDArray[np.int32]  # (n,) code into sources
    sources: tuple[str, ...]
    time: NDArray[np.datetime64]  # (n,) datetime64[us], NaT = unknown
    columns: Mapping[str, TextColumn]

    def __len__(self) -> int:
        return len(self.record_id)

    def __repr__(self) -> str:
        return f"RecordTable({len(self)} records, {len(self.sources)} sources, columns {list(self.columns)})"
