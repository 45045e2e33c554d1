"""Clock histories of the data set `sla_examples`, computed there by stepping through every minute."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from crmcore.calendars import BusinessCalendar
from crmcore.calendars.clocks import CaseClocks, ClockEvent, ClockPolicy, Targets, read_clocks

PRIVATE = ("note", "private_note", "internal_note")
AUTOMATIC = ("auto_reply", "bot_reply", "automated_reply")


def events_of(told: dict, zone: ZoneInfo) -> list[ClockEvent]:
    """Events of one line of the table, whatever it says about privacy, bots, and the first priority."""
    at, kind = datetime.fromisoformat(told["t"]).replace(tzinfo=zone), told["type"]
    private = kind in PRIVATE or told.get("public") is False or told.get("private") is True
    bot = kind in AUTOMATIC or told.get("automated") is True
    kind = "agent_reply" if kind in (*PRIVATE, *AUTOMATIC) else kind
    event = ClockEvent(
        at,
        kind.replace("_", " "),
        told.get("to"),
        actor="automation" if bot else told.get("by"),
        visibility="private" if private else "public",
    )
    first = [ClockEvent(at, "priority", told["priority"])] if kind == "created" and told.get("priority") else []
    return [event, *first]


def read(case: dict) -> CaseClocks:
    calendar, zone = case["calendar"], ZoneInfo(case["calendar"]["tz"])
    names = {"first": "first_response_minutes", "next": "next_response_minutes", "resolution": "resolution_minutes"}
    policy = ClockPolicy(
        BusinessCalendar(calendar["tz"], calendar["schedule"], holidays=calendar["holidays"]),
        {priority: Targets(**{names[k]: v for k, v in t.items()}) for priority, t in case["targets"].items()},
        pause_statuses=case["pause_statuses"],
    )
    events = [told for e in case["events"] for told in events_of(e, zone)]
    return read_clocks(events, policy, now=datetime.fromisoformat(case["now"]).replace(tzinfo=zone))


def as_expected(found: CaseClocks) -> dict[str, object]:
    first, following, resolution = (found[n] for n in ("first response", "next response", "resolution"))
    return {
        "priority_at_end": found.priority,
        "first_response_minutes": None if first.open else first.minutes,
        "first_response_running": first.minutes if first.open else None,
        "first_response_breached": first.breached,
        "next_response_minutes": [c.minutes for c in following.cycles if not c.open],
        "next_response_running": following.minutes if following.open else None,
        "next_response_breached": following.breached,
        "resolution_minutes_active": resolution.minutes,
        "resolved": found.standing == "resolved",
        "resolution_breached": resolution.breached,
        "reopened": found.reopened,
    }


def test_every_history_of_the_table_comes_out_exactly(data_dir: Path) -> None:
    cases = json.loads((data_dir / "sla_examples" / "clock_examples.json").read_text())["cases"]
    wrong = {c["id"]: as_expected(read(c)) for c in cases if as_expected(read(c)) != c["expected"]}
    assert cases
    assert not wrong
