"""Causes of failures: found, cleared, dated, and said."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from crmcore.errors import BadRows, EmptyInput, MissingColumn, NaiveDatetime, OutOfRange, UnknownName
from crmcore.recovery.process.causes import CaseColumns, Causes, Literal, Period, Region, find_causes

TRUTH = {"carrier = C0": 3.0, "channel = ch1 and product = P2": 6.0}


def simulated(seed: int = 4, n: int = 12_000, *, change: bool = False) -> dict[str, Any]:
    """Cases with one cause, one interaction, one value that travels with the cause, and noise."""
    rng = np.random.default_rng(seed)
    carrier = rng.integers(0, 5, n)
    region = np.where((carrier == 0) & (rng.random(n) < 0.7), 0, rng.integers(1, 6, n))
    channel, product = rng.integers(0, 4, n), rng.integers(0, 5, n)
    day = rng.integers(0, 200, n)
    store = rng.integers(0, 3, n)
    logit = -2.8 + np.log(3.0) * (carrier == 0) + np.log(6.0) * ((channel == 1) & (product == 2))
    logit = logit + (np.log(3.0) * ((store == 1) & (day >= 120)) if change else 0.0)
    late = rng.random(n) < 1 / (1 + np.exp(-logit))

    def words(prefix: str, codes: Any) -> list[str]:
        return [f"{prefix}{c}" for c in codes.tolist()]

    return {
        "carrier": words("C", carrier),
        "region": words("R", region),
        "channel": words("ch", channel),
        "product": words("P", product),
        "store": words("S", store),
        "noise": words("n", rng.integers(0, 6, n)),
        "day": day.tolist(),
        "late": late.tolist(),
    }


@pytest.fixture(scope="module")
def causes() -> Causes:
    frame = simulated()
    del frame["day"]
    return find_causes(frame, failed="late")


@pytest.fixture(scope="module")
def dated() -> Causes:
    return find_causes(simulated(change=True), failed="late", time="day")


def names(causes: Causes) -> list[str]:
    return [str(f.region) for f in causes.findings]


def test_the_cause_and_the_interaction_are_all_that_is_found(causes: Causes) -> None:
    assert set(names(causes)) == TRUTH.keys()


def test_odds_ratios_cover_the_truth(causes: Causes) -> None:
    for found in causes.findings:
        assert found.odds_ratio.low < TRUTH[str(found.region)] < found.odds_ratio.high


def test_what_travels_with_a_cause_is_cleared_by_it(causes: Causes) -> None:
    cleared = {str(c.region): c for c in causes.cleared}
    assert str(cleared["region = R0"].explained_by) == "carrier = C0"
    assert cleared["region = R0"].crude.low > 1.5
    assert not cleared["region = R0"].adjusted.excludes(1.0)


def test_parts_of_an_interaction_are_cleared_by_it(causes: Causes) -> None:
    by = {str(c.region): str(c.explained_by) for c in causes.cleared}
    assert by["product = P2"] == "channel = ch1 and product = P2"


def test_excess_is_what_would_not_have_failed(causes: Causes) -> None:
    main = next(f for f in causes.findings if str(f.region) == "carrier = C0")
    like = main.cases - main.failures  # odds inside / odds ratio = odds of like cases, nearly the same for all
    expected = main.failures - main.cases / (1 + main.odds_ratio.value * like / main.failures)
    assert main.excess.value == pytest.approx(expected, rel=0.05)
    assert main.excess.low < main.excess.value < main.excess.high


def test_a_dated_change_is_found_with_its_days(dated: Causes) -> None:
    (change,) = dated.changes
    assert str(change.finding.region).startswith("store = S1 from day ")
    assert change.earliest.rank <= 120 <= change.latest.rank
    assert abs(change.since.rank - 120) <= 10
    assert change.after.low > change.before.high
    assert "store = S1" not in names(dated)


def failing_for_a_while(seed: int, start: int, stop: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    day, team, other = rng.integers(0, 300, 30_000), rng.integers(0, 6, 30_000), rng.integers(0, 5, 30_000)
    logit = -2.5 + 0.9 * ((team == 2) & (day >= start) & (day < stop))
    failed = rng.random(30_000) < 1 / (1 + np.exp(-logit))
    return {"team": team.tolist(), "other": other.tolist(), "day": day.tolist(), "failed": failed.tolist()}


def test_what_was_put_right_is_a_cause_until_its_day() -> None:
    found = find_causes(failing_for_a_while(1, 0, 150), time="day")
    (cause,), (change,) = found.findings, found.changes
    assert str(cause.region) == "team = 2"
    assert cause.odds_ratio.low < np.exp(0.9) < cause.odds_ratio.high
    assert change.earliest.rank <= 150 <= change.latest.rank
    assert change.finding.odds_ratio.high < 1


def test_two_changes_of_one_region_are_both_dated() -> None:
    found = find_causes(failing_for_a_while(1, 100, 200), time="day")
    assert found.findings == ()
    dates = sorted(c.since.rank for c in found.changes)
    assert dates == [pytest.approx(100, abs=6), pytest.approx(200, abs=6)]


def test_a_steady_cause_has_no_date() -> None:
    found = [find_causes(failing_for_a_while(seed, 0, 300), time="day") for seed in range(5)]
    assert [[str(f.region) for f in c.findings] for c in found] == [["team = 2"]] * 5
    assert [c.changes for c in found] == [()] * 5


def test_a_change_of_everything_is_nobody_s_fault() -> None:
    frame = failing_for_a_while(1, 0, 0)
    rng = np.random.default_rng(2)
    late = np.array(frame["day"]) >= 180
    frame["failed"] = (rng.random(30_000) < np.where(late, 0.13, 0.08)).tolist()
    frame["product"] = np.where(late, rng.integers(0, 5, 30_000), rng.integers(0, 3, 30_000)).tolist()  # two came later
    found = find_causes(frame, time="day")
    assert found.findings == ()
    (change,) = found.changes
    assert str(change.finding.region).startswith("all cases from day ")
    assert change.earliest.rank <= 180 <= change.latest.rank


def test_nothing_is_found_in_noise() -> None:
    rng = np.random.default_rng(5)
    frame = {f"x{i}": rng.integers(0, 6, 3000).tolist() for i in range(8)}
    found = find_causes({**frame, "failed": (rng.random(3000) < 0.1).tolist()})
    assert found.findings == ()
    assert found.cleared == ()
    assert "no cause found" in str(found)


def test_order_of_rows_and_columns_does_not_matter(causes: Causes) -> None:
    frame = simulated()
    del frame["day"]
    order = np.random.default_rng(0).permutation(len(frame["late"]))
    shuffled = {k: [frame[k][i] for i in order] for k in reversed(list(frame))}
    again = find_causes(shuffled, failed="late")
    assert names(again) == names(causes)
    for a, b in zip(again.findings, causes.findings, strict=True):
        assert a.odds_ratio.value == pytest.approx(b.odds_ratio.value, rel=1e-9)
        assert (a.cases, a.failures) == (b.cases, b.failures)


def test_counts_of_cases_alike_say_the_same_as_the_cases(causes: Causes) -> None:
    frame = simulated()
    keys = [k for k in frame if k not in ("late", "day")]
    groups: dict[tuple[str, ...], list[int]] = {}
    for *cells, late in zip(*(frame[k] for k in keys), frame["late"], strict=True):
        count = groups.setdefault(tuple(cells), [0, 0])
        count[0] += 1
        count[1] += late
    rows = [dict(zip(keys, cells, strict=True)) | {"n": n, "k": k} for cells, (n, k) in groups.items()]
    again = find_causes(rows, failed="k", trials="n")
    assert names(again) == names(causes)
    assert again.findings[0].odds_ratio.value == pytest.approx(causes.findings[0].odds_ratio.value, rel=1e-9)
    assert again.cases == causes.cases


def test_two_names_of_one_cause_are_said_together() -> None:
    frame = simulated()
    del frame["day"]
    frame["depot"] = ["north" if c == "C0" else "south" for c in frame["carrier"]]
    found = next(f for f in find_causes(frame, failed="late").findings if f.same_as)
    both = {str(found.region), *map(str, found.same_as)}
    assert both == {"carrier = C0", "depot = north"}
    assert "the data cannot tell them apart" in str(found)


def test_a_missing_value_can_be_a_cause() -> None:
    rng = np.random.default_rng(2)
    blank = rng.random(4000) < 0.2
    address = [None if b else str(rng.integers(0, 3)) for b in blank]
    failed = rng.random(4000) < np.where(blank, 0.3, 0.05)
    assert names(find_causes({"address": address, "failed": failed.tolist()}))[0] == "address = (missing)"


def test_numbers_are_cut_into_parts() -> None:
    rng = np.random.default_rng(3)
    weight = rng.exponential(10, 5000)
    failed = rng.random(5000) < np.where(weight > 16, 0.4, 0.05)
    (found,) = find_causes({"weight": weight.tolist(), "failed": failed.tolist()}).findings
    assert str(found.region).startswith("weight = above ")


def test_identifiers_are_left_out_and_named() -> None:
    frame = simulated(n=2000)
    frame["case_id"] = [f"case {i}" for i in range(2000)]
    found = find_causes(frame, failed="late", time="day", depth=1)
    assert found.left_out == ("case_id",)
    assert "case 1" not in str(found) + repr(found) + found._repr_html_()


def test_cases_without_outcome_are_left_out_and_counted() -> None:
    frame = simulated(n=2000)
    frame["late"][:100] = [None] * 100
    found = find_causes(frame, failed="late", time="day", depth=1)
    assert (found.unknown, found.cases) == (100, 1900)
    assert "100 rows left out" in str(found)


@pytest.mark.parametrize("failed", [[0] * 200, [1] * 200])
def test_all_or_none_failed_is_no_cause_and_no_error(failed: list[int]) -> None:
    found = find_causes({"a": ["x", "y"] * 100, "b": ["u", "u", "v", "v"] * 50, "failed": failed})
    assert found.findings == ()
    assert found.failures == sum(failed)


def test_a_value_where_everything_fails_has_a_finite_odds_ratio() -> None:
    frame = {"a": ["x"] * 100 + ["y"] * 300, "failed": [1] * 100 + [0] * 290 + [1] * 10}
    (found,) = find_causes(frame).findings
    assert np.isfinite([found.odds_ratio.value, found.odds_ratio.high]).all()
    assert found.odds_ratio.value > 1000


def test_dates_need_no_zone_and_instants_are_days_of_theirs() -> None:
    frame = simulated(change=True)
    start = date(2026, 1, 1)
    frame["day"] = [start + timedelta(days=d) for d in frame["day"]]
    (change,) = find_causes(frame, failed="late", time="day").changes
    assert change.since.day is not None
    assert abs((change.since.day - (start + timedelta(days=120))).days) <= 10
    evening = {**frame, "day": [datetime(d.year, d.month, d.day, 18, tzinfo=UTC) for d in frame["day"]]}
    (later,) = find_causes(evening, failed="late", time="day", zone="Asia/Bangkok").changes
    assert later.since.day == change.since.day + timedelta(days=1)
    spelled = {**frame, "day": [d.isoformat() for d in frame["day"]]}
    assert find_causes(spelled, failed="late", time="day").changes[0].since == change.since


def test_naive_times_need_their_zone() -> None:
    frame = simulated(n=200)
    frame["day"] = [datetime(2026, 1, 1) + timedelta(days=d) for d in frame["day"]]
    with pytest.raises(NaiveDatetime, match="zone="):
        find_causes(frame, failed="late", time="day")


def test_results_leave_as_json_and_come_back(dated: Causes) -> None:
    again = Causes.from_dict(json.loads(json.dumps(dated.to_dict())))
    assert again.to_dict() == dated.to_dict()
    assert str(again) == str(dated)
    assert str(pickle.loads(pickle.dumps(dated))) == str(dated)


def test_a_result_shows_itself(dated: Causes) -> None:
    assert repr(dated) == "Causes(2 findings, 1 changes, 12,000 cases)"
    html = dated._repr_html_()
    assert len(html) < 6000
    assert "<script" not in html
    frame = dated.to_frame(backend="polars")
    assert frame["region"].to_list()[-1] == "store = S1"
    assert len(frame) == 3
    assert [row["label"] for row in dated.chart().rows][:2] == names(dated)


def test_a_result_without_findings_is_an_empty_frame_with_its_columns() -> None:
    found = find_causes({"a": ["x", "y"] * 50, "failed": [0, 0, 1, 1] * 25})
    assert found.to_frame(backend="polars").columns[:3] == ["region", "since", "odds_ratio"]
    with pytest.raises(EmptyInput, match="nothing stood out"):
        found.chart()


def test_the_share_bound_finds_no_less(causes: Causes) -> None:
    frame = simulated()
    del frame["day"]
    loose = find_causes(frame, failed="late", bound="share of false findings", alpha=0.2)
    assert set(names(causes)) <= set(names(loose))


def test_many_findings_do_not_open_the_door_to_noise() -> None:
    rng = np.random.default_rng(6)
    n = 20_000
    frame: dict[str, Any] = {f"cause{i}": rng.integers(0, 5, n) for i in range(8)}
    logit = -3.0 + sum(1.2 * (frame[name] == 0) for name in frame)
    frame |= {f"noise{i}": rng.integers(0, 5, n) for i in range(4)}
    frame["failed"] = rng.random(n) < 1 / (1 + np.exp(-logit))
    found = find_causes(frame, bound="share of false findings", alpha=0.2, depth=1, max_findings=40)
    innocent = [f for f in found.findings if "noise" in str(f.region)]
    assert sum(str(f.region).endswith("= 0") for f in found.findings) >= 8
    assert len(innocent) <= 4
    assert not found.stopped


def test_p_values_are_in_order(causes: Causes) -> None:
    for found in causes.findings:
        assert 0 <= found.p_value <= found.q_value <= found.p_adjusted * (1 + 1e-9) <= causes.alpha


def test_a_search_that_stops_early_says_so() -> None:
    frame = simulated()
    del frame["day"]
    found = find_causes(frame, failed="late", max_findings=1)
    assert len(found.findings) == 1
    assert found.stopped
    assert "raise max_findings" in str(found)


def test_progress_is_told() -> None:
    told: list[str] = []
    find_causes(simulated(n=1000), failed="late", depth=1, progress=lambda stage, _done, _total: told.append(stage))
    assert set(told) == {"causes"}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"failed": "lates"}, MissingColumn, "did you mean 'late'"),
        ({"failed": "late", "depth": 3}, OutOfRange, "depth = 3: expected 1 or 2"),
        ({"failed": "late", "alpha": 1.5}, OutOfRange, "write 1 % as alpha=0.01"),
        ({"failed": "late", "min_cases": 1}, OutOfRange, "min_cases = 1"),
        ({"failed": "late", "max_findings": 0}, OutOfRange, "max_findings = 0"),
        ({"failed": "late", "bound": "any"}, UnknownName, "any false finding"),
        ({"failed": "late", "attributes": ["carier"]}, MissingColumn, "did you mean 'carrier'"),
        ({"failed": "carrier"}, BadRows, "no outcome of yes or no"),
        ({"failed": "late", "attributes": []}, EmptyInput, "list of attributes is empty"),
        ({"failed": "late", "time": "carrier"}, BadRows, "no ISO 8601 time"),
    ],
)
def test_wrong_calls_name_the_way_out(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        find_causes(simulated(n=200), **options)
    assert said in str(raised.value)


def test_bad_counts_are_refused_at_once() -> None:
    frame = {"a": ["x", "y", "x", "y"], "k": [3, -1, 1, 0.5], "n": [2, 5, float("inf"), 4]}
    with pytest.raises(BadRows) as raised:
        CaseColumns.from_frame(frame, failed="k", trials="n")
    assert "failures below zero or above the cases in 2 rows [0, 1]" in str(raised.value)
    assert "not finite in 1 row [2]" in str(raised.value)
    assert "k: not a whole number in 1 row [3]" in str(raised.value)


def test_no_case_with_an_outcome_is_an_error() -> None:
    with pytest.raises(EmptyInput, match="known outcome"):
        find_causes({"a": [], "failed": []})
    with pytest.raises(EmptyInput, match="known outcome"):
        find_causes({"a": ["x"], "failed": [None]})


def test_one_case_is_no_cause() -> None:
    assert find_causes({"a": ["x"], "failed": [1]}).findings == ()


def test_outcomes_are_read_from_words() -> None:
    read = CaseColumns.from_frame({"a": ["x"] * 6, "failed": ["Yes", "no", "TRUE", "0", True, None]}, failed="failed")
    assert read.failures.tolist() == [1, 0, 1, 0, 1]
    assert read.unknown == 1


@pytest.mark.parametrize("library", ["polars", "pandas", "pyarrow"])
def test_frames_of_any_library_say_the_same(library: str) -> None:
    frames = pytest.importorskip(library)
    cells: dict[str, Any] = {"a": ["x", "y", "x"], "failed": [True, None, False], "t": [1, 2, 3]}
    frame = frames.table(cells) if library == "pyarrow" else frames.DataFrame(cells)
    read = CaseColumns.from_frame(frame, failed="failed", time="t")
    assert read.failures.tolist() == [1, 0]
    assert read.unknown == 1
    assert read.attributes[0].values == ("x", "y")
    assert read.periods is not None
    assert read.periods.starts == (1.0, 3.0)
    with pytest.raises(BadRows, match=r"no outcome of yes or no in 2 rows \[1, 2\]"):
        CaseColumns.from_frame(frame, failed="t")


def test_regions_know_their_rows_and_parts() -> None:
    cases = CaseColumns.from_frame(
        {"a": ["x", "y", "x"], "t": [1, 2, 3], "failed": [0, 1, 1]}, failed="failed", time="t"
    )
    later = Region((Literal("a", "x"),), Period("t", number=2))
    assert later.rows(cases).tolist() == [False, False, True]
    assert Region((Literal("a", "z"),)).rows(cases).sum() == 0
    assert Region(()).rows(cases).all()
    pair = Region((Literal("a", "x"), Literal("b", "y")))
    assert [str(p) for p in pair.parts] == ["a = x", "b = y"]


def test_a_period_is_a_day_or_a_number() -> None:
    with pytest.raises(OutOfRange, match="one of them"):
        Period("t")
