"""Minimal repairs in the order of what they change: hitting sets of conflicts, the cheapest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from crmcore.idic.customize.configuring.attributes import Range
from crmcore.idic.customize.configuring.conflicts import Given, bits, contradicts, refuted, smallest
from crmcore.idic.customize.configuring.explaining import Change, Conflict, Repair, said
from crmcore.idic.customize.configuring.model import ProductModel
from crmcore.idic.customize.configuring.offers import price_span
from crmcore.idic.customize.configuring.optimum import Goal, optimum, price_goal
from crmcore.idic.customize.configuring.search import Problem

__all__ = ["corrections", "explained", "replaced"]

MOST_REPAIRS = 5


def corrections(
    problem: Problem, given: Sequence[Given], weights: Sequence[float], *, fixed: int = 0
) -> Iterator[tuple[float, int]]:
    """Minimal sets of facts to give up, as weight and source bits, the lightest first.

    The tree of Reiter (1987), searched by weight: a set that resolves every conflict met so far is tried; where the
    rest still contradicts, each fact of the new conflict extends it. A set of which a part already repairs is dropped.
    """
    facts = 0
    cost = {}
    for g, weight in zip(given, weights, strict=True):
        facts |= g[2]
        cost[g[2]] = weight
    everything = facts
    for source in problem.sources:
        everything |= source
    queue: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, ())]
    met: set[int] = {0}
    found: list[int] = []
    conflicts: list[int] = []
    while queue:
        weight, _, members = heapq.heappop(queue)
        dropped = sum(members)
        if any(f & ~dropped == 0 for f in found):
            continue
        conflict = next((c for c in conflicts if not c & dropped), None)
        if conflict is None:
            core = contradicts(problem, given, everything & ~dropped)
            if core is None:
                found.append(dropped)
                yield weight, dropped
                continue
            conflict = core & facts & ~fixed
            conflicts.append(conflict)
        for place in bits(conflict):
            bit = 1 << place
            if dropped | bit not in met:
                met.add(dropped | bit)
                total = sum(cost[b] for b in (*members, bit))
                heapq.heappush(queue, (total, len(members) + 1, (*members, bit)))


def replaced(model: ProductModel, given: Sequence[Given], dropped: int) -> tuple[int, ...]:
    """The product that a repair leads to: ranges move the fewest steps, then the price is the least."""
    kept = [g for g in given if not g[2] & dropped]
    changed = [g for g in given if g[2] & dropped]
    none = [tuple(0.0 for _ in a.values) for a in model.attributes]
    steps = list(none)
    for v, mask, _ in changed:
        if isinstance(model.attributes[v], Range):
            places = list(bits(mask))
            steps[v] = tuple(float(min(abs(k - p) for p in places)) for k in range(len(none[v])))
    if steps != none:
        near = _known(optimum(model.problem, kept, Goal(tuple(steps))))
        kept += [(v, 1 << near[v], 0) for v, _, _ in changed if isinstance(model.attributes[v], Range)]
    goal = price_goal(model)
    if model.currency is None:
        order = list(none)
        for v, _, _ in changed:
            order[v] = tuple(float(k) for k in range(len(none[v])))
        goal = Goal(tuple(order))
    return _known(optimum(model.problem, kept, goal))


def _known(places: tuple[int, ...] | None) -> tuple[int, ...]:
    assert places is not None, "a repair was checked to complete"
    return places


def explained(model: ProductModel, facts: Sequence[Given], weights: Sequence[float], *, fixed: int) -> Conflict:
    """Minimal conflict of facts that contradict, with the repairs that leave the fixed ones alone.

    Where the fixed facts are impossible by themselves, a repair changes them.
    """
    core = smallest(model.problem, refuted(model.problem, facts), facts)
    rules = tuple(str(rule) for i, rule in enumerate(model.rules) if core >> i & 1)
    choices = tuple(said(model, v, mask) for v, mask, bit in facts if bit & core)
    if fixed and refuted(model.problem, [g for g in facts if g[2] & fixed]):
        fixed = 0
    made: list[Repair] = []
    for weight, dropped in corrections(model.problem, facts, weights, fixed=fixed):
        if len(made) >= 4 * MOST_REPAIRS or (len(made) >= MOST_REPAIRS and weight > made[-1].importance):
            break
        made.append(_repair(model, facts, dropped, weight))
    made.sort(key=lambda r: (r.importance, r.price.amount_minor if r.price else 0, str(r)))
    return Conflict(choices=choices, rules=rules, repairs=tuple(made[:MOST_REPAIRS]))


def _repair(model: ProductModel, facts: Sequence[Given], dropped: int, weight: float) -> Repair:
    product = replaced(model, facts, dropped)
    changes, new = [], [g for g in facts if not g[2] & dropped]
    for v, mask, bit in facts:
        if bit & dropped:
            labels = model.attributes[v].labels
            old = ", ".join(labels[at] for at in bits(mask)) if mask.bit_count() <= 3 else f"{mask.bit_count()} values"
            changes.append(Change(model.attributes[v].name, old, labels[product[v]]))
            new.append((v, 1 << product[v], 0))
    price = price_span(model, new)
    return Repair(changes=tuple(changes), importance=weight, price=None if price is None else price[0])
