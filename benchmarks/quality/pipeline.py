"""Chances of deals on simulated pipelines: `python -m benchmarks.quality.pipeline [--worlds 20]`.

In one kind of world good deals leave a stage sooner, in the other the days in a stage tell nothing. Chances are learned
at three dates and judged by what came of the deals that were open then.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import RESULTS, Row, Table, say

if TYPE_CHECKING:
    from crmcore.idic.interact.pipeline import DealHistory

WORLDS, DEALS = 20, 600
START, CUTOFFS, UNTIL = datetime(2025, 1, 1, tzinfo=UTC), (200, 300, 380), 900
KINDS = {"good deals leave sooner": 3.0, "days tell nothing": 1.0}  # how much longer the others sit


def deals(kind: str, seed: int, n: int = DEALS) -> list[DealHistory]:
    """Leads and offers of deals of varying quality, entering over 400 days."""
    from crmcore.idic.interact.pipeline import DealHistory

    rng, slow, made = np.random.default_rng(seed), KINDS[kind], []
    for i in range(n):
        quality, at = rng.beta(1.2, 2.0), rng.uniform(0, 400)
        moves = {"lead": at}
        offered = rng.random() < quality
        at += rng.gamma(2.0, 12.0) * (1.0 if offered else slow)
        won = offered and rng.random() < 0.2 + 0.6 * quality
        if offered:
            moves["offer"] = at
            at += rng.gamma(2.0, 12.0) * (1.0 if won else slow)
        moves["won" if won else "lost"] = at
        made.append(DealHistory(f"d{i}", {stage: START + timedelta(days=float(t)) for stage, t in moves.items()}))
    return made


def rows_of(kind: str, worlds: int) -> list[Row]:
    """A row for each way of saying chances, over worlds of one kind."""
    from crmcore.idic.interact.pipeline import Pipeline, Stage, backtest_chances
    from crmcore.metrics import mean

    sales = Pipeline("sales", [Stage("lead", 0.3), Stage("offer", 0.5)])
    at, until = [START + timedelta(days=d) for d in CUTOFFS], START + timedelta(days=UNTIL)
    found = [backtest_chances(deals(kind, seed), sales, at=at, until=until) for seed in range(worlds)]
    rows: list[Row] = []
    for name in (judged.name for judged in found[0].judged):
        ways = [test[name] for test in found]
        over = np.array([way.brier_over_learned.value for way in ways])
        row: Row = {
            "world": kind, "chances": name, "worlds": worlds, "predictions": sum(test.n for test in found),
            "Brier": float(np.mean([way.brier.value for way in ways])),
            "said": float(np.mean([r.predicted for way in ways for r in way.reliability for _ in range(r.won.n)])),
            "won": float(np.mean([r.won.value for way in ways for r in way.reliability for _ in range(r.won.n)])),
        }  # fmt: skip
        if name != "learned":
            told = mean(over, rule="Brier over learned", small_sample_ok=True)
            row["Brier over learned"] = f"{told.value:.4f} ({told.low:.4f} to {told.high:.4f})"
            row["worlds where learned is better"] = int((over > 0).sum())
        rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Simulate and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    given = parser.parse_args(arguments)
    rows = [row for kind in KINDS for row in rows_of(kind, given.worlds)]
    Table(
        name="quality-pipeline", section="quality", order=62, title="Chances of open deals",
        about=f"{DEALS} simulated deals a world, chances learned at three dates and judged by what came. 'learned' "
        "knows stage and age in the stage, 'by stage' the stage alone; the difference of Brier scores is the mean over "
        "worlds with its 95 % interval, above 0 where 'learned' is better. Said and won: means over predictions.",
        rows=rows, key=("world", "chances"),
    ).save(folder)  # fmt: skip
    for row in rows:
        say(f"{row['world']}, {row['chances']}: {row}")


if __name__ == "__main__":
    main()
