"""Wish lists never show what is private; helpfulness does not depend on the order of readers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from crmcore.idic.customize.opinions import WishList, rank_helpful, rate_products

NOON = datetime(2026, 6, 1, tzinfo=UTC)
items = st.dictionaries(st.sampled_from(["kettle-9", "ring-9", "boat-9", "book-9"]), st.booleans(), max_size=4)


@given(items, st.sampled_from(["public", "shared", "private"]), st.sampled_from(["bo", "eve", None]))
def test_no_viewer_but_the_owner_sees_what_is_private(wanted: dict[str, bool], shown: str, viewer: str | None) -> None:
    mine = WishList(id="w", owner="ann")
    for item, private in wanted.items():
        mine = mine.add(item, at=NOON, private=private, note=f"note on {item}")
    mine = mine.show(shown, to=["bo"] if shown == "shared" else [])
    allowed = shown == "public" or (shown == "shared" and viewer == "bo")
    seen = {w.item for w in mine.seen_by(viewer)}
    assert seen == ({i for i, private in wanted.items() if not private} if allowed else set())
    told = json.dumps([mine.page(viewer), mine._repr_html_(), mine.to_frame(viewer=viewer)], default=str) + repr(mine)
    assert not any(item in told for item, private in wanted.items() if private)
    assert "note on" not in told


Vote = tuple[str, int, bool]
votes = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.booleans()), max_size=40, unique_by=lambda v: v[:2]
)


@given(votes, st.randoms(use_true_random=False))
def test_helpfulness_does_not_depend_on_the_order_of_readers(cast: list[Vote], chance: Random) -> None:
    def ranked(rows: list[Vote]) -> object:
        reviews, readers, said = [r[0] for r in rows], [f"r{r[1]}" for r in rows], [r[2] for r in rows]
        return rank_helpful({"a": "x", "b": "y", "c": "z"}, reviews, readers, said)

    shuffled = list(cast)
    chance.shuffle(shuffled)
    assert ranked(shuffled) == ranked(cast)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 5)), min_size=1, max_size=30))
def test_fair_stars_lie_between_the_own_mean_and_that_of_all(rows: list[tuple[str, int]]) -> None:
    found = rate_products([r[0] for r in rows], [r[1] for r in rows])
    for row in found.rows:
        low, high = sorted([row.stars.value, found.overall])
        assert low - 1e-9 <= row.fair <= high + 1e-9
