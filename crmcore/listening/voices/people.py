"""Voices, not posts: who of a group said a thing, each author once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.metrics.columns import truths
from crmcore.metrics.proportions import Counts
from crmcore.tables import MentionTable

__all__ = ["authors_of", "flag", "flags", "mean_by_author", "voices"]

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def authors_of(mentions: MentionTable, /) -> Ints:
    """(n,) code of the author of each post; nameless authors are taken for different people."""
    codes = mentions.author.codes.astype(np.int64)
    return np.where(codes >= 0, codes, len(mentions.author.values) + np.arange(len(codes)))


def flag(name: str, values: ArrayLike, n: int, /) -> Bools:
    """(n,) truths, one a post."""
    found = truths(name, values)
    if len(found) != n:
        raise OutOfRange(f"length of {name}", len(found), f"{n}, one a mention", "pass a column of the same rows")
    return found


def flags(things: Mapping[str, ArrayLike], n: int, /) -> dict[str, Bools]:
    """(n,) truths by name, at least one."""
    if not things:
        raise EmptyInput("things", "name what to look at: {'late delivery': mask}")
    return {name: flag(name, values, n) for name, values in things.items()}


def voices(author: Ints, group: Bools, said: Bools, /) -> Counts:
    """Authors of a group who said a thing, of all its authors."""
    return Counts(k=len(np.unique(author[group & said])), n=len(np.unique(author[group])))


def mean_by_author(score: Floats, author: Ints, rows: Bools | Ints | Sequence[int], /) -> Floats:
    """(k,) mean score of each author of some posts; authors of whom nothing can be told are left out."""
    chosen = np.flatnonzero(rows) if np.asarray(rows).dtype == bool else np.asarray(rows, np.int64)
    chosen = chosen[~np.isnan(score[chosen])]
    _, who = np.unique(author[chosen], return_inverse=True)
    return np.asarray(np.bincount(who, score[chosen]) / np.maximum(np.bincount(who), 1), np.float64)
