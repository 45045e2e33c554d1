"""Names of companies, word by word: sister firms share the first word, one firm shortens the others."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.distance import OSA

__all__ = ["company_level", "same_word"]

_SHORT = 3  # letters that an abbreviation has at least


def same_word(a: str, b: str) -> bool:
    """Whether two words are one: equal, one typo in a longer word, or one an abbreviation of the other.

    An abbreviation begins alike, has three letters and more, and leaves letters out: "intl" of "international".

    Examples
    --------
    >>> same_word("intl", "international"), same_word("foods", "food"), same_word("log", "foods")
    (True, True, False)
    """
    if a == b:
        return True
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) > _SHORT and OSA.distance(a, b, score_cutoff=1) <= 1:
        return True
    if len(short) < _SHORT or short[0] != long[0] or len(short) == len(long):
        return False
    letters = iter(long)
    return all(letter in letters for letter in short)


@lru_cache(maxsize=100_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(name.split())


def company_level(a: str, b: str) -> int:
    """Level 3 to 6 of two names that differ: 3 same words, 4 one name inside the other, 5 same first word, 6 different.

    Examples
    --------
    >>> company_level("norvia intl foods", "norvia international foods"), company_level("norvia foods", "norvia log")
    (3, 5)
    """
    x, y = _words(a), _words(b)
    if not x or not y:
        return 6
    first = same_word(x[0], y[0])
    if len(x) == len(y) and all(map(same_word, x, y)):
        return 3
    if len(x) > 1 and len(x) == len(y) and sorted(x) == sorted(y):
        return 3
    if not first:
        return 6
    short, long = (x, y) if len(x) <= len(y) else (y, x)
    if 1 < len(short) < len(long):
        rest = iter(long)
        if all(any(same_word(w, v) for v in rest) for w in short):
            return 4
    return 5
