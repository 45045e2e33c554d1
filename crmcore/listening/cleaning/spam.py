"""Spam learned from labels: probabilities, reasons, and whether new posts are of the kind that was learned."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import Progress
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.metrics.columns import truths
from crmcore.text.classifying import ClassifiedText, Familiarity, TextClassifier, TextClassifierModel

__all__ = ["SpamModel", "fit_spam"]

SPAM, HAM = "spam", "ham"


@attrs.frozen(kw_only=True, repr=False)
class SpamModel(Document):
    """A `SpamFilter` that learned from labelled posts.

    Parameters
    ----------
    classifier : TextClassifierModel
        Of the labels ham and spam.
    """

    classifier: TextClassifierModel

    def __repr__(self) -> str:
        return f"SpamModel({self.classifier.texts} texts)"

    def spam(self, texts: Sequence[str | None], /) -> NDArray[np.float64]:
        """(n,) probabilities; NaN for a missing text."""
        chance = self.classifier.probabilities(texts)[:, self.classifier.labels.index(SPAM)]
        return np.where([text is None for text in texts], np.nan, chance)

    def explain(self, text: str, /) -> ClassifiedText:
        """What speaks for the likelier label of one post."""
        return self.classifier.explain(text)

    def familiarity(self, texts: Sequence[str | None], /) -> Familiarity:
        """Whether posts are of the kind that it learned from; spam of one site says little about another."""
        return self.classifier.familiarity(texts)


def fit_spam(
    texts: Sequence[str | None], spam: ArrayLike, /, *, penalty: float | None = None, progress: Progress | bool = False
) -> SpamModel:
    """Learn what is spam from labelled posts of one's own channels.

    Parameters
    ----------
    texts : n texts
    spam : (n,) truths
    penalty : number, optional
        Higher trusts the words less; None chooses it on posts held out.

    Raises
    ------
    OutOfRange
        Columns of two lengths, labels of one kind only, fewer than 10 posts.

    Examples
    --------
    >>> texts = ["win cash now", "free prize click", "nice song", "i love this band"] * 5
    >>> model = fit_spam(texts, [1, 1, 0, 0] * 5)
    >>> model.spam(["free cash prize", "nice band"]).round() .tolist()
    [1.0, 0.0]
    """
    labels = truths("spam", spam)
    if len(labels) != len(texts):
        raise OutOfRange("len(spam)", len(labels), f"{len(texts)}, as texts", "one truth a post")
    if len(texts) < 10:
        raise OutOfRange("number of posts", len(texts), "10 or more", "label more; before that use spam_signals")
    recipe = TextClassifier(least_texts=1, penalty=penalty, shape=True)
    return SpamModel(classifier=recipe.fit(texts, [SPAM if s else HAM for s in labels.tolist()], progress=progress))
