"""Makes the sentiment model that ships with the library, and scores what it makes on domains it has not seen.

    python -m benchmarks.quality.sentiment_training --write     writes the model file
    python -m benchmarks.quality.sentiment_training             leaves one domain out in turn

Training data and their licences: GoEmotions (CC BY 4.0), VADER ground truth of tweets and Amazon snippets (MIT), MAMS
(Apache-2.0). The airline tweets (CC BY-NC-SA 4.0) are for measuring only: `TRAINING` names what may be learned from.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import PINNED, REPO, RESULTS, Row, Table, data_dir, say
from crmcore.listening.sentiment.features import lexical_features
from crmcore.listening.sentiment.model import LexicalPart, SentimentModel
from crmcore.listening.sentiment.ngrams import NgramSpace
from crmcore.listening.sentiment.rules import weigh
from crmcore.text import Tokenizer
from crmcore.text.logistic import Block, fit_blocks

NAME = "english-1"
FILE = REPO / "crmcore" / "listening" / "sentiment" / "data" / "model.npz"
MOST_TERMS = 20_000
LEXICAL_PENALTY, WORD_PENALTY = 3.0, 3.3
POSITIVE = frozenset(
    "amusement excitement joy love desire optimism caring pride admiration gratitude relief approval".split()
)
NEGATIVE = frozenset(
    "fear nervousness remorse embarrassment disappointment sadness grief disgust anger annoyance disapproval".split()
)
CLAUSE = re.compile(r"[.,;:!?()]|\b(?:and|but|though|although|while|however|yet|except)\b", re.IGNORECASE)
LABELS = {"negative": 0, "neutral": 1, "positive": 2}

Labelled = tuple[list[str], NDArray[np.int64]]


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a packed table."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def emotions(data: Path, part: str) -> Labelled:
    """Reddit comments of one polarity; mixed and ambiguous ones are left out."""
    texts, labels = [], []
    for row in rows_of(data / "listening_goemotions" / f"{part}.csv.gz"):
        said = set(row["labels"].split())
        up, down, flat = bool(said & POSITIVE), bool(said & NEGATIVE), "neutral" in said
        if said - POSITIVE - NEGATIVE - {"neutral"} or up + down + flat != 1:
            continue
        texts.append(row["text"])
        labels.append(2 if up else 0 if down else 1)
    return texts, np.array(labels, np.int64)


def rated(data: Path, name: str) -> Labelled:
    """Texts whose mean rating is above 0.5, below -0.5, or between."""
    rows = rows_of(data / "listening_vader_gt" / f"{name}.csv.gz")
    means = np.array([float(row["mean"]) for row in rows])
    return [row["text"] for row in rows], np.where(means > 0.5, 2, np.where(means < -0.5, 0, 1)).astype(np.int64)


def clauses(data: Path) -> Labelled:
    """Clauses of restaurant reviews whose aspects agree."""
    by_clause: dict[tuple[str, int, int], set[str]] = {}
    for row in rows_of(data / "listening_mams_absa" / "atsa_train.csv.gz"):
        text = row["text"]
        cuts = [0, *(found.start() for found in CLAUSE.finditer(text)), len(text)]
        k = sum(cut <= int(row["from"]) for cut in cuts[:-1]) - 1
        by_clause.setdefault((text, cuts[k], cuts[k + 1]), set()).add(row["polarity"])
    pairs = [
        (text[begin:end].strip(), said)
        for (text, begin, end), said in by_clause.items()
        if len(said) == 1 and len(text[begin:end].split()) > 1
    ]
    return [text for text, _ in pairs], np.array([LABELS[next(iter(said))] for _, said in pairs], np.int64)


def airline(data: Path) -> Labelled:
    """Tweets to airlines: measured on, never learned from."""
    rows = rows_of(data / "listening_airline" / "airline_dev.csv.gz")
    return [row["text"] for row in rows], np.array([LABELS[row["sentiment"]] for row in rows], np.int64)


TRAINING: dict[str, Callable[[Path], Labelled]] = {
    "goemotions": lambda data: emotions(data, "train"),
    "tweets": lambda data: rated(data, "tweets"),
    "amazon": lambda data: rated(data, "amazon_snippets"),
    "mams": clauses,
}
MEASURED: dict[str, Callable[[Path], Labelled]] = {
    **TRAINING,
    "goemotions": lambda data: emotions(data, "dev"),
    "airline": airline,
}


def trained(domains: Sequence[Labelled], /, *, name: str = NAME) -> SentimentModel:
    """Fit the model on domains: each counts its number of texts, inside one the three classes weigh the same.

    The lexical part has intercepts of its own for each domain, of which the mean ships. Words and pairs are fitted on
    what is left, with one shared copy of the weights and one for each domain: what holds in one domain only is taken up
    by its own copy, and the shared one ships.
    """
    from scipy.sparse import csr_array

    texts = [text for part, _ in domains for text in part]
    y = np.concatenate([labels for _, labels in domains])
    group = np.concatenate([np.full(len(labels), i) for i, (_, labels) in enumerate(domains)])
    weight = np.concatenate([len(v) / (3 * np.maximum(np.bincount(v, minlength=3), 1))[v] for _, v in domains])
    w = weigh(Tokenizer().tokenize(texts))
    x = lexical_features(w)
    mean = np.average(x, axis=0, weights=weight)
    sd = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight)) + 1e-9
    lexical = LexicalPart(mean=mean, sd=sd, weights=np.zeros((x.shape[1], 3)), intercept=np.zeros(3))
    (v,), own = fit_blocks(
        [Block(lexical.standard(x), LEXICAL_PENALTY)], y, 3, weight=weight, intercepts=group, rounds=200
    )
    lexical = attrs.evolve(lexical, weights=v, intercept=own.mean(axis=0))
    offset = lexical.standard(x) @ v + own[group]
    space = NgramSpace.learned(w, most=MOST_TERMS)
    terms, _ = space.features(w)
    coo = terms.tocoo()
    row, column = coo.coords
    copies = csr_array((coo.data, (row, column + group[row] * len(space))), shape=(len(y), len(space) * len(domains)))
    parts, left = fit_blocks(
        [Block(terms, WORD_PENALTY), Block(copies, WORD_PENALTY)],
        y, 3, weight=weight, offset=offset, intercepts=group, rounds=60,
    )  # fmt: skip
    return SentimentModel(lexical=lexical, space=space, words=parts[0], word_intercept=left.mean(axis=0), name=name)


def packed(model: SentimentModel) -> bytes:
    """Model file: weights in steps of one byte, rarities in two, without times or names of a machine."""
    step = float(np.abs(model.words).max()) / 127
    held: dict[str, NDArray[Any]] = {
        "mean": model.lexical.mean.astype(np.float32).astype(np.float64),
        "sd": model.lexical.sd.astype(np.float32).astype(np.float64),
        "lexical": np.round(model.lexical.weights, 5),
        "lexical_intercept": np.round(model.lexical.intercept, 5),
        "words": np.frombuffer("\n".join(model.space.words).encode(), np.uint8),
        "keys": model.space.keys,
        "idf": model.space.idf.astype(np.float16),
        "weights": np.round(model.words / step).astype(np.int8),
        "step": np.array(step),
        "word_intercept": np.round(model.word_intercept, 5),
        "name": np.array(model.name),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for key, array in held.items():
            one = io.BytesIO()
            np.lib.format.write_array(one, array, allow_pickle=False)
            file.writestr(zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0)), one.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def macro_f1(y: NDArray[np.int64], guess: NDArray[np.int64], /, *, k: int = 3) -> float:
    """Mean F1 of the classes."""
    scores = [2 * ((y == c) & (guess == c)).sum() / max((y == c).sum() + (guess == c).sum(), 1) for c in range(k)]
    return float(np.mean(scores))


def vader_guess(texts: Sequence[str]) -> NDArray[np.int64]:
    """What vaderSentiment says, handles and links removed."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    read = SentimentIntensityAnalyzer().polarity_scores
    gone = re.compile(r"@\w+|https?://\S+")
    c = np.array([read(gone.sub(" ", text))["compound"] for text in texts])
    return np.where(c >= 0.05, 2, np.where(c <= -0.05, 0, 1)).astype(np.int64)


