"""Parts of the configurator: texts, bad input, the search, documents."""

from __future__ import annotations

import json
import pickle
import sys
from decimal import Decimal

import pytest

from crmcore.errors import (
    BadDocument,
    DuplicateIds,
    EmptyInput,
    MissingExtra,
    OutOfRange,
    UnknownName,
    WrongType,
)
from crmcore.idic.customize.configuring import (
    Adaptation,
    Choice,
    Configuration,
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
    excludes,
    implies,
    lint,
    must,
    plan_line,
    recipe,
    requires,
    surcharge,
    table,
)
from crmcore.idic.customize.configuring.search import Problem, Search
from crmcore.rules import field, now
from crmcore.values import Money


def lamp(**more: object) -> ProductModel:
    made = {"rules": [excludes("no wet paper", field("shade") == "paper", field("room") == "bath")], **more}
    return ProductModel(
        "lamp", [Choice("shade", ["paper", "glass"]), Choice("room", ["hall", "bath"])], **made  # type: ignore[arg-type]
    )  # fmt: skip


# --- attributes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Choice("x", []), EmptyInput, "options of 'x'"),
        (lambda: Choice("x", ["a", "a"]), OutOfRange, "each name once"),
        (lambda: Choice("x", ["none"], optional=True), OutOfRange, "'none' is there"),
        (lambda: Choice("x", "abc"), WrongType, "a list of options"),
        (lambda: Choice(" x", ["a"]), WrongType, "without blanks"),
        (lambda: Option("a", 5), WrongType, "Money or None"),
        (lambda: Option("a", lead_days=float("nan")), OutOfRange, "lead_days"),
        (lambda: Option("a", contains="nuts"), WrongType, "allergens"),
        (lambda: Option("a", tastes={"hot": float("inf")}), OutOfRange, "finite"),
        (lambda: Range("x", 0, 1, step=0), OutOfRange, "above 0"),
        (lambda: Range("x", 2, 1), OutOfRange, "2 or more"),
        (lambda: Range("x", 0, 10**9), OutOfRange, "at most 2000"),
        (lambda: Range("x", "nan", 1), OutOfRange, "finite"),
        (lambda: Range("x", "wide", 1), WrongType, "a number"),
        (lambda: excludes("r", field("a") == "b"), OutOfRange, "2 or more conditions"),
        (lambda: table("t", ["a", "b"], rows=[["x"]]), OutOfRange, "one cell a column"),
        (lambda: table("t", ["a", "a"], rows=[["x", "y"]]), OutOfRange, "each once"),
        (lambda: table("t", ["a"], rows=[]), EmptyInput, "at least one row"),
        (lambda: table("t", {"a": ["x"], "b": ["y", "z"]}), OutOfRange, "one length"),
        (lambda: bundle("b", field("a") == "b", saves=Money(1, "EUR")), OutOfRange, "surcharge"),
        (lambda: ProductModel("m", []), EmptyInput, "at least one thing"),
    ],
)
def test_wrong_parts_are_refused_with_the_way_out(make, error, said) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=said):
        make()


def test_a_range_is_exact_and_reads_its_own_labels() -> None:
    width = Range("width", "0.1", "0.5", step="0.1", unit="m", price_per_unit=Money(1005, "EUR"))
    assert width.values[2] == Decimal("0.3")
    assert width.position("0.3 m") == width.position(0.3) == width.position(Decimal("0.30")) == 2
    assert [p.price.amount_minor for p in width.parts if p.price] == [100, 201, 302, 402, 502]
    with pytest.raises(NotOnOffer) as caught:
        width.position(7)
    assert caught.value.nearest == "0.5"
    with pytest.raises(WrongType):
        width.position(True)


def test_a_flag_reads_yes_and_no() -> None:
    assert [Flag("x").position(v) for v in (False, "no", True, "yes")] == [0, 0, 1, 1]
    with pytest.raises(UnknownName, match="answer for x"):
        Flag("x").position("maybe")


# --- rules ---------------------------------------------------------------------------------------------------------


