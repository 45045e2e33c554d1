"""The catalogue of touchpoints: look-ups, edits, classes of columns, arrivals, phases, platforms, items."""

from __future__ import annotations

import pytest

from crmcore.errors import BadRows, DuplicateIds, EmptyInput, OutOfRange, UnknownName, WrongType
from crmcore.tables import EventTable, OrderTable
from crmcore.touchpoints.catalogue import (
    ArrivalRule,
    Catalogue,
    Form,
    Media,
    Platform,
    PlatformMatrix,
    SocialItem,
    Touchpoint,
    arrivals,
    phases,
    platform_matrix,
    read_arrival,
    social_item,
    social_items,
    standard,
)
from crmcore.touchpoints.catalogue.arriving import STANDARD_RULES
from crmcore.touchpoints.catalogue.entries import UNLISTED, plain_name
from crmcore.touchpoints.catalogue.items import COMMON_FORMS


def test_names_are_found_whatever_their_case_spaces_and_punctuation() -> None:
    assert standard()["line_oa"] is standard()["LINE  OA"] is standard()["line-official-account"]


def test_a_thai_name_keeps_its_vowel_marks() -> None:
    assert plain_name("รีวิว") != plain_name("รวว")


def test_a_name_of_signs_only_is_still_a_name() -> None:
    assert Catalogue([Touchpoint("!!", "owned", "digital")])["!!"].name == "!!"


def test_every_touchpoint_of_a_standard_rule_stands_in_the_catalogue_with_the_same_media() -> None:
    for rule in STANDARD_RULES:
        entry = standard().get(rule.touchpoint)
        assert entry is not None, rule.touchpoint
        assert entry.media.group == rule.media.group, rule.channel


def test_two_touchpoints_with_one_name_are_refused_by_row() -> None:
    with pytest.raises(BadRows, match="a name that another touchpoint has in 1 row \\[1\\]") as caught:
        Catalogue([Touchpoint("App", "owned", "digital"), Touchpoint("Store", "owned", "physical", also=["a p p"])])
    assert "replace(...)" in str(caught.value)


def test_a_catalogue_is_edited_into_a_new_one() -> None:
    old = standard()
    new = old.replace(Touchpoint("influencer", "paid", "digital")).without("radio")
    assert new["influencer"].media is Media.PAID
    assert "radio" not in new
    assert old["influencer"].media is Media.SHARED
    assert len(new) == len(old) - 1
    with pytest.raises(UnknownName, match="unknown touchpoint 'raddio'"):
        old.without("raddio")


@pytest.mark.parametrize(("field", "value"), [("media", "bought"), ("form", "virtual"), ("phase", "later")])
def test_a_class_that_does_not_exist_is_refused_with_those_that_do(field: str, value: str) -> None:
    with pytest.raises(UnknownName, match=f"unknown {field} '{value}'"):
        Touchpoint(**{"name": "x", "media": "owned", "form": "digital", field: value})


def test_names_as_one_text_are_refused() -> None:
    with pytest.raises(WrongType, match="write also=\\['b'\\]"):
        Touchpoint("a", "owned", "digital", also="b")  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="name"):
        Touchpoint(" ", "owned", "digital")


def test_a_catalogue_survives_json() -> None:
    assert Catalogue.from_dict(standard().to_dict()) == standard()


def test_classes_of_a_column_count_what_is_not_listed() -> None:
    found = standard().classify(["Google Ads", "store", "smoke signal", None, "smoke signal"])
    assert found.media == ["paid", "owned", None, None, None]
    assert found.form == [Form.DIGITAL, Form.PHYSICAL, None, None, None]
    assert found.unlisted == {"smoke signal": 2}
    assert found.counts("group") == {"owned": 1, "paid": 1, UNLISTED: 3}
    assert found.codes("form")[0].tolist() == [1, 0, -1, -1, -1]
    assert repr(found) == "Classified(5 names, 2 not in the catalogue)"
    assert "smoke" not in found._repr_html_()
    with pytest.raises(UnknownName, match="class 'colour'"):
        found.counts("colour")


def test_an_empty_column_has_no_classes() -> None:
    assert standard().classify([]).counts() == {}


def test_classes_go_to_a_frame() -> None:
    frame = standard().classify(["Google Ads", None]).to_frame("polars")
    assert frame["group"].to_list() == ["paid", None]


