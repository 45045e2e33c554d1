"""Explanations: bars add up to the score, whoever asks and in whatever order fields stand; values stay masked."""

from __future__ import annotations

import itertools
import math
from functools import cache

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore._base import MASK
from crmcore.datasets import organisations, simulate_records
from crmcore.idic.identify import Schema, resolve
from crmcore.linkage.companies import company_level, same_word
from crmcore.linkage.compare import Comparer, one_level
from crmcore.linkage.encode import atom_hashes
from crmcore.linkage.explaining import explain_pair
from crmcore.linkage.fields import Kind
from crmcore.linkage.labels import Calibration
from crmcore.linkage.mixture import Weights
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.records import Records
from crmcore.linkage.scalar import atom_hash
from crmcore.linkage.texts import WORD_ATOMS, text_level


@cache
def fitted() -> tuple[LinkageModel, dict[str, list[str]]]:
    """A model of people's records, and values that occur in them."""
    linkage = resolve(dict(simulate_records(300, seed=7).sources)).linkage
    return linkage.model, {c.name: list(c.values[:40]) for c in linkage.records.columns}


def cells(name: str) -> st.SearchStrategy[str | None]:
    """Values of a field: seen ones, near ones, unseen ones, none."""
    seen = st.sampled_from(fitted()[1][name])
    digits = name in ("phone", "birth date", "identifier", "street number")
    strange = st.text("0123456789" if digits else "abcdefgh @.", min_size=1, max_size=9).map(str.strip).filter(bool)
    return st.one_of(st.none(), st.none(), seen, seen.map(lambda v: v[:-1] or "x"), strange)


@st.composite
def pairs(draw: st.DrawFn) -> Records:
    """Two records with all fields of the model."""
    model, _ = fitted()
    columns = {}
    for name in model.fields:
        left = draw(cells(name))
        columns[name] = [left, left if draw(st.booleans()) else draw(cells(name))]
    if draw(st.booleans()) and None not in (columns["given name"] + columns["surname"]):
        columns["given name"][1], columns["surname"][1] = columns["surname"][0], columns["given name"][0]
    return Records.from_columns(columns, dict(model.fields), ids=["web:1", "shop:2"])


def calibrated(model: LinkageModel) -> LinkageModel:
    moved = {name: 0.1 * (i % 3 - 1) for i, name in enumerate(model.fields)}
    return attrs.evolve(model, calibration=Calibration(shift=0.7, slope=-0.2, fields=moved, labels=9))


def reordered(model: LinkageModel, order: list[int]) -> LinkageModel:
    names, w = list(model.fields), model.weights
    weights = Weights(
        tuple(w.kinds[i] for i in order), tuple(w.n_levels[i] for i in order), w.u[order], w.theta[:, order], w.pi
    )
    fields = {names[i]: model.fields[names[i]] for i in order}
    return attrs.evolve(model, fields=fields, weights=weights, shares=tuple(model.shares[i] for i in order))


@given(pair=pairs(), judged=st.booleans())
def test_bars_add_up_to_the_score(pair: Records, judged: bool) -> None:
    model = calibrated(fitted()[0]) if judged else fitted()[0]
    why = explain_pair(model, pair, 0, 1)
    scored = model.scorer(pair).log_odds(np.array([0]), np.array([1]))[0]
    turned = model.scorer(pair.take(np.array([1, 0]))).log_odds(np.array([0]), np.array([1]))[0]
    assert math.isclose(why.log_odds, scored, abs_tol=1e-9) or math.isclose(why.log_odds, turned, abs_tol=1e-9)
    assert abs(why.start + sum(b.nats for b in why.bars) + why.judgements - why.log_odds) < 1e-9
    assert abs(sum(why.classes.values()) - 1) < 1e-9
    same = why.classes["same person"] + why.classes["same person, moved"]
    assert abs(same - why.verdict.probability) < 1e-8


@given(pair=pairs())
def test_both_sides_hear_the_same(pair: Records) -> None:
    here, there = (explain_pair(fitted()[0], pair, i, 1 - i) for i in (0, 1))
    assert here.log_odds == there.log_odds
    assert [(b.field, b.nats) for b in here.bars] == [(b.field, b.nats) for b in there.bars]
    assert [(b.left, b.right) for b in here.bars] == [(b.right, b.left) for b in there.bars]