def test_rules_read_as_sentences() -> None:
    a, b = field("a") == "x", field("b") == "y"
    assert str(implies("r", a, then=b, because="it fits")) == 'r: a is "x" implies b is "y" (it fits)'
    assert str(must("m", a)) == 'm: a is "x"'
    assert str(table("t", {"a": ["x"]}, allowed=False)) == "t: a is none of 1 combinations"
    assert str(surcharge("s", a, price=Money(5, "EUR"))) == 's: 0.05 EUR when a is "x"'


def test_of_three_exclusive_things_any_two_are_too_many() -> None:
    flags = [Flag(n) for n in "abc"]
    rule = excludes("one", *(field(n).is_true() for n in "abc"))
    assert configure(ProductModel("m", flags, rules=[rule])).variants == 4


def test_a_rule_about_events_or_the_clock_is_refused() -> None:
    from crmcore.rules import count

    with pytest.raises(BadDocument):
        lamp(rules=[must("r", count("order", within_days=3) >= 1)])
    with pytest.raises(BadDocument):
        lamp(rules=[must("r", field("shade") < now())])


def test_a_rule_of_too_many_combinations_says_so() -> None:
    wide = [Range(n, 0, 400) for n in "abc"]
    with pytest.raises(OutOfRange, match="combinations of rule 'sum'"):
        ProductModel("m", wide, rules=[must("sum", field("a") + field("b") + field("c") <= 400)])


def test_repeated_names_and_odd_cells_are_reported_together() -> None:
    with pytest.raises(BadDocument) as caught:
        ProductModel(
            "m",
            [Choice("a", ["x"]), Choice("a", ["y"])],
            rules=[table("t", ["a", "z"], rows=[["q", 1]]), table("t", ["a"], rows=[["y"]])],
        )
    assert len(caught.value.problems) == 4
    assert "the name 'a' stands 2 times" in str(caught.value)


# --- configurations ------------------------------------------------------------------------------------------------


def test_a_configuration_is_immutable_and_choices_can_be_replaced_or_taken_back() -> None:
    start = configure(lamp())
    paper = start.choose(shade="paper")
    assert start.choices == ()
    assert paper.domains["room"] == ("hall",)
    assert paper.alternatives("shade") == ("paper", "glass")
    assert paper.choose(shade="glass").domains["room"] == ("hall", "bath")
    assert paper.without("shade") == start
    assert paper.is_complete
    assert not start.is_complete
    assert str(paper) == "lamp: shade = paper"
    assert repr(start) == "Configuration(lamp: nothing chosen)"


def test_wrong_names_and_limits_are_refused() -> None:
    c = configure(lamp())
    with pytest.raises(UnknownName, match="did you mean 'shade'"):
        c.choose(shad="paper")
    with pytest.raises(UnknownName, match="did you mean 'paper'"):
        c.choose(shade="papper")
    with pytest.raises(UnknownName):
        c.without("nothing")
    with pytest.raises(WrongType, match="no range"):
        c.limit("shade", at_most=1)
    with pytest.raises(OutOfRange):
        c.among("shade", [])
    with pytest.raises(WrongType, match="a mapping"):
        c.choose(["paper"])  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="solver"):
        configure(lamp(), solver="z3")
    with pytest.raises(WrongType, match="a ProductModel"):
        configure("lamp")  # type: ignore[arg-type]
    with pytest.raises(OutOfRange, match="importance"):
        c.choose(shade="paper", importance=0)
    shelf = configure(ProductModel("s", [Range("w", 1, 3)]))
    with pytest.raises(OutOfRange, match="nearest on offer is 1"):
        shelf.limit("w", at_most="0.5")
    with pytest.raises(OutOfRange, match="nearest on offer is 3"):
        shelf.limit("w", at_least=4)
    with pytest.raises(WrongType, match="at_most"):
        shelf.limit("w", at_most="wide")


def test_a_value_that_is_impossible_by_itself_is_replaced_by_the_repair() -> None:
    model = lamp(rules=[must("no bath", field("room") != "bath")])
    conflict = configure(model).conflict(room="bath")
    assert conflict is not None
    assert conflict.choices == ("room = bath",)
    assert str(conflict.repairs[0]) == "room: hall instead of bath"


