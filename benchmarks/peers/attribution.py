"""Markov attribution beside ChannelAttribution: `python -m benchmarks.peers.attribution [--paths 500000]`.

The same simulated paths, each engine in its own fresh process, in turns. ChannelAttribution simulates and gets a frame
of path texts; crmcore is exact and gets the same paths as codes, and once more as the same texts. Credits are compared
with the exact ones of the first engine: how far simulation is off is part of the answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

CHANNELS = 40
BARS = {1: 10.0, 2: 20.0}


def simulate(n: int) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.bool_]]:
    """Touches, starts and conversions of n paths: a chain over 40 channels, four touches on average."""
    rng = np.random.default_rng(7)
    popular = rng.dirichlet(np.full(CHANNELS, 0.6))
    near = rng.dirichlet(popular * 30 + 0.02, CHANNELS).cumsum(axis=1)
    lengths = np.minimum(rng.geometric(0.25, n), 60)
    start = np.concatenate([[0], np.cumsum(lengths)])
    touch = np.empty(start[-1], np.int32)
    state = np.searchsorted(popular.cumsum(), rng.random(n)).clip(max=CHANNELS - 1)
    going = np.arange(n)
    for step in range(int(lengths.max())):
        going = going[lengths[going] > step]
        if step:
            spins = rng.random(len(going))
            state[going] = (near[state[going]] < spins[:, None]).sum(axis=1).clip(max=CHANNELS - 1)
        touch[start[going] + step] = state[going]
    pull = rng.uniform(0.02, 0.4, CHANNELS)
    return touch, start, rng.random(n) < pull[touch[start[1:] - 1]]


def texts(touch: NDArray[np.int32], start: NDArray[np.int64]) -> list[str]:
    """Paths as ChannelAttribution reads them."""
    names = np.array([f"c{i}" for i in range(CHANNELS)], dtype=object)[touch].tolist()
    return [" > ".join(names[a:b]) for a, b in zip(start[:-1].tolist(), start[1:].tolist(), strict=True)]


def ours(n: int, order: int, *, from_text: bool) -> Row:
    """Seconds from codes or texts to credits."""
    from crmcore.touchpoints.attribution import PathCounts, attribute

    touch, start, won = simulate(n)
    names = [f"c{i}" for i in range(CHANNELS)]
    said = texts(touch, start) if from_text else []
    counts = {"conversions": won.astype(float), "nulls": (~won).astype(float)}
    attribute(PathCounts.of([" > ".join(names), "c0"]), model="markov 2", draws=0)  # what is imported late
    with Meter() as meter:
        if from_text:
            paths = PathCounts.of(said, channels=names, **counts)
        else:
            paths = PathCounts.of_codes(touch, start, channels=names, merge=False, **counts)
        found = attribute(paths, model="markov" if order == 1 else f"markov {order}", draws=0)
    return {"wall_s": meter.cost.wall_s, "credit": {c: found[c].value for c in names}}


def theirs(n: int, order: int) -> Row:
    """Seconds of ChannelAttribution for the same paths."""
    import pandas as pd
    from ChannelAttribution import markov_model

    touch, start, won = simulate(n)
    frame = pd.DataFrame({"path": texts(touch, start), "conv": won.astype(int), "null": (~won).astype(int)})
    with Meter() as meter:
        got: Any = markov_model(frame, "path", "conv", var_null="null", order=order, ncore=1, seed=1, verbose=False)
    table = got if isinstance(got, pd.DataFrame) else got["result"]
    credit = dict(zip(table["channel_name"], table["total_conversions"].astype(float), strict=True))
    return {"wall_s": meter.cost.wall_s, "credit": credit}


def off(credit: dict[str, float], exact: dict[str, float]) -> float:
    """Largest error of a channel with at least 1 % of the conversions, as a share of its exact credit."""
    total = sum(exact.values())
    return max(abs(credit.get(c, 0.0) - v) / v for c, v in exact.items() if v > total / 100)


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the orders and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=500_000)
    parser.add_argument("--orders", default="1,2,3")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="ENGINE,N,ORDER")
    given = parser.parse_args(arguments)
    if given.child:
        engine, n, order = given.child.split(",")
        if engine == "peer":
            answer(theirs(int(n), int(order)))
        else:
            answer(ours(int(n), int(order), from_text=engine == "texts"))
        return
    there = find_spec("ChannelAttribution") is not None
    rows = []
    for order in (int(k) for k in given.orders.split(",")):
        engines = {"codes": (f"codes,{given.paths},{order}",), "texts": (f"texts,{given.paths},{order}",)}
        if there:
            engines["peer"] = (f"peer,{given.paths},{order}",)
        runs = in_turns("benchmarks.peers.attribution", engines, repeats=given.repeats)
        fast, slow = middle(runs["codes"], "wall_s"), middle(runs["texts"], "wall_s")
        row: Row = {"order": order, "paths": given.paths, "crmcore s": fast, "from texts s": slow}
        if there:
            peer, bar = middle(runs["peer"], "wall_s"), BARS.get(order)
            row |= {
                "ChannelAttribution s": peer, "times faster": peer / fast, "from texts": peer / slow, "bar": bar,
                "met": None if bar is None else peer / fast >= bar,
                "peer off by": off(runs["peer"][0]["credit"], runs["codes"][0]["credit"]),
            }  # fmt: skip
        rows.append(row)
    Table(
        name="peers-attribution", section="peers", title="Markov attribution: exact and simulated", order=60,
        about=f"Removal effects over {CHANNELS} channels. crmcore propagates exactly; ChannelAttribution simulates, "
        "and its error is the largest of the channels with 1 % of the conversions or more.",
        rows=rows, key=("order", "paths"),
    ).save(folder)  # fmt: skip
    say("; ".join(f"order {r['order']}: {r.get('times faster', float('nan')):.0f}x" for r in rows))


if __name__ == "__main__":
    main()
