"""Learn from the user's own labelled texts: the most probable model near the one that ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.errors import BadDocument, OutOfRange, UnknownName
from crmcore.listening.sentiment.features import lexical_features
from crmcore.listening.sentiment.ngrams import NgramSpace
from crmcore.listening.sentiment.rules import Weighed, weigh
from crmcore.listening.sentiment.table import ORDER, SentimentTable
from crmcore.metrics.columns import held_floats
from crmcore.tables import MentionTable
from crmcore.text import TokenBatch
from crmcore.text.logistic import Block, fit_blocks, log_softmax, softmax
from crmcore.text.tuning import deal_folds

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from crmcore.listening.sentiment.model import SentimentModel

__all__ = ["AdaptedSentiment", "adapt"]

Floats = NDArray[np.float64]
SCALE_PENALTY, LEXICAL_PENALTY, WORD_PENALTY = 5.0, 30.0, 0.7  # all have the mean "no change"
LEVELLING = 0.5  # how far the decision makes up for rare classes; probabilities are left alone
BLENDS = (0.0, 0.5, 1.0)
HALFWAY = 40  # labelled texts at which half of the chosen change is taken: ten labels alone prove next to nothing
FOLDS = 5
LEAST = 10
MOST_TERMS = 50_000


@attrs.frozen(kw_only=True, eq=False)
class _Change:
    """What is learned beside the model that ships."""

    scale: Floats  # (3, 3)
    lexical: Floats  # (34, 3)
    words: Floats  # (m, 3)
    intercept: Floats  # (3,)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AdaptedSentiment(Document):
    """The model that ships, adapted to a user's own texts. It scores as `SentimentModel` does and saves as JSON.

    The estimate is the most probable change of the shipped logits under priors that say "no change": an intercept, a
    scale, a change of the lexical weights, and words and pairs of the user's own texts. It is fitted without class
    weights, so probabilities stay honest; the *decision* makes up for rare classes, ``argmax log p - 0.5 log share``.
    Cross-validation inside the labelled texts says how much of the change to take: all, half or nothing, of which
    ``k**2 / (k**2 + 40**2)`` is taken with k labels: few labels must not make the model worse.

    Parameters
    ----------
    base : name
        Of the shipped model that it builds on.
    mean, sd : (34,) numbers
        Of the lexical features in the user's texts.
    terms, keys, idf
        Words and pairs of the user's texts, see `NgramSpace`.
    scale, lexical, words, intercept : weights
    blend : share
        Of the change that is taken.
    shares : (3,) shares
        Of the classes among the labelled texts.
    names
        Masked before scoring.
    labelled : count
    """

    base: str
    mean: NDArray[np.float64] = attrs.field(converter=held_floats)
    sd: NDArray[np.float64] = attrs.field(converter=held_floats)
    terms: tuple[str, ...]
    keys: NDArray[np.int64]
    idf: NDArray[np.float64] = attrs.field(converter=held_floats)
    scale: NDArray[np.float64] = attrs.field(converter=held_floats)
    lexical: NDArray[np.float64] = attrs.field(converter=held_floats)
    words: NDArray[np.float64] = attrs.field(converter=held_floats)
    intercept: NDArray[np.float64] = attrs.field(converter=held_floats)
    blend: float
    shares: NDArray[np.float64] = attrs.field(converter=held_floats)
    names: tuple[str, ...]
    labelled: int

    def __repr__(self) -> str:
        return f"AdaptedSentiment({self.labelled} labelled texts on {self.base!r}, {self.blend:.0%} of the change)"

    @property
    def _space(self) -> NgramSpace:
        return NgramSpace(words=self.terms, keys=self.keys, idf=self.idf)

    def probabilities(self, texts: Sequence[str | None], /) -> Floats:
        """(n, 3) probabilities of negative, neutral, positive; NaN for texts without any token."""
        return self.score(texts).probability

    def score(self, texts: Sequence[str | None] | MentionTable, /) -> SentimentTable:
        """Score texts or mentions; every text alone decides its row."""
        model = _base(self.base)
        rows = texts.text.to_list() if isinstance(texts, MentionTable) else texts
        change = _Change(scale=self.scale, lexical=self.lexical, words=self.words, intercept=self.intercept)
        space, found, cover = self._space, [np.empty((0, 3))], [np.empty(0)]
        for w in model.read(rows, names=self.names):
            z, known = model.logits_of(w)
            parts = _parts(z, lexical_features(w), space.features(w)[0], self.mean, self.sd)
            p = softmax(_changed(parts, change, self.blend))
            p[w.batch.lengths == 0] = np.nan
            found.append(p)
            cover.append(known)
        return SentimentTable(probability=np.concatenate(found), known=np.concatenate(cover), model="adapted")

    def decide(self, texts: Sequence[str | None] | MentionTable, /) -> list[str | None]:
        """Polarity of each text, with rare classes made up for; None where a text has no token."""
        p = self.score(texts).probability
        best = _decided(np.nan_to_num(p, nan=1 / 3), self.shares, self.blend)
        told = ~np.isnan(p[:, 0])
        return [ORDER[best[i]].value if told[i] else None for i in range(len(p))]


@attrs.frozen(eq=False)
class _Parts:
    """Columns of the change: offset, centred log probabilities, lexical features in standard units, terms."""

    offset: Floats
    centred: Floats
    lexical: Floats
    words: csr_array

    def take(self, rows: NDArray[np.int64]) -> _Parts:
        return _Parts(self.offset[rows], self.centred[rows], self.lexical[rows], self.words[rows])


def _parts(z: Floats, x: Floats, terms: csr_array, mean: Floats, sd: Floats) -> _Parts:
    logp = log_softmax(z)
    standard = np.clip((x - mean) / sd, -6, 6)
    return _Parts(logp, logp - logp.mean(axis=1, keepdims=True), standard, terms)


def _changed(parts: _Parts, change: _Change, blend: float) -> Floats:
    moved = (
        parts.centred @ change.scale + parts.lexical @ change.lexical + parts.words @ change.words + change.intercept
    )
    return np.asarray(parts.offset + blend * moved, np.float64)


def _fitted(parts: _Parts, y: NDArray[np.int64]) -> _Change:
    blocks = [
        Block(parts.centred, SCALE_PENALTY),
        Block(parts.lexical, LEXICAL_PENALTY),
        Block(parts.words, WORD_PENALTY),
    ]
    (scale, lexical, words), intercept = fit_blocks(blocks, y, 3, offset=parts.offset, intercept_penalty=0.05)
    return _Change(scale=scale, lexical=lexical, words=words, intercept=intercept[0])


def _decided(p: Floats, shares: Floats, blend: float) -> NDArray[np.int64]:
    best: NDArray[np.int64] = (np.log(np.maximum(p, 1e-300)) - blend * LEVELLING * np.log(shares)).argmax(axis=1)
    return best


def _shares(y: NDArray[np.int64], shipped: Floats) -> Floats:
    """Shares of the classes, drawn towards what the shipped model says as if it had seen five texts."""
    return np.asarray((np.bincount(y, minlength=3) + 5 * shipped.mean(axis=0)) / (len(y) + 5), np.float64)


def _base(name: str) -> SentimentModel:
    from crmcore.listening.sentiment.model import default_model

    model = default_model()
    if model.name != name:
        hint = "adapt again with this version, or install the version that it was made with"
        raise BadDocument(
            "AdaptedSentiment", (f"it builds on the model {name!r}, this version ships {model.name!r}",), hint
        )
    return model


def adapt(
    model: SentimentModel,
    texts: Sequence[str | None],
    labels: Sequence[str],
    /,
    *,
    unlabelled: Sequence[str | None] = (),
    names: Sequence[str] = (),
) -> AdaptedSentiment:
    """Adapt the shipped model to labelled texts.

    Parameters
    ----------
    texts : (n,) texts, at least 10
        A random sample of those that will be scored.
    labels : (n,) words
        negative, neutral or positive; not every one has to be present.
    unlabelled : texts
        More of the same kind: they tell which words are rare.
    names
        Brands and people to mask.

    Raises
    ------
    OutOfRange, UnknownName
        Fewer than ten texts; labels of another number or word.
    """
    if len(texts) != len(labels):
        raise OutOfRange("number of labels", len(labels), f"{len(texts)}, one a text", "label i belongs to text i")
    if len(texts) < LEAST:
        raise OutOfRange(
            "number of labelled texts", len(texts), f"{LEAST} or more", "label a random sample of your texts"
        )
    words = tuple(word.value for word in ORDER)
    odd = sorted({str(label) for label in labels} - set(words))
    if odd:
        raise UnknownName("label", odd[0], words)
    y = np.array([words.index(label) for label in labels], np.int64)
    read = model.read([*texts, *unlabelled], names=names)
    whole = _joined(read)
    x = lexical_features(whole)
    space = NgramSpace.learned(whole, most=MOST_TERMS)
    mean, sd = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-3)
    z, _ = model.logits_of(whole)
    every = _parts(z, x, space.features(whole)[0], mean, sd)
    parts = every.take(np.arange(len(y)))
    shares = _shares(y, softmax(every.offset))
    blend = _best_blend(parts, y) * len(y) ** 2 / (len(y) ** 2 + HALFWAY**2)
    change = _fitted(parts, y)
    return AdaptedSentiment(
        base=model.name, mean=mean, sd=sd, terms=space.words, keys=space.keys, idf=space.idf, scale=change.scale,
        lexical=change.lexical, words=change.words, intercept=change.intercept, blend=blend, shares=shares,
        names=tuple(names), labelled=len(y),
    )  # fmt: skip


def _joined(read: list[Weighed]) -> Weighed:
    return read[0] if len(read) == 1 else weigh(TokenBatch.concat([w.batch for w in read]))


def _best_blend(parts: _Parts, y: NDArray[np.int64]) -> float:
    """Share of the change with the smallest cross-validated log loss."""
    of = deal_folds(y, FOLDS)
    loss = np.zeros(len(BLENDS))
    for f in range(FOLDS):
        inner, held = np.flatnonzero(of != f), np.flatnonzero(of == f)
        change = _fitted(parts.take(inner), y[inner])
        for i, blend in enumerate(BLENDS):
            logp = log_softmax(_changed(parts.take(held), change, blend))
            loss[i] -= float(logp[np.arange(len(held)), y[held]].sum())
    return BLENDS[int(np.argmin(loss))]
