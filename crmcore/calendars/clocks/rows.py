"""How every case stood after each of its events, as columns: the columnar twin of `timeline`.

Rows are sorted by case and by the one order of events, so "the last message so far" is a running maximum of positions
and no row is looked at by Python. What `step` does to one moment must follow here from the last events of each kind.
"""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.calendars.clocks.event_table import ClockEventTable
from crmcore.calendars.clocks.events import ACTORS, KINDS, RANK, VISIBILITIES, Actor, EventKind, Visibility
from crmcore.calendars.clocks.policy import ClockPolicy, OnResolution, Standing

__all__ = ["CaseRows", "case_rows"]

Truths = NDArray[np.bool_]
Places = NDArray[np.int64]

_AUTOMATION = ACTORS.index(Actor.AUTOMATION)
_AGENT = ACTORS.index(Actor.AGENT)
_PUBLIC = VISIBILITIES.index(Visibility.PUBLIC)


@attrs.frozen(eq=False, repr=False, kw_only=True)
class CaseRows:
    """One row an event up to `now`, sorted; a row stands for the time until the next event of its case."""

    n_cases: int
    case: NDArray[np.int32]  # (n,) code
    start: Places  # (n,) microseconds, when it began
    end: Places  # (n,) when the next event happened, or now
    first: Places  # (n,) place of the first row of its case
    last: Places  # (n,) place of the last row of its case
    born: Places  # (m,) places of creations, one a case that has one
    live: Truths  # (n,) created and not merged
    by_agent: Truths  # (n,) whether the case was opened by an agent
    merges: Truths  # (n,) whether the row is the merge that ends its case
    active: Truths  # (n,)
    resolved: Truths  # (n,)
    waits_for_customer: Truths  # (n,) paused in a status in which it is the customer's turn
    agents_turn: Truths  # (n,) by the last message
    answer: Truths  # (n,) whether the event is a public reply of a human, while live
    acknowledges: Truths  # (n,) whether the event is a receipt or a public reply, while live
    drops: Truths  # (n,) whether the event resolves, and the policy lets that end waiting messages
    replied: Truths  # (n,) whether messages now wait for a next response
    waiting: Truths  # (n,) whether one does
    number: NDArray[np.int32]  # (n,) of the resolution cycle, 0 before the creation
    priority: NDArray[np.int32]  # (n,) code into `to`, -1 = the policy's
    terms: NDArray[np.int32]  # (n,) code into `to`, -1 = the policy's

    def __len__(self) -> int:
        return len(self.case)

    def before(self, column: Truths) -> Truths:
        """Column of the row before, within the case; False at its first row."""
        out = np.zeros(len(column), bool)
        out[1:] = column[:-1]
        out[self.first == np.arange(len(column))] = False
        return out


def _sorted(table: ClockEventTable, now: int) -> ClockEventTable:
    """Rows up to now in the one order of events, exact repeats dropped."""
    at = table.time.astype(np.int64)
    rows = np.flatnonzero(at <= now)
    rows = rows[np.argsort(at[rows])]
    rows = rows[_stable_order(table.case[rows])]
    case, at = table.case[rows], at[rows]
    same = np.zeros(len(rows) + 1, bool)  # row i is of the case and the instant of row i - 1
    same[1:-1] = (case[1:] == case[:-1]) & (at[1:] == at[:-1])
    tied = np.flatnonzero(same[:-1] | same[1:])
    if len(tied):
        run = np.cumsum(~same[:-1])[tied]
        rows, again = _settle_ties(table, rows, tied, run)
        rows = np.delete(rows, again)
    return table.take(rows)


