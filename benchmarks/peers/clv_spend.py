"""Gamma-Gamma beside lifetimes: `python -m benchmarks.peers.clv_spend [--sizes 1000000 --repeats 3]`.

The same repeat customers, each engine in its own fresh process, in turns; both read arrays of frequency and mean spend.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

BAR = 4.0
Floats = NDArray[np.float64]


def customers(n: int) -> tuple[Floats, Floats]:
    """Repeat orders and their mean amount, with the parameters published for CDNOW."""
    rng = np.random.default_rng(5)
    x = 1.0 + rng.poisson(rng.gamma(0.8, 1.5, n))
    v = rng.gamma(3.74, size=n) / 15.44
    return x, np.round(rng.gamma(6.25 * x) / v / x, 2) + 0.01


def ours(n: int) -> Row:
    """Seconds from arrays to parameters."""
    from crmcore.idic.differentiate.spending import GammaGamma

    GammaGamma().fit([1, 2, 3, 4], [10.0, 12, 9, 11])  # what is imported late
    x, z = customers(n)
    with Meter() as meter:
        found = GammaGamma().fit(x, z)
    return {"wall_s": meter.cost.wall_s, "p": found.p, "q": found.q}


def theirs(n: int) -> Row:
    """Seconds of lifetimes for the same."""
    import lifetimes

    warnings.simplefilter("ignore")
    x, z = customers(n)
    lifetimes.GammaGammaFitter(penalizer_coef=0.0).fit(x[:500], z[:500])
    with Meter() as meter:
        found = lifetimes.GammaGammaFitter(penalizer_coef=0.0).fit(x, z)
    return {"wall_s": meter.cost.wall_s, "p": float(found.params_["p"]), "q": float(found.params_["q"])}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="ENGINE,SIZE")
    given = parser.parse_args(arguments)
    if given.child:
        engine, size = given.child.split(",")
        answer(ours(int(size)) if engine == "crmcore" else theirs(int(size)))
        return
    rows = []
    for size in given.sizes:
        there = ["crmcore", *(["lifetimes"] if find_spec("lifetimes") else [])]
        runs = in_turns("benchmarks.peers.clv_spend", {e: (f"{e},{size}",) for e in there}, repeats=given.repeats)
        own, mine = middle(runs["crmcore"], "wall_s"), runs["crmcore"][0]
        row: Row = {"customers": size, "crmcore s": own, "p": mine["p"], "q": mine["q"]}
        if len(there) > 1:
            peer, other = middle(runs["lifetimes"], "wall_s"), runs["lifetimes"][0]
            row |= {
                "lifetimes s": peer, "its p": other["p"], "its q": other["q"], "times faster": peer / own,
                "bar": BAR, "met": peer / own >= BAR,
            }  # fmt: skip
        rows.append(row)
    Table(
        name="peers-clv-spend", section="peers", title="Gamma-Gamma beside lifetimes", order=73,
        about="Seconds of a fit from arrays of repeat customers; both maximise the likelihood.",
        rows=rows, key=("customers",),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['customers']:,}: {r.get('times faster', float('nan')):.1f}x" for r in rows))


if __name__ == "__main__":
    main()
