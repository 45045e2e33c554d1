"""Who answers whom: conversations as forests of replies, and the cascades that posts set off."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import html_table, mask, number_text
from crmcore.documents import Document
from crmcore.errors import OutOfRange
from crmcore.graphs import Forest
from crmcore.metrics.columns import columns_frame
from crmcore.tables import MentionTable

__all__ = ["Cascade", "Cascades", "Conversations", "conversations"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
HOUR = np.timedelta64(1, "h")


@attrs.frozen(kw_only=True)
class Cascade(Document):
    """What one post set off.

    Parameters
    ----------
    post : id
    posts : count
        Posts of the cascade, the first included.
    people : count
        Different authors who took part below it; its own author does not count.
    depth : steps
        From the post down to the deepest answer.
    breadth : counts
        Answers at each step, from the first.
    reach_low, reach_high : people
        How many could see it: at least the largest audience of one post, at most the sum of the audiences of its
        different authors. NaN where no reach is known.
    virality : steps
        Mean distance between two posts of the cascade: near 2 where all answer the first post, larger where answers are
        answered. NaN for a post alone.
    hours_to_half : hours
        Until half of the answers had come; NaN where times are unknown or nobody answered.
    """

    post: str = attrs.field(repr=False)
    posts: int
    people: int
    depth: int
    breadth: tuple[int, ...]
    reach_low: float
    reach_high: float
    virality: float
    hours_to_half: float

    def __str__(self) -> str:
        told = f"{self.posts} posts, {self.people} people drawn in, depth {self.depth}"
        if np.isnan(self.reach_high):
            return f"{told}, reach unknown"
        return f"{told}, reach {number_text(self.reach_low)} to {number_text(self.reach_high)}"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cascades:
    """Cascades of many posts, largest first; row i of every column is one."""

    row: Ints  # of the mentions
    post: tuple[str, ...]
    author: tuple[str | None, ...]
    posts: Ints
    people: Ints
    depth: Ints
    reach_low: Floats
    reach_high: Floats
    virality: Floats

    def __len__(self) -> int:
        return len(self.row)

    def __repr__(self) -> str:
        return f"Cascades({len(self)} posts)"

    def __str__(self) -> str:
        lines = [f"{len(self)} cascades, {int(self.posts.sum())} posts"]
        lines += [
            f"  {p} posts, {k} people, depth {d}"
            for p, k, d in zip(
                self.posts[:10].tolist(), self.people[:10].tolist(), self.depth[:10].tolist(), strict=True
            )
        ]
        return "\n".join(lines)

    def to_frame(self, backend: Any = None) -> Any:
        """One row a cascade, with ids and authors."""
        names = ("post", "author", "posts", "people", "depth", "reach_low", "reach_high", "virality")
        return columns_frame({name: getattr(self, name) for name in names}, backend=backend)

    def _repr_html_(self) -> str:
        names = ("posts", "people", "depth", "reach_low", "reach_high")
        rows = [{n: getattr(self, n)[i].item() for n in names} for i in range(min(len(self), 10))]
        return html_table(rows, caption=f"{len(self)} cascades, largest first")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Conversations:
    """Mentions with what hangs below what; made by `conversations`."""

    mentions: MentionTable
    forest: Forest
    lost: int  # replies to posts that were not collected; they stand as first posts

    def __repr__(self) -> str:
        return f"Conversations({len(self.forest.roots)} of {len(self.mentions)} mentions)"

    def __str__(self) -> str:
        told = f"{len(self.forest.roots)} conversations, {len(self.mentions)} posts"
        return f"{told}, {self.lost} of them answer what was not collected"

    @property
    def first_time(self) -> NDArray[np.datetime64]:
        """(n,) time of the first post of each row's conversation."""
        times: NDArray[np.datetime64] = self.mentions.time[self.forest.root]
        return times

    def _row(self, post: str) -> int:
        column = self.mentions.mention_id
        if post not in column.values:
            raise OutOfRange("post", mask(post), "an id of the mentions", "take one of mentions.mention_id")
        return int(np.flatnonzero(column.codes == column.values.index(post))[0])

    def cascade(self, post: str, /) -> Cascade:
        """What the post with this id set off.

        Raises
        ------
        OutOfRange
            No mention has the id.
        """
        row = self._row(post)
        below = self.forest.below(row)
        rows = np.concatenate(([row], below))
        step = self.forest.depth[rows] - self.forest.depth[row]
        parents = np.concatenate(([-1], self.forest.place[self.forest.parent[below]] - self.forest.place[row]))
        wait = self.mentions.time[below] - self.mentions.time[row]
        wait = wait[~np.isnat(wait)]
        low, high = _reach(self.mentions, rows, np.zeros(len(rows), np.int64), 1)
        return Cascade(
            post=post,
            posts=len(rows),
            people=_people(self.mentions, row, below),
            depth=int(step.max()),
            breadth=tuple(np.bincount(step)[1:].tolist()),
            reach_low=float(low[0]),
            reach_high=float(high[0]),
            virality=float(Forest.of(parents).virality()[0]),
            hours_to_half=float(np.median(wait / HOUR)) if len(wait) else float("nan"),
        )

    def cascades(self, *, author: str | None = None, least_posts: int = 2) -> Cascades:
        """Cascades of first posts, or of all posts of one author: what a member's conversations drew in.

        Parameters
        ----------
        author : name
            As the mentions spell it; None takes every first post.
        least_posts : count
            Smaller cascades are left out; 1 keeps posts that nobody answered.

        Raises
        ------
        OutOfRange
            No mention has the author.
        """
        table, forest = self.mentions, self.forest
        if author is None:
            starts = forest.roots
        elif author in table.author.values:
            starts = np.flatnonzero(table.author.codes == table.author.values.index(author)).astype(np.int64)
        else:
            raise OutOfRange("author", mask(author), "an author of the mentions", "take one of mentions.author")
        starts = starts[forest.size[starts] >= least_posts]
        starts = starts[np.lexsort((starts, -forest.size[starts]))]
        rows, group = forest.trees(starts)
        low, high = _reach(table, rows, group, len(starts))
        virality = np.full(len(forest), np.nan)
        virality[forest.roots] = forest.virality()
        return Cascades(
            row=starts,
            post=tuple(table.mention_id.take(starts).to_list()),  # type: ignore[arg-type]
            author=tuple(table.author.take(starts).to_list()),
            posts=forest.size[starts],
            people=_drawn(table, starts, rows, group),
            depth=forest.height()[starts],
            reach_low=low,
            reach_high=high,
            virality=virality[starts],
        )


