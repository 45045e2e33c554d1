"""People: explain, review, decide, learn, households, unlinkables, charts, summary."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path

import attrs
import numpy as np
import pytest

from crmcore.datasets import RecordSet, simulate_records
from crmcore.errors import (
    BadRows,
    ConflictingConstraints,
    EmptyInput,
    LostClass,
    MissingColumn,
    OutOfRange,
    UnknownName,
)
from crmcore.idic.identify import People, Rules, resolve
from crmcore.idic.identify.answers import Answer, add_answers, read_answers
from crmcore.idic.identify.charts import CHARTS, OVERVIEW
from crmcore.linkage.explaining import explain
from crmcore.linkage.linking import link
from crmcore.linkage.model import LinkageModel
from crmcore.linkage.quality import evaluate
from crmcore.linkage.questions import Reason, choose_questions
from crmcore.linkage.records import Records


@cache
def brand() -> RecordSet:
    return simulate_records(700, seed=3)


@cache
def people() -> People:
    return resolve(dict(brand().sources))


@cache
def truth() -> dict[str, int]:
    t = brand().truth
    ids = [r if r.startswith(f"{s}:") else f"{s}:{r}" for s, r in zip(t.source, t.record_id, strict=True)]
    return dict(zip(ids, t.person.tolist(), strict=True))


def judged(review: object) -> list[tuple[str, str, bool]]:
    return [(i.left, i.right, truth()[i.left] == truth()[i.right]) for i in review]


def some_pair(people: People, together: bool) -> tuple[str, str]:
    ids, labels, found = people.table.record_id, people.labels, people.linkage
    at = int(np.flatnonzero((labels[found.lo] == labels[found.hi]) == together)[0])
    return ids[found.lo[at]], ids[found.hi[at]]


def test_an_explanation_agrees_with_the_linkage_and_names_the_verdict() -> None:
    linkage = people().linkage
    for at in range(0, len(linkage.lo), 97):
        why = explain(linkage, int(linkage.lo[at]), int(linkage.hi[at]))
        assert why.log_odds == pytest.approx(linkage.log_odds[at], abs=1e-9)
        assert why.verdict.together == (linkage.labels[linkage.lo[at]] == linkage.labels[linkage.hi[at]])
    left, right = some_pair(people(), together=False)
    assert "two entities" in str(people().explain(left, right))
    assert "bits" in str(people().explain(left, right))


def test_an_explanation_is_a_frame_a_chart_and_json() -> None:
    why = people().explain(*some_pair(people(), together=True))
    frame = why.to_frame()
    assert sum(frame["bits"]) == pytest.approx(why.bits)
    chart = why.chart()
    assert chart.rows[-1]["to"] == pytest.approx(why.bits)
    assert type(why).from_dict(json.loads(json.dumps(why.to_dict()))) == why


def test_unknown_records_are_named_with_the_nearest() -> None:
    left, right = some_pair(people(), together=True)
    with pytest.raises(UnknownName, match="did you mean"):
        people().explain(left + "x", right)
    with pytest.raises(OutOfRange):
        people().explain(left, left)


def test_values_that_too_many_share_are_no_evidence_in_explanations_either() -> None:
    names = [f"{a}{b}" for a in "abcdefgh" for b in "klmnopqr"]
    rows = {"given name": names, "phone": ["1234567"] * 20 + [f"555{i:04d}" for i in range(44)]}
    records = Records.from_columns(rows, {"given name": "given name", "phone": "phone"})
    found = link(records, max_entities={"phone": 3})
    assert all(bar.field != "phone" for bar in explain(found, 0, 1).bars)
    assert "phone" in explain(found, 0, 1).missing


def test_review_asks_for_the_most_valuable_pairs_first_and_never_twice() -> None:
    review = people().review(20)
    gains = [item.question.gain for item in review]
    assert gains == sorted(gains, reverse=True)
    again = people().decide(judged(review)).review(20)
    asked = {frozenset((i.left, i.right)) for i in review}
    assert not asked & {frozenset((i.left, i.right)) for i in again}


def test_the_expected_gain_follows_the_pairs_that_an_answer_moves() -> None:
    asked = choose_questions(people().linkage, 10_000)
    made = np.isin(asked.reason, [list(Reason).index(r) for r in (Reason.UNSURE, Reason.BRIDGE)])
    chance = np.where(made, 1 - asked.probability, asked.probability)
    per_pair = asked.gain / np.maximum(chance * asked.left_size * asked.right_size, 1e-300)
    for side in (made, ~made):
        usual = per_pair[side & (asked.gain > 0)]
        assert np.allclose(usual, usual[0])


def test_answers_improve_the_customers() -> None:
    before = people().evaluate(truth()).pair_f1.value
    step = people()
    for _ in range(2):
        step = step.decide(judged(step.review(30)))
    assert step.evaluate(truth()).pair_f1.value > before + 0.01


def test_what_was_decided_holds_and_can_be_taken_back() -> None:
    left, right = some_pair(people(), together=True)
    apart = people().decide({(left, right): False})
    assert apart.labels[apart.row(left)] != apart.labels[apart.row(right)]
    assert "must_not_link" in str(apart.explain(left, right)) or "two entities" in str(apart.explain(left, right))
    back = apart.decide([(right, left, "same")])
    assert back.rules.must_not_link == ()
    assert back.labels[back.row(left)] == back.labels[back.row(right)]


def test_customers_keep_their_ids_through_decisions() -> None:
    left, right = some_pair(people(), together=True)
    after = people().decide({(left, right): True})
    assert after.customer_ids == people().customer_ids


def test_answers_are_read_from_mappings_tuples_and_frames() -> None:
    expected = (Answer("a", "b", True), Answer("c", "d", False))
    assert read_answers({("b", "a"): True, ("c", "d"): "different"}) == expected
    assert read_answers([("a", "b", "yes"), ("d", "c", "No"), ("e", "f", None)]) == expected
    frame = people().review(2).to_frame()
    filled = {"left": frame["left"], "right": frame["right"], "answer": ["same", None]}
    assert [(a.left, a.right) for a in read_answers(filled)] == [tuple(sorted((frame["left"][0], frame["right"][0])))]


def test_bad_answers_are_refused_all_at_once() -> None:
    with pytest.raises(BadRows) as bad:
        read_answers([("a", "b", "perhaps"), ("c", "c", True)])
    assert len(bad.value.problems) == 2
    with pytest.raises(ConflictingConstraints):
        read_answers([("a", "b", True), ("b", "a", False)])
    with pytest.raises(EmptyInput):
        read_answers([("a", "b", None)])
    with pytest.raises(MissingColumn):
        read_answers({"left": ["a"], "right": ["b"]})


def test_a_later_answer_replaces_an_earlier_rule() -> None:
    rules = Rules(must_link=[("b", "a"), ("x", "y")])
    assert add_answers(rules, read_answers({("a", "b"): False})).must_link == (("x", "y"),)


def test_learning_calibrates_the_model_and_the_model_stays_one_function_of_a_pair() -> None:
    from crmcore.idic.identify.learning import recalibrated

    said = read_answers(judged(people().label_candidates(80, seed=2)))
    model = recalibrated(people().linkage, said)
    assert model.calibration is not None
    assert model.calibration.labels == 80
    again = LinkageModel.from_dict(json.loads(json.dumps(model.to_dict())))
    records = people().linkage.records
    batch = link(records, model=again)
    at = np.arange(0, len(batch.lo), 53)
    for k in at.tolist():
        why = explain(batch, int(batch.lo[k]), int(batch.hi[k]))
        assert why.log_odds == pytest.approx(batch.log_odds[k], abs=1e-9)
        assert why.n_judgements == 80
    rows = np.random.default_rng(1).permutation(len(records))
    assert np.array_equal(link(records.take(rows), model=again).labels, batch.labels[rows])
    twice = recalibrated(attrs.evolve(people().linkage, model=model), said)
    assert twice.cuts.values == pytest.approx(model.cuts.values)


def test_labels_cannot_spoil_the_customers_much() -> None:
    said = judged(people().label_candidates(80, seed=2))
    before = people().evaluate(truth()).pair_f1.value
    assert people().learn(said, obey=False).evaluate(truth()).pair_f1.value > before - 0.01
    assert people().learn(said).evaluate(truth()).pair_f1.value > before


def test_the_review_page_is_static_and_masked(tmp_path: Path) -> None:
    page = people().review_page(tmp_path / "review.html", size=5).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http" not in page
    item = people().review(5)[0]
    values = [c.text[item.question.left] for c in people().linkage.records.columns]
    assert not [v for v in values if v and len(v) > 3 and f">{v}<" in page]
    shown = people().review(5, show_values=True).to_html()
    assert any(v and f">{v}<" in shown for v in values)


def test_households_hold_whole_customers_and_keep_their_ids() -> None:
    table = people().households()
    assert len(table.customers) == len(people())
    assert sum(len(h) for h in table) == len(people())
    for record, customer in zip(table.record_ids.tolist()[:50], people().customer_ids[:50], strict=True):
        assert customer in table[table.assignments()[record]].customer_ids
    again = people().households(previous=table.assignments())
    assert again.ids == table.ids
    assert all(i.startswith("h-") for i in table.ids)
    with pytest.raises(UnknownName):
        table["h-nobody"]


def test_households_are_found_with_few_strangers_in_them() -> None:
    t = brand().truth
    true = np.array([t.household[truth()[r]] for r in people().table.record_id])
    quality = evaluate(people().households().of_record, true)
    alone = evaluate(people().labels.astype(np.int64), true)
    assert quality.pair_precision.value > 0.9
    assert quality.pair_recall.value > 2 * alone.pair_recall.value


def test_row_order_does_not_change_households() -> None:
    table = people().households()
    rows = np.random.default_rng(5).permutation(len(people().table))
    linkage = link(people().linkage.records.take(rows), model=people().model)
    other = attrs.evolve(people(), linkage=linkage, table=_taken(people(), rows)).households()
    assert other.assignments() == table.assignments()


def _taken(found: People, rows: np.ndarray) -> object:
    from crmcore.tables import RecordTable, TextColumn

    t = found.table
    columns = {n: TextColumn(c.codes[rows], c.values) for n, c in t.columns.items()}
    return RecordTable(t.record_id[rows], t.source[rows], t.sources, t.time[rows], columns)


def test_records_that_say_nothing_are_unlinkable() -> None:
    names = ["anna", "bert", "carl", "dora", "emil", "fritz"] * 30
    mail = [f"{name}{i // 12}@x.org" if i % 3 else None for i, name in enumerate(names)]
    found = link(
        Records.from_columns({"given name": names, "email": mail}, {"given name": "given name", "email": "email"})
    )
    from crmcore.linkage.unlinkable import unlinkables

    said = unlinkables(found)
    assert np.array_equal(said.mask, np.array([m is None for m in mail]))
    assert said.by_field()[0]["field"] == "email"
    curve = [r["share"] for r in said.curve()]
    assert curve == sorted(curve)
    assert curve[-1] == 1.0


def test_every_chart_draws_and_tells_its_story_as_text() -> None:
    for name in OVERVIEW:
        chart = people().chart(name)
        assert chart.rows
        assert chart.title in chart.to_text()
    ring = people().chart("customer", customer=some_pair(people(), together=True)[0])
    assert len(ring.rows) >= 2
    assert people().chart("thresholds", truth=truth()).rows
    assert set(OVERVIEW) < set(CHARTS)
    with pytest.raises(UnknownName, match="sources"):
        people().chart("source")


def test_charts_with_a_dashed_line_render() -> None:
    pytest.importorskip("vl_convert")
    for chart in [people().chart("thresholds"), people().explain(*some_pair(people(), together=True)).chart()]:
        assert "<svg" in chart.to_svg()


def test_the_summary_counts_and_warns_of_a_lost_class() -> None:
    said = people().summary()
    assert said.n_records == len(people().table)
    assert sum(size * n for size, n in said.sizes.items()) == said.n_records
    assert str(said.customers) in str(said).replace(",", "")
    assert len(people()._repr_html_().encode()) < 6000
    far = attrs.evolve(people().model.weights, pi=people().model.weights.pi * np.array([20, 1, 1, 1, 1]))
    broken = attrs.evolve(
        people(), linkage=attrs.evolve(people().linkage, model=attrs.evolve(people().model, weights=far))
    )
    with pytest.warns(LostClass, match="lost"):
        broken.summary()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        broken._repr_html_()
