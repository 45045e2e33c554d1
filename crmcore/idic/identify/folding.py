"""Folding of many texts at once: one pass over one joined string instead of a call per value.

Python pays for every call, so distinct values are joined with line breaks, folded as a whole at C speed, and split.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np

from crmcore.idic.identify.thai import romanise_words
from crmcore.tables import TextColumn

__all__ = ["JUNK", "checksum_sample", "combine", "fold", "map_values", "merge_codes", "unspelled", "words"]

JUNK = frozenset(
    "n/a|na|n.a.|n.a|n/d|nd|null|none|nil|nan|nat|<na>|-|--|---|.|..|...|?|??|???|/|//|_|*|#|x|xx|xxx|xxxx|unknown|unbekannt|"
    "inconnu|desconocido|not available|not known|not provided|not given|undefined|missing|empty|blank|tbd|tba|test|"
    "testing|"
    "no data|keine|keine angabe|k.a.|sin datos|ไม่มี|ไม่ทราบ|ไม่ระบุ|#n/a|#ref!|#value!|(none)|(null)|"
    "(blank)|none given".split("|")
)
"""Casefolded texts that mean "nothing is known"; a value that consists of one of them is missing."""

LONGEST = max(map(len, JUNK)) + 3

_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACED = str.maketrans(
    {c: " " for c in map(chr, range(128)) if not c.isalnum() and c not in "\n'`"} | {"'": "", "`": ""}
)


def _joined(values: Sequence[str]) -> str:
    blob = "\n".join(values)
    if blob.count("\n") != len(values) - 1 or _BREAKS.search(blob.replace("\n", "")):
        blob = "\n".join([_BREAKS.sub(" ", v) for v in values])
    return blob


_NO_LETTER = frozenset({"So", "Sk", "Sm", "Cs", "Co", "Cn", "Cf"})
"""Unicode categories of pictures, modifiers, half a pair, private signs and joiners: nobody spells them."""

_THAI = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]+")


def _to_ascii(blob: str) -> str:
    """Spell every script in ASCII; combining marks vanish because each letter is composed first (NFKC).

    Thai is read by syllable (`romanise_words`), all other scripts letter by letter; pictures and symbols become blanks,
    joiners nothing.
    """
    from anyascii import anyascii

    blob = unicodedata.normalize("NFKC", blob).replace("\u2028", " ").replace("\u2029", " ")
    foreign = {c for c in set(blob) if not c.isascii()}
    pictures = {c: unicodedata.category(c) for c in foreign}
    away = {ord(c): "" if k == "Cf" else " " for c, k in pictures.items() if k in _NO_LETTER}
    if away:
        blob = blob.translate(away)
    if any("\u0e01" <= c <= "\u0e4e" for c in foreign):
        blob = blob.replace("\u0e4d\u0e32", "\u0e33")  # NFKC takes ำ apart
        runs = list(dict.fromkeys(_THAI.findall(blob)))
        known = dict(zip(runs, romanise_words(runs), strict=True))
        blob = _THAI.sub(lambda m: known[m[0]], blob)
    return blob.translate({ord(c): _BREAKS.sub(" ", anyascii(c)) for c in foreign if ord(c) not in away})


def _folded(values: Sequence[str]) -> str:
    blob = _joined(values)
    return (blob if blob.isascii() else _to_ascii(blob)).lower()


def _lines(blob: str) -> list[str]:
    """Lines of a text with single blanks and none at the ends; the whole at once, which is faster than line by line."""
    if "\t" in blob or "\x1f" in blob:
        blob = blob.replace("\t", " ").replace("\x1f", " ")
    while "  " in blob:
        blob = blob.replace("  ", " ")
    return blob.replace("\n ", "\n").replace(" \n", "\n").strip(" ").split("\n")


def fold(values: Sequence[str]) -> list[str]:
    """Case, accents and scripts gone; punctuation kept, blanks squeezed.

    Parameters
    ----------
    values : texts
        Any Unicode text.

    Returns
    -------
    list of ASCII texts, one per value; a text with no spellable character becomes empty.

    Examples
    --------
    >>> fold(["  Jos\u00e9  \u0141uk ", "STRA\u00dfE"])
    ['jose luk', 'strasse']
    """
    if not values:
        return []
    return _lines(_folded(values))


def words(values: Sequence[str]) -> list[str]:
    """Folded texts reduced to words: letters and digits with single blanks; apostrophes close up (o'brien, obrien).

    Examples
    --------
    >>> words(["O'Brien-Smith,  J."])
    ['obrien smith j']
    """
    if not values:
        return []
    return _lines(_folded(values).translate(_SPACED))


def checksum_sample(values: Sequence[str], size: int) -> list[str]:
    """At most `size` values, chosen by checksum: the same ones in whatever order the values come.

    Examples
    --------
    >>> checksum_sample(["b", "a"], 5), len(checksum_sample(list("abcdef"), 3))
    (['a', 'b'], 3)
    """
    if len(values) <= size:
        return sorted(values)
    raw = "\n".join(values).encode("utf-8", "surrogatepass").split(b"\n")
    if len(raw) != len(values):
        raw = [v.encode("utf-8", "surrogatepass") for v in values]
    marks = np.fromiter(map(zlib.crc32, raw), np.uint32, len(raw))
    near = np.flatnonzero(marks <= np.partition(marks, size - 1)[size - 1])
    return [v for _, v in sorted((int(marks[i]), values[i]) for i in near.tolist())[:size]]


def unspelled(values: Sequence[str]) -> list[bool]:
    """Whether each raw text is one of the words for "nothing" (`JUNK`) or has no letter and no digit."""
    # longer texts are none of the words; whether they hold a letter shows in what cleaning leaves
    return [len(v) < LONGEST and (v.strip().casefold() in JUNK or not any(map(str.isalnum, v))) for v in values]


def map_values(codes: np.ndarray, cleaned: Sequence[str | None]) -> TextColumn:
    """Re-encode rows after their distinct values were cleaned; equal results share a code, None is missing.

    Examples
    --------
    >>> column = map_values(np.array([0, 1, 2, -1], np.int32), ["a", "a", None])
    >>> column.codes.tolist(), column.values
    ([0, 0, -1, -1], ('a',))
    """
    distinct = dict.fromkeys(cleaned)
    distinct.pop(None, None)
    distinct.pop("", None)
    if len(distinct) == len(cleaned):
        return TextColumn(codes, tuple(v for v in distinct if v))  # nothing fell together: rows keep their codes
    place: dict[str | None, int] = {v: i for i, v in enumerate(distinct)}
    place[None] = place[""] = -1
    table = np.empty(len(cleaned) + 1, np.int32)
    table[:-1] = np.fromiter(map(place.__getitem__, cleaned), np.int32, len(cleaned))
    table[-1] = -1
    out = table[codes]
    out.flags.writeable = False
    return TextColumn(out, tuple(v for v in distinct if v))


def merge_codes(n: int, pieces: Sequence[tuple[np.ndarray, TextColumn]]) -> TextColumn:
    """Put columns of disjoint row sets into one column of n rows; rows of no piece are missing.

    Parameters
    ----------
    n : count
        Rows of the result.
    pieces : (rows, column) pairs
        `rows[i]` is where row i of the column goes.
    """
    if len(pieces) == 1 and len(pieces[0][1]) == n:
        return pieces[0][1]  # one source: its rows are all rows, in order
    seen = tuple(dict.fromkeys(chain.from_iterable(column.values for _, column in pieces)))
    place = dict(zip(seen, range(len(seen)), strict=True))
    out = np.full(n, -1, np.int32)
    for rows, column in pieces:
        table = np.fromiter(map(place.__getitem__, column.values), np.int32, len(column.values))
        out[rows] = np.append(table, np.int32(-1))[column.codes]
    out.flags.writeable = False
    return TextColumn(out, seen)


def combine(columns: Sequence[TextColumn], join: Callable[[tuple[str | None, ...]], str | None]) -> TextColumn:
    """Join several columns row by row, calling `join` once per distinct combination.

    Examples
    --------
    >>> first, second = TextColumn.of(["anna", "bo"]), TextColumn.of(["maria", None])
    >>> combine([first, second], lambda parts: " ".join(p for p in parts if p)).values
    ('anna maria', 'bo')
    """
    key = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        key = key * (len(column.values) + 1) + column.codes.astype(np.int64) + 1
        _, key = np.unique(key, return_inverse=True)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    cells = [c.values for c in columns]
    codes = [c.codes[first].tolist() for c in columns]
    rows = zip(*codes, strict=True)
    joined = [join(tuple(v[c] if c >= 0 else None for v, c in zip(cells, row, strict=True))) for row in rows]
    return map_values(inverse.astype(np.int32), joined)
