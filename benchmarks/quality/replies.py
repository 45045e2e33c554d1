"""Drafts of replies: pairs ranked, private data found, messages in need heard: `python -m benchmarks.quality.replies`.

The labelled texts lie in `tests/quality`, written for this project. Pairs are split by a hash of their text; rules were
made on the half called "seen" alone. Of planted data and messages the part called "held out" was written after the
rules. All are by the hand that wrote the rules, so a stranger's texts will score lower.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import RESULTS, Row, Table, say

TEXTS = Path(__file__).parents[2] / "tests" / "quality"
HALVES = ("seen", "held out")


def pairs(name: str) -> list[tuple[str, str, str]]:
    """Complaint, better draft, worse draft."""
    found, complaint, better = [], "", ""
    for line in (TEXTS / name).read_text("utf-8").splitlines():
        mark, text = line[:2], line[2:]
        if mark == "@ ":
            complaint = text
        elif mark == "+ ":
            better = text
        elif mark == "- ":
            found.append((complaint, better, text))
    return found


def half_of(complaint: str, better: str) -> str:
    """Half of a pair, by a hash of its text."""
    return HALVES[hashlib.sha256((complaint + better).encode()).digest()[0] % 2]


def pair_counts(name: str, half: str, *, complaint_given: bool = True) -> tuple[int, int]:
    """How many pairs of a half are ranked right, of how many."""
    from crmcore.recovery.words import score_reply

    right = n = 0
    for complaint, better, worse in pairs(name):
        if half_of(complaint, better) == half:
            said = complaint if complaint_given else None
            right += score_reply(better, complaint=said).total > score_reply(worse, complaint=said).total
            n += 1
    return right, n


def length_counts(name: str, half: str) -> tuple[int, int]:
    """The same for a rule of thumb: the draft with more of "sorry" and "today" and fewer words is better."""

    def worth(text: str) -> float:
        words = text.casefold().split()
        return sum(w.startswith(("sorry", "today", "apolog")) for w in words) - len(words) / 100

    chosen = [(b, w) for c, b, w in pairs(name) if half_of(c, b) == half]
    return sum(worth(b) > worth(w) for b, w in chosen), len(chosen)


def marked(name: str, marks: Sequence[str]) -> list[str]:
    """Lines that begin with one of some marks."""
    lines = (line.partition(" ") for line in (TEXTS / name).read_text("utf-8").splitlines())
    return [text for mark, _, text in lines if mark in marks]


def leaks(which: Sequence[str] = HALVES) -> tuple[list[str], list[str]]:
    """Drafts with planted private data, and ordinary ones."""
    size = [1 + (half == "held out") for half in which]
    return marked("reply_leaks.txt", ["!" * k for k in size]), marked("reply_leaks.txt", ["=" * k for k in size])


def distress_counts(which: Sequence[str] = HALVES) -> tuple[int, int, int, int]:
    """Messages in need that meet a person, of how many; ordinary ones that do too, of how many."""
    from crmcore.recovery.words import read_distress

    size = [1 + (half == "held out") for half in which]
    needy = marked("reply_messages.txt", ["!" * k for k in size])
    calm = marked("reply_messages.txt", ["=" * k for k in size])
    heard, refused = (sum(read_distress(t).needs_a_person for t in texts) for texts in (needy, calm))
    return heard, len(needy), refused, len(calm)


def measured(half: str) -> list[Row]:
    """Every number of one half."""
    from crmcore.metrics import proportion
    from crmcore.recovery.words import find_private

    def row(what: str, hits: int, n: int, bar: str) -> Row:
        share = proportion(hits, n)
        return {
            "what": what,
            "texts": half,
            "share": share.value,
            "low": share.low,
            "high": share.high,
            "n": n,
            "bar": bar,
        }

    planted, plain = leaks([half])
    heard, needy, refused, calm = distress_counts([half])
    return [
        row("better draft first", *pair_counts("reply_pairs.txt", half), "0.85"),
        row(
            "better draft first, complaint not given",
            *pair_counts("reply_pairs.txt", half, complaint_given=False),
            "0.85",
        ),
        row("better draft first, hard pairs", *pair_counts("reply_pairs_hard.txt", half), "-"),
        row("rule of thumb (sorry, today, short)", *length_counts("reply_pairs.txt", half), "-"),
        row("rule of thumb, hard pairs", *length_counts("reply_pairs_hard.txt", half), "-"),
        row("planted private data found", sum(bool(find_private(t)) for t in planted), len(planted), "1"),
        row("ordinary public drafts blocked", sum(bool(find_private(t)) for t in plain), len(plain), "at most 0.05"),
        row("messages in need meet a person", heard, needy, "-"),
        row("ordinary messages meet a person", refused, calm, "-"),
    ]


def main(arguments: Sequence[str] | None = None, folder: Path = RESULTS) -> None:
    """Measure both halves and store the rows in `folder`."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    found = [row for half in HALVES for row in measured(half)]
    for r in found:
        say(f"{r['what']} ({r['texts']}): {r['share']:.3f} of {r['n']}, bar {r['bar']}")
    Table(
        name="quality-replies", section="quality", title="Drafts of replies", order=94,
        about="Labelled drafts, planted private data and messages in need, all written for this project by the hand "
        "that wrote the rules; 'held out' played no part in making them. 95 % intervals.",
        rows=found, key=("what", "texts"),
    ).save(folder)  # fmt: skip


if __name__ == "__main__":
    main()
