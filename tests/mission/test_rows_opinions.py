"""Rows of the feature list about reviews and wish lists, through the public API alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from crmcore.errors import CrmError, EmptyInput, UnknownName
from crmcore.idic.customize import opinions
from crmcore.rules import Rule, RuleSet, field
from crmcore.stores import MemoryStore, SqliteStore

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_row_107_a_private_wish_is_never_in_a_public_list() -> None:
    mine = opinions.WishList(id="w1", owner="ann", title="birthday", visibility="public")
    mine = mine.add("kettle", at=NOON).add("ring", at=NOON, private=True, note="do not tell bo")
    for viewer in (None, "bo", "eve"):
        shown = json.dumps([mine.page(viewer), repr(mine), mine._repr_html_(), mine.to_frame(viewer=viewer)["item"]])
        assert "kettle" in shown
        assert "ring" not in shown
        assert "tell" not in shown
    assert [w.item for w in mine.seen_by("ann")] == ["kettle", "ring"]
    with pytest.raises(UnknownName) as raised:
        mine.buy("ring", by="bo")  # reads like a wish that is not there
    assert "'kettle'" in str(raised.value)
    assert opinions.watched([mine]) == (("ann", "kettle"), ("ann", "ring"))


def test_row_107_lists_are_private_until_they_are_shown_and_may_be_shown_to_some() -> None:
    mine = opinions.WishList(id="w1", owner="ann", title="wedding").add("kettle", at=NOON)
    assert mine.page("bo") == {"id": "w1", "title": "", "wishes": []}
    shared = mine.show("shared", to=["bo"])
    assert [bool(shared.seen_by(who)) for who in ("bo", "eve", None)] == [True, False, False]
    bought = shared.buy("kettle", by="bo")
    assert bought.seen_by("ann")[0].open == 0
    with pytest.raises(CrmError, match="still wanted"):
        bought.buy("kettle", by="bo")
    assert opinions.WishList.from_dict(json.loads(json.dumps(bought.to_dict()))) == bought
    assert mine.hide("kettle").show("public").seen_by("bo") == ()


def test_row_108_ninety_of_120_stand_above_nine_of_ten_and_authors_do_not_vote_for_themselves() -> None:
    votes = [("long", f"a{i}", i < 90) for i in range(120)] + [("short", f"b{i}", i < 9) for i in range(10)]
    votes += [("short", "bo", True)] * 50  # the author of it
    reviews, readers, said = (list(column) for column in zip(*votes, strict=True))
    found = opinions.rank_helpful({"long": "ann", "short": "bo", "new": "cho"}, reviews, readers, said)
    assert found.order == ("long", "short", "new")
    assert (found[1].helpful, found[1].votes, found.own) == (9, 10, 50)
    assert found[0].share is not None
    assert (round(found[0].share.low, 3), round(found[1].lower, 3), found[2].share) == (0.666, 0.596, None)


def test_row_108_one_reader_has_one_vote_and_the_last_counts() -> None:
    found = opinions.rank_helpful({"r": "ann"}, ["r", "r", "r", "gone"], ["bo", "bo", "cho", "bo"], [1, 0, 1, 1])
    assert (found[0].helpful, found[0].votes, found.repeated, found.unknown) == (1, 2, 1, 1)
    assert "dropped: 1 replaced" in str(found)


def test_row_108_one_five_star_review_is_not_the_best_product() -> None:
    names = ["new"] + ["known"] * 200
    found = opinions.rate_products(names + ["bad"] * 20, [5] + [5, 5, 5, 4] * 50 + [1] * 20)
    assert [row.product for row in found.rows] == ["known", "new", "bad"]
    assert sum(found[0].counts) == 200


def test_row_109_a_review_goes_from_draft_to_published_and_a_refusal_keeps_its_reason(tmp_path: object) -> None:
    policy = RuleSet(
        "courses", [Rule("an insult", field("insults") > 0), Rule("nobody bought", ~field("bought").is_true())]
    )
    with SqliteStore(f"{tmp_path}/reviews.db") as store:
        desk = opinions.ReviewDesk(store, policy)
        desk.write(opinions.Review(id="r1", product="course 7", author="ann", stars=1, text="Bad."), at=NOON)
        assert desk.published() == ()
        submitted = desk.submit("r1", at=NOON + HOUR, facts={"insults": 2})
        told = str(submitted.data["concerns"])
        assert "an insult: insults is more than 0 (2)" in told
        assert "nobody bought: bought" in told  # nobody knows, which is a concern too
        assert desk.waiting() == ("r1",)
        with pytest.raises(CrmError, match="somebody else"):
            desk.publish("r1", moderator="ann", at=NOON + 2 * HOUR)
        with pytest.raises(EmptyInput):
            desk.refuse("r1", moderator="mo", reason=" ", at=NOON + 2 * HOUR)
        desk.refuse("r1", moderator="mo", reason="say what was bad", at=NOON + 2 * HOUR)
    with SqliteStore(f"{tmp_path}/reviews.db") as store:  # another day
        desk = opinions.ReviewDesk(store, policy)
        assert (desk.state("r1"), desk.refusals("r1")) == ("refused", ("say what was bad",))
        desk.edit("r1", text="The second hour repeats the first.", stars=2, at=NOON + 3 * HOUR)
        desk.submit("r1", at=NOON + 4 * HOUR, facts={"insults": 0, "bought": True})
        desk.publish("r1", moderator="mo", at=NOON + 5 * HOUR)
        [shown] = desk.published("course 7")
        assert (shown.stars, shown.text) == (2, "The second hour repeats the first.")
        assert "ann" not in repr(shown)
        assert "second hour" not in repr(shown)
        with pytest.raises(CrmError, match="withdraw"):
            desk.submit("r1", at=NOON + 6 * HOUR)
        assert desk.withdraw("r1", at=NOON + 7 * HOUR).state == "withdrawn"
        assert desk.published() == ()


def test_row_109_an_unknown_review_is_named() -> None:
    with pytest.raises(UnknownName):
        opinions.ReviewDesk(MemoryStore()).publish("r9", moderator="mo", at=NOON)
