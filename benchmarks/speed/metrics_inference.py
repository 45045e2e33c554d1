"""Intervals and tests by the column: `python -m benchmarks.speed.metrics_inference [--size 100000]`.

The same columns of counts go through our kernels, through statsmodels' `proportion_confint` (which takes columns too)
and through scipy's `binomtest`, `fisher_exact` and `mannwhitneyu` (one call a row), each in its own fresh process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, middle, say

SIZE = 100_000
ONE_BY_ONE = 2_000  # rows that are measured where a peer takes one row a call

Work = Callable[[], object]


def columns(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Successes and trials of two groups."""
    rng = np.random.default_rng(5)
    n1, n2 = rng.integers(20, 400, (2, n))
    return rng.binomial(n1, 0.2), n1, rng.binomial(n2, 0.25), n2


def ours(n: int) -> dict[str, tuple[Work, int]]:
    """Work by name, and how many rows it does."""
    from crmcore.metrics import Counts, adjust, proportion
    from crmcore.metrics.exact import binomial_exact, fisher_exact
    from crmcore.metrics.intervals import METHODS
    from crmcore.metrics.two_by_two import newcombe_difference, pooled_z

    k1, n1, k2, n2 = columns(n)
    few = slice(0, min(ONE_BY_ONE, n))
    p = np.random.default_rng(6).random(n)
    names = {"wilson": "wilson", "jeffreys": "jeffreys", "clopper-pearson": "beta", "agresti-coull": "agresti_coull"}
    work: dict[str, tuple[Work, int]] = {
        f"{ours}": ((lambda method=METHODS[ours]: method(k1, n1)), n) for ours in names
    }
    return work | {
        "difference of two shares": (lambda: newcombe_difference(k1, n1, k2, n2), n),
        "pooled z": (lambda: pooled_z(k1, n1, k2, n2), n),
        "fisher exact": (lambda: fisher_exact(k1[few], n1[few], k2[few], n2[few]), len(k1[few])),
        "binomial exact": (lambda: binomial_exact(k1[few], n1[few], 0.2), len(k1[few])),
        "benjamini-hochberg": (lambda: adjust(p, method="benjamini-hochberg"), n),
        "one Estimate at a time": (
            lambda: [proportion(int(k), int(m), small_sample_ok=True) for k, m in zip(k1[few], n1[few], strict=True)],
            len(k1[few]),
        ),
        "two Counts compared at a time": (
            lambda: [Counts(int(a), int(b)).minus(Counts(int(c), int(d))) for a, b, c, d in zip(
                k1[few], n1[few], k2[few], n2[few], strict=True
            )],
            len(k1[few]),
        ),
    }  # fmt: skip


def peers(n: int) -> dict[str, tuple[Work, int]]:
    """The same work, done by statsmodels and scipy."""
    from scipy.stats import binomtest, fisher_exact
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

    k1, n1, k2, n2 = columns(n)
    few = slice(0, min(ONE_BY_ONE, n))
    rows = list(zip(*(c[few].tolist() for c in (k1, n1, k2, n2)), strict=True))
    p = np.random.default_rng(6).random(n)
    names = {"wilson": "wilson", "jeffreys": "jeffreys", "clopper-pearson": "beta", "agresti-coull": "agresti_coull"}
    work: dict[str, tuple[Work, int]] = {
        ours: ((lambda method=theirs: proportion_confint(k1, n1, method=method)), n) for ours, theirs in names.items()
    }
    return work | {
        "difference of two shares": (
            lambda: [confint_proportions_2indep(a, b, c, d, method="newcomb", compare="diff") for a, b, c, d in rows],
            len(rows),
        ),
        "pooled z": (lambda: [proportions_ztest([a, c], [b, d]) for a, b, c, d in rows], len(rows)),
        "fisher exact": (lambda: [fisher_exact([[a, b - a], [c, d - c]]) for a, b, c, d in rows], len(rows)),
        "binomial exact": (lambda: [binomtest(a, b, 0.2).pvalue for a, b, _, _ in rows], len(rows)),
        "benjamini-hochberg": (lambda: multipletests(p, method="fdr_bh"), n),
        "one Estimate at a time": (
            lambda: [binomtest(a, b).proportion_ci(method="wilson") for a, b, _, _ in rows],
            len(rows),
        ),
    }


def run(engine: str, n: int) -> Row:
    """Rows a second of every piece of work."""
    work = ours(n) if engine == "crmcore" else peers(n)
    found: Row = {"wall_s": 0.0}
    for name, (do, rows) in work.items():
        do()  # what is loaded on first use
        begin = time.perf_counter()
        do()
        took = time.perf_counter() - begin
        found["wall_s"] += took
        found[name] = rows / took
    return found


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure both in turns and store one row a piece of work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], int(given.child[1])))
        return
    engines = {name: (name, str(given.size)) for name in ("crmcore", "scipy and statsmodels")}
    runs = in_turns("benchmarks.speed.metrics_inference", engines, repeats=given.repeats)
    mine, theirs = runs["crmcore"], runs["scipy and statsmodels"]
    rows = []
    for name in (k for k in mine[0] if k != "wall_s"):
        peer = middle(theirs, name) if name in theirs[0] else float("nan")
        rate = middle(mine, name)
        rows.append({"work": name, "rows per s": rate, "peer rows per s": peer, "times": rate / peer})
        say(f"{name}: {rate:,.0f} a second, peer {peer:,.0f}")
    Table(
        name="speed-metrics-inference", section="speed", order=40, title="Metrics: intervals and tests by the column",
        about=f"Rows a second over {given.size:,} pairs of counts; statsmodels takes columns for the intervals of a "
        f"share and for adjusted p-values, everything else is called once a row (over {ONE_BY_ONE:,} rows).",
        rows=rows, key=("work",),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
