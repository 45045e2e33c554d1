"""Repeat-buying models beside lifetimes: `python -m benchmarks.peers.clv_timing [--repeats 3]`.

The same customers, each engine in its own fresh process, in turns; both read arrays of frequency, recency and age.
"day grain" rounds recency and age to whole days, as logs of orders have them: merging equals is inside our time.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Meter, Row, Table, answer, data_dir, in_turns, middle, say

TASKS = {
    "BG/NBD, CDNOW": ("bg", "cdnow", 10.0), "BG/NBD, 1 M customers": ("bg", "1000000", 6.0),
    "BG/NBD, 1 M at day grain": ("bg", "1000000 days", 50.0), "Pareto/NBD, 100 k": ("pareto", "100000 days", 12.0),
}  # fmt: skip
SMALL = {"BG/NBD, 2 k": ("bg", "2000", None), "Pareto/NBD, 1 k": ("pareto", "1000 days", None)}
Floats = NDArray[np.float64]


def customers(what: str) -> tuple[Floats, Floats, Floats]:
    """Frequency, recency and age in weeks."""
    if what == "cdnow":
        rows = np.genfromtxt(data_dir() / "cdnow" / "summary_39weeks.csv", delimiter=",", names=True)
        return rows["frequency"], rows["recency"], rows["T"]
    from crmcore.idic.differentiate.buying import BuyingModel, simulate_cohort

    n, _, grain = what.partition(" ")
    model = BuyingModel(
        model="bg", k=1, theta=tuple(np.log([0.243, 4.414, 0.793, 2.426])), covariance=None, log_likelihood=0.0,
        n=1, unit="week",
    )  # fmt: skip
    age = np.random.default_rng(5).uniform(27, 39, int(n))
    seen = simulate_cohort(model, int(n), age=age, ahead=1, seed=6).purchases
    r = seen.row
    x, t, end = seen.frequency[r], seen.recency[r], seen.age[r]
    if grain:
        end = np.ceil(end * 7) / 7
        t = np.where(x > 0, np.clip(np.ceil(t * 7), 1, None) / 7, 0.0)
        t = np.minimum(t, end)
    return x, t, end


def ours(model: str, what: str) -> Row:
    """Seconds from arrays to parameters."""
    from crmcore.idic.differentiate.buying import Purchases, RepeatBuying

    RepeatBuying(model=model).fit(Purchases.of([1, 0, 2], [3, 0, 4], [5, 5, 5]))  # what is imported late
    x, t, end = customers(what)
    with Meter() as meter:
        found = RepeatBuying(model=model).fit(Purchases.of(x, t, end))
    return {"wall_s": meter.cost.wall_s, "r": found.parameters["r"]}


def theirs(model: str, what: str) -> Row:
    """Seconds of lifetimes for the same."""
    import lifetimes

    warnings.simplefilter("ignore")
    fitter: Any = {"bg": lifetimes.BetaGeoFitter, "pareto": lifetimes.ParetoNBDFitter}[model]
    x, t, end = customers(what)
    fitter(penalizer_coef=0.0).fit(x[:200], t[:200], end[:200])
    with Meter() as meter:
        found = fitter(penalizer_coef=0.0).fit(x, t, end)
    return {"wall_s": meter.cost.wall_s, "r": float(found.params_["r"])}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the tasks and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="tasks whose name holds this")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--child", metavar="ENGINE,MODEL,WHAT")
    given = parser.parse_args(arguments)
    if given.child:
        engine, model, what = given.child.split(",")
        answer(ours(model, what) if engine == "crmcore" else theirs(model, what))
        return
    rows = []
    for task, (model, what, bar) in (SMALL if given.small else TASKS).items():
        if given.only not in task:
            continue
        there = ["crmcore", *(["lifetimes"] if find_spec("lifetimes") else [])]
        if what == "cdnow" and not (data_dir() / "cdnow").is_dir():
            say(f"{task}: no data, left out")
            continue
        runs = in_turns(
            "benchmarks.peers.clv_timing", {e: (f"{e},{model},{what}",) for e in there}, repeats=given.repeats
        )
        own = middle(runs["crmcore"], "wall_s")
        row: Row = {"task": task, "crmcore s": own, "r": runs["crmcore"][0]["r"]}
        if len(there) > 1:
            peer = middle(runs["lifetimes"], "wall_s")
            row |= {
                "lifetimes s": peer, "its r": runs["lifetimes"][0]["r"],
                "times faster": peer / own,
                "bar": bar, "met": None if bar is None else peer / own >= bar,
            }  # fmt: skip
        rows.append(row)
    Table(
        name="peers-clv-timing", section="peers", title="Repeat buying beside lifetimes", order=70,
        about="Seconds of a fit from arrays; both maximise the likelihood; the parameter r of each is printed.",
        rows=rows, key=("task",),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['task']}: {r.get('times faster', float('nan')):.0f}x" for r in rows))


if __name__ == "__main__":
    main()
