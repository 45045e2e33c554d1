"""Distinct values as numbers: hashes of their parts for blocking, letter signatures that bound string distances.

All of it is computed once per distinct value, vectorised over a matrix of code points, and is the same in every process
(no use of `hash()`), so that a saved model finds the same blocks tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.linkage.fields import DEFINITIONS, Comparison, Kind
from crmcore.linkage.records import Column
from crmcore.linkage.texts import WORD_ATOMS

__all__ = ["Encoded", "atom_hashes", "encode", "value_hashes"]

Hashes = NDArray[np.uint32]

WIDTH = 64  # characters that count
NO_DATE = 0xFFFFFFFF
_CHUNK = 100_000


def _splitmix(n: int) -> NDArray[np.uint64]:
    """First n odd outputs of SplitMix64 (Steele, Lea & Flood 2014), seed 0."""
    out, state, full = [], 0, (1 << 64) - 1
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & full
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & full
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & full
        out.append((z ^ (z >> 31)) | 1)
    return np.array(out, np.uint64)


_MULTIPLIERS = _splitmix(WIDTH)
# Consonant classes after Soundex (Russell 1918); vowels and h, w, y carry none.
_SOUND = np.zeros(128, np.uint8)
for _letters, _code in (("bfpv", 1), ("cgjkqsxz", 2), ("dt", 3), ("l", 4), ("mn", 5), ("r", 6)):
    for _letter in _letters:
        _SOUND[ord(_letter)] = _code
_SOUND_LENGTH = 4
SOUND = {chr(i): int(code) for i, code in enumerate(_SOUND) if code}
"""Consonant class of each letter that has one."""


def multipliers() -> tuple[int, ...]:
    """Multiplier of each place of a value, for the scalar form of the hashes."""
    return tuple(_MULTIPLIERS.tolist())


def _matrix(values: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """(k, L) code points, zero-padded, and (k,) lengths; L <= WIDTH."""
    width = min(max(map(len, values), default=1) or 1, WIDTH)
    chars = np.array(values, dtype=f"U{width}").view(np.uint32).reshape(len(values), width)
    return chars, (chars != 0).sum(axis=1)


def _finish(sums: NDArray[np.uint64], empty: NDArray[np.bool_]) -> Hashes:
    """Mix to 32 bits; 0 is kept for "no such part"."""
    mixed = (sums ^ (sums >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    out = (mixed >> np.uint64(32)).astype(np.uint32)
    out[out == 0] = 1
    out[empty] = 0
    return out


def _sums(chars: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Multilinear sum of each row; zero padding adds nothing (Lemire & Kaser 2014)."""
    sums = np.zeros(len(chars), np.uint64)
    for j in range(chars.shape[1]):
        sums += chars[:, j].astype(np.uint64) * _MULTIPLIERS[j]
    return sums


def _hash(chars: NDArray[np.uint32]) -> Hashes:
    return _finish(_sums(chars), chars[:, 0] == 0)


def value_hashes(values: Sequence[str] | NDArray[np.object_]) -> NDArray[np.uint64]:
    """(k,) 64-bit hash of whole values (of their first 64 signs), the same in every process.

    Examples
    --------
    >>> a, b = value_hashes(["smith", "smyth"])
    >>> bool(a != b and a == value_hashes(["smith"])[0])
    True
    """
    out = np.zeros(len(values), np.uint64)
    for at, part in _chunks(list(values)):
        mixed = _sums(_matrix(part)[0])
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(29)
        out[at : at + len(part)] = mixed
    return out


def _last(chars: NDArray[np.uint32], length: NDArray[np.int64], k: int) -> NDArray[np.uint32]:
    at = np.maximum(length - k, 0)[:, None] + np.arange(k)
    return np.where(at < length[:, None], np.take_along_axis(chars, np.minimum(at, chars.shape[1] - 1), axis=1), 0)


def _local(chars: NDArray[np.uint32]) -> NDArray[np.uint32]:
    is_at = chars == ord("@")
    end = np.where(is_at.any(axis=1), is_at.argmax(axis=1), chars.shape[1])
    return np.where(np.arange(chars.shape[1]) < end[:, None], chars, 0)


