"""Aspect sentiment learned from labels: words of the clause, words beside the term, the term, an analyzer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import between
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType
from crmcore.listening.aspects.clauses import pieces
from crmcore.listening.aspects.finding import AspectMentions
from crmcore.listening.aspects.opinions import AspectOpinions, scored
from crmcore.listening.polarity import Polarity
from crmcore.listening.shares.reading import polarities
from crmcore.protocols import SentimentAnalyzer
from crmcore.tables.columns import TextColumn
from crmcore.text import TokenBatch
from crmcore.text.logistic import Block, fit_blocks, softmax
from crmcore.text.parts import NgramColumns, balanced

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["AspectClassifier", "AspectClassifierModel"]

Floats = NDArray[np.float64]

TERM = "\x02term"  # stands where the term stood: no token of a text
DENSE = 0.2  # weight of a standardised number beside n-grams whose rows have length 1


@attrs.frozen(kw_only=True)
class AspectClassifier(Document):
    """Recipe of a classifier of mentions.

    Parameters
    ----------
    penalty : number
        Ridge on the coefficients.
    reach : count
        Words left and right of the term that count by their side.
    least_texts : count
        N-grams in fewer mentions are no columns.
    balance : share
        1: all three classes weigh the same, as macro-averaged scores want; 0: as often as they occur, which keeps
        probabilities calibrated.
    """

    penalty: float = attrs.field(default=1.0, validator=between(1e-6, 1e6, hint="1 is a good start"))
    reach: int = attrs.field(default=5, validator=between(1, 50, hint="5 words"))
    least_texts: int = attrs.field(default=2, validator=between(1, 10**6, hint="2"))
    balance: float = attrs.field(default=1.0, validator=between(0, 1, hint="1: classes weigh the same"))

    def fit(
        self,
        mentions: AspectMentions,
        labels: TextColumn | ArrayLike,
        /,
        *,
        analyzer: SentimentAnalyzer | None = None,
    ) -> AspectClassifierModel:
        """Learn from labelled mentions.

        Parameters
        ----------
        mentions : AspectMentions
        labels : (m,) words or numbers
            Polarity of each; a mention without label (None) is left out.
        analyzer : SentimentAnalyzer, optional
            Its probabilities of the clause, of what stands left and right in it, and of the whole text become columns;
            the model then needs the same analyzer to predict.

        Raises
        ------
        OutOfRange
            Fewer than two classes, or labels of another length.
        """
        truth = polarities("labels", labels)
        if len(truth) != len(mentions):
            raise OutOfRange("len(labels)", len(truth), f"{len(mentions)}, as mentions", "one label a mention")
        rows = np.flatnonzero(~np.isnan(truth))
        kept, y = mentions.take(rows), (truth[rows] + 1).astype(np.int64)
        if len(np.unique(y)) < 2:
            raise OutOfRange("classes among labels", len(np.unique(y)), "2 or more", "label other mentions too")
        parts = _parts(kept, self.reach)
        columns = NgramColumns.fit(parts, least_texts=self.least_texts)
        dense = _dense(kept, analyzer)
        centre, spread = dense.mean(axis=0), dense.std(axis=0)
        spread = np.where(spread > 1e-9, spread, 1.0)
        x = _joined(columns.matrix(parts), (dense - centre) / spread)
        weights = balanced(y, classes=3, strength=self.balance)
        (coefficients,), (intercepts,) = fit_blocks(
            [Block(x, self.penalty)], y, 3, weight=weights, intercept_penalty=1e-6, rounds=300
        )
        return AspectClassifierModel(
            recipe=self, columns=columns, coefficients=coefficients, intercepts=intercepts, centre=centre,
            spread=spread, analyzed=analyzer is not None, n=len(rows),
        )  # fmt: skip


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AspectClassifierModel(Document):
    """A classifier of mentions that has learned.

    Attributes
    ----------
    coefficients : (m, 3) logits
        Of the n-gram columns, then of the numbers.
    intercepts : (3,) logits
    centre, spread : (d,) numbers
        Of the numbers beside the n-grams.
    analyzed : truth
        Whether an analyzer's probabilities are among them.
    n : count
        Labelled mentions.
    """

    recipe: AspectClassifier
    columns: NgramColumns
    coefficients: Floats
    intercepts: Floats
    centre: Floats
    spread: Floats
    analyzed: bool
    n: int

    def __repr__(self) -> str:
        return f"AspectClassifierModel({self.n} labels, {len(self.columns)} n-grams)"

    def opinions(self, mentions: AspectMentions, /, *, analyzer: SentimentAnalyzer | None = None) -> AspectOpinions:
        """Probabilities of mentions; `analyzer` where the model learned with one."""
        if self.analyzed != (analyzer is not None):
            got, want = ("None", "the analyzer of the fit") if self.analyzed else ("an analyzer", "None, as in the fit")
            raise WrongType("analyzer", got, want, "predict with what the model learned with")
        dense = (_dense(mentions, analyzer) - self.centre) / self.spread
        x = _joined(self.columns.matrix(_parts(mentions, self.recipe.reach)), dense)
        logits = np.asarray(x @ self.coefficients) + self.intercepts
        return AspectOpinions(mentions=mentions, chances=softmax(logits), method="learned")

    def strongest(self, polarity: Polarity, /, *, k: int = 10) -> tuple[tuple[str, float], ...]:
        """The k n-grams that speak most for one polarity, with their logits."""
        column = self.coefficients[: len(self.columns), list(Polarity).index(polarity)]
        names = self.columns.names
        order = np.argsort(-column, kind="stable")[:k]
        return tuple((names[i].replace(TERM, "..."), float(column[i])) for i in order)


def _joined(ngrams: csr_array, dense: Floats) -> csr_array:
    from scipy.sparse import csr_array, hstack

    made: csr_array = hstack([ngrams, csr_array(DENSE * dense)], format="csr")
    return made


def _parts(mentions: AspectMentions, reach: int) -> dict[str, TokenBatch]:
    """Clause with the term masked, words left and right of it in the text, and the term itself."""
    batch = mentions.batch.normalised()
    first, last = batch.starts[:-1][mentions.text], batch.starts[1:][mentions.text]
    begin, end = mentions.clauses()
    left = _beside(batch, np.maximum(mentions.start - reach, first), mentions.start, at_end=True)
    right = _beside(batch, mentions.stop, np.minimum(mentions.stop + reach, last), at_end=False)
    before = _beside(batch, begin, mentions.start, at_end=True)
    after = pieces(batch, mentions.stop, end)
    return {
        "clause": _chained(before, after),
        "left": left,
        "right": right,
        "term": pieces(batch, mentions.start, mentions.stop),
    }


def _beside(batch: TokenBatch, start: NDArray[np.int64], stop: NDArray[np.int64], *, at_end: bool) -> TokenBatch:
    """Pieces with the mark of the term after or before each."""
    plain = pieces(batch, start, stop)
    where = plain.starts[1:] if at_end else plain.starts[:-1]
    codes = np.insert(plain.codes, where, batch.vocabulary.code(TERM))
    return TokenBatch(codes, plain.starts + np.arange(len(plain.starts)), batch.vocabulary)


def _chained(first: TokenBatch, second: TokenBatch) -> TokenBatch:
    """Text i of the first followed by text i of the second."""
    starts = first.starts + second.starts
    codes = np.insert(first.codes, np.repeat(first.starts[1:], second.lengths), second.codes)
    return TokenBatch(codes, starts, first.vocabulary)


def _dense(mentions: AspectMentions, analyzer: SentimentAnalyzer | None) -> Floats:
    """(m, d) shape of the clause, and an analyzer's view of its pieces."""
    begin, end = mentions.clauses()
    first, last = mentions.batch.starts[:-1][mentions.text], mentions.batch.starts[1:][mentions.text]
    shape = [
        np.log1p(end - begin), begin == mentions.start, end == mentions.stop, begin == first, end == last,
        (mentions.start - first) / np.maximum(last - first, 1), np.log1p(last - first),
    ]  # fmt: skip
    found = [np.stack([np.asarray(s, np.float64) for s in shape], axis=1)]
    if analyzer is not None:
        spans = (
            (begin, end), (begin, mentions.start), (mentions.stop, end), (first, last),
            (np.maximum(mentions.start - 4, first), mentions.start),
            (mentions.stop, np.minimum(mentions.stop + 4, last)),
        )  # fmt: skip
        for start, stop in spans:
            cut = pieces(mentions.batch, start, stop)
            chances = np.nan_to_num(scored(analyzer, [" ".join(cut.forms(i)) for i in range(len(cut))]), nan=1 / 3)
            found.append(np.column_stack([chances[:, [0, 2]], chances[:, 2] - chances[:, 0]]))
    return np.concatenate(found, axis=1)
