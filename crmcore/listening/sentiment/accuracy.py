"""How right a sentiment analyzer is on one's own labelled sample, and whether it has drifted since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, named
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.listening.polarity import Polarity
from crmcore.metrics.calibration import calibration_error
from crmcore.metrics.columns import columns_frame
from crmcore.metrics.comparing import Comparison, compare
from crmcore.metrics.estimates import Estimate
from crmcore.metrics.labelled import Confusion, precision, recall
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.proportions import Counts, proportion
from crmcore.plugins import PluginKind, resolve
from crmcore.protocols import SentimentAnalyzer

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AccuracyReport", "ClassAccuracy", "Drift", "check_accuracy"]

Floats = NDArray[np.float64]
WORDS = tuple(p.value for p in Polarity)
DRAWS = 2000


@attrs.frozen(kw_only=True)
class ClassAccuracy(Document):
    """One polarity: how often it is found, and how often rightly."""

    polarity: str
    labelled: int
    guessed: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@attrs.frozen(kw_only=True)
class Drift(Document):
    """A later report beside an earlier one.

    Parameters
    ----------
    accuracy : Comparison
        Share of right answers, later minus earlier.
    sureness : Comparison
        Share of sure answers (probability of 0.8 or more), later minus earlier.
    drifted : truth
        Whether either has changed at 5 % for both together (Holm).
    """

    accuracy: Comparison
    sureness: Comparison
    drifted: bool

    def __str__(self) -> str:
        says = "drifted: label a new sample and adapt" if self.drifted else "no drift to be seen"
        return f"{says}; accuracy {self.accuracy.difference}, sure answers {self.sureness.difference}"


@attrs.frozen(kw_only=True, repr=False)
class AccuracyReport(Document):
    """How right an analyzer is on a labelled sample.

    Parameters
    ----------
    table : 3 rows of 3 counts
        Labelled (rows) by guessed (columns), in the order negative, neutral, positive.
    unread : count
        Labelled texts that the analyzer could not read; they count as neutral.
    accuracy : Estimate
        Share of right answers.
    macro_f1 : Estimate
        Mean F1 of the polarities that were labelled; bootstrap over texts.
    calibration_error : number
        Mean distance of the probability of the answer from the share of right answers, over ten groups of like size.
    classes : one a polarity
    sure, right_when_sure : counts
        Answers with probability 0.8 or more; of them those that are right.
    """

    table: tuple[tuple[int, ...], ...]
    unread: int
    accuracy: Estimate
    macro_f1: Estimate
    calibration_error: float
    classes: tuple[ClassAccuracy, ...]
    sure: int
    right_when_sure: int

    @property
    def n(self) -> int:
        """Labelled texts."""
        return sum(map(sum, self.table))

    @property
    def right(self) -> int:
        """Texts that were told rightly."""
        return sum(self.table[i][i] for i in range(3))

    def __repr__(self) -> str:
        return f"AccuracyReport({self.n} texts, macro F1 {self.macro_f1.value:.3f})"

    def __str__(self) -> str:
        rows = [
            f"  {c.polarity:9} precision {c.precision.value:.2f}, recall {c.recall.value:.2f}" for c in self.classes
        ]
        head = f"{self.n} labelled texts: accuracy {self.accuracy}, macro F1 {self.macro_f1}"
        return "\n".join([head, *rows, f"  calibration error {self.calibration_error:.3f}, {self.unread} not read"])

    def __getitem__(self, polarity: str) -> ClassAccuracy:
        """One polarity."""
        return named(self.classes, "polarity", polarity, what="polarity")

    def drift(self, later: AccuracyReport, /, *, level: float = 0.95) -> Drift:
        """Hold a later report against this one.

        Both samples must be drawn at random from the stream of their time and labelled by the same rules.
        """
        accuracy = compare(Counts(later.right, later.n), Counts(self.right, self.n), level=level, small_sample_ok=True)
        sureness = compare(Counts(later.sure, later.n), Counts(self.sure, self.n), level=level, small_sample_ok=True)
        p = adjust(np.nan_to_num([accuracy.p_value, sureness.p_value], nan=1.0), method="holm")
        return Drift(accuracy=accuracy, sureness=sureness, drifted=bool(p.min() < 0.05))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a polarity: labelled, guessed, precision, recall, f1 with intervals."""
        out: dict[str, Any] = {
            "polarity": [c.polarity for c in self.classes],
            "labelled": np.array([c.labelled for c in self.classes]),
            "guessed": np.array([c.guessed for c in self.classes]),
        }
        for name in ("precision", "recall", "f1"):
            for part in ("value", "low", "high"):
                key = name if part == "value" else f"{name}_{part}"
                out[key] = np.array([getattr(getattr(c, name), part) for c in self.classes], np.float64)
        return columns_frame(out, backend=backend)

    def chart(self, *, title: str = "F1 by polarity") -> Chart:
        """F1 of each polarity with its interval."""
        from crmcore.charts import dot_interval

        return dot_interval([c.polarity for c in self.classes], [c.f1 for c in self.classes], title=title)

    def _repr_html_(self) -> str:
        rows = [{"labelled": WORDS[i], **dict(zip(WORDS, self.table[i], strict=True))} for i in range(3)]
        return html_table(rows, caption=f"{self.n} texts, accuracy {self.accuracy}, macro F1 {self.macro_f1}")


