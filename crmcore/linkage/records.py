"""Records as linkage sees them: normalised text columns, dictionary-encoded, one kind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import DuplicateIds, WrongType
from crmcore.linkage.fields import Kind
from crmcore.tables import TextColumn

__all__ = ["Column", "Records"]


@attrs.frozen(eq=False, repr=False)
class Column:
    """One field of all records, normalised for comparison."""

    name: str
    kind: Kind
    text: TextColumn

    def __repr__(self) -> str:
        return f"Column({self.name!r}, {self.kind.value}, {len(self.codes)} rows, {len(self.values)} values)"

    @property
    def codes(self) -> NDArray[np.int32]:
        """(n,) position of each record's value in `values`; -1 means missing."""
        return self.text.codes

    @property
    def values(self) -> tuple[str, ...]:
        """Distinct values."""
        return self.text.values

    @classmethod
    def of(cls, name: str, kind: Kind | str, cells: Sequence[str | None]) -> Column:
        """Encode cells; None and empty text are missing.

        Examples
        --------
        >>> Column.of("city", "city", ["bath", None, "bath"]).codes.tolist()
        [0, -1, 0]
        """
        return cls(name, Kind(kind), TextColumn.of(cells))


@attrs.frozen(eq=False, repr=False)
class Records:
    """Records to link: ids, the source of each, and encoded columns; row i of everything is the same record."""

    ids: NDArray[np.object_]  # (n,) unique text
    source: NDArray[np.int32]  # (n,) code of its source
    sources: tuple[str, ...]
    columns: tuple[Column, ...]

    def __attrs_post_init__(self) -> None:
        n = len(self.ids)
        for column in self.columns:
            if len(column.codes) != n:
                raise WrongType(
                    column.name, f"a column of {len(column.codes)} rows", f"{n} rows", "give one cell per id"
                )
        if len(set(self.ids.tolist())) != n:
            order = np.argsort(self.ids.astype(str), kind="stable")
            again = order[1:][self.ids[order][1:] == self.ids[order][:-1]]
            raise DuplicateIds("records", len(again), tuple(int(i) for i in np.sort(again)))

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Records({len(self)} records, {len(self.sources)} sources, fields {[c.name for c in self.columns]})"

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Sequence[str | None]],
        kinds: Mapping[str, Kind | str],
        *,
        ids: Sequence[str] | None = None,
        source: Sequence[str] | None = None,
    ) -> Records:
        """Build records from lists of normalised text, one per field named in `kinds`.

        Examples
        --------
        >>> Records.from_columns({"surname": ["lee", "li"]}, {"surname": "surname"})
        Records(2 records, 1 sources, fields ['surname'])
        """
        n = len(next(iter(columns.values()))) if columns else 0
        names = list(source) if source is not None else ["records"] * n
        known = {s: i for i, s in enumerate(sorted(set(names)))}
        return cls(
            np.array(list(ids) if ids is not None else [str(i) for i in range(n)], dtype=object),
            np.fromiter((known[s] for s in names), np.int32, n),
            tuple(known),
            tuple(Column.of(name, kind, columns[name]) for name, kind in kinds.items()),
        )

    @property
    def kinds(self) -> dict[str, Kind]:
        """Name -> kind of each column."""
        return {c.name: c.kind for c in self.columns}

    def take(self, rows: NDArray[np.intp]) -> Records:
        """Select rows, in the order given; dictionaries are shared."""
        columns = tuple(Column(c.name, c.kind, TextColumn(c.codes[rows], c.values)) for c in self.columns)
        return Records(self.ids[rows], self.source[rows], self.sources, columns)
