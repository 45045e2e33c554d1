"""Deadlines beside businesstimedelta and pandas on the same tricky calendars: `python -m benchmarks.peers.calendars`.

Random desks in 12 zones, each near a day on which its clock does something: one or two windows a day, the same on every
open weekday, some holidays, targets of whole hours. That is what all three can express; special days, other windows on
other days, minutes and versions are not asked for. Truth is a counter of every minute. An error, or no answer within 2
seconds, counts as wrong. Time is for the same deadlines, one at a time, and for crmcore also as one column.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.common import REPO, RESULTS, Row, Table, answer, in_turns, middle, say

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CASES, TIMED = 600, 300
ENGINES = ("crmcore", "businesstimedelta", "pandas")
PATIENCE_S = 2


def counter() -> ModuleType:
    """The slow reference twin that the laws use."""
    place = REPO / "tests" / "laws" / "calendars" / "minute_counter.py"
    spec = importlib.util.spec_from_file_location("minute_counter", place)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_cases(n: int, zones: dict[str, tuple[str, ...]]) -> list[Row]:
    """Desks, starts and targets, the same in every process."""
    rng = random.Random(7)
    cases = []
    for _ in range(n):
        zone = rng.choice(sorted(zones))
        middle_day = date.fromisoformat(rng.choice(zones[zone]))
        a, b, c, d = sorted(rng.sample(range(24 * 4 + 1), 4))
        windows = [(a, b), (c, d)] if rng.random() < 0.5 else [(a, d)]
        text = [tuple(f"{m // 4:02d}:{m % 4 * 15:02d}" for m in window) for window in windows]
        days = sorted(rng.sample(range(7), rng.randint(4, 7)))
        near = [(middle_day + timedelta(days=k)).isoformat() for k in range(-3, 5)]
        start = datetime(middle_day.year, middle_day.month, middle_day.day, tzinfo=UTC)
        cases.append({
            "zone": zone, "windows": text, "days": days, "schedule": {DAYS[d]: text for d in days},
            "holidays": sorted(rng.sample(near, rng.randint(0, 2))), "special_days": {},
            "start": start + timedelta(minutes=rng.randint(-3000, 2000)), "hours": rng.choice((0, 1, 2, 4, 8, 16)),
        })  # fmt: skip
    return cases


def plain_case() -> Row:
    """A desk from nine to five in winter, for the time: nothing that could trip anybody."""
    window = [("09:00", "17:00")]
    return {
        "zone": "Europe/Berlin", "windows": window, "days": [0, 1, 2, 3, 4],
        "schedule": dict.fromkeys(DAYS[:5], window), "holidays": ["2026-01-01"], "special_days": {},
        "start": datetime(2026, 1, 12, 9, tzinfo=UTC), "hours": 8,
    }  # fmt: skip


def ours(case: Row) -> Callable[[datetime], datetime]:
    """Deadlines by crmcore; the calendar is made before the clock runs, as for the others."""
    from crmcore.calendars import BusinessCalendar

    calendar = BusinessCalendar(case["zone"], case["schedule"], holidays=case["holidays"])
    return lambda start: calendar.deadline(start, minutes=60 * case["hours"])


def by_businesstimedelta(case: Row) -> Callable[[datetime], datetime]:
    """Deadlines by businesstimedelta, in the zone library that it was written for."""
    import businesstimedelta as peer
    import pytz

    zone = pytz.timezone(case["zone"])
    rules: list[Any] = [
        peer.WorkDayRule(start_time=_time(a), end_time=_time(b), working_days=case["days"], tz=zone)
        for a, b in case["windows"]
    ]
    if case["holidays"]:
        # It fails where no holiday lies ahead, so it gets one that is never reached.
        far = (case["start"] + timedelta(days=1000)).date().isoformat()
        rules.append(peer.HolidayRule(_Dates([*case["holidays"], far]), tz=zone))
    target = peer.BusinessTimeDelta(peer.Rules(rules, tz=zone), hours=case["hours"])
    return lambda start: start.astimezone(zone) + target


class _Dates(frozenset[date]):
    """Holidays as the set that businesstimedelta asks for membership."""

    def __new__(cls, days: Sequence[str]) -> _Dates:
        return super().__new__(cls, map(date.fromisoformat, days))


def by_pandas(case: Row) -> Callable[[datetime], datetime]:
    """Deadlines by pandas' CustomBusinessHour; 24:00 is written 23:59, the nearest that it takes."""
    import pandas as pd

    offset = pd.offsets.CustomBusinessHour(
        n=case["hours"],
        start=[a for a, _ in case["windows"]],
        end=[b.replace("24:00", "23:59") for _, b in case["windows"]],
        weekmask=" ".join(DAYS[d].title() for d in case["days"]),
        holidays=case["holidays"],
    )
    return lambda start: (pd.Timestamp(start).tz_convert(case["zone"]) + offset).to_pydatetime()


