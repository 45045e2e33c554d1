"""Survey measures on large columns: `python -m benchmarks.speed.metrics_survey [--answers 1000000]`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

ANSWERS, SEGMENTS, BOOTSTRAPPED, ROUNDS = 1_000_000, 1_000, 100_000, 5
BAR_MS = {"bootstrap": 10.0}
WORK = {
    "bootstrap": f"interval of {BOOTSTRAPPED:,} answers from 10,000 multinomial replicates",
    "nps": "score and interval of all answers",
    "nps-by": f"scores and intervals of {SEGMENTS:,} segments of all answers",
    "compared": f"{SEGMENTS:,} segments against the rest, Holm",
    "weighted": "score of all answers with weights",
    "rake": "weights of all respondents on three traits",
}


def work(kind: str, n: int) -> Callable[[], object]:
    """The piece of work, its input ready."""
    from crmcore.metrics.survey.nps_counts import nps_interval
    from crmcore.metrics.survey.nps_score import nps
    from crmcore.metrics.survey.nps_tables import nps_by
    from crmcore.metrics.survey.raking import rake

    rng = np.random.default_rng(7)
    scores = rng.integers(0, 11, n).astype(float)
    scores[rng.random(n) < 0.1] = np.nan
    segments = rng.integers(0, SEGMENTS, n)
    traits = {name: rng.integers(0, 4, n) for name in ("age", "sex", "region")}
    shares = {name: {"0": 0.1, "1": 0.2, "2": 0.3, "3": 0.4} for name in traits}
    weights = rng.uniform(0.5, 2, n)
    table = nps_by(scores, segments)
    p, q, d = (BOOTSTRAPPED * share // 10 for share in (5, 3, 2))
    kinds: dict[str, Callable[[], object]] = {
        "bootstrap": lambda: nps_interval(p, q, d, method="bootstrap", seed=1),
        "nps": lambda: nps(scores),
        "nps-by": lambda: nps_by(scores, segments),
        "compared": table.compared,
        "weighted": lambda: nps(scores, weights=weights),
        "rake": lambda: rake(traits, shares),
    }
    return kinds[kind]


def run(kind: str, n: int) -> Row:
    """Milliseconds of one call, the first (which loads what it needs) left out."""
    do = work(kind, n)
    do()
    taken = []
    for _ in range(ROUNDS):
        with Meter() as meter:
            do()
        taken.append(meter.cost.wall_s)
    return {"wall_s": float(np.median(taken)), "peak_mb": meter.cost.peak_mb}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure every kind of work and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("KIND", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], int(given.child[1])))
        return
    engines = {kind: (kind, str(given.answers)) for kind in WORK}
    found = in_turns("benchmarks.speed.metrics_survey", engines, repeats=given.repeats)
    rows = [
        {
            "work": WORK[kind], "answers": BOOTSTRAPPED if kind == "bootstrap" else given.answers, "runs": len(runs),
            "ms": 1000 * middle(runs, "wall_s"), "bar ms": BAR_MS.get(kind, float("nan")),
            "met": 1000 * middle(runs, "wall_s") <= BAR_MS[kind] if kind in BAR_MS else None,
        }
        for kind, runs in found.items()
    ]  # fmt: skip
    Table(
        name="speed-metrics-survey", section="speed", order=40, title="Metrics: survey measures",
        about="Median time of one call in fresh processes, input in memory, one tenth of the scores not answered.",
        rows=rows, key=("work", "answers"), arrange=list(WORK.values()),
    ).save(folder)  # fmt: skip
    for row in rows:
        say(f"{row['work']}: {row['ms']:.1f} ms")


if __name__ == "__main__":
    main()
