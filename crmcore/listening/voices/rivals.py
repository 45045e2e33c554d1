"""Us and our rivals: needs that they leave open, aspects in which they are ahead, and what a release has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.documents import Document
from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.voices.people import authors_of, flag, flags, mean_by_author, voices
from crmcore.metrics.columns import instant, numbers
from crmcore.metrics.comparing import Comparison, compare, p_text
from crmcore.metrics.estimates import frame_of
from crmcore.metrics.means import Moments
from crmcore.metrics.multiplicity import adjust
from crmcore.tables import MentionTable

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Contrast", "Contrasts", "aspect_gaps", "release_effect", "unmet_needs"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@attrs.frozen(kw_only=True)
class Contrast(Document):
    """One thing in two groups.

    Parameters
    ----------
    about : name
    test : comparison
        First group minus second.
    p_adjusted : probability
        Benjamini-Hochberg over all that was looked at; NaN where nothing can be said.
    verdict : words
    touchpoint : name
        Where it can be mended; nothing where none was named.
    """

    about: str
    test: Comparison
    p_adjusted: float
    verdict: str
    touchpoint: str = ""

    def __str__(self) -> str:
        where = f" -> touchpoint {self.touchpoint}" if self.touchpoint else ""
        p = "no test" if np.isnan(self.p_adjusted) else p_text(self.p_adjusted)
        return f"{self.about}: {self.verdict}, difference {self.test.difference} ({p}){where}"


@attrs.frozen(kw_only=True, repr=False)
class Contrasts(Document):
    """Things in two groups, in the order of what to do first."""

    found: tuple[Contrast, ...]
    first: str
    second: str

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, i: int) -> Contrast:
        return self.found[i]

    def __repr__(self) -> str:
        return f"Contrasts({len(self)} things, {self.first} against {self.second})"

    def __str__(self) -> str:
        return "\n".join([f"{self.first} against {self.second}", *(f"  {c}" for c in self.found)])

    def to_frame(self, backend: Any = None) -> Any:
        """One row a thing."""
        rows = [
            {
                "about": c.about,
                "first": c.test.first.value,
                "second": c.test.second.value,
                "difference": c.test.difference.value,
                "low": c.test.difference.low,
                "high": c.test.difference.high,
                "p_adjusted": c.p_adjusted,
                "verdict": c.verdict,
                "touchpoint": c.touchpoint,
            }
            for c in self.found
        ]
        return frame_of(rows, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{"about": c.about, "verdict": c.verdict, "difference": str(c.test.difference)} for c in self.found]
        return html_table(rows, caption=f"{self.first} against {self.second}", limit=15)

    def chart(self) -> Chart:
        """Differences with intervals, in the same order."""
        from crmcore.charts import dot_interval

        shown = [c for c in self.found if np.isfinite(c.test.difference.low + c.test.difference.high)]
        title = f"{self.first} minus {self.second}"
        return dot_interval([c.about for c in shown], [c.test.difference for c in shown], title=title)


def _adjusted(tests: Mapping[str, Comparison]) -> dict[str, float]:
    p = np.array([test.p_value for test in tests.values()])
    found = np.full(len(p), np.nan)
    known = ~np.isnan(p)
    if known.any():
        found[known] = adjust(p[known], method="benjamini-hochberg")
    return dict(zip(tests, found.tolist(), strict=True))


def _shares(
    things: Mapping[str, Bools],
    author: Ints,
    first: Bools,
    second: Bools,
    of_first: Bools,
    of_second: Bools,
    level: float,
) -> dict[str, Comparison]:
    """Share of the authors of two groups who said each thing in the posts that count."""
    return {
        name: compare(
            voices(author, of_first, held & first), voices(author, of_second, held & second),
            level=level, small_sample_ok=True,
        )
        for name, held in things.items()
    }  # fmt: skip


def unmet_needs(
    mentions: MentionTable,
    things: Mapping[str, ArrayLike],
    /,
    *,
    ours: ArrayLike,
    rivals: ArrayLike,
    complaint: ArrayLike,
    level: float = 0.95,
) -> Contrasts:
    """Rank what customers of rivals complain about and ours do not: problems that rivals cannot solve.

    Parameters
    ----------
    things : (n,) truths by name
        Topics, aspects or queries.
    ours, rivals : (n,) truths
        Posts about our brand, about competitors.
    complaint : (n,) truths
        Posts that complain.

    Returns
    -------
    Contrasts
        Share of voices that complain about each thing, rivals minus ours; the surest lead first, by the lower end of
        its interval.

    Examples
    --------
    >>> n = 100
    >>> posts = MentionTable.from_frame({"text": ["fees again"] * n, "author": list(range(n))})
    >>> theirs = [i < 50 for i in range(n)]
    >>> fees = [i < 30 for i in range(n)]
    >>> ours = [i >= 50 for i in range(n)]
    >>> unmet_needs(posts, {"fees": fees}, ours=ours, rivals=theirs, complaint=fees)[0].verdict
    'rivals leave it open'
    """
    n = len(mentions)
    mine, theirs, sore = flag("ours", ours, n), flag("rivals", rivals, n), flag("complaint", complaint, n)
    author = authors_of(mentions)
    if not mine.any() or not theirs.any():
        raise EmptyInput("posts about us" if not mine.any() else "posts about rivals", "both groups need posts")
    tests = {
        name: compare(
            voices(author, theirs, held & sore), voices(author, mine, held & sore), level=level, small_sample_ok=True
        )
        for name, held in flags(things, n).items()
    }
    p = _adjusted(tests)
    order = sorted(tests, key=lambda name: (-tests[name].difference.low, name))

    def verdict(test: Comparison) -> str:
        if test.difference.low > 0:
            return "rivals leave it open"
        return "ours complain more" if test.difference.high < 0 else "no clear difference"

    found = [Contrast(about=name, test=tests[name], p_adjusted=p[name], verdict=verdict(tests[name])) for name in order]
    return Contrasts(found=tuple(found), first="rivals", second="ours")


def aspect_gaps(
    mentions: MentionTable,
    aspects: Mapping[str, ArrayLike],
    /,
    *,
    ours: ArrayLike,
    rivals: ArrayLike,
    net: ArrayLike,
    touchpoints: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> Contrasts:
    """Compare net sentiment by aspect with rivals: where to win customers back, and at which touchpoint.

    Each author counts once an aspect, with the mean of his posts.

    Parameters
    ----------
    aspects : (n,) truths by name
        Which posts speak of an aspect.
    ours, rivals : (n,) truths
    net : (n,) numbers in [-1, 1]
        Of each post; NaN is left out.
    touchpoints : names by aspect
        Where each can be mended.

    Returns
    -------
    Contrasts
        Rivals minus ours; the largest lead of the rivals first.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"text": ["x"] * 8, "author": list(range(8))})
    >>> late = [1] * 8
    >>> net = [-0.5, -0.3, -0.4, -0.4, 0.2, 0.1, 0.3, 0.2]
    >>> gap = aspect_gaps(posts, {"delivery": late}, ours=[1] * 4 + [0] * 4, rivals=[0] * 4 + [1] * 4, net=net)[0]
    >>> round(gap.test.difference.value, 6), gap.verdict
    (0.6, 'rivals are ahead')
    """
    n = len(mentions)
    mine, theirs = flag("ours", ours, n), flag("rivals", rivals, n)
    score = numbers("net", net)
    if len(score) != n:
        raise OutOfRange("length of net", len(score), f"{n}, one a mention", "score the same rows")
    author = authors_of(mentions)
    tests = dict[str, Comparison]()
    for name, held in flags(aspects, n).items():
        there, here = (mean_by_author(score, author, group & held) for group in (theirs, mine))
        tests[name] = compare(Moments.of(there), Moments.of(here), level=level, small_sample_ok=True)
    p = _adjusted(tests)
    known = {name: test.difference.value for name, test in tests.items()}
    order = sorted(tests, key=lambda name: (-np.nan_to_num(known[name], nan=-np.inf), name))

    def verdict(test: Comparison) -> str:
        if np.isnan(test.difference.value):
            return "too few voices"
        if test.difference.low > 0:
            return "rivals are ahead"
        return "we are ahead" if test.difference.high < 0 else "no clear difference"

    found = [
        Contrast(
            about=name,
            test=tests[name],
            p_adjusted=p[name],
            verdict=verdict(tests[name]),
            touchpoint=(touchpoints or {}).get(name, ""),
        )
        for name in order
    ]
    return Contrasts(found=tuple(found), first="rivals", second="ours")


def release_effect(
    mentions: MentionTable,
    issues: Mapping[str, ArrayLike],
    /,
    *,
    released_at: datetime,
    level: float = 0.95,
) -> Contrasts:
    """Follow a backlog of criticised things over a release: which are closed, which stay open, which are new.

    Parameters
    ----------
    issues : (n,) truths by name
        Posts that criticise a thing.
    released_at
        Posts before it against posts from it on; posts without a time are left out.

    Returns
    -------
    Contrasts
        Share of voices, after minus before; what is still open first, largest share first.

    Raises
    ------
    EmptyInput
        No posts on one side of the release.
    """
    n = len(mentions)
    at = instant("released_at", released_at)
    after, before = mentions.time >= at, mentions.time < at
    if not after.any() or not before.any():
        raise EmptyInput(
            "posts after the release" if not after.any() else "posts before the release", "wait, or look further back"
        )
    author = authors_of(mentions)
    tests = _shares(flags(issues, n), author, after, before, after, before, level)
    p = _adjusted(tests)

    def verdict(test: Comparison) -> str:
        if test.difference.high < 0:
            return "less than before"
        return "more than before" if test.difference.low > 0 else "still open"

    order = sorted(tests, key=lambda name: (tests[name].difference.high < 0, -tests[name].first.value, name))
    found = [Contrast(about=name, test=tests[name], p_adjusted=p[name], verdict=verdict(tests[name])) for name in order]
    return Contrasts(found=tuple(found), first="after", second="before")
