"""A whole desk in columns: triage, promises, clocks, routing and closing of every case of a log."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import Progress, html_table, reporter
from crmcore._frames import write_frame
from crmcore.calendars.clocks.events import RANK, EventKind
from crmcore.calendars.clocks.policy import ClockName
from crmcore.errors import OutOfRange, WrongType
from crmcore.metrics.scalars import above
from crmcore.recovery.employees.desk import Desk
from crmcore.recovery.employees.eligibility import Sweep
from crmcore.recovery.employees.people import duty_us
from crmcore.recovery.employees.routing import ORDER, Prefer
from crmcore.recovery.employees.work import Work
from crmcore.recovery.service.applying import ServiceClocks, service_clocks
from crmcore.recovery.service.policies import ServicePolicy
from crmcore.recovery.service.service_log import ServiceLog
from crmcore.rules import FactTable, RuleSet
from crmcore.tables import TextColumn
from crmcore.values.words import word
from crmcore.zones import MINUTE, NAT, from_us, to_us

if TYPE_CHECKING:
    from crmcore.recovery.service.reporting import ServiceReport

__all__ = ["BulkRun", "run_bulk", "triage"]

Places = NDArray[np.int64]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class BulkRun:
    """What became of every case; row i of every column is case i of the log.

    Parameters
    ----------
    clocks : ServiceClocks
        With the log, whose facts "priority" and "agent" are those found here.
    agent : (n,) text
        Who got the case; missing where nobody did.
    routed_at, closed_at : (n,) instants in UTC
        NaT where not.
    """

    clocks: ServiceClocks
    agent: TextColumn
    routed_at: NDArray[np.datetime64]
    closed_at: NDArray[np.datetime64]

    @property
    def log(self) -> ServiceLog:
        """The log with what was found."""
        return self.clocks.log

    def __len__(self) -> int:
        return len(self.agent)

    @property
    def counts(self) -> dict[str, int]:
        """Cases, those routed, closed, closed before anybody had them, and still waiting for somebody."""
        closed, routed = ~np.isnat(self.closed_at), ~np.isnat(self.routed_at)
        return {
            "cases": len(self),
            "routed": int(routed.sum()),
            "closed": int(closed.sum()),
            "closed unrouted": int((closed & ~routed).sum()),
            "waiting": int((~closed & ~routed).sum()),
        }

    def __repr__(self) -> str:
        return f"BulkRun({', '.join(f'{n:,} {what}' for what, n in self.counts.items())})"

    def __str__(self) -> str:
        return f"{self!r}\n{self.clocks.table}"

    def report(self, *, by: Sequence[str] = (), goal: float | None = None, level: float = 0.95) -> ServiceReport:
        """Share of promises kept; see `service_report`."""
        from crmcore.recovery.service.reporting import service_report

        return service_report(self.clocks, by=by, goal=goal, level=level)

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a case: case, facts, agent, routed_at, closed_at."""
        facts = {k: v.to_list() for k, v in self.log.facts.items() if k != "agent"}
        more = {"agent": self.agent.to_list(), "routed_at": self.routed_at, "closed_at": self.closed_at}
        columns: dict[str, Any] = {"case": list(self.log.cases), **facts, **more}
        return write_frame(columns, backend=backend)

    def _repr_html_(self) -> str:
        return html_table([self.counts], caption="A desk in bulk")


def triage(facts: FactTable, rules: RuleSet, *, now: datetime) -> TextColumn:
    """(n,) priority of every case: the outcome of the rules, missing where none holds or facts are open.

    Parameters
    ----------
    facts : FactTable
        Of the cases, its index their names.
    rules : RuleSet
        Whose outcomes are priorities.
    now : aware datetime

    Examples
    --------
    >>> from datetime import UTC
    >>> from crmcore.rules import Rule, field
    >>> from crmcore.tables import CustomerIndex
    >>> rules = RuleSet("triage", [Rule("injured", field("injured").is_true(), then="urgent")], default="normal")
    >>> facts = FactTable(CustomerIndex.of(["7", "8"]), {"injured": [True, False]})
    >>> triage(facts, rules, now=datetime(2026, 6, 1, tzinfo=UTC)).to_list()
    ['urgent', 'normal']
    """
    words = rules.decide_all(facts, now=now).outcomes()
    odd = next((w for w in words if w is not None and not isinstance(w, str)), None)
    if odd is not None:
        raise WrongType("rules", f"an outcome {odd!r}", "text", "let rules give a priority: Rule(..., then='urgent')")
    return TextColumn.of(words)


