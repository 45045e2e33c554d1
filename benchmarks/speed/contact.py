"""Consents, contact policies and triggers at scale: `python -m benchmarks.speed.contact [--size 1000000]`.

One fresh process a repeat measures everything: single decisions with five past sends and three caps, the standing of an
audience, caps over five sends a contact, a whole plan, and twenty triggers over one day with four events a customer.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, measures, middle, say

SIZE = 1_000_000
SINGLE = 5_000
ZONES = ("Asia/Bangkok", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/London")
CHANNELS = ("email", "line")
KINDS = ("order", "add to cart", "favourite", "unfavourite", "service", "reading", "view")
NOW = datetime(2026, 6, 2, 5, tzinfo=UTC)
DAY_US = 86_400_000_000
BARS = {  # calls a second, or seconds for one size
    "single decisions": 50_000,
    "caps": 0.3,
    "triggers": 5.0,
}


def run(n: int) -> Row:
    """Seconds of everything for n contacts."""
    with Meter() as whole:
        row: Row = {**_single(), **_audience(n), **_triggers(n)}
    return {**row, "wall_s": whole.cost.wall_s, "peak_mb": whole.cost.peak_mb}


def _policy() -> Any:
    from crmcore.calendars import CalendarCap, SlidingCap
    from crmcore.idic.interact import ContactPolicy

    caps = [SlidingCap(24, 1), SlidingCap(168, 3), CalendarCap("month", 8)]
    return ContactPolicy("Asia/Bangkok", quiet_hours=("21:00", "08:00"), weekdays=["mon-fri"], caps=caps)


def _single() -> Row:
    from crmcore.idic.interact import ConsentLedger, Contact, Message, Send, Statement, decide

    policy, message = _policy(), Message("sale")
    names = [f"c{i}" for i in range(500)]
    asked = NOW - timedelta(days=90)
    consents = ConsentLedger([Statement(name, "marketing", "email", "granted", asked) for name in names])
    contacts = [Contact(name, ["email"], zone=ZONES[i % 6]) for i, name in enumerate(names)] * (SINGLE // 500)
    daytime = [Contact(name, ["email"], zone="Asia/Bangkok") for name in names] * (SINGLE // 500)
    history = [Send(NOW - timedelta(days=9 * k + 8)) for k in range(5)]

    def all_of(people: list[Contact]) -> None:
        for contact in people:
            decide(contact, message, policy=policy, consents=consents, now=NOW, history=history)

    return {"single": SINGLE / _best(lambda: all_of(daytime)), "mixed": SINGLE / _best(lambda: all_of(contacts))}


def _audience(n: int) -> Row:
    from crmcore.calendars import CalendarCap, ContactTimes, SlidingCap
    from crmcore.idic.interact import Audience, ConsentTable, HoldOut, Message, SendTable, plan
    from crmcore.tables import CustomerIndex, TextColumn

    rng = np.random.default_rng(2)
    index = CustomerIndex(tuple(f"c{i:07d}" for i in range(n)))
    order = np.where(rng.random((n, 1)) < 0.5, [[0, 1]], [[1, 0]]).astype(np.int8)
    zone = TextColumn(rng.integers(0, len(ZONES), n).astype(np.int32), ZONES)
    audience = Audience(index, CHANNELS, order, rng.random((n, 2)) < 0.9, zone, TextColumn.empty(n))
    counts = rng.poisson(5, n)
    now = np.datetime64(NOW.replace(tzinfo=None), "us")
    owner, at = np.repeat(np.arange(n), counts), now - rng.integers(0, 40 * DAY_US, int(counts.sum()))
    history = SendTable.of_codes(index, owner, at)
    m, said_at = 2 * n, np.full(2 * n, (now - 90 * DAY_US).astype(np.int64))
    on = TextColumn(np.tile(np.array([0, 1], np.int32), n), CHANNELS)
    said = rng.choice([1, 1, 1, 3], m).astype(np.int8)
    about = TextColumn(np.zeros(m, np.int32), ("marketing",))
    who, far = np.repeat(np.arange(n), 2).astype(np.int32), np.full(m, 2**62)
    consents = ConsentTable(who, about, on, TextColumn.empty(m), said, said_at, far, said_at, index)
    policy, message = _policy(), Message("sale")
    caps = ContactTimes("Asia/Bangkok", caps=[SlidingCap(24, 1), SlidingCap(168, 3), CalendarCap("month", 8)])
    given = {"policy": policy, "consents": consents, "now": NOW, "history": history, "hold_out": HoldOut(0.1, seed=7)}
    return {
        "standing": _best(lambda: consents.ask("marketing", "email", at=NOW)),
        "caps": _best(
            lambda: caps.decide_all(
                now, history.us.view("datetime64[us]"), history.offsets, zones=ZONES, zone_codes=zone.codes
            )
        ),
        "plan": _best(lambda: plan(audience, message, **given)),
        "plan two": _seconds(lambda: plan(audience, [message, Message("vip", priority=1)], **given)),
        "plan five": _seconds(lambda: plan(audience, [Message(f"m{i}") for i in range(5)], **given)),
    }


def _triggers(n: int) -> Row:
    from crmcore.idic.interact import fire
    from crmcore.idic.interact.contact import triggers as t

    day = NOW.replace(hour=0)
    sources = _story(n, np.datetime64(day.replace(tzinfo=None), "us"))
    several = [
        t.Birthday("birthday"), t.Birthday("week before", days_before=7), t.Birthday("evening", at="18:00"),
        t.Abandoned("cart 1 h", key="cart"), t.Abandoned("cart 24 h", key="cart", after_hours=24),
        t.Abandoned("viewed", start="view", after_hours=72), t.Silence("silent 30", after_days=30),
        t.Silence("silent 90", after_days=90), t.Silence("silent 180", kinds=["order", "view"], after_days=180),
        t.Silence("silent 365", kinds=["order", "view", "add to cart"], after_days=365),
        t.PriceDrop("cheaper"), t.PriceDrop("20 %", at_least=0.2), t.PriceDrop("40 %", at_least=0.4),
        t.BackInStock("back"), t.BackInStock("back, paused", pause_days=30), t.NearlyOut("scarce"),
        t.NearlyOut("scarce, paused", threshold=3, pause_days=30), t.Maintenance("half year", months=6, usage=10_000),
        t.Maintenance("year", months=12), t.Maintenance("use", usage=20_000),
    ]  # fmt: skip
    return {"triggers": _best(lambda: fire(several, sources, since=day, until=day + timedelta(days=1)))}


def _story(n: int, day: np.datetime64) -> Any:
    from crmcore.idic.interact import Sources
    from crmcore.idic.interact.contact.triggers import ItemTable
    from crmcore.rules import FactTable
    from crmcore.tables import NO_AMOUNT, CustomerIndex, EventTable, TextColumn

    rng, m, items = np.random.default_rng(3), 4 * n, tuple(f"i{i}" for i in range(20_000))
    index = CustomerIndex(tuple(f"c{i:07d}" for i in range(n)))
    end = day + np.timedelta64(1, "D")

    def words(k: int, values: tuple[str, ...], share: list[float] | None = None) -> TextColumn:
        return TextColumn(rng.choice(len(values), k, p=share).astype(np.int32), values)

    none, numbers = TextColumn.empty(m), tuple(str(100 * i) for i in range(1000))
    kinds = words(m, KINDS, [0.15, 0.1, 0.2, 0.05, 0.1, 0.2, 0.2])
    events = EventTable(
        rng.integers(0, n, m).astype(np.int32), end - rng.integers(0, 400 * DAY_US, m), none, none, kinds, none,
        words(m, items), np.full(m, NO_AMOUNT), None, {"cart": words(m, numbers), "km": words(m, numbers)}, index,
    )  # fmt: skip

    def changes(values: list[int]) -> ItemTable:
        item = rng.integers(0, len(items), 60_000).astype(np.int32)
        us = (end - rng.integers(0, 30 * DAY_US, len(item))).astype(np.int64)
        order = np.lexsort((us, item))
        return ItemTable(items, item[order], us[order], rng.choice(values, len(item)).astype(float))

    born = np.datetime64("1950-01-01") + rng.integers(0, 20_000, n)
    facts = FactTable(index, {"born": born})
    return Sources(index, facts, events, changes([10, 8, 5]), changes([0, 3, 9]), zone=words(n, ZONES))


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _best(work: Callable[[], object]) -> float:
    """Fastest of three, after one that warms up: the rest is what else the machine did."""
    work()
    return min(_seconds(work) for _ in range(3))


def store(runs: list[Row], n: int, folder: Path = RESULTS) -> None:
    """Keep one row a measure."""
    many = {
        "single decisions": ("single", "a second, sent at once"),
        "single decisions, all zones": ("mixed", "a second, half of them wait"),
        "standing of an audience": ("standing", f"s for {n:,}, {2 * n:,} statements"),
        "caps": ("caps", f"s for {n:,} contacts, {5 * n:,} sends"),
        "plan": ("plan", f"s for {n:,} contacts, one held out of ten"),
        "plan of two messages": ("plan two", f"s for {n:,} contacts"),
        "plan of five messages": ("plan five", f"s for {n:,} contacts"),
        "triggers": ("triggers", f"s for {n:,} customers, 20 triggers, {4 * n:,} events"),
    }
    rows = measures(many, runs, BARS)
    Table(
        name="speed-contact", section="speed", order=21, title="Consents, contact policies and triggers",
        about="Contacts in six zones on two channels; quiet hours, weekdays, two sliding caps and a monthly one, five "
        "past sends each; triggers of seven kinds over one day. Medians over fresh processes.",
        rows=rows, key=("what",), arrange=tuple(many),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    runs = in_turns("benchmarks.speed.contact", {"contact": (str(given.size),)}, repeats=given.repeats)["contact"]
    store(runs, given.size, folder)
    for field in ("single", "mixed", "standing", "caps", "plan", "plan two", "plan five", "triggers"):
        say(f"{field}: {middle(runs, field):.4g}")


if __name__ == "__main__":
    main()
