"""Candidates for aspects, read off texts: words that opinions are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import between, html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.listening.aspects.clauses import clause_bounds
from crmcore.listening.aspects.finding import Aspect, Aspects
from crmcore.metrics.estimates import frame_of
from crmcore.text import FormTable, TokenBatch, TokenKind, tokenize

__all__ = ["Proposal", "propose_aspects"]

DETERMINERS = frozenset(
    "the a an this that these those my your our their his her its any no some every each which".split()
)
"""After these, and before a stop word, mark or end of clause, stands what is spoken about."""

STOPPERS = DETERMINERS | frozenset(
    """
    i me we us you he she it they them who what there here is are was were be been being am do does did
    have has had will would can could should must may might not n't and or but if then than so as at by
    for from in into of off on out over to up with about after before during just very really too also
    only all more most much many one two when while because since though although however yet except
    plus whereas where why how isn't wasn't aren't weren't don't didn't doesn't can't couldn't won't
    wouldn't shouldn't haven't hasn't hadn't it's i'm i've i'll we're you're they're that's there's get
    got go going went come came make made take took give gave need needed want wanted like liked love
    loved hate hated think thought know said told ever never always again still even well back
    """.split()
)
DULL = frozenset(
    "time times day days night week weeks year years way thing things lot bit people person one ones place day today "
    "something anything everything nothing other others same first last next good bad great best worst better new old "
    "little big whole few couple fact rest end kind sort reason point part case minutes hours hour minute".split()
)


@attrs.frozen(kw_only=True)
class Candidate(Document):
    """A term that may name an aspect: texts with it, and how often it stands alone where a noun stands."""

    term: str
    texts: int
    subject: float = attrs.field(validator=between(0, 1, hint="a share of its occurrences"))


@attrs.frozen(kw_only=True, repr=False)
class Proposal(Document):
    """Terms that opinions may be about, most frequent first; for somebody to choose from, name and merge."""

    candidates: tuple[Candidate, ...]

    def __len__(self) -> int:
        return len(self.candidates)

    def __repr__(self) -> str:
        return f"Proposal({len(self)} candidates)"

    def __str__(self) -> str:
        return "\n".join(f"{c.term}  {c.texts:,} texts" for c in self.candidates)

    def aspects(self, *, most: int | None = None) -> Aspects:
        """Every candidate as an aspect of its own."""
        return Aspects(tuple(Aspect(c.term, (c.term,)) for c in self.candidates[:most]))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a candidate: term, texts, subject."""
        if not self.candidates:
            raise EmptyInput("the proposal", "lower least_texts, or pass more texts")
        return frame_of([attrs.asdict(c) for c in self.candidates], backend=backend)

    def _repr_html_(self) -> str:
        return html_table([attrs.asdict(c) for c in self.candidates], caption="candidates for aspects")


def propose_aspects(
    texts: Sequence[str | None] | TokenBatch, /, *, least_texts: int = 5, least_share: float = 0.25, most: int = 50
) -> Proposal:
    """Propose English terms of one or two words that opinions may be about.

    A term is proposed by where it stands: behind "the", "my", "this" and the like, up to the next function word or the
    end of the clause, which is where English puts its nouns; no dictionary is needed.

    Parameters
    ----------
    texts : n texts, or their tokens
    least_texts : count
        Texts that must hold the term in such a place.
    least_share : share
        Of a word's places behind a determiner where it must be the only word: of nouns, not of what stands before them.
    most : count
        Candidates that are kept.

    Examples
    --------
    >>> texts = ["The waiter was rude", "my waiter forgot us", "loved the battery life", "the battery life is bad"]
    >>> print(propose_aspects(texts, least_texts=2))
    battery life  2 texts
    waiter  2 texts
    """
    batch = (texts if isinstance(texts, TokenBatch) else tokenize(texts)).normalised()
    n = len(batch.codes)
    if not n:
        return Proposal(candidates=())
    _, stop = clause_bounds(batch)
    plain = np.asarray(batch.values(_NAMES), bool) & (batch.kinds == TokenKind.WORD)
    at = np.flatnonzero(np.asarray(batch.values(_DETERMINES), bool)) + 1
    at = at[at < n]
    at = at[(batch.text_of[at] == batch.text_of[at - 1]) & plain[at]]
    goes_on = (at + 1 < stop[at]) & plain[np.minimum(at + 1, n - 1)]
    ends = (at + 2 >= stop[at]) | ~plain[np.minimum(at + 2, n - 1)]
    pairs = _places(batch, at[goes_on & ends], 2)
    pairs = {w: p for w, p in pairs.items() if p.texts >= least_texts and not DULL & set(w)}
    held = {tuple(batch.vocabulary.find(f) for f in w) for w in pairs}
    follow = batch.codes[np.minimum(at + 1, n - 1)]
    in_pair = np.array([x in held for x in zip(batch.codes[at].tolist(), follow.tolist(), strict=True)], bool) & goes_on
    clean = _places(batch, at[~goes_on], 1)
    words = _places(batch, np.concatenate([at[~in_pair], at[goes_on & ~in_pair] + 1]), 1)
    made = [Candidate(term=" ".join(w), texts=p.texts, subject=1.0) for w, p in pairs.items()]
    for w, place in words.items():
        share = clean[w].places / place.places if w in clean else 0.0
        if place.texts >= least_texts and share >= least_share and not DULL & set(w):
            made.append(Candidate(term=w[0], texts=place.texts, subject=min(share, 1.0)))
    made.sort(key=lambda c: (-c.texts, c.term))
    return Proposal(candidates=tuple(made[:most]))


_DETERMINES = FormTable(lambda forms: np.array([f in DETERMINERS for f in forms], bool))
_NAMES = FormTable(lambda forms: np.array([len(f) > 2 and f not in STOPPERS for f in forms], bool))


@attrs.frozen
class _Place:
    texts: int
    places: int


def _places(batch: TokenBatch, at: NDArray[np.int64], order: int) -> dict[tuple[str, ...], _Place]:
    """Texts and places of each term of `order` words that begins at these positions."""
    if not len(at):
        return {}
    codes = np.stack([batch.codes[at + i] for i in range(order)], axis=1)
    distinct, back, places = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    pairs = np.unique(np.stack([back.ravel(), batch.text_of[at]]), axis=1)
    texts = np.bincount(pairs[0], minlength=len(distinct))
    words = [tuple(batch.vocabulary[c] for c in row) for row in distinct.tolist()]
    return {w: _Place(int(t), int(p)) for w, t, p in zip(words, texts, places, strict=True)}
