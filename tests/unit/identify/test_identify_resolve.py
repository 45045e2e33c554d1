"""Resolve on real tables: every flavour of frame, rules as data, previous ids, evaluation, dirty cells."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from crmcore.datasets import simulate_records
from crmcore.errors import (
    ConflictingConstraints,
    DuplicateIds,
    EmptyInput,
    MissingColumn,
    OutOfRange,
    UnknownName,
)
from crmcore.idic.identify import People, Rules, Schema, resolve
from crmcore.linkage import LinkageModel
from crmcore.tables import RecordTable


@pytest.fixture(scope="module")
def made():
    return simulate_records(220, seed=8)


@pytest.fixture(scope="module")
def rows(made) -> dict[str, dict[str, list[str | None]]]:
    """Two sources as plain columns of text."""
    out = {}
    for name in ("members", "web_orders"):
        out[name] = {
            column: [None if c is None else str(c) for c in cells.tolist()]
            for column, cells in made.sources[name].items()
            if cells.dtype == object
        }
    return out


@pytest.fixture(scope="module")
def people(rows) -> People:
    return resolve(rows)


@pytest.fixture(scope="module")
def truth(made) -> dict[str, int]:
    return {
        f"{source}:{record}": int(person)
        for source, record, person in zip(
            made.truth.source.tolist(), made.truth.record_id.tolist(), made.truth.person.tolist(), strict=True
        )
    }


FLAVOURS = {
    "polars": pl.DataFrame,
    "pandas": pd.DataFrame,
    "pyarrow": pa.table,
    "rows": lambda columns: [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)],
}


@pytest.mark.parametrize("flavour", list(FLAVOURS))
def test_every_flavour_of_frame_gives_the_same_customers(flavour, rows, people):
    found = resolve({name: FLAVOURS[flavour](columns) for name, columns in rows.items()})
    assert found.table.record_id.tolist() == people.table.record_id.tolist()
    assert (found.labels == people.labels).all()
    assert (found.linkage.log_odds == people.linkage.log_odds).all()
    assert found.profiles.assignments() == people.profiles.assignments()


def test_a_table_that_was_read_is_taken_as_it_is(people):
    assert isinstance(people.table, RecordTable)
    again = resolve(people.table, schema=people.schema)
    assert (again.labels == people.labels).all()


def test_inputs_are_not_touched(rows):
    frame = pd.DataFrame(rows["members"])
    before = frame.copy(deep=True)
    resolve({"members": frame})
    pd.testing.assert_frame_equal(frame, before)


def test_the_order_of_rows_does_not_matter(rows, people):
    order = np.random.default_rng(0).permutation(len(rows["members"]["record_id"]))
    turned = {
        "members": {c: [v[i] for i in order] for c, v in rows["members"].items()},
        "web_orders": rows["web_orders"],
    }

    def grouped(found: People) -> set[frozenset[str]]:
        by: dict[int, set[str]] = {}
        for label, record in zip(found.labels.tolist(), found.table.record_id.tolist(), strict=True):
            by.setdefault(label, set()).add(record)
        return {frozenset(g) for g in by.values()}

    assert grouped(resolve(turned)) == grouped(people)


# --- what people says ------------------------------------------------------------------------------------------------


def test_people_count_customers_and_name_nobody(people):
    assert len(people) == people.linkage.clustering.n_clusters == len(set(people.labels.tolist()))
    assert str(people) == f"{len(people.table)} records of 2 sources are {len(people)} customers"
    assert repr(people) == f"People({people})"


def test_a_record_is_found_by_its_id_and_a_wrong_id_proposes_the_nearest(people):
    record = str(people.table.record_id[5])
    assert people.row(record) == 5
    with pytest.raises(UnknownName, match="did you mean"):
        people.row(record[:-1] + "~")


def test_the_model_of_a_run_gives_its_customers_again_through_json(rows, people):
    model = LinkageModel.from_dict(json.loads(json.dumps(people.model.to_dict())))
    assert (resolve(rows, model=model).labels == people.labels).all()


def test_evaluation_against_the_truth(people, truth):
    quality = people.evaluate(truth)
    assert quality.records == len(people.table)
    assert quality.left_out == 0
    assert quality.pair_recall.value > 0.8
    assert quality.true_entities == len({truth[str(r)] for r in people.table.record_id})


def test_records_of_unknown_truth_are_left_out(people, truth):
    some = {r: truth[r] for r in people.table.record_id.tolist()[::3]}
    quality = people.evaluate({**some, "members:nobody": 7})
    assert quality.records == len(some)
    assert quality.left_out == len(people.table) - len(some)


def test_a_truth_that_is_the_answer_is_met_exactly(people):
    told = {str(r): f"customer {c}" for r, c in zip(people.table.record_id, people.labels.tolist(), strict=True)}
    quality = people.evaluate(told)
    assert quality.pair_precision.value == quality.pair_recall.value == 1


@pytest.mark.parametrize("backend", ["polars", "pandas", "pyarrow"])
def test_assignments_leave_as_the_frame_that_is_asked_for(people, backend):
    frame = people.to_frame(backend=backend)
    assert type(frame).__module__.partition(".")[0] == backend
    columns = frame.to_pydict() if backend == "pyarrow" else {c: list(frame[c]) for c in frame.columns}
    assert columns == people.to_frame()
    assert dict(zip(columns["record_id"], columns["customer_id"], strict=True)) == people.profiles.assignments()
    assert all(r.startswith(f"{s}:") for r, s in zip(columns["record_id"], columns["source"], strict=True))


# --- rules -----------------------------------------------------------------------------------------------------------


def test_rules_are_plain_data(people):
    rules = Rules(
        must_link=[("a:1", "b:2")],
        must_not_link=[["a:1", "c:3"]],
        one_to_one=["members"],
        max_values={"identifier": 1},
        max_profiles={"phone": 4},
        blocked_values={"phone": ["02 123 4567"]},
    )
    document = json.loads(json.dumps(attrs.asdict(rules)))
    assert Rules(**document) == rules
    assert Rules().bind(people.linkage.records) is None


def test_decisions_hold_and_those_about_absent_records_wait(rows, people):
    a = str(people.table.record_id[0])
    b = next(str(r) for r, c in zip(people.table.record_id, people.labels, strict=True) if c != people.labels[0])
    best = int(np.argmax(people.linkage.log_odds))
    c, d = (str(people.table.record_id[x[best]]) for x in (people.linkage.lo, people.linkage.hi))
    rules = Rules(must_link=[(a, b), ("members:gone", a)], must_not_link=[(c, d)])
    found = resolve(rows, rules=rules)
    assert found.labels[found.row(a)] == found.labels[found.row(b)]
    assert found.labels[found.row(c)] != found.labels[found.row(d)]
    assert found.rules is rules


def test_decisions_that_contradict_each_other_are_refused(rows, people):
    a, b = map(str, people.table.record_id[:2])
    with pytest.raises(ConflictingConstraints):
        resolve(rows, rules=Rules(must_link=[(a, b)], must_not_link=[(b, a)]))


def test_a_one_to_one_source_and_a_limited_identifier(rows):
    found = resolve(rows, rules=Rules(one_to_one=["members"], max_values={"phone": 1}))
    members = found.table.source == found.table.sources.index("members")
    assert len(set(found.labels[members].tolist())) == members.sum()
    phone = next(c for c in found.linkage.records.columns if c.name == "phone")
    for label in set(found.labels.tolist()):
        codes = phone.codes[(found.labels == label) & (phone.codes >= 0)]
        assert len(set(codes.tolist())) <= 1


def test_a_blocked_value_is_no_evidence(rows, people):
    phone = next(c for c in people.linkage.records.columns if c.name == "phone")
    value = phone.values[int(np.bincount(phone.codes[phone.codes >= 0]).argmax())]
    found = resolve(rows, rules=Rules(blocked_values={"phone": [value]}))
    assert value not in next(c for c in found.linkage.records.columns if c.name == "phone").text.to_list()
    assert found.preparation.blocked


def test_a_value_of_too_many_profiles_is_left_out(rows, people):
    found = resolve(rows, rules=Rules(max_profiles={"phone": 1}))
    assert len(found) >= len(people) - 3


@pytest.mark.parametrize(
    ("rules", "error", "near"),
    [
        (Rules(one_to_one=["member"]), UnknownName, "members"),
        (Rules(max_values={"phones": 1}), MissingColumn, "phone"),
        (Rules(max_profiles={"phones": 1}), MissingColumn, "phone"),
        (Rules(blocked_values={"phon": ["1"]}), UnknownName, "phone"),
        (Rules(max_values={"phone": 0}), OutOfRange, "1 and more"),
    ],
)
def test_rules_about_what_is_not_there_propose_the_nearest(rows, rules, error, near):
    with pytest.raises(error, match=near):
        resolve(rows, rules=rules)


# --- previous ids ----------------------------------------------------------------------------------------------------


def test_customers_keep_their_ids_when_run_again_with_more_records(rows, people):
    before = people.profiles.assignments()
    fewer = {"members": rows["members"], "web_orders": {c: v[:-10] for c, v in rows["web_orders"].items()}}
    first = resolve(fewer, model=people.model)
    second = resolve(rows, model=people.model, previous=first.profiles.assignments())
    kept = second.profiles.assignments()
    held = [r for r, customer in first.profiles.assignments().items() if kept[r] == customer]
    assert len(held) >= 0.97 * len(first.table)
    again = resolve(rows, model=people.model, previous=before)
    assert again.profiles.assignments() == before


def test_a_renamed_customer_keeps_the_name(rows, people):
    named = {r: f"kept-{c}" for r, c in people.profiles.assignments().items()}
    assert resolve(rows, model=people.model, previous=named).profiles.assignments() == named


# --- dirty cells -----------------------------------------------------------------------------------------------------

DIRTY = [
    {"id": 1, "name": "Ann Lee", "phone": 812345678, "email": "ann@x.org", "age": 30},
    {"id": 2, "name": "Ann Lee", "phone": "081-234-5678", "email": "N/A", "age": float("nan")},
    {"id": 3, "name": "Bob Ray", "phone": None, "email": float("nan"), "age": "forty"},
    {"id": 4, "name": "", "phone": "-", "email": "bob@y.org", "age": True},
    {"id": 5, "name": "Cat Dow", "phone": "+66 89 999 0000", "email": "cat@z.org", "age": 2.5},
]


def test_cells_of_mixed_types_are_read_and_empty_words_are_no_evidence():
    found = resolve({"crm": DIRTY}, default_region="TH")
    said = {c.name: c.text.to_list() for c in found.linkage.records.columns}
    assert said["phone"][0] == said["phone"][1] == "+66812345678"
    assert said["phone"][2] is said["phone"][3] is None
    assert said["email"] == ["ann@x.org", None, None, "bob@y.org", "cat@z.org"]
    assert said["given name"][3] is None
    assert found.labels[0] == found.labels[1]
    assert len(found) == 4


def test_two_empty_cells_never_agree():
    found = resolve([{"name": w, "email": "n/a", "phone": "unknown"} for w in ("ann lee", "bob ray", "cat dow")])
    assert len(found) == 3


@pytest.mark.parametrize("nothing", [[], {}, pd.DataFrame(), pl.DataFrame({"name": []}), {"crm": []}])
def test_no_record_is_empty_input(nothing):
    with pytest.raises(EmptyInput):
        resolve(nothing)


@pytest.mark.parametrize("rows", [[{"name": None}], [{"name": None}, {"name": None}], [{"note": "x"}] * 3])
def test_records_that_cannot_be_told_apart_are_empty_input(rows):
    with pytest.raises(EmptyInput):
        resolve(rows)


def test_one_record_is_one_customer():
    found = resolve([{"name": "Ann Lee"}])
    assert len(found) == 1
    assert list(found.profiles.assignments()) == ["records:0"]


def test_an_empty_source_beside_others_stays_empty():
    found = resolve({"crm": DIRTY, "shop": pd.DataFrame({"name": [], "email": []})}, default_region="TH")
    assert found.table.sources == ("crm", "shop")
    assert (found.table.source == 0).all()


def test_ids_that_repeat_are_refused_within_a_source_and_fine_across_sources():
    one = [{"id": 1, "name": "Ann Lee"}, {"id": 1, "name": "Bob Ray"}]
    with pytest.raises(DuplicateIds) as error:
        resolve({"crm": one}, schema=Schema.infer(overrides={"id": "record id"}))
    assert "Ann" not in str(error.value)
    assert resolve({"crm": one}).table.record_id.tolist() == ["crm:0", "crm:1"]  # what repeats is not taken for an id
    across = resolve({"a": [{"id": 1, "name": "Ann Lee"}], "b": [{"id": 1, "name": "Bob Ray"}]})
    assert across.table.record_id.tolist() == ["a:1", "b:1"]


def test_progress_passes_every_stage(rows):
    seen = []
    resolve(rows, progress=lambda stage, done, total: seen.append((stage, done, total)))
    stages = list(dict.fromkeys(s for s, _, _ in seen))
    assert stages[:2] == ["read", "normalise"]
    assert {"plan blocking", "fit weights", "compare pairs"} <= set(stages)
    assert all(0 <= done <= total for _, done, total in seen)
