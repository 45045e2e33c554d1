"""Hand out work: to somebody who is on duty, able, allowed, free and rested; or to nobody, with the reasons."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from crmcore._base import Progress, check_aware, html_table, listed, mask, reporter
from crmcore._frames import write_frame
from crmcore.choice.picking import Refused
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, OutOfRange
from crmcore.recovery.employees.checks import check_kind
from crmcore.recovery.employees.desk import Desk, DeskLoad
from crmcore.recovery.employees.work import Work
from crmcore.values import Severity
from crmcore.values.words import word
from crmcore.zones import NAT, from_us

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Assigned", "Prefer", "Routing", "Unassigned", "route", "route_all"]


class Prefer(enum.StrEnum):
    """Who goes first among the eligible."""

    KNOWN = "knows the customer"
    LEAST_LOADED = "least loaded"
    """Smallest share of capacity once the work is taken."""
    FEWEST_LATELY = "fewest lately"
    LEAST_SURPLUS = "least surplus skill"
    """Keeps those who can do more free for what only they can do."""
    LONGEST_IDLE = "longest idle"


ORDER = (Prefer.KNOWN, Prefer.LEAST_LOADED, Prefer.FEWEST_LATELY, Prefer.LONGEST_IDLE)


@attrs.frozen(kw_only=True)
class Assigned(Document):
    """Work that found somebody.

    Parameters
    ----------
    work : id
    agent : id, masked in every repr
    at : aware datetime
    due : aware datetime, optional
    severity : Severity
    decided_by : text
        What put this agent before the next: a `Prefer`, `"id"`, or `"only one"`.
    eligible : count
        Agents who could have taken it.
    """

    work: str
    agent: str = attrs.field(repr=lambda name: repr(mask(name)))
    at: datetime
    due: datetime | None
    severity: Severity = attrs.field(converter=Severity)
    decided_by: str
    eligible: int

    def __str__(self) -> str:
        return f"{self.work} to {mask(self.agent)}, by {self.decided_by} of {self.eligible} eligible"


@attrs.frozen(kw_only=True)
class Unassigned(Document):
    """Work that nobody may take now.

    Parameters
    ----------
    work : id
    at : aware datetime
    due : aware datetime, optional
    severity : Severity
    refused : tuple of Refused
        Every agent of the desk, with every reason.
    earliest : aware datetime, optional
        When the first agent whom only time keeps from it is back; None where time alone does not help.
    """

    work: str
    at: datetime
    due: datetime | None
    severity: Severity = attrs.field(converter=Severity)
    refused: tuple[Refused, ...] = attrs.field(repr=lambda rows: f"<{len(rows)} agents>")
    earliest: datetime | None

    def __str__(self) -> str:
        head = f"{self.work} to nobody" + (f"; earliest {self.earliest}" if self.earliest else "")
        lines = [f"  {mask(r.id)}: {'; '.join(r.reasons)}" for r in self.refused]
        return "\n".join([head, *lines]) if lines else f"{head}: the desk has no agents"


Route = Assigned | Unassigned


@attrs.frozen(kw_only=True, repr=False)
class Routing(Document):
    """Many pieces of work, handed out one after the other.

    Parameters
    ----------
    routes : tuple of Assigned and Unassigned
        In the order in which they were handed out: by due time, severity, arrival, id.
    load : DeskLoad
        Afterwards.
    capacity : tuple of units
        Of the agents, in the order of the load.
    """

    routes: tuple[Route, ...]
    load: DeskLoad
    capacity: tuple[float, ...]

    @property
    def assigned(self) -> tuple[Assigned, ...]:
        """Work that found somebody."""
        return tuple(r for r in self.routes if isinstance(r, Assigned))

    @property
    def unassigned(self) -> tuple[Unassigned, ...]:
        """Work that nobody may take."""
        return tuple(r for r in self.routes if isinstance(r, Unassigned))

    def __len__(self) -> int:
        return len(self.routes)

    def __repr__(self) -> str:
        return f"Routing({len(self.assigned)} assigned, {len(self.unassigned)} unassigned)"

    def __str__(self) -> str:
        shown = "\n".join("  " + str(r).replace("\n", "\n  ") for r in self.routes[:20])
        more = f"\n  ... {len(self) - 20} more" if len(self) > 20 else ""
        return (
            f"{len(self.assigned)} of {len(self)} handed out\n{shown}{more}" if self.routes else "nothing to hand out"
        )

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a piece of work: work, agent (missing for nobody), due, severity, decided_by, reasons, earliest."""
        rows = [_row(r) for r in self.routes]
        names = ("work", "agent", "due", "severity", "decided_by", "reasons", "earliest")
        return write_frame({n: [row[n] for row in rows] for n in names}, backend=backend)

    def _repr_html_(self) -> str:
        rows = [
            {"work": r.work, "agent": mask(r.agent) if isinstance(r, Assigned) else "nobody", "due": r.due,
             "severity": r.severity.name.lower()}
            for r in self.routes
        ]  # fmt: skip
        return html_table(rows, caption=repr(self))

    def chart(self) -> Chart:
        """How full each agent is; agents are numbered by their load, not named."""
        from crmcore.recovery.employees.charts import load_chart

        return load_chart(self)


