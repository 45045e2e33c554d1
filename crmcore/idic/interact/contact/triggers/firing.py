"""Firing triggers: for a stretch of time, everything that falls due in it, in columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore._base import listed
from crmcore.calendars import due_between
from crmcore.calendars.windows import clock_us
from crmcore.errors import DuplicateIds, EmptyInput, MissingColumn, OutOfRange
from crmcore.idic.interact.contact.triggers.definitions import (
    Abandoned,
    BackInStock,
    Birthday,
    Maintenance,
    NearlyOut,
    PriceDrop,
    Silence,
    Trigger,
)
from crmcore.idic.interact.contact.triggers.firings import Firings
from crmcore.idic.interact.contact.triggers.sources import FAR, Happened, ItemTable, Sources
from crmcore.tables import TextColumn
from crmcore.zones import DAY, from_us, instants_of_local, local_columns, to_us

__all__ = ["fire"]

Micros = NDArray[np.int64]
HOUR = DAY // 24
Fired = tuple[NDArray[Any], Micros, Micros, TextColumn]
"""Customer, instant, origin and item of each firing."""


def fire(
    triggers: Trigger | Iterable[Trigger],
    sources: Sources,
    *,
    since: datetime,
    until: datetime,
    fired: Firings | None = None,
) -> Firings:
    """Everything that falls due in [since, until), each once.

    Stretches that follow each other fire together what one long one fires, if each is asked with what had happened by
    its end; a trigger with a pause has to be given what fired before.

    Parameters
    ----------
    triggers : one or several
    sources : Sources
        Events of the stretch and before; later ones change nothing.
    since, until : aware datetimes
    fired : Firings, optional
        What fired before: it is not repeated, and pauses count from it.

    Returns
    -------
    Firings
        The new ones only.

    Examples
    --------
    >>> from crmcore.calendars import local
    >>> from crmcore.rules import FactTable
    >>> from crmcore.tables import CustomerIndex
    >>> people = CustomerIndex.of(["ann"])
    >>> facts = FactTable(people, {"born": np.array(["2000-02-29"], "datetime64[D]")})
    >>> year = [local(y, 1, 1, zone="Asia/Bangkok") for y in (2027, 2028)]
    >>> found = fire(Birthday("birthday"), Sources(people, facts, zone="Asia/Bangkok"), since=year[0], until=year[1])
    >>> found.at.astype("datetime64[m]")
    array(['2027-02-28T02:00'], dtype='datetime64[m]')
    """
    given = [triggers] if isinstance(triggers, Trigger) else triggers
    several = listed(given, "triggers", Trigger, what="triggers", hint="fire([Birthday('birthday')], ...)")
    names = tuple(trigger.name for trigger in several)
    again = tuple(i for i, name in enumerate(names) if name in names[:i])
    if again:
        raise DuplicateIds("triggers", len(again), again, "give each trigger its own name")
    low, high = to_us(since, "since"), to_us(until, "until")
    if high < low:
        raise OutOfRange("until", until.isoformat(), f"not before {since.isoformat()}", "swap them")
    total = Firings.none(sources.customers)
    parts = [_one(trigger, sources, low, high, fired) for trigger in several]
    for part in parts:
        total = part if not len(total) else _joined(total, part)
    return total.in_order()


def _joined(first: Firings, second: Firings) -> Firings:
    """Rows of both; triggers differ, so that none is there twice."""
    from crmcore.idic.interact.contact.triggers.firings import joined_text

    return Firings(
        joined_text(first.trigger, second.trigger),
        np.concatenate([first.customer, second.customer]),
        np.concatenate([first.us, second.us]),
        np.concatenate([first.origin, second.origin]),
        joined_text(first.item, second.item),
        first.customers,
    )


def _one(trigger: Trigger, sources: Sources, low: int, high: int, fired: Firings | None) -> Firings:
    """What one trigger fires."""
    customer, us, origin, item = _KINDS[type(trigger)](trigger, sources, low, high)
    inside = np.flatnonzero((us >= low) & (us < high))
    name = TextColumn(np.zeros(len(inside), np.int32), (trigger.name,))
    found = Firings(
        name, customer[inside].astype(np.int32), us[inside], origin[inside], item.take(inside), sources.customers
    )
    found = _wanted(found, trigger, sources, high)
    earlier = None if fired is None else fired.of(trigger.name)
    if earlier is not None and len(earlier):
        both = _joined(earlier, found)
        found = both.take(~both.repeated() & (np.arange(len(both)) >= len(earlier)))
    return found if not trigger.pause_days else _paused(found, earlier, round(trigger.pause_days * DAY))


def _wanted(found: Firings, trigger: Trigger, sources: Sources, high: int) -> Firings:
    """Those whose customers fulfil the rule of the trigger."""
    if trigger.when is None:
        return found
    if sources.facts is None:
        raise EmptyInput("facts", f"the rule of {trigger.name!r} asks for facts: Sources(customers, facts)")
    truths = trigger.when.mask(sources.facts, now=from_us(high, "UTC")).true
    return found.take(np.asarray(truths, np.bool_)[found.customer])


def _paused(found: Firings, earlier: Firings | None, pause: int) -> Firings:
    """Leave out what comes too soon after what fired for the same customer and item, in order of time."""
    if not len(found):
        return found
    before = 0 if earlier is None else len(earlier)
    both = found if earlier is None else _joined(earlier, found)
    order = np.lexsort((np.arange(len(both)) >= before, both.origin, both.us, both.item.codes, both.customer))
    customer, item, us = both.customer[order], both.item.codes[order], both.us[order]
    same = np.append(False, (customer[1:] == customer[:-1]) & (item[1:] == item[:-1]))
    new = order >= before
    keep = ~same
    held = 0
    for i in np.flatnonzero(same | np.append(same[1:], False)).tolist():  # few: most fire once
        if not same[i] or not new[i] or us[i] - held >= pause:
            keep[i], held = True, int(us[i])
    return both.take(order[keep & new])


def _nothing(n: int) -> TextColumn:
    return TextColumn.empty(n)


# --- dates -----------------------------------------------------------------------------------------------------------


def _birthday(trigger: Birthday, sources: Sources, low: int, high: int) -> Fired:
    ahead = trigger.days_before * DAY
    zones, codes = sources.clocks
    due = due_between(
        sources.date(trigger.date),
        from_us(low + ahead - DAY, "UTC"),
        from_us(high + ahead + DAY, "UTC"),
        zone=zones,
        zone_codes=codes,
        leap_day=trigger.leap_day,
        at=trigger.at,
    )
    origin = due.date.astype("datetime64[us]").astype(np.int64)
    us = due.at.astype(np.int64)
    if ahead:
        wall = due.date - np.timedelta64(trigger.days_before, "D")
        us = _local(wall, trigger.at, zones, codes[due.row])
    return due.row, us, origin, _nothing(len(us))


def _local(day: NDArray[np.datetime64], at: str, zones: tuple[str, ...], codes: NDArray[np.intp]) -> Micros:
    """Instants of local dates at a time of the day, each in its own zone."""
    wall = day.astype("datetime64[us]") + np.timedelta64(clock_us(at) or 0, "us")
    out = np.empty(len(wall), np.int64)
    for code in np.unique(codes).tolist():
        mine = codes == code
        out[mine] = instants_of_local(wall[mine], zones[code]).astype(np.int64)
    return out


# --- service ---------------------------------------------------------------------------------------------------------


def _maintenance(trigger: Maintenance, sources: Sources, low: int, high: int) -> Fired:
    seen = sources.happened((trigger.reading, trigger.service), trigger.key)
    seen = seen.take(seen.us < high).of_customers(_maybe_due(trigger, seen, low, high), len(sources.customers)).sorted()
    n = len(seen)
    service = seen.kind == 1
    place = np.arange(n)
    begin = np.maximum.accumulate(np.where(np.append(True, ~seen.same_as_next()[:-1])[:n], place, 0)) if n else place
    last = np.maximum.accumulate(np.where(service, place, -1)) if n else place
    last = np.where(last >= begin, last, -1)  # the service that each row counts from
    meter = sources.column(trigger.meter).take(seen.rows).numbers() if trigger.usage is not None else np.full(n, np.nan)
    due = np.full(n, FAR)  # by service
    if trigger.usage is not None:
        worn = ~service & (last >= 0) & (meter - meter[last] >= trigger.usage)
        np.minimum.at(due, last[worn], seen.us[worn])
    if trigger.months is not None:
        rows = np.flatnonzero(service)
        due[rows] = np.minimum(due[rows], _months_later(trigger, sources, seen.take(rows)))
    following = np.full(n, FAR)
    later = np.flatnonzero(service)
    follows = (last[later - 1] >= begin[later]) & (later > begin[later]) if len(later) else np.zeros(0, np.bool_)
    following[last[later[follows] - 1]] = seen.us[later[follows]]
    fires = np.flatnonzero(service & (due < following))
    return seen.customer[fires], due[fires], seen.us[fires], seen.key.take(fires)


def _maybe_due(trigger: Maintenance, seen: Happened, low: int, high: int) -> NDArray[np.intp]:
    """Customers who may fall due: by a reading of the stretch, or by a service about so many months before it."""
    near = np.zeros(len(seen), np.bool_)
    if trigger.usage is not None:
        near |= (seen.us >= low) & (seen.us < high)
    if trigger.months is not None:
        shortest, longest = 28 * trigger.months * DAY - 4 * DAY, 31 * trigger.months * DAY + 4 * DAY
        near |= (seen.kind == 1) & (seen.us >= low - longest) & (seen.us < high - shortest)
    return seen.customer[near].astype(np.intp)


def _months_later(trigger: Maintenance, sources: Sources, services: Happened) -> Micros:
    zones, codes = sources.clocks
    mine = codes[services.customer]
    day = local_columns(services.us.view("datetime64[us]"), zones, zone_codes=mine).date
    month = day.astype("datetime64[M]")
    then = month + np.timedelta64(trigger.months or 0, "M")
    last = (then + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    wanted = then.astype("datetime64[D]") + (day - month.astype("datetime64[D]"))
    return _local(np.minimum(wanted, last), trigger.at, zones, mine)


# --- items -----------------------------------------------------------------------------------------------------------


def _wishes(seen: Happened) -> tuple[Happened, Micros]:
    """When items came on lists, and when they left them again; an item that is there already does not come twice."""
    seen = seen.sorted()
    changes = np.append(True, (seen.kind[1:] != seen.kind[:-1]) | ~seen.same_as_next()[:-1])[: len(seen)]
    seen = seen.take(changes)
    ends = np.where(seen.same_as_next(), np.append(seen.us[1:], FAR)[: len(seen)], FAR)
    comes = seen.kind == 1
    return seen.take(comes), ends[comes]


def _concerned(
    trigger: PriceDrop | BackInStock | NearlyOut,
    sources: Sources,
    items: ItemTable,
    rows: NDArray[np.intp],
    low: int,
    high: int,
) -> Happened:
    """All wishes of customers and items of which something may fall due: the item changes now, or is wished for now."""
    seen = sources.happened((trigger.unwish, trigger.wish), trigger.item)
    place = {name: i for i, name in enumerate(items.items)}
    item = np.array([*(place.get(word, -1) for word in seen.key.values), -1])[seen.key.codes]
    active = np.zeros(len(items.items) + 1, np.bool_)  # the last is no item
    active[items.item[rows]] = True
    changes = np.zeros_like(active)
    changes[items.item[rows[items.us[rows] >= low]]] = True
    wishing = np.zeros(len(sources.customers), np.bool_)
    wishing[seen.customer[active[item] & (seen.us >= low) & (seen.us < high)]] = True
    return seen.take(np.flatnonzero((changes[item] | (active[item] & wishing[seen.customer])) & (seen.us < high)))


def _on_wished(
    trigger: PriceDrop | BackInStock | NearlyOut,
    sources: Sources,
    items: ItemTable | None,
    what: str,
    low: int,
    high: int,
) -> Fired:
    """Changes of items, each joined to those who have the item on their list while it lasts."""
    if items is None:
        raise MissingColumn(what, (), "the sources")
    before, until = items.changes()
    if isinstance(trigger, PriceDrop):
        hit = (before > items.value) & (items.value <= before * (1 - trigger.at_least) + 1e-9)
        lasts = False
    elif isinstance(trigger, BackInStock):
        hit, lasts = (before <= 0) & (items.value > 0), False
    else:
        low_now = (items.value > 0) & (items.value <= trigger.threshold)
        was_low = (before > 0) & (before <= trigger.threshold)
        hit, lasts = low_now & ~was_low, True
        until = _until_it_ends(items, low_now, until)
    begins, ends = items.us, until if lasts else items.us + 1
    rows = np.flatnonzero(hit & (begins < high) & (ends > low))
    wished, left = _wishes(_concerned(trigger, sources, items, rows, low, high))
    place = {name: i for i, name in enumerate(items.items)}
    item = np.array([*(place.get(word, -1) for word in wished.key.values), -1])[wished.key.codes]
    order = np.argsort(item, kind="stable")
    first, last = (np.searchsorted(item[order], items.item[rows], side=side) for side in ("left", "right"))
    counts = last - first
    pair_row = np.repeat(rows, counts)
    shift = np.repeat(first - (np.cumsum(counts) - counts), counts)
    pair_wish = order[np.arange(len(pair_row)) + shift]
    us = np.maximum(begins[pair_row], wished.us[pair_wish])
    keep = np.flatnonzero(us < np.minimum(ends[pair_row], left[pair_wish]))
    keep = keep[
        _first_of(items.item[pair_row[keep]], wished.customer[pair_wish[keep]], begins[pair_row[keep]], us[keep])
    ]
    pair_row, pair_wish = pair_row[keep], pair_wish[keep]
    return wished.customer[pair_wish], us[keep], begins[pair_row], wished.key.take(pair_wish)


def _first_of(*columns: NDArray[Any]) -> NDArray[np.intp]:
    """Rows that come first by the last column among those alike in the others: nobody hears twice of one change."""
    order = np.lexsort(tuple(reversed(columns)))
    new = np.zeros(max(len(order) - 1, 0), np.bool_)
    for column in columns[:-1]:
        new |= column[order][1:] != column[order][:-1]
    return np.sort(order[np.append(True, new)[: len(order)]])


def _until_it_ends(items: ItemTable, low_now: NDArray[np.bool_], until: Micros) -> Micros:
    """End of the run of low stock that each row belongs to."""
    ends = until.copy()
    same = np.append(items.item[1:] == items.item[:-1], False)[: len(items)]
    goes_on = same & np.append(low_now[1:], False)[: len(items)] & low_now
    if len(items):
        place = np.where(goes_on, len(items), np.arange(len(items)))
        ends = until[np.minimum.accumulate(place[::-1])[::-1]]
    return np.asarray(ends, np.int64)


def _price_drop(trigger: PriceDrop, sources: Sources, low: int, high: int) -> Fired:
    return _on_wished(trigger, sources, sources.prices, "prices", low, high)


def _stock(trigger: BackInStock | NearlyOut, sources: Sources, low: int, high: int) -> Fired:
    return _on_wished(trigger, sources, sources.stock, "stock", low, high)


# --- silence ---------------------------------------------------------------------------------------------------------


def _abandoned(trigger: Abandoned, sources: Sources, low: int, high: int) -> Fired:
    return _gaps(sources, trigger.start, trigger.done, trigger.key, round(trigger.after_hours * HOUR), low, high)


def _silence(trigger: Silence, sources: Sources, low: int, high: int) -> Fired:
    return _gaps(sources, trigger.kinds, (), "", round(trigger.after_days * DAY), low, high)


def _gaps(
    sources: Sources, start: tuple[str, ...], done: tuple[str, ...], key: str, after: int, low: int, high: int
) -> Fired:
    """Starts after which nothing of the same customer and key followed in time."""
    kinds = tuple(dict.fromkeys((*start, *done)))
    begins = np.array([kind in start for kind in kinds])
    seen = sources.happened(kinds, key)
    near = (seen.us >= low - after) & (seen.us < high)
    due = near & begins[seen.kind] & (seen.us < high - after)
    seen = seen.take(near).of_customers(seen.customer[due].astype(np.intp), len(sources.customers)).sorted()
    following = np.where(seen.same_as_next(), np.append(seen.us[1:], FAR)[: len(seen)], FAR)
    fires = np.flatnonzero(begins[seen.kind] & (following - seen.us > after))
    return seen.customer[fires], seen.us[fires] + after, seen.us[fires], seen.key.take(fires)


_KINDS: dict[type[Trigger], Any] = {
    Abandoned: _abandoned,
    BackInStock: _stock,
    Birthday: _birthday,
    Maintenance: _maintenance,
    NearlyOut: _stock,
    PriceDrop: _price_drop,
    Silence: _silence,
}
