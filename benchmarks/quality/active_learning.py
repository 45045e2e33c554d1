"""What 200 answers are worth: `python -m benchmarks.quality.active_learning [data set ...]`.

Pairs that the library itself asks about are answered by the truth, on labelled data sets; the true cluster is never
shown to the linkage.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.common import RESULTS, Row, Table, say
from benchmarks.quality.sets import rows
from crmcore.idic.identify import People, resolve
from crmcore.idic.identify.reviewing import Review

SETS = ("fake_1000", "historical_50k_a", "households_dev")
ANSWERS, ROUNDS = 200, 4

Truth = dict[str, str]


def load(name: str) -> tuple[People, Truth]:
    """Resolve one data set without its truth."""
    held = [dict(row) for row in rows(name)]
    truth = {f"{name}:{row['unique_id']}": str(row.pop("cluster")) for row in held}
    return resolve({name: held}), truth


def answered(review: Review, truth: Truth) -> list[tuple[str, str, bool]]:
    """The truth as judge."""
    return [(item.left, item.right, truth[item.left] == truth[item.right]) for item in review]


def measured(name: str, what: str, people: People, truth: Truth) -> Row:
    """One row: precision, recall and F1 over pairs with its interval, B-cubed F1."""
    q = people.evaluate(truth)
    f1 = q.pair_f1
    say(f"{name}, {what}: F1 {f1.value:.4f}, B3 {q.bcubed_f1.value:.4f}")
    return {
        "data set": name, "answers": what, "P": q.pair_precision.value, "R": q.pair_recall.value, "pair F1": f1.value,
        "95 % interval": f"{f1.low:.4f}-{f1.high:.4f}", "B3": q.bcubed_f1.value,
    }  # fmt: skip


def runs(name: str) -> Iterator[Row]:
    """What answers change on one data set."""
    people, truth = load(name)
    yield measured(name, "none", people, truth)
    yield measured(name, f"review of {ANSWERS} at once", people.decide(answered(people.review(ANSWERS), truth)), truth)
    step = people
    for _ in range(ROUNDS):
        step = step.decide(answered(step.review(ANSWERS // ROUNDS), truth))
    yield measured(name, f"review in {ROUNDS} rounds of {ANSWERS // ROUNDS}", step, truth)
    judged = answered(people.label_candidates(ANSWERS, seed=0), truth)
    yield measured(name, f"{ANSWERS} labels, weights learn", people.learn(judged, obey=False), truth)
    yield measured(name, f"{ANSWERS} labels, weights learn and answers are obeyed", people.learn(judged), truth)


def main(names: Iterable[str] = SETS, folder: Path = RESULTS) -> None:
    """Measure, and store the rows in `folder`."""
    Table(
        name="quality-identity-answers", section="quality", order=40, title="Identity: what 200 answers are worth",
        about=f"The library chooses {ANSWERS} pairs, the truth answers. A review obeys the answers; learning moves the "
        "weights, and only where that gets clearly more of the judged pairs right.",
        rows=[row for name in names for row in runs(name)], key=("data set", "answers"), arrange=SETS,
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:] or SETS)
