"""A fitted model: saved exactly, read by any process, free of anybody's data."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pytest

from crmcore.errors import BadDocument, CrmError, MissingColumn, OutOfRange, WrongType
from crmcore.linkage import Kind, LinkageModel, Records, link


@pytest.fixture(scope="module")
def saved(linked) -> str:
    return json.dumps(linked.model.to_dict(), allow_nan=False)


def test_json_round_trip_is_exact(linked, saved):
    again = LinkageModel.from_dict(json.loads(saved))
    assert json.dumps(again.to_dict()) == saved
    for name in ("u", "theta", "pi"):
        assert (getattr(again.weights, name) == getattr(linked.model.weights, name)).all()
    assert dict(again.fields) == dict(linked.model.fields)
    assert again.keys == linked.model.keys
    assert again.cuts == linked.model.cuts


def test_a_model_without_nicknames_is_saved_too(linked):
    plain = attrs.evolve(linked.model, nicknames=None)
    again = LinkageModel.from_dict(json.loads(json.dumps(plain.to_dict())))
    assert again.nicknames is None


def test_a_saved_model_gives_the_entities_of_the_fit(world, linked, saved):
    again = link(world.records, model=LinkageModel.from_dict(json.loads(saved)))
    assert (again.labels == linked.labels).all()
    assert again.plan is None
    order = np.lexsort((linked.hi, linked.lo)), np.lexsort((again.hi, again.lo))
    assert (linked.lo[order[0]] == again.lo[order[1]]).all()
    assert linked.log_odds[order[0]] == pytest.approx(again.log_odds[order[1]], abs=1e-9)


def test_a_model_links_other_records_than_it_was_fitted_on(world, linked):
    half = np.arange(0, len(world.records), 2)
    found = link(world.records.take(half), model=linked.model)
    assert 0 < found.clustering.n_clusters < len(half)
    assert len(link(world.records.take(half[:1]), model=linked.model)) == 1
    assert len(link(world.records.take(half[:0]), model=linked.model)) == 0


def test_a_model_holds_no_value_of_any_record(world, saved):
    words = {w for c in world.records.columns for w in c.values if len(w) >= 4}
    said = {w.strip('" ,[]{}:') for w in saved.lower().split()}
    telling = [w for w in words if not w.isdecimal()]
    names = {"street", "postcode", "given", "surname", "email", "phone"}
    assert len(telling) > 500
    assert not [w for w in telling if f'"{w}"' in saved or (w in said and w not in names)]
    hexes = {h for s in json.loads(saved)["shares"] for h in s["values"]}
    assert all(len(h) == 16 for h in hexes)
    assert not [w for w in words if w in hexes]
    assert not [w for w in words if len(w) >= 8 and f'"{w}"' in saved]


def test_a_missing_field_proposes_the_nearest(world, linked):
    columns = tuple(attrs.evolve(c, name="e-mail") if c.name == "email" else c for c in world.records.columns)
    with pytest.raises(MissingColumn) as error:
        link(attrs.evolve(world.records, columns=columns), model=linked.model)
    assert error.value.column == "email"
    assert "did you mean 'e-mail'?" in str(error.value)


@pytest.mark.parametrize("document", [{}, {"format": "crmcore linkage model 2"}, {"format": None}])
def test_another_format_is_refused(document):
    with pytest.raises(OutOfRange, match="crmcore linkage model 1") as error:
        LinkageModel.from_dict(document)
    assert isinstance(error.value, CrmError)


def test_the_order_of_columns_does_not_matter_to_a_model(world, linked):
    turned = attrs.evolve(world.records, columns=world.records.columns[::-1])
    assert (link(turned, model=linked.model).labels == linked.labels).all()


def test_weights_read_as_a_table(linked):
    rows = linked.model.weight_rows()
    assert len(rows) == sum(linked.model.weights.n_levels)
    by = {(r["field"], r["level"]): r for r in rows}
    assert ("given name", "names swapped") in by
    for field in linked.model.fields:
        shares = [r for r in rows if r["field"] == field]
        assert sum(r["m"] for r in shares) == pytest.approx(1, abs=1e-6)
        assert shares[0]["bits"] > 0  # the same value speaks for one person
        assert shares[0]["bits"] == pytest.approx(np.log2(shares[0]["m"] / shares[0]["u"]))


def test_expected_matches_are_near_the_truth(world, linked):
    assert linked.model.expected_matches == pytest.approx(len(world.true_pairs), rel=0.5)
    sizes = linked.model.class_sizes()
    assert (sizes["same person"] + sizes["same person, moved"]) * linked.model.n_records == pytest.approx(
        linked.model.expected_matches
    )


def test_a_model_says_what_it_is(linked):
    text = repr(linked.model)
    assert text.startswith("LinkageModel(given name: given name, surname: surname")
    assert f"fitted on {linked.model.n_records} records" in text


def test_levels_of_a_scorer_are_those_of_the_fit(world, linked):
    scorer = linked.model.scorer(world.records)
    found = scorer.log_odds(linked.lo, linked.hi)
    assert found == pytest.approx(linked.log_odds, abs=1e-9)


def test_a_pair_scores_the_same_alone_and_among_all(world, linked):
    lo, hi = linked.lo[:20], linked.hi[:20]
    for a, b, odds in zip(lo, hi, linked.log_odds, strict=False):
        pair: Records = world.records.take(np.array([a, b]))
        assert linked.model.scorer(pair).log_odds(np.array([0]), np.array([1]))[0] == pytest.approx(odds, abs=1e-9)


def test_the_default_model_finds_most_without_any_fit(world):
    model = LinkageModel.default({c.name: c.kind for c in world.records.columns}, n_records=len(world.records))
    assert LinkageModel.from_dict(json.loads(json.dumps(model.to_dict()))).to_dict() == model.to_dict()
    found = link(world.records, model=model)
    i, j = np.triu_indices(len(world.truth), 1)
    same, true = found.labels[i] == found.labels[j], world.truth[i] == world.truth[j]
    assert (same & true).sum() / true.sum() > 0.7
    assert (same & true).sum() / same.sum() > 0.6


def test_the_default_model_needs_a_number_of_records_to_expect():
    with pytest.raises(OutOfRange, match="2 and more"):
        LinkageModel.default({"x": "email"}, n_records=1)


def test_a_field_of_another_kind_is_refused(linked, world):
    columns = tuple(attrs.evolve(c, kind=Kind.TEXT) if c.name == "city" else c for c in world.records.columns)
    with pytest.raises(WrongType, match="kind 'text'"):
        linked.model.select(attrs.evolve(world.records, columns=columns))


def test_a_torn_model_names_every_part_that_it_lacks(linked):
    document = {k: v for k, v in linked.model.to_dict().items() if k not in {"shares", "cuts"}}
    with pytest.raises(BadDocument, match=r"\$\.cuts[\s\S]*\$\.shares"):
        LinkageModel.from_dict(document)
