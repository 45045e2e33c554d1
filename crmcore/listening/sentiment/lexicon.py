"""What is known about each form: valence, degree, negation, stops; computed once per form, read by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from crmcore.listening.sentiment.wordlists import (
    BOOSTERS,
    CONDITIONALS,
    CONTRASTS,
    EMOJI,
    IF_NEGATED,
    NEGATORS,
    OVERRIDES,
    PAIRS,
    WIDE_NEGATORS,
)
from crmcore.text import FormTable, TokenKind
from crmcore.text.patterns import kind_of, normal

__all__ = ["FIELDS", "FORMS", "lexicon", "pair_table"]

FIELDS = (
    "valence", "boost", "negator", "wide", "stop", "caps", "exclaims", "asks", "word", "conditional", "contrast",
    "if_negated", "picture", "pair", "no",
)  # fmt: skip
_DRAWN = re.compile(r"(.)\1+")
_SKIN = dict.fromkeys(range(0x1F3FB, 0x1F400))


@cache
def lexicon() -> dict[str, float]:
    """Valence of forms in normal form, -4 to 4: the VADER lexicon (Hutto and Gilbert 2014, MIT), with our overrides."""
    text = files("crmcore.listening.sentiment").joinpath("data/vader_lexicon.txt").read_text(encoding="utf-8")
    found = dict[str, float]()
    for line in text.splitlines():
        form, _, mean = line.partition("\t")
        found.setdefault(normal(form), float(mean))
    return found | OVERRIDES


@cache
def pair_table() -> dict[str, int]:
    """Number of each word that begins or ends a pair, from 1."""
    return {word: i for i, word in enumerate(sorted({w for pair in PAIRS for w in pair.split()}), 1)}


def _valence(form: str, kind: TokenKind) -> float:
    known = lexicon()
    plain = normal(form)
    if kind in (TokenKind.HANDLE, TokenKind.LINK, TokenKind.EMAIL, TokenKind.NUMBER):
        return 0.0
    if kind is TokenKind.EMOJI:
        base = plain.translate(_SKIN)
        return EMOJI.get(base, EMOJI.get(base[:1], 0.0))
    if kind is TokenKind.HASHTAG:
        plain = plain[1:]
    if plain in BOOSTERS:
        return 0.0
    if plain in known:
        return known[plain]
    short = _single(plain)
    return known.get(short, 0.0) if short != plain and short not in BOOSTERS else 0.0


def _single(plain: str) -> str:
    """Drawn-out letters to one: baad to bad; what is spelled with two keeps them, for it is found before."""
    return _DRAWN.sub(r"\1", plain)


def _row(form: str) -> tuple[float, ...]:
    kind = kind_of(form)
    plain = normal(form)
    words, ends = pair_table(), any(c in '.,;:!?()[]"\u2026' for c in form) and kind is TokenKind.PUNCTUATION
    picture = kind in (TokenKind.EMOJI, TokenKind.EMOTICON)
    return (
        _valence(form, kind),
        BOOSTERS.get(plain, 0.0) or BOOSTERS.get(_single(plain), 0.0),
        plain in NEGATORS,
        plain in WIDE_NEGATORS,
        ends or plain in CONTRASTS,
        kind is TokenKind.WORD and len(form) > 1 and form.isupper(),
        form.count("!") if kind is TokenKind.PUNCTUATION else 0,
        form.count("?") if kind is TokenKind.PUNCTUATION else 0,
        kind is not TokenKind.PUNCTUATION,
        plain in CONDITIONALS,
        plain in CONTRASTS,
        IF_NEGATED.get(plain, 0.0),
        picture,
        words.get(plain, 0),
        plain == "no",
    )  # fmt: skip


@cache
def _known() -> tuple[dict[str, int], NDArray[np.float64]]:
    """Rows of the small words that anything is known about, by their position; the first one is of all others."""
    lists = (lexicon(), BOOSTERS, WIDE_NEGATORS, CONDITIONALS, CONTRASTS, IF_NEGATED, pair_table())
    words = sorted({word for words in lists for word in words if word.isalpha() and word.isascii()})
    return {w: i for i, w in enumerate(words, 1)}, np.array([_row("qqzz"), *map(_row, words)], np.float64)


def _rows(forms: Sequence[str]) -> NDArray[np.float64]:
    place, rows = _known()
    found = np.zeros(len(forms), np.int64)
    shouted, slow = list[int](), list[int]()
    for i, form in enumerate(forms):
        if not (form.isascii() and form.isalpha()):
            if form[0] != "@" and not form.startswith("http"):
                slow.append(i)
            continue
        small = form.lower()
        if small in place:
            found[i] = place[small]
        elif _DRAWN.search(small):
            found[i] = place.get(_DRAWN.sub(r"\1", small), 0)
        if len(form) > 1 and form.isupper():
            shouted.append(i)
    made = rows[found]
    made[shouted, FIELDS.index("caps")] = 1.0
    for i in slow:
        made[i] = _row(forms[i])
    return made


FORMS: FormTable[np.float64] = FormTable(_rows)


@cache
def pair_valences() -> NDArray[np.float64]:
    """(m, m) valence of pairs by the numbers of their words; NaN where two words are no pair."""
    number = pair_table()
    found = np.full((len(number) + 1, len(number) + 1), np.nan)
    for pair, valence in PAIRS.items():
        one, two = pair.split()
        found[number[one], number[two]] = valence
    return found
