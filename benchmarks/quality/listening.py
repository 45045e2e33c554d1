"""Shares, aspects and experts against labels: `python -m benchmarks.quality.listening [--parts shares ...]`.

Shares: net sentiment of six airlines, corrected from k labelled tweets drawn at random, against all labels; and of
simulated brands. Aspects: terms of MAMS, validation part. Experts: who answers the next solved question of a community,
ranked before it is asked, beside counting answers.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Row, Table, data_dir, say
from benchmarks.quality.text_classes import rows, scores

BAR_ERROR = {50: 0.12, 200: 0.08}
COVER = (0.93, 0.97)
FORMS = ("%d/%m/%y %H:%M", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%y %H:%M")
COMMUNITIES = ("dwolla", "docusign_php", "docusign_java")


def airlines() -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Net scores of the shipped model, names masked; labels -1, 0, 1; airlines."""
    from crmcore.listening.sentiment import default_model

    found = rows("listening_airline/airline_dev.csv.gz")
    brands = [r["airline"] for r in found]
    p = default_model().score([r["text"] for r in found], names=sorted(set(brands))).probability
    truth = np.array([("negative", "neutral", "positive").index(r["sentiment"]) - 1 for r in found], np.float64)
    return np.nan_to_num(p[:, 2] - p[:, 0]), truth, brands


def corrected(
    score: np.ndarray, truth: np.ndarray, brand: Sequence[str], k: int, seed: int
) -> tuple[float, float, float]:
    """Mean error over brands, share of brand intervals that hold, and whether the total's does."""
    from crmcore.listening.shares import correct_sentiment

    labels = np.full(len(truth), np.nan)
    drawn = np.random.default_rng(seed).permutation(len(truth))[:k]
    labels[drawn] = truth[drawn]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = correct_sentiment(score, labels, brand=list(brand))
    names = np.array(brand)
    true = {b.name: truth[names == b.name].mean() for b in found.brands}
    error = float(np.mean([abs(b.net.value - true[b.name]) for b in found.brands]))
    held = float(np.mean([b.net.low <= true[b.name] <= b.net.high for b in found.brands]))
    return error, held, float(found.total.net.low <= truth.mean() <= found.total.net.high)


def shares(draws: int) -> list[Row]:
    """Error and coverage by labels."""
    from crmcore.listening.shares.simulating import simulated_brands

    out: list[Row] = []
    score, truth, brand = airlines()
    for k in (50, 200, 1000):
        got = np.array([corrected(score, truth, brand, k, s) for s in range(draws)])
        out.append(_share_row("six airlines", k, draws, got, BAR_ERROR.get(k)))
    for k in (50, 200):
        made = [simulated_brands(seed=1000 + s) for s in range(draws)]
        got = np.array([corrected(m.score, m.truth, m.brand, k, s) for s, m in enumerate(made)])
        out.append(_share_row("simulated brands", k, draws, got, None))
    return out


def _share_row(name: str, k: int, draws: int, got: np.ndarray, bar: float | None) -> Row:
    error, brands, total = got.mean(axis=0).tolist()
    say(f"{name}, {k} labels: error {error:.3f}, intervals hold {brands:.3f} of brands, {total:.3f} of totals")
    return {
        "posts of": name, "labels": k, "draws": draws, "mean error": error, "bar": "" if bar is None else bar,
        "brands held": brands, "totals held": total,
        "met": bool((bar is None or error <= bar) and COVER[0] <= brands <= COVER[1] and COVER[0] <= total <= COVER[1]),
    }  # fmt: skip


