"""Business time and contact times at scale: `python -m benchmarks.speed.calendars [--size 100000]`.

One fresh process a repeat measures everything: the table of ten years, deadlines and elapsed time of a column, single
deadlines, and contact decisions for ten times as many contacts with five earlier sends each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, measures, middle, say

SIZE = 100_000
SINGLE = 5_000
ZONES = ("Asia/Bangkok", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/London")
AT = datetime(2026, 6, 2, 5, tzinfo=UTC)
DAY_US = 86_400_000_000
BARS = {  # seconds for one size, or calls a second
    "table of 10 years": 0.1,
    "deadlines": 0.15,
    "contact decisions": 0.3,
    "single contact decisions": 50_000,
}


def run(n: int) -> Row:
    """Seconds of everything for n deadlines and 10 n contacts."""
    with Meter() as whole:
        row: Row = {**_business_time(n), **_contacts(10 * n)}
    return {**row, "wall_s": whole.cost.wall_s, "peak_mb": whole.cost.peak_mb}


def _business_time(n: int) -> Row:
    from crmcore.calendars import BusinessCalendar

    rng = np.random.default_rng(1)
    desk = BusinessCalendar(
        "Europe/Berlin",
        {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")], "sat": [("10:00", "14:00")]},
        holidays=[f"{year}-12-25" for year in range(2020, 2031)],
    )
    ten_years = np.array(["2020-01-01", "2029-12-31"], "datetime64[us]")
    built = _seconds(lambda: desk.elapsed_us(*ten_years))
    starts = np.datetime64("2022-01-01", "us") + rng.integers(0, 6 * 365 * DAY_US, n)
    minutes = rng.uniform(0, 5000, n)
    return {
        "table": built,
        "deadlines": _best(lambda: desk.deadlines(starts, minutes)),
        "elapsed": _best(lambda: desk.elapsed_us(starts, starts + np.timedelta64(9, "D"))),
        "single": SINGLE / _best(lambda: [desk.deadline(AT, minutes=600) for _ in range(SINGLE)]),
        "explain": 200 / _best(lambda: [desk.explain(AT, minutes=600) for _ in range(200)]),
    }


def _contacts(n: int) -> Row:
    from crmcore.calendars import CalendarCap, ContactTimes, SlidingCap

    rng = np.random.default_rng(2)
    rules = ContactTimes(
        "Asia/Bangkok",
        quiet_hours=("21:00", "08:00"),
        weekdays=["mon-fri"],
        caps=[SlidingCap(24, 1), SlidingCap(168, 3), CalendarCap("month", 8)],
    )
    counts = rng.poisson(5, n)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    now = np.datetime64(AT.replace(tzinfo=None), "us")
    sends = now - rng.integers(0, 40 * DAY_US, offsets[-1])
    sends = sends[np.lexsort((sends, np.repeat(np.arange(n), counts)))]
    codes = rng.integers(0, len(ZONES), n)
    history = [AT - timedelta(days=9 * k + 8) for k in range(5)]
    night = AT - timedelta(hours=12)
    return {
        "contacts": _best(lambda: rules.decide_all(now, sends, offsets, zones=ZONES, zone_codes=codes)),
        "decided": SINGLE / _best(lambda: [rules.decide(AT, history) for _ in range(SINGLE)]),
        "waiting": SINGLE / _best(lambda: [rules.decide(night, history) for _ in range(SINGLE)]),
    }


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
        "table of 10 years": ("table", "s, first use"),
        "deadlines": ("deadlines", f"s for {n:,}"),
        "elapsed time": ("elapsed", f"s for {n:,}"),
        "single deadlines": ("single", "a second"),
        "explanations": ("explain", "a second"),
        "contact decisions": ("contacts", f"s for {10 * n:,} contacts, {50 * n:,} sends"),
        "single contact decisions": ("decided", "a second"),
        "the same, in quiet hours": ("waiting", "a second"),
    }
    rows = measures(many, runs, BARS)
    Table(
        name="speed-calendars", section="speed", order=20, title="Business time and contact times",
        about="A desk in Berlin with two windows a day; contacts in six zones with quiet hours, weekdays, two sliding "
        "caps and a monthly one, every decision with its next allowed instant. Medians over fresh processes.",
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
    runs = in_turns("benchmarks.speed.calendars", {"calendars": (str(given.size),)}, repeats=given.repeats)["calendars"]
    store(runs, given.size, folder)
    for field in ("table", "deadlines", "elapsed", "single", "explain", "contacts", "decided", "waiting"):
        say(f"{field}: {middle(runs, field):.4g}")


if __name__ == "__main__":
    main()
