"""The gates of a policy for many contacts at once: which are closed, and when all of them are open."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.calendars.contact_columns import ContactDecisions, period_days
from crmcore.calendars.contact_times import HOUR, CalendarCap, ContactTimes, SlidingCap
from crmcore.idic.interact.contact.audiences import KINDS, Audience, SendTable
from crmcore.idic.interact.contact.messages import Message, MessageClass
from crmcore.idic.interact.contact.policy import Cap, ContactPolicy, Gate, NoZone
from crmcore.zones import DAY, NAT, instants_of_local, local_columns

__all__ = ["Clocks", "GateColumns", "bit"]

Micros = NDArray[np.int64]
GATES = tuple(Gate)


def bit(gate: Gate) -> int:
    """Bit of a gate in a column of reasons."""
    return 1 << GATES.index(gate)


@attrs.frozen(eq=False)
class Clocks:
    """Zones of an audience as codes, unknown ones read as the policy's."""

    zones: tuple[str, ...]
    codes: NDArray[np.intp]
    unknown: NDArray[np.bool_]

    @classmethod
    def of(cls, audience: Audience, policy: ContactPolicy) -> Clocks:
        """Clocks of an audience."""
        known = audience.zone.codes
        zones = (*audience.zone.values, policy.zone)
        return cls(zones, np.where(known < 0, len(zones) - 1, known).astype(np.intp), known < 0)


@attrs.frozen(eq=False)
class CapGroup:
    """Limits that count the same sends."""

    limits: tuple[SlidingCap | CalendarCap, ...]
    us: Micros
    offsets: NDArray[np.int64]

    def rows(self, rows: NDArray[np.intp], n: int) -> tuple[Micros, NDArray[np.int64]]:
        """Sends of some customers."""
        if len(rows) == n:
            return self.us, self.offsets
        begin, counts = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        ends = np.cumsum(counts)
        taken = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begin - (ends - counts), counts)
        return self.us[taken], np.concatenate([[0], ends])


