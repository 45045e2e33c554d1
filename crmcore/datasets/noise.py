"""What goes wrong when people and staff write down names and numbers."""

# ruff: noqa: E501

from __future__ import annotations

import numpy as np

from crmcore.datasets.columns import Ints, Objects, children, draw

__all__ = ["drop", "junk", "mistype", "misheard", "recase", "swap_day_month"]

# Neighbours on a keyboard, Latin letters and digits.
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
NEAR = {ch: row[max(i - 1, 0) : i] + row[i + 1 : i + 2] for row in _ROWS for i, ch in enumerate(row)}
HEARD = (
    ("ph", "f"), ("th", "t"), ("ck", "k"), ("ee", "i"), ("oo", "u"), ("ie", "y"), ("ai", "ay"), ("ch", "sh"), ("sch", "sh"), ("ae", "e"),
    ("v", "w"), ("z", "s"), ("c", "k"), ("j", "ch"), ("r", "l"), ("b", "p"), ("d", "t"), ("g", "k"), ("y", "i"), ("e", "a"), ("o", "u"), ("ü", "u"), ("ö", "o"), ("é", "e"),
)  # fmt: skip


def _pick(rng: np.random.Generator, column: Objects, rate: float) -> Ints:
    """Rows that hold text and are hit."""
    hit = rng.random(len(column)) < rate
    return np.flatnonzero(hit & np.array([c is not None for c in column], dtype=bool))


def _slip(word: str, kind: int, at: float) -> str:
    """One slip of the fingers: neighbour key, letter lost, letter doubled, two letters crossed."""
    if len(word) < 3:
        return word
    i = int(at * len(word))
    ch = word[i]
    if kind == 0:
        near = NEAR.get(ch.lower())
        return word if not near else word[:i] + near[int(at * 997) % len(near)] + word[i + 1 :]
    if kind == 1:
        return word[:i] + word[i + 1 :]
    if kind == 2:
        return word[:i] + ch + word[i:]
    i = min(i, len(word) - 2)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def mistype(rng: np.random.Generator, column: Objects, rate: float) -> Objects:
    """Give a share of the cells one slip, and a tenth of those a second one.

    Examples
    --------
    >>> mistype(np.random.default_rng(3), np.array(["Somchai", None], object), 1.0).tolist()
    ['Somchhai', None]
    """
    r = children(rng, "rows", "slip")
    rows = _pick(r["rows"], column, rate)
    kind, at = r["slip"].integers(4, size=(len(rows), 2)).tolist(), r["slip"].random((len(rows), 2)).tolist()
    twice = (r["slip"].random(len(rows)) < 0.1).tolist()
    for row, k, a, again in zip(rows.tolist(), kind, at, twice, strict=True):
        word = _slip(str(column[row]), k[0], a[0])
        column[row] = _slip(word, k[1], a[1]) if again else word
    return column


def misheard(rng: np.random.Generator, column: Objects, rate: float) -> Objects:
    """Give a share of the cells one or two sounds heard wrongly, as an agent types what is said."""
    r = children(rng, "rows", "sound")
    rows = _pick(r["rows"], column, rate)
    for row, at in zip(rows.tolist(), r["sound"].random((len(rows), 2)).tolist(), strict=True):
        said = str(column[row])
        word = said.lower()
        for pick in at[: 1 + (at[1] < 0.3)]:
            found = [(a, b) for a, b in HEARD if a in word]
            if found:
                a, b = found[int(pick * len(found))]
                word = word.replace(a, b, 1)
        column[row] = word.title() if word != said.lower() else said
    return column


def drop(rng: np.random.Generator, column: Objects, rate: float) -> Objects:
    """Leave a share of the cells empty."""
    column[rng.random(len(column)) < rate] = None
    return column


def junk(rng: np.random.Generator, column: Objects, rate: float, words: tuple[str, ...]) -> Objects:
    """Overwrite a share of the cells by what stands there when nobody cares ("test", "0000000000")."""
    r = children(rng, "rows", "word")
    rows = np.flatnonzero(r["rows"].random(len(column)) < rate)
    column[rows] = np.array(words, dtype=object)[draw(r["word"], 1 / np.arange(1, len(words) + 1), len(rows))]
    return column


def recase(rng: np.random.Generator, column: Objects, *, lower: float, upper: float) -> Objects:
    """Write a share of the cells in small, another in capital letters."""
    case = rng.random(len(column))
    for row in np.flatnonzero(case < lower + upper).tolist():
        word = column[row]
        if word is not None:
            column[row] = word.lower() if case[row] < lower else word.upper()
    return column


def swap_day_month(rng: np.random.Generator, column: Objects, rate: float) -> Objects:
    """Cross day and month of ISO dates where both read as a month.

    Examples
    --------
    >>> swap_day_month(np.random.default_rng(1), np.array(["1990-03-07", "1990-03-27"], object), 1.0).tolist()
    ['1990-07-03', '1990-03-27']
    """
    for row in _pick(rng, column, rate).tolist():
        parts = str(column[row]).split("-")
        if len(parts) == 3 and int(parts[2]) <= 12:
            column[row] = f"{parts[0]}-{parts[2]}-{parts[1]}"
    return column