def _district(chars: NDArray[np.uint32], length: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Leading part of a postcode: without the last three signs where it has letters (SW1A|1AA), else three digits."""
    letters = (chars >= ord("a")).any(axis=1)
    end = np.where(letters, np.maximum(length - 3, 2), np.minimum(3, length))
    return np.where(np.arange(chars.shape[1]) < end[:, None], chars, 0)


def _area(chars: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Leading letters of a postcode, or its first two digits."""
    digit = chars < ord("a")
    lead = np.where(digit[:, 0], 2, digit.argmax(axis=1) + np.where(digit.any(axis=1), 0, chars.shape[1]))
    return np.where(np.arange(chars.shape[1]) < lead[:, None], chars, 0)


def _sound(chars: NDArray[np.uint32]) -> Hashes:
    """Hash of the first consonant classes, repeats collapsed; the first sign counts even where it is a vowel."""
    codes = _SOUND[np.where(chars < 128, chars, 0)]
    codes[:, 0] = np.where((codes[:, 0] == 0) & (chars[:, 0] != 0), 7, codes[:, 0])
    before = np.zeros_like(codes)
    before[:, 1:] = codes[:, :-1]
    keep = (codes != 0) & (codes != before)
    place = np.cumsum(keep, axis=1)
    keep &= place <= _SOUND_LENGTH
    weight = np.uint64(8) ** np.arange(_SOUND_LENGTH + 1, dtype=np.uint64)
    sums = np.where(keep, codes.astype(np.uint64) * weight[np.minimum(place - 1, _SOUND_LENGTH) * keep], 0).sum(axis=1)
    return _finish(sums * _MULTIPLIERS[0], chars[:, 0] == 0)


def _atom(name: str, chars: NDArray[np.uint32], length: NDArray[np.int64]) -> Hashes:
    how, _, count = name.partition(" ")
    if how == "first" and count.isdigit():
        return _hash(chars[:, : int(count)])
    if how == "last" and count.isdigit():
        return _hash(_last(chars, length, int(count)))
    if name == "year and day":
        return _hash(np.concatenate([chars[:, :4], chars[:, 6:8]], axis=1))
    if name == "sound":
        return _sound(chars)
    if name == "local part":
        return _hash(_local(chars))
    if name == "district":
        return _hash(_district(chars, length))
    return _hash(_area(chars) if name == "area" else chars)


def atom_hashes(values: Sequence[str], atoms: Sequence[str]) -> dict[str, Hashes]:
    """Hash parts of values; 0 means that a value has no such part.

    Parameters
    ----------
    values : (k,) distinct text
    atoms : names of parts, such as "whole", "first 3", "last 3", "sound", "local part", "district", "year and day"

    Returns
    -------
    dict of (k,) uint32, one array per part

    Examples
    --------
    >>> h = atom_hashes(["anna", "annika"], ["first 3", "whole"])
    >>> bool(h["first 3"][0] == h["first 3"][1]), bool(h["whole"][0] == h["whole"][1])
    (True, False)
    """
    out = {a: np.zeros(len(values), np.uint32) for a in atoms}
    for at, part in _chunks(values):
        chars, length = _matrix(part)
        if chars.shape[1] < 8:
            chars = np.pad(chars, ((0, 0), (0, 8 - chars.shape[1])))
        for a in (a for a in atoms if a in WORD_ATOMS):
            made = _matrix([WORD_ATOMS[a](v) for v in part])[0]
            out[a][at : at + len(part)] = _hash(made)
        for a in (a for a in atoms if a not in WORD_ATOMS):
            out[a][at : at + len(part)] = _atom(a, chars, length)
    return out


def _chunks(values: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    for at in range(0, len(values), _CHUNK):
        yield at, values[at : at + _CHUNK]


def _signatures(
    values: Sequence[str], *, digits: bool
) -> tuple[NDArray[np.uint64], NDArray[np.int16], NDArray[np.uint32]]:
    """Letter multisets in 64 bits, lengths, first letters.

    Thermometer code: a bit for "at least one", "at least two" of a letter (digits: up to six). One edit changes at most
    two bits, so `popcount(x ^ y) > 2 k` proves a distance above k, and (len + len - popcount) / 2 bounds the letters in
    common. Longer text than WIDTH has no signature (all zero would lie): callers must not prune it.
    """
    sig = np.zeros(len(values), np.uint64)
    size = np.fromiter(map(len, values), np.int64, len(values)).clip(max=32_000).astype(np.int16)
    first = np.zeros(len(values), np.uint32)
    one = np.uint64(1)
    for at, part in _chunks(values):
        chars, _ = _matrix(part)
        first[at : at + len(part)] = chars[:, 0]
        if digits:
            slot = np.where((chars >= 48) & (chars <= 57), chars - 48, chars % 10).astype(np.uint64)
            planes, width = 6, np.uint64(10)
        else:
            slot = np.where((chars >= 97) & (chars <= 122), chars - 97, 26 + chars % 6).astype(np.uint64)
            planes, width = 2, np.uint64(32)
        held = [np.zeros(len(part), np.uint64) for _ in range(planes)]
        for j in range(chars.shape[1]):
            bit = np.where(chars[:, j] != 0, one << slot[:, j], np.uint64(0))
            for p in range(planes - 1, 0, -1):
                held[p] |= held[p - 1] & bit
            held[0] |= bit
        for p in range(planes):
            sig[at : at + len(part)] |= held[p] << (np.uint64(p) * width)
    return sig, size, first


@attrs.frozen(eq=False, repr=False)
class Encoded:
    """One column ready to be compared: codes per record, features per distinct value."""

    name: str
    kind: Kind
    codes: NDArray[np.int32]  # (n,)
    words: NDArray[np.object_]  # (k,)
    counts: NDArray[np.int64]  # (k,) records that say so
    signature: NDArray[np.uint64]  # (k,)
    length: NDArray[np.int16]  # (k,)
    first: NDArray[np.uint32]  # (k,) first code point
    parts: dict[str, NDArray[np.uint32]]  # hashes needed by levels
    local: NDArray[np.object_] | None = None  # (k,) what stands before the @ of an address

    @property
    def filled(self) -> int:
        """Number of records that say anything."""
        return int(self.counts.sum())

    def __repr__(self) -> str:
        return f"Encoded({self.name!r}, {self.kind.value}, {len(self.codes)} rows, {len(self.words)} values)"


_LEVEL_PARTS = {
    Comparison.EMAIL: ("local part",),
    Comparison.POSTCODE: ("district", "area"),
    Comparison.DATE: ("first 4", "last 4"),
}


def encode(column: Column) -> Encoded:
    """Compute the features of a column's distinct values."""
    how = DEFINITIONS[column.kind].comparison
    digits = how in (Comparison.CODE, Comparison.DATE) and column.kind is not Kind.HANDLE
    sig, size, first = _signatures(column.values, digits=digits)
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
    words = np.empty(len(column.values), object)
    words[:] = column.values
    parts = dict(atom_hashes(column.values, _LEVEL_PARTS.get(how, ())))
    if how is Comparison.DATE:
        parts["digits"] = _date_digits(column.values)
    local = None
    if how is Comparison.EMAIL:
        local = np.empty(len(words), object)
        local[:] = [w.partition("@")[0] for w in column.values]
    return Encoded(column.name, column.kind, column.codes, words, counts, sig, size, first, parts, local)


def _date_digits(values: Sequence[str]) -> NDArray[np.uint32]:
    """YYYYMMDD as a number; NO_DATE where a value is not eight digits."""
    return np.fromiter((int(v) if is_date(v) else NO_DATE for v in values), np.uint32, len(values))


def is_date(value: str) -> bool:
    """Whether a value has the form YYYYMMDD."""
    return len(value) == 8 and value.isascii() and value.isdecimal()
