"""Public posts that may concern the brand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import MISSING_WORDS, read_frame, write_frame
from crmcore.errors import DuplicateIds
from crmcore.tables._cells import attribute_columns, cell_map, ids_out, micros, when
from crmcore.tables._door import Door, codes, instants, reals, same_length, text_map
from crmcore.tables.columns import CustomerIndex, TextColumn
from crmcore.values import Mention

__all__ = ["MentionTable"]


@attrs.frozen(eq=False, repr=False)
class MentionTable:
    """Posts on public channels; row i of every column is the same post.

    A customer code of -1 is an author who is not linked to a customer; a reach of NaN and a time of NaT are unknown.

    Examples
    --------
    >>> posts = MentionTable.from_frame({"mention_id": [1, 2], "text": ["So slow!", "Thanks"], "author": ["@a", "@b"]})
    >>> posts, posts[0].mention_id
    (MentionTable(2 mentions, 2 authors), '1')
    """

    mention_id: TextColumn  # unique
    text: TextColumn
    author: TextColumn
    time: NDArray[np.datetime64] = attrs.field(converter=instants)  # (n,) datetime64[us], UTC, NaT = unknown
    channel: TextColumn
    link: TextColumn
    reply_to: TextColumn  # mention_id
    customer: NDArray[np.int32] = attrs.field(converter=codes)  # (n,) code into customers, -1 = not linked
    reach: NDArray[np.float64] = attrs.field(converter=reals)  # (n,) people who could see it, NaN = unknown
    attributes: Mapping[str, TextColumn] = attrs.field(converter=text_map)
    customers: CustomerIndex
    backend: str | None = None  # flavour of the frame that was read

    def __attrs_post_init__(self) -> None:
        columns = {"time": self.time, "customer": self.customer, "reach": self.reach, **self._text(), **self.attributes}
        same_length("MentionTable", len(self), columns)
        _, first = np.unique(self.mention_id.codes, return_index=True)
        if len(first) < len(self):
            again = np.setdiff1d(np.arange(len(self)), first)
            raise DuplicateIds("mentions", len(again), tuple(again.tolist()), "drop posts that were collected twice")

    def _text(self) -> dict[str, TextColumn]:
        return {
            "text": self.text,
            "author": self.author,
            "channel": self.channel,
            "link": self.link,
            "reply_to": self.reply_to,
        }

    def __len__(self) -> int:
        return len(self.mention_id)

    def __repr__(self) -> str:
        return (
            f"MentionTable({len(self)} mentions, {len(np.unique(self.author.codes[self.author.codes >= 0]))} authors)"
        )

    def __getitem__(self, row: int) -> Mention:
        code = self.customer[row]
        reach = float(self.reach[row])
        return Mention(
            mention_id=self.mention_id[row] or "",
            text=self.text[row],
            author=self.author[row],
            time=when(self.time, row),
            channel=self.channel[row],
            link=self.link[row],
            reply_to=self.reply_to[row],
            customer=self.customers[code] if code >= 0 else None,
            reach=None if np.isnan(reach) else reach,
            attributes=cell_map(self.attributes, row),
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        mention_id: str = "mention_id",
        text: str = "text",
        author: str = "author",
        time: str = "time",
        channel: str = "channel",
        link: str = "link",
        reply_to: str = "reply_to",
        customer: str = "customer",
        reach: str = "reach",
        attributes: Sequence[str] | None = None,
        customers: CustomerIndex | None = None,
        zone: str | ZoneInfo | None = None,
        missing: Iterable[str] = MISSING_WORDS,
    ) -> MentionTable:
        """Read posts, one per row; arguments that are not explained below are names of columns.

        Only `text` must be there; the others may be absent under their default name. Without ids, rows are numbered.

        Parameters
        ----------
        frame
            Any frame, a dict of columns, or a list of dicts.
        attributes
            Further columns to keep as text; None keeps all the rest.
        customers
            Index to share; None makes one from this frame.
        zone
            Zone in which times without offset were written; without it they are refused.
        missing
            Text that means "missing", in exactly this spelling.

        Raises
        ------
        MissingColumn, NaiveDatetime, DuplicateIds, BadRows
            What cannot be read, all bad rows at once.
        """
        door = Door(read_frame(frame, missing=missing), "MentionTable", zone=zone)
        n = len(door)
        if door.has(mention_id, "mention_id"):
            ids = door.text(mention_id)
            door.required(mention_id, ids.codes < 0, "give every post an id, or leave the column out")
            door.close()  # a missing id would read as a repeated one
        else:
            ids = TextColumn(np.arange(n, dtype=np.int32), tuple(map(str, range(n))))
        code, index = np.full(n, -1, np.int32), customers or CustomerIndex(())
        if door.has(customer, "customer"):
            code, index = door.customers(customer, customers)
        made = cls(
            mention_id=ids,
            text=door.text(text),
            author=door.optional_text(author, "author"),
            time=door.times(time, required=False) if door.has(time, "time") else np.full(n, "NaT", "datetime64[us]"),
            channel=door.optional_text(channel, "channel"),
            link=door.optional_text(link, "link"),
            reply_to=door.optional_text(reply_to, "reply_to"),
            customer=code,
            reach=door.numbers(reach) if door.has(reach, "reach") else np.full(n, np.nan),
            attributes=door.rest(attributes),  # after the others: what they did not use
            customers=index,
            backend=door.frame.backend,
        )
        door.close()
        return made

    @classmethod
    def of(cls, values: Iterable[Mention], *, customers: CustomerIndex | None = None) -> MentionTable:
        """Build a table from mentions."""
        rows = list(values)
        ids = [row.customer for row in rows]
        index = CustomerIndex.of(ids) if customers is None else customers.extended(ids)
        return cls(
            mention_id=TextColumn.of([row.mention_id for row in rows]),
            text=TextColumn.of([row.text for row in rows]),
            author=TextColumn.of([row.author for row in rows]),
            time=micros(row.time for row in rows),
            channel=TextColumn.of([row.channel for row in rows]),
            link=TextColumn.of([row.link for row in rows]),
            reply_to=TextColumn.of([row.reply_to for row in rows]),
            customer=index.codes(ids),
            reach=np.array([np.nan if row.reach is None else row.reach for row in rows], np.float64),
            attributes=attribute_columns([row.attributes for row in rows]),
            customers=index,
        )

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> MentionTable:
        """Select rows by position or mask; index and dictionaries are shared."""
        return MentionTable(
            mention_id=self.mention_id.take(rows),
            text=self.text.take(rows),
            author=self.author.take(rows),
            time=self.time[rows],
            channel=self.channel.take(rows),
            link=self.link.take(rows),
            reply_to=self.reply_to.take(rows),
            customer=self.customer[rows],
            reach=self.reach[rows],
            attributes={name: c.take(rows) for name, c in self.attributes.items()},
            customers=self.customers,
            backend=self.backend,
        )

    def to_frame(self, backend: Any = None) -> Any:
        """Write one row per post, in the flavour that was read unless `backend` names another."""
        return write_frame(
            {
                "mention_id": self.mention_id.to_list(),
                "time": self.time,
                **{name: c.to_list() for name, c in self._text().items()},
                "customer": ids_out(self.customer, self.customers),
                "reach": self.reach,
                **{name: c.to_list() for name, c in self.attributes.items()},
            },
            backend=backend or self.backend,
        )
