"""Rows of the feature list on cleaning: 110 suspicious reviews, 148 spam and noise."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from crmcore.listening.cleaning import Cleaner, clean, fit_spam, spam_signals, suspicious_reviews
from crmcore.tables import MentionTable

SYLLABLES = ("ba", "ro", "ti", "men", "sol", "ke", "lu", "vir", "dan", "po", "chi", "ne")


def words(rng: np.random.Generator, n: int) -> str:
    """So many made-up words: honest reviews share few."""
    return " ".join("".join(rng.choice(SYLLABLES, rng.integers(1, 4))) for _ in range(n))


def reviews(planted: int, seed: int = 0) -> tuple[MentionTable, np.ndarray]:
    """Two hundred days of honest reviews, and a burst of near-duplicates with five stars."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(240):
        when = np.datetime64("2026-01-01T00:00:00") + np.timedelta64(int(rng.integers(0, 200 * 86400)), "s")
        row = {"text": words(rng, 12), "author": f"@buyer{i}", "rating": int(rng.integers(1, 6))}
        rows.append(row | {"product": "blender", "time": f"{when}Z"})
    for i in range(planted):
        said = (
            f"Absolutely amazing blender, best purchase of my life, buy now{'!' * (i % 3)} {['wow', 'yes', ''][i % 3]}"
        )
        row = {"text": said, "author": f"@new{i}", "rating": 5, "product": "blender"}
        rows.append(row | {"time": f"2026-04-05T{i % 24:02d}:10:00Z"})
    return MentionTable.from_frame(rows), np.arange(len(rows)) >= 240


def test_row_110_a_planted_burst_of_near_duplicate_five_star_reviews_is_flagged():
    table, planted = reviews(12)
    found = suspicious_reviews(table, subject="product")
    assert found.suspicious[planted].all()
    assert found.suspicious[~planted].sum() == 0
    why = {str(s) for s, _ in found.why(int(np.flatnonzero(planted)[0]))}
    assert {"copies", "burst", "newcomer"} <= why


def test_row_110_neighbours_a_burst_in_own_words_and_honest_reviews_alone():
    rng = np.random.default_rng(3)
    table, _ = reviews(0)
    assert not suspicious_reviews(table, subject="product").suspicious.any()
    frame = table.to_frame(backend="pandas")
    own = [words(rng, 9) for _ in range(15)]
    more = [
        {"text": t, "author": f"@x{i}", "rating": 1, "product": "blender", "time": f"2026-02-03T{i:02d}:00:00Z"}
        for i, t in enumerate(own)
    ]
    rows = [{k: r[k] for k in ("text", "author", "rating", "product", "time")} for r in frame.to_dict(orient="records")]
    found = suspicious_reviews(MentionTable.from_frame(rows + more), subject="product")
    assert found.suspicious[240:].all()  # a burst of newcomers is suspicious without any copy
    assert found.suspicious[:240].mean() < 0.02


def read(data_dir, name):
    with gzip.open(data_dir / "listening_spam" / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def f1(truth, guess):
    scores = []
    for kind in (False, True):
        hit = ((truth == kind) & (guess == kind)).sum()
        scores.append(2 * hit / ((truth == kind).sum() + (guess == kind).sum()))
    return float(np.mean(scores))


@pytest.mark.slow
def test_row_148_spam_is_learned_and_a_foreign_domain_is_named(data_dir):
    sms = read(data_dir, "sms.csv.gz")
    texts, spam = [r["text"] for r in sms], np.array([r["spam"] == "1" for r in sms])
    held = np.random.default_rng(1).random(len(texts)) < 0.2
    train, test = ([t for t, k in zip(texts, held, strict=True) if k == side] for side in (False, True))
    model = fit_spam(train, spam[~held])
    assert f1(spam[held], model.spam(test) >= 0.5) >= 0.95
    video = [r["text"] for r in read(data_dir, "youtube01-psy.csv.gz")]
    assert model.familiarity(video).foreign
    assert not model.familiarity(test).foreign


def test_row_148_spam_carries_from_one_video_to_another(data_dir):
    one, two = read(data_dir, "youtube01-psy.csv.gz"), read(data_dir, "youtube02-katyperry.csv.gz")
    truth = np.array([r["spam"] == "1" for r in two])
    model = fit_spam([r["text"] for r in one], [r["spam"] == "1" for r in one])
    assert f1(truth, model.spam([r["text"] for r in two]) >= 0.5) >= 0.9
    # without any label: few comments are flagged wrongly, a part of the spam is found, and reasons are given
    found = spam_signals([r["text"] for r in two])
    assert found.spam[~truth].mean() <= 0.05
    assert found.spam[truth].mean() >= 0.2
    assert all(found.why(i) for i in np.flatnonzero(found.spam).tolist())


def test_row_148_spam_bots_copies_and_noise_go_and_come_back():
    texts = ["Parcel late again, no answer from anyone"] * 2 + [
        "Win free followers, click here http://a.co", "\u0e2a\u0e1a\u0e32\u0e22\u0e14\u0e35\u0e21\u0e32\u0e01",
        "The new store is lovely and the staff are kind", "",
    ]  # fmt: skip
    posts = MentionTable.from_frame({"text": texts, "author": list("abcdef")})
    found = clean(posts, Cleaner(languages=("en",), duplicates=True))
    assert [found.why(i) != () for i in range(6)] == [False, True, True, True, False, True]
    assert {rule: n for rule, (n, _) in found.counts().items()} == {
        "empty": 1, "language": 1, "duplicate": 1, "spam": 1,
    }  # fmt: skip
    assert len(found.restore("empty", "language", "duplicate", "spam").kept) == 6
