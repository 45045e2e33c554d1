"""Replies on labelled drafts, planted private data and messages in need. Floors may rise, never fall."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality.replies import distress_counts, leaks, pair_counts, pairs
from crmcore.recovery.words import find_private, redact

HERE = Path(__file__).parent
COMPLIMENTS = [
    line.removeprefix("+ ")
    for line in (HERE / "reply_compliments.txt").read_text("utf-8").splitlines()
    if line.startswith("+ ")
]


def test_there_are_a_hundred_pairs_and_more() -> None:
    assert len(pairs("reply_pairs.txt")) >= 100
    assert len(COMPLIMENTS) == 20


@pytest.mark.parametrize("complaint_given", [True, False])
def test_the_better_draft_ranks_higher_on_both_halves(complaint_given: bool) -> None:
    for name, floor in (("reply_pairs.txt", 0.95), ("reply_pairs_hard.txt", 0.7)):
        for half in ("seen", "held out"):
            right, n = pair_counts(name, half, complaint_given=complaint_given)
            assert right / n >= floor, (name, half, right, n)


def test_no_planted_private_data_passes_and_what_is_redacted_is_safe() -> None:
    planted, plain = leaks()
    assert len(planted) >= 50
    missed = [i for i, text in enumerate(planted) if find_private(text).may_be_public]
    assert not missed
    unsafe = [i for i, text in enumerate(planted) if find_private(redact(text))]
    assert not unsafe
    blocked = [text for text in plain if find_private(text)]
    assert len(blocked) <= 0.05 * len(plain), blocked


def test_messages_in_need_meet_a_person_and_ordinary_ones_do_not() -> None:
    heard, needy, refused, calm = distress_counts()
    assert heard >= 0.9 * needy
    assert refused <= 0.2 * calm
