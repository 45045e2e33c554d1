"""Do intervals of credit hold the truth? `python -m benchmarks.quality.attribution_coverage [--worlds 300]`.

A chain over six channels is drawn at random, its exact removal effects are the truth, journeys are simulated from it,
and the bootstrap intervals of their credit are held against it: conversions expected of so many journeys times the
channel's true share.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, say

CHANNELS = 6
LEVEL = 0.95
BAR = (0.93, 0.97)


def world(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First touch, (C,), and (C, C + 2) next touch, conversion or null."""
    first = rng.dirichlet(np.full(CHANNELS, 2.0))
    onward = np.hstack([rng.dirichlet(np.full(CHANNELS, 1.0), CHANNELS) * 0.7, np.zeros((CHANNELS, 2))])
    share = rng.uniform(0.1, 0.5, CHANNELS)
    onward[:, -2], onward[:, -1] = 0.3 * share, 0.3 * (1 - share)
    return first, onward


def truth(first: NDArray[np.float64], onward: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Probability of a conversion, and true shares by removal, one channel at a time."""

    def reach(keep: NDArray[np.intp]) -> float:
        inner = np.eye(len(keep)) - onward[np.ix_(keep, keep)]
        return float(first[keep] @ np.linalg.solve(inner, onward[keep, CHANNELS]))

    whole = reach(np.arange(CHANNELS))
    effect = np.array([1 - reach(np.delete(np.arange(CHANNELS), c)) / whole for c in range(CHANNELS)])
    return whole, effect / effect.sum()


def walk(
    rng: np.random.Generator, first: NDArray[np.float64], onward: NDArray[np.float64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Touches, starts and conversions of n journeys."""
    edges = onward.cumsum(axis=1)
    state = rng.choice(CHANNELS, n, p=first)
    who, seen, going = [np.arange(n)], [state.copy()], np.arange(n)
    end = np.zeros(n, np.int64)
    while len(going):
        step = (edges[state[going]] < rng.random(len(going))[:, None]).sum(axis=1).clip(max=CHANNELS + 1)
        end[going[step >= CHANNELS]] = step[step >= CHANNELS]
        going, step = going[step < CHANNELS], step[step < CHANNELS]
        state[going] = step
        who.append(going)
        seen.append(step)
    path, touch = np.concatenate(who), np.concatenate(seen)
    order = np.argsort(path, kind="stable")
    return touch[order], np.concatenate([[0], np.cumsum(np.bincount(path, minlength=n))]), end == CHANNELS


def measure(n: int, worlds: int, draws: int) -> Row:
    """Share of intervals that hold the truth."""
    from crmcore.touchpoints.attribution import PathCounts, attribute

    rng, held, width = np.random.default_rng(11), [], []
    for _ in range(worlds):
        first, onward = world(rng)
        p, share = truth(first, onward)
        touch, start, won = walk(rng, first, onward, n)
        paths = PathCounts.of_codes(
            touch, start, channels=[f"c{i}" for i in range(CHANNELS)], conversions=won, nulls=~won
        )
        found = attribute(paths, draws=draws, level=LEVEL, seed=rng)
        for e, true in zip(found.credit, n * p * share, strict=True):
            held.append(e.low <= true <= e.high)
            width.append((e.high - e.low) / true)
    return {
        "journeys": n, "intervals": len(held), "coverage": float(np.mean(held)), "bar": f"{BAR[0]:.0%}-{BAR[1]:.0%}",
        "met": BAR[0] <= np.mean(held) <= BAR[1], "median width": float(np.median(width)),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="300,1000,5000,20000")
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args(arguments)
    rows = []
    for n in (int(s) for s in given.sizes.split(",")):
        rows.append(measure(n, given.worlds, given.draws))
        say(f"{n:,} journeys: {rows[-1]['coverage']:.3f}")
    Table(
        name="quality-attribution-coverage", section="quality", title="Intervals of credited conversions", order=60,
        about=f"95 % bootstrap intervals of Markov credit (order 1), {given.draws} redraws, on journeys simulated from "
        f"{given.worlds} random chains over {CHANNELS} channels whose removal effects are known.",
        rows=rows, key=("journeys",),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
