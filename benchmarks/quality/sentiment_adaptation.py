"""Learning from k labels of the user: `python -m benchmarks.quality.sentiment_adaptation [--labels 10,50,200,1000]`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import RESULTS, Row, Table, data_dir, say
from benchmarks.quality.sentiment_training import airline, macro_f1
from crmcore.listening import Polarity
from crmcore.listening.sentiment import default_model

BARS = {50: 0.65, 200: 0.69, 1000: 0.725}
WORDS = [polarity.value for polarity in Polarity]


def calibration_error(p: NDArray[np.float64], y: NDArray[np.int64], /, *, bins: int = 10) -> float:
    """Mean distance of the confidence from the share that is right, over bins of confidence."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    which = np.minimum((sure * bins).astype(np.int64), bins - 1)
    held = [which == i for i in range(bins)]
    return float(sum(abs(sure[h].mean() - right[h].mean()) * h.mean() for h in held if h.any()))


def measure(texts: Sequence[str], y: NDArray[np.int64], k: int, draws: int) -> Row:
    """Scores after k labels, mean over draws, on the texts that no draw may take labels from."""
    model = default_model()
    plain = model.probabilities(texts).argmax(axis=1)
    after, gain, error = list[float](), list[float](), list[float]()
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(y))
        pool, held = order[: int(0.6 * len(y))], order[int(0.6 * len(y)) :]
        mine = pool[:k]
        adapted = model.adapt(
            [texts[i] for i in mine], [WORDS[y[i]] for i in mine], unlabelled=[texts[i] for i in pool[k : k + 2000]]
        )
        new = [texts[i] for i in held]
        guess = np.array([WORDS.index(word or "neutral") for word in adapted.decide(new)])
        after.append(macro_f1(y[held], guess))
        gain.append(after[-1] - macro_f1(y[held], plain[held]))
        error.append(calibration_error(adapted.probabilities(new), y[held]))
    bar = BARS.get(k, float("nan"))
    met = np.mean(after) >= bar if k in BARS else min(gain) >= -0.01
    return {
        "labels": k, "draws": draws, "macro-F1": float(np.mean(after)), "sd": float(np.std(after)), "bar": bar,
        "mean gain": float(np.mean(gain)), "smallest gain": min(gain), "calibration error": float(np.mean(error)),
        "met": bool(met),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", default="10,20,50,200,1000")
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args(arguments)
    texts, y = airline(data_dir())
    rows = []
    for k in (int(x) for x in given.labels.split(",")):
        rows.append(measure(texts, y, k, given.draws))
        say(f"{k} labels: {rows[-1]['macro-F1']:.3f}")
    Table(
        name="quality-sentiment-adaptation", section="quality", title="Sentiment after k labels of the user", order=71,
        about="Tweets to airlines, which the shipped model has never seen; macro-F1 and calibration error on 40 % that "
        "no draw takes labels from. Below 50 labels the bar is to lose no more than one point in any draw.",
        rows=rows, key=("labels",),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
