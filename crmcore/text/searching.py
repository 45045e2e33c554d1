"""Search in texts: which of them answer a question, ranked by BM25, with the words that made the score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.text.forms import FormTable
from crmcore.text.tokens import Segmenter, TokenBatch, Tokenizer

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

__all__ = ["Hit", "SearchIndex", "best_of", "stems"]

Floats = NDArray[np.float64]


@attrs.frozen
class Hit:
    """A text that was found.

    Parameters
    ----------
    text : position
        Of the text in the index.
    score : BM25
        Above 0; comparable within one question.
    words
        Each stem of the question that the text holds, and its part of the score; the parts add up.
    """

    text: int
    score: float
    words: tuple[tuple[str, float], ...]


@cache
def _snowball(language: str) -> FormTable[np.object_]:
    from nltk.stem.snowball import SnowballStemmer

    if language not in SnowballStemmer.languages:
        raise OutOfRange("language", language, str(sorted(SnowballStemmer.languages)), "None leaves words as they are")
    stem = lru_cache(maxsize=200_000)(SnowballStemmer(language).stem)
    return FormTable(lambda forms: np.array([*map(stem, forms), ""], object)[:-1])


def stems(batch: TokenBatch, /, *, language: str | None = "english") -> TokenBatch:
    """Give the words of a batch in normal form without their endings (Snowball), punctuation left out.

    Examples
    --------
    >>> from crmcore.text import tokenize
    >>> stems(tokenize(["Refunded? Refunds!"])).forms(0)
    ['refund', 'refund']
    """
    words = batch.normalised().words()
    if language is None:
        return words
    forms = words.values(_snowball(language)).tolist()
    vocabulary = type(words.vocabulary)()
    return TokenBatch(vocabulary.codes(forms), words.starts, vocabulary)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SearchIndex:
    """Texts that can be asked: FAQs, past answers, ideas.

    Score of text d for question q, over the stems t of q (each once), Robertson and Zaragoza 2009::

        sum_t  ln(1 + (N - n_t + 1/2) / (n_t + 1/2)) * f * (k1 + 1) / (f + k1 * (1 - b + b * length_d / mean length))

    with f occurrences of t in d and n_t texts of N that hold t.

    Examples
    --------
    >>> index = SearchIndex.of(["How do I get a refund?", "Opening hours of the shop", "Refunds take 5 days"])
    >>> [hit.text for hit in index.search("when will my refund come")]
    [2, 0]
    """

    vocabulary: tuple[str, ...]
    weights: csr_array  # (n_texts, n_stems) part of the score that a stem of the question adds
    language: str | None
    segment: Segmenter | None = None

    @classmethod
    def of(
        cls,
        texts: Sequence[str | None],
        /,
        *,
        language: str | None = "english",
        segment: Segmenter | None = None,
        k1: float = 1.2,
        b: float = 0.75,
    ) -> SearchIndex:
        """Index texts; missing ones are never found.

        Parameters
        ----------
        texts : (n,) texts
        language
            Whose endings are cut off; None compares words as they are, as for scripts without spaces.
        segment
            Cuts scripts without spaces into words.
        k1 : 0 or more
            How much a second occurrence adds: 0 nothing.
        b : share
            How much long texts are discounted: 0 not at all.
        """
        from scipy.sparse import csr_array

        if not k1 >= 0:
            raise OutOfRange("k1", k1, "0 or more", "1.2 is usual")
        if not 0 <= b <= 1:
            raise OutOfRange("b", b, "0 to 1", "0.75 is usual")
        batch = stems(Tokenizer(segment=segment).tokenize(texts), language=language)
        n, m = len(batch), len(batch.vocabulary)
        counts = csr_array((np.ones(len(batch.codes)), (batch.text_of, batch.codes)), shape=(n, m))
        counts.sum_duplicates()
        held = np.bincount(counts.indices, minlength=m)
        rarity = np.log1p((n - held + 0.5) / (held + 0.5))
        length = batch.lengths / max(float(batch.lengths.mean()), 1e-9) if n else np.empty(0)
        row = np.repeat(np.arange(n), np.diff(counts.indptr))
        f = counts.data
        counts.data = rarity[counts.indices] * f * (k1 + 1) / (f + k1 * (1 - b + b * length[row]))
        return cls(vocabulary=tuple(batch.vocabulary), weights=counts, language=language, segment=segment)

    @classmethod
    def of_fields(
        cls,
        fields: Mapping[str, Sequence[str | None]],
        /,
        *,
        weights: Mapping[str, float],
        language: str | None = "english",
        segment: Segmenter | None = None,
        k1: float = 1.2,
        b: float = 0.75,
    ) -> SearchIndex:
        """Index texts that have parts (title, question, answer), of which some tell more than others.

        BM25F (Robertson, Zaragoza and Taylor 2004): occurrences are added over the parts, each with its weight and
        discounted for the length of that part, before they saturate; one part of weight 1 is `of`.

        Parameters
        ----------
        fields : name -> (n,) texts
            Row i of every part is the same text.
        weights : name -> number
            0 or more; a part that is not named weighs 1.
        language, segment, k1, b
            As in `of`.

        Examples
        --------
        >>> index = SearchIndex.of_fields({"title": ["Refund", "Hours"], "body": ["Ask us", "No refund here"]},
        ...                               weights={"title": 3})
        >>> [hit.text for hit in index.search("refund")]
        [0, 1]
        """
        from scipy.sparse import csr_array

        if not (k1 >= 0 and 0 <= b <= 1 and all(w >= 0 for w in weights.values())):
            raise OutOfRange("k1, b, weights", (k1, b), "numbers from 0, b up to 1", "k1=1.2, b=0.75")
        if not set(weights) <= set(fields) or len({len(texts) for texts in fields.values()}) != 1:
            raise OutOfRange(
                "fields", sorted(fields), "parts of one length, weights for these", "fields={'text': texts}"
            )
        n = len(next(iter(fields.values())))
        every = [text for texts in fields.values() for text in texts]
        batch = stems(Tokenizer(segment=segment).tokenize(every), language=language)
        m = len(batch.vocabulary)
        weight = np.repeat([float(weights.get(name, 1.0)) for name in fields], n)
        length = batch.lengths.astype(np.float64).reshape(len(fields), n)
        share = length / np.maximum(length.mean(axis=1, keepdims=True), 1e-9) if n else length
        each = weight / np.maximum(1 - b + b * share.ravel(), 1e-9)
        counts = csr_array((each[batch.text_of], (batch.text_of % max(n, 1), batch.codes)), shape=(n, m))
        counts.sum_duplicates()
        held = np.bincount(counts.indices[counts.data > 0], minlength=m)
        f = counts.data
        counts.data = np.log1p((n - held + 0.5) / (held + 0.5))[counts.indices] * f * (k1 + 1) / (f + k1)
        return cls(vocabulary=tuple(batch.vocabulary), weights=counts, language=language, segment=segment)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {stem: code for code, stem in enumerate(self.vocabulary)}

    @cached_property
    def _most(self) -> Floats:
        """(n_stems,) most that a stem adds to the score of any text."""
        columns = self._columns
        most, held = np.zeros(columns.shape[1]), np.diff(columns.indptr) > 0
        if held.any():
            most[held] = np.maximum.reduceat(columns.data, columns.indptr[:-1][held])
        return most

    @cached_property
    def _columns(self) -> csc_array:
        """The weights by stem: the texts that hold it stand together."""
        columns: csc_array = self.weights.tocsc()
        columns.sort_indices()
        return columns

    def __len__(self) -> int:
        return int(self.weights.shape[0])

    def __repr__(self) -> str:
        return f"SearchIndex({len(self)} texts, {len(self.vocabulary)} stems)"

    def _asked(self, questions: Sequence[str | None]) -> csr_array:
        """(n_questions, n_stems) ones where a question holds a stem of the index."""
        from scipy.sparse import csr_array

        number = self._number
        batch = stems(Tokenizer(segment=self.segment).tokenize(questions), language=self.language)
        known = np.array([number.get(form, -1) for form in batch.vocabulary], np.int64)
        code = known[batch.codes] if len(batch.codes) else np.empty(0, np.int64)
        row = batch.text_of[code >= 0]
        asked = csr_array((np.ones(len(row)), (row, code[code >= 0])), shape=(len(batch), len(self.vocabulary)))
        asked.sum_duplicates()
        asked.data[:] = 1.0
        return asked

    def scores(self, questions: Sequence[str | None], /) -> csr_array:
        """(n_questions, n_texts) scores, sparse: 0 where a text shares no stem with the question."""
        found: csr_array = (self._asked(questions) @ self.weights.T).tocsr()
        return found

    def search(self, question: str, /, *, limit: int = 10) -> tuple[Hit, ...]:
        """Find the best texts for a question, best first; equal scores in the order of the index.

        Parameters
        ----------
        question : text
        limit : count
        """
        if limit < 1:
            raise OutOfRange("limit", limit, "1 or more", "ask for at least one hit")
        asked = self.codes(question)
        best, score = self.top(asked, limit)
        pairs = zip(best.tolist(), score.tolist(), strict=True)
        return tuple(Hit(d, x, self.words(d, asked)) for d, x in pairs if x > 0)

    def codes(self, question: str, /) -> NDArray[np.integer]:
        """Stems of a question that the index knows, each once, as positions in `vocabulary`."""
        asked: NDArray[np.integer] = self._asked([question]).indices
        return asked

    def code_of(self, stems: Iterable[str], /) -> NDArray[np.int64]:
        """Positions in `vocabulary` of the stems that the index knows, ascending."""
        return np.array(sorted({c for stem in stems if (c := self._number.get(stem, -1)) >= 0}), np.int64)

    def score(self, codes: NDArray[np.integer], /) -> Floats:
        """(n,) score of every text for stems; only the texts that hold one of them are looked at."""
        columns, found = self._columns, np.zeros(len(self))
        start, text, part = columns.indptr, columns.indices, columns.data
        for code in codes.tolist():
            one, end = start[code], start[code + 1]
            found[text[one:end]] += part[one:end]
        return found

    def top(
        self, codes: NDArray[np.integer], limit: int, /, *, factor: Floats | None = None
    ) -> tuple[NDArray[np.intp], Floats]:
        """Texts of the highest scores and these, highest first; equal scores in the order of the index.

        Rare stems are read first. Once what the others can add at most lifts no further text among the first, only the
        texts that may still be there are completed (Turtle and Flood 1995), so common words cost little.

        Parameters
        ----------
        codes : stems
            Positions in `vocabulary`.
        limit : count
        factor : (n,) numbers above 0, optional
            What the score of each text is multiplied by.
        """
        columns, found = self._columns, np.zeros(len(self))
        start, text, part = columns.indptr, columns.indices, columns.data
        by = np.ones(len(self)) if factor is None else factor
        codes = np.asarray(codes, np.int64)
        codes = codes[np.lexsort((codes, start[codes + 1] - start[codes]))]
        left = np.append(np.cumsum(self._most[codes][::-1])[::-1][1:], 0.0) * (by.max() if len(by) else 1.0)
        seen = np.empty(0, np.int64)
        for i, code in enumerate(codes.tolist()):
            one, end = start[code], start[code + 1]
            fresh = text[one:end]
            seen = np.concatenate([seen, fresh[found[fresh] == 0]])
            found[fresh] += part[one:end]
            if i + 1 < len(codes) and len(seen) >= limit:
                score = found[seen] * by[seen]
                least = np.partition(score, len(score) - limit)[len(score) - limit]
                if left[i] < least * (1 - 1e-9):
                    seen = np.sort(seen[score + left[i] >= least * (1 - 1e-9)])
                    for other in codes[i + 1 :].tolist():
                        texts, adds = text[start[other] : start[other + 1]], part[start[other] : start[other + 1]]
                        at = np.minimum(np.searchsorted(texts, seen), max(len(texts) - 1, 0))
                        held = texts[at] == seen if len(texts) else np.zeros(len(seen), np.bool_)
                        found[seen[held]] += adds[at[held]]
                    break
        seen = np.sort(seen)
        score = found[seen] * by[seen]
        best = best_of(score, limit)
        return seen[best].astype(np.intp), score[best]

    def words(self, text: int, codes: NDArray[np.integer], /) -> tuple[tuple[str, float], ...]:
        """What each stem adds to the score of a text, most first."""
        held = slice(self.weights.indptr[text], self.weights.indptr[text + 1])
        asked = set(codes.tolist())
        pairs = zip(self.weights.indices[held].tolist(), self.weights.data[held].tolist(), strict=True)
        return tuple(sorted(((self.vocabulary[c], w) for c, w in pairs if c in asked), key=lambda p: (-p[1], p[0])))


def best_of(score: Floats, limit: int, /) -> NDArray[np.intp]:
    """Positions of the highest scores, highest first; equal scores in the order of positions.

    Examples
    --------
    >>> best_of(np.array([1.0, 3.0, 3.0, 2.0]), 2).tolist()
    [1, 2]
    """
    if limit < len(score):
        least = np.partition(score, len(score) - limit)[len(score) - limit]
        able = np.flatnonzero(score >= least)
    else:
        able = np.arange(len(score))
    return able[np.argsort(-score[able], kind="stable")][:limit]
