"""Social measures: engagement by its denominator, mentions and their authors, share of voice.

A count that only grows says little, so every number here stands beside what it is a part of. Followers are counted in
`followers`, what people pass on in `spreading`.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput
from crmcore.metrics.columns import cells_of, codes_of, not_negative, numbers, same_length, some, truths
from crmcore.metrics.design import proportion_of
from crmcore.metrics.estimates import Estimate, check_level, frame_of, warn_if_small
from crmcore.metrics.means import ratio
from crmcore.metrics.proportions import proportion
from crmcore.metrics.scalars import entries, text_of
from crmcore.metrics.shares import ShareTable, share_table

__all__ = ["Mentions", "brand_mentions", "engagement_rate", "engagement_rates", "share_of_voice"]

Floats = NDArray[np.float64]


def engagement_rate(
    engaged: int, base: int, *, per: str, level: float = 0.95, small_sample_ok: bool = False
) -> Estimate:
    """Engaged people over one base, with Wilson's interval.

    Parameters
    ----------
    engaged, base : counts
        ``0 <= engaged <= base``. Where one person can react several times use `engagement_rates` on columns of posts.
    per : text
        What the base counts ("reach", "followers"): rates over two bases cannot be compared.

    Examples
    --------
    >>> print(engagement_rate(50, 1000, per="reach"))
    0.05 [0.0381, 0.0653] (95 %, n = 1000, wilson)
    >>> print(engagement_rate(50, 2000, per="followers"))
    0.025 [0.019, 0.0328] (95 %, n = 2000, wilson)
    """
    per = text_of("per", per, hint="say what the base counts: per='reach'")
    return proportion(engaged, base, level=level, rule=f"engaged / {per}", small_sample_ok=small_sample_ok)


def engagement_rates(
    reactions: ArrayLike, bases: Mapping[str, ArrayLike], *, level: float = 0.95, small_sample_ok: bool = False
) -> dict[str, Estimate]:
    """Reactions over several bases, from one row a post; posts are what varies.

    Parameters
    ----------
    reactions : (n,) counts
        Of each post; may exceed its base, since one person can react several times.
    bases : mapping of name to (n,) counts
        Such as ``{"reach": ..., "followers": ...}``, of the same posts.

    Returns
    -------
    dict
        Name of the base to the ratio of totals (not the mean of ratios, in which small posts would count like large
        ones), with its interval over posts; see `ratio`.

    Examples
    --------
    >>> rates = engagement_rates([30, 50, 40] * 10, {"reach": [900, 1100, 1000] * 10})
    >>> print(rates["reach"])
    0.04 [0.0381, 0.0419] (95 %, n = 30, delta)
    """
    bases = entries("bases", bases, hint="{'reach': column}")
    if not bases:
        raise EmptyInput("bases", "name at least one: {'reach': column}")
    counted = numbers("reactions", reactions)
    columns = {name: numbers(name, column) for name, column in bases.items()}
    n = same_length("engagement_rates", reactions=counted, **columns)
    not_negative("engagement_rates", reactions=counted, **columns)
    warn_if_small(n, "the engagement rate", ok=small_sample_ok)
    return {
        name: ratio(counted, column, level=level, rule=f"reactions / {name}", small_sample_ok=True)
        for name, column in columns.items()
    }


@attrs.frozen(kw_only=True)
class Mentions:
    """How often a brand was mentioned, by how many people, and how much of it told an own experience."""

    mentions: int
    authors: int
    experience: Estimate

    def __str__(self) -> str:
        return f"{self.mentions:,} mentions by {self.authors:,} authors, experiences {self.experience}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"mentions": self.mentions, "authors": self.authors, "experience": self.experience.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Mentions:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "experience": Estimate.from_dict(fields["experience"])})

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row: mentions, authors, and the columns of the share of experiences."""
        counts = {"mentions": self.mentions, "authors": self.authors}
        return frame_of([{**counts, **attrs.asdict(self.experience)}], backend=backend)

    def _repr_html_(self) -> str:
        return f"<figure><b>{self.mentions:,}</b> {escape(str(self))}</figure>"