@attrs.define(eq=False)
class GateColumns:
    """Past and planned sends of an audience, and the gates that look at them."""

    policy: ContactPolicy
    audience: Audience
    clocks: Clocks
    history: SendTable | None
    now: int
    planned: list[tuple[NDArray[np.intp], Micros, str, MessageClass]] = attrs.field(factory=list)
    """Rows, instants, channel and class of what this plan sends."""
    _together: dict[tuple[Cap, int], tuple[Micros, NDArray[np.int64]]] = attrs.field(factory=dict)

    def plan(self, rows: NDArray[np.intp], us: Micros, channel: str, kind: MessageClass) -> None:
        """Keep what will be sent: later messages of the plan count it."""
        if len(rows):
            self.planned.append((rows, us, channel, kind))

    def groups(self, message: Message, channel: str) -> tuple[CapGroup, ...]:
        """Caps that bind a message on a channel, together where they count the same sends."""
        if Gate.CAP not in self.policy.gates[message.kind]:
            return ()
        bound = [cap for cap in self.policy.caps if cap.binds(message.kind, channel)]
        joined: dict[object, list[Cap]] = {}
        for i, cap in enumerate(bound):  # a planned send takes room before its time: by how much depends on the limit
            joined.setdefault((cap.channels, cap.kinds, i if self.planned else 0), []).append(cap)
        return tuple(
            CapGroup(tuple(cap.limit_for(message.priority) for cap in caps), *self._counted(caps[0]))
            for caps in joined.values()
        )

    def _counted(self, cap: Cap) -> tuple[Micros, NDArray[np.int64]]:
        """Sends that a cap counts: past ones, and planned ones also for the time before them."""
        n = len(self.audience)
        us, offsets = np.empty(0, np.int64), np.zeros(n + 1, np.int64)
        if self.history is not None:
            us, offsets = _kept(self.history, cap)
        parts = [(rows, at) for rows, at, channel, kind in self.planned if cap.binds(kind, channel)]
        if not parts:
            return us, offsets
        key = (cap, len(self.planned))
        if key not in self._together:
            rows = np.concatenate([rows for rows, _ in parts])
            owners, instants = self._held(cap, rows, np.concatenate([at for _, at in parts]))
            recent = us > self.now - (_length(cap.limit) if isinstance(cap.limit, SlidingCap) else 40 * DAY)
            owner = np.concatenate([np.repeat(np.arange(n), np.diff(offsets))[recent], *owners])
            self._together[key] = _sorted(owner, np.concatenate([us[recent], *instants]), n)
        return self._together[key]

    def _held(self, cap: Cap, rows: NDArray[np.intp], at: Micros) -> tuple[list[NDArray[np.intp]], list[Micros]]:
        """Sends that stand for a planned one: itself, and one earlier by which it holds its slot until then."""
        later = at > self.now
        if isinstance(cap.limit, SlidingCap):
            return [rows, rows[later]], [at, at[later] - _length(cap.limit)]
        begins = at.copy()
        for code in np.unique(self.clocks.codes[rows[later]]):
            mine = np.flatnonzero(later & (self.clocks.codes[rows] == code))
            zone = self.clocks.zones[int(code)]
            day = local_columns(at[mine].view("datetime64[us]"), zone).date
            wall = _first_day(day, cap.limit).astype("datetime64[us]")
            begins[mine] = instants_of_local(wall, zone, gap="first instant").astype(np.int64)
        return [rows], [begins]

    def closed(self, message: Message, channel: str, rows: NDArray[np.intp], at: Micros) -> NDArray[np.int32]:
        """Bits of the clock gates that are closed for rows at their instants."""
        bits = np.zeros(len(rows), np.int32)
        gates = self.policy.gates[message.kind]
        for region, some in self._by_region(rows):
            times = self.policy.times(message.kind, channel, region)
            plan = times.plan
            if not (plan.quiet or plan.ahead or plan.closed):
                continue
            clocks = self.clocks.codes[rows[some]]
            wall = local_columns(at[some].view("datetime64[us]"), self.clocks.zones, zone_codes=clocks)
            if plan.quiet is not None and Gate.QUIET_HOURS in gates:
                start, end = plan.quiet
                clock = wall.wall.astype(np.int64) % DAY
                quiet = ((clock >= start) & (clock < end)) | (clock < end - DAY)
                bits[some[quiet]] |= bit(Gate.QUIET_HOURS)
            if plan.ahead:
                bits[some[np.array(plan.ahead)[wall.weekday - 1] > 0]] |= bit(Gate.WEEKDAY)
            if plan.closed:
                bits[some[np.isin(wall.date.astype(np.int64), plan.closed)]] |= bit(Gate.HOLIDAY)
        return bits

    def full(self, groups: Sequence[CapGroup], rows: NDArray[np.intp], at: Micros) -> NDArray[np.bool_]:
        """Whether a cap is full for rows at their instants."""
        full = np.zeros(len(rows), np.bool_)
        for group in groups:
            full |= ~self._asked(ContactTimes(self.policy.zone, caps=group.limits), group, rows, at).allowed
        return full

    def open_from(
        self, message: Message, channel: str, groups: Sequence[CapGroup], rows: NDArray[np.intp], at: Micros
    ) -> Micros:
        """First instant at + k minutes at which the clock and every cap are open; NaT where there is none."""
        found = at.copy()
        walking = np.arange(len(rows))
        while len(walking):
            before = found[walking]
            us = before
            for region, some in self._by_region(rows[walking]):
                times = self.policy.times(message.kind, channel, region)
                mine = rows[walking[some]]
                us = us.copy()
                us[some] = self._asked(times, None, mine, us[some]).next_allowed.astype(np.int64)
                for group in groups:
                    live = np.flatnonzero(us[some] != NAT)
                    capped = ContactTimes(self.policy.zone, caps=group.limits)
                    asked = self._asked(capped, group, mine[live], us[some[live]])
                    us[some[live]] = asked.next_allowed.astype(np.int64)
            found[walking] = us
            walking = walking[(us != before) & (us != NAT)]
        return found

    def _asked(
        self, times: ContactTimes, group: CapGroup | None, rows: NDArray[np.intp], at: Micros
    ) -> ContactDecisions:
        sends, offsets = (np.empty(0, np.int64), None) if group is None else group.rows(rows, len(self.audience))
        return times.decide_all(
            at.view("datetime64[us]"),
            sends.view("datetime64[us]"),
            offsets,
            zones=self.clocks.zones,
            zone_codes=self.clocks.codes[rows],
        )

    def _by_region(self, rows: NDArray[np.intp]) -> list[tuple[str, NDArray[np.intp]]]:
        """Positions of rows by region; one region where the policy has holidays of everybody only."""
        if not set(self.policy.holidays) - {""}:
            return [("", np.arange(len(rows)))]
        codes = self.audience.region.codes[rows]
        values = (*self.audience.region.values, "")
        return [(values[code], np.flatnonzero(codes == code)) for code in np.unique(codes).tolist()]

    def without_zone(self, message: Message, channel: str, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Rows that are refused because nobody knows what their clock shows."""
        unknown = self.clocks.unknown[rows]
        if self.policy.no_zone is NoZone.ASSUME or not unknown.any():
            return np.zeros(len(rows), np.bool_)
        needs = np.zeros(len(rows), np.bool_)
        for region, some in self._by_region(rows):
            needs[some] = self.policy.passage(message.kind, message.priority, channel, region).needs_zone
        return unknown & needs


def _length(limit: SlidingCap) -> int:
    return round(limit.hours * HOUR)


def _sorted(owner: NDArray[np.intp], us: Micros, n: int) -> tuple[Micros, NDArray[np.int64]]:
    """Instants owner by owner, in order of time within each, and where each owner's begin."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))])
    first = int(us.min())
    span = int(us.max()) - first + 1
    if n * span < 2**63:  # one sort of packed numbers instead of two that keep their order
        return np.sort(owner * span + (us - first)) % span + first, offsets
    return us[np.lexsort((us, owner))], offsets


def _kept(history: SendTable, cap: Cap) -> tuple[Micros, NDArray[np.int64]]:
    kinds = np.isin(np.arange(len(KINDS)), [KINDS.index(kind) for kind in cap.kinds])
    keep = kinds[history.kind]
    if cap.channels:
        keep &= np.array([v in cap.channels for v in history.channel.values] + [False])[history.channel.codes]
    if keep.all():
        return history.us, history.offsets
    return history.us[keep], np.concatenate([[0], np.cumsum(keep)])[history.offsets]


def _first_day(day: NDArray[np.datetime64], limit: CalendarCap) -> NDArray[np.datetime64]:
    """First local day of the period of a calendar cap."""
    return period_days(day.astype(np.int64), limit.period).astype("datetime64[D]")
