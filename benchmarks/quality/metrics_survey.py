"""Coverage of Net Promoter Score intervals: `python -m benchmarks.quality.metrics_survey [--sizes 10,20,50,100,400]`.

Nothing is simulated: the probability of every possible sample of n answers is summed, for each shape of answers and
method. The bootstrap, which draws, is judged on drawn samples.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, say

Floats = NDArray[np.float64]
SIZES = (10, 20, 50, 100, 400)
# shares of promoters and detractors; the last is balanced
SHAPES = ((0.45, 0.20), (0.80, 0.02), (0.95, 0.01), (0.34, 0.33))
# as many promoters as detractors, exactly: samples with a score of 0 then weigh most, and small samples cover less
EVEN = ((0.30, 0.30), (0.35, 0.35))
METHODS = ("mover-wilson", "adjusted-wald", "wald")
DEFAULT_BAR = 0.93
DRAWN = 1_000  # samples for the bootstrap
# simulated with 20,000 draws, by other code: n, P, D -> Wald, adjusted Wald, MOVER-Wilson
NOTED = {
    (10, 0.45, 0.20): (0.901, 0.954, 0.943),
    (10, 0.80, 0.02): (0.887, 0.936, 0.936),
    (10, 0.95, 0.01): (0.399, 0.913, 0.962),
    (20, 0.95, 0.01): (0.638, 0.978, 0.954),
    (50, 0.95, 0.01): (0.756, 0.969, 0.952),
    (100, 0.95, 0.01): (0.905, 0.970, 0.954),
    (400, 0.80, 0.02): (0.943, 0.949, 0.948),
}


def outcomes(n: int) -> tuple[Floats, Floats, Floats]:
    """Every possible sample of n answers: promoters, passives, detractors."""
    p, d = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    there = p + d <= n
    return p[there].astype(float), (n - p - d)[there].astype(float), d[there].astype(float)


def probability(counts: tuple[Floats, Floats, Floats], shares: tuple[float, float]) -> Floats:
    """Multinomial probability of each sample."""
    from scipy.special import gammaln, xlogy

    p, q, d = counts
    share_p, share_d = shares
    log = gammaln(p + q + d + 1) - gammaln(p + 1) - gammaln(q + 1) - gammaln(d + 1)
    return np.exp(log + xlogy(p, share_p) + xlogy(q, max(1 - share_p - share_d, 0.0)) + xlogy(d, share_d))


def coverage(n: int, shares: tuple[float, float], method: str, *, level: float = 0.95) -> float:
    """Exact probability that the interval of n answers holds the true score."""
    from crmcore.metrics.survey.nps_counts import nps_interval

    counts = outcomes(n)
    low, high = nps_interval(*counts, level=level, method=method)
    truth = 100 * (shares[0] - shares[1])
    held = (low - 1e-9 <= truth) & (truth <= high + 1e-9)
    return math.fsum(probability(counts, shares)[held].tolist())


def drawn_coverage(n: int, shares: tuple[float, float], *, samples: int = DRAWN, level: float = 0.95) -> float:
    """Share of drawn samples whose bootstrap interval holds the true score."""
    from crmcore.metrics.survey.nps_counts import nps_interval

    rng = np.random.default_rng(20)
    drawn = rng.multinomial(n, [shares[0], 1 - sum(shares), shares[1]], size=samples)
    kinds, often = np.unique(drawn, axis=0, return_counts=True)
    low, high = nps_interval(*kinds.T, level=level, method="bootstrap", seed=21)
    truth = 100 * (shares[0] - shares[1])
    return float(often[(low - 1e-9 <= truth) & (truth <= high + 1e-9)].sum() / samples)


def table(sizes: Sequence[int], *, samples: int = DRAWN) -> list[Row]:
    """One row a cell."""
    rows = []
    for n in sizes:
        for shares in (*SHAPES, *EVEN):
            noted = NOTED.get((n, *shares), (math.nan,) * 3)
            got = {method: coverage(n, shares, method) for method in METHODS}
            rows.append({
                "n": n, "promoters": shares[0], "detractors": shares[1], **got,
                "bootstrap": drawn_coverage(n, shares, samples=samples),
                "bar": DEFAULT_BAR, "met": got["mover-wilson"] >= DEFAULT_BAR, "noted mover-wilson": noted[2],
                "noted adjusted-wald": noted[1], "noted wald": noted[0],
            })  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Compute and store the table in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--samples", type=int, default=DRAWN)
    given = parser.parse_args(arguments)
    rows = table([int(s) for s in given.sizes.split(",")], samples=given.samples)
    Table(
        name="quality-metrics-survey", section="quality", order=40, title="Net Promoter Score: coverage of intervals",
        about="Probability that a 95 % interval of n answers holds the true score, by the true shares of promoters and "
        "detractors. Summed over all possible samples (nothing is simulated), the bootstrap over drawn samples. The "
        "default is MOVER-Wilson; the bar is its least coverage. Ten answers from a population with exactly as many "
        "promoters as detractors miss it.",
        rows=rows, key=("n", "promoters", "detractors"),
        notes=['"noted": found earlier with other code, 20,000 simulated samples a cell.'],
    ).save(folder)  # fmt: skip
    worst = min(rows, key=lambda r: r["mover-wilson"])
    say(f"least coverage of mover-wilson {worst['mover-wilson']:.4f} at n = {worst['n']}, {worst['promoters']:g}")


if __name__ == "__main__":
    main()
