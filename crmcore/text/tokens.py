"""Tokenise once: texts become one row of codes with offsets, which every reader of texts shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.errors import WrongType
from crmcore.text.forms import IS_WORD, FormTable, Vocabulary, kinds, normal_codes
from crmcore.text.patterns import CUT, END, cleaned, pattern, runs, without_noise

__all__ = ["Segmenter", "TokenBatch", "Tokenizer", "tokenize"]

S = TypeVar("S", bound=np.generic)
STEP = 4096  # texts joined to one stream at a time


@runtime_checkable
class Segmenter(Protocol):
    """Cuts a run of characters of a script without spaces into words.

    Called with one run, never empty; returns words that, joined, are the run. A pure function of the run.
    """

    def __call__(self, run: str, /) -> Sequence[str]: ...


@attrs.frozen(eq=False, repr=False)
class TokenBatch:
    """Tokens of n texts, one after the other.

    Parameters
    ----------
    codes : (n_tokens,) codes into `vocabulary`
    starts : (n_texts + 1,) positions
        Tokens of text i are ``codes[starts[i]:starts[i + 1]]``.
    vocabulary
        What the codes mean. It may grow with later batches; these codes keep their meaning.

    Examples
    --------
    >>> batch = tokenize(["So slow :(", None, "Thanks @shop!"])
    >>> batch, batch.forms(2)
    (TokenBatch(3 texts, 6 tokens), ['Thanks', '@shop', '!'])
    """

    codes: NDArray[np.int32]
    starts: NDArray[np.int64]
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __repr__(self) -> str:
        return f"TokenBatch({len(self)} texts, {len(self.codes)} tokens)"

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n_texts,) numbers of tokens."""
        return np.diff(self.starts)

    @property
    def text_of(self) -> NDArray[np.int32]:
        """(n_tokens,) text of each token."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    @property
    def kinds(self) -> NDArray[np.int8]:
        """(n_tokens,) kind of each token, codes of `TokenKind`."""
        return kinds(self.vocabulary)[self.codes]

    def forms(self, text: int, /) -> list[str]:
        """Tokens of one text as written."""
        return [self.vocabulary[code] for code in self.codes[self.starts[text] : self.starts[text + 1]].tolist()]

    def rows(self) -> list[list[str]]:
        """Tokens of each text as written."""
        form, codes, starts = self.vocabulary, self.codes.tolist(), self.starts.tolist()
        return [[form[code] for code in codes[a:b]] for a, b in pairwise(starts)]

    def values(self, table: FormTable[S], /) -> NDArray[S]:
        """(n_tokens, ...) what a table of forms says about each token."""
        return table.on(self.vocabulary)[self.codes]

    def normalised(self) -> TokenBatch:
        """Give the same tokens in normal form: case, width, apostrophes, drawn-out letters and emoji variants level."""
        return TokenBatch(normal_codes(self.vocabulary)[self.codes], self.starts, self.vocabulary.normals)

    def words(self) -> TokenBatch:
        """Leave punctuation out; everything that carries meaning alone, emoji and links too, stays."""
        return self.where(IS_WORD[self.kinds])

    def where(self, kept: NDArray[np.bool_], /) -> TokenBatch:
        """Keep the tokens of a mask; every text stays, if need be empty."""
        counts = np.concatenate(([0], np.cumsum(kept)))
        return TokenBatch(self.codes[kept], counts[self.starts], self.vocabulary)

    def take(self, texts: NDArray[np.integer] | NDArray[np.bool_], /) -> TokenBatch:
        """Select texts by position or mask."""
        rows = np.flatnonzero(texts) if texts.dtype == bool else np.asarray(texts, np.int64)
        lengths = self.lengths[rows]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        shift = np.repeat(self.starts[rows] - starts[:-1], lengths)
        return TokenBatch(self.codes[np.arange(starts[-1]) + shift], starts, self.vocabulary)

    @classmethod
    def concat(cls, batches: Iterable[TokenBatch], /) -> TokenBatch:
        """Join batches in order; those that read with another vocabulary are read into that of the first."""
        parts = list(batches)
        if not parts:
            return cls(np.empty(0, np.int32), np.zeros(1, np.int64), Vocabulary())
        home = parts[0].vocabulary
        codes = [p.codes if p.vocabulary is home else home.codes(list(p.vocabulary))[p.codes] for p in parts]
        lengths = np.concatenate([p.lengths for p in parts])
        return cls(np.concatenate(codes), np.concatenate(([0], np.cumsum(lengths))), home)


def _checked(texts: Sequence[str | None]) -> list[str]:
    if isinstance(texts, str):
        raise WrongType("texts", "one text", "a sequence of texts", "put it in a list: [text]")
    odd = [i for i, text in enumerate(texts) if not (text is None or isinstance(text, str))]
    if odd:
        got = f"{type(texts[odd[0]]).__name__} in row {odd[0]} and {len(odd) - 1} others"
        raise WrongType("texts", got, "text or None", "convert the rows to text, missing ones to None")
    return ["" if text is None else text for text in texts]


class Tokenizer:
    r"""Reads texts into token batches that share one vocabulary.

    Parameters
    ----------
    segment
        Cuts runs of scripts without spaces into words; None makes each of their characters a token.
    most_forms
        When the vocabulary has grown beyond this many forms, the next call starts a new one: memory stays bounded in a
        stream. Results never depend on it, for codes mean nothing beyond their own vocabulary.

    Examples
    --------
    >>> Tokenizer().tokenize(["Refund NOW!!", "\u0e2a\u0e1a\u0e32\u0e22"]).lengths
    array([3, 4])
    """

    __slots__ = ("_most", "_segment", "vocabulary")

    def __init__(self, *, segment: Segmenter | None = None, most_forms: int = 200_000) -> None:
        self._segment = segment
        self._most = most_forms
        self.vocabulary = Vocabulary()

    def tokenize(self, texts: Sequence[str | None], /) -> TokenBatch:
        """Read n texts; a missing one has no tokens.

        Raises
        ------
        WrongType
            Something that is neither text nor None.
        """
        rows = _checked(texts)
        if len(self.vocabulary) > self._most:
            self.vocabulary = Vocabulary()
        parts = [self._step(rows[i : i + STEP]) for i in range(0, len(rows), STEP)]
        return TokenBatch.concat(parts) if parts else TokenBatch.concat([])

    def batches(self, texts: Iterable[str | None], /, *, size: int = STEP) -> Iterator[TokenBatch]:
        """Read a stream of texts, `size` at a time."""
        held: list[str | None] = []
        for text in texts:
            held.append(text)
            if len(held) == size:
                yield self.tokenize(held)
                held = []
        if held:
            yield self.tokenize(held)

    def spans(self, text: str, /) -> tuple[str, list[tuple[int, int]]]:
        """Text as it was read, and where each token of it begins and ends."""
        clean, found, at = cleaned(text), [], 0
        for form in self._found(clean):
            begin = clean.index(form, at)
            at = begin + len(form)
            found.append((begin, at))
        return clean, found

    def _found(self, stream: str) -> list[str]:
        if self._segment is None:
            return pattern().findall(stream)
        return pattern(runs_whole=True).findall(runs().sub(_cut(self._segment), stream))

    def _step(self, texts: list[str]) -> TokenBatch:
        stream = END.join(texts)
        if stream.count(END) != len(texts) - 1 or CUT in stream:
            stream = END.join(text.replace(END, " ").replace(CUT, " ") for text in texts)
        vocabulary = self.vocabulary
        codes = vocabulary.codes(self._found(without_noise(stream)))
        ends = np.flatnonzero(codes == vocabulary.find(END)) if len(texts) > 1 else np.empty(0, np.int64)
        starts = np.concatenate(([0], ends - np.arange(len(ends)), [len(codes) - len(ends)])).astype(np.int64)
        return TokenBatch(np.delete(codes, ends), starts, vocabulary)


def _cut(segment: Segmenter) -> Callable[..., str]:
    """Replace a run of characters by its words with cuts between them."""
    return lambda run: CUT.join(segment(run[0]))


def tokenize(texts: Sequence[str | None], /, *, segment: Segmenter | None = None) -> TokenBatch:
    """Read n texts with a vocabulary of their own; see `Tokenizer`."""
    return Tokenizer(segment=segment).tokenize(texts)
