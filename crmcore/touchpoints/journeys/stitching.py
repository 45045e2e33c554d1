"""Stitching: whose journey an anonymous visit belongs to, decided when journeys are read and never written back."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._frames import read_frame
from crmcore.documents import Document
from crmcore.errors import BadRow, BadRows, UnknownName
from crmcore.metrics.columns import instant
from crmcore.tables import TextColumn
from crmcore.tables._door import Door, integers

__all__ = ["IdentityMap", "OneVisitorManyCustomers", "stitch"]

Ints = NDArray[np.int64]


class OneVisitorManyCustomers(enum.StrEnum):
    """Who owns the visits of a visitor (a browser, a device) that several customers were seen on."""

    IN_TURN = "in turn"  # the customer seen last before the visit; before the first, the first
    FIRST = "first"
    LAST = "last"
    NOBODY = "nobody"  # such visits stay anonymous


@attrs.frozen(kw_only=True, eq=False, repr=False)
class IdentityMap(Document):
    """Which visitor turned out to be which customer, and when that became known.

    Examples
    --------
    >>> IdentityMap.from_frame({"visitor": ["v1"], "customer": ["c1"], "time": ["2026-03-01T09:00Z"]})
    IdentityMap(1 links, 1 visitors, 1 customers)
    """

    visitor: TextColumn
    customer: TextColumn
    time: Ints = attrs.field(converter=integers)  # (k,) microseconds since 1970, UTC

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        visitors, customers = (len(set(c.codes.tolist())) for c in (self.visitor, self.customer))
        return f"IdentityMap({len(self)} links, {visitors} visitors, {customers} customers)"

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        visitor: str = "visitor",
        customer: str = "customer",
        time: str = "time",
        zone: str | ZoneInfo | None = None,
    ) -> IdentityMap:
        """Read one row a link: visitor, customer, and the time of the log-in, order or match that told."""
        door = Door(read_frame(frame), "IdentityMap", zone=zone)
        who, whom = door.text(visitor), door.text(customer)
        door.required(visitor, who.codes < 0, "a link names a visitor")
        door.required(customer, whom.codes < 0, "a link names a customer")
        when = door.times(time, required=True)
        door.close()
        return cls(visitor=who, customer=whom, time=when.astype(np.int64))


def stitch(
    events: Any,
    links: IdentityMap,
    /,
    *,
    visitor: str = "visitor",
    customer: str = "customer",
    time: str = "time",
    shared: OneVisitorManyCustomers | str = OneVisitorManyCustomers.IN_TURN,
    retroactive: bool = True,
    as_of: datetime | np.datetime64 | None = None,
    zone: str | ZoneInfo | None = None,
) -> TextColumn:
    """Say whose each event is: a column for the `grain` of `journeys`.

    An event that names its customer is his. Else it belongs to the customer that its visitor is linked to, and where
    there is none to the visitor alone, as "visitor " and its id. Nothing is written back: without the map, or with
    another one, the same events give the journeys that they gave before.

    Parameters
    ----------
    events : any frame, dict of columns, list of dicts
    links : IdentityMap
    visitor, customer, time : names of columns
        The customer may be absent.
    shared : "in turn", "first", "last", "nobody"
        Who owns the visits of a visitor with several customers.
    retroactive : truth
        Whether a link also tells whose the visits before it were.
    as_of : aware datetime, optional
        Use only links that were known by then.
    zone : name or ZoneInfo, optional
        Of times without offset.

    Examples
    --------
    >>> rows = {"visitor": ["v1", "v1", "v2"], "customer": [None, "c1", None],
    ...         "time": ["2026-03-01T09:00Z", "2026-03-01T10:00Z", "2026-03-01T11:00Z"]}
    >>> links = IdentityMap.from_frame({"visitor": ["v1"], "customer": ["c1"], "time": ["2026-03-01T10:00Z"]})
    >>> stitch(rows, links).to_list()
    ['c1', 'c1', 'visitor v2']
    >>> stitch(rows, links, retroactive=False).to_list()
    ['visitor v1', 'c1', 'visitor v2']
    """
    known = tuple(str(p) for p in OneVisitorManyCustomers)
    if str(shared) not in known:
        raise UnknownName("shared", str(shared), known)
    door = Door(read_frame(events), "stitch", zone=zone)
    who, whose = door.text(visitor), door.optional_text(customer, "customer")
    when = door.times(time, required=True).astype(np.int64)
    door.close()
    kept = np.ones(len(links), np.bool_)
    if as_of is not None:
        kept = links.time <= instant("as_of", as_of).astype(np.int64)
    owner = _owners(who, when, links, kept, OneVisitorManyCustomers(shared), retroactive=retroactive)
    _no_clash(links, who)
    words: list[str | None] = [*links.customer.values, *whose.values, *(f"visitor {v}" for v in who.values), None]
    a, b = len(links.customer.values), len(links.customer.values) + len(whose.values)
    anonymous = np.where(who.codes >= 0, who.codes + b, len(words) - 1)
    code = np.where(whose.codes >= 0, whose.codes + a, np.where(owner >= 0, owner, anonymous))
    return TextColumn.of([words[c] for c in code.tolist()])


def _owners(
    who: TextColumn, when: Ints, links: IdentityMap, kept: NDArray[np.bool_], shared: OneVisitorManyCustomers,
    *, retroactive: bool,
) -> Ints:  # fmt: skip
    """(n,) code of the linked customer, -1 where there is none."""
    index = {v: i for i, v in enumerate(links.visitor.values)}
    visitor = np.array([*(index.get(v, -1) for v in who.values), -1], np.int64)[who.codes]
    lv, lc, lt = links.visitor.codes[kept].astype(np.int64), links.customer.codes[kept], links.time[kept]
    if not len(lv):
        return np.full(len(when), -1, np.int64)
    # at one instant the customer whose id comes last in the alphabet is the later one, so that rows may be shuffled
    alphabet = np.argsort(np.argsort(np.array(links.customer.values, object)))
    order = np.lexsort((alphabet[lc], lt, lv))
    lv, lc, lt = lv[order], lc[order].astype(np.int64), lt[order]
    low, high = np.searchsorted(lv, visitor, side="left"), np.searchsorted(lv, visitor, side="right")
    linked = (high > low) & (visitor >= 0)
    rank = np.unique(np.concatenate([lt, when]), return_inverse=True)[1]
    width = len(rank) + 1
    place = np.searchsorted(lv * width + rank[: len(lt)], visitor * width + rank[len(lt) :], side="right") - 1
    seen = linked & (place >= low)
    chosen = {
        OneVisitorManyCustomers.IN_TURN: np.maximum(place, low),
        OneVisitorManyCustomers.FIRST: low,
        OneVisitorManyCustomers.LAST: high - 1,
        OneVisitorManyCustomers.NOBODY: low,
    }[shared]
    if not retroactive and shared is OneVisitorManyCustomers.LAST:
        chosen = np.maximum(place, low)
    found = np.where(linked if retroactive else seen, lc[np.clip(chosen, 0, len(lc) - 1)], -1)
    if shared is OneVisitorManyCustomers.NOBODY:
        several = np.zeros(len(links.visitor.values) + 1, np.bool_)
        several[lv[1:][(lv[1:] == lv[:-1]) & (lc[1:] != lc[:-1])]] = True
        found = np.where(several[visitor], -1, found)
    return found.astype(np.int64)


def _no_clash(links: IdentityMap, who: TextColumn) -> None:
    """Refuse customers that are named like an anonymous visitor."""
    taken = {f"visitor {v}" for v in who.values}
    bad = np.flatnonzero(np.isin(links.customer.codes, [i for i, c in enumerate(links.customer.values) if c in taken]))
    if len(bad):
        problem = BadRow("customer", "named like an anonymous visitor", tuple(bad.tolist()))
        raise BadRows("IdentityMap", (problem,), "give customers ids of their own")
