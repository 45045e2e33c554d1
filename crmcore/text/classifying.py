"""A text classifier that learns from labels: words, pairs and characters; calibrated, explained, saved as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.text.forms import Vocabulary
from crmcore.text.logistic import Block, fit_blocks, softmax
from crmcore.text.ngrams import count_terms
from crmcore.text.patterns import TokenKind
from crmcore.text.tokens import TokenBatch, tokenize

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["ClassifiedText", "TextClassifier", "TextClassifierModel"]

Floats = NDArray[np.float64]
SAME = ("(link)", "(handle)", "(address)", "(number)")  # forms that say nothing by their spelling
EVERY = tuple(TokenKind)


def levelled(batch: TokenBatch, /) -> TokenBatch:
    """Tokens in normal form; links, handles, addresses and numbers become one form each."""
    normal = batch.normalised()
    kinds = normal.kinds
    codes = normal.codes.copy()
    for kind, form in zip((TokenKind.LINK, TokenKind.HANDLE, TokenKind.EMAIL, TokenKind.NUMBER), SAME, strict=True):
        codes[kinds == kind] = normal.vocabulary.code(form)
    return TokenBatch(codes, normal.starts, normal.vocabulary)


def characters(batch: TokenBatch, /) -> TokenBatch:
    """Characters of the tokens as tokens of their own, a blank between two tokens and at both ends of a text."""
    vocabulary, spelled = Vocabulary(), [np.empty(0, np.int32)]
    forms = [vocabulary.codes([*form, " "]) for form in batch.vocabulary]
    lengths = np.array([len(form) for form in forms], np.int64) if forms else np.empty(0, np.int64)
    spelled += forms
    begin = np.concatenate(([0], np.cumsum(lengths)))
    per = lengths[batch.codes]
    total = np.concatenate(([0], np.cumsum(per)))
    shift = np.repeat(begin[batch.codes] - total[:-1], per)
    every = np.concatenate(spelled)[np.arange(total[-1]) + shift]
    return TokenBatch(every, total[batch.starts], vocabulary)


@attrs.frozen(kw_only=True)
class ClassifiedText(Document):
    """One text with what made its class.

    Parameters
    ----------
    label : name
    probability : share
    evidence
        Each term of the text that the model knows, and what it adds to the logit of the label against the mean of the
        others; with `start` they add up to `score`.
    start : number
        What the label scores before any word is read.
    score : number
    """

    label: str
    probability: float
    evidence: tuple[tuple[str, float], ...] = attrs.field(repr=lambda terms: f"({len(terms)} terms)")
    start: float
    score: float


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextClassifierModel(Document):
    """What a `TextClassifier` learned.

    Parameters
    ----------
    labels : names
    words, characters : terms
        Of both blocks, each in the order of the alphabet.
    word_idf, character_idf : (m,) numbers
    weights : (m_words + m_characters, k) numbers
    intercept : (k,) numbers
    temperature : number
        Logits are divided by it; chosen by cross-validation so that probabilities hold what they say.
    character_orders : counts
    texts : count
        That it learned from.
    """

    labels: tuple[str, ...]
    words: tuple[str, ...]
    characters: tuple[str, ...]
    word_idf: NDArray[np.float64]
    character_idf: NDArray[np.float64]
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    temperature: float
    word_orders: tuple[int, ...]
    character_orders: tuple[int, ...]
    texts: int

    def __repr__(self) -> str:
        terms = len(self.words) + len(self.characters)
        return f"TextClassifierModel({len(self.labels)} labels, {terms} terms, {self.texts} texts)"

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        return {t: i for i, t in enumerate(self.words)}, {t: i for i, t in enumerate(self.characters)}

    def features(self, texts: Sequence[str | None], /) -> csr_array:
        """(n, m) weighed terms."""
        from scipy.sparse import hstack

        read = tokenize(texts)
        words = _known(levelled(read), self.word_orders, self._places[0], self.word_idf)
        if not self.character_orders:
            return words
        signs = _known(characters(read.normalised()), self.character_orders, self._places[1], self.character_idf)
        both: csr_array = hstack([words, signs], format="csr")
        return both

    def logits(self, texts: Sequence[str | None], /) -> Floats:
        """(n, k) logits."""
        return np.asarray((self.features(texts) @ self.weights + self.intercept) / self.temperature, np.float64)

    def probabilities(self, texts: Sequence[str | None], /) -> Floats:
        """(n, k) probabilities of the labels, in their order; every text alone decides its row."""
        return softmax(self.logits(texts))

    def predict(self, texts: Sequence[str | None], /) -> list[str]:
        """Label of highest probability of each text."""
        return [self.labels[i] for i in self.logits(texts).argmax(axis=1).tolist()]

    def known(self, texts: Sequence[str | None], /) -> Floats:
        """(n,) share of the single words of each text that the model knows; NaN without words.

        Where it lies far below what `TextClassifier.fit` saw on texts that it held out, the texts are foreign.
        """
        batch = levelled(tokenize(texts)).words()
        place = self._places[0]
        there = np.array([form in place for form in batch.vocabulary], np.float64)[batch.codes]
        n = batch.lengths
        with np.errstate(invalid="ignore"):
            return np.asarray(np.bincount(batch.text_of, there, len(batch)) / n, np.float64)

    def explain(self, text: str, /) -> ClassifiedText:
        """Label of one text with the terms that made it."""
        logits = self.logits([text])[0]
        best = int(logits.argmax())
        k = len(self.labels)
        against = np.full(k, -1 / (k - 1))
        against[best] = 1.0
        row = self.features([text])
        terms = [*self.words, *self.characters]
        parts = row.data * (self.weights[row.indices] @ against) / self.temperature
        evidence = [(terms[i], float(part)) for i, part in zip(row.indices.tolist(), parts, strict=True)]
        return ClassifiedText(
            label=self.labels[best],
            probability=float(softmax(logits[None])[0, best]),
            evidence=tuple(sorted(evidence, key=lambda item: (-abs(item[1]), item[0]))),
            start=float(self.intercept @ against / self.temperature),
            score=float(logits @ against),
        )


def _known(batch: TokenBatch, orders: Sequence[int], place: dict[str, int], idf: Floats) -> csr_array:
    """Terms that a model knows, 1 + ln count times idf, rows of unit length over all they know."""
    from scipy.sparse import csr_array

    found = count_terms(batch, orders=orders, kinds=EVERY)
    column = np.array([place.get(term, -1) for term in found.terms], np.int64)
    counts = found.counts[:, np.flatnonzero(column >= 0)].tocsr()
    column = column[column >= 0]
    data = (1 + np.log(np.maximum(counts.data, 1))) * idf[column[counts.indices]]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, data**2, counts.shape[0]))
    data = data / np.maximum(length, 1e-12)[row]
    return csr_array((data, column[counts.indices], counts.indptr), shape=(counts.shape[0], len(idf)))


@attrs.frozen(kw_only=True)
class TextClassifier:
    """Recipe of a linear classifier of texts: intent, reason, spam, topic labels, sentiment in any language.

    Terms are words and pairs in normal form, and characters within them; each block is weighed by rarity and of unit
    length. Multinomial logistic regression with an L2 penalty; cross-validated temperature.

    Parameters
    ----------
    word_orders, character_orders : counts
        Lengths of terms; no character orders leave characters out.
    least_texts : count
        Terms in fewer texts are left out.
    penalty : number
        Higher trusts the words less.
    balanced : truth
        Whether rare labels weigh as much as frequent ones; probabilities then no longer tell shares.
    folds : count
        For the temperature; 0 leaves it at 1.

    Examples
    --------
    >>> texts = ["refund please", "money back now", "love it", "great shop"] * 5
    >>> model = TextClassifier(folds=0).fit(texts, ["complaint", "complaint", "praise", "praise"] * 5)
    >>> model.predict(["i want my money back", "great, love"])
    ['complaint', 'praise']
    """

    word_orders: tuple[int, ...] = attrs.field(default=(1, 2), converter=tuple)
    character_orders: tuple[int, ...] = attrs.field(default=(1, 2, 3, 4, 5), converter=tuple)
    least_texts: int = 2
    penalty: float = 0.1
    balanced: bool = False
    folds: int = 5

    def fit(
        self, texts: Sequence[str | None], labels: Sequence[str], /, *, progress: Progress | bool = False
    ) -> TextClassifierModel:
        """Learn from texts and their labels.

        Raises
        ------
        OutOfRange
            Fewer than two labels; texts and labels of different number.
        EmptyInput
            No term occurs in enough texts.
        """
        if len(texts) != len(labels):
            raise OutOfRange("number of labels", len(labels), f"{len(texts)}, one a text", "label i belongs to text i")
        odd = [i for i, label in enumerate(labels) if not isinstance(label, str)]
        if odd:
            raise WrongType(
                "labels", f"{type(labels[odd[0]]).__name__} in row {odd[0]}", "text", "drop unlabelled texts"
            )
        names = tuple(sorted(set(labels)))
        if len(names) < 2:
            raise OutOfRange("number of different labels", len(names), "2 or more", "one label needs no model")
        tell = reporter(progress)
        y = np.array([names.index(label) for label in labels], np.int64)
        tell("fit", 0, self.folds + 1)
        model = self._fitted(texts, y, names)
        if not self.folds:
            return model
        fold = _folds(y, self.folds)
        z = np.zeros((len(y), len(names)))
        for f in range(self.folds):
            tell("cross-validate", f + 1, self.folds + 1)
            inner = np.flatnonzero(fold != f)
            if len(np.unique(y[inner])) < len(names):
                return model
            held = np.flatnonzero(fold == f)
            part = self._fitted([texts[i] for i in inner.tolist()], y[inner], names)
            z[held] = part.logits([texts[i] for i in held.tolist()])
        tell("cross-validate", self.folds + 1, self.folds + 1)
        return attrs.evolve(model, temperature=_temperature(z, y))

    def _fitted(self, texts: Sequence[str | None], y: NDArray[np.int64], names: tuple[str, ...]) -> TextClassifierModel:
        read = tokenize(texts)
        words, word_idf = _terms(levelled(read), self.word_orders, self.least_texts)
        signs, sign_idf = _terms(characters(read.normalised()), self.character_orders, self.least_texts)
        if not words and not signs:
            raise EmptyInput(
                "terms", f"no term occurs in {self.least_texts} texts: give more texts, or lower least_texts"
            )
        k = len(names)
        model = TextClassifierModel(
            labels=names, words=words, characters=signs, word_idf=word_idf, character_idf=sign_idf,
            weights=np.zeros((len(words) + len(signs), k)), intercept=np.zeros(k), temperature=1.0,
            word_orders=self.word_orders, character_orders=self.character_orders if signs else (), texts=len(texts),
        )  # fmt: skip
        weight = None
        if self.balanced:
            count = np.bincount(y, minlength=k)
            weight = len(y) / (k * np.maximum(count, 1))[y].astype(np.float64)
        parts, intercept = fit_blocks([Block(model.features(texts), self.penalty)], y, k, weight=weight)
        return attrs.evolve(model, weights=parts[0], intercept=intercept[0])


def _terms(batch: TokenBatch, orders: tuple[int, ...], least: int) -> tuple[tuple[str, ...], Floats]:
    if not orders:
        return (), np.empty(0)
    found = count_terms(batch, orders=orders, least_texts=least, kinds=EVERY)
    return found.terms, np.log((1 + len(batch)) / (1 + found.texts_with())) + 1


def _folds(y: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Fold of each row: labels are dealt out in turn, so that every fold has its share of each."""
    order = np.argsort(y, kind="stable")
    fold = np.empty(len(y), np.int64)
    fold[order] = np.arange(len(y)) % folds
    return fold


def _temperature(z: Floats, y: NDArray[np.int64]) -> float:
    """Number that logits are divided by for the smallest log loss."""
    from scipy.optimize import minimize_scalar

    from crmcore.text.logistic import log_softmax

    def loss(log_t: float) -> float:
        return -float(log_softmax(z / np.exp(log_t))[np.arange(len(y)), y].mean())

    best: Any = minimize_scalar(loss, bounds=(-2.5, 2.5), method="bounded")
    return float(np.exp(best.x))
