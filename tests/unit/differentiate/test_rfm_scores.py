"""RFM: errors, texts and pictures."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from crmcore.errors import CurrencyMismatch, EmptyInput, NaiveDatetime, OutOfRange, UnknownName, WrongType
from crmcore.idic.differentiate import rfm
from crmcore.tables import OrderTable

NOW = datetime(2026, 2, 1, tzinfo=UTC)


def orders(currency: str = "EUR") -> OrderTable:
    frame = {
        "customer": ["a", "a", "b", "b", "c", None],
        "time": ["2026-01-01", "2026-01-11", "2026-01-11", "2026-01-20", "2026-03-01", "2026-01-02"],
        "amount": [50, 20, 10, -10, 5, 7],
    }
    return OrderTable.from_frame(frame, currency=currency, zone="UTC")


def test_a_refund_is_netted_and_is_no_purchase_and_later_lines_are_left_out() -> None:
    facts = rfm.rfm_facts(orders(), now=NOW)
    assert facts.frequency.tolist() == [2, 1, 0]
    assert facts.monetary_minor.tolist() == [7000, 0, 0]
    assert (facts.later, facts.unknown) == (1, 1)
    assert repr(facts) == "RfmFacts(2 buyers of 3 customers, EUR, 2026-02-01)"


def test_an_order_refunded_under_its_own_id_is_no_purchase() -> None:
    frame = {"customer": ["a", "a"], "time": ["2026-01-01", "2026-01-05"], "amount": [9, -9], "order_id": ["1", "1"]}
    facts = rfm.rfm_facts(OrderTable.from_frame(frame, currency="EUR", zone="UTC"), now=NOW)
    assert facts.frequency.tolist() == [0]


def test_a_customer_who_has_not_bought_has_no_scores() -> None:
    frame = rfm.score(orders(), now=NOW).to_frame(backend="polars")
    assert frame["r"].to_list()[2] is None
    assert frame["segment"].to_list()[2] is None


def test_a_map_with_faults_names_gaps_overlaps_and_dead_segments() -> None:
    parts = (
        rfm.Segment(name="one", recency=(1, 1)),
        rfm.Segment(name="both", recency=(1, 2), frequency=(1, 1)),
        rfm.Segment(name="never", recency=(9, 9)),
    )
    with pytest.raises(rfm.NotAPartition) as caught:
        rfm.SegmentMap(segments=parts, bins=(2, 2, 2))
    assert str(caught.value) == (
        "the segments are no partition of the scores:\n  in no segment: 2-2-1, 2-2-2\n"
        "  in two segments: 1-1-1 (one and both), 1-1-2 (one and both)\n  can hold nobody: never\n"
        "  hint: give every combination of recency-frequency-money scores to exactly one segment"
    )


def test_wrong_calls_say_what_to_do() -> None:
    with pytest.raises(WrongType, match=r"OrderTable.from_frame"):
        rfm.score([1], now=NOW)  # type: ignore[arg-type]
    with pytest.raises(NaiveDatetime):
        rfm.score(orders(), now=datetime(2026, 1, 1))
    with pytest.raises(EmptyInput, match="choose a later date"):
        rfm.score(orders(), now=datetime(2025, 1, 1, tzinfo=UTC))
    with pytest.raises(UnknownName, match="tie policy 'uper'"):
        rfm.score(orders(), now=NOW, ties="uper")
    with pytest.raises(UnknownName, match="binning"):
        rfm.score(orders(), now=NOW, binning="nest")
    with pytest.raises(CurrencyMismatch):
        rfm.score(orders("USD"), now=NOW, model=rfm.score(orders(), now=NOW).model)
    with pytest.raises(OutOfRange, match="descending days"):
        rfm.RfmModel(recency_days=(1, 2), frequency=(2,), monetary_minor=(2,), currency="EUR")
    with pytest.raises(OutOfRange, match="ascending"):
        rfm.score_values([1], [3, 2])


def test_own_cut_points_score_and_save() -> None:
    model = rfm.RfmModel(recency_days=(30, 15), frequency=(2,), monetary_minor=(100, 5000), currency="EUR")
    found = rfm.score(orders(), now=NOW, model=model)
    assert (found.r.tolist(), found.f.tolist(), found.m.tolist()) == ([2, 2, 0], [2, 1, 0], [3, 1, 0])
    assert rfm.RfmModel.from_dict(model.to_dict()) == model
    assert "at most 30, 15" in str(model)


def test_results_show_no_customer() -> None:
    found = rfm.score(orders(), now=NOW)
    assert "2 buyers of 3 customers" in str(found)
    assert len(found._repr_html_()) < 6000
    assert found.chart().rows
    assert found.moves(found).stayed == 2
    assert found.bin_sizes(backend="polars")["customers"].sum() == 6


def test_moves_match_customers_by_id_and_have_intervals() -> None:
    first = rfm.score(orders(), now=NOW)
    later = rfm.score(orders(), now=datetime(2026, 4, 1, tzinfo=UTC))
    moves = first.moves(later)
    assert (int(moves.counts.sum()), moves.joined, moves.left) == (2, 1, 0)
    share = moves.share(*[rfm.SEGMENTS.names[first.codes[0]], rfm.SEGMENTS.names[later.codes[0]]])
    assert 0 <= share.low <= share.value <= share.high <= 1
    assert rfm.Migration.from_dict(moves.to_dict()) == moves
    with pytest.raises(UnknownName, match="champions"):
        moves.share("champion", "new")


def test_cohorts_mark_what_is_not_over() -> None:
    found = rfm.cohorts(orders(), until=datetime(2026, 3, 15, tzinfo=UTC))
    assert not np.asarray(found.complete).all()
