"""Rows 99 to 104 as far as they are mass customization, through the public names, and what a user tries next."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise, permutations

import pytest

from crmcore.errors import BadDocument, ConflictingConstraints, CurrencyMismatch, EmptyInput, UnknownName
from crmcore.idic.customize.configuring import (
    Adaptation,
    Choice,
    Customisation,
    Flag,
    LineOrder,
    NotOnOffer,
    NotPossible,
    Option,
    ProductModel,
    Range,
    bundle,
    configure,
    must,
    plan_line,
    recipe,
    requires,
)
from crmcore.rules import field
from crmcore.values import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def euro(amount: int) -> Money:
    return Money.of(amount, "EUR")


@pytest.fixture(scope="module")
def car() -> ProductModel:
    return ProductModel(
        "car",
        [
            Choice("trim", ["base", Option("sport", euro(2000)), Option("lux", euro(5000))]),
            Choice("seat", ["cloth", Option("leather", euro(1500), lead_days=20)]),
            Choice("colour", ["white", Option("red", euro(400), lead_days=5)]),
            Flag("heating", euro(300)),
        ],
        rules=[
            requires(
                "leather needs sport or lux", field("seat") == "leather", then=field("trim").isin(["sport", "lux"])
            ),
            requires("heated seats are leather", field("heating").is_true(), then=field("seat") == "leather"),
        ],
        prices=[bundle("winter", field("heating").is_true(), field("trim") == "lux", saves=euro(200))],
        base_price=euro(20_000),
        work_days=10,
    )


def test_row_099_three_levels_each_switchable(car: ProductModel) -> None:
    levels = Customisation(
        product=configure(car),
        services=["home delivery"],
        layouts=["plain", "large type"],
        adaptations=[
            Adaptation("loves comfort", "product", field("comfort") >= 4, {"seat": "leather"}),
            Adaptation("lives far", "service", field("distance_km") > 50, "home delivery"),
            Adaptation("reads large", "presentation", field("age") >= 65, "large type"),
        ],
    )
    customer = {"comfort": 5, "distance_km": 80, "age": 70}
    full = levels.offer(customer, now=NOW)
    assert full.configuration.domains["seat"] == ("leather",)
    assert (full.services, full.layout) == (("home delivery",), "large type")
    assert [str(r.level) for r in full.reasons] == ["product", "service", "presentation"]
    assert "because loves comfort" in str(full.reasons[0])
    for off in ("product", "service", "presentation"):
        on = {"product", "service", "presentation"} - {off}
        part = levels.offer(customer, now=NOW, switched_on=sorted(on))
        assert (part.configuration.choices == ()) == (off == "product")
        assert (part.services == ()) == (off == "service")
        assert (part.layout == "plain") == (off == "presentation")


def test_row_099_an_adaptation_that_the_rules_forbid_is_left_out_with_its_reason(car: ProductModel) -> None:
    levels = Customisation(
        product=configure(car).choose(trim="base"),
        layouts=["plain"],
        adaptations=[Adaptation("loves comfort", "product", field("comfort") >= 4, {"seat": "leather"})],
    )
    offer = levels.offer({"comfort": 5}, now=NOW)
    assert offer.configuration.domains["seat"] == ("cloth",)
    assert str(offer.reasons[0]) == "product: not seat = leather, it contradicts leather needs sport or lux"


def test_row_100_leather_and_base_is_an_explained_conflict_with_a_minimal_repair(car: ProductModel) -> None:
    base = configure(car).choose(trim="base", colour="red")
    assert base.domains["seat"] == ("cloth",)
    assert base.implied == {"seat": "cloth", "heating": False}
    with pytest.raises(NotPossible) as caught:
        base.choose(seat="leather")
    conflict = caught.value.conflict
    assert conflict.choices == ("trim = base", "seat = leather")
    assert [r.split(":")[0] for r in conflict.rules] == ["leather needs sport or lux"]
    assert str(conflict.repairs[0]) == "trim: sport instead of base (from 23900.00 EUR)"
    assert "hint: choose trim: sport instead of base" in str(caught.value)
    repaired = base.apply(conflict.repairs[0], seat="leather")
    assert repaired.domains["colour"] == ("red",)
    assert pickle.loads(pickle.dumps(caught.value)).conflict == conflict


def test_row_100_the_chain_of_reasons_leads_from_choice_to_consequence(car: ProductModel) -> None:
    steps = configure(car).choose(trim="base").why("heating")
    assert [step.rule.split(":")[0] for step in steps] == ["", "leather needs sport or lux", "heated seats are leather"]
    assert str(steps[0]) == "you chose trim = base"


def test_row_100_prices_and_lead_times_of_what_is_left(car: ProductModel) -> None:
    c = configure(car)
    assert c.price_range == (euro(20_000), euro(20_000 + 5000 + 1500 + 400 + 300 - 200))
    assert c.lead_days == (10, 30)
    warm = c.choose(heating="yes")
    assert str(warm.cheapest()) == "trim sport, seat leather, colour white, heating yes, 23800.00 EUR, 30 days"
    assert c.variants == 2 * (3 + 2 + 2)
    best = c.best({"trim": {"lux": 3.0}, "heating": 1.0}, budget=euro(26_700))
    assert (best.price, best.score) == (euro(26_600), 4.0)
    assert [line.what for line in best.lines] == ["car", "trim lux", "seat leather", "heating yes", "winter"]
    with pytest.raises(CurrencyMismatch):
        c.best({}, budget=Money(1, "THB"))
    with pytest.raises(EmptyInput, match=r"the cheapest costs 20000\.00 EUR"):
        c.best({}, budget=euro(19_999))


def test_row_100_important_choices_change_last_and_then_the_cheaper_first() -> None:
    model = ProductModel(
        "desk",
        [
            Choice("top", [Option("oak", euro(90)), Option("ply", euro(20))]),
            Choice("frame", [Option("steel", euro(50)), Option("pine", euro(30))]),
            Flag("drawers", euro(40)),
        ],
        rules=[must("bears it", ~((field("top") == "oak") & (field("frame") == "pine") & field("drawers").is_true()))],
    )
    oak = configure(model).choose(top="oak", importance=3).choose(frame="pine")
    conflict = oak.conflict(drawers=True)
    assert conflict is not None
    assert [str(r) for r in conflict.repairs] == [
        "frame: steel instead of pine (from 180.00 EUR)",
        "top: ply instead of oak (from 90.00 EUR)",
    ]
    alike = configure(model).choose(top="oak", frame="pine").conflict(drawers=True)
    assert alike is not None
    assert [r.changes[0].attribute for r in alike.repairs] == ["top", "frame"]


def test_row_100_contradictory_rules_are_named_at_load() -> None:
    with pytest.raises(ConflictingConstraints) as caught:
        ProductModel(
            "lamp",
            [Choice("shade", ["paper", "glass"]), Flag("dimmer")],
            rules=[
                must("always glass", field("shade") == "glass"),
                must("has a dimmer", field("dimmer").is_true()),
                requires("dimmers burn glass", field("dimmer").is_true(), then=field("shade") == "paper"),
                must("says nothing", field("shade").isin(["paper", "glass"])),
            ],
        )
    assert caught.value.items == ("'always glass'", "'has a dimmer'", "'dimmers burn glass'")


def test_row_100_unknown_names_are_reported_all_at_once() -> None:
    with pytest.raises(BadDocument) as caught:
        ProductModel(
            "lamp",
            [Choice("shade", ["paper", "glass"])],
            rules=[must("a", field("shadow") == "glass"), must("b", field("shade") == "glas")],
            base_price=euro(5),
            prices=[bundle("x", field("shade") == "glass", field("shade") == "silk", saves=Money(1, "THB"))],
        )
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    assert "shadow" in text
    assert "'glass'" in text
    assert "THB" in text


def test_row_101_a_wall_of_205_takes_205_and_207_is_refused_with_the_nearest() -> None:
    shelf = ProductModel("shelf", [Range("width", "0.60", "2.40", step="0.05", unit="m", price_per_unit=euro(80))])
    c = configure(shelf).limit("width", at_most="2.05")
    assert max(c.domains["width"]) == Decimal("2.05")
    assert c.choose(width="2.05").price_range == (euro(164), euro(164))
    with pytest.raises(NotOnOffer, match=r"the nearest on offer is 2\.05") as caught:
        c.choose(width="2.07")
    assert caught.value.nearest == "2.05"
    assert max(configure(shelf).limit("width", at_most="2.07").domains["width"]) == Decimal("2.05")


def test_row_101_parts_that_share_a_wall_fit_exactly() -> None:
    left, right = (Range(n, "0.1", "1.0", step="0.1", unit="m") for n in ("left", "right"))
    wall = ProductModel("cupboards", [left, right], rules=[must("wall", field("left") + field("right") <= 0.3)])
    c = configure(wall).choose(left="0.1")
    assert c.domains["right"] == (Decimal("0.1"), Decimal("0.2"))  # 0.1 + 0.2 is 0.3 here
    conflict = c.conflict(right="0.8")
    assert conflict is not None
    assert [str(r) for r in conflict.repairs] == ["right: 0.2 m instead of 0.8 m"]


def bowl() -> ProductModel:
    return ProductModel(
        "bowl",
        [
            Choice("base", [Option("rice", contains=[], tastes={"mild": 1}), Option("noodles", contains=["gluten"])]),
            Choice(
                "sauce",
                [
                    Option("satay", contains=["nuts"], tastes={"rich": 9}),
                    Option("pesto", contains=["nuts", "milk"], tastes={"rich": 5, "fresh": 1}),
                    Option("lime", contains=[], tastes={"fresh": 1}),
                    Option("house", tastes={"rich": 4}),
                ],
            ),
        ],
    )


def test_row_102_a_nut_allergy_removes_all_nuts_whatever_the_score() -> None:
    wanted = {"rich": 100.0}
    assert recipe(configure(bowl()), wanted).product.values["sauce"] == "satay"
    safe = recipe(configure(bowl()), wanted, allergens=["nuts"])
    assert safe.product.values["sauce"] == "lime"  # nobody declared what the house sauce contains
    assert [o.option for o in safe.left_out] == ["sauce = satay", "sauce = pesto", "sauce = house"]
    assert safe.left_out[2].reason == "nobody declared what it contains"
    assert safe.tastes == {"mild": 1, "fresh": 1}


def test_row_102_an_allergen_nobody_declares_is_refused_and_a_chosen_one_too() -> None:
    with pytest.raises(UnknownName, match="did you mean 'nuts'"):
        recipe(configure(bowl()), {"rich": 1.0}, allergens=["nut"])
    with pytest.raises(NotPossible, match="contains nuts"):
        recipe(configure(bowl()).choose(sauce="satay"), {"rich": 1.0}, allergens=["nuts"])


def test_row_102_a_refusal_never_proposes_what_the_allergy_forbids() -> None:
    model = ProductModel(
        "cake",
        [
            Choice("base", [Option("oat", contains=["gluten"]), Option("rice", contains=[])]),
            Choice("top", [Option("almond", contains=["nuts"]), Option("apple", contains=[])]),
            Choice("size", [Option("small", contains=[]), Option("large", contains=[])]),
        ],
        rules=[
            must("holds together", (field("base") == "oat") | (field("top") == "almond")),
            must("large cakes are almond", (field("size") == "small") | (field("top") == "almond")),
        ],
    )
    with pytest.raises(NotPossible) as caught:
        recipe(configure(model), {}, allergens=["gluten", "nuts"])
    assert caught.value.conflict.repairs == ()
    with pytest.raises(NotPossible) as caught:
        recipe(configure(model).choose(size="large"), {}, allergens=["nuts"])
    assert [str(r) for r in caught.value.conflict.repairs] == ["size: small instead of large"]
    assert recipe(configure(model), {}, allergens=["nuts"]).product.values["top"] == "apple"


def test_row_102_quantities_of_an_allergen_stay_at_zero_and_undeclared_ones_too() -> None:
    grams = [
        Range("peanuts", 0, 30, step=10, unit="g", contains=["nuts"]),
        Range("spice", 0, 2),
        Range("salt", 0, 5, contains=[]),
    ]
    made = recipe(configure(ProductModel("mix", grams)), {}, allergens=["nuts"])
    assert (made.product.values["peanuts"], made.product.values["spice"]) == ("0 g", "0")
    assert {o.option.split(" = ")[0] for o in made.left_out} == {"peanuts", "spice"}
    with pytest.raises(NotPossible, match="contains nuts"):
        recipe(configure(ProductModel("mix", grams)).choose(peanuts=10), {}, allergens=["nuts"])


def test_row_103_ten_orders_on_one_line_equal_brute_force() -> None:
    variants = ["red s", "blue s", "red m", "blue m"]
    orders = [
        LineOrder(f"o{i}", dict(zip(("colour", "size"), variants[i % 4].split(), strict=True)), 1.0) for i in range(10)
    ]
    plan = plan_line(orders, setup_hours={"colour": 2.0, "size": 0.5})
    best = min(
        sum(2.0 * (a.split()[0] != b.split()[0]) + 0.5 * (a.split()[1] != b.split()[1]) for a, b in pairwise(p))
        for p in permutations(variants)
    )
    assert plan.exact
    assert len(plan.batches) == 4
    assert plan.setup_hours == best == 3.0
    assert sorted(i for b in plan.batches for i in b.order_ids) == sorted(o.order_id for o in orders)


def test_row_103_a_promise_breaks_a_batch_where_it_must() -> None:
    def orders(due: float | None) -> list[LineOrder]:
        return [
            LineOrder("a", {"colour": "red"}, 4.0),
            LineOrder("b", {"colour": "red"}, 4.0, 4.0),
            LineOrder("c", {"colour": "blue"}, 1.0, due),
        ]

    assert len(plan_line(orders(None), setup_hours={"colour": 1.0}).batches) == 2
    hurried = plan_line(orders(6.0), setup_hours={"colour": 1.0})
    assert (hurried.late, len(hurried.batches)) == ((), 3)
    torn = plan_line(orders(3.0), setup_hours={"colour": 1.0})  # b and c cannot both be kept: the least set-up decides
    assert (len(torn.late), len(torn.batches)) == (1, 2)


def test_row_104_the_preferred_product_within_the_rules(car: ProductModel) -> None:
    liked = configure(car).choose(trim="base").best({"seat": {"leather": 9.0}, "colour": {"red": 1.0}})
    assert (liked.values["seat"], liked.values["colour"], liked.score) == ("cloth", "red", 1.0)