def brand_mentions(
    author: ArrayLike, experience: ArrayLike, *, level: float = 0.95, small_sample_ok: bool = False
) -> Mentions:
    """Mentions, their authors, and the share that tells an experience.

    Parameters
    ----------
    author : (n,) ids or codes
        Of each mention. Mentions of one author resemble each other, so the interval is over authors.
    experience : (n,) truths
        Whether a mention tells what its author went through.

    Examples
    --------
    >>> who = ["a", "a", "a", "b", "b", "c", "d", "d", "e", "f"]
    >>> print(brand_mentions(who, [1, 1, 0, 0, 0, 1, 0, 0, 1, 0], small_sample_ok=True))
    10 mentions by 6 authors, experiences 0.4 [0.112, 0.779] (95 %, n = 10, wilson, effective n = 4.61)
    """
    told = truths("experience", experience)
    some("mentions", len(told), "pass at least one mention")
    codes, names = codes_of(author, len(told), "author")
    share = proportion_of(
        told, clusters=codes, level=level, rule="experiences / mentions", small_sample_ok=small_sample_ok
    )
    return Mentions(mentions=len(told), authors=len(names), experience=share)


def share_of_voice(
    brand: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    author: ArrayLike | None = None,
    weighted_by: str = "",
    level: float = 0.95,
    small_sample_ok: bool = False,
) -> ShareTable:
    """Each brand's part of all mentions, by volume or weighted by reach or sentiment.

    Parameters
    ----------
    brand : (n,) text
        Brand of each mention; a mention of two brands is two rows.
    weights : (n,) numbers, optional
        From 0: reach of each mention, or its positive (or negative) sentiment. None counts mentions.
    author : (n,) ids or codes, optional
        Who wrote it. Loud authors make mentions depend on each other: with them the intervals are over authors.
    weighted_by : text
        What the weights are, for the rule: "reach".
    level : share
        Probability with which the intervals of all brands hold together.

    Returns
    -------
    ShareTable
        In sorted order of brands: Goodman's intervals for plain counts (see `share_table`), else those of
        `design.proportion_of` (Wilson's with the effective n) at Bonferroni's level.

    Examples
    --------
    >>> brands, reach = ["ours", "rival", "rival", "ours"] * 10, [100, 50, 50, 0] * 10
    >>> print(share_of_voice(brands, weights=reach, weighted_by="reach")["ours"])
    0.5 [0.294, 0.706] (95 %, n = 40, wilson, effective n = 24.7, bonferroni)
    """
    check_level(level)
    voices = cells_of("brand", brand)
    n = len(voices)
    some("mentions", n, "pass at least one mention")
    codes, brands = codes_of(voices, n, "brand")
    if len(brands) < 2:
        raise EmptyInput("brands with fewer than two names", "share of voice needs a rival: collect its mentions too")
    if weights is None and author is None:
        counts = np.bincount(codes).tolist()
        return share_table(dict(zip(brands, counts, strict=True)), level=level, small_sample_ok=small_sample_ok)
    heavy = np.ones(n) if weights is None else numbers("weights", weights)
    same_length("share_of_voice", brand=voices, weights=heavy)
    not_negative("share_of_voice", weights=heavy)
    if not heavy.any():
        raise EmptyInput("weights, all of them 0,", "count mentions instead: leave the weights out")
    units = None if author is None else codes_of(author, n, "author")[0]
    warn_if_small(n if units is None else int(units.max()) + 1, "the share of voice", ok=small_sample_ok)
    made = tuple(
        _voice(codes == i, heavy, units, name, weighted_by, level=level, of=len(brands))
        for i, name in enumerate(brands)
    )
    return ShareTable(brands, made)


def _voice(
    mine: NDArray[np.bool_],
    heavy: Floats,
    units: NDArray[np.intp] | None,
    name: str,
    weighted_by: str,
    *,
    level: float,
    of: int,
) -> Estimate:
    """Share of one brand with its Bonferroni interval."""
    weights = None if (heavy == heavy[0]).all() else heavy
    each = 1 - (1 - level) / of
    found = proportion_of(mine, weights=weights, clusters=units, level=each, small_sample_ok=True)
    rule = f"{name} / all" + (f", weighted by {weighted_by}" if weighted_by else "")
    return attrs.evolve(found, level=level, rule=rule, method=f"{found.method}, bonferroni")