def test_ranges_are_repaired_by_the_fewest_steps() -> None:
    model = ProductModel(
        "box",
        [Range("w", 1, 9), Range("h", 1, 9)],
        rules=[must("area", field("w") * field("h") <= 20)],
    )
    conflict = configure(model).choose(w=8).conflict(h=3)
    assert conflict is not None
    assert str(conflict.repairs[0]) == "w: 6 instead of 8"


def test_a_chain_that_needs_cases_says_so() -> None:
    x, y = field("x") == "1", field("y") == "1"
    model = ProductModel(
        "m",
        [Choice("x", ["0", "1"]), Choice("y", ["0", "1"]), Choice("z", ["0", "1"])],
        rules=[
            must("either", x | y),
            requires("from x", x, then=field("z") == "1"),
            requires("from y", y, then=field("z") == "1"),
        ],
    )
    steps = configure(model).why("z")
    assert "as every other value contradicts" in str(steps[-1])
    assert all(name in str(steps[-1]) for name in ("either", "from x", "from y"))
    assert configure(model).why("x") == ()


def test_a_saved_configuration_is_checked_against_the_model_of_today() -> None:
    saved = json.loads(json.dumps(configure(lamp()).choose(shade="paper", importance=2).to_dict()))
    again = Configuration.from_dict(saved, model=lamp())
    assert again.choices[0].importance == 2
    with pytest.raises(NotPossible):
        Configuration.from_dict(saved, model=lamp(rules=[must("glass", field("shade") == "glass")]))
    with pytest.raises(BadDocument):
        Configuration.from_dict({"model": "car"}, model=lamp())
    with pytest.raises(UnknownName):
        Configuration.from_dict(
            {"model": "lamp", "choices": [{"attribute": "shade", "values": ["silk"]}]}, model=lamp()
        )


def test_values_model_and_errors_pickle_and_show_themselves() -> None:
    c = configure(lamp()).choose(shade="paper")
    assert pickle.loads(pickle.dumps(c)) == c
    assert c.to_frame()["left"] == ["paper", "hall"]
    assert "<table>" in c._repr_html_()
    assert "<table>" in c.model._repr_html_()
    conflict = c.conflict(room="bath")
    assert conflict is not None
    assert "<td>repair</td>" in conflict._repr_html_()
    assert c.cheapest().to_frame()["value"] == ["paper", "hall"]
    assert c.price_range is None


def test_python_sat_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysat", None)
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    with pytest.raises(MissingExtra, match="configurator"):
        _ = configure(lamp(), solver="python-sat").domains


def test_a_model_too_entangled_to_count_says_so() -> None:
    from crmcore.idic.customize.configuring.counting import count_variants

    with pytest.raises(OutOfRange, match="choose a few attributes first"):
        count_variants(lamp().problem, most_steps=0)


def test_documents_report_every_fault_by_its_path() -> None:
    document = lamp(base_price=Money(1, "EUR")).to_dict()
    assert ProductModel.from_dict(document) == lamp(base_price=Money(1, "EUR"))
    document["attributes"][0]["kind"] = "chioce"
    del document["attributes"][1]["name"]
    document["rules"][0]["parts"][0] = {"op": "???"}
    document["extra"] = 1
    with pytest.raises(BadDocument) as caught:
        ProductModel.from_dict(document)
    text = str(caught.value)
    for said in ("$.attributes[0]", "$.attributes[1]", "$.rules[0].parts[0]", "'extra'"):
        assert said in text
    with pytest.raises(BadDocument, match="expected an object"):
        ProductModel.from_dict([])


# --- lint, recipes, lines, levels ------------------------------------------------------------------------------------


def test_lint_names_the_cause() -> None:
    model = ProductModel(
        "m",
        [Choice("a", ["x", "y"]), Choice("b", ["p", "q"], optional=True), Flag("c")],
        rules=[
            must("only x", field("a") == "x"),
            requires("x needs b", field("a") == "x", then=field("b") != "none"),
            must("y or x", field("a").isin(["x", "y"])),
        ],
        prices=[surcharge("y costs", field("a") == "y", price=Money(1, "EUR"))],
    )
    report = lint(model)
    assert [str(f) for f in report.findings] == [
        "dead option: a = y, by only x",
        "no choice: a is always x",
        "false optional: b = none, by only x and x needs b",
        "redundant rule: y or x",
        "price never applies: y costs, by only x",
    ]
    assert str(lint(lamp())) == "lamp: nothing found"
    assert report.to_frame()["fault"][0] == "dead option"
    assert "<table>" in report._repr_html_()


