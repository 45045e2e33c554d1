"""The gates of a policy for many contacts at once: which are closed, and when all of them are open."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.calendars.contact_columns import CapColumn, ContactColumns, Sends, period_days
from crmcore.calendars.contact_times import HOUR, CalendarCap, SlidingCap
from crmcore.calendars.contact_walk import Plan
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
    _sends: dict[tuple[object, ...], tuple[Sends, int]] = attrs.field(factory=dict)
    """What each cap counts, and how many of the planned it has counted so far."""
    _closed_until: dict[tuple[MessageClass, str, int], Micros] = attrs.field(factory=dict)
    """(n,) by class, channel and start: what an earlier message of the plan found. None of a later one goes sooner, for
    sends are only added, and lower priorities have no more room."""

    def plan(self, rows: NDArray[np.intp], us: Micros, channel: str, kind: MessageClass) -> None:
        """Keep what will be sent: later messages of the plan count it."""
        if len(rows):
            self.planned.append((rows, us, channel, kind))

    def caps(self, message: Message, channel: str) -> tuple[CapColumn, ...]:
        """Caps that bind a message on a channel, and what they count by now."""
        if Gate.CAP not in self.policy.gates[message.kind]:
            return ()
        bound = [cap for cap in self.policy.caps if cap.binds(message.kind, channel)]
        return tuple(CapColumn(*cap.numbers(message.priority), self._counted(cap)) for cap in bound)

    def _counted(self, cap: Cap) -> Sends:
        """Sends that a cap counts from now on: recent ones, and planned ones also for the time before them."""
        key = cap.channels, cap.kinds, *cap.numbers(cap.for_priority)[:2]
        sends, done = self._sends.get(key) or (self._recent(cap), 0)
        parts = [(rows, at) for rows, at, channel, kind in self.planned[done:] if cap.binds(kind, channel)]
        if parts:
            owners, instants = self._held(cap, *map(np.concatenate, zip(*parts, strict=True)))
            sends = sends.joined(np.concatenate(owners), np.concatenate(instants))
        self._sends[key] = sends, len(self.planned)
        return sends

    def _recent(self, cap: Cap) -> Sends:
        """Past sends that a cap counts at any instant from now on."""
        if self.history is None:
            return Sends.of(np.empty(0, np.int64), np.zeros(len(self.audience) + 1, np.int64))
        if isinstance(cap.limit, SlidingCap):
            since = self.now - _length(cap.limit)
        else:  # two days for clocks behind UTC, two for those ahead of it
            since = int(period_days(np.array([self.now // DAY - 2]), cap.limit.period)[0] - 2) * DAY
        return Sends.of(*_kept(self.history, cap, since=since))

    def _held(self, cap: Cap, rows: NDArray[np.intp], at: Micros) -> tuple[list[NDArray[np.intp]], list[Micros]]:
        """Sends that stand for a planned one: itself, and one earlier by which it holds its slot until then."""
        later = at > self.now
        if isinstance(cap.limit, SlidingCap):
            return [rows[later], rows], [at[later] - _length(cap.limit), at]
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

    def full(self, caps: tuple[CapColumn, ...], rows: NDArray[np.intp], at: Micros) -> NDArray[np.bool_]:
        """Whether a cap is full for rows at their instants."""
        return ContactColumns(Plan(None, (), ()), caps, self.clocks.zones).full(at, rows, self.clocks.codes[rows])

    def open_from(
        self, message: Message, channel: str, caps: tuple[CapColumn, ...], rows: NDArray[np.intp], at: Micros
    ) -> Micros:
        """First instant at + k minutes at which the clock and every cap are open; NaT where there is none."""
        key = message.kind, channel, max(self.now, message.span[0])
        closed = self._closed_until.setdefault(key, np.full(len(self.audience), key[2]))
        found = np.full(len(rows), NAT)
        for region, some in self._by_region(rows):
            times, mine = self.policy.times(message.kind, channel, region), rows[some]
            if not times.never_because and all(cap.most for cap in caps):
                rules = ContactColumns(times.plan, caps, self.clocks.zones)
                codes = self.clocks.codes[mine]
                closed[mine] = rules.following(at[some], mine, codes, blocked_until=closed[mine])
                found[some] = closed[mine]
        return found

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


def _kept(history: SendTable, cap: Cap, *, since: int) -> tuple[Micros, NDArray[np.int64]]:
    """Sends after an instant that a cap counts."""
    keep = history.us > since
    if set(cap.kinds) != set(KINDS):
        keep &= np.isin(np.arange(len(KINDS)), [KINDS.index(kind) for kind in cap.kinds])[history.kind]
    if cap.channels:
        keep &= np.array([v in cap.channels for v in history.channel.values] + [False])[history.channel.codes]
    return history.us[keep], np.concatenate([[0], np.cumsum(keep)])[history.offsets]


def _first_day(day: NDArray[np.datetime64], limit: CalendarCap) -> NDArray[np.datetime64]:
    """First local day of the period of a calendar cap."""
    return period_days(day.astype(np.int64), limit.period).astype("datetime64[D]")
