"""Cut points of three measures, kept and applied again: the model behind RFM scores."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import number_text
from crmcore.documents import Document
from crmcore.errors import CurrencyMismatch, EmptyInput, OutOfRange
from crmcore.idic.differentiate.rfm.binning import Ties, cut_points, score_values, ties_of
from crmcore.idic.differentiate.rfm.facts import RfmFacts
from crmcore.values.words import word

__all__ = ["Binning", "RfmModel", "fit_cuts"]

Cuts = tuple[float | None, ...]
Scores = NDArray[np.int16]


class Binning(enum.StrEnum):
    """Among whom a customer is compared."""

    INDEPENDENT = "independent"  # each measure among all buyers
    NESTED = "nested"  # frequency among those of one recency score, money among those of both


@attrs.frozen(kw_only=True)
class RfmModel(Document):
    """Cut points of recency, frequency and money; plain data that saves as JSON.

    Attributes
    ----------
    recency_days : most days since the last purchase that still reach score 2, 3, ... (descending)
    frequency, monetary_minor : least value of score 2, 3, ... (ascending); None = nobody reached the score
    nested : cut points of frequency by recency score ("4"), of money by both ("4-2"); empty = independent
    ties : policy by which they were found; None = your own cut points
    """

    recency_days: Cuts
    frequency: Cuts
    monetary_minor: Cuts
    currency: str
    nested: Mapping[str, Cuts] = attrs.field(factory=dict)
    ties: Ties | None = None

    def __attrs_post_init__(self) -> None:
        for name, sign in (("recency_days", -1.0), ("frequency", 1.0), ("monetary_minor", 1.0)):
            cuts = _edges(getattr(self, name), sign)
            if not len(cuts):
                raise EmptyInput(name, "give at least one cut point: two scores")
            if np.isnan(cuts).any() or (cuts[1:] < cuts[:-1]).any():
                order = "descending days" if sign < 0 else "ascending numbers"
                raise OutOfRange(name, getattr(self, name), order, "cut points run from score 2 to the best score")

    @property
    def bins(self) -> tuple[int, int, int]:
        """Number of scores of recency, frequency and money."""
        return len(self.recency_days) + 1, len(self.frequency) + 1, len(self.monetary_minor) + 1

    def apply(self, facts: RfmFacts, /) -> tuple[Scores, Scores, Scores]:
        """Scores of every customer: recency, frequency, money, each (n,), from 1 (worst); 0 = has not bought.

        Raises
        ------
        CurrencyMismatch
            The facts are in another currency than the cut points.
        """
        if facts.currency != self.currency:
            raise CurrencyMismatch(self.currency, facts.currency)
        recency, frequency, money = _measures(facts)
        r = score_values(recency, _edges(self.recency_days, -1.0))
        f = score_values(frequency, _edges(self.frequency, 1.0))
        m = score_values(money, _edges(self.monetary_minor, 1.0))
        if self.nested:
            f = self._within(frequency, f, r)
            m = self._within(money, m, r, f)
        return r, f, m

    def _within(self, values: NDArray[np.float64], otherwise: Scores, *groups: Scores) -> Scores:
        made = otherwise.copy()
        for key, rows in _groups(*groups):
            if key in self.nested:
                made[rows] = score_values(values[rows], _edges(self.nested[key], 1.0))
        return made

    def __str__(self) -> str:
        kind = "nested" if self.nested else "independent"
        lines = [f"cut points from score 2 up, {kind}, ties {self.ties or 'your own'}"]
        for name in ("recency_days", "frequency", "monetary_minor"):
            cuts = ", ".join("nobody" if c is None else number_text(c) for c in getattr(self, name))
            lines.append(f"{name:14}  {'at most' if name == 'recency_days' else 'at least'} {cuts}")
        return "\n".join(lines)


def _edges(cuts: Cuts, sign: float) -> NDArray[np.float64]:
    return np.array([np.inf if c is None else sign * c for c in cuts], np.float64)


def _kept(edges: NDArray[np.float64], sign: float = 1.0) -> Cuts:
    return tuple(None if np.isinf(e) else float(sign * e) for e in edges)


def _measures(facts: RfmFacts) -> tuple[NDArray[np.float64], ...]:
    """Measures where more is better, NaN for customers who have not bought."""
    bought = facts.buyers
    return (
        -facts.recency_days,
        np.where(bought, facts.frequency, np.nan),
        np.where(bought, facts.monetary_minor, np.nan),
    )


def _groups(*scores: Scores) -> list[tuple[str, NDArray[np.intp]]]:
    """Rows of every combination of scores, under the key "4" or "4-2"; customers without score are in none."""
    code = np.zeros(len(scores[0]), np.int64)
    for s in scores:
        code = code * 1000 + s
    found = np.unique(code[scores[0] > 0])
    made = []
    for one in found.tolist():
        parts = [str(one // 1000**k % 1000) for k in reversed(range(len(scores)))]
        made.append(("-".join(parts), np.flatnonzero(code == one)))
    return made


def fit_cuts(
    facts: RfmFacts, *, bins: int | tuple[int, int, int] = 5, binning: Binning | str = Binning.INDEPENDENT,
    ties: Ties | str = Ties.MID,
) -> RfmModel:  # fmt: skip
    """Find cut points on the buyers of one date.

    Parameters
    ----------
    facts : RfmFacts
        Of `rfm_facts`; customers who have not bought take no part.
    bins : count, or three counts
        Scores of recency, frequency and money; 2 or more each.
    binning : Binning
        `"independent"`, or `"nested"`: frequency among customers of the same recency score, money among those of both.
    ties : Ties
        Where a group of equal values goes: `"mid"`, `"upper"`, `"lower"`. It is never split.

    Returns
    -------
    RfmModel

    Raises
    ------
    EmptyInput, UnknownName, OutOfRange
        Nobody has bought; a word that is not known; fewer than two scores.
    """
    if not facts.buyers.any():
        raise EmptyInput("buyers", f"nobody bought up to {facts.now:%Y-%m-%d}: choose a later date")
    policy = ties_of(ties)
    how = word(Binning, binning, "binning")
    sizes = bins if isinstance(bins, tuple) else (bins, bins, bins)
    if len(sizes) != 3:
        raise OutOfRange("bins", sizes, "one count or three", "bins=(5, 5, 5) are recency, frequency, money")
    measures = _measures(facts)
    edges = [cut_points(v, bins=b, ties=policy) for v, b in zip(measures, sizes, strict=True)]
    nested: dict[str, Cuts] = {}
    if how is Binning.NESTED:
        r = score_values(measures[0], edges[0])
        f = np.zeros_like(r)
        for key, rows in _groups(r):
            found = cut_points(measures[1][rows], bins=sizes[1], ties=policy)
            nested[key] = _kept(found)
            f[rows] = score_values(measures[1][rows], found)
        for key, rows in _groups(r, f):
            nested[key] = _kept(cut_points(measures[2][rows], bins=sizes[2], ties=policy))
    return RfmModel(
        recency_days=_kept(edges[0], -1.0), frequency=_kept(edges[1]), monetary_minor=_kept(edges[2]),
        currency=facts.currency, nested=nested, ties=policy,
    )  # fmt: skip