@given(pair=pairs(), data=st.data())
def test_the_order_of_fields_does_not_matter(pair: Records, data: st.DataObject) -> None:
    model = fitted()[0]
    order = data.draw(st.permutations(range(len(model.fields))))
    other = explain_pair(reordered(model, list(order)), pair, 0, 1)
    bars = {b.field: b for b in explain_pair(model, pair, 0, 1).bars}
    assert {b.field for b in other.bars} == set(bars)
    for bar in other.bars:
        for part in ("level_nats", "rarity_nats", "names_nats"):
            assert abs(getattr(bar, part) - getattr(bars[bar.field], part)) < 1e-9


@given(pair=pairs())
def test_values_are_masked_unless_asked_for(pair: Records) -> None:
    model = fitted()[0]
    plain = explain_pair(model, pair, 0, 1)
    for bar in plain.bars:
        assert MASK in bar.left
        assert MASK in bar.right
    shown = explain_pair(model, pair, 0, 1, show_values=True)
    held = {c.name: c.text.to_list() for c in pair.columns}
    for bar in shown.bars:
        if bar.field in held:
            assert [bar.left, bar.right] == held[bar.field]
    assert len(plain._repr_html_().encode()) < 6000
    assert "<script" not in shown._repr_html_()
    assert explain_pair(model, pair, 0, 1).from_dict(plain.to_dict()) == plain


