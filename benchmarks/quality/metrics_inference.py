"""How often intervals hold what they say: `python -m benchmarks.quality.metrics_inference [--runs 2000]`.

False alarms of those who look a hundred times, and coverage of the default intervals where textbook ones fail: skewed
spend, several answers of one person, medians, small counts. All data are simulated, so the truth is known.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, say
from crmcore.metrics import difference_in_medians, mean, proportion, proportion_of
from crmcore.metrics.intervals import normal_quantile
from crmcore.metrics.sequential import FIRST_LOOK, anytime_half_width, beta_binomial_sequence
from crmcore.metrics.two_by_two import newcombe_difference, risk_ratio_interval

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

RUNS, LOOKS, LEVEL = 2000, 100, 0.95
ALARM_BAR, WIDTH_BAR = 0.05, 1.75


def spend(share: float, sigma: float) -> tuple[Draw, float]:
    """Log-normal spend of the share of customers who bought at all, and its mean."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        return rng.lognormal(0, sigma, shape) * (rng.random(shape) < share)

    return draw, share * math.exp(sigma * sigma / 2)


POINTS, WEIGHTS = np.arange(1.0, 6.0), (0.05, 0.05, 0.1, 0.3, 0.5)
VALUES: dict[str, tuple[Draw, float]] = {
    "normal values": (lambda rng, shape: rng.normal(0, 1, shape), 0.0),
    "answers from 1 to 5": (lambda rng, shape: rng.choice(POINTS, shape, p=WEIGHTS), float(POINTS @ WEIGHTS)),
}


# --- looking every day ---------------------------------------------------------------------------------------------


def share_looks(p: float, n: int, runs: int, seed: int) -> tuple[float, float]:
    """Share of runs with any false alarm over 100 looks, and final width over that of the fixed normal interval."""
    rng = np.random.default_rng(seed)
    t = np.linspace(n / LOOKS, n, LOOKS).astype(int)
    k = np.cumsum(rng.binomial(np.diff(t, prepend=0), p, (runs, LOOKS)), axis=1)
    low, high = beta_binomial_sequence(k, t, planned_n=n, level=LEVEL)
    fixed = 2 * normal_quantile(LEVEL) * math.sqrt(p * (1 - p) / n)
    return float(((low > p) | (high < p)).any(axis=1).mean()), float((high - low)[:, -1].mean() / fixed)


def two_share_looks(p: float, n: int, runs: int, seed: int) -> tuple[float, float]:
    """The same for the difference of two equal shares, n customers an arm."""
    rng = np.random.default_rng(seed)
    t = np.linspace(n / LOOKS, n, LOOKS).astype(int)
    k = np.cumsum(rng.binomial(np.diff(t, prepend=0), p, (2, runs, LOOKS)), axis=2)
    variance = (k * (t - k) / (t * np.maximum(t - 1, 1))).sum(axis=0) / t
    ready = (np.minimum(k, t - k) >= 5).all(axis=0) & (t >= FIRST_LOOK)
    half = anytime_half_width(2 * t, variance * 2 * t, planned_n=2 * n, level=LEVEL)
    far = np.abs(k[0] - k[1]) / t
    fixed = normal_quantile(LEVEL) * math.sqrt(2 * p * (1 - p) / n)
    return float((ready & (far > half)).any(axis=1).mean()), float(half[:, -1].mean() / fixed)


def mean_looks(draw: Draw, truth: float, n: int, runs: int, seed: int) -> tuple[float, float]:
    """The same for one mean."""
    rng = np.random.default_rng(seed)
    t = np.linspace(n / LOOKS, n, LOOKS).astype(int)
    alarms, widths = 0, []
    for _ in range(runs):
        x = draw(rng, (n,)) - truth
        total, square = np.cumsum(x)[t - 1], np.cumsum(x * x)[t - 1]
        variance = np.maximum(square - total * total / t, 0.0) / np.maximum(t - 1, 1)
        half = anytime_half_width(t, variance, planned_n=n, level=LEVEL)
        alarms += bool(((np.abs(total / t) > half) & (t >= FIRST_LOOK) & (variance > 0)).any())
        widths.append(float(half[-1] / math.sqrt(variance[-1] / n)) / normal_quantile(LEVEL))
    return alarms / runs, float(np.mean(widths))


def looks(runs: int = RUNS, sizes: Sequence[int] = (1000, 10_000)) -> Iterator[Row]:
    """False alarms and width, one row a case."""
    for n in sizes:
        cases = [(f"share of {p:g}", share_looks(p, n, runs, 1)) for p in (0.01, 0.1, 0.5)]
        cases += [(f"difference of two shares of {p:g}", two_share_looks(p, n, runs, 2)) for p in (0.01, 0.1, 0.5)]
        cases += [(f"mean of {name}", mean_looks(*made, n, runs, 3)) for name, made in VALUES.items()]
        skewed = spend(0.3, 1.0)
        cases.append(("mean of spend (log-normal, 70 % zeros)", mean_looks(*skewed, n, runs, 4)))
        for name, (alarms, width) in cases:
            say(f"{name}, planned n {n:,}: false alarms {alarms:.4f}, width {width:.3f}")
            yield {
                "case": name, "planned n": n, "runs": runs, "false alarms over 100 looks": alarms, "bar": ALARM_BAR,
                "final width / fixed": width, "width bar": WIDTH_BAR,
                "met": alarms <= ALARM_BAR and width <= WIDTH_BAR,
            }  # fmt: skip


