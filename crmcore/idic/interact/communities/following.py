"""Following people: who follows whom since when, and one line in the digest for each new post."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from crmcore._base import check_aware, listed, mask
from crmcore.documents import Document
from crmcore.errors import OutOfRange, WrongType
from crmcore.idic.interact.communities.community import Community
from crmcore.metrics.columns import moment

__all__ = ["DigestLine", "Follow", "digest", "followers"]


def _aware(_instance: object, attribute: attrs.Attribute[datetime], value: datetime) -> None:
    check_aware(value, attribute.name)


@attrs.frozen(kw_only=True)
class Follow(Document):
    """Somebody (a member, or a company) begins to follow a member, or stops: `on=False`."""

    follower: str = attrs.field(repr=mask)
    followed: str = attrs.field(repr=mask)
    at: datetime = attrs.field(validator=_aware)
    on: bool = True

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.on, bool):
            raise WrongType("on", f"a {type(self.on).__name__}", "True or False", "on=False stops following")
        if self.follower == self.followed:
            raise OutOfRange("followed", mask(self.followed), "somebody else", "nobody follows themselves")


@attrs.frozen(kw_only=True)
class DigestLine(Document):
    """One new post for one follower. Names and text stay out of the repr."""

    to: str = attrs.field(repr=mask)
    post: str
    author: str = attrs.field(repr=mask)
    at: datetime
    text: str = attrs.field(repr=False)

    def __str__(self) -> str:
        return f"{self.author} wrote {self.post}: {self.text}"


def followers(follows: Iterable[Follow], /, *, at: datetime) -> dict[str, dict[str, datetime]]:
    """Followed -> follower -> since when, as of an instant (inclusive).

    Of two events of a pair at one instant, stopping comes last: in doubt nobody is written to.
    """
    check_aware(at, "at")
    given = listed(follows, "follows", Follow, what="follows", hint="Follow(follower=..., followed=..., at=...)")
    found: dict[str, dict[str, datetime]] = {}
    for f in sorted(given, key=lambda f: (f.at, not f.on, f.follower, f.followed)):
        if f.at > at:
            break
        mine = found.setdefault(f.followed, {})
        if f.on:
            mine.setdefault(f.follower, f.at)
        else:
            mine.pop(f.follower, None)
    return {who: mine for who, mine in found.items() if mine}


def digest(
    community: Community, follows: Iterable[Follow], /, *, since: datetime, until: datetime
) -> tuple[DigestLine, ...]:
    """Lines for everybody who follows at `until`: posts after `since`, up to `until`, written while they followed.

    So digests of successive spans neither lose nor repeat a post, and whoever stopped gets nothing.

    Examples
    --------
    >>> from datetime import UTC
    >>> day = lambda n: datetime(2026, 5, n, tzinfo=UTC)
    >>> posts = Community.from_frame([{"id": "1", "author": "ann", "at": "2026-05-02T09:00Z", "text": "New guide"}])
    >>> one = Follow(follower="ben", followed="ann", at=day(1))
    >>> [str(line) for line in digest(posts, [one], since=day(1), until=day(3))]
    ['ann wrote 1: New guide']
    >>> digest(posts, [one, Follow(follower="ben", followed="ann", at=day(3), on=False)], since=day(1), until=day(3))
    ()
    """
    check_aware(since, "since")
    if until < since:
        raise OutOfRange("until", until.isoformat(), f"{since.isoformat()} or later", "a digest goes forward")
    now = followers(follows, at=until)
    lines = list[DigestLine]()
    wanted = {community.members.code(who): mine for who, mine in now.items()}
    for row, code in enumerate(community.author.tolist()):
        mine = wanted.get(code) if code >= 0 else None
        if not mine:
            continue
        at = moment(community.at[row])
        if not since < at <= until:
            continue
        author, post, text = community.members[code], str(community.post_id[row]), community.text[row] or ""
        lines += [
            DigestLine(to=f, post=post, author=author, at=at, text=text) for f, start in mine.items() if start <= at
        ]
    return tuple(sorted(lines, key=lambda line: (line.to, line.at, line.post)))