@given(pair=pairs())
def test_many_fields_use_random_orders_that_add_up_and_come_near(pair: Records) -> None:
    model = fitted()[0]
    exact = explain_pair(model, pair, 0, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crmcore.linkage.explaining.EXACT", 0)
        sampled = explain_pair(model, pair, 0, 1)
    assert abs(sampled.start + sum(b.nats for b in sampled.bars) - sampled.log_odds) < 1e-9
    # 1,024 orders: a few standard errors of a mean whose terms spread over some nats
    assert all(abs(a.nats - b.nats) < 1.5 for a, b in zip(exact.bars, sampled.bars, strict=True))


def test_a_bar_is_the_shapley_value_by_its_definition() -> None:
    model, seen = fitted()
    columns = {name: [None, None] for name in model.fields}
    for name in ("given name", "surname", "email", "phone"):
        columns[name] = [seen[name][3], seen[name][3]]
    pair = Records.from_columns(columns, dict(model.fields), ids=["a", "b"])

    def value(known: frozenset[str]) -> float:
        some = {n: c if n in known else [None, None] for n, c in columns.items()}
        records = Records.from_columns(some, dict(model.fields), ids=["a", "b"])
        return float(model.scorer(records).log_odds(np.array([0]), np.array([1]))[0])

    names = ("given name", "surname", "email", "phone")
    mean = dict.fromkeys(names, 0.0)
    for order in itertools.permutations(names):
        for i, name in enumerate(order):
            step = value(frozenset(order[: i + 1])) - value(frozenset(order[:i]))
            mean[name] += step / math.factorial(len(names))
    why = explain_pair(model, pair, 0, 1)
    assert {b.field: round(b.nats, 9) for b in why.bars} == {n: round(v, 9) for n, v in mean.items()}


names_of_firms = st.lists(
    st.sampled_from(["norvia", "norva", "foods", "food", "intl", "international", "grp", "group", "of"]),
    min_size=1,
    max_size=4,
).map(" ".join)


@given(a=names_of_firms, b=names_of_firms)
def test_company_names_compare_alike_in_columns_and_one_by_one(a: str, b: str) -> None:
    records = Records.from_columns({"firm": [a, b]}, {"firm": "organisation"})
    level = int(Comparer.of(records).levels(np.array([0]), np.array([1]))[0, 0])
    assert level == one_level(Kind.ORGANISATION, a, b) == one_level(Kind.ORGANISATION, b, a)
    assert company_level(a, b) == company_level(b, a)
    assert same_word(a, b) == same_word(b, a)


def test_companies_are_told_from_their_sisters() -> None:
    firms = organisations(400, seed=11)
    people = resolve({"crm": firms.records})
    truth = {f"crm:{r}": int(o) for r, o in zip(firms.records["record_id"], firms.organisation, strict=True)}
    assert people.evaluate(truth).pair_f1.value > 0.985


titles = st.lists(st.sampled_from(["acme", "acne", "kettle", "pro", "a12", "b77", "red"]), min_size=1, max_size=5).map(
    " ".join
)


@given(a=titles, b=titles)
def test_titles_compare_alike_in_columns_and_one_by_one_and_word_order_is_nothing(a: str, b: str) -> None:
    records = Records.from_columns({"title": [a, b]}, {"title": "text"})
    level = int(Comparer.of(records).levels(np.array([0]), np.array([1]))[0, 0])
    assert level == one_level(Kind.TEXT, a, b) == one_level(Kind.TEXT, b, a)
    turned = " ".join(reversed(a.split()))
    if turned not in (a, b) and a != b:
        assert one_level(Kind.TEXT, turned, b) == one_level(Kind.TEXT, a, b)


def test_products_of_two_shops_are_one_thing_whatever_the_order_of_words() -> None:
    rng = np.random.default_rng(3)
    pick = lambda words: str(rng.choice(words.split()))  # noqa: E731
    rows, truth = [], {}
    for thing in range(250):
        words = [
            pick("acme norvik lumo tessa orbit kanto velar siam"),
            pick("kettle drill backpack monitor keyboard lamp blender camera"),
            pick("pro max mini classic ultra eco plus light"),
            f"{pick('a b c d e f g h')}{rng.integers(100, 999)}",
            pick("black white red blue silver green"),
        ]
        number = f"{rng.integers(10**12, 10**13)}"
        for shop in ("north", "south")[: 1 + int(rng.random() < 0.7)]:
            said = [w for i, w in enumerate(rng.permutation(words)) if i or rng.random() < 0.8]
            ean = number if rng.random() < 0.4 else None
            brand = words[0] if rng.random() < 0.8 else None
            rows.append({"sku": f"{shop}{thing}", "title": " ".join(said), "brand": brand, "ean": ean})
            truth[f"shops:{shop}{thing}"] = thing
    kinds = {"title": "text", "brand": "organisation", "ean": "identifier", "sku": "record id"}
    people = resolve({"shops": rows}, schema=Schema.infer(overrides=kinds))
    assert people.evaluate(truth).pair_f1.value > 0.8


@given(
    values=st.lists(
        st.one_of(titles, st.text("ab 1", min_size=1, max_size=90).map(str.strip).filter(bool)),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_word_keys_are_the_same_one_by_one_and_in_columns(values: list[str]) -> None:
    for atom, hashes in atom_hashes(values, tuple(WORD_ATOMS)).items():
        assert hashes.tolist() == [atom_hash(atom, v) for v in values]


def _plain_level(a: str, b: str) -> int:
    """The definition of the levels of texts, word by word."""
    one, two = ({w: any(c.isdigit() for c in w) for w in text.split()} for text in (min(a, b), max(a, b)))
    codes, words = (
        [{w for w, code in side.items() if code is which} for side in (one, two)] for which in (True, False)
    )
    if codes[0] and codes[1] and not codes[0] & codes[1]:
        return 5
    left, right = sorted(words[0] - words[1]), sorted(words[1] - words[0])
    matched = len(words[0] & words[1]) + len(codes[0] & codes[1])
    for word in left:
        for other in right:
            if same_word(word, other):
                right.remove(other)
                matched += 1
                break
    total = max(map(len, words)) + max(map(len, codes))
    share = matched / total if total else 0.0
    return 2 if share == 1 else 3 if share >= 0.6 else 4 if share >= 0.3 else 5


words_of_titles = st.lists(
    st.sampled_from("kettle kettel drill backpack bckpck international intl a12 b77 2l blue".split()), max_size=7
).map(" ".join)


@given(words_of_titles, words_of_titles)
def test_texts_have_the_level_of_the_plain_definition(a: str, b: str) -> None:
    assert text_level(a, b) == text_level(b, a) == _plain_level(a, b)
