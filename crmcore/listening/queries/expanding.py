"""What customers call it: misspellings and other words for a term, proposed from the posts with evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.metrics.scalars import count_of, share_of
from crmcore.tables import MentionTable
from crmcore.text import Postings, TokenBatch, Tokenizer, TokenKind, count_terms
from crmcore.text.patterns import normal

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Proposal", "propose_terms"]

Floats = NDArray[np.float64]
REACH = 3  # words on either side that are the company of a term


@attrs.frozen(kw_only=True)
class Proposal(Document):
    """A term that may belong into a query. Nothing is added without your yes.

    Parameters
    ----------
    term
    reason : {"misspelling", "same company"}
    score : share
        Likeness of spelling, or of the words around it, 0 to 1.
    posts : count
        That hold it.
    example : row
        A post that does.
    """

    term: str
    reason: str
    score: float
    posts: int
    example: int

    def __str__(self) -> str:
        return f"{self.term} ({self.reason} {self.score:.2f}, {self.posts} posts)"


def propose_terms(
    seed: str,
    mentions: MentionTable,
    /,
    *,
    least_posts: int = 2,
    least_likeness: float = 0.8,
    limit: int = 10,
) -> tuple[Proposal, ...]:
    """Propose misspellings of a term and other terms that stand in the same company.

    A misspelling differs by few letters (normalised Indel likeness), begins with the same letter and is rarer than the
    seed. Company is the words within three of a term, weighed by positive pointwise mutual information; its likeness is
    the cosine.

    Parameters
    ----------
    seed : word or pair of words
    mentions
    least_posts : count
        That hold a term of the same company; a misspelling may occur once.
    least_likeness : share
        Of the spelling.
    limit : count
        Of each kind.

    Raises
    ------
    EmptyInput
        No post holds the seed.

    Examples
    --------
    >>> said = ["I want a refund now", "I want a refnd now", "I want money back now"]
    >>> posts = MentionTable.from_frame({"text": said * 3 + ["refund"]})
    >>> found = [p.term for p in propose_terms("refund", posts)]
    >>> found[0], "money back" in found
    ('refnd', True)
    """
    count_of("least_posts", least_posts, least=1)
    count_of("limit", limit, least=1)
    share_of("least_likeness", least_likeness, hint="0.8 allows about one letter in five")
    batch = Tokenizer().tokenize(mentions.text.to_list()).words().normalised()
    forms = [normal(form) for form in Tokenizer().tokenize([seed]).words().forms(0)]
    index = Postings.of(batch)
    begins = index.phrase(forms)
    if not forms or not len(begins):
        raise EmptyInput("posts with the seed", "take a term that your posts hold")
    texts = index.texts(begins)
    found = list[Proposal]()
    if len(forms) == 1:
        found += _misspelt(forms[0], batch, index, len(texts), least_likeness)[:limit]
    taken = {p.term for p in found} | set(forms)
    company = _company(" ".join(forms), batch, index, least_posts)
    found += [p for p in company if taken.isdisjoint(p.term.split(" "))][:limit]
    return tuple(found)


def _misspelt(seed: str, batch: TokenBatch, index: Postings, seed_posts: int, least: float) -> list[Proposal]:
    from rapidfuzz import fuzz, process

    kinds = batch.kinds
    seen = np.unique(batch.codes[kinds == TokenKind.WORD])
    words = [(int(code), batch.vocabulary[int(code)]) for code in seen]
    words = [(code, word) for code, word in words if word != seed and word[0] == seed[0] and len(word) > 2]
    near = process.extract(seed, [w for _, w in words], scorer=fuzz.ratio, score_cutoff=100 * least, limit=None)
    found = list[Proposal]()
    for word, score, at in near:
        posts = index.texts(index.positions([words[at][0]]))
        inflected = word.startswith(seed) or seed.startswith(word)  # a wildcard catches those
        if len(posts) < seed_posts and not inflected:
            found.append(
                Proposal(term=word, reason="misspelling", score=score / 100, posts=len(posts), example=int(posts[0]))
            )
    return sorted(found, key=lambda p: (-p.score, -p.posts, p.term))


def _company(seed: str, batch: TokenBatch, index: Postings, least_posts: int) -> list[Proposal]:
    counts = count_terms(batch, orders=(1, 2), least_texts=least_posts)
    terms = [seed, *(t for t in counts.terms if t != seed)]
    profiles = _profiles(terms, batch, index)
    length = np.sqrt((profiles.multiply(profiles)).sum(axis=1))
    likeness = np.asarray((profiles @ profiles[[0]].T).todense()).ravel() / np.maximum(length * length[0], 1e-12)
    texts_with = dict(zip(counts.terms, counts.texts_with().tolist(), strict=True))
    best = [i for i in np.argsort(-likeness, kind="stable").tolist() if i and likeness[i] >= 0.2]
    found = list[Proposal]()
    for i in best[:200]:
        begins = index.phrase(terms[i].split(" "))
        row = int(index.text_of[begins[0]])
        found.append(
            Proposal(
                term=terms[i], reason="same company", score=float(likeness[i]), posts=texts_with[terms[i]], example=row
            )
        )
    return found


def _profiles(terms: Sequence[str], batch: TokenBatch, index: Postings) -> csr_array:
    """(n_terms, n_forms) positive pointwise mutual information of terms with the words around them."""
    from scipy.sparse import csr_array

    rows, cols = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    text_of, n = index.text_of, len(batch.codes)
    for row, term in enumerate(terms):
        words = term.split(" ")
        begins = index.phrase(words)
        for step in (*range(-REACH, 0), *range(len(words), len(words) + REACH)):
            at = begins + step
            inside = (at >= 0) & (at < n)
            at, home = at[inside], begins[inside]
            same = text_of[at] == text_of[home]
            cols.append(batch.codes[at[same]].astype(np.int64))
            rows.append(np.full(int(same.sum()), row))
    r, c = np.concatenate(rows), np.concatenate(cols)
    x = csr_array((np.ones(len(r)), (r, c)), shape=(len(terms), len(batch.vocabulary)))
    x.sum_duplicates()
    total = max(float(x.sum()), 1.0)
    row_sum, col_sum = (np.asarray(x.sum(axis=axis), np.float64).ravel() for axis in (1, 0))
    owner = np.repeat(np.arange(x.shape[0]), np.diff(x.indptr))
    mutual = np.log(x.data * total / (row_sum[owner] * col_sum[x.indices]))
    x.data = np.maximum(mutual, 0.0) * np.log1p(x.data)
    return x
