"""From numbers to insights: which things are said more often here than there, or now than before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore.errors import EmptyInput, OutOfRange
from crmcore.listening.insights.insight import LEAST_QUOTES, Insight, Insights, Play
from crmcore.listening.voices.people import authors_of, flag, flags, voices
from crmcore.metrics.columns import numbers
from crmcore.metrics.comparing import Comparison, compare
from crmcore.metrics.multiplicity import adjust
from crmcore.metrics.scalars import share_of
from crmcore.tables import MentionTable

__all__ = ["find_insights"]

Bools = NDArray[np.bool_]
LOOK = Play(action="read the quotes and decide", owner="listening", follow_up="share of posts about it next week")


def find_insights(
    mentions: MentionTable,
    things: Mapping[str, ArrayLike],
    /,
    *,
    now: ArrayLike,
    before: ArrayLike | None = None,
    plays: Mapping[str, Play] | None = None,
    telling: ArrayLike | None = None,
    false_share: float = 0.05,
    least_change: float = 0.0,
    words: tuple[str, str] = ("now", "before"),
    found_at: datetime | None = None,
) -> Insights:
    """Report the things whose share of voices changed, each with quotes, test, action, owner and follow-up.

    Shares are of authors, not of posts: whoever complains ten times is one voice. An author of both groups counts in
    the first only, so that the groups are independent. Of the reported insights at most `false_share` are false on
    average (Benjamini and Hochberg 1995).

    Parameters
    ----------
    mentions
    things : (n,) truths by name
        Which posts speak about a thing: matches of a query, a topic, an aspect that is criticised, complaints.
    now : (n,) truths
        Posts of the group of interest: this week, our brand, after the release.
    before : (n,) truths
        Posts that it is compared with; None takes all others.
    plays : by name of the thing
        What to do; things without a play are for the listening team to read.
    telling : (n,) numbers
        How well each post shows its thing (a probability, reach); quotes are the highest. None takes the longest texts
        up to 200 characters.
    false_share : share
        Of the insights that may be false.
    least_change : share
        Insights whose interval does not leave out changes up to this are not reported.
    words
        How the two groups are called in the finding.
    found_at

    Raises
    ------
    EmptyInput
        A group without posts, or nothing to look at.

    Examples
    --------
    >>> n = 200
    >>> posts = MentionTable.from_frame({"text": ["parcel late"] * n, "author": [f"a{i}" for i in range(n)]})
    >>> late, this_week = [i % 2 == 0 or i > 150 for i in range(n)], [i >= 100 for i in range(n)]
    >>> print(find_insights(posts, {"late parcels": late}, now=this_week)[0].finding)
    late parcels: 75 % of voices now, 50 % before
    """
    share_of("false_share", false_share, hint="0.05 lets one insight in twenty be false")
    here = flag("now", now, len(mentions))
    there = ~here if before is None else flag("before", before, len(mentions)) & ~here
    held = flags(things, len(mentions))
    author = authors_of(mentions)
    there &= ~np.isin(author, author[here])
    if not here.any() or not there.any():
        hint = "both groups need posts of authors who are not in the other"
        raise EmptyInput("posts now" if not here.any() else "posts before", hint)
    tests = {
        name: compare(voices(author, here, said), voices(author, there, said), small_sample_ok=True)
        for name, said in held.items()
    }
    p = np.array([t.p_value for t in tests.values()])
    adjusted = np.ones(len(p))
    adjusted[~np.isnan(p)] = adjust(p[~np.isnan(p)], method="benjamini-hochberg")
    score = _telling(mentions, telling)
    found = list[Insight]()
    for (name, test), p_adjusted in zip(tests.items(), adjusted.tolist(), strict=True):
        quotes = _quotes(mentions, held[name] & here, score)
        if p_adjusted > false_share or len(quotes) < LEAST_QUOTES or not _changed(test, least_change):
            continue
        play = (plays or {}).get(name, LOOK)
        shares = f"{100 * test.first.value:.0f} % of voices {words[0]}, {100 * test.second.value:.0f} % {words[1]}"
        found.append(
            Insight(
                about=name,
                finding=f"{name}: {shares}",
                quotes=quotes,
                test=test,
                p_adjusted=p_adjusted,
                action=play.action,
                owner=play.owner,
                follow_up=play.follow_up,
                found_at=found_at,
            )
        )
    return Insights(found=tuple(found), looked_at=len(things))


def _changed(test: Comparison, least: float) -> bool:
    return test.difference.low > least or test.difference.high < -least


def _telling(mentions: MentionTable, telling: ArrayLike | None) -> NDArray[np.float64]:
    if telling is not None:
        found = numbers("telling", telling)
        if len(found) != len(mentions):
            raise OutOfRange("length of telling", len(found), f"{len(mentions)}", "pass a column of the same rows")
        return np.nan_to_num(found, nan=-np.inf)
    length = np.array([*(len(text) for text in mentions.text.values), 0], np.float64)[mentions.text.codes]
    return np.where(length > 200, -length, length)


def _quotes(mentions: MentionTable, shown: Bools, score: NDArray[np.float64], limit: int = 5) -> tuple[str, ...]:
    """Ids of the most telling posts, each text once."""
    rows = np.flatnonzero(shown)
    rows = rows[np.lexsort((rows, -score[rows]))]
    _, first = np.unique(mentions.text.codes[rows], return_index=True)
    distinct = rows[np.sort(first)]
    if len(distinct) < LEAST_QUOTES:  # the same words by several people still show it
        distinct = rows
    return tuple(post for post in mentions.mention_id.take(distinct[:limit]).to_list() if post)
