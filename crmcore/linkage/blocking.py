"""Which pairs of records are worth comparing: keys made of parts of values, blocks capped in size.

A key is one or two parts ("atoms") of values, such as the first three letters of the surname with the year of birth.
Records that share a key form a block; blocks larger than a cap are dropped block by block, so a rare surname blocks and
a common one does not. Which keys to run is chosen from the data: `plan` estimates, on a sample of probe records, how
many true pairs each key would find and at what cost, and takes them greedily.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import UnknownName
from crmcore.linkage.encode import atom_hashes
from crmcore.linkage.fields import DEFINITIONS, Kind
from crmcore.linkage.records import Records

__all__ = ["BlockingKey", "KeySpace", "block_pairs", "expand", "pack", "union", "unpack"]

Pairs = NDArray[np.uint64]
Hashes = NDArray[np.uint32]
Rows = NDArray[np.int64]

CAP = 30  # records in a block at most
PART = 1_000_000  # pairs made at a time: bounds memory, never changes a result
_MIX = np.uint64(0x9E3779B97F4A7C15)
_MIX2 = np.uint64(0xBF58476D1CE4E5B9)


@attrs.frozen(order=True)
class BlockingKey:
    """One blocking key: parts of one or two fields, written `surname/first 3 + birth date/whole`."""

    parts: tuple[tuple[str, str], ...]  # (field, atom)

    def __str__(self) -> str:
        return " + ".join(f"{field}/{atom}" for field, atom in self.parts)

    @classmethod
    def parse(cls, text: str) -> BlockingKey:
        """Read the written form.

        Examples
        --------
        >>> BlockingKey.parse("surname/first 3 + birth date/whole").parts
        (('surname', 'first 3'), ('birth date', 'whole'))
        """
        parts = (p.strip().rpartition("/") for p in text.split(" + "))
        return cls(tuple((field or atom, atom if field else "whole") for field, _, atom in parts))


NAMES = "names"  # the pseudo-field of given name and surname in either order


# Parts that stand alone, and pairs of parts, that find most people where no data can choose.
_ALONE = (
    (Kind.EMAIL, "whole"),
    (Kind.EMAIL, "local part"),
    (Kind.PHONE, "whole"),
    (Kind.PHONE, "last 6"),
    (Kind.IDENTIFIER, "whole"),
    (Kind.HANDLE, "whole"),
    (Kind.ORGANISATION, "whole"),
    (Kind.ORGANISATION, "sound"),
    (Kind.BIRTH_DATE, "whole"),
    (Kind.GIVEN_NAME, "whole"),
    (Kind.SURNAME, "whole"),
    (Kind.TEXT, "whole"),
)
_TOGETHER = (
    ((Kind.GIVEN_NAME, "sound"), (Kind.SURNAME, "sound")),
    ((Kind.GIVEN_NAME, "first 1"), (Kind.SURNAME, "whole")),
    ((Kind.GIVEN_NAME, "whole"), (Kind.SURNAME, "first 1")),
    ((Kind.GIVEN_NAME, "whole"), (Kind.BIRTH_DATE, "first 4")),
    ((Kind.GIVEN_NAME, "whole"), (Kind.POSTCODE, "whole")),
    ((Kind.SURNAME, "whole"), (Kind.POSTCODE, "whole")),
    ((Kind.GIVEN_NAME, "whole"), (Kind.CITY, "whole")),
    ((Kind.SURNAME, "whole"), (Kind.CITY, "whole")),
    ((Kind.STREET, "whole"), (Kind.STREET_NUMBER, "whole")),
    ((Kind.GIVEN_NAME, "whole"), (Kind.STREET, "whole")),
    ((Kind.SURNAME, "whole"), (Kind.STREET, "whole")),
    ((Kind.BIRTH_DATE, "whole"), (Kind.POSTCODE, "whole")),
)


def default_keys(fields: Mapping[str, Kind]) -> tuple[BlockingKey, ...]:
    """Keys for records that are still to come.

    Examples
    --------
    >>> [str(k) for k in default_keys({"mail": Kind.EMAIL})]
    ['mail/whole', 'mail/local part']
    """
    of: dict[Kind, list[str]] = {}
    for name, kind in fields.items():
        of.setdefault(kind, []).append(name)
    keys = [BlockingKey(((name, atom),)) for kind, atom in _ALONE for name in of.get(kind, [])]
    keys += [
        BlockingKey(((a, first), (b, second)))
        for (one, first), (two, second) in _TOGETHER
        for a in of.get(one, [])[:1]
        for b in of.get(two, [])[:1]
    ]
    if Kind.GIVEN_NAME in of and Kind.SURNAME in of:
        keys += [BlockingKey(((NAMES, "whole"),)), BlockingKey(((NAMES, "first 3"),))]
    if not keys:
        keys = [BlockingKey(((name, "whole"),)) for name in fields]
    return tuple(keys)


@attrs.frozen(eq=False, repr=False)
class KeySpace:
    """Parts of all records' values, hashed: (n,) uint32 per atom, 0 = none."""

    n: int
    atoms: dict[tuple[str, str], Hashes]

    @classmethod
    def of(cls, records: Records) -> KeySpace:
        """Hash every part that the kinds of the fields define."""
        atoms: dict[tuple[str, str], Hashes] = {}
        names: dict[Kind, dict[str, Hashes]] = {}
        for column in records.columns:
            wanted = DEFINITIONS[column.kind].atoms
            hashed = atom_hashes(column.values, wanted)
            for atom, values in hashed.items():
                atoms[column.name, atom] = np.append(values, np.uint32(0))[column.codes]
            names.setdefault(column.kind, {a: atoms[column.name, a] for a in wanted})
        if Kind.GIVEN_NAME in names and Kind.SURNAME in names:
            for atom in ("whole", "first 3"):
                a, b = names[Kind.GIVEN_NAME][atom], names[Kind.SURNAME][atom]
                both = a + b  # wraps; the same in either order
                atoms[NAMES, atom] = np.where((a != 0) & (b != 0), np.where(both == 0, 1, both), 0).astype(np.uint32)
        return cls(len(records), atoms)

    def every_key(self) -> list[BlockingKey]:
        """All single parts, and all pairs of parts of different fields."""
        single = [BlockingKey((a,)) for a in self.atoms]
        pairs = [
            BlockingKey(c)
            for c in combinations(self.atoms, 2)
            if c[0][0] != c[1][0] and NAMES not in (c[0][0], c[1][0])
        ]
        with_names = [
            BlockingKey((a, b))
            for a in self.atoms
            if a[0] == NAMES
            for b in self.atoms
            if b[0] != NAMES and not self._is_name(b[0])
        ]
        return single + pairs + with_names

    def check(self, keys: Sequence[BlockingKey]) -> None:
        """Raise unless all parts of the keys exist."""
        known = tuple(f"{field}/{atom}" for field, atom in self.atoms)
        for key in keys:
            for part in key.parts:
                if part not in self.atoms:
                    raise UnknownName("part of a blocking key", "/".join(part), known)

    def _is_name(self, field: str) -> bool:
        return (field, "sound") in self.atoms

    def values(self, key: BlockingKey, rows: Rows | None = None) -> Pairs:
        """(n,) uint64 value of a key for each record (or for `rows`), 0 = none."""
        parts = [self.atoms[p] if rows is None else self.atoms[p][rows] for p in key.parts]
        if len(parts) == 1:
            h = parts[0].astype(np.uint64) * _MIX
        else:
            h = (parts[0].astype(np.uint64) << np.uint64(32)) | parts[1]
            h *= _MIX
            h ^= h >> np.uint64(32)
            h *= _MIX2
        missing = parts[0] == 0
        for p in parts[1:]:
            missing |= p == 0
        h[missing] = 0
        return h


