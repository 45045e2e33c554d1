"""Laws of words: redaction is final, sums add up, levelling keeps places, permissions are as a plain fold says."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.lifecycle import Permissions
from crmcore.recovery.words import find_private, redact, score_reply
from crmcore.recovery.words.level import level
from crmcore.stores import MemoryStore

DAY = datetime(2026, 6, 1, tzinfo=UTC)
SEPARATORS = st.sampled_from([" ", "-", ".", " - ", ") ", "/", "\u2013", "\u00a0", ""])


@given(st.text(max_size=80))
def test_levelling_keeps_every_place(text: str) -> None:
    assert len(level(text)) == len(text)


@given(st.text(max_size=60))
def test_finds_are_in_order_apart_and_inside(text: str) -> None:
    finds = find_private(text).finds
    assert all(a.end <= b.start for a, b in pairwise(finds))
    assert all(0 <= f.start < f.end for f in finds)


@given(
    st.lists(st.integers(0, 9), min_size=9, max_size=11),
    st.lists(SEPARATORS, min_size=11, max_size=11),
    st.integers(0, 2),
)
def test_a_number_of_nine_digits_passes_in_no_writing(digits: list[int], between: list[str], script: int) -> None:
    zero = ("0", "\u0e50", "\uff10")[script]
    written = "".join(chr(ord(zero) + d) + s for d, s in zip(digits, between, strict=False))
    text = f"please call 0{written.strip()} tonight"
    assert not find_private(text).may_be_public
    assert find_private(redact(text)).may_be_public


@pytest.mark.parametrize("number", ["00 0 0 0) 1-1-00) 0", "0812 - 1999 - 345", "0812.1999.345", "01 20 2020 345"])
def test_a_number_holding_what_could_be_a_date_or_a_year_is_still_a_number(number: str) -> None:
    text = f"please call {number} tonight"
    assert not find_private(text).may_be_public
    assert find_private(redact(text)).may_be_public


@given(
    st.lists(
        st.sampled_from(["I'm so sorry.", "We refund you today.", "Please visit our website.", "A fitter comes at 5."]),
        max_size=6,
    )
)
def test_points_of_the_reasons_are_the_score(sentences: list[str]) -> None:
    score = score_reply(" ".join(sentences))
    if sentences:
        assert math.isclose(score.empathy, math.fsum(r.empathy for r in score.reasons), abs_tol=1e-12)
        assert math.isclose(score.urgency, math.fsum(r.urgency for r in score.reasons), abs_tol=1e-12)


@given(st.lists(st.tuples(st.sampled_from(["grant", "revoke", "ask again", "use"]), st.integers(1, 4)), max_size=12))
def test_a_permission_is_what_a_plain_fold_says(steps: list[tuple[str, int]]) -> None:
    ledger, state, end, at, uses = Permissions(MemoryStore()), "asked", None, DAY, 0
    ledger.ask("p", content="c", author="a", at=at)
    wish = {"channel": "web", "purpose": "x", "parts": ["words"]}
    for i, (step, days) in enumerate(steps):
        at += timedelta(days=1)
        if state == "granted" and end is not None and at >= end:
            state = "expired"
        if step == "grant" and state in ("asked", "granted"):
            end = at + timedelta(days=days)
            ledger.grant("p", scope=["words"], channels=["web"], purposes=["x"], at=at, expires_at=end)
            state = "granted"
        elif step == "revoke" and state in ("asked", "granted"):
            ledger.revoke("p", at=at)
            state = "revoked"
        elif step == "ask again" and state in ("revoked", "expired"):
            ledger.ask_again("p", at=at, reason="anew")
            state, end = "asked", None
        elif step == "use":
            used = ledger.use("p", **wish, place="page", at=at, actor="ann", id=f"u{i}")
            assert used.accepted == (state == "granted")
            uses += state == "granted"
        assert ledger.at("p", at).state == state
        assert (ledger.may_use("p", **wish, at=at) == ()) == (state == "granted")
    assert len(ledger.uses("p")) == uses
