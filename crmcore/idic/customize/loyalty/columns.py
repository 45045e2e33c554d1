"""What millions of purchases earn: the same points as `Programme.points`, as columns of a posting table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.errors import CurrencyMismatch, OutOfRange
from crmcore.idic.customize.loyalty.earning import Bonus, Earn, Steps
from crmcore.idic.customize.loyalty.programme import Programme
from crmcore.idic.customize.loyalty.purchases import WEEKDAYS
from crmcore.idic.customize.loyalty.validity import RoundUp
from crmcore.ledger import Kind, PostingTable, Unit
from crmcore.ledger.postings import RANK
from crmcore.rules import Rule
from crmcore.rules.fact_table import Column, FactTable, MoneyColumn
from crmcore.rules.nodes import Node, Now
from crmcore.rules.truth import Truth
from crmcore.rules.walking import parts_of
from crmcore.tables import CustomerIndex, OrderTable, TextColumn
from crmcore.zones import instants_of_local, local_columns, zone_of

__all__ = ["earn_table"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def earn_table(programme: Programme, orders: OrderTable, *, facts: Mapping[str, Column] | None = None) -> PostingTable:
    """Points that orders earn, one posting for each order that earns any.

    Each order earns what `Programme.points` gives for it, to the point; rules ask for `product`, `quantity`,
    `line_amount`, `amount`, `weekday`, `hour`, the orders' attributes, and `facts`.

    Parameters
    ----------
    programme : Programme
    orders : OrderTable
        Lines of one currency. Lines without an order id are orders of their own; refunds (amounts below 0) are left
        out, for they are settled by `Club.refund`; so are buyers whom nobody knows.
    facts : mapping of name to (n,) columns, optional
        More facts of each line.

    Returns
    -------
    PostingTable
        Accounts `"<programme>:<unit>:<customer>"`, ids `"<order>:earn"`, in the order of time, then id.

    Raises
    ------
    CurrencyMismatch
        Orders in another currency than the programme's.
    OutOfRange
        One order id with several customers or times.

    Examples
    --------
    >>> from crmcore.idic.customize.loyalty import Earn
    >>> from crmcore.values import Money
    >>> club = Programme(name="club", currency="THB", zone="Asia/Bangkok",
    ...                  earns=[Earn(name="base", points=1, per=Money.of("25", "THB"))])
    >>> orders = OrderTable.from_frame({"customer": ["a", "b", "a"], "time": ["2026-03-01", "2026-03-05", "2026-03-09"],
    ...                                 "amount": [100, 20, 260]}, currency="THB", zone="Asia/Bangkok")
    >>> table = earn_table(club, orders)
    >>> table, table.amount.tolist()
    (PostingTable(2 postings, 2 accounts, point), [4, 10])
    """
    if orders.currency != programme.currency:
        raise CurrencyMismatch(programme.currency, orders.currency)
    rows = np.flatnonzero((orders.amount_minor >= 0) & (orders.customer >= 0))
    lines = orders.take(rows)
    order, first = _orders(lines)
    table = _line_facts(programme, lines, order, {k: _taken(v, rows) for k, v in (facts or {}).items()})
    points = _points(programme, lines, order, len(first), table)
    if programme.at_most is not None:
        points = np.minimum(points, programme.at_most)
    return _postings(programme, lines, first, points, rows)


def _taken(column: Any, rows: NDArray[np.intp]) -> Any:
    if hasattr(column, "take") and not isinstance(column, np.ndarray):
        return column.take(rows)
    if isinstance(column, MoneyColumn):
        return MoneyColumn(column.amount_minor[rows], column.currency)
    return column[rows] if isinstance(column, np.ndarray) else [column[i] for i in rows.tolist()]


def _orders(lines: OrderTable) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order of each line, and the first line of each order."""
    codes = lines.order_id.codes.astype(np.int64)
    alone = codes < 0
    codes[alone] = len(lines.order_id.values) + np.flatnonzero(alone)
    _, first, order = np.unique(codes, return_index=True, return_inverse=True)
    mixed = (lines.customer != lines.customer[first][order]) | (lines.time != lines.time[first][order])
    if mixed.any():
        row = int(np.flatnonzero(mixed)[0])
        hint = "an order is one purchase of one customer at one time"
        raise OutOfRange("order_id", f"line {row} differs from the first of its order", "one customer and time", hint)
    return order, first


def _line_facts(
    programme: Programme, lines: OrderTable, order: NDArray[np.intp], facts: Mapping[str, Column]
) -> FactTable:
    whole = np.bincount(order, weights=lines.amount_minor, minlength=1).astype(np.int64)
    wall = local_columns(lines.time, programme.zone)
    columns: dict[str, Any] = {
        "amount": MoneyColumn(whole[order], lines.currency),
        "line_amount": MoneyColumn(lines.amount_minor, lines.currency),
        "weekday": TextColumn((wall.weekday - 1).astype(np.int32), WEEKDAYS),
        "hour": wall.minute // 60,
        "product": lines.product,
        "quantity": lines.quantity,
    }
    rows = CustomerIndex.of([str(i) for i in range(len(lines))])
    return FactTable(rows, {**columns, **lines.attributes, **facts})