def run_bulk(
    log: ServiceLog,
    policy: ServicePolicy,
    *,
    now: datetime,
    facts: FactTable | None = None,
    rules: RuleSet | None = None,
    desk: Desk | None = None,
    prefer: Sequence[Prefer | str] = ORDER,
    tick_minutes: float = 60.0,
    names: Sequence[ClockName | str] | None = None,
    progress: Progress | bool = False,
) -> BulkRun:
    """Take all cases of a log through triage, promises, clocks, routing and closing.

    Parameters
    ----------
    log : ServiceLog
    policy : ServicePolicy
    now : aware datetime
        Later events have not happened yet.
    facts, rules : FactTable and RuleSet, optional
        The rules give each case its priority; None: the fact "priority" of the log. Facts are those of the log's cases,
        in their order.
    desk : Desk, optional
        Who takes cases; None: nobody is routed, owners are those of the log. A fact "task" names the kind of work.
    prefer : words of `Prefer`
    tick_minutes : number above 0
        Waiting cases are handed out so often: the one that is due first goes first. What is due is the first response,
        else the resolution.
    names : clocks, optional
        As for `service_clocks`; first response and the resolution with the target are always read.
    progress : callable or truth

    Notes
    -----
    A case occupies its agent from the tick at which it is handed out until its last resolution. A case that is resolved
    before any tick found somebody stays without agent.
    """
    if rules is not None:
        if facts is None or facts.customers.ids != log.cases:
            hint = "build it with FactTable(CustomerIndex(log.cases), {...})"
            raise OutOfRange("facts", "not those of the log", "one row a case, in the order of log.cases", hint)
        log = log.with_facts(priority=triage(facts, rules, now=now))
    needed = None if names is None else dict.fromkeys([*names, ClockName.FIRST_RESPONSE, policy.base.resolution])
    clocks = service_clocks(log, policy, now=now, names=needed)
    closed = _closed(clocks)
    n = len(log)
    if desk is None:
        agent = log.facts.get("agent", TextColumn.empty(n))
        return BulkRun(clocks=clocks, agent=agent, routed_at=_instants(np.full(n, NAT)), closed_at=_instants(closed))
    tick_us = round(above("tick_minutes", tick_minutes, hint="60 hands out every hour") * MINUTE)
    order = tuple(word(Prefer, p, "preference") for p in prefer)
    made = _Handing(clocks, desk, order, tick_us, closed).run(reporter(progress))
    agent = TextColumn(made.agent, desk.ids)
    clocks = attrs.evolve(clocks, log=log.with_facts(agent=agent))
    return BulkRun(clocks=clocks, agent=agent, routed_at=_instants(made.at), closed_at=_instants(closed))


def _instants(us: Places) -> NDArray[np.datetime64]:
    return us.view("datetime64[us]")


def _closed(clocks: ServiceClocks) -> Places:
    """(n,) when the last resolution of each case was; NaT where it is open."""
    read = clocks.table.of("resolution")
    out = np.full(len(clocks.log), NAT, np.int64)
    out[read.case] = read.stopped_at.astype(np.int64)  # cycles are in order: the last one stays
    return out


def _due(clocks: ServiceClocks) -> Places:
    """(n,) when the first response of each case is due, else its resolution; the end of time where neither is."""
    out = np.full(len(clocks.log), np.iinfo(np.int64).max, np.int64)
    for name in ("resolution", ClockName.FIRST_RESPONSE):
        read = clocks.table.of(name)
        rows = (read.cycle == 1) & ~np.isnat(read.due_at)
        out[read.case[rows]] = read.due_at[rows].astype(np.int64)
    return out


