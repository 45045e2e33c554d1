"""Words and pairs of words with a mark where they are negated, looked up in the sorted keys of a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.listening.sentiment.rules import Weighed
from crmcore.text import FormTable, TokenKind
from crmcore.text.patterns import kind_of, normal

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["NgramSpace", "levelled_form"]

Floats = NDArray[np.float64]
SHIFT = 21  # bits of one token in a key: word number times 2, plus 1 where it is negated
SAME = {
    TokenKind.HANDLE: "(handle)",
    TokenKind.LINK: "(link)",
    TokenKind.EMAIL: "(address)",
    TokenKind.NUMBER: "(number)",
    TokenKind.PUNCTUATION: "",
}


def levelled_form(form: str, /) -> str:
    """Form under which a model knows a token; nothing for punctuation.

    Examples
    --------
    >>> levelled_form("SLOW"), levelled_form("@shop"), levelled_form("!!")
    ('slow', '(handle)', '')
    """
    if form.isascii() and form.isalpha():
        return normal(form)
    kind = kind_of(form)
    return SAME[kind] if kind in SAME else normal(form)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class NgramSpace:
    """Terms that a model knows.

    Parameters
    ----------
    words : (w,) forms
        Number 1 is the first; 0 are all that it does not know.
    keys : (m,) whole numbers, ascending
        Of words and pairs, see `keys_of`.
    idf : (m,) numbers
    """

    words: tuple[str, ...]
    keys: NDArray[np.int64]
    idf: Floats

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"NgramSpace({len(self.words)} words, {len(self)} terms)"

    @cached_property
    def numbers(self) -> FormTable[np.int64]:
        """Number of each form: 0 unknown, -1 punctuation."""
        place = {word: i for i, word in enumerate(self.words, 1)}

        def numbered(forms: Sequence[str]) -> NDArray[np.int64]:
            level = map(levelled_form, forms)
            return np.array([place.get(form, 0) if form else -1 for form in level], np.int64)

        return FormTable(numbered)

    def terms(self) -> list[str]:
        """Terms in words, negated ones behind "not"."""
        return [
            " ".join(self._word(token) for token in ((key >> SHIFT), key & ((1 << SHIFT) - 1)) if token)
            for key in self.keys.tolist()
        ]

    def is_pair(self, column: int) -> bool:
        """Whether a term has two words."""
        return int(self.keys[column]) >> SHIFT > 0

    def _word(self, token: int) -> str:
        return f"not {self.words[(token >> 1) - 1]}" if token & 1 else self.words[(token >> 1) - 1]

    def placed(self, w: Weighed, /) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], Floats]:
        """Known n-grams of a batch.

        Returns
        -------
        (k,) columns, (k,) texts, (k,) token at which each begins, (n_texts,) share of the n-grams that are known
        """
        number = self.numbers.on(w.batch.vocabulary)[w.batch.codes]
        at = np.flatnonzero(number >= 0)
        token, text = number[at] * 2 + (w.negated[at] & (number[at] > 0)), w.text_of[at]
        pair = np.flatnonzero(text[1:] == text[:-1])
        key = np.concatenate([token, (token[pair] << SHIFT) | token[pair + 1]])
        known = np.concatenate([token > 1, (token[pair] > 1) & (token[pair + 1] > 1)])
        owner = np.concatenate([text, text[pair]])
        begin = np.concatenate([at, at[pair]])
        column = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
        known &= self.keys[column] == key if len(self.keys) else False
        n = len(w.batch)
        cover = np.bincount(owner, known, n) / np.maximum(np.bincount(owner, minlength=n), 1)
        return column[known], owner[known], begin[known], cover

    def features(self, w: Weighed, /) -> tuple[csr_array, Floats]:
        """(n_texts, m) weighed terms, rows of unit length, and the share of the n-grams that are known."""
        from scipy.sparse import csr_array

        column, owner, _, cover = self.placed(w)
        x = csr_array((np.ones(len(column)), (owner, column)), shape=(len(w.batch), len(self)))
        x.sum_duplicates()
        data = (1 + np.log(np.maximum(x.data, 1))) * self.idf[x.indices]
        row = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
        length = np.sqrt(np.bincount(row, data**2, x.shape[0]))
        x.data = data / np.maximum(length, 1e-12)[row]
        return x, cover

    @classmethod
    def learned(cls, w: Weighed, /, *, most: int, least_texts: int = 2) -> NgramSpace:
        """Terms of the most texts of a batch."""
        level = [levelled_form(form) for form in w.batch.vocabulary]
        words = sorted({form for form in level if form})
        place = {word: i for i, word in enumerate(words, 1)}
        number = np.array([place.get(form, -1) for form in level], np.int64)[w.batch.codes]
        at = np.flatnonzero(number >= 0)
        token, text = number[at] * 2 + w.negated[at], w.text_of[at]
        pair = np.flatnonzero(text[1:] == text[:-1])
        key = np.concatenate([token, (token[pair] << SHIFT) | token[pair + 1]])
        owner = np.concatenate([text, text[pair]]).astype(np.int64)
        distinct, code = np.unique(key, return_inverse=True)
        once = np.unique(code * len(w.batch) + owner) // max(len(w.batch), 1)
        held = np.bincount(once, minlength=len(distinct))
        best = np.lexsort((distinct, -held))
        best = np.sort(best[held[best] >= least_texts][:most])
        keys, held = distinct[best], held[best]
        left, right = keys >> SHIFT, keys & ((1 << SHIFT) - 1)
        used = np.unique(np.concatenate([left[left > 0] >> 1, right >> 1]))
        moved = np.zeros(len(words) + 1, np.int64)
        moved[used] = np.arange(1, len(used) + 1)
        renamed = ((moved[left >> 1] * 2 + (left & 1)) * (left > 0)) << SHIFT | (moved[right >> 1] * 2 + (right & 1))
        order = np.argsort(renamed)
        idf = np.log((1 + len(w.batch)) / (1 + held)) + 1
        return cls(words=tuple(words[i - 1] for i in used), keys=renamed[order], idf=idf[order])
