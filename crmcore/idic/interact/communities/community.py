"""A community as one table: who wrote what, when, and in answer to which post; read from a chat, a forum or a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._frames import read_frame
from crmcore.errors import DuplicateIds, OutOfRange
from crmcore.graphs import Graph
from crmcore.metrics.columns import columns_frame, instants, refuse, same_length, truths
from crmcore.tables import CustomerIndex, TextColumn

__all__ = ["Community", "from_chat", "from_forum"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Cell = str | None
Row = tuple[Cell, Cell, object, Cell, Cell]  # id, author, at, reply_to, text
FIX = "repair the export, or leave these posts out"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Community:
    """Members, posts and replies; row i of every column is the same post, rows stand in the order of time, then id.

    Parameters
    ----------
    members : CustomerIndex
        Everybody who belongs to it, also those who never wrote.
    staff : (k,) truths
        Which members speak for the brand.
    post_id, text : TextColumn
        What was written; -1 where there is no text.
    author : (n,) codes
        In `members`; -1 where nobody knows who wrote.
    at : (n,) instants, UTC
    reply_to : (n,) rows
        Post that is answered; -1 opens a conversation, -2 answers what was not exported.

    Examples
    --------
    >>> posts = [{"id": "1", "author": "ann", "at": "2026-05-01T09:00Z"},
    ...          {"id": "2", "author": "ben", "at": "2026-05-01T09:30Z", "reply_to": "1"}]
    >>> Community.from_frame(posts, members=["cyd"])
    Community(3 members, 2 posts, 1 replies)
    """

    members: CustomerIndex
    staff: Bools
    post_id: TextColumn
    text: TextColumn
    author: NDArray[np.int32]
    at: NDArray[np.datetime64]
    reply_to: Ints

    def __len__(self) -> int:
        return len(self.author)

    def __repr__(self) -> str:
        return f"Community({len(self.members)} members, {len(self)} posts, {int(self.answers.sum())} replies)"

    @property
    def answers(self) -> Bools:
        """(n,) whether a post answers another, exported or not."""
        return np.asarray(self.reply_to != -1)

    @property
    def by_staff(self) -> Bools:
        """(n,) whether the brand wrote it; unknown authors are not the brand."""
        return np.append(self.staff, False)[self.author]

    @classmethod
    def from_frame(
        cls, frame: Any, /, *, members: Iterable[str] = (), staff: Iterable[str] = (), id: str = "id",
        author: str = "author", at: str = "at", reply_to: str = "reply_to", text: str = "text",
    ) -> Community:  # fmt: skip
        """Read posts from any frame; names of columns are arguments, `reply_to` and `text` may be absent.

        Raises
        ------
        BadRows, DuplicateIds, MissingColumn, NaiveDatetime
            All posts without id or time; ids on two posts; posts that answer themselves.
        """
        read = read_frame(frame)
        n = len(read)
        found = {name: TextColumn(*read.text(name)) if name in read.columns or name in (id, author)
                 else TextColumn.empty(n) for name in (id, author, reply_to, text)}  # fmt: skip
        series = read.series(at)
        plain = series.to_numpy() if series is not None and str(series.dtype).startswith("Datetime") else None
        when: Any = plain if plain is not None and plain.dtype.kind == "M" else _times(read.column(at))
        return _table(found[id], found[author], when, found[reply_to], found[text], members=members, staff=staff)

    def where(self, keep: ArrayLike, /) -> Community:
        """Posts of a mask, all members kept; an answer to a post that is left out answers what is not there."""
        rows = np.flatnonzero(truths("keep", keep))
        to = np.full(len(self) + 2, -2, np.int64)
        to[rows], to[-1] = np.arange(len(rows)), -1  # index -1 reads the last, -2 the one before it
        return attrs.evolve(
            self, post_id=self.post_id.take(rows), text=self.text.take(rows), author=self.author[rows],
            at=self.at[rows], reply_to=to[self.reply_to[rows]],
        )  # fmt: skip

    def between(self, since: datetime, until: datetime) -> Community:
        """Posts from `since` (inclusive) to `until` (exclusive)."""
        from crmcore.metrics.columns import instant

        return self.where((self.at >= instant("since", since)) & (self.at < instant("until", until)))

    def graph(self) -> Graph:
        """Who answers whom: an edge from the author of a reply to the author of the post, weight = replies.

        Answers to oneself, by or to unknown authors, and to posts that are not there make no edge.
        """
        rows = np.flatnonzero(self.reply_to >= 0)
        a, b = self.author[rows].astype(np.int64), self.author[self.reply_to[rows]].astype(np.int64)
        real = (a >= 0) & (b >= 0) & (a != b)
        n = max(len(self.members), 1)
        key, weight = np.unique(a[real] * n + b[real], return_counts=True)
        return Graph(nodes=self.members.ids, source=key // n, target=key % n, weight=weight.astype(np.float64))

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a post: id, author, at, reply_to, text, staff."""
        ids = np.array([*self.post_id.to_list(), None, None], object)
        names = np.array([*self.members.ids, None], object)
        return columns_frame(
            {"id": self.post_id.to_list(), "author": list(names[self.author]), "at": self.at,
             "reply_to": list(ids[self.reply_to]), "text": self.text.to_list(), "staff": self.by_staff},
            backend=backend,
        )  # fmt: skip