def _time(text: str) -> Any:
    from datetime import time as clock

    return clock.max if text == "24:00" else clock.fromisoformat(text)


Maker = Callable[[Row], Callable[[datetime], datetime]]
MAKERS: dict[str, Maker] = {"crmcore": ours, "businesstimedelta": by_businesstimedelta, "pandas": by_pandas}


def run(engine: str, n: int) -> Row:
    """Share right on tricky cases, and time per deadline on plain ones."""
    if engine != "crmcore" and importlib.util.find_spec(engine) is None:
        return {"wall_s": 0.0, "skipped": f"{engine} is not installed (pip install --group bench)"}
    begin = time.perf_counter()
    slow = counter()
    right = failed = asked = 0
    for case in make_cases(n, slow.ZONES):
        due = slow.deadline(case["start"], 60 * case["hours"], case)
        if due is None:
            continue
        asked += 1
        got = _answer(MAKERS[engine], case)
        failed += got is None
        right += got is not None and abs((got.astimezone(UTC) - due).total_seconds()) < 1
    row = {"right": right / asked, "failed": failed, "cases": asked, "us": _each_us(MAKERS[engine], min(n, TIMED))}
    if engine == "crmcore":
        row["column_us"] = _column_us(max(100 * n, 1000))
    return {**row, "wall_s": time.perf_counter() - begin}


def _each_us(make: Maker, n: int) -> float:
    """Microseconds of one deadline on a desk that has been asked before."""
    case = plain_case()
    ask = make(case)
    rng = random.Random(8)
    starts = [case["start"] + timedelta(minutes=rng.randint(0, 10_000)) for _ in range(n)]
    ask(starts[0])
    begin = time.perf_counter()
    for start in starts:
        ask(start)
    return 1e6 * (time.perf_counter() - begin) / n


def _column_us(n: int) -> float:
    from crmcore.calendars import BusinessCalendar

    case = plain_case()
    calendar = BusinessCalendar(case["zone"], case["schedule"], holidays=case["holidays"])
    starts = np.datetime64("2026-01-12", "us") + np.random.default_rng(1).integers(0, 10_000, n) * 60_000_000
    calendar.deadlines(starts, 480)
    begin = time.perf_counter()
    calendar.deadlines(starts, 480)
    return 1e6 * (time.perf_counter() - begin) / n


def _answer(make: Maker, case: Row) -> datetime | None:
    """What an engine says, None where it fails or does not come back."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE_S)
    try:
        return make(case)(case["start"])
    except Exception:  # whatever a peer raises is its answer
        return None
    finally:
        signal.alarm(0)


def store(found: dict[str, list[Row]], folder: Path = RESULTS) -> list[Row]:
    """Keep one row an engine."""
    ours_us = middle(found["crmcore"], "us")
    rows: list[Row] = []
    for engine, runs in found.items():
        if "skipped" in runs[0]:
            say(f"  {engine}: {runs[0]['skipped']}")
            continue
        us = middle(runs, "us")
        rows.append({
            "engine": engine, "share right": runs[0]["right"], "failed or hung": runs[0]["failed"],
            "cases": runs[0]["cases"], "us per deadline": us, "times crmcore": us / ours_us, "runs": len(runs),
        })  # fmt: skip
    column = middle(found["crmcore"], "column_us")
    rows.insert(1, {
        "engine": "crmcore, one column", "share right": found["crmcore"][0]["right"], "failed or hung": 0,
        "cases": found["crmcore"][0]["cases"], "us per deadline": column, "times crmcore": column / ours_us,
        "runs": len(found["crmcore"]),
    })  # fmt: skip
    Table(
        name="peers-calendars", section="peers", order=20, title="Deadlines in business hours",
        about="Share of deadlines equal to a counter of every minute, on random desks in 12 zones near changes of the "
        "clock that every engine can express; time per deadline on plain desks, eight hours ahead. Same run, in turns.",
        rows=rows, key=("engine",),
    ).save(folder)  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Run the engines in turns and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], int(given.child[1])))
        return
    engines = {engine: (engine, str(given.cases)) for engine in ENGINES}
    for row in store(in_turns("benchmarks.peers.calendars", engines, repeats=given.repeats), folder):
        say(f"{row['engine']}: {row['share right']:.1%} right, {row['us per deadline']:.3g} us a deadline")


if __name__ == "__main__":
    main()
