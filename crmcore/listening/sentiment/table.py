"""Scored texts: probabilities, words, intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, number_text
from crmcore.documents import Document
from crmcore.listening.polarity import Polarity
from crmcore.metrics.columns import columns_frame, held_floats

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["ORDER", "SentimentTable"]

ORDER = (Polarity.NEGATIVE, Polarity.NEUTRAL, Polarity.POSITIVE)
Floats = NDArray[np.float64]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SentimentTable(Document):
    """Sentiment of n texts; row i of every column is text i.

    Parameters
    ----------
    probability : (n, 3) shares
        Of negative, neutral, positive; NaN where a text has no token.
    known : (n,) shares
        Of the words and pairs of a text that the model knows: low values say that the text is foreign to it.
    model : name
    """

    probability: NDArray[np.float64] = attrs.field(converter=held_floats)
    known: NDArray[np.float64] = attrs.field(converter=held_floats)
    model: str

    def __len__(self) -> int:
        return len(self.probability)

    def __repr__(self) -> str:
        return f"SentimentTable({self})"

    def __str__(self) -> str:
        n = self.counts()
        shares = ", ".join(f"{n[word]} {word}" for word in ORDER)
        there = self.intensity[~np.isnan(self.intensity)]
        net = number_text(round(float(there.mean()), 2)) if len(there) else "unknown"
        return f"{len(self)} texts: {shares}; net score {net}"

    @property
    def intensity(self) -> Floats:
        """(n,) probability of praise minus probability of blame, -1 to 1."""
        return self.probability[:, 2] - self.probability[:, 0]

    @property
    def negative(self) -> Floats:
        """(n,) probability of negative."""
        return self.probability[:, 0]

    @property
    def words(self) -> list[str | None]:
        """Most likely polarity of each text; None where there is nothing to tell."""
        told = ~np.isnan(self.probability[:, 0])
        best = np.nan_to_num(self.probability).argmax(axis=1)
        return [ORDER[best[i]].value if told[i] else None for i in range(len(self))]

    def counts(self) -> dict[Polarity, int]:
        """Texts of each polarity; their shares are biased: correct them with labelled posts before you print one."""
        words = self.words
        return {word: words.count(word.value) for word in ORDER}

    @property
    def foreign(self) -> float:
        """Share of the texts of which the model knows less than a tenth of the words and pairs."""
        return float((self.known < 0.1).mean()) if len(self) else float("nan")

    def to_frame(self, backend: Any = None) -> Any:
        """One row a text: polarity, three probabilities, intensity, known."""
        named = {word.value: self.probability[:, i] for i, word in enumerate(ORDER)}
        return columns_frame(
            {"polarity": self.words, **named, "intensity": self.intensity, "known": self.known}, backend=backend
        )

    def _repr_html_(self) -> str:
        return html_table([{"polarity": k.value, "texts": n} for k, n in self.counts().items()], caption=str(self))

    def chart(self) -> Chart:
        """How many texts lie at each intensity."""
        from crmcore.charts import histogram

        told = self.intensity[~np.isnan(self.intensity)]
        return histogram(told.tolist(), title="Intensity, -1 blame to 1 praise")