# --- coverage ------------------------------------------------------------------------------------------------------


def spend_coverage(n: int, share: float, sigma: float, method: str, runs: int) -> tuple[float, float]:
    """Coverage and mean width of an interval of the mean of skewed spend."""
    draw, truth = spend(share, sigma)
    rng = np.random.default_rng(11)
    made = [mean(draw(rng, (n,)), method=method, small_sample_ok=True) for _ in range(runs)]
    return sum(e.low <= truth <= e.high for e in made) / runs, float(np.mean([e.width for e in made]))


def clustered_coverage(
    p: float, people: int, answers: int, within: float, aware: bool, runs: int
) -> tuple[float, float]:
    """Coverage and mean width of a share where each person answers several times, alike to the degree `within`."""
    rng = np.random.default_rng(12)
    codes = np.repeat(np.arange(people), answers)
    scale = 1 / within - 1
    found = []
    for _ in range(runs):
        leaning = rng.beta(p * scale, (1 - p) * scale, people)
        said = rng.random(people * answers) < np.repeat(leaning, answers)
        if aware:
            found.append(proportion_of(said, clusters=codes, small_sample_ok=True))
        else:
            found.append(proportion(int(said.sum()), len(said), small_sample_ok=True))
    return sum(e.low <= p <= e.high for e in found) / runs, float(np.mean([e.width for e in found]))


def median_coverage(n: int, method: str, runs: int) -> tuple[float, float]:
    """Coverage and mean width of the difference in medians of two groups of resolution times."""
    rng = np.random.default_rng(13)
    found = [
        difference_in_medians(
            rng.lognormal(3, 1, n), rng.lognormal(3, 1, n), method=method, seed=i, small_sample_ok=True
        ).difference
        for i in range(runs)
    ]
    return sum(e.low <= 0 <= e.high for e in found) / runs, float(np.mean([e.width for e in found]))


def exact_pairs(n1: int, n2: int) -> Iterator[tuple[str, float, float]]:
    """Mean and least exact coverage of intervals of two shares over a grid of shares: sums, not draws."""
    from scipy.stats import binom

    k1, k2 = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)
    ratio = risk_ratio_interval(k1, n1, k2, n2, level=LEVEL)
    gap = newcombe_difference(k1, n1, k2, n2, level=LEVEL)
    held: dict[str, list[float]] = {"difference (Newcombe)": [], "ratio (MOVER-R)": []}
    for p in (0.01, 0.03, 0.1, 0.3, 0.5):
        for q in (0.01, 0.03, 0.1, 0.3, 0.5):
            mass = binom.pmf(k1, n1, p) * binom.pmf(k2, n2, q)
            for name, (low, high), truth in (
                ("difference (Newcombe)", gap, p - q),
                ("ratio (MOVER-R)", ratio, p / q),
            ):
                held[name].append(float(mass[(low - 1e-12 <= truth) & (truth <= high + 1e-12)].sum()))
    for name, shares in held.items():
        yield f"{name} of two shares, n = {n1} and {n2}", float(np.mean(shares)), min(shares)


def coverage(runs: int = RUNS) -> Iterator[Row]:
    """Coverage of 95 % intervals, one row a case and method."""

    def row(case: str, method: str, held: float, width: float | None, least: float | None = None) -> Row:
        say(f"{case}, {method}: {held:.3f}")
        return {"case": case, "method": method, "coverage": held, "least": least, "mean width": width, "runs": runs}

    for n in (30, 100, 400):
        for sigma in (1.0, 1.5):
            for method in ("t", "hall"):
                case = f"mean spend, 70 % zeros, log-normal sigma {sigma:g}, n = {n}"
                yield row(case, method, *spend_coverage(n, 0.3, sigma, method, runs))
    for p in (0.1, 0.5):
        for aware in (False, True):
            case = f"share of {p:g}, 40 people with 5 answers each, correlation 0.3"
            yield row(case, "wilson, clusters" if aware else "wilson", *clustered_coverage(p, 40, 5, 0.3, aware, runs))
    for n in (15, 100):
        for method in ("price-bonett", "bootstrap"):
            case = f"difference in medians, log-normal, n = {n} each"
            yield row(case, method, *median_coverage(n, method, max(runs // 4, 1)))
    for sizes in ((20, 20), (100, 300)):
        for case, held, least in exact_pairs(*sizes):
            yield row(case, "exact sum", held, None, least)


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store both tables in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--sizes", default="1000,10000")
    given = parser.parse_args(arguments)
    sizes = [int(s) for s in given.sizes.split(",")]
    Table(
        name="quality-metrics-looks", section="quality", order=40, title="Metrics: looking a hundred times",
        about="Simulated data without any effect, looked at 100 times up to the planned n with 95 % confidence "
        "sequences: share of runs with a false alarm at any look, and final width over the fixed interval.",
        rows=list(looks(given.runs, sizes)), key=("case", "planned n"),
        notes=["One-sided skewness of spend needs a larger planned n: see `sequential.confidence_sequence`."],
    ).save(folder)  # fmt: skip
    Table(
        name="quality-metrics-coverage", section="quality", order=41, title="Metrics: coverage of 95 % intervals",
        about="Share of simulated samples whose interval holds the truth; for two shares the exact mean and least "
        "coverage over 25 pairs of shares from .01 to .5.",
        rows=list(coverage(given.runs)), key=("case", "method"),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
