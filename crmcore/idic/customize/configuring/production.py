"""Orders of different variants over a shared production line: batches, set-ups, promised days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs

from crmcore._base import html_table
from crmcore._frames import write_frame
from crmcore.documents import Document
from crmcore.errors import DuplicateIds, EmptyInput, OutOfRange, WrongType

if TYPE_CHECKING:
    from crmcore.charts import Chart

__all__ = ["Batch", "LineOrder", "LinePlan", "plan_line"]

MOST_EXACT = 10
Cost = tuple[float, float, float]  # late orders, set-up time, summed lateness


@attrs.frozen
class LineOrder(Document):
    """One order on the line.

    Attributes
    ----------
    order_id : of the order, no person
    variant : value of each attribute that the line must be set up for
    hours : time on the line
    due : hours from the start of the plan until it is promised; None where nothing is promised
    """

    order_id: str
    variant: Mapping[str, str] = attrs.field(hash=False)
    hours: float
    due: float | None = None

    def __attrs_post_init__(self) -> None:
        for name, value in (("hours", self.hours), ("due", self.due)):
            if value is not None and not 0 <= value < 1e9:
                raise OutOfRange(name, value, "0 or more, finite", "count hours from the start of the plan")


@attrs.frozen
class Batch(Document):
    """Orders of one variant that are made one after the other.

    Attributes
    ----------
    setup_hours : time to set the line up for it
    starts, ends : hours from the start of the plan; the set-up comes before
    """

    line: int
    variant: Mapping[str, str] = attrs.field(hash=False)
    order_ids: tuple[str, ...]
    setup_hours: float
    starts: float
    ends: float


@attrs.frozen(kw_only=True)
class LinePlan(Document):
    """Batches of every line, in the order in which they are made.

    Attributes
    ----------
    late : orders that miss their promise
    setup_hours : total
    exact : whether no plan is better; a larger set of orders is planned by insertion and improved step by step
    """

    batches: tuple[Batch, ...]
    late: tuple[str, ...]
    setup_hours: float
    exact: bool

    def __str__(self) -> str:
        n = sum(len(b.order_ids) for b in self.batches)
        how = "no plan is better" if self.exact else "a good plan, not proven best"
        setups = f"{self.setup_hours:g} hours of set-up"
        return f"{n} orders in {len(self.batches)} batches, {setups}, {len(self.late)} late ({how})"

    def to_frame(self, *, backend: Any = None) -> Any:
        """One row a batch."""
        columns: dict[str, list[Any]] = {
            "line": [b.line for b in self.batches],
            "variant": [_text(b.variant) for b in self.batches],
            "orders": [len(b.order_ids) for b in self.batches],
            "setup_hours": [b.setup_hours for b in self.batches],
            "starts": [b.starts for b in self.batches],
            "ends": [b.ends for b in self.batches],
        }
        return write_frame(columns, backend=backend)

    def chart(self) -> Chart:
        """Hours of each batch, in the order in which it is made."""
        from crmcore.idic.customize.configuring.charts import plan_chart

        return plan_chart(self)

    def _repr_html_(self) -> str:
        rows = [
            {"line": b.line, "variant": _text(b.variant), "orders": len(b.order_ids), "from": b.starts, "to": b.ends}
            for b in self.batches
        ]
        return html_table(rows, caption=str(self))


def _text(variant: Mapping[str, str]) -> str:
    return ", ".join(f"{k} {v}" for k, v in variant.items())


def plan_line(
    orders: Iterable[LineOrder], /, *, setup_hours: Mapping[str, float], first_hours: float = 0.0, lines: int = 1
) -> LinePlan:
    """Order of production with the fewest late orders, then the least set-up, then the least lateness.

    A set-up takes the sum of `setup_hours` over the attributes that differ between neighbours; orders of one variant
    in a row are a batch. Up to 10 orders the plan is exact (dynamic programming over sets, Held and Karp 1962, with
    all plans kept that are not worse in every respect); above, orders are inserted where they cost least, by due time,
    and then moved while that helps.

    Parameters
    ----------
    orders
        What is to be made.
    setup_hours
        Time to change each attribute of the variant.
    first_hours
        Time to set a line up for its first batch.
    lines
        Lines that are alike.

    Examples
    --------
    >>> orders = [LineOrder(f"o{i}", {"colour": c}, 1.0) for i, c in enumerate(["red", "blue", "red", "blue"])]
    >>> print(plan_line(orders, setup_hours={"colour": 0.5}))
    4 orders in 2 batches, 0.5 hours of set-up, 0 late (no plan is better)
    """
    jobs = _checked(orders, setup_hours, first_hours, lines)
    shop = _Shop(jobs, setup_hours, first_hours)
    exact = len(jobs) <= MOST_EXACT
    rows = _exact(shop, lines) if exact else _good(shop, lines)
    return _plan(shop, rows, exact)


def _checked(
    orders: Iterable[LineOrder], setup_hours: Mapping[str, float], first_hours: float, lines: int
) -> tuple[LineOrder, ...]:  # fmt: skip
    jobs = tuple(orders)
    if not jobs:
        raise EmptyInput("the list of orders", "plan at least one order")
    odd = [j for j in jobs if not isinstance(j, LineOrder)]
    if odd:
        raise WrongType("orders", f"a list with a {type(odd[0]).__name__}", "LineOrder values", "LineOrder('o1', ...)")
    ids = [j.order_id for j in jobs]
    again = tuple(i for i, name in enumerate(ids) if name in ids[:i])
    if again:
        raise DuplicateIds("orders", len(again), again, "give every order an id of its own")
    names = set(jobs[0].variant)
    if any(set(j.variant) != names for j in jobs) or names - set(setup_hours):
        got = sorted(names.symmetric_difference(setup_hours).union(*(names ^ set(j.variant) for j in jobs)))
        hint = "name a time for each attribute of the variants; all orders have the same attributes"
        raise OutOfRange("setup_hours", got, f"times for {sorted(names)}", hint)
    for name, hours in {**setup_hours, "first": first_hours}.items():
        if not 0 <= hours < 1e9:
            raise OutOfRange(f"setup_hours[{name!r}]", hours, "0 or more, finite", "hours of one change")
    if isinstance(lines, bool) or not isinstance(lines, int) or not 1 <= lines <= 100:
        raise OutOfRange("lines", lines, "a whole number from 1 to 100", "count the lines that work side by side")
    return tuple(sorted(jobs, key=lambda j: (float("inf") if j.due is None else j.due, j.order_id)))


class _Shop:
    """Times between orders, and what a sequence costs."""

    def __init__(self, jobs: tuple[LineOrder, ...], setup_hours: Mapping[str, float], first: float) -> None:
        self.jobs, self.first = jobs, first
        self.change = [
            [sum(h for n, h in setup_hours.items() if a.variant.get(n) != b.variant.get(n)) for b in jobs] for a in jobs
        ]

    def step(self, time: float, last: int, job: int) -> tuple[float, Cost]:
        """Time after the next order, and what it adds."""
        setup = self.first if last < 0 else self.change[last][job]
        end = time + setup + self.jobs[job].hours
        due = self.jobs[job].due
        over = 0.0 if due is None else max(0.0, end - due - 1e-9)
        return end, (float(over > 0), setup, over)

    def cost(self, row: Iterable[int]) -> Cost:
        """What a sequence costs."""
        time, last, total = 0.0, -1, (0.0, 0.0, 0.0)
        for job in row:
            time, more = self.step(time, last, job)
            total, last = _add(total, more), job
        return total


def _add(a: Cost, b: Cost) -> Cost:
    return (a[0] + b[0], round(a[1] + b[1], 9), round(a[2] + b[2], 9))


def _exact(shop: _Shop, lines: int) -> list[tuple[int, ...]]:
    n = len(shop.jobs)
    # plans of a set that end with a job: (time, cost, row); time matters for what follows
    plans: list[dict[int, list[tuple[float, Cost, tuple[int, ...]]]]] = [{} for _ in range(1 << n)]
    best: list[tuple[Cost, tuple[int, ...]]] = [((0.0, 0.0, 0.0), ())] * (1 << n)
    for done in range(1 << n):
        ends = plans[done] if done else {-1: [(0.0, (0.0, 0.0, 0.0), ())]}
        for last, kept in ends.items():
            for time, cost, row in kept:
                for job in range(n):
                    if not done >> job & 1:
                        end, more = shop.step(time, last, job)
                        _keep(plans[done | 1 << job].setdefault(job, []), (end, _add(cost, more), (*row, job)))
        if done:
            best[done] = min((cost, row) for kept in ends.values() for _, cost, row in kept)
    rows = [best]
    full = (1 << n) - 1
    split: list[list[int]] = []
    for _ in range(1, lines):
        now, took = list(rows[-1]), [0] * (1 << n)
        for jobs in range(1 << n):
            part = jobs
            while part:
                total = _add(best[part][0], rows[-1][jobs & ~part][0])
                if total < now[jobs][0]:
                    now[jobs], took[jobs] = (total, best[part][1]), part
                part = (part - 1) & jobs
        rows.append(now)
        split.append(took)
    made = []
    for took in reversed(split):
        made.append(best[took[full]][1])
        full &= ~took[full]
    return [*made, best[full][1]]


def _keep(kept: list[tuple[float, Cost, tuple[int, ...]]], new: tuple[float, Cost, tuple[int, ...]]) -> None:
    """Keep a plan unless another is at least as good in time and in each part of its cost."""
    if any(k[0] <= new[0] and all(a <= b for a, b in zip(k[1], new[1], strict=True)) for k in kept):
        return
    kept[:] = [k for k in kept if not (new[0] <= k[0] and all(a <= b for a, b in zip(new[1], k[1], strict=True)))]
    kept.append(new)


def _good(shop: _Shop, lines: int) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = [() for _ in range(lines)]
    for job in range(len(shop.jobs)):
        rows = _placed(shop, rows, job)
    moved = True
    while moved:
        moved = False
        for job in range(len(shop.jobs)):
            without = [tuple(j for j in row if j != job) for row in rows]
            tried = _placed(shop, without, job)
            if _total(shop, tried) < _total(shop, rows):
                rows, moved = tried, True
    return rows


def _total(shop: _Shop, rows: list[tuple[int, ...]]) -> Cost:
    total = (0.0, 0.0, 0.0)
    for row in rows:
        total = _add(total, shop.cost(row))
    return total


def _placed(shop: _Shop, rows: list[tuple[int, ...]], job: int) -> list[tuple[int, ...]]:
    """Rows with a job where it costs least."""
    costs = [shop.cost(row) for row in rows]
    choices = []
    for line, row in enumerate(rows):
        for at in range(len(row) + 1):
            new = (*row[:at], job, *row[at:])
            total = shop.cost(new)
            for other, cost in enumerate(costs):
                total = total if other == line else _add(total, cost)
            choices.append((total, line, -at, new))
    _, line, _, new = min(choices)
    return [new if i == line else row for i, row in enumerate(rows)]


def _plan(shop: _Shop, rows: list[tuple[int, ...]], exact: bool) -> LinePlan:
    batches: list[Batch] = []
    late: list[str] = []
    total = 0.0
    for line, row in enumerate((r for r in rows if r), 1):
        time, last = 0.0, -1
        cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(row)) if shop.jobs[a].variant != shop.jobs[b].variant)]
        for begin, end in pairwise([*cuts, len(row)]):
            members = row[begin:end]
            setup = shop.first if last < 0 else shop.change[last][members[0]]
            starts = time + setup
            for job in members:
                time, more = shop.step(time, last, job)
                last = job
                if more[0]:
                    late.append(shop.jobs[job].order_id)
            ids = tuple(shop.jobs[j].order_id for j in members)
            batches.append(Batch(line, shop.jobs[members[0]].variant, ids, setup, starts, time))
            total += setup
    return LinePlan(batches=tuple(batches), late=tuple(late), setup_hours=round(total, 9), exact=exact)
