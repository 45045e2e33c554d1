"""Columns of cases, odds ratios over strata, and Pareto tables."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, MissingColumn, OutOfRange
from crmcore.recovery.process.causes import (
    Attribute,
    CaseColumns,
    Pareto,
    Period,
    Periods,
    StratifiedOdds,
    find_causes,
    mantel_haenszel,
    pareto,
)

# --- columns -------------------------------------------------------------------------------------------------------


def test_values_are_sorted_and_a_missing_one_is_last() -> None:
    column = Attribute.of("carrier", ["C7", None, "C1", "C7"])
    assert column.values == ("C1", "C7", "(missing)")
    assert column.codes.tolist() == [1, 2, 0, 1]
    assert repr(column) == "Attribute('carrier', 4 cases, 3 values)"


def test_ties_stay_in_one_part_and_missing_numbers_are_their_own() -> None:
    numbers = np.array([1.0] * 10 + [2.0] * 3 + [9.0, np.nan])
    column = Attribute.in_parts("wait", numbers, 5)
    assert column.values == ("up to 1", "above 1 up to 2", "above 2", "(missing)")
    assert np.bincount(column.codes).tolist() == [10, 3, 1, 1]
    assert Attribute.in_parts("wait", np.full(4, np.nan), 5).values == ("any number", "(missing)")
    assert Attribute.in_parts("wait", np.full(4, 3.0), 5).values == ("any number",)


def test_parts_whose_rounded_ends_would_be_alike_keep_their_digits() -> None:
    column = Attribute.in_parts("x", np.linspace(100_000.01, 100_000.09, 50), 4)
    assert len(set(column.values)) == 4
    assert column.values[0].startswith("up to 100000.0")


def test_days_are_those_of_the_zone_also_when_clocks_change() -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = [datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 21, 59, tzinfo=UTC)]
    at.append(datetime(2026, 3, 29, 22, 1, tzinfo=UTC))
    made = Periods.of("at", np.array([a.replace(tzinfo=None) for a in at], "datetime64[us]"), zone=zone)
    assert made.starts == (date(2026, 3, 29), date(2026, 3, 30))
    assert made.codes.tolist() == [0, 0, 1]
    assert repr(made) == "Periods('at', 3 cases, 2 periods)"
    assert made.position(Period("at", day=date(2026, 3, 30))) == 1


def test_more_times_than_can_be_asked_are_joined_in_order() -> None:
    at = np.random.default_rng(0).random(9000)
    made = Periods.of("t", at)
    assert len(made.starts) == 2000
    assert list(made.starts) == sorted(made.starts)
    assert (np.diff(made.codes[np.argsort(at)]) >= 0).all()
    assert np.bincount(made.codes).max() <= 5


def test_columns_say_what_they_hold() -> None:
    read = CaseColumns.from_frame({"a": ["x", "y"], "failed": ["yes", None]}, failed="failed")
    assert repr(read) == "CaseColumns(1 cases, 1 failed, 1 attributes, 1 rows unknown)"
    assert find_causes(read).cases == 1


def test_lists_in_cells_are_bad_rows_of_outcome_and_attribute() -> None:
    with pytest.raises(BadRows) as raised:
        CaseColumns.from_frame({"a": ["x", ["y"]], "failed": [[1], True]}, failed="failed")
    assert "failed: no outcome of yes or no in 1 row [0]" in str(raised.value)
    assert "a: list where text is expected in 1 row [1]" in str(raised.value)


def test_columns_that_are_not_there_are_named() -> None:
    frame = {"a": ["x"], "failed": [1], "at": [1]}
    with pytest.raises(MissingColumn, match="no column 'time'"):
        CaseColumns.from_frame(frame, failed="failed", time="time")
    with pytest.raises(MissingColumn, match="no column 'n'"):
        CaseColumns.from_frame(frame, failed="failed", trials="n")
    with pytest.raises(OutOfRange, match="thirds or fifths"):
        CaseColumns.from_frame(frame, failed="failed", parts=1)
    with pytest.raises(BadRows, match="at: not finite"):
        CaseColumns.from_frame({**frame, "at": [math.inf]}, failed="failed", time="at")


def test_one_attribute_may_be_named_alone() -> None:
    frame = {"a": ["x", "y"], "b": ["u", "v"], "failed": [1, 0]}
    assert [a.name for a in CaseColumns.from_frame(frame, failed="failed", attributes="b").attributes] == ["b"]


def test_periods_of_many_pairs_and_patterns_fit_in_memory_by_rows() -> None:
    from crmcore.recovery.process.causes import counting

    rng = np.random.default_rng(1)
    frame = {name: rng.integers(0, 4, 3000).tolist() for name in "abc"}
    frame["failed"] = (rng.random(3000) < np.where(np.array(frame["a"]) == 1, 0.4, 0.1)).tolist()
    plain = find_causes(frame).to_dict()
    whole = counting.CELLS
    try:
        counting.CELLS = 1  # the way that large tables take
        assert find_causes(frame).to_dict() == plain
    finally:
        counting.CELLS = whole


# --- strata --------------------------------------------------------------------------------------------------------


def test_a_confounder_is_seen_through() -> None:
    # within each stratum the odds ratio is 1, over both it is far from it
    made = mantel_haenszel([10, 180], [100, 200], [90, 90], [900, 100])
    assert made.odds_ratio.value == pytest.approx(1.0)
    assert made.crude.value > 5
    assert made.p_value == pytest.approx(1.0)
    assert "over 2 strata; crude" in str(made)
    assert "odds ratio 1" in made._repr_html_()
    assert StratifiedOdds.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_strata_that_disagree_are_told() -> None:
    made = mantel_haenszel([80, 20], [100, 100], [20, 80], [100, 100])
    assert made.odds_ratio.value == pytest.approx(1.0)
    assert made.unequal_p < 1e-20


def test_strata_that_say_nothing_are_left_out() -> None:
    made = mantel_haenszel([8, 0, 5], [10, 5, 5], [3, 0, 0], [10, 5, 0])
    assert made.strata == 1
    empty = mantel_haenszel([0], [5], [0], [5])
    assert math.isnan(empty.odds_ratio.value)
    assert math.isnan(empty.p_value)
    always = mantel_haenszel([5], [5], [2], [5])
    assert always.odds_ratio.value == math.inf
    assert always.odds_ratio.high == math.inf


@pytest.mark.parametrize(
    ("columns", "error", "said"),
    [
        (([], [], [], []), EmptyInput, "four columns of one length"),
        (([1, 2], [3], [1], [3]), EmptyInput, "four columns of one length"),
        (([4], [3], [1], [3]), BadRows, "failures: failures below zero, above the cases"),
        (([1], [3], [math.nan], [3]), BadRows, "other_failures"),
    ],
)
def test_bad_strata_are_refused(columns: tuple[list[float], ...], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        mantel_haenszel(*columns)
    assert said in str(raised.value)


# --- pareto --------------------------------------------------------------------------------------------------------


def test_pareto_ranks_and_adds_up_with_ties_by_name() -> None:
    table = pareto({"b": 10, "a": 10, "c": 80, "none": 0})
    assert [r.name for r in table.rows] == ["c", "a", "b", "none"]
    assert [round(r.cumulative, 3) for r in table.rows] == [0.8, 0.9, 1.0, 1.0]
    assert table.vital(0.8) == ("c",)
    assert table.vital(0.85) == ("c", "a")
    assert table.rows[0].share.low == pytest.approx(0.711, abs=0.001)


def test_pareto_shows_itself_and_comes_back() -> None:
    table = pareto({"late": 60, "<b>": 40})
    assert "&lt;b&gt;" in table._repr_html_()
    assert table.to_frame(backend="polars")["cumulative"].to_list() == [0.6, 1.0]
    assert Pareto.from_dict(json.loads(json.dumps(table.to_dict()))) == table
    picture = table.chart()
    assert picture.rows[0]["text"] == "60, so far 60%"
    assert "late" in picture.to_text()


@pytest.mark.parametrize(
    ("counts", "error"), [({}, EmptyInput), ({"a": 0}, EmptyInput), ({"a": -1}, BadRows), ({"a": math.nan}, BadRows)]
)
def test_bad_counts_are_refused(counts: dict[str, float], error: type[Exception]) -> None:
    with pytest.raises(error):
        pareto(counts)


def test_a_share_of_pareto_is_a_share() -> None:
    with pytest.raises(OutOfRange, match=r"80 % as 0\.8"):
        pareto({"a": 1}).vital(80)


def test_pareto_of_a_search_without_findings_explains_nothing() -> None:
    found = find_causes({"a": ["x", "y"] * 50, "failed": [0, 0, 1, 1] * 25})
    table = found.pareto()
    assert [(r.name, r.failures) for r in table.rows] == [("not explained", 50.0)]
    assert table.vital() == ()
    with pytest.raises(EmptyInput, match="no case failed"):
        find_causes({"a": ["x", "y"], "failed": [0, 0]}).pareto()


def test_the_zone_of_a_day_is_the_callers() -> None:
    late = datetime(2026, 5, 1, 20, tzinfo=UTC)
    frame = {"a": ["x", "y"], "failed": [0, 1], "at": [late, late + timedelta(hours=1)]}
    read = CaseColumns.from_frame(frame, failed="failed", time="at", zone="Asia/Bangkok")
    assert read.periods is not None
    assert read.periods.starts == (date(2026, 5, 2),)
    plain = CaseColumns.from_frame(frame, failed="failed", time="at")
    assert plain.periods is not None
    assert plain.periods.starts == (date(2026, 5, 1),)
