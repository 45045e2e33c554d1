"""Agreement levels of record pairs: 0 missing, 1 same, larger = less alike (names in `fields.LEVELS`).

Cheap bounds come first (equal codes, letter signatures); rapidfuzz sees only the pairs that could still reach a level.
The levels are the same as by full comparison: `one_level` is the scalar form that the tests hold against the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cpdist

from crmcore.linkage.companies import company_level
from crmcore.linkage.encode import NO_DATE, WIDTH, Encoded, encode, is_date
from crmcore.linkage.fields import DEFINITIONS, Comparison, Kind
from crmcore.linkage.records import Records
from crmcore.linkage.texts import text_level

__all__ = ["SWAPPED", "Comparer", "level_function", "one_level", "record_levels"]

Levels = NDArray[np.int8]
Rows = NDArray[np.integer]
Codes = NDArray[np.int32]

ONE_EDIT, TWO_EDITS = 3, 5  # letters that a name needs before one edit, or two, say that it was misspelled
SWAPPED = 7  # level of a given name: given and family name stand in each other's place


def _distance(e: Encoded, a: Codes, b: Codes, most: int) -> NDArray[np.int8]:
    """Optimal string alignment distance, `most + 1` where it is larger."""
    out = np.full(len(a), most + 1, np.int8)
    near = np.bitwise_count(e.signature[a] ^ e.signature[b]) <= 2 * most
    near &= np.abs(e.length[a] - e.length[b]) <= most
    at = np.flatnonzero(near)
    if len(at):
        out[at] = cpdist(e.words[a[at]], e.words[b[at]], scorer=OSA.distance, score_cutoff=most, dtype=np.int16)
    return out


def _winkler(e: Encoded, a: Codes, b: Codes, least: float) -> NDArray[np.float64]:
    """Jaro-Winkler similarity, 0 where it is below `least`; in full precision, as scalar comparison has it."""
    la, lb = e.length[a].astype(np.float32), e.length[b].astype(np.float32)
    shared = (la + lb - np.bitwise_count(e.signature[a] ^ e.signature[b])) / 2
    bound = (shared / la + shared / lb + 1) / 3
    bound += np.where(e.first[a] == e.first[b], 0.4, 0.0) * (1 - bound)
    at = np.flatnonzero((bound >= least - 1e-6) | (np.maximum(la, lb) > WIDTH))
    out = np.zeros(len(a))
    if len(at):
        out[at] = cpdist(
            e.words[a[at]], e.words[b[at]], scorer=JaroWinkler.similarity, score_cutoff=least, dtype=np.float64
        )
    return out


def _starts(e: Encoded, a: Codes, b: Codes) -> NDArray[np.bool_]:
    """Whether the shorter value begins the longer one; an initial does."""
    out = np.zeros(len(a), np.bool_)
    at = np.flatnonzero((e.first[a] == e.first[b]) & (e.length[a] != e.length[b]))
    if len(at):
        pairs = zip(e.words[a[at]], e.words[b[at]], strict=True)
        out[at] = np.fromiter((x.startswith(y) or y.startswith(x) for x, y in pairs), np.bool_, len(at))
    return out


def _name(e: Encoded, a: Codes, b: Codes) -> Levels:
    out = np.full(len(a), 6, np.int8)
    alike = _winkler(e, a, b, 0.7)
    edits = _distance(e, a, b, 2)
    out[alike >= 0.7] = 5
    out[(alike >= 0.85) | _starts(e, a, b)] = 4
    longer = np.maximum(e.length[a], e.length[b])  # two edits turn any short name into any other
    out[(alike >= 0.92) | ((edits == 2) & (longer >= TWO_EDITS))] = 3
    out[(edits == 1) & (longer >= ONE_EDIT)] = 2
    return out


def _date(e: Encoded, a: Codes, b: Codes) -> Levels:
    x, y = e.parts["digits"][a], e.parts["digits"][b]
    known = (x != NO_DATE) & (y != NO_DATE)  # parts of eight digits only: other text has edits alone
    same_year = (x // 10000 == y // 10000) & known
    same_month, same_day = (x // 100 % 100 == y // 100 % 100) & known, (x % 100 == y % 100) & known
    swapped = same_year & (x // 100 % 100 == y % 100) & (x % 100 == y // 100 % 100)
    edits = _distance(e, a, b, 2)
    out = np.full(len(a), 6, np.int8)
    out[same_year | (same_month & same_day)] = 5
    out[edits == 2] = 4
    out[(same_year.astype(np.int8) + same_month + same_day) >= 2] = 3
    out[(edits == 1) | swapped] = 2
    return out


def _email(e: Encoded, a: Codes, b: Codes) -> Levels:
    assert e.local is not None
    out = np.full(len(a), 5, np.int8)
    la, lb = e.parts["local part"][a], e.parts["local part"][b]
    edits = _distance(e, a, b, 3)
    maybe = np.flatnonzero((la != lb) & (edits > 3))
    if len(maybe):
        x, y = e.local[a[maybe]], e.local[b[maybe]]
        out[maybe[cpdist(x, y, scorer=JaroWinkler.similarity, score_cutoff=0.9, dtype=np.float64) >= 0.9]] = 4
    out[(edits <= 3) | (la == lb)] = 3
    out[edits == 1] = 2
    return out


def _code(e: Encoded, a: Codes, b: Codes) -> Levels:
    edits = _distance(e, a, b, 2)
    return np.where(edits == 1, 2, np.where(edits == 2, 3, 4)).astype(np.int8)


def _place(e: Encoded, a: Codes, b: Codes) -> Levels:
    alike = _winkler(e, a, b, 0.8)
    out = np.full(len(a), 5, np.int8)
    out[alike >= 0.8] = 4
    out[alike >= 0.9] = 3
    out[_distance(e, a, b, 2) <= 2] = 2
    return out


def _word(e: Encoded, a: Codes, b: Codes) -> Levels:
    alike, edits = _winkler(e, a, b, 0.88), _distance(e, a, b, 2)
    out = np.full(len(a), 4, np.int8)
    out[(alike >= 0.88) | (edits == 2)] = 3
    out[(alike >= 0.95) | (edits == 1)] = 2
    return out


def _postcode(e: Encoded, a: Codes, b: Codes) -> Levels:
    edits = _distance(e, a, b, 2)
    out = np.full(len(a), 6, np.int8)
    out[e.parts["area"][a] == e.parts["area"][b]] = 5
    out[edits == 2] = 4
    out[e.parts["district"][a] == e.parts["district"][b]] = 3
    out[edits == 1] = 2
    return out


def _company(e: Encoded, a: Codes, b: Codes) -> Levels:
    edits = _distance(e, a, b, 2)
    out = np.full(len(a), 6, np.int8)
    maybe = np.flatnonzero(edits != 1)
    out[maybe] = [company_level(x, y) for x, y in zip(e.words[a[maybe]], e.words[b[maybe]], strict=True)]
    out[edits == 2] = np.minimum(out[edits == 2], 4)
    out[edits == 1] = 2
    return out


def _text(e: Encoded, a: Codes, b: Codes) -> Levels:
    return np.array([text_level(x, y) for x, y in zip(e.words[a], e.words[b], strict=True)], np.int8)


def _equal(_e: Encoded, a: Codes, _b: Codes) -> Levels:
    return np.full(len(a), 2, np.int8)


_UNEQUAL: dict[Comparison, Callable[[Encoded, Codes, Codes], Levels]] = {
    Comparison.NAME: _name,
    Comparison.DATE: _date,
    Comparison.EMAIL: _email,
    Comparison.CODE: _code,
    Comparison.PLACE: _place,
    Comparison.WORD: _word,
    Comparison.POSTCODE: _postcode,
    Comparison.COMPANY: _company,
    Comparison.WORDS: _text,
    Comparison.EQUAL: _equal,
}
# Few distinct values meet again and again: compare each pair of values once.
_REPEATS = frozenset(
    {
        Comparison.NAME,
        Comparison.DATE,
        Comparison.WORD,
        Comparison.POSTCODE,
        Comparison.COMPANY,
        Comparison.WORDS,
    }
)


def _levels(e: Encoded, a: Codes, b: Codes) -> Levels:
    """Levels of pairs of value codes (-1 = missing)."""
    how = DEFINITIONS[e.kind].comparison
    out = np.where((a < 0) | (b < 0), 0, 1).astype(np.int8)
    at = np.flatnonzero((out == 1) & (a != b))
    if not len(at):
        return out
    x, y = a[at], b[at]
    if how in _REPEATS and len(at) > 1000:
        low, high = np.minimum(x, y).astype(np.int64), np.maximum(x, y).astype(np.int64)
        packed = low * len(e.words) + high
        order = np.argsort(packed)
        ranked = packed[order]
        fresh = np.concatenate([[True], ranked[1:] != ranked[:-1]])
        once = ranked[fresh]
        found = _UNEQUAL[how](e, (once // len(e.words)).astype(np.int32), (once % len(e.words)).astype(np.int32))
        back = np.empty(len(at), np.int8)
        back[order] = found[np.cumsum(fresh) - 1]
        out[at] = back
    else:
        out[at] = _UNEQUAL[how](e, x, y)
    return out


@attrs.frozen(eq=False, repr=False)
class Comparer:
    """Compares pairs of records field by field."""

    fields: tuple[Encoded, ...]
    table: Codes  # (n, f) codes, row-major: one gather per side of a pair
    given: int | None  # position of the given name, where swapped names can be seen
    surname: int | None
    as_surname: Codes | None  # (k,) code of the given-name value among surnames, -1 = none

    @classmethod
    def of(cls, records: Records) -> Comparer:
        """Encode all columns of `records`."""
        fields = tuple(encode(c) for c in records.columns)
        table = (
            np.column_stack([e.codes for e in fields]).astype(np.int32)
            if fields
            else np.zeros((len(records), 0), np.int32)
        )
        kinds = [e.kind for e in fields]
        given = kinds.index(Kind.GIVEN_NAME) if Kind.GIVEN_NAME in kinds else None
        surname = kinds.index(Kind.SURNAME) if Kind.SURNAME in kinds else None
        swap = None
        if given is not None and surname is not None:
            known = {w: i for i, w in enumerate(fields[surname].words)}
            words = fields[given].words
            swap = np.fromiter((known.get(w, -1) for w in words), np.int32, len(words))
        return cls(fields, table, given, surname, swap)

    @property
    def n_levels(self) -> tuple[int, ...]:
        """Number of levels of each field, missing not counted."""
        return tuple(
            len(DEFINITIONS[e.kind].levels) + (i == self.given and self.as_surname is not None)
            for i, e in enumerate(self.fields)
        )

    def levels(self, lo: Rows, hi: Rows, /) -> Levels:
        """Compare pairs of records.

        Parameters
        ----------
        lo, hi : (m,) row numbers

        Returns
        -------
        (m, f) int8, 0 = missing on a side
        """
        left, right = self.table[lo], self.table[hi]
        out = np.empty((len(lo), len(self.fields)), np.int8, order="F")
        for f, e in enumerate(self.fields):
            out[:, f] = _levels(e, np.ascontiguousarray(left[:, f]), np.ascontiguousarray(right[:, f]))
        if self.as_surname is not None and self.given is not None and self.surname is not None:
            self._mark_swapped(out, left, right)
        return out

    def levels_of(self, field: int, a: Codes, b: Codes) -> Levels:
        """(m,) levels of pairs of values of one field."""
        return _levels(self.fields[field], a, b)

    def _mark_swapped(self, out: Levels, left: Codes, right: Codes) -> None:
        """Given and family name exchanged: one level on the given name, the surname counts as missing."""
        g, s, table = self.given, self.surname, self.as_surname
        assert table is not None
        at = np.flatnonzero((out[:, g] > 2) & (out[:, s] > 2))
        ga, gb, sa, sb = left[at, g], right[at, g], left[at, s], right[at, s]
        hit = at[(table[ga] == sb) & (table[gb] == sa)]
        out[hit, g] = SWAPPED
        out[hit, s] = 0


def one_level(kind: Kind, a: str | None, b: str | None) -> int:
    """Level of one pair of normalised values (the scalar form of the kernel).

    Examples
    --------
    >>> one_level(Kind.GIVEN_NAME, "martha", "marhta"), one_level(Kind.GIVEN_NAME, "martha", None)
    (2, 0)
    """
    if not a or not b:
        return 0
    return 1 if a == b else _SCALAR[DEFINITIONS[kind].comparison](a, b)


def level_function(kind: Kind) -> Callable[[str, str], int]:
    """Level of two different values of a kind: what `one_level` calls, for those who compare many single pairs."""
    return _SCALAR[DEFINITIONS[kind].comparison]


_edits, _alike = OSA.distance, JaroWinkler.similarity


def _first_true(*tests: bool) -> int:
    """Level of the first test that holds, counted from 2; one more than the last where none does."""
    return next((i for i, t in enumerate(tests, 2) if t), len(tests) + 2)


def _name_one(a: str, b: str) -> int:
    edits, longer = _edits(a, b, score_cutoff=2), max(len(a), len(b))
    if edits == 1 and longer >= ONE_EDIT:
        return 2
    alike = _alike(a, b, score_cutoff=0.7)
    if alike >= 0.92 or (edits == 2 and longer >= TWO_EDITS):
        return 3
    if alike >= 0.85 or a.startswith(b) or b.startswith(a):
        return 4
    return 5 if alike >= 0.7 else 6


def _date_one(a: str, b: str) -> int:
    edits = _edits(a, b, score_cutoff=2)
    if not (is_date(a) and is_date(b)):
        return _first_true(edits == 1, False, edits == 2, False)
    year, month, day = a[:4] == b[:4], a[4:6] == b[4:6], a[6:] == b[6:]
    swapped = year and a[4:6] == b[6:] and a[6:] == b[4:6]
    return _first_true(edits == 1 or swapped, year + month + day >= 2, edits == 2, year or (month and day))


def _email_one(a: str, b: str) -> int:
    edits = _edits(a, b, score_cutoff=3)
    if edits == 1:
        return 2
    x, y = a.partition("@")[0], b.partition("@")[0]
    if edits <= 3 or x == y:
        return 3
    return 4 if _alike(x, y, score_cutoff=0.9) >= 0.9 else 5


def _code_one(a: str, b: str) -> int:
    return min(_edits(a, b, score_cutoff=2), 3) + 1


def _place_one(a: str, b: str) -> int:
    if _edits(a, b, score_cutoff=2) <= 2:
        return 2
    alike = _alike(a, b, score_cutoff=0.8)
    return 3 if alike >= 0.9 else 4 if alike >= 0.8 else 5


def _word_one(a: str, b: str) -> int:
    edits, alike = _edits(a, b, score_cutoff=2), _alike(a, b, score_cutoff=0.88)
    return 2 if edits == 1 or alike >= 0.95 else 3 if edits == 2 or alike >= 0.88 else 4


def _postcode_one(a: str, b: str) -> int:
    edits = _edits(a, b, score_cutoff=2)
    if a.isdecimal() and b.isdecimal() and a.isascii() and b.isascii():  # most codes: district and area are digits
        return 2 if edits == 1 else 3 if a[:3] == b[:3] else 4 if edits == 2 else 5 if a[:2] == b[:2] else 6
    return _first_true(edits == 1, _lead(a, True) == _lead(b, True), edits == 2, _lead(a, False) == _lead(b, False))


def _company_one(a: str, b: str) -> int:
    edits = OSA.distance(a, b, score_cutoff=2)
    return 2 if edits == 1 else min(company_level(a, b), 4) if edits == 2 else company_level(a, b)


def _lead(code: str, district: bool) -> str:
    if district:
        return code[: max(len(code) - 3, 2)] if any(c >= "a" for c in code) else code[:3]
    letters = next((i for i, c in enumerate(code) if c < "a"), len(code))
    return code[: letters or 2]


_SCALAR: dict[Comparison, Callable[[str, str], int]] = {
    Comparison.NAME: _name_one,
    Comparison.DATE: _date_one,
    Comparison.EMAIL: _email_one,
    Comparison.CODE: _code_one,
    Comparison.PLACE: _place_one,
    Comparison.WORD: _word_one,
    Comparison.POSTCODE: _postcode_one,
    Comparison.COMPANY: _company_one,
    Comparison.WORDS: text_level,
    Comparison.EQUAL: lambda _a, _b: 2,
}


def record_levels(kinds: Sequence[Kind], left: Sequence[str | None], right: Sequence[str | None]) -> list[int]:
    """Compare one pair of records, swapped names included (the scalar form of `Comparer.levels`)."""
    out = [one_level(k, a, b) for k, a, b in zip(kinds, left, right, strict=True)]
    if Kind.GIVEN_NAME in kinds and Kind.SURNAME in kinds:
        g, s = list(kinds).index(Kind.GIVEN_NAME), list(kinds).index(Kind.SURNAME)
        if out[g] > 2 and out[s] > 2 and left[g] == right[s] and right[g] == left[s]:
            out[g], out[s] = SWAPPED, 0
    return out
