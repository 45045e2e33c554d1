"""What people and rules say about who may be one entity, whatever the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import BadRow, BadRows, ConflictingConstraints, OutOfRange, WrongType
from crmcore.graphs import connected_parts

__all__ = ["Among", "Constraints", "crowded_values"]

Ints = NDArray[np.int64]
Bits = NDArray[np.uint32]

MUST_NOT, ONE_TO_ONE, FIRST_LIMIT = 0, 1, 2  # bits of a bar


def _as_pairs(pairs: Sequence[tuple[int, int]] | Ints) -> Ints:
    found = np.asarray(pairs, np.int64)
    return found.reshape(-1, 2) if not found.size else found


def _as_codes(codes: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(c) for c in codes)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Constraints:
    """Orders that clustering obeys.

    Attributes
    ----------
    must_link, must_not_link : (q, 2) row numbers
        Pairs that somebody decided. They hold through others: if 1 is 2 and 2 is not 3, then 1 is not 3.
    source : (n,) codes, optional
        Source of each record; needed for `one_to_one`.
    one_to_one : source codes
        Sources in which a customer has at most one record.
    max_values : name -> (codes (n,), most)
        Identifier columns of which an entity holds at most `most` distinct values; code -1 is missing and never counts.

    Notes
    -----
    A must-link is one person's decision about one pair, a source or an identifier rule is general: where they meet the
    must-link wins, and the rule goes on to hold for everything else that could join.

    Examples
    --------
    >>> Constraints(must_link=[(0, 1)], must_not_link=[(1, 2)])
    Constraints(1 must-link, 1 must-not-link)
    """

    must_link: Ints = attrs.field(factory=lambda: np.zeros((0, 2), np.int64), converter=_as_pairs)
    must_not_link: Ints = attrs.field(factory=lambda: np.zeros((0, 2), np.int64), converter=_as_pairs)
    source: NDArray[np.integer] | None = None
    one_to_one: tuple[int, ...] = attrs.field(default=(), converter=_as_codes)
    max_values: Mapping[str, tuple[NDArray[np.integer], int]] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for name in ("must_link", "must_not_link"):
            pairs = getattr(self, name)
            if pairs.ndim != 2 or pairs.shape[1] != 2:
                raise WrongType(name, f"an array of shape {pairs.shape}", "(q, 2)", "give pairs of row numbers")
        if self.one_to_one and self.source is None:
            raise WrongType("source", "None", "the source code of each record", "one_to_one names codes of `source`")
        if len(self.max_values) > 32 - FIRST_LIMIT:
            raise OutOfRange("max_values", len(self.max_values), "at most 30 columns", "keep the strongest identifiers")
        for name, (_, most) in self.max_values.items():
            if most < 1:
                raise OutOfRange(f"max_values[{name!r}]", most, "1 and more", "leave the column out to lift the limit")

    def __repr__(self) -> str:
        parts = [f"{len(self.must_link)} must-link", f"{len(self.must_not_link)} must-not-link"]
        if self.one_to_one:
            parts.append(f"one-to-one sources {list(self.one_to_one)}")
        parts += [f"at most {most} {name}" for name, (_, most) in self.max_values.items()]
        return f"Constraints({', '.join(parts)})"

    @property
    def has_rules(self) -> bool:
        """Whether sources or identifiers forbid anything."""
        return bool(self.one_to_one or self.max_values)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Name of each bit of a bar."""
        return ("must_not_link", "one_to_one", *(f"max_values: {name}" for name in self.max_values))

    def reason(self, bits: int) -> str:
        """Names of the constraints in one bar."""
        return ", ".join(name for bit, name in enumerate(self.reasons) if bits >> bit & 1)

    def check(self, n: int) -> None:
        """Raise unless all rows exist and no decision contradicts another, be it through others."""
        problems = []
        for name in ("must_link", "must_not_link"):
            pairs = getattr(self, name)
            bad = np.flatnonzero(((pairs < 0) | (pairs >= n)).any(axis=1))
            if bad.size:
                problems.append(BadRow(name, f"a row outside 0 to {n - 1}", tuple(int(i) for i in bad)))
        if problems:
            raise BadRows("constraints", tuple(problems), "give row numbers of the records that are clustered")
        columns = {"source": self.source, **{name: codes for name, (codes, _) in self.max_values.items()}}
        for name, codes in columns.items():
            if codes is not None and np.shape(codes) != (n,):
                raise WrongType(name, f"an array of shape {np.shape(codes)}", f"({n},)", "give one code per record")
        together = connected_parts(n, *self.must_link.T)
        against = np.sort(self.must_not_link[together[self.must_not_link[:, 0]] == together[self.must_not_link[:, 1]]])
        if len(against):
            pairs = tuple(f"records {i} and {j}" for i, j in sorted({(int(i), int(j)) for i, j in against}))
            hint = "withdraw one of the decisions; a chain of must-links may join records that no single one names"
            raise ConflictingConstraints("must_link and must_not_link", pairs, hint)

    def moved(self, order: Ints, place: Ints) -> Constraints:
        """The same orders with record `order[i]` standing at place i."""
        return attrs.evolve(
            self,
            must_link=place[self.must_link],
            must_not_link=place[self.must_not_link],
            source=None if self.source is None else np.asarray(self.source)[order],
            max_values={name: (np.asarray(codes)[order], most) for name, (codes, most) in self.max_values.items()},
        )

    def rules(self, members: Ints) -> tuple[Bits, list[tuple[Ints, int, int]]]:
        """What sources and identifiers forbid among components of equal size.

        Parameters
        ----------
        members : (B, k) records

        Returns
        -------
        (B, k, k) bars between pairs, and the limits of `agglomerate` for columns with more than one value allowed
        """
        B, k = members.shape
        bars = np.zeros((B, k, k), np.uint32)
        if self.source is not None and self.one_to_one:
            source = self.source[members]
            once = np.isin(source, self.one_to_one)
            bars |= _bit((source[:, :, None] == source[:, None, :]) & once[:, :, None], ONE_TO_ONE)
        limits = []
        for bit, (codes, most) in enumerate(self.max_values.values(), FIRST_LIMIT):
            held = codes[members].astype(np.int64)
            if most > 1:
                limits.append((held, most, bit))
                continue
            differ = (held[:, :, None] != held[:, None, :]) & (held >= 0)[:, :, None] & (held >= 0)[:, None, :]
            bars |= _bit(differ, bit)
        bars[:, np.arange(k), np.arange(k)] = 0
        return bars, limits

    def among(self, members: Ints) -> Among:
        """The orders that concern one component, for `refine`.

        Parameters
        ----------
        members : (k,) row numbers
            In id order.
        """
        members = np.asarray(members, np.int64)
        by_row = np.argsort(members)
        must, must_not = (
            by_row[np.searchsorted(members[by_row], pairs[np.isin(pairs, members).all(axis=1)])]
            for pairs in (self.must_link, self.must_not_link)
        )
        bars, limits = self.rules(members[None])
        for i, j in ((0, 1), (1, 0)):
            bars[0, must_not[:, i], must_not[:, j]] |= 1 << MUST_NOT
        joined = connected_parts(len(members), *must.T)
        start = (joined[:, None] == joined).argmax(axis=1)
        return Among(start, bars[0], tuple((held[0], most, bit) for held, most, bit in limits))


