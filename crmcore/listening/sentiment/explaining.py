"""Why a text scores as it does: what each token adds, adding up to the score."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import number_text
from crmcore.documents import Document
from crmcore.errors import EmptyInput, WrongType
from crmcore.listening.sentiment.blending import DIAL, WORDS_WEIGHT, trust
from crmcore.listening.sentiment.features import lexical_features
from crmcore.listening.sentiment.names import masked
from crmcore.listening.sentiment.rules import AT, Weighed, weigh
from crmcore.listening.sentiment.table import ORDER
from crmcore.metrics.estimates import frame_of
from crmcore.text import TokenBatch, Tokenizer
from crmcore.text.logistic import softmax

if TYPE_CHECKING:
    from crmcore.listening.sentiment.model import SentimentModel

__all__ = ["SentimentEvidence", "explain"]

Floats = NDArray[np.float64]
MOST = 200  # tokens that are left out one by one; the rest of a very long text shares what is over


@attrs.frozen(kw_only=True)
class SentimentEvidence(Document):
    """One text, token by token.

    Parameters
    ----------
    polarity : word
    probability : (3,) shares
        Of negative, neutral, positive.
    tokens : words
        Of the text as it was read.
    evidence : (n_tokens,) numbers
        What each adds to the score.
    start : number
        Score of a text of this length and punctuation whose words say nothing.
    score : number
        Log odds of positive against negative: ``start`` plus all evidence.
    """

    polarity: str
    probability: tuple[float, float, float]
    tokens: tuple[str, ...] = attrs.field(repr=lambda tokens: f"({len(tokens)} tokens)")
    evidence: tuple[float, ...] = attrs.field(repr=False)
    start: float
    score: float

    def __str__(self) -> str:
        shares = ", ".join(f"{100 * p:.0f} % {word}" for p, word in zip(self.probability, ORDER, strict=True))
        told = sorted(zip(self.evidence, self.tokens, strict=True), key=lambda pair: -abs(pair[0]))
        parts = ", ".join(f"{token} {value:+.2f}" for value, token in told[:8] if abs(value) >= 0.005)
        sums = f"score {number_text(self.score)} = start {self.start:+.2f}, {parts or 'no evidence'}"
        return f"{self.polarity} ({shares}); {sums}"

    def to_frame(self, backend: Any = None) -> Any:
        """One row a token: token, evidence."""
        rows = [{"token": t, "evidence": e} for t, e in zip(self.tokens, self.evidence, strict=True)]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        """Show the text with its tokens in the colours of what they say, at most 200 of them."""
        top = max((abs(e) for e in self.evidence), default=0.0) or 1.0
        parts = []
        for token, value in list(zip(self.tokens, self.evidence, strict=True))[:200]:
            hue = "0,120,60" if value > 0 else "190,30,30"
            strength = 0.45 * abs(value) / top
            mark = f' style="background:rgba({hue},{strength:.2f})" title="{value:+.2f}"' if strength >= 0.03 else ""
            parts.append(f"<span{mark}>{escape(token)}</span>")
        caption = f"<figcaption>{escape(str(self.polarity))}, score {escape(number_text(self.score))}</figcaption>"
        return f"<figure>{' '.join(parts)}{caption}</figure>"


def explain(model: SentimentModel, text: str, /, *, names: Sequence[str] = ()) -> SentimentEvidence:
    """Take a score apart.

    Words and pairs that the model knows add exactly; a pair's part is shared by its two tokens. The lexical features
    are not additive: each token gets what the lexical score loses without its valence, scaled so that all of them
    together give what it loses without any.

    Raises
    ------
    WrongType, EmptyInput
        Not a text; a text without tokens.
    """
    if not isinstance(text, str):
        raise WrongType("text", type(text).__name__, "one text", "explain texts one by one")
    reader = Tokenizer()
    shown = reader.tokenize([text])
    if not len(shown.codes):
        raise EmptyInput("text", "it has no tokens, so there is nothing to explain")
    batch = masked(shown, names)
    w = weigh(batch)
    z, cover = model.logits_of(w)
    words = _of_words(model, w, float(cover[0]))
    lexical, start = _of_lexicon(model, batch, w.valence, w.table)
    held = WORDS_WEIGHT * float(trust(cover)[0]) * float(model.word_intercept[2] - model.word_intercept[0])
    p = softmax(z)[0]
    return SentimentEvidence(
        polarity=ORDER[int(p.argmax())].value,
        probability=(float(p[0]), float(p[1]), float(p[2])),
        tokens=tuple(shown.forms(0)),
        evidence=tuple((words + lexical).tolist()),
        start=start + held,
        score=float(z[0, 2] - z[0, 0]),
    )


def _of_words(model: SentimentModel, w: Weighed, cover: float) -> Floats:
    """(n_tokens,) what the known words and pairs add."""
    column, _, begin, _ = model.space.placed(w)
    terms, _ = model.space.features(w)
    scale = WORDS_WEIGHT * float(trust(np.array([cover]))[0])
    total = dict(zip(terms.indices.tolist(), terms.data.tolist(), strict=True))
    times = np.bincount(column, minlength=1)
    pull = model.words[:, 2] - model.words[:, 0]
    found = np.zeros(len(w.batch.codes))
    follower = np.zeros(len(found), np.int64)
    number = model.space.numbers.on(w.batch.vocabulary)[w.batch.codes]
    at = np.flatnonzero(number >= 0)
    follower[at[:-1]] = at[1:]
    for c, b in zip(column.tolist(), begin.tolist(), strict=True):
        part = scale * total[c] * float(pull[c]) / float(times[c])
        if model.space.is_pair(c):
            found[b] += part / 2
            found[follower[b]] += part / 2
        else:
            found[b] += part
    return found


def _of_lexicon(model: SentimentModel, batch: TokenBatch, valence: Floats, table: Floats) -> tuple[Floats, float]:
    """(n_tokens,) what the lexical score loses without each token, and the score without all of them."""
    telling = np.flatnonzero((valence != 0) | (table[:, AT["boost"]] != 0))
    telling = telling[np.argsort(-np.abs(valence[telling]), kind="stable")][:MOST]
    n, k = len(batch.codes), len(telling)
    copies = batch.take(np.zeros(k + 2, np.int64))
    every = np.concatenate([np.arange(k) * n + telling, k * n + np.arange(n)])
    scores = _lexical_score(model, lexical_features(weigh(copies, without=every.astype(np.int64))))
    whole, start = scores[k + 1], scores[k]
    lost = whole - scores[:k]
    over = (whole - start) - lost.sum()
    size = np.abs(lost).sum()
    found = np.zeros(n)
    if k:
        found[telling] = lost + over * (np.abs(lost) / size if size > 0 else 1 / k)
    return found, float(start)


def _lexical_score(model: SentimentModel, x: Floats) -> Floats:
    z = model.lexical.logits(x)
    return np.asarray(z[:, 2] - z[:, 0] + 2 * DIAL * x[:, 0], np.float64)
