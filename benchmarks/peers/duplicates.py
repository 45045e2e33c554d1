"""Near-duplicates beside datasketch: `python -m benchmarks.peers.duplicates [--sizes 100000]`: texts a second, recall.

Short texts of which a quarter are edits of others: reposted, with a link, a typo, in capitals, a word dropped, a tag
added. datasketch hashes runs of three characters with 64 permutations at a threshold of 0.6 and verifies nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

BARS = {"ratio": 5.0, "recall": 0.995, "peak MB": 300.0}
EDITS = 6


def edited(text: str, how: int, word: str, rng: np.random.Generator) -> str:
    """One of six edits."""
    if how == 0:
        return f"RT @{word} {text}"
    if how == 1:
        return f"{text} http://t.example/{word}"
    if how == 2:
        at = int(rng.integers(len(text)))
        return f"{text[:at]}x{text[at + 1 :]}"
    if how == 3:
        return text.upper()
    if how == 4:
        words = text.split()
        del words[int(rng.integers(len(words)))]
        return " ".join(words)
    return f"{text} #{word}"


def texts(n: int, seed: int = 3) -> tuple[list[str], np.ndarray]:
    """n texts and, for each, the row of the text that it is an edit of, or its own."""
    rng = np.random.default_rng(seed)
    letters = list("abcdefghijklmnoprstuvw")
    words = ["".join(rng.choice(letters, rng.integers(2, 9))) for _ in range(5000)]
    share = 1 / np.arange(1, 5001)
    share /= share.sum()
    base = [" ".join(words[i] for i in rng.choice(5000, rng.integers(6, 18), p=share)) for _ in range(n * 3 // 4)]
    of = rng.integers(len(base), size=n - len(base))
    made = [
        edited(base[j], k % EDITS, words[int(rng.integers(5000))], rng) for k, j in enumerate(of.tolist())
    ]  # fmt: skip
    return base + made, np.concatenate([np.arange(len(base)), of])


def run(engine: str, n: int) -> Row:
    """Seconds, peak memory and recall of planted pairs."""
    posts, of = texts(n)
    planted = np.arange(n * 3 // 4, n)
    if engine == "crmcore":
        from crmcore.text import find_duplicates

        find_duplicates(posts[:100])
        with Meter() as meter:
            found = find_duplicates(posts)
        hit = float((found.first[planted] == found.first[of[planted]]).mean())
        return {"wall_s": meter.cost.wall_s, "peak_mb": meter.cost.peak_mb, "recall": hit}
    from datasketch import MinHash, MinHashLSH

    with Meter() as meter:
        index, pairs = MinHashLSH(threshold=0.6, num_perm=64), set()
        for i, post in enumerate(posts):
            signs = MinHash(num_perm=64)
            signs.update_batch([post[k : k + 3].encode() for k in range(max(len(post) - 2, 1))])
            pairs.update((j, i) for j in index.query(signs))
            index.insert(i, signs)
    hit = float(np.mean([(int(of[i]), int(i)) in pairs for i in planted]))
    return {"wall_s": meter.cost.wall_s, "peak_mb": meter.cost.peak_mb, "recall": hit}


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="20000,100000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], int(given.child[1])))
        return
    rows = []
    for n in (int(s) for s in given.sizes.split(",")):
        engines = {name: (name, str(n)) for name in ("crmcore", "datasketch")}
        got = in_turns("benchmarks.peers.duplicates", engines, repeats=given.repeats)
        ours, theirs = (middle(got[name], "wall_s") for name in engines)
        ratio, recall = theirs / ours, middle(got["crmcore"], "recall")
        peak = middle(got["crmcore"], "peak_mb")
        rows.append(
            {
                "texts": n, "runs": given.repeats, "crmcore texts/s": n / ours, "datasketch texts/s": n / theirs,
                "ratio": ratio, "recall": recall, "its recall": middle(got["datasketch"], "recall"), "peak MB": peak,
                "bar": "5x, .995, 300 MB",
                "met": ratio >= BARS["ratio"] and recall >= BARS["recall"] and peak <= BARS["peak MB"],
            }
        )  # fmt: skip
        say(f"{n:,} texts: {ratio:.1f}x, recall {recall:.4f}, {peak:.0f} MB")
    Table(
        name="peers-duplicates", section="peers", title="Near-duplicates beside datasketch", order=71,
        about="Texts a second on one thread, each in a fresh process; every pair of ours is verified, none of theirs.",
        rows=rows, key=("texts",),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
