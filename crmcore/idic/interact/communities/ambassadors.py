"""Ambassadors: who helps best and most kindly, for which term, with which reward; and the shield that they are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import check_aware, html_table, mask
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.idic.interact.communities.community import Community, rows_of
from crmcore.ledger import Ledger, Posting, earn
from crmcore.lifecycle import Case, Transition, Workflow
from crmcore.lifecycle.workflow import CLOCK, Timer
from crmcore.metrics import Estimate, proportion, rate
from crmcore.metrics.columns import columns_frame, numbers, refuse, same_length

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["AMBASSADOR", "Candidate", "Candidates", "Shield", "rank_ambassadors", "reward", "shield"]

Floats = NDArray[np.float64]
STAFF = "staff"

AMBASSADOR = Workflow(
    "ambassador",
    1,
    ["proposed", "invited", "serving", "ended", "declined"],
    "proposed",
    [
        Transition("invite", ["proposed", "ended"], "invited", actors=STAFF, needs="term_ends_at"),
        Transition("accept", "invited", "serving", actors="member", emits="term began"),
        Transition("decline", "invited", "declined", actors="member"),
        Transition("renew", "serving", "serving", actors=STAFF, needs="term_ends_at"),
        Transition("resign", "serving", "ended", actors="member"),
        Transition("dismiss", "serving", "ended", actors=STAFF, needs="reason"),
        Transition("end term", "serving", "ended", actors=CLOCK, emits="term ended"),
    ],
    [Timer("term is over", "serving", "end term", start="term_ends_at")],
    terminal=["declined"],
)
"""A member is proposed, invited for a term, serves, and the term ends by itself unless it is renewed."""


@attrs.frozen(kw_only=True)
class Candidate(Document):
    """One member who helped.

    Parameters
    ----------
    member : id
        Masked in the repr.
    accepted, answers, posts : counts
        Accepted answers, answers to others, and all posts, which earn nothing.
    tone : number
        Mean tone of the answers in [-1, 1], drawn towards 0 by `steady` answers of tone 0.
    score : number
    """

    member: str = attrs.field(repr=mask)
    accepted: int
    answers: int
    posts: int
    tone: float
    score: float


@attrs.frozen(repr=False)
class Candidates(Document):
    """Members from the best helper on."""

    ranked: tuple[Candidate, ...]

    def __len__(self) -> int:
        return len(self.ranked)

    def __getitem__(self, i: int) -> Candidate:
        return self.ranked[i]

    def __repr__(self) -> str:
        return f"Candidates({len(self)} members)"

    @property
    def members(self) -> tuple[str, ...]:
        """Ids, best first."""
        return tuple(c.member for c in self.ranked)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a member: member, accepted, answers, posts, tone, score."""
        names = [f.name for f in attrs.fields(Candidate)]
        return columns_frame({n: [getattr(c, n) for c in self.ranked] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [{**attrs.asdict(c), "member": mask(c.member)} for c in self.ranked[:20]]
        return html_table(rows, caption=repr(self))


def rank_ambassadors(
    community: Community, /, *, accepted: ArrayLike | Iterable[str], tone: ArrayLike, least_accepted: int = 1,
    steady: float = 5.0,
) -> Candidates:  # fmt: skip
    """Rank members by how much and how kindly they helped others, not by how much they wrote.

    score = accepted answers × (1 + tone) / 2, with tone the mean of the member's answers to others, drawn towards 0 as
    if there were `steady` more of tone 0. Answers to oneself count nothing, staff are no candidates. Ties: more
    answers that are accepted, then a kinder tone, then the id.

    Parameters
    ----------
    accepted : (n,) truths, or ids of posts
        Answers that solved it for who asked.
    tone : (n,) numbers in [-1, 1]
        Of each post, from any sentiment scorer; NaN where it cannot tell.
    least_accepted : count
        Accepted answers that a candidate needs.
    steady : count
        Higher trusts the tone of few answers less.

    Examples
    --------
    >>> posts = [{"id": "q", "author": "x", "at": "2026-05-01T09:00Z"},
    ...          {"id": "a", "author": "ann", "at": "2026-05-01T09:10Z", "reply_to": "q"},
    ...          {"id": "b", "author": "ben", "at": "2026-05-01T09:20Z", "reply_to": "q"}]
    >>> found = rank_ambassadors(Community.from_frame(posts), accepted=["a"], tone=[0, 0.8, 0.8])
    >>> found.members, round(found[0].score, 3)
    (('ann',), 0.567)
    """
    if not (steady >= 0 and least_accepted >= 0):
        raise OutOfRange("steady, least_accepted", (steady, least_accepted), "0 or more", "steady=5, least_accepted=1")
    ok, value = rows_of(community, accepted, "accepted"), numbers("tone", tone)
    same_length("the community", posts=community.author, tone=value)
    refuse("tone", "scale it to [-1, 1]; NaN where nobody can tell", tone=(np.abs(value) > 1, "outside [-1, 1]"))
    k, who, to = len(community.members), community.author, community.reply_to
    helps = (to >= 0) & (who >= 0)
    helps[helps] &= who[to[helps]] != who[helps]
    told = helps & ~np.isnan(value)
    answers, good = np.bincount(who[helps], minlength=k), np.bincount(who[helps & ok], minlength=k)
    weight = np.bincount(who[told], minlength=k) + steady
    mean = np.bincount(who[told], value[told], minlength=k) / np.where(weight > 0, weight, 1.0)
    posts, score = np.bincount(who[who >= 0], minlength=k), good * (1 + mean) / 2
    able = np.flatnonzero((good >= least_accepted) & (answers > 0) & ~community.staff)
    ids = community.members.ids
    order = sorted(able.tolist(), key=lambda i: (-score[i], -good[i], -mean[i], ids[i]))
    return Candidates(
        tuple(
            Candidate(member=ids[i], accepted=int(good[i]), answers=int(answers[i]), posts=int(posts[i]), tone=float(mean[i]), score=float(score[i]))  # noqa: E501
            for i in order
        )
    )  # fmt: skip


def reward(
    ledger: Ledger, case: Case, /, *, answers: Collection[str], points: int, at: datetime,
    expires_at: datetime | None = None,
) -> tuple[Posting, ...]:  # fmt: skip
    """Credit an ambassador who serves with points for accepted answers, once for each.

    Parameters
    ----------
    case : Case
        Of `AMBASSADOR`; its id is the member's and names the account.
    answers : ids of posts
        One posting each; what was rewarded before is left as it is.

    Raises
    ------
    OutOfRange
        The member does not serve at that time.
    """
    check_aware(at, "at")
    ends = case.data.get("term_ends_at")
    over = ends is not None and at >= datetime.fromisoformat(str(ends))
    if case.state != "serving" or over or at < case.since:
        raise OutOfRange("case.state", "term over" if over else case.state, "'serving' at that time", "renew the term")
    account = f"ambassador:{case.id}"
    known = {p.id for p in ledger.postings(account)}
    made = [
        earn(
            f"{account}/{post}", account, points, at=at, expires_at=expires_at, reason="accepted answer", reference=post
        )
        for post in sorted(set(answers))
        if f"{account}/{post}" not in known
    ]
    return ledger.post_many(made)


@attrs.frozen(kw_only=True)
class Shield(Document):
    """How far customers defend a brand that is attacked.

    Parameters
    ----------
    attacks, defences, defenders : counts
        Attacks; replies of customers that defend; and how many customers wrote them.
    ratio : Estimate
        Defending replies per attack; may exceed 1, so its interval is that of a rate.
    covered : Estimate
        Share of attacks that at least one customer answered.
    by_brand : count
        Defending replies of the brand, which count nowhere.
    """

    attacks: int
    defences: int
    defenders: int
    ratio: Estimate
    covered: Estimate
    by_brand: int

    def __str__(self) -> str:
        return f"shield {self.ratio}; {self.covered.value:.3g} of attacks answered by {self.defenders} customers"

    def to_frame(self, *, backend: Any = None) -> Any:
        """Two rows, ratio and covered: measure, value, low, high, n."""
        both: Sequence[tuple[str, Estimate]] = (("ratio", self.ratio), ("covered", self.covered))
        cells = {k: [getattr(e, k) for _, e in both] for k in ("value", "low", "high", "n")}
        return columns_frame({"measure": [name for name, _ in both], **cells}, backend=backend)

    def chart(self) -> Chart:
        """Both measures with their intervals."""
        from crmcore.charts import dot_interval

        return dot_interval(["ratio", "covered"], [self.ratio, self.covered], title="Brand shield")

    def _repr_html_(self) -> str:
        rows = [{"attacks": self.attacks, "defences": self.defences, "ratio": self.ratio.value}]
        return html_table(rows, caption=str(self))


def shield(
    community: Community,
    /,
    *,
    attacks: ArrayLike | Iterable[str],
    defends: ArrayLike | Iterable[str],
    level: float = 0.95,
) -> Shield:
    """Count the replies of customers that defend the brand, for each attack on it.

    A defence stands below an attack, directly or further down; it belongs to the nearest attack above it. Posts of the
    brand, of unknown authors and of whoever wrote that attack do not count.

    Parameters
    ----------
    attacks, defends : (n,) truths, or ids of posts
        Attacks by staff are not attacks.

    Examples
    --------
    >>> posts = [{"id": "x", "author": "troll", "at": "2026-05-01T09:00Z"},
    ...          {"id": "a", "author": "ann", "at": "2026-05-01T09:10Z", "reply_to": "x"},
    ...          {"id": "b", "author": "us", "at": "2026-05-01T09:20Z", "reply_to": "x"}]
    >>> found = shield(Community.from_frame(posts, staff=["us"]), attacks=["x"], defends=["a", "b"])
    >>> found.ratio.value, found.by_brand
    (1.0, 1)
    """
    hit = rows_of(community, attacks, "attacks") & ~community.by_staff
    wall = rows_of(community, defends, "defends") & ~hit
    above = _nearest_above(community.reply_to, hit)
    under = np.flatnonzero(wall & (above >= 0))
    ours = community.by_staff[under]
    who = community.author[under]
    real = ~ours & (who >= 0) & (who != community.author[above[under]])
    n, k = int(hit.sum()), int(real.sum())
    covered = len(np.unique(above[under[real]]))
    return Shield(
        attacks=n, defences=k, defenders=len(np.unique(who[real])), by_brand=int(ours.sum()),
        ratio=rate(k, n, level=level, rule="defending replies of customers / attacks", small_sample_ok=True),
        covered=proportion(covered, n, level=level, rule="attacks answered / attacks", small_sample_ok=True),
    )  # fmt: skip


def _nearest_above(reply_to: NDArray[np.int64], marked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) nearest marked post above each, -1 without one; paths are halved, so depth costs its logarithm."""
    n = len(reply_to)
    up = np.append(np.where(reply_to >= 0, reply_to, n), n)
    stop = np.append(marked, True)
    at = up.copy()
    jump = np.where(stop, np.arange(n + 1), up)
    for _ in range(max(n, 2).bit_length() + 1):
        jump = jump[jump]
    found = jump[at[:n]]
    real = found < n
    real[real] = marked[found[real]]  # posts that answer each other in a circle lead nowhere
    return np.where(real, found, -1)
