"""Laws of triggers: equal to reading one customer's story; a day = its minutes; order of events is irrelevant."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from crmcore.idic.interact.contact.triggers import (
    Abandoned,
    BackInStock,
    Birthday,
    Firings,
    ItemTable,
    Maintenance,
    NearlyOut,
    PriceDrop,
    Silence,
    Sources,
    fire,
)
from crmcore.rules import FactTable
from crmcore.tables import CustomerIndex, EventTable, TextColumn

START = datetime(2026, 1, 30, tzinfo=UTC)
ZONES = ("Asia/Bangkok", "Europe/Berlin", "Australia/Lord_Howe")
ITEMS = ("lamp", "sofa", "cup")
PEOPLE = [f"c{i}" for i in range(8)]
TRIGGERS = [
    Abandoned("cart", start="add", done="order", key="cart", after_hours=2),
    Silence("quiet", kinds=["order", "add"], after_days=3),
    PriceDrop("cheaper", at_least=0.2),
    BackInStock("back"),
    NearlyOut("scarce", threshold=5),
    Maintenance("oil", months=1, usage=500, key="cart"),
    Birthday("birthday"),
    Silence("paused", kinds="order", after_days=1, pause_days=9),
]


def story(seed: int) -> tuple[Sources, list[dict], list[dict], list[dict]]:
    rng = random.Random(seed)

    def at() -> datetime:
        return START + timedelta(minutes=30 * rng.randrange(48 * 60))

    events = []
    for _ in range(150):
        kind = rng.choice(("add", "order", "favourite", "unfavourite", "service", "reading"))
        events.append(
            {"customer": rng.choice(PEOPLE), "time": at(), "kind": kind, "reference": rng.choice(ITEMS),
             "cart": rng.choice(("k1", "k2")), "km": str(100 * rng.randrange(12))}
        )  # fmt: skip
    prices = [{"item": rng.choice(ITEMS), "time": at(), "value": rng.choice((10, 8, 5))} for _ in range(12)]
    stock = [{"item": rng.choice(ITEMS), "time": at(), "value": rng.choice((0, 3, 5, 9))} for _ in range(25)]
    for rows in (prices, stock):  # one value at one instant
        rows[:] = list({(r["item"], r["time"]): r for r in rows}.values())
    events = list({(e["customer"], e["time"]): e for e in events}.values())
    index = CustomerIndex.of(PEOPLE)
    born = np.array([f"2000-02-{rng.randrange(1, 30):02d}" for _ in PEOPLE], "datetime64[D]")
    sources = Sources(
        index, FactTable(index, {"born": born}), EventTable.from_frame(events, customers=index),
        ItemTable.from_frame(prices), ItemTable.from_frame(stock),
        zone=TextColumn(np.array([rng.randrange(3) for _ in PEOPLE], np.int32), ZONES),
    )  # fmt: skip
    return sources, events, prices, stock


def rows_of(found: Firings, name: str) -> set[tuple]:
    frame = found.of(name).to_frame()
    return set(zip(frame["customer"], frame["at"], frame["origin"], frame["item"], strict=True))


def gaps(events: list[dict], start: tuple, done: tuple, key: bool, after: timedelta, end: datetime) -> set[tuple]:
    out = set()
    for e in events:
        if e["kind"] not in start or e["time"] + after >= end:
            continue
        mine = [
            o for o in events
            if o["customer"] == e["customer"] and o["kind"] in (*start, *done) and (not key or o["cart"] == e["cart"])
        ]  # fmt: skip
        if not any(e["time"] < o["time"] <= e["time"] + after for o in mine):
            out.add((e["customer"], e["time"] + after, e["time"], e["cart"] if key else None))
    return out


def wished(events: list[dict], customer: str, item: str, at: datetime) -> bool:
    mine = [e for e in events if e["customer"] == customer and e["reference"] == item and e["time"] <= at]
    mine = [e for e in mine if e["kind"] in ("favourite", "unfavourite")]
    return bool(mine) and max(mine, key=lambda e: e["time"])["kind"] == "favourite"


def on_items(events: list[dict], rows: list[dict], name: str, end: datetime) -> set[tuple]:
    out = set()
    for item in ITEMS:
        line = sorted((r for r in rows if r["item"] == item), key=lambda r: r["time"])
        for i, row in enumerate(line):
            before = line[i - 1]["value"] if i else None
            value, at = row["value"], row["time"]
            if name == "cheaper" and before is not None and value <= before * 0.8 + 1e-9:
                out |= {(c, at, at, item) for c in PEOPLE if wished(events, c, item, at)}
            if name == "back" and before == 0 and value > 0:
                out |= {(c, at, at, item) for c in PEOPLE if wished(events, c, item, at)}
            if name == "scarce" and 0 < value <= 5 and not (before is not None and 0 < before <= 5):
                over = next((r["time"] for r in line[i + 1 :] if not 0 < r["value"] <= 5), end)
                for c in PEOPLE:
                    moments = sorted({at, *(e["time"] for e in events if at <= e["time"] < over)})
                    first = next((m for m in moments if wished(events, c, item, m)), None)
                    if first is not None:
                        out.add((c, first, at, item))
    return {row for row in out if row[1] < end}


def oil(events: list[dict], sources: Sources, end: datetime) -> set[tuple]:
    from zoneinfo import ZoneInfo

    out = set()
    for e in events:
        if e["kind"] != "service":
            continue
        same = [o for o in events if (o["customer"], o["cart"]) == (e["customer"], e["cart"]) and o["time"] > e["time"]]
        following = min((o["time"] for o in same if o["kind"] == "service"), default=end)
        zone = ZoneInfo(sources.zone[PEOPLE.index(e["customer"])])
        day = e["time"].astimezone(zone)
        year, month = day.year + day.month // 12, day.month % 12 + 1
        last = (datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
        due = datetime(year, month, min(day.day, last), 9, tzinfo=zone).astimezone(UTC)
        worn = [
            o["time"]
            for o in same
            if o["kind"] == "reading" and int(o["km"]) - int(e["km"]) >= 500 and o["time"] < following
        ]
        due = min([due, *worn])
        if due < following and due < end:
            out.add((e["customer"], due, e["time"], e["cart"]))
    return out


@pytest.mark.parametrize("seed", range(20))
def test_triggers_equal_reading_one_story_after_the_other(seed: int) -> None:
    sources, events, prices, stock = story(seed)
    end = START + timedelta(days=70)
    found = fire(TRIGGERS, sources, since=START, until=end)
    assert rows_of(found, "cart") == gaps(events, ("add",), ("order",), True, timedelta(hours=2), end)
    assert rows_of(found, "quiet") == gaps(events, ("order", "add"), (), False, timedelta(days=3), end)
    assert rows_of(found, "cheaper") == on_items(events, prices, "cheaper", end)
    assert rows_of(found, "back") == on_items(events, stock, "back", end)
    assert rows_of(found, "scarce") == on_items(events, stock, "scarce", end)
    assert rows_of(found, "oil") == oil(events, sources, end)
    plain = sorted(gaps(events, ("order",), (), False, timedelta(days=1), end))
    kept: dict[str, datetime] = {}
    for customer, at, *_ in plain:
        if customer not in kept or at - kept[customer] >= timedelta(days=9):
            kept[customer] = at
            assert (customer, at) in {row[:2] for row in rows_of(found, "paused")}


@pytest.mark.parametrize("seed", range(12))
def test_a_long_stretch_fires_what_its_parts_fire_one_after_the_other(seed: int) -> None:
    sources, events, *_ = story(seed)
    rng = random.Random(seed)
    end = START + timedelta(days=70)
    cuts = sorted({START, end, *(START + timedelta(minutes=rng.randrange(70 * 1440)) for _ in range(30))})
    whole = fire(TRIGGERS, sources, since=START, until=end)
    stream = Firings.none(sources.customers)
    for low, high in pairwise(cuts):  # each part knows what had happened by its end
        known = [e for e in events if e["time"] < high]
        table = EventTable.from_frame(known, customers=sources.customers) if known else sources.events
        part = Sources(sources.customers, sources.facts, table, sources.prices, sources.stock, zone=sources.zone)
        stream = stream + fire(TRIGGERS, part, since=low, until=high, fired=stream)
    columns = ("trigger", "customer", "at", "origin", "item")
    one, other = whole.to_frame(), stream.to_frame()
    assert sorted(zip(*(map(str, one[c]) for c in columns), strict=True)) == sorted(
        zip(*(map(str, other[c]) for c in columns), strict=True)
    )
    assert len(fire(TRIGGERS, sources, since=START, until=end, fired=stream)) == 0
    again = Firings.from_frame(stream.to_frame(), customers=sources.customers) if len(stream) else stream
    assert len(stream + again) == len(stream)


def test_the_order_of_events_is_irrelevant() -> None:
    sources, events, *_ = story(3)
    end = START + timedelta(days=70)
    shuffled = random.Random(1).sample(events, len(events))
    other = Sources(
        sources.customers, sources.facts, EventTable.from_frame(shuffled, customers=sources.customers), sources.prices,
        sources.stock, zone=sources.zone,
    )  # fmt: skip
    one, two = (fire(TRIGGERS, s, since=START, until=end).to_frame() for s in (sources, other))
    assert one == two
