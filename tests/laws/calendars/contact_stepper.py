"""Slow reference twin of contact times: steps minute by minute and counts sends by the wall clock of each."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONES = {
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "America/Sao_Paulo": ("2018-11-04", "2018-02-18"),
    "America/St_Johns": ("2006-10-29", "2010-11-07"),  # back at 00:01, over a midnight that had passed
    "Asia/Bangkok": ("2026-04-13", "2026-12-31"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Pacific/Apia": ("2011-12-30", "2011-09-24"),
    "Pacific/Kwajalein": ("1993-08-21", "1993-08-20"),
    "America/Juneau": ("1867-10-18", "2026-03-08"),
}
MINUTE = timedelta(minutes=1)


def first_reason(case: dict, at: datetime) -> str | None:
    """First rule that blocks at an instant."""
    zone = ZoneInfo(case["zone"])
    wall = at.astimezone(zone)
    if case["quiet_hours"]:
        start, end = case["quiet_hours"]
        clock = f"{wall:%H:%M}"
        if start < end and start <= clock < end:
            return "quiet_hours"
        if start > end and (clock >= start or clock < end):
            return "quiet_hours"
    if case["weekdays"] is not None and wall.isoweekday() not in case["weekdays"]:
        return "weekday"
    for kind, length, most in case["caps"]:
        if kind == "sliding":
            count = sum(at - timedelta(hours=length) < h <= at for h in case["history"])
        else:
            count = sum(
                h <= at and _period(h.astimezone(zone), length) == _period(wall, length) for h in case["history"]
            )
        if count >= most:
            return "cap"
    return None


def _period(wall: datetime, period: str) -> tuple[int, ...]:
    if period == "day":
        return wall.year, wall.month, wall.day
    return tuple(wall.isocalendar()[:2]) if period == "week" else (wall.year, wall.month)


def next_allowed(case: dict, *, limit_minutes: int = 60 * 24 * 9) -> datetime | None:
    """First minute that passes, None where the limit comes first."""
    at = case["at"]
    for k in range(limit_minutes):
        if first_reason(case, at + k * MINUTE) is None:
            return at + k * MINUTE
    return None


def random_case(seed: int) -> dict:
    """Rules, an instant near a change of the zone's clock, and sends before and a little after it."""
    rng = random.Random(seed)
    zone = rng.choice(sorted(ZONES))
    at = datetime.fromisoformat(rng.choice(ZONES[zone])).replace(tzinfo=UTC) + rng.randint(-3000, 3000) * MINUTE
    at += timedelta(seconds=rng.choice((0, 0, 0, 30)))
    history = [at - rng.randint(0, rng.choice((600, 3000, 30_000))) * MINUTE for _ in range(rng.randint(0, 7))]
    history += [at + rng.randint(0, 2000) * MINUTE for _ in range(rng.choice((0, 0, 2)))]
    return {
        "zone": zone,
        "at": at,
        "quiet_hours": rng.choice((None, ("21:00", "08:00"), ("02:00", "02:30"), _clocks(rng), ("09:00", "09:00"))),
        "weekdays": rng.choice((None, None, [1, 2, 3, 4, 5], rng.sample(range(1, 8), rng.randint(1, 3)))),
        "caps": [_cap(rng) for _ in range(rng.choice((0, 1, 1, 2)))],
        "history": history,
    }


def _clocks(rng: random.Random) -> tuple[str, str]:
    return tuple(f"{m // 60:02d}:{m % 60:02d}" for m in (rng.randrange(1440), rng.randrange(1440)))  # type: ignore[return-value]


def _cap(rng: random.Random) -> tuple[str, float | str, int]:
    if rng.random() < 0.5:
        return "sliding", rng.choice((1, 24, 48, 100)), rng.randint(1, 3)
    return "calendar", rng.choice(("day", "week", "month", "day")), rng.randint(1, 3)