def left_out(data: Path) -> list[Row]:
    """Score each domain by a model that was trained without it, beside VADER."""
    rows: list[Row] = []
    held = {name: read(data) for name, read in TRAINING.items()}
    for name, read in MEASURED.items():
        texts, y = read(data)
        model = trained([part for other, part in held.items() if other != name])
        ours = macro_f1(y, model.probabilities(texts).argmax(axis=1))
        anchor = macro_f1(y, vader_guess(texts))
        rows.append({"left out": name, "texts": len(y), "macro-F1": ours, "VADER": anchor, "bar": anchor})
        say(f"{name}: {ours:.3f}, VADER {anchor:.3f}")
    ours, anchor = (float(np.mean([row[field] for row in rows])) for field in ("macro-F1", "VADER"))
    total = sum(row["texts"] for row in rows)
    rows.append({"left out": "mean", "texts": total, "macro-F1": ours, "VADER": anchor, "bar": 0.615})
    return [{**row, "met": row["macro-F1"] >= row["bar"]} for row in rows]


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Write the model file, or measure and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="train on all domains and write the model file")
    parser.add_argument("--out", type=Path, default=FILE, help="where to write it, in place of the package")
    given = parser.parse_args(arguments)
    if given.write:
        if any(os.environ.get(name) != value for name, value in PINNED.items()):
            # sums of several threads differ in the last bit, and the file with them
            command = [
                sys.executable,
                "-m",
                "benchmarks.quality.sentiment_training",
                "--write",
                "--out",
                str(given.out),
            ]
            subprocess.run(command, env={**os.environ, **PINNED}, check=True)
            return
        given.out.write_bytes(packed(trained([read(data_dir()) for read in TRAINING.values()])))
        return
    Table(
        name="quality-sentiment-domains", section="quality", title="Sentiment on domains that were not learned",
        about="Macro-F1 of negative, neutral, positive, by a model trained without the domain; handles and links "
        "masked for both.", rows=left_out(data_dir()), key=("left out",), order=70,
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