def aspects() -> list[Row]:
    """Macro F1 of terms without and with training."""
    from crmcore.listening.aspects import AspectClassifier, clause_sentiment, mentions_at
    from crmcore.listening.sentiment import default_model

    def read(name: str) -> tuple[object, list[str]]:
        found = rows(f"listening_mams_absa/{name}.csv.gz")
        texts = list(dict.fromkeys(r["text"] for r in found))
        place = {text: i for i, text in enumerate(texts)}
        at = [(place[r["text"]], int(r["from"]), int(r["to"])) for r in found]
        row, begin, end = (list(c) for c in zip(*at, strict=True))
        return mentions_at(texts, row=row, begin=begin, end=end), [r["polarity"] for r in found]

    train, learned = read("atsa_train")
    val, truth = read("atsa_val")
    words = ("negative", "neutral", "positive")
    plain = [words[i] for i in clause_sentiment(val, default_model()).chances.argmax(axis=1)]
    model = AspectClassifier().fit(train, learned, analyzer=default_model())
    taught = [words[i] for i in model.opinions(val, analyzer=default_model()).chances.argmax(axis=1)]
    out: list[Row] = []
    for how, guess, anchor, bar in (("clause, untrained", plain, 0.493, 0.54), ("trained", taught, 0.708, 0.72)):
        f1, accuracy = scores(truth, guess)
        say(f"aspects, {how}: F1 {f1:.3f}")
        out.append(
            {"how": how, "terms": len(truth), "macro F1": f1, "accuracy": accuracy, "anchor": anchor, "bar": bar,
             "met": f1 >= bar}
        )  # fmt: skip
    return out


def experts() -> list[Row]:
    """Mean reciprocal rank and hits among the first five, ours and by counting answers."""
    from crmcore.listening.people import conversations, rank_experts
    from crmcore.tables import MentionTable

    out: list[Row] = []
    for name in COMMUNITIES:
        with gzip.open(data_dir() / "listening_expertqa" / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        table = MentionTable.from_frame(
            {
                "mention_id": [r["post"] for r in found], "author": [r["author"] for r in found],
                "text": [f"{r['title']} {r['text']}" for r in found], "time": [_instant(r["date"]) for r in found],
                "reply_to": [None if r["type"] == "question" else r["thread"] for r in found],
                "accepted": [r["resolved"] if r["type"] == "answer" else "0" for r in found],
            }
        )  # fmt: skip
        talk, time = conversations(table), table.time
        ours, counted = list[float](), list[float]()
        for row in np.flatnonzero([v == "1" for v in table.attributes["accepted"].to_list()]).tolist():
            question = int(talk.forest.root[row])
            past = np.flatnonzero((time < time[question]) & (talk.forest.depth > 0))
            if len(past) < 20:
                continue
            before = conversations(table.take(np.flatnonzero(time < time[question])))
            asked = datetime.fromisoformat(str(time[question])).replace(tzinfo=UTC)
            ranking = rank_experts(before, accepted="accepted", topic=table.text[question], now=asked)
            who = table.author[row]
            ours.append(ranking.of(who).rank if who in ranking.author else np.inf)
            n = np.bincount(table.author.codes[past], minlength=len(table.author.values))
            mine = n[table.author.codes[row]]
            counted.append(1 + (n > mine).sum() if mine else np.inf)
        a, b = np.array(ours), np.array(counted)
        row_ = {
            "community": name, "questions": len(a), "MRR": float((1 / a).mean()), "by counting": float((1 / b).mean()),
            "hit@5": float((a <= 5).mean()), "hit@5 by counting": float((b <= 5).mean()),
        }  # fmt: skip
        out.append({**row_, "met": row_["MRR"] >= row_["by counting"] and row_["hit@5"] >= row_["hit@5 by counting"]})
        say(f"experts of {name}: MRR {row_['MRR']:.3f} against {row_['by counting']:.3f}")
    return out


def _instant(cell: str) -> datetime:
    for form in FORMS:
        try:
            return datetime.strptime(cell.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError("no form reads the time")


PARTS = {
    "shares": ("Net sentiment, corrected from labels", "Mean absolute error over brands, and how often 95 % intervals "
               "hold; scores of the shipped model.", ("posts of", "labels"), 93),
    "aspects": ("Sentiment of aspect terms", "MAMS validation, macro F1 over three polarities.", ("how",), 94),
    "experts": ("Who answers the next question",
                "Rank of whoever wrote the accepted answer, told before it was asked.",
                ("community",), 95),
}  # fmt: skip


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the parts and store a table each in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--draws", type=int, default=100)
    given = parser.parse_args(arguments)
    for part in given.parts:
        title, about, key, order = PARTS[part]
        found = shares(given.draws) if part == "shares" else aspects() if part == "aspects" else experts()
        Table(
            name=f"quality-listening-{part}", section="quality", title=title, about=about, rows=found, key=key,
            order=order,
        ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