def _people(table: MentionTable, row: int, below: Ints) -> int:
    authors = np.unique(table.author.codes[below])
    return int(((authors >= 0) & (authors != table.author.codes[row])).sum())


def _drawn(table: MentionTable, starts: Ints, rows: Ints, group: Ints) -> Ints:
    """(k,) different authors of each cascade beside the one who began it."""
    code = table.author.codes[rows].astype(np.int64)
    other = (code >= 0) & (code != table.author.codes[starts][group])
    pairs = np.unique(group[other] * (len(table.author.values) + 1) + code[other])
    return np.bincount(pairs // (len(table.author.values) + 1), minlength=len(starts)).astype(np.int64)


def _reach(table: MentionTable, rows: Ints, group: Ints, n: int) -> tuple[Floats, Floats]:
    """Bounds of the people who could see each group of posts; the audience of one author counts once."""
    reach = table.reach[rows]
    known = ~np.isnan(reach)
    code = table.author.codes[rows].astype(np.int64)
    code = np.where(code < 0, len(table.author.values) + rows, code)  # nobody knows whether nameless authors are one
    key, which = np.unique(group[known] * (len(table.author.values) + len(table)) + code[known], return_inverse=True)
    largest = np.zeros(len(key))
    np.maximum.at(largest, which, reach[known])
    of = key // (len(table.author.values) + len(table))
    low, high = np.zeros(n), np.bincount(of, largest, n).astype(np.float64)
    np.maximum.at(low, of, largest)
    none = np.bincount(of, minlength=n) == 0
    low[none] = high[none] = np.nan
    return low, high


def conversations(mentions: MentionTable, /) -> Conversations:
    """Read who answers whom from `reply_to`.

    An answer to a post that is not among the mentions begins a conversation of its own.

    Raises
    ------
    BadRows
        Posts that answer each other in a circle.

    Examples
    --------
    >>> posts = MentionTable.from_frame({
    ...     "mention_id": ["1", "2", "3"], "text": ["Help?", "Restart it", "Worked"], "author": ["a", "b", "a"],
    ...     "reply_to": [None, "1", "2"],
    ... })
    >>> talk = conversations(posts)
    >>> print(talk.cascade("1"))
    3 posts, 1 people drawn in, depth 2, reach unknown
    """
    row_of = dict(zip(mentions.mention_id.to_list(), range(len(mentions)), strict=True))
    above = np.array([*(row_of.get(post, -1) for post in mentions.reply_to.values), -1], np.int64)
    parent = above[mentions.reply_to.codes]
    lost = int(((parent < 0) & (mentions.reply_to.codes >= 0)).sum())
    return Conversations(mentions=mentions, forest=Forest.of(parent, what="reply_to"), lost=lost)
