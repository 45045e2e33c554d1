"""The case feed: complaints under one's own posts, each with reason and severity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table, listed, mask
from crmcore.documents import Document
from crmcore.errors import EmptyInput
from crmcore.graphs.forests import Forest
from crmcore.listening.intents.cues import STARTING_CUES, Cues, Intent
from crmcore.listening.intents.detecting import IntentFinds, detect_intents
from crmcore.metrics.columns import columns_frame, numbers, same_length
from crmcore.tables import MentionTable
from crmcore.text import FormTable, TokenBatch, tokenize
from crmcore.values import Severity

__all__ = ["ComplaintFeed", "FeedEntry", "Reasons", "complaint_feed", "under_own_posts"]

RISKS = frozenset(
    "lawyer attorney lawsuit sue suing police court fraud scam unsafe danger dangerous injured injury hospital "
    "poisoning poisoned allergic allergy fire smoke burned burnt bleeding discrimination discriminated racist racism "
    "harassed harassment assault stolen theft hacked breach leaked privacy child baby disabled wheelchair".split()
)
"""Words that make a complaint urgent whatever its tone: safety, law, discrimination, data."""

STRONG, WIDE = 2.5, 10_000


class Reasons(Protocol):
    """What names the reason of a complaint, such as a `TextClassifierModel`."""

    def predict(self, texts: Sequence[str | None], /) -> Sequence[str]:
        """Reason of each text."""
        ...


@attrs.frozen(kw_only=True)
class FeedEntry(Document):
    """One complaint that should become a case.

    Attributes
    ----------
    mention_id, under : text
        The post, and the post of one's own under which it stands.
    reason : text
        What it complains of: by the classifier, else the strongest cue.
    severity : Severity
        Critical for risk words (safety, law, discrimination, data), high where strong words meet a wide audience,
        normal for one of both, else low.
    why : tuple of text
        What made it that severe.
    weight : number
        Of the complaint; 1 is enough.
    evidence : tuple of text
        Cues found.
    author : text, optional
        Masked in reprs.
    time : datetime, optional
    reach : number, optional
    """

    mention_id: str
    under: str
    reason: str
    severity: Severity
    why: tuple[str, ...]
    weight: float
    evidence: tuple[str, ...]
    author: str | None = attrs.field(default=None, repr=mask)
    channel: str | None = None
    time: datetime | None = None
    reach: float | None = None


@attrs.frozen(kw_only=True, repr=False)
class ComplaintFeed(Document):
    """Complaints, the most urgent first, and how many posts were looked at."""

    entries: tuple[FeedEntry, ...]
    comments: int

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"ComplaintFeed({self._count()})"

    def __str__(self) -> str:
        lines = [f"{e.severity.name.lower():8}  {e.reason}  {e.mention_id} under {e.under}" for e in self.entries]
        return "\n".join([self._count(), *lines])

    def _count(self) -> str:
        return f"{len(self)} complaint{'' if len(self) == 1 else 's'} among {self.comments} comments"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a complaint: mention_id, under, reason, severity, weight, evidence, why, author, channel, reach."""
        fields = ("mention_id", "under", "reason", "author", "channel")
        return columns_frame(
            {
                **{f: [getattr(e, f) for e in self.entries] for f in fields},
                "severity": [e.severity.name.lower() for e in self.entries],
                "why": [", ".join(e.why) for e in self.entries],
                "evidence": [", ".join(e.evidence) for e in self.entries],
                "weight": np.array([e.weight for e in self.entries], np.float64),
                "reach": np.array([math.nan if e.reach is None else e.reach for e in self.entries], np.float64),
            },
            backend=backend,
        )

    def _repr_html_(self) -> str:
        rows = [
            {"severity": e.severity.name.lower(), "reason": e.reason, "post": e.mention_id[:40]} for e in self.entries
        ]
        return html_table(rows, caption=self._count())


def under_own_posts(
    posts: MentionTable, /, *, own_authors: Sequence[str] = (), own_posts: Sequence[str] = ()
) -> NDArray[np.int64]:
    """(n,) row of the own post under which each comment stands, replies to replies included; -1 where there is none.

    Own posts themselves, and what one's own accounts write below, are -1. A post of one's own that is named and not in
    the table is -2.

    Raises
    ------
    BadRows
        Posts that answer each other in a circle.
    """
    authors = listed(own_authors, "own_authors", str, what="handles", hint="own_authors=['@shop']")
    ids = listed(own_posts, "own_posts", str, what="ids of posts", hint="own_posts=['p1']")
    if not authors and not ids:
        raise EmptyInput("own_authors and own_posts", "name your accounts, or the ids of your posts")
    folded = {a.casefold() for a in authors}
    mine = np.array([a is not None and a.casefold() in folded for a in posts.author.to_list()], bool)
    row_of = {name: i for i, name in enumerate(posts.mention_id.to_list())}
    owned = mine.copy()
    owned[[row_of[name] for name in ids if name in row_of]] = True
    parents = posts.reply_to.to_list()
    parent = np.array([-1 if p is None else row_of.get(p, -1) for p in parents], np.int64)
    # where threads are cut above each own post, its root is the nearest own post above a comment
    top = Forest.of(np.where(owned, -1, parent), what="reply_to").root
    away = np.array([p is not None and p not in row_of and p in ids for p in parents], bool)
    under = np.where(owned[top], top, np.where(away[top], -2, -1))
    return np.where(owned, -1, under).astype(np.int64)


