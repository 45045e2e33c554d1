"""What comparisons of two groups and of many say, show and refuse."""

from __future__ import annotations

import json
import math
import pickle

import pytest

from crmcore.errors import BadRows, EmptyInput, OutOfRange, SmallSample, UnknownName, WrongType
from crmcore.metrics import Comparison, Counts, Exposure, Moments, adjust, compare, compare_many
from crmcore.metrics.comparing import Comparable, ComparisonTable, p_text
from crmcore.metrics.paired import PairedCounts
from crmcore.metrics.proportions import odds_ratio, risk_ratio

SHOPS = {"north": Counts(30, 1000), "south": Counts(60, 1000), "web": Counts(2, 12)}


def test_everything_that_counts_is_comparable() -> None:
    for kind in (Counts(1, 2), Moments.of([1, 2]), Exposure(1, 2)):
        assert isinstance(kind, Comparable)
    assert not isinstance(3, Comparable)


def test_two_kinds_in_one_comparison_are_refused_with_the_way_out() -> None:
    with pytest.raises(WrongType, match=r"b is Moments: expected the kind of a, Counts[\s\S]*shares with shares"):
        compare(Counts(1, 50), Moments.of(range(50)))
    with pytest.raises(WrongType, match=r"a is float[\s\S]*Counts\(k, n\)"):
        compare(0.3, 0.4)  # type: ignore[type-var]
    with pytest.raises(WrongType, match="rates is Exposure: expected the kind of north, Counts"):
        compare_many({"north": Counts(1, 50), "rates": Exposure(1, 50)})


def test_a_comparison_names_its_test_and_reads_old_json() -> None:
    got = compare(Counts(56, 70), Counts(48, 80))
    assert str(got).endswith("p = 0.00805 (pooled z)")
    assert got.conclusive
    document = got.to_dict()
    assert Comparison.from_dict(json.loads(json.dumps(document))) == got
    del document["test"]
    assert Comparison.from_dict(document).test == ""
    assert pickle.loads(pickle.dumps(got)) == got
    with pytest.warns(SmallSample, match="the smaller group stands on n = 10"):
        compare(Counts(5, 10), Counts(40, 80))


def test_small_p_values_are_not_written_as_zero() -> None:
    assert p_text(1e-300) == "p < 0.0001"
    assert p_text(1.0) == "p = 1"


def test_an_exact_test_is_one_word_away_and_a_wrong_word_finds_it() -> None:
    a, b = Counts(3, 4), Counts(1, 4)
    assert a.minus(b, test="fisher exact").p_value == pytest.approx(34 / 70)
    with pytest.raises(UnknownName, match="did you mean 'fisher exact'"):
        a.minus(b, test="fisher")
    assert compare(a, b, test="fisher exact", small_sample_ok=True) == a.minus(b, test="fisher exact")
    table = compare_many({"a": a, "b": b}, baseline="b", test="fisher exact")
    assert table["a"].test == "fisher exact"
    with pytest.raises(UnknownName, match="unknown test of Moments 'fisher exact'"):
        compare(Moments.of([1, 2]), Moments.of([1, 3]), test="fisher exact")


def test_many_groups_against_a_baseline_show_flag_and_draw() -> None:
    table = compare_many(SHOPS, baseline="north")
    assert repr(table) == "ComparisonTable(2 groups against north, holm)"
    assert str(table).splitlines()[0] == "against north, p-values adjusted by holm, intervals 95 % together"
    assert str(table).splitlines()[2].endswith("few observations")
    assert table["south"].difference.level == pytest.approx(0.975)
    frame = table.to_frame(backend="polars")
    assert frame["group"].to_list() == ["south", "web"]
    assert frame["small"].to_list() == [False, True]
    assert frame["p_adjusted"].to_list() == list(adjust([c.p_value for c in table.comparisons]))
    html = table._repr_html_()
    assert "few observations" in html
    assert len(html) < 6000
    assert [row["label"] for row in table.chart().rows] == ["south", "web"]
    assert table.found() == ("south", "web")
    assert table.found(threshold=1e-9) == ()
    with pytest.raises(UnknownName, match="did you mean 'south'"):
        table["sout"]


def test_false_discovery_rates_leave_each_interval_at_its_own_level() -> None:
    table = compare_many(SHOPS, adjust="benjamini-hochberg")
    assert table["south"].difference.level == 0.95
    assert str(table).splitlines()[0].endswith("adjusted by benjamini-hochberg, intervals 95 % each")


