"""Slow reference twin of business time: every minute of UTC is looked at on the wall clock of the zone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = {  # zone: days round which its clock does something
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Sao_Paulo": ("2018-11-04", "2018-02-18"),
    "America/St_Johns": ("2006-04-02", "2026-03-08"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Asia/Bangkok": ("2026-04-13", "2026-12-31"),
    "Asia/Kathmandu": ("1986-01-01", "2026-05-01"),
    "Asia/Kolkata": ("2026-01-01", "2024-02-29"),
    "Asia/Pyongyang": ("2015-08-15", "2018-05-05"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Pacific/Apia": ("2011-12-30", "2011-09-24"),
    "Pacific/Chatham": ("2026-04-05", "2026-09-27"),
}
MINUTE = timedelta(minutes=1)


def is_open(at: datetime, case: dict) -> bool:
    """Whether the wall clock is inside a window at an instant."""
    wall = at.astimezone(ZoneInfo(case["zone"]))
    day = wall.date().isoformat()
    if day in case["special_days"]:
        windows = case["special_days"][day]
    elif day in case["holidays"]:
        windows = []
    else:
        windows = case["schedule"].get(DAYS[wall.weekday()], [])
    clock = f"{wall:%H:%M}"
    return any(opened <= clock < closed for opened, closed in windows)


def elapsed(start: datetime, end: datetime, case: dict) -> int:
    """Open minutes between two whole minutes."""
    return sum(is_open(start + i * MINUTE, case) for i in range(int((end - start) / MINUTE)))


def deadline(start: datetime, minutes: int, case: dict, *, limit_minutes: int = 60 * 24 * 12) -> datetime | None:
    """First whole minute by which the minutes have passed, None where the limit comes first."""
    at, passed = start, 0
    for _ in range(limit_minutes):
        if passed >= minutes:
            return at
        passed += is_open(at, case)
        at += MINUTE
    return None


def random_case(seed: int) -> dict:
    """One schedule in one of the zones, near one of its days, with a start and a target."""
    rng = random.Random(seed)
    zone = rng.choice(sorted(ZONES))
    middle = date.fromisoformat(rng.choice(ZONES[zone]))
    near = [(middle + timedelta(days=k)).isoformat() for k in range(-3, 5)]
    return {
        "zone": zone,
        "schedule": {day: list(_windows(rng)) for day in DAYS if rng.random() < 0.8},
        "holidays": rng.sample(near, rng.randint(0, 3)),
        "special_days": {day: list(_windows(rng)) for day in rng.sample(near, rng.randint(0, 2))},
        "start": datetime(middle.year, middle.month, middle.day, tzinfo=UTC) + rng.randint(-3000, 2000) * MINUTE,
        "minutes": rng.choice((0, 1, rng.randint(1, 300), rng.randint(1, 2500))),
    }


def _windows(rng: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        grain = rng.choice((1, 15, 60))
        a, b = sorted(rng.sample(range(0, 1441, grain), 2))
        yield f"{a // 60:02d}:{a % 60:02d}", f"{b // 60:02d}:{b % 60:02d}"
