"""Configurator: `python -m benchmarks.speed.configurator [--sizes 60,120] [--repeats 3]`: what is left after 8 choices.

Random models of n attributes with 6 options and 500 rules (half exclusions, half requirements); 8 choices are made,
then the valid values of all attributes are asked for. Peers run where they are installed: the same question by the
solvers of python-sat, and one single solution by python-constraint. Each run is the mean of several models.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, middle, say

BAR_MS = {"native": 100.0, "python-sat": 20.0}
OPTIONS, RULES, CHOICES, MODELS = 6, 500, 8, 5
LIMIT_S = 20  # of python-constraint, one model
NEEDS = {"native": None, "python-sat": "pysat", "python-constraint": "constraint"}


def pairs(n: int, seed: int) -> list[tuple[int, int, int, frozenset[int]]]:
    """Rules as data: option x of attribute i leaves these options of attribute j."""
    rng = random.Random(seed)
    made = []
    for r in range(RULES):
        i, j = rng.sample(range(n), 2)
        x, y = rng.randrange(OPTIONS), rng.randrange(OPTIONS)
        kept = set(range(OPTIONS)) - {y} if r % 2 else set(rng.sample(range(OPTIONS), 3))
        made.append((i, x, j, frozenset(kept)))
    return made


def configured(n: int, seed: int) -> Any:
    """A configuration after 8 choices."""
    from crmcore.idic.customize.configuring import Choice, ProductModel, configure, requires
    from crmcore.rules import field

    model = ProductModel(
        "random",
        [Choice(f"a{i}", [f"o{k}" for k in range(OPTIONS)]) for i in range(n)],
        rules=[
            requires(f"r{r}", field(f"a{i}") == f"o{x}", then=field(f"a{j}").isin([f"o{k}" for k in sorted(kept)]))
            for r, (i, x, j, kept) in enumerate(pairs(n, seed))
        ],
    )
    rng, made = random.Random(seed + 1000), configure(model)
    for i in rng.sample(range(n), min(CHOICES, n)):
        made = made.choose({f"a{i}": rng.choice(made.domains[f"a{i}"])})
    return made


def _left(n: int, seed: int, engine: str) -> tuple[float, int, float]:
    from crmcore.idic.customize.configuring import configure

    base = configured(n, seed)
    asked = configure(base.model, solver=engine)
    for choice in base.choices:
        asked = asked.choose({choice.attribute: choice.values[0]})
    begin = time.perf_counter()
    left = asked.domains
    seconds = time.perf_counter() - begin
    assert left == base.domains, "both engines give the same answers"
    dead = ((name, f"o{k}") for name, kept in left.items() for k in range(OPTIONS) if f"o{k}" not in kept)
    chosen = {c.attribute for c in base.choices}
    begin, explained = time.perf_counter(), 0
    for name, option in islice((d for d in dead if d[0] not in chosen), 5):
        base.conflict({name: option})
        explained += 1
    return seconds, sum(map(len, left.values())), (time.perf_counter() - begin) / max(explained, 1)


def _one_by_constraint(n: int, seed: int, _engine: str) -> tuple[float, int, float]:
    import constraint  # type: ignore[import-not-found, unused-ignore]

    chosen = {int(c.attribute[1:]): int(c.values[0][1:]) for c in configured(n, seed).choices}
    problem = constraint.Problem()
    for i in range(n):
        problem.addVariable(i, [chosen[i]] if i in chosen else list(range(OPTIONS)))
    for i, x, j, kept in pairs(n, seed):
        problem.addConstraint(lambda a, b, x=x, kept=kept: a != x or b in kept, (i, j))
    begin = time.perf_counter()
    with contextlib.suppress(TimeoutError):
        signal.signal(signal.SIGALRM, _stop)
        signal.alarm(LIMIT_S)
        assert problem.getSolution() is not None
    signal.alarm(0)
    return time.perf_counter() - begin, n, float("nan")


def _stop(*_: object) -> None:
    raise TimeoutError


def run(n: int, engine: str) -> Row:
    """Mean milliseconds over random models."""
    ask: Callable[[int, int, str], tuple[float, int, float]] = (
        _one_by_constraint if engine == "python-constraint" else _left
    )
    models = 1 if engine == "python-constraint" else MODELS
    got = [ask(n, seed, engine) for seed in range(models)]
    ms, values, explain = (1000 * sum(g[0] for g in got), sum(g[1] for g in got), 1000 * sum(g[2] for g in got))
    return {"wall_s": ms / 1000, "ms": ms / models, "values": values / models, "explain_ms": explain / models}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="60")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("N", "ENGINE"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child[0]), given.child[1]))
        return
    engines = [name for name, needs in NEEDS.items() if needs is None or find_spec(needs)]
    cases = [(int(n), engine) for n in given.sizes.split(",") for engine in engines]
    labels = {f"{n} {engine}": (str(n), engine) for n, engine in cases}
    runs = in_turns("benchmarks.speed.configurator", labels, repeats=given.repeats)
    rows: list[Row] = []
    for (n, engine), got in zip(cases, runs.values(), strict=True):
        bar, ms = BAR_MS.get(engine), middle(got, "ms")
        rows.append({
            "attributes": n, "engine": engine, "runs": len(got), "ms": ms, "bar ms": bar,
            "met": None if bar is None else ms <= bar, "values left": middle(got, "values"),
            "conflict with repairs ms": None if engine == "python-constraint" else middle(got, "explain_ms"),
        })  # fmt: skip
    Table(
        name="speed-configurator", section="speed", title="Configurator: all values that are left after 8 choices",
        about=f"{OPTIONS} options an attribute, {RULES} random rules, {MODELS} models a run. python-constraint finds "
        f"one solution of one model and is stopped after {LIMIT_S} s. The bars hold for 60 attributes.",
        rows=rows, key=("attributes", "engine"), order=60,
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['attributes']} {r['engine']}: {r['ms']:.1f} ms" for r in rows))


if __name__ == "__main__":
    main()