# --- arrivals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "referrer", "channel"),
    [
        ("https://shop.example/", None, "direct"),
        ("https://shop.example/a", "https://www.shop.example/b", "direct"),
        ("https://shop.example/?gclid=abc", "https://www.google.com/", "paid search"),
        ("/?utm_source=google&utm_medium=cpc", None, "paid search"),
        ("/?utm_source=Facebook&utm_medium=PAID_SOCIAL", None, "paid social"),
        ("/?utm_source=youtube&utm_medium=cpv", None, "paid video"),
        ("/?utm_source=youtube&utm_medium=paid", None, "paid video"),
        ("/?utm_source=amazon&utm_medium=cpc", None, "paid shopping"),
        ("/?utm_source=partner&utm_medium=banner", None, "display"),
        ("/?utm_source=partner&utm_medium=affiliate", None, "affiliates"),
        ("/?utm_source=march&utm_medium=e-mail", None, "e-mail"),
        ("/?utm_source=LINE&utm_medium=message", None, "LINE OA"),
        ("/", "https://l.facebook.com/l.php", "organic social"),
        ("/", "https://m.youtube.com/watch", "organic video"),
        ("/", "https://www.google.co.th/", "organic search"),
        ("/", "https://google.example.org/", "referral"),
        ("/", "https://news.example.org/story", "referral"),
        ("/?utm_source=poster", None, "unassigned"),
        ("http://[broken", "http://[also", "direct"),
    ],
)
def test_visits_come_from_where_their_tags_and_referrers_say(url: str, referrer: str | None, channel: str) -> None:
    assert read_arrival(url, referrer=referrer).channel == channel


def test_own_domains_are_no_referrers() -> None:
    assert read_arrival("/", referrer="https://pay.brand.example/", own_domains=["brand.example"]).channel == "direct"
    with pytest.raises(WrongType, match="own_domains"):
        read_arrival("/", own_domains="brand.example")


def test_own_rules_come_first_and_are_data() -> None:
    fair = ArrivalRule(channel="fair", media="owned", source="poster")  # type: ignore[arg-type]
    found = arrivals(["/?utm_source=Poster", "/"], rules=[fair, *STANDARD_RULES])
    assert found.channel.to_list() == ["fair", "direct"]
    assert ArrivalRule.from_dict(fair.to_dict()) == fair
    with pytest.raises(OutOfRange, match="a regular expression"):
        ArrivalRule(channel="x", media="owned", source="(")  # type: ignore[arg-type]
    with pytest.raises(EmptyInput, match="rules"):
        arrivals(["/"], rules=[])


def test_arrivals_refuse_cells_that_are_no_text_all_at_once() -> None:
    with pytest.raises(BadRows, match="urls: no text in 2 rows \\[0, 2\\]"):
        arrivals([1, "/", 2.0])  # type: ignore[list-item]
    with pytest.raises(OutOfRange, match="referrers"):
        arrivals(["/"], [None, None])


def test_addresses_with_personal_data_leave_no_trace() -> None:
    found = arrivals(["/?utm_source=x&email=zoe@example.org"], ["https://mail.example/zoe@example.org"])
    shown = repr(found) + str(found) + found._repr_html_() + str(found[0])
    assert "zoe" not in shown
    assert found.to_frame("polars").columns == ["channel", "media", "touchpoint", "rule"]


# --- phases --------------------------------------------------------------------------------------------------------


def _tables(
    touches: list[tuple[str | None, str, str]], orders: list[tuple[str, str, float]]
) -> tuple[EventTable, OrderTable]:
    bought = OrderTable.from_frame(
        {"customer": [o[0] for o in orders], "time": [o[1] for o in orders], "amount": [o[2] for o in orders]},
        currency="EUR",
    )
    met = EventTable.from_frame(
        {"customer": [t[0] for t in touches], "touchpoint": [t[1] for t in touches], "time": [t[2] for t in touches]},
        customers=bought.customers.extended([t[0] for t in touches]),
    )
    aligned = OrderTable.from_frame(
        {"customer": [o[0] for o in orders], "time": [o[1] for o in orders], "amount": [o[2] for o in orders]},
        currency="EUR", customers=met.customers,
    )  # fmt: skip
    return met, aligned


def test_between_two_orders_a_touch_is_after_the_first_until_the_days_are_over() -> None:
    met, bought = _tables(
        [
            ("c", "website", "2026-01-20T00:00Z"),
            ("c", "website", "2026-02-20T00:00Z"),
            ("c", "website", "2026-03-01T11:45Z"),
        ],
        [("c", "2026-01-01T00:00Z", 5), ("c", "2026-03-01T12:00Z", 5)],
    )
    assert [p and p.value for p in phases(met, bought)] == ["after", "before", "during"]


