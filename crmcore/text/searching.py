"""Search in texts: which of them answer a question, ranked by BM25, with the words that made the score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import OutOfRange
from crmcore.text.forms import FormTable, Vocabulary
from crmcore.text.pruning import Column, held_in, top_of, total_of
from crmcore.text.tokens import Segmenter, TokenBatch, Tokenizer

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

__all__ = ["Hit", "SearchIndex", "stems"]

Codes = NDArray[np.int64]
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
        Each stem of the question that the text holds (with pairs, also these), and its part of the score; they add up.
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
    forms, vocabulary = _snowball(language).on(words.vocabulary), Vocabulary()
    used = np.flatnonzero(np.bincount(words.codes, minlength=len(forms)))
    code = np.zeros(len(forms), np.int32)
    code[used] = vocabulary.codes(forms[used].tolist())
    return TokenBatch(code[words.codes], words.starts, vocabulary)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class SearchIndex:
    """Texts that can be asked: FAQs, past answers, ideas.

    Score of text d for question q, over the stems t of q (each once), Robertson and Zaragoza 2009::

        sum_t  ln(1 + (N - n_t + 1/2) / (n_t + 1/2)) * f * (k1 + 1) / (f + k1 * (1 - b + b * length_d / mean length))

    with f occurrences of t in d and n_t texts of N that hold t. Pairs of neighbours may count as well: see `of`.

    Examples
    --------
    >>> index = SearchIndex.of(["How do I get a refund?", "Opening hours of the shop", "Refunds take 5 days"])
    >>> [hit.text for hit in index.search("when will my refund come")]
    [2, 0]
    """

    vocabulary: tuple[str, ...]
    weights: csc_array  # (n_texts, n_stems + n_pairs) part of the score that a stem or pair of the question adds
    language: str | None
    segment: Segmenter | None = None
    pairs: NDArray[np.int64] = attrs.field(factory=lambda: np.empty(0, np.int64))  # first * n_stems + second, ascending

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
        pairs: float = 0.0,
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
        pairs : 0 or more
            What two words count that stand side by side in question and text, beside what each counts alone; 0 nothing.
        """
        return cls.of_fields({"text": texts}, weights={}, language=language, segment=segment, k1=k1, b=b, pairs=pairs)

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
        pairs: float = 0.0,
    ) -> SearchIndex:
        """Index texts that have parts (title, question, answer), of which some tell more than others.

        A part of weight 2 counts as if it stood there twice, in occurrences and in length (Robertson, Zaragoza and
        Taylor 2004). Pairs of neighbours score as words do and are multiplied by `pairs`, as in the sequential
        dependence model (Metzler and Croft 2005).

        Parameters
        ----------
        fields : name -> (n,) texts
            Row i of every part is the same text.
        weights : name -> number
            0 or more; a part that is not named weighs 1.
        language, segment, k1, b, pairs
            As in `of`.

        Examples
        --------
        >>> index = SearchIndex.of_fields({"title": ["Refund", "Hours"], "body": ["Ask us", "No refund here"]},
        ...                               weights={"title": 3})
        >>> [hit.text for hit in index.search("refund")]
        [0, 1]
        """
        from scipy.sparse import hstack

        if not (k1 >= 0 and 0 <= b <= 1 and pairs >= 0 and all(w >= 0 for w in weights.values())):
            got = f"k1 {k1}, b {b}, pairs {pairs}, weights {dict(weights)}"
            raise OutOfRange("k1, b, pairs, weights", got, "numbers from 0, b up to 1", "k1=1.2, b=0.75, pairs=0.5")
        if not set(weights) <= set(fields) or len({len(texts) for texts in fields.values()}) != 1:
            raise OutOfRange(
                "fields", sorted(fields), "parts of one length, weights for these", "fields={'text': texts}"
            )
        n = len(next(iter(fields.values())))
        every = [text for texts in fields.values() for text in texts]
        batch = stems(Tokenizer(segment=segment).tokenize(every), language=language)
        m = len(batch.vocabulary)
        weight = np.repeat([float(weights.get(name, 1.0)) for name in fields], n)
        length = (weight * batch.lengths).reshape(len(fields), n).sum(axis=0)
        slow = k1 * (1 - b + b * length / max(float(length.mean()), 1e-9)) if n else length
        row = batch.text_of
        text, often = row % max(n, 1), weight[row]
        made, keys = [_parts(text, batch.codes, often, slow, k1=k1, m=m)], np.empty(0, np.int64)
        if pairs:
            near = np.flatnonzero(row[1:] == row[:-1])
            key = batch.codes[near].astype(np.int64) * m + batch.codes[near + 1]
            keys, pair = np.unique(key, return_inverse=True)
            made.append(_parts(text[near], pair.astype(np.int32), often[near], slow, k1=k1, m=len(keys)) * pairs)
        return cls(
            vocabulary=tuple(batch.vocabulary), weights=hstack(made, format="csc"), language=language, segment=segment,
            pairs=keys,
        )  # fmt: skip

    @cached_property
    def _number(self) -> dict[str, int]:
        return {stem: code for code, stem in enumerate(self.vocabulary)}

    def __len__(self) -> int:
        return int(self.weights.shape[0])

    def __repr__(self) -> str:
        return f"SearchIndex({len(self)} texts, {len(self.vocabulary)} stems)"

    def scores(self, questions: Sequence[str | None], /) -> csr_array:
        """(n_questions, n_texts) scores, sparse: 0 where a text shares no stem with the question."""
        from scipy.sparse import csr_array

        asked = [self.code_of(forms, forms) for forms in self._forms(questions)]
        start = np.cumsum([0, *map(len, asked)])
        held = np.concatenate([*asked, np.empty(0, np.int64)])
        ones = csr_array((np.ones(len(held)), held, start), shape=(len(asked), self.weights.shape[1]))
        found: csr_array = (ones @ self.weights.T).tocsr()
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
        told = self.words(best, asked)
        return tuple(Hit(d, x, w) for d, x, w in zip(best.tolist(), score.tolist(), told, strict=True))

    def _forms(self, questions: Sequence[str | None]) -> list[list[str]]:
        batch = stems(Tokenizer(segment=self.segment).tokenize(questions), language=self.language)
        return batch.rows()

    def codes(self, question: str, /) -> Codes:
        """Columns of `weights` for what a question holds and the index knows: stems, and pairs behind them."""
        (forms,) = self._forms([question])
        return self.code_of(forms, forms)

    def code_of(self, stems: Iterable[str], row: Sequence[str] = (), /) -> Codes:
        """Columns of stems, and of neighbours in a row of stems of which one is among these; each once, ascending."""
        number, m = self._number, len(self.vocabulary)
        words = {number[stem] for stem in stems if stem in number}
        near = pairwise(number.get(stem, -1) for stem in row) if len(self.pairs) else ()
        keys = sorted({a * m + b for a, b in near if min(a, b) >= 0 and (a in words or b in words)})
        at = self.pairs.searchsorted(np.array(keys, np.int64)).tolist()
        known = [m + i for i, k in zip(at, keys, strict=True) if i < len(self.pairs) and self.pairs[i] == k]
        return np.array(sorted(words) + known, np.int64)

    def _column(self, code: int) -> Column:
        """Texts that hold a stem or pair, and what it adds."""
        held = slice(int(self.weights.indptr[code]), int(self.weights.indptr[code + 1]))
        return self.weights.indices[held], self.weights.data[held]

    def _columns(self, codes: Codes) -> list[Column]:
        """Columns that hold something, rare ones first: the order in which scores add up."""
        columns = (self._column(code) for code in codes.tolist())
        return sorted((column for column in columns if len(column[0])), key=lambda column: len(column[0]))

    def score(self, codes: Codes, texts: NDArray[np.int32] | None = None, /) -> Floats:
        """Score of every text, or of some, for columns of `weights`."""
        columns = self._columns(codes)
        if texts is None:
            return total_of(columns, len(self))
        found = np.zeros(len(texts))
        for column in columns:
            found += held_in(column, texts)
        return found

    def top(self, codes: Codes, limit: int, /, *, factor: Floats | None = None) -> tuple[NDArray[np.int32], Floats]:
        """Texts of the highest scores and these, highest first; equal scores in the order of the index.

        Parameters
        ----------
        codes : columns of `weights`
        limit : count
        factor : (n,) numbers above 0, optional
            What the score of each text is multiplied by.
        """
        return top_of(self._columns(codes), len(self), limit, factor=factor)

    def words(self, texts: NDArray[np.int32], codes: Codes, /) -> list[tuple[tuple[str, float], ...]]:
        """What each stem or pair adds to the scores of some texts, most first."""
        found: list[list[tuple[str, float]]] = [[] for _ in texts]
        for code in codes.tolist():
            column = self._column(code)
            adds = held_in(column, texts) if len(column[0]) else np.empty(0)
            for i in adds.nonzero()[0].tolist():
                found[i].append((self._name(code), float(adds[i])))
        return [tuple(sorted(parts, key=lambda p: (-p[1], p[0]))) for parts in found]

    def _name(self, code: int) -> str:
        m = len(self.vocabulary)
        if code < m:
            return self.vocabulary[code]
        first, second = divmod(int(self.pairs[code - m]), m)
        return f"{self.vocabulary[first]} {self.vocabulary[second]}"


def _parts(
    text: NDArray[np.integer], code: NDArray[np.integer], often: Floats, slow: Floats, *, k1: float, m: int
) -> csc_array:
    """(n_texts, m) what each column adds to a score: its occurrences, saturated by text, times its rarity."""
    from scipy.sparse import csc_array

    n = len(slow)
    counts = csc_array((often, (text, code)), shape=(n, m))
    counts.eliminate_zeros()
    held, f = np.diff(counts.indptr), counts.data
    rarity = np.log1p((n - held + 0.5) / (held + 0.5))
    counts.data = np.repeat(rarity, held) * f * (k1 + 1) / (f + slow[counts.indices])
    return counts
