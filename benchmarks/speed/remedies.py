"""Remedies decided and paid for: `python -m benchmarks.speed.remedies [--cases 2000]`.

Decisions one by one and over a table, on the policy of the electronics shop; then a fund on a ledger in memory: each
case is granted (decided, held) and committed, once with a cap a customer and once without, at 200, 1,000 and 3,000
cases. The last row is the cost of a grant at the largest number over that at the smallest: 1 is flat. CPU seconds are
those of this process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Row, Table, answer, in_turns, measure, middle, say

CASES, SIZES, BAR = 2_000, (200, 1_000, 3_000), 300
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def made(n: int) -> dict[str, list[Any]]:
    """Columns of n cases with failures, severities and losses drawn at random."""
    from crmcore.recovery.remedies import scripts

    rng = np.random.default_rng(7)
    failures = sorted(scripts.electronics_menu().failures)
    return {
        "id": [f"c{i}" for i in range(n)], "customer": [f"u{i}" for i in range(n)],
        "failure": rng.choice(failures, n).tolist(),
        "severity": rng.choice(["low", "normal", "high", "critical"], n).tolist(),
        "loss": [f"{x:.2f}" for x in rng.uniform(10, 1_000, n)],
        "value": [f"{x:.2f}" for x in rng.uniform(100, 5_000, n)],
    }  # fmt: skip


def run_one(n: int) -> Row:
    """Decide case after case."""
    from crmcore.recovery.remedies import CaseTable, scripts

    policy = scripts.electronics_policy()
    table = CaseTable.from_frame(made(n), currency="USD")
    cases = [table[i] for i in range(len(table))]
    policy.decide(cases[0], now=NOW)
    wall, cpu = time.perf_counter(), time.process_time()
    for case in cases:
        policy.decide(case, now=NOW)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_s": wall, "rate": n / wall, "rate_cpu": n / cpu}


def run_table(n: int) -> Row:
    """Decide a population in columns."""
    from crmcore.recovery.remedies import CaseTable, scripts

    policy = scripts.electronics_policy()
    table = CaseTable.from_frame(made(n * 100), currency="USD")
    wall, cpu = time.perf_counter(), time.process_time()
    policy.decide_all(table, now=NOW)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall_s": wall, "rate": n * 100 / wall, "rate_cpu": n * 100 / cpu}


def run_fund(n: int, cap: int | None = None) -> Row:
    """Grant and commit every case."""
    from crmcore.ledger import Ledger
    from crmcore.recovery.remedies import FailedCase, RemedyFund, scripts
    from crmcore.stores import MemoryStore
    from crmcore.values import Money

    policy = scripts.electronics_policy()
    most = None if cap is None else Money.of(cap, "USD")
    fund = RemedyFund(Ledger(MemoryStore()), currency="USD", per_customer=most)
    fund.load("budget", Money.of(1_000 * n, "USD"), at=NOW)
    loss = Money.of(900, "USD")
    cases = [FailedCase(id=f"c{i}", customer=f"u{i}", failure="defective product", loss=loss) for i in range(n)]
    wall, cpu = time.perf_counter(), time.process_time()
    for i, case in enumerate(cases):
        at = NOW + timedelta(seconds=i)
        fund.grant(policy, case, now=at)
        fund.commit(case.id, at=at)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert fund.left(as_of=NOW + timedelta(days=1)) == Money.of(280 * n, "USD")
    return {"wall_s": wall, "rate": n / wall, "rate_cpu": n / cpu, "cost": cpu / n}


def run_capped(n: int) -> Row:
    """Grant and commit every case, under a cap a customer."""
    return run_fund(n, 5_000)


RUNS = {"one": run_one, "table": run_table, "fund": run_fund, "capped": run_capped}


def store(found: dict[str, list[Row]], n: int, sizes: Sequence[int], folder: Path = RESULTS) -> None:
    """Keep a row a measure."""

    rows = [
        measure("RemedyPolicy.decide", "cases/s", found["one"], "rate", n),
        measure("RemedyPolicy.decide, CPU", "cases/CPU s", found["one"], "rate_cpu", n),
        measure("RemedyPolicy.decide_all", "cases/s", found["table"], "rate", n * 100),
        measure("RemedyPolicy.decide_all, CPU", "cases/CPU s", found["table"], "rate_cpu", n * 100),
    ]
    for kind, told in (("fund", "no cap"), ("capped", "cap a customer")):
        for size in sizes:
            runs = found[f"{kind} {size}"]
            rows.append(measure(f"RemedyFund.grant and commit, {told}", "cases/s", runs, "rate", size, BAR))
            rows.append(measure(f"RemedyFund.grant and commit, {told}, CPU", "cases/CPU s", runs, "rate_cpu", size))
        low, high = (middle(found[f"{kind} {size}"], "cost") for size in (sizes[0], sizes[-1]))
        what = f"cost of a grant at {sizes[-1]:,} cases over that at {sizes[0]:,}, {told}"
        rows.append(
            {"measure": what, "unit": "ratio", "of": sizes[-1], "median": high / low, "runs": len(found["one"])}
        )
    Table(
        name="speed-remedies", section="speed", order=76, title="Recovery: remedies",
        about="Which remedies a case gets, one by one and over a table; and the money of remedies: every case is "
        "decided, held on the ledger (in memory) and paid.",
        rows=rows, key=("measure", "unit", "of"),
    ).save(folder)  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        what, n = given.child
        answer(RUNS[what](int(n)))
        return
    runs: dict[str, Sequence[str]] = {k: (k, str(given.cases)) for k in ("one", "table")}
    runs |= {f"{k} {size}": (k, str(size)) for k in ("fund", "capped") for size in given.sizes}
    found = in_turns("benchmarks.speed.remedies", runs, repeats=given.repeats)
    store(found, given.cases, given.sizes, folder)
    rates = ", ".join(f"{middle(found[f'fund {s}'], 'rate'):,.0f} at {s:,}" for s in given.sizes)
    say(f"decide {middle(found['one'], 'rate'):,.0f}/s, in columns {middle(found['table'], 'rate'):,.0f}/s; "
        f"grants {rates}")  # fmt: skip


if __name__ == "__main__":
    main()
