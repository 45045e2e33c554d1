"""What 200 answers are worth: pairs that the library asks about, answered by the truth, on labelled data sets.

    python benchmarks/quality/active_learning.py [data set ...]

Data sets lie in CRMCORE_DATA (default: ../shared/data beside the repository), each a `records.csv.gz` with columns
`unique_id` and `cluster`; the true cluster is never shown to the linkage.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from crmcore.idic.identify import People, resolve
from crmcore.idic.identify.reviewing import Review

DATA = Path(os.environ.get("CRMCORE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SETS = ("fake_1000", "historical_50k_a", "households_dev")
ANSWERS, ROUNDS = 200, 4

Truth = dict[str, str]


def load(name: str) -> tuple[People, Truth]:
    """Resolve one data set without its truth."""
    with gzip.open(DATA / name / "records.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth = {f"{name}:{row['unique_id']}": row.pop("cluster") for row in rows}
    return resolve({name: rows}), truth


def answered(review: Review, truth: Truth) -> list[tuple[str, str, bool]]:
    """The truth as judge."""
    return [(item.left, item.right, truth[item.left] == truth[item.right]) for item in review]


def measured(what: str, people: People, truth: Truth) -> str:
    """One line: precision, recall and F1 over pairs, B-cubed F1."""
    q = people.evaluate(truth)
    pair = f"P {q.pair_precision.value:.4f}  R {q.pair_recall.value:.4f}  F1 {q.pair_f1.value:.4f}"
    return f"  {what:<34}{pair} [{q.pair_f1.low:.4f}, {q.pair_f1.high:.4f}]  B3 {q.bcubed_f1.value:.4f}"


def lines(name: str) -> Iterator[str]:
    """What answers change on one data set."""
    people, truth = load(name)
    yield f"{name}: {people}"
    yield measured("no answers", people, truth)
    yield measured(f"review, {ANSWERS} at once", people.decide(answered(people.review(ANSWERS), truth)), truth)
    step = people
    for _ in range(ROUNDS):
        step = step.decide(answered(step.review(ANSWERS // ROUNDS), truth))
    yield measured(f"review, {ROUNDS} rounds of {ANSWERS // ROUNDS}", step, truth)
    judged = answered(people.label_candidates(ANSWERS, seed=0), truth)
    learned = people.learn(judged, obey=False)
    yield measured(f"learn from {ANSWERS}, weights only", learned, truth)
    yield measured(f"learn from {ANSWERS}, and obey them", people.learn(judged), truth)
    yield f"  {learned.model.calibration}"


def main(names: Iterable[str]) -> None:
    """Print all."""
    for name in names:
        for line in lines(name):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or SETS)