def pack(lo: NDArray[np.integer], hi: NDArray[np.integer], bits: int) -> Pairs:
    """Two row numbers in one uint64."""
    return (lo.astype(np.uint64) << np.uint64(bits)) | hi.astype(np.uint64)


def unpack(packed: Pairs, bits: int) -> tuple[Rows, Rows]:
    """Row numbers of packed pairs, lower first."""
    mask = np.uint64((1 << bits) - 1)
    return (packed >> np.uint64(bits)).astype(np.int64), (packed & mask).astype(np.int64)


def row_bits(n: int) -> int:
    """Bits that hold a row number below n."""
    return max(int(n - 1).bit_length(), 1)


def _blocks(values: Pairs, rows: Rows | None, bits: int) -> tuple[Rows, Rows, Rows]:
    """Sort records by key value: (row numbers in block order, starts, sizes) of the blocks of two or more.

    The upper bits of the key and the row number share one uint64, so one sort orders both; rows inside a block ascend.
    """
    at = np.flatnonzero(values)
    packed = (values[at] >> np.uint64(bits)) << np.uint64(bits)
    packed |= (at if rows is None else rows[at]).astype(np.uint64)
    packed.sort()
    key = packed >> np.uint64(bits)
    cut = np.flatnonzero(key[1:] != key[:-1]) + 1
    starts = np.concatenate([[0], cut]).astype(np.int64)
    sizes = np.diff(np.append(starts, len(packed)))
    keep = sizes >= 2
    return (packed & np.uint64((1 << bits) - 1)).astype(np.int64), starts[keep], sizes[keep]


