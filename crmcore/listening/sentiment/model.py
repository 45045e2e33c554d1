"""The sentiment model that ships with the library: lexicon features, then words and pairs where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.documents import Document
from crmcore.listening.sentiment.blending import DIAL, WORDS_WEIGHT, trust
from crmcore.listening.sentiment.features import lexical_features
from crmcore.listening.sentiment.names import masked
from crmcore.listening.sentiment.ngrams import NgramSpace
from crmcore.listening.sentiment.rules import Weighed, weigh
from crmcore.metrics.columns import held_floats
from crmcore.tables import MentionTable
from crmcore.text import Tokenizer
from crmcore.text.logistic import softmax

if TYPE_CHECKING:
    from crmcore.listening.sentiment.adapting import AdaptedSentiment
    from crmcore.listening.sentiment.explaining import SentimentEvidence
    from crmcore.listening.sentiment.table import SentimentTable

__all__ = ["LexicalPart", "SentimentModel", "default_model"]

Floats = NDArray[np.float64]
STEP = 4096  # texts read at a time: larger batches are slower, for their arrays leave the caches


@attrs.frozen(kw_only=True, eq=False)
class LexicalPart(Document):
    """Logits of the lexical features: ``clip((x - mean) / sd, -6, 6) @ weights + intercept``."""

    mean: NDArray[np.float64] = attrs.field(converter=held_floats)  # (34,)
    sd: NDArray[np.float64] = attrs.field(converter=held_floats)  # (34,)
    weights: NDArray[np.float64] = attrs.field(converter=held_floats)  # (34, 3)
    intercept: NDArray[np.float64] = attrs.field(converter=held_floats)  # (3,)

    def standard(self, x: Floats) -> Floats:
        """(n, 34) features in standard units."""
        return np.clip((x - self.mean) / self.sd, -6, 6)

    def logits(self, x: Floats) -> Floats:
        """(n, 3) logits."""
        return np.asarray(self.standard(x) @ self.weights + self.intercept, np.float64)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SentimentModel:
    """Negative, neutral or positive, with probabilities and evidence.

    Probabilities of a text are ``softmax(z_lexical + 0.8 * g * z_words + 0.5 * c * (-1, 0, 1))``: logits of 34 lexical
    features; logits of words and pairs, trusted by the share ``s`` of a text's n-grams that are known,
    ``g = 1.5 * s / (s + 0.5)``; and the compound sum of valences c. Prose unlike anything learned falls back on the
    lexicon. Get the one that ships from `default_model`.

    Parameters
    ----------
    lexical
    space
        Words and pairs that it knows.
    words : (m, 3) numbers
        What each adds to the logits.
    word_intercept : (3,) numbers
    name : text
        Version of the figures.

    Examples
    --------
    >>> model = default_model()
    >>> print(model.score(["Not bad at all!", "Still waiting for my refund :(", "It is a phone"]))
    3 texts: 1 negative, 1 neutral, 1 positive; net score -0.24
    """

    lexical: LexicalPart
    space: NgramSpace
    words: Floats
    word_intercept: Floats
    name: str
    _reader: Tokenizer = attrs.field(factory=Tokenizer, init=False)  # what it computed about a form once, it keeps

    def __repr__(self) -> str:
        return f"SentimentModel({self.name!r}, {len(self.space)} words and pairs)"

    def read(self, texts: Sequence[str | None], /, *, names: Sequence[str] = ()) -> list[Weighed]:
        """Texts as the model sees them, some thousand at a time."""
        steps = range(0, len(texts), STEP)
        return [weigh(masked(self._reader.tokenize(texts[i : i + STEP]), names)) for i in steps]

    def logits_of(self, w: Weighed, /) -> tuple[Floats, Floats]:
        """(n, 3) logits of texts that were read, and the share of their n-grams that are known."""
        x = lexical_features(w)
        terms, cover = self.space.features(w)
        z = self.lexical.logits(x)
        z += WORDS_WEIGHT * trust(cover)[:, None] * (terms @ self.words + self.word_intercept)
        z[:, 0] -= DIAL * x[:, 0]
        z[:, 2] += DIAL * x[:, 0]
        return z, cover

    def probabilities(self, texts: Sequence[str | None], /, *, names: Sequence[str] = ()) -> Floats:
        """(n, 3) probabilities of negative, neutral, positive; NaN for texts without any token.

        Parameters
        ----------
        texts : (n,) texts
            None is missing.
        names
            Brands and people that are spoken about: masked before scoring, as handles and links always are.
        """
        return self.score(texts, names=names).probability

    def score(self, texts: Sequence[str | None] | MentionTable, /, *, names: Sequence[str] = ()) -> SentimentTable:
        """Score texts or mentions; every text alone decides its row."""
        from crmcore.listening.sentiment.table import SentimentTable

        rows = texts.text.to_list() if isinstance(texts, MentionTable) else texts
        found, cover = [np.empty((0, 3))], [np.empty(0)]
        for w in self.read(rows, names=names):
            z, known = self.logits_of(w)
            z[w.batch.lengths == 0] = np.nan
            found.append(softmax(z))
            cover.append(known)
        return SentimentTable(probability=np.concatenate(found), known=np.concatenate(cover), model=self.name)

    def explain(self, text: str, /, *, names: Sequence[str] = ()) -> SentimentEvidence:
        """What each token of a text adds to its score."""
        from crmcore.listening.sentiment.explaining import explain

        return explain(self, text, names=names)

    def adapt(
        self,
        texts: Sequence[str | None],
        labels: Sequence[str],
        /,
        *,
        unlabelled: Sequence[str | None] = (),
        names: Sequence[str] = (),
    ) -> AdaptedSentiment:
        """Learn from labelled texts of your own, from about ten up; see `AdaptedSentiment`."""
        from crmcore.listening.sentiment.adapting import adapt

        return adapt(self, texts, labels, unlabelled=unlabelled, names=names)


@cache
def default_model() -> SentimentModel:
    """Give the English model that ships, learned from Reddit comments, tweets, product and restaurant reviews.

    Where it comes from, what it can and cannot do: the model card in the documentation.
    """
    place = files("crmcore.listening.sentiment").joinpath("data/model.npz")
    with place.open("rb") as file, np.load(file, allow_pickle=False) as held:
        return SentimentModel(
            lexical=LexicalPart(
                mean=held["mean"], sd=held["sd"], weights=held["lexical"], intercept=held["lexical_intercept"]
            ),
            space=NgramSpace(
                words=tuple(bytes(held["words"]).decode().split("\n")),
                keys=held["keys"],
                idf=held["idf"].astype(np.float64),
            ),
            words=held["weights"].astype(np.float64) * held["step"],
            word_intercept=held["word_intercept"],
            name=str(held["name"]),
        )