def test_groups_without_observations_do_not_count_among_the_tests() -> None:
    table = compare_many({**SHOPS, "kiosk": Counts()}, baseline="north", level=0.9)
    assert math.isnan(table.p_adjusted[2])
    assert table.p_adjusted[:2] == compare_many(SHOPS, baseline="north", level=0.9).p_adjusted
    assert ComparisonTable.from_dict(json.loads(json.dumps(table.to_dict()))).to_dict() == table.to_dict()
    assert len(table.chart().rows) == 2
    with pytest.raises(EmptyInput, match="without a finite difference"):
        compare_many({"a": Counts(), "b": Counts()}).chart()


def test_wrong_calls_to_compare_many_say_the_way_out() -> None:
    with pytest.raises(EmptyInput, match="fewer than two entries"):
        compare_many({"a": Counts(1, 2)})
    with pytest.raises(UnknownName, match="did you mean 'north'"):
        compare_many(SHOPS, baseline="nort")
    with pytest.raises(UnknownName, match="did you mean 'holm'"):
        compare_many(SHOPS, adjust="holms")
    with pytest.raises(OutOfRange, match="level = 95"):
        compare_many(SHOPS, level=95)


def test_p_values_that_are_none_are_all_named_at_once() -> None:
    with pytest.raises(BadRows, match=r"not within 0 to 1 in 2 rows \[1, 3\] \(such as 1\.5, -0\.1\)"):
        adjust([0.1, 1.5, math.nan, -0.1])
    with pytest.raises(UnknownName, match="did you mean 'bonferroni'"):
        adjust([0.1], method="bonferoni")
    with pytest.raises(OutOfRange, match="one column"):
        adjust([[0.1]])
    assert adjust([]).tolist() == []
    assert math.isnan(adjust([math.nan])[0])


def test_ratios_of_shares_treat_zeros_soundly() -> None:
    lift = risk_ratio(Counts(60, 1000), Counts(30, 1000))
    assert (lift.value, round(lift.low, 2), round(lift.high, 2)) == (2.0, 1.3, 3.06)
    nothing_below = risk_ratio(Counts(3, 50), Counts(0, 50))
    assert (nothing_below.value, nothing_below.high) == (math.inf, math.inf)
    assert 0 < nothing_below.low < 1
    document = json.loads(json.dumps(nothing_below.to_dict(), allow_nan=False))
    assert document["high"] == "inf"
    assert type(nothing_below).from_dict(document) == nothing_below
    assert risk_ratio(Counts(0, 50), Counts(3, 50)).low == 0
    assert math.isnan(risk_ratio(Counts(0, 50), Counts(0, 50)).value)
    odds = odds_ratio(Counts(0, 50), Counts(3, 50))
    assert 0 < odds.low < odds.value < odds.high < math.inf
    with pytest.warns(SmallSample):
        odds_ratio(Counts(0, 5), Counts(3, 50))


def test_paired_answers_are_counted_compared_and_checked() -> None:
    counts = PairedCounts.of([1, 1, 0, 0, None], [1, 0, 1, 0, 1])
    assert counts == PairedCounts(1, 1, 1, 1)
    assert counts + counts == PairedCounts(2, 2, 2, 2)
    with pytest.warns(SmallSample, match="paired comparison"):
        assert counts.compare().p_value == 1.0
    assert math.isnan(PairedCounts(40, 0, 0, 2).compare().p_value)
    assert str(PairedCounts().compare(small_sample_ok=True).difference).startswith("nan [-1, 1]")
    with pytest.raises(BadRows, match=r"neither 0 nor 1 in 1 row \[1\][\s\S]*before >= 4"):
        PairedCounts.of([1, 4], [0, 1])
    with pytest.raises(OutOfRange, match="neither = -1"):
        PairedCounts(1, 1, 1, -1)
    with pytest.raises(OutOfRange, match="row i of both columns must be the same customer"):
        PairedCounts.of([1, 0], [1])


def test_an_interval_knows_its_width_and_what_it_leaves_out() -> None:
    gap = compare(Counts(56, 70), Counts(48, 80)).difference
    assert gap.width == gap.high - gap.low
    assert gap.excludes(0)
    assert not gap.excludes(0.2)
