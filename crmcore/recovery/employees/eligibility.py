"""Who may take a piece of work now, and every reason why the others may not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from crmcore.calendars.errors import NoOpening
from crmcore.choice.picking import Refused, decided_by, first_of
from crmcore.recovery.employees.desk import Desk, DeskLoad
from crmcore.recovery.employees.people import Agent
from crmcore.recovery.employees.pools import FINE, ROOM, Pool
from crmcore.recovery.employees.routing import Assigned, Prefer, Unassigned
from crmcore.recovery.employees.work import Work
from crmcore.values import Money
from crmcore.zones import NAT, from_us, to_us, zone_of

__all__ = ["Sweep"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MOST_POOLS = 48


class Sweep:
    """One moment of a desk: what is the same for all work is found once, the load moves with each piece taken.

    Whoever looks at many moments passes `on_duty`, found for all of them at once, and goes on with `move_to`.
    """

    def __init__(
        self,
        desk: Desk,
        now: datetime,
        load: DeskLoad,
        prefer: tuple[Prefer, ...],
        *,
        on_duty: Bools | None = None,
    ) -> None:
        self.desk, self.now, self.prefer = desk, now, prefer
        self.day = now.astimezone(zone_of(desk.zone)).date()
        n = len(desk.agents)
        self.capacity = np.array([a.capacity for a in desk.agents], np.float64)
        duty = [a.on_duty(now) for a in desk.agents] if on_duty is None else on_duty
        self.on_duty: Bools = np.asarray(duty, np.bool_)
        self.capacities: list[float] = self.capacity.tolist()
        self.open: list[float] = load.open_units.tolist()
        self.taken: list[int] = load.taken.tolist()
        self.last: list[int] = load.last_taken.tolist()
        self.hard: list[int] = load.hard_lately.tolist()
        self.stop: list[bool] = load.no_more_hard.tolist()
        self.resting = np.array(load.resting_until, np.int64)
        self._now = to_us(now)
        self.rested: Bools = ~(self.resting > self._now)
        self._pools: dict[object, Pool] = {}
        self._all_pools: list[Pool] = []
        self._tasks: dict[str, Mapping[str, int]] = {}
        self._away: dict[int, tuple[tuple[str, ...], datetime | None]] = {}
        self._lacks: dict[tuple[int, tuple[tuple[str, int], ...]], tuple[str, ...]] = {}
        self.by_id = np.arange(n)  # agents of a desk are in the order of their ids
        self._levels: NDArray[np.int64] = self._all_levels()
        self._skilled: dict[tuple[tuple[str, int], ...], Bools] = {}
        self._surplus: dict[tuple[tuple[str, int], ...], Floats] = {}
        self._allowed: dict[tuple[str, Money | None], Bools] = {}

    def move_to(self, now: datetime, on_duty: Bools, *, freed: Mapping[int, float] | None = None) -> bool:
        """Go on to a later moment, at which agents (by place) have so many units less; the rest of the load stays.

        Returns
        -------
        bool
            Whether somebody may take now what nobody could take at the moment before.
        """
        self.now, self._now = now, to_us(now)
        self._away.clear()
        day = now.astimezone(zone_of(self.desk.zone)).date()
        anew = len(self._all_pools) >= MOST_POOLS
        if day != self.day:
            self.day = day
            levels = self._all_levels()  # of the day that is set
            if not np.array_equal(levels, self._levels):
                self._levels, anew = levels, True
                for known in (self._skilled, self._surplus, self._lacks):
                    known.clear()
        rested = ~(self.resting > self._now)
        if not (np.array_equal(on_duty, self.on_duty) and np.array_equal(rested, self.rested)):
            self.on_duty, self.rested, anew = on_duty, rested, True
        for i, units in (freed or {}).items():
            self.open[i] = max(self.open[i] - units, 0.0)
        if anew:
            self._pools.clear()
            self._all_pools.clear()
        for pool in self._all_pools:
            pool.freed(freed or ())
        return anew or bool(freed)

    def _all_levels(self) -> NDArray[np.int64]:
        """Levels by agent of the desk and skill; agents without certificates have 0."""
        matrix = self.desk.skills
        rows = {name: i for i, name in enumerate(matrix.agents)}
        levels = np.vstack([matrix.levels(self.day), np.zeros((1, len(matrix.skills)), np.int64)])
        return levels[[rows.get(name, -1) for name in self.desk.ids]]

    def room(self, units: float) -> list[bool]:
        """Of every agent, whether so many units more fit now."""
        found: list[bool] = (np.array(self.open) + units <= self.capacity + ROOM).tolist()
        return found

    def load(self) -> DeskLoad:
        """Load as it stands."""
        columns = (self.open, self.taken, self.last, self.resting, self.hard, self.stop)
        kinds = (np.float64, np.int64, np.int64, np.int64, np.int64, np.bool_)
        return DeskLoad(self.desk.ids, *(np.array(c, k) for c, k in zip(columns, kinds, strict=True)))

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
        needs = self._needs(work)
        hard = self.is_hard(work)
        pool = self._pool(work, needs, hard)
        alone = pool is None or work.not_to or work.prefers
        found = self._by_columns(work, needs, hard) if alone or pool is None else pool.first()
        if found is None:
            return self._nobody(work, needs, due, pool)
        i, why, eligible = found
        self._count(i, work, hard)
        return Assigned(
            work=work.id, agent=self.desk.agents[i].id, at=self.now, due=due, severity=work.severity,
            decided_by=why, eligible=eligible,
        )  # fmt: skip

    def booker(self, work: Work) -> Callable[[], int | None]:
        """Function that books like work piece by piece: place of the agent whom `take` would take, None for nobody."""
        needs, hard = self._needs(work), self.is_hard(work)
        pool = self._pool(work, needs, hard)

        def book() -> int | None:
            if pool is None or work.not_to or work.prefers:
                found = self._by_columns(work, needs, hard)
                i = None if found is None else found[0]
            else:
                i = pool.best()
            if i is not None:
                self._count(i, work, hard)
            return i

        return book

    def _count(self, i: int, work: Work, hard: bool) -> None:
        self.open[i] += work.units
        self.taken[i] += 1
        self.last[i] = max(self.last[i], self._now)
        if hard:
            self.hard[i] += 1
            most = self.desk.support.most_hard if self.desk.support else None
            self.stop[i] |= most is not None and self.hard[i] >= most
        for other in self._all_pools:
            other.moved(i)

    def _needs(self, work: Work) -> Mapping[str, int]:
        if work.task and not work.needs:
            if work.task not in self._tasks:
                self._tasks[work.task] = self.desk.needs(work)
            return self._tasks[work.task]
        return self.desk.needs(work)

    def _static(self, work: Work, needs: Mapping[str, int]) -> Bools:
        """(n,) who may take it as far as that does not change while work is handed out."""
        return self.on_duty & self.rested & self.skilled(needs) & self.allowed(work)

    def _pool(self, work: Work, needs: Mapping[str, int], hard: bool) -> Pool | None:
        """Those who may take work of this kind; None where there are more kinds than it pays to keep."""
        key = (tuple(needs.items()), work.action, work.amount, work.units, hard)
        if key not in self._pools:
            if len(self._all_pools) >= MOST_POOLS:
                return None
            able = self._static(work, needs)
            made = Pool(self, np.flatnonzero(able).tolist(), work.units, hard, self._surplus[key[0]].tolist())
            self._pools[key] = made
            self._all_pools.append(made)
        return self._pools[key]

    def _by_columns(self, work: Work, needs: Mapping[str, int], hard: bool) -> tuple[int, str, int] | None:
        """The best, what decided, and how many could; found by looking at everybody."""
        open_, stop = np.array(self.open), np.array(self.stop, np.bool_)
        able = self._static(work, needs) & (open_ + work.units <= self.capacity + ROOM)
        if hard:
            able &= ~stop
        if work.not_to:
            able &= ~np.isin(self.desk.ids, work.not_to)
        keys = self._keys(work, needs)
        best = first_of(able, list(keys.values()), self.by_id)
        return (int(best[0]), decided_by(keys, best), int(able.sum())) if len(best) else None

    def _keys(self, work: Work, needs: Mapping[str, int]) -> dict[str, Floats]:
        keys: dict[str, Floats] = {}
        for key in self.prefer:
            if key is Prefer.KNOWN:
                if work.prefers:
                    keys[key.value] = np.array([a.id != work.prefers for a in self.desk.agents], np.float64)
            elif key is Prefer.LEAST_LOADED:
                keys[key.value] = np.floor((np.array(self.open) + work.units) / self.capacity * FINE + 0.5)
            elif key is Prefer.FEWEST_LATELY:
                keys[key.value] = np.array(self.taken, np.float64)
            elif key is Prefer.LEAST_SURPLUS:
                keys[key.value] = self._surplus[tuple(needs.items())]
            else:
                keys[key.value] = np.array(self.last, np.float64)
        return keys

    def _nobody(self, work: Work, needs: Mapping[str, int], due: datetime | None, pool: Pool | None) -> Unassigned:
        """Every agent with every reason; of a kind of work that was told before, only who has got work since is new."""
        refused: list[Refused] = []
        back: dict[int, datetime] = {}
        fresh: Iterable[int] = range(len(self.desk.agents))
        if pool is not None and not work.not_to:
            refused, back, fresh = pool.refused, pool.back, sorted(pool.dirty)
            pool.dirty.clear()
        for i in fresh:
            told, at = self._told(i, work, needs)
            refused[i : i + 1] = [told]
            back.pop(i, None)
            if at is not None:
                back[i] = at
        return Unassigned(
            work=work.id, at=self.now, due=due, severity=work.severity, refused=tuple(refused),
            earliest=min(back.values(), key=lambda at: at.timestamp()) if back else None,
        )  # fmt: skip

    def _told(self, i: int, work: Work, needs: Mapping[str, int]) -> tuple[Refused, datetime | None]:
        """Why an agent may not, and when they are back where only time keeps them from it."""
        agent = self.desk.agents[i]
        if i not in self._away:
            time = self._time_reasons(i, agent)
            self._away[i] = (time, self._back(i, agent) if time else None)
        time, back = self._away[i]
        other = self._other_reasons(i, agent, work, needs)
        return Refused(agent.id, (*time, *other)), None if other else back

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
        key = (i, tuple(needs.items()))
        if key not in self._lacks:
            able = self.skilled(needs)[i]
            self._lacks[key] = () if able else self.desk.skills.lacking(agent.id, needs, on=self.day)
        reasons = list(self._lacks[key])
        if self.desk.limits is not None and work.action and not self.allowed(work)[i]:
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
