"""A test that fails on a leak: change the future, and features and predictions must not move by one bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore._base import check_aware
from crmcore.errors import CrmError, EmptyInput, OutOfRange
from crmcore.idic.differentiate.propensity.backtesting import predictions_of
from crmcore.idic.differentiate.propensity.past import Past, arrivals, check_table, cut
from crmcore.idic.differentiate.propensity.predictors import Predictor, columns_of, read_facts
from crmcore.idic.differentiate.propensity.targets import check_horizon
from crmcore.metrics.columns import instant
from crmcore.metrics.scalars import seeded
from crmcore.tables import CustomerIndex, EventTable, OrderTable

__all__ = ["LeakFound", "LeakReport", "check_leaks"]

Floats = NDArray[np.float64]
T = TypeVar("T", OrderTable, EventTable)
WORLDS = ("removed", "scrambled", "renamed")


@attrs.define(eq=False)
class LeakFound(CrmError, AssertionError):
    """A predictor knows what it cannot know: it moved when only the future, or only names, had changed."""

    at: datetime
    world: str
    what: str
    customers: int

    def __str__(self) -> str:
        change = {
            "removed": "rows that arrived later were removed",
            "scrambled": "rows that arrived later were scrambled",
            "renamed": "customers were renamed",
        }[self.world]
        return (
            f"{self.what} moved for {self.customers} customers at {self.at:%Y-%m-%d} when {change}: "
            "the future leaks in.\n"
            "  hint: compute facts from the `Past` that you are given, and from nothing that was made outside of it"
        )


@attrs.frozen(kw_only=True)
class LeakReport:
    """What was changed, and that nothing moved."""

    cutoffs: tuple[datetime, ...]
    worlds: tuple[str, ...]
    customers: int

    def __str__(self) -> str:
        return (
            f"no leak: {self.customers} predictions at {len(self.cutoffs)} cutoffs stayed the same in the worlds "
            f"{', '.join(self.worlds)}"
        )


def check_leaks(
    build: Predictor[T] | Callable[[T], Predictor[T]],
    table: T,
    *,
    cutoffs: Sequence[datetime],
    horizon_days: float,
    seed: int | np.random.Generator,
    arrived: str | None = None,
) -> LeakReport:
    """Prove that a predictor does not see the future, or raise.

    At each cutoff the same predictor is made and fitted in worlds that differ only in what it must not know: rows that
    arrived later are **removed**; or **scrambled** (customers, amounts and words dealt out anew, times moved); or every
    customer is **renamed** in the same order. Facts and predictions must be equal to the last bit.

    Parameters
    ----------
    build
        A predictor, or better: a function that makes one from the whole table. Whatever your predictor has captured
        (a joined frame, a scaler, a list of the good customers) must be made inside that function: a leak through
        things made outside is found only where it goes by names of customers, in the renamed world.
    table, cutoffs, horizon_days, arrived
        As for `backtest`.
    seed
        Of the scrambling.

    Raises
    ------
    LeakFound
        With the world, and what moved.
    OutOfRange
        The predictor differs from itself in the same world: nothing can be proven of it.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from crmcore.idic.differentiate.propensity import FactsPredictor
    >>> days = [f"2026-01-{d:02d}" for d in range(1, 31)]
    >>> orders = OrderTable.from_frame(
    ...     {"customer": [f"c{d % 7 * d % 11}" for d in range(30)], "time": days, "amount": range(1, 31)},
    ...     currency="EUR", zone="UTC",
    ... )
    >>> at = datetime(2026, 1, 20, tzinfo=UTC)
    >>> print(check_leaks(FactsPredictor(), orders, cutoffs=[at], horizon_days=5, seed=1))
    no leak: 10 predictions at 1 cutoffs stayed the same in the worlds removed, scrambled, renamed
    """
    check_table(table)
    check_horizon(horizon_days)
    if not len(cutoffs):
        raise EmptyInput("cutoffs", "name at least one instant")
    rng = seeded(seed)
    total = 0
    for at in sorted(set(cutoffs)):
        check_aware(at, "cutoffs")
        here = _seen(build, table, at, horizon_days, arrived)
        if _moved(here, _seen(build, table, at, horizon_days, arrived)) is not None:
            hint = "give it a fixed seed: two fits on the same past must be equal"
            raise OutOfRange("predictor", "different from itself in the same world", "deterministic", hint)
        later = arrivals(table, arrived) > instant("at", at)
        total += len(here["predictions"])
        for world in WORLDS:
            there = _in_world(build, _changed(table, later, world, rng, arrived), at, horizon_days, arrived, world)
            found = _moved(here, there)
            if found is not None:
                raise LeakFound(at, world, *found)
    return LeakReport(cutoffs=tuple(sorted(set(cutoffs))), worlds=WORLDS, customers=total)


def _in_world(
    build: Predictor[T] | Callable[[T], Predictor[T]], table: T, at: datetime, horizon_days: float,
    arrived: str | None, world: str,
) -> dict[str, list[Any]]:  # fmt: skip
    if world != "renamed":
        return _seen(build, table, at, horizon_days, arrived)
    try:
        return _seen(build, table, at, horizon_days, arrived)
    except LookupError:  # it looked for a customer by the old name
        raise LeakFound(at, world, "a look-up by name, which failed,", len(cut(table, at=at).customers)) from None


def _seen(
    build: Predictor[T] | Callable[[T], Predictor[T]], table: T, at: datetime, horizon_days: float, arrived: str | None
) -> dict[str, list[Any]]:
    """Facts (where the predictor shows them) and predictions at a cutoff, by name."""
    predictor = cast("Predictor[T]", build if hasattr(build, "fit") else cast("Any", build)(table))
    past: Past[T] = cut(table, at=at, arrived=arrived)
    seen: dict[str, list[Any]] = {}
    facts = getattr(predictor, "facts", None)
    if callable(facts):
        seen |= {f"fact {name!r}": list(c) for name, c in columns_of(read_facts(facts, past)).items()}
    seen["predictions"] = predictions_of(predictor.fit(past, horizon_days=horizon_days), past).tolist()
    return seen


def _moved(here: dict[str, list[Any]], there: dict[str, list[Any]]) -> tuple[str, int] | None:
    """What moved first, and for how many customers."""
    for name in [*here, *(n for n in there if n not in here)]:
        a, b = here.get(name, []), there.get(name, [])
        moved = sum(not (x == y or (x != x and y != y)) for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))
        if moved:
            return name, moved
    return None


def _changed(table: T, later: NDArray[np.bool_], world: str, rng: np.random.Generator, arrived: str | None) -> T:
    if world == "removed":
        return table.take(~later)
    if world == "renamed":
        order = np.argsort(np.argsort(np.array(table.customers.ids, object), kind="stable"), kind="stable")
        wide = len(str(max(len(order), 1)))
        names = tuple(f"renamed-{place:0{wide}d}" for place in order.tolist())
        return attrs.evolve(table, customers=CustomerIndex(names))
    rows = np.flatnonzero(later)
    mixed = np.arange(len(table))
    mixed[rows] = rng.permutation(rows)
    dealt = table.take(mixed)
    customer = table.customer.copy()
    if len(table.customers):
        customer[rows] = rng.integers(len(table.customers), size=len(rows))
    moved = table.time.copy()
    moved[rows] += rng.integers(1, 400 * 86_400_000_000, size=len(rows)).astype("timedelta64[us]")
    amount = dealt.amount_minor.copy()
    if isinstance(table, OrderTable):
        amount[rows] = amount[rows] * 3 + 100
    attributes = dict(dealt.attributes)
    if arrived is not None:
        attributes[arrived] = table.attributes[arrived]  # what arrives late must still do so
    return attrs.evolve(dealt, customer=customer, time=moved, amount_minor=amount, attributes=attributes)
