"""Where each form occurs: the inverted index of a token batch."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.text.tokens import TokenBatch

__all__ = ["Postings"]

Positions = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False)
class Postings:
    """Positions of the tokens of a batch, by form.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> index = Postings.of(tokenize(["no refund", "refund no refund"]).normalised())
    >>> index.phrase(["no", "refund"]), index.texts(index.phrase(["no", "refund"]))
    (array([0, 3]), array([0, 1], dtype=int32))
    """

    batch: TokenBatch
    text_of: NDArray[np.int32]  # (n_tokens,)
    order: Positions  # (n_tokens,) positions, form by form, ascending within a form
    bounds: Positions  # (n_forms + 1,)

    @classmethod
    def of(cls, batch: TokenBatch, /) -> Postings:
        """Index a batch."""
        counts = np.bincount(batch.codes, minlength=len(batch.vocabulary))
        return cls(
            batch, batch.text_of, np.argsort(batch.codes, kind="stable"), np.concatenate(([0], np.cumsum(counts)))
        )

    def __repr__(self) -> str:
        return f"Postings({len(self.batch)} texts, {len(self.bounds) - 1} forms)"

    def positions(self, codes: Sequence[int] | NDArray[np.integer], /) -> Positions:
        """(k,) positions of any of the forms, ascending; codes that the batch does not know are skipped."""
        known = [int(c) for c in codes if 0 <= c < len(self.bounds) - 1]
        parts = [self.order[self.bounds[c] : self.bounds[c + 1]] for c in known]
        if len(parts) == 1:
            return parts[0]
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)

    def phrase(self, forms: Sequence[str], /) -> Positions:
        """(k,) positions at which the forms follow each other within one text; the first token of each."""
        if not forms:
            return np.empty(0, np.int64)
        find = self.batch.vocabulary.find
        return self.sequence([self.positions([find(form)]) for form in forms])

    def sequence(self, parts: Sequence[Positions], /) -> Positions:
        """(k,) positions at which something of each part follows the part before; the first token of each."""
        begins = parts[0]
        for step, part in enumerate(parts[1:], 1):
            begins = begins[_member(begins + step, part)]
        whole: NDArray[np.bool_] = self.text_of[begins] == self.text_of[begins + len(parts) - 1]
        return begins[whole]

    def texts(self, positions: Positions, /) -> NDArray[np.int32]:
        """(k,) texts in which the positions lie, each once, ascending."""
        return np.unique(self.text_of[positions])


def _member(wanted: Positions, held: Positions) -> NDArray[np.bool_]:
    """Which wanted positions are among the held ones, which ascend."""
    if not len(held):
        return np.zeros(len(wanted), bool)
    at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    found: NDArray[np.bool_] = held[at] == wanted
    return found