def complaint_feed(
    posts: MentionTable,
    /,
    *,
    own_authors: Sequence[str] = (),
    own_posts: Sequence[str] = (),
    cues: Cues = STARTING_CUES,
    tone: ArrayLike | None = None,
    complaint: ArrayLike | None = None,
    reasons: Reasons | None = None,
) -> ComplaintFeed:
    """Name the complaints under one's own posts, for whoever opens cases.

    Parameters
    ----------
    posts : MentionTable
        Own posts and comments; `reply_to` says under which post a comment stands.
    own_authors, own_posts : handles, ids
        Which posts are one's own; at least one of them. Handles in any case.
    cues, tone
        As for `detect_intents`.
    complaint : (n,) probabilities, optional
        Of a trained classifier, one a post: a complaint from 0.5, in place of the cues.
    reasons : what predicts reasons, optional
        Such as a `TextClassifierModel` fitted on reasons; else the strongest cue is the reason.

    Returns
    -------
    ComplaintFeed
        The most urgent first; among equals the earlier, then by id. Opening a case is for `recovery`.

    Examples
    --------
    >>> posts = MentionTable.from_frame([
    ...     {"mention_id": "p", "text": "New menu!", "author": "@shop"},
    ...     {"mention_id": "c1", "text": "Looks lovely", "author": "@a", "reply_to": "p"},
    ...     {"mention_id": "c2", "text": "Still waiting for my refund", "author": "@b", "reply_to": "p"},
    ... ])
    >>> print(complaint_feed(posts, own_authors=["@shop"]))
    1 complaint among 2 comments
    low       still waiting  c2 under p
    """
    under = under_own_posts(posts, own_authors=own_authors, own_posts=own_posts)
    texts = posts.text.to_list()
    batch = tokenize(texts).normalised()
    found = detect_intents(batch, cues=cues, tone=tone)
    complains = found.has(Intent.COMPLAINT)
    if complaint is not None:
        chances = numbers("complaint", complaint)
        same_length("complaint_feed", posts=under, complaint=chances)
        complains = chances >= 0.5
    rows = np.flatnonzero((under != -1) & complains).astype(np.int64)
    named = reasons.predict([texts[i] for i in rows.tolist()]) if reasons is not None and len(rows) else None
    risks = _risks(batch.take(rows))
    entries = [
        _entry(posts, found, int(i), int(under[i]), None if named is None else named[k], risks[k])
        for k, i in enumerate(rows)
    ]
    entries.sort(key=lambda e: (e.severity, e.time.timestamp() if e.time else math.inf, e.mention_id))
    return ComplaintFeed(entries=tuple(entries), comments=int((under != -1).sum()))


_IS_RISK = FormTable(lambda forms: np.array([f in RISKS for f in forms], bool))


def _risks(batch: TokenBatch) -> list[list[str]]:
    """Risk words of each text, each once, in the order of the alphabet."""
    found: list[list[str]] = [[] for _ in range(len(batch))]
    at = np.flatnonzero(batch.values(_IS_RISK))
    for text, code in zip(batch.text_of[at].tolist(), batch.codes[at].tolist(), strict=True):
        found[text].append(batch.vocabulary[code])
    return [sorted(set(words)) for words in found]


def _entry(
    posts: MentionTable, found: IntentFinds, row: int, under: int, reason: str | None, risks: Sequence[str]
) -> FeedEntry:
    post = posts[row]
    said = [e for e in found.evidence(row) if e.intent is Intent.COMPLAINT]
    said.sort(key=lambda e: (-e.weight, e.phrase))
    weight = float(found.weight[row, list(Intent).index(Intent.COMPLAINT)])
    severity, why = _severity(risks, weight, post.reach)
    first = next((e.phrase for e in said if e.phrase != "(tone)"), "negative tone")
    where = posts.reply_to[row] if under < 0 else posts.mention_id[under]
    return FeedEntry(
        mention_id=post.mention_id, under=where or "", reason=reason or first, severity=severity, why=why,
        weight=weight, evidence=tuple(e.phrase for e in said), author=post.author, channel=post.channel, time=post.time,
        reach=post.reach,
    )  # fmt: skip


def _severity(risks: Sequence[str], weight: float, reach: float | None) -> tuple[Severity, tuple[str, ...]]:
    """Severity and what made it so."""
    strong, wide = weight >= STRONG, reach is not None and reach >= WIDE
    why = [f"risk word {w!r}" for w in risks]
    if strong:
        why.append(f"weight {weight:.1f} from {STRONG}")
    if wide:
        why.append(f"reach {reach:,.0f} from {WIDE:,}")
    if risks:
        return Severity.CRITICAL, tuple(why)
    if strong and wide:
        return Severity.HIGH, tuple(why)
    return (Severity.NORMAL if strong or wide else Severity.LOW), tuple(why)