@attrs.frozen(eq=False)
class Among:
    """Orders inside one component: groups to start from, bars between members, limits on values."""

    start: Ints  # (k,)
    bars: Bits  # (k, k)
    limits: tuple[tuple[Ints, int, int], ...]  # values (k,), most, bit


def crowded_values(labels: NDArray[np.integer], codes: NDArray[np.integer], most: int, /) -> Ints:
    """Values that too many entities share, such as a shop's own telephone number.

    Parameters
    ----------
    labels : (n,) codes
        Entity of each record.
    codes : (n,) codes
        Value of each record; -1 is missing.
    most : count
        Entities that may share a value.

    Returns
    -------
    (q,) codes held by more than `most` entities, ascending

    Examples
    --------
    >>> crowded_values(np.array([0, 1, 2, 2]), np.array([7, 7, 7, 3]), 2)
    array([7])
    """
    held = np.asarray(codes) >= 0
    value, entity = np.asarray(codes)[held].astype(np.int64), np.asarray(labels)[held].astype(np.int64)
    if not len(value):
        return np.zeros(0, np.int64)
    width = int(entity.max()) + 1
    packed = np.sort(value * width + entity)
    value = packed[np.r_[True, packed[1:] != packed[:-1]]] // width
    start = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
    entities = np.diff(np.r_[start, len(value)])
    return np.asarray(value[start][entities > most])


def _bit(where: NDArray[np.bool_], bit: int) -> Bits:
    return np.asarray(where.astype(np.uint32) << np.uint32(bit))