def _settle_ties(table: ClockEventTable, rows: Places, tied: Places, run: Places) -> tuple[Places, Places]:
    """Order rows of one case and instant by kind and what it changes to; also says which repeat the one before."""
    order = np.array(sorted(range(len(table.to.values)), key=table.to.values.__getitem__), np.int64)
    rank = np.zeros(len(order) + 1, np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    held = rows[tied]
    key = table.kind[held].astype(np.int64) * len(rank) + rank[table.to.codes[held]]
    key = (key * len(ACTORS) + table.actor[held]) * len(VISIBILITIES) + table.visibility[held]
    names = table.id.codes[held]
    found = np.lexsort((names, key, run))
    rows = rows.copy()
    rows[tied] = held[found]
    key, names, run = key[found], names[found], run[found]
    repeats = (key[1:] == key[:-1]) & (names[1:] == names[:-1]) & (run[1:] == run[:-1])
    return rows, tied[1:][repeats]


def _stable_order(codes: NDArray[np.int32]) -> Places:
    """Stable order of codes, by two passes over 16 bits each: numpy sorts those by radix, in linear time."""
    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    if len(codes) and int(codes.max()) > 0xFFFF:
        order = order[np.argsort((codes[order] >> 16).astype(np.uint16), kind="stable")]
    return order


class _Last:
    """Place of the last row so far, within the case, for which something holds; -1 where it never held."""

    def __init__(self, first: Places) -> None:
        self._first = first
        self._place = np.arange(len(first), dtype=np.int64)

    def __call__(self, mask: Truths) -> Places:
        found = np.maximum.accumulate(np.where(mask, self._place, -1)) if len(mask) else self._place
        return np.where(found >= self._first, found, -1)


def case_rows(table: ClockEventTable, policy: ClockPolicy, *, now: int) -> CaseRows:
    """Sort the events of a table and find how each case stood after each of them.

    Parameters
    ----------
    table : ClockEventTable
    policy : ClockPolicy
    now : microseconds since 1970
        Later events have not happened yet.
    """
    table = _sorted(table, now)
    n = len(table)
    place = np.arange(n, dtype=np.int64)
    opens = np.concatenate(([True], np.diff(table.case) != 0))[:n]
    heads = np.flatnonzero(opens)
    run = np.cumsum(opens) - 1
    first = heads[run] if n else place
    last = (np.append(heads[1:], n) - 1)[run] if n else place
    so_far = _Last(first)
    at = table.time.astype(np.int64)
    end = np.append(at[1:], now)[:n]
    end[last == place] = now

    kind = table.kind
    is_kind = {k: kind == RANK[k] for k in KINDS}
    born_so_far = _first_so_far(is_kind[EventKind.CREATED], first, so_far)
    created = born_so_far >= 0
    merge_so_far = _first_so_far(is_kind[EventKind.MERGED] & created, first, so_far)
    merges = merge_so_far == place
    live = created & (merge_so_far < 0)
    birth = live & (born_so_far == place)
    by_agent = created & (table.actor[born_so_far] == _AGENT)

    human = table.actor != _AUTOMATION
    public = is_kind[EventKind.AGENT_REPLY] & (table.visibility == _PUBLIC) & live
    answer = public & human
    asks = is_kind[EventKind.CUSTOMER_MESSAGE] & human & live
    standing, waiting_status = _status_tables(table, policy)
    sets = (is_kind[EventKind.STATUS] & (merge_so_far < 0)) | (
        (is_kind[EventKind.RESOLVED] | is_kind[EventKind.CLOSED]) & live
    )
    means = np.where(is_kind[EventKind.STATUS], standing[table.to.codes], _RESOLVED)
    held = so_far(sets)
    opened = so_far(asks | (is_kind[EventKind.REOPENED] & live)) > held
    now_means = np.where((held < 0) | opened, _ACTIVE, means[held])
    resolved, active = live & (now_means == _RESOLVED), live & (now_means == _ACTIVE)
    waits = live & (now_means == _PAUSED) & waiting_status[table.to.codes[held]]

    drops = np.zeros(n, bool)
    if policy.unanswered is not OnResolution.RUN_ON:
        drops = (sets & live & (means == _RESOLVED)) | (birth & resolved)
    settles = answer | drops | (birth & by_agent)
    settled = so_far(settles)
    messages = so_far(asks)
    resolved_before = np.zeros(n, bool)
    resolved_before[1:] = resolved[:-1]
    reopens = live & ~resolved & ~birth & resolved_before & (place != first)
    counted = np.cumsum(reopens)
    number = np.where(created, 1 + counted - (counted - reopens)[first], 0)
    return CaseRows(
        n_cases=len(table.cases),
        case=table.case,
        start=at,
        end=end,
        first=first,
        last=last,
        born=np.flatnonzero(birth),
        live=live,
        by_agent=by_agent,
        merges=merges,
        active=active,
        resolved=resolved,
        waits_for_customer=waits,
        agents_turn=live & (so_far(asks | (birth & ~by_agent)) > so_far(answer | (birth & by_agent))),
        answer=answer,
        acknowledges=public | (is_kind[EventKind.RECEIPT] & live),
        drops=drops,
        replied=live & (settled >= 0),
        waiting=live & (settled >= 0) & (messages > settled),
        number=number.astype(np.int32),
        priority=_named(table, is_kind[EventKind.PRIORITY] & (merge_so_far < 0), so_far),
        terms=_named(table, is_kind[EventKind.POLICY] & (merge_so_far < 0), so_far),
    )


def _first_so_far(mask: Truths, first: Places, so_far: _Last) -> Places:
    """Place of the first row of the case, up to each row, for which something holds; -1 where none has."""
    seen = so_far(mask)
    count = np.cumsum(mask)
    initial = mask & (count - np.where(first > 0, count[first - 1], 0) == 1)
    return np.where(seen >= 0, so_far(initial), -1)


_ACTIVE, _PAUSED, _RESOLVED = range(3)
_MEANS = {Standing.ACTIVE: _ACTIVE, Standing.PAUSED: _PAUSED, Standing.RESOLVED: _RESOLVED}


def _status_tables(table: ClockEventTable, policy: ClockPolicy) -> tuple[NDArray[np.int8], Truths]:
    """Of each word of `to`, and of none: what it means as a status, and whether it waits for the customer."""
    means = [_MEANS[policy.standing(word)] for word in table.to.values]
    waits = [word in policy.waiting_statuses for word in table.to.values]
    return np.array([*means, _ACTIVE], np.int8), np.array([*waits, False])


def _named(table: ClockEventTable, mask: Truths, so_far: _Last) -> NDArray[np.int32]:
    """Word that the last such event named; -1 where there was none."""
    held = so_far(mask)
    found: NDArray[np.int32] = np.where(held < 0, -1, table.to.codes[held]).astype(np.int32)
    return found
