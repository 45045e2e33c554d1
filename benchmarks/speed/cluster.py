"""Seconds of clustering and evaluation at a million records: python benchmarks/speed/cluster.py."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from crmcore.linkage.cluster import Constraints, cluster
from crmcore.linkage.components import connected


def components(sizes: np.ndarray, records: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All pairs of components of the given sizes among shuffled records, in shuffled order."""
    rng = np.random.default_rng(seed)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    lo, hi = [], []
    for size in np.unique(sizes):
        i, j = np.triu_indices(size, 1)
        start = first[sizes == size][:, None]
        lo.append((start + i).ravel())
        hi.append((start + j).ravel())
    moved = rng.permutation(records)
    a, b = moved[np.concatenate(lo)], moved[np.concatenate(hi)]
    order = rng.permutation(len(a))
    odds = rng.normal(3.0, 3.0, len(a))
    return np.minimum(a, b)[order], np.maximum(a, b)[order], odds[order], rng.permutation(records)


def best(run: Callable[[], object], times: int = 5) -> float:
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    rng = np.random.default_rng(0)
    n = 1_000_000
    small = rng.choice([2, 3, 4, 5], 250_000, p=[0.6, 0.25, 0.1, 0.05])
    lo, hi, odds, rank = components(small, n, 1)
    rules = Constraints(source=(np.arange(n) % 3).astype(np.int32), one_to_one=(0, 1))
    ids = Constraints(max_values={"phone": (rng.integers(-1, 50_000, n).astype(np.int32), 2)})
    few = Constraints(must_not_link=np.stack([lo, hi], axis=1)[:1000])
    print(f"250,000 components of 2-5 among {n:,} records, {len(lo):,} pairs")
    print(f"  plain                {best(lambda: cluster(n, lo, hi, odds, rank=rank)):.3f} s")
    print(f"  1,000 must-not-links {best(lambda: cluster(n, lo, hi, odds, rank=rank, constraints=few)):.3f} s")
    print(f"  one-to-one sources   {best(lambda: cluster(n, lo, hi, odds, rank=rank, constraints=rules)):.3f} s")
    print(f"  at most two phones   {best(lambda: cluster(n, lo, hi, odds, rank=rank, constraints=ids)):.3f} s")
    print(f"  components alone     {best(lambda: connected(n, lo, hi)):.3f} s")
    for size, count in ((10, 10_000), (40, 500), (200, 20)):
        pairs = components(np.full(count, size), size * count, 2)
        seconds = best(lambda pairs=pairs, m=size * count: cluster(m, *pairs[:3], rank=pairs[3]), 3)
        print(f"  {count:,} components of {size}: {seconds:.3f} s")
    from crmcore.linkage.quality import evaluate

    labels = cluster(n, lo, hi, odds, rank=rank).labels
    truth = connected(n, lo, hi)
    print(f"  evaluate {n:,} labels {best(lambda: evaluate(labels, truth), 3):.3f} s")


if __name__ == "__main__":
    main()