def from_chat(export: Mapping[str, Any], /, *, staff: Iterable[str] = (), bots: bool = False) -> Community:
    """Read what a chat server exports: messages in a flat list, answers by reference.

    Parameters
    ----------
    export : mapping
        `{"messages": [{"id", "timestamp", "author": {"id", "isBot"}, "content", "reference": {"messageId"}}],
        "members": [{"id"}]}`; times are ISO 8601 with offset. `reference`, `content` and `members` may be absent.
    staff : ids
        Who speaks for the brand.
    bots : truth
        Whether messages of bots are kept.

    Examples
    --------
    >>> from_chat({"messages": [{"id": "1", "timestamp": "2026-05-01T09:00Z", "author": {"id": "ann"}}]})
    Community(1 members, 1 posts, 0 replies)
    """
    rows: list[Row] = []
    for m in export.get("messages", ()):
        who = m.get("author") or {}
        if bots or not who.get("isBot"):
            answered = (m.get("reference") or {}).get("messageId")
            rows.append((_id(m.get("id")), _id(who.get("id")), m.get("timestamp"), _id(answered), m.get("content")))
    return _of(rows, members=[str(m["id"]) for m in export.get("members", ())], staff=staff)


def from_forum(threads: Sequence[Mapping[str, Any]], /, *, members: Iterable[str] = (), staff: Iterable[str] = ()) -> Community:  # fmt: skip  # noqa: E501
    """Read what a forum or a group exports: threads whose answers are nested.

    Parameters
    ----------
    threads : sequence of mappings
        `{"id", "author", "created_at", "text", "replies": [...]}`, replies of the same shape to any depth.
    members : ids
        Who belongs to it beside those who wrote.
    staff : ids
        Who speaks for the brand.

    Examples
    --------
    >>> from_forum([{"id": 1, "author": "ann", "created_at": "2026-05-01T09:00Z", "replies": [
    ...     {"id": 2, "author": "ben", "created_at": "2026-05-01T09:30Z"}]}])
    Community(2 members, 2 posts, 1 replies)
    """
    return _of(list(_nested(threads)), members=members, staff=staff)


def _nested(threads: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    todo: list[tuple[Mapping[str, Any], Cell]] = [(t, None) for t in reversed(threads)]
    while todo:
        post, parent = todo.pop()
        me = _id(post.get("id"))
        yield me, _id(post.get("author")), post.get("created_at"), parent, post.get("text")
        todo += [(reply, me) for reply in reversed(post.get("replies", ()))]


def _id(value: object) -> Cell:
    return None if value is None or value == "" else str(value)


def _of(rows: Sequence[Row], *, members: Iterable[str], staff: Iterable[str]) -> Community:
    ids, authors, times, parents, texts = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    columns = (TextColumn.of(cells) for cells in (ids, authors, parents, texts))
    one, two, three, four = columns
    return _table(one, two, _times(times), three, four, members=members, staff=staff)


def _times(cells: Sequence[object]) -> list[object]:
    """Instants; text is read as ISO 8601, what cannot be read stays and is refused with all the others."""
    return [_time(cell) if isinstance(cell, str) else cell for cell in cells]


def _time(written: str) -> object:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None


def _table(
    post_id: TextColumn, author: TextColumn, at: Any, reply_to: TextColumn, text: TextColumn, *,
    members: Iterable[str], staff: Iterable[str],
) -> Community:  # fmt: skip
    when = instants("at", at, missing_ok=True) if len(post_id) else np.empty(0, "datetime64[us]")
    n = same_length("posts", id=post_id.codes, at=when)
    refuse("posts", FIX, id=(post_id.codes < 0, "no id"), at=(np.isnat(when), "no time that can be read"))
    if len(post_id.values) < n:
        _, first = np.unique(post_id.codes, return_index=True)
        again = np.setdiff1d(np.arange(n), first)
        raise DuplicateIds("posts", len(again), tuple(again.tolist()), "export each post once")
    team = tuple(staff)
    index = CustomerIndex.of([*author.values, *members, *team])
    code = np.append(index.codes(author.values), np.int32(-1)).astype(np.int32)[author.codes]
    row_of = np.empty(n, np.int64)
    row_of[post_id.codes] = np.arange(n)
    place = dict(zip(post_id.values, range(n), strict=True))
    parent = np.array([*map(place.get, reply_to.values, repeat(-1)), -1], np.int64)
    parent = np.where(parent >= 0, row_of[parent] if n else parent, -2)
    parent[-1] = -1
    answered = parent[reply_to.codes]
    refuse("posts", FIX, reply_to=(answered == np.arange(n), "a post that answers itself"))
    rank = np.empty(n, np.int64)
    rank[np.argsort(np.array(post_id.values, object), kind="stable")] = np.arange(n)
    order = np.lexsort((rank[post_id.codes], when))
    to = np.empty(n + 2, np.int64)
    to[order], to[n], to[n + 1] = np.arange(n), -2, -1
    brand = np.zeros(len(index), np.bool_)
    brand[index.codes(team)] = True
    return Community(
        members=index, staff=brand, post_id=post_id.take(order), text=text.take(order), author=code[order],
        at=when[order], reply_to=to[answered[order]],
    )  # fmt: skip


def rows_of(community: Community, marked: ArrayLike | Iterable[str], name: str, /) -> Bools:
    """(n,) truths of posts that are named by a mask or by their ids."""
    given: Any = marked if isinstance(marked, np.ndarray) else list(marked)  # type: ignore[arg-type]
    if len(given) and all(isinstance(x, str) for x in given):
        known = set(community.post_id.values)
        lost = [x for x in given if x not in known]
        if lost:
            raise OutOfRange(
                name, f"{len(lost)} ids", "ids of posts of the community", "take them from community.post_id"
            )
        wanted = set(map(str, given))
        return np.array([v in wanted for v in community.post_id.values], np.bool_)[community.post_id.codes]
    if not len(given) and len(community):
        return np.zeros(len(community), np.bool_)
    mask = truths(name, given)
    same_length("the community", posts=community.author, **{name: mask})
    return mask