class _Handing:
    """Handing out tick by tick; kinds of work that nobody may take at a tick wait together for the next."""

    def __init__(
        self, clocks: ServiceClocks, desk: Desk, prefer: tuple[Prefer, ...], tick_us: int, closed: Places
    ) -> None:
        self.log, self.desk, self.prefer = clocks.log, desk, prefer
        events, n, now = clocks.events, len(clocks.log), to_us(clocks.now)
        born = np.full(n, np.iinfo(np.int64).max)
        rows = events.kind == RANK[EventKind.CREATED]
        np.minimum.at(born, events.case[rows], events.time[rows].astype(np.int64))
        self.born, self.closed, self.due = born, closed, _due(clocks)
        came = np.flatnonzero(born <= now)
        self.arrivals = came[np.lexsort((came, born[came]))]
        ticks = -(-born[self.arrivals] // tick_us) * tick_us
        self.first_tick, self.tick_us, self.end = ticks, tick_us, now
        self.task = self.log.facts.get("task", TextColumn.empty(n))
        self.agent, self.at = np.full(n, -1, np.int32), np.full(n, NAT, np.int64)

    def run(self, report: Progress) -> _Handing:
        """Walk through the ticks at which somebody is on duty and something waits."""
        if not len(self.arrivals):
            return self
        ticks = np.arange(self.first_tick[0], self.end + 1, self.tick_us)
        duty = self._duty(ticks)
        somebody = np.flatnonzero(duty.any(axis=1))
        upto = np.searchsorted(self.first_tick, ticks[somebody], side="right").tolist()
        queue = _Queue(self)
        busy: list[tuple[int, int]] = []  # (closed, agent)
        sweep: Sweep | None = None
        arrivals, done = self.arrivals.tolist(), 0
        for place, tick, end in zip(somebody.tolist(), ticks[somebody].tolist(), upto, strict=True):
            fresh = end > done
            queue.add(arrivals[done:end])
            done = end
            if not queue.n:
                continue
            freed: dict[int, float] = {}
            while busy and busy[0][0] <= tick:
                agent = heapq.heappop(busy)[1]
                freed[agent] = freed.get(agent, 0.0) + 1.0
            now = from_us(tick, self.desk.zone)
            if sweep is None:
                sweep = Sweep(self.desk, now, self.desk.load(), self.prefer, on_duty=duty[place])
            elif not sweep.move_to(now, duty[place], freed=freed) and not fresh:
                continue  # whom nobody could take at the tick before, nobody can take now
            for case, agent in queue.hand_out(sweep, tick):
                self.agent[case], self.at[case] = agent, tick
                if queue.closed[case] != NAT:
                    heapq.heappush(busy, (queue.closed[case], agent))
            report("handed out", done, len(arrivals))
        return self

    def _duty(self, ticks: Places) -> NDArray[np.bool_]:
        """(ticks, agents) who is on duty; agents of equal hours without absences are looked at once."""
        starts, ends = ticks.view("datetime64[us]"), (ticks + 1).view("datetime64[us]")
        seen: dict[object, NDArray[np.bool_]] = {}
        columns = []
        for agent in self.desk.agents:
            key = id(agent) if agent.away else id(agent.hours)
            if key not in seen:
                seen[key] = duty_us(agent, starts, ends) > 0
            columns.append(seen[key])
        return np.stack(columns, axis=1)


class _Queue:
    """Cases that wait, by kind of work, those that are due first on top; a case is its rank among all by that order."""

    def __init__(self, handing: _Handing) -> None:
        self.n = 0
        self.kind, self.closed = handing.task.codes.tolist(), handing.closed.tolist()
        order = np.lexsort((handing.born, handing.due))  # stable: ties by case
        self._cases, self._ranks = order.tolist(), np.empty(len(order), np.int64)
        self._ranks[order] = np.arange(len(order))
        self._heaps: dict[int, list[int]] = {}
        words = (*handing.task.values, "")
        at = from_us(handing.end, "UTC")
        self._works = {i: Work(id="any", at=at, task=words[i]) for i in range(-1, len(words) - 1)}

    def add(self, cases: list[int]) -> None:
        """Put cases into the queue."""
        for case, rank in zip(cases, self._ranks[cases].tolist(), strict=True):
            heapq.heappush(self._heaps.setdefault(self.kind[case], []), rank)
        self.n += len(cases)

    def hand_out(self, sweep: Sweep, tick: int) -> Iterator[tuple[int, int]]:
        """Cases with the agents who get them; whom nobody may take stays, and what is closed leaves."""
        heads = [(heap[0], kind) for kind, heap in self._heaps.items() if heap]
        heapq.heapify(heads)
        book = {kind: sweep.booker(self._works[kind]) for _, kind in heads}
        while heads:
            rank, kind = heads[0]
            case = self._cases[rank]
            if self.closed[case] == NAT or self.closed[case] > tick:
                agent = book[kind]()
                if agent is None:
                    heapq.heappop(heads)
                    continue  # nobody may take this kind now: the rest of it waits
                yield case, agent
            heap = self._heaps[kind]
            heapq.heappop(heap)
            self.n -= 1
            if heap:
                heapq.heapreplace(heads, (heap[0], kind))
            else:
                heapq.heappop(heads)
