"""Service-level clocks: `python -m benchmarks.speed.clocks [--sizes 10000,100000,1000000]`.

A made log of shuffled events is read from an Arrow table, and the clocks of all cases are computed in columns; then
single histories are read one by one, and followed event by event. Every size runs in its own fresh process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

SIZES = (10_000, 100_000, 1_000_000)
EVENTS_A_CASE = 5
SINGLE = 300  # histories read one by one
NOW = datetime(2026, 1, 10, tzinfo=UTC)
BAR_S = 3.0  # a million events
WORDS = ("created", "customer message", "agent reply", "status", "priority", "receipt", "resolved")


def make_log(n: int, *, seed: int = 0) -> Any:
    """Arrow table of n shuffled events: two years, cases of five events, a fifth of them never resolved."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    cases = -(-n // EVENTS_A_CASE)
    place = np.tile(np.arange(EVENTS_A_CASE), cases)
    gap_s = rng.exponential(4 * 3600, (cases, EVENTS_A_CASE)).astype(np.int64)
    gap_s[:, 0] = rng.integers(0, 2 * 365 * 86_400, cases)
    at = np.datetime64("2024-01-01", "s") + np.cumsum(gap_s, axis=1).ravel()
    word = rng.choice([1, 2, 2, 3, 4, 5], len(place))
    word[place == 0] = 0
    word[(place == EVENTS_A_CASE - 1) & (rng.random(len(place)) < 0.8)] = 6
    to = np.array([None, None, None, "pending", "urgent", None, None], object)[word]
    order = rng.permutation(len(place))[:n]
    return pa.table(
        {
            "case": pa.array(np.char.zfill((np.repeat(np.arange(cases), EVENTS_A_CASE)[order]).astype(str), 8)),
            "time": pa.array(at[order].astype("datetime64[us]")).cast(pa.timestamp("us", "UTC")),
            "activity": pa.array(np.array(WORDS, object)[word[order]]),
            "to": pa.array(to[order], pa.string()),
        }
    )


def make_policy() -> Any:
    """Office hours in Berlin; targets on all clocks, tighter ones for urgent cases."""
    from crmcore.calendars import BusinessCalendar
    from crmcore.calendars.clocks import ClockPolicy, Targets

    targets = {
        "any": Targets(
            acknowledgement_minutes=10, first_response_minutes=60, next_response_minutes=45, update_minutes=240,
            resolution_minutes=480,
        ),
        "urgent": Targets(first_response_minutes=15, resolution_minutes=120),
    }  # fmt: skip
    return ClockPolicy(
        BusinessCalendar("Europe/Berlin", {"mon-fri": [("09:00", "12:00"), ("13:00", "17:00")]}), targets
    )


def run(n: int) -> Row:
    """Seconds of everything, for n events."""
    from crmcore.calendars.clocks import ClockEventTable, LiveClocks, clock_columns, evolve, read_clocks

    log, policy = make_log(n), make_policy()
    clock_columns(ClockEventTable.from_frame(make_log(1000)), policy, now=NOW)  # imports and the table of the calendar
    with Meter() as reading:
        table = ClockEventTable.from_frame(log)
    with Meter() as columns:
        read = clock_columns(table, policy, now=NOW)
    histories = table.take(table.case < SINGLE).histories()[:SINGLE]
    begin = time.perf_counter()
    for history in histories:
        read_clocks(history, policy, now=NOW)
    single_s = time.perf_counter() - begin
    events = [(history.case, event) for history in histories for event in history]
    live: dict[str, Any] = {}
    begin = time.perf_counter()
    for case, event in events:
        live[case] = evolve(live.get(case) or LiveClocks.begin(policy, case=case), event)
    evolve_s = time.perf_counter() - begin
    held = [h for h in histories if len(h)]
    return {
        "wall_s": columns.cost.wall_s, "read_s": reading.cost.wall_s, "peak_mb": columns.cost.peak_mb,
        "cycles": len(read), "single": len(held) / single_s, "evolve": len(events) / evolve_s,
    }  # fmt: skip


def store(found: dict[int, list[Row]], folder: Path = RESULTS) -> None:
    """Keep one row a size."""
    rows = [
        {
            "events": n, "runs": len(runs), "read s": middle(runs, "read_s"), "clocks s": middle(runs, "wall_s"),
            "bar s": BAR_S, "met": middle(runs, "wall_s") <= BAR_S, "cycles": runs[0]["cycles"],
            "peak GB": middle(runs, "peak_mb") / 1000, "single histories per s": middle(runs, "single"),
            "events followed per s": middle(runs, "evolve"),
        }
        for n, runs in found.items()
    ]  # fmt: skip
    Table(
        name="speed-calendars-clocks", section="speed", order=31, title="Calendars: service-level clocks",
        about="Five clocks with targets of all cases of a shuffled log (five events a case) by `clock_columns`, after "
        "`ClockEventTable.from_frame` has read it from Arrow; the same histories one by one by `read_clocks` (nine "
        "clocks with due instants), and event by event by `evolve`. The bar holds for a million events.",
        rows=rows, key=("events",),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    sizes = [int(s) for s in given.sizes.split(",")]
    runs = in_turns("benchmarks.speed.clocks", {f"{n:,} events": (str(n),) for n in sizes}, repeats=given.repeats)
    found = dict(zip(sizes, runs.values(), strict=True))
    store(found, folder)
    for n, got in found.items():
        clocks_s, single, followed = (middle(got, f) for f in ("wall_s", "single", "evolve"))
        say(f"{n:,}: {clocks_s:.2f} s; {single:,.0f} histories a second one by one, {followed:,.0f} events followed")


if __name__ == "__main__":
    main()