def test_a_refund_is_no_purchase_and_an_unknown_visitor_has_no_phase() -> None:
    met, bought = _tables(
        [
            ("c", "website", "2026-01-05T00:00Z"),
            (None, "website", "2026-01-05T00:00Z"),
            (None, "display ad", "2026-01-05T00:00Z"),
        ],
        [("c", "2026-01-01T00:00Z", -5)],
    )
    assert [p and p.value for p in phases(met, bought)] == ["before", None, "before"]


def test_phases_need_one_index_of_customers() -> None:
    met, _ = _tables([("c", "website", "2026-01-05T00:00Z")], [("c", "2026-01-01T00:00Z", 5)])
    other = OrderTable.from_frame({"customer": ["x"], "time": ["2026-01-01T00:00Z"], "amount": [5]}, currency="EUR")
    with pytest.raises(WrongType, match="another index of customers"):
        phases(met, other)
    with pytest.raises(OutOfRange, match="after_days"):
        phases(
            met,
            OrderTable.of([*_tables([], [("c", "2026-01-01T00:00Z", 5)])[1]], customers=met.customers),
            after_days=-1,
        )


# --- platforms and items -------------------------------------------------------------------------------------------


def test_every_purpose_has_a_best_platform_with_a_reason() -> None:
    matrix = platform_matrix()
    for purpose in matrix.purposes:
        ranked = matrix.rank(purpose)
        assert ranked[0].because
        assert all(0 <= choice.fit <= 1 for choice in ranked)
        assert [c.fit for c in ranked] == sorted((c.fit for c in ranked), reverse=True)


def test_platforms_are_ranked_among_those_that_the_brand_has() -> None:
    matrix = platform_matrix()
    assert [c.platform for c in matrix.rank("repeat purchase", among=["TikTok", "e-mail"])] == ["E-mail", "TikTok"]
    with pytest.raises(UnknownName, match="platform 'Friendster'"):
        matrix.rank("service", among=["Friendster"])
    with pytest.raises(UnknownName, match="purpose 'world peace'"):
        matrix.best("world peace")
    with pytest.raises(EmptyInput, match="platforms"):
        matrix.best("service", among=[])


def test_the_matrix_is_edited_and_saved() -> None:
    app = Platform("Our app", {"messages to known customers": 3, "coupons and cards": 3, "one-to-one talk": 3})
    matrix = platform_matrix().with_platform(app)
    assert {c.platform for c in matrix.rank("repeat purchase")[:2]} == {"LINE OA", "Our app"}
    assert PlatformMatrix.from_dict(matrix.to_dict()) == matrix
    assert matrix.with_purpose("talk", {"one-to-one talk": 3}).best("talk").fit == 1


def test_faults_of_a_matrix_name_themselves() -> None:
    with pytest.raises(UnknownName, match="capability 'telepathy'"):
        Platform("x", {"telepathy": 1})
    with pytest.raises(OutOfRange, match="expected 0 to 3"):
        Platform("x", {"short video": 4})
    with pytest.raises(DuplicateIds, match="platforms"):
        PlatformMatrix([Platform("A", {}), Platform("a", {})], {"p": {"short video": 1}})  # type: ignore[arg-type]
    with pytest.raises(BadRows, match="p: telepathy"):
        PlatformMatrix([], {"p": {"telepathy": 1}})  # type: ignore[arg-type]
    with pytest.raises(EmptyInput, match="needs of p"):
        PlatformMatrix([], {"p": {}})  # type: ignore[arg-type]


def test_every_common_form_has_items_and_unknown_kinds_are_kept() -> None:
    assert {item.form.value for item in COMMON_FORMS.values()} == {"electronic", "grass-roots", "print"}
    found = social_items(["meme", None, "hologram"])
    assert [item and item.name for item in found.of_row] == ["meme", None, None]
    assert repr(found) == "SocialItems(3 items, 2 of unknown kind)"
    assert found.to_frame("polars")["form"].to_list() == ["electronic", None, None]
    with pytest.raises(UnknownName, match="kind of item 'poddcast'"):
        social_item("poddcast")


def test_own_items_come_first() -> None:
    own = SocialItem("review", "art", "verbal", "social viral", "grass-roots")  # type: ignore[arg-type]
    assert social_item("Review", more=[own]) is own
    assert SocialItem.from_dict(own.to_dict()) == own
    with pytest.raises(UnknownName, match="concept 'smell'"):
        SocialItem("x", "smell", "verbal", "social viral", "print")  # type: ignore[arg-type]
    with pytest.raises(WrongType, match="a list of SocialItem"):
        social_item("x", more=["y"])  # type: ignore[list-item]
