"""Search of answers: `python -m benchmarks.speed.faq [--sizes 10000,30000,100000]`: milliseconds of one question.

Entries are made up: words follow a Zipf-Mandelbrot law, English function words first, so that a title has words that
stand in every entry and words that stand in one. Questions are new: short as a title, or long as a post.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import RESULTS, Meter, Row, Table, answer, in_turns, middle, say
from crmcore.text.nearness import FUNCTION_WORDS
from crmcore.text.pruning import best_of

BAR_MS = 5.0  # one question, 100,000 entries
WORDS, ASKED, ROUNDS, SEED = 60_000, 400, 3, 0
LENGTHS = {"title": (4, 12), "question": (15, 60), "accepted": (20, 80), "answers": (0, 60)}
KINDS = {"a title of 4-12 words": (4, 12), "a post of 30-60 words": (30, 60)}


class Talk:
    """Texts of made-up words."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        plain = [a + b + c for a in "b d f g k l m n p r s t v st pr".split() for b in "aeiou" for c in ("", "n", "r")]
        parts = self.rng.choice(plain, (4 * WORDS, 3))
        parts[self.rng.random(parts.shape) < [0.0, 0.3, 0.5]] = ""
        ends = self.rng.choice(["", "", "", "s", "ing", "ed"], len(parts))
        made = dict.fromkeys(["".join(row) + end for row, end in zip(parts.tolist(), ends.tolist(), strict=True)])
        known = self.rng.permutation(sorted(FUNCTION_WORDS))[:120].tolist()
        self.words = np.array([*known, *[w for w in made if w not in FUNCTION_WORDS]][:WORDS], object)
        weight = 1 / (np.arange(len(self.words)) + 2.7) ** 1.07
        self.up_to = np.cumsum(weight / weight.sum())

    def texts(self, n: int, length: tuple[int, int]) -> list[str]:
        """Make n texts."""
        lengths = self.rng.integers(length[0], length[1] + 1, n)
        words = self.words[np.searchsorted(self.up_to, self.rng.random(int(lengths.sum())))].tolist()
        ends = np.cumsum(lengths).tolist()
        return [" ".join(words[a:b]) for a, b in zip([0, *ends], ends, strict=False)]


def _ms(search: Callable[[str], object], question: str) -> tuple[float, float]:
    """Wall and CPU milliseconds of one question."""
    start, begun = time.perf_counter(), time.process_time()
    search(question)
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - begun)


def run(n: int) -> Row:
    """Times of questions, and what the index took."""
    from crmcore.idic.interact.communities import AnswerSearch, Entry

    talk = Talk(SEED)
    fields: dict[str, Any] = {name: talk.texts(n, length) for name, length in LENGTHS.items()}
    fields["accepted"] = [text if i % 3 else "" for i, text in enumerate(fields["accepted"])]
    rows = zip(*fields.values(), strict=True)
    entries = [Entry(id=f"e{i:07}", **dict(zip(fields, row, strict=True))) for i, row in enumerate(rows)]
    with Meter() as meter:
        search = AnswerSearch.of(entries)
    index = search.index
    arrays = (index.weights.data, index.weights.indices, index.weights.indptr, index.pairs)
    made: Row = {
        "wall_s": meter.cost.wall_s, "cpu_s": meter.cost.cpu_s, "peak_mb": meter.cost.peak_mb - meter.cost.base_mb,
        "index_mb": sum(a.nbytes for a in arrays) / 1e6,
    }  # fmt: skip
    for kind, length in KINDS.items():
        questions = talk.texts(ASKED, length)
        times = np.array([[_ms(search.search, question) for question in questions] for _ in range(ROUNDS)])
        for place, name in enumerate(("wall", "cpu")):
            made |= {f"{kind} {name} p{p}": float(np.percentile(times[..., place].min(axis=0), p)) for p in (50, 95)}
        codes = [index.codes(question) for question in questions[:40]]
        made[f"{kind} exact"] = all(index.top(c, 10)[0].tolist() == best_of(index.score(c), 10).tolist() for c in codes)
    return made


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure the sizes and store the rows in `folder`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,30000,100000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", metavar="N")
    given = parser.parse_args(arguments)
    if given.child:
        answer(run(int(given.child)))
        return
    sizes = [int(s) for s in given.sizes.split(",")]
    runs = in_turns("benchmarks.speed.faq", {f"{n:,} entries": (str(n),) for n in sizes}, repeats=given.repeats)
    rows = [
        {
            "entries": n, "asked": kind, "p50 ms": middle(got, f"{kind} wall p50"),
            "p95 ms": middle(got, f"{kind} wall p95"), "p95 CPU ms": middle(got, f"{kind} cpu p95"), "bar ms": BAR_MS,
            "met": middle(got, f"{kind} wall p95") <= BAR_MS,
            "as scoring all": all(r[f"{kind} exact"] for r in got), "build s": middle(got, "wall_s"),
            "build CPU s": middle(got, "cpu_s"), "index MB": middle(got, "index_mb"),
            "peak GB": middle(got, "peak_mb") / 1000, "runs": len(got),
        }
        for n, got in zip(sizes, runs.values(), strict=True) for kind in KINDS
    ]  # fmt: skip
    Table(
        name="speed-faq", section="speed", title="Search of answers: one question", order=47,
        about=f"`AnswerSearch.search` for the first ten, {ASKED} questions one after the other in one thread, over "
        "made-up entries of about 120 words with a natural vocabulary. All are asked "
        f"{ROUNDS} times, and the fastest of each counts: what else a shared machine does in between is no time of the "
        "search. The bar is that of 100,000 entries. `index MB` is what the index holds beside the entries, `peak GB` "
        "what building it took at most. `as scoring all`: the same entries come first as when none is left out.",
        rows=rows, key=("entries", "asked"),
    ).save(folder)  # fmt: skip
    say("; ".join(f"{r['entries']:,}, {r['asked']}: p95 {r['p95 ms']:.2f} ms" for r in rows))


if __name__ == "__main__":
    main()