def check_accuracy(
    texts: Sequence[str | None], labels: Sequence[str], /, *, analyzer: SentimentAnalyzer | str, level: float = 0.95,
    seed: int = 0,
) -> AccuracyReport:  # fmt: skip
    """Measure an analyzer on texts that somebody has labelled.

    Draw the sample at random from the very stream that is to be scored, and never measure on texts that the analyzer
    learned from.

    Parameters
    ----------
    texts, labels : n each
        Labels are "negative", "neutral" or "positive".
    analyzer : SentimentAnalyzer or the name of a plug-in

    Raises
    ------
    EmptyInput, OutOfRange, UnknownName
        No texts; columns of two lengths; a label that is no polarity.

    Examples
    --------
    >>> from crmcore.listening.sentiment import default_model
    >>> texts = ["love it", "so slow, terrible", "opens at nine", "not helpful at all"] * 10
    >>> found = check_accuracy(texts, ["positive", "negative", "neutral", "negative"] * 10, analyzer=default_model())
    >>> found, found.table
    (AccuracyReport(40 texts, macro F1 1.000), ((20, 0, 0), (0, 10, 0), (0, 0, 10)))
    """
    if not len(texts):
        raise EmptyInput("the labelled sample", "label some texts, drawn at random")
    if len(texts) != len(labels):
        raise OutOfRange("len(labels)", len(labels), f"{len(texts)}, as texts", "one label a text")
    for label in labels:
        if label not in WORDS:
            raise UnknownName("label", str(label), WORDS)
    one: SentimentAnalyzer = resolve(PluginKind.SENTIMENT, analyzer, contract=SentimentAnalyzer)
    chance = np.array(one.probabilities(texts), np.float64)
    unread = np.isnan(chance[:, 0])
    chance[unread] = (0.0, 1.0, 0.0)
    y = np.array([WORDS.index(label) for label in labels], np.int64)
    guess = chance.argmax(axis=1)
    table = np.bincount(3 * y + guess, minlength=9).reshape(3, 3)
    best = chance.max(axis=1)
    sure = best >= 0.8
    macro, each = _bootstrapped(table, level=level, seed=seed)
    accuracy = proportion(int(np.trace(table)), len(y), level=level, rule="right / labelled", small_sample_ok=True)
    classes = tuple(_of_class(k, table, each[k], level=level) for k in range(3))
    return AccuracyReport(
        table=tuple(tuple(row) for row in table.tolist()), unread=int(unread.sum()), accuracy=accuracy, macro_f1=macro,
        calibration_error=calibration_error(best, (guess == y).astype(np.float64)), classes=classes,
        sure=int(sure.sum()), right_when_sure=int((sure & (guess == y)).sum()),
    )  # fmt: skip


def _of_class(k: int, table: NDArray[np.int64], f1: Estimate, *, level: float) -> ClassAccuracy:
    tp = int(table[k, k])
    counts = Confusion(
        tp=tp, fp=int(table[:, k].sum()) - tp, fn=int(table[k].sum()) - tp,
        tn=int(table.sum() - table[k].sum() - table[:, k].sum()) + tp,
    )  # fmt: skip
    return ClassAccuracy(
        polarity=WORDS[k], labelled=int(table[k].sum()), guessed=int(table[:, k].sum()),
        precision=precision(counts, level=level, small_sample_ok=True),
        recall=recall(counts, level=level, small_sample_ok=True), f1=f1,
    )  # fmt: skip


def _f1(tables: NDArray[np.int64]) -> Floats:
    """(m, 3) F1 of tables (m, 3, 3); NaN for a polarity that nobody labelled."""
    hit = np.diagonal(tables, axis1=1, axis2=2).astype(np.float64)
    labelled, guessed = tables.sum(axis=2), tables.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(labelled > 0, 2 * hit / (labelled + guessed), np.nan)


def _bootstrapped(table: NDArray[np.int64], *, level: float, seed: int) -> tuple[Estimate, list[Estimate]]:
    """Macro F1 and F1 of each polarity, intervals by multinomial bootstrap of the table."""
    n = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(n, table.ravel() / n, DRAWS).reshape(-1, 3, 3)
    value, every = _f1(table[None])[0], _f1(drawn)
    there = table.sum(axis=1) > 0
    ends = ((1 - level) / 2, (1 + level) / 2)

    def estimate(at: float, draws: Floats, rule: str) -> Estimate:
        draws = draws[~np.isnan(draws)]
        low, high = (float(q) for q in np.quantile(draws, ends)) if len(draws) else (np.nan, np.nan)
        return Estimate(value=at, low=min(low, at), high=max(high, at), level=level, n=n, rule=rule, method="bootstrap")

    with np.errstate(invalid="ignore"):
        macro = np.nanmean(every[:, there], axis=1)
    return (
        estimate(float(value[there].mean()), macro, "mean F1 of labelled polarities"),
        [estimate(float(value[k]), every[:, k], f"F1 of {WORDS[k]}") for k in range(3)],
    )