def test_recipes_refuse_what_they_cannot_read() -> None:
    c = configure(ProductModel("m", [Choice("a", [Option("x", tastes={"hot": 1})])]))
    with pytest.raises(UnknownName, match="taste"):
        recipe(c, {"hott": 1.0})
    with pytest.raises(OutOfRange, match="finite"):
        recipe(c, {"hot": float("nan")})
    with pytest.raises(WrongType):
        recipe(c, {}, allergens="nuts")


def test_weights_refuse_what_they_cannot_read() -> None:
    c = configure(lamp())
    with pytest.raises(WrongType, match="scores by option"):
        c.best({"shade": 1.0})
    with pytest.raises(OutOfRange, match="finite"):
        c.best({"shade": {"paper": float("inf")}})
    with pytest.raises(UnknownName):
        c.best({"shade": {"silk": 1.0}})


def test_lines_refuse_what_they_cannot_plan() -> None:
    one = LineOrder("a", {"c": "red"}, 1.0)
    with pytest.raises(EmptyInput):
        plan_line([], setup_hours={})
    with pytest.raises(DuplicateIds):
        plan_line([one, one], setup_hours={"c": 1})
    with pytest.raises(OutOfRange, match="setup_hours"):
        plan_line([one], setup_hours={})
    with pytest.raises(OutOfRange, match="lines"):
        plan_line([one], setup_hours={"c": 1}, lines=0)
    with pytest.raises(OutOfRange, match="hours"):
        LineOrder("a", {}, float("nan"))


def test_many_orders_get_a_good_plan_that_says_it_is_not_proven() -> None:
    orders = [LineOrder(f"o{i:02}", {"c": "rgb"[i % 3]}, 1.0) for i in range(24)]
    plan = plan_line(orders, setup_hours={"c": 1.0})
    assert (plan.exact, len(plan.batches), plan.setup_hours) == (False, 3, 2.0)
    assert "not proven best" in str(plan)
    assert plan.to_frame()["orders"] == [8, 8, 8]
    assert "<table>" in plan._repr_html_()


def test_charts_show_the_price_and_the_plan() -> None:
    model = ProductModel(
        "cup",
        [Choice("glaze", [Option("gold", Money(500, "EUR"))])],
        base_price=Money(1000, "EUR"),
        prices=[surcharge("rush", field("glaze") == "gold", price=Money(-50, "EUR"))],
    )
    product = configure(model).cheapest()
    assert [(r["label"], r["to"]) for r in product.chart().rows] == [
        ("cup", 10.0),
        ("glaze gold", 15.0),
        ("rush", 14.5),
        ("price", 14.5),
    ]
    with pytest.raises(EmptyInput, match="price of this product"):
        configure(lamp()).cheapest().chart()
    plan = plan_line([LineOrder("a", {"c": "red"}, 2.0)], setup_hours={"c": 1.0}, first_hours=0.5)
    assert plan.chart().rows[0]["value"] == 2.5


def test_levels_refuse_names_that_are_not_on_offer() -> None:
    with pytest.raises(UnknownName, match="layout"):
        Customisation(
            product=configure(lamp()),
            layouts=["plain"],
            adaptations=[Adaptation("a", "presentation", field("x") == 1, "layout 2")],
        )
    with pytest.raises(OutOfRange, match="values of attributes"):
        Adaptation("a", "product", field("x") == 1, "paper")


# --- the search ----------------------------------------------------------------------------------------------------


def test_pigeons_do_not_fit_and_the_refutation_names_all_of_them() -> None:
    n, full = 6, (1 << 5) - 1
    clauses = [{a: full & ~(1 << k), b: full & ~(1 << k)} for a in range(n) for b in range(a) for k in range(5)]
    search = Search(Problem((full,) * n, tuple(clauses), tuple(1 << i for i in range(len(clauses)))))
    assert not search.solve()
    assert search.refuted == (1 << len(clauses)) - 1
