"""Contact times for a whole population: the same walk from change to change, on columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from crmcore._base import html_table
from crmcore.calendars.contact_times import ContactTimes
from crmcore.calendars.contact_walk import CapPeriod, ContactReason, Plan, count_in_period
from crmcore.errors import BadRow, BadRows, OutOfRange
from crmcore.zones import DAY, EARLIEST, LATEST, MINUTE, NAT, as_instants, check_years, offset_table

__all__ = ["CapColumn", "ContactColumns", "ContactDecisions", "Sends", "decide_columns", "period_days"]

Micros = NDArray[np.int64]
REASONS = tuple(ContactReason)


@attrs.frozen(eq=False, repr=False)
class ContactDecisions:
    """Decisions about many contacts; row i is contact i."""

    at: NDArray[np.datetime64]
    reason_code: NDArray[np.int8]
    """(n,) position in `ContactReason` of the first rule that blocks, -1 where it is allowed."""
    cap_code: NDArray[np.int8]
    """(n,) position of the full cap among the rules' caps, -1 where the reason is no cap."""
    next_allowed: NDArray[np.datetime64]
    """(n,) first instant at + k whole minutes that passes, in UTC; NaT where none ever does."""
    never_because: str = ""

    def __len__(self) -> int:
        return len(self.reason_code)

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """Whether each contact may be written to now."""
        return self.reason_code < 0

    def reasons(self) -> list[str | None]:
        """Reason of each contact in words."""
        words = (*(reason.value for reason in REASONS), None)
        return [words[code] for code in self.reason_code.tolist()]

    def counts(self) -> dict[str, int]:
        """How many contacts are allowed, and how many wait for which reason first."""
        found = np.bincount(self.reason_code + 1, minlength=len(REASONS) + 1).tolist()
        return dict(zip(("allowed", *(reason.value for reason in REASONS)), found, strict=True))

    def __repr__(self) -> str:
        parts = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in self.counts().items())
        return f"ContactDecisions({len(self):,} contacts: {parts})"

    def _repr_html_(self) -> str:
        rows = [{"first reason": what.replace("_", " "), "contacts": n} for what, n in self.counts().items()]
        return html_table(rows, caption=f"contact times of {len(self):,} contacts")

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a contact: at, allowed, reason, cap, next_allowed."""
        from crmcore._frames import write_frame

        columns: dict[str, Any] = {
            "at": np.broadcast_to(self.at, len(self)),
            "allowed": self.allowed,
            "reason": self.reasons(),
            "cap": self.cap_code,
            "next_allowed": self.next_allowed,
        }
        return write_frame(columns, backend=backend)


@attrs.frozen
class ZoneGrid:
    """Offsets of several zones over one span, as columns of equal height."""

    starts: Micros  # (k, z) padded with the end of time
    offsets: Micros  # (k, z)
    odd: NDArray[np.bool_]  # (z,) a clock went back over a midnight that had passed

    def look(self, us: Micros, zone: NDArray[np.intp]) -> tuple[Micros, Micros]:
        """Offset of each instant in its zone, and the end of that stretch."""
        if len(self.starts) == 1:
            return self.offsets[0][zone], np.full(len(us), FAR)
        row = np.zeros(len(us), np.intp)
        for starts in self.starts[1:]:
            row += us >= starts[zone]
        later = np.minimum(row + 1, len(self.starts) - 1)
        ends = self.starts[later, zone]
        return self.offsets[row, zone], np.where(later == row, FAR, ends)

    def first_instants(self, wall: Micros, zone: NDArray[np.intp]) -> Micros:
        """First instant at which a zone's clock shows a wall time or a later one."""
        found = np.full(len(wall), FAR)
        for k in range(len(self.starts)):
            start = self.starts[k, zone]
            end = self.starts[k + 1, zone] if k + 1 < len(self.starts) else np.full(len(wall), FAR)
            reached = np.maximum(start, wall - self.offsets[k, zone])
            found = np.minimum(found, np.where((reached < end) & (start < FAR), reached, FAR))
        return found


