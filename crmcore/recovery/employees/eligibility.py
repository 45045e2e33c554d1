"""Who may take a piece of work now, and every reason why the others may not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars.errors import NoOpening
from crmcore.choice.picking import Refused, decided_by, first_of
from crmcore.recovery.employees.desk import Desk, DeskLoad
from crmcore.recovery.employees.people import Agent
from crmcore.recovery.employees.routing import Assigned, Prefer, Unassigned
from crmcore.recovery.employees.work import Work
from crmcore.values import Money
from crmcore.zones import NAT, from_us, to_us, zone_of

__all__ = ["Sweep"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

ROOM = 1e-9  # capacity is a sum of units, and floats round


class Sweep:
    """One moment of a desk: what is the same for all work is found once, the load moves with each piece taken."""

    def __init__(self, desk: Desk, now: datetime, load: DeskLoad, prefer: tuple[Prefer, ...]) -> None:
        self.desk, self.now, self.prefer = desk, now, prefer
        self.day = now.astimezone(zone_of(desk.zone)).date()
        n = len(desk.agents)
        self.capacity = np.array([a.capacity for a in desk.agents], np.float64)
        self.on_duty: Bools = np.array([a.on_duty(now) for a in desk.agents], np.bool_)
        self.open = np.array(load.open_units, np.float64)
        self.taken = np.array(load.taken, np.int64)
        self.last = np.array(load.last_taken, np.int64)
        self.resting = np.array(load.resting_until, np.int64)
        self.hard = np.array(load.hard_lately, np.int64)
        self.stop = np.array(load.no_more_hard, np.bool_)
        self.rested: Bools = ~(self.resting > to_us(now))
        self.by_id = np.arange(n)  # agents of a desk are in the order of their ids
        self._levels = self._all_levels()
        self._skilled: dict[tuple[tuple[str, int], ...], Bools] = {}
        self._surplus: dict[tuple[tuple[str, int], ...], Floats] = {}
        self._allowed: dict[tuple[str, Money | None], Bools] = {}

    def _all_levels(self) -> NDArray[np.int64]:
        """Levels by agent of the desk and skill; agents without certificates have 0."""
        matrix = self.desk.skills
        rows = {name: i for i, name in enumerate(matrix.agents)}
        levels = np.vstack([matrix.levels(self.day), np.zeros((1, len(matrix.skills)), np.int64)])
        return levels[[rows.get(name, -1) for name in self.desk.ids]]

    def load(self) -> DeskLoad:
        """Load as it stands."""
        return DeskLoad(self.desk.ids, self.open, self.taken, self.last, self.resting, self.hard, self.stop)

    def skilled(self, needs: Mapping[str, int]) -> Bools:
        """(n,) who holds every level that is needed."""
        key = tuple(needs.items())
        if key not in self._skilled:
            known = self.desk.skills.skills
            ok = np.ones(len(self.desk.agents), np.bool_)
            for skill, level in key:
                ok &= self._levels[:, known.index(skill)] >= level if skill in known else False
            self._skilled[key] = ok
            wanted = np.array([needs.get(skill, 0) for skill in known], np.int64)
            self._surplus[key] = np.maximum(self._levels - wanted, 0).sum(axis=1).astype(np.float64)
        return self._skilled[key]

    def allowed(self, work: Work) -> Bools:
        """(n,) who may decide alone what the work asks for."""
        limits = self.desk.limits
        if limits is None or not work.action:
            return np.ones(len(self.desk.agents), np.bool_)
        key = (work.action, work.amount)
        if key not in self._allowed:
            may = {
                grade: grade in limits.grades and limits.decide(work.action, work.amount, grade=grade).alone
                for grade in {a.grade for a in self.desk.agents}
            }
            self._allowed[key] = np.array([may[a.grade] for a in self.desk.agents], np.bool_)
        return self._allowed[key]

    def is_hard(self, work: Work) -> bool:
        """Whether the rule calls it a hard case."""
        rule = self.desk.support
        return rule is not None and rule.is_hard(work.severity, work.distress)

    def take(self, work: Work, due: datetime | None) -> Assigned | Unassigned:
        """Give the work to the best who may take it, and count it as theirs."""
        needs = self.desk.needs(work)
        room = self.open + work.units <= self.capacity + ROOM
        able = self.on_duty & self.rested & self.skilled(needs) & self.allowed(work) & room
        hard = self.is_hard(work)
        if hard:
            able &= ~self.stop
        if work.not_to:
            able &= ~np.isin(self.desk.ids, work.not_to)
        keys = self._keys(work, needs)
        best = first_of(able, list(keys.values()), self.by_id)
        if not len(best):
            return self._nobody(work, needs, due)
        i = int(best[0])
        self.open[i] += work.units
        self.taken[i] += 1
        self.last[i] = to_us(self.now)
        if hard:
            self.hard[i] += 1
            most = self.desk.support.most_hard if self.desk.support else None
            self.stop[i] |= most is not None and self.hard[i] >= most
        return Assigned(
            work=work.id, agent=self.desk.agents[i].id, at=self.now, due=due, severity=work.severity,
            decided_by=decided_by(keys, best), eligible=int(able.sum()),
        )  # fmt: skip

    def _keys(self, work: Work, needs: Mapping[str, int]) -> dict[str, Floats]:
        keys: dict[str, Floats] = {}
        for key in self.prefer:
            if key is Prefer.KNOWN:
                if work.prefers:
                    keys[key.value] = np.array([a.id != work.prefers for a in self.desk.agents], np.float64)
            elif key is Prefer.LEAST_LOADED:
                keys[key.value] = np.round((self.open + work.units) / self.capacity, 9)
            elif key is Prefer.FEWEST_LATELY:
                keys[key.value] = self.taken.astype(np.float64)
            elif key is Prefer.LEAST_SURPLUS:
                keys[key.value] = self._surplus[tuple(needs.items())]
            else:
                keys[key.value] = self.last.astype(np.float64)
        return keys

    def _nobody(self, work: Work, needs: Mapping[str, int], due: datetime | None) -> Unassigned:
        refused, back = [], []
        for i, agent in enumerate(self.desk.agents):
            time, other = self._time_reasons(i, agent), self._other_reasons(i, agent, work, needs)
            refused.append(Refused(agent.id, (*time, *other)))
            if time and not other:
                found = self._back(i, agent)
                back += [] if found is None else [found]
        earliest = min(back, key=lambda at: at.timestamp()) if back else None
        return Unassigned(
            work=work.id, at=self.now, due=due, severity=work.severity, refused=tuple(refused), earliest=earliest
        )

    def _time_reasons(self, i: int, agent: Agent) -> tuple[str, ...]:
        reasons = []
        if agent.hours is not None and not agent.hours.is_open(self.now):
            reasons.append("not on duty")
        until = agent.away_until(self.now)
        if until is not None:
            reasons.append(f"away until {until}")
        if not self.rested[i]:
            reasons.append(f"rests until {from_us(int(self.resting[i]), self.desk.zone)}")
        return tuple(reasons)

    def _other_reasons(self, i: int, agent: Agent, work: Work, needs: Mapping[str, int]) -> tuple[str, ...]:
        reasons = list(self.desk.skills.lacking(agent.id, needs, on=self.day))
        if not self.allowed(work)[i] and self.desk.limits is not None:
            if agent.grade in self.desk.limits.grades:
                told = self.desk.limits.decide(work.action, work.amount, grade=agent.grade)
                reasons += told.reasons
            else:
                reasons.append(f"grade {agent.grade!r} has no limits of its own")
        if self.open[i] + work.units > self.capacity[i] + ROOM:
            reasons.append(f"full: {self.open[i]:g} of {self.capacity[i]:g} units, {work.units:g} more asked")
        if self.is_hard(work) and self.stop[i]:
            reasons.append(f"{self.hard[i]} hard cases lately: no further one")
        if agent.id in work.not_to:
            reasons.append("must not get this work")
        return tuple(reasons)

    def _back(self, i: int, agent: Agent) -> datetime | None:
        """First instant at which the agent is on duty and rested."""
        us = max(to_us(self.now), int(self.resting[i]) if self.resting[i] != NAT else to_us(self.now))
        at = from_us(us, self.desk.zone)
        for _ in range(2 * len(agent.away) + 2):
            until = agent.away_until(at)
            try:
                opened = at if agent.hours is None else agent.hours.next_opening(at)
            except NoOpening:
                return None
            if until is None and opened.timestamp() == at.timestamp():
                return at
            at = max((opened, at if until is None else until), key=lambda t: t.timestamp())
        return None
