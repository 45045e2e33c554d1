"""Planted incidents in a clickstream: `python -m benchmarks.quality.incidents`.

Every step, by platform and over all, is one series of one family, with the usual settings. The planted windows are
those that SOURCE.md of the set tells; a window that overlaps any planted story is no false alarm.
"""

# ruff: noqa: E501  (rows read best as lines)

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from benchmarks.common import RESULTS, Table, data_dir, say

STORIES = {
    "viral article": (date(2024, 2, 29), date(2024, 3, 3)), "checkout bug on mobile": (date(2024, 4, 9), date(2024, 5, 9)),
    "payment incident": (date(2024, 5, 19), date(2024, 6, 7)),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Find the windows and store the rows in `folder`."""
    from crmcore.tables import TextColumn
    from crmcore.touchpoints.journeys import journeys
    from crmcore.touchpoints.journeys.incidents import step_incidents

    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    with gzip.open(data_dir() / "rete_ecom_clickstream" / "ecom.csv.gz", "rt") as file:
        log = list(csv.DictReader(file))
    walks = journeys(
        {k: [r[c] for r in log] for k, c in (("session", "session_id"), ("step", "event"), ("time", "timestamp"))},
        grain="session", zone="UTC",
    )  # fmt: skip
    platform = {r["session_id"]: r["platform"] for r in log}
    found = step_incidents(walks, by=TextColumn.of([platform[i] for i in walks.id]))
    rows = []
    for story, (start, end) in STORIES.items():
        best = next((r for r in found.rows if r.start <= end and r.end >= start), None)
        rows.append(
            {
                "story": story, "planted": f"{start} to {end}", "found": "-" if best is None else f"{best.start} to {best.end}",
                "by": "-" if best is None else f"{best.direction} {best.series}",
                "start off, days": None if best is None else (best.start - start).days,
                "end off, days": None if best is None else (best.end - end).days,
                "within 2 days": best is not None and max(abs((best.start - start).days), abs((best.end - end).days)) <= 2,
            }
        )  # fmt: skip
    spans = list(STORIES.values())
    false = [r for r in found.rows if not any(r.start <= end and r.end >= start for start, end in spans)]
    rows.append({"story": "none", "found": "; ".join(f"{r.start} to {r.end}" for r in false) or "-", "by": f"{len(false)} false alarms", "within 2 days": len(false) <= 1})  # fmt: skip
    Table(
        name="quality-incidents", section="quality", title="Planted incidents in a clickstream", order=62,
        about=f"{found.series} series of {found.days} days, at most {found.alarms_a_year:g} false alarms a year over all. The "
        "first trace of the checkout bug in the log is of 13 April.",
        rows=rows, key=("story",),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['story']}: {r['found']}" for r in rows))


if __name__ == "__main__":
    main()
