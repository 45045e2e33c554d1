"""A text classifier that learns from labels: words, pairs and characters; calibrated, explained, saved as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, reporter
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, WrongType
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.means import mean
from crmcore.text.forms import Vocabulary
from crmcore.text.logistic import Block, fit_blocks, softmax
from crmcore.text.ngrams import count_terms
from crmcore.text.patterns import TokenKind
from crmcore.text.shape import SHAPE, text_shape
from crmcore.text.tokens import TokenBatch, tokenize
from crmcore.text.tuning import deal_folds, loss_at, step_to_best, temperature_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["ClassifiedText", "Familiarity", "TextClassifier", "TextClassifierModel"]

Floats = NDArray[np.float64]
SAME = ("(link)", "(handle)", "(address)", "(number)")  # forms that say nothing by their spelling
EVERY = tuple(TokenKind)
PENALTIES, START = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0), 3
STRANGE = 0.6  # standard deviations of rarity
SHAPELY = 0.1  # length of a deviation of shape beside the unit length of all words


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


def word_mean(batch: TokenBatch, worth: Callable[[str], float], /) -> Floats:
    """(n,) mean over the tokens of each text of what a form is worth; NaN without tokens."""
    of_form = np.array([worth(form) for form in batch.vocabulary], np.float64)
    with np.errstate(invalid="ignore"):
        total = np.bincount(batch.text_of, of_form[batch.codes], len(batch))
        return np.asarray(total / batch.lengths, np.float64)


def _words(texts: Sequence[str | None]) -> TokenBatch:
    return levelled(tokenize(texts)).words()


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


@attrs.frozen(kw_only=True)
class Familiarity:
    """How strange new texts are to a model, beside texts like those it learned from.

    Parameters
    ----------
    strangeness : Estimate
        Mean rarity of the words of a text (as idf, unknown words the rarest) above that of held-out texts of the own
        kind of the model, in standard deviations between such texts; 0 = of the same kind.
    known : share
        Mean share of the words of a text that the model knows.
    """

    strangeness: Estimate
    known: float

    @property
    def foreign(self) -> bool:
        """Whether strangeness is above 0.6 with the whole interval: what the model says is then a guess."""
        return self.strangeness.low > STRANGE

    def __str__(self) -> str:
        says = "foreign to the model: label some of them" if self.foreign else "of a kind that it knows"
        return f"strangeness {self.strangeness}, {self.known:.0%} of words known: {says}"


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
    shape_mean, shape_deviation : (16,) numbers
        Of the shape of those texts; empty where shape is not used.
    rarity_mean, rarity_deviation : numbers
        Of the mean idf of the words of a text, over texts held out; NaN without folds.
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
    shape_mean: NDArray[np.float64] = attrs.field(factory=lambda: np.empty(0))
    shape_deviation: NDArray[np.float64] = attrs.field(factory=lambda: np.empty(0))
    rarity_mean: float = math.nan
    rarity_deviation: float = math.nan

    def __repr__(self) -> str:
        terms = len(self.words) + len(self.characters)
        return f"TextClassifierModel({len(self.labels)} labels, {terms} terms, {self.texts} texts)"

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        return {t: i for i, t in enumerate(self.words)}, {t: i for i, t in enumerate(self.characters)}

    def features(self, texts: Sequence[str | None], /) -> csr_array:
        """(n, m) weighed terms."""
        from scipy.sparse import csr_array, hstack

        read = tokenize(texts)
        words = count_terms(levelled(read), orders=self.word_orders, kinds=EVERY)
        blocks = [words.weighed(self._places[0], self.word_idf)]
        if self.character_orders:
            signs = count_terms(characters(read.normalised()), orders=self.character_orders, kinds=EVERY)
            blocks.append(signs.weighed(self._places[1], self.character_idf))
        if len(self.shape_mean):
            deviation = np.clip((text_shape(read) - self.shape_mean) / self.shape_deviation, -3, 3)
            blocks.append(csr_array(SHAPELY * deviation))
        every: csr_array = hstack(blocks, format="csr") if len(blocks) > 1 else blocks[0]
        return every

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
        """(n,) share of the single words of each text that the model knows; NaN without words."""
        place = self._places[0]
        return word_mean(_words(texts), lambda form: float(form in place))

    def familiarity(self, texts: Sequence[str | None], /, *, level: float = 0.95) -> Familiarity:
        """Whether texts are of the kind that the model learned from.

        Raises
        ------
        EmptyInput
            The model was fitted without folds, or no text has words.
        """
        if math.isnan(self.rarity_mean):
            raise EmptyInput("texts held out", "fit with folds=5: they tell how strange a new text is")
        rarity = self.rarity(texts)
        worded = ~np.isnan(rarity)
        if not worded.any():
            raise EmptyInput("texts with words", "pass some texts")
        apart = (rarity[worded] - self.rarity_mean) / self.rarity_deviation
        rule = "rarity of words, in standard deviations of texts held out"
        strangeness = mean(apart, level=level, rule=rule, small_sample_ok=True)
        return Familiarity(strangeness=strangeness, known=float(self.known(texts)[worded].mean()))

    def rarity(self, texts: Sequence[str | None], /) -> Floats:
        """(n,) mean idf of the single words of each text, unknown ones the rarest; NaN without words."""
        place, unknown = self._places[0], math.log(2 * (1 + self.texts)) + 1
        return word_mean(_words(texts), lambda form: self.word_idf[place[form]] if form in place else unknown)

    def explain(self, text: str, /) -> ClassifiedText:
        """Label of one text with the terms that made it."""
        logits = self.logits([text])[0]
        best = int(logits.argmax())
        k = len(self.labels)
        against = np.full(k, -1 / (k - 1))
        against[best] = 1.0
        row = self.features([text])
        terms = [*self.words, *self.characters, *(f"({name})" for name in SHAPE)]
        parts = row.data * (self.weights[row.indices] @ against) / self.temperature
        evidence = [(terms[i], float(part)) for i, part in zip(row.indices.tolist(), parts, strict=True)]
        return ClassifiedText(
            label=self.labels[best],
            probability=float(softmax(logits[None])[0, best]),
            evidence=tuple(sorted(evidence, key=lambda item: (-abs(item[1]), item[0]))),
            start=float(self.intercept @ against / self.temperature),
            score=float(logits @ against),
        )


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
    penalty : number, optional
        Higher trusts the words less. None chooses it by the log loss on a fifth of the texts, held out.
    balanced : truth
        Whether rare labels weigh as much as frequent ones; probabilities then no longer tell shares.
    shape : truth
        Whether length, capitals, digits, links and marks count too, as they do for spam; see `text_shape`.
    folds : count
        For the temperature, and for how many words of a new text are known; 0 leaves both out.

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
    penalty: float | None = None
    balanced: bool = False
    shape: bool = False
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
        penalty = self._penalty(texts, y, names) if self.penalty is None else self.penalty
        model = self._fitted(texts, y, names, penalty)
        if not self.folds:
            return model
        fold = deal_folds(y, self.folds)
        z, rarity = np.zeros((len(y), len(names))), np.full(len(y), np.nan)
        for f in range(self.folds):
            tell("cross-validate", f + 1, self.folds + 1)
            inner = np.flatnonzero(fold != f)
            if len(np.unique(y[inner])) < len(names):
                return model
            held = np.flatnonzero(fold == f)
            part = self._fitted([texts[i] for i in inner.tolist()], y[inner], names, penalty)
            z[held] = part.logits([texts[i] for i in held.tolist()])
            rarity[held] = part.rarity([texts[i] for i in held.tolist()])
        tell("cross-validate", self.folds + 1, self.folds + 1)
        seen = rarity[~np.isnan(rarity)]
        temperature = temperature_of(z, y, weight=self._weight(y, len(names)))
        if not len(seen):
            return attrs.evolve(model, temperature=temperature)
        deviation = max(float(seen.std()), 1e-3)
        return attrs.evolve(model, temperature=temperature, rarity_mean=float(seen.mean()), rarity_deviation=deviation)

    def _penalty(self, texts: Sequence[str | None], y: NDArray[np.int64], names: tuple[str, ...]) -> float:
        """Penalty of the smallest log loss on a fifth of the texts; the middle one where labels are too few."""
        fold = deal_folds(y, 5)
        inner, held = np.flatnonzero(fold > 0), np.flatnonzero(fold == 0)
        if len(np.unique(y[inner])) < len(names) or len(held) < 2 * len(names):
            return PENALTIES[START]
        model = self._columns([texts[i] for i in inner.tolist()], names)
        seen = model.features([texts[i] for i in inner.tolist()])
        unseen = model.features([texts[i] for i in held.tolist()])
        weight = self._weight(y[held], len(names))

        def loss(penalty: float) -> float:
            parts, intercept = fit_blocks(
                [Block(seen, penalty)], y[inner], len(names), weight=self._weight(y[inner], len(names))
            )
            z = np.asarray(unseen @ parts[0] + intercept[0], np.float64)
            return loss_at(z, y[held], temperature=temperature_of(z, y[held], weight=weight), weight=weight)

        return step_to_best(loss, PENALTIES, START)

    def _weight(self, y: NDArray[np.int64], k: int) -> Floats | None:
        if not self.balanced:
            return None
        return len(y) / (k * np.maximum(np.bincount(y, minlength=k), 1))[y].astype(np.float64)

    def _fitted(
        self, texts: Sequence[str | None], y: NDArray[np.int64], names: tuple[str, ...], penalty: float
    ) -> TextClassifierModel:
        model, k = self._columns(texts, names), len(names)
        block = Block(model.features(texts), penalty)
        parts, intercept = fit_blocks([block], y, k, weight=self._weight(y, k))
        return attrs.evolve(model, weights=parts[0], intercept=intercept[0])

    def _columns(self, texts: Sequence[str | None], names: tuple[str, ...]) -> TextClassifierModel:
        """Terms that texts use, with weights of zero."""
        read = tokenize(texts)
        words, word_idf = _terms(levelled(read), self.word_orders, self.least_texts)
        signs, sign_idf = _terms(characters(read.normalised()), self.character_orders, self.least_texts)
        if not words and not signs:
            raise EmptyInput(
                "terms", f"no term occurs in {self.least_texts} texts: give more texts, or lower least_texts"
            )
        k, form = len(names), text_shape(read) if self.shape else np.empty((1, 0))
        m = len(words) + len(signs) + form.shape[1]
        return TextClassifierModel(
            labels=names, words=words, characters=signs, word_idf=word_idf, character_idf=sign_idf,
            weights=np.zeros((m, k)), intercept=np.zeros(k), temperature=1.0,
            word_orders=self.word_orders, character_orders=self.character_orders if signs else (), texts=len(texts),
            shape_mean=form.mean(axis=0), shape_deviation=np.maximum(form.std(axis=0), 1e-3),
        )  # fmt: skip


def _terms(batch: TokenBatch, orders: tuple[int, ...], least: int) -> tuple[tuple[str, ...], Floats]:
    if not orders:
        return (), np.empty(0)
    found = count_terms(batch, orders=orders, least_texts=least, kinds=EVERY)
    return found.terms, found.rarity()
