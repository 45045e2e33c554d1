"""Labels of texts: reasons of complaints, Thai polarity, spam: `python -m benchmarks.quality.text_classes`.

One recipe for all, `crmcore.text.TextClassifier`; for spam with the shape of the text (`cleaning.fit_spam`). Folds are
drawn once with a fixed seed. Nothing is chosen on what is held out.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Row, Table, data_dir, say

FOLDS = 5
SEED = 7


def rows(name: str) -> list[dict[str, str]]:
    """Rows of one file of a shared set."""
    with gzip.open(data_dir() / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def scores(truth: Sequence[str], guess: Sequence[str]) -> tuple[float, float]:
    """Macro-averaged F1 and accuracy."""
    y, z = np.array(truth), np.array(guess)
    found = []
    for label in np.unique(y):
        hit = ((y == label) & (z == label)).sum()
        found.append(2 * hit / max((y == label).sum() + (z == label).sum(), 1))
    return float(np.mean(found)), float((y == z).mean())


def reasons() -> tuple[float, float]:
    """Ten reasons of complaints of airline passengers, 5-fold."""
    from crmcore.text import TextClassifier

    found = [r for r in rows("listening_airline/airline_dev.csv.gz") if r["negativereason"]]
    texts, labels = [r["text"] for r in found], [r["negativereason"] for r in found]
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(texts))
    guess = [""] * len(texts)
    for f in range(FOLDS):
        inner, held = np.flatnonzero(fold != f).tolist(), np.flatnonzero(fold == f).tolist()
        model = TextClassifier(balanced=True, folds=0).fit([texts[i] for i in inner], [labels[i] for i in inner])
        for i, label in zip(held, model.predict([texts[i] for i in held]), strict=True):
            guess[i] = label
    return scores(labels, guess)


def thai() -> tuple[float, float]:
    """Polarity and questions of Thai posts, train to valid, no word segmentation."""
    from crmcore.text import TextClassifier

    train, valid = rows("listening_wisesight/train.csv.gz"), rows("listening_wisesight/valid.csv.gz")
    model = TextClassifier(folds=0).fit([r["text"] for r in train], [r["label"] for r in train])
    return scores([r["label"] for r in valid], model.predict([r["text"] for r in valid]))


def spam_of(train: Sequence[dict[str, str]], test: Sequence[dict[str, str]]) -> list[str]:
    """Guessed labels of the second."""
    from crmcore.listening.cleaning import fit_spam

    model = fit_spam([r["text"] for r in train], [r["spam"] == "1" for r in train])
    return ["1" if p >= 0.5 else "0" for p in model.spam([r["text"] for r in test])]


def sms() -> tuple[float, float]:
    """SMS spam, 5-fold."""
    found = rows("listening_spam/sms.csv.gz")
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(found))
    guess = [""] * len(found)
    for f in range(FOLDS):
        inner = [r for r, k in zip(found, fold, strict=True) if k != f]
        held = np.flatnonzero(fold == f).tolist()
        for i, label in zip(held, spam_of(inner, [found[i] for i in held]), strict=True):
            guess[i] = label
    return scores([r["spam"] for r in found], guess)


def videos(first: str, second: str) -> tuple[float, float]:
    """Comment spam of one video learned on another."""
    one, two = rows(f"listening_spam/{first}"), rows(f"listening_spam/{second}")
    return scores([r["spam"] for r in two], spam_of(one, two))


PSY, KATY = "youtube01-psy.csv.gz", "youtube02-katyperry.csv.gz"
TASKS = {
    "airline reasons, 10 classes": (reasons, "logistic regression, words and characters", 0.494, 0.51, None),
    "Thai polarity, 4 classes": (thai, "logistic regression, characters", 0.530, 0.545, 0.73),
    "SMS spam": (sms, "logistic regression, characters", 0.982, 0.983, None),
    "comment spam, video 1 to 2": (lambda: videos(PSY, KATY), "logistic regression, characters", 0.934, 0.94, None),
    "comment spam, video 2 to 1": (lambda: videos(KATY, PSY), "logistic regression, characters", 0.928, 0.935, None),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Score every task whose data are there and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    given = parser.parse_args(arguments)
    found: list[Row] = []
    for task in given.tasks:
        run, anchor, its, bar, accuracy_bar = TASKS[task]
        f1, accuracy = run()
        met = f1 >= bar and (accuracy_bar is None or accuracy >= accuracy_bar)
        found.append(
            {
                "task": task, "macro F1": f1, "accuracy": accuracy, "anchor": anchor, "its F1": its, "bar": bar,
                "met": met,
            }
        )  # fmt: skip
        say(f"{task}: F1 {f1:.4f}, accuracy {accuracy:.4f}")
    Table(
        name="quality-text-classes", section="quality", title="Labels of texts", order=92,
        about="One recipe of a linear classifier for every task; folds drawn once.", rows=found, key=("task",),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