FAR = int(np.iinfo(np.int64).max // 4)


def zone_grid(zones: Sequence[str], since: int, until: int) -> ZoneGrid:
    """Offsets of zones over [since, until)."""
    tables = [offset_table(zone, max(since, EARLIEST), min(until, LATEST)) for zone in zones]
    parts = []
    for table in tables:  # only the stretches that reach into the span
        keep = np.append(table.starts[1:], FAR) > since
        keep &= table.starts < until
        parts.append((table.starts[keep], table.offsets[keep]))
    height = max(len(starts) for starts, _ in parts)
    starts = np.full((height, len(zones)), FAR)
    offsets = np.zeros((height, len(zones)), np.int64)
    odd = np.zeros(len(zones), bool)
    for z, (begins, steps) in enumerate(parts):
        starts[: len(begins), z] = begins
        offsets[: len(begins), z] = steps
        before, after = (begins[1:] + steps[:-1] - 1) // DAY, (begins[1:] + steps[1:]) // DAY
        odd[z] = bool((after < before).any())
    return ZoneGrid(starts, offsets, odd)


@attrs.frozen(eq=False)
class Sends:
    """Earlier sends, contact by contact, sorted within each."""

    us: Micros
    offsets: NDArray[np.int64]
    latest: int

    @classmethod
    def of(cls, us: Micros, offsets: NDArray[np.int64]) -> Sends:
        """Sends that stand in order."""
        return cls(us, offsets, int(us.max(initial=EARLIEST)))

    def joined(self, rows: NDArray[np.intp], us: Micros) -> Sends:
        """With further sends of rows, in any order."""
        order = np.argsort(rows, kind="stable")  # fast where they come in few runs
        if ((np.diff(rows[order]) == 0) & (np.diff(us[order]) < 0)).any():
            order = np.lexsort((us, rows))
        rows, us = rows[order], us[order]
        place = self.held(us, rows) + np.arange(len(us))
        old = np.ones(len(self.us) + len(us), np.bool_)
        old[place] = False
        both = np.empty(len(old), np.int64)
        both[place], both[old] = us, self.us
        counts = np.bincount(rows, minlength=len(self.offsets) - 1)
        return Sends.of(both, self.offsets + np.concatenate([[0], np.cumsum(counts)]))

    def held(self, at: Micros, rows: NDArray[np.intp], *, least: int = 1) -> NDArray[np.int64]:
        """Position after each row's last send that is not later than its instant; of all where there are too few."""
        high = self.offsets[rows + 1].copy()
        if not len(self.us):
            return high
        if self.latest <= int(at.min(initial=LATEST)):
            return high
        low = self.offsets[rows]
        late = (high - low >= least) & (self.us[np.maximum(high - 1, 0)] > at)
        floor, ceiling, wanted = low[late], high[late] - 1, at[late]
        todo = np.flatnonzero(floor < ceiling)
        while len(todo):  # bisection of all rows at once
            middle = (floor[todo] + ceiling[todo]) // 2
            up = self.us[middle] <= wanted[todo]
            floor[todo[up]], ceiling[todo[~up]] = middle[up] + 1, middle[~up]
            todo = todo[floor[todo] < ceiling[todo]]
        high[late] = floor
        return high


@attrs.frozen(eq=False)
class CapColumn:
    """A cap, and the sends of everybody that it counts."""

    length: int  # microseconds, 0 for a calendar period
    period: CapPeriod | None
    most: int
    sends: Sends


@attrs.frozen(eq=False)
class ContactColumns:
    """Rules of the clock, and caps that count different sends, for rows of a population."""

    clock: Plan
    caps: tuple[CapColumn, ...]
    zones: tuple[str, ...]

    def full(self, us: Micros, rows: NDArray[np.intp], codes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether a cap is full for rows, of zones `codes`, at their instants."""
        full = np.zeros(len(us), np.bool_)
        if len(us) and self.caps:
            grid = zone_grid(self.zones, int(us.min()) - 40 * DAY, int(us.max()) + 1)
            some = _Rows(us, rows, codes, *grid.look(us, codes))
            for cap in self.caps:
                full[_cap_full(cap, some, grid=grid, zones=self.zones)[0]] = True
        return full

    def following(
        self, us: Micros, rows: NDArray[np.intp], codes: NDArray[np.intp], *, blocked_until: Micros | None = None
    ) -> Micros:
        """First instant at + k whole minutes that passes; rows leave the walk when nothing blocks them.

        `blocked_until` are such instants of their own, before which nothing passes.
        """
        found = us.copy() if blocked_until is None else blocked_until.copy()
        walking = np.arange(len(us))
        while len(walking):
            now = found[walking]
            until = self._blocked_until(now, rows[walking], codes[walking])
            blocked = until > now
            walking = walking[blocked]
            start = us[walking]
            found[walking] = start + -(-(until[blocked] - start) // MINUTE) * MINUTE
        return found

    def _blocked_until(self, us: Micros, rows: NDArray[np.intp], codes: NDArray[np.intp]) -> Micros:
        """Instant before which a rule that blocks now surely goes on blocking; the row's own where none does."""
        plan = self.clock
        grid = zone_grid(self.zones, int(us.min()) - 40 * DAY, int(us.max()) + 40 * DAY)
        offset, end = grid.look(us, codes)
        day, clock = np.divmod(us + offset, DAY)
        until = us.copy()
        if plan.quiet is not None:
            start, over = plan.quiet
            early = clock < over - DAY
            quiet = early | ((clock >= start) & (clock < over))
            until = np.where(quiet, np.minimum(us + over - clock - early * DAY, end), until)
        if plan.ahead:
            days = np.array(plan.ahead)[(day + 3) % 7]
            until = np.where(days > 0, np.maximum(until, np.minimum(us + days * DAY - clock, end)), until)
        if plan.closed:
            until = np.where(np.isin(day, plan.closed), np.maximum(until, np.minimum(us + DAY - clock, end)), until)
        some = _Rows(us, rows, codes, offset, end)
        for cap in self.caps:
            full, release = _cap_full(cap, some, grid=grid, zones=self.zones)
            until[full] = np.maximum(until[full], release)
        return until


def decide_columns(
    times: ContactTimes,
    at: ArrayLike,
    sends: ArrayLike,
    offsets: ArrayLike | None,
    *,
    zones: Sequence[str],
    zone_codes: ArrayLike | None,
) -> ContactDecisions:
    """Decide about many contacts; see `ContactTimes.decide_all`."""
    instants = as_instants(at, "at")
    n = _rows(instants, offsets, zone_codes)
    us = np.broadcast_to(instants.astype(np.int64), n)
    codes = np.zeros(n, np.intp) if zone_codes is None else np.asarray(zone_codes, np.intp)
    _check(instants, codes, len(zones))
    held = _sorted_sends(sends, offsets, n)
    reason, cap = np.full(n, -1, np.int8), np.full(n, -1, np.int8)
    following = us.copy()
    if n:
        rules = ContactColumns(
            times.plan, tuple(CapColumn(*numbers, held) for numbers in times.plan.caps), tuple(zones)
        )
        _first_reasons(rules, us, codes, reason, cap)
        waiting = np.flatnonzero(reason >= 0)
        if times.never_because:
            following[waiting] = NAT
        else:
            following[waiting] = rules.following(us[waiting], waiting, codes[waiting])
    return ContactDecisions(instants, reason, cap, following.astype("datetime64[us]"), times.never_because)


def _rows(at: NDArray[np.datetime64], offsets: ArrayLike | None, zone_codes: ArrayLike | None) -> int:
    sizes = {"at": at.size} if at.ndim else {}
    if offsets is not None:
        sizes["offsets"] = max(len(np.asarray(offsets)) - 1, 0)
    if zone_codes is not None:
        sizes["zone_codes"] = len(np.asarray(zone_codes))
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise OutOfRange("contacts", told, "the same number everywhere", "offsets has one entry more than contacts")
    return next(iter(sizes.values()), 1)


def _check(at: NDArray[np.datetime64], codes: NDArray[np.intp], n_zones: int) -> None:
    missing = np.flatnonzero(np.isnat(np.atleast_1d(at)))
    if len(missing):
        problem = BadRow("at", "no instant", tuple(missing.tolist()))
        raise BadRows("decide_all", (problem,), "leave out contacts without an instant")
    odd = np.flatnonzero((codes < 0) | (codes >= n_zones))
    if len(odd):
        samples = tuple(str(codes[i]) for i in odd[:5])
        problem = BadRow("zone_codes", f"not from 0 to {n_zones - 1}", tuple(odd.tolist()), samples)
        raise BadRows("decide_all", (problem,), "number the zones as they stand in zones=")
    for us in (int(at.astype(np.int64).min()), int(at.astype(np.int64).max())) if at.size else ():
        check_years(us, "at")


def _sorted_sends(sends: ArrayLike, offsets: ArrayLike | None, n: int) -> Sends:
    us = as_instants(sends, "sends").astype(np.int64)
    places = np.zeros(n + 1, np.int64) if offsets is None else np.asarray(offsets, np.int64)
    if places[0] != 0 or places[-1] != len(us) or (np.diff(places) < 0).any():
        raise OutOfRange(
            "offsets", f"{places[0]} to {places[-1]}", f"rising from 0 to {len(us)} sends", "see decide_all"
        )
    missing = np.flatnonzero(us == NAT)
    if len(missing):
        problem = BadRow("sends", "no instant", tuple(missing.tolist()))
        raise BadRows("decide_all", (problem,), "leave out sends without an instant")
    falls = np.flatnonzero(us[1:] < us[:-1]) + 1
    first = np.zeros(len(us) + 1, np.bool_)
    first[places] = True
    if not first[falls].all():
        us = us[np.lexsort((us, np.repeat(np.arange(n), np.diff(places))))]
    return Sends.of(us, places)


def _first_reasons(
    rules: ContactColumns, us: Micros, codes: NDArray[np.intp], reason: NDArray[np.int8], cap: NDArray[np.int8]
) -> None:
    """Fill in the first reason of every row."""
    plan = rules.clock
    grid = zone_grid(rules.zones, int(us.min()) - 40 * DAY, int(us.max()) + 1)
    offset, end = grid.look(us, codes)
    day, clock = np.divmod(us + offset, DAY)
    if plan.closed:
        reason[np.isin(day, plan.closed)] = REASONS.index(ContactReason.HOLIDAY)
    if plan.ahead:
        reason[np.array(plan.ahead)[(day + 3) % 7] > 0] = 1
    if plan.quiet is not None:
        reason[_quiet(clock, plan.quiet)] = 0
    rows = np.flatnonzero(reason < 0)
    some = _Rows(us, np.arange(len(us)), codes, offset, end)
    some = some.take(rows) if len(rows) < len(us) else some
    for i, column in enumerate(rules.caps):
        full, _ = _cap_full(column, some, grid=grid, zones=rules.zones)
        reason[some.rows[full]], cap[some.rows[full]] = REASONS.index(ContactReason.CAP), i
        if len(full):
            some = some.take(np.flatnonzero(reason[some.rows] < 0))


def _quiet(clock: Micros, quiet: tuple[int, int]) -> NDArray[np.bool_]:
    start, end = quiet
    return ((clock >= start) & (clock < end)) | (clock < end - DAY)


@attrs.frozen
class _Rows:
    """Contacts that are looked at, and what their walls show."""

    us: Micros
    rows: NDArray[np.intp]
    codes: NDArray[np.intp]
    offset: Micros
    end: Micros  # of the stretch of one offset

    def take(self, chosen: NDArray[Any]) -> _Rows:
        """Some of them."""
        return _Rows(self.us[chosen], self.rows[chosen], self.codes[chosen], self.offset[chosen], self.end[chosen])


def _cap_full(cap: CapColumn, some: _Rows, *, grid: ZoneGrid, zones: Sequence[str]) -> tuple[NDArray[np.intp], Micros]:
    """Positions of the rows whose cap is full, and the instants before which it surely stays so."""
    length, period, most, sends = cap.length, cap.period, cap.most, cap.sends
    if most == 0:
        return np.arange(len(some.us)), some.us
    oldest = sends.held(some.us, some.rows, least=most) - most
    enough = np.flatnonzero(oldest >= sends.offsets[some.rows])
    first = sends.us[oldest[enough]] if len(enough) else np.empty(0, np.int64)
    if period is None:
        full = first + length > some.us[enough]
        return enough[full], first[full] + length
    some = some.take(enough)
    day = (some.us + some.offset) // DAY
    begins = period_days(day, period) * DAY
    since = begins - some.offset
    moved, _ = grid.look(since - 1, some.codes)  # before it, because a clock may go back to the very midnight (Havana)
    changed = moved != some.offset
    if changed.any():
        since[changed] = grid.first_instants(begins[changed], some.codes[changed])
    full = first >= since
    for i in np.flatnonzero(grid.odd[some.codes]).tolist():  # such a period may have two parts
        own = sends.us[sends.offsets[some.rows[i]] : sends.offsets[some.rows[i] + 1]]
        held = own[own <= some.us[i]].tolist()
        full[i] = count_in_period(held, int(day[i]), period, zones[int(some.codes[i])]) >= most
    ends = period_days(day[full], period, after=True) * DAY - some.offset[full]
    return enough[full], np.minimum(ends, some.end[full])


def period_days(day: Micros, period: CapPeriod, *, after: bool = False) -> Micros:
    """First local day of the period that holds each day, or of the next period."""
    if period is CapPeriod.DAY:
        return day + after
    if period is CapPeriod.WEEK:
        return day - (day + 3) % 7 + 7 * after
    months = day.astype("datetime64[D]").astype("datetime64[M]") + int(after)
    return months.astype("datetime64[D]").astype(np.int64)