def block_pairs(values: Pairs, *, n: int, cap: int = CAP) -> Iterator[Pairs]:
    """Pairs inside the blocks of one key, packed, in parts of bounded size.

    Parameters
    ----------
    values : (n,) uint64 key of each record, 0 = none
    n : number of records (it sets the packing)
    cap : blocks with more records are dropped

    Yields
    ------
    (m,) uint64 packed pairs, lower row first; `unpack(..., row_bits(n))` reads them
    """
    bits = row_bits(n)
    rows, starts, sizes = _blocks(values, None, bits)
    for a, b in expand(rows, starts[sizes <= cap], sizes[sizes <= cap]):
        yield pack(a, b, bits)


def expand(rows: Rows, starts: Rows, sizes: Rows, *, most: int = PART) -> Iterator[tuple[Rows, Rows]]:
    """All pairs inside blocks, about `most` at a time: blocks of one size together, a giant block in slices.

    Parameters
    ----------
    rows : row numbers in block order, ascending inside a block
    starts, sizes : of the blocks, in `rows`
    most : pairs in a part, about
    """
    for size in np.flatnonzero(np.bincount(sizes)).tolist() if len(sizes) else []:
        at = starts[sizes == size]
        pairs = size * (size - 1) // 2
        if pairs > most:
            for start in at.tolist():
                yield from _slices(rows[start : start + size], most)
            continue
        i, j = np.triu_indices(size, 1)
        step = max(most // pairs, 1)
        for part in range(0, len(at), step):
            members = rows[at[part : part + step, None] + np.arange(size)]
            yield members[:, i].ravel(), members[:, j].ravel()


def _slices(block: Rows, most: int) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of one giant block, a run of first members at a time."""
    size = len(block)
    begin = 0
    while begin < size - 1:
        end = min(begin + max(most // (size - begin), 1), size - 1)
        count = size - 1 - np.arange(begin, end)
        first = np.repeat(np.arange(begin, end), count)
        second = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count) + first + 1
        yield block[first], block[second]
        begin = end


def without_large_blocks(values: Pairs, *, cap: int) -> Pairs:
    """Values with 0 where more than `cap` records share one."""
    ranked = np.sort(values)
    cut = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1], [True]]))
    sizes = np.diff(cut)
    large = ranked[cut[:-1][sizes > cap]]
    if not len(large):
        return values
    at = np.minimum(np.searchsorted(large, values), len(large) - 1)
    return np.where(large[at] == values, np.uint64(0), values)


def union(parts: Sequence[Pairs], *, buffer: int = 24_000_000) -> Pairs:
    """Sorted distinct pairs of all parts, merged in buffers of bounded size."""
    held: list[Pairs] = []
    kept = np.empty(0, np.uint64)
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= buffer:
            kept, held, size = _distinct(np.concatenate([kept, *held])), [], 0
    return _distinct(np.concatenate([kept, *held])) if held else kept


def _distinct(packed: Pairs) -> Pairs:
    packed.sort()
    if not len(packed):
        return packed
    fresh = np.empty(len(packed), np.bool_)
    fresh[0] = True
    np.not_equal(packed[1:], packed[:-1], out=fresh[1:])
    return packed[fresh]