def _points(programme: Programme, lines: OrderTable, order: NDArray[np.intp], n_orders: int, table: FactTable) -> Ints:
    best = _best_bonus(programme, lines, table)
    total = np.zeros(n_orders, np.int64)
    for earn in programme.earns:
        held = _held(earn.when, lines, table)
        total += _exact(earn, lines, order, n_orders, held, Fraction(1))
        for code, bonus in enumerate(programme.bonuses):
            those = held & (best == code)
            if earn.per is None and not earn.pieces:
                partly = np.bincount(order[held & ~those], minlength=n_orders) > 0
                those &= ~partly[order]
            total += _exact(earn, lines, order, n_orders, those, Fraction(bonus.times) - 1)
    return total


def _best_bonus(programme: Programme, lines: OrderTable, table: FactTable) -> NDArray[np.int64]:
    """Code of the bonus of each line: the greatest, then the first by name; -1 is none."""
    best = np.full(len(lines), -1)
    ranked = sorted(enumerate(programme.bonuses), key=lambda item: (item[1].times, _reversed(item[1])))
    for code, bonus in ranked:
        best[_held(bonus.when, lines, table)] = code
    return best


def _reversed(bonus: Bonus) -> tuple[int, ...]:
    return tuple(-ord(letter) for letter in bonus.name)


def _held(rule: Rule | None, lines: OrderTable, table: FactTable) -> Bools:
    if rule is None or not len(lines):
        return np.ones(len(lines), np.bool_)
    if not any(isinstance(part, Now) for part in _all_parts(rule.when)):
        return rule.mask(table, now=_moment(lines, 0)).true
    each = (rule.decide(table[row], now=_moment(lines, row)).truth for row in range(len(lines)))
    return np.fromiter((truth is Truth.TRUE for truth in each), np.bool_, len(lines))


def _all_parts(node: Node) -> Iterator[Node]:
    yield node
    for part in parts_of(node):
        yield from _all_parts(part)


def _moment(lines: OrderTable, row: int) -> datetime:
    moment: datetime = lines.time[row].item()
    return moment.replace(tzinfo=UTC)


def _exact(earn: Earn, lines: OrderTable, order: NDArray[np.intp], n_orders: int, held: Bools, times: Fraction) -> Ints:
    """Points of each order by one rule: whole numbers, rounded down once an order."""
    points = Fraction(earn.points) * times
    if earn.per is None:
        pieces = lines.quantity if earn.pieces else np.ones(len(lines), np.int64)
        count = np.bincount(order[held], weights=pieces[held], minlength=n_orders).astype(np.int64)
        return _floor(count if earn.pieces else np.minimum(count, 1), points)
    amount = np.bincount(order[held], weights=lines.amount_minor[held], minlength=n_orders).astype(np.int64)
    if earn.steps is Steps.FULL:
        return _floor(amount // earn.per.amount_minor, points)
    return _floor(amount, points / earn.per.amount_minor)


def _floor(counts: Ints, factor: Fraction) -> Ints:
    top = int(counts.max(initial=0))
    if top * factor.numerator < 2**62:
        return counts * factor.numerator // factor.denominator
    return np.array([int(n * factor) for n in counts.tolist()], np.int64)


def _postings(
    programme: Programme, lines: OrderTable, first: NDArray[np.intp], points: Ints, rows: NDArray[np.intp]
) -> PostingTable:
    some = np.flatnonzero(points > 0)
    at = lines.time[first[some]]
    names = [f"{lines.order_id[row] or f'line {rows[row]}'}:earn" for row in first[some].tolist()]
    by_time = np.lexsort((np.array(names, object).astype(str), at)) if len(some) else some
    some, at, names = some[by_time], at[by_time], [names[i] for i in by_time.tolist()]
    accounts = CustomerIndex.of([f"{programme.name}:{programme.unit}:{c}" for c in lines.customers.ids])
    wait = programme.pending_days
    return PostingTable(
        account=lines.customer[first[some]], kind=np.full(len(some), RANK[Kind.EARN], np.int8), at=at,
        amount=points[some], id=names, unit=Unit(programme.unit), accounts=accounts,
        expires_at=_ends(programme, at), available_at=at + np.timedelta64(wait, "D") if wait else None,
    )  # fmt: skip


def _ends(programme: Programme, at: NDArray[np.datetime64]) -> NDArray[np.datetime64] | None:
    """When each lot expires: one walk of the calendar for each day that occurs."""
    if programme.validity.endless:
        return None
    zone = zone_of(programme.zone)
    wall = local_columns(at, programme.zone)
    days, day = np.unique(wall.date, return_inverse=True)
    midnights = [datetime.combine(d, time(), zone) for d in days.tolist()]
    ends = [programme.validity.ends(start, zone=zone) for start in midnights]
    last = np.array([e.replace(tzinfo=None) for e in ends if e is not None], "datetime64[us]")[day]
    if programme.validity.to_end_of is RoundUp.NONE:
        last = last + (wall.wall - wall.date)
    return instants_of_local(last, programme.zone)
