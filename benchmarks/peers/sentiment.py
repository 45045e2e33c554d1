"""Sentiment beside both VADERs: `python -m benchmarks.peers.sentiment [--sizes 2000,20000]`: texts a second.

nltk's analyzer is given the lexicon of vaderSentiment as a file in a folder of its own: its own is a download.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say

BARS = {"vaderSentiment": 2.0, "nltk": 8.0}
OPENINGS = "honestly still so just again today yesterday well ok wow".split()
THINGS = "flight phone app parcel food screen order battery hotel service staff price room update bag".split()
SAYINGS = [
    "is not working :(", "was great!!!", "is late, third time this week", "never arrived", "is the WORST",
    "works fine so far", "is better than expected, but pricey", "made my day \U0001f60d", "could be better",
    "lost my luggage, no answer", "is cheap and cheerful", "isn't bad at all", "was rude to me", "arrived on monday",
]  # fmt: skip


def texts(n: int) -> list[str]:
    """Made-up posts with names and numbers that differ, so that the vocabulary grows as it does in a stream."""
    rng = np.random.default_rng(5)
    a, b, c = (rng.integers(0, len(pool), n) for pool in (OPENINGS, THINGS, SAYINGS))
    more = rng.integers(0, len(SAYINGS), n)
    return [
        f"@user{i % 997} {OPENINGS[a[i]]} the {THINGS[b[i]]} {SAYINGS[c[i]]} and the {THINGS[(b[i] + 3) % 15]} "
        f"{SAYINGS[more[i]]} https://t.example/{i} #{THINGS[b[i]]}{i % 89}"
        for i in range(n)
    ]


def run(engine: str, n: int) -> Row:
    """Seconds for n posts in a fresh process, after one post to load the lexicon."""
    posts = texts(n)
    if engine == "crmcore":
        from crmcore.listening.sentiment import default_model

        model = default_model()
        model.probabilities(["fine"])
        with Meter() as meter:
            model.probabilities(posts)
    elif engine == "nltk":
        read = nltk_vader()
        read("fine")
        with Meter() as meter:
            for post in posts:
                read(post)
    else:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        read = SentimentIntensityAnalyzer().polarity_scores
        read("fine")
        with Meter() as meter:
            for post in posts:
                read(post)
    return {"wall_s": meter.cost.wall_s}


def nltk_vader() -> Callable[[str], object]:
    """Scores of nltk, whose lexicon is looked for on its own path only."""
    import tempfile
    from importlib.util import find_spec

    import nltk
    from nltk.sentiment.vader import SentimentIntensityAnalyzer

    spec = find_spec("vaderSentiment")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    words = Path(spec.submodule_search_locations[0]) / "vader_lexicon.txt"
    home = Path(tempfile.mkdtemp())
    (home / "sentiment").mkdir()
    (home / "sentiment" / "lexicon.txt").write_text(words.read_text(encoding="utf-8"), encoding="utf-8")
    nltk.data.path.append(str(home))
    read: Callable[[str], object] = SentimentIntensityAnalyzer("sentiment/lexicon.txt").polarity_scores
    return read


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="2000,20000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("ENGINE", "N"))
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(given.child[0], int(given.child[1])))
        return
    rows = []
    for n in (int(s) for s in given.sizes.split(",")):
        engines = {name: (name, str(n)) for name in ("crmcore", *BARS)}
        got = in_turns("benchmarks.peers.sentiment", engines, repeats=given.repeats)
        seconds = {name: middle(got[name], "wall_s") for name in engines}
        ours = seconds["crmcore"]
        for peer, bar in BARS.items():
            ratio = seconds[peer] / ours
            rows.append(
                {
                    "peer": peer, "texts": n, "runs": given.repeats, "crmcore texts/s": n / ours,
                    "its texts/s": n / seconds[peer], "ratio": ratio, "bar": bar, "met": ratio >= bar,
                }
            )  # fmt: skip
            say(f"{n:,} texts: {ratio:.1f}x {peer}")
    Table(
        name="peers-sentiment", section="peers", title="Sentiment beside VADER", order=70,
        about="Texts a second on one thread, each in a fresh process, probabilities of three classes against one "
        "compound score.", rows=rows, key=("peer", "texts"),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
