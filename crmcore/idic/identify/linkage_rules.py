"""Rules: what people decided about records and fields, as plain data that holds in every run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import MissingColumn, UnknownName
from crmcore.linkage.constraints import Constraints
from crmcore.linkage.records import Records

__all__ = ["Rules"]


def _pairs(given: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(a), str(b)) for a, b in given)


def _words(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Rules:
    """What people decided, by record id and field name: it holds in every run and is plain data.

    Attributes
    ----------
    must_link, must_not_link : pairs of record ids ("source:id")
        Decisions about two records; they hold through others.
    one_to_one : source names
        Sources without duplicates: a customer has at most one record there.
    max_values : field -> k
        At most k distinct values in one profile (`{"identifier": 1}`).
    max_profiles : field -> m
        A value shared by more than m profiles identifies nobody and is left out of the evidence.
    blocked_values : kind -> values
        Values that belong to nobody, such as the shop's own telephone.

    Examples
    --------
    >>> Rules(must_not_link=[("web:1", "web:2")], max_values={"identifier": 1}).max_values
    {'identifier': 1}
    """

    must_link: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    must_not_link: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    one_to_one: tuple[str, ...] = attrs.field(default=(), converter=_words)
    max_values: Mapping[str, int] = attrs.field(factory=dict)
    max_profiles: Mapping[str, int] = attrs.field(factory=dict)
    blocked_values: Mapping[str, Collection[str]] = attrs.field(factory=dict)

    def bind(self, records: Records) -> Constraints | None:
        """Translate to row numbers; decisions about records that are not here wait for them.

        Raises
        ------
        UnknownName
            A source that no record has.
        MissingColumn
            A field that the records lack.
        """
        if not (self.must_link or self.must_not_link or self.one_to_one or self.max_values):
            return None
        row = {str(r): i for i, r in enumerate(records.ids)}
        for source in self.one_to_one:
            if source not in records.sources:
                raise UnknownName("source", source, records.sources)
        held = {c.name: c for c in records.columns}
        for name in self.max_values:
            if name not in held:
                raise MissingColumn(name, tuple(held), "the records")
        return Constraints(
            must_link=_rows(self.must_link, row),
            must_not_link=_rows(self.must_not_link, row),
            source=records.source,
            one_to_one=[records.sources.index(s) for s in self.one_to_one],
            max_values={name: (held[name].codes, most) for name, most in self.max_values.items()},
        )


def _rows(pairs: Sequence[tuple[str, str]], row: Mapping[str, int]) -> NDArray[np.int64]:
    known = [(row[a], row[b]) for a, b in pairs if a in row and b in row]
    return np.array(known, np.int64).reshape(-1, 2)
