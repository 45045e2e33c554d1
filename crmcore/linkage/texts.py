"""Titles and descriptions, as sets of words: order and typos do not matter, numbers and codes do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from crmcore.linkage.companies import same_word

__all__ = ["WORD_ATOMS", "text_level"]

_MOST, _SOME = 0.6, 0.3  # shares of words


_same = lru_cache(maxsize=200_000)(same_word)  # a catalogue says the same few words again and again


@lru_cache(maxsize=100_000)
def _words(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Plain words, and words that hold a digit."""
    words = text.split()
    codes = frozenset(w for w in words if any(c.isdigit() for c in w))
    return frozenset(words) - codes, codes


def text_level(a: str, b: str) -> int:
    """Level 2 to 5 of two texts that differ.

    2 same words, in any order and with typos; 3 most words; 4 some words; 5 different. A number or code that one text
    lacks is no contradiction; where both have some and share none, the texts are different whatever else they say.

    Examples
    --------
    >>> text_level("acme kettle a12", "kettle acme a12"), text_level("acme kettle a12", "acme kettle b77")
    (2, 5)
    """
    (plain_a, codes_a), (plain_b, codes_b) = _words(min(a, b)), _words(max(a, b))  # greedy below: one order for both
    both = codes_a & codes_b
    if codes_a and codes_b and not both:
        return 5
    shared = plain_a & plain_b
    left, right = plain_a - shared, plain_b - shared
    total = max(len(plain_a), len(plain_b)) + max(len(codes_a), len(codes_b))
    matched = len(shared) + len(both)
    if matched + min(len(left), len(right)) >= _SOME * total:
        matched += _typos(sorted(left), sorted(right))
    share = matched / total if total else 0.0
    if share == 1.0:
        return 2
    return 3 if share >= _MOST else 4 if share >= _SOME else 5


def _typos(left: list[str], right: list[str]) -> int:
    """How many words of the one are words of the other, each taken once."""
    matched = 0
    for word in left:
        found = next((other for other in right if _same(word, other)), None)
        if found is not None:
            right.remove(found)
            matched += 1
    return matched


def _in_order(text: str) -> str:
    return " ".join(sorted(set(text.split())))


def _longest(text: str) -> str:
    return max(text.split(), key=lambda w: (len(w), w), default="")


def _code(text: str) -> str:
    return max((w for w in text.split() if any(c.isdigit() for c in w)), key=lambda w: (len(w), w), default="")


WORD_ATOMS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"words": _in_order, "longest word": _longest, "code word": _code}
)
"""Parts of a text that may serve as blocking keys: all words in alphabetic order, the longest, the longest code."""
