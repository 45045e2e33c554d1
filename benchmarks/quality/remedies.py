"""Size and power of the tests that look back at recoveries: `python -m benchmarks.quality.remedies [--seeds 300]`.

Equal treatment: cases whose severity differs between two groups, treated alike (size), or one group given less by a
fifth or two fifths of a standard deviation (power). Paradox: four outcomes of the recovered and of the never failed,
all alike (size: any of the four claimed), and satisfaction raised (power) while the loyal are recovered more often. A
count of claims is held against its binomial interval: a size is met where the interval reaches down to 0.05.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Row, Table, say

SEEDS, CASES = 300, 600


def unequal(seed: int, n: int, less: float, *, strata: bool = True) -> bool:
    """Whether a difference is claimed between two groups, of which one gets less by so many standard deviations."""
    from crmcore.recovery.remedies import audit_equal_treatment

    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b"], n)
    severe = rng.random(n) < np.where(group == "a", 0.7, 0.3)
    cost = 500 + 2_000 * severe + rng.normal(0, 300, n) - 300 * less * (group == "b")
    held = {"severity": np.where(severe, "high", "low")} if strata else None
    return audit_equal_treatment(group, {"cost": cost}, strata=held).equal is False


def claimed(seed: int, n: int, more: float, *, strata: bool = True) -> bool:
    """Whether a difference is claimed for any outcome (more = 0), or for satisfaction."""
    from crmcore.recovery.afterwards import paradox

    rng = np.random.default_rng(seed)
    loyal = rng.random(n) < 0.5
    recovered = rng.random(n) < np.where(loyal, 0.7, 0.3)
    outcomes = {
        "satisfaction": 3 + loyal + more * recovered + rng.normal(0, 1, n),
        "repurchase": (rng.random(n) < 0.4 + 0.2 * loyal).astype(float),
        "word of mouth": (rng.random(n) < 0.2 + 0.2 * loyal).astype(float),
        "image": 3 + 0.5 * loyal + rng.normal(0, 1, n),
    }
    told = paradox(outcomes, recovered, strata={"loyal": loyal} if strata else None)
    if more:
        return told["satisfaction"].verdict == "holds"
    return any(row.verdict != "not shown" for row in told.rows)


def row(test: str, kind: str, effect: str, seeds: int, n: int, claims: Callable[[int], bool]) -> Row:
    """Rate of claims over seeds, with its interval."""
    from crmcore.metrics.proportions import proportion

    told = proportion(sum(map(claims, range(seeds))), seeds, rule="claims / seeds", small_sample_ok=True)
    return {
        "test": test, "kind": kind, "effect": effect, "cases": n, "seeds": seeds, "claimed": told.value,
        "interval": f"{told.low:.3f}-{told.high:.3f}", "bar": "reaches down to 0.05" if kind == "size" else None,
        "met": told.low <= 0.05 if kind == "size" else None,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Simulate and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--cases", type=int, default=CASES)
    given = parser.parse_args(arguments)
    seeds, n = given.seeds, given.cases
    treated, above = "equal treatment", "recovery paradox"
    rows = [
        row(treated, "size", "none, within strata", seeds, n, lambda s: unequal(s, n, 0)),
        row(treated, "without strata", "none", seeds, n, lambda s: unequal(s, n, 0, strata=False)),
        row(treated, "power", "0.2 sd less", seeds, n, lambda s: unequal(s, n, 0.2)),
        row(treated, "power", "0.4 sd less", seeds, n, lambda s: unequal(s, n, 0.4)),
        row(above, "size", "none of four, within strata", seeds, n, lambda s: claimed(s, n, 0)),
        row(above, "without strata", "none of four", seeds, n, lambda s: claimed(s, n, 0, strata=False)),
        row(above, "power", "0.2 sd more", seeds, n, lambda s: claimed(s, n, 0.2)),
        row(above, "power", "0.4 sd more", seeds, n, lambda s: claimed(s, n, 0.4)),
    ]
    Table(
        name="quality-remedies", section="quality", order=63, title="Recovery: equal treatment and the paradox",
        about="How often a difference is claimed where there is none (size, level 0.95) and where one was planted "
        "(power). The rows without strata tell what strata are for: groups there differ in severity or "
        "loyalty alone, and the plain comparison claims a difference.",
        rows=rows, key=("test", "kind", "effect"),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['test']} {r['kind']} {r['effect']}: {r['claimed']:.3f}" for r in rows))


if __name__ == "__main__":
    main()
