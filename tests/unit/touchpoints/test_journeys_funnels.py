"""Funnels: terms, pending, dwell, and the cases that tell products apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from crmcore.errors import EmptyInput, OutOfRange, UnknownName
from crmcore.touchpoints.journeys import Funnel, Journeys, funnel, funnel_by


def _one(path: str, times: Sequence[float], **terms: Any) -> tuple[int, ...]:
    walks = Journeys.of([list(path), list("abcdx")], times_s=[times, [0, 10**7, 2 * 10**7, 3 * 10**7, 4 * 10**7]])
    return tuple(funnel(walks.take([0]), ["a", "b", "c"], **terms).counts)


def test_the_window_counts_from_the_entry_with_both_ends() -> None:
    assert _one("abc", [0, 5, 10], window_s=10) == (1, 1, 1)
    assert _one("abc", [0, 5, 10.000001], window_s=10) == (1, 1, 0)


def test_a_later_entry_can_save_a_try() -> None:
    times = [0, 50, 51, 52]
    assert _one("aabc", times, window_s=10) == (1, 1, 1)
    assert _one("aabc", times, window_s=10, entry="last") == (1, 1, 1)
    assert _one("aabc", times, window_s=10, entry="first") == (1, 0, 0)


def test_a_step_window_takes_the_latest_step_before() -> None:
    assert _one("abbc", [0, 1, 10, 12], step_windows_s=[None, 5]) == (1, 1, 1)
    assert _one("abbc", [0, 1, 10, 16], step_windows_s=[None, 5]) == (1, 1, 0)
    assert _one("abbc", [0, 1, 10, 12], step_windows_s=[5, 5]) == (1, 1, 0)


def test_strict_steps_have_nothing_between() -> None:
    assert _one("abxc", [0, 1, 2, 3], order="strict") == (1, 1, 0)
    assert _one("axabc", [0, 1, 2, 3, 4], order="strict") == (1, 1, 1)


def test_steps_in_any_order_count_once_each() -> None:
    assert _one("cab", [0, 1, 2], order="any") == (1, 1, 1)
    assert _one("ccb", [0, 1, 2], order="any") == (1, 1, 0)
    assert _one("cxxxab", [0, 1, 2, 3, 20, 21], order="any", window_s=10) == (1, 1, 0)


def test_an_excluded_step_ends_the_try_before_it() -> None:
    assert _one("axbc", [0, 1, 2, 3], exclude=["x"]) == (1, 0, 0)
    assert _one("axabc", [0, 1, 2, 3, 4], exclude=["x"]) == (1, 1, 1)
    assert _one("xcab", [0, 1, 2, 3], exclude=["x"], order="any") == (1, 1, 1)
    assert _one("caxb", [0, 1, 2, 3], exclude=["x"], order="any") == (1, 1, 0)


def test_who_had_no_time_yet_is_pending_not_dropped() -> None:
    walks = Journeys.of([["ad", "buy"], ["ad", "see"], ["ad"]], times_s=[[0, 50], [0, 60], [950]])
    until = datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)  # second 1000
    found = funnel(walks, ["ad", "buy"], window_s=100, observed_until=until)
    first = found["ad"]
    assert (first.reached, first.dropped, first.pending) == (3, 1, 1)
    assert found["buy"].conversion is not None
    assert (found["buy"].conversion.value, found["buy"].conversion.n) == (0.5, 2)
    assert first.dwell_s is not None
    assert first.dwell_s.value == 60
    assert found.time_to_convert_s.value == 50
    assert found.survival is not None
    assert found.survival.ended_by(100 / 86400, small_sample_ok=True).value == pytest.approx(1 / 3)
    judged = funnel(walks, ["ad", "buy"], window_s=100)
    assert (judged["ad"].dropped, judged["ad"].pending) == (2, 0)


def test_the_last_instant_of_the_window_is_over_when_it_was_observed() -> None:
    walks = Journeys.of([["ad", "see"], ["buy"]], times_s=[[900, 901], [0]])
    at = {s: datetime.fromtimestamp(s, UTC) for s in (999, 1000)}
    assert funnel(walks, ["ad", "buy"], window_s=100, observed_until=at[999])["ad"].pending == 1
    assert funnel(walks, ["ad", "buy"], window_s=100, observed_until=at[1000])["ad"].pending == 0


def test_alternatives_stand_in_one_step() -> None:
    walks = Journeys.of([["ad", "card"], ["ad", "cash"], ["ad"]])
    assert funnel(walks, ["ad", ("card", "cash")]).counts == (3, 2)


def test_segments_have_their_own_funnels() -> None:
    walks = Journeys.of([["ad", "buy"], ["ad"], ["ad", "buy"], ["buy"]])
    table = funnel_by(walks, ["ad", "buy"], ["new", "new", None, "old"])
    assert {name: f.counts for name, f in table.funnels.items()} == {"new": (2, 1), "old": (0, 0)}
    assert list(table.to_frame(backend="pandas").columns[:2]) == ["segment", "step"]
    assert table.chart().rows[0]["label"] == "new"
    with pytest.raises(UnknownName, match="segment"):
        table["nwe"]


def test_wrong_calls_say_the_way_out() -> None:
    walks = Journeys.of([["ad", "buy"]])
    with pytest.raises(UnknownName, match="did you mean 'buy'"):
        funnel(walks, ["ad", "bye"])
    with pytest.raises(EmptyInput, match="two steps"):
        funnel(walks, ["ad"])
    with pytest.raises(UnknownName, match="did you mean 'strict'"):
        funnel(walks, ["ad", "buy"], order="strickt")
    with pytest.raises(OutOfRange, match="one from each step"):
        funnel(walks, ["ad", "buy"], step_windows_s=[1, 2])
    with pytest.raises(OutOfRange, match="window_s"):
        funnel(walks, ["ad", "buy"], window_s=float("nan"))
    with pytest.raises(OutOfRange, match="pending for ever"):
        funnel(walks, ["ad", "buy"], observed_until=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(OutOfRange, match="no row after it"):
        funnel(walks, ["ad", "buy"], window_s=5, observed_until=datetime(1970, 1, 1, tzinfo=UTC))
    with pytest.raises(OutOfRange, match="cannot lead on"):
        funnel(walks, ["ad", "buy"], exclude=["ad"])
    with pytest.raises(OutOfRange, match="one a journey"):
        funnel_by(walks, ["ad", "buy"], ["a", "b"])


def test_a_funnel_nobody_entered_is_not_known_and_not_zero() -> None:
    walks = Journeys.of([["ad", "buy"], ["see"]]).take([1])
    found = funnel(walks, ["ad", "buy"])
    assert found.counts == (0, 0)
    assert found.survival is None
    assert "not known" in str(found)
    with pytest.raises(EmptyInput):
        found.chart()


def test_a_funnel_goes_through_json_and_html() -> None:
    walks = Journeys.of([["ad", "<b>"], ["ad"]])
    found = funnel(walks, ["ad", "<b>"])
    assert str(Funnel.from_dict(found.to_dict())) == str(found)
    assert "&lt;b&gt;" in found._repr_html_()
    assert len(found.to_frame()) == 2
