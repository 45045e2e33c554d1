"""Durations, cohorts and days: `python -m benchmarks.speed.metrics_behaviour [--scale 1]`.

Kaplan-Meier of a million durations beside lifelines (curve, band) and statsmodels (curve, standard error), cohort
retention of a million orders, daily roll-ups of five million events. Every engine runs in its own fresh process.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, number, say, spread

DURATIONS, ORDERS, EVENTS = 1_000_000, 1_000_000, 5_000_000
UNTIL = np.datetime64("2026-01-01", "us")
ZONE = "Europe/Berlin"


def durations(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Exponential ends, uniform last looks: nearly all durations differ."""
    rng = np.random.default_rng(1)
    end, last = rng.exponential(10, n), rng.uniform(0, 30, n)
    return np.minimum(end, last), end <= last


def moments(n: int) -> np.ndarray:
    """Instants of two years, in no order."""
    seconds = np.random.default_rng(2).integers(0, 730 * 86_400, n)
    return UNTIL - np.timedelta64(730, "D") + seconds * np.timedelta64(1, "s")


def curve_crmcore(n: int) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    from crmcore.metrics.durations.survival import kaplan_meier

    time, seen = durations(n)

    def work() -> Any:
        table = kaplan_meier(time, seen)
        table.band()
        return table.median()

    return work, lambda made: made.value


def error_crmcore(n: int) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    from crmcore.metrics.durations.survival import kaplan_meier

    time, seen = durations(n)

    def work() -> Any:
        table = kaplan_meier(time, seen)
        return table, table.standard_error

    return work, lambda made: made[0].median().value


def curve_lifelines(n: int) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    from lifelines import KaplanMeierFitter

    time, seen = durations(n)
    return lambda: KaplanMeierFitter().fit(time, seen), lambda made: float(made.median_survival_time_)


def curve_statsmodels(n: int) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    from statsmodels.duration.survfunc import SurvfuncRight

    time, seen = durations(n)
    return lambda: SurvfuncRight(time, seen), lambda made: float(made.quantile(0.5))


def cohorts(n: int) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    from crmcore.metrics.durations.cohorts import retention

    customer = np.random.default_rng(3).integers(0, max(n // 5, 1), n)
    time = moments(n)
    return lambda: retention(customer, time, until=UNTIL, zone=ZONE), lambda made: float(made.active.sum())


def roll_ups(n: int) -> tuple[Callable[[], Any], Callable[[Any], float]]:
    from crmcore.metrics.behaviour.rollups import roll_up
    from crmcore.tables import TextColumn

    rng = np.random.default_rng(4)
    time, amount = moments(n), rng.integers(0, 10_000, n)
    channel = TextColumn(rng.integers(0, 5, n).astype(np.int32), ("web", "line", "store", "mail", "phone"))
    return lambda: roll_up(time, amount, zone=ZONE, labels=channel), lambda made: float(made.total.sum())


KAPLAN_MEIER = "Kaplan-Meier, durations"
WORK: dict[str, tuple[str, int, Callable[[int], tuple[Callable[[], Any], Callable[[Any], float]]]]] = {
    "crmcore, band": (KAPLAN_MEIER, DURATIONS, curve_crmcore),
    "lifelines": (KAPLAN_MEIER, DURATIONS, curve_lifelines),
    "crmcore, error": (KAPLAN_MEIER, DURATIONS, error_crmcore),
    "statsmodels": (KAPLAN_MEIER, DURATIONS, curve_statsmodels),
    "retention": ("cohort retention, orders", ORDERS, cohorts),
    "roll-ups": ("roll-ups by day and channel, events", EVENTS, roll_ups),
}
PEERS = {"lifelines": "crmcore, band", "statsmodels": "crmcore, error"}  # to what does the same


def run(name: str, scale: float) -> Row:
    """Seconds and memory of one piece of work, and its answer."""
    _, size, make = WORK[name]
    n = max(int(size * scale), 100)
    make(100)[0]()  # what is loaded on first use
    work, said = make(n)
    with Meter() as meter:
        made = work()
    cost = meter.cost
    return {"wall_s": cost.wall_s, "cpu_s": cost.cpu_s, "mb": cost.peak_mb - cost.base_mb, "n": n, "said": said(made)}


def store(found: dict[str, list[Row]], folder: Path = RESULTS) -> None:
    """Keep one row a piece of work and engine."""
    rows = []
    for name, runs in found.items():
        engine = name if name in PEERS or name in PEERS.values() else "crmcore"
        slower = middle(runs, "wall_s") / middle(found[PEERS[name]], "wall_s") if name in PEERS else float("nan")
        rows.append(
            {
                "work": WORK[name][0], "engine": engine, "rows": runs[0]["n"], "runs": len(runs),
                "wall s": middle(runs, "wall_s"), "spread s": spread(runs, "wall_s"), "times crmcore": slower,
                "cpu s": middle(runs, "cpu_s"),
                "rows per s": runs[0]["n"] / middle(runs, "wall_s"), "MB above input": middle(runs, "mb"),
                "answer": runs[0]["said"],
            }
        )  # fmt: skip
    Table(
        name="speed-metrics-behaviour", section="speed", order=30, title="Metrics: durations, cohorts and days",
        about="Kaplan-Meier of durations that nearly all differ: curve, log-log band and median beside lifelines, "
        "curve and standard error beside statsmodels; monthly retention (5 orders a customer) and daily roll-ups by "
        f"channel on the clock of {ZONE}, from columns in no order. The answer is the median, the sum of cells, the "
        "sum of amounts.",
        rows=rows, key=("work", "engine"),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`; peers that are not installed are left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WORK", "SCALE"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], float(given.child[1])))
        return
    there = [name for name in WORK if name not in PEERS or find_spec(name)]
    engines = {name: (name, str(given.scale)) for name in there}
    found = in_turns("benchmarks.speed.metrics_behaviour", engines, repeats=given.repeats)
    store(found, folder)
    for name, runs in found.items():
        say(f"{name}: {number(middle(runs, 'wall_s'))} s for {runs[0]['n']:,}")


if __name__ == "__main__":
    main()
