"""Exploration on simulated offers of known value: `python -m benchmarks.quality.exploring [--seeds 20]`.

Regret is what the best offer for each customer would have brought in the mean, less what was chosen would. Offers are
chosen in rounds of 100 customers; what came of them is learnt after each round. Uniform exploration and the greedy rule
(what looks best so far) run on the same customers and the same answers. The logs of explorers with a floor then value
two policies that did not run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.common import RESULTS, Row, Table, say

SEEDS, ROUNDS, PEOPLE = 40, 200, 100
ARMS, FEATURES = ("a", "b", "c", "d", "e"), ("young", "urban", "loyal")
LOGS, FLOOR = 200, 0.2


def world(kind: str, rng: np.random.Generator, n: int) -> tuple[Any, Any]:
    """(n, arms) share of customers who accept, and their contexts: alike for all, or linear in three features."""
    if kind == "shares":
        return np.tile(rng.uniform(0.02, 0.15, len(ARMS)), (n, 1)), None
    x = rng.integers(0, 2, (n, len(FEATURES))).astype(float)
    return 0.35 + (x - 0.5) @ rng.uniform(-0.22, 0.22, (len(FEATURES), len(ARMS))), x


def explorers(kind: str, floor: float | None = None) -> dict[str, Callable[[], Any]]:
    """Makers of explorers that know nothing yet."""
    from crmcore.choice import BetaArms, LinearArms, Thompson, Uniform, UpperBound

    beliefs = BetaArms.of(ARMS) if kind == "shares" else LinearArms.of(ARMS, FEATURES)
    return {
        "uniform": Uniform,
        "greedy": lambda: UpperBound(beliefs=beliefs, width=0.0, floor=floor or 0.0),
        "Thompson": lambda: Thompson(beliefs=beliefs, floor=floor or 0.0),
        "upper bound": lambda: UpperBound(beliefs=beliefs, floor=floor or 0.0),
    }


def run(kind: str, explorer: Any, seed: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """Regret of each round, and the log of the decisions."""
    from crmcore.choice import Uniform, drawn, draws_of

    rng = np.random.default_rng(seed)
    n = rounds * PEOPLE
    mean, x = world(kind, rng, n)
    draws = draws_of([f"c{i}" for i in range(n)], seed=seed)
    accepts = rng.random(mean.shape) < mean
    arm, propensity = np.zeros(n, np.intp), np.zeros(n)
    for at in range(0, n, PEOPLE):
        rows = np.arange(at, at + PEOPLE)
        here = None if x is None else x[rows]
        chances = explorer.chances(ARMS, np.ones((PEOPLE, len(ARMS)), np.bool_), context=here)
        arm[rows] = drawn(chances, draws[rows])
        propensity[rows] = chances[np.arange(PEOPLE), arm[rows]]
        if not isinstance(explorer, Uniform):
            names, got = [ARMS[k] for k in arm[rows]], accepts[rows, arm[rows]].astype(float)
            more = explorer.beliefs.learn(names, got) if x is None else explorer.beliefs.learn(names, got, here)
            explorer = attrs.evolve(explorer, beliefs=more)
    row = np.arange(n)
    regret = (mean.max(1) - mean[row, arm]).reshape(rounds, PEOPLE).sum(1)
    return {"regret": regret, "arm": arm, "propensity": propensity, "reward": accepts[row, arm].astype(float),
            "mean": mean, "context": x}  # fmt: skip


def regrets(kind: str, seeds: int, rounds: int = ROUNDS) -> dict[str, Any]:
    """(seeds, rounds) regret of each explorer."""
    return {
        name: np.array([run(kind, make(), seed, rounds)["regret"] for seed in range(seeds)])
        for name, make in explorers(kind).items()
    }


def covered(kind: str, name: str, seeds: int, rounds: int = 15) -> dict[str, list[bool]]:
    """Whether DR and SNIPS intervals hold the value of "always b" and of equal chances, from logs of the explorer."""
    from crmcore.idic.customize.offers import DecisionLog, policy_value

    found: dict[str, list[bool]] = {"DR": [], "SNIPS": []}
    for seed in range(seeds):
        got = run(kind, explorers(kind, FLOOR)[name](), 1000 + seed, rounds)
        x = got["context"]
        strata = None if x is None else ["".join(map(str, c)) for c in x.astype(int).tolist()]
        log = DecisionLog.of([ARMS[k] for k in got["arm"]], got["propensity"], got["reward"], stratum=strata)
        for policy in ({"b": 1.0}, {a: 1 / len(ARMS) for a in ARMS}):
            true = float(sum(p * got["mean"][:, ARMS.index(a)].mean() for a, p in policy.items()))
            value = policy_value(log, policy)
            for which, told in (("DR", value.dr), ("SNIPS", value.snips)):
                found[which].append(bool(told.low <= true <= told.high))
    return found


def rows_of(kind: str, seeds: int, logs: int) -> list[Row]:
    """A row for each explorer of one kind of world."""
    from crmcore.metrics import mean, proportion

    found = regrets(kind, seeds)
    half = ROUNDS // 2
    rows: list[Row] = []
    for name, regret in found.items():
        whole = mean(regret.sum(1), rule="regret", small_sample_ok=True)
        row: Row = {
            "world": kind, "explorer": name, "regret": whole.value, "interval": f"{whole.low:.0f}-{whole.high:.0f}",
            "second half / first": float(regret[:, half:].sum() / regret[:, :half].sum()), "runs": seeds,
            "decisions": ROUNDS * PEOPLE,
        }  # fmt: skip
        if name != "uniform":
            less = mean(found["greedy"].sum(1) - regret.sum(1), rule="less regret than greedy", small_sample_ok=True)
            row["less than greedy"] = "" if name == "greedy" else f"{less.value:.0f} ({less.low:.0f}-{less.high:.0f})"
            for which, held in covered(kind, name, logs).items():
                told = proportion(sum(held), len(held), rule="intervals that hold the truth", small_sample_ok=True)
                row[f"{which} holds the truth"] = told.value
        rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Simulate and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--logs", type=int, default=LOGS)
    given = parser.parse_args(arguments)
    rows = [row for kind in ("shares", "linear") for row in rows_of(kind, given.seeds, given.logs)]
    Table(
        name="quality-exploring", section="quality", order=61, title="Exploration of offers",
        about="Regret in acceptances after all decisions (95 % interval of the mean over runs), lower is better; the "
        "second half over the first is 1 where regret grows linearly. Shares: five offers, alike for all; linear: "
        "what is best depends on three features. The last columns: how often the 95 % interval of `policy_value` holds "
        f"the value of two policies that did not run, from logs of 1,500 decisions with a floor of {FLOOR:g}.",
        rows=rows, key=("world", "explorer"),
    ).save(folder)  # fmt: skip
    for r in rows:
        say(f"{r['world']}, {r['explorer']}: regret {r['regret']:.0f}, halves {r['second half / first']:.2f}, {r}")


if __name__ == "__main__":
    main()
