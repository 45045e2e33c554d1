"""One visitor of a stream: what is settled, what a late event may still change, and what it changes."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from crmcore.touchpoints.sessions.step import Limits, Walk

__all__ = ["Change", "Part", "Seen", "VisitorState"]


@attrs.frozen(order=True)
class Seen:
    """One event as a stream keeps it; in the order of time, then arrival."""

    time_us: int
    arrival: int
    day: int = attrs.field(default=0, order=False)
    counted: bool = attrs.field(default=True, order=False)
    view: bool = attrs.field(default=False, order=False)
    key: bool = attrs.field(default=False, order=False)
    bucket: int | None = attrs.field(default=None, order=False)  # of its heartbeat, None where it is none
    judging: bool = attrs.field(default=False, order=False)  # of a kind without which a bounce cannot be told
    kind: str | None = attrs.field(default=None, order=False)
    campaign: str | None = attrs.field(default=None, order=False)
    referrer: str | None = attrs.field(default=None, order=False)

    def same_as(self, other: Seen) -> bool:
        """Whether nothing but the arrival tells two events apart."""
        return attrs.evolve(self, arrival=0) == attrs.evolve(other, arrival=0)


@attrs.frozen
class Part:
    """What is known of one session."""

    session: int
    start_us: int
    end_us: int
    events: int = 0
    views: int = 0
    keys: int = 0
    buckets: int = 0
    last_bucket: int | None = None
    judged: bool = False

    def with_event(self, event: Seen) -> Part:
        """Part that also holds an event not earlier than those it has."""
        fresh = event.bucket is not None and event.bucket != self.last_bucket
        return Part(
            self.session,
            self.start_us,
            event.time_us if event.counted else self.end_us,
            self.events + event.counted,
            self.views + (event.counted and event.view),
            self.keys + (event.counted and event.key),
            self.buckets + fresh,
            event.bucket if event.bucket is not None else self.last_bucket,
            self.judged or event.judging,
        )


@attrs.frozen
class Change:
    """What happened to a session of one visitor; `was`: sessions it took events from, `gone`: those that ended."""

    kind: str
    part: Part | None
    was: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()


@attrs.define(kw_only=True)
class VisitorState:
    """Sessions of one visitor: a settled walk, and the events after it that a late one may still rearrange."""

    settled: Walk
    settled_part: Part | None = None  # the session that was open when the last settled event came
    recent: list[Seen] = attrs.field(factory=list)
    of: list[int | None] = attrs.field(factory=list)  # session of each recent event
    head: Walk = attrs.field(init=False)  # after the last recent event
    parts: dict[int, Part] = attrs.field(init=False, factory=dict)  # sessions that are not final

    def __attrs_post_init__(self) -> None:
        self._follow()

    @classmethod
    def begin(cls, limits: Limits) -> VisitorState:
        """A visitor of whom nothing was seen."""
        return cls(settled=Walk(limits))

    @property
    def last_us(self) -> int:
        """Time of the last event."""
        return self.head.last_us

    def _fold(self) -> Iterator[tuple[Seen, bool, bool]]:
        """Recent events with whether each is in a session and whether it opens one; leaves the head after the last."""
        self.head = attrs.evolve(self.settled)
        for event in self.recent:
            opens, _ = _take(self.head, event)
            yield event, self.head.open, opens

    def _follow(self) -> None:
        """Make what can be made again from the sessions of recent events."""
        self.parts = {} if self.settled_part is None else {self.settled_part.session: self.settled_part}
        for (event, inside, opens), session in zip(self._fold(), self.of, strict=True):
            if inside and session is not None:
                old = Part(session, event.time_us, event.time_us) if opens else self.parts[session]
                self.parts[session] = old.with_event(event)

    def observe(self, event: Seen, fresh: Callable[[], int]) -> list[Change]:
        """Take an event that is not before what is settled; `fresh` numbers new sessions."""
        if self.recent and event < self.recent[-1]:
            return self._rearrange(event, fresh)
        opens, _ = _take(self.head, event)
        self.recent.append(event)
        if not self.head.open:
            self.of.append(None)
            return [Change("outside", None)]
        part = Part(fresh(), event.time_us, event.time_us) if opens else self._open_part()
        self.of.append(part.session)
        part = self.parts[part.session] = part.with_event(event)
        return [Change("opened" if opens else "extended", part)]

    def _open_part(self) -> Part:
        """The session that the last event is in."""
        last = self.of[-1] if self.of else None
        if last is not None:
            return self.parts[last]
        assert self.settled_part is not None
        return self.settled_part

    def _rearrange(self, event: Seen, fresh: Callable[[], int]) -> list[Change]:
        """Insert a late event, cut again from what is settled, and tell what became of each session."""
        before, old_parts = dict(zip(self.recent, self.of, strict=True)), self.parts
        insort(self.recent, event)
        groups: list[list[Seen]] = []
        joined = False  # whether the first group goes on with the settled session
        places: list[int | None] = []
        for row, inside, opens in self._fold():
            if opens or (inside and not groups):
                joined = joined or not opens
                groups.append([])
            places.append(len(groups) - 1 if inside else None)
            if inside:
                groups[-1].append(row)
        claims = [list(dict.fromkeys(s for s in map(before.get, group) if s is not None)) for group in groups]
        if joined and self.settled_part is not None:
            own = self.settled_part.session
            claims[0] = [own, *(s for s in claims[0] if s != own)]
        taken: set[int] = set()
        if self.settled_part is not None and not joined:
            taken.add(self.settled_part.session)  # it stands as it was settled
        names: list[int] = []
        for claim in claims:
            free = [s for s in claim if s not in taken]
            names.append(free[0] if free else fresh())
            taken.add(names[-1])
        self.of = [None if p is None else names[p] for p in places]
        self._follow()
        return self._changes(old_parts, names, claims)

    def _changes(self, old: dict[int, Part], names: list[int], claims: list[list[int]]) -> list[Change]:
        """What became of each session, those that cover the most ground last."""
        if self.settled_part is not None and self.settled_part.session not in names:
            names, claims = [self.settled_part.session, *names], [[self.settled_part.session], *claims]
        claimed = [s for claim in claims for s in claim]
        lost = set(old) - set(names)
        found: list[Change] = []
        for name, claim in zip(names, claims, strict=True):
            part, was = self.parts[name], old.get(name)
            gone = tuple(s for s in claim if s in lost)
            lost -= set(gone)
            if part == was and not gone:
                continue
            if not claim:
                kind = "opened"
            elif len(claim) > 1:
                kind = "merged"
            elif name not in claim or claimed.count(claim[0]) > 1:
                kind = "split"
            else:
                kind = "extended"
            found.append(Change(kind, part, tuple(claim), gone))
        return found

    def settle(self, before_us: int, gap_us: int) -> list[Change]:
        """Fold what no event can come before any more, and let go of sessions that nothing can change."""
        count = 0
        closed: list[Change] = []
        for event, session in zip(self.recent, self.of, strict=True):
            if event.time_us >= before_us:
                break
            opens, _ = _take(self.settled, event)
            if self.settled_part is not None and (opens or not self.settled.open):
                closed.append(Change("closed", self.settled_part))
                self.settled_part = None
            if self.settled.open and session is not None:
                old = Part(session, event.time_us, event.time_us) if opens else self.settled_part
                assert old is not None
                self.settled_part = old.with_event(event)
            count += 1
        if count:
            del self.recent[:count], self.of[:count]
        if self.settled_part is not None and before_us - self.settled.last_us >= gap_us:
            closed.append(Change("closed", self.settled_part))
            self.settled_part, self.settled.open = None, False
        for change in closed:
            assert change.part is not None
            self.parts.pop(change.part.session, None)
        return closed

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        walk = attrs.asdict(self.settled, filter=lambda a, _: a.name != "limits")
        part = None if self.settled_part is None else list(attrs.astuple(self.settled_part))
        return {
            "walk": walk,
            "part": part,
            "recent": [list(attrs.astuple(e)) for e in self.recent],
            "of": list(self.of),
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any], limits: Limits) -> VisitorState:
        """Read what `to_dict` wrote."""
        part = fields["part"]
        return cls(
            settled=Walk(limits, **fields["walk"]),
            settled_part=None if part is None else Part(*part),
            recent=[Seen(*e) for e in fields["recent"]],
            of=list(fields["of"]),
        )


def _take(walk: Walk, event: Seen) -> tuple[bool, int]:
    return walk.take(
        event.time_us, day=event.day, counted=event.counted, campaign=event.campaign, referrer=event.referrer
    )