def _row(route: Route) -> dict[str, Any]:
    row: dict[str, Any] = {"work": route.work, "due": route.due, "severity": route.severity.name.lower()}
    if isinstance(route, Assigned):
        return {**row, "agent": route.agent, "decided_by": route.decided_by, "reasons": None, "earliest": None}
    reasons = " | ".join(f"{r.id}: {'; '.join(r.reasons)}" for r in route.refused)
    return {**row, "agent": None, "decided_by": "nobody", "reasons": reasons, "earliest": route.earliest}


def route(
    work: Work, *, desk: Desk, now: datetime, load: DeskLoad | None = None, prefer: Sequence[Prefer | str] = ORDER
) -> Route:
    """Find the agent for one piece of work.

    Parameters
    ----------
    work : Work
    desk : Desk
    now : aware datetime
    load : DeskLoad, optional
        None: everybody is free.
    prefer : words of `Prefer`
        Who goes first; what is equal in all goes by id.

    Returns
    -------
    Assigned or Unassigned
        Nobody who is off duty, away, resting, full, not skilled, not allowed, excluded, or at the limit of hard cases
        is ever chosen. Where that leaves nobody, `Unassigned` names every reason for every agent.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.recovery.employees import Agent, Desk, Work
    >>> now = datetime(2026, 6, 1, 9, tzinfo=UTC)
    >>> desk = Desk(zone="Asia/Bangkok", agents=[Agent(id="dao"), Agent(id="ann")])
    >>> print(route(Work(id="c1", at=now), desk=desk, now=now, load=desk.load(open_units={"ann": 1})))
    c1 to d•••, by least loaded of 2 eligible
    >>> print(route(Work(id="c2", at=now, needs={"refund": 2}), desk=desk, now=now))
    c2 to nobody
      a•••: needs refund level 2, which nobody is known to hold
      d•••: needs refund level 2, which nobody is known to hold
    """
    return route_all([work], desk=desk, now=now, load=load, prefer=prefer).routes[0]


def route_all(
    works: Iterable[Work],
    *,
    desk: Desk,
    now: datetime,
    load: DeskLoad | None = None,
    prefer: Sequence[Prefer | str] = ORDER,
    progress: Progress | bool = False,
) -> Routing:
    """Hand out many pieces of work, the most urgent first.

    One by one: the piece that is due first (then the more severe, then the older, then by id) gets the best agent who
    is eligible, and counts as that agent's load for the next. A later piece never moves an earlier one. So the order of
    `works` does not matter, and the answer to "why did she get it?" needs no solver.

    Parameters
    ----------
    works : pieces of work
        Distinct ids.
    desk, now, load, prefer
        As for `route`.
    progress : callable or truth

    Raises
    ------
    DuplicateIds, UnknownName, OutOfRange
        The same work twice; a task that the desk does not know; the load of another desk.
    """
    from crmcore.recovery.employees.eligibility import Sweep

    check_kind("desk", desk, Desk, hint='Desk(zone="Asia/Bangkok", agents=[...])')
    check_kind("load", load, DeskLoad, hint="desk.load(open_units={...})", optional=True)
    check_aware(now, "now")
    items = listed(works, "works", Work, what="pieces of work", hint='[Work(id="c1", at=now)]')
    seen: set[str] = set()
    again = tuple(i for i, w in enumerate(items) if w.id in seen or seen.add(w.id))  # type: ignore[func-returns-value]
    if again:
        raise DuplicateIds("works", len(again), again, "hand out each piece of work once")
    order = tuple(word(Prefer, p, "preference") for p in listed(prefer, "prefer", str, what="texts", hint="a list"))
    held = desk.load() if load is None else load
    if held.agents != desk.ids:
        hint = "make it with desk.load(...) of this desk"
        raise OutOfRange("load", f"of {len(held)} agents", f"of the {len(desk.ids)} agents of the desk", hint)
    sweep = Sweep(desk, now, held, order)
    due = _due(items, desk)

    def urgency(i: int) -> tuple[object, ...]:
        at = due[i]
        return at is None, now if at is None else at, items[i].severity, items[i].at, items[i].id

    report, routes = reporter(progress), []
    for done, i in enumerate(sorted(range(len(items)), key=urgency)):
        if done % 1024 == 0:
            report("handed out", done, len(items))
        routes.append(sweep.take(items[i], due[i]))
    report("handed out", len(items), len(items))
    return Routing(routes=tuple(routes), load=sweep.load(), capacity=tuple(a.capacity for a in desk.agents))


def _due(items: Sequence[Work], desk: Desk) -> list[datetime | None]:
    if desk.targets is None:
        return [w.due for w in items]
    found = desk.targets.due_of(items)
    zone = desk.targets.hours.zone
    shown = {us: None if us == NAT else from_us(us, zone) for us in np.unique(found.astype(np.int64)).tolist()}
    return [shown[us] for us in found.astype(np.int64).tolist()]
