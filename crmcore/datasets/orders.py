"""Orders and their lines: when people buy (BG/NBD), what for (needs), and how it reaches them (couriers, boxes)."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.datasets.columns import Columns, Ints, children, draw, kept, long_tail, opaque_ids, texts, utc
from crmcore.datasets.people import FIRST_DAY, LAST_DAY
from crmcore.datasets.places import places
from crmcore.datasets.records import RecordSet
from crmcore.datasets.traits import NEEDS, Planted, Traits

__all__ = ["Orders", "simulate_orders"]

CATEGORIES = ("refill box", "ready set", "multipack", "basics", "designer", "limited edition")
# needs -> shares of the categories; each group has two of its own
TASTE = (
    (0.36, 0.34, 0.08, 0.12, 0.05, 0.05),
    (0.06, 0.06, 0.42, 0.38, 0.04, 0.04),
    (0.06, 0.08, 0.04, 0.06, 0.40, 0.36),
)
COUPON = (0.10, 0.75, 0.05)  # needs -> share of orders with a coupon
DELIVERY = ("express", "standard", "pick-up")
CARRIED = ((0.75, 0.15, 0.10), (0.05, 0.70, 0.25), (0.45, 0.45, 0.10))  # needs -> shares of the deliveries
COURIERS = ("swift", "kurier", "post")
NEW_BOX_FROM = np.datetime64("2025-03-01", "us")
MACHINE, CAPSULE = "ready set-01", "refill box-01"  # who buys the first mostly needs the second


@attrs.frozen(eq=False, repr=False)
class Orders:
    """Orders as tables, and what happened behind them."""

    orders: Columns
    lines: Columns
    person: Ints  # (orders,)
    row: Ints  # (orders,) row of the record in RecordTruth
    late: NDArray[np.bool_]  # (orders,)
    damaged: NDArray[np.bool_]  # (orders,)
    alive: NDArray[np.bool_]  # (persons,) still a customer at the end; False for who never bought
    first: NDArray[np.datetime64]  # (persons,) first order, NaT = never
    count: Ints  # (persons,)

    def __len__(self) -> int:
        return len(self.person)

    def __repr__(self) -> str:
        return f"Orders({len(self)} orders, {len(self.lines['sku'])} lines)"


def _purchase_times(
    rng: np.random.Generator, rate: NDArray[np.float64], dropout: NDArray[np.float64], weeks: float
) -> tuple[Ints, NDArray[np.float64], NDArray[np.bool_]]:
    """Who buys when (weeks), and who is still active at the end; the first order is given, dropout follows repeats."""
    n = len(rate)
    r = children(rng, "first", "wait", "drop")
    time = r["first"].random(n) * weeks * 0.85
    who, when = [np.arange(n)], [time.copy()]
    active = np.arange(n)
    alive = np.ones(n, dtype=bool)
    while len(active):
        time[active] += r["wait"].exponential(1.0, len(active)) / np.maximum(rate[active], 1e-9)
        active = active[time[active] < weeks]
        who.append(active)
        when.append(time[active].copy())
        gone = r["drop"].random(len(active)) < dropout[active]
        alive[active[gone]] = False
        active = active[~gone]
    return np.concatenate(who), np.concatenate(when), alive


def simulate_orders(records: RecordSet, traits: Traits, *, planted: Planted, rng: np.random.Generator) -> Orders:
    """Orders of everybody who has a member or web record, in one currency."""
    r = children(
        rng, "times", "record", "amount", "category", "coupon", "delivery", "courier", "harm", "ids", "lines", "order"
    )
    truth = records.truth
    rows = truth.rows_of("members", "web_orders")
    buyer = np.unique(truth.person[rows])
    weeks = float((LAST_DAY - FIRST_DAY).astype(int)) / 7
    k, week, alive = _purchase_times(r["times"], traits.purchase_rate[buyer], traits.dropout[buyer], weeks)
    order = r["order"].permutation(len(k))
    k, week = k[order], week[order]
    person, n = buyer[k], len(k)
    # One of the person's own records, at random, holds each order.
    by_person = rows[np.argsort(truth.person[rows], kind="stable")]
    low = np.searchsorted(truth.person[by_person], person, side="left")
    high = np.searchsorted(truth.person[by_person], person, side="right")
    row = by_person[low + (r["record"].random(n) * (high - low)).astype(np.int64)]
    time = utc(week * 7, origin=FIRST_DAY)
    amount = (
        np.maximum(r["amount"].gamma(planted.p, traits.mean_spend[person] / planted.p), 100.0).round().astype(np.int64)
    )
    needs = traits.needs[person]
    category = _by_needs(r["category"], needs, TASTE)
    delivery = _by_needs(r["delivery"], needs, CARRIED)
    people = records.people
    region = places().region[people.address_city[people.address[person]]]
    north = region == "north"
    spins = r["courier"].random(n)
    courier = np.where(spins < np.where(north, 0.65, 0.15), 0, np.where(spins < 0.85, 1, 2))
    new_box = (time >= NEW_BOX_FROM) & (r["courier"].random(n) < 0.7)
    late = r["harm"].random(n) < np.where(courier == 0, planted.late_if_swift, planted.late_otherwise)
    damaged = r["harm"].random(n) < np.where(new_box, planted.damaged_if_new_box, planted.damaged_otherwise)
    late, damaged = late & (delivery != 2), damaged & (delivery != 2)
    promised = np.array([1.0, 4.0, 0.0])[delivery]
    took = promised * r["harm"].uniform(0.4, 1.0, n) + late * (2 + r["harm"].exponential(3.0, n))
    web = truth.source[row] == "web_orders"
    ids = opaque_ids(r["ids"], n, prefix="o-")
    lines = _lines(r["lines"], ids, category, amount)
    orders: Columns = {
        "order_id": ids,
        "record_id": truth.record_id[row],
        "time": time,
        "channel": np.where(web, "web", "store").astype(object),
        "amount_minor": amount,
        "currency": np.full(n, planted.currency, dtype=object),
        "category": texts(list(CATEGORIES))[category],
        "items": np.bincount(lines[0], minlength=n),
        "coupon": r["coupon"].random(n) < np.array(COUPON)[needs],
        "delivery": texts(list(DELIVERY))[delivery],
        "courier": kept(texts(list(COURIERS))[courier], delivery != 2),
        "region": region,
        "packaging": np.where(new_box, "new box", "old box").astype(object),
        "promised_days": promised,
        "delivered_at": time + (took * 86_400).astype(np.int64).astype("timedelta64[s]"),
    }
    everybody = len(traits)
    first = np.full(everybody, np.datetime64("2262-01-01", "us"))
    np.minimum.at(first, person, time)
    count = np.bincount(person, minlength=everybody)
    first[count == 0] = np.datetime64("NaT", "us")
    is_alive = np.zeros(everybody, dtype=bool)
    is_alive[buyer] = alive
    return Orders(orders, lines[1], person, row, late, damaged, is_alive, first, count)


def _by_needs(rng: np.random.Generator, needs: Ints, shares: tuple[tuple[float, ...], ...]) -> Ints:
    """One choice for each row, by the shares of its needs group."""
    chosen = np.empty(len(needs), dtype=np.int64)
    for g, child in zip(range(len(NEEDS)), rng.spawn(len(NEEDS)), strict=True):
        rows = np.flatnonzero(needs == g)
        chosen[rows] = draw(child, shares[g], len(rows))
    return chosen


def _lines(rng: np.random.Generator, ids: NDArray[np.object_], category: Ints, amount: Ints) -> tuple[Ints, Columns]:
    """Order lines that sum to the amount; the machine pulls its capsules into two of three baskets."""
    r = children(rng, "count", "sku", "mix", "split", "pull", "quantity")
    n = len(ids)
    order = np.repeat(np.arange(n), np.minimum(1 + r["count"].poisson(0.7, n), 5))
    kind = np.where(
        r["mix"].random(len(order)) < 0.8, category[order], r["mix"].integers(len(CATEGORIES), size=len(order))
    )
    names = texts([f"{c}-{i:02d}" for c in CATEGORIES for i in range(1, 21)])
    sku = kind * 20 + draw(r["sku"], long_tail(20, exponent=0.8), len(order))
    machine = np.flatnonzero(names == MACHINE)[0]
    capsule = np.flatnonzero(names == CAPSULE)[0]
    pulled = order[(sku == machine) & (r["pull"].random(len(order)) < 2 / 3)]
    order, sku = np.append(order, pulled), np.append(sku, np.full(len(pulled), capsule))
    # The same product twice in one order is one line.
    order, sku = np.divmod(np.unique(order * len(names) + sku), len(names))
    share = r["split"].gamma(4.0, 1.0, len(order))
    part = np.floor(share / np.bincount(order, share)[order] * amount[order]).astype(np.int64)
    first = np.searchsorted(order, np.arange(n))
    part[first] += amount - np.bincount(order, part, minlength=n).astype(np.int64)
    return order, {
        "order_id": ids[order],
        "sku": names[sku],
        "quantity": 1 + r["quantity"].poisson(0.3, len(order)),
        "amount_minor": part,
    }
